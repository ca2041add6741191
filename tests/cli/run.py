#!/usr/bin/env python3
"""Runs the text cases of the command line: tests/cli/cases/*.case.

A case is a block of lines; it runs in an empty directory of its own:

    case: what it shows
    make: npy in.npy 32,48 uint16      an input (npy, tiff, text, …; see MAKERS)
    run: ngff convert in.npy out.zarr  one command; what follows up to the next `run` is about it
    exit: 0                            0 when left out
    out: regex                         standard output must match; `(none)`: is empty
    err: regex                         standard error likewise
    has: path                          exists afterwards
    no: path                           does not exist; `*` patterns allowed, hidden names too
    same: a b                          two trees hold the same files with the same bytes

A failing command answers with one line on standard error and nothing on standard output unless the
case says `lines: any`. A line that ends in a backslash goes on in the next."""

import argparse
import filecmp
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import traceback

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NGFF = os.environ.get("NGFF", str(ROOT / "build" / "asan" / "bin" / "ngff"))
SANITIZER = {"ASAN_OPTIONS": "detect_leaks=1:exitcode=99", "UBSAN_OPTIONS": "exitcode=98"}

sys.path.insert(0, str(ROOT / "tests" / "interop"))


# ---- inputs -------------------------------------------------------------------------------------


def image(shape, dtype):
    from inputs import pixels

    return pixels(tuple(int(n) for n in shape.split(",")), dtype, seed=1)


def make_npy(path, shape, dtype, order="C"):
    from inputs import save_npy

    save_npy(path, image(shape, dtype), order)


def make_tiff(path, shape, dtype):
    import tifffile

    tifffile.imwrite(path, image(shape, dtype), compression="zlib", photometric="minisblack")


def make_series(path, *names):
    import tifffile

    with tifffile.TiffWriter(path, ome=True) as file:
        for name in names:
            file.write(image("5,32,48", "uint16"), metadata={"axes": "ZYX", "Name": name})


def make_raw(path, shape, dtype):
    image(shape, dtype).tofile(path)


def make_text(path, *words):
    pathlib.Path(path).write_text(" ".join(words) + "\n", encoding="utf-8")


def make_dir(path):
    pathlib.Path(path).mkdir(parents=True)


def make_cut(path, source, size):
    """The first bytes of another file."""
    pathlib.Path(path).write_bytes(pathlib.Path(source).read_bytes()[: int(size)])


def make_link(path, target):
    pathlib.Path(path).symlink_to(target)


def make_mode(path, mode):
    pathlib.Path(path).chmod(int(mode, 8))


MAKERS = {"npy": make_npy, "tiff": make_tiff, "series": make_series, "raw": make_raw, "text": make_text, "mkdir": make_dir,
          "cut": make_cut, "link": make_link, "chmod": make_mode}


# ---- cases --------------------------------------------------------------------------------------


def blocks(path):
    """(title, [(key, value)]) of every case in a file."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        key, colon, value = line.partition(":")
        if not colon:
            raise ValueError(f"{path.name}:{number}: '{line}' is not 'key: value'")
        if key == "case":
            found.append((value.strip(), []))
        else:
            found[-1][1].append((key, value.strip()))
    return found


class Run:
    """One command and what it must have done; checked when the next one starts."""

    def __init__(self, command):
        self.command = command
        self.exit = 0
        self.lines_any = False
        self.patterns = []

    def finish(self):
        words = shlex.split(self.command)
        words[0] = NGFF if words[0] == "ngff" else words[0]
        done = subprocess.run(words, capture_output=True, timeout=120, check=False,
                              env={**SANITIZER, **os.environ})
        text = {"out": done.stdout.decode("utf-8", "replace"),
                "err": done.stderr.decode("utf-8", "replace")}
        shown = f"$ {self.command}\nexit {done.returncode}\n{text['out']}{text['err']}"
        if done.returncode != self.exit:
            raise AssertionError(f"expected exit {self.exit}\n{shown}")
        for stream, pattern in self.patterns:
            if pattern == "(none)":
                ok = text[stream] == ""
            else:
                ok = re.search(pattern, text[stream], re.M) is not None
            if not ok:
                raise AssertionError(f"{stream} does not match {pattern!r}\n{shown}")
        if self.exit != 0 and not self.lines_any and len(text["err"].strip().splitlines()) != 1:
            raise AssertionError(f"a failure answers with one line on standard error\n{shown}")


def trees_differ(left, right):
    names = [sorted(str(p.relative_to(side)) for p in pathlib.Path(side).rglob("*") if p.is_file())
             for side in (left, right)]
    if names[0] != names[1]:
        return f"files differ: {set(names[0]) ^ set(names[1])}"
    bad = [n for n in names[0]
           if not filecmp.cmp(pathlib.Path(left, n), pathlib.Path(right, n), shallow=False)]
    return f"contents differ: {bad}" if bad else None


def check_path(key, value):
    here = pathlib.Path(".")
    if key == "has" and not list(here.glob(value)):
        raise AssertionError(f"{value} is missing; there are {sorted(os.listdir())}")
    if key == "no" and list(here.glob(value)):
        raise AssertionError(f"{value} must not exist: {list(map(str, here.glob(value)))}")
    if key == "same":
        problem = trees_differ(*value.split())
        if problem:
            raise AssertionError(f"{value}: {problem}")


def run_case(lines):
    current = None
    later = []

    def settle():
        nonlocal current
        if current:
            current.finish()
        for key, value in later:
            check_path(key, value)
        current = None
        later.clear()

    for key, value in lines:
        if key in ("make", "run"):
            settle()
        if key == "make":
            kind, *words = shlex.split(value)
            MAKERS[kind](*words)
        elif key == "run":
            current = Run(value)
        elif key == "exit":
            current.exit = int(value)
        elif key in ("out", "err"):
            current.patterns.append((key, value))
        elif key == "lines":
            current.lines_any = value == "any"
        elif key in ("has", "no", "same"):
            later.append((key, value))
        else:
            raise ValueError(f"unknown key '{key}'")
    settle()


def run_file(path, only):
    passed = failed = 0
    for title, lines in blocks(path):
        name = f"{path.stem}: {title}"
        if only and only not in name:
            continue
        with tempfile.TemporaryDirectory() as work:
            os.chdir(work)
            try:
                run_case(lines)
                passed += 1
            except AssertionError as error:
                failed += 1
                print(f"FAILED {name}\n{error}")
            except Exception:  # a mistake in the case itself
                failed += 1
                print(f"FAILED {name}")
                traceback.print_exc(file=sys.stdout)
            finally:
                os.chdir(ROOT)
    return passed, failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("only", nargs="?", help="run cases whose name holds this text")
    parser.add_argument("--count", type=pathlib.Path, help="write 'passed failed skipped' here")
    args = parser.parse_args()
    count = args.count.resolve() if args.count else None
    if not os.access(NGFF, os.X_OK):
        print(f"no command line at {NGFF}; build it or set NGFF")
        return 1
    passed = failed = 0
    for path in sorted((HERE / "cases").glob("*.case")):
        p, f = run_file(path, args.only)
        passed, failed = passed + p, failed + f
    if count:
        count.write_text(f"{passed} {failed} 0\n", encoding="utf-8")
    print(f"cli: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
