/* codec shuffle and delta: the two v2 filters of numcodecs that image data carry. */
#include "codec/chain.h"

/* ---- shuffle ---- */

static ngff_status shuffle_parse(const ngff_json *config, const ngff_codec_site *site,
                                 ngff_codec_stage *out, ngff_error *err) {
    (void)site;
    int64_t size;
    NGFF_TRY(ngff_codec_get_int(config, "elementsize", 1, 1 << 20, 4, &size, err));
    out->typesize = (size_t)size;
    return NGFF_OK;
}

static size_t same_size(const ngff_codec_stage *stage, size_t size) {
    (void)stage;
    return size;
}

static ngff_status shuffle_encode(const ngff_codec_stage *stage, ngff_codec_ctx *ctx,
                                  ngff_codec_span in, ngff_codec_room room,
                                  ngff_codec_span *out, ngff_error *err) {
    (void)ctx, (void)err;
    ngff_shuffle_bytes(stage->typesize, in.data, in.size, room.data);
    *out = (ngff_codec_span){room.data, in.size};
    return NGFF_OK;
}

static ngff_status too_long(const char *name, size_t size, size_t room, ngff_error *err) {
    return ngff_fail(err, NGFF_FORMAT, "%s: %zu bytes, chunk needs %zu", name, size,
                     room);
}

static ngff_status shuffle_decode(const ngff_codec_stage *stage, ngff_codec_ctx *ctx,
                                  ngff_codec_span in, ngff_codec_room room,
                                  ngff_codec_span *out, ngff_error *err) {
    (void)ctx;
    if (in.size > room.size)
        return too_long("shuffle", in.size, room.size, err);
    ngff_unshuffle_bytes(stage->typesize, in.data, in.size, room.data);
    *out = (ngff_codec_span){room.data, in.size};
    return NGFF_OK;
}

const ngff_codec_ops ngff_codec_ops_shuffle = {
    .row = {"shuffle", "shuffle", "numcodecs.shuffle", "bytes->bytes", true, true, ""},
    .fixed_size = true,
    .parse = shuffle_parse,
    .bound = same_size,
    .encode = shuffle_encode,
    .decode = shuffle_decode,
};

/* ---- delta ---- */

/* The item kinds: integers wrap around; floats are subtracted and added as floats. */
enum { KIND_INTEGER = 0, KIND_FLOAT32 = 1, KIND_FLOAT64 = 2 };

static ngff_status delta_parse(const ngff_json *config, const ngff_codec_site *site,
                               ngff_codec_stage *out, ngff_error *err) {
    (void)site;
    const char *text = ngff_json_str(ngff_json_get(config, "dtype"));
    const char *as = ngff_json_str(ngff_json_get(config, "astype"));
    bool swapped = false;
    ngff_dtype dtype = text ? ngff_dtype_from_typestr(text, &swapped) : NGFF_DTYPE_NONE;
    if (!text)
        return ngff_fail(err, NGFF_FORMAT, "\"dtype\" is missing");
    if (as && strcmp(as, text) != 0)
        return ngff_fail(err, NGFF_UNSUPPORTED, "\"astype\" %s differs from \"dtype\" %s",
                         as, text);
    if (!ngff_dtype_is_integer(dtype) && dtype != NGFF_FLOAT32 && dtype != NGFF_FLOAT64)
        return ngff_fail(err, NGFF_UNSUPPORTED, "\"dtype\" %s", text);
    out->typesize = ngff_dtype_size(dtype);
    out->cname = dtype == NGFF_FLOAT32   ? KIND_FLOAT32
                 : dtype == NGFF_FLOAT64 ? KIND_FLOAT64
                                         : KIND_INTEGER;
    out->swapped = swapped;
    return NGFF_OK;
}

/* One loop a type; memcpy because a stage's input may be unaligned. Decoding sums up,
 * encoding takes the difference to the item before. */
#define DELTA(name, type)                                                                \
    static void name(const unsigned char *in, size_t count, unsigned char *out,          \
                     bool encode) {                                                      \
        type last = 0;                                                                   \
        for (size_t i = 0; i < count; i++) {                                             \
            type v, r;                                                                   \
            memcpy(&v, in + i * sizeof v, sizeof v);                                     \
            r = encode ? (type)(v - last) : (type)(last + v);                            \
            last = encode ? v : r;                                                       \
            memcpy(out + i * sizeof r, &r, sizeof r);                                    \
        }                                                                                \
    }
DELTA(delta8, uint8_t)
DELTA(delta16, uint16_t)
DELTA(delta32, uint32_t)
DELTA(delta64, uint64_t)
DELTA(delta_float, float)
DELTA(delta_double, double)

static ngff_status delta_run(const ngff_codec_stage *stage, ngff_codec_span in,
                             ngff_codec_room room, bool encode, ngff_codec_span *out,
                             ngff_error *err) {
    size_t size = stage->typesize;
    size_t count = in.size / size;
    if (in.size > room.size)
        return too_long("delta", in.size, room.size, err);
    if (in.size % size != 0)
        return ngff_fail(err, NGFF_FORMAT, "delta: %zu bytes are no whole items of %zu",
                         in.size, size);
    const unsigned char *from = in.data;
    if (stage->swapped && in.size > 0) {
        memcpy(room.data, in.data, in.size);
        ngff_nd_swap_packed(room.data, count, size);
        from = room.data;
    }
    if (stage->cname == KIND_FLOAT32)
        delta_float(from, count, room.data, encode);
    else if (stage->cname == KIND_FLOAT64)
        delta_double(from, count, room.data, encode);
    else if (size == 1)
        delta8(from, count, room.data, encode);
    else if (size == 2)
        delta16(from, count, room.data, encode);
    else if (size == 4)
        delta32(from, count, room.data, encode);
    else
        delta64(from, count, room.data, encode);
    if (stage->swapped)
        ngff_nd_swap_packed(room.data, count, size);
    *out = (ngff_codec_span){room.data, in.size};
    return NGFF_OK;
}

static ngff_status delta_encode(const ngff_codec_stage *stage, ngff_codec_ctx *ctx,
                                ngff_codec_span in, ngff_codec_room room,
                                ngff_codec_span *out, ngff_error *err) {
    (void)ctx;
    return delta_run(stage, in, room, true, out, err);
}

static ngff_status delta_decode(const ngff_codec_stage *stage, ngff_codec_ctx *ctx,
                                ngff_codec_span in, ngff_codec_room room,
                                ngff_codec_span *out, ngff_error *err) {
    (void)ctx;
    return delta_run(stage, in, room, false, out, err);
}

const ngff_codec_ops ngff_codec_ops_delta = {
    .row = {"delta", "delta", "numcodecs.delta", "bytes->bytes", true, true, ""},
    .fixed_size = true,
    .parse = delta_parse,
    .bound = same_size,
    .encode = delta_encode,
    .decode = delta_decode,
};
