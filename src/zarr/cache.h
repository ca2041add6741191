/* cache: decoded shard indices of an opened array, so that reading chunk by chunk does
 * not fetch the index of a shard again and again. Owned by the array; any thread. What is
 * in it is never compared with the store again: an opened array is read as it was
 * (zarr.h). Memory: at most NGFF_INDEX_CACHE_BYTES, taken as it fills. */
#ifndef NGFF_ZARR_CACHE_H
#define NGFF_ZARR_CACHE_H

#include "base/base.h"

#define NGFF_INDEX_CACHE_BYTES ((size_t)4 << 20)

typedef struct ngff_index_cache ngff_index_cache;

/* One index while it is in use; not moved or freed before it is given back. */
typedef struct ngff_index {
    uint64_t shard;        /* linear place in the shard grid */
    uint64_t size;         /* bytes of the shard */
    const uint64_t *entry; /* offset and size of each chunk */
} ngff_index;

/* *out is NULL when an index is too large to be kept. */
NGFF_MUST_USE ngff_status ngff_index_cache_create(const ngff_allocator *a,
                                                  size_t index_bytes,
                                                  ngff_index_cache **out,
                                                  ngff_error *err);
void ngff_index_cache_close(ngff_index_cache **cache);
/* NULL: not there. */
const ngff_index *ngff_index_cache_take(ngff_index_cache *cache, uint64_t shard);
void ngff_index_cache_give(ngff_index_cache *cache, const ngff_index *index);
/* Keeps a copy if there is room, in place of what was not used for the longest time. */
void ngff_index_cache_add(ngff_index_cache *cache, const ngff_index *index);

#endif
