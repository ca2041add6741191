/* source: finding the kind of a file by its content, making and closing sources, and the
 * checks every read goes through. */
#include "source/kinds.h"

#include <stdio.h>

static const ngff_source_kind kinds[] = {
    {"npy", ngff_source_detect_npy, ngff_source_open_npy, NULL},
    {"tiff", ngff_source_detect_tiff, ngff_source_open_tiff, ngff_source_list_tiff},
    {"png", ngff_source_detect_png, ngff_source_open_png, NULL},
    {"jpeg", ngff_source_detect_jpeg, ngff_source_open_jpeg, NULL},
    {"nrrd", ngff_source_detect_nrrd, ngff_source_open_nrrd, NULL},
    {"meta", ngff_source_detect_meta, ngff_source_open_meta, NULL},
    {"nifti", ngff_source_detect_nifti, ngff_source_open_nifti, NULL},
};

ngff_status ngff_source_new(const ngff_allocator *a, size_t size,
                            const ngff_source_vtable *ops, const char *location,
                            ngff_source **out, ngff_error *err) {
    assert(size >= sizeof(ngff_source) && ops && ops->read && ops->close);
    *out = NULL;
    ngff_source *s = ngff_calloc(a, 1, size);
    if (!s)
        return ngff_fail_nomem(err, "source", size);
    s->location = ngff_strdup(a, location);
    if (!s->location) {
        ngff_free(a, s);
        return ngff_fail_nomem(err, "source", strlen(location) + 1);
    }
    s->ops = ops;
    s->alloc = a;
    s->image = (ngff_ome_image){.alloc = a, .desc = NGFF_IMAGE_DESC_INIT};
    s->level_count = 1;
    s->traits.reentrant = true;
    for (int i = 0; i < NGFF_MAX_NDIM; i++)
        s->traits.unit[i] = 1;
    *out = s;
    return NGFF_OK;
}

void ngff_source_drop(ngff_source **s) {
    if (!s || !*s)
        return;
    ngff_source *source = *s;
    *s = NULL;
    source->ops->close(source);
    ngff_mutex_close(&source->lock);
    ngff_ome_image_reset(&source->image);
    ngff_free(source->alloc, source->location);
    ngff_free(source->alloc, source);
}

/* ---- opening ----------------------------------------------------------------------- */

static ngff_status not_recognised(const char *path, const unsigned char *head, size_t n,
                                  ngff_error *err) {
    char hex[32] = "no bytes";
    for (size_t i = 0; i < n && i < 8; i++)
        snprintf(hex + 3 * i, sizeof hex - 3 * i, "%02x ", head[i]);
    if (n > 0)
        hex[3 * (n < 8 ? n : 8) - 1] = '\0';
    return ngff_fail(err, NGFF_UNSUPPORTED,
                     "%s: begins with %s: no kind that is read here (npy, TIFF, PNG, "
                     "JPEG, NIfTI, NRRD, MetaImage); a "
                     "raw file needs its shape and data type",
                     path, hex);
}

static ngff_status find_kind(const char *path, const ngff_source_kind **kind,
                             ngff_error *err) {
    unsigned char head[NGFF_SOURCE_HEAD];
    size_t n = 0;
    ngff_file file = NGFF_FILE_INIT;
    NGFF_TRY(ngff_file_open(&file, path, NGFF_OPEN_READ, err));
    ngff_status s = ngff_file_pread(&file, head, sizeof head, 0, &n, path, err);
    ngff_file_close(&file);
    NGFF_TRY(s);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].detect(head, n, path)) {
            *kind = &kinds[i];
            return NGFF_OK;
        }
    }
    return not_recognised(path, head, n, err);
}

static ngff_status open_file(const ngff_allocator *a, const char *path,
                             const ngff_source_open_opts *opts, ngff_source **out,
                             ngff_error *err) {
    const ngff_source_kind *kind = NULL;
    NGFF_TRY(find_kind(path, &kind, err));
    return kind->open(a, path, opts, out, err);
}

static bool has_entry(const ngff_allocator *a, const char *dir, const char *name) {
    ngff_path_kind kind = NGFF_PATH_NONE;
    ngff_buf path;
    ngff_buf_init(&path, a, 1 << 16);
    bool found = ngff_buf_printf(&path, NULL, "%s/%s", dir, name) == NGFF_OK &&
                 ngff_path_kind_of(path.data, &kind, NULL) == NGFF_OK &&
                 kind != NGFF_PATH_NONE;
    ngff_buf_reset(&path);
    return found;
}

static ngff_status open_directory(const ngff_allocator *a, const char *path,
                                  const ngff_source_open_opts *opts, ngff_source **out,
                                  ngff_error *err) {
    static const char *const zarr[] = {"zarr.json", ".zarray", ".zgroup", NULL};
    for (size_t i = 0; zarr[i]; i++) {
        if (has_entry(a, path, zarr[i]))
            return ngff_fail(err, NGFF_UNSUPPORTED,
                             "%s: a Zarr node (%s is there), not a stack of TIFF files",
                             path, zarr[i]);
    }
    return ngff_source_open_tiff_stack(a, path, opts, out, err);
}

static ngff_status open_any(const ngff_allocator *a, const char *path,
                            const ngff_source_open_opts *opts, ngff_source **out,
                            ngff_error *err) {
    ngff_path_kind kind = NGFF_PATH_NONE;
    NGFF_TRY(ngff_path_kind_of(path, &kind, err));
    if (kind == NGFF_PATH_DIR)
        return open_directory(a, path, opts, out, err);
    if (kind == NGFF_PATH_NONE && strpbrk(path, "*?["))
        return ngff_source_open_tiff_stack(a, path, opts, out, err);
    if (kind == NGFF_PATH_NONE)
        return ngff_fail(err, NGFF_NOT_FOUND, "%s: no such file or directory", path);
    if (kind != NGFF_PATH_FILE)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "%s: neither a file nor a directory, pixels are read from "
                         "places that can be gone back to",
                         path);
    if (opts->raw_ndim > 0 || opts->raw_dtype != NGFF_DTYPE_NONE)
        return ngff_source_open_raw(a, path, opts, out, err);
    return open_file(a, path, opts, out, err);
}

ngff_status ngff_source_at(const ngff_allocator *a, const char *path,
                           const ngff_source_open_opts *opts, ngff_source **out,
                           ngff_error *err) {
    static const ngff_source_open_opts defaults = {.series = -1};
    *out = NULL;
    ngff_source *inner = NULL;
    ngff_status s = open_any(a, path, opts ? opts : &defaults, &inner, err);
    if (s == NGFF_OK) {
        s = ngff_source_canonical(inner, out, err);
        if (s != NGFF_OK)
            ngff_source_drop(&inner);
    }
    return s == NGFF_OK ? s : ngff_fail_origin(err, s, NGFF_ORIGIN_INPUT);
}

/* ---- the images of a file ---------------------------------------------------------- */

ngff_status ngff_source_list_one(const ngff_source *s, ngff_series_fn fn, void *user,
                                 ngff_error *err) {
    const ngff_image_desc *desc = &s->image.desc;
    char axes[NGFF_MAX_NDIM + 1] = "";
    ngff_series one = {.struct_size = sizeof one, .series = 1, .ndim = desc->ndim};
    for (int i = 0; i < desc->ndim; i++)
        axes[i] = desc->axes[i].name[0];
    memcpy(one.shape, desc->shape, sizeof one.shape);
    one.axes = axes;
    one.name = desc->name;
    ngff_status status = fn(user, &one);
    return status == NGFF_OK ? status
                             : ngff_fail(err, status, "the list of images was ended");
}

ngff_status ngff_source_list(const ngff_allocator *a, const char *path,
                             const ngff_source_open_opts *opts, ngff_series_fn fn,
                             void *user, ngff_error *err) {
    const ngff_source_kind *kind = NULL;
    ngff_path_kind what = NGFF_PATH_NONE;
    ngff_source *s = NULL;
    NGFF_TRY(ngff_path_kind_of(path, &what, err));
    bool raw = opts->raw_ndim > 0 || opts->raw_dtype != NGFF_DTYPE_NONE;
    if (what == NGFF_PATH_FILE && !raw)
        NGFF_TRY(find_kind(path, &kind, err));
    if (kind && kind->list)
        return kind->list(a, path, opts, fn, user, err);
    NGFF_TRY(ngff_source_at(a, path, opts, &s, err));
    ngff_status status = ngff_source_list_one(s, fn, user, err);
    ngff_source_drop(&s);
    return status;
}

/* ---- reading ------------------------------------------------------------------------
 */

static ngff_status check_request(const ngff_source *s, const int64_t *shape,
                                 const ngff_box *box, const ngff_view *out,
                                 ngff_error *err) {
    const ngff_image_desc *desc = &s->image.desc;
    char text[256], extent[128];
    bool fits = box->ndim == desc->ndim && out->ndim == desc->ndim;
    for (int i = 0; fits && i < box->ndim; i++)
        fits = box->start[i] >= 0 && box->shape[i] >= 0 && box->shape[i] <= shape[i] &&
               box->start[i] <= shape[i] - box->shape[i];
    if (!fits) {
        ngff_nd_box_text(box, text, sizeof text);
        ngff_nd_shape_text(desc->ndim, shape, extent, sizeof extent);
        return ngff_fail(err, NGFF_INVALID, "%s: box %s asked for, the image is %s",
                         s->location, text, extent);
    }
    for (int i = 0; i < box->ndim; i++) {
        if (out->shape[i] != box->shape[i])
            return ngff_fail(err, NGFF_INVALID,
                             "%s: memory of another shape than the box", s->location);
    }
    if (out->dtype != desc->dtype)
        return ngff_fail(err, NGFF_INVALID, "%s: memory of %s, the image holds %s",
                         s->location, ngff_dtype_name((ngff_dtype)out->dtype),
                         ngff_dtype_name((ngff_dtype)desc->dtype));
    return NGFF_OK;
}

ngff_status ngff_source_share(ngff_source *s, ngff_error *err) {
    if (s->traits.reentrant || s->lock)
        return NGFF_OK;
    return ngff_mutex_create(s->alloc, &s->lock, err);
}

static void lock(ngff_source *s) {
    if (s->lock)
        ngff_mutex_lock(s->lock);
}

static void unlock(ngff_source *s) {
    if (s->lock)
        ngff_mutex_unlock(s->lock);
}

ngff_status ngff_source_read(ngff_source *s, const ngff_box *box, const ngff_view *out,
                             ngff_error *err) {
    NGFF_TRY(check_request(s, s->image.desc.shape, box, out, err));
    if (ngff_box_is_empty(box))
        return NGFF_OK;
    lock(s);
    ngff_status status = s->ops->read(s, box, out, err);
    unlock(s);
    return status == NGFF_OK ? status : ngff_fail_origin(err, status, NGFF_ORIGIN_INPUT);
}

ngff_status ngff_source_read_level(ngff_source *s, int level, const ngff_box *box,
                                   const ngff_view *out, ngff_error *err) {
    if (level == 0)
        return ngff_source_read(s, box, out, err);
    if (level < 0 || level >= s->level_count || !s->ops->read_level)
        return ngff_fail(err, NGFF_INVALID, "%s: level %d asked for, there are %d",
                         s->location, level, s->level_count);
    NGFF_TRY(check_request(s, s->level_shape[level], box, out, err));
    if (ngff_box_is_empty(box))
        return NGFF_OK;
    lock(s);
    ngff_status status = s->ops->read_level(s, level, box, out, err);
    unlock(s);
    return status == NGFF_OK ? status : ngff_fail_origin(err, status, NGFF_ORIGIN_INPUT);
}
