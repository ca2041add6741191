"""The seeded volume of the benchmark: a light-sheet-like stack, compression ratio 1.3 to 2.5."""

import numpy as np


def light_sheet(shape, seed=1):
    """Smooth structure with photon noise: what a camera gives, uint16."""
    rng = np.random.default_rng(seed)
    z, y, x = shape
    coarse = rng.random((max(2, z // 16), max(2, y // 64), max(2, x // 64)))
    for axis in range(3):
        coarse = (coarse + np.roll(coarse, 1, axis) + np.roll(coarse, -1, axis)) / 3
    coarse = ((coarse - coarse.min()) / np.ptp(coarse)) ** 3 * 900 + 30
    out = np.empty(shape, "uint16")
    yi = (np.arange(y) * coarse.shape[1] // y)[:, None]
    xi = (np.arange(x) * coarse.shape[2] // x)[None, :]
    for k in range(z):
        plane = coarse[k * coarse.shape[0] // z][yi, xi]
        noise = rng.standard_normal((y, x), dtype="float32")
        out[k] = np.maximum(plane + np.sqrt(plane * 0.4) * noise + 100, 0).astype("uint16")
    return out
