/* CRC-32 against its definition, bit by bit, at every length around the fast path. */
#include "support/cmocka.h"
#include "support/random.h"

#include "zip/zip.h"

enum { SIZE = 9000 };

/* The reflected polynomial 0xedb88320, one bit at a time (APPNOTE 4.4.7). */
static uint32_t by_bits(uint32_t crc, const unsigned char *p, size_t size) {
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
    }
    return ~crc;
}

static void known_value(void **state) {
    (void)state;
    assert_int_equal(ngff_zip_crc32(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(ngff_zip_crc32(7, "", 0), 7);
}

static void equals_the_definition(void **state) {
    (void)state;
    static unsigned char data[SIZE];
    uint64_t seed = 5;
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (unsigned char)(random_next(&seed) >> 40);
    for (size_t size = 0; size < 2600; size += size < 900 ? 61 : 1) {
        size_t shift = size % 67;
        assert_int_equal(ngff_zip_crc32(0, data + shift, size),
                         by_bits(0, data + shift, size));
    }
    for (int n = 0; n < 200; n++) { /* in two parts, from any value */
        size_t size = (size_t)random_range(&seed, 0, SIZE);
        size_t part = (size_t)random_range(&seed, 0, (int64_t)size);
        uint32_t from = (uint32_t)random_next(&seed);
        uint32_t crc = ngff_zip_crc32(from, data, part);
        crc = ngff_zip_crc32(crc, data + part, size - part);
        assert_int_equal(crc, by_bits(from, data, size));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_value),
        cmocka_unit_test(equals_the_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
