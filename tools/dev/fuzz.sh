# ./dev fuzz [TARGET…]: libFuzzer over each parser for FUZZ_SECONDS (60). New inputs collect under
# build/fuzz/; what breaks something is left in build/fuzz/<target>/found/, to be fixed and then kept as
# tests/fuzz/corpus/<target>/fixed-<what>.
# shellcheck shell=bash
source tools/dev/setup.sh

FUZZ_TARGETS=(json ome codec chain zarr image source xml zip archive pair)

dev_fuzz() {
    local target bad=0
    setup_for_tests
    [ $# -gt 0 ] || set -- "${FUZZ_TARGETS[@]}"
    if [ ! -f build/fuzz-clang/build.ninja ]; then
        configure_preset asan build/fuzz-clang -DCMAKE_C_COMPILER=clang -DNGFF_FUZZ=ON \
            -DNGFF_WERROR=OFF -DNGFF_SANITIZE=address,undefined,fuzzer-no-link
    fi
    cmake --build build/fuzz-clang -j "$(jobs_count)" --target "${@/#/fuzz_}"
    for target in "$@"; do
        note "fuzz $target"
        mkdir -p "build/fuzz/$target/new" "build/fuzz/$target/found"
        "build/fuzz-clang/bin/fuzz_$target" -max_total_time="${FUZZ_SECONDS:-60}" -timeout=10 \
            -rss_limit_mb=1024 -max_len=65536 -print_final_stats=1 \
            -artifact_prefix="build/fuzz/$target/found/" "build/fuzz/$target/new" \
            "tests/fuzz/corpus/$target" || bad=$((bad + 1))
    done
    [ $bad -eq 0 ] || die "$bad targets found something, see build/fuzz/*/found"
}
