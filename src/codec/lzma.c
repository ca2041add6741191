/* codec lzma of numcodecs: the .xz container, or the older .lzma one. Read only; raw
 * streams, whose filters are in the metadata, are not known. */
#include "codec/chain.h"

#include <lzma.h>

/* The dictionary of level 9 is 64 MiB; what asks for more is not from any preset. */
#define MEMORY_LIMIT ((uint64_t)96 << 20)

enum { FORMAT_RAW = 3 };

static ngff_status parse(const ngff_json *config, const ngff_codec_site *site,
                         ngff_codec_stage *out, ngff_error *err) {
    (void)site;
    int64_t format, preset = 6; /* null stands for the library's default */
    if (ngff_json_type_of(ngff_json_get(config, "preset")) != NGFF_JSON_NULL)
        NGFF_TRY(ngff_codec_get_int(config, "preset", 0, UINT32_MAX, 6, &preset, err));
    out->level = (int)ngff_min_i64(preset & 15, 9); /* the rest says how hard to try */
    NGFF_TRY(ngff_codec_get_int(config, "format", 0, FORMAT_RAW, 1, &format, err));
    if (format == FORMAT_RAW)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "raw streams (\"format\" 3) are not known to this build");
    return NGFF_OK;
}

static size_t bound(const ngff_codec_stage *stage, size_t size) {
    (void)stage;
    return lzma_stream_buffer_bound(size);
}

static ngff_status explain(lzma_ret code, size_t room, bool full, ngff_error *err) {
    if (code == LZMA_MEM_ERROR)
        return ngff_fail_nomem(err, "an lzma decoder", (size_t)MEMORY_LIMIT);
    if (code == LZMA_MEMLIMIT_ERROR)
        return ngff_fail(err, NGFF_LIMIT, "lzma: the dictionary is larger than %llu MiB",
                         (unsigned long long)(MEMORY_LIMIT >> 20));
    if (full && (code == LZMA_OK || code == LZMA_BUF_ERROR))
        return ngff_fail(err, NGFF_FORMAT,
                         "lzma holds more than the %zu bytes the chunk needs", room);
    return ngff_fail(err, NGFF_FORMAT, "lzma: the stream is broken or cut short");
}

static ngff_status decode(const ngff_codec_stage *stage, ngff_codec_ctx *ctx,
                          ngff_codec_span in, ngff_codec_room room, ngff_codec_span *out,
                          ngff_error *err) {
    (void)stage;
    (void)ctx;
    lzma_stream z = LZMA_STREAM_INIT;
    lzma_ret code = lzma_auto_decoder(&z, MEMORY_LIMIT, LZMA_CONCATENATED);
    z.next_in = in.data;
    z.avail_in = in.size;
    z.next_out = room.data;
    z.avail_out = room.size;
    while (code == LZMA_OK)
        code = lzma_code(&z, LZMA_FINISH);
    size_t made = room.size - z.avail_out;
    lzma_end(&z);
    if (code != LZMA_STREAM_END)
        return explain(code, room.size, made == room.size, err);
    *out = (ngff_codec_span){room.data, made};
    return NGFF_OK;
}

const ngff_codec_ops ngff_codec_ops_lzma = {
    .row = {"lzma", "lzma", "numcodecs.lzma", "bytes->bytes", false, true, "0-9"},
    .parse = parse,
    .bound = bound,
    .decode = decode,
};
