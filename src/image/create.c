/* image: preparing the arrays of a new image; nothing is written here. */
#include "image/inside.h"

#include <stdio.h>

#ifndef NGFF_VERSION_TEXT
#define NGFF_VERSION_TEXT "unknown"
#endif

#define CODEC_JSON_MAX ((size_t)64 << 10)

/* ---- codecs ---- */

static bool names_codec(const ngff_json *codec, const char *name) {
    const char *text = ngff_json_str(codec);
    if (!text)
        text = ngff_json_str(ngff_json_get(codec, "name"));
    return text && strcmp(text, name) == 0;
}

static bool list_names_codec(const ngff_json *list, const char *name) {
    for (size_t i = 0; i < ngff_json_len(list); i++) {
        if (names_codec(ngff_json_at(list, i), name))
            return true;
    }
    return false;
}

/* What the caller wrote: one codec, a list of bytes->bytes codecs, or all of them.
 * `given` is taken over. */
static ngff_status v3_list(ngff_json *given, ngff_json **out, ngff_error *err) {
    *out = given;
    if (ngff_json_type_of(given) == NGFF_JSON_ARRAY)
        return NGFF_OK;
    ngff_json *list = ngff_json_new_array();
    ngff_status status = NGFF_OK;
    if (ngff_json_type_of(given) == NGFF_JSON_NULL) /* null: no compression */
        ngff_json_close(&given);
    else
        status = ngff_json_push(list, given);
    *out = list;
    return list && status == NGFF_OK ? NGFF_OK : ngff_fail_nomem(err, "codecs", 0);
}

static ngff_status v3_codecs(ngff_json *list, ngff_dtype dtype, ngff_json **out,
                             ngff_error *err) {
    if (list_names_codec(list, "sharding_indexed"))
        return ngff_fail(err, NGFF_INVALID,
                         "codec: sharding is set by chunks per shard, not by its codec");
    if (list_names_codec(list, "bytes"))
        return ngff_json_dup(list, out, err);
    return ngff_codec_v3_codecs(dtype, list, out, err);
}

/* Zarr v2 takes one compressor; the message is the seed's. */
static ngff_status check_v2(ngff_json **given, ngff_error *err) {
    ngff_json_type type = ngff_json_type_of(*given);
    if (type == NGFF_JSON_OBJECT || type == NGFF_JSON_NULL)
        return NGFF_OK;
    ngff_json_close(given);
    if (type == NGFF_JSON_ARRAY)
        return ngff_fail(err, NGFF_INVALID,
                         "The argument `compressors` are not supported for OME-Zarr "
                         "version 0.4. (Zarr v3). Use `compression` instead.");
    return ngff_fail(err, NGFF_INVALID,
                     "codec: expected a numcodecs object with an \"id\", or null");
}

static ngff_status given_codec(const ngff_image_create_opts *opts, int zarr_format,
                               ngff_dtype dtype, ngff_json **out, ngff_error *err) {
    *out = NULL;
    if (!opts->codec_json)
        return ngff_codec_choice_json(&opts->codec, zarr_format, dtype, out, err);
    size_t size = strlen(opts->codec_json);
    if (size > CODEC_JSON_MAX)
        return ngff_fail(err, NGFF_LIMIT,
                         "codec: %zu bytes of JSON, expected at most %zu", size,
                         CODEC_JSON_MAX);
    ngff_status status =
        ngff_json_parse(opts->codec_json, size, NGFF_JSON_STRICT, out, err);
    if (status != NGFF_OK)
        return ngff_fail_at(err, NGFF_INVALID, "codec");
    return zarr_format == 2 ? check_v2(out, err) : NGFF_OK;
}

static ngff_status index_codecs(ngff_json **out, ngff_error *err) {
    static const char text[] =
        "[{\"name\":\"bytes\",\"configuration\":{\"endian\":\"little\"}},"
        "{\"name\":\"crc32c\"}]";
    return ngff_json_parse(text, sizeof text - 1, NGFF_JSON_STRICT, out, err);
}

static ngff_status set_codecs(ngff_zarr_meta *meta, const ngff_image_create_opts *opts,
                              ngff_error *err) {
    ngff_json *given, *list;
    NGFF_TRY(given_codec(opts, meta->zarr_format, meta->dtype, &given, err));
    if (meta->zarr_format == 2) {
        meta->compressor = given;
        return NGFF_OK;
    }
    ngff_status status = v3_list(given, &list, err);
    if (status == NGFF_OK)
        status = v3_codecs(list, meta->dtype, &meta->codecs, err);
    ngff_json_close(&list);
    if (status == NGFF_OK && meta->sharded)
        status = index_codecs(&meta->index_codecs, err);
    return status;
}

/* ---- levels ---- */

static ngff_status set_shapes(ngff_zarr_meta *meta, const ngff_image_level *level,
                              ngff_error *err) {
    for (int i = 0; i < meta->ndim; i++) {
        int64_t per = level->sharded ? level->per_shard[i] : 1;
        if (level->shape[i] < 1 || level->chunk[i] < 1 || per < 1 ||
            !ngff_mul_i64(level->chunk[i], per, &meta->shard[i]))
            return ngff_fail(err, NGFF_INVALID,
                             "axis %d: extent %lld, chunk %lld, %lld chunks per shard; "
                             "expected 1 or more of each",
                             i, (long long)level->shape[i], (long long)level->chunk[i],
                             (long long)per);
        meta->shape[i] = level->shape[i];
        meta->chunk[i] = level->chunk[i];
    }
    return NGFF_OK;
}

/* xarray finds the dimensions of v2 arrays here; in the nested layout they are on the
 * group, as ngff-zarr has it (finish.c). */
static ngff_status flat_attributes(const ngff_image *image, ngff_json **out,
                                   ngff_error *err) {
    *out = ngff_json_new_object();
    ngff_json *dims = ngff_json_new_array();
    ngff_status status = NGFF_OK;
    for (int i = 0; i < image->ms.image.desc.ndim && status == NGFF_OK; i++)
        status =
            ngff_json_push(dims, ngff_json_new_str(image->ms.image.desc.axes[i].name));
    if (!*out || status != NGFF_OK) {
        ngff_json_close(&dims);
        return ngff_fail_nomem(err, "array attributes", 0);
    }
    status = ngff_json_set(*out, "_ARRAY_DIMENSIONS", dims);
    return status == NGFF_OK ? NGFF_OK : ngff_fail_nomem(err, "array attributes", 0);
}

static ngff_status fill_meta(const ngff_image *image, const ngff_image_level *level,
                             ngff_zarr_meta *meta, ngff_error *err) {
    const ngff_image_create_opts *opts = &image->opts;
    const ngff_image_desc *desc = &image->ms.image.desc;
    meta->zarr_format = ngff_version_zarr_format(opts->version);
    meta->ndim = desc->ndim;
    meta->dtype = (ngff_dtype)desc->dtype;
    meta->sharded = level->sharded;
    meta->separator = opts->separator ? opts->separator : '/';
    meta->v2_keys = meta->zarr_format == 2;
    meta->order = 'C';
    if (opts->fill)
        memcpy(meta->fill, opts->fill, ngff_dtype_size(meta->dtype));
    NGFF_TRY(set_shapes(meta, level, err));
    if (meta->zarr_format == 2 && meta->sharded)
        return ngff_fail(err, NGFF_INVALID, "Zarr v2 (OME-Zarr %s) has no shards",
                         ngff_version_text(opts->version));
    if (meta->zarr_format == 2 && opts->flat)
        NGFF_TRY(flat_attributes(image, &meta->attributes, err));
    meta->has_dimension_names = meta->zarr_format == 3;
    for (int i = 0; i < desc->ndim && meta->has_dimension_names; i++)
        (void)ngff_copy_text(meta->dimension_names[i], sizeof meta->dimension_names[i],
                             desc->axes[i].name);
    return set_codecs(meta, opts, err);
}

/* A codec that the caller wrote down must be one that can be written; what is wrong with
 * it is the caller's mistake, not a broken document. */
static ngff_status make_array(const ngff_image *image, const char *path,
                              ngff_zarr_meta *meta, ngff_zarr_array **out,
                              ngff_error *err) {
    ngff_status status =
        ngff_zarr_array_create(image->alloc, image->store, path, meta, out, err);
    if (status == NGFF_FORMAT && image->opts.codec_json)
        return ngff_fail_at(err, NGFF_INVALID, "codec");
    if (status != NGFF_OK)
        return status;
    const char *name = ngff_codec_decode_only((*out)->chain);
    return name ? ngff_fail(err, NGFF_UNSUPPORTED,
                            "codec %s is read, but not written by this build", name)
                : NGFF_OK;
}

static ngff_status create_level(ngff_image *image, int n, const ngff_image_level *level,
                                ngff_error *err) {
    ngff_ome_dataset *dataset = &image->ms.level[n];
    char name[256];
    ngff_zarr_meta meta = {0};
    ngff_ome_path_name(image->ms.image.desc.name, name, sizeof name);
    if (image->opts.flat)
        snprintf(dataset->path, sizeof dataset->path, "%d", n);
    else
        snprintf(dataset->path, sizeof dataset->path, "scale%d/%s", n, name);
    memcpy(dataset->scale, level->scale, sizeof dataset->scale);
    memcpy(dataset->translation, level->translation, sizeof dataset->translation);
    dataset->has_scale = true;
    dataset->has_translation = true;
    ngff_status status = fill_meta(image, level, &meta, err);
    if (status == NGFF_OK)
        status = make_array(image, dataset->path, &meta, &image->level[n], err);
    ngff_zarr_meta_reset(&meta);
    return status == NGFF_OK ? NGFF_OK : ngff_fail_at(err, status, "%s", dataset->path);
}

/* ---- the document ---- */

static ngff_status make_metadata(ngff_image *image, const ngff_image_create_opts *opts,
                                 ngff_error *err) {
    char method[96];
    snprintf(method, sizeof method, "libngff.%s",
             opts->method ? opts->method : image->ms.type);
    const char *description = opts->method_description ? opts->method_description : "";
    image->ms.metadata = ngff_json_new_object();
    ngff_json *m = image->ms.metadata;
    if (!m ||
        ngff_json_set(m, "description", ngff_json_new_str(description)) != NGFF_OK ||
        ngff_json_set(m, "method", ngff_json_new_str(method)) != NGFF_OK ||
        ngff_json_set(m, "version", ngff_json_new_str(NGFF_VERSION_TEXT)) != NGFF_OK)
        return ngff_fail_nomem(err, "the method's metadata", 0);
    return NGFF_OK;
}

/* "type" and "metadata" say how the coarser levels were made; without any there is
 * nothing to say. */
static ngff_status set_method(ngff_image *image, const ngff_image_create_opts *opts,
                              ngff_error *err) {
    const char *type = opts->type ? opts->type : "";
    if (!opts->copied && (!type[0] || image->level_count < 2))
        return NGFF_OK;
    if (strlen(type) >= sizeof image->ms.type)
        return ngff_fail(err, NGFF_INVALID, "type '%.64s' is longer than %zu bytes", type,
                         sizeof image->ms.type - 1);
    (void)ngff_copy_text(image->ms.type, sizeof image->ms.type, type);
    if (!opts->copied)
        return make_metadata(image, opts, err);
    return opts->metadata ? ngff_json_dup(opts->metadata, &image->ms.metadata, err)
                          : NGFF_OK;
}

/* Refused here, before any pixel. */
static ngff_status set_coordinates(ngff_image *image, const char *json, ngff_error *err) {
    if (!json)
        return NGFF_OK;
    if (image->ms.version < NGFF_V06)
        return ngff_fail(err, NGFF_INVALID,
                         "OME-Zarr %s has no coordinate systems, 0.6 has",
                         ngff_version_text(image->ms.version));
    ngff_status s =
        ngff_json_parse(json, strlen(json), NGFF_JSON_STRICT, &image->ms.more, err);
    if (s != NGFF_OK)
        return ngff_fail_at(err, NGFF_INVALID, "coordinates_json");
    return ngff_ome_check_more(image->ms.more, image->ms.image.desc.ndim, err);
}

static ngff_status fill_image(ngff_image *image, const ngff_image_desc *desc,
                              const ngff_image_level *levels,
                              const ngff_image_create_opts *opts, ngff_error *err) {
    image->ms.version = opts->version;
    image->ms.level_count = image->level_count;
    NGFF_TRY(ngff_ome_image_copy(image->alloc, desc, &image->ms.image, err));
    NGFF_TRY(set_method(image, opts, err));
    NGFF_TRY(set_coordinates(image, opts->coordinates_json, err));
    for (int n = 0; n < image->level_count; n++)
        NGFF_TRY(create_level(image, n, &levels[n], err));
    image->opts.codec_json = image->opts.type = image->opts.method_description = NULL;
    image->opts.method = NULL;
    image->opts.metadata = NULL;
    image->opts.coordinates_json = NULL;
    image->opts.codec.name = NULL;
    image->opts.fill = NULL;
    return NGFF_OK;
}

ngff_status ngff_image_create(const ngff_allocator *a, ngff_store *store,
                              const ngff_image_desc *desc, const ngff_image_level *levels,
                              const ngff_image_create_opts *opts, ngff_image **out,
                              ngff_error *err) {
    *out = NULL;
    NGFF_TRY(ngff_version_check_written(opts->version, err));
    int most = (int)(sizeof((ngff_image *)0)->level / sizeof(ngff_zarr_array *));
    if (opts->level_count < 1 || opts->level_count > most)
        return ngff_fail(err, NGFF_INVALID, "%d levels, expected 1 to %d",
                         opts->level_count, most);
    NGFF_TRY(ngff_ome_check(desc, err));
    if (opts->emit.orientation)
        NGFF_TRY(ngff_ome_check_orientation(desc, err));
    ngff_image *image = ngff_calloc(a, 1, sizeof *image);
    if (!image)
        return ngff_fail_nomem(err, "an image", sizeof *image);
    image->alloc = a;
    image->store = store;
    image->level_count = opts->level_count;
    image->opts = *opts;
    ngff_status status = fill_image(image, desc, levels, opts, err);
    if (status != NGFF_OK)
        ngff_image_close(&image);
    *out = image;
    return status;
}

void ngff_image_close(ngff_image **image) {
    ngff_image *i = *image;
    *image = NULL;
    if (!i)
        return;
    for (int n = 0; n < i->level_count; n++)
        ngff_zarr_array_close(&i->level[n]);
    ngff_ome_multiscales_reset(&i->ms);
    ngff_json_close(&i->root_attributes);
    ngff_free(i->alloc, i);
}

void ngff_image_set_extent(ngff_image *image, int64_t extent) {
    image->ms.image.desc.shape[0] = extent;
    for (int n = 0; n < image->level_count; n++)
        ngff_zarr_array_set_extent(image->level[n], extent);
}

void ngff_image_drop_last(ngff_image *image) {
    assert(image->level_count > 1);
    image->ms.level_count = --image->level_count;
    ngff_zarr_array_close(&image->level[image->level_count]);
    if (image->level_count > 1)
        return;
    image->ms.type[0] = '\0'; /* nothing was reduced */
    ngff_json_close(&image->ms.metadata);
}
