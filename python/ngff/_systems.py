"""Coordinate systems of OME-Zarr 0.6: named lists of axes, and how a transformation refers to one."""

from dataclasses import dataclass
from typing import Any

__all__ = ["Axis", "CoordinateSystem", "CoordinateSystemIdentifier", "systems_from_json"]


@dataclass
class Axis:
    name: str
    type: str | None = None
    unit: str | None = None
    orientation: Any = None
    discrete: bool | None = None
    longName: str | None = None


@dataclass
class CoordinateSystem:
    name: str
    axes: list


@dataclass
class CoordinateSystemIdentifier:
    """One end of a transformation: the system `name`, in the group or array at `path` when it is
    declared elsewhere."""

    path: str | None = None
    name: str | None = None

    def axis_count(self, coordinateSystems):
        """Axes of the system of this name among `coordinateSystems`; None when there is none."""
        for system in coordinateSystems or ():
            if self.name is not None and system.name == self.name:
                return len(system.axes)
        return None


def axis_from_json(item):
    """Members that the model does not have are an error only for those who validate."""
    from ._orientation import AnatomicalOrientation

    turn = item.get("orientation")
    if isinstance(turn, dict) and turn.get("type") == "anatomical":
        turn = AnatomicalOrientation(turn.get("value"))
    return Axis(item["name"], item.get("type"), item.get("unit"), turn, item.get("discrete"),
                item.get("longName"))


def systems_from_json(items):
    """`coordinateSystems` of a document as objects."""
    systems = []
    for n, item in enumerate(items or ()):
        try:
            systems.append(CoordinateSystem(item["name"], [axis_from_json(a) for a in item["axes"]]))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"coordinateSystems[{n}] is no named list of axes: {error!r}") from error
    return systems


def identifier_from_json(item):
    """`input` or `output`: an object with a name, a path, or both."""
    if not isinstance(item, dict):
        return None
    return CoordinateSystemIdentifier(item.get("path"), item.get("name"))
