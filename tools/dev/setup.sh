# ./dev setup: what is missing, and only that. Every question is asked of the real state (dpkg, the
# versions inside the environment), so a second run changes nothing and needs no network.
# shellcheck shell=bash

# What compiles the library and its command line.
BUILD_PACKAGES=(cmake ninja-build gcc libc6-dev pkg-config libblosc-dev libzstd-dev libdeflate-dev
    zlib1g-dev liblz4-dev libbz2-dev liblzma-dev libjson-c-dev libtiff-dev libexpat1-dev
    libpng-dev libjpeg-dev)
# What the tests and checks need on top.
TEST_PACKAGES=(g++ clang clang-format clang-tidy libcmocka-dev python3 python3-venv
    python3-pip strace unzip)

dev_setup() {
    setup_for_tests
    say "setup: everything is there"
}

setup_for_tests() {
    # shellcheck disable=SC2046
    setup_system "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}" $(node_packages)
    mkdir -p build
    # Two runs at once make one environment: the second waits and finds it there.
    exec 9>build/.setup.lock
    flock 9
    peers_ready || make_peers
    node_ready || make_peers_node
    exec 9>&-
}

setup_for_build() { setup_system "${BUILD_PACKAGES[@]}"; }

node_packages() {
    have node || echo nodejs
    have npm || echo npm
}

# ---- system packages ----------------------------------------------------------------------------

missing_packages() {
    local package
    for package in "$@"; do
        # A tool that is on the PATH by another way than its package is as good.
        case $package in
        cmake | gcc | g++ | clang | clang-format | clang-tidy | pkg-config | python3 | strace | unzip)
            have "$package" && continue
            ;;
        ninja-build) have ninja && continue ;;
        python3-venv) have python3 && python3 -c 'import ensurepip, venv' 2>/dev/null && continue ;;
        python3-pip) have python3 && python3 -c 'import ensurepip' 2>/dev/null && continue ;;
        esac
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            echo "$package"
    done
}

setup_system() {
    local missing
    if ! have dpkg-query; then
        warn "not a Debian system: cannot check for packages, going on ($*)"
        return 0
    fi
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -eq 0 ] && return 0
    say "setup: installing ${missing[*]}"
    apt_install "${missing[@]}"
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -eq 0 ] || die "still missing after the installation: ${missing[*]}"
}

apt_install() {
    local as=()
    if [ "$(id -u)" != 0 ]; then
        if have sudo && sudo -n true 2>/dev/null; then
            as=(sudo)
        elif have sudo && [ -t 0 ]; then
            as=(sudo)
        else
            say "neither root nor sudo here; please have this line run, then try again:" >&2
            say "    apt-get install -y --no-install-recommends $*" >&2
            exit 1
        fi
    fi
    local env=(env DEBIAN_FRONTEND=noninteractive)
    "${as[@]}" "${env[@]}" apt-get update -qq ||
        warn "apt-get update failed, trying with the lists that are there"
    "${as[@]}" "${env[@]}" apt-get install -y -qq --no-install-recommends "$@" >/dev/null ||
        die "apt-get install failed for: $*"
}

# ---- Python peers -------------------------------------------------------------------------------

# build/peers is a link to a finished environment; it appears in one rename, never half made.
# The environment keeps its own name for good, because its scripts hold it.
peers_ready() {
    [ -x "$PEERS/bin/python" ] &&
        "$PEERS/bin/python" tools/dev/peers_ready.py tests/requirements.txt 2>/dev/null
}

make_peers() {
    local fresh old=""
    fresh=build/.peers-$(date +%s)-$$
    say "setup: Python peers into build/peers (this takes some minutes, once)"
    [ -L "$PEERS" ] && old=$(readlink "$PEERS")
    # Left by runs that were killed.
    find build -maxdepth 1 -name '.peers-*' ! -name "${old:-none}" -exec rm -rf {} +
    # shellcheck disable=SC2064
    trap "rm -rf '$ROOT/$fresh'" EXIT
    python3 -m venv "$fresh"
    "$fresh/bin/python" -m pip install --quiet --no-input --disable-pip-version-check \
        -r tests/requirements.txt || die "pip could not install tests/requirements.txt"
    "$fresh/bin/python" tools/dev/peers_ready.py tests/requirements.txt ||
        die "the new environment does not hold what tests/requirements.txt asks for"
    if [ -e "$PEERS" ] && [ ! -L "$PEERS" ]; then
        mv "$PEERS" "build/.peers-replaced-$$"
    fi
    ln -sfn "$(basename "$fresh")" build/.peers-link.$$
    mv -T build/.peers-link.$$ "$PEERS"
    trap - EXIT
    find build -maxdepth 1 -name '.peers-*' ! -name "$(basename "$fresh")" -exec rm -rf {} +
}

# ---- JavaScript peer ----------------------------------------------------------------------------

node_ready() {
    grep -q "\"version\": *\"$ZARRITA\"" "$PEERS_NODE/node_modules/zarrita/package.json" 2>/dev/null
}

make_peers_node() {
    have npm || die "npm is missing (apt package npm)"
    local fresh=build/.peers-node-$$
    # shellcheck disable=SC2064
    trap "rm -rf '$ROOT/$fresh'" EXIT
    say "setup: zarrita $ZARRITA into build/peers-node"
    mkdir -p "$fresh"
    printf '{"private": true, "type": "module"}\n' >"$fresh/package.json"
    npm install --prefix "$fresh" --silent --no-audit --no-fund --ignore-scripts \
        --no-package-lock "zarrita@$ZARRITA" >/dev/null || die "npm could not install zarrita"
    rm -rf "$PEERS_NODE"
    mv -T "$fresh" "$PEERS_NODE"
    trap - EXIT
}
