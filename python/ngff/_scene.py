"""Scenes (OME-Zarr 0.6): images below one group, and the transformations between their systems."""

from dataclasses import dataclass
from typing import Any

from ._metadata06 import Metadata
from ._rfc5_gate import check_between, check_path, check_systems
from ._systems import CoordinateSystemIdentifier, systems_from_json
from ._transforms_json import to_json, transforms_from_json


@dataclass
class NgffScene:
    """`images` by their paths below the scene; the ends of the transformations name a system of the
    image at their `path`, or one of `coordinateSystems` where they have none."""

    images: dict
    coordinateTransformations: list
    coordinateSystems: Any = None

    def to_ome_zarr(self, store, **kwargs):
        """Write to `store`; see `ngff.to_ome_zarr`."""
        from ._write import to_ome_zarr

        to_ome_zarr(store, self, **kwargs)

    @classmethod
    def from_ome_zarr(cls, store, **kwargs):
        """Read from `store`; see `ngff.from_ome_zarr`."""
        from ._read import from_ome_zarr

        return from_ome_zarr(store, **{**kwargs, "kind": "scene"})


class _Groups:
    """Which nodes are connected."""

    def __init__(self, nodes):
        self.root = {node: node for node in nodes}

    def find(self, node):
        while self.root[node] != node:
            node = self.root[node]
        return node

    def join(self, a, b):
        self.root[self.find(a)] = self.find(b)

    def all(self):
        found = {}
        for node in self.root:
            found.setdefault(self.find(node), []).append(f"{node[0]} {node[1]!r}")
        return sorted(sorted(group) for group in found.values())


def _end(end, where, named, images):
    """(node, coordinate system) that an end of a transformation means."""
    if end is None or end.name is None:
        raise ValueError(f"{where} must name a coordinate system, with the path of its image unless the scene "
                         "declares it")
    if end.path is None:
        if end.name not in named:
            raise ValueError(f"{where} names coordinate system {end.name!r}, which the scene does not declare "
                             f"(declared: {sorted(named)})")
        return ("coordinate system", end.name), named[end.name]
    if end.path not in images:
        raise ValueError(f"{where} references image {end.path!r}, which the scene does not contain; its images "
                         f"are {sorted(images)}")
    for system in images[end.path]:
        if system.name == end.name:
            return ("image", end.path), system
    raise ValueError(f"{where} names coordinate system {end.name!r} of image {end.path!r}, which declares "
                     f"{sorted(system.name for system in images[end.path])}")


def check_scene(scene, version="0.6"):
    """ValueError unless the scene is one that OME-Zarr 0.6 can express: paths below it, names that are
    found, transformations that fit, all in one connected graph."""
    for path in scene.images:
        check_path(path, "scene group")
    for a in scene.images:
        for b in scene.images:
            if b.startswith(a + "/"):
                raise ValueError(f"image {b!r} lies inside image {a!r}")
    if not scene.coordinateTransformations:
        raise ValueError("A scene declares at least one coordinate transformation.")
    named = check_systems(scene.coordinateSystems or [], "scene.", version)
    images = {path: Metadata.from_version(levels.metadata).coordinateSystems
              for path, levels in scene.images.items()}
    groups = _Groups([("coordinate system", n) for n in named] + [("image", p) for p in images])
    for n, transform in enumerate(scene.coordinateTransformations):
        where = f"coordinateTransformations[{n}]"
        ends = [_end(getattr(transform, side, None), f"{where}.{side}", named, images)
                for side in ("input", "output")]
        check_between(transform, where, [system for _, system in ends], version)
        groups.join(ends[0][0], ends[1][0])
    if len(groups.all()) > 1:
        raise ValueError("The scene's coordinate systems and images must form one connected graph of "
                         f"transformations, but fall into {len(groups.all())}: {groups.all()}")


def scene_document(scene):
    document = {}
    if scene.coordinateSystems is not None:
        document["coordinateSystems"] = [to_json(system) for system in scene.coordinateSystems]
    document["coordinateTransformations"] = [to_json(t) for t in scene.coordinateTransformations]
    return document


def write_scene(job):
    """`job` is a NodeJob of _nodes; see to_ome_zarr."""
    scene = job.node
    check_scene(scene)
    job.write({"scene": scene_document(scene)}, scene.coordinateTransformations, scene.images)


def read_scene(node, validate):
    """`node` is a Node of _nodes whose root holds a scene."""
    document = node.ome["scene"]
    if not isinstance(document, dict):
        raise ValueError(f"'ome.scene' is no object but {document!r}")
    systems = document.get("coordinateSystems")
    systems = None if systems is None else systems_from_json(systems)
    items = node.resolved(document.get("coordinateTransformations") or [])
    transforms = transforms_from_json(items, systems, node.version)
    images = {}
    for transform in transforms:
        for end in (transform.input, transform.output):
            path = end.path if isinstance(end, CoordinateSystemIdentifier) else None
            if path is not None and path not in images:
                images[check_path(path, "scene group")] = node.image(path, validate)
    scene = NgffScene(images, transforms, systems)
    if validate:
        check_scene(scene)
    return scene
