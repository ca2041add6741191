/* JSON text: what is accepted is printed, read again and equal. */
#include "json/json.h"
#include "fuzz.h"

static void round_trip(const ngff_json *node, int flags) {
    ngff_error err = {0};
    ngff_buf text;
    ngff_json *again = NULL;
    ngff_buf_init(&text, NULL, (size_t)64 << 20);
    ngff_status status = ngff_json_print(node, 2, &text, &err);
    FUZZ_CHECK(status == NGFF_OK);
    FUZZ_CHECK(ngff_json_parse(text.data, text.size, NGFF_JSON_STRICT, &again, &err) ==
               NGFF_OK);
    if (flags == NGFF_JSON_STRICT)
        FUZZ_CHECK(ngff_json_equal(node, again));
    ngff_json_close(&again);
    ngff_buf_reset(&text);
}

static void try(const uint8_t *data, size_t size, int flags) {
    ngff_error err = {0};
    ngff_json *root = NULL;
    ngff_status status = ngff_json_parse((const char *)data, size, flags, &root, &err);
    if (status != NGFF_OK) {
        FUZZ_CHECK(root == NULL);
        fuzz_check_error(status, &err);
        return;
    }
    round_trip(root, flags);
    ngff_json_close(&root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    try(data, size, NGFF_JSON_STRICT);
    try(data, size, NGFF_JSON_LENIENT);
    return 0;
}
