/* codec: the byte and bit transpositions of blosc (and of numcodecs' shuffle filter),
 * with vector twins for items of 2, 4 and 8 bytes. A block stays in the cache, so the
 * plain loops are written to stream through one side. */
#include "codec/chain.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#define HAVE_VECTORS 1
#else
#define HAVE_VECTORS 0
#endif

/* Items that the bit shuffle takes at a time: 16 bytes of every row. */
enum { GROUP = 128, GROUP_TYPESIZE = 16 };

/* Transposes an 8x8 bit matrix held as eight bytes, row 0 in the lowest byte. */
static uint64_t transpose8(uint64_t x) {
    uint64_t t = (x ^ (x >> 7)) & 0x00aa00aa00aa00aaULL;
    x ^= t ^ (t << 7);
    t = (x ^ (x >> 14)) & 0x0000cccc0000ccccULL;
    x ^= t ^ (t << 14);
    t = (x ^ (x >> 28)) & 0x00000000f0f0f0f0ULL;
    return x ^ t ^ (t << 28);
}

/* Eight bytes, `step` apart, to one byte in each of eight rows, `row` apart; and back. */
static void bits_of_eight(const unsigned char *in, size_t step, size_t row,
                          unsigned char *out) {
    uint64_t x = 0;
    for (size_t j = 0; j < 8; j++)
        x |= (uint64_t)in[j * step] << (8 * j);
    x = transpose8(x);
    for (size_t b = 0; b < 8; b++)
        out[b * row] = (unsigned char)(x >> (8 * b));
}

static void eight_of_bits(const unsigned char *in, size_t row, size_t step,
                          unsigned char *out) {
    uint64_t x = 0;
    for (size_t b = 0; b < 8; b++)
        x |= (uint64_t)in[b * row] << (8 * b);
    x = transpose8(x);
    for (size_t j = 0; j < 8; j++)
        out[j * step] = (unsigned char)(x >> (8 * j));
}

/* ---- vectors: 16 items at a time ---- */

#if HAVE_VECTORS

static __m128i load(const unsigned char *p) {
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static void save(unsigned char *p, __m128i v) {
    _mm_storeu_si128((__m128i *)(void *)p, v);
}

/* One round of interleaving halves: log2(16 * typesize / 16) rounds bring the planes
 * together, and four minus that take them apart, because 2^4 rounds of a 16-lane riffle
 * are the identity. */
static void riffle(__m128i *v, int count) {
    __m128i t[8];
    for (int i = 0; i < count / 2; i++) {
        t[2 * i] = _mm_unpacklo_epi8(v[i], v[i + count / 2]);
        t[2 * i + 1] = _mm_unpackhi_epi8(v[i], v[i + count / 2]);
    }
    for (int i = 0; i < count; i++)
        v[i] = t[i];
}

/* `typesize` is a constant in every call, which lets the compiler keep `v` in registers.
 */
static inline __attribute__((always_inline)) size_t gather_planes(const int typesize,
                                                                  const unsigned char *in,
                                                                  size_t items,
                                                                  unsigned char *out) {
    const int rounds = typesize == 2 ? 1 : typesize == 4 ? 2 : 3;
    size_t i = 0;
    for (; i + 16 <= items; i += 16) {
        __m128i v[8];
        for (int k = 0; k < typesize; k++)
            v[k] = load(in + (size_t)k * items + i);
        for (int r = 0; r < rounds; r++)
            riffle(v, typesize);
        for (int k = 0; k < typesize; k++)
            save(out + i * (size_t)typesize + 16 * (size_t)k, v[k]);
    }
    return i;
}

static inline __attribute__((always_inline)) size_t split_planes(const int typesize,
                                                                 const unsigned char *in,
                                                                 size_t items,
                                                                 unsigned char *out) {
    size_t i = 0;
    for (; i + 16 <= items; i += 16) {
        __m128i v[8];
        for (int k = 0; k < typesize; k++)
            v[k] = load(in + i * (size_t)typesize + 16 * (size_t)k);
        for (int r = 0; r < 4; r++)
            riffle(v, typesize);
        for (int k = 0; k < typesize; k++)
            save(out + (size_t)k * items + i, v[k]);
    }
    return i;
}

static size_t unshuffle_vectors(size_t typesize, const unsigned char *in, size_t items,
                                unsigned char *out) {
    switch (typesize) {
    case 2:
        return gather_planes(2, in, items, out);
    case 4:
        return gather_planes(4, in, items, out);
    case 8:
        return gather_planes(8, in, items, out);
    default:
        return 0;
    }
}

static size_t shuffle_vectors(size_t typesize, const unsigned char *in, size_t items,
                              unsigned char *out) {
    switch (typesize) {
    case 2:
        return split_planes(2, in, items, out);
    case 4:
        return split_planes(4, in, items, out);
    case 8:
        return split_planes(8, in, items, out);
    default:
        return 0;
    }
}

/* transpose8 of both halves. */
static __m128i transpose8x2(__m128i x) {
    const __m128i m1 = _mm_set1_epi64x(0x00aa00aa00aa00aaLL);
    const __m128i m2 = _mm_set1_epi64x(0x0000cccc0000ccccLL);
    const __m128i m3 = _mm_set1_epi64x(0x00000000f0f0f0f0LL);
    __m128i t = _mm_and_si128(_mm_xor_si128(x, _mm_srli_epi64(x, 7)), m1);
    x = _mm_xor_si128(x, _mm_xor_si128(t, _mm_slli_epi64(t, 7)));
    t = _mm_and_si128(_mm_xor_si128(x, _mm_srli_epi64(x, 14)), m2);
    x = _mm_xor_si128(x, _mm_xor_si128(t, _mm_slli_epi64(t, 14)));
    t = _mm_and_si128(_mm_xor_si128(x, _mm_srli_epi64(x, 28)), m3);
    return _mm_xor_si128(x, _mm_xor_si128(t, _mm_slli_epi64(t, 28)));
}

/* 128 bytes of one plane become 16 bytes in each of its eight bit rows, and back. */
static void plane_to_bits(const unsigned char *plane, size_t row, unsigned char *out) {
    __m128i v[8];
    for (int i = 0; i < 8; i++)
        v[i] = transpose8x2(load(plane + 16 * i));
    for (int r = 0; r < 4; r++)
        riffle(v, 8);
    for (int b = 0; b < 8; b++)
        save(out + (size_t)b * row, v[b]);
}

static void bits_to_plane(const unsigned char *in, size_t row, unsigned char *plane) {
    __m128i v[8];
    for (int b = 0; b < 8; b++)
        v[b] = load(in + (size_t)b * row);
    for (int r = 0; r < 3; r++)
        riffle(v, 8);
    for (int i = 0; i < 8; i++)
        save(plane + 16 * i, transpose8x2(v[i]));
}

#else

static size_t unshuffle_vectors(size_t typesize, const unsigned char *in, size_t items,
                                unsigned char *out) {
    (void)typesize, (void)in, (void)items, (void)out;
    return 0;
}

static size_t shuffle_vectors(size_t typesize, const unsigned char *in, size_t items,
                              unsigned char *out) {
    (void)typesize, (void)in, (void)items, (void)out;
    return 0;
}

static void plane_to_bits(const unsigned char *plane, size_t row, unsigned char *out) {
    for (size_t i = 0; i < GROUP / 8; i++)
        bits_of_eight(plane + 8 * i, 1, row, out + i);
}

static void bits_to_plane(const unsigned char *in, size_t row, unsigned char *plane) {
    for (size_t i = 0; i < GROUP / 8; i++)
        eight_of_bits(in + i, row, 1, plane + 8 * i);
}

#endif

/* ---- bytes ---- */

static void copy_rest(const unsigned char *in, size_t done, size_t size,
                      unsigned char *out) {
    if (size > done)
        memcpy(out + done, in + done, size - done);
}

void ngff_shuffle_bytes(size_t typesize, const unsigned char *in, size_t size,
                        unsigned char *out) {
    assert(typesize > 0);
    size_t items = size / typesize;
    if (typesize == 1) {
        copy_rest(in, 0, size, out);
        return;
    }
    size_t first = shuffle_vectors(typesize, in, items, out);
    for (size_t k = 0; k < typesize; k++) {
        for (size_t i = first; i < items; i++)
            out[k * items + i] = in[i * typesize + k];
    }
    copy_rest(in, items * typesize, size, out);
}

void ngff_unshuffle_bytes(size_t typesize, const unsigned char *in, size_t size,
                          unsigned char *out) {
    assert(typesize > 0);
    size_t items = size / typesize;
    if (typesize == 1) {
        copy_rest(in, 0, size, out);
        return;
    }
    size_t first = unshuffle_vectors(typesize, in, items, out);
    for (size_t i = first; i < items; i++) {
        for (size_t k = 0; k < typesize; k++)
            out[i * typesize + k] = in[k * items + i];
    }
    copy_rest(in, items * typesize, size, out);
}

/* ---- bits ---- */

/* Row k * 8 + b of the shuffled block holds bit b of byte k of every item, eight items a
 * byte. Byte planes of a group of items come first, so that the byte loops above do the
 * other half. */
void ngff_shuffle_bits(size_t typesize, const unsigned char *in, size_t size,
                       unsigned char *out) {
    assert(typesize > 0);
    unsigned char planes[GROUP * GROUP_TYPESIZE];
    size_t items = size / typesize, row = items / 8, i = 0;
    if (items % 8 != 0) {
        copy_rest(in, 0, size, out);
        return;
    }
    for (; typesize <= GROUP_TYPESIZE && i + GROUP <= items; i += GROUP) {
        ngff_shuffle_bytes(typesize, in + i * typesize, GROUP * typesize, planes);
        for (size_t k = 0; k < typesize; k++)
            plane_to_bits(planes + GROUP * k, row, out + k * 8 * row + i / 8);
    }
    for (; i < items; i += 8) {
        for (size_t k = 0; k < typesize; k++)
            bits_of_eight(in + i * typesize + k, typesize, row,
                          out + k * 8 * row + i / 8);
    }
    copy_rest(in, items * typesize, size, out);
}

void ngff_unshuffle_bits(size_t typesize, const unsigned char *in, size_t size,
                         unsigned char *out) {
    assert(typesize > 0);
    unsigned char planes[GROUP * GROUP_TYPESIZE];
    size_t items = size / typesize, row = items / 8, i = 0;
    if (items % 8 != 0) {
        copy_rest(in, 0, size, out);
        return;
    }
    for (; typesize <= GROUP_TYPESIZE && i + GROUP <= items; i += GROUP) {
        for (size_t k = 0; k < typesize; k++)
            bits_to_plane(in + k * 8 * row + i / 8, row, planes + GROUP * k);
        ngff_unshuffle_bytes(typesize, planes, GROUP * typesize, out + i * typesize);
    }
    for (; i < items; i += 8) {
        for (size_t k = 0; k < typesize; k++)
            eight_of_bits(in + k * 8 * row + i / 8, row, typesize,
                          out + i * typesize + k);
    }
    copy_rest(in, items * typesize, size, out);
}
