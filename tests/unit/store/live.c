/* Stores that others see while they grow: published early, whole values, one writer. */
#include "store/support.h"

static void grows_in_its_place(void **state) {
    place *p = *state;
    static const ngff_durability all[] = {NGFF_DURABILITY_PUBLISH, NGFF_DURABILITY_NONE,
                                          NGFF_DURABILITY_EACH};
    for (size_t i = 0; i < 3; i++) {
        ngff_store_open_opts opts = {.mode = NGFF_STORE_STAGE, .durability = all[i]};
        ngff_store *s;
        OK(ngff_store_at(NULL, p->dest, &opts, &s, E));
        put_text(s, "zarr.json", "first");
        OK(ngff_store_sync(s, E)); /* nobody sees it yet: nothing to do */
        assert_false(is_there(p->dest, ""));
        OK(ngff_store_go_live(s, E));
        expect_file(p->dest, "zarr.json", "first");
        put_text(s, "c/0", "chunk");
        OK(ngff_store_sync(s, E));
        put_text(s, "zarr.json", "second");
        expect_file(p->dest, "c/0", "chunk");
        expect_file(p->dest, "zarr.json", "second");
        OK(ngff_store_publish(s, E));
        ngff_store_drop(&s);
        assert_int_equal(entry_count(p->dir), 1);
        assert_int_equal(entry_count(p->dest), 2); /* no lock, nothing half written */
        OK(ngff_dir_remove_all(p->dest, E));
    }
}

/* What a reader had open stays what it was: values are replaced, not rewritten. */
static void values_are_whole(void **state) {
    place *p = *state;
    char path[400], text[16] = {0};
    ngff_store *s = stage(p->dest, NGFF_OVERWRITE_NO);
    put_text(s, "zarr.json", "first");
    OK(ngff_store_go_live(s, E));
    snprintf(path, sizeof path, "%s/zarr.json", p->dest);
    FILE *open_before = fopen(path, "rb");
    assert_non_null(open_before);
    put_text(s, "zarr.json", "other");
    assert_int_equal(fread(text, 1, sizeof text, open_before), 5);
    assert_string_equal(text, "first");
    fclose(open_before);
    ngff_store_drop(&s);
}

static void nobody_replaces_it(void **state) {
    place *p = *state;
    write_file(p->dest, "zarr.json", "old");
    ngff_store *s = stage(p->dest, NGFF_OVERWRITE_ALL);
    put_text(s, "zarr.json", "live");
    OK(ngff_store_go_live(s, E));
    expect_refused(p->dest, NGFF_OVERWRITE_ALL, "another writer is at work");
    put_text(s, "c/0", "chunk");
    ngff_store_drop(&s);
    expect_file(p->dest, "zarr.json", "live"); /* it stays, whatever comes after */
    s = stage(p->dest, NGFF_OVERWRITE_ALL);
    put_text(s, "zarr.json", "new");
    OK(ngff_store_publish(s, E));
    ngff_store_drop(&s);
    expect_file(p->dest, "zarr.json", "new");
}

/* A writer that dies leaves a store that is read, and replaced. */
static void killed(void **state) {
    place *p = *state;
    pid_t pid = fork();
    if (pid == 0) {
        ngff_store *s = stage(p->dest, NGFF_OVERWRITE_NO);
        put_text(s, "zarr.json", "live");
        OK(ngff_store_go_live(s, E));
        raise(SIGKILL);
    }
    int status;
    waitpid(pid, &status, 0);
    assert_true(WIFSIGNALED(status));
    expect_file(p->dest, "zarr.json", "live");
    ngff_store *s = stage(p->dest, NGFF_OVERWRITE_ALL);
    put_text(s, "zarr.json", "new");
    OK(ngff_store_publish(s, E));
    ngff_store_drop(&s);
    expect_file(p->dest, "zarr.json", "new");
    assert_int_equal(entry_count(p->dir), 1);
    assert_int_equal(entry_count(p->dest), 1);
}

static void other_kinds(void **state) {
    place *p = *state;
    char zip[400];
    ngff_store *s;
    ngff_store_open_opts opts = {.mode = NGFF_STORE_STAGE};
    OK(ngff_store_open_memory(NULL, &s, E));
    OK(ngff_store_check_live(s, E));
    OK(ngff_store_go_live(s, E));
    OK(ngff_store_sync(s, E));
    ngff_store_drop(&s);
    snprintf(zip, sizeof zip, "%s.ozx", p->dest);
    OK(ngff_store_at(NULL, zip, &opts, &s, E));
    assert_int_equal(ngff_store_check_live(s, NULL), NGFF_UNSUPPORTED);
    assert_int_equal(ngff_store_go_live(s, NULL), NGFF_UNSUPPORTED);
    ngff_store_drop(&s);
    assert_int_equal(entry_count(p->dir), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        PLACE_TEST(grows_in_its_place), PLACE_TEST(values_are_whole),
        PLACE_TEST(nobody_replaces_it), PLACE_TEST(killed),
        PLACE_TEST(other_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
