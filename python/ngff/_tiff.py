"""TIFF files as images: all series of a file, or those that are named."""

import os
import re
import warnings
from dataclasses import replace

from ._errors import make
from ._files import file_array, image_file_series, image_of
from ._image import SPATIAL, NgffMultiscales, axis_type
from ._metadata import Axis, Dataset, Metadata, Scale, Translation
from ._source import transposed

_SAMPLES = {3: ["FF0000", "00FF00", "0000FF"], 4: ["FF0000", "00FF00", "0000FF", "FFFFFF"]}


def tiff_file_to_ngff_images(tiff_path, series=None, reuse_existing_pyramids=False):
    """[(name, image)] of the series of a TIFF file; pixels are read when they are needed. `series`:
    None or "all"; an index; a pattern that names match, case aside, `*` being anything; a list of
    these. `reuse_existing_pyramids` gives NgffMultiscales for series that bring levels."""
    found = image_file_series(tiff_path)
    names = [name for name, _, _ in found]
    return [(_file_name(names[index] or f"series_{index}"),
             _converted(tiff_path, index, reuse_existing_pyramids))
            for index in dict.fromkeys(_chosen(series, names))]


def _chosen(series, names):
    if series is None or series == "all":
        return range(len(names))
    if isinstance(series, int):
        return [_index(series, len(names))]
    if isinstance(series, str):
        return _matching(series, names) or ([0] if len(names) == 1 else [])
    if not isinstance(series, list):
        raise ValueError(f"Invalid series specification: {series}")
    out = []
    for item in series:
        if isinstance(item, int):
            out.append(_index(item, len(names)))
        elif isinstance(item, str):
            out += _matching(item, names)
    return out


def _index(index, count):
    if not 0 <= index < count:
        raise IndexError(f"Series index {index} is out of bounds. File has {count} series "
                         f"(indices 0-{count - 1}).")
    return index


def _matching(pattern, names):
    found = re.compile(pattern.replace("*", ".*"), re.IGNORECASE).search
    return [index for index, name in enumerate(names) if name and found(name)]


def _file_name(name):
    """A series' name as a part of a path that leads nowhere else."""
    name = name.replace("/", "_").replace("\\", "_")
    while ".." in name:
        name = name.replace("..", "_")
    return name.strip().lstrip(".") or "unnamed"


def _converted(path, index, levels):
    array = file_array(path, series=index)
    if array.about["kind"] != "tiff":
        raise make(-6, "FORMAT", f"{os.fspath(path)}: not a TIFF file")
    if array.about["note"]:
        warnings.warn(f"{os.fspath(path)}: {array.about['note']}", UserWarning, stacklevel=3)
    if levels and array.level_count > 1:
        return _multiscales([_image(array, n) for n in range(array.level_count)])
    image, dims = _image(array, 0), file_dims(array)
    order = [array.dims.index(dim) for dim in dims]
    return replace(image, data=transposed(array, order), dims=dims)


def _image(array, level):
    image = image_of(array, level)
    spatial = [dim for dim in array.dims if dim in SPATIAL]
    scale = {dim: image.scale[dim] for dim in image.scale if dim in (*spatial, "t")}
    at = {dim: image.translation[dim] for dim in scale}
    names, colors = image.channel_names, image.channel_colors
    if "S" in array.about["axes"]:  # the samples of a pixel
        names, colors = None, _SAMPLES.get(array.shape[array.dims.index("c")], colors)
    return replace(image, name="image", scale=scale, translation=at, channel_names=names,
                   channel_colors=colors)


def file_dims(array):
    """The dims of an array in the order of its file: samples are channels, and axes without a meaning
    are, from the fastest on, what is left of z, c, t."""
    letters = array.about["axes"].lower()
    if not letters:
        return array.dims
    dims = [("c" if letter == "s" else letter) if letters.index(letter) == i and letter in "tczyxs"
            else None for i, letter in enumerate(letters)]
    left = [dim for dim in "zct" if dim in array.dims and dim not in dims]
    for i in reversed(range(len(dims))):
        if dims[i] is None and left:
            dims[i] = left.pop(0)
    dims = tuple(dict.fromkeys(dim for dim in dims if dim))
    return dims if sorted(dims) == sorted(array.dims) else array.dims


def _multiscales(images):
    first = images[0]
    units, turns = first.axes_units or {}, first.axes_orientations or {}
    axes = [Axis(d, axis_type(d), units.get(d), turns.get(d)) for d in first.dims]
    datasets = [Dataset(f"scale{n}/{first.name}", [
        Scale([image.scale.get(d, 1.0) for d in image.dims]),
        Translation([image.translation.get(d, 0.0) for d in image.dims])])
        for n, image in enumerate(images)]
    return NgffMultiscales(images, Metadata(axes, datasets, None, None, first.name))
