/* The inside of the zarr room: pieces shared by its files. Nothing here owns anything
 * beyond a call; the writer's state is in writer.c. */
#ifndef NGFF_ZARR_INSIDE_H
#define NGFF_ZARR_INSIDE_H

#include "zarr/zarr.h"

enum { NGFF_ZARR_KEY_MAX = NGFF_STORE_KEY_MAX };

/* Uses of the context's scratch memory. */
enum {
    NGFF_ZARR_SLOT_VALUE = 0, /* encoded bytes */
    NGFF_ZARR_SLOT_CHUNK,     /* a chunk that is read in part */
    NGFF_ZARR_SLOT_INDEX_RAW,
    NGFF_ZARR_SLOT_INDEX
};
#define NGFF_ZARR_EMPTY UINT64_MAX /* both numbers of an absent inner chunk */

/* "path/name", or "name" at the root. */
ngff_status ngff_zarr_join(const char *path, const char *name, char *out, size_t out_size,
                           ngff_error *err);

/* Fill values: JSON <-> element in native order (Zarr v3 core, "fill value
 * representation"). */
ngff_status ngff_zarr_fill_parse(const ngff_json *node, ngff_dtype dtype, int zarr_format,
                                 unsigned char out[16], ngff_error *err);
ngff_status ngff_zarr_fill_emit(const unsigned char fill[16], ngff_dtype dtype,
                                int zarr_format, ngff_json **out, ngff_error *err);

/* {"attributes": …, "zarr_format": 3, ["consolidated_metadata": …,] "node_type":
 * "group"}; takes `consolidated` (may be NULL). */
ngff_status ngff_zarr_group_doc(const ngff_json *attributes, ngff_json *consolidated,
                                ngff_json **out, ngff_error *err);
ngff_status ngff_zarr_zgroup_doc(ngff_json **out, ngff_error *err); /* v2 .zgroup */
/* A deep copy, or an empty object for NULL. */
ngff_status ngff_zarr_attributes_dup(const ngff_json *attributes, ngff_json **out,
                                     ngff_error *err);

/* Shapes as JSON lists. `what` names the member in messages; values are >= lo. */
ngff_status ngff_zarr_shape_parse(const ngff_json *node, const char *what, int64_t lo,
                                  int ndim, int64_t *out, ngff_error *err);
ngff_json *ngff_zarr_shape_emit(int ndim, const int64_t *shape); /* NULL: out of memory */

/* Extents, chunks and shards agree; the document's own rules were checked before. */
ngff_status ngff_zarr_meta_check(const ngff_zarr_meta *meta, ngff_error *err);

/* The places of one shard, chunk `out[r]` being the r-th in Morton order: the rank in
 * which chunks are appended. The caller frees *out. */
ngff_status ngff_zarr_order(const ngff_zarr_array *array, size_t count, uint32_t **out,
                            ngff_error *err);
/* The index inside its shard of the chunk at linear place `at`. */
void ngff_zarr_place(const ngff_zarr_array *array, size_t at, int64_t *idx);

#endif
