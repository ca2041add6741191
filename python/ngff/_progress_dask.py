"""The progress that is a callback of Dask, too."""

from ._progress import NgffProgress

try:
    from dask.callbacks import Callback
except ImportError:

    class Callback:
        """Without Dask nothing is computed by it: entered and left, and no more."""

        def __init__(self, *functions):
            return None

        def __enter__(self):
            return self

        def __exit__(self, *args):
            return None

        def register(self):
            return None

        def unregister(self):
            return None


class NgffProgressCallback(Callback, NgffProgress):
    """Shows a bar of bytes beside the bar of levels while `to_ngff_zarr` writes. As a callback of Dask
    (a context manager, or registered) it moves the bar that was added last by `add_callback_task` with
    the tasks of each computation, and hides it afterwards; graphs are left as they are."""

    def __init__(self, rich_progress):
        Callback.__init__(self)
        NgffProgress.__init__(self, rich_progress)
        self.tasks = {}
        self.hide_after_finished = set()
        self.next_task = None
        self._bars = {}

    def add_callback_task(self, description):
        self.next_task = description
        self.tasks[description] = self.rich.add_task(description)
        self.hide_after_finished.add(description)

    # ---- called by Dask; several computations may run at once -------------------------------------

    def _start_state(self, dsk, state):
        if self.next_task in self.tasks:
            self._bars[id(state)] = self.next_task

    def _pretask(self, key, dsk, state):
        self._show(state)

    def _finish(self, dsk, state, errored):
        if not errored:
            self._show(state)
        bar = self._bars.pop(id(state), None)
        if bar in self.hide_after_finished and not errored:
            self.rich.update(self.tasks[bar], visible=False)

    def _show(self, state):
        bar = self._bars.get(id(state))
        if bar is not None:
            done = len(state["finished"])
            total = done + sum(len(state[name]) for name in ("ready", "waiting", "running"))
            self.rich.update(self.tasks[bar], total=total, completed=done)
