"""upgrade_ome_zarr beyond what the documentation of ngff-zarr shows."""

import json
import shutil

import numpy as np
import pytest

import ngff
from conftest import need
from ngff import _upgrade


def contents(root):
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.fixture
def old(tmp_path):
    """OME-Zarr 0.4 as others write it: flat paths, dots in the keys, big-endian, labels, no
    consolidation."""
    zarr = need("zarr")
    root = zarr.open_group(tmp_path / "old.zarr", mode="w", zarr_format=2)
    pixels = np.arange(50 * 60).reshape(50, 60).astype(">i4")
    for n in range(2):
        root.create_array(str(n), data=pixels[::n + 1, ::n + 1], chunks=(16, 16),
                          chunk_key_encoding={"name": "v2", "separator": "."})
    axes = [{"name": d, "type": "space"} for d in "yx"]
    datasets = [{"path": str(n), "coordinateTransformations": [{"type": "scale", "scale": [n + 1.0] * 2}]}
                for n in range(2)]
    entry = {"version": "0.4", "axes": axes, "datasets": datasets, "name": "old"}
    root.attrs.update({"multiscales": [entry], "mine": {"kept": True}})
    labels = root.create_group("labels")
    labels.attrs["labels"] = ["cells"]
    cells = labels.create_group("cells")
    cells.create_array("0", data=np.ones((50, 60), "u1"), chunks=(32, 32))
    cells.attrs.update({"multiscales": [{**entry, "datasets": datasets[:1]}],
                        "image-label": {"version": "0.4"}})
    return tmp_path / "old.zarr"


@pytest.mark.parametrize("version", ["0.5", "0.6"])
def test_foreign_store_in_place(old, version):
    before = np.asarray(ngff.from_ome_zarr(old).images[1].data)
    ngff.upgrade_ome_zarr(old, version=version)
    assert not [p for p in contents(old) if p.rsplit("/", 1)[-1].startswith(".z")]
    root = json.loads((old / "zarr.json").read_text(encoding="utf-8"))
    assert root["attributes"]["ome"]["version"] == version and "consolidated_metadata" not in root
    assert root["attributes"]["mine"] == {"kept": True}
    inner = json.loads((old / "labels/cells/zarr.json").read_text(encoding="utf-8"))["attributes"]
    assert set(inner) == {"ome"} and {"version", "multiscales", "image-label"} == set(inner["ome"])
    array = json.loads((old / "1/zarr.json").read_text(encoding="utf-8"))
    assert array["chunk_key_encoding"]["configuration"]["separator"] == "."
    assert array["dimension_names"] == ["y", "x"]
    for level in (need("zarr").open_array(old / "1", mode="r")[...],
                  np.asarray(ngff.from_ome_zarr(old).images[1].data)):
        np.testing.assert_array_equal(level, before)


def test_to_06_and_back(tmp_path, pyramid, volume):
    ngff.to_ome_zarr(tmp_path / "a.zarr", pyramid(volume))
    before = contents(tmp_path / "a.zarr")
    ngff.upgrade_ome_zarr(tmp_path / "a.zarr", version="0.6")
    between = contents(tmp_path / "a.zarr")
    assert [p for p in before if before[p] != between[p]] == ["zarr.json"]
    ngff.upgrade_ome_zarr(tmp_path / "a.zarr", tmp_path / "a.zarr", version="0.5")
    after = contents(tmp_path / "a.zarr")
    assert json.loads(after.pop("zarr.json")) == json.loads(before.pop("zarr.json"))
    assert after == before


@pytest.mark.parametrize("change,word", [
    ({"order": "F"}, "memory order"), ({"filters": [{"id": "delta", "dtype": "<i4"}]}, "filters"),
    ({"compressor": {"id": "lzma"}}, "lzma"), ({"dtype": "<M8[ns]"}, "M8")])
def test_what_cannot_stay_is_refused(old, change, word, monkeypatch):
    document = old / "1/.zarray"
    document.write_text(json.dumps({**json.loads(document.read_text(encoding="utf-8")), **change}),
                        encoding="utf-8")
    before = contents(old)
    with pytest.raises(ValueError, match=word):
        _upgrade._in_place(str(old), "0.5")
    assert contents(old) == before


def test_plates_old_versions_and_mappings_are_refused(old):
    attributes = old / ".zattrs"
    text = attributes.read_text(encoding="utf-8")
    attributes.write_text(json.dumps({**json.loads(text), "bioformats2raw.layout": 3}), encoding="utf-8")
    with pytest.raises(ValueError, match="containers"):
        ngff.upgrade_ome_zarr(old, version="0.5")
    older = text.replace('"version": "0.4"', '"version": "0.3"')
    assert older != text
    attributes.write_text(older, encoding="utf-8")
    with pytest.raises(ValueError, match="0.3 has no scales"):
        _upgrade._in_place(str(old), "0.5")
    attributes.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="directory only"):
        ngff.upgrade_ome_zarr({k: v for k, v in contents(old).items()}, version="0.5")
    with pytest.raises(ValueError, match="target version '0.3'"):
        ngff.upgrade_ome_zarr(old, version="0.3")


def test_an_upgrade_that_was_killed_can_be_done_again(old, tmp_path):
    """Every call that fails is tried in tests/unit/image/upgrade.c; here the half of it lies there."""
    before = np.asarray(ngff.from_ome_zarr(old).images[0].data)
    whole = tmp_path / "whole.zarr"
    shutil.copytree(old, whole)
    ngff.upgrade_ome_zarr(whole, version="0.6")
    for path in ("0", "labels", "labels/cells"):
        shutil.copy(whole / path / "zarr.json", old / path / "zarr.json")
    back = ngff.from_ome_zarr(old)
    assert json.loads((old / ".zattrs").read_text())["multiscales"][0]["version"] == "0.4"
    np.testing.assert_array_equal(np.asarray(back.images[0].data), before)
    ngff.upgrade_ome_zarr(old, version="0.6")
    assert contents(old) == contents(whole)
