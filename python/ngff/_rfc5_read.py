"""The metadata of OME-Zarr 0.6 from a document, with the matrices that lie in arrays."""

import json

import numpy as np

from ._metadata06 import Dataset, Metadata, level_transform
from ._rfc5_gate import check_path
from ._rfc5_write import matrices_in
from ._systems import systems_from_json
from ._transforms_json import transforms_from_json
from ._values import HandleValues


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
            except (OSError, KeyError, ValueError, NotImplementedError) as error:
                raise ValueError(f"{item['type']} keeps its matrix in the array {path!r}, which could not be "
                                 f"read: {error}") from error
    return transforms


def read_matrix(handle, path):
    """A small two-dimensional array of a store as 64-bit floats."""
    from ._arrays import as_image

    image, _ = as_image(HandleValues(handle), path)
    info = image.level(0)
    out = np.empty(info["shape"], np.dtype(image.describe()[0]))
    image.read_region(0, (0,) * out.ndim, out)
    matrix = out.astype("f8")
    if matrix.ndim != 2 or not matrix.size or not np.isfinite(matrix).all():
        raise ValueError(f"its shape is {matrix.shape}, expected a matrix of finite numbers")
    return matrix
