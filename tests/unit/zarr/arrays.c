/* Written chunks are read back, for random shapes, chunks, shards, regions and strides.
 */
#include "zarr/arrays.h"

static void random_spec(array_spec *s, uint64_t *seed) {
    *s = (array_spec){.format = random_range(seed, 0, 3) ? 3 : 2};
    s->ndim = (int)random_range(seed, 1, 4);
    s->dtype = random_range(seed, 0, 1) ? NGFF_UINT16 : NGFF_FLOAT32;
    s->fill = random_range(seed, 0, 1) ? 0 : 7;
    bool sharded = s->format == 3 && random_range(seed, 0, 1);
    for (int i = 0; i < s->ndim; i++) {
        s->shape[i] = random_range(seed, 1, s->ndim > 2 ? 13 : 60);
        s->chunk[i] = random_range(seed, 1, s->ndim > 2 ? 7 : 20);
        s->shard[i] = sharded ? s->chunk[i] * random_range(seed, 1, 3) : 0;
    }
}

static void read_regions(const ngff_zarr_array *a, ngff_codec_ctx *ctx,
                         const ngff_view *all, uint64_t *seed) {
    for (int k = 0; k < 8; k++) {
        ngff_box box = {.ndim = a->meta.ndim};
        ngff_view want, got, packed;
        ngff_error err = {0};
        size_t bytes;
        for (int i = 0; i < box.ndim; i++) {
            box.start[i] = k ? random_range(seed, 0, a->meta.shape[i] - 1) : 0;
            box.shape[i] = k ? random_range(seed, 0, a->meta.shape[i] - box.start[i])
                             : a->meta.shape[i];
        }
        assert_int_equal(ngff_nd_bytes(box.ndim, box.shape, a->meta.dtype, &bytes, NULL),
                         0);
        int64_t step = k % 3 == 2 ? 2 : 1; /* sometimes with gaps */
        void *x = malloc(bytes * (size_t)step + 1), *y = malloc(bytes + 1),
             *z = malloc(bytes + 1);
        ngff_view_init(&got, x, a->meta.dtype, box.ndim, box.shape);
        for (int i = 0; i < box.ndim; i++)
            got.strides[i] *= step;
        if (ngff_zarr_read(a, ctx, &box, &got, &err) != NGFF_OK)
            fail_msg("%s", err.message);
        ngff_view_init(&packed, y, a->meta.dtype, box.ndim, box.shape);
        ngff_nd_copy(&packed, &got);
        ngff_view_sub(all, box.start, box.shape, &want);
        ngff_view_init(&packed, z, a->meta.dtype, box.ndim, box.shape);
        ngff_nd_copy(&packed, &want);
        assert_memory_equal(y, z, bytes);
        free(x);
        free(y);
        free(z);
    }
}

static void random_arrays(void **state) {
    (void)state;
    uint64_t seed = 23;
    ngff_codec_ctx *ctx = NULL;
    assert_int_equal(ngff_codec_ctx_create(NULL, &ctx, NULL), NGFF_OK);
    for (int round = 0; round < 60; round++) {
        array_spec s;
        ngff_store *store = NULL;
        ngff_zarr_writer *w = NULL;
        ngff_zarr_array *opened = NULL;
        ngff_view all;
        ngff_error err = {0};
        random_spec(&s, &seed);
        assert_int_equal(ngff_store_open_memory(NULL, &store, NULL), NGFF_OK);
        ngff_zarr_array *a = make_array(NULL, store, "scale0/image", &s);
        ngff_spill *spill = make_spill(1 << 14);
        ngff_zarr_writer_opts opts = {.write_empty_chunks = round % 3 == 0,
                                      .spill = spill};
        void *data = make_pixels(a, &seed, &all);
        assert_int_equal(ngff_zarr_writer_create(a, &opts, &w, NULL), NGFF_OK);
        int64_t *order = shuffled(chunk_count(a), &seed);
        for (int64_t i = 0; i < chunk_count(a); i++) {
            if (put_chunk(w, a, ctx, &all, order[i], &err) != NGFF_OK)
                fail_msg("%s", err.message);
        }
        if (ngff_zarr_writer_finish(w, &err) != NGFF_OK)
            fail_msg("%s", err.message);
        assert_int_equal(ngff_zarr_array_put_meta(a, NULL), NGFF_OK);
        if (ngff_zarr_array_open(NULL, store, "scale0/image", &opened, &err) != NGFF_OK)
            fail_msg("%s", err.message);
        read_regions(opened, ctx, &all, &seed);
        ngff_zarr_array_close(&opened);
        ngff_zarr_writer_close(&w);
        ngff_spill_close(&spill);
        ngff_zarr_array_close(&a);
        ngff_store_drop(&store);
        free(order);
        free(data);
    }
    ngff_codec_ctx_close(&ctx);
}

static ngff_status count_key(void *user, const char *name, bool is_prefix) {
    (void)name;
    (void)is_prefix;
    ++*(int *)user;
    return NGFF_OK;
}

/* All-fill chunks are left out bit for bit: -0.0 is not the fill 0.0. */
static void empty_chunks(void **state) {
    (void)state;
    array_spec s = {3, 1, NGFF_FLOAT32, {8}, {2}, {0}, NULL, 0};
    float pixels[8] = {0, 0, 0, 0, -0.0f, 0, 1, 0};
    for (int keep = 0; keep < 2; keep++) {
        for (int sharded = 0; sharded < 2; sharded++) {
            ngff_store *store = NULL;
            ngff_zarr_writer *w = NULL;
            ngff_codec_ctx *ctx = NULL;
            ngff_view all;
            int count = 0;
            s.shard[0] = sharded ? 4 : 0;
            assert_int_equal(ngff_store_open_memory(NULL, &store, NULL), NGFF_OK);
            assert_int_equal(ngff_codec_ctx_create(NULL, &ctx, NULL), NGFF_OK);
            ngff_zarr_array *a = make_array(NULL, store, "", &s);
            ngff_spill *spill = make_spill(0);
            ngff_zarr_writer_opts opts = {.write_empty_chunks = keep, .spill = spill};
            assert_int_equal(ngff_zarr_writer_create(a, &opts, &w, NULL), NGFF_OK);
            ngff_view_init(&all, pixels, NGFF_FLOAT32, 1, a->meta.shape);
            for (int64_t i = 3; i >= 0; i--)
                assert_int_equal(put_chunk(w, a, ctx, &all, i, NULL), NGFF_OK);
            assert_int_equal(ngff_zarr_writer_finish(w, NULL), NGFF_OK);
            assert_int_equal(ngff_store_list(store, "c", count_key, &count, NULL),
                             NGFF_OK);
            assert_int_equal(count, sharded ? (keep ? 2 : 1) : (keep ? 4 : 2));
            ngff_zarr_writer_close(&w);
            ngff_spill_close(&spill);
            ngff_zarr_array_close(&a);
            ngff_codec_ctx_close(&ctx);
            ngff_store_drop(&store);
        }
    }
}

static void keys(void **state) {
    (void)state;
    ngff_zarr_array a = {.path = "a/b", .meta = {.ndim = 3, .separator = '/'}};
    const int64_t idx[3] = {1, 23, 45};
    char key[64];
    assert_int_equal(ngff_zarr_key(&a, idx, key, sizeof key, NULL), NGFF_OK);
    assert_string_equal(key, "a/b/c/1/23/45");
    a.meta.separator = '.';
    assert_int_equal(ngff_zarr_key(&a, idx, key, sizeof key, NULL), NGFF_OK);
    assert_string_equal(key, "a/b/c.1.23.45");
    a.meta.v2_keys = true;
    a.path = "";
    assert_int_equal(ngff_zarr_key(&a, idx, key, sizeof key, NULL), NGFF_OK);
    assert_string_equal(key, "1.23.45");
    assert_int_equal(ngff_zarr_key(&a, idx, key, 7, NULL), NGFF_LIMIT);
    a.meta.ndim = 0;
    assert_int_equal(ngff_zarr_key(&a, idx, key, sizeof key, NULL), NGFF_OK);
    assert_string_equal(key, "0");
    a.meta.v2_keys = false;
    assert_int_equal(ngff_zarr_key(&a, idx, key, sizeof key, NULL), NGFF_OK);
    assert_string_equal(key, "c");
}

/* What the caller gets wrong is INVALID, and a chunk that never came is named. */
static void mistakes(void **state) {
    (void)state;
    array_spec s = {3, 2, NGFF_UINT16, {5, 6}, {2, 2}, {4, 4}, NULL, 0};
    ngff_store *store = NULL;
    ngff_zarr_writer *w = NULL;
    ngff_codec_ctx *ctx = NULL;
    ngff_error err = {0};
    ngff_view all;
    uint64_t seed = 1;
    assert_int_equal(ngff_store_open_memory(NULL, &store, NULL), NGFF_OK);
    assert_int_equal(ngff_codec_ctx_create(NULL, &ctx, NULL), NGFF_OK);
    ngff_zarr_array *a = make_array(NULL, store, "x", &s);
    ngff_spill *spill = make_spill(0);
    ngff_zarr_writer_opts opts = {.write_empty_chunks = true, .spill = NULL};
    void *data = make_pixels(a, &seed, &all);
    ngff_box box = {2, {4, 0}, {2, 1}};
    assert_int_equal(ngff_zarr_read(a, ctx, &box, &all, &err), NGFF_INVALID);
    ngff_error_clear(&err);
    assert_int_equal(ngff_zarr_writer_create(a, &opts, &w, &err), NGFF_INVALID);
    ngff_error_clear(&err);
    opts.spill = spill;
    assert_int_equal(ngff_zarr_writer_create(a, &opts, &w, &err), NGFF_OK);
    for (int64_t i = 0; i < chunk_count(a); i++) {
        if (i != 4)
            assert_int_equal(put_chunk(w, a, ctx, &all, i, &err), NGFF_OK);
    }
    assert_int_equal(ngff_zarr_writer_finish(w, &err), NGFF_INTERNAL);
    assert_non_null(strstr(err.message, "[1:2, 1:2]"));
    ngff_error_clear(&err);
    assert_int_equal(put_chunk(w, a, ctx, &all, 3, &err), NGFF_INTERNAL); /* twice */
    assert_non_null(strstr(err.message, "twice"));
    ngff_error_clear(&err);
    assert_int_equal(put_chunk(w, a, ctx, &all, 4, &err), NGFF_INTERNAL); /* sticky */
    ngff_zarr_writer_close(&w);
    ngff_spill_close(&spill);
    ngff_zarr_array_close(&a);
    ngff_codec_ctx_close(&ctx);
    ngff_store_drop(&store);
    free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_arrays),
        cmocka_unit_test(empty_chunks),
        cmocka_unit_test(keys),
        cmocka_unit_test(mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
