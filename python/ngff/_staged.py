"""The slower ways of writing: levels as the caller gives them, arrays written by TensorStore, empty
arrays, foreign root attributes. Everything is put together in a directory beside the destination and
then published as one, so that a failure leaves the destination as it was."""

import json
import os
import shutil

from . import _core
from ._config import context
from ._documents import load, save
from ._errors import UnsupportedError
from ._pyramid import plan_levels
from ._rfc5_write import apply
from ._source import Source, is_foreign
from ._stage import Stage
from ._stores import READ, UPDATE, WRITE, location, mapping, publish
from ._write import run_write


def write_staged(job, use_tensorstore, metadata_only):
    if use_tensorstore:
        from . import _tensorstore

        _tensorstore.load()
        if _tensorstore.is_kvstore(job.store):
            return _write_kvstore(job, metadata_only)
    path = location(job.store)
    if path is not None and job.chunk_store is None:
        check_destination(path, job.overwrite)
    with Stage(path) as stage:
        root = os.path.join(stage, "whole")
        blank = use_tensorstore or metadata_only
        if job.generated():
            _write_whole(job, root, blank)
        else:
            _write_levels(job, stage, root, blank)
        apply(root, job.version, job.extras)
        add_attributes(root, job.version, {**_kept_attributes(path), **job.root_attributes})
        if use_tensorstore and not metadata_only:
            _tensorstore.fill_directory(job, root)
        publish(root, job.store, job.overwrite, job.chunk_store)


def _write_kvstore(job, metadata_only):
    """The documents are made in a directory, as for every other store, and travel from there."""
    from ._tensorstore import write_kvstore

    with Stage(None) as stage:
        root = os.path.join(stage, "whole")
        if job.generated():
            _write_whole(job, root, True)
        else:
            _write_levels(job, stage, root, True)
        apply(root, job.version, job.extras)
        add_attributes(root, job.version, job.root_attributes)
        documents = {}
        for directory, _, files in os.walk(root):
            for name in files:
                path = os.path.join(directory, name)
                with open(path, "rb") as file:
                    documents[os.path.relpath(path, root)] = file.read()
        write_kvstore(job, documents, metadata_only)


def _kept_attributes(path):
    """Root attributes of the store that is replaced, but for those of OME-Zarr."""
    if path is None or not os.path.isdir(path):
        return {}
    from ._read import foreign_attributes, root_attributes

    try:
        handle = _core.open_store(context(), path, READ, 0, 0)
        try:
            return foreign_attributes(root_attributes(handle)) or {}
        finally:
            handle.close()
    except (OSError, ValueError):
        return {}


def check_destination(path, overwrite):
    """Raises what a write to `path` would raise: it exists, or holds what is not ours to replace."""
    _core.open_store(context(), str(path), WRITE, 2 if overwrite else 0, 0).close()


def publish_directory(root, path, overwrite):
    """Gives a finished directory its name. It takes the place of an old store in one step; only a file
    system that cannot exchange two names has a moment with neither."""
    check_destination(path, overwrite)
    try:
        if _core.put_directory(root, path, bool(overwrite)):
            shutil.rmtree(root, ignore_errors=True)
    except UnsupportedError:
        _replace_by_two_renames(root, path)


def _replace_by_two_renames(root, path):
    old = f"{root}.old"
    if os.path.lexists(path):
        os.rename(path, old)
    try:
        os.rename(root, path)
    except OSError:
        if os.path.lexists(old):
            os.rename(old, path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def write_levels(job, start_level, metadata_only=False):
    """Levels from `start_level` on: out of those that the store holds, or as the caller gives them."""
    path = location(job.store)
    if not 0 < start_level < len(job.images):
        raise ValueError(f"start_level is {start_level}, expected 0 to {len(job.images) - 1}")
    if path is None or job.chunk_store is not None:
        raise ValueError("start_level adds levels to a directory")
    if job.overwrite:
        raise ValueError("start_level keeps what the store holds: pass overwrite=False with it")
    if metadata_only or not job.generated():
        from ._given import write_given

        write_given(job, str(path), start_level, metadata_only)
    else:
        store = _core.open_store(context(), path, UPDATE, 0, 0)
        try:
            _core.write_levels(context(), store, job.plan(), start_level, dict(job.options))
        finally:
            store.close()
    apply(path, job.version, job.extras)
    if job.root_attributes:
        add_attributes(path, job.version, job.root_attributes)


def _native(job, root, plan, data, description, blank):
    store = _core.open_store(context(), root, WRITE, 0, 1)
    try:
        if blank:  # every chunk holds the fill value alone: documents are all there is
            _core.write_metadata(context(), store, plan, job.options)
            return
        source = Source(data, description)
        try:
            run_write(store, plan, source, job.options)
        finally:
            source.close()
    finally:
        store.close()


def _write_whole(job, root, blank):
    _native(job, root, job.plan(), job.data, job.description, blank)


def _write_levels(job, stage, root, blank):
    """Each level as an image of its own, then one hierarchy from all of them."""
    parts = [root] + [os.path.join(stage, f"level{n}") for n in range(1, len(job.images))]
    for n, part in enumerate(parts):
        write_level(job, n, part, blank)
    documents = [read_documents(part, job.version) for part in parts]
    for n, part in enumerate(parts[1:], 1):
        os.rename(os.path.join(part, f"{job.lead}0"), os.path.join(root, f"{job.lead}{n}"))
    join_documents(documents, job, 1, job.lead)
    write_documents(root, job.version, documents[0])


def write_level(job, n, root, blank):
    """One level as an image of its own."""
    description, data = job.describe(n)
    plan = plan_levels(description, job.multiscales.method or "nearest", [], job.chunks,
                       job.per_shard, is_foreign(data))
    _native(job, root, plan, data, description, blank)


def read_documents(root, version):
    """(attributes, consolidated map or None, the whole root document)"""
    if version == "0.4":
        consolidated = os.path.join(root, ".zmetadata")
        whole = load(consolidated) if os.path.exists(consolidated) else None
        attributes = load(os.path.join(root, ".zattrs"))
        return [attributes, whole["metadata"] if whole else None, whole]
    whole = load(os.path.join(root, "zarr.json"))
    inline = whole.get("consolidated_metadata")
    return [whole["attributes"], inline["metadata"] if inline else None, whole]


def entry_of(attributes):
    return attributes.get("ome", attributes)["multiscales"][0]


def join_documents(documents, job, first, lead):
    """The datasets of single images behind those of documents[0], as levels from `first` on."""
    entry = entry_of(documents[0][0])
    for n, (attributes, consolidated, _) in enumerate(documents[1:], first):
        dataset = entry_of(attributes)["datasets"][0]
        dataset["path"] = f"{lead}{n}" + dataset["path"].removeprefix(f"{lead}0")
        for item in dataset["coordinateTransformations"]:
            if "input" in item:  # OME-Zarr 0.6 names both ends
                item.update(input={"path": dataset["path"]}, name=f"scale{n}_to_intrinsic")
        entry["datasets"].append(dataset)
        if consolidated is not None:
            for key, value in consolidated.items():
                if key == f"{lead}0" or key.startswith(f"{lead}0/"):
                    documents[0][1][f"{lead}{n}" + key.removeprefix(f"{lead}0")] = value
    about = getattr(job.flat, "metadata", None)
    for key, value in (("type", getattr(job.flat, "type", None)),
                       ("metadata", vars(about) if about else None)):
        entry.pop(key, None)
        if value:
            entry[key] = value


def write_documents(root, version, documents):
    attributes, consolidated, whole = documents
    if version == "0.4":
        save(os.path.join(root, ".zattrs"), attributes)
        if whole is not None:
            whole["metadata"] = {**consolidated, ".zattrs": attributes}
            save(os.path.join(root, ".zmetadata"), whole)
    else:
        save(os.path.join(root, "zarr.json"), whole)


def add_attributes(root, version, extra):
    if not extra:
        return
    _check_names(extra)
    documents = read_documents(root, version)
    documents[0].update(extra)
    write_documents(root, version, documents)


def update_root_attributes(store, attributes):
    """Set root attributes beside the OME metadata of a directory or a mapping. The root document is
    replaced at once; in OME-Zarr 0.4 its copy in .zmetadata is replaced just after it."""
    root = location(store)
    if root is None:
        return _update_mapping(mapping(store), dict(attributes))
    if not os.path.isdir(root):
        raise ValueError("root attributes are updated in directories and mappings, not in archives")
    version = "0.5" if os.path.exists(os.path.join(root, "zarr.json")) else "0.4"
    add_attributes(root, version, dict(attributes))


def _update_mapping(values, extra):
    def change(key, inside):
        document = json.loads(bytes(values[key]))
        inside(document).update(extra)
        values[key] = json.dumps(document, indent=2, allow_nan=False).encode()

    _check_names(extra)
    if "zarr.json" in values:
        return change("zarr.json", lambda document: document.setdefault("attributes", {}))
    change(".zattrs", lambda document: document)
    if ".zmetadata" in values:
        change(".zmetadata", lambda document: document["metadata"].setdefault(".zattrs", {}))
    return None


def _check_names(extra):
    reserved = [key for key in ("multiscales", "omero", "ome") if key in extra]
    if reserved:
        raise ValueError(f"root attributes may not hold {reserved}: they belong to OME-Zarr")
