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

NAMED = frozenset(member.value for member in AnatomicalOrientationValues)


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


def is_rfc4_enabled(enabled_rfcs):
    return enabled_rfcs is not None and 4 in enabled_rfcs


def _turn(axis):
    """What an axis (an object, or its JSON) says of its orientation; None where that is nothing."""
    found = axis.get("orientation") if isinstance(axis, dict) else getattr(axis, "orientation", None)
    return None if found == {} else found


def axes_orientations_from_axes(axes):
    """{name: orientation} of those axes that have one of RFC-4; None when none has."""
    found = {}
    for axis in axes:
        name = axis.get("name") if isinstance(axis, dict) else getattr(axis, "name", None)
        turn = _turn(axis)
        if isinstance(turn, dict) and turn.get("type") == "anatomical" and str(turn.get("value")) in NAMED:
            turn = AnatomicalOrientation(AnatomicalOrientationValues(turn["value"]))
        if isinstance(name, str) and isinstance(turn, AnatomicalOrientation):
            found[name] = turn
    return found or None


def has_any_rfc4_orientation(axes):
    """Whether any axis (its JSON) says something of its orientation."""
    return any(_turn(axis) is not None for axis in axes if isinstance(axis, dict))


def has_rfc4_orientation_metadata(axes):
    """Whether a spatial axis (its JSON) has an orientation."""
    return any(axis.get("type") == "space" and bool(axis.get("orientation"))
               for axis in axes if isinstance(axis, dict))


def validate_rfc4_orientation(axes):
    """ValueError that says which rule of RFC-4 the orientations of some axes (their JSON) break."""
    from ._structural import check_orientations
    from ._systems import axis_from_json

    check_orientations([axis_from_json(axis) for axis in axes])


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
