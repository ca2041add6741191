/* engine: "write this source as these levels": the plan (pure) and the run (threads,
 * budget, spill, progress). The only room with threads. Nothing here is shared between
 * two runs; one run uses its own threads and returns when they are gone.
 *
 * The pixels are made in tiers. A tier has a root level, cut into blocks; a worker takes
 * one block and does it alone: reads the root with its halo, reduces level by level,
 * encodes the chunks. A level whose chunks do not fit a block is *retained* (tiles, in
 * memory or in the spill file) and becomes the root of a later tier. See
 * docs/decisions/0002-tiered-blocks.md and docs/rooms/engine.md. */
#ifndef NGFF_ENGINE_ENGINE_H
#define NGFF_ENGINE_ENGINE_H

#include "engine/census.h"
#include "image/image.h"
#include "pyramid/pyramid.h"
#include "source/source.h"

/* What a run did, for reports and tests. */
typedef struct ngff_engine_stats {
    uint64_t blocks;           /* of all tiers */
    uint64_t parked_chunks;    /* encoded chunks that waited for their turn in a shard */
    uint64_t encoded_bytes;    /* stored, of all levels */
    uint64_t read_bytes;       /* asked of the source, halo included */
    uint64_t retained_bytes;   /* written to retained levels */
    uint64_t spill_file_bytes; /* high-water mark of the spill file */
    int tiers;
} ngff_engine_stats;

typedef struct ngff_engine_opts {
    uint64_t memory; /* budget in bytes; 0: a quarter of what this process may use, at
                        most 4 GiB */
    int threads;     /* 0: all cores this process may use; 1: no thread at all */
    bool grows;      /* where `memory` is too little, the least that will do */
    bool no_spill;
    bool lean; /* hold little, where that costs little time: `memory` is a bound only */
    bool write_empty_chunks;
    bool keep_levels;    /* copy levels the source brings, where shapes agree */
    bool as_given;       /* level n of the plan is level n of the source, every one */
    int first_level;     /* levels below it are there already: they are read (level n of
                            the source is level n of the plan) and not written */
    ngff_census *census; /* gets the pixels of level 0; may be NULL */
    uint64_t census_memory; /* bytes of `memory` that it takes */
    ngff_progress_fn progress;
    void *progress_user;
    ngff_engine_stats *stats; /* filled by the run, also when it fails; may be NULL */
} ngff_engine_opts;

/* A tier: one pass over the blocks of its root. */
typedef struct ngff_tier {
    int root;                     /* level number */
    int source_level;             /* read from this level of the source; -1: retained */
    int64_t block[NGFF_MAX_NDIM]; /* block extent in root-level elements */
    int64_t grid[NGFF_MAX_NDIM];  /* blocks per axis */
    uint32_t computed;            /* bit set of levels reduced in this tier */
    uint32_t encoded;             /* … whose chunks are written in it (with the root) */
    uint32_t retained;            /* … kept for a later tier */
    size_t workspace;             /* bytes per worker */
    uint64_t retained_bytes;      /* of the levels retained by this tier */
    double amplification;         /* root elements read / root elements */
} ngff_tier;

/* How the source is brought into a window before blocks read it: sequential sources, and
 * compressed ones whose unit is larger than a block. Positions count along the stream
 * axes (`axis[0]`, then `axis[1]` when there are two), in groups of `rows`. */
typedef struct ngff_window_plan {
    bool on;
    int axis_count; /* 1 or 2 */
    int axis[2];    /* axes the stream advances along, slowest first */
    int64_t rows;   /* elements of the last stream axis per group */
    int band_axis;  /* a group is read in bands along this axis (-1: in one go) */
    int64_t band;   /* elements of a band */
    int64_t slots;  /* groups the window holds */
    int64_t group_count;
    uint64_t slot_size; /* bytes of a group */
    size_t read_size;   /* bytes of the buffer one reader needs */
    bool shared;        /* several workers may read groups at once */
} ngff_window_plan;

typedef struct ngff_plan {
    ngff_levels levels;
    ngff_method method;
    ngff_dtype dtype;
    int first_level; /* the first that is written */
    int threads;     /* workers that fit the budget */
    uint64_t budget;
    uint64_t peak;        /* bytes the engine will hold at most */
    size_t arena;         /* bytes of a worker's buffers: the widest tier, a group */
    size_t worker_memory; /* … with its codec context and the source's share */
    size_t spill_memory;  /* part of the budget for waiting chunks and retained levels */
    uint64_t spill_file;  /* estimate of bytes that may go to the spill file */
    uint64_t files;       /* chunk/shard files + documents */
    uint64_t decoded_bytes; /* of all levels */
    uint64_t source_bytes;
    int tier_count;
    ngff_tier tier[NGFF_MAX_LEVELS];
    ngff_window_plan window;
} ngff_plan;

/* What a memory of 0 means. */
uint64_t ngff_engine_default_budget(void);
/* Pure. LIMIT naming the unit and the smallest budget that would do when it cannot fit.
 * `image` may be NULL (codec memory is then estimated). */
NGFF_MUST_USE ngff_status ngff_engine_plan(const ngff_levels *levels, ngff_method method,
                                           const ngff_source *source,
                                           const ngff_image *image,
                                           const ngff_engine_opts *opts, ngff_plan *out,
                                           ngff_error *err);
/* The boxes of level 0 that a run will read, each once, in the order in which workers
 * take them. None when the source is read in its own order (a window). Stops at the first
 * answer of `fn` that is not OK and answers it. */
NGFF_MUST_USE ngff_status ngff_engine_reads(const ngff_plan *plan, ngff_box_fn fn,
                                            void *user);
/* Writes all pixels of all levels into image's arrays. Does not write documents, does not
 * publish. The first error wins; CANCELLED when the progress callback said so. */
NGFF_MUST_USE ngff_status ngff_engine_run(const ngff_plan *plan, ngff_source *source,
                                          ngff_image *image, const ngff_engine_opts *opts,
                                          ngff_error *err);

#endif
