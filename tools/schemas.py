#!/usr/bin/env python3
"""Writes python/ngff/schemas.json: the official JSON Schemas of OME-Zarr (data of github.com/ome/ngff-spec
under the licence beside it), one file for all versions. Run: tools/schemas.py FOLDER"""

import json
import pathlib
import sys

OUT = pathlib.Path(__file__).resolve().parent.parent / "python/ngff/schemas.json"
SILENT = ("title", "description", "$comment", "$schema", "examples", "default")  # say nothing about validity


def lean(value, named=False):
    """Without what is prose; `named`: the keys are names, not keywords."""
    if isinstance(value, list):
        return [lean(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {k: v if k in ("enum", "const") and not named else
            lean(v, k in ("properties", "$defs") and not named)
            for k, v in value.items() if named or k not in SILENT}


def main():
    folder, found = pathlib.Path(sys.argv[1]), {}
    for path in sorted(folder.glob("*/schemas/*.schema")):
        version = path.parent.parent.name
        schema = lean(json.loads(path.read_text(encoding="utf-8")))
        schema.pop("$id", None)  # some name another place; they are told apart by their files
        found.setdefault(version, {})[path.stem] = schema
    OUT.write_text(json.dumps(found, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")
    print(OUT, {version: len(names) for version, names in found.items()}, OUT.stat().st_size)


if __name__ == "__main__":
    main()
