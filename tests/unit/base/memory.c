#include "support/cmocka.h"

#include "base/base.h"
#include "support/alloc.h"

static void plain_and_custom_blocks(void **state) {
    (void)state;
    failing_alloc f;
    failing_init(&f);
    const ngff_allocator *both[] = {NULL, &f.ops};
    for (int i = 0; i < 2; i++) {
        char *zero = ngff_alloc(both[i], 0);
        assert_non_null(zero);
        zero[0] = 1;
        char *clear = ngff_calloc(both[i], 10, 10);
        for (int k = 0; k < 100; k++)
            assert_int_equal(clear[k], 0);
        memcpy(clear, "0123456789", 10);
        clear = ngff_realloc(both[i], clear, 100, 5000);
        assert_memory_equal(clear, "0123456789", 10);
        clear = ngff_realloc(both[i], clear, 5000, 4);
        assert_memory_equal(clear, "0123", 4);
        char *text = ngff_strdup(both[i], "text");
        assert_string_equal(text, "text");
        ngff_free(both[i], zero);
        ngff_free(both[i], clear);
        ngff_free(both[i], text);
        ngff_free(both[i], NULL);
        ngff_free_aligned(both[i], NULL);
    }
    assert_int_equal(f.live, 0);
}

static void aligned_blocks(void **state) {
    (void)state;
    failing_alloc f;
    failing_init(&f);
    const ngff_allocator *both[] = {NULL, &f.ops};
    for (int i = 0; i < 2; i++) {
        for (size_t size = 0; size < 200; size += 7) {
            char *block = ngff_alloc_aligned(both[i], size);
            assert_non_null(block);
            assert_int_equal((uintptr_t)block % 64, 0);
            memset(block, 0xAA, size);
            ngff_free_aligned(both[i], block);
        }
    }
    assert_int_equal(f.live, 0);
    char *large = ngff_alloc_aligned(NULL, (size_t)5 << 20); /* in whole large pages */
    assert_non_null(large);
    assert_int_equal((uintptr_t)large % ((uintptr_t)2 << 20), 0);
    ngff_free_aligned(NULL, large);
}

static void copies_aside(void **state) {
    (void)state;
    enum { ROOM = 70000 };
    static unsigned char from[ROOM], to[ROOM], expected[ROOM];
    for (size_t i = 0; i < ROOM; i++)
        from[i] = (unsigned char)(i * 31 + i / 251);
    static const size_t sizes[] = {0, 1, 63, 64, 1000, 16383, 16384, 16385, 50001, 65536};
    for (size_t n = 0; n < sizeof sizes / sizeof *sizes; n++) {
        for (size_t shift = 0; shift < 130; shift += 13) {
            memset(to, 0xEE, ROOM);
            memset(expected, 0xEE, ROOM);
            memcpy(expected + shift, from + n + 3, sizes[n]);
            ngff_copy_aside(to + shift, from + n + 3, sizes[n]);
            assert_memory_equal(to, expected, ROOM);
        }
    }
}

static void sizes_that_overflow(void **state) {
    (void)state;
    failing_alloc f;
    failing_init(&f);
    assert_null(ngff_calloc(NULL, SIZE_MAX / 2, 3));
    assert_null(ngff_calloc(&f.ops, SIZE_MAX / 2, 3));
    assert_null(ngff_alloc_aligned(NULL, SIZE_MAX));
    assert_null(ngff_alloc_aligned(&f.ops, SIZE_MAX - 8));
    assert_int_equal(f.calls, 0);
}

static void failures_leave_the_old_block(void **state) {
    (void)state;
    failing_alloc f;
    failing_init(&f);
    char *block = ngff_strdup(&f.ops, "kept");
    failing_arm(&f, 0);
    assert_null(ngff_realloc(&f.ops, block, 5, 100));
    assert_string_equal(block, "kept");
    failing_arm(&f, 0);
    assert_null(ngff_alloc_aligned(&f.ops, 100));
    failing_arm(&f, 0);
    assert_null(ngff_strdup(&f.ops, "x"));
    failing_arm(&f, 0);
    assert_null(ngff_calloc(&f.ops, 1, 1));
    ngff_free(&f.ops, block);
    assert_int_equal(f.live, 0);
}

static void buffer_grows_to_its_ceiling(void **state) {
    (void)state;
    ngff_buf buf;
    ngff_error err = {0};
    ngff_buf_init(&buf, NULL, 1000);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(ngff_buf_printf(&buf, &err, "%09d|", i), NGFF_OK);
        assert_int_equal(buf.data[buf.size], 0);
    }
    assert_int_equal(buf.size, 1000);
    assert_memory_equal(buf.data + 990, "000000099|", 10);
    assert_int_equal(ngff_buf_append(&buf, "x", 1, &err), NGFF_LIMIT);
    assert_non_null(strstr(err.message, "1000"));
    assert_int_equal(buf.size, 1000);
    assert_int_equal(ngff_buf_append(&buf, NULL, 0, NULL), NGFF_OK);
    assert_int_equal(ngff_buf_reserve(&buf, SIZE_MAX, NULL), NGFF_LIMIT);
    ngff_buf_reset(&buf);
    ngff_buf_reset(&buf);
    assert_null(buf.data);
}

static void buffer_without_a_ceiling(void **state) {
    (void)state;
    ngff_buf buf;
    ngff_buf_init(&buf, NULL, SIZE_MAX);
    assert_int_equal(ngff_buf_append(&buf, "ab", 2, NULL), NGFF_OK);
    assert_int_equal(ngff_buf_reserve(&buf, SIZE_MAX - 2, NULL), NGFF_LIMIT);
    assert_string_equal(buf.data, "ab");
    ngff_buf_reset(&buf);
}

static void buffer_survives_failures(void **state) {
    (void)state;
    failing_alloc f;
    failing_init(&f);
    for (long at = 0; at < 4; at++) {
        ngff_buf buf;
        ngff_error err = {0};
        ngff_buf_init(&buf, &f.ops, 4096);
        failing_arm(&f, at);
        ngff_status status = NGFF_OK;
        size_t good = 0;
        while (status == NGFF_OK && good < 900) {
            status = ngff_buf_append(&buf, "abcdefghi", 9, &err);
            good += status == NGFF_OK ? 9 : 0;
        }
        assert_int_equal(status, NGFF_NOMEM);
        assert_non_null(strstr(err.message, "out of memory"));
        assert_int_equal(buf.size, good);
        assert_int_equal(ngff_buf_append(&buf, "abc", 3, NULL), NGFF_OK);
        ngff_buf_reset(&buf);
        assert_int_equal(f.live, 0);
    }
}

static void checked_sizes(void **state) {
    (void)state;
    size_t s;
    int64_t i;
    assert_false(ngff_mul_size(SIZE_MAX, 2, &s));
    assert_true(ngff_mul_size(SIZE_MAX, 1, &s));
    assert_false(ngff_add_size(SIZE_MAX, 1, &s));
    assert_false(ngff_mul_i64(INT64_MAX, 2, &i));
    assert_false(ngff_add_i64(INT64_MIN, -1, &i));
    assert_int_equal(ngff_ceil_div(0, 4), 0);
    assert_int_equal(ngff_ceil_div(8, 4), 2);
    assert_int_equal(ngff_ceil_div(9, 4), 3);
    assert_true(ngff_ceil_div(INT64_MAX, 2) == INT64_MAX / 2 + 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_and_custom_blocks),
        cmocka_unit_test(aligned_blocks),
        cmocka_unit_test(copies_aside),
        cmocka_unit_test(sizes_that_overflow),
        cmocka_unit_test(failures_leave_the_old_block),
        cmocka_unit_test(buffer_grows_to_its_ceiling),
        cmocka_unit_test(buffer_without_a_ceiling),
        cmocka_unit_test(buffer_survives_failures),
        cmocka_unit_test(checked_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
