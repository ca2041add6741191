/* slabs: how large the slabs of a stream are, and writing them. A lane writes one slab at
 * a time, as a job of its own with memory and workers of its own; lanes share nothing but
 * the store. Owned by a stream; a lane belongs to one thread at a time. */
#ifndef NGFF_ENGINE_SLABS_H
#define NGFF_ENGINE_SLABS_H

#include "engine/job.h"
#include "engine/stream.h"

enum { NGFF_SLABS_MOST = 64 };

/* The slab in hand as what a job reads. */
typedef struct ngff_slab_source {
    ngff_source base;
    ngff_view view;
} ngff_slab_source;

typedef struct ngff_slab_sizes {
    int64_t unit;   /* frames that chunks or shards of all levels share */
    int64_t frames; /* of a full slab: whole units */
    int count;      /* slabs there are to be: more than lanes, but for the thread that
                       writes what it fills: one of each */
    int lanes;
    int workers; /* of a lane */
    size_t frame_bytes;
} ngff_slab_sizes;

typedef struct ngff_lane {
    ngff_plan plan; /* of a full slab; extents shrink with the slab in hand */
    ngff_engine_opts engine;
    ngff_engine_stats stats; /* complete when the lane is closed */
    ngff_image part;         /* the image as the job sees it: one slab long */
    ngff_zarr_array array[NGFF_MAX_LEVELS];
    ngff_slab_source pixels;
    ngff_job *job;
} ngff_lane;

/* Sizes that fit opts->memory, and a lane that is open for them: the first. `opts` has no
 * zeros for defaults. */
NGFF_MUST_USE ngff_status ngff_lane_open_first(const ngff_levels *levels,
                                               ngff_method method,
                                               const ngff_image *image,
                                               const ngff_engine_opts *opts,
                                               ngff_slab_sizes *sizes, ngff_lane *lane,
                                               ngff_error *err);
/* Another like it. */
NGFF_MUST_USE ngff_status ngff_lane_open_like(const ngff_lane *first, ngff_lane *lane,
                                              ngff_error *err);
/* `count` frames at `data`, packed, from frame `first` (whole units) on. */
NGFF_MUST_USE ngff_status ngff_lane_write(ngff_lane *lane, char *data, int64_t first,
                                          int64_t count, ngff_error *err);
void ngff_lane_stop(ngff_lane *lane); /* from any thread: what is written is given up */
void ngff_lane_close(ngff_lane *lane);

#endif
