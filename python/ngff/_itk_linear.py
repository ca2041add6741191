"""Transformations of OME-Zarr 0.6 (RFC-5) as transforms of ITK-Wasm: what is linear as one Affine, a
field as one DisplacementField."""

import numpy as np

from ._itk_frames import frames_of, itk_order

_CANNOT = ("transformation type {!r} cannot be converted to an ITK transform. identity, scale, "
           "translation, rotation, affine, mapAxis, byDimension, bijection and sequences of them "
           "describe a linear mapping that ITK can represent as a single affine transform; "
           "displacements and coordinates convert to a displacement field, given the field they point "
           "at.")
_KINDS = {"identity", "scale", "translation", "rotation", "affine", "mapAxis", "byDimension",
          "bijection", "sequence", "displacements", "coordinates", "projectAxis"}
_DEPTH = 64


def is_ngff_transform(item):
    return isinstance(getattr(item, "type", None), str) and item.type in _KINDS


def _vector(transform, name, n):
    values = np.asarray(getattr(transform, name), dtype=float)
    if values.shape != (n,):
        raise ValueError(f"{name} transformation has {values.size} parameters but the coordinate system "
                         f"has {n} axes")
    return values


def _matrix(transform, name, n, columns):
    values, path = getattr(transform, name), getattr(transform, "path", None)
    if values is None or len(values) == 0:
        if path:
            raise ValueError(f"{name} transformation names the array at {path!r} but holds no matrix "
                             "values. from_ome_zarr loads them from that array; otherwise supply the "
                             f"{name!r} values.")
        raise ValueError(f"{name} transformation has no parameters")
    values = np.asarray(values, dtype=float)
    if values.shape != (n, columns):
        shape = "x".join(map(str, values.shape))
        if name == "rotation":
            raise ValueError(f"rotation transformation is {shape} but the coordinate system has {n} axes")
        raise ValueError(f"affine transformation is {shape} but a coordinate system with {n} axes "
                         f"requires {n}x{columns} (the translation is the last column)")
    return values


def _map_axis(transform, n):
    if len(transform.mapAxis) != n:
        raise ValueError(f"mapAxis transformation permutes {len(transform.mapAxis)} axes but the "
                         f"coordinate system has {n}")
    return np.eye(n)[list(transform.mapAxis)], np.zeros(n)


def _affine(transform, n):
    values = _matrix(transform, "affine", n, n + 1)
    return values[:, :n], values[:, n]


def _sequence(transform, n, depth):
    if not transform.transformations:
        raise ValueError("sequence transformation has no transformations")
    matrix, offset = np.eye(n), np.zeros(n)
    for step in transform.transformations:  # the first one is applied first
        turn, shift = linear_parts(step, n, depth)
        matrix, offset = turn @ matrix, turn @ offset + shift
    return matrix, offset


def _by_dimension(transform, n, depth):
    items = transform.transformations
    produced = {axis: index for index, item in enumerate(items) for axis in item.outputAxes}
    matrix, offset = np.zeros((n, n)), np.zeros(n)
    for index, item in enumerate(items):
        rows, columns = list(item.outputAxes), list(item.inputAxes)
        _check_item(item, rows, columns, n)
        twice = [axis for axis in rows if produced[axis] != index]
        if twice:
            raise ValueError(f"byDimension items {index} and {produced[twice[0]]} both produce output "
                             f"axis {twice[0]}; every output axis must be produced by exactly one item")
        turn, shift = linear_parts(item.transformation, len(rows), depth)
        matrix[np.ix_(rows, columns)], offset[rows] = turn, shift
    missing = sorted(set(range(n)) - set(produced))
    if missing:
        raise ValueError(f"byDimension transformation produces output axes {sorted(produced)}, leaving "
                         f"{missing} of the {n} axes of the coordinate system unset; every output axis "
                         "must be produced by exactly one item")
    return matrix, offset


def _check_item(item, rows, columns, n):
    kind = item.transformation.type
    if len(rows) != len(columns):
        raise ValueError(f"byDimension item of type {kind!r} maps {len(columns)} input axes to "
                         f"{len(rows)} output axes; only a square mapping converts to an ITK transform")
    if len(set(columns)) != len(columns):
        raise ValueError(f"byDimension input axes {columns} name an axis twice")
    beyond = sorted({axis for axis in rows + columns if not 0 <= axis < n})
    if beyond:
        raise ValueError(f"byDimension axis indices {beyond} exceed the {n} axes of the coordinate "
                         "system")


def linear_parts(transform, n, depth=0):
    """(matrix, offset) over all n axes of the coordinate system, in its order."""
    kind = getattr(transform, "type", None) if is_ngff_transform(transform) else None
    if depth > _DEPTH:
        raise ValueError(f"transformations within transformations, more than {_DEPTH} deep")
    known = {
        "identity": lambda: (np.eye(n), np.zeros(n)),
        "scale": lambda: (np.diag(_vector(transform, "scale", n)), np.zeros(n)),
        "translation": lambda: (np.eye(n), _vector(transform, "translation", n)),
        "rotation": lambda: (_matrix(transform, "rotation", n, n), np.zeros(n)),
        "affine": lambda: _affine(transform, n),
        "mapAxis": lambda: _map_axis(transform, n),
        "sequence": lambda: _sequence(transform, n, depth + 1),
        "byDimension": lambda: _by_dimension(transform, n, depth + 1),
        "bijection": lambda: linear_parts(transform.forward, n, depth + 1),
    }
    if kind not in known:
        raise NotImplementedError(_CANNOT.format(kind or type(transform).__name__))
    return known[kind]()


def spatial_parts(transform, dims):
    """(matrix, offset) over the spatial axes alone, in ITK's order."""
    dims = tuple(dims)
    back = itk_order(dims)
    matrix, offset = linear_parts(transform, len(dims))
    at = [dims.index(d) for d in back]
    other = [n for n in range(len(dims)) if n not in at]
    if np.any(matrix[np.ix_(at, other)]) or np.any(matrix[np.ix_(other, at)]):
        raise ValueError(f"transformation couples spatial and non-spatial axes "
                         f"{[dims[n] for n in other]}; it cannot be expressed as an ITK spatial transform")
    return matrix[np.ix_(at, at)], offset[at]


def ngff_transform_to_itk_transform(transform, dims, *, fields=None, fixed=None, moving=None):
    """A list of one itkwasm Transform: an Affine for what is linear, a DisplacementField for
    displacements and coordinates, whose field is `fields[transform.path]`. With `fixed` and `moving`,
    the images between which it leads, orientation is taken into account."""
    if getattr(transform, "type", None) in ("displacements", "coordinates"):
        from ._itk_field import field_of, ngff_displacement_field_to_itk_transform

        return ngff_displacement_field_to_itk_transform(transform, field_of(transform, fields), dims,
                                                        fixed=fixed, moving=moving)
    frames = frames_of(fixed, moving, dims)
    matrix, offset = spatial_parts(transform, dims)
    if frames is not None:
        matrix, offset = frames.to_physical(matrix, offset)
    n = len(offset)
    return [itk_transform("Affine", n, np.concatenate([matrix.ravel(), offset]), np.zeros(n))]


def itk_transform(name, n, parameters, fixed):
    """An itkwasm Transform."""
    try:
        from itkwasm import FloatTypes, Transform, TransformParameterizations, TransformType
    except ImportError as error:
        raise ImportError("transforms of ITK are made with the package itkwasm, which is not "
                          "installed") from error
    kind = TransformType(transformParameterization=TransformParameterizations(name),
                         parametersValueType=FloatTypes(parameters.dtype.name), inputDimension=n,
                         outputDimension=n)
    return Transform(transformType=kind, name=f"{name}Transform", numberOfParameters=parameters.size,
                     numberOfFixedParameters=fixed.size, parameters=parameters, fixedParameters=fixed)
