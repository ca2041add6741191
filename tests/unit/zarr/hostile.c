/* Shards and chunks from outside: indices that lie, bytes that are cut or flipped. */
#include "zarr/arrays.h"

typedef struct fixture {
    ngff_store *store;
    ngff_zarr_array *array;
    ngff_codec_ctx *ctx;
    unsigned char shard[64 * 2 + 16 * 16];
    uint16_t pixels[64];
} fixture;

/* 8x8 pixels in one shard of 2x2 chunks, stored plain; the index has no checksum. */
static int setup(void **state) {
    fixture *f = calloc(1, sizeof *f);
    ngff_zarr_meta m = {.zarr_format = 3, .ndim = 2, .dtype = NGFF_UINT16};
    m.separator = '/';
    m.sharded = true;
    for (int i = 0; i < 2; i++) {
        m.shape[i] = m.shard[i] = 8;
        m.chunk[i] = 2;
    }
    m.codecs = parse_json("[" LITTLE "]");
    m.index_codecs = parse_json("[" LITTLE "]");
    assert_int_equal(ngff_store_open_memory(NULL, &f->store, NULL), NGFF_OK);
    assert_int_equal(ngff_zarr_array_create(NULL, f->store, "", &m, &f->array, NULL),
                     NGFF_OK);
    assert_int_equal(ngff_codec_ctx_create(NULL, &f->ctx, NULL), NGFF_OK);
    for (size_t i = 0; i < 16; i++) {
        ngff_store_u64le(f->shard + 128 + 16 * i, 8 * i);
        ngff_store_u64le(f->shard + 128 + 16 * i + 8, 8);
    }
    *state = f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    ngff_codec_ctx_close(&f->ctx);
    ngff_zarr_array_close(&f->array);
    ngff_store_drop(&f->store);
    free(f);
    return 0;
}

static ngff_status read_all(fixture *f, const void *shard, size_t size, ngff_error *err) {
    ngff_box box = {2, {0, 0}, {8, 8}};
    ngff_view v;
    assert_int_equal(ngff_store_put(f->store, "c/0/0", shard, size, NULL), NGFF_OK);
    ngff_view_init(&v, f->pixels, NGFF_UINT16, 2, box.shape);
    return ngff_zarr_read(f->array, f->ctx, &box, &v, err);
}

static void index_entries(void **state) {
    fixture *f = *state;
    static const uint64_t bad[][2] = {
        {UINT64_MAX, 8},
        {8, UINT64_MAX},
        {UINT64_MAX - 7, 8},
        {384, 1},
        {383, 2},
        {UINT64_C(1) << 63, 8},
        {0, 385},
        {0, 7},
        {UINT64_MAX - 1, 2},
        {0, UINT64_MAX - 1},
        {0, 0},
    };
    ngff_error err = {0};
    assert_int_equal(read_all(f, f->shard, sizeof f->shard, &err), NGFF_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        unsigned char copy[sizeof f->shard];
        memcpy(copy, f->shard, sizeof copy);
        ngff_store_u64le(copy + 128 + 16 * 5, bad[i][0]);
        ngff_store_u64le(copy + 128 + 16 * 5 + 8, bad[i][1]);
        ngff_error_clear(&err);
        assert_int_equal(read_all(f, copy, sizeof copy, &err), NGFF_FORMAT);
        assert_true(ngff_starts_with(err.message, "c/0/0: chunk [2:4, 2:4]: "));
    }
}

static void cut_shards(void **state) {
    fixture *f = *state;
    ngff_error err = {0};
    for (size_t n = 0; n < sizeof f->shard; n += 3) {
        ngff_error_clear(&err);
        assert_int_not_equal(read_all(f, f->shard, n, &err), NGFF_OK);
        assert_true(ngff_starts_with(err.message, "c/0/0: "));
    }
}

static void noise(void **state) {
    fixture *f = *state;
    uint64_t seed = 8;
    unsigned char copy[sizeof f->shard];
    for (int k = 0; k < 3000; k++) {
        memcpy(copy, f->shard, sizeof copy);
        for (int64_t flips = random_range(&seed, 1, 6); flips > 0; flips--)
            copy[random_range(&seed, 0, sizeof copy - 1)] =
                (unsigned char)random_range(&seed, 0, 255);
        (void)read_all(f, copy, sizeof copy, NULL);
    }
}

/* The index's checksum is looked at. */
static void checksum(void **state) {
    (void)state;
    array_spec s = {3, 1, NGFF_UINT16, {4}, {2}, {4}, NULL, 0};
    ngff_store *store = NULL;
    ngff_codec_ctx *ctx = NULL;
    ngff_zarr_writer *w = NULL;
    uint16_t pixels[4] = {1, 2, 3, 4};
    ngff_view all;
    ngff_buf buf;
    ngff_error err = {0};
    assert_int_equal(ngff_store_open_memory(NULL, &store, NULL), NGFF_OK);
    assert_int_equal(ngff_codec_ctx_create(NULL, &ctx, NULL), NGFF_OK);
    ngff_zarr_array *a = make_array(NULL, store, "", &s);
    ngff_spill *spill = make_spill(0);
    ngff_zarr_writer_opts opts = {.write_empty_chunks = false, .spill = spill};
    assert_int_equal(ngff_zarr_writer_create(a, &opts, &w, NULL), NGFF_OK);
    ngff_view_init(&all, pixels, NGFF_UINT16, 1, a->meta.shape);
    for (int64_t i = 0; i < 2; i++)
        assert_int_equal(put_chunk(w, a, ctx, &all, i, NULL), NGFF_OK);
    ngff_buf_init(&buf, NULL, 4096);
    assert_int_equal(ngff_store_get(store, "c/0", &buf, NULL), NGFF_OK);
    buf.data[buf.size - 20] ^= 1;
    assert_int_equal(ngff_store_put(store, "c/0", buf.data, buf.size, NULL), NGFF_OK);
    ngff_box box = {1, {0}, {4}};
    assert_int_equal(ngff_zarr_read(a, ctx, &box, &all, &err), NGFF_CHECKSUM);
    assert_true(ngff_starts_with(err.message, "c/0: index: "));
    ngff_buf_reset(&buf);
    ngff_zarr_writer_close(&w);
    ngff_spill_close(&spill);
    ngff_zarr_array_close(&a);
    ngff_codec_ctx_close(&ctx);
    ngff_store_drop(&store);
}

/* A chunk file of any length. */
static void chunk_files(void **state) {
    (void)state;
    array_spec s = {3, 1, NGFF_UINT16, {4}, {4}, {0}, "[" LITTLE "]", 0};
    ngff_store *store = NULL;
    ngff_codec_ctx *ctx = NULL;
    uint16_t pixels[4];
    unsigned char *big = calloc(1, 1 << 20);
    ngff_view v;
    ngff_box box = {1, {0}, {4}};
    assert_int_equal(ngff_store_open_memory(NULL, &store, NULL), NGFF_OK);
    assert_int_equal(ngff_codec_ctx_create(NULL, &ctx, NULL), NGFF_OK);
    ngff_zarr_array *a = make_array(NULL, store, "", &s);
    ngff_view_init(&v, pixels, NGFF_UINT16, 1, box.shape);
    for (size_t n = 0; n < 3; n++) {
        size_t size = (const size_t[]){7, 9, 1 << 20}[n];
        ngff_error err = {0};
        assert_int_equal(ngff_store_put(store, "c/0", big, size, NULL), NGFF_OK);
        assert_int_equal(ngff_zarr_read(a, ctx, &box, &v, &err), NGFF_FORMAT);
        assert_true(ngff_starts_with(err.message, "c/0: "));
    }
    assert_int_equal(ngff_store_put(store, "c/0", big, 8, NULL), NGFF_OK);
    assert_int_equal(ngff_zarr_read(a, ctx, &box, &v, NULL), NGFF_OK);
    free(big);
    ngff_zarr_array_close(&a);
    ngff_codec_ctx_close(&ctx);
    ngff_store_drop(&store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(index_entries, setup, teardown),
        cmocka_unit_test_setup_teardown(cut_shards, setup, teardown),
        cmocka_unit_test_setup_teardown(noise, setup, teardown),
        cmocka_unit_test(checksum),
        cmocka_unit_test(chunk_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
