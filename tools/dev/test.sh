# ./dev test: every stage runs even when one before it failed; the last line sums them all.
# shellcheck shell=bash
source tools/dev/setup.sh

STAGES=(unit tsan peers property cli)
[ -d tests/python ] && STAGES+=(python)
PASSED=0 FAILED=0 SKIPPED=0
TABLE=""

dev_test() {
    setup_for_tests
    mkdir -p build/test
    local stage
    [ $# -gt 0 ] || set -- "${STAGES[@]}"
    for stage in "$@"; do
        declare -F "stage_$stage" >/dev/null || die "no stage '$stage' (${STAGES[*]})"
        run_stage "$stage"
    done
    printf '\n%-10s %8s %8s %8s %8s\n' stage passed failed skipped seconds
    printf '%s' "$TABLE"
    printf '%d passed, %d failed, %d skipped\n' "$PASSED" "$FAILED" "$SKIPPED"
    [ "$FAILED" -eq 0 ]
}

# A stage prints what it does and leaves "passed failed skipped" in build/test/STAGE.count. A stage
# that ends badly without having counted a failure is one failure.
run_stage() {
    local stage=$1 start=$SECONDS rc=0 counts p f s
    note "$stage"
    rm -f "build/test/$stage.count"
    (
        set -e
        "stage_$stage"
    ) || rc=$?
    counts=$(cat "build/test/$stage.count" 2>/dev/null || echo "0 0 0")
    read -r p f s <<<"$counts"
    if [ $rc -ne 0 ] && [ "$f" -eq 0 ]; then
        f=1
    fi
    if [ "$p" -eq 0 ] && [ "$f" -eq 0 ] && [ "$s" -eq 0 ]; then
        warn "stage $stage ran no test: counted as a failure"
        f=1
    fi
    PASSED=$((PASSED + p)) FAILED=$((FAILED + f)) SKIPPED=$((SKIPPED + s))
    TABLE+=$(printf '%-10s %8d %8d %8d %8d' "$stage" "$p" "$f" "$s" $((SECONDS - start)))$'\n'
}

# ---- unit tests ---------------------------------------------------------------------------------

# ctest_stage STAGE DIR [ctest args…]: counts the cmocka cases inside the programs, not programs.
ctest_stage() {
    local stage=$1 dir=$2 rc=0
    shift 2
    "${RUN_AS[@]}" ctest --test-dir "$dir" -j "$(jobs_count)" --timeout 300 --no-tests=error \
        --output-log "build/test/$stage.ctest" "$@" || rc=$?
    python3 tools/dev/count_cmocka.py "$dir/Testing/Temporary/LastTest.log" \
        >"build/test/$stage.count"
    return $rc
}

stage_unit() {
    RUN_AS=(env)
    build_preset asan build/asan >build/test/unit.build 2>&1 || {
        tail -60 build/test/unit.build
        return 1
    }
    ctest_stage unit build/asan
}

# ThreadSanitizer over the programs that start threads.
THREADED='^(engine|zarr|store|sys|image|api)_'

stage_tsan() {
    local targets rc=0
    RUN_AS=(env TSAN_OPTIONS=halt_on_error=1)
    # Old ThreadSanitizer run-times cannot place their shadow when addresses are randomised widely.
    if setarch -R true 2>/dev/null; then
        RUN_AS=(setarch -R env TSAN_OPTIONS=halt_on_error=1)
    fi
    configure_preset tsan build/tsan
    cmake build/tsan >build/.configure.log # the list of targets below must be of today
    mapfile -t targets < <(ninja -C build/tsan -t targets all |
        sed -nE 's/^(test_(engine|zarr|store|sys|image|api)_[A-Za-z0-9_]+): phony$/\1/p')
    [ ${#targets[@]} -gt 0 ] || die "no threaded test programs found"
    cmake --build build/tsan -j "$(jobs_count)" --target ngff "${targets[@]}" \
        >build/test/tsan.build 2>&1 || {
        tail -60 build/test/tsan.build
        return 1
    }
    ctest_stage tsan build/tsan -R "$THREADED" || rc=$?
    # Whole conversions; their counts are added to those of the programs.
    NGFF=$ROOT/build/tsan/bin/ngff "${RUN_AS[@]}" "$PEERS/bin/python" tests/cli/run.py "threads:" \
        --count build/test/tsan-cli.count || rc=$?
    awk '{p += $1; f += $2; s += $3} END {print p, f, s}' build/test/tsan.count \
        build/test/tsan-cli.count >build/test/tsan.sum
    mv build/test/tsan.sum build/test/tsan.count
    return $rc
}

# ---- interoperability ---------------------------------------------------------------------------

# What Python itself is told: -X dev and so on.
PYTHON_FLAGS=()

# pytest_stage STAGE [pytest args…]
pytest_stage() {
    local stage=$1 rc=0
    shift
    peers_python "${PYTHON_FLAGS[@]}" -m pytest -q -p no:cacheprovider -ra \
        --junitxml="build/test/$stage.xml" "$@" || rc=$?
    python3 tools/dev/count_junit.py "build/test/$stage.xml" >"build/test/$stage.count"
    return $rc
}

# The command line under test: NGFF, or that of build/asan. Some tests want other programs of the unit
# tests beside it.
need_cli() {
    [ -n "${NGFF:-}" ] && return 0
    build_preset asan build/asan >build/test/cli.build 2>&1 || {
        tail -60 build/test/cli.build
        return 1
    }
    export NGFF=$ROOT/build/asan/bin/ngff
}

stage_peers() {
    need_cli
    # Real memory is measured without sanitizers.
    build_preset release build/release ngff >build/test/plain.build 2>&1 || {
        tail -60 build/test/plain.build
        return 1
    }
    pytest_stage peers tests/interop --ignore=tests/interop/test_property.py
}

stage_property() {
    need_cli
    pytest_stage property -s tests/interop/test_property.py
}

stage_cli() {
    need_cli
    peers_python tests/cli/run.py --count build/test/cli.count
}

# In Python's development mode, where a warning is an error: a file or a thread left open is found.
stage_python() {
    source tools/dev/python.sh
    python_build
    python_wheel
    export PYTHONPATH=$PYTHON_SITE
    export NGFF=${NGFF:-$ROOT/build/python/bin/ngff}
    PYTHON_FLAGS=(-X dev -W error)
    pytest_stage python tests/python
}

# Not part of the default stages: breaks the code once for each named defect and wants a red case.
stage_mutations() {
    build/peers/bin/python tests/mutations.py | tee build/test/mutations.log
    awk '/: ok, red/ {p++} /: FAIL/ {f++} END {print p + 0, f + 0, 0}' build/test/mutations.log \
        >build/test/mutations.count
}
