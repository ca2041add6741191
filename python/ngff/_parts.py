"""Writing one image from many processes: plan -> write partition -> finalize.

`plan_write` puts the documents into a hidden directory beside the destination. Any process that sees the
directory writes partitions: whole shards of level 0, so that no two of them touch a file, and a partition
that is written again only adds what is missing. `finalize` computes the other levels out of level 0 and
renames the directory into place; before that the destination is as it was."""

import itertools
import math
import os
import time
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from . import _core
from ._config import context
from ._errors import ExistsError
from ._lazy import LazyArray
from ._pyramid import plan_levels
from ._stores import UPDATE, WRITE, join, location

_PART_BYTES = 1 << 26


@dataclass
class WritePlan:
    """What every process must know; small, and pickles."""

    path: str
    stage: str
    overwrite: bool
    description: tuple = field(repr=False)
    levels: tuple = field(repr=False)  # method, factors, chunks, chunks per shard
    options: dict = field(repr=False)
    root_attributes: dict = field(repr=False)
    extras: Any = field(repr=False)  # of OME-Zarr 0.6
    partitions: list = field(repr=False)  # [(start, shape)] in elements of level 0
    unit: tuple = field(repr=False)  # extents of a shard, or of a chunk without shards

    @property
    def root(self):
        return os.path.join(self.stage, "whole")

    def region(self, number):
        """Slices of level 0 that a partition holds."""
        return tuple(slice(s, s + n) for s, n in zip(*self.partitions[number]))

    def write(self, number, pixels):
        """Writes the pixels of one partition. Idempotent: shards that are stored already stay."""
        start, shape = self.partitions[number]
        pixels = np.ascontiguousarray(np.asarray(pixels), np.dtype(self.description[0]))
        if pixels.shape != tuple(shape):
            raise ValueError(f"partition {number} has shape {tuple(shape)}, not {pixels.shape}")
        with join(self.root) as writer:
            self._write_missing(writer, start, pixels)
        return number

    def _write_missing(self, writer, start, pixels):
        dtype = self.description[0]
        try:
            return writer.write_region(0, start, dtype, pixels)
        except ExistsError:
            pass  # some of it is stored, or being written
        for at in itertools.product(*(range(0, n, u) for n, u in zip(pixels.shape, self.unit))):
            part = pixels[tuple(slice(a, a + u) for a, u in zip(at, self.unit))]
            self._write_shard(writer, tuple(s + a for s, a in zip(start, at)), part)

    def _write_shard(self, writer, start, pixels):
        until = time.monotonic() + 120
        while True:
            try:
                return writer.write_region(0, start, self.description[0], pixels)
            except ExistsError as error:
                if "another writer" not in str(error):
                    return None  # it is stored
                if time.monotonic() > until:  # alive, at work, and no end of it
                    raise
            time.sleep(0.05)

    def finalize(self):
        """Computes the coarser levels and puts the image where it belongs."""
        from ._rfc5_write import apply
        from ._staged import add_attributes, publish_directory

        method, factors, chunks, per_shard = self.levels
        if factors:
            plan = plan_levels(self.description, method, factors, chunks, per_shard)
            store = _core.open_store(context(), self.root, UPDATE, 0, 0)
            try:
                _core.write_levels(context(), store, plan, 1, self.options)
            finally:
                store.close()
        _sweep(self.root)
        apply(self.root, self.options["version"], self.extras)
        add_attributes(self.root, self.options["version"], self.root_attributes)
        publish_directory(self.root, self.path, self.overwrite)
        remove(self.stage)

    def abandon(self):
        """Forgets everything; the destination is as it was."""
        remove(self.stage)


def remove(path):
    import shutil

    shutil.rmtree(path, ignore_errors=True)


def _sweep(root):
    """Removes what writers that were killed left: claims, and values that never got their name."""
    remove(os.path.join(root, ".ngff-claims"))
    for directory, _, files in os.walk(root):
        for name in files:
            if name.startswith(".ngff-"):
                os.unlink(os.path.join(directory, name))


def plan_write(store, multiscales, version="0.5", overwrite=True, chunks_per_shard=None,
               enabled_rfcs=None, consolidate_metadata=True, **kwargs):
    """The plan of `to_ngff_zarr(…)` for many processes: call `.write(n, pixels)` for each of its
    `.partitions` anywhere, then `.finalize()` once."""
    from ._write import make_job

    job = make_job(store, multiscales, version, chunks_per_shard, enabled_rfcs,
                   consolidate_metadata, kwargs)
    job.overwrite = overwrite
    return plan_of(job)


def plan_of(job):
    from ._stage import lasting_stage
    from ._staged import check_destination

    path = location(job.store)
    if path is None or path.endswith((".ozx", ".zip")):
        raise ValueError("partitions are written into a directory")
    if not job.generated():
        raise ValueError("partitions need levels as to_multiscales made them; a level was changed")
    check_destination(path, job.overwrite)
    levels = job.levels()
    image = plan_levels(job.description, *levels)
    unit = image.level(0)["shards"]
    plan = WritePlan(os.path.abspath(path), lasting_stage(path), bool(job.overwrite), job.description, levels,
                     dict(job.options), job.root_attributes, job.extras, [], tuple(unit))
    try:
        store = _core.open_store(context(), plan.root, WRITE, 0, 0)
        try:
            _core.write_metadata(context(), store, image, plan.options)
        finally:
            store.close()
    except BaseException:
        plan.abandon()
        raise
    extents = _extents(job.data, unit)
    return replace(plan, partitions=list(_cut(job.data.shape, extents)))


def _extents(data, unit):
    """Whole shards that hold at least a chunk of the source, and more along the fast axes while small."""
    from ._lazy import chunk_shape

    extents = [-(-max(c, u) // u) * u for c, u in zip(chunk_shape(data), unit)]
    size = math.prod(extents) * np.dtype(data.dtype).itemsize
    for axis in reversed(range(len(extents))):
        while size * 2 <= _PART_BYTES and extents[axis] < data.shape[axis]:
            extents[axis], size = extents[axis] * 2, size * 2
    return extents


def _cut(shape, extents):
    for start in itertools.product(*(range(0, n, e) for n, e in zip(shape, extents))):
        yield start, tuple(min(e, n - s) for e, n, s in zip(extents, shape, start))


# ---- a Dask cluster -----------------------------------------------------------------------------


def cluster_client(data):
    """The client of `distributed` that would compute a Dask array, or None."""
    import sys

    if "distributed" not in sys.modules or not hasattr(data, "__dask_graph__") or \
            isinstance(data, LazyArray):
        return None
    import dask

    chosen = dask.config.get("scheduler", None)
    if chosen not in (None, "distributed", "dask.distributed"):
        return None
    try:
        return sys.modules["distributed"].get_client()
    except ValueError:
        return None


def write_part(plan, number, pixels):
    """On a worker."""
    try:
        return plan.write(number, pixels)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"this worker does not see {plan.root}: a cluster writes to a file "
                                "system that all of its workers and the client share") from error


def write_on_cluster(job, client, progress=None):
    """Workers compute the array and write its shards; the rest is done here."""
    import dask
    from distributed import as_completed

    plan = plan_of(job)
    futures = []
    try:
        write = dask.delayed(write_part, pure=False)
        tasks = [write(plan, n, job.data[plan.region(n)]) for n in range(len(plan.partitions))]
        futures = client.compute(tasks)
        total, done = sum(math.prod(shape) for _, shape in plan.partitions), 0
        for future in as_completed(futures):
            done += math.prod(plan.partitions[future.result()][1])
            if progress is not None:
                progress("write", 0, 1, done, total)
        plan.finalize()
    except BaseException:
        client.cancel(futures)
        plan.abandon()
        raise
