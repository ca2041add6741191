"""The preloaded library of shim/shim.c: building it, asking it to act, reading what it recorded."""

import dataclasses
import errno
import functools
import os
import pathlib
import shutil
import subprocess
import tempfile

from harness import NGFF, ROOT, missing

CLASSES = ("create", "write", "flush", "rename", "unlink")
SOURCE = pathlib.Path(__file__).parent / "shim" / "shim.c"


@functools.lru_cache(maxsize=None)
def library():
    """The built library; built once a session."""
    compiler = os.environ.get("CC") or shutil.which("cc")
    if not compiler:
        missing("no C compiler to build tests/interop/shim")
    out = pathlib.Path(tempfile.mkdtemp(prefix="ngff-shim-")) / "shim.so"
    done = subprocess.run([compiler, "-std=gnu17", "-O1", "-Wall", "-Wextra", "-Werror", "-shared",
                           "-fPIC", "-o", str(out), str(SOURCE), "-ldl"],
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return out


def environment(root, log=None, act=None, at=0, what="all", old_system=False):
    """Variables for a run of which the calls below `root` are seen. `act`: kill, kill-after, stop,
    or the name of an errno (ENOSPC; with a + behind it: from that call on)."""
    full = dict(os.environ)
    # The library stands before the sanitizer's run-time, and knows it.
    full["ASAN_OPTIONS"] = "verify_asan_link_order=0:detect_leaks=1:abort_on_error=0:exitcode=99"
    full["UBSAN_OPTIONS"] = "print_stacktrace=1:halt_on_error=1:exitcode=98"
    full["LD_PRELOAD"] = str(library())
    full["NGFF_SHIM_ROOT"] = str(root)
    if log:
        full["NGFF_SHIM_LOG"] = str(log)
    if act:
        name = act.rstrip("+")
        if name in errno.errorcode.values():
            act = f"fail{act[len(name):]}:{getattr(errno, name)}"
        full.update(NGFF_SHIM_ACT=act, NGFF_SHIM_AT=str(at), NGFF_SHIM_CLASS=what)
    if old_system:
        full["NGFF_SHIM_OLD"] = "1"
    return full


@dataclasses.dataclass
class Call:
    """One recorded call that changed something."""
    op: str
    path: str
    other: str
    offset: int
    data: bytes

    @property
    def kind(self):
        return {"create": "create", "mkdir": "create", "write": "write", "truncate": "write",
                "rename": "rename", "exchange": "rename", "link": "rename", "unlink": "unlink",
                "rmdir": "unlink"}.get(self.op, "flush")


def read_log(path):
    raw = pathlib.Path(path).read_bytes()
    calls, at = [], 0
    while at < len(raw):
        end = raw.index(b"\n", at)
        op, name, other, offset, size = raw[at:end].decode().split("\t")
        at = end + 1
        data = raw[at:at + int(size)]
        at += int(size) + (1 if int(size) else 0)
        calls.append(Call(op, name, other, int(offset), data))
    return calls


def record(root, log, *args, old_system=False, program=NGFF, data=b""):
    """Runs the command line to success (`data`: on its standard input) and answers its calls in their order."""
    done = subprocess.run([str(program), *map(str, args)], capture_output=True, check=False, timeout=120,
                          input=data, env=environment(root, log=log, old_system=old_system))
    assert done.returncode == 0, done.stderr.decode()
    return read_log(log)
