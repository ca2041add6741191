/* support: an allocator that fails on demand and counts what is alive.
 * Walk every failure of a call: for (fail_at = 0; ; fail_at++) run until the call
 * succeeds, and after each run `live` must be back at its start. */
#ifndef NGFF_TEST_SUPPORT_ALLOC_H
#define NGFF_TEST_SUPPORT_ALLOC_H

#include "base/base.h"

#include <stdlib.h>

typedef struct failing_alloc {
    ngff_allocator ops; /* give &f.ops to the code under test */
    long live;          /* blocks allocated and not released */
    long calls;         /* allocations asked for since the last arming */
    long fail_at;       /* the call that fails, counted from 0; -1: none */
} failing_alloc;

static inline void *failing_take(void *user, size_t size) {
    failing_alloc *f = user;
    if (f->calls++ == f->fail_at)
        return NULL;
    void *block = malloc(size);
    f->live += block != NULL;
    return block;
}

static inline void failing_release(void *user, void *block) {
    failing_alloc *f = user;
    f->live -= block != NULL;
    free(block);
}

static inline void failing_init(failing_alloc *f) {
    *f = (failing_alloc){.fail_at = -1};
    f->ops = (ngff_allocator){failing_take, failing_release, f};
}

static inline void failing_arm(failing_alloc *f, long fail_at) {
    f->calls = 0;
    f->fail_at = fail_at;
}

#endif
