"""What OME-Zarr 0.6 may say, checked before anything is written: one line, ValueError."""

import copy
import math
import re
from urllib.parse import unquote

from ._structural import ValidationError, check_axes
from ._systems import CoordinateSystem, CoordinateSystemIdentifier
from ._transforms import arity, validate_transform


def check_systems(systems, where, version="0.6"):
    """Named once each, with axes as the version allows them. Answers {name: system}."""
    named = {}
    for n, system in enumerate(systems):
        if not system.name or system.name in named:
            raise ValueError(f"{where}coordinateSystems[{n}] is named {system.name!r}: names must be "
                             "non-empty and unique")
        named[system.name] = system
        try:
            check_axes(list(system.axes), version)
        except ValidationError as error:
            rendered = ", ".join(f"{a.name!r}(type={a.type!r})" for a in system.axes)
            raise ValueError(f'Cannot write OME-Zarr version="{version}": [{error.rule.value}] {error.message} '
                             f"(at {where}coordinateSystems[{n}].axes: [{rendered}])") from error
    return named


def check_path(path, parent):
    """A path of a document is joined to a store: it stays below it, also percent-encoded."""
    parts = re.split(r"[\\/]", path) if isinstance(path, str) else [""]
    if any(unquote(part) in ("", ".", "..") or ":" in part for part in parts):
        raise ValueError(f"path {path!r} must be relative and stay below the {parent}")
    return path


def parts_of(transform):
    """A transformation and all within it, depth first."""
    yield transform
    for item in getattr(transform, "transformations", None) or ():
        yield from parts_of(getattr(item, "transformation", item))
    for name in ("forward", "inverse"):
        if getattr(transform, name, None) is not None:
            yield from parts_of(getattr(transform, name))


def node_paths(transforms):
    """The nodes of the store that transformations need: fields, and matrices that are not here."""
    found = set()
    for transform in transforms:
        for part in parts_of(transform):
            path = getattr(part, "path", None)
            kind = part.type
            if path and (kind not in ("rotation", "affine") or getattr(part, kind) is None):
                found.add(check_path(path, "store"))
    return found


def check_numbers(transform, where):
    """Vectors and matrices: finite numbers, rows of one length, scales above zero."""
    for part in parts_of(transform):
        kind = part.type
        values = getattr(part, kind, None) if kind in ("scale", "translation", "rotation", "affine") else None
        if values is None:
            continue
        rows = [list(row) for row in values] if kind in ("rotation", "affine") else [list(values)]
        if len({len(row) for row in rows}) != 1 or not rows[0]:
            raise ValueError(f"{where} ({kind}) does not hold a rectangular matrix of numbers")
        if kind == "rotation" and len(rows) != len(rows[0]):
            raise ValueError(f"{where} (rotation) holds {len(rows)} rows of {len(rows[0])}, a square one is "
                             "needed")
        for number in (number for row in rows for number in row):
            if not _finite(number) or (kind == "scale" and number <= 0):
                raise ValueError(f"{where} ({kind}) holds {number!r}, expected a finite number"
                                 + (" above 0" if kind == "scale" else ""))


def _finite(number):
    try:
        return not isinstance(number, (str, bool)) and math.isfinite(number)
    except TypeError:
        return False


_KEEPS = ("identity", "displacements")


def _axes_after(step, count):
    """Axes that come out of a step of a sequence, where that can be told."""
    if step.type == "projectAxis" and count is not None:
        return count - len(step.droppedInputs or ()) + len(step.createdOutputs or ())
    return count if step.type in _KEEPS else arity(step)[1]


def check_spans(transform, where, before, after):
    """The parameters fit the axes that go in and come out; what is within a sequence passes them on."""
    found = arity(transform)
    if transform.type == "sequence":
        if not transform.transformations:
            raise ValueError(f"{where} is a sequence without transformations")
        count = before
        for n, step in enumerate(transform.transformations):
            last = n == len(transform.transformations) - 1
            out = after if last else _axes_after(step, count)
            check_spans(step, f"{where}.transformations[{n}]", count, out)
            count = out
        return
    for expected, got, what in zip((before, after), found, ("takes", "gives")):
        if None not in (expected, got) and expected != got:
            raise ValueError(f"{where} ({transform.type}) {what} {got} axes where there are {expected}")
    if transform.type in _KEEPS and None not in (before, after) and before != after:
        raise ValueError(f"{where} ({transform.type}) keeps the axes, not {before} to {after}")


def check_between(transform, where, systems, version):
    """The rules for a transformation between two known systems."""
    names = [transform.input.name, transform.output.name]
    if names[0] == names[1] and systems[0] is not systems[1]:
        names = ["input", "output"]
    before, after = (len(system.axes) for system in systems)
    check_numbers(transform, where)
    check_spans(transform, where, before, after)
    probe = [CoordinateSystem(name, system.axes) for name, system in zip(names, systems)]
    try:
        # The rules look systems up by name, so that the two need names of their own.
        clone = copy.copy(transform)
        clone.input, clone.output = (CoordinateSystemIdentifier(name=name) for name in names)
        validate_transform(clone, probe, version)
    except ValueError as error:
        raise ValueError(f"{where} ({transform.type}): {error}") from error


def check_multiscale_transforms(transforms, systems, version="0.6"):
    """Those of an image: both ends named, and what is named without a path is declared."""
    for n, transform in enumerate(transforms):
        where = f"multiscales coordinateTransformations[{n}]"
        ends = []
        for side in ("input", "output"):
            end = getattr(transform, side, None)
            if end is None or getattr(end, "name", None) is None:
                raise ValueError(f"{where} ({transform.type}) names no {side} coordinate system; OME-Zarr 0.6 "
                                 "requires both")
            if end.path is not None:
                check_path(end.path, "image")
            elif end.name not in systems:
                raise ValueError(f"{where}.{side} names coordinate system {end.name!r}, which is not declared "
                                 f"(declared: {sorted(systems)})")
            ends.append(systems.get(end.name) if end.path is None else None)
        if None not in ends:
            check_between(transform, where, ends, version)
        else:  # the other end lies in another image
            check_numbers(transform, where)
            validate_transform(transform, list(systems.values()), version)
