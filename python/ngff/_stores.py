"""What a store may be: a path, an .ozx, zarr-python's stores, any mutable mapping."""

import os

from . import _core
from ._config import context
from ._values import (Below, DirectoryValues, Values, as_values, from_address, is_address, part_of,
                      size_of)

READ, WRITE, UPDATE, WRITE_CHUNKS = 0, 1, 2, 3


class Draft(str):
    """A path of something that will be copied to its place later: it is not flushed to the disk."""


class MappingStore:
    """A mapping of keys to bytes, as the C half calls it. What is written can be taken back."""

    def __init__(self, values):
        self.values, self.written, self.saved = values, set(), {}

    def get(self, key, offset, size):
        try:
            return part_of(self.values, key, offset, size)
        except KeyError:
            return None

    def size(self, key):
        try:
            return size_of(self.values, key)
        except KeyError:
            return None

    def put(self, key, data):
        self.written.add(key)
        self.values[key] = data

    def erase(self, key):
        self.values.pop(key, None)

    def list(self, prefix):
        return [key for key in list(self.values) if key.startswith(prefix)]

    def clear(self, keys):
        """Removes what a new hierarchy replaces: the root first, so that no half of it is read. A dict
        keeps the values aside, which costs nothing; they come back when writing fails."""
        if type(self.values) is dict:
            self.saved = {key: self.values[key] for key in keys if key in self.values}
        for key in sorted(keys, key=lambda key: key.count("/")):
            self.erase(key)

    def rollback(self):
        """After a failure: nothing of what was written stays. Errors here would hide the first."""
        for key in self.written:
            try:
                self.erase(key)
            except Exception:
                pass
        self.values.update(self.saved) if self.saved else None


class KeepLevels(MappingStore):
    """Keeps all but the chunks below one prefix: level 0 is the caller's and needs no copy."""

    def __init__(self, prefix):
        super().__init__({})
        self.prefix = prefix

    def put(self, key, data):
        name = key.rsplit("/", 1)[-1]
        if not key.startswith(self.prefix) or name in ("zarr.json", ".zarray", ".zattrs", ".zgroup"):
            self.values[key] = data


class _ZarrMemory:
    """zarr-python's MemoryStore as a mapping: its values are buffers with `to_bytes`."""

    def __init__(self, store):
        from zarr.core.buffer import default_buffer_prototype

        self.values, self.make = store._store_dict, default_buffer_prototype().buffer.from_bytes

    def __getitem__(self, key):
        return self.values[key].to_bytes()

    def __setitem__(self, key, data):
        self.values[key] = self.make(data)

    def pop(self, key, default=None):
        return self.values.pop(key, default)

    def __contains__(self, key):
        return key in self.values

    def __iter__(self):
        return iter(list(self.values))

    def __len__(self):
        return len(self.values)


def location(store):
    """The path of a store that has one, else None."""
    if isinstance(store, str) and store.startswith("file://"):
        from urllib.request import url2pathname

        return url2pathname(store.removeprefix("file://").removeprefix("localhost"))
    if is_address(store) or hasattr(store, "_store_dict"):
        return None
    if isinstance(store, (str, os.PathLike)):
        return os.fsdecode(os.fspath(store))
    for name in ("root", "path"):
        path = getattr(store, name, None)
        if isinstance(path, (str, os.PathLike)) and type(store).__name__ in (
                "LocalStore", "ZipStore", "DirectoryStore", "NestedDirectoryStore", "FSStore"):
            return os.fsdecode(os.fspath(path))
    return None


def with_options(store, options):
    """The store, opened with fsspec's options when it is an address."""
    return from_address(store, options) if options and is_address(store) else store


def mapping(store):
    """The store as a mapping, or TypeError."""
    if isinstance(store, Values):
        return store
    if hasattr(store, "_store_dict"):
        return _ZarrMemory(store)
    values = as_values(store)
    if values is not None:
        return values
    if hasattr(store, "__setitem__") and hasattr(store, "__getitem__"):
        return store
    raise TypeError(f"a store is a path, a mapping, or a store of zarr-python, not {type(store)}")


def values_of(store):
    """A directory or a mapping as a mapping."""
    directory = location(store)
    return mapping(store) if directory is None else DirectoryValues(directory)


def is_ozx_path(path):
    path = location(path) or (path if is_address(path) else None)
    return path is not None and path.split("?")[0].endswith(".ozx")


def _open(store, access, overwrite=False):
    path = location(store)
    if path is not None:
        return _core.open_store(context(), path, access, 2 if overwrite else 0, int(isinstance(store, Draft)))
    return _core.callback_store(context(), MappingStore(mapping(store)))


def _same(store, chunk_store):
    """Is there only one place, for documents and chunks?"""
    here, there = location(store), location(chunk_store)
    if here is None or there is None:
        return chunk_store is None or chunk_store is store
    return os.path.realpath(here) == os.path.realpath(there)


def _pair(metadata, chunks):
    return _core.pair_store(context(), metadata, chunks)


def below(store, handle, path):
    """A store of what lies below `path` of one that is opened for reading. An archive shares its handle,
    so that its directory is read once."""
    where = location(store)
    if where is None:
        return Below(mapping(store), path)
    return os.path.join(where, path) if os.path.isdir(where) else _core.below_store(context(), handle, path)


def open_for_reading(store, chunk_store=None):
    if isinstance(store, _core.Store):
        return store
    if chunk_store is None or _same(store, chunk_store):
        return _open(store, READ)
    return _pair(_open(store, READ), _open(chunk_store, READ))


def _holds_zarr(values):
    return any(name in values for name in ("zarr.json", ".zgroup", ".zattrs", ".zarray"))


def existing_keys(values, overwrite):
    """The keys that a new hierarchy replaces."""
    keys = list(values)
    if keys and not _holds_zarr(set(keys)):
        raise FileExistsError("the store holds other things than a Zarr hierarchy: it is left alone")
    if keys and not overwrite:
        raise FileExistsError("the store holds a Zarr hierarchy already")
    return keys


def _give_up_chunks(values, store):
    """Of a mapping of chunks what no document names (docs/decisions/0006-chunk-store.md); what the old
    documents name goes when the new ones are there."""
    name = ".ngff-chunks"
    named = location(store) is None and name in (documents := mapping(store))
    kept = (bytes(documents[name]).split(b"\n")[1].decode(), ".ngff-used") if named else ()
    for key in list(values):
        first = key.split("/")[0]
        if first not in kept and first.startswith(("gen-", ".ngff-")):
            values.pop(key, None)


def writable(store):
    """The store, an address opened; or why nothing is written to it."""
    if is_address(store) and location(store) is None:
        if is_ozx_path(store):
            raise NotImplementedError(f"{store}: an archive is written to a path, and then copied there")
        store = from_address(store)
    if getattr(store, "read_only", False) is True:
        raise PermissionError(f"nothing is written to a store that is read-only: {store}")
    return store


def open_for_writing(store, overwrite, chunk_store=None):
    """A native store for writing. An existing store of ours is replaced only when `overwrite`."""
    store, chunk_store = writable(store), writable(chunk_store)
    if chunk_store is None or _same(store, chunk_store):
        if location(store) is not None:
            return _open(store, WRITE, overwrite)
        target = MappingStore(mapping(store))
        target.clear(existing_keys(target.values, overwrite))
        return _core.callback_store(context(), target)
    if location(store) is None:
        existing_keys(mapping(store), overwrite)
    if overwrite and location(chunk_store) is None:
        _give_up_chunks(mapping(chunk_store), store)
    return _pair(_open(store, WRITE, overwrite), _open(chunk_store, WRITE_CHUNKS, overwrite))


class Writing:
    """`with Writing(native) as native`: closed at the end; after a failure what was written into a mapping
    is taken back (a path is published whole by itself)."""

    def __init__(self, native):
        self.native = native

    def __enter__(self):
        return self.native

    def __exit__(self, kind, error, trace):
        target = self.native.target()
        self.native.close()
        if kind is not None and hasattr(target, "rollback"):
            target.rollback()


def copy_into(source, store, overwrite, chunk_store=None):
    """The hierarchy of an open native store into `store`, in one piece."""
    with Writing(open_for_writing(store, overwrite, chunk_store)) as target:
        _core.copy_store(source, target)


def publish(root, store, overwrite, chunk_store=None):
    """A staged hierarchy to where it belongs; an existing store is replaced as a whole."""
    source = _core.open_store(context(), root, READ, 0, 0)
    try:
        copy_into(source, store, overwrite, chunk_store)
    finally:
        source.close()


class join:
    """`with join(path) as writer`: writes regions of the image in a directory, finished at the end."""

    def __init__(self, path):
        self.store = _core.open_store(context(), path, UPDATE, 0, 0)
        try:
            self.writer = _core.join_writer(context(), self.store)
        except BaseException:
            self.store.close()
            raise

    def __enter__(self):
        return self.writer

    def __exit__(self, kind, error, trace):
        try:
            if kind is None:
                self.writer.finish()
        finally:
            self.writer.close()
            self.store.close()
