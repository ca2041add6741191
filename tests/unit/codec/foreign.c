/* What only others write: bz2 and lzma of numcodecs, made here by the libraries. */
#include "codec/chains.h"

#include <bzlib.h>
#include <lzma.h>

static const int64_t SHAPE[2] = {60, 70};
enum { SIZE = 60 * 70 * 2, ROOM = 2 * SIZE };

static size_t make_bz2(const unsigned char *in, size_t size, unsigned char *out) {
    unsigned made = ROOM;
    assert_int_equal(BZ2_bzBuffToBuffCompress((char *)out, &made, (char *)(uintptr_t)in,
                                              (unsigned)size, 1, 0, 0),
                     BZ_OK);
    return made;
}

static size_t make_xz(const unsigned char *in, size_t size, unsigned char *out) {
    size_t made = 0;
    assert_int_equal(
        lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, NULL, in, size, out, &made, ROOM),
        LZMA_OK);
    return made;
}

static size_t make_alone(const unsigned char *in, size_t size, unsigned char *out) {
    lzma_options_lzma options;
    lzma_stream z = LZMA_STREAM_INIT;
    assert_false(lzma_lzma_preset(&options, 6));
    assert_int_equal(lzma_alone_encoder(&z, &options), LZMA_OK);
    z.next_in = in;
    z.avail_in = size;
    z.next_out = out;
    z.avail_out = ROOM;
    assert_int_equal(lzma_code(&z, LZMA_FINISH), LZMA_STREAM_END);
    lzma_end(&z);
    return ROOM - z.avail_out;
}

static ngff_status decode(const char *compressor, const unsigned char *bytes, size_t size,
                          unsigned char *pixels, ngff_error *err) {
    ngff_codec_chain *chain = NULL;
    ngff_codec_ctx *ctx = NULL;
    ngff_view v;
    unsigned char *exact = malloc(size + 1);
    memcpy(exact, bytes, size);
    assert_int_equal(ngff_codec_ctx_create(NULL, &ctx, NULL), NGFF_OK);
    assert_int_equal(
        chain_v2(compressor, "null", 'C', false, NGFF_UINT16, 2, SHAPE, &chain, err),
        NGFF_OK);
    ngff_view_init(&v, pixels, NGFF_UINT16, 2, SHAPE);
    ngff_status status = ngff_codec_decode(chain, ctx, exact, size, &v, err);
    ngff_codec_chain_close(&chain);
    ngff_codec_ctx_close(&ctx);
    free(exact);
    return status;
}

typedef size_t (*make_fn)(const unsigned char *in, size_t size, unsigned char *out);

static const struct {
    const char *compressor;
    make_fn make;
} KINDS[] = {
    {"{\"id\":\"bz2\",\"level\":1}", make_bz2},
    {"{\"id\":\"lzma\",\"format\":1,\"check\":-1,\"preset\":null,\"filters\":null}",
     make_xz},
    {"{\"id\":\"lzma\",\"format\":2,\"check\":-1,\"preset\":9,\"filters\":null}",
     make_alone},
};

static void decoded_whole(void **state) {
    (void)state;
    uint64_t seed = 5;
    static unsigned char data[SIZE], bytes[2 * ROOM], got[SIZE];
    paint(data, SIZE, 2, &seed);
    for (size_t k = 0; k < 3; k++) {
        ngff_error err = {0};
        size_t size = KINDS[k].make(data, SIZE, bytes);
        assert_int_equal(decode(KINDS[k].compressor, bytes, size, got, &err), NGFF_OK);
        assert_memory_equal(got, data, SIZE);
        if (k == 2) /* no end marker between two of these */
            continue;
        size = KINDS[k].make(data, 1000, bytes); /* several streams in a row */
        size += KINDS[k].make(data + 1000, SIZE - 1000, bytes + size);
        memset(got, 0, SIZE);
        assert_int_equal(decode(KINDS[k].compressor, bytes, size, got, &err), NGFF_OK);
        assert_memory_equal(got, data, SIZE);
    }
}

static void broken_refused(void **state) {
    (void)state;
    uint64_t seed = 6;
    static unsigned char data[SIZE + 2], bytes[2 * ROOM], got[SIZE];
    paint(data, sizeof data, 2, &seed);
    for (size_t k = 0; k < 3; k++) {
        const char *c = KINDS[k].compressor;
        ngff_error err = {0};
        size_t size = KINDS[k].make(data, SIZE, bytes);
        for (size_t cut = 0; cut < size; cut += 1 + size / 37)
            assert_int_equal(decode(c, bytes, cut, got, &err), NGFF_FORMAT);
        for (int i = 0; i < 60; i++) { /* flips: an error, or pixels; never a crash */
            size_t at = (size_t)random_range(&seed, 0, (int64_t)size - 1);
            bytes[at] ^= 0x55;
            ngff_status status = decode(c, bytes, size, got, &err);
            assert_true(status == NGFF_OK || status == NGFF_FORMAT ||
                        status == NGFF_LIMIT);
            bytes[at] ^= 0x55;
        }
        size = KINDS[k].make(data, SIZE + 2, bytes); /* too much, too little */
        assert_int_equal(decode(c, bytes, size, got, &err), NGFF_FORMAT);
        size = KINDS[k].make(data, SIZE - 2, bytes);
        assert_int_equal(decode(c, bytes, size, got, &err), NGFF_FORMAT);
    }
}

static void read_only(void **state) {
    (void)state;
    ngff_codec_chain *chain = NULL;
    ngff_error err = {0};
    assert_int_equal(chain_v2(KINDS[0].compressor, "null", 'C', false, NGFF_UINT16, 2,
                              SHAPE, &chain, &err),
                     NGFF_OK);
    assert_string_equal(ngff_codec_decode_only(chain), "bz2");
    ngff_codec_chain_close(&chain);
    assert_int_equal(chain_v2("{\"id\":\"lzma\",\"format\":3}", "null", 'C', false,
                              NGFF_UINT16, 2, SHAPE, &chain, &err),
                     NGFF_UNSUPPORTED);
    assert_int_equal(chain_v2("{\"id\":\"zlib\",\"level\":1}", "null", 'C', false,
                              NGFF_UINT16, 2, SHAPE, &chain, &err),
                     NGFF_OK);
    assert_null(ngff_codec_decode_only(chain));
    ngff_codec_chain_close(&chain);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(decoded_whole),
                                       cmocka_unit_test(broken_refused),
                                       cmocka_unit_test(read_only)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
