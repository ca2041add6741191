"""Stores that are no paths: what a failure leaves, what is written last, whose keys are touched."""

from collections.abc import MutableMapping

import numpy as np
import pytest

import ngff
from conftest import need


class Recorded(MutableMapping):
    """A store that remembers the order of its calls, and fails when told to."""

    def __init__(self, fail_at=None):
        self.values, self.puts, self.fail_at = {}, [], fail_at

    def __setitem__(self, key, value):
        if len(self.puts) == self.fail_at:
            raise OSError(28, "no space left")
        self.puts.append(key)
        self.values[key] = bytes(value)

    def __getitem__(self, key):
        return self.values[key]

    def __delitem__(self, key):
        del self.values[key]

    def __iter__(self):
        return iter(self.values)

    def __len__(self):
        return len(self.values)


@pytest.mark.parametrize("version,roots", [("0.4", {".zattrs", ".zgroup", ".zmetadata"}),
                                           ("0.5", {"zarr.json"})])
def test_the_root_is_written_last(pyramid, volume, version, roots):
    store = Recorded()
    ngff.to_ngff_zarr(store, pyramid(volume), version=version)
    tail = len(roots)
    assert set(store.puts[-tail:]) == roots
    assert not roots & set(store.puts[:-tail])


@pytest.mark.parametrize("changed", [False, True])
@pytest.mark.parametrize("fail_at", [0, 1, 7, 20])
def test_a_failure_takes_everything_back(pyramid, volume, fail_at, changed):
    levels = pyramid(volume)
    if changed:
        levels.images[1].data = np.ones(levels.images[1].data.shape, "u1")
    store = Recorded(fail_at)
    with pytest.raises(OSError, match="no space left"):
        ngff.to_ngff_zarr(store, levels, version="0.5")
    assert not store.values


def test_a_failing_source_takes_everything_back(pyramid):
    class Short:
        shape, dtype, ndim, chunks = (64, 64), np.dtype("u1"), 2, (32, 32)

        def __getitem__(self, key):
            if key[0].start:
                raise LookupError("gone")
            return np.ones((32, 32), "u1")

    for store in (Recorded(), {}):
        with pytest.raises(LookupError):
            ngff.to_ngff_zarr(store, pyramid(Short(), factors=[2]))
        assert not len(store)


def test_a_dict_gets_its_old_image_back(pyramid, volume):
    class Full(Exception):
        pass

    def stop(done, total):
        raise Full

    store = {}
    ngff.to_ngff_zarr(store, pyramid(volume), version="0.5")
    before = dict(store)
    with pytest.raises(Full):
        ngff.to_ngff_zarr(store, pyramid(volume[:20] + 1), version="0.4", progress=stop)
    assert store == before


def test_foreign_keys_are_left_alone(pyramid, volume):
    store = {"notes.txt": b"mine"}
    with pytest.raises(FileExistsError, match="left alone"):
        ngff.to_ngff_zarr(store, pyramid(volume))
    assert store == {"notes.txt": b"mine"}


@pytest.mark.parametrize("version,driver", [("0.4", "zarr"), ("0.5", "zarr3")])
@pytest.mark.parametrize("shards", [None, 2])
def test_tensorstore_memory_holds_the_same(tmp_path, pyramid, volume, version, driver, shards):
    """Its own key-value store in memory: the documents and decoded chunks of the native path."""
    tensorstore = need("tensorstore")
    options = {"version": version, "chunks_per_shard": shards if version == "0.5" else None}
    kvstore = tensorstore.KvStore.open("memory://").result()
    for data in (volume[:9], volume):  # the second replaces the first
        ngff.to_ngff_zarr(kvstore, pyramid(data), use_tensorstore=True, **options)
        ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(data), **options)
    documents = {p.relative_to(tmp_path / "a.zarr").as_posix(): p.read_bytes()
                 for p in (tmp_path / "a.zarr").rglob("*z*") if p.is_file()}
    assert len(documents) > 4
    for key, value in documents.items():
        assert kvstore.read(key).result().value == value, key
    for n, image in enumerate(pyramid(volume).images):
        array = tensorstore.open({"driver": driver}, kvstore=kvstore / f"scale{n}/image/").result()
        np.testing.assert_array_equal(array.read().result(), np.asarray(image.data))
    with pytest.raises(FileExistsError):
        ngff.to_ngff_zarr(kvstore, pyramid(volume), use_tensorstore=True, overwrite=False)


def test_tensorstore_failure_takes_everything_back(pyramid, volume):
    kvstore = need("tensorstore").KvStore.open("memory://").result()

    class Bad:
        shape, dtype, ndim, chunks = (64, 64), np.dtype("u1"), 2, (32, 32)

        def __getitem__(self, key):
            raise LookupError("gone")

    with pytest.raises(LookupError):
        ngff.to_ngff_zarr(kvstore, pyramid(Bad(), factors=[]), use_tensorstore=True)
    assert kvstore.list().result() == []


def test_tensorstore_url(tmp_path, pyramid, volume):
    need("tensorstore")
    (tmp_path / "a.zarr").mkdir()
    ngff.to_ngff_zarr(f"file://{tmp_path}/a.zarr", pyramid(volume), version="0.5", use_tensorstore=True)
    back = ngff.from_ngff_zarr(tmp_path / "a.zarr", validate=True)
    np.testing.assert_array_equal(np.asarray(back.images[0].data), volume)
