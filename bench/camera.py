"""A camera beside acquire-zarr: the same prepared frames, appended one by one as fast as they are taken
and at a steady rate, each writer in a process of its own, in turn. Chunks of frames long stored are removed
meanwhile, so that COUNT frames need little room.

    camera.py [--count 2000] [--side 2048] [--rounds 1] [--fps 0 40] [--threads 2] [--writers ngff …]
              [--dir /dev/shm/camera] [--bench build/release/bin/bench_camera]

Both write uint16 chunks of one frame and 512 x 512, blosc-lz4 level 1 with byte shuffle, the mean at 1/2, 1/4,
1/8, and flush nothing (acquire-zarr flushes each file: free on a memory file system). acquire-zarr stops at
the level that fits a chunk, so it has one level less. Prints a table."""

import argparse
import importlib.metadata
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time
import zlib

import numpy as np

WRITERS = ("ngff", "acquire-zarr, passive", "acquire-zarr")  # passive: its OpenMP threads do not spin
PREPARED = 16
KEPT = 40  # frames behind the newest whose chunks stay


def make_frames(path, side):
    """Blobs that drift over an offset, with photon noise; answers the ratio blosc would get at best."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    frames = np.empty((PREPARED, side, side), np.uint16)
    for t in range(PREPARED):
        light = np.full((side, side), 60, np.float32)
        for k in range(12):
            cy, cx = (side * ((k * 0.37 + 0.01 * t) % 1), side * ((k * 0.61 + 0.013 * t) % 1))
            light += 500 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * (side / 24) ** 2))
        frames[t] = rng.poisson(light) + 100
    frames.tofile(path)
    sample = np.ascontiguousarray(frames[0, :512, :512])
    shuffled = sample.view(np.uint8).reshape(-1, 2).T.tobytes()
    return len(shuffled) / len(zlib.compress(shuffled, 1))


def status_mib(name):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def acquire(frames_path, side, out, count, fps, threads):
    """The peer, in a process of its own: prints what bench_camera prints."""
    import acquire_zarr as az

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    frames = np.fromfile(frames_path, np.uint16).reshape(-1, 1, side, side)
    space, time_kind = az.DimensionType.SPACE, az.DimensionType.TIME
    dimensions = [az.Dimension(name="t", kind=time_kind, array_size_px=0, chunk_size_px=1, shard_size_chunks=1)]
    dimensions += [az.Dimension(name=n, kind=space, array_size_px=side, chunk_size_px=512, shard_size_chunks=1)
                   for n in "yx"]
    codec = az.CompressionSettings(compressor=az.Compressor.BLOSC1, level=1, shuffle=1,
                                   codec=az.CompressionCodec.BLOSC_LZ4)
    array = az.ArraySettings(output_key="", data_type=np.uint16, dimensions=dimensions, compression=codec,
                             downsampling_method=az.DownsamplingMethod.MEAN, max_levels=4)
    start = time.perf_counter()
    stream = az.ZarrStream(az.StreamSettings(store_path=str(out), max_threads=threads, overwrite=True,
                                             arrays=[array]))
    seconds, rss, begin = [], [], time.perf_counter()
    for i in range(count):
        if fps > 0:
            time.sleep(max(0.0, begin + i / fps - time.perf_counter()))
        before = time.perf_counter()
        stream.append(frames[i % len(frames)])
        seconds.append(time.perf_counter() - before)
        if (i + 1) % (count // 10 + 1) == 0:
            rss.append(round(status_mib("VmRSS:")))
    stream.close()
    wall = time.perf_counter() - start
    seconds.sort()
    print(json.dumps({"fps": count / wall, "median_ms": 1e3 * seconds[count // 2],
                      "p99_ms": 1e3 * seconds[count * 99 // 100], "worst_ms": 1e3 * seconds[-1],
                      "peak_mib": round(status_mib("VmHWM:")), "rss_mib": rss}), file=answers, flush=True)


# ---- what is stored is removed while it is written ----------------------------------------------------


class Sweeper(threading.Thread):
    """Counts and removes chunks of old frames: directories c/T of every array below `base`."""

    def __init__(self, base):
        super().__init__(daemon=True)
        self.base, self.stop, self.bytes, self.frames = base, threading.Event(), 0, 0

    def sweep(self, keep):
        for c in list(self.base.glob("**/c")):
            times = sorted((int(p.name) for p in c.iterdir() if p.name.isdigit()), reverse=True)
            if times:
                self.frames = max(self.frames, times[0] + 1)
            for t in times[keep:]:
                for p in (c / str(t)).rglob("*"):
                    self.bytes += p.stat().st_size if p.is_file() else 0
                shutil.rmtree(c / str(t), ignore_errors=True)

    def run(self):
        while not self.stop.wait(0.5):
            try:
                self.sweep(KEPT)
            except OSError:
                pass  # it was renamed into place just now

    def finish(self):
        self.stop.set()
        self.join()
        self.sweep(0)
        return self.bytes


def run(command, base, env):
    shutil.rmtree(base, ignore_errors=True)
    base.mkdir(parents=True)
    sweeper = Sweeper(base)
    sweeper.start()
    before = os.times()
    done = subprocess.run(command, stdout=subprocess.PIPE, env={**os.environ, **env}, check=True)
    after = os.times()
    answer = json.loads(done.stdout)
    answer["mib"] = sweeper.finish() / 2**20
    answer["cpu"] = (after.children_user - before.children_user + after.children_system - before.children_system)
    shutil.rmtree(base)
    return answer


def report(rows):
    print("| writer | asked | frames/s | append ms, median | p99 | worst | CPU s | peak MiB | RSS by tenths | MiB stored |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, fps, a in rows:
        rss = " ".join(f"{v:.0f}" for v in a["rss_mib"])
        print(f"| {name} | {fps or 'all'} | {a['fps']:.1f} | {a['median_ms']:.2f} | {a['p99_ms']:.2f} | "
              f"{a['worst_ms']:.1f} | {a['cpu']:.1f} | {a['peak_mib']:.0f} | {rss} | {a['mib']:.0f} |", flush=True)


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--count", type=int, default=2000)
    parse.add_argument("--side", type=int, default=2048)
    parse.add_argument("--rounds", type=int, default=1)
    parse.add_argument("--fps", type=float, nargs="*", default=[0, 40])
    parse.add_argument("--threads", type=int, default=2)
    parse.add_argument("--writers", nargs="*", choices=WRITERS, default=WRITERS)
    parse.add_argument("--dir", type=pathlib.Path, default=pathlib.Path("/dev/shm/camera"))
    parse.add_argument("--bench", default="build/release/bin/bench_camera")
    o = parse.parse_args()
    o.dir.mkdir(parents=True, exist_ok=True)
    frames = o.dir / "frames.raw"
    ratio = make_frames(frames, o.side)
    print(f"{o.count} frames of {o.side} x {o.side} uint16, ratio about {ratio:.2f}; {o.threads} threads; acquire-zarr "
          f"{importlib.metadata.version('acquire-zarr')}", flush=True)
    rows = []
    peer = [sys.executable, __file__, "--acquire"]
    for _ in range(o.rounds):
        for fps in o.fps:
            common = [str(frames), str(o.side), str(o.dir / "work" / "out.ome.zarr"), str(o.count), str(fps),
                      str(o.threads)]
            work = o.dir / "work"
            for name in o.writers:
                command = [o.bench] if name == "ngff" else peer
                env = {"OMP_WAIT_POLICY": "passive"} if name.endswith("passive") else {}
                rows.append((name, fps, run([*command, *common], work, env)))
    report(rows)
    shutil.rmtree(o.dir)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--acquire"]:
        path, side, out, count, fps, threads = sys.argv[2:]
        acquire(path, int(side), out, int(count), float(fps), int(threads))
    else:
        main()
