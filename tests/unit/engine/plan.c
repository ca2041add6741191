/* The plan alone: tiers cover every level once, stay under the budget, refuse with the
 * least budget; hulls of random tiers keep within their bounds and owners tile exactly.
 */
#include "case.h"

#include "engine/search.h"

static void make_request(ngff_levels_request *q, int64_t z, int64_t y, int64_t x) {
    *q = (ngff_levels_request){.ndim = 3,
                               .shape = {z, y, x},
                               .dtype = NGFF_UINT16,
                               .scale = {1, 1, 1},
                               .axis = {'z', 'y', 'x'},
                               .method = NGFF_METHOD_GAUSSIAN,
                               .factor_count = 4,
                               .factors = {{2, 2, 2}, {4, 4, 4}, {8, 8, 8}, {16, 16, 16}},
                               .chunk = {128, 128, 128}};
}

/* A source of any size: nothing is ever read. */
static void describe_source(test_source *s, const ngff_levels_request *q) {
    ngff_view v = {.dtype = q->dtype, .ndim = q->ndim};
    memcpy(v.shape, q->shape, sizeof v.shape);
    test_source_init(s, &v);
}

static void plan_of(const ngff_levels_request *q, const test_source *s,
                    const ngff_engine_opts *opts, ngff_plan *plan) {
    ngff_levels levels;
    ngff_error err = {0};
    assert_int_equal(ngff_pyramid_plan(q, &levels, &err), NGFF_OK);
    if (ngff_engine_plan(&levels, q->method, &s->base, NULL, opts, plan, &err))
        fail_msg("plan: %s", err.message);
}

static void check_tiers(const ngff_plan *plan) {
    uint32_t encoded = 0, made = 0;
    for (int i = 0; i < plan->tier_count; i++) {
        const ngff_tier *t = &plan->tier[i];
        uint32_t root = UINT32_C(1) << t->root;
        assert_int_equal(encoded & (root | t->encoded), 0);
        assert_int_equal(t->encoded & t->retained, 0);
        assert_int_equal(t->encoded | t->retained, t->computed);
        assert_true(t->source_level >= 0 || (made & root) != 0);
        encoded |= root | t->encoded;
        made |= t->retained;
        assert_true(t->workspace <= plan->arena);
    }
    assert_int_equal(encoded, (UINT32_C(1) << plan->levels.count) - 1);
    assert_true(plan->peak <= plan->budget);
    assert_true(plan->worker_memory * (size_t)plan->threads + plan->spill_memory <=
                plan->budget);
}

static void test_large_images(void **state) {
    (void)state;
    static const int64_t shapes[][3] = {
        {1024, 1024, 2048}, {1, 40000, 60000}, {20000, 20000, 20000}, {4096, 64, 64}};
    for (int i = 0; i < 4; i++)
        for (uint64_t mib = 64; mib <= 4096; mib *= 4)
            for (int threads = 1; threads <= 64; threads *= 8) {
                ngff_levels_request q;
                test_source s;
                ngff_plan plan;
                ngff_engine_opts opts = {.memory = mib << 20, .threads = threads};
                make_request(&q, shapes[i][0], shapes[i][1], shapes[i][2]);
                describe_source(&s, &q);
                plan_of(&q, &s, &opts, &plan);
                check_tiers(&plan);
                assert_true(plan.threads >= 1 && plan.threads <= threads);
            }
}

static void test_default_budget(void **state) {
    (void)state;
    ngff_levels_request q;
    test_source s;
    ngff_plan plan;
    ngff_engine_opts opts = {.threads = 2};
    make_request(&q, 256, 256, 256);
    describe_source(&s, &q);
    plan_of(&q, &s, &opts, &plan);
    assert_true(plan.budget > 0 && plan.budget <= UINT64_C(4) << 30);
    assert_int_equal(plan.source_bytes, UINT64_C(2) << 24);
}

/* Rows that must be decoded whole are not decoded again and again: either blocks are as
 * wide as the image, or a window stands before them. */
static void test_long_units(void **state) {
    (void)state;
    for (uint64_t mib = 128; mib <= 2048; mib *= 4) {
        ngff_levels_request q;
        test_source s;
        ngff_plan plan;
        ngff_engine_opts opts = {.memory = mib << 20, .threads = 4};
        make_request(&q, 300, 10000, 30000);
        describe_source(&s, &q);
        s.base.traits.compressed = true;
        s.base.traits.unit[1] = 8;
        s.base.traits.unit[2] = 30000;
        plan_of(&q, &s, &opts, &plan);
        check_tiers(&plan);
        assert_true(plan.window.on || plan.tier[0].amplification < 1.6);
    }
}

static void test_stream(void **state) {
    (void)state;
    ngff_levels_request q;
    test_source s;
    ngff_plan plan;
    ngff_engine_opts opts = {.memory = 256 << 20, .threads = 2};
    make_request(&q, 512, 2048, 2048);
    describe_source(&s, &q);
    s.base.traits.sequential = true;
    plan_of(&q, &s, &opts, &plan);
    check_tiers(&plan);
    assert_true(plan.window.on);
    assert_false(plan.window.shared);
    assert_true(plan.window.slots * plan.window.rows >= plan.tier[0].block[0]);
    assert_true(plan.window.read_size <= plan.arena);
}

static void test_refusal(void **state) {
    (void)state;
    ngff_levels_request q;
    ngff_levels levels;
    test_source s;
    ngff_plan plan;
    ngff_error err = {0};
    ngff_engine_opts opts = {.memory = 1 << 20, .threads = 8};
    make_request(&q, 1024, 1024, 1024);
    describe_source(&s, &q);
    assert_int_equal(ngff_pyramid_plan(&q, &levels, &err), NGFF_OK);
    assert_int_equal(
        ngff_engine_plan(&levels, q.method, &s.base, NULL, &opts, &plan, &err),
        NGFF_LIMIT);
    assert_non_null(strstr(err.message, "128x128x128"));
    opts.memory = least_budget(&err);
    plan_of(&q, &s, &opts, &plan);
    assert_int_equal(plan.threads, 1);
    const uint64_t least = opts.memory--;
    assert_int_equal(
        ngff_engine_plan(&levels, q.method, &s.base, NULL, &opts, &plan, &err),
        NGFF_LIMIT);
    opts.grows = true; /* a wish: the least that will do is taken */
    plan_of(&q, &s, &opts, &plan);
    assert_true(plan.budget == least && plan.peak <= least);
    opts.memory = 2 * least;
    plan_of(&q, &s, &opts, &plan);
    assert_true(plan.budget == 2 * least);
}

/* ---- geometry -----------------------------------------------------------------------
 */

static void check_geometry(uint64_t seed) {
    uint64_t r = seed;
    ngff_levels_request q;
    ngff_levels levels;
    ngff_error err = {0};
    ngff_tier_bound bound;
    random_request(&r, &q);
    assert_int_equal(ngff_pyramid_plan(&q, &levels, &err), NGFF_OK);
    ngff_plan_input in = {.levels = &levels, .method = q.method, .dtype = q.dtype};
    for (int n = 0; n < NGFF_MAX_LEVELS; n++)
        in.source_level[n] = n == 0 ? 0 : -1;
    ngff_tier_halo_init(&levels, q.method, q.dtype, &in.halo);
    ngff_plan plan = {.levels = levels, .method = q.method, .dtype = q.dtype};
    ngff_tier *t = &plan.tier[0];
    for (int d = 0; d < levels.ndim; d++)
        t->block[d] = levels.level[0].chunk[d] * random_range(&r, 1, 4);
    assert_int_equal(ngff_search_settle(&in, t, &bound, &err), NGFF_OK);
    int64_t owned_sum[NGFF_MAX_LEVELS] = {0};
    ngff_box grid = {.ndim = levels.ndim};
    int64_t idx[NGFF_MAX_NDIM] = {0};
    memcpy(grid.shape, t->grid, sizeof grid.shape);
    do {
        ngff_box hull[NGFF_MAX_LEVELS];
        ngff_tier_hulls(&plan, t, idx, hull);
        for (int n = 0; n < levels.count; n++) {
            ngff_box owned;
            int64_t volume = 1;
            if (n > 0 && !ngff_tier_has(t->computed, n))
                continue;
            ngff_tier_owned(&plan, t, n, idx, &owned);
            assert_true(ngff_box_contains(&hull[n], &owned));
            for (int d = 0; d < levels.ndim; d++) {
                volume *= owned.shape[d];
                assert_true(hull[n].shape[d] <= bound.extent[n][d]);
            }
            owned_sum[n] += volume;
        }
    } while (ngff_box_next(&grid, idx));
    for (int n = 0; n < levels.count; n++) {
        int64_t volume;
        if (n > 0 && !ngff_tier_has(t->computed, n))
            continue;
        assert_int_equal(
            ngff_nd_volume(levels.ndim, levels.level[n].shape, &volume, &err), NGFF_OK);
        assert_int_equal(owned_sum[n], volume);
    }
}

static void test_geometry(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed < 400; seed++)
        check_geometry(seed);
}

/* A source that answers whole units, as foreign lazy arrays do. */
static void plan_units(ngff_method method, int64_t unit, bool lean, ngff_plan *plan) {
    ngff_levels_request q;
    test_source s;
    ngff_engine_opts opts = {.memory = UINT64_C(1) << 30, .threads = 2, .lean = lean};
    make_request(&q, 256, 1024, 1024);
    q.method = method;
    q.factor_count = 3;
    for (int d = 0; d < 3; d++)
        q.chunk[d] = 64;
    describe_source(&s, &q);
    for (int d = 0; d < 3; d++)
        s.base.traits.unit[d] = unit;
    plan_of(&q, &s, &opts, plan);
    check_tiers(plan);
}

/* Little is held although much may be: of 512 MiB a few blocks, the rest in the file. */
static void test_lean(void **state) {
    (void)state;
    static const ngff_method methods[] = {NGFF_METHOD_BIN_SHRINK, NGFF_METHOD_GAUSSIAN};
    for (int i = 0; i < 2; i++) {
        ngff_plan lean, plain;
        plan_units(methods[i], 64, true, &lean);
        plan_units(methods[i], 64, false, &plain);
        assert_true(lean.peak < plain.peak / 4);
        assert_true(lean.peak < UINT64_C(20) << 20);
        assert_int_equal(lean.threads, plain.threads);
        assert_true(lean.tier[0].amplification < 1.25);
    }
    /* With a halo the short axis is not cut: a layer of units would be held below. */
    ngff_plan plan;
    plan_units(NGFF_METHOD_GAUSSIAN, 64, true, &plan);
    assert_int_equal(plan.tier[0].block[0], 256);
    /* Units larger than a chunk are used up before the next one is begun. */
    plan_units(NGFF_METHOD_BIN_SHRINK, 128, true, &plan);
    for (int d = 0; d < 3; d++)
        assert_int_equal(plan.tier[0].block[d] % 128, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_large_images), cmocka_unit_test(test_default_budget),
        cmocka_unit_test(test_long_units),   cmocka_unit_test(test_stream),
        cmocka_unit_test(test_refusal),      cmocka_unit_test(test_geometry),
        cmocka_unit_test(test_lean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
