/* The window: groups of rows in a ring of slots, each cut into the tiles of the blocks.
 * Groups are claimed in order, so a stream only moves forward; a slot is reused when no
 * block in hand needs it. Who needs a group that nobody reads becomes the reader; who has
 * its groups reads a little ahead first, so that reading goes on while others compute. */
#include "engine/job.h"

static const ngff_window_plan *plan_of(const ngff_job *job) {
    return &job->plan->window;
}

static int64_t groups_per_frame(const ngff_job *job) {
    const ngff_window_plan *p = plan_of(job);
    int64_t shape = job->plan->levels.level[job->plan->tier[0].root]
                        .shape[p->axis[p->axis_count - 1]];
    return ngff_ceil_div(shape, p->rows);
}

/* First and last group that a box of the root touches. */
static void groups_of(const ngff_job *job, const ngff_box *box, int64_t *first,
                      int64_t *last) {
    const ngff_window_plan *p = plan_of(job);
    int d = p->axis[p->axis_count - 1];
    *first = box->start[d] / p->rows;
    *last = (box->start[d] + box->shape[d] - 1) / p->rows;
    if (p->axis_count == 2) {
        int f = p->axis[0];
        *first += box->start[f] * groups_per_frame(job);
        *last += (box->start[f] + box->shape[f] - 1) * groups_per_frame(job);
    }
}

/* ---- opening ------------------------------------------------------------------------
 */

static void cut_slot(const ngff_job *job, ngff_tiles *t) {
    const ngff_window_plan *p = plan_of(job);
    const ngff_level *l = &job->plan->levels.level[job->plan->tier[0].root];
    const ngff_tier *tier = &job->plan->tier[0];
    *t = (ngff_tiles){.ndim = job->plan->levels.ndim, .dtype = job->plan->dtype};
    for (int d = 0; d < t->ndim; d++) {
        t->shape[d] = l->shape[d];
        t->count[d] = tier->grid[d];
        t->block[d] = tier->block[d];
        t->factor[d] = 1;
    }
    for (int i = 0; i < p->axis_count; i++) {
        int d = p->axis[i];
        t->shape[d] = t->block[d] = i == p->axis_count - 1 ? p->rows : 1;
        t->count[d] = 1;
    }
}

ngff_status ngff_window_open(ngff_job *job, ngff_error *err) {
    const ngff_window_plan *p = plan_of(job);
    ngff_window *w = &job->window;
    *w = (ngff_window){.on = p->on};
    if (!p->on)
        return NGFF_OK;
    cut_slot(job, &w->tiles);
    assert(ngff_tiles_bytes(&w->tiles) == p->slot_size);
    w->done = ngff_calloc(job->alloc, (size_t)p->slots, sizeof *w->done);
    if (w->done == NULL)
        return ngff_fail_nomem(err, "window", (size_t)p->slots);
    ngff_status status =
        ngff_spill_reserve(job->spill, p->slot_size * (uint64_t)p->slots, &w->room, err);
    if (status != NGFF_OK) {
        ngff_free(job->alloc, w->done);
        *w = (ngff_window){.on = false};
    }
    return status;
}

void ngff_window_close(ngff_job *job) {
    if (!job->window.on)
        return;
    ngff_spill_drop(job->spill, &job->window.room);
    ngff_free(job->alloc, job->window.done);
    job->window = (ngff_window){.on = false};
}

/* ---- holding ------------------------------------------------------------------------
 */

static void block_groups(const ngff_job *job, const int64_t *idx, int64_t *first,
                         int64_t *last) {
    ngff_box hull[NGFF_MAX_LEVELS];
    ngff_tier_hulls(job->plan, job->tier, idx, hull);
    groups_of(job, &hull[job->tier->root], first, last);
}

void ngff_window_hold(ngff_worker *w, const int64_t *idx) {
    int64_t last;
    block_groups(w->job, idx, &w->first_group, &last);
    w->job->window.dispatched = w->first_group;
}

void ngff_window_release(ngff_worker *w) {
    w->first_group = -1;
    ngff_cond_broadcast(w->job->changed);
}

/* The first group whose slot must stay: somebody needs it, or it is being read. Blocks
 * are dispatched along the stream, so later ones need nothing before the one dispatched
 * last. */
static int64_t oldest(const ngff_job *job) {
    int64_t first = ngff_min_i64(job->window.dispatched, job->window.ready);
    for (int i = 0; i < job->plan->threads; i++) {
        int64_t g = job->worker[i].first_group;
        if (g >= 0 && g < first)
            first = g;
    }
    return first;
}

static bool may_claim(const ngff_job *job) {
    const ngff_window *w = &job->window;
    const ngff_window_plan *p = plan_of(job);
    return (p->shared || w->readers == 0) && w->claimed < p->group_count &&
           w->claimed - oldest(job) < p->slots;
}

/* ---- reading ------------------------------------------------------------------------
 */

static void group_box(const ngff_job *job, int64_t group, ngff_box *box) {
    const ngff_window_plan *p = plan_of(job);
    const ngff_level *l = &job->plan->levels.level[job->plan->tier[0].root];
    int64_t per_frame = groups_per_frame(job);
    int d = p->axis[p->axis_count - 1];
    *box = (ngff_box){.ndim = job->plan->levels.ndim};
    memcpy(box->shape, l->shape, sizeof box->shape);
    box->start[d] = group % per_frame * p->rows;
    box->shape[d] = ngff_min_i64(p->rows, l->shape[d] - box->start[d]);
    if (p->axis_count == 2) {
        box->start[p->axis[0]] = group / per_frame;
        box->shape[p->axis[0]] = 1;
    }
}

/* A box of the root inside one group, in the coordinates of its slot. */
static void to_slot(const ngff_job *job, const ngff_box *box, int64_t group,
                    ngff_box *out, ngff_tiles_room *room) {
    const ngff_window_plan *p = plan_of(job);
    ngff_box whole;
    group_box(job, group, &whole);
    *out = *box;
    for (int i = 0; i < p->axis_count; i++)
        out->start[p->axis[i]] -= whole.start[p->axis[i]];
    *room = (ngff_tiles_room){job->spill, &job->window.room,
                              (uint64_t)(group % p->slots) * p->slot_size};
}

static ngff_status read_band(ngff_worker *w, int64_t group, const ngff_box *box,
                             ngff_error *err) {
    ngff_job *job = w->job;
    ngff_tiles_room room;
    ngff_box at;
    ngff_view view;
    char *scratch = w->arena + w->arena_size - NGFF_TILE_SCRATCH;
    ngff_view_init(&view, w->arena, job->plan->dtype, box->ndim, box->shape);
    NGFF_TRY(ngff_job_progress(job, 0, 0, false, err)); /* reading may take long */
    NGFF_TRY(ngff_job_read(job, job->plan->tier[0].source_level, box, &view, err));
    to_slot(job, box, group, &at, &room);
    return ngff_tiles_write(&job->window.tiles, &room, &at, &view, scratch, err);
}

static ngff_status read_group(ngff_worker *w, int64_t group, ngff_error *err) {
    const ngff_window_plan *p = plan_of(w->job);
    ngff_box box;
    group_box(w->job, group, &box);
    if (p->band_axis < 0)
        return read_band(w, group, &box, err);
    int64_t end = box.shape[p->band_axis];
    for (int64_t at = 0; at < end; at += p->band) {
        if (ngff_job_stopped(w->job))
            return NGFF_CANCELLED;
        box.start[p->band_axis] = at;
        box.shape[p->band_axis] = ngff_min_i64(p->band, end - at);
        NGFF_TRY(read_band(w, group, &box, err));
    }
    return NGFF_OK;
}

/* Enters and leaves with the lock held; reads without it. */
static ngff_status claim_and_read(ngff_worker *w, ngff_error *err) {
    ngff_job *job = w->job;
    ngff_window *win = &job->window;
    const int64_t slots = plan_of(job)->slots;
    int64_t group = win->claimed++;
    win->readers++;
    ngff_mutex_unlock(job->lock);
    ngff_status status = read_group(w, group, err);
    ngff_mutex_lock(job->lock);
    win->readers--;
    win->done[group % slots] = status == NGFF_OK;
    while (win->ready < win->claimed && win->done[win->ready % slots])
        win->done[win->ready++ % slots] = false;
    ngff_cond_broadcast(job->changed);
    return status;
}

/* How far ahead of a slab reading should be when its block `idx` starts: evenly, so that
 * the next slab is there when this one is through. */
static int64_t ahead_of(const ngff_job *job, const int64_t *idx, int64_t last) {
    const ngff_window_plan *p = plan_of(job);
    const ngff_tier *t = job->tier;
    double before = 0.0, all = 1.0;
    for (int d = 0; d < job->plan->levels.ndim; d++) {
        if (d == p->axis[0] || (p->axis_count == 2 && d == p->axis[1]))
            continue;
        before = before * (double)t->grid[d] + (double)idx[d];
        all *= (double)t->grid[d];
    }
    int64_t slab = t->block[p->axis[p->axis_count - 1]];
    double groups = (double)ngff_ceil_div(slab, p->rows);
    return last + (int64_t)(groups * (before + 1.0) / all);
}

ngff_status ngff_window_wait(ngff_worker *w, const int64_t *idx, ngff_error *err) {
    ngff_job *job = w->job;
    ngff_window *win = &job->window;
    ngff_status status = NGFF_OK;
    int64_t first, last;
    block_groups(job, idx, &first, &last);
    int64_t ahead = job->plan->threads > 1 ? ahead_of(job, idx, last) : last;
    ngff_mutex_lock(job->lock);
    while (status == NGFF_OK && !ngff_job_stopped(job)) {
        if (win->ready > last && (win->claimed > ahead || !may_claim(job)))
            break;
        if (may_claim(job))
            status = claim_and_read(w, err);
        else
            ngff_cond_wait(job->changed, job->lock);
    }
    ngff_mutex_unlock(job->lock);
    if (status == NGFF_OK && ngff_job_stopped(job))
        return NGFF_CANCELLED;
    return status;
}

/* ---- using --------------------------------------------------------------------------
 */

static ngff_status read_part(ngff_worker *w, const ngff_box *box, const ngff_view *out,
                             int64_t group, ngff_error *err) {
    ngff_job *job = w->job;
    ngff_box whole, both, at;
    ngff_view part;
    ngff_tiles_room room;
    int64_t start[NGFF_MAX_NDIM];
    group_box(job, group, &whole);
    if (!ngff_box_intersect(&whole, box, &both))
        return NGFF_OK;
    for (int d = 0; d < box->ndim; d++)
        start[d] = both.start[d] - box->start[d];
    ngff_view_sub(out, start, both.shape, &part);
    to_slot(job, &both, group, &at, &room);
    return ngff_tiles_read(&job->window.tiles, &room, &at, &part,
                           w->arena + job->layout.scratch_off, err);
}

ngff_status ngff_window_read(ngff_worker *w, const ngff_box *box, const ngff_view *out,
                             ngff_error *err) {
    int64_t first, last;
    groups_of(w->job, box, &first, &last);
    for (int64_t g = first; g <= last; g++)
        NGFF_TRY(read_part(w, box, out, g, err));
    return NGFF_OK;
}
