/* Every codec, type, order and stride: what is decoded is what was encoded. */
#include "codec/chains.h"

static const int64_t SHAPE[3] = {9, 14, 33};
enum { MAX_BYTES = 9 * 14 * 33 * 16 };

typedef struct fixture {
    ngff_codec_ctx *ctx;
    unsigned char *a, *b;
    uint64_t seed;
} fixture;

static int setup(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->a = malloc(4 * MAX_BYTES);
    f->b = malloc(4 * MAX_BYTES);
    f->seed = 7;
    assert_int_equal(ngff_codec_ctx_create(NULL, &f->ctx, NULL), NGFF_OK);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    ngff_codec_ctx_close(&f->ctx);
    free(f->a);
    free(f->b);
    free(f);
    return 0;
}

/* Elements lie `step` items apart on the last axis. */
static void strided(ngff_view *v, unsigned char *data, ngff_dtype dtype, int64_t step) {
    ngff_view_init(v, data, dtype, 3, SHAPE);
    for (int i = 0; i < 3; i++)
        v->strides[i] *= step;
}

static void round_trip(fixture *f, const ngff_codec_chain *chain, ngff_dtype dtype,
                       int64_t in_step, int64_t out_step) {
    ngff_view in, out, x, y;
    const void *bytes;
    size_t size, n = ngff_codec_decoded_size(chain);
    ngff_error err = {0};
    strided(&in, f->a, dtype, in_step);
    strided(&out, f->b, dtype, out_step);
    paint(f->a, n * (size_t)in_step, ngff_dtype_size(dtype), &f->seed);
    memset(f->b, 0xee, n * (size_t)out_step);
    if (ngff_codec_encode(chain, f->ctx, &in, &bytes, &size, &err) != NGFF_OK)
        fail_msg("%s", err.message);
    assert_true(size <= ngff_codec_encoded_bound(chain));
    if (ngff_codec_fixed_size(chain))
        assert_int_equal(size, ngff_codec_fixed_size(chain));
    void *copy = malloc(size); /* exact: the sanitizer sees any read beyond it */
    memcpy(copy, bytes, size);
    if (ngff_codec_decode(chain, f->ctx, copy, size, &out, &err) != NGFF_OK)
        fail_msg("%s", err.message);
    ngff_codec_ctx *fresh = NULL; /* deterministic: another context, same bytes */
    assert_int_equal(ngff_codec_ctx_create(NULL, &fresh, NULL), NGFF_OK);
    assert_int_equal(ngff_codec_encode(chain, fresh, &out, &bytes, &size, &err), NGFF_OK);
    assert_memory_equal(bytes, copy, size);
    free(copy);
    unsigned char *p = malloc(n), *q = malloc(n);
    ngff_view_init(&x, p, dtype, 3, SHAPE);
    ngff_view_init(&y, q, dtype, 3, SHAPE);
    ngff_nd_copy(&x, &in);
    ngff_nd_copy(&y, &out);
    assert_memory_equal(p, q, n);
    free(p);
    free(q);
    ngff_codec_ctx_close(&fresh);
}

static void each_stride(fixture *f, const ngff_codec_chain *chain, ngff_dtype dtype) {
    round_trip(f, chain, dtype, 1, 1);
    round_trip(f, chain, dtype, 2, 1);
    round_trip(f, chain, dtype, 1, 3);
}

static const char *const TAILS[] = {
    "",
    ",{\"name\":\"zstd\",\"configuration\":{\"level\":1,\"checksum\":true}}",
    ",{\"name\":\"zstd\",\"configuration\":{\"level\":0}}",
    ",{\"name\":\"zstd\",\"configuration\":{\"level\":-3}},{\"name\":\"crc32c\"}",
    ",{\"name\":\"gzip\",\"configuration\":{\"level\":0}}",
    ",{\"name\":\"gzip\",\"configuration\":{\"level\":6}}",
    ",\"crc32c\"",
    ",{\"name\":\"gzip\",\"configuration\":{\"level\":1}},\"crc32c\",\"crc32c\","
    "{\"name\":\"zstd\",\"configuration\":{\"level\":1}},\"crc32c\"",
    ",{\"name\":\"numcodecs.lz4\",\"configuration\":{\"acceleration\":2}}",
};

static void v3_tails(void **state) {
    fixture *f = *state;
    for (size_t t = 0; t < sizeof TAILS / sizeof TAILS[0]; t++) {
        for (int dtype = NGFF_BOOL; dtype <= NGFF_COMPLEX128; dtype++) {
            for (int k = 0; k < 4; k++) {
                char text[512];
                ngff_codec_chain *chain = NULL;
                ngff_error err = {0};
                snprintf(
                    text, sizeof text,
                    "[%s{\"name\":\"bytes\",\"configuration\":{\"endian\":\"%s\"}}%s]",
                    k & 1 ? "{\"name\":\"transpose\",\"configuration\":"
                            "{\"order\":[2,0,1]}},"
                          : "",
                    k & 2 ? "big" : "little", TAILS[t]);
                if (chain_v3(text, (ngff_dtype)dtype, 3, SHAPE, &chain, &err) != NGFF_OK)
                    fail_msg("%s: %s", text, err.message);
                each_stride(f, chain, (ngff_dtype)dtype);
                ngff_codec_chain_close(&chain);
            }
        }
    }
}

static void v3_blosc(void **state) {
    static const char *const cnames[] = {"lz4", "lz4hc", "zstd", "zlib", "blosclz"};
    static const char *const shuffles[] = {"noshuffle", "shuffle", "bitshuffle"};
    static const ngff_dtype dtypes[] = {NGFF_UINT8, NGFF_UINT16, NGFF_FLOAT32, NGFF_INT64,
                                        NGFF_COMPLEX128};
    fixture *f = *state;
    for (int i = 0; i < 5 * 3 * 5 * 3; i++) {
        char text[512];
        ngff_codec_chain *chain = NULL;
        ngff_error err = {0};
        ngff_dtype dtype = dtypes[i / 15 % 5];
        int level = (const int[]){0, 1, 9}[i / 75];
        snprintf(
            text, sizeof text,
            "[{\"name\":\"bytes\",\"configuration\":{\"endian\":\"little\"}},{\"name\":"
            "\"blosc\",\"configuration\":{\"typesize\":%zu,\"cname\":\"%s\",\"clevel\":%"
            "d,"
            "\"shuffle\":\"%s\",\"blocksize\":%d}}]",
            ngff_dtype_size(dtype), cnames[i % 5], level, shuffles[i / 5 % 3],
            level == 9 ? 1000 : 0);
        if (chain_v3(text, dtype, 3, SHAPE, &chain, &err) != NGFF_OK)
            fail_msg("%s: %s", text, err.message);
        each_stride(f, chain, dtype);
        ngff_codec_chain_close(&chain);
    }
}

static void v2_chains(void **state) {
    static const char *const compressors[] = {
        "null",
        "{\"id\":\"zlib\",\"level\":1}",
        "{\"id\":\"gzip\",\"level\":\"5\"}",
        "{\"id\":\"zstd\",\"level\":0,\"checksum\":false}",
        "{\"id\":\"lz4\",\"acceleration\":1}",
        "{\"id\":\"blosc\",\"cname\":\"lz4\",\"clevel\":5,\"shuffle\":-1,\"blocksize\":"
        "0}",
        "{\"id\":\"blosc\",\"cname\":\"zstd\",\"clevel\":5,\"shuffle\":2,\"typesize\":7}",
    };
    static const char *const filters[] = {
        "null", "[]", "[{\"id\":\"shuffle\",\"elementsize\":2}]",
        "[{\"id\":\"delta\",\"dtype\":\"<u2\"},{\"id\":\"crc32c\"}]",
        "[{\"id\":\"delta\",\"dtype\":\">i2\",\"astype\":\">i2\"},"
        "{\"id\":\"crc32c\",\"location\":\"start\"}]"};
    fixture *f = *state;
    for (int i = 0; i < 7 * 5 * 4; i++) {
        ngff_codec_chain *chain = NULL;
        ngff_error err = {0};
        const char *c = compressors[i % 7], *filter = filters[i / 7 % 5];
        if (chain_v2(c, filter, i / 35 & 1 ? 'F' : 'C', i / 35 & 2, NGFF_UINT16, 3, SHAPE,
                     &chain, &err) != NGFF_OK)
            fail_msg("%s %s: %s", c, filter, err.message);
        each_stride(f, chain, NGFF_UINT16);
        ngff_codec_chain_close(&chain);
    }
}

/* Packed pixels that need nothing done are not copied. */
static void none_is_no_copy(void **state) {
    fixture *f = *state;
    ngff_codec_chain *chain = NULL;
    const void *bytes;
    size_t size;
    ngff_view in;
    assert_int_equal(chain_v3("[\"bytes\"]", NGFF_UINT8, 3, SHAPE, &chain, NULL),
                     NGFF_OK);
    strided(&in, f->a, NGFF_UINT8, 1);
    assert_int_equal(ngff_codec_encode(chain, f->ctx, &in, &bytes, &size, NULL), NGFF_OK);
    assert_ptr_equal(bytes, f->a);
    assert_int_equal(size, 9 * 14 * 33);
    ngff_codec_chain_close(&chain);
}

/* The transposed layout is the specified one: B.shape[i] = A.shape[order[i]]. */
static void transpose_layout(void **state) {
    fixture *f = *state;
    ngff_codec_chain *chain = NULL;
    const void *bytes;
    size_t size;
    ngff_view in;
    static const int64_t shape[3] = {2, 3, 4};
    assert_int_equal(
        chain_v3("[{\"name\":\"transpose\",\"configuration\":{\"order\":[1,2,0]}},"
                 "\"bytes\"]",
                 NGFF_UINT8, 3, shape, &chain, NULL),
        NGFF_OK);
    for (int i = 0; i < 24; i++)
        f->a[i] = (unsigned char)i;
    ngff_view_init(&in, f->a, NGFF_UINT8, 3, shape);
    assert_int_equal(ngff_codec_encode(chain, f->ctx, &in, &bytes, &size, NULL), NGFF_OK);
    const unsigned char *out = bytes;
    for (int y = 0; y < 3; y++)
        for (int x = 0; x < 4; x++)
            for (int z = 0; z < 2; z++)
                assert_int_equal(*out++, z * 12 + y * 4 + x);
    ngff_codec_chain_close(&chain);
}

static void checksums(void **state) {
    fixture *f = *state;
    assert_int_equal(ngff_crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(ngff_crc32c_plain(0, "123456789", 9), 0xe3069283);
    assert_int_equal(ngff_crc32(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(ngff_crc32c(0, NULL, 0), 0);
    paint(f->a, 5000, 3, &f->seed);
    for (size_t n = 0; n < 5000; n += 37) {
        uint32_t whole = ngff_crc32c_plain(0, f->a, n);
        assert_int_equal(ngff_crc32c(0, f->a, n), whole);
        assert_int_equal(
            ngff_crc32c(ngff_crc32c(0, f->a, n / 3), f->a + n / 3, n - n / 3), whole);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v3_tails),         cmocka_unit_test(v3_blosc),
        cmocka_unit_test(v2_chains),        cmocka_unit_test(none_is_no_copy),
        cmocka_unit_test(transpose_layout), cmocka_unit_test(checksums),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
