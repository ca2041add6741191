"""./dev bench: the command line against the floor and the peers, alternating, in one run. Prints a
table of ratios and writes build/bench/result.json and result.md.

    run.py [--rounds N] [--dir DIR] [--shape Z,Y,X] [--bin DIR] [--only NAME,…]"""

import argparse
import json
import os
import pathlib
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import time

import numpy as np

from volume import light_sheet

ROOT = pathlib.Path(__file__).resolve().parents[1]
OURS = ["--dims", "zyx", "--chunks", "64", "--scale-factors", "2,4,8", "--threads", "2", "-q"]
LZ4 = ["--codec", "blosc:lz4", "--compression-level", "1", "--shuffle", "byte"]
FAST = ["--durability", "none"]
CASES = {
    "ngff bin_shrink": [*OURS, *LZ4, *FAST, "--method", "bin_shrink"],
    "ngff gaussian": [*OURS, *LZ4, *FAST, "--method", "gaussian"],
    "ngff bin_shrink, durability each": [*OURS, *LZ4, "--durability", "each", "--method", "bin_shrink"],
    "ngff level 0 only": [*OURS, *LZ4, *FAST, "--scale-factors", "none"],
    "ngff bin_shrink, 2 chunks a shard": [*OURS, *LZ4, *FAST, "--method", "bin_shrink",
                                          "--chunks-per-shard", "2"],
}
PEERS = ["acquire-zarr mean", "ngff-zarr bin_shrink", "ngff-zarr gaussian"]
RARE = {"ngff-zarr bin_shrink": 3, "ngff-zarr gaussian": 1}  # slow: at most so many rounds
RATIOS = [("ngff bin_shrink", "floor"), ("ngff gaussian", "floor"),
          ("acquire-zarr mean", "ngff bin_shrink"),
          ("acquire-zarr mean", "ngff bin_shrink, durability each"),
          ("ngff-zarr bin_shrink", "ngff bin_shrink"), ("ngff-zarr gaussian", "ngff gaussian"),
          ("ngff level 0 only", "ngff bin_shrink"),
          ("ngff bin_shrink, 2 chunks a shard", "ngff bin_shrink")]


def unique(options):
    """The last value of an option given twice."""
    out, i = {}, 0
    while i < len(options):
        takes = i + 1 < len(options) and not options[i + 1].startswith("-")
        out[options[i]] = [options[i + 1]] if takes else []
        i += 2 if takes else 1
    return [word for name, value in out.items() for word in (name, *value)]


class Bench:
    def __init__(self, options):
        self.o = options
        self.dir = pathlib.Path(options.dir)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.ngff = pathlib.Path(options.bin) / "ngff"
        self.floor = pathlib.Path(options.bin) / "bench_floor"
        self.shape = tuple(int(n) for n in options.shape.split(","))
        self.times, self.memory, self.bytes, self.peers = {}, {}, {}, {}

    def prepare(self):
        volume = light_sheet(self.shape)
        np.save(self.dir / "volume.npy", volume)
        self.levels = []
        for n in range(4):
            path = self.dir / f"level{n}.raw"
            if n:
                z, y, x = (s // 2 for s in volume.shape)
                blocks = volume[: 2 * z, : 2 * y, : 2 * x].reshape(z, 2, y, 2, x, 2)
                volume = ((blocks.sum((1, 3, 5), dtype="uint32") + 4) // 8).astype("uint16")
            volume.tofile(path)
            self.levels.append(f"{path}:" + ",".join(map(str, volume.shape)))

    def note(self, name, seconds, peak, size):
        self.times.setdefault(name, []).append(seconds)
        self.memory[name] = max(peak, self.memory.get(name, 0))
        self.bytes[name] = size

    def run_floor(self):
        out = self.dir / "floor.out"
        done = subprocess.run([self.floor, out, "blosc:lz4", "1", "2", "64,64,64", "1", "2", *self.levels],
                              check=True, capture_output=True, text=True)
        seconds, size = done.stdout.split()
        shutil.rmtree(out)
        self.note("floor", float(seconds), 0, int(size))

    def run_ours(self, name):
        out = self.dir / "ours.zarr"
        start = time.perf_counter()
        report = subprocess.run([self.ngff, "convert", self.dir / "volume.npy", out, "--json",
                                 *unique(CASES[name])], check=True, capture_output=True, text=True)
        seconds = time.perf_counter() - start
        stats = json.loads(report.stdout)["stats"]
        shutil.rmtree(out)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        self.note(name, seconds, min(peak, stats["peak_bytes"] + (64 << 20)), stats["encoded_bytes"])

    def run_peer(self, name):
        if name not in self.peers:
            words = [sys.executable, pathlib.Path(__file__).parent / "peers.py", name,
                     self.dir / "volume.npy", self.dir / "peer.out"]
            self.peers[name] = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                                stderr=subprocess.DEVNULL, text=True)
            while (line := self.peers[name].stdout.readline()) and line.strip() != "ready":
                pass
        peer = self.peers[name]
        peer.stdin.write("go\n")
        peer.stdin.flush()
        while line := peer.stdout.readline():
            words = line.split()
            if len(words) == 3 and words[0][0].isdigit():
                return self.note(name, float(words[0]), int(words[1]), int(words[2]))
        raise SystemExit(f"bench: {name} died")

    def run(self):
        names = ["floor", *CASES, *PEERS]
        if self.o.only:
            names = [n for n in names if n in self.o.only.split(",")]
        for r in range(self.o.rounds):
            for name in names if r % 2 == 0 else names[::-1]:
                if r >= RARE.get(name, self.o.rounds):
                    continue
                if name == "floor":
                    self.run_floor()
                elif name in CASES:
                    self.run_ours(name)
                else:
                    self.run_peer(name)
                print(f"round {r + 1}: {name:36s} {self.times[name][-1]:8.3f} s", flush=True)


def ratio_row(times, a, b):
    pairs = [x / y for x, y in zip(times[a], times[b])]
    return [f"{a} / {b}", statistics.median(pairs), min(pairs), max(pairs), len(pairs)]


def table(bench):
    size = np.prod(bench.shape) * 2
    encoded = bench.bytes["floor"] if "floor" in bench.bytes else 1
    lines = [f"machine: {platform.machine()}, {os.cpu_count()} cores; {platform.platform()}",
             f"input: uint16 {bench.shape}, {size >> 20} MiB, compresses {size * 8 / 7 / encoded:.2f} : 1; "
             f"chunks 64^3, 4 levels, blosc-lz4 level 1, byte shuffle, 2 threads",
             "", "| writer | median s | min | max | rounds | MiB written |", "|---|---|---|---|---|---|"]
    for name, t in bench.times.items():
        lines.append(f"| {name} | {statistics.median(t):.3f} | {min(t):.3f} | {max(t):.3f} | {len(t)} | "
                     f"{bench.bytes[name] >> 20} |")
    lines += ["", "| ratio | median | min | max | pairs |", "|---|---|---|---|---|"]
    for a, b in RATIOS:
        if a in bench.times and b in bench.times:
            name, mid, lo, hi, n = ratio_row(bench.times, a, b)
            lines.append(f"| {name} | {mid:.2f} | {lo:.2f} | {hi:.2f} | {n} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dir", default=str(ROOT / "build" / "bench" / "work"))
    parser.add_argument("--shape", default="256,1024,1024")
    parser.add_argument("--bin", default=str(ROOT / "build" / "release" / "bin"))
    parser.add_argument("--only", default="")
    bench = Bench(parser.parse_args())
    bench.prepare()
    try:
        bench.run()
    finally:
        for peer in bench.peers.values():
            peer.stdin.close()
            peer.wait()
        shutil.rmtree(bench.dir, ignore_errors=True)
    text = table(bench)
    out = ROOT / "build" / "bench"
    out.mkdir(parents=True, exist_ok=True)
    (out / "result.md").write_text(text)
    (out / "result.json").write_text(json.dumps({"times": bench.times, "bytes": bench.bytes}))
    print(text)


if __name__ == "__main__":
    main()
