/* The inside of the codec room: what a codec implements (one row per file), what a chain
 * and a context hold. A stage is plain data: parsed once, shared by all threads, never
 * changed after. Contexts are one thread's. Spans are borrowed. */
#ifndef NGFF_CODEC_CHAIN_H
#define NGFF_CODEC_CHAIN_H

#include "codec/codec.h"

enum { NGFF_CODEC_MAX_STAGES = 8 };

typedef struct ngff_codec_ops ngff_codec_ops;

typedef struct ngff_codec_span {
    const unsigned char *data;
    size_t size;
} ngff_codec_span;

/* Writable memory: `size` bytes that a stage may fill. */
typedef struct ngff_codec_room {
    unsigned char *data;
    size_t size;
} ngff_codec_room;

/* Decoded bytes that are wanted; the rest may be left undefined. */
typedef struct ngff_codec_range {
    size_t from, to;
} ngff_codec_range;

/* One configured bytes->bytes codec. A codec uses the fields it knows. */
typedef struct ngff_codec_stage {
    const ngff_codec_ops *ops;
    int level;
    bool checksum; /* zstd: frame checksum; crc32c: at the end, not the start */
    int cname;     /* blosc: index of the inner compressor */
    ngff_shuffle shuffle;
    size_t typesize; /* blosc, shuffle, delta: bytes of one item */
    size_t blocksize;
    bool swapped;       /* delta: items are not in native order */
    size_t decoded_max; /* most bytes on the decoded side, see chain.c */
    size_t encoded_max;
} ngff_codec_stage;

/* What a codec may need to know of the chunk when it is configured. */
typedef struct ngff_codec_site {
    ngff_dtype dtype;
    bool big_endian;
    int zarr_format;
} ngff_codec_site;

struct ngff_codec_ops {
    ngff_codec_row row;
    bool fixed_size; /* the encoded size depends on the decoded size only */
    /* `config`: v3 "configuration" (may be NULL) or the whole v2 object. */
    ngff_status (*parse)(const ngff_json *config, const ngff_codec_site *site,
                         ngff_codec_stage *out, ngff_error *err);
    size_t (*bound)(const ngff_codec_stage *stage, size_t size); /* encoded, at most */
    /* Both answer the bytes in `out`: inside `room`, or (decode) a part of `in`. `room`
     * has at least encoded_max bytes (encode) or the bytes that are allowed (decode). */
    ngff_status (*encode)(const ngff_codec_stage *stage, ngff_codec_ctx *ctx,
                          ngff_codec_span in, ngff_codec_room room, ngff_codec_span *out,
                          ngff_error *err);
    ngff_status (*decode)(const ngff_codec_stage *stage, ngff_codec_ctx *ctx,
                          ngff_codec_span in, ngff_codec_room room, ngff_codec_span *out,
                          ngff_error *err);
    /* As decode, of a range; NULL where all must be decoded anyway. */
    ngff_status (*decode_range)(const ngff_codec_stage *stage, ngff_codec_ctx *ctx,
                                ngff_codec_span in, ngff_codec_room room,
                                ngff_codec_range range, ngff_codec_span *out,
                                ngff_error *err);
};

struct ngff_codec_chain {
    const ngff_allocator *alloc;
    ngff_dtype dtype;
    int ndim;
    int64_t shape[NGFF_MAX_NDIM]; /* of the chunk */
    int perm[NGFF_MAX_NDIM];      /* stored axis i is axis perm[i] of the chunk */
    bool transposed;
    bool swapped; /* stored items are not in native order */
    size_t item_size, decoded_size;
    int stage_count;
    ngff_codec_stage stage[NGFF_CODEC_MAX_STAGES];
};

/* The rows. */
extern const ngff_codec_ops ngff_codec_ops_blosc, ngff_codec_ops_zstd,
    ngff_codec_ops_gzip, ngff_codec_ops_zlib, ngff_codec_ops_crc32c, ngff_codec_ops_lz4,
    ngff_codec_ops_shuffle, ngff_codec_ops_delta, ngff_codec_ops_bz2, ngff_codec_ops_lzma;
const ngff_codec_ops *ngff_codec_find_v2(const char *id);   /* NULL: unknown */
const ngff_codec_ops *ngff_codec_find_v3(const char *name); /* bytes->bytes only */

/* ---- configuration members ---- */

/* An integer member inside [lo, hi]; absent: `missing` (or FORMAT when it is below lo).
 * Whole doubles and numeric strings, which occur in v2, are accepted there. */
ngff_status ngff_codec_get_int(const ngff_json *config, const char *name, int64_t lo,
                               int64_t hi, int64_t missing, int64_t *out,
                               ngff_error *err);

/* ---- the context ---- */

/* What a context can hold; each grows on first use and is then kept. */
enum {
    NGFF_SLOT_PIXELS = 0, /* packed chunk */
    NGFF_SLOT_TURNED,     /* packed chunk that is turned on its way into PIXELS */
    NGFF_SLOT_PING,
    NGFF_SLOT_PONG,
    NGFF_SLOT_BLOCK, /* blosc: one block, shuffled */
    NGFF_SLOT_USER,  /* first of NGFF_CODEC_SCRATCH slots of the zarr room */
    NGFF_SLOT_COUNT = NGFF_SLOT_USER + NGFF_CODEC_SCRATCH
};
/* At least `size` bytes, 64-byte aligned; the content is lost when it grows. */
ngff_status ngff_codec_slot(ngff_codec_ctx *ctx, int slot, size_t size,
                            unsigned char **out, ngff_error *err);
/* Library states, made on first use; NULL: out of memory. */
void *ngff_codec_zstd_encoder(ngff_codec_ctx *ctx);
void *ngff_codec_zstd_decoder(ngff_codec_ctx *ctx);
void *ngff_codec_deflate_encoder(ngff_codec_ctx *ctx, int level);
void *ngff_codec_deflate_decoder(ngff_codec_ctx *ctx);
void *ngff_codec_lz4_encoder(ngff_codec_ctx *ctx);
void *ngff_codec_lz4hc_encoder(ngff_codec_ctx *ctx);

/* ---- filters (shuffle.c), also the inside of blosc ---- */

/* Byte shuffle: plane k of `out` holds byte k of every item; what is left over is copied.
 */
void ngff_shuffle_bytes(size_t typesize, const unsigned char *in, size_t size,
                        unsigned char *out);
void ngff_unshuffle_bytes(size_t typesize, const unsigned char *in, size_t size,
                          unsigned char *out);
/* Bit shuffle of size / typesize items (a multiple of 8, else everything is copied). */
void ngff_shuffle_bits(size_t typesize, const unsigned char *in, size_t size,
                       unsigned char *out);
void ngff_unshuffle_bits(size_t typesize, const unsigned char *in, size_t size,
                         unsigned char *out);

/* One raw block of a known decoded size (out.size); false: broken. */
bool ngff_blosclz_decode(ngff_codec_span in, ngff_codec_room out);
bool ngff_snappy_decode(ngff_codec_span in, ngff_codec_room out);

#endif
