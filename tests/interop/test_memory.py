"""Real memory: the peak resident size of whole runs, as the operating system counts it. Needs a build
without sanitizers (NGFF_PLAIN, or build/release)."""

import gzip
import os
import struct
import subprocess
import sys

import numpy as np
import pytest

from harness import PLAIN

BUDGET = int(os.environ.get("NGFF_MEMORY_BUDGET_MIB", "96")) << 20
ALLOWED = BUDGET + (64 << 20)
# The image is several times the budget. Full size: NGFF_MEMORY_MIB=4096 NGFF_MEMORY_BUDGET_MIB=256.
SIZE = int(os.environ.get("NGFF_MEMORY_MIB", "512")) << 20


# A process counts what its parent held when it was forked: so a small one starts the command line.
STARTER = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
sys.exit(done.returncode)
"""


def peak_of(*args):
    """Peak resident bytes of one run of the command line, which must succeed."""
    if not os.access(PLAIN, os.X_OK):
        pytest.fail(f"no plain build at {PLAIN}; run ./dev build", pytrace=False)
    run = subprocess.run([sys.executable, "-S", "-c", STARTER, str(PLAIN), *map(str, args)],
                         capture_output=True, check=False)
    assert run.returncode == 0, run.stderr.decode()
    return int(run.stdout)


@pytest.fixture(scope="module")
def pixels_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("memory") / "pixels.raw"
    block = np.random.default_rng(9).poisson(200, 8 << 20).astype("uint16").tobytes()
    with open(path, "wb") as file:
        for at in range(0, SIZE, len(block)):
            file.write(block[: SIZE - at])
    yield path
    path.unlink()


SHAPES = {
    "a stack": lambda n: (n // (1024 * 1024), 1024, 1024),
    "one plane": lambda n: (16384, n // 16384),
    "a 5-D series": lambda n: (2, 2, n // (4 * 1024 * 1024), 1024, 1024),
}


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("sharded", [False, True])
def test_peak_memory(tmp_path, pixels_file, kind, sharded):
    shape = ",".join(map(str, SHAPES[kind](SIZE // 2)))
    peak = peak_of("convert", pixels_file, tmp_path / "out.zarr", "--shape", shape, "--dtype", "uint16",
                   "--memory-target", BUDGET, "--threads", 4, "--durability", "none", "-q",
                   *(["--chunks-per-shard", 4] if sharded else []))
    print(f"{kind}, sharded {sharded}: {SIZE >> 20} MiB in {BUDGET >> 20} MiB: peak {peak >> 20} MiB")
    assert peak <= ALLOWED, f"{peak >> 20} MiB"


def test_peak_memory_of_a_compressed_stream(tmp_path, pixels_file):
    depth = SIZE // 2 // (1024 * 1024)
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, 1024, 1024, depth, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 512, 16)
    struct.pack_into("<8f", header, 76, 1, 1, 1, 1, 1, 1, 1, 1)
    struct.pack_into("<f", header, 108, 352)
    header[344:348] = b"n+1\0"
    path = tmp_path / "a.nii.gz"
    with gzip.open(path, "wb", compresslevel=1) as out, open(pixels_file, "rb") as file:
        out.write(header)
        while block := file.read(1 << 24):
            out.write(block)
    peak = peak_of("convert", path, tmp_path / "out.zarr", "--memory-target", BUDGET, "--threads", 4,
                   "--durability", "none", "-q")
    print(f"a compressed stream: {SIZE >> 20} MiB in {BUDGET >> 20} MiB: peak {peak >> 20} MiB")
    assert peak <= ALLOWED, f"{peak >> 20} MiB"


def test_a_budget_that_cannot_hold_the_work_is_refused_before_anything_is_written(tmp_path):
    source = tmp_path / "a.raw"
    with open(source, "wb") as file:
        file.truncate(2 << 30)
    run = subprocess.run([str(PLAIN), "convert", str(source), str(tmp_path / "out.zarr"), "--shape",
                          "32768,32768", "--dtype", "uint16", "--chunks", "16384", "--memory-target",
                          "64M"], capture_output=True, check=False)
    assert run.returncode == 7
    assert b"smallest budget" in run.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.raw"]
