/* A series of TIFF pages as an image description: choosing it, naming its axes, scales,
 * channels, and how it is best read. */
#include "source/tiff_open.h"

#include <math.h>

static const char dim_names[] = "tczyx";

/* ---- choosing
 * -------------------------------------------------------------------------- */

static void series_text(const ngff_tiff_set *s, const ngff_tiff_series *series, char *out,
                        size_t size) {
    char shape[128];
    ngff_nd_shape_text(series->ndim, series->shape, shape, sizeof shape);
    uint32_t layout = series->level[0].layout;
    snprintf(out, size, "%s %s%s%s%s%.40s", series->axes, shape,
             layout != NGFF_TIFF_NONE ? " " : "",
             layout != NGFF_TIFF_NONE ? ngff_dtype_name(s->layouts[layout]->dtype) : "",
             series->name[0] != '\0' ? " " : "", series->name);
}

/* Several images and none chosen: the first is never taken silently. */
static ngff_status ask(const ngff_tiff_source *t, ngff_error *err) {
    char list[360];
    size_t used = 0;
    list[0] = '\0';
    for (size_t i = 0; i < t->list.count; i++) {
        char text[192];
        series_text(&t->set, &t->list.items[i], text, sizeof text);
        if (used + strlen(text) + 40 > sizeof list) {
            snprintf(list + used, sizeof list - used, "; …");
            break;
        }
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%zu: %s",
                                 i > 0 ? "; " : "", i + 1, text);
    }
    return ngff_fail(err, NGFF_INVALID, "%s: %zu images, choose one with --series: %s",
                     t->base.location, t->list.count, list);
}

static ngff_status choose(ngff_tiff_source *t, int want, ngff_error *err) {
    if (t->list.count == 0)
        return ngff_fail(err, NGFF_FORMAT, "%s: no image in it", t->base.location);
    if (want < 0 && t->list.count > 1)
        return ask(t, err);
    if (want >= 0 && (size_t)want >= t->list.count)
        return ngff_fail(err, NGFF_INVALID,
                         "%s: --series %d asked for, there are %zu images",
                         t->base.location, want + 1, t->list.count);
    t->series = &t->list.items[want < 0 ? 0 : want];
    const ngff_tiff_layout *l = t->set.layouts[t->series->level[0].layout];
    if (l->refusal[0] != '\0')
        return ngff_fail(err, NGFF_UNSUPPORTED, "%s: %s", t->base.location, l->refusal);
    t->samples = l->samples;
    return NGFF_OK;
}

/* ---- axes
 * ------------------------------------------------------------------------------ */

static int dim_of(char letter) {
    const char *at = letter != '\0' ? strchr("TCZYX", letter) : NULL;
    return at != NULL ? (int)(at - "TCZYX") : -1;
}

/* Axes without a meaning of their own (I, Q, …), fastest first: z, then c, then t, as the
 * default axes of an array of so many dimensions are. */
static ngff_status name_unknown(ngff_tiff_source *t, int dims[NGFF_MAX_NDIM],
                                bool taken[3], ngff_error *err) {
    static const int order[3] = {NGFF_TIFF_Z, NGFF_TIFF_C, NGFF_TIFF_T};
    const ngff_tiff_series *series = t->series;
    for (int i = series->lead - 1; i >= 0; i--) {
        int k = 0;
        if (dims[i] >= 0)
            continue;
        while (k < 3 && taken[order[k]])
            k++;
        if (k == 3)
            return ngff_fail(
                err, NGFF_UNSUPPORTED,
                "%s: axes %s: no place for %c beside t, c, z, y, x; name them with "
                "--dims",
                t->base.location, series->axes, series->axes[i]);
        dims[i] = order[k];
        taken[order[k]] = true;
        snprintf(t->base.note, sizeof t->base.note,
                 "the file's axes %s are not all named: %c is taken as %c; --dims says "
                 "otherwise",
                 series->axes, series->axes[i], dim_names[order[k]]);
    }
    return NGFF_OK;
}

static ngff_status dims_of_file(ngff_tiff_source *t, int dims[NGFF_MAX_NDIM],
                                ngff_error *err) {
    const ngff_tiff_series *series = t->series;
    bool taken[3] = {false, t->samples > 1, false};
    for (int i = 0; i < series->lead; i++) {
        int dim = dim_of(series->axes[i]);
        bool first = dim >= 0 && dim <= NGFF_TIFF_Z &&
                     memchr(series->axes, series->axes[i], (size_t)i) == NULL;
        dims[i] = first ? dim : -1;
        if (first)
            taken[dim] = true;
    }
    return name_unknown(t, dims, taken, err);
}

/* --dims names the axes in the order of the file, those of a page included. */
static ngff_status dims_of_user(ngff_tiff_source *t, const char *text,
                                int dims[NGFF_MAX_NDIM], ngff_error *err) {
    const ngff_tiff_series *series = t->series;
    ngff_axis axes[NGFF_MAX_NDIM];
    char shape[128];
    ngff_status status = ngff_ome_axes_from_dims(text, series->ndim, axes, err);
    bool fits = status == NGFF_OK;
    for (int i = 0; fits && i < series->ndim; i++) {
        const char *at = strchr(dim_names, axes[i].name[0]);
        int dim = at != NULL && axes[i].name[1] == '\0' ? (int)(at - dim_names) : -1;
        char letter = series->axes[i];
        dims[i] = dim;
        if (i < series->lead)
            fits = dim >= 0 && dim <= NGFF_TIFF_Z;
        else
            fits = dim == (letter == 'S' ? NGFF_TIFF_C : dim_of(letter));
    }
    if (fits)
        return NGFF_OK;
    ngff_nd_shape_text(series->ndim, series->shape, shape, sizeof shape);
    if (status != NGFF_OK)
        return ngff_fail_at(err, status, "%s: axes %s (%s) in the file", t->base.location,
                            series->axes, shape);
    return ngff_fail(
        err, NGFF_INVALID,
        "%s: --dims %s does not fit the file's axes %s (%s): y, x and samples lie in "
        "a page and keep their places",
        t->base.location, text, series->axes, shape);
}

/* Strides of the planes, and where each canonical axis goes. */
static void place_axes(ngff_tiff_source *t, const int dims[NGFF_MAX_NDIM], int64_t *shape,
                       char *names) {
    const ngff_tiff_series *series = t->series;
    int64_t stride = 1;
    bool has[NGFF_TIFF_DIMS] = {false, t->samples > 1, false, true, true};
    for (int i = 0; i < 3; i++) {
        t->extent[i] = 1;
        t->stride[i] = 0;
    }
    for (int i = series->lead - 1; i >= 0; i--) {
        has[dims[i]] = true;
        t->extent[dims[i]] = series->shape[i];
        t->stride[dims[i]] = stride;
        stride *= series->shape[i];
    }
    const ngff_tiff_layout *l = t->set.layouts[series->level[0].layout];
    const int64_t full[NGFF_TIFF_DIMS] = {t->extent[0], t->extent[1] * t->samples,
                                          t->extent[2], l->height, l->width};
    int n = 0;
    for (int i = 0; i < NGFF_TIFF_DIMS; i++) {
        t->pos[i] = has[i] ? n : -1;
        if (has[i]) {
            names[n] = dim_names[i];
            shape[n++] = full[i];
        }
    }
    names[n] = '\0';
}

static void calibrate(ngff_tiff_source *t) {
    ngff_image_desc *desc = &t->base.image.desc;
    for (int i = 0; i < NGFF_TIFF_DIMS; i++) {
        const ngff_tiff_calibration *cal = &t->series->cal[i];
        if (t->pos[i] < 0 || i == NGFF_TIFF_C || !(cal->scale > 0.0) ||
            !isfinite(cal->scale))
            continue;
        ngff_axis *axis = &desc->axes[t->pos[i]];
        char unit[32];
        axis->scale = cal->scale;
        if (isfinite(cal->translation))
            axis->translation = cal->translation;
        if (ngff_ome_unit(cal->unit, axis->type, unit))
            ngff_copy_text(axis->unit, sizeof axis->unit, unit);
    }
}

static bool page_is_rgb(const ngff_tiff_source *t) {
    const ngff_tiff_layout *l = t->set.layouts[t->series->level[0].layout];
    return (l->photometric == 2 || l->photometric == 6) &&
           (l->samples == 3 || l->samples == 4) && t->extent[NGFF_TIFF_C] == 1;
}

static ngff_status channels(ngff_tiff_source *t, ngff_error *err) {
    if (t->pos[NGFF_TIFF_C] < 0 && t->series->channel_count != 1)
        return NGFF_OK;
    if (!page_is_rgb(t))
        return t->series->channel_count == 0
                   ? NGFF_OK
                   : ngff_source_set_channels(&t->base, t->series->channels,
                                              t->series->channel_count, err);
    return ngff_source_set_rgb(&t->base, (int)t->samples, err);
}

/* ---- how it is read
 * -------------------------------------------------------------------- */

static ngff_status traits(ngff_tiff_source *t, const ngff_source_open_opts *opts,
                          ngff_error *err) {
    const ngff_tiff_series *series = t->series;
    const ngff_tiff_layout *l = t->set.layouts[series->level[0].layout];
    ngff_source_traits *traits = &t->base.traits;
    uint64_t together = UINT64_MAX;
    int64_t rows = l->unit_h, columns = l->unit_w;
    traits->compressed = !l->direct;
    if (l->direct && series->level[0].pages[0] != NGFF_TIFF_NONE)
        NGFF_TRY(ngff_tiff_data_at(&t->set, series->level[0].pages[0], &together, err));
    if (together != UINT64_MAX) { /* rows can be had one by one, in pieces of 1 MiB */
        size_t pixel = l->chunky * ngff_dtype_size(l->dtype);
        rows = 1;
        columns = ngff_max_i64(1, ((int64_t)1 << 20) / (int64_t)pixel);
    }
    traits->unit[t->pos[NGFF_TIFF_Y]] = rows;
    traits->unit[t->pos[NGFF_TIFF_X]] = ngff_min_i64(columns, l->width);
    if (t->pos[NGFF_TIFF_C] >= 0 && l->chunky > 1)
        traits->unit[t->pos[NGFF_TIFF_C]] = l->chunky;
    traits->slow_axis = 0;
    traits->memory = (size_t)1 << 20; /* scratch of the strided reader, and tables */
    if (traits->compressed) {
        int threads = opts->threads > 0 ? opts->threads : ngff_cpu_count();
        traits->cache = ngff_tiff_cache_budget(t->set.cache) / (size_t)threads;
        traits->memory = 2 * l->unit_bytes + ((size_t)1 << 16) + traits->cache;
    }
    return NGFF_OK;
}

static void levels(ngff_tiff_source *t) {
    ngff_source *s = &t->base;
    for (int i = 1; i < t->series->level_count && i < 16; i++) {
        const ngff_tiff_layout *l = t->set.layouts[t->series->level[i].layout];
        if (l->refusal[0] != '\0')
            break;
        memcpy(s->level_shape[i], s->image.desc.shape, sizeof s->level_shape[i]);
        s->level_shape[i][t->pos[NGFF_TIFF_Y]] = l->height;
        s->level_shape[i][t->pos[NGFF_TIFF_X]] = l->width;
        s->level_count = i + 1;
    }
}

/* Pages of one strip are cheap to look at, of the others the first and the last are. */
static ngff_status check_reach(ngff_tiff_source *t, ngff_error *err) {
    const ngff_tiff_series *series = t->series;
    uint64_t count = series->one_ifd ? 1 : series->planes;
    for (uint64_t i = 0; i < count; i++) {
        uint32_t page = series->level[0].pages[i];
        if (page == NGFF_TIFF_NONE)
            continue;
        if (i == 0 || i + 1 == count || ngff_tiff_page_at(&t->set, page)->units == 1)
            NGFF_TRY(ngff_tiff_check_reach(&t->set, page, err));
    }
    return NGFF_OK;
}

ngff_status ngff_tiff_source_describe(ngff_tiff_source *t,
                                      const ngff_source_open_opts *opts,
                                      ngff_error *err) {
    int dims[NGFF_MAX_NDIM] = {0};
    int64_t shape[NGFF_MAX_NDIM];
    char names[NGFF_TIFF_DIMS + 1];
    NGFF_TRY(choose(t, opts->series, err));
    if (opts->dims != NULL && opts->dims[0] != '\0')
        NGFF_TRY(dims_of_user(t, opts->dims, dims, err));
    else
        NGFF_TRY(dims_of_file(t, dims, err));
    place_axes(t, dims, shape, names);
    const ngff_tiff_layout *l = t->set.layouts[t->series->level[0].layout];
    NGFF_TRY(ngff_source_take_image(&t->base, l->dtype, (int)strlen(names), shape, names,
                                    err));
    if (t->series->name[0] != '\0')
        ngff_copy_text(t->base.image.desc.name, sizeof t->base.image.desc.name,
                       t->series->name);
    t->base.channels_listed = t->series->channels_listed;
    memcpy(t->base.file_axes, t->series->axes, sizeof t->base.file_axes);
    calibrate(t);
    NGFF_TRY(channels(t, err));
    NGFF_TRY(traits(t, opts, err));
    NGFF_TRY(check_reach(t, err));
    levels(t);
    return NGFF_OK;
}
