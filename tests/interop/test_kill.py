"""Killed anywhere: what is at the destination afterwards is the complete old output, the complete new
one, or nothing, and the next run succeeds.

200 kills of the real program (NGFF_KILLS for each form and situation, 20): half of them at moments
spread evenly over the run, half before or after one of the calls that create, write, flush, rename or
unlink, each class spread over its calls."""

import collections
import os
import pathlib
import shutil
import signal
import tempfile
import time

import pytest

from forms import ALL, FORMS, check_leftovers
from harness import plain_or_not
import shim

PROGRAM = plain_or_not()

KILLS = int(os.environ.get("NGFF_KILLS", 20))  # for each form and each situation


def kill_at_time(pair, folder, extra, delay):
    with pair.start(folder, *extra) as run:
        time.sleep(delay)
        run.send_signal(signal.SIGKILL)
    return run.returncode


def kill_at_call(pair, folder, extra, what, at, after):
    return pair.run(folder, *extra, act="kill-after" if after else "kill", at=at, what=what)[0]


def rehearse(pair, folder, overwrite, extra):
    """How long a run takes, and how many calls of each class it makes."""
    durations = []
    for number in range(2):
        place = folder / f"rehearsal{number}"
        place.mkdir()
        if overwrite:
            pair.lay_out_old(place)
        began = time.monotonic()
        assert pair.run(place, *extra, log=folder / f"log{number}")[0] == 0
        durations.append(time.monotonic() - began)
        shutil.rmtree(place)
    return min(durations), collections.Counter(call.kind for call in shim.read_log(folder / "log1"))


def schedule(kills, duration, counts):
    """("time", delay) and (class, n-th, after): as many as there are kills."""
    timed = kills - kills // 2
    plan = [("time", (i + 0.5) / timed * duration) for i in range(timed)]
    classes = [c for c in shim.CLASSES if counts[c]]
    each = -(-(kills - timed) // len(classes))
    for i in range(each):
        plan += [(c, 1 + int((i + 0.5) / each * counts[c]), i % 2 == 1) for c in classes]
    return plan[:kills]


def check_next_run(pair, folder, found):
    """It clears up what the killed one left, and succeeds."""
    code, err = pair.run(folder, "--durability", "none",
                         *(["--overwrite"] if found != "absent" else []))
    assert code == 0, err
    assert pair.judge(pair.form.trees(folder)) == "new"
    assert pair.form.leftovers(folder) == []


@pytest.mark.parametrize("overwrite", (False, True), ids=("new", "overwrite"))
@pytest.mark.parametrize("name", ALL)
def test_killed(pairs, report, name, overwrite):
    pair = pairs(name)
    extra = ["--overwrite"] if overwrite else []
    outcomes = collections.Counter(old=0, new=0, absent=0)
    killed = 0
    with tempfile.TemporaryDirectory(dir=pair.work) as work:
        work = pathlib.Path(work)
        duration, counts = rehearse(pair, work, overwrite, extra)
        plan = schedule(KILLS if name in FORMS else -(-KILLS // 2), duration, counts)
        for number, (what, *how) in enumerate(plan):
            folder = work / str(number)
            folder.mkdir()
            if overwrite:
                pair.lay_out_old(folder)
            if what == "time":
                code = kill_at_time(pair, folder, extra, *how)
            else:
                code = kill_at_call(pair, folder, extra, what, *how)
            assert code in (0, -signal.SIGKILL), f"{what} {how}: exit {code}"
            killed += code != 0
            found = pair.judge(pair.form.trees(folder))
            # Only where paths cannot be exchanged is there a moment without any, which the next
            # run would mend.
            assert found != "absent" or not overwrite or pair.form.old_system
            outcomes[found] += 1
            check_leftovers(pair.form, folder)
            check_next_run(pair, folder, found)
            shutil.rmtree(folder)
    report(f"killed, {name}, {'overwrite' if overwrite else 'new'}: {len(plan)} runs, {killed} of them "
           f"before their end: {dict(outcomes)}")
    assert outcomes["new"] > 0 and outcomes["old" if overwrite else "absent"] > 0, outcomes
