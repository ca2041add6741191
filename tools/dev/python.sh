# ./dev python ARGS…: build the extension into build/python and run Python with the package beside the
# test peers.
# shellcheck shell=bash
source tools/dev/setup.sh

# Leaves PYTHON_SITE: a directory to put on PYTHONPATH.
python_build() {
    local dir=build/python
    configure_preset release "$dir" -DNGFF_PYTHON=ON -DNGFF_EXAMPLES=OFF -DNGFF_BENCH=OFF
    cmake --build "$dir" -j "$(jobs_count)" --target ngff_core ngff -- --quiet
    PYTHON_SITE=$ROOT/$dir/site
    mkdir -p "$PYTHON_SITE/ngff"
    # Links, so that an edited file counts at once.
    ln -sfn "$ROOT/$dir/python/ngff/_core.abi3.so" "$PYTHON_SITE/ngff/_core.abi3.so"
    local file
    for file in python/ngff/*; do
        ln -sfn "$ROOT/$file" "$PYTHON_SITE/ngff/${file##*/}"
    done
}

dev_python() {
    setup_for_tests
    python_build
    export NGFF=${NGFF:-$ROOT/build/python/bin/ngff}
    PYTHONPATH=$PYTHON_SITE${PYTHONPATH:+:$PYTHONPATH} peers_python "$@"
}

# ---- the wheel ------------------------------------------------------------------------------------

# NumPy of the environments that the wheel is tried in.
WHEEL_NUMPY=2.4.6

# Every CPython from 3.11 on that this machine has, one a line, the newest patch of each minor.
# Builds without the GIL are left out: they do not load the stable ABI.
python_interpreters() {
    local candidate
    for candidate in "$HOME"/.pyenv/versions/*/bin/python3 /usr/bin/python3.1[1-9] /usr/local/bin/python3.1[1-9] \
        "$(readlink -f "$PEERS/bin/python")"; do
        [ -x "$candidate" ] || continue
        "$candidate" -c 'import sys, sysconfig, venv
ok = (sys.implementation.name == "cpython" and sys.version_info >= (3, 11)
      and not sysconfig.get_config_var("Py_GIL_DISABLED"))
print("%d.%d" % sys.version_info[:2], "%03d" % sys.version_info[2], sys.executable) if ok else None' \
            2>/dev/null || true
    done | sort -k1,1V -k2,2r | awk '!seen[$1]++ {print $3}'
}

# Leaves NGFF_WHEEL (built anew when a source changed), NGFF_WHEEL_PYTHONS and NGFF_WHEELHOUSE, which
# holds NumPy for each of them.
python_wheel() {
    local house=$ROOT/build/wheelhouse python version sum pythons
    sum=$(find src include cli python cmake CMakeLists.txt pyproject.toml README.md LICENSE -type f \
        ! -name '*.pyc' -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16)
    NGFF_WHEEL=$(find build/dist/"$sum" -name '*.whl' 2>/dev/null | head -1)
    if [ -z "$NGFF_WHEEL" ]; then
        rm -rf build/dist
        grep -qsxF "CMAKE_HOME_DIRECTORY:INTERNAL=$ROOT" build/wheel/CMakeCache.txt || rm -rf build/wheel
        peers_python -m pip wheel . --no-deps --no-build-isolation --quiet --no-input \
            --disable-pip-version-check -w "build/dist/$sum.new" || return 1
        mv "build/dist/$sum.new" "build/dist/$sum"
        NGFF_WHEEL=$(find build/dist/"$sum" -name '*.whl' | head -1)
    fi
    mkdir -p "$house"
    mapfile -t pythons < <(python_interpreters)
    for python in "${pythons[@]}"; do
        version=$("$python" -c 'import sys; print("%d%d" % sys.version_info[:2])')
        ls "$house"/numpy-$WHEEL_NUMPY-cp"$version"-*.whl >/dev/null 2>&1 ||
            peers_python -m pip download --quiet --no-input --disable-pip-version-check --no-deps \
                --only-binary :all: --python-version "$version" -d "$house" "numpy==$WHEEL_NUMPY" ||
            warn "NumPy for $python could not be had"
    done
    [ ${#pythons[@]} -gt 1 ] ||
        warn "!! only ${pythons[*]} is here: the wheel is tried on no other CPython"
    NGFF_WHEEL=$ROOT/${NGFF_WHEEL#"$ROOT"/} NGFF_WHEELHOUSE=$house
    NGFF_WHEEL_PYTHONS=$(IFS=: && printf '%s' "${pythons[*]}")
    export NGFF_WHEEL NGFF_WHEELHOUSE NGFF_WHEEL_PYTHONS
}
