/* zarr: fill values. Integers exact, floats as numbers, the texts NaN, Infinity,
 * -Infinity, or (v3) the bits in hexadecimal; complex as a pair. */
#include "zarr/inside.h"

#include <math.h>
#include <stdio.h>

/* Quiet NaN, sign 0: what "NaN" means (core, "fill value representation"). */
enum { NAN16 = 0x7e00 };
#define NAN32 UINT32_C(0x7fc00000)
#define NAN64 UINT64_C(0x7ff8000000000000)

static uint64_t load_bits(const unsigned char *p, size_t size) {
    uint16_t v16;
    uint32_t v32;
    uint64_t v64;
    switch (size) {
    case 1:
        return p[0];
    case 2:
        memcpy(&v16, p, 2);
        return v16;
    case 4:
        memcpy(&v32, p, 4);
        return v32;
    default:
        memcpy(&v64, p, 8);
        return v64;
    }
}

static void save_bits(uint64_t bits, size_t size, unsigned char *p) {
    uint16_t v16 = (uint16_t)bits;
    uint32_t v32 = (uint32_t)bits;
    switch (size) {
    case 1:
        p[0] = (unsigned char)bits;
        break;
    case 2:
        memcpy(p, &v16, 2);
        break;
    case 4:
        memcpy(p, &v32, 4);
        break;
    default:
        memcpy(p, &bits, 8);
    }
}

/* ---- parsing ---- */

static ngff_status bad(const char *what, ngff_dtype dtype, ngff_error *err) {
    return ngff_fail(err, NGFF_FORMAT, "fill_value: %s is no value of %s", what,
                     ngff_dtype_name(dtype));
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "0x" and exactly two digits a byte. */
static bool parse_hex(const char *text, size_t size, uint64_t *bits) {
    *bits = 0;
    if (strlen(text) != 2 + 2 * size || text[0] != '0' || text[1] != 'x')
        return false;
    for (const char *p = text + 2; *p; p++) {
        int digit = hex_digit(*p);
        if (digit < 0)
            return false;
        *bits = *bits << 4 | (unsigned)digit;
    }
    return true;
}

/* The double nearest to `v` that rounds to a half as `v` itself would go through a float
 * first; the only double rounding that could matter is avoided by rounding the float to
 * odd. */
static uint16_t double_to_half(double v) {
    float f = (float)v;
    if ((double)f != v && isfinite(f)) {
        uint32_t bits;
        memcpy(&bits, &f, 4);
        bool away = fabs((double)f) > fabs(v);
        if (!(bits & 1))
            bits = away ? bits - 1 : bits + 1;
        memcpy(&f, &bits, 4);
    }
    return ngff_float_to_half(f);
}

static uint64_t float_bits(double v, size_t size) {
    float f = (float)v;
    uint32_t bits32;
    uint64_t bits64;
    if (size == 2)
        return isnan(v) ? NAN16 : double_to_half(v);
    if (size == 4) {
        memcpy(&bits32, &f, 4);
        return isnan(v) ? NAN32 : bits32;
    }
    memcpy(&bits64, &v, 8);
    return isnan(v) ? NAN64 : bits64;
}

static ngff_status parse_float(const ngff_json *node, size_t size, ngff_dtype dtype,
                               unsigned char *out, ngff_error *err) {
    const char *text = ngff_json_str(node);
    uint64_t bits = 0;
    double v = 0;
    if (text && strcmp(text, "NaN") == 0)
        v = NAN;
    else if (text && strcmp(text, "Infinity") == 0)
        v = INFINITY;
    else if (text && strcmp(text, "-Infinity") == 0)
        v = -INFINITY;
    else if (text && parse_hex(text, size, &bits)) {
        save_bits(bits, size, out);
        return NGFF_OK;
    } else if (text || !ngff_json_f64(node, &v))
        return bad(text ? text : "the value", dtype, err);
    save_bits(float_bits(v, size), size, out);
    return NGFF_OK;
}

/* Old v2 writers left 0.0 for integers; v3 forbids it (T36), yet its meaning is clear. */
static bool whole_number(const ngff_json *node, int64_t *v) {
    double real;
    if (!ngff_json_f64(node, &real) || !(fabs(real) <= 9007199254740992.0) ||
        real != floor(real))
        return false;
    *v = (int64_t)real;
    return true;
}

static ngff_status parse_integer(const ngff_json *node, ngff_dtype dtype,
                                 unsigned char *out, ngff_error *err) {
    size_t size = ngff_dtype_size(dtype);
    bool is_signed = dtype >= NGFF_INT8 && dtype <= NGFF_INT64;
    unsigned bits = (unsigned)(8 * size);
    int64_t v;
    uint64_t u;
    if (ngff_json_i64(node, &v) || whole_number(node, &v)) {
        if (is_signed && (v < INT64_MIN >> (64 - bits) || v > INT64_MAX >> (64 - bits)))
            return bad("the number", dtype, err);
        if (!is_signed && (v < 0 || (uint64_t)v > UINT64_MAX >> (64 - bits)))
            return bad("the number", dtype, err);
        u = (uint64_t)v;
    } else if (dtype != NGFF_UINT64 || !ngff_json_u64(node, &u)) {
        return bad("the value", dtype, err);
    }
    save_bits(u, size, out);
    return NGFF_OK;
}

static ngff_status parse_bool(const ngff_json *node, unsigned char *out,
                              ngff_error *err) {
    bool v;
    int64_t number;
    if (ngff_json_bool(node, &v))
        out[0] = v;
    else if (ngff_json_i64(node, &number) && (number == 0 || number == 1)) /* v2 */
        out[0] = (unsigned char)number;
    else
        return bad("the value", NGFF_BOOL, err);
    return NGFF_OK;
}

ngff_status ngff_zarr_fill_parse(const ngff_json *node, ngff_dtype dtype, int zarr_format,
                                 unsigned char out[16], ngff_error *err) {
    size_t size = ngff_dtype_size(dtype);
    memset(out, 0, 16);
    if (dtype == NGFF_BOOL)
        return parse_bool(node, out, err);
    if (ngff_dtype_is_integer(dtype))
        return parse_integer(node, dtype, out, err);
    if (ngff_dtype_is_float(dtype))
        return parse_float(node, size, dtype, out, err);
    if (zarr_format == 2 && ngff_json_type_of(node) != NGFF_JSON_ARRAY)
        return parse_float(node, size / 2, dtype, out, err); /* a plain 0 */
    if (ngff_json_type_of(node) != NGFF_JSON_ARRAY || ngff_json_len(node) != 2)
        return bad("the value", dtype, err);
    NGFF_TRY(parse_float(ngff_json_at(node, 0), size / 2, dtype, out, err));
    return parse_float(ngff_json_at(node, 1), size / 2, dtype, out + size / 2, err);
}

/* ---- emitting ---- */

static ngff_json *emit_float(const unsigned char *p, size_t size, int zarr_format) {
    uint64_t bits = load_bits(p, size);
    float f;
    double v;
    char hex[24];
    if (size == 2) {
        v = (double)ngff_half_to_float((uint16_t)bits);
    } else if (size == 4) {
        memcpy(&f, p, 4);
        v = (double)f;
    } else {
        memcpy(&v, p, 8);
    }
    uint64_t plain = size == 2 ? NAN16 : size == 4 ? NAN32 : NAN64;
    if (isnan(v) && bits != plain && zarr_format == 3) {
        snprintf(hex, sizeof hex, "0x%0*llx", (int)(2 * size), (unsigned long long)bits);
        return ngff_json_new_str(hex);
    }
    if (isnan(v))
        return ngff_json_new_str("NaN");
    if (isinf(v))
        return ngff_json_new_str(v > 0 ? "Infinity" : "-Infinity");
    return ngff_json_new_f64(v);
}

static ngff_json *emit_integer(const unsigned char *p, ngff_dtype dtype) {
    size_t size = ngff_dtype_size(dtype);
    uint64_t bits = load_bits(p, size);
    unsigned shift = (unsigned)(64 - 8 * size);
    if (dtype >= NGFF_INT8 && dtype <= NGFF_INT64) /* sign extension */
        return ngff_json_new_i64((int64_t)(bits << shift) >> shift);
    return ngff_json_new_u64(bits);
}

static ngff_json *emit_complex(const unsigned char *p, size_t size, int zarr_format) {
    ngff_json *pair = ngff_json_new_array();
    ngff_status status = pair ? NGFF_OK : NGFF_NOMEM;
    for (size_t i = 0; i < 2 && status == NGFF_OK; i++)
        status =
            ngff_json_push(pair, emit_float(p + i * size / 2, size / 2, zarr_format));
    if (status != NGFF_OK)
        ngff_json_close(&pair);
    return pair;
}

ngff_status ngff_zarr_fill_emit(const unsigned char fill[16], ngff_dtype dtype,
                                int zarr_format, ngff_json **out, ngff_error *err) {
    size_t size = ngff_dtype_size(dtype);
    if (dtype == NGFF_BOOL)
        *out = ngff_json_new_bool(fill[0] != 0);
    else if (ngff_dtype_is_integer(dtype))
        *out = emit_integer(fill, dtype);
    else if (ngff_dtype_is_float(dtype))
        *out = emit_float(fill, size, zarr_format);
    else
        *out = emit_complex(fill, size, zarr_format);
    return *out ? NGFF_OK : ngff_fail_nomem(err, "a fill value", 32);
}
