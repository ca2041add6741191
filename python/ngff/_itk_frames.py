"""Axis orders and frames between OME-Zarr and ITK.

OME-Zarr gives numbers in the order of an image's axes, ITK in the order x, y, z. An RFC-5
transformation maps q = translation + scale * index to such a point of another image; ITK's maps
physical points, which are p = o + D (q - o) with the origin o = translation and the direction matrix
D of the RFC-4 orientation. Within this file everything is in ITK's order."""

from typing import NamedTuple

import numpy as np

from ._itk_image import direction_matrix


def spatial(dims):
    return [d for d in dims if d in ("x", "y", "z")]


def itk_order(dims):
    """The spatial axes of `dims` as ITK orders them."""
    space = spatial(dims)
    if not space:
        raise ValueError(f"no spatial axes among dims {tuple(dims)}")
    if len(set(space)) != len(space):
        raise ValueError(f"dims {tuple(dims)} name an axis twice")
    return [d for d in ("x", "y", "z") if d in space]


def to_dims(dims):
    """Positions that take a vector in ITK's order to the order of the spatial axes of `dims`; the
    inverse is `argsort` of it."""
    back = itk_order(dims)
    return np.array([back.index(d) for d in spatial(dims)])


class Frames(NamedTuple):
    """Where the intrinsic systems of two images lie in ITK's physical space."""

    turn_in: np.ndarray
    turn_out: np.ndarray
    origin_in: np.ndarray
    origin_out: np.ndarray

    def to_intrinsic(self, matrix, offset):
        """A map of physical points as one of intrinsic points."""
        back = np.linalg.inv(self.turn_out)
        start = matrix @ (self.origin_in - self.turn_in @ self.origin_in) + offset
        return (back @ matrix @ self.turn_in,
                back @ (start - self.origin_out) + self.origin_out)

    def to_physical(self, matrix, offset):
        """The inverse of `to_intrinsic`."""
        back = np.linalg.inv(self.turn_in)
        start = matrix @ (self.origin_in - back @ self.origin_in) + offset
        return (self.turn_out @ matrix @ back,
                self.turn_out @ (start - self.origin_out) + self.origin_out)

    @property
    def same(self):
        """Whether both systems are one: then vectors need no change."""
        return np.array_equal(self.turn_in, np.eye(len(self.turn_in))) and np.array_equal(
            self.turn_in, self.turn_out)


def frames_of(fixed, moving, dims):
    """None when neither image is given."""
    if (fixed is None) != (moving is None):
        raise ValueError("pass both fixed and moving, or neither")
    if fixed is None:
        return None
    for label, image in (("fixed", fixed), ("moving", moving)):
        missing = [d for d in spatial(dims) if d not in image.translation]
        if missing:
            raise ValueError(f"the {label} image has no translation entry for spatial dimension(s) "
                             f"{missing}; its dims do not cover `dims`")
    back = itk_order(dims)
    turns = [direction_matrix(image, back) for image in (fixed, moving)]
    origins = [np.array([float(image.translation[d]) for d in back]) for image in (fixed, moving)]
    return Frames(*turns, *origins)
