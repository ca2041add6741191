"""One file for a whole image (.ozx, RFC-9): other programs read it, and archives that other programs
made are read and judged."""

import io
import json
import os
import shutil
import subprocess
import zipfile

import numpy as np
import pytest

import documents
from harness import EXISTS, INPUT, LIMIT, PEERS_NODE, USAGE, missing, run_ngff
from inputs import pixels, save_npy
from peers import need, read_zarr_python

SHAPES = {"yx": (150, 133), "zyx": (40, 61, 53), "tczyx": (2, 2, 17, 40, 39)}


def convert(tmp_path, name, dims="zyx", dtype="uint16", options=()):
    image = pixels(SHAPES[dims], dtype, seed=len(dims))
    source = save_npy(tmp_path / "in.npy", image)
    store = tmp_path / name
    run_ngff("convert", source, store, "--dims", dims, "--chunks", "16", "--name", "image",
             "--scale-factors", "2,4", *options)
    return image, store


# ---- what we write, others read -----------------------------------------------------------------


def read_zipfile(store, paths):
    zarr = need("zarr")
    with zipfile.ZipFile(store) as archive:
        assert archive.testzip() is None
    with zarr.storage.ZipStore(store, mode="r") as inside:
        group = zarr.open_group(inside, mode="r", zarr_format=3)
        return [np.asarray(group[path][...]) for path in paths]


def read_tensorstore(store, paths):
    tensorstore = need("tensorstore")
    arrays = []
    for path in paths:
        base = {"driver": "file", "path": str(store)}
        spec = {"driver": "zarr3", "kvstore": {"driver": "zip", "base": base, "path": f"{path}/"}}
        arrays.append(np.asarray(tensorstore.open(spec, open=True, read=True).result().read().result()))
    return arrays


def read_ngff_zarr(store, paths):
    ngff_zarr = need("ngff_zarr")
    images = ngff_zarr.from_ngff_zarr(str(store)).images
    assert len(images) == len(paths)
    return [np.asarray(image.data.compute()) for image in images]


def read_zarrita(store, paths):
    node = shutil.which("node")
    if not node or not (PEERS_NODE / "node_modules" / "zarrita").exists():
        missing("peer zarrita: no node, or no build/peers-node (./dev setup)")
    outs = [store.parent / f"{i}.bin" for i in range(len(paths))]
    request = {"store": str(store), "format": 3,
               "arrays": [{"path": p, "out": str(o)} for p, o in zip(paths, outs)]}
    script = os.path.join(os.path.dirname(__file__), "node", "read.mjs")
    done = subprocess.run([node, script], input=json.dumps(request).encode(), capture_output=True,
                          check=False, env={**os.environ, "ZARRITA": str(PEERS_NODE)}, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)["arrays"]
    return [np.fromfile(o, dtype=np.dtype(a["dtype"])).reshape(a["shape"]) for o, a in zip(outs, found)]


READERS = {"zipfile": read_zipfile, "tensorstore": read_tensorstore, "ngff-zarr": read_ngff_zarr,
           "zarrita": read_zarrita}


def check_unzip(store):
    tool = shutil.which("unzip")
    if not tool:
        missing("unzip is not installed")
    done = subprocess.run([tool, "-t", store], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def broken_rules(store):
    return {f["rule"] for f in run_ngff("info", store, "--json").json()["archive"] if not f["kept"]}


@pytest.mark.parametrize("dims,dtype,options", [
    ("zyx", "uint16", ()),
    ("yx", "uint8", ()),
    ("tczyx", "float32", ()),
    ("zyx", "uint16", ("--chunks-per-shard", "1")),
    ("zyx", "int16", ("--layout", "flat", "--codec", "zstd")),
    ("zyx", "uint16", ("--write-empty-chunks",)),
])
def test_others_read_it(tmp_path, dims, dtype, options):
    image, store = convert(tmp_path, "out.ozx", dims, dtype, options)
    _, directory = convert(tmp_path, "out.zarr", dims, dtype, options)
    paths = documents.dataset_paths(directory)
    levels = read_zarr_python(directory, paths)
    np.testing.assert_array_equal(levels[0], image)
    check_unzip(store)
    for name, read in READERS.items():
        for path, ours, theirs in zip(paths, levels, read(store, paths)):
            assert theirs.dtype == ours.dtype, name
            np.testing.assert_array_equal(theirs, ours, err_msg=f"{name} on {path}")
    assert broken_rules(store) == set()


def test_the_archive_itself(tmp_path):
    _, store = convert(tmp_path, "out.ozx")
    with zipfile.ZipFile(store) as archive:
        items = archive.infolist()
        comment = json.loads(archive.comment)
    names = [item.filename for item in items]
    docs = [n for n in names if n.endswith("zarr.json")]
    assert names[: len(docs)] == docs
    assert docs == sorted(docs, key=lambda n: (n.count("/"), n))
    assert names[0] == "zarr.json"
    offsets = [item.header_offset for item in items]
    assert offsets == sorted(offsets) and offsets[0] == 0
    assert comment == {"ome": {"version": "0.5", "zipFile": {"centralDirectory": {"jsonFirst": True}}}}
    raw = store.read_bytes()
    for item in items:
        assert item.compress_type == zipfile.ZIP_STORED and item.extract_version == 45
        assert item.flag_bits == 0x800 and item.date_time == (1980, 1, 1, 0, 0, 0)
        local = raw[item.header_offset:item.header_offset + 30]
        assert local[18:26] == b"\xff" * 8  # sizes are in the ZIP64 field, none are 0
    end = raw.rindex(b"PK\x05\x06")
    assert raw[end + 4:end + 8] == bytes(4) and raw[end + 8:end + 20] == b"\xff" * 12
    assert b"PK\x06\x06" in raw and b"PK\x06\x07" in raw
    # Nothing lies between the entries: every byte belongs to one of them.
    ends = [o + 30 + len(i.filename.encode()) + 20 + i.file_size for o, i in zip(offsets, items)]
    assert offsets[1:] == ends[:-1] and ends[-1] == raw.index(b"PK\x01\x02", ends[-1])


@pytest.mark.parametrize("options", [(), ("--chunks-per-shard", "1")])
def test_same_bytes(tmp_path, options):
    image = pixels((70, 90, 80), "uint16", seed=1)
    image[40:, :, 30:] = 0  # shards that are left out
    source = save_npy(tmp_path / "in.npy", image)
    seen = set()
    for threads in (1, 2, 7):
        for budget in ("16M", "1G"):
            run_ngff("convert", source, tmp_path / "out.ozx", "--overwrite", "--chunks", "16",
                     "--threads", threads, "--memory-target", budget, *options)
            seen.add((tmp_path / "out.ozx").read_bytes())
    assert len(seen) == 1


def test_version_04_is_refused(tmp_path):
    source = save_npy(tmp_path / "in.npy", pixels((20, 30), "uint8"))
    result = run_ngff("convert", source, tmp_path / "out.ozx", "--ome-zarr-version", "0.4", expect=USAGE)
    assert ("RFC-9 zipped OME-Zarr (.ozx) requires OME-Zarr version 0.5. Got version '0.4'. "
            "Please set version='0.5'.") in result.err
    assert [p.name for p in tmp_path.iterdir()] == ["in.npy"]


# ---- zip and unzip ------------------------------------------------------------------------------


def test_zip_and_back(tmp_path):
    image, directory = convert(tmp_path, "a.zarr", options=("--chunks-per-shard", "2"))
    run_ngff("zip", directory, tmp_path / "b.ozx")
    assert broken_rules(tmp_path / "b.ozx") == set()
    check_unzip(tmp_path / "b.ozx")
    np.testing.assert_array_equal(read_zipfile(tmp_path / "b.ozx", ["scale0/image"])[0], image)
    run_ngff("unzip", tmp_path / "b.ozx", tmp_path / "c.zarr")
    mine = {p.relative_to(directory): p.read_bytes() for p in directory.rglob("*") if p.is_file()}
    back = {p.relative_to(tmp_path / "c.zarr"): p.read_bytes()
            for p in (tmp_path / "c.zarr").rglob("*") if p.is_file()}
    assert mine == back
    run_ngff("zip", directory, tmp_path / "b.ozx", expect=EXISTS)
    run_ngff("zip", directory, tmp_path / "b.ozx", "--overwrite")
    run_ngff("unzip", tmp_path / "b.ozx", tmp_path / "c.zarr", expect=EXISTS)


def test_zip_refuses_04(tmp_path):
    _, directory = convert(tmp_path, "a.zarr", options=("--ome-zarr-version", "0.4"))
    result = run_ngff("zip", directory, tmp_path / "b.ozx", expect=USAGE)
    assert "Got version '0.4'" in result.err
    run_ngff("zip", directory, tmp_path / "b.zip")  # an archive, but no .ozx
    assert "OME-Zarr 0.4" in run_ngff("info", tmp_path / "b.zip").out


def test_unzip_checks_sums(tmp_path):
    _, store = convert(tmp_path, "a.ozx")
    with zipfile.ZipFile(store) as archive:
        place = max(archive.infolist(), key=lambda i: i.file_size).header_offset + 400
    raw = bytearray(store.read_bytes())
    raw[place] ^= 1
    store.write_bytes(raw)
    assert "CRC-32" in run_ngff("unzip", store, tmp_path / "b.zarr", expect=None).err
    assert not (tmp_path / "b.zarr").exists()


# ---- archives of others -------------------------------------------------------------------------

GOOD = {"ome": {"version": "0.5", "zipFile": {"centralDirectory": {"jsonFirst": True}}}}
PLAIN = {"ome": {"version": "0.5"}}


class Pack:
    """An archive made by Python's zipfile from the files of a store."""

    def __init__(self, **how):
        self.how = {"comment": GOOD, "zip64": True, "name": "x.ozx", "order": None, "prefix": "",
                    "deflate": lambda name: False, "extra": (), "patch": None, "drop": lambda name: False,
                    "edit": None, "where": "", "stream": False, "source": "sharded"}
        self.how.update(how)

    def names(self, files):
        docs = sorted((n for n in files if documents_name(n)), key=lambda n: (n.count("/"), n))
        data = sorted(n for n in files if not documents_name(n))
        names = [n for n in docs + data if not self.how["drop"](n)]
        return self.how["order"](names) if self.how["order"] else names

    def write(self, directory, files):
        how = self.how
        path = directory / how["where"] / how["name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        target = Pipe() if how["stream"] else io.BytesIO()
        limit, zipfile.ZIP64_LIMIT = zipfile.ZIP64_LIMIT, 0 if how["zip64"] else zipfile.ZIP64_LIMIT
        try:
            with zipfile.ZipFile(target, "w") as archive:
                for name in self.names(files):
                    data = how["edit"](name, files[name]) if how["edit"] else files[name]
                    archive.writestr(zipfile.ZipInfo(how["prefix"] + name), data,
                                     compress_type=8 if how["deflate"](name) else 0)
                for name, data in how["extra"]:
                    archive.writestr(zipfile.ZipInfo(name), data)
                comment = how["comment"]
                archive.comment = comment if isinstance(comment, bytes) else json.dumps(comment).encode()
        finally:
            zipfile.ZIP64_LIMIT = limit
        raw = bytearray(target.getvalue())
        if how["patch"]:
            how["patch"](raw)
        path.write_bytes(raw)
        return path


class Pipe(io.BytesIO):
    """Cannot be rewound: zipfile then puts sizes behind the data (data descriptors)."""

    def seekable(self):
        return False

    def seek(self, *_):
        raise OSError("not seekable")

    def tell(self):
        raise OSError("not seekable")


def documents_name(name):
    return name.rsplit("/", 1)[-1] in documents.V2_NAMES | documents.V3_NAMES


def patch_all(mark, offset, value):
    def patch(raw):
        at = raw.find(mark)
        while at >= 0:
            raw[at + offset:at + offset + len(value)] = value
            at = raw.find(mark, at + 4)
    return patch


def without_ome(name, data):
    return json.dumps({**json.loads(data), "attributes": {}}).encode() if name == "zarr.json" else data


def root_last(names):
    return [n for n in names if n != "zarr.json"] + ["zarr.json"]


def documents_last(names):
    return ["zarr.json"] + [n for n in names if not documents_name(n)] + \
        [n for n in names if documents_name(n) and n != "zarr.json"]


def depth_first(names):
    docs = [n for n in names if documents_name(n)]
    deep = ["zarr.json"] + sorted(d[:-len("/zarr.json")] for d in docs if d != "zarr.json")
    return ["zarr.json"] + [d + "/zarr.json" for d in deep[1:]] + [n for n in names if n not in docs]


def claimed(value):
    return {"ome": {"version": "0.5", "zipFile": {"centralDirectory": {"jsonFirst": value}}}}


# What each archive breaks; everything else it must be found to keep.
ARCHIVES = {
    "all kept": (Pack(), set()),
    "no ZIP64 records (6)": (Pack(zip64=False), {"OZX-6"}),
    "one document compressed (7)": (Pack(deflate=lambda n: n == "zarr.json"), {"OZX-7"}),
    "everything compressed (7)": (Pack(deflate=lambda n: True), {"OZX-7"}),
    "no shards (8)": (Pack(source="plain"), {"OZX-8"}),
    "root last (9)": (Pack(order=root_last, comment=PLAIN), {"OZX-9"}),
    "documents last (9)": (Pack(order=documents_last, comment=PLAIN), {"OZX-9"}),
    "documents depth first (9)": (Pack(order=depth_first), {"OZX-9"}),
    "named .zip (10)": (Pack(name="x.zip"), {"OZX-10"}),
    "no comment (11)": (Pack(comment=b""), {"OZX-11"}),
    "comment is no JSON (11)": (Pack(comment=b"OME-Zarr 0.5"), {"OZX-11"}),
    "comment ends with NUL, as an old draft had it (11)":
        (Pack(comment=json.dumps(PLAIN).encode() + b"\0"), {"OZX-11"}),
    "comment of another version (11)": (Pack(comment={"ome": {"version": "0.6"}}), {"OZX-11"}),
    "comment without version (11)": (Pack(comment={"ome": {}}), {"OZX-11"}),
    "comment with a trailing comma (11)": (Pack(comment=b'{"ome":{"version":"0.5",}}'), {"OZX-11"}),
    "jsonFirst not given (12 kept)": (Pack(comment=PLAIN), set()),
    "jsonFirst false, though true (12 kept)": (Pack(comment=claimed(False)), set()),
    "jsonFirst is a lie (9, 12)": (Pack(order=documents_last), {"OZX-9", "OZX-12"}),
    "jsonFirst is a string (12)": (Pack(comment=claimed("true")), {"OZX-12"}),
    "comment with content (13)": (Pack(comment={"ome": {"version": "0.5", "multiscales": []}}), {"OZX-13"}),
    "comment with more members (13)": (Pack(comment={**PLAIN, "author": "me"}), {"OZX-13"}),
    "an archive inside (4)": (Pack(extra=[("more/y.ozx", b"PK")]), {"OZX-4"}),
    "inside another hierarchy (4)": (Pack(where="parent.zarr/images"), {"OZX-4"}),
    "one folder deep (3, 9)": (Pack(prefix="x.ome.zarr/", comment=PLAIN), {"OZX-3", "OZX-9"}),
    "OME-Zarr 0.4 in an archive (2, 3, 8, 9, 10, 11)":
        (Pack(source="old", name="x.zip", comment=PLAIN),
         {"OZX-2", "OZX-3", "OZX-8", "OZX-9", "OZX-10", "OZX-11"}),
    "root document twice (9, names)":
        (Pack(extra="root", comment=PLAIN), {"OZX-9", "ZIP-names"}),
    "entries for directories": (Pack(extra=[("scale0/", b""), ("scale0/image/", b"")]), set()),
    "sizes behind the data": (Pack(stream=True, zip64=False), {"OZX-6"}),
    "many at once (6, 7, 9, 10, 11)":
        (Pack(zip64=False, deflate=lambda n: True, order=root_last, comment=b"", name="x.zip"),
         {"OZX-6", "OZX-7", "OZX-9", "OZX-10", "OZX-11"}),
}
# These hold no image that could be read: the message names what is wrong.
HOPELESS = {
    "no OME-Zarr metadata (2)": (Pack(edit=without_ome), "OZX-2"),
    "no root document (2, 3)": (Pack(drop=lambda n: n == "zarr.json", comment=PLAIN), "OZX-3"),
    "in several volumes (5)": (Pack(zip64=False, patch=patch_all(b"PK\5\6", 4, b"\1\0\1\0")), "OZX-5"),
    "absolute names (3)": (Pack(prefix="/"), "'/zarr.json'"),
    "dotted names (3)": (Pack(prefix="./"), "'./zarr.json'"),
    "encrypted": (Pack(patch=patch_all(b"PK\1\2", 8, b"\1")), "encrypted"),
    "another compression": (Pack(patch=patch_all(b"PK\1\2", 10, b"\x0c")), "method 12"),
}


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """{kind: files by name} of one image, and its pixels."""
    base = tmp_path_factory.mktemp("stores")
    image = pixels((20, 41, 53), "uint16", seed=3)
    source = save_npy(base / "in.npy", image)
    kinds = {"sharded": ["--chunks-per-shard", "2"], "plain": [], "old": ["--ome-zarr-version", "0.4"]}
    files = {}
    for kind, options in kinds.items():
        root = base / f"{kind}.zarr"
        run_ngff("convert", source, root, "--chunks", "16", "--name", "image", "--scale-factors", "2",
                 *options)
        files[kind] = {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*")
                       if p.is_file()}
    return image, files


def make(pack, tmp_path, files):
    files = files[pack.how["source"]]
    if pack.how["extra"] == "root":
        pack.how["extra"] = [("zarr.json", files["zarr.json"])]
    if pack.how["where"]:
        parent = tmp_path / pack.how["where"].split("/")[0]
        parent.mkdir()
        (parent / "zarr.json").write_bytes(files["zarr.json"])
    return pack.write(tmp_path, files)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ARCHIVES)
def test_judged(tmp_path, stores, name):
    image, files = stores
    pack, broken = ARCHIVES[name]
    path = make(pack, tmp_path, files)
    assert broken_rules(path) == broken
    # Whatever it breaks, it is read in place.
    run_ngff("convert", path, tmp_path / "out.zarr", "--scale-factors", "none", "--name", "image", "-q")
    np.testing.assert_array_equal(read_zarr_python(tmp_path / "out.zarr", ["scale0/image"])[0], image)


@pytest.mark.parametrize("name", HOPELESS)
def test_hopeless(tmp_path, stores, name):
    pack, says = HOPELESS[name]
    result = run_ngff("info", make(pack, tmp_path, stores[1]), expect=INPUT)
    assert says in result.err


def test_bombs(tmp_path, stores):
    """Compressed entries beyond the limit, and sizes that no compression gives."""
    big = b" " * (300 << 20)
    pack = Pack(deflate=lambda n: n == "zarr.json", edit=lambda n, d: big if n == "zarr.json" else d)
    path = make(pack, tmp_path, stores[1])
    assert path.stat().st_size < 10 << 20
    assert "at most" in run_ngff("info", path, expect=LIMIT).err
    pack = Pack(zip64=False, deflate=lambda n: n == "zarr.json",
                patch=patch_all(b"PK\1\2", 24, (200 << 20).to_bytes(4, "little")))
    raw = make(pack, tmp_path, {"sharded": {"zarr.json": b"{}"}})
    assert "cannot come out of" in run_ngff("info", raw, expect=INPUT).err


def test_written_by_zarr_python(tmp_path):
    """Its ZipStore leaves several root documents; the last one counts."""
    zarr = need("zarr")
    image = pixels((30, 40), "uint16")
    _, template = convert(tmp_path, "t.zarr", "yx")
    with zarr.storage.ZipStore(tmp_path / "z.ozx", mode="w") as inside:
        group = zarr.create_group(inside, zarr_format=3)
        group.create_array("scale0/image", data=image, chunks=(16, 16))
        meta = documents.attributes(template)
        scales = meta["ome"]["multiscales"][0]["datasets"]
        meta["ome"]["multiscales"][0]["datasets"] = scales[:1]
        with pytest.warns(UserWarning, match="Duplicate name"):
            group.attrs.update(meta)
    assert "OZX-9" in broken_rules(tmp_path / "z.ozx")
    run_ngff("convert", tmp_path / "z.ozx", tmp_path / "out.zarr", "--name", "image")
    np.testing.assert_array_equal(read_zarr_python(tmp_path / "out.zarr", ["scale0/image"])[0], image)
