/* zarr: writing whole chunks, from any thread in any order. Encoding needs no lock; what
 * chunks of one shard do with each other is in shard.c. */
#include "zarr/shard.h"

struct ngff_zarr_writer {
    const ngff_zarr_array *array;
    ngff_zarr_writer_opts opts;
    ngff_shards *shards;   /* NULL: not sharded */
    uint64_t units;        /* storage units: shards or chunks */
    atomic_uchar *arrived; /* one bit a unit */
    atomic_uint_fast64_t bytes;
    atomic_uint_fast64_t parked;
    atomic_int failed; /* status of the first failure, which every later call answers */
    ngff_spin lock;    /* guards `first` */
    ngff_error first;
};

/* 2^32 files in one array are a mistake; the bits would take 512 MiB. */
#define UNIT_LIMIT (UINT64_C(1) << 32)

static ngff_status check(const ngff_zarr_array *a, const ngff_zarr_writer_opts *opts,
                         uint64_t *units, ngff_error *err) {
    int64_t count;
    NGFF_TRY(ngff_nd_volume(a->meta.ndim, a->shard_grid, &count, err));
    if ((uint64_t)count > UNIT_LIMIT)
        return ngff_fail(err, NGFF_LIMIT, "%s: %lld stored chunks or shards", a->path,
                         (long long)count);
    if (a->meta.sharded && !opts->spill)
        return ngff_fail(err, NGFF_INVALID, "%s: a sharded array needs a spill", a->path);
    if (a->meta.sharded && a->meta.index_at_start)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "%s: writing shards with the index at the start", a->path);
    *units = (uint64_t)count;
    return NGFF_OK;
}

ngff_status ngff_zarr_writer_create(const ngff_zarr_array *array,
                                    const ngff_zarr_writer_opts *opts,
                                    ngff_zarr_writer **out, ngff_error *err) {
    uint64_t units = 0;
    *out = NULL;
    NGFF_TRY(check(array, opts, &units, err));
    ngff_zarr_writer *w = ngff_calloc(array->alloc, 1, sizeof *w);
    if (!w)
        return ngff_fail_nomem(err, "an array writer", sizeof *w);
    w->array = array;
    w->opts = *opts;
    w->units = units;
    atomic_init(&w->bytes, 0);
    atomic_init(&w->parked, 0);
    ngff_spin_init(&w->lock);
    w->arrived = ngff_calloc(array->alloc, (size_t)(units + 7) / 8, 1);
    ngff_status status =
        w->arrived ? NGFF_OK : ngff_fail_nomem(err, "an array writer", (size_t)units / 8);
    if (status == NGFF_OK && array->meta.sharded)
        status = ngff_shards_create(array, opts, &w->shards, err);
    if (status != NGFF_OK) {
        ngff_zarr_writer_close(&w);
        return status;
    }
    *out = w;
    return NGFF_OK;
}

void ngff_zarr_writer_close(ngff_zarr_writer **writer) {
    ngff_zarr_writer *w = writer ? *writer : NULL;
    if (!w)
        return;
    ngff_shards_close(&w->shards);
    ngff_free(w->array->alloc, w->arrived);
    ngff_free(w->array->alloc, w);
    *writer = NULL;
}

uint64_t ngff_zarr_writer_bytes(const ngff_zarr_writer *w) {
    return atomic_load_explicit(&w->bytes, memory_order_relaxed);
}

uint64_t ngff_zarr_writer_parked(const ngff_zarr_writer *w) {
    return atomic_load_explicit(&w->parked, memory_order_relaxed);
}

size_t ngff_zarr_shard_memory(const ngff_zarr_array *array) {
    return array->meta.sharded ? ngff_shard_bytes(array) : 0;
}

/* ---- one chunk ---- */

/* Edge chunks are stored full size (Z3-18): the rest is fill. */
static ngff_status pad(const ngff_zarr_array *a, ngff_codec_ctx *ctx,
                       const ngff_view *pixels, ngff_view *whole, ngff_error *err) {
    const ngff_zarr_meta *m = &a->meta;
    const int64_t origin[NGFF_MAX_NDIM] = {0};
    bool full = true;
    void *room = NULL;
    ngff_view part;
    for (int i = 0; i < m->ndim; i++)
        full = full && pixels->shape[i] == m->chunk[i];
    *whole = *pixels;
    if (full)
        return NGFF_OK;
    NGFF_TRY(ngff_codec_pixels(a->chain, ctx, &room, err));
    ngff_view_init(whole, room, m->dtype, m->ndim, m->chunk);
    ngff_nd_fill(whole, m->fill);
    ngff_view_sub(whole, origin, pixels->shape, &part);
    ngff_nd_copy(&part, pixels);
    return NGFF_OK;
}

static ngff_status check_chunk(const ngff_zarr_array *a, const int64_t *idx,
                               const ngff_view *pixels, ngff_error *err) {
    const ngff_zarr_meta *m = &a->meta;
    ngff_box box;
    if (pixels->ndim != m->ndim || pixels->dtype != (int32_t)m->dtype)
        return ngff_fail(err, NGFF_INVALID,
                         "%s: the pixels' rank or type is not the array's", a->path);
    for (int i = 0; i < m->ndim; i++) {
        if (idx[i] < 0 || idx[i] >= a->grid[i])
            return ngff_fail(err, NGFF_INVALID, "%s: axis %d has no chunk %lld", a->path,
                             i, (long long)idx[i]);
    }
    ngff_box_of_cell(m->ndim, idx, m->chunk, m->shape, &box);
    for (int i = 0; i < m->ndim; i++) {
        if (pixels->shape[i] != box.shape[i])
            return ngff_fail(err, NGFF_INVALID,
                             "%s: axis %d of chunk has %lld pixels, not %lld", a->path, i,
                             (long long)pixels->shape[i], (long long)box.shape[i]);
    }
    return NGFF_OK;
}

static void mark(ngff_zarr_writer *w, const int64_t *unit) {
    uint64_t at = ngff_zarr_linear(w->array->meta.ndim, w->array->shard_grid, unit);
    ngff_meet(NGFF_MEET_ATOMIC);
    atomic_fetch_or_explicit(&w->arrived[at / 8], (unsigned char)(1u << (at % 8)),
                             memory_order_relaxed);
}

static ngff_status put_plain(ngff_zarr_writer *w, const int64_t *idx, const void *data,
                             size_t size, ngff_error *err) {
    char key[NGFF_ZARR_KEY_MAX];
    ngff_store *store = w->array->store;
    uint64_t rank =
        w->opts.ranked ? w->opts.rank_base + ngff_zarr_unit_rank(w->array, idx) : 0;
    NGFF_TRY(ngff_zarr_key(w->array, idx, key, sizeof key, err));
    if (size > 0 && w->opts.ranked)
        NGFF_TRY(ngff_store_put_ranked(store, key, rank, data, size, err));
    else if (size > 0)
        NGFF_TRY(ngff_store_put(store, key, data, size, err));
    else if (w->opts.ranked)
        NGFF_TRY(ngff_store_skip_rank(store, rank, err));
    ngff_shared_add(&w->bytes, size);
    mark(w, idx);
    return NGFF_OK;
}

static ngff_status put_sharded(ngff_zarr_writer *w, ngff_codec_ctx *ctx,
                               const int64_t *idx, const void *data, size_t size,
                               ngff_error *err) {
    const ngff_zarr_array *a = w->array;
    int64_t unit[NGFF_MAX_NDIM], local[NGFF_MAX_NDIM];
    ngff_shard *shard = NULL;
    for (int i = 0; i < a->meta.ndim; i++) {
        unit[i] = idx[i] / a->per_shard[i];
        local[i] = idx[i] % a->per_shard[i];
    }
    ngff_shard_chunk c = {.data = data, .size = size};
    c.local = (size_t)ngff_zarr_linear(a->meta.ndim, a->per_shard, local);
    NGFF_TRY(ngff_shards_acquire(w->shards, unit, &shard, err));
    ngff_status status = ngff_shard_deposit(w->shards, shard, ctx, &c, err);
    ngff_shards_release(w->shards, shard);
    if (c.parked)
        ngff_shared_add(&w->parked, 1);
    if (status == NGFF_OK && c.done) {
        ngff_shared_add(&w->bytes, c.stored);
        mark(w, unit);
    }
    return status;
}

static ngff_status put(ngff_zarr_writer *w, ngff_codec_ctx *ctx, const int64_t *idx,
                       const ngff_view *pixels, ngff_error *err) {
    const ngff_zarr_array *a = w->array;
    const void *data = NULL;
    size_t size = 0;
    ngff_view whole;
    NGFF_TRY(check_chunk(a, idx, pixels, err));
    if (w->opts.write_empty_chunks || !ngff_nd_is_fill(pixels, a->meta.fill)) {
        NGFF_TRY(pad(a, ctx, pixels, &whole, err));
        ngff_status status = ngff_codec_encode(a->chain, ctx, &whole, &data, &size, err);
        if (status != NGFF_OK)
            return ngff_fail_at(err, status, "%s", a->path);
    }
    return w->shards ? put_sharded(w, ctx, idx, data, size, err)
                     : put_plain(w, idx, data, size, err);
}

static ngff_status first_failure(ngff_zarr_writer *w, ngff_error *err) {
    ngff_status status =
        (ngff_status)atomic_load_explicit(&w->failed, memory_order_relaxed);
    if (status == NGFF_OK || !err)
        return status;
    ngff_spin_lock(&w->lock);
    *err = w->first;
    ngff_spin_unlock(&w->lock);
    return status;
}

/* The first failure is everybody's from then on. */
static ngff_status settle(ngff_zarr_writer *w, ngff_status status,
                          const ngff_error *local, ngff_error *err) {
    if (status == NGFF_OK)
        return NGFF_OK;
    ngff_spin_lock(&w->lock);
    if (w->failed == NGFF_OK) {
        w->first = *local;
        w->failed = status;
    }
    ngff_spin_unlock(&w->lock);
    return first_failure(w, err);
}

ngff_status ngff_zarr_writer_put(ngff_zarr_writer *w, ngff_codec_ctx *ctx,
                                 const int64_t *idx, const ngff_view *pixels,
                                 ngff_error *err) {
    ngff_error local = {0};
    NGFF_TRY(first_failure(w, err));
    return settle(w, put(w, ctx, idx, pixels, &local), &local, err);
}

/* A view with no strides: one element stands for all. */
static ngff_status put_fill(ngff_zarr_writer *w, ngff_codec_ctx *ctx, const int64_t *idx,
                            ngff_error *err) {
    const ngff_zarr_meta *m = &w->array->meta;
    unsigned char fill[sizeof m->fill];
    ngff_box box;
    ngff_view pixels;
    if (!w->opts.write_empty_chunks)
        return w->shards ? put_sharded(w, ctx, idx, NULL, 0, err)
                         : put_plain(w, idx, NULL, 0, err);
    memcpy(fill, m->fill, sizeof fill);
    ngff_box_of_cell(m->ndim, idx, m->chunk, m->shape, &box);
    ngff_view_init(&pixels, fill, m->dtype, m->ndim, box.shape);
    memset(pixels.strides, 0, sizeof pixels.strides);
    return put(w, ctx, idx, &pixels, err);
}

ngff_status ngff_zarr_writer_put_fill(ngff_zarr_writer *w, ngff_codec_ctx *ctx,
                                      const int64_t *idx, ngff_error *err) {
    ngff_error local = {0};
    NGFF_TRY(first_failure(w, err));
    return settle(w, put_fill(w, ctx, idx, &local), &local, err);
}

/* ---- the end ---- */

static ngff_status name_missing(ngff_zarr_writer *w, uint64_t unit, ngff_error *err) {
    const ngff_zarr_array *a = w->array;
    int64_t idx[NGFF_MAX_NDIM];
    size_t local = 0;
    char text[128];
    for (int i = a->meta.ndim - 1; i >= 0; i--) {
        idx[i] = (int64_t)(unit % (uint64_t)a->shard_grid[i]);
        unit /= (uint64_t)a->shard_grid[i];
    }
    if (w->shards)
        (void)ngff_shards_missing(w->shards, idx, &local);
    ngff_box box = {.ndim = a->meta.ndim};
    for (int i = a->meta.ndim - 1; i >= 0; i--) {
        box.start[i] =
            idx[i] * a->per_shard[i] + (int64_t)(local % (size_t)a->per_shard[i]);
        local /= (size_t)a->per_shard[i];
        box.shape[i] = 1;
    }
    ngff_nd_box_text(&box, text, sizeof text);
    return ngff_fail(err, NGFF_INTERNAL, "%s: chunk %s was never written", a->path, text);
}

ngff_status ngff_zarr_writer_finish(ngff_zarr_writer *w, ngff_error *err) {
    NGFF_TRY(first_failure(w, err));
    for (uint64_t i = 0; i < w->units; i++) {
        if (!(w->arrived[i / 8] >> (i % 8) & 1))
            return name_missing(w, i, err);
    }
    return NGFF_OK;
}
