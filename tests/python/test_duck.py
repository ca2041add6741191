"""Levels take the calls, operators and indices that Dask arrays take: what scripts for ngff-zarr do with the
arrays that it gives them."""

import subprocess
import sys

import numpy as np
import pytest

import ngff
from conftest import need

CALLS = {
    "mean": lambda x: x.mean(), "max": lambda x: x.max(axis=0), "sum": lambda x: x.sum(axis=(1, 2)),
    "std": lambda x: x.std(), "astype": lambda x: x.astype("float32") * 2, "clip": lambda x: x.clip(5, 90),
    "add": lambda x: x + 1, "radd": lambda x: 1.5 + x, "array": lambda x: np.ones(x.shape, "u1") * x,
    "compare": lambda x: (x > 100).sum(), "equal": lambda x: x == x, "invert": lambda x: ~x,
    "ufunc": lambda x: np.sqrt(x), "reduce": lambda x: np.add.reduce(x, axis=0), "mean of": np.mean,
    "reshape": lambda x: x.reshape((x.shape[0], -1)), "ravel": lambda x: x.ravel(), "T": lambda x: x.T,
    "squeeze": lambda x: x.squeeze(), "both": lambda x: x - x // 2, "any": lambda x: x.any(),
    "list": lambda x: x[[0, 3, 5]], "lists": lambda x: x[[0, 3, -5], :, ::2], "none": lambda x: x[None, 3],
    "mask": lambda x: x[:, np.arange(x.shape[1]) % 3 == 0], "ellipsis": lambda x: x[..., [4, 2]],
    "numpy integers": lambda x: x[np.int64(3), np.uint8(4)], "empty": lambda x: x[[]],
}


@pytest.fixture(params=["planned", "stored", "opened"])
def level(request, tmp_path, pyramid, volume):
    levels = pyramid(volume)
    if request.param == "planned":
        return levels.images[1].data
    ngff.to_ome_zarr(tmp_path / "a.zarr", levels, chunks_per_shard=2)
    if request.param == "opened":
        return ngff.open_array(tmp_path / "a.zarr", "scale1/image")
    return ngff.from_ome_zarr(tmp_path / "a.zarr").images[1].data


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize("call", CALLS)
def test_calls(level, call):
    want, found = CALLS[call](level.compute()), CALLS[call](level)
    found = found.compute() if hasattr(found, "compute") else found
    np.testing.assert_allclose(np.asarray(found), np.asarray(want))
    assert np.asarray(found).dtype == np.asarray(want).dtype


def test_answers_are_lazy(level):
    array = need("dask.array")
    for made in (level + 1, level.astype("f4"), level.mean(), np.sqrt(level), level.map_blocks(np.flip),
                 level.rechunk((5, 8, 8))):
        assert isinstance(made, array.Array)
    assert level.to_dask() is level.to_dask() and level.numblocks == level.to_dask().numblocks


def test_other_names_and_indices(level):
    for name in ("dims", "values", "name", "dask", "setdefault", "bogus", "__dlpack__"):
        assert not hasattr(level, name)
    for key, words in (([999], "out of bounds"), (np.ones(3, bool), "mask of 3|with size 3"), ((0, 0, 0, [1]), "(?i)too many")):
        with pytest.raises(IndexError, match=words):
            level[key]
    mask = level.compute() > 200
    np.testing.assert_array_equal(level[mask].compute() if hasattr(level[mask], "compute") else level[mask],
                                  level.compute()[mask])
    assert {level: 1}[level] == 1


def test_in_place_operators_name_another_array(level):
    before, after = level.compute(), level
    after += 1
    np.testing.assert_array_equal(np.asarray(after), before + 1)
    np.testing.assert_array_equal(level, before)


def test_chunks_are_those_of_dask(tmp_path, pyramid, volume):
    levels = pyramid(volume)
    ngff.to_ome_zarr(tmp_path / "a.zarr", levels)
    for data in (levels.images[1].data, ngff.from_ome_zarr(tmp_path / "a.zarr").images[1].data):
        assert data.chunks == data.to_dask().chunks == ((20,), (32,), (32, 16))
        assert data.chunksize == (20, 32, 32)
    assert ngff.open_array(tmp_path / "a.zarr", "scale1/image").chunks == (20, 32, 32)


def test_dask_takes_levels_as_collections(level):
    dask = need("dask")
    assert dask.is_dask_collection(level)
    found, total = dask.compute(level, level.sum())
    assert isinstance(found, np.ndarray) and total == found.sum()
    assert dask.delayed(type)(level).compute() is np.ndarray
    (kept,) = dask.persist(level)
    np.testing.assert_array_equal(kept.compute(), found)


def test_changed_levels_are_written(tmp_path, pyramid, volume):
    need("dask")
    levels = pyramid(volume)
    levels.images[1].data = 255 - levels.images[1].data
    ngff.to_ome_zarr(tmp_path / "a.zarr", levels)
    back = ngff.from_ome_zarr(tmp_path / "a.zarr")
    np.testing.assert_array_equal(back.images[1].data, 255 - pyramid(volume).images[1].data.compute())
    image = back.images[0]
    image.data = image.data.astype("float32") * 2
    ngff.to_ome_zarr(tmp_path / "b.zarr", ngff.to_multiscales(image, [2], chunks=32))
    np.testing.assert_array_equal(ngff.open_array(tmp_path / "b.zarr"), volume.astype("f4") * 2)


WITHOUT = """
import sys
sys.modules["dask"] = sys.modules["dask.array"] = None
import numpy as np, ngff
level = ngff.to_multiscales(np.arange(64 * 64, dtype="u2").reshape(64, 64), [2]).images[1].data
for made in (level + 1, level.astype("f4"), np.sqrt(level), level.max(axis=0)):
    assert isinstance(made, np.ndarray)
try:
    level.map_blocks(np.flip)
except ImportError as error:
    print(error)
"""


def test_numpy_answers_without_dask():
    made = subprocess.run([sys.executable, "-c", WITHOUT], check=True, capture_output=True, text=True)
    assert made.stdout.strip() == "map_blocks of a level needs the package dask"


@pytest.mark.parametrize("changed", [False, True])
@pytest.mark.parametrize("version", ["0.4", "0.5", "0.6"])
def test_levels_lie_where_flat_metadata_says(tmp_path, pyramid, volume, version, changed):
    levels = pyramid(volume)
    for n, dataset in enumerate(levels.metadata.datasets):
        dataset.path = str(n)
    if changed:
        levels.images[2].data = np.full(levels.images[2].data.shape, 3, "u1")
    ngff.to_ome_zarr(tmp_path / "a.zarr", levels, version=version)
    back = ngff.from_ome_zarr(tmp_path / "a.zarr", validate=True)
    ngff.to_ome_zarr(tmp_path / "b.zarr", back, version=version)
    for store in ("a.zarr", "b.zarr"):
        group = need("zarr").open_group(tmp_path / store, mode="r")
        assert sorted(key for key in group) == ["0", "1", "2"]
        assert [d.path for d in ngff.from_ome_zarr(tmp_path / store).metadata.datasets] == ["0", "1", "2"]
        for n, image in enumerate(levels.images):
            np.testing.assert_array_equal(group[str(n)][...], image.data)


def test_blosc_of_zarr_knows_the_array(tmp_path, pyramid, volume):
    codecs = need("zarr").codecs
    for given, dtype, want in ((codecs.BloscCodec(), "u2", ("shuffle", 2)),
                               (codecs.BloscCodec(), "u1", ("bitshuffle", 1)),
                               (codecs.BloscCodec(shuffle="noshuffle"), "u2", ("noshuffle", 2)),
                               (codecs.BloscCodec(shuffle="bitshuffle", typesize=4), "u2", ("bitshuffle", 4))):
        ngff.to_ome_zarr(tmp_path / "a.zarr", pyramid(volume.astype(dtype)), compressors=given)
        found = need("zarr").open_group(tmp_path / "a.zarr", mode="r")["scale0/image"].compressors[0]
        assert (found.shuffle.value, found.typesize) == want


# ---- what is selected is lazy too -------------------------------------------------------------


def basic_keys(rng, shape):
    """A basic index for an array of that shape."""
    key = []
    for n in shape[:rng.integers(0, len(shape) + 1)]:
        kind = rng.integers(0, 5)
        if kind == 0 and n:
            key.append(int(rng.integers(-n, n)))
        else:
            start, stop = (None if rng.random() < 0.3 else int(v) for v in rng.integers(-n - 2, n + 3, 2))
            step = None if kind < 3 else int(rng.choice([-7, -3, -2, -1, 1, 2, 3, 5]))
            key.append(slice(start, stop, step))
    if len(key) < len(shape) and rng.random() < 0.3:
        key.insert(rng.integers(0, len(key) + 1), Ellipsis)
    return tuple(key)


@pytest.mark.parametrize("seed", range(60))
def test_views(level, seed):
    """Selections of selections, against NumPy and Dask."""
    rng, want, found = np.random.default_rng(seed), level.compute(), level
    dasks = need("dask.array").from_array(want, chunks=[c or n for c, n in zip(level.chunksize, level.shape)])
    for _ in range(3):
        key = basic_keys(rng, want.shape)
        want, found, dasks = want[key], found[key], dasks[key]
        assert found.shape == want.shape and np.asarray(found).dtype == want.dtype
        np.testing.assert_array_equal(np.asarray(found), want)
        if not hasattr(found, "compute"):
            return  # open_array gives NumPy's arrays, as zarr-python does
        assert found.chunks == dasks.chunks or 0 in found.shape
        np.testing.assert_array_equal(found.compute(), want)
        np.testing.assert_array_equal(np.asarray(found.to_dask()), want)


def test_a_view_reads_what_it_selects(monkeypatch, pyramid, volume):
    """Nothing when it is made; its region when it is computed."""
    store = {}
    ngff.to_ome_zarr(store, pyramid(volume))
    level = ngff.from_ome_zarr(store).images[0].data
    asked, read = [], type(level).read_into
    monkeypatch.setattr(type(level), "read_into", lambda self, start, out: (
        asked.append((start, out.shape)), read(self, start, out)))
    part = level[3:7][1, ::-1, 10:20]
    assert not asked and part.shape == (volume.shape[1], 10)
    part.compute()
    assert asked == [((4, 0, 10), (1, volume.shape[1], 10))]


def test_a_step_is_not_read_with_all_it_leaves_out(monkeypatch, pyramid, volume):
    from ngff import _lazy

    monkeypatch.setattr(_lazy, "_SPAN", 1000)
    store = {}
    ngff.to_ome_zarr(store, pyramid(volume))
    level = ngff.from_ome_zarr(store).images[0].data
    sizes, read = [], type(level).read_into
    monkeypatch.setattr(type(level), "read_into", lambda self, start, out: (
        sizes.append(out.nbytes), read(self, start, out)))
    np.testing.assert_array_equal(level[::-3, 1::5, ::9], volume[::-3, 1::5, ::9])
    assert max(sizes) <= 1000


def test_one_element_is_a_number(pyramid, volume):
    store = {}
    ngff.to_ome_zarr(store, pyramid(volume))
    for level in (ngff.from_ome_zarr(store).images[0].data, ngff.to_ngff_image(volume).data):
        one, want = level[1, 2, 3], volume[1, 2, 3]
        assert int(one) == float(one) == one.item() == one.compute() == want and list(range(300))[one] == want
        assert bool(one) == bool(want) and isinstance(one.compute(), np.uint8)
        with pytest.raises(TypeError, match="unsized"):
            len(one)
        with pytest.raises(ValueError, match="ambiguous"):
            bool(level[0])
        with pytest.raises(TypeError):
            [1][level[0]]


@pytest.mark.parametrize("foreign", [False, True])
def test_views_are_written(tmp_path, pyramid, volume, foreign):
    """One channel, a crop, every other plane: images of their own, computed natively."""
    store = {}
    if foreign:
        level = ngff.to_ngff_image(need("zarr").array(volume, chunks=(16, 16, 16)), dims="yxz")
        level = ngff.to_multiscales(level, []).images[0].data
    else:
        ngff.to_ome_zarr(store, pyramid(volume))
        level = ngff.from_ome_zarr(store).images[0].data
    whole = np.asarray(level)
    for key in ((slice(3, 30), slice(None), slice(5, 50)), (slice(None, None, 2),), (7,)):
        made, want = {}, {}
        for out, data in ((made, level[key]), (want, whole[key])):
            image = ngff.to_ngff_image(data, dims="zyx"[-data.ndim:])
            ngff.to_ome_zarr(out, ngff.to_multiscales(image, [2], chunks=16))
        assert {k: bytes(v) for k, v in made.items()} == {k: bytes(v) for k, v in want.items()}


# ---- arrays of the caller ---------------------------------------------------------------------


def test_an_array_is_as_lazy_as_its_levels(volume):
    levels = ngff.to_multiscales(ngff.to_ngff_image(volume, dims="zyx"), [2], chunks=16)
    for n, image in enumerate(levels.images):
        assert image.data.chunksize == (16, 16, 16) and image.data.chunks[0] == (16,) * (2 - n) + (8 - 4 * n,)
        assert image.data[0].compute().shape == image.data.shape[1:]
    data = ngff.to_ngff_image(volume, dims="zyx").data
    np.testing.assert_array_equal(data.compute(), volume)
    assert np.shares_memory(np.asarray(data), volume) and not np.shares_memory(data.compute(), volume)
    assert np.shares_memory(np.asarray(data[3:5, ::2]), volume)
    np.testing.assert_array_equal(data.rechunk(8).mean(axis=0), volume.mean(axis=0))


def test_assigning_to_an_image_leaves_the_array_as_it_is(volume):
    before = volume.copy()
    image = ngff.to_ngff_image(volume, dims="zyx")
    image.data[3:5] = 7
    np.testing.assert_array_equal(volume, before)
    assert (image.data[3:5] == 7).all() and (image.data[5:] == before[5:]).all()
    store = {}
    ngff.to_ome_zarr(store, ngff.to_multiscales(image, [2]))
    np.testing.assert_array_equal(ngff.from_ome_zarr(store).images[0].data, image.data)


def test_a_memory_map_is_still_read_through_its_file(tmp_path, volume):
    from ngff._source import _mapped_file, as_data

    np.save(tmp_path / "a.npy", volume)
    image = ngff.to_ngff_image(np.load(tmp_path / "a.npy", mmap_mode="r"), dims="zyx")
    assert _mapped_file(as_data(ngff.to_multiscales(image, [2]).images[0].data))
