/* Orders of execution: boxes walked in Morton order, and the order of a tier's blocks.
 * Bytes never depend on it (shards sort their chunks by rank); a nested order only keeps
 * few chunks waiting. Values in the caller's memory; not thread-safe. */
#ifndef NGFF_ENGINE_ORDER_H
#define NGFF_ENGINE_ORDER_H

#include "engine/engine.h"

/* The cells of a box in Morton order of their absolute indices. */
typedef struct ngff_walk {
    ngff_box box;
    int bits[NGFF_MAX_NDIM];
    uint64_t code, last;
} ngff_walk;
void ngff_walk_init(ngff_walk *w, const ngff_box *box); /* box not empty, starts >= 0 */
bool ngff_walk_next(ngff_walk *w, int64_t *idx);        /* false after the last */

/* All blocks of a tier, each once: stream axes first (when a window is on), then axes
 * that shards do not nest along in C order, then shard by shard and block by block in
 * Morton order. With `lines` the shards of a line along the last of those axes follow
 * each other, as they do in an archive (ngff_zarr_unit_rank). */
typedef struct ngff_order {
    int outer_count, inner_count;
    int outer[NGFF_MAX_NDIM], inner[NGFF_MAX_NDIM];
    int64_t grid[NGFF_MAX_NDIM], group[NGFF_MAX_NDIM];
    int64_t at[NGFF_MAX_NDIM];   /* outer position */
    int64_t cell[NGFF_MAX_NDIM]; /* group, by inner position */
    int64_t line;                /* groups in a line */
    ngff_walk groups, blocks;
    bool done;
} ngff_order;
void ngff_order_init(ngff_order *o, const ngff_plan *plan, const ngff_tier *tier,
                     bool windowed, bool lines);
bool ngff_order_next(ngff_order *o, int64_t *idx);

#endif
