/* Tiles: an array laid out block by block inside a room of the spill, so that what one
 * worker writes is one piece and what another reads is few. Used for retained levels and
 * for the window. Immutable values; any thread, as long as no two write the same pixels
 * and nobody reads what is not written yet. */
#ifndef NGFF_ENGINE_TILES_H
#define NGFF_ENGINE_TILES_H

#include "nd/nd.h"
#include "store/store.h"

/* Along axis d, tile k begins at the first x with x * factor + anchor >= k * block. */
typedef struct ngff_tiles {
    int ndim;
    ngff_dtype dtype;
    int64_t shape[NGFF_MAX_NDIM];
    int64_t count[NGFF_MAX_NDIM];
    int64_t block[NGFF_MAX_NDIM], factor[NGFF_MAX_NDIM], anchor[NGFF_MAX_NDIM];
} ngff_tiles;

/* Where tiles live: `base` bytes into a reserved room. */
typedef struct ngff_tiles_room {
    ngff_spill *spill;
    const ngff_spill_ticket *ticket;
    uint64_t base;
} ngff_tiles_room;

/* Bytes through which strided parts pass on their way from and to the spill file. */
#define NGFF_TILE_SCRATCH ((size_t)128 * 1024)

int64_t ngff_tiles_start(const ngff_tiles *t, int axis, int64_t k);
uint64_t ngff_tiles_bytes(const ngff_tiles *t);
/* Copies `box` out of, or into, the tiles. `view` has the box's shape, any strides;
 * `scratch` holds NGFF_TILE_SCRATCH bytes. */
NGFF_MUST_USE ngff_status ngff_tiles_read(const ngff_tiles *t,
                                          const ngff_tiles_room *room,
                                          const ngff_box *box, const ngff_view *view,
                                          void *scratch, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_tiles_write(const ngff_tiles *t,
                                           const ngff_tiles_room *room,
                                           const ngff_box *box, const ngff_view *view,
                                           void *scratch, ngff_error *err);

#endif
