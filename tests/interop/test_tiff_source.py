"""TIFF sources against tifffile: every value, axis, level and calibration.

The files are written here by tifffile (and by hand where it has no way to), read by
`source_dump`, a program of the unit tests beside the command line, and compared."""

import json
import os
import pathlib
import struct
import subprocess

import numpy as np
import pytest

import harness

tifffile = pytest.importorskip("tifffile")

DUMP = harness.NGFF.parent / "source_dump"
RNG = np.random.default_rng(7)


class Refused(Exception):
    def __init__(self, answer):
        super().__init__(answer["message"])
        self.status = answer["status"]
        self.message = answer["message"]


def dump(path, *args, pixels=True):
    """The description, and the pixels under "data"."""
    out = pathlib.Path(str(path).rstrip("/").replace("*", "_").replace("[", "_") + ".raw")
    command = [DUMP, path, *args, *(["--out", out] if pixels else [])]
    done = subprocess.run([str(c) for c in command], capture_output=True, timeout=120)
    assert not done.stderr, done.stderr.decode("utf-8", "replace")
    if done.returncode == 1:
        raise Refused(json.loads(done.stdout))
    assert done.returncode == 0, (done.returncode, done.stdout)
    answer = json.loads(done.stdout)
    if pixels:
        answer["bytes"] = np.fromfile(out, np.uint8)
        out.unlink()
    return answer


def axes_of(answer):
    return "".join(a["name"] for a in answer["axes"])


def axis(answer, name):
    return next(a for a in answer["axes"] if a["name"] == name)


def canonical(data, axes):
    """What tifffile reads, with axes t, c, z, y, x: samples end up in c, unnamed axes become
    z, c, t from the fastest on."""
    names = [None] * len(axes)
    free = [n for n in "zct" if n.upper() not in axes and not (n == "c" and "S" in axes)]
    for i in range(len(axes) - 1, -1, -1):
        letter = axes[i]
        names[i] = letter.lower() if letter in "TCZYXS" else free.pop(0)
    if "s" in names:
        data = np.moveaxis(data, names.index("s"), -1)
        names.append(names.pop(names.index("s")))
        if "c" in names:
            at = names.index("c")
            data = np.moveaxis(data, -1, at + 1)
            data = data.reshape(*data.shape[:at], -1, *data.shape[at + 2 :])
            names.pop()
        else:
            names[-1] = "c"
    order = sorted(range(len(names)), key=lambda i: "tczyx".index(names[i]))
    return data.transpose(order), "".join(names[i] for i in order)


def compare(path, *args, series=None, level=0, reference=None):
    """Reads both ways and compares values, shape, dtype and axes; answers the description."""
    with tifffile.TiffFile(reference or path) as tif:
        chosen = tif.series[series or 0]
        data = chosen.levels[level].asarray()
        want, names = canonical(data, chosen.levels[level].axes)
    extra = ["--series", series] if series is not None else []
    answer = dump(path, *extra, "--level", level, *args)
    assert axes_of(answer) == names
    assert answer["levels"][level]["shape"] == list(want.shape)
    assert answer["dtype"] == str(want.dtype)
    got = answer["bytes"].view(want.dtype).reshape(want.shape)
    np.testing.assert_array_equal(got, want)
    return answer


def noise(shape, dtype):
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return RNG.random(shape) > 0.5
    if dtype.kind == "c":
        return (RNG.random(shape) + 1j * RNG.random(shape)).astype(dtype)
    if dtype.kind == "f":
        return RNG.random(shape).astype(dtype)
    info = np.iinfo(dtype)
    return RNG.integers(info.min, info.max, shape, dtype, endpoint=True)


def write(path, data, **kwargs):
    kwargs.setdefault("metadata", None)
    tifffile.imwrite(path, data, **kwargs)
    return path


# ---- pixels ---------------------------------------------------------------------------------

DTYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16",
          "float32", "float64", "complex64", "complex128"]


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes(tmp_path, dtype, byteorder):
    data = noise((53, 71), dtype)
    for name, kwargs in {
        "plain": {},
        "strips": {"rowsperstrip": 7},
        "tiles": {"tile": (16, 32)},
        "packed": {"compression": "zlib"},
        "packed_tiles": {"compression": "zlib", "tile": (32, 16)},
        "big": {"bigtiff": True, "compression": "zlib"},
    }.items():
        path = write(tmp_path / f"{name}.tif", data, byteorder=byteorder, **kwargs)
        compare(path)


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("planar", ["contig", "separate", None])
@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "zstd", "packbits", "lzma"])
def test_compression(tmp_path, compression, planar, bigtiff):
    for dtype in ["uint8", "uint16", "float32"]:
        shape = {"contig": (61, 83, 3), "separate": (3, 61, 83), None: (61, 83)}[planar]
        photometric = "minisblack" if planar is None else "rgb"
        data = noise(shape, dtype)
        data[..., :40, :] = 1
        for predictor in [False, True]:
            if predictor and compression in (None, "packbits", "lzma"):
                continue
            for layout in [{"rowsperstrip": 16}, {"tile": (32, 48)}, {}]:
                path = write(tmp_path / "a.tif", data, compression=compression,
                             photometric=photometric, planarconfig=planar, bigtiff=bigtiff,
                             predictor=predictor, **layout)
                answer = compare(path)
                assert answer["compressed"] == (compression is not None)
                compare(path, "--threads", 3, "--memory", 20000)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "uint32", "int16"])
def test_predictors(tmp_path, dtype, byteorder):
    path = write(tmp_path / "a.tif", noise((64, 80), dtype), compression="zlib", predictor=True,
                 byteorder=byteorder, tile=(32, 32))
    compare(path)


def test_jpeg(tmp_path):
    y, x = np.mgrid[:120, :150]
    gray = ((x + y) // 2).astype(np.uint8)
    rgb = np.stack([gray, gray[::-1], np.full_like(gray, 90)], -1)
    for name, data, kwargs in [
        ("gray", gray, {}),
        ("gray_tiles", gray, {"tile": (64, 64)}),
        ("rgb", rgb, {"photometric": "rgb", "tile": (64, 64)}),
        ("ycbcr", rgb, {"photometric": "rgb", "tile": (64, 64), "subsampling": (2, 2)}),
        ("ycbcr11", rgb, {"photometric": "rgb", "rowsperstrip": 40, "subsampling": (1, 1)}),
    ]:
        path = write(tmp_path / f"{name}.tif", data, compression="jpeg",
                     compressionargs={"level": 92}, **kwargs)
        with tifffile.TiffFile(path) as tif:
            want, names = canonical(tif.asarray(), tif.series[0].axes)
        answer = dump(path)
        got = answer["bytes"].reshape(want.shape)
        assert axes_of(answer) == names
        # two builds of libjpeg may upsample chroma differently
        limit = 40 if name == "ycbcr" else 2
        assert np.abs(got.astype(int) - want).max() <= limit, name
        assert np.abs(got.astype(int) - want).mean() < 1.0, name


@pytest.mark.parametrize("bits", [1, 2, 4, 7, 10, 12, 14])
def test_odd_bits(tmp_path, bits):
    data = RNG.integers(0, 2**bits, (37, 45)).astype("uint8" if bits <= 8 else "uint16")
    if bits == 1:
        path = write(tmp_path / "a.tif", data.astype(bool))
        compare(path)
        path = write(tmp_path / "b.tif", data.astype(bool), compression="zlib", tile=(16, 16))
        compare(path)
    else:
        path = write(tmp_path / "a.tif", data, bitspersample=bits)
        compare(path)


def test_photometric_is_left_alone(tmp_path):
    data = noise((20, 30), "uint8")
    compare(write(tmp_path / "white.tif", data, photometric="miniswhite"))
    colormap = noise((3, 256), "uint16")
    compare(write(tmp_path / "palette.tif", data, photometric="palette", colormap=colormap))


def test_channels_of_rgb(tmp_path):
    for samples in [3, 4]:
        path = write(tmp_path / "a.tif", noise((30, 40, samples), "uint8"), photometric="rgb",
                     extrasamples=["unassalpha"][: samples - 3])
        answer = compare(path)
        assert [c["label"] for c in answer["channels"]] == ["Red", "Green", "Blue", "Alpha"][
            :samples]


def test_sparse_tiles_are_zeros(tmp_path):
    path = tmp_path / "a.tif"
    data = noise((64, 64), "uint16")
    with tifffile.TiffWriter(path) as tif:
        tif.write(iter([data[:32, :32].copy(), None, None, data[32:, 32:].copy()]),
                  shape=data.shape, dtype=data.dtype, tile=(32, 32), compression="zlib",
                  metadata=None)
    compare(path)


def test_boxes(tmp_path):
    data = noise((5, 70, 90), "uint16")
    for kwargs in [{}, {"tile": (32, 16), "compression": "zlib"}, {"rowsperstrip": 9}]:
        path = write(tmp_path / "a.tif", data, photometric="minisblack", **kwargs)
        for z, y, x, d, h, w in [(0, 0, 0, 5, 70, 90), (1, 33, 15, 2, 9, 40), (4, 69, 89, 1, 1, 1)]:
            answer = dump(path, "--box", f"{z}:{d},{y}:{h},{x}:{w}")
            got = answer["bytes"].view("uint16").reshape(d, h, w)
            np.testing.assert_array_equal(got, data[z : z + d, y : y + h, x : x + w])


# ---- stacks and series ----------------------------------------------------------------------


def test_many_pages(tmp_path):
    data = noise((3000, 8, 9), "uint8")
    for kwargs in [{}, {"compression": "zlib"}]:
        path = write(tmp_path / "a.tif", data, photometric="minisblack", **kwargs)
        answer = compare(path)
        assert axes_of(answer) == "zyx" and "taken as z" in answer["note"]


def test_dims(tmp_path):
    path = write(tmp_path / "a.tif", noise((6, 20, 30), "uint8"), photometric="minisblack")
    assert axes_of(dump(path, "--dims", "t,y,x")) == "tyx"
    assert axes_of(dump(path, "--dims", "cyx")) == "cyx"
    for dims, word in [("yxz", "keep their places"), ("zy", "IYX"), ("zqx", "IYX")]:
        with pytest.raises(Refused, match=word) as e:
            dump(path, "--dims", dims)
        assert e.value.status == "INVALID"


@pytest.mark.parametrize("shape", [(4, 3, 20, 30), (2, 3, 4, 20, 30), (1, 20, 30), (1, 3, 1, 20, 30)])
def test_shaped(tmp_path, shape):
    for kwargs in [{}, {"compression": "zlib"}]:
        path = tmp_path / "a.tif"
        tifffile.imwrite(path, noise(shape, "uint16"), photometric="minisblack", **kwargs)
        compare(path)


def test_shaped_axes(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise((2, 3, 20, 30), "uint16"), photometric="minisblack",
                     metadata={"axes": "TZYX"})
    assert axes_of(compare(path)) == "tzyx"
    tifffile.imwrite(path, noise((2, 4, 20, 30, 3), "uint8"), photometric="rgb",
                     metadata={"axes": "TZYXS"})
    assert axes_of(compare(path)) == "tczyx"
    tifffile.imwrite(path, noise((2, 3, 20, 30), "uint8"), photometric="rgb",
                     planarconfig="separate")
    assert axes_of(compare(path)) == "czyx"


def test_truncated_series_of_one_directory(tmp_path):
    """tifffile's truncate: one IFD, all planes behind it."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise((7, 20, 30), "uint16"), photometric="minisblack", truncate=True)
    compare(path)


def test_several_series(tmp_path):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as tif:
        tif.write(noise((4, 20, 30), "uint8"), photometric="minisblack", metadata=None)
        tif.write(noise((33, 47), "uint16"), photometric="minisblack", metadata=None)
    with pytest.raises(Refused, match="--series") as e:
        dump(path)
    assert e.value.status == "INVALID"
    assert "1: IYX 4x20x30 uint8" in e.value.message
    assert "2: YX 33x47 uint16" in e.value.message
    compare(path, series=0)
    compare(path, series=1)
    with pytest.raises(Refused, match="there are 2"):
        dump(path, "--series", 2)


def pyramid(data, n):
    out = [data]
    for _ in range(n - 1):
        out.append(out[-1][..., ::2, ::2])
    return out


def test_page_pyramid(tmp_path):
    for reduced in [0, 1]:
        path = tmp_path / f"{reduced}.tif"
        with tifffile.TiffWriter(path) as tif:
            for i, level in enumerate(pyramid(noise((301, 407), "uint16"), 4)):
                tif.write(level, tile=(64, 64), compression="zlib", metadata=None,
                          subfiletype=reduced if i else 0)
        answer = compare(path)
        assert len(answer["levels"]) == 4
        for level in range(4):
            compare(path, level=level)


def test_slide_with_label(tmp_path):
    """Like Aperio: pyramid in pages, a thumbnail between, label and macro behind."""
    path = tmp_path / "a.tif"
    base = noise((512, 768, 3), "uint8")
    with tifffile.TiffWriter(path) as tif:
        common = {"photometric": "rgb", "metadata": None}
        tif.write(base, tile=(64, 64), compression="zlib", **common)
        tif.write(base[::6, ::6].copy(), rowsperstrip=16, compression="zlib", **common)
        tif.write(base[::4, ::4].copy(), tile=(64, 64), compression="zlib", **common)
        tif.write(noise((60, 50, 3), "uint8"), rowsperstrip=16, compression="lzw", subfiletype=1,
                  **common)
        tif.write(noise((60, 150, 3), "uint8"), rowsperstrip=16, compression="jpeg",
                  subfiletype=9, **common)
    with pytest.raises(Refused, match="4 images"):
        dump(path)
    answer = dump(path, "--series", 0)
    assert [level["shape"] for level in answer["levels"]] == [[3, 512, 768], [3, 128, 192]]
    np.testing.assert_array_equal(answer["bytes"].reshape(3, 512, 768), base.transpose(2, 0, 1))


@pytest.mark.parametrize("kind", ["generic", "shaped", "ome"])
def test_subifd_levels(tmp_path, kind):
    path = tmp_path / ("a.ome.tif" if kind == "ome" else "a.tif")
    levels = pyramid(noise((3, 2, 200, 280), "uint16"), 3)
    metadata = {"generic": None, "shaped": {}, "ome": {"axes": "ZCYX"}}[kind]
    with tifffile.TiffWriter(path, ome=kind == "ome") as tif:
        if kind == "generic":
            for z in range(3):
                tif.write(levels[0][z, 0], subifds=2, tile=(64, 64), metadata=None)
                for level in levels[1:]:
                    tif.write(level[z, 0], subfiletype=1, tile=(64, 64), metadata=None)
        else:
            tif.write(levels[0], subifds=2, tile=(64, 64), metadata=metadata,
                      photometric="minisblack")
            for level in levels[1:]:
                tif.write(level, subfiletype=1, tile=(64, 64), photometric="minisblack")
    if kind == "generic":
        answer = compare(path)
        got = dump(path, "--level", 2)["bytes"].view("uint16").reshape(3, 50, 70)
        np.testing.assert_array_equal(got, levels[2][:, 0])
    else:
        for level in range(3):
            answer = compare(path, level=level)
            compare(path, "--threads", 3, level=level)
    assert len(answer["levels"]) == 3


def test_folder(tmp_path):
    folder = tmp_path / "stack"
    folder.mkdir()
    data = noise((12, 20, 30), "uint16")
    for i in range(12):
        write(folder / f"slice{i + 1}.tif", data[i], compression="zlib" if i % 2 else None)
    (folder / "notes.txt").write_text("not an image")
    (folder / "._slice1.tif").write_bytes(b"junk")
    for path in [folder, f"{folder}/slice*.tif"]:
        answer = dump(path)
        assert axes_of(answer) == "zyx"
        np.testing.assert_array_equal(answer["bytes"].view("uint16").reshape(data.shape), data)
    answer = dump(f"{folder}/slice[2-3].tif")
    np.testing.assert_array_equal(answer["bytes"].view("uint16").reshape(2, 20, 30), data[1:3])
    answer = dump(folder, "--dims", "tyx")
    assert axes_of(answer) == "tyx"
    with pytest.raises(Refused) as e:
        dump(f"{folder}/nothing*.tif")
    assert e.value.status == "NOT_FOUND"
    write(folder / "slice7.tif", data[0, :, :-1].copy())
    with pytest.raises(Refused, match="slice7.tif: 29x20 uint16") as e:
        dump(folder)
    assert e.value.status == "INVALID"
    write(folder / "slice7.tif", data[0].astype("uint8"))
    with pytest.raises(Refused, match="slice7.tif: 30x20 uint8"):
        dump(folder)


def test_folder_of_stacks_and_colours(tmp_path):
    data = noise((70, 2, 10, 12, 3), "uint8")
    for i in range(70):  # more files than are kept open
        write(tmp_path / f"t{i:03}.tif", data[i], photometric="rgb", compression="lzw")
    answer = dump(tmp_path, "--dims", "tzyxc")
    assert axes_of(answer) == "tczyx"
    got = answer["bytes"].reshape(70, 3, 2, 10, 12)
    np.testing.assert_array_equal(got, data.transpose(0, 4, 1, 2, 3))


def test_folder_of_one_file(tmp_path):
    """One file is read as what it is."""
    folder = tmp_path / "one"
    folder.mkdir()
    tifffile.imwrite(folder / "a.tif", noise((2, 3, 20, 30), "uint16"), imagej=True,
                     metadata={"axes": "TCYX"})
    answer = compare(folder, reference=folder / "a.tif")
    assert axes_of(answer) == "tcyx" and answer["name"] == "a"


def test_folder_of_an_ome_set(tmp_path):
    """The folder of a multi-file OME-TIFF is that set, not a stack of its files."""
    folder = tmp_path / "run_7"
    folder.mkdir()
    data = noise((3, 2, 20, 30), "uint16")
    names = ["c0.ome.tif", "c1.ome.tif", "c2.ome.tif"]
    write_set(folder, data, names)
    answer = compare(folder, reference=folder / names[0])
    assert axes_of(answer) == "czyx" and answer["levels"][0]["shape"] == [3, 2, 20, 30]


def test_folder_keeps_the_calibration(tmp_path):
    folder = tmp_path / "stack"
    folder.mkdir()
    for i in range(3):
        tifffile.imwrite(folder / f"{i}.tif", noise((20, 30), "uint16"), imagej=True,
                         resolution=(4, 2), metadata={"unit": "um", "spacing": 3.0})
    answer = dump(folder)
    assert [axis(answer, a)["scale"] for a in "zyx"] == [3, 0.5, 0.25]
    assert [axis(answer, a)["unit"] for a in "zyx"] == ["micrometer"] * 3
    assert answer["name"] == "stack"


def test_folder_of_one_directory_files(tmp_path):
    """Planes without a directory are never left out silently."""
    for i in range(2):
        tifffile.imwrite(tmp_path / f"{i}.tif", noise((5, 20, 30), "uint16"), imagej=True)
    answer = dump(tmp_path / "0.tif")
    assert answer["levels"][0]["shape"] == [5, 20, 30]
    with pytest.raises(Refused) as e:
        dump(tmp_path)
    assert e.value.status == "UNSUPPORTED"


# ---- ImageJ ---------------------------------------------------------------------------------


@pytest.mark.parametrize("axes", ["TZCYX", "ZCYX", "TZYX", "CYX", "ZYX", "YX", "TCYX"])
def test_imagej(tmp_path, axes):
    shape = [{"T": 3, "Z": 4, "C": 2, "Y": 20, "X": 30}[a] for a in axes]
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise(shape, "uint16"), imagej=True, resolution=(1 / 0.25, 1 / 0.5),
                     metadata={"axes": axes, "spacing": 2.5, "unit": "um", "finterval": 0.125})
    answer = compare(path)
    assert axis(answer, "x")["scale"] == pytest.approx(0.25)
    assert axis(answer, "y")["scale"] == pytest.approx(0.5)
    assert axis(answer, "x")["unit"] == axis(answer, "y")["unit"] == "micrometer"
    if "Z" in axes:
        assert axis(answer, "z")["scale"] == 2.5 and axis(answer, "z")["unit"] == "micrometer"
    if "T" in axes:
        assert axis(answer, "t")["scale"] == 0.125 and axis(answer, "t")["unit"] == "second"


@pytest.mark.parametrize("unit, want", [("\\u00B5m", "micrometer"), ("micron", "micrometer"),
                                        ("nm", "nanometer"), ("pixel", ""), ("furlong", "")])
def test_imagej_units(tmp_path, unit, want):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise((20, 30), "uint8"), resolution=(4, 4), metadata=None,
                     description=f"ImageJ=1.53c\nunit={unit}\nmin=0\n")
    answer = compare(path)
    assert axis(answer, "x")["unit"] == want and axis(answer, "x")["scale"] == 0.25


def test_imagej_rgb(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise((4, 20, 30, 3), "uint8"), imagej=True,
                     metadata={"axes": "ZYXS"})
    assert axes_of(compare(path)) == "czyx"


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_imagej_pages(tmp_path, compression):
    """Hyperstack with a directory for each plane."""
    path = tmp_path / "a.tif"
    data = noise((2, 3, 4, 20, 30), "uint8")
    with tifffile.TiffWriter(path, byteorder=">") as tif:
        for i, plane in enumerate(data.reshape(-1, 20, 30)):
            tif.write(plane, metadata=None, compression=compression, contiguous=False,
                      description="ImageJ=1.53c\nimages=24\nchannels=4\nslices=3\nframes=2\n"
                      "hyperstack=true\n" if i == 0 else None)
    answer = compare(path)
    assert axes_of(answer) == "tczyx"


def one_ifd_header(width, height, offset, description, byteorder=">"):
    """A classic TIFF with one directory for 16-bit pixels at `offset`."""
    text = description.encode() + b"\0"
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 16), (259, 3, 1, 1),
               (262, 3, 1, 1), (270, 2, len(text), 8 + 2 + 12 * 10 + 4), (273, 4, 1, offset),
               (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, width * height * 2)]
    out = b"MM" if byteorder == ">" else b"II"
    out += struct.pack(byteorder + "HIH", 42, 8, len(entries))
    for tag, kind, count, value in entries:
        out += struct.pack(byteorder + "HHI", tag, kind, count)
        out += (struct.pack(byteorder + "HH", value, 0) if kind == 3
                else struct.pack(byteorder + "I", value))
    return (out + struct.pack(byteorder + "I", 0) + text).ljust(offset, b"\0")


def test_imagej_over_4_gib(tmp_path):
    """One directory, 4.4 GB of planes behind it, as ImageJ writes them; the file is sparse."""
    path = tmp_path / "a.tif"
    width, height, z, t = 1024, 1024, 550, 4
    text = f"ImageJ=1.53c\nimages={z * t}\nslices={z}\nframes={t}\nhyperstack=true\nspacing=3\n"
    plane = noise((height, width), "uint16").astype(">u2")
    with open(path, "wb") as f:
        f.write(one_ifd_header(width, height, 512, text))
        f.seek(512 + (3 * z + 549) * width * height * 2)
        f.write(plane.tobytes())
        f.truncate(512 + z * t * width * height * 2)
    answer = dump(path, "--box", f"3:1,548:2,100:60,0:{width}")
    assert [axis(answer, a)["scale"] for a in "tzyx"] == [1, 3, 1, 1]
    assert answer["levels"][0]["shape"] == [t, z, height, width]
    got = answer["bytes"].view("uint16").reshape(2, 60, width)
    assert not got[0].any()
    np.testing.assert_array_equal(got[1], plane[100:160].astype("uint16"))
    os.truncate(path, 512 + (z * t - 1) * width * height * 2)
    with pytest.raises(Refused, match="truncated") as e:
        dump(path, pixels=False)
    assert e.value.status == "FORMAT"


def test_imagej_that_lies(tmp_path):
    path = tmp_path / "a.tif"
    for text in ["images=9\nchannels=9\n", "slices=-3\n", "images=2\nslices=99999999999\n",
                 "images=99999999999\n"]:
        tifffile.imwrite(path, noise((20, 30), "uint8"), metadata=None, contiguous=False,
                         description="ImageJ=1.53c\n" + text)
        with pytest.raises(Refused) as e:
            dump(path)
        assert e.value.status == "FORMAT"


# ---- resolution -----------------------------------------------------------------------------


def test_resolution(tmp_path):
    data = noise((20, 30), "uint8")
    path = write(tmp_path / "a.tif", data, resolution=(20000, 10000), resolutionunit="CENTIMETER")
    answer = compare(path)
    assert axis(answer, "x")["scale"] == 0.5 and axis(answer, "y")["scale"] == 1.0
    assert axis(answer, "x")["unit"] == "micrometer"
    # what printers and screens have says nothing about the specimen
    for dpi in [1, 72, 300]:
        path = write(tmp_path / "a.tif", data, resolution=(dpi, dpi), resolutionunit="INCH")
        answer = compare(path)
        assert axis(answer, "x")["scale"] == 1.0 and axis(answer, "x")["unit"] == ""


# ---- OME ------------------------------------------------------------------------------------


def ome_xml(pixels, body="", images=None, root=""):
    ns = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
    images = images or f'<Image ID="Image:0" Name="cells"><Pixels {pixels}>{body}</Pixels></Image>'
    return f'<?xml version="1.0" encoding="UTF-8"?><OME xmlns="{ns}" {root}>{images}</OME>'


def sizes(order, dtype, **size):
    given = {"X": 1, "Y": 1, "Z": 1, "C": 1, "T": 1, **size}
    return (f'ID="Pixels:0" DimensionOrder="{order}" Type="{dtype}" '
            + " ".join(f'Size{k}="{v}"' for k, v in given.items()))


@pytest.mark.parametrize("order", ["XYZCT", "XYZTC", "XYCTZ", "XYCZT", "XYTCZ", "XYTZC"])
def test_ome_orders(tmp_path, order):
    size = {"T": 2, "C": 3, "Z": 4, "Y": 10, "X": 12}
    path = tmp_path / "a.ome.tif"
    data = noise([size[a] for a in order[::-1]], "uint16")
    xml = ome_xml(sizes(order, "uint16", **size), "<TiffData/>")
    with tifffile.TiffWriter(path) as tif:
        for i, plane in enumerate(data.reshape(-1, 10, 12)):
            tif.write(plane, metadata=None, description=xml if i == 0 else None)
    answer = compare(path)
    assert axes_of(answer) == "tczyx" and answer["name"] == "cells"


def test_ome_calibration(tmp_path):
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(
        path, noise((2, 2, 3, 20, 30), "uint16"), photometric="minisblack",
        metadata={"axes": "TCZYX", "PhysicalSizeX": 0.25, "PhysicalSizeXUnit": "µm",
                  "PhysicalSizeY": 250, "PhysicalSizeYUnit": "nm", "PhysicalSizeZ": 2,
                  "PhysicalSizeZUnit": "mm", "TimeIncrement": 30, "TimeIncrementUnit": "ms",
                  "Channel": {"Name": ["DAPI", "GFP"], "Color": [65535, -16776961]},
                  "Plane": {"PositionX": [100.0] * 12, "PositionXUnit": ["µm"] * 12,
                            "PositionY": [0.5] * 12, "PositionYUnit": ["mm"] * 12}})
    answer = compare(path)
    assert [axis(answer, a)["scale"] for a in "tzyx"] == [30, 2, 250, 0.25]
    assert [axis(answer, a)["unit"] for a in "tzyx"] == [
        "millisecond", "millimeter", "nanometer", "micrometer"]
    assert axis(answer, "x")["translation"] == 100.0
    assert axis(answer, "y")["translation"] == pytest.approx(500000.0)
    assert [c["label"] for c in answer["channels"]] == ["DAPI", "GFP"]
    assert [c["color"] for c in answer["channels"]] == ["0000FF", "FF0000"]


def test_ome_default_unit(tmp_path):
    path = tmp_path / "a.ome.tif"
    xml = ome_xml(sizes("XYZCT", "uint8", X=30, Y=20) + ' PhysicalSizeX="0.5"', "<TiffData/>")
    write(path, noise((20, 30), "uint8"), description=xml)
    answer = compare(path)
    assert axis(answer, "x")["scale"] == 0.5 and axis(answer, "x")["unit"] == "micrometer"
    assert axis(answer, "y")["scale"] == 1.0 and axis(answer, "y")["unit"] == ""


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_ome_rgb(tmp_path, planar):
    path = tmp_path / "a.ome.tif"
    axes, shape = ("ZYXS", (3, 20, 30, 3)) if planar == "contig" else ("ZSYX", (3, 3, 20, 30))
    tifffile.imwrite(path, noise(shape, "uint8"), photometric="rgb", planarconfig=planar,
                     metadata={"axes": axes}, compression="zlib")
    answer = compare(path)
    assert axes_of(answer) == "czyx"
    assert [c["label"] for c in answer["channels"]] == ["Red", "Green", "Blue"]


def test_ome_rgb_with_channels(tmp_path):
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, noise((2, 3, 20, 30, 3), "uint8"), photometric="rgb",
                     metadata={"axes": "CZYXS"})
    answer = compare(path)
    assert axes_of(answer) == "czyx" and answer["levels"][0]["shape"] == [6, 3, 20, 30]


def test_ome_series(tmp_path):
    path = tmp_path / "a.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as tif:
        tif.write(noise((2, 20, 30), "uint8"), metadata={"axes": "CYX", "Name": "first"},
                  photometric="minisblack")
        tif.write(noise((3, 25, 35), "uint16"), metadata={"axes": "ZYX", "Name": "second"},
                  photometric="minisblack")
    with pytest.raises(Refused, match="1: .*first; 2: .*second") as e:
        dump(path)
    assert e.value.status == "INVALID"
    assert compare(path, series=0)["name"] == "first"
    assert compare(path, series=1)["name"] == "second"


def write_set(folder, data, names, root_uuid=True):
    """A set of one file per channel, each with the same OME-XML."""
    c, z, height, width = data.shape
    body = "".join(
        f'<TiffData FirstC="{i}" FirstZ="{k}" IFD="{k}" PlaneCount="1">'
        f'<UUID FileName="{names[i]}">urn:uuid:{i}</UUID></TiffData>'
        for i in range(c) for k in range(z))
    for i in range(c):
        root = f'UUID="urn:uuid:{i}"' if root_uuid else ""
        xml = ome_xml(sizes("XYZCT", "uint16", X=width, Y=height, Z=z, C=c), body, root=root)
        with tifffile.TiffWriter(folder / names[i]) as tif:
            for k in range(z):
                tif.write(data[i, k], metadata=None, description=xml if k == 0 else None,
                          compression="zlib" if i else None)


@pytest.mark.parametrize("root_uuid", [True, False])
def test_ome_multi_file(tmp_path, root_uuid):
    data = noise((3, 4, 20, 30), "uint16")
    names = ["c0.ome.tif", "c1.ome.tif", "c2.ome.tif"]
    write_set(tmp_path, data, names, root_uuid)
    for name in names:
        answer = compare(tmp_path / name, "--threads", 2)
        assert axes_of(answer) == "czyx"
    (tmp_path / names[1]).unlink()
    with pytest.raises(Refused, match="c1.ome.tif") as e:
        dump(tmp_path / names[0])
    assert e.value.status == "NOT_FOUND"


def test_ome_set_stays_in_its_folder(tmp_path):
    inside = tmp_path / "set"
    inside.mkdir()
    data = noise((2, 2, 20, 30), "uint16")
    write_set(inside, data, ["c0.ome.tif", "c1.ome.tif"])
    for name in ["../secret.tif", "/etc/passwd", "..", "a\\b.tif"]:
        body = ('<TiffData IFD="0"/><TiffData FirstC="1" IFD="0">'
                f'<UUID FileName="{name}">urn:uuid:9</UUID></TiffData>')
        path = write(inside / "a.ome.tif", data[0, 0], description=ome_xml(
            sizes("XYZCT", "uint16", X=30, Y=20, C=2), body, root='UUID="urn:uuid:1"'))
        with pytest.raises(Refused, match="plain name") as e:
            dump(path)
        assert e.value.status == "FORMAT"


def test_ome_renamed(tmp_path):
    """A file under another name than its OME-XML knows is still itself."""
    path = tmp_path / "old.ome.tif"
    data = noise((2, 20, 30), "uint16")
    write_set(tmp_path, data[None], ["old.ome.tif"], root_uuid=False)
    path.rename(tmp_path / "new.ome.tif")
    answer = dump(tmp_path / "new.ome.tif")
    np.testing.assert_array_equal(answer["bytes"].view("uint16").reshape(data.shape), data)


def test_ome_companion(tmp_path):
    data = noise((2, 20, 30), "uint16")
    body = "".join(f'<TiffData FirstZ="{i}" IFD="{i}" PlaneCount="1">'
                   '<UUID FileName="a.tif">urn:uuid:1</UUID></TiffData>' for i in range(2))
    pointer = ome_xml("", images='<BinaryOnly MetadataFile="a.companion.ome" UUID="urn:uuid:0"/>')
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        for i in range(2):
            tif.write(data[i], metadata=None, description=pointer if i == 0 else None)
    with pytest.raises(Refused, match="a.companion.ome"):
        dump(tmp_path / "a.tif")
    (tmp_path / "a.companion.ome").write_text(
        ome_xml(sizes("XYZCT", "uint16", X=30, Y=20, Z=2), body))
    answer = dump(tmp_path / "a.tif")
    assert axes_of(answer) == "zyx" and answer["name"] == "cells"


def test_ome_missing_planes_are_zeros(tmp_path):
    path = tmp_path / "a.ome.tif"
    data = noise((2, 20, 30), "uint16")
    body = '<TiffData FirstZ="0" IFD="1"/><TiffData FirstZ="2" IFD="0"/>'
    xml = ome_xml(sizes("XYZCT", "uint16", X=30, Y=20, Z=4), body)
    with tifffile.TiffWriter(path) as tif:
        for i in range(2):
            tif.write(data[i], metadata=None, description=xml if i == 0 else None)
    compare(path)


HOSTILE_XML = {
    "doctype": ('<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
                '<OME xmlns="http://x"><Image Name="&b;"><Pixels/></Image></OME>'),
    "deep": '<OME xmlns="http://x">' + "<a>" * 500 + "</a>" * 500 + "</OME>",
    "broken": '<OME xmlns="http://x"><Image></OME>',
    "no size": '<OME xmlns="http://x"><Image><Pixels SizeX="30"/></Image></OME>',
    "huge": ome_xml(sizes("XYZCT", "uint8", X=30, Y=20, T=10**9, Z=10**9), "<TiffData/>"),
    "large": ome_xml(sizes("XYZCT", "uint8", X=30, Y=20, T=10**8), '<TiffData IFD="0"/>'),
    "order": ome_xml(sizes("XYZZT", "uint8", X=30, Y=20), "<TiffData/>"),
    "other size": ome_xml(sizes("XYZCT", "uint8", X=31, Y=20), "<TiffData/>"),
    "negative": ome_xml(sizes("XYZCT", "uint8", X=30, Y=20, Z=-1), "<TiffData/>"),
    "behind": ome_xml(sizes("XYZCT", "uint8", X=30, Y=20, Z=2), '<TiffData IFD="7"/>'),
    "before": ome_xml(sizes("XYZCT", "uint8", X=30, Y=20, Z=2), '<TiffData IFD="-1"/>'),
    "few": ome_xml(sizes("XYZCT", "uint8", X=30, Y=20, Z=3), ""),
}


@pytest.mark.parametrize("name", HOSTILE_XML)
def test_hostile_ome(tmp_path, name):
    path = write(tmp_path / "a.ome.tif", noise((20, 30), "uint8"), description=HOSTILE_XML[name])
    with pytest.raises(Refused) as e:
        dump(path)
    assert e.value.status in ("FORMAT", "LIMIT")
    assert str(path) in e.value.message


# ---- broken files ---------------------------------------------------------------------------


@pytest.mark.parametrize("kwargs", [{}, {"tile": (32, 32)}, {"compression": "zlib"},
                                    {"compression": "lzw", "tile": (32, 32)},
                                    {"bigtiff": True, "rowsperstrip": 5}])
def test_truncated(tmp_path, kwargs):
    """Never a part of the pixels: an error, or all of them when only padding is gone."""
    data = noise((3, 90, 100), "uint16")
    path = write(tmp_path / "a.tif", data, photometric="minisblack", **kwargs)
    whole = path.read_bytes()
    for cut in [0, 4, 9, 60, 200, len(whole) // 2, len(whole) - 300, len(whole) - 1]:
        path.write_bytes(whole[:cut])
        try:
            answer = dump(path)
            assert cut >= len(whole) - 300
            np.testing.assert_array_equal(answer["bytes"].view("uint16"), data.ravel())
        except Refused as e:
            assert e.status in ("FORMAT", "UNSUPPORTED"), cut
            assert str(path) in e.message


def test_flipped_bytes(tmp_path):
    """Whatever the bytes are: pixels or one sentence, never a crash."""
    seen = set()
    for n, kwargs in enumerate([{}, {"tile": (16, 16), "compression": "zlib"},
                                {"compression": "lzw", "bigtiff": True},
                                {"compression": "packbits", "rowsperstrip": 3}]):
        path = write(tmp_path / f"{n}.tif", noise((2, 30, 40), "uint8"), photometric="minisblack",
                     **kwargs)
        whole = path.read_bytes()
        rng = np.random.default_rng(n)
        for _ in range(40):
            broken = bytearray(whole)
            for _ in range(int(rng.integers(1, 4))):
                broken[int(rng.integers(0, min(len(broken), 700)))] = int(rng.integers(256))
            path.write_bytes(broken)
            try:
                dump(path)
                seen.add("OK")
            except Refused as e:
                seen.add(e.status)
    assert "INTERNAL" not in seen and "OK" in seen and "FORMAT" in seen


def ifd(entries, byteorder="<", next_ifd=0):
    out = struct.pack(byteorder + "H", len(entries))
    for tag, kind, count, value in entries:
        out += struct.pack(byteorder + "HHII", tag, kind, count, value)
    return out + struct.pack(byteorder + "I", next_ifd)


def test_bombs(tmp_path):
    path = tmp_path / "a.tif"
    head = struct.pack("<2sHI", b"II", 42, 8)
    cases = {
        "one strip": [(256, 4, 1, 2**31 - 1), (257, 4, 1, 2**31 - 1), (258, 3, 1, 8),
                      (259, 3, 1, 8), (273, 4, 1, 8), (279, 4, 1, 60)],
        "plain": [(256, 4, 1, 2**31 - 1), (257, 4, 1, 2**31 - 1), (258, 3, 1, 8),
                  (259, 3, 1, 1), (273, 4, 1, 8), (279, 4, 1, 60)],
        "rows": [(256, 4, 1, 2**31 - 1), (257, 4, 1, 2**31 - 1), (258, 3, 1, 8), (278, 4, 1, 1),
                 (259, 3, 1, 8), (273, 4, 1, 8), (279, 4, 1, 60)],
        "tiles": [(256, 4, 1, 2**30), (257, 4, 1, 2**30), (258, 3, 1, 8), (259, 3, 1, 8),
                  (322, 4, 1, 16), (323, 4, 1, 16), (324, 4, 2**31, 8), (325, 4, 2**31, 8)],
        "samples": [(256, 4, 1, 2**20), (257, 4, 1, 2**20), (258, 3, 1, 64), (259, 3, 1, 8),
                    (277, 3, 1, 65535), (273, 4, 1, 8), (279, 4, 1, 60)],
        "deflate": [(256, 4, 1, 16384), (257, 4, 1, 16384), (258, 3, 1, 8), (259, 3, 1, 8),
                    (273, 4, 1, 8), (279, 4, 1, 60)],
        "wide": [(256, 4, 1, 2**32 - 1), (257, 4, 1, 1), (273, 4, 1, 8), (279, 4, 1, 60)],
    }
    for name, entries in cases.items():
        path.write_bytes(head + ifd(entries) + bytes(100))
        with pytest.raises(Refused) as e:
            dump(path, "--box", "0:1,0:1")
        assert e.value.status in ("FORMAT", "LIMIT", "UNSUPPORTED"), name


def test_loops(tmp_path):
    path = tmp_path / "a.tif"
    page = [(256, 4, 1, 4), (257, 4, 1, 4), (258, 3, 1, 8), (273, 4, 1, 8), (279, 4, 1, 16)]
    size = len(ifd(page))
    for chain in [[8], [8 + size, 8], [8 + size, 8 + 2 * size, 8 + size]]:
        path.write_bytes(struct.pack("<2sHI", b"II", 42, 8)
                         + b"".join(ifd(page, next_ifd=n) for n in chain))
        with pytest.raises(Refused, match="circle") as e:
            dump(path)
        assert e.value.status == "FORMAT"


def test_unreadable_kinds(tmp_path):
    path = tmp_path / "a.tif"
    page = [(256, 4, 1, 4), (257, 4, 1, 4), (258, 3, 1, 8), (259, 3, 1, 33005), (273, 4, 1, 8),
            (279, 4, 1, 16)]
    path.write_bytes(struct.pack("<2sHI", b"II", 42, 8) + ifd(page) + bytes(64))
    with pytest.raises(Refused, match="JPEG 2000") as e:
        dump(path)
    assert e.value.status == "UNSUPPORTED"
