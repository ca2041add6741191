"""Writing by regions from several processes, as others read it; and a kill while levels are added."""

import os
import signal
import subprocess
import time

import numpy as np
import pytest

import documents
import twins
from harness import NGFF, missing, run_ngff
from peers import read_tensorstore, read_zarr_python

SHAPE = (24, 40, 70)
RUNS = 30  # a hundred, with our own reader: tests/unit/api/join.c
PROCESSES = 4


def fill_regions(*args, wait=True):
    program = NGFF.parent / "example_fill_regions"
    if not os.access(program, os.X_OK):
        missing("example program fill_regions: build with NGFF_EXAMPLES=ON")
    if wait:
        return subprocess.run([program, *map(str, args)], check=True, capture_output=True, text=True)
    return subprocess.Popen([program, *map(str, args)], stdout=subprocess.PIPE, text=True)


def expected():
    z, y, x = np.indices(SHAPE)
    return ((z * 37 + y * 11 + x * 5) * 7 + 1).astype("uint16")


@pytest.fixture
def store(tmp_path):
    return tmp_path / "out.ome.zarr"


def fill_from_processes(store, run):
    fill_regions(store, "create")
    crew = [fill_regions(store, "fill", run + 3 * p, wait=False) for p in range(PROCESSES)]
    planes = [int(member.communicate()[0].split()[0]) for member in crew]
    assert [member.returncode for member in crew] == [0] * PROCESSES
    # Each plane of each shard by one of them, none twice.
    assert sum(planes) == 12 * 12
    return planes


def test_four_processes_of_eight_threads_fill_one_sharded_array(store):
    want = expected()
    shared = 0
    for run in range(RUNS):
        shared += max(fill_from_processes(store, run)) < 12 * 12
        level = read_zarr_python(store, ["scale0/image"])[0]
        np.testing.assert_array_equal(level, want)
        if run % 10 == 0:
            np.testing.assert_array_equal(read_tensorstore(store, ["scale0/image"])[0], want)
        assert sorted(os.listdir(store)) == ["scale0", "scale1", "zarr.json"]
        subprocess.run(["rm", "-r", store], check=True)
    assert shared > 0, "never did two processes work at the same time"


def test_levels_of_an_image_written_by_regions(store):
    want = expected()
    fill_from_processes(store, 1)
    fill_regions(store, "levels")
    for read in (read_zarr_python, read_tensorstore):
        levels = read(store, documents.dataset_paths(store))
        np.testing.assert_array_equal(levels[0], want)
        twins.assert_same(levels[1], twins.pyramid(want, "zyx", [{"z": 2, "y": 2, "x": 2}])[1], "gaussian")


def test_a_killed_run_of_levels_leaves_the_kept_ones(tmp_path):
    """SIGKILL at moments spread over the whole run: level 0 is there and is all that is named, or all
    levels are."""
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 4000, (96, 128, 128), "uint16")
    np.save(tmp_path / "in.npy", pixels)
    store = tmp_path / "a.zarr"
    run_ngff("convert", tmp_path / "in.npy", store, "--chunks", 16, "--scale-factors", "2,4,8")
    command = [NGFF, "levels", store, "--scale-factors", "2,4,8", "--progress", "none"]
    begin = time.monotonic()
    subprocess.run(list(map(str, command)), check=True)
    whole = time.monotonic() - begin
    seen = set()
    for step in range(20):
        run = subprocess.Popen(list(map(str, command)))
        time.sleep(whole * step / 20)
        run.send_signal(signal.SIGKILL)
        run.wait()
        paths = documents.dataset_paths(store)
        seen.add(len(paths))
        np.testing.assert_array_equal(read_zarr_python(store, ["scale0/in"])[0], pixels)
        if len(paths) == 4:
            levels = read_zarr_python(store, paths)
            assert [level.shape[2] for level in levels] == [128, 64, 32, 16]
    assert seen <= {1, 4}
    run_ngff("levels", store, "--scale-factors", "2,4,8")
    assert len(documents.dataset_paths(store)) == 4


def test_adding_levels_keeps_what_else_is_there(tmp_path):
    """Foreign attributes, channels, orientation, and a group of labels beside the image."""
    import zarr

    np.save(tmp_path / "in.npy", np.arange(2 * 8 * 32 * 32, dtype="uint16").reshape(2, 8, 32, 32))
    store = tmp_path / "a.zarr"
    run_ngff("convert", tmp_path / "in.npy", store, "--dims", "c,z,y,x", "--chunks", 8,
             "--scale-factors", "none", "--channel-names", "red,green", "--orientation", "LPS",
             "--enable-rfc", 4)
    root = zarr.open_group(store, mode="r+", use_consolidated=False)
    root.attrs["lab"] = {"bench": 7}
    labels = root.create_group("labels").create_array("0", shape=(8, 8), dtype="uint8", chunks=(8, 8))
    labels[:] = 3
    before = documents.multiscale(store)
    run_ngff("levels", store, "--scale-factors", "2,4")
    after = documents.multiscale(store)
    assert after["axes"] == before["axes"] and "orientation" in after["axes"][1]
    assert after["datasets"][0] == before["datasets"][0] and len(after["datasets"]) == 3
    root = zarr.open_group(store, mode="r")
    assert root.attrs["lab"] == {"bench": 7}
    assert [c["label"] for c in root.attrs["ome"]["omero"]["channels"]] == ["red", "green"]
    assert (root["labels/0"][:] == 3).all()
