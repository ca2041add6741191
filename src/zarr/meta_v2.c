/* zarr: reading a v2 .zarray (requirements Z2-*). The attributes live in .zattrs
 * (node.c). */
#include "zarr/inside.h"

static ngff_status parse_dtype(const ngff_json *doc, ngff_zarr_meta *m, ngff_error *err) {
    const ngff_json *node = ngff_json_get(doc, "dtype");
    const char *text = ngff_json_str(node);
    bool swapped = false;
    if (!node)
        return ngff_fail(err, NGFF_FORMAT, "\"dtype\" is missing");
    if (!text)
        return ngff_fail(err, NGFF_UNSUPPORTED, "a structured \"dtype\"");
    m->dtype = ngff_dtype_from_typestr(text, &swapped);
    if (m->dtype == NGFF_DTYPE_NONE)
        return ngff_fail(err, NGFF_UNSUPPORTED, "dtype \"%s\"", text);
    m->big_endian = swapped == ngff_host_is_little();
    return NGFF_OK;
}

static ngff_status parse_grid(const ngff_json *doc, ngff_zarr_meta *m, ngff_error *err) {
    const ngff_json *shape = ngff_json_get(doc, "shape");
    if (ngff_json_type_of(shape) != NGFF_JSON_ARRAY)
        return ngff_fail(err, NGFF_FORMAT, "\"shape\" is not a list");
    if (ngff_json_len(shape) > NGFF_MAX_NDIM)
        return ngff_fail(err, NGFF_UNSUPPORTED, "%zu dimensions, at most %d are handled",
                         ngff_json_len(shape), NGFF_MAX_NDIM);
    m->ndim = (int)ngff_json_len(shape);
    NGFF_TRY(ngff_zarr_shape_parse(shape, "shape", 0, m->ndim, m->shape, err));
    NGFF_TRY(ngff_zarr_shape_parse(ngff_json_get(doc, "chunks"), "chunks", 1, m->ndim,
                                   m->chunk, err));
    memcpy(m->shard, m->chunk, sizeof m->shard);
    return NGFF_OK;
}

static ngff_status parse_layout(const ngff_json *doc, ngff_zarr_meta *m,
                                ngff_error *err) {
    const char *order = ngff_json_str(ngff_json_get(doc, "order"));
    const ngff_json *node = ngff_json_get(doc, "dimension_separator");
    const char *separator = ngff_json_str(node);
    if (!order || (strcmp(order, "C") != 0 && strcmp(order, "F") != 0))
        return ngff_fail(err, NGFF_FORMAT, "\"order\" is not \"C\" or \"F\"");
    m->order = order[0];
    m->separator = '.'; /* absent (T6) */
    if (!node)
        return NGFF_OK;
    if (!separator || (strcmp(separator, "/") != 0 && strcmp(separator, ".") != 0))
        return ngff_fail(err, NGFF_FORMAT,
                         "\"dimension_separator\" is not \".\" or \"/\"");
    m->separator = separator[0];
    return NGFF_OK;
}

static ngff_status parse(const ngff_json *doc, ngff_zarr_meta *m, ngff_error *err) {
    int64_t format;
    if (!ngff_json_i64(ngff_json_get(doc, "zarr_format"), &format) || format != 2)
        return ngff_fail(err, NGFF_FORMAT, "\"zarr_format\" is not 2");
    NGFF_TRY(parse_dtype(doc, m, err));
    NGFF_TRY(parse_grid(doc, m, err));
    NGFF_TRY(parse_layout(doc, m, err));
    const ngff_json *fill = ngff_json_get(doc, "fill_value");
    m->fill_is_null = ngff_json_type_of(fill) == NGFF_JSON_NULL; /* read as 0 (Z2-6) */
    if (!m->fill_is_null)
        NGFF_TRY(ngff_zarr_fill_parse(fill, m->dtype, 2, m->fill, err));
    const ngff_json *compressor = ngff_json_get(doc, "compressor");
    const ngff_json *filters = ngff_json_get(doc, "filters");
    if (ngff_json_type_of(compressor) != NGFF_JSON_NULL)
        NGFF_TRY(ngff_json_dup(compressor, &m->compressor, err));
    if (ngff_json_type_of(filters) != NGFF_JSON_NULL)
        NGFF_TRY(ngff_json_dup(filters, &m->filters, err));
    return ngff_zarr_meta_check(m, err);
}

ngff_status ngff_zarr_meta_parse_v2(const ngff_json *zarray, ngff_zarr_meta *out,
                                    ngff_error *err) {
    *out = (ngff_zarr_meta){.zarr_format = 2, .v2_keys = true};
    if (ngff_json_type_of(zarray) != NGFF_JSON_OBJECT)
        return ngff_fail(err, NGFF_FORMAT, ".zarray holds no object");
    ngff_status status = parse(zarray, out, err);
    if (status != NGFF_OK)
        ngff_zarr_meta_reset(out);
    return status;
}
