/* codec lz4 of numcodecs: the decoded size as four bytes little-endian, then one raw LZ4
 * block (no frame). */
#include "codec/chain.h"

#include <lz4.h>

enum { PREFIX = 4 };

static ngff_status parse(const ngff_json *config, const ngff_codec_site *site,
                         ngff_codec_stage *out, ngff_error *err) {
    (void)site;
    int64_t acceleration;
    NGFF_TRY(ngff_codec_get_int(config, "acceleration", INT32_MIN, INT32_MAX, 1,
                                &acceleration, err));
    out->level = (int)acceleration;
    return NGFF_OK;
}

static size_t bound(const ngff_codec_stage *stage, size_t size) {
    (void)stage;
    return size + size / 255 + 16 + PREFIX;
}

static ngff_status encode(const ngff_codec_stage *stage, ngff_codec_ctx *ctx,
                          ngff_codec_span in, ngff_codec_room room, ngff_codec_span *out,
                          ngff_error *err) {
    void *state = ngff_codec_lz4_encoder(ctx);
    if (!state)
        return ngff_fail_nomem(err, "an lz4 encoder", (size_t)LZ4_sizeofState());
    if (in.size > LZ4_MAX_INPUT_SIZE)
        return ngff_fail(err, NGFF_LIMIT, "lz4: a chunk of %zu bytes is too large",
                         in.size);
    size_t room_left = room.size - PREFIX;
    int size = LZ4_compress_fast_extState(
        state, (const char *)in.data, (char *)room.data + PREFIX, (int)in.size,
        room_left > INT32_MAX ? INT32_MAX : (int)room_left, stage->level);
    if (size <= 0)
        return ngff_fail(err, NGFF_INTERNAL, "lz4: no room for the encoded chunk");
    ngff_store_u32le(room.data, (uint32_t)in.size);
    *out = (ngff_codec_span){room.data, (size_t)size + PREFIX};
    return NGFF_OK;
}

static ngff_status decode(const ngff_codec_stage *stage, ngff_codec_ctx *ctx,
                          ngff_codec_span in, ngff_codec_room room, ngff_codec_span *out,
                          ngff_error *err) {
    (void)stage;
    (void)ctx;
    if (in.size < PREFIX || in.size > INT32_MAX)
        return ngff_fail(err, NGFF_FORMAT, "lz4: %zu bytes cannot be a block", in.size);
    size_t declared = ngff_load_u32le(in.data);
    if (declared > room.size)
        return ngff_fail(err, NGFF_FORMAT, "lz4 block holds %zu bytes, chunk needs %zu",
                         declared, room.size);
    if (declared > LZ4_MAX_INPUT_SIZE)
        return ngff_fail(err, NGFF_FORMAT, "lz4: a block of %zu bytes cannot be",
                         declared);
    int size = LZ4_decompress_safe((const char *)in.data + PREFIX, (char *)room.data,
                                   (int)(in.size - PREFIX), (int)declared);
    if (size < 0 || (size_t)size != declared)
        return ngff_fail(err, NGFF_FORMAT, "lz4: the block is broken or cut short");
    *out = (ngff_codec_span){room.data, declared};
    return NGFF_OK;
}

const ngff_codec_ops ngff_codec_ops_lz4 = {
    .row = {"lz4", "lz4", "numcodecs.lz4", "bytes->bytes", true, true, ""},
    .parse = parse,
    .bound = bound,
    .encode = encode,
    .decode = decode,
};
