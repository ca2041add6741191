"""The Python package beside ngff-zarr: the seeded volume from a NumPy memory map and from a Dask array of
64 cubed chunks, both in the same run.

    ./dev python bench/python.py [--rounds 3] [--shape 256,1024,1024] [--dir DIR] [--only WORDS] [--cold]

Each pair of a library and an input lives in a process of its own, warms up on a crop, then writes the
volume once a round; the rounds alternate their order. Wall and CPU time of the write alone. Memory
is the peak of what the process holds that is no mapped file, and is given three ways: beyond what a process
with the input has (Python, NumPy and, for a Dask array, Dask), which is judged; what the write added to
what the process held just before it; and whole. A warm process has kept memory of its warm-up, which the
second way does not count: with --cold each round is the first write of a new process."""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

CHUNK, FACTORS = 64, [2, 4, 8]
BLOSC = {"cname": "lz4", "clevel": 1, "shuffle": "shuffle", "typesize": 2, "blocksize": 0}
CODEC = {"name": "blosc", "configuration": BLOSC}
METHODS = {"bin shrink": "itkwasm_bin_shrink", "Gaussian": "itkwasm_gaussian"}
INPUTS = ("memmap", "Dask")
LIBRARIES = {"ngff": "ngff", "ngff-zarr": "ngff_zarr", "ngff, 128 MiB": "ngff"}
LIMITS = {("memmap", "bin shrink"): 10, ("memmap", "Gaussian"): 30,
          ("Dask", "bin shrink"): 4, ("Dask", "Gaussian"): 12}
MIB = 1 << 20


# ---- the process that is measured ---------------------------------------------------------------


def resident(name):
    """Bytes of one line of /proc/self/status."""
    with open("/proc/self/status") as lines:
        return next(int(l.split()[1]) for l in lines if l.startswith(name + ":")) * 1024


def anonymous_peak(stop, out):
    """Samples what the process holds that is no mapped file."""
    while not stop.wait(0.002):
        out[0] = max(out[0], resident("RssAnon"))


def measured(write, start_bytes):
    import gc
    import threading

    gc.collect()
    before = resident("RssAnon")
    peak, stop = [before], threading.Event()
    sampler = threading.Thread(target=anonymous_peak, args=(stop, peak))
    sampler.start()
    start, cpu = time.perf_counter(), time.process_time()
    write()
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    stop.set()
    sampler.join()
    return {"wall": wall, "cpu": cpu, "beyond": peak[0] - start_bytes, "added": peak[0] - before,
            "whole": peak[0]}


class OnFile:
    """Like an array in a file: regions are read when they are asked for. (from_array would copy a
    memory map whole.)"""

    def __init__(self, data):
        self.data, self.shape, self.dtype, self.ndim = data, data.shape, data.dtype, data.ndim

    def __getitem__(self, key):
        return self.data[key].copy()

    def __dask_tokenize__(self):
        return id(self)  # not by its bytes


def writer(library, source, method):
    """A function that writes the volume, and what a process that has only the input holds."""
    import importlib

    import numpy as np

    if source == "Dask":
        import dask.array

    start_bytes = resident("RssAnon")
    nz = importlib.import_module(LIBRARIES[library])
    if library.endswith("MiB"):
        nz.config.memory_target = int(library.split()[1]) * MIB

    def write(path, out, crop=()):
        data = np.load(path, mmap_mode="r")
        data = data[crop] if crop else data
        if source == "Dask":
            data = dask.array.from_array(OnFile(data), chunks=(CHUNK,) * 3, asarray=False)
        image = nz.to_ngff_image(data, dims=("z", "y", "x"))
        levels = nz.to_multiscales(image, FACTORS, chunks=CHUNK, method=nz.Methods(METHODS[method]))
        nz.to_ngff_zarr(out, levels, version="0.5", compressors=[CODEC])

    return write, start_bytes


def child(library, source, method, path, out):
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    write, start_bytes = writer(library, source, method)
    if "COLD" not in os.environ:
        write(path, out, (slice(0, 128),) * 3)
    for _ in sys.stdin:
        shutil.rmtree(out, ignore_errors=True)
        result = measured(lambda: write(path, out), start_bytes)
        result["bytes"] = sum(p.stat().st_size for p in pathlib.Path(out).rglob("*") if p.is_file())
        shutil.rmtree(out, ignore_errors=True)
        print(json.dumps(result), file=answers, flush=True)


# ---- the run ------------------------------------------------------------------------------------


class Peer:
    def __init__(self, names, path, out):
        self.process = subprocess.Popen([sys.executable, __file__, "--child", *names, str(path), str(out)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        stderr=subprocess.DEVNULL)

    def run(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"a process ended with {self.process.wait()}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def cases(words):
    for source in INPUTS:
        for method in METHODS:
            for library in LIBRARIES:
                if library.endswith("MiB") and source == "memmap":
                    continue
                if not words or all(w in f"{library} {source} {method}".split() for w in words):
                    yield library, source, method


def middle(runs, key):
    return statistics.median(run[key] for run in runs)


def times(runs, library, source, method, key):
    """Theirs over ours, round by round."""
    ours, theirs = (runs[(name, source, method)] for name in (library, "ngff-zarr"))
    return [b[key] / a[key] for a, b in zip(ours, theirs)]


def table(runs):
    yield ("| input, method | times faster, median | min | max | CPU | asked | memory beyond the input: theirs "
           "/ ours | asked | added by the write: theirs / ours |")
    yield "|---|---|---|---|---|---|---|---|---|"
    for library, source, method in runs:
        if library == "ngff-zarr" or not runs.get(("ngff-zarr", source, method)):
            continue
        limit = LIMITS[(source, method)]
        wall = times(runs, library, source, method, "wall")
        cpu, beyond, added = (statistics.median(times(runs, library, source, method, key))
                              for key in ("cpu", "beyond", "added"))
        mid = statistics.median(wall)
        note = library.removeprefix("ngff")
        yield (f"| {source}, {method}{note} | {mid:.1f} | {min(wall):.1f} | {max(wall):.1f} | {cpu:.1f} | "
               f">= {limit}: {'met' if mid >= limit else 'missed'} | {beyond:.1f} | >= 4: "
               f"{'met' if beyond >= 4 else 'missed'} | {added:.1f} |")
    yield ""
    yield ("| library, input, method | wall s | CPU s | MiB beyond the input | MiB added by the write | MiB whole process | "
           "MiB written |")
    yield "|---|---|---|---|---|---|---|"
    for names, rows in runs.items():
        if rows:
            yield (f"| {', '.join(names)} | {middle(rows, 'wall'):.2f} | {middle(rows, 'cpu'):.2f} | "
                   f"{middle(rows, 'beyond') / MIB:.0f} | {middle(rows, 'added') / MIB:.0f} | "
                   f"{middle(rows, 'whole') / MIB:.0f} | "
                   f"{rows[-1]['bytes'] / MIB:.0f} |")


def options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--shape", default="256,1024,1024")
    parser.add_argument("--dir", default="/dev/shm", help="input and outputs, in a directory of their own")
    parser.add_argument("--only", nargs="*", default=[], help="words a case must have: ngff Dask Gaussian …")
    parser.add_argument("--cold", action="store_true", help="a new process for each round, no warm-up")
    return parser.parse_args()


def main():
    import numpy as np
    import volume as made

    chosen = options()
    if chosen.cold:
        os.environ["COLD"] = "1"
    work = pathlib.Path(tempfile.mkdtemp(prefix="ngff-bench-", dir=chosen.dir))
    peers, runs = {}, {names: [] for names in cases(chosen.only)}
    try:
        shape = tuple(int(n) for n in chosen.shape.split(","))
        np.save(work / "volume.npy", made.light_sheet(shape))
        for turn in range(chosen.rounds):
            for names in list(runs) if turn % 2 else list(runs)[::-1]:
                if names not in peers:
                    peers[names] = Peer(names, work / "volume.npy", work / f"out{len(peers)}.zarr")
                runs[names].append(peers[names].run())
                if chosen.cold:
                    peers.pop(names).close()
                print(f"round {turn + 1}: {' '.join(names):32s} {runs[names][-1]['wall']:8.2f} s",
                      file=sys.stderr, flush=True)
    finally:
        for peer in peers.values():
            peer.close()
        shutil.rmtree(work, ignore_errors=True)
    print("\n".join(table(runs)))


if __name__ == "__main__":
    child(*sys.argv[2:]) if sys.argv[1:2] == ["--child"] else main()
