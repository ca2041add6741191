/* zarr: array metadata: shared checks, and the documents in the member order of
 * zarr-python. */
#include "zarr/inside.h"

void ngff_zarr_meta_reset(ngff_zarr_meta *meta) {
    ngff_json_close(&meta->codecs);
    ngff_json_close(&meta->index_codecs);
    ngff_json_close(&meta->compressor);
    ngff_json_close(&meta->filters);
    ngff_json_close(&meta->attributes);
    *meta = (ngff_zarr_meta){0};
}

/* Far beyond any image, far below an overflow of index times extent. */
#define EXTENT_LIMIT ((int64_t)1 << 60)

ngff_status ngff_zarr_shape_parse(const ngff_json *node, const char *what, int64_t lo,
                                  int ndim, int64_t *out, ngff_error *err) {
    if (ngff_json_type_of(node) != NGFF_JSON_ARRAY || ngff_json_len(node) != (size_t)ndim)
        return ngff_fail(err, NGFF_FORMAT, "\"%s\" is not a list of %d integers", what,
                         ndim);
    for (int i = 0; i < ndim; i++) {
        if (!ngff_json_i64(ngff_json_at(node, (size_t)i), &out[i]) || out[i] < lo)
            return ngff_fail(err, NGFF_FORMAT,
                             "\"%s\"[%d] is not an integer from %lld on", what, i,
                             (long long)lo);
        if (out[i] > EXTENT_LIMIT)
            return ngff_fail(err, NGFF_LIMIT, "\"%s\"[%d] is %lld", what, i,
                             (long long)out[i]);
    }
    return NGFF_OK;
}

ngff_json *ngff_zarr_shape_emit(int ndim, const int64_t *shape) {
    ngff_json *list = ngff_json_new_array();
    for (int i = 0; i < ndim && list; i++) {
        if (ngff_json_push(list, ngff_json_new_i64(shape[i])) != NGFF_OK)
            ngff_json_close(&list);
    }
    return list;
}

ngff_status ngff_zarr_meta_check(const ngff_zarr_meta *m, ngff_error *err) {
    if (m->ndim < 0 || m->ndim > NGFF_MAX_NDIM)
        return ngff_fail(err, NGFF_INVALID, "%d dimensions, at most %d are handled",
                         m->ndim, NGFF_MAX_NDIM);
    for (int i = 0; i < m->ndim; i++) {
        if (m->shape[i] < 0 || m->shape[i] > EXTENT_LIMIT || m->chunk[i] < 1 ||
            m->chunk[i] > EXTENT_LIMIT || m->shard[i] < 1 || m->shard[i] > EXTENT_LIMIT)
            return ngff_fail(err, NGFF_FORMAT,
                             "axis %d: shape %lld, chunk %lld, shard %lld cannot be", i,
                             (long long)m->shape[i], (long long)m->chunk[i],
                             (long long)m->shard[i]);
        if (m->shard[i] % m->chunk[i] != 0)
            return ngff_fail(err, m->zarr_format == 3 ? NGFF_UNSUPPORTED : NGFF_FORMAT,
                             "axis %d: chunk %lld does not divide shard %lld", i,
                             (long long)m->chunk[i], (long long)m->shard[i]);
        if (!m->sharded && m->shard[i] != m->chunk[i])
            return ngff_fail(err, NGFF_INVALID, "axis %d: shard and chunk differ", i);
    }
    return NGFF_OK;
}

/* ---- emitting ---- */

/* Collects the first failure of a series of "set" calls. */
typedef struct maker {
    ngff_status status;
    ngff_error *err;
} maker;

static void set(maker *mk, ngff_json *object, const char *name, ngff_json *value) {
    ngff_status status = object ? ngff_json_set(object, name, value) : NGFF_NOMEM;
    if (!object)
        ngff_json_close(&value);
    if (mk->status == NGFF_OK)
        mk->status = status;
}

static ngff_json *dup_or_null(maker *mk, const ngff_json *node) {
    ngff_json *copy = NULL;
    if (!node)
        return ngff_json_new_null();
    ngff_status status = ngff_json_dup(node, &copy, mk->err);
    if (mk->status == NGFF_OK)
        mk->status = status;
    return copy;
}

/* {"name": name, "configuration": {member: value}} */
static ngff_json *named(maker *mk, const char *name, const char *member,
                        ngff_json *value) {
    ngff_json *config = ngff_json_new_object();
    ngff_json *object = ngff_json_new_object();
    set(mk, config, member, value);
    set(mk, object, "name", ngff_json_new_str(name));
    set(mk, object, "configuration", config);
    return object;
}

static ngff_json *shard_codecs(maker *mk, const ngff_zarr_meta *m) {
    ngff_json *list = ngff_json_new_array();
    ngff_json *codec = named(mk, "sharding_indexed", "chunk_shape",
                             ngff_zarr_shape_emit(m->ndim, m->chunk));
    ngff_json *config = codec ? ngff_json_get_mutable(codec, "configuration") : NULL;
    set(mk, config, "codecs", dup_or_null(mk, m->codecs));
    set(mk, config, "index_codecs", dup_or_null(mk, m->index_codecs));
    set(mk, config, "index_location",
        ngff_json_new_str(m->index_at_start ? "start" : "end"));
    ngff_status status = list ? ngff_json_push(list, codec) : NGFF_NOMEM;
    if (!list)
        ngff_json_close(&codec);
    if (mk->status == NGFF_OK)
        mk->status = status;
    return list;
}

static ngff_json *names_list(maker *mk, const ngff_zarr_meta *m) {
    ngff_json *list = ngff_json_new_array();
    for (int i = 0; i < m->ndim && list; i++) {
        const char *name = m->dimension_names[i];
        ngff_status status = ngff_json_push(list, name[0] ? ngff_json_new_str(name)
                                                          : ngff_json_new_null());
        if (mk->status == NGFF_OK)
            mk->status = status;
    }
    return list;
}

static void emit_v3(maker *mk, const ngff_zarr_meta *m, ngff_json *doc, ngff_json *fill) {
    const char separator[2] = {m->separator, '\0'};
    ngff_json *attributes = NULL;
    set(mk, doc, "shape", ngff_zarr_shape_emit(m->ndim, m->shape));
    set(mk, doc, "data_type", ngff_json_new_str(ngff_dtype_name(m->dtype)));
    set(mk, doc, "chunk_grid",
        named(mk, "regular", "chunk_shape", ngff_zarr_shape_emit(m->ndim, m->shard)));
    set(mk, doc, "chunk_key_encoding",
        named(mk, m->v2_keys ? "v2" : "default", "separator",
              ngff_json_new_str(separator)));
    set(mk, doc, "fill_value", fill);
    set(mk, doc, "codecs", m->sharded ? shard_codecs(mk, m) : dup_or_null(mk, m->codecs));
    if (ngff_zarr_attributes_dup(m->attributes, &attributes, mk->err) != NGFF_OK)
        mk->status = NGFF_NOMEM;
    set(mk, doc, "attributes", attributes);
    if (m->has_dimension_names)
        set(mk, doc, "dimension_names", names_list(mk, m));
    set(mk, doc, "zarr_format", ngff_json_new_i64(3));
    set(mk, doc, "node_type", ngff_json_new_str("array"));
    set(mk, doc, "storage_transformers", ngff_json_new_array());
}

static void emit_v2(maker *mk, const ngff_zarr_meta *m, ngff_json *doc, ngff_json *fill) {
    const char separator[2] = {m->separator, '\0'};
    const char order[2] = {m->order, '\0'};
    char typestr[8];
    ngff_dtype_typestr(m->dtype, m->big_endian, typestr);
    set(mk, doc, "shape", ngff_zarr_shape_emit(m->ndim, m->shape));
    set(mk, doc, "chunks", ngff_zarr_shape_emit(m->ndim, m->chunk));
    set(mk, doc, "dtype", ngff_json_new_str(typestr));
    set(mk, doc, "fill_value", fill);
    set(mk, doc, "order", ngff_json_new_str(order));
    set(mk, doc, "filters", dup_or_null(mk, m->filters));
    set(mk, doc, "dimension_separator", ngff_json_new_str(separator));
    set(mk, doc, "compressor", dup_or_null(mk, m->compressor));
    set(mk, doc, "zarr_format", ngff_json_new_i64(2));
}

ngff_status ngff_zarr_meta_emit(const ngff_zarr_meta *meta, ngff_json **out,
                                ngff_error *err) {
    ngff_json *fill = NULL;
    maker mk = {NGFF_OK, err};
    *out = NULL;
    if (meta->zarr_format == 2 && meta->fill_is_null)
        fill = ngff_json_new_null();
    else
        NGFF_TRY(
            ngff_zarr_fill_emit(meta->fill, meta->dtype, meta->zarr_format, &fill, err));
    ngff_json *doc = ngff_json_new_object();
    if (meta->zarr_format == 3)
        emit_v3(&mk, meta, doc, fill);
    else
        emit_v2(&mk, meta, doc, fill);
    if (mk.status != NGFF_OK || !doc) {
        ngff_json_close(&doc);
        return ngff_fail_nomem(err, "an array document", 1024);
    }
    *out = doc;
    return NGFF_OK;
}
