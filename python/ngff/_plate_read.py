"""from_hcs_zarr: plates, their wells and fields; each is read when it is asked for and kept in a cache
of bounded size. Threads may share a plate."""

import threading
from collections import OrderedDict

from ._plate import check_path, parse_plate, parse_well
from ._read import from_ngff_zarr, root_attributes
from ._stores import below, location, open_for_reading


class LRUCache:
    """The `max_size` values that were used last."""

    def __init__(self, max_size=100):
        self.max_size, self.cache, self._lock = max_size, OrderedDict(), threading.Lock()

    def get(self, key):
        with self._lock:
            if key not in self.cache:
                return None
            self.cache.move_to_end(key)
            return self.cache[key]

    def set(self, key, value):
        with self._lock:
            self.cache[key] = value
            self.cache.move_to_end(key)
            while len(self.cache) > max(1, self.max_size):
                self.cache.popitem(last=False)

    def __contains__(self, key):
        return key in self.cache

    def __getitem__(self, key):
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    __setitem__ = set

    def clear(self):
        with self._lock:
            self.cache.clear()


def _size(given, name):
    from ._config import config

    return given or getattr(config, name)


class HCSPlate:
    """The metadata of a plate, and its wells by name or position."""

    def __init__(self, store, plate_metadata, well_cache_size=None, image_cache_size=None,
                 validate=False):
        self.store, self.metadata, self.image_cache_size = store, plate_metadata, image_cache_size
        self._validate = validate
        self._wells = LRUCache(_size(well_cache_size, "hcs_well_cache_size"))
        self._handle = None

    name = property(lambda self: self.metadata.name)
    rows = property(lambda self: self.metadata.rows)
    columns = property(lambda self: self.metadata.columns)
    wells = property(lambda self: self.metadata.wells)
    acquisitions = property(lambda self: self.metadata.acquisitions)
    field_count = property(lambda self: self.metadata.field_count)

    def get_well(self, row_name, column_name):
        """The well, or None when the plate has none there; KeyError while it was not written yet."""
        path = f"{row_name}/{column_name}"
        entry = next((well for well in self.metadata.wells if well.path == path), None)
        if entry is None:
            return None
        well = self._wells.get(path)
        if well is None:
            if self._handle is None:
                self._handle = open_for_reading(self.store)
            well = HCSWell._load(self.store, self._handle, path, entry, self.image_cache_size)
            if self._validate:
                from ._structural import validate_well

                validate_well(self.metadata, well.metadata)
            self._wells[path] = well
        return well

    def get_well_by_indices(self, row_index, column_index):
        """The well at a position, or None."""
        rows, columns = self.metadata.rows, self.metadata.columns
        if not (0 <= row_index < len(rows) and 0 <= column_index < len(columns)):
            return None
        return self.get_well(rows[row_index].name, columns[column_index].name)


class HCSWell:
    """A well and its fields of view."""

    def __init__(self, store, well_path, well_metadata, well_group_metadata, image_cache_size=None):
        self.store, self.path = store, well_path
        self.plate_metadata, self.metadata = well_metadata, well_group_metadata
        self._images = LRUCache(_size(image_cache_size, "hcs_image_cache_size"))
        self._handle = None

    @classmethod
    def from_store(cls, store, well_path, well_metadata, image_cache_size=None):
        return cls._load(store, open_for_reading(store), well_path, well_metadata, image_cache_size)

    @classmethod
    def _load(cls, store, handle, path, entry, image_cache_size):
        check_path(path, "plate group")
        try:
            attributes = root_attributes(handle, f"{path}/")
        except FileNotFoundError:
            raise KeyError(path) from None
        well = cls(store, path, entry, parse_well(attributes), image_cache_size)
        well._handle = handle
        return well

    row_index = property(lambda self: self.plate_metadata.rowIndex)
    column_index = property(lambda self: self.plate_metadata.columnIndex)
    images = property(lambda self: self.metadata.images)

    def get_image(self, field_index=0):
        """A field of view, or None; its pixels are read when they are indexed."""
        if not 0 <= field_index < len(self.metadata.images):
            return None
        name = self.metadata.images[field_index].path
        check_path(name, "well group")
        path = f"{self.path}/{name}"
        image = self._images.get(path)
        if image is None:
            image = self._images[path] = self._open(path)
        return image

    def _open(self, path):
        return from_ngff_zarr(below(self.store, self._handle, path))

    def get_image_by_acquisition(self, acquisition_id, field_index=0):
        """The `field_index`-th field of an acquisition, or None."""
        fields = [n for n, image in enumerate(self.metadata.images)
                  if image.acquisition == acquisition_id]
        return self.get_image(fields[field_index]) if 0 <= field_index < len(fields) else None


def from_hcs_zarr(store, validate=False, well_cache_size=None, image_cache_size=None):
    """Read a plate from a directory, an .ozx or a mapping. `validate`: its documents are held against
    the specification, those of a well when it is loaded."""
    handle = open_for_reading(store)
    attributes = root_attributes(handle)
    plate = parse_plate(attributes)
    if plate is None:
        raise ValueError(f"No plate metadata found in store {location(store) or ''}".rstrip())
    if validate:
        from ._structural import validate as check
        from ._structural import validate_plate

        check(attributes, version=plate.version, model="plate")
        validate_plate(plate)
    made = HCSPlate(store, plate, well_cache_size, image_cache_size, validate)
    made._handle = handle
    return made
