"""What several blocks of a Dask array are made of is computed once, whatever the calls of the scheduler."""

import collections
import threading

import numpy as np
import pytest

import ngff
from conftest import need

pytestmark = pytest.mark.parametrize("method", ["itkwasm_bin_shrink", "itkwasm_gaussian"])
SHAPE, CHUNK = (48, 80, 96), 16


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    """A few chunks in each call of the scheduler, so that blocks meet in different calls."""
    monkeypatch.setattr("ngff._ahead.BATCH_BYTES", 4 * CHUNK ** 3 * 2)
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0, 1}, raising=False)


@pytest.fixture
def data():
    return np.random.default_rng(2).integers(0, 60000, SHAPE).astype("u2")


class Loads:
    """A loading function that counts its calls."""

    def __init__(self, data):
        self.data, self.calls, self.lock = data, collections.Counter(), threading.Lock()

    def __call__(self, *region):
        with self.lock:
            self.calls[region] += 1
        return self.data[tuple(slice(a, b) for a, b in region)]

    def block(self, block_info=None):
        return self(*block_info[None]["array-location"])


def written(tmp_path, array, want, method):
    """Writes `array`; level 0 is `want`, and the tree is the one that NumPy pixels make."""
    trees = []
    for name, pixels in (("dask.zarr", array), ("numpy.zarr", want)):
        image = ngff.to_ngff_image(pixels, dims=("z", "y", "x"))
        pyramid = ngff.to_multiscales(image, [2, 4], ngff.Methods(method), chunks=CHUNK)
        ngff.to_ngff_zarr(tmp_path / name, pyramid, version="0.5")
        trees.append({p.relative_to(tmp_path / name): p.read_bytes()
                      for p in (tmp_path / name).rglob("*") if p.is_file()})
    assert trees[0] == trees[1] and len(trees[0]) > 100


def loaded(loads, count):
    assert len(loads.calls) == count and set(loads.calls.values()) == {1}, loads.calls.most_common(3)


def blocks(loads, chunks=CHUNK):
    array = need("dask.array")
    grid = [tuple(min(chunks, n - i) for i in range(0, n, chunks)) for n in SHAPE]
    return array.map_blocks(loads.block, chunks=grid, dtype="u2", meta=np.empty((0,) * 3, "u2"))


def slabs(loads, depth):
    array, dask = need("dask.array"), need("dask")
    parts = []
    for z in range(0, SHAPE[0], depth):
        region = ((z, z + depth), (0, SHAPE[1]), (0, SHAPE[2]))
        parts.append(array.from_delayed(dask.delayed(loads)(*region), (depth, *SHAPE[1:]), "u2"))
    return array.concatenate(parts)


def test_blocks(tmp_path, data, method):
    loads = Loads(data)
    written(tmp_path, blocks(loads), data, method)
    loaded(loads, 3 * 5 * 6)


@pytest.mark.parametrize("depth", [48, 24, 8])
def test_files_cut_into_other_chunks(tmp_path, data, method, depth):
    loads = Loads(data)
    written(tmp_path, slabs(loads, depth).rechunk((CHUNK, CHUNK, CHUNK)), data, method)
    loaded(loads, SHAPE[0] // depth)


def test_planes_one_by_one(tmp_path, data, method):
    array, dask, loads = need("dask.array"), need("dask"), Loads(data)

    def plane(z):
        return loads((z, z + 1), (0, SHAPE[1]), (0, SHAPE[2]))[0]

    stack = array.stack([array.from_delayed(dask.delayed(plane)(z), SHAPE[1:], "u2")
                         for z in range(SHAPE[0])])
    assert stack.chunks[0][0] == 1
    written(tmp_path, stack, data, method)
    loaded(loads, SHAPE[0])


def test_blocks_that_see_their_neighbours(tmp_path, data, method):
    loads = Loads(data)

    def sharpened(block):
        return block + np.roll(block, 1, 0) // 4 - np.roll(block, -1, 2) // 8

    seen = blocks(loads).map_overlap(sharpened, depth=1, boundary="reflect", dtype="u2")
    want = need("dask.array").from_array(data, chunks=CHUNK).map_overlap(
        sharpened, depth=1, boundary="reflect", dtype="u2").compute()
    written(tmp_path, seen, want, method)
    loaded(loads, 3 * 5 * 6)


def test_two_arrays_out_of_one(tmp_path, data, method):
    loads = Loads(data)
    part = blocks(loads)
    written(tmp_path, part // 2 + part[::-1].rechunk(CHUNK) // 4, data // 2 + data[::-1] // 4, method)
    loaded(loads, 3 * 5 * 6)


def test_without_room_it_is_computed_again(tmp_path, monkeypatch, data, method):
    """Honest about it: the same bytes, more calls."""
    from ngff._ahead import Reader

    loads, bound = Loads(data), Reader.bound
    monkeypatch.setattr(Reader, "bound", lambda self, limit: bound(self, 1 << 19))
    written(tmp_path, slabs(loads, 24).rechunk((CHUNK, CHUNK, CHUNK)), data, method)
    assert len(loads.calls) == 2 and max(loads.calls.values()) > 1


def test_nothing_stays(tmp_path, data, method):
    """Every value that is kept is let go when the last of its users has run."""
    from ngff._dask import DaskBlocks

    loads, most = Loads(data), 0
    fetcher = DaskBlocks(slabs(loads, 24).rechunk((CHUNK, CHUNK, CHUNK)), 1 << 30)
    for at in np.ndindex(3, 5, 6):
        (got,) = fetcher.many([None], [at])
        np.testing.assert_array_equal(got, data[tuple(slice(CHUNK * i, CHUNK * (i + 1)) for i in at)])
        most = max(most, fetcher.bytes)
    loaded(loads, 2)
    assert most >= data[:24].nbytes and fetcher.bytes == 0 and not fetcher.kept and not fetcher.flying


def test_who_comes_second_waits(data, method):
    """A task that another thread computes at the moment is not begun again."""
    from ngff._dask import DaskBlocks

    array, dask = need("dask.array"), need("dask")
    begun, go, calls, got = threading.Event(), threading.Event(), [], []

    def load():
        calls.append(1)
        begun.set()
        if len(calls) > 1:
            go.set()
        assert go.wait(60)
        return data

    fetcher = DaskBlocks(array.from_delayed(dask.delayed(load)(), SHAPE, "u2").rechunk(CHUNK), 1 << 30)
    wait = fetcher.state.wait

    def waits():
        go.set()
        return wait()

    fetcher.state.wait = waits
    threads = [threading.Thread(target=lambda n=n: got.append((n, fetcher.many([None], [(0, 0, n)])[0])))
               for n in range(2)]
    threads[0].start()
    assert begun.wait(60)
    threads[1].start()
    [thread.join(60) for thread in threads]
    assert len(calls) == 1
    for n, block in got:
        np.testing.assert_array_equal(block, data[:CHUNK, :CHUNK, n * CHUNK:(n + 1) * CHUNK])


def test_a_failure_is_not_waited_for(tmp_path, data, method):
    """Who waits for a task of another thread computes it itself when that one failed."""
    from ngff._dask import DaskBlocks

    array, dask = need("dask.array"), need("dask")
    left = [1]

    def load():
        if left and left.pop():
            raise LookupError("gone")
        return data

    fetcher = DaskBlocks(array.from_delayed(dask.delayed(load)(), SHAPE, "u2").rechunk(CHUNK), 1 << 30)
    with pytest.raises(LookupError, match="gone"):
        fetcher.many([None], [(0, 0, 0)])
    assert not fetcher.flying
    np.testing.assert_array_equal(fetcher.many([None], [(0, 0, 0)])[0], data[:CHUNK, :CHUNK, :CHUNK])
