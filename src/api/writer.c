/* Images that are written by regions: a new one, one that exists, and the documents of
 * one that others will fill. */
#include "api/writer.h"

#include "sys/sys.h"

/* ---- opening --------------------------------------------------------------------- */

static ngff_status open_regions(ngff_writer *w, ngff_error *err) {
    uint64_t memory = w->job.engine.memory;
    if (memory == 0)
        memory = ngff_memory_available() / 4;
    if (memory > UINT64_C(4) << 30)
        memory = UINT64_C(4) << 30;
    const ngff_regions_opts opts = {
        .level_count = w->start_level,
        .shared = w->joined,
        .write_empty_chunks = w->job.opts.write_empty_chunks != 0,
        .no_spill = w->job.opts.no_spill != 0,
        .memory = (size_t)(memory / 2),
    };
    return ngff_regions_create(w->job.image, &opts, &w->regions, err);
}

/* Display windows are measured while the engine reads level 0. */
static ngff_status check_windows(const ngff_writer *w, ngff_error *err) {
    bool reads = false;
    for (int n = w->start_level; n < w->planned.levels.count; n++)
        reads = reads || w->planned.levels.level[n].source == 0;
    if (w->job.windows.census == NULL || reads)
        return NGFF_OK;
    return ngff_fail(
        err, NGFF_INVALID,
        "omero_windows: measured only where a level is computed from level 0");
}

/* Texts and `write` were for opening; what is kept must not point to the caller's. */
static void forget_texts(ngff_writer *w) {
    w->opts.write = NULL;
    w->job.opts.version = w->job.opts.codec = NULL;
    w->job.opts.shuffle = w->job.opts.codec_json = NULL;
}

static ngff_status open_new(ngff_writer *w, const ngff_multiscales *planned,
                            ngff_error *err) {
    const int count = planned->levels.count;
    w->planned.levels = planned->levels;
    w->planned.method = planned->method;
    w->start_level = w->opts.start_level > 0 ? w->opts.start_level : 1;
    if (w->start_level > count)
        w->start_level = count;
    NGFF_TRY(ngff_api_job_init(&w->job, planned->context, &planned->desc.desc,
                               w->opts.write, err));
    if (w->job.opts.keep_levels != 0)
        return ngff_fail(err, NGFF_INVALID, "keep_levels: regions have no source");
    if (w->opts.append == 0) {
        NGFF_TRY(ngff_api_check_extent(planned, err));
        NGFF_TRY(check_windows(w, err));
    }
    NGFF_TRY(ngff_api_job_create(&w->job, w->store, planned, err));
    if (w->opts.append != 0)
        return ngff_api_append_open(w, err);
    NGFF_TRY(ngff_image_reserve(w->job.image, err));
    return open_regions(w, err);
}

static ngff_status open_joined(ngff_writer *w, ngff_context *context, ngff_error *err) {
    ngff_image *image;
    NGFF_TRY(ngff_api_check_changeable(w->store, err));
    NGFF_TRY(ngff_image_open(context->alloc, w->store, "", &image, err));
    ngff_status status =
        ngff_api_job_init(&w->job, context, &image->ms.image.desc, w->opts.write, err);
    w->job.image = image;
    w->start_level = image->level_count;
    if (status == NGFF_OK && w->job.windows.census != NULL)
        status = ngff_fail(err, NGFF_INVALID, "omero_windows: nothing is computed here");
    return status == NGFF_OK ? open_regions(w, err) : status;
}

static ngff_status new_writer(ngff_context *context, ngff_store *store,
                              const ngff_writer_opts *opts, ngff_writer **out,
                              ngff_error *err) {
    ngff_writer_opts o;
    NGFF_TRY(ngff_api_import(&o, sizeof o, opts, "ngff_writer_opts", err));
    if (o.start_level < 0)
        return ngff_fail(err, NGFF_INVALID, "start_level is %d, expected 0 or more",
                         (int)o.start_level);
    if (o.append == 0 && (o.no_wait != 0 || o.live != 0))
        return ngff_fail(err, NGFF_INVALID, "no_wait and live are for append");
    ngff_writer *w = ngff_calloc(context->alloc, 1, sizeof *w);
    if (w == NULL)
        return ngff_fail_nomem(err, "a writer", sizeof *w);
    w->job.context = context;
    w->store = store;
    w->opts = o;
    *out = w;
    return NGFF_OK;
}

static ngff_status opened(ngff_writer *w, ngff_status status, ngff_writer **out,
                          ngff_error *err) {
    forget_texts(w);
    if (status == NGFF_OK) {
        *out = w;
        return NGFF_OK;
    }
    ngff_writer_close(&w);
    return ngff_fail_origin(err, status, NGFF_ORIGIN_OUTPUT);
}

ngff_status ngff_writer_open(ngff_context *context, ngff_store *store,
                             const ngff_multiscales *planned,
                             const ngff_writer_opts *opts, ngff_writer **writer,
                             ngff_error *err) {
    ngff_writer *w;
    NGFF_TRY(ngff_api_job_check(context, planned, NULL, err));
    NGFF_TRY(ngff_api_check_computed(planned, err));
    if (store == NULL || writer == NULL)
        return ngff_fail(err, NGFF_INVALID, "store or writer is NULL");
    *writer = NULL;
    NGFF_TRY(new_writer(context, store, opts, &w, err));
    return opened(w, open_new(w, planned, err), writer, err);
}

ngff_status ngff_writer_join(ngff_context *context, ngff_store *store,
                             const ngff_writer_opts *opts, ngff_writer **writer,
                             ngff_error *err) {
    ngff_writer *w;
    ngff_error_clear(err);
    if (context == NULL || store == NULL || writer == NULL)
        return ngff_fail(err, NGFF_INVALID, "context, store or writer is NULL");
    *writer = NULL;
    NGFF_TRY(new_writer(context, store, opts, &w, err));
    w->joined = true;
    if (w->opts.append != 0)
        return opened(w, ngff_fail(err, NGFF_INVALID, "append is for new images"), writer,
                      err);
    return opened(w, open_joined(w, context, err), writer, err);
}

/* ---- writing --------------------------------------------------------------------- */

ngff_status ngff_writer_write_region(ngff_writer *w, int level, const ngff_box *box,
                                     const ngff_view *pixels, ngff_error *err) {
    ngff_error_clear(err);
    if (w == NULL || box == NULL || pixels == NULL ||
        (pixels->data == NULL && !ngff_box_is_empty(box)))
        return ngff_fail(err, NGFF_INVALID, "writer, box, pixels or its data is NULL");
    if (w->finished)
        return ngff_fail(err, NGFF_INVALID, "the writer was finished before");
    if (w->stream != NULL)
        return ngff_fail(err, NGFF_INVALID, "the writer was opened with append");
    ngff_status status = ngff_regions_write(w->regions, level, box, pixels, err);
    return status == NGFF_OK ? status : ngff_fail_origin(err, status, NGFF_ORIGIN_OUTPUT);
}

static void add_stats(ngff_writer *w, const ngff_regions_stats *s) {
    w->job.stats.encoded_bytes += s->encoded_bytes;
    w->job.stats.parked_chunks += s->parked_chunks;
    if (s->spill_file_bytes > w->job.stats.spill_file_bytes)
        w->job.stats.spill_file_bytes = s->spill_file_bytes;
}

/* The regions' memory is given back before the engine takes its own. */
static ngff_status complete_regions(ngff_writer *w, ngff_regions_stats *stats,
                                    ngff_error *err) {
    NGFF_TRY(ngff_regions_finish(w->regions, err));
    ngff_regions_stats_get(w->regions, stats);
    if (!w->joined) /* others may come when the claims are gone: after publishing */
        ngff_regions_close(&w->regions);
    return NGFF_OK;
}

ngff_status ngff_api_writer_compute(ngff_writer *w, ngff_error *err) {
    ngff_source *source;
    if (w->joined || w->start_level >= w->job.image->level_count)
        return NGFF_OK;
    NGFF_TRY(ngff_image_source_of(w->job.image, w->start_level, &source, err));
    w->job.engine.first_level = w->start_level;
    ngff_status status = ngff_api_job_plan(&w->job, &w->planned, source, err);
    if (status == NGFF_OK)
        status = ngff_api_job_run(&w->job, source, err);
    ngff_source_drop(&source);
    return status;
}

static ngff_status finish_regions(ngff_writer *w, ngff_error *err) {
    ngff_regions_stats stats = {0};
    NGFF_TRY(complete_regions(w, &stats, err));
    NGFF_TRY(ngff_api_writer_compute(w, err));
    add_stats(w, &stats);
    return NGFF_OK;
}

static ngff_status finish(ngff_writer *w, ngff_write_report *report, ngff_error *err) {
    NGFF_TRY(w->stream != NULL ? ngff_api_append_finish(w, err) : finish_regions(w, err));
    NGFF_TRY(w->joined ? ngff_store_publish(w->store, err)
                       : ngff_api_job_finish(&w->job, w->store, err));
    ngff_regions_close(&w->regions);
    ngff_api_job_report(&w->job, report);
    return NGFF_OK;
}

ngff_status ngff_writer_finish(ngff_writer *w, ngff_write_report *report,
                               ngff_error *err) {
    ngff_error_clear(err);
    if (w == NULL || (report != NULL && report->struct_size < sizeof(size_t)))
        return ngff_fail(err, NGFF_INVALID, "writer is NULL or report has no size");
    if (w->finished)
        return ngff_fail(err, NGFF_INVALID, "the writer was finished before");
    w->finished = true;
    ngff_status status = finish(w, report, err);
    return status == NGFF_OK ? status : ngff_fail_origin(err, status, NGFF_ORIGIN_OUTPUT);
}

void ngff_writer_close(ngff_writer **writer) {
    ngff_writer *w = writer != NULL ? *writer : NULL;
    if (w == NULL)
        return;
    const ngff_allocator *alloc = w->job.context->alloc;
    ngff_stream_close(&w->stream);
    ngff_regions_close(&w->regions);
    ngff_api_job_close(&w->job);
    ngff_free(alloc, w);
    *writer = NULL;
}

/* ---- documents only -------------------------------------------------------------- */

ngff_status ngff_write_metadata(ngff_context *context, ngff_store *store,
                                const ngff_multiscales *planned,
                                const ngff_write_opts *opts, ngff_error *err) {
    ngff_api_job j = {0};
    NGFF_TRY(ngff_api_job_check(context, planned, NULL, err));
    NGFF_TRY(ngff_api_check_extent(planned, err));
    if (store == NULL)
        return ngff_fail(err, NGFF_INVALID, "store is NULL");
    NGFF_TRY(ngff_api_check_changeable(store, err));
    ngff_status status = ngff_api_job_init(&j, context, &planned->desc.desc, opts, err);
    if (status == NGFF_OK && (j.windows.census != NULL || j.opts.keep_levels != 0))
        status = ngff_fail(err, NGFF_INVALID,
                           "omero_windows or keep_levels, but no pixels are read");
    if (status == NGFF_OK)
        status = ngff_api_job_create(&j, store, planned, err);
    if (status == NGFF_OK)
        status = ngff_api_job_finish(&j, store, err);
    ngff_api_job_close(&j);
    return status == NGFF_OK ? status : ngff_fail_origin(err, status, NGFF_ORIGIN_OUTPUT);
}
