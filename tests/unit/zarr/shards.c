/* The bytes of a shard do not depend on who delivers its chunks, or when. */
#include "zarr/arrays.h"

#include <pthread.h>
#include <stdatomic.h>

enum { MAX_WORKERS = 7 };

typedef struct job {
    ngff_zarr_writer *w;
    const ngff_zarr_array *array;
    const ngff_view *all;
    const int64_t *order;
    int64_t count;
    atomic_long next;
    atomic_int failures;
} job;

static void *work(void *arg) {
    job *j = arg;
    ngff_codec_ctx *ctx = NULL;
    if (ngff_codec_ctx_create(NULL, &ctx, NULL) != NGFF_OK)
        abort();
    for (long i; (i = atomic_fetch_add(&j->next, 1)) < j->count;) {
        ngff_error err = {0};
        if (put_chunk(j->w, j->array, ctx, j->all, j->order[i], &err) != NGFF_OK)
            atomic_fetch_add(&j->failures, 1);
    }
    ngff_codec_ctx_close(&ctx);
    return NULL;
}

/* Writes all chunks in `order` with some workers; the number of failed puts. */
static int write_all(const ngff_zarr_array *a, ngff_store *unused, const ngff_view *all,
                     const int64_t *order, int workers, ngff_status *finish) {
    pthread_t thread[MAX_WORKERS];
    ngff_spill *spill = make_spill(5000);
    ngff_zarr_writer_opts opts = {.write_empty_chunks = false, .spill = spill};
    job j = {.array = a, .all = all, .order = order, .count = chunk_count(a)};
    (void)unused;
    assert_int_equal(ngff_zarr_writer_create(a, &opts, &j.w, NULL), NGFF_OK);
    for (int i = 0; i < workers; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, work, &j), 0);
    for (int i = 0; i < workers; i++)
        pthread_join(thread[i], NULL);
    *finish = ngff_zarr_writer_finish(j.w, NULL);
    ngff_zarr_writer_close(&j.w);
    ngff_spill_close(&spill);
    return atomic_load(&j.failures);
}

static const array_spec SPEC = {3,         3,           NGFF_UINT16, {19, 33, 30},
                                {3, 4, 5}, {6, 16, 15}, NULL,        0};

static uint64_t digest(ngff_store *store, const ngff_zarr_array *a) {
    uint64_t sum = 0;
    ngff_box cells = {.ndim = 3};
    int64_t idx[NGFF_MAX_NDIM] = {0};
    memcpy(cells.shape, a->shard_grid, sizeof cells.shape);
    do {
        char key[128];
        ngff_buf buf;
        ngff_buf_init(&buf, NULL, 1 << 24);
        assert_int_equal(ngff_zarr_key(a, idx, key, sizeof key, NULL), NGFF_OK);
        if (ngff_store_get(store, key, &buf, NULL) == NGFF_OK)
            sum = sum * 31 + ngff_crc32(0, buf.data, buf.size) + buf.size;
        ngff_buf_reset(&buf);
    } while (ngff_box_next(&cells, idx));
    return sum;
}

static void any_order_same_bytes(void **state) {
    (void)state;
    uint64_t seed = 99, first = 0;
    for (int round = 0; round < 12; round++) {
        uint64_t pixel_seed = 4;
        ngff_store *store = NULL;
        ngff_view all;
        ngff_status finish;
        assert_int_equal(ngff_store_open_memory(NULL, &store, NULL), NGFF_OK);
        ngff_zarr_array *a = make_array(NULL, store, "image", &SPEC);
        void *data = make_pixels(a, &pixel_seed, &all);
        int64_t *order = shuffled(chunk_count(a), &seed);
        int workers = (const int[]){1, 2, 7}[round % 3];
        assert_int_equal(write_all(a, store, &all, order, workers, &finish), 0);
        assert_int_equal(finish, NGFF_OK);
        uint64_t sum = digest(store, a);
        if (round == 0)
            first = sum;
        assert_true(sum == first);
        free(order);
        free(data);
        ngff_zarr_array_close(&a);
        ngff_store_drop(&store);
    }
}

/* Inside a shard the chunks lie in Morton order. */
static void rank_is_morton(void **state) {
    (void)state;
    array_spec s = {3, 2, NGFF_UINT16, {8, 8}, {2, 2}, {8, 8}, "[" LITTLE "]", 0};
    uint16_t pixels[64];
    ngff_store *store = NULL;
    ngff_view all;
    ngff_status finish;
    uint64_t seed = 2;
    ngff_buf buf;
    assert_int_equal(ngff_store_open_memory(NULL, &store, NULL), NGFF_OK);
    ngff_zarr_array *a = make_array(NULL, store, "", &s);
    for (int i = 0; i < 64; i++) /* each chunk holds its own Morton number + 1 */
        pixels[i] =
            (uint16_t)(1 + ngff_nd_morton(2, (const int64_t[]){i / 8 / 2, i % 8 / 2}));
    ngff_view_init(&all, pixels, NGFF_UINT16, 2, a->meta.shape);
    int64_t *order = shuffled(16, &seed);
    assert_int_equal(write_all(a, store, &all, order, 1, &finish), 0);
    ngff_buf_init(&buf, NULL, 4096);
    assert_int_equal(ngff_store_get(store, "c/0/0", &buf, NULL), NGFF_OK);
    assert_int_equal(buf.size, 64 * 2 + 16 * 16 + 4);
    for (int i = 0; i < 64; i++)
        assert_int_equal(ngff_load_u16le(buf.data + 2 * i), 1 + i / 4);
    ngff_buf_reset(&buf);
    free(order);
    ngff_zarr_array_close(&a);
    ngff_store_drop(&store);
}

/* Every n-th store call fails: puts report it, finish too, nothing leaks or hangs. */
static void failing_store(void **state) {
    (void)state;
    uint64_t seed = 5;
    bool complete = false;
    for (uint64_t at = 1; !complete; at += 1 + at / 4) {
        uint64_t pixel_seed = 4, calls = 0;
        ngff_store *memory = NULL, *store = NULL;
        ngff_view all;
        ngff_status finish;
        assert_int_equal(ngff_store_open_memory(NULL, &memory, NULL), NGFF_OK);
        assert_int_equal(ngff_store_open_fault(NULL, memory, at, &calls, &store, NULL),
                         0);
        ngff_zarr_array *a = make_array(NULL, store, "image", &SPEC);
        void *data = make_pixels(a, &pixel_seed, &all);
        int64_t *order = shuffled(chunk_count(a), &seed);
        int failed = write_all(a, store, &all, order, at % 2 ? 1 : 3, &finish);
        complete = calls < at;
        assert_int_equal(finish, complete ? NGFF_OK : NGFF_IO);
        assert_true(complete ? failed == 0 : failed > 0);
        free(order);
        free(data);
        ngff_zarr_array_close(&a);
        ngff_store_drop(&store);
        ngff_store_drop(&memory);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_same_bytes),
        cmocka_unit_test(rank_is_morton),
        cmocka_unit_test(failing_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
