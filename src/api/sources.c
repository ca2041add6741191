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

/* Axes in another order than t, c, z, y, x are transposed as they are read; from any
 * thread. */
static ngff_status canonical(ngff_source *inner, ngff_source **source, ngff_error *err) {
    ngff_status status = ngff_source_canonical(inner, source, err);
    if (status != NGFF_OK) {
        ngff_source_drop(&inner);
        return status;
    }
    status = ngff_source_share(*source, err);
    if (status != NGFF_OK)
        ngff_source_drop(source);
    return status;
}

static ngff_status import(const ngff_context *context, const ngff_source_opts *opts,
                          ngff_source_open_opts *out, ngff_error *err) {
    ngff_source_opts o;
    NGFF_TRY(ngff_api_import(&o, sizeof o, opts, "ngff_source_opts", err));
    if (o.raw_ndim < 0 || o.raw_ndim > NGFF_MAX_NDIM || o.series < 0)
        return ngff_fail(err, NGFF_INVALID, "raw_ndim %d or series %d is out of range",
                         (int)o.raw_ndim, (int)o.series);
    *out = source_opts(context, &o);
    return NGFF_OK;
}

static ngff_status open_any(const ngff_context *context, const char *path,
                            const ngff_source_open_opts *opts, ngff_source **inner,
                            ngff_error *err) {
    ngff_status status =
        ngff_image_is_zarr(path)
            ? ngff_image_source_open(context->alloc, path, opts, inner, err)
            : ngff_source_at(context->alloc, path, opts, inner, err);
    return status == NGFF_OK ? status : ngff_fail_origin(err, status, NGFF_ORIGIN_INPUT);
}

ngff_status ngff_source_open(ngff_context *context, const char *path,
                             const ngff_source_opts *opts, ngff_source **source,
                             ngff_error *err) {
    ngff_source_open_opts o;
    ngff_source *inner = NULL;

    ngff_error_clear(err);
    if (context == NULL || path == NULL || source == NULL)
        return ngff_fail(err, NGFF_INVALID, "context, path or source is NULL");
    *source = NULL;
    NGFF_TRY(import(context, opts, &o, err));
    NGFF_TRY(open_any(context, path, &o, &inner, err));
    ngff_api_log(context, inner->note);
    return canonical(inner, source, err);
}

ngff_status ngff_source_series(ngff_context *context, const char *path,
                               const ngff_source_opts *opts, ngff_series_fn fn,
                               void *user, ngff_error *err) {
    ngff_source_open_opts o;
    ngff_source *inner = NULL;

    ngff_error_clear(err);
    if (context == NULL || path == NULL || fn == NULL)
        return ngff_fail(err, NGFF_INVALID, "context, path or fn is NULL");
    NGFF_TRY(import(context, opts, &o, err));
    o.series = -1;
    if (!ngff_image_is_zarr(path)) {
        ngff_status status = ngff_source_list(context->alloc, path, &o, fn, user, err);
        return status == NGFF_OK ? status
                                 : ngff_fail_origin(err, status, NGFF_ORIGIN_INPUT);
    }
    NGFF_TRY(open_any(context, path, &o, &inner, err));
    ngff_status status = ngff_source_list_one(inner, fn, user, err);
    ngff_source_drop(&inner);
    return status;
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

ngff_status ngff_source_about(const ngff_source *source, ngff_source_info *info,
                              ngff_error *err) {
    ngff_error_clear(err);
    if (source == NULL || info == NULL)
        return ngff_fail(err, NGFF_INVALID, "source or info is NULL");
    ngff_source_info out = NGFF_SOURCE_INFO_INIT;
    ngff_copy_text(out.kind, sizeof out.kind, source->ops->kind);
    ngff_copy_text(out.axes, sizeof out.axes, source->file_axes);
    ngff_copy_text(out.note, sizeof out.note, source->note);
    out.level_count = source->level_count;
    out.channels_listed =
        (int32_t)ngff_min_i64((int64_t)source->channels_listed, 1 << 30);
    out.sequential = source->traits.sequential;
    memcpy(out.unit, source->traits.unit, sizeof out.unit);
    *info = out;
    return NGFF_OK;
}

/* As the source places it; else along t and c a level has what level 0 has. */
static void place_level(const ngff_source *s, int level, ngff_level_info *info) {
    const ngff_image_desc *desc = &s->image.desc;
    const ngff_source_pyramid *p = &s->pyramid;
    const int64_t *shape = level == 0 ? desc->shape : s->level_shape[level];
    for (int i = 0; i < desc->ndim; i++) {
        const ngff_axis *axis = &desc->axes[i];
        double factor = strchr("zyx", axis->name[0]) != NULL
                            ? (double)desc->shape[i] / (double)shape[i]
                            : 1.0;
        info->shape[i] = shape[i];
        info->chunks[i] = info->shards[i] = ngff_min_i64(s->traits.unit[i], shape[i]);
        info->scale[i] = axis->scale * factor;
        info->translation[i] = axis->translation + 0.5 * (factor - 1.0) * axis->scale;
        if (level > 0 && p->placed) {
            info->scale[i] = p->scale[level][i];
            info->translation[i] = p->translation[level][i];
        }
    }
}

ngff_status ngff_source_level(const ngff_source *source, int level, ngff_level_info *info,
                              ngff_error *err) {
    ngff_error_clear(err);
    if (source == NULL || info == NULL)
        return ngff_fail(err, NGFF_INVALID, "source or info is NULL");
    *info = (ngff_level_info)NGFF_LEVEL_INFO_INIT;
    if (level < 0 || level >= source->level_count)
        return ngff_fail(err, NGFF_NOT_FOUND, "%s: level %d asked for, there are %d",
                         source->location, level, source->level_count);
    place_level(source, level, info);
    return NGFF_OK;
}

ngff_status ngff_source_read_region(ngff_source *source, int level, const ngff_box *box,
                                    const ngff_view *out, ngff_error *err) {
    ngff_error_clear(err);
    if (source == NULL || box == NULL || out == NULL)
        return ngff_fail(err, NGFF_INVALID, "source, box or out is NULL");
    if (box->ndim != source->image.desc.ndim || out->ndim != box->ndim)
        return ngff_fail(err, NGFF_INVALID, "%s: a box of %d axes, the image has %d",
                         source->location, (int)box->ndim, (int)source->image.desc.ndim);
    if (out->data == NULL && !ngff_box_is_empty(box))
        return ngff_fail(err, NGFF_INVALID, "out has no memory");
    return ngff_source_read_level(source, level, box, out, err);
}

void ngff_source_close(ngff_source **source) {
    if (source != NULL && *source != NULL)
        ngff_source_drop(source);
}
