"""What scripts hand around: pickled and copied levels, forked processes, pools."""

import copy
import multiprocessing
import pathlib
import pickle
import subprocess
import sys

import numpy as np
import pytest

import ngff
from conftest import need


@pytest.mark.parametrize("again", [lambda x: pickle.loads(pickle.dumps(x)), copy.deepcopy, copy.copy])
def test_stored_levels(tmp_path, pyramid, volume, again):
    chunks = {}
    ngff.to_ome_zarr(tmp_path / "a.zarr", pyramid(volume), chunks_per_shard=2)
    ngff.to_ome_zarr(tmp_path / "a.ozx", pyramid(volume))
    ngff.to_ome_zarr(tmp_path / "m.zarr", pyramid(volume), chunk_store=chunks)
    for read in (lambda: ngff.from_ome_zarr(tmp_path / "a.zarr"), lambda: ngff.from_ome_zarr(tmp_path / "a.ozx"),
                 lambda: ngff.from_ome_zarr(tmp_path / "m.zarr", chunk_store=chunks)):
        first, made = read(), again(read())
        assert made.metadata == first.metadata
        for one, other in zip(first.images, made.images, strict=True):
            np.testing.assert_array_equal(one.data, other.data)
    for path in ("a.zarr", "a.ozx"):  # indexed at once, as before
        assert isinstance(again(ngff.open_array(tmp_path / path, "scale1/image"))[3], np.ndarray)
    level = again(ngff.open_array(tmp_path / "a.zarr", "scale1/image"))
    level[3] = 7
    assert (ngff.open_array(tmp_path / "a.zarr", "scale1/image")[3] == 7).all()


@pytest.mark.parametrize("again", [lambda x: pickle.loads(pickle.dumps(x)), copy.deepcopy, copy.copy])
@pytest.mark.parametrize("changed", [False, True])
def test_planned_levels(tmp_path, pyramid, volume, again, changed):
    levels = pyramid(volume)
    if changed:
        levels.images[1].data = np.full(levels.images[1].data.shape, 9, "u1")
    made = again(levels)
    assert [image.data.shape for image in made.images] == [image.data.shape for image in levels.images]
    stores = {}, {}
    for store, image in zip(stores, (levels, made)):
        ngff.to_ome_zarr(store, image)
    assert {k: bytes(v) for k, v in stores[0].items()} == {k: bytes(v) for k, v in stores[1].items()}
    np.testing.assert_array_equal(made.images[2].data, levels.images[2].data)
    from ngff._write import Job

    assert Job({}, made, "0.5", None, {}).generated() is not changed  # still computed on the way


def total(level, n):
    return int(level[n].sum())


def write(path, data):
    ngff.to_ome_zarr(path, ngff.to_multiscales(data, [2], chunks=32))
    return ngff.open_array(path)[3].sum()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_pools(tmp_path, volume, method):
    """Of a process of its own: this one has threads and signal handlers of peers, which a fork keeps."""
    np.save(tmp_path / "volume.npy", volume)
    # CPython 3.12 warns of threads and fork.
    subprocess.run([sys.executable, "-W", "ignore::DeprecationWarning", __file__, method, tmp_path], check=True,
                   timeout=300)


def pools(method, directory):
    """A parent that has used the library already, and with it threads."""
    volume = np.load(directory / "volume.npy")
    ngff.to_ome_zarr(directory / "a.zarr", ngff.to_multiscales(volume, [2], chunks=32), chunks_per_shard=2)
    level = ngff.from_ome_zarr(directory / "a.zarr").images[0].data
    np.testing.assert_array_equal(level, volume)
    assert level.sum() == volume.sum()  # with Dask's pool, where there is one
    with multiprocessing.get_context(method).Pool(2) as pool:
        sums = pool.starmap_async(total, [(level, n) for n in range(6)])
        written = pool.starmap_async(write, [(directory / f"{n}.zarr", volume) for n in range(4)])
        assert sums.get(120) == [int(volume[n].sum()) for n in range(6)]
        assert written.get(120) == [volume[3].sum()] * 4
    np.testing.assert_array_equal(level, volume)


def test_dask_with_processes(tmp_path, pyramid, volume):
    need("dask")
    ngff.to_ome_zarr(tmp_path / "a.zarr", pyramid(volume))
    for levels in (ngff.from_ome_zarr(tmp_path / "a.zarr"), pyramid(volume)):
        array = levels.to_dask().images[1].data
        want = np.asarray(levels.images[1].data)
        assert int(array.sum().compute(scheduler="processes", num_workers=2)) == int(want.sum())


if __name__ == "__main__":
    pools(sys.argv[1], pathlib.Path(sys.argv[2]))
