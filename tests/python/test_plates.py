"""Plates: what peers and schemas say of those we write, each reading the other's, what a reader can see
when writing fails or is killed, and what is refused."""

import copy
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import textwrap
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import ngff
from conftest import need

sys.path.append(str(pathlib.Path(__file__).parents[1] / "interop"))
FORMS = [("0.4", "zarr"), ("0.5", "zarr"), ("0.6", "zarr"), ("0.5", "ozx"), ("0.6", "ozx")]


def layout(version, rows="AB", columns=3, acquisitions=1):
    return ngff.Plate(
        [ngff.PlateColumn(f"{c + 1}") for c in range(columns)], [ngff.PlateRow(r) for r in rows],
        [ngff.PlateWell(f"{r}/{c + 1}", i, c) for i, r in enumerate(rows) for c in range(columns)],
        version, [ngff.PlateAcquisition(n, f"run {n}", maximumfieldcount=4) for n in range(acquisitions)],
        4, "screen")


def pixels(row, column, field, size=(16, 18)):
    seed = 10000 * ord(row) + 100 * int(column) + field
    return np.random.default_rng(seed).integers(0, 255, size).astype("u1")


def image(row, column, field, factors=(2,), **options):
    return ngff.to_multiscales(pixels(row, column, field, **options), scale_factors=list(factors),
                               chunks=16)


def write(path, version, fields=2, **options):
    """Every well of a plate, its fields last to first."""
    plate = layout(version, **options)
    with ngff.HCSPlateWriter(path, plate) as writer:
        for well in plate.wells:
            row, column = well.path.split("/")
            for field in reversed(range(fields)):
                writer.write_well_image(image(row, column, field), row, column, field)
    return plate


def check_pixels(plate, fields, order=None):
    for well in plate.wells:
        found = plate.get_well(*well.path.split("/"))
        assert [entry.path for entry in found.images] == (order or [str(n) for n in range(fields)])
        for n, entry in enumerate(found.images):
            np.testing.assert_array_equal(np.asarray(found.get_image(n).images[0].data),
                                          pixels(*well.path.split("/"), int(entry.path)))


def documents(path, *groups):
    """The attributes of groups of a directory."""
    for group in groups:
        place = pathlib.Path(path, group)
        name = place / "zarr.json"
        whole = json.loads((name if name.exists() else place / ".zattrs").read_text(encoding="utf-8"))
        yield whole["attributes"] if name.exists() else whole


def left_over(folder):
    return [str(p) for p in pathlib.Path(folder).rglob(".ngff-*")]


# ---- peers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("version,kind", FORMS)
def test_there_and_back(tmp_path, version, kind):
    path = tmp_path / f"p.{kind}"
    plate = write(path, version)
    back = ngff.from_hcs_zarr(path, validate=True)
    assert back.metadata == plate
    check_pixels(back, 2, ["1", "0"])
    assert os.listdir(tmp_path) == [path.name] and not left_over(tmp_path)
    inside = ngff.from_ngff_zarr(f"{path}/B/3/1")
    np.testing.assert_array_equal(np.asarray(inside.images[0].data), pixels("B", "3", 1))


@pytest.mark.parametrize("version", ["0.4", "0.5", "0.6"])
def test_schemas(tmp_path, version):
    from documents import schema_validator

    write(tmp_path / "p.zarr", version)
    found = dict(zip(("plate", "well"), documents(tmp_path / "p.zarr", "", "B/2")))
    for model, attributes in found.items():
        for name in (model, f"strict_{model}"):
            assert not [e.message for e in schema_validator(version, name).iter_errors(attributes)]
        ngff.validate(attributes, version, model, strict=True)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_yaozarrs(tmp_path, version):
    write(tmp_path / "p.zarr", version)
    group = need("yaozarrs").validate_zarr_store(str(tmp_path / "p.zarr"))
    found = group.ome_metadata()
    assert len(found.plate.wells) == 6


@pytest.mark.filterwarnings("ignore:'version' field not specified:UserWarning")  # it looks for 0.4's
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr_models(tmp_path, version):
    write(tmp_path / "p.zarr", version)
    need("ome_zarr_models")
    from importlib import import_module

    group = need("zarr").open_group(tmp_path / "p.zarr", mode="r")
    hcs = import_module(f"ome_zarr_models.v{version.replace('.', '')}.hcs").HCS.from_zarr(group)
    names = [{i.path for i in w.ome_attributes.well.images} if version == "0.5" else
             {i.path for i in w.attributes.well.images} for w in hcs.well_groups]
    assert names == [{"0", "1"}] * 6


@pytest.mark.parametrize("version,kind", FORMS)
def test_they_read_ours(tmp_path, version, kind):
    theirs = need("ngff_zarr")
    path = tmp_path / f"p.{kind}"
    write(path, version)
    plate = theirs.from_hcs_zarr(str(path), validate=True)
    assert plate.name == "screen" and len(plate.wells) == 6
    for well in plate.wells:
        found = plate.get_well(*well.path.split("/"))
        for n, entry in enumerate(found.images):
            np.testing.assert_array_equal(found.get_image(n).images[0].data.compute(),
                                          pixels(*well.path.split("/"), int(entry.path)))


@pytest.mark.parametrize("version,kind", FORMS)
def test_we_read_theirs(tmp_path, version, kind):
    theirs = need("ngff_zarr")
    plate, path = layout(version), tmp_path / f"p.{kind}"
    with theirs.hcs.HCSPlateWriter(str(path), plate) as writer:
        for well in plate.wells:
            row, column = well.path.split("/")
            for n in range(2):
                levels = theirs.to_multiscales(theirs.to_ngff_image(pixels(row, column, n)), [2], chunks=16)
                writer.write_well_image(levels, row, column, n)
    back = ngff.from_hcs_zarr(path, validate=True)
    assert back.metadata == plate
    check_pixels(back, 2)


def test_their_objects_are_taken(tmp_path):
    """Dataclasses and images of the peer, and its plate object."""
    theirs = need("ngff_zarr")
    plate = theirs.Plate([theirs.PlateColumn("1")], [theirs.PlateRow("A")],
                         [theirs.PlateWell("A/1", 0, 0)], version="0.5")
    ngff.to_hcs_zarr(theirs.HCSPlate(str(tmp_path / "p.zarr"), plate), tmp_path / "p.zarr")
    levels = theirs.to_multiscales(theirs.to_ngff_image(pixels("A", "1", 0)), [2], chunks=16)
    ngff.write_hcs_well_image(tmp_path / "p.zarr", levels, plate, "A", "1", version="0.5")
    check_pixels(ngff.from_hcs_zarr(tmp_path / "p.zarr"), 1)


def test_from_a_mapping(tmp_path):
    for version in ("0.4", "0.5"):
        root = tmp_path / f"{version}.zarr"
        write(root, version)
        values = {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}
        check_pixels(ngff.from_hcs_zarr(values, validate=True), 2, ["1", "0"])


def test_from_an_address(tmp_path):
    memory = need("fsspec").filesystem("memory")
    write(tmp_path / "p.zarr", "0.5")
    for file in (tmp_path / "p.zarr").rglob("*"):
        if file.is_file():
            memory.pipe_file(f"/plate.zarr/{file.relative_to(tmp_path / 'p.zarr')}", file.read_bytes())
    check_pixels(ngff.from_hcs_zarr("memory://plate.zarr", validate=True), 2, ["1", "0"])
    memory.rm("/plate.zarr", recursive=True)


# ---- reading ------------------------------------------------------------------------------------


def test_access_and_caches(tmp_path):
    path = tmp_path / "p.zarr"
    plate = layout("0.4", acquisitions=2)
    for field, acquisition in ((0, 0), (1, 1), (2, 1)):
        ngff.write_hcs_well_image(path, image("A", "2", field), plate, "A", "2", field, acquisition)
    back = ngff.from_hcs_zarr(path, validate=True, well_cache_size=1, image_cache_size=2)
    well = back.get_well("A", "2")
    assert well is back.get_well("A", "2") is back.get_well_by_indices(0, 1)
    assert (well.row_index, well.column_index, well.path) == (0, 1, "A/2")
    assert back.get_well("Z", "1") is None and back.get_well_by_indices(0, 3) is None
    assert back.get_well_by_indices(-1, 0) is None
    with pytest.raises(KeyError, match="A/1"):
        back.get_well("A", "1")
    assert well.get_image(3) is None and well.get_image(-1) is None
    assert well.get_image_by_acquisition(0) is well.get_image(0)
    assert well.get_image_by_acquisition(1, 1) is well.get_image(2)
    assert well.get_image_by_acquisition(1, 2) is None and well.get_image_by_acquisition(7) is None
    first = well.get_image(0)  # two are kept
    assert well.get_image(0) is first
    well.get_image(1), well.get_image(2)
    assert well.get_image(0) is not first
    ngff.write_hcs_well_image(path, image("B", "1", 0), plate, "B", "1")
    assert back.get_well("B", "1").images and back.get_well("A", "2") is not well
    assert back.get_well("A", "2")._images.max_size == 2
    assert ngff.from_hcs_zarr(path)._wells.max_size == ngff.config.hcs_well_cache_size == 500


def test_threads_read_one_plate(tmp_path):
    write(tmp_path / "p.ozx", "0.5", fields=3)
    plate = ngff.from_hcs_zarr(tmp_path / "p.ozx", well_cache_size=2, image_cache_size=1)
    wells = [(*well.path.split("/"), n) for well in plate.wells for n in range(3)] * 4

    def look(item):
        row, column, n = item
        well = plate.get_well(row, column)
        found = np.asarray(well.get_image(n).images[0].data)
        return np.array_equal(found, pixels(row, column, int(well.images[n].path)))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(look, wells))


@pytest.mark.parametrize("path", ["../0", "..", "", "/etc", "C:x", "a\\..\\b", "%2e%2e", "a/%2E./b", "./0"])
def test_a_field_stays_inside_its_well(tmp_path, path):
    write(tmp_path / "p.zarr", "0.5", fields=1)
    name = tmp_path / "p.zarr/A/1/zarr.json"
    document = json.loads(name.read_text(encoding="utf-8"))
    document["attributes"]["ome"]["well"]["images"] = [{"path": path}]
    name.write_text(json.dumps(document), encoding="utf-8")
    well = ngff.from_hcs_zarr(tmp_path / "p.zarr").get_well("A", "1")
    with pytest.raises(ValueError, match="must be a relative path below the well group"):
        well.get_image(0)


def test_a_well_stays_inside_its_plate(tmp_path):
    write(tmp_path / "p.zarr", "0.4", fields=1)
    name = tmp_path / "p.zarr/.zattrs"
    document = json.loads(name.read_text(encoding="utf-8"))
    document["plate"]["wells"].append({"path": "../x", "rowIndex": 0, "columnIndex": 0})
    name.write_text(json.dumps(document), encoding="utf-8")
    write(tmp_path / "x", "0.4", fields=1)
    with pytest.raises(ValueError, match="below the plate group"):
        ngff.from_hcs_zarr(tmp_path / "p.zarr").get_well("..", "x")
    with pytest.raises(ValueError, match="plate.wells"):
        ngff.from_hcs_zarr(tmp_path / "p.zarr", validate=True)


def test_what_is_no_plate(tmp_path, pyramid, volume):
    ngff.to_ngff_zarr(tmp_path / "i.zarr", pyramid(volume))
    with pytest.raises(ValueError, match="No plate metadata found"):
        ngff.from_hcs_zarr(tmp_path / "i.zarr")
    with pytest.raises(FileNotFoundError):
        ngff.from_hcs_zarr(tmp_path / "none.zarr")


# ---- validation ---------------------------------------------------------------------------------


def changed(document, path, value):
    *way, last = path
    for key in way:
        document = document[key]
    if value is KeyError:
        del document[last]
    else:
        document[last] = value


PLATE_CHANGES = [
    (("columns",), KeyError), (("rows",), []), (("wells",), {}), (("wells", 0, "rowIndex"), KeyError),
    (("wells", 0, "rowIndex"), -1), (("wells", 0, "columnIndex"), 1.5), (("wells", 0, "columnIndex"), 1.0),
    (("wells", 0, "path"), "A-1"), (("wells", 0, "path"), "A/1/0"), (("wells", 0), {"path": "A/1"}),
    (("rows", 0, "name"), "A_"), (("rows", 0, "name"), 3), (("rows", 1, "name"), "A"), (("rows", 1), 5),
    (("columns", 0), {}), (("field_count",), 0), (("field_count",), 3), (("field_count",), True),
    (("name",), 3), (("name",), KeyError), (("name",), ""), (("acquisitions",), 3), (("acquisitions",), []),
    (("acquisitions", 0, "id"), KeyError), (("acquisitions", 0, "id"), -1),
    (("acquisitions", 0, "maximumfieldcount"), 0), (("acquisitions", 0, "maximumfieldcount"), KeyError),
    (("acquisitions", 0, "name"), KeyError), (("acquisitions", 0, "starttime"), -5),
    (("acquisitions", 0, "endtime"), 5), (("acquisitions", 0, "description"), None), (("mine",), 1)]
WELL_CHANGES = [
    (("images",), KeyError), (("images",), []), (("images", 0, "path"), KeyError),
    (("images", 0, "path"), "a.b"), (("images", 0, "path"), ".."), (("images", 0, "path"), "__a"),
    (("images", 0, "path"), "a/b"), (("images", 0, "path"), 0), (("images", 0, "acquisition"), "0"),
    (("images", 0, "acquisition"), -1), (("images", 0, "acquisition"), KeyError), (("images", 1), 3),
    (("images", 1), {"path": "1", "acquisition": 0})]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("version", ["0.4", "0.5", "0.6"])
@pytest.mark.parametrize("model,changes", [("plate", PLATE_CHANGES), ("well", WELL_CHANGES)])
def test_same_verdicts_as_the_schemas(tmp_path, version, strict, model, changes):
    """A changed document is valid here when it is by the official schema."""
    from documents import schema_validator

    write(tmp_path / "p.zarr", version)
    whole = next(documents(tmp_path / "p.zarr", "" if model == "plate" else "A/1"))
    judge, verdicts = schema_validator(version, f"{'strict_' if strict else ''}{model}"), set()
    prefix = (model,) if version == "0.4" else ("ome", model)
    more = [(("plate", "version"), "0.5")] if (version, model) == ("0.4", "plate") else []
    if version != "0.4":
        more = [(("ome", "version"), value) for value in (KeyError, "0.4", 5)] + [(("ome",), KeyError)]
    for path, value in [((*prefix, *path), value) for path, value in changes] + more:
        document = copy.deepcopy(whole)
        changed(document, path, value)
        valid = judge.is_valid(document)
        verdicts.add(valid)
        if valid:
            ngff.validate(document, version, model, strict)
        else:
            with pytest.raises(ValueError, match=r"^\w+"):
                ngff.validate(document, version, model, strict)
    assert verdicts == {True, False}


def test_a_well_is_judged_when_it_is_loaded(tmp_path):
    write(tmp_path / "p.zarr", "0.4", fields=1, acquisitions=2)
    name = tmp_path / "p.zarr/A/1/.zattrs"
    name.write_text(name.read_text(encoding="utf-8").replace('"acquisition": 0', '"mine": 0'),
                    encoding="utf-8")
    assert ngff.from_hcs_zarr(tmp_path / "p.zarr").get_well("A", "1").images[0].acquisition is None
    plate = ngff.from_hcs_zarr(tmp_path / "p.zarr", validate=True)
    plate.get_well("A", "2")
    with pytest.raises(ngff.ValidationError, match="well-acquisition-missing"):
        plate.get_well("A", "1")


# ---- writing ------------------------------------------------------------------------------------


def test_arguments(tmp_path):
    """The words of the peer, where it has words."""
    theirs, levels = need("ngff_zarr"), image("A", "1", 0)
    plate, two = layout("0.5"), layout("0.5", acquisitions=2)
    less = ngff.Plate(plate.columns, plate.rows, plate.wells[:2], "0.5")
    calls = [lambda m, to: m.write_hcs_well_image(to, levels, plate, "Z", "1", version="0.5"),
             lambda m, to: m.write_hcs_well_image(to, levels, plate, "A", "9", version="0.5"),
             lambda m, to: m.write_hcs_well_image(to, levels, less, "B", "1", version="0.5"),
             lambda m, to: m.write_hcs_well_image(to, levels, plate, "A", "1"),
             lambda m, to: m.write_hcs_well_image(to, levels, two, "A", "1", acquisition_id=None,
                                                  version="0.5"),
             lambda m, to: m.write_hcs_well_image(to, levels, plate, "A", "1", version="0.3"),
             lambda m, to: m.hcs.HCSPlateWriter(to + ".ozx", layout("0.4")),
             lambda m, to: m.hcs.HCSPlateWriter(to, plate, version="0.4"),
             lambda m, to: m.hcs.to_hcs_zarr(m.hcs.HCSPlate(to, layout("0.3")), to)]
    for call in calls:
        said = []
        for module in (theirs, ngff):
            with pytest.raises(ValueError) as caught:
                call(module, str(tmp_path / "p"))
            said.append(str(caught.value))
        assert said[0][:30] == said[1][:30]
    with pytest.raises(ValueError, match="one of \\[0, 1\\]; got 5"):
        ngff.write_hcs_well_image(tmp_path / "p", levels, two, "A", "1", 0, 5, version="0.5")
    for field in ("../0", "a/b", "", ".", "a b"):
        with pytest.raises(ValueError, match="letters and digits"):
            ngff.write_hcs_well_image(tmp_path / "p", levels, plate, "A", "1", field, version="0.5")
    with pytest.raises(ValueError, match="use HCSPlateWriter"):
        ngff.write_hcs_well_image(tmp_path / "p.ozx", levels, plate, "A", "1", version="0.5")
    with pytest.raises(TypeError, match="a path, a mapping, or a store of zarr-python"):
        ngff.to_hcs_zarr(ngff.HCSPlate(None, plate), 7)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("rows,columns,wells,words", [
    (["A", "a"], ["1"], [("A/1", 0, 0)], "case only"),
    (["A", "A"], ["1"], [("A/1", 0, 0)], "twice"),
    (["A/.."], ["1"], [("A/../1", 0, 0)], "letters and digits"),
    ([".."], ["1"], [("../1", 0, 0)], "letters and digits"),
    (["A"], ["1"], [("A/1", 1, 0)], "plate-row-index-consistency"),
    (["A"], ["1"], [], "empty"),
    ([], ["1"], [("A/1", 0, 0)], "empty")])
def test_only_valid_plates_are_written(tmp_path, rows, columns, wells, words):
    plate = ngff.Plate([ngff.PlateColumn(c) for c in columns], [ngff.PlateRow(r) for r in rows],
                       [ngff.PlateWell(*well) for well in wells], "0.5")
    with pytest.raises(ValueError, match=words):
        ngff.to_hcs_zarr(ngff.HCSPlate(None, plate), tmp_path / "in/p.zarr")
    if rows and wells:
        row, column = wells[0][0].rsplit("/", 1)
        with pytest.raises(ValueError):
            ngff.write_hcs_well_image(tmp_path / "in/p.zarr", image("A", "1", 0), plate, row, column,
                                      version="0.5")
    assert not os.listdir(tmp_path)


class Broken:
    """A lazy array whose pixels cannot be had."""

    shape, dtype, ndim, chunks = (64, 64), np.dtype("u1"), 2, (32, 32)

    def __getitem__(self, key):
        raise OSError("no pixels")


def broken():
    return ngff.to_multiscales(ngff.to_ngff_image(Broken(), dims="yx"), scale_factors=[2], chunks=32)


def test_a_field_that_fails_is_not_named(tmp_path):
    path, plate = tmp_path / "p.zarr", layout("0.5")
    with pytest.raises(OSError, match="no pixels"):
        ngff.write_hcs_well_image(path, broken(), plate, "A", "1", version="0.5")
    assert not ngff.from_hcs_zarr(path).get_well("A", "1").images
    assert sorted(p.name for p in path.rglob("*")) == ["1", "A", *["zarr.json"] * 3]
    ngff.write_hcs_well_image(path, image("A", "1", 0), plate, "A", "1", version="0.5")
    for field in (0, 1):  # one that is there, one that is not
        with pytest.raises(OSError, match="no pixels"):
            ngff.write_hcs_well_image(path, broken(), plate, "A", "1", field, version="0.5")
    well = ngff.from_hcs_zarr(path, validate=True).get_well("A", "1")
    assert [entry.path for entry in well.images] == ["0"] and not left_over(path)
    np.testing.assert_array_equal(np.asarray(well.get_image(0).images[0].data), pixels("A", "1", 0))


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_the_given_well(tmp_path, version):
    """Its order and acquisitions count; fields that are not there are not named; it is not changed."""
    path, plate = tmp_path / "p.zarr", layout(version, acquisitions=3)
    given = ngff.Well([ngff.WellImage(name, acquisition) for name, acquisition in
                       (("2", 2), ("1", 1), ("0", 0))], version)
    before = copy.deepcopy(given)
    for field, seen in ((1, "1"), (0, "10"), (3, "103"), (2, "2103")):
        ngff.write_hcs_well_image(path, image("A", "1", field), plate, "A", "1", field, min(field, 2), given,
                                  version)
        images = ngff.from_hcs_zarr(path, validate=True).get_well("A", "1").images
        assert "".join(entry.path for entry in images) == seen and given == before
    ngff.write_hcs_well_image(path, image("A", "1", 0), plate, "A", "1", 0, 2, version=version)
    images = ngff.from_hcs_zarr(path).get_well("A", "1").images
    assert [(entry.path, entry.acquisition) for entry in images] == [("2", 2), ("1", 1), ("0", 2), ("3", 2)]


def test_a_field_without_an_acquisition(tmp_path):
    plate = ngff.Plate([ngff.PlateColumn("1")], [ngff.PlateRow("A")], [ngff.PlateWell("A/1", 0, 0)])
    ngff.write_hcs_well_image(tmp_path / "p", image("A", "1", 0), plate, "A", "1", acquisition_id=None)
    assert next(documents(tmp_path / "p", "A/1")) == {"well": {"images": [{"path": "0"}], "version": "0.4"}}


def test_overwriting(tmp_path):
    path, plate = tmp_path / "p.zarr", write(tmp_path / "p.zarr", "0.5", fields=1)
    new = image("B", "3", 7)
    with ngff.HCSPlateWriter(path, plate, overwrite=False) as writer:  # what is there stays
        with pytest.raises(FileExistsError):
            writer.write_well_image(new, "A", "1", 0)
        writer.write_well_image(image("A", "1", 1), "A", "1", 1)
        writer.write_well_image(new, "A", "2", 0, overwrite=True)
    back = ngff.from_hcs_zarr(path, validate=True)
    for column, field, seed in (("1", 0, ("A", "1", 0)), ("1", 1, ("A", "1", 1)), ("2", 0, ("B", "3", 7))):
        np.testing.assert_array_equal(
            np.asarray(back.get_well("A", column).get_image(field).images[0].data), pixels(*seed))
    with ngff.HCSPlateWriter(path, layout("0.4")) as writer:  # another plate, of another version
        writer.write_well_image(new, "A", "1", 0)
    assert sorted(p.name for p in path.iterdir()) == [".zattrs", ".zgroup", "A"]
    with pytest.raises(ValueError, match="does not match the plate's version '0.4' in"):
        ngff.write_hcs_well_image(path, new, plate, "A", "1", version="0.5")
    with pytest.raises(ValueError, match="cannot be put into a group of Zarr v2"):
        ngff.to_hcs_zarr(ngff.HCSPlate(path, plate), path, overwrite=False)


@pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part:UserWarning")
def test_merging_keeps_what_is_there(tmp_path):
    path, plate = tmp_path / "p.zarr", write(tmp_path / "p.zarr", "0.5", fields=1)
    zarr = need("zarr")
    group = zarr.open_group(path, mode="r+")
    group.attrs["mine"] = [1, 2]
    zarr.consolidate_metadata(path)
    plate.name = "renamed"
    ngff.to_hcs_zarr(ngff.HCSPlate(path, plate), path, overwrite=False)
    attributes = next(documents(path, ""))
    assert attributes["mine"] == [1, 2] and attributes["ome"]["plate"]["name"] == "renamed"
    check_pixels(ngff.from_hcs_zarr(path, validate=True), 1)
    zarr.consolidate_metadata(path)  # a copy of the documents would hide a new field
    ngff.write_hcs_well_image(path, image("A", "1", 1), plate, "A", "1", 1, version="0.5")
    assert len(zarr.open_group(path, mode="r")["A/1"].attrs["ome"]["well"]["images"]) == 2
    assert "1" in set(zarr.open_group(path, mode="r")["A/1"].group_keys())


def test_what_is_not_ours_is_left_alone(tmp_path, pyramid, volume):
    plate, levels = layout("0.5"), image("A", "1", 0)
    (tmp_path / "home/A/1").mkdir(parents=True)
    (tmp_path / "home/letter.txt").write_text("dear", encoding="utf-8")
    for overwrite in (True, False):
        with pytest.raises(FileExistsError):
            ngff.to_hcs_zarr(ngff.HCSPlate(None, plate), tmp_path / "home", overwrite=overwrite)
    with pytest.raises(FileExistsError):
        ngff.write_hcs_well_image(tmp_path / "home", levels, plate, "A", "1", version="0.5")
    assert sorted(os.listdir(tmp_path / "home")) == ["A", "letter.txt"]
    ngff.to_ngff_zarr(tmp_path / "i.zarr", pyramid(volume), version="0.5")
    with pytest.raises(FileExistsError, match="an image, not a plate"):
        ngff.write_hcs_well_image(tmp_path / "i.zarr", levels, plate, "A", "1", version="0.5")
    ngff.from_ngff_zarr(tmp_path / "i.zarr", validate=True)
    write(tmp_path / "p.zarr", "0.5", fields=1)  # a file of somebody's inside a plate
    (tmp_path / "p.zarr/A/notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError, match="notes.txt"):
        ngff.to_hcs_zarr(ngff.HCSPlate(None, plate), tmp_path / "p.zarr")
    (tmp_path / "p.zarr/A/1/0/notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError, match="notes.txt"):
        ngff.write_hcs_well_image(tmp_path / "p.zarr", levels, plate, "A", "1", version="0.5")
    check_pixels(ngff.from_hcs_zarr(tmp_path / "p.zarr"), 1)


def test_an_archive_appears_whole_or_not_at_all(tmp_path):
    path, plate = tmp_path / "p.ozx", layout("0.5")
    with pytest.raises(ZeroDivisionError):
        with ngff.HCSPlateWriter(path, plate) as writer:
            writer.write_well_image(image("A", "1", 0), "A", "1")
            assert not path.exists()
            1 / 0
    assert os.listdir(tmp_path) == []
    write(path, "0.5", fields=1)
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        ngff.HCSPlateWriter(path, plate, overwrite=False).__enter__()
    with pytest.raises(OSError, match="no pixels"):
        with ngff.HCSPlateWriter(path, plate) as writer:
            writer.write_well_image(broken(), "A", "1")
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["p.ozx"]
    with ngff.HCSPlateWriter(path, plate) as writer:
        writer.write_well_image(image("B", "1", 1), "B", "1", 1, chunks_per_shard=2)
        writer.write_well_image(image("B", "1", 0), "B", "1", 0)
    assert path.read_bytes() != before and os.listdir(tmp_path) == ["p.ozx"]
    assert ngff.read_ozx_version(path) == "0.5" and ngff.read_ozx_json_first(path)
    done = subprocess.run([os.environ.get("NGFF", "ngff"), "info", f"{path}/B/1/1"], check=False,
                          capture_output=True, text=True)
    assert done.returncode == 0 and "OME-Zarr 0.5, uint8" in done.stdout, done.stderr


@pytest.fixture
def memory_path():
    """In memory where there is such a place: thousands of files are made and removed."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as path:
        yield pathlib.Path(path)


@pytest.mark.parametrize("kind", ["zarr", "ozx"])
def test_a_big_plate_from_four_threads(memory_path, kind):
    """384 wells of 4 tiny fields; the threads meet in every well."""
    path, plate = memory_path / f"big.{kind}", layout("0.5", "ABCDEFGHIJKLMNOP", 24)
    jobs = [(*well.path.split("/"), field) for well in plate.wells for field in range(4)]
    with ngff.HCSPlateWriter(path, plate) as writer, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda job: writer.write_well_image(image(*job, size=(4, 4), factors=()), *job), jobs))
    back = ngff.from_hcs_zarr(path, validate=True, well_cache_size=10)
    for well in back.wells:
        row, column = well.path.split("/")
        found = back.get_well(row, column)
        assert sorted(entry.path for entry in found.images) == ["0", "1", "2", "3"]
        for n, entry in enumerate(found.images):
            np.testing.assert_array_equal(np.asarray(found.get_image(n).images[0].data),
                                          pixels(row, column, int(entry.path), (4, 4)))
    assert len(back._wells.cache) == 10 and not left_over(memory_path)


PROGRAM = """
    import sys
    sys.path.insert(0, {tests!r})
    from concurrent.futures import ThreadPoolExecutor
    import ngff
    from test_plates import image, layout
    path, mine, overwrite = sys.argv[1], sys.argv[2], sys.argv[3] == "new"
    plate = layout("0.5", "ABCD", 6)
    jobs = [(*well.path.split("/"), field) for well in plate.wells for field in map(int, mine)]
    with ngff.HCSPlateWriter(path, plate, overwrite=overwrite) as writer, ThreadPoolExecutor(4) as pool:
        def one(job):
            try:
                writer.write_well_image(image(*job), *job)
            except FileExistsError:
                pass
            print("a field", flush=True)
        list(pool.map(one, jobs))
        print("all of them", flush=True)
"""


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_field_that_was_not_named_is_named_by_who_finds_it(tmp_path, version):
    """A writer may be killed between the two; whoever keeps what is there would never name it."""
    path, plate = tmp_path / "p.zarr", write(tmp_path / "p.zarr", version, fields=1)
    ngff.to_ome_zarr(path / "A/1/7", image("A", "1", 7), version=version)
    (path / "A/1/8").mkdir()
    (path / "A/1/8/mine.txt").touch()
    with pytest.raises(FileExistsError):
        ngff.write_hcs_well_image(path, image("A", "1", 7), plate, "A", "1", 7, version=version, overwrite=False)
    with pytest.raises(FileExistsError):
        ngff.write_hcs_well_image(path, image("A", "1", 8), plate, "A", "1", 8, version=version, overwrite=False)
    found = ngff.from_hcs_zarr(path, validate=True).get_well("A", "1")
    assert [entry.path for entry in found.images] == ["0", "7"]


def process(tmp_path, path, mine, how):
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM.format(tests=os.path.dirname(__file__))), encoding="utf-8")
    return subprocess.Popen([sys.executable, str(program), str(path), mine, how], stdout=subprocess.PIPE)


def test_processes_share_wells(tmp_path):
    """Three processes of four threads each, into the same wells of one directory."""
    path = tmp_path / "p.zarr"
    running = [process(tmp_path, path, mine, "add") for mine in ("03", "14", "25")]
    assert all(b"all of them" in one.communicate(timeout=120)[0] for one in running)
    back = ngff.from_hcs_zarr(path, validate=True)
    for well in back.wells:
        found = back.get_well(*well.path.split("/"))
        assert sorted(entry.path for entry in found.images) == list("012345")
    assert not left_over(path)


@pytest.mark.parametrize("kind", ["zarr", "ozx"])
def test_killed(tmp_path, kind):
    """At any moment: every field that a document names is whole; an archive is the old one. The next run
    goes on where the dead one was."""
    path, partly = tmp_path / f"p.{kind}", 0
    if kind == "ozx":
        write(path, "0.5", fields=1)
    before = path.read_bytes() if kind == "ozx" else None
    for fields in (1, 4, 9, 17, 30, 49):
        one = process(tmp_path, path, "01", "new" if kind == "ozx" else "add")
        for _ in range(fields):
            one.stdout.readline()
        one.send_signal(signal.SIGKILL)
        one.stdout.close()
        if one.wait() != -signal.SIGKILL:
            before = path.read_bytes() if kind == "ozx" else None
            continue
        if kind == "ozx":
            assert path.read_bytes() == before
            continue
        plate, count = ngff.from_hcs_zarr(path, validate=True), 0
        for well in plate.wells:
            if (path / well.path / "zarr.json").exists():
                found = plate.get_well(*well.path.split("/"))
                count += len(found.images)
                for k, entry in enumerate(found.images):
                    np.testing.assert_array_equal(np.asarray(found.get_image(k).images[0].data),
                                                  pixels(*well.path.split("/"), int(entry.path)))
        assert count >= min(fields, 48) - 8
        partly += 0 < count < 48
    assert kind == "ozx" or partly > 2
    one = process(tmp_path, path, "01", "new")
    assert b"all of them" in one.stdout.read() and one.wait(60) == 0
    one.stdout.close()
    check = ngff.from_hcs_zarr(path, validate=True)
    assert all(len(check.get_well(*well.path.split("/")).images) == 2 for well in check.wells)
    assert [p for p in os.listdir(tmp_path) if p.startswith(".ngff-")] == []


# ---- the command line ---------------------------------------------------------------------------


def command(*words):
    return subprocess.run([os.environ.get("NGFF", "ngff"), *map(str, words)], check=False,
                          capture_output=True, text=True)


@pytest.mark.parametrize("version,kind", FORMS)
def test_info_lists_the_images(tmp_path, version, kind):
    path = tmp_path / f"p.{kind}"
    write(path, version, acquisitions=2)
    names = [f"{row}/{column}/{field}" for row in "AB" for column in "123" for field in (1, 0)]
    lines = command("info", path).stdout.splitlines()
    assert lines[1] == (f"│   OME-Zarr {version} plate, 2 rows, 3 columns, 6 wells, 2 acquisitions, "
                        "name screen")
    assert lines[2:14] == [f"│   {name}, acquisition 0" for name in names]
    found = json.loads(command("info", path, "--json").stdout)
    assert found["plate"] == {"name": "screen", "version": version, "rows": 2, "columns": 3, "wells": 6,
                              "acquisitions": 2}
    assert [(field["path"], field["well"], field["acquisition"]) for field in found["fields"]] == [
        (name, name[:3], 0) for name in names]
    well = command("info", path / "B/2").stdout.splitlines()
    assert well[1:4] == [f"│   OME-Zarr {version} well", "│   1, acquisition 0", "│   0, acquisition 0"]


def test_convert_names_the_images(tmp_path):
    path = tmp_path / "p.zarr"
    write(path, "0.5")
    (path / "A/2/zarr.json").unlink()  # not written yet
    done = command("convert", path, tmp_path / "o.ozx")
    assert done.returncode == 3 and not (tmp_path / "o.ozx").exists()
    assert done.stderr.endswith("a plate, not an image; name one of its images: A/1/1, A/1/0, A/3/1, A/3/0, "
                                "B/1/1, B/1/0, B/2/1, B/2/0, …\n") and done.stderr.count("\n") == 1
    done = command("convert", path / "B/1", tmp_path / "o.ozx")
    assert done.stderr.endswith("a well, not an image; name one of its images: 1, 0\n")
    done = command("-i", path / "B/1/0", "-o", tmp_path / "o.ozx", "--no-omero")
    assert done.returncode == 0, done.stderr
    back = ngff.from_ngff_zarr(tmp_path / "o.ozx")
    np.testing.assert_array_equal(np.asarray(back.images[0].data), pixels("B", "1", 0))
    assert len(back.images) == 2
    document = path / "A/1/zarr.json"
    document.write_text(document.read_text(encoding="utf-8").replace('"1"', '"../../../x"'), encoding="utf-8")
    assert command("info", path).returncode != 0
