"""One image from many processes, and levels added to an image that exists."""

import os
import pathlib
import pickle
import signal
import subprocess
import sys

import numpy as np
import pytest

import ngff
from conftest import need


def contents(root):
    root = pathlib.Path(root)
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.fixture
def levels(pyramid, volume):
    volume[20:30] = 0  # shards and chunks that are not stored
    return pyramid(volume, chunks=16)


@pytest.mark.parametrize("options", [{"version": "0.4"}, {"version": "0.5"},
                                     {"version": "0.5", "chunks_per_shard": 2},
                                     {"version": "0.5", "chunks_per_shard": (1, 2, 3), "enabled_rfcs": [4]}])
def test_partitions_make_the_same_store(tmp_path, levels, options):
    ngff.to_ngff_zarr(tmp_path / "a.zarr", levels, **options)
    plan = ngff.plan_write(tmp_path / "b.zarr", levels, **options)
    assert not (tmp_path / "b.zarr").exists()
    data = levels.images[0].data
    for number in reversed(range(len(plan.partitions))):
        plan.write(number, data[plan.region(number)])
    plan.finalize()
    assert contents(tmp_path / "a.zarr") == contents(tmp_path / "b.zarr")
    assert sorted(os.listdir(tmp_path)) == ["a.zarr", "b.zarr"]


def small_partitions(plan, data):
    """The same plan in partitions of one or two shards."""
    from dataclasses import replace

    from ngff._parts import _cut

    extents = [u * (2 if axis == 0 else 1) for axis, u in enumerate(plan.unit)]
    return replace(plan, partitions=list(_cut(data.shape, extents)))


def test_processes_write_partitions_twice(tmp_path, levels):
    """Each partition is written by two processes at the same time; the plan travels as a pickle."""
    data = levels.images[0].data
    ngff.to_ngff_zarr(tmp_path / "a.zarr", levels, version="0.5", chunks_per_shard=2)
    plan = ngff.plan_write(tmp_path / "b.zarr", levels, chunks_per_shard=2)
    plan = small_partitions(plan, data)
    assert len(plan.partitions) > 4
    np.save(tmp_path / "data.npy", data)
    (tmp_path / "plan").write_bytes(pickle.dumps(plan))
    code = ("import pickle, sys, numpy; plan = pickle.load(open('plan', 'rb')); data = numpy.load('data.npy')\n"
            "for n in range(len(plan.partitions)): plan.write(n, data[plan.region(n)])")
    runs = [subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path) for _ in range(2)]
    assert [run.wait(300) for run in runs] == [0, 0]
    plan.finalize()
    assert contents(tmp_path / "a.zarr") == contents(tmp_path / "b.zarr")


def test_partition_killed_half_way(tmp_path, levels):
    """A process dies inside a partition; another writes it again."""
    data = levels.images[0].data
    ngff.to_ngff_zarr(tmp_path / "a.zarr", levels, version="0.5", chunks_per_shard=2)
    plan = ngff.plan_write(tmp_path / "b.zarr", levels, chunks_per_shard=2)
    (tmp_path / "plan").write_bytes(pickle.dumps(plan))
    np.save(tmp_path / "data.npy", data)
    code = ("import os, pickle, signal, numpy; from ngff import _core\n"
            "from ngff._config import context\n"
            "plan = pickle.load(open('plan', 'rb')); data = numpy.load('data.npy')\n"
            "store = _core.open_store(context(), plan.root, 2, 0, 0)\n"
            "writer = _core.join_writer(context(), store)\n"
            "writer.write_region(0, (0, 0, 0), 'uint8', data[:32, :32, :32])\n"  # one whole shard
            "writer.write_region(0, (0, 32, 0), 'uint8', data[:16, 32:48, :32])\n"  # a part of one
            "os.kill(os.getpid(), signal.SIGKILL)")
    killed = subprocess.run([sys.executable, "-c", code], cwd=tmp_path)
    assert killed.returncode == -signal.SIGKILL
    for number in range(len(plan.partitions)):
        plan.write(number, data[plan.region(number)])
    plan.finalize()
    assert contents(tmp_path / "a.zarr") == contents(tmp_path / "b.zarr")


def test_plan_refuses_before_anything_is_written(tmp_path, levels):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError):
        ngff.plan_write(tmp_path, levels)
    with pytest.raises(ValueError, match="into a directory"):
        ngff.plan_write({}, levels)
    plan = ngff.plan_write(tmp_path / "b.zarr", levels)
    with pytest.raises(ValueError, match="has shape"):
        plan.write(0, np.zeros((1, 1, 1), "u1"))
    plan.abandon()
    assert os.listdir(tmp_path) == ["notes.txt"]


# ---- a cluster ----------------------------------------------------------------------------------


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    distributed = need("distributed")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(p for p in sys.path if p))
    with distributed.LocalCluster(n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None,
                                  host="127.0.0.1", local_directory=str(tmp_path / "scratch")) as made:
        with distributed.Client(made) as client:
            yield client


def test_cluster_writes_the_same_store(tmp_path, levels, cluster):
    array = need("dask.array")
    data = np.asarray(levels.images[0].data)
    ngff.to_ngff_zarr(tmp_path / "a.zarr", levels, version="0.5", chunks_per_shard=2)
    levels.images[0].data = array.from_array(data, chunks=(16, 32, 48))
    lazy = ngff.to_multiscales(levels.images[0], scale_factors=[2, 4], chunks=16)
    seen = []
    ngff.to_ngff_zarr(tmp_path / "b.zarr", lazy, version="0.5", chunks_per_shard=2,
                      progress=lambda done, total: seen.append((done, total)))
    assert contents(tmp_path / "a.zarr") == contents(tmp_path / "b.zarr")
    assert seen[-1][0] == seen[-1][1]


def _slow_or_fatal(block, mark, block_info=None):
    """The first worker that comes to the last block dies there."""
    import os
    import time

    time.sleep(0.05)
    if block_info[0]["chunk-location"][0] == 2 and not os.path.exists(mark):
        with open(mark, "w") as file:
            file.write(str(os.getpid()))
        os.kill(os.getpid(), 9)
    return block


def test_cluster_with_a_worker_killed_half_way(tmp_path, levels, cluster, monkeypatch):
    import ngff._parts

    array = need("dask.array")
    data = np.asarray(levels.images[0].data)
    ngff.to_ngff_zarr(tmp_path / "a.zarr", levels, version="0.5", chunks_per_shard=1)
    source = array.from_array(data, chunks=(16, 16, 16)).map_blocks(
        _slow_or_fatal, str(tmp_path / "mark"), dtype=data.dtype)
    monkeypatch.setattr(ngff._parts, "_PART_BYTES", 1 << 15)
    lazy = ngff.to_multiscales(ngff.to_ngff_image(source), scale_factors=[2, 4], chunks=16)
    ngff.to_ngff_zarr(tmp_path / "b.zarr", lazy, version="0.5", chunks_per_shard=1)
    assert (tmp_path / "mark").exists()
    assert contents(tmp_path / "a.zarr") == contents(tmp_path / "b.zarr")


def test_cluster_failure_leaves_nothing(tmp_path, levels, cluster):
    array = need("dask.array")

    def fail(block):
        raise LookupError("no such plane")

    ngff.to_ngff_zarr(tmp_path / "b.zarr", levels)
    before = contents(tmp_path / "b.zarr")
    source = array.zeros((64, 64), chunks=32, dtype="u1").map_blocks(fail, dtype="u1", meta=np.zeros(0, "u1"))
    lazy = ngff.to_multiscales(ngff.to_ngff_image(source), scale_factors=[2], chunks=32)
    with pytest.raises(LookupError, match="no such plane"):
        ngff.to_ngff_zarr(tmp_path / "b.zarr", lazy)
    assert contents(tmp_path / "b.zarr") == before
    assert set(os.listdir(tmp_path)) <= {"b.zarr", "scratch"}


# ---- start_level --------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("start", [1, 2])
def test_start_level_adds_what_is_missing(tmp_path, pyramid, volume, version, start):
    ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(volume), version=version)
    fewer = pyramid(volume, factors=[2, 4][:start - 1])
    ngff.to_ngff_zarr(tmp_path / "b.zarr", fewer, version=version)
    kept = {k: v for k, v in contents(tmp_path / "b.zarr").items() if k.startswith("scale0/")}
    ngff.to_ngff_zarr(tmp_path / "b.zarr", pyramid(volume), version=version, overwrite=False,
                      start_level=start)
    after = contents(tmp_path / "b.zarr")
    assert after == contents(tmp_path / "a.zarr")
    assert kept == {k: v for k, v in after.items() if k in kept}


def test_start_level_after_somebody_else_filled_level_0(tmp_path, pyramid, volume):
    zarr = need("zarr")
    ngff.to_ome_zarr(tmp_path / "a.zarr", pyramid(volume), metadata_only=True)
    zarr.open_array(str(tmp_path / "a.zarr/scale0/image"), mode="r+")[...] = volume
    ngff.to_ome_zarr(tmp_path / "a.zarr", pyramid(volume), overwrite=False, start_level=1)
    back = ngff.from_ngff_zarr(tmp_path / "a.zarr", validate=True)
    for stored, image in zip(back.images, pyramid(volume).images, strict=True):
        np.testing.assert_array_equal(np.asarray(stored.data), np.asarray(image.data))


def test_start_level_says_no(tmp_path, pyramid, volume):
    ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(volume), version="0.5")
    before = contents(tmp_path / "a.zarr")
    for options, words in (({"start_level": 3}, "expected 0 to 2"), ({"start_level": -1}, "expected 0 to 2"),
                           ({"start_level": 1, "overwrite": True}, "overwrite=False"),
                           ({"start_level": 1, "version": "0.4"}, "version 0.4 asked for")):
        with pytest.raises(ValueError, match=words):
            ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(volume),
                              **{"version": "0.5", "overwrite": False, **options})
    with pytest.raises(ValueError):
        ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(volume[:, :32]), version="0.5", overwrite=False,
                          start_level=1)
    with pytest.raises(ValueError, match="start_level is not for an .ozx"):
        ngff.to_ngff_zarr(tmp_path / "a.ozx", pyramid(volume), overwrite=False, start_level=1)
    with pytest.raises(ValueError, match="metadata_only is not for an .ozx"):
        ngff.to_ngff_zarr(tmp_path / "a.ozx", pyramid(volume), metadata_only=True)
    assert contents(tmp_path / "a.zarr") == before


def test_metadata_only_reads_nothing(tmp_path, pyramid):
    class Unread:
        shape, dtype, ndim = (1 << 14, 1 << 14, 1 << 14), np.dtype("u2"), 3

        def __getitem__(self, key):
            raise AssertionError("a pixel was read")

    ngff.to_ome_zarr(tmp_path / "a.zarr", pyramid(Unread(), chunks=64), metadata_only=True)
    back = ngff.from_ome_zarr(tmp_path / "a.zarr")
    assert [image.data.shape[0] for image in back.images] == [1 << 14, 1 << 13, 1 << 12]


# ---- filling, attributes, windows ---------------------------------------------------------------


def test_open_array_is_filled_shard_by_shard(tmp_path, pyramid, volume):
    ngff.to_ome_zarr(tmp_path / "a.zarr", pyramid(volume, chunks=16), metadata_only=True, chunks_per_shard=2)
    level = ngff.open_array(tmp_path / "a.zarr", "scale0/image")
    for z in range(0, 40, 32):
        level[z:z + 32, :32] = volume[z:z + 32, :32]
        level[z:z + 32, 32:] = volume[z:z + 32, 32:]
    np.testing.assert_array_equal(level[:], volume)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_root_attributes_of_a_mapping(pyramid, volume, version):
    store = {}
    ngff.to_ngff_zarr(store, pyramid(volume), version=version)
    before = set(store)
    ngff.update_root_attributes(store, {"run": {"n": 1}})
    ngff.update_root_attributes(store, {"by": "me"})
    back = ngff.from_ngff_zarr(store, validate=True)
    assert back.root_attributes == {"run": {"n": 1}, "by": "me"} and set(store) == before
    with pytest.raises(ValueError, match="belong to OME-Zarr"):
        ngff.update_root_attributes(store, {"omero": {}})


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2"])
def test_windows_are_numpys_quantiles(monkeypatch, dtype):
    import ngff._omero

    monkeypatch.setattr(ngff._omero, "_SLAB", 500)
    info = np.iinfo(dtype)
    data = np.random.default_rng(3).integers(info.min, info.max, (2, 9, 31, 17), endpoint=True).astype(dtype)
    data[1] //= 7
    image = ngff.to_ngff_image(data, dims=("c", "z", "y", "x"))
    for quantiles in ((0.02, 0.98), (0, 1), (0.5, 0.501)):
        found = ngff.compute_omero_from_ngff_image(image, quantiles)
        for plane, channel in zip(data, found.channels):
            window = channel.window
            want = [plane.min(), plane.max(), *np.quantile(plane, quantiles)]
            np.testing.assert_allclose([window.min, window.max, window.start, window.end], want)


def test_a_finished_directory_takes_the_old_ones_name_in_one_step(tmp_path, levels, monkeypatch):
    """Were it renamed away first, a kill between two renames would leave nothing under the name."""
    from ngff import _staged

    out = tmp_path / "out.zarr"
    ngff.to_ngff_zarr(out, levels, version="0.5")
    plan = ngff.plan_write(out, levels)
    for n, region in enumerate(plan.partitions):
        plan.write(n, np.asarray(levels.images[0].data)[plan.region(n)])
    monkeypatch.setattr(_staged.os, "rename", lambda *names: pytest.fail(f"renamed {names}"))
    plan.finalize()
    assert sorted(os.listdir(tmp_path)) == ["out.zarr"]
    np.testing.assert_array_equal(ngff.from_ngff_zarr(out).images[0].data, levels.images[0].data)


def test_put_directory(tmp_path):
    from ngff import _core

    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    a, b, c = (str(tmp_path / name) for name in "abc")
    with pytest.raises(FileExistsError):
        _core.put_directory(a, b, False)
    assert _core.put_directory(a, b, True) is True
    assert os.listdir(a) == ["b"] and os.listdir(b) == ["a"]
    assert _core.put_directory(a, c, True) is False
    assert os.listdir(c) == ["b"] and not os.path.exists(a)
    with pytest.raises(ValueError, match="is no directory"):
        _core.put_directory(a, c, True)
