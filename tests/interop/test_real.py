"""The files that people have: an MRI template, an OME-TIFF with a pyramid of its own, an ImageJ stack,
a volume of half a gigabyte. Every level through every reader, every document through every
validator, in all forms that are written."""

import importlib.util
import pathlib

import numpy as np
import pytest

import documents
import test_ozx as archives
import twins
from harness import missing, run_ngff
from peers import READERS, VALIDATORS, can_read, need, read_zarr_python

FORMS = {
    "0.4": ["--ome-zarr-version", "0.4"],
    "0.5": [],
    "0.5-sharded": ["--chunks-per-shard", "2"],
}


def check(store, level0, dims, factors, method="gaussian"):
    """Documents, validators, and each level through each reader; levels equal the twin's."""
    documents.check_one_format(store)
    documents.check_no_null(store)
    documents.check_metadata_sane(store)
    documents.check_consolidated(store)
    documents.check_schema(store)
    for validate in VALIDATORS.values():
        validate(store)
    paths = documents.dataset_paths(store)
    levels = read_zarr_python(store, paths)
    for name, read in READERS.items():
        if can_read(name, level0.dtype):
            for ours, theirs in zip(levels, read(store, paths)):
                np.testing.assert_array_equal(theirs, ours, err_msg=name)
    np.testing.assert_array_equal(levels[0], level0)
    if factors is not None:
        for got, want in zip(levels, twins.pyramid(level0, dims, factors, method), strict=True):
            twins.assert_same(got, want, method)
    return levels


def mri_template():
    spec = importlib.util.find_spec("nilearn")
    if spec is None:
        missing("peer nilearn: its MRI template")
    found = sorted(pathlib.Path(spec.origin).parent.glob("datasets/data/mni_icbm152_t1*.nii.gz"))
    return found[0] if found else missing("nilearn's MRI template")


@pytest.mark.parametrize("form", FORMS)
def test_mri_template(tmp_path, form):
    nibabel = need("nibabel")
    path = mri_template()
    image = nibabel.load(path)
    store = tmp_path / "mri.ome.zarr"
    run_ngff("convert", path, store, "--chunks", "64", "--scale-factors", "2,4", *FORMS[form])
    check(store, np.asarray(image.dataobj).T, "zyx", [2, 4])
    axes = documents.multiscale(store)["axes"]
    assert image.header.get_xyzt_units()[0] == "unknown"  # so none is written (pixels.md 17)
    assert [a.get("unit") for a in axes] == [None] * 3
    scale = documents.scale_and_translation(documents.multiscale(store)["datasets"][0])[0]
    np.testing.assert_allclose(scale, [float(z) for z in image.header.get_zooms()[::-1]])


def ome_tiff(path):
    """5-D, tiled, compressed, with levels of its own in SubIFDs."""
    tifffile = need("tifffile")
    rng = np.random.default_rng(5)
    data = rng.integers(0, 4000, (2, 3, 5, 160, 192), dtype="uint16")
    metadata = {"axes": "TCZYX", "PhysicalSizeX": 0.25, "PhysicalSizeXUnit": "µm",
                "PhysicalSizeY": 0.25, "PhysicalSizeYUnit": "µm", "PhysicalSizeZ": 1.5,
                "PhysicalSizeZUnit": "µm", "TimeIncrement": 30, "TimeIncrementUnit": "s",
                "Channel": {"Name": ["DAPI", "GFP", "Cy5"]}}
    with tifffile.TiffWriter(path, bigtiff=True) as tif:
        options = {"tile": (64, 64), "compression": "zlib", "photometric": "minisblack"}
        tif.write(data, subifds=1, metadata=metadata, **options)
        tif.write(data[..., ::2, ::2], subfiletype=1, **options)
    return data


@pytest.mark.parametrize("form", FORMS)
def test_ome_tiff(tmp_path, form):
    data = ome_tiff(tmp_path / "a.ome.tif")
    store = tmp_path / "a.ome.zarr"
    run_ngff("convert", tmp_path / "a.ome.tif", store, "--chunks", "64", "--scale-factors",
             "z=1,y=2,x=2", *FORMS[form])
    check(store, data, "tczyx", [{"z": 1, "y": 2, "x": 2}])
    entry = documents.multiscale(store)
    assert [a.get("unit") for a in entry["axes"]] == ["second", None, "micrometer", "micrometer",
                                                      "micrometer"]
    assert documents.scale_and_translation(entry["datasets"][1])[0] == [30, 1, 1.5, 0.5, 0.5]
    omero = documents.ome(store)["omero"]
    assert [c["label"] for c in omero["channels"]] == ["DAPI", "GFP", "Cy5"]
    for channel in omero["channels"]:
        assert (channel["window"]["min"], channel["window"]["max"]) == (0, 65535)


def test_ome_tiff_levels_are_kept_on_request(tmp_path):
    data = ome_tiff(tmp_path / "a.ome.tif")
    store = tmp_path / "a.ome.zarr"
    run_ngff("convert", tmp_path / "a.ome.tif", store, "--chunks", "64", "--scale-factors",
             "z=1,y=2,x=2", "--keep-levels")
    levels = check(store, data, "tczyx", None)
    np.testing.assert_array_equal(levels[1], data[..., ::2, ::2])


@pytest.mark.parametrize("form", FORMS)
def test_imagej_stack(tmp_path, form):
    tifffile = need("tifffile")
    data = np.random.default_rng(6).integers(0, 255, (4, 6, 2, 70, 80), dtype="uint8")
    tifffile.imwrite(tmp_path / "a.tif", data, imagej=True, resolution=(1 / 0.2, 1 / 0.2),
                     metadata={"axes": "TZCYX", "spacing": 0.7, "unit": "um", "finterval": 2.0})
    store = tmp_path / "a.ome.zarr"
    run_ngff("convert", tmp_path / "a.tif", store, "--chunks", "32", "--scale-factors", "2",
             "--method", "bin_shrink", *FORMS[form])
    check(store, data.transpose(0, 2, 1, 3, 4), "tczyx", [2], "bin_shrink")
    scale = documents.scale_and_translation(documents.multiscale(store)["datasets"][0])[0]
    np.testing.assert_allclose(scale, [2.0, 1, 0.7, 0.2, 0.2])


@pytest.fixture(scope="module")
def half_gigabyte(tmp_path_factory):
    path = tmp_path_factory.mktemp("volume") / "volume.npy"
    rng = np.random.default_rng(7)
    plane = rng.poisson(300, (1024, 1024)).astype("uint16")
    volume = np.lib.format.open_memmap(path, mode="w+", dtype="uint16", shape=(256, 1024, 1024))
    for z in range(256):
        volume[z] = np.roll(plane, 37 * z, axis=z % 2) + z
    yield path
    path.unlink()


def shrunk(volume):
    """The levels of bin shrink by 2, 4, 8."""
    levels = [volume]
    for _ in range(3):
        previous = levels[-1]
        z, y, x = (n // 2 for n in previous.shape)
        blocks = previous.reshape(z, 2, y, 2, x, 2)
        total = sum(blocks[:, i, :, j, :, k].astype("uint32") for i in (0, 1) for j in (0, 1)
                    for k in (0, 1))
        levels.append(((total + 4) // 8).astype("uint16"))
    return levels


def convert_half_gigabyte(volume, store, *options):
    run_ngff("convert", volume, store, "--dims", "zyx", "--chunks", "64", "--scale-factors",
             "2,4,8", "--method", "bin_shrink", "--memory-target", "256M", *options, timeout=300)


@pytest.mark.parametrize("form", FORMS)
def test_half_a_gigabyte(tmp_path, half_gigabyte, form):
    store = tmp_path / "a.ome.zarr"
    convert_half_gigabyte(half_gigabyte, store, *FORMS[form])
    paths = documents.dataset_paths(store)
    want = shrunk(np.load(half_gigabyte, mmap_mode="r"))
    for name in ("zarr-python", "tensorstore", "zarrs", "ngff-zarr"):
        for got, level in zip(READERS[name](store, paths), want, strict=True):
            assert np.array_equal(got, level), name
    for validate in VALIDATORS.values():
        validate(store)


def test_half_a_gigabyte_in_one_file(tmp_path, half_gigabyte):
    store = tmp_path / "a.ozx"
    convert_half_gigabyte(half_gigabyte, store)
    want = shrunk(np.load(half_gigabyte, mmap_mode="r"))
    archives.check_unzip(store)
    for name, read in archives.READERS.items():
        levels = read(store, [f"scale{n}/volume" for n in range(4)])
        for n, (got, level) in enumerate(zip(levels, want, strict=True)):
            assert np.array_equal(got, level), f"{name} on level {n}"
