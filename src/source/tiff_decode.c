/* libtiff as a decoder of tiles. A decoder is a TIFF handle that was opened on one
 * directory of its layout; it is then fed compressed bytes that we read ourselves, so it
 * never seeks, and one decoder serves all pages of the layout, also those of other files.
 * One decoder per reading thread; idle ones wait in the pool. Errors go to the decoder,
 * never to stderr. */
#include "source/tiff.h"

#include <stdio.h>
#include <tiffio.h>

typedef struct decoder {
    TIFF *tif;
    const ngff_allocator *alloc;
    uint32_t layout;
    struct decoder *next;
    const ngff_tiff_file *file; /* only while it opens */
    uint64_t pos;
    unsigned char *in, *raw; /* compressed bytes; packed bits before they are widened */
    size_t in_capacity, raw_capacity;
    char message[200];
} decoder;

struct ngff_tiff_pool {
    const ngff_allocator *alloc;
    ngff_mutex *lock;
    decoder *idle;
    uint32_t idle_count, idle_limit;
};

bool ngff_tiff_can_decode(int compression) {
    return compression > 0 && compression <= UINT16_MAX &&
           TIFFIsCODECConfigured((uint16_t)compression) != 0;
}

/* ---- what libtiff calls
 * ---------------------------------------------------------------- */

static int on_error(TIFF *tif, void *user, const char *module, const char *fmt,
                    va_list args) {
    decoder *d = user;
    (void)tif;
    if (d->message[0] == '\0') {
        int n =
            snprintf(d->message, sizeof d->message, "%s: ", module != NULL ? module : "");
        if (n > 0 && (size_t)n < sizeof d->message)
            vsnprintf(d->message + n, sizeof d->message - (size_t)n, fmt, args);
    }
    return 1; /* handled: the global handler is not called */
}

static int on_warning(TIFF *tif, void *user, const char *module, const char *fmt,
                      va_list args) {
    (void)tif, (void)user, (void)module, (void)fmt, (void)args;
    return 1;
}

static tmsize_t client_read(thandle_t handle, void *out, tmsize_t size) {
    decoder *d = (decoder *)handle;
    size_t got = 0;
    if (d->file == NULL || size < 0 || d->pos > d->file->size ||
        ngff_file_pread(&d->file->file, out, (size_t)size, d->pos, &got, d->file->path,
                        NULL) != NGFF_OK)
        return -1;
    d->pos += got;
    return (tmsize_t)got;
}

static tmsize_t client_write(thandle_t handle, void *data, tmsize_t size) {
    (void)handle, (void)data, (void)size;
    return -1;
}

static toff_t client_seek(thandle_t handle, toff_t off, int whence) {
    decoder *d = (decoder *)handle;
    switch (whence) {
    case SEEK_SET:
        d->pos = off;
        break;
    case SEEK_CUR:
        d->pos += off;
        break;
    default:
        d->pos = d->file != NULL ? d->file->size + off : 0;
    }
    return d->pos;
}

static int client_close(thandle_t handle) {
    (void)handle;
    return 0;
}

static toff_t client_size(thandle_t handle) {
    decoder *d = (decoder *)handle;
    return d->file != NULL ? d->file->size : 0;
}

/* ---- the pool
 * -------------------------------------------------------------------------- */

ngff_status ngff_tiff_pool_open(const ngff_allocator *a, int threads,
                                ngff_tiff_pool **out, ngff_error *err) {
    ngff_tiff_pool *p = ngff_calloc(a, 1, sizeof *p);
    *out = p;
    if (p == NULL)
        return ngff_fail_nomem(err, "the TIFF decoders", sizeof *p);
    p->alloc = a;
    p->idle_limit = threads > 0 ? (uint32_t)threads : (uint32_t)ngff_cpu_count();
    return ngff_mutex_create(a, &p->lock, err);
}

static void decoder_close(decoder *d) {
    if (d->tif != NULL)
        TIFFClose(d->tif);
    ngff_free(d->alloc, d->in);
    ngff_free(d->alloc, d->raw);
    ngff_free(d->alloc, d);
}

void ngff_tiff_pool_close(ngff_tiff_pool **out) {
    ngff_tiff_pool *p = *out;
    if (p == NULL)
        return;
    while (p->idle != NULL) {
        decoder *d = p->idle;
        p->idle = d->next;
        decoder_close(d);
    }
    ngff_mutex_close(&p->lock);
    ngff_free(p->alloc, p);
    *out = NULL;
}

/* The bytes libtiff produces for a full unit: packed bits, each row on a byte boundary.
 */
static size_t raw_row(const ngff_tiff_layout *l) {
    return (size_t)(((uint64_t)l->unit_w * l->chunky * l->bits + 7) / 8);
}

static ngff_status decoder_fail(const decoder *d, const char *path, uint64_t ifd,
                                ngff_error *err) {
    return ngff_fail(err, NGFF_FORMAT,
                     "%s: the directory at byte %llu cannot be decoded: %s", path,
                     (unsigned long long)ifd,
                     d->message[0] != '\0' ? d->message : "libtiff gives no reason");
}

static TIFF *open_tiff(decoder *d) {
    TIFFOpenOptions *opts = TIFFOpenOptionsAlloc();
    if (opts == NULL)
        return NULL;
    TIFFOpenOptionsSetMaxSingleMemAlloc(opts, (tmsize_t)1 << 30);
    TIFFOpenOptionsSetErrorHandlerExtR(opts, on_error, d);
    TIFFOpenOptionsSetWarningHandlerExtR(opts, on_warning, d);
    /* m: no mapping; h: no first directory; O: offset arrays only when asked (never) */
    TIFF *tif =
        TIFFClientOpenExt(d->file->path, "rmhO", (thandle_t)d, client_read, client_write,
                          client_seek, client_close, client_size, NULL, NULL, opts);
    TIFFOpenOptionsFree(opts);
    return tif;
}

/* A handle on the directory of the layout's first page. */
static ngff_status decoder_setup(decoder *d, const ngff_tiff_layout *l, uint64_t ifd,
                                 ngff_error *err) {
    d->tif = open_tiff(d);
    if (d->tif == NULL || !TIFFSetSubDirectory(d->tif, ifd))
        return decoder_fail(d, d->file->path, ifd, err);
    if (l->compression == COMPRESSION_JPEG && l->photometric == PHOTOMETRIC_YCBCR)
        TIFFSetField(d->tif, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    tmsize_t row = l->tiled ? TIFFTileRowSize(d->tif) : TIFFScanlineSize(d->tif);
    if (row < 0 || (size_t)row != raw_row(l)) {
        if (d->message[0] == '\0')
            snprintf(d->message, sizeof d->message, "rows of %lld bytes, expected %zu",
                     (long long)row, raw_row(l));
        return decoder_fail(d, d->file->path, ifd, err);
    }
    return NGFF_OK;
}

static ngff_status decoder_open(ngff_tiff_set *s, uint32_t layout, decoder **out,
                                ngff_error *err) {
    const ngff_tiff_layout *l = s->layouts[layout];
    const ngff_tiff_page *page = ngff_tiff_page_at(s, l->page);
    decoder *d = ngff_calloc(s->alloc, 1, sizeof *d);
    *out = NULL;
    if (d == NULL)
        return ngff_fail_nomem(err, "a TIFF decoder", sizeof *d);
    d->alloc = s->alloc;
    d->layout = layout;
    ngff_status status = ngff_tiff_pin(s, page->file, &d->file, err);
    if (status == NGFF_OK) {
        status = decoder_setup(d, l, page->ifd, err);
        ngff_tiff_unpin(s, page->file);
        d->file = NULL;
    }
    if (status != NGFF_OK) {
        decoder_close(d);
        return status;
    }
    *out = d;
    return NGFF_OK;
}

static decoder *take_idle(ngff_tiff_pool *p, uint32_t layout) {
    ngff_mutex_lock(p->lock);
    decoder **at = &p->idle;
    while (*at != NULL && (*at)->layout != layout)
        at = &(*at)->next;
    decoder *d = *at;
    if (d != NULL) {
        *at = d->next;
        p->idle_count--;
    }
    ngff_mutex_unlock(p->lock);
    return d;
}

/* Back to the pool; the one that has waited longest leaves when there are too many. */
static void give_back(ngff_tiff_pool *p, decoder *d) {
    decoder *last = NULL;
    ngff_mutex_lock(p->lock);
    d->next = p->idle;
    p->idle = d;
    if (++p->idle_count > p->idle_limit) {
        decoder **at = &p->idle;
        while ((*at)->next != NULL)
            at = &(*at)->next;
        last = *at;
        *at = NULL;
        p->idle_count--;
    }
    ngff_mutex_unlock(p->lock);
    if (last != NULL)
        decoder_close(last);
}

/* ---- decoding
 * -------------------------------------------------------------------------- */

static ngff_status grow(decoder *d, unsigned char **buf, size_t *capacity, size_t size,
                        ngff_error *err) {
    if (size <= *capacity)
        return NGFF_OK;
    ngff_free(d->alloc, *buf);
    *capacity = 0;
    *buf = ngff_alloc(d->alloc, size);
    if (*buf == NULL)
        return ngff_fail_nomem(err, "a compressed TIFF tile", size);
    *capacity = size;
    return NGFF_OK;
}

/* Widens packed bits (most significant first, rows on byte boundaries) to whole elements.
 */
static void unpack_row(const unsigned char *in, unsigned bits, size_t count,
                       ngff_dtype dtype, void *out) {
    uint64_t acc = 0;
    unsigned have = 0;
    const uint64_t mask = ((uint64_t)1 << bits) - 1;
    for (size_t i = 0; i < count; i++) {
        while (have < bits) {
            acc = acc << 8 | *in++;
            have += 8;
        }
        have -= bits;
        uint64_t v = acc >> have & mask;
        switch (ngff_dtype_size(dtype)) {
        case 1:
            ((uint8_t *)out)[i] = (uint8_t)v;
            break;
        case 2:
            ((uint16_t *)out)[i] = (uint16_t)v;
            break;
        default:
            ((uint32_t *)out)[i] = (uint32_t)v;
        }
    }
}

/* Rows of pixels in this unit: the last strip of a page may be shorter. */
static uint32_t unit_rows(const ngff_tiff_layout *l, uint64_t unit) {
    uint32_t down = (uint32_t)(unit % ((uint64_t)l->across * l->down) / l->across);
    uint32_t left = l->height - down * l->unit_h;
    return l->tiled || left > l->unit_h ? l->unit_h : left;
}

/* Compressed bytes that cannot hold so many pixels are refused before memory is touched.
 * The most that one byte can stand for, generously; methods not listed have no bound. */
static bool too_good(const ngff_tiff_layout *l, uint64_t size, uint64_t raw) {
    static const struct {
        uint16_t compression;
        uint64_t ratio;
    } bounds[] = {{COMPRESSION_LZW, 4096},    {COMPRESSION_DEFLATE, 1040},
                  {COMPRESSION_JPEG, 2048},   {COMPRESSION_ADOBE_DEFLATE, 1040},
                  {COMPRESSION_PACKBITS, 66}, {COMPRESSION_ZSTD, 65536},
                  {COMPRESSION_LZMA, 16384}};
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
        if (bounds[i].compression == l->compression)
            return raw / bounds[i].ratio > size + 64;
    return false;
}

static ngff_status run(decoder *d, const ngff_tiff_layout *l, uint64_t unit, size_t size,
                       void *out, ngff_error *err) {
    size_t row = raw_row(l), rows = unit_rows(l, unit), raw_size = row * rows;
    bool packed = l->bits != ngff_dtype_size(l->dtype) * 8;
    void *raw = out;
    if (packed) {
        NGFF_TRY(grow(d, &d->raw, &d->raw_capacity, raw_size, err));
        raw = d->raw;
    }
    d->message[0] = '\0';
    if (!TIFFReadFromUserBuffer(d->tif, (uint32_t)unit, d->in, (tmsize_t)size, raw,
                                (tmsize_t)raw_size))
        return ngff_fail(err, NGFF_FORMAT, "%s",
                         d->message[0] != '\0' ? d->message
                                               : "the bytes cannot be decoded");
    size_t count = (size_t)l->unit_w * l->chunky, item = ngff_dtype_size(l->dtype);
    for (size_t y = 0; packed && y < rows; y++)
        unpack_row(d->raw + y * row, l->bits, count, l->dtype,
                   (unsigned char *)out + y * count * item);
    return NGFF_OK;
}

static ngff_status load(ngff_tiff_set *s, decoder *d, uint32_t file, uint64_t off,
                        size_t size, ngff_error *err) {
    const ngff_tiff_file *f = NULL;
    NGFF_TRY(grow(d, &d->in, &d->in_capacity, size, err));
    NGFF_TRY(ngff_tiff_pin(s, file, &f, err));
    ngff_status status = ngff_tiff_pread(f, d->in, size, off, err);
    ngff_tiff_unpin(s, file);
    return status;
}

ngff_status ngff_tiff_decode(ngff_tiff_set *s, uint32_t page, uint64_t unit, uint64_t off,
                             uint64_t size, void *out, ngff_error *err) {
    const ngff_tiff_page *p = ngff_tiff_page_at(s, page);
    const ngff_tiff_layout *l = ngff_tiff_layout_of(s, p);
    const ngff_tiff_file *f = &s->files[p->file];
    const char *what = l->tiled ? "tile" : "strip";
    uint64_t raw = (uint64_t)raw_row(l) * l->unit_h;
    if (off > f->size || size > f->size - off)
        return ngff_fail(
            err, NGFF_FORMAT,
            "%s: %s %llu of the directory at byte %llu ends at byte %llu but the "
            "file has %llu bytes; is it truncated?",
            f->path, what, (unsigned long long)unit, (unsigned long long)p->ifd,
            (unsigned long long)(off + size), (unsigned long long)f->size);
    if (too_good(l, size, (uint64_t)raw_row(l) * unit_rows(l, unit)))
        return ngff_fail(err, NGFF_FORMAT,
                         "%s: %s %llu: %llu bytes cannot hold %ux%u pixels", f->path,
                         what, (unsigned long long)unit, (unsigned long long)size,
                         l->unit_w, l->unit_h);
    /* No encoder expands this much: what is beyond belongs to something else. */
    if (size > 2 * raw + ((uint64_t)1 << 20))
        size = 2 * raw + ((uint64_t)1 << 20);
    decoder *d = take_idle(s->pool, p->layout);
    if (d == NULL)
        NGFF_TRY(decoder_open(s, p->layout, &d, err));
    ngff_status status = load(s, d, p->file, off, (size_t)size, err);
    if (status == NGFF_OK) {
        status = run(d, l, unit, (size_t)size, out, err);
        if (status != NGFF_OK)
            ngff_fail_at(err, status, "%s: %s %llu of the directory at byte %llu",
                         f->path, what, (unsigned long long)unit,
                         (unsigned long long)p->ifd);
    }
    give_back(s->pool, d);
    return status;
}
