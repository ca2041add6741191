/* codec: running a chain over one chunk, both ways. Packed pixels in the stored order are
 * encoded and decoded where they are; everything else goes through one strided copy. */
#include "codec/blosc.h"

const char *ngff_codec_decode_only(const ngff_codec_chain *chain) {
    for (int i = 0; i < chain->stage_count; i++) {
        if (!chain->stage[i].ops->encode)
            return chain->stage[i].ops->row.name;
    }
    return NULL;
}

size_t ngff_codec_decoded_size(const ngff_codec_chain *chain) {
    return chain->decoded_size;
}

size_t ngff_codec_encoded_bound(const ngff_codec_chain *chain) {
    return chain->stage_count ? chain->stage[chain->stage_count - 1].encoded_max
                              : chain->decoded_size;
}

size_t ngff_codec_fixed_size(const ngff_codec_chain *chain) {
    for (int i = 0; i < chain->stage_count; i++) {
        if (!chain->stage[i].ops->fixed_size)
            return 0;
    }
    return ngff_codec_encoded_bound(chain);
}

/* What the libraries' states take, generously. zstd's tables grow with its level, at most
 * to a few times the chunk. */
static size_t states_size(const ngff_codec_chain *chain) {
    const size_t plain = (size_t)3 << 19, light = (size_t)1 << 18;
    const ngff_codec_stage *only = chain->stage;
    if (chain->stage_count == 1 && only->ops == &ngff_codec_ops_blosc &&
        only->cname == NGFF_BLOSC_LZ4 && only->blocksize <= light / 4)
        return light; /* LZ4's 16 KiB, and blosc's blocks of 64 */
    size_t total = plain;
    for (int i = 0; i < chain->stage_count; i++) {
        const ngff_codec_stage *s = &chain->stage[i];
        bool is_zstd = s->ops == &ngff_codec_ops_zstd;
        bool is_blosc = s->ops == &ngff_codec_ops_blosc;
        if (is_zstd && (s->level > 6 || s->level == 0))
            total += s->level == 0 ? plain : 12 * chain->decoded_size + 4 * plain;
        else if (is_zstd || is_blosc) /* blosc: in blocks */
            total += s->level > 2 ? 6 * plain : plain;
        else if (s->ops == &ngff_codec_ops_bz2)
            total += (size_t)4 << 20;
        else if (s->ops == &ngff_codec_ops_lzma) /* the dictionary of its preset */
            total += s->level > 6 ? (size_t)1 << (s->level + 17) : (size_t)9 << 20;
    }
    return total;
}

/* Packed pixels (twice where they are turned), the stages' buffers, and of the zarr
 * room's scratch memory one encoded chunk. */
size_t ngff_codec_ctx_size(const ngff_codec_chain *chain) {
    size_t bound = ngff_codec_encoded_bound(chain);
    size_t turned = chain->transposed || chain->swapped ? chain->decoded_size : 0;
    size_t stages = chain->stage_count > 1 ? 2 * bound : chain->stage_count ? bound : 0;
    return chain->decoded_size + turned + stages + bound + states_size(chain);
}

/* What a foreign encoder may have made of `size` bytes that we would bound by `bound`. */
static size_t tolerant(size_t bound) {
    return bound + bound / 8 + 65536;
}

/* The chunk in the order it is stored in: a transposed view of the caller's memory. */
static void stored_view(const ngff_codec_chain *chain, const ngff_view *pixels,
                        ngff_view *stored) {
    assert(pixels->ndim == chain->ndim && pixels->dtype == (int32_t)chain->dtype);
    *stored = *pixels;
    if (chain->transposed)
        ngff_view_transpose(pixels, chain->perm, stored);
}

static void check_view(const ngff_codec_chain *chain, const ngff_view *v) {
    (void)chain;
    (void)v;
    assert(v->ndim == chain->ndim && v->dtype == (int32_t)chain->dtype);
    for (int i = 0; i < chain->ndim; i++)
        assert(v->shape[i] == chain->shape[i]);
}

/* ---- encoding ---- */

static ngff_status pack(const ngff_codec_chain *chain, ngff_codec_ctx *ctx,
                        const ngff_view *pixels, ngff_codec_span *out, ngff_error *err) {
    ngff_view stored, packed;
    unsigned char *room = NULL;
    stored_view(chain, pixels, &stored);
    if (!chain->swapped && ngff_view_is_packed(&stored)) {
        *out = (ngff_codec_span){stored.data, chain->decoded_size};
        return NGFF_OK;
    }
    NGFF_TRY(ngff_codec_slot(ctx, NGFF_SLOT_PIXELS, chain->decoded_size, &room, err));
    ngff_view_init(&packed, room, chain->dtype, chain->ndim, stored.shape);
    if (chain->swapped)
        ngff_nd_copy_swapped(&packed, &stored);
    else
        ngff_nd_copy(&packed, &stored);
    *out = (ngff_codec_span){room, chain->decoded_size};
    return NGFF_OK;
}

ngff_status ngff_codec_pixels(const ngff_codec_chain *chain, ngff_codec_ctx *ctx,
                              void **out, ngff_error *err) {
    unsigned char *room = NULL;
    bool turned = chain->transposed || chain->swapped;
    int slot = turned ? NGFF_SLOT_TURNED : NGFF_SLOT_PIXELS;
    NGFF_TRY(ngff_codec_slot(ctx, slot, chain->decoded_size, &room, err));
    *out = room;
    return NGFF_OK;
}

ngff_status ngff_codec_encode(const ngff_codec_chain *chain, ngff_codec_ctx *ctx,
                              const ngff_view *pixels, const void **bytes, size_t *size,
                              ngff_error *err) {
    ngff_codec_span at;
    *bytes = NULL;
    *size = 0;
    check_view(chain, pixels);
    NGFF_TRY(pack(chain, ctx, pixels, &at, err));
    for (int i = 0; i < chain->stage_count; i++) {
        const ngff_codec_stage *s = &chain->stage[i];
        ngff_codec_room room = {NULL, s->encoded_max};
        NGFF_TRY(
            ngff_codec_slot(ctx, NGFF_SLOT_PING + i % 2, room.size, &room.data, err));
        assert(at.size <= s->decoded_max);
        NGFF_TRY(s->ops->encode(s, ctx, at, room, &at, err));
        assert(at.size <= s->encoded_max);
    }
    *bytes = at.data;
    *size = at.size;
    return NGFF_OK;
}

/* ---- decoding ---- */

static ngff_status check_size(const ngff_codec_chain *chain, size_t size,
                              ngff_error *err) {
    if (size == chain->decoded_size)
        return NGFF_OK;
    return ngff_fail(err, NGFF_FORMAT, "decoded chunk has %zu bytes, chunk needs %zu",
                     size, chain->decoded_size);
}

/* Runs the stages backwards. The last one fills `target` (decoded_size bytes) unless its
 * output is a part of its input. */
static ngff_status run_back(const ngff_codec_chain *chain, ngff_codec_ctx *ctx,
                            ngff_codec_span in, ngff_codec_range range,
                            unsigned char *target, ngff_codec_span *out,
                            ngff_error *err) {
    int slot = NGFF_SLOT_PING;
    for (int i = chain->stage_count - 1; i >= 0; i--) {
        const ngff_codec_stage *s = &chain->stage[i];
        ngff_codec_room room = {target, chain->decoded_size};
        if (i > 0) {
            room.size = tolerant(s->decoded_max);
            NGFF_TRY(ngff_codec_slot(ctx, slot, room.size, &room.data, err));
        }
        if (i == 0 && s->ops->decode_range != NULL)
            NGFF_TRY(s->ops->decode_range(s, ctx, in, room, range, &in, err));
        else
            NGFF_TRY(s->ops->decode(s, ctx, in, room, &in, err));
        if (in.data == room.data) /* else a part of its input, which must stay */
            slot = slot == NGFF_SLOT_PING ? NGFF_SLOT_PONG : NGFF_SLOT_PING;
    }
    *out = in;
    return check_size(chain, in.size, err);
}

static void unpack(const ngff_codec_chain *chain, const ngff_view *stored,
                   const unsigned char *data) {
    ngff_view packed;
    /* nd reads through the view only */
    ngff_view_init(&packed, (void *)(uintptr_t)data, chain->dtype, chain->ndim,
                   stored->shape);
    if (chain->swapped)
        ngff_nd_copy_swapped(stored, &packed);
    else
        ngff_nd_copy(stored, &packed);
}

/* No codec here makes more than 32768 bytes of one (zstd: a block of 128 KiB in 4 bytes),
 * but for bz2, which makes a million of a run. A value that would is refused before
 * memory is taken for it. */
static ngff_status check_bomb(const ngff_codec_chain *chain, size_t size,
                              ngff_error *err) {
    bool runs = chain->stage_count == 1 && chain->stage[0].ops == &ngff_codec_ops_bz2;
    const size_t most = runs ? 2000000 : 40000;
    if (chain->stage_count > 1 || chain->decoded_size / most <= size + 64)
        return NGFF_OK;
    return ngff_fail(err, NGFF_FORMAT, "%zu bytes cannot hold a chunk of %zu", size,
                     chain->decoded_size);
}

ngff_status ngff_codec_decode(const ngff_codec_chain *chain, ngff_codec_ctx *ctx,
                              const void *bytes, size_t size, const ngff_view *out,
                              ngff_error *err) {
    const ngff_codec_range all = {0, chain->decoded_size};
    ngff_codec_span in = {bytes, size};
    ngff_view stored;
    unsigned char *target = NULL;
    check_view(chain, out);
    stored_view(chain, out, &stored);
    bool direct = ngff_view_is_packed(&stored);
    if (chain->stage_count == 0) {
        NGFF_TRY(check_size(chain, size, err));
        unpack(chain, &stored, bytes);
        return NGFF_OK;
    }
    NGFF_TRY(check_bomb(chain, size, err));
    if (direct)
        target = stored.data;
    else
        NGFF_TRY(
            ngff_codec_slot(ctx, NGFF_SLOT_PIXELS, chain->decoded_size, &target, err));
    NGFF_TRY(run_back(chain, ctx, in, all, target, &in, err));
    if (!direct || in.data != target)
        unpack(chain, &stored, in.data);
    else if (chain->swapped)
        ngff_nd_swap_packed(target,
                            chain->decoded_size / chain->item_size *
                                (chain->item_size / ngff_dtype_swap_size(chain->dtype)),
                            ngff_dtype_swap_size(chain->dtype));
    return NGFF_OK;
}

bool ngff_codec_keeps_order(const ngff_codec_chain *chain) {
    return !chain->transposed && !chain->swapped;
}

ngff_status ngff_codec_decode_part(const ngff_codec_chain *chain, ngff_codec_ctx *ctx,
                                   const ngff_codec_part *part, const void **pixels,
                                   ngff_error *err) {
    const ngff_codec_range range = {part->from, part->to};
    ngff_codec_span in = {part->bytes, part->size};
    unsigned char *target = NULL;
    *pixels = NULL;
    assert(ngff_codec_keeps_order(chain));
    assert(part->from <= part->to && part->to <= chain->decoded_size);
    if (chain->stage_count == 0) {
        NGFF_TRY(check_size(chain, in.size, err));
    } else {
        NGFF_TRY(check_bomb(chain, in.size, err));
        NGFF_TRY(
            ngff_codec_slot(ctx, NGFF_SLOT_PIXELS, chain->decoded_size, &target, err));
        NGFF_TRY(run_back(chain, ctx, in, range, target, &in, err));
    }
    *pixels = in.data;
    return NGFF_OK;
}
