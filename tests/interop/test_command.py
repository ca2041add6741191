"""The command line beside ngff-zarr's own: the same call, the same pixels on every level."""

import json
import subprocess

import numpy as np
import pytest

import documents
from harness import ROOT, missing, run_ngff
from inputs import pixels
from peers import need, read_zarr_python

THEIRS = ROOT / "build" / "peers" / "bin" / "ngff-zarr"


def run_theirs(*args):
    if not THEIRS.exists():
        missing("ngff-zarr's command: `./dev setup`")
    subprocess.run([THEIRS, "-q", *map(str, args)], check=True, capture_output=True, timeout=120)


def their_store(path, version, **kwargs):
    nz = need("ngff_zarr")
    image = nz.to_ngff_image(pixels((2, 15, 101, 77), "uint16", seed=3), dims=("c", "z", "y", "x"), name="thing",
                             scale={"z": 2.0, "y": 0.5, "x": 0.5}, translation={"z": 1.0, "y": 0.0, "x": 3.0},
                             axes_units={d: "micrometer" for d in "zyx"})
    levels = nz.to_multiscales(image, scale_factors=[2, 4], chunks=32, method=nz.Methods.ITKWASM_BIN_SHRINK)
    nz.to_ome_zarr(str(path), levels, version=version, **kwargs)


def odd_store(path, version):
    """Levels that no rule of ours makes: sizes rounded up, one axis left alone, paths "0", "1", "2"."""
    zarr = need("zarr")
    group = zarr.open_group(path, mode="w", zarr_format=2)
    scales = [[1.0, 0.3, 0.3], [2.0, 0.6, 0.6], [2.0, 1.2, 1.2]]
    for n, shape in enumerate([(15, 101, 77), (8, 51, 39), (8, 26, 20)]):
        array = group.create_array(str(n), shape=shape, chunks=(4, 20, 20), dtype="float32",
                                   chunk_key_encoding={"name": "v2", "separator": "/"})
        array[:] = pixels(shape, "float32", seed=n)
    group.attrs["multiscales"] = [{
        "version": version, "name": "odd", "axes": [{"name": d, "type": "space"} for d in "zyx"],
        "datasets": [{"path": str(n), "coordinateTransformations": [{"type": "scale", "scale": scale}]}
                     for n, scale in enumerate(scales)]}]


def positions(store):
    return [tuple(map(list, documents.scale_and_translation(d))) for d in documents.multiscale(store)["datasets"]]


def check_same(theirs, ours):
    a, b = documents.multiscale(theirs), documents.multiscale(ours)
    for entry in (a, b):
        entry.pop("datasets")
    assert a == b
    assert positions(theirs) == positions(ours)
    paths = documents.dataset_paths(theirs)
    assert paths == documents.dataset_paths(ours)
    for path, x, y in zip(paths, read_zarr_python(theirs, paths), read_zarr_python(ours, paths), strict=True):
        np.testing.assert_array_equal(x, y)
        grids = [documents.load(s / path / "zarr.json")["chunk_grid"] for s in (theirs, ours)]
        assert grids[0] == grids[1]


@pytest.mark.parametrize("make, version", [(their_store, "0.4"), (their_store, "0.5"), (odd_store, "0.4")])
def test_levels_of_a_store_are_copied(tmp_path, make, version):
    store, theirs, ours = (tmp_path / f"{name}.ome.zarr" for name in ("in", "theirs", "ours"))
    make(store, version)
    run_theirs("-i", store, "-o", theirs, "--no-omero")
    run_ngff("-i", store, "-o", ours, "--no-omero", "-q")
    check_same(theirs, ours)


def test_copied_levels_follow_what_is_said_of_level_0(tmp_path):
    store, out = tmp_path / "in.ome.zarr", tmp_path / "out.ome.zarr"
    odd_store(store, "0.4")
    run_ngff("convert", store, out, "--keep-levels", "--scale", "1,0.6,0.3", "--translation", "5,7,9", "--chunks", "16",
             "--chunks-per-shard", "2", "--layout", "seed", "--ome-zarr-version", "0.6")
    assert positions(out) == [([1.0, 0.6, 0.3], [5.0, 7.0, 9.0]), ([2.0, 1.2, 0.6], [5.0, 7.0, 9.0]),
                              ([2.0, 2.4, 1.2], [5.0, 7.0, 9.0])]
    assert documents.dataset_paths(out) == ["scale0/odd", "scale1/odd", "scale2/odd"]
    for n, level in enumerate(read_zarr_python(out, documents.dataset_paths(out))):
        np.testing.assert_array_equal(level, pixels(level.shape, "float32", seed=n))
    shards = documents.load(out / "scale2" / "odd" / "zarr.json")["chunk_grid"]["configuration"]["chunk_shape"]
    assert shards == [8, 32, 32]


def test_a_method_asks_for_new_levels(tmp_path):
    store, out = tmp_path / "in.ome.zarr", tmp_path / "out.ome.zarr"
    odd_store(store, "0.4")
    run_ngff("-i", store, "-o", out, "-m", "itkwasm_bin_shrink", "-c", "16", "-q")
    assert [list(level.shape) for level in read_zarr_python(out, documents.dataset_paths(out))][1] == [15, 50, 38]
    assert documents.multiscale(out)["type"] == "bin_shrink"


def test_display_windows_of_a_store_stay(tmp_path):
    store, theirs, ours = (tmp_path / f"{name}.ome.zarr" for name in ("in", "theirs", "ours"))
    their_store(store, "0.5")
    document = json.loads((store / "zarr.json").read_text())
    channel = {"color": "00FF00", "label": "a", "active": True, "window": {"min": 1.0, "max": 9.0, "start": 2.0, "end": 8.0}}
    document["attributes"]["ome"]["omero"] = {"channels": [channel, {**channel, "label": "b"}]}
    (store / "zarr.json").write_text(json.dumps(document))
    run_theirs("-i", store, "-o", theirs)
    run_ngff("-i", store, "-o", ours, "-q")
    windows = [[c["window"] for c in documents.ome(s)["omero"]["channels"]] for s in (theirs, ours)]
    assert windows[0] == windows[1]


def test_levels_of_a_tiff_are_copied(tmp_path):
    tifffile = need("tifffile")
    levels = [pixels((64 >> n, 96 >> n), "uint16", seed=n) for n in range(3)]
    with tifffile.TiffWriter(tmp_path / "in.ome.tif", ome=True) as file:
        file.write(levels[0], subifds=2, tile=(16, 16), metadata={"axes": "YX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5})
        for level in levels[1:]:
            file.write(level, subfiletype=1, tile=(16, 16))
    ours, theirs = tmp_path / "ours.ome.zarr", tmp_path / "theirs.ome.zarr"
    run_theirs("-i", tmp_path / "in.ome.tif", "-o", theirs, "--no-omero")
    run_ngff("-i", tmp_path / "in.ome.tif", "-o", ours, "--no-omero", "-q")
    assert positions(ours) == positions(theirs)
    assert "type" not in documents.multiscale(ours)
    for got, want in zip(read_zarr_python(ours, documents.dataset_paths(ours)), levels, strict=True):
        np.testing.assert_array_equal(got, want)


def three_images(path):
    with need("tifffile").TiffWriter(path, ome=True) as file:
        for n, name in enumerate(["A/../b", "part0", "part1"]):
            file.write(pixels((5 + n, 32, 48), "uint16", seed=n), metadata={"axes": "ZYX", "Name": name})
    return path


@pytest.mark.parametrize("words, output, numbers", [
    ([], "out.ome.zarr", [0, 1, 2]), (["--series", "all"], "out.zarr", [0, 1, 2]), ([], "out.ozx", [0, 1, 2]),
    (["--series", "*PART1"], "out.ome.zarr", [2]), (["--series", "a*t0"], "out.ome.zarr", [1]),
    (["--series", "1"], "out.ome.zarr", [1])])
def test_series_are_named_as_theirs(tmp_path, words, output, numbers):
    source, names = three_images(tmp_path / "in.ome.tif"), []
    for run, folder in ((run_theirs, tmp_path / "theirs"), (run_ngff, tmp_path / "ours")):
        folder.mkdir()
        run("-i", source, "-o", folder / output, "--no-omero", *words)
        names.append(sorted(p.name for p in folder.iterdir()))
    assert names[0] == names[1]
    read = sorted(int(run_ngff("info", tmp_path / "ours" / name, "--json").json()["shape"][0]) for name in names[1])
    assert read == [5 + n for n in numbers]


# ---- judging ----


def space(name, *orientation, **more):
    axis = {"name": name, "type": "space", **more}
    return {**axis, "orientation": orientation[0]} if orientation else axis


def anatomical(value):
    return {"type": "anatomical", "value": value}


AXES = {
    "plain": [space("y"), space("x")],
    "oriented": [space("y", anatomical("anterior-to-posterior")), space("x", anatomical("right-to-left"))],
    "null": [space("y", None), space("x", {})],
    "channel": [{"name": "c", "type": "channel", "orientation": anatomical("left-to-right")}, space("y"), space("x")],
    "type": [space("y", {"type": "other", "value": "left-to-right"}), space("x", {"value": "left-to-right"})],
    "value": [space("y", {"type": "anatomical"}), space("x", anatomical("up-to-down"))],
    "twice": [space("z", anatomical("left-to-right")), space("y", anatomical("right-to-left")),
              space("x", anatomical("left-to-right"))],
    "odd": ["y", space("x", "left-to-right"), {"orientation": anatomical("left-to-right"), "type": "space"}],
    "none": [],
}


def root_document(path, version, axes):
    path.mkdir()
    entry = {"axes": axes, "datasets": []}
    if version == "0.6":
        entry = {"coordinateSystems": [{"name": "other", "axes": [space("q")]}, {"name": "intrinsic", "axes": axes}],
                 "datasets": [{"path": "0", "coordinateTransformations": [{"output": {"name": "intrinsic"}}]}]}
    if version == "0.4":
        return (path / ".zattrs").write_text(json.dumps({"multiscales": [entry]}))
    attributes = {"ome": {"version": version, "multiscales": [entry]}}
    return (path / "zarr.json").write_text(json.dumps({"zarr_format": 3, "node_type": "group", "attributes": attributes}))


@pytest.mark.parametrize("version", ["0.4", "0.5", "0.6"])
def test_conformance_is_theirs(tmp_path, version):
    report = need("ngff_zarr.rfc4_conformance").conformance_report
    seen = set()
    for name, axes in AXES.items():
        store = tmp_path / name
        root_document(store, version, axes)
        ours = json.loads(run_ngff("conformance", store).out)
        assert ours == report(str(store)), name
        seen |= {*ours["violations"], *ours["warnings"]}
    assert len(seen) == 7


def test_conformance_of_what_is_no_store(tmp_path):
    report = need("ngff_zarr.rfc4_conformance").conformance_report
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "zarr.json").write_text("{")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group", "attributes": {}}')
    (tmp_path / "broken.zip").write_text("no archive")
    for name in ("empty", "broken", "other", "missing", "broken.zip", "missing.zip"):
        path = tmp_path / name
        assert json.loads(run_ngff("conformance", path).out) == report(str(path)), name


def findings(store, *options):
    result = run_ngff("validate", store, "--json", *options, expect=None)
    found = result.json()
    assert result.code == (0 if found["valid"] else 4)
    assert found["valid"] == (not found["findings"])
    return sorted({f["rule"] for f in found["findings"]})


def written(path, version, *options):
    np.save(path.parent / "in.npy", pixels((2, 12, 30, 40), "uint16"))
    run_ngff("convert", path.parent / "in.npy", path, "--dims", "c,z,y,x", "--units", "z=micrometer,y=micrometer,x=micrometer",
             "--ome-zarr-version", version, "--chunks", "16", "--scale-factors", "2", "--omero-quantiles", "0.02,0.98",
             *options)
    return path


@pytest.mark.parametrize("version", ["0.4", "0.5", "0.6"])
@pytest.mark.parametrize("layout", ["seed", "flat"])
def test_what_we_write_is_valid(tmp_path, version, layout):
    store = written(tmp_path / "a.ome.zarr", version, "--layout", layout)
    assert findings(store, "--strict", "--data") == []
    if version != "0.4":
        run_ngff("zip", store, tmp_path / "a.ozx")
        assert findings(tmp_path / "a.ozx", "--data") == []


def attributes_of(store):
    path = store / ("zarr.json" if (store / "zarr.json").exists() else ".zattrs")
    document = json.loads(path.read_text())
    holder = document["attributes"]["ome"] if path.name == "zarr.json" else document
    return path, document, holder


def put(holder, where, value):
    for name in where[:-1]:
        holder = holder[name]
    if value is None:
        del holder[where[-1]]
    else:
        holder[where[-1]] = value


STEPS = ("multiscales", 0, "datasets", 1, "coordinateTransformations")
ONE = [{"type": "scale", "scale": [1.0, 2.0, 2.0, 2.0]}]
BROKEN = [  # where, what, the rules that it breaks, recommendations among them
    (("multiscales",), [], ["MS-7"]),
    (("multiscales", 0, "axes"), None, ["MS-1"]),
    (("multiscales", 0, "axes", 3, "name"), "y", ["AX-2", "MS-6"]),
    (("multiscales", 0, "axes", 0, "type"), "space", ["AX-5", "MS-3"]),
    (("multiscales", 0, "axes", 2, "type"), None, ["AX-3", "MS-3", "MS-5"]),
    (("multiscales", 0, "axes", 0, "type"), "time", ["AX-5"]),
    (("multiscales", 0, "axes", 1, "type"), "time", ["AX-6", "MS-5"]),
    (("multiscales", 0, "axes", 1, "unit"), "um", ["AX-6"]),
    (("multiscales", 0, "axes", 1, "orientation"), {"type": "anatomical", "value": "up"}, ["R4-3"]),
    (("multiscales", 0, "axes", 0, "orientation"), {"type": "anatomical", "value": "left-to-right"}, ["R4-1"]),
    (("multiscales", 0, "datasets"), [], ["MS-7"]),
    (("multiscales", 0, "datasets", 1, "path"), "nowhere", ["MS-8"]),
    (STEPS, None, ["MS-12", "MS-15"]),
    (STEPS, [*ONE, *ONE], ["MS-14", "MS-15"]),
    (STEPS, [{"type": "translation", "translation": [0.0] * 4}, *ONE], ["MS-16"]),
    (STEPS, [{"type": "scale", "scale": [1.0, 2.0, 2.0]}], ["MS-17"]),
    (STEPS, [{"type": "scale", "scale": [1.0, 0.0, 2.0, 2.0]}], ["CT-3"]),
    (STEPS, [{"type": "affine"}], ["MS-13", "MS-14"]),
    (STEPS, [{"type": "scale", "scale": [1.0, 0.5, 2.0, 2.0]}], ["MS-9"]),
    (STEPS, [{"type": "scale", "scale": [1.0, 4.0, 2.0, 2.0]}], ["MS-15"]),
    (("multiscales", 0, "name"), None, ["MS-19"]),
    (("multiscales", 0, "type"), None, ["MS-21"]),
    (("multiscales", 0, "metadata"), None, ["MS-22"]),
    (("omero", "channels"), {}, ["OM-1"]),
    (("omero", "channels", 0, "color"), "red", ["OM-2"]),
    (("omero", "channels", 0, "window"), None, ["OM-3"]),
    (("omero", "channels", 0, "window", "max"), None, ["OM-4"]),
    (("omero", "channels", 0, "window", "start"), "1", ["OM-5"]),
    (("omero", "channels"), [{"color": "00FF00", "window": {"min": 0, "max": 1, "start": 0, "end": 1}}], ["OM-6"]),
]
RECOMMENDED = {"AX-3", "AX-5", "AX-6", "MS-6", "MS-15", "MS-19", "MS-20", "MS-21", "MS-22", "OM-6"}


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_broken_documents_are_named(tmp_path, version):
    store = written(tmp_path / "a.ome.zarr", version)
    path, whole, _ = attributes_of(store)
    for where, value, rules in BROKEN:
        _, document, holder = attributes_of(store)
        put(holder, where, value)
        path.write_text(json.dumps(document))
        assert findings(store, "--strict") == rules, (where, value)
        must = [r for r in rules if r not in RECOMMENDED]
        assert bool(findings(store)) == bool(must), (where, value)
        path.write_text(json.dumps(whole))
    assert findings(store, "--strict") == []


def test_broken_versions_are_named(tmp_path):
    store = written(tmp_path / "a.ome.zarr", "0.5")
    path, whole, _ = attributes_of(store)
    ome = whole["attributes"]["ome"]
    for attributes, rule in (({"ome": {**ome, "version": "0.4"}}, "GEN-6"), (ome, "GEN-5")):
        path.write_text(json.dumps({**whole, "attributes": attributes}))
        assert rule in findings(store)
    path.write_text(json.dumps(whole))
    (store / ".zgroup").write_text('{"zarr_format": 2}')
    assert findings(store) == [] and findings(store, "--strict") == ["GEN-9"]


def test_broken_arrays_and_chunks_are_named(tmp_path):
    store = written(tmp_path / "a.ome.zarr", "0.5", "--codec", "zstd")
    array = store / "scale1" / "in" / "zarr.json"
    whole = array.read_text()
    document = json.loads(whole)
    for change, rule in (({"dimension_names": ["c", "z", "x", "y"]}, "AX-9"), ({"shape": [2, 6, 15]}, "MS-8"),
                         ({"shape": [2, 13, 15, 20]}, "MS-9"), ({"data_type": "uint8"}, "MS-23")):
        array.write_text(json.dumps({**document, **change}))
        assert rule in findings(store, "--strict"), rule
    document.pop("dimension_names")
    array.write_text(json.dumps(document))
    assert findings(store) == ["AX-8"]
    array.write_text(whole)
    chunk = store / "scale0" / "in" / "c" / "1" / "0" / "1" / "0"
    chunk.write_bytes(chunk.read_bytes()[:-7])
    assert findings(store) == [] and findings(store, "--data") == ["DATA"]


def test_labels_are_judged_with_their_image(tmp_path):
    store = written(tmp_path / "a.ome.zarr", "0.5")
    labels = store / "labels"
    labels.mkdir()
    group = {"zarr_format": 3, "node_type": "group"}
    (labels / "zarr.json").write_text(json.dumps({**group, "attributes": {"ome": {"version": "0.5",
                                                                               "labels": ["cells", "none"]}}}))
    np.save(tmp_path / "f.npy", pixels((12, 30, 40), "float32"))
    run_ngff("convert", tmp_path / "f.npy", labels / "cells", "--scale-factors", "none", "--ome-zarr-version", "0.6",
             "--no-omero")
    assert findings(store) == ["GEN-7", "LB-2", "LB-5", "LB-6"]
