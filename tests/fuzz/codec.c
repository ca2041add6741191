/* An encoded chunk: the first byte chooses the chain, the rest is what a file would hold.
 * First the chains of v3, then those of v2: compressor and filters. */
#include "codec/codec.h"
#include "fuzz.h"

static const char *const chains[] = {
    "[{\"name\":\"bytes\",\"configuration\":{\"endian\":\"little\"}},{\"name\":\"zstd\","
    "\"configuration\":{\"level\":1,\"checksum\":false}}]",
    "[{\"name\":\"bytes\",\"configuration\":{\"endian\":\"big\"}},{\"name\":\"gzip\","
    "\"configuration\":{\"level\":1}}]",
    "[{\"name\":\"bytes\",\"configuration\":{\"endian\":\"little\"}},{\"name\":\"blosc\","
    "\"configuration\":{\"cname\":\"lz4\",\"clevel\":5,\"shuffle\":\"shuffle\","
    "\"typesize\":2,"
    "\"blocksize\":0}}]",
    "[{\"name\":\"transpose\",\"configuration\":{\"order\":[1,0]}},{\"name\":\"bytes\","
    "\"configuration\":{\"endian\":\"little\"}},{\"name\":\"crc32c\"}]",
    "[{\"name\":\"bytes\",\"configuration\":{\"endian\":\"little\"}}]",
};
static const char *const chains_v2[] = {
    "[{\"id\":\"zlib\",\"level\":1},null]",
    "[{\"id\":\"lz4\",\"acceleration\":1},null]",
    "[{\"id\":\"bz2\",\"level\":1},null]",
    "[{\"id\":\"lzma\",\"format\":1,\"check\":-1,\"preset\":null,\"filters\":null},null]",
    "[{\"id\":\"zlib\",\"level\":1},[{\"id\":\"delta\",\"dtype\":\"<u2\",\"astype\":\"<"
    "u2\"},"
    "{\"id\":\"shuffle\",\"elementsize\":2}]]",
    "[null,[{\"id\":\"crc32c\"}]]",
};
enum {
    CHAINS = sizeof chains / sizeof *chains,
    CHAINS_V2 = sizeof chains_v2 / sizeof *chains_v2,
    ROWS = 24,
    COLUMNS = 40
};
static const int64_t shape[] = {ROWS, COLUMNS};

static ngff_codec_chain *make_chain_v2(size_t index) {
    ngff_error err = {0};
    ngff_json *pair = NULL;
    ngff_codec_chain *chain = NULL;
    FUZZ_CHECK(ngff_json_parse(chains_v2[index], strlen(chains_v2[index]), 0, &pair,
                               &err) == NGFF_OK);
    ngff_codec_v2 v2 = {ngff_json_at(pair, 0), ngff_json_at(pair, 1), 'C', false};
    ngff_status status =
        ngff_codec_chain_from_v2(NULL, &v2, NGFF_UINT16, 2, shape, &chain, &err);
    FUZZ_CHECK(status == NGFF_OK);
    ngff_json_close(&pair);
    return chain;
}

static ngff_codec_chain *make_chain(size_t index) {
    if (index >= CHAINS)
        return make_chain_v2(index - CHAINS);
    ngff_error err = {0};
    ngff_json *list = NULL;
    ngff_codec_chain *chain = NULL;
    FUZZ_CHECK(ngff_json_parse(chains[index], strlen(chains[index]), 0, &list, &err) ==
               NGFF_OK);
    ngff_status status =
        ngff_codec_chain_from_v3(NULL, list, NGFF_UINT16, 2, shape, &chain, &err);
    FUZZ_CHECK(status == NGFF_OK);
    ngff_json_close(&list);
    return chain;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint16_t pixels[ROWS][COLUMNS];
    ngff_error err = {0};
    ngff_codec_ctx *ctx = NULL;
    if (size == 0)
        return 0;
    ngff_codec_chain *chain = make_chain(data[0] % (CHAINS + CHAINS_V2));
    FUZZ_CHECK(ngff_codec_ctx_create(NULL, &ctx, &err) == NGFF_OK);
    ngff_view out = {pixels, NGFF_UINT16, 2, {ROWS, COLUMNS}, {2 * COLUMNS, 2}};
    ngff_status status = ngff_codec_decode(chain, ctx, data + 1, size - 1, &out, &err);
    if (status != NGFF_OK)
        fuzz_check_error(status, &err);
    ngff_codec_ctx_close(&ctx);
    ngff_codec_chain_close(&chain);
    return 0;
}
