/* The reader: one box by many threads, many readers at once, shards and separate chunks,
 * fewer slots for indices than shards, and what is broken. Everything lies in memory. */
#include "engine/read.h"
#include "support/cmocka.h"
#include "support/random.h"
#include "sys/sys.h"

#include <stdatomic.h>

enum { Z = 130, Y = 140, X = 150, CALLERS = 4 };

typedef struct fixture {
    ngff_store *store;
    ngff_zarr_array *array;
    ngff_engine_reader *reader;
    ngff_view all;
    atomic_int wrong;
} fixture;

static void must(ngff_status status, const ngff_error *err) {
    if (status != NGFF_OK)
        fail_msg("%s", err->message);
}

static void make_pixels(fixture *f) {
    const int64_t shape[3] = {Z, Y, X};
    uint16_t *data = ngff_alloc(NULL, sizeof *data * Z * Y * X);
    assert_non_null(data);
    for (size_t i = 0; i < (size_t)Z * Y * X; i++)
        data[i] = (uint16_t)(i / 7 * 2654435761u >> 20);
    ngff_view_init(&f->all, data, NGFF_UINT16, 3, shape);
}

static void make_meta(ngff_zarr_meta *m, const char *codec, int64_t chunk,
                      int64_t shard) {
    const ngff_codec_choice choice = {.name = codec, .level = 1};
    const int64_t shape[3] = {Z, Y, X};
    ngff_json *stages = NULL;
    ngff_error err = {0};
    *m = (ngff_zarr_meta){.zarr_format = 3, .ndim = 3, .dtype = NGFF_UINT16};
    for (int i = 0; i < 3; i++) {
        m->shape[i] = shape[i];
        m->chunk[i] = chunk;
        m->shard[i] = shard;
    }
    m->separator = '/';
    m->sharded = shard != chunk;
    must(ngff_codec_choice_json(&choice, 3, NGFF_UINT16, &stages, &err), &err);
    must(ngff_codec_v3_codecs(NGFF_UINT16, stages, &m->codecs, &err), &err);
    ngff_json_close(&stages);
}

static void put_all(const fixture *f, const ngff_zarr_array *a) {
    const ngff_spill_opts spill_opts = {.memory = (size_t)64 << 20};
    ngff_zarr_writer_opts opts = {.write_empty_chunks = true};
    ngff_zarr_writer *w = NULL;
    ngff_codec_ctx *ctx = NULL;
    ngff_error err = {0};
    ngff_view part;
    ngff_box grid = {.ndim = 3}, chunk;
    int64_t idx[NGFF_MAX_NDIM] = {0};
    memcpy(grid.shape, a->grid, sizeof grid.shape);
    must(ngff_spill_create(NULL, &spill_opts, &opts.spill, &err), &err);
    must(ngff_codec_ctx_create(NULL, &ctx, &err), &err);
    must(ngff_zarr_writer_create(a, &opts, &w, &err), &err);
    do {
        ngff_box_of_cell(3, idx, a->meta.chunk, a->meta.shape, &chunk);
        ngff_view_sub(&f->all, chunk.start, chunk.shape, &part);
        must(ngff_zarr_writer_put(w, ctx, idx, &part, &err), &err);
    } while (ngff_box_next(&grid, idx));
    must(ngff_zarr_writer_finish(w, &err), &err);
    ngff_zarr_writer_close(&w);
    ngff_codec_ctx_close(&ctx);
    ngff_spill_close(&opts.spill);
}

static void open_fixture(fixture *f, const char *codec, int64_t chunk, int64_t shard,
                         int threads) {
    ngff_zarr_meta meta;
    ngff_zarr_array *a = NULL;
    ngff_error err = {0};
    memset(f, 0, sizeof *f);
    make_pixels(f);
    make_meta(&meta, codec, chunk, shard);
    must(ngff_store_open_memory(NULL, &f->store, &err), &err);
    must(ngff_zarr_array_create(NULL, f->store, "", &meta, &a, &err), &err);
    put_all(f, a);
    must(ngff_zarr_array_put_meta(a, &err), &err);
    ngff_zarr_array_close(&a);
    must(ngff_zarr_array_open(NULL, f->store, "", &f->array, &err), &err);
    must(ngff_engine_reader_create(NULL, threads, &f->reader, &err), &err);
}

static void close_fixture(fixture *f) {
    ngff_engine_reader_close(&f->reader);
    ngff_zarr_array_close(&f->array);
    ngff_store_drop(&f->store);
    ngff_free(NULL, f->all.data);
}

/* Rows that are as they were given. */
static bool equal(const fixture *f, const ngff_box *box, const char *got) {
    ngff_view want;
    size_t row = (size_t)box->shape[2] * 2;
    ngff_view_sub(&f->all, box->start, box->shape, &want);
    for (int64_t z = 0; z < box->shape[0]; z++)
        for (int64_t y = 0; y < box->shape[1]; y++, got += row)
            if (memcmp(got, (char *)want.data + z * want.strides[0] + y * want.strides[1],
                       row) != 0)
                return false;
    return true;
}

static ngff_status read_one(fixture *f, const ngff_box *box, bool *same,
                            ngff_error *err) {
    ngff_view out;
    size_t size = (size_t)(box->shape[0] * box->shape[1] * box->shape[2]) * 2;
    char *room = ngff_alloc(NULL, size);
    ngff_view_init(&out, room, NGFF_UINT16, 3, box->shape);
    ngff_status status = ngff_engine_read(f->reader, f->array, box, &out, err);
    *same = status == NGFF_OK && equal(f, box, room);
    ngff_free(NULL, room);
    return status;
}

static void random_box(uint64_t *seed, ngff_box *box) {
    const int64_t shape[3] = {Z, Y, X};
    *box = (ngff_box){.ndim = 3};
    for (int i = 0; i < 3; i++) {
        box->shape[i] = random_range(seed, 1, shape[i]);
        box->start[i] = random_range(seed, 0, shape[i] - box->shape[i]);
    }
}

static void boxes_come_back_as_given(void **state) {
    static const struct {
        const char *codec;
        int64_t chunk, shard;
    } cases[] = {{"blosc:lz4", 32, 32},
                 {"blosc:zstd", 16, 64},
                 {"none", 16, 32},
                 {"zstd", 40, 80},
                 {"blosc:lz4", 8, 16}};
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        fixture f;
        uint64_t seed = c + 1;
        open_fixture(&f, cases[c].codec, cases[c].chunk, cases[c].shard, 3);
        for (int n = 0; n < 12; n++) {
            ngff_box box = {.ndim = 3, .shape = {Z, Y, X}};
            ngff_error err = {0};
            bool same = false;
            if (n > 0)
                random_box(&seed, &box);
            must(read_one(&f, &box, &same, &err), &err);
            assert_true(same);
        }
        close_fixture(&f);
    }
}

static void call_many(void *arg) {
    fixture *f = arg;
    uint64_t seed = (uint64_t)(uintptr_t)&seed;
    for (int n = 0; n < 12; n++) {
        ngff_box box;
        bool same = false;
        random_box(&seed, &box);
        if (read_one(f, &box, &same, NULL) != NGFF_OK || !same)
            atomic_fetch_add(&f->wrong, 1);
    }
}

/* 1000 shards and 64 places for their indices. */
static void callers_share_one_reader(void **state) {
    (void)state;
    fixture f;
    ngff_thread *thread[CALLERS];
    open_fixture(&f, "blosc:lz4", 8, 16, 2);
    for (int i = 0; i < CALLERS; i++)
        must(ngff_thread_start(NULL, call_many, &f, &thread[i], NULL), NULL);
    for (int i = 0; i < CALLERS; i++)
        ngff_thread_join(&thread[i]);
    assert_int_equal(atomic_load(&f.wrong), 0);
    close_fixture(&f);
}

static void a_broken_chunk_fails_the_read(void **state) {
    (void)state;
    fixture f;
    ngff_box box = {.ndim = 3, .shape = {Z, Y, X}};
    ngff_error err = {0};
    bool same = false;
    open_fixture(&f, "blosc:lz4", 32, 32, 4);
    must(ngff_store_put(f.store, "c/2/1/3", "no chunk", 8, &err), &err);
    assert_int_equal(read_one(&f, &box, &same, &err), NGFF_FORMAT);
    assert_non_null(strstr(err.message, "c/2/1/3"));
    box.start[0] = 1; /* beyond the end */
    assert_int_equal(read_one(&f, &box, &same, &err), NGFF_INVALID);
    close_fixture(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_come_back_as_given),
        cmocka_unit_test(callers_share_one_reader),
        cmocka_unit_test(a_broken_chunk_fails_the_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
