/* TIFF, BigTIFF, OME-TIFF, ImageJ: opening one file and reading boxes of it. */
#include "source/tiff_open.h"

bool ngff_source_detect_tiff(const unsigned char *head, size_t n, const char *path) {
    (void)path;
    return n >= 4 &&
           (memcmp(head, "II\x2a\0", 4) == 0 || memcmp(head, "MM\0\x2a", 4) == 0 ||
            memcmp(head, "II\x2b\0", 4) == 0 || memcmp(head, "MM\0\x2b", 4) == 0);
}

/* ---- reading
 * --------------------------------------------------------------------------- */

/* The memory of one plane: axes y, x and the samples, whatever order `out` has. */
static void plane_view(const ngff_tiff_source *t, const ngff_view *out,
                       const int64_t at[3], int64_t samples, ngff_view *plane) {
    const int *pos = t->pos;
    char *data = out->data;
    for (int i = 0; i < 3; i++)
        if (pos[i] >= 0)
            data += at[i] * out->strides[pos[i]];
    *plane = (ngff_view){.data = data, .dtype = out->dtype, .ndim = 3};
    plane->shape[0] = out->shape[pos[NGFF_TIFF_Y]];
    plane->shape[1] = out->shape[pos[NGFF_TIFF_X]];
    plane->shape[2] = samples;
    plane->strides[0] = out->strides[pos[NGFF_TIFF_Y]];
    plane->strides[1] = out->strides[pos[NGFF_TIFF_X]];
    plane->strides[2] = pos[NGFF_TIFF_C] >= 0 ? out->strides[pos[NGFF_TIFF_C]] : 0;
}

static ngff_status read_plane(ngff_tiff_source *t, const uint32_t *pages, uint64_t plane,
                              ngff_tiff_request *r, const ngff_view *out,
                              ngff_error *err) {
    static const unsigned char zero[16];
    r->page = t->series->one_ifd ? pages[0] : pages[plane];
    r->plane = t->series->one_ifd ? plane : 0;
    if (r->page ==
        NGFF_TIFF_NONE) { /* OME-XML leaves it out: zeros, as tifffile reads it */
        ngff_nd_fill(out, zero);
        return NGFF_OK;
    }
    return ngff_tiff_read_page(&t->set, r, out, err);
}

static int64_t start_of(const ngff_tiff_source *t, const ngff_box *box, int dim) {
    return t->pos[dim] >= 0 ? box->start[t->pos[dim]] : 0;
}

static int64_t count_of(const ngff_tiff_source *t, const ngff_box *box, int dim) {
    return t->pos[dim] >= 0 ? box->shape[t->pos[dim]] : 1;
}

/* Walks the planes of the box; channels go in groups that one page holds. */
static ngff_status read_planes(ngff_tiff_source *t, const uint32_t *pages,
                               const ngff_box *box, const ngff_view *out,
                               ngff_error *err) {
    int64_t start[3], count[3];
    const int64_t samples = t->samples;
    ngff_tiff_request r = {.y = start_of(t, box, NGFF_TIFF_Y),
                           .x = start_of(t, box, NGFF_TIFF_X),
                           .h = count_of(t, box, NGFF_TIFF_Y),
                           .w = count_of(t, box, NGFF_TIFF_X)};
    for (int i = 0; i < 3; i++) {
        start[i] = start_of(t, box, i);
        count[i] = count_of(t, box, i);
    }
    int64_t c_end = start[NGFF_TIFF_C] + count[NGFF_TIFF_C];
    for (int64_t ti = 0; ti < count[NGFF_TIFF_T]; ti++) {
        for (int64_t c = start[NGFF_TIFF_C]; c < c_end; c += r.samples) {
            r.sample = c % samples;
            r.samples = ngff_min_i64(samples - r.sample, c_end - c);
            for (int64_t z = 0; z < count[NGFF_TIFF_Z]; z++) {
                const int64_t at[3] = {ti, c - start[NGFF_TIFF_C], z};
                int64_t plane = (start[NGFF_TIFF_T] + ti) * t->stride[NGFF_TIFF_T] +
                                c / samples * t->stride[NGFF_TIFF_C] +
                                (start[NGFF_TIFF_Z] + z) * t->stride[NGFF_TIFF_Z];
                ngff_view to;
                plane_view(t, out, at, r.samples, &to);
                NGFF_TRY(read_plane(t, pages, (uint64_t)plane, &r, &to, err));
            }
        }
    }
    return NGFF_OK;
}

static ngff_status tiff_read_level(ngff_source *s, int level, const ngff_box *box,
                                   const ngff_view *out, ngff_error *err) {
    ngff_tiff_source *t = (ngff_tiff_source *)s;
    const uint32_t *pages = NULL;
    NGFF_TRY(ngff_tiff_series_pages(&t->set, t->series, level, &pages, err));
    return read_planes(t, pages, box, out, err);
}

static ngff_status tiff_read(ngff_source *s, const ngff_box *box, const ngff_view *out,
                             ngff_error *err) {
    return tiff_read_level(s, 0, box, out, err);
}

static void tiff_close(ngff_source *s) {
    ngff_tiff_source *t = (ngff_tiff_source *)s;
    ngff_tiff_list_reset(&t->list);
    ngff_tiff_set_reset(&t->set);
}

static const ngff_source_vtable tiff_ops = {.kind = "tiff",
                                            .read = tiff_read,
                                            .read_level = tiff_read_level,
                                            .close = tiff_close};

/* ---- opening
 * --------------------------------------------------------------------------- */

ngff_status ngff_tiff_source_new(const ngff_allocator *a, const char *path,
                                 const ngff_source_open_opts *opts,
                                 ngff_tiff_source **out, ngff_error *err) {
    ngff_source *s = NULL;
    *out = NULL;
    NGFF_TRY(ngff_source_new(a, sizeof(ngff_tiff_source), &tiff_ops, path, &s, err));
    ngff_tiff_source *t = (ngff_tiff_source *)s;
    ngff_tiff_list_init(&t->list, a);
    ngff_status status = ngff_tiff_set_init(&t->set, a, opts->memory, opts->threads, err);
    if (status != NGFF_OK) {
        ngff_source_drop(&s);
        return status;
    }
    *out = t;
    return NGFF_OK;
}

static ngff_status tell(const ngff_tiff_list *list, ngff_series_fn fn, void *user,
                        ngff_error *err) {
    for (size_t i = 0; i < list->count; i++) {
        const ngff_tiff_series *from = &list->items[i];
        ngff_series one = {.struct_size = sizeof one,
                           .series = (int32_t)i + 1,
                           .ndim = from->ndim,
                           .axes = from->axes,
                           .name = from->name};
        memcpy(one.shape, from->shape, sizeof one.shape);
        ngff_status status = fn(user, &one);
        if (status != NGFF_OK)
            return ngff_fail(err, status, "the list of images was ended");
    }
    return NGFF_OK;
}

ngff_status ngff_source_list_tiff(const ngff_allocator *a, const char *path,
                                  const ngff_source_open_opts *opts, ngff_series_fn fn,
                                  void *user, ngff_error *err) {
    ngff_tiff_source *t = NULL;
    NGFF_TRY(ngff_tiff_source_new(a, path, opts, &t, err));
    ngff_source *s = &t->base;
    ngff_status status = ngff_tiff_source_load(t, path, -1, err);
    if (status == NGFF_OK)
        status = tell(&t->list, fn, user, err);
    ngff_source_drop(&s);
    return status;
}

/* The description of the first page decides who interprets the file. */
static ngff_status interpret(ngff_tiff_source *t, int want, ngff_error *err) {
    ngff_tiff_set *s = &t->set;
    char *text = NULL;
    size_t size = 0;
    bool done = false;
    ngff_tiff_dir d;
    if (s->files[0].page_count == 0 || ngff_tiff_page_at(s, 0)->layout == NGFF_TIFF_NONE)
        return ngff_fail(err, NGFF_FORMAT, "%s: its first directory describes no image",
                         s->files[0].path);
    ngff_tiff_dir_init(&d, s->alloc);
    ngff_status status = ngff_tiff_page_dir(s, 0, &d, err);
    if (status == NGFF_OK)
        status = ngff_tiff_dir_text(&d, NGFF_TIFF_DESCRIPTION, &text, &size, err);
    if (status == NGFF_OK && text != NULL) {
        status = ngff_tiff_shaped(s, &t->list, &done, err);
        if (status == NGFF_OK && !done)
            status = ngff_tiff_ome(s, text, size, want, &t->list, &done, err);
        if (status == NGFF_OK && !done)
            status = ngff_tiff_imagej(s, text, &t->list, &done, err);
    }
    if (status == NGFF_OK && !done)
        status = ngff_tiff_generic(s, 0, &t->list, err);
    ngff_free(s->alloc, text);
    ngff_tiff_dir_reset(&d);
    return status;
}

ngff_status ngff_tiff_source_load(ngff_tiff_source *t, const char *path, int want,
                                  ngff_error *err) {
    const ngff_tiff_file *pinned = NULL;
    uint32_t file = 0;
    NGFF_TRY(ngff_tiff_set_add(&t->set, path, &file, err));
    NGFF_TRY(ngff_tiff_pin(&t->set, file, &pinned, err));
    ngff_status status = interpret(t, want, err);
    ngff_tiff_unpin(&t->set, file);
    return status;
}

ngff_status ngff_source_open_tiff(const ngff_allocator *a, const char *path,
                                  const ngff_source_open_opts *opts, ngff_source **out,
                                  ngff_error *err) {
    ngff_tiff_source *t = NULL;
    *out = NULL;
    NGFF_TRY(ngff_tiff_source_new(a, path, opts, &t, err));
    ngff_source *s = &t->base;
    ngff_status status = ngff_tiff_source_load(t, path, opts->series, err);
    if (status == NGFF_OK)
        status = ngff_tiff_source_describe(t, opts, err);
    if (status != NGFF_OK)
        ngff_source_drop(&s);
    *out = s;
    return status;
}
