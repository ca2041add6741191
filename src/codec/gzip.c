/* codec gzip (RFC 1952, also several members in a row) and v2's zlib (RFC 1950). */
#include "codec/chain.h"

#include <libdeflate.h>

static ngff_status parse(const ngff_json *config, const ngff_codec_site *site,
                         ngff_codec_stage *out, ngff_error *err) {
    int64_t level;
    int64_t missing = site->zarr_format == 2 ? 1 : -2; /* v3 requires it */
    NGFF_TRY(ngff_codec_get_int(config, "level", site->zarr_format == 2 ? -1 : 0, 9,
                                missing, &level, err));
    out->level = level < 0 ? 6 : (int)level; /* zlib's own default */
    return NGFF_OK;
}

static size_t gzip_bound(const ngff_codec_stage *stage, size_t size) {
    (void)stage;
    return libdeflate_gzip_compress_bound(NULL, size);
}

static size_t zlib_bound(const ngff_codec_stage *stage, size_t size) {
    (void)stage;
    return libdeflate_zlib_compress_bound(NULL, size);
}

typedef size_t (*compress_fn)(struct libdeflate_compressor *z, const void *in,
                              size_t in_size, void *out, size_t out_size);

static ngff_status encode(const ngff_codec_stage *stage, ngff_codec_ctx *ctx,
                          ngff_codec_span in, ngff_codec_room room, compress_fn compress,
                          ngff_codec_span *out, ngff_error *err) {
    struct libdeflate_compressor *z = ngff_codec_deflate_encoder(ctx, stage->level);
    if (!z)
        return ngff_fail_nomem(err, "a deflate encoder", (size_t)1 << 20);
    size_t size = compress(z, in.data, in.size, room.data, room.size);
    if (size == 0)
        return ngff_fail(err, NGFF_INTERNAL, "%s: no room for the encoded chunk",
                         stage->ops->row.name);
    *out = (ngff_codec_span){room.data, size};
    return NGFF_OK;
}

static ngff_status gzip_encode(const ngff_codec_stage *stage, ngff_codec_ctx *ctx,
                               ngff_codec_span in, ngff_codec_room room,
                               ngff_codec_span *out, ngff_error *err) {
    return encode(stage, ctx, in, room, libdeflate_gzip_compress, out, err);
}

static ngff_status zlib_encode(const ngff_codec_stage *stage, ngff_codec_ctx *ctx,
                               ngff_codec_span in, ngff_codec_room room,
                               ngff_codec_span *out, ngff_error *err) {
    return encode(stage, ctx, in, room, libdeflate_zlib_compress, out, err);
}

static ngff_status explain(const char *name, enum libdeflate_result result, size_t room,
                           ngff_error *err) {
    if (result == LIBDEFLATE_INSUFFICIENT_SPACE)
        return ngff_fail(err, NGFF_FORMAT,
                         "%s holds more than the %zu bytes the chunk needs", name, room);
    return ngff_fail(err, NGFF_FORMAT, "%s: the stream is broken or cut short", name);
}

static ngff_status gzip_decode(const ngff_codec_stage *stage, ngff_codec_ctx *ctx,
                               ngff_codec_span in, ngff_codec_room room,
                               ngff_codec_span *out, ngff_error *err) {
    (void)stage;
    struct libdeflate_decompressor *z = ngff_codec_deflate_decoder(ctx);
    if (!z)
        return ngff_fail_nomem(err, "a deflate decoder", (size_t)1 << 14);
    size_t done = 0;
    do {
        size_t used = 0, made = 0;
        enum libdeflate_result result = libdeflate_gzip_decompress_ex(
            z, in.data, in.size, room.data + done, room.size - done, &used, &made);
        if (result != LIBDEFLATE_SUCCESS)
            return explain("gzip", result, room.size, err);
        assert(used > 0 && used <= in.size && made <= room.size - done);
        done += made;
        in.data += used;
        in.size -= used;
    } while (in.size > 0);
    *out = (ngff_codec_span){room.data, done};
    return NGFF_OK;
}

static ngff_status zlib_decode(const ngff_codec_stage *stage, ngff_codec_ctx *ctx,
                               ngff_codec_span in, ngff_codec_room room,
                               ngff_codec_span *out, ngff_error *err) {
    (void)stage;
    struct libdeflate_decompressor *z = ngff_codec_deflate_decoder(ctx);
    if (!z)
        return ngff_fail_nomem(err, "a deflate decoder", (size_t)1 << 14);
    size_t made = 0;
    enum libdeflate_result result =
        libdeflate_zlib_decompress(z, in.data, in.size, room.data, room.size, &made);
    if (result != LIBDEFLATE_SUCCESS)
        return explain("zlib", result, room.size, err);
    *out = (ngff_codec_span){room.data, made};
    return NGFF_OK;
}

const ngff_codec_ops ngff_codec_ops_gzip = {
    .row = {"gzip", "gzip", "gzip", "bytes->bytes", true, true, "0-9"},
    .parse = parse,
    .bound = gzip_bound,
    .encode = gzip_encode,
    .decode = gzip_decode,
};

const ngff_codec_ops ngff_codec_ops_zlib = {
    .row = {"zlib", "zlib", "numcodecs.zlib", "bytes->bytes", true, true, "0-9"},
    .parse = parse,
    .bound = zlib_bound,
    .encode = zlib_encode,
    .decode = zlib_decode,
};
