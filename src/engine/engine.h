/* engine: "write this source as these levels": the plan (pure) and the run (threads, budget, spill,
 * progress). The only room with threads. See docs/ARCHITECTURE.md "The engine". */
#ifndef NGFF_ENGINE_ENGINE_H
#define NGFF_ENGINE_ENGINE_H

#include "image/image.h"
#include "pyramid/pyramid.h"
#include "source/source.h"

typedef struct ngff_engine_opts {
    uint64_t memory;  /* budget in bytes; 0: a quarter of what this process may use, at most 4 GiB */
    int threads;      /* 0: all cores this process may use; 1: no thread at all */
    bool no_spill;
    bool write_empty_chunks;
    bool keep_levels; /* copy levels the source brings, where shapes agree */
    ngff_progress_fn progress;
    void *progress_user;
} ngff_engine_opts;

#define NGFF_MAX_TIERS 16

/* A tier: one pass over blocks of a root level (level 0 from the source, or a retained level),
 * computing all levels that fit inside a block with halo recomputed. */
typedef struct ngff_tier {
    int root;                         /* level number */
    bool encode_root;                 /* root's own chunks are written in this tier */
    int64_t block[NGFF_MAX_NDIM];     /* block extent in root-level elements */
    int64_t grid[NGFF_MAX_NDIM];      /* blocks per axis */
    uint32_t computed, encoded, retained; /* bit sets of levels */
    size_t workspace;                 /* bytes per worker */
    uint64_t retained_bytes;          /* of levels retained by this tier */
    double amplification;             /* root elements read / root elements */
} ngff_tier;

typedef struct ngff_plan {
    ngff_levels levels;
    ngff_method method;
    ngff_dtype dtype;
    int threads;            /* workers that fit the budget */
    uint64_t budget;
    uint64_t peak;          /* bytes the engine will hold at most */
    size_t spill_memory;    /* part of the budget for waiting chunks and retained levels */
    uint64_t spill_file;    /* estimate of bytes that may go to the spill file */
    uint64_t files;         /* chunk/shard files + documents */
    uint64_t decoded_bytes; /* of all levels */
    uint64_t source_bytes;
    int tier_count;
    ngff_tier tier[NGFF_MAX_TIERS];
    bool staged_source;     /* a sequential source goes through a window */
    size_t window_bytes;
} ngff_plan;

/* Pure. LIMIT naming the unit and the smallest budget that would do when it cannot fit. `encoded_bound`
 * and `ctx_bytes` come from the codec chain of the level-0 chunk. */
NGFF_MUST_USE ngff_status ngff_engine_plan(const ngff_levels *levels, ngff_method method,
                                           const ngff_source *source, const ngff_image *image,
                                           const ngff_engine_opts *opts, ngff_plan *out,
                                           ngff_error *err);
/* Writes all pixels of all levels into image's arrays. Does not write documents, does not publish. */
NGFF_MUST_USE ngff_status ngff_engine_run(const ngff_plan *plan, ngff_source *source,
                                          ngff_image *image, const ngff_engine_opts *opts,
                                          ngff_error *err);

#endif
