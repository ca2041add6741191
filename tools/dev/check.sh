# ./dev check: the rules of the house, one line each, all of them even when one fails.
# shellcheck shell=bash
source tools/dev/setup.sh

CHECKS_BAD=()

# check NAME COMMAND…: output only when it fails; the last line of it always.
check() {
    local name=$1 start=$SECONDS rc=0 log=build/check.$1.log
    shift
    ("$@") >"$log" 2>&1 || rc=$?
    if [ $rc -eq 0 ]; then
        printf 'ok      %-10s %3ds  %s\n' "$name" $((SECONDS - start)) "$(tail -1 "$log")"
    else
        printf 'FAILED  %-10s %3ds\n' "$name" $((SECONDS - start))
        sed 's/^/        /' "$log" | tail -60
        CHECKS_BAD+=("$name")
    fi
}

dev_check() {
    setup_for_tests
    check format tools/format.sh
    check layers python3 tools/layers.py
    check shape python3 tools/shape.py
    check words python3 tools/words.py
    check seedmap python3 tools/seed_map.py
    check headers tools/headers.sh
    check gcc build_strict gcc build/check-gcc
    if have clang; then
        check clang build_strict clang build/check-clang
    fi
    NGFF_LIBRARY=build/check-gcc/src/libngff.so check symbols tools/symbols.sh
    check scripts check_scripts
    if [ ${#CHECKS_BAD[@]} -gt 0 ]; then
        say "check: ${#CHECKS_BAD[@]} failed: ${CHECKS_BAD[*]}"
        return 1
    fi
    say "check: all passed"
}

# Warnings are errors: gcc builds everything, clang adds the warnings it alone knows.
build_strict() {
    local compiler=$1 dir=$2
    if [ ! -f "$dir/build.ninja" ]; then
        configure_preset release "$dir" -DCMAKE_C_COMPILER="$compiler" -DNGFF_WERROR=ON \
            -DNGFF_TESTS=OFF
    fi
    cmake --build "$dir" -j "$(jobs_count)" -- -k 0 || return 1
    say "built with $compiler -Werror"
}

# What is not C: the scripts parse.
check_scripts() {
    local file
    for file in dev .ci/run tools/*.sh tools/dev/*.sh; do
        bash -n "$file" || return 1
    done
    git ls-files '*.py' | xargs python3 -m py_compile || return 1
    say "$(git ls-files '*.py' '*.sh' | wc -l) scripts parse"
}
