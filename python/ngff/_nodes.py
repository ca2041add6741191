"""Groups of OME-Zarr 0.6 that are no image: scenes, and transformations on their own. Written whole or
not at all, or, with overwrite=False, into a directory that holds the fields they refer to."""

import json
import os
import shutil

from ._documents import group_document, inline, load, save
from ._image import is_transform
from ._metadata import SUPPORTED_VERSIONS
from ._rfc5_gate import check_numbers, node_paths
from ._rfc5_read import resolve
from ._stage import Stage
from ._stores import below, is_ozx_path, location, publish
from ._transforms import validate_transform
from ._transforms_json import to_json, transforms_from_json


class NodeJob:
    """What a call of to_ome_zarr asks for, when it is not an image."""

    def __init__(self, store, node, version, overwrite, consolidate, options):
        version = str(getattr(version, "value", version or "0.6"))
        if version not in SUPPORTED_VERSIONS:
            raise ValueError(f"Unsupported version: {version}")
        if version != "0.6":
            raise ValueError(f"Scenes and transformations are defined from OME-Zarr 0.6 on; got version {version!r}.")
        if is_ozx_path(store):
            raise ValueError("A scene or a transformation is written to a directory path; zip it afterwards with "
                             "write_store_to_zip().")
        self.store, self.node, self.version = store, node, version
        self.overwrite, self.consolidate, self.options = overwrite, consolidate, options

    def write(self, document, transforms, images):
        path = location(self.store)
        fields = sorted(node_paths(transforms))
        merge = not self.overwrite and path is not None and os.path.isdir(path) and bool(os.listdir(path))
        self._check_fields(fields, path)
        with Stage(path) as stage:
            root = os.path.join(stage, "whole")
            attributes = {"ome": {"version": self.version, **document}}
            save(os.path.join(root, "zarr.json"), group_document(attributes))
            for name, levels in images.items():
                _parents(root, name)
                self._write_image(os.path.join(root, *name.split("/")), levels)
            if merge:
                _merge(root, path, list(images), fields, self.consolidate)
            else:
                if self.consolidate:
                    consolidate(root)
                publish(root, self.store, self.overwrite)

    def _write_image(self, path, levels):
        from ._write import to_ome_zarr

        to_ome_zarr(path, levels, version=self.version, consolidate_metadata=False, **self.options)

    def _check_fields(self, fields, path):
        if fields and self.overwrite:
            raise ValueError(f"The transformations reference the nodes {fields}; write those first with to_ome_zarr() "
                             "below the store, then this with overwrite=False so that they are kept.")
        for field in fields:
            if path is None or not os.path.exists(os.path.join(path, *field.split("/"), "zarr.json")):
                raise ValueError(f"The transformations reference {field!r}, which the store does not hold; write it "
                                 "first with to_ome_zarr() below the store, then this with overwrite=False.")

def _parents(root, name):
    """Groups between the root and a node."""
    parts = name.split("/")
    for n in range(1, len(parts)):
        path = os.path.join(root, *parts[:n], "zarr.json")
        if not os.path.exists(path):
            save(path, group_document())


def _merge(root, path, images, fields, wanted):
    """The staged images into a directory that is kept; its root document is replaced last."""
    taken = [name for name in images if os.path.lexists(os.path.join(path, *name.split("/")))]
    if taken:
        raise FileExistsError(f"{path} holds {taken[0]!r} already")
    document, old = load(os.path.join(root, "zarr.json")), {}
    if os.path.exists(os.path.join(path, "zarr.json")):
        old = load(os.path.join(path, "zarr.json")).get("attributes", {})
        if "multiscales" in old.get("ome", {}):
            raise FileExistsError(f"{path} holds an image already")
    moved = []
    try:
        for name in (*fields, *images):
            _parents(path, name)
        for name in images:
            os.rename(os.path.join(root, *name.split("/")), os.path.join(path, *name.split("/")))
            moved.append(name)
        document["attributes"] = {**old, **document["attributes"]}
        if wanted:
            document["consolidated_metadata"] = _consolidated(path)
        save(os.path.join(path, "zarr.json"), document)
    except BaseException:
        for name in moved:
            shutil.rmtree(os.path.join(path, *name.split("/")), ignore_errors=True)
        raise


def _consolidated(root):
    found = {}
    for folder, below, files in os.walk(root):
        name = os.path.relpath(folder, root).replace(os.sep, "/")
        if "zarr.json" not in files:
            continue
        document = load(os.path.join(folder, "zarr.json"))
        if document["node_type"] == "array":
            below.clear()
        if name != ".":
            found[name] = document if document["node_type"] == "array" else {
                **document, "consolidated_metadata": inline({})}
    return inline(found)


def consolidate(root):
    """Puts a copy of every document below into that of the root."""
    path = os.path.join(root, "zarr.json")
    save(path, {**load(path), "consolidated_metadata": _consolidated(root)})


# ---- a transformation on its own ----------------------------------------------------------------


def write_other(store, node, version, overwrite, consolidate_metadata, start_level, chunk_store, options):
    if start_level or chunk_store is not None:
        raise ValueError(f"{'start_level' if start_level else 'chunk_store'} is for images only")
    job = NodeJob(store, node, version, overwrite, consolidate_metadata, options)
    if is_transform(node):
        return write_transformation(job)
    from ._scene import write_scene

    return write_scene(job)


def write_transformation(job):
    transform = job.node
    check_numbers(transform, "the transformation")
    validate_transform(transform, None, job.version)
    job.write({"coordinateTransformations": [to_json(transform)]}, [transform], {})


def read_transformation(node, validate):
    items = node.resolved(node.ome["coordinateTransformations"])
    transforms = transforms_from_json(items, None, node.version)
    if len(transforms) != 1:
        raise ValueError(f"A transformation store holds one coordinateTransformations entry; got {len(transforms)}.")
    if validate:
        node_paths(transforms)
        check_numbers(transforms[0], "the transformation")
    return transforms[0]


# ---- reading ------------------------------------------------------------------------------------


class Node:
    """The root group of a store that holds a scene or a transformation."""

    def __init__(self, store, handle, ome):
        self.store, self.handle, self.ome = store, handle, ome
        self.version = str(ome.get("version", "0.6"))

    def resolved(self, items):
        return resolve(json.loads(json.dumps(items)), self.handle)

    def image(self, path, validate):
        from ._read import from_ome_zarr

        return from_ome_zarr(below(self.store, self.handle, path), validate=validate)


def kind_of(ome):
    if isinstance(ome, dict) and "scene" in ome:
        return "scene"
    if isinstance(ome, dict) and "coordinateTransformations" in ome and "multiscales" not in ome:
        return "transformation"
    return "multiscales"


def read_other(store, handle, attributes, kind, validate):
    """A scene or a transformation, when the store holds one; None when it holds neither and an image was
    asked for. ValueError for another kind than the one that was asked for."""
    if kind not in (None, "multiscales", "scene", "transformation"):
        raise ValueError(f"kind must be 'multiscales', 'scene' or 'transformation'; got {kind!r}")
    ome = attributes.get("ome")
    found = kind_of(ome)
    if found != (kind or "multiscales"):
        if found != "multiscales":
            raise ValueError(f"'{store}' holds a {found}; read it with from_ome_zarr(store, kind='{found}').")
        raise ValueError(f"'{store}' holds no {kind}: the root group carries no such entry.")
    if found == "multiscales":
        return None
    from ._scene import read_scene

    return {"scene": read_scene, "transformation": read_transformation}[found](Node(store, handle, ome), validate)
