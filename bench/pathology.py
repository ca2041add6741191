#!/usr/bin/env python3
"""The 2-D case: a tiled RGB BigTIFF to OME-Zarr 0.5, beside `vips dzsave`.

    python bench/pathology.py --bin build/release/bin [--dir /dev/shm] [--side 16384] \
        [--compression jpeg|zlib|none] [--rounds 5] [--budget 256M]

Both are whole processes that read the same file and make all levels: ngff with 1024 x 1024
chunks and its default codec under the budget, vips JPEG tiles in a zip. Who comes first
changes from round to round; a warm-up round is not counted. Peak memory is the largest
resident set, which counts pages of the input that are mapped.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np


def tiles(side, tile, rng):
    """Stained tissue, roughly: blobs on a bright ground, with grain."""
    y, x = np.mgrid[0:tile, 0:tile].astype(np.float32)
    noise = [rng.normal(0, 5, (tile, tile, 3)).astype(np.float32) for _ in range(16)]
    for row in range(side // tile):
        for column in range(side // tile):
            yy, xx = y + row * tile, x + column * tile
            cell = np.sin(xx / 9.0) * np.sin(yy / 11.0) + np.sin((xx + yy) / 301.0)
            out = np.stack((215 - 40 * cell, 170 - 60 * cell, 205 - 25 * cell), axis=-1)
            out += noise[(row * 7 + column) % 16]
            yield np.clip(out, 0, 255).astype(np.uint8)


def make(path, side, compression):
    import tifffile

    options = {"jpeg": ("jpeg", {"level": 85}), "zlib": ("zlib", {"level": 1}),
               "none": (None, {})}[compression]
    rng = np.random.default_rng(3)
    with tifffile.TiffWriter(path, bigtiff=True) as out:
        out.write(tiles(side, 256, rng), shape=(side, side, 3), dtype=np.uint8,
                  tile=(256, 256), photometric="rgb", compression=options[0],
                  compressionargs=options[1], resolution=(40000, 40000),
                  resolutionunit="CENTIMETER")


def timed(command):
    """(wall seconds, CPU seconds, peak MiB) of a process."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, use = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{command[0]} failed: {child.returncode}")
    return (time.perf_counter() - start, use.ru_utime + use.ru_stime,
            use.ru_maxrss / 1024)


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bin", default="build/release/bin")
    p.add_argument("--dir", default="/dev/shm" if os.path.isdir("/dev/shm") else None)
    p.add_argument("--side", type=int, default=16384)
    p.add_argument("--compression", default="jpeg", choices=("jpeg", "zlib", "none"))
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--budget", default="256M")
    o = p.parse_args()
    if not shutil.which("vips"):
        sys.exit("vips is not installed: apt-get install libvips-tools")
    work = tempfile.mkdtemp(prefix="ngff-pathology-", dir=o.dir)
    try:
        source = os.path.join(work, "slide.tif")
        make(source, o.side, o.compression)
        store, archive = os.path.join(work, "out.ome.zarr"), os.path.join(work, "out.zip")
        runs = {
            "ngff": [os.path.join(o.bin, "ngff"), "convert", source, store, "-q",
                     "--chunks", "y=1024,x=1024", "--memory-target", o.budget,
                     "--durability", "none", "--overwrite"],
            "vips dzsave": ["vips", "dzsave", source, archive, "--container", "zip",
                            "--suffix", ".jpg"],
        }
        found = {name: [] for name in runs}
        for n in range(o.rounds + 1):
            names = list(runs)
            for name in names[n % 2:] + names[:n % 2]:
                shutil.rmtree(store, ignore_errors=True)
                if os.path.exists(archive):
                    os.remove(archive)
                result = timed(runs[name])
                if n > 0:
                    found[name].append(result)
        ratios = [a[0] / b[0] for a, b in zip(found["ngff"], found["vips dzsave"])]
        print(f"| {o.side}² RGB, {o.compression} tiles, {os.path.getsize(source) >> 20} MiB "
              "| median s | min | max | CPU s | peak MiB |\n|---|--:|--:|--:|--:|--:|")
        for name, results in found.items():
            wall, cpu, peak = zip(*results)
            print(f"| {name} | {statistics.median(wall):.2f} | {min(wall):.2f} | "
                  f"{max(wall):.2f} | {statistics.median(cpu):.2f} | {max(peak):.0f} |")
        print(f"\nngff / vips per round: {statistics.median(ratios):.2f} "
              f"({min(ratios):.2f} – {max(ratios):.2f}), {o.rounds} rounds, "
              f"{len(os.sched_getaffinity(0))} cores")
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
