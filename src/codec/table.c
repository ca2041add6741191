/* codec: the table of codecs, and choosing one by name. */
#include "codec/chain.h"

static const ngff_codec_ops *const rows[] = {
    &ngff_codec_ops_blosc,   &ngff_codec_ops_zstd,  &ngff_codec_ops_gzip,
    &ngff_codec_ops_zlib,    &ngff_codec_ops_lz4,   &ngff_codec_ops_crc32c,
    &ngff_codec_ops_shuffle, &ngff_codec_ops_delta, &ngff_codec_ops_bz2,
    &ngff_codec_ops_lzma,
};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

/* Built into the chain itself (chain.c), listed for `ngff codecs`. */
static const ngff_codec_row built_in[] = {
    {"bytes", NULL, "bytes", "array->bytes", true, true, ""},
    {"transpose", NULL, "transpose", "array->array", true, true, ""},
    {"sharding_indexed", NULL, "sharding_indexed", "array->bytes", true, true, ""},
};
enum { BUILT_IN_COUNT = sizeof built_in / sizeof built_in[0] };

bool ngff_codec_table(size_t index, ngff_codec_row *out) {
    if (index < BUILT_IN_COUNT)
        *out = built_in[index];
    else if (index - BUILT_IN_COUNT < ROW_COUNT)
        *out = rows[index - BUILT_IN_COUNT]->row;
    else
        return false;
    return true;
}

const ngff_codec_ops *ngff_codec_find_v2(const char *id) {
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i]->row.v2_id && strcmp(rows[i]->row.v2_id, id) == 0)
            return rows[i];
    }
    return NULL;
}

const ngff_codec_ops *ngff_codec_find_v3(const char *name) {
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i]->row.v3_name && strcmp(rows[i]->row.v3_name, name) == 0)
            return rows[i];
    }
    return NULL;
}

ngff_status ngff_codec_get_int(const ngff_json *config, const char *name, int64_t lo,
                               int64_t hi, int64_t missing, int64_t *out,
                               ngff_error *err) {
    const ngff_json *node = ngff_json_get(config, name);
    const char *text = ngff_json_str(node);
    double real;
    *out = missing;
    if (!node && missing < lo)
        return ngff_fail(err, NGFF_FORMAT, "\"%s\" is missing", name);
    if (!node)
        return NGFF_OK;
    bool known = ngff_json_i64(node, out) || (text && ngff_parse_i64(text, out));
    if (!known && ngff_json_f64(node, &real) && real >= -1e9 && real <= 1e9 &&
        real == (double)(int64_t)real) {
        *out = (int64_t)real;
        known = true;
    }
    if (!known)
        return ngff_fail(err, NGFF_FORMAT, "\"%s\" is not an integer", name);
    if (*out < lo || *out > hi)
        return ngff_fail(err, NGFF_FORMAT, "\"%s\" is %lld, must be %lld to %lld", name,
                         (long long)*out, (long long)lo, (long long)hi);
    return NGFF_OK;
}

/* ---- choices ---- */

/* docs/decisions/0003-default-codec.md: 16-bit pixels carry noise, which LZ4 over bit
 * planes packs as well as plain zstd and several times as fast; wide integers are labels,
 * whose repeats zstd packs better at the same speed. */
static const char *default_name(ngff_dtype dtype) {
    bool wide = ngff_dtype_is_integer(dtype) && ngff_dtype_size(dtype) >= 4;
    return wide ? "blosc:zstd" : "blosc:lz4";
}

typedef struct choice_row {
    const char *name;
    const char *codec; /* NULL: no compression */
    const char *cname;
    int level, lo, hi;
} choice_row;

static const choice_row choices[] = {
    {"blosc:lz4", "blosc", "lz4", 5, 0, 9},
    {"blosc:lz4hc", "blosc", "lz4hc", 5, 0, 9},
    {"blosc:zstd", "blosc", "zstd", 1, 0, 9},
    {"blosc:zlib", "blosc", "zlib", 5, 0, 9},
    {"blosc:blosclz", "blosc", "blosclz", 5, 0, 9},
    {"blosc", "blosc", "lz4", 5, 0, 9},
    {"zstd", "zstd", NULL, 0, -131072, 22},
    {"gzip", "gzip", NULL, 5, 0, 9},
    {"none", NULL, NULL, 0, 0, 0},
};

static ngff_status find_choice(const char *name, ngff_dtype dtype, const choice_row **out,
                               ngff_error *err) {
    if (!name || !name[0])
        name = default_name(dtype);
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
        *out = &choices[i];
        if (strcmp(choices[i].name, name) == 0)
            return NGFF_OK;
    }
    *out = NULL;
    return ngff_fail(
        err, NGFF_INVALID,
        "unknown codec \"%s\", known are blosc:lz4, blosc:lz4hc, blosc:zstd, "
        "blosc:zlib, blosc:blosclz, zstd, gzip, none",
        name);
}

static ngff_shuffle pick_shuffle(ngff_shuffle wanted, const choice_row *row,
                                 ngff_dtype dtype) {
    bool bits =
        ngff_dtype_size(dtype) == 1 || (row->cname && strcmp(row->cname, "lz4") == 0);
    if (wanted == NGFF_SHUFFLE_AUTO)
        return bits ? NGFF_SHUFFLE_BIT : NGFF_SHUFFLE_BYTE;
    return wanted;
}

/* All five keys are written (T3); typesize is the size of the element. */
static ngff_status blosc_config(ngff_json *into, const choice_row *row, int level,
                                ngff_shuffle shuffle, int typesize) {
    static const char *const names[] = {"", "noshuffle", "shuffle", "bitshuffle"};
    ngff_status status = ngff_json_set(into, "typesize", ngff_json_new_i64(typesize));
    if (status == NGFF_OK)
        status = ngff_json_set(into, "cname", ngff_json_new_str(row->cname));
    if (status == NGFF_OK)
        status = ngff_json_set(into, "clevel", ngff_json_new_i64(level));
    if (status == NGFF_OK)
        status = ngff_json_set(into, "shuffle", ngff_json_new_str(names[shuffle]));
    return status == NGFF_OK ? ngff_json_set(into, "blocksize", ngff_json_new_i64(0))
                             : status;
}

static ngff_status fill_v3(ngff_json *list, const choice_row *row, int level,
                           ngff_shuffle shuffle, int typesize) {
    ngff_json *config = ngff_json_new_object();
    ngff_json *codec = ngff_json_new_object();
    ngff_status status = codec && config ? NGFF_OK : NGFF_NOMEM;
    if (status == NGFF_OK)
        status = ngff_json_set(codec, "name", ngff_json_new_str(row->codec));
    if (status == NGFF_OK && row->cname)
        status = blosc_config(config, row, level, shuffle, typesize);
    else if (status == NGFF_OK)
        status = ngff_json_set(config, "level", ngff_json_new_i64(level));
    if (status == NGFF_OK && strcmp(row->codec, "zstd") == 0) /* always written: T1 */
        status = ngff_json_set(config, "checksum", ngff_json_new_bool(false));
    if (status == NGFF_OK) {
        status = ngff_json_set(codec, "configuration", config);
        config = NULL;
    }
    if (status == NGFF_OK) {
        status = ngff_json_push(list, codec);
        codec = NULL;
    }
    ngff_json_close(&config);
    ngff_json_close(&codec);
    return status;
}

/* No "checksum" for zstd and no "typesize" for blosc in v2 (T2, T3). */
static ngff_status fill_v2(ngff_json *object, const choice_row *row, int level,
                           ngff_shuffle shuffle) {
    ngff_status status = ngff_json_set(object, "id", ngff_json_new_str(row->codec));
    if (status == NGFF_OK && !row->cname)
        return ngff_json_set(object, "level", ngff_json_new_i64(level));
    if (status == NGFF_OK)
        status = ngff_json_set(object, "cname", ngff_json_new_str(row->cname));
    if (status == NGFF_OK)
        status = ngff_json_set(object, "clevel", ngff_json_new_i64(level));
    if (status == NGFF_OK)
        status = ngff_json_set(object, "shuffle", ngff_json_new_i64((int)shuffle - 1));
    return status == NGFF_OK ? ngff_json_set(object, "blocksize", ngff_json_new_i64(0))
                             : status;
}

ngff_status ngff_codec_choice_json(const ngff_codec_choice *choice, int zarr_format,
                                   ngff_dtype dtype, ngff_json **out, ngff_error *err) {
    const choice_row *row;
    *out = NULL;
    NGFF_TRY(find_choice(choice->name, dtype, &row, err));
    int level = row->level;
    if (row->codec && choice->level >= 0) {
        level = choice->level;
        if (level < row->lo || level > row->hi)
            return ngff_fail(err, NGFF_INVALID, "codec %s: level %d is not in %d to %d",
                             row->name, level, row->lo, row->hi);
    }
    ngff_shuffle shuffle = pick_shuffle(choice->shuffle, row, dtype);
    ngff_json *root = zarr_format == 3 ? ngff_json_new_array()
                      : row->codec     ? ngff_json_new_object()
                                       : ngff_json_new_null();
    ngff_status status = root ? NGFF_OK : NGFF_NOMEM;
    if (status == NGFF_OK && row->codec)
        status = zarr_format == 3
                     ? fill_v3(root, row, level, shuffle, (int)ngff_dtype_size(dtype))
                     : fill_v2(root, row, level, shuffle);
    if (status != NGFF_OK) {
        ngff_json_close(&root);
        return ngff_fail_nomem(err, "a codec description", 64);
    }
    *out = root;
    return NGFF_OK;
}
