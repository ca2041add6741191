/* Stored ZIP64 entries and the records at the end. Timestamps are 1980-01-01, so that the
 * same content is the same archive. */
#include "zip/zip.h"

enum {
    LOCAL_FIXED = 30,
    CENTRAL_FIXED = 46,
    LOCAL_EXTRA = 20,   /* id, length, size, packed size */
    CENTRAL_EXTRA = 28, /* … and the offset */
    VERSION_ZIP64 = 45,
    FLAG_UTF8 = 0x0800,
    DOS_DATE = 0x0021
};

size_t ngff_zip_local_size(const char *name) {
    return LOCAL_FIXED + strlen(name) + LOCAL_EXTRA;
}

/* The fields from "version needed" to "extra length", the same in both headers. */
static void emit_common(const ngff_zip_entry *e, size_t name_size, uint16_t extra,
                        unsigned char *p) {
    ngff_store_u16le(p, VERSION_ZIP64);
    ngff_store_u16le(p + 2, FLAG_UTF8);
    ngff_store_u16le(p + 4, 0); /* stored */
    ngff_store_u16le(p + 6, 0); /* midnight */
    ngff_store_u16le(p + 8, DOS_DATE);
    ngff_store_u32le(p + 10, e->crc);
    ngff_store_u32le(p + 14, UINT32_MAX);
    ngff_store_u32le(p + 18, UINT32_MAX);
    ngff_store_u16le(p + 22, (uint16_t)name_size);
    ngff_store_u16le(p + 24, extra);
}

static void emit_extra(const ngff_zip_entry *e, bool with_offset, unsigned char *p) {
    ngff_store_u16le(p, 0x0001);
    ngff_store_u16le(p + 2, with_offset ? CENTRAL_EXTRA - 4 : LOCAL_EXTRA - 4);
    ngff_store_u64le(p + 4, e->size);
    ngff_store_u64le(p + 12, e->size);
    if (with_offset)
        ngff_store_u64le(p + 20, e->offset);
}

void ngff_zip_local_emit(const ngff_zip_entry *entry, unsigned char *out) {
    size_t name_size = strlen(entry->name);
    memcpy(out, "PK\3\4", 4);
    emit_common(entry, name_size, LOCAL_EXTRA, out + 4);
    memcpy(out + LOCAL_FIXED, entry->name, name_size);
    emit_extra(entry, false, out + LOCAL_FIXED + name_size);
}

ngff_status ngff_zip_central_emit(const ngff_zip_entry *e, ngff_buf *out,
                                  ngff_error *err) {
    unsigned char head[CENTRAL_FIXED] = "PK\1\2", extra[CENTRAL_EXTRA];
    size_t name_size = strlen(e->name);
    ngff_store_u16le(head + 4, 0x0300 | VERSION_ZIP64); /* made on Unix */
    emit_common(e, name_size, CENTRAL_EXTRA, head + 6);
    ngff_store_u32le(head + 38, 0100644u << 16); /* a plain file */
    ngff_store_u32le(head + 42, UINT32_MAX);
    emit_extra(e, true, extra);
    NGFF_TRY(ngff_buf_append(out, head, sizeof head, err));
    NGFF_TRY(ngff_buf_append(out, e->name, name_size, err));
    return ngff_buf_append(out, extra, sizeof extra, err);
}

static bool comment_ok(const char *comment) {
    return strlen(comment) <= UINT16_MAX && strstr(comment, "PK\5\6") == NULL;
}

ngff_status ngff_zip_end_emit(const ngff_zip_end *e, ngff_buf *out, ngff_error *err) {
    unsigned char end64[56] = "PK\6\6", locator[20] = "PK\6\7", end[22] = "PK\5\6";
    if (!comment_ok(e->comment))
        return ngff_fail(err, NGFF_INVALID,
                         "zip comment of %zu bytes; expected at most 65535, without the "
                         "mark of the end record",
                         strlen(e->comment));
    ngff_store_u64le(end64 + 4, sizeof end64 - 12);
    ngff_store_u16le(end64 + 12, 0x0300 | VERSION_ZIP64);
    ngff_store_u16le(end64 + 14, VERSION_ZIP64);
    ngff_store_u64le(end64 + 24, e->count);
    ngff_store_u64le(end64 + 32, e->count);
    ngff_store_u64le(end64 + 40, e->size);
    ngff_store_u64le(end64 + 48, e->offset);
    ngff_store_u64le(locator + 8, e->offset + e->size);
    ngff_store_u32le(locator + 16, 1); /* disks in all */
    memset(end + 8, 0xff, 12);         /* counts, size, offset: see the ZIP64 record */
    ngff_store_u16le(end + 20, (uint16_t)strlen(e->comment));
    NGFF_TRY(ngff_buf_append(out, end64, sizeof end64, err));
    NGFF_TRY(ngff_buf_append(out, locator, sizeof locator, err));
    NGFF_TRY(ngff_buf_append(out, end, sizeof end, err));
    return ngff_buf_append(out, e->comment, strlen(e->comment), err);
}

static bool segment_ok(const char *s, size_t size) {
    if (size == 0 || (size == 1 && s[0] == '.') ||
        (size == 2 && s[0] == '.' && s[1] == '.'))
        return false;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f || s[i] == '\\')
            return false;
    return true;
}

ngff_status ngff_zip_name_check(const char *name, ngff_error *err) {
    size_t size = strlen(name);
    if (size == 0 || size > UINT16_MAX || !ngff_utf8_valid(name, size))
        return ngff_fail(
            err, NGFF_FORMAT,
            "zip entry name '%.200s' of %zu bytes, expected 1 to 65535 bytes "
            "of UTF-8",
            name, size);
    for (const char *at = name;; at++) {
        size_t n = strcspn(at, "/");
        if (!segment_ok(at, n))
            return ngff_fail(err, NGFF_FORMAT,
                             "zip entry '%.200s': not a clean relative path", name);
        at += n;
        if (*at == '\0')
            return NGFF_OK;
    }
}
