#include "support/cmocka.h"

#include "base/base.h"

static void says_once(void **state) {
    (void)state;
    ngff_error err = {0};
    assert_int_equal(ngff_fail(&err, NGFF_FORMAT, "found %d, expected %d", 3, 4),
                     NGFF_FORMAT);
    assert_string_equal(err.message, "found 3, expected 4");
    assert_int_equal(ngff_fail(&err, NGFF_IO, "later"), NGFF_IO);
    assert_string_equal(err.message, "found 3, expected 4");
    assert_int_equal(err.status, NGFF_FORMAT);
}

static void prefixes_places(void **state) {
    (void)state;
    ngff_error err = {0};
    ngff_fail(&err, NGFF_CHECKSUM, "crc32c differs");
    ngff_fail_at(&err, NGFF_CHECKSUM, "c/%d", 7);
    ngff_fail_at(&err, NGFF_CHECKSUM, "scale0/image");
    assert_string_equal(err.message, "scale0/image: c/7: crc32c differs");
    ngff_error_clear(&err);
    assert_string_equal(err.message, "");
    assert_int_equal(err.status, NGFF_OK);
    ngff_fail_at(&err, NGFF_NOT_FOUND, "zarr.json");
    assert_string_equal(err.message, "zarr.json: NOT_FOUND");
}

static void takes_null(void **state) {
    (void)state;
    assert_int_equal(ngff_fail(NULL, NGFF_IO, "x"), NGFF_IO);
    assert_int_equal(ngff_fail_at(NULL, NGFF_IO, "x"), NGFF_IO);
    assert_int_equal(ngff_fail_origin(NULL, NGFF_IO, NGFF_ORIGIN_INPUT), NGFF_IO);
    ngff_error_clear(NULL);
}

static void first_origin_stays(void **state) {
    (void)state;
    ngff_error err = {0};
    ngff_fail_origin(&err, NGFF_IO, NGFF_ORIGIN_INPUT);
    ngff_fail_origin(&err, NGFF_IO, NGFF_ORIGIN_OUTPUT);
    assert_int_equal(err.origin, NGFF_ORIGIN_INPUT);
}

static void stays_one_line_of_utf8(void **state) {
    (void)state;
    ngff_error err = {0};
    ngff_fail(&err, NGFF_IO,
              "a\nb\tc\x7f"
              "d%s",
              "\xff\xc3");
    assert_string_equal(err.message, "a b c d?");
    ngff_error_clear(&err);
    ngff_fail(&err, NGFF_IO, "\xc3\xa9\xed\xa0\x80.");
    assert_string_equal(err.message, "\xc3\xa9???.");
}

static void cuts_between_characters(void **state) {
    (void)state;
    for (size_t pad = 490; pad < 504; pad++) {
        ngff_error err = {0};
        char text[600];
        memset(text, 'x', pad);
        text[pad] = '\0';
        for (int i = 0; i < 8; i++)
            strcat(text, "\xe2\x82\xac");
        ngff_fail(&err, NGFF_IO, "%s", text);
        size_t size = strlen(err.message);
        assert_true(size > 500 && size < 504);
        assert_true(ngff_utf8_valid(err.message, size));
        assert_null(strchr(err.message, '?'));
    }
}

static void long_places_do_not_overflow(void **state) {
    (void)state;
    ngff_error err = {0};
    char place[400];
    memset(place, 'p', sizeof place - 1);
    place[sizeof place - 1] = '\0';
    ngff_fail(&err, NGFF_IO, "the reason");
    ngff_fail_at(&err, NGFF_IO, "%s", place);
    ngff_fail_at(&err, NGFF_IO, "%s", place);
    assert_int_equal(strlen(err.message), 503);
}

static void names_every_status(void **state) {
    (void)state;
    assert_string_equal(ngff_status_name(NGFF_OK), "OK");
    assert_string_equal(ngff_status_name(NGFF_LIMIT), "LIMIT");
    assert_string_equal(ngff_status_name(NGFF_INTERNAL), "INTERNAL");
    assert_string_equal(ngff_status_name((ngff_status)-99), "UNKNOWN");
    assert_string_equal(ngff_status_name((ngff_status)1), "UNKNOWN");
    assert_int_equal(sizeof(ngff_error), 512);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_once),
        cmocka_unit_test(prefixes_places),
        cmocka_unit_test(takes_null),
        cmocka_unit_test(first_origin_stays),
        cmocka_unit_test(stays_one_line_of_utf8),
        cmocka_unit_test(cuts_between_characters),
        cmocka_unit_test(long_places_do_not_overflow),
        cmocka_unit_test(names_every_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
