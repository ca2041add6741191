/* shard: the shards a writer has open, and the order in which their chunks are appended.
 * Owned by one writer (writer.c), which may be used by any number of threads. Nobody
 * waits for input or output: a chunk whose turn has not come, or that comes while another
 * thread appends, is left in the spill; the thread that appends goes on until the next in
 * rank is missing. */
#ifndef NGFF_ZARR_SHARD_H
#define NGFF_ZARR_SHARD_H

#include "base/shared.h"
#include "zarr/inside.h"

typedef struct ngff_shard ngff_shard;
typedef struct ngff_shards ngff_shards;

NGFF_MUST_USE ngff_status ngff_shards_create(const ngff_zarr_array *array,
                                             const ngff_zarr_writer_opts *opts,
                                             ngff_shards **out, ngff_error *err);
void ngff_shards_close(ngff_shards **shards); /* aborts what is open */
/* The open shard at `idx` (shard grid), made when it is not there yet. Release after use.
 */
NGFF_MUST_USE ngff_status ngff_shards_acquire(ngff_shards *shards, const int64_t *idx,
                                              ngff_shard **out, ngff_error *err);
void ngff_shards_release(ngff_shards *shards, ngff_shard *shard);
/* One chunk on its way into a shard. */
typedef struct ngff_shard_chunk {
    size_t local; /* linear place in the shard */
    const void *data;
    size_t size;     /* 0: all fill, nothing is stored */
    bool done;       /* out: this call completed the shard */
    bool parked;     /* out: it was not its turn */
    uint64_t stored; /* out: encoded bytes that this call handed to the store */
} ngff_shard_chunk;
NGFF_MUST_USE ngff_status ngff_shard_deposit(ngff_shards *shards, ngff_shard *shard,
                                             ngff_codec_ctx *ctx, ngff_shard_chunk *chunk,
                                             ngff_error *err);
/* The first chunk of an open shard that has not arrived (linear place); false: not open.
 */
bool ngff_shards_missing(ngff_shards *shards, const int64_t *idx, size_t *local);
size_t ngff_shard_bytes(const ngff_zarr_array *array);

#endif
