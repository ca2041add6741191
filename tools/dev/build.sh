# ./dev build: the release build; build/ngff is the command line afterwards.
# shellcheck shell=bash
source tools/dev/setup.sh

dev_build() {
    setup_for_build
    mkdir -p build
    build_preset release build/release "$@"
    ln -sfn release/bin/ngff build/.ngff.$$
    mv -T build/.ngff.$$ build/ngff
    say "build: build/ngff"
}
