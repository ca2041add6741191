# ./dev man: writes the man page again from the option tables of the command line.
# shellcheck shell=bash
source tools/dev/build.sh

dev_man() {
    dev_build
    build/ngff --man >docs/man/ngff.1
    note "docs/man/ngff.1"
}
