"""Blocks of a Dask array through whatever scheduler is in charge, many in one call. What blocks of
different calls are made of (a loaded file, a block that its neighbours look into) is computed once and
kept until the last of them is made, as long as there is room."""

import os
import sys
import threading

import numpy as np


def _scheduler(data):
    """The function that computes graphs, the one for a single block, how many tasks the first should be
    given at least, and whether it may compute elsewhere."""
    import dask
    import dask.local
    import dask.threaded

    if dask.config.get("scheduler", None) or "distributed" in sys.modules:
        get = dask.base.get_scheduler(collections=[data])
        return get, get, 4 * (os.cpu_count() or 1), True
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 4
    # What get_scheduler ends with, without importing distributed.
    get = one = data.__dask_scheduler__
    if get is dask.threaded.get and not any(dask.config.get(name, None) for name in ("pool", "num_workers")):
        one = dask.local.get_sync  # the caller is a thread of several: a pool for each would only be memory
    return get, one, cores, False


def _bytes_of(value):
    return int(getattr(value, "nbytes", 0) or sys.getsizeof(value))


class DaskBlocks:
    """`many` may be called by several threads at once. `limit`: bytes that may be kept."""

    def __init__(self, data, limit=0):
        import dask
        from dask._task_spec import DataNode, convert_legacy_graph

        (data,) = dask.optimize(data)
        self.name, self.graph = data.name, convert_legacy_graph(dict(data.__dask_graph__()))
        self.get, self.get_one, self.width, self.remote = _scheduler(data)
        self.node, self.limit, self.bytes = DataNode, limit, 0
        self.state = threading.Condition()
        self.kept, self.flying, self.made = {}, set(), set()
        self.stopped = False
        self._find_shared()

    def _find_shared(self):
        """Tasks that several others need, or that are both a block and needed by others."""
        users = {}
        for key, task in self.graph.items():
            for other in task.dependencies:
                users.setdefault(other, []).append(key)
        self.users = {key: by for key, by in users.items()
                      if (len(by) > 1 or self._is_block(key))
                      and key in self.graph and not isinstance(self.graph[key], self.node)}
        self.left = {key: len(by) for key, by in self.users.items()}

    def _is_block(self, key):
        return isinstance(key, tuple) and key[0] == self.name

    # ---- one call -------------------------------------------------------------------------------

    def many(self, boxes, indices):
        keys = [(self.name, *index) for index in indices]
        part, shared = self._claim(keys)
        values = None
        try:
            get = self.get if len(keys) > 1 else self.get_one
            values = get(part, [*keys, *shared])
        finally:
            self._settle(part, shared, values and values[len(keys):])
        return [np.asarray(block) for block in values[: len(keys)]]

    def _claim(self, keys):
        """The tasks that `keys` need, and which of them others will need later. Waits for what another
        thread computes at the moment."""
        with self.state:
            while True:
                part = self._part(keys)
                if self.stopped:
                    raise RuntimeError("reading was stopped")
                if not any(key in self.flying for key in part):
                    break
                self.state.wait()
            # A set: what waits for one of them waits for all.
            claimed = [key for key in part if key in self.users and key not in self.kept]
            self.flying.update(claimed)
            return part, [key for key in claimed if any(
                user not in part and user not in self.made for user in self.users[key])]

    def _part(self, keys):
        part, waiting = {}, list(keys)
        while waiting:
            key = waiting.pop()
            if key in part or key not in self.graph:
                continue
            if key in self.kept:
                part[key] = self.node(key, self.kept[key])
                continue
            part[key] = self.graph[key]
            waiting.extend(part[key].dependencies)
        return part

    def _settle(self, part, shared, values):
        with self.state:
            self.flying.difference_update(part)
            if values is not None:
                self._count(part)
                for key, value in zip(shared, values):
                    self._keep(key, value)
            self.state.notify_all()

    def _count(self, part):
        """Notes what was computed for the first time; forgets what nobody needs any more."""
        for key, task in part.items():
            needs = [other for other in task.dependencies if other in self.users]
            if not needs or key in self.made:
                continue
            self.made.add(key)
            for other in needs:
                self.left[other] -= 1
                if self.left[other] == 0 and other in self.kept:
                    self.bytes -= _bytes_of(self.kept.pop(other))

    def _keep(self, key, value):
        if self.left[key] == 0 or key in self.kept or self.bytes + _bytes_of(value) > self.limit:
            return
        if isinstance(value, np.ndarray) and value.base is not None:
            value = value.copy()  # a piece would keep the whole alive
        self.kept[key] = value
        self.bytes += _bytes_of(value)

    def stop(self):
        with self.state:
            self.stopped = True
            self.state.notify_all()

    def close(self):
        self.kept.clear()
        self.bytes = 0
