"""declare_field_transform: say of an image that it is a field of displacements or coordinates."""

from dataclasses import replace
from enum import StrEnum

from ._image import axis_type
from ._metadata import AxisType
from ._metadata06 import Metadata
from ._systems import Axis, CoordinateSystem, CoordinateSystemIdentifier
from ._transforms import Coordinates, Displacements, validate_transform


class FieldTransformType(StrEnum):
    Displacements = "displacements"
    Coordinates = "coordinates"


_KINDS = {FieldTransformType.Displacements: (Displacements, AxisType.Displacement),
          FieldTransformType.Coordinates: (Coordinates, AxisType.Coordinate)}


def declare_field_transform(multiscales, *, transform_type=FieldTransformType.Displacements, path=None,
                            input_system=None, output_system=None, coordinate_system="physical",
                            interpolation="linear"):
    """A copy of `multiscales` with one more transformation, to be written as OME-Zarr 0.6.

    Without `path` the image is the field: one axis of components, then the space axes. With `path` the
    field is the array or group there, and both systems are named. Without names the transformation
    leads from `coordinate_system`, which is declared when it is not there, back to it."""
    if transform_type not in set(FieldTransformType):
        raise ValueError(f"transform_type must be one of {sorted(FieldTransformType)}, got "
                         f"{transform_type!r}")
    if (input_system is None) != (output_system is None):
        raise ValueError("pass both input_system and output_system, or neither")
    if path is not None and input_system is None:
        raise ValueError("with path, pass input_system and output_system: the axes of a field elsewhere "
                         "are not known here")
    cls, components = _KINDS[FieldTransformType(transform_type)]
    metadata = Metadata.from_version(multiscales.metadata)
    systems = list(metadata.coordinateSystems)
    space = None
    if path is None:
        space, path = _space_axes(multiscales.images[0], components), metadata.datasets[0].path
    if input_system is None:
        systems = _with_system(systems, coordinate_system, space, multiscales.images[0].axes_units or {})
        input_system = output_system = coordinate_system
    _same_count(systems, input_system, output_system)
    entry = cls(input=CoordinateSystemIdentifier(name=input_system), path=path,
                output=CoordinateSystemIdentifier(name=output_system), interpolation=interpolation)
    validate_transform(entry, systems)
    steps = [*(metadata.coordinateTransformations or []), entry]
    return replace(multiscales, metadata=replace(metadata, coordinateSystems=systems,
                                                 coordinateTransformations=steps))


def _space_axes(image, components):
    """The space axes of a field, which has one axis of components before them and as many of those."""
    types = {dim: axis_type(dim) or "space" for dim in image.dims}
    types.update(image.axes_types or {})
    dims = tuple(image.dims)
    fields = [dim for dim in dims if types[dim] == components]
    if len(fields) != 1:
        raise ValueError(f"the field image must have exactly one axis of type {components.value!r} "
                         f"(axes_types); got {fields or 'none'} of {dims}")
    space = [dim for dim in dims if dim not in fields]
    other = [dim for dim in space if types[dim] != "space"]
    if other:
        raise ValueError(f"a field transform is defined on spatial axes only; {dims} has {other}")
    if dims[0] != fields[0]:
        raise ValueError(f"the component axis {fields[0]!r} must come first, then the spatial axes; the "
                         f"field's dims are {dims}")
    if image.data.shape[0] != len(space):
        raise ValueError(f"the field holds {image.data.shape[0]} components per point over {len(space)} "
                         f"spatial axes {space}")
    return space


def _with_system(systems, name, space, units):
    """`systems` with one of this name that has the axes of the field."""
    for system in systems:
        if system.name != name:
            continue
        if [axis.name for axis in system.axes] != space:
            raise ValueError(f"coordinate system {name!r} is already declared with axes "
                             f"{[axis.name for axis in system.axes]}, the field has {space}")
        other = [f"{axis.name} ({axis.type})" for axis in system.axes if axis.type != "space"]
        if other:
            raise ValueError(f"coordinate system {name!r} has {other} where a field needs space axes")
        return systems
    return [*systems, CoordinateSystem(name, [Axis(dim, "space", units.get(dim)) for dim in space])]


def _same_count(systems, *names):
    counts = {system.name: len(system.axes) for system in systems}
    for name in names:
        if name not in counts:
            raise ValueError(f"{name!r} names no declared coordinate system (declared: {sorted(counts)})")
    if len({counts[name] for name in names}) > 1:
        raise ValueError(f"{names[0]!r} has {counts[names[0]]} axes and {names[1]!r} {counts[names[1]]}; a "
                         "field transform maps a point onto one of the same dimension")
