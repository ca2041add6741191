"""Whole or absent: what a killed or failed conversion leaves behind.

Every run is of the real program: killed at random instants, out of space on a real small file system,
with every kind of writing call made to fail by strace."""

import os
import pathlib
import random
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest

import documents
from harness import NGFF, OUTPUT, missing, run_ngff
from inputs import pixels, save_npy
from peers import read_zarr_python

KILLS = int(os.environ.get("NGFF_KILLS", 12))  # for each form and each situation
FORMS = {
    "0.4": ["--ome-zarr-version", "0.4"],
    "0.5": ["--ome-zarr-version", "0.5"],
    "0.5-sharded": ["--ome-zarr-version", "0.5", "--chunks-per-shard", "2"],
    "0.5-budget": ["--ome-zarr-version", "0.5", "--chunks-per-shard", "2", "--memory-target", "16M"],
}
OPTIONS = ["--dims", "zyx", "--chunks", "16", "--scale-factors", "2,4", "--layout", "flat",
           "--method", "mean", "--threads", "2", "--quiet"]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """The old image and the new one: different pixels, different shapes."""
    work = tmp_path_factory.mktemp("images")
    old = pixels((20, 30, 40), "uint8", seed=1)
    new = pixels((48, 100, 110), "uint16", seed=2)
    return (old, save_npy(work / "old.npy", old)), (new, save_npy(work / "new.npy", new))


def holds(store, image):
    """A complete store whose level 0 is the image and whose levels are all there."""
    paths = documents.dataset_paths(store)
    assert paths == ["0", "1", "2"]
    levels = read_zarr_python(store, paths)
    np.testing.assert_array_equal(levels[0], image)
    assert all(level.any() for level in levels[1:])
    documents.check_consolidated(store)
    return True


def leftovers(folder, store):
    return [p for p in folder.iterdir() if p != store]


def check_leftovers(folder, store):
    """At most one partial output, plainly named; and the empty lock file, when the program was killed
    in the short moments of opening and publishing."""
    left = [p for p in leftovers(folder, store)
            if not (p.name == f".{store.name}.ngff-lock" and p.stat().st_size == 0)]
    assert len(left) <= 1, f"left behind: {left}"
    assert all(p.name.startswith(f".{store.name}.ngff-partial-") for p in left), left


def measured(source, store, options):
    start = time.monotonic()
    run_ngff("convert", source, store, *options)
    return time.monotonic() - start


def start_and_kill(source, store, options, delay):
    run = subprocess.Popen([str(NGFF), "convert", str(source), str(store), *options],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        run.wait(delay)
    except subprocess.TimeoutExpired:
        run.send_signal(signal.SIGKILL)
        run.wait()
    return run.returncode


@pytest.mark.parametrize("overwrite", (False, True), ids=("new", "overwrite"))
@pytest.mark.parametrize("form", FORMS)
def test_killed(tmp_path, images, form, overwrite):
    (old, old_file), (new, new_file) = images
    options = OPTIONS + FORMS[form]
    duration = measured(new_file, tmp_path / "measure", options)
    rng = random.Random(form)
    outcomes = {"old": 0, "new": 0, "nothing": 0}
    for kill in range(KILLS):
        folder = tmp_path / str(kill)
        folder.mkdir()
        store = folder / "out.ome.zarr"
        extra = []
        if overwrite:
            run_ngff("convert", old_file, store, *OPTIONS, "--durability", "none")
            extra = ["--overwrite"]
        start_and_kill(new_file, store, options + extra, rng.uniform(0, 1.1 * duration))
        if not store.exists():
            assert not overwrite, "the old store is gone"
            outcomes["nothing"] += 1
        else:
            is_new = documents.load(store / ("zarr.json" if (store / "zarr.json").exists() else
                                             ".zattrs")) and shape_of(store) == new.shape
            assert holds(store, new if is_new else old)
            outcomes["new" if is_new else "old"] += 1
        check_leftovers(folder, store)
        # The next run of the same output clears up and succeeds.
        run_ngff("convert", new_file, store, *options, "--overwrite", "--durability", "none")
        assert holds(store, new) and leftovers(folder, store) == []
        shutil.rmtree(folder)
    print(f"{form}: {outcomes}")


def shape_of(store):
    document = "zarr.json" if (store / "0" / "zarr.json").exists() else ".zarray"
    return tuple(documents.load(store / "0" / document)["shape"])


# ---- no space -----------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """Mounts a file system of a given size (needs root); unmounted at the end."""
    mounted = []

    def mount(size):
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)],
                              capture_output=True, check=False)
        if done.returncode != 0:
            pytest.xfail("mounting a small file system is not allowed here: not tested")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=False)


@pytest.mark.parametrize("form", FORMS)
def test_no_space(small_disk, images, form):
    (old, old_file), (_, new_file) = images
    for size in ("160k", "400k", "700k"):
        disk = small_disk(size)
        store = disk / "out.ome.zarr"
        refused = run_ngff("convert", new_file, store, *OPTIONS, *FORMS[form], expect=OUTPUT)
        assert "ENOSPC" in refused.err or "space" in refused.err, refused
        assert list(disk.iterdir()) == [], f"left behind: {list(disk.iterdir())}"
    disk = small_disk("700k")
    store = disk / "out.ome.zarr"
    run_ngff("convert", old_file, store, *OPTIONS)
    run_ngff("convert", new_file, store, *OPTIONS, *FORMS[form], "--overwrite", expect=OUTPUT)
    assert holds(store, old) and leftovers(disk, store) == []


# ---- calls that fail ----------------------------------------------------------------------------

# What the program asks of the operating system on its way to a published store.
CALLS = ("pwrite64", "write", "openat", "mkdir,mkdirat", "renameat2", "fsync,fdatasync,syncfs", "ftruncate",
         "pread64")


def strace_works():
    strace = shutil.which("strace")
    if not strace:
        return False
    done = subprocess.run([strace, "-f", "-o", "/dev/null", "true"], capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.parametrize("call", CALLS)
def test_every_kind_of_call_fails(tmp_path, images, call):
    """The n-th call fails, for some n: an error and nothing published, or success and all of it."""
    if not strace_works():
        missing("strace cannot trace here")
    (_, _), (new, new_file) = images
    failures = 0
    for nth in (1, 2, 3, 5, 9, 17, 33, 65):
        folder = tmp_path / str(nth)
        folder.mkdir()
        store = folder / "out.ome.zarr"
        command = ["strace", "-f", "-o", str(tmp_path / "trace"), "-e", f"trace={call}",
                   "-e", f"inject={call}:error=EIO:when={nth}", str(NGFF), "convert", str(new_file),
                   str(store), *OPTIONS, *FORMS["0.5-sharded"]]
        # A leak check traces its own process, which two tracers cannot do at once.
        done = subprocess.run(command, capture_output=True, check=False, timeout=120,
                              env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0:exitcode=99"})
        assert done.returncode >= 0 and done.returncode not in (98, 99), done.stderr.decode()
        if done.returncode == 0:
            assert holds(store, new)
        else:
            failures += 1
            # The loader of a program that cannot read its libraries speaks for itself.
            if not done.stderr.startswith(b"ngff:"):
                assert call in ("openat", "pread64", "write"), done.stderr.decode()
            # What fails after the publishing rename cannot be taken back, and says so.
            assert not store.exists() or (b"written, but" in done.stderr and holds(store, new))
        check_leftovers(folder, store)
        shutil.rmtree(folder)
    print(f"{call}: {failures} failures")
