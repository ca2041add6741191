/* zarr: reading regions. Chunks that are wanted whole are decoded straight into the
 * caller's memory; of a shard only the index and the chunks touched are fetched. Index
 * entries are data from outside: each is checked against the size of its shard before it
 * is used. */
#include "zarr/cache.h"
#include "zarr/inside.h"

typedef struct reader {
    const ngff_zarr_array *array;
    ngff_codec_ctx *ctx;
    const ngff_box *box;
    const ngff_view *out;
} reader;

/* Where the part of `box` that is wanted goes in the caller's memory. */
static void target(const reader *r, const ngff_box *part, ngff_view *out) {
    int64_t start[NGFF_MAX_NDIM];
    for (int i = 0; i < part->ndim; i++)
        start[i] = part->start[i] - r->box->start[i];
    ngff_view_sub(r->out, start, part->shape, out);
}

static void fill(const reader *r, const ngff_box *part) {
    ngff_view to;
    target(r, part, &to);
    ngff_nd_fill(&to, r->array->meta.fill);
}

/* An encoded chunk on its way into the caller's memory: `start` inside the chunk, `to`.
 */
typedef struct arrival {
    const void *bytes;
    size_t size;
    int64_t start[NGFF_MAX_NDIM];
    ngff_view to;
} arrival;

/* The bytes from the first to the last element that is wanted. */
static void wanted_bytes(const ngff_zarr_meta *m, const arrival *in,
                         ngff_codec_part *out) {
    size_t first = 0, last = 0, item = ngff_dtype_size(m->dtype);
    for (int i = 0; i < m->ndim; i++) {
        first = first * (size_t)m->chunk[i] + (size_t)in->start[i];
        last = last * (size_t)m->chunk[i] + (size_t)(in->start[i] + in->to.shape[i] - 1);
    }
    *out = (ngff_codec_part){in->bytes, in->size, first * item, (last + 1) * item};
}

static ngff_status decode_whole(const reader *r, const arrival *in, const void **pixels,
                                ngff_error *err) {
    const ngff_zarr_meta *m = &r->array->meta;
    const ngff_codec_chain *chain = r->array->chain;
    ngff_view whole;
    void *room = NULL;
    NGFF_TRY(ngff_codec_scratch(r->ctx, NGFF_ZARR_SLOT_CHUNK,
                                ngff_codec_decoded_size(chain), &room, err));
    ngff_view_init(&whole, room, m->dtype, m->ndim, m->chunk);
    *pixels = room;
    return ngff_codec_decode(chain, r->ctx, in->bytes, in->size, &whole, err);
}

static ngff_status decode_some(const reader *r, const arrival *in, ngff_error *err) {
    const ngff_zarr_meta *m = &r->array->meta;
    const ngff_codec_chain *chain = r->array->chain;
    ngff_view whole, from;
    ngff_codec_part part;
    const void *pixels = NULL;
    wanted_bytes(m, in, &part);
    NGFF_TRY(ngff_codec_keeps_order(chain)
                 ? ngff_codec_decode_part(chain, r->ctx, &part, &pixels, err)
                 : decode_whole(r, in, &pixels, err));
    /* nd reads through this view only */
    ngff_view_init(&whole, (void *)(uintptr_t)pixels, m->dtype, m->ndim, m->chunk);
    ngff_view_sub(&whole, in->start, in->to.shape, &from);
    ngff_nd_copy(&in->to, &from);
    return NGFF_OK;
}

/* Decodes chunk `idx`, of which `part` is wanted. */
static ngff_status decode(const reader *r, const int64_t *idx, const ngff_box *part,
                          const void *bytes, size_t size, ngff_error *err) {
    const ngff_zarr_meta *m = &r->array->meta;
    arrival in = {.bytes = bytes, .size = size};
    bool all = true;
    target(r, part, &in.to);
    for (int i = 0; i < m->ndim; i++) {
        all = all && part->shape[i] == m->chunk[i];
        in.start[i] = part->start[i] - idx[i] * m->chunk[i];
    }
    if (all)
        return ngff_codec_decode(r->array->chain, r->ctx, bytes, size, &in.to, err);
    return decode_some(r, &in, err);
}

/* What an encoded chunk may take, with room for foreign encoders. */
static size_t plausible(const ngff_zarr_array *a) {
    size_t bound = ngff_codec_encoded_bound(a->chain);
    return bound + bound / 8 + 65536;
}

/* NOT_FOUND is an answer here, not a failure: it leaves no message. */
static ngff_status get(ngff_store *store, const char *key, uint64_t off, size_t size,
                       void *out, size_t *got, ngff_error *err) {
    ngff_error local = {0};
    ngff_status status = ngff_store_get_range(store, key, off, size, out, got, &local);
    if (status != NGFF_OK && status != NGFF_NOT_FOUND)
        ngff_fail(err, status, "%s", local.message);
    return status;
}

static ngff_status read_chunk(const reader *r, const int64_t *idx, const ngff_box *part,
                              const char *key, ngff_error *err) {
    size_t most = plausible(r->array), got = 0;
    void *value = NULL;
    NGFF_TRY(ngff_codec_scratch(r->ctx, NGFF_ZARR_SLOT_VALUE, most, &value, err));
    ngff_status status = get(r->array->store, key, 0, most, value, &got, err);
    if (status == NGFF_NOT_FOUND) {
        fill(r, part);
        return NGFF_OK;
    }
    if (status != NGFF_OK)
        return status;
    if (got == most)
        status = ngff_fail(err, NGFF_FORMAT, "more than %zu bytes for a chunk of %zu",
                           most, ngff_codec_decoded_size(r->array->chain));
    else
        status = decode(r, idx, part, value, got, err);
    return status == NGFF_OK ? status : ngff_fail_at(err, status, "%s", key);
}

/* ---- shards ---- */

/* Fetches and decodes the index of a shard into memory of the context. */
static ngff_status read_index(const reader *r, const char *key, ngff_index *index,
                              ngff_error *err) {
    const ngff_zarr_array *a = r->array;
    size_t stored = ngff_codec_fixed_size(a->index_chain), got = 0;
    size_t plain = ngff_codec_decoded_size(a->index_chain);
    void *raw = NULL, *room = NULL;
    ngff_error local = {0};
    ngff_status status = ngff_store_size(a->store, key, &index->size, &local);
    if (status == NGFF_NOT_FOUND)
        return status;
    if (status != NGFF_OK)
        return ngff_fail(err, status, "%s", local.message);
    if (index->size < stored)
        return ngff_fail(err, NGFF_FORMAT,
                         "the shard has %llu bytes, its index alone needs %zu",
                         (unsigned long long)index->size, stored);
    NGFF_TRY(ngff_codec_scratch(r->ctx, NGFF_ZARR_SLOT_INDEX_RAW, stored, &raw, err));
    NGFF_TRY(ngff_codec_scratch(r->ctx, NGFF_ZARR_SLOT_INDEX, plain, &room, err));
    uint64_t off = a->meta.index_at_start ? 0 : index->size - stored;
    NGFF_TRY(get(a->store, key, off, stored, raw, &got, err));
    if (got != stored)
        return ngff_fail(err, NGFF_IO, "%zu of %zu bytes of the index were read", got,
                         stored);
    ngff_view view;
    int64_t shape[NGFF_MAX_NDIM];
    memcpy(shape, a->per_shard, sizeof shape);
    shape[a->meta.ndim] = 2;
    ngff_view_init(&view, room, NGFF_UINT64, a->meta.ndim + 1, shape);
    status = ngff_codec_decode(a->index_chain, r->ctx, raw, stored, &view, err);
    index->entry = room;
    return status == NGFF_OK ? status : ngff_fail_at(err, status, "index");
}

static ngff_status read_inner(const reader *r, const int64_t *idx, const ngff_box *part,
                              const char *key, const uint64_t entry[2], uint64_t size,
                              ngff_error *err) {
    size_t most = plausible(r->array), got = 0;
    void *value = NULL;
    if (entry[0] == NGFF_ZARR_EMPTY && entry[1] == NGFF_ZARR_EMPTY) {
        fill(r, part);
        return NGFF_OK;
    }
    if (entry[0] > size || entry[1] > size - entry[0] || entry[1] > most)
        return ngff_fail(
            err, NGFF_FORMAT,
            "index: offset %llu and size %llu do not fit a shard of %llu bytes",
            (unsigned long long)entry[0], (unsigned long long)entry[1],
            (unsigned long long)size);
    size_t want = (size_t)entry[1];
    NGFF_TRY(ngff_codec_scratch(r->ctx, NGFF_ZARR_SLOT_VALUE, want, &value, err));
    ngff_status status = get(r->array->store, key, entry[0], want, value, &got, err);
    if (status == NGFF_OK && got != want)
        status =
            ngff_fail(err, NGFF_IO, "%zu of %zu bytes of a chunk were read", got, want);
    if (status != NGFF_OK)
        return ngff_fail(err, status, "the shard is gone");
    return decode(r, idx, part, value, want, err);
}

static ngff_status read_inners(const reader *r, const ngff_box *part, const char *key,
                               const ngff_index *index, ngff_error *err) {
    const ngff_zarr_array *a = r->array;
    const ngff_zarr_meta *m = &a->meta;
    ngff_box cells, chunk, wanted;
    int64_t idx[NGFF_MAX_NDIM], local[NGFF_MAX_NDIM];
    ngff_box_cells(part, m->chunk, &cells);
    memcpy(idx, cells.start, sizeof idx);
    do {
        for (int i = 0; i < m->ndim; i++)
            local[i] = idx[i] % a->per_shard[i];
        ngff_box_of_cell(m->ndim, idx, m->chunk, m->shape, &chunk);
        if (!ngff_box_intersect(&chunk, part, &wanted))
            continue;
        uint64_t at = ngff_zarr_linear(m->ndim, a->per_shard, local);
        ngff_status status =
            read_inner(r, idx, &wanted, key, index->entry + 2 * at, index->size, err);
        if (status != NGFF_OK) {
            char place[256];
            ngff_nd_box_text(&chunk, place, sizeof place);
            return ngff_fail_at(err, status, "chunk %s", place);
        }
    } while (ngff_box_next(&cells, idx));
    return NGFF_OK;
}

static ngff_status read_shard(const reader *r, const int64_t *idx, const ngff_box *part,
                              const char *key, ngff_error *err) {
    const ngff_zarr_array *a = r->array;
    ngff_index fresh = {.shard = ngff_zarr_linear(a->meta.ndim, a->shard_grid, idx)};
    const ngff_index *kept =
        a->indices ? ngff_index_cache_take(a->indices, fresh.shard) : NULL;
    ngff_status status = kept ? NGFF_OK : read_index(r, key, &fresh, err);
    if (status == NGFF_NOT_FOUND) { /* an absent shard is all fill */
        fill(r, part);
        return NGFF_OK;
    }
    if (status == NGFF_OK && !kept && a->indices)
        ngff_index_cache_add(a->indices, &fresh);
    if (status == NGFF_OK)
        status = read_inners(r, part, key, kept ? kept : &fresh, err);
    if (kept)
        ngff_index_cache_give(a->indices, kept);
    return status == NGFF_OK ? status : ngff_fail_at(err, status, "%s", key);
}

/* ---- regions ---- */

ngff_status ngff_zarr_check_region(const ngff_zarr_array *a, const ngff_box *box,
                                   const ngff_view *out, ngff_error *err) {
    ngff_box all = {.ndim = a->meta.ndim};
    memcpy(all.shape, a->meta.shape, sizeof all.shape);
    if (box->ndim != all.ndim || out->ndim != all.ndim ||
        out->dtype != (int32_t)a->meta.dtype)
        return ngff_fail(err, NGFF_INVALID,
                         "%s: the region's rank or type is not the array's", a->path);
    for (int i = 0; i < box->ndim; i++) {
        if (box->start[i] < 0 || box->shape[i] < 0 || box->shape[i] > all.shape[i] ||
            box->start[i] > all.shape[i] - box->shape[i] ||
            out->shape[i] != box->shape[i]) {
            char asked[256];
            ngff_nd_box_text(box, asked, sizeof asked);
            return ngff_fail(err, NGFF_INVALID, "%s: region %s is not inside the array",
                             a->path, asked);
        }
    }
    return NGFF_OK;
}

ngff_status ngff_zarr_read(const ngff_zarr_array *array, ngff_codec_ctx *ctx,
                           const ngff_box *box, const ngff_view *out, ngff_error *err) {
    const ngff_zarr_meta *m = &array->meta;
    reader r = {array, ctx, box, out};
    ngff_box cells, unit, part;
    int64_t idx[NGFF_MAX_NDIM];
    char key[NGFF_ZARR_KEY_MAX];
    NGFF_TRY(ngff_zarr_check_region(array, box, out, err));
    if (ngff_box_is_empty(box))
        return NGFF_OK;
    ngff_box_cells(box, m->shard, &cells);
    memcpy(idx, cells.start, sizeof idx);
    do {
        ngff_box_of_cell(m->ndim, idx, m->shard, m->shape, &unit);
        if (!ngff_box_intersect(&unit, box, &part))
            continue;
        NGFF_TRY(ngff_zarr_key(array, idx, key, sizeof key, err));
        NGFF_TRY(m->sharded ? read_shard(&r, idx, &part, key, err)
                            : read_chunk(&r, idx, &part, key, err));
    } while (ngff_box_next(&cells, idx));
    return NGFF_OK;
}
