"""open_array: one array of a store, read and assigned to as zarr-python's are."""

import contextlib
import itertools
import json
import math
import os

import numpy as np

from . import _core
from ._config import context
from ._lazy import StoredLevel, _selection
from ._stores import MappingStore, join, location, open_for_reading, values_of, with_options
from ._values import Values, part_of, size_of

_BATCH = 1 << 26  # bytes that are encoded before they are put


class NoArrayError(KeyError, ValueError):
    """There is no array under that name."""

    def __str__(self):
        return str(self.args[0])


def open_array(store, path=None, storage_options=None, chunk_store=None):
    """A level of an OME-Zarr image as a lazy array: `path` names its dataset, level 0 without it; or any
    other array of the store, also one that is not OME-Zarr. In directories and mappings it can be assigned
    to: whole chunks (or shards) are written, parts of one are read, changed and replaced at once."""
    store = with_options(store, storage_options)
    path = None if path is None else str(path).strip("/")
    try:
        image = _core.open_image(context(), open_for_reading(store, chunk_store))
    except (KeyError, FileNotFoundError, ValueError, NotImplementedError):
        if chunk_store is not None or not _is_array(store, path or ""):
            raise
        return _plain(store, path or "")
    levels = [image.level(n) for n in range(image.level_count())]
    for n, info in enumerate(levels):
        if path is None or info["path"] == path:
            return _level(image, n, info, store, chunk_store)
    if chunk_store is None and _is_array(store, path):
        return _plain(store, path)
    raise NoArrayError(f"{path!r} is no array; the levels are {[info['path'] for info in levels]}")


def _level(image, n, info, store, chunk_store):
    dtype, directory = np.dtype(image.describe()[0]), location(store)
    if chunk_store is not None or (directory is not None and not os.path.isdir(directory)):
        level = ReadLevel(image, n, info, dtype)
        level.origin = (store, chunk_store)
        return level
    return OpenedLevel(image, n, info, dtype, values_of(store), directory, (store, info["path"]))


# ---- arrays that are no levels ----


def _document(values, path):
    """(key, document) of the array at `path`, or None."""
    lead = f"{path}/" if path else ""
    for name in ("zarr.json", ".zarray"):
        try:
            document = json.loads(bytes(values[lead + name]))
        except KeyError:
            continue
        if name == ".zarray" or document.get("node_type") == "array":
            return lead + name, document
    return None


def _is_array(store, path):
    directory = location(store)
    return (directory is None or os.path.isdir(directory)) and _document(values_of(store), path) is not None


class _Wrapped(Values):
    """One array of a store as the only level of an image, for the C half, which opens images."""

    def __init__(self, values, path, documents):
        self.values, self.lead, self.documents = values, f"{path}/" if path else "", documents

    def _place(self, key):
        if key.startswith("array/"):
            return self.values, self.lead + key[6:]
        return self.documents, key

    def part(self, key, offset, size):
        return part_of(*self._place(key), offset, size)

    def size(self, key):
        return size_of(*self._place(key))

    def __setitem__(self, key, value):
        self.values[self.lead + key.removeprefix("array/")] = value

    def __delitem__(self, key):
        del self.values[self.lead + key.removeprefix("array/")]

    def __iter__(self):
        return iter([*self.documents, *("array/" + key[len(self.lead):] for key in self.values
                                        if key.startswith(self.lead))])


def as_image(values, path):
    """One array of a mapping opened as an image of one level, and the mapping that shows it so."""
    found = _document(values, path)
    if found is None:
        raise NoArrayError(f"{path!r} is no array")
    _, document = found
    count = len(document["shape"])
    if not 1 <= count <= 5:
        raise NotImplementedError(f"arrays have 1 to 5 axes here, not {count}")
    kinds = {"t": "time", "c": "channel"}
    axes = [{"name": d, "type": kinds.get(d, "space")} for d in "tczyx"[-count:]]
    about = {"axes": axes, "datasets": [{"path": "array", "coordinateTransformations": [
        {"type": "scale", "scale": [1.0] * count}]}]}
    if document["zarr_format"] == 2:
        documents = {".zgroup": {"zarr_format": 2}, ".zattrs": {"multiscales": [{"version": "0.4", **about}]}}
    else:
        documents = {"zarr.json": {"zarr_format": 3, "node_type": "group", "attributes": {
            "ome": {"version": "0.5", "multiscales": [about]}}}}
    texts = {key: json.dumps(value).encode() for key, value in documents.items()}
    wrapped = _Wrapped(values, path, texts)
    return _core.open_image(context(), open_for_reading(wrapped)), wrapped


def _plain(store, path):
    image, wrapped = as_image(values_of(store), path)
    return OpenedLevel(image, 0, image.level(0), np.dtype(image.describe()[0]), wrapped, None, (store, path))


class ReadLevel(StoredLevel):
    """Indexed as zarr-python's arrays are: what is selected is read at once."""

    def __getitem__(self, key):
        return self.pick(key)


# ---- assigning ----


class OpenedLevel(ReadLevel):
    """An array that can be assigned to. What is not stored yet is written by any number of processes at
    once; processes that change parts of chunks (or shards) of a directory take turns."""

    def __init__(self, image, level, info, dtype, values, directory, origin):
        super().__init__(image, level, info, dtype)
        self.origin = origin  # (store, path)
        self.store, self.directory, self.unit, self.changed = values, directory, info["shards"], False

    @property
    def chunks(self):
        """Of one chunk, as zarr's arrays have it."""
        return self.chunksize

    def read_into(self, start, out):
        # An opened image remembers where chunks lie in shards; those of a directory may be others' now.
        if self.info["chunks"] != self.unit and (self.changed or self.directory):
            self.image, self.changed = self._again(), False
        super().read_into(start, out)

    def __reduce__(self):
        return open_array, self.origin

    def _again(self):
        return _core.open_image(context(), open_for_reading(self.directory or self.store))

    def __setitem__(self, key, values):
        start, shape, post = _selection(key, self.shape)
        if 0 in shape:
            return
        if any(isinstance(p, slice) and p.step not in (None, 1) for p in post):
            pixels = self.read(start, shape)
            pixels[post] = values
        else:
            kept = tuple(n for n, p in zip(shape, post) if isinstance(p, slice))
            pixels = np.broadcast_to(np.asarray(values), kept).reshape(shape).astype(self.dtype, copy=False)
        whole = all(s % u == 0 and ((s + n) % u == 0 or s + n == w)
                    for s, n, w, u in zip(start, shape, self.shape, self.unit))
        with self._turn(exclusive=not whole):
            if not (whole and self.directory and self._write_new(start, pixels)):
                self._replace(start, shape, pixels)

    def _write_new(self, start, pixels):
        """True when none of it was stored before, nor is being written by another process."""
        try:
            with join(self.directory) as writer:
                writer.write_region(self.level, start, self.dtype.name, pixels)
        except FileExistsError:
            return False
        return True

    def _replace(self, start, shape, pixels):
        """Unit by unit (chunks, or shards): what is stored, changed, encoded, put in its place."""
        grid = [range(s // u, -(-(s + n) // u)) for s, n, u in zip(start, shape, self.unit)]
        documents = self._documents()
        size = math.prod(self.unit) * self.dtype.itemsize
        places = itertools.product(*grid)
        while batch := list(itertools.islice(places, max(1, _BATCH // size))):
            made = self._encode(documents, [(place, *self._block(place, start, pixels)) for place in batch])
            self.changed = True
            for place in batch:
                key = self._key(documents, place)
                if key in made:
                    self.store[key] = made[key]
                else:  # nothing but the fill value
                    self.store.pop(key, None)

    def _block(self, place, start, pixels):
        """(start, pixels) of a whole unit with its part of the new pixels."""
        at = [p * u for p, u in zip(place, self.unit)]
        extent = [min(u, w - a) for u, w, a in zip(self.unit, self.shape, at)]
        low = [max(a, s) for a, s in zip(at, start)]
        high = [min(a + e, s + n) for a, e, s, n in zip(at, extent, start, pixels.shape)]
        new = pixels[tuple(slice(a - s, b - s) for a, b, s in zip(low, high, start))]
        if list(new.shape) == extent:
            return at, new
        block = self.read(at, extent)
        block[tuple(slice(a - s, b - s) for a, b, s in zip(low, high, at))] = new
        return at, block

    def _encode(self, documents, blocks):
        """{key: bytes} of units, as a store in memory gets them that has the same documents."""
        scratch = dict(documents)
        store = _core.callback_store(context(), MappingStore(scratch))
        try:
            writer = _core.join_writer(context(), store)
            try:
                for _, at, block in blocks:
                    writer.write_region(self.level, at, self.dtype.name, block)
                writer.finish()
            finally:
                writer.close()
        finally:
            store.close()
        return scratch

    def _documents(self):
        found = {}
        paths = [self.image.level(n)["path"] for n in range(self.image.level_count())]
        groups = {"/".join(path.split("/")[:n]) for path in paths for n in range(path.count("/") + 1)}
        for path in sorted({"", *paths, *groups}):
            for name in ("zarr.json", ".zgroup", ".zattrs", ".zarray"):
                key = f"{path}/{name}" if path else name
                with contextlib.suppress(KeyError):
                    found[key] = bytes(self.store[key])
        return found

    def _key(self, documents, place):
        path = self.info["path"]
        if f"{path}/.zarray" in documents:
            document = json.loads(documents[f"{path}/.zarray"])
            return f"{path}/" + document.get("dimension_separator", ".").join(map(str, place))
        encoding = json.loads(documents[f"{path}/zarr.json"])["chunk_key_encoding"]
        default = encoding["name"] == "default"
        mark = encoding.get("configuration", {}).get("separator", "/" if default else ".")
        return f"{path}/" + mark.join([*(["c"] if default else []), *map(str, place)])

    @contextlib.contextmanager
    def _turn(self, exclusive):
        """The level's directory is locked: by many that write whole units, or by one that changes parts."""
        lock = None
        if self.directory:
            with contextlib.suppress(ImportError, OSError):  # a file system without locks
                import fcntl

                lock = os.open(os.path.join(self.directory, *self.info["path"].split("/")), os.O_RDONLY)
                fcntl.flock(lock, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        try:
            yield
        finally:
            if lock is not None:
                os.close(lock)
