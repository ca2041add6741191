/* How much may wait, encoded, for its turn: chunks of a shard that come before those of
 * lower rank, entries of an archive. Without a spill file the plan must hold all of it,
 * so this is a bound, not a guess; nobody waits for a worker that has stopped for a
 * while. */
#include "engine/search.h"

/* Codecs make what they cannot compress a little larger. */
static uint64_t encoded_most(const ngff_plan_input *in, const ngff_level *l) {
    size_t size;
    if (ngff_nd_bytes(in->levels->ndim, l->chunk, in->dtype, &size, NULL) != NGFF_OK)
        return UINT64_MAX / 64;
    return (uint64_t)size + size / 64 + 1024;
}

static uint64_t times(uint64_t a, uint64_t b) {
    uint64_t product;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX / 64 : product;
}

static uint64_t whole_level(const ngff_plan_input *in, const ngff_level *l) {
    uint64_t bytes = encoded_most(in, l);
    for (int d = 0; d < in->levels->ndim; d++)
        bytes = times(bytes, (uint64_t)ngff_ceil_div(l->shape[d], l->chunk[d]));
    return bytes;
}

/* Do blocks and shards nest, so that the blocks of a shard come one after the other
 * (order.c)? */
static bool nest(const ngff_plan_input *in, const ngff_tier *t, const ngff_level *l) {
    int bits = 0;
    for (int d = 0; d < in->levels->ndim; d++) {
        int64_t shard = l->chunk[d] * (l->sharded ? l->per_shard[d] : 1);
        if (shard % t->block[d] != 0 && t->block[d] % shard != 0)
            return false;
        for (int64_t last = t->grid[d] - 1; last > 0; last >>= 1)
            bits += 2;
    }
    return bits <= 60;
}

/* Of the root: each worker keeps the shards of its block waiting, and one shard is
 * between two blocks. */
static uint64_t root_level(const ngff_plan_input *in, const ngff_tier *t,
                           const ngff_level *l) {
    uint64_t whole = whole_level(in, l), bytes = encoded_most(in, l);
    const int slow = in->traits.slow_axis;
    if (in->ordered)
        return whole;
    if (in->staged) {
        /* A stream leaves a layer of shards behind when it has begun the next. */
        uint64_t shard = (uint64_t)(l->chunk[slow] * l->per_shard[slow]);
        uint64_t layers = ((uint64_t)l->shape[slow] + shard - 1) / shard;
        return in->traits.sequential && layers > 2 ? whole / layers * 2 + bytes : whole;
    }
    if (!nest(in, t, l))
        return whole;
    for (int d = 0; d < in->levels->ndim; d++) {
        int64_t chunks = ngff_max_i64(t->block[d] / l->chunk[d], l->per_shard[d]);
        bytes = times(bytes, (uint64_t)chunks);
    }
    bytes = times(bytes, (uint64_t)in->threads + 1);
    return bytes < whole ? bytes : whole;
}

static uint64_t of_tier(const ngff_plan_input *in, const ngff_tier *t) {
    uint64_t bytes = 0;
    for (int n = in->first_level; n < in->levels->count; n++) {
        const ngff_level *l = &in->levels->level[n];
        if (n == t->root && (l->sharded || in->ordered))
            bytes += root_level(in, t, l);
        else if (ngff_tier_has(t->encoded, n) && l->sharded && !in->ordered)
            bytes += whole_level(in, l); /* of an archive: in->early */
    }
    return bytes;
}

uint64_t ngff_search_parked(const ngff_plan_input *in, const ngff_plan *plan) {
    uint64_t most = 0;
    for (int i = 0; i < plan->tier_count; i++) {
        uint64_t bytes = of_tier(in, &plan->tier[i]);
        most = bytes > most ? bytes : most;
    }
    return most;
}
