/* zarr: reading a v3 array document (core 3.1, requirements Z3-*). */
#include "zarr/inside.h"

/* An extension point: an object {name, configuration?} or a bare string (Z3-11). */
static const char *name_of(const ngff_json *node, const ngff_json **config) {
    *config = ngff_json_get(node, "configuration");
    const char *text = ngff_json_str(node);
    return text ? text : ngff_json_str(ngff_json_get(node, "name"));
}

/* Z3-9: what is not known must say that it need not be understood. */
static ngff_status check_members(const ngff_json *doc, ngff_error *err) {
    static const char *const known[] = {
        "zarr_format",         "node_type",  "shape",  "data_type",  "chunk_grid",
        "chunk_key_encoding",  "fill_value", "codecs", "attributes", "dimension_names",
        "storage_transformers"};
    for (size_t i = 0; i < ngff_json_len(doc); i++) {
        const char *name = NULL;
        const ngff_json *node = ngff_json_member(doc, i, &name);
        bool must = true, is_known = false;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
            is_known = is_known || strcmp(name, known[k]) == 0;
        if (is_known ||
            (ngff_json_bool(ngff_json_get(node, "must_understand"), &must) && !must))
            continue;
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "unknown member \"%s\" without \"must_understand\": false",
                         name);
    }
    const ngff_json *transformers = ngff_json_get(doc, "storage_transformers");
    if (ngff_json_len(transformers) > 0)
        return ngff_fail(err, NGFF_UNSUPPORTED, "\"storage_transformers\" is not empty");
    return NGFF_OK;
}

static ngff_status parse_kind(const ngff_json *doc, ngff_error *err) {
    int64_t format;
    const char *type = ngff_json_str(ngff_json_get(doc, "node_type"));
    if (!ngff_json_i64(ngff_json_get(doc, "zarr_format"), &format) || format != 3)
        return ngff_fail(err, NGFF_FORMAT, "\"zarr_format\" is not 3");
    if (!type || strcmp(type, "array") != 0)
        return ngff_fail(err, NGFF_FORMAT, "\"node_type\" is \"%s\", not \"array\"",
                         type ? type : "missing");
    return NGFF_OK;
}

static ngff_status parse_dtype(const ngff_json *doc, ngff_zarr_meta *m, ngff_error *err) {
    const ngff_json *config;
    const char *name = name_of(ngff_json_get(doc, "data_type"), &config);
    if (!name)
        return ngff_fail(err, NGFF_FORMAT, "\"data_type\" is missing");
    m->dtype = ngff_dtype_from_name(name);
    if (m->dtype == NGFF_DTYPE_NONE)
        return ngff_fail(err, NGFF_UNSUPPORTED, "data type \"%s\"", name);
    return NGFF_OK;
}

static ngff_status parse_grid(const ngff_json *doc, ngff_zarr_meta *m, ngff_error *err) {
    const ngff_json *config;
    const ngff_json *shape = ngff_json_get(doc, "shape");
    const char *name = name_of(ngff_json_get(doc, "chunk_grid"), &config);
    if (ngff_json_type_of(shape) != NGFF_JSON_ARRAY)
        return ngff_fail(err, NGFF_FORMAT, "\"shape\" is not a list");
    if (ngff_json_len(shape) > NGFF_MAX_NDIM)
        return ngff_fail(err, NGFF_UNSUPPORTED, "%zu dimensions, at most %d are handled",
                         ngff_json_len(shape), NGFF_MAX_NDIM);
    m->ndim = (int)ngff_json_len(shape);
    NGFF_TRY(ngff_zarr_shape_parse(shape, "shape", 0, m->ndim, m->shape, err));
    if (!name)
        return ngff_fail(err, NGFF_FORMAT, "\"chunk_grid\" is missing");
    if (strcmp(name, "regular") != 0)
        return ngff_fail(err, NGFF_UNSUPPORTED, "chunk grid \"%s\"", name);
    return ngff_zarr_shape_parse(ngff_json_get(config, "chunk_shape"), "chunk_shape", 1,
                                 m->ndim, m->chunk, err);
}

static ngff_status parse_key_encoding(const ngff_json *doc, ngff_zarr_meta *m,
                                      ngff_error *err) {
    const ngff_json *config;
    const char *name = name_of(ngff_json_get(doc, "chunk_key_encoding"), &config);
    const ngff_json *node = ngff_json_get(config, "separator");
    const char *separator = ngff_json_str(node);
    if (!name)
        return ngff_fail(err, NGFF_FORMAT, "\"chunk_key_encoding\" is missing");
    m->v2_keys = strcmp(name, "v2") == 0;
    if (!m->v2_keys && strcmp(name, "default") != 0)
        return ngff_fail(err, NGFF_UNSUPPORTED, "chunk key encoding \"%s\"", name);
    m->separator = m->v2_keys ? '.' : '/';
    if (!node)
        return NGFF_OK;
    if (!separator || (strcmp(separator, "/") != 0 && strcmp(separator, ".") != 0))
        return ngff_fail(err, NGFF_FORMAT, "\"separator\" is not \"/\" or \".\"");
    m->separator = separator[0];
    return NGFF_OK;
}

static ngff_status parse_names(const ngff_json *doc, ngff_zarr_meta *m, ngff_error *err) {
    const ngff_json *names = ngff_json_get(doc, "dimension_names");
    if (ngff_json_type_of(names) == NGFF_JSON_NULL)
        return NGFF_OK;
    if (ngff_json_type_of(names) != NGFF_JSON_ARRAY ||
        ngff_json_len(names) != (size_t)m->ndim)
        return ngff_fail(err, NGFF_FORMAT, "\"dimension_names\" is not a list of %d",
                         m->ndim);
    for (int i = 0; i < m->ndim; i++) {
        const ngff_json *node = ngff_json_at(names, (size_t)i);
        const char *name = ngff_json_str(node);
        if (!name && ngff_json_type_of(node) != NGFF_JSON_NULL)
            return ngff_fail(err, NGFF_FORMAT, "\"dimension_names\" holds no text");
        ngff_copy_text(m->dimension_names[i], sizeof m->dimension_names[i],
                       name ? name : "");
    }
    m->has_dimension_names = true;
    return NGFF_OK;
}

static ngff_status parse_shard(const ngff_json *config, ngff_zarr_meta *m,
                               ngff_error *err) {
    const ngff_json *node = ngff_json_get(config, "index_location");
    const char *place = node ? ngff_json_str(node) : "end";
    m->sharded = true;
    memcpy(m->shard, m->chunk, sizeof m->shard);
    NGFF_TRY(ngff_zarr_shape_parse(ngff_json_get(config, "chunk_shape"),
                                   "sharding_indexed chunk_shape", 1, m->ndim, m->chunk,
                                   err));
    if (!place || (strcmp(place, "start") != 0 && strcmp(place, "end") != 0))
        return ngff_fail(err, NGFF_FORMAT,
                         "\"index_location\" is not \"start\" or \"end\"");
    m->index_at_start = strcmp(place, "start") == 0;
    NGFF_TRY(ngff_json_dup(ngff_json_get(config, "codecs"), &m->codecs, err));
    return ngff_json_dup(ngff_json_get(config, "index_codecs"), &m->index_codecs, err);
}

static ngff_status parse_codecs(const ngff_json *doc, ngff_zarr_meta *m,
                                ngff_error *err) {
    const ngff_json *codecs = ngff_json_get(doc, "codecs");
    const ngff_json *config, *shard = NULL;
    size_t count = ngff_json_len(codecs);
    memcpy(m->shard, m->chunk, sizeof m->shard);
    if (ngff_json_type_of(codecs) != NGFF_JSON_ARRAY || count == 0)
        return ngff_fail(err, NGFF_FORMAT, "\"codecs\" is not a list with members");
    for (size_t i = 0; i < count; i++) {
        const char *name = name_of(ngff_json_at(codecs, i), &config);
        if (name && strcmp(name, "sharding_indexed") == 0)
            shard = config;
    }
    if (!shard)
        return ngff_json_dup(codecs, &m->codecs, err);
    if (count > 1)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "codec sharding_indexed together with other codecs");
    return parse_shard(shard, m, err);
}

static ngff_status parse(const ngff_json *doc, ngff_zarr_meta *m, ngff_error *err) {
    NGFF_TRY(parse_kind(doc, err));
    NGFF_TRY(check_members(doc, err));
    NGFF_TRY(parse_dtype(doc, m, err));
    NGFF_TRY(parse_grid(doc, m, err));
    NGFF_TRY(parse_key_encoding(doc, m, err));
    const ngff_json *fill = ngff_json_get(doc, "fill_value");
    if (!fill || ngff_json_type_of(fill) == NGFF_JSON_NULL)
        return ngff_fail(err, NGFF_FORMAT, "\"fill_value\" is missing");
    NGFF_TRY(ngff_zarr_fill_parse(fill, m->dtype, 3, m->fill, err));
    NGFF_TRY(parse_names(doc, m, err));
    NGFF_TRY(parse_codecs(doc, m, err));
    const ngff_json *attributes =
        ngff_json_get(doc, "attributes"); /* may be absent: T26 */
    if (attributes && ngff_json_type_of(attributes) != NGFF_JSON_OBJECT)
        return ngff_fail(err, NGFF_FORMAT, "\"attributes\" is not an object");
    if (attributes)
        NGFF_TRY(ngff_json_dup(attributes, &m->attributes, err));
    return ngff_zarr_meta_check(m, err);
}

ngff_status ngff_zarr_meta_parse_v3(const ngff_json *doc, ngff_zarr_meta *out,
                                    ngff_error *err) {
    *out = (ngff_zarr_meta){.zarr_format = 3, .order = 'C'};
    if (ngff_json_type_of(doc) != NGFF_JSON_OBJECT)
        return ngff_fail(err, NGFF_FORMAT, "zarr.json holds no object");
    ngff_status status = parse(doc, out, err);
    if (status != NGFF_OK)
        ngff_zarr_meta_reset(out);
    return status;
}
