#!/usr/bin/env bash
# Every public header compiles alone as C17 and as C++11; every internal header compiles alone as C17,
# except templates: those have no include guard because they are meant to be included many times.
set -uo pipefail
cd "$(dirname "$0")/.."
flags=(-fsyntax-only -Wall -Wextra -Wpedantic -Werror -Iinclude)
bad=0
count=0

try() {
    count=$((count + 1))
    if ! "$@"; then
        bad=$((bad + 1))
    fi
}

for header in include/ngff/*.h; do
    try gcc -std=c17 "${flags[@]}" -Wstrict-prototypes -x c "$header"
    try g++ -std=c++11 "${flags[@]}" -Wno-pragma-once-outside-header -x c++ "$header"
done
libraries=$(pkg-config --cflags json-c libtiff-4 libpng libjpeg 2>/dev/null)
for header in src/*/*.h; do
    grep -q '^#ifndef NGFF_' "$header" || continue
    # shellcheck disable=SC2086
    try gcc -std=c17 "${flags[@]}" -Wno-unused-function -Wno-unused-macros \
        -D_GNU_SOURCE -Isrc $libraries -x c "$header"
done
echo "headers: $count compilations alone, $bad failed"
[ "$bad" -eq 0 ]
