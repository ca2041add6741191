"""Fields of displacements: ITK's, a vector image of x, y, z differences of physical points, and those
of OME-Zarr 0.6 (RFC-5), an image whose first axis holds the components in the order of the others.

Both directions follow from one equation. A point q of the fixed image's intrinsic system lies at
p = phi(q) in physical space, its partner q' of the moving image at phi'(q'), and ITK's vector is
v = phi'(q') - phi(q), RFC-5's d = q' - q (or q' itself, for coordinates)."""

import warnings

import numpy as np

from ._image import NgffImage, axis_type
from ._itk_frames import frames_of, itk_order, to_dims
from ._itk_image import direction_matrix, image_parts
from ._itk_linear import itk_transform
from ._itk_transform import wasm_list
from ._transforms import Displacements

_COMPONENTS = {"displacements": "displacement", "coordinates": "coordinate"}
_INPUT = ("unsupported displacement field input {}. Expected an itk.DisplacementFieldTransform, a vector "
          "itk.Image, an itkwasm.Image, or an ITK-Wasm 'DisplacementField' transform.")
_ORIENTED = ("the field carries an anatomical orientation, so its grid cannot be placed in ITK physical "
             "space on its own; pass the fixed and moving images. resample_bounding_box and resample "
             "take none with a field, because they work on the intrinsic systems: call "
             "ngff_transform_to_itk_transform with both images and hand them the ITK transform it "
             "returns.")


def check_dims(dims):
    dims = tuple(dims)
    other = [d for d in dims if d not in ("x", "y", "z")]
    if other or not dims:
        raise ValueError(f"a displacement field is defined on spatial axes only; dims {dims} name "
                         f"{other or 'none'}. ITK has no notion of a time or channel axis, and RFC-5 "
                         "requires one field dimension per input axis.")
    if len(set(dims)) != len(dims):
        raise ValueError(f"dims {dims} name an axis twice")
    return dims


# ---- the arithmetic -------------------------------------------------------------------------------


def convert_itk_field_block(values, dims, *, translation, spacing, fixed=None, moving=None,
                            transform_type="displacements", inverse=False):
    """A block of a field, (components, *block) with its axes as `dims`, from ITK's convention to that
    of RFC-5, or back. `translation` is where its first point lies in the fixed image's intrinsic
    system, `spacing` the field's scale, both in the order of `dims`. Blocks give what the whole
    gives."""
    if transform_type not in _COMPONENTS:
        raise ValueError(f"transform_type must be 'displacements' or 'coordinates', got "
                         f"{transform_type!r}")
    dims, values = check_dims(dims), np.asarray(values)
    if values.shape[0] != len(dims):
        raise ValueError(f"the block holds {values.shape[0]} components per point, but dims {dims} name "
                         f"{len(dims)} axes")
    if values.ndim != len(dims) + 1:
        raise ValueError(f"the block has shape {values.shape}; dims {dims} need one component axis and "
                         f"{len(dims)} spatial axes")
    if not len(translation) == len(spacing) == len(dims):
        raise ValueError(f"translation and spacing give {len(translation)} and {len(spacing)} values for "
                         f"the {len(dims)} axes dims {dims} name")
    frames = frames_of(fixed, moving, dims)
    kind = values.dtype if values.dtype.kind == "f" or _plain(frames, transform_type) else np.dtype("f8")
    convert = _to_itk if inverse else _from_itk
    done = convert(values, dims, (translation, spacing), frames, transform_type)
    return np.ascontiguousarray(done, dtype=kind)


def _plain(frames, transform_type):
    """Whether vectors only change the order of their components."""
    return transform_type == "displacements" and (frames is None or frames.same)


def _points(place, shape, dims):
    """The intrinsic points of a grid, components in ITK's order, as arrays that broadcast."""
    axes = [start + step * np.arange(count)
            for start, step, count in zip(*place, shape)]
    grid = np.meshgrid(*axes, indexing="ij", sparse=True)
    return [grid[dims.index(d)] for d in itk_order(dims)]


def _mixed(matrix, vectors):
    return np.einsum("ij,j...->i...", matrix, vectors)


def _stacked(points, shape):
    return np.stack([np.broadcast_to(p, shape) for p in points])


def _from_itk(vectors, dims, place, frames, transform_type):
    order, shape = to_dims(dims), vectors.shape[1:]
    if _plain(frames, transform_type):
        return vectors[order]
    q, vectors = _stacked(_points(place, shape, dims), shape), vectors.astype("f8")
    if frames is not None and not frames.same:
        back = np.linalg.inv(frames.turn_out)
        start = [_column(o, shape) for o in (frames.origin_in, frames.origin_out)]
        away = start[0] + _mixed(frames.turn_in, q - start[0]) - start[1]
        vectors = start[1] + _mixed(back, away + vectors) - q
    return (vectors + q if transform_type == "coordinates" else vectors)[order]


def _to_itk(stored, dims, place, frames, transform_type):
    order, shape = np.argsort(to_dims(dims)), stored.shape[1:]
    vectors = stored[order]
    if _plain(frames, transform_type):
        return vectors
    q, vectors = _stacked(_points(place, shape, dims), shape), vectors.astype("f8")
    if transform_type == "coordinates":
        vectors = vectors - q
    if frames is not None and not frames.same:
        start = [_column(o, shape) for o in (frames.origin_in, frames.origin_out)]
        here = start[0] + _mixed(frames.turn_in, q - start[0])
        vectors = start[1] + _mixed(frames.turn_out, q + vectors - start[1]) - here
    return vectors


def _column(vector, shape):
    return np.asarray(vector).reshape(-1, *(1,) * len(shape))


# ---- from ITK -------------------------------------------------------------------------------------


def itk_displacement_field_to_ngff_transform(transform, dims, *, path, fixed=None, moving=None):
    """(transformation, field): the field is an image to be written at `path`, relative to the group of
    the image that the transformation stands in. `fixed` and `moving`: the images that it relates."""
    dims = check_dims(dims)
    frames = frames_of(fixed, moving, dims)
    vectors, origin, spacing, direction = _decoded(transform)
    n = len(spacing)
    if n != len(dims):
        raise ValueError(f"the field has {n} components over {n} dimensions, but dims {dims} name "
                         f"{len(dims)} axes")
    origin = _check_direction(direction, origin, frames)
    back = itk_order(dims)
    at = [back.index(d) for d in dims]
    place = [[float(values[i]) for i in at] for values in (origin, spacing)]
    # Its memory order is z, y, x, components, whatever the order of dims.
    block = np.moveaxis(vectors, -1, 0).transpose(0, *[n - i for i in at])
    field = convert_itk_field_block(block, dims, translation=place[0], spacing=place[1], fixed=fixed,
                                    moving=moving)
    image = NgffImage(data=field, dims=("c", *dims), scale={"c": 1.0, **dict(zip(dims, place[1]))},
                      translation={"c": 0.0, **dict(zip(dims, place[0]))}, name=path,
                      axes_types={"c": "displacement"},
                      axes_units=_of_fixed(fixed, "axes_units", dims),
                      axes_orientations=_of_fixed(fixed, "axes_orientations", dims))
    return Displacements(path=path, interpolation="linear"), image


def _of_fixed(fixed, name, dims):
    values = getattr(fixed, name, None) or {}
    return {d: values[d] for d in dims if d in values} or None


def _check_direction(direction, origin, frames):
    """The field's origin in the intrinsic system; its scale and translation can say no direction."""
    if frames is None:
        if not np.allclose(direction, np.eye(len(direction))):
            raise ValueError("the field's grid has a non-identity direction matrix, which its scale and "
                             "translation cannot express. Pass the fixed and moving images so it is read "
                             "against the fixed image's orientation, or resample the field onto the "
                             "fixed grid.")
        return origin
    if not np.allclose(direction, frames.turn_in):
        raise ValueError(f"the field's grid is not oriented like the fixed image: its direction is "
                         f"{direction.tolist()} where the fixed image gives {frames.turn_in.tolist()}. "
                         "Resample the field onto the fixed grid first.")
    return frames.origin_in + np.linalg.inv(frames.turn_in) @ (origin - frames.origin_in)


def _decoded(transform):
    """Vectors (z, y, x, components), origin, spacing, direction of a field, in ITK's order."""
    if hasattr(transform, "GetDisplacementField"):
        transform = transform.GetDisplacementField()
    parts = image_parts(transform)
    if parts is not None:
        n, found = len(parts.spacing), parts.data.shape[len(parts.spacing):]
        if found != (n,):
            raise ValueError(f"a displacement field over {n} dimensions needs {n} components per pixel; "
                             f"got {found[0] if found else 1}")
        return np.asarray(parts.data), parts.origin, parts.spacing, parts.direction
    if isinstance(transform, (list, tuple)) and len(transform) != 1:
        raise ValueError(f"expected a single displacement field, got a transform list of "
                         f"{len(transform)} entries. A registration that chains an affine and a field is "
                         "not converted as one transform.")
    entries = wasm_list(transform)
    if entries is None:
        raise TypeError(_INPUT.format(type(transform).__name__))
    if entries[0].name != "DisplacementField":
        raise ValueError(f"expected an ITK-Wasm 'DisplacementField' transform, got {entries[0].name!r}. "
                         "Linear transforms are converted by itk_transform_to_ngff_transform.")
    return field_parts(entries[0])


def field_parts(entry):
    """The same of an entry of an ITK-Wasm list."""
    n, fixed = int(entry.kind.inputDimension), entry.fixed.astype(float)
    if fixed.size != n * (n + 3):
        raise ValueError(f"an ITK-Wasm 'DisplacementField' transform of dimension {n} packs size, "
                         f"origin, spacing and direction into {n * (n + 3)} fixed parameters; got "
                         f"{fixed.size}")
    size = [int(v) for v in fixed[:n]]
    if entry.parameters.size != int(np.prod(size)) * n:
        raise ValueError(f"an ITK-Wasm 'DisplacementField' transform over a grid of size {size} holds "
                         f"{int(np.prod(size)) * n} parameters; got {entry.parameters.size}")
    return (entry.parameters.reshape(*size[::-1], n), fixed[n : 2 * n], fixed[2 * n : 3 * n],
            fixed[3 * n :].reshape(n, n))


# ---- to ITK ---------------------------------------------------------------------------------------


def field_of(transform, fields):
    """The field that a transformation points at, among those the caller gave."""
    if transform.path not in (fields or {}):
        raise ValueError(f"the {transform.type} transform points at {transform.path!r}, but no field was "
                         f"passed for it (fields given: {sorted(fields or {})}). Load it with "
                         f'from_ome_zarr(f"{{store}}/{transform.path}") and pass '
                         f"fields={{{transform.path!r}: field}}.")
    return fields[transform.path]


def _axis_types(field, image):
    """{axis: its type}; of levels that were read it may stand in the metadata alone."""
    types = {d: axis_type(d) for d in image.dims}
    metadata = getattr(field, "metadata", None)
    systems = getattr(metadata, "coordinateSystems", None) or ()
    for axes in [*(system.axes for system in systems), getattr(metadata, "axes", None) or ()]:
        types.update({axis.name: axis.type for axis in axes if axis.name in types and axis.type})
    types.update(image.axes_types or {})
    return {d: str(getattr(kind, "value", kind)) for d, kind in types.items()}


def field_image(transform, field, dims):
    """The field as one image (of levels the finest), its axes compared with `dims`."""
    image = field.images[0] if hasattr(field, "images") else field
    if not hasattr(image, "axes_types"):
        raise TypeError(f"a field is an NgffImage or NgffMultiscales, not {type(image).__name__}")
    word, types = _COMPONENTS[transform.type], _axis_types(field, image)
    components = [d for d in image.dims if types[d] == word]
    if len(components) != 1:
        raise ValueError(f"the field image must have exactly one axis of type {word!r} (axes_types on an "
                         "NgffImage, the axes metadata of a multiscales); got "
                         f"{components or 'none'} on dims {tuple(image.dims)}")
    if tuple(image.dims) != (components[0], *dims):
        raise ValueError(f"the field's dims are {tuple(image.dims)}; a {transform.type} transform over "
                         f"dims {dims} needs {(components[0], *dims)}: the component axis first, then "
                         "the input axes in order")
    if image.data.shape[0] != len(dims):
        raise ValueError(f"the field holds {image.data.shape[0]} components per point, but dims {dims} "
                         f"name {len(dims)} axes")
    return image


def _grid_turn(image, frames, back):
    """The direction of the field's grid in physical space."""
    own = direction_matrix(image, back)
    straight = np.array_equal(own, np.eye(len(back)))
    if frames is None:
        if not straight:
            raise ValueError(_ORIENTED)
        return own
    if not straight and not np.allclose(own, frames.turn_in):
        raise ValueError(f"the field's orientation is not the fixed image's: it gives {own.tolist()} "
                         f"where the fixed image gives {frames.turn_in.tolist()}")
    return frames.turn_in


def ngff_displacement_field_to_itk_transform(transform, field, dims, *, fixed=None, moving=None):
    """A list of one itkwasm Transform, a DisplacementField, for displacements or coordinates and their
    field: an NgffImage, or levels of which the finest counts."""
    dims = check_dims(dims)
    frames, back = frames_of(fixed, moving, dims), itk_order(dims)
    image = field_image(transform, field, dims)
    turn = _grid_turn(image, frames, back)
    if transform.interpolation not in (None, "linear"):
        warnings.warn(f"the {transform.type} transform asks for {transform.interpolation!r} "
                      "interpolation; ITK interpolates a displacement field linearly.", stacklevel=2)
    stored = np.asarray(image.data)
    if stored.dtype.name not in ("float32", "float64"):
        stored = stored.astype("f8")
    place = [[float(values.get(d, default)) for d in dims]
             for values, default in ((image.translation, 0.0), (image.scale, 1.0))]
    vectors = _to_itk(stored, dims, place, frames, transform.type)
    origin, spacing = ([values[dims.index(d)] for d in back] for values in place)
    if frames is not None:
        origin = frames.origin_in + frames.turn_in @ (np.array(origin) - frames.origin_in)
    zyx = [dims.index(d) + 1 for d in back[::-1]]
    parameters = np.ascontiguousarray(vectors.transpose(*zyx, 0)).ravel()
    size = [image.data.shape[dims.index(d) + 1] for d in back]
    grid = np.concatenate([size, origin, spacing, turn.ravel()]).astype("f8")
    return [itk_transform("DisplacementField", len(dims), parameters, grid)]
