/* Frames appended in any portions, slabs and threads: the levels of the naive twin, and
 * the bytes of one run over the whole; waiting, refusing, flushing, failing. */
#include "engine/stream.h"
#include "case.h"
#include "sys/sys.h"

/* ---- a case -------------------------------------------------------------------------
 */

static void streamed_case(uint64_t *r, test_case *c) {
    memset(c, 0, sizeof *c);
    random_request(r, &c->request);
    c->request.shape[0] = random_range(r, 1, 40);
    for (int n = 0; n < c->request.factor_count; n++)
        c->request.factors[n][0] = 1;
    test_case_from_request(c, r);
}

static void frames_of(const test_case *c, int64_t first, int64_t count, ngff_view *out) {
    int64_t at[NGFF_MAX_NDIM] = {first}, shape[NGFF_MAX_NDIM];
    memcpy(shape, c->level[0].shape, sizeof shape);
    shape[0] = count;
    ngff_view_sub(&c->level[0], at, shape, out);
}

static ngff_status open_stream(const test_case *c, ngff_image *image,
                               const ngff_stream_opts *opts, ngff_stream **out,
                               ngff_error *err) {
    return ngff_stream_open(&c->levels, c->request.method, image, opts, out, err);
}

typedef struct seen {
    int64_t frames; /* of the last report */
    int reports;
    int64_t unit;
} seen;

static ngff_status note(void *user, int64_t frames, ngff_error *err) {
    seen *s = user;
    (void)err;
    assert_true(frames > s->frames);
    s->frames = frames;
    s->reports++;
    return NGFF_OK;
}

static void append_all(const test_case *c, ngff_stream *s, uint64_t *r) {
    const int64_t total = c->levels.level[0].shape[0];
    ngff_error err = {0};
    for (int64_t at = 0; at < total;) {
        int64_t count = ngff_min_i64(random_range(r, 1, 9), total - at);
        ngff_view frames;
        frames_of(c, at, count, &frames);
        if (ngff_stream_append(s, &frames, &err) != NGFF_OK)
            fail_msg("append: %s", err.message);
        at += count;
        if (random_range(r, 0, 5) == 0)
            assert_int_equal(ngff_stream_flush(s, &err), NGFF_OK);
    }
}

/* Streams the case into memory: its levels, and the sum of all stored bytes. */
static uint32_t stream_case(const test_case *c, ngff_engine_opts *engine, bool eager,
                            uint64_t *r) {
    ngff_store *store;
    ngff_image *image;
    ngff_stream *s;
    ngff_error err = {0};
    seen at = {0};
    ngff_stream_opts opts = {
        .engine = engine, .eager = eager, .stored = note, .user = &at};
    assert_int_equal(ngff_store_open_memory(NULL, &store, &err), NGFF_OK);
    make_image(c, store, &image);
    ngff_image_set_extent(image, 1);
    if (open_stream(c, image, &opts, &s, &err) == NGFF_LIMIT) {
        while (open_stream(c, image, &opts, &s, &err) == NGFF_LIMIT)
            engine->memory = engine->memory * 9 / 8;
    }
    if (s == NULL)
        fail_msg("open: %s", err.message);
    append_all(c, s, r);
    if (ngff_stream_finish(s, &err) != NGFF_OK)
        fail_msg("finish: %s", err.message);
    assert_int_equal(at.frames, c->levels.level[0].shape[0]);
    ngff_stream_close(&s);
    assert_int_equal(image->level[0]->meta.shape[0], c->levels.level[0].shape[0]);
    check_levels(c, image);
    uint32_t sum = sum_store(store);
    ngff_image_close(&image);
    ngff_store_drop(&store);
    return sum;
}

static void compare(const test_case *c, uint64_t seed) {
    static const int threads[] = {1, 2, 5, 2};
    uint64_t r = seed;
    test_source whole;
    uint32_t want = 0;
    ngff_error err = {0};
    ngff_engine_opts plain = {.threads = 1};
    test_source_init(&whole, &c->level[0]);
    assert_int_equal(convert(c, &whole, &plain, &want, &err), NGFF_OK);
    for (int i = 0; i < 4; i++) {
        ngff_engine_stats stats = {0};
        ngff_engine_opts engine = {.threads = threads[i], .stats = &stats};
        engine.memory = i % 2 == 0 ? 4000000 : 16 << 20;
        uint32_t got = stream_case(c, &engine, i == 3 || i == 0, &r);
        if (got != want)
            fail_msg("seed %llu, variant %d: other bytes", (unsigned long long)seed, i);
        assert_true(stats.blocks > 0);
    }
}

static void check_case(uint64_t seed) {
    uint64_t r = seed;
    test_case c;
    streamed_case(&r, &c);
    compare(&c, seed);
    test_case_reset(&c);
}

/* Rows so long that the engine looks at them in their slab. */
static void test_long_rows(void **state) {
    (void)state;
    for (int method = NGFF_METHOD_GAUSSIAN; method <= NGFF_METHOD_MEDIAN; method++) {
        uint64_t r = 5;
        test_case c;
        memset(&c, 0, sizeof c);
        c.request = (ngff_levels_request){.ndim = 3,
                                          .shape = {6, 30, 1301},
                                          .dtype = NGFF_UINT16,
                                          .scale = {1, 1, 1},
                                          .axis = {'z', 'y', 'x'},
                                          .method = (ngff_method)method,
                                          .factor_count = 2,
                                          .factors = {{1, 2, 2}, {1, 4, 4}},
                                          .chunk = {2, 16, 256}};
        test_case_from_request(&c, &r);
        compare(&c, 5);
        test_case_reset(&c);
    }
}

static void test_random_streams(void **state) {
    (void)state;
    const char *count = getenv("NGFF_TEST_CASES"), *from = getenv("NGFF_TEST_SEED");
    uint64_t first = from != NULL ? strtoull(from, NULL, 10) : 1;
    uint64_t last = first + (count != NULL ? strtoull(count, NULL, 10) : 30);
    for (uint64_t seed = first; seed < last; seed++)
        check_case(seed);
}

/* ---- one fixed case ------------------------------------------------------------------
 */

/* 12 frames of 64 x 64, two levels, `per` frames a chunk. */
static void camera_case(test_case *c, int64_t per) {
    uint64_t r = 11;
    memset(c, 0, sizeof *c);
    c->request = (ngff_levels_request){.ndim = 3,
                                       .shape = {12, 64, 64},
                                       .dtype = NGFF_UINT16,
                                       .scale = {1, 1, 1},
                                       .axis = {'z', 'y', 'x'},
                                       .method = NGFF_METHOD_BIN_SHRINK,
                                       .factor_count = 1,
                                       .factors = {{1, 2, 2}},
                                       .chunk = {per, 32, 32}};
    test_case_from_request(c, &r);
}

/* A store whose writes wait for a gate, and that can break. */
typedef struct gate {
    ngff_mutex *lock;
    ngff_cond *changed;
    bool open, broken;
    int puts;
} gate;

static ngff_status gate_put(void *cookie, const char *key, const void *data,
                            uint64_t size, ngff_error *err) {
    gate *g = cookie;
    (void)key, (void)data, (void)size;
    ngff_mutex_lock(g->lock);
    while (!g->open)
        ngff_cond_wait(g->changed, g->lock);
    g->puts++;
    bool broken = g->broken;
    ngff_mutex_unlock(g->lock);
    return broken ? ngff_fail(err, NGFF_IO, "no space left on purpose") : NGFF_OK;
}

static void set_gate(gate *g, bool open, bool broken) {
    ngff_mutex_lock(g->lock);
    g->open = open;
    g->broken = broken;
    ngff_cond_broadcast(g->changed);
    ngff_mutex_unlock(g->lock);
}

typedef struct gated {
    gate gate;
    test_case c;
    ngff_store *store;
    ngff_image *image;
    ngff_stream *s;
} gated;

static void open_gated(gated *g, int64_t per, ngff_stream_opts *opts) {
    const ngff_store_ops ops = {.struct_size = sizeof ops, .put = gate_put};
    ngff_error err = {0};
    memset(g, 0, sizeof *g);
    camera_case(&g->c, per);
    assert_int_equal(ngff_mutex_create(NULL, &g->gate.lock, &err), NGFF_OK);
    assert_int_equal(ngff_cond_create(NULL, &g->gate.changed, &err), NGFF_OK);
    assert_int_equal(ngff_store_of_callbacks(NULL, &ops, &g->gate, &g->store, &err), 0);
    make_image(&g->c, g->store, &g->image);
    if (open_stream(&g->c, g->image, opts, &g->s, &err) != NGFF_OK)
        fail_msg("open: %s", err.message);
}

static void close_gated(gated *g) {
    ngff_stream_close(&g->s);
    ngff_image_close(&g->image);
    ngff_store_drop(&g->store);
    ngff_cond_close(&g->gate.changed);
    ngff_mutex_close(&g->gate.lock);
    test_case_reset(&g->c);
}

static ngff_status append_one(gated *g, int64_t at, ngff_error *err) {
    ngff_view frame;
    frames_of(&g->c, at % 12, 1, &frame);
    return ngff_stream_append(g->s, &frame, err);
}

/* While nothing can be written all slabs fill; then an append is refused, takes nothing,
 * and goes on when there is room again. */
static void test_no_wait(void **state) {
    (void)state;
    gated g;
    ngff_error err = {0};
    ngff_engine_opts engine = {.threads = 2, .memory = 6000000};
    seen at = {0};
    ngff_stream_opts opts = {
        .engine = &engine, .no_wait = true, .stored = note, .user = &at};
    open_gated(&g, 1, &opts);
    const int64_t room = (int64_t)(ngff_stream_slab_bytes(g.s) / (64 * 64 * 2));
    int64_t given = 0;
    ngff_status status;
    while ((status = append_one(&g, given, &err)) == NGFF_OK)
        given++;
    assert_int_equal(status, NGFF_LIMIT);
    assert_non_null(strstr(err.message, "would wait"));
    assert_int_equal(given, room);
    assert_int_equal(append_one(&g, given, &err), NGFF_LIMIT);
    set_gate(&g.gate, true, false);
    while ((status = append_one(&g, given, &err)) == NGFF_LIMIT)
        continue;
    assert_int_equal(status, NGFF_OK);
    given++;
    assert_int_equal(ngff_stream_finish(g.s, &err), NGFF_OK);
    assert_int_equal(at.frames, given);
    close_gated(&g);
}

/* More than all slabs hold: waiting would not help. */
static void test_too_many_at_once(void **state) {
    (void)state;
    gated g;
    ngff_error err = {0};
    ngff_engine_opts engine = {.threads = 2, .memory = 6000000};
    ngff_stream_opts opts = {.engine = &engine, .no_wait = true};
    open_gated(&g, 1, &opts);
    const int64_t room = (int64_t)(ngff_stream_slab_bytes(g.s) / (64 * 64 * 2));
    ngff_view frames;
    frames_of(&g.c, 0, 1, &frames);
    frames.shape[0] = room + 1;
    frames.strides[0] = 0; /* the same frame again and again */
    assert_int_equal(ngff_stream_append(g.s, &frames, &err), NGFF_INVALID);
    assert_int_equal(ngff_stream_finish(g.s, &err), NGFF_INVALID); /* took nothing */
    frames.shape[0] = room;
    assert_int_equal(ngff_stream_append(g.s, &frames, &err), NGFF_OK);
    set_gate(&g.gate, true, false);
    assert_int_equal(ngff_stream_finish(g.s, &err), NGFF_OK);
    close_gated(&g);
}

/* flush: whole chunks are stored when it returns, the rest later. */
static void test_flush(void **state) {
    (void)state;
    for (int threads = 1; threads < 4; threads++) {
        gated g;
        ngff_error err = {0};
        ngff_engine_opts engine = {.threads = threads};
        seen at = {0};
        ngff_stream_opts opts = {.engine = &engine, .stored = note, .user = &at};
        open_gated(&g, 4, &opts);
        set_gate(&g.gate, true, false);
        for (int64_t i = 0; i < 3; i++)
            assert_int_equal(append_one(&g, i, &err), NGFF_OK);
        assert_int_equal(ngff_stream_flush(g.s, &err), NGFF_OK);
        assert_int_equal(at.frames, 0);
        for (int64_t i = 3; i < 11; i++)
            assert_int_equal(append_one(&g, i, &err), NGFF_OK);
        assert_int_equal(ngff_stream_flush(g.s, &err), NGFF_OK);
        assert_int_equal(at.frames, 8);
        assert_int_equal(g.gate.puts,
                         2 * 4 + 2 * 1); /* two rows of chunks, both levels */
        assert_int_equal(ngff_stream_finish(g.s, &err), NGFF_OK);
        assert_int_equal(at.frames, 11);
        close_gated(&g);
    }
}

/* The thread does not wait for a slab to fill when it has nothing to do. */
static void test_eager(void **state) {
    (void)state;
    gated g;
    ngff_error err = {0};
    ngff_engine_opts engine = {.threads = 2};
    seen at = {0};
    ngff_stream_opts opts = {
        .engine = &engine, .eager = true, .stored = note, .user = &at};
    open_gated(&g, 1, &opts);
    for (int64_t i = 0; i < 12; i++)
        assert_int_equal(append_one(&g, i, &err), NGFF_OK);
    set_gate(&g.gate, true, false);
    assert_int_equal(ngff_stream_finish(g.s, &err), NGFF_OK);
    assert_int_equal(at.frames, 12);
    assert_true(at.reports >= 1);
    close_gated(&g);
}

typedef struct alone {
    gate *gate;
    int reports;
} alone;

static int puts_of(gate *g) {
    ngff_mutex_lock(g->lock);
    int puts = g->puts;
    ngff_mutex_unlock(g->lock);
    return puts;
}

/* Gives others the time to do what they should not. */
static ngff_status first_is_alone(void *user, int64_t frames, ngff_error *err) {
    alone *a = user;
    (void)frames, (void)err;
    if (a->reports++ > 0)
        return NGFF_OK;
    const int before = puts_of(a->gate);
    const uint64_t start = ngff_clock_ns();
    while (ngff_clock_ns() - start < 20000000)
        continue;
    assert_int_equal(puts_of(a->gate), before);
    return NGFF_OK;
}

/* The store may be renamed during the first report. */
static void test_first_report_is_alone(void **state) {
    (void)state;
    for (int i = 0; i < 5; i++) {
        gated g;
        alone a = {.gate = &g.gate};
        ngff_error err = {0};
        ngff_engine_opts engine = {.threads = 4};
        ngff_stream_opts opts = {
            .engine = &engine, .eager = true, .stored = first_is_alone, .user = &a};
        open_gated(&g, 1, &opts);
        set_gate(&g.gate, true, false);
        for (int64_t k = 0; k < 200; k++)
            assert_int_equal(append_one(&g, k, &err), NGFF_OK);
        assert_int_equal(ngff_stream_finish(g.s, &err), NGFF_OK);
        assert_true(a.reports > 0);
        close_gated(&g);
    }
}

/* ---- failures ------------------------------------------------------------------------
 */

/* A store that breaks: the next calls say so, nobody hangs, also with full slabs. */
static void test_broken_store(void **state) {
    (void)state;
    for (int threads = 1; threads < 4; threads++) {
        gated g;
        ngff_error err = {0};
        ngff_engine_opts engine = {.threads = threads, .memory = 12000000};
        ngff_stream_opts opts = {.engine = &engine};
        ngff_status status = NGFF_OK;
        open_gated(&g, 1, &opts);
        set_gate(&g.gate, true, true);
        for (int64_t i = 0; i < 10000 && status == NGFF_OK; i++)
            status = append_one(&g, i, &err);
        assert_int_equal(status, NGFF_IO);
        assert_non_null(strstr(err.message, "on purpose"));
        assert_int_equal(err.origin, NGFF_ORIGIN_OUTPUT);
        err = (ngff_error){0};
        assert_int_equal(ngff_stream_flush(g.s, &err), NGFF_IO);
        assert_non_null(strstr(err.message, "on purpose"));
        assert_int_equal(ngff_stream_finish(g.s, &err), NGFF_IO);
        close_gated(&g);
    }
}

static ngff_status refuse(void *user, int64_t frames, ngff_error *err) {
    (void)user;
    return ngff_fail(err, NGFF_CANCELLED, "enough after %lld", (long long)frames);
}

static void test_refused_report(void **state) {
    (void)state;
    for (int threads = 1; threads < 3; threads++) {
        gated g;
        ngff_error err = {0};
        ngff_engine_opts engine = {.threads = threads};
        ngff_stream_opts opts = {.engine = &engine, .stored = refuse};
        open_gated(&g, 1, &opts);
        set_gate(&g.gate, true, false);
        assert_int_equal(append_one(&g, 0, &err), NGFF_OK);
        assert_int_equal(ngff_stream_finish(g.s, &err), NGFF_CANCELLED);
        assert_string_equal(err.message, "enough after 1");
        close_gated(&g);
    }
}

/* Closing with slabs full and one in hand neither hangs nor writes them all. */
static void test_close_early(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        gated g;
        ngff_error err = {0};
        ngff_engine_opts engine = {.threads = 2 + i};
        ngff_stream_opts opts = {.engine = &engine};
        open_gated(&g, 1, &opts);
        set_gate(&g.gate, i > 0, false);
        for (int64_t k = 0; k < 12; k++)
            assert_int_equal(append_one(&g, k, &err), NGFF_OK);
        set_gate(&g.gate, true, false);
        close_gated(&g);
    }
}

static void test_refusals(void **state) {
    (void)state;
    gated g;
    ngff_error err = {0};
    ngff_view frames;
    ngff_engine_opts engine = {.threads = 2};
    ngff_stream_opts opts = {.engine = &engine};
    ngff_stream *other;
    open_gated(&g, 1, &opts);
    assert_int_equal(ngff_stream_finish(g.s, &err), NGFF_INVALID);
    frames_of(&g.c, 0, 1, &frames);
    frames.shape[2]--;
    err = (ngff_error){0};
    assert_int_equal(ngff_stream_append(g.s, &frames, &err), NGFF_INVALID);
    assert_string_equal(err.message,
                        "frames of 1x64x63 uint16, expected n of 64x64 uint16");
    frames.shape[2]++;
    frames.dtype = NGFF_INT16;
    assert_int_equal(ngff_stream_append(g.s, &frames, &err), NGFF_INVALID);
    engine.memory = 20000;
    assert_int_equal(open_stream(&g.c, g.image, &opts, &other, &err), NGFF_LIMIT);
    engine.memory = 0;
    g.c.levels.level[1].factor[0] = 2;
    assert_int_equal(open_stream(&g.c, g.image, &opts, &other, &err), NGFF_UNSUPPORTED);
    close_gated(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_streams),
        cmocka_unit_test(test_long_rows),
        cmocka_unit_test(test_no_wait),
        cmocka_unit_test(test_too_many_at_once),
        cmocka_unit_test(test_flush),
        cmocka_unit_test(test_eager),
        cmocka_unit_test(test_first_report_is_alone),
        cmocka_unit_test(test_broken_store),
        cmocka_unit_test(test_refused_report),
        cmocka_unit_test(test_close_early),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
