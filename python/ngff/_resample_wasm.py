"""What itkwasm-downsample does for resampling: interpolators other than the linear and the nearest, and
transforms that are not known here."""

import numpy as np


def _package(what):
    try:
        import itkwasm_downsample
    except ImportError as error:
        raise ImportError(f"{what} needs the package itkwasm-downsample, which is not "
                          "installed") from error
    return itkwasm_downsample


def transform_list(transform):
    """itkwasm Transforms, from them or their dictionaries."""
    from itkwasm import Transform

    items = transform if isinstance(transform, (list, tuple)) else [transform]
    return [Transform(**item) if isinstance(item, dict) else item for item in items]


def itk_image(data, grid):
    """An image over a grid; without pixels (an empty `data`) it stands for its place."""
    from itkwasm import Image, ImageType

    return Image(imageType=ImageType(dimension=len(grid.size), componentType=data.dtype.name,
                                     pixelType="Scalar"),
                 size=[int(v) for v in grid.size], origin=[float(v) for v in grid.origin],
                 spacing=[float(v) for v in grid.spacing], direction=np.array(grid.turn), data=data)


def stage_transform(stage, held):
    """A stage as an itkwasm Transform; of a field the part that is held."""
    from ._itk_linear import itk_transform

    n = len(stage.offset if held is None else stage.grid.size)
    if held is None:
        return itk_transform("Affine", n, np.concatenate([stage.matrix.ravel(), stage.offset]),
                             np.zeros(n))
    vectors, first = held
    grid = stage.grid
    place = np.concatenate([vectors.shape[:0:-1], grid.point(first), grid.spacing, grid.turn.ravel()])
    parameters = np.ascontiguousarray(np.moveaxis(vectors, 0, -1)).ravel().astype("f8", copy=False)
    return itk_transform("DisplacementField", n, parameters, place)


def resampled(pixels, moving, block, transform, options):
    """`block`, a grid, of `pixels` that lie on the grid `moving`."""
    interpolator, default = options
    package = _package(f"the interpolator {interpolator!r} or this transform")
    made = package.resample_to_reference(
        itk_image(pixels, moving), itk_image(np.zeros(0, pixels.dtype), block),
        transform=transform_list(transform), interpolator=interpolator, default_value=float(default))
    return np.asarray(made.data)


def bounding_box(transform, fixed, moving, padding):
    """(start, size, corners) of two grids, in ITK's order; the boundary is walked."""
    package = _package("the region of this transform")
    places = [itk_image(np.zeros(0, "u1"), grid) for grid in (fixed, moving)]
    found = package.resample_bounding_box(transform_list(transform), *places, padding=padding)
    ends = [np.array(found[name][end], dtype=float) for name in ("corners", "paddedCorners")
            for end in ("min", "max")]
    ends[2:] = [np.minimum(*ends[2:]), np.maximum(*ends[2:])]
    return [int(v) for v in found["paddedStartIndex"]], [int(v) for v in found["paddedSize"]], ends
