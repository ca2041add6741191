"""resample and resample_bounding_box, beside ngff-zarr's: regions equal, pixels within rounding."""

import sys

import numpy as np
import pytest

import ngff
from conftest import need
from ngff import v06

da = need("dask.array")
itkwasm = need("itkwasm")
need("itkwasm_downsample")
theirs = need("ngff_zarr")
model = {ngff: v06.zarr_metadata, theirs: need("ngff_zarr.v06.zarr_metadata")}
NAMES = ("dims", "start_index", "size", "moving_shape")
CORNERS = ("corners_min", "corners_max", "padded_corners_min", "padded_corners_max")


def wasm(name, parameters, fixed=(), n=2):
    parameters, fixed = np.asarray(parameters, "f8"), np.asarray(fixed, "f8")
    return itkwasm.Transform(itkwasm.TransformType(name, "float64", n, n),
                             numberOfParameters=parameters.size, numberOfFixedParameters=fixed.size,
                             parameters=parameters, fixedParameters=fixed)


def image(module, shape, scale, place, dims=None, dtype="float32", chunks=None, turns=None):
    dims = dims or ("z", "y", "x")[-len(shape):]
    data = np.random.default_rng(0).integers(-90, 90, shape) if dtype[0] == "i" else \
        np.random.default_rng(0).uniform(0, 200, shape)
    made = module.NgffImage(data=da.from_array(data.astype(dtype), chunks=chunks or shape), dims=dims,
                            scale=dict(zip(dims, scale)), translation=dict(zip(dims, place)), name="moved")
    made.axes_orientations = turns and getattr(module, turns)
    return made


FIXED, MOVING = ((20, 30), (1.0, 1.0), (0.0, 0.0)), ((40, 50), (0.5, 0.5), (2.0, 3.0))
BOX, TURNED = ((6, 7, 8), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)), ((9, 10, 11), (1.0, 0.5, 2.0), (1.0, 2.0, 3.0))
# No index lies half-way between two pixels, where rounding would decide.
SHEAR = [[1.01234, 0.2013, 3.0417], [-0.1021, 0.9871, 4.0391]]


def itk_field(n=2):
    shape = (5, 6) if n == 2 else (3, 4, 5)
    vectors = np.random.default_rng(1).uniform(-3, 5, (*shape, n))
    fixed = [*shape[::-1], *[0.2] * n, *[4.1] * n, *np.eye(n).ravel()]
    return wasm("DisplacementField", vectors.ravel(), fixed, n)


def stored_field(module, kind="displacement", n=2, lazy=True):
    shape = (12, 12) if n == 2 else (4, 5, 6)
    dims = ("z", "y", "x")[-n:]
    data = np.random.default_rng(4).uniform(-3, 3, (n, *shape)).astype("f4")
    if kind == "coordinate":
        data += np.stack(np.meshgrid(*(np.arange(s) * 2.5 for s in shape), indexing="ij")).astype("f4")
    return module.NgffImage(data=da.from_array(data, chunks=(n, *[4] * n)) if lazy else data,
                            dims=("c", *dims), scale={"c": 1.0, **dict.fromkeys(dims, 2.5)},
                            translation={"c": 0.0, **dict.fromkeys(dims, 0.0)}, axes_types={"c": kind})


def spline():
    values = np.zeros((2, 7, 7))
    values[0, 3, 3], values[1, 2, 4] = 4.0, -3.0
    return wasm("BSpline", values.ravel(), [7, 7, -12, -12, 9, 9, 1, 0, 0, 1])


SCALE, FIELD = wasm("Affine", [1.07, 0.513, 0.0, 1.93, 0.31, 0.17]), itk_field()
TRANSFORMS = {
    "identity": lambda m: m.Identity(), "shear": lambda m: m.Affine(affine=SHEAR),
    "away": lambda m: m.Translation(translation=[1000.0, 0.0]),
    "scale": lambda m: m.Scale(scale=[1.0312, 0.9717]),
    "swap": lambda m: m.Affine(affine=[[0, 1.0123, 0.3], [0.9877, 0, 0.7]]),
    "ITK": lambda m: wasm("Affine", [1, 0.1013, 0.2017, 1, 3.0311, 4.0127], [1, 1]),
    "ITK list": lambda m: [wasm("Translation", [1.031, 2.017]), wasm("Scale", [0.731, 0.813])],
    "ITK field": lambda m: FIELD, "ITK field last": lambda m: [SCALE, FIELD],
    "ITK field first": lambda m: [FIELD, SCALE], "ITK fields": lambda m: [FIELD, FIELD],
    "B-spline": lambda m: spline(),
}


def same_region(ours, other, linear=True):
    """Around a deformation their padded corners are no pixels, ours always are."""
    for name in NAMES:
        assert getattr(ours, name) == getattr(other, name), name
    for name in CORNERS if linear else CORNERS[:2]:
        for d in ours.dims:
            assert getattr(ours, name)[d] == pytest.approx(getattr(other, name)[d], abs=1e-9), name
    assert ours.clamped() == other.clamped() and ours.is_empty == other.is_empty
    assert ours.slices() == other.slices()
    assert ours.slices(("t", *ours.dims[::-1])) == other.slices(("t", *ours.dims[::-1]))


DEFORMED = ("ITK field first", "ITK field last", "ITK fields")


@pytest.mark.parametrize("name", DEFORMED)
def test_a_region_no_larger_than_theirs(name):
    """Theirs takes a pixel more here; ours still holds every point that is sampled."""
    from ngff._resample_stages import grid_of, stages_of
    from ngff._resample import indices_of

    ours, other = (m.resample_bounding_box(TRANSFORMS[name](model[m]), image(m, *FIXED),
                                           image(m, *MOVING), 0) for m in (ngff, theirs))
    stages, _ = stages_of(TRANSFORMS[name](None), ("y", "x"), None)
    held = [(s.read((0, 0), s.grid.size), (0, 0)) if hasattr(s, "read") else None for s in stages]
    grids = [grid_of(image(ngff, *place), True) for place in (FIXED, MOVING)]
    points = dict(zip("xy", indices_of(stages, held, *grids, np.zeros(2), grids[0].size)))
    for d in "yx":
        ends = [(r.start_index[d], r.start_index[d] + r.size[d] - 1) for r in (ours, other)]
        assert ends[0][0] <= points[d].min() and points[d].max() <= ends[0][1]
        assert ends[1][0] <= ends[0][0] and ends[0][1] <= ends[1][1]


@pytest.mark.parametrize("name", [name for name in TRANSFORMS if name not in DEFORMED])
@pytest.mark.parametrize("padding", [0, 1, 3])
def test_the_same_region(name, padding):
    same_region(*(m.resample_bounding_box(TRANSFORMS[name](model[m]), image(m, *FIXED),
                                          image(m, *MOVING), padding) for m in (ngff, theirs)),
                linear=not ("field" in name or "spline" in name))


def test_the_region_of_oriented_images():
    for turns in (("RAS", "LPS"), ("RAS", "RAS"), ("LPS", "RAS")):
        for make in (lambda m: wasm("Translation", [-3.0, -5.0, 2.0], n=3),
                     lambda m: m.Translation(translation=[1.0, 2.0, 3.0])):
            found = []
            for m in (ngff, theirs):
                fixed, moving = image(m, *BOX, turns=turns[0]), image(m, *TURNED, turns=turns[1])
                found.append((m.resample_bounding_box(make(model[m]), fixed, moving), moving))
            (ours, one), (other, two) = found
            for name in (*NAMES, "corners_min", "corners_max"):
                assert getattr(ours, name) == getattr(other, name), name
            for d in ours.dims:  # theirs may have them the other way round
                ends = sorted((other.padded_corners_min[d], other.padded_corners_max[d]))
                assert [ours.padded_corners_min[d], ours.padded_corners_max[d]] == ends
            crops = ours.crop(one), other.crop(two)
            if crops[1] is None:
                assert crops[0] is None
            else:
                assert crops[0].translation == crops[1].translation
                np.testing.assert_array_equal(crops[0].data, crops[1].data)


def test_crop_is_lazy_and_keeps_other_axes():
    moving = image(ngff, (3, 40, 50), (1.0, 0.5, 0.5), (0.0, 2.0, 3.0), ("t", "y", "x"))
    region = ngff.resample_bounding_box(v06.zarr_metadata.Identity(), image(ngff, *FIXED), moving)
    part = region.crop(moving)
    assert hasattr(part.data, "dask") and part.data.shape == (3, 36, 50) and part.name == "moved"
    away = v06.zarr_metadata.Translation(translation=[1000.0, 0.0])
    assert ngff.resample_bounding_box(away, image(ngff, *FIXED), image(ngff, *MOVING)).crop(moving) is None


@pytest.mark.parametrize("kind", ["displacement", "coordinate"])
def test_the_region_of_a_field_holds_theirs(kind):
    """Ours looks at the vectors around the grid, theirs at whole chunks: never larger than theirs."""
    for shape, place in (((20, 30), (0.0, 0.0)), ((8, 8), (4.0, 4.0)), ((3, 3), (10.5, 7.5))):
        found = []
        for m in (ngff, theirs):
            cls = model[m].Displacements if kind == "displacement" else model[m].Coordinates
            found.append(m.resample_bounding_box(cls(path="f"), image(m, shape, (1.0, 1.0), place),
                                                 image(m, *MOVING), fields={"f": stored_field(m, kind)}))
        for d in "yx":
            ends = [(r.start_index[d], r.start_index[d] + r.size[d]) for r in found]
            assert ends[1][0] <= ends[0][0] and ends[0][1] <= ends[1][1]


def test_points_beyond_a_field_stay():
    """Every vector leads away, but half of the grid has none: its own place has to be read too."""
    found = []
    for m in (ngff, theirs):
        field = stored_field(m)
        field.data = da.full((2, 4, 4), 9.25, dtype="f4", chunks=(2, 4, 4))
        transform, fields = model[m].Displacements(path="f"), {"f": field}
        images = image(m, (20, 30), (1.0, 1.0), (0.0, 0.0)), image(m, (60, 80), (0.5, 0.5), (0.0, 0.0))
        region = m.resample_bounding_box(transform, *images, 0, fields=fields)
        assert region.start_index == {"y": 0, "x": 0}
        found.append((region, np.asarray(m.resample(transform, *images, default_value=-1, fields=fields).data)))
    same_region(found[0][0], found[1][0], linear=False)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-5, atol=1e-4)


BAD = {
    "negative padding": lambda m: {"padding": -1}, "true": lambda m: {"padding": True},
    "float": lambda m: {"padding": 1.0}, "text": lambda m: {"transform": "x"},
    "list of text": lambda m: {"transform": ["x"]}, "empty list": lambda m: {"transform": []},
    "other dims": lambda m: {"moving": image(m, *TURNED)},
    "other order": lambda m: {"moving": image(m, *MOVING, dims=("x", "y"))},
    "one axis": lambda m: {"fixed": image(m, (5,), (1.0,), (0.0,)), "moving": image(m, (5,), (1.0,), (0.0,))},
    "no field": lambda m: {"transform": model[m].Displacements(path="f")},
    "zero scale": lambda m: {"moving": image(m, (4, 5), (0.0, 1.0), (0.0, 0.0))},
    "no number": lambda m: {"fixed": image(m, (4, 5), (1.0, float("nan")), (0.0, 0.0))},
    "no scale": lambda m: {"fixed": image(m, (4, 5), (1.0,), (0.0, 0.0))},
    "no place": lambda m: {"moving": image(m, (4, 5), (1.0, 1.0), (0.0,))},
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("function", ["resample_bounding_box", "resample"])
def test_the_same_refusals(name, function):
    said = []
    for m in (ngff, theirs):
        args = {"transform": model[m].Identity(), "fixed": image(m, *FIXED), "moving": image(m, *MOVING)}
        with pytest.raises((ValueError, TypeError)) as error:
            getattr(m, function)(**{**args, **BAD[name](m)})
        said.append((error.type, str(error.value)))
    assert said[0] == said[1]


def test_numbers_that_are_no_place():
    m, args = v06.zarr_metadata, (image(ngff, *FIXED), image(ngff, *MOVING))
    with pytest.raises(ValueError, match="'x' is not finite"):
        ngff.resample_bounding_box(m.Translation(translation=[float("nan"), 0.0]), *args)
    with pytest.raises(ValueError, match="more than the index range"):
        ngff.resample_bounding_box(m.Identity(), args[0], image(ngff, (4, 5), (1e-30, 1.0), (0.0, 0.0)))
    # A negative scale ends theirs in a trap; it is a grid that runs the other way.
    back = ngff.resample_bounding_box(m.Identity(), image(ngff, (4, 5), (-1.0, 1.0), (9.0, 3.0)), args[1], 0)
    assert (back.start_index, back.size) == ({"y": 8, "x": 0}, {"y": 7, "x": 9})


# ---- pixels ---------------------------------------------------------------------------------------


def pixels(m, transform, interpolator="linear", dtype="float32", chunks=(8, 16), **options):
    made = m.resample(transform, image(m, *FIXED, chunks=chunks), image(m, *MOVING, dtype=dtype, chunks=(9, 11)),
                      interpolator=interpolator, **options)
    assert made.name == "moved" and hasattr(made.data, "dask") and made.data.chunks[0] == (8, 8, 4)
    assert made.scale == {"y": 1.0, "x": 1.0} and made.data.dtype == dtype
    return np.asarray(made.data)


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("interpolator", ["linear", "nearest_neighbor"])
def test_the_same_pixels(name, interpolator):
    ours, other = (pixels(m, TRANSFORMS[name](model[m]), interpolator, default_value=-1.5)
                   for m in (ngff, theirs))
    np.testing.assert_allclose(ours, other, rtol=1e-5, atol=1e-4)
    assert (ours == -1.5).all() == (name == "away") and len(np.unique(ours)) > 1 or name == "away"


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float64"])
def test_every_type(dtype):
    for interpolator in ("linear", "nearest_neighbor"):
        ours, other = (pixels(m, model[m].Affine(affine=SHEAR), interpolator, dtype, default_value=7)
                       for m in (ngff, theirs))
        np.testing.assert_array_equal(ours, other) if dtype[0] != "f" else \
            np.testing.assert_allclose(ours, other, atol=1e-9)


def test_values_that_do_not_fit():
    away = v06.zarr_metadata.Translation(translation=[1000.0, 0.0])
    assert (pixels(ngff, away, dtype="uint8", default_value=-7) == 0).all()
    assert (pixels(ngff, away, dtype="uint8", default_value=1000.7) == 255).all()
    assert (pixels(ngff, away, dtype="int64", default_value=1e30) == np.iinfo("i8").max).all()
    assert (pixels(ngff, away, dtype="uint64", default_value=1e30) == np.iinfo("u8").max).all()
    with pytest.raises(ValueError, match="unsupported dtype 'float16' for resampling"):
        pixels(ngff, away, dtype="float16")


def test_pixels_that_are_met_exactly_stay():
    """Indices that miss a pixel by rounding, as most of these spacings make them: without care its
    whole number would be cut to the one below."""
    m, data = v06.zarr_metadata, np.zeros((30, 30), "u2")
    data[::3, ::3] = 200
    for cents in range(5, 100):
        fixed, moving = (ngff.NgffImage(data=pixels, dims=("y", "x"), scale={"y": step, "x": step},
                                        translation={"y": 0.0, "x": 0.0})
                         for pixels, step in ((np.zeros((10, 10)), 3 * cents / 100), (data, cents / 100)))
        made = ngff.resample(m.Identity(), fixed, moving)
        assert (made.data.compute() == 200).all(), cents


@pytest.mark.parametrize("interpolator", ["label_image", "b_spline", "windowed_sinc", "gaussian"])
def test_the_other_interpolators(interpolator):
    for name in ("shear", "ITK field last"):
        ours, other = (pixels(m, TRANSFORMS[name](model[m]), interpolator) for m in (ngff, theirs))
        np.testing.assert_allclose(ours, other, rtol=1e-5, atol=2e-4)


@pytest.mark.parametrize("kind", ["displacement", "coordinate"])
@pytest.mark.parametrize("interpolator", ["linear", "nearest_neighbor", "windowed_sinc"])
def test_stored_fields(kind, interpolator):
    found = []
    for m in (ngff, theirs):
        cls = model[m].Displacements if kind == "displacement" else model[m].Coordinates
        found.append(pixels(m, cls(path="f"), interpolator, fields={"f": stored_field(m, kind)}))
    np.testing.assert_allclose(*found, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("turns", [("RAS", "LPS"), ("RAS", "RAS"), (None, None)], ids=str)
def test_three_dimensions(turns):
    met, turn = 0, wasm("Affine", [0.9731, 0.1013, 0, -0.1171, 0.9613, 0.0517, 0.0213, 0, 1.0137, -2.031, -4.017, 1.013], n=3)
    for make in (lambda m: turn, lambda m: itk_field(3),
                 lambda m: m.Affine(affine=[[1.013, 0.1, 0, 0.51], [0, 0.97, 0.2, 1.03], [0.1, 0, 0.9, 2.02]])):
        found = []
        for m in (ngff, theirs):
            fixed = image(m, *BOX, turns=turns[0], chunks=(4, 4, 5))
            moving = image(m, *TURNED, turns=turns[1], chunks=(4, 4, 4))
            found.append(np.asarray(m.resample(make(model[m]), fixed, moving, default_value=-1).data))
        np.testing.assert_allclose(*found, rtol=1e-5, atol=1e-4)
        met += (found[0] != -1).sum()
    assert met > 50


def test_axes_in_another_order():
    m, found = v06.zarr_metadata, []
    for dims, affine in ((("y", "x"), SHEAR), (("x", "y"), [[SHEAR[1][1], SHEAR[1][0], SHEAR[1][2]],
                                                            [SHEAR[0][1], SHEAR[0][0], SHEAR[0][2]]])):
        images = []
        for n, (shape, scale, place) in enumerate((FIXED, MOVING)):
            data = np.random.default_rng(n).normal(size=shape)
            images.append(ngff.NgffImage(data=data if dims[0] == "y" else data.T, dims=dims,
                                         scale=dict(zip("yx", scale)), translation=dict(zip("yx", place))))
        found.append(ngff.resample(m.Affine(affine=affine), *images).data.compute())
    np.testing.assert_allclose(found[0], found[1].T)


# ---- laziness -------------------------------------------------------------------------------------


class Counted:
    """An array that says what is read of it."""

    def __init__(self, data):
        self.data, self.shape, self.dtype, self.ndim = data, data.shape, data.dtype, data.ndim
        self.keys = []

    def __getitem__(self, key):
        self.keys.append(key)
        return self.data[key]


def test_numpy_is_enough(monkeypatch):
    """No Dask, no itkwasm: blocks are read when they are asked for, and the region they need alone."""
    for name in ("dask", "dask.array", "itkwasm", "itkwasm_downsample"):
        monkeypatch.setitem(sys.modules, name, None)
    m, data = v06.zarr_metadata, np.random.default_rng(0).normal(size=(100, 100))
    counted = Counted(data)
    moving = ngff.NgffImage(data=counted, dims=("y", "x"), scale={"y": 1.0, "x": 1.0},
                            translation={"y": 0.0, "x": 0.0})
    made = ngff.resample(m.Translation(translation=[0.25, 0.5]), moving, moving)
    assert not counted.keys and made.data.shape == (100, 100)
    part = made.data[10:20, 30:40].compute()
    (rows, columns), = counted.keys
    assert (rows, columns) == (slice(9, 22), slice(29, 42))
    down = data[:-1] + (data[1:] - data[:-1]) * 0.25
    np.testing.assert_allclose(part, (down[:, :-1] + (down[:, 1:] - down[:, :-1]) * 0.5)[10:20, 30:40])
    np.testing.assert_array_equal(made.data.compute()[10:20, 30:40], part)


def test_each_chunk_is_read_once():
    data = np.random.default_rng(0).normal(size=(64, 64))
    read = []

    def chunk(block_id):
        read.append(block_id)
        y, x = (n * 16 for n in block_id)
        return data[y : y + 16, x : x + 16]

    moving = image(ngff, *FIXED)
    moving.data = da.map_blocks(chunk, chunks=((16,) * 4, (16,) * 4), dtype="f8", meta=np.empty((0, 0)))
    fixed = image(ngff, (64, 64), (1.0, 1.0), (0.0, 0.0), chunks=(10, 10))
    made = ngff.resample(v06.zarr_metadata.Affine(affine=SHEAR), fixed, moving)
    assert not read
    made.data.compute(scheduler="sync")
    assert len(read) == len(set(read)) > 8


def test_a_field_that_is_not_held():
    """What a block reads of a field is the window of its own points."""
    m, counted = v06.zarr_metadata, Counted(stored_field(ngff, lazy=False).data)
    field = stored_field(ngff)
    field.data = counted
    moving = image(ngff, *MOVING)
    moving.data = np.asarray(moving.data)
    made = ngff.resample(m.Displacements(path="f"), image(ngff, *FIXED, chunks=(5, 5)), moving, fields={"f": field})
    assert not counted.keys
    part = made.data[:5, :5].compute()
    assert {str(key[1:]) for key in counted.keys} == {str((slice(0, 4), slice(0, 4)))}
    whole = ngff.resample(m.Displacements(path="f"), image(ngff, *FIXED), image(ngff, *MOVING),
                          fields={"f": stored_field(ngff)})
    np.testing.assert_array_equal(np.asarray(whole.data)[:5, :5], part)


def test_blocks_are_those_of_the_whole():
    for name in ("shear", "ITK field last"):
        transform = TRANSFORMS[name](v06.zarr_metadata)
        parts, whole = pixels(ngff, transform), ngff.resample(transform, image(ngff, *FIXED), image(ngff, *MOVING))
        np.testing.assert_allclose(parts, np.asarray(whole.data), rtol=1e-6)


def test_the_result_is_written(tmp_path):
    levels = ngff.to_multiscales(ngff.resample(v06.zarr_metadata.Affine(affine=SHEAR), image(ngff, *FIXED),
                                               image(ngff, *MOVING)), scale_factors=[2], chunks=16)
    ngff.to_ome_zarr(str(tmp_path / "a.zarr"), levels)
    read = ngff.from_ome_zarr(str(tmp_path / "a.zarr")).images[0]
    np.testing.assert_array_equal(np.asarray(read.data), pixels(ngff, v06.zarr_metadata.Affine(affine=SHEAR)))


def test_what_is_missing_is_named(monkeypatch):
    for name in ("itkwasm_downsample",):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match="itkwasm-downsample"):
        pixels(ngff, v06.zarr_metadata.Identity(), "b_spline")


def test_processes_can_do_it():
    """What a task holds can be sent."""
    cloudpickle = need("cloudpickle")
    for transform in (v06.zarr_metadata.Displacements(path="f"), FIELD):
        made = ngff.resample(transform, image(ngff, *FIXED, chunks=(8, 16)), image(ngff, *MOVING),
                             fields={"f": stored_field(ngff)})
        again = cloudpickle.loads(cloudpickle.dumps(made.data))
        np.testing.assert_array_equal(again.compute(scheduler="sync"), made.data.compute(scheduler="sync"))
