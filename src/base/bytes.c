/* base: integers in bytes of a stated order. Compilers turn each of these into one load.
 */
#include "base/base.h"

#ifdef __SSE2__
#include <emmintrin.h>

/* Shorter ones are no burden to the caches. */
enum { ASIDE_LEAST = 16 << 10, LINE = 64 };

void ngff_copy_aside(void *dst, const void *src, size_t size) {
    char *to = dst;
    const char *from = src;
    size_t head = (LINE - (size_t)((uintptr_t)to % LINE)) % LINE, at = 0;
    if (size >= ASIDE_LEAST) {
        memcpy(to, from, head);
        for (at = head; at + LINE <= size; at += LINE) {
            for (size_t k = 0; k < LINE; k += sizeof(__m128i)) {
                __m128i v =
                    _mm_loadu_si128((const __m128i *)(const void *)(from + at + k));
                _mm_stream_si128((__m128i *)(void *)(to + at + k), v);
            }
        }
        _mm_sfence();
    }
    memcpy(to + at, from + at, size - at);
}
#else
void ngff_copy_aside(void *dst, const void *src, size_t size) {
    memcpy(dst, src, size);
}
#endif

uint16_t ngff_load_u16le(const void *p) {
    const unsigned char *b = p;
    return (uint16_t)(b[0] | b[1] << 8);
}

uint32_t ngff_load_u32le(const void *p) {
    const unsigned char *b = p;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
           (uint32_t)b[3] << 24;
}

uint64_t ngff_load_u64le(const void *p) {
    const unsigned char *b = p;
    return ngff_load_u32le(b) | (uint64_t)ngff_load_u32le(b + 4) << 32;
}

uint16_t ngff_load_u16be(const void *p) {
    const unsigned char *b = p;
    return (uint16_t)(b[0] << 8 | b[1]);
}

uint32_t ngff_load_u32be(const void *p) {
    const unsigned char *b = p;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 |
           (uint32_t)b[3];
}

uint64_t ngff_load_u64be(const void *p) {
    const unsigned char *b = p;
    return (uint64_t)ngff_load_u32be(b) << 32 | ngff_load_u32be(b + 4);
}

void ngff_store_u16le(void *p, uint16_t v) {
    unsigned char *b = p;
    b[0] = (unsigned char)v;
    b[1] = (unsigned char)(v >> 8);
}

void ngff_store_u32le(void *p, uint32_t v) {
    unsigned char *b = p;
    for (int i = 0; i < 4; i++)
        b[i] = (unsigned char)(v >> (8 * i));
}

void ngff_store_u64le(void *p, uint64_t v) {
    unsigned char *b = p;
    for (int i = 0; i < 8; i++)
        b[i] = (unsigned char)(v >> (8 * i));
}

bool ngff_host_is_little(void) {
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first == 1;
}
