"""Seeded test images, and the files that hold them."""

import numpy as np

INTEGERS = ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")
REALS = ("float16", "float32", "float64")
DTYPES = ("bool",) + INTEGERS + REALS
COMPLEX = ("complex64", "complex128")


def pixels(shape, dtype, seed=0, kind="mixed"):
    """`mixed`: a smooth part, noise over the whole range and a patch of the fill value."""
    rng = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    if kind == "labels" or dtype == bool:
        return rng.integers(0, 2 if dtype == bool else 5, shape).astype(dtype)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        out = rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
    elif dtype.kind == "c":
        real = dtype.type(0).real.dtype
        out = (rng.standard_normal(shape).astype(real) + 1j * rng.standard_normal(shape)).astype(dtype)
    else:
        out = (rng.standard_normal(shape) * 100).astype(dtype)
    # Half of the first axis is smooth, so that neighbours matter; a corner is all zero.
    smooth = np.indices(shape).sum(axis=0) % 101
    half = tuple([slice(0, max(1, shape[0] // 2))] + [slice(None)] * (len(shape) - 1))
    out[half] = smooth[half].astype(dtype)
    out[tuple(slice(0, n // 3) for n in shape)] = 0
    return out


def save_npy(path, array, order="C", byte_order="="):
    """A .npy in the wanted memory order and byte order."""
    array = array.astype(array.dtype.newbyteorder(byte_order), copy=False)
    np.save(path, np.asfortranarray(array) if order == "F" else np.ascontiguousarray(array))
    return path
