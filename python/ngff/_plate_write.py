"""Writing plates: to_hcs_zarr, write_hcs_well_image, HCSPlateWriter.

A field is written first, whole or not at all, and then named in the document of its well, so that no
reader is led to a field that is not there. Documents are replaced as a whole; those of a well by one
thread or process at a time."""

import contextlib
import os
import threading

from ._metadata import WellImage
from ._plate import (check_path, check_version, group_version, is_consolidated, parse_plate,
                     parse_well, plate_attributes, read_group, version_of, well_attributes,
                     write_group)
from ._plate_rules import check_plate_to_write
from ._stage import Stage, hold
from ._stores import Draft, is_ozx_path, location, publish


def _directory(store):
    """The path of a directory that a plate is written to; None for a store that has none."""
    return store if isinstance(store, Draft) else location(store)


def _flushed(path):
    return not isinstance(path, Draft)


def _locks():
    kept, guard = {}, threading.Lock()

    def lock(path):
        with guard:
            return kept.setdefault(os.path.realpath(path), threading.Lock())
    return lock


_thread_lock = _locks()


@contextlib.contextmanager
def _alone(path):
    """One thread and, where the file system has locks of directories, one process at a time."""
    with _thread_lock(path):
        handle = hold(path, wait=True)
        try:
            yield
        finally:
            if handle is not None:
                os.close(handle)


# ---- the plate's own document -------------------------------------------------------------------


def to_hcs_zarr(plate, store, overwrite=True):
    """Write the document of a plate. `overwrite=True` replaces the Zarr hierarchy that is there, wells
    and all, but never a directory with other files; `overwrite=False` keeps it and sets the plate's
    metadata in it."""
    check_version(version_of(plate.metadata.version), plate.metadata)
    path = _directory(store)
    if path is None:
        from ._plate_values import whole

        with whole(store, overwrite) as path:
            return _put_plate(path, plate.metadata, overwrite)
    return _put_plate(path, plate.metadata, overwrite)


def _put_plate(path, plate, overwrite):
    if not _create(path, plate, overwrite):
        _merge(path, plate)


def _holds_group(path):
    """Whether a directory holds a Zarr group; one with other things is left alone."""
    if group_version(path) is not None:
        return True
    if os.path.isdir(path) and any(not name.startswith(".ngff-") for name in os.listdir(path)):
        raise FileExistsError(f"{path}: holds other things than a Zarr hierarchy: it is left alone")
    return False


def _attributes(plate):
    attributes = plate_attributes(plate)
    check_plate_to_write(plate, attributes)
    return attributes


def _create(path, plate, overwrite):
    """The root as a whole, by way of a directory beside it. False, and nothing is done, when there is a
    group that is not to be replaced."""
    attributes, version = _attributes(plate), version_of(plate.version)
    parent = os.path.dirname(os.path.abspath(path))
    os.makedirs(parent, exist_ok=True)
    # The directory of a draft is locked by its stage.
    with _alone(parent) if _flushed(path) else contextlib.nullcontext():
        if not overwrite and not is_ozx_path(path) and _holds_group(path):
            return False
        with Stage(path) as stage:
            write_group(stage, attributes, version, flush=False)
            publish(stage, path, overwrite)
    return True


def _merge(path, plate):
    """The plate's metadata into the root that is there, whose other attributes stay."""
    attributes, version = _attributes(plate), version_of(plate.version)
    if (group_version(path) == 2) != (version == "0.4"):
        raise ValueError(f"{path}: a plate of version {version!r} cannot be put into a group of Zarr "
                         f"v{group_version(path)}")
    with _alone(path):
        found = read_group(path)
        ome = found.get("ome", {})
        if "multiscales" in found or "multiscales" in ome:
            raise FileExistsError(f"{path}: holds an image, not a plate")
        if "ome" in attributes:
            attributes["ome"] = {**ome, **attributes["ome"]}
        write_group(path, {**found, **attributes}, version)


def _ensure_plate(path, plate, version):
    """A root that says what the plate is; one that does already is left as it is."""
    if not _holds_group(path):
        _create(path, plate, False)
    known = parse_plate(read_group(path))
    if known is None:
        _merge(path, plate)
    elif known.version != version:
        raise ValueError(f"version {version!r} does not match the plate's version {known.version!r} in "
                         f"{path}: a plate and its wells are of one version")
    elif is_consolidated(path):
        with _alone(path):
            write_group(path, read_group(path), version)


# ---- fields -------------------------------------------------------------------------------------


def write_hcs_well_image(store, multiscales, plate_metadata, row_name, column_name, field_index=0,
                         acquisition_id=0, well_metadata=None, version="0.4", **kwargs):
    """Write one field of view of a well into the directory of a plate, and name it in the well's
    document. A field that is there is replaced unless `overwrite=False` is given. `kwargs`: those of
    `to_ome_zarr`. `well_metadata` gives the order and acquisitions of the well's fields; it is not
    changed, and fields that are not written yet are left out."""
    version = version_of(version)
    check_version(version, plate_metadata)
    well_path = _well_path(plate_metadata, row_name, column_name, acquisition_id)
    path, name = _directory(store), str(field_index)
    check_path(well_path, "plate group")
    if not name.isascii() or not name.isalnum():
        raise ValueError(f"field_index {field_index!r}: a field's name is made of letters and digits")
    if is_ozx_path(store) and not (path and os.path.isdir(path)):
        raise ValueError("an .ozx is written in one piece: use HCSPlateWriter")
    image = WellImage(name, acquisition_id)
    if path is not None:
        return _put_field(path, well_path, image, multiscales, plate_metadata, well_metadata, version, kwargs)
    from ._plate_values import with_field

    others = [entry.path for entry in well_metadata.images] if well_metadata is not None else []
    for other in others:
        check_path(other, "well group")
    with with_field(store, well_path, name, others, kwargs.get("overwrite", True)) as path:
        return _put_field(path, well_path, image, multiscales, plate_metadata, well_metadata, version, kwargs)


def _put_field(path, well_path, image, multiscales, plate_metadata, well_metadata, version, kwargs):
    _ensure_plate(path, plate_metadata, version)
    well = type(path)(os.path.join(path, *well_path.split("/")))
    try:
        _write_field(well, image.path, multiscales, version, kwargs)
    except FileExistsError:
        _name_forgotten(well, image, well_metadata, version)
        raise
    with _alone(well):
        _name_field(well, image, well_metadata, version)


def _well_path(plate, row_name, column_name, acquisition_id):
    known = [item.id for item in plate.acquisitions or ()]
    if len(known) > 1 and acquisition_id not in known:
        raise ValueError(f"The plate declares {len(known)} acquisitions, so every well image must "
                         f"reference one: pass acquisition_id, one of {known}; got {acquisition_id}.")
    if row_name not in [row.name for row in plate.rows]:
        raise ValueError(f"Row '{row_name}' not found in plate metadata")
    if column_name not in [column.name for column in plate.columns]:
        raise ValueError(f"Column '{column_name}' not found in plate metadata")
    well_path = f"{row_name}/{column_name}"
    if well_path not in [well.path for well in plate.wells]:
        raise ValueError(f"Well '{well_path}' not found in plate metadata")
    return well_path


def _write_field(well, name, multiscales, version, kwargs):
    """The groups above come first, still without images: a directory of numbers alone could be taken for
    chunks of an array."""
    from ._write import to_ome_zarr

    os.makedirs(well, exist_ok=True)
    for group in (os.path.dirname(well), well):
        if group_version(group) is None:
            with _alone(group):
                if group_version(group) is None:
                    write_group(group, {}, version, _flushed(well))
    to_ome_zarr(type(well)(os.path.join(well, name)), multiscales, version=version, **kwargs)


def _name_forgotten(well, image, given, version):
    """A field that is whole, but whose writer was killed before it was named."""
    found = read_group(os.path.join(well, image.path)) or {}
    if "multiscales" not in found.get("ome", found):
        return
    with _alone(well):
        if image.path not in [entry.path for entry in parse_well(read_group(well) or {}).images]:
            _name_field(well, image, given, version)


def _name_field(well, image, given, version):
    """The well's document with this field: those that are given first, in their order, then the others."""
    attributes = read_group(well) or {}
    images = {}
    for entry in given.images if given is not None else ():
        check_path(entry.path, "well group")
        if group_version(os.path.join(well, entry.path)) is not None:
            images[entry.path] = WellImage(entry.path, entry.acquisition)
    images.update((entry.path, entry) for entry in parse_well(attributes).images)
    images[image.path] = image
    made = well_attributes(images.values(), version)
    if "ome" in made:
        made["ome"] = {**attributes.get("ome", {}), **made["ome"]}
    write_group(well, {**attributes, **made}, version, _flushed(well))


# ---- a plate as one job -------------------------------------------------------------------------


class HCSPlateWriter:
    """`with HCSPlateWriter(store, plate) as writer:` and `writer.write_well_image(…)`, from any number of
    threads. A directory grows field by field; an .ozx is put together in a hidden directory beside it and
    appears, whole, when the block ends without an error."""

    def __init__(self, store, plate_metadata, version=None, overwrite=True):
        self.final_store, self.plate_metadata, self.overwrite = store, plate_metadata, overwrite
        self.version = version_of(plate_metadata.version if version is None else version)
        self.is_ozx = is_ozx_path(store)
        self._temp_store = self._temp_dir = None
        check_version(self.version, plate_metadata)
        if self.is_ozx and self.version == "0.4":
            raise ValueError("RFC-9 zipped OME-Zarr (.ozx) requires OME-Zarr version 0.5 or later (Zarr "
                             f"v3). Got version '{self.version}'.")

    def __enter__(self):
        from ._plate_read import HCSPlate
        from ._staged import check_destination

        if self.is_ozx:
            path = location(self.final_store)
            check_destination(path, self.overwrite)
            self._stage = Stage(path)
            self._temp_dir = self._stage.path
            self._temp_store = Draft(os.path.join(self._temp_dir, "plate.zarr"))
        try:
            store = self._temp_store or self.final_store
            to_hcs_zarr(HCSPlate(store, self.plate_metadata), store, overwrite=self.overwrite)
        except BaseException:
            self._clean()
            raise
        return self

    def __exit__(self, kind, error, trace):
        try:
            if kind is None and self.is_ozx:
                publish(self._temp_store, location(self.final_store), self.overwrite)
        finally:
            self._clean()
        return False

    def _clean(self):
        if self._temp_dir is not None:
            self._stage.close()

    def write_well_image(self, multiscales, row_name, column_name, field_index=0, acquisition_id=0,
                         well_metadata=None, **kwargs):
        """One field of view, as `write_hcs_well_image` writes it. A field that is there is replaced only
        when the writer, or this call, has `overwrite=True`."""
        kwargs.setdefault("overwrite", self.overwrite)
        write_hcs_well_image(self._temp_store or self.final_store, multiscales, self.plate_metadata,
                             row_name, column_name, field_index, acquisition_id, well_metadata,
                             self.version, **kwargs)
