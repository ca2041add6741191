#include "store/support.h"

static void good_keys(void **state) {
    (void)state;
    static const char *const keys[] = {
        "zarr.json", "a/b/c",      ".zgroup", "scale0/image/c/0/1", "...", "a..b",
        "c.0.1",     "\xc3\xa9/x", "a b"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        OK(ngff_store_key_check(keys[i], E));
}

static void hostile_keys(void **state) {
    (void)state;
    static const char *const keys[] = {
        "",     "/",    "/a",       "a/",     "a//b",       ".",
        "..",   "../a", "a/../b",   "a/./b",  "a/..",       "a\\b",
        "a\nb", "\x7f", "\xff\xfe", "x/\x01", ".ngff-lock", "a/.ngff-put-1/b"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        ngff_error err = {0};
        if (ngff_store_key_check(keys[i], &err) != NGFF_INVALID)
            fail_msg("key %zu \"%s\" was accepted", i, keys[i]);
        assert_true(err.message[0]);
        assert_null(strchr(err.message, '\n'));
    }
}

static void lengths(void **state) {
    (void)state;
    char key[NGFF_STORE_KEY_MAX + 8];
    memset(key, 'a', sizeof key);
    for (size_t i = 200; i < sizeof key; i += 200)
        key[i] = '/';
    key[NGFF_STORE_KEY_MAX - 1] = '\0';
    OK(ngff_store_key_check(key, E));
    key[NGFF_STORE_KEY_MAX - 1] = 'a';
    key[NGFF_STORE_KEY_MAX] = '\0';
    assert_int_equal(ngff_store_key_check(key, NULL), NGFF_INVALID);
    memset(key, 'a', 256);
    key[256] = '\0';
    assert_int_equal(ngff_store_key_check(key, NULL), NGFF_INVALID);
    key[255] = '\0';
    OK(ngff_store_key_check(key, E));
}

/* Every call of every kind looks at the key first. */
static void all_calls_check(void **state) {
    place *p = *state;
    ngff_store *stores[3];
    char byte;
    size_t got;
    uint64_t size;
    stores[0] = stage(p->dest, NGFF_OVERWRITE_NO);
    OK(ngff_store_open_memory(NULL, &stores[1], E));
    OK(ngff_store_open_prefix(NULL, stores[1], "sub", &stores[2], E));
    write_file(p->dir, "secret", "x");
    for (int i = 0; i < 3; i++) {
        ngff_store *s = stores[i];
        ngff_store_writer *w;
        const char *key = "../secret";
        assert_int_equal(ngff_store_get_range(s, key, 0, 1, &byte, &got, NULL),
                         NGFF_INVALID);
        assert_int_equal(ngff_store_size(s, key, &size, NULL), NGFF_INVALID);
        assert_int_equal(ngff_store_put(s, key, "y", 1, NULL), NGFF_INVALID);
        assert_int_equal(ngff_store_erase(s, key, NULL), NGFF_INVALID);
        assert_int_equal(ngff_store_list(s, key, NULL, NULL, NULL), NGFF_INVALID);
        assert_int_equal(ngff_store_begin(s, key, &w, NULL), NGFF_INVALID);
    }
    for (int i = 2; i >= 0; i--)
        ngff_store_drop(&stores[i]);
    expect_file(p->dir, "secret", "x");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_keys),
        cmocka_unit_test(hostile_keys),
        cmocka_unit_test(lengths),
        PLACE_TEST(all_calls_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
