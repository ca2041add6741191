/* What every kind of store must do alike. */
#include "store/support.h"
#include "support/alloc.h"

/* ---- a caller's store: a few values in a table ---- */

enum { VALUES = 16 };
typedef struct table {
    char keys[VALUES][64];
    char data[VALUES][64];
    size_t sizes[VALUES];
    int released;
} table;

static int row_of(const table *t, const char *key) {
    for (int i = 0; i < VALUES; i++) {
        if (t->keys[i][0] && strcmp(t->keys[i], key) == 0)
            return i;
    }
    return -1;
}

static ngff_status table_get(void *cookie, const char *key, uint64_t off, uint64_t size,
                             void *out, uint64_t *got, ngff_error *err) {
    table *t = cookie;
    (void)err;
    int row = row_of(t, key);
    if (row < 0)
        return NGFF_NOT_FOUND;
    uint64_t left = off < t->sizes[row] ? t->sizes[row] - off : 0;
    *got = left < size ? left : size;
    memcpy(out, t->data[row] + off, *got);
    return NGFF_OK;
}

static ngff_status table_size(void *cookie, const char *key, uint64_t *size,
                              ngff_error *err) {
    table *t = cookie;
    (void)err;
    int row = row_of(t, key);
    *size = row < 0 ? 0 : t->sizes[row];
    return row < 0 ? NGFF_NOT_FOUND : NGFF_OK;
}

static ngff_status table_put(void *cookie, const char *key, const void *data,
                             uint64_t size, ngff_error *err) {
    table *t = cookie;
    int row = row_of(t, key);
    for (int i = 0; i < VALUES && row < 0; i++)
        row = t->keys[i][0] ? -1 : i;
    if (row < 0 || size > sizeof t->data[0])
        return ngff_fail(err, NGFF_IO, "the table is full");
    snprintf(t->keys[row], sizeof t->keys[row], "%s", key);
    memcpy(t->data[row], data, size);
    t->sizes[row] = size;
    return NGFF_OK;
}

static ngff_status table_erase(void *cookie, const char *key, ngff_error *err) {
    table *t = cookie;
    (void)err;
    int row = row_of(t, key);
    if (row < 0)
        return NGFF_NOT_FOUND;
    t->keys[row][0] = '\0';
    return NGFF_OK;
}

static ngff_status table_list(void *cookie, const char *prefix,
                              ngff_status (*fn)(void *, const char *), void *user,
                              ngff_error *err) {
    table *t = cookie;
    (void)err;
    for (int i = 0; i < VALUES; i++) {
        if (t->keys[i][0] && ngff_starts_with(t->keys[i], prefix))
            NGFF_TRY(fn(user, t->keys[i]));
    }
    return NGFF_OK;
}

static void table_release(void *cookie) {
    ((table *)cookie)->released++;
}

static const ngff_store_ops table_ops = {
    sizeof(ngff_store_ops), table_get, table_size, table_put, table_erase, table_list,
    table_release};

/* ---- the contract ---- */

static void stream(ngff_store *s, const char *key) {
    ngff_store_writer *w;
    OK(ngff_store_begin(s, key, &w, E));
    OK(ngff_store_append(w, "ab", 2, E));
    OK(ngff_store_append(w, "", 0, E));
    OK(ngff_store_append(w, "cde", 3, E));
    assert_int_equal(w->written, 5);
    OK(ngff_store_commit(&w, E));
    assert_null(w);
    OK(ngff_store_begin(s, "aborted", &w, E));
    OK(ngff_store_append(w, "zz", 2, E));
    ngff_store_abort(&w);
    assert_null(w);
    ngff_store_abort(&w);
}

static void missing(ngff_store *s) {
    ngff_error err = {0};
    char byte;
    size_t got;
    uint64_t size;
    assert_int_equal(ngff_store_get_range(s, "no/such", 0, 1, &byte, &got, &err),
                     NGFF_NOT_FOUND);
    assert_non_null(strstr(err.message, "no/such"));
    assert_int_equal(ngff_store_size(s, "no/such", &size, NULL), NGFF_NOT_FOUND);
    assert_int_equal(ngff_store_erase(s, "no/such", NULL), NGFF_NOT_FOUND);
    assert_int_equal(ngff_store_size(s, "aborted", &size, NULL), NGFF_NOT_FOUND);
    expect_list(s, "nothing", "");
}

static void ranges(ngff_store *s) {
    char out[8] = {0};
    size_t got;
    uint64_t size;
    OK(ngff_store_get_range(s, "a/c/0", 1, 3, out, &got, E));
    assert_int_equal(got, 3);
    assert_memory_equal(out, "bcd", 3);
    OK(ngff_store_get_range(s, "a/c/0", 4, 8, out, &got, E));
    assert_int_equal(got, 1);
    OK(ngff_store_get_range(s, "a/c/0", 99, 8, out, &got, E));
    assert_int_equal(got, 0);
    OK(ngff_store_size(s, "a/c/0", &size, E));
    assert_int_equal(size, 5);
}

static void ceilings(ngff_store *s) {
    ngff_buf buf;
    ngff_buf_init(&buf, NULL, 4);
    assert_int_equal(ngff_store_get(s, "a/c/0", &buf, NULL), NGFF_LIMIT);
    ngff_buf_reset(&buf);
    ngff_buf_init(&buf, NULL, 7);
    OK(ngff_buf_append(&buf, "xy", 2, E));
    OK(ngff_store_get(s, "a/c/0", &buf, E));
    assert_string_equal(buf.data, "xyabcde");
    ngff_buf_reset(&buf);
}

static void contract(ngff_store *s) {
    put_text(s, "zarr.json", "{}");
    put_text(s, "a/zarr.json", "first");
    put_text(s, "a/zarr.json", "2nd");
    put_text(s, "b", "");
    stream(s, "a/c/0");
    expect_text(s, "a/zarr.json", "2nd");
    expect_text(s, "b", "");
    expect_text(s, "a/c/0", "abcde");
    ranges(s);
    ceilings(s);
    missing(s);
    expect_list(s, "", "a/ b zarr.json ");
    expect_list(s, "a", "c/ zarr.json ");
    OK(ngff_store_erase(s, "b", E));
    expect_list(s, "", "a/ zarr.json ");
    OK(ngff_store_publish(s, E));
    expect_text(s, "a/c/0", "abcde");
}

static void memory_keeps_it(void **state) {
    (void)state;
    ngff_store *s;
    OK(ngff_store_open_memory(NULL, &s, E));
    contract(s);
    ngff_store_drop(&s);
}

static void callbacks_keep_it(void **state) {
    (void)state;
    table t = {0};
    ngff_store *s;
    OK(ngff_store_of_callbacks(NULL, &table_ops, &t, &s, E));
    contract(s);
    ngff_store_drop(&s);
    assert_int_equal(t.released, 1);
}

static void prefixes_keep_it(void **state) {
    (void)state;
    ngff_store *inner, *s;
    OK(ngff_store_open_memory(NULL, &inner, E));
    OK(ngff_store_open_prefix(NULL, inner, "x/y", &s, E));
    contract(s);
    expect_text(inner, "x/y/a/c/0", "abcde");
    ngff_store_drop(&s);
    ngff_store_drop(&inner);
}

static void pairs_keep_it(void **state) {
    place *p = *state;
    char path[300];
    ngff_store *metadata, *chunks, *s;
    OK(ngff_store_open_memory(NULL, &metadata, E));
    OK(ngff_store_open_memory(NULL, &chunks, E));
    OK(ngff_store_open_split(NULL, metadata, chunks, &s, E));
    contract(s);
    expect_text(metadata, "a/zarr.json", "2nd");
    ngff_store_drop(&s);
    ngff_store_drop(&chunks);
    ngff_store_drop(&metadata);
    ngff_store_open_opts opts = {.mode = NGFF_STORE_CHUNKS};
    snprintf(path, sizeof path, "%s/chunks", p->dir);
    metadata = stage(p->dest, NGFF_OVERWRITE_NO);
    OK(ngff_store_at(NULL, path, &opts, &chunks, E));
    OK(ngff_store_open_split(NULL, metadata, chunks, &s, E));
    contract(s);
    ngff_store_drop(&s);
    ngff_store_drop(&chunks);
    ngff_store_drop(&metadata);
}

static void directories_keep_it(void **state) {
    place *p = *state;
    ngff_store *s = stage(p->dest, NGFF_OVERWRITE_NO);
    contract(s);
    ngff_store_drop(&s);
    ngff_store_open_opts opts = {.mode = NGFF_STORE_UPDATE};
    OK(ngff_store_at(NULL, p->dest, &opts, &s, E));
    contract(s);
    ngff_store_drop(&s);
    assert_int_equal(entry_count(p->dest), 2); /* no temporary names stay */
}

static void a_faultless_fault_keeps_it(void **state) {
    (void)state;
    ngff_store *inner, *s;
    uint64_t calls = 0;
    OK(ngff_store_open_memory(NULL, &inner, E));
    OK(ngff_store_open_fault(NULL, inner, 0, &calls, &s, E));
    contract(s);
    assert_true(calls > 20);
    ngff_store_drop(&s);
    ngff_store_drop(&inner);
}

/* ---- the n-th call fails, for every n ---- */

static ngff_status walk(ngff_store *s, ngff_error *err) {
    ngff_store_writer *w;
    listed l = {{0}};
    uint64_t size;
    char out[4];
    size_t got;
    NGFF_TRY(ngff_store_put(s, "k", "v", 1, err));
    NGFF_TRY(ngff_store_begin(s, "a/b", &w, err));
    ngff_status status = ngff_store_append(w, "xyz", 3, err);
    if (status != NGFF_OK) {
        ngff_store_abort(&w);
        return status;
    }
    NGFF_TRY(ngff_store_commit(&w, err));
    NGFF_TRY(ngff_store_size(s, "a/b", &size, err));
    NGFF_TRY(ngff_store_get_range(s, "a/b", 0, 3, out, &got, err));
    NGFF_TRY(ngff_store_list(s, "", note, &l, err));
    NGFF_TRY(ngff_store_erase(s, "k", err));
    return ngff_store_publish(s, err);
}

static void every_call_can_fail(void **state) {
    place *p = *state;
    uint64_t calls = 0, total = UINT64_MAX;
    for (uint64_t n = 1; n <= total; n++) {
        ngff_store *inner = stage(p->dest, NGFF_OVERWRITE_NO), *s;
        ngff_error err = {0};
        OK(ngff_store_open_fault(NULL, inner, n, &calls, &s, E));
        ngff_status status = walk(s, &err);
        if (status == NGFF_OK) {
            total = calls;
            assert_int_equal(n, total + 1);
        } else {
            assert_int_equal(status, NGFF_IO);
            assert_non_null(strstr(err.message, "injected"));
        }
        ngff_store_drop(&s);
        ngff_store_drop(&inner);
        /* Unpublished is absent. */
        assert_int_equal(entry_count(p->dir), status == NGFF_OK);
    }
    assert_int_equal(total, 9);
}

static void every_allocation_can_fail(void **state) {
    place *p = *state;
    failing_alloc f;
    failing_init(&f);
    ngff_store_open_opts opts = {.mode = NGFF_STORE_STAGE,
                                 .durability = NGFF_DURABILITY_NONE};
    for (int kind = 0; kind < 2; kind++) {
        ngff_status status = NGFF_NOMEM;
        for (long n = 0; status != NGFF_OK; n++) {
            ngff_store *s;
            assert_true(n < 200);
            failing_arm(&f, n);
            status = kind ? ngff_store_at(&f.ops, p->dest, &opts, &s, NULL)
                          : ngff_store_open_memory(&f.ops, &s, NULL);
            if (status == NGFF_OK)
                status = walk(s, NULL);
            if (status != NGFF_OK)
                assert_int_equal(status, NGFF_NOMEM);
            ngff_store_drop(&s);
            assert_int_equal(f.live, 0);
        }
        failing_arm(&f, -1);
    }
}

/* ---- callers that do not keep their side ---- */

static ngff_status liar_get(void *cookie, const char *key, uint64_t off, uint64_t size,
                            void *out, uint64_t *got, ngff_error *err) {
    (void)cookie, (void)key, (void)off, (void)out, (void)err;
    *got = size + 1;
    return NGFF_OK;
}

static ngff_status liar_put(void *cookie, const char *key, const void *data,
                            uint64_t size, ngff_error *err) {
    (void)cookie, (void)key, (void)data, (void)size, (void)err;
    return (ngff_status)77;
}

static ngff_status liar_list(void *cookie, const char *prefix,
                             ngff_status (*fn)(void *, const char *), void *user,
                             ngff_error *err) {
    (void)cookie, (void)prefix, (void)err;
    NGFF_TRY(fn(user, "../escape"));
    NGFF_TRY(fn(user, "good/../../bad"));
    return fn(user, "fine");
}

static void odd_callbacks(void **state) {
    (void)state;
    ngff_store_ops ops = {
        .struct_size = sizeof ops, .get = liar_get, .put = liar_put, .list = liar_list};
    ngff_store *s;
    ngff_error err = {0};
    char byte;
    size_t got;
    uint64_t size;
    OK(ngff_store_of_callbacks(NULL, &ops, NULL, &s, E));
    assert_int_equal(ngff_store_get_range(s, "k", 0, 1, &byte, &got, NULL), NGFF_IO);
    assert_int_equal(ngff_store_put(s, "k", "v", 1, &err), NGFF_IO);
    assert_non_null(strstr(err.message, "put callback failed"));
    assert_int_equal(ngff_store_size(s, "k", &size, NULL), NGFF_UNSUPPORTED);
    assert_int_equal(ngff_store_erase(s, "k", NULL), NGFF_UNSUPPORTED);
    expect_list(s, "", "fine ");
    ngff_store_drop(&s);
    ops.struct_size = 0;
    assert_int_equal(ngff_store_of_callbacks(NULL, &ops, NULL, &s, NULL), NGFF_INVALID);
    /* An older, shorter table: only get and size. */
    ops.struct_size = offsetof(ngff_store_ops, put);
    OK(ngff_store_of_callbacks(NULL, &ops, NULL, &s, E));
    assert_int_equal(ngff_store_put(s, "k", "v", 1, NULL), NGFF_UNSUPPORTED);
    ngff_store_drop(&s);
}

static void locations(void **state) {
    place *p = *state;
    ngff_store_open_opts read = {.mode = NGFF_STORE_READ};
    ngff_store *s;
    char path[600];
    assert_int_equal(ngff_store_at(NULL, p->dest, &read, &s, NULL), NGFF_NOT_FOUND);
    assert_null(s);
    write_file(p->dir, "file", "x");
    snprintf(path, sizeof path, "%s/file", p->dir);
    assert_int_equal(ngff_store_at(NULL, path, &read, &s, NULL), NGFF_INVALID);
    assert_int_equal(ngff_store_at(NULL, "", &read, &s, NULL), NGFF_INVALID);
    assert_int_equal(ngff_store_at(NULL, "s3://b/k", &read, &s, NULL), NGFF_UNSUPPORTED);
    OK(ngff_store_at(NULL, "memory://", &read, &s, E));
    assert_null(ngff_store_spill_dir(s));
    ngff_store_drop(&s);
    snprintf(path, sizeof path, "file://%s", p->dir);
    OK(ngff_store_at(NULL, path, &read, &s, E));
    assert_int_equal(ngff_store_put(s, "k", "v", 1, NULL), NGFF_INVALID);
    assert_int_equal(ngff_store_erase(s, "file", NULL), NGFF_INVALID);
    ngff_store_drop(&s);
    assert_true(is_there(p->dir, "file"));
}

static void overlaps(void **state) {
    place *p = *state;
    char path[800];
    write_file(p->dir, "in/a/b", "x");
    snprintf(path, sizeof path, "%s/out.zarr-2", p->dir);
    assert_int_equal(symlink(p->dir, path), 0); /* dir/out.zarr-2 -> dir */
    ngff_store *s = stage(p->dest, NGFF_OVERWRITE_NO);
    assert_string_equal(ngff_store_spill_dir(s), p->dir);
    assert_true(ngff_store_overlaps(s, p->dest));
    assert_true(ngff_store_overlaps(s, p->dir));
    snprintf(path, sizeof path, "%s/scale0", p->dest);
    assert_true(ngff_store_overlaps(s, path));
    snprintf(path, sizeof path, "%s/./in/../out.zarr/", p->dir);
    assert_true(ngff_store_overlaps(s, path));
    snprintf(path, sizeof path, "%s/out.zarr-2/out.zarr", p->dir);
    assert_true(ngff_store_overlaps(s, path));
    snprintf(path, sizeof path, "%s/in/a", p->dir);
    assert_false(ngff_store_overlaps(s, path));
    snprintf(path, sizeof path, "%s/out.zarr2", p->dir);
    assert_false(ngff_store_overlaps(s, path));
    ngff_store_drop(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_keeps_it),
        cmocka_unit_test(callbacks_keep_it),
        cmocka_unit_test(prefixes_keep_it),
        PLACE_TEST(pairs_keep_it),
        PLACE_TEST(directories_keep_it),
        cmocka_unit_test(a_faultless_fault_keeps_it),
        PLACE_TEST(every_call_can_fail),
        PLACE_TEST(every_allocation_can_fail),
        cmocka_unit_test(odd_callbacks),
        PLACE_TEST(locations),
        PLACE_TEST(overlaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
