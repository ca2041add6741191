"""The documents of plates and wells: parsed into their dataclasses, made from them, and put into a
directory one by one, each of them whole."""

import os
import re
from pathlib import PureWindowsPath
from urllib.parse import unquote

from ._documents import load_if_there, save
from ._metadata import (SUPPORTED_VERSIONS, Plate, PlateAcquisition, PlateColumn, PlateRow, PlateWell,
                        Well, WellImage)

_ACQUISITION = {"name": str, "maximumfieldcount": int, "description": str, "starttime": int,
                "endtime": int}
_V2 = ("0.1", "0.2", "0.3", "0.4")


def check_path(path, parent):
    """Paths of documents are joined to the place of the store, so none may lead out of it: also not
    with a backslash, a drive, or percent-encoded."""
    parts = re.split(r"[\\/]", path) if isinstance(path, str) else [""]
    drive = isinstance(path, str) and PureWindowsPath(path).drive
    if drive or any(unquote(part) in ("", ".", "..") or "\0" in unquote(part) for part in parts):
        raise ValueError(f"Image path {path!r} must be a relative path below the {parent}.")


def version_of(value):
    return str(getattr(value, "value", value))


def check_version(version, plate):
    """Plates are written at the versions of images, and a plate is of one version."""
    if version not in SUPPORTED_VERSIONS:
        raise ValueError(f"Unsupported OME-Zarr version: {version}. Plates can be written at versions "
                         f"{', '.join(SUPPORTED_VERSIONS)}.")
    if version != version_of(plate.version):
        raise ValueError(f"version {version!r} does not match the plate's version "
                         f"{version_of(plate.version)!r}: a plate and its wells are of one version")


# ---- documents to objects -----------------------------------------------------------------------


def _typed(value, kind):
    return value if isinstance(value, kind) and not isinstance(value, bool) else None


def _items(holder, which, /, **members):
    """The entries of a list that are objects with these members; others are passed over."""
    for item in _typed(holder.get(which), list) or ():
        if isinstance(item, dict) and all(_typed(item.get(k), t) is not None
                                          for k, t in members.items()):
            yield item


def _entry(attributes, name):
    """The member `name`, the version beside or in it (0.4 without any), or (None, version)."""
    ome = attributes.get("ome")
    holder = ome if isinstance(ome, dict) and name in ome else attributes
    entry = holder.get(name)
    where = holder if holder is ome else entry if isinstance(entry, dict) else {}
    version = where.get("version")
    return entry if isinstance(entry, dict) else None, version if isinstance(version, str) else "0.4"


def parse_plate(attributes):
    """The plate of a root group's attributes, or None when there is no such member."""
    entry, version = _entry(attributes, "plate")
    if entry is None:
        return None
    acquisitions = None
    if isinstance(entry.get("acquisitions"), list):
        acquisitions = [PlateAcquisition(item["id"], **{k: _typed(item.get(k), t)
                                                        for k, t in _ACQUISITION.items()})
                        for item in _items(entry, "acquisitions", id=int)]
    return Plate(
        [PlateColumn(item["name"]) for item in _items(entry, "columns", name=str)],
        [PlateRow(item["name"]) for item in _items(entry, "rows", name=str)],
        [PlateWell(item["path"], item["rowIndex"], item["columnIndex"])
         for item in _items(entry, "wells", path=str, rowIndex=int, columnIndex=int)],
        version, acquisitions, _typed(entry.get("field_count"), int), _typed(entry.get("name"), str))


def parse_well(attributes):
    """The well of a group's attributes; without the member it holds no images."""
    entry, version = _entry(attributes, "well")
    return Well([WellImage(item["path"], _typed(item.get("acquisition"), int))
                 for item in _items(entry or {}, "images", path=str)], version)


# ---- objects to documents -----------------------------------------------------------------------


def plate_attributes(plate):
    """The attributes of a plate's root group."""
    version = version_of(plate.version)
    entry = {"columns": [{"name": item.name} for item in plate.columns],
             "rows": [{"name": item.name} for item in plate.rows],
             "wells": [{"path": item.path, "rowIndex": item.rowIndex, "columnIndex": item.columnIndex}
                       for item in plate.wells]}
    if plate.acquisitions:
        entry["acquisitions"] = [
            {"id": item.id, **{k: getattr(item, k) for k in _ACQUISITION
                               if getattr(item, k, None) is not None}} for item in plate.acquisitions]
    for name in ("field_count", "name"):
        if getattr(plate, name) is not None:
            entry[name] = getattr(plate, name)
    if version in _V2:
        return {"plate": {**entry, "version": version}}
    return {"ome": {"version": version, "plate": entry}}


def well_attributes(images, version):
    """The attributes of a well's group with these images. An image without an acquisition has no such
    member."""
    entry = {"images": [{"path": item.path, **({} if item.acquisition is None
                                               else {"acquisition": item.acquisition})}
                        for item in images]}
    if version in _V2:
        return {"well": {**entry, "version": version}}
    return {"ome": {"well": entry, "version": version}}


# ---- groups in a directory ----------------------------------------------------------------------


def group_version(path):
    """The Zarr format of the group in a directory, or None."""
    for name, number in (("zarr.json", 3), (".zgroup", 2)):
        if os.path.exists(os.path.join(path, name)):
            return number
    return None


def read_group(path):
    """The attributes of the group in a directory, or None."""
    number = group_version(path)
    if number == 3:
        return (load_if_there(os.path.join(path, "zarr.json")) or {}).get("attributes", {})
    return None if number is None else load_if_there(os.path.join(path, ".zattrs")) or {}


def is_consolidated(path):
    """Whether a group holds a copy of the documents below it."""
    if group_version(path) == 2:
        return os.path.exists(os.path.join(path, ".zmetadata"))
    return "consolidated_metadata" in (load_if_there(os.path.join(path, "zarr.json")) or {})


def write_group(path, attributes, version, flush=True):
    """A group with these attributes; a document that is there keeps its other members, except for a
    consolidated copy of what lies below, which would hide what is added."""
    if version in _V2:
        save(os.path.join(path, ".zattrs"), attributes, flush)
        if not os.path.exists(os.path.join(path, ".zgroup")):
            save(os.path.join(path, ".zgroup"), {"zarr_format": 2}, flush)
        try:
            os.unlink(os.path.join(path, ".zmetadata"))
        except FileNotFoundError:
            pass
        return
    name = os.path.join(path, "zarr.json")
    document = load_if_there(name) or {"zarr_format": 3, "node_type": "group"}
    document.pop("consolidated_metadata", None)
    save(name, {**document, "attributes": attributes}, flush)
