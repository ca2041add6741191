/* The two halves of codec blosc: container reading (blosc.c) and writing
 * (blosc_encode.c). */
#ifndef NGFF_CODEC_BLOSC_H
#define NGFF_CODEC_BLOSC_H

#include "codec/chain.h"

enum {
    NGFF_BLOSC_BLOSCLZ = 0,
    NGFF_BLOSC_LZ4,
    NGFF_BLOSC_LZ4HC,
    NGFF_BLOSC_SNAPPY,
    NGFF_BLOSC_ZLIB,
    NGFF_BLOSC_ZSTD,
    NGFF_BLOSC_CNAMES
};
extern const char *const ngff_blosc_names[NGFF_BLOSC_CNAMES];

size_t ngff_blosc_bound(const ngff_codec_stage *stage, size_t size);
ngff_status ngff_blosc_encode(const ngff_codec_stage *stage, ngff_codec_ctx *ctx,
                              ngff_codec_span in, ngff_codec_room room,
                              ngff_codec_span *out, ngff_error *err);

#endif
