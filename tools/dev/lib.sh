# Shared by every verb of ./dev. Sourced with the repository root as working directory.
# shellcheck shell=bash
ROOT=$PWD
PEERS=$ROOT/build/peers
PEERS_NODE=$ROOT/build/peers-node
# Version of the JavaScript reader the interoperability tests use.
ZARRITA=0.7.5
export CTEST_OUTPUT_ON_FAILURE=1

say() { printf '%s\n' "$*"; }
note() { printf '\n== %s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
    printf 'dev: %s\n' "$*" >&2
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }
in_ci() { [ "${CI:-}" = true ]; }

# Cores this process may use: build and test jobs.
jobs_count() { nproc 2>/dev/null || echo 2; }

# build_preset PRESET DIR [target…]: configure once, then build.
build_preset() {
    local preset=$1 dir=$2
    shift 2
    configure_preset "$preset" "$dir"
    if [ $# -gt 0 ]; then
        cmake --build "$dir" -j "$(jobs_count)" --target "$@" -- --quiet
    else
        cmake --build "$dir" -j "$(jobs_count)" -- --quiet
    fi
}

# A directory whose configure step was interrupted has no build.ninja and is configured again;
# one that was moved with the checkout is made anew.
configure_preset() {
    local preset=$1 dir=$2 cache=$2/CMakeCache.txt
    shift 2
    if [ -f "$cache" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$ROOT" "$cache"; then
        rm -rf "$dir"
    fi
    if [ ! -f "$dir/build.ninja" ] || [ $# -gt 0 ]; then
        cmake --preset "$preset" -B "$dir" "$@" >"$ROOT/build/.configure.log" 2>&1 || {
            cat "$ROOT/build/.configure.log" >&2
            die "cmake --preset $preset failed"
        }
    fi
}

# The Python that has the peers.
peers_python() { "$PEERS/bin/python" "$@"; }
