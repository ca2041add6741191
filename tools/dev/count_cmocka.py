"""Sum the cases of the cmocka programs in a ctest log: prints "passed failed skipped".

A program that died before its summary counts as one failure."""

import re
import sys


def main():
    text = open(sys.argv[1], encoding="utf-8", errors="replace").read()
    passed = failed = skipped = 0
    for program in re.split(r"^\d+/\d+ Testing: ", text, flags=re.M)[1:]:
        run = sum(int(n) for n in re.findall(r"\[  PASSED  \] (\d+) test", program))
        bad = sum(int(n) for n in re.findall(r"\[  FAILED  \] (\d+) test", program))
        left = sum(int(n) for n in re.findall(r"\[  SKIPPED \] (\d+) test", program))
        # ctest's verdict is what counts when a sanitizer spoke after the last case.
        verdict = re.search(r"^Test (Passed|Failed|Timeout|Exception|Not Run)", program, re.M)
        good = bool(verdict) and verdict.group(1) == "Passed"
        if good and run == 0 and bad == 0:
            run = 1  # a program that is not cmocka's
        if not good and bad == 0:
            bad = 1
        passed, failed, skipped = passed + run, failed + bad, skipped + left
    print(passed, failed, skipped)


if __name__ == "__main__":
    main()
