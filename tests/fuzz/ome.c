/* Attributes of an image group: what is understood can be written again. */
#include "ome/ome.h"
#include "fuzz.h"

static void emit(ngff_ome_multiscales *m) {
    ngff_error err = {0};
    ngff_json *out = NULL;
    ngff_ome_emit_opts opts = {.orientation = true};
    if (m->version != NGFF_V04 && m->version != NGFF_V05 && m->version != NGFF_V06)
        m->version = NGFF_V05;
    ngff_status status = ngff_ome_emit(m, &opts, &out, &err);
    if (status != NGFF_OK)
        fuzz_check_error(status, &err);
    if (out != NULL)
        ngff_json_close(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ngff_error err = {0};
    ngff_json *attributes = NULL;
    if (ngff_json_parse((const char *)data, size, NGFF_JSON_LENIENT, &attributes, &err) !=
        NGFF_OK)
        return 0;
    ngff_ome_multiscales m;
    memset(&m, 0, sizeof m);
    ngff_error_clear(&err);
    ngff_status status = ngff_ome_parse(NULL, attributes, 0, &m, &err);
    if (status != NGFF_OK) {
        fuzz_check_error(status, &err);
    } else {
        emit(&m);
        ngff_ome_multiscales_reset(&m);
    }
    ngff_json_close(&attributes);
    return 0;
}
