"""OME-Zarr 0.6: coordinate systems, transformations and scenes, beside ngff-zarr's."""

import dataclasses

import numpy as np
import pytest

import ngff as nz
from ngff._transforms_json import to_json, transforms_from_json
from ngff.v06 import zarr_metadata as v06

DOCUMENTS = [
    {"type": "identity"},
    {"type": "scale", "scale": [1.0, 0.5]},
    {"type": "translation", "translation": [4.0, -1.0], "name": "shift"},
    {"type": "rotation", "rotation": [[0.0, -1.0], [1.0, 0.0]]},
    {"type": "affine", "affine": [[1.0, 0.0, 5.0], [0.0, 1.0, 10.0]]},
    {"type": "coordinates", "path": "field", "interpolation": "linear"},
    {"type": "displacements", "path": "field"},
    {"type": "mapAxis", "mapAxis": [1, 0]},
    {"type": "projectAxis", "droppedInputs": [0], "createdOutputs": [1]},
    {"type": "byDimension", "transformations": [
        {"transformation": {"type": "scale", "scale": [2.0]}, "inputAxes": [1], "outputAxes": [0]},
        {"transformation": {"type": "identity"}, "inputAxes": [0], "outputAxes": [1]}]},
    {"type": "bijection", "forward": {"type": "identity"}, "inverse": {"type": "scale", "scale": [1.0, 1.0]}},
    {"type": "sequence", "name": "both", "transformations": [
        {"type": "scale", "scale": [2.0, 2.0]}, {"type": "translation", "translation": [1.0, 1.0]}]},
]
ENDS = {"input": {"name": "a"}, "output": {"name": "b"}}


def two_systems(model):
    return [model.CoordinateSystem(name=n, axes=[model.Axis(name=d, type="space") for d in "yx"]) for n in "ab"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d["type"])
def test_a_transformation_comes_back_as_it_was(document):
    document = {**ENDS, **document}
    (made,) = transforms_from_json([document], two_systems(v06))
    assert made.type == document["type"] and made.input.name == "a" and made.output.name == "b"
    assert to_json(made) == document


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d["type"])
def test_theirs_and_ours_say_the_same(document):
    from ngff_zarr.v06 import zarr_metadata as theirs

    document = {**ENDS, **document}
    (expected,) = theirs.Metadata._parse_transforms([document], two_systems(theirs))
    (made,) = transforms_from_json([document], two_systems(v06))
    assert made.to_dict() == expected.to_dict()
    assert to_json(expected) == to_json(made)


BROKEN = [
    ({"type": "warp"}, "Unsupported transform type: warp"),
    ({"type": "scale"}, "lacks the required scale"),
    ({"type": "affine"}, "lacks the required affine"),
    ({"type": "mapAxis", "mapAxis": [0, 0]}, "permutation"),
    ({"type": "mapAxis", "mapAxis": [0]}, "between 2 and 5"),
    ({"type": "mapAxis", "mapAxis": [0, True]}, "integers"),
    ({"type": "mapAxis", "mapAxis": [2, 1, 0]}, "3 indices, coordinate system 'a' 2 axes"),
    ({"type": "projectAxis"}, "droppedInputs, createdOutputs, or both"),
    ({"type": "projectAxis", "droppedInputs": [2]}, "beyond the 2 axes"),
    ({"type": "projectAxis", "droppedInputs": [0]}, "makes 1 axes of 2"),
    ({"type": "projectAxis", "createdOutputs": [-1]}, "negative"),
    ({"type": "byDimension", "transformations": [
        {"transformation": {"type": "identity"}, "inputAxes": [0], "outputAxes": [0]}]}, "cover every output"),
    ({"type": "byDimension", "transformations": [
        {"transformation": {"type": "scale", "scale": [1, 2]}, "inputAxes": [0], "outputAxes": [0]}]},
     "takes 2 axes to 2, not 1 to 1"),
    ({"type": "bijection", "forward": {"type": "identity"}}, "lacks the required inverse"),
]


@pytest.mark.parametrize("document, words", BROKEN, ids=lambda v: v if isinstance(v, str) else "")
def test_a_broken_transformation_is_one_line(document, words):
    from ngff_zarr.v06 import zarr_metadata as theirs

    with pytest.raises(ValueError) as error:
        transforms_from_json([{**ENDS, **document}], two_systems(v06))
    assert words in str(error.value) and "\n" not in str(error.value)
    with pytest.raises((ValueError, TypeError)):
        theirs.Metadata._parse_transforms([{**ENDS, **document}], two_systems(theirs))


def test_the_classes_have_their_fields():
    from ngff_zarr.v06 import zarr_metadata as theirs

    for name in theirs.__all__:
        expected, made = getattr(theirs, name), getattr(v06, name)
        fields = [f.name for f in dataclasses.fields(expected)]
        extra = ["longName"] if name == "Axis" else []
        assert [f.name for f in dataclasses.fields(made)] == fields + extra, name


def field_image():
    image = nz.to_ngff_image(np.zeros((2, 8, 8), "f4"), dims=("c", "y", "x"))
    image.axes_types = {"c": nz.AxisType.Displacement}
    return nz.to_multiscales(image, scale_factors=[])


def test_a_field_is_declared_on_a_copy():
    levels = field_image()
    before = list(getattr(levels.metadata, "coordinateTransformations", None) or [])
    declared = nz.declare_field_transform(levels)
    (entry,) = declared.metadata.coordinateTransformations
    assert to_json(entry) == {
        "input": {"name": "physical"}, "output": {"name": "physical"}, "type": "displacements",
        "path": "scale0/image", "interpolation": "linear"}
    assert [a.name for a in declared.metadata.coordinateSystems[-1].axes] == ["y", "x"]
    assert list(getattr(levels.metadata, "coordinateTransformations", None) or []) == before


@pytest.mark.parametrize("arguments, words", [
    ({"transform_type": "warp"}, "transform_type must be one of"),
    ({"input_system": "a"}, "both input_system and output_system"),
    ({"path": "elsewhere"}, "with path"),
    ({"transform_type": nz.FieldTransformType.Coordinates}, "exactly one axis of type 'coordinate'"),
    ({"input_system": "no", "output_system": "no"}, "names no declared coordinate system"),
])
def test_a_field_that_cannot_be_declared(arguments, words):
    with pytest.raises(ValueError, match=words):
        nz.declare_field_transform(field_image(), **arguments)
