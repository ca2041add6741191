/* What follows from a tier's block extents: which levels are computed, encoded and
 * retained, and what that takes. */
#include "engine/search.h"

/* Whole chunks of level n come out of every block. */
static bool encodes(const ngff_levels *levels, const ngff_tier *tier, int n) {
    const ngff_level *l = &levels->level[n];
    for (int d = 0; d < levels->ndim; d++) {
        int64_t factor = l->factor[d] / levels->level[tier->root].factor[d];
        int64_t span;
        if (tier->grid[d] == 1)
            continue;
        if (!ngff_mul_i64(factor, l->chunk[d], &span) || tier->block[d] % span != 0)
            return false;
    }
    return true;
}

/* A level is computed when its source is the root, or is encoded here; a level that is
 * computed but not encoded is retained, and its children wait for its own tier. */
static void choose_levels(const ngff_plan_input *in, ngff_tier *tier) {
    const ngff_levels *levels = in->levels;
    tier->computed = tier->encoded = tier->retained = 0;
    assert(encodes(levels, tier, tier->root));
    for (int n = tier->root + 1; n < levels->count; n++) {
        int m = levels->level[n].source;
        if (in->source_level[n] >= 0)
            continue; /* copied from the source in a tier of its own */
        if (m != tier->root && !ngff_tier_has(tier->encoded, m))
            continue;
        tier->computed |= UINT32_C(1) << n;
        if (encodes(levels, tier, n))
            tier->encoded |= UINT32_C(1) << n;
        else
            tier->retained |= UINT32_C(1) << n;
    }
}

/* Elements along an axis that a source decodes for a block with `low` and `high` around
 * it, on average, when it can only read whole units. */
static double touched(int64_t shape, int64_t extent, int64_t unit, int64_t low,
                      int64_t high) {
    int64_t want = ngff_min_i64(extent + low + high, shape);
    if (unit <= 1 || want >= shape)
        return (double)want;
    int64_t around = ngff_ceil_div(low, unit) + ngff_ceil_div(high, unit);
    int64_t got = extent % unit == 0 ? extent + around * unit : want + unit - 1;
    int64_t whole = ngff_ceil_div(shape, unit) * unit;
    return (double)ngff_min_i64(got, whole);
}

static double amplification(const ngff_plan_input *in, const ngff_tier *tier,
                            const ngff_tier_bound *bound) {
    const ngff_level *root = &in->levels->level[tier->root];
    bool direct = tier->root == in->root && !in->staged && in->traits.compressed;
    double product = 1.0;
    for (int d = 0; d < in->levels->ndim; d++) {
        int64_t unit = direct ? in->traits.unit[d] : 1;
        double got =
            touched(root->shape[d], tier->block[d], unit, bound->low[d], bound->high[d]);
        product *= got * (double)tier->grid[d] / (double)root->shape[d];
    }
    return product < 1.0 ? 1.0 : product;
}

ngff_status ngff_search_settle(const ngff_plan_input *in, ngff_tier *tier,
                               ngff_tier_bound *bound, ngff_error *err) {
    ngff_tier_layout layout;
    const ngff_level *root = &in->levels->level[tier->root];
    for (int d = 0; d < in->levels->ndim; d++)
        tier->grid[d] = ngff_ceil_div(root->shape[d], tier->block[d]);
    choose_levels(in, tier);
    ngff_tier_bounds(in->levels, in->method, &in->halo, tier, bound);
    NGFF_TRY(
        ngff_tier_lay_out(in->levels, in->method, in->dtype, tier, bound, &layout, err));
    tier->workspace = layout.size;
    tier->retained_bytes = 0;
    for (int n = tier->root + 1; n < in->levels->count; n++) {
        size_t size;
        if (!ngff_tier_has(tier->retained, n))
            continue;
        NGFF_TRY(ngff_nd_bytes(in->levels->ndim, in->levels->level[n].shape, in->dtype,
                               &size, err));
        tier->retained_bytes += size;
    }
    tier->amplification = amplification(in, tier, bound);
    return NGFF_OK;
}
