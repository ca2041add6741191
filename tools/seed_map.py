#!/usr/bin/env python3
"""docs/seed-map.md says which file, option, function and test answers for each row of the seed's page.
Looks each of them up; and, where the page is at hand (../shared, or NGFF_SHARED), that each of its
functions and parameters has a row."""

import fnmatch
import functools
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "seed-map.md"
SHARED = pathlib.Path(os.environ.get("NGFF_SHARED", ROOT.parent / "shared"))
FOLDERS = {"unit": "tests/unit", "cli": "tests/cli/cases", "python": "tests/python"}
DEFINITION = {
    ".py": re.compile(r"^def (test\w+)\(", re.M),
    ".c": re.compile(r"^static void (\w+)\(void \*\*state\)", re.M),
    ".case": re.compile(r"^case: (.+)$", re.M),
}


def rows(text):
    """(section, cells) of every row of every table, without the heads."""
    section, head = "", True
    for line in text.splitlines():
        if line.startswith("## "):
            section = line[3:]
        if not line.startswith("|"):
            head = True
            continue
        if head or set(line) <= set("|-"):
            head = False
            continue
        yield section, [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


@functools.lru_cache(maxsize=None)
def tests_of(path):
    return DEFINITION[path.suffix].findall(path.read_text(encoding="utf-8"))


def test_problem(token):
    """What is wrong with FILE or FILE:TEST, or None."""
    name, _, test = token.partition(":")
    first, _, rest = name.partition("/")
    path = ROOT / FOLDERS[first] / rest if rest and first in FOLDERS else \
        ROOT / "tests" / "interop" / f"test_{name}.py"
    if not path.is_file():
        return f"no file {path.relative_to(ROOT)}"
    if not tests_of(path):
        return f"no test in {path.relative_to(ROOT)}"
    if test and not fnmatch.filter(tests_of(path), test.replace("[", "[[]")):
        return f"no test {test} in {path.relative_to(ROOT)}"
    return None


@functools.lru_cache(maxsize=None)
def sources():
    """Every text in which a name that the page mentions may be."""
    files = subprocess.run(["git", "ls-files", "src", "include", "cli", "python"], cwd=ROOT,
                           capture_output=True, text=True, check=True).stdout.split()
    return "\n".join((ROOT / f).read_text(encoding="utf-8") for f in files
                     if f.endswith((".c", ".h", ".py")))


def here_problem(token):
    """What is wrong with a path, an option or a name of ours, or None."""
    if re.match(r"(src|docs|include|cli|python|tests)/", token):
        return None if (ROOT / token).exists() else f"no {token}"
    if token.startswith("--"):
        man = (ROOT / "docs" / "man" / "ngff.1").read_text(encoding="utf-8").replace("\\", "")
        known = re.search(re.escape(token) + r"\b", man) or f'"{token}"' in sources()
        return None if known else f"no option {token}"
    if token.startswith("ngff_"):
        parts = token.split(".")
        return next((f"no {part}" for part in parts
                     if not re.search(rf"\b{part}\b", sources())), None)
    return None


def check_row(cells):
    shown = cells[-1]
    if shown == "–":
        if "no counterpart" not in cells[-2] and "not yet" not in cells[-2]:
            yield "nothing shows it"
    elif re.sub(r"`[^`]+`", "", shown).strip("; "):
        yield f"cannot be read: {shown}"
    for token in re.findall(r"`([^`]+)`", shown):
        yield test_problem(token)
    for cell in cells[1:-1]:
        for token in re.findall(r"`([^`]+)`", cell):
            yield here_problem(token)


def expected():
    """Functions and data, and parameters, of the seed's page."""
    path = SHARED / "reference" / "seed-api.txt"
    if not path.exists():
        return None
    text = path.read_text(encoding="utf-8")
    signatures = re.findall(r"^ngff_zarr\.to_ngff_zarr\.(\w+)\(([^§]*?)\n?\)", text, re.M)
    names = {name for name, _ in signatures} | set(
        re.findall(r"^ngff_zarr\.to_ngff_zarr\.(\w+)$", text, re.M))
    parameters = set()
    for _, inside in signatures:
        while "[" in inside:  # types, from the inside out
            inside = re.sub(r"\[[^\[\]]*\]", "", inside)
        parameters |= {re.match(r"[*\w]+", p.strip())[0].lstrip("*")
                       for p in inside.split(",") if p.strip()}
    return names, parameters


def main():
    problems, first_cells, count = [], set(), 0
    for section, cells in rows(PAGE.read_text(encoding="utf-8")):
        count += 1
        first_cells |= {word for token in re.findall(r"`([^`]+)`", cells[0])
                        for word in re.findall(r"\w+", token)}
        if len(cells) != (3 if section == "Errors" else 4):
            problems.append(f"{cells[0]}: {len(cells)} columns")
            continue
        problems += [f"{section}: {cells[0]}: {p}" for p in check_row(cells) if p]
    want = expected()
    if want:
        assert len(want[0]) > 15 and len(want[1]) > 30, "the seed's page was not understood"
        problems += [f"no row for {name}" for name in sorted((want[0] | want[1]) - first_cells)]
    for problem in problems:
        print(problem)
    against = f", {len(want[0])} names and {len(want[1])} parameters of the page" if want else ""
    print(f"seed map: {count} rows{against}, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
