/* codec blosc: the Blosc1 container, read here with every offset checked, and its
 * configuration. Layout: a header of 16 bytes, one u32 offset per block, then blocks. A
 * block is one stream, or one stream per byte of the item; a stream is an i32 size and
 * that many bytes, stored as they are when the size equals the decoded one. Encoding:
 * blosc_encode.c. */
#include "codec/blosc.h"

#include <libdeflate.h>
#include <lz4.h>
#include <zstd.h>

const char *const ngff_blosc_names[NGFF_BLOSC_CNAMES] = {"blosclz", "lz4",  "lz4hc",
                                                         "snappy",  "zlib", "zstd"};

/* ---- configuration ---- */

static ngff_status parse_cname(const ngff_json *config, ngff_codec_stage *out,
                               ngff_error *err) {
    const char *name = ngff_json_str(ngff_json_get(config, "cname"));
    if (!name)
        return ngff_fail(err, NGFF_FORMAT, "\"cname\" is missing");
    for (out->cname = 0; out->cname < NGFF_BLOSC_CNAMES; out->cname++) {
        if (strcmp(ngff_blosc_names[out->cname], name) == 0)
            return NGFF_OK;
    }
    return ngff_fail(err, NGFF_FORMAT, "\"cname\" is \"%s\"", name);
}

/* v2: 0 none, 1 bytes, 2 bits, -1 bits for one-byte items, else bytes. v3: names. */
static ngff_status parse_shuffle(const ngff_json *config, const ngff_codec_site *site,
                                 ngff_codec_stage *out, ngff_error *err) {
    static const char *const names[] = {"noshuffle", "shuffle", "bitshuffle"};
    const char *name = ngff_json_str(ngff_json_get(config, "shuffle"));
    int64_t v = 1;
    if (site->zarr_format == 3) {
        v = 0;
        while (name && v < 3 && strcmp(names[v], name) != 0)
            v++;
        if (!name || v == 3)
            return ngff_fail(err, NGFF_FORMAT,
                             "\"shuffle\" is %s, not noshuffle, shuffle or bitshuffle",
                             name ? name : "missing");
    } else {
        NGFF_TRY(ngff_codec_get_int(config, "shuffle", -1, 2, 1, &v, err));
        if (v == -1)
            v = ngff_dtype_size(site->dtype) == 1 ? 2 : 1;
    }
    out->shuffle = (ngff_shuffle)(v + 1);
    return NGFF_OK;
}

static ngff_status parse(const ngff_json *config, const ngff_codec_site *site,
                         ngff_codec_stage *out, ngff_error *err) {
    int64_t level, typesize, blocksize;
    bool v2 = site->zarr_format == 2;
    int64_t item = (int64_t)ngff_dtype_size(site->dtype);
    NGFF_TRY(parse_cname(config, out, err));
    NGFF_TRY(parse_shuffle(config, site, out, err));
    NGFF_TRY(ngff_codec_get_int(config, "clevel", 0, 9, 5, &level, err));
    NGFF_TRY(ngff_codec_get_int(config, "blocksize", 0, INT32_MAX, 0, &blocksize, err));
    bool need = !v2 && out->shuffle != NGFF_SHUFFLE_NONE; /* T3 */
    if (need && !ngff_json_get(config, "typesize"))
        return ngff_fail(err, NGFF_FORMAT, "\"typesize\" is missing");
    NGFF_TRY(ngff_codec_get_int(config, "typesize", need ? 1 : 0, INT32_MAX, item,
                                &typesize, err));
    out->level = (int)level;
    out->blocksize = (size_t)blocksize;
    /* v2's "typesize" is a note of newer writers; the item decides there. */
    out->typesize = v2 || typesize == 0 ? (size_t)item : (size_t)typesize;
    return NGFF_OK;
}

/* ---- decoding ---- */

/* A checked header. */
typedef struct chunk {
    ngff_codec_span in; /* all of the chunk */
    int format;
    bool stored, split, bytes_shuffled, bits_shuffled;
    size_t typesize, size, blocksize, block_count;
} chunk;

enum { HEADER = 16, MAX_SPLITS = 16, MIN_SPLIT = 128 };
enum {
    FORMAT_BLOSCLZ = 0,
    FORMAT_LZ4 = 1,
    FORMAT_SNAPPY = 2,
    FORMAT_ZLIB = 3,
    FORMAT_ZSTD = 4
};

static ngff_status broken(ngff_error *err, const char *what, size_t found) {
    return ngff_fail(err, NGFF_FORMAT, "blosc: %s (%zu)", what, found);
}

static ngff_status read_header(ngff_codec_span in, size_t wanted, chunk *c,
                               ngff_error *err) {
    if (in.size < HEADER)
        return broken(err, "the chunk is shorter than its header", in.size);
    unsigned flags = in.data[2];
    size_t encoded = ngff_load_u32le(in.data + 12);
    *c = (chunk){.in = in, .format = (int)(flags >> 5), .stored = flags & 2};
    c->typesize = in.data[3] ? in.data[3] : 1;
    c->size = ngff_load_u32le(in.data + 4);
    c->blocksize = ngff_load_u32le(in.data + 8);
    c->split = !(flags & 16);
    c->bytes_shuffled = (flags & 1) && c->typesize > 1;
    c->bits_shuffled = !c->bytes_shuffled && (flags & 4);
    if (in.data[0] > 2 || (flags & 8))
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "blosc: container version %u, known are 1 and 2", in.data[0]);
    if (c->size > wanted)
        return ngff_fail(err, NGFF_FORMAT, "blosc chunk holds %zu bytes, chunk needs %zu",
                         c->size, wanted);
    if (encoded > in.size || encoded < HEADER)
        return ngff_fail(err, NGFF_FORMAT,
                         "blosc chunk says it has %zu bytes, %zu are there", encoded,
                         in.size);
    c->in.size = encoded;
    if (c->stored || c->size == 0)
        return NGFF_OK;
    if (c->blocksize == 0 || c->blocksize > c->size)
        return broken(err, "impossible block size", c->blocksize);
    c->block_count = (c->size + c->blocksize - 1) / c->blocksize;
    if (c->block_count > (c->in.size - HEADER) / 4)
        return broken(err, "the offsets of the blocks are cut short", c->block_count);
    return NGFF_OK;
}

static bool decode_stream(const chunk *c, ngff_codec_ctx *ctx, ngff_codec_span in,
                          ngff_codec_room out) {
    size_t made = 0;
    void *state;
    if (in.size > INT32_MAX || out.size > INT32_MAX)
        return false;
    switch (c->format) {
    case FORMAT_BLOSCLZ:
        return ngff_blosclz_decode(in, out);
    case FORMAT_LZ4:
        return LZ4_decompress_safe((const char *)in.data, (char *)out.data, (int)in.size,
                                   (int)out.size) == (int)out.size;
    case FORMAT_SNAPPY:
        return ngff_snappy_decode(in, out);
    case FORMAT_ZLIB:
        state = ngff_codec_deflate_decoder(ctx);
        return state &&
               libdeflate_zlib_decompress(state, in.data, in.size, out.data, out.size,
                                          &made) == LIBDEFLATE_SUCCESS &&
               made == out.size;
    case FORMAT_ZSTD:
        state = ngff_codec_zstd_decoder(ctx);
        return state && ZSTD_decompressDCtx(state, out.data, out.size, in.data,
                                            in.size) == out.size;
    default:
        return false;
    }
}

/* The streams of one block, one after the other, into `out`. */
static bool decode_block(const chunk *c, ngff_codec_ctx *ctx, size_t off,
                         bool is_last_part, ngff_codec_room out) {
    bool split = c->split && !is_last_part && c->typesize <= MAX_SPLITS &&
                 c->blocksize / c->typesize >= MIN_SPLIT;
    size_t count = split ? c->typesize : 1;
    size_t part = out.size / count;
    if (part * count != out.size)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (off > c->in.size || c->in.size - off < 4)
            return false;
        size_t size = ngff_load_u32le(c->in.data + off);
        off += 4;
        if (size == 0 || size > c->in.size - off)
            return false;
        ngff_codec_room to = {out.data + i * part, part};
        ngff_codec_span from = {c->in.data + off, size};
        if (size == part)
            memcpy(to.data, from.data, size);
        else if (!decode_stream(c, ctx, from, to))
            return false;
        off += size;
    }
    return true;
}

/* Blocks that hold nothing of `range` are passed over. */
static ngff_status decode_blocks(const chunk *c, ngff_codec_ctx *ctx,
                                 ngff_codec_range range, unsigned char *out,
                                 ngff_error *err) {
    bool shuffled = c->bytes_shuffled || c->bits_shuffled;
    unsigned char *block = NULL;
    if (shuffled)
        NGFF_TRY(ngff_codec_slot(ctx, NGFF_SLOT_BLOCK, c->blocksize, &block, err));
    for (size_t i = 0; i < c->block_count; i++) {
        size_t at = i * c->blocksize;
        size_t size = c->size - at < c->blocksize ? c->size - at : c->blocksize;
        if (at >= range.to || at + size <= range.from)
            continue;
        size_t off = ngff_load_u32le(c->in.data + HEADER + 4 * i);
        ngff_codec_room to = {shuffled ? block : out + at, size};
        if (off < HEADER + 4 * c->block_count ||
            !decode_block(c, ctx, off, size < c->blocksize, to))
            return broken(err, "a block is broken or cut short", i);
        if (c->bytes_shuffled)
            ngff_unshuffle_bytes(c->typesize, block, size, out + at);
        else if (c->bits_shuffled && size >= c->typesize)
            ngff_unshuffle_bits(c->typesize, block, size, out + at);
        else if (shuffled)
            memcpy(out + at, block, size);
    }
    return NGFF_OK;
}

static ngff_status decode_range(const ngff_codec_stage *stage, ngff_codec_ctx *ctx,
                                ngff_codec_span in, ngff_codec_room room,
                                ngff_codec_range range, ngff_codec_span *out,
                                ngff_error *err) {
    (void)stage;
    chunk c = {0};
    NGFF_TRY(read_header(in, room.size, &c, err));
    if (c.stored) {
        if (c.in.size - HEADER != c.size)
            return broken(err, "a stored chunk of another size than it says", c.in.size);
        *out = (ngff_codec_span){in.data + HEADER, c.size};
        return NGFF_OK;
    }
    *out = (ngff_codec_span){room.data, c.size};
    return c.size == 0 ? NGFF_OK : decode_blocks(&c, ctx, range, room.data, err);
}

static ngff_status decode(const ngff_codec_stage *stage, ngff_codec_ctx *ctx,
                          ngff_codec_span in, ngff_codec_room room, ngff_codec_span *out,
                          ngff_error *err) {
    const ngff_codec_range all = {0, SIZE_MAX};
    return decode_range(stage, ctx, in, room, all, out, err);
}

const ngff_codec_ops ngff_codec_ops_blosc = {
    .row = {"blosc", "blosc", "blosc", "bytes->bytes", true, true, "0-9"},
    .parse = parse,
    .bound = ngff_blosc_bound,
    .encode = ngff_blosc_encode,
    .decode = decode,
    .decode_range = decode_range,
};
