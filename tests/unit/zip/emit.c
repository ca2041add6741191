/* What the writer makes, seen through the reader. */
#include "zip/archive.h"

static const char *const names[] = {"zarr.json", "a/zarr.json", "a/c/0", "b/x"};
static const char *const texts[] = {"{}", "{\"a\": 1}", "pixels", ""};

static void comes_back(void **state) {
    (void)state;
    archive a;
    ngff_zip_directory d;
    archive_write(&a, names, texts, 4, "{\"ome\": 1}");
    ngff_zip_reader r = archive_reader(&a);
    assert_int_equal(archive_read(&a, &d, NULL), NGFF_OK);
    assert_int_equal(d.count, 4);
    assert_string_equal(d.comment, "{\"ome\": 1}");
    assert_true(d.zip64);
    assert_true(d.json_first);
    assert_false(d.duplicates);
    for (size_t i = 0; i < 4; i++) {
        const ngff_zip_item *item = ngff_zip_find(&d, names[i]);
        uint64_t at;
        assert_non_null(item);
        assert_true(item->zip64);
        assert_ptr_equal(item, &d.items[d.order[i]]);
        assert_int_equal(item->size, strlen(texts[i]));
        assert_int_equal(ngff_zip_data_offset(&r, item, &at, NULL), NGFF_OK);
        assert_memory_equal(a.bytes + at, texts[i], item->size);
        assert_int_equal(
            ngff_zip_check(item, ngff_zip_crc32(0, texts[i], item->size), NULL), NGFF_OK);
        assert_int_equal(ngff_zip_check(item, item->crc + 1, NULL), NGFF_CHECKSUM);
    }
    assert_null(ngff_zip_find(&d, "a"));
    assert_int_equal(ngff_zip_lower_bound(&d, "a/"), 0);
    assert_int_equal(ngff_zip_lower_bound(&d, "a/d"), 1);
    assert_int_equal(ngff_zip_lower_bound(&d, "zz"), 4);
    ngff_zip_directory_reset(&d);
    free(a.bytes);
}

static void nothing_inside(void **state) {
    (void)state;
    archive a;
    ngff_zip_directory d;
    archive_write(&a, NULL, NULL, 0, "");
    assert_int_equal(archive_read(&a, &d, NULL), NGFF_OK);
    assert_int_equal(d.count, 0);
    assert_false(d.json_first);
    assert_null(ngff_zip_find(&d, "zarr.json"));
    ngff_zip_directory_reset(&d);
    free(a.bytes);
}

static bool json_first(const char *const *order, size_t count) {
    static const char *const empty[] = {"", "", "", "", ""};
    archive a;
    ngff_zip_directory d;
    archive_write(&a, order, empty, count, "");
    assert_int_equal(archive_read(&a, &d, NULL), NGFF_OK);
    bool first = d.json_first;
    ngff_zip_directory_reset(&d);
    free(a.bytes);
    return first;
}

static void documents_first_or_not(void **state) {
    (void)state;
    assert_true(json_first((const char *[]){"zarr.json", "z/zarr.json", "a/c/0"}, 3));
    assert_true(json_first((const char *[]){"zarr.json", "a"}, 2));
    assert_false(json_first((const char *[]){"a/zarr.json", "zarr.json"}, 2));
    assert_false(json_first((const char *[]){"zarr.json", "a/c/0", "a/zarr.json"}, 3));
    assert_false(json_first((const char *[]){"a/c/0"}, 1));
}

static void comments(void **state) {
    (void)state;
    ngff_buf out;
    char *text = malloc(65537);
    memset(text, 'x', 65536);
    text[65536] = '\0';
    ngff_zip_end end = {0, 0, 0, text};
    ngff_buf_init(&out, NULL, SIZE_MAX);
    assert_int_equal(ngff_zip_end_emit(&end, &out, NULL), NGFF_INVALID);
    end.comment = "a PK\5\6 inside";
    assert_int_equal(ngff_zip_end_emit(&end, &out, NULL), NGFF_INVALID);
    text[65535] = '\0';
    end.comment = text;
    assert_int_equal(ngff_zip_end_emit(&end, &out, NULL), NGFF_OK);
    archive a = {(unsigned char *)out.data, out.size, 0};
    ngff_zip_directory d;
    assert_int_equal(archive_read(&a, &d, NULL), NGFF_OK);
    assert_int_equal(d.comment_size, 65535);
    ngff_zip_directory_reset(&d);
    ngff_buf_reset(&out);
    free(text);
}

static void names_are_checked(void **state) {
    (void)state;
    static const char *const good[] = {"a", "zarr.json", "a/b.c/..d", "ä/ö", "a b/c"};
    static const char *const bad[] = {"",    "/a",    "a/",   "a//b", ".",
                                      "..",  "./a",   "a/..", "../a", "a\\b",
                                      "a\n", "a/./b", "\x7f", "\xff", "a/\xc3"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(ngff_zip_name_check(good[i], NULL), NGFF_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(ngff_zip_name_check(bad[i], NULL), NGFF_FORMAT);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    archive a;
    ngff_zip_directory d;
    failing_alloc f;
    archive_write(&a, names, texts, 4, "comment");
    ngff_zip_reader r = archive_reader(&a);
    failing_init(&f);
    for (long at = 0;; at++) {
        failing_arm(&f, at);
        ngff_status status = ngff_zip_directory_read(&f.ops, &r, 1 << 20, &d, NULL);
        if (status == NGFF_OK)
            break;
        assert_int_equal(status, NGFF_NOMEM);
        assert_int_equal(f.live, 0);
    }
    ngff_zip_directory_reset(&d);
    assert_int_equal(f.live, 0);
    free(a.bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back),
        cmocka_unit_test(nothing_inside),
        cmocka_unit_test(documents_first_or_not),
        cmocka_unit_test(comments),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
