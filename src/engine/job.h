/* One run: what its workers share. Created, used and closed by run.c; blocks.c does the
 * work of one block, window.c brings in sources that must be read in their own order. */
#ifndef NGFF_ENGINE_JOB_H
#define NGFF_ENGINE_JOB_H

#include "base/shared.h"
#include "engine/order.h"
#include "engine/tier.h"
#include "sys/sys.h"

typedef struct ngff_job ngff_job;

/* Owned by one thread while a tier runs. */
typedef struct ngff_worker {
    ngff_job *job;
    ngff_thread *thread; /* NULL: the caller's */
    ngff_codec_ctx *ctx;
    char
        *arena; /* worker_memory of the plan: buffers of a block, or a group being read */
    size_t arena_size;
    int64_t first_group; /* the window must keep from here on; -1: no block in hand */
    ngff_error err;
} ngff_worker;

/* State of the window; guarded by the job's lock, but for the pixels: a slot is written
 * by the reader that claimed it and read when `ready` has passed it. */
typedef struct ngff_window {
    bool on;
    ngff_tiles tiles; /* of one slot */
    ngff_spill_ticket room;
    bool *done;         /* by slot: read, but an earlier group is not yet */
    int64_t claimed;    /* groups [0, claimed) are read or being read */
    int64_t ready;      /* groups [0, ready) may be used */
    int64_t dispatched; /* first group of the block dispatched last */
    int readers;
} ngff_window;

struct ngff_job {
    const ngff_plan *plan;
    const ngff_engine_opts *opts;
    const ngff_allocator *alloc;
    ngff_source *source;
    ngff_image *image;
    ngff_spill *spill;
    ngff_zarr_writer *writer[NGFF_MAX_LEVELS];
    ngff_tiles tiles[NGFF_MAX_LEVELS]; /* of retained levels */
    ngff_spill_ticket room[NGFF_MAX_LEVELS];
    bool has_room[NGFF_MAX_LEVELS];
    ngff_worker *worker;
    ngff_mutex *lock;        /* order, window, first error */
    ngff_cond *changed;      /* window */
    ngff_mutex *source_lock; /* not reentrant: one read at a time; else NULL */
    const ngff_tier *tier;   /* the one that runs */
    ngff_tier_bound bound;
    ngff_tier_layout layout;
    ngff_order order;
    ngff_window window;
    atomic_bool stop;
    ngff_status status; /* first error */
    ngff_error error;
    atomic_flag reporting; /* one progress call at a time */
    atomic_uint_fast64_t bytes_done, next_report, read_bytes;
    ngff_engine_stats stats;
};

/* ---- run.c ---------------------------------------------------------------------------
 */

/* A job takes its memory once and may then run several times, one after the other, with
 * other pixels in `source`, other arrays in `image` and smaller extents in the plan. All
 * is borrowed. A run that failed was the last. */
NGFF_MUST_USE ngff_status ngff_job_create(const ngff_plan *plan, ngff_source *source,
                                          ngff_image *image, const ngff_engine_opts *opts,
                                          ngff_job **out, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_job_run(ngff_job *job, ngff_error *err);
void ngff_job_destroy(ngff_job **job);

/* ---- job.c: what all workers call -----------------------------------------------------
 */

bool ngff_job_stopped(ngff_job *job);
/* Keeps the first error and makes everybody stop at the next chunk. */
void ngff_job_fail(ngff_job *job, ngff_status status, const ngff_error *err);
/* Counts written bytes and calls the progress callback, at most every 50 ms unless
 * `force`. CANCELLED when it says so. */
NGFF_MUST_USE ngff_status ngff_job_progress(ngff_job *job, int level, uint64_t bytes,
                                            bool force, ngff_error *err);
/* Pixels of a level of the source; serialised when the source asks for it. */
NGFF_MUST_USE ngff_status ngff_job_read(ngff_job *job, int source_level,
                                        const ngff_box *box, const ngff_view *out,
                                        ngff_error *err);

/* The same pixels where they lie, when they lie in memory in runs long enough to be as
 * good there as in a buffer; false: they must be read. */
bool ngff_job_look(ngff_job *job, int source_level, const ngff_box *box, ngff_view *out);

/* ---- block.c -------------------------------------------------------------------------
 */

/* Reads, reduces, encodes and retains block `idx` of the running tier. */
NGFF_MUST_USE ngff_status ngff_block_run(ngff_worker *w, const int64_t *idx,
                                         ngff_error *err);

/* ---- window.c ------------------------------------------------------------------------
 */

NGFF_MUST_USE ngff_status ngff_window_open(ngff_job *job, ngff_error *err);
void ngff_window_close(ngff_job *job);
/* Under the lock, when a block is dispatched: keeps its groups from being overwritten. */
void ngff_window_hold(ngff_worker *w, const int64_t *idx);
void ngff_window_release(ngff_worker *w); /* under the lock */
/* Returns when the groups of block `idx` are there, reading them if nobody else does. */
NGFF_MUST_USE ngff_status ngff_window_wait(ngff_worker *w, const int64_t *idx,
                                           ngff_error *err);
NGFF_MUST_USE ngff_status ngff_window_read(ngff_worker *w, const ngff_box *box,
                                           const ngff_view *out, ngff_error *err);

#endif
