"""One named case for each class of defect that writers of this format have had (B1, B2, …). Every case
is read back by somebody else's reader. tests/mutations.py holds, for each, the change to the code
that turns it red."""

import json
import re
import subprocess

import numpy as np
import pytest

import documents
import twins
from harness import EXISTS, LIMIT, NGFF, USAGE, run_ngff
from inputs import pixels, save_npy
from peers import read_tensorstore, read_zarr_python


def convert(tmp_path, array, dims, *options, name="out.ome.zarr"):
    source = tmp_path / "in.npy"
    if not source.exists():
        save_npy(source, array)
    store = tmp_path / name
    report = run_ngff("convert", source, store, "--dims", dims, "--json", *options).json()
    return store, report


def tight(tmp_path, array, dims, *options):
    """The smallest budget that does, as the refusal of a far too small one names it."""
    source = tmp_path / "in.npy"
    if not source.exists():
        save_npy(source, array)
    refused = run_ngff("convert", source, tmp_path / "refused.zarr", "--dims", dims, *options,
                       "--memory-target", "1K", expect=LIMIT)
    return ("--memory-target", re.search(r"smallest budget that would do is (\d+)", refused.err)[1])


def levels_of(store):
    return read_tensorstore(store, documents.dataset_paths(store))


def stored_chunks(report, level=0):
    return report["levels"][level]["chunks"]


def filled(shape, dtype="uint32"):
    """No zero anywhere, so that unwritten parts show."""
    return (np.arange(np.prod(shape)) % 60000 + 1).reshape(shape).astype(dtype)


def expect_levels(store, array, dims, factors, method):
    want = twins.pyramid(array, dims, factors, method)
    got = levels_of(store)
    assert [g.shape for g in got] == [w.shape for w in want]
    for g, w in zip(got, want):
        twins.assert_same(g, w, method)


@pytest.mark.parametrize("budget", ["tight", "64M"])
def test_B1_every_slab_is_written(tmp_path, budget):
    array = filled((32, 64, 64))
    options = ("--chunks", "2", "--scale-factors", "2")
    memory = ("--memory-target", budget)
    if budget == "tight":
        memory = tight(tmp_path, array, "zyx", *options)
    store, _ = convert(tmp_path, array, "zyx", *options, *memory)
    level0, level1 = levels_of(store)
    assert (level0 > 0).all() and (level1 > 0).all()
    np.testing.assert_array_equal(level0, array)


def test_B2_planes_and_strips_are_written(tmp_path):
    array = filled((1, 1, 40, 128, 256), "uint16")
    options = ("--chunks", "16", "--chunks-per-shard", "2", "--scale-factors", "2")
    store, _ = convert(tmp_path, array, "tczyx", *options, *tight(tmp_path, array, "tczyx", *options))
    np.testing.assert_array_equal(levels_of(store)[0], array)


@pytest.mark.parametrize("shape", [(40, 200, 310), (7, 1000, 90), (300, 33, 65)])
@pytest.mark.parametrize("budget", [None, 24 << 20, 64 << 20])
def test_B3_blocks_keep_the_budget_and_cover_once(tmp_path, shape, budget):
    array = pixels(shape, "uint16", seed=2)
    options = ("--chunks", "16", "--scale-factors", "2,4")
    budget = budget or int(tight(tmp_path, array, "zyx", *options)[1])
    store, report = convert(tmp_path, array, "zyx", *options, "--memory-target", str(budget))
    assert report["stats"]["peak_bytes"] <= budget == report["stats"]["budget_bytes"]
    expect_levels(store, array, "zyx", [2, 4], "gaussian")


@pytest.mark.parametrize("n", [185, 265, 62, 74])
def test_B4_chunks_are_not_snapped_to_divisors(tmp_path, n):
    array = filled((n, n), "uint8")
    _, report = convert(tmp_path, array, "yx", "--chunks", "48", "--scale-factors", "none")
    assert stored_chunks(report) == [48, 48]


def test_B5_a_short_shard_leaves_the_chunk_alone(tmp_path):
    array = np.zeros((2, 59, 68, 67), "uint8")
    array[:, ::7, ::5, ::3] = 9
    store, report = convert(tmp_path, array, "czyx", "--chunks", "64", "--chunks-per-shard",
                            "z=10,y=2,x=2", "--scale-factors", "none")
    assert stored_chunks(report) == [1, 59, 64, 64]
    assert report["levels"][0]["shards"] == [1, 59, 128, 128]
    np.testing.assert_array_equal(levels_of(store)[0], array)


def test_B6_a_shard_is_never_larger_than_the_array_needs(tmp_path):
    array = filled((50, 70), "uint16")
    _, report = convert(tmp_path, array, "yx", "--chunks", "16", "--chunks-per-shard", "100",
                        "--scale-factors", "2")
    assert report["levels"][0]["shards"] == [64, 80]
    assert report["levels"][1]["shards"] == [32, 48]


def test_B7_chunks_are_those_asked_for(tmp_path):
    array = filled((40, 57, 129), "uint16")
    store, _ = convert(tmp_path, array, "zyx", "--chunks", "64", "--scale-factors", "none")
    document = documents.load(store / documents.dataset_paths(store)[0] / "zarr.json")
    assert document["chunk_grid"]["configuration"]["chunk_shape"] == [40, 57, 64]


def test_B8_chunks_of_a_zarr_input_do_not_leak(tmp_path):
    import zarr

    array = filled((50, 60), "uint16")
    source = zarr.create_array(str(tmp_path / "in.zarr"), shape=array.shape, chunks=(7, 11),
                               dtype=array.dtype)
    source[:] = array
    store = tmp_path / "out.ome.zarr"
    report = run_ngff("convert", tmp_path / "in.zarr", store, "--chunks", "16", "--json",
                      "--scale-factors", "none").json()
    assert stored_chunks(report) == [16, 16]
    np.testing.assert_array_equal(levels_of(store)[0], array)


CONSTANTS = {"uint8": (1, 2, 5, 255), "uint16": (1, 2, 5, 65535), "uint32": (1, 5, 2**32 - 1),
             "uint64": (1, 5, 2**64 - 1), "int8": (-7, 1, -128), "int16": (-7, 5, 32767),
             "int32": (-7, 5, 2**31 - 1, -(2**31)), "int64": (-7, 5, 2**63 - 1, -(2**63))}


@pytest.mark.parametrize("dtype", CONSTANTS)
def test_B9_constants_survive_every_level(tmp_path, dtype):
    for index, value in enumerate(CONSTANTS[dtype]):
        work = tmp_path / str(index)
        work.mkdir()
        array = np.full((12, 40, 40), value, dtype)
        store, _ = convert(work, array, "zyx", "--chunks", "16", "--scale-factors", "2,4")
        for level in levels_of(store):
            assert (level == value).all()


def test_B10_factors_that_do_not_divide_each_other(tmp_path):
    array = pixels((40, 60, 61), "uint16", seed=3)
    store, report = convert(tmp_path, array, "zyx", "--scale-factors", "2,3,4", "--chunks", "16")
    assert [level["shape"] for level in report["levels"]] == [
        [40, 60, 61], [20, 30, 30], [13, 20, 20], [10, 15, 15]]
    for level, factor in zip(report["levels"], (1, 2, 3, 4)):
        assert level["scale"] == [factor] * 3
    expect_levels(store, array, "zyx", [2, 3, 4], "gaussian")


def test_B11_four_stays_four(tmp_path):
    array = pixels((61, 61), "uint8", seed=4)
    store, report = convert(tmp_path, array, "yx", "--scale-factors", "4,16", "--chunks", "16")
    assert [level["shape"] for level in report["levels"]] == [[61, 61], [15, 15], [3, 3]]
    assert [level["scale"][0] for level in report["levels"]] == [1, 4, 16]
    expect_levels(store, array, "yx", [4, 16], "gaussian")


def test_B12_a_level_at_exactly_twice_the_size(tmp_path):
    array = np.zeros((128, 128, 128), "uint8")
    _, report = convert(tmp_path, array, "zyx", "--min-size", "64", "--chunks", "64")
    assert [level["shape"][0] for level in report["levels"]] == [128, 64]


@pytest.mark.parametrize("method", ["gaussian", "bin_shrink", "nearest"])
@pytest.mark.parametrize("factors", ["2", "3", "4", "8", "z=2,y=3,x=4"])
def test_B13_values_sit_at_the_declared_position(tmp_path, method, factors):
    z, y, x = np.indices((48, 48, 48), dtype="float64")
    for axis, ramp in enumerate((z, y, x)):
        work = tmp_path / str(axis)
        work.mkdir()
        store, report = convert(work, ramp, "zyx", "--scale-factors", factors, "--method", method,
                                "--chunks", "16")
        level, info = levels_of(store)[1], report["levels"][1]
        position = np.arange(level.shape[axis]) * info["scale"][axis] + info["translation"][axis]
        index = [n // 2 for n in level.shape]
        index[axis] = slice(1, -1)  # replicated borders bend the ramp of a filter
        np.testing.assert_allclose(level[tuple(index)], position[1:-1], rtol=0, atol=1e-9)


@pytest.mark.parametrize("method", ["mode", "min", "max", "median"])
@pytest.mark.parametrize("factor", [2, 3, 4, 8])
def test_B13_the_block_is_centred_at_the_declared_position(tmp_path, method, factor):
    """A block of one value, its neighbours another: the level holds it at the declared place."""
    array = np.zeros((64, 64), "uint8") if method != "min" else np.full((64, 64), 9, "uint8")
    array[2 * factor : 3 * factor, factor : 2 * factor] = 5
    store, report = convert(tmp_path, array, "yx", "--scale-factors", str(factor), "--method",
                            method, "--chunks", "16")
    level, info = levels_of(store)[1], report["levels"][1]
    assert np.argwhere(level == 5).tolist() == [[2, 1]]
    centre = [2 * factor + (factor - 1) / 2, factor + (factor - 1) / 2]
    declared = [i * s + t for i, s, t in zip((2, 1), info["scale"], info["translation"])]
    assert declared == centre


def test_B14_blocks_thinner_than_the_halo(tmp_path):
    array = pixels((64, 64, 9), "uint16", seed=5)
    whole, _ = convert(tmp_path, array, "zyx", "--chunks", "64", "--scale-factors", "2,4", name="a")
    options = ("--chunks", "z=64,y=64,x=1", "--scale-factors", "2,4")
    thin, _ = convert(tmp_path, array, "zyx", *options, *tight(tmp_path, array, "zyx", *options),
                      name="b")
    for a, b in zip(levels_of(whole), levels_of(thin)):
        np.testing.assert_array_equal(a, b)


def test_B15_a_block_of_one_label_keeps_it(tmp_path):
    labels = np.kron(np.arange(1, 10 * 12 + 1).reshape(10, 12), np.ones((4, 4))).astype("uint32")
    for index, chunk in enumerate((8, 13, 64)):
        store, _ = convert(tmp_path, labels, "yx", "--chunks", str(chunk), "--scale-factors", "2,4",
                           "--method", "mode", name=f"{index}.zarr")
        np.testing.assert_array_equal(levels_of(store)[2], np.arange(1, 121).reshape(10, 12))


@pytest.mark.parametrize("chunk", [64, 100, 257, 514])
def test_B16_a_remainder_smaller_than_the_factor(tmp_path, chunk):
    array = pixels((514, 6), "uint16", seed=6)
    store, _ = convert(tmp_path, array, "yx", "--chunks", f"y={chunk},x=6", "--scale-factors", "4",
                       "--method", "bin_shrink")
    expect_levels(store, array, "yx", [4], "bin_shrink")


def test_B18_blocks_do_not_change_stored_chunks(tmp_path):
    array = filled((11, 96, 96), "uint16")
    _, report = convert(tmp_path, array, "zyx", "--chunks", "16", "--scale-factors", "2")
    assert stored_chunks(report) == [11, 16, 16]
    assert stored_chunks(report, 1) == [5, 16, 16]


def test_B19_channels_through_the_spill_file(tmp_path):
    array = pixels((1, 2, 98, 120, 100), "uint16", seed=7)
    options = ("--chunks", "16", "--scale-factors", "2,4,8", "--threads", "2", "--chunks-per-shard", "4")
    store, report = convert(tmp_path, array, "tczyx", *options,
                            *tight(tmp_path, array, "tczyx", *options))
    assert report["stats"]["spill_bytes"] > 0
    expect_levels(store, array, "tczyx", [2, 4, 8], "gaussian")


def test_B21_the_output_is_never_the_input(tmp_path):
    array = filled((30, 30), "uint16")
    store, _ = convert(tmp_path, array, "yx", "--chunks", "8", "--scale-factors", "2")
    before = {p: p.read_bytes() for p in store.rglob("*") if p.is_file()}
    for target in (store, store / ".." / store.name, store / "inside.zarr"):
        answer = run_ngff("convert", store, target, "--overwrite=all", expect=None)
        assert answer.code in (USAGE, EXISTS), answer
    assert {p: p.read_bytes() for p in store.rglob("*") if p.is_file()} == before


def test_B25_many_large_levels_at_04(tmp_path):
    array = pixels((64, 96, 96), "uint16", seed=9)
    options = ("--chunks", "16", "--scale-factors", "2,4", "--ome-zarr-version", "0.4")
    store, _ = convert(tmp_path, array, "zyx", *options, *tight(tmp_path, array, "zyx", *options))
    expect_levels(store, array, "zyx", [2, 4], "gaussian")


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_B26_one_format_in_a_store(tmp_path, version):
    store, _ = convert(tmp_path, filled((20, 20)), "yx", "--scale-factors", "2",
                       "--ome-zarr-version", version)
    names = {p.name for p in store.rglob("*") if p.is_file()}
    assert ("zarr.json" in names) == (version == "0.5")
    assert (".zarray" in names) == (version == "0.4")


def test_B28_the_codec_reaches_every_path(tmp_path):
    array = pixels((40, 64, 64), "uint16", seed=8)
    found = []
    small = tight(tmp_path, array, "zyx", "--chunks", "16", "--codec", "zstd", "--compression-level",
                  "5", "--scale-factors", "2")
    for index, options in enumerate(([], ["--chunks-per-shard", "2"], small,
                                     ["--chunks-per-shard", "4", "--memory-target", "17M"])):
        store, _ = convert(tmp_path, array, "zyx", "--chunks", "16", "--codec", "zstd",
                           "--compression-level", "5", "--scale-factors", "2", *options,
                           name=f"{index}.zarr")
        for path in documents.dataset_paths(store):
            codecs = documents.load(store / path / "zarr.json")["codecs"]
            if codecs[0]["name"] == "sharding_indexed":
                codecs = codecs[0]["configuration"]["codecs"]
            found.append(codecs[-1])
    want = {"name": "zstd", "configuration": {"level": 5, "checksum": False}}
    assert found == [want] * 8


def test_B29_memory_does_not_follow_the_image(tmp_path):
    """The plan's peak is the budget's, not the image's; tests of real memory are in test_memory."""
    peaks = []
    for index, planes in enumerate((64, 640)):
        source = tmp_path / f"{index}.raw"
        with open(source, "wb") as file:
            file.truncate(planes * 2048 * 2048 * 2)
        plan = run_ngff("convert", source, tmp_path / "x.zarr", "--shape", f"{planes},2048,2048",
                        "--dtype", "uint16", "--memory-target", "128M", "--dry-run",
                        "--json").json()["plan"]
        peaks.append(plan["peak_bytes"])
    assert max(peaks) <= 128 << 20


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_B33_no_null_anywhere(tmp_path, version):
    store, _ = convert(tmp_path, filled((20, 20)), "yx", "--scale-factors", "2",
                       "--ome-zarr-version", version)
    documents.check_no_null(store)


def test_B34_the_time_step_is_kept_on_all_levels(tmp_path):
    store, _ = convert(tmp_path, filled((3, 20, 20)), "tyx", "--scale", "t=30,y=0.5,x=0.5",
                       "--scale-factors", "2,4")
    scales = [documents.scale_and_translation(d)[0] for d in documents.multiscale(store)["datasets"]]
    assert [s[0] for s in scales] == [30, 30, 30]
    assert [s[1] for s in scales] == [0.5, 1.0, 2.0]


@pytest.mark.parametrize("typestr", [">u2", ">f4", ">i8", ">f8", ">i4"])
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_B35_big_endian_inputs(tmp_path, typestr, version):
    array = (np.arange(30 * 31).reshape(30, 31) * 7 - 1000).astype(typestr)
    np.save(tmp_path / "in.npy", array)
    store, _ = convert(tmp_path, array, "yx", "--scale-factors", "none", "--ome-zarr-version", version)
    for read in (read_zarr_python, read_tensorstore):
        got = read(store, documents.dataset_paths(store))[0]
        assert got.dtype == array.dtype.newbyteorder("=")
        np.testing.assert_array_equal(got, array)


def test_an_unknown_directory_is_never_replaced(tmp_path):
    source = save_npy(tmp_path / "in.npy", filled((20, 20)))
    target = tmp_path / "thesis"
    target.mkdir()
    (target / "thesis.tex").write_text("all of it")
    for option in ("--overwrite", "--overwrite=all"):
        answer = run_ngff("convert", source, target, option, expect=EXISTS)
        assert "thesis" in answer.err
    assert (target / "thesis.tex").read_text() == "all of it"


def test_a_stopped_run_leaves_the_old_store(tmp_path):
    array = filled((64, 512, 512), "uint16")
    store, _ = convert(tmp_path, array, "zyx", "--scale-factors", "2")
    before = {p: p.stat().st_mtime_ns for p in store.rglob("*") if p.is_file()}
    for number in ("INT", "TERM"):
        run = subprocess.Popen([str(NGFF), "convert", str(tmp_path / "in.npy"), str(store), "--dims",
                                "zyx", "--chunks", "16", "--overwrite", "--codec", "gzip",
                                "--compression-level", "9", "--progress", "json"],
                               stderr=subprocess.PIPE)
        json.loads(run.stderr.readline())
        subprocess.run(["kill", f"-{number}", str(run.pid)], check=True)
        run.stderr.read()
        assert run.wait() == {"INT": 130, "TERM": 143}[number]
        assert {p: p.stat().st_mtime_ns for p in store.rglob("*") if p.is_file()} == before
        assert [p.name for p in tmp_path.iterdir() if "partial" in p.name] == []
