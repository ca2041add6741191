"""The module that scripts import the functions of plates from."""

from ._plate_read import HCSPlate, HCSWell, LRUCache, from_hcs_zarr  # noqa: F401
from ._plate_write import HCSPlateWriter, to_hcs_zarr, write_hcs_well_image  # noqa: F401
