"""Transforms of ITK as transformations of OME-Zarr 0.6 (RFC-5): what is linear becomes the simplest
transformation that says the same. Transforms are known by what they have: itkwasm's dataclass, its
dictionary, lists of them, and those of itk and SimpleITK."""

from collections.abc import Mapping
from types import SimpleNamespace

import numpy as np

from ._itk_frames import frames_of, itk_order, spatial, to_dims
from ._itk_parameters import decode
from ._transforms import Affine, Identity, Scale, TransformSequence, Translation

_FIELD = ("a displacement field has no affine equivalent; convert it with "
          "itk_displacement_field_to_ngff_transform, which returns the 'displacements' transform and "
          "the field to write next to the image")
_COMPOSITE = ("a 'Composite' entry in an ITK-Wasm transform list cannot be decoded: its children are "
              "not within it. Pass the native itk.Transform, or the children without the entry that "
              "heads them.")
_ENTRY = ("transform list entry is a {}, not an itkwasm.Transform. A list of native itk.Transform "
          "objects is not an ITK-Wasm transform list: compose them into an itk.CompositeTransform, or "
          "pass a single itk.Transform.")
_INPUT = ("unsupported transform input {}. Expected an itk.Transform, an itkwasm.Transform, or an "
          "ITK-Wasm TransformList.")


def wasm_transform(item):
    """An itkwasm Transform or its dictionary, with attributes; None for anything else."""
    if isinstance(item, Mapping):
        item = SimpleNamespace(**item)
    kind = getattr(item, "transformType", None)
    if kind is None or not hasattr(item, "parameters"):
        return None
    if isinstance(kind, Mapping):
        kind = SimpleNamespace(**kind)
    name = kind.transformParameterization
    return SimpleNamespace(name=str(getattr(name, "value", name)), kind=kind, item=item,
                           parameters=_numbers(item.parameters),
                           fixed=_numbers(getattr(item, "fixedParameters", None)))


def _numbers(values):
    return np.zeros(0) if values is None else np.asarray(values).ravel()


def is_native(item):
    """Whether it is a transform of itk or SimpleITK."""
    return hasattr(item, "TransformPoint") and hasattr(item, "IsLinear")


def wasm_list(transform):
    """The entries of a transform or list of ITK-Wasm; None when it is neither."""
    if not isinstance(transform, (list, tuple)):
        one = wasm_transform(transform)
        return None if one is None else [one]
    entries = [wasm_transform(item) for item in transform]
    for item, entry in zip(transform, entries):
        if entry is None:
            raise TypeError(_ENTRY.format(type(item).__name__))
    return entries


def matrix_offset(transform, n):
    """(matrix, offset) of a linear transform over n axes, in ITK's order."""
    if is_native(transform):
        return _native_matrix(transform, n)
    entries = wasm_list(transform)
    if entries is None:
        raise TypeError(_INPUT.format(type(transform).__name__))
    if not entries:
        raise ValueError("transform list is empty")
    matrix, offset = np.eye(n), np.zeros(n)
    for entry in reversed(entries):  # the last one is applied first
        if entry.name == "Composite":
            raise NotImplementedError(_COMPOSITE)
        if entry.name == "DisplacementField":
            raise NotImplementedError(_FIELD)
        step, shift = decode(entry, n)
        matrix, offset = step @ matrix, step @ offset + shift
    return matrix, offset


def _native_matrix(transform, n):
    """Asked at the origin and one step along each axis; then one point more shows that it is linear."""
    name = type(transform).__name__
    if hasattr(transform, "GetDisplacementField"):
        raise NotImplementedError(_FIELD)
    if hasattr(transform, "GetDimension"):
        found = [int(transform.GetDimension())] * 2
    else:
        found = [int(transform.GetInputSpaceDimension()), int(transform.GetOutputSpaceDimension())]
    if found != [n, n]:
        raise ValueError(f"{name} maps {found[0]}D to {found[1]}D, but the coordinate system has {n} "
                         "spatial axes")
    if not transform.IsLinear():
        raise NotImplementedError("only linear ITK transforms can be expressed as an RFC-5 affine; "
                                  f"{name} is not linear")
    if hasattr(transform, "GetMatrix") and hasattr(transform, "GetOffset"):
        matrix = np.asarray(transform.GetMatrix(), dtype=float).reshape(n, n)
        return matrix, np.asarray(list(transform.GetOffset()), dtype=float)

    def ask(point):
        return np.array(list(transform.TransformPoint([float(v) for v in point])), dtype=float)

    offset = ask(np.zeros(n))
    matrix = np.array([ask(column) - offset for column in np.eye(n)]).T
    point = np.arange(1.0, n + 1) * 7.0
    expected = matrix @ point + offset
    if not np.allclose(ask(point), expected, rtol=1e-5, atol=1e-5 * (1 + abs(offset).max())):
        raise NotImplementedError("only linear ITK transforms can be expressed as an RFC-5 affine; "
                                  f"{name} does not map {point.tolist()} as its affine would")
    return matrix, offset


def itk_transform_to_ngff_matrix(transform, dims, *, fixed=None, moving=None):
    """(matrix, offset) of a linear ITK transform over the spatial axes of `dims`, in their order."""
    order, frames = to_dims(dims), frames_of(fixed, moving, dims)
    matrix, offset = matrix_offset(transform, len(itk_order(dims)))
    if not (np.isfinite(matrix).all() and np.isfinite(offset).all()):
        raise ValueError(f"{type(transform).__name__} does not describe a finite affine mapping; its "
                         "matrix or offset holds a non-finite value")
    if frames is not None:
        matrix, offset = frames.to_intrinsic(matrix, offset)
    return matrix[np.ix_(order, order)], offset[order]


def itk_transform_to_ngff_transform(transform, dims, simplify=True, *, fixed=None, moving=None):
    """A linear ITK transform as a transformation over `dims`, whose other axes stay as they are.

    `simplify`: identity, translation, scale or a sequence of scale and translation where that says
    exactly the same; otherwise, and always without it, an affine. With `fixed` and `moving`, the
    images that the transform leads between, their orientation is taken into account; without, it is
    exact only when neither has one."""
    dims = tuple(dims)
    matrix, offset = itk_transform_to_ngff_matrix(transform, dims, fixed=fixed, moving=moving)
    whole, shift = np.eye(len(dims)), np.zeros(len(dims))
    at = [n for n, d in enumerate(dims) if d in spatial(dims)]
    whole[np.ix_(at, at)], shift[at] = matrix, offset
    simple = _simplest(whole, shift) if simplify else None
    return simple or Affine(affine=np.column_stack([whole, shift]).tolist())


def _simplest(matrix, offset):
    scale = np.diag(matrix)
    if np.any(matrix != np.diag(scale)) or np.any(scale <= 0):  # a scale is positive
        return None
    moved, scaled = np.any(offset != 0), np.any(scale != 1)
    steps = [Scale(scale=scale.tolist())] if scaled else []
    steps += [Translation(translation=offset.tolist())] if moved else []
    if len(steps) < 2:
        return steps[0] if steps else Identity()
    return TransformSequence(transformations=steps)
