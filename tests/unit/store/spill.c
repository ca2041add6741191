#include "store/support.h"
#include "support/alloc.h"
#include "support/random.h"

static ngff_spill *spill_of(size_t memory, bool no_file, const char *dir) {
    ngff_spill_opts opts = {.dir = dir, .memory = memory, .no_file = no_file};
    ngff_spill *s;
    OK(ngff_spill_create(NULL, &opts, &s, E));
    return s;
}

static void memory_then_file(void **state) {
    place *p = *state;
    ngff_spill *s = spill_of(10, false, p->dir);
    ngff_spill_ticket a, b, c;
    char out[16] = {0};
    OK(ngff_spill_put(s, "123456", 6, &a, E));
    assert_non_null(a.mem);
    assert_int_equal(ngff_spill_file_bytes(s), 0);
    OK(ngff_spill_put(s, "abcdef", 6, &b, E));
    assert_null(b.mem);
    assert_int_equal(ngff_spill_file_bytes(s), 6);
    OK(ngff_spill_put(s, "wxyz", 4, &c, E));
    assert_non_null(c.mem);
    OK(ngff_spill_take(s, &b, out, E));
    assert_string_equal(out, "abcdef");
    OK(ngff_spill_take(s, &a, out, E));
    assert_string_equal(out, "123456");
    ngff_spill_drop(s, &c);
    ngff_spill_drop(s, &c);                   /* an empty ticket */
    assert_int_equal(entry_count(p->dir), 0); /* the file has no name */
    ngff_spill_close(&s);
    assert_null(s);
    ngff_spill_close(&s);
}

static void no_file_is_a_limit(void **state) {
    (void)state;
    ngff_spill *s = spill_of(8, true, NULL);
    ngff_spill_ticket a, b;
    ngff_error err = {0};
    OK(ngff_spill_put(s, "12345", 5, &a, E));
    assert_int_equal(ngff_spill_put(s, "1234", 4, &b, &err), NGFF_LIMIT);
    assert_non_null(strstr(err.message, "4 bytes"));
    assert_int_equal(ngff_spill_reserve(s, UINT64_MAX, &b, NULL), NGFF_LIMIT);
    ngff_spill_drop(s, &a);
    OK(ngff_spill_put(s, "12345678", 8, &b, E));
    ngff_spill_drop(s, &b);
    ngff_spill_close(&s);
}

static void file_room_is_used_again(void **state) {
    (void)state;
    ngff_spill *s = spill_of(0, false, NULL);
    ngff_spill_ticket t[8];
    char bytes[100];
    memset(bytes, 1, sizeof bytes);
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 8; i++)
            OK(ngff_spill_put(s, bytes, sizeof bytes, &t[i], E));
        for (int i = 0; i < 8; i += 2)
            ngff_spill_drop(s, &t[i]);
        for (int i = 0; i < 8; i += 2)
            OK(ngff_spill_put(s, bytes, 50, &t[i], E));
        for (int i = 0; i < 8; i++)
            ngff_spill_drop(s, &t[(i * 5) % 8]);
    }
    assert_int_equal(ngff_spill_file_bytes(s), 800);
    ngff_spill_close(&s);
}

static void ranges(void **state) {
    (void)state;
    for (size_t memory = 0; memory <= 4096; memory += 4096) {
        ngff_spill *s = spill_of(memory, false, NULL);
        ngff_spill_ticket t;
        char out[8];
        OK(ngff_spill_reserve(s, 1000, &t, E));
        assert_int_equal(t.mem != NULL, memory > 0);
        OK(ngff_spill_write(s, &t, 990, "0123456789", 10, E));
        OK(ngff_spill_write(s, &t, 0, "ab", 2, E));
        OK(ngff_spill_read(s, &t, 992, out, 8, E));
        assert_memory_equal(out, "23456789", 8);
        OK(ngff_spill_read(s, &t, 0, out, 2, E));
        assert_memory_equal(out, "ab", 2);
        ngff_spill_drop(s, &t);
        ngff_spill_close(&s);
    }
}

static void nothing_is_something(void **state) {
    (void)state;
    ngff_spill *s = spill_of(0, false, NULL);
    ngff_spill_ticket t;
    OK(ngff_spill_put(s, "", 0, &t, E));
    OK(ngff_spill_take(s, &t, NULL, E));
    ngff_spill_close(&s);
}

static void allocations_fail(void **state) {
    (void)state;
    failing_alloc f;
    failing_init(&f);
    ngff_status status = NGFF_NOMEM;
    for (long n = 0; status != NGFF_OK; n++) {
        ngff_spill_opts opts = {.memory = 100};
        ngff_spill *s;
        ngff_spill_ticket t;
        failing_arm(&f, n);
        status = ngff_spill_create(&f.ops, &opts, &s, NULL);
        if (status == NGFF_OK)
            status = ngff_spill_put(s, "x", 1, &t, NULL);
        if (status == NGFF_OK)
            ngff_spill_drop(s, &t);
        ngff_spill_close(&s);
        assert_int_equal(f.live, 0);
        assert_true(n < 50);
    }
}

/* ---- many threads ---- */

enum { THREADS = 4, HELD = 16, STEPS = 600 };

typedef struct worker {
    ngff_spill *spill;
    uint64_t seed;
    int failures;
} worker;

static void fill(unsigned char *bytes, size_t size, uint64_t tag) {
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(tag * 31 + i);
}

static void work(void *arg) {
    worker *w = arg;
    ngff_spill_ticket held[HELD] = {{0}};
    uint64_t tags[HELD] = {0};
    unsigned char bytes[512], out[512];
    for (int step = 0; step < STEPS; step++) {
        size_t at = (size_t)random_range(&w->seed, 0, HELD - 1);
        if (tags[at]) {
            size_t size = held[at].size;
            fill(bytes, size, tags[at]);
            if (ngff_spill_take(w->spill, &held[at], out, NULL) != NGFF_OK ||
                memcmp(bytes, out, size) != 0)
                w->failures++;
            tags[at] = 0;
        } else {
            size_t size = (size_t)random_range(&w->seed, 1, sizeof bytes);
            tags[at] = random_next(&w->seed) | 1;
            fill(bytes, size, tags[at]);
            if (ngff_spill_put(w->spill, bytes, size, &held[at], NULL) != NGFF_OK)
                w->failures++;
        }
    }
    for (size_t i = 0; i < HELD; i++)
        ngff_spill_drop(w->spill, &held[i]);
}

static void threads(void **state) {
    (void)state;
    ngff_spill *s = spill_of(4096, false, NULL);
    worker workers[THREADS];
    ngff_thread *running[THREADS];
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){s, (uint64_t)i + 1, 0};
        OK(ngff_thread_start(NULL, work, &workers[i], &running[i], E));
    }
    for (int i = 0; i < THREADS; i++) {
        ngff_thread_join(&running[i]);
        assert_int_equal(workers[i].failures, 0);
    }
    assert_true(ngff_spill_file_bytes(s) > 0);
    assert_true(ngff_spill_file_bytes(s) <= (uint64_t)THREADS * HELD * 512 * 2);
    /* Everything was given back: all of the memory is there again. */
    ngff_spill_ticket t;
    OK(ngff_spill_reserve(s, 4096, &t, E));
    assert_non_null(t.mem);
    ngff_spill_drop(s, &t);
    ngff_spill_close(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        PLACE_TEST(memory_then_file),
        cmocka_unit_test(no_file_is_a_limit),
        cmocka_unit_test(file_room_is_used_again),
        cmocka_unit_test(ranges),
        cmocka_unit_test(nothing_is_something),
        cmocka_unit_test(allocations_fail),
        cmocka_unit_test(threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
