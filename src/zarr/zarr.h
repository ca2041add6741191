/* zarr: arrays in a store: metadata v2 and v3, chunk grid, chunk keys, shards,
 * consolidated metadata. One call, one chunk or shard; reentrant: an ngff_zarr_array is
 * immutable after open/create and may be shared by threads, each with its own
 * ngff_codec_ctx. Never starts threads. Specifications: Zarr v3 core 3.1,
 * sharding_indexed, Zarr v2 (requirements Z3-*, Z2-*, T1-T14). */
#ifndef NGFF_ZARR_ZARR_H
#define NGFF_ZARR_ZARR_H

#include "codec/codec.h"
#include "store/store.h"

/* ---- array metadata ---- */

typedef struct ngff_zarr_meta {
    int zarr_format; /* 2 or 3 */
    int ndim;
    ngff_dtype dtype;
    bool big_endian; /* v2 typestr; v3: inside the codecs */
    int64_t shape[NGFF_MAX_NDIM];
    int64_t chunk[NGFF_MAX_NDIM]; /* the unit of compression */
    int64_t shard[NGFF_MAX_NDIM]; /* the unit of storage; equals chunk when not sharded */
    bool sharded;
    bool index_at_start;
    char separator;         /* '/' or '.' */
    bool v2_keys;           /* key encoding "v2" (always for format 2), else "default" */
    unsigned char fill[16]; /* fill value, native order, dtype size bytes */
    bool fill_is_null;      /* v2 null */
    char order;             /* v2 'C' or 'F' */
    char dimension_names[NGFF_MAX_NDIM][32]; /* "" = null/absent */
    bool has_dimension_names;
    ngff_json *codecs; /* v3: inner "codecs" array (complete, without sharding); owned */
    ngff_json *index_codecs; /* v3 sharded; owned */
    ngff_json *compressor;   /* v2 object or null; owned */
    ngff_json *filters;      /* v2 array or null; owned */
    ngff_json *attributes;   /* owned, may be NULL */
} ngff_zarr_meta;

void ngff_zarr_meta_reset(ngff_zarr_meta *meta);
NGFF_MUST_USE ngff_status ngff_zarr_meta_parse_v3(const ngff_json *doc,
                                                  ngff_zarr_meta *out, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_zarr_meta_parse_v2(const ngff_json *zarray,
                                                  ngff_zarr_meta *out, ngff_error *err);
/* zarr.json (v3) or .zarray (v2). */
NGFF_MUST_USE ngff_status ngff_zarr_meta_emit(const ngff_zarr_meta *meta, ngff_json **out,
                                              ngff_error *err);

/* The same chunks under the same keys in the words of Zarr v3; `meta` is of v2 and is
 * changed. UNSUPPORTED: order F, filters, a compressor without a name in v3. */
NGFF_MUST_USE ngff_status ngff_zarr_meta_to_v3(ngff_zarr_meta *meta, ngff_error *err);

/* ---- nodes ---- */

/* One document, parsed leniently (T15). Missing: NOT_FOUND and no message. */
NGFF_MUST_USE ngff_status ngff_zarr_doc_get(ngff_store *store, const char *path,
                                            const char *name, ngff_json **out,
                                            ngff_error *err);
NGFF_MUST_USE ngff_status ngff_zarr_doc_put(ngff_store *store, const char *path,
                                            const char *name, const ngff_json *doc,
                                            ngff_error *err);

typedef enum ngff_zarr_kind { NGFF_ZARR_ARRAY = 1, NGFF_ZARR_GROUP = 2 } ngff_zarr_kind;

/* Finds the node at `path` ("" = root): v3 zarr.json first, then v2. `attributes` (owned
 * by the caller, may be NULL) and, for groups, nothing else. NOT_FOUND when there is no
 * node. */
NGFF_MUST_USE ngff_status ngff_zarr_node(ngff_store *store, const char *path,
                                         int *zarr_format, ngff_zarr_kind *kind,
                                         ngff_json **attributes, ngff_error *err);
/* Does the root carry the consolidated form of its nodes? */
NGFF_MUST_USE ngff_status ngff_zarr_is_consolidated(ngff_store *store, bool *is,
                                                    ngff_error *err);
/* Group documents. v3: one zarr.json (attributes inside); v2: .zgroup and .zattrs. */
NGFF_MUST_USE ngff_status ngff_zarr_group_put(ngff_store *store, const char *path,
                                              int zarr_format,
                                              const ngff_json *attributes,
                                              ngff_error *err);

/* Collects every node document that is written, to make the consolidated form of the
 * root: v3: "consolidated_metadata" member of the root zarr.json; v2: .zmetadata. */
typedef struct ngff_zarr_consolidated ngff_zarr_consolidated;
NGFF_MUST_USE ngff_status ngff_zarr_consolidated_create(const ngff_allocator *a,
                                                        int zarr_format,
                                                        ngff_zarr_consolidated **out,
                                                        ngff_error *err);
void ngff_zarr_consolidated_close(ngff_zarr_consolidated **c);
NGFF_MUST_USE ngff_status ngff_zarr_consolidated_add_group(ngff_zarr_consolidated *c,
                                                           const char *path,
                                                           const ngff_json *attributes,
                                                           ngff_error *err);
NGFF_MUST_USE ngff_status ngff_zarr_consolidated_add_array(ngff_zarr_consolidated *c,
                                                           const char *path,
                                                           const ngff_zarr_meta *meta,
                                                           ngff_error *err);
/* Writes the root group with the consolidated form: the last metadata write of a
 * hierarchy. */
NGFF_MUST_USE ngff_status
ngff_zarr_consolidated_put_root(ngff_zarr_consolidated *c, ngff_store *store,
                                const ngff_json *root_attributes, ngff_error *err);

/* ---- arrays ---- */

typedef struct ngff_zarr_array {
    const ngff_allocator *alloc;
    ngff_store *store; /* borrowed */
    char *path;        /* "" or "scale0/image"; no trailing slash */
    ngff_zarr_meta meta;
    ngff_codec_chain *chain;           /* chunk */
    ngff_codec_chain *index_chain;     /* shard index or NULL */
    int64_t grid[NGFF_MAX_NDIM];       /* chunks per axis */
    int64_t shard_grid[NGFF_MAX_NDIM]; /* shards per axis */
    int64_t per_shard[NGFF_MAX_NDIM];  /* chunks per shard and axis */
    struct ngff_index_cache *indices;  /* opened and sharded: see cache.h; else NULL */
    int64_t first_unit; /* a part: storage units along axis 0 that lie before it */
} ngff_zarr_array;

NGFF_MUST_USE ngff_status ngff_zarr_array_open(const ngff_allocator *a, ngff_store *store,
                                               const char *path, ngff_zarr_array **out,
                                               ngff_error *err);
/* Takes the content of *meta (moved; *meta is reset), checks it, builds the chains.
 * Writes nothing: documents are put by ngff_zarr_array_put_meta, so that metadata can go
 * last. */
NGFF_MUST_USE ngff_status ngff_zarr_array_create(const ngff_allocator *a,
                                                 ngff_store *store, const char *path,
                                                 ngff_zarr_meta *meta,
                                                 ngff_zarr_array **out, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_zarr_array_put_meta(const ngff_zarr_array *array,
                                                   ngff_error *err);
void ngff_zarr_array_close(ngff_zarr_array **array);
/* An array that grows: `extent` elements along axis 0 from now on. Nobody else may use it
 * meanwhile; chunks beyond the new extent are not looked for. */
void ngff_zarr_array_set_extent(ngff_zarr_array *array, int64_t extent);
/* `extent` elements of a created array along axis 0, from its storage unit `first` on, as
 * an array that a writer takes: indices count from 0, keys are those of the whole. `out`
 * borrows what `array` owns and is never closed. */
void ngff_zarr_array_part(const ngff_zarr_array *array, int64_t first, int64_t extent,
                          ngff_zarr_array *out);
/* An array that was created and is written is read from now on: keeps shard indices as an
 * opened one does. */
NGFF_MUST_USE ngff_status ngff_zarr_array_keep_indices(ngff_zarr_array *array,
                                                       ngff_error *err);

/* Key of chunk/shard `idx` (index in the grid of storage units), with the array's path.
 */
NGFF_MUST_USE ngff_status ngff_zarr_key(const ngff_zarr_array *array, const int64_t *idx,
                                        char *out, size_t out_size, ngff_error *err);

/* INVALID unless `box` lies inside the array and `out` has its shape and the array's
 * dtype. */
NGFF_MUST_USE ngff_status ngff_zarr_check_region(const ngff_zarr_array *array,
                                                 const ngff_box *box,
                                                 const ngff_view *out, ngff_error *err);
/* Reads `box` into `out` (shape box->shape, the array's dtype, any strides). Missing
 * chunks are the fill value; partial shard reads fetch the index and only the chunks
 * touched. An opened array keeps indices: what lies in its store must not change while it
 * is open (a directory that is replaced is noticed by the store). */
NGFF_MUST_USE ngff_status ngff_zarr_read(const ngff_zarr_array *array,
                                         ngff_codec_ctx *ctx, const ngff_box *box,
                                         const ngff_view *out, ngff_error *err);

/* ---- writing ---- */

/* Writes whole chunks, each exactly once, from any thread and in any order. Unsharded:
 * one put per chunk. Sharded: encoded chunks go into their shard by rank (the Morton
 * order of their place in the shard), so the bytes do not depend on the order of arrival:
 * the chunk whose turn it is is appended (with the run it completes), others wait in
 * `spill`. When all chunks of a shard that lie inside the array have arrived, the index
 * is written and the value committed. */
typedef struct ngff_zarr_writer ngff_zarr_writer;

typedef struct ngff_zarr_writer_opts {
    bool write_empty_chunks; /* else all-fill chunks are omitted (bitwise comparison) */
    ngff_spill *spill;       /* borrowed; may be NULL when the array is not sharded */
    /* For stores that keep an order: storage units are put, begun or skipped by rank, the
     * first being rank_base (docs/decisions/0004-ozx-order.md). */
    bool ranked;
    uint64_t rank_base;
} ngff_zarr_writer_opts;

/* Place of `idx` in a grid (of chunks, of storage units) in C order. */
uint64_t ngff_zarr_linear(int ndim, const int64_t *grid, const int64_t *idx);

/* Storage units (shards, or chunks when not sharded) of the array, also those that will
 * not be stored; the place of unit `idx` in their order: axes along which a shard holds
 * one chunk in C order, outermost (t and c, as a rule), then lines along the last of the
 * others, in Morton order of those before it.
 * It follows from shape, chunks and shards alone. */
uint64_t ngff_zarr_unit_count(const ngff_zarr_array *array);
uint64_t ngff_zarr_unit_rank(const ngff_zarr_array *array, const int64_t *idx);

NGFF_MUST_USE ngff_status ngff_zarr_writer_create(const ngff_zarr_array *array,
                                                  const ngff_zarr_writer_opts *opts,
                                                  ngff_zarr_writer **out,
                                                  ngff_error *err);
/* `pixels`: the part of chunk `idx` (chunk grid) that lies inside the array; edge chunks
 * are padded with the fill value. */
NGFF_MUST_USE ngff_status ngff_zarr_writer_put(ngff_zarr_writer *w, ngff_codec_ctx *ctx,
                                               const int64_t *idx,
                                               const ngff_view *pixels, ngff_error *err);
/* Chunk `idx` with nothing but the fill value: what was never given (regions). */
NGFF_MUST_USE ngff_status ngff_zarr_writer_put_fill(ngff_zarr_writer *w,
                                                    ngff_codec_ctx *ctx,
                                                    const int64_t *idx, ngff_error *err);
/* All shards must be complete, else INTERNAL naming the first missing chunk. */
NGFF_MUST_USE ngff_status ngff_zarr_writer_finish(ngff_zarr_writer *w, ngff_error *err);
void ngff_zarr_writer_close(ngff_zarr_writer **w); /* aborts what is unfinished */
/* Memory of one open shard (states and index), for the plan; 0 when not sharded. */
size_t ngff_zarr_shard_memory(const ngff_zarr_array *array);
uint64_t
ngff_zarr_writer_bytes(const ngff_zarr_writer *w); /* encoded bytes stored so far */
/* Chunks that had to wait for their turn in a shard so far. */
uint64_t ngff_zarr_writer_parked(const ngff_zarr_writer *w);

#endif
