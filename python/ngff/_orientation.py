"""RFC-4: anatomical orientation of axes."""

from dataclasses import dataclass
from enum import StrEnum


def _names():
    pairs = ("left right", "anterior posterior", "inferior superior", "dorsal ventral",
             "dorsal palmar", "dorsal plantar", "rostral caudal", "cranial caudal",
             "proximal distal", "superficial deep", "apical basal", "apex base")
    for a, b in (pair.split() for pair in pairs):
        for low, high in ((a, b), (b, a)):
            yield f"{low}_to_{high}", f"{low}-to-{high}"


AnatomicalOrientationValues = StrEnum("AnatomicalOrientationValues", list(_names()))


@dataclass
class AnatomicalOrientation:
    value: AnatomicalOrientationValues
    type: str = "anatomical"


def _preset(**axes):
    return {d: AnatomicalOrientation(AnatomicalOrientationValues(v)) for d, v in axes.items()}


LPS = _preset(x="right-to-left", y="anterior-to-posterior", z="inferior-to-superior")
RAS = _preset(x="left-to-right", y="posterior-to-anterior", z="inferior-to-superior")


def orientation_from_name(name):
    """"LPS" or "RAS" as {axis: orientation}."""
    presets = {"lps": LPS, "ras": RAS}
    if name.lower() not in presets:
        raise ValueError(f"Unknown anatomical orientation preset: {name!r}. "
                         "Supported presets: LPS, RAS.")
    return dict(presets[name.lower()])


def itk_lps_to_anatomical_orientation(axis_name):
    return LPS.get(axis_name)


def add_anatomical_orientation_to_axis(axis_dict, orientation):
    """A copy of an axis' JSON with its orientation."""
    value = str(getattr(orientation.value, "value", orientation.value))
    return {**axis_dict, "orientation": {"type": orientation.type, "value": value}}


def remove_anatomical_orientation_from_axis(axis_dict):
    return {k: v for k, v in axis_dict.items() if k != "orientation"}


# Where each orientation points in ITK's physical space, whose axes are left, posterior, superior.
_LPS_AXES = {f"{a}-to-{b}": (axis, sign)
             for axis, (low, high) in enumerate((("right", "left"), ("anterior", "posterior"),
                                                 ("inferior", "superior")))
             for a, b, sign in ((low, high, 1.0), (high, low, -1.0))}


def itk_direction_to_anatomical_orientation(direction_column):
    """The orientation nearest to a column of an ITK direction matrix; of two as near, the first of
    left-right, anterior-posterior, inferior-superior."""
    if len(direction_column) < 2:
        raise ValueError("Direction column must have at least 2 elements for 2D/3D images, got "
                         f"{len(direction_column)}")
    column = list(direction_column)[:3]
    axis = max(range(len(column)), key=lambda n: abs(column[n]))
    turn = (axis, -1.0 if column[axis] < 0 else 1.0)
    name = next(name for name, other in _LPS_AXES.items() if other == turn)
    return AnatomicalOrientation(AnatomicalOrientationValues(name))


def anatomical_orientation_to_itk_direction(orientation):
    """The column of an ITK direction matrix as three numbers; None for what ITK's physical space has no
    axis for."""
    turn = _LPS_AXES.get(orientation) if isinstance(orientation, str) else None
    return None if turn is None else [turn[1] if n == turn[0] else 0.0 for n in range(3)]
