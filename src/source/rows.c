/* source: pictures decoded row by row, and the rows that are kept. */
#include "source/rows.h"

#include <inttypes.h>

#define SMALL_MEMORY ((size_t)16 << 20)
#define ROW_MOST ((size_t)256 << 20)

/* ---- reading ----------------------------------------------------------------------- */

ngff_status ngff_source_rows_fetch(ngff_source_rows *r, void *out, size_t size,
                                   size_t *got, ngff_error *err) {
    NGFF_TRY(
        ngff_file_pread(&r->file, out, size, r->file_at, got, r->base.location, err));
    r->file_at += *got;
    return NGFF_OK;
}

static ngff_status start_over(ngff_source_rows *r, ngff_error *err) {
    r->started = false;
    r->file_at = 0;
    r->first = r->next = 0;
    if (r->kept == NULL) {
        size_t size = r->row_size * (size_t)r->capacity;
        r->kept = ngff_alloc(r->base.alloc, size);
        if (r->kept == NULL)
            return ngff_fail_nomem(err, "decoded rows", size);
    }
    NGFF_TRY(r->decoder->start(r, err));
    r->started = true;
    return NGFF_OK;
}

static ngff_status decode(ngff_source_rows *r, ngff_error *err) {
    if (r->passes) {
        NGFF_TRY(r->decoder->whole(r, r->kept, err));
        r->next = r->height;
    } else {
        unsigned char *to = r->kept + (size_t)(r->next % r->capacity) * r->row_size;
        if (r->next - r->first == r->capacity)
            r->first++;
        NGFF_TRY(r->decoder->row(r, to, err));
        r->next++;
    }
    return r->next == r->height ? r->decoder->finish(r, err) : NGFF_OK;
}

/* After an error the next read starts over, and finds it again. */
static ngff_status need(ngff_source_rows *r, int64_t y, ngff_error *err) {
    ngff_status status = NGFF_OK;
    if (!r->started || y < r->first)
        status = start_over(r, err);
    while (status == NGFF_OK && r->next <= y)
        status = decode(r, err);
    if (status != NGFF_OK)
        r->started = false;
    return status;
}

ngff_status ngff_source_rows_read(ngff_source *s, const ngff_box *box,
                                  const ngff_view *out, ngff_error *err) {
    ngff_source_rows *r = (ngff_source_rows *)s;
    const int64_t item = (int64_t)ngff_dtype_size(r->dtype);
    ngff_view to = *out, from = *out;
    to.shape[0] = from.shape[0] = 1;
    from.strides[0] = (int64_t)r->row_size;
    from.strides[1] = item * r->samples;
    from.strides[2] = item; /* of axis c, when there is one */
    int64_t skip = box->start[1] * from.strides[1];
    if (box->ndim == 3)
        skip += box->start[2] * item;
    for (int64_t i = 0; i < box->shape[0]; i++) {
        int64_t y = box->start[0] + i;
        NGFF_TRY(need(r, y, err));
        from.data = r->kept + (y % r->capacity) * from.strides[0] + skip;
        to.data = (char *)out->data + i * out->strides[0];
        ngff_nd_copy(&to, &from);
    }
    return NGFF_OK;
}

void ngff_source_rows_close(ngff_source *s) {
    ngff_source_rows *r = (ngff_source_rows *)s;
    if (r->file.fd >= 0)
        ngff_file_close(&r->file);
    ngff_free(s->alloc, r->kept);
}

/* ---- opening ----------------------------------------------------------------------- */

/* A picture that cannot come out of so small a file is refused before memory is taken. */
static ngff_status check_size(ngff_source_rows *r, ngff_error *err) {
    const char *path = r->base.location;
    const int64_t shape[3] = {r->height, r->width, r->samples};
    uint64_t size = 0;
    size_t bytes = 0;
    NGFF_TRY(ngff_nd_bytes(3, shape, r->dtype, &bytes, err));
    NGFF_TRY(ngff_file_size(&r->file, &size, path, err));
    r->row_size = bytes / (size_t)r->height;
    if ((double)bytes / r->most > (double)size)
        return ngff_fail(err, NGFF_FORMAT,
                         "%s: %" PRIu64 " bytes cannot hold the %zu bytes of pixels that "
                         "the header announces",
                         path, size, bytes);
    if (r->row_size > ROW_MOST)
        return ngff_fail(err, NGFF_LIMIT, "%s: rows of %zu bytes, at most %zu are read",
                         path, r->row_size, ROW_MOST);
    return NGFF_OK;
}

static ngff_status set_traits(ngff_source_rows *r, const ngff_source_open_opts *opts,
                              ngff_error *err) {
    ngff_source_traits *t = &r->base.traits;
    size_t memory = r->memory > r->extra ? r->memory - r->extra : 0;
    size_t threads = (size_t)(opts->threads > 0 ? opts->threads : ngff_cpu_count());
    r->capacity = ngff_min_i64(r->height, (int64_t)(memory / r->row_size));
    if (r->passes && r->capacity < r->height)
        return ngff_fail(err, NGFF_LIMIT,
                         "%s: an interlaced picture of %" PRId64 " rows of %zu bytes is "
                         "decoded whole, %zu bytes may be used for it: --memory-target "
                         "says how much",
                         r->base.location, r->height, r->row_size, memory);
    r->capacity = ngff_max_i64(r->capacity, 1);
    t->unit[1] = r->width;
    if (r->samples > 1)
        t->unit[2] = r->samples;
    t->reentrant = false;
    t->compressed = true;
    t->sequential = r->capacity < r->height;
    t->slow_axis = 0;
    size_t all = r->extra + ((size_t)r->capacity + 4) * r->row_size;
    t->memory = all / threads + ((size_t)64 << 10);
    t->cache = (size_t)r->capacity * r->row_size / threads;
    return NGFF_OK;
}

static ngff_status fill(ngff_source_rows *r, const ngff_source_open_opts *opts,
                        ngff_error *err) {
    const int64_t shape[3] = {r->height, r->width, r->samples};
    const int ndim = r->samples > 1 ? 3 : 2;
    NGFF_TRY(check_size(r, err));
    NGFF_TRY(ngff_source_take_image(&r->base, r->dtype, ndim, shape,
                                    opts->dims  ? opts->dims
                                    : ndim == 3 ? "yxc"
                                                : "yx",
                                    err));
    ngff_copy_text(r->base.file_axes, sizeof r->base.file_axes, ndim == 3 ? "YXS" : "YX");
    if (r->samples >= 3)
        NGFF_TRY(ngff_source_set_rgb(&r->base, (int)r->samples, err));
    return set_traits(r, opts, err);
}

ngff_status ngff_source_rows_open(const ngff_allocator *a,
                                  const ngff_rows_decoder *decoder, const char *path,
                                  const ngff_source_open_opts *opts, ngff_source **out,
                                  ngff_error *err) {
    ngff_source *s = NULL;
    *out = NULL;
    NGFF_TRY(ngff_source_new(a, decoder->size, &decoder->ops, path, &s, err));
    ngff_source_rows *r = (ngff_source_rows *)s;
    r->decoder = decoder;
    r->memory = opts->memory > 0 ? opts->memory : SMALL_MEMORY;
    r->file = (ngff_file)NGFF_FILE_INIT;
    ngff_status status = ngff_file_open(&r->file, path, NGFF_OPEN_READ, err);
    if (status == NGFF_OK)
        status = decoder->start(r, err);
    if (status == NGFF_OK)
        status = fill(r, opts, err);
    if (status != NGFF_OK)
        ngff_source_drop(&s);
    *out = s;
    return status;
}
