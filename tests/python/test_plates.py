"""Plates: what peers and schemas say of those we write, each reading the other's, what a reader can see
when writing fails or is killed, and what is refused."""

import copy
import json
import os
import pathlib
import signal
import subprocess
import sys
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
