/* support: reproducible random numbers (splitmix64). */
#ifndef NGFF_TEST_SUPPORT_RANDOM_H
#define NGFF_TEST_SUPPORT_RANDOM_H

#include <stdint.h>

static inline uint64_t random_next(uint64_t *state) {
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* lo <= answer <= hi */
static inline int64_t random_range(uint64_t *state, int64_t lo, int64_t hi) {
    return lo + (int64_t)(random_next(state) % (uint64_t)(hi - lo + 1));
}

#endif
