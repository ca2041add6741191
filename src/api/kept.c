/* A plan whose levels are those that a source brings. */
#include "api/handles.h"

/* What the caller says of level 0 holds for all: other spacings stretch the levels, and
 * each keeps its place relative to level 0. */
static void place(const ngff_source *s, const ngff_image_desc *d, int n,
                  ngff_level *out) {
    const ngff_source_pyramid *p = &s->pyramid;
    for (int i = 0; i < d->ndim; i++) {
        const ngff_axis *asked = &d->axes[i];
        double ratio = (double)s->level_shape[0][i] / (double)s->level_shape[n][i];
        double shift = 0.5 * (ratio - 1) * asked->scale;
        out->scale[i] = ratio * asked->scale;
        if (p->placed) {
            const ngff_axis *own = &s->image.desc.axes[i];
            bool same = asked->scale == own->scale;
            double stretch = same ? 1 : asked->scale / own->scale;
            out->scale[i] = stretch * p->scale[n][i];
            shift = stretch * (p->translation[n][i] - own->translation);
            if (same && asked->translation == own->translation) {
                out->translation[i] = p->translation[n][i];
                continue;
            }
        }
        out->translation[i] = asked->translation + shift;
    }
}

/* Chunks: as asked, else as they are in the source, else as in level 0. */
static void cut(const ngff_source *s, const ngff_plan_opts *o, const ngff_level *first,
                int n, ngff_level *out) {
    for (int i = 0; i < s->image.desc.ndim; i++) {
        int64_t own = s->pyramid.chunk[n][i];
        int64_t chunk = o->chunks[i] > 0 || own == 0 ? first->chunk[i] : own;
        out->chunk[i] = ngff_min_i64(chunk, out->shape[i]);
        int64_t most = ngff_ceil_div(out->shape[i], out->chunk[i]);
        int64_t per = first->sharded ? o->chunks_per_shard[i] : 1;
        out->per_shard[i] = ngff_min_i64(per, most);
    }
}

static void take_levels(const ngff_source *s, const ngff_image_desc *d,
                        const ngff_plan_opts *o, ngff_levels *levels) {
    const ngff_level first = levels->level[0];
    levels->count = s->level_count;
    for (int n = 0; n < levels->count; n++) {
        ngff_level *out = &levels->level[n];
        *out = first;
        out->source = n - 1; /* nothing is computed: there are no steps to take */
        memcpy(out->shape, s->level_shape[n], sizeof out->shape);
        place(s, d, n, out);
        cut(s, o, &first, n, out);
    }
    levels->warning[0] = '\0';
}

static ngff_status check(const ngff_source *s, const ngff_image_desc *d,
                         ngff_error *err) {
    const ngff_image_desc *own = &s->image.desc;
    if (!s->pyramid.placed && s->level_count < 2)
        return ngff_fail(err, NGFF_NOT_FOUND, "%s: brings no levels", s->location);
    bool same = own->ndim == d->ndim && own->dtype == d->dtype;
    for (int i = 0; same && i < own->ndim; i++)
        same = own->shape[i] == d->shape[i];
    if (!same)
        return ngff_fail(err, NGFF_INVALID, "%s: is not what the image describes",
                         s->location);
    if (s->traits.sequential)
        return ngff_fail(err, NGFF_UNSUPPORTED, "%s: its levels are not read at random",
                         s->location);
    return NGFF_OK;
}

static ngff_status take(ngff_multiscales *ms, const ngff_source *s,
                        const ngff_plan_opts *opts, ngff_error *err) {
    ngff_plan_opts o;
    const ngff_source_pyramid *p = &s->pyramid;
    NGFF_TRY(ngff_api_import(&o, sizeof o, opts, "ngff_plan_opts", err));
    NGFF_TRY(check(s, &ms->desc.desc, err));
    take_levels(s, &ms->desc.desc, &o, &ms->levels);
    ms->kept = true;
    ms->flat = p->placed && p->flat;
    if (p->type != NULL)
        (void)ngff_copy_text(ms->type, sizeof ms->type, p->type);
    return p->metadata != NULL ? ngff_json_dup(p->metadata, &ms->metadata, err) : NGFF_OK;
}

ngff_status ngff_multiscales_plan_kept(ngff_context *context, const ngff_source *source,
                                       const ngff_image_desc *image,
                                       const ngff_plan_opts *opts,
                                       ngff_multiscales **multiscales, ngff_error *err) {
    ngff_plan_opts first;
    ngff_error_clear(err);
    if (source == NULL)
        return ngff_fail(err, NGFF_INVALID, "source is NULL");
    NGFF_TRY(ngff_api_import(&first, sizeof first, opts, "ngff_plan_opts", err));
    first.struct_size = sizeof first;
    first.scale_factor_count = -1;
    for (int i = 0; i < source->image.desc.ndim; i++)
        if (first.chunks[i] == 0)
            first.chunks[i] = source->pyramid.chunk[0][i];
    NGFF_TRY(ngff_multiscales_plan(context, image != NULL ? image : &source->image.desc,
                                   &first, multiscales, err));
    ngff_status status = take(*multiscales, source, opts, err);
    if (status != NGFF_OK)
        ngff_multiscales_close(multiscales);
    return status;
}
