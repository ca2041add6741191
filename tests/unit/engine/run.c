/* Whole conversions against a naive twin: any shape, chunks, shards, factors, method;
 * the same bytes for every number of threads and every budget. */
#include "case.h"

#include "pyramid/kernels.h"

static void describe(const test_case *c, uint64_t seed, char *out, size_t size) {
    char shape[64], chunk[64];
    ngff_nd_shape_text(c->levels.ndim, c->levels.level[0].shape, shape, sizeof shape);
    ngff_nd_shape_text(c->levels.ndim, c->levels.level[0].chunk, chunk, sizeof chunk);
    snprintf(out, size, "seed %llu: %s %s chunks %s, %d levels, %s",
             (unsigned long long)seed, shape, ngff_dtype_name(c->request.dtype), chunk,
             c->levels.count, ngff_method_name(c->request.method));
}

/* What a source may be; the values and the bytes must not depend on it. */
static void set_traits(test_source *s, int variant, uint64_t *r) {
    ngff_source_traits *t = &s->base.traits;
    if (variant == 1)
        t->reentrant = false;
    if (variant == 2 || variant == 3) {
        t->sequential = true;
        t->reentrant = false;
        t->slow_axis = 0;
        while (t->slow_axis < s->view.ndim - 1 && s->view.shape[t->slow_axis] == 1)
            t->slow_axis++;
    }
    if (variant == 4) {
        t->compressed = true;
        for (int d = 0; d < s->view.ndim; d++)
            t->unit[d] = random_range(r, 1, s->view.shape[d]);
    }
}

static void check_case(uint64_t seed) {
    uint64_t r = seed;
    test_case c;
    char what[256];
    uint32_t first = 0;
    random_request(&r, &c.request);
    test_case_from_request(&c, &r);
    describe(&c, seed, what, sizeof what);
    static const int threads[] = {1, 2, 7, 1, 3};
    for (int i = 0; i < 5; i++) {
        ngff_engine_stats stats;
        ngff_engine_opts opts = {.threads = threads[i], .memory = 1, .stats = &stats};
        ngff_error err = {0};
        test_source s;
        uint32_t sum = 0;
        test_source_init(&s, &c.level[0]);
        set_traits(&s, i, &r);
        assert_int_equal(convert(&c, &s, &opts, &sum, &err), NGFF_LIMIT);
        uint64_t least = least_budget(&err);
        assert_true(least > 1);
        opts.memory = i == 0 ? 64 << 20 : least + (uint64_t)(i % 3) * least / 2;
        opts.lean = i % 2 == 1;
        err = (ngff_error){0};
        ngff_pyramid_force_plain(i == 4); /* the same bytes from plain C */
        if (convert(&c, &s, &opts, &sum, &err) != NGFF_OK)
            fail_msg("%s, variant %d: %s", what, i, err.message);
        ngff_pyramid_force_plain(false);
        if (i == 0)
            first = sum;
        else if (sum != first)
            fail_msg("%s, variant %d: other bytes", what, i);
        if (!s.base.traits.reentrant)
            assert_int_equal(s.overlapping, 0);
    }
    test_case_reset(&c);
}

static void test_random_cases(void **state) {
    (void)state;
    const char *count = getenv("NGFF_TEST_CASES"), *from = getenv("NGFF_TEST_SEED");
    uint64_t first = from != NULL ? strtoull(from, NULL, 10) : 1;
    uint64_t last = first + (count != NULL ? strtoull(count, NULL, 10) : 80);
    for (uint64_t seed = first; seed < last; seed++)
        check_case(seed);
}

/* ---- one fixed case, and what can go wrong -------------------------------------------
 */

static void fixed_case(test_case *c) {
    uint64_t r = 7;
    memset(c, 0, sizeof *c);
    c->request = (ngff_levels_request){.ndim = 3,
                                       .shape = {40, 50, 60},
                                       .dtype = NGFF_UINT16,
                                       .scale = {1, 1, 1},
                                       .axis = {'z', 'y', 'x'},
                                       .method = NGFF_METHOD_BIN_SHRINK,
                                       .factor_count = 2,
                                       .factors = {{2, 2, 2}, {4, 4, 4}},
                                       .chunk = {8, 8, 8}};
    test_case_from_request(c, &r);
}

static void test_least_budget(void **state) {
    (void)state;
    test_case c;
    test_source s;
    uint32_t sum;
    ngff_error err = {0};
    ngff_engine_opts opts = {.threads = 2, .memory = 1000};
    fixed_case(&c);
    test_source_init(&s, &c.level[0]);
    assert_int_equal(convert(&c, &s, &opts, &sum, &err), NGFF_LIMIT);
    uint64_t least = least_budget(&err);
    opts.memory = least - 1;
    assert_int_equal(convert(&c, &s, &opts, &sum, &err), NGFF_LIMIT);
    opts.memory = least;
    assert_int_equal(convert(&c, &s, &opts, &sum, &err), NGFF_OK);
    opts.memory = 1000;
    opts.grows = true;
    assert_int_equal(convert(&c, &s, &opts, &sum, &err), NGFF_OK);
    test_case_reset(&c);
}

static void test_no_spill(void **state) {
    (void)state;
    test_case c;
    test_source s;
    uint32_t sum;
    ngff_error err = {0};
    ngff_engine_stats stats;
    ngff_engine_opts opts = {
        .threads = 1, .memory = 1000, .no_spill = true, .stats = &stats};
    fixed_case(&c);
    test_source_init(&s, &c.level[0]);
    assert_int_equal(convert(&c, &s, &opts, &sum, &err), NGFF_LIMIT);
    opts.memory = least_budget(&err);
    assert_int_equal(convert(&c, &s, &opts, &sum, &err), NGFF_OK);
    assert_int_equal(stats.spill_file_bytes, 0);
    test_case_reset(&c);
}

static int cancel_after(void *user, const ngff_progress *p) {
    int *left = user;
    assert_true(p->bytes_done <= p->bytes_total);
    return (*left)-- <= 0;
}

static void test_cancel(void **state) {
    (void)state;
    test_case c;
    test_source s;
    uint32_t sum;
    fixed_case(&c);
    for (int threads = 1; threads < 5; threads += 3) {
        int left = 0;
        ngff_error err = {0};
        ngff_engine_opts opts = {
            .threads = threads, .progress = cancel_after, .progress_user = &left};
        test_source_init(&s, &c.level[0]);
        assert_int_equal(convert(&c, &s, &opts, &sum, &err), NGFF_CANCELLED);
        left = 1000000;
        assert_int_equal(convert(&c, &s, &opts, &sum, &err), NGFF_OK);
    }
    test_case_reset(&c);
}

/* A source that breaks at any read: the error comes out, marked as the input's. */
static void test_broken_source(void **state) {
    (void)state;
    test_case c;
    fixed_case(&c);
    for (int i = 0; i < 24; i++) {
        test_source s;
        uint32_t sum;
        ngff_error err = {0};
        ngff_engine_opts opts = {.threads = 1 + i % 3,
                                 /* one worker's worth */ .memory = 64 << 20};
        test_source_init(&s, &c.level[0]);
        s.base.traits.sequential = i % 2 == 1;
        s.base.traits.reentrant = i % 2 == 0;
        s.fail_after = 1 + i / 2;
        ngff_status status = convert(&c, &s, &opts, &sum, &err);
        if (atomic_load(&s.reads) <= s.fail_after)
            assert_int_equal(status, NGFF_OK);
        else
            assert_int_equal(status, NGFF_IO);
        if (status == NGFF_IO)
            assert_int_equal(err.origin, NGFF_ORIGIN_INPUT);
    }
    test_case_reset(&c);
}

/* A store that breaks at any call. */
static void test_broken_store(void **state) {
    (void)state;
    test_case c;
    fixed_case(&c);
    for (uint64_t at = 1; at < 60; at += 7) {
        ngff_store *inner, *store;
        ngff_image *image;
        ngff_plan plan;
        test_source s;
        uint64_t calls = 0;
        ngff_error err = {0};
        ngff_engine_opts opts = {.threads = 1 + (int)(at % 3)};
        test_source_init(&s, &c.level[0]);
        assert_int_equal(ngff_store_open_memory(NULL, &inner, &err), NGFF_OK);
        assert_int_equal(ngff_store_open_fault(NULL, inner, at, &calls, &store, &err), 0);
        make_image(&c, store, &image);
        assert_int_equal(ngff_engine_plan(&c.levels, c.request.method, &s.base, image,
                                          &opts, &plan, &err),
                         NGFF_OK);
        ngff_status status = ngff_engine_run(&plan, &s.base, image, &opts, &err);
        assert_int_equal(status, NGFF_IO);
        assert_int_equal(err.origin, NGFF_ORIGIN_OUTPUT);
        ngff_image_close(&image);
        ngff_store_drop(&store);
        ngff_store_drop(&inner);
    }
    test_case_reset(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_cases),  cmocka_unit_test(test_least_budget),
        cmocka_unit_test(test_no_spill),      cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_broken_source), cmocka_unit_test(test_broken_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
