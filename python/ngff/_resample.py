"""resample: a moving image on the grid of a fixed one, block by block, when its pixels are asked for."""

from dataclasses import replace

import numpy as np

from ._itk_frames import itk_order
from ._itk_transform import is_native
from ._lazy import LazyArray, chunk_shape
from ._resample_box import check_padding, check_pair, index_region
from ._resample_dask import as_dask
from ._resample_pixels import cast, inside, sample
from ._resample_stages import Field, Linear, grid_of, native_list, reach, stages_of

# What each interpolator reads beyond the pixels around a point. The filter of a spline goes over all
# pixels that it is given, so what is cut off has to lie further away than its precision reaches.
_PADDING = {"linear": 1, "nearest_neighbor": 1, "label_image": 1, "b_spline": 16, "windowed_sinc": 3,
            "gaussian": 2}
_NATIVE = ("linear", "nearest_neighbor")
_SLAB = 1 << 16  # points at a time
_BLOCK = {2: 1024, 3: 128}  # of a result whose fixed image has no chunks


def resample(transform, fixed, moving, padding=None, interpolator="linear", default_value=0.0, *,
             fields=None):
    """`moving` on the grid of `fixed` (whose pixels are not read) through `transform`, which maps fixed
    points to moving ones. The result is lazy: each of its blocks reads the part of `moving`, and of a
    field, that it needs. It is a Dask array when the pixels of `moving` are one.

    A transformation of RFC-5 leads between the intrinsic systems, a transform of ITK between physical
    spaces. Interpolators are "linear" and "nearest_neighbor", and with the package itkwasm-downsample
    "label_image", "b_spline", "windowed_sinc" and "gaussian". `fields`: those that a transformation
    points at, by path."""
    if interpolator not in _PADDING:
        raise ValueError(f"interpolator must be one of {tuple(_PADDING)}, got {interpolator!r}")
    if padding is not None:
        check_padding(padding)
    check_pair(fixed, moving)
    if tuple(fixed.dims) != tuple(moving.dims):
        raise ValueError(f"fixed image has dims {tuple(fixed.dims)} but moving image has "
                         f"{tuple(moving.dims)}; they must match")
    other = [d for d in fixed.dims if d not in ("x", "y", "z")]
    if other:
        raise ValueError(f"images have non-spatial dims {tuple(other)}; index or squeeze them so that only "
                         "spatial dims remain before resampling")
    job = Job(transform, fixed, moving, padding, (interpolator, default_value), fields)
    data = as_dask(job) if hasattr(moving.data, "dask") else Resampled(job)
    return replace(fixed, data=data, name=moving.name, computed_callbacks=[])


class Job:
    """What is to be done; blocks are (start, shape) in the order of `dims`."""

    def __init__(self, transform, fixed, moving, padding, options, fields):
        self.dims, self.back = tuple(fixed.dims), itk_order(fixed.dims)
        self.order = [self.dims.index(d) for d in self.back[::-1]]  # memory order: z, y, x
        self.stages, physical = stages_of(transform, self.dims, fields)
        self.fixed, self.moving = (grid_of(image, physical) for image in (fixed, moving))
        self.pixels, self.dtype = moving.data, np.dtype(moving.data.dtype)
        self.options, self.list = options, None
        name = options[0]
        self.by_wasm = name not in _NATIVE
        if self.dtype.name not in _DTYPES:
            raise ValueError(f"unsupported dtype {self.dtype.name!r} for resampling")
        if self.stages is None or not all(isinstance(s, (Linear, Field)) for s in self.stages):
            self.by_wasm = True
            self.list = native_list(transform) if is_native(transform) else transform
        need = 32 if name == "b_spline" and self.dtype == "f8" else _PADDING[name]
        least = need if name in _NATIVE else 0
        self.padding = need if padding is None else max(least, int(padding))
        shape, chunks = fixed.data.shape, chunk_shape(fixed.data)
        self.shape = tuple(int(n) for n in shape)
        self.chunks = tuple(min(n, c or _BLOCK[len(shape)]) for n, c in zip(self.shape, chunks))
        self.given = getattr(fixed.data, "chunks", None)

    def itk(self, values):
        """Of numbers in the order of `dims` those in ITK's."""
        return np.array([values[self.dims.index(d)] for d in self.back], dtype=float)

    def plan(self, start, shape):
        """(slices of the moving pixels or None, slices of each field), both in ITK's order."""
        start, size = self.itk(start), tuple(int(v) for v in self.itk(shape))
        if self.stages is None:
            return self._walked(start, size)
        at, corners = reach(self.stages, self.fixed, start, size)
        first, count = index_region(*at.box(size), self.moving, self.padding, self.back)
        windows = []
        for stage, box in zip(self.stages, corners):
            if isinstance(stage, Field) and self.list is None:
                begin, end, _ = stage.window(*box)
                windows.append(tuple(slice(int(a), int(b)) for a, b in zip(begin, end)))
            else:
                windows.append(None)
        return self._clamped(first, count), windows

    def _clamped(self, first, count):
        ends = [(max(0, a), min(a + n, whole)) for a, n, whole in zip(first, count, self.moving.size)]
        return None if any(a >= b for a, b in ends) else tuple(slice(a, b) for a, b in ends)

    def _walked(self, start, size):
        from ._resample_wasm import bounding_box

        block = self.fixed._replace(origin=self.fixed.point(start), size=size)
        first, count, _ = bounding_box(self.list, block, self.moving, self.padding)
        return self._clamped(first, count), []

    def keys(self, plan):
        """Indices of what a block reads: of the pixels, then of each field."""
        region, windows = plan
        by_dim = dict(zip(self.back, region or ()))
        return [None if region is None else tuple(by_dim[d] for d in self.dims),
                *(None if region is None or at is None else stage.key(at)
                  for stage, at in zip(self.stages or (), windows))]

    def parts(self, plan):
        arrays = [self.pixels, *(getattr(stage, "array", None) for stage in self.stages or ())]
        return [None if key is None else array[key] for array, key in zip(arrays, self.keys(plan))]

    def block(self, start, shape, plan, parts):
        """The pixels of a block, in the order of `dims`."""
        region, windows = plan
        name, default = self.options
        if region is None:
            return np.full(shape, cast(np.asarray(float(default)), self.dtype), self.dtype)
        pixels = np.ascontiguousarray(np.asarray(parts[0]).transpose(self.order))
        size = tuple(int(v) for v in self.itk(shape))
        first = [at.start for at in region]
        fields = [None if at is None else (stage.convert(np.asarray(part), [a.start for a in at]),
                                           [a.start for a in at])
                  for stage, at, part in zip(self.stages or (), windows, parts[1:])]
        do = self._by_wasm if self.by_wasm else self._sampled
        made = do(pixels, first, self.itk(start), size, fields)
        return np.ascontiguousarray(made.transpose(np.argsort(self.order)))

    def _by_wasm(self, pixels, first, start, size, fields):
        from ._resample_wasm import resampled, stage_transform

        transform = self.list
        if transform is None:  # the last one of a list is applied first
            transform = [stage_transform(*both) for both in zip(self.stages, fields)][::-1]
        part = self.moving._replace(origin=self.moving.point(first), size=pixels.shape[::-1])
        block = self.fixed._replace(origin=self.fixed.point(start), size=size)
        return resampled(pixels, part, block, transform, self.options)

    def _sampled(self, pixels, first, start, size, fields):
        """Slab by slab along the slowest axis. Indices are in memory order from here on."""
        name, default = self.options
        whole = self.moving.size[::-1]
        out = np.empty(size[::-1], self.dtype)
        step = max(1, _SLAB // max(1, int(np.prod(size[:-1]))))
        blank = cast(np.asarray(float(default)), self.dtype)
        for z in range(0, size[-1], step):
            count = (*size[:-1], min(step, size[-1] - z))
            begin = start.copy()
            begin[-1] += z
            at = indices_of(self.stages, fields, self.fixed, self.moving, begin, count)[::-1]
            found = sample(pixels, first[::-1], at, whole, name == "nearest_neighbor")
            values = cast(found, self.dtype)
            here = inside(at, whole)
            slab = out[z : z + count[-1]]
            slab[...] = values if here is True else np.where(here, values, blank)
        return out


_DTYPES = {"uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"}


def _at(matrix, offset, count, extra):
    """matrix @ index + offset (+ extra) over a block of `count`, as arrays that broadcast in memory
    order, one for each row."""
    n = len(count)
    axes = [np.arange(c, dtype=float).reshape([-1 if n - 1 - j == k else 1 for k in range(n)])
            for j, c in enumerate(count)]
    rows = []
    for k in range(n):
        row = np.full((1,) * n, offset[k])
        for j in range(n):
            if matrix[k, j] != 0:
                row = row + matrix[k, j] * axes[j]
        rows.append(row if extra is None else row + extra[k])
    return rows


def indices_of(stages, fields, fixed, moving, start, count):
    """Continuous indices into the moving image of a block's points, in ITK's order."""
    matrix, offset, extra = fixed.matrix, fixed.point(start), None
    for stage, held in zip(stages, fields):
        if isinstance(stage, Linear):
            matrix, offset = stage.matrix @ matrix, stage.matrix @ offset + stage.offset
            extra = None if extra is None else _turned(stage.matrix, extra)
            continue
        moved = _moved(stage, held, _at(matrix, offset, count, extra))
        extra = moved if extra is None else [a + b for a, b in zip(extra, moved)]
    back, shift = moving.index_map()
    extra = None if extra is None else _turned(back, extra)
    return _at(back @ matrix, back @ offset + shift, count, extra)


def _turned(matrix, arrays):
    return [sum(matrix[k, j] * arrays[j] for j in range(len(arrays)) if matrix[k, j] != 0)
            + np.zeros((1,) * arrays[0].ndim) for k in range(len(arrays))]


def _moved(stage, held, points):
    """The vectors of a field at points; nothing beyond it."""
    vectors, first = held
    back, shift = stage.grid.index_map()
    at = [row + s for row, s in zip(_turned(back, points), shift)][::-1]
    size = stage.grid.size[::-1]
    here = inside(at, size)
    found = [sample(part, first[::-1], at, size, False) for part in vectors]
    return found if here is True else [np.where(here, part, 0.0) for part in found]


class Resampled(LazyArray):
    """The result of a job, without Dask."""

    def __init__(self, job):
        super().__init__(job.shape, job.dtype, job.chunks)
        self.job = job

    def read_into(self, start, out):
        # Part by part, so that what is read at a time is bounded.
        parts = [range(0, n, c) for n, c in zip(out.shape, self.chunksize)]
        for at in np.ndindex(*(len(p) for p in parts)):
            begin = [p[i] for p, i in zip(parts, at)]
            count = tuple(min(c, n - b) for c, n, b in zip(self.chunksize, out.shape, begin))
            where = tuple(int(s) + b for s, b in zip(start, begin))
            plan = self.job.plan(where, count)
            key = tuple(slice(b, b + n) for b, n in zip(begin, count))
            out[key] = self.job.block(where, count, plan, self.job.parts(plan))
