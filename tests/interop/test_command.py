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
