/* store tests: a scratch directory, small files, and what is there. */
#ifndef NGFF_TEST_STORE_SUPPORT_H
#define NGFF_TEST_STORE_SUPPORT_H

#define _GNU_SOURCE

#include "support/cmocka.h"
#include "support/random.h"

#include "store/store.h"
#include "sys/sys.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct place {
    char dir[256];
    char dest[300]; /* dir/out.zarr */
} place;

static inline int place_setup(void **state) {
    place *p = calloc(1, sizeof *p);
    const char *base = getenv("TMPDIR");
    char work[220];
    snprintf(work, sizeof work, "%s/ngff-store-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(work) || !realpath(work, p->dir))
        return -1;
    snprintf(p->dest, sizeof p->dest, "%s/out.zarr", p->dir);
    *state = p;
    return 0;
}

static inline int place_teardown(void **state) {
    place *p = *state;
    ngff_status status = ngff_dir_remove_all(p->dir, NULL);
    free(p);
    return status == NGFF_OK ? 0 : -1;
}

#define PLACE_TEST(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)

/* Shows the message before the check fails. */
static inline void expect_status(ngff_status got, ngff_status want,
                                 const ngff_error *err) {
    if (got != want)
        print_message("%s instead of %s: %s\n", ngff_status_name(got),
                      ngff_status_name(want), err->message);
    assert_int_equal(got, want);
}
#define OK(call)                                                                         \
    do {                                                                                 \
        ngff_error ok_err_ = {0};                                                        \
        ngff_error *E = &ok_err_;                                                        \
        expect_status((call), NGFF_OK, E);                                               \
    } while (0)

/* Staging `dest` is refused by EXISTS, in a message that names `names`. */
static inline void expect_refused(const char *dest, ngff_overwrite overwrite,
                                  const char *names) {
    ngff_store_open_opts opts = {.mode = NGFF_STORE_STAGE,
                                 .overwrite = overwrite,
                                 .durability = NGFF_DURABILITY_NONE};
    ngff_store *s;
    ngff_error err = {0};
    expect_status(ngff_store_at(NULL, dest, &opts, &s, &err), NGFF_EXISTS, &err);
    assert_null(s);
    if (!strstr(err.message, names))
        fail_msg("\"%s\" does not name \"%s\"", err.message, names);
}

/* Kills a child at some moment of its first milliseconds. */
static inline void kill_soon(pid_t pid, uint64_t *seed) {
    int status;
    usleep((useconds_t)random_range(seed, 0, 6000));
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    assert_true(WIFSIGNALED(status));
}

static inline void write_file(const char *dir, const char *name, const char *text) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    assert_int_equal(ngff_dir_make_all(path, NULL), NGFF_OK);
    *slash = '/';
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static inline bool is_there(const char *dir, const char *name) {
    char path[1024];
    ngff_path_kind kind;
    snprintf(path, sizeof path, "%s%s%s", dir, *name ? "/" : "", name);
    assert_int_equal(ngff_path_kind_of(path, &kind, NULL), NGFF_OK);
    return kind != NGFF_PATH_NONE;
}

static inline ngff_status count_name(void *user, const char *name, ngff_path_kind kind) {
    (void)name, (void)kind;
    ++*(int *)user;
    return NGFF_OK;
}

static inline int entry_count(const char *dir) {
    int count = 0;
    assert_int_equal(ngff_dir_list(NULL, dir, count_name, &count, NULL), NGFF_OK);
    return count;
}

static inline ngff_store *stage(const char *dest, ngff_overwrite overwrite) {
    ngff_store_open_opts opts = {.mode = NGFF_STORE_STAGE,
                                 .overwrite = overwrite,
                                 .durability = NGFF_DURABILITY_NONE};
    ngff_store *s;
    OK(ngff_store_at(NULL, dest, &opts, &s, E));
    return s;
}

static inline void put_text(ngff_store *s, const char *key, const char *text) {
    OK(ngff_store_put(s, key, text, strlen(text), E));
}

static inline void expect_text(ngff_store *s, const char *key, const char *text) {
    ngff_buf buf;
    ngff_buf_init(&buf, NULL, 1 << 20);
    OK(ngff_store_get(s, key, &buf, E));
    assert_string_equal(buf.data, text);
    ngff_buf_reset(&buf);
}

static inline void expect_file(const char *dir, const char *key, const char *text) {
    ngff_store_open_opts opts = {.mode = NGFF_STORE_READ};
    ngff_store *s;
    OK(ngff_store_at(NULL, dir, &opts, &s, E));
    expect_text(s, key, text);
    ngff_store_drop(&s);
}

/* What a list brought: names with a space behind each, prefixes with a slash. */
typedef struct listed {
    char text[512];
} listed;

static inline ngff_status note(void *user, const char *name, bool is_prefix) {
    listed *l = user;
    size_t used = strlen(l->text);
    snprintf(l->text + used, sizeof l->text - used, "%s%s ", name, is_prefix ? "/" : "");
    return NGFF_OK;
}

static inline void expect_list(ngff_store *s, const char *prefix, const char *want) {
    listed l = {{0}};
    OK(ngff_store_list(s, prefix, note, &l, E));
    assert_string_equal(l.text, want);
}

#endif
