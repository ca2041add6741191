"""What a document of OME-Zarr 0.6 holds beyond the axes and levels that the C half writes: further
coordinate systems, transformations between them, and their matrices as arrays."""

import json
import os
import re
from dataclasses import dataclass, field, replace

import numpy as np

from ._documents import group_document, inline, save
from ._metadata06 import COMPONENTS, INTRINSIC, Metadata, is_plain
from ._rfc5_gate import check_multiscale_transforms, check_path, check_systems, node_paths
from ._transforms_json import to_json

GROUP = "coordinateTransformations"


@dataclass
class Extras:
    """JSON, and matrices by their paths: what `apply` puts into a written image."""

    systems: list = field(default_factory=list)
    intrinsic: str = INTRINSIC
    names: list = field(default_factory=list)
    transforms: list = field(default_factory=list)
    arrays: dict = field(default_factory=dict)
    paths: list = field(default_factory=list)  # of the levels, as the transformations name them
    native: str | None = None  # what the C half takes, when that is all


def extras_of(metadata, version, dims):
    """The extras of a document, checked; None when there are none. `dims`: the axes in the order they
    are written in."""
    found = list(getattr(metadata, "coordinateTransformations", None) or [])
    systems = getattr(metadata, "coordinateSystems", None)
    if version != "0.6":
        lost = [t for t in found if systems or t.type not in ("scale", "translation", "identity")]
        if lost:
            raise ValueError(f"{len(lost)} of the multiscales metadata's {len(found)} coordinateTransformations "
                             f"have no form in OME-Zarr {version}. Write with version='0.6', or remove them.")
        axes = list(getattr(metadata, "axes", None) or ())
        if not any(axis.type in COMPONENTS for axis in axes):
            return None
        return Extras([{"name": INTRINSIC, "axes": [to_json(axis) for axis in axes]}])
    model = Metadata.from_version(metadata)
    systems = model.coordinateSystems
    intrinsic = model.intrinsic_coordinate_system
    named = check_systems(systems, "multiscales[0].", version)
    check_multiscale_transforms(found, named, version)
    if sorted(a.name for a in intrinsic.axes) != sorted(dims):
        raise ValueError(f"coordinate system {intrinsic.name!r} has axes {[a.name for a in intrinsic.axes]}, the "
                         f"levels {list(dims)}")
    if found and [a.name for a in intrinsic.axes] != list(dims):
        raise ValueError(f"the levels are written with axes {list(dims)}, the transformations are for "
                         f"{[a.name for a in intrinsic.axes]}")
    names = [d.coordinateTransformations[0].name for d in model.datasets]
    transforms = [to_json(t) for t in found]
    arrays = externalize(transforms, [f"scale{n}" for n in range(len(names))])
    extras = Extras([to_json(s) for s in systems], intrinsic.name, names, transforms, arrays,
                    [d.path for d in model.datasets])
    plain = replace(model, coordinateSystems=systems[:1], coordinateTransformations=None)
    if systems[0] is intrinsic and is_plain(plain, version) and not arrays and not node_paths(found):
        steps = {"coordinateTransformations": transforms} if transforms else {}
        extras.native = json.dumps({"coordinateSystems": extras.systems[1:], **steps}, allow_nan=False)
    return extras


# ---- matrices -----------------------------------------------------------------------------------


def matrices_in(transforms):
    """Every rotation and affine of a JSON list, depth first."""
    for item in transforms or ():
        kind = item.get("type")
        if kind in ("rotation", "affine"):
            yield item
        elif kind == "bijection":
            yield from matrices_in([item["forward"], item["inverse"]])
        elif "transformations" in item:
            yield from matrices_in([i.get("transformation", i) for i in item["transformations"]])


def _overlap(path, others):
    return any(a == path or a.startswith(path + "/") or path.startswith(a + "/") for a in others)


def _free_path(item, taken):
    name = item.get("name")
    usable = (isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9._-]+", name) and name.strip(".")
              and not name.startswith("__"))
    base = path = f"{GROUP}/{name if usable else item['type']}"
    count = 0
    while _overlap(path, taken):
        count += 1
        path = f"{base}_{count}"
    return path


def externalize(transforms, reserved):
    """Moves the matrices of `transforms` (JSON, changed in place) into arrays of 64-bit floats, which
    keep every bit. A path that is named is kept; `reserved` are the paths of the levels."""
    items = list(matrices_in(transforms))
    taken = set(reserved)
    for item in items:
        if item.get("path"):
            if _overlap(check_path(item["path"], "image"), reserved):
                raise ValueError(f"{item['type']} names the array {item['path']!r}, which is in the way of a level")
            taken.add(item["path"])
    arrays = {}
    for item in items:
        values = item.pop(item["type"], None)
        if values is None:
            if not item.get("path"):
                raise ValueError(f"{item['type']} holds no matrix and names no array")
            raise ValueError(f"{item['type']} names the array {item['path']!r} but does not hold its matrix, and "
                             "the image is written whole")
        path = item.get("path") or _free_path(item, taken)
        taken.add(path)
        item["path"] = path
        matrix = np.asarray(values, "<f8")
        if path in arrays and not np.array_equal(arrays[path], matrix):
            raise ValueError(f"two transformations name the array {path!r} but hold different matrices")
        arrays[path] = matrix
    return arrays


def array_document(matrix):
    return {
        "zarr_format": 3, "node_type": "array", "shape": list(matrix.shape), "data_type": "float64",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(matrix.shape)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0.0, "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
        "attributes": {}, "storage_transformers": []}


# ---- documents ----------------------------------------------------------------------------------


def apply(root, version, extras):
    """Puts the extras into the image in the directory `root`, which nobody reads yet."""
    from ._staged import read_documents, write_documents

    if extras is None:
        return
    documents = read_documents(root, version)
    attributes, consolidated, _ = documents
    entry = attributes.get("ome", attributes)["multiscales"][0]
    if version == "0.6":
        _apply_systems(entry, extras)
        _write_arrays(root, extras.arrays, consolidated)
    else:
        _apply_axes(entry["axes"], extras.systems[0]["axes"])
    write_documents(root, version, documents)


def _apply_axes(axes, wanted):
    """The C half knows the type of an axis by its name; units and orientation are as it wrote them."""
    by_name = {axis["name"]: axis for axis in wanted}
    for axis in axes:
        more = by_name.get(axis["name"], {})
        axis.update({k: more[k] for k in ("type", "discrete", "longName") if k in more})


def _apply_systems(entry, extras):
    end = entry["datasets"][0]["coordinateTransformations"][0]["output"]["name"]
    written = next(s for s in entry["coordinateSystems"] if s["name"] == end)
    own = next(s for s in extras.systems if s["name"] == extras.intrinsic)
    _apply_axes(written["axes"], own["axes"])
    own["axes"] = written["axes"]
    for n, dataset in enumerate(entry["datasets"]):
        (step,) = dataset["coordinateTransformations"]
        step["output"] = {"name": extras.intrinsic}
        name = extras.names[n] if n < len(extras.names) else None
        step["name"] = name or f"scale{n}_to_{extras.intrinsic}"
    paths = {old: dataset["path"] for old, dataset in zip(extras.paths, entry["datasets"])}
    rest = {k: v for k, v in entry.items() if k not in ("coordinateSystems", "datasets")}
    kept = {"coordinateSystems": extras.systems, "datasets": entry["datasets"]}
    if extras.transforms:
        kept["coordinateTransformations"] = [_renamed(t, paths) for t in extras.transforms]
    entry.clear()
    entry.update(kept, **rest)


def _renamed(item, paths):
    """A transformation whose field is a level of the image follows that to its name in the store."""
    if isinstance(item, list):
        return [_renamed(i, paths) for i in item]
    if not isinstance(item, dict):
        return item
    item = {k: _renamed(v, paths) for k, v in item.items()}
    if item.get("type") in ("displacements", "coordinates") and item.get("path") in paths:
        item["path"] = paths[item["path"]]
    return item


def _write_arrays(root, arrays, consolidated):
    for path, matrix in arrays.items():
        parts = path.split("/")
        for n in range(1, len(parts)):
            group = "/".join(parts[:n])
            save(os.path.join(root, group, "zarr.json"), group_document())
            if consolidated is not None:
                consolidated[group] = {**group_document(), "consolidated_metadata": inline({})}
        document = array_document(matrix)
        save(os.path.join(root, path, "zarr.json"), document)
        if consolidated is not None:
            consolidated[path] = document
        chunk = os.path.join(root, path, "c", *("0" for _ in matrix.shape))
        os.makedirs(os.path.dirname(chunk), exist_ok=True)
        with open(chunk, "wb") as file:
            file.write(np.ascontiguousarray(matrix, "<f8").tobytes())
