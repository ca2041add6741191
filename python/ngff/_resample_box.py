"""resample_bounding_box: which part of a moving image a grid reads through a transform."""

from dataclasses import dataclass, field, replace

import numpy as np

from ._itk_frames import itk_order, spatial
from ._itk_image import direction_matrix
from ._resample_stages import grid_of, image_of_box, reach, stages_of

_LIMIT = 2**53  # indices beyond are no exact numbers


@dataclass
class ResampleBoundingBox:
    """A part of a moving image, by the names of its axes. Indices may lie outside of the image.

    `corners_…` bound the points that are sampled, `padded_corners_…` the pixels of the region."""

    dims: tuple
    start_index: dict
    size: dict
    corners_min: dict
    corners_max: dict
    padded_corners_min: dict
    padded_corners_max: dict
    moving_shape: dict = field(default_factory=dict)

    def clamped(self):
        """{axis: (start, stop)} of what lies in the image."""
        found = {}
        for d in self.dims:
            stop = self.start_index[d] + self.size[d]
            count = self.moving_shape.get(d)
            ends = [max(0, end if count is None else min(end, count))
                    for end in (self.start_index[d], stop)]
            found[d] = (ends[0], max(ends))
        return found

    @property
    def is_empty(self):
        return any(start >= stop for start, stop in self.clamped().values())

    def slices(self, dims=None):
        """An index into an array with these axes; those that are not of the region are whole."""
        bounds = self.clamped()
        return tuple(slice(*bounds[d]) if d in bounds else slice(None)
                     for d in (self.dims if dims is None else dims))

    def crop(self, moving):
        """The region of `moving` as an image of its own, as lazy as it is; None for no overlap."""
        if self.is_empty:
            return None
        starts = {d: at.start for d, at in zip(moving.dims, self.slices(moving.dims)) if d in self.dims}
        return replace(moving, data=moving.data[self.slices(moving.dims)],
                       translation=shifted(moving, starts), computed_callbacks=[])


def shifted(image, starts):
    """The translation of what starts at an index. It is the origin of the ITK image, so an oriented
    image's goes where its axes point."""
    back = itk_order(image.dims)
    step = np.array([starts.get(d, 0) * float(image.scale[d]) for d in back])
    moved = direction_matrix(image, back) @ step
    return {**image.translation,
            **{d: float(image.translation[d]) + float(v) for d, v in zip(back, moved) if v}}


def check_padding(padding):
    if isinstance(padding, bool) or not isinstance(padding, (int, np.integer)) or padding < 0:
        raise ValueError(f"padding must be a non-negative integer, got {padding!r}")


def check_pair(fixed, moving):
    """The spatial axes of both, which must be the same 2 or 3."""
    ours, other = tuple(spatial(fixed.dims)), tuple(spatial(moving.dims))
    if ours != other:
        raise ValueError(f"fixed image has spatial dims {ours} but moving image has {other}; they must "
                         "match")
    if len(ours) not in (2, 3):
        raise ValueError(f"images have {len(ours)} spatial dims {ours}; only 2 and 3 are supported")
    for label, image in (("fixed", fixed), ("moving", moving)):
        _check_geometry(label, image, ours)
    return ours


def _check_geometry(label, image, dims):
    for d in dims:
        for name in ("scale", "translation"):
            values = getattr(image, name)
            if d not in values:
                raise ValueError(f"{label} image {name} has no entry for dimension {d!r}")
            if not np.isfinite(values[d]):
                raise ValueError(f"{label} image {name} for dimension {d!r} is {values[d]}; it must be "
                                 "finite")
        if image.scale[d] == 0:
            raise ValueError(f"{label} image scale for dimension {d!r} is zero")


def index_region(low, high, moving, padding, back):
    """(start, size) of the pixels around a box of points, in ITK's order."""
    low, high = image_of_box(*moving.index_map(), low, high)
    for d, least, most in zip(back, low, high):
        if not (np.isfinite(least) and np.isfinite(most)):
            raise ValueError(f"the resample region for dimension {d!r} is not finite; check the "
                             "transform and the image scale and translation")
        if max(abs(least), abs(most)) > _LIMIT:
            raise ValueError(f"the resample region for dimension {d!r} ({least:.6g} to {most:.6g}) spans "
                             "more than the index range; check for a scale mismatch between the fixed "
                             "and moving images")
    start = [int(v) - padding for v in np.floor(low)]
    return start, [int(v) + padding - first + 1 for v, first in zip(np.ceil(high), start)]


def resample_bounding_box(transform, fixed, moving, padding=1, *, fields=None):
    """The region of `moving` that the grid of `fixed` reads through `transform`, which maps fixed
    points to moving ones: a transformation of RFC-5, between the intrinsic systems, or a transform of
    ITK, in physical space. No pixels are read, of a field those around the grid."""
    check_padding(padding)
    dims = check_pair(fixed, moving)
    stages, physical = stages_of(transform, fixed.dims, fields)
    ours, other = grid_of(fixed, physical), grid_of(moving, physical)
    back = itk_order(dims)
    n = len(back)
    if 0 in ours.size:
        start, size, ends = [0] * n, [0] * n, [np.zeros(n)] * 4
    elif stages is None:
        start, size, ends = _by_wasm(transform, ours, other, int(padding))
    else:
        low, high = reach(stages, ours, np.zeros(n), ours.size)[0].box(ours.size)
        start, size = index_region(low, high, other, int(padding), back)
        last = np.array(start) + np.array(size) - 1.0
        ends = [low, high, *image_of_box(other.matrix, other.origin, np.array(start, dtype=float), last)]
    named = [{d: value[back.index(d)] for d in dims} for value in (start, size)]
    points = [{d: float(end[back.index(d)]) for d in dims} for end in ends]
    return ResampleBoundingBox(dims, *named, *points,
                               {d: int(moving.data.shape[list(moving.dims).index(d)]) for d in dims})


def _by_wasm(transform, fixed, moving, padding):
    """Of transforms whose reach is not known here; their boundary is walked."""
    from ._itk_transform import is_native
    from ._resample_stages import native_list
    from ._resample_wasm import bounding_box

    found = native_list(transform) if is_native(transform) else transform
    return bounding_box(found, fixed, moving, padding)
