"""The metadata of OME-Zarr 0.6 from a document, with the matrices that lie in arrays."""

import json

import numpy as np

from . import _core
from ._config import context
from ._metadata06 import Dataset, Metadata, level_transform
from ._rfc5_gate import check_path
from ._rfc5_write import matrices_in
from ._systems import systems_from_json
from ._transforms_json import transforms_from_json


def metadata_from_json(entry, handle, levels, omero, method, version):
    """`entry` of `multiscales` in the store `handle`; `levels` are (path, scale, translation)."""
    systems = systems_from_json(entry.get("coordinateSystems"))
    if not systems:
        raise ValueError("OME-Zarr 0.6 metadata without coordinateSystems")
    datasets = []
    for n, (item, level) in enumerate(zip(entry["datasets"], levels)):
        steps = transforms_from_json(item.get("coordinateTransformations"), systems, version)
        if not steps or steps[0].output is None:
            steps = [level_transform(n, *level, system=systems[0].name)]
        datasets.append(Dataset(item["path"], steps))
    found = json.loads(json.dumps(entry.get("coordinateTransformations") or []))
    transforms = transforms_from_json(resolve(found, handle), systems, version)
    return Metadata(systems, datasets, transforms or None, omero, entry.get("name", "image"), entry.get("type"),
                    method)


def resolve(transforms, handle):
    """Puts the matrices of arrays into JSON, in place, beside their paths."""
    for item in matrices_in(transforms):
        if item.get(item["type"]) is None and isinstance(item.get("path"), str):
            path = check_path(item["path"], "image")
            try:
                item[item["type"]] = read_matrix(handle, path).tolist()
            except (OSError, KeyError, ValueError) as error:
                raise ValueError(f"{item['type']} keeps its matrix in the array {path!r}, which could not be "
                                 f"read: {error}") from error
    return transforms


class _OneArray:
    """A store that shows one array of another one as an image of one level, so that the C half, which
    knows every codec, reads it."""

    def __init__(self, handle, path):
        self.handle, self.path = handle, path
        v3 = _value(handle, f"{path}/zarr.json") is not None
        entry = {"axes": [{"name": name, "type": "space"} for name in "yx"], "datasets": [
            {"path": path, "coordinateTransformations": [{"type": "scale", "scale": [1, 1]}]}]}
        ome = {"version": "0.5", "multiscales": [entry]} if v3 else None
        document = ({"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}} if v3
                    else {"multiscales": [{**entry, "version": "0.4"}]})
        self.own = {"zarr.json" if v3 else ".zattrs": json.dumps(document).encode()}
        if not v3:
            self.own[".zgroup"] = b'{"zarr_format": 2}'

    def _value(self, key):
        if "/" not in key:
            return self.own.get(key)
        return _value(self.handle, key)

    def get(self, key, offset, size):
        value = self._value(key)
        return None if value is None else memoryview(value)[offset:offset + size]

    def size(self, key):
        value = self._value(key)
        return None if value is None else len(value)

    def list(self, prefix):
        return []


def _value(handle, key):
    try:
        return bytes(handle.get_value(key))
    except (FileNotFoundError, KeyError):
        return None


def read_matrix(handle, path):
    """A small two-dimensional array of a store as 64-bit floats."""
    image = _core.open_image(context(), _core.callback_store(context(), _OneArray(handle, path)))
    info = image.level(0)
    out = np.empty(info["shape"], np.dtype(image.describe()[0]))
    image.read_region(0, (0,) * out.ndim, out)
    matrix = out.astype("f8")
    if not matrix.size or not np.isfinite(matrix).all():
        raise ValueError(f"its shape is {matrix.shape}, expected a matrix of finite numbers")
    return matrix
