/* pyramid: one set of row kernels. Included by one .c file per instruction set, which
 * defines NGFF_KERNEL_SET (the table) and NGFF_KERNEL_NAME. Plain C throughout: the
 * compiler vectorises it for whatever that file is compiled for. */
#include "pyramid/kernels_bits.h"

#define CAT_(a, b) a##_##b
#define CAT(a, b) CAT_(a, b)
#define FN(name) CAT(name, NAME)
#define UNALIGNED __attribute__((aligned(1), may_alias))
#ifdef NGFF_KERNELS_SMALL /* the same code, one copy of each: for sanitizers */
#define ALWAYS_INLINE static __attribute__((noinline))
#else
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#endif
/* A loop that is to be vectorised, not unrolled beforehand; and a short one inside of it
 * that has to be unrolled for that. */
#ifdef __clang__
#define ROLLED _Pragma("clang loop unroll(disable)")
#define UNROLLED _Pragma("clang loop unroll(full)")
#else
#define ROLLED _Pragma("GCC unroll 1")
#define UNROLLED _Pragma("GCC unroll 8")
#endif

enum {
    STRIP = 1024, /* accumulators held at once: they stay in the first-level cache */
    FEW_PAIRS = 5
};

/* ---- filter passes per accumulator ----------------------------------------------------
 */

#define F float
#define NAME f4
#include "pyramid/kernels_acc.h"
#define F double
#define NAME f8
#include "pyramid/kernels_acc.h"
#define F long double
#define NAME fx
#include "pyramid/kernels_acc.h"

/* ---- integers -------------------------------------------------------------------------
 */

#define FLOAT_KEYS 0
#define RAW(x) (x)
#define KEY(x) (x)
#define UNKEY(k) (k)
#define KEY_IGNORED(x) (x)
#define UNKEY_IGNORED(k) (k)
#define MIDDLE(a, b, top)                                                                \
    (((a) | (b)) - (((a) ^ (b)) >> 1)) /* floor((a + b + 1) / 2)                         \
                                        */
#define LOAD(x) ((ACC)(x))
#define WIDE int128
#define MEAN_WIDE(s) half_up_wide(s, n)
#define MEAN_SHIFT(s) (((s) + half) >> shift)

#define MEAN_PAIRS 1

/* 8 and 16 bits: sums in 32 bits, filtered in float. */
#define MEAN_LIMIT 0x10000
#define MEAN_CONSTANTS(n)                                                                \
    bool is_power = ((n) & ((n)-1)) == 0;                                                \
    ACC half = (ACC)((n) / 2);                                                           \
    int shift = __builtin_ctzll((unsigned long long)(n));                                \
    double inverse = 1.0 / (2.0 * (double)(n))
#define MEAN_DIVIDE(s) half_up_small((double)(s), (double)n, inverse)
#define F float
#define LOADF(x) ((float)(x))
/* Exact either way; whole numbers have one conversion less. */
#define PAIR_TERM(a, b, c) ((float)(((a) - (c)) + ((b) - (c))))

#define NAME u8
#define T uint8_t
#define K uint8_t
#define PAIR uint16_t
#define FLIP 0u
#define ACC uint32_t
#define STOREF(v) nearest_within(v, 0, UINT8_MAX)
#include "pyramid/kernels_type.h"
#define NAME u16
#define T uint16_t
#define K uint16_t
#define PAIR uint32_t
#define FLIP 0u
#define STOREF(v) nearest_within(v, 0, UINT16_MAX)
#include "pyramid/kernels_type.h"
#undef ACC
#define ACC int32_t
#define NAME i8
#define T int8_t
#define K int8_t
#define PAIR uint16_t
#define FLIP 0x80u
#define STOREF(v) nearest_within(v, INT8_MIN, INT8_MAX)
#include "pyramid/kernels_type.h"
#define NAME i16
#define T int16_t
#define K int16_t
#define PAIR uint32_t
#define FLIP 0x8000u
#define STOREF(v) nearest_within(v, INT16_MIN, INT16_MAX)
#include "pyramid/kernels_type.h"
#undef ACC
#undef MEAN_LIMIT
#undef MEAN_CONSTANTS
#undef MEAN_DIVIDE
#undef F
#undef LOADF

/* Half up instead of ties to even (pixels.md 9); the rest of bool is uint8. */
static void store_bool(const void *row, int64_t n, void *dst) {
    const float *in = row;
    uint8_t *restrict out = dst;
    for (int64_t i = 0; i < n; i++)
        out[i] = in[i] >= 0.5f;
}

#undef PAIR_TERM
#define PAIR_TERM(a, b, c) ((LOADF(a) - LOADF(c)) + (LOADF(b) - LOADF(c)))

/* 32 bits: sums in 64 bits, filtered in double. */
#define MEAN_LIMIT 0x7fffffff
#define MEAN_CONSTANTS(n)                                                                \
    bool is_power = ((n) & ((n)-1)) == 0;                                                \
    ACC half = (ACC)((n) / 2);                                                           \
    int shift = __builtin_ctzll((unsigned long long)(n))
#define F double
#define LOADF(x) ((double)(x))

#define NAME u32
#define T uint32_t
#define K uint32_t
#define PAIR uint64_t
#define FLIP 0u
#define ACC uint64_t
#define MEAN_DIVIDE(s) half_up_unsigned(s, (uint64_t)n)
#define STOREF(v) nearest_double(clamp_double(v, 0, UINT32_MAX))
#include "pyramid/kernels_type.h"
#undef ACC
#undef MEAN_DIVIDE
#define NAME i32
#define T int32_t
#define K int32_t
#define PAIR uint64_t
#define FLIP 0x80000000u
#define ACC int64_t
#define MEAN_DIVIDE(s) half_up(s, n)
#define STOREF(v) nearest_double(clamp_double(v, INT32_MIN, INT32_MAX))
#include "pyramid/kernels_type.h"
#undef ACC
#undef MEAN_LIMIT
#undef MEAN_DIVIDE
#undef F
#undef LOADF

#undef MEAN_PAIRS
#define MEAN_PAIRS 0

/* 64 bits: sums in 128 bits, filtered in long double. */
#define MEAN_LIMIT INT64_MAX
#define MEAN_DIVIDE(s) half_up_wide(s, n)
#define ACC int128
#define F long double
#define LOADF(x) ((long double)(x))
#define NAME u64
#define T uint64_t
#define K uint64_t
#define STOREF(v) nearest_u64(v)
#include "pyramid/kernels_type.h"
#define NAME i64
#define T int64_t
#define K int64_t
#define STOREF(v) nearest_i64(v)
#include "pyramid/kernels_type.h"
#undef ACC
#undef MEAN_LIMIT
#undef MEAN_CONSTANTS
#undef MEAN_DIVIDE
#undef F
#undef LOADF
#undef FLOAT_KEYS
#undef RAW
#undef KEY
#undef UNKEY
#undef KEY_IGNORED
#undef UNKEY_IGNORED
#undef MIDDLE
#undef LOAD
#undef WIDE
#undef MEAN_WIDE
#undef MEAN_SHIFT

/* ---- floats
 * ------------------------------------------------------------------------------ */

#define FLOAT_KEYS 1
#define RAW(x) FN(raw)(x)
#define KEY(x) FN(key)(RAW(x))
#define UNKEY(k) FN(unkey)(k)
#define KEY_IGNORED(x) FN(key_ignored)(RAW(x))
#define UNKEY_IGNORED(k) FN(unkey_ignored)(k)
#define MIDDLE(a, b, top) FN(middle)(a, b, top)
#define WIDE ACC
#define MEAN_LIMIT INT64_MAX
#define MEAN_CONSTANTS(n) const bool is_power = false
#define MEAN_SHIFT(s) MEAN_DIVIDE(s)
#define MEAN_WIDE(s) MEAN_DIVIDE(s)

#define NAME f16
#define T uint16_t
#define K int16_t
#define BITS uint16_t
#define NAN_KEY 0x7e00
#include "pyramid/kernels_key.h"
static inline uint16_t middle_f16(int16_t a, int16_t b, int16_t top) {
    float low = from_half(unkey_f16(a)), high = from_half(unkey_f16(b));
    return top == 0x7e00 ? 0x7e00 : to_half((low + high) * 0.5f);
}
#define ACC float
#define LOAD(x) from_half(x)
#define MEAN_DIVIDE(s) to_half((s) / (float)n)
#define F float
#define LOADF(x) from_half(x)
#define STOREF(v) to_half(v)
#include "pyramid/kernels_type.h"
#undef ACC
#undef LOAD
#undef MEAN_DIVIDE
#undef F
#undef LOADF

#define ACC double
#define LOAD(x) ((double)(x))
#define F double
#define LOADF(x) ((double)(x))
#define NAME f32
#define T float
#define K int32_t
#define BITS uint32_t
#define NAN_KEY 0x7fc00000
#include "pyramid/kernels_key.h"
static inline float middle_f32(int32_t a, int32_t b, int32_t top) {
    double low = unkey_f32(a), high = unkey_f32(b);
    return top == 0x7fc00000 ? float_of(0x7fc00000u)
                             : one_nan((float)((low + high) * 0.5));
}
#define MEAN_DIVIDE(s) one_nan((float)((s) / (double)n))
#define STOREF(v) one_nan((float)(v))
#include "pyramid/kernels_type.h"
#undef MEAN_DIVIDE

#define NAME f64
#define T double
#define K int64_t
#define BITS uint64_t
#define NAN_KEY 0x7ff8000000000000
#include "pyramid/kernels_key.h"
static inline double middle_f64(int64_t a, int64_t b, int64_t top) {
    double low = unkey_f64(a), high = unkey_f64(b);
    double mean = (low + high) * 0.5;
    mean = mean - mean != 0 ? low * 0.5 + high * 0.5 : mean; /* the sum may overflow */
    return top == 0x7ff8000000000000 ? double_of(0x7ff8000000000000u)
                                     : one_nan_double(mean);
}
#define MEAN_DIVIDE(s) one_nan_double((s) / (double)n)
#define STOREF(v) one_nan_double(v)
#include "pyramid/kernels_type.h"
#undef MEAN_DIVIDE

/* ---- the table
 * --------------------------------------------------------------------------- */

#define GAUSS(name, acc, size)                                                           \
    { size, source_pass_##name, again_pass_##acc, load_##name, split_##acc, store_##name }
#define KERNELS(name, acc, size)                                                         \
    {                                                                                    \
        mean_##name, mode_##name, median_##name, min_##name, max_##name,                 \
            GAUSS(name, acc, size)                                                       \
    }

const ngff_kernels NGFF_KERNEL_SET = {
    NGFF_KERNEL_NAME,
    {
        [NGFF_BOOL] = {mean_u8,
                       mode_u8,
                       median_u8,
                       min_u8,
                       max_u8,
                       {sizeof(float), source_pass_u8, again_pass_f4, load_u8, split_f4,
                        store_bool}},
        [NGFF_INT8] = KERNELS(i8, f4, sizeof(float)),
        [NGFF_INT16] = KERNELS(i16, f4, sizeof(float)),
        [NGFF_INT32] = KERNELS(i32, f8, sizeof(double)),
        [NGFF_INT64] = KERNELS(i64, fx, sizeof(long double)),
        [NGFF_UINT8] = KERNELS(u8, f4, sizeof(float)),
        [NGFF_UINT16] = KERNELS(u16, f4, sizeof(float)),
        [NGFF_UINT32] = KERNELS(u32, f8, sizeof(double)),
        [NGFF_UINT64] = KERNELS(u64, fx, sizeof(long double)),
        [NGFF_FLOAT16] = KERNELS(f16, f4, sizeof(float)),
        [NGFF_FLOAT32] = KERNELS(f32, f8, sizeof(double)),
        [NGFF_FLOAT64] = KERNELS(f64, f8, sizeof(double)),
    }};
