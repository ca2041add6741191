/* Archives as stores: what is staged comes back, in an order that threads do not change;
 * what a destination may be replaced by; what is refused. */
#include "store/support.h"
#include "support/alloc.h"

#include <sys/stat.h>
#include <sys/wait.h>

static void name_dest(place *p, const char *name) {
    snprintf(p->dest, sizeof p->dest, "%s/%s", p->dir, name);
}

static ngff_store *open_archive(const char *path) {
    ngff_store_open_opts opts = {.mode = NGFF_STORE_READ};
    ngff_store *s;
    OK(ngff_store_at(NULL, path, &opts, &s, E));
    assert_string_equal(s->ops->kind, "zip");
    return s;
}

static void publish(ngff_store **s) {
    OK(ngff_store_publish(*s, E));
    ngff_store_drop(s);
}

/* ---- a group inside ---- */

static void part_of_an_archive(void **state) {
    place *p = *state;
    char inside[sizeof p->dest + 16];
    ngff_store_open_opts opts = {.mode = NGFF_STORE_READ};
    ngff_store *s;
    name_dest(p, "out.ozx");
    s = stage(p->dest, NGFF_OVERWRITE_NO);
    put_text(s, "A/1/zarr.json", "well");
    put_text(s, "A/1/0/c/0", "chunk");
    put_text(s, "zarr.json", "plate");
    publish(&s);

    snprintf(inside, sizeof inside, "%s/A/1//", p->dest);
    OK(ngff_store_at(NULL, inside, &opts, &s, E));
    expect_text(s, "zarr.json", "well");
    expect_text(s, "0/c/0", "chunk");
    expect_list(s, "", "0/ zarr.json ");
    ngff_store_drop(&s);

    snprintf(inside, sizeof inside, "%s/../out.ozx", p->dest);
    assert_int_equal(ngff_store_at(NULL, inside, &opts, &s, NULL), NGFF_INVALID);
    assert_null(s);
    opts.mode = NGFF_STORE_STAGE;
    snprintf(inside, sizeof inside, "%s/A/2", p->dest);
    assert_int_equal(ngff_store_at(NULL, inside, &opts, &s, NULL), NGFF_UNSUPPORTED);
    name_dest(p, "none.ozx");
    snprintf(inside, sizeof inside, "%s/A/1", p->dest);
    opts.mode = NGFF_STORE_READ;
    assert_int_equal(ngff_store_at(NULL, inside, &opts, &s, NULL), NGFF_NOT_FOUND);
}

/* ---- there and back ---- */

static void comes_back(void **state) {
    place *p = *state;
    name_dest(p, "out.ozx");
    ngff_store *s = stage(p->dest, NGFF_OVERWRITE_NO);
    ngff_store_writer *w;
    char out[4] = "";
    size_t got;
    uint64_t size;
    assert_true(ngff_store_is_ordered(s));
    assert_true(ngff_store_is_ozx(s));
    ngff_store_note_version(s, "0.5");
    OK(ngff_store_reserve(s, "zarr.json", 20, E));
    OK(ngff_store_reserve(s, "a/zarr.json", 2, E));
    put_text(s, "a.b", "beside");
    put_text(s, "a/c/0", "chunk");
    OK(ngff_store_begin(s, "a/c/1", &w, E));
    OK(ngff_store_append(w, "ab", 2, E));
    OK(ngff_store_append(w, "cde", 3, E));
    OK(ngff_store_commit(&w, E));
    assert_int_equal(ngff_store_size(s, "zarr.json", &size, NULL), NGFF_NOT_FOUND);
    put_text(s, "zarr.json", "{\"too\": \"early\"}");
    put_text(s, "zarr.json", "{\"a\": 1}");
    put_text(s, "a/zarr.json", "{}");
    expect_text(s, "a/c/1", "abcde"); /* before it is published */
    expect_list(s, "a", "c/ zarr.json ");
    assert_false(is_there(p->dest, ""));
    OK(ngff_store_publish(s, E));
    expect_text(s, "a/c/1", "abcde");
    assert_int_equal(ngff_store_put(s, "late", "x", 1, NULL), NGFF_INVALID);
    ngff_store_drop(&s);
    assert_int_equal(entry_count(p->dir), 1);

    s = open_archive(p->dest);
    expect_text(s, "zarr.json", "{\"a\": 1}            ");
    expect_text(s, "a/c/1", "abcde");
    OK(ngff_store_get_range(s, "a/c/1", 2, 2, out, &got, E));
    assert_memory_equal(out, "cd", 2);
    OK(ngff_store_get_range(s, "a/c/1", 9, 2, out, &got, E));
    assert_int_equal(got, 0);
    assert_int_equal(ngff_store_get_range(s, "a/c", 0, 2, out, &got, NULL),
                     NGFF_NOT_FOUND);
    assert_int_equal(ngff_store_put(s, "x", "x", 1, NULL), NGFF_UNSUPPORTED);
    expect_list(s, "", "a/ a.b zarr.json ");
    expect_list(s, "a", "c/ zarr.json ");
    expect_list(s, "a/c", "0 1 ");
    expect_list(s, "nothing", "");
    const ngff_store_archive *a = ngff_store_archive_of(s);
    assert_string_equal(a->comment, "{\"ome\":{\"version\":\"0.5\",\"zipFile\":{"
                                    "\"centralDirectory\":{\"jsonFirst\":true}}}}");
    assert_true(a->zip64 && a->json_first && a->root && a->breadth_first);
    assert_null(a->late_central);
    assert_null(a->late_local);
    ngff_store_drop(&s);
}

static void refused_calls(void **state) {
    place *p = *state;
    ngff_error err = {0};
    name_dest(p, "out.ozx");
    ngff_store *s = stage(p->dest, NGFF_OVERWRITE_NO);
    OK(ngff_store_reserve(s, "zarr.json", 4, E));
    assert_int_equal(ngff_store_publish(s, &err), NGFF_INVALID);
    assert_non_null(strstr(err.message, "zarr.json"));
    put_text(s, "zarr.json", "{}");
    assert_int_equal(ngff_store_put(s, "zarr.json", "{    }", 6, NULL), NGFF_LIMIT);
    assert_int_equal(ngff_store_publish(s, NULL), NGFF_LIMIT); /* nothing goes on */
    ngff_store_drop(&s);
    s = stage(p->dest, NGFF_OVERWRITE_NO);
    put_text(s, "a", "1");
    assert_int_equal(ngff_store_put(s, "a", "2", 1, NULL), NGFF_EXISTS);
    ngff_store_drop(&s);
    s = stage(p->dest, NGFF_OVERWRITE_NO);
    OK(ngff_store_put_ranked(s, "b", 1, "b", 1, E));
    assert_int_equal(ngff_store_publish(s, NULL), NGFF_INVALID); /* rank 0 is missing */
    OK(ngff_store_skip_rank(s, 0, E));
    publish(&s);
    expect_file(p->dest, "b", "b");
    assert_int_equal(entry_count(p->dir), 1);
}

/* ---- order ---- */

static char *whole_file(const char *path, size_t *size) {
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *size = (size_t)ftell(f);
    rewind(f);
    char *bytes = malloc(*size + 1);
    assert_int_equal(fread(bytes, 1, *size, f), *size);
    fclose(f);
    return bytes;
}

enum { RANKS = 200, THREADS = 4 };

typedef struct crew {
    ngff_store *store;
    uint64_t order[RANKS];
    size_t count; /* under lock */
    ngff_mutex *lock;
} crew;

/* The value of a rank: its size and bytes follow from the rank. Some are skipped. */
static void write_rank(ngff_store *s, uint64_t rank) {
    char key[32], data[3000];
    size_t size = (size_t)(rank * 37 % sizeof data);
    snprintf(key, sizeof key, "c/%u", (unsigned)rank);
    memset(data, (int)('a' + rank % 26), size);
    if (rank % 7 == 3) {
        OK(ngff_store_skip_rank(s, rank, E));
    } else if (rank % 3 == 0) {
        OK(ngff_store_put_ranked(s, key, rank, data, size, E));
    } else {
        ngff_store_writer *w;
        OK(ngff_store_begin_ranked(s, key, rank, &w, E));
        for (size_t at = 0; at < size; at += 500)
            OK(ngff_store_append(w, data + at, size - at < 500 ? size - at : 500, E));
        OK(ngff_store_commit(&w, E));
    }
}

static void work(void *arg) {
    crew *c = arg;
    for (;;) {
        ngff_mutex_lock(c->lock);
        size_t at = c->count < RANKS ? c->count++ : RANKS;
        ngff_mutex_unlock(c->lock);
        if (at == RANKS)
            return;
        write_rank(c->store, c->order[at]);
    }
}

static void shuffle(uint64_t *order, uint64_t *seed) {
    for (size_t i = 0; i < RANKS; i++)
        order[i] = i;
    for (size_t i = RANKS - 1; i > 0 && *seed; i--) {
        size_t k = (size_t)random_range(seed, 0, (int64_t)i);
        uint64_t swap = order[i];
        order[i] = order[k];
        order[k] = swap;
    }
}

static void write_by(const char *dest, int threads, uint64_t seed, ngff_spill *spill) {
    crew c = {.store = stage(dest, NGFF_OVERWRITE_ALL)};
    ngff_thread *others[THREADS];
    OK(ngff_mutex_create(NULL, &c.lock, E));
    OK(ngff_store_reserve(c.store, "zarr.json", 4, E));
    ngff_store_lend_spill(c.store, spill);
    shuffle(c.order, &seed);
    for (int i = 1; i < threads; i++)
        OK(ngff_thread_start(NULL, work, &c, &others[i], E));
    work(&c);
    for (int i = 1; i < threads; i++)
        ngff_thread_join(&others[i]);
    put_text(c.store, "zarr.json", "{}");
    ngff_store_lend_spill(c.store, NULL);
    publish(&c.store);
    ngff_mutex_close(&c.lock);
}

static void same_bytes_whoever_comes_first(void **state) {
    place *p = *state;
    size_t size, again;
    name_dest(p, "out.ozx");
    write_by(p->dest, 1, 0, NULL);
    char *first = whole_file(p->dest, &size);
    for (uint64_t seed = 1; seed < 12; seed++) {
        ngff_spill_opts opts = {.dir = p->dir, .memory = seed % 2 ? 1000 : 1 << 20};
        ngff_spill *spill;
        OK(ngff_spill_create(NULL, &opts, &spill, E));
        write_by(p->dest, seed % 3 ? THREADS : 1, seed, seed % 4 ? spill : NULL);
        ngff_spill_close(&spill);
        char *bytes = whole_file(p->dest, &again);
        assert_int_equal(again, size);
        assert_memory_equal(bytes, first, size);
        free(bytes);
    }
    free(first);
    ngff_store *s = open_archive(p->dest);
    assert_int_equal(ngff_store_archive_of(s)->entry_count, 1 + RANKS - (RANKS + 3) / 7);
    uint64_t value;
    OK(ngff_store_size(s, "c/198", &value, E));
    assert_int_equal(value, 198 * 37 % 3000);
    assert_int_equal(ngff_store_size(s, "c/3", &value, NULL), NGFF_NOT_FOUND);
    ngff_store_drop(&s);
}

/* An entry that is open while others come: they wait, and it is not disturbed. */
static void open_entries(void **state) {
    place *p = *state;
    ngff_store_writer *first, *second, *third;
    name_dest(p, "out.ozx");
    ngff_store *s = stage(p->dest, NGFF_OVERWRITE_NO);
    OK(ngff_store_begin_ranked(s, "k/2", 2, &third, E));
    OK(ngff_store_append(third, "third", 5, E));
    OK(ngff_store_begin_ranked(s, "k/0", 0, &first, E));
    OK(ngff_store_append(first, "fi", 2, E));
    OK(ngff_store_begin_ranked(s, "k/1", 1, &second, E));
    OK(ngff_store_append(second, "sec", 3, E));
    put_text(s, "unranked", "waits too");
    OK(ngff_store_put_ranked(s, "k/3", 3, "fourth", 6, E));
    OK(ngff_store_append(first, "rst", 3, E));
    OK(ngff_store_commit(&first, E));
    OK(ngff_store_append(second, "ond", 3, E)); /* its turn has come: what waited first */
    OK(ngff_store_append(second, ".", 1, E));
    OK(ngff_store_commit(&third, E));
    OK(ngff_store_commit(&second, E));
    publish(&s);
    expect_file(p->dest, "k/0", "first");
    expect_file(p->dest, "k/1", "second.");
    expect_file(p->dest, "k/2", "third");
    expect_file(p->dest, "k/3", "fourth");
    expect_file(p->dest, "unranked", "waits too");
}

static void aborted_entries(void **state) {
    place *p = *state;
    ngff_store_writer *w;
    char big[9000];
    memset(big, 'x', sizeof big);
    name_dest(p, "out.zip");
    ngff_store *s = stage(p->dest, NGFF_OVERWRITE_NO);
    assert_false(ngff_store_is_ozx(s));
    for (int i = 0; i < 3; i++) { /* streamed, ranked and parked; then the last in file */
        if (i == 1)
            OK(ngff_store_begin_ranked(s, "no", 7, &w, E));
        else
            OK(ngff_store_begin(s, "no", &w, E));
        OK(ngff_store_append(w, big, sizeof big, E));
        ngff_store_abort(&w);
        if (i == 0)
            put_text(s, "yes", "1");
    }
    for (uint64_t rank = 0; rank < 7; rank++)
        OK(ngff_store_skip_rank(s, rank, E));
    publish(&s);
    s = open_archive(p->dest);
    expect_list(s, "", "yes ");
    expect_text(s, "yes", "1");
    ngff_store_drop(&s);
}

static void spill_taken_back(void **state) {
    place *p = *state;
    ngff_spill_opts opts = {.dir = p->dir, .memory = 100};
    ngff_spill *spill;
    name_dest(p, "out.ozx");
    ngff_store *s = stage(p->dest, NGFF_OVERWRITE_NO);
    OK(ngff_spill_create(NULL, &opts, &spill, E));
    ngff_store_lend_spill(s, spill);
    OK(ngff_store_put_ranked(s, "late", 5, "late", 4, E));
    ngff_store_lend_spill(s, NULL);
    ngff_spill_close(&spill);
    assert_int_equal(ngff_store_publish(s, NULL), NGFF_INTERNAL);
    ngff_store_drop(&s);
    assert_int_equal(entry_count(p->dir), 0);
}

/* ---- destinations ---- */

static void make_archive(const char *dest, const char *text) {
    ngff_store *s = stage(dest, NGFF_OVERWRITE_ALL);
    put_text(s, "zarr.json", text);
    put_text(s, "c/0/0", text);
    publish(&s);
}

static void replaces_archives(void **state) {
    place *p = *state;
    name_dest(p, "out.ozx");
    make_archive(p->dest, "old");
    expect_refused(p->dest, NGFF_OVERWRITE_NO, "exists");
    ngff_store *s = stage(p->dest, NGFF_OVERWRITE_IMAGE);
    expect_refused(p->dest, NGFF_OVERWRITE_ALL, ".out.ozx.ngff-partial-"); /* alive */
    put_text(s, "zarr.json", "new");
    expect_file(p->dest, "zarr.json", "old");
    publish(&s);
    expect_file(p->dest, "zarr.json", "new");
    assert_int_equal(entry_count(p->dir), 1);
}

/* An existing directory of that name is replaced as a directory store would be. */
static void replaces_directories(void **state) {
    place *p = *state;
    name_dest(p, "out.ozx");
    write_file(p->dest, "zarr.json", "old");
    write_file(p->dest, "c/0/0", "old");
    expect_refused(p->dest, NGFF_OVERWRITE_NO, "exists");
    expect_file(p->dest, "c/0/0", "old"); /* read as the directory it is */
    make_archive(p->dest, "new");
    expect_file(p->dest, "c/0/0", "new");
    assert_int_equal(entry_count(p->dir), 1);
    OK(ngff_dir_remove_all(p->dest, E));
    write_file(p->dest, "zarr.json", "old");
    write_file(p->dest, "thesis.doc", "precious");
    expect_refused(p->dest, NGFF_OVERWRITE_ALL, "thesis.doc");
    assert_true(is_there(p->dest, "thesis.doc"));
    assert_int_equal(entry_count(p->dir), 1);
}

static void keeps_foreign_files(void **state) {
    place *p = *state;
    write_file(p->dir, "out.ozx", "not an archive");
    name_dest(p, "out.ozx");
    expect_refused(p->dest, NGFF_OVERWRITE_ALL, "not a zip");
    name_dest(p, "b.zip");
    ngff_store *s = stage(p->dest, NGFF_OVERWRITE_NO);
    put_text(s, "zarr.json", "{}");
    put_text(s, "letters/thesis.doc", "precious");
    publish(&s);
    expect_refused(p->dest, NGFF_OVERWRITE_ALL, "thesis.doc");
    name_dest(p, "c.zip");
    s = stage(p->dest, NGFF_OVERWRITE_NO);
    put_text(s, "0/0", "x");
    publish(&s);
    expect_refused(p->dest, NGFF_OVERWRITE_ALL, "no Zarr document");
    assert_int_equal(entry_count(p->dir), 3);
}

static void not_inside_a_hierarchy(void **state) {
    place *p = *state;
    ngff_store_open_opts opts = {.mode = NGFF_STORE_STAGE};
    ngff_store *s;
    ngff_error err = {0};
    write_file(p->dest, "zarr.json", "{}");
    char inner[400];
    snprintf(inner, sizeof inner, "%s/a/inner.ozx", p->dest);
    assert_int_equal(ngff_store_at(NULL, inner, &opts, &s, &err), NGFF_INVALID);
    assert_non_null(strstr(err.message, "out.zarr"));
    assert_false(is_there(p->dest, "a"));
}

static void other_things(void **state) {
    place *p = *state;
    ngff_store_open_opts read = {.mode = NGFF_STORE_READ};
    ngff_store_open_opts update = {.mode = NGFF_STORE_UPDATE};
    ngff_store *s;
    name_dest(p, "no.ozx");
    assert_int_equal(ngff_store_at(NULL, p->dest, &read, &s, NULL), NGFF_NOT_FOUND);
    assert_int_equal(ngff_store_at(NULL, p->dest, &update, &s, NULL), NGFF_UNSUPPORTED);
    char fifo[400];
    snprintf(fifo, sizeof fifo, "%s/pipe.ozx", p->dir);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(ngff_store_at(NULL, fifo, &read, &s, NULL), NGFF_INVALID);
    expect_refused(fifo, NGFF_OVERWRITE_ALL, "not replaced");
}

/* ---- killed anywhere ---- */

static void overwrite_forever(const char *dest) {
    for (unsigned n = 0;; n++) {
        char text[32];
        snprintf(text, sizeof text, "%u", n);
        make_archive(dest, text);
    }
}

static void killed_anywhere(void **state) {
    place *p = *state;
    uint64_t seed = 7;
    name_dest(p, "out.ozx");
    make_archive(p->dest, "x");
    for (int round = 0; round < 40; round++) {
        pid_t pid = fork();
        if (pid == 0)
            overwrite_forever(p->dest);
        kill_soon(pid, &seed);
        ngff_store *s = open_archive(p->dest);
        ngff_buf text;
        ngff_buf_init(&text, NULL, 64);
        OK(ngff_store_get(s, "zarr.json", &text, E));
        expect_text(s, "c/0/0", text.data);
        ngff_buf_reset(&text);
        ngff_store_drop(&s);
        assert_true(entry_count(p->dir) <= 3); /* a partial, perhaps the guard */
    }
    ngff_store *s = stage(p->dest, NGFF_OVERWRITE_ALL);
    ngff_store_drop(&s);
    assert_int_equal(entry_count(p->dir), 1);
}

/* ---- tolerated ---- */

static void in_a_folder(void **state) {
    place *p = *state;
    name_dest(p, "old.zip");
    ngff_store *s = stage(p->dest, NGFF_OVERWRITE_NO);
    put_text(s, "x.zarr/.zgroup", "{}");
    put_text(s, "x.zarr/0/.zarray", "{}");
    put_text(s, "x.zarr/0/0/1", "chunk");
    publish(&s);
    s = open_archive(p->dest);
    assert_string_equal(ngff_store_archive_of(s)->folder, "x.zarr");
    expect_text(s, ".zgroup", "{}");
    expect_text(s, "0/0/1", "chunk");
    expect_list(s, "", ".zgroup 0/ ");
    expect_list(s, "0/0", "1 ");
    ngff_store_drop(&s);
}

/* Whatever its size, a value that is read whole is checked. */
static void damaged_values(void **state) {
    place *p = *state;
    size_t size;
    char *text = calloc(1, 9001);
    memset(text, 'x', 9000);
    name_dest(p, "out.ozx");
    make_archive(p->dest, text);
    char *bytes = whole_file(p->dest, &size);
    bytes[200] ^= 1;
    FILE *f = fopen(p->dest, "wb");
    fwrite(bytes, 1, size, f);
    fclose(f);
    free(bytes);
    ngff_store *s = open_archive(p->dest);
    ngff_buf buf;
    ngff_buf_init(&buf, NULL, 1 << 20);
    assert_int_equal(ngff_store_get(s, "zarr.json", &buf, NULL), NGFF_CHECKSUM);
    ngff_buf_reset(&buf);
    expect_text(s, "c/0/0", text);
    ngff_store_drop(&s);
    free(text);
}

/* ---- everything may fail ---- */

static ngff_status write_small(const ngff_allocator *a, const char *dest) {
    ngff_store_open_opts opts = {.mode = NGFF_STORE_STAGE,
                                 .overwrite = NGFF_OVERWRITE_ALL,
                                 .durability = NGFF_DURABILITY_NONE};
    ngff_store *s;
    ngff_store_writer *w = NULL;
    NGFF_TRY(ngff_store_at(a, dest, &opts, &s, NULL));
    ngff_status status = ngff_store_reserve(s, "zarr.json", 2, NULL);
    if (status == NGFF_OK)
        status = ngff_store_put_ranked(s, "c/1", 1, "early", 5, NULL);
    if (status == NGFF_OK)
        status = ngff_store_begin_ranked(s, "c/0", 0, &w, NULL);
    if (status == NGFF_OK)
        status = ngff_store_append(w, "zero", 4, NULL);
    if (status == NGFF_OK)
        status = ngff_store_commit(&w, NULL);
    ngff_store_abort(&w);
    if (status == NGFF_OK)
        status = ngff_store_put(s, "zarr.json", "{}", 2, NULL);
    if (status == NGFF_OK)
        status = ngff_store_publish(s, NULL);
    ngff_store_drop(&s);
    return status;
}

static ngff_status read_small(const ngff_allocator *a, const char *path) {
    ngff_store_open_opts opts = {.mode = NGFF_STORE_READ};
    ngff_store *s;
    listed l = {{0}};
    char out[8];
    size_t got;
    NGFF_TRY(ngff_store_at(a, path, &opts, &s, NULL));
    ngff_status status = ngff_store_get_range(s, "c/1", 0, 8, out, &got, NULL);
    if (status == NGFF_OK)
        status = ngff_store_list(s, "c", note, &l, NULL);
    ngff_store_drop(&s);
    return status;
}

static void every_allocation_may_fail(void **state) {
    place *p = *state;
    failing_alloc f;
    failing_init(&f);
    name_dest(p, "out.ozx");
    make_archive(p->dest, "old");
    for (int reading = 0; reading < 2; reading++) {
        for (long at = 0;; at++) {
            failing_arm(&f, at);
            ngff_status status =
                reading ? read_small(&f.ops, p->dest) : write_small(&f.ops, p->dest);
            assert_int_equal(f.live, 0);
            assert_int_equal(entry_count(p->dir), 1);
            if (status == NGFF_OK)
                break;
            if (!reading)
                expect_file(p->dest, "zarr.json", "old");
        }
    }
    expect_file(p->dest, "c/1", "early");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        PLACE_TEST(comes_back),
        PLACE_TEST(part_of_an_archive),
        PLACE_TEST(refused_calls),
        PLACE_TEST(same_bytes_whoever_comes_first),
        PLACE_TEST(open_entries),
        PLACE_TEST(aborted_entries),
        PLACE_TEST(spill_taken_back),
        PLACE_TEST(replaces_archives),
        PLACE_TEST(replaces_directories),
        PLACE_TEST(keeps_foreign_files),
        PLACE_TEST(not_inside_a_hierarchy),
        PLACE_TEST(other_things),
        PLACE_TEST(killed_anywhere),
        PLACE_TEST(in_a_folder),
        PLACE_TEST(damaged_values),
        PLACE_TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
