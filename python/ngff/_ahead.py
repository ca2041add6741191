"""Foreign lazy arrays as sources: read ahead of the engine by several threads, each chunk of theirs
computed once.

The plan says beforehand which regions the engine will read and in which order. So it is known which
chunk is needed next, and when a chunk, or all but its rim, may be forgotten."""

import itertools
import threading
import time
from bisect import bisect_left, bisect_right

import numpy as np

from ._lazy import LazyArray, chunk_shape

# More regions than this are not listed: reading ahead ends there, chunks are kept by age.
MOST_BOXES = 200_000
# Bytes of chunks that are read in one go, unless the scheduler needs more to be busy; twice as much is
# read before the engine asks.
BATCH_BYTES = 1 << 20
# Chunks that the threads of this process compute faster than this (seconds a byte) are not read ahead: the
# engine's threads, each with a chunk of its own, are busy enough, and what waits is memory.
SLOW = 0.04 / (1 << 20)


def edges_of(data):
    """Where the chunks of each axis begin, and the end of the last one; None when it has no chunks."""
    chunks, shape, edges = getattr(data, "chunks", None), chunk_shape(data), []
    if not any(shape):
        return None
    for axis, n in enumerate(data.shape):
        if shape[axis] and isinstance(chunks[axis], (tuple, list)):
            edges.append([0, *itertools.accumulate(int(c) for c in chunks[axis])])
        else:
            step = shape[axis] or max(n, 1)
            edges.append([*range(0, n, step), n])
    return edges


class Slices:
    """Chunks of anything that can be indexed, a few at once."""

    def __init__(self, data, threads):
        self.data, self.threads, self.pool, self.stopped = data, threads, None, False
        self.width, self.limit, self.bytes = 1, 0, 0  # nothing is kept
        self.remote = True  # a file, a network: who asks waits

    def one(self, box):
        if self.stopped:
            raise RuntimeError("reading was stopped")
        return np.asarray(self.data[tuple(slice(s, s + n) for s, n in zip(*box))])

    def many(self, boxes, indices):
        if len(boxes) < 2 or self.threads < 2:
            return [self.one(box) for box in boxes]
        if self.pool is None:
            from concurrent.futures import ThreadPoolExecutor

            self.pool = ThreadPoolExecutor(self.threads, "ngff-ahead")
        return list(self.pool.map(self.one, boxes))

    def stop(self):
        self.stopped = True

    def close(self):
        if self.pool is not None:
            self.pool.shutdown()


def _fetcher(data, threads):
    if hasattr(data, "__dask_graph__") and not isinstance(data, LazyArray):
        try:
            from ._dask import DaskBlocks

            return DaskBlocks(data)
        except (ImportError, AttributeError):  # a Dask whose inner parts differ: ask it by slices
            pass
    return Slices(data, threads)


class Entry:
    """One chunk: pending (`whole` None), whole, or the parts that later regions need."""

    __slots__ = ("index", "box", "whole", "parts", "nbytes", "error")

    def __init__(self, index, box, nbytes):
        self.index, self.box, self.nbytes = index, box, nbytes
        self.whole = self.parts = self.error = None

    @property
    def pending(self):
        return self.whole is None and self.parts is None and self.error is None


def _common(a, b):
    """Start and shape of what two boxes share."""
    start = tuple(map(max, a[0], b[0]))
    return start, tuple(min(s + n, t + m) - f for s, n, t, m, f in zip(*a, *b, start))


def _within(box, origin):
    return tuple(slice(s - o, s - o + n) for s, n, o in zip(*box, origin))


def _size(shape):
    out = 1
    for n in shape:
        out *= n
    return out


class Reader:
    """`reader(start, shape, memory)` for the C half; called by several threads at once. Holds at most
    about `limit` bytes besides what the calls in progress need."""

    def __init__(self, data, limit, threads):
        self.dtype = np.dtype(data.dtype).newbyteorder("=")
        self.edges, self.threads = edges_of(data), threads
        self.fetcher = _fetcher(data, threads) if self.edges else Slices(data, 1)
        self.bound(limit)
        self.state = threading.Condition()
        self.entries, self.held, self.workers = {}, 0, []
        self.boxes, self.numbers, self.uses, self.last_whole = [], {}, {}, {}
        self.front = self.ahead = 0  # regions asked for, regions that are read or being read
        self.read_seconds = self.read_bytes = 0
        self.early, self.waiting = {}, 0  # bytes read for regions that were not asked for yet
        chunk = _size(n or m for n, m in zip(chunk_shape(data), data.shape)) * self.dtype.itemsize
        self.batch = max(BATCH_BYTES, self.fetcher.width * chunk if self.edges else 0)
        self.closed = False

    def bound(self, limit):
        """Sets what may be held; half of it may be what Dask's tasks share."""
        self.limit, self.fetcher.limit = limit, limit // 2

    def _room(self):
        return self.limit - self.fetcher.bytes

    # ---- the list of regions --------------------------------------------------------------------

    def expect(self, boxes):
        """The regions that will be asked for, in order; starts reading."""
        self.boxes = boxes
        self.numbers = {box: n for n, box in enumerate(boxes)}
        for n, box in enumerate(boxes):
            for index in self._touched(box):
                self.uses.setdefault(index, []).append(n)
        for index, numbers in self.uses.items():
            self.last_whole[index] = self._last_whole(index, numbers)
        if self.fetcher.remote:
            self._start()

    def _start(self):
        """Begins to read ahead; a call of a scheduler keeps several cores busy by itself."""
        count = min(self.threads, 1 if self.fetcher.width > 1 else self.threads) if self.boxes else 0
        for n in range(count):
            worker = threading.Thread(target=self._read_ahead, name=f"ngff-ahead-{n}", daemon=True)
            worker.start()
            self.workers.append(worker)

    def _judge(self, seconds, entries):
        """With the lock held, after something was read: starts reading ahead where it is slow."""
        self.read_seconds += seconds
        self.read_bytes += sum(entry.nbytes for entry in entries)
        if not self.workers and not self.closed and self.read_seconds > SLOW * self.read_bytes:
            self._start()

    def _touched(self, box):
        """Indices of the chunks under a region; the region itself where there are no chunks."""
        if self.edges is None:
            return [box]
        spans = [range(bisect_right(edges, s) - 1, bisect_left(edges, s + n))
                 for edges, s, n in zip(self.edges, *box)]
        return itertools.product(*spans)

    def _box(self, index):
        if self.edges is None:
            return index
        start = tuple(edges[i] for edges, i in zip(self.edges, index))
        return start, tuple(edges[i + 1] - s for edges, i, s in zip(self.edges, index, start))

    def _nbytes(self, index):
        return _size(self._box(index)[1]) * self.dtype.itemsize

    def _last_whole(self, index, numbers):
        """The last region that needs much of a chunk; those after it need parts, which are kept
        instead. -1: none."""
        box, rest = self._box(index), 0
        for n in reversed(numbers):
            rest += _size(_common(box, self.boxes[n])[1])
            if rest * 2 > _size(box[1]):
                return n
        return -1

    # ---- reading --------------------------------------------------------------------------------

    def __call__(self, start, shape, memory):
        box = start, shape
        number = self.numbers.get(box)
        with self.state:
            if number is not None:
                self.front = max(self.front, number + 1)
                self.ahead = max(self.ahead, self.front)
                self.waiting -= self.early.pop(number, 0)
                self.state.notify_all()
        out = np.frombuffer(memory, self.dtype).reshape(shape)
        try:
            for batch in self._batches(box):
                for origin, pixels in self._obtain(batch, number):
                    both = _common(box, (origin, pixels.shape))
                    out[_within(both, start)] = pixels[_within(both, origin)]
                self._release(batch, number)
        finally:
            del out  # the memory is the engine's again when this returns

    def _batches(self, box):
        """The chunks under a region, in lists of which one fits beside those of other threads."""
        batch, size = [], 0
        for index in self._touched(box):
            nbytes = self._nbytes(index)
            if batch and size + nbytes > self.limit // 4:
                yield batch
                batch, size = [], 0
            batch.append(index)
            size += nbytes
        if batch:
            yield batch

    def _obtain(self, indices, number):
        """[(start, pixels)] of some chunks; those that are missing are read in one go."""
        with self.state:
            mine = self._claim([index for index in indices if self._missing(index, number)])
            wanted = [self.entries[index] for index in indices]
        if mine:
            self._fetch(mine)
        with self.state:
            while any(entry.pending for entry in wanted):
                if self.closed:
                    raise RuntimeError("reading was stopped")
                self.state.wait()
            for entry in wanted:
                if entry.error is not None:
                    raise entry.error
            return [(entry.box[0], entry.whole) if entry.whole is not None else entry.parts[number]
                    for entry in wanted]

    def _missing(self, index, number):
        entry = self.entries.get(index)
        return entry is None or (entry.parts is not None and number not in entry.parts)

    def _claim(self, indices):
        """Entries for chunks that the caller is going to fetch."""
        mine = []
        for index in indices:
            old = self.entries.get(index)
            self.held -= old.nbytes if old is not None else 0
            entry = self.entries[index] = Entry(index, self._box(index), self._nbytes(index))
            self.held += entry.nbytes
            mine.append(entry)
        return mine

    def _fetch(self, entries):
        error, blocks, begun = None, [None] * len(entries), time.perf_counter()
        try:
            blocks = self.fetcher.many([entry.box for entry in entries],
                                       [entry.index for entry in entries])
            for entry, block in zip(entries, blocks):
                if block.shape != tuple(entry.box[1]):
                    raise ValueError(f"the data answered a region of another shape: {block.shape} "
                                     f"for {entry.box}")
        except BaseException as failure:
            error = failure
        with self.state:
            self._judge(time.perf_counter() - begun, entries)
            for entry, block in zip(entries, blocks):
                entry.whole, entry.error = (block, None) if error is None else (None, error)
                if error is not None:
                    self.entries.pop(entry.index, None)
                    self.held -= entry.nbytes
            self.state.notify_all()

    def _read_ahead(self):
        while True:
            with self.state:
                mine = self._next()
                while not mine and not self.closed:
                    self.state.wait()
                    mine = self._next()
                if self.closed:
                    return
            self._fetch(mine)  # a failure is met by the engine when it asks

    def _next(self):
        """Claims what is missing for the next regions, as much as is read in one go; nothing when
        enough waits already."""
        mine, size = [], 0
        while self.ahead < len(self.boxes) and not self.closed:
            number = self.ahead
            missing = [i for i in self._touched(self.boxes[number]) if self._missing(i, number)]
            more = sum(map(self._nbytes, missing))
            if missing and (self.held + more > self._room() or (mine and size + more > self.batch)
                            or (self.waiting and self.waiting + more > self.batch)):
                break
            self.early[number] = more
            self.waiting += more
            size += more
            mine += self._claim(missing)
            self.ahead += 1
        return mine

    # ---- forgetting -----------------------------------------------------------------------------

    def _release(self, indices, number):
        with self.state:
            for index in indices:
                entry, uses = self.entries.get(index), self.uses.get(index, ())
                if number is not None and number in uses:
                    uses.remove(number)
                if entry is None or entry.pending:
                    continue
                if number is None and self.edges:
                    self.entries[index] = self.entries.pop(index)  # the youngest
                elif not uses:
                    self._drop(entry)
                else:
                    self._trim(entry, uses, number)
            if self.held > self._room():
                self._shrink()
            self.state.notify_all()

    def _drop(self, entry):
        del self.entries[entry.index]
        self.held -= entry.nbytes

    def _trim(self, entry, uses, number):
        """Keeps only what later regions need, where that is much less than the chunk."""
        if entry.parts is not None:
            if number in entry.parts:
                size = entry.parts.pop(number)[1].nbytes
                entry.nbytes -= size
                self.held -= size
            return
        if self.last_whole[entry.index] in uses:
            return
        needs = {n: _common(entry.box, self.boxes[n]) for n in uses}
        size = sum(_size(need[1]) for need in needs.values()) * self.dtype.itemsize
        entry.parts = {n: (need[0], entry.whole[_within(need, entry.box[0])].copy())
                       for n, need in needs.items()}
        self.held += size - entry.nbytes
        entry.whole, entry.nbytes = None, size

    def _shrink(self):
        """Over the limit: forgets what is needed last; it will be computed again."""
        def next_use(entry):
            return (self.uses.get(entry.index) or (len(self.boxes),))[0]

        ready = [entry for entry in self.entries.values() if not entry.pending]
        if self.boxes:
            ready.sort(key=next_use, reverse=True)
        for entry in ready:
            if self.held <= self._room() or (self.boxes and next_use(entry) < self.front):
                return
            self._drop(entry)

    def stop(self):
        """Nothing more is read; who waits ends with an error."""
        with self.state:
            self.closed = True
            self.state.notify_all()
        self.fetcher.stop()

    def close(self):
        self.stop()
        for worker in self.workers:
            worker.join()
        self.fetcher.close()
        self.entries.clear()
