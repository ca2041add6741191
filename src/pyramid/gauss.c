/* pyramid: the gaussian method (pixels.md 4): one short filter per axis, slowest axis
 * first, evaluated only where a result is kept.
 *
 * Along the slow axes a filter combines whole rows, so it runs over contiguous memory.
 * Rows filtered along all slow axes but the last are kept in a ring, since neighbouring
 * results share them. Along x the row is split into `step` phases, which makes the taps
 * of neighbouring results contiguous again: the same kernel serves every axis. */
#include "pyramid/reduce.h"

enum { MAX_SLOW = 3, MAX_TAPS = 1 + 2 * NGFF_FILTER_MAX_PAIRS };

typedef struct gauss {
    const ngff_reduce_job *job;
    const ngff_gauss_fns *fn;
    int slow;           /* how many axes besides the last are reduced */
    int axis[MAX_SLOW]; /* which, slowest first */
    ngff_filter filter[MAX_SLOW];
    ngff_filter x;
    bool x_reduced;
    int64_t x_start, width; /* the part of source rows that is read */
    size_t row_bytes, phase_bytes;
    char *ring; /* span rows, filtered along axis[0..slow-2] */
    int64_t span, ring_next;
    int64_t window, window_slot; /* first row the taps can ask for, and its place */
    char
        *taps; /* rows filtered along axis[0] on the way to one of the ring (slow == 3) */
    char *line;  /* filtered along all slow axes */
    char *phase; /* `line` by phases of x */
    char *out;   /* filtered along x too */
    /* Of the phases, in elements: how many, and which lie within what was read. */
    int64_t phase_first, phase_count, inner_from, inner_to;
    const void *x_tap[MAX_TAPS]; /* where in the phases the taps of x start */
} gauss;

static int64_t clamp(int64_t v, int64_t size) {
    return v < 0 ? 0 : v >= size ? size - 1 : v;
}

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

void ngff_gauss_need(int64_t step, int64_t src_size, int64_t *start, int64_t *size) {
    ngff_filter f;
    int64_t lowest, highest;
    ngff_filter_init(&f, step);
    ngff_filter_reach(&f, &lowest, &highest);
    int64_t first = clamp(*start + lowest, src_size);
    int64_t final = clamp(*start + *size - step + highest, src_size);
    *start = first;
    *size = final - first + 1;
}

/* ---- set-up ----------------------------------------------------------------------- */

static void choose_filter(gauss *g, ngff_filter *f, int64_t step) {
    for (int i = 0; i < g->slow; i++) {
        if (&g->filter[i] != f && g->filter[i].step == step) {
            *f = g->filter[i];
            return;
        }
    }
    ngff_filter_init(f, step);
}

static void choose_axes(gauss *g, const ngff_reduction *r) {
    for (int i = 0; i + 1 < r->ndim; i++) {
        if (r->step[i] == 1)
            continue;
        assert(g->slow < MAX_SLOW);
        g->axis[g->slow] = i;
        choose_filter(g, &g->filter[g->slow], r->step[i]);
        g->slow++;
    }
    g->x_reduced = r->step[r->ndim - 1] > 1;
    if (g->x_reduced)
        choose_filter(g, &g->x, r->step[r->ndim - 1]);
}

static int64_t tap_span(const ngff_filter *f) {
    int64_t lowest, highest;
    ngff_filter_reach(f, &lowest, &highest);
    return highest - lowest + 1;
}

/* Elements of one phase for `count` results, and the first one's index (in steps of x).
 */
static int64_t phase_length(const gauss *g, int64_t count, int64_t *first) {
    int64_t lowest, highest;
    ngff_filter_reach(&g->x, &lowest, &highest);
    *first = floor_div(lowest, g->x.step);
    return count + floor_div(highest, g->x.step) - *first;
}

/* Cuts the scratch; answers how much of it there is. */
static size_t lay_out(gauss *g, char *scratch, int64_t width, int64_t count) {
    size_t acc = g->fn->acc_size;
    int64_t ignored;
    g->row_bytes = ngff_round_up_64((size_t)width * acc);
    if (g->slow > 1)
        g->span = tap_span(&g->filter[g->slow - 1]);
    size_t used = 0;
    g->ring = scratch + used;
    used += (size_t)g->span * g->row_bytes;
    g->taps = scratch + used;
    used += g->slow == MAX_SLOW ? MAX_TAPS * g->row_bytes : 0;
    g->line = scratch + used;
    used += g->row_bytes;
    if (g->x_reduced) {
        g->phase_bytes = ngff_round_up_64((size_t)phase_length(g, count, &ignored) * acc);
        g->phase = scratch + used;
        used += (size_t)g->x.step * g->phase_bytes;
        g->out = scratch + used;
        used += ngff_round_up_64((size_t)count * acc);
    }
    return used;
}

size_t ngff_gauss_scratch(const ngff_reduction *r, const int64_t *dst_box_shape) {
    gauss g = {.fn = &ngff_kernels_plain.of[r->dtype].gauss};
    choose_axes(&g, r);
    int64_t count = dst_box_shape[r->ndim - 1], width = count;
    if (g.x_reduced)
        width = count * g.x.step + tap_span(&g.x);
    return lay_out(&g, NULL, width, count);
}

/* ---- along the slow axes ----------------------------------------------------------- */

/* Offset of tap t: the centre, then lo and hi of each pair. */
static int64_t tap_offset(const ngff_filter *f, int t) {
    return t == 0 ? f->centre : t % 2 == 1 ? f->lo[t / 2] : f->hi[t / 2 - 1];
}

static int tap_count(const ngff_filter *f) {
    return 1 + 2 * f->pairs;
}

/* Source rows around result `index` of axis[0], filtered into `out`. `from`: the source's
 * coordinates on the other axes. */
static void filter_source(const gauss *g, int64_t index, const int64_t *from, void *out) {
    const ngff_filter *f = &g->filter[0];
    int axis = g->axis[0];
    int64_t at[NGFF_MAX_NDIM];
    const void *tap[MAX_TAPS];
    int64_t size = g->job->r->src_shape[axis], stride = g->job->src->strides[axis];
    int64_t centre = clamp(index * f->step + f->centre, size);
    memcpy(at, from, sizeof at);
    at[axis] = centre;
    const char *row = ngff_reduce_source(g->job, at);
    for (int t = 0; t < tap_count(f); t++) {
        int64_t place = clamp(index * f->step + tap_offset(f, t), size);
        tap[t] = row + (place - centre) * stride;
    }
    g->fn->source(tap, f, g->width, out);
}

/* One row of the ring: filtered along every slow axis but the last. */
static void fill_ring_row(const gauss *g, const int64_t *at, int64_t *from, void *out) {
    if (g->slow == 2) {
        filter_source(g, at[g->axis[0]], from, out);
        return;
    }
    const ngff_filter *f = &g->filter[1];
    int axis = g->axis[1];
    const void *tap[MAX_TAPS];
    for (int t = 0; t < tap_count(f); t++) {
        char *row = g->taps + (size_t)t * g->row_bytes;
        from[axis] =
            clamp(at[axis] * f->step + tap_offset(f, t), g->job->r->src_shape[axis]);
        filter_source(g, at[g->axis[0]], from, row);
        tap[t] = row;
    }
    g->fn->again(tap, f, g->width, out);
}

/* A row of the ring that is in the window. */
static char *ring_row(const gauss *g, int64_t index) {
    int64_t slot = g->window_slot + index - g->window;
    return g->ring + (size_t)(slot < g->span ? slot : slot - g->span) * g->row_bytes;
}

/* Rows at[last slow axis] needs and the ring does not hold yet; results come in ascending
 * order along that axis. */
static void fill_ring(gauss *g, const int64_t *at, int64_t *from) {
    const ngff_filter *f = &g->filter[g->slow - 1];
    int axis = g->axis[g->slow - 1];
    int64_t lowest, highest;
    ngff_filter_reach(f, &lowest, &highest);
    int64_t size = g->job->r->src_shape[axis], base = at[axis] * f->step;
    int64_t first = clamp(base + lowest, size), final = clamp(base + highest, size);
    if (at[axis] == g->job->dst_box->start[axis] || g->ring_next < first)
        g->ring_next = first;
    g->window = first;
    g->window_slot = first % g->span;
    for (; g->ring_next <= final; g->ring_next++) {
        from[axis] = g->ring_next;
        fill_ring_row(g, at, from, ring_row(g, g->ring_next));
    }
}

/* g->line: the row of results `at`, before x. */
static void filter_slow_axes(gauss *g, const int64_t *at) {
    int64_t from[NGFF_MAX_NDIM];
    memcpy(from, at, sizeof from);
    from[g->job->r->ndim - 1] = g->x_start;
    if (g->slow == 0) {
        g->fn->load(ngff_reduce_source(g->job, from), g->width, g->line);
        return;
    }
    if (g->slow == 1) {
        filter_source(g, at[g->axis[0]], from, g->line);
        return;
    }
    fill_ring(g, at, from);
    const ngff_filter *f = &g->filter[g->slow - 1];
    int axis = g->axis[g->slow - 1];
    const void *tap[MAX_TAPS];
    for (int t = 0; t < tap_count(f); t++)
        tap[t] = ring_row(
            g, clamp(at[axis] * f->step + tap_offset(f, t), g->job->r->src_shape[axis]));
    g->fn->again(tap, f, g->width, g->line);
}

/* ---- along x
 * ---------------------------------------------------------------------------- */

/* Element i of phase p is the source's voxel (phase_first + i) * step + p. Everything
 * here is the same for every row. */
static void place_phases(gauss *g, int64_t start, int64_t count) {
    int64_t step = g->x.step, before, acc = (int64_t)g->fn->acc_size;
    g->phase_count = phase_length(g, count, &before);
    g->phase_first = start + before;
    int64_t from = floor_div(g->x_start + step - 1, step) - g->phase_first;
    int64_t to = floor_div(g->x_start + g->width, step) - g->phase_first;
    g->inner_from = from < 0 ? 0 : ngff_min_i64(from, g->phase_count);
    g->inner_to = ngff_max_i64(g->inner_from, ngff_min_i64(to, g->phase_count));
    for (int t = 0; t < tap_count(&g->x); t++) {
        int64_t offset = tap_offset(&g->x, t), q = floor_div(offset, step);
        size_t p = (size_t)(offset - q * step);
        g->x_tap[t] = g->phase + p * g->phase_bytes + (q - before) * acc;
    }
}

/* What lies outside of what was read is asked for only by the clamped taps of the border.
 */
static void split_edges(const gauss *g, int64_t from, int64_t to) {
    size_t acc = g->fn->acc_size;
    for (int64_t p = 0; p < g->x.step; p++) {
        for (int64_t i = from; i < to; i++) {
            int64_t x = (g->phase_first + i) * g->x.step + p - g->x_start;
            memcpy(g->phase + (size_t)p * g->phase_bytes + (size_t)i * acc,
                   g->line + (size_t)clamp(x, g->width) * acc, acc);
        }
    }
}

static void filter_x(const gauss *g, int64_t count) {
    size_t acc = g->fn->acc_size;
    split_edges(g, 0, g->inner_from);
    split_edges(g, g->inner_to, g->phase_count);
    if (g->inner_from < g->inner_to) {
        void *phase[NGFF_FILTER_MAX_STEP];
        for (int64_t p = 0; p < g->x.step; p++)
            phase[p] =
                g->phase + (size_t)p * g->phase_bytes + (size_t)g->inner_from * acc;
        int64_t skip = (g->phase_first + g->inner_from) * g->x.step - g->x_start;
        g->fn->split(g->line + (size_t)skip * acc, g->x.step, g->inner_to - g->inner_from,
                     phase);
    }
    g->fn->again(g->x_tap, &g->x, count, g->out);
}

/* ---- all of it
 * ---------------------------------------------------------------------------- */

/* Results in C order, except that the last slow reduced axis runs fastest: its neighbours
 * share rows of the ring. */
static bool next_row(const gauss *g, ngff_box *walk, int64_t *at) {
    if (g->slow > 0) {
        int axis = g->axis[g->slow - 1];
        const ngff_box *box = g->job->dst_box;
        if (++at[axis] < box->start[axis] + box->shape[axis])
            return true;
        at[axis] = box->start[axis];
    }
    return ngff_box_next(walk, at);
}

void ngff_gauss_reduce(const ngff_reduce_job *job) {
    const ngff_reduction *r = job->r;
    int last = r->ndim - 1;
    int64_t start = job->dst_box->start[last], count = job->dst_box->shape[last];
    gauss g = {.job = job, .fn = &job->kernels->gauss, .x_start = start, .width = count};
    choose_axes(&g, r);
    if (g.x_reduced) {
        g.x_start *= g.x.step;
        g.width *= g.x.step;
        ngff_gauss_need(g.x.step, r->src_shape[last], &g.x_start, &g.width);
    }
    (void)lay_out(&g, job->scratch, g.width, count);
    if (g.x_reduced)
        place_phases(&g, start, count);
    ngff_box walk;
    int64_t at[NGFF_MAX_NDIM];
    ngff_reduce_rows(job, &walk, at);
    if (g.slow > 0)
        walk.shape[g.axis[g.slow - 1]] = 1;
    do {
        filter_slow_axes(&g, at);
        if (g.x_reduced)
            filter_x(&g, count);
        g.fn->store(g.x_reduced ? g.out : g.line, count, ngff_reduce_row(job, at));
    } while (next_row(&g, &walk, at));
}
