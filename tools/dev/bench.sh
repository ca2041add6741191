# ./dev bench [options of bench/run.py]: ratios against the floor and the peers, all measured in one
# run on this machine. --quick: two rounds. See bench/README.md.
# shellcheck shell=bash
source tools/dev/build.sh

dev_bench() {
    setup_for_tests
    dev_build
    mkdir -p build/bench
    peers_python bench/run.py "$@"
    say "bench: build/bench/result.md, result.json, plot.png"
}
