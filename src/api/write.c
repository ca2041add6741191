/* The main job as the rooms below do it: image_create, engine_plan, engine_run,
 * image_finish, publish. */
#include "api/handles.h"

typedef struct job {
    ngff_context *context;
    ngff_write_opts opts;
    ngff_engine_opts engine;
    ngff_engine_stats stats;
    ngff_image *image;
    ngff_plan plan;
    ngff_api_windows windows;
} job;

static const char *method_description(ngff_method method) {
    ngff_method_row row;
    for (size_t i = 0; ngff_method_table(i, &row); i++)
        if (row.method == method)
            return row.description;
    return "";
}

static ngff_status shuffle_of(const char *text, ngff_shuffle *out, ngff_error *err) {
    static const char *const names[] = {"auto", "none", "byte", "bit"};
    *out = NGFF_SHUFFLE_AUTO;
    for (int i = 0; text != NULL && i < 4; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (ngff_shuffle)i;
            return NGFF_OK;
        }
    return text == NULL ? NGFF_OK
                        : ngff_fail(err, NGFF_INVALID,
                                    "shuffle '%s', expected none, byte or bit", text);
}

static ngff_status create_opts(const job *j, const ngff_multiscales *ms,
                               ngff_image_create_opts *out, ngff_error *err) {
    const ngff_write_opts *o = &j->opts;
    const char *version = o->version != NULL ? o->version : "0.5";
    *out = (ngff_image_create_opts){
        .version = ngff_version_from_text(version),
        .flat = o->flat_layout != 0,
        .no_consolidate = o->no_consolidate != 0,
        .codec = {o->codec, o->has_level ? o->compression_level : -1, NGFF_SHUFFLE_AUTO},
        .codec_json = o->codec_json,
        .type = ngff_method_name(ms->method),
        .method_description = method_description(ms->method),
        .emit = {.orientation = o->orientation != 0, .no_omero = o->no_omero != 0},
    };
    if (strcmp(version, ngff_version_text(out->version)) != 0 ||
        ngff_version_check_written(out->version, NULL) != NGFF_OK)
        return ngff_fail(err, NGFF_INVALID,
                         "Unsupported version: %s; expected 0.4, 0.5 or 0.6", version);
    if (o->codec != NULL && o->codec_json != NULL)
        return ngff_fail(err, NGFF_INVALID, "codec and codec_json exclude each other");
    if (out->version == NGFF_V04 && ms->levels.level[0].sharded)
        return ngff_fail(err, NGFF_INVALID,
                         "Sharding is only supported for OME-Zarr version 0.5 and later");
    return shuffle_of(o->shuffle, &out->codec.shuffle, err);
}

static ngff_status create_image(job *j, ngff_store *store, const ngff_multiscales *ms,
                                ngff_error *err) {
    ngff_image_create_opts opts;
    ngff_image_level levels[NGFF_MAX_LEVELS] = {0};

    const char *version = j->opts.version != NULL ? j->opts.version : "0.5";
    NGFF_TRY(ngff_image_check_store(store, version, err));
    NGFF_TRY(create_opts(j, ms, &opts, err));
    opts.level_count = ms->levels.count;
    for (int n = 0; n < ms->levels.count; n++) {
        const ngff_level *from = &ms->levels.level[n];
        memcpy(levels[n].shape, from->shape, sizeof from->shape);
        memcpy(levels[n].chunk, from->chunk, sizeof from->chunk);
        memcpy(levels[n].per_shard, from->per_shard, sizeof from->per_shard);
        memcpy(levels[n].scale, from->scale, sizeof from->scale);
        memcpy(levels[n].translation, from->translation, sizeof from->translation);
        levels[n].sharded = from->sharded;
    }
    ngff_ome_image described;
    const ngff_allocator *alloc = j->context->alloc;
    NGFF_TRY(
        ngff_api_windows_describe(&j->windows, alloc, &ms->desc.desc, &described, err));
    ngff_status status =
        ngff_image_create(alloc, store, &described.desc, levels, &opts, &j->image, err);
    ngff_ome_image_reset(&described);
    return status == NGFF_OK ? ngff_image_keep_foreign(j->image, err) : status;
}

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

static ngff_status job_open(job *j, ngff_store *store, const ngff_multiscales *ms,
                            ngff_source *source, const ngff_write_opts *opts,
                            ngff_error *err) {
    NGFF_TRY(ngff_api_import(&j->opts, sizeof j->opts, opts, "ngff_write_opts", err));
    NGFF_TRY(check_source(ms, source, err));
    j->context = ms->context;
    j->engine = (ngff_engine_opts){
        .memory = j->context->opts.memory_target,
        .threads = j->context->opts.threads,
        .no_spill = j->opts.no_spill != 0,
        .write_empty_chunks = j->opts.write_empty_chunks != 0,
        .keep_levels = j->opts.keep_levels != 0,
        .progress = j->opts.progress,
        .progress_user = j->opts.progress_user,
        .stats = &j->stats,
    };
    NGFF_TRY(ngff_api_windows_open(j->context, &ms->desc.desc, &j->opts,
                                   &j->engine.memory, &j->windows, err));
    j->engine.census = j->windows.census;
    NGFF_TRY(create_image(j, store, ms, err));
    ngff_status status = ngff_engine_plan(&ms->levels, ms->method, source, j->image,
                                          &j->engine, &j->plan, err);
    if (status == NGFF_LIMIT && j->windows.size > 0)
        return ngff_fail_at(err, status, "besides %llu bytes for display windows",
                            (unsigned long long)j->windows.size);
    return status;
}

static void fill_report(const job *j, ngff_write_report *report) {
    if (report == NULL)
        return;
    const ngff_plan *p = &j->plan;
    ngff_write_report r = {
        .struct_size = sizeof r,
        .source_bytes = p->source_bytes,
        .decoded_bytes = p->decoded_bytes,
        .encoded_bytes = j->stats.encoded_bytes,
        .files = p->files,
        .budget = p->budget + j->windows.size,
        .peak = p->peak + j->windows.size,
        .spill_bytes = j->stats.spill_file_bytes,
        .blocks = j->stats.blocks,
        .parked_chunks = j->stats.parked_chunks,
        .amplification = p->tier[0].amplification,
        .threads = p->threads,
        .passes = p->tier_count,
    };
    for (int i = 0; i < NGFF_MAX_NDIM; i++)
        r.block[i] = p->tier[0].block[i];
    size_t size = report->struct_size;
    memcpy(report, &r, size < sizeof r ? size : sizeof r);
    report->struct_size = size;
}

static ngff_status check_args(ngff_context *context, const ngff_multiscales *ms,
                              const ngff_source *source, const ngff_write_report *report,
                              ngff_error *err) {
    ngff_error_clear(err);
    if (context == NULL || ms == NULL || source == NULL)
        return ngff_fail(err, NGFF_INVALID, "context, multiscales or source is NULL");
    if (ms->image != NULL)
        return ngff_fail(err, NGFF_INVALID, "multiscales was opened, not planned");
    if (report != NULL && report->struct_size < sizeof(size_t))
        return ngff_fail(err, NGFF_INVALID, "ngff_write_report: struct_size is %zu",
                         report->struct_size);
    return NGFF_OK;
}

ngff_status ngff_write_plan(ngff_context *context, const ngff_multiscales *multiscales,
                            ngff_source *source, const ngff_write_opts *opts,
                            ngff_write_report *report, ngff_error *err) {
    job j = {0};
    ngff_store *nowhere = NULL;

    NGFF_TRY(check_args(context, multiscales, source, report, err));
    NGFF_TRY(ngff_store_open_memory(context->alloc, &nowhere, err));
    ngff_status status = job_open(&j, nowhere, multiscales, source, opts, err);
    if (status == NGFF_OK)
        fill_report(&j, report);
    ngff_image_close(&j.image);
    ngff_api_windows_close(&j.windows);
    ngff_store_drop(&nowhere);
    return status;
}

static ngff_status job_run(job *j, ngff_store *store, ngff_source *source,
                           ngff_error *err) {
    ngff_progress done = {.phase = "finish",
                          .level = -1,
                          .level_count = j->plan.levels.count,
                          .bytes_done = j->plan.decoded_bytes,
                          .bytes_total = j->plan.decoded_bytes};

    NGFF_TRY(ngff_image_reserve(j->image, err));
    NGFF_TRY(ngff_engine_run(&j->plan, source, j->image, &j->engine, err));
    if (j->opts.progress != NULL && j->opts.progress(j->opts.progress_user, &done) != 0)
        return ngff_fail(err, NGFF_CANCELLED, "cancelled");
    ngff_api_windows_fill(&j->windows, &j->image->ms.image);
    NGFF_TRY(ngff_image_finish(j->image, err));
    done.phase = "publish";
    if (j->opts.progress != NULL && j->opts.progress(j->opts.progress_user, &done) != 0)
        return ngff_fail(err, NGFF_CANCELLED, "cancelled");
    return ngff_store_publish(store, err);
}

ngff_status ngff_write(ngff_context *context, ngff_store *store,
                       const ngff_multiscales *multiscales, ngff_source *source,
                       const ngff_write_opts *opts, ngff_write_report *report,
                       ngff_error *err) {
    job j = {0};

    NGFF_TRY(check_args(context, multiscales, source, report, err));
    if (store == NULL)
        return ngff_fail(err, NGFF_INVALID, "store is NULL");
    if (ngff_store_overlaps(store, source->location))
        return ngff_fail(err, NGFF_INVALID, "%s: is also the input", store->location);
    ngff_status status = job_open(&j, store, multiscales, source, opts, err);
    if (status == NGFF_OK)
        status = job_run(&j, store, source, err);
    if (status == NGFF_OK)
        fill_report(&j, report);
    else
        (void)ngff_fail_origin(err, status, NGFF_ORIGIN_OUTPUT);
    ngff_image_close(&j.image);
    ngff_api_windows_close(&j.windows);
    return status;
}
