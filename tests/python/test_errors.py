"""Errors: their words, their kinds, and what they leave behind."""

import gc
import os
import signal
import sys
import threading
import time

import numpy as np
import pytest

import ngff


@pytest.mark.parametrize("options,words", [
    ({"version": "0.3"}, "Unsupported version: 0.3"),
    ({"chunks_per_shard": 2}, "Sharding is only supported for OME-Zarr version 0.5 and later"),
    ({"version": "0.5", "chunks_per_shard": (2,)}, "chunks_per_shard must be a tuple of length 3"),
    ({"version": "0.5", "chunks_per_shard": "2"}, "chunks_per_shard must be an int, tuple, or dict"),
    ({"compressors": []}, "`compressors` are not supported for OME-Zarr version 0.4"),
    ({"fill_value": 3}, "fill_value=3 cannot be honoured"),
    ({"scale_strategy": "x"}, "scale_strategy"),
])
def test_words(tmp_path, pyramid, volume, options, words):
    with pytest.raises(ValueError, match=".*") as caught:
        ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(volume), **options)
    assert words in str(caught.value)
    assert not (tmp_path / "a.zarr").exists()


def test_ozx_of_04(tmp_path, pyramid, volume):
    with pytest.raises(ValueError, match="RFC-9 zipped OME-Zarr .* Got version '0.4'"):
        ngff.to_ngff_zarr(tmp_path / "a.ozx", pyramid(volume), version="0.4")


def test_tensorstore_wants_a_path(pyramid, volume):
    with pytest.raises(ValueError, match="use_tensorstore currently requires a path-like store"):
        ngff.to_ngff_zarr({}, pyramid(volume), use_tensorstore=True)


def test_unknown_argument(tmp_path, pyramid, volume):
    with pytest.raises(TypeError, match="'bogus'"):
        ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(volume), bogus=1)


def test_foreign_directory_is_never_replaced(tmp_path, pyramid, volume):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError) as caught:
        ngff.to_ngff_zarr(tmp_path, pyramid(volume))
    assert isinstance(caught.value, ngff.Error) and isinstance(caught.value, OSError)
    assert caught.value.code == "EXISTS" and str(tmp_path) == caught.value.path
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_overwrite_false(tmp_path, pyramid, volume):
    for store in (str(tmp_path / "a.zarr"), {}):
        ngff.to_ngff_zarr(store, pyramid(volume))
        with pytest.raises(FileExistsError):
            ngff.to_ngff_zarr(store, pyramid(volume), overwrite=False)


def test_missing_store(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        ngff.from_ngff_zarr(tmp_path / "none.zarr")
    assert caught.value.code == "NOT_FOUND"


class Bad:
    shape, dtype, ndim = (64, 64), np.dtype("u1"), 2

    def __getitem__(self, key):
        raise LookupError("the disk is gone")


def test_errors_of_the_data_come_through(tmp_path, pyramid):
    with pytest.raises(LookupError, match="the disk is gone"):
        ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(Bad(), factors=[2]))
    assert os.listdir(tmp_path) == []


def test_wrong_region_is_refused(tmp_path, pyramid):
    class Short(Bad):
        def __getitem__(self, key):
            return np.zeros((1, 1), "u1")

    with pytest.raises(ValueError, match="another shape"):
        ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(Short(), factors=[]))


def test_errors_of_the_store_come_through(pyramid, volume):
    class Full(dict):
        def __setitem__(self, key, value):
            raise OSError(28, "no space left")

    with pytest.raises(OSError, match="no space left"):
        ngff.to_ngff_zarr(Full(), pyramid(volume))


def test_progress_may_stop_a_job(tmp_path, pyramid, volume):
    def stop(done, total):
        raise RuntimeError("enough")

    ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(volume[:5]))
    with pytest.raises(RuntimeError, match="enough"):
        ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(volume), progress=stop)
    assert ngff.from_ngff_zarr(tmp_path / "a.zarr").images[0].data.shape == (5, 64, 96)


def test_ctrl_c_leaves_the_destination(tmp_path, pyramid):
    class Slow:
        shape, dtype, ndim, chunks = (64, 512, 512), np.dtype("u1"), 3, (8, 64, 64)

        def __getitem__(self, key):
            time.sleep(0.01)
            return np.ones([k.stop - k.start for k in key], "u1")

    # A shell that starts its jobs in the background has them ignore this signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(Slow()))
            time.sleep(5)
    finally:
        signal.signal(signal.SIGINT, before)
    assert os.listdir(tmp_path) == []


def counted(watched):
    gc.collect()
    # NumPy looks up methods by strings of its own, which CPython's cache of methods then keeps.
    getattr(sys, "_clear_internal_caches", sys._clear_type_cache)()
    return [sys.getrefcount(item) for item in watched]


def check_for_leaks(once, watched, rounds):
    """References stay the same, and so do the blocks that Python holds, but for a few caches."""
    for _ in range(20):
        once()
    before, growth = counted(watched), []
    for _ in range(4):
        blocks = sys.getallocatedblocks()
        for _ in range(rounds // 4):
            once()
        assert counted(watched) == before
        growth.append(sys.getallocatedblocks() - blocks)
    # A call that leaks adds a block a round in every quarter; caches and threads grow now and then.
    assert min(growth) < rounds // 8, growth


def test_references_do_not_leak(pyramid):
    """Whole writes and reads, and what fails: 250 rounds of some 10 calls into the extension each."""
    data = np.arange(64 * 64, dtype="u2").reshape(64, 64)

    def once():
        store = {}
        ngff.to_ngff_zarr(store, pyramid(data, factors=[2]), version="0.5")
        assert ngff.from_ngff_zarr(store).images[1].data[0:3, 4].shape == (3,)
        with pytest.raises(ValueError):
            pyramid(data, factors=[3, 2])

    core = ngff._core
    check_for_leaks(once, [data, core.Store, core.Source, core.Image, core.Context],
                    int(os.environ.get("NGFF_LEAK_ROUNDS", "250")))


def test_calls_do_not_leak():
    """10,000 calls of the extension's functions, right and wrong ones."""
    from ngff._config import context
    from ngff._stores import MappingStore
    from ngff._write import Job

    core, data = ngff._core, np.arange(32 * 32, dtype="u2").reshape(32, 32)
    values, calls = {}, 0
    ngff.to_ngff_zarr(values, ngff.to_multiscales(data, [2], chunks=16), version="0.5")
    job = Job({}, ngff.to_multiscales(data, [2], chunks=16), "0.5", None, {})
    plan, target, out = job.plan(), MappingStore(values), np.empty((5, 7), "u2")

    def read(start, shape, memory):
        return None

    def failing(call, *arguments):
        with pytest.raises((ValueError, TypeError, OSError, RuntimeError)):
            call(*arguments)

    def once():
        nonlocal calls
        store = core.callback_store(context(), target)
        image = core.open_image(context(), store)
        array = core.array_source(context(), data, job.description)
        called = core.callback_source(context(), read, job.description, (0, 0), True)
        assert len(core.write_reads(context(), plan, called, job.options, 99)) > 0
        assert core.write_plan(context(), plan, array, job.options)["blocks"] >= 0
        image.read_region(1, (0, 0), out)
        assert image.level(0)["shape"] == (32, 32) and image.describe() and image.facts()
        assert store.get_value("zarr.json") and store.target() is target
        failing(image.read_region, 9, (0, 0), out)
        failing(image.read_region, 0, (30, 30), out)
        failing(core.open_store, context(), "/nowhere/at/all", 0, 0, 0)
        failing(core.array_source, context(), b"", job.description)
        failing(core.plan, context(), job.description, "bogus", [[2, 2]], 0, [16, 16], [])
        failing(core.write, context(), store, plan, array, {"version": 5}, None, None)
        failing(store.close)
        array.close(), called.close()
        del image
        store.close()
        failing(store.get_value, "zarr.json")
        calls += 25

    watched = [data, out, target, read, plan, core.Store, core.Source, core.Image, core.Context,
               core.Writer]
    check_for_leaks(once, watched, 400)
    assert calls >= 10_000


def test_calls_from_many_threads(pyramid, volume):
    failures = []

    def work(n):
        try:
            for _ in range(5):
                store = {}
                ngff.to_ngff_zarr(store, pyramid(volume[n:]), version="0.5")
                data = ngff.from_ngff_zarr(store).images[0].data
                np.testing.assert_array_equal(np.asarray(data), volume[n:])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not failures


def test_subinterpreters_are_refused(capfd):
    interpreters = pytest.importorskip("_xxsubinterpreters")
    made = interpreters.create(isolated=False)
    code = (f"import sys\nsys.path[:] = {sys.path!r}\ntry:\n    import ngff._core\n"
            "except ImportError as error:\n    print('refused:', error)\n")
    interpreters.run_string(made, code)
    interpreters.destroy(made)
    assert "refused:" in capfd.readouterr().out
