#include "json/support.h"

#include "support/random.h"

#include <stdio.h>
#include <stdlib.h>

static void nul_bytes(void **state) {
    (void)state;
    const char *texts[] = {"{}\0", "{\0}", "[1\0]",      "\"a\0b\"",
                           "\0{}", "1\0",  "{\"a\0\":1}"};
    const size_t sizes[] = {3, 3, 4, 5, 3, 2, 8};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_refused(texts[i], sizes[i], NGFF_JSON_STRICT, NGFF_FORMAT, NULL);
        assert_refused(texts[i], sizes[i], NGFF_JSON_LENIENT, NGFF_FORMAT, NULL);
    }
    assert_refused("{\"a\\u0000b\":1}", 14, NGFF_JSON_LENIENT, NGFF_FORMAT, "NUL");
}

static void deep_nesting(void **state) {
    (void)state;
    const size_t depths[] = {64, 65, 200000};
    for (int kind = 0; kind < 2; kind++) {
        const char *open = kind ? "{\"a\":" : "[";
        size_t step = strlen(open);
        for (size_t d = 0; d < 3; d++) {
            size_t depth = depths[d], size = depth * step + 1 + depth;
            char *text = malloc(size);
            for (size_t i = 0; i < depth; i++)
                memcpy(text + i * step, open, step);
            text[depth * step] = '1';
            memset(text + depth * step + 1, kind ? '}' : ']', depth);
            ngff_json *root = NULL;
            if (depth > 64) {
                assert_refused(text, size, 0, NGFF_LIMIT,
                               "nesting deeper than 64 at line 1:");
            } else {
                assert_int_equal(ngff_json_parse(text, size, 0, &root, NULL), NGFF_OK);
                ngff_json_close(&root);
            }
            free(text);
        }
    }
}

static void too_large(void **state) {
    (void)state;
    /* Refused by its size alone: the text is never looked at. */
    assert_refused("", NGFF_JSON_MAX_SIZE + 1, 0, NGFF_LIMIT, "at most");
}

/* A few bytes of text must not cost a kilobyte of memory each. */
static void memory_is_bounded(void **state) {
    (void)state;
    size_t size = (size_t)8 << 20;
    char *text = malloc(size);
    text[0] = '[';
    for (size_t i = 1; i + 3 <= size; i += 3)
        memcpy(text + i, "{},", 3);
    assert_refused(text, size, 0, NGFF_LIMIT, "too many values");
    free(text);
}

/* Walking the members by number, and finding duplicates, must not be quadratic: with
 * 200000 members that would take minutes here. */
static void many_members(void **state) {
    (void)state;
    enum { COUNT = 200000 };
    ngff_buf text;
    ngff_error err = {0};
    ngff_json *root;
    ngff_buf_init(&text, NULL, SIZE_MAX);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(
            ngff_buf_printf(&text, &err, "%s\"k%d\":%d", i ? "," : "{", i, i), NGFF_OK);
    assert_int_equal(ngff_buf_append(&text, "}", 1, &err), NGFF_OK);
    assert_int_equal(ngff_json_parse(text.data, text.size, 0, &root, &err), NGFF_OK);
    assert_int_equal(ngff_json_len(root), COUNT);
    for (int i = 0; i < COUNT; i++) {
        const char *name;
        int64_t v;
        const ngff_json *node = ngff_json_member(root, (size_t)i, &name);
        assert_true(ngff_json_i64(node, &v) && v == i);
    }
    ngff_json_close(&root);
    ngff_buf_reset(&text);
}

/* Every cut and many random changes of a document: an answer, never a crash (run under
 * ASan). */
static void torn_and_bent(void **state) {
    (void)state;
    const char *text = "{\"zarr_format\":3,\"shape\":[1,2.5e3,-7],\"s\":"
                       "\"\\u00e9\\ud83d\\ude00\xc3\xa9\","
                       "\"n\":null,\"t\":true,\"o\":{\"a\":[[],{}],\"f\":false}}";
    size_t size = strlen(text);
    ngff_json *root;
    for (size_t cut = 0; cut < size; cut++) {
        char *torn = malloc(cut ? cut : 1); /* its own block: reading beyond is seen */
        memcpy(torn, text, cut);
        assert_int_not_equal(ngff_json_parse(torn, cut, 0, &root, NULL), NGFF_OK);
        free(torn);
    }
    uint64_t seed = 9;
    for (int round = 0; round < 20000; round++) {
        char *bent = malloc(size);
        memcpy(bent, text, size);
        for (int k = (int)random_range(&seed, 1, 3); k > 0; k--)
            bent[random_range(&seed, 0, (int64_t)size - 1)] = (char)random_next(&seed);
        int flags = (int)random_range(&seed, 0, 1);
        if (ngff_json_parse(bent, size, flags, &root, NULL) == NGFF_OK) {
            ngff_buf out;
            ngff_json *again;
            ngff_buf_init(&out, NULL, SIZE_MAX);
            assert_int_equal(ngff_json_print(root, 2, &out, NULL), NGFF_OK);
            assert_int_equal(ngff_json_parse(out.data, out.size, 0, &again, NULL),
                             NGFF_OK);
            assert_true(ngff_json_equal(root, again));
            ngff_json_close(&again);
            ngff_json_close(&root);
            ngff_buf_reset(&out);
        }
        free(bent);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nul_bytes),    cmocka_unit_test(deep_nesting),
        cmocka_unit_test(too_large),    cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(many_members), cmocka_unit_test(torn_and_bent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
