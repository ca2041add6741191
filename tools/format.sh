#!/usr/bin/env bash
# Are all C sources in the layout of .clang-format? `./dev format` makes them so.
set -uo pipefail
cd "$(dirname "$0")/.."
mapfile -t files < <(find src cli include examples bench python tests fuzz -name '*.[ch]' 2>/dev/null | sort)
clang-format --dry-run -Werror "${files[@]}" 2>&1 | grep -E 'error:' | sed 's/: error.*//' |
    awk -F: '!seen[$1]++ { print $1 ":" $2 ": not formatted" }'
state=${PIPESTATUS[0]}
echo "format: ${#files[@]} files"
exit "$state"
