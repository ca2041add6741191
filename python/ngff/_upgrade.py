"""upgrade_ome_zarr: the version of a store, changed in place by its documents alone, or of a copy."""

import json
import os

import numpy as np

from ._codecs import as_dict, v3_json
from ._metadata import SUPPORTED_VERSIONS
from ._stores import location

_OME = ("multiscales", "omero", "labels", "image-label")
_SYSTEM = "intrinsic"


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
    old = not os.path.exists(os.path.join(root, "zarr.json"))
    if version == "0.4" and not old:
        raise ValueError("in place there is no way back to OME-Zarr 0.4, whose chunks have other "
                         "names: name an output")
    if version == "0.4":
        return
    nodes = dict(_nodes(root))
    if old:
        inner = "consolidated_metadata" if os.path.exists(os.path.join(root, ".zmetadata")) else None
        documents = _from_v2(root, nodes, version)
    else:
        documents = {path: _load(root, path, "zarr.json") for path, kind in nodes.items()
                     if kind == "group"}
        inner = "consolidated_metadata" if documents[""].get("consolidated_metadata") else None
        for document in documents.values():
            document["attributes"] = _attributes(document.get("attributes", {}), version)
        documents = {path: document for path, document in documents.items()
                     if not path or "ome" in document["attributes"]}
    if inner:
        _consolidate(documents, inner)
    for path in sorted(documents, key=lambda p: -p.count("/") if p else 1):  # the root last
        _save(os.path.join(root, path, "zarr.json"), documents[path])
    for path in nodes if old else ():
        for name in (".zmetadata", ".zattrs", ".zgroup", ".zarray"):
            try:
                os.unlink(os.path.join(root, path, name))
            except FileNotFoundError:
                pass


def _nodes(root):
    """(path, "group" or "array") of the root and what lies below; chunks are not walked through."""
    for folder, below, files in os.walk(root):
        path = os.path.relpath(folder, root).replace(os.sep, "/").removeprefix(".").removeprefix("/")
        kind = "array" if ".zarray" in files else "group" if ".zgroup" in files else None
        if "zarr.json" in files and kind is None:
            kind = _load(root, path, "zarr.json")["node_type"]
        if kind != "group":
            below.clear()
        if kind:
            yield path, kind


def _load(root, path, name):
    try:
        with open(os.path.join(root, path, name), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def _save(path, document):
    text = json.dumps(document, indent=2, allow_nan=False)
    part = f"{path}.{os.getpid()}.part"
    with open(part, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def _consolidate(documents, name):
    """The root document with a copy of each below it; groups there have an empty list of their own."""
    whole = documents[""].get(name) or {"kind": "inline", "must_understand": False, "metadata": {}}
    for path, document in documents.items():
        if path:
            empty = {} if document["node_type"] == "array" else {
                name: {"kind": "inline", "must_understand": False, "metadata": {}}}
            whole["metadata"][path] = {**document, **empty}
    documents[""][name] = whole


# ---- Zarr v2 to v3 ------------------------------------------------------------------------------


def _from_v2(root, nodes, version):
    attributes = {path: _load(root, path, ".zattrs") for path in nodes}
    names = {}
    for path, found in attributes.items():
        for entry in found.get("multiscales", ()):
            if str(entry.get("version", "0.4")) < "0.4":
                raise ValueError(f"OME-Zarr {entry['version']} has no scales: name an output")
            for dataset in entry["datasets"]:
                names[f"{path}/{dataset['path']}".lstrip("/")] = [a["name"] for a in entry["axes"]]
    return {path: {"zarr_format": 3, "node_type": "group",
                   "attributes": _attributes(attributes[path], version)} if kind == "group"
            else _array(path, _load(root, path, ".zarray"), attributes[path], names.get(path))
            for path, kind in nodes.items()}


def _array(path, found, attributes, names):
    """An array's document, with the chunks where Zarr v2 has them."""
    def refuse(what):
        return ValueError(f"{path}: {what}: its chunks would have to be written anew, name an output")

    if found.get("order", "C") != "C" and len(found["shape"]) > 1:
        raise refuse("its memory order is F")
    if found.get("filters"):
        raise refuse("it has filters")
    dtype = np.dtype(found["dtype"]) if isinstance(found["dtype"], str) else np.dtype("V1")
    compressor = found.get("compressor")
    if dtype.kind not in "biuf":
        raise refuse(f"its data type is {found['dtype']}")
    if compressor is not None and compressor["id"] not in ("zstd", "gzip", "blosc"):
        raise refuse(f"its compressor is {compressor['id']}")
    codecs = json.loads(v3_json([as_dict(compressor)] if compressor else [], dtype))
    if dtype.byteorder == ">":
        codecs[0]["configuration"] = {"endian": "big"}
    fill = found.get("fill_value")
    return {
        "zarr_format": 3, "node_type": "array", "shape": found["shape"], "data_type": dtype.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": found["chunks"]}},
        "chunk_key_encoding": {"name": "v2", "configuration": {
            "separator": found.get("dimension_separator", ".")}},
        "fill_value": fill if fill is not None else False if dtype.kind == "b" else 0,
        "codecs": codecs, "attributes": attributes, "storage_transformers": [],
        **({"dimension_names": names} if names else {})}


# ---- OME-Zarr -----------------------------------------------------------------------------------


def _attributes(found, version):
    """The attributes of a group for OME-Zarr 0.5 or 0.6; those that are not of OME-Zarr stay."""
    ome = dict(found["ome"]) if "ome" in found else {k: found[k] for k in _OME if k in found}
    if any(key in {**found, **ome} for key in ("plate", "well", "bioformats2raw.layout")):
        raise ValueError("plates, wells and containers are not upgraded: name an image inside")
    if not ome:
        return found
    if "multiscales" in ome:
        ome["multiscales"] = [_entry(entry, version) for entry in ome["multiscales"]]
    ome.pop("version", None)
    others = {k: v for k, v in found.items() if k != "ome" and k not in ome}
    return {**others, "ome": {"version": version, **ome}}


def _entry(entry, version):
    entry = {k: v for k, v in entry.items() if k != "version"}
    if ("coordinateSystems" in entry) == (version == "0.6"):
        return entry
    if entry.get("coordinateTransformations"):
        raise ValueError("transformations of the whole image cannot be expressed: name an output")
    if version == "0.6":
        system = {"name": _SYSTEM, "axes": entry.pop("axes")}
        datasets = [{"path": d["path"], "coordinateTransformations": [{
            "type": "sequence", "input": {"path": d["path"]}, "output": {"name": _SYSTEM},
            "name": f"scale{n}_to_{_SYSTEM}", "transformations": d["coordinateTransformations"]}]}
            for n, d in enumerate(entry["datasets"])]
        return {"coordinateSystems": [system], **entry, "datasets": datasets}
    systems = entry.pop("coordinateSystems")
    if len(systems) != 1:
        raise ValueError(f"{len(systems)} coordinate systems cannot be expressed: name an output")
    datasets = [{"path": d["path"], "coordinateTransformations": _flat(d)} for d in entry["datasets"]]
    return {"axes": systems[0]["axes"], **entry, "datasets": datasets}


def _flat(dataset):
    """Scale and translation of a dataset of OME-Zarr 0.6."""
    items = dataset["coordinateTransformations"]
    if len(items) == 1 and items[0]["type"] == "sequence":
        items = items[0]["transformations"]
    flat = [{k: item[k] for k in ("type", "scale", "translation") if k in item} for item in items]
    if [item["type"] for item in flat] not in (["scale"], ["scale", "translation"]) or any(
            len(item) != 2 for item in flat):
        raise ValueError(f"{dataset['path']}: not a scale and a translation: name an output")
    return flat
