"""The seeded inputs of the benchmark: a light-sheet-like stack, a label image cut from the same
structure, and a flat image made of the stack's planes."""

import numpy as np


def _structure(shape, rng):
    """Smooth blobs between 0 and 1, with most of the volume dim."""
    z, y, x = shape
    coarse = rng.random((max(2, z // 16), max(2, y // 64), max(2, x // 64)))
    for axis in range(3):
        coarse = (coarse + np.roll(coarse, 1, axis) + np.roll(coarse, -1, axis)) / 3
    return ((coarse - coarse.min()) / np.ptp(coarse)) ** 3


def _ramp(size, knots):
    """For linear interpolation of KNOTS values to SIZE: left knot and weight of the right one."""
    at = np.linspace(0, knots - 1.001, size)
    left = at.astype(int)
    return left, (at - left).astype("float32")


def _planes(coarse, shape):
    """The structure at every plane, interpolated linearly."""
    coarse = coarse.astype("float32")
    (zi, zw), (yi, yw), (xi, xw) = (_ramp(s, c) for s, c in zip(shape, coarse.shape))
    for k in range(shape[0]):
        plane = coarse[zi[k]] * (1 - zw[k]) + coarse[zi[k] + 1] * zw[k]
        rows = plane[yi] * (1 - yw)[:, None] + plane[yi + 1] * yw[:, None]
        yield k, rows[:, xi] * (1 - xw) + rows[:, xi + 1] * xw


def light_sheet(shape, seed=1):
    """uint16: blobs up to 930 counts over an offset of 100, with photon noise."""
    rng = np.random.default_rng(seed)
    coarse = _structure(shape, rng) * 900 + 30
    out = np.empty(shape, "uint16")
    for k, plane in _planes(coarse, shape):
        noise = rng.standard_normal(plane.shape, dtype="float32")
        out[k] = np.maximum(plane + np.sqrt(plane * 0.4) * noise + 100, 0)
    return out


def labels(shape, seed=2):
    """uint32: half background 0, half cells of about 32 voxels with wavy borders and their number."""
    coarse = _structure(shape, np.random.default_rng(seed))
    limit = np.median(coarse)
    out = np.empty(shape, "uint32")
    y, x = np.arange(shape[1])[:, None], np.arange(shape[2])[None, :]
    for k, plane in _planes(coarse, shape):
        row = (y + 5 * np.sin(x / 11) + 3 * np.sin(k / 7)).astype(int) // 32
        column = (x + 5 * np.sin(y / 9) + 3 * np.cos(k / 8)).astype(int) // 32
        cell = (k // 32) * 1000003 + row * 1009 + column + 2000
        out[k] = np.where(plane > limit, cell, 0)
    return out


def flat(volume, columns):
    """The planes of VOLUME side by side, COLUMNS in a row."""
    z, y, x = volume.shape
    tiles = volume.reshape(z // columns, columns, y, x)
    return np.ascontiguousarray(tiles.transpose(0, 2, 1, 3)).reshape(-1, columns * x)


def halved(volume):
    """Block means of 2 per axis, half up: what the next level of bin_shrink holds."""
    for axis in range(volume.ndim):
        if volume.shape[axis] % 2:
            raise ValueError("the benchmark's extents are even on every level")
    pairs = [n for size in volume.shape for n in (size // 2, 2)]
    total = np.zeros([s // 2 for s in volume.shape], "uint32")
    blocks = volume.reshape(pairs)
    for corner in np.ndindex(*(2,) * volume.ndim):
        total += blocks[tuple(p for c in corner for p in (slice(None), c))]
    count = 1 << volume.ndim
    return ((total + count // 2) // count).astype(volume.dtype)
