/* Codecs as JSON, as metadata holds them and as users give them: a line "3" with a list,
 * or "2" with {"compressor":…,"filters":…,"order":…}. What is understood encodes, and
 * decodes what it encoded. */
#include "codec/codec.h"
#include "fuzz.h"

enum { ROWS = 6, COLUMNS = 10 };

static ngff_status make_chain(bool v3, const ngff_json *json, ngff_dtype dtype,
                              ngff_codec_chain **out, ngff_error *err) {
    static const int64_t shape[] = {ROWS, COLUMNS};
    if (v3)
        return ngff_codec_chain_from_v3(NULL, json, dtype, 2, shape, out, err);
    const char *order = ngff_json_str(ngff_json_get(json, "order"));
    ngff_codec_v2 v2 = {ngff_json_get(json, "compressor"), ngff_json_get(json, "filters"),
                        order != NULL && order[0] == 'F' ? 'F' : 'C', false};
    return ngff_codec_chain_from_v2(NULL, &v2, dtype, 2, shape, out, err);
}

static void use(const ngff_codec_chain *chain, ngff_dtype dtype) {
    static uint16_t pixels[ROWS][COLUMNS], back[ROWS][COLUMNS];
    ngff_error err = {0};
    ngff_codec_ctx *ctx = NULL;
    const void *data = NULL;
    size_t size = 0;
    int64_t step = (int64_t)ngff_dtype_size(dtype);
    for (int i = 0; i < ROWS * COLUMNS; i++)
        pixels[i / COLUMNS][i % COLUMNS] = (uint16_t)(i * 7);
    ngff_view in = {pixels, dtype, 2, {ROWS, COLUMNS}, {step * COLUMNS, step}};
    ngff_view out = in;
    out.data = back;
    FUZZ_CHECK(ngff_codec_ctx_create(NULL, &ctx, &err) == NGFF_OK);
    ngff_status status = ngff_codec_encode(chain, ctx, &in, &data, &size, &err);
    if (status == NGFF_OK) {
        /* Not all filters lose nothing (a delta kept in a smaller type). */
        FUZZ_CHECK(size <= ngff_codec_encoded_bound(chain));
        status = ngff_codec_decode(chain, ctx, data, size, &out, &err);
    }
    if (status != NGFF_OK)
        fuzz_check_error(status, &err);
    ngff_codec_ctx_close(&ctx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const ngff_dtype dtypes[] = {NGFF_UINT8, NGFF_UINT16};
    ngff_error err = {0};
    ngff_json *json = NULL;
    if (size < 2 || ngff_json_parse((const char *)data + 1, size - 1, NGFF_JSON_LENIENT,
                                    &json, &err) != NGFF_OK)
        return 0;
    for (int i = 0; i < 2; i++) {
        ngff_codec_chain *chain = NULL;
        ngff_error_clear(&err);
        ngff_status status = make_chain(data[0] == '3', json, dtypes[i], &chain, &err);
        if (status != NGFF_OK)
            fuzz_check_error(status, &err);
        else if (ngff_codec_decode_only(chain) == NULL)
            use(chain, dtypes[i]);
        ngff_codec_chain_close(&chain);
    }
    ngff_json_close(&json);
    return 0;
}
