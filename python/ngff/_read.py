"""from_ngff_zarr, open_array and what belongs to them."""

import json

import numpy as np

from . import _core
from ._config import context
from ._image import NgffImage, NgffMultiscales, axis_type
from ._lazy import StoredLevel
from ._metadata import (SUPPORTED_VERSIONS, Dataset, Metadata, MethodMetadata, Scale, Translation,
                        omero_from_json)
from ._metadata06 import Metadata as Metadata06
from ._methods import method_of
from ._nodes import read_other
from ._orientation import AnatomicalOrientation
from ._rfc5_read import metadata_from_json
from ._stores import location, open_for_reading, with_options
from ._systems import Axis as SystemAxis

_OWNED = ("multiscales", "omero", "ome", "_ARRAY_DIMENSIONS")


def from_ngff_zarr(store, validate=False, version=None, storage_options=None, kind=None,
                   chunk_store=None):
    """Read an image and its levels; pixels are read when they are indexed. `kind`: "multiscales",
    "scene" or "transformation", what the store has to hold."""
    store = with_options(store, storage_options)
    handle = open_for_reading(store, chunk_store)
    try:
        attributes = root_attributes(handle)
    except (FileNotFoundError, KeyError, ValueError):
        attributes = {}  # opening the image says what is wrong
    other = read_other(store, handle, attributes, kind, validate)
    if other is not None:
        return other
    if validate:
        _check_documents(attributes)
    image = _core.open_image(context(), handle)
    facts = json.loads(image.facts())
    found = str(facts.get("version") or attributes.get("ome", attributes).get("version", "0.4"))
    if version is not None and str(getattr(version, "value", version)) != found:
        raise ValueError(f"the store is OME-Zarr {found}, not {version}")
    metadata, images = _image_parts(image, attributes, found, handle)
    for level in images:
        level.data.origin = (store, chunk_store)
    if validate:
        from ._structural import validate_structural

        validate_structural(metadata, version=found)
    return NgffMultiscales(images, metadata, method=method_of(metadata.type),
                           root_attributes=foreign_attributes(attributes))


from_ome_zarr = from_ngff_zarr


def _check_documents(attributes):
    """The rules, before the reader gives up on a document that breaks them."""
    from ._structural import check_image, validate

    ome = attributes.get("ome", attributes)
    if "multiscales" not in ome:
        return
    first = (ome["multiscales"] or [{}])[0] if isinstance(ome["multiscales"], list) else {}
    version = str(ome.get("version", first.get("version", "0.4")))
    if version in SUPPORTED_VERSIONS:
        validate(attributes, version)
        check_image(attributes, version)
    elif version < "0.4":  # there were no axes with types, which the rules are about
        validate(attributes, version)


def root_attributes(handle, prefix=""):
    """The attributes of the root group, either format; of the one below "A/1/" when that is given."""
    try:
        return json.loads(handle.get_value(f"{prefix}zarr.json")).get("attributes", {})
    except (FileNotFoundError, KeyError):
        return json.loads(handle.get_value(f"{prefix}.zattrs"))


def foreign_attributes(attributes):
    """Those of root attributes that are not OME-Zarr's, or None."""
    return {k: v for k, v in attributes.items() if k not in _OWNED} or None


def _image_parts(image, attributes, version, handle):
    dtype, _, name, axes, _ = image.describe()
    ome = attributes.get("ome", attributes)
    entry = (ome.get("multiscales") or [{}])[0]
    omero = omero_from_json(ome.get("omero"))
    infos = [image.level(n) for n in range(image.level_count())]
    levels = [(info["path"], list(info["scale"]), list(info["translation"])) for info in infos]
    turns = {axis[0]: AnatomicalOrientation(axis[3]) for axis in axes if axis[3]} or None
    if version.startswith("0.6"):
        metadata = metadata_from_json(entry, handle, levels, omero, _method(entry), version)
    else:
        discrete = {a.get("name"): a.get("discrete") for a in entry.get("axes", ()) if isinstance(a, dict)}
        objects = [SystemAxis(a[0], a[1] or axis_type(a[0]), a[2] or None, (turns or {}).get(a[0]),
                              discrete.get(a[0])) for a in axes]
        datasets = [Dataset(path, [Scale(scale), Translation(shift)]) for path, scale, shift in levels]
        metadata = Metadata06.from_version(Metadata(objects, datasets, None, omero, entry.get("name", name),
                                                    version, entry.get("type"), _method(entry)))
    dims = tuple(axis[0] for axis in axes)
    units = {axis[0]: axis[2] or None for axis in axes}
    types = {axis[0]: axis[1] for axis in axes if axis[1] and axis[1] != axis_type(axis[0])} or None
    labels = [c.label or "" for c in omero.channels] if omero else None
    images = [NgffImage(StoredLevel(image, n, info, np.dtype(dtype)), dims, dict(zip(dims, info["scale"])),
                        dict(zip(dims, info["translation"])), name, units, turns, types,
                        list(labels) if labels else None) for n, info in enumerate(infos)]
    return metadata, images


def _method(entry):
    about = entry.get("metadata")
    known = isinstance(about, dict) and {"description", "method", "version"} <= set(about)
    return MethodMetadata(*(str(about[k]) for k in ("description", "method", "version"))) if known else None


def read_ozx_version(zip_path):
    """The OME-Zarr version that an archive says it holds, else None."""
    import zipfile

    try:
        with zipfile.ZipFile(location(zip_path)) as archive:
            return json.loads(archive.comment)["ome"]["version"]
    except (ValueError, KeyError, TypeError):
        return None


def read_ozx_json_first(zip_path):
    """Whether an archive says that its documents come first."""
    import zipfile

    try:
        with zipfile.ZipFile(location(zip_path)) as archive:
            about = json.loads(archive.comment)["ome"]
        return bool(about["zipFile"]["centralDirectory"]["jsonFirst"])
    except (ValueError, KeyError, TypeError):
        return False
