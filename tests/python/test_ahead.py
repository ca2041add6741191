"""Foreign lazy arrays: read ahead, each chunk once, within a limit, by whatever scheduler is in charge."""

import threading

import numpy as np
import pytest

import ngff
from conftest import need
from ngff._ahead import Reader


class Counted:
    """A lazy array that counts how often each of its chunks is asked for."""

    def __init__(self, data, chunks):
        self.base, self.chunks, self.asked, self.lock = data, chunks, {}, threading.Lock()
        self.shape, self.dtype, self.ndim = data.shape, data.dtype, data.ndim

    def __getitem__(self, key):
        at = tuple((k.start, k.stop) for k in key)
        with self.lock:
            self.asked[at] = self.asked.get(at, 0) + 1
        return self.base[key]


def boxes_of(shape, block, halo):
    """Blocks with a halo, in C order, as the engine asks for them."""
    starts = [range(0, n, b) for n, b in zip(shape, block)]
    for at in np.ndindex(*(len(axis) for axis in starts)):
        low = [max(0, axis[i] - halo) for axis, i in zip(starts, at)]
        high = [min(n, axis[i] + b + halo) for axis, i, b, n in zip(starts, at, block, shape)]
        yield tuple(low), tuple(h - l for l, h in zip(low, high))


def ask(reader, boxes, want):
    """Asks for all boxes as the C half does; the most bytes that were held."""
    most = 0
    for start, shape in boxes:
        memory = bytearray(int(np.prod(shape)) * want.itemsize)
        reader(start, shape, memory)
        got = np.frombuffer(memory, want.dtype).reshape(shape)
        np.testing.assert_array_equal(got, want[tuple(slice(s, s + n) for s, n in zip(start, shape))])
        with reader.state:
            assert reader.held == sum(entry.nbytes for entry in reader.entries.values())
            most = max(most, reader.held)
    return most


@pytest.fixture
def data():
    return np.random.default_rng(1).integers(0, 60000, (48, 80, 112)).astype("u2")


@pytest.mark.parametrize("halo", [0, 3])
@pytest.mark.parametrize("threads", [0, 2])
def test_chunks_are_read_once_and_forgotten(data, halo, threads):
    source = Counted(data, (16, 16, 16))
    reader, boxes = Reader(source, 1 << 30, threads), list(boxes_of(data.shape, (32, 16, 48), halo))
    reader.expect(boxes)
    ask(reader, boxes, data)
    assert set(source.asked.values()) == {1} and len(source.asked) == 3 * 5 * 7
    assert reader.held == 0 and not reader.entries
    reader.close()


def test_rims_are_kept_instead_of_chunks(data):
    reader = Reader(Counted(data, (16, 16, 16)), 1 << 30, 0)
    boxes = list(boxes_of(data.shape, (16, 16, 16), 1))
    reader.expect(boxes)
    most = ask(reader, boxes, data)
    assert reader.held == 0
    # Beside two planes of chunks, of which one is still whole, rims only.
    assert most < 1.5 * data[:16].nbytes


def test_little_memory_means_reading_again(data):
    source = Counted(data, (16, 16, 16))
    limit = 20 * 16 ** 3 * 2
    reader, boxes = Reader(source, limit, 2), list(boxes_of(data.shape, (32, 16, 48), 2))
    reader.expect(boxes)
    most = ask(reader, boxes, data)
    assert most <= limit
    assert max(source.asked.values()) > 1
    reader.close()


def test_unlisted_regions(data):
    source = Counted(data, (16, 16, 16))
    reader = Reader(source, 1 << 30, 2)
    reader.expect([])
    ask(reader, list(boxes_of(data.shape, (32, 16, 48), 2)), data)
    assert set(source.asked.values()) == {1}
    reader.close()


def test_reading_goes_on_while_nobody_asks(data):
    """Regions that were not asked for yet are read; the wait is ended by the reading itself."""
    there = threading.Event()

    class Watched(Counted):
        def __getitem__(self, key):
            if key[0].start == 32:
                there.set()
            return super().__getitem__(key)

    reader = Reader(Watched(data, (16, 80, 112)), 1 << 30, 2)
    boxes = list(boxes_of(data.shape, (16, 80, 112), 0))
    reader.expect(boxes)
    ask(reader, boxes[:1], data)
    assert there.wait(60)
    reader.close()


def test_dask_is_read_ahead_where_it_is_slow(monkeypatch, data):
    """Chunks that are computed at once are computed when they are asked for: what waits is memory."""
    from ngff import _ahead

    array = need("dask.array").from_array(data, chunks=(16, 80, 112)) + 0
    boxes = list(boxes_of(data.shape, (16, 80, 112), 0))
    for slow, workers in ((1.0, 0), (0.0, 1)):  # seconds a byte
        monkeypatch.setattr(_ahead, "SLOW", slow)
        reader = Reader(array, 1 << 30, 2)
        reader.expect(boxes)
        assert not reader.workers
        ask(reader, boxes[:1], data)
        assert len(reader.workers) == workers
        ask(reader, boxes[1:], data)
        assert reader.held == 0
        reader.close()


def test_other_schedulers_are_asked_ahead(data):
    dask, array = need("dask"), need("dask.array").from_array(data, chunks=(16, 80, 112))
    with dask.config.set(scheduler="sync"):
        reader = Reader(array, 1 << 30, 2)
    reader.expect(list(boxes_of(data.shape, (16, 80, 112), 0)))
    assert len(reader.workers) == 1
    reader.close()


def test_a_failure_reaches_who_asks(data):
    class Broken(Counted):
        def __getitem__(self, key):
            if key[0].start == 16:
                raise LookupError("gone")
            return super().__getitem__(key)

    reader, boxes = Reader(Broken(data, (16, 80, 112)), 1 << 30, 2), list(boxes_of(data.shape, (16, 80, 112), 0))
    reader.expect(boxes)
    with pytest.raises(LookupError, match="gone"):
        ask(reader, boxes, data)
    reader.close()


@pytest.mark.parametrize("method", ["itkwasm_gaussian", "itkwasm_bin_shrink"])
def test_whole_job_computes_each_chunk_once(tmp_path, pyramid, data, method):
    source = Counted(data, (16, 24, 40))
    ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(source, method=method))
    assert set(source.asked.values()) == {1} and len(source.asked) == 3 * 4 * 3
    ngff.to_ngff_zarr(tmp_path / "b.zarr", pyramid(data, method=method))
    for a, b in zip(*(ngff.from_ngff_zarr(tmp_path / name).images for name in ("a.zarr", "b.zarr"))):
        np.testing.assert_array_equal(np.asarray(a.data), np.asarray(b.data))


@pytest.mark.parametrize("scheduler", ["threads", "sync", "processes"])
def test_dask_schedulers(tmp_path, pyramid, data, scheduler):
    dask = need("dask")
    array = need("dask.array").from_array(data, chunks=(16, 40, 56)) + 1
    with dask.config.set(scheduler=scheduler):
        ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(array))
    np.testing.assert_array_equal(np.asarray(ngff.from_ngff_zarr(tmp_path / "a.zarr").images[0].data),
                                  data + 1)


def test_dask_blocks_are_asked_for_together(tmp_path, pyramid, data):
    """Far fewer calls of the scheduler than blocks, and each block computed once."""
    dask, array = need("dask"), need("dask.array")
    computed, calls, lock = [], [], threading.Lock()

    def count(block, block_info=None):
        with lock:
            computed.append(block_info[0]["chunk-location"])
        return block

    def get(graph, keys, **options):
        calls.append(len(keys))
        return dask.threaded.get(graph, keys, **options)

    source = array.from_array(data, chunks=(8, 8, 8)).map_blocks(count, dtype=data.dtype)
    with dask.config.set(scheduler=get):
        ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(source))
    blocks = 6 * 10 * 14
    assert len(computed) == len(set(computed)) == blocks
    assert sum(calls) == blocks and len(calls) <= blocks // 8


def test_two_engine_threads_share_what_is_read(data):
    """Whoever needs a chunk that another thread reads waits for that one."""
    source = Counted(data, (48, 80, 112))
    reader, failures = Reader(source, 1 << 30, 2), []
    boxes = list(boxes_of(data.shape, (16, 16, 112), 1))
    reader.expect(boxes)

    def work(part):
        try:
            for start, shape in part:
                memory = bytearray(int(np.prod(shape)) * 2)
                reader(start, shape, memory)
                got = np.frombuffer(memory, "u2").reshape(shape)
                np.testing.assert_array_equal(
                    got, data[tuple(slice(s, s + n) for s, n in zip(start, shape))])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(boxes[n::4],)) for n in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not failures and set(source.asked.values()) == {1}
    assert reader.held == 0
    reader.close()


@pytest.mark.parametrize("shape,chunks,shards,method", [
    ((48, 80, 112), 16, None, "itkwasm_gaussian"), ((48, 80, 112), 16, None, "dask_image_nearest"),
    ((50, 81, 40), 8, 2, "itkwasm_gaussian"), ((130, 300), 32, None, "itkwasm_bin_shrink"),
    ((33, 7, 90), 16, (1, 1, 3), "itkwasm_label_image"), ((5, 5), 64, None, "itkwasm_gaussian")])
def test_the_list_is_what_the_engine_asks_for(monkeypatch, shape, chunks, shards, method):
    """One thread: the same regions in the same order. `ngff_write_reads` in C."""
    from ngff import _core
    from ngff._config import context
    from ngff._write import Job

    monkeypatch.setattr(ngff.config, "threads", 1)
    data = np.arange(np.prod(shape), dtype="u2").reshape(shape)
    job = Job({}, ngff.to_multiscales(data, [2, 4], method, chunks), "0.5", shards, {})
    asked = []

    def read(start, shape, memory):
        asked.append((start, shape))
        part = data[tuple(slice(s, s + n) for s, n in zip(start, shape))]
        np.frombuffer(memory, "u2").reshape(shape)[...] = part

    plan, values = job.plan(), {}
    source = _core.callback_source(context(), read, job.description, (0,) * len(shape), True)
    listed = _core.write_reads(context(), plan, source, job.options, 1 << 20)
    assert not asked and _core.write_reads(context(), plan, source, job.options, 0) is None
    _core.write(context(), ngff._stores.open_for_writing(values, True), plan, source, job.options,
                None, None)
    assert listed == asked
    np.testing.assert_array_equal(np.asarray(ngff.from_ngff_zarr(values).images[0].data), data)


def tree(root):
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.mark.parametrize("method", ["itkwasm_gaussian", "itkwasm_bin_shrink", "dask_image_nearest"])
@pytest.mark.parametrize("shards", [None, 2])
def test_whole_trees_do_not_depend_on_memory(tmp_path, monkeypatch, pyramid, data, method, shards):
    """Foreign data lets a job be lean: other blocks, in another order, by way of the file."""
    trees = []
    for n, (source, memory) in enumerate([(data, 1 << 30), (Counted(data, (16, 16, 16)), 1 << 30),
                                          (Counted(data, (16, 16, 16)), 24 << 20),
                                          (Counted(data, (1, 80, 112)), 1 << 30)]):
        monkeypatch.setattr(ngff.config, "memory_target", memory)
        path = tmp_path / f"{n}.zarr"
        ngff.to_ngff_zarr(path, pyramid(source, method=method, chunks=16), version="0.5",
                          chunks_per_shard=shards)
        trees.append(tree(path))
    assert len(trees[0]) > 20 and all(other == trees[0] for other in trees[1:])


def test_the_memory_target_is_a_bound_not_a_goal(monkeypatch):
    """The plan for somebody else's chunks of half a gigabyte."""
    from ngff import _core
    from ngff._config import context
    from ngff._source import Source
    from ngff._write import Job

    monkeypatch.setattr(ngff.config, "memory_target", 8 << 30)
    monkeypatch.setattr(ngff.config, "threads", 2)
    array = need("dask.array").zeros((256, 1024, 1024), dtype="u2", chunks=64)
    for method, most in (("itkwasm_bin_shrink", 6), ("itkwasm_gaussian", 16)):
        pyramid = ngff.to_multiscales(ngff.to_ngff_image(array, dims=("z", "y", "x")), [2, 4, 8], method, 64)
        job = Job({}, pyramid, "0.5", None, {"compressors": [{"name": "blosc", "configuration": {
            "cname": "lz4", "clevel": 1, "shuffle": "shuffle", "typesize": 2, "blocksize": 0}}]})
        source, plan = Source(job.data, job.description), job.plan()
        options = source.expect(plan, job.options)
        assert _core.write_plan(context(), plan, source.native, options)["peak"] <= most << 20
        assert source.reader.limit >= 7 << 30
        source.close()
