"""What ngff-zarr's command line offers scripts: which reader a file is for, and reading it. Whatever the
kind, files that the library itself reads are read by it."""

import glob
import os
import pathlib
import re
from enum import Enum

import numpy as np

from ._errors import UnsupportedError
from ._files import file_array, image_of
from ._lazy import LazyArray

conversion_backends = [("NGFF_ZARR", "ngff_zarr"), ("ZARR_ARRAY", "zarr"), ("NIBABEL", "nibabel"),
                       ("ITKWASM", "itkwasm_image_io"), ("ITK", "itk"), ("LIFFILE", "liffile"),
                       ("TIFFFILE", "tifffile"), ("IMAGEIO", "imageio")]
conversion_backends_values = [value for _, value in conversion_backends]
ConversionBackend = Enum("ConversionBackend", conversion_backends)

_ZARR = (".zarr", ".ozx", ".zip")
_NIFTI = (".nii", ".nii.gz")
_ITK = tuple(".bmp .dcm .gipl .gipl.gz .hdf5 .jpg .jpeg .iwi .iwi.cbor .iwi.cbor.zst .mnc .mnc.gz .mnc2 "
             ".mgh .mhz .mha .mhd .mrc .nia .hdr .nrrd .nhdr .png .pic .vtk .aim .isq .fdf .lsm".split())
_LEICA = (".lif", ".lof", ".xlif", ".xlef", ".xlcf")
_TIFF = tuple("." + name for name in "tif tiff lsm stk qpi pcoraw qptiff ptiff ptif gel seq svs avs scn zif "
              "ndpi bif tf8 tf2 btf eer".split())
_ITKWASM_LIMIT = 2e9
# Documents that make a folder a store.
_DOCUMENTS = ("zarr.json", ".zgroup", ".zattrs", ".zarray")


class CliInputError(ValueError, ImportError):
    """An input that cannot be read, or a reader that is not installed."""


def _store_of(path):
    """The store that a path leads into ("plate.zarr" of "plate.zarr/A/1"), else the path."""
    found = list(re.finditer(r"(\.ome\.zarr|\.ozx|\.zarr)(?=/|$)", path.replace("\\", "/")))
    if not found:
        return path
    store, rest = path[:found[-1].end()], path[found[-1].end():].strip("/\\")
    plain = os.path.isdir(store) and not any(
        os.path.exists(os.path.join(store, name)) for name in _DOCUMENTS)
    return path if rest and plain else store


def detect_cli_io_backend(input):
    """The kind of reader for a list of paths, by the first one's name."""
    path = pathlib.Path(input[0])
    if (path / ".zarray").exists():
        return ConversionBackend.ZARR_ARRAY
    name = "".join(pathlib.Path(_store_of(str(input[0]))).suffixes).lower()
    if name.endswith(_ZARR):
        return ConversionBackend.NGFF_ZARR
    if name.endswith(_NIFTI):
        return ConversionBackend.NIBABEL
    if name.endswith(_ITK):
        small = len(input) == 1 and path.is_file() and path.stat().st_size < _ITKWASM_LIMIT
        return ConversionBackend.ITKWASM if small else ConversionBackend.ITK
    if name.endswith(_LEICA):
        return ConversionBackend.LIFFILE
    return ConversionBackend.TIFFFILE if name.endswith(_TIFF) else ConversionBackend.IMAGEIO


class Stack(LazyArray):
    """Files of one shape behind each other along a new first axis, each read when it is needed."""

    def __init__(self, arrays):
        first = arrays[0]
        for array in arrays:
            if (array.shape, array.dtype) != (first.shape, first.dtype):
                raise CliInputError(f"{array.opened[0]}: {array.dtype} {array.shape}, the first of the "
                                    f"files holds {first.dtype} {first.shape}")
        super().__init__((len(arrays), *first.shape), first.dtype, (1, *first.chunksize))
        self.arrays = arrays

    def read_into(self, start, out):
        for i, plane in enumerate(out):
            self.arrays[start[0] + i].read_into(start[1:], plane)


def cli_input_to_ngff_image(backend, input, output_scale=0):
    """The image of a list of paths, as `backend` names their kind."""
    from ._pyramid import to_ngff_image

    name = backend.name
    if name == "NGFF_ZARR":
        from ._read import from_ome_zarr

        return from_ome_zarr(input[0]).images[output_scale]
    if name == "ZARR_ARRAY":
        array = file_array(input[0])
        return to_ngff_image(array)
    if name == "LIFFILE":
        raise CliInputError("Please install the liffile package. (Leica files are not read here.)")
    if name == "NIBABEL":
        try:
            import nibabel
        except ImportError:
            return _native(input)
        from ._nifti import nibabel_image_to_ngff_image

        return nibabel_image_to_ngff_image(nibabel.load(input[0]))
    try:
        return _native(input)
    except UnsupportedError as error:
        return _by_imageio(input, error)


def _natural(path):
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path)]


def _native(input):
    from ._pyramid import to_ngff_image

    paths = [os.fspath(path) for path in input]
    if len(paths) == 1 and glob.has_magic(paths[0]) and not os.path.exists(paths[0]):
        if paths[0].lower().endswith((".tif", ".tiff")):
            return image_of(file_array(paths[0]))
        paths = sorted(glob.glob(paths[0]), key=_natural)
        if not paths:
            raise CliInputError(f"{input[0]}: no file has such a name")
    arrays = [file_array(path, series=0 if _is_tiff(path) else None) for path in paths]
    if len(arrays) == 1 and len(input) == 1:
        return image_of(arrays[0])
    first = arrays[0]
    free = [dim for dim in "zt" if dim not in first.dims]
    if not free:
        raise CliInputError(f"{paths[0]}: files of axes {''.join(first.dims)} cannot be stacked")
    return to_ngff_image(Stack(arrays), dims=(free[0], *first.dims))


def _is_tiff(path):
    with open(path, "rb") as file:
        return file.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def _by_imageio(input, error):
    """What the library does not read itself."""
    from ._pyramid import to_ngff_image

    try:
        import imageio.v3
    except ImportError:
        raise CliInputError(f"{error} Please install the imageio package.") from None
    pixels = np.asarray(imageio.v3.imread(str(input[0])))
    samples = pixels.ndim == 3 and pixels.shape[-1] in (3, 4)
    return to_ngff_image(pixels, dims=("y", "x", "c") if samples else None)
