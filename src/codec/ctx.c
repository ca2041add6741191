/* codec: what one thread keeps between chunks: compressor states and grow-only memory. */
#include "codec/chain.h"

#include <libdeflate.h>
#include <lz4.h>
#include <lz4hc.h>
#include <zstd.h>

typedef struct slot {
    unsigned char *data;
    size_t size;
} slot;

struct ngff_codec_ctx {
    const ngff_allocator *alloc;
    slot slots[NGFF_SLOT_COUNT];
    ZSTD_CCtx *zstd_encoder;
    ZSTD_DCtx *zstd_decoder;
    struct libdeflate_compressor *deflate_encoder;
    int deflate_level;
    struct libdeflate_decompressor *deflate_decoder;
    void *lz4_encoder, *lz4hc_encoder;
};

ngff_status ngff_codec_ctx_create(const ngff_allocator *a, ngff_codec_ctx **out,
                                  ngff_error *err) {
    ngff_codec_ctx *ctx = ngff_calloc(a, 1, sizeof *ctx);
    *out = NULL;
    if (!ctx)
        return ngff_fail_nomem(err, "a codec context", sizeof *ctx);
    ctx->alloc = a;
    *out = ctx;
    return NGFF_OK;
}

void ngff_codec_ctx_close(ngff_codec_ctx **ctx) {
    ngff_codec_ctx *c = ctx ? *ctx : NULL;
    if (!c)
        return;
    for (int i = 0; i < NGFF_SLOT_COUNT; i++)
        ngff_free_aligned(c->alloc, c->slots[i].data);
    ZSTD_freeCCtx(c->zstd_encoder);
    ZSTD_freeDCtx(c->zstd_decoder);
    libdeflate_free_compressor(c->deflate_encoder);
    libdeflate_free_decompressor(c->deflate_decoder);
    ngff_free_aligned(c->alloc, c->lz4_encoder);
    ngff_free_aligned(c->alloc, c->lz4hc_encoder);
    ngff_free(c->alloc, c);
    *ctx = NULL;
}

ngff_status ngff_codec_slot(ngff_codec_ctx *ctx, int which, size_t size,
                            unsigned char **out, ngff_error *err) {
    assert(which >= 0 && which < NGFF_SLOT_COUNT);
    slot *s = &ctx->slots[which];
    if (size > s->size || !s->data) {
        ngff_free_aligned(ctx->alloc, s->data);
        s->size = 0;
        s->data = ngff_alloc_aligned(ctx->alloc, size);
        if (!s->data)
            return ngff_fail_nomem(err, "a chunk buffer", size);
        s->size = size;
    }
    *out = s->data;
    return NGFF_OK;
}

ngff_status ngff_codec_scratch(ngff_codec_ctx *ctx, int which, size_t size, void **out,
                               ngff_error *err) {
    assert(which >= 0 && which < NGFF_CODEC_SCRATCH);
    unsigned char *data = NULL;
    NGFF_TRY(ngff_codec_slot(ctx, NGFF_SLOT_USER + which, size, &data, err));
    *out = data;
    return NGFF_OK;
}

void *ngff_codec_zstd_encoder(ngff_codec_ctx *ctx) {
    if (!ctx->zstd_encoder)
        ctx->zstd_encoder = ZSTD_createCCtx();
    return ctx->zstd_encoder;
}

void *ngff_codec_zstd_decoder(ngff_codec_ctx *ctx) {
    if (!ctx->zstd_decoder)
        ctx->zstd_decoder = ZSTD_createDCtx();
    return ctx->zstd_decoder;
}

void *ngff_codec_deflate_encoder(ngff_codec_ctx *ctx, int level) {
    if (ctx->deflate_encoder && ctx->deflate_level != level) {
        libdeflate_free_compressor(ctx->deflate_encoder);
        ctx->deflate_encoder = NULL;
    }
    if (!ctx->deflate_encoder)
        ctx->deflate_encoder = libdeflate_alloc_compressor(level);
    ctx->deflate_level = level;
    return ctx->deflate_encoder;
}

void *ngff_codec_deflate_decoder(ngff_codec_ctx *ctx) {
    if (!ctx->deflate_decoder)
        ctx->deflate_decoder = libdeflate_alloc_decompressor();
    return ctx->deflate_decoder;
}

void *ngff_codec_lz4_encoder(ngff_codec_ctx *ctx) {
    if (!ctx->lz4_encoder)
        ctx->lz4_encoder = ngff_alloc_aligned(ctx->alloc, (size_t)LZ4_sizeofState());
    return ctx->lz4_encoder;
}

void *ngff_codec_lz4hc_encoder(ngff_codec_ctx *ctx) {
    if (!ctx->lz4hc_encoder)
        ctx->lz4hc_encoder = ngff_alloc_aligned(ctx->alloc, (size_t)LZ4_sizeofStateHC());
    return ctx->lz4hc_encoder;
}
