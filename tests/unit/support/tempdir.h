/* support: a directory of the test's own, removed at the end. Include before any other
 * header: it asks the C library for POSIX. */
#ifndef NGFF_TEST_SUPPORT_TEMPDIR_H
#define NGFF_TEST_SUPPORT_TEMPDIR_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "support/cmocka.h"

#include "sys/sys.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char tempdir_path[256];

/* For cmocka_unit_test_setup_teardown. */
static inline int tempdir_setup(void **state) {
    const char *base = getenv("TMPDIR");
    (void)state;
    snprintf(tempdir_path, sizeof tempdir_path, "%s/ngff-test-XXXXXX",
             base ? base : "/tmp");
    return mkdtemp(tempdir_path) ? 0 : -1;
}

static inline int tempdir_teardown(void **state) {
    (void)state;
    return ngff_dir_remove_all(tempdir_path, NULL) == NGFF_OK ? 0 : -1;
}

/* "<tempdir>/<name>" in one of eight rotating buffers. */
static inline const char *tempdir_at(const char *name) {
    static char paths[8][4096];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", tempdir_path, name);
    return path;
}

static inline void tempdir_write(const char *name, const char *text) {
    ngff_file f = NGFF_FILE_INIT;
    const char *path = tempdir_at(name);
    assert_int_equal(ngff_file_open(&f, path, NGFF_OPEN_TRUNCATE, NULL), NGFF_OK);
    assert_int_equal(ngff_file_pwrite(&f, text, strlen(text), 0, path, NULL), NGFF_OK);
    assert_int_equal(ngff_file_finish(&f, path, NULL), NGFF_OK);
}

static inline void tempdir_expect(const char *name, const char *text) {
    ngff_file f = NGFF_FILE_INIT;
    const char *path = tempdir_at(name);
    char got[4096];
    size_t size;
    assert_int_equal(ngff_file_open(&f, path, NGFF_OPEN_READ, NULL), NGFF_OK);
    assert_int_equal(ngff_file_pread(&f, got, sizeof got - 1, 0, &size, path, NULL),
                     NGFF_OK);
    ngff_file_close(&f);
    got[size] = '\0';
    assert_string_equal(got, text);
}

static inline ngff_path_kind tempdir_kind(const char *name) {
    ngff_path_kind kind;
    assert_int_equal(ngff_path_kind_of(tempdir_at(name), &kind, NULL), NGFF_OK);
    return kind;
}

#define TEMPDIR_TEST(fn)                                                                 \
    cmocka_unit_test_setup_teardown(fn, tempdir_setup, tempdir_teardown)

#endif
