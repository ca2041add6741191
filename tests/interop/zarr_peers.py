"""Arrays of the peers read by the zarr room, and the other way round.

    build/peers/bin/python tests/interop/zarr_peers.py build/<preset>/bin/zarr_driver

zarr-python and tensorstore write arrays of many types, codecs and layouts; the driver must return
the same bytes. Then the driver writes arrays from the peers' own metadata and every peer that knows
the codec must read back the pixels.
"""

import itertools
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numcodecs
import numpy as np
import tensorstore as ts
import zarr

warnings.simplefilter("ignore")
DRIVER = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None
DTYPES = "|b1 <i1 <i2 <i4 <i8 <u1 <u2 <u4 <u8 <f2 <f4 <f8 <c8 <c16".split()
failures = []
counts = {}


def pixels(shape, dtype, seed=1):
    rng = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    smooth = np.add.outer(np.arange(shape[0]) * 3, np.arange(int(np.prod(shape[1:])))).reshape(shape)
    noise = rng.integers(0, 7, shape)
    if dtype.kind == "b":
        return (noise > 3).astype(dtype)
    data = (smooth + noise).astype(dtype)
    if dtype.kind == "c":
        data = data * (1 + 2j)
    data[: shape[0] // 2, :9] = 0  # some chunks are all fill
    return data.astype(dtype)


def native(a):
    return np.ascontiguousarray(a).astype(a.dtype.newbyteorder("="))


def run(*args):
    # a failing driver does not tidy up: leaks are the unit tests' business
    env = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
    return subprocess.run([DRIVER, *map(str, args)], capture_output=True, env=env)


def note(group, label, ok, text=""):
    counts[group] = counts.get(group, 0) + 1
    if not ok:
        failures.append(f"{group}: {label}: {text}")


def expect_read(group, label, root, path, data):
    got = run("read", root, path)
    if got.returncode:
        note(group, label, False, got.stderr.decode())
        return
    want = native(data).tobytes()
    note(group, label, got.stdout == want, f"{len(got.stdout)} bytes, wanted {len(want)}")


# ---- peers write, the driver reads ----------------------------------------------------------


def v3_codecs():
    b = zarr.codecs
    yield "none", []
    for cname, shuffle in itertools.product(
        ["lz4", "lz4hc", "zstd", "zlib", "blosclz"], ["noshuffle", "shuffle", "bitshuffle"]
    ):
        try:
            yield f"blosc-{cname}-{shuffle}", [b.BloscCodec(cname=cname, clevel=5, shuffle=shuffle)]
        except ValueError:
            pass
    yield "blosc-level0", [b.BloscCodec(cname="lz4", clevel=0, shuffle="shuffle")]
    yield "zstd", [b.ZstdCodec(level=3)]
    yield "zstd-checksum", [b.ZstdCodec(level=0, checksum=True)]
    yield "gzip", [b.GzipCodec(level=6)]
    yield "zstd-crc", [b.ZstdCodec(level=1), b.Crc32cCodec()]
    yield "crc", [b.Crc32cCodec()]
    yield "gzip-crc-zstd-crc", [b.GzipCodec(level=1), b.Crc32cCodec(), b.ZstdCodec(level=1), b.Crc32cCodec()]


def make_v3(root, name, data, codecs, **kw):
    a = zarr.create_array(str(root / name), shape=data.shape, dtype=data.dtype, compressors=codecs or None,
                          zarr_format=3, overwrite=True, **kw)
    a[...] = data
    return a


def peer_writes_v3(root):
    shape, chunks = (37, 50, 41), (16, 20, 17)
    for label, codecs in v3_codecs():
        for dtype in ("<u2", "<f4", "|u1", "<i8"):
            data = pixels(shape, dtype)
            make_v3(root, "a", data, codecs, chunks=chunks)
            expect_read("read v3 codecs", f"{label} {dtype}", root, "a", data)
    for dtype in DTYPES:
        data = pixels(shape, dtype)
        make_v3(root, "a", data, [zarr.codecs.ZstdCodec(level=1)], chunks=chunks)
        expect_read("read v3 dtypes", dtype, root, "a", data)
        for where, order in itertools.product(("start", "end"), (None, (2, 0, 1))):
            filters = [zarr.codecs.TransposeCodec(order=order)] if order else []
            inner = [*filters, zarr.codecs.BytesCodec(endian="big"), zarr.codecs.BloscCodec(typesize=np.dtype(dtype).itemsize)]
            codec = zarr.codecs.ShardingCodec(chunk_shape=(8, 10, 17), codecs=inner, index_location=where)
            a = zarr.create_array(str(root / "s"), shape=shape, dtype=dtype, chunks=(16, 20, 34), zarr_format=3,
                                  overwrite=True, serializer=codec, compressors=None, filters=None)
            a[...] = data
            expect_read("read v3 shards", f"{dtype} {where} {order}", root, "s", data)
    for enc in ({"name": "default", "separator": "."}, {"name": "v2", "separator": "."}, {"name": "v2", "separator": "/"}):
        data = pixels(shape, "<u2")
        make_v3(root, "k", data, [], chunks=chunks, chunk_key_encoding=enc)
        expect_read("read v3 keys", str(enc), root, "k", data)
    one = zarr.create_array(str(root / "scalar"), shape=(), dtype="f8", zarr_format=3, overwrite=True)
    one[...] = 2.5
    expect_read("read v3 scalar", "0-D", root, "scalar", np.array(2.5))
    for dtype, fill in (("f4", np.nan), ("f8", -np.inf), ("u8", 2**64 - 1), ("i8", -2**63), ("bool", True),
                        ("c8", 1 + 2j), ("f2", np.float16(0.1))):
        zarr.create_array(str(root / "fill"), shape=(5,), chunks=(2,), dtype=dtype, fill_value=fill, zarr_format=3, overwrite=True)
        expect_read("read v3 fills", f"{dtype} {fill}", root, "fill", np.full(5, fill, dtype))


def peer_writes_v2(root):
    shape, chunks = (37, 50, 41), (16, 20, 17)
    comp = {"none": None, "zlib": numcodecs.Zlib(5), "gzip": numcodecs.GZip(4), "zstd": numcodecs.Zstd(3),
            "zstd-checksum": numcodecs.Zstd(3, checksum=True), "lz4": numcodecs.LZ4(1)}
    for cname, shuffle in itertools.product(numcodecs.blosc.list_compressors(), (-1, 0, 1, 2)):
        comp[f"blosc-{cname}{shuffle}"] = numcodecs.Blosc(cname, 5, shuffle)
    for (label, c), order in itertools.product(comp.items(), "CF"):
        for dtype in ("<u2", ">u2", "|u1", ">f8"):
            data = pixels(shape, dtype)
            a = zarr.create_array(str(root / "a"), shape=shape, dtype=dtype, chunks=chunks, compressors=c, order=order,
                                  zarr_format=2, overwrite=True, chunk_key_encoding={"name": "v2", "separator": "/"})
            a[...] = data
            expect_read("read v2 codecs", f"{label} {order} {dtype}", root, "a", data)
    for dtype in DTYPES + [d.replace("<", ">") for d in DTYPES]:
        data = pixels(shape, dtype)
        a = zarr.create_array(str(root / "a"), shape=shape, dtype=dtype, chunks=chunks, zarr_format=2, overwrite=True)
        a[...] = data
        expect_read("read v2 dtypes", dtype, root, "a", data)
    for dtype, f in (("<u2", [numcodecs.Shuffle(2)]), ("<u4", [numcodecs.Delta("<u4")]), (">i2", [numcodecs.Delta(">i2")]),
                     ("<u2", [numcodecs.Delta("<u2"), numcodecs.Shuffle(2)]), ("<f4", [numcodecs.Delta("<f4")]),
                     ("<u2", [numcodecs.CRC32C()]), ("<u2", [numcodecs.CRC32C(location="start")])):
        data = pixels(shape, dtype)
        a = zarr.create_array(str(root / "f"), shape=shape, dtype=dtype, chunks=chunks, zarr_format=2, overwrite=True,
                              filters=f, compressors=numcodecs.Zlib(1))
        a[...] = data
        expect_read("read v2 filters", f"{dtype} {f}", root, "f", data)
    data = pixels(shape, "<u2")  # T6: nested, without the member that says so
    a = zarr.create_array(str(root / "n"), shape=shape, dtype="<u2", chunks=chunks, zarr_format=2, overwrite=True,
                          chunk_key_encoding={"name": "v2", "separator": "/"})
    a[...] = data
    doc = json.loads((root / "n/.zarray").read_text())
    del doc["dimension_separator"]
    (root / "n/.zarray").write_text(json.dumps(doc))
    expect_read("read v2 nested", "no dimension_separator", root, "n", data)


def tensorstore_writes(root):
    shape = [37, 50, 41]
    for dtype, codecs in itertools.product(("uint16", "float32", "uint8"), (
        [{"name": "bytes", "configuration": {"endian": "big"}}, {"name": "gzip", "configuration": {"level": 3}}],
        [{"name": "transpose", "configuration": {"order": [1, 2, 0]}}, {"name": "bytes", "configuration": {"endian": "little"}},
         {"name": "blosc", "configuration": {"cname": "zstd", "clevel": 3, "shuffle": "bitshuffle"}}],
        [{"name": "sharding_indexed", "configuration": {"chunk_shape": [8, 10, 17], "codecs": [
            {"name": "bytes", "configuration": {"endian": "little"}}, {"name": "zstd", "configuration": {"level": 2}}],
            "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}], "index_location": "start"}}],
    )):
        data = pixels(shape, np.dtype(dtype))
        t = ts.open({"driver": "zarr3", "kvstore": {"driver": "file", "path": str(root / "t")}, "metadata": {
            "shape": shape, "data_type": dtype, "codecs": codecs,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [16, 20, 34]}}}},
            create=True, delete_existing=True).result()
        t.write(data).result()
        expect_read("read tensorstore", f"{dtype} {codecs[0]['name']}", root, "t", data)


# ---- the driver writes, peers read -----------------------------------------------------------


def read_zarr(root, name):
    return zarr.open_array(str(root / name), mode="r")[...]


def read_ts(driver):
    def go(root, name):
        return ts.open({"driver": driver, "kvstore": {"driver": "file", "path": str(root / name)}}).result().read().result()
    return go


def driver_writes(group, root, data, doc, readers):
    with tempfile.TemporaryDirectory() as tmp:
        meta, raw = pathlib.Path(tmp, "meta"), pathlib.Path(tmp, "raw")
        meta.write_text(json.dumps(doc))
        raw.write_bytes(native(data).tobytes())
        subprocess.run(["rm", "-rf", root / "w"])
        got = run("write", root, "w", meta, raw)
    label = f"{data.dtype} {doc.get('codecs') or [doc.get('filters'), doc['compressor']]}"
    if got.returncode:
        note(group, label, False, got.stderr.decode())
        return
    name = "zarr.json" if "node_type" in doc else ".zarray"
    mine = json.loads((root / "w" / name).read_text())
    note(group + " metadata", label, mine == doc, f"{mine} is not {doc}")
    note(group + " member order", label, list(mine) == list(doc), f"{list(mine)} is not {list(doc)}")
    for who, reader in readers.items():
        try:
            back = reader(root, "w")
            note(f"{group} {who}", label, native(back).tobytes() == native(data).tobytes(), "other pixels")
        except Exception as e:  # noqa: BLE001 - whatever a peer raises is the finding
            note(f"{group} {who}", label, False, repr(e)[:300])


def driver_v3(root):
    shape, chunks = (37, 50, 41), (16, 20, 17)
    readers = {"zarr-python": read_zarr, "tensorstore": read_ts("zarr3")}
    for label, codecs in v3_codecs():
        for dtype in ("<u2", "|u1", "<f4"):
            data = pixels(shape, dtype)
            a = make_v3(root, "m", data, codecs, chunks=chunks)
            driver_writes("write v3", root, data, json.loads((root / "m/zarr.json").read_text()), readers)
            a = make_v3(root, "m", data, codecs, chunks=(8, 10, 17), shards=(16, 40, 34))
            driver_writes("write v3 sharded", root, data, json.loads((root / "m/zarr.json").read_text()), readers)
    for dtype in DTYPES:
        data = pixels(shape, dtype)
        make_v3(root, "m", data, [zarr.codecs.BloscCodec()], chunks=(8, 10, 17), shards=(16, 40, 34),
                fill_value=np.ones(1, dtype)[0])
        driver_writes("write v3 dtypes", root, data, json.loads((root / "m/zarr.json").read_text()), {"zarr-python": read_zarr})


def driver_v2(root):
    shape, chunks = (37, 50, 41), (16, 20, 17)
    readers = {"zarr-python": read_zarr}
    for c, order, dtype in itertools.product(
        (None, numcodecs.Zlib(5), numcodecs.GZip(4), numcodecs.Zstd(3), numcodecs.LZ4(1), numcodecs.Blosc("lz4", 5, 1),
         numcodecs.Blosc("zstd", 5, 2)), "CF", ("<u2", ">i4", "|u1", ">f8")
    ):
        data = pixels(shape, dtype)
        zarr.create_array(str(root / "m"), shape=shape, dtype=dtype, chunks=chunks, zarr_format=2, overwrite=True,
                          compressors=c, order=order, chunk_key_encoding={"name": "v2", "separator": "/"})
        doc = json.loads((root / "m/.zarray").read_text())
        which = readers if isinstance(c, numcodecs.LZ4) else {**readers, "tensorstore": read_ts("zarr")}
        if isinstance(c, numcodecs.GZip):
            which = readers
        driver_writes("write v2", root, data, doc, which)


def main():
    if DRIVER is None or not DRIVER.exists():
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as tmp:
        root = pathlib.Path(tmp)
        for part in (peer_writes_v3, peer_writes_v2, tensorstore_writes, driver_v3, driver_v2):
            part(root)
    for group, n in counts.items():
        bad = sum(f.startswith(group + ":") for f in failures)
        print(f"{group}: {n - bad} of {n}")
    for f in failures[:40]:
        print("FAILED", f)
    sys.exit(1 if failures else 0)


main()
