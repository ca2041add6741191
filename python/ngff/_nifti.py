"""Images of nibabel (anything with `affine`, `header`, `dataobj`, `get_fdata`) as images of this
package."""

import numpy as np

from ._image import NgffImage
from ._metadata import Omero, OmeroChannel, OmeroWindow
from ._orientation import AnatomicalOrientationValues

_WORLD = (("right_to_left", "left_to_right"), ("anterior_to_posterior", "posterior_to_anterior"),
          ("superior_to_inferior", "inferior_to_superior"))
_UNITS = {"meter": "meter", "mm": "millimeter", "micron": "micrometer", "sec": "second",
          "msec": "millisecond", "usec": "microsecond"}


def nibabel_image_to_ngff_image(nibabel_image, add_anatomical_orientation=True):
    """Axes x, y, z, t, c; spacing and position from the affine, orientation from the world axis that
    each image axis is nearest to. Stored values when there is no slope, else float32."""
    affine = np.asarray(nibabel_image.affine, dtype=float)
    ndim = len(nibabel_image.shape)
    if ndim < 3:
        raise ValueError(f"Image must have at least 3 dimensions, got {ndim}")
    if ndim > 5:
        raise ValueError(f"Unsupported number of dimensions: {ndim}")
    dims = list("xyztc"[:ndim])
    world, signs = _nearest(affine[:3, :3])
    scale = dict(zip("xyz", np.linalg.norm(affine[:3, :3], axis=0).tolist()))
    translation = {d: float(affine[world[i], 3]) for i, d in enumerate("xyz")}
    more = {4: "t", 5: "c"}.get(ndim)
    if more:
        scale[more], translation[more] = 1.0, 0.0
    _time(nibabel_image.header, ndim, scale, translation)
    turns = {d: AnatomicalOrientationValues[_WORLD[world[i]][int(signs[i] > 0)]]
             for i, d in enumerate("xyz")} if add_anatomical_orientation else None
    return NgffImage(_pixels(nibabel_image), dims, scale, translation, "nibabel_converted_image",
                     _units(nibabel_image.header, dims), turns)


def _time(header, ndim, scale, translation):
    """The step of a series, where the header has one."""
    zooms = header.get_zooms() if hasattr(header, "get_zooms") else ()
    if ndim > 3 and len(zooms) > 3 and np.isfinite(zooms[3]) and zooms[3] > 0 and zooms[3] != 1:
        scale["t"], translation["t"] = float(zooms[3]), 0.0


def _units(header, dims):
    space, time = header.get_xyzt_units() if hasattr(header, "get_xyzt_units") else (None, None)
    found = {d: _UNITS.get(time if d == "t" else space) for d in dims if d != "c"}
    return {d: unit for d, unit in found.items() if unit} or None


def _nearest(matrix):
    """The world axis that each column lies along, each taken once, and its direction."""
    lengths = np.linalg.norm(matrix, axis=0)
    left, _, right = np.linalg.svd(matrix / np.where(lengths == 0, 1, lengths))
    turn = left @ right  # the nearest rotation
    world = [0, 0, 0]
    free = np.abs(turn)
    for _ in range(3):
        row, column = np.unravel_index(np.argmax(free), (3, 3))
        world[column] = int(row)
        free[row, :] = free[:, column] = -1
    return world, [turn[world[i], i] for i in range(3)]


def _field(header, name, default):
    value = header.get(name)
    return default if value is None else float(value)


def _pixels(image):
    slope, inter = _field(image.header, "scl_slope", 1.0), _field(image.header, "scl_inter", 0.0)
    slope = 1.0 if slope == 0 or np.isnan(slope) else slope
    inter = 0.0 if np.isnan(inter) else inter
    if slope == 1.0 and inter == 0.0:
        return np.asanyarray(image.dataobj)
    return image.get_fdata(dtype=np.float32)


def extract_omero_metadata_from_nibabel(nibabel_image):
    """One channel whose window is what the header's cal_min and cal_max say, or None."""
    low = _field(nibabel_image.header, "cal_min", 0.0)
    high = _field(nibabel_image.header, "cal_max", 0.0)
    if (low == 0.0 and high == 0.0) or np.isnan(low) or np.isnan(high):
        return None
    data = np.asanyarray(nibabel_image.dataobj)
    window = OmeroWindow(min=float(np.min(data)), max=float(np.max(data)), start=low, end=high)
    return Omero([OmeroChannel("FFFFFF", window, "")])
