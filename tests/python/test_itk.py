"""Images of ITK: what ngff-zarr makes of them and what this package does, and where it does more."""

import dataclasses
import sys
import types

import numpy as np
import pytest

import ngff
from conftest import need
from parity import plain

itkwasm = need("itkwasm")
theirs = need("ngff_zarr")

TURNED = np.array([[0, 1.0, 0], [0, 0, -1], [1, 0, 0]])
OBLIQUE = np.array([[0.8, 0.6, 0], [-0.6, 0.8, 0], [0, 0, 1]])


def wasm(shape, dimension, components=1, pixel="Scalar", dtype="uint16", direction=None):
    data = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    kind = itkwasm.ImageType(dimension=dimension, componentType=dtype, pixelType=pixel,
                             components=components)
    return itkwasm.Image(imageType=kind, data=data, size=list(shape[:dimension][::-1]),
                         origin=[10.0 + n for n in range(dimension)],
                         spacing=[0.5 * (n + 1) for n in range(dimension)],
                         direction=np.eye(dimension) if direction is None else direction)


def about(image):
    names = ("dims", "scale", "translation", "name", "axes_units", "axes_orientations", "axes_types")
    return plain({name: getattr(image, name) for name in names})


SAME = {
    "1-D": wasm((5,), 1),
    "2-D": wasm((4, 5), 2),
    "3-D": wasm((3, 4, 5), 3),
    "axes turned": wasm((3, 4, 5), 3, direction=TURNED),
    "oblique": wasm((3, 4, 5), 3, direction=OBLIQUE),
    "RGB": wasm((4, 5, 3), 2, 3, "RGB", "uint8"),
    "vectors": wasm((3, 4, 5, 2), 3, 2, "Vector", "float32"),
    "complex": wasm((4, 5, 2), 2, 2, "Complex", "float32"),
    "float64": wasm((4, 5), 2, dtype="float64"),
}


@pytest.mark.parametrize("oriented", [True, False])
@pytest.mark.parametrize("name", SAME)
def test_images_become_the_same(name, oriented):
    ours = ngff.itk_image_to_ngff_image(SAME[name], add_anatomical_orientation=oriented)
    other = theirs.itk_image_to_ngff_image(SAME[name], add_anatomical_orientation=oriented)
    assert about(ours) == about(other)
    assert (ours.axes_orientations is not None) == oriented
    assert np.shares_memory(ours.data, SAME[name].data)
    np.testing.assert_array_equal(ours.data, other.data)


def test_four_dimensions_keep_their_fourth():
    turned = np.eye(4)
    turned[:3, :3] = TURNED
    image = ngff.itk_image_to_ngff_image(wasm((2, 3, 4, 5), 4, direction=turned))
    assert image.dims == ("t", "z", "y", "x")
    assert image.scale == {"t": 2.0, "z": 1.5, "y": 1.0, "x": 0.5}
    assert image.translation == {"t": 13.0, "z": 12.0, "y": 11.0, "x": 10.0}
    assert plain(image.axes_orientations) == plain(
        ngff.itk_image_to_ngff_image(SAME["axes turned"]).axes_orientations)
    vectors = ngff.itk_image_to_ngff_image(wasm((2, 3, 4, 5, 2), 4, 2, "Vector"))
    assert vectors.dims == ("t", "z", "y", "x", "c") and "c" not in vectors.scale
    assert ngff.itk_image_to_ngff_image(wasm((2, 2, 3, 4, 5), 5)).dims == ("t", "c", "z", "y", "x")


def test_a_dictionary_is_an_image_too():
    known = about(ngff.itk_image_to_ngff_image(SAME["RGB"]))
    image = dataclasses.asdict(SAME["RGB"])
    assert about(ngff.itk_image_to_ngff_image(image)) == known
    flat = {**image, "data": SAME["RGB"].data.ravel(), "direction": [1.0, 0.0, 0.0, 1.0]}
    again = ngff.itk_image_to_ngff_image(flat)
    assert about(again) == known
    np.testing.assert_array_equal(again.data, SAME["RGB"].data)


def test_one_component_is_an_axis_of_one():
    image = ngff.itk_image_to_ngff_image(wasm((4, 5, 1), 2, 1, "VariableLengthVector"))
    assert image.dims == ("y", "x", "c") and image.data.shape == (4, 5, 1)


def test_a_region_lies_where_its_first_pixel_does():
    image = wasm((3, 4, 5), 3, direction=TURNED)
    image.bufferedRegion = itkwasm.image.ImageRegion(index=[2, 0, 1], size=[5, 4, 3])
    place = np.array(image.origin) + TURNED @ (np.array(image.spacing) * [2, 0, 1])
    found = ngff.itk_image_to_ngff_image(image).translation
    assert found == dict(zip("xyz", place.tolist()))


def test_what_is_no_image_is_refused():
    with pytest.raises(RuntimeError, match="input is not itk.Image or itkwasm.Image") as ours:
        ngff.itk_image_to_ngff_image(np.zeros((3, 3)))
    with pytest.raises(RuntimeError) as other:
        theirs.itk_image_to_ngff_image(np.zeros((3, 3)))
    assert str(ours.value) == str(other.value)
    with pytest.raises(ValueError, match="no pixels"):
        ngff.itk_image_to_ngff_image(dataclasses.replace(SAME["2-D"], data=None))
    with pytest.raises(ValueError, match="6 dimensions"):
        ngff.itk_image_to_ngff_image(wasm((1, 1, 1, 1, 2, 3), 6))


def test_simpleitk_by_what_it_has(monkeypatch):
    pixels = np.arange(60).reshape(3, 4, 5)

    class Image:
        def GetSpacing(self):
            return (0.5, 1.0, 1.5)

        def GetOrigin(self):
            return (1.0, 2.0, 3.0)

        def GetDirection(self):
            return tuple(TURNED.ravel())

    module = types.SimpleNamespace(GetArrayViewFromImage=lambda image: pixels)
    monkeypatch.setitem(sys.modules, "SimpleITK", module)
    image = ngff.itk_image_to_ngff_image(Image())
    assert image.data is pixels
    assert image.scale == {"z": 1.5, "y": 1.0, "x": 0.5}
    assert plain(image.axes_orientations) == plain(
        theirs.itk_image_to_ngff_image(SAME["axes turned"]).axes_orientations)


# ---- and back -------------------------------------------------------------------------------------


def level(module, dims, shape, dtype="uint16", turns=None):
    data = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    image = module.NgffImage(data=data, dims=dims, scale={d: 0.5 * (n + 1) for n, d in enumerate(dims)},
                             translation={d: 10.0 * n for n, d in enumerate(dims)}, name="head")
    image.axes_orientations = turns
    return image


def same_itk(ours, other):
    for name in ("imageType", "name", "origin", "spacing", "size", "metadata", "bufferedRegion"):
        assert plain(getattr(ours, name)) == plain(getattr(other, name)), name
    np.testing.assert_array_equal(ours.direction, other.direction)
    assert ours.data.dtype == other.data.dtype and ours.data.flags.c_contiguous
    np.testing.assert_array_equal(ours.data, other.data)


SHAPES = {("x",): (5,), ("y", "x"): (4, 5), ("z", "y", "x"): (3, 4, 5), ("c", "y", "x"): (3, 4, 5),
          ("y", "x", "c"): (4, 5, 3), ("t", "y", "x"): (2, 4, 5), ("t", "z", "y", "x"): (2, 3, 4, 5),
          ("t", "c", "z", "y", "x"): (2, 2, 3, 4, 5), ("t", "z", "y", "x", "c"): (2, 3, 4, 5, 2),
          ("y", "c", "x"): (4, 3, 5)}


@pytest.mark.parametrize("dims", SHAPES, ids="".join)
@pytest.mark.parametrize("chosen", [{}, {"t_index": 1}, {"c_index": 1}, {"t_index": -1, "c_index": 0}],
                         ids=str)
def test_the_same_itk_image(dims, chosen):
    same_itk(ngff.ngff_image_to_itk_image(level(ngff, dims, SHAPES[dims]), **chosen),
             theirs.ngff_image_to_itk_image(
                 theirs.to_ngff_image(**vars_of(level(theirs, dims, SHAPES[dims]))), **chosen))


def vars_of(image):
    """The arguments of `to_ngff_image`, which makes the Dask array that theirs takes."""
    return {name: getattr(image, name) for name in ("data", "dims", "scale", "translation", "name")}


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "uint32", "int32", "uint64", "int64",
                                   "float32", "float64"])
def test_every_component_type(dtype):
    same_itk(ngff.ngff_image_to_itk_image(level(ngff, ("y", "x"), (4, 5), dtype)),
             theirs.ngff_image_to_itk_image(level(theirs, ("y", "x"), (4, 5), dtype)))


@pytest.mark.parametrize("dtype", ["bool", "float16", "complex64"])
def test_other_types_are_refused(dtype):
    texts = set()
    for module in (ngff, theirs):
        with pytest.raises(ValueError) as error:
            module.ngff_image_to_itk_image(level(module, ("y", "x"), (4, 5), dtype))
        texts.add(str(error.value))
    assert texts == {f"Unsupported dtype {dtype}"}


def test_other_byte_order_and_missing_places():
    image = level(ngff, ("y", "x"), (4, 5), ">u2")
    image.scale, image.translation = {"x": 2.0}, {}
    made = ngff.ngff_image_to_itk_image(image)
    assert made.data.dtype == np.dtype("uint16") and made.imageType.componentType == "uint16"
    np.testing.assert_array_equal(made.data, image.data)
    assert made.spacing == [2.0, 1.0] and made.origin == [0.0, 0.0]
    with pytest.raises(IndexError, match="'t' of 2"):
        ngff.ngff_image_to_itk_image(level(ngff, ("t", "y", "x"), (2, 4, 5)), t_index=2)


def turns(module, **values):
    return {d: module.AnatomicalOrientation(module.AnatomicalOrientationValues(v))
            for d, v in values.items()}


TURNS = {
    "RAS": {"x": "left-to-right", "y": "posterior-to-anterior", "z": "inferior-to-superior"},
    "permuted": {"x": "inferior-to-superior", "y": "right-to-left", "z": "posterior-to-anterior"},
    "some": {"x": "left-to-right"},
    "animal": {"x": "left-to-right", "y": "dorsal-to-ventral", "z": "rostral-to-caudal"},
}


@pytest.mark.parametrize("name", TURNS)
@pytest.mark.parametrize("dims", [("z", "y", "x"), ("t", "z", "y", "x"), ("z", "y", "x", "c")],
                         ids="".join)
def test_the_same_direction(name, dims):
    made = [m.ngff_image_to_itk_image(level(m, dims, (2, 3, 4, 5)[: len(dims)],
                                            turns=turns(m, **TURNS[name]))) for m in (ngff, theirs)]
    np.testing.assert_array_equal(made[0].direction, made[1].direction)
    assert (made[0].direction == np.eye(len(made[0].direction))).all() == (name in ("some", "animal"))


@pytest.mark.parametrize("dims", [("x", "y"), ("z", "x", "y"), ("x", "t", "y", "z", "c")], ids="".join)
def test_axes_in_another_order_keep_their_spacing(dims):
    """Theirs gives the spacing of x to whichever axis is last."""
    image = level(ngff, dims, (2, 3, 4, 5, 6)[: len(dims)])
    made = ngff.ngff_image_to_itk_image(image)
    back = [d for d in ("x", "y", "z", "t") if d in dims]
    assert made.spacing == [image.scale[d] for d in back]
    assert made.size == [image.data.shape[dims.index(d)] for d in back]
    order = [dims.index(d) for d in ("t", "z", "y", "x", "c") if d in dims]
    np.testing.assert_array_equal(made.data, image.data.transpose(order))


def test_no_direction_that_itk_refuses():
    """A coronal plane, and two axes of one direction: theirs gives matrices of determinant 0."""
    for dims, values in ((("y", "x"), {"x": "left-to-right", "y": "superior-to-inferior"}),
                         (("z", "y", "x"), {**TURNS["RAS"], "y": "right-to-left"})):
        shape = (3, 4, 5)[: len(dims)]
        image = level(ngff, dims, shape, turns=turns(ngff, **values))
        assert (ngff.ngff_image_to_itk_image(image).direction == np.eye(len(dims))).all()


def test_there_and_back():
    for name in ("3-D", "axes turned", "RGB", "vectors"):
        image = ngff.ngff_image_to_itk_image(ngff.itk_image_to_ngff_image(SAME[name]))
        known = SAME[name]
        assert (image.origin, image.spacing, image.size) == (known.origin, known.spacing, known.size)
        np.testing.assert_array_equal(image.direction, known.direction)
        np.testing.assert_array_equal(image.data, known.data)


def test_columns_and_orientations():
    columns = [[1, 0], [0, -1, 0], [0.5, 0.5, 0], [0, 0, 0], [0.1, -0.5, 0.5], [0, -0.7, 0.7],
               (0.0, 0.0, -1), np.array([0, 1, 0]), [0, 0, 0, 1], [-0.0, -0.0]]
    for column in columns:
        assert plain(ngff.itk_direction_to_anatomical_orientation(column)) == plain(
            theirs.itk_direction_to_anatomical_orientation(column)), column
    for module in (ngff, theirs):
        with pytest.raises(ValueError, match="at least 2 elements for 2D/3D images, got 1"):
            module.itk_direction_to_anatomical_orientation([1])
    for value in [*ngff.AnatomicalOrientationValues, "left-to-right", None, "x", ngff.LPS["x"]]:
        assert (ngff.anatomical_orientation_to_itk_direction(value)
                == theirs.anatomical_orientation_to_itk_direction(value)), value


def test_itk_itself():
    """Runs where the itk package is."""
    itk = pytest.importorskip("itk")
    pixels = np.arange(60, dtype="float32").reshape(4, 5, 3)
    native = itk.image_from_array(pixels, is_vector=True)
    native.SetSpacing([0.5, 2.0])
    native.SetOrigin([1.0, -1.0])
    image = ngff.itk_image_to_ngff_image(native)
    assert about(image) == about(theirs.itk_image_to_ngff_image(native))
    np.testing.assert_array_equal(image.data, pixels)
    for dims, shape in SHAPES.items():
        if dims == ("x",):
            continue
        made = ngff.ngff_image_to_itk_image(level(ngff, dims, shape), wasm=False)
        known = ngff.ngff_image_to_itk_image(level(ngff, dims, shape))
        assert list(made.GetSpacing()) == known.spacing and list(made.GetOrigin()) == known.origin
        np.testing.assert_array_equal(itk.array_from_image(made), known.data)
