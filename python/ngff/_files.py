"""Image files as lazy arrays: what the C half reads, region by region, without a copy in between."""

import os

import numpy as np

from . import _core
from ._config import context
from ._image import SPATIAL, NgffImage
from ._lazy import LazyArray
from ._metadata import Omero, OmeroChannel, OmeroWindow
from ._orientation import AnatomicalOrientation

# Planes are handed to others (Dask, Zarr) in blocks of at least this many rows and columns.
BLOCK = 1024


class FileArray(LazyArray):
    """The pixels of an image file, or of a level that it brings: axes t, c, z, y, x as far as these are
    there. Holds the file open. The engine reads level 0 itself."""

    def __init__(self, source, level=0, opened=None):
        dtype, shape, self.image_name, self.axes, self.channels = source.describe()
        self.about = source.about()
        self.info = source.level(level)
        self.dims = tuple(axis[0] for axis in self.axes)
        super().__init__(self.info["shape"], dtype, _blocks(self.info, self.dims))
        self.source, self.level, self.opened = source, level, opened
        self.native = source if level == 0 else None

    @property
    def level_count(self):
        return self.about["level_count"]

    def at_level(self, level):
        """The array of a level that the file brings."""
        return self if level == self.level else FileArray(self.source, level, self.opened)

    @property
    def omero(self):
        """The channels as the file describes them, or None."""
        channels = [OmeroChannel(c[1] or "FFFFFF", OmeroWindow(*c[4:]), c[0], bool(c[3]))
                    for c in self.channels if c[2]]
        return Omero(channels) if channels and len(channels) == len(self.channels) else None

    def read_into(self, start, out):
        self.source.read_region(self.level, start, out)

    def __reduce__(self):
        return _reopened, (self.opened, self.level)


def _blocks(info, dims):
    return [n if dim not in "yx" else min(extent, -(-max(BLOCK, n) // n) * n)
            for dim, n, extent in zip(dims, info["chunks"], info["shape"])]


def _reopened(opened, level):
    return FileArray(_open(*opened), level, opened)


def _open(path, dims, series, shape, dtype, big_endian, offset, raw_values):
    return _core.file_source(context(), path, dims, list(shape), dtype, big_endian, offset, series,
                             raw_values)


def file_array(path, dims=None, series=None, shape=None, dtype=None, offset=0, raw_values=False):
    """The array of a file; see open_image_file."""
    kind = None if dtype is None else np.dtype(dtype)
    big = kind is not None and kind.newbyteorder("=") != kind and kind.newbyteorder(">") == kind
    if dims is not None and not isinstance(dims, str):
        dims = ",".join(dims)
    opened = (os.path.abspath(os.fspath(path)), dims, 0 if series is None else int(series) + 1,
              tuple(int(n) for n in shape or ()), "" if kind is None else kind.name, bool(big),
              int(offset), bool(raw_values))
    return FileArray(_open(*opened), 0, opened)


def open_image_file(path, dims=None, series=None, shape=None, dtype=None, offset=0, raw_values=False):
    """An image file as an NgffImage whose pixels are read when they are needed.

    `dims` says what the file's axes mean, slowest first. `series` counts the images of a file from 0; a
    file that holds several needs it. `shape`, `dtype` (with its byte order) and `offset` are those of a
    file of bare pixels. `raw_values` leaves out slope and intercept of NIfTI."""
    return image_of(file_array(path, dims, series, shape, dtype, offset, raw_values))


def image_of(data, level=0):
    """An image with what the file says about its axes and channels."""
    array = data.at_level(level)
    spots = list(zip(array.axes, array.info["scale"], array.info["translation"]))
    told = {a[0] for a, scale, at in spots if a[0] in SPATIAL or a[2] or scale != 1.0 or at != 0.0}
    labels = [c[0] for c in array.channels] or [""] * array.about["channels_listed"]
    return NgffImage(
        array, array.dims,
        {a[0]: scale for a, scale, _ in spots if a[0] in told},
        {a[0]: at for a, _, at in spots if a[0] in told},
        array.image_name,
        {a[0]: a[2] for a in array.axes if a[2]} or None,
        {a[0]: AnatomicalOrientation(a[3]) for a in array.axes if a[3]} or None,
        channel_names=labels or None, channel_colors=colors_of(array.channels))


def colors_of(channels):
    """A colour each, white where one has none; None when none has."""
    return [c[1] or "FFFFFF" for c in channels] if any(c[1] for c in channels) else None


def image_file_series(path):
    """[(name, axes, shape)] of the images that a file holds, in the order of their numbers."""
    found = _core.file_series(context(), os.path.abspath(os.fspath(path)))
    return [(name, axes, shape) for _, name, axes, shape in found]
