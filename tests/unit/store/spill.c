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

/* What is too large for the memory has its end in the file; a quarter of the memory is
 * left for what is put later. */
static void a_room_in_two(void **state) {
    (void)state;
    ngff_spill *s = spill_of(1000, false, NULL);
    ngff_spill_ticket t, small;
    unsigned char all[3000], out[3000];
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (unsigned char)(i * 7 + i / 256);
    OK(ngff_spill_reserve(s, sizeof all, &t, E));
    assert_int_equal(t.mem_size, 750);
    assert_int_equal(ngff_spill_file_bytes(s), 2250);
    for (size_t off = 0; off < sizeof all; off += 500) /* one of them across */
        OK(ngff_spill_write(s, &t, off, all + off, 500, E));
    for (size_t off = 0; off < sizeof all; off += 300) {
        OK(ngff_spill_read(s, &t, off, out + off, 300, E));
    }
    assert_memory_equal(out, all, sizeof all);
    OK(ngff_spill_put(s, all, 250, &small, E));
    assert_int_equal(small.mem_size, 250);
    ngff_spill_drop(s, &small);
    ngff_file copy = NGFF_FILE_INIT;
    size_t got;
    OK(ngff_file_open_unlinked(&copy, "/tmp", E));
    OK(ngff_spill_copy(s, &t, &copy, 10, "copy", E));
    OK(ngff_file_pread(&copy, out, sizeof out, 10, &got, "copy", E));
    ngff_file_close(&copy);
    assert_int_equal(got, sizeof out);
    assert_memory_equal(out, all, sizeof all);
    ngff_spill_drop(s, &t);
    OK(ngff_spill_reserve(s, 1000, &t, E));
    assert_int_equal(t.mem_size, 1000); /* everything was given back */
    ngff_spill_drop(s, &t);
    ngff_spill_close(&s);
    s = spill_of(1000, true, NULL);
    assert_int_equal(ngff_spill_reserve(s, 1001, &t, NULL), NGFF_LIMIT);
    ngff_spill_close(&s);
}

/* Small tickets share pieces of memory, which are used again and make way for a room. */
static void pieces(void **state) {
    (void)state;
    enum { MEMORY = 4 << 20, SIZE = 10000, COUNT = 300 };
    ngff_spill *s = spill_of(MEMORY, false, NULL);
    ngff_spill_ticket t[COUNT], room;
    unsigned char bytes[SIZE], out[SIZE];
    const void *first = NULL;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < COUNT; i++) {
            memset(bytes, i + round, sizeof bytes);
            OK(ngff_spill_put(s, bytes, sizeof bytes, &t[i], E));
            assert_int_equal(t[i].mem_size, SIZE);
            assert_true(t[i].piece > 0);
        }
        if (round > 0)
            assert_ptr_equal(t[0].mem, first);
        first = t[0].mem;
        for (int i = COUNT; i-- > 0;) {
            int at = (i * 7) % COUNT;
            memset(bytes, at + round, sizeof bytes);
            OK(ngff_spill_take(s, &t[at], out, E));
            assert_memory_equal(out, bytes, SIZE);
        }
    }
    OK(ngff_spill_reserve(s, MEMORY, &room, E));
    assert_int_equal(room.mem_size, MEMORY);
    OK(ngff_spill_put(s, bytes, sizeof bytes, &t[0], E)); /* no memory is left */
    assert_int_equal(t[0].mem_size, 0);
    ngff_spill_drop(s, &t[0]);
    ngff_spill_drop(s, &room);
    OK(ngff_spill_put(s, bytes, sizeof bytes, &t[0], E)); /* and is there again */
    assert_int_equal(t[0].mem_size, SIZE);
    ngff_spill_drop(s, &t[0]);
    ngff_spill_close(&s);
    s = spill_of(MEMORY, true, NULL);
    OK(ngff_spill_put(s, bytes, sizeof bytes, &t[0], E));
    assert_int_equal(t[0].piece, 0); /* where no file helps, no byte is wasted */
    ngff_spill_drop(s, &t[0]);
    ngff_spill_close(&s);
}

static void nothing_is_something(void **state) {
    (void)state;
    ngff_spill *s = spill_of(0, false, NULL);
    ngff_spill_ticket t;
    OK(ngff_spill_put(s, "", 0, &t, E));
    OK(ngff_spill_take(s, &t, NULL, E));
    ngff_spill_close(&s);
}

/* A piece that cannot be had is no failure: the bytes go elsewhere. */
static void fail_allocations(size_t memory) {
    failing_alloc f;
    failing_init(&f);
    ngff_status status = NGFF_NOMEM;
    for (long n = 0; status != NGFF_OK; n++) {
        ngff_spill_opts opts = {.memory = memory};
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

static void allocations_fail(void **state) {
    (void)state;
    fail_allocations(100);
    fail_allocations((size_t)4 << 20);
}

/* ---- many threads ---- */

enum { THREADS = 4, HELD = 16, STEPS = 600, MOST = 32000 };

typedef struct worker {
    ngff_spill *spill;
    size_t most;
    unsigned char bytes[MOST], out[MOST];
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
    unsigned char *bytes = w->bytes, *out = w->out;
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
            size_t size = (size_t)random_range(&w->seed, 1, (int64_t)w->most);
            tags[at] = random_next(&w->seed) | 1;
            fill(bytes, size, tags[at]);
            if (ngff_spill_put(w->spill, bytes, size, &held[at], NULL) != NGFF_OK)
                w->failures++;
        }
    }
    for (size_t i = 0; i < HELD; i++)
        ngff_spill_drop(w->spill, &held[i]);
}

static uint64_t run_threads(size_t memory, size_t most) {
    ngff_spill *s = spill_of(memory, false, NULL);
    static worker workers[THREADS];
    ngff_thread *running[THREADS];
    for (int i = 0; i < THREADS; i++) {
        workers[i].spill = s;
        workers[i].most = most;
        workers[i].seed = (uint64_t)i + 1;
        workers[i].failures = 0;
        OK(ngff_thread_start(NULL, work, &workers[i], &running[i], E));
    }
    for (int i = 0; i < THREADS; i++) {
        ngff_thread_join(&running[i]);
        assert_int_equal(workers[i].failures, 0);
    }
    uint64_t in_file = ngff_spill_file_bytes(s);
    assert_true(in_file <= (uint64_t)THREADS * HELD * most * 2);
    /* Everything was given back: all of the memory is there again. */
    ngff_spill_ticket t;
    OK(ngff_spill_reserve(s, memory, &t, E));
    assert_int_equal(t.mem_size, memory);
    ngff_spill_drop(s, &t);
    ngff_spill_close(&s);
    return in_file;
}

static void threads(void **state) {
    (void)state;
    assert_true(run_threads(4096, 512) > 0);
    (void)run_threads((size_t)2 << 20, MOST); /* pieces */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        PLACE_TEST(memory_then_file),
        cmocka_unit_test(no_file_is_a_limit),
        cmocka_unit_test(file_room_is_used_again),
        cmocka_unit_test(ranges),
        cmocka_unit_test(a_room_in_two),
        cmocka_unit_test(pieces),
        cmocka_unit_test(nothing_is_something),
        cmocka_unit_test(allocations_fail),
        cmocka_unit_test(threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
