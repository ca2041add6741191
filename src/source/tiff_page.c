/* TIFF pages: one directory as a page with a layout; the walk along the chain of them. */
#include "source/tiff.h"

#include <stddef.h>

#define MAX_UNIT ((uint64_t)1 << 30) /* bytes of one decoded tile or strip */

const char *ngff_tiff_compression_name(int compression) {
    static const struct {
        int code;
        const char *name;
    } names[] = {{1, "none"},          {2, "CCITT RLE"},     {3, "CCITT fax 3"},
                 {4, "CCITT fax 4"},   {5, "LZW"},           {6, "old-style JPEG"},
                 {7, "JPEG"},          {8, "Deflate"},       {32773, "PackBits"},
                 {32946, "Deflate"},   {33003, "JPEG 2000"}, {33005, "JPEG 2000"},
                 {34712, "JPEG 2000"}, {34887, "LERC"},      {34892, "lossy DNG"},
                 {34925, "LZMA"},      {34933, "PNG"},       {34934, "JPEG XR"},
                 {22610, "JPEG XR"},   {50000, "Zstd"},      {34926, "Zstd"},
                 {50001, "WebP"},      {34927, "WebP"},      {50002, "JPEG XL"},
                 {52546, "JPEG XL"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].code == compression)
            return names[i].name;
    return "an unknown method";
}

/* Data type by SampleFormat and bits (TIFF 6.0 section 19); NONE when there is none. */
static ngff_dtype dtype_of(unsigned format, unsigned bits) {
    switch (format) {
    case 1: /* unsigned; odd widths are widened */
    case 4:
        if (bits == 1)
            return NGFF_BOOL;
        return bits <= 8    ? NGFF_UINT8
               : bits <= 16 ? NGFF_UINT16
               : bits == 24 ? NGFF_DTYPE_NONE
               : bits <= 32 ? NGFF_UINT32
               : bits == 64 ? NGFF_UINT64
                            : NGFF_DTYPE_NONE;
    case 2:
        return bits == 8    ? NGFF_INT8
               : bits == 16 ? NGFF_INT16
               : bits == 32 ? NGFF_INT32
               : bits == 64 ? NGFF_INT64
                            : NGFF_DTYPE_NONE;
    case 3:
        return bits == 16   ? NGFF_FLOAT16
               : bits == 32 ? NGFF_FLOAT32
               : bits == 64 ? NGFF_FLOAT64
                            : NGFF_DTYPE_NONE;
    case 6:
        return bits == 64    ? NGFF_COMPLEX64
               : bits == 128 ? NGFF_COMPLEX128
                             : NGFF_DTYPE_NONE;
    default:
        return NGFF_DTYPE_NONE;
    }
}

#define REFUSE(l, ...) snprintf((l)->refusal, sizeof(l)->refusal, __VA_ARGS__)

/* Why pixels of this layout cannot be had, when they cannot. */
static void judge(ngff_tiff_layout *l) {
    uint64_t bytes = 0;
    if (l->dtype == NGFF_DTYPE_NONE) {
        REFUSE(l, "samples of %u bits in sample format %u are not supported", l->bits,
               l->format);
    } else if (!l->direct && !ngff_tiff_can_decode(l->compression)) {
        REFUSE(l, "compression %u (%s) is not in this build", l->compression,
               ngff_tiff_compression_name(l->compression));
    } else if (l->compression == 7 && l->bits != 8) {
        REFUSE(l, "JPEG with %u bits a sample is not supported", l->bits);
    } else if (l->photometric == 6 && l->compression != 7 &&
               (l->sub_x != 1 || l->sub_y != 1)) {
        REFUSE(l, "subsampled YCbCr that is not JPEG is not supported");
    } else if (l->photometric == 32844 || l->photometric == 32845) {
        REFUSE(l, "LogLuv pixels are not supported");
    } else if (__builtin_mul_overflow((uint64_t)l->unit_w * l->unit_h,
                                      (uint64_t)l->chunky * ngff_dtype_size(l->dtype),
                                      &bytes) ||
               (!l->direct && bytes > MAX_UNIT)) {
        REFUSE(l, "a %s of %ux%u pixels is too large to decode (limit 1 GiB)",
               l->tiled ? "tile" : "strip", l->unit_w, l->unit_h);
    }
    l->unit_bytes = l->refusal[0] == '\0' ? (size_t)bytes : 0;
}

/* The fields that follow from what the directory says. */
static void derive(ngff_tiff_layout *l) {
    l->dtype = dtype_of(l->format, l->bits);
    l->chunky = l->separate ? 1 : l->samples;
    l->across = l->tiled ? (uint32_t)ngff_ceil_div(l->width, l->unit_w) : 1;
    l->down = (uint32_t)ngff_ceil_div(l->height, l->unit_h);
    /* Fits: across and down < 2^32, and samples only matter when the product is small. */
    l->units = (uint64_t)l->across * l->down;
    if (__builtin_mul_overflow(l->units, l->separate ? l->samples : 1u, &l->units))
        l->units = UINT64_MAX;
    l->direct = l->compression == 1 && l->fill_order == 1 && l->predictor == 1 &&
                l->dtype != NGFF_DTYPE_NONE && l->dtype != NGFF_BOOL &&
                l->bits == ngff_dtype_size(l->dtype) * 8 &&
                !(l->photometric == 6 && (l->sub_x != 1 || l->sub_y != 1));
    judge(l);
}

/* FNV-1a over the JPEG tables: pages with different tables need different decoders. */
static ngff_status tables_hash(const ngff_tiff_dir *d, uint64_t *out, ngff_error *err) {
    ngff_tiff_tag t;
    unsigned char bytes[4096];
    uint64_t hash = 14695981039346656037u;
    *out = 0;
    if (!ngff_tiff_dir_find(d, NGFF_TIFF_JPEG_TABLES, &t) || t.item_size != 1)
        return NGFF_OK;
    uint64_t size = t.count < sizeof bytes ? t.count : sizeof bytes;
    NGFF_TRY(ngff_tiff_pread(d->file, bytes, (size_t)size, t.at, err));
    for (uint64_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    *out = hash ^ t.count;
    return NGFF_OK;
}

/* Integer tags that must fit their field. */
static ngff_status get(const ngff_tiff_dir *d, int tag, uint64_t fallback, uint64_t limit,
                       uint64_t *out, ngff_error *err) {
    NGFF_TRY(ngff_tiff_dir_uint(d, tag, 0, fallback, out, err));
    if (*out > limit)
        return ngff_fail(
            err, NGFF_FORMAT,
            "%s: tag %d of the directory at byte %llu is %llu, more than %llu",
            d->file->path, tag, (unsigned long long)d->offset, (unsigned long long)*out,
            (unsigned long long)limit);
    return NGFF_OK;
}

#define GET16(tag, fallback, field)                                                      \
    do {                                                                                 \
        NGFF_TRY(get(d, tag, fallback, UINT16_MAX, &v, err));                            \
        l->field = (uint16_t)v;                                                          \
    } while (0)

static ngff_status read_samples(const ngff_tiff_dir *d, ngff_tiff_layout *l,
                                ngff_error *err) {
    uint64_t v = 0;
    GET16(NGFF_TIFF_SAMPLES, 1, samples);
    GET16(NGFF_TIFF_BITS, 1, bits);
    GET16(NGFF_TIFF_FORMAT, 1, format);
    GET16(NGFF_TIFF_COMPRESSION, 1, compression);
    GET16(NGFF_TIFF_PHOTOMETRIC, 1, photometric);
    GET16(NGFF_TIFF_PREDICTOR, 1, predictor);
    GET16(NGFF_TIFF_FILL_ORDER, 1, fill_order);
    NGFF_TRY(ngff_tiff_dir_uint(d, NGFF_TIFF_PLANAR, 0, 1, &v, err));
    l->separate = v == 2 && l->samples > 1;
    if (l->photometric == 6) {
        GET16(NGFF_TIFF_SUBSAMPLING, 2, sub_x);
        NGFF_TRY(ngff_tiff_dir_uint(d, NGFF_TIFF_SUBSAMPLING, 1, 2, &v, err));
        l->sub_y = (uint16_t)v;
    }
    if (l->samples == 0)
        return ngff_fail(err, NGFF_FORMAT, "%s: a page has 0 samples a pixel",
                         d->file->path);
    for (uint32_t i = 1; i < l->samples && i < 16; i++) {
        NGFF_TRY(ngff_tiff_dir_uint(d, NGFF_TIFF_BITS, i, l->bits, &v, err));
        if (v != l->bits)
            REFUSE(l, "samples of different bits (%u and %u) are not supported", l->bits,
                   (unsigned)v);
    }
    return tables_hash(d, &l->tables, err);
}

/* Fills the identity of a layout. *image: the directory describes pixels. */
static ngff_status read_layout(const ngff_tiff_dir *d, ngff_tiff_layout *l, bool *image,
                               ngff_error *err) {
    uint64_t w = 0, h = 0, rows = 0, depth = 0;
    ngff_tiff_tag t;
    memset(l, 0, sizeof *l);
    *image = false;
    NGFF_TRY(get(d, NGFF_TIFF_WIDTH, 0, INT32_MAX, &w, err));
    NGFF_TRY(get(d, NGFF_TIFF_HEIGHT, 0, INT32_MAX, &h, err));
    l->tiled = ngff_tiff_dir_find(d, NGFF_TIFF_TILE_OFFSETS, &t);
    if (w == 0 || h == 0 ||
        !(l->tiled || ngff_tiff_dir_find(d, NGFF_TIFF_STRIP_OFFSETS, &t)))
        return NGFF_OK;
    l->width = (uint32_t)w;
    l->height = (uint32_t)h;
    l->big_endian = d->file->big_endian;
    if (l->tiled) {
        NGFF_TRY(get(d, NGFF_TIFF_TILE_WIDTH, 0, INT32_MAX, &w, err));
        NGFF_TRY(get(d, NGFF_TIFF_TILE_HEIGHT, 0, INT32_MAX, &h, err));
        if (w == 0 || h == 0)
            return ngff_fail(err, NGFF_FORMAT, "%s: tiles of %llux%llu pixels",
                             d->file->path, (unsigned long long)w, (unsigned long long)h);
    } else {
        NGFF_TRY(ngff_tiff_dir_uint(d, NGFF_TIFF_ROWS, 0, h, &rows, err));
        h = rows == 0 || rows > h ? h : rows;
    }
    l->unit_w = (uint32_t)w;
    l->unit_h = (uint32_t)h;
    NGFF_TRY(read_samples(d, l, err));
    NGFF_TRY(ngff_tiff_dir_uint(d, NGFF_TIFF_DEPTH, 0, 1, &depth, err));
    if (depth > 1)
        REFUSE(l, "pages with a depth (SGI volumes) are not supported");
    *image = true;
    return NGFF_OK;
}

static ngff_status intern(ngff_tiff_set *s, const ngff_tiff_layout *l, uint32_t *idx,
                          ngff_error *err) {
    size_t identity = offsetof(ngff_tiff_layout, dtype);
    for (uint32_t i = s->layout_count; i > 0; i--) {
        if (memcmp(s->layouts[i - 1], l, identity) == 0) {
            *idx = i - 1;
            return NGFF_OK;
        }
    }
    if (s->layout_count == NGFF_TIFF_LAYOUTS)
        return ngff_fail(err, NGFF_LIMIT, "%s: pages of more than %d different kinds",
                         s->files[0].path, NGFF_TIFF_LAYOUTS);
    ngff_tiff_layout *own = ngff_alloc(s->alloc, sizeof *own);
    if (own == NULL)
        return ngff_fail_nomem(err, "a TIFF page", sizeof *own);
    memcpy(own, l, sizeof *own);
    if (own->refusal[0] == '\0')
        derive(own);
    own->page = s->page_count;
    s->layouts[s->layout_count] = own;
    *idx = s->layout_count++;
    return NGFF_OK;
}

/* Where the offsets and byte counts are; they must cover the page and lie in the file. */
static ngff_status read_units(const ngff_tiff_dir *d, const ngff_tiff_layout *l,
                              ngff_tiff_page *page, ngff_error *err) {
    ngff_tiff_tag off = {0}, count = {0};
    bool found = ngff_tiff_dir_find(
        d, l->tiled ? NGFF_TIFF_TILE_OFFSETS : NGFF_TIFF_STRIP_OFFSETS, &off);
    assert(found);
    if (!ngff_tiff_dir_find(d, l->tiled ? NGFF_TIFF_TILE_COUNTS : NGFF_TIFF_STRIP_COUNTS,
                            &count) ||
        count.count < off.count)
        count = (ngff_tiff_tag){0};
    if (!found || off.count < l->units || off.item_size > 8 || off.type == 2)
        return ngff_fail(
            err, NGFF_FORMAT,
            "%s: the directory at byte %llu lists %llu %ss, a page of %ux%u needs "
            "%llu",
            d->file->path, (unsigned long long)d->offset, (unsigned long long)off.count,
            l->tiled ? "tile" : "strip", l->width, l->height,
            (unsigned long long)l->units);
    if (off.count > UINT32_MAX || off.count * off.item_size > d->file->size ||
        off.at > d->file->size - off.count * off.item_size)
        return ngff_fail(
            err, NGFF_FORMAT, "%s: the list of %ss at byte %llu lies outside the file",
            d->file->path, l->tiled ? "tile" : "strip", (unsigned long long)off.at);
    page->offsets_at = off.at;
    page->offsets_size = (uint8_t)off.item_size;
    page->counts_at = count.at;
    page->counts_size = (uint8_t)count.item_size;
    page->units = (uint32_t)off.count;
    return NGFF_OK;
}

static ngff_status page_slot(ngff_tiff_set *s, ngff_tiff_page **out, ngff_error *err) {
    uint32_t segment = s->page_count / NGFF_TIFF_SEGMENT;
    if (segment == NGFF_TIFF_SEGMENTS)
        return ngff_fail(err, NGFF_LIMIT, "%s: more than %d pages", s->files[0].path,
                         NGFF_TIFF_SEGMENTS * NGFF_TIFF_SEGMENT);
    if (s->segments[segment] == NULL) {
        s->segments[segment] =
            ngff_calloc(s->alloc, NGFF_TIFF_SEGMENT, sizeof(ngff_tiff_page));
        if (s->segments[segment] == NULL)
            return ngff_fail_nomem(err, "TIFF pages",
                                   NGFF_TIFF_SEGMENT * sizeof(ngff_tiff_page));
    }
    *out = &s->segments[segment][s->page_count % NGFF_TIFF_SEGMENT];
    return NGFF_OK;
}

ngff_status ngff_tiff_page_add(ngff_tiff_set *s, uint32_t file, const ngff_tiff_dir *d,
                               uint32_t *idx, ngff_error *err) {
    ngff_tiff_layout layout;
    ngff_tiff_page *page = NULL;
    uint64_t subfile = 0;
    bool image = false;
    NGFF_TRY(page_slot(s, &page, err));
    page->file = file;
    page->ifd = d->offset;
    page->layout = NGFF_TIFF_NONE;
    NGFF_TRY(ngff_tiff_dir_uint(d, NGFF_TIFF_SUBFILE, 0, 0, &subfile, err));
    page->reduced = (subfile & 1) != 0;
    NGFF_TRY(read_layout(d, &layout, &image, err));
    if (image) {
        NGFF_TRY(intern(s, &layout, &page->layout, err));
        NGFF_TRY(read_units(d, s->layouts[page->layout], page, err));
    }
    *idx = s->page_count++;
    return NGFF_OK;
}

ngff_status ngff_tiff_walk(ngff_tiff_set *s, uint32_t file, ngff_error *err) {
    ngff_tiff_file *f = &s->files[file];
    ngff_tiff_dir d;
    ngff_status status = NGFF_OK;
    /* Brent's cycle detection: `mark` is an earlier directory, moved at powers of two. */
    uint64_t mark = 0, power = 1, steps = 0;
    ngff_tiff_dir_init(&d, s->alloc);
    f->page_first = s->page_count;
    for (uint64_t at = f->first_ifd; at != 0 && status == NGFF_OK; at = d.next) {
        uint32_t idx = 0;
        if (at == mark) {
            status =
                ngff_fail(err, NGFF_FORMAT,
                          "%s: the chain of image directories runs in a circle at byte "
                          "%llu",
                          f->path, (unsigned long long)at);
            break;
        }
        if (++steps == power) {
            mark = at;
            power *= 2;
        }
        status = ngff_tiff_dir_read(&d, f, at, err);
        if (status == NGFF_OK)
            status = ngff_tiff_page_add(s, file, &d, &idx, err);
    }
    f->page_count = s->page_count - f->page_first;
    ngff_tiff_dir_reset(&d);
    return status;
}

bool ngff_tiff_same_pixels(const ngff_tiff_layout *a, const ngff_tiff_layout *b) {
    return a->width == b->width && a->height == b->height && a->samples == b->samples &&
           a->dtype == b->dtype && a->separate == b->separate;
}

uint64_t ngff_tiff_page_bytes(const ngff_tiff_layout *l) {
    uint64_t pixels = (uint64_t)l->width * l->height; /* < 2^62 */
    uint64_t bytes = 0;
    if (__builtin_mul_overflow(pixels, (uint64_t)l->samples * ngff_dtype_size(l->dtype),
                               &bytes))
        return UINT64_MAX;
    return bytes;
}
