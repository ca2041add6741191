# ./dev format: rewrite the C sources in the layout of .clang-format.
# shellcheck shell=bash
source tools/dev/setup.sh

dev_format() {
    have clang-format || setup_system clang-format
    git ls-files -co --exclude-standard -- src cli include examples bench python tests fuzz |
        grep -E '\.[ch]$' | xargs -r clang-format -i
}
