"""From a Python array to a native source, and from an image to its native description."""

import sys

import numpy as np

from . import _core
from ._config import ahead_limit, ahead_threads, config, context
from ._image import axis_type, canonical_order
from ._lazy import InMemory, LazyArray, Transposed, chunk_shape


def as_data(data):
    """What the package works with: a NumPy array, or something lazy with shape, dtype, indexing."""
    if isinstance(data, InMemory):
        return data.base
    if isinstance(data, (np.ndarray, LazyArray)):
        return data
    if hasattr(data, "dims") and hasattr(data, "values") and hasattr(data, "data"):
        return as_data(data.data)  # xarray
    if _has_buffer(data):
        return np.asarray(data)
    if hasattr(data, "__dlpack__") and not hasattr(data, "chunks"):
        return np.from_dlpack(data)
    if all(hasattr(data, name) for name in ("shape", "dtype", "__getitem__")):
        return data
    return np.asarray(data)


def _has_buffer(data):
    try:
        memoryview(data)
    except TypeError:
        return False
    return True


def transposed(data, order):
    """Axes in another order, without copying or computing."""
    if list(order) == list(range(len(order))):
        return data
    transpose = getattr(data, "transpose", None)
    return transpose(order) if transpose else Transposed(data, order)


def _get(mapping, dim, default):
    value = mapping.get(dim) if mapping else None
    return default if value is None else value


def _text(value):
    """Text of an orientation or unit: an enum, an object with `.value`, a mapping, a string."""
    if isinstance(value, dict):
        value = value.get("value")
    while value is not None and not isinstance(value, str):
        value = getattr(value, "value", None)
    return "" if value is None else str(getattr(value, "value", value))


def describe(image, name=None, omero=None, units=None, orientations=None):
    """(description for the C half, data) with axes in the order t, c, z, y, x."""
    data, dims = as_data(image.data), tuple(image.dims)
    if len(dims) != data.ndim:
        raise ValueError(f"dims {dims} do not fit an array of {data.ndim} dimensions")
    order = canonical_order(dims)
    if order is None:
        raise ValueError(f"dims not valid: {dims}")
    data = transposed(data, order)
    units = units or getattr(image, "axes_units", None)
    orientations = orientations or getattr(image, "axes_orientations", None)
    axes = []
    for dim in (dims[i] for i in order):
        axes.append((
            dim,
            axis_type(dim),
            _text(_get(units, dim, "")),
            _text(_get(orientations, dim, "")),
            float(_get(image.scale, dim, 1.0)),
            float(_get(image.translation, dim, 0.0)),
        ))
    name = name or getattr(image, "name", None) or "image"
    return (dtype_name(data.dtype), tuple(data.shape), name, axes, channels_of(omero)), data


def dtype_name(dtype):
    dtype = np.dtype(dtype)
    if dtype.kind not in "biufc":
        raise ValueError(f"dtype {dtype} cannot be mapped to Zarr v3 core dtype")
    return dtype.name


def channels_of(omero):
    """[(label, color, has_window, active, min, max, start, end)] of an Omero object."""
    out = []
    for channel in getattr(omero, "channels", None) or []:
        window = getattr(channel, "window", None)
        values = [float(getattr(window, k, 0.0) or 0.0) for k in ("min", "max", "start", "end")]
        if not np.isfinite(values).all():
            raise ValueError("omero windows must be finite numbers")
        out.append((getattr(channel, "label", None) or "", getattr(channel, "color", "") or "",
                    window is not None, bool(getattr(channel, "active", True)), *values))
    return out


def _mapped_file(data):
    """(path, offset) when the array is a plain piece of a file mapped read-only or shared."""
    if not isinstance(data, np.memmap) or not data.flags.c_contiguous:
        return None
    if getattr(data, "mode", "") not in ("r", "r+", "w+") or not data.filename:
        return None
    root = data
    while isinstance(root.base, np.memmap):
        root = root.base
    offset = root.offset + data.ctypes.data - root.ctypes.data
    if data.mode != "r":
        data.flush()
    return str(data.filename), int(offset)


def is_foreign(data):
    """Whether regions are asked of somebody else's lazy array: those are read ahead of the engine."""
    if isinstance(data, LazyArray):
        return getattr(data, "foreign", False)
    return not isinstance(data, np.ndarray)


def _warn_of_more(budget):
    """memory_target is a target: a job takes the least it can do with where that is more."""
    target = int(config.memory_target)
    if 0 < target < budget:
        import warnings

        warnings.warn(f"config.memory_target is {target} bytes, too little for one block of these chunks with its "
                      f"levels: {budget} bytes are taken", RuntimeWarning, stacklevel=2)


class Source:
    """A native source. Nothing is copied: memory is borrowed, a memmap is read through its file, lazy
    arrays are asked region by region. `close` lets go of the data."""

    def __init__(self, data, description):
        self.reader, self.borrowed = None, False
        self.native = self._make(data, description)

    def _make(self, data, description):
        dtype, shape = description[0], description[1]
        mapped = _mapped_file(data)
        if mapped:
            order = np.dtype(data.dtype).byteorder
            big = order == ">" or (order == "=" and sys.byteorder == "big")
            dims = "".join(axis[0] for axis in description[3])
            return _core.file_source(context(), mapped[0], dims, shape, dtype, big, mapped[1])
        if isinstance(data, np.ndarray) and data.dtype.isnative:
            return _core.array_source(context(), np.asarray(data), description)
        if isinstance(data, LazyArray) and data.native is not None:
            self.borrowed = True
            return data.native
        if not is_foreign(data) and isinstance(data, LazyArray):
            return self._called(data.read_memory, description, chunk_shape(data))
        from ._ahead import Reader

        self.reader = Reader(data, ahead_limit(), ahead_threads())
        return self._called(self.reader, description, chunk_shape(data))

    def _called(self, reader, description, unit):
        return _core.callback_source(context(), reader, description, unit, True)

    def expect(self, plan, options):
        """Tells what a job with this plan will read, so that reading can begin; the job's options.
        Beside somebody else's data a job takes little, and what it leaves may be held of them."""
        if self.reader is not None:
            options = {**options, "lean": 1}
        report = _core.write_plan(context(), plan, self.native, options)
        _warn_of_more(report["budget"])
        if self.reader is None:
            return options
        self.reader.bound(max(ahead_limit(), int(config.memory_target) - report["peak"]))
        from ._ahead import MOST_BOXES

        boxes = _core.write_reads(context(), plan, self.native, options, MOST_BOXES)
        self.reader.expect(boxes or [])
        return options

    def stop(self):
        if self.reader is not None:
            self.reader.stop()

    def close(self):
        if self.reader is not None:
            self.reader.close()
        if not self.borrowed:
            self.native.close()
