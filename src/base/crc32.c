/* base: folding for CRC-32 (the reflected one of ZIP, 0x04c11db7) with carry-less
 * products of 512 bits. A message is a polynomial over bits; what lies D bits before its
 * end may be replaced by its product with x^D mod P, which is short, and added to what
 * lies there. So four lines of 64 bytes swallow the next four, and at the end each
 * other, until 16 bytes are left. */
#include "base/base.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define WIDE __attribute__((target("avx512f,avx512vl,vpclmulqdq,pclmul,sse4.1")))
enum { LINES = 4, LINE = 64, BLOCK = LINES * LINE };

/* x^(D + 32) and x^(D - 32) mod P, bits reversed, for the low and the high half of 16
 * bytes that move by D bits. */
enum { BY_128, BY_256, BY_384, BY_512, BY_1024, BY_1536, BY_2048 };
static const long long factor[][2] = {
    [BY_128] = {0x1751997d0, 0x0ccaa009e},  [BY_256] = {0x0f1da05aa, 0x15a546366},
    [BY_384] = {0x03db1ecdc, 0x174359406},  [BY_512] = {0x154442bd4, 0x1c6e41596},
    [BY_1024] = {0x1e88ef372, 0x14a7fe880}, [BY_1536] = {0x1821d8bc0, 0x12e958ac4},
    [BY_2048] = {0x11542778a, 0x1322d1430},
};

WIDE static __m512i moved(__m512i line, int by) {
    __m512i f = _mm512_broadcast_i32x4(_mm_set_epi64x(factor[by][1], factor[by][0]));
    return _mm512_xor_si512(_mm512_clmulepi64_epi128(line, f, 0x00),
                            _mm512_clmulepi64_epi128(line, f, 0x11));
}

WIDE static __m128i moved_part(__m128i part, int by) {
    __m128i f = _mm_set_epi64x(factor[by][1], factor[by][0]);
    return _mm_xor_si128(_mm_clmulepi64_si128(part, f, 0x00),
                         _mm_clmulepi64_si128(part, f, 0x11));
}

WIDE static size_t fold(uint32_t crc, const unsigned char *p, size_t size,
                        unsigned char *rest) {
    size_t at = BLOCK;
    __m512i line[LINES];
    for (size_t i = 0; i < LINES; i++)
        line[i] = _mm512_loadu_si512(p + i * LINE);
    line[0] =
        _mm512_xor_si512(line[0], _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)~crc)));
    for (; size - at >= BLOCK; at += BLOCK) {
        for (size_t i = 0; i < LINES; i++)
            line[i] = _mm512_xor_si512(moved(line[i], BY_2048),
                                       _mm512_loadu_si512(p + at + i * LINE));
    }
    __m512i one = _mm512_xor_si512(
        _mm512_xor_si512(moved(line[0], BY_1536), moved(line[1], BY_1024)),
        _mm512_xor_si512(moved(line[2], BY_512), line[3]));
    __m128i sum = moved_part(_mm512_extracti32x4_epi32(one, 0), BY_384);
    sum = _mm_xor_si128(sum, moved_part(_mm512_extracti32x4_epi32(one, 1), BY_256));
    sum = _mm_xor_si128(sum, moved_part(_mm512_extracti32x4_epi32(one, 2), BY_128));
    sum = _mm_xor_si128(sum, _mm512_extracti32x4_epi32(one, 3));
    _mm_storeu_si128((__m128i *)(void *)rest, sum);
    return at;
}

static bool can_fold(void) {
    return __builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("pclmul");
}

size_t ngff_crc32_fold(uint32_t crc, const void *data, size_t size,
                       unsigned char rest[16]) {
    return size >= 4 * (size_t)BLOCK && can_fold() ? fold(crc, data, size, rest) : 0;
}
#else
size_t ngff_crc32_fold(uint32_t crc, const void *data, size_t size,
                       unsigned char rest[16]) {
    (void)crc;
    (void)data;
    (void)size;
    (void)rest;
    return 0;
}
#endif
