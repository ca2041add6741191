/* shared: what threads write together. A lock for a few instructions, a counter for
 * sums, and, in builds with NGFF_COUNT_LOCKS, how often threads meet in them and in the
 * mutexes of sys: contention on many cores cannot be timed on a machine with few, but it
 * can be counted. Other builds carry nothing of the counting. Any thread may call
 * anything but where it says otherwise. */
#ifndef NGFF_BASE_SHARED_H
#define NGFF_BASE_SHARED_H

#include "base/base.h"

#include <stdatomic.h>

/* ---- counting ---- */

typedef enum ngff_meeting {
    NGFF_MEET_MUTEX = 0,  /* a mutex was taken */
    NGFF_MEET_MUTEX_WAIT, /* … and somebody else had it */
    NGFF_MEET_SPIN,       /* a spin lock was taken */
    NGFF_MEET_SPIN_WAIT,  /* … and somebody else had it */
    NGFF_MEET_SLEEP,      /* a thread waited for a condition */
    NGFF_MEET_ATOMIC,     /* any other atomic write to shared memory */
    NGFF_MEETINGS
} ngff_meeting;

#ifdef NGFF_COUNT_LOCKS
void ngff_meet(ngff_meeting what);
/* Adds what the calling thread has counted to the sum; at the end of a thread. */
void ngff_meetings_flush(void);
#else
static inline void ngff_meet(ngff_meeting what) {
    (void)what;
}
static inline void ngff_meetings_flush(void) {}
#endif
/* The sum of this thread and of all that have ended, which starts again from zero. False:
 * nothing is counted in this build. */
bool ngff_meetings_take(uint64_t count[NGFF_MEETINGS]);

/* ---- a lock ---- */

/* Held for a few instructions only, never across a call that could block. */
typedef struct ngff_spin {
    atomic_flag flag;
} ngff_spin;

static inline void ngff_spin_init(ngff_spin *s) {
    atomic_flag_clear_explicit(&s->flag, memory_order_relaxed);
}
void ngff_spin_lock(ngff_spin *s);
void ngff_spin_unlock(ngff_spin *s);

/* ---- a sum ---- */

static inline void ngff_shared_add(atomic_uint_fast64_t *sum, uint64_t n) {
    ngff_meet(NGFF_MEET_ATOMIC);
    atomic_fetch_add_explicit(sum, n, memory_order_relaxed);
}

#endif
