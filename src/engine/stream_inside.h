/* The inside of a stream: what filling (stream.c), writing (stream_write.c) and its life
 * (stream_open.c) share. The caller fills slabs, threads write them, each slab alone in
 * its lane. `lock` guards everything but the pixels: a slab in hand belongs to whoever
 * took it off its list. Slabs may be done in any order and are reported, and free again,
 * in theirs.
 */
#ifndef NGFF_ENGINE_STREAM_INSIDE_H
#define NGFF_ENGINE_STREAM_INSIDE_H

#include "engine/slabs.h"

typedef struct ngff_stream_slab {
    struct ngff_stream_slab *next;
    char *data;
    int64_t first, frames; /* `first` once it is full */
    bool done;
} ngff_stream_slab;

/* A thread and what it writes with. */
typedef struct ngff_stream_writer {
    ngff_stream *stream;
    ngff_lane lane;
    ngff_thread *thread; /* NULL: the caller's */
} ngff_stream_writer;

struct ngff_stream {
    const ngff_allocator *alloc;
    ngff_stream_opts opts;
    ngff_image *image;
    ngff_slab_sizes sizes;
    ngff_view like; /* a full slab, for its strides; fixed */
    ngff_stream_writer *writer[NGFF_SLABS_MOST];
    bool threaded; /* else the caller writes */
    uint64_t memory;
    ngff_engine_stats *stats; /* the caller's, or NULL */
    ngff_stream_slab slab[NGFF_SLABS_MOST];
    ngff_stream_slab *free; /* a stack: memory that was never needed is never touched */
    ngff_stream_slab *filling;      /* NULL: none */
    ngff_stream_slab *first, *last; /* full ones and those in hand, in order */
    ngff_stream_slab *next;         /* of these the first that nobody took */
    int in_hand;                    /* slabs that are being written */
    bool reporting;                 /* one report at a time */
    bool held;                      /* an append goes on: `filling` may not be taken */
    bool closing;
    int64_t given;  /* frames; the caller's */
    int64_t queued; /* … in slabs that are full */
    int64_t stored; /* … reported */
    ngff_mutex *lock;
    ngff_cond *work, *room;
    ngff_status status; /* first failure; the stream's end */
    ngff_error error;
};

/* The first failure; under the lock, or when no thread runs. */
ngff_status ngff_stream_failure(const ngff_stream *s, ngff_error *err);
/* Under the lock: a slab to be written; an empty one, NULL when the stream failed. */
void ngff_stream_enqueue(ngff_stream *s, ngff_stream_slab *full);
ngff_stream_slab *ngff_stream_take_free(ngff_stream *s);
/* Without a thread: the first `count` frames of the only slab; the others move up. */
ngff_status ngff_stream_write_here(ngff_stream *s, ngff_stream_slab *full, int64_t count,
                                   ngff_error *err);
/* What a thread does; `arg` is its ngff_stream_writer. */
void ngff_stream_write_all(void *arg);
/* Whole units that were given, or all, are stored and reported when it returns. */
ngff_status ngff_stream_drain(ngff_stream *s, bool to_the_end, ngff_error *err);

#endif
