/* The geometry of a tier: which pixels of which level belong to a block, and how large
 * the buffers of a block become. Pure functions of the plan; shared by the planner (upper
 * bounds) and the run (exact boxes).
 *
 * A block owns the pixels of level n whose anchor, p * f + off, lies inside the block (f:
 * the level's factor relative to the root; off: 0, or the sampled voxel's place for
 * NEAREST). So every pixel has exactly one owner for any block extent; a block extent
 * that is a multiple of f * chunk makes whole chunks of them. */
#ifndef NGFF_ENGINE_TIER_H
#define NGFF_ENGINE_TIER_H

#include "engine/engine.h"
#include "engine/tiles.h"

static inline bool ngff_tier_has(uint32_t set, int level) {
    return (set >> level & 1) != 0;
}

/* Factors of level n relative to `root`. */
void ngff_tier_factor(const ngff_levels *levels, int root, int n, int64_t *factor);
/* How level n is made from its source. */
void ngff_tier_reduction(const ngff_levels *levels, ngff_method method, ngff_dtype dtype,
                         int n, ngff_reduction *out);
/* Pixels of level n that block `idx` owns; may be empty. */
void ngff_tier_owned(const ngff_plan *plan, const ngff_tier *tier, int n,
                     const int64_t *idx, ngff_box *out);
/* The boxes of every level of the tier that block `idx` must hold: what it owns and what
 * coarser levels need. `hull` is indexed by level; untouched for levels outside. */
void ngff_tier_hulls(const ngff_plan *plan, const ngff_tier *tier, const int64_t *idx,
                     ngff_box *hull);

/* Pixels around its block that one step of a level needs, from the kernel's own answer.
 */
typedef struct ngff_tier_halo {
    int64_t low[NGFF_MAX_LEVELS][NGFF_MAX_NDIM];
    int64_t high[NGFF_MAX_LEVELS][NGFF_MAX_NDIM];
} ngff_tier_halo;
void ngff_tier_halo_init(const ngff_levels *levels, ngff_method method, ngff_dtype dtype,
                         ngff_tier_halo *out);

/* Upper bounds of hull extents over all blocks, for root and computed levels, and the
 * root's halo on each side. */
typedef struct ngff_tier_bound {
    int64_t extent[NGFF_MAX_LEVELS][NGFF_MAX_NDIM];
    int64_t low[NGFF_MAX_NDIM], high[NGFF_MAX_NDIM];
} ngff_tier_bound;
void ngff_tier_bounds(const ngff_levels *levels, ngff_method method,
                      const ngff_tier_halo *halo, const ngff_tier *tier,
                      ngff_tier_bound *out);

/* Workspace layout of a worker: where each level's buffer starts. */
typedef struct ngff_tier_layout {
    size_t off[NGFF_MAX_LEVELS];
    size_t scratch_off; /* for ngff_reduce, and to read tiles */
    size_t size;
} ngff_tier_layout;
/* LIMIT when a size leaves 64 bits. */
NGFF_MUST_USE ngff_status ngff_tier_lay_out(const ngff_levels *levels, ngff_method method,
                                            ngff_dtype dtype, const ngff_tier *tier,
                                            const ngff_tier_bound *bound,
                                            ngff_tier_layout *out, ngff_error *err);

#endif
