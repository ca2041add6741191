/* A pair: documents in one store, chunks in another, published as one. */
#include "store/support.h"
#include "support/alloc.h"

#include "store/inside.h"

#include <limits.h>

static void expect_missing(ngff_store *s, const char *key) {
    uint64_t size;
    assert_int_equal(ngff_store_size(s, key, &size, NULL), NGFF_NOT_FOUND);
}

/* ---- what is stored: a small image, all of whose values say which one it is ---- */

static const char *const keys[] = {"a/c/0/0", "a/c/0/1", "a/zarr.json", "zarr.json"};
enum { KEY_COUNT = 4, CHUNK_COUNT = 2 };

static ngff_status put_image(ngff_store *s, const char *name, ngff_error *err) {
    char value[64];
    for (int i = 0; i < KEY_COUNT; i++) {
        snprintf(value, sizeof value, "%s of %s", keys[i], name);
        NGFF_TRY(ngff_store_put(s, keys[i], value, strlen(value), err));
    }
    /* A document that only one of the images has. */
    snprintf(value, sizeof value, "%s/zarr.json", name);
    return ngff_store_put(s, value, "{}", 2, err);
}

static void expect_image(ngff_store *s, const char *name) {
    char value[64];
    for (int i = 0; i < KEY_COUNT; i++) {
        snprintf(value, sizeof value, "%s of %s", keys[i], name);
        expect_text(s, keys[i], value);
    }
    snprintf(value, sizeof value, "%s/zarr.json", name);
    expect_text(s, value, "{}");
}

/* "" or the name of the one image that is there whole. */
static const char *which(ngff_store *s) {
    ngff_buf buf;
    ngff_buf_init(&buf, NULL, 1 << 20);
    ngff_status status = ngff_store_get(s, "zarr.json", &buf, NULL);
    bool is_new = status == NGFF_OK && strstr(buf.data, "of new");
    ngff_buf_reset(&buf);
    if (status == NGFF_NOT_FOUND)
        return "";
    expect_image(s, is_new ? "new" : "old");
    expect_missing(s, is_new ? "old/zarr.json" : "new/zarr.json");
    return is_new ? "new" : "old";
}

/* ---- two directories ---- */

typedef struct pair {
    ngff_store *metadata, *chunks, *both;
} pair;

static ngff_status open_half(const char *path, ngff_store_mode mode,
                             ngff_overwrite overwrite, ngff_store **out,
                             ngff_error *err) {
    ngff_store_open_opts opts = {
        .mode = mode, .overwrite = overwrite, .durability = NGFF_DURABILITY_NONE};
    return ngff_store_at(NULL, path, &opts, out, err);
}

static void pair_close(pair *p) {
    ngff_store_drop(&p->both);
    ngff_store_drop(&p->chunks);
    ngff_store_drop(&p->metadata);
}

static ngff_status pair_open(pair *p, const place *at, const char *metadata, bool writing,
                             ngff_overwrite overwrite, ngff_error *err) {
    char m[400], c[400];
    *p = (pair){0};
    snprintf(m, sizeof m, "%s/%s", at->dir, metadata);
    snprintf(c, sizeof c, "%s/chunks", at->dir);
    ngff_status status = open_half(m, writing ? NGFF_STORE_STAGE : NGFF_STORE_READ,
                                   overwrite, &p->metadata, err);
    if (status == NGFF_OK)
        status = open_half(c, writing ? NGFF_STORE_CHUNKS : NGFF_STORE_READ, overwrite,
                           &p->chunks, err);
    if (status == NGFF_OK)
        status = ngff_store_open_split(NULL, p->metadata, p->chunks, &p->both, err);
    if (status != NGFF_OK)
        pair_close(p);
    return status;
}

static void write_pair(const place *at, const char *name, ngff_overwrite overwrite) {
    pair p;
    OK(pair_open(&p, at, "out.zarr", true, overwrite, E));
    OK(put_image(p.both, name, E));
    OK(ngff_store_publish(p.both, E));
    expect_image(p.both, name);
    pair_close(&p);
}

static void expect_pair(const place *at, const char *name) {
    pair p;
    OK(pair_open(&p, at, "out.zarr", false, NGFF_OVERWRITE_NO, E));
    assert_string_equal(which(p.both), name);
    pair_close(&p);
}

static void expect_pair_refused(const place *at, const char *metadata, bool writing,
                                ngff_overwrite overwrite, ngff_status want,
                                const char *names) {
    pair p;
    ngff_error err = {0};
    expect_status(pair_open(&p, at, metadata, writing, overwrite, &err), want, &err);
    if (!strstr(err.message, names))
        fail_msg("\"%s\" does not name \"%s\"", err.message, names);
}

static int generations(const place *at) {
    char path[300];
    listed l = {{0}};
    ngff_store *s;
    int count = 0;
    snprintf(path, sizeof path, "%s/chunks", at->dir);
    OK(open_half(path, NGFF_STORE_READ, NGFF_OVERWRITE_NO, &s, E));
    OK(ngff_store_list(s, "", note, &l, E));
    ngff_store_drop(&s);
    for (const char *c = l.text; *c; c++)
        count += *c == '/';
    return count;
}

static void directories_hold_a_half_each(void **state) {
    place *at = *state;
    pair p;
    write_pair(at, "old", NGFF_OVERWRITE_NO);
    expect_pair(at, "old");
    assert_int_equal(generations(at), 1);
    assert_true(is_there(at->dir, "out.zarr/zarr.json"));
    assert_true(is_there(at->dir, "out.zarr/.ngff-chunks"));
    assert_false(is_there(at->dir, "out.zarr/a/c"));
    assert_false(is_there(at->dir, "chunks/.ngff-lock"));
    OK(pair_open(&p, at, "out.zarr", false, NGFF_OVERWRITE_NO, E));
    expect_list(p.both, "", "a/ old/ zarr.json ");
    expect_list(p.both, "a", "c/ zarr.json ");
    expect_list(p.both, "a/c/0", "0 1 ");
    expect_missing(p.both, "a/c/9/9");
    ngff_error err = {0};
    expect_status(ngff_store_put(p.both, "a/c/1/1", "", 0, &err), NGFF_INVALID, &err);
    pair_close(&p);
}

static void overwriting_leaves_one_generation(void **state) {
    place *at = *state;
    pair reader;
    ngff_error err = {0};
    char byte;
    size_t got;
    write_pair(at, "old", NGFF_OVERWRITE_NO);
    OK(pair_open(&reader, at, "out.zarr", false, NGFF_OVERWRITE_NO, E));
    write_pair(at, "new", NGFF_OVERWRITE_IMAGE);
    expect_pair(at, "new");
    assert_int_equal(generations(at), 1);
    /* The reader of the old one does not take what went for what was never there. */
    expect_status(ngff_store_get_range(reader.both, "a/c/0/0", 0, 1, &byte, &got, &err),
                  NGFF_IO, &err);
    assert_non_null(strstr(err.message, "was replaced"));
    pair_close(&reader);
}

static void unpublished_is_absent(void **state) {
    place *at = *state;
    pair p;
    OK(pair_open(&p, at, "out.zarr", true, NGFF_OVERWRITE_NO, E));
    OK(put_image(p.both, "new", E));
    pair_close(&p);
    assert_int_equal(entry_count(at->dir), 0);
    write_pair(at, "old", NGFF_OVERWRITE_NO);
    OK(pair_open(&p, at, "out.zarr", true, NGFF_OVERWRITE_IMAGE, E));
    OK(put_image(p.both, "new", E));
    pair_close(&p);
    expect_pair(at, "old");
    assert_int_equal(generations(at), 1);
    assert_int_equal(entry_count(at->dir), 2);
}

static void what_a_dead_writer_left_goes(void **state) {
    place *at = *state;
    /* Killed before anything was published … */
    write_file(at->dir, "chunks/gen-00000000000000aa/.ngff-generation", "out.zarr");
    write_file(at->dir, "chunks/gen-00000000000000aa/a/c/0/0", "half");
    write_file(at->dir, "chunks/.ngff-lock", "");
    write_pair(at, "old", NGFF_OVERWRITE_NO);
    assert_int_equal(generations(at), 1);
    /* … and while something was replaced. */
    write_file(at->dir, "chunks/gen-00000000000000bb/.ngff-generation", "out.zarr");
    expect_pair(at, "old");
    write_pair(at, "new", NGFF_OVERWRITE_IMAGE);
    assert_int_equal(generations(at), 1);
    expect_pair(at, "new");
}

static void one_writer_at_a_time(void **state) {
    place *at = *state;
    pair p;
    OK(pair_open(&p, at, "out.zarr", true, NGFF_OVERWRITE_NO, E));
    OK(put_image(p.both, "new", E));
    expect_pair_refused(at, "other.zarr", true, NGFF_OVERWRITE_ALL, NGFF_EXISTS,
                        "another writer");
    expect_pair_refused(at, "out.zarr", true, NGFF_OVERWRITE_ALL, NGFF_EXISTS,
                        "another writer");
    OK(ngff_store_publish(p.both, E));
    pair_close(&p);
    expect_pair(at, "new");
}

static void what_may_be_replaced(void **state) {
    place *at = *state;
    write_pair(at, "old", NGFF_OVERWRITE_NO);
    expect_pair_refused(at, "out.zarr", true, NGFF_OVERWRITE_NO, NGFF_EXISTS, "out.zarr");
    /* Chunks that other metadata names. */
    expect_pair_refused(at, "other.zarr", true, NGFF_OVERWRITE_NO, NGFF_EXISTS,
                        "another");
    expect_pair_refused(at, "other.zarr", true, NGFF_OVERWRITE_IMAGE, NGFF_EXISTS,
                        "other.zarr does not name");
    expect_pair(at, "old");
    /* Foreign files, in either half. */
    write_file(at->dir, "chunks/gen-00000000000000aa/notes.txt", "");
    expect_pair_refused(at, "out.zarr", true, NGFF_OVERWRITE_ALL, NGFF_EXISTS,
                        "gen-00000000000000aa/notes.txt");
    assert_true(is_there(at->dir, "chunks/gen-00000000000000aa/notes.txt"));
    char path[400];
    snprintf(path, sizeof path, "%s/chunks/gen-00000000000000aa/notes.txt", at->dir);
    OK(ngff_path_remove(path, E));
    write_file(at->dir, "chunks/photo/0", "");
    expect_pair_refused(at, "out.zarr", true, NGFF_OVERWRITE_ALL, NGFF_EXISTS, "photo");
    snprintf(path, sizeof path, "%s/chunks/photo", at->dir);
    OK(ngff_dir_remove_all(path, E));
    write_file(at->dir, "out.zarr/notes.txt", "");
    expect_pair_refused(at, "out.zarr", true, NGFF_OVERWRITE_ALL, NGFF_EXISTS,
                        "out.zarr/notes.txt");
    expect_pair(at, "old");
}

/* Only the half that may be replaced was asked to be. */
static void both_halves_must_be_given_up(void **state) {
    place *at = *state;
    char path[300];
    ngff_store *metadata, *chunks, *both;
    ngff_error err = {0};
    write_pair(at, "old", NGFF_OVERWRITE_NO);
    snprintf(path, sizeof path, "%s/chunks", at->dir);
    OK(open_half(at->dest, NGFF_STORE_STAGE, NGFF_OVERWRITE_IMAGE, &metadata, E));
    OK(open_half(path, NGFF_STORE_CHUNKS, NGFF_OVERWRITE_NO, &chunks, E));
    expect_status(ngff_store_open_split(NULL, metadata, chunks, &both, &err), NGFF_EXISTS,
                  &err);
    assert_null(both);
    ngff_store_drop(&chunks);
    ngff_store_drop(&metadata);
    expect_pair(at, "old");
}

static void halves_that_do_not_belong_together(void **state) {
    place *at = *state;
    char path[400];
    ngff_store *s;
    ngff_error err = {0};
    write_pair(at, "old", NGFF_OVERWRITE_NO);
    OK(open_half(at->dest, NGFF_STORE_READ, NGFF_OVERWRITE_NO, &s, E));
    expect_status(ngff_store_check_whole(s, &err), NGFF_NOT_FOUND, &err);
    assert_non_null(strstr(err.message, at->dest));
    ngff_store_drop(&s);
    snprintf(path, sizeof path, "%s/a", at->dest); /* a node of it */
    OK(open_half(path, NGFF_STORE_READ, NGFF_OVERWRITE_NO, &s, E));
    expect_status(ngff_store_check_whole(s, &err), NGFF_NOT_FOUND, &err);
    ngff_store_drop(&s);
    /* The chunks of another time. */
    snprintf(path, sizeof path, "%s/chunks", at->dir);
    OK(ngff_dir_remove_all(path, E));
    expect_pair_refused(at, "out.zarr", false, NGFF_OVERWRITE_NO, NGFF_NOT_FOUND,
                        "chunks");
    write_file(at->dir, "chunks/gen-00000000000000aa/.ngff-generation", "");
    expect_pair_refused(at, "out.zarr", false, NGFF_OVERWRITE_NO, NGFF_NOT_FOUND,
                        "out.zarr: its chunks (gen-");
    /* Metadata that is whole, and metadata that is not understood. */
    write_file(at->dir, "whole.zarr/zarr.json", "{}");
    expect_pair_refused(at, "whole.zarr", false, NGFF_OVERWRITE_NO, NGFF_NOT_FOUND,
                        "whole.zarr");
    static const char *const texts[] = {
        "",
        "ngff chunks 2\ngen-00000000000000aa\nx\n",
        "ngff chunks 1\n../../x\nx\n",
        "ngff chunks 1\ngen-00000000000000aa\nx\n5 zarr.json\nabc\nend\n",
        "ngff chunks 1\ngen-00000000000000aa\nx\n3 ../zarr.json\nabc\nend\n",
        "ngff chunks 1\ngen-00000000000000aa\nx\n3 c/0\nabc\nend\n",
        "ngff chunks 1\ngen-00000000000000aa\nx\n3 zarr.json\nabc\n",
        "ngff chunks 1\ngen-00000000000000aa\nx\n-3 zarr.json\nabc\nend\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        write_file(at->dir, "whole.zarr/.ngff-chunks", texts[i]);
        expect_pair_refused(at, "whole.zarr", false, NGFF_OVERWRITE_NO, NGFF_FORMAT,
                            ".ngff-chunks");
    }
}

static void one_place_is_an_ordinary_store(void **state) {
    place *at = *state;
    ngff_store *s = stage(at->dest, NGFF_OVERWRITE_NO), *both;
    OK(ngff_store_open_split(NULL, s, s, &both, E));
    OK(put_image(both, "new", E));
    OK(ngff_store_publish(both, E));
    ngff_store_drop(&both);
    ngff_store_drop(&s);
    assert_false(is_there(at->dest, ".ngff-chunks"));
    assert_true(is_there(at->dest, "a/c/0/0"));
    assert_int_equal(entry_count(at->dir), 1);
}

static void modes_are_checked(void **state) {
    place *at = *state;
    char path[300], inside[320], ozx[300];
    ngff_store *metadata, *chunks, *both;
    ngff_error err = {0};
    snprintf(path, sizeof path, "%s/chunks", at->dir);
    snprintf(inside, sizeof inside, "%s/c", at->dest);
    snprintf(ozx, sizeof ozx, "%s/c.ozx", at->dir);
    /* Without a pair nothing is written into a chunk half. */
    OK(open_half(path, NGFF_STORE_CHUNKS, NGFF_OVERWRITE_NO, &chunks, E));
    expect_status(ngff_store_put(chunks, "a/c/0", "", 0, &err), NGFF_INVALID, &err);
    expect_status(ngff_store_open_split(NULL, chunks, chunks, &both, &err), NGFF_OK,
                  &err);
    ngff_store_drop(&both);
    ngff_store_drop(&chunks);
    assert_int_equal(entry_count(at->dir), 0);
    static const struct {
        int path;
        ngff_store_mode mode;
        ngff_status want;
    } rows[] = {{0, NGFF_STORE_STAGE, NGFF_INVALID},
                {1, NGFF_STORE_CHUNKS, NGFF_INVALID},
                {3, NGFF_STORE_UPDATE, NGFF_UNSUPPORTED},
                {2, NGFF_STORE_CHUNKS, NGFF_UNSUPPORTED}};
    const char *const paths[] = {path, inside, ozx, at->dir};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        metadata = stage(at->dest, NGFF_OVERWRITE_NO);
        OK(open_half(paths[rows[i].path], rows[i].mode, NGFF_OVERWRITE_NO, &chunks, E));
        expect_status(ngff_store_open_split(NULL, metadata, chunks, &both, &err),
                      rows[i].want, &err);
        assert_null(both);
        ngff_store_drop(&chunks);
        ngff_store_drop(&metadata);
    }
    assert_int_equal(entry_count(at->dir), 0);
}

/* ---- an archive for the chunks ---- */

static void an_archive_of_chunks_is_written_once(void **state) {
    place *at = *state;
    char path[300];
    ngff_store *metadata, *chunks, *both;
    ngff_error err = {0};
    snprintf(path, sizeof path, "%s/chunks.zip", at->dir);
    metadata = stage(at->dest, NGFF_OVERWRITE_NO);
    OK(open_half(path, NGFF_STORE_CHUNKS, NGFF_OVERWRITE_NO, &chunks, E));
    OK(ngff_store_open_split(NULL, metadata, chunks, &both, E));
    assert_true(ngff_store_is_ordered(both));
    OK(ngff_store_put_ranked(both, keys[0], 0, "a/c/0/0 of old", 14, E));
    OK(ngff_store_skip_rank(both, 1, E));
    ngff_store_writer *w;
    OK(ngff_store_begin_ranked(both, keys[1], 2, &w, E));
    OK(ngff_store_append(w, "a/c/0/1 of old", 14, E));
    OK(ngff_store_commit(&w, E));
    put_text(both, "a/zarr.json", "a/zarr.json of old");
    put_text(both, "zarr.json", "zarr.json of old");
    put_text(both, "old/zarr.json", "{}");
    OK(ngff_store_publish(both, E));
    ngff_store_drop(&both);
    ngff_store_drop(&chunks);
    ngff_store_drop(&metadata);
    OK(open_half(at->dest, NGFF_STORE_READ, NGFF_OVERWRITE_NO, &metadata, E));
    OK(open_half(path, NGFF_STORE_READ, NGFF_OVERWRITE_NO, &chunks, E));
    OK(ngff_store_open_split(NULL, metadata, chunks, &both, E));
    assert_string_equal(which(both), "old");
    ngff_store_drop(&both);
    ngff_store_drop(&chunks);
    ngff_store_drop(&metadata);
    expect_status(open_half(path, NGFF_STORE_CHUNKS, NGFF_OVERWRITE_ALL, &chunks, &err),
                  NGFF_EXISTS, &err);
}

/* ---- halves without a rename: a writer that dies after any number of changes ---- */

enum { ROWS = 48 };
typedef struct mortal {
    char keys[ROWS][96];
    char data[ROWS][512];
    size_t sizes[ROWS];
    long *left; /* changes until all fail; shared by both halves */
} mortal;

static int row_of(const mortal *m, const char *key) {
    for (int i = 0; i < ROWS; i++) {
        if (strcmp(m->keys[i], key) == 0)
            return i;
    }
    return -1;
}

static ngff_status mortal_get(void *cookie, const char *key, uint64_t off, uint64_t size,
                              void *out, uint64_t *got, ngff_error *err) {
    mortal *m = cookie;
    int row = row_of(m, key);
    (void)err;
    if (row < 0)
        return NGFF_NOT_FOUND;
    *got = off < m->sizes[row] ? m->sizes[row] - off : 0;
    *got = *got < size ? *got : size;
    memcpy(out, m->data[row] + off, *got);
    return NGFF_OK;
}

static ngff_status mortal_size(void *cookie, const char *key, uint64_t *size,
                               ngff_error *err) {
    mortal *m = cookie;
    int row = row_of(m, key);
    (void)err;
    *size = row < 0 ? 0 : m->sizes[row];
    return row < 0 ? NGFF_NOT_FOUND : NGFF_OK;
}

static ngff_status live(mortal *m, ngff_error *err) {
    return (*m->left)-- > 0 ? NGFF_OK : ngff_fail(err, NGFF_IO, "dead");
}

static ngff_status mortal_put(void *cookie, const char *key, const void *data,
                              uint64_t size, ngff_error *err) {
    mortal *m = cookie;
    int row = row_of(m, key);
    NGFF_TRY(live(m, err));
    for (int i = 0; i < ROWS && row < 0; i++)
        row = m->keys[i][0] ? -1 : i;
    assert_true(row >= 0 && size <= sizeof m->data[0]);
    snprintf(m->keys[row], sizeof m->keys[row], "%s", key);
    memcpy(m->data[row], data, size);
    m->sizes[row] = size;
    return NGFF_OK;
}

static ngff_status mortal_erase(void *cookie, const char *key, ngff_error *err) {
    mortal *m = cookie;
    int row = row_of(m, key);
    if (row < 0)
        return NGFF_NOT_FOUND;
    NGFF_TRY(live(m, err));
    m->keys[row][0] = '\0';
    return NGFF_OK;
}

static ngff_status mortal_list(void *cookie, const char *prefix,
                               ngff_status (*fn)(void *, const char *), void *user,
                               ngff_error *err) {
    mortal *m = cookie;
    (void)err;
    for (int i = 0; i < ROWS; i++) {
        if (m->keys[i][0] && ngff_starts_with(m->keys[i], prefix))
            NGFF_TRY(fn(user, m->keys[i]));
    }
    return NGFF_OK;
}

static const ngff_store_ops mortal_ops = {
    sizeof(ngff_store_ops), mortal_get,  mortal_size, mortal_put,
    mortal_erase,           mortal_list, NULL};

typedef struct mortals {
    mortal metadata, chunks;
    long left;
    bool spared; /* the last writer was left some changes */
    pair p;
} mortals;

static void mortals_begin(mortals *m) {
    memset(m, 0, sizeof *m);
    m->left = LONG_MAX;
    m->metadata.left = m->chunks.left = &m->left;
}

static void mortals_open(mortals *m) {
    OK(ngff_store_of_callbacks(NULL, &mortal_ops, &m->metadata, &m->p.metadata, E));
    OK(ngff_store_of_callbacks(NULL, &mortal_ops, &m->chunks, &m->p.chunks, E));
    OK(ngff_store_open_split(NULL, m->p.metadata, m->p.chunks, &m->p.both, E));
}

static ngff_status mortals_write(mortals *m, const char *name, long lives) {
    mortals_open(m);
    m->left = lives;
    ngff_status status = put_image(m->p.both, name, NULL);
    if (status == NGFF_OK)
        status = ngff_store_publish(m->p.both, NULL);
    pair_close(&m->p);
    m->spared = m->left > 0;
    m->left = LONG_MAX;
    return status;
}

static const char *mortals_which(mortals *m) {
    mortals_open(m);
    const char *name = which(m->p.both);
    pair_close(&m->p);
    return name;
}

static int prefix_count(ngff_store *s) {
    listed l = {{0}};
    int count = 0;
    OK(ngff_store_list(s, "", note, &l, E));
    for (const char *c = l.text; *c; c++)
        count += *c == '/';
    return count;
}

/* The next run succeeds and leaves nothing but its own. */
static void expect_mended(mortals *m) {
    ngff_store *s;
    assert_int_equal(mortals_write(m, "new", LONG_MAX), NGFF_OK);
    assert_string_equal(mortals_which(m), "new");
    OK(ngff_store_of_callbacks(NULL, &mortal_ops, &m->chunks, &s, E));
    assert_int_equal(prefix_count(s), 1);
    ngff_store_drop(&s);
    OK(ngff_store_of_callbacks(NULL, &mortal_ops, &m->metadata, &s, E));
    expect_text(s, "zarr.json", "zarr.json of new");
    expect_missing(s, "old/zarr.json");
    ngff_store_drop(&s);
}

static void death_leaves_old_or_new(bool replace) {
    static mortals m;
    int seen_old = 0, seen_new = 0;
    bool ended = false;
    for (long lives = 0; !ended; lives++) {
        assert_true(lives < 200);
        mortals_begin(&m);
        if (replace)
            assert_int_equal(mortals_write(&m, "old", LONG_MAX), NGFF_OK);
        ngff_status status = mortals_write(&m, "new", lives);
        ended = m.spared;
        const char *name = mortals_which(&m);
        if (status == NGFF_OK)
            assert_string_equal(name, "new");
        else if (strcmp(name, "new") != 0)
            assert_string_equal(name, replace ? "old" : "");
        seen_new += strcmp(name, "new") == 0;
        seen_old += strcmp(name, "new") != 0;
        expect_mended(&m);
    }
    assert_true(seen_old > 3 && seen_new > 3);
}

static void a_death_before_anything_was_there(void **state) {
    (void)state;
    death_leaves_old_or_new(false);
}

static void a_death_while_replacing(void **state) {
    (void)state;
    death_leaves_old_or_new(true);
}

/* ---- every call, every allocation ---- */

static void every_call_can_fail(void **state) {
    place *at = *state;
    bool ended[2] = {false, false};
    for (int half = 0; half < 2; half++) {
        for (uint64_t n = 1; !ended[half]; n++) {
            pair p = {0};
            ngff_store *fault, *both = NULL;
            ngff_error err = {0};
            uint64_t calls = 0;
            char path[300];
            assert_true(n < 100);
            write_pair(at, "old", NGFF_OVERWRITE_ALL);
            snprintf(path, sizeof path, "%s/chunks", at->dir);
            OK(open_half(at->dest, NGFF_STORE_STAGE, NGFF_OVERWRITE_IMAGE, &p.metadata,
                         E));
            OK(open_half(path, NGFF_STORE_CHUNKS, NGFF_OVERWRITE_IMAGE, &p.chunks, E));
            OK(ngff_store_open_fault(NULL, half ? p.chunks : p.metadata, n, &calls,
                                     &fault, E));
            ngff_status status = ngff_store_open_split(
                NULL, half ? p.metadata : fault, half ? fault : p.chunks, &both, &err);
            if (status == NGFF_OK)
                status = put_image(both, "new", &err);
            if (status == NGFF_OK)
                status = ngff_store_publish(both, &err);
            if (status != NGFF_OK && strncmp(err.message, "injected", 8) != 0)
                assert_non_null(strstr(err.message, "injected"));
            ngff_store_drop(&both);
            ngff_store_drop(&fault);
            pair_close(&p);
            ended[half] = calls < n;
            expect_pair(at, status == NGFF_OK ? "new" : "old");
        }
    }
}

static void every_allocation_can_fail(void **state) {
    (void)state;
    failing_alloc f;
    failing_init(&f);
    ngff_status status = NGFF_NOMEM;
    for (long n = 0; status != NGFF_OK; n++) {
        pair p = {0};
        assert_true(n < 400);
        failing_arm(&f, n);
        status = ngff_store_open_memory(&f.ops, &p.metadata, NULL);
        if (status == NGFF_OK)
            status = ngff_store_open_memory(&f.ops, &p.chunks, NULL);
        if (status == NGFF_OK)
            status = ngff_store_open_split(&f.ops, p.metadata, p.chunks, &p.both, NULL);
        if (status == NGFF_OK)
            status = put_image(p.both, "new", NULL);
        if (status == NGFF_OK)
            status = ngff_store_publish(p.both, NULL);
        if (status != NGFF_OK)
            assert_int_equal(status, NGFF_NOMEM);
        pair_close(&p);
        assert_int_equal(f.live, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        PLACE_TEST(directories_hold_a_half_each),
        PLACE_TEST(overwriting_leaves_one_generation),
        PLACE_TEST(unpublished_is_absent),
        PLACE_TEST(what_a_dead_writer_left_goes),
        PLACE_TEST(one_writer_at_a_time),
        PLACE_TEST(what_may_be_replaced),
        PLACE_TEST(both_halves_must_be_given_up),
        PLACE_TEST(halves_that_do_not_belong_together),
        PLACE_TEST(one_place_is_an_ordinary_store),
        PLACE_TEST(modes_are_checked),
        PLACE_TEST(an_archive_of_chunks_is_written_once),
        cmocka_unit_test(a_death_before_anything_was_there),
        cmocka_unit_test(a_death_while_replacing),
        PLACE_TEST(every_call_can_fail),
        cmocka_unit_test(every_allocation_can_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
