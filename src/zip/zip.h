/* zip: the archive format, without file I/O: headers of stored ZIP64 entries to write,
 * and a central directory reader that trusts nothing. Follows APPNOTE 6.3.10 and RFC-9
 * (OZX-1 … OZX-13) in the flavour that every tested reader accepts: sentinels in the
 * 32-bit fields with a ZIP64 extra field, disk numbers 0, no data descriptors, UTF-8
 * names. Pure functions on caller's memory; any thread. */
#ifndef NGFF_ZIP_ZIP_H
#define NGFF_ZIP_ZIP_H

#include "base/base.h"

/* ---- writing
 * ---------------------------------------------------------------------------------- */

/* One stored entry. `offset` is where its local header begins. */
typedef struct ngff_zip_entry {
    const char *name; /* borrowed */
    uint64_t offset;
    uint64_t size;
    uint32_t crc; /* CRC-32 of the bytes */
} ngff_zip_entry;

/* Bytes of the local header of an entry with this name: the data begins right behind it.
 */
size_t ngff_zip_local_size(const char *name);
/* Writes the local header (ngff_zip_local_size bytes). */
void ngff_zip_local_emit(const ngff_zip_entry *entry, unsigned char *out);
/* Appends the entry's header of the central directory. */
NGFF_MUST_USE ngff_status ngff_zip_central_emit(const ngff_zip_entry *entry,
                                                ngff_buf *out, ngff_error *err);

/* What stands behind the central directory, which has `count` entries in `size` bytes at
 * `offset` of the archive. `comment`: at most 65535 bytes, without "PK\5\6". */
typedef struct ngff_zip_end {
    uint64_t count, size, offset;
    const char *comment; /* borrowed */
} ngff_zip_end;

/* Appends the ZIP64 end record, its locator and the end record. */
NGFF_MUST_USE ngff_status ngff_zip_end_emit(const ngff_zip_end *end, ngff_buf *out,
                                            ngff_error *err);
/* A name is at most 65535 bytes of clean relative UTF-8: no empty, "." or ".." segment,
 * no backslash, no leading slash, no control character. */
NGFF_MUST_USE ngff_status ngff_zip_name_check(const char *name, ngff_error *err);

/* CRC-32 of the archive format; start with 0, go on with what the last call answered. */
uint32_t ngff_zip_crc32(uint32_t crc, const void *data, size_t size);

/* ---- reading
 * ---------------------------------------------------------------------------------- */

/* Reads exactly `size` bytes at `offset` of the archive, or fails. */
typedef struct ngff_zip_reader {
    ngff_status (*read)(void *user, uint64_t offset, void *out, size_t size,
                        ngff_error *err);
    void *user;
    uint64_t size; /* of the archive */
} ngff_zip_reader;

typedef struct ngff_zip_item {
    const char *name; /* owned by the directory; no trailing slash: directory entries are
                         dropped */
    uint64_t offset;  /* of the local header */
    uint64_t size;    /* of the data */
    uint64_t packed;  /* bytes in the archive */
    uint32_t crc;
    uint16_t method; /* 0 stored, 8 deflated */
    bool zip64;      /* the entry itself uses the extension */
} ngff_zip_item;

typedef struct ngff_zip_directory {
    const ngff_allocator *alloc;
    ngff_zip_item
        *items; /* sorted by name, names unique: of duplicates the last one counts */
    size_t count;
    size_t *order; /* items in the order of the central directory (count values) */
    char *comment; /* NUL-terminated; may be empty */
    size_t comment_size;
    bool zip64;         /* has the ZIP64 end record */
    bool duplicates;    /* names were given twice */
    bool json_first;    /* the root zarr.json is first and no zarr.json follows other
                           entries, in the    central directory */
    unsigned char *raw; /* the central directory's bytes, with the names inside */
    size_t directories; /* directory entries that were dropped */
} ngff_zip_directory;

/* Reads and checks the whole directory. FORMAT names what is wrong; UNSUPPORTED:
 * encryption, several volumes, methods other than stored and deflated. `max_size`: most
 * bytes the directory may take. */
NGFF_MUST_USE ngff_status ngff_zip_directory_read(const ngff_allocator *a,
                                                  const ngff_zip_reader *reader,
                                                  size_t max_size,
                                                  ngff_zip_directory *out,
                                                  ngff_error *err);
void ngff_zip_directory_reset(ngff_zip_directory *directory);
/* A zarr.json, of the root or of any node below (RFC-9, OZX-9). */
bool ngff_zip_is_zarr_json(const char *name);
const ngff_zip_item *ngff_zip_find(const ngff_zip_directory *directory, const char *name);
/* Index of the first item whose name is >= `name` (items are sorted). */
size_t ngff_zip_lower_bound(const ngff_zip_directory *directory, const char *name);
/* Where the item's data begins: reads the local header and checks it against the
 * directory. */
NGFF_MUST_USE ngff_status ngff_zip_data_offset(const ngff_zip_reader *reader,
                                               const ngff_zip_item *item,
                                               uint64_t *offset, ngff_error *err);
/* The data of a deflated item, whole: fills exactly item->size bytes and checks the
 * CRC-32. */
NGFF_MUST_USE ngff_status ngff_zip_inflate(const ngff_zip_item *item, const void *packed,
                                           void *out, ngff_error *err);
/* CHECKSUM unless the whole data of the item has the CRC-32 that the directory tells. */
NGFF_MUST_USE ngff_status ngff_zip_check(const ngff_zip_item *item, uint32_t crc,
                                         ngff_error *err);

#endif
