#include "support/tempdir.h"

#include "sys/inside.h"

typedef ngff_status (*rename_fn)(const char *from, const char *to, ngff_error *err);
/* The system call and what stands in for it must behave alike. */
static const rename_fn ways[] = {ngff_path_rename_new, ngff_sys_rename_new_plain};

static void files_never_replace(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        ngff_error err = {0};
        tempdir_write("a", "new");
        tempdir_write("b", "old");
        assert_int_equal(ways[i](tempdir_at("a"), tempdir_at("b"), &err), NGFF_EXISTS);
        assert_non_null(strstr(err.message, "/b: "));
        tempdir_expect("b", "old");
        assert_int_equal(ways[i](tempdir_at("a"), tempdir_at("c"), NULL), NGFF_OK);
        tempdir_expect("c", "new");
        assert_int_equal(tempdir_kind("a"), NGFF_PATH_NONE);
        ngff_error_clear(&err);
        assert_int_equal(ways[i](tempdir_at("a"), tempdir_at("d"), &err), NGFF_NOT_FOUND);
        assert_non_null(strstr(err.message, "/a: "));
        assert_int_equal(tempdir_kind("d"), NGFF_PATH_NONE);
        assert_int_equal(ngff_path_remove(tempdir_at("c"), NULL), NGFF_OK);
    }
}

static void directories_never_replace(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ngff_dir_make_all(tempdir_at("store"), NULL), NGFF_OK);
        assert_int_equal(ngff_dir_make_all(tempdir_at("empty"), NULL), NGFF_OK);
        tempdir_write("store/zarr.json", "{}");
        assert_int_equal(ways[i](tempdir_at("store"), tempdir_at("empty"), NULL),
                         NGFF_EXISTS);
        assert_int_equal(symlink("nowhere", tempdir_at("link")), 0);
        assert_int_equal(ways[i](tempdir_at("store"), tempdir_at("link"), NULL),
                         NGFF_EXISTS);
        assert_int_equal(ngff_path_remove(tempdir_at("link"), NULL), NGFF_OK);
        assert_int_equal(ways[i](tempdir_at("store"), tempdir_at("out"), NULL), NGFF_OK);
        tempdir_expect("out/zarr.json", "{}");
        assert_int_equal(tempdir_kind("store"), NGFF_PATH_NONE);
        assert_int_equal(ngff_dir_remove_all(tempdir_at("out"), NULL), NGFF_OK);
        /* Into itself: refused, and nothing is left behind. */
        assert_int_equal(ways[i](tempdir_at("empty"), tempdir_at("empty/in"), NULL),
                         NGFF_IO);
        assert_int_equal(tempdir_kind("empty/in"), NGFF_PATH_NONE);
    }
}

static void exchanges(void **state) {
    (void)state;
    ngff_error err = {0};
    assert_int_equal(ngff_dir_make(tempdir_at("dir"), NULL), NGFF_OK);
    tempdir_write("dir/in", "d");
    tempdir_write("file", "f");
    ngff_status status = ngff_path_exchange(tempdir_at("dir"), tempdir_at("file"), &err);
    if (status == NGFF_UNSUPPORTED)
        skip();
    assert_int_equal(status, NGFF_OK);
    tempdir_expect("dir", "f");
    tempdir_expect("file/in", "d");
    assert_int_equal(ngff_path_exchange(tempdir_at("dir"), tempdir_at("none"), NULL),
                     NGFF_NOT_FOUND);
    assert_int_equal(ngff_path_rename(tempdir_at("dir"), tempdir_at("moved"), NULL),
                     NGFF_OK);
    tempdir_expect("moved", "f");
    assert_int_equal(ngff_path_rename(tempdir_at("dir"), tempdir_at("moved"), &err),
                     NGFF_NOT_FOUND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEMPDIR_TEST(files_never_replace),
        TEMPDIR_TEST(directories_never_replace),
        TEMPDIR_TEST(exchanges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
