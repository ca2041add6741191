/* stream: the caller fills slabs, a thread writes them. `lock` guards everything but the
 * pixels: a slab in hand belongs to whoever took it off its list. */
#include "engine/slabs.h"

typedef struct slab slab;
struct slab {
    slab *next;
    char *data;
    int64_t frames;
};

struct ngff_stream {
    const ngff_allocator *alloc;
    ngff_stream_opts opts;
    ngff_image *image;
    ngff_slabs slabs;
    slab slab[NGFF_SLABS_MOST];
    slab *free;         /* a stack: memory that was never needed is never touched */
    slab *filling;      /* NULL: none */
    slab *first, *last; /* full ones, in order */
    bool in_hand;       /* the thread writes one */
    bool held;          /* an append goes on: `filling` may not be taken */
    bool closing;
    int64_t given, stored; /* frames */
    ngff_mutex *lock;
    ngff_cond *work, *room;
    ngff_thread *thread; /* NULL: the caller writes */
    ngff_status status;  /* first failure; the stream's end */
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
    if (s->last != NULL)
        s->last->next = full;
    else
        s->first = full;
    s->last = full;
    ngff_cond_signal(s->work);
}

static slab *dequeue(ngff_stream *s) {
    slab *full = s->first;
    if (full == NULL)
        return NULL;
    s->first = full->next;
    if (s->first == NULL)
        s->last = NULL;
    return full;
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
static slab *take_early(ngff_stream *s) {
    slab *part = s->filling;
    if (!s->opts.eager || s->held || part == NULL || part->frames == 0 ||
        part->frames % s->slabs.unit != 0 || s->free == NULL)
        return NULL;
    s->filling = NULL;
    return part;
}

static slab *take_work(ngff_stream *s) {
    for (;;) {
        if (s->closing || s->status != NGFF_OK)
            return NULL;
        slab *next = dequeue(s);
        if (next == NULL)
            next = take_early(s);
        if (next != NULL)
            return next;
        ngff_cond_wait(s->work, s->lock);
    }
}

static void fail(ngff_stream *s, ngff_status status, const ngff_error *err) {
    if (s->status != NGFF_OK)
        return;
    s->status = status;
    s->error = *err;
}

/* ---- writing ---------------------------------------------------------------------- */

/* Without the lock; only one thread at a time writes. */
static ngff_status write_frames(ngff_stream *s, slab *full, int64_t count,
                                ngff_error *err) {
    ngff_status status = ngff_slabs_write(&s->slabs, full->data, s->stored, count, err);
    if (status == NGFF_OK && s->opts.stored != NULL)
        status = s->opts.stored(s->opts.user, s->stored + count, err);
    return status;
}

static void settle(ngff_stream *s, int64_t count, ngff_status status,
                   const ngff_error *err) {
    if (status != NGFF_OK)
        fail(s, status, err);
    else
        s->stored += count;
}

static void write_all(void *arg) {
    ngff_stream *s = arg;
    slab *full;
    ngff_mutex_lock(s->lock);
    while ((full = take_work(s)) != NULL) {
        ngff_error err = {0};
        s->in_hand = true;
        ngff_mutex_unlock(s->lock);
        ngff_status status = write_frames(s, full, full->frames, &err);
        ngff_mutex_lock(s->lock);
        settle(s, full->frames, status, &err);
        s->in_hand = false;
        full->next = s->free;
        s->free = full;
        ngff_cond_broadcast(s->room);
    }
    ngff_mutex_unlock(s->lock);
}

/* Without a thread: the first `count` frames of the only slab; the others move up. */
static ngff_status write_here(ngff_stream *s, slab *full, int64_t count,
                              ngff_error *err) {
    ngff_error own = {0};
    size_t done = (size_t)count * s->slabs.frame_bytes;
    size_t rest = (size_t)(full->frames - count) * s->slabs.frame_bytes;
    settle(s, count, write_frames(s, full, count, &own), &own);
    memmove(full->data, full->data + done, rest);
    full->frames -= count;
    return failure(s, err);
}

/* ---- filling ---------------------------------------------------------------------- */

static ngff_status check_frames(const ngff_stream *s, const ngff_view *frames,
                                ngff_error *err) {
    const ngff_view *want = &s->slabs.like;
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
    int64_t left = s->filling != NULL ? s->slabs.frames - s->filling->frames : 0;
    for (const slab *f = s->free; f != NULL; f = f->next)
        left += s->slabs.frames;
    return left;
}

static ngff_status find_room(const ngff_stream *s, int64_t count, ngff_error *err) {
    int64_t most = s->slabs.frames * s->slabs.count;
    if (!s->opts.no_wait || s->thread == NULL || room_left(s) >= count)
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
    ngff_view from = *frames, into = s->slabs.like;
    from.data = (char *)frames->data + at * frames->strides[0];
    into.data = to->data + (size_t)to->frames * s->slabs.frame_bytes;
    from.shape[0] = into.shape[0] = count;
    ngff_nd_copy(&into, &from);
}

static ngff_status slab_is_full(ngff_stream *s, slab *full, ngff_error *err) {
    if (s->thread == NULL)
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
        int64_t count = ngff_min_i64(frames->shape[0] - at, s->slabs.frames - to->frames);
        copy_frames(s, frames, at, count, to);
        to->frames += count;
        at += count;
        if (to->frames == s->slabs.frames)
            NGFF_TRY(slab_is_full(s, to, err));
    }
    return NGFF_OK;
}

ngff_status ngff_stream_append(ngff_stream *s, const ngff_view *frames, ngff_error *err) {
    NGFF_TRY(check_frames(s, frames, err));
    NGFF_TRY(hold(s, frames->shape[0], err));
    s->given += frames->shape[0];
    NGFF_TRY(let_go(s, fill(s, frames, err)));
    return s->thread == NULL && s->opts.eager ? ngff_stream_flush(s, err) : NGFF_OK;
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
        memcpy(next->data, part->data + (size_t)count * s->slabs.frame_bytes,
               (size_t)rest * s->slabs.frame_bytes);
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
        count -= count % s->slabs.unit;
    NGFF_TRY(failure(s, err));
    if (count > 0 && s->thread == NULL)
        return write_here(s, part, count, err);
    if (count > 0)
        NGFF_TRY(queue_part(s, count, err));
    while (s->status == NGFF_OK && (s->first != NULL || s->in_hand))
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

static void stop_thread(ngff_stream *s) {
    if (s->thread == NULL)
        return;
    ngff_mutex_lock(s->lock);
    s->closing = true;
    ngff_cond_signal(s->work);
    ngff_mutex_unlock(s->lock);
    ngff_thread_join(&s->thread);
}

ngff_status ngff_stream_finish(ngff_stream *s, ngff_error *err) {
    if (s->given == 0)
        return ngff_fail(err, NGFF_INVALID, "no frame was appended");
    NGFF_TRY(drain_held(s, true, err));
    stop_thread(s);
    ngff_slabs_close(&s->slabs); /* the numbers of the engine are complete */
    assert(s->stored == s->given);
    ngff_image_set_extent(s->image, s->stored);
    return NGFF_OK;
}

static ngff_status open_slabs(ngff_stream *s, ngff_error *err) {
    const size_t size = (size_t)s->slabs.frames * s->slabs.frame_bytes;
    for (int i = 0; i < s->slabs.count; i++) {
        slab *new = &s->slab[i];
        new->data = ngff_alloc_aligned(s->alloc, size);
        if (new->data == NULL)
            return ngff_fail_nomem(err, "frames", size);
        new->next = s->free;
        s->free = new;
    }
    return NGFF_OK;
}

static ngff_status open_all(ngff_stream *s, const ngff_levels *levels, ngff_method method,
                            ngff_error *err) {
    NGFF_TRY(ngff_slabs_open(&s->slabs, levels, method, s->image, s->opts.engine, err));
    NGFF_TRY(open_slabs(s, err));
    NGFF_TRY(ngff_mutex_create(s->alloc, &s->lock, err));
    NGFF_TRY(ngff_cond_create(s->alloc, &s->work, err));
    NGFF_TRY(ngff_cond_create(s->alloc, &s->room, err));
    if (s->slabs.engine.threads == 1)
        return NGFF_OK;
    return ngff_thread_start(s->alloc, write_all, s, &s->thread, err);
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
    if (s->slabs.job != NULL)
        atomic_store(&s->slabs.job->stop, true); /* what is being written is given up */
    stop_thread(s);
    ngff_slabs_close(&s->slabs);
    for (int i = 0; i < NGFF_SLABS_MOST; i++)
        ngff_free_aligned(s->alloc, s->slab[i].data);
    ngff_cond_close(&s->room);
    ngff_cond_close(&s->work);
    ngff_mutex_close(&s->lock);
    ngff_free(s->alloc, s);
}

const ngff_plan *ngff_stream_plan(const ngff_stream *s) {
    return &s->slabs.plan;
}

uint64_t ngff_stream_slab_bytes(const ngff_stream *s) {
    return (uint64_t)s->slabs.frames * s->slabs.frame_bytes * (uint64_t)s->slabs.count;
}
