"""ngff: OME-Zarr pyramids, written and read natively. `import ngff as nz` runs what was written for
ngff-zarr."""

from . import _core, v04, v05
from ._codecs import codec_from_name, get_available_codecs
from ._config import NgffZarrConfig, config
from ._errors import Error
from ._image import Multiscales, NgffImage, NgffMultiscales
from ._metadata import *  # noqa: F403
from ._methods import Methods, methods, methods_values
from ._omero import GLASBEY_COLORS, compute_omero_from_multiscales, compute_omero_from_ngff_image
from ._orientation import (LPS, RAS, AnatomicalOrientation, AnatomicalOrientationValues,
                           add_anatomical_orientation_to_axis, itk_lps_to_anatomical_orientation,
                           orientation_from_name, remove_anatomical_orientation_from_axis)
from ._progress import NgffProgress, NgffProgressCallback
from ._pyramid import memory_usage, task_count, to_multiscales, to_ngff_image
from ._read import (from_ngff_zarr, from_ome_zarr, open_array, read_ozx_json_first,
                    read_ozx_version, write_store_to_zip)
from ._staged import update_root_attributes
from ._stores import is_ozx_path
from ._structural import (SpecRule, ValidateOptions, ValidationError, ValidationLevel, validate,
                          validate_structural)
from ._write import to_ngff_zarr, to_ome_zarr

__version__ = _core.library_version
SUPPORTED_VERSIONS = ("0.4", "0.5")
library_info = _core.build_info
