/* nd: what an element is. One table; everything else reads it. */
#include "nd/nd.h"

typedef struct dtype_row {
    const char *name; /* Zarr v3 core specification, "Data types" */
    char kind;        /* NumPy's: b i u f c */
    uint8_t size;
    uint8_t swap;
    double lo, hi;
} dtype_row;

static const dtype_row rows[] = {
    [NGFF_BOOL] = {"bool", 'b', 1, 1, 0, 1},
    [NGFF_INT8] = {"int8", 'i', 1, 1, -0x1p7, 0x1p7 - 1},
    [NGFF_INT16] = {"int16", 'i', 2, 2, -0x1p15, 0x1p15 - 1},
    [NGFF_INT32] = {"int32", 'i', 4, 4, -0x1p31, 0x1p31 - 1},
    [NGFF_INT64] = {"int64", 'i', 8, 8, -0x1p63, 0x1p63},
    [NGFF_UINT8] = {"uint8", 'u', 1, 1, 0, 0x1p8 - 1},
    [NGFF_UINT16] = {"uint16", 'u', 2, 2, 0, 0x1p16 - 1},
    [NGFF_UINT32] = {"uint32", 'u', 4, 4, 0, 0x1p32 - 1},
    [NGFF_UINT64] = {"uint64", 'u', 8, 8, 0, 0x1p64},
    [NGFF_FLOAT16] = {"float16", 'f', 2, 2, 0, 1},
    [NGFF_FLOAT32] = {"float32", 'f', 4, 4, 0, 1},
    [NGFF_FLOAT64] = {"float64", 'f', 8, 8, 0, 1},
    [NGFF_COMPLEX64] = {"complex64", 'c', 8, 4, 0, 1},
    [NGFF_COMPLEX128] = {"complex128", 'c', 16, 8, 0, 1},
};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

static const dtype_row *row_of(ngff_dtype dtype) {
    static const dtype_row none = {"none", '?', 0, 0, 0, 0};
    int i = (int)dtype;
    return i > 0 && i < ROW_COUNT ? &rows[i] : &none;
}

size_t ngff_dtype_size(ngff_dtype dtype) {
    return row_of(dtype)->size;
}

const char *ngff_dtype_name(ngff_dtype dtype) {
    return row_of(dtype)->name;
}

ngff_dtype ngff_dtype_from_name(const char *name) {
    for (int i = 1; i < ROW_COUNT; i++) {
        if (strcmp(name, rows[i].name) == 0)
            return (ngff_dtype)i;
    }
    return NGFF_DTYPE_NONE;
}

ngff_dtype ngff_dtype_from_typestr(const char *typestr, bool *swapped) {
    *swapped = false;
    char order = typestr[0];
    if (order == '\0' || !strchr("<>|=", order) || typestr[1] == '\0')
        return NGFF_DTYPE_NONE;
    int64_t size;
    if (typestr[2] < '1' || typestr[2] > '9' || !ngff_parse_i64(typestr + 2, &size))
        return NGFF_DTYPE_NONE;
    for (int i = 1; i < ROW_COUNT; i++) {
        if (rows[i].kind != typestr[1] || rows[i].size != size)
            continue;
        /* "|" says that there is no byte order to speak of. */
        if (order == '|' && rows[i].swap != 1)
            return NGFF_DTYPE_NONE;
        bool foreign = order == (ngff_host_is_little() ? '>' : '<');
        *swapped = foreign && rows[i].swap > 1;
        return (ngff_dtype)i;
    }
    return NGFF_DTYPE_NONE;
}

void ngff_dtype_typestr(ngff_dtype dtype, bool big_endian, char out[8]) {
    const dtype_row *row = row_of(dtype);
    char *at = out;
    *at++ = row->swap <= 1 ? '|' : big_endian ? '>' : '<';
    *at++ = row->kind;
    if (row->size >= 10)
        *at++ = (char)('0' + row->size / 10);
    *at++ = (char)('0' + row->size % 10);
    *at = '\0';
}

bool ngff_dtype_is_float(ngff_dtype dtype) {
    return row_of(dtype)->kind == 'f';
}

bool ngff_dtype_is_integer(ngff_dtype dtype) {
    return row_of(dtype)->kind == 'i' || row_of(dtype)->kind == 'u';
}

bool ngff_dtype_is_complex(ngff_dtype dtype) {
    return row_of(dtype)->kind == 'c';
}

size_t ngff_dtype_swap_size(ngff_dtype dtype) {
    return row_of(dtype)->swap;
}

void ngff_dtype_range(ngff_dtype dtype, double *lo, double *hi) {
    *lo = row_of(dtype)->lo;
    *hi = row_of(dtype)->hi;
}

float ngff_half_to_float(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
    uint32_t exponent = (h >> 10) & 0x1fu;
    uint32_t mantissa = h & 0x3ffu;
    uint32_t bits;
    if (exponent == 0) {
        /* Zero or subnormal: mantissa * 2^-24, exact in a float. */
        float value = (float)mantissa * 0x1p-24f;
        memcpy(&bits, &value, sizeof bits);
        bits |= sign;
    } else if (exponent == 0x1f) {
        bits = sign | 0x7f800000u | mantissa << 13;
    } else {
        bits = sign | (exponent + 112) << 23 | mantissa << 13;
    }
    float out;
    memcpy(&out, &bits, sizeof out);
    return out;
}

/* IEEE 754 binary32 to binary16. Values from 65520 on round to infinity; a NaN keeps the
 * top of its payload and stays a NaN. */
uint16_t ngff_float_to_half(float f) {
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000u);
    uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) {
        uint32_t payload = magnitude >> 13 & 0x3ffu;
        return (uint16_t)(sign | 0x7c00u | (payload ? payload : 0x200u));
    }
    if (magnitude >= 0x477ff000u)
        return (uint16_t)(sign | 0x7c00u);
    uint32_t shift = 13;
    uint32_t value = magnitude - (112u << 23);
    if (magnitude < 0x38800000u) {
        /* Subnormal in 16 bits: count in units of 2^-24. */
        uint32_t exponent = magnitude >> 23;
        if (exponent < 102)
            return sign;
        value = (magnitude & 0x7fffffu) | 0x800000u;
        shift = 126 - exponent;
    }
    uint32_t half = value >> shift;
    uint32_t rest = value & ((1u << shift) - 1);
    uint32_t tie = 1u << (shift - 1);
    if (rest > tie || (rest == tie && (half & 1u)))
        half++;
    return (uint16_t)(sign | half);
}
