#include "api/handles.h"

#include "sys/sys.h"

/* A source may cache decoded tiles with an eighth of what a job may hold. */
static size_t cache_memory(const ngff_context *context) {
    uint64_t budget = context->opts.memory_target;
    if (budget == 0)
        budget = ngff_memory_available() / 4;
    return (size_t)(budget < (uint64_t)4 << 30 ? budget : (uint64_t)4 << 30) / 8;
}

static ngff_source_open_opts source_opts(const ngff_context *context,
                                         const ngff_source_opts *o) {
    ngff_source_open_opts out = {
        .dims = o->dims,
        .raw_ndim = o->raw_ndim,
        .raw_dtype = (ngff_dtype)o->raw_dtype,
        .raw_big_endian = o->raw_big_endian != 0,
        .raw_offset = o->raw_offset,
        .series = o->series - 1,
        .raw_values = o->raw_values != 0,
        .memory = cache_memory(context),
        .threads = context->opts.threads > 0 ? context->opts.threads : ngff_cpu_count(),
    };
    memcpy(out.raw_shape, o->raw_shape, sizeof out.raw_shape);
    return out;
}

/* Axes in another order than t, c, z, y, x are transposed as they are read. */
static ngff_status canonical(ngff_source *inner, ngff_source **source, ngff_error *err) {
    ngff_status status = ngff_source_canonical(inner, source, err);
    if (status != NGFF_OK)
        ngff_source_drop(&inner);
    return status;
}

ngff_status ngff_source_open(ngff_context *context, const char *path,
                             const ngff_source_opts *opts, ngff_source **source,
                             ngff_error *err) {
    ngff_source_opts o;
    ngff_source *inner = NULL;

    ngff_error_clear(err);
    if (context == NULL || path == NULL || source == NULL)
        return ngff_fail(err, NGFF_INVALID, "context, path or source is NULL");
    *source = NULL;
    NGFF_TRY(ngff_api_import(&o, sizeof o, opts, "ngff_source_opts", err));
    if (o.raw_ndim < 0 || o.raw_ndim > NGFF_MAX_NDIM || o.series < 0)
        return ngff_fail(err, NGFF_INVALID, "raw_ndim %d or series %d is out of range",
                         (int)o.raw_ndim, (int)o.series);
    ngff_source_open_opts internal = source_opts(context, &o);
    ngff_status status =
        ngff_image_is_zarr(path)
            ? ngff_image_source_open(context->alloc, path, &internal, &inner, err)
            : ngff_source_at(context->alloc, path, &internal, &inner, err);
    if (status != NGFF_OK)
        return ngff_fail_origin(err, status, NGFF_ORIGIN_INPUT);
    ngff_api_log(context, inner->note);
    return canonical(inner, source, err);
}

ngff_status ngff_source_from_array(ngff_context *context, const ngff_view *view,
                                   const ngff_image_desc *desc, void (*release)(void *),
                                   void *cookie, ngff_source **source, ngff_error *err) {
    ngff_image_desc d;
    ngff_source *inner = NULL;

    ngff_error_clear(err);
    if (context == NULL || view == NULL || view->data == NULL || source == NULL)
        return ngff_fail(err, NGFF_INVALID, "context, view, its data or source is NULL");
    *source = NULL;
    if (desc != NULL)
        NGFF_TRY(ngff_api_import(&d, sizeof d, desc, "ngff_image_desc", err));
    NGFF_TRY(ngff_source_of_array(context->alloc, view, desc != NULL ? &d : NULL, release,
                                  cookie, &inner, err));
    return canonical(inner, source, err);
}

ngff_status ngff_source_from_callback(ngff_context *context, const ngff_source_ops *ops,
                                      void *cookie, const ngff_image_desc *desc,
                                      ngff_source **source, ngff_error *err) {
    ngff_source_ops o;
    ngff_image_desc d;
    ngff_source *inner = NULL;

    ngff_error_clear(err);
    if (context == NULL || ops == NULL || desc == NULL || source == NULL)
        return ngff_fail(err, NGFF_INVALID, "context, ops, desc or source is NULL");
    *source = NULL;
    NGFF_TRY(ngff_api_import(&o, sizeof o, ops, "ngff_source_ops", err));
    NGFF_TRY(ngff_api_import(&d, sizeof d, desc, "ngff_image_desc", err));
    NGFF_TRY(ngff_source_of_callbacks(context->alloc, &o, cookie, &d, &inner, err));
    return canonical(inner, source, err);
}

ngff_status ngff_source_describe(const ngff_source *source, ngff_image_desc *desc,
                                 ngff_error *err) {
    ngff_error_clear(err);
    if (source == NULL || desc == NULL)
        return ngff_fail(err, NGFF_INVALID, "source or desc is NULL");
    *desc = source->image.desc;
    desc->struct_size = sizeof *desc;
    return NGFF_OK;
}

void ngff_source_close(ngff_source **source) {
    if (source != NULL && *source != NULL)
        ngff_source_drop(source);
}
