"""Sum a pytest junit file: prints "passed failed skipped"."""

import sys
import xml.etree.ElementTree as ElementTree


def main():
    total = failed = skipped = 0
    for suite in ElementTree.parse(sys.argv[1]).getroot().iter("testsuite"):
        total += int(suite.get("tests"))
        failed += int(suite.get("failures")) + int(suite.get("errors"))
        skipped += int(suite.get("skipped"))
    print(total - failed - skipped, failed, skipped)


if __name__ == "__main__":
    main()
