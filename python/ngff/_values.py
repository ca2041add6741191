"""Other people's stores as mappings of keys to bytes that can also read a part of a value: fsspec's file
systems, zarr-python's stores, addresses, directories. What they need is imported when one is used."""

import os
import sys
import threading
from collections.abc import MutableMapping

_GONE = (FileNotFoundError, IsADirectoryError, NotADirectoryError, KeyError)


class Values(MutableMapping):
    """`part(key, offset, size)` and `size(key)` beside what a mapping has; KeyError where there is none."""

    def __getitem__(self, key):
        return self.part(key, 0, None)

    def __contains__(self, key):
        try:
            self.size(key)
        except KeyError:
            return False
        return True

    def __len__(self):
        return sum(1 for _ in self)

    def pop(self, key, *default):
        """The value itself is not fetched."""
        try:
            del self[key]
        except KeyError:
            if not default:
                raise
        return default[0] if default else None


def part_of(values, key, offset, size):
    """A part of a value of any mapping (`size` None: to its end), without a copy where it is in memory."""
    if isinstance(values, Values):
        return values.part(key, offset, size)
    value = memoryview(values[key]).cast("B")
    return value[offset:None if size is None else offset + size]


def size_of(values, key):
    return values.size(key) if isinstance(values, Values) else memoryview(values[key]).nbytes


class FsValues(Values):
    """Below `root` of a file system of fsspec."""

    def __init__(self, fs, root):
        self.fs, self.root = fs, root.rstrip("/")

    def _path(self, key):
        return f"{self.root}/{key}" if self.root else key

    def part(self, key, offset, size):
        try:
            if size is None:
                return bytes(self.fs.cat_file(self._path(key)))
            return bytes(self.fs.cat_file(self._path(key), start=offset, end=offset + size))
        except _GONE:
            raise KeyError(key) from None

    def size(self, key):
        try:
            about = self.fs.info(self._path(key))
        except _GONE:
            raise KeyError(key) from None
        if about.get("type") == "directory":
            raise KeyError(key)
        if about.get("size") is None:
            return len(self.part(key, 0, None))
        return int(about["size"])

    def __setitem__(self, key, value):
        path = self._path(key)
        self.fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        self.fs.pipe_file(path, bytes(value))

    def __delitem__(self, key):
        try:
            self.fs.rm_file(self._path(key))
        except _GONE:
            raise KeyError(key) from None

    def __iter__(self):
        try:
            found = self.fs.find(self.root)
        except _GONE:
            return iter(())
        lead = len(self.fs._strip_protocol(self.root).strip("/"))
        return iter([path.strip("/")[lead:].lstrip("/") for path in found])


class ZarrValues(Values):
    """Below `prefix` of a store of zarr-python 3 (any subclass of zarr.abc.store.Store)."""

    def __init__(self, store, prefix=""):
        from zarr.core.buffer import default_buffer_prototype
        from zarr.core.sync import sync

        self.store, self.prefix = store, f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self.prototype, self.run = default_buffer_prototype(), sync
        self.read_only = store.read_only

    def part(self, key, offset, size):
        from zarr.abc.store import RangeByteRequest

        wanted = None if size is None else RangeByteRequest(offset, offset + size)
        try:
            value = self.run(self.store.get(self.prefix + key, self.prototype, wanted))
        except _GONE:
            value = None
        if value is None:
            raise KeyError(key)
        return value.to_bytes()

    def size(self, key):
        try:
            return int(self.run(self.store.getsize(self.prefix + key)))
        except _GONE:
            raise KeyError(key) from None

    def __setitem__(self, key, value):
        if self.store.read_only:
            raise PermissionError(f"the store is read-only: {self.store}")
        self.run(self.store.set(self.prefix + key, self.prototype.buffer.from_bytes(bytes(value))))

    def __delitem__(self, key):
        if key not in self:
            raise KeyError(key)
        self.run(self.store.delete(self.prefix + key))

    def __iter__(self):
        async def keys():
            return [key async for key in self.store.list_prefix(self.prefix)]

        return iter([key[len(self.prefix):] for key in self.run(keys())])


class DirectoryValues(Values):
    """Below a directory. A value is replaced at once, by a rename."""

    def __init__(self, root):
        self.root = root

    def _path(self, key):
        return os.path.join(self.root, *key.split("/"))

    def part(self, key, offset, size):
        try:
            with open(self._path(key), "rb") as file:
                file.seek(offset)
                return file.read(-1 if size is None else size)
        except _GONE:
            raise KeyError(key) from None

    def size(self, key):
        path = self._path(key)
        if not os.path.isfile(path):
            raise KeyError(key)
        return os.path.getsize(path)

    def __setitem__(self, key, value):
        path = self._path(key)
        folder, name = os.path.split(path)
        part = os.path.join(folder, f".{name}.{os.getpid()}.{threading.get_ident()}.part")
        os.makedirs(folder, exist_ok=True)
        try:
            with open(part, "wb") as file:
                file.write(value)
            os.replace(part, path)
        except BaseException:
            if os.path.exists(part):
                os.unlink(part)
            raise

    def __delitem__(self, key):
        try:
            os.unlink(self._path(key))
        except _GONE:
            raise KeyError(key) from None

    def __iter__(self):
        for folder, _, names in os.walk(self.root):
            for name in names:
                yield os.path.relpath(os.path.join(folder, name), self.root).replace(os.sep, "/")


class ReadOnly(Values):
    """What is called `name` in messages: nothing can be put there, and it does not tell its keys."""

    read_only, name = True, "a native store"

    def __setitem__(self, key, value):
        raise PermissionError(f"nothing is written to {self.name}")

    def __delitem__(self, key):
        raise PermissionError(f"nothing is removed from {self.name}")

    def __iter__(self):
        raise NotImplementedError(f"{self.name} cannot be listed")


class HandleValues(ReadOnly):
    """Of a native store that is opened for reading."""

    def __init__(self, handle):
        self.handle = handle

    def part(self, key, offset, size):
        try:
            value = self.handle.get_value(key)
        except FileNotFoundError:
            raise KeyError(key) from None
        return bytes(value[offset:None if size is None else offset + size])

    def size(self, key):
        return len(self[key])


class HttpValues(ReadOnly):
    """Below an address, with the standard library alone."""

    def __init__(self, url, headers=None):
        self.url, _, query = url.partition("?")
        self.url = self.name = self.url.rstrip("/")
        self.query = f"?{query}" if query else ""
        self.headers = dict(headers or {})

    def _open(self, key, method="GET", **headers):
        from urllib.error import HTTPError
        from urllib.parse import quote
        from urllib.request import Request, urlopen

        address = f"{quote(self.url, safe=':/%@[]~+,;=&$')}/{quote(key)}{self.query}"
        try:
            return urlopen(Request(address, headers={**self.headers, **headers}, method=method), timeout=60)
        except HTTPError as error:
            error.close()
            if error.code in (404, 410):
                raise KeyError(key) from None
            raise OSError(f"{error.code} {error.reason}: {address}") from None

    def part(self, key, offset, size):
        if size == 0:
            return b""
        headers = {} if size is None else {"Range": f"bytes={offset}-{offset + size - 1}"}
        with self._open(key, **headers) as answer:
            if size is None or answer.status == 206:
                return answer.read()
            return answer.read(offset + size)[offset:]  # a server that knows no ranges

    def size(self, key):
        with self._open(key, "HEAD") as answer:
            length = answer.headers.get("Content-Length")
        return len(self[key]) if length is None else int(length)


class Below(Values):
    """What lies below a prefix of a mapping."""

    def __init__(self, values, prefix):
        self.values, self.prefix = values, f"{prefix}/"

    def part(self, key, offset, size):
        return bytes(part_of(self.values, self.prefix + key, offset, size))

    def size(self, key):
        return size_of(self.values, self.prefix + key)

    def __setitem__(self, key, value):
        self.values[self.prefix + key] = value

    def __delitem__(self, key):
        del self.values[self.prefix + key]

    def __iter__(self):
        return (key.removeprefix(self.prefix) for key in list(self.values)
                if key.startswith(self.prefix))


def is_address(store):
    """Whether text names a place in a scheme, and not a file."""
    return isinstance(store, str) and ("://" in store or "::" in store) and not os.path.exists(store)


def from_address(url, options=None):
    """The values below an address."""
    options = dict(options or {})
    archive = url.split("?")[0].endswith((".ozx", ".zip")) and not url.startswith("zip::")
    try:
        import fsspec

        fs, root = fsspec.core.url_to_fs(f"zip::{url}" if archive else url,
                                         **({url.split("://")[0]: options} if archive else options))
    except ImportError as missing:
        if url.startswith(("http://", "https://")) and not archive:
            return _plain_http(url, options)
        raise ImportError(f"reading {url} needs a package: {missing}") from missing
    return FsValues(fs, root)


def _plain_http(url, options):
    headers = options.pop("headers", None) or options.pop("client_kwargs", {}).get("headers")
    if options:
        raise ImportError(f"storage_options {sorted(options)} for {url} need the packages fsspec and aiohttp")
    return HttpValues(url, headers)


def as_values(store):
    """The store as values when it is one that this module knows, else None."""
    if is_address(store):
        return from_address(store)
    if hasattr(store, "store_path"):  # a group of zarr-python
        store = store.store_path
    if hasattr(store, "store") and hasattr(store, "path") and _is_zarr(store.store):
        return ZarrValues(store.store, store.path)
    if _is_zarr(store):
        return ZarrValues(store)
    if hasattr(store, "cat_file") and hasattr(store, "find"):
        raise TypeError("a file system of fsspec is no store: pass fs.get_mapper(path)")
    root = getattr(store, "root", None) or getattr(store, "path", None)
    if hasattr(store, "fs") and isinstance(root, str):
        return FsValues(store.fs, root)
    return None


def _is_zarr(store):
    stores = sys.modules.get("zarr.abc.store")  # whoever has a store has imported it
    return stores is not None and isinstance(store, stores.Store)
