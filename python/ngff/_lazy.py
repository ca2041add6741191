"""Arrays that are read region by region: levels of a store, levels still to be computed, and other
people's lazy arrays seen through a cache of their chunks."""

import itertools
import threading
from collections import OrderedDict

import numpy as np


class LazyArray:
    """Shape, dtype and indexing; subclasses answer `read(start, shape)` with a NumPy array."""

    __array_priority__ = 100

    def __init__(self, shape, dtype, chunks):
        self.shape = tuple(int(n) for n in shape)
        self.dtype = np.dtype(dtype)
        self.chunks = tuple(int(n) for n in chunks)

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def size(self):
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def nbytes(self):
        return self.size * self.dtype.itemsize

    def __len__(self):
        return self.shape[0]

    def __repr__(self):
        return f"<{type(self).__name__} shape={self.shape} dtype={self.dtype} chunks={self.chunks}>"

    def read(self, start, shape):
        raise NotImplementedError

    def compute(self):
        """The whole level as a NumPy array."""
        return self.read((0,) * self.ndim, self.shape)

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("a lazy level cannot become an array without a copy")
        array = self.compute()
        return array if dtype is None else array.astype(dtype, copy=False)

    def __getitem__(self, key):
        start, shape, post = _selection(key, self.shape)
        return self.read(start, shape)[post]

    def transpose(self, *order):
        if len(order) == 1 and not isinstance(order[0], int):
            order = tuple(order[0])
        return Transposed(self, order or tuple(reversed(range(self.ndim))))

    def to_dask(self):
        """A Dask array of this level (needs dask)."""
        import dask.array

        return dask.array.from_array(self, chunks=self.chunks, name=False, asarray=True)


def _selection(key, shape):
    """The bounding box of a basic index, and the index into that box."""
    key = key if isinstance(key, tuple) else (key,)
    if any(k is None or isinstance(k, (list, np.ndarray)) for k in key):
        raise IndexError("only integers, slices and ... select from a lazy array")
    if Ellipsis in key:
        at = key.index(Ellipsis)
        fill = (slice(None),) * (len(shape) - len(key) + 1)
        key = key[:at] + fill + key[at + 1 :]
    if len(key) > len(shape):
        raise IndexError(f"too many indices: {len(key)} for {len(shape)} dimensions")
    key = key + (slice(None),) * (len(shape) - len(key))
    starts, counts, post = [], [], []
    for k, n in zip(key, shape):
        if isinstance(k, slice):
            indices = range(*k.indices(n))
            if not indices:
                starts.append(0), counts.append(0), post.append(slice(None))
                continue
            low, high = min(indices[0], indices[-1]), max(indices[0], indices[-1])
            starts.append(low)
            counts.append(high - low + 1)
            post.append(slice(None, None, indices.step))
        else:
            index = int(k)
            if not -n <= index < n:
                raise IndexError(f"index {index} is out of bounds for an axis of {n}")
            starts.append(index % n)
            counts.append(1)
            post.append(0)
    return tuple(starts), tuple(counts), tuple(post)


class Transposed(LazyArray):
    """A lazy array with its axes in another order."""

    def __init__(self, base, order):
        chunks = chunk_shape(base)
        super().__init__(
            [base.shape[i] for i in order], base.dtype, [chunks[i] for i in order]
        )
        self.base, self.order = base, tuple(order)

    def read(self, start, shape):
        key = [None] * self.ndim
        for i, axis in enumerate(self.order):
            key[axis] = slice(start[i], start[i] + shape[i])
        return np.asarray(self.base[tuple(key)]).transpose(self.order)


class StoredLevel(LazyArray):
    """A level of an opened image. Holds the image and its store open."""

    def __init__(self, image, level, info, dtype):
        super().__init__(info["shape"], dtype, info["chunks"])
        self.image, self.level, self.info = image, level, info

    def read(self, start, shape):
        out = np.empty(shape, self.dtype)
        if out.size:
            self.image.read_region(self.level, tuple(start), out)
        return out


class ComputedLevel(LazyArray):
    """A level of `to_multiscales`: computed, with all its siblings, when its pixels are first asked
    for; the writer computes it on its way without this."""

    def __init__(self, pyramid, level, info, dtype):
        super().__init__(info["shape"], dtype, info["chunks"])
        self.pyramid, self.level = pyramid, level

    def read(self, start, shape):
        out = np.empty(shape, self.dtype)
        if out.size:
            self.pyramid.computed().read_region(self.level, tuple(start), out)
        return out


def chunk_shape(data):
    """The block a lazy array reads best; 0 where it does not say."""
    chunks = getattr(data, "chunks", None)
    if callable(chunks) or not isinstance(chunks, (tuple, list)) or len(chunks) != data.ndim:
        return (0,) * data.ndim
    return tuple(int(max(c)) if isinstance(c, (tuple, list)) else int(c) for c in chunks)


def _edges(data):
    """Where the chunks of each axis begin, and the end of the last one."""
    chunks = getattr(data, "chunks", None)
    shape = chunk_shape(data)
    edges = []
    for axis, n in enumerate(data.shape):
        if shape[axis] and isinstance(chunks[axis], (tuple, list)):
            edges.append(np.concatenate([[0], np.cumsum(chunks[axis])]).astype(int).tolist())
        else:
            step = shape[axis] or n
            edges.append(list(range(0, n, step)) + [n])
    return edges


class Reader:
    """Reads regions of a foreign lazy array; each of its chunks is computed once while it is in the
    cache, which holds at most `limit` bytes. Called from several threads."""

    def __init__(self, data, limit):
        self.data, self.limit = data, limit
        self.edges = _edges(data)
        self.dtype = np.dtype(data.dtype).newbyteorder("=")
        self.cache, self.held, self.lock = OrderedDict(), 0, threading.Lock()
        self.direct = not any(chunk_shape(data))

    def __call__(self, start, shape):
        if self.direct:
            return self._fetch(tuple(slice(s, s + n) for s, n in zip(start, shape)))
        out = None
        for index in itertools.product(*(self._span(a, s, n) for a, (s, n) in
                                         enumerate(zip(start, shape)))):
            low = [self.edges[a][i] for a, i in enumerate(index)]
            block = self._chunk(index)
            first = [max(s, lo) for s, lo in zip(start, low)]
            last = [min(s + n, lo + b) for s, n, lo, b in zip(start, shape, low, block.shape)]
            part = block[tuple(slice(f - lo, e - lo) for f, e, lo in zip(first, last, low))]
            if part.shape == tuple(shape):
                return part
            if out is None:
                out = np.empty(shape, self.dtype)
            out[tuple(slice(f - s, e - s) for f, e, s in zip(first, last, start))] = part
        return out

    def _span(self, axis, start, count):
        edges = self.edges[axis]
        low = int(np.searchsorted(edges, start, side="right")) - 1
        high = int(np.searchsorted(edges, start + count, side="left"))
        return range(low, high)

    def _fetch(self, key):
        return np.ascontiguousarray(np.asarray(self.data[key]), dtype=self.dtype)

    def _chunk(self, index):
        with self.lock:
            entry = self.cache.get(index)
            if entry is None:
                entry = self.cache[index] = [threading.Lock(), None]
            self.cache.move_to_end(index)
        with entry[0]:
            if entry[1] is None:
                key = tuple(slice(self.edges[a][i], self.edges[a][i + 1])
                            for a, i in enumerate(index))
                entry[1] = self._fetch(key)
                self._account(entry[1].nbytes)
            return entry[1]

    def _account(self, nbytes):
        with self.lock:
            self.held += nbytes
            for index in list(self.cache):
                if self.held <= self.limit or len(self.cache) <= 1:
                    return
                entry = self.cache[index]
                if entry[1] is not None and not entry[0].locked():
                    self.held -= entry[1].nbytes
                    del self.cache[index]
