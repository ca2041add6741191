"""ngff: OME-Zarr pyramids, written and read natively. `import ngff as nz` runs what was written for
ngff-zarr.

Importing loads the C half and nothing else: a name is loaded when it is first used (PEP 562)."""

import sys

from . import _core, _modules

_PLACES = {
    "_arrays": "open_array",
    "_codecs": "codec_from_name get_available_codecs",
    "_config": "NgffZarrConfig config",
    "_field": "FieldTransformType declare_field_transform",
    "_errors": "Error",
    "_files": "image_file_series open_image_file",
    "_image": "Multiscales NgffImage NgffMultiscales",
    "_inputs": "ConversionBackend cli_input_to_ngff_image detect_cli_io_backend",
    "_metadata": "AxesType AxisUnit ScaleStrategy SpaceUnits SpatialDims SupportedDims TimeUnits Units "
                 "AxisType NgffVersion SUPPORTED_VERSIONS V06_ONDISK_VERSION Axis Identity Scale Translation Dataset OmeroWindow OmeroChannel "
                 "Omero MethodMetadata PlateAcquisition PlateColumn PlateRow PlateWell Plate WellImage "
                 "Well Metadata Transform",
    "_itk_image": "itk_image_to_ngff_image ngff_image_to_itk_image",
    "_itk_field": "convert_itk_field_block itk_displacement_field_to_ngff_transform "
                  "ngff_displacement_field_to_itk_transform",
    "_itk_linear": "ngff_transform_to_itk_transform",
    "_itk_transform": "itk_transform_to_ngff_matrix itk_transform_to_ngff_transform",
    "_methods": "Methods methods methods_values",
    "_nifti": "extract_omero_metadata_from_nibabel nibabel_image_to_ngff_image",
    "_omero": "GLASBEY_COLORS compute_omero_from_multiscales compute_omero_from_ngff_image",
    "_orientation": "LPS RAS AnatomicalOrientation AnatomicalOrientationValues "
                    "add_anatomical_orientation_to_axis anatomical_orientation_to_itk_direction "
                    "itk_direction_to_anatomical_orientation itk_lps_to_anatomical_orientation "
                    "orientation_from_name remove_anatomical_orientation_from_axis",
    "_parts": "WritePlan plan_write",
    "_plate_read": "HCSPlate HCSWell from_hcs_zarr",
    "_plate_write": "HCSPlateWriter to_hcs_zarr write_hcs_well_image",
    "_progress": "NgffProgress",
    "_progress_dask": "NgffProgressCallback",
    "_pyramid": "memory_usage task_count to_multiscales to_ngff_image",
    "_scene": "NgffScene",
    "_read": "from_ngff_zarr from_ome_zarr read_ozx_json_first read_ozx_version",
    "_resample": "resample",
    "_resample_box": "ResampleBoundingBox resample_bounding_box",
    "_staged": "update_root_attributes",
    "_stores": "is_ozx_path",
    "_structural": "SpecRule ValidateOptions ValidationError ValidationLevel validate "
                   "validate_plate validate_structural validate_well",
    "_systems": "CoordinateSystem CoordinateSystemIdentifier",
    "_tiff": "tiff_file_to_ngff_images",
    "_transforms": "Coordinates Displacements",
    "_upgrade": "upgrade_ome_zarr",
    "_write": "to_ngff_zarr to_ome_zarr",
    "_writer": "ImageWriter open_writer",
    "_zip": "write_store_to_zip",
}
_HOME = {name: module for module, names in _PLACES.items() for name in names.split()}

__version__ = _core.library_version
library_info = _core.build_info
__all__ = [*_HOME, "library_info", "v04", "v05", "v06"]

_modules.register(sys.modules[__name__])


def __getattr__(name):
    from importlib import import_module

    if name in _modules.FILES or (name in _modules.NAMES and name not in _HOME):
        return import_module(f"{__name__}.{name}")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__})
