/* The fuzz targets: each is one function that takes any bytes and must come back without
 * a crash, a hang or unbounded memory. Two programs are made of each: one driven by
 * libFuzzer (./dev fuzz), one that replays a corpus and fixed mutations of it (a unit
 * test). */
#ifndef NGFF_TESTS_FUZZ_H
#define NGFF_TESTS_FUZZ_H

#include "base/base.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A broken promise of the library is an abort, which the driver reports with the input.
 */
#define FUZZ_CHECK(condition)                                                            \
    do {                                                                                 \
        if (!(condition))                                                                \
            abort();                                                                     \
    } while (0)

/* What every failing call must leave: a status that is an error, one line, without a
 * newline. */
static inline void fuzz_check_error(ngff_status status, const ngff_error *err) {
    FUZZ_CHECK(status < 0 && status != NGFF_INTERNAL && err->message[0] != '\0');
    FUZZ_CHECK(memchr(err->message, '\0', sizeof err->message) != NULL);
    FUZZ_CHECK(strchr(err->message, '\n') == NULL);
}

#endif
