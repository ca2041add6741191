/* The inside of a region writer: what boxes (regions.c), its life (regions_open.c) and
 * its end (regions_finish.c) share.
 */
#ifndef NGFF_ENGINE_REGIONS_INSIDE_H
#define NGFF_ENGINE_REGIONS_INSIDE_H

#include "engine/engine.h"
#include "engine/gather.h"
#include "engine/regions.h"
#include "engine/units.h"

#include <stdatomic.h>

/* What one call of write needs; kept from one to the next. */
typedef struct ngff_regions_hand {
    struct ngff_regions_hand *next;
    ngff_codec_ctx *ctx;
    char *scratch; /* NGFF_TILE_SCRATCH */
    char *chunk;   /* a gathered one */
    size_t chunk_size;
} ngff_regions_hand;

typedef struct ngff_regions_level {
    ngff_zarr_writer *writer;
    atomic_uchar *done; /* a bit a chunk: nothing more may come */
    uint64_t chunk_count;
    uint64_t unit_count;
} ngff_regions_level;

struct ngff_regions {
    ngff_image *image;
    const ngff_allocator *alloc;
    ngff_regions_opts opts;
    ngff_spill *spill;
    ngff_units *units; /* shared: those that are ours; else NULL */
    ngff_gather gather;
    ngff_regions_level level[NGFF_MAX_LEVELS];
    ngff_mutex *books; /* idle hands */
    ngff_regions_hand *idle;
    atomic_uint_fast64_t gathered;
};

static inline const ngff_zarr_array *ngff_regions_array(const ngff_regions *r, int n) {
    return r->image->level[n];
}

static inline bool ngff_regions_is_done(const ngff_regions *r, int n, uint64_t id) {
    return (atomic_load(&r->level[n].done[id / 8]) >> (id % 8) & 1) != 0;
}

static inline void ngff_regions_set_done(ngff_regions *r, int n, uint64_t id) {
    atomic_fetch_or(&r->level[n].done[id / 8], (unsigned char)(1u << (id % 8)));
}

static inline uint64_t ngff_regions_chunk_id(const ngff_zarr_array *a,
                                             const int64_t *idx) {
    return ngff_zarr_linear(a->meta.ndim, a->grid, idx);
}

/* An idle hand, or a new one; given back by whoever took it. Any thread. */
ngff_status ngff_regions_take_hand(ngff_regions *r, ngff_regions_hand **out,
                                   ngff_error *err);
void ngff_regions_give_hand(ngff_regions *r, ngff_regions_hand *h);
/* A chunk that was taken from the gathered ones: encoded and dropped. */
ngff_status ngff_regions_put_gathered(ngff_regions *r, ngff_regions_hand *h,
                                      ngff_gathered *c, ngff_error *err);

#endif
