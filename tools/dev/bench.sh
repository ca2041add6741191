# ./dev bench: ratios against peers, all measured in one run on this machine.
# shellcheck shell=bash
source tools/dev/build.sh

dev_bench() {
    setup_for_tests
    dev_build
    [ -f bench/run.py ] || die "bench/run.py is missing"
    NGFF=$ROOT/build/ngff peers_python bench/run.py "$@"
}
