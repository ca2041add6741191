#include "support/cmocka.h"

#include "base/base.h"
#include "support/random.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void whole_numbers(void **state) {
    (void)state;
    int64_t v = 7;
    assert_true(ngff_parse_i64("0", &v) && v == 0);
    assert_true(ngff_parse_i64("-12", &v) && v == -12);
    assert_true(ngff_parse_i64("+12", &v) && v == 12);
    assert_true(ngff_parse_i64("9223372036854775807", &v) && v == INT64_MAX);
    assert_true(ngff_parse_i64("-9223372036854775808", &v) && v == INT64_MIN);
    const char *bad[] = {"",
                         "-",
                         "+",
                         " 1",
                         "1 ",
                         "1x",
                         "0x10",
                         "1.0",
                         "9223372036854775808",
                         "-9223372036854775809",
                         "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(ngff_parse_i64(bad[i], &v));
}

static void decimal_numbers(void **state) {
    (void)state;
    double v = 7;
    assert_true(ngff_parse_f64("0.25", &v) && v == 0.25);
    assert_true(ngff_parse_f64("-1e-3", &v) && v == -1e-3);
    assert_true(ngff_parse_f64(".5", &v) && v == 0.5);
    assert_true(ngff_parse_f64("5.", &v) && v == 5);
    assert_true(ngff_parse_f64("-0.0", &v) && v == 0 && signbit(v));
    assert_true(ngff_parse_f64("5e-324", &v) && v == 5e-324);
    const char *bad[] = {"",    ".",   "-",        "1e",    "1e+",
                         "nan", "inf", "Infinity", "0x1p3", " 1",
                         "1 ",  "1,5", "1.2.3",    "1e999", "-1e999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(ngff_parse_f64(bad[i], &v));
}

static void shortest_text(void **state) {
    (void)state;
    const struct {
        double v;
        const char *text;
    } rows[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {0.1, "0.1"},
        {0.3, "0.3"},
        {1.0 / 3, "0.3333333333333333"},
        {0.1 + 0.2, "0.30000000000000004"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {NAN, "NaN"},
        {INFINITY, "Infinity"},
        {-INFINITY, "-Infinity"},
        {123456, "123456"},
        {9007199254740993.0, "9007199254740992"},
        {0x1p-44, "5.684341886080802e-14"},
    };
    char text[32];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ngff_format_f64(rows[i].v, text, sizeof text);
        assert_string_equal(text, rows[i].text);
    }
}

static void text_reads_back(void **state) {
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = random_next(&seed);
        double v, back;
        char text[32];
        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v))
            continue;
        ngff_format_f64(v, text, sizeof text);
        assert_true(ngff_parse_f64(text, &back));
        assert_memory_equal(&v, &back, sizeof v);
    }
}

static void comma_locales_change_nothing(void **state) {
    (void)state;
    const char *names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE", "fa_IR"};
    bool found = false;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && !found; i++)
        found = setlocale(LC_NUMERIC, names[i]) != NULL;
    if (!found) {
        print_message("no locale with a decimal comma is installed\n");
        skip();
    }
    char text[32];
    double v;
    ngff_format_f64(0.25, text, sizeof text);
    bool parsed = ngff_parse_f64("0.25", &v);
    bool comma = ngff_parse_f64("0,25", &v);
    setlocale(LC_NUMERIC, "C");
    assert_string_equal(text, "0.25");
    assert_true(parsed);
    assert_false(comma);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(decimal_numbers),
        cmocka_unit_test(shortest_text),
        cmocka_unit_test(text_reads_back),
        cmocka_unit_test(comma_locales_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
