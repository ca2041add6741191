"""Levels as the caller gives them, added to an image that a directory holds."""

import json
import os

import numpy as np

from . import _core
from ._config import context
from ._documents import load
from ._stage import Stage
from ._staged import entry_of, join_documents, read_documents, write_documents, write_level
from ._stores import READ


def write_given(job, path, start, blank):
    """As ngff_write_levels does it: the new levels are made beside the store; then the document is cut down
    to the levels that stay, old ones go, new ones come, and the document that names them is last."""
    image = _core.open_image(context(), _core.open_store(context(), path, READ, 0, 0))
    flat = "/" not in image.level(0)["path"]
    _check(job, image, start)
    old = [image.level(n)["path"].split("/")[0] for n in range(start, image.level_count())]
    documents = [read_documents(path, job.version)]
    job.options.update(no_consolidate=int(documents[0][1] is None), flat_layout=int(flat))
    if "codec_json" not in job.options:
        job.options["codec_json"] = _codec(path, image.level(start - 1)["path"])
    lead = "" if flat else "scale"
    with Stage(path) as stage:
        parts = [os.path.join(stage, str(n)) for n in range(start, len(job.images))]
        for n, part in enumerate(parts, start):
            write_level(job, n, part, blank)
        _cut(documents[0], start, old)
        write_documents(path, job.version, documents[0])
        for name in old:
            os.rename(os.path.join(path, name), os.path.join(stage, f"old-{name}"))
        documents += [read_documents(part, job.version) for part in parts]
        for n, part in enumerate(parts, start):
            os.rename(os.path.join(part, f"{lead}0"), os.path.join(path, f"{lead}{n}"))
        join_documents(documents, job, start, lead)
        write_documents(path, job.version, documents[0])


def _check(job, image, start):
    """The stored image is the one that the new levels belong to."""
    found = str(json.loads(image.facts()).get("version"))
    if found != job.version:
        raise ValueError(f"version {job.version} asked for, the image is {found}")
    if start > image.level_count():
        raise ValueError(f"start_level is {start}, but the image has levels 0 to {image.level_count() - 1}")
    dtype, _, _, axes, _ = image.describe()
    mine = [axis[0] for axis in job.description[3]]
    if [axis[0] for axis in axes] != mine:
        raise ValueError(f"the image has the axes {[axis[0] for axis in axes]}, the levels have {mine}")
    if list(image.level(0)["shape"]) != list(job.description[1]):
        raise ValueError(f"the image has shape {image.level(0)['shape']}, the levels are of {job.description[1]}")
    firsts = [image.level(n)["path"].split("/")[0] for n in range(image.level_count())]
    if set(firsts[:start]) & set(firsts[start:]):
        raise NotImplementedError(f"levels share a folder, so that none is replaced: {firsts}")
    for n in range(start, len(job.images)):
        if np.dtype(job.images[n].data.dtype).name != dtype:
            raise ValueError(f"the image is {dtype}, level {n} is {job.images[n].data.dtype}")


def _codec(path, level):
    """New levels are stored like the one above them."""
    folder = os.path.join(path, *level.split("/"))
    if os.path.exists(os.path.join(folder, ".zarray")):
        return json.dumps(load(os.path.join(folder, ".zarray"))["compressor"])
    codecs = load(os.path.join(folder, "zarr.json"))["codecs"]
    if codecs[0]["name"] == "sharding_indexed":
        codecs = codecs[0]["configuration"]["codecs"]
    return json.dumps(codecs)


def _cut(documents, start, names):
    entry = entry_of(documents[0])
    entry["datasets"] = entry["datasets"][:start]
    if documents[1] is not None:
        for key in list(documents[1]):
            if key.split("/")[0] in names:
                del documents[1][key]
