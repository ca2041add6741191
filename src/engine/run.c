/* The run: workers, tiers, and what waits between them. */
#include "engine/job.h"

/* ---- one tier, one worker ------------------------------------------------------------
 */

static bool windowed(const ngff_job *job) {
    return job->window.on && job->tier == &job->plan->tier[0];
}

static bool take_block(ngff_worker *w, int64_t *idx) {
    ngff_job *job = w->job;
    bool got = false;
    ngff_mutex_lock(job->lock);
    if (!ngff_job_stopped(job))
        got = ngff_order_next(&job->order, idx);
    if (got) {
        job->stats.blocks++;
        if (windowed(job))
            ngff_window_hold(w, idx);
    }
    ngff_mutex_unlock(job->lock);
    return got;
}

static void give_back(ngff_worker *w) {
    if (!windowed(w->job))
        return;
    ngff_mutex_lock(w->job->lock);
    ngff_window_release(w);
    ngff_mutex_unlock(w->job->lock);
}

static ngff_status work_on(ngff_worker *w, const int64_t *idx) {
    if (windowed(w->job))
        NGFF_TRY(ngff_window_wait(w, idx, &w->err));
    return ngff_block_run(w, idx, &w->err);
}

static void work(void *arg) {
    ngff_worker *w = arg;
    int64_t idx[NGFF_MAX_NDIM];
    ngff_error_clear(&w->err);
    while (take_block(w, idx)) {
        ngff_status status = work_on(w, idx);
        if (status != NGFF_OK)
            ngff_job_fail(w->job, status, &w->err);
        give_back(w);
    }
}

static int worker_count(const ngff_job *job) {
    int64_t blocks = 1;
    for (int d = 0; d < job->plan->levels.ndim; d++)
        if (blocks < job->plan->threads)
            blocks *= job->tier->grid[d];
    return (int)ngff_min_i64(blocks, job->plan->threads);
}

/* The caller's thread is the first worker; with one worker no thread is started. */
static void run_workers(ngff_job *job) {
    const int count = worker_count(job);
    for (int i = 1; i < count && !ngff_job_stopped(job); i++) {
        ngff_worker *w = &job->worker[i];
        ngff_error err = {0};
        ngff_status status = ngff_thread_start(job->alloc, work, w, &w->thread, &err);
        if (status != NGFF_OK)
            ngff_job_fail(job, status, &err);
    }
    work(&job->worker[0]);
    for (int i = 1; i < count; i++)
        if (job->worker[i].thread != NULL)
            ngff_thread_join(&job->worker[i].thread);
}

/* ---- what a tier needs ---------------------------------------------------------------
 */

static bool writes(const ngff_job *job, int n) {
    const ngff_tier *t = job->tier;
    return n >= job->plan->first_level && (n == t->root || ngff_tier_has(t->encoded, n));
}

static ngff_status open_writers(ngff_job *job, ngff_error *err) {
    ngff_zarr_writer_opts opts = {.write_empty_chunks = job->opts->write_empty_chunks,
                                  .spill = job->spill,
                                  .ranked = ngff_store_is_ordered(job->image->store)};
    for (int n = 0; n < job->plan->levels.count; n++) {
        if (writes(job, n))
            NGFF_TRY(ngff_zarr_writer_create(job->image->level[n], &opts, &job->writer[n],
                                             err));
        opts.rank_base += ngff_zarr_unit_count(job->image->level[n]);
    }
    return NGFF_OK;
}

static ngff_status finish_writers(ngff_job *job, ngff_error *err) {
    for (int n = 0; n < job->plan->levels.count; n++) {
        if (job->writer[n] == NULL)
            continue;
        ngff_status status = ngff_zarr_writer_finish(job->writer[n], err);
        if (status != NGFF_OK)
            return ngff_fail_origin(err, status, NGFF_ORIGIN_OUTPUT);
    }
    return NGFF_OK;
}

static void close_writers(ngff_job *job) {
    for (int n = 0; n < job->plan->levels.count; n++) {
        if (job->writer[n] == NULL)
            continue;
        job->stats.encoded_bytes += ngff_zarr_writer_bytes(job->writer[n]);
        job->stats.parked_chunks += ngff_zarr_writer_parked(job->writer[n]);
        ngff_zarr_writer_close(&job->writer[n]);
    }
}

static void cut_tiles(const ngff_job *job, int n, ngff_tiles *out) {
    const ngff_levels *levels = &job->plan->levels;
    *out = (ngff_tiles){.ndim = levels->ndim, .dtype = job->plan->dtype};
    for (int d = 0; d < levels->ndim; d++) {
        int64_t factor =
            levels->level[n].factor[d] / levels->level[job->tier->root].factor[d];
        out->shape[d] = levels->level[n].shape[d];
        out->count[d] = job->tier->grid[d];
        out->block[d] = job->tier->block[d];
        out->factor[d] = factor;
        out->anchor[d] = job->plan->method == NGFF_METHOD_NEAREST ? (factor - 1) / 2 : 0;
    }
}

static ngff_status open_rooms(ngff_job *job, ngff_error *err) {
    for (int n = 0; n < job->plan->levels.count; n++) {
        if (!ngff_tier_has(job->tier->retained, n))
            continue;
        cut_tiles(job, n, &job->tiles[n]);
        uint64_t size = ngff_tiles_bytes(&job->tiles[n]);
        NGFF_TRY(ngff_spill_reserve(job->spill, size, &job->room[n], err));
        job->has_room[n] = true;
        job->stats.retained_bytes += size;
    }
    return NGFF_OK;
}

static void close_room(ngff_job *job, int n) {
    if (job->has_room[n])
        ngff_spill_drop(job->spill, &job->room[n]);
    job->has_room[n] = false;
}

static ngff_status open_tier(ngff_job *job, const ngff_tier *tier,
                             const ngff_tier_halo *halo, ngff_error *err) {
    const ngff_plan *plan = job->plan;
    job->tier = tier;
    ngff_tier_bounds(&plan->levels, plan->method, halo, tier, &job->bound);
    NGFF_TRY(ngff_tier_lay_out(&plan->levels, plan->method, plan->dtype, tier,
                               &job->bound, &job->layout, err));
    assert(job->layout.size <= job->worker[0].arena_size);
    ngff_order_init(&job->order, plan, tier, windowed(job),
                    ngff_store_is_ordered(job->image->store));
    NGFF_TRY(open_rooms(job, err));
    return open_writers(job, err);
}

static ngff_status run_tier(ngff_job *job, const ngff_tier *tier,
                            const ngff_tier_halo *halo, ngff_error *err) {
    ngff_status status = open_tier(job, tier, halo, err);
    if (status != NGFF_OK)
        return ngff_fail_origin(err, status, NGFF_ORIGIN_OUTPUT);
    run_workers(job);
    status = job->status;
    if (status != NGFF_OK && err != NULL)
        *err = job->error;
    if (status == NGFF_OK)
        status = finish_writers(job, err);
    close_writers(job);
    close_room(job, tier->root);
    if (tier == &job->plan->tier[0])
        ngff_window_close(job);
    job->stats.tiers++;
    return status;
}

/* ---- the job --------------------------------------------------------------------------
 */

static ngff_status open_worker(ngff_job *job, ngff_worker *w, ngff_error *err) {
    w->job = job;
    w->first_group = -1;
    w->arena_size = job->plan->arena;
    w->arena = ngff_alloc_aligned(job->alloc, w->arena_size);
    if (w->arena == NULL)
        return ngff_fail_nomem(err, "a block", w->arena_size);
    ngff_memory_prefer_large(w->arena, w->arena_size);
    return ngff_codec_ctx_create(job->alloc, &w->ctx, err);
}

static ngff_status open_workers(ngff_job *job, ngff_error *err) {
    const size_t count = (size_t)job->plan->threads;
    job->worker = ngff_calloc(job->alloc, count, sizeof *job->worker);
    if (job->worker == NULL)
        return ngff_fail_nomem(err, "workers", count * sizeof *job->worker);
    for (size_t i = 0; i < count; i++)
        NGFF_TRY(open_worker(job, &job->worker[i], err));
    return NGFF_OK;
}

static ngff_status job_open(ngff_job *job, ngff_error *err) {
    ngff_spill_opts spill = {.dir = ngff_store_spill_dir(job->image->store),
                             .memory = job->plan->spill_memory,
                             .no_file = job->opts->no_spill};
    NGFF_TRY(ngff_mutex_create(job->alloc, &job->lock, err));
    NGFF_TRY(ngff_cond_create(job->alloc, &job->changed, err));
    if (!job->source->traits.reentrant && job->plan->threads > 1)
        NGFF_TRY(ngff_mutex_create(job->alloc, &job->source_lock, err));
    NGFF_TRY(ngff_spill_create(job->alloc, &spill, &job->spill, err));
    ngff_store_lend_spill(job->image->store, job->spill);
    NGFF_TRY(open_workers(job, err));
    return ngff_window_open(job, err);
}

static void job_close(ngff_job *job) {
    close_writers(job);
    if (job->spill != NULL) {
        ngff_window_close(job);
        for (int n = 0; n < NGFF_MAX_LEVELS; n++)
            close_room(job, n);
        ngff_store_lend_spill(job->image->store, NULL);
        job->stats.spill_file_bytes = ngff_spill_file_bytes(job->spill);
        ngff_spill_close(&job->spill);
    }
    for (int i = 0; job->worker != NULL && i < job->plan->threads; i++) {
        ngff_codec_ctx_close(&job->worker[i].ctx);
        ngff_free_aligned(job->alloc, job->worker[i].arena);
    }
    ngff_free(job->alloc, job->worker);
    ngff_mutex_close(&job->source_lock);
    ngff_cond_close(&job->changed);
    ngff_mutex_close(&job->lock);
    job->stats.read_bytes = atomic_load(&job->read_bytes);
    if (job->opts->stats != NULL)
        *job->opts->stats = job->stats;
}

static ngff_status run_tiers(ngff_job *job, ngff_error *err) {
    ngff_tier_halo halo;
    const ngff_plan *plan = job->plan;
    ngff_tier_halo_init(&plan->levels, plan->method, plan->dtype, &halo);
    NGFF_TRY(ngff_job_progress(job, -1, 0, true, err));
    for (int i = 0; i < plan->tier_count; i++)
        NGFF_TRY(run_tier(job, &plan->tier[i], &halo, err));
    return ngff_job_progress(job, plan->levels.count - 1, 0, true, err);
}

ngff_status ngff_job_create(const ngff_plan *plan, ngff_source *source, ngff_image *image,
                            const ngff_engine_opts *opts, ngff_job **out,
                            ngff_error *err) {
    *out = NULL;
    ngff_job *job = ngff_calloc(image->alloc, 1, sizeof *job);
    if (job == NULL)
        return ngff_fail_nomem(err, "a run", sizeof *job);
    job->plan = plan;
    job->opts = opts;
    job->alloc = image->alloc;
    job->source = source;
    job->image = image;
    ngff_status status = job_open(job, err);
    if (status != NGFF_OK)
        ngff_job_destroy(&job);
    *out = job;
    return status;
}

ngff_status ngff_job_run(ngff_job *job, ngff_error *err) {
    ngff_error own = {0};
    return run_tiers(job, err != NULL ? err : &own);
}

void ngff_job_destroy(ngff_job **job) {
    ngff_job *j = *job;
    *job = NULL;
    if (j == NULL)
        return;
    job_close(j);
    ngff_free(j->alloc, j);
}

ngff_status ngff_engine_run(const ngff_plan *plan, ngff_source *source, ngff_image *image,
                            const ngff_engine_opts *opts, ngff_error *err) {
    static const ngff_engine_opts none = {0};
    ngff_job *job;
    NGFF_TRY(
        ngff_job_create(plan, source, image, opts != NULL ? opts : &none, &job, err));
    ngff_status status = ngff_job_run(job, err);
    ngff_job_destroy(&job);
    return status;
}
