"""OME-Zarr 0.6: coordinate systems, transformations and scenes, beside ngff-zarr's."""

import dataclasses
import json
import pathlib
import pickle
import shutil
import zipfile

import numpy as np
import pytest

import ngff as nz
from conftest import need
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


# ---- images -------------------------------------------------------------------------------------

AFFINE = [[1.0, 0.25, 5.0], [0.0, 1.0 / 3.0, 10.0]]


def end(name=None, path=None):
    return v06.CoordinateSystemIdentifier(path=path, name=name)


def system(name, dims="yx"):
    return v06.CoordinateSystem(name, [v06.Axis(d, "space", "micrometer") for d in dims])


def image(steps=(), systems=(), dims="yx", package=nz):
    shape = (64, 80, 96)[-len(dims):]
    data = np.random.default_rng(3).integers(0, 255, shape).astype("u1")
    levels = package.to_multiscales(package.to_ngff_image(data, dims=tuple(dims)), scale_factors=[2], chunks=32)
    levels.metadata.coordinateSystems.extend(systems)
    levels.metadata.coordinateTransformations = list(steps) or None
    return levels


def full_image():
    return image([
        v06.Affine(affine=AFFINE, name="register", input=end("intrinsic"), output=end("atlas")),
        v06.TransformSequence(name="turn", input=end("atlas"), output=end("world"), transformations=[
            v06.Rotation(rotation=[[0.0, -1.0], [1.0, 0.0]]), v06.MapAxis(mapAxis=[1, 0]),
            v06.Translation(translation=[1.5, 2.0])]),
        v06.Bijection(input=end("intrinsic"), output=end("world"), forward=v06.Affine(affine=AFFINE),
                      inverse=v06.Scale(scale=[2.0, 1.0])),
        v06.ByDimension(input=end("atlas"), output=end("world"), transformations=[
            v06.ByDimensionItem(v06.Scale(scale=[2.0]), [1], [0]), v06.ByDimensionItem(v06.Identity(), [0], [1])]),
    ], [system("atlas"), system("world")])


def attributes(path):
    return json.loads((path / "zarr.json").read_text(encoding="utf-8"))["attributes"]


def accepted(found, name="image"):
    """The official schemas of 0.6 have nothing to say against it."""
    import jsonschema
    import referencing

    folder = pathlib.Path(__file__).resolve().parents[3] / "shared/schemas/0.6/schemas"
    if not folder.is_dir():
        folder = pathlib.Path(need("ngff_zarr").__file__).parent / "spec/0.6/schemas"
    resources = []
    for path in folder.glob("*.schema"):
        text = json.loads(path.read_text(encoding="utf-8"))
        resource = referencing.Resource.from_contents(text, referencing.jsonschema.DRAFT202012)
        resources += [(text.get("$id", path.name), resource), (path.name, resource), (
            f"https://ngff.openmicroscopy.org/0.6/schemas/{path.name}", resource)]
    schema = json.loads((folder / f"{name}.schema").read_text(encoding="utf-8"))
    checker = jsonschema.Draft202012Validator(schema, registry=referencing.Registry().with_resources(resources))
    problems = [f"{list(e.absolute_path)}: {e.message}" for e in checker.iter_errors(found)]
    assert not problems, problems[0]


def same_model(ours, theirs):
    assert to_json(ours.coordinateSystems) == to_json(theirs.coordinateSystems)
    assert to_json(ours.coordinateTransformations) == to_json(theirs.coordinateTransformations)
    assert to_json(ours.datasets) == to_json(theirs.datasets)


def test_theirs_reads_ours(tmp_path):
    theirs = need("ngff_zarr")
    levels = full_image()
    nz.to_ome_zarr(tmp_path / "a.zarr", levels, version="0.6")
    accepted(attributes(tmp_path / "a.zarr"))
    back = theirs.from_ome_zarr(str(tmp_path / "a.zarr"), validate=True)
    same_model(nz.from_ome_zarr(tmp_path / "a.zarr", validate=True).metadata, back.metadata)
    assert np.array_equal(np.asarray(back.images[0].data), levels.images[0].data)
    assert back.metadata.coordinateTransformations[0].affine == AFFINE  # every bit
    entry = attributes(tmp_path / "a.zarr")["ome"]["multiscales"][0]
    assert entry["coordinateTransformations"][0]["path"] == "coordinateTransformations/register"


def test_ours_reads_theirs(tmp_path):
    theirs = need("ngff_zarr")
    theirs.to_ome_zarr(str(tmp_path / "a.zarr"), theirs_of(theirs), version="0.6")
    same_model(nz.from_ome_zarr(tmp_path / "a.zarr", validate=True).metadata,
               theirs.from_ome_zarr(str(tmp_path / "a.zarr")).metadata)


def theirs_of(theirs):
    """The same image, made of their classes."""
    model = theirs.v06.zarr_metadata
    levels = image(package=theirs)
    ours = full_image().metadata
    systems = [model.CoordinateSystem(s.name, [model.Axis(a.name, a.type, a.unit) for a in s.axes])
               for s in ours.coordinateSystems]
    levels.metadata.coordinateSystems = systems
    levels.metadata.coordinateTransformations = model.Metadata._parse_transforms(
        to_json(ours.coordinateTransformations), systems)
    return levels


def test_their_objects_are_written_as_ours(tmp_path):
    theirs = need("ngff_zarr")
    nz.to_ome_zarr(tmp_path / "a.zarr", theirs_of(theirs), version="0.6")
    nz.to_ome_zarr(tmp_path / "b.zarr", full_image(), version="0.6")
    entries = [attributes(tmp_path / n)["ome"]["multiscales"][0] for n in ("a.zarr", "b.zarr")]
    for key in ("coordinateSystems", "coordinateTransformations"):
        assert entries[0][key] == entries[1][key]


@pytest.mark.parametrize("place", ["b.zarr", "b.ozx", "mapping"])
def test_what_is_read_is_written_again(tmp_path, place):
    nz.to_ome_zarr(tmp_path / "a.zarr", full_image(), version="0.6")
    target = {} if place == "mapping" else tmp_path / place
    first = nz.from_ome_zarr(tmp_path / "a.zarr")
    nz.to_ome_zarr(target, first, version="0.6")
    again = nz.from_ome_zarr(target, validate=True)
    assert to_json(again.metadata) == to_json(first.metadata)
    assert np.array_equal(np.asarray(again.images[1].data), np.asarray(first.images[1].data))


def test_consolidated_and_stored_documents_are_the_same(tmp_path):
    nz.to_ome_zarr(tmp_path / "a.zarr", full_image(), version="0.6")
    whole = json.loads((tmp_path / "a.zarr/zarr.json").read_text())["consolidated_metadata"]["metadata"]
    stored = {str(p.parent.relative_to(tmp_path / "a.zarr")): json.loads(p.read_text())
              for p in (tmp_path / "a.zarr").rglob("zarr.json") if p.parent != tmp_path / "a.zarr"}
    for document in whole.values():
        document.pop("consolidated_metadata", None)
    assert whole == stored and "coordinateTransformations/register" in whole


def test_a_caller_keeps_its_objects(tmp_path):
    levels = full_image()
    before = to_json(levels.metadata)
    nz.to_ome_zarr(tmp_path / "a.zarr", levels, version="0.6")
    assert to_json(levels.metadata) == before


def test_matrix_arrays_in_any_codec(tmp_path):
    zarr = need("zarr")
    nz.to_ome_zarr(tmp_path / "a.zarr", full_image(), version="0.6")
    array = zarr.create_array(str(tmp_path / "a.zarr/coordinateTransformations/register"), shape=(2, 3),
                              chunks=(1, 2), dtype="f4", overwrite=True)
    array[:] = np.asarray(AFFINE)
    (first, *_) = nz.from_ome_zarr(tmp_path / "a.zarr").metadata.coordinateTransformations
    assert np.array_equal(first.affine, np.asarray(AFFINE, "f4")) and first.path


def test_a_lost_matrix_is_named(tmp_path):
    nz.to_ome_zarr(tmp_path / "a.zarr", full_image(), version="0.6")
    shutil.rmtree(tmp_path / "a.zarr/coordinateTransformations/register")
    with pytest.raises(ValueError, match="'coordinateTransformations/register'") as error:
        nz.from_ome_zarr(tmp_path / "a.zarr")
    assert "\n" not in str(error.value)


def test_another_intrinsic_system(tmp_path):
    levels = image()
    levels.metadata.coordinateSystems[0].name = "physical"
    for dataset in levels.metadata.datasets:
        dataset.coordinateTransformations[0].output = end("physical")
    nz.to_ome_zarr(tmp_path / "a.zarr", levels, version="0.6")
    back = need("ngff_zarr").from_ome_zarr(str(tmp_path / "a.zarr"), validate=True)
    assert back.metadata.intrinsic_coordinate_system.name == "physical"


REFUSED = [
    ({"input": None, "output": end("atlas")}, "names no input coordinate system"),
    ({"input": end("intrinsic"), "output": end("nowhere")}, "'nowhere', which is not declared"),
    ({"input": end("intrinsic"), "output": end("deep")}, "gives 2 axes where there are 3"),
    ({"input": end("deep"), "output": end("atlas")}, "takes 2 axes where there are 3"),
    ({"input": end("intrinsic"), "output": end("atlas"), "affine": [[1.0, 0.0, 0.0], [0.0, 1.0]]},
     "rectangular matrix"),
    ({"input": end("intrinsic"), "output": end("atlas"), "affine": [[1.0, 0.0, 0.0], [0.0, np.nan, 0.0]]},
     "expected a finite number"),
    ({"input": end("intrinsic"), "output": end("atlas"), "path": "../out"}, "stay below"),
    ({"input": end("intrinsic"), "output": end("atlas"), "path": "scale0/image"}, "in the way of a level"),
    ({"input": end("intrinsic"), "output": end("atlas"), "affine": None, "path": "gone"}, "does not hold its matrix"),
    ({"input": end("intrinsic"), "output": end("x", "%2e%2e/b")}, "stay below"),
]


@pytest.mark.parametrize("change, words", REFUSED, ids=[words for _, words in REFUSED])
def test_a_bad_reference_is_one_line_and_nothing_is_written(tmp_path, change, words):
    step = v06.Affine(**{"affine": AFFINE, **change})
    with pytest.raises(ValueError) as error:
        nz.to_ome_zarr(tmp_path / "a.zarr", image([step], [system("atlas"), system("deep", "zyx")]), version="0.6")
    assert words in str(error.value) and "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("systems, words", [
    ([system("intrinsic")], "names must be non-empty and unique"),
    ([system("")], "names must be non-empty and unique"),
    ([system("a", "xy")], r"\[axis-order\]"),
    ([system("a", "yy")], r"\[axis-"),
    ([system("a", "x")], r"\[axis-count\]"),
])
def test_a_bad_coordinate_system(tmp_path, systems, words):
    with pytest.raises(ValueError, match=words):
        nz.to_ome_zarr(tmp_path / "a.zarr", image(systems=systems), version="0.6")
    assert list(tmp_path.iterdir()) == []


def test_a_sequence_is_followed_through(tmp_path):
    step = v06.TransformSequence(input=end("intrinsic"), output=end("atlas"), transformations=[
        v06.ProjectAxis(createdOutputs=[0]), v06.Scale(scale=[1.0, 2.0])])
    with pytest.raises(ValueError, match=r"transformations\[1\] \(scale\) takes 2 axes where there are 3"):
        nz.to_ome_zarr(tmp_path / "a.zarr", image([step], [system("atlas")]), version="0.6")
    step.transformations[1].scale = [1.0, 2.0, 3.0]
    step.transformations.append(v06.ProjectAxis(droppedInputs=[0]))
    nz.to_ome_zarr(tmp_path / "a.zarr", image([step], [system("atlas")]), version="0.6")
    accepted(attributes(tmp_path / "a.zarr"))
    back = nz.from_ome_zarr(tmp_path / "a.zarr", validate=True)  # 0.50 fails: TypeError
    assert to_json(back.metadata.coordinateTransformations) == to_json([step])


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_older_versions_say_what_they_cannot_hold(tmp_path, version):
    levels = full_image()
    with pytest.raises(ValueError, match=f"4 of .* have no form in OME-Zarr {version}"):
        nz.to_ome_zarr(tmp_path / "a.zarr", levels, version=version)
    assert list(tmp_path.iterdir()) == []
    with pytest.warns(UserWarning, match="'atlas', 'world' and transformations 'register'"):
        flat = levels.metadata.to_version(version)
    assert [d.coordinateTransformations[0].scale for d in flat.datasets] == [[1.0, 1.0], [2.0, 2.0]]
    assert flat.to_version("0.6").coordinateSystems == levels.metadata.coordinateSystems[:1]


def test_a_field_keeps_its_axes(tmp_path):
    for version in ("0.4", "0.5", "0.6"):
        nz.to_ome_zarr(tmp_path / "a.zarr", field_image(), version=version)
        back = nz.from_ome_zarr(tmp_path / "a.zarr")
        assert back.metadata.axes[0].type == "displacement" and back.metadata.axes[0].discrete
        assert back.images[0].axes_types == {"c": "displacement"}


def test_a_field_follows_its_level(tmp_path):
    """The store that is read calls its levels otherwise than the one that is written."""
    nz.to_ome_zarr(tmp_path / "a.zarr", nz.declare_field_transform(field_image()), version="0.6")
    path = tmp_path / "a.zarr"
    text = (path / "zarr.json").read_text().replace("scale0/image", "field")
    (path / "zarr.json").write_text(text)
    (path / "scale0/image").rename(path / "field")
    levels = nz.from_ome_zarr(path)
    assert levels.metadata.coordinateTransformations[0].path == "field"
    nz.to_ome_zarr(tmp_path / "b.zarr", levels, version="0.6")
    back = nz.from_ome_zarr(tmp_path / "b.zarr").metadata
    assert back.coordinateTransformations[0].path == back.datasets[0].path


def test_structural_rules_of_06():
    metadata = full_image().metadata
    nz.validate_structural(metadata, version="0.6")
    arrays = v06.CoordinateSystem("intrinsic", [v06.Axis(f"dim_{n}", "array") for n in range(2)])
    metadata.coordinateSystems[0] = arrays
    nz.validate_structural(metadata, version="0.6")
    with pytest.raises(nz.ValidationError) as error:
        nz.validate_structural(metadata, version="0.5")
    assert error.value.rule == nz.SpecRule.AXIS_ORDER
    for steps, rule in (([v06.Translation(translation=[0.0, 0.0]), v06.Scale(scale=[1.0, 1.0])], "global-coord"),
                        ([v06.Scale(scale=[1.0])], "scale-length"),
                        ([v06.Scale(scale=[1.0, 1.0]), v06.Scale(scale=[1.0, 1.0])], "global-coord")):
        broken = full_image().metadata
        broken.datasets[0].coordinateTransformations[0].transformations = steps
        with pytest.raises(nz.ValidationError) as error:
            nz.validate_structural(broken, version="0.6")
        assert error.value.rule.startswith(rule)
    alone = full_image().metadata
    alone.datasets = alone.datasets[:1]
    alone.datasets[0].coordinateTransformations = [v06.Identity(output=end("intrinsic"))]
    nz.validate_structural(alone, version="0.6")


# ---- scenes and transformations alone -----------------------------------------------------------


def two_images():
    return {"tile/0": image(), "tile/1": image(systems=[system("atlas")])}


def scene(**change):
    world = system("world")
    steps = [v06.Translation(translation=[1.0, 2.0], input=end("intrinsic", "tile/0"), output=end("world")),
             v06.Affine(affine=AFFINE, input=end("atlas", "tile/1"), output=end("world"))]
    return nz.NgffScene(**{"images": two_images(), "coordinateTransformations": steps,
                           "coordinateSystems": [world], **change})


@pytest.mark.parametrize("place", ["s.zarr", "mapping"])
def test_a_scene_comes_back(tmp_path, place):
    made, target = scene(), {} if place == "mapping" else tmp_path / place
    made.to_ome_zarr(target)
    back = nz.NgffScene.from_ome_zarr(target, validate=True)
    assert to_json(back.coordinateTransformations) == to_json(made.coordinateTransformations)
    assert back.coordinateSystems == made.coordinateSystems and sorted(back.images) == ["tile/0", "tile/1"]
    assert np.array_equal(np.asarray(back.images["tile/1"].images[0].data), made.images["tile/1"].images[0].data)


def test_a_scene_in_an_archive(tmp_path):
    nz.to_ome_zarr(tmp_path / "s.zarr", scene())
    pixels = np.asarray(nz.from_ome_zarr(tmp_path / "s.zarr", kind="scene").images["tile/1"].images[0].data)
    with zipfile.ZipFile(tmp_path / "s.ozx", "w") as archive:
        for path in sorted((tmp_path / "s.zarr").rglob("*")):
            archive.write(path, path.relative_to(tmp_path / "s.zarr")) if path.is_file() else None
    back = nz.from_ome_zarr(tmp_path / "s.ozx", kind="scene", validate=True)
    assert np.array_equal(np.asarray(back.images["tile/1"].images[0].data), pixels)


def test_scenes_of_both_packages(tmp_path):
    theirs = need("ngff_zarr")
    made = scene()
    nz.to_ome_zarr(tmp_path / "a.zarr", made)
    accepted(attributes(tmp_path / "a.zarr"), "scene")
    back = theirs.from_ome_zarr(str(tmp_path / "a.zarr"), validate=True, kind="scene")
    assert to_json(back.coordinateTransformations) == to_json(made.coordinateTransformations)
    back.to_ome_zarr(str(tmp_path / "b.zarr"))
    assert to_json(nz.from_ome_zarr(tmp_path / "b.zarr", kind="scene").coordinateTransformations) == to_json(
        made.coordinateTransformations)
    nz.to_ome_zarr(tmp_path / "c.zarr", back)  # their objects
    assert attributes(tmp_path / "c.zarr") == attributes(tmp_path / "b.zarr")


@pytest.mark.parametrize("change, words", [
    ({"coordinateTransformations": []}, "at least one"),
    ({"coordinateSystems": None}, "'world', which the scene does not declare"),
    ({"coordinateSystems": [system("world"), system("alone")]}, "one connected graph"),
    ({"coordinateSystems": [system("world"), system("world")]}, "non-empty and unique"),
    ({"coordinateSystems": [system("world", "zyx")]}, "takes 2 axes|gives 2 axes"),
    ({"images": {"tile/0": image()}}, "'tile/1', which the scene does not contain"),
    ({"images": {**two_images(), "../c": image()}}, "stay below"),
    ({"images": {**two_images(), "C:/c": image()}}, "stay below"),
    ({"images": {**two_images(), "tile/1/scale0": image()}}, "lies inside image"),
    ({"images": {"tile/0": image(), "tile/1": image()}}, "'atlas' of image 'tile/1', which declares"),
    ({"coordinateTransformations": [v06.Identity(input=end("intrinsic", "tile/0"))]}, "must name"),
])
def test_a_scene_that_cannot_be(tmp_path, change, words):
    with pytest.raises(ValueError, match=words) as error:
        nz.to_ome_zarr(tmp_path / "s.zarr", scene(**change))
    assert "\n" not in str(error.value) and list(tmp_path.iterdir()) == []


def test_a_scene_with_a_field(tmp_path):
    made = scene()
    made.coordinateTransformations[0] = v06.Displacements(
        path="coordinateTransformations/field", input=end("intrinsic", "tile/0"), output=end("world"))
    with pytest.raises(ValueError, match="write those first"):
        nz.to_ome_zarr(tmp_path / "s.zarr", made)
    with pytest.raises(ValueError, match="does not hold"):
        nz.to_ome_zarr(tmp_path / "s.zarr", made, overwrite=False)
    assert list(tmp_path.iterdir()) == []
    nz.to_ome_zarr(tmp_path / "s.zarr/coordinateTransformations/field", field_image(), version="0.6")
    nz.to_ome_zarr(tmp_path / "s.zarr", made, overwrite=False)
    back = need("ngff_zarr").from_ome_zarr(str(tmp_path / "s.zarr"), kind="scene", validate=True)
    assert back.coordinateTransformations[0].path == "coordinateTransformations/field"
    assert nz.from_ome_zarr(tmp_path / "s.zarr/coordinateTransformations/field").metadata.axes[0].discrete
    with pytest.raises(FileExistsError, match="tile/0"):
        nz.to_ome_zarr(tmp_path / "s.zarr", made, overwrite=False)
    assert sorted(nz.from_ome_zarr(tmp_path / "s.zarr", kind="scene").images) == ["tile/0", "tile/1"]


def test_a_scene_that_fails_half_way_leaves_the_old_one(tmp_path):
    nz.to_ome_zarr(tmp_path / "s.zarr", scene())
    before = {p: p.read_bytes() for p in (tmp_path / "s.zarr").rglob("*") if p.is_file()}
    broken = scene()

    class Failing:
        shape, dtype, ndim, chunks = (64, 96), np.dtype("u1"), 2, (32, 32)

        def __getitem__(self, key):
            raise OSError("the camera is gone")

    broken.images["tile/1"].images[0].data = Failing()
    broken.images["tile/1"].images[1:] = []
    broken.images["tile/1"].metadata.datasets[1:] = []
    with pytest.raises(Exception, match="camera is gone"):
        nz.to_ome_zarr(tmp_path / "s.zarr", broken)
    assert before == {p: p.read_bytes() for p in (tmp_path / "s.zarr").rglob("*") if p.is_file()}
    assert [p.name for p in tmp_path.iterdir()] == ["s.zarr"]


def test_a_hostile_scene_stays_in_its_store(tmp_path):
    nz.to_ome_zarr(tmp_path / "outside.zarr", image())
    nz.to_ome_zarr(tmp_path / "s.zarr", scene())
    path = tmp_path / "s.zarr/zarr.json"
    path.write_text(path.read_text().replace('"tile/0"', '"../outside.zarr"'))
    with pytest.raises(ValueError, match="stay below"):
        nz.from_ome_zarr(tmp_path / "s.zarr", kind="scene")


def test_a_transformation_alone(tmp_path):
    theirs = need("ngff_zarr")
    made = v06.Affine(affine=AFFINE, name="register")
    nz.to_ome_zarr(tmp_path / "t.zarr", made)
    assert nz.from_ome_zarr(tmp_path / "t.zarr", kind="transformation", validate=True) == made
    back = theirs.from_ome_zarr(str(tmp_path / "t.zarr"), kind="transformation")
    assert back.to_dict() == made.to_dict()
    theirs.to_ome_zarr(str(tmp_path / "u.zarr"), back)
    assert nz.from_ome_zarr(tmp_path / "u.zarr", kind="transformation") == made
    nz.to_ome_zarr(tmp_path / "v.zarr", back)  # their object
    assert nz.from_ome_zarr(tmp_path / "v.zarr", kind="transformation") == made


def test_a_store_of_another_kind_is_named(tmp_path):
    nz.to_ome_zarr(tmp_path / "t.zarr", v06.Identity())
    nz.to_ome_zarr(tmp_path / "s.zarr", scene())
    nz.to_ome_zarr(tmp_path / "i.zarr", image())
    for name, kind, words in (("t.zarr", None, "holds a transformation"), ("s.zarr", None, "holds a scene"),
                              ("s.zarr", "transformation", "holds a scene"), ("i.zarr", "scene", "holds no scene"),
                              ("i.zarr", "transformation", "holds no transformation"), ("i.zarr", "x", "kind must")):
        with pytest.raises(ValueError, match=words):
            nz.from_ome_zarr(tmp_path / name, kind=kind)


@pytest.mark.parametrize("arguments, words", [
    ({"version": "0.5"}, "from OME-Zarr 0.6 on"), ({"start_level": 1}, "images only"),
    ({"chunk_store": {}}, "images only")])
def test_what_is_for_images_only(tmp_path, arguments, words):
    for node in (v06.Identity(), scene()):
        with pytest.raises(ValueError, match=words):
            nz.to_ome_zarr(tmp_path / "t.zarr", node, **arguments)
    with pytest.raises(ValueError, match="directory path"):
        nz.to_ome_zarr(tmp_path / "t.ozx", scene())
    assert list(tmp_path.iterdir()) == []


def test_levels_added_to_an_image_with_systems(tmp_path):
    levels = full_image()
    short = image(levels.metadata.coordinateTransformations, levels.metadata.coordinateSystems[1:])
    del short.images[1:], short.metadata.datasets[1:]
    short.scale_factors, short.generated_data_keys = [], None
    nz.to_ome_zarr(tmp_path / "a.zarr", short, version="0.6")
    nz.to_ome_zarr(tmp_path / "a.zarr", levels, version="0.6", start_level=1, overwrite=False)
    back = nz.from_ome_zarr(tmp_path / "a.zarr", validate=True)
    assert len(back.images) == 2
    nz.to_ome_zarr(tmp_path / "b.zarr", levels, version="0.6")
    assert to_json(back.metadata.coordinateTransformations) == to_json(
        nz.from_ome_zarr(tmp_path / "b.zarr").metadata.coordinateTransformations)
    assert back.metadata.coordinateSystems == levels.metadata.coordinateSystems


def native_image():
    """Nothing that needs an array of its own: the C half writes it, in one pass."""
    return image([v06.TransformSequence(name="turn", input=end("intrinsic"), output=end("world"), transformations=[
        v06.MapAxis(mapAxis=[1, 0]), v06.Scale(scale=[2.0, 1.0 / 3.0])])], [system("world")])


def test_the_c_half_writes_systems(tmp_path, monkeypatch):
    from ngff import _staged

    levels = native_image()
    nz.to_ome_zarr(tmp_path / "staged.zarr", levels, version="0.6", metadata_only=True)
    monkeypatch.setattr(_staged, "write_staged", None)
    nz.to_ome_zarr(tmp_path / "native.zarr", levels, version="0.6")
    assert attributes(tmp_path / "native.zarr") == attributes(tmp_path / "staged.zarr")
    accepted(attributes(tmp_path / "native.zarr"))
    same_model(nz.from_ome_zarr(tmp_path / "native.zarr", validate=True).metadata, need(
        "ngff_zarr").from_ome_zarr(str(tmp_path / "native.zarr"), validate=True).metadata)


def test_the_c_half_refuses_what_does_not_fit(tmp_path):
    from ngff import _core
    from ngff._config import context
    from ngff._source import Source
    from ngff._write import Job

    job = Job(tmp_path / "a.zarr", image(), "0.6", None, {})
    for json_text, words in (('{"coordinateTransformations": [{"type": "identity", "input": {"name": "intrinsic"}, '
                              '"output": {"name": "gone"}}]}', "'gone', which is not declared"), ("{", "JSON")):
        store = _core.open_store(context(), str(tmp_path / "a.zarr"), 1, 0, 0)
        source = Source(job.data, job.description)
        with pytest.raises(ValueError, match=words) as error:
            _core.write(context(), store, job.plan(), source.native, {
                **job.options, "coordinates_json": json_text}, None, None)
        assert "\n" not in str(error.value)
        source.close()
        store.close()
        assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="0.5 has no coordinate systems"):
        _core.write_metadata(context(), _core.open_store(context(), str(tmp_path / "a.zarr"), 1, 0, 0), job.plan(), {
            **job.options, "version": "0.5", "coordinates_json": "{}"})


def test_levels_added_natively_keep_the_systems(tmp_path):
    from ngff import _core
    from ngff._config import context
    from ngff._write import Job

    nz.to_ome_zarr(tmp_path / "a.zarr", full_image(), version="0.6")
    before = attributes(tmp_path / "a.zarr")["ome"]["multiscales"][0]
    job = Job(tmp_path / "a.zarr", image(), "0.6", None, {})
    store = _core.open_store(context(), str(tmp_path / "a.zarr"), 2, 0, 0)
    _core.write_levels(context(), store, job.plan(), 1, job.options)
    store.close()
    after = attributes(tmp_path / "a.zarr")["ome"]["multiscales"][0]
    for key in ("coordinateSystems", "coordinateTransformations"):
        assert after[key] == before[key]


def test_a_planned_write_has_the_systems(tmp_path):
    """Written by many processes, as from a cluster."""
    levels = full_image()
    plan = pickle.loads(pickle.dumps(nz.plan_write(tmp_path / "a.zarr", levels, version="0.6")))
    for n in range(len(plan.partitions)):
        plan.write(n, np.asarray(levels.images[0].data)[plan.region(n)])
    plan.finalize()
    nz.to_ome_zarr(tmp_path / "b.zarr", levels, version="0.6")
    assert attributes(tmp_path / "a.zarr") == attributes(tmp_path / "b.zarr")
    back = nz.from_ome_zarr(tmp_path / "a.zarr", validate=True).metadata
    assert back.coordinateTransformations[0].affine == AFFINE
