/* stream: the caller fills slabs, threads write them, each slab alone in its lane. `lock`
 * guards everything but the pixels: a slab in hand belongs to whoever took it off its
 * list. Slabs may be done in any order and are reported, and free again, in theirs. */
#include "engine/slabs.h"

typedef struct slab slab;
struct slab {
    slab *next;
    char *data;
    int64_t first, frames; /* `first` once it is full */
    bool done;
};

/* A thread and what it writes with. */
typedef struct writer {
    ngff_stream *stream;
    ngff_lane lane;
    ngff_thread *thread; /* NULL: the caller's */
} writer;

struct ngff_stream {
    const ngff_allocator *alloc;
    ngff_stream_opts opts;
    ngff_image *image;
    ngff_slab_sizes sizes;
    ngff_view like; /* a full slab, for its strides; fixed */
    writer *writer[NGFF_SLABS_MOST];
    bool threaded; /* else the caller writes */
    uint64_t memory;
    ngff_engine_stats *stats; /* the caller's, or NULL */
    slab slab[NGFF_SLABS_MOST];
    slab *free;         /* a stack: memory that was never needed is never touched */
    slab *filling;      /* NULL: none */
    slab *first, *last; /* full ones and those in hand, in order */
    slab *next;         /* of these the first that nobody took */
    int in_hand;        /* slabs that are being written */
    bool reporting;     /* one report at a time */
    bool held;          /* an append goes on: `filling` may not be taken */
    bool closing;
    int64_t given;  /* frames; the caller's */
    int64_t queued; /* … in slabs that are full */
    int64_t stored; /* … reported */
    ngff_mutex *lock;
    ngff_cond *work, *room;
    ngff_status status; /* first failure; the stream's end */
    ngff_error error;
};

/* ---- under the lock --------------------------------------------------------------- */

static ngff_status failure(const ngff_stream *s, ngff_error *err) {
    if (s->status != NGFF_OK && err != NULL)
        *err = s->error;
    return s->status;
}

static void enqueue(ngff_stream *s, slab *full) {
    assert(full->frames > 0);
    full->next = NULL;
    full->done = false;
    full->first = s->queued;
    s->queued += full->frames;
    if (s->last != NULL)
        s->last->next = full;
    else
        s->first = full;
    s->last = full;
    if (s->next == NULL)
        s->next = full;
    ngff_cond_signal(s->work);
}

static slab *take_free(ngff_stream *s) {
    while (s->free == NULL && s->status == NGFF_OK)
        ngff_cond_wait(s->room, s->lock);
    slab *empty = s->status == NGFF_OK ? s->free : NULL;
    if (empty != NULL) {
        s->free = empty->next;
        empty->frames = 0;
    }
    return empty;
}

/* Whole units of the slab that fills, when there is nothing else to do and the caller
 * would not have to wait for another. */
static void queue_early(ngff_stream *s) {
    slab *part = s->filling;
    if (!s->opts.eager || s->held || part == NULL || part->frames == 0 ||
        part->frames % s->sizes.unit != 0 || s->free == NULL)
        return;
    s->filling = NULL;
    enqueue(s, part);
}

/* The first report may move the store to where it is seen: nobody writes meanwhile. */
static bool must_wait(const ngff_stream *s) {
    return s->opts.stored != NULL && s->stored == 0 && (s->in_hand > 0 || s->reporting);
}

static slab *take_work(ngff_stream *s) {
    for (;;) {
        if (s->closing || s->status != NGFF_OK)
            return NULL;
        if (s->next == NULL && !must_wait(s))
            queue_early(s);
        slab *full = s->next;
        if (full != NULL && !must_wait(s)) {
            s->next = full->next;
            s->in_hand++;
            return full;
        }
        ngff_cond_wait(s->work, s->lock);
    }
}

static void fail(ngff_stream *s, ngff_status status, const ngff_error *err) {
    if (s->status != NGFF_OK)
        return;
    s->status = status;
    s->error = *err;
    ngff_cond_broadcast(s->work); /* the other threads end, too */
}

/* ---- writing ---------------------------------------------------------------------- */

/* Under the lock, which is let go meanwhile. */
static ngff_status report(ngff_stream *s, int64_t frames, ngff_error *err) {
    if (s->opts.stored == NULL)
        return NGFF_OK;
    s->reporting = true;
    ngff_mutex_unlock(s->lock);
    ngff_status status = s->opts.stored(s->opts.user, frames, err);
    ngff_mutex_lock(s->lock);
    s->reporting = false;
    return status;
}

/* Reports the slabs that are done, as far as all before them are: several at once when
 * one took longer. Whoever comes meanwhile leaves it to the one who reports. */
static void settle(ngff_stream *s) {
    while (!s->reporting && s->status == NGFF_OK && s->first != NULL && s->first->done) {
        slab *end = s->first;
        ngff_error err = {0};
        while (end->next != NULL && end->next->done)
            end = end->next;
        const int64_t frames = end->first + end->frames;
        ngff_status status = report(s, frames, &err);
        if (status != NGFF_OK) {
            fail(s, status, &err);
            break;
        }
        s->stored = frames;
        while (s->first != NULL && s->first->first < frames) {
            slab *empty = s->first;
            s->first = empty->next;
            empty->next = s->free;
            s->free = empty;
        }
        if (s->first == NULL)
            s->last = NULL;
    }
    ngff_cond_broadcast(s->room);
    if (s->opts.stored != NULL)
        ngff_cond_broadcast(s->work); /* who had to wait for the first report */
}

static void write_all(void *arg) {
    writer *w = arg;
    ngff_stream *s = w->stream;
    slab *full;
    ngff_mutex_lock(s->lock);
    while ((full = take_work(s)) != NULL) {
        ngff_error err = {0};
        ngff_mutex_unlock(s->lock);
        ngff_status status =
            ngff_lane_write(&w->lane, full->data, full->first, full->frames, &err);
        ngff_mutex_lock(s->lock);
        s->in_hand--;
        full->done = status == NGFF_OK;
        if (status != NGFF_OK)
            fail(s, status, &err);
        settle(s);
    }
    ngff_mutex_unlock(s->lock);
}

/* Without a thread: the first `count` frames of the only slab; the others move up. */
static ngff_status write_here(ngff_stream *s, slab *full, int64_t count,
                              ngff_error *err) {
    ngff_error own = {0};
    size_t done = (size_t)count * s->sizes.frame_bytes;
    size_t rest = (size_t)(full->frames - count) * s->sizes.frame_bytes;
    ngff_status status =
        ngff_lane_write(&s->writer[0]->lane, full->data, s->stored, count, &own);
    if (status == NGFF_OK && s->opts.stored != NULL)
        status = s->opts.stored(s->opts.user, s->stored + count, &own);
    if (status != NGFF_OK)
        fail(s, status, &own);
    else
        s->stored += count;
    memmove(full->data, full->data + done, rest);
    full->frames -= count;
    return failure(s, err);
}

/* ---- filling ---------------------------------------------------------------------- */

static ngff_status check_frames(const ngff_stream *s, const ngff_view *frames,
                                ngff_error *err) {
    const ngff_view *want = &s->like;
    char got[128], text[128];
    bool same = frames->ndim == want->ndim && frames->dtype == want->dtype &&
                frames->shape[0] >= 1;
    for (int d = 1; same && d < want->ndim; d++)
        same = frames->shape[d] == want->shape[d];
    if (same)
        return NGFF_OK;
    ngff_nd_shape_text(frames->ndim, frames->shape, got, sizeof got);
    ngff_nd_shape_text(want->ndim - 1, want->shape + 1, text, sizeof text);
    return ngff_fail(err, NGFF_INVALID, "frames of %s %s, expected n of %s %s", got,
                     ngff_dtype_name((ngff_dtype)frames->dtype), text,
                     ngff_dtype_name((ngff_dtype)want->dtype));
}

/* Under the lock: frames that can be taken without waiting. */
static int64_t room_left(const ngff_stream *s) {
    int64_t left = s->filling != NULL ? s->sizes.frames - s->filling->frames : 0;
    for (const slab *f = s->free; f != NULL; f = f->next)
        left += s->sizes.frames;
    return left;
}

static ngff_status find_room(const ngff_stream *s, int64_t count, ngff_error *err) {
    int64_t most = s->sizes.frames * s->sizes.count;
    if (!s->opts.no_wait || !s->threaded || room_left(s) >= count)
        return NGFF_OK;
    if (count > most)
        return ngff_fail(err, NGFF_INVALID,
                         "%lld frames at once, at most %lld can ever be taken without "
                         "waiting",
                         (long long)count, (long long)most);
    return ngff_fail(err, NGFF_LIMIT,
                     "would wait: there is room for %lld frames now, not for %lld",
                     (long long)room_left(s), (long long)count);
}

/* From now on the slab that fills is the caller's alone. */
static ngff_status hold(ngff_stream *s, int64_t count, ngff_error *err) {
    ngff_mutex_lock(s->lock);
    ngff_status status = failure(s, err);
    if (status == NGFF_OK)
        status = find_room(s, count, err);
    s->held = status == NGFF_OK;
    ngff_mutex_unlock(s->lock);
    return status;
}

static ngff_status let_go(ngff_stream *s, ngff_status status) {
    ngff_mutex_lock(s->lock);
    s->held = false;
    if (s->opts.eager)
        ngff_cond_signal(s->work);
    ngff_mutex_unlock(s->lock);
    return status;
}

/* The slab that fills, a new one if need be; NULL: the stream failed. */
static slab *slab_to_fill(ngff_stream *s) {
    ngff_mutex_lock(s->lock);
    if (s->filling == NULL)
        s->filling = take_free(s);
    slab *to = s->filling;
    ngff_mutex_unlock(s->lock);
    return to;
}

static void copy_frames(const ngff_stream *s, const ngff_view *frames, int64_t at,
                        int64_t count, const slab *to) {
    ngff_view from = *frames, into = s->like;
    from.data = (char *)frames->data + at * frames->strides[0];
    into.data = to->data + (size_t)to->frames * s->sizes.frame_bytes;
    from.shape[0] = into.shape[0] = count;
    ngff_nd_copy(&into, &from);
}

static ngff_status slab_is_full(ngff_stream *s, slab *full, ngff_error *err) {
    if (!s->threaded)
        return write_here(s, full, full->frames, err);
    ngff_mutex_lock(s->lock);
    s->filling = NULL;
    enqueue(s, full);
    ngff_mutex_unlock(s->lock);
    return NGFF_OK;
}

static ngff_status fill(ngff_stream *s, const ngff_view *frames, ngff_error *err) {
    for (int64_t at = 0; at < frames->shape[0];) {
        slab *to = slab_to_fill(s);
        if (to == NULL)
            return failure(s, err);
        int64_t count = ngff_min_i64(frames->shape[0] - at, s->sizes.frames - to->frames);
        copy_frames(s, frames, at, count, to);
        to->frames += count;
        at += count;
        if (to->frames == s->sizes.frames)
            NGFF_TRY(slab_is_full(s, to, err));
    }
    return NGFF_OK;
}

ngff_status ngff_stream_append(ngff_stream *s, const ngff_view *frames, ngff_error *err) {
    NGFF_TRY(check_frames(s, frames, err));
    NGFF_TRY(hold(s, frames->shape[0], err));
    s->given += frames->shape[0];
    NGFF_TRY(let_go(s, fill(s, frames, err)));
    return !s->threaded && s->opts.eager ? ngff_stream_flush(s, err) : NGFF_OK;
}

/* ---- flushing --------------------------------------------------------------------- */

/* Queues the first `count` frames of the slab that fills; the others begin the next. */
static ngff_status queue_part(ngff_stream *s, int64_t count, ngff_error *err) {
    slab *part = s->filling, *next = NULL;
    const int64_t rest = part->frames - count;
    if (rest > 0) {
        next = take_free(s);
        if (next == NULL)
            return failure(s, err);
        memcpy(next->data, part->data + (size_t)count * s->sizes.frame_bytes,
               (size_t)rest * s->sizes.frame_bytes);
        next->frames = rest;
    }
    part->frames = count;
    s->filling = next;
    enqueue(s, part);
    return NGFF_OK;
}

/* Under the lock, which is let go while others work. */
static ngff_status drain(ngff_stream *s, bool to_the_end, ngff_error *err) {
    slab *part = s->filling;
    int64_t count = part != NULL ? part->frames : 0;
    if (!to_the_end)
        count -= count % s->sizes.unit;
    NGFF_TRY(failure(s, err));
    if (count > 0 && !s->threaded)
        return write_here(s, part, count, err);
    if (count > 0)
        NGFF_TRY(queue_part(s, count, err));
    while (s->status == NGFF_OK && (s->first != NULL || s->reporting))
        ngff_cond_wait(s->room, s->lock);
    return failure(s, err);
}

static ngff_status drain_held(ngff_stream *s, bool to_the_end, ngff_error *err) {
    ngff_mutex_lock(s->lock);
    s->held = true;
    ngff_status status = drain(s, to_the_end, err);
    s->held = false;
    ngff_mutex_unlock(s->lock);
    return status;
}

ngff_status ngff_stream_flush(ngff_stream *s, ngff_error *err) {
    return drain_held(s, false, err);
}

/* ---- life ------------------------------------------------------------------------- */

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
    NGFF_TRY(drain_held(s, true, err));
    stop_threads(s);
    close_lanes(s);
    assert(s->stored == s->given);
    ngff_image_set_extent(s->image, s->stored);
    return NGFF_OK;
}

static ngff_status open_slabs(ngff_stream *s, ngff_error *err) {
    const size_t size = (size_t)s->sizes.frames * s->sizes.frame_bytes;
    for (int i = 0; i < s->sizes.count; i++) {
        slab *new = &s->slab[i];
        new->data = ngff_alloc_aligned(s->alloc, size);
        if (new->data == NULL)
            return ngff_fail_nomem(err, "frames", size);
        new->next = s->free;
        s->free = new;
    }
    return NGFF_OK;
}

static ngff_status new_writer(ngff_stream *s, int i, ngff_error *err) {
    s->writer[i] = ngff_calloc(s->alloc, 1, sizeof(writer));
    if (s->writer[i] == NULL)
        return ngff_fail_nomem(err, "a writer", sizeof(writer));
    s->writer[i]->stream = s;
    return NGFF_OK;
}

static ngff_status open_lanes(ngff_stream *s, const ngff_levels *levels,
                              ngff_method method, ngff_error *err) {
    ngff_engine_opts engine = *s->opts.engine;
    engine.progress = NULL;
    engine.keep_levels = false;
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
        NGFF_TRY(ngff_thread_start(s->alloc, write_all, s->writer[i],
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
