#include "support/tempdir.h"

#include "support/alloc.h"

#include <limits.h>
#include <sys/stat.h>

static void kinds(void **state) {
    (void)state;
    tempdir_write("file", "x");
    assert_int_equal(symlink("file", tempdir_at("good")), 0);
    assert_int_equal(symlink("nowhere", tempdir_at("dangling")), 0);
    assert_int_equal(symlink("loop", tempdir_at("loop")), 0);
    assert_int_equal(mkfifo(tempdir_at("pipe"), 0600), 0);
    assert_int_equal(tempdir_kind("none"), NGFF_PATH_NONE);
    assert_int_equal(tempdir_kind("file/x"), NGFF_PATH_NONE);
    assert_int_equal(tempdir_kind("file"), NGFF_PATH_FILE);
    assert_int_equal(tempdir_kind("."), NGFF_PATH_DIR);
    assert_int_equal(tempdir_kind("good"), NGFF_PATH_FILE);
    assert_int_equal(tempdir_kind("dangling"), NGFF_PATH_OTHER);
    assert_int_equal(tempdir_kind("loop"), NGFF_PATH_OTHER);
    assert_int_equal(tempdir_kind("pipe"), NGFF_PATH_OTHER);
}

static void identities(void **state) {
    (void)state;
    uint64_t d1, i1, d2, i2;
    tempdir_write("file", "x");
    tempdir_write("other", "x");
    assert_int_equal(symlink("file", tempdir_at("link")), 0);
    assert_int_equal(ngff_path_identity(tempdir_at("file"), &d1, &i1, NULL), NGFF_OK);
    assert_int_equal(ngff_path_identity(tempdir_at("link"), &d2, &i2, NULL), NGFF_OK);
    assert_true(d1 == d2 && i1 == i2);
    assert_int_equal(ngff_path_identity(tempdir_at("other"), &d2, &i2, NULL), NGFF_OK);
    assert_true(i1 != i2);
    assert_int_equal(ngff_path_identity(tempdir_at("none"), &d2, &i2, NULL),
                     NGFF_NOT_FOUND);
}

static void absolute_is(const char *path, const char *want) {
    char *got = NULL;
    ngff_error err = {0};
    if (ngff_path_absolute(NULL, path, &got, &err) != NGFF_OK)
        print_error("%s\n", err.message);
    assert_non_null(got);
    assert_string_equal(got, want);
    ngff_free(NULL, got);
}

static void absolute_paths(void **state) {
    (void)state;
    char before[PATH_MAX], real[PATH_MAX], want[PATH_MAX + 64];
    assert_non_null(getcwd(before, sizeof before));
    assert_non_null(realpath(tempdir_path, real));
    assert_int_equal(ngff_dir_make(tempdir_at("dir"), NULL), NGFF_OK);
    assert_int_equal(symlink("dir", tempdir_at("link")), 0);
    tempdir_write("file", "x");
    assert_int_equal(chdir(tempdir_path), 0);
    const char *rows[][2] = {
        {".", ""},
        {"./", ""},
        {"dir", "/dir"},
        {"dir/", "/dir"},
        {"dir//", "/dir"},
        {"link", "/dir"},
        {"new", "/new"},
        {"./new", "/new"},
        {".new", "/.new"},
        {"..new/x", "/..new/x"},
        {"new/", "/new"},
        {"link/new/deep", "/dir/new/deep"},
        {"new//a/./b", "/new/a/b"},
        {"new/../other", "/other"},
        {"new/a/../../..", NULL},
        {"dir/../new", "/new"},
        {"file/x", "/file/x"},
        {"./new/../dir/x", "/dir/x"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(want, sizeof want, "%s%s", real, rows[i][1] ? rows[i][1] : "");
        if (!rows[i][1])
            *strrchr(want, '/') = '\0';
        absolute_is(rows[i][0], want[0] ? want : "/");
    }
    absolute_is("/", "/");
    absolute_is("//", "/");
    absolute_is("/no-such-thing/../..", "/");
    absolute_is("/no-such-thing/x/", "/no-such-thing/x");
    assert_int_equal(chdir(before), 0);
}

static void absolute_refusals(void **state) {
    (void)state;
    char *got = (char *)1;
    char *longer = malloc(PATH_MAX + 10);
    failing_alloc f;
    memset(longer, 'a', PATH_MAX + 9);
    longer[PATH_MAX + 9] = '\0';
    assert_int_equal(ngff_path_absolute(NULL, "", &got, NULL), NGFF_NOT_FOUND);
    assert_null(got);
    assert_int_equal(ngff_path_absolute(NULL, longer, &got, NULL), NGFF_IO);
    free(longer);
    failing_init(&f);
    failing_arm(&f, 0);
    assert_int_equal(ngff_path_absolute(&f.ops, "/", &got, NULL), NGFF_NOMEM);
    assert_null(got);
}

static void making_directories(void **state) {
    (void)state;
    ngff_error err = {0};
    assert_int_equal(ngff_dir_make_all(tempdir_at("a/b//c/"), &err), NGFF_OK);
    assert_int_equal(tempdir_kind("a/b/c"), NGFF_PATH_DIR);
    assert_int_equal(ngff_dir_make_all(tempdir_at("a/b/c"), NULL), NGFF_OK);
    assert_int_equal(ngff_dir_make(tempdir_at("a"), NULL), NGFF_EXISTS);
    assert_int_equal(ngff_dir_make(tempdir_at("x/y"), NULL), NGFF_NOT_FOUND);
    assert_int_equal(ngff_dir_make_all("/", NULL), NGFF_OK);
    assert_int_equal(ngff_dir_make_all("", NULL), NGFF_NOT_FOUND);
    tempdir_write("file", "x");
    assert_int_equal(ngff_dir_make_all(tempdir_at("file"), NULL), NGFF_EXISTS);
    assert_int_equal(ngff_dir_make_all(tempdir_at("file/x/y"), &err), NGFF_EXISTS);
    assert_int_equal(ngff_dir_sync(tempdir_at("a"), NULL), NGFF_OK);
    assert_int_equal(ngff_dir_sync(tempdir_at("none"), NULL), NGFF_NOT_FOUND);
    assert_int_equal(ngff_fs_sync(tempdir_at("a"), NULL), NGFF_OK);
}

static ngff_status collect(void *user, const char *name, ngff_path_kind kind) {
    char *all = user;
    snprintf(all + strlen(all), 256 - strlen(all), "%s%d ", name, (int)kind);
    return strcmp(name, "stop") == 0 ? NGFF_CANCELLED : NGFF_OK;
}

static void listing(void **state) {
    (void)state;
    char all[256] = "";
    failing_alloc f;
    assert_int_equal(ngff_dir_list(NULL, tempdir_path, collect, all, NULL), NGFF_OK);
    assert_string_equal(all, "");
    assert_int_equal(ngff_dir_list(NULL, tempdir_at("x"), collect, all, NULL),
                     NGFF_NOT_FOUND);
    tempdir_write("b", "");
    tempdir_write("Z", "");
    tempdir_write("10", "");
    tempdir_write("9", "");
    assert_int_equal(ngff_dir_make(tempdir_at("a"), NULL), NGFF_OK);
    assert_int_equal(symlink("a", tempdir_at("l")), 0);
    assert_int_equal(symlink("none", tempdir_at("\xc3\xa9")), 0);
    assert_int_equal(ngff_dir_list(NULL, tempdir_path, collect, all, NULL), NGFF_OK);
    assert_string_equal(all, "101 91 Z1 a2 b1 l2 \xc3\xa9"
                             "3 ");
    failing_init(&f);
    ngff_status status = NGFF_NOMEM;
    for (long at = 0; status == NGFF_NOMEM; at++) {
        failing_arm(&f, at);
        all[0] = '\0';
        status = ngff_dir_list(&f.ops, tempdir_path, collect, all, NULL);
        assert_int_equal(f.live, 0);
    }
    assert_int_equal(status, NGFF_OK);
    tempdir_write("c", "");
    assert_int_equal(rename(tempdir_at("c"), tempdir_at("stop")), 0);
    assert_int_equal(ngff_dir_list(NULL, tempdir_path, collect, all, NULL),
                     NGFF_CANCELLED);
}

static void removing_trees(void **state) {
    (void)state;
    ngff_error err = {0};
    assert_int_equal(ngff_dir_make_all(tempdir_at("t/a/b/c"), NULL), NGFF_OK);
    assert_int_equal(ngff_dir_make_all(tempdir_at("t/d"), NULL), NGFF_OK);
    assert_int_equal(ngff_dir_make(tempdir_at("outside"), NULL), NGFF_OK);
    tempdir_write("outside/kept", "x");
    tempdir_write("t/a/b/file", "x");
    tempdir_write("t/a/b/c/file", "x");
    assert_int_equal(symlink(tempdir_at("outside"), tempdir_at("t/a/link")), 0);
    assert_int_equal(ngff_dir_remove_all(tempdir_at("t"), &err), NGFF_OK);
    assert_int_equal(tempdir_kind("t"), NGFF_PATH_NONE);
    tempdir_expect("outside/kept", "x");
    /* A link or a file goes itself. */
    assert_int_equal(symlink(tempdir_at("outside"), tempdir_at("link")), 0);
    assert_int_equal(ngff_dir_remove_all(tempdir_at("link"), &err), NGFF_OK);
    assert_int_equal(tempdir_kind("link"), NGFF_PATH_NONE);
    tempdir_expect("outside/kept", "x");
    assert_int_equal(ngff_dir_remove_all(tempdir_at("outside/kept"), &err), NGFF_OK);
    assert_int_equal(tempdir_kind("outside/kept"), NGFF_PATH_NONE);
    assert_int_equal(ngff_dir_remove_all(tempdir_at("none"), &err), NGFF_OK);
    assert_int_equal(ngff_path_remove(tempdir_at("none"), &err), NGFF_NOT_FOUND);
}

static void removing_deep_trees(void **state) {
    (void)state;
    ngff_error err = {0};
    char path[2048] = "deep";
    for (int i = 0; i < 100; i++)
        strcat(path, "/d");
    assert_int_equal(ngff_dir_make_all(tempdir_at(path), NULL), NGFF_OK);
    assert_int_equal(ngff_dir_remove_all(tempdir_at("deep"), &err), NGFF_OK);
    assert_int_equal(tempdir_kind("deep"), NGFF_PATH_NONE);
    for (int i = 0; i < 50; i++)
        strcat(path, "/d");
    assert_int_equal(ngff_dir_make_all(tempdir_at(path), NULL), NGFF_OK);
    assert_int_equal(ngff_dir_remove_all(tempdir_at("deep"), &err), NGFF_LIMIT);
    assert_non_null(strstr(err.message, "deep: "));
    /* What is deeper goes from further down. */
    path[4 + 2 * 60] = '\0';
    assert_int_equal(ngff_dir_remove_all(tempdir_at(path), NULL), NGFF_OK);
    assert_int_equal(ngff_dir_remove_all(tempdir_at("deep"), NULL), NGFF_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEMPDIR_TEST(kinds),
        TEMPDIR_TEST(identities),
        TEMPDIR_TEST(absolute_paths),
        TEMPDIR_TEST(absolute_refusals),
        TEMPDIR_TEST(making_directories),
        TEMPDIR_TEST(listing),
        TEMPDIR_TEST(removing_trees),
        TEMPDIR_TEST(removing_deep_trees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
