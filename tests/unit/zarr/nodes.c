/* Finding nodes, group documents, consolidated metadata, failing allocations. */
#include "zarr/arrays.h"

#include "support/alloc.h"

static char *get(ngff_store *store, const char *key) {
    ngff_buf buf;
    ngff_buf_init(&buf, NULL, 1 << 20);
    if (ngff_store_get(store, key, &buf, NULL) != NGFF_OK)
        fail_msg("%s is missing", key);
    return buf.data;
}

static void check_node(ngff_store *store, const char *path, int format,
                       ngff_zarr_kind kind, const char *attributes) {
    int found_format;
    ngff_zarr_kind found_kind;
    ngff_json *found = NULL, *want = parse_json(attributes);
    ngff_error err = {0};
    if (ngff_zarr_node(store, path, &found_format, &found_kind, &found, &err) != NGFF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(found_format, format);
    assert_int_equal(found_kind, kind);
    assert_true(ngff_json_equal(found, want));
    ngff_json_close(&found);
    ngff_json_close(&want);
}

static void nodes(void **state) {
    (void)state;
    for (int format = 2; format <= 3; format++) {
        array_spec s = {format, 1, NGFF_UINT16, {4}, {4}, {0}, NULL, 0};
        ngff_store *store = NULL;
        int found;
        ngff_zarr_kind kind;
        ngff_error err = {0};
        ngff_json *attributes = parse_json("{\"ome\":{\"version\":\"0.5\"}}");
        assert_int_equal(ngff_store_open_memory(NULL, &store, NULL), NGFF_OK);
        ngff_zarr_array *a = make_array(NULL, store, "g/a", &s);
        a->meta.attributes = parse_json("{\"k\":[1,2]}");
        assert_int_equal(ngff_zarr_array_put_meta(a, NULL), NGFF_OK);
        assert_int_equal(ngff_zarr_group_put(store, "", format, attributes, NULL),
                         NGFF_OK);
        assert_int_equal(ngff_zarr_group_put(store, "g", format, NULL, NULL), NGFF_OK);
        check_node(store, "", format, NGFF_ZARR_GROUP, "{\"ome\":{\"version\":\"0.5\"}}");
        check_node(store, "g", format, NGFF_ZARR_GROUP, "{}");
        check_node(store, "g/a", format, NGFF_ZARR_ARRAY, "{\"k\":[1,2]}");
        assert_int_equal(ngff_zarr_node(store, "none", &found, &kind, NULL, &err),
                         NGFF_NOT_FOUND);
        assert_non_null(strstr(err.message, "none"));
        ngff_json_close(&attributes);
        ngff_zarr_array_close(&a);
        ngff_store_drop(&store);
    }
}

static void consolidate(ngff_store *store, int format) {
    ngff_zarr_consolidated *c = NULL;
    array_spec s = {format, 1, NGFF_UINT16, {4}, {4}, {0}, NULL, 0};
    ngff_json *attributes = parse_json("{\"a\":1}");
    ngff_zarr_array *a = make_array(NULL, store, "s/b/x", &s);
    assert_int_equal(ngff_zarr_consolidated_create(NULL, format, &c, NULL), NGFF_OK);
    assert_int_equal(ngff_zarr_consolidated_add_array(c, "s/b/x", &a->meta, NULL),
                     NGFF_OK);
    assert_int_equal(ngff_zarr_consolidated_add_group(c, "t", NULL, NULL), NGFF_OK);
    assert_int_equal(ngff_zarr_consolidated_add_group(c, "s/b", attributes, NULL),
                     NGFF_OK);
    assert_int_equal(ngff_zarr_consolidated_add_group(c, "s", NULL, NULL), NGFF_OK);
    assert_int_equal(ngff_zarr_consolidated_put_root(c, store, attributes, NULL),
                     NGFF_OK);
    ngff_zarr_consolidated_close(&c);
    ngff_zarr_array_close(&a);
    ngff_json_close(&attributes);
}

static void check_members(const ngff_json *object, const char *const *want,
                          size_t count) {
    assert_int_equal(ngff_json_len(object), count);
    for (size_t i = 0; i < count; i++) {
        const char *name = NULL;
        ngff_json_member(object, i, &name);
        assert_string_equal(name, want[i]);
    }
}

static void consolidated_v3(void **state) {
    (void)state;
    static const char *const root[] = {"attributes", "zarr_format",
                                       "consolidated_metadata", "node_type"};
    static const char *const form[] = {"kind", "must_understand", "metadata"};
    static const char *const keys[] = {"s", "t", "s/b", "s/b/x"};
    ngff_store *store = NULL;
    assert_int_equal(ngff_store_open_memory(NULL, &store, NULL), NGFF_OK);
    consolidate(store, 3);
    char *text = get(store, "zarr.json");
    ngff_json *doc = parse_json(text);
    check_members(doc, root, 4);
    const ngff_json *inner = ngff_json_get(doc, "consolidated_metadata");
    check_members(inner, form, 3);
    inner = ngff_json_get(inner, "metadata");
    check_members(inner, keys, 4);
    check_members(ngff_json_get(inner, "s/b"), root, 4);
    assert_int_equal(ngff_json_len(ngff_json_get(ngff_json_get(ngff_json_get(inner, "s"),
                                                               "consolidated_metadata"),
                                                 "metadata")),
                     0);
    assert_string_equal(
        ngff_json_str(ngff_json_get(ngff_json_get(inner, "s/b/x"), "node_type")),
        "array");
    ngff_json_close(&doc);
    free(text);
    ngff_store_drop(&store);
}

static void consolidated_v2(void **state) {
    (void)state;
    static const char *const keys[] = {
        ".zgroup",   ".zattrs",     "s/.zattrs",   "s/.zgroup",     "t/.zattrs",
        "t/.zgroup", "s/b/.zattrs", "s/b/.zgroup", "s/b/x/.zattrs", "s/b/x/.zarray"};
    ngff_store *store = NULL;
    assert_int_equal(ngff_store_open_memory(NULL, &store, NULL), NGFF_OK);
    consolidate(store, 2);
    char *text = get(store, ".zmetadata");
    ngff_json *doc = parse_json(text);
    check_members(ngff_json_get(doc, "metadata"), keys, 10);
    check_node(store, "", 2, NGFF_ZARR_GROUP, "{\"a\":1}");
    ngff_json_close(&doc);
    free(text);
    ngff_store_drop(&store);
}

/* Every allocation of ours fails once: a clear NOMEM, and nothing stays behind. */
static void no_memory(void **state) {
    (void)state;
    failing_alloc f;
    failing_init(&f);
    array_spec s = {3, 2, NGFF_UINT16, {9, 9}, {2, 2}, {4, 4}, NULL, 0};
    ngff_store *store = NULL;
    uint64_t seed = 1;
    ngff_view all;
    assert_int_equal(ngff_store_open_memory(NULL, &store, NULL), NGFF_OK);
    ngff_zarr_array *plain = make_array(NULL, store, "a", &s);
    void *data = make_pixels(plain, &seed, &all);
    assert_int_equal(ngff_zarr_array_put_meta(plain, NULL), NGFF_OK);
    bool done = false;
    for (long at = 0; !done; at++) {
        ngff_zarr_array *a = NULL;
        ngff_codec_ctx *ctx = NULL;
        ngff_zarr_writer *w = NULL;
        ngff_error err = {0};
        ngff_spill *spill = make_spill(1 << 20);
        ngff_zarr_writer_opts opts = {.write_empty_chunks = true, .spill = spill};
        failing_arm(&f, at);
        ngff_status status = ngff_zarr_array_open(&f.ops, store, "a", &a, &err);
        if (status == NGFF_OK)
            status = ngff_codec_ctx_create(&f.ops, &ctx, &err);
        if (status == NGFF_OK)
            status = ngff_zarr_writer_create(a, &opts, &w, &err);
        for (int64_t i = 24; i >= 0 && status == NGFF_OK; i--)
            status = put_chunk(w, a, ctx, &all, i, &err);
        if (status == NGFF_OK)
            status = ngff_zarr_writer_finish(w, &err);
        assert_true(status == NGFF_OK || status == NGFF_NOMEM);
        assert_true(status == NGFF_OK || strlen(err.message) > 0);
        done = status == NGFF_OK;
        ngff_zarr_writer_close(&w);
        ngff_codec_ctx_close(&ctx);
        ngff_zarr_array_close(&a);
        ngff_spill_close(&spill);
        assert_int_equal(f.live, 0);
    }
    free(data);
    ngff_zarr_array_close(&plain);
    ngff_store_drop(&store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes),
        cmocka_unit_test(consolidated_v3),
        cmocka_unit_test(consolidated_v2),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
