/* zarr: arrays: opening, creating, chunk keys. */
#include "zarr/cache.h"
#include "zarr/inside.h"

#include <stdio.h>

void ngff_zarr_array_close(ngff_zarr_array **array) {
    ngff_zarr_array *a = array ? *array : NULL;
    if (!a)
        return;
    ngff_codec_chain_close(&a->chain);
    ngff_codec_chain_close(&a->index_chain);
    ngff_index_cache_close(&a->indices);
    ngff_zarr_meta_reset(&a->meta);
    ngff_free(a->alloc, a->path);
    ngff_free(a->alloc, a);
    *array = NULL;
}

/* [{"name": "bytes", endian little}, {"name": "crc32c"}]: what every reader knows (T9).
 */
static ngff_status default_index_codecs(ngff_json **out, ngff_error *err) {
    ngff_json *list = ngff_json_new_array();
    ngff_json *crc = ngff_json_new_object();
    ngff_status status = list && crc ? NGFF_OK : NGFF_NOMEM;
    if (status == NGFF_OK)
        status = ngff_json_set(crc, "name", ngff_json_new_str("crc32c"));
    if (status == NGFF_OK) {
        status = ngff_json_push(list, crc);
        crc = NULL;
    }
    if (status == NGFF_OK)
        status = ngff_codec_v3_codecs(NGFF_UINT64, list, out, err);
    ngff_json_close(&crc);
    ngff_json_close(&list);
    return status == NGFF_OK ? status : ngff_fail_nomem(err, "index codecs", 64);
}

/* Bounds the memory of one shard's index: 2^24 chunks are 256 MiB. */
#define PER_SHARD_LIMIT ((int64_t)1 << 24)

static ngff_status make_index_chain(ngff_zarr_array *a, ngff_error *err) {
    int64_t shape[NGFF_MAX_NDIM], count;
    int ndim = a->meta.ndim;
    NGFF_TRY(ngff_nd_volume(ndim, a->per_shard, &count, err));
    if (count > PER_SHARD_LIMIT)
        return ngff_fail(err, NGFF_LIMIT, "%lld chunks in a shard", (long long)count);
    if (ndim + 1 > NGFF_MAX_NDIM)
        return ngff_fail(err, NGFF_UNSUPPORTED, "shards of %d dimensions", ndim);
    memcpy(shape, a->per_shard, sizeof shape);
    shape[ndim] = 2; /* offset, size */
    if (!a->meta.index_codecs)
        NGFF_TRY(default_index_codecs(&a->meta.index_codecs, err));
    ngff_status status =
        ngff_codec_chain_from_v3(a->alloc, a->meta.index_codecs, NGFF_UINT64, ndim + 1,
                                 shape, &a->index_chain, err);
    if (status == NGFF_OK && ngff_codec_fixed_size(a->index_chain) == 0)
        status = ngff_fail(err, NGFF_FORMAT, "the size of the index is not fixed");
    return status == NGFF_OK ? status : ngff_fail_at(err, status, "index_codecs");
}

static ngff_status make_chains(ngff_zarr_array *a, ngff_error *err) {
    const ngff_zarr_meta *m = &a->meta;
    if (m->zarr_format == 2) {
        ngff_codec_v2 v2 = {m->compressor, m->filters, m->order, m->big_endian};
        return ngff_codec_chain_from_v2(a->alloc, &v2, m->dtype, m->ndim, m->chunk,
                                        &a->chain, err);
    }
    NGFF_TRY(ngff_codec_chain_from_v3(a->alloc, m->codecs, m->dtype, m->ndim, m->chunk,
                                      &a->chain, err));
    return m->sharded ? make_index_chain(a, err) : NGFF_OK;
}

static void cut(ngff_zarr_array *a, int i) {
    const ngff_zarr_meta *m = &a->meta;
    a->grid[i] = ngff_ceil_div(m->shape[i], m->chunk[i]);
    a->shard_grid[i] = ngff_ceil_div(m->shape[i], m->shard[i]);
    a->per_shard[i] = m->shard[i] / m->chunk[i];
}

static ngff_status build(ngff_zarr_array *a, ngff_error *err) {
    NGFF_TRY(ngff_zarr_meta_check(&a->meta, err));
    for (int i = 0; i < a->meta.ndim; i++)
        cut(a, i);
    return make_chains(a, err);
}

void ngff_zarr_array_set_extent(ngff_zarr_array *a, int64_t extent) {
    assert(a->meta.ndim > 0 && extent >= 0);
    a->meta.shape[0] = extent;
    cut(a, 0);
}

void ngff_zarr_array_part(const ngff_zarr_array *array, int64_t first, int64_t extent,
                          ngff_zarr_array *out) {
    assert(first >= 0 && !array->indices);
    *out = *array;
    out->first_unit = first;
    ngff_zarr_array_set_extent(out, extent);
}

ngff_status ngff_zarr_array_create(const ngff_allocator *alloc, ngff_store *store,
                                   const char *path, ngff_zarr_meta *meta,
                                   ngff_zarr_array **out, ngff_error *err) {
    ngff_zarr_array *a = ngff_calloc(alloc, 1, sizeof *a);
    *out = NULL;
    if (a)
        a->path = ngff_strdup(alloc, path);
    if (!a || !a->path) {
        ngff_free(alloc, a);
        ngff_zarr_meta_reset(meta);
        return ngff_fail_nomem(err, "an array", sizeof *a);
    }
    a->alloc = alloc;
    a->store = store;
    a->meta = *meta; /* moved */
    *meta = (ngff_zarr_meta){0};
    ngff_status status = build(a, err);
    if (status != NGFF_OK) {
        ngff_fail_at(err, status, "%s", path[0] ? path : "/");
        ngff_zarr_array_close(&a);
        return status;
    }
    *out = a;
    return NGFF_OK;
}

/* ---- opening ---- */

static ngff_status is_nested(void *user, const char *name, bool is_prefix) {
    if (is_prefix && name[0] >= '0' && name[0] <= '9')
        *(bool *)user = true;
    return NGFF_OK;
}

/* Old nested arrays lack "dimension_separator" (T6): look which way the chunks lie. */
static void probe_separator(ngff_zarr_array *a, const ngff_json *zarray) {
    int64_t first[NGFF_MAX_NDIM] = {0};
    char key[NGFF_ZARR_KEY_MAX];
    uint64_t size;
    bool nested = false;
    if (ngff_json_get(zarray, "dimension_separator") || a->meta.ndim < 2)
        return;
    if (ngff_zarr_key(a, first, key, sizeof key, NULL) == NGFF_OK &&
        ngff_store_size(a->store, key, &size, NULL) == NGFF_OK)
        return;
    ngff_status status = ngff_store_list(a->store, a->path, is_nested, &nested, NULL);
    if (status == NGFF_OK && nested)
        a->meta.separator = '/';
}

static ngff_status open_v2(ngff_store *store, const char *path, ngff_zarr_meta *meta,
                           ngff_json **doc, ngff_error *err) {
    ngff_status status = ngff_zarr_doc_get(store, path, ".zarray", doc, err);
    if (status == NGFF_NOT_FOUND)
        return ngff_fail(err, status, "%s: no Zarr array", path[0] ? path : "/");
    if (status == NGFF_OK)
        status = ngff_zarr_meta_parse_v2(*doc, meta, err);
    if (status != NGFF_OK)
        return ngff_fail_at(err, status, "%s", path[0] ? path : "/");
    status = ngff_zarr_doc_get(store, path, ".zattrs", &meta->attributes, err);
    return status == NGFF_NOT_FOUND ? NGFF_OK : status;
}

ngff_status ngff_zarr_array_keep_indices(ngff_zarr_array *a, ngff_error *err) {
    if (!a->meta.sharded || a->indices)
        return NGFF_OK;
    return ngff_index_cache_create(a->alloc, ngff_codec_decoded_size(a->index_chain),
                                   &a->indices, err);
}

ngff_status ngff_zarr_array_open(const ngff_allocator *alloc, ngff_store *store,
                                 const char *path, ngff_zarr_array **out,
                                 ngff_error *err) {
    ngff_zarr_meta meta = {0};
    ngff_json *doc = NULL;
    *out = NULL;
    ngff_status status = ngff_zarr_doc_get(store, path, "zarr.json", &doc, err);
    if (status == NGFF_OK) {
        status = ngff_zarr_meta_parse_v3(doc, &meta, err);
        if (status != NGFF_OK)
            ngff_fail_at(err, status, "%s%szarr.json", path, path[0] ? "/" : "");
    } else if (status == NGFF_NOT_FOUND) {
        status = open_v2(store, path, &meta, &doc, err);
    }
    if (status == NGFF_OK)
        status = ngff_zarr_array_create(alloc, store, path, &meta, out, err);
    if (status == NGFF_OK && (*out)->meta.zarr_format == 2)
        probe_separator(*out, doc);
    if (status == NGFF_OK)
        status = ngff_zarr_array_keep_indices(*out, err);
    if (status != NGFF_OK)
        ngff_zarr_array_close(out);
    ngff_zarr_meta_reset(&meta);
    ngff_json_close(&doc);
    return status;
}

/* ---- keys ---- */

typedef struct text {
    char *out;
    size_t size, used; /* used >= size: cut */
} text;

static void add(text *t, const char *s) {
    size_t len = strlen(s);
    if (t->used < t->size && len < t->size - t->used)
        memcpy(t->out + t->used, s, len + 1);
    t->used += len;
}

/* default: "c/1/2" (0-D: "c"); v2: "1/2" or "1.2" (0-D: "0"). */
ngff_status ngff_zarr_key(const ngff_zarr_array *array, const int64_t *idx, char *out,
                          size_t out_size, ngff_error *err) {
    const ngff_zarr_meta *m = &array->meta;
    const char separator[2] = {m->separator, '\0'};
    text t = {out, out_size, 0};
    char number[24];
    add(&t, array->path);
    if (array->path[0])
        add(&t, "/");
    if (!m->v2_keys)
        add(&t, "c");
    else if (m->ndim == 0)
        add(&t, "0");
    for (int i = 0; i < m->ndim; i++) {
        int64_t at = idx[i] + (i == 0 ? array->first_unit : 0);
        snprintf(number, sizeof number, "%lld", (long long)at);
        if (i > 0 || !m->v2_keys)
            add(&t, separator);
        add(&t, number);
    }
    if (t.used >= out_size)
        return ngff_fail(err, NGFF_LIMIT, "a chunk key is longer than %zu bytes",
                         out_size);
    return NGFF_OK;
}

uint64_t ngff_zarr_linear(int ndim, const int64_t *grid, const int64_t *idx) {
    uint64_t at = 0;
    for (int i = 0; i < ndim; i++) {
        assert(idx[i] >= 0 && idx[i] < grid[i]);
        at = at * (uint64_t)grid[i] + (uint64_t)idx[i];
    }
    return at;
}
