/* stream: opening, the end, closing. See stream.h and stream_inside.h. */
#include "engine/stream_inside.h"

static void stop_threads(ngff_stream *s) {
    if (s->lock == NULL)
        return;
    ngff_mutex_lock(s->lock);
    s->closing = true;
    if (s->work != NULL)
        ngff_cond_broadcast(s->work);
    ngff_mutex_unlock(s->lock);
    for (int i = 0; i < s->sizes.lanes; i++)
        if (s->writer[i] != NULL && s->writer[i]->thread != NULL)
            ngff_thread_join(&s->writer[i]->thread);
}

static void add_stats(ngff_engine_stats *sum, const ngff_engine_stats *s) {
    sum->blocks += s->blocks;
    sum->parked_chunks += s->parked_chunks;
    sum->encoded_bytes += s->encoded_bytes;
    sum->read_bytes += s->read_bytes;
    sum->retained_bytes += s->retained_bytes;
    sum->spill_file_bytes += s->spill_file_bytes;
    sum->tiers += s->tiers;
}

/* After the threads: closes the lanes; then their numbers are complete. */
static void close_lanes(ngff_stream *s) {
    ngff_engine_stats sum = {0};
    for (int i = 0; i < s->sizes.lanes; i++) {
        if (s->writer[i] == NULL)
            continue;
        ngff_lane_close(&s->writer[i]->lane);
        add_stats(&sum, &s->writer[i]->lane.stats);
    }
    if (s->stats != NULL)
        *s->stats = sum;
}

ngff_status ngff_stream_finish(ngff_stream *s, ngff_error *err) {
    if (s->given == 0)
        return ngff_fail(err, NGFF_INVALID, "no frame was appended");
    NGFF_TRY(ngff_stream_drain(s, true, err));
    stop_threads(s);
    close_lanes(s);
    assert(s->stored == s->given);
    ngff_image_set_extent(s->image, s->stored);
    return NGFF_OK;
}

static ngff_status open_slabs(ngff_stream *s, ngff_error *err) {
    const size_t size = (size_t)s->sizes.frames * s->sizes.frame_bytes;
    for (int i = 0; i < s->sizes.count; i++) {
        ngff_stream_slab *new = &s->slab[i];
        new->data = ngff_alloc_aligned(s->alloc, size);
        if (new->data == NULL)
            return ngff_fail_nomem(err, "frames", size);
        new->next = s->free;
        s->free = new;
    }
    return NGFF_OK;
}

static ngff_status new_writer(ngff_stream *s, int i, ngff_error *err) {
    s->writer[i] = ngff_calloc(s->alloc, 1, sizeof(ngff_stream_writer));
    if (s->writer[i] == NULL)
        return ngff_fail_nomem(err, "a writer", sizeof(ngff_stream_writer));
    s->writer[i]->stream = s;
    return NGFF_OK;
}

static ngff_status open_lanes(ngff_stream *s, const ngff_levels *levels,
                              ngff_method method, ngff_error *err) {
    ngff_engine_opts engine = *s->opts.engine;
    engine.progress = NULL;
    engine.keep_levels = false;
    engine.grows = false; /* slabs are chosen by what fits */
    if (engine.memory == 0)
        engine.memory = ngff_engine_default_budget();
    if (engine.threads == 0)
        engine.threads = ngff_cpu_count();
    s->memory = engine.memory;
    s->threaded = engine.threads > 1;
    NGFF_TRY(new_writer(s, 0, err));
    ngff_lane *first = &s->writer[0]->lane;
    ngff_slab_sizes sizes;
    NGFF_TRY(ngff_lane_open_first(levels, method, s->image, &engine, &sizes, first, err));
    s->sizes = sizes;
    s->like = first->pixels.view;
    for (int i = 1; i < sizes.lanes; i++) {
        NGFF_TRY(new_writer(s, i, err));
        NGFF_TRY(ngff_lane_open_like(first, &s->writer[i]->lane, err));
    }
    return NGFF_OK;
}

static ngff_status open_all(ngff_stream *s, const ngff_levels *levels, ngff_method method,
                            ngff_error *err) {
    s->sizes.lanes = 1; /* for closing, when the first does not open */
    NGFF_TRY(open_lanes(s, levels, method, err));
    NGFF_TRY(open_slabs(s, err));
    NGFF_TRY(ngff_mutex_create(s->alloc, &s->lock, err));
    NGFF_TRY(ngff_cond_create(s->alloc, &s->work, err));
    NGFF_TRY(ngff_cond_create(s->alloc, &s->room, err));
    for (int i = 0; s->threaded && i < s->sizes.lanes; i++)
        NGFF_TRY(ngff_thread_start(s->alloc, ngff_stream_write_all, s->writer[i],
                                   &s->writer[i]->thread, err));
    return NGFF_OK;
}

ngff_status ngff_stream_open(const ngff_levels *levels, ngff_method method,
                             ngff_image *image, const ngff_stream_opts *opts,
                             ngff_stream **out, ngff_error *err) {
    *out = NULL;
    ngff_stream *s = ngff_calloc(image->alloc, 1, sizeof *s);
    if (s == NULL)
        return ngff_fail_nomem(err, "a stream", sizeof *s);
    s->alloc = image->alloc;
    s->opts = *opts;
    s->image = image;
    ngff_status status = open_all(s, levels, method, err);
    s->stats = opts->engine->stats;
    s->opts.engine = NULL; /* was the caller's */
    if (status != NGFF_OK)
        ngff_stream_close(&s);
    *out = s;
    return status;
}

void ngff_stream_close(ngff_stream **stream) {
    ngff_stream *s = *stream;
    *stream = NULL;
    if (s == NULL)
        return;
    for (int i = 0; i < s->sizes.lanes; i++)
        if (s->writer[i] != NULL)
            ngff_lane_stop(&s->writer[i]->lane);
    stop_threads(s);
    close_lanes(s);
    for (int i = 0; i < s->sizes.lanes; i++)
        ngff_free(s->alloc, s->writer[i]);
    for (int i = 0; i < NGFF_SLABS_MOST; i++)
        ngff_free_aligned(s->alloc, s->slab[i].data);
    ngff_cond_close(&s->room);
    ngff_cond_close(&s->work);
    ngff_mutex_close(&s->lock);
    ngff_free(s->alloc, s);
}

uint64_t ngff_stream_slab_bytes(const ngff_stream *s) {
    return (uint64_t)s->sizes.frames * s->sizes.frame_bytes * (uint64_t)s->sizes.count;
}

void ngff_stream_plan(const ngff_stream *s, ngff_plan *out) {
    const uint64_t lanes = (uint64_t)s->sizes.lanes;
    *out = s->writer[0]->lane.plan;
    out->budget = s->memory;
    out->peak = out->peak * lanes + ngff_stream_slab_bytes(s);
    out->spill_file *= lanes;
    out->threads *= s->sizes.lanes;
}
