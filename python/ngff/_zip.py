"""write_store_to_zip."""

import json
import os
import zipfile

from ._read import root_attributes
from ._stores import copy_into, is_ozx_path, location, open_for_reading, values_of

_DOCUMENTS = ("zarr.json", ".zattrs", ".zgroup", ".zmetadata", ".zarray")


def write_store_to_zip(source_store, zip_path, version="0.5", compression=0):
    """A hierarchy into an archive, value by value; the archive appears whole or not at all, and its comment
    names the version that the hierarchy has. `compression`: that of zipfile; the default, stored, is what
    RFC-9 asks for."""
    version = str(getattr(version, "value", version))
    path = location(zip_path)
    if path is None:
        raise ValueError(f"an archive is written to a path, not to {zip_path!r}")
    source = open_for_reading(source_store)
    try:
        found = str(root_attributes(source).get("ome", {}).get("version", "0.4"))
        if version not in ("0.5", found) or found < "0.5":
            raise ValueError(f"an .ozx holds OME-Zarr 0.5 or later as it is: the store is {found}, version "
                             f"{version} was asked for")
        if compression or not is_ozx_path(path):
            return _pack(_values(source_store), path, found, compression)
        copy_into(source, path, True)
    finally:
        source.close()


def _values(store):
    path = location(store)
    if path is None or os.path.isdir(path):
        return values_of(store)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


def _place(key):
    """Documents first, those near the root before others."""
    return key.rsplit("/", 1)[-1] not in _DOCUMENTS, key.count("/"), key


def _pack(values, path, version, compression):
    part = f"{path}.{os.getpid()}.part"
    about = {"version": version, "zipFile": {"centralDirectory": {"jsonFirst": True}}}
    try:
        with zipfile.ZipFile(part, "w", compression) as archive:
            for key in sorted((key for key in values if not key.rsplit("/", 1)[-1].startswith(".ngff-")),
                              key=_place):
                info = zipfile.ZipInfo(key)  # dated 1980, so that equal stores make equal archives
                info.compress_type, info.external_attr = compression, 0o644 << 16
                archive.writestr(info, bytes(values[key]))
            archive.comment = json.dumps({"ome": about}).encode()
        os.replace(part, path)
    except BaseException:
        if os.path.exists(part):
            os.unlink(part)
        raise
