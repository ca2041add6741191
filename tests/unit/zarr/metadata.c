/* Array documents: parsed, emitted again in the member order of zarr-python, refused. */
#include "zarr/arrays.h"
#include "zarr/inside.h"

static char *print(const ngff_json *doc) {
    ngff_buf text;
    ngff_buf_init(&text, NULL, 1 << 20);
    assert_int_equal(ngff_json_print(doc, 0, &text, NULL), NGFF_OK);
    return text.data;
}

#define GRID(chunk)                                                                      \
    "\"chunk_grid\":{\"name\":\"regular\",\"configuration\":{\"chunk_shape\":" chunk     \
    "}},"                                                                                \
    "\"chunk_key_encoding\":{\"name\":\"default\",\"configuration\":{\"separator\":\"/"  \
    "\"}},"

static const char *const V3[] = {
    "{\"shape\":[9,9],\"data_type\":\"uint16\"," GRID(
        "[8,8]") "\"fill_value\":0,\"codecs\":"
                 "[{\"name\":\"sharding_indexed\",\"configuration\":{\"chunk_shape\":[4,"
                 "4],\"codecs\":[" LITTLE "," ZSTD "],\"index_codecs\":[" LITTLE
                 ",{\"name\":\"crc32c\"}],"
                 "\"index_location\":\"end\"}}],\"attributes\":{\"a\":1},\"dimension_"
                 "names\":[\"y\",null],"
                 "\"zarr_format\":3,\"node_type\":\"array\",\"storage_transformers\":[]}",
    "{\"shape\":[3],\"data_type\":\"float32\"," GRID(
        "[3]") "\"fill_value\":\"NaN\",\"codecs\":[" LITTLE
               "],\"attributes\":{},\"zarr_format\":3,\"node_type\":\"array\","
               "\"storage_transformers\":[]}",
    "{\"shape\":[],\"data_type\":\"uint64\"," GRID(
        "[]") "\"fill_value\":18446744073709551615,"
              "\"codecs\":[" LITTLE
              "],\"attributes\":{},\"zarr_format\":3,\"node_type\":\"array\","
              "\"storage_transformers\":[]}",
};

static void same_v3(void **state) {
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        ngff_json *doc = parse_json(V3[i]), *back = NULL;
        ngff_zarr_meta m;
        ngff_error err = {0};
        if (ngff_zarr_meta_parse_v3(doc, &m, &err) != NGFF_OK)
            fail_msg("%s", err.message);
        assert_int_equal(ngff_zarr_meta_emit(&m, &back, &err), NGFF_OK);
        char *a = print(doc), *b = print(back);
        assert_string_equal(a, b);
        free(a);
        free(b);
        ngff_zarr_meta_reset(&m);
        ngff_json_close(&doc);
        ngff_json_close(&back);
    }
}

static void same_v2(void **state) {
    (void)state;
    static const char *const text =
        "{\"shape\":[5,7],\"chunks\":[2,3],\"dtype\":\">f8\",\"fill_value\":\"-"
        "Infinity\","
        "\"order\":\"F\",\"filters\":[{\"id\":\"shuffle\",\"elementsize\":8}],"
        "\"dimension_separator\":\"/\",\"compressor\":null,\"zarr_format\":2}";
    ngff_json *doc = parse_json(text), *back = NULL;
    ngff_zarr_meta m;
    assert_int_equal(ngff_zarr_meta_parse_v2(doc, &m, NULL), NGFF_OK);
    assert_true(m.big_endian && m.order == 'F' && m.separator == '/' && m.v2_keys);
    assert_int_equal(ngff_zarr_meta_emit(&m, &back, NULL), NGFF_OK);
    char *a = print(doc), *b = print(back);
    assert_string_equal(a, b);
    free(a);
    free(b);
    ngff_zarr_meta_reset(&m);
    ngff_json_close(&doc);
    ngff_json_close(&back);
}

typedef struct fill_case {
    ngff_dtype dtype;
    const char *text;
    uint64_t bits;    /* of the first part */
    const char *back; /* NULL: as `text`; "": must be refused */
} fill_case;

static const fill_case FILLS[] = {
    {NGFF_BOOL, "true", 1, NULL},
    {NGFF_BOOL, "2", 0, ""},
    {NGFF_INT8, "-128", 0x80, NULL},
    {NGFF_INT8, "128", 0, ""},
    {NGFF_UINT8, "-1", 0, ""},
    {NGFF_UINT8, "3.0", 3, "3"},
    {NGFF_UINT8, "3.5", 0, ""},
    {NGFF_INT64, "-9223372036854775808", UINT64_C(1) << 63, NULL},
    {NGFF_UINT64, "18446744073709551615", UINT64_MAX, NULL},
    {NGFF_INT64, "18446744073709551615", 0, ""},
    {NGFF_FLOAT16, "\"NaN\"", 0x7e00, NULL},
    {NGFF_FLOAT16, "0.1", 0x2e66, "0.0999755859375"},
    {NGFF_FLOAT16, "\"0x7e01\"", 0x7e01, NULL},
    {NGFF_FLOAT16, "1e9", 0x7c00, "\"Infinity\""},
    {NGFF_FLOAT32, "\"0x7fc00001\"", 0x7fc00001, NULL},
    {NGFF_FLOAT32, "\"0x7FC00001\"", 0x7fc00001, "\"0x7fc00001\""},
    {NGFF_FLOAT32, "\"0x7fc0\"", 0, ""},
    {NGFF_FLOAT32, "-0.0", 0x80000000, NULL},
    {NGFF_FLOAT32, "\"nan\"", 0, ""},
    {NGFF_FLOAT64, "\"-Infinity\"", UINT64_C(0xfff0000000000000), NULL},
    {NGFF_FLOAT64, "0.1", UINT64_C(0x3fb999999999999a), NULL},
    {NGFF_COMPLEX64, "[1.0,\"NaN\"]", 0x3f800000, NULL},
    {NGFF_COMPLEX64, "1.0", 0, ""},
    {NGFF_COMPLEX128, "[0.5,-2.0]", UINT64_C(0x3fe0000000000000), NULL},
};

static void fills(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof FILLS / sizeof FILLS[0]; i++) {
        const fill_case *c = &FILLS[i];
        unsigned char fill[16];
        ngff_json *node = parse_json(c->text), *back = NULL;
        ngff_error err = {0};
        ngff_status status = ngff_zarr_fill_parse(node, c->dtype, 3, fill, &err);
        ngff_json_close(&node);
        if (c->back && !c->back[0]) {
            assert_int_equal(status, NGFF_FORMAT);
            continue;
        }
        if (status != NGFF_OK)
            fail_msg("%s: %s", c->text, err.message);
        uint64_t bits = 0;
        memcpy(&bits, fill, ngff_dtype_swap_size(c->dtype)); /* little-endian hosts */
        if (ngff_host_is_little())
            assert_true(bits == c->bits);
        assert_int_equal(ngff_zarr_fill_emit(fill, c->dtype, 3, &back, NULL), NGFF_OK);
        char *text = print(back);
        assert_string_equal(text, c->back ? c->back : c->text);
        free(text);
        ngff_json_close(&back);
    }
}

/* `from` in the first document replaced by `to` must be refused. */
static void refuse(const char *from, const char *to, ngff_status want, const char *word) {
    char text[2048];
    const char *at = strstr(V3[0], from);
    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - V3[0]), V3[0], to,
             at + strlen(from));
    ngff_json *doc = parse_json(text);
    ngff_zarr_meta m;
    ngff_error err = {0};
    ngff_status status = ngff_zarr_meta_parse_v3(doc, &m, &err);
    if (status != want || !strstr(err.message, word))
        fail_msg("%s: %s: %s", to, ngff_status_name(status), err.message);
    ngff_json_close(&doc);
}

static void refused(void **state) {
    (void)state;
    refuse("\"zarr_format\":3", "\"zarr_format\":\"3\"", NGFF_FORMAT, "zarr_format");
    refuse("\"zarr_format\":3", "\"zarr_format\":3,\"odd\":{}", NGFF_UNSUPPORTED, "odd");
    refuse("\"zarr_format\":3", "\"zarr_format\":3,\"odd\":{\"must_understand\":true}",
           NGFF_UNSUPPORTED, "odd");
    refuse("\"shape\":[9,9]", "\"shape\":[9,-9]", NGFF_FORMAT, "shape");
    refuse("\"shape\":[9,9]", "\"shape\":[9,9.5]", NGFF_FORMAT, "shape");
    refuse("\"shape\":[9,9]", "\"shape\":[9,9223372036854775807]", NGFF_LIMIT, "shape");
    refuse("\"shape\":[9,9]", "\"shape\":[1,1,1,1,1,1,1,9,9]", NGFF_UNSUPPORTED, "9 dim");
    refuse("[8,8]", "[8,0]", NGFF_FORMAT, "chunk_shape");
    refuse("[8,8]", "[8]", NGFF_FORMAT, "chunk_shape");
    refuse("[4,4]", "[4,3]", NGFF_UNSUPPORTED, "divide");
    refuse("\"uint16\"", "\"string\"", NGFF_UNSUPPORTED, "string");
    refuse("\"default\"", "\"fancy\"", NGFF_UNSUPPORTED, "fancy");
    refuse("\"separator\":\"/\"", "\"separator\":\"-\"", NGFF_FORMAT, "separator");
    refuse("\"fill_value\":0", "\"fill_value\":null", NGFF_FORMAT, "fill_value");
    refuse("[\"y\",null]", "[\"y\"]", NGFF_FORMAT, "dimension_names");
    refuse("\"storage_transformers\":[]", "\"storage_transformers\":[{}]",
           NGFF_UNSUPPORTED, "storage_transformers");
    refuse("\"index_location\":\"end\"", "\"index_location\":\"mid\"", NGFF_FORMAT,
           "index_location");
    refuse("\"attributes\":{\"a\":1}", "\"attributes\":[]", NGFF_FORMAT, "attributes");
    refuse("}}],\"attributes\"", "}}," ZSTD "],\"attributes\"", NGFF_UNSUPPORTED,
           "sharding");
}

static void tolerated(void **state) {
    (void)state;
    static const char *const text =
        "{\"shape\":[3],\"data_type\":\"uint8\",\"chunk_grid\":{\"name\":\"regular\","
        "\"configuration\":{\"chunk_shape\":[3]}},\"chunk_key_encoding\":\"v2\","
        "\"fill_value\":0,\"codecs\":[\"bytes\"],\"zarr_format\":3,\"node_type\":"
        "\"array\","
        "\"odd\":{\"must_understand\":false}}";
    ngff_json *doc = parse_json(text);
    ngff_zarr_meta m;
    ngff_error err = {0};
    if (ngff_zarr_meta_parse_v3(doc, &m, &err) != NGFF_OK)
        fail_msg("%s", err.message);
    assert_true(m.v2_keys && m.separator == '.' && !m.attributes &&
                !m.has_dimension_names);
    ngff_zarr_meta_reset(&m);
    ngff_json_close(&doc);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_v3), cmocka_unit_test(same_v2),   cmocka_unit_test(fills),
        cmocka_unit_test(refused), cmocka_unit_test(tolerated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
