/* Orders of execution. */
#include "engine/order.h"

static int bits_of(int64_t last) {
    int bits = 0;
    while (last >> bits != 0)
        bits++;
    return bits;
}

/* ---- Morton walk ------------------------------------------------------------------ */

/* Bits from the highest level down, axis 0 first, axes without a bit at a level left out:
 * the order of ngff_nd_morton with as few codes as possible. */
static void decode(const ngff_walk *w, uint64_t code, int64_t *idx) {
    int level = 0;
    memset(idx, 0, sizeof(int64_t) * (size_t)w->box.ndim);
    while (code != 0) {
        for (int d = w->box.ndim - 1; d >= 0; d--) {
            if (w->bits[d] <= level)
                continue;
            idx[d] |= (int64_t)(code & 1) << level;
            code >>= 1;
        }
        level++;
    }
}

static uint64_t encode(const ngff_walk *w, const int64_t *idx) {
    uint64_t code = 0;
    for (int level = 62; level >= 0; level--)
        for (int d = 0; d < w->box.ndim; d++)
            if (w->bits[d] > level)
                code = code << 1 | ((uint64_t)(idx[d] >> level) & 1);
    return code;
}

void ngff_walk_init(ngff_walk *w, const ngff_box *box) {
    int64_t last[NGFF_MAX_NDIM];
    int total = 0;
    *w = (ngff_walk){.box = *box};
    assert(!ngff_box_is_empty(box));
    for (int d = 0; d < box->ndim; d++) {
        last[d] = box->start[d] + box->shape[d] - 1;
        w->bits[d] = bits_of(last[d]);
        total += w->bits[d];
    }
    assert(total <= 63);
    (void)total;
    w->code = encode(w, box->start);
    w->last = encode(w, last);
}

bool ngff_walk_next(ngff_walk *w, int64_t *idx) {
    while (w->code <= w->last) {
        bool inside = true;
        decode(w, w->code++, idx);
        for (int d = 0; d < w->box.ndim && inside; d++)
            inside =
                idx[d] >= w->box.start[d] && idx[d] < w->box.start[d] + w->box.shape[d];
        if (inside)
            return true;
    }
    return false;
}

/* ---- blocks ----------------------------------------------------------------------- */

static void start_blocks(ngff_order *o) {
    ngff_box box = {.ndim = o->inner_count};
    for (int i = 0; i < o->inner_count; i++) {
        int d = o->inner[i];
        box.start[i] = o->cell[i] * o->group[d];
        box.shape[i] = ngff_min_i64(o->group[d], o->grid[d] - box.start[i]);
    }
    ngff_walk_init(&o->blocks, &box);
}

static int64_t groups_along(const ngff_order *o, int i) {
    return ngff_ceil_div(o->grid[o->inner[i]], o->group[o->inner[i]]);
}

static void start_groups(ngff_order *o) {
    ngff_box box = {.ndim = o->inner_count - (o->line > 0)};
    for (int i = 0; i < box.ndim; i++)
        box.shape[i] = groups_along(o, i);
    ngff_walk_init(&o->groups, &box);
    (void)ngff_walk_next(&o->groups, o->cell);
    if (o->line > 0)
        o->cell[o->inner_count - 1] = 0;
    start_blocks(o);
}

/* false: that was the last of this outer position. */
static bool next_group(ngff_order *o) {
    if (o->line > 0 && o->cell[o->inner_count - 1] + 1 < o->line) {
        o->cell[o->inner_count - 1]++;
        return true;
    }
    if (!ngff_walk_next(&o->groups, o->cell))
        return false;
    if (o->line > 0)
        o->cell[o->inner_count - 1] = 0;
    return true;
}

static bool on_window(const ngff_plan *plan, bool windowed, int d) {
    return windowed && (d == plan->window.axis[0] ||
                        (plan->window.axis_count == 2 && d == plan->window.axis[1]));
}

void ngff_order_init(ngff_order *o, const ngff_plan *plan, const ngff_tier *tier,
                     bool windowed, bool lines) {
    const ngff_level *root = &plan->levels.level[tier->root];
    int bits = 0;
    *o = (ngff_order){.done = false};
    for (int i = 0; windowed && i < plan->window.axis_count; i++)
        o->outer[o->outer_count++] = plan->window.axis[i];
    for (int d = 0; d < plan->levels.ndim; d++) {
        int64_t shard = root->chunk[d] * (root->sharded ? root->per_shard[d] : 1);
        int more = 2 * bits_of(tier->grid[d] - 1);
        o->grid[d] = tier->grid[d];
        o->group[d] = ngff_ceil_div(shard, tier->block[d]);
        if (on_window(plan, windowed, d))
            continue;
        if (root->sharded && root->per_shard[d] > 1 && bits + more <= 60) {
            o->inner[o->inner_count++] = d;
            bits += more;
        } else {
            o->outer[o->outer_count++] = d;
        }
    }
    if (lines && o->inner_count > 0)
        o->line = groups_along(o, o->inner_count - 1);
    start_groups(o);
}

static bool next_outer(ngff_order *o) {
    for (int i = o->outer_count - 1; i >= 0; i--) {
        int d = o->outer[i];
        if (++o->at[i] < o->grid[d])
            return true;
        o->at[i] = 0;
    }
    return false;
}

bool ngff_order_next(ngff_order *o, int64_t *idx) {
    int64_t inner[NGFF_MAX_NDIM];
    if (o->done)
        return false;
    while (!ngff_walk_next(&o->blocks, inner)) {
        if (next_group(o)) {
            start_blocks(o);
            continue;
        }
        if (!next_outer(o)) {
            o->done = true;
            return false;
        }
        start_groups(o);
    }
    for (int i = 0; i < o->outer_count; i++)
        idx[o->outer[i]] = o->at[i];
    for (int i = 0; i < o->inner_count; i++)
        idx[o->inner[i]] = inner[i];
    return true;
}
