"""Images of ITK and NgffImages. ITK's objects are known by what they have, not by their class: an
itkwasm Image, its dictionary, an itk.Image and a SimpleITK image."""

import sys
from collections.abc import Mapping
from types import SimpleNamespace

import numpy as np

from ._image import NgffImage
from ._orientation import (anatomical_orientation_to_itk_direction,
                           itk_direction_to_anatomical_orientation)

_DIMS = {1: ("x",), 2: ("y", "x"), 3: ("z", "y", "x"), 4: ("t", "z", "y", "x"),
         5: ("t", "c", "z", "y", "x")}
_COMPONENTS = {"int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32",
               "float64"}
_NO_IMAGE = "Could not import itk or itkwasm or input is not itk.Image or itkwasm.Image"


def itk_image_to_ngff_image(itk_image, add_anatomical_orientation=True):
    """An ITK image as an NgffImage over the same pixels. Components become the axis "c", behind the
    others as in memory; spacing and origin become scale and translation; the axes of the direction
    matrix that are nearest to an anatomical direction give the orientation."""
    parts = image_parts(itk_image)
    if parts is None:
        raise RuntimeError(_NO_IMAGE)
    dimension = len(parts.spacing)
    if dimension not in _DIMS:
        raise ValueError(f"an ITK image of {dimension} dimensions: 1 to 5 are read")
    dims = _DIMS[dimension]
    back = dims[::-1]
    turns = None
    if add_anatomical_orientation:
        columns = {d: _padded(parts.direction[:3, n]) for n, d in enumerate(back)}
        turns = {d: itk_direction_to_anatomical_orientation(columns[d]) for d in dims if d in "zyx"}
    names = dims + ("c",) if parts.data.ndim > dimension else dims
    return NgffImage(data=parts.data, dims=names, scale=_by_dim(dims, parts.spacing),
                     translation=_by_dim(dims, parts.origin), axes_orientations=turns)


def _by_dim(dims, values):
    return {d: float(v) for d, v in zip(dims, values[::-1])}


def _padded(column):
    return [*column.tolist(), 0.0, 0.0][:3]


def image_parts(image):
    """data (components last), spacing, origin and direction of an ITK image, in ITK's order; None for
    what is none. Pixels are not copied."""
    if isinstance(image, Mapping) and "imageType" in image:
        image = SimpleNamespace(**image)
    if all(hasattr(image, name) for name in ("imageType", "origin", "spacing", "data")):
        return _wasm_parts(image)
    if all(hasattr(image, name) for name in ("GetSpacing", "GetOrigin", "GetDirection")):
        return _native_parts(image)
    return None


def _member(item, name, default=None):
    return item.get(name, default) if isinstance(item, Mapping) else getattr(item, name, default)


def _wasm_parts(image):
    dimension = int(_member(image.imageType, "dimension"))
    components = int(_member(image.imageType, "components", 1) or 1)
    data = image.data
    if data is None:
        raise ValueError("the ITK image has no pixels")
    if not hasattr(data, "shape") or not hasattr(data, "ndim"):
        data = np.asarray(data)  # of an array type of another language, or a list
    if data.ndim < dimension or (data.ndim == 1 and components > 1):
        tail = (components,) if components > 1 else ()
        data = data.reshape((*[int(n) for n in image.size][::-1], *tail))
    region = getattr(image, "bufferedRegion", None)
    start = _member(region, "index") if region is not None else None
    return _parts(data, image, start, dimension)


def _native_parts(image):
    """Of an itk.Image or a SimpleITK.Image; their modules are loaded, or there were no such image."""
    if hasattr(image, "GetBufferedRegion"):
        region = image.GetBufferedRegion()
        data = np.asarray(sys.modules["itk"].array_view_from_image(image))
        start = [int(n) for n in region.GetIndex()]
    else:
        data, start = sys.modules["SimpleITK"].GetArrayViewFromImage(image), None
    found = SimpleNamespace(spacing=list(image.GetSpacing()), origin=list(image.GetOrigin()),
                            direction=np.asarray(image.GetDirection(), dtype=float))
    return _parts(data, found, start, len(found.spacing))


def _parts(data, found, start, dimension):
    if data.ndim not in (dimension, dimension + 1):
        raise ValueError(f"an ITK image of {dimension} dimensions has pixels of {data.ndim}")
    spacing = np.asarray(found.spacing, dtype=float)
    origin = np.asarray(found.origin, dtype=float)
    direction = getattr(found, "direction", None)
    direction = np.eye(dimension) if direction is None or np.size(direction) == 0 else \
        np.asarray(direction, dtype=float).reshape(dimension, dimension)
    if start is not None and any(start):  # ITK's origin is that of index 0
        origin = origin + direction @ (spacing * np.asarray(start, dtype=float))
    return SimpleNamespace(data=data, spacing=spacing, origin=origin, direction=direction)


def ngff_image_to_itk_image(ngff_image, wasm=True, t_index=None, c_index=None):
    """An itkwasm Image, or an itk.Image with `wasm=False`. The axis "c" becomes the components of a
    pixel; `t_index` and `c_index` take one of theirs, and only that one is read. ITK's physical axes
    are x, y, z: pixels with their axes in another order are put into that one."""
    data, dims = ngff_image.data, list(ngff_image.dims)
    for dim, index in (("t", t_index), ("c", c_index)):
        if index is not None and dim in dims:
            at = dims.index(dim)
            data = _taken(data, at, dim, index)
            dims.pop(at)
    data = np.asarray(data)
    vector = "c" in dims
    if vector:
        data = np.moveaxis(data, dims.index("c"), -1)
        dims.remove("c")
    order = sorted(range(len(dims)), key=lambda n: "tzyx".find(dims[n]))  # others are slowest
    data, dims = data.transpose(*order, *range(len(dims), data.ndim)), [dims[n] for n in order]
    data = np.ascontiguousarray(data, dtype=data.dtype.newbyteorder("="))
    if data.dtype.name not in _COMPONENTS:
        raise ValueError(f"Unsupported dtype {data.dtype}")
    back = dims[::-1]
    place = {"spacing": [ngff_image.scale.get(d, 1.0) for d in back],
             "origin": [ngff_image.translation.get(d, 0.0) for d in back],
             "direction": direction_matrix(ngff_image, back)}
    return (_wasm_image if wasm else _native_image)(data, vector, place, ngff_image.name)


def _taken(data, axis, dim, index):
    count = data.shape[axis]
    if not -count <= index < count:
        raise IndexError(f"Index {index} is out of bounds for axis {dim!r} of {count}")
    return data[tuple(index if n == axis else slice(None) for n in range(data.ndim))]


def direction_matrix(image, back):
    """The direction matrix that RFC-4 orientations describe; the identity where they do not describe
    one. `back`: the image's axes in ITK's order."""
    turns = image.axes_orientations or {}
    space = [d for d in back if d in "xyz"]
    columns = [anatomical_orientation_to_itk_direction(getattr(turns.get(d), "value", None))
               for d in space]
    matrix = np.eye(len(back))
    if not columns or any(column is None for column in columns):
        return matrix
    # Axes of a turned plane may leave the plane, and two axes may claim one direction.
    block = np.array(columns).T[: len(space)]
    if abs(np.linalg.det(block)) != 1.0:
        return matrix
    at = [n for n, d in enumerate(back) if d in "xyz"]
    matrix[np.ix_(at, at)] = block
    return matrix


def _wasm_image(data, vector, place, name):
    try:
        from itkwasm import Image, ImageType
    except ImportError as error:
        raise ImportError("ngff_image_to_itk_image needs the package itkwasm, or itk with "
                          "wasm=False") from error
    dimension = data.ndim - vector
    kind = ImageType(dimension=dimension, componentType=data.dtype.name,
                     pixelType="VariableLengthVector" if vector else "Scalar",
                     components=data.shape[-1] if vector else 1)
    return Image(imageType=kind, name=name, size=list(data.shape[:dimension][::-1]), data=data, **place)


def _native_image(data, vector, place, _name):
    try:
        import itk
    except ImportError as error:
        raise ImportError("ngff_image_to_itk_image with wasm=False needs the package itk") from error
    image = itk.image_from_array(data, is_vector=vector)
    image.SetSpacing([float(v) for v in place["spacing"]])
    image.SetOrigin([float(v) for v in place["origin"]])
    image.SetDirection(place["direction"])
    return image
