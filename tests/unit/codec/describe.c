/* Metadata: what is refused and with which words, what choices become, the table. */
#include "codec/chains.h"

static const int64_t SHAPE[2] = {4, 6};

static void refuse(const char *codecs, ngff_dtype dtype, ngff_status want,
                   const char *word) {
    ngff_codec_chain *chain = NULL;
    ngff_error err = {0};
    ngff_status status = chain_v3(codecs, dtype, 2, SHAPE, &chain, &err);
    assert_null(chain);
    if (status != want || !strstr(err.message, word))
        fail_msg("%s: %s: %s", codecs, ngff_status_name(status), err.message);
}

#define LE "{\"name\":\"bytes\",\"configuration\":{\"endian\":\"little\"}}"

static void refused_v3(void **state) {
    (void)state;
    refuse("[]", NGFF_UINT8, NGFF_FORMAT, "array->bytes");
    refuse("{}", NGFF_UINT8, NGFF_FORMAT, "list");
    refuse("[\"bytes\"]", NGFF_UINT16, NGFF_FORMAT, "endian");
    refuse("[\"crc32c\",\"bytes\"]", NGFF_UINT8, NGFF_FORMAT, "before");
    refuse("[\"bytes\",\"bytes\"]", NGFF_UINT8, NGFF_FORMAT, "after");
    refuse("[\"bytes\",{\"name\":\"transpose\",\"configuration\":{\"order\":[1,0]}}]",
           NGFF_UINT8, NGFF_FORMAT, "after");
    refuse("[{\"name\":\"transpose\",\"configuration\":{\"order\":[1,1]}},\"bytes\"]",
           NGFF_UINT8, NGFF_FORMAT, "permutation");
    refuse("[{\"name\":\"transpose\",\"configuration\":{\"order\":[0]}},\"bytes\"]",
           NGFF_UINT8, NGFF_FORMAT, "order");
    refuse("[\"bytes\",\"zfp\"]", NGFF_UINT8, NGFF_UNSUPPORTED, "zfp");
    refuse("[" LE ",{\"name\":\"zstd\",\"configuration\":{\"level\":23}}]", NGFF_UINT16,
           NGFF_FORMAT, "level");
    refuse("[" LE ",{\"name\":\"zstd\",\"configuration\":{\"level\":1,\"checksum\":1}}]",
           NGFF_UINT16, NGFF_FORMAT, "checksum");
    refuse("[" LE ",{\"name\":\"gzip\"}]", NGFF_UINT16, NGFF_FORMAT, "level");
    refuse("[" LE ",{\"name\":\"gzip\",\"configuration\":{\"level\":1},\"other\":1}]",
           NGFF_UINT16, NGFF_FORMAT, "other");
    refuse("[" LE
           ",{\"name\":\"blosc\",\"configuration\":{\"cname\":\"lz4\",\"clevel\":5,"
           "\"shuffle\":\"shuffle\"}}]",
           NGFF_UINT16, NGFF_FORMAT, "typesize");
    refuse("[" LE
           ",{\"name\":\"blosc\",\"configuration\":{\"cname\":\"lzo\",\"clevel\":5,"
           "\"shuffle\":\"noshuffle\"}}]",
           NGFF_UINT16, NGFF_FORMAT, "lzo");
    refuse("[{\"name\":\"bytes\",\"configuration\":{\"endian\":\"middle\"}}]",
           NGFF_UINT16, NGFF_FORMAT, "middle");
    refuse(
        "[" LE
        ",\"crc32c\",\"crc32c\",\"crc32c\",\"crc32c\",\"crc32c\",\"crc32c\",\"crc32c\","
        "\"crc32c\",\"crc32c\"]",
        NGFF_UINT16, NGFF_UNSUPPORTED, "more than");
}

static void choice(const char *name, int level, int format, ngff_dtype dtype,
                   const char *want) {
    ngff_codec_choice c = {name, level, NGFF_SHUFFLE_AUTO};
    ngff_json *got = NULL;
    ngff_buf text;
    ngff_buf_init(&text, NULL, 4096);
    assert_int_equal(ngff_codec_choice_json(&c, format, dtype, &got, NULL), NGFF_OK);
    assert_int_equal(ngff_json_print(got, 0, &text, NULL), NGFF_OK);
    ngff_json *wanted = parse_json(want);
    if (!ngff_json_equal(got, wanted))
        fail_msg("%s is not %s", text.data, want);
    ngff_json_close(&wanted);
    ngff_json_close(&got);
    ngff_buf_reset(&text);
}

static void choices(void **state) {
    (void)state;
    choice("none", -1, 3, NGFF_UINT16, "[]");
    choice("none", 4, 2, NGFF_UINT16, "null");
    choice("zstd", 5, 3, NGFF_UINT16,
           "[{\"name\":\"zstd\",\"configuration\":{\"level\":5,\"checksum\":false}}]");
    choice("zstd", -1, 2, NGFF_UINT16, "{\"id\":\"zstd\",\"level\":0}");
    choice("gzip", 7, 3, NGFF_UINT16,
           "[{\"name\":\"gzip\",\"configuration\":{\"level\":7}}]");
    choice("blosc:lz4", -1, 3, NGFF_UINT8,
           "[{\"name\":\"blosc\",\"configuration\":{\"typesize\":1,\"cname\":\"lz4\","
           "\"clevel\":5,\"shuffle\":\"bitshuffle\",\"blocksize\":0}}]");
    choice("blosc:zstd", 3, 3, NGFF_FLOAT32,
           "[{\"name\":\"blosc\",\"configuration\":{\"typesize\":4,\"cname\":\"zstd\","
           "\"clevel\":3,\"shuffle\":\"shuffle\",\"blocksize\":0}}]");
    choice("blosc:zlib", 2, 2, NGFF_UINT16,
           "{\"id\":\"blosc\",\"cname\":\"zlib\",\"clevel\":2,\"shuffle\":1,"
           "\"blocksize\":0}");
    choice(NULL, -1, 3, NGFF_UINT16,
           "[{\"name\":\"blosc\",\"configuration\":{\"typesize\":2,\"cname\":\"lz4\","
           "\"clevel\":5,\"shuffle\":\"bitshuffle\",\"blocksize\":0}}]");
    choice("", 3, 2, NGFF_UINT32,
           "{\"id\":\"blosc\",\"cname\":\"zstd\",\"clevel\":3,\"shuffle\":1,"
           "\"blocksize\":0}");
    ngff_codec_choice bad = {"lzma", -1, NGFF_SHUFFLE_AUTO}, high = {"gzip", 10, 0};
    ngff_json *out = NULL;
    assert_int_equal(ngff_codec_choice_json(&bad, 3, NGFF_UINT8, &out, NULL),
                     NGFF_INVALID);
    assert_int_equal(ngff_codec_choice_json(&high, 3, NGFF_UINT8, &out, NULL),
                     NGFF_INVALID);
    assert_null(out);
}

/* Every choice builds a chain, in both formats. */
static void choices_build(void **state) {
    (void)state;
    static const char *const names[] = {NULL,         "blosc:lz4",  "blosc:lz4hc",
                                        "blosc:zstd", "blosc:zlib", "zstd",
                                        "gzip",       "none"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ngff_codec_choice c = {names[i], -1, NGFF_SHUFFLE_AUTO};
        ngff_json *part = NULL, *all = NULL;
        ngff_codec_chain *chain = NULL;
        assert_int_equal(ngff_codec_choice_json(&c, 3, NGFF_UINT16, &part, NULL),
                         NGFF_OK);
        assert_int_equal(ngff_codec_v3_codecs(NGFF_UINT16, part, &all, NULL), NGFF_OK);
        assert_int_equal(
            ngff_codec_chain_from_v3(NULL, all, NGFF_UINT16, 2, SHAPE, &chain, NULL),
            NGFF_OK);
        ngff_codec_chain_close(&chain);
        ngff_json_close(&part);
        ngff_json_close(&all);
        assert_int_equal(ngff_codec_choice_json(&c, 2, NGFF_UINT16, &part, NULL),
                         NGFF_OK);
        ngff_codec_v2 v2 = {part, NULL, 'C', false};
        assert_int_equal(
            ngff_codec_chain_from_v2(NULL, &v2, NGFF_UINT16, 2, SHAPE, &chain, NULL),
            NGFF_OK);
        ngff_codec_chain_close(&chain);
        ngff_json_close(&part);
    }
}

static void table(void **state) {
    (void)state;
    ngff_codec_row row;
    size_t count = 0;
    bool blosc = false;
    for (; ngff_codec_table(count, &row); count++) {
        assert_non_null(row.name);
        assert_true(row.decodes);
        blosc = blosc || strcmp(row.name, "blosc") == 0;
    }
    assert_true(blosc && count >= 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_v3),
        cmocka_unit_test(choices),
        cmocka_unit_test(choices_build),
        cmocka_unit_test(table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
