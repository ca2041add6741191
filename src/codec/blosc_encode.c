/* codec blosc: writing Blosc1 chunks. Ours for lz4, lz4hc, zlib and zstd, because
 * libblosc makes its compressor states anew for every chunk (zstd: for every block) and
 * we keep them; blosclz and snappy, which nobody should choose for new data, go through
 * libblosc. */
#include "codec/blosc.h"

#include <blosc.h>
#include <libdeflate.h>
#include <lz4.h>
#include <lz4hc.h>
#include <zstd.h>

enum { HEADER = 16, MAX_SPLITS = 16, MIN_SPLIT = 128 };
enum { FLAG_BYTES = 1, FLAG_STORED = 2, FLAG_BITS = 4, FLAG_WHOLE = 16 };
enum { FORMAT_LZ4 = 1, FORMAT_ZLIB = 3, FORMAT_ZSTD = 4 };

/* Everything one chunk is made of. */
typedef struct maker {
    const ngff_codec_stage *stage;
    ngff_codec_ctx *ctx;
    ngff_codec_span in;
    ngff_codec_room room;
    size_t typesize, blocksize, block_count;
    unsigned flags;
    size_t used; /* of room */
} maker;

size_t ngff_blosc_bound(const ngff_codec_stage *stage, size_t size) {
    (void)stage;
    return size + BLOSC_MAX_OVERHEAD;
}

/* Measured (docs/decisions/0003-default-codec.md): LZ4 looks back 64 KiB and gains
 * nothing from larger blocks; the others do, as long as a block and its shuffled copy
 * stay in the cache.
 */
enum { BLOCK_FAST = 64 << 10, BLOCK_DENSE = 512 << 10 };

/* A multiple of eight items, as the bit shuffle wants it. */
static size_t pick_blocksize(const ngff_codec_stage *stage, size_t typesize,
                             size_t size) {
    size_t grain = 8 * typesize;
    size_t block = stage->blocksize;
    if (block == 0)
        block = stage->cname == NGFF_BLOSC_LZ4 ? BLOCK_FAST : BLOCK_DENSE;
    block = block < MIN_SPLIT * typesize ? MIN_SPLIT * typesize : block;
    block -= block % grain;
    return block < size ? block : size;
}

static void init(maker *m) {
    const ngff_codec_stage *s = m->stage;
    int format = s->cname == NGFF_BLOSC_ZSTD   ? FORMAT_ZSTD
                 : s->cname == NGFF_BLOSC_ZLIB ? FORMAT_ZLIB
                                               : FORMAT_LZ4;
    m->typesize = s->typesize > 255 ? 1 : s->typesize;
    m->blocksize = pick_blocksize(s, m->typesize, m->in.size);
    m->block_count = (m->in.size + m->blocksize - 1) / m->blocksize;
    m->flags = (unsigned)format << 5;
    if (s->shuffle == NGFF_SHUFFLE_BYTE && m->typesize > 1)
        m->flags |= FLAG_BYTES;
    if (s->shuffle == NGFF_SHUFFLE_BIT)
        m->flags |= FLAG_BITS;
    /* Split: one stream a byte plane, which only the byte shuffle makes worth while. */
    if (!(m->flags & FLAG_BYTES) || s->cname == NGFF_BLOSC_ZSTD ||
        s->cname == NGFF_BLOSC_ZLIB || m->typesize > MAX_SPLITS ||
        m->blocksize % m->typesize != 0 || m->blocksize / m->typesize < MIN_SPLIT)
        m->flags |= FLAG_WHOLE;
}

/* libblosc's meaning of the levels. */
static int zstd_level(int level) {
    if (level == 9)
        return ZSTD_maxCLevel();
    return level == 8 ? ZSTD_maxCLevel() - 2 : 2 * level - 1;
}

/* One stream into `to`; 0: it does not get smaller. */
static size_t compress(const maker *m, ngff_codec_span in, ngff_codec_room to) {
    int level = m->stage->level;
    size_t size;
    void *state;
    switch (m->stage->cname) {
    case NGFF_BLOSC_LZ4:
        state = ngff_codec_lz4_encoder(m->ctx);
        return state ? (size_t)LZ4_compress_fast_extState(state, (const char *)in.data,
                                                          (char *)to.data, (int)in.size,
                                                          (int)to.size, 10 - level)
                     : 0;
    case NGFF_BLOSC_LZ4HC:
        state = ngff_codec_lz4hc_encoder(m->ctx);
        return state ? (size_t)LZ4_compress_HC_extStateHC(state, (const char *)in.data,
                                                          (char *)to.data, (int)in.size,
                                                          (int)to.size, level)
                     : 0;
    case NGFF_BLOSC_ZLIB:
        state = ngff_codec_deflate_encoder(m->ctx, level);
        return state ? libdeflate_zlib_compress(state, in.data, in.size, to.data, to.size)
                     : 0;
    default:
        state = ngff_codec_zstd_encoder(m->ctx);
        size = state ? ZSTD_compressCCtx(state, to.data, to.size, in.data, in.size,
                                         zstd_level(level))
                     : 0;
        return ZSTD_isError(size) ? 0 : size;
    }
}

/* A stream that would not get smaller is stored: its size then equals the decoded one. */
static bool add_stream(maker *m, ngff_codec_span in) {
    if (m->room.size - m->used < 4)
        return false;
    size_t left = m->room.size - m->used - 4;
    unsigned char *at = m->room.data + m->used + 4;
    size_t most = left < in.size - 1 ? left : in.size - 1;
    size_t size = most ? compress(m, in, (ngff_codec_room){at, most}) : 0;
    if (size == 0) {
        if (left < in.size)
            return false;
        memcpy(at, in.data, in.size);
        size = in.size;
    }
    ngff_store_u32le(at - 4, (uint32_t)size);
    m->used += 4 + size;
    return true;
}

static bool add_block(maker *m, const unsigned char *data, size_t size) {
    bool split = !(m->flags & FLAG_WHOLE) && size == m->blocksize;
    size_t count = split ? m->typesize : 1;
    for (size_t i = 0; i < count; i++) {
        if (!add_stream(m, (ngff_codec_span){data + i * (size / count), size / count}))
            return false;
    }
    return true;
}

/* false: the chunk does not get smaller (or memory is short), it is to be stored. */
static bool add_blocks(maker *m, unsigned char *block) {
    m->used = HEADER + 4 * m->block_count;
    if (m->used > m->room.size)
        return false;
    for (size_t i = 0; i < m->block_count; i++) {
        size_t at = i * m->blocksize;
        size_t size = m->in.size - at < m->blocksize ? m->in.size - at : m->blocksize;
        const unsigned char *from = m->in.data + at;
        ngff_store_u32le(m->room.data + HEADER + 4 * i, (uint32_t)m->used);
        if (m->flags & FLAG_BYTES)
            ngff_shuffle_bytes(m->typesize, from, size, block);
        else if ((m->flags & FLAG_BITS) && size >= m->typesize)
            ngff_shuffle_bits(m->typesize, from, size, block);
        bool shuffled =
            (m->flags & FLAG_BYTES) || ((m->flags & FLAG_BITS) && size >= m->typesize);
        if (!add_block(m, shuffled ? block : from, size))
            return false;
    }
    return true;
}

static void store(maker *m) {
    m->flags |= FLAG_STORED;
    if (m->in.size)
        memcpy(m->room.data + HEADER, m->in.data, m->in.size);
    m->used = HEADER + m->in.size;
}

static void put_header(const maker *m) {
    unsigned char *h = m->room.data;
    h[0] = BLOSC_VERSION_FORMAT;
    h[1] = 1; /* version of the inner format */
    h[2] = (unsigned char)m->flags;
    h[3] = (unsigned char)m->typesize;
    ngff_store_u32le(h + 4, (uint32_t)m->in.size);
    ngff_store_u32le(h + 8, (uint32_t)m->blocksize);
    ngff_store_u32le(h + 12, (uint32_t)m->used);
}

static ngff_status encode_ours(maker *m, ngff_error *err) {
    unsigned char *block = NULL;
    init(m);
    NGFF_TRY(ngff_codec_slot(m->ctx, NGFF_SLOT_BLOCK, m->blocksize, &block, err));
    if (m->stage->level == 0 || !add_blocks(m, block))
        store(m);
    put_header(m);
    return NGFF_OK;
}

static ngff_status encode_theirs(maker *m, ngff_error *err) {
    const ngff_codec_stage *s = m->stage;
    int size = blosc_compress_ctx(s->level, (int)s->shuffle - 1, s->typesize, m->in.size,
                                  m->in.data, m->room.data, m->room.size,
                                  ngff_blosc_names[s->cname], s->blocksize, 1);
    if (size < 0)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "blosc:%s cannot be written by this build",
                         ngff_blosc_names[s->cname]);
    m->used = (size_t)size;
    return size ? NGFF_OK : ngff_fail(err, NGFF_INTERNAL, "blosc: no room");
}

ngff_status ngff_blosc_encode(const ngff_codec_stage *stage, ngff_codec_ctx *ctx,
                              ngff_codec_span in, ngff_codec_room room,
                              ngff_codec_span *out, ngff_error *err) {
    maker m = {.stage = stage, .ctx = ctx, .in = in, .room = room};
    if (in.size > BLOSC_MAX_BUFFERSIZE)
        return ngff_fail(err, NGFF_LIMIT, "blosc: a chunk of %zu bytes is above %d",
                         in.size, BLOSC_MAX_BUFFERSIZE);
    assert(room.size >= in.size + HEADER);
    if (m.room.size > in.size + HEADER)
        m.room.size = in.size + HEADER;
    bool theirs = stage->cname == NGFF_BLOSC_BLOSCLZ || stage->cname == NGFF_BLOSC_SNAPPY;
    if (theirs || in.size == 0)
        NGFF_TRY(encode_theirs(&m, err));
    else
        NGFF_TRY(encode_ours(&m, err));
    *out = (ngff_codec_span){room.data, m.used};
    return NGFF_OK;
}
