/* Which levels there are and where they sit: pixels.md 1-3, 7, 11 and 13. */
#include "twin.h"

static ngff_levels_request request(const char *axes, const int64_t *shape) {
    ngff_levels_request q = {.ndim = (int)strlen(axes),
                             .dtype = NGFF_UINT16,
                             .method = NGFF_METHOD_GAUSSIAN,
                             .factor_count = -1};
    for (int i = 0; i < q.ndim; i++) {
        q.axis[i] = axes[i];
        q.shape[i] = shape[i];
        q.scale[i] = 1;
    }
    return q;
}

static void ask(ngff_levels_request *q, const int64_t *factors, int count) {
    q->factor_count = count;
    for (int n = 0; n < count; n++) {
        for (int i = 0; i < q->ndim; i++)
            q->factors[n][i] = q->axis[i] == 't' || q->axis[i] == 'c' ? 1 : factors[n];
    }
}

static ngff_levels plan(const ngff_levels_request *q) {
    ngff_levels levels;
    ngff_error err;
    ngff_error_clear(&err);
    if (ngff_pyramid_plan(q, &levels, &err) != NGFF_OK)
        fail_msg("%s", err.message);
    return levels;
}

#define SHAPE(...) ((const int64_t[]){__VA_ARGS__})

static void expect(const int64_t *got, int ndim, const int64_t *expected) {
    for (int i = 0; i < ndim; i++)
        assert_int_equal(got[i], expected[i]);
}

static void test_geometry(void **state) {
    (void)state;
    ngff_levels_request q = request("czyx", SHAPE(2, 30, 121, 120));
    for (int i = 1; i < 4; i++) {
        q.scale[i] = 0.5 * i;
        q.translation[i] = 10 * i;
    }
    ask(&q, SHAPE(2, 3, 4), 3);
    ngff_levels l = plan(&q);
    assert_int_equal(l.count, 4);
    assert_string_equal(l.warning, "");
    expect(l.level[2].shape, 4, SHAPE(2, 10, 40, 40));
    expect(l.level[3].shape, 4, SHAPE(2, 7, 30, 30));
    /* 3 is not a multiple of 2, 4 is: rule 2. */
    assert_int_equal(l.level[0].source, -1);
    assert_int_equal(l.level[1].source, 0);
    assert_int_equal(l.level[2].source, 0);
    assert_int_equal(l.level[3].source, 1);
    expect(l.level[3].step, 4, SHAPE(1, 2, 2, 2));
    expect(l.level[3].factor, 4, SHAPE(1, 4, 4, 4));
    assert_true(l.level[3].scale[2] == 4.0 && l.level[3].scale[0] == 1.0);
    assert_true(l.level[3].translation[2] == 20 + 0.5 * 3 * 1.0);
    assert_true(l.level[3].translation[0] == 0);
    q.method = NGFF_METHOD_NEAREST;
    l = plan(&q);
    assert_int_equal(l.level[3].source, 0);
    expect(l.level[3].step, 4, SHAPE(1, 4, 4, 4));
    assert_true(l.level[3].translation[2] == 20 + 1 * 1.0);
    assert_true(l.level[2].translation[2] == 20 + 1 * 1.0);
    assert_true(l.level[1].translation[2] == 20);
}

/* to_ngff_zarr.md B11: 61 with [4, 16] is 15 and 3. */
static void test_odd_sizes(void **state) {
    (void)state;
    ngff_levels_request q = request("yx", SHAPE(61, 61));
    ask(&q, SHAPE(4, 16), 2);
    ngff_levels l = plan(&q);
    expect(l.level[1].shape, 2, SHAPE(15, 15));
    expect(l.level[2].shape, 2, SHAPE(3, 3));
    assert_int_equal(l.level[2].source, 1);
    assert_true(l.level[2].scale[0] == 16);
}

static void test_single_plane(void **state) {
    (void)state;
    ngff_levels_request q = request("zyx", SHAPE(1, 64, 5));
    ask(&q, SHAPE(2, 4, 8, 64, 128), 5);
    ngff_levels l = plan(&q);
    assert_int_equal(l.count, 5);
    expect(l.level[1].shape, 3, SHAPE(1, 32, 2));
    expect(l.level[2].shape, 3, SHAPE(1, 16, 1));
    expect(l.level[3].factor, 3, SHAPE(1, 8, 4));
    expect(l.level[4].factor, 3, SHAPE(1, 64, 4));
    assert_string_equal(l.warning,
                        "level 5 (scale factor no. 5) equals level 4 and is left out");
}

static void test_no_shared_source(void **state) {
    (void)state;
    ngff_levels_request q = request("zyx", SHAPE(40, 40, 40));
    q.factor_count = 3;
    const int64_t f[3][3] = {{1, 2, 2}, {2, 3, 4}, {2, 6, 4}};
    for (int n = 0; n < 3; n++)
        memcpy(q.factors[n], f[n], sizeof f[n]);
    ngff_levels l = plan(&q);
    assert_int_equal(l.level[2].source, 0);
    assert_int_equal(l.level[3].source, 2);
    expect(l.level[3].step, 3, SHAPE(1, 2, 1));
}

static void refuse(const ngff_levels_request *q, ngff_status status, const char *text) {
    ngff_levels l;
    ngff_error err;
    ngff_error_clear(&err);
    assert_int_equal(ngff_pyramid_plan(q, &l, &err), status);
    if (!strstr(err.message, text))
        fail_msg("\"%s\" lacks \"%s\"", err.message, text);
}

static void test_refusals(void **state) {
    (void)state;
    ngff_levels_request q = request("tyx", SHAPE(3, 64, 64)), bad;
    bad = q;
    ask(&bad, SHAPE(4, 2), 2);
    refuse(&bad, NGFF_INVALID, "less than 4 before");
    bad = q;
    ask(&bad, SHAPE(0), 1);
    refuse(&bad, NGFF_INVALID, "scale factor 0");
    bad = q;
    ask(&bad, SHAPE(2), 1);
    bad.factors[0][0] = 2;
    refuse(&bad, NGFF_INVALID, "time and channel");
    bad = q;
    bad.factor_count = 32;
    refuse(&bad, NGFF_LIMIT, "32 scale factors");
    bad = q;
    bad.dtype = NGFF_COMPLEX64;
    ask(&bad, SHAPE(2), 1);
    refuse(&bad, NGFF_UNSUPPORTED, "complex64");
    bad = q;
    bad.per_shard[1] = 2;
    refuse(&bad, NGFF_INVALID, "per shard");
    bad = q;
    bad.shape[1] = 0;
    refuse(&bad, NGFF_INVALID, "size 0");
    bad = q;
    bad.scale[1] = NAN;
    refuse(&bad, NGFF_INVALID, "not finite");
    bad = q;
    bad.ndim = 0;
    refuse(&bad, NGFF_INVALID, "0 axes");
    /* Level 0 alone is fine for complex pixels, asked for or by default. */
    q.dtype = NGFF_COMPLEX128;
    q.shape[1] = q.shape[2] = 4096;
    ngff_levels l = plan(&q);
    assert_int_equal(l.count, 1);
    assert_string_not_equal(l.warning, "");
    q.factor_count = 0;
    l = plan(&q);
    assert_string_equal(l.warning, "");
}

static void test_chunks(void **state) {
    (void)state;
    ngff_levels_request q = request("tczyx", SHAPE(2, 3, 100, 300, 1000));
    ask(&q, SHAPE(2), 1);
    ngff_levels l = plan(&q);
    expect(l.level[0].chunk, 5, SHAPE(1, 1, 100, 128, 128));
    expect(l.level[1].chunk, 5, SHAPE(1, 1, 50, 128, 128));
    assert_false(l.level[0].sharded);
    expect(l.level[0].per_shard, 5, SHAPE(1, 1, 1, 1, 1));
    for (int i = 0; i < 5; i++)
        q.per_shard[i] = 4;
    q.chunk[4] = 64;
    l = plan(&q);
    assert_true(l.level[1].sharded);
    expect(l.level[0].per_shard, 5, SHAPE(2, 3, 1, 3, 4));
    expect(l.level[1].per_shard, 5, SHAPE(2, 3, 1, 2, 4));
    q = request("cyx", SHAPE(3, 1000, 100));
    l = plan(&q);
    expect(l.level[0].chunk, 3, SHAPE(1, 256, 100));
}

/* Factors as measured on the peer, to_ngff_zarr.md 2.2. */
static void expect_automatic(const char *axes, const int64_t *shape, int64_t chunk,
                             int count, const int64_t *factors) {
    ngff_levels_request q = request(axes, shape);
    for (int i = 0; chunk > 0 && i < q.ndim; i++)
        q.chunk[i] = chunk;
    ngff_levels l = plan(&q);
    assert_int_equal(l.count, count + 1);
    for (int n = 1; n <= count; n++) {
        expect(l.level[n].factor, l.ndim, factors + (n - 1) * l.ndim);
        assert_int_equal(l.level[n].source, n - 1);
    }
}

static void test_automatic(void **state) {
    (void)state;
    expect_automatic("yx", SHAPE(1000, 1000), 0, 1, SHAPE(2, 2));
    expect_automatic("zyx", SHAPE(512, 512, 512), 0, 2, SHAPE(2, 2, 2, 4, 4, 4));
    expect_automatic("zyx", SHAPE(60, 2048, 2048), 0, 4,
                     SHAPE(1, 2, 2, 1, 4, 4, 1, 8, 8, 1, 16, 16));
    expect_automatic("zyx", SHAPE(3, 15000, 15000), 1024, 3,
                     SHAPE(1, 2, 2, 1, 4, 4, 1, 8, 8));
    expect_automatic("zyx", SHAPE(128, 128, 128), 64, 1, SHAPE(2, 2, 2));
    expect_automatic("yx", SHAPE(100, 100), 0, 0, NULL);
    expect_automatic("tc", SHAPE(1000, 1000), 0, 0, NULL);
}

static void test_isotropic(void **state) {
    (void)state;
    ngff_levels_request q = request("zyx", SHAPE(300, 2048, 2048));
    q.isotropic = true;
    q.scale[0] = 3.0;
    ngff_levels l = plan(&q);
    /* 3 : 1 : 1, halved to 3 : 2 : 2 (still 1.5 > sqrt 2), then 3 : 4 : 4, then all. */
    assert_int_equal(l.count, 5);
    expect(l.level[1].factor, 3, SHAPE(1, 2, 2));
    expect(l.level[2].factor, 3, SHAPE(1, 4, 4));
    expect(l.level[3].factor, 3, SHAPE(2, 8, 8));
    expect(l.level[4].factor, 3, SHAPE(4, 16, 16));
    q.scale[0] = 0;
    refuse(&q, NGFF_INVALID, "isotropic");
    /* An axis of one voxel that wants halving does not end it. */
    q = request("yx", SHAPE(4096, 1));
    q.isotropic = true;
    q.scale[0] = 8;
    l = plan(&q);
    assert_true(l.count >= 2);
    expect(l.level[1].factor, 2, SHAPE(2, 1));
}

static void test_most_levels(void **state) {
    (void)state;
    ngff_levels_request q =
        request("zyx", SHAPE((int64_t)1 << 40, (int64_t)1 << 40, (int64_t)1 << 40));
    for (int i = 0; i < 3; i++)
        q.chunk[i] = 1;
    ngff_levels l = plan(&q);
    assert_int_equal(l.count, NGFF_MAX_LEVELS);
    assert_string_not_equal(l.warning, "");
}

static void test_methods(void **state) {
    (void)state;
    ngff_method_row row;
    size_t n = 0;
    for (; ngff_method_table(n, &row); n++) {
        ngff_method method;
        assert_true(ngff_method_from_name(row.name, &method));
        assert_int_equal(method, row.method);
        assert_string_equal(ngff_method_name(method), row.canonical);
    }
    assert_int_equal(n, 17);
    ngff_method method;
    assert_true(ngff_method_from_name("ITKWASM_GAUSSIAN", &method));
    assert_int_equal(method, NGFF_METHOD_GAUSSIAN);
    assert_false(ngff_method_from_name("gauss", &method));
    assert_false(ngff_method_from_name("gaussian ", &method));
    assert_false(ngff_method_from_name("", &method));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_geometry),     cmocka_unit_test(test_odd_sizes),
        cmocka_unit_test(test_single_plane), cmocka_unit_test(test_no_shared_source),
        cmocka_unit_test(test_refusals),     cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_automatic),    cmocka_unit_test(test_isotropic),
        cmocka_unit_test(test_most_levels),  cmocka_unit_test(test_methods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
