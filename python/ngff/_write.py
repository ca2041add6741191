"""to_ngff_zarr and to_ome_zarr."""

import numpy as np

from . import _codecs, _core
from ._config import context
from ._image import is_other
from ._interrupt import run
from ._lazy import ComputedLevel, chunk_shape
from ._metadata import SUPPORTED_VERSIONS, Metadata
from ._metadata06 import Metadata as Metadata06
from ._metadata06 import is_plain, level_vectors
from ._methods import method_name
from ._progress import adapt
from ._pyramid import chunks_of, plan_levels
from ._source import Source, describe, is_foreign
from ._stores import Writing, is_ozx_path, location, open_for_writing


class _NoVersion(str):
    """The seed's default; an .ozx, which cannot be 0.4, takes 0.5 when nobody named a version."""


_SEED_DEFAULT = _NoVersion("0.4")


def to_ngff_zarr(store, multiscales, version=_SEED_DEFAULT, overwrite=True, use_tensorstore=False,
                 chunk_store=None, progress=None, chunks_per_shard=None, enabled_rfcs=None,
                 scale_strategy="exact", metadata_only=False, start_level=0,
                 consolidate_metadata=True, **kwargs):
    """Write an image and its levels to `store` as OME-Zarr. The store appears whole or not at all.

    `chunks_per_shard`: int, tuple or {dim: n}, OME-Zarr 0.5 only. `enabled_rfcs=[4]` writes
    anatomical orientation. `kwargs`: `compressor`, `compressors`, `chunks`, `write_empty_chunks`
    and the other arguments of zarr's create_array as far as they can be honoured; what cannot is an
    error. `scale_strategy`: both values are accepted; levels always have the size they declare."""
    if is_other(multiscales):
        from ._nodes import write_other

        return write_other(store, multiscales, None if version is _SEED_DEFAULT else version, overwrite,
                           consolidate_metadata, start_level, chunk_store, {
                               "progress": progress, "chunks_per_shard": chunks_per_shard,
                               "scale_strategy": scale_strategy, "metadata_only": metadata_only,
                               "use_tensorstore": use_tensorstore, **kwargs})
    if is_ozx_path(store) and (metadata_only or start_level):
        raise ValueError(f"{'metadata_only' if metadata_only else 'start_level'} is not for an .ozx, "
                         "which is written in one piece")
    _validate(store, use_tensorstore, scale_strategy)
    job = make_job(store, multiscales, version, chunks_per_shard, enabled_rfcs, consolidate_metadata,
                   kwargs)
    job.overwrite, job.chunk_store, job.progress = overwrite, chunk_store, progress
    if start_level:
        from ._staged import write_levels

        write_levels(job, start_level, bool(metadata_only))
    else:
        job.write(bool(use_tensorstore), bool(metadata_only))
    for image in job.images:
        for callback in getattr(image, "computed_callbacks", None) or ():
            callback()


def make_job(store, multiscales, version, chunks_per_shard, enabled_rfcs, consolidate_metadata, kwargs):
    """The arguments that all ways of writing share."""
    given = version is not _SEED_DEFAULT and version is not None
    version = str(getattr(version, "value", version)) if given else "0.4"
    if is_ozx_path(store):
        version = version if given else "0.5"
        if version not in ("0.5", "0.6"):
            raise ValueError("RFC-9 zipped OME-Zarr (.ozx) requires OME-Zarr version 0.5. "
                             f"Got version '{version}'. Please set version='0.5'.")
        chunks_per_shard = 2 if chunks_per_shard is None else chunks_per_shard
    if version not in SUPPORTED_VERSIONS:
        raise ValueError(f"Unsupported version: {version}")
    if chunks_per_shard is not None and version == "0.4":
        raise ValueError("Sharding is only supported for OME-Zarr version 0.5 and later")
    job = Job(store, multiscales, version, chunks_per_shard, kwargs)
    job.options["no_consolidate"] = int(not consolidate_metadata)
    job.options["orientation"] = int(4 in (enabled_rfcs or ()))
    return job


def to_ome_zarr(store, multiscales, version=None, overwrite=True, use_tensorstore=False,
                chunk_store=None, progress=None, chunks_per_shard=None, scale_strategy="pad",
                metadata_only=False, start_level=0, consolidate_metadata=True, **kwargs):
    """`to_ngff_zarr` with OME-Zarr 0.5 as the default."""
    if version is None:
        version = "0.6" if is_other(multiscales) else "0.5"
    to_ngff_zarr(store, multiscales, version, overwrite, use_tensorstore, chunk_store,
                 progress, chunks_per_shard, kwargs.pop("enabled_rfcs", [4]), scale_strategy,
                 metadata_only, start_level, consolidate_metadata, **kwargs)


def _validate(store, use_tensorstore, scale_strategy):
    if use_tensorstore:
        from ._tensorstore import check_store

        check_store(store)
    if scale_strategy not in ("pad", "exact"):
        raise ValueError(f"scale_strategy must be 'pad' or 'exact'; got {scale_strategy!r}")


class Job:
    """What a call asks for, worked out once."""

    def __init__(self, store, multiscales, version, chunks_per_shard, kwargs):
        self.store, self.multiscales, self.version = store, multiscales, version
        self.images = list(multiscales.images)
        if not self.images:
            raise ValueError("multiscales holds no image")
        self.flat = _flat(multiscales.metadata)
        self.first = self.images[0]
        self.dims = [axis.name for axis in self.flat.axes] or list(self.first.dims)
        self.name = getattr(self.first, "name", None) or self.flat.name or "image"
        self.description, self.data = self.describe(0)
        # "type" is the name that was asked for, as the seed has it; "metadata" names the filter that ran.
        self.options = {"version": version, "type": method_name(multiscales.method)}
        # Levels lie at scale0/NAME, …; at 0, 1, … when the metadata calls them so.
        paths = [str(dataset.path) for dataset in self.flat.datasets]
        self.lead = "" if paths and paths == [str(n) for n in range(len(paths))] else "scale"
        self.options["flat_layout"] = int(not self.lead)
        self.chunks = self._chunks(kwargs)
        self.per_shard = self._per_shard(chunks_per_shard)
        self._codec_options(dict(kwargs))
        self.extras = self._extras(multiscales.metadata)
        self.root_attributes = dict(getattr(multiscales, "root_attributes", None) or {})

    def describe(self, level):
        """Description and data of one level; positions come from the metadata."""
        image = self.images[level]
        units = {a.name: getattr(a, "unit", None) for a in self.flat.axes}
        turns = {a.name: getattr(a, "orientation", None) for a in self.flat.axes}
        description, data = describe(
            image, self.name, self.flat.omero,
            {**(getattr(image, "axes_units", None) or {}), **{k: v for k, v in units.items() if v}},
            {**(getattr(image, "axes_orientations", None) or {}),
             **{k: v for k, v in turns.items() if v}})
        scale, translation = _transforms(self.flat, level)
        names = [axis.name for axis in self.flat.axes]
        axes = [(d, t, u, o, _at(names, scale, d, s), _at(names, translation, d, p))
                for d, t, u, o, s, p in description[3]]
        return (*description[:3], axes, description[4]), data

    def _chunks(self, kwargs):
        chunks = kwargs.get("chunks")
        if chunks is None:
            chunks = self.multiscales.chunks
        if chunks is None:  # levels that were read, or put together by hand, keep their chunks
            chunks = {d: n for d, n in zip(self.first.dims, chunk_shape(self.first.data)) if n}
        if isinstance(chunks, (tuple, list)) and len(chunks) != len(self.first.dims):
            raise ValueError(f"chunks must have one value for each of {tuple(self.first.dims)}")
        return chunks_of(chunks, self.first)

    def _extras(self, metadata):
        """What a document holds beyond axes and levels; None when the C half writes all of it."""
        if is_plain(metadata, self.version):
            return None
        from ._rfc5_write import extras_of

        return extras_of(metadata, self.version, [axis[0] for axis in self.description[3]])

    def _per_shard(self, value):
        dims = [axis[0] for axis in self.description[3]]
        if value is None:
            return []
        if isinstance(value, (int, np.integer)):
            return [int(value)] * len(dims)
        if hasattr(value, "items"):
            return [int(value.get(d, 1)) for d in dims]
        if not isinstance(value, (tuple, list)):
            raise ValueError("chunks_per_shard must be an int, tuple, or dict")
        if len(value) != len(dims):
            raise ValueError(f"chunks_per_shard must be a tuple of length {len(dims)}")
        return [int(n) for n in value]

    def _codec_options(self, kwargs):
        kwargs.pop("chunks", None)
        if "compressors" in kwargs and self.version == "0.4":
            raise ValueError("The argument `compressors` are not supported for OME-Zarr version "
                             "0.4. (Zarr v3). Use `compression` instead.")
        dtype = np.dtype(self.data.dtype)
        for name in ("compressor", "compressors"):
            if name in kwargs:
                value = kwargs.pop(name)
                if value == "auto":
                    continue
                self.options["codec_json"] = (_codecs.v2_json(value) if self.version == "0.4"
                                              else _codecs.v3_json(value, dtype))
        self.options["write_empty_chunks"] = int(bool(kwargs.pop("write_empty_chunks", False)))
        harmless = {"dimension_separator": ("/", None), "order": ("C", None), "filters": (None, (), []),
                    "zarr_format": (2 if self.version == "0.4" else 3, None), "fill_value": (0, None),
                    "dimension_names": (None,), "serializer": ("auto", None)}
        for name, value in kwargs.items():
            if name not in harmless:
                raise TypeError(f"to_ngff_zarr() got an unexpected keyword argument {name!r}")
            if not any(value is ok or value == ok for ok in harmless[name]):
                raise ValueError(f"{name}={value!r} cannot be honoured")

    def generated(self):
        """True when every coarser level is what to_multiscales made, so that it is computed natively
        on the way; False when levels are to be written as they are given."""
        if len(self.images) == 1:
            return True
        if self.multiscales.scale_factors is None or self.multiscales.method is None:
            return False
        if isinstance(self.multiscales.scale_factors, int):
            return False
        keys = getattr(self.multiscales, "generated_data_keys", None)
        if any(isinstance(i.data, ComputedLevel) for i in self.images):
            return self._ours_untouched(keys)
        names = [getattr(image.data, "name", None) for image in self.images]
        if keys is None:
            return all(isinstance(name, str) for name in names)
        return names[1:] == list(keys)[1:]

    def _ours_untouched(self, keys):
        if keys is None or [id(image.data) for image in self.images] != list(keys):
            return False
        plan = self.plan()
        for n in range(len(self.images)):
            info = plan.level(n) if n < plan.level_count() else None
            axes = self.describe(n)[0][3]
            if info is None or not np.allclose([a[4] for a in axes], info["scale"], 1e-9, 0):
                return False
            if not np.allclose([a[5] for a in axes], info["translation"], 1e-9, 1e-12):
                return False
        return True

    def levels(self):
        """Method, factors, chunks and chunks per shard, as plan_levels takes them."""
        factors = [] if len(self.images) == 1 else list(self.multiscales.scale_factors)
        return (self.multiscales.method or "itkwasm_gaussian", factors[:len(self.images) - 1],
                self.chunks, self.per_shard)

    def plan(self):
        return plan_levels(self.description, *self.levels(), is_foreign(self.data))

    def write(self, use_tensorstore, metadata_only):
        """Everything, by the way that fits."""
        path = location(self.store)
        plain = self.chunk_store is None and not use_tensorstore and not metadata_only
        client = None
        if plain and path is not None and not is_ozx_path(path) and self.generated():
            from ._parts import cluster_client, write_on_cluster

            client = cluster_client(self.data)
        if client is not None:
            write_on_cluster(self, client, adapt(self.progress, len(self.images)))
        elif use_tensorstore or metadata_only or not self.generated() or self.root_attributes \
                or (self.extras is not None and self.extras.native is None):
            from ._staged import write_staged

            write_staged(self, use_tensorstore, metadata_only)
        else:
            self.write_native()

    def write_native(self):
        if self.extras is not None:
            self.options["coordinates_json"] = self.extras.native
        plan, progress = self.plan(), adapt(self.progress, len(self.images))
        source = Source(self.data, self.description)
        try:
            with Writing(open_for_writing(self.store, self.overwrite, self.chunk_store)) as target:
                report = run_write(target, plan, source, self.options, progress)
        finally:
            source.close()
        if hasattr(progress, "finish"):
            progress.finish()
        return report


def run_write(store, plan, source, options, progress=None):
    """The native job; Ctrl-C ends it."""
    options = source.expect(plan, options)
    cancel = bytearray(1)
    return run(lambda: _core.write(context(), store, plan, source.native, options, progress, cancel),
               cancel, source.stop)


def _flat(metadata):
    """The metadata as 0.5 has it; newer models are converted, also the peer's."""
    if metadata is None:
        return Metadata([], [])
    if getattr(metadata, "coordinateSystems", None):
        return Metadata06.from_version(metadata).flat("0.5")
    if not hasattr(metadata, "axes") and hasattr(metadata, "to_version"):
        return metadata.to_version("0.5")
    return metadata


def _transforms(flat, level):
    """Scale and translation of a level, or None where the metadata does not say."""
    if level >= len(flat.datasets):
        return None, None
    dataset, count = flat.datasets[level], len(flat.axes)
    kinds = {step.type for step in dataset.coordinateTransformations or ()}
    found = level_vectors(dataset.coordinateTransformations, count)
    for kind, values in zip(("scale", "translation"), found):
        if kind in kinds and count and len(values) != count:
            raise ValueError(f"dataset {dataset.path!r} gives {len(values)} {kind} values for its {count} axes")
    return tuple(values if kind in kinds else None for kind, values in zip(("scale", "translation"), found))


def _at(names, values, dim, default):
    if values is None or dim not in names or len(values) != len(names):
        return default
    return float(values[names.index(dim)])


