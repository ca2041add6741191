/* Bytes from outside: truncated, flipped, lying about their size. Nothing but a clear
 * error or a result of the right size may come of them; the sanitizers watch. */
#include "codec/chains.h"

static const int64_t SHAPE[2] = {40, 50};
enum { BYTES = 40 * 50 * 2 };

static const char *const CHAINS[] = {
    "[{\"name\":\"bytes\",\"configuration\":{\"endian\":\"little\"}}]",
    "[{\"name\":\"bytes\",\"configuration\":{\"endian\":\"big\"}},\"crc32c\"]",
    "[{\"name\":\"bytes\",\"configuration\":{\"endian\":\"little\"}},"
    "{\"name\":\"zstd\",\"configuration\":{\"level\":3}}]",
    "[{\"name\":\"bytes\",\"configuration\":{\"endian\":\"little\"}},"
    "{\"name\":\"gzip\",\"configuration\":{\"level\":3}}]",
    "[{\"name\":\"bytes\",\"configuration\":{\"endian\":\"little\"}},"
    "{\"name\":\"numcodecs.zlib\",\"configuration\":{\"level\":3}}]",
    "[{\"name\":\"bytes\",\"configuration\":{\"endian\":\"little\"}},"
    "{\"name\":\"numcodecs.lz4\",\"configuration\":{}}]",
#define BLOSC(cname, shuffle)                                                            \
    "[{\"name\":\"bytes\",\"configuration\":{\"endian\":\"little\"}},"                   \
    "{\"name\":\"blosc\",\"configuration\":{\"typesize\":2,\"cname\":\"" cname           \
    "\",\"clevel\":5,\"shuffle\":\"" shuffle "\",\"blocksize\":1024}}]"
    BLOSC("lz4", "shuffle"),
    BLOSC("blosclz", "bitshuffle"),
    BLOSC("zstd", "noshuffle"),
    BLOSC("zlib", "shuffle"),
    BLOSC("lz4", "noshuffle"),
    BLOSC("blosclz", "noshuffle"),
};
enum { CHAIN_COUNT = sizeof CHAINS / sizeof CHAINS[0] };

static ngff_status try_decode(const ngff_codec_chain *chain, ngff_codec_ctx *ctx,
                              const unsigned char *bytes, size_t size) {
    unsigned char *exact = malloc(size ? size : 1), *out = malloc(BYTES);
    ngff_view v;
    ngff_error err = {0};
    if (size)
        memcpy(exact, bytes, size);
    ngff_view_init(&v, out, NGFF_UINT16, 2, SHAPE);
    ngff_status status = ngff_codec_decode(chain, ctx, exact, size, &v, &err);
    if (status != NGFF_OK)
        assert_true(strlen(err.message) > 0);
    free(exact);
    free(out);
    return status;
}

static void broken_bytes(void **state) {
    (void)state;
    uint64_t seed = 17;
    unsigned char pixels[BYTES];
    ngff_codec_ctx *ctx = NULL;
    assert_int_equal(ngff_codec_ctx_create(NULL, &ctx, NULL), NGFF_OK);
    for (int c = 0; c < CHAIN_COUNT; c++) {
        ngff_codec_chain *chain = NULL;
        ngff_error err = {0};
        ngff_view v;
        const void *bytes;
        size_t size;
        if (chain_v3(CHAINS[c], NGFF_UINT16, 2, SHAPE, &chain, &err) != NGFF_OK)
            fail_msg("%s", err.message);
        paint(pixels, BYTES, 2, &seed);
        ngff_view_init(&v, pixels, NGFF_UINT16, 2, SHAPE);
        assert_int_equal(ngff_codec_encode(chain, ctx, &v, &bytes, &size, &err), NGFF_OK);
        unsigned char *good = malloc(size), *bad = malloc(size + 9);
        memcpy(good, bytes, size);
        for (size_t n = 0; n < size; n += 1 + n / 20) /* cut short: never accepted */
            assert_int_not_equal(try_decode(chain, ctx, good, n), NGFF_OK);
        for (int k = 0; k < 800; k++) {
            memcpy(bad, good, size);
            for (int64_t flips = random_range(&seed, 1, 4); flips > 0; flips--) {
                int64_t span = k % 2 ? (int64_t)size : ngff_min_i64((int64_t)size, 40);
                bad[random_range(&seed, 0, span - 1)] =
                    (unsigned char)random_range(&seed, 0, 255);
            }
            (void)try_decode(chain, ctx, bad, size);
        }
        for (int k = 0; k < 200; k++) { /* pure noise */
            for (size_t i = 0; i < size; i++)
                bad[i] = (unsigned char)random_range(&seed, 0, 255);
            (void)try_decode(chain, ctx, bad, size);
        }
        free(good);
        free(bad);
        ngff_codec_chain_close(&chain);
    }
    ngff_codec_ctx_close(&ctx);
}

/* A chunk that is really of another size, smaller or larger than the metadata says. */
static void wrong_size(void **state) {
    (void)state;
    static const int64_t sizes[][2] = {{40, 49}, {40, 51}, {1, 1}, {400, 500}};
    ngff_codec_ctx *ctx = NULL;
    assert_int_equal(ngff_codec_ctx_create(NULL, &ctx, NULL), NGFF_OK);
    for (int c = 0; c < CHAIN_COUNT; c++) {
        for (int k = 0; k < 4; k++) {
            ngff_codec_chain *theirs = NULL, *ours = NULL;
            ngff_view v;
            const void *bytes;
            size_t size;
            assert_int_equal(chain_v3(CHAINS[c], NGFF_UINT16, 2, sizes[k], &theirs, NULL),
                             0);
            assert_int_equal(chain_v3(CHAINS[c], NGFF_UINT16, 2, SHAPE, &ours, NULL), 0);
            void *pixels = calloc((size_t)(sizes[k][0] * sizes[k][1]), 2);
            ngff_view_init(&v, pixels, NGFF_UINT16, 2, sizes[k]);
            assert_int_equal(ngff_codec_encode(theirs, ctx, &v, &bytes, &size, NULL),
                             NGFF_OK);
            unsigned char *copy = malloc(size);
            memcpy(copy, bytes, size);
            assert_int_equal(try_decode(ours, ctx, copy, size), NGFF_FORMAT);
            free(copy);
            free(pixels);
            ngff_codec_chain_close(&theirs);
            ngff_codec_chain_close(&ours);
        }
    }
    ngff_codec_ctx_close(&ctx);
}

/* A few bytes for a chunk of 2 GiB: refused before memory is taken. */
static void bomb(void **state) {
    (void)state;
    static const int64_t huge[2] = {1 << 15, 1 << 15},
                         more[2] = {INT64_C(1) << 31, 1 << 20};
    ngff_codec_ctx *ctx = NULL;
    ngff_codec_chain *chain = NULL;
    unsigned char bytes[64] = {0};
    ngff_error err = {0};
    ngff_view v;
    assert_int_equal(ngff_codec_ctx_create(NULL, &ctx, NULL), NGFF_OK);
    assert_int_equal(chain_v3(CHAINS[2], NGFF_UINT16, 2, huge, &chain, &err), NGFF_OK);
    ngff_view_init(&v, bytes, NGFF_UINT16, 2, huge);
    v.strides[0] = v.strides[1] =
        0; /* not packed: a buffer of the declared size is needed */
    assert_int_equal(ngff_codec_decode(chain, ctx, bytes, sizeof bytes, &v, &err),
                     NGFF_FORMAT);
    ngff_codec_chain_close(&chain);
    ngff_error_clear(&err);
    assert_int_equal(chain_v3(CHAINS[2], NGFF_UINT16, 2, more, &chain, &err), NGFF_LIMIT);
    assert_null(chain);
    ngff_codec_ctx_close(&ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_bytes),
        cmocka_unit_test(wrong_size),
        cmocka_unit_test(bomb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
