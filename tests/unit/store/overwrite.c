/* Which directories may be replaced, judged by their paths. */
#include "store/support.h"

typedef struct row {
    const char *files[8]; /* "dir/" makes a directory, "name>target" a link */
    const char *foreign;  /* NULL: may be replaced */
} row;

static const row rows[] = {
    {{NULL}, NULL}, /* an empty directory */
    {{"zarr.json"}, NULL},
    {{"zarr.json", "scale0/zarr.json", "scale0/image/zarr.json", "scale0/image/c/0/1/2"},
     NULL},
    {{"zarr.json", "0/zarr.json", "0/c/0/0", "1/zarr.json", "1/c/3"}, NULL},
    {{"zarr.json", "c"}, NULL}, /* a scalar's chunk */
    {{".zgroup", ".zattrs", ".zmetadata", "0/.zarray", "0/0/0/0", "0/0.1.2"}, NULL},
    {{".zgroup", "scale0/image/.zarray", "scale0/image/1/2"},
     NULL}, /* no group between */
    {{".zgroup", "0/.zarray", "0/.zattrs", "0/0/"}, NULL},
    {{".zarray", "0.0"}, NULL},
    {{"zarr.json", "labels/zarr.json", "labels/cells/zarr.json"},
     NULL}, /* not by paths */
    {{"zarr.json", "a/.ngff-lock"}, NULL},
    {{"my_notes.txt"}, "my_notes.txt"},
    {{"zarr.txt", "photos/holiday.jpg"}, "photos"},
    {{"photos/"}, "photos"},
    {{"zarr.json", "notes.txt"}, "notes.txt"},
    {{"zarr.json", "scale0/zarr.json", "scale0/a.tif"}, "scale0/a.tif"},
    {{"zarr.json", "scale0/image/zarr.json", "scale0/image/c/0/x"}, "c/0/x"},
    {{"zarr.json", "scale0/image/zarr.json", "scale0/image/c/0/zarr.json"},
     "c/0/zarr.json"},
    {{"zarr.json", "a/zarr.json", "a/c/y/0"}, "a/c/y"},
    {{".zgroup", "5"}, "5"}, /* a chunk needs an array */
    {{".zgroup", "0/.zarray", "0/0", "0/1."}, "0/1."},
    {{".zgroup", "0/.zarray", "0/0/.hidden"}, ".hidden"},
    {{".zgroup", "OME/.zgroup", "OME/METADATA.ome.xml"}, "METADATA.ome.xml"},
    {{"zarr.json", "sub/deep/deeper/file"}, "file"},
    {{"zarr.json", "loop>."}, "loop"},
    {{"zarr.json", "out>/nonexistent"}, "out"},
};

static void make(const char *dest, const char *const *files) {
    OK(ngff_dir_make_all(dest, E));
    for (; *files; files++) {
        char path[700], name[100];
        snprintf(name, sizeof name, "%s", *files);
        char *arrow = strchr(name, '>');
        if (arrow)
            *arrow = '\0';
        snprintf(path, sizeof path, "%s/%s", dest, name);
        if (arrow)
            assert_int_equal(symlink(arrow + 1, path), 0);
        else if (ngff_ends_with(name, "/"))
            OK(ngff_dir_make_all(path, E));
        else
            write_file(dest, name, "x");
    }
}

static void matrix(void **state) {
    place *p = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int o = NGFF_OVERWRITE_NO; o <= NGFF_OVERWRITE_ALL; o++) {
            ngff_store_open_opts opts = {.mode = NGFF_STORE_STAGE,
                                         .overwrite = (ngff_overwrite)o,
                                         .durability = NGFF_DURABILITY_NONE};
            ngff_store *s;
            ngff_error err = {0};
            make(p->dest, rows[i].files);
            bool good = !rows[i].foreign && o != NGFF_OVERWRITE_NO;
            ngff_status status = ngff_store_at(NULL, p->dest, &opts, &s, &err);
            if (status != (good ? NGFF_OK : NGFF_EXISTS))
                fail_msg("row %zu, overwrite %d: %s %s", i, o, ngff_status_name(status),
                         err.message);
            if (!good && o != NGFF_OVERWRITE_NO && !strstr(err.message, rows[i].foreign))
                fail_msg("row %zu: \"%s\" does not name %s", i, err.message,
                         rows[i].foreign);
            if (good)
                OK(ngff_store_publish(s, E));
            ngff_store_drop(&s);
            assert_int_equal(entry_count(p->dir), 1);
            if (good)
                assert_int_equal(entry_count(p->dest), 0);
            else if (rows[i].files[0])
                assert_true(entry_count(p->dest) > 0);
            OK(ngff_dir_remove_all(p->dest, E));
        }
    }
}

static void files_are_not_replaced(void **state) {
    place *p = *state;
    write_file(p->dir, "out.zarr", "not a directory");
    for (int o = NGFF_OVERWRITE_NO; o <= NGFF_OVERWRITE_ALL; o++) {
        ngff_store_open_opts opts = {.mode = NGFF_STORE_STAGE,
                                     .overwrite = (ngff_overwrite)o};
        ngff_store *s;
        assert_int_equal(ngff_store_at(NULL, p->dest, &opts, &s, NULL), NGFF_EXISTS);
    }
    assert_int_equal(entry_count(p->dir), 1);
}

/* ---- the caller's own check ---- */

typedef struct asked {
    int times;
    int refuse_at;
} asked;

static ngff_status check(void *user, ngff_store *existing, ngff_overwrite overwrite,
                         ngff_error *err) {
    asked *a = user;
    assert_int_equal(overwrite, NGFF_OVERWRITE_IMAGE);
    expect_text(existing, "zarr.json", "old");
    assert_int_equal(ngff_store_put(existing, "x", "y", 1, NULL), NGFF_INVALID);
    if (++a->times == a->refuse_at)
        return ngff_fail(err, NGFF_EXISTS, "I want to keep it");
    return NGFF_OK;
}

static void asked_twice(void **state) {
    place *p = *state;
    for (int refuse_at = 0; refuse_at <= 2; refuse_at++) {
        asked a = {0, refuse_at};
        ngff_store_open_opts opts = {.mode = NGFF_STORE_STAGE,
                                     .overwrite = NGFF_OVERWRITE_IMAGE,
                                     .durability = NGFF_DURABILITY_NONE,
                                     .check = check,
                                     .check_user = &a};
        ngff_store *s;
        write_file(p->dest, "zarr.json", "old");
        ngff_status status = ngff_store_at(NULL, p->dest, &opts, &s, NULL);
        assert_int_equal(status, refuse_at == 1 ? NGFF_EXISTS : NGFF_OK);
        if (status == NGFF_OK) {
            put_text(s, "zarr.json", "new");
            status = ngff_store_publish(s, NULL);
            assert_int_equal(status, refuse_at == 2 ? NGFF_EXISTS : NGFF_OK);
        }
        ngff_store_drop(&s);
        expect_file(p->dest, "zarr.json", refuse_at ? "old" : "new");
        assert_int_equal(entry_count(p->dir), 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        PLACE_TEST(matrix),
        PLACE_TEST(files_are_not_replaced),
        PLACE_TEST(asked_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
