/* The geometry of a tier: owners, hulls and the bounds the plan counts with. */
#include "engine/tier.h"

void ngff_tier_factor(const ngff_levels *levels, int root, int n, int64_t *factor) {
    for (int d = 0; d < levels->ndim; d++) {
        assert(levels->level[n].factor[d] % levels->level[root].factor[d] == 0);
        factor[d] = levels->level[n].factor[d] / levels->level[root].factor[d];
    }
}

void ngff_tier_reduction(const ngff_levels *levels, ngff_method method, ngff_dtype dtype,
                         int n, ngff_reduction *out) {
    const ngff_level *to = &levels->level[n];
    assert(n > 0 && to->source >= 0 && to->source < n);
    *out = (ngff_reduction){.method = method, .dtype = dtype, .ndim = levels->ndim};
    for (int d = 0; d < levels->ndim; d++) {
        out->step[d] = to->step[d];
        out->src_shape[d] = levels->level[to->source].shape[d];
        out->dst_shape[d] = to->shape[d];
    }
}

/* ---- owners ---------------------------------------------------------------------- */

/* Where in its footprint a pixel is anchored (pixels.md 7). */
static int64_t anchor(ngff_method method, int64_t factor) {
    return method == NGFF_METHOD_NEAREST ? (factor - 1) / 2 : 0;
}

static int64_t relative(const ngff_plan *plan, const ngff_tier *tier, int n, int axis) {
    return plan->levels.level[n].factor[axis] /
           plan->levels.level[tier->root].factor[axis];
}

static int64_t start_of(const ngff_plan *plan, const ngff_tier *tier, int n, int axis,
                        int64_t k) {
    int64_t factor = relative(plan, tier, n, axis);
    int64_t extent = plan->levels.level[n].shape[axis];
    if (k >= tier->grid[axis])
        return extent;
    int64_t first = k * tier->block[axis] - anchor(plan->method, factor);
    return first <= 0 ? 0 : ngff_min_i64(ngff_ceil_div(first, factor), extent);
}

void ngff_tier_owned(const ngff_plan *plan, const ngff_tier *tier, int n,
                     const int64_t *idx, ngff_box *out) {
    *out = (ngff_box){.ndim = plan->levels.ndim};
    for (int d = 0; d < out->ndim; d++) {
        out->start[d] = start_of(plan, tier, n, d, idx[d]);
        out->shape[d] = start_of(plan, tier, n, d, idx[d] + 1) - out->start[d];
        assert(out->shape[d] >= 0);
    }
}

void ngff_tier_hulls(const ngff_plan *plan, const ngff_tier *tier, const int64_t *idx,
                     ngff_box *hull) {
    for (int n = tier->root; n < plan->levels.count; n++) {
        if (n == tier->root || ngff_tier_has(tier->computed, n))
            ngff_tier_owned(plan, tier, n, idx, &hull[n]);
    }
    for (int n = plan->levels.count - 1; n > tier->root; n--) {
        ngff_reduction r;
        ngff_box need;
        if (!ngff_tier_has(tier->computed, n) || ngff_box_is_empty(&hull[n]))
            continue;
        int m = plan->levels.level[n].source;
        ngff_tier_reduction(&plan->levels, plan->method, plan->dtype, n, &r);
        ngff_reduction_need(&r, &hull[n], &need);
        ngff_box_hull(&hull[m], &need, &hull[m]);
    }
}

/* ---- bounds ---------------------------------------------------------------------- */

/* Asks the kernel about one pixel in the middle of a level much larger than any halo. */
void ngff_tier_halo_init(const ngff_levels *levels, ngff_method method, ngff_dtype dtype,
                         ngff_tier_halo *out) {
    memset(out, 0, sizeof *out);
    if (method == NGFF_METHOD_NEAREST)
        return; /* the sampled voxel is the anchor: always inside the block */
    const int64_t middle = 4096;
    for (int n = 1; n < levels->count; n++) {
        ngff_reduction r;
        ngff_box dst = {.ndim = levels->ndim}, need;
        ngff_tier_reduction(levels, method, dtype, n, &r);
        for (int d = 0; d < levels->ndim; d++) {
            r.src_shape[d] = 2 * middle * r.step[d];
            r.dst_shape[d] = 2 * middle;
            dst.start[d] = middle;
            dst.shape[d] = 1;
        }
        ngff_reduction_need(&r, &dst, &need);
        for (int d = 0; d < levels->ndim; d++) {
            int64_t start = middle * r.step[d], end = start + r.step[d];
            out->low[n][d] = ngff_max_i64(start - need.start[d], 0);
            out->high[n][d] = ngff_max_i64(need.start[d] + need.shape[d] - end, 0);
        }
    }
}

static void bound_axis(const ngff_levels *levels, const ngff_tier_halo *halo,
                       const ngff_tier *tier, int d, ngff_tier_bound *out) {
    int64_t low[NGFF_MAX_LEVELS] = {0}, high[NGFF_MAX_LEVELS] = {0};
    for (int n = levels->count - 1; n >= tier->root; n--) {
        if (n != tier->root && !ngff_tier_has(tier->computed, n))
            continue;
        const ngff_level *l = &levels->level[n];
        int64_t factor = l->factor[d] / levels->level[tier->root].factor[d];
        int64_t owned = ngff_ceil_div(tier->block[d], factor);
        out->extent[n][d] = ngff_min_i64(l->shape[d], owned + low[n] + high[n]);
        if (n == tier->root)
            continue;
        int m = l->source;
        int64_t ragged = tier->block[d] % factor == 0 ? 0 : l->step[d] - 1;
        int64_t before = low[n] * l->step[d] + halo->low[n][d];
        int64_t after = high[n] * l->step[d] + halo->high[n][d] + ragged;
        low[m] = ngff_max_i64(low[m], before);
        high[m] = ngff_max_i64(high[m], after);
    }
    out->low[d] = low[tier->root];
    out->high[d] = high[tier->root];
}

void ngff_tier_bounds(const ngff_levels *levels, ngff_method method,
                      const ngff_tier_halo *halo, const ngff_tier *tier,
                      ngff_tier_bound *out) {
    memset(out, 0, sizeof *out);
    for (int d = 0; d < levels->ndim; d++)
        bound_axis(levels, halo, tier, d, out);
    if (method != NGFF_METHOD_NEAREST)
        return;
    memset(out->low, 0, sizeof out->low);
    memset(out->high, 0, sizeof out->high);
    for (int d = 0; d < levels->ndim; d++)
        out->extent[tier->root][d] =
            ngff_min_i64(tier->block[d], levels->level[tier->root].shape[d]);
}

static bool add_aligned(size_t *total, size_t size) {
    size_t end;
    if (!ngff_add_size(*total, size, &end) || end > SIZE_MAX - 63)
        return false;
    *total = (end + 63) & ~(size_t)63;
    return true;
}

ngff_status ngff_tier_lay_out(const ngff_levels *levels, ngff_method method,
                              ngff_dtype dtype, const ngff_tier *tier,
                              const ngff_tier_bound *bound, ngff_tier_layout *out,
                              ngff_error *err) {
    size_t scratch = NGFF_TILE_SCRATCH;
    memset(out, 0, sizeof *out);
    for (int n = tier->root; n < levels->count; n++) {
        size_t size;
        if (n != tier->root && !ngff_tier_has(tier->computed, n))
            continue;
        out->off[n] = out->size;
        NGFF_TRY(ngff_nd_bytes(levels->ndim, bound->extent[n], dtype, &size, err));
        if (!add_aligned(&out->size, size))
            return ngff_fail(err, NGFF_LIMIT, "a block leaves the address space");
        if (n == tier->root)
            continue;
        ngff_reduction r;
        ngff_tier_reduction(levels, method, dtype, n, &r);
        size_t need = ngff_reduction_scratch(&r, bound->extent[n]);
        scratch = need > scratch ? need : scratch;
    }
    out->scratch_off = out->size;
    if (!add_aligned(&out->size, scratch))
        return ngff_fail(err, NGFF_LIMIT, "a block leaves the address space");
    return NGFF_OK;
}
