/* The search for block extents. The weights below are nanoseconds, measured once on a
 * machine of 2023 and rounded; only their ratios matter. */
#include "engine/search.h"

#include <math.h>

#define MAX_CANDIDATES 16

static const double ENCODE_NS = 1.5;         /* per byte: shuffle and compress */
static const double COPY_NS = 0.15;          /* per byte: memory that misses the cache */
static const double READ_NS = 0.25;          /* per byte from the page cache */
static const double DECODE_NS = 4.0;         /* per byte of a compressed source */
static const double RUN_NS = 400.0;          /* per contiguous run of a file */
static const double MEMORY_RUN_NS = 10.0;    /* per contiguous run of an array */
static const double RETAIN_NS = 1.5;         /* per byte kept in memory, both ways */
static const double SPILL_NS = 3.0;          /* … in the spill file */
static const double BLOCK_NS = 20000.0;      /* per block */
static const double CACHE_BYTES = 4194304.0; /* a worker's share of the caches */

uint64_t ngff_search_worker_memory(const ngff_plan_input *in) {
    return (uint64_t)in->codec_memory + in->traits.memory + 64 * 1024;
}

uint64_t ngff_search_fixed_memory(const ngff_plan_input *in) {
    return 256 * 1024 + in->shard_memory + in->census_memory;
}

static double root_bytes(const ngff_plan_input *in, const ngff_tier *tier) {
    double n = (double)ngff_dtype_size(in->dtype);
    for (int d = 0; d < in->levels->ndim; d++)
        n *= (double)in->levels->level[tier->root].shape[d];
    return n;
}

static double blocks_of(const ngff_plan_input *in, const ngff_tier *tier) {
    double n = 1.0;
    for (int d = 0; d < in->levels->ndim; d++)
        n *= (double)tier->grid[d];
    return n;
}

/* ---- cost ------------------------------------------------------------------------ */

/* Bytes of a contiguous run when a block is read from a file in C order. */
static double run_bytes(const ngff_plan_input *in, const ngff_tier *tier,
                        const ngff_tier_bound *bound) {
    const ngff_level *root = &in->levels->level[tier->root];
    double run = (double)ngff_dtype_size(in->dtype);
    for (int d = in->levels->ndim - 1; d >= 0; d--) {
        run *= (double)bound->extent[tier->root][d];
        if (bound->extent[tier->root][d] < root->shape[d])
            break;
    }
    return run;
}

static double read_cost(const ngff_plan_input *in, const ngff_tier *tier,
                        const ngff_tier_bound *bound) {
    double bytes = root_bytes(in, tier) * tier->amplification;
    if (tier->source_level < 0)
        return bytes * RETAIN_NS;
    if (in->traits.compressed && !in->staged)
        return bytes * DECODE_NS;
    double run_ns = in->in_memory ? MEMORY_RUN_NS : RUN_NS;
    return bytes * READ_NS + bytes / run_bytes(in, tier, bound) * run_ns;
}

static double method_ns(ngff_method method) {
    switch (method) {
    case NGFF_METHOD_NEAREST:
        return 0.05;
    case NGFF_METHOD_BIN_SHRINK:
    case NGFF_METHOD_MIN:
    case NGFF_METHOD_MAX:
        return 0.4;
    default:
        return 2.5;
    }
}

static double reduce_cost(const ngff_plan_input *in, const ngff_tier *tier,
                          const ngff_tier_bound *bound) {
    double elements = 0.0;
    for (int n = tier->root + 1; n < in->levels->count; n++) {
        double volume = 1.0;
        if (!ngff_tier_has(tier->computed, n))
            continue;
        for (int d = 0; d < in->levels->ndim; d++)
            volume *= (double)(bound->extent[n][d] * in->levels->level[n].step[d]);
        elements += volume;
    }
    return elements * blocks_of(in, tier) * method_ns(in->method);
}

/* Workers that run dry at the end, and blocks that are fewer than workers. */
static double imbalance(double blocks, int threads) {
    double rounds = ceil(blocks / threads);
    return rounds * threads / blocks;
}

static double cost(const ngff_plan_input *in, const ngff_tier *tier,
                   const ngff_tier_bound *bound, uint64_t spill) {
    double bytes = root_bytes(in, tier), blocks = blocks_of(in, tier);
    double beyond = (double)tier->workspace / CACHE_BYTES;
    double retain_ns = tier->retained_bytes <= spill ? RETAIN_NS : SPILL_NS;
    double total = bytes * ENCODE_NS + read_cost(in, tier, bound) +
                   reduce_cost(in, tier, bound) + blocks * BLOCK_NS +
                   (double)tier->retained_bytes * retain_ns;
    if (beyond > 1.0)
        total += bytes * COPY_NS * log2(beyond);
    return total * imbalance(blocks, in->threads);
}

/* ---- candidates ------------------------------------------------------------------ */

typedef struct candidates {
    int count;
    int64_t extent[MAX_CANDIDATES];
} candidates;

/* Keeps the list sorted and without repeats; the largest fall off. */
static void add(candidates *c, int64_t extent) {
    int at = 0;
    while (at < c->count && c->extent[at] < extent)
        at++;
    if (at == MAX_CANDIDATES || (at < c->count && c->extent[at] == extent))
        return;
    int last = c->count < MAX_CANDIDATES ? c->count++ : MAX_CANDIDATES - 1;
    for (int i = last; i > at; i--)
        c->extent[i] = c->extent[i - 1];
    c->extent[at] = extent;
}

static int64_t lcm(int64_t a, int64_t b) {
    int64_t x = a, y = b, out;
    while (y != 0) {
        int64_t rest = x % y;
        x = y;
        y = rest;
    }
    return ngff_mul_i64(a / x, b, &out) ? out : INT64_MAX;
}

static bool reduced(const ngff_levels *levels, int root, int d) {
    return levels->level[levels->count - 1].factor[d] > levels->level[root].factor[d];
}

/* Multiples of the root's chunk: what whole chunks of coarser levels need, what whole
 * units of the source need, powers of two between, and the whole axis. */
static void candidates_of(const ngff_plan_input *in, const ngff_tier *tier, int d,
                          candidates *c) {
    const ngff_levels *levels = in->levels;
    const ngff_level *root = &levels->level[tier->root];
    int64_t chunk = root->chunk[d], shape = root->shape[d];
    int64_t whole = ngff_ceil_div(shape, chunk) * chunk;
    c->count = 0;
    add(c, chunk);
    if (tier->root == in->root && in->traits.unit[d] > 1) {
        int64_t unit = ngff_min_i64(in->traits.unit[d], shape);
        add(c, ngff_ceil_div(unit, chunk) * chunk);
        int64_t both = lcm(unit, chunk);
        add(c, both < whole ? both : whole);
    }
    for (int n = tier->root + 1; n < levels->count && reduced(levels, tier->root, d);
         n++) {
        const ngff_level *l = &levels->level[n];
        int64_t factor = l->factor[d] / root->factor[d];
        if (l->factor[d] % root->factor[d] != 0)
            continue;
        int64_t need = lcm(chunk, factor * l->chunk[d]);
        add(c, need < whole ? need : whole);
    }
    if (!reduced(levels, tier->root, d) && chunk == 1)
        return; /* time and channel: one by one, or by the unit of the source */
    for (int64_t e = chunk; e < whole; e *= 2)
        add(c, e);
    if (c->extent[c->count - 1] == whole)
        return;
    if (c->count == MAX_CANDIDATES)
        c->count--;
    c->extent[c->count++] = whole;
}

/* ---- search ---------------------------------------------------------------------- */

static bool next(const candidates *c, int ndim, int *at) {
    for (int d = ndim - 1; d >= 0; d--) {
        if (++at[d] < c[d].count)
            return true;
        at[d] = 0;
    }
    return false;
}

/* Bytes that `in->threads` workers, and with --no-spill all that waits, take. */
static bool budget_of(const ngff_plan_input *in, const ngff_tier *tier, uint64_t live,
                      uint64_t *out) {
    uint64_t worker = ngff_search_worker_memory(in), all;
    if (__builtin_add_overflow(worker, (uint64_t)tier->workspace, &worker) ||
        __builtin_mul_overflow(worker, (uint64_t)in->threads, &all) ||
        __builtin_add_overflow(all, ngff_search_fixed_memory(in), &all))
        return false;
    if (in->no_spill && (__builtin_add_overflow(all, live, &all) ||
                         __builtin_add_overflow(all, tier->retained_bytes, &all)))
        return false;
    *out = all;
    return true;
}

bool ngff_search_block(const ngff_plan_input *in, uint64_t live, ngff_tier *tier,
                       uint64_t *least) {
    candidates c[NGFF_MAX_NDIM];
    int at[NGFF_MAX_NDIM] = {0};
    double best = INFINITY;
    ngff_tier found = *tier;
    *least = UINT64_MAX;
    for (int d = 0; d < in->levels->ndim; d++)
        candidates_of(in, tier, d, &c[d]);
    do {
        ngff_tier_bound bound;
        ngff_tier t = *tier;
        uint64_t need;
        for (int d = 0; d < in->levels->ndim; d++)
            t.block[d] = c[d].extent[at[d]];
        if (ngff_search_settle(in, &t, &bound, NULL) != NGFF_OK ||
            !budget_of(in, &t, live, &need))
            continue;
        *least = need < *least ? need : *least;
        if (need > in->budget)
            continue;
        uint64_t rest = in->budget - need;
        double price = in->lean ? ngff_search_lean_price(in, &t, &bound, need)
                                : cost(in, &t, &bound, rest > live ? rest - live : 0);
        if (price < best) {
            best = price;
            found = t;
        }
    } while (next(c, in->levels->ndim, at));
    if (best < INFINITY)
        *tier = found;
    return best < INFINITY;
}
