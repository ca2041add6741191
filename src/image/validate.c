/* image: a hierarchy against the rules of its version: the documents (ome/judge.h), what
 * arrays and documents say of each other, and, when asked for, every chunk. */
#include "image/inside.h"
#include "ome/judge.h"

#include <math.h>
#include <stdio.h>

#define CHUNKS_NAMED 4 /* broken ones of an array that are told */
#define CHUNKS_MAX ((int64_t)1 << 31)

typedef struct checking {
    const ngff_allocator *alloc;
    ngff_store *store;
    ngff_judge judge;
    ngff_finding_fn fn;
    void *user;
    bool data;
    int broken;           /* rules with MUST so far */
    ngff_version version; /* of the root; UNKNOWN: not seen yet */
    ngff_status status;   /* of a walk that was ended */
    ngff_error *err;
} checking;

static void count(void *user, const ngff_finding *f) {
    checking *c = user;
    c->broken += strcmp(f->level, "MUST") == 0;
    c->fn(c->user, f);
}

/* Says nothing about the hierarchy, only about reading it. */
static bool is_trouble(ngff_status status) {
    return status == NGFF_IO || status == NGFF_NOMEM || status == NGFF_INTERNAL;
}

/* ---- chunks ---- */

static ngff_status read_chunks(checking *c, const ngff_zarr_array *array,
                               ngff_codec_ctx *ctx, void *pixels) {
    const ngff_zarr_meta *m = &array->meta;
    ngff_box grid = {.ndim = m->ndim}, box;
    int64_t idx[NGFF_MAX_NDIM] = {0};
    ngff_view view;
    int broken = 0;
    memcpy(grid.shape, array->grid, sizeof grid.shape);
    if (ngff_box_is_empty(&grid))
        return NGFF_OK;
    do {
        ngff_error why = {0};
        ngff_box_of_cell(m->ndim, idx, m->chunk, m->shape, &box);
        ngff_view_init(&view, pixels, m->dtype, m->ndim, box.shape);
        ngff_status status = ngff_zarr_read(array, ctx, &box, &view, &why);
        if (is_trouble(status))
            return ngff_fail(c->err, status, "%s", why.message);
        if (status != NGFF_OK && ++broken <= CHUNKS_NAMED)
            ngff_judge_say(&c->judge, "DATA", "MUST", "%s", why.message);
    } while (ngff_box_next(&grid, idx));
    if (broken > CHUNKS_NAMED)
        ngff_judge_say(&c->judge, "DATA", "MUST", "%s: %d chunks in all are broken",
                       array->path, broken);
    return NGFF_OK;
}

static bool are_too_many(const ngff_zarr_array *array) {
    int64_t count = 1;
    for (int i = 0; i < array->meta.ndim; i++)
        if (!ngff_mul_i64(count, array->grid[i], &count) || count > CHUNKS_MAX)
            return true;
    return false;
}

static ngff_status check_chunks(checking *c, const ngff_zarr_array *array) {
    if (are_too_many(array)) {
        ngff_judge_say(&c->judge, "DATA", "SHOULD",
                       "%s: so many chunks that they are not read", array->path);
        return NGFF_OK;
    }
    ngff_codec_ctx *ctx = NULL;
    size_t size = ngff_codec_decoded_size(array->chain);
    void *pixels = ngff_alloc(c->alloc, size > 0 ? size : 1);
    ngff_status status = pixels ? ngff_codec_ctx_create(c->alloc, &ctx, c->err)
                                : ngff_fail_nomem(c->err, "a chunk", size);
    if (status == NGFF_OK)
        status = read_chunks(c, array, ctx, pixels);
    ngff_codec_ctx_close(&ctx);
    ngff_free(c->alloc, pixels);
    return status;
}

/* ---- arrays beside documents ---- */

typedef struct group {
    const char *path;
    const ngff_json *axes;
    int format;                                        /* of Zarr */
    ngff_ome_multiscales *ms;                          /* as read */
    int64_t first[NGFF_MAX_NDIM], last[NGFF_MAX_NDIM]; /* shapes: level 0, one above */
    ngff_dtype dtype;
    int level_count;
} group;

static void check_names(const checking *c, const group *g, const ngff_zarr_array *array) {
    const ngff_zarr_meta *m = &array->meta;
    if (m->zarr_format == 3 && !m->has_dimension_names) {
        ngff_judge_say(&c->judge, "AX-8", "MUST", "%s: no dimension_names", array->path);
        return;
    }
    for (int i = 0; m->zarr_format == 3 && i < m->ndim; i++) {
        const char *name =
            ngff_json_str(ngff_json_get(ngff_json_at(g->axes, (size_t)i), "name"));
        if (!name || strcmp(name, m->dimension_names[i]) != 0) {
            ngff_judge_say(&c->judge, "AX-9", "MUST",
                           "%s: dimension %d is named '%s', the axis '%s'", array->path,
                           i, m->dimension_names[i], name ? name : "");
            return;
        }
    }
}

static void check_shape(const checking *c, const group *g, int n,
                        const ngff_zarr_array *array) {
    const ngff_ome_dataset *here = &g->ms->level[n], *top = &g->ms->level[0];
    for (int i = 0; n > 0 && i < array->meta.ndim; i++) {
        const int64_t extent = array->meta.shape[i];
        double factor = here->scale[i] / top->scale[i];
        if (extent > g->last[i] || here->scale[i] < g->ms->level[n - 1].scale[i])
            ngff_judge_say(&c->judge, "MS-9", "MUST",
                           "%s: axis %d is finer than in the level before", array->path,
                           i);
        else if (fabs((double)g->first[i] / factor - (double)extent) > 1)
            ngff_judge_say(
                &c->judge, "MS-15", "SHOULD",
                "%s: axis %d: %lld elements of %lld, but a scale %g times that "
                "of level 0",
                array->path, i, (long long)extent, (long long)g->first[i], factor);
    }
}

static void check_array(const checking *c, group *g, int n,
                        const ngff_zarr_array *array) {
    const ngff_zarr_meta *m = &array->meta;
    if (m->zarr_format != g->format)
        ngff_judge_say(&c->judge, g->format == 3 ? "GEN-4" : "GEN-2", "MUST",
                       "%s: an array of Zarr v%d in a group of v%d", array->path,
                       m->zarr_format, g->format);
    if ((size_t)m->ndim != ngff_json_len(g->axes)) {
        ngff_judge_say(&c->judge, "AX-7", "MUST", "%s: %d dimensions, %zu axes",
                       array->path, m->ndim, ngff_json_len(g->axes));
        return;
    }
    if (n == 0) {
        g->dtype = m->dtype;
        memcpy(g->first, m->shape, sizeof g->first);
    }
    if (m->dtype != g->dtype)
        ngff_judge_say(&c->judge, "MS-23",
                       c->judge.version >= NGFF_V06 ? "MUST" : "SHOULD",
                       "%s: %s, level 0 is %s", array->path, ngff_dtype_name(m->dtype),
                       ngff_dtype_name(g->dtype));
    check_names(c, g, array);
    check_shape(c, g, n, array);
    memcpy(g->last, m->shape, sizeof g->last);
}

/* False: it could not be opened, and levels below say nothing more of shapes. */
static ngff_status check_level(checking *c, group *g, int n) {
    ngff_zarr_array *array = NULL;
    ngff_error why = {0};
    char path[NGFF_STORE_KEY_MAX];
    NGFF_TRY(ngff_image_join(g->path, g->ms->level[n].path, path, sizeof path, c->err));
    ngff_status status = ngff_zarr_array_open(c->alloc, c->store, path, &array, &why);
    if (is_trouble(status))
        return ngff_fail(c->err, status, "%s", why.message);
    if (status != NGFF_OK) {
        ngff_judge_say(&c->judge, "MS-8", "MUST", "%s", why.message);
        return NGFF_OK;
    }
    check_array(c, g, n, array);
    status = c->data ? check_chunks(c, array) : NGFF_OK;
    ngff_zarr_array_close(&array);
    return status;
}

/* ---- one image ---- */

static void check_channels(const checking *c, const group *g) {
    const ngff_image_desc *d = &g->ms->image.desc;
    for (int i = 0; i < d->ndim && d->channel_count > 0; i++)
        if (strcmp(d->axes[i].type, "channel") == 0 &&
            (size_t)g->first[i] != d->channel_count)
            ngff_judge_say(&c->judge, "OM-6", "SHOULD", "%zu channels described of %lld",
                           d->channel_count, (long long)g->first[i]);
}

static void check_versions(checking *c, const group *g) {
    char key[NGFF_STORE_KEY_MAX];
    uint64_t size;
    if (c->version != NGFF_VERSION_UNKNOWN && c->judge.version != c->version)
        ngff_judge_say(&c->judge, "GEN-7", c->version >= NGFF_V05 ? "MUST" : "SHOULD",
                       "OME-Zarr %s, the hierarchy is %s",
                       ngff_version_text(c->judge.version),
                       ngff_version_text(c->version));
    c->version = c->judge.version;
    if (g->format == 3 &&
        ngff_image_join(g->path, ".zgroup", key, sizeof key, NULL) == NGFF_OK &&
        ngff_store_size(c->store, key, &size, NULL) == NGFF_OK)
        ngff_judge_say(&c->judge, "GEN-9", "SHOULD",
                       "both zarr.json and .zgroup: some readers refuse that");
}

static ngff_status check_image(checking *c, group *g, const ngff_json *attributes) {
    ngff_ome_multiscales ms;
    ngff_error why = {0};
    const ngff_json *list = ngff_image_member(attributes, "multiscales");
    int before = c->broken;
    c->judge.where = g->path;
    ngff_ome_judge(&c->judge, attributes, g->format);
    check_versions(c, g);
    ngff_status status = ngff_ome_parse(c->alloc, attributes, 0, &ms, &why);
    if (status == NGFF_NOMEM)
        return ngff_fail(c->err, status, "%s", why.message);
    if (status != NGFF_OK) {
        if (c->broken == before) /* else the reason is told */
            ngff_judge_say(&c->judge, "READ", "MUST", "%s", why.message);
        return NGFF_OK;
    }
    g->axes = ngff_ome_raw_axes(ngff_json_at(list, 0));
    g->ms = &ms;
    g->level_count = ms.level_count;
    for (int n = 0; n < ms.level_count && status == NGFF_OK; n++)
        status = check_level(c, g, n);
    if (status == NGFF_OK)
        check_channels(c, g);
    ngff_ome_multiscales_reset(&ms);
    g->axes = NULL;
    g->ms = NULL;
    return status;
}

/* The group at `path`; `missing`: the rule that it breaks when it is no image. */
static ngff_status check_group(checking *c, const char *path, const char *missing,
                               group *g) {
    ngff_json *attributes = NULL;
    ngff_zarr_kind kind;
    ngff_error why = {0};
    *g = (group){.path = path};
    ngff_status status =
        ngff_zarr_node(c->store, path, &g->format, &kind, &attributes, &why);
    if (is_trouble(status))
        return ngff_fail(c->err, status, "%s", why.message);
    c->judge.where = path;
    if (status != NGFF_OK || !ngff_image_member(attributes, "multiscales")) {
        ngff_judge_say(&c->judge, missing, "MUST", "%s",
                       status != NGFF_OK ? why.message : "not an image");
        status = NGFF_OK;
    } else {
        status = check_image(c, g, attributes);
    }
    ngff_json_close(&attributes);
    return status;
}

/* ---- labels ---- */

static bool is_integer(ngff_dtype dtype) {
    return dtype >= NGFF_INT8 && dtype <= NGFF_UINT64;
}

static ngff_status check_label(checking *c, const char *labels, const char *name,
                               int level_count) {
    char path[NGFF_STORE_KEY_MAX];
    group g;
    NGFF_TRY(ngff_image_join(labels, name, path, sizeof path, c->err));
    NGFF_TRY(check_group(c, path, "LB-5", &g));
    if (g.level_count > 0 && !is_integer(g.dtype))
        ngff_judge_say(&c->judge, "LB-2", c->version >= NGFF_V05 ? "MUST" : "SHOULD",
                       "labels of %s, expected integers", ngff_dtype_name(g.dtype));
    if (g.level_count > 0 && g.level_count != level_count)
        ngff_judge_say(&c->judge, "LB-6", "MUST", "%d levels, the image has %d",
                       g.level_count, level_count);
    return NGFF_OK;
}

static ngff_status check_labels(checking *c, const group *image) {
    char path[NGFF_STORE_KEY_MAX];
    ngff_json *attributes = NULL;
    ngff_zarr_kind kind;
    int format;
    NGFF_TRY(ngff_image_join(image->path, "labels", path, sizeof path, c->err));
    if (ngff_zarr_node(c->store, path, &format, &kind, &attributes, NULL) != NGFF_OK)
        return NGFF_OK; /* there are none */
    const ngff_json *list = ngff_image_member(attributes, "labels");
    ngff_status status = NGFF_OK;
    c->judge.where = path;
    if (ngff_json_type_of(list) != NGFF_JSON_ARRAY)
        ngff_judge_say(&c->judge, "LB-1", c->version >= NGFF_V05 ? "MUST" : "SHOULD",
                       "no list \"labels\"");
    for (size_t i = 0; i < ngff_json_len(list) && status == NGFF_OK; i++) {
        const char *name = ngff_json_str(ngff_json_at(list, i));
        if (name && ngff_store_key_check(name, NULL) == NGFF_OK)
            status = check_label(c, path, name, image->level_count);
        else
            ngff_judge_say(&c->judge, "LB-1", "MUST", "labels[%zu] is no path", i);
    }
    ngff_json_close(&attributes);
    return status;
}

static ngff_status check_whole(checking *c, const char *path, const char *missing) {
    group g;
    NGFF_TRY(check_group(c, path, missing, &g));
    return g.level_count > 0 ? check_labels(c, &g) : NGFF_OK;
}

/* ---- the hierarchy ---- */

static int check_field(void *user, const ngff_plate_field *field) {
    checking *c = user;
    c->status = check_whole(c, field->path, "WE-2");
    return c->status != NGFF_OK;
}

/* The wells and images of a plate that are there, by their documents. */
static ngff_status check_plate(checking *c, const ngff_json *attributes) {
    ngff_error why = {0};
    ngff_status status =
        ngff_image_walk_plate(c->store, attributes, check_field, c, NULL, &why);
    if (c->status != NGFF_OK)
        return c->status;
    if (is_trouble(status))
        return ngff_fail(c->err, status, "%s", why.message);
    c->judge.where = "";
    if (status != NGFF_OK)
        ngff_judge_say(&c->judge, "READ", "MUST", "%s", why.message);
    return NGFF_OK;
}

static void archive_finding(void *user, const ngff_finding *f) {
    if (!f->kept)
        count(user, f);
}

static ngff_status check_root(checking *c) {
    ngff_json *attributes = NULL;
    ngff_zarr_kind kind;
    int format;
    NGFF_TRY(ngff_store_check_whole(c->store, c->err));
    NGFF_TRY(ngff_zarr_node(c->store, "", &format, &kind, &attributes, c->err));
    bool image = ngff_image_member(attributes, "multiscales") != NULL;
    bool plate = ngff_image_member(attributes, "plate") != NULL ||
                 ngff_image_member(attributes, "well") != NULL;
    ngff_status status = !image && plate ? check_plate(c, attributes) : NGFF_OK;
    ngff_json_close(&attributes);
    if (image)
        return check_whole(c, "", "MS-1");
    if (plate)
        return status;
    ngff_image_place place;
    NGFF_TRY(ngff_image_locate(c->alloc, c->store, "", -1, &place, c->err));
    ngff_json_close(&place.attributes);
    return check_whole(c, place.path, "BF-6");
}

ngff_status ngff_image_validate(const ngff_allocator *a, ngff_store *store, bool data,
                                ngff_finding_fn fn, void *user, ngff_error *err) {
    checking c = {
        .alloc = a, .store = store, .fn = fn, .user = user, .data = data, .err = err};
    c.judge = (ngff_judge){.fn = count, .user = &c, .where = ""};
    NGFF_TRY(check_root(&c));
    return ngff_store_is_ozx(store)
               ? ngff_image_judge_ozx(store, archive_finding, &c, err)
               : NGFF_OK;
}

/* ---- RFC-4 ---- */

ngff_status ngff_image_rfc4(ngff_store *store, ngff_json **out, ngff_error *err) {
    static const char *const names[] = {"zarr.json", ".zattrs"};
    ngff_json *document = NULL;
    ngff_status status = NGFF_NOT_FOUND;
    ngff_error why = {0};
    for (int i = 0; i < 2 && status == NGFF_NOT_FOUND; i++)
        status = ngff_zarr_doc_get(store, "", names[i], &document, &why);
    if (is_trouble(status))
        return ngff_fail(err, status, "%s", why.message);
    bool broken = status != NGFF_OK && status != NGFF_NOT_FOUND;
    status = ngff_ome_rfc4(document, broken ? "input-unreadable" : NULL, out, err);
    ngff_json_close(&document);
    return status;
}
