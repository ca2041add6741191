#include "json/support.h"

#include <math.h>

static void every_type(void **state) {
    (void)state;
    ngff_json *root = parsed(
        " {\"n\":null,\"b\":true,\"i\":-3,\"d\":2.50,\"s\":\"x\",\"a\":[1,[]],\"o\":{}} ",
        0);
    const ngff_json_type want[] = {NGFF_JSON_NULL,   NGFF_JSON_BOOL,   NGFF_JSON_INT,
                                   NGFF_JSON_DOUBLE, NGFF_JSON_STRING, NGFF_JSON_ARRAY,
                                   NGFF_JSON_OBJECT};
    assert_int_equal(ngff_json_len(root), 7);
    for (size_t i = 0; i < 7; i++) {
        const char *name;
        const ngff_json *node = ngff_json_member(root, i, &name);
        assert_int_equal(ngff_json_type_of(node), want[i]);
        assert_ptr_equal(ngff_json_get(root, name), node);
        assert_int_equal(name[0], "nbidsao"[i]);
    }
    assert_non_null(ngff_json_get(root, "n")); /* null is not absent */
    assert_null(ngff_json_get(root, "absent"));
    assert_int_equal(ngff_json_type_of(NULL), NGFF_JSON_NULL);
    assert_int_equal(ngff_json_len(ngff_json_get(root, "a")), 2);
    assert_prints(
        root, 0,
        "{\"n\":null,\"b\":true,\"i\":-3,\"d\":2.50,\"s\":\"x\",\"a\":[1,[]],\"o\":{}}");
    ngff_json_close(&root);
    assert_null(root);
    ngff_json_close(&root);
    root = parsed("null", 0);
    assert_int_equal(ngff_json_type_of(root), NGFF_JSON_NULL);
    ngff_json_close(&root);
}

static void wrong_types_answer_nothing(void **state) {
    (void)state;
    ngff_json *root = parsed("[1, \"s\", 2.0]", 0);
    int64_t i;
    double f;
    bool b;
    const char *name;
    assert_null(ngff_json_get(root, "x"));
    assert_null(ngff_json_member(root, 0, &name));
    assert_null(ngff_json_at(root, 3));
    assert_null(ngff_json_at(ngff_json_at(root, 0), 0));
    assert_null(ngff_json_str(ngff_json_at(root, 0)));
    assert_false(ngff_json_i64(ngff_json_at(root, 1), &i));
    assert_false(ngff_json_i64(ngff_json_at(root, 2), &i));
    assert_false(ngff_json_f64(ngff_json_at(root, 1), &f));
    assert_false(ngff_json_bool(ngff_json_at(root, 0), &b));
    assert_false(ngff_json_f64(NULL, &f));
    assert_false(ngff_json_i64(NULL, &i));
    assert_null(ngff_json_str(NULL));
    assert_null(ngff_json_get(NULL, "x"));
    assert_int_equal(ngff_json_len(NULL), 0);
    ngff_json_close(&root);
}

static void exact_integers(void **state) {
    (void)state;
    ngff_json *root =
        parsed("[9223372036854775807, -9223372036854775808, 18446744073709551615,"
               "18446744073709551616, -9223372036854775809, 0, -0]",
               0);
    int64_t i;
    uint64_t u;
    double f;
    assert_true(ngff_json_i64(ngff_json_at(root, 0), &i) && i == INT64_MAX);
    assert_true(ngff_json_u64(ngff_json_at(root, 0), &u) && u == INT64_MAX);
    assert_true(ngff_json_i64(ngff_json_at(root, 1), &i) && i == INT64_MIN);
    assert_false(ngff_json_u64(ngff_json_at(root, 1), &u));
    assert_true(ngff_json_f64(ngff_json_at(root, 1), &f) && f == -0x1p63);
    assert_false(ngff_json_i64(ngff_json_at(root, 2), &i));
    assert_true(ngff_json_u64(ngff_json_at(root, 2), &u) && u == UINT64_MAX);
    assert_true(ngff_json_f64(ngff_json_at(root, 2), &f) && f == 0x1p64);
    assert_false(ngff_json_u64(ngff_json_at(root, 3), &u));
    assert_true(ngff_json_f64(ngff_json_at(root, 3), &f) && f == 0x1p64);
    assert_int_equal(ngff_json_type_of(ngff_json_at(root, 4)), NGFF_JSON_DOUBLE);
    assert_prints(root, 0,
                  "[9223372036854775807,-9223372036854775808,18446744073709551615,"
                  "18446744073709551616,-9223372036854775809,0,0]");
    ngff_json_close(&root);
}

static void doubles_keep_their_text(void **state) {
    (void)state;
    const char *text = "[1.0,1e2,-0.0,0.1000,1E+2,5e-324,123456789.123456789]";
    ngff_json *root = parsed(text, 0);
    double f;
    assert_true(ngff_json_f64(ngff_json_at(root, 1), &f) && f == 100);
    assert_true(ngff_json_f64(ngff_json_at(root, 2), &f) && signbit(f));
    assert_prints(root, 0, text);
    ngff_json *copy;
    assert_int_equal(ngff_json_dup(root, &copy, NULL), NGFF_OK);
    ngff_json_close(&root);
    assert_prints(copy, 0, text);
    ngff_json_close(&copy);
}

static void strings_and_escapes(void **state) {
    (void)state;
    ngff_json *root =
        parsed("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\\ud83d\\ude00\","
               "\"\xc3\xa9\xf0\x9f\x98\x80\", \"\", \"a\\u0000b\"]",
               0);
    assert_string_equal(ngff_json_str(ngff_json_at(root, 0)),
                        "\"\\/\b\f\n\r\t\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    assert_string_equal(ngff_json_str(ngff_json_at(root, 1)), "\xc3\xa9\xf0\x9f\x98\x80");
    assert_string_equal(ngff_json_str(ngff_json_at(root, 2)), "");
    assert_int_equal(ngff_json_type_of(ngff_json_at(root, 3)), NGFF_JSON_STRING);
    assert_null(ngff_json_str(ngff_json_at(root, 3)));
    assert_prints(root, 0,
                  "[\"\\\"\\\\/\\b\\f\\n\\r\\t\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\","
                  "\"\xc3\xa9\xf0\x9f\x98\x80\",\"\",\"a\\u0000b\"]");
    ngff_json_close(&root);
}

static void lenient_extras(void **state) {
    (void)state;
    ngff_json *root = parsed("\xEF\xBB\xBF[NaN, Infinity, -Infinity, \"\\ud800\", -1]",
                             NGFF_JSON_LENIENT);
    double f;
    assert_true(ngff_json_f64(ngff_json_at(root, 0), &f) && isnan(f));
    assert_true(ngff_json_f64(ngff_json_at(root, 1), &f) && f == INFINITY);
    assert_true(ngff_json_f64(ngff_json_at(root, 2), &f) && f == -INFINITY);
    assert_string_equal(ngff_json_str(ngff_json_at(root, 3)), "\xef\xbf\xbd");
    assert_prints(root, 0, "[\"NaN\",\"Infinity\",\"-Infinity\",\"\xef\xbf\xbd\",-1]");
    ngff_json_close(&root);
    root = parsed("{\"a\":1,\"b\":2,\"a\":3}", NGFF_JSON_LENIENT);
    assert_prints(root, 0, "{\"a\":3,\"b\":2}");
    ngff_json_close(&root);
}

static void strict_refuses_the_extras(void **state) {
    (void)state;
    const char *texts[] = {
        "[NaN]",       "[Infinity]",  "[-Infinity]",        "\xEF\xBB\xBF{}",
        "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\ud800\\ud800\""};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_refused(texts[i], strlen(texts[i]), NGFF_JSON_STRICT, NGFF_FORMAT,
                       "line 1:");
    assert_refused("{\"a\":1,\n \"b\":{}, \"a\":3}", 22, NGFF_JSON_STRICT, NGFF_FORMAT,
                   "member \"a\" given twice at line 2:10");
}

static void places_of_errors(void **state) {
    (void)state;
    const struct {
        const char *text, *message;
    } rows[] = {
        {"", "expected a value, found the end of the text at line 1:1"},
        {"{\n  \"a\": 1,\n  \"b\": ,\n}", "expected a value, found ',' at line 3:8"},
        {"[1 2]", "expected ',' or ']', found '2' at line 1:4"},
        {"[1,]", "expected a value, found ']' at line 1:4"},
        {"{\"a\" 1}", "expected ':', found '1' at line 1:6"},
        {"{a:1}", "expected a member name, found 'a' at line 1:2"},
        {"{\"a\":1,}", "expected a member name, found '}' at line 1:8"},
        {"{} x", "expected nothing after the document, found 'x' at line 1:4"},
        {"[\"\xc3\xa9\xc3\xa9\" x", "found 'x' at line 1:7"},
        {"[\"abc", "a string without an end at line 1:2"},
        {"[01]", "leading zero at line 1:2"},
        {"[-]", "expected a digit, found ']' at line 1:3"},
        {"[1e999]", "beyond the range of a double at line 1:2"},
        {"\"\\x\"", "expected an escape sequence, found 'x' at line 1:3"},
        {"\"\\u12g4\"", "hexadecimal"},
        {"\"\\u12", "hexadecimal"},
        {"\"a\tb\"", "a control character in a string at line 1:3"},
        {"\"a\xff\"", "a string that is not UTF-8 at line 1:3"},
        {"\xff", "found byte 0xff"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_refused(rows[i].text, strlen(rows[i].text), NGFF_JSON_STRICT, NGFF_FORMAT,
                       rows[i].message);
        assert_refused(rows[i].text, strlen(rows[i].text), NGFF_JSON_LENIENT, NGFF_FORMAT,
                       rows[i].message);
    }
}

static void what_tokeners_like_to_accept(void **state) {
    (void)state;
    const char *texts[] = {
        "{'a':1}", "[1,2,]",    "[,1]", "tru",      "True",    "nul",      "nulls",
        "+1",      ".5",        "5.",   "1.e2",     "1e",      "1e+",      "--1",
        "0x10",    "[1]]",      "{}{}", "/* c */1", "// c\n1", "1 //",     "-",
        "\"",      "[",         "{",    "{\"a\"",   "{\"a\":", "{\"a\":1", "[1",
        "[1,",     "{\"a\":1,", "\f1",  "nan",      "inf",     "infinity", "-NaN",
        "-Inf",    "00",        "-01",  "1_000",    "\"\n\"",  "{1:2}",    "\"\\u00\""};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_refused(texts[i], strlen(texts[i]), NGFF_JSON_STRICT, NGFF_FORMAT, NULL);
        assert_refused(texts[i], strlen(texts[i]), NGFF_JSON_LENIENT, NGFF_FORMAT, NULL);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type),
        cmocka_unit_test(wrong_types_answer_nothing),
        cmocka_unit_test(exact_integers),
        cmocka_unit_test(doubles_keep_their_text),
        cmocka_unit_test(strings_and_escapes),
        cmocka_unit_test(lenient_extras),
        cmocka_unit_test(strict_refuses_the_extras),
        cmocka_unit_test(places_of_errors),
        cmocka_unit_test(what_tokeners_like_to_accept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
