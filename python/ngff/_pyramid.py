"""to_ngff_image and to_multiscales: levels are planned here and computed natively when they are
written, or when somebody looks at their pixels."""

import math
import threading

import numpy as np

from . import _core
from ._config import context
from ._image import CANONICAL, SPATIAL, NgffImage, NgffMultiscales, axis_type, canonical_order
from ._lazy import ComputedLevel, InMemory, chunk_shape
from ._metadata import MethodMetadata
from ._metadata06 import INTRINSIC, Dataset, Metadata, level_transform
from ._methods import Methods, method_name
from ._orientation import orientation_from_name
from ._source import Source, as_data, describe, is_foreign, transposed
from ._stores import KeepLevels, open_for_reading
from ._systems import Axis, CoordinateSystem


def to_ngff_image(data, dims=None, scale=None, translation=None, name="image", axes_units=None,
                  channel_names=None):
    """An image from an array and what its axes mean."""
    if isinstance(data, str) or hasattr(data, "setdefault"):
        from ._arrays import open_array

        data = open_array(data)
    data = as_data(data)
    if dims is None:
        if data.ndim < 4:
            dims = ("z", "y", "x")[-data.ndim:]
        elif data.ndim == 4:
            dims = ("z", "y", "x", "c")
        elif data.ndim == 5:
            dims = ("t", "z", "y", "x", "c")
        else:
            raise ValueError("Unsupported dimension: " + str(data.ndim))
    elif not set(dims).issubset(CANONICAL):
        raise ValueError("dims not valid")
    if scale is None:
        scale = {dim: 1.0 for dim in dims if dim in SPATIAL}
    if translation is None:
        translation = {dim: 0.0 for dim in dims if dim in SPATIAL}
    names = list(channel_names) if channel_names else None
    data = InMemory(data) if isinstance(data, np.ndarray) else data
    return NgffImage(data, dims, scale, translation, name, axes_units, channel_names=names)


class Pyramid:
    """The levels of one source: their plan, and their pixels once somebody asked for them."""

    def __init__(self, description, data, plan, recipe):
        self.description, self.data, self.plan = description, data, plan
        self.recipe = recipe  # what it was planned from, to plan it again in another process
        self.lock, self.image = threading.Lock(), None

    def computed(self):
        """An opened image that holds levels 1 and up in memory (compressed)."""
        with self.lock:
            if self.image is None:
                self.image = self._compute()
            return self.image

    def _compute(self):
        levels = KeepLevels("scale0/")
        store = _core.callback_store(context(), levels)
        source, options = Source(self.data, self.description), {"version": "0.5"}
        try:
            options = source.expect(self.plan, options)
            _core.write(context(), store, self.plan, source.native, options, None, None)
        finally:
            source.close()
            store.close()
        return _core.open_image(context(), open_for_reading(levels.values))


def chunks_of(chunks, image):
    """{dim: size} from what the seed accepts: None, int, tuple, mapping."""
    dims = tuple(image.dims)
    default = 128 if "z" in dims else 256
    own = chunk_shape(image.data) if hasattr(image.data, "chunks") else (0,) * len(dims)
    out = {d: 1 if d == "t" else (own[i] or 1) if d == "c" else default
           for i, d in enumerate(dims)}
    if chunks is None:
        return out
    if isinstance(chunks, (int, np.integer)):
        return dict.fromkeys(dims, int(chunks))
    if hasattr(chunks, "items"):
        items = {dims[k] if isinstance(k, (int, np.integer)) else k: v for k, v in chunks.items()}
    else:
        if len(chunks) != len(dims):
            raise ValueError(f"chunks must have one value for each of {dims}")
        items = dict(zip(dims, chunks))
    for dim, value in items.items():
        if dim not in dims:
            raise ValueError(f"chunks refers to an unknown dimension: {dim!r}")
        if value is not None:
            out[dim] = int(value[0] if isinstance(value, (tuple, list)) else value)
    return out


def automatic_factors(sizes, min_length, chunks):
    """Factors that double until the volume is small: the seed's rule for an int, where twice the
    chunk still gets a level."""
    sizes, previous, factors = dict(sizes), dict.fromkeys(sizes, 1), []
    while any(sizes[d] >= 2 * chunks[d] for d in sizes):
        largest, step = max(sizes.values()), dict(previous)
        for dim in sizes:
            if sizes[dim] > largest / 2 and sizes[dim] / 2 >= chunks[dim]:
                step[dim] = 2 * previous[dim]
                sizes[dim] //= 2
        if np.prod(list(sizes.values()), dtype=float) / min_length < 2 or step == previous:
            break
        factors.append(step)
        previous = step
    return factors


def factor_rows(scale_factors, dims):
    """One row of absolute factors a level, one value an axis."""
    rows = []
    for factor in scale_factors:
        if hasattr(factor, "items"):
            unknown = set(factor) - set(dims)
            if unknown:
                raise ValueError(f"scale_factors refers to unknown dimensions: {sorted(unknown)}")
            rows.append([int(factor.get(d, 1)) if d in SPATIAL else 1 for d in dims])
        else:
            rows.append([int(factor) if d in SPATIAL else 1 for d in dims])
    return rows


def _canonical(image):
    """A copy with axes t, c, z, y, x; the caller's object is not touched."""
    dims = tuple(image.dims)
    order = canonical_order(dims)
    if order is None:
        raise KeyError(f"Dimension identifier is not valid: {dims}")
    fields = {k: getattr(image, k, None) for k in NgffImage.__dataclass_fields__}
    fields["data"] = transposed(as_data(image.data), order)
    fields["dims"] = tuple(dims[i] for i in order)
    fields["scale"], fields["translation"] = dict(image.scale), dict(image.translation)
    fields["computed_callbacks"] = list(fields["computed_callbacks"] or [])
    return NgffImage(**fields)


def _orientations(orientation, image):
    if orientation is None:
        return image.axes_orientations
    return orientation_from_name(orientation) if isinstance(orientation, str) else orientation


def to_multiscales(data, scale_factors=128, method=None, chunks=None, progress=None, cache=None,
                   orientation=None, axis_order="canonical"):
    """Plan the levels of an image. `cache` is accepted and needless: nothing is computed here."""
    if axis_order not in ("canonical", "preserve"):
        raise ValueError(f"axis_order must be 'canonical' or 'preserve'; got {axis_order!r}")
    image = data if hasattr(data, "dims") and hasattr(data, "scale") else to_ngff_image(data)
    if axis_order == "preserve" and tuple(image.dims) != _canonical(image).dims:
        raise ValueError("axis_order='preserve' needs OME-Zarr 0.9, which is not written")
    image = _canonical(image)
    image.axes_orientations = _orientations(orientation, image)
    sizes = chunks_of(chunks, image)
    if isinstance(scale_factors, (int, np.integer)):
        spatial = {d: n for d, n in zip(image.dims, image.data.shape) if d in SPATIAL}
        scale_factors = automatic_factors(spatial, int(scale_factors), sizes)
    scale_factors = list(scale_factors)
    method = Methods.ITKWASM_GAUSSIAN if method is None else method
    description, data = describe(image)
    plan = plan_levels(description, method, scale_factors, sizes, (), is_foreign(data))
    pyramid = Pyramid(description, data, plan, (image, scale_factors, method, sizes))
    if isinstance(image.data, np.ndarray):
        image.data = InMemory(image.data, plan.level(0)["chunks"])
    images = [image] + [_level_image(image, pyramid, n) for n in range(1, plan.level_count())]
    metadata = metadata_of(images, method)
    keys = [id(level.data) for level in images]
    return NgffMultiscales(images, metadata, scale_factors, method, sizes, keys)


def plan_levels(description, method, scale_factors, chunks, per_shard=(), ahead=False):
    dims = [axis[0] for axis in description[3]]
    return _core.plan(context(ahead), description, method_name(method),
                      factor_rows(scale_factors, dims), 0,
                      [chunks.get(d, 0) for d in dims], list(per_shard))


def _level_image(image, pyramid, level):
    info = pyramid.plan.level(level)
    data = ComputedLevel(pyramid, level, info, image.data.dtype.newbyteorder("="))
    names = image.channel_names
    return NgffImage(
        data, image.dims, dict(zip(image.dims, info["scale"])),
        dict(zip(image.dims, info["translation"])), image.name, image.axes_units,
        image.axes_orientations, image.axes_types, list(names) if names else None,
        list(image.channel_colors) if image.channel_colors else None)


def metadata_of(images, method):
    """The metadata objects for levels as they are."""
    first = images[0]
    units, orientations = first.axes_units or {}, first.axes_orientations or {}
    types = first.axes_types or {}
    axes = [Axis(d, types.get(d) or axis_type(d), units.get(d), orientations.get(d),
                 True if types.get(d) in ("displacement", "coordinate") else None) for d in first.dims]
    datasets = []
    for index, image in enumerate(images):
        scale = [float(image.scale.get(d, 1.0)) for d in image.dims]
        translation = [float(image.translation.get(d, 0.0)) for d in image.dims]
        path = f"scale{index}/{first.name}"
        datasets.append(Dataset(path, [level_transform(index, path, scale, translation)]))
    name = method_name(method)
    filters = {row[0]: row for row in _core.methods()}
    _, filter_name, text = filters.get(name, (name,) * 3)
    about = MethodMetadata(text, f"libngff.{filter_name}", _core.library_version)
    return Metadata([CoordinateSystem(INTRINSIC, axes)], datasets, None, None, first.name, name, about)


def memory_usage(image, constrained_dims=None):
    """Bytes of an image, or of a part of it that is one chunk long along the constrained dims."""
    chunks, dims = chunk_shape(image.data), constrained_dims or ()
    sizes = [(c or n) if d in dims else n for d, n, c in zip(image.dims, image.data.shape, chunks)]
    return math.prod(sizes) * np.dtype(image.data.dtype).itemsize


def task_count(image, constrained_dims=None):
    """Chunks of a lazy array: the tasks at least that a scheduler would run."""
    sizes = zip(image.dims, image.data.shape, chunk_shape(image.data))
    return math.prod(1 if d in (constrained_dims or ()) else -(-n // (c or n or 1))
                     for d, n, c in sizes)
