/* Archives that lie. */
#include "support/random.h"
#include "zip/archive.h"

/* "hello hello hello hello" deflated */
static const unsigned char deflated[] = {0xcb, 0x48, 0xcd, 0xc9, 0xc9,
                                         0x57, 0xc8, 0x40, 0x27, 0x01};
static const char inflated[] = "hello hello hello hello";

static plain good(void) {
    return (plain){.name = "zarr.json",
                   .data = "{}",
                   .packed = 2,
                   .size = 2,
                   .crc = ngff_zip_crc32(0, "{}", 2),
                   .count_here = 1,
                   .count = 1};
}

static void expect(const plain *p, ngff_status want, const char *says) {
    archive a;
    ngff_zip_directory d;
    ngff_error err = {0};
    archive_plain(&a, p);
    ngff_status got = archive_read(&a, &d, &err);
    if (got != want || (says && !strstr(err.message, says)))
        fail_msg("%s '%s', expected %s '%s'", ngff_status_name(got), err.message,
                 ngff_status_name(want), says ? says : "");
    if (got == NGFF_OK)
        ngff_zip_directory_reset(&d);
    free(a.bytes);
}

static void fields(void **state) {
    (void)state;
    plain p = good();
    expect(&p, NGFF_OK, NULL);
    p = good(), p.flags = 1;
    expect(&p, NGFF_UNSUPPORTED, "encrypted");
    p = good(), p.method = 12;
    expect(&p, NGFF_UNSUPPORTED, "method 12");
    p = good(), p.size = 3;
    expect(&p, NGFF_FORMAT, "stored");
    p = good(), p.disk = 1;
    expect(&p, NGFF_UNSUPPORTED, "OZX-5");
    p = good(), p.count_here = 0;
    expect(&p, NGFF_UNSUPPORTED, "OZX-5");
    p = good(), p.count = p.count_here = 2;
    expect(&p, NGFF_FORMAT, NULL);
    p = good(), p.count = p.count_here = 0xffff;
    expect(&p, NGFF_FORMAT, "does not fit");
    p = good(), p.offset = 1;
    expect(&p, NGFF_FORMAT, "outside");
    p = good(), p.offset = UINT32_MAX;
    expect(&p, NGFF_FORMAT, "zip64");
    p = good(), p.name = "../x";
    expect(&p, NGFF_FORMAT, "'../x'");
    p = good(), p.name = "/etc/passwd";
    expect(&p, NGFF_FORMAT, "'/etc/passwd'");
    p = good(), p.name = "a\0b", p.name_size = 3;
    expect(&p, NGFF_FORMAT, "NUL");
}

/* The values of the ZIP64 field stand in for the sentinels, in order. */
static void zip64_fields(void **state) {
    (void)state;
    archive a;
    ngff_zip_directory d;
    plain p = good();
    put_le(p.extra, 0x9999, 2); /* somebody's field in front of it */
    put_le(p.extra + 2, 3, 2);
    put_le(p.extra + 7, 1, 2);
    put_le(p.extra + 9, 8, 2);
    put_le(p.extra + 11, 0, 8);
    p.extra_size = 19;
    p.offset = UINT32_MAX;
    archive_plain(&a, &p);
    assert_int_equal(archive_read(&a, &d, NULL), NGFF_OK);
    assert_int_equal(d.items[0].offset, 0);
    ngff_zip_directory_reset(&d);
    free(a.bytes);
    put_le(p.extra + 11, UINT64_MAX - 3, 8);
    expect(&p, NGFF_FORMAT, "outside");
    put_le(p.extra + 9, 7, 2);
    p.extra_size = 18;
    expect(&p, NGFF_FORMAT, "zip64");
    put_le(p.extra + 9, 60, 2);
    expect(&p, NGFF_FORMAT, "zip64");
}

static ngff_status inflate(plain *p, char *out) {
    archive a;
    ngff_zip_directory d;
    uint64_t at;
    archive_plain(&a, p);
    ngff_zip_reader r = archive_reader(&a);
    assert_int_equal(archive_read(&a, &d, NULL), NGFF_OK);
    ngff_status status = ngff_zip_data_offset(&r, &d.items[0], &at, NULL);
    if (status == NGFF_OK)
        status = ngff_zip_inflate(&d.items[0], a.bytes + at, out, NULL);
    ngff_zip_directory_reset(&d);
    free(a.bytes);
    return status;
}

static void deflated_entries(void **state) {
    (void)state;
    char out[64];
    plain p = good();
    p.method = 8;
    p.data = (const char *)deflated;
    p.packed = sizeof deflated;
    p.size = sizeof inflated - 1;
    p.crc = ngff_zip_crc32(0, inflated, sizeof inflated - 1);
    assert_int_equal(inflate(&p, out), NGFF_OK);
    assert_memory_equal(out, inflated, sizeof inflated - 1);
    p.crc++;
    assert_int_equal(inflate(&p, out), NGFF_CHECKSUM);
    p.size--;
    assert_int_equal(inflate(&p, out), NGFF_FORMAT);
    p.size += 2;
    assert_int_equal(inflate(&p, out), NGFF_FORMAT);
    p.packed = 3;
    assert_int_equal(inflate(&p, out), NGFF_FORMAT);
}

static const char *const names[] = {"zarr.json", "a/zarr.json", "a/c/0"};
static const char *const texts[] = {"{}", "{\"a\": 1}", "pixels"};

static void duplicates(void **state) {
    (void)state;
    archive a;
    ngff_zip_directory d;
    static const char *const twice[] = {"zarr.json", "a", "zarr.json", "zarr.json"};
    static const char *const which[] = {"first", "a", "middle", "last!"};
    archive_write(&a, twice, which, 4, "");
    assert_int_equal(archive_read(&a, &d, NULL), NGFF_OK);
    assert_true(d.duplicates);
    assert_false(d.json_first);
    assert_int_equal(d.count, 2);
    const ngff_zip_item *item = ngff_zip_find(&d, "zarr.json");
    assert_int_equal(item->crc, ngff_zip_crc32(0, "last!", 5)); /* the last one counts */
    ngff_zip_directory_reset(&d);
    free(a.bytes);
}

/* Two entries over the same bytes: how zip bombs multiply. */
static void overlap(void **state) {
    (void)state;
    archive a;
    ngff_zip_directory d;
    ngff_error err = {0};
    archive_write(&a, names, texts, 3, "");
    size_t header = 46 + strlen(names[0]) + 28;
    unsigned char *second = a.bytes + a.directory + header;
    put_le(second + 46 + strlen(names[1]) + 20, 4, 8); /* its offset: in the first */
    assert_int_equal(archive_read(&a, &d, &err), NGFF_FORMAT);
    assert_non_null(strstr(err.message, "overlap"));
    free(a.bytes);
}

static void local_header_contradicts(void **state) {
    (void)state;
    archive a;
    ngff_zip_directory d;
    uint64_t at;
    archive_write(&a, names, texts, 3, "");
    ngff_zip_reader r = archive_reader(&a);
    a.bytes[0] = 'X';
    assert_int_equal(archive_read(&a, &d, NULL), NGFF_OK);
    const ngff_zip_item *item = ngff_zip_find(&d, "zarr.json");
    assert_int_equal(ngff_zip_data_offset(&r, item, &at, NULL), NGFF_FORMAT);
    a.bytes[0] = 'P';
    put_le(a.bytes + 28, 0xffff, 2);
    assert_int_equal(ngff_zip_data_offset(&r, item, &at, NULL), NGFF_FORMAT);
    ngff_zip_directory_reset(&d);
    free(a.bytes);
}

static void too_large(void **state) {
    (void)state;
    archive a;
    ngff_zip_directory d;
    archive_write(&a, names, texts, 3, "");
    ngff_zip_reader r = archive_reader(&a);
    assert_int_equal(ngff_zip_directory_read(NULL, &r, 64, &d, NULL), NGFF_LIMIT);
    free(a.bytes);
}

/* Reads everything that the directory promises. */
static void visit(archive *a) {
    ngff_zip_directory d;
    ngff_error err = {0};
    char out[256];
    ngff_zip_reader r = archive_reader(a);
    if (archive_read(a, &d, &err) != NGFF_OK) {
        assert_true(err.message[0] != '\0');
        return;
    }
    for (size_t i = 0; i < d.count; i++) {
        uint64_t at;
        const ngff_zip_item *item = &d.items[d.order[i]];
        assert_int_equal(ngff_zip_name_check(item->name, NULL), NGFF_OK);
        assert_ptr_equal(ngff_zip_find(&d, item->name), item);
        if (ngff_zip_data_offset(&r, item, &at, NULL) != NGFF_OK)
            continue;
        assert_true(at + item->packed <= a->size);
        if (item->method == 8 && item->size <= sizeof out) {
            ngff_status status = ngff_zip_inflate(item, a->bytes + at, out, NULL);
            (void)status;
        }
    }
    ngff_zip_directory_reset(&d);
}

static void cut_anywhere(void **state) {
    (void)state;
    archive a;
    archive_write(&a, names, texts, 3, "{}");
    for (size_t size = 0; size < a.size; size++) {
        ngff_zip_directory d;
        archive cut = {malloc(size + 1), size, 0}; /* so that reading beyond is seen */
        memcpy(cut.bytes, a.bytes, size);
        assert_int_equal(archive_read(&cut, &d, NULL), NGFF_FORMAT);
        free(cut.bytes);
    }
    free(a.bytes);
}

static void damaged_anywhere(void **state) {
    (void)state;
    uint64_t seed = 11;
    archive a, b;
    plain p = good();
    archive_write(&a, names, texts, 3, "{}");
    p.method = 8, p.data = (const char *)deflated, p.packed = sizeof deflated;
    p.size = sizeof inflated - 1;
    archive_plain(&b, &p);
    for (int round = 0; round < 2; round++) {
        archive *it = round ? &b : &a;
        for (size_t i = 0; i < it->size; i++) {
            unsigned char was = it->bytes[i];
            static const unsigned char values[] = {0x00, 0xff, 0x7f, 0x80, 0x01};
            for (size_t v = 0; v < sizeof values; v++) {
                it->bytes[i] = values[v];
                visit(it);
            }
            it->bytes[i] = was;
        }
        for (int n = 0; n < 3000; n++) { /* several at once, in the records at the end */
            unsigned char was[4];
            size_t at[4];
            for (int k = 0; k < 4; k++) {
                at[k] = (size_t)random_range(&seed, (int64_t)it->directory,
                                             (int64_t)it->size - 1);
                was[k] = it->bytes[at[k]];
                it->bytes[at[k]] = (unsigned char)random_range(&seed, 0, 255);
            }
            visit(it);
            for (int k = 3; k >= 0; k--)
                it->bytes[at[k]] = was[k];
        }
    }
    free(a.bytes);
    free(b.bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields),           cmocka_unit_test(zip64_fields),
        cmocka_unit_test(duplicates),       cmocka_unit_test(overlap),
        cmocka_unit_test(too_large),        cmocka_unit_test(local_header_contradicts),
        cmocka_unit_test(cut_anywhere),     cmocka_unit_test(damaged_anywhere),
        cmocka_unit_test(deflated_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
