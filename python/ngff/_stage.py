"""A hidden directory beside a destination for what is put together before it appears there."""

import os
import shutil
import tempfile


def hold(path, wait=False):
    """A lock on a directory, to be closed with os.close; None where there are no such locks, or when another
    process has it and there is no waiting."""
    handle = None
    try:
        import fcntl

        handle = os.open(path, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        return handle
    except (ImportError, OSError):
        if handle is not None:
            os.close(handle)
        return None


def lasting_stage(destination):
    """A hidden directory beside a destination that outlives this process, and that nobody sweeps."""
    return tempfile.mkdtemp(prefix=".ngff-stage-", dir=os.path.dirname(os.path.abspath(destination)))


class Stage:
    """`with Stage(destination) as directory`: removed at the end; in the temporary directory for a
    destination that is no path. It is locked meanwhile, so that what a
    process that was killed left behind can be told, and is removed by the next one."""

    def __init__(self, destination):
        parent, name = os.path.split(os.path.abspath(destination)) if destination else (None, "")
        self.prefix, self.handle = f".ngff-stage-{name[:100]}-", None
        if parent is not None:
            self._sweep(parent)
        while True:
            self.path = tempfile.mkdtemp(prefix=self.prefix, dir=parent)
            self.handle = hold(self.path)
            if os.path.isdir(self.path):
                return
            self.close()  # swept by another process before it was locked

    def _sweep(self, parent):
        for name in os.listdir(parent):
            if name.startswith(self.prefix):
                path = os.path.join(parent, name)
                handle = hold(path)
                if handle is not None:
                    shutil.rmtree(path, ignore_errors=True)
                    os.close(handle)

    def close(self):
        shutil.rmtree(self.path, ignore_errors=True)
        if self.handle is not None:
            os.close(self.handle)
            self.handle = None

    def __enter__(self):
        return self.path

    def __exit__(self, kind, error, trace):
        self.close()
