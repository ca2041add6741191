#!/usr/bin/env python3
"""The layer law (docs/ARCHITECTURE.md): which room may include which.

A room sees its own headers, the rooms on its line below, and <ngff/types.h>. The bodies of the
public header (api) and everything outside src/ may include <ngff/ngff.h>; what is outside src/
includes public headers only. POSIX and operating system headers belong to sys and net."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

LAW = {
    "base": "",
    "sys": "base",
    "json": "base",
    "nd": "base",
    "zip": "base",
    "net": "base sys",
    "codec": "base json nd",
    "pyramid": "base nd",
    "ome": "base json nd",
    "store": "base sys zip net",
    "source": "base sys nd codec ome",
    "zarr": "base json nd codec store",
    "image": "base sys json nd ome store zarr source",
    "engine": "base sys nd ome store zarr image pyramid source",
}
LAW["api"] = " ".join(LAW)
OUTSIDE = ("cli", "python", "examples", "bench")

PUBLIC = {"ngff/ngff.h", "ngff/types.h"}
STANDARD = {
    name + ".h"
    for name in "assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp "
    "signal stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string "
    "tgmath threads time uchar wchar wctype".split()
}
# Headers of the libraries, and the one room each belongs to.
LIBRARIES = {
    "json-c/": {"json"},
    "json.h": set(),
    "blosc.h": {"codec"},
    "zstd.h": {"codec"},
    "zstd_errors.h": {"codec"},
    "libdeflate.h": {"codec", "zip", "source"},
    "zlib.h": {"codec", "source"},
    "lz4.h": {"codec"},
    "lz4hc.h": {"codec"},
    "bzlib.h": {"codec"},
    "lzma.h": {"codec"},
    "tiff.h": {"source"},
    "tiffio.h": {"source"},
    "png.h": {"source"},
    "jpeglib.h": {"source"},
    "jerror.h": {"source"},
    "expat.h": {"source", "ome"},
    "curl/": {"net"},
    "emmintrin.h": {"base", "codec", "pyramid", "nd"},
    "immintrin.h": {"base", "codec", "pyramid", "nd"},
    "nmmintrin.h": {"base", "codec"},
    "arm_acle.h": {"base", "codec"},
    "arm_neon.h": {"base", "codec", "pyramid", "nd"},
    "cpuid.h": {"base", "codec", "pyramid"},
}
SYSTEM_ROOMS = {"sys", "net"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def allowed_library(header, room):
    """True, False, or None when the header is no known library's."""
    for prefix, rooms in LIBRARIES.items():
        if header == prefix or (prefix.endswith("/") and header.startswith(prefix)):
            return room in rooms
    return None


def check_room(room, header, quoted, path):
    if header in STANDARD or header == "ngff/types.h":
        return None
    if header == "ngff/ngff.h":
        return None if room == "api" else "only api, cli, examples, bench, python include it"
    if quoted:
        first = header.split("/")[0] if "/" in header else room
        if not ((ROOT / "src" / header).exists() or (path.parent / header).exists()):
            return "no such header"
        if first == room or first in LAW[room].split():
            return None
        return f"room {room} may include: {LAW[room] or 'nothing'}"
    known = allowed_library(header, room)
    if known is None:
        return None if room in SYSTEM_ROOMS else "operating system headers belong to sys and net"
    return None if known else f"this library does not belong to room {room}"


def check_outside(area, header, quoted, path):
    if header.startswith("ngff/"):
        return None if header in PUBLIC else "not a public header"
    if quoted:
        inside = (path.parent / header).resolve()
        ok = inside.exists() and (ROOT / area) in inside.parents
        return None if ok else "public headers only"
    return None


def violations(area, base, check):
    for path in sorted(base.rglob("*.[ch]")):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            why = check(area, match.group(2), match.group(1) == '"', path)
            if why:
                place = path.relative_to(ROOT)
                yield f"{place}:{number}: includes {match.group(2)}: {why}"


def main():
    bad = []
    files = 0
    for directory in sorted((ROOT / "src").iterdir()):
        if not directory.is_dir():
            continue
        files += len(list(directory.rglob("*.[ch]")))
        if directory.name not in LAW:
            bad.append(f"src/{directory.name}: no such room in the layer law")
            continue
        bad += violations(directory.name, directory, check_room)
    for area in OUTSIDE:
        bad += violations(area, ROOT / area, check_outside)
    print("\n".join(bad), end="\n" if bad else "")
    print(f"layers: {files} files of src/, {len(bad)} violations")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
