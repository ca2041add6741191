/* Frames along an axis whose extent is not known: the writer's other way in. A stream
 * makes all levels as frames come; where a level is coarser along that axis, the stream
 * writes level 0 and the others are computed at the end. */
#include "api/writer.h"

/* ---- live ------------------------------------------------------------------------ */

/* In the order that keeps every moment whole: pixels (flushed), documents. The first time
 * there is something to see, the store appears. */
static ngff_status show(void *user, int64_t frames, ngff_error *err) {
    ngff_writer *w = user;
    ngff_image *image = w->job.image;
    ngff_image_set_extent(image, frames);
    if (w->seen) {
        NGFF_TRY(ngff_store_sync(w->store, err));
        return ngff_image_refresh(image, err);
    }
    NGFF_TRY(ngff_image_finish(image, err));
    w->seen = true;
    return ngff_store_go_live(w->store, err);
}

/* ---- opening --------------------------------------------------------------------- */

static bool is_reduced(const ngff_levels *levels) {
    for (int n = 1; n < levels->count; n++)
        if (levels->level[n].factor[0] != 1)
            return true;
    return false;
}

static ngff_status check(const ngff_writer *w, ngff_error *err) {
    const ngff_image_desc *desc = &w->job.image->ms.image.desc;
    if (w->opts.start_level > 1)
        return ngff_fail(err, NGFF_INVALID,
                         "start_level is %d, but all levels are made of what is appended",
                         (int)w->opts.start_level);
    if (w->reduced && w->opts.live != 0)
        return ngff_fail(
            err, NGFF_UNSUPPORTED,
            "live: levels that are coarser along axis 0 are made at the end; "
            "expected a scale factor of 1 along it");
    if (w->opts.live != 0)
        NGFF_TRY(ngff_store_check_live(w->store, err));
    if (w->job.windows.census != NULL && strcmp(desc->axes[0].type, "channel") == 0)
        return ngff_fail(err, NGFF_INVALID,
                         "omero_windows: the number of channels is not known");
    if (ngff_store_is_changeable(w->store))
        return NGFF_OK;
    return ngff_fail(err, NGFF_UNSUPPORTED,
                     "%s: an archive cannot grow frame by frame; write a directory and "
                     "copy it into the archive",
                     w->store->location);
}

static uint64_t units_of(const ngff_image *image) {
    uint64_t units = 0;
    for (int n = 0; n < image->level_count; n++)
        units += ngff_zarr_unit_count(image->level[n]);
    return units;
}

ngff_status ngff_api_append_open(ngff_writer *w, ngff_error *err) {
    ngff_levels levels = w->planned.levels;
    ngff_engine_opts engine = w->job.engine;
    w->reduced = is_reduced(&levels);
    NGFF_TRY(check(w, err));
    engine.stats = &w->streamed;
    w->level0 = *w->job.image;
    if (w->reduced) {
        levels.count = w->level0.level_count = 1;
        engine.census = NULL; /* level 0 is read again */
    }
    const ngff_stream_opts opts = {
        .engine = &engine,
        .no_wait = w->opts.no_wait != 0,
        .eager = w->opts.live != 0,
        .stored = w->opts.live != 0 ? show : NULL,
        .user = w,
    };
    ngff_image *image = w->reduced ? &w->level0 : w->job.image;
    NGFF_TRY(ngff_stream_open(&levels, w->planned.method, image, &opts, &w->stream, err));
    ngff_plan *slab = &w->job.plan;
    ngff_stream_plan(w->stream, slab);
    ngff_image_set_extent(image, slab->levels.level[0].shape[0]);
    w->documents = slab->files - units_of(image);
    return NGFF_OK;
}

/* ---- appending ------------------------------------------------------------------- */

static ngff_status check_writer(const ngff_writer *w, ngff_error *err) {
    ngff_error_clear(err);
    if (w == NULL)
        return ngff_fail(err, NGFF_INVALID, "writer is NULL");
    if (w->finished)
        return ngff_fail(err, NGFF_INVALID, "the writer was finished before");
    if (w->stream == NULL)
        return ngff_fail(err, NGFF_INVALID, "the writer was not opened with append");
    return NGFF_OK;
}

ngff_status ngff_writer_append(ngff_writer *w, const ngff_view *frames, ngff_error *err) {
    NGFF_TRY(check_writer(w, err));
    if (frames == NULL || frames->data == NULL)
        return ngff_fail(err, NGFF_INVALID, "frames or its data is NULL");
    ngff_status status = ngff_stream_append(w->stream, frames, err);
    return status == NGFF_OK ? status : ngff_fail_origin(err, status, NGFF_ORIGIN_OUTPUT);
}

ngff_status ngff_writer_flush(ngff_writer *w, ngff_error *err) {
    NGFF_TRY(check_writer(w, err));
    ngff_status status = ngff_stream_flush(w->stream, err);
    return status == NGFF_OK ? status : ngff_fail_origin(err, status, NGFF_ORIGIN_OUTPUT);
}

/* ---- the end --------------------------------------------------------------------- */

/* Of a reduced image only level 0 has its extent; levels coarser than the image is long
 * are left out. */
static void set_extents(ngff_writer *w) {
    ngff_image *image = w->job.image;
    ngff_levels *levels = &w->planned.levels;
    const int64_t extent = image->level[0]->meta.shape[0];
    image->ms.image.desc.shape[0] = extent;
    levels->level[0].shape[0] = extent;
    for (int n = levels->count - 1; n > 0; n--) {
        const int64_t own = extent / levels->level[n].factor[0];
        levels->level[n].shape[0] = own;
        ngff_zarr_array_set_extent(image->level[n], own);
        if (own == 0)
            ngff_image_drop_last(image);
    }
    levels->count = image->level_count;
}

/* What the report tells of the whole, which the plan of one slab does not know. */
static void complete_plan(ngff_writer *w) {
    const ngff_image *image = w->job.image;
    ngff_plan *plan = &w->job.plan;
    plan->files = w->documents + units_of(image);
    plan->decoded_bytes = 0;
    for (int n = image->level_count - 1; n >= 0; n--) {
        const ngff_zarr_meta *meta = &image->level[n]->meta;
        plan->source_bytes = ngff_dtype_size(meta->dtype);
        for (int d = 0; d < meta->ndim; d++)
            plan->source_bytes *= (uint64_t)meta->shape[d];
        plan->decoded_bytes += plan->source_bytes;
    }
}

ngff_status ngff_api_append_finish(ngff_writer *w, ngff_error *err) {
    NGFF_TRY(ngff_stream_finish(w->stream, err));
    if (!w->reduced) {
        complete_plan(w);
        w->job.stats = w->streamed;
    }
    ngff_stream_close(&w->stream); /* its memory is the engine's now */
    if (!w->reduced)
        return NGFF_OK;
    set_extents(w);
    NGFF_TRY(ngff_api_writer_compute(w, err));
    w->job.stats.encoded_bytes += w->streamed.encoded_bytes;
    return NGFF_OK;
}
