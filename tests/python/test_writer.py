"""Images that come piece by piece: frames, regions, what is refused, what an exception leaves."""

import os
import signal
import sys
import threading

import numpy as np
import pytest

import ngff
from conftest import need
from test_errors import check_for_leaks

CAMERA = {"shape": (0, 64, 96), "dtype": "uint16", "dims": "tyx", "scale": {"t": 0.5, "y": 1, "x": 1}}
CHUNKS = {"t": 2, "y": 32, "x": 32}


@pytest.fixture
def frames():
    return np.random.default_rng(3).integers(0, 4000, (9, 64, 96)).astype("u2")


def whole(frames, **options):
    """What one call writes."""
    store = {}
    image = ngff.to_ngff_image(frames, dims=("t", "y", "x"), scale=CAMERA["scale"])
    ngff.to_ome_zarr(store, ngff.to_multiscales(image, [2, 4], chunks=CHUNKS), **options)
    return store


@pytest.mark.parametrize("version", ["0.4", "0.5", "0.6"])
@pytest.mark.parametrize("shards", [None, 2])
def test_frames_make_what_one_call_makes(frames, version, shards):
    if version == "0.4" and shards:
        pytest.skip("no shards in OME-Zarr 0.4")
    store, options = {}, {"version": version, "chunks_per_shard": shards}
    with ngff.open_writer(store, CAMERA, scale_factors=[2, 4], chunks=CHUNKS, **options) as writer:
        writer.append(frames[0])
        writer.append(frames[1:1])
        writer.append(frames[1:4])
        assert writer.shape == (4, 64, 96) and writer.frames == 4
        writer.append(frames[4:, ::-1][:, ::-1])
    assert {k: bytes(v) for k, v in store.items()} == {
        k: bytes(v) for k, v in whole(frames, **options).items()}


def test_path(tmp_path, frames):
    with ngff.open_writer(tmp_path / "a.zarr", CAMERA, scale_factors=[2], chunks=CHUNKS) as writer:
        writer.append(frames)
    image = ngff.from_ome_zarr(tmp_path / "a.zarr", validate=True).images[0]
    np.testing.assert_array_equal(image.data, frames)
    assert image.scale == CAMERA["scale"]
    with pytest.raises(NotImplementedError, match="archive"):
        ngff.open_writer(tmp_path / "a.ozx", CAMERA)
    assert os.listdir(tmp_path) == ["a.zarr"]


def test_live_frames_are_seen_by_zarr(tmp_path, frames):
    zarr = need("zarr")
    path = tmp_path / "a.zarr"
    with ngff.open_writer(path, CAMERA, live=True, scale_factors=[2], chunks=CHUNKS) as writer:
        assert not path.exists()
        for n, frame in enumerate(frames, 1):
            writer.append(frame)
            writer.flush()
            if n < 2:
                continue
            seen = zarr.open_group(path, mode="r")
            np.testing.assert_array_equal(seen["scale0/image"][:], frames[:n // 2 * 2])
            assert seen["scale1/image"].shape == (n // 2 * 2, 32, 48)
    np.testing.assert_array_equal(zarr.open_group(path, mode="r")["scale0/image"][:], frames)


def test_an_exception_leaves_the_destination(tmp_path, frames):
    path, store = tmp_path / "a.zarr", whole(frames[:3])
    before = dict(store)
    ngff.to_ome_zarr(path, ngff.to_multiscales(frames[0], [2], chunks=32))
    for target in (path, store):
        with pytest.raises(LookupError):
            with ngff.open_writer(target, CAMERA, scale_factors=[2], chunks=CHUNKS) as writer:
                writer.append(frames)
                writer.flush()
                raise LookupError
        assert writer.closed
    assert os.listdir(tmp_path) == ["a.zarr"] and store == before
    np.testing.assert_array_equal(ngff.open_array(path), frames[0])


def test_an_exception_keeps_the_live_frames(tmp_path, frames):
    with pytest.raises(LookupError):
        with ngff.open_writer(tmp_path / "a.zarr", CAMERA, live=True, chunks=CHUNKS) as writer:
            writer.append(frames[:5])
            writer.flush()
            raise LookupError
    np.testing.assert_array_equal(ngff.open_array(tmp_path / "a.zarr"), frames[:4])


def test_regions_from_threads(frames):
    store, about = {}, {**CAMERA, "shape": frames.shape}
    with ngff.open_writer(store, about, scale_factors=[2, 4], chunks=CHUNKS) as writer:
        threads = [threading.Thread(target=writer.write_region,
                                    args=((0, n * 16, 0), frames[:, n * 16:n * 16 + 16]))
                   for n in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
    assert {k: bytes(v) for k, v in store.items()} == {k: bytes(v) for k, v in whole(frames).items()}


def test_regions_of_an_image_that_is_there(tmp_path, frames):
    path = tmp_path / "a.zarr"
    levels = ngff.to_multiscales(ngff.to_ngff_image(frames, dims=("t", "y", "x")), [2], chunks=CHUNKS)
    ngff.to_ome_zarr(path, levels, metadata_only=True)
    with ngff.open_writer(path) as writer:
        writer.write_region((0, 0, 0), frames)
        writer.write_region((0, 32, 0), frames[:2, :0])
        writer.write_region((2, 0, 0), frames[2:4, :32, :48], level=1)
        with pytest.raises(FileExistsError):
            writer.write_region((0, 0, 0), frames)
        with pytest.raises(ValueError, match="level is 2"):
            writer.write_region((0, 0, 0), frames, level=2)
    np.testing.assert_array_equal(ngff.open_array(path), frames)
    assert np.asarray(ngff.open_array(path, "scale1/image"))[2:4].any()
    with pytest.raises(ValueError, match="directory"):
        ngff.open_writer({})


@pytest.mark.parametrize("value,words", [
    (np.zeros((64, 96), "u1"), "pixels are uint8, the image is uint16"),
    (np.zeros((64, 96)), "pixels are float64"),
    (np.zeros((64, 95), "u2"), r"expected \(n, 64, 96\)"),
    (np.zeros(96, "u2"), r"shape \(96,\)"),
    (np.zeros((1, 1, 64, 96), "u2"), "expected"),
])
def test_wrong_frames_change_nothing(frames, value, words):
    store = {}
    with ngff.open_writer(store, CAMERA, scale_factors=[2, 4], chunks=CHUNKS) as writer:
        writer.append(frames[:1])
        with pytest.raises(ValueError, match=words):
            writer.append(value)
        writer.append(frames[1:].astype(">u2"))
    assert store.keys() == whole(frames).keys()
    np.testing.assert_array_equal(ngff.open_array(store), frames)


@pytest.mark.parametrize("start,value,words", [
    ((0, 0, 0), np.zeros((9, 64, 96), "i2"), "pixels are int16"),
    ((0, 0), np.zeros((9, 64, 96), "u2"), "another number of axes"),
    ((0, 0, 0), np.zeros((64, 96), "u2"), "another number of axes"),
    ((1, 0, 0), np.zeros((9, 64, 96), "u2"), "reach out of"),
    ((-1, 0, 0), np.zeros((1, 64, 96), "u2"), "reach out of"),
])
def test_wrong_regions(start, value, words):
    with ngff.open_writer({}, {**CAMERA, "shape": (9, 64, 96)}, chunks=CHUNKS) as writer:
        with pytest.raises(ValueError, match=words):
            writer.write_region(start, value)


@pytest.mark.parametrize("about,options,words", [
    (CAMERA, {"append": False, "live": True}, "live and no_wait"),
    ({"dtype": "u2"}, {}, "needs 'shape'"),
    ({**CAMERA, "dims": "xyt"}, {}, "order t, c, z, y, x"),
    (CAMERA, {"version": "0.3"}, "Unsupported version"),
    (CAMERA, {"fill_value": 7}, "fill_value=7 cannot be honoured"),
    ({"shape": (0, 64, 64), "dtype": "u2"}, {"scale_factors": [2], "live": True}, "live"),
])
def test_what_a_writer_refuses(tmp_path, about, options, words):
    with pytest.raises((ValueError, NotImplementedError), match=words):
        ngff.open_writer(tmp_path / "a.zarr", about, **options)
    assert os.listdir(tmp_path) == []


def test_kinds_are_not_mixed_and_the_end_is_the_end(frames):
    with ngff.open_writer({}, CAMERA, chunks=CHUNKS) as writer:
        with pytest.raises(ValueError, match="takes frames"):
            writer.write_region((0, 0, 0), frames)
        writer.append(frames)
    writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.append(frames)
    with pytest.raises(ValueError, match="takes regions"):
        with ngff.open_writer({}, {**CAMERA, "shape": (9, 64, 96)}) as writer:
            writer.append(frames)
    store = {}
    with pytest.raises(ngff.Error, match="frame"):
        with ngff.open_writer(store, CAMERA):
            pass
    assert not store


def test_no_wait_takes_nothing_and_says_so(monkeypatch, frames):
    """A store that is slow to take: once all slabs are busy, LIMIT; what was taken is what is stored."""
    gate, taken, refused = threading.Event(), [], 0
    monkeypatch.setattr(ngff.config, "memory_target", 16_000_000)

    class Slow(dict):
        def __setitem__(self, key, value):
            gate.wait(30)
            super().__setitem__(key, value)

    store = Slow()
    with ngff.open_writer(store, CAMERA, no_wait=True, scale_factors=[2], chunks=CHUNKS) as writer:
        for n in range(20_000):
            frame = frames[n % 9] + np.uint16(n % 7)
            try:
                writer.append(frame)
                taken.append(frame)
            except ngff.Error as error:
                assert error.code == "LIMIT"
                refused += 1
                break
        gate.set()
    assert refused == 1 and writer.frames == len(taken)
    np.testing.assert_array_equal(ngff.open_array(store), taken)


def test_errors_of_the_store_and_of_progress_come_through(frames):
    class Full(dict):
        def __setitem__(self, key, value):
            raise OSError(28, "no space left")

    with pytest.raises(OSError, match="no space left"):
        with ngff.open_writer(Full(), CAMERA, chunks=CHUNKS) as writer:
            for _ in range(50):
                writer.append(frames)

    def stop(done, total):
        raise RuntimeError("enough")

    store = {}
    with pytest.raises(RuntimeError, match="enough"):
        with ngff.open_writer(store, {**CAMERA, "shape": frames.shape}, scale_factors=[2],
                              chunks=CHUNKS, progress=stop) as writer:
            writer.write_region((0, 0, 0), frames)
    assert not store


def test_ctrl_c_in_the_middle_of_close(tmp_path, frames):
    """Levels are computed by close; the signal comes with the first report of progress."""
    told = []

    def tell(done, total):
        if not told:
            os.kill(os.getpid(), signal.SIGINT)
        told.append(done)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            with ngff.open_writer(tmp_path / "a.zarr", {**CAMERA, "shape": (9, 64, 96)},
                                  scale_factors=[2], chunks=8, progress=tell) as writer:
                writer.write_region((0, 0, 0), frames)
    finally:
        signal.signal(signal.SIGINT, before)
    assert told and os.listdir(tmp_path) == [] and writer.closed


def test_a_forgotten_writer_publishes_nothing(tmp_path, frames):
    writer = ngff.open_writer(tmp_path / "a.zarr", CAMERA)
    writer.append(frames)
    del writer
    assert os.listdir(tmp_path) == []


def test_ten_thousand_appends_do_not_leak(tmp_path, frames):
    core, frame, store = ngff._core, frames[0, :8, :8].copy(), {}
    about = {"shape": (0, 8, 8), "dtype": "u2", "dims": "tyx"}
    wrong, calls = frame[:4], 0

    writer = ngff.open_writer(tmp_path / "a.zarr", about, chunks={"t": 8, "y": 8, "x": 8})

    def once():
        nonlocal calls
        for _ in range(25):
            writer.append(frame)
        writer.flush()
        with pytest.raises(ValueError):
            writer.append(wrong)
        calls += 25

    check_for_leaks(once, [frame, wrong, core.Writer, core.Store], 400)
    assert calls >= 10_000
    writer.abandon()

    def opened():
        with ngff.open_writer(store, about, scale_factors=[]) as fresh:
            fresh.append(frame)
        with pytest.raises(KeyError):
            with ngff.open_writer(store, about) as fresh:
                raise KeyError

    check_for_leaks(opened, [frame, store, core.Writer, core.Store, core.Image], 200)


def test_appends_let_other_threads_run(frames):
    """The interpreter is free while an append waits: what opens the gate is another Python thread."""
    gate = threading.Event()

    class Gated(dict):
        def __setitem__(self, key, value):
            assert gate.wait(60)
            super().__setitem__(key, value)

    threading.Timer(0.2, gate.set).start()
    with ngff.open_writer(Gated(), CAMERA, chunks=CHUNKS) as writer:
        for _ in range(3):
            writer.append(frames)
        writer.flush()
    assert gate.is_set() and sys.getrefcount(frames) < 10
