"""What a failed conversion leaves behind: a message with the path and the reason, exit code 6, and the
destination as it was.

The real program in every form of output: out of space on a real small file system, and with every
single call it makes below the output's folder made to fail, one after the other (shim/shim.c). Killing
is in test_kill.py, power loss in test_power.py, two writers in test_writers.py."""

import collections
import itertools
import os
import subprocess

import pytest

from forms import ALL, FORMS, MOST
from harness import OUTPUT, run_ngff
import shim

SITUATIONS = pytest.mark.parametrize("overwrite", (False, True), ids=("new", "overwrite"))


def lay_out(pair, folder, overwrite):
    folder.mkdir(exist_ok=True)
    if overwrite:
        pair.lay_out_old(folder)


def check_refusal(pair, folder, code, err):
    """Exit 6, and one line with the place and the reason."""
    assert code == OUTPUT, f"exit {code}: {err}"
    lines = err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("ngff: "), err
    assert str(folder) in err and ("EIO" in err or "ENOSPC" in err or "space" in err), err


# ---- no space -----------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """Mounts a file system of a given size, where that is allowed (root); unmounted at the end."""
    mounted = []

    def mount(size):
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)],
                              capture_output=True, check=False)
        if done.returncode != 0:
            pytest.xfail("mounting a small file system is not allowed here: not tested")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=False)


@SITUATIONS
@pytest.mark.parametrize("name", ALL)
def test_no_space(pairs, small_disk, name, overwrite):
    pair = pairs(name)
    for part in (0.3, 0.6, 0.95):
        # Of the new output; an old one has its pages besides.
        disk = small_disk(int(part * pair.size()) + (pair.old_pages() if overwrite else 0))
        lay_out(pair, disk, overwrite)
        check_refusal(pair, disk, *pair.run(disk, *(["--overwrite"] if overwrite else [])))
        assert pair.judge(pair.form.trees(disk)) == ("old" if overwrite else "absent")
        assert pair.form.leftovers(disk) == []


@SITUATIONS
@pytest.mark.parametrize("name", FORMS)
def test_no_space_from_some_call_on(small_pairs, place, name, overwrite):
    """The same without a file system: from the n-th call on nothing can be made or written."""
    pair = small_pairs(name)
    for what, at in itertools.product(("create", "write"), (1, 2, 4, 8, 12, 16)):
        folder = place / f"{what}{at}"
        lay_out(pair, folder, overwrite)
        code, err = pair.run(folder, *(["--overwrite"] if overwrite else []), act="ENOSPC+", at=at,
                             what=what, log=place / "log")
        if "failed" in {call.op for call in shim.read_log(place / "log")}:
            check_refusal(pair, folder, code, err)
            assert pair.judge(pair.form.trees(folder)) == ("old" if overwrite else "absent")
            assert pair.form.leftovers(folder) == []
        (place / "log").unlink()


# ---- calls that fail ----------------------------------------------------------------------------


def fail_one(pair, folder, overwrite, at, log):
    """Fails the n-th call; None when there is none, else its class and what came of it."""
    lay_out(pair, folder, overwrite)
    # One thread: the n-th call is the same one in every run, and none is left out.
    code, err = pair.run(folder, *(["--overwrite"] if overwrite else []), threads=1,
                         act="EIO" if at % 2 else "ENOSPC", at=at, log=log)
    failed = [call.path for call in shim.read_log(log) if call.op == "failed"]
    log.unlink()
    found = pair.judge(pair.form.trees(folder))
    if not failed:
        assert code == 0 and found == "new", err
        return None
    if code == 0:
        assert found == "new", f"{failed}: success without the new output"
        return failed[0], "no harm"
    check_refusal(pair, folder, code, err)
    # What fails after the publishing rename cannot be taken back, and says so.
    if found == "new":
        assert "written, but" in err, err
        return failed[0], "written"
    assert found == ("old" if overwrite else "absent")
    return failed[0], "refused"


@SITUATIONS
@pytest.mark.parametrize("name", MOST)
def test_every_call_fails(small_pairs, report, place, name, overwrite):
    pair = small_pairs(name)
    outcomes = collections.Counter()
    for at in itertools.count(1):
        folder = place / str(at)
        result = fail_one(pair, folder, overwrite, at, place / "log")
        if result is None:
            break
        outcomes[result] += 1
        left = pair.form.leftovers(folder)
        # Only what could not be removed stays, or what was replaced; the next run removes it.
        assert not left or result[0] == "unlink" or result[1] != "refused", f"{at}: {left}"
        if left:
            code, err = pair.run(folder, "--overwrite")
            assert code == 0 and pair.form.leftovers(folder) == [], err
    refused = {what for what, how in outcomes if how == "refused"}
    assert refused >= {"create", "write", "rename", "flush"}, outcomes
    report(f"failed, {name}, {'overwrite' if overwrite else 'new'}: each of {sum(outcomes.values())} calls: "
           + ", ".join(f"{what} {how} {n}" for (what, how), n in sorted(outcomes.items())))


# ---- names and paths ----------------------------------------------------------------------------


def files_below(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("image", ("../../escaped", "/escaped", "a/../../escaped", "..", "%2e%2e/escaped"))
@pytest.mark.parametrize("name", FORMS)
def test_no_name_escapes(small_pairs, place, name, image):
    """W8: the name of an image becomes a directory of the store, whatever it is."""
    pair = small_pairs(name)
    folder = place / "outer" / "inner"
    folder.mkdir(parents=True)
    run_ngff(*pair.form.convert(pair.new_file, folder, "--name", image,
                                layout="seed"))
    roots = tuple(str(p.relative_to(place)) for p in pair.form.places(folder))
    outside = [f for f in files_below(place) if f not in roots and not f.startswith(
        tuple(root + "/" for root in roots))]
    assert outside == [] and not os.path.exists("/escaped")
    inside = [path for tree in pair.form.trees(folder) for path in tree if path]
    assert not any(part in ("..", ".", "") for path in inside for part in path.split("/"))
