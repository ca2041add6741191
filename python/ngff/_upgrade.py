"""upgrade_ome_zarr: the version of a store, changed in place by its documents alone, or of a copy."""

import os

from . import _core
from ._config import context
from ._metadata import SUPPORTED_VERSIONS
from ._stores import UPDATE, location


def upgrade_ome_zarr(input, output=None, *, version="0.6", validate=False, storage_options=None,
                     overwrite=True):
    """The image `input` as OME-Zarr `version`. With `output` a copy is written. Without it the
    documents of a directory are rewritten and no chunk is touched: between 0.5 and 0.6, and from 0.4,
    whose chunks keep their places. The root document is replaced last; then those of Zarr v2 go."""
    from ._read import from_ome_zarr
    from ._write import to_ome_zarr

    version = str(getattr(version, "value", version))
    if version not in SUPPORTED_VERSIONS:
        raise ValueError(f"Unsupported target version {version!r}: one of {SUPPORTED_VERSIONS}")
    levels = from_ome_zarr(input, validate=validate, storage_options=storage_options)
    paths = [location(store) and os.path.realpath(location(store)) for store in (input, output)]
    if output is not None and output is not input and (paths[0] != paths[1] or paths[0] is None):
        to_ome_zarr(output, levels, version=version, overwrite=overwrite)
        return
    if paths[0] is None or not os.path.isdir(paths[0]):
        raise ValueError("a store is changed in place in a directory only: name an output")
    del levels
    _in_place(paths[0], version)


def _in_place(root, version):
    store = _core.open_store(context(), root, UPDATE, 0, 0)
    try:
        _core.upgrade(context(), store, version)
    except NotImplementedError as error:
        raise ValueError(str(error)) from None
    finally:
        store.close()
