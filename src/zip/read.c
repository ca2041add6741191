/* The central directory of somebody else's archive. Every length is checked against what
 * surrounds it; entries must lie inside the archive before the directory and must not
 * overlap. */
#include "zip/zip.h"

#include <stdlib.h>

enum {
    END_SIZE = 22,
    END64_SIZE = 56,
    LOCATOR_SIZE = 20,
    CENTRAL_SIZE = 46,
    LOCAL_SIZE = 30
};

/* Where the central directory is, from the records at the end. */
typedef struct end_info {
    uint64_t count, size, offset;
    uint64_t record; /* where the first of the end records begins */
    bool zip64;
} end_info;

/* ---- end records
 * ------------------------------------------------------------------------------ */

/* Place of the end record in `tail`, searched backwards; its comment must reach exactly
 * to the end. */
static bool scan_end(const unsigned char *tail, size_t size, size_t *place) {
    if (size < END_SIZE)
        return false;
    for (size_t i = size - END_SIZE + 1; i-- > 0;)
        if (memcmp(tail + i, "PK\5\6", 4) == 0 &&
            i + END_SIZE + ngff_load_u16le(tail + i + 20) == size) {
            *place = i;
            return true;
        }
    return false;
}

static ngff_status take_comment(ngff_zip_directory *d, const unsigned char *end,
                                ngff_error *err) {
    d->comment_size = ngff_load_u16le(end + 20);
    d->comment = ngff_calloc(d->alloc, d->comment_size + 1, 1);
    if (d->comment == NULL)
        return ngff_fail_nomem(err, "zip comment", d->comment_size + 1);
    memcpy(d->comment, end + END_SIZE, d->comment_size);
    return NGFF_OK;
}

static ngff_status find_end(const ngff_zip_reader *r, ngff_zip_directory *d, uint64_t *at,
                            ngff_error *err) {
    size_t window = r->size < 65557 ? (size_t)r->size : 65557, place = 0;
    unsigned char *tail = ngff_alloc(d->alloc, window);
    if (tail == NULL)
        return ngff_fail_nomem(err, "zip end record", window);
    ngff_status status = r->read(r->user, r->size - window, tail, window, err);
    if (status == NGFF_OK && !scan_end(tail, window, &place))
        status =
            ngff_fail(err, NGFF_FORMAT,
                      "not a zip archive: no end record in the last %zu bytes", window);
    if (status == NGFF_OK)
        status = take_comment(d, tail + place, err);
    *at = r->size - window + place;
    ngff_free(d->alloc, tail);
    return status;
}

/* The ZIP64 records in front of the end record, when there are any. */
static ngff_status read_end64(const ngff_zip_reader *r, uint64_t end_at, end_info *info,
                              ngff_error *err) {
    unsigned char locator[LOCATOR_SIZE], end[END64_SIZE];
    if (end_at < LOCATOR_SIZE)
        return NGFF_OK;
    NGFF_TRY(r->read(r->user, end_at - LOCATOR_SIZE, locator, sizeof locator, err));
    if (memcmp(locator, "PK\6\7", 4) != 0)
        return NGFF_OK;
    uint64_t at = ngff_load_u64le(locator + 8);
    if (ngff_load_u32le(locator + 16) > 1)
        return ngff_fail(err, NGFF_UNSUPPORTED, "zip archive in several volumes (OZX-5)");
    if (end_at < LOCATOR_SIZE + END64_SIZE || at > end_at - LOCATOR_SIZE - END64_SIZE)
        return ngff_fail(err, NGFF_FORMAT,
                         "zip64 end record at %llu lies outside the archive",
                         (unsigned long long)at);
    NGFF_TRY(r->read(r->user, at, end, sizeof end, err));
    if (memcmp(end, "PK\6\6", 4) != 0)
        return ngff_fail(err, NGFF_FORMAT, "no zip64 end record at %llu",
                         (unsigned long long)at);
    if (ngff_load_u32le(end + 16) != 0 || ngff_load_u32le(end + 20) != 0 ||
        ngff_load_u64le(end + 24) != ngff_load_u64le(end + 32))
        return ngff_fail(err, NGFF_UNSUPPORTED, "zip archive in several volumes (OZX-5)");
    *info = (end_info){ngff_load_u64le(end + 32), ngff_load_u64le(end + 40),
                       ngff_load_u64le(end + 48), at, true};
    return NGFF_OK;
}

static ngff_status read_end(const ngff_zip_reader *r, uint64_t at, end_info *info,
                            ngff_error *err) {
    unsigned char end[END_SIZE];
    NGFF_TRY(r->read(r->user, at, end, sizeof end, err));
    *info = (end_info){ngff_load_u16le(end + 10), ngff_load_u32le(end + 12),
                       ngff_load_u32le(end + 16), at, false};
    NGFF_TRY(read_end64(r, at, info, err));
    if (!info->zip64 && (ngff_load_u16le(end + 4) != 0 || ngff_load_u16le(end + 6) != 0 ||
                         ngff_load_u16le(end + 8) != info->count))
        return ngff_fail(err, NGFF_UNSUPPORTED, "zip archive in several volumes (OZX-5)");
    if (info->offset > info->record || info->size > info->record - info->offset ||
        info->count > info->size / CENTRAL_SIZE)
        return ngff_fail(
            err, NGFF_FORMAT,
            "zip directory of %llu entries, %llu bytes at %llu does not fit the "
            "archive of %llu bytes",
            (unsigned long long)info->count, (unsigned long long)info->size,
            (unsigned long long)info->offset, (unsigned long long)r->size);
    return NGFF_OK;
}

/* ---- entries
 * ------------------------------------------------------------------------------------ */

/* Takes the next 64-bit value of the ZIP64 extra field for a sentinel in a 32-bit slot.
 */
static bool take64(const unsigned char **p, size_t *left, uint64_t *value) {
    if (*value != UINT32_MAX)
        return true;
    if (*left < 8)
        return false;
    *value = ngff_load_u64le(*p);
    *p += 8;
    *left -= 8;
    return true;
}

static bool read_extra(const unsigned char *p, size_t size, ngff_zip_item *item) {
    while (size >= 4) {
        uint16_t id = ngff_load_u16le(p);
        size_t n = ngff_load_u16le(p + 2);
        if (n > size - 4)
            return false;
        if (id == 0x0001) {
            const unsigned char *q = p + 4;
            size_t left = n;
            item->zip64 = true;
            return take64(&q, &left, &item->size) && take64(&q, &left, &item->packed) &&
                   take64(&q, &left, &item->offset);
        }
        p += 4 + n;
        size -= 4 + n;
    }
    return item->size != UINT32_MAX && item->packed != UINT32_MAX &&
           item->offset != UINT32_MAX;
}

static ngff_status check_item(const ngff_zip_item *i, uint16_t flags, uint64_t directory,
                              ngff_error *err) {
    if ((flags & 0x2041) != 0)
        return ngff_fail(err, NGFF_UNSUPPORTED, "zip entry '%.200s' is encrypted",
                         i->name);
    if (i->method != 0 && i->method != 8)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "zip entry '%.200s': method %u, expected 0 or 8", i->name,
                         i->method);
    if (i->method == 0 && i->size != i->packed)
        return ngff_fail(err, NGFF_FORMAT,
                         "zip entry '%.200s': stored %llu bytes as %llu", i->name,
                         (unsigned long long)i->size, (unsigned long long)i->packed);
    if (i->offset > directory || i->packed > directory - i->offset ||
        directory - i->offset - i->packed < LOCAL_SIZE + strlen(i->name))
        return ngff_fail(err, NGFF_FORMAT,
                         "zip entry '%.200s': %llu bytes at %llu lie outside the archive",
                         i->name, (unsigned long long)i->packed,
                         (unsigned long long)i->offset);
    return ngff_zip_name_check(i->name, err);
}

/* One central header at `p`; *used bytes. Directory entries (trailing '/') leave name
 * NULL. */
static ngff_status read_item(unsigned char *p, size_t size, uint64_t directory,
                             ngff_zip_item *item, size_t *used, ngff_error *err) {
    size_t name_size, extra_size;
    if (size < CENTRAL_SIZE || memcmp(p, "PK\1\2", 4) != 0)
        return ngff_fail(err, NGFF_FORMAT,
                         "zip directory: no entry where one is counted");
    name_size = ngff_load_u16le(p + 28);
    extra_size = ngff_load_u16le(p + 30);
    *used = CENTRAL_SIZE + name_size + extra_size + ngff_load_u16le(p + 32);
    if (*used > size)
        return ngff_fail(err, NGFF_FORMAT,
                         "zip directory: an entry is longer than the rest");
    *item = (ngff_zip_item){.size = ngff_load_u32le(p + 24),
                            .packed = ngff_load_u32le(p + 20),
                            .offset = ngff_load_u32le(p + 42),
                            .crc = ngff_load_u32le(p + 16),
                            .method = ngff_load_u16le(p + 10)};
    if (!read_extra(p + CENTRAL_SIZE + name_size, extra_size, item))
        return ngff_fail(err, NGFF_FORMAT, "zip directory: damaged zip64 field");
    uint16_t flags = ngff_load_u16le(p + 8);
    /* The name is terminated in place, over bytes that have been read already. */
    memmove(p, p + CENTRAL_SIZE, name_size);
    p[name_size] = '\0';
    item->name = (const char *)p;
    if (strlen(item->name) != name_size)
        return ngff_fail(err, NGFF_FORMAT, "zip entry name with a NUL byte");
    if (name_size > 0 && p[name_size - 1] == '/') {
        item->name = NULL;
        return NGFF_OK;
    }
    return check_item(item, flags, directory, err);
}

bool ngff_zip_is_zarr_json(const char *name) {
    return strcmp(name, "zarr.json") == 0 || ngff_ends_with(name, "/zarr.json");
}

static int by_name(const void *a, const void *b) {
    const ngff_zip_item *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : (x->name > y->name) - (x->name < y->name);
}

static int by_offset(const void *a, const void *b) {
    const ngff_zip_item *x = a, *y = b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* Overlapping entries are how zip bombs multiply; honest archives never have them. */
static ngff_status check_overlap(ngff_zip_directory *d, ngff_error *err) {
    if (d->count > 0)
        qsort(d->items, d->count, sizeof *d->items, by_offset);
    for (size_t i = 1; i < d->count; i++) {
        const ngff_zip_item *a = &d->items[i - 1], *b = &d->items[i];
        if (b->offset - a->offset < a->packed + LOCAL_SIZE + strlen(a->name))
            return ngff_fail(err, NGFF_FORMAT,
                             "zip entries '%.100s' and '%.100s' overlap", a->name,
                             b->name);
    }
    return NGFF_OK;
}

/* Names lie in `raw` in directory order, so the address is the place in the directory. */
static int by_address(const void *a, const void *b) {
    const ngff_zip_item *x = a, *y = b;
    return (x->name > y->name) - (x->name < y->name);
}

static void judge_order(ngff_zip_directory *d) {
    bool data_seen = false;
    if (d->count > 0)
        qsort(d->items, d->count, sizeof *d->items, by_address);
    d->json_first = d->count > 0 && strcmp(d->items[0].name, "zarr.json") == 0;
    for (size_t i = 0; i < d->count; i++) {
        if (ngff_zip_is_zarr_json(d->items[i].name))
            d->json_first = d->json_first && !data_seen;
        else
            data_seen = true;
    }
}

/* Sorts by name and drops all but the last of equal names. */
static void sort_items(ngff_zip_directory *d) {
    size_t kept = 0;
    if (d->count == 0)
        return;
    qsort(d->items, d->count, sizeof *d->items, by_name);
    for (size_t i = 0; i < d->count; i++) {
        if (i + 1 < d->count && strcmp(d->items[i].name, d->items[i + 1].name) == 0) {
            d->duplicates = true;
            continue;
        }
        d->items[kept++] = d->items[i];
    }
    d->count = kept;
}

typedef struct place {
    const char *name;
    size_t index;
} place;

static int by_place(const void *a, const void *b) {
    const place *x = a, *y = b;
    return (x->name > y->name) - (x->name < y->name);
}

static ngff_status order_items(ngff_zip_directory *d, ngff_error *err) {
    place *places = ngff_calloc(d->alloc, d->count + 1, sizeof *places);
    d->order = ngff_calloc(d->alloc, d->count + 1, sizeof *d->order);
    if (places == NULL || d->order == NULL) {
        ngff_free(d->alloc, places);
        return ngff_fail_nomem(err, "zip directory order", d->count * sizeof *places);
    }
    for (size_t i = 0; i < d->count; i++)
        places[i] = (place){d->items[i].name, i};
    if (d->count > 0)
        qsort(places, d->count, sizeof *places, by_place);
    for (size_t i = 0; i < d->count; i++)
        d->order[i] = places[i].index;
    ngff_free(d->alloc, places);
    return NGFF_OK;
}

static ngff_status read_items(ngff_zip_directory *d, const end_info *info,
                              ngff_error *err) {
    size_t at = 0, size = (size_t)info->size;
    for (uint64_t i = 0; i < info->count; i++) {
        size_t used = 0;
        ngff_zip_item item;
        NGFF_TRY(read_item(d->raw + at, size - at, info->offset, &item, &used, err));
        at += used;
        if (item.name != NULL)
            d->items[d->count++] = item;
        else
            d->directories++;
    }
    NGFF_TRY(check_overlap(d, err));
    judge_order(d);
    sort_items(d);
    return order_items(d, err);
}

static ngff_status read_directory(const ngff_zip_reader *r, size_t max_size,
                                  ngff_zip_directory *d, ngff_error *err) {
    end_info info = {0};
    uint64_t end_at = 0;

    NGFF_TRY(find_end(r, d, &end_at, err));
    NGFF_TRY(read_end(r, end_at, &info, err));
    if (info.size > max_size)
        return ngff_fail(err, NGFF_LIMIT, "zip directory of %llu bytes, at most %zu",
                         (unsigned long long)info.size, max_size);
    d->zip64 = info.zip64;
    d->raw = ngff_alloc(d->alloc, (size_t)info.size + 1);
    d->items = ngff_calloc(d->alloc, (size_t)info.count + 1, sizeof *d->items);
    if (d->raw == NULL || d->items == NULL)
        return ngff_fail_nomem(err, "zip directory", (size_t)info.size);
    if (info.size > 0)
        NGFF_TRY(r->read(r->user, info.offset, d->raw, (size_t)info.size, err));
    return read_items(d, &info, err);
}

ngff_status ngff_zip_directory_read(const ngff_allocator *a,
                                    const ngff_zip_reader *reader, size_t max_size,
                                    ngff_zip_directory *out, ngff_error *err) {
    memset(out, 0, sizeof *out);
    out->alloc = a;
    ngff_status status = read_directory(reader, max_size, out, err);
    if (status != NGFF_OK)
        ngff_zip_directory_reset(out);
    return status;
}

void ngff_zip_directory_reset(ngff_zip_directory *d) {
    ngff_free(d->alloc, d->raw);
    ngff_free(d->alloc, d->items);
    ngff_free(d->alloc, d->order);
    ngff_free(d->alloc, d->comment);
    memset(d, 0, sizeof *d);
}

size_t ngff_zip_lower_bound(const ngff_zip_directory *d, const char *name) {
    size_t lo = 0, hi = d->count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (strcmp(d->items[mid].name, name) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

const ngff_zip_item *ngff_zip_find(const ngff_zip_directory *d, const char *name) {
    size_t i = ngff_zip_lower_bound(d, name);
    return i < d->count && strcmp(d->items[i].name, name) == 0 ? &d->items[i] : NULL;
}

ngff_status ngff_zip_data_offset(const ngff_zip_reader *reader, const ngff_zip_item *item,
                                 uint64_t *offset, ngff_error *err) {
    unsigned char head[LOCAL_SIZE];
    NGFF_TRY(reader->read(reader->user, item->offset, head, sizeof head, err));
    size_t name_size = ngff_load_u16le(head + 26);
    if (memcmp(head, "PK\3\4", 4) != 0 || ngff_load_u16le(head + 8) != item->method ||
        name_size != strlen(item->name))
        return ngff_fail(err, NGFF_FORMAT,
                         "zip entry '%.200s': its local header contradicts the directory",
                         item->name);
    *offset = item->offset + LOCAL_SIZE + name_size + ngff_load_u16le(head + 28);
    if (*offset > reader->size || item->packed > reader->size - *offset)
        return ngff_fail(err, NGFF_FORMAT, "zip entry '%.200s' lies outside the archive",
                         item->name);
    return NGFF_OK;
}
