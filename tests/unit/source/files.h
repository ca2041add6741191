/* support of the source tests: small files in a temporary place, and reading a box of a
 * source. */
#ifndef NGFF_TEST_SOURCE_FILES_H
#define NGFF_TEST_SOURCE_FILES_H

#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1 /* truncate, getpid */
#endif

#include "source/source.h"
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char file_path[256];

/* Writes `size` bytes to a file of the given ending; one file at a time, at `file_path`.
 */
static inline void file_write(const char *ending, const void *data, size_t size) {
    const char *dir = getenv("TMPDIR");
    snprintf(file_path, sizeof file_path, "%s/ngff-test-%ld%s", dir ? dir : "/tmp",
             (long)getpid(), ending);
    FILE *f = fopen(file_path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

/* A group's teardown: the file of the last test. */
static inline int remove_file(void **state) {
    (void)state;
    if (file_path[0] != '\0')
        unlink(file_path);
    return 0;
}

static inline ngff_source *source_open(const ngff_source_open_opts *opts) {
    ngff_source *s = NULL;
    ngff_error err = {0};
    if (ngff_source_at(NULL, file_path, opts, &s, &err) != NGFF_OK)
        fail_msg("%s", err.message);
    assert_string_equal(err.message, "");
    return s;
}

/* Opening fails with `status`, a message that names the file, and marks the input. */
static inline void source_refused(const ngff_source_open_opts *opts, ngff_status status) {
    ngff_source *s = NULL;
    ngff_error err = {0};
    ngff_status got = ngff_source_at(NULL, file_path, opts, &s, &err);
    if (got != status)
        fail_msg("status %d, expected %d: %s", got, status, err.message);
    assert_null(s);
    assert_int_equal(err.origin, NGFF_ORIGIN_INPUT);
    assert_true(strncmp(err.message, file_path, strlen(file_path)) == 0);
}

/* The pixels of `box` packed in C order, malloc'ed. */
static inline void *source_read(ngff_source *s, const ngff_box *box) {
    size_t size = ngff_dtype_size((ngff_dtype)s->image.desc.dtype);
    for (int i = 0; i < box->ndim; i++)
        size *= (size_t)box->shape[i];
    void *data = malloc(size);
    assert_non_null(data);
    ngff_view view;
    ngff_error err = {0};
    ngff_view_init(&view, data, (ngff_dtype)s->image.desc.dtype, box->ndim, box->shape);
    if (ngff_source_read(s, box, &view, &err) != NGFF_OK)
        fail_msg("%s", err.message);
    return data;
}

static inline ngff_box whole(const ngff_source *s) {
    ngff_box box = {.ndim = s->image.desc.ndim};
    memcpy(box.shape, s->image.desc.shape, sizeof box.shape);
    return box;
}

static inline void assert_axes(const ngff_source *s, const char *names) {
    assert_int_equal(s->image.desc.ndim, (int)strlen(names));
    for (int i = 0; i < s->image.desc.ndim; i++) {
        assert_int_equal(s->image.desc.axes[i].name[0], names[i]);
        assert_int_equal(s->image.desc.axes[i].name[1], '\0');
    }
}

#endif
