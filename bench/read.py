#!/usr/bin/env python3
"""Reading, beside tensorstore and zarrs (zarrista), from the same stores.

    python bench/read.py --bin build/release/bin --ngff build/release/bin/ngff \
        [--dir /dev/shm] [--mib 512] [--boxes 1000] [--rounds 5] [--threads N] [--md FILE]

A volume of uint16 (seeded; blosc-lz4 level 1 with byte shuffle makes about 1.6 of it) is
written twice, 64x64x64 chunks, one file each and 4 x 4 x 4 to a shard. Every round each
reader reads all of level 0 and then the same random boxes of 64x64x64; who comes first
changes from round to round. The readers of Python run in this process after a warm-up,
with the same number of threads; every reader's pixels are compared by checksum.
"""
import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

MASK = (1 << 64) - 1
SEED = 7


def draw(state):
    state = (state + 0x9E3779B97F4A7C15) & MASK
    z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return state, z ^ (z >> 31)


def places(shape, count, extent):
    state, out = SEED, []
    for _ in range(count):
        start = []
        for n in shape:
            state, z = draw(state)
            start.append(z % (n - min(extent, n) + 1))
        out.append(tuple(slice(a, a + min(extent, n)) for a, n in zip(start, shape)))
    return out


def checksum(a):
    words = np.ascontiguousarray(a).reshape(-1).view(np.uint64)
    odd = np.arange(words.size, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    return int((words * odd).sum(dtype=np.uint64))


def volume(path, mib):
    """Smooth structures on a noisy background."""
    shape = (mib, 1024, 512)
    rng = np.random.default_rng(SEED)
    out = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint16, shape=shape)
    y, x = np.mgrid[0:shape[1], 0:shape[2]].astype(np.float32)
    for z in range(shape[0]):
        base = 600 + 500 * np.sin(x / 37 + z / 11) * np.cos(y / 53 - z / 29)
        out[z] = base + rng.normal(0, 12, shape[1:]).astype(np.float32)
    out.flush()
    return shape


class Peer:
    """run: seconds for all and for the boxes on the clock, both of the processors, two
    checksums."""

    def timed(self, box, spent):
        wall, cpu = time.perf_counter(), time.process_time()
        out = self.read(box)
        spent[0] += time.perf_counter() - wall
        spent[1] += time.process_time() - cpu
        return out

    def run(self, boxes):
        whole_s, boxes_s, sum_boxes = [0.0, 0.0], [0.0, 0.0], 0
        sum_all = checksum(self.timed((slice(None),) * 3, whole_s))
        for box in boxes:
            sum_boxes = (sum_boxes * 3 + checksum(self.timed(box, boxes_s))) & MASK
        return whole_s[0], boxes_s[0], whole_s[1], boxes_s[1], sum_all, sum_boxes


class Tensorstore(Peer):
    name = "tensorstore"

    def __init__(self, path, threads):
        import tensorstore as ts

        limit = {"limit": threads}
        context = ts.Context({"data_copy_concurrency": limit,
                              "file_io_concurrency": limit,
                              "cache_pool": {"total_bytes_limit": 0}})
        self.array = ts.open({"driver": "zarr3", "kvstore": {"driver": "file", "path": path}},
                             context=context, read=True, open=True).result()

    def read(self, box):
        return self.array[box].read().result()


class Zarrs(Peer):
    name = "zarrs"

    def __init__(self, path, threads):
        os.environ["RAYON_NUM_THREADS"] = str(threads)  # read when it is first used
        import zarrista
        from zarrista.store import FilesystemStore

        self.array = zarrista.Array.open(FilesystemStore(path))

    def read(self, box):
        return np.asarray(self.array.retrieve_array_subset(box))


class Ngff(Peer):
    name = "ngff"

    def __init__(self, program, store, threads, boxes, extent):
        self.command = [program, store, "0", str(threads), str(boxes), str(extent), str(SEED)]

    def run(self, boxes):
        out = subprocess.run(self.command, check=True, capture_output=True, text=True)
        found = out.stdout.split()
        return (*map(float, found[:4]), int(found[4], 16), int(found[5], 16))


def compare(peers, boxes, rounds):
    """{name: the four times of every round}"""
    times = {p.name: [] for p in peers}
    for p in peers:
        p.run(boxes[:20])  # a warm-up; nobody looks at it
    for n in range(rounds):
        found = set()
        turn = n % len(peers)
        for p in peers[turn:] + peers[:turn]:
            result = p.run(boxes)
            times[p.name].append(result[:4])
            found.add(result[4:])
        if len(found) != 1:
            sys.exit("the readers do not agree about the pixels")
    return times


def ratio(times, which):
    """ngff over the faster of the others, round by round."""
    others = [found for name, found in times.items() if name != "ngff"]
    per = [own[which] / min(o[n][which] for o in others)
           for n, own in enumerate(times["ngff"])]
    return f"{statistics.median(per):.2f} ({min(per):.2f} – {max(per):.2f})"


def table(title, times, which):
    lines = [f"| {title} | median s | min | max | CPU s | × the faster peer | × its CPU |",
             "|---|--:|--:|--:|--:|--:|--:|"]
    for name, found in times.items():
        wall = [f[which] for f in found]
        cpu = statistics.median(f[which + 2] for f in found)
        own = f"{ratio(times, which)} | {ratio(times, which + 2)}" if name == "ngff" else " | "
        lines.append(f"| {name} | {statistics.median(wall):.3f} | {min(wall):.3f} | "
                     f"{max(wall):.3f} | {cpu:.3f} | {own} |")
    return "\n".join(lines) + "\n"


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bin", default="build/release/bin")
    p.add_argument("--dir", default="/dev/shm" if os.path.isdir("/dev/shm") else None)
    p.add_argument("--mib", type=int, default=512)
    p.add_argument("--boxes", type=int, default=1000)
    p.add_argument("--extent", type=int, default=64)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    p.add_argument("--md", help="also write the tables here")
    o = p.parse_args()
    text = ""
    work = tempfile.mkdtemp(prefix="ngff-read-", dir=o.dir)
    try:
        source = os.path.join(work, "in.npy")
        shape = volume(source, o.mib)
        boxes = places(shape, o.boxes, o.extent)
        for per_shard in (1, 4):
            store = os.path.join(work, f"s{per_shard}.ome.zarr")
            command = [os.path.join(o.bin, "ngff"), "convert", source, store, "-q",
                       "--chunks", "64,64,64", "--codec", "blosc:lz4",
                       "--compression-level", "1", "--shuffle", "byte",
                       "--scale-factors", "none", "--layout", "flat",
                       "--durability", "none"]
            if per_shard > 1:
                command += ["--chunks-per-shard", str(per_shard)]
            subprocess.run(command, check=True)
            array = os.path.join(store, "0")
            peers = [Ngff(os.path.join(o.bin, "bench_read"), store, o.threads, o.boxes,
                          o.extent),
                     Tensorstore(array, o.threads), Zarrs(array, o.threads)]
            times = compare(peers, boxes, o.rounds)
            kind = "sharded 4 × 4 × 4" if per_shard > 1 else "a file each chunk"
            for which, what in enumerate(
                    (f"all of level 0, {kind}", f"{o.boxes} boxes, {kind}")):
                part = table(what, times, which)
                print(part, flush=True)
                text += part + "\n"
            shutil.rmtree(store)
        facts = (f"{o.mib} MiB uint16, {o.rounds} rounds, {o.threads} threads, "
                 f"{platform.processor() or platform.machine()}, Linux {platform.release()}")
        print(facts)
        if o.md:
            with open(o.md, "w") as f:
                f.write(text + facts + "\n")
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
