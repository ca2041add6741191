#include "support/tempdir.h"

#include <sys/stat.h>

static void modes(void **state) {
    (void)state;
    ngff_file f = NGFF_FILE_INIT;
    ngff_error err = {0};
    const char *path = tempdir_at("a");
    assert_int_equal(ngff_file_open(&f, path, NGFF_OPEN_READ, &err), NGFF_NOT_FOUND);
    assert_non_null(strstr(err.message, "/a: "));
    assert_non_null(strstr(err.message, "(ENOENT)"));
    assert_int_equal(f.fd, -1);
    assert_int_equal(ngff_file_open(&f, path, NGFF_OPEN_READ_WRITE, NULL),
                     NGFF_NOT_FOUND);
    assert_int_equal(ngff_file_open(&f, path, NGFF_OPEN_CREATE, NULL), NGFF_OK);
    assert_int_equal(ngff_file_pwrite(&f, "hello", 5, 3, path, NULL), NGFF_OK);
    assert_int_equal(ngff_file_sync(&f, path, NULL), NGFF_OK);
    assert_int_equal(ngff_file_finish(&f, path, NULL), NGFF_OK);
    assert_int_equal(ngff_file_finish(&f, path, NULL), NGFF_OK);
    ngff_error_clear(&err);
    assert_int_equal(ngff_file_open(&f, path, NGFF_OPEN_CREATE, &err), NGFF_EXISTS);
    assert_int_equal(ngff_file_open(&f, path, NGFF_OPEN_READ_WRITE, NULL), NGFF_OK);
    char got[16];
    size_t n;
    uint64_t size;
    assert_int_equal(ngff_file_pread(&f, got, 16, 0, &n, path, NULL), NGFF_OK);
    assert_int_equal(n, 8);
    assert_memory_equal(got, "\0\0\0hello", 8);
    assert_int_equal(ngff_file_pread(&f, got, 16, 100, &n, path, NULL), NGFF_OK);
    assert_int_equal(n, 0);
    assert_int_equal(ngff_file_size(&f, &size, path, NULL), NGFF_OK);
    assert_int_equal(size, 8);
    ngff_file_close(&f);
    ngff_file_close(&f);
    tempdir_write("a", "x");
    tempdir_expect("a", "x");
    ngff_error_clear(&err);
    assert_int_equal(ngff_file_open(&f, tempdir_at("a/b"), NGFF_OPEN_CREATE, &err),
                     NGFF_NOT_FOUND);
    assert_non_null(strstr(err.message, "ENOTDIR"));
}

static void odd_offsets_and_things(void **state) {
    (void)state;
    ngff_file f = NGFF_FILE_INIT;
    char byte;
    size_t n = 9;
    uint64_t size;
    tempdir_write("a", "x");
    assert_int_equal(ngff_file_open(&f, tempdir_at("a"), NGFF_OPEN_READ, NULL), NGFF_OK);
    assert_int_equal(ngff_file_pread(&f, &byte, 1, UINT64_MAX, &n, "a", NULL), NGFF_IO);
    assert_int_equal(n, 0);
    assert_int_equal(ngff_file_pwrite(&f, "y", 1, INT64_MAX, "a", NULL), NGFF_IO);
    assert_int_equal(ngff_file_pwrite(&f, "y", 1, 0, "a", NULL), NGFF_IO); /* read only */
    ngff_file_close(&f);
    /* A directory opens, but is not a file; a pipe without a writer does not hang. */
    assert_int_equal(ngff_file_open(&f, tempdir_path, NGFF_OPEN_READ, NULL), NGFF_OK);
    assert_int_equal(ngff_file_size(&f, &size, "dir", NULL), NGFF_IO);
    assert_int_equal(ngff_file_pread(&f, &byte, 1, 0, &n, "dir", NULL), NGFF_IO);
    ngff_file_close(&f);
    assert_int_equal(mkfifo(tempdir_at("pipe"), 0600), 0);
    assert_int_equal(ngff_file_open(&f, tempdir_at("pipe"), NGFF_OPEN_READ, NULL),
                     NGFF_OK);
    assert_int_equal(ngff_file_pread(&f, &byte, 1, 0, &n, "pipe", NULL), NGFF_IO);
    ngff_file_close(&f);
}

static void unlinked_files(void **state) {
    (void)state;
    ngff_file f = NGFF_FILE_INIT;
    ngff_error err = {0};
    char got[4];
    size_t n;
    assert_int_equal(ngff_file_open_unlinked(&f, tempdir_path, NULL), NGFF_OK);
    assert_int_equal(ngff_file_pwrite(&f, "spill", 5, 1 << 20, "spill", NULL), NGFF_OK);
    assert_int_equal(ngff_file_pread(&f, got, 4, 1 << 20, &n, "spill", NULL), NGFF_OK);
    assert_memory_equal(got, "spil", 4);
    ngff_file_punch_hole(&f, 0, 1 << 20);
    ngff_file_punch_hole(&f, 0, 0);
    assert_int_equal(rmdir(tempdir_path), 0); /* nothing is in there */
    assert_int_equal(mkdir(tempdir_path, 0700), 0);
    ngff_file_close(&f);
    assert_int_equal(ngff_file_open_unlinked(&f, tempdir_at("none"), &err),
                     NGFF_NOT_FOUND);
    assert_int_equal(f.fd, -1);
}

static void copies_ranges(void **state) {
    (void)state;
    enum { SIZE = 100000 };
    static char data[SIZE], got[SIZE];
    ngff_file from = NGFF_FILE_INIT, to = NGFF_FILE_INIT;
    ngff_error err = {0};
    size_t n;
    for (int i = 0; i < SIZE; i++)
        data[i] = (char)(i * 31 >> 3);
    assert_int_equal(ngff_file_open(&from, tempdir_at("from"), NGFF_OPEN_CREATE, NULL),
                     NGFF_OK);
    assert_int_equal(ngff_file_open(&to, tempdir_at("to"), NGFF_OPEN_CREATE, NULL),
                     NGFF_OK);
    assert_int_equal(ngff_file_pwrite(&from, data, SIZE, 0, "from", NULL), NGFF_OK);
    assert_int_equal(ngff_file_copy_range(&from, 10, &to, 7, SIZE - 10, "to", &err),
                     NGFF_OK);
    assert_int_equal(ngff_file_pread(&to, got, SIZE, 7, &n, "to", NULL), NGFF_OK);
    assert_int_equal(n, SIZE - 10);
    assert_memory_equal(got, data + 10, n);
    /* More than there is. */
    assert_int_equal(ngff_file_copy_range(&from, SIZE - 5, &to, 0, 9, "to", &err),
                     NGFF_IO);
    assert_non_null(strstr(err.message, "ends 4 bytes before"));
    /* Within one file, downwards and overlapping: the kernel refuses, the loop does it.
     */
    assert_int_equal(ngff_file_copy_range(&from, 10, &from, 0, 50000, "from", NULL),
                     NGFF_OK);
    assert_int_equal(ngff_file_pread(&from, got, 50000, 0, &n, "from", NULL), NGFF_OK);
    assert_memory_equal(got, data + 10, n);
    ngff_file_close(&from);
    ngff_file_close(&to);
}

static void a_full_disk_is_said(void **state) {
    (void)state;
    ngff_file f = NGFF_FILE_INIT;
    ngff_error err = {0};
    if (ngff_file_open(&f, "/dev/full", NGFF_OPEN_READ_WRITE, NULL) != NGFF_OK)
        skip();
    assert_int_equal(ngff_file_pwrite(&f, "x", 1, 0, "/dev/full", &err), NGFF_IO);
    assert_non_null(strstr(err.message, "ENOSPC"));
    ngff_file_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEMPDIR_TEST(modes),
        TEMPDIR_TEST(odd_offsets_and_things),
        TEMPDIR_TEST(unlinked_files),
        TEMPDIR_TEST(copies_ranges),
        TEMPDIR_TEST(a_full_disk_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
