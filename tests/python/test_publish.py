"""Directories that were made beside the destination take its name in one step."""

import os
import threading

import numpy as np
import pytest

import ngff
from ngff import _core
from ngff._staged import publish_directory


def store(path, pyramid, volume, value):
    ngff.to_ngff_zarr(path, pyramid(volume * 0 + value), version="0.5")
    return path


def mean_of(path):
    return float(ngff.from_ngff_zarr(path).images[0].data[:2, :2, :2].mean())


@pytest.fixture
def two(tmp_path, pyramid, volume):
    return (str(store(tmp_path / "new.zarr", pyramid, volume, 2)),
            str(store(tmp_path / "a.zarr", pyramid, volume, 1)))


def test_the_old_store_is_exchanged(two, monkeypatch):
    new, path = two
    monkeypatch.setattr(os, "rename", None)  # two renames have a moment between them
    publish_directory(new, path, True)
    assert mean_of(path) == 2 and not os.path.exists(new)


def test_a_new_name(two, tmp_path):
    new, path = two
    publish_directory(new, str(tmp_path / "b.zarr"), True)
    assert mean_of(tmp_path / "b.zarr") == 2 and mean_of(path) == 1 and not os.path.exists(new)


def test_without_overwrite_nothing_changes(two):
    new, path = two
    with pytest.raises(FileExistsError):
        publish_directory(new, path, False)
    with pytest.raises(FileExistsError):
        _core.put_directory(new, path, False)
    assert mean_of(path) == 1 and mean_of(new) == 2


def test_what_cannot_be_put(tmp_path, two):
    with pytest.raises(ValueError, match="is no directory"):
        _core.put_directory(str(tmp_path / "none"), two[1], True)
    with pytest.raises(FileNotFoundError):
        _core.put_directory(two[0], str(tmp_path / "none" / "a.zarr"), True)
    assert mean_of(two[0]) == 2 and mean_of(two[1]) == 1


def test_file_systems_that_cannot_exchange(two, monkeypatch):
    def cannot(*args):
        raise ngff._errors.UnsupportedError("not here")

    monkeypatch.setattr(_core, "put_directory", cannot)
    new, path = two
    publish_directory(new, path, True)
    assert mean_of(path) == 2 and not os.path.exists(new) and not os.path.exists(new + ".old")


def test_finalize_never_leaves_the_name_empty(tmp_path, pyramid, volume):
    path, missing, end = store(tmp_path / "a.zarr", pyramid, volume, 1), [], threading.Event()

    def watch():
        while not end.is_set():
            if not (path / "zarr.json").exists():
                missing.append(1)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for value in range(2, 6):
            plan = ngff.plan_write(path, pyramid(volume * 0 + value))
            for number in range(len(plan.partitions)):
                plan.write(number, (volume * 0 + value)[plan.region(number)])
            plan.finalize()
    finally:
        end.set()
        watcher.join()
    assert not missing and mean_of(path) == 5
    assert os.listdir(tmp_path) == ["a.zarr"]


def test_what_a_killed_writer_staged_is_removed_by_the_next(tmp_path):
    """Of the same destination only, and not what somebody alive is at work in."""
    import fcntl

    dead, alive, other = (tmp_path / f".ngff-stage-{name}" for name in ("a.zarr-dead", "a.zarr-live", "b.zarr-dead"))
    for stage in (dead, alive, other):
        (stage / "whole").mkdir(parents=True)
    handle = os.open(alive, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        ngff.to_ome_zarr(tmp_path / "a.zarr", ngff.to_multiscales(np.zeros((8, 8), "u1"), [2]), metadata_only=True)
    finally:
        os.close(handle)
    assert sorted(os.listdir(tmp_path)) == sorted(["a.zarr", alive.name, other.name])
