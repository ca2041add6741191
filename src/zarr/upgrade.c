/* zarr: the description of an array of Zarr v2 in the words of v3, for the same chunks
 * under the same keys. */
#include "zarr/inside.h"

#include <stdio.h>

static ngff_status refuse(const char *what, const char *which, ngff_error *err) {
    return ngff_fail(err, NGFF_UNSUPPORTED,
                     "%s%s: its chunks would have to be written anew, name an output",
                     what, which);
}

static ngff_status check(const ngff_zarr_meta *m, const char *id, ngff_error *err) {
    static const char *const kept[] = {"zstd", "gzip", "blosc"};
    if (m->order == 'F' && m->ndim > 1)
        return refuse("its memory order is F", "", err);
    if (ngff_json_len(m->filters) > 0)
        return refuse("it has filters", "", err);
    if (ngff_json_type_of(m->compressor) == NGFF_JSON_NULL)
        return NGFF_OK;
    for (size_t i = 0; id && i < sizeof kept / sizeof *kept; i++)
        if (strcmp(id, kept[i]) == 0)
            return NGFF_OK;
    return refuse("its compressor is ", id ? id : "not named", err);
}

/* A member of the compressor, or what numcodecs takes without it. */
static int64_t number(const ngff_json *config, const char *name, int64_t missing) {
    int64_t value = missing;
    (void)ngff_json_i64(ngff_json_get(config, name), &value);
    return value;
}

static ngff_status put(ngff_json *object, const char *name, ngff_json *value,
                       ngff_status *s) {
    ngff_status now = ngff_json_set(object, name, value);
    *s = *s == NGFF_OK ? now : *s;
    return *s;
}

static void blosc(const ngff_zarr_meta *m, ngff_json *config, ngff_status *s) {
    static const char *const kinds[] = {"noshuffle", "shuffle", "bitshuffle"};
    const ngff_json *from = m->compressor;
    const char *cname = ngff_json_str(ngff_json_get(from, "cname"));
    size_t size = ngff_dtype_size(m->dtype);
    int64_t shuffle = number(from, "shuffle", 1);
    if (shuffle < 0 || shuffle > 2)
        shuffle = size == 1 ? 2 : 1;
    (void)put(config, "cname", ngff_json_new_str(cname ? cname : "lz4"), s);
    (void)put(config, "clevel", ngff_json_new_i64(number(from, "clevel", 5)), s);
    (void)put(config, "shuffle", ngff_json_new_str(kinds[shuffle]), s);
    (void)put(config, "typesize", ngff_json_new_i64((int64_t)size), s);
    (void)put(config, "blocksize", ngff_json_new_i64(number(from, "blocksize", 0)), s);
}

static ngff_status compressor(const ngff_zarr_meta *m, const char *id, ngff_json *list) {
    ngff_status s = NGFF_OK;
    ngff_json *config = ngff_json_new_object(), *codec = ngff_json_new_object();
    bool checksum = false;
    if (!config || !codec) {
        ngff_json_close(&config);
        ngff_json_close(&codec);
        return NGFF_NOMEM;
    }
    if (strcmp(id, "blosc") == 0)
        blosc(m, config, &s);
    else
        (void)put(config, "level",
                  ngff_json_new_i64(number(m->compressor, "level", id[0] == 'z' ? 3 : 6)),
                  &s);
    if (strcmp(id, "zstd") == 0) {
        (void)ngff_json_bool(ngff_json_get(m->compressor, "checksum"), &checksum);
        (void)put(config, "checksum", ngff_json_new_bool(checksum), &s);
    }
    (void)put(codec, "name", ngff_json_new_str(id), &s);
    (void)put(codec, "configuration", config, &s);
    ngff_status pushed = ngff_json_push(list, codec);
    return s == NGFF_OK ? pushed : s;
}

static ngff_status bytes(const ngff_zarr_meta *m, ngff_json *list) {
    ngff_status s = NGFF_OK;
    ngff_json *codec = ngff_json_new_object(), *config = ngff_json_new_object();
    bool ordered = ngff_dtype_swap_size(m->dtype) > 1;
    if (!config || !codec) {
        ngff_json_close(&config);
        ngff_json_close(&codec);
        return NGFF_NOMEM;
    }
    (void)put(config, "endian", ngff_json_new_str(m->big_endian ? "big" : "little"), &s);
    (void)put(codec, "name", ngff_json_new_str("bytes"), &s);
    if (ordered)
        (void)put(codec, "configuration", config, &s);
    else
        ngff_json_close(&config);
    ngff_status pushed = ngff_json_push(list, codec);
    return s == NGFF_OK ? pushed : s;
}

ngff_status ngff_zarr_meta_to_v3(ngff_zarr_meta *m, ngff_error *err) {
    const char *id = ngff_json_str(ngff_json_get(m->compressor, "id"));
    assert(m->zarr_format == 2);
    NGFF_TRY(check(m, id, err));
    ngff_json *list = ngff_json_new_array();
    ngff_status status = list ? bytes(m, list) : NGFF_NOMEM;
    if (status == NGFF_OK && id)
        status = compressor(m, id, list);
    if (status != NGFF_OK) {
        ngff_json_close(&list);
        return ngff_fail_nomem(err, "codecs", 0);
    }
    m->codecs = list;
    ngff_json_close(&m->compressor);
    ngff_json_close(&m->filters);
    m->zarr_format = 3;
    m->v2_keys = true;
    m->big_endian = m->fill_is_null = false;
    return NGFF_OK;
}
