/* json tests: parse a literal, print a node. */
#ifndef NGFF_TEST_JSON_SUPPORT_H
#define NGFF_TEST_JSON_SUPPORT_H

#include "support/cmocka.h"

#include "json/json.h"

static inline ngff_json *parsed(const char *text, int flags) {
    ngff_json *root = NULL;
    ngff_error err = {0};
    if (ngff_json_parse(text, strlen(text), flags, &root, &err) != NGFF_OK)
        print_error("%s: %s\n", text, err.message);
    assert_non_null(root);
    return root;
}

static inline void assert_refused(const char *text, size_t size, int flags,
                                  ngff_status status, const char *message) {
    ngff_json *root = (ngff_json *)1;
    ngff_error err = {0};
    ngff_status got = ngff_json_parse(text, size, flags, &root, &err);
    if (got != status || (message && !strstr(err.message, message)))
        print_error("'%.60s' gave %s \"%s\", not \"%s\"\n", text, ngff_status_name(got),
                    err.message, message ? message : "");
    assert_int_equal(got, status);
    assert_null(root);
    if (message)
        assert_non_null(strstr(err.message, message));
}

static inline void assert_prints(const ngff_json *node, int indent, const char *want) {
    ngff_buf out;
    ngff_error err = {0};
    ngff_buf_init(&out, NULL, SIZE_MAX);
    assert_int_equal(ngff_json_print(node, indent, &out, &err), NGFF_OK);
    assert_string_equal(out.data, want);
    ngff_buf_reset(&out);
}

#endif
