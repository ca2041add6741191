/* stream: frames into slabs. See stream.h and stream_inside.h. */
#include "engine/stream_inside.h"

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
    for (const ngff_stream_slab *f = s->free; f != NULL; f = f->next)
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
    ngff_status status = ngff_stream_failure(s, err);
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
static ngff_stream_slab *slab_to_fill(ngff_stream *s) {
    ngff_mutex_lock(s->lock);
    if (s->filling == NULL)
        s->filling = ngff_stream_take_free(s);
    ngff_stream_slab *to = s->filling;
    ngff_mutex_unlock(s->lock);
    return to;
}

static void copy_frames(const ngff_stream *s, const ngff_view *frames, int64_t at,
                        int64_t count, const ngff_stream_slab *to) {
    ngff_view from = *frames, into = s->like;
    from.data = (char *)frames->data + at * frames->strides[0];
    into.data = to->data + (size_t)to->frames * s->sizes.frame_bytes;
    from.shape[0] = into.shape[0] = count;
    ngff_nd_copy(&into, &from);
}

static ngff_status slab_is_full(ngff_stream *s, ngff_stream_slab *full, ngff_error *err) {
    if (!s->threaded)
        return ngff_stream_write_here(s, full, full->frames, err);
    ngff_mutex_lock(s->lock);
    s->filling = NULL;
    ngff_stream_enqueue(s, full);
    ngff_mutex_unlock(s->lock);
    return NGFF_OK;
}

static ngff_status fill(ngff_stream *s, const ngff_view *frames, ngff_error *err) {
    for (int64_t at = 0; at < frames->shape[0];) {
        ngff_stream_slab *to = slab_to_fill(s);
        if (to == NULL)
            return ngff_stream_failure(s, err);
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
    ngff_stream_slab *part = s->filling, *next = NULL;
    const int64_t rest = part->frames - count;
    if (rest > 0) {
        next = ngff_stream_take_free(s);
        if (next == NULL)
            return ngff_stream_failure(s, err);
        memcpy(next->data, part->data + (size_t)count * s->sizes.frame_bytes,
               (size_t)rest * s->sizes.frame_bytes);
        next->frames = rest;
    }
    part->frames = count;
    s->filling = next;
    ngff_stream_enqueue(s, part);
    return NGFF_OK;
}

/* Under the lock, which is let go while others work. */
static ngff_status drain(ngff_stream *s, bool to_the_end, ngff_error *err) {
    ngff_stream_slab *part = s->filling;
    int64_t count = part != NULL ? part->frames : 0;
    if (!to_the_end)
        count -= count % s->sizes.unit;
    NGFF_TRY(ngff_stream_failure(s, err));
    if (count > 0 && !s->threaded)
        return ngff_stream_write_here(s, part, count, err);
    if (count > 0)
        NGFF_TRY(queue_part(s, count, err));
    while (s->status == NGFF_OK && (s->first != NULL || s->reporting))
        ngff_cond_wait(s->room, s->lock);
    return ngff_stream_failure(s, err);
}

ngff_status ngff_stream_drain(ngff_stream *s, bool to_the_end, ngff_error *err) {
    ngff_mutex_lock(s->lock);
    s->held = true;
    ngff_status status = drain(s, to_the_end, err);
    s->held = false;
    ngff_mutex_unlock(s->lock);
    return status;
}

ngff_status ngff_stream_flush(ngff_stream *s, ngff_error *err) {
    return ngff_stream_drain(s, false, err);
}
