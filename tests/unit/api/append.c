/* Frames appended: what ngff_write makes of the whole, byte for byte; live readers; what
 * is refused. */
#include "regions.h"

typedef struct append_case {
    region_case r;
    ngff_multiscales *open; /* planned without the extent */
} append_case;

/* DEPTH frames, levels 1/2 and 1/4, along z too when `z` is not 1. */
static void setup(append_case *c, const region_layout *layout, int64_t z, int threads) {
    const int64_t factors[2][NGFF_MAX_NDIM] = {{z, 2, 2}, {z * z, 4, 4}};
    ngff_context_opts opts = NGFF_CONTEXT_OPTS_INIT;
    ngff_image_desc desc = NGFF_IMAGE_DESC_INIT;
    ngff_plan_opts plan = NGFF_PLAN_OPTS_INIT;
    region_case_init(&c->r, layout, 0);
    ngff_multiscales_close(&c->r.levels);
    ngff_context_close(&c->r.context);
    opts.threads = threads;
    OK(ngff_context_create(&opts, &c->r.context, &region_error));
    desc.dtype = NGFF_UINT16;
    desc.ndim = 3;
    memcpy(desc.shape, c->r.view.shape, sizeof desc.shape);
    plan.method = layout->method;
    plan.scale_factor_count = 2;
    plan.scale_factors = factors;
    memcpy(plan.chunks, layout->chunk, sizeof layout->chunk);
    memcpy(plan.chunks_per_shard, layout->per_shard, sizeof layout->per_shard);
    OK(ngff_multiscales_plan(c->r.context, &desc, &plan, &c->r.levels, &region_error));
    desc.shape[0] = 0;
    OK(ngff_multiscales_plan(c->r.context, &desc, &plan, &c->open, &region_error));
}

static void reset(append_case *c) {
    ngff_multiscales_close(&c->open);
    region_case_reset(&c->r);
}

static ngff_writer *open_writer(append_case *c, ngff_store *store,
                                const ngff_multiscales *planned,
                                const ngff_write_opts *write, bool live) {
    ngff_writer_opts opts = NGFF_WRITER_OPTS_INIT;
    ngff_writer *w = NULL;
    opts.write = write;
    opts.append = 1;
    opts.live = live;
    OK(ngff_writer_open(c->r.context, store, planned, &opts, &w, &region_error));
    return w;
}

static void append(append_case *c, ngff_writer *w, int64_t first, int64_t count) {
    const int64_t at[3] = {first, 0, 0}, shape[3] = {count, HEIGHT, WIDTH};
    ngff_view frames;
    ngff_view_sub(&c->r.view, at, shape, &frames);
    OK(ngff_writer_append(w, &frames, &region_error));
}

/* In portions of 1, 2, 3, … */
static void append_all(append_case *c, ngff_writer *w) {
    for (int64_t at = 0, count = 1; at < DEPTH; at += count, count++) {
        if (count > DEPTH - at)
            count = DEPTH - at;
        append(c, w, at, count);
    }
}

/* ---- equal to the whole ---- */

static void check_same(const region_layout *layout, int64_t z, int threads, bool open_end,
                       bool live) {
    append_case c;
    ngff_write_opts write = NGFF_WRITE_OPTS_INIT;
    ngff_write_report report = {.struct_size = sizeof report};
    setup(&c, layout, z, threads);
    write.omero_windows = !live;
    ngff_store *want = region_store(&c.r, "memory://", NGFF_ACCESS_WRITE);
    ngff_store *got = region_store(&c.r, "memory://", NGFF_ACCESS_WRITE);
    region_write_all(&c.r, want, &write);
    ngff_writer *w = open_writer(&c, got, open_end ? c.open : c.r.levels, &write, live);
    append_all(&c, w);
    OK(ngff_writer_finish(w, &report, &region_error));
    assert_true(region_expect_same(want, got) > 10);
    assert_int_equal(report.source_bytes, 2 * DEPTH * HEIGHT * WIDTH);
    assert_true(report.encoded_bytes > 0 && report.files > 10);
    assert_true(report.peak <= report.budget);
    ngff_writer_close(&w);
    ngff_store_close(&want);
    ngff_store_close(&got);
    reset(&c);
}

static const region_layout layouts[] = {{{4, 16, 16}, {0, 0, 0}, "gaussian"},
                                        {{1, 32, 32}, {0, 0, 0}, "bin_shrink"},
                                        {{2, 8, 16}, {2, 3, 2}, "mode"}};

static void same_as_the_whole(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++)
        for (int threads = 1; threads < 4; threads++) {
            check_same(&layouts[i], 1, threads, true, false);
            check_same(&layouts[i], 1, threads, false, true);
        }
}

/* Coarser along z: level 0 as it comes, the others at the end. */
static void same_when_reduced(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++)
        for (int threads = 1; threads < 3; threads++)
            check_same(&layouts[i], 2, threads, false, false);
}

/* ---- extents that come out ---- */

static void expect_levels(append_case *c, ngff_store *store, int levels,
                          const int64_t *depth) {
    ngff_multiscales *ms = NULL;
    ngff_level_info info = NGFF_LEVEL_INFO_INIT;
    OK(ngff_open(c->r.context, store, &ms, &region_error));
    assert_int_equal(ngff_multiscales_level_count(ms), levels);
    for (int n = 0; n < levels; n++) {
        OK(ngff_multiscales_level(ms, n, &info, &region_error));
        assert_int_equal(info.shape[0], depth[n]);
    }
    ngff_multiscales_close(&ms);
}

static void check_extent(int64_t z, int64_t frames, int levels, const int64_t *depth) {
    append_case c;
    setup(&c, &layouts[0], z, 2);
    ngff_store *store = region_store(&c.r, "memory://", NGFF_ACCESS_WRITE);
    ngff_writer *w = open_writer(&c, store, c.open, NULL, false);
    append(&c, w, 0, frames);
    OK(ngff_writer_finish(w, NULL, &region_error));
    expect_levels(&c, store, levels, depth);
    ngff_writer_close(&w);
    ngff_store_close(&store);
    reset(&c);
}

static void few_frames(void **state) {
    (void)state;
    check_extent(1, 1, 3, (const int64_t[]){1, 1, 1});
    check_extent(1, 7, 3, (const int64_t[]){7, 7, 7});
    check_extent(2, 9, 3, (const int64_t[]){9, 4, 2});
    check_extent(2, 3, 2, (const int64_t[]){3, 1}); /* a quarter of 3 is nothing */
    check_extent(2, 1, 1, (const int64_t[]){1});
}

/* ---- live ---- */

static void expect_frames(append_case *c, const char *path, int64_t frames) {
    ngff_store *store = region_store(&c->r, path, NGFF_ACCESS_READ);
    ngff_multiscales *ms = NULL;
    const ngff_box all = region_box(0, 0, 0, frames, HEIGHT, WIDTH);
    uint16_t *got = malloc(sizeof *got * DEPTH * HEIGHT * WIDTH);
    ngff_view out;
    ngff_view_init(&out, got, NGFF_UINT16, 3, all.shape);
    expect_levels(c, store, 3, (const int64_t[]){frames, frames, frames});
    OK(ngff_open(c->r.context, store, &ms, &region_error));
    OK(ngff_read_region(ms, 0, &all, &out, &region_error));
    assert_memory_equal(got, c->r.pixels, (size_t)frames * HEIGHT * WIDTH * 2);
    free(got);
    ngff_multiscales_close(&ms);
    ngff_store_close(&store);
}

static void live(void **state) {
    const char *path = tempdir_at("live.ome.zarr");
    (void)state;
    for (int threads = 1; threads < 3; threads++) {
        append_case c;
        ngff_store_opts opts = NGFF_STORE_OPTS_INIT;
        ngff_store *store = NULL, *none = NULL;
        setup(&c, &layouts[0], 1, threads);
        opts.access = NGFF_ACCESS_WRITE;
        opts.overwrite = 1;
        OK(ngff_store_open(c.r.context, path, &opts, &store, &region_error));
        ngff_writer *w = open_writer(&c, store, c.open, NULL, true);
        append(&c, w, 0, 6);
        OK(ngff_writer_flush(w, &region_error));
        expect_frames(&c, path, 4); /* whole chunks */
        append(&c, w, 6, 6);
        OK(ngff_writer_flush(w, &region_error));
        expect_frames(&c, path, 12);
        assert_int_equal(ngff_store_open(c.r.context, path, &opts, &none, NULL),
                         NGFF_EXISTS);
        append(&c, w, 12, 1);
        OK(ngff_writer_finish(w, NULL, &region_error));
        expect_frames(&c, path, 13);
        ngff_writer_close(&w);
        ngff_store_close(&store);
        reset(&c);
    }
}

/* A live writer that is closed leaves what was seen; any other leaves nothing. */
static void closed_early(void **state) {
    const char *path = tempdir_at("early.ome.zarr");
    (void)state;
    for (int seen = 0; seen < 2; seen++) {
        append_case c;
        ngff_store *store = NULL;
        setup(&c, &layouts[0], 1, 2);
        store = region_store(&c.r, path, NGFF_ACCESS_WRITE);
        ngff_writer *w = open_writer(&c, store, c.open, NULL, seen);
        append(&c, w, 0, 10);
        OK(ngff_writer_flush(w, &region_error));
        append(&c, w, 10, 1);
        ngff_writer_close(&w);
        ngff_store_close(&store);
        if (seen) {
            expect_frames(&c, path, 8);
        } else {
            ngff_store_opts opts = NGFF_STORE_OPTS_INIT;
            assert_int_equal(
                ngff_store_open(c.r.context, path, &opts, &store, &region_error),
                NGFF_NOT_FOUND);
        }
        reset(&c);
    }
}

/* ---- refusals ---- */

static void expect_refusal(append_case *c, const char *location, ngff_writer_opts *opts,
                           const ngff_multiscales *planned, ngff_status want,
                           const char *text) {
    ngff_store *store = region_store(&c->r, location, NGFF_ACCESS_WRITE);
    ngff_writer *w = NULL;
    assert_int_equal(
        ngff_writer_open(c->r.context, store, planned, opts, &w, &region_error), want);
    assert_null(w);
    if (strstr(region_error.message, text) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", region_error.message, text);
    ngff_store_close(&store);
}

static void refusals(void **state) {
    append_case c, z;
    (void)state;
    setup(&c, &layouts[2], 1, 2);
    setup(&z, &layouts[0], 2, 2);
    ngff_writer_opts opts = NGFF_WRITER_OPTS_INIT;
    expect_refusal(&c, "memory://", &opts, c.open, NGFF_INVALID, "size 0");
    opts.live = 1;
    expect_refusal(&c, "memory://", &opts, c.r.levels, NGFF_INVALID, "for append");
    opts.append = 1;
    expect_refusal(&z, "memory://", &opts, z.open, NGFF_UNSUPPORTED, "live");
    expect_refusal(&c, tempdir_at("out.ozx"), &opts, c.open, NGFF_UNSUPPORTED, "whole");
    opts.live = 0;
    expect_refusal(&c, tempdir_at("out.ozx"), &opts, c.open, NGFF_UNSUPPORTED, "archive");
    opts.start_level = 2;
    expect_refusal(&c, "memory://", &opts, c.open, NGFF_INVALID, "start_level");
    reset(&z);
    reset(&c);
}

static void wrong_calls(void **state) {
    (void)state;
    append_case c;
    ngff_box box = region_box(0, 0, 0, 1, 1, 1);
    setup(&c, &layouts[0], 1, 2);
    ngff_store *store = region_store(&c.r, "memory://", NGFF_ACCESS_WRITE);
    ngff_writer *w = open_writer(&c, store, c.open, NULL, false);
    assert_int_equal(region_put(&c.r, w, &box), NGFF_INVALID);
    assert_int_equal(ngff_writer_append(w, NULL, &region_error), NGFF_INVALID);
    assert_int_equal(ngff_writer_append(NULL, &c.r.view, &region_error), NGFF_INVALID);
    assert_int_equal(ngff_writer_finish(w, NULL, &region_error), NGFF_INVALID);
    assert_string_equal(region_error.message, "no frame was appended");
    assert_int_equal(ngff_writer_flush(w, &region_error), NGFF_INVALID);
    ngff_writer_close(&w);
    ngff_store_close(&store);

    store = region_store(&c.r, "memory://", NGFF_ACCESS_WRITE);
    OK(ngff_writer_open(c.r.context, store, c.r.levels, NULL, &w, &region_error));
    assert_int_equal(ngff_writer_append(w, &c.r.view, &region_error), NGFF_INVALID);
    assert_int_equal(ngff_writer_flush(w, &region_error), NGFF_INVALID);
    ngff_writer_close(&w);
    ngff_store_close(&store);
    reset(&c);
}

/* An extent that is not known is no extent to write by other means. */
static void open_extent(void **state) {
    (void)state;
    append_case c;
    ngff_source *source = NULL;
    ngff_level_info info = NGFF_LEVEL_INFO_INIT;
    ngff_image_desc desc = NGFF_IMAGE_DESC_INIT;
    setup(&c, &layouts[0], 1, 1);
    OK(ngff_multiscales_level(c.open, 1, &info, &region_error));
    assert_int_equal(info.shape[0], 0);
    assert_int_equal(info.shape[1], HEIGHT / 2);
    assert_int_equal(info.chunks[0], 4);
    ngff_store *store = region_store(&c.r, "memory://", NGFF_ACCESS_WRITE);
    OK(ngff_source_from_array(c.r.context, &c.r.view, NULL, NULL, NULL, &source,
                              &region_error));
    assert_int_equal(
        ngff_write(c.r.context, store, c.open, source, NULL, NULL, &region_error),
        NGFF_INVALID);
    assert_int_equal(ngff_write_metadata(c.r.context, store, c.open, NULL, &region_error),
                     NGFF_INVALID);
    ngff_source_close(&source);
    ngff_store_close(&store);
    reset(&c);

    /* Automatic levels leave the open axis alone. */
    ngff_multiscales *ms = NULL;
    region_case_init(&c.r, &region_plain, 0);
    desc.dtype = NGFF_UINT16;
    desc.ndim = 3;
    desc.shape[1] = desc.shape[2] = 1024;
    OK(ngff_multiscales_plan(c.r.context, &desc, NULL, &ms, &region_error));
    assert_true(ngff_multiscales_level_count(ms) > 1);
    OK(ngff_multiscales_level(ms, 1, &info, &region_error));
    assert_true(info.scale[0] == 1 && info.scale[1] == 2);
    assert_int_equal(info.chunks[0], 1);
    ngff_multiscales_close(&ms);
    region_case_reset(&c.r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_the_whole),
        cmocka_unit_test(same_when_reduced),
        cmocka_unit_test(few_frames),
        cmocka_unit_test_setup_teardown(live, tempdir_setup, tempdir_teardown),
        cmocka_unit_test_setup_teardown(closed_early, tempdir_setup, tempdir_teardown),
        cmocka_unit_test_setup_teardown(refusals, tempdir_setup, tempdir_teardown),
        cmocka_unit_test(wrong_calls),
        cmocka_unit_test(open_extent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
