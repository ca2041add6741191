"""Frames appended from standard input: the same store as a conversion of the whole, read by others, seen
live, and nothing torn when the writer dies."""

import os
import signal
import subprocess
import time

import numpy as np
import pytest

from harness import EXISTS, INPUT, NGFF, OUTPUT, USAGE, run_ngff
from inputs import pixels, save_npy
from peers import need, read_tensorstore, read_zarr_python

FRAMES = 11
SHAPES = {"tyx": (FRAMES, 70, 93), "zyx": (FRAMES, 64, 50), "tczyx": (FRAMES, 2, 9, 40, 39)}
LEVELS = ["scale0/image", "scale1/image", "scale2/image"]
FACTORS = {"tyx": "y=2,x=2;y=4,x=4", "zyx": "z=1,y=2,x=2;z=1,y=4,x=4", "tczyx": "2,4"}


def options_for(dims, *more):
    """`4*32` becomes 4 along the frames and 32 along every other axis."""
    def spread(option):
        first, star, rest = option.partition("*")
        return ",".join([first] + [rest] * (len(dims) - 1)) if star else option

    return ["--dims", dims, "--name", "image", "--scale-factors", FACTORS[dims], *map(spread, more)]


def start(store, image, *options):
    raw = {"--shape": ",".join(["0", *map(str, image.shape[1:])]), "--dtype": image.dtype.name}
    given = [part for name, value in raw.items() if name not in options for part in (name, value)]
    return subprocess.Popen([str(NGFF), "convert", "-", str(store), *given, *options],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def append(store, image, *options, data=None, expect=0):
    writer = start(store, image, *options)
    _, err = writer.communicate(image.tobytes() if data is None else data, timeout=120)
    assert writer.returncode == expect, err.decode()
    return err.decode()


def tree(path):
    return {str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file()}


# ---- equal to the whole -------------------------------------------------------------------------

FORMS = {"one frame a chunk": [], "several": ["--chunks", "4*32"],
         "sharded": ["--chunks", "2*32", "--chunks-per-shard", "3*2"],
         "0.4": ["--ome-zarr-version", "0.4", "--layout", "flat"], "one thread": ["--threads", "1"],
         "mode, windows": ["--method", "mode", "--omero-quantiles", "0.02,0.98"]}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dims", SHAPES)
def test_same_as_a_conversion(tmp_path, dims, form):
    image = pixels(SHAPES[dims], "uint16", seed=3)
    chunks = [] if "--chunks" in FORMS[form] else ["--chunks", "1*32"]
    options = options_for(dims, *FORMS[form], *chunks)
    source = save_npy(tmp_path / "in.npy", image)
    run_ngff("convert", source, tmp_path / "whole.ome.zarr", *options)
    append(tmp_path / "frames.ome.zarr", image, *options)
    want, got = tree(tmp_path / "whole.ome.zarr"), tree(tmp_path / "frames.ome.zarr")
    assert sorted(want) == sorted(got)
    assert [key for key in want if want[key] != got[key]] == []


def test_levels_coarser_along_the_frames(tmp_path):
    """They are made at the end; with the extent known beforehand the bytes are those of a conversion."""
    image = pixels((16, 40, 39), "uint16", seed=4)
    options = ["--dims", "zyx", "--name", "image", "--scale-factors", "2,4", "--chunks", "4"]
    source = save_npy(tmp_path / "in.npy", image)
    run_ngff("convert", source, tmp_path / "whole.ome.zarr", *options)
    append(tmp_path / "frames.ome.zarr", image, *options)
    assert tree(tmp_path / "whole.ome.zarr") == tree(tmp_path / "frames.ome.zarr")


def test_byte_order_and_offset(tmp_path):
    image = pixels(SHAPES["tyx"], "uint16", seed=5)
    store = tmp_path / "out.ome.zarr"
    append(store, image, "--name", "image", "--dtype", ">u2", "--offset", "7", "--scale-factors", "none",
           data=b"headers" + image.astype(">u2").tobytes())
    assert np.array_equal(read_zarr_python(store, ["scale0/image"])[0], image)


@pytest.mark.parametrize("form", ["one frame a chunk", "sharded", "0.4"])
def test_peers_read_it(tmp_path, form):
    image = pixels(SHAPES["tyx"], "uint16", seed=6)
    store = tmp_path / "out.ome.zarr"
    append(store, image, *options_for("tyx", *FORMS[form]))
    levels = ["0", "1", "2"] if form == "0.4" else LEVELS
    one, two = read_zarr_python(store, levels), read_tensorstore(store, levels)
    assert np.array_equal(one[0], image)
    for a, b in zip(one, two, strict=True):
        assert a.shape[0] == FRAMES
        assert np.array_equal(a, b)


def test_chunks_in_another_store(tmp_path):
    """Appended into a pair as into one; a pair appears as a whole, so nobody sees it grow."""
    image = pixels(SHAPES["tyx"], "uint16", seed=14)
    options = options_for("tyx")
    append(tmp_path / "one.ome.zarr", image, *options)
    append(tmp_path / "out.ome.zarr", image, *options, "--chunk-store", str(tmp_path / "chunks"))
    keys = [key for key in tree(tmp_path / "one.ome.zarr") if "/c/" in key]
    stored = {p.read_bytes() for p in (tmp_path / "chunks").rglob("*") if p.is_file()}
    assert keys and all((tmp_path / "one.ome.zarr" / key).read_bytes() in stored for key in keys)
    err = append(tmp_path / "live.ome.zarr", image, *options, "--live", "--chunk-store", str(tmp_path / "more"),
                 data=b"", expect=OUTPUT)
    assert "as a whole" in err
    assert not (tmp_path / "live.ome.zarr").exists()


# ---- live ---------------------------------------------------------------------------------------


class Watcher:
    """A reader that opens the store anew every time; every frame it can see has to be right in all levels."""

    def __init__(self, store, levels):
        self.store, self.levels, self.seen = store, levels, []

    def look(self, consolidated):
        zarr = need("zarr")
        if not (self.store / "zarr.json").exists():
            return 0
        group = zarr.open_group(str(self.store), mode="r", use_consolidated=consolidated)
        arrays = [group[path] for path in LEVELS]
        # The coarse ones first become longer: what level 0 has, all have.
        count = arrays[0].shape[0]
        for array, want in zip(arrays, self.levels, strict=True):
            assert array.shape[0] >= count
            assert np.array_equal(np.asarray(array[:count]), want[:count])
        assert count >= (self.seen[-1] if self.seen else 0)
        self.seen.append(count)
        return count

    def wait_for(self, count):
        for i in range(4000):
            if self.look(consolidated=i % 2 == 0) >= count:
                return
            time.sleep(0.01)
        pytest.fail(f"{count} frames were never seen, {self.seen[-1:]} were")


def expected(tmp_path, image, options):
    source = save_npy(tmp_path / "in.npy", image)
    run_ngff("convert", source, tmp_path / "whole.ome.zarr", *options)
    return read_zarr_python(tmp_path / "whole.ome.zarr", LEVELS)


@pytest.mark.parametrize("form", ["one frame a chunk", "several", "sharded"])
def test_live_reader(tmp_path, form):
    image = pixels(SHAPES["tyx"], "uint16", seed=7)
    unit = {"one frame a chunk": 1, "several": 4, "sharded": 6}[form]
    options = options_for("tyx", *FORMS[form], "--durability", "none")
    store = tmp_path / "live.ome.zarr"
    watcher = Watcher(store, expected(tmp_path, image, options))
    writer = start(store, image, *options, "--live")
    for t in range(FRAMES):
        writer.stdin.write(image[t].tobytes())
        writer.stdin.flush()
        watcher.look(consolidated=t % 2 == 0)
        if (t + 1) % unit == 0:
            watcher.wait_for(t + 1)  # without more frames to come
    assert run_ngff("convert", tmp_path / "in.npy", store, "--overwrite", expect=EXISTS).err.count("at work")
    writer.stdin.close()
    assert writer.wait(120) == 0, writer.stderr.read().decode()
    assert watcher.look(consolidated=True) == FRAMES
    assert tree(store) == tree(tmp_path / "whole.ome.zarr")


def test_live_reader_of_a_fast_camera(tmp_path):
    """Polls while frames come as fast as they are taken, but for two pauses."""
    image = np.concatenate([pixels((10, 96, 128), "uint16", seed=8)] * 16)
    options = options_for("tyx", "--durability", "none")
    store = tmp_path / "live.ome.zarr"
    watcher = Watcher(store, expected(tmp_path, image, options))
    writer = start(store, image, *options, "--live")
    for part in range(0, len(image), 8):
        writer.stdin.write(image[part : part + 8].tobytes())
        writer.stdin.flush()
        if part in (0, 72):  # the camera pauses: then all that has come is seen
            watcher.wait_for(part + 8)
        elif part % 40 == 0:
            watcher.look(consolidated=part % 80 == 0)
    writer.stdin.close()
    while writer.poll() is None:
        watcher.look(consolidated=False)
    assert writer.returncode == 0, writer.stderr.read().decode()
    assert watcher.look(consolidated=True) == len(image)
    assert {8, 80, len(image)} <= set(watcher.seen)


# ---- what goes wrong ----------------------------------------------------------------------------


def kill_after(store, image, frames, *options):
    writer = start(store, image, *options)
    for t in range(frames):
        writer.stdin.write(image[t % FRAMES].tobytes())
        writer.stdin.flush()
    time.sleep(0.02 * (frames % 5))
    writer.send_signal(signal.SIGKILL)
    writer.communicate()


def test_killed_writer_leaves_nothing(tmp_path):
    image = pixels(SHAPES["tyx"], "uint16", seed=9)
    store = tmp_path / "out.ome.zarr"
    options = options_for("tyx", "--threads", "2")
    for frames in range(0, 12, 2):
        kill_after(store, image, frames, *options)
        assert not store.exists()
    append(store, image, *options)
    assert [p.name for p in tmp_path.iterdir()] == [store.name]


def test_killed_live_writer_leaves_whole_frames(tmp_path):
    image = pixels(SHAPES["tyx"], "uint16", seed=10)
    options = options_for("tyx", "--threads", "2")
    levels, seen = expected(tmp_path, image, options), 0
    for frames in range(1, 12, 3):
        store = tmp_path / f"out{frames}.ome.zarr"
        kill_after(store, image, frames, *options, "--live")
        if store.exists():
            seen = max(seen, Watcher(store, levels).look(consolidated=frames % 2 == 0))
            append(store, image, *options, "--overwrite")
            assert tree(store) == tree(tmp_path / "whole.ome.zarr")
    assert seen > 0


def test_interrupted(tmp_path):
    image = pixels(SHAPES["tyx"], "uint16", seed=11)
    store = tmp_path / "out.ome.zarr"
    writer = start(store, image)
    writer.stdin.write(image[0].tobytes())
    writer.stdin.flush()
    time.sleep(0.5)
    writer.send_signal(signal.SIGINT)
    assert writer.wait(60) == 130
    writer.communicate()
    assert os.listdir(tmp_path) == []


def test_input_that_ends_early(tmp_path):
    image = pixels(SHAPES["tyx"], "uint16", seed=12)
    store = tmp_path / "out.ome.zarr"
    err = append(store, image, data=image.tobytes()[:-5], expect=INPUT)
    assert "ends in frame 10, after 13015 of its 13020 bytes" in err
    err = append(store, image, data=b"", expect=INPUT)
    assert "ends in frame 0" in err
    err = append(store, image, "--shape", "12,70,93", expect=INPUT)
    assert "ends in frame 11, after 0" in err
    assert os.listdir(tmp_path) == []
    append(store, image, "--shape", "3,70,93", "--scale-factors", "none", "--name", "image")
    assert np.array_equal(read_zarr_python(store, ["scale0/image"])[0], image[:3])


def test_usage(tmp_path):
    image = pixels(SHAPES["tyx"], "uint16", seed=13)
    for options, word in ((["--dims", "yx"], "--dims"), (["--dims", "xyt"], "order"), (["--dry-run"], "--dry-run"),
                          (["--keep-levels"], "--keep-levels"), (["--shape", "0,0,5"], "--shape")):
        assert word in append(tmp_path / "out.ome.zarr", image, *options, data=b"", expect=USAGE)
    save_npy(tmp_path / "in.npy", image)
    run_ngff("convert", tmp_path / "in.npy", tmp_path / "out.ome.zarr", "--live", expect=USAGE)
    assert os.listdir(tmp_path) == ["in.npy"]
