/* slabs: how large the slabs of a stream are, and writing one. Owned by a stream; one
 * thread at a time. */
#ifndef NGFF_ENGINE_SLABS_H
#define NGFF_ENGINE_SLABS_H

#include "engine/job.h"
#include "engine/stream.h"

enum { NGFF_SLABS_MOST = 16 };

/* The slab in hand as what a job reads. */
typedef struct ngff_slab_source {
    ngff_source base;
    ngff_view view;
} ngff_slab_source;

typedef struct ngff_slabs {
    int64_t unit;   /* frames that chunks or shards of all levels share */
    int64_t frames; /* of a full slab: whole units */
    int count;      /* slabs there are to be */
    size_t frame_bytes;
    ngff_plan plan; /* of a full slab; extents shrink with the slab in hand */
    ngff_engine_opts engine;
    ngff_image part; /* the image as a job sees it: one slab long */
    ngff_zarr_array array[NGFF_MAX_LEVELS];
    const ngff_image *whole; /* borrowed */
    ngff_slab_source pixels; /* of the thread that writes */
    ngff_view like;          /* a full slab; fixed */
    ngff_job *job;
} ngff_slabs;

/* Decides and takes the job's memory (not that of the slabs). */
NGFF_MUST_USE ngff_status ngff_slabs_open(ngff_slabs *s, const ngff_levels *levels,
                                          ngff_method method, const ngff_image *image,
                                          const ngff_engine_opts *opts, ngff_error *err);
/* `count` frames at `data`, packed, from frame `first` (whole units) on. */
NGFF_MUST_USE ngff_status ngff_slabs_write(ngff_slabs *s, char *data, int64_t first,
                                           int64_t count, ngff_error *err);
void ngff_slabs_close(ngff_slabs *s);

#endif
