"""The blocks of a resampling as tasks of one Dask graph. They refer to the chunks of the moving image,
and of a field, themselves, so a chunk that several blocks need is computed once."""

from copy import copy
from uuid import uuid4

import numpy as np


def as_dask(job):
    """`job` as a Dask array with the chunks of the fixed image."""
    import dask.array as da
    from dask.highlevelgraph import HighLevelGraph

    chunks = job.given
    if not (isinstance(chunks, tuple) and all(isinstance(c, tuple) for c in chunks)):
        chunks = da.core.normalize_chunks(job.chunks, job.shape)
    name, light, graph = f"resample-{uuid4().hex}", _light(job), {}
    arrays = [job.pixels, *(getattr(stage, "array", None) for stage in job.stages or ())]
    for at in np.ndindex(*(len(c) for c in chunks)):
        start = [sum(c[:n]) for c, n in zip(chunks, at)]
        shape = tuple(c[n] for c, n in zip(chunks, at))
        plan = job.plan(start, shape)
        parts = [None if key is None else _part(array, key)
                 for array, key in zip(arrays, job.keys(plan))]
        graph[name, *at] = (Block(light, (start, shape, plan), parts),
                            *(key for part in parts if isinstance(part, Pieces) for key in part.keys))
    lazy = [array for array in arrays if hasattr(array, "dask")]
    whole = HighLevelGraph.from_collections(name, graph, dependencies=lazy)
    return da.Array(whole, name, chunks, dtype=job.dtype, meta=np.empty((0,) * len(chunks), job.dtype))


def _light(job):
    """A copy without pixels: those of a block come with its task."""
    job = copy(job)
    job.pixels = job.given = None
    job.stages = job.stages and [stage.without_values() for stage in job.stages]
    return job


class Pieces:
    """A part of a Dask array: its chunks, and where each goes."""

    def __init__(self, array, key):
        self.shape = tuple(len(range(*k.indices(n))) for k, n in zip(key, array.shape))
        self.dtype, self.keys, self.places = array.dtype, [], []
        axes = [list(_overlaps(counts, *k.indices(n)[:2]))
                for counts, k, n in zip(array.chunks, key, array.shape)]
        for at in np.ndindex(*(len(axis) for axis in axes)):
            chosen = [axis[n] for axis, n in zip(axes, at)]
            self.keys.append((array.name, *(c[0] for c in chosen)))
            self.places.append((tuple(c[1] for c in chosen), tuple(c[2] for c in chosen)))

    def put_together(self, chunks):
        out = np.empty(self.shape, self.dtype)
        for (here, there), chunk in zip(self.places, chunks):
            out[here] = np.asarray(chunk)[there]
        return out


def _overlaps(counts, start, stop):
    """(number of a chunk, where it lies in start:stop, what of it does)."""
    begin = 0
    for n, count in enumerate(counts):
        low, high = max(begin, start), min(begin + count, stop)
        if low < high:
            yield n, slice(low - start, high - start), slice(low - begin, high - begin)
        begin += count


def _part(array, key):
    return Pieces(array, key) if hasattr(array, "dask") else array[key]


class Block:
    """One task, called with the chunks it refers to."""

    def __init__(self, job, what, parts):
        self.job, self.what, self.parts = job, what, parts

    def __call__(self, *chunks):
        chunks, parts = iter(chunks), []
        for part in self.parts:
            if isinstance(part, Pieces):
                part = part.put_together([next(chunks) for _ in part.keys])
            parts.append(part)
        return self.job.block(*self.what, parts)
