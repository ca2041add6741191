"""Display windows and colours from the pixels."""

import math

import numpy as np

from ._colors import COLORS
from ._lazy import chunk_shape
from ._metadata import Omero, OmeroChannel, OmeroWindow

# White for one channel; for more, colours that are far apart.
GLASBEY_COLORS = COLORS
_FEW = 1 << 20
_SLAB = 1 << 22  # pixels that are looked at together


def _slabs(data, key, axis):
    """The pixels of one channel, a slab of the slowest other axis at a time."""
    other = next((i for i in range(data.ndim) if i != axis and data.shape[i] > 1), 0)
    step = max(1, _SLAB // max(1, math.prod(data.shape) // max(1, data.shape[other])))
    own = chunk_shape(data)[other] if hasattr(data, "chunks") else 0
    step = -(-step // own) * own if own else step
    for at in range(0, data.shape[other], step):
        part = list(key)
        if other != axis:
            part[other] = slice(at, min(at + step, data.shape[other]))
        yield np.asarray(data[tuple(part)]).ravel()


def _counted_window(data, key, axis, quantiles):
    """As `_window` for integers of 8 and 16 bits, from a count of each value."""
    dtype = np.dtype(data.dtype)
    low = np.iinfo(dtype).min
    counts = np.zeros(1 << (8 * dtype.itemsize), np.int64)
    for values in _slabs(data, key, axis):
        counts += np.bincount(values.astype(np.int64) - low, minlength=counts.size)
    total, there = counts.cumsum(), np.flatnonzero(counts)
    if not there.size:
        return OmeroWindow(0.0, 1.0, 0.0, 1.0)

    def quantile(q):  # numpy's: linear between the two nearest ranks
        place = q * (total[-1] - 1)
        a, b = (np.searchsorted(total, rank, side="right") + low
                for rank in (int(place), min(int(place) + 1, total[-1] - 1)))
        return float(a + (b - a) * (place - int(place)))

    return OmeroWindow(float(there[0] + low), float(there[-1] + low), *map(quantile, quantiles))


def _window(values, quantiles):
    """Exact minimum and maximum, quantiles of what is finite; 0..1 when nothing is."""
    values = values[np.isfinite(values)] if values.dtype.kind in "fc" else values
    if not values.size:
        return OmeroWindow(0.0, 1.0, 0.0, 1.0)
    low, high = np.quantile(values, quantiles)
    return OmeroWindow(float(values.min()), float(values.max()), float(low), float(high))


def compute_omero_from_ngff_image(ngff_image, quantiles=(0.02, 0.98), colors=None, labels=None,
                                  dense=False):
    """Windows of each channel of one level. `dense` is accepted: every pixel counts always."""
    low, high = quantiles
    if not 0 <= low < high <= 1:
        raise ValueError(f"quantiles must lie between 0 and 1, the first below the second: {quantiles}")
    dims, data = list(ngff_image.dims), ngff_image.data
    axis = dims.index("c") if "c" in dims else None
    count = data.shape[axis] if axis is not None else 1
    given = list(labels or ngff_image.channel_names or ())
    labels = given if labels else given + [""] * (count - len(given))
    colors = colors or ngff_image.channel_colors or (
        ["FFFFFF"] if count == 1 else [GLASBEY_COLORS[n % len(GLASBEY_COLORS)] for n in range(count)])
    if len(labels) < count or len(colors) < count:
        raise ValueError(f"{count} channels need {count} labels and colors")
    channels = []
    for n in range(count):
        key = tuple(slice(n, n + 1) if i == axis else slice(None) for i in range(len(dims)))
        if np.dtype(data.dtype).kind in "iu" and np.dtype(data.dtype).itemsize <= 2:
            window = _counted_window(data, key, axis, quantiles)
        else:
            window = _window(np.asarray(data[key]).ravel(), quantiles)
        channel = OmeroChannel(colors[n], window, labels[n])
        channel.validate_color()
        channels.append(channel)
    return Omero(channels)


def compute_omero_from_multiscales(multiscales, quantiles=(0.02, 0.98), colors=None, labels=None,
                                   dense=False):
    """As above, from level 0 of a small image, else from the coarsest level that is not tiny."""
    images = multiscales.images
    chosen = images[0]
    if np.prod(chosen.data.shape, dtype=float) > _FEW:
        for image in images[1:]:
            sizes = [n for d, n in zip(image.dims, image.data.shape) if d in "yx"]
            if min(sizes) >= 256 or image is images[1]:
                chosen = image
    return compute_omero_from_ngff_image(chosen, quantiles, colors, labels, dense)
