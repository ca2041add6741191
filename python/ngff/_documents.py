"""Documents of Zarr in directories: read, and replaced as a whole."""

import json
import os
import threading


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def load_if_there(path):
    try:
        return load(path)
    except FileNotFoundError:
        return None


def save(path, document, flush=False):
    """The whole file or the old one. The name while it is written is one that this project's stores
    know as their own, should it be left behind."""
    folder, name = os.path.split(path)
    os.makedirs(folder, exist_ok=True)
    part = os.path.join(folder, f".ngff-{os.getpid()}-{threading.get_ident()}-{name.lstrip('.')}")
    text = json.dumps(document, indent=2, allow_nan=False)
    with open(part, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        if flush:
            os.fsync(file.fileno())
    os.replace(part, path)


def group_document(attributes=None):
    return {"zarr_format": 3, "node_type": "group", "attributes": attributes or {}}


def inline(documents):
    """Consolidated metadata of Zarr v3; a group among the documents has empty ones of its own."""
    return {"kind": "inline", "must_understand": False, "metadata": documents}
