/* gather: chunks of which only parts have come, raw in a spill. A table in stripes: all
 * that concerns one chunk happens under the lock of its stripe. Owned by regions.c; any
 * thread. */
#ifndef NGFF_ENGINE_GATHER_H
#define NGFF_ENGINE_GATHER_H

#include "engine/cover.h"
#include "engine/tiles.h"
#include "sys/sys.h"

/* One chunk, while it is gathered, or when it was taken out of the table. */
typedef struct ngff_gathered {
    struct ngff_gathered *next;
    int level;
    uint64_t id; /* linear place in the level's chunk grid */
    int64_t idx[NGFF_MAX_NDIM];
    ngff_tiles tiles; /* a single one: the part of the chunk inside the array */
    ngff_spill_ticket room;
    ngff_cover cover;
} ngff_gathered;

enum { NGFF_GATHER_STRIPES = 64, NGFF_GATHER_BUCKETS = 64 };

typedef struct ngff_gather {
    const ngff_allocator *alloc;
    ngff_spill *spill;
    ngff_mutex *lock[NGFF_GATHER_STRIPES];
    ngff_gathered *bucket[NGFF_GATHER_STRIPES][NGFF_GATHER_BUCKETS];
} ngff_gather;

NGFF_MUST_USE ngff_status ngff_gather_init(ngff_gather *g, const ngff_allocator *a,
                                           ngff_spill *spill, ngff_error *err);
void ngff_gather_reset(ngff_gather *g); /* drops what is in it */

/* The lock of a chunk, for the calls below. */
void ngff_gather_lock(ngff_gather *g, int level, uint64_t id);
void ngff_gather_unlock(ngff_gather *g, int level, uint64_t id);
/* Under the lock. NULL: nothing of it has come. */
ngff_gathered *ngff_gather_find(ngff_gather *g, int level, uint64_t id);
/* Under the lock: begins an empty one. `chunk`: its box inside the array. */
NGFF_MUST_USE ngff_status ngff_gather_begin(ngff_gather *g, const ngff_gathered *model,
                                            const ngff_box *chunk, ngff_dtype dtype,
                                            ngff_gathered **out, ngff_error *err);
/* Under the lock: `part` (in the chunk's own coordinates) of its pixels; `scratch` has
 * NGFF_TILE_SCRATCH bytes. */
NGFF_MUST_USE ngff_status ngff_gather_add(ngff_gather *g, ngff_gathered *c,
                                          const ngff_box *part, const ngff_view *pixels,
                                          void *scratch, ngff_error *err);
/* Under the lock: out of the table; the caller's now. */
void ngff_gather_take(ngff_gather *g, ngff_gathered *c);
/* Any one, taken out; NULL when there is none. No lock is held by the caller. */
ngff_gathered *ngff_gather_take_any(ngff_gather *g);
/* The pixels of a taken chunk, `fill` in the gaps; `out` holds ngff_tiles_bytes of it. */
NGFF_MUST_USE ngff_status ngff_gather_pixels(ngff_gather *g, ngff_gathered *c,
                                             const void *fill, void *out,
                                             ngff_error *err);
void ngff_gather_drop(ngff_gather *g, ngff_gathered *c); /* a taken one */

#endif
