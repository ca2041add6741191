"""Compares what one script did with ngff-zarr and with this package: documents, chunk keys, pixels,
objects. Every difference has to be one that is listed and explained below, and every difference that
an example lists has to occur."""

import collections
import dataclasses
import enum
import importlib
import json
import multiprocessing
import os
import pathlib
import re
import subprocess
import sys
import warnings
import zipfile
from typing import Any, NamedTuple

import numpy as np

DOCUMENTS = ("zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata")


class Difference(NamedTuple):
    """Where two results differ, and the values there (None: nothing there)."""

    path: str
    ours: Any
    theirs: Any


class Explained(NamedTuple):
    """A difference that is meant: where it may be, why, and what has to hold nevertheless."""

    where: str
    why: str
    holds: Any = lambda ours, theirs: True
    always: bool = True  # False: a bound, which small data may keep without a difference


def _rounding(ours, theirs):
    a, b = ours.astype("f8"), theirs.astype("f8")
    return a.shape == b.shape and abs(a - b).max() <= 1 and (a != b).mean() <= 0.005


def _close(ours, theirs):
    return np.allclose(ours, theirs, rtol=2e-6, atol=0)


def _text(value):
    return isinstance(value, str) and len(value) > 0


NOTHING_TO_FIND = r"$."  # the example itself says that it did something in another way
EXPLAINED = {
    "default version": Explained(
        NOTHING_TO_FIND, "`to_ngff_zarr` without a version writes 0.4, as the releases did that its "
        "signature comes from, and 0.50 writes 0.5 (compared: 0.4); `to_ome_zarr` writes 0.5 in both"),
    "twin": Explained(
        NOTHING_TO_FIND, "theirs needs the itk package here, so ours is compared with the ITK-Wasm "
        "filter of the same kind"),
    "store objects": Explained(
        NOTHING_TO_FIND, "zarr-python's stores and `chunk_store` are taken as before 0.44, which refuses "
        "them (compared: written to and read from the path)"),
    "enabled RFCs": Explained(
        NOTHING_TO_FIND, "`to_ngff_zarr` writes orientation when `enabled_rfcs` has 4, as it used to; "
        "0.50 always does, as `to_ome_zarr` does in both"),
    "named image": Explained(
        NOTHING_TO_FIND, "without `--name` the command calls the image after its input, theirs calls "
        "it `image` (compared: `--name image` given to ours)"),
    "their reader": Explained(
        NOTHING_TO_FIND, "theirs needs a reader that is not installed here for this input (itk, "
        "itkwasm-image-io); another one of theirs reads the same pixels"),
    "method text": Explained(
        r"/(multiscales/0|metadata)/(type|metadata/(description|method|version))$",
        "`type` and `metadata` name the filter and the library that ran",
        lambda ours, theirs: _text(ours) and _text(theirs)),
    "one level": Explained(
        r"/(multiscales/0|metadata)/(type|metadata)$",
        "an image of one level names no method: none ran", lambda ours, theirs: ours is None),
    "codec": Explained(
        r"/(compressor|codecs/\d+)(/.*)?$",
        "the default codec is Blosc with Zstandard level 1 and a shuffle, theirs plain Zstandard"),
    "leaked member": Explained(
        r"/\.zmetadata/metadata/.*\.zgroup/consolidated_metadata$",
        "theirs leaves a member of Zarr v3 in the v2 groups of `.zmetadata`",
        lambda ours, theirs: ours is None),
    "rounding": Explained(
        r"/pixels$", "a Gaussian of integers sums in another order: within 1 on at most 0.5 % of the "
        "pixels of a level", _rounding, always=False),
    "float order": Explained(
        r"/pixels$", "a Gaussian of floats sums in another order: 2e-6 relative", _close),
    "label window": Explained(
        r"/pixels$", "for factors above 2 theirs votes among the voxels around the centre of a block, "
        "ours among all of the block"),
    "nearest position": Explained(
        r"/(translation/\d|pixels)$", "theirs takes voxel `i * factor` and declares the centre of the "
        "block; ours takes the voxel before the centre and declares where that one is"),
    "shifted Gaussian": Explained(
        r"/pixels$", "theirs samples half a voxel (at factor 2) beside the position that it declares; "
        "ours is the registered filter of the default"),
    "channel members": Explained(
        r"/channels/\d/(active|label)$", "channels have the member `active` of OMERO's metadata, and no "
        "empty label", lambda ours, theirs: (ours, theirs) in ((True, None), (None, ""))),
    "window of a level": Explained(
        r"/omero/channels/\d/window/(start|end)$", "theirs measures a coarser level, ours the pixels "
        "of the image", lambda ours, theirs: abs(ours - theirs) <= 0.01 * 4000),
}


class Module:
    """One of the two packages, as an example sees it."""

    def __init__(self, name):
        self.name, self.module = name, importlib.import_module(name)
        self.ours = name == "ngff"
        self.notes = set()

    def __getattr__(self, name):
        return getattr(self.module, name)

    def sub(self, name):
        """`from PACKAGE.NAME import …` of an example."""
        return importlib.import_module(f"{self.name}.{name}")

    def to_ngff_zarr(self, store, multiscales, **options):
        if "version" not in options and not str(store).endswith(".ozx"):
            self.notes.add("default version")
            if not self.ours:
                options["version"] = "0.4"
        return self.module.to_ngff_zarr(store, multiscales, **options)

    def cli(self, *words, ours=(), theirs=()):
        """A command line; `ours` and `theirs` where they differ."""
        if "-o" in words and not ours and "--name" not in words:
            self.notes.add("named image")
            ours = (*words, "--name", "image")
        if self.ours:
            done = subprocess.run([os.environ.get("NGFF", "ngff"), *(ours or words)], check=False,
                                  capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            return done.stdout
        return _their_command(theirs or words)


def _run_command(words, folder, out):
    """In a process of its own, which the fork server made with their command line imported."""
    os.chdir(folder)
    sys.argv = ["ngff-zarr", *words]
    with open(out, "w", encoding="utf-8") as file:
        sys.stdout = sys.stderr = file
        warnings.simplefilter("ignore")
        importlib.import_module("ngff_zarr.cli").main()


def _their_command(words):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["ngff_zarr.cli", "tifffile", "dask_image", "parity"])
    out = pathlib.Path("their-command.log").absolute()
    process = context.Process(target=_run_command, args=(words, os.getcwd(), str(out)))
    process.start()
    process.join(120)
    text = out.read_text(encoding="utf-8")
    assert process.exitcode == 0, text
    return text


# ---- stores -------------------------------------------------------------------------------------


def unpacked(path):
    """A directory that holds the store; an archive is unpacked beside itself."""
    if path.is_dir():
        return path
    target = path.with_name(path.name + ".unpacked")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(target)
    return target


def documents(root):
    """{relative path: content} of every JSON document."""
    return {str(p.relative_to(root)): json.loads(p.read_text(encoding="utf-8"))
            for p in sorted(root.rglob("*")) if p.name in DOCUMENTS}


def chunk_keys(root):
    return [str(p.relative_to(root)) for p in sorted(root.rglob("*"))
            if p.is_file() and p.name not in DOCUMENTS]


def archive_facts(path):
    """What RFC-9 says about an archive beyond its entries: comment, and documents before chunks."""
    with zipfile.ZipFile(path) as archive:
        kinds = [name.rsplit("/", 1)[-1] in DOCUMENTS
                 for name in archive.namelist() if not name.endswith("/")]
        stored = all(i.compress_type == zipfile.ZIP_STORED for i in archive.infolist())
        return {"comment": json.loads(archive.comment), "first": archive.namelist()[0],
                "documents first": kinds == sorted(kinds, reverse=True), "stored": stored}


def arrays(root, found):
    """(path, pixels) of every array, read by zarr-python."""
    zarr = importlib.import_module("zarr")
    for name in found:
        folder, _, kind = name.rpartition("/")
        if kind == ".zarray" or (kind == "zarr.json" and found[name]["node_type"] == "array"):
            yield folder, zarr.open_array(root / folder, mode="r")[...]


def compare_stores(path, ours, theirs):
    if ours.suffix == ".ozx":
        yield from compare(f"{path}/archive", archive_facts(ours), archive_facts(theirs))
    roots = [unpacked(ours), unpacked(theirs)]
    found = [documents(root) for root in roots]
    yield from compare(path, *found)
    yield from compare(f"{path}/chunk keys", *(chunk_keys(root) for root in roots))
    pixels = [dict(arrays(root, docs)) for root, docs in zip(roots, found, strict=True)]
    for name in sorted(set(pixels[0]) & set(pixels[1])):
        yield from compare_arrays(f"{path}/{name}", pixels[0][name], pixels[1][name])


# ---- objects ------------------------------------------------------------------------------------


def compare_arrays(path, ours, theirs):
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    yield from compare(f"{path}/array", *({"shape": list(a.shape), "dtype": a.dtype.name}
                                          for a in (ours, theirs)))
    if ours.shape == theirs.shape and not np.array_equal(ours, theirs, equal_nan=ours.dtype.kind in "fc"):
        yield Difference(f"{path}/pixels", ours, theirs)


def _flat(metadata):
    """Metadata in the model with one list of axes; theirs is that of OME-Zarr 0.6."""
    return metadata.to_version("0.4")


def _image(image):
    about = {name: getattr(image, name, None) for name in (
        "dims", "scale", "translation", "name", "axes_units", "axes_orientations", "axes_types",
        "channel_names", "channel_colors")}
    units = {k: v for k, v in (about["axes_units"] or {}).items() if v}
    return {**about, "dims": list(image.dims), "axes_units": units}


def realize(value):
    """The result with its pixels read, as long as the example's directory is the current one."""
    if hasattr(value, "images"):
        return dataclasses.replace(value, images=realize(value.images))
    if hasattr(value, "dims"):
        return dataclasses.replace(value, data=np.asarray(value.data))
    if isinstance(value, dict):
        return {k: realize(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [realize(v) for v in value]
    return value


def plain(value):
    """JSON of an object: enums by value, dataclasses by field, what is None left out."""
    if isinstance(value, enum.Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, collections.abc.Mapping):
        return {str(plain(k)): plain(v) for k, v in value.items() if v is not None}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def compare(path, ours, theirs):
    """Every difference between two results of one kind."""
    if isinstance(ours, pathlib.Path) and isinstance(theirs, pathlib.Path):
        yield from compare_stores(path, ours, theirs)
    elif hasattr(ours, "images") and hasattr(theirs, "images"):
        yield from compare(f"{path}/metadata", _flat(ours.metadata), _flat(theirs.metadata))
        yield from compare(f"{path}/images", list(ours.images), list(theirs.images))
    elif hasattr(ours, "dims") and hasattr(theirs, "dims"):
        yield from compare(path, _image(ours), _image(theirs))
        yield from compare_arrays(path, ours.data, theirs.data)
    elif hasattr(ours, "dtype") and hasattr(ours, "shape") and not isinstance(ours, np.generic):
        yield from compare_arrays(path, ours, theirs)
    else:
        yield from _compare_plain(path, ours, theirs)


def _compare_plain(path, ours, theirs):
    if isinstance(ours, (list, tuple)) and isinstance(theirs, (list, tuple)):
        ours, theirs = (dict(enumerate(items)) for items in (ours, theirs))
    else:
        ours, theirs = ((plain(v) if dataclasses.is_dataclass(v) or not isinstance(v, dict) else v)
                        for v in (ours, theirs))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}, key=str):
            one, other = ours.get(key), theirs.get(key)
            if one is None or other is None:
                if one is not other:
                    yield Difference(f"{path}/{key}", plain(one), plain(other))
            else:
                yield from compare(f"{path}/{key}", one, other)
    elif ours != theirs or isinstance(ours, bool) != isinstance(theirs, bool):
        yield Difference(path, ours, theirs)


# ---- the verdict --------------------------------------------------------------------------------


def unexplained(differences, names):
    """What no listed difference explains, and which listed difference did not occur."""
    used, left = set(), []
    for item in differences:
        why = next((n for n in names if re.search(EXPLAINED[n].where, item.path)
                    and EXPLAINED[n].holds(item.ours, item.theirs)), None)
        if why is None:
            left.append(item)
        else:
            used.add(why)
    return left, [n for n in names if n not in used and EXPLAINED[n].always]


def show(item):
    values = []
    for value in (item.ours, item.theirs):
        if isinstance(value, np.ndarray):
            other = item.theirs if value is item.ours else item.ours
            off = value.astype("f8") - other.astype("f8")
            values.append(f"{value.dtype}{value.shape}, off by {off.min():g}..{off.max():g} on "
                          f"{(off != 0).mean():.2%}")
        else:
            values.append(repr(value)[:300])
    return f"{item.path}: ours {values[0]}, theirs {values[1]}"
