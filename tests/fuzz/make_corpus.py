#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets into tests/fuzz/corpus/. The files are made by other programs
(zarr-python, numcodecs, ngff-zarr, tifffile, nibabel, pillow), so they are what is out there and not what we would write.

Run it with build/peers/bin/python after a new kind of input became readable. Inputs that once broke
something are kept as corpus/<target>/fixed-*; this script leaves them alone."""

import gzip
import io
import json
import pathlib
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent / "corpus"
RNG = np.random.default_rng(7)


def put(target, name, data):
    folder = HERE / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


def json_seeds():
    put("json", "kinds", '{"a":[1,-2,3.5e-7,18446744073709551615,true,false,null],"b":{"c":"\\u00b5m \\ud83d\\ude00"}}')
    put("json", "lenient", '{"a":NaN,"b":[Infinity,-Infinity]}')
    put("json", "deep", "[" * 63 + "]" * 63)
    put("json", "deeper", "[" * 5000)
    put("json", "numbers", "[0,-0,0.0,1e308,1e-308,9223372036854775807,-9223372036854775808,1E+2,0.1]")
    put("json", "strings", '["","\\"\\\\\\/\\b\\f\\n\\r\\t","\xe4\xb8\xad","\\u0000"]')


def axes(version, names):
    if version == "0.3":
        return list(names)
    kinds = {"t": "time", "c": "channel"}
    return [{"name": n, "type": kinds.get(n, "space"),
             **({"unit": "micrometer"} if n in "zyx" else {})} for n in names]


def image(version, names="tczyx"):
    datasets = [{"path": str(i), "coordinateTransformations": [
        {"type": "scale", "scale": [1.0, 1.0] + [0.5 * 2**i] * 3},
        {"type": "translation", "translation": [0.0, 0.0] + [0.25 * (2**i - 1)] * 3}]}
        for i in range(3)]
    if version in ("0.1", "0.2", "0.3"):
        datasets = [{"path": d["path"]} for d in datasets]
    entry = {"name": "seed", "datasets": datasets, "type": "gaussian", "metadata": {"method": "x"}}
    if version not in ("0.1", "0.2"):
        entry["axes"] = axes(version, names)
    omero = {"channels": [{"label": "DAPI", "color": "0000FF", "active": True,
                           "window": {"min": 0, "max": 255, "start": 3, "end": 200}}]}
    if version == "0.5":
        return {"ome": {"version": version, "multiscales": [entry], "omero": omero}}
    if version == "0.6":
        entry["coordinateSystems"] = [{"name": "intrinsic", "axes": entry.pop("axes")}]
        for d in datasets:
            scale, translation = d["coordinateTransformations"]
            d["coordinateTransformations"] = [
                {"type": "sequence", "input": {"path": d["path"]}, "output": {"name": "intrinsic"},
                 "transformations": [scale, translation]}]
        return {"ome": {"version": version, "multiscales": [entry]}}
    entry["version"] = version
    return {"multiscales": [entry], "omero": omero}


def ome_seeds():
    for version in ("0.1", "0.2", "0.3", "0.4", "0.5", "0.6"):
        put("ome", f"image-{version}", json.dumps(image(version)))
    whole = image("0.4")
    whole["multiscales"][0]["coordinateTransformations"] = [{"type": "scale", "scale": [2.0] * 5}]
    put("ome", "whole-image-transform", json.dumps(whole))


def codec_seeds():
    import numcodecs
    import google_crc32c

    pixels = (np.arange(24 * 40) % 251).astype("<u2").reshape(24, 40)
    noise = RNG.integers(0, 65536, (24, 40)).astype("<u2")
    for name, a in (("smooth", pixels), ("noise", noise)):
        put("codec", f"zstd-{name}", b"\0" + bytes(numcodecs.Zstd(3).encode(a)))
        put("codec", f"gzip-{name}", b"\1" + gzip.compress(a.astype(">u2").tobytes(), mtime=0))
        for cname in ("lz4", "zstd", "blosclz", "zlib", "lz4hc"):
            for shuffle in (0, 1, 2):
                data = bytes(numcodecs.Blosc(cname, 5, shuffle).encode(a))
                put("codec", f"blosc-{cname}-{shuffle}-{name}", b"\2" + data)
        raw = a.T.tobytes()
        put("codec", f"crc32c-{name}",
            b"\3" + raw + google_crc32c.value(raw).to_bytes(4, "little"))
        put("codec", f"bytes-{name}", b"\4" + a.tobytes())


def codec_v2_seeds():
    import lzma

    import numcodecs

    a = (np.arange(24 * 40) % 251).astype("<u2").reshape(24, 40)
    put("codec", "v2-zlib", b"\5" + bytes(numcodecs.Zlib(1).encode(a)))
    put("codec", "v2-lz4", b"\6" + bytes(numcodecs.LZ4().encode(a)))
    put("codec", "v2-bz2", b"\7" + bytes(numcodecs.BZ2(1).encode(a)))
    put("codec", "v2-lzma", b"\x08" + bytes(numcodecs.LZMA(check=lzma.CHECK_NONE).encode(a)))
    put("codec", "v2-lzma-crc64", b"\x08" + bytes(numcodecs.LZMA(check=lzma.CHECK_CRC64).encode(a)))
    delta = numcodecs.Delta("<u2").encode(a.ravel())
    put("codec", "v2-delta-shuffle-zlib",
        b"\x09" + bytes(numcodecs.Zlib(1).encode(numcodecs.Shuffle(2).encode(delta))))
    put("codec", "v2-crc32c", b"\x0a" + bytes(numcodecs.CRC32C().encode(a)))


def chain_seeds():
    """Codecs as Zarr's own documents spell them, and as users do."""
    import numcodecs

    def v3(name, codecs):
        put("chain", f"v3-{name}", "3" + json.dumps(codecs))

    def v2(name, compressor, *filters, order="C"):
        put("chain", f"v2-{name}", "2" + json.dumps({
            "compressor": compressor and compressor.get_config(),
            "filters": [f.get_config() for f in filters] or None, "order": order}))

    bytes_ = {"name": "bytes", "configuration": {"endian": "little"}}
    zstd = {"name": "zstd", "configuration": {"level": 3, "checksum": True}}
    v3("zstd", [bytes_, zstd])
    v3("blosc", [bytes_, {"name": "blosc", "configuration": {
        "cname": "lz4", "clevel": 5, "shuffle": "bitshuffle", "typesize": 2, "blocksize": 0}}])
    v3("transpose-gzip-crc", [{"name": "transpose", "configuration": {"order": [1, 0]}}, bytes_,
                              {"name": "gzip", "configuration": {"level": 1}}, {"name": "crc32c"}])
    v3("sharding", [{"name": "sharding_indexed", "configuration": {
        "chunk_shape": [2, 5], "codecs": [bytes_, zstd], "index_codecs": [bytes_, {"name": "crc32c"}],
        "index_location": "end"}}])
    v3("names", ["bytes", "crc32c"])
    v3("numcodecs", [bytes_, {"name": "numcodecs.zlib", "configuration": {"level": 1}}])
    v2("blosc", numcodecs.Blosc("zstd", 5, 2))
    v2("zstd", numcodecs.Zstd(1), order="F")
    v2("none", None)
    v2("zlib-shuffle", numcodecs.Zlib(), numcodecs.Shuffle(2))
    v2("lz4-delta", numcodecs.LZ4(), numcodecs.Delta("<u2"))
    v2("bz2-crc", numcodecs.BZ2(), numcodecs.CRC32C())
    v2("lzma", numcodecs.LZMA())
    v2("lzma-raw", numcodecs.LZMA(3, filters=[{"id": 0x21, "preset": 1}]))


def hierarchy(folder):
    """Every value below a folder in the form of the target `image`."""
    return b"\n".join(b"@" + str(p.relative_to(folder)).encode() + b"\n" + p.read_bytes()
                      for p in sorted(folder.rglob("*")) if p.is_file())


def write_image(folder, version, **options):
    import ngff_zarr

    rng = np.random.default_rng(3)
    image_ = ngff_zarr.to_ngff_image(rng.integers(0, 9, (6, 20, 24)).astype("uint16"), ["z", "y", "x"],
                                     {"z": 2.0, "y": 1.0, "x": 1.0})
    scales = ngff_zarr.to_multiscales(image_, scale_factors=[2], chunks=16,
                                      method=ngff_zarr.Methods.ITKWASM_BIN_SHRINK)
    ngff_zarr.to_ngff_zarr(str(folder), scales, version=version, **options)


def image_seeds():
    import zarr

    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        write_image(work / "v04", "0.4")
        put("image", "v04", hierarchy(work / "v04"))
        write_image(work / "v05", "0.5", chunks_per_shard=2)
        put("image", "v05-sharded", hierarchy(work / "v05"))
        # A container of series, as bioformats2raw writes it.
        root = zarr.open_group(work / "series", mode="w", zarr_format=2,
                               attributes={"bioformats2raw.layout": 3})
        root.create_group("OME", attributes={"series": ["0"]})
        write_image(work / "series" / "0", "0.4")
        put("image", "series", hierarchy(work / "series"))
        labels = zarr.open_group(work / "v04", mode="r+", zarr_format=2)
        labels.create_group("labels", attributes={"labels": ["cells"]})
        put("image", "labels", hierarchy(work / "v04"))
        archive_seeds(work / "v05")


def archive_seeds(folder):
    import zipfile

    def pack(name, compression, under="", first="zarr.json", comment=b""):
        out = io.BytesIO()
        files = sorted((p for p in folder.rglob("*") if p.is_file()),
                       key=lambda p: (p.name != first, len(p.parts), str(p)))
        with zipfile.ZipFile(out, "w", compression) as target:
            for p in files:
                info = zipfile.ZipInfo(under + str(p.relative_to(folder)))
                info.compress_type = compression
                target.writestr(info, p.read_bytes())
            target.comment = comment
        put("archive", name, out.getvalue())

    pack("ozx", zipfile.ZIP_STORED, comment=b'{"ome":{"version":"0.5","zipFile":'
         b'{"centralDirectory":{"jsonFirst":true}}}}')
    pack("deflated", zipfile.ZIP_DEFLATED)
    pack("in-a-folder", zipfile.ZIP_STORED, under="image.zarr/", first="none")


def xml_seeds():
    import tifffile

    small = np.zeros((2, 3, 4, 20, 33), "uint8")
    for name, order, options in (
            ("tczyx", "TCZYX", {}),
            ("channels", "TCZYX", {"Channel": {"Name": ["DAPI", "GFP", "Cy5"], "Color": [255, -1, 65280]}}),
            ("positions", "TCZYX", {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "TimeIncrement": 2.0,
                                    "Plane": {"PositionX": [1.5] * 24, "PositionXUnit": ["µm"] * 24}})):
        out = io.BytesIO()
        tifffile.imwrite(out, small, ome=True, photometric="minisblack",
                         metadata={"axes": order, **options})
        put("xml", name, tifffile.TiffFile(io.BytesIO(out.getvalue())).ome_metadata)
    put("xml", "parts", """<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:1"><Image ID="Image:0">
<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="4" SizeY="3" SizeZ="2" SizeC="1" SizeT="1">
<Channel ID="Channel:0:0" SamplesPerPixel="1" Name="a &amp; b"/>
<TiffData FirstZ="1" IFD="0" PlaneCount="1"><UUID FileName="part-2.tif">urn:uuid:2</UUID></TiffData>
<Plane TheZ="0" TheC="0" TheT="0" PositionZ="1e1"/></Pixels></Image></OME>""")
    put("xml", "elsewhere", """<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
<BinaryOnly MetadataFile="all.companion.ome" UUID="urn:uuid:3"/></OME>""")


def array_seed(name, version, shape, **options):
    import zarr

    with tempfile.TemporaryDirectory() as work:
        pixels = RNG.integers(0, 9, shape).astype(options.pop("dtype", "uint16"))
        zarr.create_array(f"{work}/a", data=pixels, zarr_format=version, **options)
        document = "zarr.json" if version == 3 else ".zarray"
        text = pathlib.Path(work, "a", document).read_bytes()
        chunks = sorted(p for p in pathlib.Path(work, "a").rglob("*")
                        if p.is_file() and p.name not in ("zarr.json", ".zarray", ".zattrs"))
        put("zarr", name, f"{version}\n".encode()[:2] + text + b"\0" + chunks[0].read_bytes())


def zarr_seeds():
    import numcodecs
    from zarr.codecs import BloscCodec, GzipCodec

    array_seed("v3-plain", 3, (20, 30), chunks=(8, 8), compressors=None)
    array_seed("v3-zstd", 3, (20, 30), chunks=(8, 8))
    array_seed("v3-gzip", 3, (20, 30), chunks=(8, 8), compressors=GzipCodec())
    array_seed("v3-blosc", 3, (20, 30), chunks=(8, 8), compressors=BloscCodec())
    array_seed("v3-sharded", 3, (20, 30), chunks=(4, 4), shards=(8, 16))
    array_seed("v3-names", 3, (4, 5, 6), chunks=(2, 5, 3), dimension_names=["z", "y", "x"])
    array_seed("v3-bool", 3, (20, 30), chunks=(8, 8), dtype="bool")
    array_seed("v2-zstd", 2, (20, 30), chunks=(8, 8))
    array_seed("v2-blosc", 2, (20, 30), chunks=(8, 8), compressors=numcodecs.Blosc())
    array_seed("v2-fortran", 2, (20, 30), chunks=(8, 8), order="F", compressors=None)
    array_seed("v2-big", 2, (20, 30), chunks=(8, 8), dtype=">f4")


def npy(array, fortran=False):
    out = io.BytesIO()
    np.save(out, np.asfortranarray(array) if fortran else array)
    return out.getvalue()


def tiff(array, **options):
    import tifffile

    out = io.BytesIO()
    tifffile.imwrite(out, array, **options)
    return out.getvalue()


def nifti(array, compressed):
    import nibabel

    image_ = nibabel.Nifti1Image(array, np.diag([2.0, 2.0, 3.0, 1.0]))
    image_.header.set_xyzt_units("mm", "sec")
    data = image_.to_bytes()
    return gzip.compress(data, mtime=0) if compressed else data


def source_seeds():
    small = RNG.integers(0, 255, (3, 20, 33)).astype("uint8")
    put("source", "npy-c", npy(small))
    put("source", "npy-f", npy(small.astype(">u2"), True))
    put("source", "npy-complex", npy(small.astype("complex64")))
    put("source", "tiff-strips", tiff(small, photometric="minisblack", metadata=None))
    put("source", "tiff-tiles", tiff(small, photometric="minisblack", tile=(16, 16), metadata=None))
    put("source", "tiff-zlib", tiff(small, photometric="minisblack", compression="zlib", predictor=2))
    put("source", "tiff-lzw", tiff(small.astype(">u2"), photometric="minisblack", compression="lzw",
                                   byteorder=">"))
    put("source", "tiff-imagej", tiff(small, imagej=True, metadata={"axes": "ZYX"}))
    put("source", "tiff-big", tiff(small, bigtiff=True, photometric="minisblack"))
    put("source", "tiff-rgb", tiff(RNG.integers(0, 255, (20, 33, 3)).astype("uint8"),
                                   photometric="rgb"))
    put("source", "tiff-ome", tiff(small, ome=True, photometric="minisblack",
                                   metadata={"axes": "ZYX", "PhysicalSizeX": 0.5,
                                             "PhysicalSizeXUnit": "µm"}))
    volume = small.astype("int16")
    put("source", "nifti", nifti(volume, False))
    put("source", "nifti-gz", nifti(volume, True))
    put("source", "nifti-float", nifti(volume.astype("float32"), False))


def picture(array, kind, **options):
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(array).save(out, kind, **options)
    return out.getvalue()


def headed_seeds():
    """NRRD and MetaImage, and an interlaced PNG, written here after the formats' definitions."""
    import struct
    import zlib

    pixels = RNG.integers(0, 255, (3, 4, 5)).astype("<u2")
    head = ("NRRD0004\n# made here\ntype: uint16\ndimension: 3\nspace: right-anterior-superior\nsizes: 5 4 3\n"
            "space directions: (0.5,0,0) (0,0,2) (0,1,0)\nkinds: domain domain domain\nendian: little\n"
            "space units: \"mm\" \"mm\" \"mm\"\nspace origin: (1,2,3)\nkey:=value\nencoding: ")
    put("source", "nrrd", (head + "raw\n\n").encode() + pixels.tobytes())
    put("source", "nrrd-gz", (head + "gzip\n\n").encode() + gzip.compress(pixels.tobytes(), mtime=0))
    put("source", "nrrd-kinds", b"NRRD0005\ntype: uchar\ndimension: 3\nsizes: 3 4 5\nspacings: nan 0.5 2\n"
        b"kinds: RGB-color space time\nunits: \"\" \"um\" \"s\"\nbyte skip: -1\nencoding: raw\n\n" + bytes(60))
    put("source", "nhdr", (head + "raw\ndata file: pixels.raw\nbyte skip: 7\n\n").encode())
    head = ("ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nOffset = 1 2 3\n"
            "TransformMatrix = 1 0 0 0 0 1 0 1 0\nElementSpacing = 0.5 1 2\nDimSize = 5 4 3\nDistanceUnits = mm\n")
    put("source", "mha", (head + "ElementType = MET_USHORT\nElementDataFile = LOCAL\n").encode() + pixels.tobytes())
    put("source", "mha-zlib", (head + "CompressedData = True\nElementType = MET_USHORT\nElementDataFile = LOCAL\n"
                               ).encode() + zlib.compress(pixels.tobytes()))
    put("source", "mha-rgb", (head + "ElementNumberOfChannels = 3\nElementType = MET_UCHAR\nHeaderSize = -1\n"
                              "ElementDataFile = LOCAL\n").encode() + bytes(180))
    put("source", "mhd", (head + "ElementType = MET_FLOAT\nElementDataFile = pixels.raw\n").encode())

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(-(-(n - x) // dx)) for y, x, dy, dx in (
        (0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
        for n in [9] for _ in range(y, n, dy))
    put("source", "png-interlaced", b"\x89PNG\r\n\x1a\n" + chunk(
        b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 0, 0, 0, 1)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(
        b"IEND", b""))


def picture_seeds():
    from PIL import Image

    small = RNG.integers(0, 255, (20, 33, 4)).astype("uint8")
    put("source", "png-grey", picture(small[..., 0], "png"))
    put("source", "png-grey-16", picture(small[..., 0].astype("uint16") * 200, "png"))
    put("source", "png-rgba", picture(small, "png"))
    out = io.BytesIO()
    Image.fromarray(small[..., :3]).quantize(9).save(out, "png", transparency=2, bits=4)
    put("source", "png-palette", out.getvalue())
    smooth = np.add.outer(np.arange(20), np.arange(33)).astype("uint8")
    put("source", "jpeg-grey", picture(smooth, "jpeg"))
    put("source", "jpeg-rgb", picture(np.stack([smooth] * 3, -1), "jpeg"))
    put("source", "jpeg-progressive", picture(np.stack([smooth] * 3, -1), "jpeg", progressive=True))


def archive(limit=None, compression=0, comment=b""):
    """By Python's zipfile; `limit` 0 makes it write the ZIP64 end records."""
    import zipfile

    out = io.BytesIO()
    kept, zipfile.ZIP64_LIMIT = zipfile.ZIP64_LIMIT, zipfile.ZIP64_LIMIT if limit is None else limit
    try:
        with zipfile.ZipFile(out, "w", compression) as target:
            for name in ("zarr.json", "scale0/zarr.json", "scale0/c/0/0", "empty/"):
                info = zipfile.ZipInfo(name)
                info.compress_type = compression
                with target.open(info, "w", force_zip64=limit is not None) as entry:
                    entry.write(b"" if name.endswith("/") else b"{} " * 20)
            target.comment = comment
    finally:
        zipfile.ZIP64_LIMIT = kept
    return out.getvalue()


def zip_seeds():
    import zipfile

    put("zip", "stored", archive())
    put("zip", "deflated", archive(compression=zipfile.ZIP_DEFLATED))
    put("zip", "zip64", archive(limit=0, comment=b'{"ome":{"version":"0.5"}}'))
    put("zip", "local-zip64", archive(limit=1 << 31))


def pair_seeds():
    """The one format of these that is our own (docs/decisions/0006-chunk-store.md)."""
    head = "ngff chunks 1\ngen-0123456789abcdef\n/where/chunks/were\n"
    put("pair", "named", head)
    put("pair", "documents", head + "".join(f"{len(text)} {key}\n{text}\n" for key, text in (
        ("0/zarr.json", '{"zarr_format": 3}\n'), (".zattrs", "{}"), ("zarr.json", "{\n}"))) + "end\n")


if __name__ == "__main__":
    pair_seeds()
    zip_seeds()
    json_seeds()
    ome_seeds()
    codec_seeds()
    codec_v2_seeds()
    chain_seeds()
    image_seeds()
    xml_seeds()
    zarr_seeds()
    source_seeds()
    headed_seeds()
    picture_seeds()
    total = sum(p.stat().st_size for p in HERE.rglob("*") if p.is_file())
    print(f"{len(list(HERE.rglob('*')))} files, {total} bytes")
