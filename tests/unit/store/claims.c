/* Claims in a directory: one owner a name, more names than one file may have. */
#include "support/tempdir.h"

#include "store/store.h"

static ngff_store *open_dir(const char *name) {
    const ngff_store_open_opts opts = {.mode = NGFF_STORE_UPDATE,
                                       .durability = NGFF_DURABILITY_NONE};
    ngff_store *store = NULL;
    ngff_status made = ngff_dir_make(tempdir_at(name), NULL);
    assert_true(made == NGFF_OK || made == NGFF_EXISTS);
    assert_int_equal(ngff_store_at(NULL, tempdir_at(name), &opts, &store, NULL), NGFF_OK);
    return store;
}

static void one_owner_a_name(void **state) {
    ngff_store *store = open_dir("s");
    ngff_claims *a, *b;
    ngff_error err = {0};
    (void)state;
    assert_int_equal(ngff_claims_open(store, &a, &err), NGFF_OK);
    assert_int_equal(ngff_claims_open(store, &b, &err), NGFF_OK);
    assert_int_equal(ngff_claims_take(a, "0.1", &err), NGFF_OK);
    assert_int_equal(ngff_claims_take(b, "0.1", &err), NGFF_EXISTS);
    assert_int_equal(ngff_claims_take(b, "0.2", &err), NGFF_OK);
    ngff_claims_drop(a, "0.1");
    assert_int_equal(ngff_claims_take(b, "0.1", NULL), NGFF_OK);
    ngff_claims_close(&a);
    assert_int_equal(tempdir_kind("s/.ngff-claims"), NGFF_PATH_DIR);
    ngff_claims_drop(b, "0.1");
    ngff_claims_drop(b, "0.2");
    ngff_claims_close(&b);
    assert_int_equal(tempdir_kind("s/.ngff-claims"), NGFF_PATH_NONE);
    ngff_store_drop(&store);
}

/* A store that nobody else sees has none. */
static void memory_has_no_claims(void **state) {
    ngff_store *store;
    ngff_claims *c;
    (void)state;
    assert_int_equal(ngff_store_open_memory(NULL, &store, NULL), NGFF_OK);
    assert_int_equal(ngff_claims_open(store, &c, NULL), NGFF_OK);
    assert_null(c);
    assert_int_equal(ngff_claims_take(c, "0.1", NULL), NGFF_OK);
    ngff_claims_drop(c, "0.1");
    ngff_claims_close(&c);
    ngff_store_drop(&store);
}

static void many_names(void **state) {
    enum { COUNT = 30100 };
    ngff_store *store = open_dir("s");
    ngff_claims *a, *b;
    ngff_error err = {0};
    char name[32];
    (void)state;
    assert_int_equal(ngff_claims_open(store, &a, &err), NGFF_OK);
    assert_int_equal(ngff_claims_open(store, &b, &err), NGFF_OK);
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "0.%d", i);
        if (ngff_claims_take(a, name, &err) != NGFF_OK)
            fail_msg("%s: %s", name, err.message);
    }
    assert_int_equal(ngff_claims_take(b, "0.7", NULL), NGFF_EXISTS);
    assert_int_equal(ngff_claims_take(b, name, NULL), NGFF_EXISTS);
    ngff_claims_close(&a); /* without dropping: as if it had died */
    assert_int_equal(ngff_claims_take(b, "0.7", NULL), NGFF_OK);
    assert_int_equal(ngff_claims_take(b, name, NULL), NGFF_OK);
    ngff_claims_drop(b, "0.7");
    ngff_claims_drop(b, name);
    ngff_claims_close(&b);
    assert_int_equal(tempdir_kind("s/.ngff-claims"), NGFF_PATH_NONE);
    ngff_store_drop(&store);
}

static void everything_under_a_prefix_goes(void **state) {
    static const char *const keys[] = {"a/b/c", "a/b/d/e", "a/f", "ab/c", "g"};
    uint64_t size;
    (void)state;
    for (int i = 0; i < 2; i++) {
        ngff_store *store = i == 0 ? open_dir("s") : NULL;
        if (i == 1)
            assert_int_equal(ngff_store_open_memory(NULL, &store, NULL), NGFF_OK);
        for (int k = 0; k < 5; k++)
            assert_int_equal(ngff_store_put(store, keys[k], "x", 1, NULL), NGFF_OK);
        assert_int_equal(ngff_store_erase_prefix(store, "a", NULL), NGFF_OK);
        assert_int_equal(ngff_store_erase_prefix(store, "nothing", NULL), NGFF_OK);
        assert_int_equal(ngff_store_erase_prefix(store, "../s", NULL), NGFF_INVALID);
        for (int k = 0; k < 5; k++)
            assert_int_equal(ngff_store_size(store, keys[k], &size, NULL),
                             k < 3 ? NGFF_NOT_FOUND : NGFF_OK);
        ngff_store_drop(&store);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEMPDIR_TEST(one_owner_a_name),
        TEMPDIR_TEST(memory_has_no_claims),
        TEMPDIR_TEST(many_names),
        TEMPDIR_TEST(everything_under_a_prefix_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
