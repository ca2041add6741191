"""What is said of an image: codecs written as JSON, orientation, display windows, attributes that
stay, and the command line of ngff-zarr."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest

import documents
from harness import ROOT, USAGE, missing, run_ngff
from inputs import pixels, save_npy
from peers import read_tensorstore, read_zarr_python


def convert(tmp_path, array, *options, name="out.ome.zarr", expect=0):
    source = tmp_path / "in.npy"
    save_npy(source, array)
    result = run_ngff("convert", source, tmp_path / name, *options, expect=expect)
    return tmp_path / name, result


def level0(store):
    return read_tensorstore(store, documents.dataset_paths(store)[:1])[0]


# ---- codecs -------------------------------------------------------------------------------------

V2 = [{"id": "zlib", "level": 3}, {"id": "gzip", "level": 1}, {"id": "zstd", "level": 2},
      {"id": "blosc", "cname": "zstd", "clevel": 3, "shuffle": 1, "blocksize": 0}, None]
BYTES = {"name": "bytes", "configuration": {"endian": "little"}}
V3 = [
    [{"name": "gzip", "configuration": {"level": 4}}],
    [{"name": "zstd", "configuration": {"level": 2, "checksum": True}}, {"name": "crc32c"}],
    [BYTES, {"name": "zstd", "configuration": {"level": 1, "checksum": False}}],
    [{"name": "transpose", "configuration": {"order": [1, 0]}}, BYTES,
     {"name": "gzip", "configuration": {"level": 1}}],
    [],
]


@pytest.mark.parametrize("codec", V2, ids=str)
def test_compressor_of_v2_stands_as_given(tmp_path, codec):
    array = pixels((70, 90), "uint16")
    store, _ = convert(tmp_path, array, "--ome-zarr-version", "0.4", "--compressor",
                       json.dumps(codec))
    paths = documents.dataset_paths(store)
    for path in paths:
        assert json.loads((store / path / ".zarray").read_text())["compressor"] == codec
    np.testing.assert_array_equal(read_zarr_python(store, paths[:1])[0], array)


@pytest.mark.parametrize("shards", [(), ("--chunks-per-shard", "2")], ids=["plain", "sharded"])
@pytest.mark.parametrize("codecs", V3, ids=str)
def test_codecs_of_v3_stand_as_given(tmp_path, codecs, shards):
    array = pixels((70, 90), "uint16")
    store, _ = convert(tmp_path, array, "--chunks", "32", "--compressors", json.dumps(codecs),
                       *shards)
    paths = documents.dataset_paths(store)
    want = codecs if BYTES in codecs else [BYTES, *codecs]
    for path in paths:
        got = json.loads((store / path / "zarr.json").read_text())["codecs"]
        if shards:
            got = got[0]["configuration"]["codecs"]
        assert got == want
    np.testing.assert_array_equal(level0(store), array)


@pytest.mark.parametrize("options, message", [
    (("--ome-zarr-version", "0.4", "--compressors", "[]"), "`compressors` are not supported"),
    (("--compressor", '{"id":"zlib"}'), "--compressors"),
    (("--ome-zarr-version", "0.4", "--compressor", '["zlib"]'), "`compressors` are not supported"),
    (("--ome-zarr-version", "0.4", "--compressor", '{"level":1}'), '"id"'),
    (("--ome-zarr-version", "0.4", "--compressor", "zlib"), "codec"),
    (("--ome-zarr-version", "0.4", "--compressor", '{"id":"gzip","level":77}'), "77"),
    (("--compressors", '[{"name":"zstd","configuration":{"level":99,"checksum":false}}]'), "99"),
    (("--compressors", '[{"name":"sharding_indexed","configuration":{}}]'), "chunks per shard"),
    (("--compressors", "[]", "--codec", "zstd"), "--codec"),
])
def test_codecs_that_make_no_sense(tmp_path, options, message):
    store, result = convert(tmp_path, pixels((30, 30), "uint16"), *options, expect=USAGE)
    assert message in result.err and not store.exists()


@pytest.mark.parametrize("options", [
    ("--ome-zarr-version", "0.4", "--compressor", '{"id":"bz2","level":1}'),
    ("--compressors", '[{"name":"nobodys","configuration":{}}]'),
])
def test_codecs_that_cannot_be_written(tmp_path, options):
    store, _ = convert(tmp_path, pixels((30, 30), "uint16"), *options, expect=None)
    assert not store.exists()


@pytest.mark.parametrize("name", ["BZ2", "LZMA", "Zlib", "LZ4"])
def test_codecs_of_numcodecs_are_read(tmp_path, name):
    zarr = pytest.importorskip("zarr")
    numcodecs = pytest.importorskip("numcodecs")
    array = pixels((70, 90), "uint16")
    group = zarr.open_group(str(tmp_path / "in.zarr"), mode="w", zarr_format=2)
    stored = group.create_array("0", shape=array.shape, chunks=(32, 40), dtype="uint16",
                                compressors=getattr(numcodecs, name)())
    stored[...] = array
    run_ngff("convert", tmp_path / "in.zarr" / "0", tmp_path / "out.ome.zarr", "--dims", "yx")
    np.testing.assert_array_equal(level0(tmp_path / "out.ome.zarr"), array)


# ---- orientation --------------------------------------------------------------------------------

LPS = {"x": "right-to-left", "y": "anterior-to-posterior", "z": "inferior-to-superior"}
RAS = {"x": "left-to-right", "y": "posterior-to-anterior", "z": "inferior-to-superior"}
PAIRS = ["left right", "anterior posterior", "inferior superior", "dorsal ventral", "dorsal palmar",
         "dorsal plantar", "rostral caudal", "cranial caudal", "proximal distal",
         "superficial deep", "apical basal", "apex base"]
TERMS = [f"{a}-to-{b}" for pair in PAIRS for a, b in (pair.split(), pair.split()[::-1])]


def orientations(store):
    return {a["name"]: a["orientation"] for a in documents.multiscale(store)["axes"]
            if "orientation" in a}


def as_objects(values):
    return {name: {"type": "anatomical", "value": value} for name, value in values.items()}


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("text, want", [("LPS", LPS), ("RAS", RAS),
                                        ("x=cranial-to-caudal", {"x": "cranial-to-caudal"})])
def test_orientation_is_written(tmp_path, version, text, want):
    store, _ = convert(tmp_path, pixels((8, 9, 10), "uint8"), "--dims", "zyx", "--orientation",
                       text, "--enable-rfc", "4", "--ome-zarr-version", version)
    assert orientations(store) == as_objects(want)
    documents.check_schema(store, strict=False)


def test_orientation_needs_the_rfc(tmp_path):
    store, result = convert(tmp_path, pixels((8, 9, 10), "uint8"), "--orientation", "LPS")
    assert orientations(store) == {} and "--enable-rfc 4" in result.err
    convert(tmp_path, pixels((8, 9), "uint8"), "--enable-rfc", "5", expect=USAGE, name="no.zarr")


def test_orientation_knows_all_terms(tmp_path):
    assert len(TERMS) == 24
    save_npy(tmp_path / "in.npy", pixels((8, 9), "uint8"))
    for term in TERMS:
        run_ngff("convert", tmp_path / "in.npy", tmp_path / "out.zarr", "--orientation",
                 f"x={term}", "--enable-rfc", "4", "--overwrite")
        assert orientations(tmp_path / "out.zarr") == as_objects({"x": term})


@pytest.mark.parametrize("text", ["x=left-to-left", "x=sideways", "c=left-to-right", "XYZ",
                                  "x=left-to-right,y=right-to-left",
                                  "x=left-to-right,y=left-to-right"])
def test_orientation_that_makes_no_sense(tmp_path, text):
    store, _ = convert(tmp_path, pixels((2, 8, 9), "uint8"), "--dims", "cyx", "--orientation",
                       text, "--enable-rfc", "4", expect=USAGE)
    assert not store.exists()


def test_orientation_of_a_nifti(tmp_path):
    nib = pytest.importorskip("nibabel")
    affine = np.diag([-2.0, 3.0, 4.0, 1.0])
    nib.save(nib.Nifti1Image(pixels((9, 8, 7), "int16"), affine), tmp_path / "in.nii")
    run_ngff("convert", tmp_path / "in.nii", tmp_path / "out.zarr", "--enable-rfc", "4")
    assert orientations(tmp_path / "out.zarr") == as_objects(
        {"x": "right-to-left", "y": "posterior-to-anterior", "z": "inferior-to-superior"})
    turned = affine.copy()
    turned[:2, :2] = [[-1.9, 0.6], [0.5, 2.9]]
    nib.save(nib.Nifti1Image(pixels((9, 8, 7), "int16"), turned), tmp_path / "turned.nii")
    result = run_ngff("convert", tmp_path / "turned.nii", tmp_path / "turned.zarr")
    assert "rotation" in result.err


# ---- display windows ----------------------------------------------------------------------------


def channels(store):
    return documents.ome(store)["omero"]["channels"]


def window_of(values, low, high):
    values = values[np.isfinite(values)].astype("float64")
    if values.size == 0:
        return {"min": 0, "max": 1, "start": 0, "end": 1}
    return {"min": values.min(), "max": values.max(), "start": np.quantile(values, low),
            "end": np.quantile(values, high)}


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "float16", "bool"])
@pytest.mark.parametrize("threads", [1, 5])
def test_windows_are_exact_for_16_bits(tmp_path, dtype, threads):
    array = pixels((3, 20, 70, 90), dtype, seed=3)
    store, _ = convert(tmp_path, array, "--dims", "czyx", "--chunks", "32", "--omero-quantiles",
                       "0.1,0.95", "--threads", threads, "--method", "mode")
    found = channels(store)
    assert len(found) == 3
    for c in range(3):
        want = window_of(array[c], 0.1, 0.95)
        for key, value in want.items():
            assert found[c]["window"][key] == pytest.approx(value, rel=1e-12), (c, key)


@pytest.mark.parametrize("dtype", ["uint32", "int32", "uint64", "int64", "float32", "float64"])
def test_windows_are_close_for_wide_types(tmp_path, dtype):
    random = np.random.default_rng(4)
    values = random.normal(20000, 3000, (30, 70, 90))
    array = values.astype(dtype)
    if dtype.startswith("float"):
        array[0, 0, :3] = [np.nan, np.inf, -np.inf]
    store, _ = convert(tmp_path, array, "--dims", "zyx", "--omero-quantiles", "0.02,0.98")
    (channel,) = channels(store)
    want = window_of(array, 0.02, 0.98)
    assert channel["window"]["min"] == want["min"] and channel["window"]["max"] == want["max"]
    wide = want["max"] - want["min"] if dtype[-2:] in ("32", "64") else 0
    for key in ("start", "end"):
        near = 0.3 * wide if "int" in dtype else 0.01 * abs(want[key])
        assert abs(channel["window"][key] - want[key]) <= near


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_windows_of_nothing_finite(tmp_path, version):
    array = np.full((20, 30), np.nan, "float32")
    store, _ = convert(tmp_path, array, "--omero-quantiles", "0,1", "--ome-zarr-version", version)
    assert channels(store)[0]["window"] == {"min": 0, "max": 1, "start": 0, "end": 1}
    documents.check_metadata_sane(store)


def test_windows_are_the_same_however_it_is_done(tmp_path):
    array = pixels((40, 120, 130), "float32", seed=8)
    array = np.where(np.isfinite(array), array, 3).astype("float32")
    options = ("--omero-quantiles", "0.02,0.98", "--chunks", "16")
    first, _ = convert(tmp_path, array, *options, "--threads", "1", name="a.zarr")
    second, _ = convert(tmp_path, array, *options, "--threads", "7", name="b.zarr")
    third, _ = convert(tmp_path, array, *options, "--memory-target", "16M", name="c.zarr")
    assert channels(first) == channels(second) == channels(third)
    packed, _ = convert(tmp_path, array, *options, name="d.ozx")
    info = run_ngff("unzip", packed, tmp_path / "e.zarr")
    assert info.code == 0 and channels(tmp_path / "e.zarr") == channels(first)


def test_channels_by_options(tmp_path):
    array = pixels((2, 30, 40), "uint16")
    store, _ = convert(tmp_path, array, "--dims", "cyx", "--omero-colors", "FF0000,#00ff00",
                       "--omero-labels", "DAPI,GFP", "--omero-window", "0,9,1,8;0,100,5,50")
    first, second = channels(store)
    assert (first["color"], first["label"]) == ("FF0000", "DAPI")
    assert (second["color"], second["label"]) == ("00ff00", "GFP")
    assert first["window"] == {"min": 0, "max": 9, "start": 1, "end": 8}
    assert second["window"] == {"min": 0, "max": 100, "start": 5, "end": 50}
    documents.check_schema(store, strict=False)


def test_no_omero(tmp_path):
    array = pixels((2, 30, 40), "uint16")
    store, _ = convert(tmp_path, array, "--dims", "cyx", "--omero-labels", "A,B", name="a.zarr")
    run_ngff("convert", store, tmp_path / "b.zarr", "--no-omero")
    assert "omero" not in documents.ome(tmp_path / "b.zarr")


@pytest.mark.parametrize("options", [
    ("--omero-quantiles", "0.9,0.1"), ("--omero-quantiles", "0.5"), ("--omero-quantiles", "0,nan"),
    ("--omero-colors", "red,blue"), ("--omero-colors", "FF0000"), ("--omero-labels", "one"),
    ("--omero-window", "1,2,3"), ("--omero-window", "0,inf,0,1"),
    ("--no-omero", "--omero-quantiles", "0,1"),
    ("--channel-names", "a,b", "--omero-labels", "a,b"),
])
def test_channel_options_that_make_no_sense(tmp_path, options):
    store, _ = convert(tmp_path, pixels((2, 30, 40), "uint16"), "--dims", "cyx", *options,
                       expect=USAGE)
    assert not store.exists()


# ---- attributes that stay -----------------------------------------------------------------------


def set_root(store, key, value):
    v3 = (store / "zarr.json").exists()
    path = store / ("zarr.json" if v3 else ".zattrs")
    document = json.loads(path.read_text())
    (document["attributes"] if v3 else document)[key] = value
    path.write_text(json.dumps(document))


@pytest.mark.parametrize("new", ["0.4", "0.5"])
@pytest.mark.parametrize("old", ["0.4", "0.5"])
def test_B24_foreign_attributes_survive_an_overwrite(tmp_path, old, new):
    store, _ = convert(tmp_path, pixels((30, 40), "uint16"), "--ome-zarr-version", old)
    note = {"by": "somebody", "n": [1, 2.5, {"deep": True}]}
    set_root(store, "lab.note", note)
    convert(tmp_path, pixels((50, 60), "uint8"), "--ome-zarr-version", new, "--overwrite",
            "--no-omero")
    attributes = documents.attributes(store)
    ours = {"ome"} if new == "0.5" else {"multiscales"}
    assert attributes["lab.note"] == note
    assert set(attributes) == ours | {"lab.note"}
    documents.check_consolidated(store)
    documents.check_schema(store, strict=False)


def test_B24_foreign_attributes_survive_in_an_archive(tmp_path):
    store, _ = convert(tmp_path, pixels((30, 40), "uint16"))
    set_root(store, "lab.note", "x" * 5000)
    run_ngff("zip", store, tmp_path / "out.ozx")
    convert(tmp_path, pixels((50, 60), "uint8"), "--overwrite", name="out.ozx")
    run_ngff("unzip", tmp_path / "out.ozx", tmp_path / "again.zarr")
    assert documents.attributes(tmp_path / "again.zarr")["lab.note"] == "x" * 5000


# ---- from one form to another -------------------------------------------------------------------


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("dims", ["xyz", "yzx", "zcyx", "yxc", "xyzct"])
def test_axes_become_canonical(tmp_path, dims, version):
    """Whatever their order in the input: t, c, z, y, x, with what was said of each."""
    array = pixels(tuple(8 + 3 * i for i in range(len(dims))), "uint16", seed=len(dims))
    spacing = {"z": 4.0, "y": 0.5, "x": 0.25}
    given = {axis: spacing[axis] for axis in dims if axis in spacing}
    store, _ = convert(tmp_path, array, "--dims", ",".join(dims), "--scale-factors", "none", "--ome-zarr-version",
                       version, "--scale", ",".join(f"{k}={v}" for k, v in given.items()), "--units",
                       ",".join(f"{k}=micrometer" for k in given))
    order = [axis for axis in "tczyx" if axis in dims]
    np.testing.assert_array_equal(level0(store), array.transpose([dims.index(axis) for axis in order]))
    entry = documents.multiscale(store)
    assert [axis["name"] for axis in entry["axes"]] == order
    scale, _ = documents.scale_and_translation(entry["datasets"][0])
    assert list(scale) == [given.get(axis, 1.0) for axis in order]
    assert {axis["name"] for axis in entry["axes"] if axis.get("unit") == "micrometer"} == set(given)


def set_entry(store, **members):
    """Members of the first multiscales entry."""
    root = documents.attributes(store)
    key, value = ("ome", root["ome"]) if "ome" in root else ("multiscales", root)
    value["multiscales"][0].update(members)
    set_root(store, key, value if key == "ome" else value["multiscales"])


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_transformations_of_the_group_are_folded(tmp_path, version):
    array = pixels((20, 30), "uint8")
    store, _ = convert(tmp_path, array, "--ome-zarr-version", version, "--scale", "2,3", "--translation", "5,7",
                       "--scale-factors", "2", "--method", "mean")
    set_entry(store, coordinateTransformations=[{"type": "scale", "scale": [10.0, 100.0]},
                                                {"type": "translation", "translation": [1.0, 1000.0]}])
    for to in ("0.4", "0.5"):
        out = tmp_path / f"out{to}"
        run_ngff("convert", store, out, "--ome-zarr-version", to, "--keep-levels", "--scale-factors", "2")
        entry = documents.multiscale(out)
        assert "coordinateTransformations" not in entry
        placed = [tuple(map(list, documents.scale_and_translation(d))) for d in entry["datasets"]]
        assert placed == [([20.0, 300.0], [51.0, 1700.0]), ([40.0, 600.0], [61.0, 1850.0])]
        np.testing.assert_array_equal(level0(out), array)


def test_there_and_back_again(tmp_path):
    """0.4 to 0.5 to 0.4: what both can say is said again."""
    array = pixels((3, 20, 30, 40), "uint16")
    first, _ = convert(tmp_path, array, "--dims", "czyx", "--scale", "z=2,y=0.5,x=0.5", "--units",
                       "z=micrometer,y=micrometer,x=micrometer", "--translation", "z=1,y=2,x=3", "--name", "cells",
                       "--omero-labels", "a,b,c", "--omero-colors", "FF0000,00FF00,0000FF", "--omero-window",
                       "0,100,5,95", "--scale-factors", "2", "--method", "mean", "--ome-zarr-version", "0.4")
    last = first
    for number, version in enumerate(("0.5", "0.4", "0.5", "0.4")):
        store = tmp_path / str(number)
        run_ngff("convert", last, store, "--ome-zarr-version", version, "--keep-levels", "--scale-factors", "2",
                 "--method", "mean")
        last = store
        a, b = documents.ome(first), documents.ome(store)
        for member in ("axes", "datasets", "name", "type"):
            assert a["multiscales"][0][member] == b["multiscales"][0][member], member
        assert a["omero"]["channels"] == b["omero"]["channels"]
        np.testing.assert_array_equal(level0(store), array)


# ---- W9: what is no number never becomes JSON ---------------------------------------------------


def nifti_without_numbers(path, sform):
    nib = pytest.importorskip("nibabel")
    pixels_ = np.arange(6 * 7 * 8, dtype="float32")
    header = nib.Nifti1Image(pixels_.reshape(6, 7, 8), np.eye(4)).header
    header["vox_offset"], header["magic"] = 352, b"n+1"
    header["sform_code"], header["qform_code"] = (1, 0) if sform else (0, 1)
    header["srow_x"], header["srow_y"] = (2, 0, 0, np.inf), (0, np.nan, 0, 0)
    header["pixdim"][1:4], header["qoffset_x"] = (np.nan, np.inf, -np.inf), np.nan
    path.write_bytes(header.binaryblock + bytes(4) + pixels_.tobytes())


def tiff_without_numbers(path):
    tifffile = pytest.importorskip("tifffile")
    xml = ('<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">'
           '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="9" SizeY="8" SizeZ="1" SizeC="1" '
           'SizeT="1" PhysicalSizeX="NaN" PhysicalSizeY="INF"><Channel ID="Channel:0:0" SamplesPerPixel="1"/>'
           '<TiffData/></Pixels></Image></OME>')
    tifffile.imwrite(path, np.ones((8, 9), "u1"), description=xml.encode(), metadata=None)


def check_numbers(store):
    """Every document is strict JSON (documents.load refuses NaN and Infinity), scales are positive."""
    assert documents.store_documents(store)
    for dataset in documents.multiscale(store)["datasets"]:
        scale, translation = documents.scale_and_translation(dataset)
        assert np.isfinite([*scale, *translation]).all() and min(scale) > 0
    documents.check_consolidated(store)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_W9_numbers_only(tmp_path, version):
    nifti_without_numbers(tmp_path / "s.nii", True)
    nifti_without_numbers(tmp_path / "q.nii", False)
    tiff_without_numbers(tmp_path / "n.ome.tif")
    save_npy(tmp_path / "nan.npy", np.full((8, 9), np.nan, "f4"))
    save_npy(tmp_path / "inf.npy", np.full((8, 9), np.inf, "f8"))
    for name in ("s.nii", "q.nii", "n.ome.tif", "nan.npy", "inf.npy"):
        out = tmp_path / f"{name}.zarr"
        measured = [] if name.endswith("tif") else ["--omero-quantiles", "0,1"]
        run_ngff("convert", tmp_path / name, out, "--ome-zarr-version", version, *measured)
        check_numbers(out)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_W9_documents_of_others(tmp_path, version):
    """Python leaves bare NaN and Infinity in documents: read, and never handed on."""
    store, _ = convert(tmp_path, pixels((20, 30), "float32"), "--ome-zarr-version", version, "--omero-window",
                       "0,1,0,1")
    root = documents.attributes(store)
    omero = (root["ome"] if version == "0.5" else root)["omero"]
    omero["channels"][0]["window"].update(min=float("nan"), max=float("inf"))
    set_root(store, "ome" if version == "0.5" else "omero", root["ome"] if version == "0.5" else omero)
    set_root(store, "mine", {"a": [1, float("nan"), float("-inf")], "b": 2 ** 63})
    out = tmp_path / "out.zarr"
    run_ngff("convert", store, out)
    check_numbers(out)
    convert(tmp_path, pixels((20, 30), "float32"), "--ome-zarr-version", version, "--overwrite")
    check_numbers(store)
    assert documents.attributes(store)["mine"] == {"a": [1, "NaN", "-Infinity"], "b": 2 ** 63}


# ---- the command line of ngff-zarr --------------------------------------------------------------


def test_flags_of_ngff_zarr(tmp_path):
    array = pixels((2, 20, 30, 40), "uint16")
    save_npy(tmp_path / "in.npy", array)
    result = run_ngff(
        "-i", tmp_path / "in.npy", "-o", tmp_path / "out.zarr", "-d", "c", "z", "y", "x",
        "-s", "z", "4.0", "y", "1.5", "x", "-u", "z", "micrometer", expect=USAGE)
    assert "pairs" in result.err
    result = run_ngff(
        "-i", tmp_path / "in.npy", "-o", tmp_path / "out.zarr", "-d", "c", "z", "y", "x",
        "-s", "z", "4.0", "y", "1.5", "x", "1.5", "-t", "z", "-8", "-u", "z", "micrometer",
        "-n", "cells", "--orientation", "LPS", "-m", "itkwasm_bin_shrink", "-c", "16",
        "--chunks-per-shard", "2", "--codec", "gzip", "--compression-level", "2",
        "--omero-colors", "FF0000", "00FF00", "--omero-labels", "a", "b", "--omero-dense",
        "-l", "--cache-dir", "nowhere", "--memory-target", "1GB", "-q")
    for flag in ("--omero-dense", "--local-cluster", "--cache-dir"):
        assert f"{flag} is ignored" in result.err
    store = tmp_path / "out.zarr"
    multiscale = documents.multiscale(store)
    assert multiscale["name"] == "cells" and multiscale["type"] == "bin_shrink"
    scale, translation = documents.scale_and_translation(multiscale["datasets"][0])
    assert list(scale) == [1, 4, 1.5, 1.5] and list(translation) == [0, -8, 0, 0]
    assert orientations(store) == as_objects(LPS)
    assert [c["label"] for c in channels(store)] == ["a", "b"]
    assert channels(store)[1]["window"]["max"] == array[1].max()
    np.testing.assert_array_equal(level0(store), array)
    run_ngff("-i", store)  # says what it holds, writes nothing


@pytest.mark.parametrize("flags", [
    ("--fast",), ("-d",), ("-i", "again.npy"), ("--omero-window", "1", "2", "3"),
    ("--no-orientation", "--orientation", "LPS"),
    ("--compression-level", "3"), ("--codec", "brotli"), ("--quiet=1",), ("-s", "z", "4", "y")])
def test_flags_that_ngff_zarr_has_not(tmp_path, flags):
    save_npy(tmp_path / "in.npy", pixels((30, 40), "uint16"))
    run_ngff("-i", tmp_path / "in.npy", "-o", tmp_path / "out.zarr", *flags, expect=USAGE)
    assert not (tmp_path / "out.zarr").exists()


def test_every_flag_of_ngff_zarr_is_known():
    done = subprocess.run([sys.executable, "-m", "ngff_zarr.cli", "--help"], capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        missing("ngff-zarr's command line")
    flags = set(re.findall(r"(?<![\w-])(--?[a-z][a-z-]*)", done.stdout.split("Options:")[1]))
    flags = {f for f in flags if f.startswith("--") or len(f) == 2} - {"-h", "--help"}
    assert len(flags) > 30
    documented = (ROOT / "docs" / "ngff-zarr-flags.md").read_text(encoding="utf-8")
    for flag in sorted(flags):
        result = run_ngff(flag, expect=None)
        assert "is not known" not in result.err and "not a command" not in result.err, flag
        assert f"`{flag}`" in documented, flag
