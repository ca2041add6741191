/* codec: building and checking chains from Zarr v2 and v3 metadata. Transposition and
 * byte order are properties of the chain, done in one strided copy; the rest are stages.
 */
#include "codec/chain.h"

/* The most a decoded chunk may hold. The peers' codecs stop at 2 GiB. */
#define CHUNK_LIMIT ((size_t)4 << 30)

enum place { PLACE_ARRAY = 0, PLACE_BYTES = 1 };

static ngff_status chain_new(const ngff_allocator *a, ngff_dtype dtype, int ndim,
                             const int64_t *shape, ngff_codec_chain **out,
                             ngff_error *err) {
    assert(ndim >= 0 && ndim <= NGFF_MAX_NDIM);
    size_t bytes;
    for (int i = 0; i < ndim; i++) {
        if (shape[i] <= 0)
            return ngff_fail(err, NGFF_FORMAT, "chunk axis %d has %lld elements", i,
                             (long long)shape[i]);
    }
    if (ngff_dtype_size(dtype) == 0)
        return ngff_fail(err, NGFF_UNSUPPORTED, "codec: unknown data type");
    NGFF_TRY(ngff_nd_bytes(ndim, shape, dtype, &bytes, err));
    if (bytes > CHUNK_LIMIT)
        return ngff_fail(err, NGFF_LIMIT, "a chunk of %zu bytes exceeds the limit of %zu",
                         bytes, CHUNK_LIMIT);
    ngff_codec_chain *c = ngff_calloc(a, 1, sizeof *c);
    if (!c)
        return ngff_fail_nomem(err, "a codec chain", sizeof *c);
    c->alloc = a;
    c->dtype = dtype;
    c->ndim = ndim;
    c->item_size = ngff_dtype_size(dtype);
    c->decoded_size = bytes;
    for (int i = 0; i < ndim; i++) {
        c->shape[i] = shape[i];
        c->perm[i] = i;
    }
    *out = c;
    return NGFF_OK;
}

void ngff_codec_chain_close(ngff_codec_chain **chain) {
    if (!chain || !*chain)
        return;
    ngff_free((*chain)->alloc, *chain);
    *chain = NULL;
}

static ngff_status add_stage(ngff_codec_chain *c, const ngff_codec_ops *ops,
                             const ngff_json *config, const ngff_codec_site *site,
                             ngff_error *err) {
    if (c->stage_count == NGFF_CODEC_MAX_STAGES)
        return ngff_fail(err, NGFF_UNSUPPORTED, "more than %d codecs after another",
                         NGFF_CODEC_MAX_STAGES);
    ngff_codec_stage s = {.ops = ops};
    ngff_status status = ops->parse(config, site, &s, err);
    if (status != NGFF_OK)
        return ngff_fail_at(err, status, "codec %s", ops->row.name);
    s.decoded_max =
        c->stage_count ? c->stage[c->stage_count - 1].encoded_max : c->decoded_size;
    s.encoded_max = ops->bound(&s, s.decoded_max);
    c->stage[c->stage_count++] = s;
    return NGFF_OK;
}

/* ---- v3 ---- */

/* An extension is an object {name, configuration?} or, since 3.1, a bare string (Z3-11).
 */
static ngff_status extension(const ngff_json *node, const char **name,
                             const ngff_json **config, ngff_error *err) {
    *config = ngff_json_get(node, "configuration");
    *name = ngff_json_type_of(node) == NGFF_JSON_OBJECT
                ? ngff_json_str(ngff_json_get(node, "name"))
                : ngff_json_str(node);
    if (!*name)
        return ngff_fail(err, NGFF_FORMAT, "a codec has no name");
    if (*config && ngff_json_type_of(*config) != NGFF_JSON_OBJECT)
        return ngff_fail(err, NGFF_FORMAT, "codec %s: \"configuration\" is not an object",
                         *name);
    for (size_t i = 0; i < ngff_json_len(node) && !ngff_json_str(node); i++) {
        const char *member = NULL;
        bool must;
        ngff_json_member(node, i, &member);
        if (strcmp(member, "name") == 0 || strcmp(member, "configuration") == 0 ||
            (strcmp(member, "must_understand") == 0 &&
             ngff_json_bool(ngff_json_get(node, member), &must)))
            continue;
        return ngff_fail(err, NGFF_FORMAT, "codec %s: unknown member \"%s\"", *name,
                         member);
    }
    return NGFF_OK;
}

/* Reads "order" into `perm`; the obsolete texts "C" and "F" are accepted. */
static ngff_status read_order(const ngff_json *order, int ndim, int *perm,
                              ngff_error *err) {
    const char *text = ngff_json_str(order);
    bool seen[NGFF_MAX_NDIM] = {false};
    bool fortran = text && strcmp(text, "F") == 0;
    for (int i = 0; i < ndim; i++)
        perm[i] = fortran ? ndim - 1 - i : i;
    if (fortran || (text && strcmp(text, "C") == 0))
        return NGFF_OK;
    if (ngff_json_type_of(order) != NGFF_JSON_ARRAY ||
        ngff_json_len(order) != (size_t)ndim)
        return ngff_fail(err, NGFF_FORMAT,
                         "codec transpose: \"order\" is not a list of %d axes", ndim);
    for (int i = 0; i < ndim; i++) {
        int64_t axis;
        if (!ngff_json_i64(ngff_json_at(order, (size_t)i), &axis) || axis < 0 ||
            axis >= ndim || seen[axis])
            return ngff_fail(err, NGFF_FORMAT,
                             "codec transpose: \"order\" is not a permutation");
        seen[axis] = true;
        perm[i] = (int)axis;
    }
    return NGFF_OK;
}

/* B.shape[i] = A.shape[order[i]]; several of them compose. */
static ngff_status add_transpose(ngff_codec_chain *c, const ngff_json *config,
                                 ngff_error *err) {
    int order[NGFF_MAX_NDIM], before[NGFF_MAX_NDIM];
    NGFF_TRY(read_order(ngff_json_get(config, "order"), c->ndim, order, err));
    memcpy(before, c->perm, sizeof before);
    for (int i = 0; i < c->ndim; i++)
        c->perm[i] = before[order[i]];
    return NGFF_OK;
}

static ngff_status set_bytes(ngff_codec_chain *c, ngff_codec_site *site,
                             const ngff_json *config, ngff_error *err) {
    const ngff_json *node = ngff_json_get(config, "endian");
    const char *endian = ngff_json_str(node);
    bool wide = ngff_dtype_swap_size(c->dtype) > 1;
    if (!endian && (node || wide))
        return ngff_fail(err, NGFF_FORMAT, "codec bytes: \"endian\" is missing for %s",
                         ngff_dtype_name(c->dtype));
    bool big = endian && strcmp(endian, "big") == 0;
    if (endian && !big && strcmp(endian, "little") != 0)
        return ngff_fail(err, NGFF_FORMAT,
                         "codec bytes: \"endian\" is \"%s\", not \"little\" or \"big\"",
                         endian);
    site->big_endian = big;
    c->swapped = wide && endian && big == ngff_host_is_little();
    return NGFF_OK;
}

static ngff_status add_v3(ngff_codec_chain *c, const ngff_json *node, enum place *place,
                          ngff_codec_site *site, ngff_error *err) {
    const char *name;
    const ngff_json *config;
    NGFF_TRY(extension(node, &name, &config, err));
    bool is_transpose = strcmp(name, "transpose") == 0;
    bool is_bytes = strcmp(name, "bytes") == 0 || strcmp(name, "endian") == 0;
    const ngff_codec_ops *ops = ngff_codec_find_v3(name);
    if (!is_transpose && !is_bytes && !ops)
        return ngff_fail(err, NGFF_UNSUPPORTED, "codec \"%s\" is not known to this build",
                         name);
    if (*place == PLACE_ARRAY && ops)
        return ngff_fail(err, NGFF_FORMAT, "codec %s before the array->bytes codec",
                         name);
    if (*place == PLACE_BYTES && !ops)
        return ngff_fail(err, NGFF_FORMAT, "codec %s after the array->bytes codec", name);
    if (is_transpose)
        return add_transpose(c, config, err);
    if (is_bytes) {
        *place = PLACE_BYTES;
        return set_bytes(c, site, config, err);
    }
    return add_stage(c, ops, config, site, err);
}

static void note_transposed(ngff_codec_chain *c) {
    for (int i = 0; i < c->ndim; i++)
        c->transposed = c->transposed || c->perm[i] != i;
}

ngff_status ngff_codec_chain_from_v3(const ngff_allocator *a, const ngff_json *codecs,
                                     ngff_dtype dtype, int ndim, const int64_t *shape,
                                     ngff_codec_chain **out, ngff_error *err) {
    *out = NULL;
    if (ngff_json_type_of(codecs) != NGFF_JSON_ARRAY)
        return ngff_fail(err, NGFF_FORMAT, "\"codecs\" is not a list");
    ngff_codec_chain *c = NULL;
    NGFF_TRY(chain_new(a, dtype, ndim, shape, &c, err));
    ngff_codec_site site = {dtype, false, 3};
    enum place place = PLACE_ARRAY;
    ngff_status status = NGFF_OK;
    for (size_t i = 0; i < ngff_json_len(codecs) && status == NGFF_OK; i++)
        status = add_v3(c, ngff_json_at(codecs, i), &place, &site, err);
    if (status == NGFF_OK && place == PLACE_ARRAY)
        status = ngff_fail(err, NGFF_FORMAT, "\"codecs\" has no array->bytes codec");
    if (status != NGFF_OK) {
        ngff_codec_chain_close(&c);
        return status;
    }
    note_transposed(c);
    *out = c;
    return NGFF_OK;
}

ngff_status ngff_codec_v3_codecs(ngff_dtype dtype, const ngff_json *bytes_to_bytes,
                                 ngff_json **out, ngff_error *err) {
    ngff_json *list = ngff_json_new_array();
    ngff_json *bytes = ngff_json_new_object();
    ngff_status status = list && bytes ? NGFF_OK : NGFF_NOMEM;
    *out = NULL;
    if (status == NGFF_OK)
        status = ngff_json_set(bytes, "name", ngff_json_new_str("bytes"));
    if (status == NGFF_OK && ngff_dtype_swap_size(dtype) > 1) { /* T12 */
        ngff_json *config = ngff_json_new_object();
        status = ngff_json_set(bytes, "configuration", config);
        if (status == NGFF_OK)
            status = ngff_json_set(config, "endian", ngff_json_new_str("little"));
    }
    if (status == NGFF_OK) {
        status = ngff_json_push(list, bytes);
        bytes = NULL;
    }
    for (size_t i = 0; i < ngff_json_len(bytes_to_bytes) && status == NGFF_OK; i++) {
        ngff_json *copy = NULL;
        status = ngff_json_dup(ngff_json_at(bytes_to_bytes, i), &copy, err);
        if (status == NGFF_OK)
            status = ngff_json_push(list, copy);
    }
    if (status != NGFF_OK) {
        ngff_json_close(&bytes);
        ngff_json_close(&list);
        return ngff_fail_nomem(err, "a codec list", 64);
    }
    *out = list;
    return NGFF_OK;
}

/* ---- v2 ---- */

static ngff_status add_v2(ngff_codec_chain *c, const ngff_json *object, const char *what,
                          const ngff_codec_site *site, ngff_error *err) {
    const char *id = ngff_json_str(ngff_json_get(object, "id"));
    if (!id)
        return ngff_fail(err, NGFF_FORMAT, "a %s has no \"id\"", what);
    const ngff_codec_ops *ops = ngff_codec_find_v2(id);
    if (!ops)
        return ngff_fail(err, NGFF_UNSUPPORTED, "%s \"%s\" is not known to this build",
                         what, id);
    return add_stage(c, ops, object, site, err);
}

/* Filters in their order, then the compressor (Z2-8). */
static ngff_status add_all_v2(ngff_codec_chain *c, const ngff_codec_v2 *v2,
                              ngff_error *err) {
    ngff_codec_site site = {c->dtype, v2->big_endian, 2};
    if (ngff_json_type_of(v2->filters) != NGFF_JSON_NULL &&
        ngff_json_type_of(v2->filters) != NGFF_JSON_ARRAY)
        return ngff_fail(err, NGFF_FORMAT, "\"filters\" is not a list or null");
    if (ngff_json_type_of(v2->filters) == NGFF_JSON_ARRAY) {
        for (size_t i = 0; i < ngff_json_len(v2->filters); i++)
            NGFF_TRY(add_v2(c, ngff_json_at(v2->filters, i), "filter", &site, err));
    }
    if (ngff_json_type_of(v2->compressor) == NGFF_JSON_NULL)
        return NGFF_OK;
    return add_v2(c, v2->compressor, "compressor", &site, err);
}

ngff_status ngff_codec_chain_from_v2(const ngff_allocator *a, const ngff_codec_v2 *v2,
                                     ngff_dtype dtype, int ndim, const int64_t *shape,
                                     ngff_codec_chain **out, ngff_error *err) {
    ngff_codec_chain *c = NULL;
    *out = NULL;
    NGFF_TRY(chain_new(a, dtype, ndim, shape, &c, err));
    for (int i = 0; i < ndim && v2->order == 'F'; i++) /* column-major (Z2-12) */
        c->perm[i] = ndim - 1 - i;
    note_transposed(c);
    c->swapped =
        ngff_dtype_swap_size(dtype) > 1 && v2->big_endian == ngff_host_is_little();
    ngff_status status = add_all_v2(c, v2, err);
    if (status != NGFF_OK) {
        ngff_codec_chain_close(&c);
        return status;
    }
    *out = c;
    return NGFF_OK;
}
