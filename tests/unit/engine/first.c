/* Runs that begin at a level: those below are read from the source and not written, the
 * others are the naive twin's, whatever the budget. */
#include "case.h"

static const ngff_view *stored; /* levels of the source */

static ngff_status read_stored(ngff_source *base, int level, const ngff_box *box,
                               const ngff_view *out, ngff_error *err) {
    ngff_view part;
    (void)base, (void)err;
    ngff_view_sub(&stored[level], box->start, box->shape, &part);
    ngff_nd_copy(out, &part);
    return NGFF_OK;
}

static void init_source(test_source *s, const test_case *c, int first, uint64_t *r) {
    static const ngff_source_vtable ops = {
        .kind = "test", .read = test_read, .read_level = read_stored};
    test_source_init(s, &c->level[0]);
    stored = c->level;
    s->base.ops = &ops;
    s->base.level_count = first;
    s->base.traits.compressed = random_range(r, 0, 1) == 1;
    for (int n = 0; n < first; n++)
        memcpy(s->base.level_shape[n], c->levels.level[n].shape,
               sizeof s->base.level_shape[n]);
    for (int d = 0; d < c->levels.ndim; d++)
        s->base.traits.unit[d] = random_range(r, 1, 9);
}

/* Reading what was never written gives zeros. */
static void check(const test_case *c, const ngff_image *image, int first) {
    test_case expected = *c;
    for (int n = 0; n < first; n++) {
        size_t size;
        new_level(c, n, &expected.level[n]);
        assert_int_equal(ngff_nd_bytes(c->levels.ndim, c->levels.level[n].shape,
                                       c->request.dtype, &size, NULL),
                         NGFF_OK);
        memset(expected.level[n].data, 0, size);
    }
    check_levels(&expected, image);
    for (int n = 0; n < first; n++)
        free(expected.level[n].data);
}

static ngff_status run_from(const test_case *c, test_source *s, int first,
                            uint64_t memory, ngff_plan *plan, ngff_error *err) {
    const ngff_engine_opts opts = {.threads = 2, .memory = memory, .first_level = first};
    ngff_store *store;
    ngff_image *image;
    ngff_error_clear(err);
    assert_int_equal(ngff_store_open_memory(NULL, &store, err), NGFF_OK);
    make_image(c, store, &image);
    ngff_status status = ngff_engine_plan(&c->levels, c->request.method, &s->base, image,
                                          &opts, plan, err);
    if (status == NGFF_OK) {
        assert_true(plan->peak <= plan->budget);
        status = ngff_engine_run(plan, &s->base, image, &opts, err);
    }
    if (status == NGFF_OK)
        check(c, image, first);
    ngff_image_close(&image);
    ngff_store_drop(&store);
    return status;
}

static void test_any_first_level(void **state) {
    int windows = 0, later_roots = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        uint64_t r = seed;
        test_case c = {0};
        test_source s;
        ngff_plan plan;
        ngff_error err = {0};
        random_request(&r, &c.request);
        test_case_from_request(&c, &r);
        for (int first = 1; first < c.levels.count; first++) {
            init_source(&s, &c, first, &r);
            assert_int_equal(run_from(&c, &s, first, 1, &plan, &err), NGFF_LIMIT);
            uint64_t least = least_budget(&err);
            for (int i = 0; i < 2; i++) {
                if (run_from(&c, &s, first, i == 0 ? least : 64 << 20, &plan, &err))
                    fail_msg("seed %d, from %d: %s", (int)seed, first, err.message);
                windows += plan.window.on;
                later_roots += plan.tier[0].root > 0;
            }
        }
        test_case_reset(&c);
    }
    assert_true(windows > 10);
    assert_true(later_roots > 10);
}

static void test_levels_that_are_not_there(void **state) {
    test_case c = {0};
    test_source s;
    ngff_plan plan;
    ngff_error err = {0};
    uint64_t r = 7;
    (void)state;
    c.request = (ngff_levels_request){.ndim = 2,
                                      .shape = {64, 64},
                                      .dtype = NGFF_UINT8,
                                      .scale = {1, 1},
                                      .axis = {'y', 'x'},
                                      .method = NGFF_METHOD_MEDIAN,
                                      .factor_count = 2,
                                      .factors = {{2, 2}, {4, 4}},
                                      .chunk = {8, 8}};
    test_case_from_request(&c, &r);
    init_source(&s, &c, 1, &r);
    assert_int_equal(run_from(&c, &s, 2, 64 << 20, &plan, &err), NGFF_INVALID);
    assert_non_null(strstr(err.message, "levels from 2 on, of 3; the source has 1"));
    assert_int_equal(run_from(&c, &s, 3, 64 << 20, &plan, &err), NGFF_INVALID);
    assert_int_equal(run_from(&c, &s, -1, 64 << 20, &plan, &err), NGFF_INVALID);
    test_case_reset(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_any_first_level),
                                       cmocka_unit_test(test_levels_that_are_not_there)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
