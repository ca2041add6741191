/* The window between a source that must be read in its own order and the blocks: what a
 * group is, how it is read, how many are held. Pure. */
#include "engine/search.h"

static const int64_t READ_BYTES = 4 << 20; /* a group or a band is about that large */

static const ngff_level *root_of(const ngff_plan_input *in) {
    return &in->levels->level[in->root];
}

static bool is_frame_axis(const ngff_plan_input *in, int d) {
    const ngff_levels *levels = in->levels;
    return root_of(in)->chunk[d] == 1 &&
           levels->level[levels->count - 1].factor[d] == root_of(in)->factor[d];
}

static int first_wide_axis(const ngff_plan_input *in, int except) {
    for (int d = 0; d < in->levels->ndim; d++)
        if (d != except && root_of(in)->shape[d] > 1)
            return d;
    return -1;
}

/* A stream of frames (time first) advances inside a frame too, when nothing but space
 * follows: then the window need not hold whole frames. */
static void choose_axes(const ngff_plan_input *in, const ngff_tier *tier,
                        ngff_window_plan *w) {
    int wide = first_wide_axis(in, -1);
    w->axis[0] = in->traits.sequential ? in->traits.slow_axis : (wide < 0 ? 0 : wide);
    w->axis_count = 1;
    int second = first_wide_axis(in, w->axis[0]);
    if (second < 0 || second < in->levels->ndim - 3 || is_frame_axis(in, second))
        return;
    if (!is_frame_axis(in, w->axis[0]) || tier->block[w->axis[0]] != 1 ||
        w->axis[0] > second)
        return;
    w->axis[1] = second;
    w->axis_count = 2;
}

static bool on_stream(const ngff_window_plan *w, int d) {
    return d == w->axis[0] || (w->axis_count == 2 && d == w->axis[1]);
}

static int64_t unit_of(const ngff_plan_input *in, int d) {
    int64_t shape = root_of(in)->shape[d];
    return ngff_max_i64(1, ngff_min_i64(in->traits.unit[d], shape));
}

/* Bytes of one element along the last stream axis. */
static int64_t row_bytes(const ngff_plan_input *in, const ngff_window_plan *w) {
    int64_t n = (int64_t)ngff_dtype_size(in->dtype);
    for (int d = 0; d < in->levels->ndim; d++)
        if (!on_stream(w, d) && !ngff_mul_i64(n, root_of(in)->shape[d], &n))
            return INT64_MAX;
    return n;
}

/* A row too large to read at once is read in bands along the next axis, which is still
 * forward as long as a group is one row. */
static void choose_band(const ngff_plan_input *in, int64_t row, ngff_window_plan *w) {
    w->band_axis = -1;
    w->band = 0;
    w->read_size = (size_t)(row * w->rows);
    if ((int64_t)w->read_size <= 2 * READ_BYTES)
        return;
    if (in->traits.sequential && w->rows > 1)
        return;
    for (int d = 0; d < in->levels->ndim; d++) {
        int64_t shape = root_of(in)->shape[d], unit = unit_of(in, d);
        if (on_stream(w, d) || shape == 1)
            continue;
        int64_t line = (int64_t)w->read_size / shape;
        int64_t band = ngff_max_i64(READ_BYTES / (line * unit), 1) * unit;
        if (band >= shape)
            return;
        w->band_axis = d;
        w->band = band;
        w->read_size = (size_t)(line * band);
        return;
    }
}

void ngff_window_plan_for(const ngff_plan_input *in, const ngff_tier *tier,
                          const ngff_tier_bound *bound, ngff_window_plan *out) {
    ngff_window_plan w = {.on = true, .shared = in->traits.reentrant};
    choose_axes(in, tier, &w);
    if (in->traits.sequential)
        w.shared = false;
    int last = w.axis[w.axis_count - 1];
    int64_t shape = root_of(in)->shape[last], row = row_bytes(in, &w);
    int64_t unit = unit_of(in, last), slab = ngff_min_i64(tier->block[last], shape);
    int64_t many = READ_BYTES / row / unit * unit;
    w.rows = ngff_max_i64(unit, ngff_min_i64(many, slab / unit * unit));
    choose_band(in, row, &w);
    w.slot_size = (uint64_t)(w.rows * row);
    w.group_count = ngff_ceil_div(shape, w.rows);
    int64_t need = slab + bound->low[last] + bound->high[last];
    int64_t held = ngff_ceil_div(need, w.rows) + 1;
    int64_t ahead = ngff_ceil_div(slab, w.rows);
    if (w.axis_count == 1) {
        w.slots = ngff_min_i64(held + ahead, w.group_count);
    } else {
        int64_t frames = root_of(in)->shape[w.axis[0]];
        w.slots = ngff_min_i64(held, w.group_count) + ahead;
        w.group_count *= frames;
        w.slots = ngff_min_i64(w.slots, w.group_count);
    }
    w.read_size = (w.read_size + NGFF_TILE_SCRATCH + 63) & ~(size_t)63;
    *out = w;
}
