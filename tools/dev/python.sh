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
