/* An encoded chunk: the first byte chooses the chain, the rest is what a file would hold.
 */
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
enum { CHAINS = sizeof chains / sizeof *chains, ROWS = 24, COLUMNS = 40 };

static ngff_codec_chain *make_chain(size_t index) {
    static const int64_t shape[] = {ROWS, COLUMNS};
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
    ngff_codec_chain *chain = make_chain(data[0] % CHAINS);
    FUZZ_CHECK(ngff_codec_ctx_create(NULL, &ctx, &err) == NGFF_OK);
    ngff_view out = {pixels, NGFF_UINT16, 2, {ROWS, COLUMNS}, {2 * COLUMNS, 2}};
    ngff_status status = ngff_codec_decode(chain, ctx, data + 1, size - 1, &out, &err);
    if (status != NGFF_OK)
        fuzz_check_error(status, &err);
    ngff_codec_ctx_close(&ctx);
    ngff_codec_chain_close(&chain);
    return 0;
}
