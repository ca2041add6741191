/* The gaussian method against its definition: smooth with weights e^-t I_n(t), then
 * interpolate linearly at i * k + (k - 1) / 2, in long double, without any folding. */
#include "twin.h"

/* e^-t I_n(t) from the power series. */
static long double bessel(int n, long double t) {
    long double term = 1, sum = 0;
    for (int m = 1; m <= n; m++)
        term *= t / 2 / m;
    for (int m = 0; m < 2000; m++) {
        sum += term;
        term *= (t / 2) * (t / 2) / ((m + 1.0L) * (m + 1.0L + n));
    }
    return expl(-t) * sum;
}

static int twin_weights(int64_t k, long double g[33]) {
    long double t = (long double)(k * k - 1) / (8 * logl(2.0L));
    int radius = 0;
    long double sum = g[0] = bessel(0, t);
    while (sum < 0.99L && radius < 32) {
        radius++;
        g[radius] = bessel(radius, t);
        sum += 2 * g[radius];
    }
    for (int n = 0; n <= radius; n++)
        g[n] /= sum;
    return radius;
}

static int64_t clamp(int64_t v, int64_t n) {
    return v < 0 ? 0 : v >= n ? n - 1 : v;
}

/* One axis of a C-order array: `outer` times (n x inner) becomes (n/k x inner). */
static long double *twin_axis(const long double *in, int64_t outer, int64_t n,
                              int64_t inner, int64_t k) {
    long double g[33];
    int radius = twin_weights(k, g);
    int64_t m = n / k;
    long double *out = malloc((size_t)(outer * m * inner) * sizeof *out);
    for (int64_t o = 0; o < outer; o++) {
        for (int64_t i = 0; i < m; i++) {
            for (int64_t x = 0; x < inner; x++) {
                long double side[2] = {0, 0};
                for (int s = 0; s < 2; s++) {
                    int64_t middle = i * k + (k - 1) / 2 + (k % 2 == 0 ? s : 0);
                    for (int j = -radius; j <= radius; j++)
                        side[s] +=
                            g[abs(j)] * in[(o * n + clamp(middle + j, n)) * inner + x];
                }
                out[(o * m + i) * inner + x] = (side[0] + side[1]) / 2;
            }
        }
    }
    return out;
}

static long double *twin_gauss(const ngff_reduction *r, const void *src) {
    int64_t shape[NGFF_MAX_NDIM];
    memcpy(shape, r->src_shape, sizeof shape);
    int64_t n = volume(r->ndim, shape);
    long double *now = malloc((size_t)n * sizeof *now);
    for (int64_t i = 0; i < n; i++)
        now[i] = element(src, r->dtype, i);
    for (int a = 0; a < r->ndim; a++) {
        if (r->step[a] == 1)
            continue;
        long double *next = twin_axis(now, volume(a, shape), shape[a],
                                      volume(r->ndim - a - 1, shape + a + 1), r->step[a]);
        free(now);
        now = next;
        shape[a] = r->dst_shape[a];
    }
    return now;
}

typedef struct layout {
    int ndim;
    int64_t shape[4], step[4];
} layout;

static const layout layouts[] = {
    {3, {5, 7, 37}, {1, 1, 1}},
    {3, {6, 10, 70}, {2, 2, 2}},
    {3, {7, 11, 53}, {2, 2, 2}},
    {3, {7, 13, 101}, {3, 3, 3}},
    {3, {9, 17, 67}, {4, 4, 4}},
    {3, {17, 8, 83}, {8, 8, 8}},
    {3, {5, 7, 131}, {2, 3, 4}},
    {3, {1, 9, 263}, {1, 2, 2}},
    {2, {11, 613}, {2, 2}},
    {1, {2203}, {2}},
    {1, {2203}, {40}},
    {3, {4, 6, 5}, {2, 2, 1}},
    {4, {4, 6, 6, 3}, {2, 2, 2, 1}},
    {4, {2, 5, 6, 37}, {1, 2, 2, 2}},
    {4, {6, 5, 6, 21}, {2, 2, 2, 2}},
    {3, {3, 1, 29}, {2, 2, 2}},
    {1, {2048}, {100}},
    {3, {4, 3, 2}, {2, 1, 2}},
};
enum { LAYOUTS = sizeof layouts / sizeof layouts[0] };

static long double tolerance(ngff_dtype dtype, long double expected) {
    switch (dtype) {
    case NGFF_BOOL:
        return 0.5L + 1e-5L; /* 0/1, half up */
    case NGFF_FLOAT16:
        return fabsl(expected) * 0x1p-11L + 1e-3L;
    case NGFF_FLOAT32:
        return fabsl(expected) * 0x1p-24L + 1e-12L;
    case NGFF_FLOAT64:
        return 1e-12L;
    case NGFF_INT32:
    case NGFF_UINT32:
        return 0.5L + 1e-5L;
    case NGFF_INT64:
    case NGFF_UINT64:
        return 0.5L + 4;
    default:
        return 0.5L + 0.02L;
    }
}

static void test_twin(void **state) {
    (void)state;
    for (int dtype = NGFF_BOOL; dtype <= NGFF_FLOAT64; dtype++) {
        for (int l = 0; l < LAYOUTS; l++) {
            int64_t n = volume(layouts[l].ndim, layouts[l].shape);
            void *src = malloc((size_t)n * ngff_dtype_size((ngff_dtype)dtype));
            fill_noise(src, (ngff_dtype)dtype, n, FULL_RANGE);
            ngff_reduction r;
            reduction_init(&r, NGFF_METHOD_GAUSSIAN, (ngff_dtype)dtype, layouts[l].ndim,
                           layouts[l].shape, layouts[l].step);
            void *out = run_whole(&r, src);
            long double *expected = twin_gauss(&r, src);
            int64_t count = volume(r.ndim, r.dst_shape), off = 0;
            for (int64_t i = 0; i < count; i++) {
                long double got = element(out, r.dtype, i);
                if (!(fabsl(got - expected[i]) <= tolerance(r.dtype, expected[i])))
                    fail_msg("%s, layout %d, result %d: %.21Lg, expected %.21Lg",
                             ngff_dtype_name(r.dtype), l, (int)i, got, expected[i]);
                off += is_whole(r.dtype) && got != rintl(expected[i]);
            }
            if (ngff_dtype_size(r.dtype) <= 4 && r.dtype != NGFF_BOOL)
                assert_true(off * 200 <= count + 400);
            free(expected);
            free(out);
            free(src);
        }
    }
}

/* Halo beyond a block: 2, 2, 3, 6 voxels for steps 2, 3, 4, 8 (pixels.md 4). */
static void test_halo(void **state) {
    (void)state;
    static const int64_t steps[] = {2, 3, 4, 8}, halo[] = {2, 2, 3, 6};
    for (int i = 0; i < 4; i++) {
        ngff_reduction r;
        reduction_init(&r, NGFF_METHOD_GAUSSIAN, NGFF_UINT8, 1, (int64_t[]){1001},
                       &steps[i]);
        ngff_box need, box = {.ndim = 1, .start = {10}, .shape = {7}};
        ngff_reduction_need(&r, &box, &need);
        assert_int_equal(need.start[0], 10 * steps[i] - halo[i]);
        assert_int_equal(need.shape[0], 7 * steps[i] + 2 * halo[i]);
        box.start[0] = 0;
        box.shape[0] = r.dst_shape[0];
        ngff_reduction_need(&r, &box, &need);
        assert_int_equal(need.start[0], 0);
        /* Voxels the level drops still feed the halo. */
        assert_int_equal(need.shape[0],
                         ngff_min_i64(1001, r.dst_shape[0] * steps[i] + halo[i]));
    }
}

/* Away from the border, the gaussian and the mean of a ramp are the declared position;
 * nearest is the voxel at its own (pixels.md 15). */
static void test_registered(void **state) {
    (void)state;
    enum { N = 480 };
    double ramp[N];
    for (int i = 0; i < N; i++)
        ramp[i] = 7 + 0.25 * i;
    static const int64_t steps[] = {2, 3, 4, 5, 8, 16};
    static const ngff_method methods[] = {NGFF_METHOD_GAUSSIAN, NGFF_METHOD_BIN_SHRINK,
                                          NGFF_METHOD_NEAREST, NGFF_METHOD_MEDIAN};
    for (int s = 0; s < 6; s++) {
        for (int m = 0; m < 4; m++) {
            ngff_levels_request q = {.ndim = 2,
                                     .shape = {1, N},
                                     .dtype = NGFF_FLOAT64,
                                     .scale = {1, 0.25},
                                     .translation = {0, 7},
                                     .axis = {'y', 'x'},
                                     .method = methods[m],
                                     .factor_count = 1,
                                     .factors = {{1, steps[s]}}};
            ngff_levels levels;
            assert_int_equal(ngff_pyramid_plan(&q, &levels, NULL), NGFF_OK);
            const ngff_level *level = &levels.level[1];
            ngff_reduction r;
            reduction_init(&r, methods[m], NGFF_FLOAT64, 1, (int64_t[]){N}, &steps[s]);
            double *out = run_whole(&r, ramp);
            for (int64_t i = 3; i < r.dst_shape[0] - 3; i++) {
                double at = level->translation[1] + (double)i * level->scale[1];
                assert_true(fabs(out[i] - at) < 1e-11);
            }
            free(out);
        }
    }
}

static void test_weights(void **state) {
    (void)state;
    for (int64_t k = 2; k <= 64; k++) {
        ngff_filter f;
        long double g[33] = {0};
        int radius = twin_weights(k, g);
        ngff_filter_init(&f, k);
        assert_int_equal(f.pairs, radius + (k % 2 == 0));
        long double sum = k % 2 == 0 ? 0 : g[0];
        for (int p = 0; p < f.pairs; p++) {
            long double expected =
                k % 2 == 1 ? g[p + 1] : (g[p] + (p < radius ? g[p + 1] : 0)) / 2;
            assert_true(fabsl(f.weight[p] - expected) < 1e-17L);
            assert_int_equal(f.lo[p] + f.hi[p], 2 * f.centre + (k % 2 == 0));
            sum += 2 * f.weight[p];
        }
        assert_true(fabsl(sum - 1) < 1e-17L);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_twin),
        cmocka_unit_test(test_halo),
        cmocka_unit_test(test_registered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
