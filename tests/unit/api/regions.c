/* Writing by regions: whatever the boxes and their order, the store is the one that
 * ngff_write makes. */
#include "regions.h"

#include "support/random.h"

#include <stdatomic.h>

static void shuffle(uint64_t *r, ngff_box *boxes, int count) {
    for (int i = count - 1; i > 0; i--) {
        int k = (int)random_range(r, 0, i);
        ngff_box keep = boxes[i];
        boxes[i] = boxes[k];
        boxes[k] = keep;
    }
}

/* Boxes of `step` that tile the image, in any order. */
static void put_tiles(region_case *c, ngff_writer *w, const int64_t *step,
                      uint64_t seed) {
    static ngff_box boxes[DEPTH * HEIGHT];
    int count = 0;
    for (int64_t z = 0; z < DEPTH; z += step[0])
        for (int64_t y = 0; y < HEIGHT; y += step[1])
            for (int64_t x = 0; x < WIDTH; x += step[2])
                boxes[count++] = region_box(z, y, x, ngff_min_i64(step[0], DEPTH - z),
                                            ngff_min_i64(step[1], HEIGHT - y),
                                            ngff_min_i64(step[2], WIDTH - x));
    shuffle(&seed, boxes, count);
    for (int i = 0; i < count; i++)
        OK(region_put(c, w, &boxes[i]));
}

static void check_tiles(const region_layout *layout, const ngff_write_opts *opts,
                        const int64_t *step) {
    region_case c = {0};
    ngff_writer *w = NULL;
    ngff_writer_opts writer = NGFF_WRITER_OPTS_INIT;
    region_case_init(&c, layout, 0);
    ngff_store *a = region_store(&c, "memory://", NGFF_ACCESS_WRITE);
    ngff_store *b = region_store(&c, "memory://", NGFF_ACCESS_WRITE);
    region_write_all(&c, a, opts);
    writer.write = opts;
    OK(ngff_writer_open(c.context, b, c.levels, &writer, &w, &region_error));
    put_tiles(&c, w, step, (uint64_t)step[0] * 7 + (uint64_t)step[2]);
    OK(ngff_writer_finish(w, NULL, &region_error));
    ngff_writer_close(&w);
    assert_true(region_expect_same(a, b) > 20);
    ngff_store_close(&a);
    ngff_store_close(&b);
    region_case_reset(&c);
}

static void every_tiling_gives_the_same_store(void **state) {
    static const int64_t steps[][3] = {{8, 16, 16},  {4, 8, 16},  {1, 50, 70},
                                       {20, 50, 70}, {20, 7, 70}, {3, 11, 13},
                                       {16, 48, 64}};
    ngff_write_opts v04 = NGFF_WRITE_OPTS_INIT;
    (void)state;
    v04.version = "0.4";
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        check_tiles(&region_plain, NULL, steps[i]);
        check_tiles(&region_sharded, NULL, steps[i]);
        check_tiles(&region_plain, &v04, steps[i]);
    }
}

/* A budget of nearly nothing: what waits is in the file, or is refused. */
static void check_waiting(const region_layout *layout, const int64_t *step) {
    region_case c = {0};
    ngff_writer *w = NULL;
    ngff_writer_opts opts = NGFF_WRITER_OPTS_INIT;
    ngff_write_opts write = NGFF_WRITE_OPTS_INIT;
    ngff_write_report report = {.struct_size = sizeof report};
    const ngff_box row = region_box(3, 3, 0, 1, 1, 70);
    region_case_init(&c, layout, 3000);
    ngff_store *store = region_store(&c, "memory://", NGFF_ACCESS_WRITE);
    opts.start_level = 9;
    OK(ngff_writer_open(c.context, store, c.levels, &opts, &w, &region_error));
    put_tiles(&c, w, step, 11);
    OK(ngff_writer_finish(w, &report, &region_error));
    assert_true(report.spill_bytes > 20000);
    ngff_writer_close(&w);
    region_expect_pixels(&c, store, c.pixels);
    ngff_store_close(&store);
    store = region_store(&c, "memory://", NGFF_ACCESS_WRITE);
    write.no_spill = 1;
    opts.write = &write;
    OK(ngff_writer_open(c.context, store, c.levels, &opts, &w, &region_error));
    assert_int_equal(region_put(&c, w, &row), NGFF_LIMIT);
    ngff_writer_close(&w);
    ngff_store_close(&store);
    region_case_reset(&c);
}

static void gathered_chunks_may_wait_in_a_file(void **state) {
    static const int64_t rows[] = {20, 1, 70}, odd[] = {3, 11, 13};
    (void)state;
    check_waiting(&region_sharded, rows);
    check_waiting(&region_plain, rows);
    check_waiting(&region_plain, odd);
}

static void every_method_computes_from_what_is_stored(void **state) {
    static const char *const methods[] = {"nearest", "bin_shrink", "mode", "median"};
    static const int64_t step[] = {5, 50, 35};
    (void)state;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        region_layout layout = region_sharded;
        layout.method = methods[i];
        check_tiles(&layout, NULL, step);
    }
}

/* ---- threads ---- */

typedef struct sharing {
    region_case *c;
    ngff_writer *w;
    atomic_int next, failed;
} sharing;

/* Columns of one pixel: every chunk is everybody's. */
static void put_columns(void *user) {
    sharing *s = user;
    ngff_error err = {0};
    for (int x = atomic_fetch_add(&s->next, 1); x < WIDTH;
         x = atomic_fetch_add(&s->next, 1)) {
        const ngff_box box = region_box(0, 0, x, DEPTH, HEIGHT, 1);
        ngff_view part;
        ngff_view_sub(&s->c->view, box.start, box.shape, &part);
        if (ngff_writer_write_region(s->w, 0, &box, &part, &err) != NGFF_OK)
            atomic_store(&s->failed, 1);
    }
}

static void threads_share_chunks(void **state) {
    enum { THREADS = 8 };
    (void)state;
    for (int i = 0; i < 2; i++) {
        region_case c = {0};
        ngff_thread *thread[THREADS];
        region_case_init(&c, i == 0 ? &region_plain : &region_sharded, 0);
        ngff_store *a = region_store(&c, "memory://", NGFF_ACCESS_WRITE);
        ngff_store *b = region_store(&c, "memory://", NGFF_ACCESS_WRITE);
        region_write_all(&c, a, NULL);
        sharing s = {.c = &c};
        OK(ngff_writer_open(c.context, b, c.levels, NULL, &s.w, &region_error));
        for (int k = 0; k < THREADS; k++)
            OK(ngff_thread_start(NULL, put_columns, &s, &thread[k], &region_error));
        for (int k = 0; k < THREADS; k++)
            ngff_thread_join(&thread[k]);
        assert_int_equal(atomic_load(&s.failed), 0);
        OK(ngff_writer_finish(s.w, NULL, &region_error));
        ngff_writer_close(&s.w);
        region_expect_same(a, b);
        ngff_store_close(&a);
        ngff_store_close(&b);
        region_case_reset(&c);
    }
}

/* Levels below start_level as given, the others out of them. */
static void check_start_level(const char *method, int start) {
    region_case c = {0};
    region_layout layout = region_sharded;
    ngff_writer *w = NULL;
    ngff_multiscales *ms = NULL;
    ngff_writer_opts opts = NGFF_WRITER_OPTS_INIT;
    layout.method = method;
    region_case_init(&c, &layout, 0);
    ngff_store *a = region_store(&c, "memory://", NGFF_ACCESS_WRITE);
    ngff_store *b = region_store(&c, "memory://", NGFF_ACCESS_WRITE);
    region_write_all(&c, a, NULL);
    OK(ngff_open(c.context, a, &ms, &region_error));
    opts.start_level = start;
    OK(ngff_writer_open(c.context, b, c.levels, &opts, &w, &region_error));
    for (int n = 0; n < start && n < 4; n++) {
        ngff_level_info info;
        ngff_box all = {.ndim = 3};
        ngff_view view;
        OK(ngff_multiscales_level(c.levels, n, &info, &region_error));
        memcpy(all.shape, info.shape, sizeof all.shape);
        uint16_t *pixels = malloc(sizeof *pixels * DEPTH * HEIGHT * WIDTH);
        assert_non_null(pixels);
        ngff_view_init(&view, pixels, NGFF_UINT16, 3, all.shape);
        OK(ngff_read_region(ms, n, &all, &view, &region_error));
        OK(ngff_writer_write_region(w, n, &all, &view, &region_error));
        free(pixels);
    }
    if (start < 4) {
        const ngff_box one = region_box(0, 0, 0, 1, 1, 1);
        ngff_view view;
        ngff_view_sub(&c.view, one.start, one.shape, &view);
        assert_int_equal(ngff_writer_write_region(w, start, &one, &view, &region_error),
                         NGFF_NOT_FOUND);
    }
    OK(ngff_writer_finish(w, NULL, &region_error));
    ngff_writer_close(&w);
    ngff_multiscales_close(&ms);
    region_expect_same(a, b);
    ngff_store_close(&a);
    ngff_store_close(&b);
    region_case_reset(&c);
}

static void levels_may_be_given(void **state) {
    (void)state;
    for (int start = 1; start <= 5; start++) {
        check_start_level("gaussian", start);
        check_start_level("nearest", start);
    }
}

/* ---- gaps, overlaps, refusals ---- */

static void what_is_not_given_is_zero(void **state) {
    region_case c = {0};
    ngff_writer *w = NULL;
    (void)state;
    for (int i = 0; i < 2; i++) {
        region_case_init(&c, i == 0 ? &region_plain : &region_sharded, 0);
        ngff_store *store = region_store(&c, "memory://", NGFF_ACCESS_WRITE);
        const ngff_box some[] = {region_box(3, 5, 7, 9, 20, 30),
                                 region_box(0, 32, 48, 8, 16, 16),
                                 region_box(19, 49, 69, 1, 1, 1)};
        OK(ngff_writer_open(c.context, store, c.levels, NULL, &w, &region_error));
        for (size_t k = 0; k < 3; k++)
            OK(region_put(&c, w, &some[k]));
        OK(ngff_writer_finish(w, NULL, &region_error));
        ngff_writer_close(&w);
        for (int64_t z = 0; z < DEPTH; z++)
            for (int64_t y = 0; y < HEIGHT; y++)
                for (int64_t x = 0; x < WIDTH; x++) {
                    const ngff_box here = region_box(z, y, x, 1, 1, 1);
                    if (!ngff_box_contains(&some[0], &here) &&
                        !ngff_box_contains(&some[1], &here) &&
                        !ngff_box_contains(&some[2], &here))
                        c.pixels[(z * HEIGHT + y) * WIDTH + x] = 0;
                }
        region_expect_pixels(&c, store, c.pixels);
        ngff_store_close(&store);
        region_case_reset(&c);
    }
}

static void empty_chunks_are_stored_when_asked_for(void **state) {
    region_case c = {0};
    ngff_writer *w = NULL;
    ngff_write_opts all = NGFF_WRITE_OPTS_INIT;
    ngff_writer_opts opts = NGFF_WRITER_OPTS_INIT;
    (void)state;
    all.write_empty_chunks = 1;
    opts.write = &all;
    region_case_init(&c, &region_sharded, 0);
    memset(c.pixels, 0, sizeof *c.pixels * DEPTH * HEIGHT * WIDTH);
    ngff_store *a = region_store(&c, "memory://", NGFF_ACCESS_WRITE);
    ngff_store *b = region_store(&c, "memory://", NGFF_ACCESS_WRITE);
    region_write_all(&c, a, &all);
    OK(ngff_writer_open(c.context, b, c.levels, &opts, &w, &region_error));
    OK(ngff_writer_finish(w, NULL, &region_error));
    ngff_writer_close(&w);
    region_expect_same(a, b);
    ngff_store_close(&a);
    ngff_store_close(&b);
    region_case_reset(&c);
}

/* While a chunk is gathered the later call wins; when it is complete it stays. */
static void the_later_call_wins_until_the_chunk_is_complete(void **state) {
    region_case c = {0};
    ngff_writer *w = NULL;
    uint16_t ones[8 * 16 * 16];
    const ngff_box part = region_box(0, 0, 0, 8, 16, 9),
                   rest = region_box(0, 0, 5, 8, 16, 11),
                   chunk = region_box(0, 0, 0, 8, 16, 16),
                   over = region_box(7, 15, 15, 2, 2, 2);
    ngff_view view;
    (void)state;
    for (size_t i = 0; i < sizeof ones / sizeof ones[0]; i++)
        ones[i] = 1;
    region_case_init(&c, &region_plain, 0);
    ngff_store *store = region_store(&c, "memory://", NGFF_ACCESS_WRITE);
    OK(ngff_writer_open(c.context, store, c.levels, NULL, &w, &region_error));
    ngff_view_init(&view, ones, NGFF_UINT16, 3, part.shape);
    OK(ngff_writer_write_region(w, 0, &part, &view, &region_error));
    OK(region_put(&c, w, &part));
    OK(region_put(&c, w, &rest));
    assert_int_equal(region_put(&c, w, &chunk), NGFF_EXISTS);
    assert_non_null(strstr(region_error.message, "scale0/image: the chunk at [0:8"));
    assert_int_equal(region_put(&c, w, &over), NGFF_EXISTS);
    const ngff_box others[] = {region_box(8, 0, 0, 12, 50, 70),
                               region_box(0, 16, 0, 8, 34, 70),
                               region_box(0, 0, 16, 8, 16, 54)};
    for (size_t i = 0; i < 3; i++) /* nothing of the refused box has arrived */
        OK(region_put(&c, w, &others[i]));
    OK(ngff_writer_finish(w, NULL, &region_error));
    ngff_writer_close(&w);
    region_expect_pixels(&c, store, c.pixels);
    ngff_store_close(&store);
    region_case_reset(&c);
}

static void expect(ngff_status got, ngff_status want, const char *words, int line) {
    if (got != want || strstr(region_error.message, words) == NULL)
        fail_msg("line %d: %s: %s", line, ngff_status_text(got), region_error.message);
}
#define EXPECT(call, status, words) expect(call, status, words, __LINE__)

static void mistakes_are_refused(void **state) {
    region_case c = {0};
    ngff_writer *w = NULL;
    ngff_writer_opts opts = NGFF_WRITER_OPTS_INIT;
    ngff_write_opts write = NGFF_WRITE_OPTS_INIT;
    ngff_box box = region_box(0, 0, 0, 4, 4, 4);
    ngff_view view;
    (void)state;
    region_case_init(&c, &region_plain, 0);
    ngff_store *store = region_store(&c, "memory://", NGFF_ACCESS_WRITE);
    opts.start_level = -1;
    EXPECT(ngff_writer_open(c.context, store, c.levels, &opts, &w, &region_error),
           NGFF_INVALID, "start_level is -1");
    assert_null(w);
    opts.start_level = 0;
    opts.write = &write;
    write.keep_levels = 1;
    EXPECT(ngff_writer_open(c.context, store, c.levels, &opts, &w, &region_error),
           NGFF_INVALID, "keep_levels");
    write.keep_levels = 0;
    write.omero_windows = 1;
    opts.start_level = 9;
    EXPECT(ngff_writer_open(c.context, store, c.levels, &opts, &w, &region_error),
           NGFF_INVALID, "omero_windows");
    EXPECT(ngff_writer_join(c.context, store, NULL, &w, &region_error), NGFF_NOT_FOUND,
           "");
    OK(ngff_writer_open(c.context, store, c.levels, NULL, &w, &region_error));
    ngff_view_sub(&c.view, box.start, box.shape, &view);
    EXPECT(ngff_writer_write_region(w, 1, &box, &view, &region_error), NGFF_NOT_FOUND,
           "level 1");
    EXPECT(ngff_writer_write_region(w, -1, &box, &view, &region_error), NGFF_NOT_FOUND,
           "level -1");
    view.dtype = NGFF_INT16;
    EXPECT(ngff_writer_write_region(w, 0, &box, &view, &region_error), NGFF_INVALID,
           "type");
    view.dtype = NGFF_UINT16;
    box.start[2] = WIDTH - 3;
    EXPECT(ngff_writer_write_region(w, 0, &box, &view, &region_error), NGFF_INVALID,
           "not inside");
    EXPECT(ngff_writer_write_region(w, 0, &box, NULL, &region_error), NGFF_INVALID,
           "NULL");
    OK(ngff_writer_finish(w, NULL, &region_error));
    box.start[2] = 0;
    EXPECT(region_put(&c, w, &box), NGFF_INVALID, "finished");
    EXPECT(ngff_writer_finish(w, NULL, &region_error), NGFF_INVALID, "finished");
    ngff_writer_close(&w);
    ngff_store_close(&store);
    region_case_reset(&c);
}

/* ---- windows, report, archives ---- */

static void display_windows_are_measured_at_the_end(void **state) {
    static const int64_t step[] = {7, 50, 70};
    ngff_write_opts opts = NGFF_WRITE_OPTS_INIT;
    (void)state;
    opts.omero_windows = 1;
    check_tiles(&region_plain, &opts, step);
}

static void archives_are_the_same_too(void **state) {
    static const int64_t step[] = {6, 17, 70};
    region_case c = {0};
    ngff_writer *w = NULL;
    (void)state;
    region_case_init(&c, &region_sharded, 0);
    ngff_store *a = region_store(&c, tempdir_at("a.ozx"), NGFF_ACCESS_WRITE);
    ngff_store *b = region_store(&c, tempdir_at("b.ozx"), NGFF_ACCESS_WRITE);
    region_write_all(&c, a, NULL);
    OK(ngff_writer_open(c.context, b, c.levels, NULL, &w, &region_error));
    put_tiles(&c, w, step, 5);
    OK(ngff_writer_finish(w, NULL, &region_error));
    ngff_writer_close(&w);
    ngff_store_close(&a);
    ngff_store_close(&b);
    a = region_store(&c, tempdir_at("a.ozx"), NGFF_ACCESS_READ);
    b = region_store(&c, tempdir_at("b.ozx"), NGFF_ACCESS_READ);
    region_expect_same(a, b);
    EXPECT(ngff_writer_join(c.context, b, NULL, &w, &region_error), NGFF_UNSUPPORTED,
           "in one pass");
    ngff_store_close(&a);
    ngff_store_close(&b);
    region_case_reset(&c);
}

/* Documents in one directory, chunks in another: level 0 is read back from both. */
static void two_stores_are_one_too(void **state) {
    static const int64_t step[] = {6, 17, 70};
    region_case c = {0};
    ngff_writer *w = NULL;
    ngff_store *pair = NULL;
    (void)state;
    region_case_init(&c, &region_sharded, 0);
    ngff_store *want = region_store(&c, "memory://", NGFF_ACCESS_WRITE);
    region_write_all(&c, want, NULL);
    ngff_store *a = region_store(&c, tempdir_at("meta.zarr"), NGFF_ACCESS_WRITE);
    ngff_store *b = region_store(&c, tempdir_at("chunks"), NGFF_ACCESS_WRITE_CHUNKS);
    OK(ngff_store_pair(c.context, a, b, &pair, &region_error));
    OK(ngff_writer_open(c.context, pair, c.levels, NULL, &w, &region_error));
    put_tiles(&c, w, step, 5);
    OK(ngff_writer_finish(w, NULL, &region_error));
    ngff_writer_close(&w);
    ngff_store_close(&pair);
    ngff_store_close(&a);
    ngff_store_close(&b);
    a = region_store(&c, tempdir_at("meta.zarr"), NGFF_ACCESS_READ);
    b = region_store(&c, tempdir_at("chunks"), NGFF_ACCESS_READ);
    OK(ngff_store_pair(c.context, a, b, &pair, &region_error));
    region_expect_same(want, pair);
    ngff_store_close(&pair);
    ngff_store_close(&a);
    ngff_store_close(&b);
    ngff_store_close(&want);
    region_case_reset(&c);
}

static void what_is_not_finished_is_not_published(void **state) {
    region_case c = {0};
    ngff_writer *w = NULL;
    const ngff_box box = region_box(0, 0, 0, 8, 50, 70);
    (void)state;
    region_case_init(&c, &region_sharded, 0);
    ngff_store *store = region_store(&c, tempdir_at("out.zarr"), NGFF_ACCESS_WRITE);
    OK(ngff_writer_open(c.context, store, c.levels, NULL, &w, &region_error));
    OK(region_put(&c, w, &box));
    ngff_writer_close(&w);
    ngff_store_close(&store);
    assert_int_equal(tempdir_kind("out.zarr"), NGFF_PATH_NONE);
    region_case_reset(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tiling_gives_the_same_store),
        cmocka_unit_test(gathered_chunks_may_wait_in_a_file),
        cmocka_unit_test(every_method_computes_from_what_is_stored),
        cmocka_unit_test(threads_share_chunks),
        cmocka_unit_test(levels_may_be_given),
        cmocka_unit_test(what_is_not_given_is_zero),
        cmocka_unit_test(empty_chunks_are_stored_when_asked_for),
        cmocka_unit_test(the_later_call_wins_until_the_chunk_is_complete),
        cmocka_unit_test(mistakes_are_refused),
        cmocka_unit_test(display_windows_are_measured_at_the_end),
        TEMPDIR_TEST(archives_are_the_same_too),
        TEMPDIR_TEST(two_stores_are_one_too),
        TEMPDIR_TEST(what_is_not_finished_is_not_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
