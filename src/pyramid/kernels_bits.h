/* pyramid: bit patterns, rounding and half precision for the row kernels. Everything is
 * branch-free so that it vectorises. Pure; any thread. */
#ifndef NGFF_PYRAMID_KERNELS_BITS_H
#define NGFF_PYRAMID_KERNELS_BITS_H

#include "pyramid/kernels.h"
#include <math.h>

__extension__ typedef __int128 int128;

/* ---- bits ------------------------------------------------------------------------- */

static inline float float_of(uint32_t bits) {
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static inline uint32_t bits_of(float f) {
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

static inline double double_of(uint64_t bits) {
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

static inline uint64_t bits_of_double(double d) {
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    return bits;
}

/* All ones when `yes`: choosing by masks keeps the compiler from making branches. */
static inline uint32_t mask_of(bool yes) {
    return 0u - (uint32_t)yes;
}

static inline uint32_t choose(uint32_t mask, uint32_t a, uint32_t b) {
    return (a & mask) | (b & ~mask);
}

/* binary16 without branches, so that it vectorises. Shifted into place, the exponent is
 * off by 112; a multiplication corrects it and normalises subnormals. */
static inline float from_half(uint16_t h) {
    uint32_t magnitude = (uint32_t)(h & 0x7fffu) << 13;
    uint32_t bits = bits_of(float_of(magnitude) * 0x1p112f);
    bits |= 0x7f800000u & mask_of(magnitude >= 0x7c00u << 13); /* infinite or NaN */
    return float_of(bits | (uint32_t)(h & 0x8000u) << 16);
}

/* Nearest, ties to even; any NaN becomes the one quiet NaN. */
static inline uint16_t to_half(float f) {
    uint32_t bits = bits_of(f);
    uint32_t sign = bits >> 16 & 0x8000u;
    uint32_t magnitude = bits & 0x7fffffffu;
    uint32_t normal = (magnitude - (112u << 23) + 0xfffu + (magnitude >> 13 & 1u)) >> 13;
    uint32_t small = bits_of(float_of(magnitude) + 0.5f) - bits_of(0.5f);
    uint32_t half = choose(mask_of(magnitude < 113u << 23), small, normal);
    half = choose(mask_of(magnitude >= 0x477ff000u), 0x7c00u, half) | sign;
    return (uint16_t)choose(mask_of(magnitude > 0x7f800000u), 0x7e00u, half);
}

/* A NaN's payload would depend on the order of operands the compiler chose: use one. */
static inline float one_nan(float f) {
    return f != f ? float_of(0x7fc00000u) : f;
}

static inline double one_nan_double(double d) {
    return d != d ? double_of(0x7ff8000000000000u) : d;
}

/* ---- rounding --------------------------------------------------------------------- */

static inline int32_t nearest_float(float v) { /* ties to even; |v| < 2^22 */
    return (int32_t)(bits_of(v + 0x1.8p23f) - bits_of(0x1.8p23f));
}

static inline uint32_t nearest_double(double v) { /* modulo 2^32; |v| < 2^51 */
    return (uint32_t)bits_of_double(v + 0x1.8p52);
}

static inline int32_t nearest_within(float v, int32_t lo, int32_t hi) {
    int32_t n = nearest_float(v);
    n = n < lo ? lo : n;
    return n > hi ? hi : n;
}

static inline double clamp_double(double v, double lo, double hi) {
    v = v < lo ? lo : v;
    return v > hi ? hi : v;
}

static inline int64_t nearest_i64(long double v) {
    return v >= 0x1p63L ? INT64_MAX : v <= -0x1p63L ? INT64_MIN : (int64_t)rintl(v);
}

static inline uint64_t nearest_u64(long double v) {
    v = rintl(v);
    return v >= 0x1p64L ? UINT64_MAX : v <= 0 ? 0 : (uint64_t)v;
}

/* floor(sum / n + 0.5), also below zero (pixels.md 5). */
static inline int64_t half_up(int64_t sum, int64_t n) {
    int64_t quotient = sum / n, rest = sum % n;
    if (rest < 0) {
        rest += n;
        quotient--;
    }
    return quotient + (rest >= n - rest);
}

static inline uint64_t half_up_unsigned(uint64_t sum, uint64_t n) {
    uint64_t quotient = sum / n, rest = sum % n;
    return quotient + (rest >= n - rest);
}

static inline int128 half_up_wide(int128 sum, int64_t n) {
    if ((n & (n - 1)) == 0)
        return (sum + n / 2) >> __builtin_ctzll((unsigned long long)n);
    int128 quotient = sum / n, rest = sum % n;
    if (rest < 0) {
        rest += n;
        quotient--;
    }
    return quotient + (rest >= n - rest);
}

/* The same for |sum| <= n * 2^16, n <= 2^16, on a unit that vectorises. Adding 2^16 makes
 * it positive; half a count keeps the quotient away from whole numbers by more than the
 * rounding error, so that truncation is exact. */
static inline int32_t half_up_small(double sum, double n, double inverse) {
    return (int32_t)((2 * sum + (0x1p17 * n + n + 0.5)) * inverse) - 0x10000;
}

#endif
