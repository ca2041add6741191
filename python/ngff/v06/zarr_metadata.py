"""The metadata model of OME-Zarr 0.6, under the seed's path."""

from .._metadata import V06_ONDISK_VERSION, MethodMetadata, Omero
from .._metadata06 import Dataset, Metadata
from .._systems import Axis, CoordinateSystem, CoordinateSystemIdentifier
from .._transforms import (Affine, BaseTransform, Bijection, ByDimension, ByDimensionItem, Coordinates,
                           Displacements, Identity, MapAxis, ProjectAxis, Rotation, Scale, Transform,
                           TransformSequence, Translation, validate_transform)

__all__ = [
    "Axis",
    "CoordinateSystem",
    "CoordinateSystemIdentifier",
    "BaseTransform",
    "Identity",
    "Scale",
    "Translation",
    "Rotation",
    "Affine",
    "Coordinates",
    "Displacements",
    "MapAxis",
    "ProjectAxis",
    "ByDimensionItem",
    "ByDimension",
    "Bijection",
    "TransformSequence",
    "Transform",
    "Dataset",
    "Metadata",
    "MethodMetadata",
    "Omero",
    "V06_ONDISK_VERSION",
    "validate_transform",
]
