/* What block extents weigh when a job is to be lean: bytes held, not time. */
#include "engine/search.h"

/* Bytes through the spill file that weigh as much as one byte of memory: the file grows
 * with the image, and so do the blocks, with the cube root of it. */
static const double SPILLED_PER_BYTE = 16.0;
static const double BLOCK_BYTES = 1024.0;       /* … that a block of its own weighs */
static const double WORKSPACE_LEAST = 524288.0; /* smaller ones are not better */
static const double BEYOND = 4.0;               /* bytes beyond the budget weigh more */

/* Whether blocks leave whole units half used along an axis: they reach into the next one,
 * or end within one. */
static bool leaves(const ngff_plan_input *in, const ngff_tier *tier,
                   const ngff_tier_bound *bound, int d) {
    if (tier->grid[d] == 1)
        return false;
    return bound->high[d] > 0 || tier->block[d] % in->traits.unit[d] != 0;
}

/* Bytes of whole units that a source which reads whole units once must hold between the
 * blocks of a tier, in the order of the walk; 0 for a retained root. */
static double held_between(const ngff_plan_input *in, const ngff_tier *tier,
                           const ngff_tier_bound *bound) {
    const ngff_level *root = &in->levels->level[tier->root];
    double total = 0.0;
    if (tier->source_level < 0)
        return 0.0;
    for (int d = 0; d < in->levels->ndim; d++) {
        double layer = (double)ngff_dtype_size(in->dtype);
        if (!leaves(in, tier, bound, d))
            continue;
        for (int e = 0; e < in->levels->ndim; e++) {
            int64_t unit = ngff_max_i64(in->traits.unit[e], 1);
            int64_t extent = e == d  ? unit
                             : e > d ? root->shape[e]
                                     : ngff_ceil_div(tier->block[e], unit) * unit;
            layer *= (double)ngff_min_i64(extent, root->shape[e]);
        }
        total += layer;
    }
    return total;
}

double ngff_search_lean_price(const ngff_plan_input *in, const ngff_tier *tier,
                              const ngff_tier_bound *bound, uint64_t need) {
    double blocks = 1.0, workspace = (double)tier->workspace;
    double held = held_between(in, tier, bound);
    for (int d = 0; d < in->levels->ndim; d++)
        blocks *= (double)tier->grid[d];
    if (workspace < WORKSPACE_LEAST)
        workspace = WORKSPACE_LEAST;
    double beyond = (double)need + held - (double)in->budget;
    return workspace * in->threads + held +
           (double)tier->retained_bytes / SPILLED_PER_BYTE + blocks * BLOCK_BYTES +
           (beyond > 0.0 ? beyond * BEYOND : 0.0);
}
