/* codec zstd: RFC 8878 frames. Encoding: one frame with its content size. Decoding: any
 * number of frames, with or without a content size, in one pass into the chunk's own
 * memory, so that a frame's window never asks for memory of its own. */
#include "codec/chain.h"

#include <zstd.h>

/* Zarr registry: level -131072 .. 22, 0 means the library's default. */
enum { LEVEL_MIN = -131072, LEVEL_MAX = 22 };

static ngff_status parse(const ngff_json *config, const ngff_codec_site *site,
                         ngff_codec_stage *out, ngff_error *err) {
    (void)site;
    int64_t level;
    NGFF_TRY(ngff_codec_get_int(config, "level", LEVEL_MIN, LEVEL_MAX, 0, &level, err));
    const ngff_json *checksum =
        ngff_json_get(config, "checksum"); /* absent: false (T1) */
    if (checksum && !ngff_json_bool(checksum, &out->checksum))
        return ngff_fail(err, NGFF_FORMAT, "zstd: \"checksum\" is not true or false");
    out->level = (int)level;
    return NGFF_OK;
}

static size_t bound(const ngff_codec_stage *stage, size_t size) {
    (void)stage;
    return ZSTD_compressBound(size);
}

static ngff_status encode(const ngff_codec_stage *stage, ngff_codec_ctx *ctx,
                          ngff_codec_span in, ngff_codec_room room, ngff_codec_span *out,
                          ngff_error *err) {
    ZSTD_CCtx *z = ngff_codec_zstd_encoder(ctx);
    if (!z)
        return ngff_fail_nomem(err, "a zstd encoder", (size_t)1 << 20);
    ZSTD_CCtx_reset(z, ZSTD_reset_session_and_parameters);
    ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, stage->level);
    ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, stage->checksum);
    size_t size = ZSTD_compress2(z, room.data, room.size, in.data, in.size);
    if (ZSTD_isError(size))
        return ngff_fail(err, NGFF_INTERNAL, "zstd: %s", ZSTD_getErrorName(size));
    *out = (ngff_codec_span){room.data, size};
    return NGFF_OK;
}

static ngff_status decode(const ngff_codec_stage *stage, ngff_codec_ctx *ctx,
                          ngff_codec_span in, ngff_codec_room room, ngff_codec_span *out,
                          ngff_error *err) {
    (void)stage;
    ZSTD_DCtx *z = ngff_codec_zstd_decoder(ctx);
    if (!z)
        return ngff_fail_nomem(err, "a zstd decoder", (size_t)1 << 18);
    unsigned long long declared = ZSTD_getFrameContentSize(in.data, in.size);
    if (declared < ZSTD_CONTENTSIZE_ERROR && declared > room.size)
        return ngff_fail(err, NGFF_FORMAT, "zstd frame holds %llu bytes, chunk needs %zu",
                         declared, room.size);
    size_t size = ZSTD_decompressDCtx(z, room.data, room.size, in.data, in.size);
    if (ZSTD_isError(size))
        return ngff_fail(err, NGFF_FORMAT, "zstd: %s", ZSTD_getErrorName(size));
    *out = (ngff_codec_span){room.data, size};
    return NGFF_OK;
}

const ngff_codec_ops ngff_codec_ops_zstd = {
    .row = {"zstd", "zstd", "zstd", "bytes->bytes", true, true, "-131072-22"},
    .parse = parse,
    .bound = bound,
    .encode = encode,
    .decode = decode,
};
