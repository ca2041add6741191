/* source: JPEG (ITU-T T.81) through libjpeg: grey and colour, 8 bits, baseline and
 * progressive. A file whose data are damaged is an error, not grey pixels. */
#include "source/rows.h"

#include <limits.h>
#include <setjmp.h>
#include <stdio.h>

#include <jerror.h>
#include <jpeglib.h>

/* A block of 64 samples takes a bit or two, with arithmetic coding less. */
#define JPEG_MOST 65536.0

typedef struct jpeg_source {
    ngff_source_rows rows;
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    jmp_buf back;
    bool made;
    ngff_status status; /* of reading the file */
    char message[JMSG_LENGTH_MAX];
    unsigned char in[16 << 10];
} jpeg_source;

bool ngff_source_detect_jpeg(const unsigned char *head, size_t n, const char *path) {
    (void)path;
    return n >= 4 && head[0] == 0xff && head[1] == 0xd8 && head[2] == 0xff;
}

/* ---- libjpeg's calls --------------------------------------------------------------- */

static void on_error(j_common_ptr c) {
    jpeg_source *j = c->client_data;
    if (j->message[0] == '\0')
        c->err->format_message(c, j->message);
    longjmp(j->back, 1);
}

/* Negative: the data are damaged and something was made up. */
static void on_message(j_common_ptr c, int level) {
    if (level < 0)
        on_error(c);
}

static void on_output(j_common_ptr c) {
    (void)c;
}

static boolean fill_input(j_decompress_ptr d) {
    jpeg_source *j = d->client_data;
    ngff_error err = {0};
    size_t got = 0;
    j->status = ngff_source_rows_fetch(&j->rows, j->in, sizeof j->in, &got, &err);
    if (j->status != NGFF_OK)
        ngff_copy_text(j->message, sizeof j->message, err.message);
    else if (got == 0)
        ngff_copy_text(j->message, sizeof j->message, "the file is cut short");
    if (got == 0)
        on_error((j_common_ptr)d);
    j->source.next_input_byte = j->in;
    j->source.bytes_in_buffer = got;
    return TRUE;
}

static void skip_input(j_decompress_ptr d, long count) {
    jpeg_source *j = d->client_data;
    size_t left = j->source.bytes_in_buffer, skip = count > 0 ? (size_t)count : 0;
    if (skip > left) {
        j->rows.file_at += skip - left;
        skip = left;
    }
    j->source.next_input_byte += skip;
    j->source.bytes_in_buffer -= skip;
}

static void no_source(j_decompress_ptr d) {
    (void)d;
}

static ngff_status failed(jpeg_source *j, ngff_error *err) {
    ngff_status status = j->status != NGFF_OK ? j->status : NGFF_FORMAT;
    if (j->errors.msg_code == JERR_NO_BACKING_STORE)
        return ngff_fail(
            err, NGFF_LIMIT,
            "%s: a progressive JPEG needs more than the %zu bytes that may be "
            "used for it: --memory-target says how much",
            j->rows.base.location, j->rows.memory);
    if (j->errors.msg_code == JERR_OUT_OF_MEMORY)
        status = NGFF_NOMEM;
    return ngff_fail(err, status, "%s: JPEG: %s", j->rows.base.location, j->message);
}

/* ---- decoding ---------------------------------------------------------------------- */

static void drop(jpeg_source *j) {
    if (j->made)
        jpeg_destroy_decompress(&j->jpeg);
    j->made = false;
}

/* The calls that may jump: false then. */
static bool guarded_header(jpeg_source *j) {
    struct jpeg_decompress_struct *d = &j->jpeg;
    if (setjmp(j->back))
        return false;
    jpeg_create_decompress(d);
    j->made = true;
    d->client_data = j;
    d->src = &j->source;
    d->mem->max_memory_to_use = (long)ngff_min_i64((int64_t)j->rows.memory, LONG_MAX);
    jpeg_read_header(d, TRUE);
    if (d->out_color_space != JCS_GRAYSCALE)
        d->out_color_space = d->num_components == 4 ? JCS_CMYK : JCS_RGB;
    d->dct_method = JDCT_ISLOW;
    jpeg_calc_output_dimensions(d);
    return true;
}

static bool guarded_start(jpeg_source *j) {
    if (setjmp(j->back))
        return false;
    jpeg_start_decompress(&j->jpeg);
    return true;
}

static bool guarded_row(jpeg_source *j, unsigned char *out) {
    JSAMPROW row = out;
    if (setjmp(j->back))
        return false;
    jpeg_read_scanlines(&j->jpeg, &row, 1);
    return true;
}

static bool guarded_end(jpeg_source *j) {
    if (setjmp(j->back))
        return false;
    jpeg_finish_decompress(&j->jpeg);
    return true;
}

static ngff_status jpeg_start(ngff_source_rows *r, ngff_error *err) {
    jpeg_source *j = (jpeg_source *)r;
    drop(j);
    j->status = NGFF_OK;
    j->message[0] = '\0';
    r->file_at = 0;
    j->source = (struct jpeg_source_mgr){.init_source = no_source,
                                         .fill_input_buffer = fill_input,
                                         .skip_input_data = skip_input,
                                         .resync_to_restart = jpeg_resync_to_restart,
                                         .term_source = no_source};
    j->jpeg.err = jpeg_std_error(&j->errors);
    j->jpeg.client_data = j;
    j->errors.error_exit = on_error;
    j->errors.emit_message = on_message;
    j->errors.output_message = on_output;
    if (!guarded_header(j))
        return failed(j, err);
    r->height = j->jpeg.output_height;
    r->width = j->jpeg.output_width;
    r->samples = j->jpeg.out_color_components;
    r->dtype = NGFF_UINT8;
    r->most = JPEG_MOST;
    size_t pixels = (size_t)r->height * (size_t)r->width; /* both fit 16 bits */
    r->extra = jpeg_has_multiple_scans(&j->jpeg)
                   ? pixels * (size_t)j->jpeg.num_components * sizeof(JCOEF)
                   : 0;
    if (j->jpeg.out_color_space == JCS_CMYK)
        return ngff_fail(err, NGFF_UNSUPPORTED, "%s: a JPEG of four inks (CMYK)",
                         r->base.location);
    return NGFF_OK;
}

static ngff_status jpeg_row(ngff_source_rows *r, unsigned char *out, ngff_error *err) {
    jpeg_source *j = (jpeg_source *)r;
    if (r->next == 0 && !guarded_start(j))
        return failed(j, err);
    return guarded_row(j, out) ? NGFF_OK : failed(j, err);
}

static ngff_status jpeg_finish(ngff_source_rows *r, ngff_error *err) {
    jpeg_source *j = (jpeg_source *)r;
    return guarded_end(j) ? NGFF_OK : failed(j, err);
}

static void jpeg_close(ngff_source *s) {
    drop((jpeg_source *)s);
    ngff_source_rows_close(s);
}

static const ngff_rows_decoder decoder = {
    .size = sizeof(jpeg_source),
    .ops = {.kind = "jpeg", .read = ngff_source_rows_read, .close = jpeg_close},
    .start = jpeg_start,
    .row = jpeg_row,
    .finish = jpeg_finish,
};

ngff_status ngff_source_open_jpeg(const ngff_allocator *a, const char *path,
                                  const ngff_source_open_opts *opts, ngff_source **out,
                                  ngff_error *err) {
    return ngff_source_rows_open(a, &decoder, path, opts, out, err);
}
