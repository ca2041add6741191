#!/usr/bin/env python3
"""Words that may not stand in src/: memory outside the allocator, output, exits, unbounded copies.

Comments and strings do not count, nor do members (`x->free(…)`) and longer names (`XML_ParserFree`)."""

import re
import sys

from shape import ROOT, blank

MEMORY = "malloc calloc realloc reallocarray free strdup strndup asprintf posix_memalign aligned_alloc"
RULES = (
    (MEMORY, "memory comes from base/alloc.c", {"src/base/alloc.c"}),
    ("printf vprintf fprintf vfprintf puts fputs putchar perror fputc fwrite", "the library is quiet", set()),
    ("exit _exit _Exit quick_exit abort atexit signal raise", "the library never ends the program", set()),
    ("alloca strcpy strcat sprintf vsprintf gets atoi atol atof strtok setlocale rand srand localtime "
     "gmtime", "unsafe, or changes the whole process", set()),
    ("getenv setenv putenv", "the environment is the caller's", {"src/sys/machine.c"}),
)


def violations():
    for path in sorted((ROOT / "src").rglob("*.[ch]")):
        text = blank(path.read_text(encoding="utf-8"))
        place = str(path.relative_to(ROOT))
        for words, why, exempt in RULES:
            if place in exempt:
                continue
            pattern = r"(?<![\w.>])(" + "|".join(words.split()) + r")\s*\("
            for match in re.finditer(pattern, text):
                line = text.count("\n", 0, match.start()) + 1
                yield f"{place}:{line}: {match.group(1)}(): {why}"


def main():
    bad = list(violations())
    print("\n".join(bad), end="\n" if bad else "")
    print(f"words: {len(bad)} forbidden calls in src/")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
