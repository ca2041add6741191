#include "api/handles.h"

/* A description with default axes where none are named, checked by the rules of the
 * versions written. */
static ngff_status complete_desc(ngff_image_desc *d, ngff_error *err) {
    if (d->ndim < 1 || d->ndim > NGFF_MAX_NDIM)
        return ngff_fail(err, NGFF_INVALID, "image has %d dimensions, expected 2 to 5",
                         (int)d->ndim);
    if (d->axes[0].name[0] == '\0')
        ngff_ome_axes_default(d->ndim, d->axes);
    for (int i = 0; i < d->ndim; i++)
        if (d->axes[i].scale == 0)
            d->axes[i].scale = 1;
    return ngff_ome_check(d, err);
}

static ngff_status fill_request(const ngff_image_desc *d, const ngff_plan_opts *o,
                                ngff_levels_request *r, ngff_error *err) {
    r->ndim = d->ndim;
    r->dtype = (ngff_dtype)d->dtype;
    for (int i = 0; i < d->ndim; i++) {
        r->shape[i] = d->shape[i];
        r->scale[i] = d->axes[i].scale;
        r->translation[i] = d->axes[i].translation;
        r->axis[i] = d->axes[i].name[0];
        r->chunk[i] = o->chunks[i];
        r->per_shard[i] = o->chunks_per_shard[i];
    }
    r->min_size = o->min_size;
    r->isotropic = o->isotropic != 0;
    r->factor_count = o->scale_factor_count < 0 ? 0 : o->scale_factor_count;
    if (o->scale_factor_count == 0)
        r->factor_count = -1;
    if (r->factor_count >= NGFF_MAX_LEVELS)
        return ngff_fail(err, NGFF_INVALID, "%d scale factors, at most %d",
                         r->factor_count, NGFF_MAX_LEVELS - 1);
    for (int n = 0; n < r->factor_count; n++)
        memcpy(r->factors[n], o->scale_factors[n], sizeof r->factors[n]);
    const char *name = o->method != NULL ? o->method : "gaussian";
    if (!ngff_method_from_name(name, &r->method))
        return ngff_fail(err, NGFF_INVALID,
                         "method '%s' is not known; `ngff methods` lists them", name);
    return NGFF_OK;
}

/* Not more than an image of frames can be cut into; what it clips is no smaller. */
static const int64_t OPEN_EXTENT = 1 << 24;

/* An extent of 0 along axis 0 is not known yet. Unless somebody says so, nothing is
 * reduced along it, and chunks hold one frame: like time. */
static void plan_open_end(ngff_levels_request *r) {
    bool reduced = false;
    for (int n = 0; n < r->factor_count; n++)
        reduced = reduced || r->factors[n][0] != 1;
    r->shape[0] = OPEN_EXTENT;
    if (!reduced)
        r->axis[0] = 't';
}

ngff_status ngff_multiscales_plan(ngff_context *context, const ngff_image_desc *image,
                                  const ngff_plan_opts *opts,
                                  ngff_multiscales **multiscales, ngff_error *err) {
    ngff_plan_opts o;
    ngff_image_desc d;
    ngff_levels_request request = {0};

    ngff_error_clear(err);
    if (context == NULL || image == NULL || multiscales == NULL)
        return ngff_fail(err, NGFF_INVALID, "context, image or multiscales is NULL");
    *multiscales = NULL;
    NGFF_TRY(ngff_api_import(&o, sizeof o, opts, "ngff_plan_opts", err));
    NGFF_TRY(ngff_api_import(&d, sizeof d, image, "ngff_image_desc", err));
    NGFF_TRY(complete_desc(&d, err));
    NGFF_TRY(fill_request(&d, &o, &request, err));
    if (d.shape[0] == 0)
        plan_open_end(&request);

    ngff_multiscales *ms = ngff_calloc(context->alloc, 1, sizeof *ms);
    if (ms == NULL)
        return ngff_fail_nomem(err, "multiscales", sizeof *ms);
    ms->context = context;
    ms->method = request.method;
    ngff_status status = ngff_pyramid_plan(&request, &ms->levels, err);
    if (status == NGFF_OK)
        status = ngff_ome_image_copy(context->alloc, &d, &ms->desc, err);
    if (status != NGFF_OK) {
        ngff_multiscales_close(&ms);
        return status;
    }
    ngff_api_log(context, ms->levels.warning);
    *multiscales = ms;
    return NGFF_OK;
}

int ngff_multiscales_level_count(const ngff_multiscales *ms) {
    if (ms == NULL)
        return 0;
    return ms->image != NULL ? ms->image->level_count : ms->levels.count;
}

static void planned_level(const ngff_multiscales *ms, int n, ngff_level_info *info) {
    const ngff_level *level = &ms->levels.level[n];
    const bool open_end = ms->desc.desc.shape[0] == 0;
    for (int i = 0; i < ms->levels.ndim; i++) {
        info->shape[i] = i == 0 && open_end ? 0 : level->shape[i];
        info->chunks[i] = level->chunk[i];
        info->shards[i] = level->chunk[i] * (level->sharded ? level->per_shard[i] : 1);
        info->scale[i] = level->scale[i];
        info->translation[i] = level->translation[i];
    }
}

static void opened_level(const ngff_multiscales *ms, int n, ngff_level_info *info) {
    const ngff_zarr_meta *meta = &ms->image->level[n]->meta;
    const ngff_ome_dataset *dataset = &ms->image->ms.level[n];
    for (int i = 0; i < meta->ndim; i++) {
        info->shape[i] = meta->shape[i];
        info->chunks[i] = meta->chunk[i];
        info->shards[i] = meta->shard[i];
        info->scale[i] = dataset->scale[i];
        info->translation[i] = dataset->translation[i];
    }
    (void)ngff_copy_text(info->path, sizeof info->path, dataset->path);
}

ngff_status ngff_multiscales_level(const ngff_multiscales *ms, int level,
                                   ngff_level_info *info, ngff_error *err) {
    ngff_error_clear(err);
    if (ms == NULL || info == NULL)
        return ngff_fail(err, NGFF_INVALID, "multiscales or info is NULL");
    memset(info, 0, sizeof *info);
    info->struct_size = sizeof *info;
    if (level < 0 || level >= ngff_multiscales_level_count(ms))
        return ngff_fail(err, NGFF_NOT_FOUND, "level %d: the image has levels 0 to %d",
                         level, ngff_multiscales_level_count(ms) - 1);
    if (ms->image != NULL)
        opened_level(ms, level, info);
    else
        planned_level(ms, level, info);
    return NGFF_OK;
}

ngff_status ngff_multiscales_image(const ngff_multiscales *ms, ngff_image_desc *desc,
                                   ngff_error *err) {
    ngff_error_clear(err);
    if (ms == NULL || desc == NULL)
        return ngff_fail(err, NGFF_INVALID, "multiscales or desc is NULL");
    *desc = ms->image != NULL ? ms->image->ms.image.desc : ms->desc.desc;
    desc->struct_size = sizeof *desc;
    return NGFF_OK;
}

const char *ngff_multiscales_facts(const ngff_multiscales *ms) {
    return ms != NULL && ms->facts != NULL ? ms->facts : "{}";
}

ngff_status ngff_open(ngff_context *context, ngff_store *store,
                      ngff_multiscales **multiscales, ngff_error *err) {
    ngff_error_clear(err);
    if (context == NULL || store == NULL || multiscales == NULL)
        return ngff_fail(err, NGFF_INVALID, "context, store or multiscales is NULL");
    *multiscales = NULL;
    ngff_multiscales *ms = ngff_calloc(context->alloc, 1, sizeof *ms);
    if (ms == NULL)
        return ngff_fail_nomem(err, "multiscales", sizeof *ms);
    ms->context = context;
    ngff_status status = ngff_image_open(context->alloc, store, "", &ms->image, err);
    if (status == NGFF_OK)
        status = ngff_api_facts(ms->image, &ms->facts, err);
    if (status == NGFF_OK)
        status = ngff_engine_reader_create(context->alloc, context->opts.threads,
                                           &ms->reader, err);
    if (status != NGFF_OK) {
        ngff_multiscales_close(&ms);
        return ngff_fail_at(err, status, "%s", store->location);
    }
    *multiscales = ms;
    return NGFF_OK;
}

ngff_status ngff_read_region(ngff_multiscales *ms, int level, const ngff_box *box,
                             const ngff_view *out, ngff_error *err) {
    ngff_error_clear(err);
    if (ms == NULL || ms->image == NULL || box == NULL || out == NULL)
        return ngff_fail(err, NGFF_INVALID,
                         "multiscales is not opened, or box or out is NULL");
    if (level < 0 || level >= ms->image->level_count)
        return ngff_fail(err, NGFF_NOT_FOUND, "level %d: the image has levels 0 to %d",
                         level, ms->image->level_count - 1);
    return ngff_engine_read(ms->reader, ms->image->level[level], box, out, err);
}

void ngff_multiscales_close(ngff_multiscales **multiscales) {
    if (multiscales == NULL || *multiscales == NULL)
        return;
    ngff_multiscales *ms = *multiscales;
    ngff_engine_reader_close(&ms->reader);
    ngff_image_close(&ms->image);
    ngff_ome_image_reset(&ms->desc);
    ngff_json_close(&ms->metadata);
    ngff_free(ms->context->alloc, ms->facts);
    ngff_free(ms->context->alloc, ms);
    *multiscales = NULL;
}
