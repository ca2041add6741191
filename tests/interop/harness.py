"""The command line under test, the places around it, and what a missing piece means.

In continuous integration (CI=true) a missing peer or a missing reference folder is a failure; on a
developer's machine the test is skipped and the reason printed."""

import json
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
IN_CI = os.environ.get("CI") == "true"
NGFF = pathlib.Path(os.environ.get("NGFF", ROOT / "build" / "asan" / "bin" / "ngff"))
# The same without sanitizers.
PLAIN = pathlib.Path(os.environ.get("NGFF_PLAIN", ROOT / "build" / "release" / "bin" / "ngff"))
SHARED = pathlib.Path(os.environ.get("NGFF_SHARED", ROOT.parent / "shared"))
PEERS_NODE = ROOT / "build" / "peers-node"

# Exit codes of the command line.
USAGE, INPUT, FINDINGS, EXISTS, OUTPUT, LIMIT = 2, 3, 4, 5, 6, 7


def missing(what):
    """Something this test needs is not here."""
    if IN_CI:
        pytest.fail(f"{what} (required when CI=true)", pytrace=False)
    pytest.skip(what)


def need_cli():
    if not os.access(NGFF, os.X_OK):
        pytest.fail(f"no command line at {NGFF}; build it or set NGFF", pytrace=False)


def plain_or_not():
    """For tests of very many runs: the program without sanitizers, where it is built."""
    return PLAIN if os.access(PLAIN, os.X_OK) else NGFF


def need_shared(*parts):
    path = SHARED.joinpath(*parts)
    if not path.exists():
        missing(f"reference folder without {path.name}: looked in ../shared")
    return path


class Result:
    """What one run of the command line gave."""

    def __init__(self, args, done):
        self.args = [str(a) for a in args]
        self.code = done.returncode
        self.out = done.stdout.decode("utf-8", "replace")
        self.err = done.stderr.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.out)

    def __str__(self):
        return f"ngff {' '.join(self.args)}\nexit {self.code}\n{self.out}{self.err}"


def smallest_budget(*args):
    """The budget that the refusal of a far too small one names."""
    refused = run_ngff(*args, "--memory-target", "1K", expect=LIMIT)
    found = re.search(r"smallest\D*(\d+) bytes", refused.err)
    assert found, f"the refusal does not name the smallest budget\n{refused}"
    return found.group(1)


def run_ngff(*args, expect=0, env=None, cwd=None, timeout=120):
    """Runs the command line; `expect` is the exit code it must have (None: any)."""
    full = dict(os.environ)
    full.setdefault("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0:exitcode=99")
    full.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1:exitcode=98")
    full.update(env or {})
    done = subprocess.run([str(NGFF), *map(str, args)], capture_output=True, env=full, cwd=cwd,
                          timeout=timeout, check=False)
    result = Result(args, done)
    if expect is not None and result.code != expect:
        raise AssertionError(f"expected exit {expect}, got {result}")
    return result
