"""What to_ngff_zarr does with its arguments."""

import inspect
import json

import numpy as np
import pytest

import ngff
from conftest import need


def pixels(store, n=0):
    return np.asarray(ngff.from_ngff_zarr(store).images[n].data)


def test_signature_of_the_seed():
    names = list(inspect.signature(ngff.to_ngff_zarr).parameters.values())[:9]
    assert [(p.name, p.default) for p in names[2:]] == [
        ("version", "0.4"), ("overwrite", True), ("use_tensorstore", False), ("chunk_store", None),
        ("progress", None), ("chunks_per_shard", None), ("enabled_rfcs", None)]


def test_inputs_stay_as_they_are(tmp_path, pyramid, volume):
    levels = pyramid(volume)
    before, copy = repr(levels), volume.copy()
    ngff.to_ngff_zarr(tmp_path / "a.zarr", levels)
    assert repr(levels) == before
    np.testing.assert_array_equal(volume, copy)


@pytest.mark.parametrize("per_shard,want", [(2, (40, 64, 64)), ((1, 2, 3), (32, 64, 96)),
                                            ({"x": 2}, (32, 32, 64))])
def test_shards(tmp_path, pyramid, volume, per_shard, want):
    ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(volume), version="0.5",
                      chunks_per_shard=per_shard)
    info = ngff.from_ngff_zarr(tmp_path / "a.zarr").images[0].data.info
    assert info["chunks"] == (32, 32, 32)
    assert info["shards"] == tuple(32 * -(-n // 32) if n == 40 else n for n in want)
    np.testing.assert_array_equal(pixels(tmp_path / "a.zarr"), volume)


def test_ozx_takes_05_by_itself(tmp_path, pyramid, volume):
    ngff.to_ngff_zarr(tmp_path / "a.ozx", pyramid(volume))
    assert ngff.read_ozx_version(tmp_path / "a.ozx") == "0.5"
    assert ngff.read_ozx_json_first(tmp_path / "a.ozx")
    np.testing.assert_array_equal(pixels(tmp_path / "a.ozx"), volume)


def test_stores(tmp_path, pyramid, volume):
    storage = need("zarr").storage
    for store in ({}, storage.MemoryStore(), storage.LocalStore(tmp_path / "l.zarr")):
        ngff.to_ngff_zarr(store, pyramid(volume), version="0.5")
        np.testing.assert_array_equal(pixels(store), volume)
        ngff.to_ngff_zarr(store, pyramid(volume[:9]), version="0.4")
        np.testing.assert_array_equal(pixels(store), volume[:9])


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("halves", ["mappings", "paths", "path and mapping", "mapping and path"])
def test_chunk_store(tmp_path, pyramid, volume, halves, version):
    store = {} if halves.startswith("mapping") else tmp_path / "a.zarr"
    chunks = {} if halves.endswith(("mapping", "mappings")) else tmp_path / "chunks"
    for image in (volume, volume[:9] + 1):
        ngff.to_ngff_zarr(store, pyramid(image), version=version, chunk_store=chunks)
        back = ngff.from_ngff_zarr(store, chunk_store=chunks)
        np.testing.assert_array_equal(np.asarray(back.images[0].data), image)
        np.testing.assert_array_equal(np.asarray(ngff.open_array(store, chunk_store=chunks)), image)
    keys = store if isinstance(store, dict) else [p.name for p in store.rglob("*") if p.is_file()]
    names = {key.rsplit("/", 1)[-1] for key in keys}
    assert names <= {"zarr.json", ".zgroup", ".zattrs", ".zarray", ".zmetadata", ".ngff-chunks"}
    # The chunks of the image that was replaced are gone.
    generations = ({key.split("/")[0] for key in chunks} - {".ngff-used"} if isinstance(chunks, dict)
                   else [p for p in chunks.iterdir() if p.name.startswith("gen-")])
    assert len(generations) == 1
    with pytest.raises(FileNotFoundError, match="another store"):
        ngff.from_ngff_zarr(store)
    with pytest.raises(FileNotFoundError):
        ngff.from_ngff_zarr(store, chunk_store={})
    with pytest.raises(FileExistsError):
        ngff.to_ngff_zarr(store, pyramid(volume), version=version, chunk_store=chunks, overwrite=False)


def test_chunk_store_that_fails(pyramid, volume):
    class Full(dict):
        def __setitem__(self, key, value):
            if len(self) > 3:
                raise RuntimeError("no more")
            super().__setitem__(key, value)

    store, chunks = {}, {}
    ngff.to_ngff_zarr(store, pyramid(volume), version="0.5", chunk_store=chunks)
    small = Full({k: v for k, v in chunks.items() if "/c/" not in k or k.endswith("c/0/0/0")})
    with pytest.raises(RuntimeError, match="no more"):
        ngff.to_ngff_zarr(store, pyramid(volume[:9]), version="0.5", chunk_store=small)
    np.testing.assert_array_equal(
        np.asarray(ngff.from_ngff_zarr(store, chunk_store=chunks).images[0].data), volume)
    with pytest.raises(RuntimeError, match="no more"):
        ngff.to_ngff_zarr({}, pyramid(volume), version="0.5", chunk_store=Full())


def test_chunk_store_at_the_same_place(tmp_path, pyramid, volume):
    ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(volume), chunk_store=str(tmp_path / "b" / ".." / "a.zarr"))
    np.testing.assert_array_equal(pixels(tmp_path / "a.zarr"), volume)


@pytest.mark.parametrize("version", ["0.4", "0.5", "0.6"])
def test_changed_level_is_written_as_given(tmp_path, pyramid, volume, version):
    levels, untouched = pyramid(volume), pyramid(volume)
    levels.images[1].data = np.full(levels.images[1].data.shape, 7, "u1")
    ngff.to_ngff_zarr(tmp_path / "a.zarr", levels, version=version)
    back = ngff.from_ngff_zarr(tmp_path / "a.zarr", validate=True)
    assert (np.asarray(back.images[1].data) == 7).all()
    for n in (0, 2):
        np.testing.assert_array_equal(np.asarray(back.images[n].data),
                                      np.asarray(untouched.images[n].data))
        assert back.images[n].scale == levels.images[n].scale
        assert back.images[n].translation == levels.images[n].translation
    assert back.metadata.type == "itkwasm_gaussian"


def test_read_and_written_again(tmp_path, pyramid, volume):
    ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(volume), version="0.4")
    ngff.to_ngff_zarr(tmp_path / "a.zarr", ngff.from_ngff_zarr(tmp_path / "a.zarr"), version="0.5")
    back = ngff.from_ngff_zarr(tmp_path / "a.zarr")
    assert json.loads((tmp_path / "a.zarr/zarr.json").read_text())["attributes"]["ome"]["version"] == "0.5"
    for n, image in enumerate(pyramid(volume).images):
        np.testing.assert_array_equal(pixels(tmp_path / "a.zarr", n), np.asarray(image.data))


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_tensorstore_stores_the_same(tmp_path, pyramid, volume, version):
    need("tensorstore")
    for name, option in (("a.zarr", False), ("b.zarr", True)):
        ngff.to_ngff_zarr(tmp_path / name, pyramid(volume), version=version, use_tensorstore=option)
    for n in range(3):
        np.testing.assert_array_equal(pixels(tmp_path / "a.zarr", n), pixels(tmp_path / "b.zarr", n))
    documents = [{p.relative_to(tmp_path / name).as_posix(): p.read_bytes()
                  for p in (tmp_path / name).rglob("*") if p.is_file() and "z" in p.name}
                 for name in ("a.zarr", "b.zarr")]
    assert documents[0] == documents[1]


def test_tensorstore_missing_is_said(tmp_path, pyramid, volume, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tensorstore", None)
    with pytest.raises(ImportError, match="not installed"):
        ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(volume), use_tensorstore=True)
    assert not (tmp_path / "a.zarr").exists()


def test_metadata_only(tmp_path, pyramid, volume):
    ngff.to_ome_zarr(tmp_path / "a.zarr", pyramid(volume), metadata_only=True)
    assert not any("/c/" in p.as_posix() for p in (tmp_path / "a.zarr").rglob("*"))
    assert (pixels(tmp_path / "a.zarr") == 0).all()


@pytest.mark.parametrize("version", ["0.4", "0.5", "0.6"])
def test_root_attributes(tmp_path, pyramid, volume, version):
    levels = pyramid(volume)
    levels.root_attributes = {"made by": {"who": "me"}}
    ngff.to_ngff_zarr(tmp_path / "a.zarr", levels, version=version)
    assert ngff.from_ngff_zarr(tmp_path / "a.zarr").root_attributes == {"made by": {"who": "me"}}


def test_codecs(tmp_path, pyramid, volume):
    codecs, zarr = need("numcodecs"), need("zarr").codecs
    for codec in (None, codecs.Zstd(5), codecs.Blosc("zstd", 3), "gzip", zarr.ZstdCodec(level=2)):
        for version in ("0.4", "0.5"):
            ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(volume), version=version, compressor=codec)
            np.testing.assert_array_equal(pixels(tmp_path / "a.zarr"), volume)
    ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(volume), version="0.5",
                      compressors=[zarr.BloscCodec(cname="zstd")])


def test_orientation_and_windows(tmp_path, volume):
    levels = ngff.to_multiscales(volume, scale_factors=[2], orientation="LPS")
    levels.metadata.omero = ngff.compute_omero_from_multiscales(levels)
    for rfcs, want in (([4], "right-to-left"), (None, None)):
        ngff.to_ngff_zarr(tmp_path / "a.zarr", levels, version="0.5", enabled_rfcs=rfcs)
        metadata = ngff.from_ngff_zarr(tmp_path / "a.zarr").metadata
        assert getattr(metadata.axes[2].orientation, "value", None) == want
        window = metadata.omero.channels[0].window
        assert (window.min, window.max) == (volume.min(), volume.max())


def test_progress(tmp_path, pyramid, volume):
    rich = need("rich.progress")
    seen = []
    ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(volume),
                      progress=lambda done, total: seen.append((done, total)))
    assert seen and seen[-1][0] == seen[-1][1] and seen == sorted(seen)
    with rich.Progress(disable=True) as bars:
        for kind in (ngff.NgffProgress, ngff.NgffProgressCallback, lambda b: b):
            ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(volume), progress=kind(bars))
        assert all(t.completed == 3 for t in bars.tasks if "scales" in t.description)


def test_computed_callbacks_run(tmp_path, pyramid, volume):
    levels, called = pyramid(volume), []
    levels.images[0].computed_callbacks.append(lambda: called.append(1))
    ngff.to_ngff_zarr(tmp_path / "a.zarr", levels)
    assert called == [1]


def test_automatic_levels():
    from ngff._pyramid import automatic_factors

    def factors(shape, chunks):
        sizes = dict(zip("zyx"[-len(shape):], shape))
        return automatic_factors(sizes, 128, dict.fromkeys(sizes, chunks))

    assert factors((1000, 1000), 256) == [{"y": 2, "x": 2}]
    assert [f["x"] for f in factors((512, 512, 512), 128)] == [2, 4]
    assert len(factors((128, 128, 128), 64)) == 1
    assert [(f["z"], f["x"]) for f in factors((60, 2048, 2048), 128)] == [(1, 2), (1, 4), (1, 8), (1, 16)]


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("target", [1, 100_000])
def test_a_memory_target_that_is_too_small(monkeypatch, pyramid, volume, target, lazy):
    """A target, as the seed has it: more is taken, and said."""
    store, want = {}, {}
    data = need("dask.array").from_array(volume, chunks=16) if lazy else volume
    ngff.to_ngff_zarr(want, pyramid(volume), version="0.5")
    monkeypatch.setattr(ngff.config, "memory_target", target)
    with pytest.warns(RuntimeWarning, match=f"memory_target is {target} bytes, too little for one block"):
        ngff.to_ngff_zarr(store, pyramid(data), version="0.5")
    assert {k: bytes(v) for k, v in store.items()} == {k: bytes(v) for k, v in want.items()}


@pytest.mark.parametrize("version", ["0.4", "0.5", "0.6"])
@pytest.mark.parametrize("method", ngff.Methods)
def test_the_method_is_read_as_it_was_planned(pyramid, volume, method, version):
    store, levels = {}, pyramid(volume, method=method)
    ngff.to_ngff_zarr(store, levels, version=version)
    found = ngff.from_ngff_zarr(store)
    assert found.method == levels.method and found.metadata.type == levels.metadata.type
    assert found.metadata.metadata == levels.metadata.metadata
    again = {}
    ngff.to_ngff_zarr(again, found, version=version)
    assert ngff.from_ngff_zarr(again).metadata.metadata == found.metadata.metadata


@pytest.mark.parametrize("window,want", [
    ({"min": 0, "max": 1000}, (0, 1000, 0, 1000)), ({"start": 10, "end": 900}, (10, 900, 10, 900)),
    ({"min": 5, "max": 995, "start": 15, "end": 985}, (5, 995, 15, 985))])
def test_windows_of_old_writers(pyramid, volume, window, want):
    """One of the pairs is left out."""
    store = {}
    ngff.to_ngff_zarr(store, pyramid(volume), version="0.4", consolidate_metadata=False)
    root = json.loads(store[".zattrs"])
    root["omero"] = {"channels": [{"color": "FFFFFF", "label": "", "window": window}]}
    store[".zattrs"] = json.dumps(root).encode()
    found = ngff.from_ngff_zarr(store).metadata.omero.channels[0].window
    assert (found.min, found.max, found.start, found.end) == want


@pytest.mark.parametrize("method", ngff.Methods)
def test_type_is_the_name_that_was_asked_for(pyramid, volume, method):
    import json

    store = {}
    ngff.to_ngff_zarr(store, pyramid(volume, method=method), version="0.5")
    entry = json.loads(store["zarr.json"])["attributes"]["ome"]["multiscales"][0]
    assert entry["type"] == method.value
    filters = {row[0]: row[1] for row in ngff._core.methods()}
    assert entry["metadata"]["method"] == f"libngff.{filters[method.value]}"
