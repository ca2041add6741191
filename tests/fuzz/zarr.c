/* An array in a store. Input: a line "3" or "2", the metadata document up to a NUL, then
 * the bytes of every chunk or shard that is asked for. */
#include "store.h"

typedef struct value {
    const uint8_t *document, *chunk;
    size_t document_size, chunk_size;
    bool v3;
} value;

static bool is_document(const value *v, const char *key) {
    return strcmp(key, v->v3 ? "zarr.json" : ".zarray") == 0;
}

static bool is_chunk(const value *v, const char *key) {
    return v->v3 ? key[0] == 'c' || (key[0] >= '0' && key[0] <= '9')
                 : key[0] != '.' && key[0] != 'z';
}

static ngff_status value_size(void *cookie, const char *key, uint64_t *size,
                              ngff_error *err) {
    const value *v = cookie;
    if (!is_document(v, key) && !is_chunk(v, key))
        return ngff_fail(err, NGFF_NOT_FOUND, "no such key");
    *size = is_document(v, key) ? v->document_size : v->chunk_size;
    return NGFF_OK;
}

static ngff_status value_get(void *cookie, const char *key, uint64_t offset,
                             uint64_t size, void *out, uint64_t *got, ngff_error *err) {
    const value *v = cookie;
    uint64_t whole = 0;
    NGFF_TRY(value_size(cookie, key, &whole, err));
    const uint8_t *bytes = is_document(v, key) ? v->document : v->chunk;
    *got = offset < whole ? whole - offset : 0;
    if (*got > size)
        *got = size;
    if (*got > 0)
        memcpy(out, bytes + offset, *got);
    return NGFF_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ngff_error err = {0};
    const uint8_t *end = size > 2 ? memchr(data + 2, 0, size - 2) : NULL;
    if (end == NULL || (data[0] != '2' && data[0] != '3'))
        return 0;
    value v = {data + 2, end + 1, (size_t)(end - data) - 2,
               size - (size_t)(end - data) - 1, data[0] == '3'};
    ngff_store_ops ops = {
        .struct_size = sizeof ops, .get = value_get, .size = value_size};
    ngff_store *store = NULL;
    ngff_zarr_array *array = NULL;
    FUZZ_CHECK(ngff_store_of_callbacks(NULL, &ops, &v, &store, &err) == NGFF_OK);
    ngff_status status = ngff_zarr_array_open(NULL, store, "", &array, &err);
    if (status != NGFF_OK)
        fuzz_check_error(status, &err);
    else
        fuzz_read_corner(array);
    if (array != NULL)
        ngff_zarr_array_close(&array);
    ngff_store_drop(&store);
    return 0;
}
