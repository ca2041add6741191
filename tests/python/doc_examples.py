"""What the examples of ngff-zarr's documentation do, page by page, as one function each: it gets the
package and runs in an empty directory, and returns what is to be compared. The words and the data are
this project's own. Rows without a function need what cannot run here."""

import pathlib
from typing import Any, NamedTuple

import numpy as np

from conftest import need


class Example(NamedTuple):
    page: str
    section: str
    run: Any
    differences: tuple = ()
    missing: str = ""  # why ours cannot do it; the run with ours has to fail
    absent: str = ""  # why it is not run at all


TABLE = []


def example(page, section, *differences, missing=""):
    def add(run):
        TABLE.append(Example(page, section, run, differences, missing))
        return run

    return add


def failure(call, *errors):
    """The error a call ends with."""
    try:
        call()
    except errors as error:
        return error
    raise AssertionError("no error")


def absent(page, section, why):
    TABLE.append(Example(page, section, None, absent=why))


def line(row):
    """A row as it stands on docs/python-parity.md."""
    verdict = "; ".join(row.differences) or "equal"
    if row.missing or row.absent:
        verdict = f"not yet: {row.missing}" if row.missing else f"not run: {row.absent}"
    return f"| {row.page} | {row.section} | {verdict} |"


def plane(dtype="u1", shape=(200, 220), seed=0):
    return np.random.default_rng(seed).integers(0, 255, shape).astype(dtype)


def volume(dtype="u2", shape=(40, 64, 96), seed=0):
    return np.random.default_rng(seed).integers(0, 4000, shape).astype(dtype)


def store(name):
    return pathlib.Path.cwd() / name


WRITTEN = ("method text", "codec", "rounding")
SEED = (*WRITTEN, "default version", "leaked member")

# ---- quick start --------------------------------------------------------------------------------


@example("quick start", "NumPy array to OME-Zarr", *SEED)
def numpy_to_ome_zarr(nz):
    pixels = np.random.default_rng(1).integers(0, 256, 10**6).reshape(1000, 1000)
    nz.to_ngff_zarr("example.ome.zarr", nz.to_multiscales(pixels))
    return store("example.ome.zarr")


# ---- python -------------------------------------------------------------------------------------


@example("python", "Array to NGFF image")
def array_to_image(nz):
    given = nz.to_ngff_image(plane(), dims=["y", "x"], scale={"y": 1.5, "x": 0.5},
                             translation={"y": 10.0, "x": -3.0}, name="head",
                             axes_units={"y": "millimeter", "x": "millimeter"})
    return {"given": given, **{f"{n}-D": nz.to_ngff_image(np.zeros((3,) * n, "u1"))
                               for n in (1, 2, 3, 4, 5)}}


@example("python", "Array to NGFF image: explicit byte order", *WRITTEN)
def big_endian(nz):
    levels = nz.to_multiscales(volume(">u2"), scale_factors=[2], chunks=32)
    nz.to_ome_zarr("big.ome.zarr", levels)
    return store("big.ome.zarr")


def head(nz, **options):
    image = nz.to_ngff_image(plane(), dims=["y", "x"], scale={"y": 1.5, "x": 0.5},
                             translation={"y": 10.0, "x": -3.0})
    return nz.to_multiscales(image, **{"scale_factors": [2, 4], "chunks": 64, **options})


@example("python", "Generate multiscales", "method text", "rounding")
def generate_multiscales(nz):
    levels = head(nz)
    return {"levels": levels, "factors": levels.scale_factors, "method": levels.method,
            "chunks": levels.chunks}


@example("python", "Generate multiscales: automatic factors")
def automatic_factors(nz):
    return {f"{shape}": [list(level.data.shape) for level in nz.to_multiscales(
        np.full(shape, 7, "u1"), scale_factors=2000, chunks=chunks).images]
            for shape, chunks in (((300, 700), 64), ((9, 150, 150), 64), ((70, 130, 64), 32))}


def head_store(nz, name="head.ome.zarr", **options):
    nz.to_ngff_zarr(name, head(nz), **options)
    return store(name)


@example("python", "Read an OME-Zarr: paths", "method text", "rounding", "default version")
def read_paths(nz):
    path = head_store(nz)
    return {"text": nz.from_ngff_zarr(str(path)), "path": nz.from_ngff_zarr(path),
            "version": nz.from_ngff_zarr(path, version="0.4")}


@example("python", "Read an OME-Zarr: a mapping of keys to bytes", "method text", "rounding")
def read_mapping(nz):
    out = {}
    for version in ("0.4", "0.5"):
        root = head_store(nz, f"{version}.ome.zarr", version=version)
        values = {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}
        out[version] = nz.from_ngff_zarr(values)
    return out


@example("python", "Read and write .ozx", *WRITTEN)
def ozx(nz):
    nz.to_ngff_zarr("head.ozx", head(nz), version="0.5")
    return {"store": store("head.ozx"), "read": nz.from_ngff_zarr("head.ozx"),
            "version": nz.read_ozx_version("head.ozx"), "is": nz.is_ozx_path("head.ozx")}


@example("python", "Convert a store to .ozx by writing it again", *WRITTEN)
def ozx_rewritten(nz):
    head_store(nz, version="0.5")
    nz.to_ngff_zarr("again.ozx", nz.from_ngff_zarr("head.ome.zarr"))
    return store("again.ozx")


@example("python", "Convert a store to .ozx directly", *WRITTEN)
def ozx_zipped(nz):
    head_store(nz, version="0.5")
    nz.sub("rfc9_zip").write_store_to_zip("head.ome.zarr", "zipped.ozx", version="0.5")
    return store("zipped.ozx")


@example("python", "Validate OME-Zarr metadata", "method text", "rounding")
def validate_on_read(nz):
    return {version: nz.from_ngff_zarr(head_store(nz, f"{version}.zarr", version=version),
                                       validate=True)
            for version in ("0.4", "0.5")}


@example("python", "Write an OME-Zarr", *SEED)
def write(nz):
    return head_store(nz)


@example("python", "Write with TensorStore", *SEED)
def tensorstore(nz):
    return head_store(nz, use_tensorstore=True)


def lightsheet(nz, **options):
    levels = nz.to_multiscales(volume(shape=(70, 64, 96)), scale_factors=[2], chunks=32)
    nz.to_ngff_zarr("lightsheet.ome.zarr", levels, version="0.5", **options)
    return store("lightsheet.ome.zarr")


@example("python", "Write a sharded store: an integer", *WRITTEN)
def shards_integer(nz):
    return lightsheet(nz, chunks_per_shard=2)


@example("python", "Write a sharded store: a tuple", *WRITTEN)
def shards_tuple(nz):
    return lightsheet(nz, chunks_per_shard=(2, 2, 4))


@example("python", "Write a sharded store: by dimension", *WRITTEN)
def shards_mapping(nz):
    return lightsheet(nz, chunks_per_shard={"z": 4, "y": 2, "x": 2})


@example("python", "Write a sharded store with TensorStore", *WRITTEN)
def shards_tensorstore(nz):
    return lightsheet(nz, chunks_per_shard={"z": 4, "y": 2, "x": 2}, use_tensorstore=True)


@example("python", "Root attributes", *WRITTEN)
def root_attributes(nz):
    levels = head(nz)
    levels.root_attributes = {"scanner": {"turned": [0, 1, 1, 0]}, "run": 7}
    nz.to_ome_zarr("image.ome.zarr", levels, version="0.5")
    nz.update_root_attributes("image.ome.zarr", {"run": 8, "limit": 3.25})
    return {"store": store("image.ome.zarr"),
            "read": nz.from_ome_zarr("image.ome.zarr").root_attributes}


@example("python", "Root attributes survive an overwrite", *WRITTEN)
def root_attributes_kept(nz):
    levels = head(nz)
    levels.root_attributes = {"run": 7}
    nz.to_ome_zarr("image.ome.zarr", levels)
    nz.to_ome_zarr("image.ome.zarr", head(nz))
    assert nz.from_ome_zarr("image.ome.zarr").root_attributes == {"run": 7}
    return store("image.ome.zarr")


def empty_volume(nz):
    array = need("dask.array")
    image = nz.to_ngff_image(array.zeros((1, 32, 64, 64), dtype="f4", chunks=(1, 16, 32, 32)),
                             dims=["c", "z", "y", "x"])
    levels = nz.to_multiscales(image, scale_factors=[], chunks=(1, 16, 32, 32), cache=False)
    nz.to_ome_zarr("volume.ome.zarr", levels, version="0.5", metadata_only=True)
    return levels.metadata.datasets[0].path


@example("python", "Create the store before its data", "one level", "codec")
def metadata_only(nz):
    empty_volume(nz)
    return store("volume.ome.zarr")


@example("python", "Fill a store region by region", "one level", "codec")
def fill_regions(nz):
    level = nz.open_array("volume.ome.zarr", empty_volume(nz))
    for z in range(0, 32, 16):
        level[:, z:z + 16] = np.full((1, 16, 64, 64), 1 + z, "f4")
    return store("volume.ome.zarr")


@example("python", "Change parts of chunks that are there", *WRITTEN)
def change_regions(nz):
    nz.to_ome_zarr("volume.ome.zarr", nz.to_multiscales(volume(), scale_factors=[2], chunks=16))
    level = nz.open_array("volume.ome.zarr", "scale0/image")
    level[3:20, 10:50, 1:90] = np.full((17, 40, 89), 7, "u2")
    level[39:40, :, :] = np.zeros((1, 64, 96), "u2")
    return store("volume.ome.zarr")


@example("python", "Append coarser levels", *WRITTEN)
def append_levels(nz):
    nz.to_ome_zarr("volume.ome.zarr", nz.to_multiscales(volume(), scale_factors=[], chunks=32))
    base = nz.from_ome_zarr("volume.ome.zarr").images[0]
    levels = nz.to_multiscales(base, scale_factors=[2, 4], chunks=32)
    nz.to_ome_zarr("volume.ome.zarr", levels, version="0.5", overwrite=False, start_level=1)
    return store("volume.ome.zarr")


@example("python", "Read a store region by region")
def read_regions(nz):
    nz.to_ome_zarr("volume.ome.zarr", nz.to_multiscales(volume(), scale_factors=[], chunks=16))
    level = nz.open_array("volume.ome.zarr", "scale0/image")
    deep = level.chunks[0]
    blocks = [np.asarray(level[z:z + deep]) for z in range(0, level.shape[0], deep)]
    return {"shape": list(level.shape), "chunks": list(level.chunks), "dtype": np.dtype(level.dtype).name,
            "pixels": np.concatenate(blocks)}


@example("python", "Convert versions: 0.4 to 0.5", *WRITTEN)
def convert_up(nz):
    head_store(nz, version="0.4")
    nz.to_ngff_zarr("up.ome.zarr", nz.from_ngff_zarr("head.ome.zarr"), version="0.5")
    return store("up.ome.zarr")


@example("python", "Convert versions: 0.5 to 0.4", *WRITTEN, "leaked member")
def convert_down(nz):
    head_store(nz, version="0.5")
    nz.to_ngff_zarr("down.ome.zarr", nz.from_ngff_zarr("head.ome.zarr"), version="0.4")
    return store("down.ome.zarr")


@example("python", "Upgrade in place", *WRITTEN)
def upgrade_in_place(nz):
    out = {}
    for before, after in (("0.5", "0.6"), ("0.4", "0.5"), ("0.4", "0.6")):
        path = head_store(nz, f"{before}-{after}.ome.zarr", version=before)
        chunks = {p: p.read_bytes() for p in path.rglob("[0-9]*") if p.is_file()}
        nz.upgrade_ome_zarr(path, version=after)
        assert chunks and all(p.read_bytes() == value for p, value in chunks.items())
        out[path.name] = path
    read = nz.from_ome_zarr("0.4-0.6.ome.zarr", validate=True)
    error = failure(lambda: nz.upgrade_ome_zarr("0.5-0.6.ome.zarr", version="0.4"), ValueError)
    return {**out, "read": read, "no way back": type(error).__name__}


def upgraded(nz, version):
    source = str(head_store(nz, version="0.4"))
    nz.upgrade_ome_zarr(source, "new.ome.zarr", version=version, validate=True)
    return [store("new.ome.zarr"), store("head.ome.zarr")]


@example("python", "Upgrade into a new store (0.5)", *WRITTEN, "leaked member")
def upgrade_copy(nz):
    return upgraded(nz, "0.5")


@example("python", "Upgrade into a new store (0.6)", *WRITTEN, "leaked member")
def upgrade_copy_06(nz):
    return upgraded(nz, "0.6")


# ---- methods ------------------------------------------------------------------------------------


def by_method(nz, name, dtype="u1", factors=(2,), shape=(42, 64, 96)):
    pixels = np.random.default_rng(5).integers(0, 6 if "LABEL" in name or "MODE" in name else 200,
                                               shape).astype(dtype)
    levels = nz.to_multiscales(pixels, scale_factors=list(factors), chunks=32,
                               method=getattr(nz.Methods, name))
    nz.to_ome_zarr("method.ome.zarr", levels)
    return store("method.ome.zarr")


@example("methods", "ITKWASM_GAUSSIAN", *WRITTEN)
def itkwasm_gaussian(nz):
    return by_method(nz, "ITKWASM_GAUSSIAN", factors=(2, 4, 8))


@example("methods", "ITKWASM_GAUSSIAN: float32", "method text", "codec", "float order")
def itkwasm_gaussian_float(nz):
    return by_method(nz, "ITKWASM_GAUSSIAN", "f4", (2, 4))


@example("methods", "ITKWASM_BIN_SHRINK", "method text", "codec")
def itkwasm_bin_shrink(nz):
    return by_method(nz, "ITKWASM_BIN_SHRINK", "i2", (2, 4))


@example("methods", "ITKWASM_LABEL_IMAGE", "method text", "codec")
def itkwasm_label_image(nz):
    return by_method(nz, "ITKWASM_LABEL_IMAGE", shape=(40, 64, 96))


@example("methods", "ITKWASM_LABEL_IMAGE: factor 4", "method text", "codec", "label window")
def itkwasm_label_image_4(nz):
    return by_method(nz, "ITKWASM_LABEL_IMAGE", factors=(4,), shape=(40, 64, 96))


@example("methods", "DASK_BIN_SHRINK", "method text", "codec")
def dask_bin_shrink(nz):
    return by_method(nz, "DASK_BIN_SHRINK", "u2", (2, 6))


@example("methods", "DASK_IMAGE_MODE", "method text", "codec")
def dask_image_mode(nz):
    return by_method(nz, "DASK_IMAGE_MODE", factors=(2, 4))


@example("methods", "DASK_IMAGE_NEAREST", "method text", "codec", "nearest position")
def dask_image_nearest(nz):
    return by_method(nz, "DASK_IMAGE_NEAREST")


@example("methods", "DASK_IMAGE_GAUSSIAN", "method text", "codec", "shifted Gaussian")
def dask_image_gaussian(nz):
    return by_method(nz, "DASK_IMAGE_GAUSSIAN")


@example("methods", "ITK_BIN_SHRINK", "method text", "codec", "twin")
def itk_bin_shrink(nz):
    nz.notes.add("twin")
    return by_method(nz, "ITK_BIN_SHRINK" if nz.ours else "ITKWASM_BIN_SHRINK", factors=(2, 4))


@example("methods", "ITK_GAUSSIAN", *WRITTEN, "twin")
def itk_gaussian(nz):
    nz.notes.add("twin")
    return by_method(nz, "ITK_GAUSSIAN" if nz.ours else "ITKWASM_GAUSSIAN", factors=(2, 4))


# ---- questions and migration --------------------------------------------------------------------


@example("faq", "No computation before writing", *SEED)
def no_cache(nz):
    nz.to_ngff_zarr("a.ome.zarr", head(nz, cache=False))
    return store("a.ome.zarr")


absent("faq", "Network stores (four examples)", "the addresses are on the internet; reading addresses is "
       "tested with a server of the tests")


@example("migration 0.44", "Stores of zarr-python", *WRITTEN, "store objects")
def store_objects(nz):
    nz.notes.add("store objects")
    target = need("zarr").storage.LocalStore(store("a.ome.zarr"))
    nz.to_ome_zarr(target if nz.ours else store("a.ome.zarr"), head(nz))
    return {"store": store("a.ome.zarr"),
            "read": nz.from_ome_zarr(target if nz.ours else store("a.ome.zarr"))}


@example("migration 0.44", "A mapping takes the place of MemoryStore", *WRITTEN)
def memory(nz):
    root = head_store(nz, version="0.5")
    values = {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}
    return {"store": root, "read": nz.from_ome_zarr(values)}


@example("migration 0.44", "The cache directory", *WRITTEN)
def cache_directory(nz):
    config, before = nz.config, nz.config.cache_store
    config.cache_store = store("cache")
    try:
        nz.to_ome_zarr("a.ome.zarr", head(nz, cache=True))
    finally:
        config.cache_store = before
    return store("a.ome.zarr")


@example("migration 0.44", "The chunk_store argument", *WRITTEN, "store objects")
def chunk_store(nz):
    nz.notes.add("store objects")
    if not nz.ours:
        return head_store(nz, version="0.5")
    known, chunks = {}, {}
    nz.to_ngff_zarr(known, head(nz), version="0.5", chunk_store=chunks)
    below = next(key.split("/")[0] for key in chunks if key.startswith("gen-")) + "/"
    for key, value in {**known, **{key.removeprefix(below): chunks[key] for key in chunks}}.items():
        if key.startswith(".ngff-"):
            continue
        store("head.ome.zarr").joinpath(key).parent.mkdir(parents=True, exist_ok=True)
        store("head.ome.zarr").joinpath(key).write_bytes(value)
    return store("head.ome.zarr")


# ---- orientation, axes, checks ------------------------------------------------------------------


@example("RFC-4", "Writing orientation", *WRITTEN)
def orientation(nz):
    nz.to_ome_zarr("a.ome.zarr", nz.to_multiscales(volume(), [2], chunks=32, orientation="LPS"))
    return {"store": store("a.ome.zarr"), "read": nz.from_ome_zarr("a.ome.zarr")}


@example("RFC-4", "Writing orientation: enabled_rfcs of earlier releases", *WRITTEN,
         "leaked member", "enabled RFCs")
def orientation_enabled(nz):
    nz.notes.add("enabled RFCs")
    nz.to_ngff_zarr("a.ome.zarr", nz.to_multiscales(volume(), [2], chunks=32, orientation="RAS"),
                    version="0.4", **({"enabled_rfcs": [4]} if nz.ours else {}))
    return store("a.ome.zarr")


def oriented(nz, orientations):
    one = dict.fromkeys("zyx", 1.0)
    image = nz.NgffImage(need("dask.array").from_array(volume(), chunks=32), ("z", "y", "x"),
                         one, dict.fromkeys("zyx", 0.0), axes_orientations=orientations)
    nz.to_ome_zarr("a.ome.zarr", nz.to_multiscales(image, scale_factors=[2]))
    return {"constant": orientations, "store": store("a.ome.zarr")}


@example("RFC-4", "LPS coordinate system", *WRITTEN)
def lps(nz):
    return oriented(nz, nz.LPS)


@example("RFC-4", "RAS coordinate system", *WRITTEN)
def ras(nz):
    return oriented(nz, nz.RAS)


@example("RFC-4", "Manual orientation", *WRITTEN)
def manual_orientation(nz):
    make, values = nz.AnatomicalOrientation, nz.AnatomicalOrientationValues
    return oriented(nz, {"z": make(value=values.cranial_to_caudal),
                         "y": make(value=values.dorsal_to_ventral),
                         "x": make(value=values.left_to_right)})


@example("RFC-4", "Anatomical orientation values")
def orientation_values(nz):
    return sorted(member.value for member in nz.AnatomicalOrientationValues)


@example("RFC-4", "Orientation of an axis")
def orientation_functions(nz):
    axis = {"name": "y", "type": "space"}
    turned = nz.add_anatomical_orientation_to_axis(dict(axis), nz.LPS["y"])
    return {"itk": {d: nz.itk_lps_to_anatomical_orientation(d) for d in "xyz"}, "turned": turned,
            "back": nz.remove_anatomical_orientation_from_axis(dict(turned))}


@example("RFC-4", "What RFC-4 requires")
def orientation_rules(nz):
    nz.to_ome_zarr("a.ome.zarr", nz.to_multiscales(volume(), [], chunks=32, orientation="LPS"))
    metadata = nz.from_ome_zarr("a.ome.zarr").metadata.to_version("0.4")
    nz.validate_structural(metadata)
    rules = []
    for change in ({"value": "posterior-to-anterior"}, {"value": "left-to-right", "type": "else"}):
        metadata.axes[0].orientation = nz.AnatomicalOrientation(**change)
        nz.validate_structural(metadata, version="0.5")
        error = failure(lambda: nz.validate_structural(metadata), nz.ValidationError)
        rules.append(error.rule)
    levels = head(nz, orientation="RAS").metadata.to_version("0.4")
    levels.axes[0].type = "time"
    error = failure(lambda: nz.validate_structural(levels, version="0.9.dev1"), nz.ValidationError)
    return [*rules, error.rule]


@example("RFC-3", "Axes that a version forbids are refused")
def axes_refused(nz):
    error = failure(lambda: nz.to_ngff_image(plane(), dims=["u", "x"]), ValueError)
    return {"kind": type(error).__name__, "text": str(error)}


@example("RFC-3", "Repeated axis names are rejected")
def repeated_axes(nz):
    nz.to_ome_zarr("a.ome.zarr", head(nz))
    metadata = nz.from_ome_zarr("a.ome.zarr").metadata.to_version("0.5")
    metadata.axes[0].name = "x"
    error = failure(lambda: nz.validate_structural(metadata, version="0.9.dev1"),
                    nz.sub("structural_validation").ValidationError)
    return {"rule": error.rule, "same": error.rule == nz.SpecRule.AXIS_NAMES_UNIQUE}


absent("RFC-3", "Writing and reading 1-D, 6-D and other orders", "OME-Zarr 0.9.dev1 is not written")


@example("validation", "Checking metadata that is in memory")
def validate_in_memory(nz):
    metadata = head(nz).metadata.to_version("0.4")
    levels = nz.ValidationLevel
    nz.validate_structural(metadata, nz.ValidateOptions(level=levels.STRICT), version="0.4")
    metadata.datasets.reverse()
    nz.validate_structural(metadata, nz.ValidateOptions(level=levels.SCHEMA_ONLY))
    error = failure(lambda: nz.validate_structural(metadata), nz.ValidationError)
    return {"rule": error.rule, "texts": [levels.STRICT == "strict", nz.SpecRule.AXIS_COUNT == "axis-count"],
            "form": str(error).startswith(f"Spec rule [{error.rule.value}] violated: ")}


@example("validation", "Checking while reading")
def validate_while_reading(nz):
    nz.to_ome_zarr("a.ome.zarr", head(nz), consolidate_metadata=False)
    document = store("a.ome.zarr") / "zarr.json"
    text = document.read_text(encoding="utf-8")
    assert text.count('"y"') == 1
    document.write_text(text.replace('"y"', '"x"'), encoding="utf-8")
    error = failure(lambda: nz.from_ome_zarr("a.ome.zarr", validate=True), Exception)
    return {"kind": type(error).__name__}


@example("validation", "Rules by name")
def rule_names(nz):
    return {"levels": sorted(nz.ValidationLevel)}


@example("API reference", "Display windows from the pixels", "channel members")
def omero(nz):
    pixels = np.stack([volume(seed=n) * (n + 1) for n in range(3)])
    image = nz.to_ngff_image(pixels, dims=["c", "z", "y", "x"])
    return nz.compute_omero_from_ngff_image(image, labels=["a", "b", "c"],
                                            colors=["FF0000", "00FF00", "0000FF"])


@example("API reference", "Codecs by name", "method text", "rounding", "leaked member")
def codecs(nz):
    codec = nz.codec_from_name("zstd", 3)
    nz.to_ome_zarr("a.ome.zarr", head(nz), version="0.4", compressor=codec)
    nz.to_ome_zarr("b.ome.zarr", head(nz), version="0.5",
                   compressors=[{"name": "gzip", "configuration": {"level": 4}}])
    return {"0.4": store("a.ome.zarr"), "0.5": store("b.ome.zarr")}
