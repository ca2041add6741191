"""Arrays that are read region by region: levels of a store, levels still to be computed, and other
people's lazy arrays with their axes in another order."""

import numpy as np

from ._duck import DuckArray, is_basic


class LazyArray(DuckArray):
    """Shape, dtype and indexing; subclasses fill arrays in `read_into(start, out)`."""

    __array_priority__ = 100
    native = None  # the source that the C half reads without asking Python

    def __init__(self, shape, dtype, chunks):
        self.shape = tuple(int(n) for n in shape)
        self.dtype = np.dtype(dtype)
        self.chunksize = tuple(int(n) for n in chunks)

    @property
    def chunks(self):
        """The extents of every chunk along each axis, as Dask has them; `chunksize` is that of one."""
        return tuple(_extents(n, c or n) for n, c in zip(self.shape, self.chunksize))

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
        return f"<{type(self).__name__} shape={self.shape} dtype={self.dtype} chunksize={self.chunksize}>"

    def read_into(self, start, out):
        raise NotImplementedError

    def read(self, start, shape):
        out = np.empty(shape, self.dtype)
        if out.size:
            self.read_into(tuple(start), out)
        return out

    def read_memory(self, start, shape, memory):
        """As the C half asks: into the bytes of a C-ordered block."""
        out = np.frombuffer(memory, self.dtype).reshape(shape)
        try:
            self.read_into(start, out)
        finally:
            del out  # the memory is the caller's again when this returns

    def compute(self):
        """The whole level as a NumPy array."""
        return self.read((0,) * self.ndim, self.shape)

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("a lazy level cannot become an array without a copy")
        array = self.compute()
        return array if dtype is None else array.astype(dtype, copy=False)

    def __getitem__(self, key):
        if not is_basic(key):
            return self.select(key)
        start, shape, post = _selection(key, self.shape)
        return self.read(start, shape)[post]

    def transpose(self, *order):
        if len(order) == 1 and not isinstance(order[0], int):
            order = tuple(order[0])
        return Transposed(self, order or tuple(reversed(range(self.ndim))))


def _extents(size, chunk):
    return (chunk,) * (size // chunk) + ((size % chunk,) if size % chunk else ()) if size else (0,)


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

    @property
    def foreign(self):
        """Whether the array below is not of this package."""
        return not isinstance(self.base, LazyArray) or getattr(self.base, "foreign", False)

    def transpose(self, *order):
        if len(order) == 1 and not isinstance(order[0], int):
            order = tuple(order[0])
        order = [self.order[i] for i in order or reversed(range(self.ndim))]
        return self.base if order == sorted(order) else Transposed(self.base, order)

    def read_into(self, start, out):
        key = [None] * self.ndim
        for i, axis in enumerate(self.order):
            key[axis] = slice(start[i], start[i] + out.shape[i])
        out[...] = np.asarray(self.base[tuple(key)]).transpose(self.order)


class StoredLevel(LazyArray):
    """A level of an opened image. Holds the image and its store open."""

    def __init__(self, image, level, info, dtype):
        super().__init__(info["shape"], dtype, info["chunks"])
        self.image, self.level, self.info = image, level, info
        self.origin = None  # (store, chunk_store), to open it again in another process

    def read_into(self, start, out):
        self.image.read_region(self.level, start, out)

    def __reduce__(self):
        if self.origin is None:
            raise TypeError("a level is pickled by the store that it was opened from")
        return _reopened, (*self.origin, self.level)

    def __deepcopy__(self, memo):
        return self


def _reopened(store, chunk_store, level):
    from . import _core
    from ._config import context
    from ._stores import open_for_reading

    image = _core.open_image(context(), open_for_reading(store, chunk_store))
    made = StoredLevel(image, level, image.level(level), np.dtype(image.describe()[0]))
    made.origin = (store, chunk_store)
    return made


class ComputedLevel(LazyArray):
    """A level of `to_multiscales`: computed, with all its siblings, when its pixels are first asked
    for; the writer computes it on its way without this."""

    def __init__(self, pyramid, level, info, dtype):
        super().__init__(info["shape"], dtype, info["chunks"])
        self.pyramid, self.level = pyramid, level

    def read_into(self, start, out):
        self.pyramid.computed().read_region(self.level, start, out)

    def __reduce__(self):
        return _planned, (*self.pyramid.recipe, self.level)


def _planned(image, scale_factors, method, chunks, level):
    from ._pyramid import to_multiscales

    return to_multiscales(image, scale_factors, method, chunks).images[level].data


def chunk_shape(data):
    """The block a lazy array reads best; 0 where it does not say."""
    if isinstance(data, LazyArray):
        return data.chunksize
    chunks = getattr(data, "chunks", None)
    if callable(chunks) or not isinstance(chunks, (tuple, list)) or len(chunks) != data.ndim:
        return (0,) * data.ndim
    return tuple(int(max(c)) if isinstance(c, (tuple, list)) else int(c) for c in chunks)
