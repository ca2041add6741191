/* Naive twins of every method, one result at a time, straight from pixels.md, and helpers
 * to run ngff_reduce on whole levels and on parts of them. Included by the tests of the
 * room. */
#ifndef TWIN_H
#define TWIN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "pyramid/kernels.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- elements -------------------------------------------------------------------------
 */

static inline long double element(const void *data, ngff_dtype dtype, int64_t i) {
    switch (dtype) {
    case NGFF_BOOL:
    case NGFF_UINT8:
        return ((const uint8_t *)data)[i];
    case NGFF_INT8:
        return ((const int8_t *)data)[i];
    case NGFF_UINT16:
        return ((const uint16_t *)data)[i];
    case NGFF_INT16:
        return ((const int16_t *)data)[i];
    case NGFF_UINT32:
        return ((const uint32_t *)data)[i];
    case NGFF_INT32:
        return ((const int32_t *)data)[i];
    case NGFF_UINT64:
        return ((const uint64_t *)data)[i];
    case NGFF_INT64:
        return ((const int64_t *)data)[i];
    case NGFF_FLOAT16:
        return ngff_half_to_float(((const uint16_t *)data)[i]);
    case NGFF_FLOAT32:
        return ((const float *)data)[i];
    default:
        return ((const double *)data)[i];
    }
}

static inline void set_element(void *data, ngff_dtype dtype, int64_t i, long double v) {
    switch (dtype) {
    case NGFF_BOOL:
    case NGFF_UINT8:
        ((uint8_t *)data)[i] = (uint8_t)v;
        break;
    case NGFF_INT8:
        ((int8_t *)data)[i] = (int8_t)v;
        break;
    case NGFF_UINT16:
        ((uint16_t *)data)[i] = (uint16_t)v;
        break;
    case NGFF_INT16:
        ((int16_t *)data)[i] = (int16_t)v;
        break;
    case NGFF_UINT32:
        ((uint32_t *)data)[i] = (uint32_t)v;
        break;
    case NGFF_INT32:
        ((int32_t *)data)[i] = (int32_t)v;
        break;
    case NGFF_UINT64:
        ((uint64_t *)data)[i] = (uint64_t)v;
        break;
    case NGFF_INT64:
        ((int64_t *)data)[i] = (int64_t)v;
        break;
    case NGFF_FLOAT16:
        ((uint16_t *)data)[i] = ngff_float_to_half((float)v);
        break;
    case NGFF_FLOAT32:
        ((float *)data)[i] = (float)v;
        break;
    default:
        ((double *)data)[i] = (double)v;
    }
}

static inline bool is_whole(ngff_dtype dtype) {
    return !ngff_dtype_is_float(dtype);
}

/* Lowest and highest value; for floats a range with room. */
static inline void range_of(ngff_dtype dtype, long double *lo, long double *hi) {
    double low, high;
    ngff_dtype_range(dtype, &low, &high);
    *lo = ngff_dtype_is_float(dtype) ? -1000.0L : (long double)low;
    *hi = ngff_dtype_is_float(dtype) ? 1000.0L : (long double)high;
    if (dtype == NGFF_UINT64)
        *hi = 18446744073709551615.0L;
    if (dtype == NGFF_INT64)
        *hi = 9223372036854775807.0L;
}

/* ---- noise ----------------------------------------------------------------------------
 */

static uint64_t noise_state = 1;

static inline uint64_t noise(void) {
    noise_state ^= noise_state << 13;
    noise_state ^= noise_state >> 7;
    noise_state ^= noise_state << 17;
    return noise_state * 0x2545f4914f6cdd1du;
}

typedef enum texture { FULL_RANGE, FEW_VALUES, WITH_NAN } texture;

static inline void fill_noise(void *data, ngff_dtype dtype, int64_t n, texture kind) {
    size_t size = ngff_dtype_size(dtype);
    for (int64_t i = 0; i < n; i++) {
        uint64_t bits = noise();
        if (dtype == NGFF_BOOL) {
            ((uint8_t *)data)[i] = bits >> 63;
        } else if (ngff_dtype_is_float(dtype)) {
            long double v = kind == FEW_VALUES
                                ? (long double)(bits >> 62) - 1
                                : (long double)(bits >> 11) * 0x1p-53L * 2000 - 1000;
            set_element(data, dtype, i, kind == WITH_NAN && bits % 4 == 0 ? NAN : v);
        } else if (kind == FEW_VALUES) {
            set_element(data, dtype, i, (long double)(bits >> 62) + 60);
        } else {
            bits >>= 64 - 8 * size; /* little and big endian alike */
            if (size == 1)
                ((uint8_t *)data)[i] = (uint8_t)bits;
            else if (size == 2)
                ((uint16_t *)data)[i] = (uint16_t)bits;
            else if (size == 4)
                ((uint32_t *)data)[i] = (uint32_t)bits;
            else
                ((uint64_t *)data)[i] = bits;
        }
    }
}

/* ---- ngff_reduce on whole levels and on boxes
 * ------------------------------------------- */

static inline int64_t volume(int ndim, const int64_t *shape) {
    int64_t n = 1;
    for (int i = 0; i < ndim; i++)
        n *= shape[i];
    return n;
}

static inline void reduction_init(ngff_reduction *r, ngff_method method, ngff_dtype dtype,
                                  int ndim, const int64_t *shape, const int64_t *step) {
    memset(r, 0, sizeof *r);
    r->method = method;
    r->dtype = dtype;
    r->ndim = ndim;
    for (int i = 0; i < ndim; i++) {
        r->step[i] = shape[i] / step[i] >= 1 ? step[i] : 1;
        r->src_shape[i] = shape[i];
        r->dst_shape[i] = shape[i] / r->step[i];
    }
    assert_int_equal(ngff_reduction_check(r, NULL), NGFF_OK);
}

/* The part `box` of the result into packed `out`, from a copy of just the source it
 * needs. */
static inline void run_box(const ngff_reduction *r, const void *src, const ngff_box *box,
                           void *out) {
    ngff_box need;
    ngff_reduction_need(r, box, &need);
    ngff_view whole, part, copy, dst;
    ngff_view_init(&whole, (void *)(uintptr_t)src, r->dtype, r->ndim, r->src_shape);
    ngff_view_sub(&whole, need.start, need.shape, &part);
    size_t size = ngff_dtype_size(r->dtype);
    void *data = malloc((size_t)volume(r->ndim, need.shape) * size);
    ngff_view_init(&copy, data, r->dtype, r->ndim, need.shape);
    ngff_nd_copy(&copy, &part);
    ngff_view_init(&dst, out, r->dtype, r->ndim, box->shape);
    void *scratch = malloc(ngff_reduction_scratch(r, box->shape));
    ngff_reduce(r, &need, &copy, box, &dst, scratch);
    free(scratch);
    free(data);
}

static inline void *run_whole(const ngff_reduction *r, const void *src) {
    ngff_box box = {.ndim = r->ndim};
    memcpy(box.shape, r->dst_shape, sizeof box.shape);
    void *out = malloc((size_t)volume(r->ndim, r->dst_shape) * ngff_dtype_size(r->dtype));
    run_box(r, src, &box, out);
    return out;
}

/* ---- the twins
 * -------------------------------------------------------------------------- */

static inline int by_value(const void *a, const void *b) {
    long double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    if (isnan(x) || isnan(y))
        return isnan(x) - isnan(y);
    return (x > y) - (x < y);
}

static inline long double twin_mode(long double *v, int64_t n) {
    qsort(v, (size_t)n, sizeof *v, by_value);
    int64_t best = 0, longest = 0;
    for (int64_t i = 0; i < n;) {
        int64_t j = i;
        while (j < n && by_value(&v[i], &v[j]) == 0)
            j++;
        if (j - i > longest) {
            longest = j - i;
            best = i;
        }
        i = j;
    }
    return v[best];
}

static inline long double twin_extreme(const long double *v, int64_t n, bool lowest) {
    long double best = NAN;
    for (int64_t i = 0; i < n; i++) {
        if (isnan(best) || (lowest ? v[i] < best : v[i] > best))
            best = isnan(v[i]) ? best : v[i];
    }
    return best;
}

static inline long double half_up_twin(long double a, long double b) {
    /* Exact in 64 bits of mantissa: whole parts apart from the half. */
    long double low = floorl(a / 2) + floorl(b / 2);
    long double odd = (a - 2 * floorl(a / 2)) + (b - 2 * floorl(b / 2));
    return low + (odd > 0 ? 1 : 0);
}

static inline long double twin_median(long double *v, int64_t n, bool whole) {
    qsort(v, (size_t)n, sizeof *v, by_value);
    if (isnan(v[n - 1]))
        return NAN;
    if (n % 2 == 1)
        return v[n / 2];
    long double a = v[n / 2 - 1], b = v[n / 2];
    return whole ? half_up_twin(a, b) : (a + b) / 2;
}

/* Whole numbers: floor(sum / n + 1/2) without ever rounding. */
static inline long double twin_mean(const long double *v, int64_t n, bool whole) {
    __extension__ typedef __int128 wide;
    if (!whole) {
        long double sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += v[i];
        return sum / (long double)n;
    }
    wide sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += v[i] < 0 ? -(wide)(uint64_t)-v[i] : (wide)(uint64_t)v[i];
    wide twice = 2 * sum + n, by = 2 * (wide)n;
    wide q = twice / by - (twice % by < 0);
    return q < 0 ? -(long double)(uint64_t)-q : (long double)(uint64_t)q;
}

static inline long double twin_block(const ngff_reduction *r, const void *src,
                                     const int64_t *at) {
    int64_t n = volume(r->ndim, r->step);
    long double *v = malloc((size_t)n * sizeof *v), out;
    ngff_box block = {.ndim = r->ndim};
    int64_t idx[NGFF_MAX_NDIM], count = 0;
    for (int i = 0; i < r->ndim; i++) {
        block.shape[i] = r->step[i];
        idx[i] = block.start[i] = at[i] * r->step[i];
    }
    do {
        int64_t offset = 0;
        for (int i = 0; i < r->ndim; i++)
            offset = offset * r->src_shape[i] + idx[i];
        v[count++] = element(src, r->dtype, offset);
    } while (ngff_box_next(&block, idx));
    assert_int_equal(count, n);
    bool whole = is_whole(r->dtype);
    switch (r->method) {
    case NGFF_METHOD_BIN_SHRINK:
        out = twin_mean(v, n, whole);
        break;
    case NGFF_METHOD_MODE:
        out = twin_mode(v, n);
        break;
    case NGFF_METHOD_MEDIAN:
        out = twin_median(v, n, whole);
        break;
    default:
        out = twin_extreme(v, n, r->method == NGFF_METHOD_MIN);
    }
    free(v);
    return out;
}

static inline long double twin_nearest(const ngff_reduction *r, const void *src,
                                       const int64_t *at) {
    int64_t offset = 0;
    for (int i = 0; i < r->ndim; i++)
        offset = offset * r->src_shape[i] + at[i] * r->step[i] + (r->step[i] - 1) / 2;
    return element(src, r->dtype, offset);
}

#endif
