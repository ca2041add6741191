"""Smaller names: archives of stores, codecs by name, colours."""

import importlib.util
import os
import pathlib
import subprocess
import sys
import zipfile

import numpy as np
import pytest

import ngff
from conftest import need

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("name", ["a.ozx", "a.zip"])
@pytest.mark.parametrize("version", ["0.5", "0.6"])
def test_stores_into_archives(tmp_path, pyramid, volume, compression, name, version):
    for store in (tmp_path / "a.zarr", {}):
        ngff.to_ome_zarr(store, pyramid(volume), version=version, compressors=[])
        ngff.write_store_to_zip(store, tmp_path / name, compression=compression)
        with zipfile.ZipFile(tmp_path / name) as archive:
            assert {entry.compress_type for entry in archive.infolist()} == {compression}
            assert archive.namelist()[0] == "zarr.json" and archive.testzip() is None
            documents = [entry.endswith("zarr.json") for entry in archive.namelist()]
            assert documents == sorted(documents, reverse=True)
            if compression or name == "a.zip":
                assert f'"version": "{version}"'.encode() in archive.comment
        assert ngff.read_ozx_version(tmp_path / name) == version
        zarr = need("zarr")
        with zarr.storage.ZipStore(tmp_path / name, mode="r") as opened:
            np.testing.assert_array_equal(zarr.open_group(opened, mode="r")["scale0/image"][...], volume)
    assert sorted(os.listdir(tmp_path)) == sorted([name, "a.zarr"])


def test_what_is_not_packed(tmp_path, pyramid, volume):
    ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(volume), version="0.4")
    with pytest.raises(ValueError, match="the store is 0.4"):
        ngff.write_store_to_zip(tmp_path / "a.zarr", tmp_path / "a.ozx")
    ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(volume), version="0.5")
    with pytest.raises(ValueError, match="version 0.6 was asked for"):
        ngff.write_store_to_zip(tmp_path / "a.zarr", tmp_path / "a.ozx", version="0.6")
    with pytest.raises(NotImplementedError):
        ngff.write_store_to_zip(tmp_path / "a.zarr", tmp_path / "a.ozx", compression=5)
    with pytest.raises(FileNotFoundError):
        ngff.write_store_to_zip(tmp_path / "none.zarr", tmp_path / "a.ozx")
    assert os.listdir(tmp_path) == ["a.zarr"]


WITHOUT = """
import sys
sys.modules["numcodecs"] = None
import ngff
for name in ngff.get_available_codecs():
    codec = ngff.codec_from_name(name, 4)
    print(name, codec and codec.get_config(), codec and codec.codec_id)
    store = {}
    ngff.to_ngff_zarr(store, ngff.to_multiscales(__import__("numpy").ones((64, 64), "u1"), [2]), compressor=codec)
    assert codec is None or codec.codec_id.encode() in store["scale0/image/.zarray"]
codec = ngff.codec_from_name("blosc:zstd")
assert codec == type(codec).from_config(codec.get_config()) and codec != ngff.codec_from_name("zstd")
assert (codec.cname, codec.clevel, codec.shuffle, codec.blocksize) == ("zstd", 5, 1, 0) and hash(codec)
print(repr(codec))
"""


def test_codecs_without_numcodecs_say_the_same():
    made = subprocess.run([sys.executable, "-c", WITHOUT], check=True, capture_output=True, text=True)
    lines = made.stdout.splitlines()
    assert lines.pop() == "blosc(cname='zstd', clevel=5, shuffle=1, blocksize=0)"
    need("numcodecs")
    for line, name in zip(lines, ngff.get_available_codecs(), strict=True):
        codec = ngff.codec_from_name(name, 4)
        assert line == f"{name} {codec and codec.get_config()} {codec and codec.codec_id}"


def test_colours_are_far_apart_and_made_by_the_tool():
    spec = importlib.util.spec_from_file_location("colors", ROOT / "tools/colors.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert ngff.GLASBEY_COLORS == list(tool.colors()) and len(set(ngff.GLASBEY_COLORS)) == 256
    rgb = np.array([[int(c[n:n + 2], 16) for n in (0, 2, 4)] for c in ngff.GLASBEY_COLORS], float)
    places = tool.lab(np.concatenate([rgb, [[0, 0, 0], [255, 255, 255]]]))
    apart = np.sqrt(((places[:, None] - places[None]) ** 2).sum(-1)) + np.eye(258) * 1e9
    assert apart.min() > 10 and apart[:20, :20].min() > 40
    omero = ngff.compute_omero_from_ngff_image(
        ngff.to_ngff_image(np.zeros((300, 8, 8), "u1"), dims=("c", "y", "x")))
    assert [c.color for c in omero.channels[254:258]] == [*ngff.GLASBEY_COLORS[254:], *ngff.GLASBEY_COLORS[:2]]
