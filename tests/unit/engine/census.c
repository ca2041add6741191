/* Counting by blocks: the same as sorting, in whatever pieces the pixels come. */
#include "engine/census.h"
#include "support/cmocka.h"
#include "support/random.h"

#include <math.h>
#include <stdlib.h>

enum { C = 3, Y = 40, X = 50, N = Y * X };

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double sorted_quantile(const double *v, size_t n, double q) {
    double at = q * (double)(n - 1);
    size_t k = (size_t)at;
    double part = at - (double)k;
    return k + 1 < n ? v[k] * (1 - part) + v[k + 1] * part : v[k];
}

static void add_blocks(ngff_census *census, ngff_view *v, int64_t edge) {
    for (int64_t c = 0; c < C; c += 2) {
        for (int64_t y = 0; y < Y; y += edge) {
            for (int64_t x = 0; x < X; x += edge) {
                int64_t at[NGFF_MAX_NDIM] = {c, y, x};
                int64_t shape[NGFF_MAX_NDIM] = {C - c < 2 ? C - c : 2,
                                                Y - y < edge ? Y - y : edge,
                                                X - x < edge ? X - x : edge};
                ngff_view part;
                ngff_view_sub(v, at, shape, &part);
                assert_int_equal(ngff_census_add(census, &part, c, NULL), NGFF_OK);
            }
        }
    }
}

static void check(ngff_dtype dtype, void *data, const double *values, double near) {
    static const double LOW = 0.05, HIGH = 0.9;
    static const int64_t SHAPE[3] = {C, Y, X};
    static const int64_t EDGES[3] = {7, 16, 100};
    ngff_view v;
    ngff_view_init(&v, data, dtype, 3, SHAPE);
    for (int e = 0; e < 3; e++) {
        ngff_census *census = NULL;
        assert_int_equal(ngff_census_create(NULL, dtype, 0, C, &census, NULL), NGFF_OK);
        add_blocks(census, &v, EDGES[e]);
        for (int c = 0; c < C; c++) {
            static double sorted[N];
            ngff_census_window w;
            memcpy(sorted, values + c * N, sizeof sorted);
            qsort(sorted, N, sizeof *sorted, by_value);
            ngff_census_window_of(census, c, LOW, HIGH, &w);
            assert_true(w.min == sorted[0] && w.max == sorted[N - 1]);
            assert_true(fabs(w.start - sorted_quantile(sorted, N, LOW)) <= near);
            assert_true(fabs(w.end - sorted_quantile(sorted, N, HIGH)) <= near);
        }
        ngff_census_close(&census);
    }
}

#define COUNTED(name, type, dtype, lo, hi, near)                                         \
    static void name(void **state) {                                                     \
        (void)state;                                                                     \
        uint64_t seed = 11;                                                              \
        static type data[C * N];                                                         \
        static double values[C * N];                                                     \
        for (int i = 0; i < C * N; i++) {                                                \
            data[i] = (type)random_range(&seed, (lo), (hi));                             \
            values[i] = (double)data[i];                                                 \
        }                                                                                \
        check(dtype, data, values, near);                                                \
    }
COUNTED(bytes, uint8_t, NGFF_UINT8, 0, 255, 1e-9)
COUNTED(signed_bytes, int8_t, NGFF_INT8, -128, 127, 1e-9)
COUNTED(shorts, uint16_t, NGFF_UINT16, 0, 65535, 1e-9)
COUNTED(signed_shorts, int16_t, NGFF_INT16, -32768, 32767, 1e-9)
COUNTED(ints, uint32_t, NGFF_UINT32, 0, INT32_MAX, 65536.0)
COUNTED(signed_ints, int32_t, NGFF_INT32, -INT32_MAX, INT32_MAX, 65536.0)
COUNTED(longs, uint64_t, NGFF_UINT64, 0, (int64_t)1 << 52, 281474976710656.0)
COUNTED(signed_longs, int64_t, NGFF_INT64, -((int64_t)1 << 52), (int64_t)1 << 52,
        281474976710656.0)
COUNTED(floats, float, NGFF_FLOAT32, -1000, 1000, 8.0)
COUNTED(doubles, double, NGFF_FLOAT64, -1000, 1000, 64.0)

static void only_finite(void **state) {
    (void)state;
    static const int64_t SHAPE[2] = {2, 3};
    float data[6] = {NAN, INFINITY, -INFINITY, -2.5F, 7.0F, NAN};
    ngff_view v;
    ngff_census *census = NULL;
    ngff_census_window w;
    assert_int_equal(ngff_census_create(NULL, NGFF_FLOAT32, -1, 1, &census, NULL),
                     NGFF_OK);
    ngff_census_window_of(census, 0, 0.0, 1.0, &w);
    assert_true(w.min == 0 && w.max == 1 && w.start == 0 && w.end == 1);
    ngff_view_init(&v, data, NGFF_FLOAT32, 2, SHAPE);
    assert_int_equal(ngff_census_add(census, &v, 0, NULL), NGFF_OK);
    ngff_census_window_of(census, 0, 0.0, 1.0, &w);
    assert_true(w.min == -2.5 && w.max == 7 && w.start == -2.5 && w.end == 7);
    ngff_census_close(&census);
    assert_int_equal(ngff_census_size(NGFF_COMPLEX64, 1, 1), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes),       cmocka_unit_test(signed_bytes),
        cmocka_unit_test(shorts),      cmocka_unit_test(signed_shorts),
        cmocka_unit_test(ints),        cmocka_unit_test(signed_ints),
        cmocka_unit_test(longs),       cmocka_unit_test(signed_longs),
        cmocka_unit_test(floats),      cmocka_unit_test(doubles),
        cmocka_unit_test(only_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
