/* codec blosc: making Blosc1 chunks. */
#include "codec/blosc.h"

#include <blosc.h>

size_t ngff_blosc_bound(const ngff_codec_stage *stage, size_t size) {
    (void)stage;
    return size + BLOSC_MAX_OVERHEAD;
}

ngff_status ngff_blosc_encode(const ngff_codec_stage *stage, ngff_codec_ctx *ctx,
                              ngff_codec_span in, ngff_codec_room room,
                              ngff_codec_span *out, ngff_error *err) {
    (void)ctx;
    if (in.size > BLOSC_MAX_BUFFERSIZE)
        return ngff_fail(err, NGFF_LIMIT, "blosc: a chunk of %zu bytes is above %d",
                         in.size, BLOSC_MAX_BUFFERSIZE);
    int size = blosc_compress_ctx(stage->level, (int)stage->shuffle - 1, stage->typesize,
                                  in.size, in.data, room.data, room.size,
                                  ngff_blosc_names[stage->cname], stage->blocksize, 1);
    if (size <= 0)
        return ngff_fail(err, NGFF_INTERNAL, "blosc:%s answers %d",
                         ngff_blosc_names[stage->cname], size);
    *out = (ngff_codec_span){room.data, (size_t)size};
    return NGFF_OK;
}
