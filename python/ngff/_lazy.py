"""Arrays that are read region by region: levels of a store, levels still to be computed, and other
people's lazy arrays with their axes in another order."""

import numpy as np

from ._duck import DuckArray, is_basic, without_ellipsis


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
        return self.extents()

    def extents(self):
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
        if not self.shape:
            raise TypeError("len() of unsized object")
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
        return self.read((0,) * self.ndim, self.shape)[()]

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("a lazy level cannot become an array without a copy")
        array = np.asarray(self.compute())
        return array if dtype is None else array.astype(dtype, copy=False)

    def __getitem__(self, key):
        """Lazy too: nothing is read before somebody asks for the pixels of what is selected."""
        return View(self, _picks(key, self.shape)) if is_basic(key) else self.select(key)

    def pick(self, key):
        """What an index selects, read now."""
        if not is_basic(key):
            return self.gather(key)
        start, shape, post = _selection(key, self.shape)
        return self.read(start, shape)[post]

    def transpose(self, *order):
        return Transposed(self, _order(order, self.ndim))


def _order(order, ndim):
    """The axes that `transpose` was called with: one by one, as a sequence, or none for the reverse."""
    if len(order) == 1 and not isinstance(order[0], int):
        order = tuple(order[0])
    return order or tuple(reversed(range(ndim)))


def _extents(size, chunk):
    return (chunk,) * (size // chunk) + ((size % chunk,) if size % chunk else ()) if size else (0,)


def _picks(key, shape):
    """A basic index as an integer or a range for each axis."""
    picks = []
    for k, n in zip(_full_key(key, shape), shape):
        if isinstance(k, slice):
            picks.append(range(*k.indices(n)))
            continue
        index = int(k)
        if not -n <= index < n:
            raise IndexError(f"index {index} is out of bounds for an axis of {n}")
        picks.append(index % n)
    return tuple(picks)


def _full_key(key, shape):
    """A basic index without `...`, an item for each axis."""
    key = key if isinstance(key, tuple) else (key,)
    if any(k is None or isinstance(k, (list, np.ndarray)) for k in key):
        raise IndexError("only integers, slices and ... select from a lazy array")
    return without_ellipsis(key, len(shape))


def _selection(key, shape):
    """The bounding box of a basic index, and the index into that box."""
    return _box(_picks(key, shape))


def _box(picks):
    starts, counts, post = [], [], []
    for pick in picks:
        if not isinstance(pick, range):
            starts.append(pick), counts.append(1), post.append(0)
        elif not pick:
            starts.append(0), counts.append(0), post.append(slice(None))
        else:
            low, high = min(pick[0], pick[-1]), max(pick[0], pick[-1])
            starts.append(low), counts.append(high - low + 1), post.append(slice(None, None, pick.step))
    return tuple(starts), tuple(counts), tuple(post)


def _picked(pick, extents):
    """How many indices of a range lie in each chunk, in the order of the range."""
    up = pick if pick.step > 0 else pick[::-1]
    counts, edge, taken = [], 0, 0
    for extent in extents:
        edge += extent
        until = min(max(-(-(edge - up.start) // up.step), 0), len(up))
        counts.append(until - taken)
        taken = until
    counts = tuple(n for n in counts if n) or (0,)
    return counts if pick.step > 0 else counts[::-1]


class Number:
    """One element is a number, as it is for NumPy and Dask."""

    def item(self):
        return self.compute().item()

    def __bool__(self):
        return bool(self.compute())

    def __int__(self):
        return int(self.compute())

    def __float__(self):
        return float(self.compute())

    def __index__(self):
        if self.shape:
            raise TypeError("only an array of no dimension is an index")
        return self.compute().__index__()


class View(Number, LazyArray):
    """What a basic index selects of a lazy array: an integer or a range for each of its axes."""

    def __init__(self, base, picks):
        self.base, self.picks = base, picks
        self._chunks = tuple(_picked(pick, extents) for pick, extents in zip(picks, base.extents())
                             if isinstance(pick, range))
        super().__init__([len(pick) for pick in picks if isinstance(pick, range)], base.dtype,
                         [max(extents) for extents in self._chunks])

    def extents(self):
        return self._chunks

    @property
    def foreign(self):
        return getattr(self.base, "foreign", False)

    def read_into(self, start, out):
        kept = iter(zip(start, out.shape))
        picks = []
        for pick in self.picks:
            if isinstance(pick, range):
                first, count = next(kept)
                pick = pick[first:first + count]
            picks.append(pick)
        low, span, post = _box(picks)
        if all(not isinstance(pick, range) or pick.step == 1 for pick in picks):
            spread = tuple(slice(None) if isinstance(pick, range) else None for pick in picks)
            self.base.read_into(low, out[spread])
        elif out.size > 1 and np.prod(span, dtype=np.int64) * self.dtype.itemsize > _SPAN:
            self._read_halves(start, out)
        else:
            out[...] = self.base.read(low, span)[post]

    def _read_halves(self, start, out):
        """What a step leaves out is read with the rest, and is not to be held all at once."""
        axis = next(n for n, count in enumerate(out.shape) if count > 1)
        half = out.shape[axis] // 2
        key, second = (slice(None),) * axis, list(start)
        second[axis] += half
        self.read_into(tuple(start), out[(*key, slice(None, half))])
        self.read_into(tuple(second), out[(*key, slice(half, None))])

    def to_dask(self):
        return self.base.to_dask()[tuple(_as_slice(pick) for pick in self.picks)]

    def __reduce__(self):
        return View, (self.base, self.picks)


# A step is read with what it leaves out up to so many bytes at once.
_SPAN = 1 << 26


def _as_slice(pick):
    """The slice that gives a range again; an integer as it is."""
    if not isinstance(pick, range):
        return pick
    return slice(pick.start, None if pick.stop < 0 else pick.stop, pick.step) if pick else slice(0, 0)


class InMemory(Number, LazyArray):
    """An array of the caller, as lazy as the levels below it. It is borrowed: whoever assigns to it gets a
    copy, the caller's stays as it is."""

    def __init__(self, base, chunks=None):
        super().__init__(base.shape, base.dtype, chunks or base.shape)
        self.base, self.own, self.chunked = base, False, chunks is not None

    def read_into(self, start, out):
        out[...] = self.base[tuple(slice(s, s + n) for s, n in zip(start, out.shape))]

    def compute(self):
        return self.base.copy()[()]

    def __array__(self, dtype=None, copy=None):
        return np.array(self.base, dtype, copy=copy)

    def __getitem__(self, key):
        found = np.asanyarray(self.base[key])  # of a memory map a memory map
        same = found.ndim == self.ndim
        return InMemory(found, [min(c, n) for c, n in zip(self.chunksize, found.shape)] if same else None)

    def __setitem__(self, key, values):
        if not self.own:
            self.base, self.own = np.array(self.base), True
        self.base[key] = values

    def transpose(self, *order):
        order = _order(order, self.ndim)
        return InMemory(self.base.transpose(order), [self.chunksize[n] for n in order])

    def __reduce__(self):
        return InMemory, (self.base, self.chunksize if self.chunked else None)


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
        order = [self.order[i] for i in _order(order, self.ndim)]
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
        return _reopened, (type(self), *self.origin, self.level)

    def __deepcopy__(self, memo):
        return self


def _reopened(kind, store, chunk_store, level):
    from . import _core
    from ._config import context
    from ._stores import open_for_reading

    image = _core.open_image(context(), open_for_reading(store, chunk_store))
    made = kind(image, level, image.level(level), np.dtype(image.describe()[0]))
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
    if isinstance(data, InMemory) and not data.chunked:
        return (0,) * data.ndim
    if isinstance(data, LazyArray):
        return data.chunksize
    chunks = getattr(data, "chunks", None)
    if callable(chunks) or not isinstance(chunks, (tuple, list)) or len(chunks) != data.ndim:
        return (0,) * data.ndim
    return tuple(int(max(c)) if isinstance(c, (tuple, list)) else int(c) for c in chunks)
