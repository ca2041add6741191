/* Making chains and pixels for the codec tests. */
#ifndef NGFF_TEST_CODEC_CHAINS_H
#define NGFF_TEST_CODEC_CHAINS_H

#include "support/cmocka.h"

#include "codec/codec.h"
#include "support/json.h"
#include "support/random.h"

#include <stdio.h>
#include <stdlib.h>

/* status of building the chain; *out is NULL when it failed. */
static inline ngff_status chain_v3(const char *codecs, ngff_dtype dtype, int ndim,
                                   const int64_t *shape, ngff_codec_chain **out,
                                   ngff_error *err) {
    ngff_json *doc = parse_json(codecs);
    ngff_status status =
        ngff_codec_chain_from_v3(NULL, doc, dtype, ndim, shape, out, err);
    ngff_json_close(&doc);
    return status;
}

static inline ngff_status chain_v2(const char *compressor, const char *filters,
                                   char order, bool big, ngff_dtype dtype, int ndim,
                                   const int64_t *shape, ngff_codec_chain **out,
                                   ngff_error *err) {
    ngff_json *c = parse_json(compressor), *f = parse_json(filters);
    ngff_codec_v2 v2 = {c, f, order, big};
    ngff_status status =
        ngff_codec_chain_from_v2(NULL, &v2, dtype, ndim, shape, out, err);
    ngff_json_close(&c);
    ngff_json_close(&f);
    return status;
}

/* Smooth with a little noise: compresses, and not trivially. */
static inline void paint(unsigned char *data, size_t size, size_t item, uint64_t *seed) {
    for (size_t i = 0; i < size; i++) {
        size_t v = i / item;
        data[i] = i % item == 0 ? (unsigned char)(v / 3 + random_range(seed, 0, 3))
                                : (unsigned char)(v >> (8 * (i % item) % 64) & 255);
    }
}

#endif
