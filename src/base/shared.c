/* base: see shared.h. */
#include "base/shared.h"

#if !defined(__STDC_NO_THREADS__)
#include <threads.h>
#endif

enum { SPINS_BEFORE_YIELD = 128 };

void ngff_spin_lock(ngff_spin *s) {
    ngff_meet(NGFF_MEET_SPIN);
    for (int spins = 0; atomic_flag_test_and_set_explicit(&s->flag, memory_order_acquire);
         spins++) {
        if (spins == 0)
            ngff_meet(NGFF_MEET_SPIN_WAIT);
#if !defined(__STDC_NO_THREADS__)
        if (spins >= SPINS_BEFORE_YIELD) /* the holder may have lost its core */
            thrd_yield();
#endif
    }
}

void ngff_spin_unlock(ngff_spin *s) {
    atomic_flag_clear_explicit(&s->flag, memory_order_release);
}

/* ---- counting ---- */

#ifdef NGFF_COUNT_LOCKS

/* Counted apart, so that counting is not a meeting itself. */
static _Thread_local uint64_t own[NGFF_MEETINGS];
static atomic_uint_fast64_t all[NGFF_MEETINGS];

void ngff_meet(ngff_meeting what) {
    own[what]++;
}

void ngff_meetings_flush(void) {
    for (int i = 0; i < NGFF_MEETINGS; i++) {
        atomic_fetch_add_explicit(&all[i], own[i], memory_order_relaxed);
        own[i] = 0;
    }
}

bool ngff_meetings_take(uint64_t count[NGFF_MEETINGS]) {
    ngff_meetings_flush();
    for (int i = 0; i < NGFF_MEETINGS; i++)
        count[i] = atomic_exchange_explicit(&all[i], 0, memory_order_relaxed);
    return true;
}

#else

bool ngff_meetings_take(uint64_t count[NGFF_MEETINGS]) {
    memset(count, 0, NGFF_MEETINGS * sizeof *count);
    return false;
}

#endif
