"""A transform as the stages that a point goes through, first one first, and what they do to a box of
points. Everything is in ITK's order, x, y, z.

A box is never walked: what is linear is composed into one matrix, whose image of a grid is exact, and
each field adds the range of the vectors around the grid, carried through the stages after it. Linear
interpolation is a convex mean, so a field moves no point further than its grid says."""

from typing import Any, NamedTuple

import numpy as np

from ._itk_field import _to_itk, check_dims, field_image, field_of, field_parts, _grid_turn
from ._itk_frames import itk_order, spatial
from ._itk_image import direction_matrix
from ._itk_linear import is_ngff_transform, spatial_parts
from ._itk_parameters import decode
from ._itk_transform import is_native, matrix_offset, wasm_list

_INPUT = ("unsupported transform type {}. Expected an RFC-5 coordinate transformation, an itk.Transform, "
          "or an ITK-Wasm Transform / TransformList.")
_SLAB = 1 << 22  # values of a field that are held to find their range


class Grid(NamedTuple):
    """Points of an image: origin + turn @ (spacing * index)."""

    origin: np.ndarray
    spacing: np.ndarray
    turn: np.ndarray
    size: tuple

    @property
    def matrix(self):
        return self.turn * self.spacing

    def point(self, index):
        return self.origin + self.matrix @ np.asarray(index, dtype=float)

    def index_map(self):
        """(matrix, offset) from points to continuous indices."""
        back = np.linalg.inv(self.matrix)
        return back, -back @ self.origin


def grid_of(image, oriented):
    """Of an image's spatial axes. In intrinsic systems (not `oriented`) no direction applies."""
    dims = list(image.dims)
    back = itk_order(dims)
    turn = direction_matrix(image, back) if oriented else np.eye(len(back))
    return Grid(np.array([float(image.translation[d]) for d in back]),
                np.array([float(image.scale[d]) for d in back]), turn,
                tuple(int(image.data.shape[dims.index(d)]) for d in back))


class Linear(NamedTuple):
    matrix: np.ndarray
    offset: np.ndarray

    def without_values(self):
        return self


class Spline(NamedTuple):
    """A B-spline deformation, of which only the range is known here: it is a convex mean too."""

    low: np.ndarray
    high: np.ndarray

    def without_values(self):
        return self


class Field(NamedTuple):
    """Vectors on a grid; beyond it points stay."""

    grid: Grid
    array: Any  # as lazy as it is; None when the values come from elsewhere
    key: Any  # slices in ITK's order -> those of the array
    convert: Any  # (a part of the array, its start) -> vectors, components first, then z, y, x

    def without_values(self):
        return self._replace(array=None, key=None)

    def window(self, low, high):
        """(start, stop) of what interpolation between these points reads, and whether any of them lies
        beyond the grid."""
        inverse, offset = self.grid.index_map()
        low, high = image_of_box(inverse, offset, low, high)
        size = np.array(self.grid.size)
        outside = bool(np.any(low < -0.5) or np.any(high >= size - 0.5))
        with np.errstate(invalid="ignore"):
            start = np.clip(np.floor(np.nan_to_num(low)) - 1, 0, size - 1).astype(int)
            stop = np.clip(np.floor(np.nan_to_num(high)) + 3, start + 1, size).astype(int)
        return start, stop, outside

    def range(self, low, high):
        """Least and greatest vector components between two corners, read slab by slab."""
        start, stop, outside = self.window(low, high)
        least = np.full(len(start), 0.0 if outside else np.inf)
        most = np.full(len(start), 0.0 if outside else -np.inf)
        row = int(np.prod((stop - start)[:-1])) * len(start)
        step = max(1, _SLAB // max(1, row))
        for z in range(start[-1], stop[-1], step):
            first, last = start.copy(), stop.copy()
            first[-1], last[-1] = z, min(z + step, stop[-1])
            vectors = self.read(first, last).reshape(len(start), -1)
            least, most = np.minimum(least, vectors.min(1)), np.maximum(most, vectors.max(1))
        return least, most

    def read(self, start, stop):
        key = self.key(tuple(slice(int(a), int(b)) for a, b in zip(start, stop)))
        return self.convert(np.asarray(self.array[key]), start)


def image_of_box(matrix, offset, low, high):
    """The least box around a box's image."""
    more, less = np.maximum(matrix, 0), np.minimum(matrix, 0)
    return more @ low + less @ high + offset, more @ high + less @ low + offset


def stages_of(transform, dims, fields):
    """(stages, whether they act in physical space); stages are None for what is not known here."""
    if is_ngff_transform(transform):
        dims = tuple(dims)
        if transform.type in ("displacements", "coordinates"):
            space = tuple(spatial(dims))
            return [_stored_field(transform, field_of(transform, fields), space)], False
        return [Linear(*spatial_parts(transform, dims))], False
    n = len(itk_order(dims))
    if is_native(transform):
        if transform.IsLinear():
            return [Linear(*matrix_offset(transform, n))], True
        transform = native_list(transform)
    try:
        entries = wasm_list(transform)
    except TypeError:
        entries = None
    if not entries:
        raise TypeError(_INPUT.format(type(transform).__name__))
    stages = [_stage(entry, n) for entry in reversed(entries)]
    return (None if None in stages else stages), True


def native_list(transform):
    """An itk transform as entries; the one that heads a composite is left out."""
    import itk

    found = itk.dict_from_transform(transform)
    found = found if isinstance(found, list) else [found]
    heads = len(found) > 1 and found[0]["transformType"]["transformParameterization"] == "Composite"
    return found[1:] if heads else found


def _stage(entry, n):
    if entry.name == "DisplacementField":
        vectors, origin, spacing, turn = field_parts(entry)
        grid = Grid(origin, spacing, turn, vectors.shape[:-1][::-1])
        moved = np.moveaxis(vectors, -1, 0)
        return Field(grid, moved, lambda at: (slice(None), *at[::-1]),
                     lambda part, start: part.astype("f8", copy=False))
    if entry.name == "BSpline":
        values = entry.parameters.astype("f8").reshape(n, -1)
        return Spline(np.minimum(values.min(1), 0), np.maximum(values.max(1), 0))
    try:
        return Linear(*decode(entry, n))
    except (NotImplementedError, ImportError):
        return None


def _stored_field(transform, field, dims):
    """A field of RFC-5, which is read where it is needed."""
    dims = check_dims(dims)
    image, back = field_image(transform, field, dims), itk_order(dims)
    _grid_turn(image, None, back)
    grid = grid_of(image, False)
    zyx = [dims.index(d) + 1 for d in back[::-1]]

    def key(at):
        by_dim = dict(zip(back, at))
        return (slice(None), *(by_dim[d] for d in dims))

    def convert(part, start):
        place = [[(grid.origin + grid.spacing * start)[back.index(d)] for d in dims],
                 [grid.spacing[back.index(d)] for d in dims]]
        return _to_itk(part.astype("f8", copy=False), dims, place, None, transform.type).transpose(0, *zyx)

    return Field(grid, image.data, key, convert)


class Reach(NamedTuple):
    """Where a block of the fixed grid goes: matrix @ index + offset, give or take a range."""

    matrix: np.ndarray
    offset: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def box(self, size):
        last = np.asarray(size, dtype=float) - 1
        low, high = image_of_box(self.matrix, self.offset, np.zeros(len(last)), last)
        return low + self.low, high + self.high


def reach(stages, fixed, start, size):
    """(Reach, corners of the points that go into each stage)."""
    n = len(size)
    at = Reach(fixed.matrix, fixed.point(start), np.zeros(n), np.zeros(n))
    corners = []
    for stage in stages:
        corners.append(at.box(size))
        if isinstance(stage, Linear):
            low, high = image_of_box(stage.matrix, np.zeros(n), at.low, at.high)
            at = Reach(stage.matrix @ at.matrix, stage.matrix @ at.offset + stage.offset, low, high)
        else:
            low, high = (stage.low, stage.high) if isinstance(stage, Spline) else stage.range(*corners[-1])
            at = at._replace(low=at.low + low, high=at.high + high)
    return at, corners
