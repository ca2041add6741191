/* Levels added to an image that exists. */
#include "api/job.h"

#define CODEC_TEXT_MAX ((size_t)64 << 10)

typedef struct adding {
    ngff_api_job job;
    ngff_image *old;
    ngff_claims *claims;
    bool claimed;
    ngff_buf codec; /* of the level above, as text */
} adding;

/* The store says which version and layout it is. */
static ngff_status adopt(adding *a, const ngff_write_opts *given, ngff_error *err) {
    ngff_write_opts *o = &a->job.opts;
    const char *version = ngff_version_text(a->old->ms.version);
    if (given != NULL && o->version != NULL && strcmp(o->version, version) != 0)
        return ngff_fail(err, NGFF_INVALID, "version %s asked for, the image is %s",
                         o->version, version);
    if (o->keep_levels != 0 || a->job.windows.census != NULL)
        return ngff_fail(err, NGFF_INVALID,
                         "keep_levels or omero_windows, which need a source");
    o->version = version;
    o->flat_layout = strchr(a->old->ms.level[0].path, '/') == NULL;
    for (int i = 0; i < a->old->ms.image.desc.ndim; i++)
        if (a->old->ms.image.desc.axes[i].orientation[0] != '\0')
            o->orientation = 1;
    return NGFF_OK;
}

/* Without a codec of the caller's the new levels are stored like the one above them. */
static ngff_status adopt_codec(adding *a, int start, ngff_error *err) {
    const ngff_zarr_meta *meta = &a->old->level[start - 1]->meta;
    ngff_write_opts *o = &a->job.opts;
    if (o->codec != NULL || o->codec_json != NULL)
        return NGFF_OK;
    NGFF_TRY(ngff_json_print(meta->zarr_format == 2 ? meta->compressor : meta->codecs, 0,
                             &a->codec, err));
    o->codec_json = a->codec.data;
    return NGFF_OK;
}

static ngff_status check_plan(const adding *a, const ngff_multiscales *planned, int start,
                              ngff_error *err) {
    const ngff_image_desc *want = &planned->desc.desc, *have = &a->old->ms.image.desc;
    if (want->ndim != have->ndim || want->dtype != have->dtype)
        return ngff_fail(err, NGFF_INVALID,
                         "the image has %d axes of %s, the levels were planned for %d of "
                         "%s",
                         (int)have->ndim, ngff_dtype_name((ngff_dtype)have->dtype),
                         (int)want->ndim, ngff_dtype_name((ngff_dtype)want->dtype));
    if (start < 1 || start >= planned->levels.count)
        return ngff_fail(err, NGFF_INVALID, "start_level is %d, expected 1 to %d", start,
                         planned->levels.count - 1);
    if (start > a->old->level_count)
        return ngff_fail(err, NGFF_INVALID,
                         "start_level is %d, but the image has levels 0 to %d", start,
                         a->old->level_count - 1);
    return NGFF_OK;
}

static ngff_status make_image(adding *a, const ngff_multiscales *planned, int start,
                              ngff_error *err) {
    ngff_image_create_opts opts;
    ngff_image_level levels[NGFF_MAX_LEVELS];
    NGFF_TRY(adopt_codec(a, start, err));
    NGFF_TRY(ngff_api_job_describe(&a->job, planned, levels, &opts, err));
    return ngff_image_extend(a->old, levels, &opts, start, &a->job.image, err);
}

/* What the pixels come from is planned for before anything is removed. */
static ngff_status write_levels(adding *a, const ngff_multiscales *planned, int start,
                                ngff_error *err) {
    ngff_source *source;
    NGFF_TRY(ngff_image_source_of(a->job.image, start, &source, err));
    a->job.engine.first_level = start;
    ngff_status status = ngff_api_job_plan(&a->job, planned, source, err);
    if (status == NGFF_OK)
        status = ngff_image_cut(a->old, a->job.image, err);
    if (status == NGFF_OK)
        status = ngff_api_job_run(&a->job, source, err);
    if (status == NGFF_OK) /* all pixels last before the root names them */
        status = ngff_store_sync(a->job.image->store, err);
    ngff_source_drop(&source);
    return status;
}

static ngff_status add_levels(adding *a, const ngff_multiscales *planned, int start,
                              const ngff_write_opts *opts, ngff_error *err) {
    ngff_store *store = a->old->store;
    /* Who still writes regions would find its level gone, or have it left out. */
    NGFF_TRY(ngff_claims_check(store, err));
    NGFF_TRY(ngff_claims_open(store, &a->claims, err));
    NGFF_TRY(ngff_claims_take(a->claims, "levels", err));
    a->claimed = true;
    NGFF_TRY(
        ngff_api_job_init(&a->job, planned->context, &planned->desc.desc, opts, err));
    NGFF_TRY(check_plan(a, planned, start, err));
    NGFF_TRY(adopt(a, opts, err));
    NGFF_TRY(make_image(a, planned, start, err));
    ngff_store_defer(store, true);
    NGFF_TRY(write_levels(a, planned, start, err));
    return ngff_api_job_finish(&a->job, store, err);
}

static void close_adding(adding *a) {
    ngff_api_job_close(&a->job);
    ngff_image_close(&a->old);
    if (a->claimed)
        ngff_claims_drop(a->claims, "levels");
    ngff_claims_close(&a->claims);
    ngff_buf_reset(&a->codec);
}

ngff_status ngff_write_levels(ngff_context *context, ngff_store *store,
                              const ngff_multiscales *planned, int start_level,
                              const ngff_write_opts *opts, ngff_write_report *report,
                              ngff_error *err) {
    adding a = {.claimed = false};
    NGFF_TRY(ngff_api_job_check(context, planned, report, err));
    NGFF_TRY(ngff_api_check_computed(planned, err));
    if (store == NULL)
        return ngff_fail(err, NGFF_INVALID, "store is NULL");
    NGFF_TRY(ngff_api_check_changeable(store, err));
    ngff_buf_init(&a.codec, context->alloc, CODEC_TEXT_MAX);
    ngff_status status = ngff_image_open(context->alloc, store, "", &a.old, err);
    if (status == NGFF_OK)
        status = add_levels(&a, planned, start_level, opts, err);
    ngff_store_defer(store, false);
    if (status == NGFF_OK)
        ngff_api_job_report(&a.job, report);
    else
        (void)ngff_fail_origin(err, status, NGFF_ORIGIN_OUTPUT);
    close_adding(&a);
    return status;
}
