"""OME-Zarr 0.6 (RFC-5)."""

from . import zarr_metadata

__all__ = ["zarr_metadata"]
