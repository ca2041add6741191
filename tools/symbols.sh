#!/usr/bin/env bash
# The exported symbols of libngff.so, the functions that <ngff/ngff.h> declares, and tools/symbols.txt
# are one list, and every name begins with ngff_. --update writes the list down after a review.
set -euo pipefail
cd "$(dirname "$0")/.."
library=${NGFF_LIBRARY:-build/release/src/libngff.so}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[ -e "$library" ] || {
    echo "symbols: $library is missing, build it first (./dev build)" >&2
    exit 1
}
nm -D --defined-only "$library" | awk '{ sub(/@.*/, "", $3); print $3 }' | sort -u >"$work/exported"
# Names of the linker's own making, and of a version script.
sed -i -E '/^(_init|_fini|__bss_start|_edata|_end|NGFF_[0-9.]+)$/d' "$work/exported"
# shellcheck disable=SC2016
python3 -c '
import re, sys
sys.path.insert(0, "tools")
from shape import blank
text = blank(open("include/ngff/ngff.h", encoding="utf-8").read())
names = re.findall(r"\bNGFF_API\b[^;{(]*?\b(\w+)\s*\(", text)
print("\n".join(sorted(set(names))))' >"$work/declared"
if [ "${1:-}" = --update ]; then
    cp "$work/exported" tools/symbols.txt
fi

bad=0
compare() {
    if ! diff -u --label "$1" --label "$2" "$3" "$4"; then
        bad=1
    fi
}
compare "declared in ngff.h" "exported" "$work/declared" "$work/exported"
compare tools/symbols.txt "exported" tools/symbols.txt "$work/exported"
if grep -vE '^ngff_' "$work/exported"; then
    echo "symbols: the names above do not begin with ngff_"
    bad=1
fi
echo "symbols: $(wc -l <"$work/exported") exported"
exit $bad
