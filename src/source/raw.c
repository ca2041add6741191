/* source: bare pixels in a file, described by the caller's options. C order. */
#include "source/kinds.h"

static const ngff_source_vtable raw_ops = {
    .kind = "raw",
    .read = ngff_source_strided_read,
    .close = ngff_source_strided_close,
};

static ngff_status check(const char *path, const ngff_source_open_opts *opts,
                         ngff_error *err) {
    if (ngff_dtype_size(opts->raw_dtype) == 0)
        return ngff_fail(err, NGFF_INVALID, "%s: a raw file needs a data type", path);
    if (opts->raw_ndim < 1 || opts->raw_ndim > NGFF_MAX_NDIM)
        return ngff_fail(err, NGFF_INVALID,
                         "%s: a raw file needs a shape of 1 to %d extents, %d given",
                         path, NGFF_MAX_NDIM, opts->raw_ndim);
    if (opts->raw_offset < 0)
        return ngff_fail(err, NGFF_INVALID, "%s: offset %lld, expected at least 0", path,
                         (long long)opts->raw_offset);
    return NGFF_OK;
}

static ngff_status fill(ngff_source_strided *s, const ngff_source_open_opts *opts,
                        ngff_error *err) {
    ngff_source_layout *l = &s->layout;
    l->offset = (uint64_t)opts->raw_offset;
    l->dtype = opts->raw_dtype;
    l->ndim = opts->raw_ndim;
    l->swap = ngff_dtype_swap_size(l->dtype) > 1 &&
              opts->raw_big_endian == ngff_host_is_little();
    memcpy(l->shape, opts->raw_shape, sizeof l->shape);
    ngff_source_layout_strides(l, false);
    return ngff_source_strided_finish(s, opts->dims, err);
}

ngff_status ngff_source_open_raw(const ngff_allocator *a, const char *path,
                                 const ngff_source_open_opts *opts, ngff_source **out,
                                 ngff_error *err) {
    ngff_source_strided *s = NULL;
    *out = NULL;
    NGFF_TRY(check(path, opts, err));
    NGFF_TRY(ngff_source_strided_new(a, sizeof *s, &raw_ops, path, &s, err));
    ngff_source *base = &s->base;
    ngff_status status = fill(s, opts, err);
    if (status != NGFF_OK)
        ngff_source_drop(&base);
    *out = base;
    return status;
}
