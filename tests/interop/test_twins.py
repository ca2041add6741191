"""The twins against ngff-zarr: pixels.md 4-6 and 13 as far as the peer follows them."""

import numpy as np
import pytest
import twins

ngff_zarr = pytest.importorskip("ngff_zarr")

RANDOM = np.random.default_rng(20240607)


def peer(data, dims, factors, method):
    image = ngff_zarr.to_ngff_image(data, dims=list(dims))
    made = ngff_zarr.to_multiscales(
        image, scale_factors=factors, method=ngff_zarr.Methods(method), cache=False
    )
    return [np.asarray(i.data) for i in made.images]


def noise(shape, dtype):
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return RANDOM.normal(100, 30, shape).astype(dtype)
    info = np.iinfo(dtype)
    return RANDOM.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16"])
@pytest.mark.parametrize("factor", [2, 3, 4])
def test_gaussian_integers(dtype, factor):
    data = noise((25, 62, 67), dtype)
    theirs = peer(data, "zyx", [factor], "itkwasm_gaussian")[1]
    ours = twins.pyramid(data, "zyx", [factor], "gaussian")[1]
    away = np.abs(ours.astype(int) - theirs.astype(int))
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    assert away.max() <= 1
    assert np.mean(away > 0) <= 0.005


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape, factor", [((25, 62, 67), 2), ((123, 130), 3), ((123, 130), 4)])
def test_gaussian_floats(dtype, shape, factor):
    data = noise(shape, dtype)
    dims = "zyx"[-len(shape) :]
    theirs = peer(data, dims, [factor], "itkwasm_gaussian")[1]
    ours = twins.pyramid(data, dims, [factor], "gaussian")[1]
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "int32", "uint64", "float32"])
@pytest.mark.parametrize("factor", [2, 3, 4])
def test_bin_shrink(dtype, factor):
    data = noise((13, 37, 29), dtype)
    theirs = peer(data, "zyx", [factor], "dask_bin_shrink")[1]
    ours = twins.pyramid(data, "zyx", [factor], "mean")[1]
    np.testing.assert_array_equal(ours, theirs)
    if dtype in ("uint8", "int16"):
        wasm = peer(data, "zyx", [factor], "itkwasm_bin_shrink")[1]
        np.testing.assert_array_equal(ours, wasm)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "uint64"])
@pytest.mark.parametrize("values", [3, 6])
def test_mode(dtype, values):
    data = RANDOM.integers(0, values, (12, 34, 31)).astype(dtype)
    ours = twins.pyramid(data, "zyx", [2], "mode")[1]
    np.testing.assert_array_equal(ours, peer(data, "zyx", [2], "dask_image_mode")[1])
    if dtype == "uint8":
        np.testing.assert_array_equal(ours, peer(data, "zyx", [2], "itkwasm_label_image")[1])


def test_several_levels():
    data = noise((61, 61), "uint16")
    theirs = peer(data, "yx", [2, 4, 16], "itkwasm_bin_shrink")
    ours = twins.pyramid(data, "yx", [2, 4, 16], "bin_shrink")
    assert [a.shape for a in ours] == [a.shape for a in theirs] == [(61, 61), (30, 30), (15, 15), (3, 3)]
    for a, b in zip(ours, theirs):
        np.testing.assert_array_equal(a, b)


def test_geometry():
    image = ngff_zarr.to_ngff_image(
        np.zeros((40, 61, 120), "u1"),
        dims=["z", "y", "x"],
        scale={"z": 2.0, "y": 0.5, "x": 0.5},
        translation={"z": 1.0, "y": 10.0, "x": -3.0},
    )
    factors = [2, {"z": 2, "y": 4, "x": 8}]
    theirs = ngff_zarr.to_multiscales(image, scale_factors=factors, cache=False).images
    ours = twins.geometry((40, 61, 120), "zyx", factors, "gaussian", [2, 0.5, 0.5], [1, 10, -3])
    assert len(ours) == len(theirs) == 3
    for a, b in zip(ours, theirs):
        assert a["shape"] == b.data.shape
        np.testing.assert_allclose(a["scale"], [b.scale[d] for d in "zyx"])
        np.testing.assert_allclose(a["translation"], [b.translation[d] for d in "zyx"])


@pytest.mark.parametrize(
    "shape, dims, chunk",
    [
        ((1000, 1000), "yx", None),
        ((512, 512, 512), "zyx", None),
        ((60, 2048, 2048), "zyx", None),
        ((3, 15000, 15000), "zyx", 1024),
        ((128, 128, 128), "zyx", 64),
        ((2, 3, 100, 900, 1300), "tczyx", None),
        ((17, 4000), "yx", 16),
        ((100, 100), "yx", None),
    ],
)
def test_automatic(shape, dims, chunk):
    dask = pytest.importorskip("dask.array")
    data = dask.zeros(shape, dtype="u1", chunks=shape)
    image = ngff_zarr.to_ngff_image(data, dims=list(dims))
    chunks = None if chunk is None else {d: chunk for d in dims}
    made = ngff_zarr.to_multiscales(image, scale_factors=128, chunks=chunks, cache=False)
    ours = twins.automatic(shape, dims, None if chunk is None else [chunk] * len(dims))
    places = twins.geometry(shape, dims, ours)
    assert [p["shape"] for p in places] == [i.data.shape for i in made.images]


@pytest.mark.parametrize("method", ["gaussian", "bin_shrink", "nearest"])
@pytest.mark.parametrize("factor", [2, 3, 4, 8])
def test_registered(method, factor):
    """A ramp holds its own position: rule 15."""
    place = twins.geometry((480,), "x", [factor], method, [0.25], [7.0])[1]
    got = twins.reduce(7.0 + 0.25 * np.arange(480), method, (factor,))
    at = place["translation"][0] + place["scale"][0] * np.arange(len(got))
    np.testing.assert_allclose(got[3:-3], at[3:-3], rtol=1e-13)


@pytest.mark.parametrize("method", [m for m in twins.METHODS])
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int32", "int64", "uint64", "float16"])
def test_constants(method, dtype):
    kind = np.dtype(dtype)
    values = [0, 1] if kind.kind == "b" else [0, 1, 5]
    if kind.kind in "iu":
        values += [np.iinfo(kind).min, np.iinfo(kind).max]
    for value in values:
        data = np.full((9, 10, 11), value, kind)
        for step in [(2, 2, 2), (3, 3, 3), (4, 4, 4), (2, 3, 4)]:
            out = twins.reduce(data, method, step)
            assert out.dtype == kind and (out == data[0, 0, 0]).all()


def test_missing_values():
    nan = np.nan
    data = np.array([[1, nan, 3, 3], [nan, nan, nan, nan], [nan, nan, 2, 1]], "f4")
    for method, expected in [
        ("min", [1, nan, 1]),
        ("max", [3, nan, 2]),
        ("mode", [3, nan, nan]),
        ("median", [nan, nan, nan]),
        ("bin_shrink", [nan, nan, nan]),
    ]:
        np.testing.assert_array_equal(twins.reduce(data, method, (1, 4))[:, 0], expected)


def test_refusals():
    with pytest.raises(ValueError):
        twins.geometry((64, 64), "yx", [4, 2])
    with pytest.raises(TypeError):
        twins.reduce(np.zeros((4, 4), "c8"), "bin_shrink", (2, 2))
    one_plane = twins.geometry((1, 64, 5), "zyx", [2, 4, 8, 64, 128])
    assert [p["factor"] for p in one_plane] == [
        (1, 1, 1), (1, 2, 2), (1, 4, 4), (1, 8, 4), (1, 64, 4)
    ]
