/* TIFF directories: the header and one IFD at a time, through bounded preads. Nothing
 * here trusts a count or an offset of the file. */
#include "source/tiff.h"

#define WINDOW 4096          /* read ahead with each IFD */
#define MAX_TAGS 4096        /* entries in one IFD */
#define MAX_TEXT (64u << 20) /* bytes of a description (OME-XML of large sets is big) */

ngff_status ngff_tiff_pread(const ngff_tiff_file *f, void *out, size_t size, uint64_t off,
                            ngff_error *err) {
    size_t got = 0;
    if (off > f->size || size > f->size - off)
        return ngff_fail(err, NGFF_FORMAT,
                         "%s: bytes %llu to %llu are needed but the file ends at %llu; "
                         "is it truncated?",
                         f->path, (unsigned long long)off, (unsigned long long)off + size,
                         (unsigned long long)f->size);
    NGFF_TRY(ngff_file_pread(&f->file, out, size, off, &got, f->path, err));
    if (got != size)
        return ngff_fail(err, NGFF_FORMAT,
                         "%s: the file became shorter while it was read", f->path);
    return NGFF_OK;
}

uint64_t ngff_tiff_load(const ngff_tiff_file *f, const unsigned char *p, size_t size) {
    switch (size) {
    case 1:
        return p[0];
    case 2:
        return f->big_endian ? ngff_load_u16be(p) : ngff_load_u16le(p);
    case 4:
        return f->big_endian ? ngff_load_u32be(p) : ngff_load_u32le(p);
    default:
        assert(size == 8);
        return f->big_endian ? ngff_load_u64be(p) : ngff_load_u64le(p);
    }
}

ngff_status ngff_tiff_read_header(ngff_tiff_file *f, ngff_error *err) {
    unsigned char head[16] = {0};
    NGFF_TRY(ngff_file_size(&f->file, &f->size, f->path, err));
    if (f->size < 8)
        return ngff_fail(err, NGFF_FORMAT, "%s: %llu bytes are too few for a TIFF file",
                         f->path, (unsigned long long)f->size);
    NGFF_TRY(ngff_tiff_pread(f, head, f->size < 16 ? 8 : 16, 0, err));
    if (memcmp(head, "II", 2) != 0 && memcmp(head, "MM", 2) != 0)
        return ngff_fail(err, NGFF_FORMAT,
                         "%s: not a TIFF file (it must begin with II or MM)", f->path);
    f->big_endian = head[0] == 'M';
    uint64_t magic = ngff_tiff_load(f, head + 2, 2);
    f->bigtiff = magic == 43;
    if (magic == 42) {
        f->first_ifd = ngff_tiff_load(f, head + 4, 4);
    } else if (f->bigtiff && ngff_tiff_load(f, head + 4, 2) == 8) {
        f->first_ifd = ngff_tiff_load(f, head + 8, 8);
    } else {
        return ngff_fail(err, NGFF_FORMAT,
                         "%s: TIFF magic number %llu, expected 42 or 43 (BigTIFF)",
                         f->path, (unsigned long long)magic);
    }
    return NGFF_OK;
}

void ngff_tiff_dir_init(ngff_tiff_dir *d, const ngff_allocator *a) {
    *d = (ngff_tiff_dir){.alloc = a};
}

void ngff_tiff_dir_reset(ngff_tiff_dir *d) {
    ngff_free(d->alloc, d->bytes);
    ngff_tiff_dir_init(d, d->alloc);
}

/* Makes the window hold `size` bytes from d->offset on, or what the file has of them. */
static ngff_status fill_window(ngff_tiff_dir *d, size_t size, ngff_error *err) {
    uint64_t left = d->file->size - d->offset;
    if (size > left)
        size = (size_t)left;
    if (size > d->capacity) {
        void *bytes = ngff_alloc(d->alloc, size);
        if (bytes == NULL)
            return ngff_fail_nomem(err, "a TIFF directory", size);
        ngff_free(d->alloc, d->bytes);
        d->bytes = bytes;
        d->capacity = size;
    }
    d->size = size;
    return ngff_tiff_pread(d->file, d->bytes, size, d->offset, err);
}

ngff_status ngff_tiff_dir_read(ngff_tiff_dir *d, const ngff_tiff_file *f, uint64_t offset,
                               ngff_error *err) {
    size_t count_size = f->bigtiff ? 8 : 2, entry = f->bigtiff ? 20 : 12;
    size_t next_size = f->bigtiff ? 8 : 4;
    d->file = f;
    d->offset = offset;
    d->count = 0;
    if (offset < 8 || offset > f->size || f->size - offset < count_size)
        return ngff_fail(err, NGFF_FORMAT,
                         "%s: an image directory should be at byte %llu but the file has "
                         "%llu bytes; is it truncated?",
                         f->path, (unsigned long long)offset,
                         (unsigned long long)f->size);
    NGFF_TRY(fill_window(d, WINDOW, err));
    uint64_t count = ngff_tiff_load(f, d->bytes, count_size);
    if (count == 0 || count > MAX_TAGS)
        return ngff_fail(
            err, NGFF_FORMAT,
            "%s: the image directory at byte %llu claims %llu entries, expected "
            "1 to %d",
            f->path, (unsigned long long)offset, (unsigned long long)count, MAX_TAGS);
    size_t need = count_size + (size_t)count * entry + next_size;
    if (need > f->size - offset)
        return ngff_fail(
            err, NGFF_FORMAT,
            "%s: the image directory at byte %llu ends beyond the file; is it "
            "truncated?",
            f->path, (unsigned long long)offset);
    if (need > d->size)
        NGFF_TRY(fill_window(d, need, err));
    d->count = (uint32_t)count;
    d->next = ngff_tiff_load(f, d->bytes + need - next_size, next_size);
    return NGFF_OK;
}

/* Bytes of one value by field type; 0: unknown (TIFF 6.0 section 2, BigTIFF). */
static size_t type_size(unsigned type) {
    static const uint8_t sizes[19] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4,
                                      8, 4, 8, 4, 0, 0, 8, 8, 8};
    return type < 19 ? sizes[type] : 0;
}

bool ngff_tiff_dir_find(const ngff_tiff_dir *d, int tag, ngff_tiff_tag *out) {
    const ngff_tiff_file *f = d->file;
    size_t base = f->bigtiff ? 8 : 2, entry = f->bigtiff ? 20 : 12;
    size_t word = f->bigtiff ? 8 : 4;
    for (uint32_t i = 0; i < d->count; i++) {
        const unsigned char *p = d->bytes + base + i * entry;
        if (ngff_tiff_load(f, p, 2) != (uint64_t)tag)
            continue;
        out->type = (uint16_t)ngff_tiff_load(f, p + 2, 2);
        out->count = ngff_tiff_load(f, p + 4, word);
        out->item_size = type_size(out->type);
        uint64_t bytes = 0;
        if (out->item_size == 0 ||
            __builtin_mul_overflow(out->count, out->item_size, &bytes))
            return false;
        out->at = bytes <= word ? d->offset + (size_t)(p - d->bytes) + 4 + word
                                : ngff_tiff_load(f, p + 4 + word, word);
        return true;
    }
    return false;
}

/* From the window when it holds them, else from the file. */
static ngff_status value_bytes(const ngff_tiff_dir *d, uint64_t at, size_t size,
                               void *out, ngff_error *err) {
    if (at >= d->offset && at - d->offset <= d->size &&
        size <= d->size - (at - d->offset)) {
        memcpy(out, d->bytes + (at - d->offset), size);
        return NGFF_OK;
    }
    return ngff_tiff_pread(d->file, out, size, at, err);
}

ngff_status ngff_tiff_dir_uint(const ngff_tiff_dir *d, int tag, uint64_t idx,
                               uint64_t fallback, uint64_t *out, ngff_error *err) {
    ngff_tiff_tag t;
    unsigned char value[8];
    *out = fallback;
    if (!ngff_tiff_dir_find(d, tag, &t) || idx >= t.count)
        return NGFF_OK;
    /* BYTE, SHORT, LONG, IFD, LONG8, IFD8; some writers use the signed twins */
    bool integer = t.type == 1 || t.type == 3 || t.type == 4 || t.type == 6 ||
                   t.type == 8 || t.type == 9 || t.type == 13 || t.type >= 16;
    if (!integer)
        return NGFF_OK;
    NGFF_TRY(value_bytes(d, t.at + idx * t.item_size, t.item_size, value, err));
    *out = ngff_tiff_load(d->file, value, t.item_size);
    return NGFF_OK;
}

ngff_status ngff_tiff_dir_rational(const ngff_tiff_dir *d, int tag, double *out,
                                   ngff_error *err) {
    ngff_tiff_tag t;
    unsigned char value[8];
    *out = 0.0;
    if (!ngff_tiff_dir_find(d, tag, &t) || t.count == 0 || t.type != 5)
        return NGFF_OK;
    NGFF_TRY(value_bytes(d, t.at, 8, value, err));
    uint64_t num = ngff_tiff_load(d->file, value, 4);
    uint64_t den = ngff_tiff_load(d->file, value + 4, 4);
    if (den != 0)
        *out = (double)num / (double)den;
    return NGFF_OK;
}

ngff_status ngff_tiff_dir_text(const ngff_tiff_dir *d, int tag, char **out, size_t *size,
                               ngff_error *err) {
    ngff_tiff_tag t;
    *out = NULL;
    *size = 0;
    if (!ngff_tiff_dir_find(d, tag, &t) || t.item_size != 1 || t.count == 0)
        return NGFF_OK;
    if (t.count > MAX_TEXT)
        return ngff_fail(err, NGFF_LIMIT,
                         "%s: tag %d holds %llu bytes of text, more than %u",
                         d->file->path, tag, (unsigned long long)t.count, MAX_TEXT);
    char *text = ngff_alloc(d->alloc, (size_t)t.count + 1);
    if (text == NULL)
        return ngff_fail_nomem(err, "a TIFF description", (size_t)t.count + 1);
    ngff_status status = value_bytes(d, t.at, (size_t)t.count, text, err);
    if (status != NGFF_OK) {
        ngff_free(d->alloc, text);
        return status;
    }
    text[t.count] = '\0';
    *out = text;
    *size = strlen(text);
    return NGFF_OK;
}
