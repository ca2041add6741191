"""Two processes that write the same output: one wins, the other exits 5, nothing is mixed, and nobody
removes what a live writer is at.

The first is stopped before one of its calls, the second runs from start to end meanwhile, then the
first goes on (shim/shim.c): every order of the two is tried, call by call, instead of waiting for luck."""

import collections
import os
import signal
import time

import pytest

from forms import FORMS, MOST
from harness import EXISTS, plain_or_not
import shim

PROGRAM = plain_or_not()

STOPS = int(os.environ.get("NGFF_STOPS", 12))  # for each form and each situation
RACES = 6
SITUATIONS = pytest.mark.parametrize("overwrite", (False, True), ids=("new", "overwrite"))


def stop_at(pair, folder, extra, at):
    """Starts the first writer and waits until it stands before its n-th call. False: it ended."""
    first = pair.start(folder, *extra, act="stop", at=at)
    _, status = os.waitpid(first.pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return first, True
    first.returncode = os.waitstatus_to_exitcode(status)
    return first, False


def end(run):
    try:
        _, err = run.communicate(timeout=60)
    finally:
        run.kill()
    return run.returncode, err.decode()


def check_both(pair, folder, overwrite, first, second):
    """Who said yes is who is there; who said no names the reason."""
    (a, a_err), (b, b_err) = first, second
    found = pair.judge(pair.form.trees(folder))
    assert {a, b} <= {0, EXISTS} and 0 in (a, b), f"{a} {a_err} {b} {b_err}"
    for code, err in (first, second):
        assert code == 0 or any(word in err for word in (
            "another writer", "exists already", "appeared while")), err
    if a == 0 and b == 0:
        assert overwrite and found in ("new", "other")
        return "one after the other"
    assert found == ("new" if a == 0 else "other"), f"{found} but exits {a}, {b}"
    return "first" if a == 0 else "second"


def count_calls(pair, folder, extra, log):
    code, err = pair.run(folder, *extra, log=log)
    assert code == 0, err
    return len(shim.read_log(log))


def lay_out(pair, folder, overwrite):
    folder.mkdir()
    if overwrite:
        pair.lay_out_old(folder)


@SITUATIONS
@pytest.mark.parametrize("name", MOST)
def test_second_while_first_stands(small_pairs, report, place, name, overwrite):
    pair = small_pairs(name)
    assert pair.other
    extra = ["--durability", "none"] + (["--overwrite"] if overwrite else [])
    lay_out(pair, place / "count", overwrite)
    calls = count_calls(pair, place / "count", extra, place / "log")
    outcomes = collections.Counter()
    # The first and the last calls are where names change hands.
    stops = sorted({1, 2, 3, 4, 5, 6, *(1 + i * calls // STOPS for i in range(STOPS)),
                    *range(calls - 6, calls + 3)})
    for at in stops:
        folder = place / str(at)
        lay_out(pair, folder, overwrite)
        first, stopped = stop_at(pair, folder, extra, at)
        second = pair.run(folder, *extra, source=pair.other_file)
        if stopped:
            first.send_signal(signal.SIGCONT)
        first = end(first)
        outcomes[check_both(pair, folder, overwrite, first, second)] += 1
        assert pair.form.leftovers(folder) == [], f"stopped before call {at}"
    report(f"two writers, {name}, {'overwrite' if overwrite else 'new'}: {len(stops)} stops, "
           f"went through: {dict(outcomes)}")
    assert outcomes["first"] > 0


@SITUATIONS
@pytest.mark.parametrize("name", FORMS)
def test_both_at_once(small_pairs, place, name, overwrite):
    pair = small_pairs(name)
    assert pair.other
    extra = ["--durability", "none"] + (["--overwrite"] if overwrite else [])
    for number in range(RACES):
        folder = place / str(number)
        lay_out(pair, folder, overwrite)
        first = pair.start(folder, *extra)
        time.sleep(0.004 * number)
        second = pair.start(folder, *extra, source=pair.other_file)
        check_both(pair, folder, overwrite, end(first), end(second))
        assert pair.form.leftovers(folder) == []
