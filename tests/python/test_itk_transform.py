"""Transforms of ITK and of OME-Zarr 0.6: both directions beside ngff-zarr's, and against the meaning
of their parameters."""

import dataclasses
import warnings

import numpy as np
import pytest

import ngff
from conftest import need
from ngff import v06
from parity import plain

itkwasm = need("itkwasm")
theirs = need("ngff_zarr")
model = v06.zarr_metadata
their_model = need("ngff_zarr.v06.zarr_metadata")
YX, ZYX = ("y", "x"), ("z", "y", "x")


def wasm(name, parameters, fixed=(), n=2, dtype="f8"):
    parameters, fixed = np.asarray(parameters, dtype), np.asarray(fixed, "f8")
    return itkwasm.Transform(itkwasm.TransformType(name, parameters.dtype.name, n, n),
                             numberOfParameters=parameters.size, numberOfFixedParameters=fixed.size,
                             parameters=parameters, fixedParameters=fixed)


def outcome(call, *args, **options):
    """What it returns, or the class and words of its error."""
    try:
        return plain(call(*args, **options))
    except (ValueError, TypeError, NotImplementedError, ImportError) as error:
        return type(error).__name__, str(error)


def oriented(module, turns, origin=(3.0, 2.0, 1.0)):
    return module.NgffImage(data=np.zeros((3, 4, 5)), dims=ZYX, scale={"z": 0.5, "y": 1.0, "x": 2.0},
                            translation=dict(zip(ZYX, origin)), axes_orientations=turns,
                            axes_units={"z": "millimeter", "y": "millimeter", "x": "micrometer"})


def pair(module, first="RAS", second="LPS"):
    return {"fixed": oriented(module, getattr(module, first)),
            "moving": oriented(module, getattr(module, second, None), (7.0, 8.0, 9.0))}


SHIFT, GROW = wasm("Translation", [1, 2]), wasm("Scale", [2, 3], [1, 1])
LINEAR = {
    "affine about a center": wasm("Affine", [1, 2, 3, 4, 5, 6], [10, 20]),
    "translation": SHIFT, "scale about a center": GROW, "identity": wasm("Identity", []),
    "list": [SHIFT, GROW], "list turned round": [GROW, SHIFT], "list of one": [SHIFT],
    "mirror": wasm("Scale", [-2, 3], [0, 0]), "flat": wasm("Scale", [0, 1]),
    "affine that scales": wasm("Affine", [2, 0, 0, 3, 0, 0], [0, 0]),
    "affine that does nothing": wasm("Affine", [1, 0, 0, 1, 0, 0]),
    "nearly nothing": wasm("Affine", [1, 1e-17, 0, 1, 0, 0]),
    "float32": wasm("Affine", [1, 0, 0, 1, 0.5, 0], dtype="f4"),
    "too few": wasm("Affine", [1, 0, 0, 1, 0]), "no center": wasm("Affine", [1, 0, 0, 1, 0, 0], [0]),
    "too many": wasm("Translation", [1, 2, 3], n=3), "deforming": wasm("BSpline", [1]),
    "field": wasm("DisplacementField", [1]), "empty": [], "text": "x", "list of text": ["x"],
    "velocities": wasm("VelocityField", [1]), "perspective": wasm("Rigid3DPerspective", [1]),
}


@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.parametrize("dims", [YX, ("x", "y"), ("t", "c", "y", "x"), ["y", "x"], ("t", "c")], ids=str)
def test_linear_from_itk(name, dims):
    for options in ({}, {"simplify": False}):
        ours, other = (outcome(m.itk_transform_to_ngff_transform, LINEAR[name], dims, **options)
                       for m in (ngff, theirs))
        assert ours == other
    ours, other = (outcome(m.itk_transform_to_ngff_matrix, LINEAR[name], dims) for m in (ngff, theirs))
    if isinstance(ours[0], str):
        assert ours == other
    else:
        np.testing.assert_array_equal(ours[0], other[0])
        np.testing.assert_array_equal(ours[1], other[1])


@pytest.mark.parametrize("turns", [("RAS", "LPS"), ("LPS", "RAS"), ("RAS", "none"), ("RAS", "RAS")], ids=str)
def test_frames(turns):
    matrix = wasm("Affine", [*range(1, 10), 1, 2, 3], [0, 1, 2], n=3)
    for given in (matrix, wasm("Translation", [1, 2, 3], n=3)):
        ours, other = (m.itk_transform_to_ngff_transform(given, ZYX, **pair(m, *turns))
                       for m in (ngff, theirs))
        assert plain(ours) == plain(other)
        back = [m.ngff_transform_to_itk_transform(t, ZYX, **pair(m, *turns))
                for m, t in ((ngff, ours), (theirs, other))]
        same_itk(*back)
        np.testing.assert_allclose(ngff.itk_transform_to_ngff_matrix(back[0], ZYX)[0],
                                   ngff.itk_transform_to_ngff_matrix(given, ZYX)[0])
    for wrong in ({"fixed": pair(ngff)["fixed"]}, {**pair(ngff), "moving": oriented(ngff, None, ())}):
        assert outcome(ngff.itk_transform_to_ngff_matrix, matrix, ZYX, **wrong) == outcome(
            theirs.itk_transform_to_ngff_matrix, matrix, ZYX, **wrong)


def test_what_theirs_lets_through():
    with pytest.raises(ValueError, match="non-finite"):
        ngff.itk_transform_to_ngff_transform(wasm("Affine", [1, 0, 0, 1, np.nan, 0]), YX)
    with pytest.raises(ValueError, match="name an axis twice"):
        ngff.itk_transform_to_ngff_transform(SHIFT, ("y", "y", "x"))
    with pytest.raises(ValueError, match="couples spatial and non-spatial"):
        ngff.ngff_transform_to_itk_transform(
            model.Affine(affine=[[1, 1, 0, 5], [0, 2, 3, 1], [0, 4, 5, 2]]), ("c", "y", "x"))


def test_a_dictionary_is_a_transform_too():
    given = dataclasses.asdict(GROW)
    assert plain(ngff.itk_transform_to_ngff_transform([given], YX)) == plain(
        ngff.itk_transform_to_ngff_transform(GROW, YX))


QUARTER, HALF = np.sqrt(0.5), np.pi / 2
TURN = [[0, -1, 0], [1, 0, 0], [0, 0, 1]]  # about z


@pytest.mark.parametrize("given, matrix, offset", [
    (wasm("Euler2D", [HALF, 1, 2], [3, 4]), [[0, -1], [1, 0]], [8, 3]),
    (wasm("Rigid2D", [HALF, 1, 2], [0, 0]), [[0, -1], [1, 0]], [1, 2]),
    (wasm("Similarity2D", [2, HALF, 1, 2], [0, 0]), [[0, -2], [2, 0]], [1, 2]),
    (wasm("ScaleLogarithmic", [0, np.log(2)], [0, 1]), [[1, 0], [0, 2]], [0, -1]),
    (wasm("Euler3D", [0, 0, HALF, 1, 2, 3], [0, 0, 0, 0], 3), TURN, [1, 2, 3]),
    (wasm("Euler3D", [HALF, 0, HALF, 0, 0, 0], [0, 0, 0], 3), [[0, 0, 1], [1, 0, 0], [0, 1, 0]], [0] * 3),
    (wasm("Euler3D", [HALF, HALF, 0, 0, 0, 0], [0, 0, 0, 0], 3), [[0, 0, 1], [1, 0, 0], [0, 1, 0]], [0] * 3),
    (wasm("Euler3D", [HALF, HALF, 0, 0, 0, 0], [0, 0, 0, 1], 3), [[0, 1, 0], [0, 0, -1], [-1, 0, 0]], [0] * 3),
    (wasm("Versor", [0, 0, QUARTER], [0, 0, 0], 3), TURN, [0, 0, 0]),
    (wasm("VersorRigid3D", [0, 0, QUARTER, 1, 2, 3], [1, 0, 0], 3), TURN, [2, 1, 3]),
    (wasm("Similarity3D", [0, 0, QUARTER, 1, 2, 3, 2], [0, 0, 0], 3), 2 * np.array(TURN), [1, 2, 3]),
    (wasm("QuaternionRigid", [0, 0, QUARTER, QUARTER, 1, 2, 3], [0, 0, 0], 3), TURN, [1, 2, 3]),
])
def test_angles_without_itk(given, matrix, offset):
    """Theirs needs the itk package for these."""
    n = given.transformType.inputDimension
    found = ngff.itk_transform_to_ngff_matrix(given, ("x", "y", "z")[:n])
    np.testing.assert_allclose(found[0], matrix, atol=1e-15)
    np.testing.assert_allclose(found[1], offset, atol=1e-12)


def test_angles_as_itk_has_them():
    """Runs where the itk package is."""
    itk = pytest.importorskip("itk")
    rng = np.random.default_rng(3)
    for name in ("Euler2D", "Rigid2D", "Similarity2D", "Euler3D", "Versor", "VersorRigid3D",
                 "Similarity3D", "QuaternionRigid", "ScalableAffine", "ScaleSkewVersor3D"):
        kind = getattr(itk, f"{name}Transform")
        native = kind[itk.D, 3].New() if name == "ScalableAffine" else kind[itk.D].New()
        n = int(native.GetInputSpaceDimension())
        values = itk.OptimizerParameters[itk.D](rng.uniform(0.1, 0.5, native.GetNumberOfParameters()).tolist())
        native.SetCenter([1.0, 2.0, 3.0][:n])
        native.SetParameters(values)
        known = theirs.itk_transform_to_ngff_matrix(native, ("x", "y", "z")[:n])
        for given in (native, [itkwasm.Transform(**t) for t in itk.dict_from_transform(native)]
                      if isinstance(itk.dict_from_transform(native), list)
                      else itkwasm.Transform(**itk.dict_from_transform(native))):
            found = ngff.itk_transform_to_ngff_matrix(given, ("x", "y", "z")[:n])
            np.testing.assert_allclose(found[0], known[0], atol=1e-12, err_msg=name)
            np.testing.assert_allclose(found[1], known[1], atol=1e-12, err_msg=name)
    both = itk.CompositeTransform[itk.D, 2].New()
    for step in ("Euler2D", "Similarity2D"):
        one = getattr(itk, f"{step}Transform")[itk.D].New()
        one.SetAngle(0.3)
        one.Translate([1.0, 2.0])
        both.AddTransform(one)
    known = theirs.itk_transform_to_ngff_matrix(both, YX)
    np.testing.assert_allclose(ngff.itk_transform_to_ngff_matrix(both, YX)[0], known[0])
    np.testing.assert_allclose(ngff.itk_transform_to_ngff_matrix(both, YX)[1], known[1])
    with pytest.raises(ValueError, match="2D to 2D"):
        ngff.itk_transform_to_ngff_matrix(both, ZYX)
    with pytest.raises(NotImplementedError, match="itk_displacement_field_to_ngff_transform"):
        ngff.itk_transform_to_ngff_matrix(itk.DisplacementFieldTransform[itk.D, 2].New(), YX)


# ---- to ITK ---------------------------------------------------------------------------------------


def same_itk(ours, other):
    assert len(ours) == len(other) == 1
    for name in ("transformType", "name", "inputSpaceName", "outputSpaceName", "metadata",
                 "numberOfParameters", "numberOfFixedParameters"):
        assert plain(getattr(ours[0], name)) == plain(getattr(other[0], name)), name
    for name in ("parameters", "fixedParameters"):
        one, two = getattr(ours[0], name), getattr(other[0], name)
        assert one.dtype == two.dtype
        np.testing.assert_allclose(one, two, rtol=1e-12, atol=1e-12)


def made(m):
    """Transformations by name, of either package's classes."""
    item = m.ByDimensionItem
    grow, shift = m.Scale(scale=[2.0, 3.0]), m.Translation(translation=[1.0, 2.0])
    one = m.Scale(scale=[2.0])
    return {
        "identity": m.Identity(), "scale": grow, "translation": shift,
        "rotation": m.Rotation(rotation=[[0.0, 1.0], [-1.0, 0.0]]),
        "affine": m.Affine(affine=[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), "mapAxis": m.MapAxis(mapAxis=[1, 0]),
        "sequence": m.TransformSequence(transformations=[grow, shift, m.MapAxis(mapAxis=[1, 0])]),
        "bijection": m.Bijection(forward=grow, inverse=m.Scale(scale=[0.5, 1 / 3])),
        "byDimension": m.ByDimension(transformations=[
            item(one, [0], [1]), item(m.Translation(translation=[2.0]), [1], [0])]),
        "short scale": one, "short translation": m.Translation(translation=[2.0]),
        "small rotation": m.Rotation(rotation=[[1.0]]), "small affine": m.Affine(affine=[[1.0, 2.0]]),
        "empty sequence": m.TransformSequence(transformations=[]),
        "projectAxis": m.ProjectAxis(droppedInputs=[0]), "text": "x", "none": None,
        "affine elsewhere": m.Affine(affine=None, path="a"), "no affine": m.Affine(affine=[]),
        "rotation elsewhere": m.Rotation(rotation=[], path="a"),
        "half": m.ByDimension(transformations=[item(one, [0], [1])]),
        "beyond": m.ByDimension(transformations=[item(one, [0], [1]), item(one, [5], [0])]),
        "not square": m.ByDimension(transformations=[
            item(m.Affine(affine=[[1.0, 0.0, 0.0]]), [0, 1], [1]), item(one, [1], [0])]),
        "long mapAxis": m.MapAxis(mapAxis=[0, 1, 2]), "no field": m.Displacements(path="f"),
    }


@pytest.mark.parametrize("name", made(model))
@pytest.mark.parametrize("dims", [YX, ("x", "y")], ids=str)
def test_to_itk(name, dims):
    results = []
    for package, m in ((ngff, model), (theirs, their_model)):
        try:
            results.append(package.ngff_transform_to_itk_transform(made(m)[name], dims))
        except (ValueError, NotImplementedError) as error:
            results.append((type(error), str(error)))
    if isinstance(results[0], tuple):
        assert results[0] == results[1]
    else:
        same_itk(*results)
        same_itk(ngff.ngff_transform_to_itk_transform(made(their_model)[name], dims), results[0])


def test_to_itk_beside_channels():
    given = model.Affine(affine=[[1, 0, 0, 5], [0, 2, 3, 1], [0, 4, 5, 2]])
    other = their_model.Affine(affine=given.affine)
    same_itk(ngff.ngff_transform_to_itk_transform(given, ("c", "y", "x")),
             theirs.ngff_transform_to_itk_transform(other, ("c", "y", "x")))
    coupled = model.Affine(affine=[[1, 0, 0, 5], [1, 2, 3, 1], [0, 4, 5, 2]])
    assert outcome(ngff.ngff_transform_to_itk_transform, coupled, ("c", "y", "x")) == outcome(
        theirs.ngff_transform_to_itk_transform, their_model.Affine(affine=coupled.affine), ("c", "y", "x"))


# ---- fields ---------------------------------------------------------------------------------------


def itk_field(shape, dtype="float32", direction=None, pixel="Vector"):
    n = len(shape)
    kind = itkwasm.ImageType(n, dtype, pixel, n)
    return itkwasm.Image(imageType=kind, data=np.random.default_rng(1).normal(size=(*shape, n)).astype(dtype),
                         size=list(shape[::-1]), origin=[1.0 + i for i in range(n)],
                         spacing=[0.5 + i for i in range(n)],
                         direction=np.eye(n) if direction is None else direction)


def as_transform(image, extra=()):
    n = image.imageType.dimension
    fixed = [*image.size, *image.origin, *image.spacing, *np.ravel(image.direction), *extra]
    return wasm("DisplacementField", image.data.ravel(), fixed, n, image.data.dtype)


FIELDS = {
    "float32": itk_field((4, 5)), "float64": itk_field((4, 5), "float64"),
    "integers": itk_field((4, 5), "int16"), "transform": as_transform(itk_field((4, 5))),
    "list": [as_transform(itk_field((4, 5), "float64"))], "scalar type": itk_field((4, 5), pixel="Scalar"),
    "two": [as_transform(itk_field((4, 5)))] * 2, "none": [], "affine": wasm("Affine", [1, 0, 0, 1, 0, 0]),
    "fixed parameters": as_transform(itk_field((4, 5)), [1]), "text": "x", "3-D": itk_field((3, 4, 5)),
    "parameters": wasm("DisplacementField", [0.0] * 3, as_transform(itk_field((4, 5))).fixedParameters),
    "turned": itk_field((4, 5), direction=np.diag([1.0, -1.0])),
    "components": itkwasm.Image(imageType=itkwasm.ImageType(2, "float32", "Vector", 3), size=[5, 4],
                                data=np.zeros((4, 5, 3), "f4")),
}


def field_facts(result):
    transform, image = result
    names = ("dims", "scale", "translation", "name", "axes_units", "axes_orientations", "axes_types")
    return plain(transform), plain({name: getattr(image, name) for name in names})


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("dims", [YX, ("x", "y"), ("c", "y", "x"), ("x", "x")], ids=str)
def test_field_from_itk(name, dims):
    results = []
    for m in (ngff, theirs):
        try:
            results.append(m.itk_displacement_field_to_ngff_transform(FIELDS[name], dims, path="disp"))
        except (ValueError, TypeError) as error:
            results.append((type(error), str(error)))
    ours, other = results
    if isinstance(ours[1], str):
        assert ours == other
        return
    assert field_facts(ours) == field_facts(other)
    assert ours[1].data.dtype == other[1].data.dtype
    np.testing.assert_array_equal(ours[1].data, other[1].data)


@pytest.mark.parametrize("turns", [("RAS", "LPS"), ("RAS", "RAS"), ("LPS", "RAS")], ids=str)
def test_field_between_frames(turns):
    direction = np.diag([-1.0, -1, 1]) if turns[0] == "RAS" else np.eye(3)
    given = itk_field((3, 4, 5), "float64", direction)
    ours, other = (m.itk_displacement_field_to_ngff_transform(given, ZYX, path="d", **pair(m, *turns))
                   for m in (ngff, theirs))
    assert field_facts(ours) == field_facts(other)
    np.testing.assert_allclose(ours[1].data, other[1].data, atol=1e-12)
    back = ngff.ngff_displacement_field_to_itk_transform(*ours, ZYX, **pair(ngff, *turns))
    same_itk(back, theirs.ngff_displacement_field_to_itk_transform(*other, ZYX, **pair(theirs, *turns)))
    np.testing.assert_allclose(back[0].parameters, given.data.ravel(), atol=1e-12)
    wrong = itk_field((3, 4, 5), direction=np.diag([1.0, -1, -1]))
    assert outcome(ngff.itk_displacement_field_to_ngff_transform, wrong, ZYX, path="d", **pair(ngff)) == \
        outcome(theirs.itk_displacement_field_to_ngff_transform, wrong, ZYX, path="d", **pair(theirs))


def stored(module, dims=("c", "y", "x"), shape=(2, 4, 5), kind="displacement", dtype="f4", **more):
    data = np.random.default_rng(5).normal(scale=3, size=shape).astype(dtype)
    more.setdefault("axes_types", {"c": kind} if kind else None)
    return module.NgffImage(data=data, dims=dims, scale={d: 0.5 * (n + 1) for n, d in enumerate(dims)},
                            translation={d: float(n) for n, d in enumerate(dims)}, **more)


TO_ITK = {
    "float32": ({}, YX), "float64": ({"dtype": "f8"}, YX), "float16": ({"dtype": "f2"}, YX),
    "integers": ({"dtype": "i4"}, YX), "x first": ({"dims": ("c", "x", "y")}, ("x", "y")),
    "no type": ({"kind": None}, YX), "last": ({"dims": ("y", "x", "c"), "shape": (4, 5, 2)}, YX),
    "three": ({"shape": (3, 4, 5)}, YX), "with channels": ({}, ("c", "y", "x")),
    "coordinates": ({"kind": "coordinate"}, YX),
}


@pytest.mark.parametrize("name", TO_ITK)
@pytest.mark.parametrize("kind", ["Displacements", "Coordinates"])
def test_field_to_itk(name, kind):
    options, dims = TO_ITK[name]
    results = []
    for package, m in ((ngff, model), (theirs, their_model)):
        transform = getattr(m, kind)(path="f", interpolation="cubic")
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                made_ = package.ngff_displacement_field_to_itk_transform(
                    transform, stored(package, **options), dims)
                assert "'cubic' interpolation; ITK" in str(said[0].message)
                results.append(made_)
                same_itk(package.ngff_transform_to_itk_transform(
                    transform, dims, fields={"f": stored(package, **options)}), made_)
            except ValueError as error:
                results.append((type(error), str(error)))
    if isinstance(results[0], tuple):
        assert results[0] == results[1]
    else:
        same_itk(*results)
        assert (kind == "Coordinates") == (name == "coordinates")


def test_oriented_field_to_itk():
    dims, transform = ("c", *ZYX), model.Displacements(path="f")
    for turns in (ngff.RAS, None):
        image = stored(ngff, dims, (3, 3, 4, 5), axes_orientations=turns)
        same_itk(ngff.ngff_displacement_field_to_itk_transform(transform, image, ZYX, **pair(ngff)),
                 theirs.ngff_displacement_field_to_itk_transform(
                     their_model.Displacements(path="f"),
                     stored(theirs, dims, (3, 3, 4, 5), axes_orientations=turns and theirs.RAS), ZYX,
                     **pair(theirs)))
    image = stored(ngff, dims, (3, 3, 4, 5), axes_orientations=ngff.RAS)
    with pytest.raises(ValueError, match="carries an anatomical orientation"):
        ngff.ngff_displacement_field_to_itk_transform(transform, image, ZYX)
    with pytest.raises(ValueError, match="orientation is not the fixed image's"):
        ngff.ngff_displacement_field_to_itk_transform(transform, image, ZYX, **pair(ngff, "LPS"))


def test_field_of_levels():
    levels = ngff.to_multiscales(stored(ngff), scale_factors=[])
    transform = model.Displacements(path="f")
    same_itk(ngff.ngff_displacement_field_to_itk_transform(transform, levels, YX),
             ngff.ngff_displacement_field_to_itk_transform(transform, stored(ngff), YX))
    with pytest.raises(TypeError, match="not str"):
        ngff.ngff_displacement_field_to_itk_transform(transform, "x", YX)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("kind", ["displacements", "coordinates"])
@pytest.mark.parametrize("inverse", [False, True])
def test_blocks(dtype, kind, inverse):
    values = np.random.default_rng(2).normal(size=(3, 6, 5, 4)).astype(dtype)
    place = {"translation": [1.0, 2.0, 3.0], "spacing": [0.5, 1.5, 2.0]}
    for frames in (False, True):
        ours, other = (m.convert_itk_field_block(values, ZYX, **place, transform_type=kind,
                                                 inverse=inverse, **(pair(m) if frames else {}))
                       for m in (ngff, theirs))
        assert ours.dtype == other.dtype == dtype and ours.flags.c_contiguous
        np.testing.assert_allclose(ours, other, rtol=1e-6, atol=1e-6)
        later = ngff.convert_itk_field_block(
            values[:, 2:5], ZYX, translation=[2.0, 2.0, 3.0], spacing=place["spacing"],
            transform_type=kind, inverse=inverse, **(pair(ngff) if frames else {}))
        np.testing.assert_array_equal(later, ours[:, 2:5])


def test_blocks_refuse():
    block = np.zeros((2, 3, 4), "f4")
    place = {"translation": [1.0, 2.0], "spacing": [0.5, 1.5]}
    for args, options in (((block, YX), {**place, "transform_type": "x"}), ((block, ZYX), place),
                          ((block[:, 0], YX), place), ((block, YX), {**place, "translation": [1.0]})):
        found = outcome(ngff.convert_itk_field_block, *args, **options)
        assert found == outcome(theirs.convert_itk_field_block, *args, **options)
        assert found[0] == "ValueError"
