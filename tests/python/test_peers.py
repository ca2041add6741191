"""ngff-zarr beside this package: the same calls, pixels compared, each reading the other."""

import numpy as np
import pytest

import ngff
from conftest import need

theirs = need("ngff_zarr")


@pytest.mark.parametrize("name,version", [("a.zarr", "0.4"), ("b.zarr", "0.5"), ("c.ozx", "0.5")])
def test_they_read_ours(tmp_path, pyramid, volume, name, version):
    levels = pyramid(volume)
    ngff.to_ngff_zarr(tmp_path / name, levels, version=version)
    back = theirs.from_ngff_zarr(str(tmp_path / name), validate=True)
    for ours, other in zip(levels.images, back.images, strict=True):
        np.testing.assert_array_equal(np.asarray(ours.data), other.data.compute())
        assert ours.scale == other.scale and ours.translation == other.translation


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_we_read_theirs(tmp_path, volume, version):
    levels = theirs.to_multiscales(theirs.to_ngff_image(volume), scale_factors=[2], chunks=32)
    theirs.to_ngff_zarr(str(tmp_path / "a.zarr"), levels, version=version)
    back = ngff.from_ngff_zarr(tmp_path / "a.zarr", validate=True)
    for other, ours in zip(levels.images, back.images, strict=True):
        np.testing.assert_array_equal(np.asarray(ours.data), other.data.compute())
        assert ours.scale == other.scale and ours.translation == other.translation


@pytest.mark.parametrize("dtype", ["u1", "u2", "i4", "f4"])
@pytest.mark.parametrize("shape", [(33, 50, 62), (70, 81)])
def test_bin_shrink_is_the_same(dtype, shape):
    rng = np.random.default_rng(3)
    data = (rng.normal(0, 100, shape) if dtype == "f4" else rng.integers(0, 100, shape)).astype(dtype)
    pair = [module.to_multiscales(module.to_ngff_image(data), scale_factors=[2, 4], chunks=32,
                                  method=module.Methods.ITKWASM_BIN_SHRINK)
            for module in (theirs, ngff)]
    for other, ours in zip(*(levels.images for levels in pair), strict=True):
        want, have = np.asarray(other.data), np.asarray(ours.data)
        assert (want.shape, want.dtype) == (have.shape, have.dtype)
        if dtype == "f4":
            np.testing.assert_allclose(have, want, rtol=1e-6, atol=1e-5)
        else:
            np.testing.assert_array_equal(have, want)
        assert other.scale == ours.scale and other.translation == ours.translation


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_gaussian_is_the_same(dtype):
    data = (np.random.default_rng(4).random((40, 64, 96)) * 200).astype(dtype)
    pair = [module.to_multiscales(module.to_ngff_image(data), scale_factors=[2, 4], chunks=32)
            for module in (theirs, ngff)]
    for other, ours in zip(*(levels.images[1:] for levels in pair), strict=True):
        want, have = np.asarray(other.data).astype("f8"), np.asarray(ours.data).astype("f8")
        if dtype == "f4":
            np.testing.assert_allclose(have, want, rtol=2e-6)
        else:
            assert abs(have - want).max() <= 1 and (have != want).mean() <= 0.005


def test_their_objects_in_our_writer(tmp_path, pyramid, volume):
    image = theirs.to_ngff_image(volume, scale={"z": 2.0, "y": 0.5, "x": 0.5}, name="brain",
                                 axes_units=dict.fromkeys("zyx", "micrometer"))
    levels = theirs.to_multiscales(image, scale_factors=[2, 4], chunks=32)
    before = repr(levels)
    ngff.to_ngff_zarr(tmp_path / "a.zarr", levels, version="0.5")
    assert repr(levels) == before
    back = ngff.from_ngff_zarr(tmp_path / "a.zarr")
    assert back.metadata.datasets[1].path == "scale1/brain"
    assert back.images[0].scale == image.scale and back.images[0].axes_units == image.axes_units
    np.testing.assert_array_equal(np.asarray(back.images[1].data), np.asarray(pyramid(volume).images[1].data))


def test_their_changed_level_in_our_writer(tmp_path, volume):
    array = need("dask.array")
    levels = theirs.to_multiscales(theirs.to_ngff_image(volume), scale_factors=[2, 4], chunks=32)
    levels.images[2].data = array.full(levels.images[2].data.shape, 3, dtype="u1", chunks=16)
    ngff.to_ngff_zarr(tmp_path / "a.zarr", levels)
    back = ngff.from_ngff_zarr(tmp_path / "a.zarr")
    assert (np.asarray(back.images[2].data) == 3).all()
    np.testing.assert_array_equal(np.asarray(back.images[1].data), levels.images[1].data.compute())


def test_our_levels_in_their_writer(tmp_path, pyramid, volume):
    levels = pyramid(volume)
    theirs.to_ngff_zarr(str(tmp_path / "a.zarr"), levels.to_dask(), version="0.5")
    back = ngff.from_ngff_zarr(tmp_path / "a.zarr")
    for ours, stored in zip(levels.images, back.images, strict=True):
        np.testing.assert_array_equal(np.asarray(stored.data), np.asarray(ours.data))
