"""Coordinate transformations of OME-Zarr 0.6 (RFC-5), and the rules each must keep.

What follows from the parameters alone is checked when an object is made and again by `validate`,
which also compares them with the coordinate systems they lead between, where those are known."""

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["BaseTransform", "Identity", "Scale", "Translation", "Rotation", "Affine", "Coordinates",
           "Displacements", "MapAxis", "ProjectAxis", "ByDimensionItem", "ByDimension", "Bijection",
           "TransformSequence", "Transform", "validate_transform"]


def _count(identifier, systems):
    return None if identifier is None else identifier.axis_count(systems)


def _whole_numbers(values, what):
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"{what} axis indices must be integers; got {value!r}")


def _within(indices, count, what, system):
    beyond = [index for index in indices if count is not None and index >= count]
    if beyond:
        raise ValueError(f"{what} {beyond} are beyond the {count} axes of coordinate system "
                         f"{system.name!r}")


def _more_axes(version):
    """OME-Zarr 0.9 (RFC-3) ends the limit of five axes."""
    return version is not None and str(getattr(version, "value", version)) >= "0.9"


@dataclass(kw_only=True)
class BaseTransform:
    input: Any = None
    output: Any = None
    name: str | None = None
    type: str | None = None

    def to_dict(self):
        """Every field, also those that are None."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data):
        return cls(**data)

    def validate(self, coordinateSystems=None, version=None):
        """ValueError for the first rule of RFC-5 that is broken. Systems that are not among
        `coordinateSystems` are not compared; `version` decides where the rules differ."""


@dataclass(kw_only=True)
class Identity(BaseTransform):
    type: str = "identity"


@dataclass(kw_only=True)
class Scale(BaseTransform):
    scale: list
    type: str = "scale"


@dataclass(kw_only=True)
class Translation(BaseTransform):
    translation: list
    type: str = "translation"


@dataclass(kw_only=True)
class Rotation(BaseTransform):
    """N rows of N numbers; in a store they may be the array at `path` instead."""

    rotation: list
    path: str | None = None
    type: str = "rotation"


@dataclass(kw_only=True)
class Affine(BaseTransform):
    """A row for each output axis, of one number for each input axis and the translation."""

    affine: list
    path: str | None = None
    type: str = "affine"


@dataclass(kw_only=True)
class Coordinates(BaseTransform):
    """The output position of each point, in the field at `path`."""

    path: str
    interpolation: str | None = None
    type: str = "coordinates"


@dataclass(kw_only=True)
class Displacements(BaseTransform):
    """The way from each point to its output position, in the field at `path`."""

    path: str
    interpolation: str | None = None
    type: str = "displacements"


@dataclass(kw_only=True)
class MapAxis(BaseTransform):
    """A permutation: output axis i is input axis `mapAxis[i]`."""

    mapAxis: list
    type: str = "mapAxis"

    def __post_init__(self):
        self._check()

    def _check(self):
        _whole_numbers(self.mapAxis, "mapAxis")
        if sorted(self.mapAxis) != list(range(len(self.mapAxis))):
            raise ValueError(f"mapAxis must be a permutation with each input axis index once, counted "
                             f"from 0; got {self.mapAxis}")

    def validate(self, coordinateSystems=None, version=None):
        self._check()
        if not _more_axes(version) and not 2 <= len(self.mapAxis) <= 5:
            raise ValueError(f"mapAxis must hold between 2 and 5 indices; got {self.mapAxis}")
        for end in (self.input, self.output):
            count = _count(end, coordinateSystems)
            if count not in (None, len(self.mapAxis)):
                raise ValueError(f"mapAxis has {len(self.mapAxis)} indices, coordinate system "
                                 f"{end.name!r} {count} axes")


# `maxItems` of both lists in the schema.
_MOST_PROJECTED = 3


@dataclass(kw_only=True)
class ProjectAxis(BaseTransform):
    """Input axes that are left out and output axes that are added, which are 0."""

    droppedInputs: list | None = None
    createdOutputs: list | None = None
    type: str = "projectAxis"

    def __post_init__(self):
        self._check()

    def _check(self):
        if self.droppedInputs is None and self.createdOutputs is None:
            raise ValueError("projectAxis must declare droppedInputs, createdOutputs, or both")
        for what in ("droppedInputs", "createdOutputs"):
            indices = getattr(self, what)
            if indices is None:
                continue
            _whole_numbers(indices, what)
            if not 1 <= len(indices) <= _MOST_PROJECTED:
                raise ValueError(f"{what} must name 1 to {_MOST_PROJECTED} axes; got {indices}")
            if min(indices) < 0:
                raise ValueError(f"{what} must not be negative; got {indices}")
            if len(set(indices)) != len(indices):
                raise ValueError(f"{what} must be unique; got {indices}")

    def validate(self, coordinateSystems=None, version=None):
        self._check()
        dropped, created = self.droppedInputs or [], self.createdOutputs or []
        before, after = _count(self.input, coordinateSystems), _count(self.output, coordinateSystems)
        _within(dropped, before, "droppedInputs", self.input)
        _within(created, after, "createdOutputs", self.output)
        if None not in (before, after) and before - len(dropped) + len(created) != after:
            raise ValueError(f"projectAxis makes {before - len(dropped) + len(created)} axes of {before}, "
                             f"coordinate system {self.output.name!r} has {after}")


@dataclass
class ByDimensionItem:
    """A transformation of some axes: zero-based indices into the systems of the whole."""

    transformation: Any
    inputAxes: list
    outputAxes: list

    def __post_init__(self):
        self._check()

    def _check(self):
        axes = [*self.inputAxes, *self.outputAxes]
        _whole_numbers(axes, "byDimension")
        if any(axis < 0 for axis in axes):
            raise ValueError(f"byDimension axis indices must be non-negative; got {axes}")
        if len(set(self.outputAxes)) != len(self.outputAxes):
            raise ValueError(f"byDimension output axes must each be produced by exactly one "
                             f"transformation; {self.outputAxes} repeats one")
        found = (len(self.inputAxes), len(self.outputAxes))
        expected = arity(self.transformation)
        if any(e not in (None, f) for e, f in zip(expected, found)):
            raise ValueError(f"byDimension item of type {self.transformation.type!r} takes {expected[0]} "
                             f"axes to {expected[1]}, not {found[0]} to {found[1]}")

    @classmethod
    def from_dict(cls, data, coordinateSystems=None):
        from ._transforms_json import item_from_json

        return item_from_json(data, coordinateSystems)


@dataclass(kw_only=True)
class ByDimension(BaseTransform):
    """Transformations of fewer dimensions that together produce each output axis once."""

    transformations: list
    type: str = "byDimension"

    def __post_init__(self):
        self._check()

    def _check(self):
        produced = [axis for item in self.transformations for axis in item.outputAxes]
        twice = sorted({axis for axis in produced if produced.count(axis) > 1})
        if twice:
            raise ValueError(f"byDimension output axes must each be produced by exactly one "
                             f"transformation; axis {twice} appears more than once")

    @property
    def produced_outputAxes(self):
        return {axis for item in self.transformations for axis in item.outputAxes}

    def validate(self, coordinateSystems=None, version=None):
        for item in self.transformations:
            item._check()
            validate_transform(item.transformation, coordinateSystems, version)
        self._check()
        before, after = _count(self.input, coordinateSystems), _count(self.output, coordinateSystems)
        for item in self.transformations:
            _within(item.inputAxes, before, "byDimension input axes", self.input)
        produced = sorted(self.produced_outputAxes)
        if after is not None and produced != list(range(after)):
            raise ValueError(f"byDimension items must cover every output axis exactly once; they produce "
                             f"{produced}, coordinate system {self.output.name!r} has {after} axes")

    @classmethod
    def from_dict(cls, data, coordinateSystems=None):
        from ._transforms_json import transform_from_json

        return transform_from_json({"type": "byDimension", **data}, coordinateSystems)


@dataclass(kw_only=True)
class Bijection(BaseTransform):
    """A transformation and its inverse, both given."""

    forward: Any
    inverse: Any
    type: str = "bijection"

    def validate(self, coordinateSystems=None, version=None):
        validate_transform(self.forward, coordinateSystems, version)
        validate_transform(self.inverse, coordinateSystems, version)
        before, after = _count(self.input, coordinateSystems), _count(self.output, coordinateSystems)
        if None not in (before, after) and before != after:
            raise ValueError(f"bijection input and output must have the same dimensionality; got {before} "
                             f"and {after}")

    @classmethod
    def from_dict(cls, data, coordinateSystems=None):
        from ._transforms_json import transform_from_json

        return transform_from_json({"type": "bijection", **data}, coordinateSystems)


@dataclass(kw_only=True)
class TransformSequence(BaseTransform):
    """Transformations one after the other, the first one first."""

    transformations: list
    name: str | None = "transformSequence"
    type: str = "sequence"

    def validate(self, coordinateSystems=None, version=None):
        for transformation in self.transformations:
            validate_transform(transformation, coordinateSystems, version)


Transform = (Identity | Scale | Translation | Rotation | Affine | Coordinates | Displacements | MapAxis
             | ProjectAxis | ByDimension | Bijection | TransformSequence)


def arity(transform):
    """Axes that go in and come out, each None where the parameters do not tell."""
    kind = getattr(transform, "type", None)
    if kind in ("scale", "translation", "mapAxis"):
        return (len(getattr(transform, kind)),) * 2
    rows = getattr(transform, kind, None) if kind in ("rotation", "affine") else None
    if rows is not None and len(rows):
        return len(rows[0]) - (kind == "affine"), len(rows)
    if kind == "byDimension":
        return None, len({axis for item in transform.transformations for axis in item.outputAxes})
    if kind == "bijection":
        forward, inverse = arity(transform.forward), arity(transform.inverse)
        return forward[0] or inverse[1], forward[1] or inverse[0]
    if kind == "sequence" and transform.transformations:
        return arity(transform.transformations[0])[0], arity(transform.transformations[-1])[1]
    return None, None


def validate_transform(transformation, coordinateSystems=None, version=None):
    """The rules of `BaseTransform.validate`, for one transformation and all within it."""
    try:
        transformation.validate(coordinateSystems, version)
    except TypeError:  # ngff-zarr's ProjectAxis takes no version
        transformation.validate(coordinateSystems)
