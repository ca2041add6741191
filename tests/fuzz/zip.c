/* An archive: the directory, then every entry that it promises. */
#include "zip/zip.h"
#include "fuzz.h"

typedef struct bytes {
    const uint8_t *data;
    size_t size;
} bytes;

static ngff_status pread_bytes(void *user, uint64_t offset, void *out, size_t size,
                               ngff_error *err) {
    const bytes *b = user;
    if (offset > b->size || size > b->size - offset)
        return ngff_fail(err, NGFF_IO, "read of %zu bytes at %llu of %zu", size,
                         (unsigned long long)offset, b->size);
    memcpy(out, b->data + offset, size);
    return NGFF_OK;
}

static void visit(const ngff_zip_reader *r, const ngff_zip_directory *d,
                  const ngff_zip_item *item) {
    ngff_error err = {0};
    uint64_t at;
    FUZZ_CHECK(ngff_zip_find(d, item->name) == item);
    FUZZ_CHECK(ngff_zip_name_check(item->name, NULL) == NGFF_OK);
    ngff_status status = ngff_zip_data_offset(r, item, &at, &err);
    if (status != NGFF_OK) {
        fuzz_check_error(status, &err);
        return;
    }
    FUZZ_CHECK(at <= r->size && item->packed <= r->size - at);
    if (item->method != 8 || item->size > 1 << 20)
        return;
    const bytes *b = r->user;
    void *out = ngff_alloc(NULL, (size_t)item->size);
    status = ngff_zip_inflate(item, b->data + at, out, &err);
    if (status != NGFF_OK)
        fuzz_check_error(status, &err);
    ngff_free(NULL, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bytes b = {data, size};
    ngff_zip_reader r = {pread_bytes, &b, size};
    ngff_zip_directory d;
    ngff_error err = {0};
    ngff_status status = ngff_zip_directory_read(NULL, &r, 1 << 24, &d, &err);
    if (status != NGFF_OK) {
        fuzz_check_error(status, &err);
        return 0;
    }
    for (size_t i = 0; i < d.count; i++)
        visit(&r, &d, &d.items[d.order[i]]);
    ngff_zip_directory_reset(&d);
    return 0;
}
