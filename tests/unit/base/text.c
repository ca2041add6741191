#include "support/cmocka.h"

#include "base/base.h"

static void loads_and_stores(void **state) {
    (void)state;
    const unsigned char b[] = {0x00, 0xf1, 0xe2, 0xd3, 0xc4, 0xb5, 0xa6, 0x97, 0x88};
    const void *p = b + 1; /* not aligned */
    assert_int_equal(ngff_load_u16le(p), 0xe2f1);
    assert_int_equal(ngff_load_u16be(p), 0xf1e2);
    assert_int_equal(ngff_load_u32le(p), 0xc4d3e2f1);
    assert_int_equal(ngff_load_u32be(p), 0xf1e2d3c4);
    assert_true(ngff_load_u64le(p) == 0x8897a6b5c4d3e2f1u);
    assert_true(ngff_load_u64be(p) == 0xf1e2d3c4b5a69788u);
    unsigned char out[9] = {0};
    ngff_store_u16le(out + 1, 0xe2f1);
    assert_memory_equal(out + 1, b + 1, 2);
    ngff_store_u32le(out + 1, 0xc4d3e2f1);
    assert_memory_equal(out + 1, b + 1, 4);
    ngff_store_u64le(out + 1, 0x8897a6b5c4d3e2f1u);
    assert_memory_equal(out + 1, b + 1, 8);
}

static void beginnings_and_ends(void **state) {
    (void)state;
    assert_true(ngff_starts_with("scale0/image", "scale0"));
    assert_true(ngff_starts_with("x", ""));
    assert_false(ngff_starts_with("x", "xy"));
    assert_true(ngff_ends_with("a.ome.tif", ".tif"));
    assert_true(ngff_ends_with("a", ""));
    assert_false(ngff_ends_with("if", ".tif"));
}

static void copies_with_a_limit(void **state) {
    (void)state;
    char out[5];
    assert_true(ngff_copy_text(out, sizeof out, "four"));
    assert_string_equal(out, "four");
    assert_false(ngff_copy_text(out, sizeof out, "fives"));
    assert_string_equal(out, "five");
    assert_false(ngff_copy_text(out, sizeof out, "abc\xc3\xa9"));
    assert_string_equal(out, "abc");
    assert_false(ngff_copy_text(out, 1, "a"));
    assert_string_equal(out, "");
}

static void good_utf8(void **state) {
    (void)state;
    const char *good[] = {"",
                          "plain",
                          "\xc2\x80",
                          "\xdf\xbf",
                          "\xe0\xa0\x80",
                          "\xed\x9f\xbf",
                          "\xee\x80\x80",
                          "\xef\xbf\xbf",
                          "\xf0\x90\x80\x80",
                          "\xf4\x8f\xbf\xbf"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(ngff_utf8_valid(good[i], strlen(good[i])));
    assert_true(ngff_utf8_valid("a\0b", 3));
}

static void bad_utf8(void **state) {
    (void)state;
    const char *bad[] = {"\x80",
                         "\xc0\xaf",
                         "\xc1\xbf",
                         "\xc2",
                         "\xc2\x7f",
                         "\xe0\x9f\xbf",
                         "\xed\xa0\x80",
                         "\xed\xbf\xbf",
                         "\xe2\x82",
                         "\xe2\x82\x28",
                         "\xf0\x8f\xbf\xbf",
                         "\xf4\x90\x80\x80",
                         "\xf5\x80\x80\x80",
                         "\xff",
                         "\xfe"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(ngff_utf8_valid(bad[i], strlen(bad[i])));
    assert_true(ngff_utf8_is_cut("\xe2\x82", 2));
    assert_false(ngff_utf8_is_cut("\xe2\x28", 2));
    assert_false(ngff_utf8_is_cut("\xe2\x82\xac", 3));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_and_stores),
        cmocka_unit_test(beginnings_and_ends),
        cmocka_unit_test(copies_with_a_limit),
        cmocka_unit_test(good_utf8),
        cmocka_unit_test(bad_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
