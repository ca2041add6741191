/* codec crc32c: a CRC-32C after the data (v3), or before it (numcodecs' v2 default, T5).
 * And the two checksums themselves. */
#include "codec/chain.h"

#include <libdeflate.h>
#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__ARM_FEATURE_CRC32) && !defined(__AARCH64EB__)
#include <arm_acle.h>
#endif

enum { CRC_SIZE = 4 };

/* The plain twin: the reflected Castagnoli polynomial, four bits a step. */
static uint32_t crc_nibbles(uint32_t crc, const unsigned char *p, size_t size) {
    static const uint32_t table[16] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
                                       0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
                                       0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
                                       0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};
    for (size_t i = 0; i < size; i++) {
        crc ^= p[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t
crc_hard(uint32_t crc, const unsigned char *p, size_t size) {
    uint64_t wide = crc;
    for (; size >= 8; p += 8, size -= 8) {
        uint64_t v;
        memcpy(&v, p, sizeof v);
        wide = _mm_crc32_u64(wide, v);
    }
    crc = (uint32_t)wide;
    for (; size > 0; p++, size--)
        crc = _mm_crc32_u8(crc, *p);
    return crc;
}
static bool has_hard(void) {
    return __builtin_cpu_supports("sse4.2");
}
#elif defined(__ARM_FEATURE_CRC32) && !defined(__AARCH64EB__)
static uint32_t crc_hard(uint32_t crc, const unsigned char *p, size_t size) {
    for (; size >= 8; p += 8, size -= 8) {
        uint64_t v;
        memcpy(&v, p, sizeof v);
        crc = __crc32cd(crc, v);
    }
    for (; size > 0; p++, size--)
        crc = __crc32cb(crc, *p);
    return crc;
}
static bool has_hard(void) {
    return true;
}
#else
static uint32_t crc_hard(uint32_t crc, const unsigned char *p, size_t size) {
    return crc_nibbles(crc, p, size);
}
static bool has_hard(void) {
    return false;
}
#endif

uint32_t ngff_crc32c(uint32_t crc, const void *data, size_t size) {
    return ~(has_hard() ? crc_hard(~crc, data, size) : crc_nibbles(~crc, data, size));
}

uint32_t ngff_crc32c_plain(uint32_t crc, const void *data, size_t size) {
    return ~crc_nibbles(~crc, data, size);
}

uint32_t ngff_crc32(uint32_t crc, const void *data, size_t size) {
    return size ? libdeflate_crc32(crc, data, size) : crc;
}

/* v2 may say "location"; numcodecs leaves it out for its default, which was "start" first
 * and is "end" now, so that both are tried then (`level`). */
static ngff_status parse(const ngff_json *config, const ngff_codec_site *site,
                         ngff_codec_stage *out, ngff_error *err) {
    const ngff_json *node = ngff_json_get(config, "location");
    const char *place = ngff_json_str(node);
    out->checksum = true;
    if (site->zarr_format == 3)
        return NGFF_OK;
    out->level = node == NULL;
    if (node && (!place || (strcmp(place, "end") != 0 && strcmp(place, "start") != 0)))
        return ngff_fail(err, NGFF_FORMAT,
                         "crc32c: \"location\" is not \"start\" or \"end\"");
    out->checksum = !place || strcmp(place, "end") == 0;
    return NGFF_OK;
}

static size_t bound(const ngff_codec_stage *stage, size_t size) {
    (void)stage;
    return size + CRC_SIZE;
}

static ngff_status encode(const ngff_codec_stage *stage, ngff_codec_ctx *ctx,
                          ngff_codec_span in, ngff_codec_room room, ngff_codec_span *out,
                          ngff_error *err) {
    (void)ctx;
    (void)err;
    assert(room.size >= in.size + CRC_SIZE);
    unsigned char *data = room.data + (stage->checksum ? 0 : CRC_SIZE);
    unsigned char *crc = stage->checksum ? room.data + in.size : room.data;
    if (in.size)
        memcpy(data, in.data, in.size);
    ngff_store_u32le(crc, ngff_crc32c(0, in.data, in.size));
    *out = (ngff_codec_span){room.data, in.size + CRC_SIZE};
    return NGFF_OK;
}

static ngff_status decode(const ngff_codec_stage *stage, ngff_codec_ctx *ctx,
                          ngff_codec_span in, ngff_codec_room room, ngff_codec_span *out,
                          ngff_error *err) {
    (void)ctx;
    (void)room;
    if (in.size < CRC_SIZE)
        return ngff_fail(err, NGFF_FORMAT, "crc32c: %zu bytes hold no checksum", in.size);
    size_t size = in.size - CRC_SIZE;
    uint32_t stored = ngff_load_u32le(stage->checksum ? in.data + size : in.data);
    *out = (ngff_codec_span){in.data + (stage->checksum ? 0 : CRC_SIZE), size};
    uint32_t found = ngff_crc32c(0, out->data, size);
    if (found == stored)
        return NGFF_OK;
    if (stage->level &&
        ngff_crc32c(0, in.data + CRC_SIZE, size) == ngff_load_u32le(in.data)) {
        out->data = in.data + CRC_SIZE;
        return NGFF_OK;
    }
    return ngff_fail(err, NGFF_CHECKSUM, "crc32c is %08x, stored is %08x", found, stored);
}

const ngff_codec_ops ngff_codec_ops_crc32c = {
    .row = {"crc32c", "crc32c", "crc32c", "bytes->bytes", true, true, ""},
    .fixed_size = true,
    .parse = parse,
    .bound = bound,
    .encode = encode,
    .decode = decode,
};
