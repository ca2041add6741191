"""ngff-zarr's modules that are no files here: `from ngff.ngff_image import NgffImage` is what
`from ngff_zarr.ngff_image import NgffImage` was.

Most are named as a function is, and importing a file of that name would put the module in the function's
place. What `sys.modules` holds already is only looked up: these are put there, and answer with the names of
the package, as theirs have the names that they import."""

import sys
from types import ModuleType

FILES = ("hcs", "rfc4", "rfc4_validation", "rfc9_zip", "structural_validation", "v04", "v05", "v06")
NAMES = (
    "axis_type cli_input_to_ngff_image codecs compute_omero config declare_field_transform detect_cli_io_backend "
    "displacement_field_transform from_ngff_zarr itk_image_to_ngff_image itk_transform_to_ngff_transform memory_usage "
    "methods multiscales ngff_image ngff_image_to_itk_image ngff_transform_to_itk_transform "
    "nibabel_image_to_ngff_image resample resample_bounding_box rich_dask_progress scene task_count "
    "tiff_to_ngff_image to_multiscales to_ngff_image to_ngff_zarr upgrade_ome_zarr validate").split()


class Module(ModuleType):
    def __init__(self, package, name):
        super().__init__(f"{package.__name__}.{name}", f"The package's names, as ngff-zarr's {name}.")
        self.__package__ = package.__name__
        self.__spec__ = type(package.__spec__)(self.__name__, None)
        self._package = package

    def __getattr__(self, name):
        if name in self._package.__all__:
            return getattr(self._package, name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __dir__(self):
        return sorted({*super().__dir__(), *self._package.__all__})


def register(package):
    for name in NAMES:
        sys.modules[f"{package.__name__}.{name}"] = Module(package, name)
