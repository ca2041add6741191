/* units: which storage units (shards, or chunks that are not sharded) of an image that
 * others write too are ours: claimed before they are touched, until they are dropped or
 * all is closed. Any thread may claim and drop; open and close belong to one. */
#ifndef NGFF_ENGINE_UNITS_H
#define NGFF_ENGINE_UNITS_H

#include "image/image.h"

typedef struct ngff_units ngff_units;

/* `image` is borrowed. */
NGFF_MUST_USE ngff_status ngff_units_open(ngff_image *image, int level_count,
                                          ngff_units **out, ngff_error *err);
void ngff_units_close(ngff_units **units); /* drops all */
/* All units of level n that `box` touches. EXISTS naming the first that is stored or that
 * another writer has; what was claimed before it stays ours. */
NGFF_MUST_USE ngff_status ngff_units_claim(ngff_units *u, int n, const ngff_box *box,
                                           ngff_error *err);
/* `id`: linear place in the level's grid of units. */
bool ngff_units_is_mine(ngff_units *u, int n, uint64_t id);
void ngff_units_drop(ngff_units *u, int n, uint64_t id); /* `u` may be NULL */
void ngff_units_at(const ngff_zarr_array *array, uint64_t id, int64_t *unit);

#endif
