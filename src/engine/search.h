/* The search for block extents: all candidates per axis, one cost model, one winner.
 * Pure; part of the plan. */
#ifndef NGFF_ENGINE_SEARCH_H
#define NGFF_ENGINE_SEARCH_H

#include "engine/tier.h"

/* Everything the plan depends on, as values. */
typedef struct ngff_plan_input {
    const ngff_levels *levels;
    ngff_method method;
    ngff_dtype dtype;
    ngff_source_traits traits;
    bool in_memory;                    /* reading a short run costs no system call */
    bool staged;                       /* a window stands between source and blocks */
    int source_level[NGFF_MAX_LEVELS]; /* level of the source that is copied; -1: none */
    int first_level;                   /* levels below it are not written, … */
    int root;              /* … but read from this one on: the root of the first tier */
    size_t codec_memory;   /* bytes of a worker's codec context */
    uint64_t shard_memory; /* bytes of the shards that are open at once */
    uint64_t census_memory; /* bytes that the census takes */
    bool ordered;           /* the output is one sequence of bytes */
    uint64_t early;         /* bytes that wait for their place in an archive */
    uint64_t budget;
    int threads;
    bool no_spill;
    bool lean;
    ngff_tier_halo halo;
} ngff_plan_input;

/* Bytes that are held whatever the block: per worker, and once. */
uint64_t ngff_search_worker_memory(const ngff_plan_input *in);
uint64_t ngff_search_fixed_memory(const ngff_plan_input *in);

/* Which levels a tier computes, encodes and retains for its block extents; fills grid,
 * workspace, retained_bytes, amplification. LIMIT when a block leaves 64 bits. */
NGFF_MUST_USE ngff_status ngff_search_settle(const ngff_plan_input *in, ngff_tier *tier,
                                             ngff_tier_bound *bound, ngff_error *err);
/* Chooses tier->block for tier->root and in->threads workers under in->budget, of which
 * `live` bytes are held by levels retained before (and the window). False when no
 * candidate fits. *least: the smallest budget that would do. */
bool ngff_search_block(const ngff_plan_input *in, uint64_t live, ngff_tier *tier,
                       uint64_t *least);

/* The price of a candidate of a lean job, in bytes; `need` as budget_of. */
double ngff_search_lean_price(const ngff_plan_input *in, const ngff_tier *tier,
                              const ngff_tier_bound *bound, uint64_t need);

/* Bytes that may wait for their turn in shards and archives, at most (parking.c). */
uint64_t ngff_search_parked(const ngff_plan_input *in, const ngff_plan *plan);

/* The window in front of tier 0 (a settled tier). */
void ngff_window_plan_for(const ngff_plan_input *in, const ngff_tier *tier,
                          const ngff_tier_bound *bound, ngff_window_plan *out);

#endif
