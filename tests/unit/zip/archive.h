/* zip tests: an archive in memory, made by the writer under test or by hand. */
#ifndef NGFF_TEST_ZIP_ARCHIVE_H
#define NGFF_TEST_ZIP_ARCHIVE_H

#include "support/alloc.h"
#include "support/cmocka.h"

#include "zip/zip.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct archive {
    unsigned char *bytes;
    size_t size;
    size_t directory; /* where the central directory begins */
} archive;

static inline ngff_status archive_pread(void *user, uint64_t offset, void *out,
                                        size_t size, ngff_error *err) {
    const archive *a = user;
    if (offset > a->size || size > a->size - offset)
        return ngff_fail(err, NGFF_IO, "read of %zu bytes at %llu of %zu", size,
                         (unsigned long long)offset, a->size);
    memcpy(out, a->bytes + offset, size);
    return NGFF_OK;
}

static inline ngff_zip_reader archive_reader(archive *a) {
    return (ngff_zip_reader){archive_pread, a, a->size};
}

static inline void put_le(unsigned char *p, uint64_t v, int bytes) {
    for (int i = 0; i < bytes; i++)
        p[i] = (unsigned char)(v >> (8 * i));
}

/* By the writer: every text is the content of the entry of that name. */
static inline void archive_write(archive *a, const char *const *names,
                                 const char *const *texts, size_t count,
                                 const char *comment) {
    ngff_buf out, directory;
    ngff_zip_entry *entries = calloc(count + 1, sizeof *entries);
    ngff_buf_init(&out, NULL, SIZE_MAX);
    ngff_buf_init(&directory, NULL, SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        unsigned char head[512];
        size_t size = strlen(texts[i]);
        entries[i] =
            (ngff_zip_entry){names[i], out.size, size, ngff_zip_crc32(0, texts[i], size)};
        ngff_zip_local_emit(&entries[i], head);
        assert_int_equal(ngff_buf_append(&out, head, ngff_zip_local_size(names[i]), NULL),
                         NGFF_OK);
        assert_int_equal(ngff_buf_append(&out, texts[i], size, NULL), NGFF_OK);
        assert_int_equal(ngff_zip_central_emit(&entries[i], &directory, NULL), NGFF_OK);
    }
    ngff_zip_end end = {count, directory.size, out.size, comment};
    a->directory = out.size;
    assert_int_equal(ngff_zip_end_emit(&end, &directory, NULL), NGFF_OK);
    a->size = out.size + directory.size;
    a->bytes = malloc(a->size + 1);
    if (out.size > 0)
        memcpy(a->bytes, out.data, out.size);
    memcpy(a->bytes + out.size, directory.data, directory.size);
    ngff_buf_reset(&out);
    ngff_buf_reset(&directory);
    free(entries);
}

/* A plain 32-bit archive of one entry with fields to damage. */
typedef struct plain {
    const char *name;
    size_t name_size; /* 0: strlen */
    const char *data; /* as stored in the archive */
    uint32_t packed, size, crc, offset;
    uint16_t method, flags, extra_size;
    unsigned char extra[64];
    uint16_t disk, count_here, count;
} plain;

static inline void archive_plain(archive *a, const plain *p) {
    size_t n = p->name_size ? p->name_size : strlen(p->name), stored = p->packed;
    unsigned char *b = calloc(1, 1024 + 2 * n + stored);
    unsigned char *at = b;
    memcpy(at, "PK\3\4", 4);
    put_le(at + 4, 20, 2);
    put_le(at + 6, p->flags, 2);
    put_le(at + 8, p->method, 2);
    put_le(at + 14, p->crc, 4);
    put_le(at + 18, p->packed, 4);
    put_le(at + 22, p->size, 4);
    put_le(at + 26, n, 2);
    memcpy(at + 30, p->name, n);
    memcpy(at + 30 + n, p->data, stored);
    at += 30 + n + stored;
    a->directory = (size_t)(at - b);
    memcpy(at, "PK\1\2", 4);
    put_le(at + 8, p->flags, 2);
    put_le(at + 10, p->method, 2);
    put_le(at + 16, p->crc, 4);
    put_le(at + 20, p->packed, 4);
    put_le(at + 24, p->size, 4);
    put_le(at + 28, n, 2);
    put_le(at + 30, p->extra_size, 2);
    put_le(at + 42, p->offset, 4);
    memcpy(at + 46, p->name, n);
    memcpy(at + 46 + n, p->extra, p->extra_size);
    at += 46 + n + p->extra_size;
    size_t directory_size = (size_t)(at - b) - a->directory;
    memcpy(at, "PK\5\6", 4);
    put_le(at + 4, p->disk, 2);
    put_le(at + 8, p->count_here, 2);
    put_le(at + 10, p->count, 2);
    put_le(at + 12, directory_size, 4);
    put_le(at + 16, a->directory, 4);
    at += 22;
    a->bytes = b;
    a->size = (size_t)(at - b);
}

static inline ngff_status archive_read(archive *a, ngff_zip_directory *d,
                                       ngff_error *err) {
    ngff_zip_reader r = archive_reader(a);
    return ngff_zip_directory_read(NULL, &r, 1 << 24, d, err);
}

#endif
