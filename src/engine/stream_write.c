/* stream: slabs on their way into the store. See stream_inside.h. */
#include "engine/stream_inside.h"

/* ---- under the lock --------------------------------------------------------------- */

ngff_status ngff_stream_failure(const ngff_stream *s, ngff_error *err) {
    if (s->status != NGFF_OK && err != NULL)
        *err = s->error;
    return s->status;
}

void ngff_stream_enqueue(ngff_stream *s, ngff_stream_slab *full) {
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

ngff_stream_slab *ngff_stream_take_free(ngff_stream *s) {
    while (s->free == NULL && s->status == NGFF_OK)
        ngff_cond_wait(s->room, s->lock);
    ngff_stream_slab *empty = s->status == NGFF_OK ? s->free : NULL;
    if (empty != NULL) {
        s->free = empty->next;
        empty->frames = 0;
    }
    return empty;
}

/* Whole units of the slab that fills, when there is nothing else to do and the caller
 * would not have to wait for another. */
static void queue_early(ngff_stream *s) {
    ngff_stream_slab *part = s->filling;
    if (!s->opts.eager || s->held || part == NULL || part->frames == 0 ||
        part->frames % s->sizes.unit != 0 || s->free == NULL)
        return;
    s->filling = NULL;
    ngff_stream_enqueue(s, part);
}

/* The first report may move the store to where it is seen: nobody writes meanwhile. */
static bool must_wait(const ngff_stream *s) {
    return s->opts.stored != NULL && s->stored == 0 && (s->in_hand > 0 || s->reporting);
}

static ngff_stream_slab *take_work(ngff_stream *s) {
    for (;;) {
        if (s->closing || s->status != NGFF_OK)
            return NULL;
        if (s->next == NULL && !must_wait(s))
            queue_early(s);
        ngff_stream_slab *full = s->next;
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
        ngff_stream_slab *end = s->first;
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
            ngff_stream_slab *empty = s->first;
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

void ngff_stream_write_all(void *arg) {
    ngff_stream_writer *w = arg;
    ngff_stream *s = w->stream;
    ngff_stream_slab *full;
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

ngff_status ngff_stream_write_here(ngff_stream *s, ngff_stream_slab *full, int64_t count,
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
    return ngff_stream_failure(s, err);
}
