"""Transformations from and to the JSON of OME-Zarr 0.6."""

from dataclasses import fields, is_dataclass

from ._systems import identifier_from_json
from ._transforms import (Affine, Bijection, ByDimension, ByDimensionItem, Coordinates, Displacements,
                          Identity, MapAxis, ProjectAxis, Rotation, Scale, TransformSequence, Translation,
                          validate_transform)

# Names of ngff-zarr 0.43, which are read and not written.
_OLD_ITEM_KEYS = {"input_axes": "inputAxes", "output_axes": "outputAxes"}
_PLAIN = {
    "scale": (Scale, ("scale",), ()),
    "translation": (Translation, ("translation",), ()),
    "rotation": (Rotation, (), ("rotation", "path")),
    "affine": (Affine, (), ("affine", "path")),
    "coordinates": (Coordinates, ("path",), ("interpolation",)),
    "displacements": (Displacements, ("path",), ("interpolation",)),
    "mapAxis": (MapAxis, ("mapAxis",), ()),
    "projectAxis": (ProjectAxis, (), ("droppedInputs", "createdOutputs")),
}


def _required(data, keys, what):
    missing = [key for key in keys if key not in data]
    if missing:
        raise ValueError(f"{what} lacks the required {', '.join(missing)}")


def _plain(kind, data):
    cls, needed, optional = _PLAIN[kind]
    _required(data, needed, f"{kind} transformation")
    if kind in ("rotation", "affine"):
        # The matrix is here or in the array at `path`.
        _required(data, () if "path" in data else (kind,), f"{kind} transformation")
        return cls(**{kind: data.get(kind), "path": data.get("path")})
    return cls(**{key: data[key] for key in (*needed, *optional) if key in data})


def item_from_json(data, systems=None, version=None):
    """An item of a byDimension transformation."""
    for old, new in _OLD_ITEM_KEYS.items():
        if old in data and new not in data:
            data = {**data, new: data[old]}
    _required(data, ("transformation", "inputAxes", "outputAxes"), "byDimension item")
    return ByDimensionItem(transform_from_json(data["transformation"], systems, version),
                           list(data["inputAxes"]), list(data["outputAxes"]))


def _parsed(kind, data, systems, version):
    if kind == "identity":
        return Identity()
    if kind in _PLAIN:
        return _plain(kind, data)
    if kind == "bijection":
        _required(data, ("forward", "inverse"), "bijection transformation")
        return Bijection(forward=transform_from_json(data["forward"], systems, version),
                         inverse=transform_from_json(data["inverse"], systems, version))
    _required(data, ("transformations",), f"{kind} transformation")
    if kind == "byDimension":
        return ByDimension(transformations=[item_from_json(item, systems, version)
                                            for item in data["transformations"]])
    return TransformSequence(transformations=transforms_from_json(data["transformations"], systems,
                                                                  version))


def transform_from_json(data, systems=None, version=None):
    """One transformation, with all within it; ValueError where a rule of RFC-5 is broken."""
    kind = data.get("type") if isinstance(data, dict) else None
    if kind not in (*_PLAIN, "identity", "bijection", "byDimension", "sequence"):
        raise ValueError(f"Unsupported transform type: {kind}")
    transform = _parsed(kind, data, systems, version)
    transform.input = identifier_from_json(data.get("input"))
    transform.output = identifier_from_json(data.get("output"))
    if data.get("name") is not None:
        transform.name = data["name"]
    validate_transform(transform, systems, version)
    return transform


def transforms_from_json(items, systems=None, version=None):
    """`coordinateTransformations` of a document as objects."""
    return [transform_from_json(item, systems, version) for item in items or ()]


def to_json(value):
    """An object of this model or of ngff-zarr's as JSON: what is None is left out."""
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)) or hasattr(value, "tolist") and getattr(value, "ndim", 0):
        return [to_json(item) for item in (value if isinstance(value, (list, tuple)) else value.tolist())]
    if hasattr(value, "item"):  # a NumPy scalar
        return value.item()
    return getattr(value, "value", value)
