"""Plates in stores that are no directories: mappings, stores of zarr-python and fsspec. A call works on a
directory that has the store's documents, and what it makes there is copied to the store, a field before
the documents that name it."""

import contextlib
import os
import threading

from ._stage import Stage
from ._stores import Draft, existing_keys, mapping, writable
from ._values import DirectoryValues

_DOCUMENTS = ("zarr.json", ".zgroup", ".zattrs", ".zmetadata")
# What is read and then replaced must not change between: one call at a time in this process.
_ALONE = threading.Lock()


@contextlib.contextmanager
def whole(store, overwrite):
    """A directory for a plate's root. What the store holds is replaced, or kept when not `overwrite`."""
    values = mapping(writable(store))
    with _ALONE:
        old = existing_keys(values, True)
        with _directory(values, () if overwrite else ("",), old if overwrite else ()) as path:
            yield path


@contextlib.contextmanager
def with_field(store, well, field, others, overwrite):
    """A directory with the groups above a field. Those of `others`, and of the field itself when it is not
    to be replaced, tell that they are there."""
    values = mapping(writable(store))
    name, groups = f"{well}/{field}", {"", well.split("/")[0], well, *(f"{well}/{other}" for other in others)}
    groups = groups - {name} if overwrite else groups | {name}
    with _ALONE:
        if not any(document in values for document in _DOCUMENTS):
            existing_keys(values, True)
        old = _below(values, name) if overwrite else ()
        with _directory(values, groups, old) as path:
            try:
                yield path
            except FileExistsError:
                raise FileExistsError(f"{name}: exists already, overwriting was not asked for") from None


def _below(values, group):
    """The keys of a group; an image or none, so that nothing is listed without need."""
    there = any(f"{group}/{name}" in values for name in _DOCUMENTS)
    return [key for key in values if key.startswith(f"{group}/")] if there else []


@contextlib.contextmanager
def _directory(values, groups, old):
    """`old`: the keys that what is made replaces; those that it does not have go at the end."""
    with Stage(None) as stage:
        path = Draft(os.path.join(stage, "plate.zarr"))
        made, held = DirectoryValues(path), {}
        for key in (f"{group}/{name}".lstrip("/") for group in groups for name in _DOCUMENTS):
            if key in values:
                held[key] = made[key] = bytes(values[key])
        try:
            yield path
        except FileExistsError:  # the field is there; that it is named may have been made good
            _copy(made, held, values)
            raise
        _copy(made, held, values)
        for key in old:
            if key not in made:
                values.pop(key, None)


def _copy(made, held, values):
    """Chunks, then documents, those above last."""
    for key in sorted(made, key=lambda key: (key.rpartition("/")[2] in _DOCUMENTS, -key.count("/"))):
        value = made[key]
        if held.get(key) != value:
            values[key] = value
