"""What scripts do with the Dask arrays that ngff-zarr gives them: the same calls and operators on levels of
this package. With Dask installed the answers are Dask arrays, lazy as there; without it NumPy's."""

import functools
import os

import numpy as np

# Of dask.array.Array; not its name and graph, by which others tell that an array is Dask's.
_METHODS = frozenset("""
    A T all any argmax argmin argtopk astype blocks choose clip conj copy cumprod cumsum dot flatten imag
    itemsize map_blocks map_overlap max mean min moment nonzero npartitions numblocks partitions persist prod
    ravel real rechunk repeat reshape round squeeze std store sum swapaxes to_backend to_dask_dataframe
    to_delayed to_hdf5 to_svg to_tiledb to_zarr topk trace var view vindex visualize""".split())


@functools.cache
def _has_dask():
    try:
        import dask.array
        import dask.threaded
    except ImportError:
        return False

    def forget():  # its threads are not there in a forked process, which would wait for them
        dask.threaded.default_pool = None

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=forget)
    return True


class _Pixels:
    """What Dask's graph holds: the level without the members of a Dask collection."""

    def __init__(self, level):
        self.level = level
        self.shape, self.dtype, self.ndim = level.shape, level.dtype, level.ndim

    def __getitem__(self, key):
        return self.level.pick(key)


class DuckArray(np.lib.mixins.NDArrayOperatorsMixin):
    """Mixed into lazy arrays: they have shape, dtype, `chunksize`, `compute` and basic indexing."""

    __hash__ = object.__hash__

    def to_dask(self):
        """A Dask array of this level (needs dask)."""
        _has_dask()
        import dask.array

        if "_dask" not in vars(self):
            chunks = tuple(c or n or 1 for c, n in zip(self.chunksize, self.shape))
            self._dask = dask.array.from_array(_Pixels(self), chunks=chunks, name=False, asarray=True)
        return self._dask

    def _duck(self):
        return self.to_dask() if _has_dask() else self.compute()

    def __getattr__(self, name):
        if name not in _METHODS:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        if not _has_dask() and not hasattr(np.ndarray, name):
            raise ImportError(f"{name} of a level needs the package dask")
        return getattr(self._duck(), name)

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        out = options.get("out")
        if out is not None and any(isinstance(item, DuckArray) for item in out):
            if any(item is not inputs[0] for item in out):
                return NotImplemented
            del options["out"]  # `level += 1` names another array then, as with Dask
        whole = method != "__call__"  # reduce and its like, which Dask does not do
        inputs = [(item.compute() if whole else item._duck()) if isinstance(item, DuckArray) else item
                  for item in inputs]
        return getattr(ufunc, method)(*inputs, **options)

    def select(self, key):
        """NumPy's other indices: lists, arrays, masks, None."""
        if _has_dask():
            try:
                return self.to_dask()[key]
            except NotImplementedError:  # several lists
                pass
        return self.gather(key)

    def gather(self, key):
        """The same, read now: the box that holds what they name."""
        whole = _whole_key(key, self.ndim)
        if whole is None:  # a mask of several axes
            return self.compute()[key]
        box, inner, axis = [], [], 0
        for item in whole:
            if item is None:
                inner.append(None)
                continue
            n = self.shape[axis]
            axis += 1
            if isinstance(item, slice) or np.ndim(item) == 0:
                box.append(slice(None))
                inner.append(item)
                continue
            places = np.asarray(item)
            places = np.flatnonzero(places) if places.dtype == bool else places.astype(np.intp)
            if np.asarray(item).dtype == bool and len(item) != n:
                raise IndexError(f"a mask of {len(item)} for an axis of {n}")
            if places.size and not (-n <= places.min() and places.max() < n):
                raise IndexError(f"an index is out of bounds for an axis of {n}")
            places = np.where(places < 0, places + n, places)
            low, high = (int(places.min()), int(places.max()) + 1) if places.size else (0, 0)
            box.append(slice(low, high))
            inner.append(places - low)
        return self.pick(tuple(box))[tuple(inner)]

    # A Dask collection: dask.compute and dask.delayed take levels as they take Dask arrays.

    def __dask_graph__(self):
        return self.to_dask().__dask_graph__()

    def __dask_keys__(self):
        return self.to_dask().__dask_keys__()

    def __dask_layers__(self):
        return self.to_dask().__dask_layers__()

    def __dask_tokenize__(self):
        return self.to_dask().__dask_tokenize__()

    def __dask_postcompute__(self):
        return self.to_dask().__dask_postcompute__()

    def __dask_postpersist__(self):
        return self.to_dask().__dask_postpersist__()

    @property
    def __dask_optimize__(self):
        return self.to_dask().__dask_optimize__

    @property
    def __dask_scheduler__(self):
        return self.to_dask().__dask_scheduler__


def is_basic(key):
    """Whether an index has only integers, slices and `...`."""
    key = key if isinstance(key, tuple) else (key,)
    return not any(item is None or isinstance(item, (list, tuple, bool, np.bool_)) or np.ndim(item) > 0
                   for item in key if not isinstance(item, slice) and item is not Ellipsis)


def _whole_key(key, ndim):
    """The index without `...`, one item an axis and None; None when it is a mask of several axes."""
    key = key if isinstance(key, tuple) else (key,)
    if any(isinstance(item, (bool, np.bool_)) or np.ndim(item) > 1 and np.asarray(item).dtype == bool
           for item in key if item is not None and item is not Ellipsis and not isinstance(item, slice)):
        return None
    return without_ellipsis(key, ndim)


def without_ellipsis(key, ndim):
    """An index of any kind with whole axes in place of `...`, and at its end."""
    taken = sum(item is not None and item is not Ellipsis for item in key)
    if taken > ndim:
        raise IndexError(f"too many indices: {taken} for {ndim} dimensions")
    fill = (slice(None),) * (ndim - taken)
    at = next((n for n, item in enumerate(key) if item is Ellipsis), None)
    return key + fill if at is None else key[:at] + fill + key[at + 1:]
