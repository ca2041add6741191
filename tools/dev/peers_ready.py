"""Are the pinned packages of a requirements file installed in this environment? Exit 0 or 1."""

import sys
from importlib import metadata


def pins(path):
    for line in open(path, encoding="utf-8"):
        line = line.split("#")[0].strip()
        if line:
            name, _, version = line.partition("==")
            yield name.strip(), version.strip()


def main():
    wrong = []
    for name, version in pins(sys.argv[1]):
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            found = "nothing"
        if found != version:
            wrong.append(f"{name}: found {found}, pinned {version}")
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
