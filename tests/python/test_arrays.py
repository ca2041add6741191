"""open_array: arrays that are read and assigned to as zarr-python's are, in stores of every kind."""

import http.server
import os
import re
import subprocess
import sys
import threading

import numpy as np
import pytest

import ngff
from conftest import need

KINDS = ["path", "file://", "dict", "memory://", "FSMap", "MemoryStore", "WrapperStore", "FsspecStore",
         "subclass", "StorePath"]
LAYOUTS = [("0.4", None), ("0.5", None), ("0.5", 2), ("0.6", 2)]


def store_of(kind, path):
    """A new store of a kind."""
    address = f"memory://{path}/a.zarr"
    if kind in ("path", "file://", "dict"):
        return {"path": path / "a.zarr", "file://": f"file://{path}/a.zarr", "dict": {}}[kind]
    fsspec, storage = need("fsspec"), need("zarr").storage
    if kind == "subclass":
        class Own(storage.MemoryStore):
            """Somebody's store: what it holds cannot be seen from outside."""

            _store_dict = property(lambda self: self.__dict__["hidden"],
                                   lambda self, value: self.__dict__.update(hidden=value))

            def __getattribute__(self, name):
                if name == "_store_dict" and sys._getframe(1).f_globals["__name__"].startswith("ngff"):
                    raise AttributeError(name)
                return super().__getattribute__(name)

        return Own()
    makers = {
        "memory://": lambda: address,
        "FSMap": lambda: fsspec.get_mapper(address),
        "MemoryStore": storage.MemoryStore,
        "WrapperStore": lambda: storage.WrapperStore(storage.MemoryStore()),
        "FsspecStore": lambda: storage.FsspecStore.from_url(address),
        "StorePath": lambda: storage.StorePath(storage.MemoryStore(), "inner/place"),
    }
    return makers[kind]()


@pytest.fixture(autouse=True)
def nothing_stays_in_memory():
    yield
    fsspec = sys.modules.get("fsspec")
    if fsspec:
        fsspec.filesystem("memory").store.clear()


@pytest.mark.parametrize("kind,version,shards", [
    *(("path", *layout) for layout in LAYOUTS), *((kind, "0.4", None) for kind in KINDS[1:]),
    *((kind, "0.5", 2) for kind in KINDS[1:])])
def test_assigning_is_what_numpy_does(tmp_path, pyramid, volume, kind, version, shards):
    store = store_of(kind, tmp_path)
    volume = volume[:, :, :70]
    ngff.to_ome_zarr(store, pyramid(volume, factors=[2]), version=version, chunks_per_shard=shards)
    np.testing.assert_array_equal(ngff.from_ome_zarr(store, validate=True).images[0].data, volume)
    level, want = ngff.open_array(store), volume.copy()
    changes = [  # parts of chunks, whole ones, with steps, with numbers
        (np.s_[3:17, 5, ::2], 7), (np.s_[...], 3), (np.s_[:32, :32, :32], 0), (np.s_[2], 5),
               (np.s_[::-1, 60:], volume[:, 60:]), (np.s_[-1, -1, -1], 9), (np.s_[4:4], 1),
               (np.s_[0, 1:50], np.arange(70)), (np.s_[:], volume)]
    for key, value in changes:
        level[key] = value
        want[key] = value
        np.testing.assert_array_equal(level[:], want)
    np.testing.assert_array_equal(ngff.open_array(store, "scale0/image")[:], want)
    if kind in ("path", "MemoryStore", "WrapperStore", "FsspecStore", "subclass", "StorePath"):
        zarr = need("zarr")
        np.testing.assert_array_equal(zarr.open_group(store, mode="r")["scale0/image"][:], want)


def test_a_chunk_of_the_fill_value_goes(tmp_path, pyramid, volume):
    ngff.to_ome_zarr(tmp_path / "a.zarr", pyramid(volume + 1, chunks=16), version="0.4")
    chunk = tmp_path / "a.zarr/scale0/image/1/2/3"
    level = ngff.open_array(tmp_path / "a.zarr")
    level[16:32, 32:48, 48:63] = 0
    assert chunk.exists()
    level[16:32, 32:48, 63] = 0
    assert not chunk.exists() and not level[16:32, 32:48, 48:64].any()
    assert not [p for p in tmp_path.rglob("*.part")]


@pytest.mark.parametrize("fill", [0, 7])
@pytest.mark.parametrize("shape,chunks,shards", [((10,), (4,), None), ((8, 9), (4, 4), (8, 8)),
                                                 ((2, 3, 3, 4, 5), (2, 2, 3, 2, 3), None)])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_arrays_that_are_no_images(tmp_path, shape, chunks, shards, zarr_format, fill):
    zarr = need("zarr")
    array = zarr.create_array(tmp_path / "p.zarr/inner", shape=shape, chunks=chunks, dtype="i4",
                              shards=shards if zarr_format == 3 else None, fill_value=fill,
                              zarr_format=zarr_format)
    for place in ((tmp_path / "p.zarr/inner",), (tmp_path / "p.zarr", "inner")):
        level, want = ngff.open_array(*place), array[...]
        assert level.shape == shape and level.dtype == "i4" and (level[:] == want).all()
        for value in (5, 0, fill):
            level[1:3] = want[1:3] = value
            np.testing.assert_array_equal(level[:], want)
            np.testing.assert_array_equal(array[...], want)


def test_what_is_no_array(tmp_path, pyramid, volume):
    ngff.to_ome_zarr(tmp_path / "a.zarr", pyramid(volume))
    for path in ("scale0", "scale9/image", ""):
        with pytest.raises(ValueError, match="is no array; the levels are"):
            ngff.open_array(tmp_path / "a.zarr", path)
    with pytest.raises(FileNotFoundError):
        ngff.open_array(tmp_path / "none.zarr")
    ngff.write_store_to_zip(tmp_path / "a.zarr", tmp_path / "a.ozx")
    with pytest.raises(TypeError, match="assignment"):
        ngff.open_array(tmp_path / "a.ozx")[0] = 1
    with pytest.raises(ValueError, match="broadcast"):
        ngff.open_array(tmp_path / "a.zarr")[0] = np.zeros((3, 3))


WORKER = """
import sys, ngff
level = ngff.open_array(sys.argv[1])
for _ in range(5):
    for n in range(int(sys.argv[2]), 64, 4):
        level[:, n] = n + 1
"""


def test_processes_change_parts_of_the_same_shards(tmp_path, pyramid, volume):
    """Lines along y, dealt out to four processes: every shard is everybody's, and nobody's change is lost."""
    ngff.to_ome_zarr(tmp_path / "a.zarr", pyramid(volume, chunks=16), chunks_per_shard=2)
    workers = [subprocess.Popen([sys.executable, "-c", WORKER, str(tmp_path / "a.zarr"), str(n)])
               for n in range(4)]
    assert [worker.wait() for worker in workers] == [0] * 4
    want = np.broadcast_to(np.arange(1, 65, dtype="u1")[:, None], (40, 64, 96))
    np.testing.assert_array_equal(ngff.open_array(tmp_path / "a.zarr"), want)


def test_a_failing_change_keeps_the_chunk(pyramid, volume):
    class Full(dict):
        full = False

        def __setitem__(self, key, value):
            if self.full:
                raise OSError(28, "no space left")
            super().__setitem__(key, value)

    store = Full()
    ngff.to_ome_zarr(store, pyramid(volume, chunks=16))
    before, store.full = dict(store), True
    with pytest.raises(OSError, match="no space left"):
        ngff.open_array(store)[3, 4] = 1
    assert store == before


def test_read_only_stores(tmp_path, pyramid, volume):
    zarr, levels = need("zarr"), pyramid(volume)
    ngff.to_ome_zarr(tmp_path / "a.zarr", levels)
    for store in (zarr.storage.LocalStore(tmp_path / "a.zarr", read_only=True),
                  zarr.storage.WrapperStore(zarr.storage.MemoryStore(read_only=True))):
        with pytest.raises(PermissionError, match="read-only"):
            ngff.to_ome_zarr(store, levels)
    np.testing.assert_array_equal(ngff.open_array(tmp_path / "a.zarr"), volume)


@pytest.mark.parametrize("kind", KINDS[2:])
def test_chunk_stores_of_every_kind(tmp_path, pyramid, volume, kind):
    if kind == "memory://":
        store, chunks = f"memory://{tmp_path}/m.zarr", f"memory://{tmp_path}/c.zarr"
    else:
        store, chunks = store_of(kind, tmp_path / "m"), store_of(kind, tmp_path / "c")
    ngff.to_ngff_zarr(store, pyramid(volume), version="0.5", chunk_store=chunks)
    np.testing.assert_array_equal(ngff.from_ngff_zarr(store, chunk_store=chunks).images[0].data, volume)


# ---- addresses ----------------------------------------------------------------------------------


class Handler(http.server.SimpleHTTPRequestHandler):
    ranges, seen = True, []

    def log_message(self, *args):
        pass

    def do_GET(self):
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        self.seen.append((self.path, self.headers.get("Range"), self.headers.get("X-Token")))
        path = self.translate_path(self.path)
        if not (self.ranges and wanted and os.path.isfile(path)):
            return super().do_GET()
        with open(path, "rb") as file:
            data = file.read()[int(wanted[1]):int(wanted[2]) + 1]
        self.send_response(206)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setattr(Handler, "seen", [])
    made = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *args: Handler(*args, directory=str(tmp_path)))
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{made.server_address[1]}"
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("version,shards", LAYOUTS)
def test_http(tmp_path, monkeypatch, pyramid, volume, server, version, shards, ranges):
    monkeypatch.setattr(Handler, "ranges", ranges)
    ngff.to_ome_zarr(tmp_path / "a b.zarr", pyramid(volume, chunks=16), version=version,
                     chunks_per_shard=shards)
    back = ngff.from_ome_zarr(f"{server}/a b.zarr", validate=True)
    np.testing.assert_array_equal(back.images[0].data, volume)
    coarse = np.asarray(back.images[1].data)
    Handler.seen.clear()
    level = ngff.open_array(f"{server}/a b.zarr/", "scale1/image")
    assert level[3, 4, 5] == coarse[3, 4, 5]
    pixels = [seen for seen in Handler.seen if re.search(r"scale1/image/(c/)?\d", seen[0])]
    assert 1 <= len(pixels) <= 4, pixels  # the chunk that was asked for, and not the level
    with pytest.raises(PermissionError):
        level[0] = 1


def test_http_errors_and_headers(tmp_path, pyramid, volume, server):
    with pytest.raises(FileNotFoundError):
        ngff.from_ome_zarr(f"{server}/none.zarr")
    ngff.to_ome_zarr(tmp_path / "a.zarr", pyramid(volume))
    ngff.from_ome_zarr(f"{server}/a.zarr", storage_options={"headers": {"X-Token": "secret"}})
    assert {seen[2] for seen in Handler.seen if "/a.zarr" in seen[0]} == {"secret"}
    with pytest.raises(OSError):
        ngff.from_ome_zarr("http://127.0.0.1:9/a.zarr")
    with pytest.raises(PermissionError, match="read-only"):
        ngff.to_ome_zarr(f"{server}/b.zarr", pyramid(volume))


def test_memory_address_with_options(tmp_path, pyramid, volume):
    fsspec = need("fsspec")
    address = f"memory://{tmp_path}/a.zarr"
    ngff.to_ome_zarr(address, pyramid(volume), chunks_per_shard=2)
    assert fsspec.filesystem("memory").exists(f"{tmp_path}/a.zarr/zarr.json")
    back = ngff.from_ome_zarr(address, validate=True, storage_options={"skip_instance_cache": True})
    np.testing.assert_array_equal(back.images[0].data, volume)
    with pytest.raises(FileExistsError):
        ngff.to_ome_zarr(address, pyramid(volume), overwrite=False)
    ngff.to_ome_zarr(address, pyramid(volume[:9]))
    assert ngff.open_array(address).shape == (9, 64, 96)
    ngff.update_root_attributes(address, {"mine": 1})
    assert ngff.from_ome_zarr(address).root_attributes == {"mine": 1}
    # A path ignores options, as theirs does.
    ngff.to_ome_zarr(tmp_path / "a.zarr", pyramid(volume))
    ngff.from_ome_zarr(tmp_path / "a.zarr", storage_options={"anon": True})


def test_archives_at_addresses(tmp_path, pyramid, volume):
    fsspec = need("fsspec")
    ngff.to_ome_zarr(tmp_path / "a.ozx", pyramid(volume))
    address = f"memory://{tmp_path}/a.ozx"
    fsspec.filesystem("memory").pipe_file(f"{tmp_path}/a.ozx", (tmp_path / "a.ozx").read_bytes())
    np.testing.assert_array_equal(ngff.from_ome_zarr(address, validate=True).images[0].data, volume)
    with pytest.raises(NotImplementedError, match="written to a path"):
        ngff.to_ome_zarr(address, pyramid(volume))


def test_schemes_that_nobody_has():
    need("fsspec")
    with pytest.raises(ImportError, match="s3://bucket/a.zarr needs a package"):
        ngff.from_ome_zarr("s3://bucket/a.zarr", storage_options={"anon": True})
    with pytest.raises(ValueError):
        ngff.from_ome_zarr("nosuch://bucket/a.zarr")
