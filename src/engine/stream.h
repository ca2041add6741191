/* stream: frames that come one after the other along axis 0, whose number is not known:
 * a camera. They are gathered in slabs of whole chunks (shards) and each slab is written
 * with all its levels as a job of its own, by one of the stream's threads, while the next
 * slab fills. Whatever the slabs, the bytes are the same.
 *
 * Threads: open, append, flush, finish and close come from one thread at a time. With
 * opts.engine->threads 1 there is no other: whoever fills a slab writes it. Memory: the
 * slabs and what the jobs hold are within the engine's budget. See docs/rooms/engine.md.
 */
#ifndef NGFF_ENGINE_STREAM_H
#define NGFF_ENGINE_STREAM_H

#include "engine/engine.h"

typedef struct ngff_stream ngff_stream;

typedef struct ngff_stream_opts {
    const ngff_engine_opts *engine; /* copied; census and stats stay borrowed, progress is
                                       not called */
    bool no_wait;                   /* append: LIMIT instead of waiting for a slab */
    bool eager; /* write whole units as soon as nothing else is to be written, instead
                   of when the slab is full */
    /* Frames [0, frames) of all levels are in the store: after each slab, in order, from
     * the thread that wrote it; nothing is being written during the first. A failure is
     * the stream's. May be NULL. */
    ngff_status (*stored)(void *user, int64_t frames, ngff_error *err);
    void *user;
} ngff_stream_opts;

/* Extents of axis 0 in `levels` and in the arrays of `image` do not count. UNSUPPORTED
 * when a level is coarser along axis 0, or the store is one sequence of bytes; LIMIT when
 * the budget does not hold two slabs and a job. `image` is borrowed until close. */
NGFF_MUST_USE ngff_status ngff_stream_open(const ngff_levels *levels, ngff_method method,
                                           ngff_image *image,
                                           const ngff_stream_opts *opts,
                                           ngff_stream **out, ngff_error *err);
/* `frames`: n >= 1 along axis 0, the other extents and the dtype of level 0; copied. A
 * failure to write comes out of whichever call is next. With no_wait: LIMIT when they
 * find no room now (nothing was taken), INVALID when they never will. */
NGFF_MUST_USE ngff_status ngff_stream_append(ngff_stream *s, const ngff_view *frames,
                                             ngff_error *err);
/* Returns when all whole units given so far (chunks, or shards, along axis 0) are stored
 * and reported. */
NGFF_MUST_USE ngff_status ngff_stream_flush(ngff_stream *s, ngff_error *err);
/* Stores all, ends the thread, gives the arrays and the image the extent that came out.
 * INVALID when no frame was given. Only close may follow. */
NGFF_MUST_USE ngff_status ngff_stream_finish(ngff_stream *s, ngff_error *err);
void ngff_stream_close(ngff_stream **s); /* what is not stored is dropped */

/* For reports: the plan of a slab, with the memory and the threads of all; bytes of all
 * slabs. */
void ngff_stream_plan(const ngff_stream *s, ngff_plan *out);
uint64_t ngff_stream_slab_bytes(const ngff_stream *s);

#endif
