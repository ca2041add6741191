#!/usr/bin/env python3
"""Writes python/ngff/_colors.py: 256 colours, each as far as can be (CIELAB) from those before it and from
black and white, on which they are looked at. Run: tools/colors.py"""

import pathlib

import numpy as np

OUT = pathlib.Path(__file__).resolve().parent.parent / "python/ngff/_colors.py"
COUNT, STEP = 256, 15


def lab(rgb):
    """CIELAB (D65) of sRGB, 0 to 255."""
    linear = np.where(rgb / 255 <= 0.04045, rgb / 255 / 12.92, ((rgb / 255 + 0.055) / 1.055) ** 2.4)
    xyz = linear @ np.array([[0.4124564, 0.2126729, 0.0193339], [0.3575761, 0.7151522, 0.1191920],
                             [0.1804375, 0.0721750, 0.9503041]]) / [0.95047, 1.0, 1.08883]
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)


def colors():
    levels = np.arange(0, 256, STEP, dtype=float)
    rgb = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(-1, 3)
    places = lab(rgb)
    rgb, places = rgb[places[:, 0] >= 30], places[places[:, 0] >= 30]  # dark ones are not seen on black
    near = np.full(len(rgb), np.inf)
    for background in lab(np.array([[0.0, 0, 0], [255, 255, 255]])):
        near = np.minimum(near, ((places - background) ** 2).sum(1))
    for _ in range(COUNT):
        best = int(np.argmax(np.round(near, 6)))
        yield "".join(f"{int(part):02X}" for part in rgb[best])
        near = np.minimum(near, ((places - places[best]) ** 2).sum(1))


def main():
    made = list(colors())
    lines = ["    " + " ".join(made[n:n + 14]) for n in range(0, COUNT, 14)]
    OUT.write_text('"""Colours that are far apart; written by tools/colors.py."""\n\n'
                   'COLORS = """\n' + "\n".join(lines) + '\n""".split()\n', encoding="utf-8")


if __name__ == "__main__":
    main()
