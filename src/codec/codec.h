/* codec: pixels of one chunk <-> bytes, as a chain of codecs; one file and one table row
 * each. A chain is immutable after it is made and may be used by any number of threads;
 * every thread brings its own ngff_codec_ctx, which holds the compressor states and
 * scratch memory (no allocation per chunk once warm). Wire formats: Zarr v3 codecs, Zarr
 * v2 compressor/filters/order.
 *
 * A chain is: array->array (transpose, or v2 order "F") * , then "bytes" (endianness),
 * then bytes->bytes *. `sharding_indexed` is not a codec here: zarr takes it apart and
 * uses two chains (inner, index). */
#ifndef NGFF_CODEC_CODEC_H
#define NGFF_CODEC_CODEC_H

#include "nd/nd.h"
#include "json/json.h"

typedef struct ngff_codec_chain ngff_codec_chain;
typedef struct ngff_codec_ctx ngff_codec_ctx;

/* ---- choosing by name (what `--codec` and options take) ---- */

typedef enum ngff_shuffle {
    NGFF_SHUFFLE_AUTO = 0, /* bit shuffle for LZ4 and for one-byte items, byte else */
    NGFF_SHUFFLE_NONE = 1,
    NGFF_SHUFFLE_BYTE = 2,
    NGFF_SHUFFLE_BIT = 3
} ngff_shuffle;

/* name: "blosc:lz4", "blosc:lz4hc", "blosc:zstd", "blosc:zlib", "zstd", "gzip", "none";
 * NULL or "": the default of this build, which depends on the data type
 * (docs/decisions/0003-default-codec.md). level < 0: the codec's default. */
typedef struct ngff_codec_choice {
    const char *name;
    int level;
    ngff_shuffle shuffle;
} ngff_codec_choice;

/* The JSON text of a choice: v3 -> the bytes->bytes part of "codecs" (a JSON array, maybe
 * empty), v2 -> the "compressor" value (an object or null). */
NGFF_MUST_USE ngff_status ngff_codec_choice_json(const ngff_codec_choice *choice,
                                                 int zarr_format, ngff_dtype dtype,
                                                 ngff_json **out, ngff_error *err);

/* Row i of the codec table, for `ngff codecs`; false past the end. */
typedef struct ngff_codec_row {
    const char *name;    /* "blosc", "zstd", … */
    const char *v2_id;   /* NULL: not in v2 */
    const char *v3_name; /* NULL: not in v3 */
    const char *kind;    /* "array->array", "array->bytes", "bytes->bytes" */
    bool encodes, decodes;
    const char *levels; /* "0-9", "" */
} ngff_codec_row;
bool ngff_codec_table(size_t index, ngff_codec_row *out);

/* ---- chains ---- */

/* From a v3 "codecs" array without sharding_indexed, for chunks of `shape` and `dtype`.
 * Validates kinds and order (A->A*, A->B exactly 1, B->B*) and every configuration;
 * unknown names are UNSUPPORTED with the name. Bare strings are accepted. */
NGFF_MUST_USE ngff_status ngff_codec_chain_from_v3(
    const ngff_allocator *a, const ngff_json *codecs, ngff_dtype dtype, int ndim,
    const int64_t *shape, ngff_codec_chain **out, ngff_error *err);
/* From v2: compressor (object or null), filters (array or null), order 'C'/'F',
 * big-endian flag. */
typedef struct ngff_codec_v2 {
    const ngff_json *compressor, *filters;
    char order;
    bool big_endian;
} ngff_codec_v2;
NGFF_MUST_USE ngff_status ngff_codec_chain_from_v2(
    const ngff_allocator *a, const ngff_codec_v2 *v2, ngff_dtype dtype, int ndim,
    const int64_t *shape, ngff_codec_chain **out, ngff_error *err);
void ngff_codec_chain_close(ngff_codec_chain **chain);

/* The full v3 "codecs" array of a chain built from a bytes->bytes list:
 * [{"name":"bytes",…}, …]. `bytes_to_bytes` is borrowed. Writers use this to make
 * metadata. */
NGFF_MUST_USE ngff_status ngff_codec_v3_codecs(ngff_dtype dtype,
                                               const ngff_json *bytes_to_bytes,
                                               ngff_json **out, ngff_error *err);

/* NULL when this build can encode with the chain, else the name of a codec that it only
 * decodes. A writer asks before it starts. */
const char *ngff_codec_decode_only(const ngff_codec_chain *chain);
size_t ngff_codec_decoded_size(const ngff_codec_chain *chain);
/* Most bytes an encoded chunk may take (for buffers and the plan). */
size_t ngff_codec_encoded_bound(const ngff_codec_chain *chain);
/* Encoded size when it does not depend on the data (index chains: bytes + crc32c), else
 * 0. */
size_t ngff_codec_fixed_size(const ngff_codec_chain *chain);
/* Most bytes one ctx will hold for this chain (scratch + compressor states), for the
 * plan. */
size_t ngff_codec_ctx_size(const ngff_codec_chain *chain);

NGFF_MUST_USE ngff_status ngff_codec_ctx_create(const ngff_allocator *a,
                                                ngff_codec_ctx **out, ngff_error *err);
void ngff_codec_ctx_close(ngff_codec_ctx **ctx);

/* Memory of the zarr room that lives as long as the context (indices, encoded values,
 * partial chunks): at least `size` bytes; the content is lost when it grows. slot <
 * NGFF_CODEC_SCRATCH. */
enum { NGFF_CODEC_SCRATCH = 4 };
NGFF_MUST_USE ngff_status ngff_codec_scratch(ngff_codec_ctx *ctx, int slot, size_t size,
                                             void **out, ngff_error *err);

/* Memory of ctx for the pixels of one whole packed chunk, where a caller may put them
 * together and hand them to ngff_codec_encode: it is the memory that encode itself would
 * pack them into. */
NGFF_MUST_USE ngff_status ngff_codec_pixels(const ngff_codec_chain *chain,
                                            ngff_codec_ctx *ctx, void **out,
                                            ngff_error *err);

/* Encodes one chunk. `pixels` has exactly the chain's shape and dtype; any strides. On
 * success *bytes / *size name memory owned by ctx (or, for codec "none" on packed
 * little-endian pixels, the pixels themselves), valid until the next call with this ctx.
 * Deterministic: same input, same bytes. */
NGFF_MUST_USE ngff_status ngff_codec_encode(const ngff_codec_chain *chain,
                                            ngff_codec_ctx *ctx, const ngff_view *pixels,
                                            const void **bytes, size_t *size,
                                            ngff_error *err);
/* An encoded chunk, and which of its decoded bytes are wanted. */
typedef struct ngff_codec_part {
    const void *bytes;
    size_t size, from, to;
} ngff_codec_part;

/* Decodes into `out` (chain's shape and dtype, any strides; packed is fastest). The
 * decoded size must equal the declared one exactly; never allocates more than the
 * declared size + a constant per stage. */
NGFF_MUST_USE ngff_status ngff_codec_decode(const ngff_codec_chain *chain,
                                            ngff_codec_ctx *ctx, const void *bytes,
                                            size_t size, const ngff_view *out,
                                            ngff_error *err);
/* Decodes what is needed of a chunk of which only a part is wanted: the bytes [from, to)
 * of its packed pixels. *pixels is where the whole chunk would begin, in memory of ctx or
 * in `bytes` itself, valid until the next call with this ctx; outside [from, to) it is
 * undefined. Only for chains that keep pixels in their order. */
bool ngff_codec_keeps_order(const ngff_codec_chain *chain);
NGFF_MUST_USE ngff_status ngff_codec_decode_part(const ngff_codec_chain *chain,
                                                 ngff_codec_ctx *ctx,
                                                 const ngff_codec_part *part,
                                                 const void **pixels, ngff_error *err);

uint32_t ngff_crc32c(uint32_t crc, const void *data, size_t size); /* start with 0 */
uint32_t ngff_crc32c_plain(uint32_t crc, const void *data,
                           size_t size); /* its twin, for tests */
uint32_t ngff_crc32(uint32_t crc, const void *data,
                    size_t size); /* ISO-HDLC (zip, gzip) */

#endif
