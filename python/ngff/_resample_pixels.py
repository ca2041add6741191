"""Pixels at continuous indices, as ITK's interpolators find them: half a pixel around the image belongs
to it, and there the outermost pixels go on. Indices are arrays that broadcast, one for each axis in
memory order, so a transform that only scales costs no coordinates."""

import numpy as np


def inside(indices, size):
    """Where they lie in the image; True when no block-sized array is needed to say so."""
    found = True
    for at, count in zip(indices, size):
        here = (at >= -0.5) & (at < count - 0.5)
        if not here.all():
            found = found & here
    return found


def sample(pixels, start, indices, size, nearest):
    """At `indices` of an image of `size`, of which `pixels` are the part that begins at `start`."""
    if nearest:
        found = [_local(np.floor(at + 0.5), first, count, held)
                 for at, first, count, held in zip(indices, start, size, pixels.shape)]
        return pixels[tuple(np.broadcast_arrays(*found))]
    lower, weights = [], []
    for at, first, count, held in zip(indices, start, size, pixels.shape):
        # The pixel below, and never the last one: beside it lies always one more.
        at = np.clip(np.nan_to_num(at), 0, count - 1) - first
        low = np.clip(np.floor(at), 0, max(held - 2, 0))
        weights.append(np.clip(at - low, 0, 1 if held > 1 else 0))
        lower.append(low.astype(np.intp))
    alone = all(at.size == at.shape[n] for n, at in enumerate(indices))
    return (_by_axis if alone else _by_corner)(pixels, lower, weights)


def _local(index, first, count, held):
    """Of the whole image's index that of the part; what lies outside is not asked about later."""
    index = np.clip(np.nan_to_num(index), 0, count - 1).astype(np.intp)
    return np.clip(index - first, 0, held - 1)


def _between(left, right, weight):
    left = left.astype("f8", copy=False)
    return left + (right - left) * weight


def _by_axis(pixels, lower, weights):
    """One axis after the other: each index depends on its own axis alone."""
    found = pixels
    order = sorted(range(pixels.ndim), key=lambda n: lower[n].size / pixels.shape[n])
    for n in order:
        low = lower[n].ravel()
        high = low + (pixels.shape[n] > 1)
        found = _between(np.take(found, low, n), np.take(found, high, n), weights[n])
    return found


def _by_corner(pixels, lower, weights):
    """The corners around each point, halved axis by axis."""
    n, flat = pixels.ndim, pixels.reshape(-1)
    steps = [int(v) for v in np.cumprod([1, *pixels.shape[:0:-1]])[::-1]]
    base = sum(low * step for low, step in zip(lower, steps))
    base = np.broadcast_to(base, np.broadcast_shapes(*(w.shape for w in weights)))
    away = [step if count > 1 else 0 for step, count in zip(steps, pixels.shape)]

    def corner(axis, offset):
        if axis == n:
            return flat.take(base + offset, mode="clip")
        return _between(corner(axis + 1, offset), corner(axis + 1, offset + away[axis]), weights[axis])

    return corner(0, 0)


# A sum of weights may miss a whole number from below, and is then still that number.
_SLACK = 2.0**-24


def cast(values, dtype):
    """As ITK casts: towards zero, and what is too large or small as the largest or smallest."""
    if values.dtype == dtype or dtype.kind == "f":
        return np.asarray(values).astype(dtype, copy=False)
    limits = np.iinfo(dtype)
    low, high = float(limits.min), float(limits.max)
    if values.dtype.kind == "f":
        values = np.trunc(values + np.copysign(_SLACK, values))
    if high <= 2**53:
        return np.clip(values, low, high).astype(dtype)
    done = np.clip(values, low, np.nextafter(high, 0)).astype(dtype)
    return np.where(values >= high, limits.max, done).astype(dtype)
