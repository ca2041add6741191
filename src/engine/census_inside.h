/* The inside of a census: what counting (census.c) and reading (census_window.c) share.
 */
#ifndef NGFF_ENGINE_CENSUS_INSIDE_H
#define NGFF_ENGINE_CENSUS_INSIDE_H

#include "engine/census.h"
#include "sys/sys.h"

typedef struct ngff_census_channel {
    uint64_t count;    /* finite values */
    uint64_t min, max; /* keys */
} ngff_census_channel;

struct ngff_census {
    const ngff_allocator *alloc;
    ngff_dtype dtype;
    int axis;
    int64_t channel_count;
    size_t bin_count;
    ngff_census_channel *channel;
    uint64_t *bins; /* bin_count of each channel */
    ngff_mutex *lock;
    struct ngff_census_part *idle;
};

/* Bits of a key below those that choose its bin. */
static inline int ngff_census_shift(ngff_dtype dtype) {
    size_t bits = 8 * ngff_dtype_size(dtype);
    return bits > 16 ? (int)bits - 16 : 0;
}

#endif
