"""Image files in Python: the C half's inputs as lazy arrays, and the functions of ngff-zarr that read
files, beside ngff-zarr's own."""

import gc
import inspect
import pathlib
import pickle
import threading
import warnings

import numpy as np
import pytest

import ngff
from conftest import need
from parity import realize

ngff_zarr = need("ngff_zarr")
tifffile = need("tifffile")
nibabel = need("nibabel")


@pytest.fixture(autouse=True)
def in_tmp(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def numbers(*shape, dtype="u2"):
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def theirs(call, *args, **kwargs):
    """What ngff-zarr's function returns, its pixels in memory: it leaves its files open."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return realize(call(*args, **kwargs))
        finally:
            gc.collect()


def facts(image):
    if hasattr(image, "images"):
        return [facts(level) for level in image.images]
    return {name: getattr(image, name) for name in (
        "scale", "translation", "name", "axes_units", "channel_names", "channel_colors")} | {
        "dims": tuple(image.dims), "shape": tuple(image.data.shape), "dtype": np.dtype(image.data.dtype)}


def pixels(image):
    levels = getattr(image, "images", [image])
    return [np.asarray(level.data) for level in levels]


# ---- the lazy array -----------------------------------------------------------------------------


def test_npy_regions_and_metadata():
    data = numbers(5, 7, 9)
    np.save("a.npy", data)
    image = ngff.open_image_file("a.npy")
    array = image.data
    assert (array.shape, array.dtype, array.ndim, image.dims) == (data.shape, data.dtype, 3, ("z", "y", "x"))
    assert image.name == "a" and image.scale == {"z": 1.0, "y": 1.0, "x": 1.0} and image.axes_units is None
    for key in (np.s_[2], np.s_[1:4, ::2, -1], np.s_[..., 3:5], np.s_[::-1, 2:2]):
        assert np.array_equal(array[key], data[key])
    assert np.array_equal(array, data) and np.array_equal(pickle.loads(pickle.dumps(array)), data)
    with pytest.raises(IndexError):
        array[9]


def test_bare_pixels_and_dims():
    data = numbers(4, 5, 6)
    pathlib.Path("a.raw").write_bytes(b"head" + data.astype(">u2").tobytes())
    image = ngff.open_image_file("a.raw", dims="czy", shape=(4, 5, 6), dtype=">u2", offset=4)
    assert image.dims == ("c", "z", "y") and np.array_equal(image.data, data)
    turned = ngff.open_image_file("a.raw", dims=("x", "y", "z"), shape=(4, 5, 6), dtype=">u2", offset=4)
    assert turned.dims == ("z", "y", "x") and np.array_equal(turned.data, data.T)


def test_a_missing_file_and_one_of_no_kind():
    pathlib.Path("a.txt").write_text("hello")
    with pytest.raises(FileNotFoundError, match="none.tif"):
        ngff.open_image_file("none.tif")
    with pytest.raises(ngff.Error, match="a.txt: begins with 68 65 6c 6c 6f") as error:
        ngff.open_image_file("a.txt")
    assert error.value.code == "UNSUPPORTED"


def test_the_engine_reads_the_file_itself(monkeypatch):
    """Whatever order the axes were asked for in, no Python is called for pixels."""
    data = numbers(6, 40, 50, 3, dtype="u1")
    tifffile.imwrite("a.tif", data, photometric="rgb", ome=True, metadata={"axes": "ZYXS"})
    (_, image), = ngff.tiff_file_to_ngff_images("a.tif")
    assert tuple(image.dims) == ("z", "y", "x", "c")

    def never(*args):
        raise AssertionError("pixels through Python")

    with monkeypatch.context() as patch:
        for name in ("read_into", "read", "read_memory"):
            for kind in (type(image.data), type(ngff.open_image_file("a.tif").data)):
                patch.setattr(kind, name, never)
        ngff.to_ome_zarr("a.ome.zarr", ngff.to_multiscales(image, scale_factors=[2], chunks=16))
    levels = ngff.from_ome_zarr("a.ome.zarr").images
    assert np.array_equal(levels[0].data, data.transpose(3, 0, 1, 2)) and len(levels) == 2
    assert np.array_equal(image.data, data)  # still open


def test_threads_read_one_gzip_at_once():
    data = numbers(20, 30, 40)
    nibabel.Nifti1Image(data, np.eye(4)).to_filename("a.nii.gz")
    array, wrong = ngff.open_image_file("a.nii.gz", raw_values=True).data, []

    def read(seed):
        for z in np.random.default_rng(seed).permutation(40)[:12]:
            if not np.array_equal(array[z], data[:, :, z].T):
                wrong.append(z)

    threads = [threading.Thread(target=read, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_levels_of_a_file():
    with tifffile.TiffWriter("a.ome.tif", ome=True) as file:
        base = numbers(2, 64, 96)
        about = {"axes": "CYX", "PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm"}
        file.write(base, subifds=1, tile=(16, 16), metadata=about)
        file.write(base[:, ::2, ::2], subfiletype=1, tile=(16, 16))
    array = ngff.open_image_file("a.ome.tif").data
    assert array.level_count == 2 and array.at_level(1).shape == (2, 32, 48)
    assert np.array_equal(array.at_level(1), base[:, ::2, ::2])
    assert array.at_level(1).info["scale"] == (1.0, 2.0, 1.0)
    assert array.at_level(1).info["translation"] == (0.0, 0.5, 0.25)


def test_zarr_array_and_windows():
    ngff.to_ome_zarr("a.ome.zarr", ngff.to_multiscales(numbers(4, 5, 6), [], chunks=4))
    assert np.array_equal(ngff.open_image_file("a.ome.zarr").data, numbers(4, 5, 6))
    tifffile.imwrite("rgb.tif", numbers(5, 6, 3, dtype="u1"), photometric="rgb")
    omero = ngff.open_image_file("rgb.tif").data.omero
    assert [c.color for c in omero.channels] == ["FF0000", "00FF00", "0000FF"]
    assert (omero.channels[0].window.max, omero.channels[0].label) == (255.0, "Red")


# ---- TIFF beside ngff-zarr -----------------------------------------------------------------------


def size(**names):
    return {f"PhysicalSize{k}": v for k, v in names.items()} | {
        f"PhysicalSize{k}Unit": "µm" for k in names}


FILES = {
    "plane": dict(data=(6, 8)),
    "stack": dict(data=(5, 6, 8), metadata={"axes": "ZYX"}),
    "bare": dict(data=(3, 6, 8), metadata=None, photometric="rgb", planarconfig="separate"),
    "imagej": dict(data=(3, 2, 6, 8), imagej=True, metadata={"axes": "TCYX"}),
    "rgb": dict(data=(6, 8, 3), dtype="u1", photometric="rgb"),
    "planar": dict(data=(3, 6, 8), dtype="u1", photometric="rgb", planarconfig="separate"),
    "ome": dict(data=(2, 3, 6, 8), ome=True, metadata={
        "axes": "ZCYX", "Name": "a/../b", **size(X=0.5, Y=0.25, Z=2.0), "Channel": {"Name": ["p", "q", "r"]}}),
    "ome unnamed": dict(data=(2, 6, 8), ome=True, metadata={"axes": "CYX"}),
    "ome placed": dict(data=(2, 6, 8), ome=True, metadata={"axes": "ZYX", **size(X=500.0, Y=1.0, Z=1.0),
                       "PhysicalSizeXUnit": "nm", "Plane": {
                       "PositionX": [1.5] * 2, "PositionXUnit": ["µm"] * 2, "PositionY": [2.5] * 2,
                       "PositionYUnit": ["µm"] * 2}}),
}


@pytest.mark.parametrize("levels", [False, True])
@pytest.mark.parametrize("name", FILES)
def test_tiff_is_what_ngff_zarr_reads(name, levels):
    how = dict(FILES[name])
    tifffile.imwrite("a.tif", numbers(*how.pop("data"), dtype=how.pop("dtype", "u2")), **how)
    other = theirs(ngff_zarr.tiff_file_to_ngff_images, "a.tif", reuse_existing_pyramids=levels)
    ours = ngff.tiff_file_to_ngff_images("a.tif", reuse_existing_pyramids=levels)
    assert [n for n, _ in ours] == [n for n, _ in other]
    for (_, one), (_, two) in zip(ours, other, strict=True):
        assert facts(one) == facts(two)
        assert all(np.array_equal(a, b) for a, b in zip(pixels(one), pixels(two), strict=True))


def test_pyramid_is_what_ngff_zarr_reads():
    with tifffile.TiffWriter("a.ome.tif", ome=True) as file:
        base = numbers(2, 64, 96)
        file.write(base, subifds=2, tile=(16, 16), metadata={"axes": "CYX", **size(X=0.5, Y=0.5)})
        file.write(base[:, ::2, ::2], subfiletype=1, tile=(16, 16))
        file.write(base[:, ::4, ::4], subfiletype=1, tile=(16, 16))
    (_, other), = theirs(ngff_zarr.tiff_file_to_ngff_images, "a.ome.tif", reuse_existing_pyramids=True)
    (_, ours), = ngff.tiff_file_to_ngff_images("a.ome.tif", reuse_existing_pyramids=True)
    assert len(ours.images) == 3 and facts(ours) == facts(other)
    assert all(np.array_equal(a, b) for a, b in zip(pixels(ours), pixels(other), strict=True))
    ngff.to_ome_zarr("a.ome.zarr", ours)
    assert np.array_equal(ngff.from_ome_zarr("a.ome.zarr").images[2].data, base[:, ::4, ::4])


def two_series():
    with tifffile.TiffWriter("a.ome.tif", ome=True) as file:
        for n in range(3):
            file.write(numbers(2 + n, 6, 8), metadata={"axes": "ZYX", "Name": f"area{n}"})
    return "a.ome.tif"


def chosen(module, path, series):
    try:
        return [name for name, _ in theirs(module.tiff_file_to_ngff_images, path, series=series)]
    except Exception as error:
        return type(error), str(error)


@pytest.mark.parametrize("series", [None, "all", 0, 2, 3, -1, "area1", "*A2", "none", ["area[12]", 0, 1],
                                    [0, 7], ["none"], 2.5, [], ()])
def test_series_are_chosen_as_ngff_zarr_does(series):
    assert chosen(ngff, two_series(), series) == chosen(ngff_zarr, "a.ome.tif", series)
    tifffile.imwrite("one.tif", numbers(6, 8))
    assert chosen(ngff, "one.tif", series) == chosen(ngff_zarr, "one.tif", series)


def test_list_of_series():
    assert ngff.image_file_series(two_series()) == [
        (f"area{n}", "TZCYX", (1, 2 + n, 1, 6, 8)) for n in range(3)]
    np.save("a.npy", numbers(4, 5))
    assert ngff.image_file_series("a.npy") == [("a", "yx", (4, 5))]
    with pytest.raises(ValueError, match="3 images"):
        ngff.open_image_file("a.ome.tif")
    assert ngff.open_image_file("a.ome.tif", series=1).data.shape == (3, 6, 8)


def test_axes_without_a_name_are_kept_with_a_warning():
    """ngff-zarr reads the first plane only."""
    data = numbers(7, 6, 8)
    tifffile.imwrite("a.tif", data, metadata={"axes": "QYX"}, photometric="minisblack")
    (_, other), = theirs(ngff_zarr.tiff_file_to_ngff_images, "a.tif")
    assert other.data.shape == (6, 8)
    with pytest.warns(UserWarning, match="Q is taken as z"):
        (_, ours), = ngff.tiff_file_to_ngff_images("a.tif")
    assert ours.dims == ("z", "y", "x") and np.array_equal(ours.data, data)


def test_what_is_no_tiff():
    np.save("a.npy", numbers(4, 5))
    pathlib.Path("bad.tif").write_bytes(b"hello")
    for path, error in (("none.tif", FileNotFoundError), ("bad.tif", OSError)):
        for module in (ngff_zarr, ngff):
            with pytest.raises(error, match=path):
                theirs(module.tiff_file_to_ngff_images, path)
    with pytest.raises(ngff.Error, match="not a TIFF"):
        ngff.tiff_file_to_ngff_images("a.npy")


# ---- nibabel beside ngff-zarr ----------------------------------------------------------------------

TURNED = np.array([[0, -2.0, 0, 5], [0.5, 0, 0, -7], [0, 0, -3.0, 9], [0, 0, 0, 1]])
OBLIQUE = np.array([[0.96, -0.2, 0, 5], [0.2, 1.9, 0.1, -7], [0.05, 0, 3.0, 9], [0, 0, 0, 1]])


@pytest.mark.parametrize("orientation", [True, False])
@pytest.mark.parametrize("affine", [np.eye(4), np.diag([-1.0, -2.0, 3.0, 1.0]), TURNED, OBLIQUE])
@pytest.mark.parametrize("shape", [(4, 5, 6), (4, 5, 6, 2), (4, 5, 6, 2, 3)])
def test_nibabel_is_what_ngff_zarr_reads(shape, affine, orientation):
    scan = nibabel.Nifti1Image(numbers(*shape, dtype="i2"), affine)
    ours = ngff.nibabel_image_to_ngff_image(scan, orientation)
    other = ngff_zarr.nibabel_image_to_ngff_image(scan, orientation)
    one, two = facts(ours), facts(other)
    if affine is TURNED:  # the image's x runs along the world's y; theirs takes the world's x for it
        assert two.pop("translation") != one["translation"]
        assert {d: one.pop("translation")[d] for d in "x"} == {"x": -7.0}
    assert one == two and np.array_equal(ours.data, other.data)
    assert ours.axes_orientations == other.axes_orientations


def test_nibabel_slope_units_and_time():
    scan = nibabel.Nifti1Image(numbers(4, 5, 6, 2, dtype="i2"), np.diag([1.0, 2.0, 3.0, 1.0]))
    scan.header.set_xyzt_units("mm", "msec")
    scan.header.set_zooms((1.0, 2.0, 3.0, 0.5))
    scan.header.set_slope_inter(2.0, 1.0)
    scan.to_filename("a.nii")
    scan = nibabel.load("a.nii")
    ours, other = (m.nibabel_image_to_ngff_image(scan) for m in (ngff, ngff_zarr))
    assert ours.data.dtype == other.data.dtype and np.array_equal(ours.data, other.data)
    assert ours.data[1, 0, 0, 0] == 2.0 * 60 + 1.0
    assert ours.axes_units == {"x": "millimeter", "y": "millimeter", "z": "millimeter", "t": "millisecond"}
    assert ours.scale == {"x": 1.0, "y": 2.0, "z": 3.0, "t": 0.5}
    scan.header["scl_slope"], scan.header["scl_inter"] = 2.0, 1.0  # a header that kept them
    ours, other = (m.nibabel_image_to_ngff_image(scan) for m in (ngff, ngff_zarr))
    assert ours.data.dtype == other.data.dtype == np.float32 and np.array_equal(ours.data, other.data)


def test_nibabel_errors():
    plane = nibabel.Nifti1Image(numbers(4, 5, dtype="i2"), np.eye(4))
    for module in (ngff, ngff_zarr):
        with pytest.raises(ValueError, match="at least 3 dimensions, got 2"):
            module.nibabel_image_to_ngff_image(plane)


@pytest.mark.parametrize("low, high", [(0, 0), (3, 90), (0, 50), (np.nan, 4)])
def test_nibabel_windows(low, high):
    scan = nibabel.Nifti1Image(numbers(4, 5, 6, dtype="i2"), np.eye(4))
    scan.header["cal_min"], scan.header["cal_max"] = low, high
    ours, other = (m.extract_omero_metadata_from_nibabel(scan) for m in (ngff, ngff_zarr))
    assert (ours is None) == (other is None)
    if ours:
        assert ours.channels[0].color == other.channels[0].color and ours.channels[0].label == ""
        assert vars(ours.channels[0].window) == vars(other.channels[0].window)


# ---- the command line's functions ------------------------------------------------------------------


def test_backends_are_detected_as_ngff_zarr_does(tmp_path):
    assert [(b.name, b.value) for b in ngff.ConversionBackend] == [
        (b.name, b.value) for b in ngff_zarr.ConversionBackend]
    names = ("a.ome.zarr a.zarr b.ozx b.zip c.nii c.nii.gz d.png d.nrrd d.mha d.hdr d.dcm d.lsm e.lif e.xlef "
             "f.tif f.ome.tiff f.svs f.ndpi f.btf g.gif g.webp g.jpg p.zarr/A/1/0 none noext.1.2.TIF i.fdf "
             "i.gipl.gz i.bmp").split()
    (tmp_path / "plain.zarr").mkdir()
    (tmp_path / "old.zarr").mkdir()
    (tmp_path / "old.zarr/.zarray").write_text("{}")
    for name in ("d.png", "d.nrrd", "d.lsm"):
        (tmp_path / f"real_{name}").write_bytes(b"1")
    names += ["plain.zarr/a.tif", "old.zarr", "real_d.png", "real_d.nrrd", "real_d.lsm"]
    for name in names:
        for words in ([name], [name, "other"]):
            assert (ngff.detect_cli_io_backend(words).name, name) == (
                ngff_zarr.detect_cli_io_backend(words).name, name)


def cli_image(module, *paths):
    backend = module.detect_cli_io_backend(list(paths))
    return theirs(module.cli_input_to_ngff_image, backend, list(paths))


def test_inputs_of_the_command_line():
    data = numbers(6, 20, 30)
    tifffile.imwrite("a.tif", data, imagej=True, metadata={"axes": "ZYX"})
    nibabel.Nifti1Image(data.T, np.eye(4)).to_filename("a.nii.gz")
    ngff.to_ome_zarr("a.ome.zarr", ngff.to_multiscales(data, [2], chunks=16))
    for n in range(3):
        tifffile.imwrite(f"s{n}.tif", data[n])
    for paths in (["a.tif"], ["a.nii.gz"], ["a.ome.zarr"], ["s0.tif", "s1.tif", "s2.tif"]):
        ours, other = cli_image(ngff, *paths), cli_image(ngff_zarr, *paths)
        assert tuple(ours.dims) == tuple(other.dims) and ours.scale == other.scale, paths
        assert ours.translation == other.translation and np.array_equal(ours.data, other.data)
    backend = ngff.ConversionBackend.NGFF_ZARR
    assert ngff.cli_input_to_ngff_image(backend, ["a.ome.zarr"], 1).data.shape == (3, 10, 15)


def test_zarr_arrays_and_patterns():
    zarr = need("zarr")
    data = numbers(6, 20, 30)
    zarr.save_array("a.zarr", data, zarr_format=2)
    assert ngff.detect_cli_io_backend(["a.zarr"]).name == "ZARR_ARRAY"
    assert np.array_equal(cli_image(ngff, "a.zarr").data, data)
    for n in range(11):
        np.save(f"s{n}.npy", data[n % 6] + n)
    image = ngff.cli_input_to_ngff_image(ngff.ConversionBackend.ITK, ["s*.npy"])
    assert image.dims == ("z", "y", "x")
    assert np.array_equal(image.data, np.stack([data[n % 6] + n for n in range(11)]))
    np.save("s3.npy", data[0, :5])
    with pytest.raises(ValueError, match="s3.npy"):
        ngff.cli_input_to_ngff_image(ngff.ConversionBackend.ITK, ["s*.npy"])


def test_inputs_that_are_not_read():
    for module in (ngff, ngff_zarr):
        with pytest.raises(ValueError, match="liffile"):
            module.cli_input_to_ngff_image(module.ConversionBackend.LIFFILE, ["a.lif"])
    with pytest.raises(FileNotFoundError):
        ngff.cli_input_to_ngff_image(ngff.ConversionBackend.ITK, ["none.png"])


def test_other_kinds_go_through_imageio():
    pixels = numbers(20, 30, 3, dtype="u1")
    need("PIL.Image").fromarray(pixels).save("a.bmp")
    image = cli_image(ngff, "a.bmp")
    assert tuple(image.dims) == ("y", "x", "c") and np.array_equal(image.data, pixels)


@pytest.mark.parametrize("name", ["tiff_file_to_ngff_images", "nibabel_image_to_ngff_image",
                                  "extract_omero_metadata_from_nibabel", "cli_input_to_ngff_image",
                                  "detect_cli_io_backend"])
def test_signatures(name):
    ours, other = (inspect.signature(getattr(m, name)).parameters.values() for m in (ngff, ngff_zarr))
    assert [(p.name, p.default, p.kind) for p in ours] == [(p.name, p.default, p.kind) for p in other]
