"""Writing an image piece by piece: the frames of a camera, or regions in any order."""

import threading

import numpy as np

from . import _core
from ._config import context
from ._image import SPATIAL, canonical_order
from ._interrupt import run
from ._lazy import LazyArray
from ._progress import adapt
from ._pyramid import automatic_factors, chunks_of, to_multiscales, to_ngff_image
from ._source import as_data
from ._stores import UPDATE, Writing, location, open_for_reading, open_for_writing
from ._write import make_job


class Blank(LazyArray):
    """Shape and dtype of pixels that are not there yet; reads as zeros."""

    def __init__(self, shape, dtype):
        super().__init__(shape, dtype, (0,) * len(tuple(shape)))

    def read_into(self, start, out):
        out[...] = 0


def open_writer(store, image=None, *, version="0.5", scale_factors=None, method=None, chunks=None,
                chunks_per_shard=None, append=None, live=False, no_wait=False, overwrite=True,
                chunk_store=None, progress=None, enabled_rfcs=(4,), consolidate_metadata=True, **kwargs):
    """A writer for an image that comes piece by piece; `with` publishes it at the end.

    `image` says what is coming: a mapping with `shape` and `dtype` (and `dims`, `scale`, … as
    `to_ngff_image` takes them), an image or multiscales whose pixels are not looked at, or None for the
    image that the directory `store` holds already.

    `append` (the default where the first extent is 0): frames come along the first axis by `append` until
    there are no more. `live`: the store appears with the first whole chunks of frames and grows.
    `no_wait`: `append` raises (`.code` "LIMIT") instead of waiting for memory. Otherwise regions come by
    `write_region`, in any order and from any threads. `kwargs`: as `to_ome_zarr` takes them."""
    if image is None:
        return ImageWriter(*_join(store))
    shown = _described(image)
    first = shown.images[0] if hasattr(shown, "images") else shown
    append = first.data.shape[0] == 0 if append is None else bool(append)
    if not append and (live or no_wait):
        raise ValueError("live and no_wait are for a writer that appends")
    if canonical_order(tuple(first.dims)) != list(range(len(first.dims))):
        raise ValueError(f"the axes of a writer come in the order t, c, z, y, x, not {tuple(first.dims)}")
    if not hasattr(shown, "images"):
        shown = _planned(shown, scale_factors, method, chunks, append)
    elif not (scale_factors is None and method is None and chunks is None):
        raise ValueError("multiscales have scale_factors, method and chunks of their own")
    job = make_job(store, shown, version, chunks_per_shard, enabled_rfcs, consolidate_metadata, kwargs)
    if job.root_attributes:
        raise ValueError("root attributes are set with update_root_attributes when the image is there")
    if not job.generated():
        raise ValueError("levels of a writer are computed by it: scale_factors says which")
    return ImageWriter(*_open(job, (0, append, no_wait, live), overwrite, chunk_store, progress))


def _described(image):
    """Multiscales, or an image, of which only the shape and the dtype count."""
    if hasattr(image, "images") or (hasattr(image, "dims") and hasattr(image, "data")):
        return image
    if hasattr(image, "items"):
        about = dict(image)
        try:
            blank = Blank(about.pop("shape"), about.pop("dtype"))
        except KeyError as missing:
            raise ValueError(f"a description needs {missing}") from None
        if about.get("dims") is not None:
            about["dims"] = tuple(about["dims"])
        return to_ngff_image(blank, **about)
    raise TypeError("image is a mapping with shape and dtype, an image, multiscales, or None, not "
                    f"{type(image)}")


def _planned(image, scale_factors, method, chunks, append):
    if append and (scale_factors is None or isinstance(scale_factors, (int, np.integer))):
        # How long the first axis gets is not known: levels do not reduce it.
        sizes = {d: n for d, n in list(zip(image.dims, image.data.shape))[1:] if d in SPATIAL}
        scale_factors = automatic_factors(sizes, 128 if scale_factors is None else int(scale_factors),
                                          chunks_of(chunks, image))
    options = {} if scale_factors is None else {"scale_factors": scale_factors}
    return to_multiscales(image, method=method, chunks=chunks, **options)


def _open(job, kind, overwrite, chunk_store, progress):
    plan, cancel = job.plan(), bytearray(1)
    writing = Writing(open_for_writing(job.store, overwrite, chunk_store))
    try:
        native = _core.open_writer(context(), writing.native, plan, job.options,
                                   tuple(int(item) for item in kind),
                                   adapt(progress, plan.level_count()), cancel)
    except BaseException as error:
        writing.__exit__(type(error), error, None)
        raise
    return native, writing, cancel, job.description[0], [plan.level(0)["shape"]], bool(kind[1])


def _join(store):
    path = location(store)
    if path is None:
        raise ValueError("the image that is written to lies in a directory")
    levels = _core.open_image(context(), open_for_reading(store))
    shapes = [levels.level(n)["shape"] for n in range(levels.level_count())]
    dtype = levels.describe()[0]
    writing = Writing(_core.open_store(context(), path, UPDATE, 0, 0))
    try:
        native = _core.join_writer(context(), writing.native)
    except BaseException as error:
        writing.__exit__(type(error), error, None)
        raise
    return native, writing, bytearray(1), dtype, shapes, False


class ImageWriter:
    """What `open_writer` answers. As a context manager it publishes at the end; after an exception the
    destination is as it was (of a live store the frames that were seen stay, and of an image that was
    there before the complete chunks that were written).

    Threads: `write_region` may be called by any number at once; `append`, `flush` and `close` take turns.
    The interpreter is free meanwhile. Pixels are copied or stored before a call returns."""

    def __init__(self, native, writing, cancel, dtype, shapes, appends):
        self._native, self._writing, self._cancel = native, writing, cancel
        self._shapes, self._appends, self._turn = shapes, appends, threading.Lock()
        self.dtype, self.frames, self.closed = np.dtype(dtype), 0, False

    @property
    def shape(self):
        """Of level 0 as far as it is known: the first extent of appended frames is their number."""
        whole = tuple(self._shapes[0])
        return (self.frames, *whole[1:]) if self._appends else whole

    def append(self, frames):
        """One frame (one dimension less than the image) or several, after those given before. Levels are
        made in the background; a call waits when there is no memory for more (`no_wait`: raises and has
        taken nothing). What went wrong in the background comes out of the next call."""
        if not self._appends:
            raise ValueError("the writer takes regions, not frames: open it with append=True")
        frames = self._pixels(frames)
        rest = tuple(self._shapes[0][1:])
        if frames.ndim == len(rest):
            frames = frames[np.newaxis]
        if frames.shape[1:] != rest or frames.ndim != len(rest) + 1:
            raise ValueError(f"frames have shape {frames.shape}, expected (n, {str(rest)[1:-1]})")
        if not frames.shape[0]:
            return
        with self._turn:
            self._open().append(self.dtype.name, frames)
            self.frames += frames.shape[0]

    def write_region(self, start, pixels, level=0):
        """Pixels of `level` from index `start` on (one number for each axis). Whole chunks (or shards) are
        stored at once, parts of one are gathered; what is complete already is FileExistsError. Coarser
        levels of a new image are computed by `close` and are not given."""
        if self._appends:
            raise ValueError("the writer takes frames, not regions: open it with append=False")
        if not 0 <= level < len(self._shapes):
            raise ValueError(f"level is {level}, expected 0 to {len(self._shapes) - 1}")
        pixels, whole = self._pixels(pixels), tuple(self._shapes[level])
        start = tuple(int(n) for n in (start if np.iterable(start) else (start,)))
        if len(start) != len(whole) or pixels.ndim != len(whole):
            raise ValueError(f"start {start} and pixels of shape {pixels.shape} are for another number of "
                             f"axes than {whole}")
        if any(s < 0 or s + n > w for s, n, w in zip(start, pixels.shape, whole)):
            raise ValueError(f"start {start} and shape {pixels.shape} reach out of {whole}")
        if pixels.size:
            self._open().write_region(level, start, self.dtype.name, pixels)

    def flush(self):
        """Whole chunks of the frames appended so far are stored, and with `live` seen, when this returns."""
        if self._appends:
            with self._turn:
                self._open().flush()

    def close(self):
        """Writes the rest, computes the levels and publishes. When that fails, or Ctrl-C ends it, the
        destination is as it was. Closing again does nothing."""
        with self._turn:
            if self.closed:
                return
            try:
                run(self._native.finish, self._cancel)
            except BaseException as error:
                self._drop(error)
                raise
            self._drop(None)

    def abandon(self):
        """Ends without publishing. Threads that are in the middle of a call are an error."""
        with self._turn:
            if not self.closed:
                self._drop(InterruptedError())

    def _drop(self, error):
        self._native.close()
        self.closed = True
        self._writing.__exit__(type(error) if error is not None else None, error, None)

    def _open(self):
        if self.closed:
            raise ValueError("the writer is closed")
        return self._native

    def _pixels(self, pixels):
        self._open()
        pixels = np.asarray(as_data(pixels))
        if pixels.dtype != self.dtype.newbyteorder(pixels.dtype.byteorder):
            raise ValueError(f"pixels are {pixels.dtype.name}, the image is {self.dtype.name}")
        return pixels.astype(self.dtype, copy=False)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.close() if kind is None else self.abandon()

    def __del__(self):
        if not getattr(self, "closed", True):
            self.abandon()
