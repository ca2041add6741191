"""PNG, JPEG, NRRD and MetaImage files, read by the C half: pixels beside pillow's, and files made here
from the formats' definitions."""

import gzip
import io
import pathlib
import struct
import zlib

import numpy as np
import pytest

import ngff
from conftest import need

Image = need("PIL.Image")


@pytest.fixture(autouse=True)
def in_tmp(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def noise(*shape, dtype="u1", seed=0):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def channels_first(pixels):
    return np.moveaxis(pixels, -1, 0) if pixels.ndim == 3 else pixels


def refused(data, name, code, words):
    with open(name, "wb") as file:
        file.write(data)
    with pytest.raises(ngff.Error) as error:
        np.asarray(ngff.open_image_file(name).data)
    assert error.value.code == code and words in str(error.value) and name in str(error.value), error.value
    assert "\n" not in str(error.value)


# ---- PNG and JPEG ------------------------------------------------------------------------------

PICTURES = {
    "grey": (noise(37, 53), None), "grey 16": (noise(37, 53, dtype="u2"), "I;16"),
    "rgb": (noise(37, 53, 3), "RGB"), "rgba": (noise(37, 53, 4), "RGBA"),
    "grey alpha": (noise(37, 53, 2), "LA"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_png_is_what_pillow_reads(name):
    pixels, mode = PICTURES[name]
    picture = Image.fromarray(pixels)
    assert mode in (None, picture.mode)
    picture.save("a.png")
    image = ngff.open_image_file("a.png")
    assert image.dims == (("y", "x") if pixels.ndim == 2 else ("c", "y", "x")) and image.name == "a"
    assert image.data.dtype == pixels.dtype and image.data.about["kind"] == "png"
    assert np.array_equal(image.data, channels_first(pixels))
    assert np.array_equal(image.data[..., 30:4:-3, 7:20], channels_first(pixels)[..., 30:4:-3, 7:20])
    if pixels.ndim == 3 and pixels.shape[2] > 2:
        assert image.channel_names[:3] == ["Red", "Green", "Blue"]
        assert image.data.omero.channels[2].color == "0000FF"


def test_palettes_and_few_bits():
    palette = Image.fromarray(noise(20, 30, 3)).quantize(13)
    palette.save("a.png")
    assert np.array_equal(ngff.open_image_file("a.png").data, channels_first(np.asarray(palette.convert("RGB"))))
    palette.save("b.png", transparency=3)
    assert np.array_equal(ngff.open_image_file("b.png").data,
                          channels_first(np.asarray(Image.open("b.png").convert("RGBA"))))
    bits = Image.fromarray(noise(20, 30) > 128)
    bits.save("c.png")
    assert bits.mode == "1"
    assert np.array_equal(ngff.open_image_file("c.png").data, np.asarray(bits.convert("L")))
    few = palette.quantize(4)
    few.save("d.png", bits=2)
    assert np.array_equal(ngff.open_image_file("d.png").data, channels_first(np.asarray(few.convert("RGB"))))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, rows, interlace=0, more=b"", depth=8, color=0):
    head = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + more + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND", b""))


def adam7(pixels):
    """The rows of the seven passes, unfiltered."""
    out = b""
    for y, x, dy, dx in ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
                         (1, 0, 2, 1)):
        part = pixels[y::dy, x::dx]
        out += b"".join(b"\0" + row.tobytes() for row in part if row.size)
    return out


def test_interlaced_png():
    pixels = noise(21, 35)
    data = png(35, 21, adam7(pixels), interlace=1)
    pathlib.Path("a.png").write_bytes(data)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels)
    array = ngff.open_image_file("a.png").data
    assert np.array_equal(array[10:12], pixels[10:12]) and np.array_equal(array, pixels)


def small_memory(monkeypatch, size):
    monkeypatch.setattr(ngff.config, "memory_target", size)


def test_rows_are_kept_within_the_budget(monkeypatch):
    """Of a picture larger than the cache reading goes forward; going back starts over."""
    small_memory(monkeypatch, 24 << 20)  # an eighth of it may be kept
    pixels = np.repeat(noise(6000, 1), 1000, axis=1) ^ (np.arange(1000) % 256).astype("u1")
    Image.fromarray(pixels).save("a.png")
    image = ngff.open_image_file("a.png")
    assert image.data.about["sequential"]
    for start in (5900, 0, 4000, 3999, 100):
        assert np.array_equal(image.data[start:start + 5, 10:20], pixels[start:start + 5, 10:20])
    ngff.to_ome_zarr("a.ome.zarr", ngff.to_multiscales(image, [2], chunks=64))
    assert np.array_equal(ngff.from_ome_zarr("a.ome.zarr").images[0].data, pixels)
    flat = png(2000, 2000, bytes(2001 * 2000 + 20000), interlace=1)
    refused(flat, "b.png", "LIMIT", "interlaced")


def test_png_pixel_size_only_where_it_is_one():
    fine = struct.pack(">IIB", 4_000_000, 2_000_000, 1)
    pathlib.Path("a.png").write_bytes(png(4, 2, b"\0abcd\0efgh", more=chunk(b"pHYs", fine)))
    image = ngff.open_image_file("a.png")
    assert image.scale == {"y": 0.5, "x": 0.25} and image.axes_units == dict.fromkeys("yx", "micrometer")
    screen = struct.pack(">IIB", 2835, 2835, 1)
    pathlib.Path("b.png").write_bytes(png(4, 2, b"\0abcd\0efgh", more=chunk(b"pHYs", screen)))
    assert ngff.open_image_file("b.png").scale == {"y": 1.0, "x": 1.0}


def test_malformed_png():
    good = png(4, 2, b"\0abcd\0efgh")
    refused(good[:40], "a.png", "FORMAT", "cut short")
    refused(good[:-14], "a.png", "FORMAT", "cut short")
    refused(good[:-6], "a.png", "FORMAT", "cut short")
    refused(png(4, 3, b"\0abcd\0efgh"), "a.png", "FORMAT", "PNG")
    refused(good.replace(b"IHDR\0\0\0\4", b"IHDR\0\0\0\5"), "a.png", "FORMAT", "CRC")
    refused(png(0, 2, b""), "a.png", "FORMAT", "PNG")
    refused(png(1 << 30, 1 << 30, b"\0"), "a.png", "FORMAT", "PNG")
    refused(png(1 << 20, 1 << 20, b"\0"), "a.png", "FORMAT", "cannot hold")
    refused(png(4, 2, b"\0abcd\7efgh"), "a.png", "FORMAT", "filter")
    refused(png(4, 2, b"\0abcd\0efgh", color=5), "a.png", "FORMAT", "PNG")


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"quality": 100}])
@pytest.mark.parametrize("shape", [(37, 53), (37, 53, 3)])
def test_jpeg_is_what_pillow_reads(shape, options):
    smooth = (np.add.outer(np.arange(37), np.arange(53)) % 256).astype("u1")
    pixels = smooth if len(shape) == 2 else np.stack([smooth, smooth[::-1], smooth[:, ::-1]], -1)
    Image.fromarray(pixels).save("a.jpg", **options)
    image = ngff.open_image_file("a.jpg")
    other = channels_first(np.asarray(Image.open("a.jpg")))
    assert image.dims == ("c", "y", "x")[-other.ndim:] and image.name == "a"
    assert np.abs(np.asarray(image.data).astype(int) - other).max() <= 2  # another libjpeg, another rounding
    assert np.array_equal(image.data[..., 20:30, 5:9], np.asarray(image.data)[..., 20:30, 5:9])


def test_malformed_jpeg(monkeypatch):
    out = io.BytesIO()
    Image.fromarray(noise(64, 64)).save(out, "jpeg")
    good = out.getvalue()
    refused(good[:300], "a.jpg", "FORMAT", "JPEG")
    refused(good[:-200], "a.jpg", "FORMAT", "JPEG")
    refused(good[:-900] + b"\xff\xd9", "a.jpg", "FORMAT", "JPEG")  # the end comes too early: no grey pixels
    refused(b"\xff\xd8\xff\xe0" + bytes(40), "a.jpg", "FORMAT", "JPEG")
    inks = io.BytesIO()
    Image.fromarray(noise(16, 16, 4), "CMYK").save(inks, "jpeg")
    refused(inks.getvalue(), "a.jpg", "UNSUPPORTED", "CMYK")
    small_memory(monkeypatch, 8 << 20)
    large = io.BytesIO()
    Image.fromarray(np.zeros((1200, 1200, 3), "u1")).save(large, "jpeg", progressive=True)
    refused(large.getvalue(), "a.jpg", "LIMIT", "progressive")


# ---- NRRD --------------------------------------------------------------------------------------


def nrrd(fields, pixels, name="a.nrrd", end="\n"):
    """`fields`: lines besides sizes, type and dimension, which are of `pixels` (slowest first)."""
    types = {"u1": "uchar", "i2": "short", "u2": "uint16", "i4": "int", "u8": "ulonglong", "f4": "float",
             "f8": "double", "i1": "signed char", "u4": "unsigned int", "i8": "int64_t"}
    lines = ["NRRD0004", "# a comment", f"type: {types[pixels.dtype.str[1:]]}", f"dimension: {pixels.ndim}",
             "sizes: " + " ".join(map(str, pixels.shape[::-1])), *fields]
    pathlib.Path(name).write_bytes((end.join(lines) + end + end).encode())


def volume(dtype="<u2", *shape):
    return np.arange(np.prod(shape or (4, 5, 6))).reshape(shape or (4, 5, 6)).astype(dtype)


def append(data, name="a.nrrd"):
    with open(name, "ab") as file:
        file.write(data)


PLACED = ["space: left-posterior-superior", "space directions: (0.5,0,0) (0,0.25,0) (0,0,2)",
          "space origin: (10,20,30)", 'space units: "mm" "mm" "mm"', "kinds: domain domain domain"]


@pytest.mark.parametrize("dtype", ["<u2", ">u2", "|u1", "|i1", ">i4", "<f4", ">f8", "<u8", "<i8", "<u4"])
@pytest.mark.parametrize("packed", [False, True])
def test_nrrd_pixels(dtype, packed):
    data = volume(dtype)
    endian = [] if dtype[0] == "|" else [f"endian: {'big' if dtype[0] == '>' else 'little'}"]
    nrrd([*endian, f"encoding: {'gzip' if packed else 'raw'}"], data, end="\r\n" if packed else "\n")
    append(gzip.compress(data.tobytes()) if packed else data.tobytes())
    image = ngff.open_image_file("a.nrrd")
    assert image.dims == ("z", "y", "x") and image.name == "a"
    assert image.data.dtype == data.dtype.newbyteorder("=") and np.array_equal(image.data, data)
    assert np.array_equal(image.data[::-2, 1:3, 4], data[::-2, 1:3, 4])


def test_nrrd_places():
    data = volume()
    nrrd(["endian: little", "encoding: raw", *PLACED], data)
    append(data.tobytes())
    image = ngff.open_image_file("a.nrrd")
    assert image.scale == {"z": 2.0, "y": 0.25, "x": 0.5}
    assert image.translation == {"z": 30.0, "y": 20.0, "x": 10.0}
    assert image.axes_units == dict.fromkeys("zyx", "millimeter")
    assert {d: str(o.value) for d, o in image.axes_orientations.items()} == {
        d: str(o.value) for d, o in ngff.LPS.items()}
    # The same place, told in another space: what it is in LPS does not change.
    nrrd(["endian: little", "encoding: raw", "space: RAS", "space directions: (-0.5,0,0) (0,-0.25,0) (0,0,2)",
          "space origin: (-10,-20,30)"], data)
    append(data.tobytes())
    other = ngff.open_image_file("a.nrrd")
    assert (other.scale, other.translation) == (image.scale, image.translation)
    assert other.axes_orientations == image.axes_orientations
    # Turned: x of the image runs along the world's z, downwards; y to the right.
    nrrd(["endian: little", "encoding: raw", "space: LAS", "space directions: (0,0,-3) (-1,0,0) (0,2,0)",
          "space origin: (1,2,3)"], data)
    append(data.tobytes())
    turned = ngff.open_image_file("a.nrrd")
    assert turned.scale == {"z": 2.0, "y": 1.0, "x": 3.0}
    assert turned.translation == {"z": -2.0, "y": 1.0, "x": 3.0}
    assert {d: str(o.value) for d, o in turned.axes_orientations.items()} == {
        "x": "superior-to-inferior", "y": "left-to-right", "z": "posterior-to-anterior"}


def test_nrrd_of_no_body():
    data = volume("<u2", 3, 4, 5, 6)
    nrrd(["endian: little", "encoding: raw", "spacings: 0.5 0.25 nan 2", "kinds: space space RGB-color time",
          'units: "um" "um" "" "s"'], data)
    append(data.tobytes())
    image = ngff.open_image_file("a.nrrd")
    assert image.dims == ("t", "c", "y", "x") and image.axes_orientations is None
    assert image.scale == {"t": 2.0, "y": 0.25, "x": 0.5}
    assert image.axes_units == {"t": "second", "y": "micrometer", "x": "micrometer"}
    assert np.array_equal(image.data, data)
    nrrd(["endian: little", "encoding: raw", "space dimension: 3",
          "space directions: none (1,0,0) (0,2,0) (0,0,3)"], data)
    append(data.tobytes())
    image = ngff.open_image_file("a.nrrd")
    assert image.dims == ("c", "z", "y", "x") and image.scale == {"z": 3.0, "y": 2.0, "x": 1.0}
    assert np.array_equal(image.data, np.moveaxis(data, -1, 0)) and image.axes_orientations is None
    assert ngff.open_image_file("a.nrrd", dims="tzyx").dims == ("t", "z", "y", "x")


def test_detached_nrrd():
    data = volume()
    nrrd(["endian: little", "encoding: raw", "data file: b.raw", "byte skip: 3"], data, "a.nhdr")
    pathlib.Path("b.raw").write_bytes(b"abc" + data.tobytes())
    assert np.array_equal(ngff.open_image_file("a.nhdr").data, data)
    nrrd(["endian: little", "encoding: raw", "data file: b.raw", "byte skip: -1"], data, "a.nhdr")
    assert np.array_equal(ngff.open_image_file("a.nhdr").data, data)
    nrrd(["endian: little", "encoding: gz", "datafile: b.raw.gz", "byteskip: 3", "key:=value: 7"], data, "a.nhdr")
    pathlib.Path("b.raw.gz").write_bytes(gzip.compress(b"abc" + data.tobytes()))
    assert np.array_equal(ngff.open_image_file("a.nhdr").data, data)


HEAD = "NRRD0004\ntype: uchar\ndimension: 2\nsizes: 3 2\nencoding: raw\n"


@pytest.mark.parametrize("text, code, words", [
    (HEAD + "\n12345", "FORMAT", "expected"),
    (HEAD, "FORMAT", "empty line"),
    (HEAD.replace("sizes: 3 2\n", "") + "\n123456", "FORMAT", "lacks 'sizes'"),
    (HEAD.replace("3 2", "3 x") + "\n123456", "FORMAT", "sizes"),
    (HEAD.replace("3 2", "3 2 1") + "\n123456", "FORMAT", "sizes"),
    (HEAD.replace("3 2", "3 0") + "\n123456", "FORMAT", "axis of 0"),
    (HEAD.replace("3 2", "3 -2") + "\n123456", "FORMAT", "axis of -2"),
    (HEAD.replace("3 2", "9223372036854775807 9223372036854775807") + "\n123456", "FORMAT", "64 bits"),
    (HEAD.replace("dimension: 2", "dimension: 0") + "\n123456", "FORMAT", "dimension"),
    (HEAD.replace("dimension: 2", "dimension: 17") + "\n123456", "UNSUPPORTED", "17 axes"),
    (HEAD.replace("uchar", "block") + "\n123456", "UNSUPPORTED", "block"),
    (HEAD.replace("uchar", "u,char") + "\n123456", "UNSUPPORTED", "u,char"),
    (HEAD.replace("uchar", "short") + "\n123456123456", "FORMAT", "endian"),
    (HEAD.replace("raw", "bzip2") + "\n123456", "UNSUPPORTED", "bzip2"),
    (HEAD.replace("raw", "gzip") + "\n123456", "FORMAT", "gzip"),
    (HEAD.replace("raw", "gzip").replace("3 2", "3000 2000") + "\n123456", "FORMAT", "cannot hold"),
    (HEAD + "sizes: 3 2\n\n123456", "FORMAT", "twice"),
    (HEAD + "nonsense\n\n123456", "FORMAT", "nonsense"),
    (HEAD + "line skip: 1\n\n123456", "UNSUPPORTED", "line skip"),
    (HEAD + "byte skip: -2\n\n123456", "FORMAT", "byte skip"),
    (HEAD + "byte skip: 1\n\n123456", "FORMAT", "expected"),
    (HEAD + "data file: ../up.raw\n\n", "FORMAT", "same directory"),
    (HEAD + "data file: /etc/passwd\n\n", "FORMAT", "same directory"),
    (HEAD + "data file: none.raw\n\n", "NOT_FOUND", "none.raw"),
    (HEAD + "data file: a%d.raw 1 4 1\n\n", "UNSUPPORTED", "several files"),
    (HEAD + "data file: LIST\nb.raw\n\n", "UNSUPPORTED", "several files"),
    (HEAD + "kinds: time time\n\n123456", "UNSUPPORTED", "--dims"),
    (HEAD + "kinds: time\n\n123456", "FORMAT", "kinds"),
    (HEAD + "spacings: 1\n\n123456", "FORMAT", "spacings"),
    (HEAD + "space directions: (1,0) (0,1)\n\n123456", "FORMAT", "space"),
    (HEAD + "space: middle-earth\nspace directions: (1,0) (0,1)\n\n123456", "UNSUPPORTED", "middle-earth"),
    (HEAD + "space dimension: 2\nspace directions: (1,0) (0,1\n\n123456", "FORMAT", "axis 1"),
    (HEAD + "space dimension: 2\nspace directions: (1,0) (0,inf)\n\n123456", "FORMAT", "axis 1"),
    (HEAD + "space dimension: 9\nspace directions: (1,0) (0,1)\n\n123456", "FORMAT", "1 to 3"),
])
def test_malformed_nrrd(text, code, words):
    refused(text.encode(), "a.nrrd", code, words)


def test_cut_and_damaged_streams():
    data = volume("<u2", 40, 50, 60)
    packed = gzip.compress(np.random.default_rng(0).permuted(data.ravel()).tobytes())
    for damaged, words in ((packed[:-2000], "cut short"), (packed[:-8] + bytes(8), "damaged")):
        nrrd(["endian: little", "encoding: gzip"], data)
        append(damaged)
        refused(pathlib.Path("a.nrrd").read_bytes(), "a.nrrd", "FORMAT", words)


# ---- MetaImage ---------------------------------------------------------------------------------


def meta(pixels, *lines, name="a.mha", file="LOCAL", channels=1):
    types = {"u1": "MET_UCHAR", "i1": "MET_CHAR", "i2": "MET_SHORT", "u2": "MET_USHORT", "i4": "MET_INT",
             "u4": "MET_UINT", "f4": "MET_FLOAT", "f8": "MET_DOUBLE", "u8": "MET_ULONG_LONG", "i8": "MET_LONG_LONG"}
    shape = pixels.shape[:-1] if channels > 1 else pixels.shape
    text = ["ObjectType = Image", f"NDims = {len(shape)}", "BinaryData = True",
            f"BinaryDataByteOrderMSB = {pixels.dtype.str[0] == '>'}", *lines,
            "DimSize = " + " ".join(map(str, shape[::-1])), f"ElementType = {types[pixels.dtype.str[1:]]}",
            *([f"ElementNumberOfChannels = {channels}"] if channels > 1 else []), f"ElementDataFile = {file}"]
    pathlib.Path(name).write_bytes(("\n".join(text) + "\n").encode())


@pytest.mark.parametrize("dtype", ["<u2", ">i2", "|u1", "|i1", ">u4", "<i4", "<f4", ">f8", "<u8", "<i8"])
@pytest.mark.parametrize("packed", [False, True])
def test_meta_pixels(dtype, packed):
    data = volume(dtype)
    stream = zlib.compress(data.tobytes())
    more = ["CompressedData = True", f"CompressedDataSize = {len(stream)}"] if packed else []
    meta(data, *more)
    append(stream if packed else data.tobytes(), "a.mha")
    image = ngff.open_image_file("a.mha")
    assert image.dims == ("z", "y", "x") and image.name == "a"
    assert image.data.dtype == data.dtype.newbyteorder("=") and np.array_equal(image.data, data)
    assert np.array_equal(image.data[::-2, 1:3, 4], data[::-2, 1:3, 4])


def test_meta_places_and_channels():
    data = volume("|u1", 4, 5, 6, 3)
    meta(data, "Offset = 10 20 30", "TransformMatrix = 1 0 0 0 1 0 0 0 1", "CenterOfRotation = 0 0 0",
         "AnatomicalOrientation = RAI", "ElementSpacing = 0.5 0.25 2", "DistanceUnits = mm", channels=3)
    append(data.tobytes(), "a.mha")
    image = ngff.open_image_file("a.mha")
    assert image.dims == ("c", "z", "y", "x") and np.array_equal(image.data, np.moveaxis(data, -1, 0))
    assert image.scale == {"z": 2.0, "y": 0.25, "x": 0.5}
    assert image.translation == {"z": 30.0, "y": 20.0, "x": 10.0}
    assert image.axes_units == dict.fromkeys("zyx", "millimeter")
    assert {d: str(o.value) for d, o in image.axes_orientations.items()} == {
        d: str(o.value) for d, o in ngff.LPS.items()}
    # The directions of x, y, z one after the other: x up, y to the right, z to the front.
    data = volume()
    meta(data, "Position = 1 2 3", "Orientation = 0 0 1 -1 0 0 0 -1 0", "ElementSize = 2 3 4")
    append(data.tobytes(), "a.mha")
    turned = ngff.open_image_file("a.mha")
    assert turned.scale == {"z": 4.0, "y": 3.0, "x": 2.0}
    assert turned.translation == {"z": 2.0, "y": 1.0, "x": 3.0}
    assert {d: str(o.value) for d, o in turned.axes_orientations.items()} == {
        "x": "inferior-to-superior", "y": "left-to-right", "z": "posterior-to-anterior"}


def test_meta_planes_series_and_files():
    data = volume("<u2", 5, 6)
    meta(data, "ElementSpacing = 0.5 0.25", "Offset = 7 8", name="a.mhd", file="b.raw")
    pathlib.Path("b.raw").write_bytes(data.tobytes())
    image = ngff.open_image_file("a.mhd")
    assert image.scale == {"y": 0.25, "x": 0.5} and image.translation == {"y": 8.0, "x": 7.0}
    assert image.axes_orientations is None and np.array_equal(image.data, data)
    meta(data, "HeaderSize = -1", name="a.mhd", file="b.raw")
    pathlib.Path("b.raw").write_bytes(b"some header" + data.tobytes())
    assert np.array_equal(ngff.open_image_file("a.mhd").data, data)
    meta(data, "HeaderSize = 11", name="a.mhd", file="b.raw")
    assert np.array_equal(ngff.open_image_file("a.mhd").data, data)
    film = volume("<u2", 3, 4, 5, 6)
    meta(film, "ElementSpacing = 1 1 1 0.1")
    append(film.tobytes(), "a.mha")
    image = ngff.open_image_file("a.mha")
    assert image.dims == ("t", "z", "y", "x") and image.scale["t"] == 0.1 and np.array_equal(image.data, film)


META = ("ObjectType = Image\nNDims = 2\nDimSize = 3 2\nElementType = MET_UCHAR\n", "ElementDataFile = LOCAL\n123456")


@pytest.mark.parametrize("text, code, words", [
    (META[0], "FORMAT", "without ElementDataFile"),
    (META[0] + META[1][:-1], "FORMAT", "expected"),
    ("".join(META).replace("Image", "Tube"), "FORMAT", "Tube"),
    ("".join(META).replace("NDims = 2\n", ""), "FORMAT", "ndims"),
    ("".join(META).replace("NDims = 2", "NDims = 7"), "UNSUPPORTED", "7 axes"),
    ("".join(META).replace("NDims = 2", "NDims = -1"), "FORMAT", "ndims"),
    ("".join(META).replace("3 2", "3"), "FORMAT", "dimsize"),
    ("".join(META).replace("3 2", "3 0"), "FORMAT", "axis of 0"),
    ("".join(META).replace("3 2", "9223372036854775807 9223372036854775807"), "FORMAT", "64 bits"),
    ("".join(META).replace("MET_UCHAR", "MET_STRING"), "UNSUPPORTED", "MET_STRING"),
    ("".join(META).replace("ElementType = MET_UCHAR\n", ""), "FORMAT", "elementtype"),
    (META[0] + "NDims = 2\n" + META[1], "FORMAT", "twice"),
    (META[0] + "rubbish\n" + META[1], "FORMAT", "rubbish"),
    (META[0] + "BinaryData = False\n" + META[1], "UNSUPPORTED", "text"),
    (META[0] + "BinaryData = maybe\n" + META[1], "FORMAT", "True or False"),
    (META[0] + "CompressedData = True\n" + META[1], "FORMAT", "gzip"),
    (META[0].replace("3 2", "9000 900") + "CompressedData = True\n" + META[1], "FORMAT", "cannot hold"),
    (META[0] + "ElementNumberOfChannels = 0\n" + META[1], "FORMAT", "channels"),
    (META[0] + "ElementSpacing = 1\n" + META[1], "FORMAT", "elementspacing"),
    (META[0] + "Offset = 1 2 3\n" + META[1], "FORMAT", "offset"),
    (META[0] + "TransformMatrix = 1 0 0\n" + META[1], "FORMAT", "square"),
    (META[0] + "HeaderSize = -5\n" + META[1], "FORMAT", "headersize"),
    (META[0] + "ElementDataFile = ../b.raw\n", "FORMAT", "same directory"),
    (META[0] + "ElementDataFile = none.raw\n", "NOT_FOUND", "none.raw"),
    (META[0] + "ElementDataFile = LIST\nb.raw\n", "UNSUPPORTED", "several files"),
    (META[0] + "ElementDataFile = b%03d.raw 1 9 1\n", "UNSUPPORTED", "several files"),
])
def test_malformed_meta(text, code, words):
    refused(text.encode(), "a.mha", code, words)
