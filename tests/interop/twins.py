"""Twins of the pyramid in NumPy: what every level must hold and where it must sit.

Slow and plain on purpose, one sentence of the rules after the other, so that they can be
read beside them. Axes are named by a string such as "tczyx", one letter per array axis.

    levels = pyramid(image, "zyx", [2, 4], "gaussian")     # [level 0, level 1, level 2]
    places = geometry(image.shape, "zyx", [2, 4], "gaussian", scale, translation)
    assert_same(stored, levels[1], "gaussian")
"""

import itertools
import math

import numpy as np

SPATIAL = "zyx"
METHODS = ("gaussian", "bin_shrink", "mode", "nearest", "min", "max", "median")
SAME_AS = {
    "mean": "bin_shrink",
    "itkwasm_gaussian": "gaussian",
    "itk_gaussian": "gaussian",
    "dask_image_gaussian": "gaussian",
    "itkwasm_bin_shrink": "bin_shrink",
    "itk_bin_shrink": "bin_shrink",
    "dask_bin_shrink": "bin_shrink",
    "dask_image_mode": "mode",
    "itkwasm_label_image": "mode",
    "dask_image_nearest": "nearest",
}


def canonical(method):
    method = method.lower()
    return SAME_AS.get(method, method)


# ---- blocks ---------------------------------------------------------------------------


def blocks(a, step):
    """The values of every whole block along a new last axis; remainders are dropped."""
    step = tuple(step)
    size = tuple(n // k for n, k in zip(a.shape, step))
    a = a[tuple(slice(0, n * k) for n, k in zip(size, step))]
    split = a.reshape(tuple(itertools.chain.from_iterable(zip(size, step))))
    outer = tuple(range(0, 2 * len(step), 2))
    inner = tuple(range(1, 2 * len(step), 2))
    return split.transpose(outer + inner).reshape(size + (math.prod(step),))


def as_exact(values):
    """Whole numbers as Python integers: nothing can overflow."""
    return values.astype(object) if values.dtype.kind in "iu" else values


def reduce_mean(values):
    kind, n = values.dtype, values.shape[-1]
    if kind.kind == "b":
        return 2 * values.sum(axis=-1) >= n
    if kind.kind in "iu":
        return ((2 * as_exact(values).sum(axis=-1) + n) // (2 * n)).astype(kind)
    work = np.float32 if kind == np.float16 else np.float64
    with np.errstate(invalid="ignore", over="ignore"):
        return (values.astype(work).sum(axis=-1) / work(n)).astype(kind)


def reduce_median(values):
    kind, n = values.dtype, values.shape[-1]
    ranked = np.sort(values.astype(np.uint8) if kind.kind == "b" else values, axis=-1)
    low, high = ranked[..., (n - 1) // 2], ranked[..., n // 2]
    if kind.kind in "biu":
        low, high = low.astype(object), high.astype(object)
        return ((low + high + 1) // 2).astype(kind)
    work = np.float32 if kind == np.float16 else np.float64
    with np.errstate(invalid="ignore"):
        middle = low.astype(work) / 2 + high.astype(work) / 2
    return np.where(np.isnan(ranked[..., -1]), np.nan, middle).astype(kind)


def reduce_mode(values):
    ranked = np.sort(values, axis=-1)  # NaN last
    missing = np.isnan(ranked) if ranked.dtype.kind == "f" else None
    best = ranked[..., 0].copy()
    run = np.ones(best.shape, int)
    longest = run.copy()
    for j in range(1, ranked.shape[-1]):
        same = ranked[..., j] == ranked[..., j - 1]
        if missing is not None:
            same |= missing[..., j] & missing[..., j - 1]
        run = np.where(same, run + 1, 1)
        best = np.where(run > longest, ranked[..., j], best)
        longest = np.maximum(run, longest)
    return best.astype(values.dtype)


def reduce_extreme(values, function):
    return function.reduce(values, axis=-1).astype(values.dtype)


# ---- gaussian ---------------------------------------------------------------------------


def bessel_i(n, t):
    """The modified Bessel function I_n(t), from its power series."""
    half = t / 2
    term = np.longdouble(1)
    for m in range(1, n + 1):
        term = term * half / m
    total, m = np.longdouble(0), 0
    while term > total * np.longdouble(1e-22):
        total += term
        m += 1
        term = term * half * half / (m * (m + n))
    return total


def gaussian_weights(k):
    """The discrete Gaussian of variance (k^2 - 1) / (8 ln 2), offsets 0, 1, ... radius."""
    t = np.longdouble(k * k - 1) / (8 * np.log(np.longdouble(2)))
    weights = [np.exp(-t) * bessel_i(0, t)]
    while weights[0] + 2 * sum(weights[1:]) < np.longdouble(0.99) and len(weights) <= 32:
        weights.append(np.exp(-t) * bessel_i(len(weights), t))
    return np.array(weights) / (weights[0] + 2 * sum(weights[1:]))


def gaussian_axis(a, axis, k):
    """Smooth, then interpolate half way between the middle voxels (or at the middle one)."""
    if k == 1:
        return a
    a = np.moveaxis(a, axis, 0)
    size, middle = a.shape[0], np.arange(a.shape[0] // k) * k + (k - 1) // 2
    weights = gaussian_weights(k).astype(a.dtype)

    def smooth(at):
        # Relative to the centre, so that constants stay what they are.
        centre = a[at]
        out = np.zeros_like(centre)
        for n in range(1, len(weights)):
            low, high = np.clip(at - n, 0, size - 1), np.clip(at + n, 0, size - 1)
            out += weights[n] * ((a[low] - centre) + (a[high] - centre))
        return centre + out

    result = smooth(middle)
    if k % 2 == 0:
        result = result + (smooth(middle + 1) - result) / 2
    return np.moveaxis(result, 0, axis)


def reduce_gaussian(a, step):
    kind = a.dtype
    wide = kind.kind in "iu" and kind.itemsize == 8
    work = a.astype(np.longdouble if wide else np.float64)
    with np.errstate(invalid="ignore"):
        for axis, k in enumerate(step):
            work = gaussian_axis(work, axis, k)
    if kind.kind == "b":
        return np.floor(work + 0.5) >= 1
    if kind.kind == "f":
        return work.astype(kind)
    info = np.iinfo(kind)
    out = np.rint(work)
    if not wide:
        return np.clip(out, info.min, info.max).astype(kind)
    return np.array(
        [min(max(int(v), info.min), info.max) for v in out.ravel()], dtype=kind
    ).reshape(out.shape)


# ---- one level ----------------------------------------------------------------------------


def reduce(source, method, step):
    """`source` reduced by `step` (a number per axis). nearest must be given level 0."""
    method, step = canonical(method), tuple(int(k) for k in step)
    assert source.ndim == len(step) and all(k >= 1 for k in step)
    if source.dtype.kind == "c":
        raise TypeError("complex pixels are not reduced")
    if source.dtype.byteorder == ">":
        source = source.astype(source.dtype.newbyteorder("="))
    if method == "nearest":
        size = [n // k for n, k in zip(source.shape, step)]
        return source[
            np.ix_(*(np.arange(n) * k + (k - 1) // 2 for n, k in zip(size, step)))
        ]
    if method == "gaussian":
        return reduce_gaussian(source, step)
    values = blocks(source, step)
    if method == "bin_shrink":
        return reduce_mean(values)
    if method == "mode":
        return reduce_mode(values)
    if method == "median":
        return reduce_median(values)
    # fmin and fmax pass over NaN.
    return reduce_extreme(values, {"min": np.fmin, "max": np.fmax}[method])


# ---- levels ---------------------------------------------------------------------------------


def per_axis(factor, axes):
    """A factor (a number, or a mapping by axis name) for every axis; t and c stay."""
    if isinstance(factor, dict):
        return tuple(int(factor.get(a, 1)) for a in axes)
    return tuple(int(factor) if a in SPATIAL else 1 for a in axes)


def geometry(shape, axes, factors, method="gaussian", scale=None, translation=None):
    """The levels as dictionaries: shape, factor, source, step, scale, translation."""
    assert len(shape) == len(axes)
    scale = [1.0] * len(axes) if scale is None else list(scale)
    translation = [0.0] * len(axes) if translation is None else list(translation)
    nearest = canonical(method) == "nearest"
    levels = []
    asked_before = [1] * len(axes)
    effective = [1] * len(axes)
    for n, factor in enumerate([{}] + list(factors)):
        asked = per_axis(factor, axes)
        if any(f < b for f, b in zip(asked, asked_before)):
            raise ValueError("decreasing factors")
        asked_before = asked
        now = [f if s // f >= 1 else e for f, s, e in zip(asked, shape, effective)]
        if n > 0 and now == effective:
            continue
        effective = now
        size = [s // e for s, e in zip(shape, effective)]
        source = None if n == 0 else 0
        for m in reversed(range(1, len(levels))):
            finer = levels[m]
            if (
                not nearest
                and all(e % f == 0 for e, f in zip(effective, finer["factor"]))
                and all(
                    s // (e // f) == t
                    for s, e, f, t in zip(finer["shape"], effective, finer["factor"], size)
                )
            ):
                source = m
                break
        shift = [(e - 1) // 2 if nearest else 0.5 * (e - 1) for e in effective]
        of = levels[source]["factor"] if source is not None else effective
        levels.append(
            {
                "shape": tuple(size),
                "factor": tuple(effective),
                "source": source,
                "step": tuple(e // f for e, f in zip(effective, of)),
                "scale": [e * s for e, s in zip(effective, scale)],
                "translation": [t + d * s for t, d, s in zip(translation, shift, scale)],
            }
        )
    return levels


def pyramid(level0, axes, factors, method="gaussian"):
    """Every level's pixels, level 0 first; each made from what its source level stores."""
    places = geometry(level0.shape, axes, factors, method)
    levels = [level0]
    for place in places[1:]:
        levels.append(reduce(levels[place["source"]], method, place["step"]))
        assert levels[-1].shape == place["shape"]
    return levels


def default_chunks(axes):
    return [(128 if "z" in axes else 256) if a in SPATIAL else 1 for a in axes]


def automatic(shape, axes, chunks=None, min_size=128, scale=None, isotropic=False):
    """Factors (mappings by axis) when nobody gave any."""
    space = [i for i, a in enumerate(axes) if a in SPATIAL]
    size = {i: shape[i] for i in space}
    factor = {i: 1 for i in space}
    chunks = default_chunks(axes) if chunks is None else chunks
    scale = [1.0] * len(axes) if scale is None else scale
    out = []
    while any(size[i] >= 2 * chunks[i] for i in space):
        if isotropic:
            spacing = {i: abs(scale[i]) * factor[i] for i in space}
            widest = max(spacing.values())
            possible = [i for i in space if size[i] >= 2]
            chosen = [i for i in possible if widest / spacing[i] >= math.sqrt(2)]
            chosen = chosen or possible
        else:
            longest = max(size.values())
            chosen = [
                i for i in space if size[i] > longest / 2 and size[i] / 2 >= chunks[i]
            ]
        for i in chosen:
            size[i] //= 2
            factor[i] *= 2
        if not chosen or math.prod(size.values()) / min_size < 2:
            break
        out.append({axes[i]: factor[i] for i in space})
    return out


# ---- comparing ------------------------------------------------------------------------------


def assert_same(got, expected, method):
    """`got` is what `expected` (a twin's result) allows for `method`: equal for everything
    that is exact, within one unit in the last place of rounding otherwise."""
    method = canonical(method)
    assert got.dtype == expected.dtype, f"{got.dtype} is not {expected.dtype}"
    assert got.shape == expected.shape, f"{got.shape} is not {expected.shape}"
    kind = expected.dtype
    exact = method != "gaussian" and (method != "bin_shrink" or kind.kind != "f")
    if exact:
        np.testing.assert_array_equal(got, expected)
    elif kind.kind == "f":
        room = {2: 2e-3, 4: 1e-6, 8: 1e-12}[kind.itemsize]
        finite = expected[np.isfinite(expected)].astype(np.float64)
        size = np.abs(finite).max(initial=0)
        np.testing.assert_allclose(got, expected, rtol=room, atol=room * size)
    elif kind.kind == "b":
        assert np.mean(got != expected) <= 0.005
    else:
        away = np.abs(got.astype(object) - expected.astype(object)).ravel()
        most = 4 if kind.itemsize == 8 else 1
        assert away.max(initial=0) <= most, f"off by {away.max()}"
        if kind.itemsize < 8:
            assert np.mean(away != 0) <= 0.005, f"{np.mean(away != 0):.2%} differ"
