"""NgffImage and Multiscales: the two objects a script passes around."""

from dataclasses import dataclass, field
from typing import Any

_DEFAULT_TYPES = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}
CANONICAL = ("t", "c", "z", "y", "x")
SPATIAL = ("z", "y", "x")


@dataclass
class NgffImage:
    """One level: an array (or something lazy with shape, dtype and indexing) and where it lies."""

    data: Any
    dims: Any
    scale: dict
    translation: dict
    name: str = "image"
    axes_units: Any = None
    axes_orientations: Any = None
    axes_types: Any = None
    channel_names: Any = None
    channel_colors: Any = None
    computed_callbacks: list = field(default_factory=list)


@dataclass
class NgffMultiscales:
    """An image and its levels, finest first, with their OME-Zarr metadata."""

    images: list
    metadata: Any
    scale_factors: Any = None
    method: Any = None
    chunks: Any = None
    generated_data_keys: Any = field(default=None, repr=False, compare=False)
    root_attributes: Any = None

    def __getstate__(self):
        """Which levels are as they were made, in place of the ids that say so in this process."""
        keys = self.generated_data_keys
        if keys and all(isinstance(key, int) for key in keys):
            keys = [key == id(image.data) for key, image in zip(keys, self.images)]
        return {**vars(self), "generated_data_keys": keys}

    def __setstate__(self, state):
        vars(self).update(state)
        keys = self.generated_data_keys
        if keys and all(isinstance(key, bool) for key in keys):
            self.generated_data_keys = [id(image.data) if key else 0 for key, image in zip(keys, self.images)]

    def to_ome_zarr(self, store, **kwargs):
        """Write to `store`; see `ngff.to_ome_zarr`."""
        from ._write import to_ome_zarr

        to_ome_zarr(store, self, **kwargs)

    @classmethod
    def from_ome_zarr(cls, store, **kwargs):
        """Read from `store`; see `ngff.from_ome_zarr`."""
        from ._read import from_ome_zarr

        return from_ome_zarr(store, **kwargs)

    def to_dask(self):
        """A copy whose levels are Dask arrays, for libraries that want those (needs dask)."""
        from dataclasses import replace

        return replace(self, images=[replace(i, data=_dask(i.data)) for i in self.images],
                       scale_factors=None, generated_data_keys=None)


def _dask(data):
    import dask.array

    if isinstance(data, dask.array.Array):
        return data
    return data.to_dask() if hasattr(data, "to_dask") else dask.array.from_array(data)


Multiscales = NgffMultiscales


def axis_type(dim):
    return _DEFAULT_TYPES.get(dim, "")


def canonical_order(dims):
    """Positions of `dims` in the order t, c, z, y, x; None when there is no such order."""
    order = [dims.index(dim) for dim in CANONICAL if dim in dims]
    return order if len(order) == len(dims) else None


def is_transform(value):
    """One of this package's or of ngff-zarr's transformations."""
    return isinstance(getattr(value, "type", None), str) and hasattr(value, "input") and hasattr(value, "to_dict")


def is_other(value):
    """Something else to write than an image: a scene or a transformation, also ngff-zarr's."""
    return is_transform(value) or (hasattr(value, "coordinateTransformations")
                                   and isinstance(getattr(value, "images", None), dict))
