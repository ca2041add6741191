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

/* ---- vectors: 16 items at a time
 * ---------------------------------------------------------- */

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

#endif

/* ---- bytes
 * ---------------------------------------------------------------------------------- */

static void copy_rest(const unsigned char *in, size_t done, size_t size,
                      unsigned char *out) {
    if (size > done)
        memcpy(out + done, in + done, size - done);
}

void ngff_shuffle_bytes(size_t typesize, const unsigned char *in, size_t size,
                        unsigned char *out) {
    assert(typesize > 0);
    size_t items = size / typesize;
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
    size_t first = unshuffle_vectors(typesize, in, items, out);
    for (size_t i = first; i < items; i++) {
        for (size_t k = 0; k < typesize; k++)
            out[i * typesize + k] = in[k * items + i];
    }
    copy_rest(in, items * typesize, size, out);
}

/* ---- bits
 * ----------------------------------------------------------------------------------- */

/* Transposes an 8x8 bit matrix held as eight bytes, row 0 in the lowest byte. */
static uint64_t transpose8(uint64_t x) {
    uint64_t t = (x ^ (x >> 7)) & 0x00aa00aa00aa00aaULL;
    x ^= t ^ (t << 7);
    t = (x ^ (x >> 14)) & 0x0000cccc0000ccccULL;
    x ^= t ^ (t << 14);
    t = (x ^ (x >> 28)) & 0x00000000f0f0f0f0ULL;
    return x ^ t ^ (t << 28);
}

/* Row k * 8 + b of the shuffled block holds bit b of byte k of every item, eight items a
 * byte. */
void ngff_shuffle_bits(size_t typesize, const unsigned char *in, size_t size,
                       unsigned char *out) {
    assert(typesize > 0);
    size_t items = size / typesize;
    if (items % 8 != 0) {
        copy_rest(in, 0, size, out);
        return;
    }
    size_t row = items / 8;
    for (size_t k = 0; k < typesize; k++) {
        for (size_t i = 0; i < row; i++) {
            uint64_t x = 0;
            for (size_t j = 0; j < 8; j++)
                x |= (uint64_t)in[(i * 8 + j) * typesize + k] << (8 * j);
            x = transpose8(x);
            for (size_t b = 0; b < 8; b++)
                out[(k * 8 + b) * row + i] = (unsigned char)(x >> (8 * b));
        }
    }
    copy_rest(in, items * typesize, size, out);
}

void ngff_unshuffle_bits(size_t typesize, const unsigned char *in, size_t size,
                         unsigned char *out) {
    assert(typesize > 0);
    size_t items = size / typesize;
    if (items % 8 != 0) {
        copy_rest(in, 0, size, out);
        return;
    }
    size_t row = items / 8;
    for (size_t k = 0; k < typesize; k++) {
        for (size_t i = 0; i < row; i++) {
            uint64_t x = 0;
            for (size_t b = 0; b < 8; b++)
                x |= (uint64_t)in[(k * 8 + b) * row + i] << (8 * b);
            x = transpose8(x);
            for (size_t j = 0; j < 8; j++)
                out[(i * 8 + j) * typesize + k] = (unsigned char)(x >> (8 * j));
        }
    }
    copy_rest(in, items * typesize, size, out);
}
