/* The work of one block: read the root with its halo, then level by level reduce, encode
 * what is whole chunks, retain what is not. Halo pixels are computed again by each block
 * that needs them; they come out the same, because a stored value depends on its position
 * alone (pixels.md 2 and 10). */
#include "engine/job.h"

typedef struct block {
    ngff_worker *w;
    const ngff_tier *tier;
    ngff_box hull[NGFF_MAX_LEVELS];
    ngff_box owned[NGFF_MAX_LEVELS];
    ngff_view view[NGFF_MAX_LEVELS]; /* of the hull, packed */
} block;

static ngff_status lay_out(block *b, const int64_t *idx, ngff_error *err) {
    const ngff_job *job = b->w->job;
    const ngff_plan *plan = job->plan;
    ngff_tier_hulls(plan, b->tier, idx, b->hull);
    for (int n = b->tier->root; n < plan->levels.count; n++) {
        if (n != b->tier->root && !ngff_tier_has(b->tier->computed, n))
            continue;
        for (int d = 0; d < plan->levels.ndim; d++)
            if (b->hull[n].shape[d] > job->bound.extent[n][d])
                return ngff_fail(err, NGFF_INTERNAL,
                                 "level %d: a block of %lld along axis %d, planned %lld",
                                 n, (long long)b->hull[n].shape[d], d,
                                 (long long)job->bound.extent[n][d]);
        ngff_tier_owned(plan, b->tier, n, idx, &b->owned[n]);
        ngff_view_init(&b->view[n], b->w->arena + job->layout.off[n], plan->dtype,
                       plan->levels.ndim, b->hull[n].shape);
    }
    return NGFF_OK;
}

static ngff_status read_root(block *b, ngff_error *err) {
    ngff_job *job = b->w->job;
    const int root = b->tier->root;
    const ngff_box *box = &b->hull[root];
    if (job->window.on && b->tier == &job->plan->tier[0])
        return ngff_window_read(b->w, box, &b->view[root], err);
    if (ngff_job_look(job, b->tier->source_level, box, &b->view[root]))
        return NGFF_OK;
    if (b->tier->source_level >= 0)
        return ngff_job_read(job, b->tier->source_level, box, &b->view[root], err);
    ngff_tiles_room room = {job->spill, &job->room[root], 0};
    return ngff_tiles_read(&job->tiles[root], &room, box, &b->view[root],
                           b->w->arena + job->layout.scratch_off, err);
}

/* Each pixel of level 0 is owned by one block. */
static ngff_status count_pixels(block *b, ngff_error *err) {
    ngff_census *census = b->w->job->opts->census;
    const ngff_box *owned = &b->owned[0];
    const int axis = census ? ngff_census_axis(census) : -1;
    int64_t at[NGFF_MAX_NDIM];
    ngff_view pixels;
    if (!census || b->tier->root != 0 || ngff_box_is_empty(owned))
        return NGFF_OK;
    for (int d = 0; d < owned->ndim; d++)
        at[d] = owned->start[d] - b->hull[0].start[d];
    ngff_view_sub(&b->view[0], at, owned->shape, &pixels);
    return ngff_census_add(census, &pixels, axis < 0 ? 0 : owned->start[axis], err);
}

static void reduce(block *b, int n) {
    const ngff_job *job = b->w->job;
    const ngff_plan *plan = job->plan;
    const int m = plan->levels.level[n].source;
    ngff_reduction r;
    if (ngff_box_is_empty(&b->hull[n]))
        return;
    ngff_tier_reduction(&plan->levels, plan->method, plan->dtype, n, &r);
    ngff_reduce(&r, &b->hull[m], &b->view[m], &b->hull[n], &b->view[n],
                b->w->arena + job->layout.scratch_off);
}

/* ---- encoding ---------------------------------------------------------------------- */

static ngff_status put_chunk(block *b, int n, const int64_t *idx, ngff_error *err) {
    ngff_job *job = b->w->job;
    const ngff_level *l = &job->plan->levels.level[n];
    ngff_box chunk;
    ngff_view pixels;
    int64_t at[NGFF_MAX_NDIM];
    uint64_t bytes = ngff_dtype_size(job->plan->dtype);
    if (ngff_job_stopped(job))
        return NGFF_CANCELLED; /* somebody else's error is already kept */
    ngff_box_of_cell(job->plan->levels.ndim, idx, l->chunk, l->shape, &chunk);
    assert(ngff_box_contains(&b->owned[n], &chunk));
    for (int d = 0; d < chunk.ndim; d++) {
        at[d] = chunk.start[d] - b->hull[n].start[d];
        bytes *= (uint64_t)chunk.shape[d];
    }
    ngff_view_sub(&b->view[n], at, chunk.shape, &pixels);
    ngff_status status =
        ngff_zarr_writer_put(job->writer[n], b->w->ctx, idx, &pixels, err);
    if (status != NGFF_OK)
        return ngff_fail_origin(err, status, NGFF_ORIGIN_OUTPUT);
    return ngff_job_progress(job, n, bytes, false, err);
}

/* Chunks of one shard, in the order in which the shard stores them. */
static ngff_status put_shard(block *b, int n, const ngff_box *chunks,
                             const int64_t *shard_idx, ngff_error *err) {
    const ngff_level *l = &b->w->job->plan->levels.level[n];
    ngff_box shard = {.ndim = chunks->ndim}, part;
    ngff_walk walk;
    int64_t place[NGFF_MAX_NDIM], idx[NGFF_MAX_NDIM];
    for (int d = 0; d < shard.ndim; d++) {
        shard.start[d] = shard_idx[d] * l->per_shard[d];
        shard.shape[d] = l->per_shard[d];
    }
    if (!ngff_box_intersect(chunks, &shard, &part))
        return NGFF_OK;
    for (int d = 0; d < shard.ndim; d++)
        part.start[d] -= shard.start[d];
    ngff_walk_init(&walk, &part);
    while (ngff_walk_next(&walk, place)) {
        for (int d = 0; d < shard.ndim; d++)
            idx[d] = shard.start[d] + place[d];
        NGFF_TRY(put_chunk(b, n, idx, err));
    }
    return NGFF_OK;
}

static ngff_status encode(block *b, int n, ngff_error *err) {
    const ngff_level *l = &b->w->job->plan->levels.level[n];
    ngff_box chunks, shards;
    int64_t idx[NGFF_MAX_NDIM];
    if (ngff_box_is_empty(&b->owned[n]))
        return NGFF_OK;
    ngff_box_cells(&b->owned[n], l->chunk, &chunks);
    if (!l->sharded) {
        memcpy(idx, chunks.start, sizeof idx);
        do
            NGFF_TRY(put_chunk(b, n, idx, err));
        while (ngff_box_next(&chunks, idx));
        return NGFF_OK;
    }
    ngff_box_cells(&chunks, l->per_shard, &shards);
    memcpy(idx, shards.start, sizeof idx);
    do
        NGFF_TRY(put_shard(b, n, &chunks, idx, err));
    while (ngff_box_next(&shards, idx));
    return NGFF_OK;
}

/* ---- retaining --------------------------------------------------------------------- */

static ngff_status retain(block *b, int n, ngff_error *err) {
    ngff_job *job = b->w->job;
    ngff_tiles_room room = {job->spill, &job->room[n], 0};
    if (ngff_box_is_empty(&b->owned[n]))
        return NGFF_OK;
    assert(ngff_box_equal(&b->owned[n], &b->hull[n]));
    ngff_status status =
        ngff_tiles_write(&job->tiles[n], &room, &b->owned[n], &b->view[n],
                         b->w->arena + job->layout.scratch_off, err);
    return status == NGFF_OK ? NGFF_OK
                             : ngff_fail_origin(err, status, NGFF_ORIGIN_OUTPUT);
}

/* A level is complete once the level it comes from is: levels are taken in order, each
 * reduced into its children while it is warm, then encoded. */
ngff_status ngff_block_run(ngff_worker *w, const int64_t *idx, ngff_error *err) {
    const ngff_plan *plan = w->job->plan;
    block b = {.w = w, .tier = w->job->tier};
    const ngff_tier *t = b.tier;
    NGFF_TRY(lay_out(&b, idx, err));
    NGFF_TRY(read_root(&b, err));
    NGFF_TRY(count_pixels(&b, err));
    for (int n = t->root; n < plan->levels.count; n++) {
        if (n != t->root && !ngff_tier_has(t->computed, n))
            continue;
        for (int c = n + 1; c < plan->levels.count; c++)
            if (ngff_tier_has(t->computed, c) && plan->levels.level[c].source == n)
                reduce(&b, c);
        if (ngff_tier_has(t->retained, n))
            NGFF_TRY(retain(&b, n, err));
        else if (n >= plan->first_level)
            NGFF_TRY(encode(&b, n, err));
    }
    return NGFF_OK;
}
