# ./dev python: build the wheel, install it beside (not into) the peers, test it there.
# shellcheck shell=bash
source tools/dev/setup.sh

dev_python() {
    setup_for_tests
    local site=build/python-site
    [ -f python/pyproject.toml ] || die "python/pyproject.toml is missing"
    rm -rf "$site.new"
    # Without isolation: the build tools are pinned with the peers, so this works offline.
    peers_python -m pip install --quiet --no-input --no-deps --no-build-isolation \
        --target "$site.new" ./python || die "the Python package does not build"
    rm -rf "$site"
    mv -T "$site.new" "$site"
    PYTHONPATH=$ROOT/$site peers_python -m pytest -q -p no:cacheprovider tests/python "$@"
}
