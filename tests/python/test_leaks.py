"""10,000 calls of every kind of entry of the extension, right ones and wrong ones: references and blocks stay
as they are. A function that is added to the extension and not called here is found."""

import numpy as np
import pytest

import ngff
from ngff import _core
from ngff._config import context
from ngff._stores import MappingStore
from ngff._write import Job
from test_errors import check_for_leaks

NAMED = {name for name in dir(_core) if callable(getattr(_core, name)) and not name.startswith("_")}
TYPES = ("Store", "Source", "Image", "Writer")
METHODS = {f"{name}.{method}" for name in TYPES for method in dir(getattr(_core, name))
           if not method.startswith("_")}
# Called over and over in test_errors.py.
ELSEWHERE = {"array_source", "callback_source", "write_reads", "write_plan", "write", "plan",
             "Image.read_region", "Image.level", "Image.describe", "Image.facts", "Store.get_value",
             "Store.target"}
CALLS = {}


class Seen:
    """Calls by name; what comes back is watched too."""

    def __init__(self, item, kind=""):
        self.item, self.kind = item, kind

    def __getattr__(self, name):
        def call(*arguments):
            key = f"{self.kind}.{name}" if self.kind else name
            CALLS[key] = CALLS.get(key, 0) + 1
            made = getattr(self.item, name)(*(a.item if isinstance(a, Seen) else a for a in arguments))
            kind = type(made).__name__
            return Seen(made, kind) if kind in TYPES and type(made).__module__ == "ngff._core" else made

        return call


def failing(call, *arguments):
    with pytest.raises((ValueError, TypeError, OSError, RuntimeError, KeyError)):
        call(*arguments)


@pytest.fixture
def world(tmp_path):
    data = np.arange(32 * 32, dtype="u2").reshape(32, 32)
    np.save(tmp_path / "data.npy", data)
    data.tofile(tmp_path / "data.raw")
    levels = ngff.to_multiscales(data, [2], chunks=16)
    ngff.to_ome_zarr(tmp_path / "a.zarr", levels)
    job = Job({}, levels, "0.5", None, {})
    return tmp_path, data, job, job.plan(), Seen(_core)


def check(world, once, rounds, *more):
    _, data, _, plan, _ = world
    check_for_leaks(once, [data, plan, *more, *(getattr(_core, name) for name in (*TYPES, "Context"))], rounds)


def test_writers(world):
    folder, data, job, plan, core = world
    values, region = {}, data[::2, ::-1]
    kind, options = (0, 0, 0, 0), job.options

    def tell(*about):
        pass

    def once():
        values.clear()
        store = core.callback_store(context(), MappingStore(values))
        writer = core.open_writer(context(), store, plan, options, kind, tell, bytearray(1))
        failing(store.close)
        failing(writer.write_region, 0, (0, 0), "uint16", b"12345")
        failing(writer.write_region, 0, (0, 0, 0), "uint16", region)
        failing(writer.write_region, 0, (30, 0), "uint16", region)
        failing(writer.append, "uint16", region)
        failing(writer.append, "uint16", b"1")
        failing(writer.append, "uint16", object())
        failing(writer.flush)
        writer.write_region(0, (0, 0), "uint16", region)
        writer.close(), writer.close()
        failing(writer.finish), failing(writer.flush), failing(writer.append, "uint16", region)
        store.close()
        failing(core.open_writer, context(), store, plan, options, kind, None, None)
        failing(core.join_writer, context(), store)

    check(world, once, 600, region, values, tell)


def test_frames_documents_and_levels(world):
    folder, data, job, plan, core = world
    values = {}
    stop = bytearray(1)

    def once():
        values.clear()
        store = core.callback_store(context(), MappingStore(values))
        core.write_metadata(context(), store, plan, job.options)
        joined = core.join_writer(context(), store)
        joined.write_region(0, (0, 0), "uint16", data)
        joined.finish(), joined.close()
        failing(core.join_writer, context(), None)
        failing(core.write_metadata, context(), store, plan, {"version": "9"})
        failing(core.write_levels, context(), store, plan, 7, {})
        store.close()
        failing(core.write_metadata, context(), store, plan, job.options)
        store = core.callback_store(context(), MappingStore(values))
        writer = core.open_writer(context(), store, plan, job.options, (0, 1, 0, 0), None, stop)
        writer.append("uint16", data[:16]), writer.append("uint16", data[16:])
        writer.flush(), writer.finish(), writer.close()
        store.close()

    check(world, once, 400, values, stop)


def test_stores_and_images(world):
    folder, data, job, plan, core = world
    path, values, chunks = str(folder / "a.zarr"), {}, {}

    def once():
        values.clear(), chunks.clear()
        store = core.open_store(context(), path, 0, 0, 0)
        image = core.open_image(context(), store)
        assert image.level_count() == 2
        failing(image.level, 9)
        halves = [core.callback_store(context(), MappingStore(half)) for half in (values, chunks)]
        pair = core.pair_store(context(), *halves)
        core.copy_store(store, pair)
        pair.close(), [half.close() for half in halves]
        failing(core.copy_store, store, pair), failing(core.pair_store, context(), *halves)
        below = core.below_store(context(), store, "scale0")
        failing(core.open_image, context(), below)
        below.close()
        failing(core.upgrade, context(), store, "0.6")
        failing(core.open_image, context(), 5), failing(core.open_store, context(), "a\0b", 0, 0, 0)
        failing(core.Context, "many"), failing(core.put_directory, path + "/nowhere", path, False)
        assert core.methods() and core.codecs() and core.build_info() and core.Context(1, 1 << 26)
        del image

    check(world, once, 400, values, chunks)


def test_files(world):
    folder, data, job, plan, core = world
    array, raw, out = str(folder / "data.npy"), str(folder / "data.raw"), np.empty((4, 5), "u2")

    def once():
        assert len(core.file_series(context(), array)) == 1
        failing(core.file_series, context(), str(folder / "none.tif"))
        for source in (core.file_source(context(), array, "yx", (), "", False, 0),
                       core.file_source(context(), raw, "yx", (32, 32), "uint16", False, 0)):
            assert source.describe() and source.about() is not None and source.level(0)
            source.read_region(0, (2, 3), out)
            failing(source.read_region, 0, (31, 0), out), failing(source.level, 9)
            source.close()
            failing(source.describe), failing(source.read_region, 0, (0, 0), out)
        failing(core.file_source, context(), raw, "yx", (99, 99), "uint16", False, 0)

    check(world, once, 500, out)
    np.testing.assert_array_equal(out, data[2:6, 3:8])


def test_every_entry_was_called():
    """After the tests above, which count what they call."""
    if len(CALLS) < 10:
        pytest.skip("the tests above did not run")
    ones = {"Context", "Image", "Source", "Store", "Writer"} - {"Context"}
    assert not (NAMED | METHODS) - set(CALLS) - ELSEWHERE - ones
    few = {name for name, count in CALLS.items() if count < 400}
    assert not few and sum(CALLS.values()) > 4 * 10_000
