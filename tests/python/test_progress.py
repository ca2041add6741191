"""The progress that is a callback of Dask."""

import subprocess
import sys

import numpy as np
import pytest

import ngff
from conftest import need


class Bars:
    """What rich's Progress is asked for."""

    def __init__(self):
        self.told = []

    def add_task(self, description, total=None):
        return description

    def update(self, task, **fields):
        self.told.append((task, fields))

    def of(self, task, name):
        return [fields[name] for other, fields in self.told if other == task and name in fields]


def graph():
    return need("dask.array").ones((8, 8), chunks=2) + 1


@pytest.mark.parametrize("scheduler", ["sync", "threads"])
def test_tasks_move_the_bar(scheduler):
    bars = Bars()
    callback = ngff.NgffProgressCallback(bars)
    assert isinstance(callback, need("dask.callbacks").Callback)
    with callback:
        graph().sum().compute(scheduler=scheduler)  # no bar was asked for
        assert not bars.told
        callback.add_callback_task("first")
        graph().compute(scheduler=scheduler)
    done = bars.of("first", "completed")
    assert done and done == sorted(done) and done[-1] == bars.of("first", "total")[-1] > 1
    assert bars.of("first", "visible") == [False] and not callback._bars
    before = len(bars.told)
    graph().compute(scheduler=scheduler)  # left
    assert len(bars.told) == before


def test_registered_and_failing():
    dask, bars = need("dask"), Bars()
    callback = ngff.NgffProgressCallback(bars)
    callback.add_callback_task("first")
    callback.register()
    try:
        with pytest.raises(ZeroDivisionError):
            dask.delayed(lambda: 1 // 0)().compute(scheduler="sync")
    finally:
        callback.unregister()
    assert not bars.of("first", "visible") and not callback._bars


def test_a_write_moves_its_bar_by_bytes(tmp_path, pyramid):
    """Not by the tasks of the scheduler that computes its chunks, which have the same callback."""
    data = np.arange(40 * 64 * 96, dtype="u2").reshape(40, 64, 96)
    array, bars = need("dask.array").from_array(data, chunks=16) + 0, Bars()
    callback = ngff.NgffProgressCallback(bars)
    with callback:
        ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(array), progress=callback)
    pixels = next(name for name in callback.tasks if "pixels" in name)
    totals = bars.of(pixels, "total")
    assert totals and set(totals) == {totals[0]} and totals[0] > data.nbytes
    done = bars.of(pixels, "completed")
    assert done == sorted(done) and done[-1] == totals[0]


def test_without_dask():
    code = ("import sys; sys.modules['dask'] = None; import ngff\n"
            "class Bars:\n    def add_task(self, text, total=None): return 0\n"
            "with ngff.NgffProgressCallback(Bars()) as callback: callback.add_callback_task('a')\n"
            "assert callback.next_task == 'a'")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
