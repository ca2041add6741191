#include "json/support.h"

#include "support/alloc.h"

#include <math.h>
#include <stdio.h>

static void builds_and_prints(void **state) {
    (void)state;
    ngff_json *root = ngff_json_new_object(), *axes = ngff_json_new_array();
    ngff_json *axis = ngff_json_new_object(), *shape = ngff_json_new_array();
    assert_int_equal(ngff_json_set(axis, "name", ngff_json_new_str("x")), NGFF_OK);
    assert_int_equal(ngff_json_push(axes, axis), NGFF_OK);
    assert_int_equal(ngff_json_push(shape, ngff_json_new_i64(-1)), NGFF_OK);
    assert_int_equal(ngff_json_push(shape, ngff_json_new_u64(UINT64_MAX)), NGFF_OK);
    assert_int_equal(ngff_json_push(shape, ngff_json_new_f64(2)), NGFF_OK);
    assert_int_equal(ngff_json_push(shape, ngff_json_new_null()), NGFF_OK);
    assert_int_equal(ngff_json_set(root, "axes", axes), NGFF_OK);
    assert_int_equal(ngff_json_set(root, "shape", shape), NGFF_OK);
    assert_int_equal(ngff_json_set(root, "empty", ngff_json_new_object()), NGFF_OK);
    assert_int_equal(ngff_json_set(root, "none", ngff_json_new_array()), NGFF_OK);
    assert_int_equal(ngff_json_set(root, "ok", ngff_json_new_bool(true)), NGFF_OK);
    assert_prints(
        root, 0,
        "{\"axes\":[{\"name\":\"x\"}],\"shape\":[-1,18446744073709551615,2.0,null],"
        "\"empty\":{},\"none\":[],\"ok\":true}");
    assert_prints(
        root, 2,
        "{\n  \"axes\": [\n    {\n      \"name\": \"x\"\n    }\n  ],\n"
        "  \"shape\": [-1, 18446744073709551615, 2.0, null],\n  \"empty\": {},\n"
        "  \"none\": [],\n  \"ok\": true\n}\n");
    ngff_json_close(&root);
}

static void doubles_read_back_as_doubles(void **state) {
    (void)state;
    const double values[] = {0,   -0.0,    1,      1e15,     1e22,
                             0.1, 1.0 / 3, 5e-324, -1.7e308, 123456789};
    const char *texts[] = {"0.0",
                           "-0.0",
                           "1.0",
                           "1e+15",
                           "1e+22",
                           "0.1",
                           "0.3333333333333333",
                           "5e-324",
                           "-1.7e+308",
                           "123456789.0"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        ngff_json *node = ngff_json_new_f64(values[i]);
        double back;
        assert_prints(node, 0, texts[i]);
        ngff_json_close(&node);
        node = parsed(texts[i], 0);
        assert_int_equal(ngff_json_type_of(node), NGFF_JSON_DOUBLE);
        assert_true(ngff_json_f64(node, &back) && back == values[i]);
        ngff_json_close(&node);
    }
    assert_null(ngff_json_new_f64(NAN));
    assert_null(ngff_json_new_f64(INFINITY));
}

static void failures_are_taken_in(void **state) {
    (void)state;
    ngff_json *root = ngff_json_new_object();
    assert_int_equal(ngff_json_set(root, "x", NULL), NGFF_NOMEM);
    assert_int_equal(ngff_json_set(NULL, "x", ngff_json_new_i64(1)), NGFF_NOMEM);
    assert_int_equal(ngff_json_push(NULL, ngff_json_new_i64(1)), NGFF_NOMEM);
    assert_int_equal(ngff_json_push(root, ngff_json_new_i64(1)), NGFF_INVALID);
    ngff_json *number = ngff_json_new_i64(1);
    assert_int_equal(ngff_json_set(number, "x", ngff_json_new_str("leak?")),
                     NGFF_INVALID);
    ngff_json_close(&number);
    assert_int_equal(ngff_json_len(root), 0);
    ngff_json_close(&root);
}

static void changes(void **state) {
    (void)state;
    ngff_json *root = parsed("{\"a\":1,\"b\":2,\"c\":{\"d\":3}}", 0);
    assert_int_equal(ngff_json_set(root, "b", ngff_json_new_str("two")), NGFF_OK);
    assert_int_equal(
        ngff_json_set(ngff_json_get_mutable(root, "c"), "e", ngff_json_new_null()),
        NGFF_OK);
    ngff_json_remove(root, "a");
    ngff_json_remove(root, "absent");
    assert_null(ngff_json_get_mutable(root, "a"));
    assert_prints(root, 0, "{\"b\":\"two\",\"c\":{\"d\":3,\"e\":null}}");
    ngff_json_close(&root);
}

/* The remembered place of a member must not outlive a change. */
static void members_by_number_after_changes(void **state) {
    (void)state;
    ngff_json *root = ngff_json_new_object(), *copy;
    char name[16];
    const char *got;
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "k%d", i);
        assert_int_equal(ngff_json_set(root, name, ngff_json_new_i64(i)), NGFF_OK);
        if (i >= 20)
            assert_non_null(ngff_json_member(root, (size_t)i, &got));
    }
    ngff_json_remove(root, "k49");
    ngff_json_remove(root, "k20");
    assert_null(ngff_json_member(root, 48, &got));
    assert_null(got);
    assert_non_null(ngff_json_member(root, 47, &got));
    assert_string_equal(got, "k48");
    assert_non_null(ngff_json_member(root, 20, &got));
    assert_string_equal(got, "k21");
    assert_int_equal(ngff_json_dup(root, &copy, NULL), NGFF_OK);
    assert_true(ngff_json_equal(root, copy));
    ngff_json_close(&root);
    assert_non_null(ngff_json_member(copy, 30, &got));
    assert_string_equal(got, "k31");
    ngff_json_close(&copy);
}

static void equality(void **state) {
    (void)state;
    const char *same[][2] = {{"{\"a\":1,\"b\":[null]}", "{\"b\":[null],\"a\":1}"},
                             {"1.50", "1.5"},
                             {"null", "null"}};
    const char *other[][2] = {{"1", "1.0"},       {"[1,2]", "[2,1]"},     {"{}", "null"},
                              {"\"a\"", "\"b\""}, {"{\"a\":null}", "{}"}, {"0", "false"}};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        ngff_json *a = parsed(same[i][0], 0), *b = parsed(same[i][1], 0);
        assert_true(ngff_json_equal(a, b));
        ngff_json_close(&a);
        ngff_json_close(&b);
    }
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
        ngff_json *a = parsed(other[i][0], 0), *b = parsed(other[i][1], 0);
        assert_false(ngff_json_equal(a, b));
        ngff_json_close(&a);
        ngff_json_close(&b);
    }
}

static void broken_utf8_is_printed_valid(void **state) {
    (void)state;
    ngff_json *node = ngff_json_new_str("a\xff\xc3z\x01\x7f");
    assert_prints(node, 0, "\"a\\ufffd\\ufffdz\\u0001\x7f\"");
    ngff_json_close(&node);
}

static void printing_meets_limits(void **state) {
    (void)state;
    failing_alloc f;
    ngff_buf out;
    ngff_error err = {0};
    ngff_json *root =
        parsed("{\"long\":\"0123456789012345678901234567890123456789\",\"b\":[1]}", 0);
    ngff_buf_init(&out, NULL, 20);
    assert_int_equal(ngff_json_print(root, 0, &out, &err), NGFF_LIMIT);
    ngff_buf_reset(&out);
    failing_init(&f);
    ngff_status status = NGFF_NOMEM;
    for (long at = 0; status == NGFF_NOMEM; at++) {
        ngff_buf_init(&out, &f.ops, SIZE_MAX);
        failing_arm(&f, at);
        status = ngff_json_print(root, 4, &out, NULL);
        ngff_buf_reset(&out);
        assert_int_equal(f.live, 0);
        assert_true(at < 100);
    }
    assert_int_equal(status, NGFF_OK);
    ngff_json_close(&root);
}

static void handmade_depth_is_bounded(void **state) {
    (void)state;
    ngff_json *root = ngff_json_new_array();
    ngff_buf out;
    for (int i = 0; i < 300; i++) {
        ngff_json *outer = ngff_json_new_array();
        assert_int_equal(ngff_json_push(outer, root), NGFF_OK);
        root = outer;
    }
    ngff_buf_init(&out, NULL, SIZE_MAX);
    assert_int_equal(ngff_json_print(root, 0, &out, NULL), NGFF_LIMIT);
    ngff_buf_reset(&out);
    ngff_json_close(&root);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_and_prints),
        cmocka_unit_test(doubles_read_back_as_doubles),
        cmocka_unit_test(failures_are_taken_in),
        cmocka_unit_test(changes),
        cmocka_unit_test(members_by_number_after_changes),
        cmocka_unit_test(equality),
        cmocka_unit_test(broken_utf8_is_printed_valid),
        cmocka_unit_test(printing_meets_limits),
        cmocka_unit_test(handmade_depth_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
