"""The names of the downsampling methods, as the seed has them."""

from enum import Enum


class Methods(Enum):
    """How a coarser level is made from a finer one.

    The Gaussian names share one registered filter, the bin-shrink names one mean of blocks; the two
    label names are the most frequent value of a block."""

    ITKWASM_GAUSSIAN = "itkwasm_gaussian"
    ITKWASM_BIN_SHRINK = "itkwasm_bin_shrink"
    ITKWASM_LABEL_IMAGE = "itkwasm_label_image"
    ITK_GAUSSIAN = "itk_gaussian"
    ITK_BIN_SHRINK = "itk_bin_shrink"
    DASK_IMAGE_GAUSSIAN = "dask_image_gaussian"
    DASK_IMAGE_MODE = "dask_image_mode"
    DASK_IMAGE_NEAREST = "dask_image_nearest"
    DASK_BIN_SHRINK = "dask_bin_shrink"


methods = [(member.name, member.value) for member in Methods]
methods_values = [member.value for member in Methods]


def method_of(name):
    """The member that is called so, or None."""
    return next((member for member in Methods if member.value == name), None)


def method_name(method):
    """Text of a `Methods` member (ours or another library's) or of a plain name."""
    return "itkwasm_gaussian" if method is None else str(getattr(method, "value", method))
