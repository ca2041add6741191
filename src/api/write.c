/* The main job as the rooms below do it: image_create, engine_plan, engine_run,
 * image_finish, publish. */
#include "api/job.h"

static ngff_status check_source(const ngff_multiscales *ms, const ngff_source *source,
                                ngff_error *err) {
    const ngff_image_desc *want = &ms->desc.desc, *have = &source->image.desc;
    char a[128], b[128];
    bool same = want->ndim == have->ndim && want->dtype == have->dtype;
    for (int i = 0; same && i < want->ndim; i++)
        same = want->shape[i] == have->shape[i];
    if (same)
        return NGFF_OK;
    ngff_nd_shape_text(have->ndim, have->shape, a, sizeof a);
    ngff_nd_shape_text(want->ndim, want->shape, b, sizeof b);
    return ngff_fail(err, NGFF_INVALID,
                     "source is %s %s, the levels were planned for %s %s", a,
                     ngff_dtype_name((ngff_dtype)have->dtype), b,
                     ngff_dtype_name((ngff_dtype)want->dtype));
}

static ngff_status job_open(ngff_api_job *j, ngff_store *store,
                            const ngff_multiscales *ms, ngff_source *source,
                            const ngff_write_opts *opts, ngff_error *err) {
    NGFF_TRY(ngff_api_job_init(j, ms->context, &ms->desc.desc, opts, err));
    NGFF_TRY(check_source(ms, source, err));
    NGFF_TRY(ngff_api_job_create(j, store, ms, err));
    return ngff_api_job_plan(j, ms, source, err);
}

static ngff_status check_args(ngff_context *context, const ngff_multiscales *ms,
                              const ngff_source *source, const ngff_write_report *report,
                              ngff_error *err) {
    NGFF_TRY(ngff_api_job_check(context, ms, report, err));
    NGFF_TRY(ngff_api_check_extent(ms, err));
    return source != NULL ? NGFF_OK : ngff_fail(err, NGFF_INVALID, "source is NULL");
}

ngff_status ngff_write_plan(ngff_context *context, const ngff_multiscales *multiscales,
                            ngff_source *source, const ngff_write_opts *opts,
                            ngff_write_report *report, ngff_error *err) {
    ngff_api_job j = {0};
    ngff_store *nowhere = NULL;

    NGFF_TRY(check_args(context, multiscales, source, report, err));
    NGFF_TRY(ngff_store_open_memory(context->alloc, &nowhere, err));
    ngff_status status = job_open(&j, nowhere, multiscales, source, opts, err);
    if (status == NGFF_OK)
        ngff_api_job_report(&j, report);
    ngff_api_job_close(&j);
    ngff_store_drop(&nowhere);
    return status;
}

ngff_status ngff_write_reads(ngff_context *context, const ngff_multiscales *multiscales,
                             ngff_source *source, const ngff_write_opts *opts,
                             ngff_box_fn fn, void *user, ngff_error *err) {
    ngff_api_job j = {0};
    ngff_store *nowhere = NULL;

    NGFF_TRY(check_args(context, multiscales, source, NULL, err));
    if (fn == NULL)
        return ngff_fail(err, NGFF_INVALID, "fn is NULL");
    NGFF_TRY(ngff_store_open_memory(context->alloc, &nowhere, err));
    ngff_status status = job_open(&j, nowhere, multiscales, source, opts, err);
    if (status == NGFF_OK)
        status = ngff_engine_reads(&j.plan, fn, user);
    ngff_api_job_close(&j);
    ngff_store_drop(&nowhere);
    return status;
}

static ngff_status job_run(ngff_api_job *j, ngff_store *store, ngff_source *source,
                           ngff_error *err) {
    NGFF_TRY(ngff_image_reserve(j->image, err));
    NGFF_TRY(ngff_api_job_run(j, source, err));
    return ngff_api_job_finish(j, store, err);
}

ngff_status ngff_write(ngff_context *context, ngff_store *store,
                       const ngff_multiscales *multiscales, ngff_source *source,
                       const ngff_write_opts *opts, ngff_write_report *report,
                       ngff_error *err) {
    ngff_api_job j = {0};

    NGFF_TRY(check_args(context, multiscales, source, report, err));
    if (store == NULL)
        return ngff_fail(err, NGFF_INVALID, "store is NULL");
    if (ngff_store_overlaps(store, source->location))
        return ngff_fail(err, NGFF_INVALID, "%s: is also the input", store->location);
    ngff_status status = job_open(&j, store, multiscales, source, opts, err);
    if (status == NGFF_OK)
        status = job_run(&j, store, source, err);
    if (status == NGFF_OK)
        ngff_api_job_report(&j, report);
    else
        (void)ngff_fail_origin(err, status, NGFF_ORIGIN_OUTPUT);
    ngff_api_job_close(&j);
    return status;
}
