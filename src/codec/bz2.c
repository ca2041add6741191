/* codec bz2 of numcodecs: one or more bzip2 streams in a row. Read only. */
#include "codec/chain.h"

#include <bzlib.h>

static ngff_status parse(const ngff_json *config, const ngff_codec_site *site,
                         ngff_codec_stage *out, ngff_error *err) {
    (void)site;
    int64_t level;
    NGFF_TRY(ngff_codec_get_int(config, "level", 1, 9, 1, &level, err));
    out->level = (int)level;
    return NGFF_OK;
}

/* What bzip2 promises of its own output. */
static size_t bound(const ngff_codec_stage *stage, size_t size) {
    (void)stage;
    return size + size / 100 + 600;
}

static ngff_status refuse(int code, size_t room, ngff_error *err) {
    if (code == BZ_MEM_ERROR)
        return ngff_fail_nomem(err, "a bzip2 decoder", (size_t)4 << 20);
    if (code == BZ_OK)
        return ngff_fail(err, NGFF_FORMAT,
                         "bz2 holds more than the %zu bytes the chunk needs", room);
    return ngff_fail(err, NGFF_FORMAT, "bz2: the stream is broken or cut short");
}

/* One stream out of *in into *room; both move on. The library counts in 32 bits. */
static int stream(ngff_codec_span *in, ngff_codec_room *room) {
    bz_stream z = {0};
    int code = BZ2_bzDecompressInit(&z, 0, 0);
    if (code != BZ_OK)
        return code;
    do {
        unsigned give = in->size > INT32_MAX ? INT32_MAX : (unsigned)in->size;
        unsigned take = room->size > INT32_MAX ? INT32_MAX : (unsigned)room->size;
        z.next_in = (char *)(uintptr_t)in->data; /* only read */
        z.avail_in = give;
        z.next_out = (char *)room->data;
        z.avail_out = take;
        code = BZ2_bzDecompress(&z);
        unsigned used = give - z.avail_in, made = take - z.avail_out;
        in->data += used;
        in->size -= used;
        room->data += made;
        room->size -= made;
        if (code == BZ_OK && used == 0 && made == 0) {
            code = in->size == 0 ? BZ_UNEXPECTED_EOF : BZ_OK;
            break;
        }
    } while (code == BZ_OK);
    BZ2_bzDecompressEnd(&z);
    return code;
}

static ngff_status decode(const ngff_codec_stage *stage, ngff_codec_ctx *ctx,
                          ngff_codec_span in, ngff_codec_room room, ngff_codec_span *out,
                          ngff_error *err) {
    (void)stage;
    (void)ctx;
    ngff_codec_room left = room;
    do {
        int code = stream(&in, &left);
        if (code != BZ_STREAM_END)
            return refuse(code, room.size, err);
    } while (in.size > 0);
    *out = (ngff_codec_span){room.data, room.size - left.size};
    return NGFF_OK;
}

const ngff_codec_ops ngff_codec_ops_bz2 = {
    .row = {"bz2", "bz2", "numcodecs.bz2", "bytes->bytes", false, true, "1-9"},
    .parse = parse,
    .bound = bound,
    .decode = decode,
};
