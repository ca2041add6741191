"""Which levels an image has, from the rules alone: effective factors, source levels, automatic levels.

Everything is per axis in canonical order (t, c, z, y, x); only z, y and x are reduced."""

import dataclasses

SPATIAL = "zyx"


@dataclasses.dataclass
class Level:
    factor: tuple  # relative to level 0
    shape: tuple
    source: int  # the level its pixels come from
    step: tuple  # factor relative to the source level
    scale: tuple
    translation: tuple


def automatic_factors(dims, shape, chunks, min_size=128):
    """The integer rule: halve the long axes while a chunk fits twice into one of them."""
    factor = [1] * len(dims)
    size = list(shape)
    spatial = [i for i, d in enumerate(dims) if d in SPATIAL]
    levels = []
    while any(size[i] >= 2 * chunks[i] for i in spatial):
        longest = max(size[i] for i in spatial)
        halved = [i for i in spatial if size[i] > longest / 2 and size[i] / 2 >= chunks[i]]
        for i in halved:
            factor[i] *= 2
            size[i] //= 2
        volume = 1
        for i in spatial:
            volume *= size[i]
        if not halved or volume < 2 * min_size:
            break
        levels.append(tuple(factor))
    return levels


def effective_factors(shape, requested):
    """A factor that leaves nothing of an axis gives way to the one of the level before; levels that
    then equal the one before are left out."""
    levels = [(1,) * len(shape)]
    for factors in requested:
        before = levels[-1]
        row = tuple(f if n // f >= 1 else b for f, n, b in zip(factors, shape, before))
        if row != before:
            levels.append(row)
    return levels


def source_of(index, factors, shapes, method):
    """The nearest finer level from which this one can be made exactly."""
    if method == "nearest":
        return 0
    for m in range(index - 1, 0, -1):
        if all(e % f == 0 and n // (e // f) == s
               for e, f, n, s in zip(factors[index], factors[m], shapes[m], shapes[index])):
            return m
    return 0


def plan(shape, requested, method, scale=None, translation=None):
    """The levels of an image, level 0 first."""
    ndim = len(shape)
    scale = scale or [1.0] * ndim
    translation = translation or [0.0] * ndim
    factors = effective_factors(shape, requested)
    shapes = [tuple(n // f for n, f in zip(shape, row)) for row in factors]
    levels = []
    for index, (row, size) in enumerate(zip(factors, shapes)):
        source = source_of(index, factors, shapes, method) if index else 0
        step = tuple(a // b for a, b in zip(row, factors[source]))
        shift = [(f - 1) // 2 if method == "nearest" else 0.5 * (f - 1) for f in row]
        levels.append(Level(row, size, source, step,
                            tuple(f * s for f, s in zip(row, scale)),
                            tuple(t + d * s for t, d, s in zip(translation, shift, scale))))
    return levels
