"""start_level with levels that the caller gives."""

import json
import os
import subprocess

import numpy as np
import pytest

import ngff
from conftest import need
from test_parts import contents


@pytest.fixture
def given(pyramid, volume):
    """Three levels; the coarser ones are not what the filter makes."""
    levels = pyramid(volume)
    for n, image in enumerate(levels.images[1:], 1):
        image.data = np.full(image.data.shape, n * 10, "u1")
    return levels


@pytest.mark.parametrize("version,shards", [("0.4", None), ("0.5", None), ("0.5", 2), ("0.6", 2)])
@pytest.mark.parametrize("start", [1, 2])
@pytest.mark.parametrize("consolidate", [True, False])
def test_given_levels_are_added(tmp_path, pyramid, volume, given, version, shards, start, consolidate):
    options = {"version": version, "chunks_per_shard": shards, "consolidate_metadata": consolidate}
    ngff.to_ome_zarr(tmp_path / "a.zarr", given, **options)
    fewer = pyramid(volume, factors=[2, 4][:start - 1])
    if start == 2:
        fewer.images[1].data = given.images[1].data
    ngff.to_ome_zarr(tmp_path / "b.zarr", fewer, **options)
    ngff.update_root_attributes(tmp_path / "b.zarr", {"mine": 1})
    kept = {k: v for k, v in contents(tmp_path / "b.zarr").items() if k.startswith("scale0/")}
    ngff.to_ome_zarr(tmp_path / "b.zarr", given, overwrite=False, start_level=start, **options)
    back = ngff.from_ome_zarr(tmp_path / "b.zarr", validate=True)
    assert back.root_attributes == {"mine": 1}
    ngff.update_root_attributes(tmp_path / "a.zarr", {"mine": 1})
    after, want = contents(tmp_path / "b.zarr"), contents(tmp_path / "a.zarr")
    assert after.keys() == want.keys() and all(after[k] == v for k, v in kept.items())
    for key in want:
        if key.endswith(("zarr.json", ".zarray", ".zattrs", ".zmetadata")):
            assert json.loads(after[key]) == json.loads(want[key]), key
        else:
            assert after[key] == want[key], key
    assert sorted(os.listdir(tmp_path)) == ["a.zarr", "b.zarr"]
    zarr = need("zarr")
    assert zarr.open_group(tmp_path / "b.zarr", mode="r")["scale2/image"][0, 0, 0] == 20


def test_given_levels_take_the_place_of_old_ones(tmp_path, pyramid, volume, given):
    ngff.to_ome_zarr(tmp_path / "a.zarr", pyramid(volume, factors=[2, 4, 8]), compressors=[])
    ngff.to_ome_zarr(tmp_path / "a.zarr", given, overwrite=False, start_level=1)
    back = ngff.from_ome_zarr(tmp_path / "a.zarr", validate=True)
    assert [int(np.max(image.data)) for image in back.images[1:]] == [10, 20]
    assert not (tmp_path / "a.zarr/scale3").exists()
    document = json.loads((tmp_path / "a.zarr/scale2/image/zarr.json").read_text())
    assert [codec["name"] for codec in document["codecs"]] == ["bytes"]  # like the level above


def test_flat_layout(tmp_path, volume, given):
    np.save(tmp_path / "v.npy", volume)
    subprocess.run([os.environ["NGFF"], "convert", tmp_path / "v.npy", tmp_path / "a.zarr", "--layout", "flat",
                    "--chunks", "32"], check=True, capture_output=True)
    assert (tmp_path / "a.zarr/0/zarr.json").exists()
    ngff.to_ome_zarr(tmp_path / "a.zarr", given, overwrite=False, start_level=1)
    back = ngff.from_ome_zarr(tmp_path / "a.zarr", validate=True)
    assert [d.path for d in back.metadata.datasets] == ["0", "1", "2"]
    assert [int(np.max(image.data)) for image in back.images[1:]] == [10, 20]
    np.testing.assert_array_equal(back.images[0].data, volume)


def test_documents_of_levels_alone(tmp_path, pyramid, volume):
    ngff.to_ome_zarr(tmp_path / "a.zarr", pyramid(volume, factors=[]))
    ngff.to_ome_zarr(tmp_path / "a.zarr", pyramid(volume), overwrite=False, start_level=1,
                     metadata_only=True)
    back = ngff.from_ome_zarr(tmp_path / "a.zarr", validate=True)
    assert len(back.images) == 3 and not np.asarray(back.images[1].data).any()
    np.testing.assert_array_equal(back.images[0].data, volume)


def test_what_is_refused(tmp_path, pyramid, volume, given):
    ngff.to_ome_zarr(tmp_path / "a.zarr", pyramid(volume, factors=[]))
    before = contents(tmp_path / "a.zarr")
    other = pyramid(volume[:, :32])
    other.images[1].data = np.asarray(other.images[1].data)
    wrong = pyramid(volume)
    wrong.images[2].data = np.zeros(wrong.images[2].data.shape, "u2")

    class Bad:
        shape, dtype, ndim = given.images[2].data.shape, np.dtype("u1"), 3

        def __getitem__(self, key):
            raise LookupError("gone")

    failing = pyramid(volume)
    failing.images[2].data = Bad()
    for levels, options, error, words in (
            (given, {"version": "0.4"}, ValueError, "version 0.4 asked for, the image is 0.5"),
            (given, {"start_level": 2}, ValueError, "the image has levels 0 to 0"),
            (other, {}, ValueError, "the image has shape"),
            (wrong, {}, ValueError, "level 2 is uint16"),
            (failing, {}, LookupError, "gone")):
        with pytest.raises(error, match=words):
            ngff.to_ome_zarr(tmp_path / "a.zarr", levels, overwrite=False, **{"start_level": 1, **options})
        assert contents(tmp_path / "a.zarr") == before and os.listdir(tmp_path) == ["a.zarr"]
