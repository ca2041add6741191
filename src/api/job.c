/* What the jobs have in common: see job.h. */
#include "api/job.h"

ngff_status ngff_api_job_init(ngff_api_job *j, ngff_context *context,
                              const ngff_image_desc *desc, const ngff_write_opts *opts,
                              ngff_error *err) {
    *j = (ngff_api_job){.context = context};
    NGFF_TRY(ngff_api_import(&j->opts, sizeof j->opts, opts, "ngff_write_opts", err));
    j->engine = (ngff_engine_opts){
        .memory = context->opts.memory_target,
        .threads = context->opts.threads,
        .grows = context->opts.memory_grows != 0,
        .no_spill = j->opts.no_spill != 0,
        .lean = j->opts.lean != 0,
        .write_empty_chunks = j->opts.write_empty_chunks != 0,
        .keep_levels = j->opts.keep_levels != 0,
        .progress = j->opts.progress,
        .progress_user = j->opts.progress_user,
    };
    NGFF_TRY(ngff_api_windows_open(context, desc, &j->opts, &j->windows, err));
    j->engine.census = j->windows.census;
    j->engine.census_memory = j->windows.size;
    return NGFF_OK;
}

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

static ngff_status create_opts(const ngff_api_job *j, const ngff_multiscales *ms,
                               ngff_image_create_opts *out, ngff_error *err) {
    const ngff_write_opts *o = &j->opts;
    const char *version = o->version != NULL ? o->version : "0.5";
    *out = (ngff_image_create_opts){
        .version = ngff_version_from_text(version),
        .flat = o->flat_layout > 0 || (o->flat_layout == 0 && ms->flat),
        .no_consolidate = o->no_consolidate != 0,
        .codec = {o->codec, o->has_level ? o->compression_level : -1, NGFF_SHUFFLE_AUTO},
        .codec_json = o->codec_json,
        .coordinates_json = o->coordinates_json,
        .type = o->type != NULL ? o->type : ngff_method_name(ms->method),
        .method = ngff_method_name(ms->method),
        .method_description = method_description(ms->method),
        .emit = {.orientation = o->orientation != 0, .no_omero = o->no_omero != 0},
    };
    if (ms->kept && o->type == NULL) {
        out->copied = true;
        out->type = ms->type;
        out->metadata = ms->metadata;
    }
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

ngff_status ngff_api_job_describe(const ngff_api_job *j, const ngff_multiscales *ms,
                                  ngff_image_level *levels, ngff_image_create_opts *opts,
                                  ngff_error *err) {
    NGFF_TRY(create_opts(j, ms, opts, err));
    opts->level_count = ms->levels.count;
    for (int n = 0; n < ms->levels.count; n++) {
        const ngff_level *from = &ms->levels.level[n];
        levels[n] = (ngff_image_level){.sharded = from->sharded};
        memcpy(levels[n].shape, from->shape, sizeof from->shape);
        memcpy(levels[n].chunk, from->chunk, sizeof from->chunk);
        memcpy(levels[n].per_shard, from->per_shard, sizeof from->per_shard);
        memcpy(levels[n].scale, from->scale, sizeof from->scale);
        memcpy(levels[n].translation, from->translation, sizeof from->translation);
    }
    return NGFF_OK;
}

ngff_status ngff_api_job_create(ngff_api_job *j, ngff_store *store,
                                const ngff_multiscales *ms, ngff_error *err) {
    const char *version = j->opts.version != NULL ? j->opts.version : "0.5";
    const ngff_allocator *alloc = j->context->alloc;
    ngff_image_create_opts opts;
    ngff_image_level levels[NGFF_MAX_LEVELS];
    ngff_ome_image described;
    NGFF_TRY(ngff_image_check_store(store, version, err));
    NGFF_TRY(ngff_api_job_describe(j, ms, levels, &opts, err));
    NGFF_TRY(
        ngff_api_windows_describe(&j->windows, alloc, &ms->desc.desc, &described, err));
    ngff_status status =
        ngff_image_create(alloc, store, &described.desc, levels, &opts, &j->image, err);
    ngff_ome_image_reset(&described);
    return status == NGFF_OK ? ngff_image_keep_foreign(j->image, err) : status;
}

ngff_status ngff_api_job_plan(ngff_api_job *j, const ngff_multiscales *ms,
                              const ngff_source *source, ngff_error *err) {
    j->engine.as_given = ms->kept;
    if (ms->kept && source->level_count != ms->levels.count)
        return ngff_fail(err, NGFF_INVALID,
                         "the source brings %d levels, %d were planned of it",
                         source->level_count, ms->levels.count);
    for (int n = 0; ms->kept && n < ms->levels.count; n++)
        for (int i = 0; i < ms->levels.ndim; i++)
            if (source->level_shape[n][i] != ms->levels.level[n].shape[i])
                return ngff_fail(err, NGFF_INVALID,
                                 "level %d of the source has another shape than planned",
                                 n);
    return ngff_engine_plan(&ms->levels, ms->method, source, j->image, &j->engine,
                            &j->plan, err);
}

ngff_status ngff_api_job_run(ngff_api_job *j, ngff_source *source, ngff_error *err) {
    j->engine.stats = &j->stats;
    return ngff_engine_run(&j->plan, source, j->image, &j->engine, err);
}

static ngff_status tell(const ngff_api_job *j, const char *phase, ngff_error *err) {
    const ngff_progress done = {.phase = phase,
                                .level = -1,
                                .level_count = j->image->level_count,
                                .bytes_done = j->plan.decoded_bytes,
                                .bytes_total = j->plan.decoded_bytes};
    if (j->opts.progress != NULL && j->opts.progress(j->opts.progress_user, &done) != 0)
        return ngff_fail(err, NGFF_CANCELLED, "cancelled");
    return NGFF_OK;
}

ngff_status ngff_api_job_finish(ngff_api_job *j, ngff_store *store, ngff_error *err) {
    NGFF_TRY(tell(j, "finish", err));
    ngff_api_windows_fill(&j->windows, &j->image->ms.image);
    NGFF_TRY(ngff_image_finish(j->image, err));
    NGFF_TRY(tell(j, "publish", err));
    return ngff_store_publish(store, err);
}

void ngff_api_job_report(const ngff_api_job *j, ngff_write_report *report) {
    if (report == NULL)
        return;
    const ngff_plan *p = &j->plan;
    ngff_write_report r = {
        .struct_size = sizeof r,
        .source_bytes = p->source_bytes,
        .decoded_bytes = p->decoded_bytes,
        .encoded_bytes = j->stats.encoded_bytes,
        .files = p->files,
        .budget = p->budget,
        .peak = p->peak,
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

ngff_status ngff_api_job_check(ngff_context *context, const ngff_multiscales *ms,
                               const ngff_write_report *report, ngff_error *err) {
    ngff_error_clear(err);
    if (context == NULL || ms == NULL)
        return ngff_fail(err, NGFF_INVALID, "context or multiscales is NULL");
    if (ms->image != NULL)
        return ngff_fail(err, NGFF_INVALID, "multiscales was opened, not planned");
    if (report != NULL && report->struct_size < sizeof(size_t))
        return ngff_fail(err, NGFF_INVALID, "ngff_write_report: struct_size is %zu",
                         report->struct_size);
    return NGFF_OK;
}

ngff_status ngff_api_check_extent(const ngff_multiscales *ms, ngff_error *err) {
    if (ms->desc.desc.shape[0] != 0)
        return NGFF_OK;
    return ngff_fail(err, NGFF_INVALID,
                     "axis 0: size 0, expected at least 1; it is left open for "
                     "ngff_writer_append only");
}

ngff_status ngff_api_check_computed(const ngff_multiscales *ms, ngff_error *err) {
    return !ms->kept ? NGFF_OK
                     : ngff_fail(err, NGFF_INVALID,
                                 "the levels are those of a source: only ngff_write, "
                                 "ngff_write_plan and ngff_write_metadata take them");
}

ngff_status ngff_api_check_changeable(const ngff_store *store, ngff_error *err) {
    if (ngff_store_is_changeable(store))
        return NGFF_OK;
    return ngff_fail(err, NGFF_UNSUPPORTED,
                     "%s: an archive is written in one pass and not changed; that takes "
                     "a directory",
                     store->location);
}

void ngff_api_job_close(ngff_api_job *j) {
    ngff_image_close(&j->image);
    ngff_api_windows_close(&j->windows);
}
