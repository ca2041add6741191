"""`use_tensorstore=True`: the documents are ours, every chunk is written by the TensorStore package, into a
directory or into one of its own key-value stores (a `tensorstore.KvStore`, or the URL of one)."""

import os
from collections import deque

import numpy as np

from . import _core
from ._config import context
from ._stores import is_ozx_path, location, open_for_reading

_IN_FLIGHT = 8  # blocks that are being written while the next is made


def load():
    try:
        import tensorstore
    except ImportError as error:
        raise ImportError("use_tensorstore=True needs the tensorstore package, which is not "
                          "installed") from error
    return tensorstore


def is_kvstore(store):
    """Whether a store is one of TensorStore's own: looks at names, imports nothing."""
    if isinstance(store, str):
        return "://" in store
    return type(store).__module__.split(".")[0] == "tensorstore" and type(store).__name__ == "KvStore"


def check_store(store):
    if is_ozx_path(store) or (location(store) is None and not is_kvstore(store)):
        raise ValueError("use_tensorstore currently requires a path-like store or a tensorstore.KvStore")


def fill_directory(job, root):
    """The chunks of a hierarchy in a directory that holds the documents."""
    store = _core.open_store(context(), root, 0, 0, 0)
    image = _core.open_image(context(), store)
    where = {"driver": "file", "path": os.path.join(root, "")}
    _fill(job, image, load().KvStore.open(where).result())


def write_kvstore(job, documents, metadata_only):
    """Into a key-value store: documents of arrays, their chunks, the other documents, the root last. After
    a failure the keys that were written are removed."""
    tensorstore = load()
    kvstore = job.store
    if isinstance(kvstore, str):
        kvstore = tensorstore.KvStore.open(kvstore if kvstore.endswith("/") else kvstore + "/").result()
    _make_room(kvstore, job.overwrite)
    image = _core.open_image(context(), open_for_reading(documents))
    arrays = tuple(image.level(n)["path"] + "/" for n in range(image.level_count()))
    first = [key for key in documents if key.startswith(arrays)]
    rest = sorted((key for key in documents if key not in first), key=lambda key: -key.count("/"))
    try:
        for key in first:
            kvstore.write(key, documents[key]).result()
        if not metadata_only:
            _fill(job, image, kvstore)
        for key in rest:
            kvstore.write(key, documents[key]).result()
    except BaseException:
        kvstore.delete_range(tensorstore.KvStore.KeyRange()).result()
        raise


def _make_room(kvstore, overwrite):
    """As for a mapping: a Zarr hierarchy is replaced when that is asked for, other things never."""
    import tensorstore

    keys = {key.decode() for key in kvstore.list().result()}
    if keys and not keys & {"zarr.json", ".zgroup", ".zattrs", ".zarray"}:
        raise FileExistsError("the store holds other things than a Zarr hierarchy: it is left alone")
    if keys and not overwrite:
        raise FileExistsError("the store holds a Zarr hierarchy already")
    kvstore.delete_range(tensorstore.KvStore.KeyRange()).result()


def _fill(job, image, kvstore):
    tensorstore = load()
    driver = "zarr" if job.version == "0.4" else "zarr3"
    waiting = deque()
    for n in range(image.level_count()):
        info = image.level(n)
        array = tensorstore.open({"driver": driver}, kvstore=kvstore / (info["path"] + "/"),
                                 open=True).result()
        data = job.data if n == 0 else job.describe(n)[1]
        for key in _blocks(info["shape"], info["shards"]):
            waiting.append(array[key].write(np.asarray(data[key])))
            if len(waiting) >= _IN_FLIGHT:
                waiting.popleft().result()
    for future in waiting:
        future.result()


def _blocks(shape, block):
    """Slices that tile the level by whole shards."""
    grid = [range(0, n, b) for n, b in zip(shape, block)]
    for at in np.ndindex(*(len(axis) for axis in grid)):
        yield tuple(slice(axis[i], min(axis[i] + b, n))
                    for axis, i, b, n in zip(grid, at, block, shape))
