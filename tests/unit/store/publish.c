/* Whole or absent: staging, publishing, and what is left by those who do not finish. */
#include "store/support.h"

#include <sys/wait.h>

static void absent_until_published(void **state) {
    place *p = *state;
    static const ngff_durability all[] = {NGFF_DURABILITY_PUBLISH, NGFF_DURABILITY_NONE,
                                          NGFF_DURABILITY_EACH};
    for (size_t i = 0; i < 3; i++) {
        ngff_store_open_opts opts = {.mode = NGFF_STORE_STAGE, .durability = all[i]};
        ngff_store *s;
        OK(ngff_store_at(NULL, p->dest, &opts, &s, E));
        put_text(s, "zarr.json", "{}");
        put_text(s, "a/c/0/1/2", "chunk");
        assert_false(is_there(p->dest, ""));
        expect_text(s, "a/c/0/1/2", "chunk");
        OK(ngff_store_publish(s, E));
        expect_file(p->dest, "zarr.json", "{}");
        expect_text(s, "a/c/0/1/2", "chunk");
        ngff_store_drop(&s);
        assert_true(is_there(p->dest, "a/c/0/1/2"));
        assert_int_equal(entry_count(p->dir), 1);
        assert_int_equal(entry_count(p->dest), 2); /* without a lock file */
        OK(ngff_dir_remove_all(p->dest, E));
    }
}

/* A reader that was there before sees the old content or an error, never a mix. */
static void readers_notice(void **state) {
    place *p = *state;
    ngff_store_open_opts opts = {.mode = NGFF_STORE_READ};
    ngff_store *reader;
    ngff_error err = {0};
    char out[8];
    size_t got;
    write_file(p->dest, "zarr.json", "old");
    OK(ngff_store_at(NULL, p->dest, &opts, &reader, E));
    expect_text(reader, "zarr.json", "old");
    ngff_store *s = stage(p->dest, NGFF_OVERWRITE_ALL);
    put_text(s, "zarr.json", "new");
    expect_text(reader, "zarr.json", "old");
    OK(ngff_store_publish(s, E));
    ngff_store_drop(&s);
    assert_int_equal(ngff_store_get_range(reader, "zarr.json", 0, 8, out, &got, &err),
                     NGFF_IO);
    assert_non_null(strstr(err.message, "replaced"));
    /* Absence is not an answer either. */
    assert_int_equal(ngff_store_get_range(reader, "c/0", 0, 8, out, &got, NULL), NGFF_IO);
    assert_int_equal(ngff_store_list(reader, "c", NULL, NULL, NULL), NGFF_IO);
    OK(ngff_dir_remove_all(p->dest, E));
    assert_int_equal(ngff_store_get_range(reader, "c/0", 0, 8, out, &got, NULL), NGFF_IO);
    ngff_store_drop(&reader);
}

static void dropped_leaves_nothing(void **state) {
    place *p = *state;
    ngff_store *s = stage(p->dest, NGFF_OVERWRITE_NO);
    put_text(s, "a/b/c", "x");
    ngff_store_drop(&s);
    assert_int_equal(entry_count(p->dir), 0);
}

static void what_exists_is_refused(void **state) {
    place *p = *state;
    write_file(p->dest, "zarr.json", "old");
    expect_refused(p->dest, NGFF_OVERWRITE_NO, "out.zarr");
    expect_file(p->dest, "zarr.json", "old");
    assert_int_equal(entry_count(p->dir), 1);
}

static void appears_meanwhile(void **state) {
    place *p = *state;
    ngff_store *s = stage(p->dest, NGFF_OVERWRITE_NO);
    put_text(s, "zarr.json", "new");
    write_file(p->dest, "mine", "precious");
    assert_int_equal(ngff_store_publish(s, NULL), NGFF_EXISTS);
    ngff_store_drop(&s);
    expect_file(p->dest, "mine", "precious");
    assert_int_equal(entry_count(p->dir), 1);
    /* With overwrite what appeared is looked at again. */
    OK(ngff_dir_remove_all(p->dest, E));
    s = stage(p->dest, NGFF_OVERWRITE_ALL);
    write_file(p->dest, "mine", "precious");
    assert_int_equal(ngff_store_publish(s, NULL), NGFF_EXISTS);
    ngff_store_drop(&s);
    expect_file(p->dest, "mine", "precious");
}

static void replaced_as_a_whole(void **state) {
    place *p = *state;
    write_file(p->dest, "zarr.json", "old");
    write_file(p->dest, "a/zarr.json", "old");
    write_file(p->dest, "a/c/0/0", "old");
    ngff_store *s = stage(p->dest, NGFF_OVERWRITE_IMAGE);
    put_text(s, "zarr.json", "new");
    expect_file(p->dest, "zarr.json", "old");
    OK(ngff_store_publish(s, E));
    ngff_store_drop(&s);
    expect_file(p->dest, "zarr.json", "new");
    assert_int_equal(entry_count(p->dest), 1);
    assert_int_equal(entry_count(p->dir), 1);
}

static void live_writer_is_named(void **state) {
    place *p = *state;
    ngff_store *s = stage(p->dest, NGFF_OVERWRITE_NO);
    expect_refused(p->dest, NGFF_OVERWRITE_NO, ".out.zarr.ngff-partial-");
    expect_refused(p->dest, NGFF_OVERWRITE_ALL, ".out.zarr.ngff-partial-");
    /* Another destination in the same directory is free. */
    char other[400];
    snprintf(other, sizeof other, "%s/out.zarr.2", p->dir);
    ngff_store *t = stage(other, NGFF_OVERWRITE_NO);
    ngff_store_drop(&t);
    OK(ngff_store_publish(s, E));
    ngff_store_drop(&s);
    assert_int_equal(entry_count(p->dir), 1);
}

static void die_writing(const char *dest) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        ngff_store *s = stage(dest, NGFF_OVERWRITE_ALL);
        put_text(s, "a/b", "half");
        raise(SIGKILL);
    }
    int status;
    waitpid(pid, &status, 0);
    assert_true(WIFSIGNALED(status));
}

static void dead_partial_is_removed(void **state) {
    place *p = *state;
    die_writing(p->dest);
    assert_false(is_there(p->dest, ""));
    assert_int_equal(entry_count(p->dir), 1);
    ngff_store *s = stage(p->dest, NGFF_OVERWRITE_NO);
    assert_int_equal(entry_count(p->dir), 1); /* ours */
    OK(ngff_store_publish(s, E));
    ngff_store_drop(&s);
    assert_int_equal(entry_count(p->dir), 1);
    assert_false(is_there(p->dest, "a/b"));
}

static void other_host_is_named(void **state) {
    place *p = *state;
    const char *partial = ".out.zarr.ngff-partial-elsewhere-9-0123456789abcdef";
    write_file(p->dir, partial, "");
    expect_refused(p->dest, NGFF_OVERWRITE_NO, partial);
    assert_true(is_there(p->dir, partial));
}

static void old_content_comes_back(void **state) {
    place *p = *state;
    char name[300], host[48];
    ngff_sys_host(host, sizeof host);
    snprintf(name, sizeof name, ".out.zarr.ngff-old-%s-1-0123456789abcdef", host);
    write_file(p->dir, name, "");
    OK(ngff_dir_remove_all(p->dest, E));
    char aside[700];
    snprintf(aside, sizeof aside, "%s/%s", p->dir, name);
    OK(ngff_path_remove(aside, E));
    write_file(aside, "zarr.json", "old");
    expect_refused(p->dest, NGFF_OVERWRITE_NO, "exists");
    expect_file(p->dest, "zarr.json", "old");
    /* Beside a destination it is only garbage. */
    write_file(aside, "zarr.json", "older");
    ngff_store *s = stage(p->dest, NGFF_OVERWRITE_ALL);
    ngff_store_drop(&s);
    expect_file(p->dest, "zarr.json", "old");
    assert_int_equal(entry_count(p->dir), 1);
}

static void links_are_followed_once(void **state) {
    place *p = *state;
    char link[400], target[400];
    snprintf(link, sizeof link, "%s/link", p->dir);
    snprintf(target, sizeof target, "%s/real", p->dir);
    write_file(target, "zarr.json", "old");
    assert_int_equal(symlink("real", link), 0);
    ngff_store *s = stage(link, NGFF_OVERWRITE_ALL);
    put_text(s, "zarr.json", "new");
    OK(ngff_store_publish(s, E));
    ngff_store_drop(&s);
    expect_file(target, "zarr.json", "new");
    assert_true(ngff_path_is_link(link));
    /* A link that leads nowhere is something that exists. */
    OK(ngff_dir_remove_all(target, E));
    expect_refused(link, NGFF_OVERWRITE_ALL, "link");
    assert_true(ngff_path_is_link(link));
}

static void long_names(void **state) {
    place *p = *state;
    char dest[600], name[252];
    memset(name, 'n', 251);
    name[251] = '\0';
    snprintf(dest, sizeof dest, "%s/%s", p->dir, name);
    ngff_store *s = stage(dest, NGFF_OVERWRITE_NO);
    expect_refused(dest, NGFF_OVERWRITE_NO, "another writer");
    OK(ngff_store_publish(s, E));
    ngff_store_drop(&s);
    assert_int_equal(entry_count(p->dir), 1);
}

/* ---- two at once ---- */

static int race_child(const char *dest, int gate, char who) {
    ngff_store_open_opts opts = {.mode = NGFF_STORE_STAGE,
                                 .durability = NGFF_DURABILITY_NONE};
    ngff_store *s;
    char text[2] = {who, '\0'};
    char go;
    if (read(gate, &go, 1) != 0) /* end of file: all start together */
        return 9;
    ngff_status status = ngff_store_at(NULL, dest, &opts, &s, NULL);
    if (status == NGFF_OK)
        status = ngff_store_put(s, "who", text, 1, NULL);
    if (status == NGFF_OK)
        status = ngff_store_publish(s, NULL);
    ngff_store_drop(&s);
    return status == NGFF_OK ? 0 : status == NGFF_EXISTS ? 5 : 1;
}

static void one_of_two_wins(void **state) {
    place *p = *state;
    for (int round = 0; round < 40; round++) {
        int gate[2], won = 0;
        pid_t pids[2];
        char who[2] = {0};
        assert_int_equal(pipe(gate), 0);
        for (int i = 0; i < 2; i++) {
            pids[i] = fork();
            if (pids[i] == 0) {
                close(gate[1]);
                _exit(race_child(p->dest, gate[0], (char)('A' + i)));
            }
        }
        close(gate[0]);
        close(gate[1]);
        for (int i = 0; i < 2; i++) {
            int status;
            waitpid(pids[i], &status, 0);
            assert_true(WIFEXITED(status));
            int code = WEXITSTATUS(status);
            assert_true(code == 0 || code == 5);
            if (code == 0) {
                won++;
                who[0] = (char)('A' + i);
            }
        }
        assert_int_equal(won, 1);
        expect_file(p->dest, "who", who);
        assert_int_equal(entry_count(p->dir), 1);
        OK(ngff_dir_remove_all(p->dest, E));
    }
}

/* ---- killed anywhere ---- */

static void overwrite_forever(const char *dest) {
    for (unsigned n = 0;; n++) {
        char text[32];
        ngff_store *s = stage(dest, NGFF_OVERWRITE_ALL);
        snprintf(text, sizeof text, "%u", n);
        for (int i = 0; i < 8; i++) {
            char key[32];
            snprintf(key, sizeof key, "c/%d/0", i);
            put_text(s, key, text);
        }
        put_text(s, "zarr.json", text);
        OK(ngff_store_publish(s, E));
        ngff_store_drop(&s);
    }
}

static void expect_whole(const char *dest) {
    ngff_store_open_opts opts = {.mode = NGFF_STORE_READ};
    ngff_store *s;
    ngff_buf buf;
    ngff_buf_init(&buf, NULL, 64);
    OK(ngff_store_at(NULL, dest, &opts, &s, E));
    OK(ngff_store_get(s, "zarr.json", &buf, E));
    for (int i = 0; i < 8; i++) {
        char key[32];
        snprintf(key, sizeof key, "c/%d/0", i);
        expect_text(s, key, buf.data);
    }
    ngff_buf_reset(&buf);
    ngff_store_drop(&s);
}

static void killed_anywhere(void **state) {
    place *p = *state;
    uint64_t seed = 7;
    write_file(p->dest, "zarr.json", "x");
    for (int i = 0; i < 8; i++) {
        char key[32];
        snprintf(key, sizeof key, "c/%d/0", i);
        write_file(p->dest, key, "x");
    }
    for (int round = 0; round < 40; round++) {
        pid_t pid = fork();
        if (pid == 0)
            overwrite_forever(p->dest);
        kill_soon(pid, &seed);
        expect_whole(p->dest);
        assert_true(entry_count(p->dir) <= 3); /* a partial, perhaps the guard */
    }
    ngff_store *s = stage(p->dest, NGFF_OVERWRITE_ALL);
    ngff_store_drop(&s);
    assert_int_equal(entry_count(p->dir), 1);
    expect_whole(p->dest);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        PLACE_TEST(absent_until_published),  PLACE_TEST(readers_notice),
        PLACE_TEST(dropped_leaves_nothing),  PLACE_TEST(what_exists_is_refused),
        PLACE_TEST(appears_meanwhile),       PLACE_TEST(replaced_as_a_whole),
        PLACE_TEST(live_writer_is_named),    PLACE_TEST(dead_partial_is_removed),
        PLACE_TEST(other_host_is_named),     PLACE_TEST(old_content_comes_back),
        PLACE_TEST(links_are_followed_once), PLACE_TEST(long_names),
        PLACE_TEST(one_of_two_wins),         PLACE_TEST(killed_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
