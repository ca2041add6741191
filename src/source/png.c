/* source: PNG (W3C recommendation, third edition) through libpng: grey, RGB and palettes
 * with or without alpha, 8 and 16 bits; fewer bits are widened to 8. Gamma, colour
 * profiles and transparent colours change no value. */
#include "source/rows.h"

#include <math.h>
#include <png.h>
#include <stdio.h>

/* Fewer pixels a metre than this are a printer's default, not a pixel size: 2400 an inch,
 * as for TIFF. */
#define FINE (2400.0 / 0.0254)
/* No deflate stream grows by more than 1032; a byte may hold 8 pixels of a palette. */
#define PNG_MOST (1032.0 * 8.0 * 4.0)

typedef struct png_source {
    ngff_source_rows rows;
    png_structp png;
    png_infop info;
    ngff_status status; /* of what libpng was told about */
    char message[160];
} png_source;

bool ngff_source_detect_png(const unsigned char *head, size_t n, const char *path) {
    (void)path;
    return n >= 8 && memcmp(head, "\x89PNG\r\n\x1a\n", 8) == 0;
}

/* ---- libpng's calls ---------------------------------------------------------------- */

static png_voidp take(png_structp png, png_alloc_size_t size) {
    const png_source *p = png_get_mem_ptr(png);
    return ngff_alloc(p->rows.base.alloc, size);
}

static void release(png_structp png, png_voidp block) {
    const png_source *p = png_get_mem_ptr(png);
    ngff_free(p->rows.base.alloc, block);
}

static void on_error(png_structp png, png_const_charp text) {
    png_source *p = png_get_error_ptr(png);
    if (p->message[0] == '\0')
        ngff_copy_text(p->message, sizeof p->message, text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
    (void)png, (void)text;
}

static void on_read(png_structp png, png_bytep out, size_t size) {
    png_source *p = png_get_io_ptr(png);
    ngff_error err = {0};
    size_t got = 0;
    p->status = ngff_source_rows_fetch(&p->rows, out, size, &got, &err);
    if (p->status != NGFF_OK)
        ngff_copy_text(p->message, sizeof p->message, err.message);
    else if (got < size)
        ngff_copy_text(p->message, sizeof p->message, "the file is cut short");
    if (p->message[0] != '\0')
        png_error(png, "read");
}

static ngff_status failed(png_source *p, ngff_error *err) {
    ngff_status status = p->status != NGFF_OK ? p->status : NGFF_FORMAT;
    return ngff_fail(err, status, "%s: PNG: %s", p->rows.base.location, p->message);
}

/* ---- decoding ---------------------------------------------------------------------- */

static void drop(png_source *p) {
    if (p->png != NULL)
        png_destroy_read_struct(&p->png, &p->info, NULL);
    p->png = NULL;
    p->info = NULL;
}

/* Every pixel as whole bytes of the machine's order. */
static void unfold(png_source *p) {
    if (png_get_color_type(p->png, p->info) == PNG_COLOR_TYPE_PALETTE) {
        png_set_palette_to_rgb(p->png);
        if (png_get_valid(p->png, p->info, PNG_INFO_tRNS))
            png_set_tRNS_to_alpha(p->png);
    }
    if (png_get_bit_depth(p->png, p->info) < 8)
        png_set_expand_gray_1_2_4_to_8(p->png);
    if (ngff_host_is_little())
        png_set_swap(p->png);
    if (png_get_interlace_type(p->png, p->info) != PNG_INTERLACE_NONE)
        (void)png_set_interlace_handling(p->png);
    png_read_update_info(p->png, p->info);
}

/* The calls that may jump: false then. */
static bool guarded_header(png_source *p) {
    if (setjmp(png_jmpbuf(p->png)))
        return false;
    png_set_user_limits(p->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_chunk_malloc_max(p->png, (png_alloc_size_t)1 << 20);
    png_set_chunk_cache_max(p->png, 16);
    png_set_read_fn(p->png, p, on_read);
    png_read_info(p->png, p->info);
    p->rows.height = png_get_image_height(p->png, p->info);
    p->rows.width = png_get_image_width(p->png, p->info);
    if (p->rows.width > 1 << 28)
        png_error(p->png, "rows of more than 2^28 pixels");
    unfold(p);
    return true;
}

static bool guarded_row(png_source *p, unsigned char *out) {
    if (setjmp(png_jmpbuf(p->png)))
        return false;
    png_read_row(p->png, out, NULL);
    return true;
}

static bool guarded_end(png_source *p) {
    if (setjmp(png_jmpbuf(p->png)))
        return false;
    png_read_end(p->png, NULL);
    return true;
}

static ngff_status png_start(ngff_source_rows *r, ngff_error *err) {
    png_source *p = (png_source *)r;
    drop(p);
    p->status = NGFF_OK;
    p->message[0] = '\0';
    r->file_at = 0;
    p->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, p, on_error, on_warning, p,
                                      take, release);
    if (p->png != NULL)
        p->info = png_create_info_struct(p->png);
    if (p->info == NULL)
        return ngff_fail_nomem(err, "PNG decoder", 1024);
    if (!guarded_header(p))
        return failed(p, err);
    r->samples = png_get_channels(p->png, p->info);
    r->dtype = png_get_bit_depth(p->png, p->info) == 16 ? NGFF_UINT16 : NGFF_UINT8;
    r->passes = png_get_interlace_type(p->png, p->info) != PNG_INTERLACE_NONE;
    r->most = PNG_MOST;
    return NGFF_OK;
}

static ngff_status png_row(ngff_source_rows *r, unsigned char *out, ngff_error *err) {
    png_source *p = (png_source *)r;
    return guarded_row(p, out) ? NGFF_OK : failed(p, err);
}

/* Seven passes over rows that stay. */
static ngff_status png_whole(ngff_source_rows *r, unsigned char *out, ngff_error *err) {
    png_source *p = (png_source *)r;
    memset(out, 0, (size_t)r->height * r->row_size);
    for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; pass++)
        for (int64_t y = 0; y < r->height; y++)
            if (!guarded_row(p, out + (size_t)y * r->row_size))
                return failed(p, err);
    return NGFF_OK;
}

static ngff_status png_finish(ngff_source_rows *r, ngff_error *err) {
    png_source *p = (png_source *)r;
    return guarded_end(p) ? NGFF_OK : failed(p, err);
}

static void png_close(ngff_source *s) {
    drop((png_source *)s);
    ngff_source_rows_close(s);
}

static const ngff_rows_decoder decoder = {
    .size = sizeof(png_source),
    .ops = {.kind = "png", .read = ngff_source_rows_read, .close = png_close},
    .start = png_start,
    .row = png_row,
    .whole = png_whole,
    .finish = png_finish,
};

/* pHYs: pixels a metre. */
static void calibrate(png_source *p) {
    ngff_image_desc *desc = &p->rows.base.image.desc;
    png_uint_32 x = 0, y = 0;
    int unit = PNG_RESOLUTION_UNKNOWN;
    if (png_get_pHYs(p->png, p->info, &x, &y, &unit) == 0 ||
        unit != PNG_RESOLUTION_METER || x < FINE || y < FINE)
        return;
    for (int i = 0; i < desc->ndim; i++) {
        ngff_axis *axis = &desc->axes[i];
        if (strcmp(axis->type, "space") != 0 || i > 1)
            continue;
        axis->scale = 1e6 / (i == 0 ? y : x);
        ngff_copy_text(axis->unit, sizeof axis->unit, "micrometer");
    }
}

ngff_status ngff_source_open_png(const ngff_allocator *a, const char *path,
                                 const ngff_source_open_opts *opts, ngff_source **out,
                                 ngff_error *err) {
    NGFF_TRY(ngff_source_rows_open(a, &decoder, path, opts, out, err));
    calibrate((png_source *)*out);
    return NGFF_OK;
}
