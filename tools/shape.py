#!/usr/bin/env python3
"""The shape of the code: lengths of functions and files, counts of parameters.

Aims: function median <= 14 lines, 90th percentile <= 45; file <= 400 lines. Hard stops, which fail
the check: function 80, file 700, 6 parameters besides the `ngff_error *err` that closes the list of
every call that can fail. A line count is that of the text from the line of the function's name to its
closing brace."""

import argparse
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
AREAS = ("src", "cli", "include", "examples", "bench", "python")
FUNCTION_STOP, FILE_STOP, PARAMS_STOP = 80, 700, 6
MEDIAN_AIM, P90_AIM, FILE_AIM = 14, 45, 400
KEYWORDS = {"if", "for", "while", "switch", "return", "sizeof", "do", "else", "defined"}


def blank(text):
    """The text with comments, strings and preprocessor lines turned into spaces."""
    pattern = re.compile(
        r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
        r"|^[ \t]*#(?:[^\n\\]|\\\n|\\.)*",
        re.S | re.M,
    )
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), text)


def matching(text, start, pair):
    """Index of the bracket that closes the one at `start`, or -1."""
    depth = 0
    for index in range(start, len(text)):
        if text[index] == pair[0]:
            depth += 1
        elif text[index] == pair[1]:
            depth -= 1
            if depth == 0:
                return index
    return -1


def parameter_count(params):
    if params.strip() in ("", "void"):
        return 0
    params = re.sub(r",\s*ngff_error\s*\*\s*\w+\s*$", "", params)
    depth = 0
    count = 1
    for char in params:
        depth += (char in "([") - (char in ")]")
        count += char == "," and depth == 0
    return count


def functions(text):
    """(name, first line, length, parameters) of every function defined in a C text."""
    text = blank(text)
    index = 0
    while True:
        brace = text.find("{", index)
        if brace < 0:
            return
        end = matching(text, brace, "{}")
        if end < 0:
            return
        found = header_before(text, index, brace)
        if found:
            name, at, params = found
            first = text.count("\n", 0, at) + 1
            last = text.count("\n", 0, end) + 1
            yield name, first, last - first + 1, parameter_count(params)
        if re.search(r'extern\s*$', text[index:brace]):
            index = brace + 1  # extern "C" { … }
        else:
            index = end + 1


def header_before(text, start, brace):
    """The name and parameters when what stands before `brace` is a function's header."""
    head = text[start:brace]
    cut = max(head.rfind(";"), head.rfind("}"))
    head = head[cut + 1 :]
    if "=" in head.split("(")[0] or not head.rstrip().endswith(")"):
        return None
    match = re.search(r"([A-Za-z_]\w*)\s*\(", head)
    while match and (match.group(1) in KEYWORDS or match.group(1).startswith("__attribute__")
                     or match.group(1).startswith("NGFF_")):
        closing = matching(head, match.end() - 1, "()")
        match = re.compile(r"([A-Za-z_]\w*)\s*\(").search(head, max(closing, match.end()))
    if not match:
        return None
    closing = matching(head, match.end() - 1, "()")
    at = start + cut + 1 + match.start()
    return match.group(1), at, head[match.end() : closing]


def quantile(values, q):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))] if ordered else 0


def survey():
    rows, files = [], []
    for area in AREAS:
        for path in sorted((ROOT / area).rglob("*.[ch]")):
            text = path.read_text(encoding="utf-8")
            place = path.relative_to(ROOT)
            files.append((text.count("\n"), place))
            rows += [(n, f"{place}:{line}", name, p) for name, line, n, p in functions(text)]
    return rows, files


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true", help="print every function, longest last")
    args = parser.parse_args()
    rows, files = survey()
    if args.list:
        for length, place, name, params in sorted(rows):
            print(f"{length:4d} {params:2d} {place} {name}")
    lengths = [row[0] for row in rows]
    bad = [f"{place}: {name} has {n} lines, the stop is {FUNCTION_STOP}"
           for n, place, name, _ in rows if n > FUNCTION_STOP]
    bad += [f"{place}: {name} has {p} parameters, the stop is {PARAMS_STOP}"
            for _, place, name, p in rows if p > PARAMS_STOP]
    bad += [f"{place}: {n} lines, the stop is {FILE_STOP}" for n, place in files if n > FILE_STOP]
    median, p90 = quantile(lengths, 0.5), quantile(lengths, 0.9)
    long_files = sum(1 for n, _ in files if n > FILE_AIM)
    for name, value, aim in (("median", median, MEDIAN_AIM), ("90th percentile", p90, P90_AIM)):
        if value > aim:
            bad.append(f"function length: {name} is {value}, the aim is {aim}")
    print("\n".join(bad), end="\n" if bad else "")
    print(f"shape: {len(rows)} functions, median {median}, p90 {p90}, longest "
          f"{max(lengths, default=0)}; {len(files)} files, longest "
          f"{max(files, default=(0,))[0]}, {long_files} above {FILE_AIM}; "
          f"most parameters {max((r[3] for r in rows), default=0)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
