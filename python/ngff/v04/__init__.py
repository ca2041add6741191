"""OME-Zarr 0.4."""

from . import zarr_metadata

__all__ = ["zarr_metadata"]
