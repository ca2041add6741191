/* Our Blosc1 reader and writer beside libblosc's: each reads what the other wrote. */
#include "codec/chain.h"
#include "codec/chains.h"

#include <blosc.h>

static const char *const CNAMES[] = {"lz4", "lz4hc", "zstd", "zlib", "blosclz"};

static ngff_status decode(ngff_codec_ctx *ctx, const void *bytes, size_t size, void *out,
                          size_t out_size, ngff_error *err) {
    ngff_codec_span span = {bytes, size}, got;
    ngff_codec_room room = {out, out_size};
    ngff_codec_stage stage = {.ops = &ngff_codec_ops_blosc};
    NGFF_TRY(ngff_codec_ops_blosc.decode(&stage, ctx, span, room, &got, err));
    assert_int_equal(got.size, out_size);
    if (got.data != out)
        memcpy(out, got.data, got.size);
    return NGFF_OK;
}

static void read_theirs(void **state) {
    (void)state;
    uint64_t seed = 3;
    ngff_codec_ctx *ctx = NULL;
    assert_int_equal(ngff_codec_ctx_create(NULL, &ctx, NULL), NGFF_OK);
    for (int i = 0; i < 1500; i++) {
        size_t size = (size_t)random_range(&seed, 0, i % 10 ? 20000 : 400000);
        size_t typesize = (size_t)random_range(&seed, 1, i % 3 ? 9 : 40);
        int level = (int)random_range(&seed, 0, 9),
            shuffle = (int)random_range(&seed, 0, 2);
        size_t block = i % 2 ? (size_t)random_range(&seed, 0, 5000) : 0;
        unsigned char *data = malloc(size + 1), *back = malloc(size + 1);
        unsigned char *chunk = malloc(size + BLOSC_MAX_OVERHEAD);
        paint(data, size, typesize, &seed);
        int made = blosc_compress_ctx(level, shuffle, typesize, size, data, chunk,
                                      size + BLOSC_MAX_OVERHEAD, CNAMES[i % 5], block, 1);
        assert_true(made > 0);
        unsigned char *exact = malloc((size_t)made);
        memcpy(exact, chunk, (size_t)made);
        ngff_error err = {0};
        if (decode(ctx, exact, (size_t)made, back, size, &err) != NGFF_OK)
            fail_msg("%s size %zu typesize %zu level %d shuffle %d block %zu: %s",
                     CNAMES[i % 5], size, typesize, level, shuffle, block, err.message);
        assert_memory_equal(back, data, size);
        free(exact);
        free(chunk);
        free(data);
        free(back);
    }
    ngff_codec_ctx_close(&ctx);
}

static void they_read_ours(void **state) {
    (void)state;
    uint64_t seed = 5;
    ngff_codec_ctx *ctx = NULL;
    assert_int_equal(ngff_codec_ctx_create(NULL, &ctx, NULL), NGFF_OK);
    for (int i = 0; i < 1000; i++) {
        size_t size = (size_t)random_range(&seed, 0, i % 10 ? 20000 : 600000);
        ngff_codec_stage stage = {.ops = &ngff_codec_ops_blosc};
        stage.typesize = (size_t)random_range(&seed, 1, i % 3 ? 9 : 40);
        stage.level = (int)random_range(&seed, 0, 9);
        stage.cname = (int[]){1, 2, 5, 4, 0}[i % 5];
        stage.shuffle = (ngff_shuffle)random_range(&seed, 1, 3);
        stage.blocksize = i % 2 ? (size_t)random_range(&seed, 0, 5000) : 0;
        unsigned char *data = malloc(size + 1), *back = malloc(size + 1);
        ngff_codec_room room = {NULL, ngff_codec_ops_blosc.bound(&stage, size)};
        room.data = malloc(room.size);
        ngff_codec_span in = {data, size}, made;
        if (i % 7) /* else incompressible */
            paint(data, size, stage.typesize, &seed);
        else
            for (size_t k = 0; k < size; k++)
                data[k] = (unsigned char)random_range(&seed, 0, 255);
        ngff_error err = {0};
        if (ngff_codec_ops_blosc.encode(&stage, ctx, in, room, &made, &err) != NGFF_OK)
            fail_msg("%s", err.message);
        assert_true(made.size <= room.size);
        assert_int_equal(blosc_decompress_ctx(made.data, back, size, 1), (int)size);
        assert_memory_equal(back, data, size);
        memset(back, 0, size);
        assert_int_equal(decode(ctx, made.data, made.size, back, size, &err), NGFF_OK);
        assert_memory_equal(back, data, size);
        free(room.data);
        free(data);
        free(back);
    }
    ngff_codec_ctx_close(&ctx);
}

/* The vector loops and the plain ones, at every alignment of the item count. */
static void shuffles(void **state) {
    (void)state;
    uint64_t seed = 11;
    unsigned char in[1200], a[1200], b[1200];
    for (size_t typesize = 1; typesize <= 17; typesize++) {
        for (size_t size = 0; size < 1200; size += 1 + size / 7) {
            paint(in, size, typesize, &seed);
            size_t items = size / typesize;
            ngff_shuffle_bytes(typesize, in, size, a);
            for (size_t i = 0; i < items; i++)
                for (size_t k = 0; k < typesize; k++)
                    assert_int_equal(a[k * items + i], in[i * typesize + k]);
            ngff_unshuffle_bytes(typesize, a, size, b);
            assert_memory_equal(b, in, size);
            ngff_shuffle_bits(typesize, in, size, a);
            for (size_t i = 0; items % 8 == 0 && i < items; i++)
                for (size_t k = 0; k < 8 * typesize; k++)
                    assert_int_equal(a[k * (items / 8) + i / 8] >> (i % 8) & 1,
                                     in[i * typesize + k / 8] >> (k % 8) & 1);
            ngff_unshuffle_bits(typesize, a, size, b);
            assert_memory_equal(b, in, size);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_theirs),
        cmocka_unit_test(they_read_ours),
        cmocka_unit_test(shuffles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
