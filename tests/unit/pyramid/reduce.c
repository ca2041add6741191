/* Block methods and nearest against their twins, position independence, and the
 * instruction sets against each other. */
#include "twin.h"

static const ngff_dtype dtypes[] = {
    NGFF_BOOL,   NGFF_INT8,   NGFF_INT16,  NGFF_INT32,   NGFF_INT64,   NGFF_UINT8,
    NGFF_UINT16, NGFF_UINT32, NGFF_UINT64, NGFF_FLOAT16, NGFF_FLOAT32, NGFF_FLOAT64};
enum { DTYPES = sizeof dtypes / sizeof dtypes[0] };

typedef struct layout {
    int ndim;
    int64_t shape[4], step[4];
} layout;

static const layout layouts[] = {
    {3, {5, 7, 301}, {2, 2, 2}},
    {3, {7, 6, 401}, {3, 3, 3}},
    {3, {4, 9, 530}, {4, 4, 4}},
    {3, {5, 7, 37}, {1, 1, 1}},
    {3, {6, 10, 70}, {2, 2, 2}},
    {3, {7, 11, 53}, {2, 2, 2}},
    {3, {7, 13, 101}, {3, 3, 3}},
    {3, {9, 17, 67}, {4, 4, 4}},
    {3, {17, 8, 83}, {8, 8, 8}},
    {3, {5, 7, 131}, {2, 3, 4}},
    {3, {1, 1, 1}, {2, 2, 2}},
    {3, {1, 9, 263}, {1, 2, 2}},
    {2, {11, 613}, {2, 2}},
    {1, {2203}, {2}},
    {1, {1103}, {300}},
    {3, {4, 6, 5}, {2, 2, 1}},
    {4, {2, 5, 6, 37}, {1, 2, 2, 2}},
    {3, {3, 1, 29}, {2, 2, 2}},
    {2, {37, 70}, {32, 32}},
    {3, {2, 4, 2}, {2, 4, 2}},
};
enum { LAYOUTS = sizeof layouts / sizeof layouts[0] };

static const ngff_method methods[] = {NGFF_METHOD_BIN_SHRINK, NGFF_METHOD_MODE,
                                      NGFF_METHOD_NEAREST,    NGFF_METHOD_MIN,
                                      NGFF_METHOD_MAX,        NGFF_METHOD_MEDIAN};
enum { METHODS = sizeof methods / sizeof methods[0] };

static const texture textures[] = {FULL_RANGE, FEW_VALUES, WITH_NAN};

static void *noisy(const layout *l, ngff_dtype dtype, texture kind) {
    int64_t n = volume(l->ndim, l->shape);
    void *src = malloc((size_t)n * ngff_dtype_size(dtype));
    fill_noise(src, dtype, n, kind);
    return src;
}

/* What rounding a float sum may do; integers are exact. */
static long double tolerance(const ngff_reduction *r, long double expected) {
    if (is_whole(r->dtype) || r->method != NGFF_METHOD_BIN_SHRINK)
        return 0;
    long double epsilon = r->dtype == NGFF_FLOAT16   ? 0x1p-10L
                          : r->dtype == NGFF_FLOAT32 ? 0x1p-23L
                                                     : 0x1p-50L;
    return epsilon * (fabsl(expected) + (r->dtype == NGFF_FLOAT32 ? 1 : 1000));
}

static void compare(const ngff_reduction *r, const void *src, const void *out) {
    ngff_box box = {.ndim = r->ndim};
    int64_t at[NGFF_MAX_NDIM] = {0}, i = 0;
    memcpy(box.shape, r->dst_shape, sizeof box.shape);
    do {
        long double expected = r->method == NGFF_METHOD_NEAREST ? twin_nearest(r, src, at)
                                                                : twin_block(r, src, at);
        long double rounded = expected, got = element(out, r->dtype, i);
        if (!is_whole(r->dtype)) {
            char one[8];
            set_element(one, r->dtype, 0, expected);
            rounded = element(one, r->dtype, 0);
        }
        bool same =
            isnan(expected) ? isnan(got) : fabsl(got - rounded) <= tolerance(r, expected);
        if (!same)
            fail_msg("%s of %s, steps %d %d %d, result %d: %.21Lg, expected %.21Lg",
                     ngff_method_name(r->method), ngff_dtype_name(r->dtype),
                     (int)r->step[0], (int)r->step[1], (int)r->step[2], (int)i, got,
                     expected);
        i++;
    } while (ngff_box_next(&box, at));
}

static void test_twins(void **state) {
    (void)state;
    for (int d = 0; d < DTYPES; d++) {
        for (int l = 0; l < LAYOUTS; l++) {
            for (int t = 0; t < 3; t++) {
                if (textures[t] == WITH_NAN && is_whole(dtypes[d]))
                    continue;
                void *src = noisy(&layouts[l], dtypes[d], textures[t]);
                for (int m = 0; m < METHODS; m++) {
                    ngff_reduction r;
                    reduction_init(&r, methods[m], dtypes[d], layouts[l].ndim,
                                   layouts[l].shape, layouts[l].step);
                    void *out = run_whole(&r, src);
                    compare(&r, src, out);
                    free(out);
                }
                free(src);
            }
        }
    }
}

/* The same bits from the plain set as from the one this processor chooses. */
static void test_sets_agree(void **state) {
    (void)state;
    print_message("row kernels: %s\n", ngff_kernels_chosen()->name);
    for (int d = 0; d < DTYPES; d++) {
        for (int l = 0; l < LAYOUTS; l++) {
            for (int m = 0; m <= METHODS; m++) {
                texture kind = textures[(l + m) % 3];
                void *src = noisy(&layouts[l], dtypes[d], kind);
                ngff_reduction r;
                reduction_init(&r, m < METHODS ? methods[m] : NGFF_METHOD_GAUSSIAN,
                               dtypes[d], layouts[l].ndim, layouts[l].shape,
                               layouts[l].step);
                void *fast = run_whole(&r, src);
                ngff_pyramid_force_plain(true);
                assert_string_equal(ngff_kernels_chosen()->name, "plain");
                void *plain = run_whole(&r, src);
                ngff_pyramid_force_plain(false);
                assert_memory_equal(fast, plain,
                                    (size_t)volume(r.ndim, r.dst_shape) *
                                        ngff_dtype_size(r.dtype));
                free(plain);
                free(fast);
                free(src);
            }
        }
    }
}

static void random_box(const int64_t *shape, int ndim, ngff_box *box) {
    memset(box, 0, sizeof *box);
    box->ndim = ndim;
    for (int i = 0; i < ndim; i++) {
        box->start[i] = (int64_t)(noise() >> 33) % shape[i];
        box->shape[i] = 1 + (int64_t)(noise() >> 33) % (shape[i] - box->start[i]);
    }
}

/* Any box, computed from exactly what it needs, holds what the whole holds there. */
static void test_position_independent(void **state) {
    (void)state;
    for (int d = 0; d < DTYPES; d++) {
        for (int l = 0; l < LAYOUTS; l++) {
            void *src = noisy(&layouts[l], dtypes[d], FULL_RANGE);
            for (int m = 0; m <= METHODS; m++) {
                ngff_reduction r;
                reduction_init(&r, m < METHODS ? methods[m] : NGFF_METHOD_GAUSSIAN,
                               dtypes[d], layouts[l].ndim, layouts[l].shape,
                               layouts[l].step);
                void *whole = run_whole(&r, src);
                ngff_view view;
                ngff_view_init(&view, whole, r.dtype, r.ndim, r.dst_shape);
                for (int n = 0; n < 4; n++) {
                    ngff_box box;
                    random_box(r.dst_shape, r.ndim, &box);
                    size_t size =
                        (size_t)volume(r.ndim, box.shape) * ngff_dtype_size(r.dtype);
                    void *part = malloc(size), *expected = malloc(size);
                    ngff_view sub, packed;
                    ngff_view_sub(&view, box.start, box.shape, &sub);
                    ngff_view_init(&packed, expected, r.dtype, r.ndim, box.shape);
                    ngff_nd_copy(&packed, &sub);
                    run_box(&r, src, &box, part);
                    assert_memory_equal(part, expected, size);
                    free(part);
                    free(expected);
                }
                free(whole);
            }
            free(src);
        }
    }
}

/* Constants survive every method, extremes included (pixels.md 4, to_ngff_zarr.md B9). */
static void test_constants(void **state) {
    (void)state;
    for (int d = 0; d < DTYPES; d++) {
        long double lo, hi;
        range_of(dtypes[d], &lo, &hi);
        const long double values[] = {lo,     hi,    0, 1, hi - 1 > 1 ? hi - 1 : 1,
                                      lo / 2, hi / 3};
        for (int v = 0; v < 7; v++) {
            for (int l = v % 3; l < LAYOUTS; l += 3) {
                int64_t n = volume(layouts[l].ndim, layouts[l].shape);
                size_t size = ngff_dtype_size(dtypes[d]);
                char *src = malloc((size_t)n * size);
                set_element(src, dtypes[d], 0,
                            is_whole(dtypes[d]) ? floorl(values[v]) : values[v]);
                for (int64_t i = 1; i < n; i++)
                    memcpy(src + (size_t)i * size, src, size);
                for (int m = 0; m <= METHODS; m++) {
                    ngff_reduction r;
                    reduction_init(&r, m < METHODS ? methods[m] : NGFF_METHOD_GAUSSIAN,
                                   dtypes[d], layouts[l].ndim, layouts[l].shape,
                                   layouts[l].step);
                    char *out = run_whole(&r, src);
                    /* A float64 sum of 27 equal values may round. */
                    bool exact =
                        r.method != NGFF_METHOD_BIN_SHRINK || r.dtype != NGFF_FLOAT64;
                    for (int64_t i = 0; exact && i < volume(r.ndim, r.dst_shape); i++)
                        assert_true(element(out, r.dtype, i) == element(src, r.dtype, 0));
                    free(out);
                }
                free(src);
            }
        }
    }
}

static void test_float_extremes(void **state) {
    (void)state;
    const float inf = INFINITY, nan = NAN;
    const float src[4][4] = {{-0.0f, 0.0f, 3.0f, inf},
                             {nan, nan, -1.0f, 2.0f},
                             {-inf, inf, 5.0f, 5.0f},
                             {3.402823466e38f, 3.402823466e38f, 1.0f, 7.0f}};
    static const struct {
        ngff_method method;
        float expected[4]; /* blocks of 1 x 4 */
    } cases[] = {
        {NGFF_METHOD_MIN, {-0.0f, -1.0f, -INFINITY, 1.0f}},
        {NGFF_METHOD_MAX, {INFINITY, 2.0f, INFINITY, 3.402823466e38f}},
        {NGFF_METHOD_MODE, {0.0f, NAN, 5.0f, 3.402823466e38f}},
        {NGFF_METHOD_MEDIAN, {1.5f, NAN, 5.0f, 1.7014117331926443e38f}},
        {NGFF_METHOD_BIN_SHRINK, {INFINITY, NAN, NAN, 1.701411733e38f}},
    };
    for (int c = 0; c < 5; c++) {
        ngff_reduction r;
        reduction_init(&r, cases[c].method, NGFF_FLOAT32, 2, (int64_t[]){4, 4},
                       (int64_t[]){1, 4});
        float *out = run_whole(&r, src);
        for (int i = 0; i < 4; i++) {
            if (isnan(cases[c].expected[i]))
                assert_true(isnan(out[i]));
            else
                assert_true(out[i] == cases[c].expected[i]);
        }
        free(out);
    }
}

static void test_refusals(void **state) {
    (void)state;
    ngff_reduction r;
    ngff_error err;
    reduction_init(&r, NGFF_METHOD_NEAREST, NGFF_UINT8, 2, (int64_t[]){8, 8},
                   (int64_t[]){2, 2});
    ngff_reduction bad = r;
    bad.dtype = NGFF_COMPLEX64;
    ngff_error_clear(&err);
    assert_int_equal(ngff_reduction_check(&bad, &err), NGFF_UNSUPPORTED);
    assert_string_equal(err.message, "complex64 pixels cannot be reduced");
    bad = r;
    bad.step[0] = 0;
    assert_int_equal(ngff_reduction_check(&bad, NULL), NGFF_INVALID);
    bad = r;
    bad.dst_shape[1] = 5;
    assert_int_equal(ngff_reduction_check(&bad, NULL), NGFF_INVALID);
    bad = r;
    bad.method = NGFF_METHOD_GAUSSIAN;
    bad.src_shape[0] = 4096;
    bad.step[0] = 2048;
    bad.dst_shape[0] = 2;
    assert_int_equal(ngff_reduction_check(&bad, NULL), NGFF_UNSUPPORTED);
    bad.method = NGFF_METHOD_MODE;
    bad.step[1] = bad.src_shape[1] = INT64_MAX / 2;
    bad.dst_shape[1] = 1;
    assert_int_equal(ngff_reduction_check(&bad, NULL), NGFF_LIMIT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_twins),
        cmocka_unit_test(test_sets_agree),
        cmocka_unit_test(test_constants),
        cmocka_unit_test(test_position_independent),
        cmocka_unit_test(test_float_extremes),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
