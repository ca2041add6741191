"""What the command line writes, every peer reads: the same pixels, the same metadata, no complaint."""

import pathlib

import numpy as np
import pytest

import documents
from inputs import COMPLEX, DTYPES, pixels, save_npy
from peers import READERS, UNKNOWN_VERSIONS, VALIDATORS, can_read, need, read_zarr_python
from harness import run_ngff, smallest_budget

SHAPES = {
    "yx": (70, 53),
    "zyx": (19, 41, 37),
    "cyx": (3, 50, 31),
    "czyx": (2, 9, 33, 40),
    "tczyx": (2, 3, 7, 26, 31),
}
FORMS = {
    "0.4": ["--ome-zarr-version", "0.4"],
    "0.4-flat": ["--ome-zarr-version", "0.4", "--layout", "flat"],
    "0.5": ["--ome-zarr-version", "0.5"],
    "0.5-flat": ["--ome-zarr-version", "0.5", "--layout", "flat"],
    "0.5-sharded": ["--ome-zarr-version", "0.5", "--chunks-per-shard", "2"],
    "0.6": ["--ome-zarr-version", "0.6"],
    "0.6-sharded": ["--ome-zarr-version", "0.6", "--chunks-per-shard", "2"],
}
CODECS = ("none", "zstd", "gzip", "blosc:lz4", "blosc:zstd", "blosc:zlib", "blosc:lz4hc")


def convert(tmp_path, array, dims, *options):
    source = save_npy(tmp_path / "in.npy", array)
    store = tmp_path / "out.ome.zarr"
    run_ngff("convert", source, store, "--dims", dims, "--chunks", "16", *options)
    return store


def read_everywhere(store, dtype, level0):
    """Every level through every peer; returns the levels."""
    paths = documents.dataset_paths(store)
    levels = read_zarr_python(store, paths)
    np.testing.assert_array_equal(levels[0], level0)
    for name, read in READERS.items():
        if name == "zarr-python" or not can_read(name, dtype):
            continue
        for path, ours, theirs in zip(paths, levels, read(store, paths)):
            assert theirs.dtype == ours.dtype, f"{name} reads {path} as {theirs.dtype}"
            np.testing.assert_array_equal(theirs, ours, err_msg=f"{name} on {path}")
    return levels


def check_documents(store):
    documents.check_one_format(store)
    documents.check_no_null(store)
    documents.check_metadata_sane(store)
    documents.check_consolidated(store)
    documents.check_schema(store)
    for name, check in VALIDATORS.items():
        if documents.version_of(store) not in UNKNOWN_VERSIONS.get(name, ()):
            check(store)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dims", SHAPES)
def test_every_peer_reads_the_same(tmp_path, dims, form):
    array = pixels(SHAPES[dims], "uint16", seed=1)
    store = convert(tmp_path, array, dims, "--scale-factors", "2,4", *FORMS[form])
    levels = read_everywhere(store, "uint16", array)
    assert len(levels) == 3
    check_documents(store)
    assert documents.version_of(store) == form[:3]
    prefix = "" if form.endswith("flat") else "scale"
    assert documents.dataset_paths(store)[1].split("/")[0] == f"{prefix}1"


@pytest.mark.parametrize("form", ("0.4", "0.5", "0.5-sharded"))
@pytest.mark.parametrize("dtype", DTYPES + COMPLEX)
def test_dtypes(tmp_path, dtype, form):
    array = pixels((21, 34), dtype, seed=2)
    if array.dtype.kind == "f":
        array[5, 7], array[6, 8], array[7, 9] = np.nan, np.inf, -0.0
    # Complex images have one level, and this one is small enough for that to be the default.
    levels = [] if dtype in COMPLEX else ["--scale-factors", "2"]
    store = convert(tmp_path, array, "yx", *levels, *FORMS[form])
    read_everywhere(store, dtype, array)
    documents.check_no_null(store)
    # A method is named (a "should" of the strict schema) where there are levels made by one.
    documents.check_schema(store, strict=len(levels) > 0)


@pytest.mark.parametrize("form", ("0.4", "0.5", "0.5-sharded"))
@pytest.mark.parametrize("codec", CODECS)
def test_codecs(tmp_path, codec, form):
    array = pixels((40, 33), "int16", seed=3)
    store = convert(tmp_path, array, "yx", "--scale-factors", "2", "--codec", codec, *FORMS[form])
    read_everywhere(store, "int16", array)
    check_documents(store)


@pytest.mark.parametrize("shuffle", ("none", "byte", "bit"))
@pytest.mark.parametrize("dtype", ("uint8", "float64"))
def test_shuffles(tmp_path, dtype, shuffle):
    for version in ("0.4", "0.5"):
        array = pixels((40, 33), dtype, seed=4)
        work = tmp_path / version
        work.mkdir()
        store = convert(work, array, "yx", "--scale-factors", "2", "--codec", "blosc:lz4",
                        "--shuffle", shuffle, "--compression-level", "5",
                        "--ome-zarr-version", version)
        read_everywhere(store, dtype, array)


@pytest.mark.parametrize("version", ("0.4", "0.5", "0.6"))
def test_metadata_given_is_metadata_read(tmp_path, version):
    array = pixels((2, 12, 33, 40), "uint8", seed=5)
    store = convert(tmp_path, array, "czyx", "--ome-zarr-version", version, "--scale-factors", "2",
                    "--name", "brain 1/2", "--scale", "z=2.5,y=0.325,x=0.325",
                    "--translation", "z=10,y=-3.5,x=0.125",
                    "--units", "z=micrometer,y=micrometer,x=micrometer")
    entry = documents.multiscale(store)
    assert entry["name"] == "brain 1/2"
    axes = documents.axes(store)
    assert [axis["name"] for axis in axes] == list("czyx")
    assert [axis["type"] for axis in axes] == ["channel"] + ["space"] * 3
    assert [axis.get("unit") for axis in axes] == [None] + ["micrometer"] * 3
    for level, factor in ((0, 1), (1, 2)):
        scale, translation = documents.scale_and_translation(entry["datasets"][level])
        s0, t0 = [2.5, 0.325, 0.325], [10, -3.5, 0.125]
        np.testing.assert_allclose(scale, [1] + [factor * s for s in s0], rtol=1e-15)
        expected = [0] + [t + 0.5 * (factor - 1) * s for t, s in zip(t0, s0)]
        np.testing.assert_allclose(translation, expected, rtol=1e-15)
    paths = documents.dataset_paths(store)
    assert paths == ["scale0/brain_1_2", "scale1/brain_1_2"]
    check_documents(store)
    read_everywhere(store, "uint8", array)


def test_peer_sees_the_same_geometry(tmp_path):
    """ngff-zarr reports the scales and translations that the documents hold."""
    ngff_zarr = pytest.importorskip("ngff_zarr")
    array = pixels((20, 41, 37), "float32", seed=6)
    store = convert(tmp_path, array, "zyx", "--scale-factors", "2,4", "--scale", "z=3,y=1.5,x=1.5",
                    "--units", "z=millimeter,y=millimeter,x=millimeter")
    images = ngff_zarr.from_ngff_zarr(str(store)).images
    for image, dataset in zip(images, documents.multiscale(store)["datasets"]):
        scale, translation = documents.scale_and_translation(dataset)
        assert [image.scale[d] for d in "zyx"] == scale
        assert [image.translation[d] for d in "zyx"] == translation
        assert set(image.axes_units.values()) == {"millimeter"}


@pytest.mark.parametrize("version", ("0.4", "0.5"))
def test_without_consolidated_metadata(tmp_path, version):
    array = pixels((33, 40), "uint8", seed=7)
    store = convert(tmp_path, array, "yx", "--scale-factors", "2", "--no-consolidate",
                    "--ome-zarr-version", version)
    documents.check_consolidated(store, expected=False)
    read_everywhere(store, "uint8", array)


def test_fill_chunks_are_left_out(tmp_path):
    """All-fill chunks are omitted bit for bit: negative zero is not the fill value."""
    array = np.zeros((32, 48), "float32")
    array[0:16, 0:16] = -0.0
    array[20, 40] = 1
    store = convert(tmp_path, array, "yx", "--ome-zarr-version", "0.5", "--layout", "flat",
                    "--scale-factors", "2")
    chunks = {str(p.relative_to(store / "0" / "c")) for p in (store / "0" / "c").rglob("*")
              if p.is_file()}
    assert chunks == {"0/0", "1/2"}
    levels = read_everywhere(store, "float32", array)
    assert np.signbit(levels[0][0:16, 0:16]).all()


def test_every_chunk_when_asked(tmp_path):
    store = convert(tmp_path, np.zeros((32, 48), "uint8"), "yx", "--layout", "flat",
                    "--write-empty-chunks", "--ome-zarr-version", "0.5")
    assert len([p for p in (store / "0" / "c").rglob("*") if p.is_file()]) == 6


def as_nifti_stream(path, array):
    """A compressed stream: read in slabs, never going back."""
    nibabel = need("nibabel")
    nibabel.save(nibabel.Nifti1Image(np.asfortranarray(array.T), np.eye(4)), path)
    return path


PLANS = [("--threads", threads, "--memory-target", budget)
         for threads, budget in ((1, "32M"), (2, "32M"), (7, "32M"), (1, "256M"), (2, "256M"),
                                 (7, "4G"), (2, "20M"))]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ("npy", "nii.gz"))
def test_same_bytes_whatever_threads_and_budget(tmp_path, form, kind):
    array = pixels((60, 210, 195), "uint16", seed=8)
    if kind == "npy":
        source = save_npy(tmp_path / "in.npy", array)
    else:
        source = as_nifti_stream(tmp_path / "in.nii.gz", array)
    trees, blocks = [], set()
    for index, plan in enumerate(PLANS):
        store = tmp_path / f"out{index}.ome.zarr"
        report = run_ngff("convert", source, store, "--chunks", "16", "--scale-factors", "2,4,8",
                          "--json", *FORMS[form], *plan).json()
        blocks.add(tuple(report["stats"]["block"]))
        trees.append({str(p.relative_to(store)): p.read_bytes()
                      for p in sorted(pathlib.Path(store).rglob("*")) if p.is_file()})
    assert len(blocks) > 1, "every plan cut the same blocks: nothing was compared"
    for tree in trees[1:]:
        assert tree.keys() == trees[0].keys()
        assert [name for name in tree if tree[name] != trees[0][name]] == []
