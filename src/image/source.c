/* image: a Zarr array or an OME-Zarr image as a source of pixels. Reads from any number
 * of threads: each read borrows a codec context from a pool that grows to as many as read
 * at once. */
#include "image/inside.h"
#include "sys/sys.h"

#include <stdio.h>

typedef struct context {
    struct context *next;
    ngff_codec_ctx *codec;
} context;

typedef struct zarr_source {
    ngff_source base;
    ngff_store *store;
    ngff_image *image;                          /* NULL: a plain array */
    ngff_zarr_array *array;                     /* plain array; owned */
    ngff_zarr_array *level[NGFF_SOURCE_LEVELS]; /* borrowed from the two above */
    ngff_mutex *mutex;
    context *idle;
} zarr_source;

/* ---- reading ---- */

static ngff_status borrow(zarr_source *z, context **out, ngff_error *err) {
    ngff_mutex_lock(z->mutex);
    context *c = z->idle;
    if (c)
        z->idle = c->next;
    ngff_mutex_unlock(z->mutex);
    *out = c;
    if (c)
        return NGFF_OK;
    c = ngff_calloc(z->base.alloc, 1, sizeof *c);
    if (!c)
        return ngff_fail_nomem(err, "a reader", sizeof *c);
    ngff_status status = ngff_codec_ctx_create(z->base.alloc, &c->codec, err);
    if (status != NGFF_OK)
        ngff_free(z->base.alloc, c);
    *out = status == NGFF_OK ? c : NULL;
    return status;
}

static void give_back(zarr_source *z, context *c) {
    ngff_mutex_lock(z->mutex);
    c->next = z->idle;
    z->idle = c;
    ngff_mutex_unlock(z->mutex);
}

static ngff_status zarr_read_level(ngff_source *s, int level, const ngff_box *box,
                                   const ngff_view *out, ngff_error *err) {
    zarr_source *z = (zarr_source *)s;
    context *c;
    assert(level >= 0 && level < s->level_count);
    NGFF_TRY(borrow(z, &c, err));
    ngff_status status = ngff_zarr_read(z->level[level], c->codec, box, out, err);
    give_back(z, c);
    return status;
}

static ngff_status zarr_read(ngff_source *s, const ngff_box *box, const ngff_view *out,
                             ngff_error *err) {
    return zarr_read_level(s, 0, box, out, err);
}

static void zarr_close(ngff_source *s) {
    zarr_source *z = (zarr_source *)s;
    while (z->idle) {
        context *c = z->idle;
        z->idle = c->next;
        ngff_codec_ctx_close(&c->codec);
        ngff_free(s->alloc, c);
    }
    ngff_mutex_close(&z->mutex);
    ngff_image_close(&z->image);
    ngff_zarr_array_close(&z->array);
    ngff_store_drop(&z->store);
}

static const ngff_source_vtable zarr_ops = {
    .kind = "zarr",
    .read = zarr_read,
    .read_level = zarr_read_level,
    .close = zarr_close,
};

/* ---- describing ---- */

static bool is_compressed(const ngff_zarr_meta *meta) {
    return meta->zarr_format == 2 ? ngff_json_type_of(meta->compressor) != NGFF_JSON_NULL
                                  : ngff_json_len(meta->codecs) > 1;
}

static void set_traits(zarr_source *z) {
    const ngff_zarr_array *first = z->level[0];
    ngff_source_traits *t = &z->base.traits;
    for (int i = 0; i < first->meta.ndim; i++)
        t->unit[i] = ngff_min_i64(first->meta.chunk[i], first->meta.shape[i]);
    t->reentrant = true;
    t->compressed = is_compressed(&first->meta);
    t->memory = ngff_codec_ctx_size(first->chain) +
                ngff_codec_decoded_size(first->chain) +
                ngff_codec_encoded_bound(first->chain);
}

static void set_levels(zarr_source *z, ngff_zarr_array *const *levels, int count) {
    count = count < NGFF_SOURCE_LEVELS ? count : NGFF_SOURCE_LEVELS;
    for (int n = 0; n < count; n++) {
        z->level[n] = levels[n];
        memcpy(z->base.level_shape[n], levels[n]->meta.shape,
               sizeof levels[n]->meta.shape);
    }
    z->base.level_count = count;
}

/* "dir/name.ome.zarr/" -> "name" */
static void name_of(const char *location, char *out, size_t out_size) {
    static const char *const endings[] = {".ozx", ".zip", ".zarr", ".ome", ".n5"};
    char work[4096];
    (void)ngff_copy_text(work, sizeof work, location);
    size_t len = strlen(work);
    while (len > 0 && work[len - 1] == '/')
        work[--len] = '\0';
    char *name = strrchr(work, '/');
    name = name ? name + 1 : work;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t cut = strlen(endings[i]);
        if (ngff_ends_with(name, endings[i]) && strlen(name) > cut)
            name[strlen(name) - cut] = '\0';
    }
    (void)ngff_copy_text(out, out_size, name[0] ? name : "image");
}

/* The dimensions' names as "t,c,z,y,x" when there is one for each; false otherwise. */
static bool join_dims(const ngff_zarr_meta *meta, char *out, size_t out_size) {
    const ngff_json *list = ngff_json_get(meta->attributes, "_ARRAY_DIMENSIONS");
    size_t used = 0;
    for (int i = 0; i < meta->ndim; i++) {
        const char *name = meta->has_dimension_names
                               ? meta->dimension_names[i]
                               : ngff_json_str(ngff_json_at(list, (size_t)i));
        if (!name || !name[0] || strchr(name, ','))
            return false;
        int n = snprintf(out + used, out_size - used, "%s%s", i ? "," : "", name);
        if (n < 0 || (size_t)n >= out_size - used)
            return false;
        used += (size_t)n;
    }
    return true;
}

/* Axes of a plain array: the caller's, its own where they are an image's, else by number.
 */
static ngff_status plain_axes(const ngff_zarr_meta *meta, const char *dims,
                              ngff_axis *axes, ngff_error *err) {
    char own[512];
    if (dims)
        return ngff_ome_axes_from_dims(dims, meta->ndim, axes, err);
    if (join_dims(meta, own, sizeof own) &&
        ngff_ome_axes_from_dims(own, meta->ndim, axes, NULL) == NGFF_OK)
        return NGFF_OK;
    if (meta->ndim > 5)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "an array of %d dimensions, expected 1 to 5", meta->ndim);
    ngff_ome_axes_default(meta->ndim, axes);
    return NGFF_OK;
}

static ngff_status describe_plain(zarr_source *z, const ngff_source_open_opts *opts,
                                  ngff_error *err) {
    const ngff_zarr_meta *meta = &z->array->meta;
    ngff_image_desc desc = NGFF_IMAGE_DESC_INIT;
    desc.dtype = (int32_t)meta->dtype;
    desc.ndim = meta->ndim;
    memcpy(desc.shape, meta->shape, sizeof desc.shape);
    NGFF_TRY(plain_axes(meta, opts->dims, desc.axes, err));
    name_of(z->base.location, desc.name, sizeof desc.name);
    return ngff_ome_image_copy(z->base.alloc, &desc, &z->base.image, err);
}

/* Another order of names keeps each axis' numbers where they are. */
static ngff_status rename_axes(ngff_image_desc *desc, const char *dims, ngff_error *err) {
    ngff_axis axes[NGFF_MAX_NDIM] = {0};
    NGFF_TRY(ngff_ome_axes_from_dims(dims, desc->ndim, axes, err));
    for (int i = 0; i < desc->ndim; i++) {
        bool same_type = strcmp(axes[i].type, desc->axes[i].type) == 0;
        axes[i].scale = desc->axes[i].scale;
        axes[i].translation = desc->axes[i].translation;
        if (same_type)
            memcpy(axes[i].unit, desc->axes[i].unit, sizeof axes[i].unit);
        desc->axes[i] = axes[i];
    }
    return NGFF_OK;
}

/* Levels that are too many to be read are no pyramid to be copied. */
static void describe_levels(zarr_source *z) {
    const ngff_ome_multiscales *ms = &z->image->ms;
    ngff_source_pyramid *p = &z->base.pyramid;
    p->placed = z->base.level_count == z->image->level_count;
    p->flat = true;
    for (int n = 0; n < z->base.level_count; n++) {
        memcpy(p->scale[n], ms->level[n].scale, sizeof p->scale[n]);
        memcpy(p->translation[n], ms->level[n].translation, sizeof p->translation[n]);
        memcpy(p->chunk[n], z->level[n]->meta.chunk, sizeof p->chunk[n]);
        p->flat = p->flat && !strchr(ms->level[n].path, '/');
    }
    p->type = ms->type[0] ? ms->type : NULL;
    p->metadata = ms->metadata;
}

static ngff_status describe_image(zarr_source *z, const ngff_source_open_opts *opts,
                                  ngff_error *err) {
    const ngff_image_desc *desc = &z->image->ms.image.desc;
    NGFF_TRY(ngff_ome_image_copy(z->base.alloc, desc, &z->base.image, err));
    ngff_image_desc *own = &z->base.image.desc;
    if (!own->name[0] || strcmp(own->name, "/") == 0)
        name_of(z->base.location, own->name, sizeof own->name);
    return opts->dims ? rename_axes(own, opts->dims, err) : NGFF_OK;
}

/* ---- opening ---- */

static ngff_status open_array(zarr_source *z, const ngff_source_open_opts *opts,
                              ngff_error *err) {
    NGFF_TRY(ngff_store_check_whole(z->store, err));
    NGFF_TRY(ngff_zarr_array_open(z->base.alloc, z->store, "", &z->array, err));
    set_levels(z, &z->array, 1);
    return describe_plain(z, opts, err);
}

static ngff_status open_image(zarr_source *z, const ngff_source_open_opts *opts,
                              ngff_error *err) {
    ngff_image_place place;
    NGFF_TRY(ngff_image_locate(z->base.alloc, z->store, "", opts->series, &place, err));
    NGFF_TRY(ngff_image_open_place(z->base.alloc, z->store, &place, &z->image, err));
    set_levels(z, z->image->level, z->image->level_count);
    describe_levels(z);
    return describe_image(z, opts, err);
}

static ngff_status open_node(zarr_source *z, const ngff_source_open_opts *opts,
                             ngff_error *err) {
    const ngff_store_open_opts read = {.mode = NGFF_STORE_READ};
    const ngff_allocator *a = z->base.alloc;
    int format;
    ngff_zarr_kind kind;
    ngff_json *attributes = NULL;
    NGFF_TRY(ngff_mutex_create(a, &z->mutex, err));
    NGFF_TRY(ngff_store_at(a, z->base.location, &read, &z->store, err));
    NGFF_TRY(ngff_zarr_node(z->store, "", &format, &kind, &attributes, err));
    ngff_json_close(&attributes);
    NGFF_TRY(kind == NGFF_ZARR_ARRAY ? open_array(z, opts, err)
                                     : open_image(z, opts, err));
    set_traits(z);
    return NGFF_OK;
}

ngff_status ngff_image_source_open(const ngff_allocator *a, const char *location,
                                   const ngff_source_open_opts *opts, ngff_source **out,
                                   ngff_error *err) {
    static const ngff_source_open_opts defaults = {.series = -1};
    *out = NULL;
    zarr_source *z = ngff_calloc(a, 1, sizeof *z);
    if (!z)
        return ngff_fail_nomem(err, "a source", sizeof *z);
    z->base.ops = &zarr_ops;
    z->base.alloc = a;
    z->base.image.alloc = a;
    z->base.location = ngff_strdup(a, location);
    ngff_source *source = &z->base;
    ngff_status status = z->base.location ? open_node(z, opts ? opts : &defaults, err)
                                          : ngff_fail_nomem(err, "a source", 1);
    if (status != NGFF_OK) {
        ngff_source_drop(&source);
        return ngff_fail_origin(err, ngff_fail_at(err, status, "%s", location),
                                NGFF_ORIGIN_INPUT);
    }
    return ngff_source_canonical(source, out, err);
}

ngff_status ngff_image_source_of(ngff_image *image, int count, ngff_source **out,
                                 ngff_error *err) {
    *out = NULL;
    if (count > NGFF_SOURCE_LEVELS)
        return ngff_fail(err, NGFF_UNSUPPORTED, "%d levels to be read, at most %d", count,
                         NGFF_SOURCE_LEVELS);
    zarr_source *z = ngff_calloc(image->alloc, 1, sizeof *z);
    if (!z)
        return ngff_fail_nomem(err, "a source", sizeof *z);
    z->base.ops = &zarr_ops;
    z->base.alloc = image->alloc;
    z->base.image.alloc = image->alloc;
    ngff_source *source = &z->base;
    z->base.location = ngff_strdup(image->alloc, image->store->location);
    ngff_status status = z->base.location
                             ? ngff_mutex_create(image->alloc, &z->mutex, err)
                             : ngff_fail_nomem(err, "a source", 1);
    for (int n = 0; n < count && status == NGFF_OK; n++)
        status = ngff_zarr_array_keep_indices(image->level[n], err);
    if (status == NGFF_OK)
        status =
            ngff_ome_image_copy(image->alloc, &image->ms.image.desc, &z->base.image, err);
    if (status != NGFF_OK) {
        ngff_source_drop(&source);
        return status;
    }
    set_levels(z, image->level, count);
    set_traits(z);
    *out = source;
    return NGFF_OK;
}

bool ngff_image_is_zarr(const char *location) {
    static const char *const documents[] = {"zarr.json", ".zgroup", ".zarray", ".zattrs"};
    const ngff_store_open_opts read = {.mode = NGFF_STORE_READ};
    ngff_store *store;
    bool found = false;
    uint64_t size;
    if (strcmp(location, "memory://") == 0)
        return false;
    if (ngff_store_at(NULL, location, &read, &store, NULL) != NGFF_OK)
        return ngff_ends_with(location, ".ozx"); /* opening it again will say why not */
    for (size_t i = 0; i < sizeof documents / sizeof documents[0] && !found; i++)
        found = ngff_store_size(store, documents[i], &size, NULL) == NGFF_OK;
    ngff_store_drop(&store);
    return found;
}
