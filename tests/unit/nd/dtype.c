#include "support/cmocka.h"

#include "nd/nd.h"

#include <math.h>

static void names_round_trip(void **state) {
    (void)state;
    for (int d = NGFF_BOOL; d <= NGFF_COMPLEX128; d++)
        assert_int_equal(ngff_dtype_from_name(ngff_dtype_name((ngff_dtype)d)), d);
    assert_int_equal(ngff_dtype_from_name("UINT8"), NGFF_DTYPE_NONE);
    assert_int_equal(ngff_dtype_from_name(""), NGFF_DTYPE_NONE);
    assert_int_equal(ngff_dtype_from_name("none"), NGFF_DTYPE_NONE);
    assert_int_equal(ngff_dtype_size((ngff_dtype)99), 0);
    assert_int_equal(ngff_dtype_size((ngff_dtype)-1), 0);
    assert_int_equal(ngff_dtype_size(NGFF_COMPLEX128), 16);
    assert_int_equal(ngff_dtype_swap_size(NGFF_COMPLEX64), 4);
}

static void typestrs(void **state) {
    (void)state;
    bool swapped;
    char text[8];
    bool little = ngff_host_is_little();
    assert_int_equal(ngff_dtype_from_typestr("<u2", &swapped), NGFF_UINT16);
    assert_int_equal(swapped, !little);
    assert_int_equal(ngff_dtype_from_typestr(">c16", &swapped), NGFF_COMPLEX128);
    assert_int_equal(swapped, little);
    assert_int_equal(ngff_dtype_from_typestr("=i4", &swapped), NGFF_INT32);
    assert_false(swapped);
    assert_int_equal(ngff_dtype_from_typestr("|b1", &swapped), NGFF_BOOL);
    assert_int_equal(ngff_dtype_from_typestr(">u1", &swapped), NGFF_UINT8);
    assert_false(swapped);
    const char *bad[] = {"",     "<",    "<u",   "u2",      "|u2", "<u3", "<b2", "<f1",
                         "<u02", "<u-2", "<u2 ", "<M8[ns]", "|S5", "?u2", "<u+2"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(ngff_dtype_from_typestr(bad[i], &swapped), NGFF_DTYPE_NONE);
    for (int d = NGFF_BOOL; d <= NGFF_COMPLEX128; d++) {
        for (int big = 0; big < 2; big++) {
            ngff_dtype_typestr((ngff_dtype)d, big, text);
            assert_int_equal(ngff_dtype_from_typestr(text, &swapped), d);
            bool one = ngff_dtype_swap_size((ngff_dtype)d) == 1;
            assert_int_equal(swapped, !one && big == little);
        }
    }
    ngff_dtype_typestr(NGFF_COMPLEX128, true, text);
    assert_string_equal(text, ">c16");
}

static void kinds_and_ranges(void **state) {
    (void)state;
    double lo, hi;
    assert_true(ngff_dtype_is_float(NGFF_FLOAT16) &&
                !ngff_dtype_is_float(NGFF_COMPLEX64));
    assert_true(ngff_dtype_is_integer(NGFF_UINT8) && !ngff_dtype_is_integer(NGFF_BOOL));
    assert_true(ngff_dtype_is_complex(NGFF_COMPLEX64));
    ngff_dtype_range(NGFF_INT16, &lo, &hi);
    assert_true(lo == -32768 && hi == 32767);
    ngff_dtype_range(NGFF_UINT8, &lo, &hi);
    assert_true(lo == 0 && hi == 255);
    ngff_dtype_range(NGFF_FLOAT32, &lo, &hi);
    assert_true(lo == 0 && hi == 1);
}

/* The value of a half by its definition, IEEE 754 section 3.4. */
static double half_value(uint16_t h) {
    int exponent = h >> 10 & 31;
    int mantissa = h & 1023;
    double sign = h & 0x8000 ? -1 : 1;
    if (exponent == 31)
        return mantissa ? (double)NAN : sign * (double)INFINITY;
    if (exponent == 0)
        return sign * ldexp(mantissa, -24);
    return sign * ldexp(1024 + mantissa, exponent - 25);
}

static void every_half(void **state) {
    (void)state;
    for (uint32_t h = 0; h < 0x10000; h++) {
        float f = ngff_half_to_float((uint16_t)h);
        double want = half_value((uint16_t)h);
        if (isnan(want))
            assert_true(isnan(f));
        else
            assert_true((double)f == want && !signbit(f) == !(h & 0x8000));
        /* Signalling or not, payload and all. */
        assert_int_equal(ngff_float_to_half(f), h);
    }
}

/* Around every midpoint between neighbouring halves: the tie goes to even, its neighbours
 * do not. */
static void every_rounding(void **state) {
    (void)state;
    for (uint32_t h = 0; h < 0x7c00; h++) {
        float low = ngff_half_to_float((uint16_t)h);
        double next = h == 0x7bff ? 65536.0 : half_value((uint16_t)(h + 1));
        float middle = (float)((low + next) / 2); /* exact: one more bit */
        uint32_t even = h & 1 ? h + 1 : h;
        assert_int_equal(ngff_float_to_half(middle), even);
        assert_int_equal(ngff_float_to_half(-middle), even | 0x8000);
        assert_int_equal(ngff_float_to_half(nextafterf(middle, 0)), h);
        assert_int_equal(ngff_float_to_half(nextafterf(middle, INFINITY)), h + 1);
    }
    assert_int_equal(ngff_float_to_half(1e30f), 0x7c00);
    assert_int_equal(ngff_float_to_half(-INFINITY), 0xfc00);
    assert_int_equal(ngff_float_to_half(0x1p-149f), 0);
    assert_int_equal(ngff_float_to_half(-0x1p-149f), 0x8000);
    uint32_t bits = 0x7f800001; /* a NaN whose payload lies below what a half holds */
    float nan;
    memcpy(&nan, &bits, sizeof nan);
    assert_true(isnan(ngff_half_to_float(ngff_float_to_half(nan))));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_round_trip), cmocka_unit_test(typestrs),
        cmocka_unit_test(kinds_and_ranges), cmocka_unit_test(every_half),
        cmocka_unit_test(every_rounding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
