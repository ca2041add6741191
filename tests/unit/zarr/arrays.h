/* Making arrays for the zarr tests, in a memory store. */
#ifndef NGFF_TEST_ZARR_ARRAYS_H
#define NGFF_TEST_ZARR_ARRAYS_H

#include "support/cmocka.h"

#include "support/json.h"
#include "support/random.h"
#include "zarr/zarr.h"

#include <stdio.h>
#include <stdlib.h>

#define LITTLE "{\"name\":\"bytes\",\"configuration\":{\"endian\":\"little\"}}"
#define ZSTD "{\"name\":\"zstd\",\"configuration\":{\"level\":1,\"checksum\":false}}"

/* What a test asks for; the rest is the default of a fresh OME-Zarr 0.5 array. */
typedef struct array_spec {
    int format, ndim;
    ngff_dtype dtype;
    int64_t shape[4], chunk[4], shard[4]; /* shard[0] 0: not sharded */
    const char *codecs;                   /* v3; NULL: bytes + zstd */
    double fill;
} array_spec;

static inline ngff_zarr_array *make_array(const ngff_allocator *a, ngff_store *store,
                                          const char *path, const array_spec *s) {
    ngff_zarr_meta m = {.zarr_format = s->format, .ndim = s->ndim, .dtype = s->dtype};
    ngff_zarr_array *array = NULL;
    ngff_error err = {0};
    m.separator = '/';
    m.v2_keys = s->format == 2;
    m.order = 'C';
    m.sharded = s->shard[0] != 0;
    for (int i = 0; i < s->ndim; i++) {
        m.shape[i] = s->shape[i];
        m.chunk[i] = s->chunk[i];
        m.shard[i] = m.sharded ? s->shard[i] : s->chunk[i];
    }
    if (s->dtype == NGFF_UINT16) {
        uint16_t v = (uint16_t)s->fill;
        memcpy(m.fill, &v, sizeof v);
    } else if (s->dtype == NGFF_FLOAT32) {
        float v = (float)s->fill;
        memcpy(m.fill, &v, sizeof v);
    }
    if (s->format == 3)
        m.codecs = parse_json(s->codecs ? s->codecs : "[" LITTLE "," ZSTD "]");
    else
        m.compressor = parse_json("{\"id\":\"zstd\",\"level\":1}");
    if (ngff_zarr_array_create(a, store, path, &m, &array, &err) != NGFF_OK)
        fail_msg("%s", err.message);
    return array;
}

static inline ngff_spill *make_spill(size_t memory) {
    ngff_spill *spill = NULL;
    ngff_spill_opts opts = {NULL, memory, false};
    assert_int_equal(ngff_spill_create(NULL, &opts, &spill, NULL), NGFF_OK);
    return spill;
}

static inline int64_t chunk_count(const ngff_zarr_array *a) {
    int64_t n = 1;
    for (int i = 0; i < a->meta.ndim; i++)
        n *= a->grid[i];
    return n;
}

static inline void chunk_index(const ngff_zarr_array *a, int64_t n, int64_t *idx) {
    for (int i = a->meta.ndim - 1; i >= 0; i--) {
        idx[i] = n % a->grid[i];
        n /= a->grid[i];
    }
}

/* Puts chunk number `n` of `all`, the pixels of the whole array. */
static inline ngff_status put_chunk(ngff_zarr_writer *w, const ngff_zarr_array *a,
                                    ngff_codec_ctx *ctx, const ngff_view *all, int64_t n,
                                    ngff_error *err) {
    int64_t idx[NGFF_MAX_NDIM];
    ngff_box box;
    ngff_view part;
    chunk_index(a, n, idx);
    ngff_box_of_cell(a->meta.ndim, idx, a->meta.chunk, a->meta.shape, &box);
    ngff_view_sub(all, box.start, box.shape, &part);
    return ngff_zarr_writer_put(w, ctx, idx, &part, err);
}

/* A random order of 0 … n - 1. */
static inline int64_t *shuffled(int64_t n, uint64_t *seed) {
    int64_t *order = malloc((size_t)(n ? n : 1) * sizeof *order);
    for (int64_t i = 0; i < n; i++)
        order[i] = i;
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t k = random_range(seed, 0, i), v = order[i];
        order[i] = order[k];
        order[k] = v;
    }
    return order;
}

/* Blobs of noise in a field of `fill`, so that some chunks are empty. */
static inline void *make_pixels(const ngff_zarr_array *a, uint64_t *seed,
                                ngff_view *out) {
    size_t bytes, item = ngff_dtype_size(a->meta.dtype);
    assert_int_equal(
        ngff_nd_bytes(a->meta.ndim, a->meta.shape, a->meta.dtype, &bytes, NULL), NGFF_OK);
    unsigned char *data = malloc(bytes + 1);
    ngff_view_init(out, data, a->meta.dtype, a->meta.ndim, a->meta.shape);
    ngff_nd_fill(out, a->meta.fill);
    for (size_t run = 0; run * 40 < bytes / item; run++) {
        size_t at = (size_t)random_range(seed, 0, (int64_t)(bytes / item) - 1) * item;
        size_t len = (size_t)random_range(seed, 1, 12) * item;
        for (size_t i = at; i < at + len && i < bytes && run % 3; i++)
            data[i] = (unsigned char)random_range(seed, 0, 255);
    }
    return data;
}

#endif
