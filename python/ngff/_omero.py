"""Display windows and colours from the pixels."""

import numpy as np

from ._metadata import Omero, OmeroChannel, OmeroWindow

# White for one channel; for more, colours that are far apart.
GLASBEY_COLORS = ("FF0000", "00FF00", "0000FF", "FF00FF", "00FFFF", "FFFF00", "FF8000", "8000FF",
                  "00FF80", "FF0080", "80FF00", "0080FF", "B05050", "50B050", "5050B0", "B0B050")
_FEW = 1 << 20


def _window(values, quantiles):
    """Exact minimum and maximum, quantiles of what is finite; 0..1 when nothing is."""
    values = values[np.isfinite(values)] if values.dtype.kind in "fc" else values
    if not values.size:
        return OmeroWindow(0.0, 1.0, 0.0, 1.0)
    low, high = np.quantile(values, quantiles)
    return OmeroWindow(float(values.min()), float(values.max()), float(low), float(high))


def compute_omero_from_ngff_image(ngff_image, quantiles=(0.02, 0.98), colors=None, labels=None,
                                  dense=False):
    """Windows of each channel of one level. `dense` is accepted: every pixel counts always."""
    low, high = quantiles
    if not 0 <= low < high <= 1:
        raise ValueError(f"quantiles must lie between 0 and 1, the first below the second: {quantiles}")
    dims, data = list(ngff_image.dims), ngff_image.data
    axis = dims.index("c") if "c" in dims else None
    count = data.shape[axis] if axis is not None else 1
    labels = labels or ngff_image.channel_names or [f"Channel {n}" for n in range(count)]
    colors = colors or ngff_image.channel_colors or (
        ["FFFFFF"] if count == 1 else [GLASBEY_COLORS[n % len(GLASBEY_COLORS)] for n in range(count)])
    if len(labels) != count or len(colors) != count:
        raise ValueError(f"{count} channels need {count} labels and colors")
    channels = []
    for n in range(count):
        key = tuple(slice(n, n + 1) if i == axis else slice(None) for i in range(len(dims)))
        values = np.asarray(data[key]).ravel()
        channel = OmeroChannel(colors[n], _window(values, quantiles), labels[n])
        channel.validate_color()
        channels.append(channel)
    return Omero(channels)


def compute_omero_from_multiscales(multiscales, quantiles=(0.02, 0.98), colors=None, labels=None,
                                   dense=False):
    """As above, from level 0 of a small image, else from the coarsest level that is not tiny."""
    images = multiscales.images
    chosen = images[0]
    if np.prod(chosen.data.shape, dtype=float) > _FEW:
        for image in images[1:]:
            sizes = [n for d, n in zip(image.dims, image.data.shape) if d in "yx"]
            if min(sizes) >= 256 or image is images[1]:
                chosen = image
    return compute_omero_from_ngff_image(chosen, quantiles, colors, labels, dense)
