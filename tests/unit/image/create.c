/* What a new image's store holds. */
#include "image/support.h"

/* ---- the order of documents ---- */

typedef struct recorder {
    char text[4096];
} recorder;

static ngff_status record(void *cookie, const char *key, const void *data, uint64_t size,
                          ngff_error *err) {
    recorder *r = cookie;
    (void)data, (void)size, (void)err;
    if (ngff_ends_with(key, ".json") || strstr(key, ".z")) {
        size_t used = strlen(r->text);
        snprintf(r->text + used, sizeof r->text - used, "%s ", key);
    }
    return NGFF_OK;
}

static void root_goes_last(void **state) {
    (void)state;
    static const struct {
        wanted w;
        const char *order;
    } rows[] = {
        {{NGFF_V05, false, true, false, NULL},
         "scale0/cells_day_1/zarr.json scale0/zarr.json scale1/cells_day_1/zarr.json "
         "scale1/zarr.json zarr.json "},
        {{NGFF_V05, true, false, false, NULL}, "0/zarr.json 1/zarr.json zarr.json "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        recorder r = {{0}};
        ngff_store_ops ops = {.struct_size = sizeof ops, .put = record};
        ngff_store *s;
        char name[64], want[512] = "";
        OK(ngff_store_of_callbacks(NULL, &ops, &r, &s, E));
        write_small(s, &rows[i].w);
        ngff_store_drop(&s);
        ngff_ome_path_name("cells / day 1", name, sizeof name);
        /* The name's spelling is ome's business. */
        for (const char *c = rows[i].order; *c;) {
            const char *hit = strstr(c, "cells_day_1");
            size_t len = hit ? (size_t)(hit - c) : strlen(c);
            size_t used = strlen(want);
            snprintf(want + used, sizeof want - used, "%.*s%s", (int)len, c,
                     hit ? name : "");
            c += len + (hit ? strlen("cells_day_1") : 0);
        }
        assert_string_equal(r.text, want);
    }
}

static void root_goes_last_v2(void **state) {
    (void)state;
    wanted w = {.version = NGFF_V04};
    recorder r = {{0}};
    ngff_store_ops ops = {.struct_size = sizeof ops, .put = record};
    ngff_store *s;
    OK(ngff_store_of_callbacks(NULL, &ops, &r, &s, E));
    write_small(s, &w);
    ngff_store_drop(&s);
    const char *level = strstr(r.text, "scale1/.zgroup");
    const char *root = strstr(r.text, " .zgroup");
    assert_non_null(level);
    assert_non_null(root);
    assert_non_null(strstr(r.text, " .zmetadata"));
    assert_true(root > level);
}

/* ---- documents ---- */

static void v05_documents(void **state) {
    (void)state;
    wanted w = {.version = NGFF_V05, .sharded = true};
    ngff_store *s;
    char name[64], path[128];
    OK(ngff_store_open_memory(NULL, &s, E));
    write_small(s, &w);
    ngff_ome_path_name("cells / day 1", name, sizeof name);
    ngff_json *root = document(s, "zarr.json");
    expect_str(root, "node_type", "group");
    expect_str(root, "attributes|ome|version", "0.5");
    expect_str(root, "attributes|ome|multiscales|0|name", "cells / day 1");
    expect_str(root, "attributes|ome|multiscales|0|type", "mean");
    expect_str(root, "attributes|ome|multiscales|0|metadata|method", "libngff.mean");
    snprintf(path, sizeof path, "scale1/%s", name);
    expect_str(root, "attributes|ome|multiscales|0|datasets|1|path", path);
    const ngff_json *all = at(root, "consolidated_metadata|metadata");
    assert_int_equal(ngff_json_len(all), 4);
    const ngff_json *array = ngff_json_get(all, path);
    expect_str(array, "node_type", "array");
    expect_str(array, "dimension_names|2", "x");
    expect_str(array, "codecs|0|name", "sharding_indexed");
    ngff_json *group = document(s, "scale0/zarr.json");
    expect_str(group, "attributes|_ARRAY_DIMENSIONS|0", "z");
    ngff_json_close(&group);
    ngff_json_close(&root);
    ngff_store_drop(&s);
}

static void v04_documents(void **state) {
    (void)state;
    for (int flat = 0; flat < 2; flat++) {
        wanted w = {.version = NGFF_V04, .flat = flat};
        ngff_store *s;
        uint64_t size;
        OK(ngff_store_open_memory(NULL, &s, E));
        write_small(s, &w);
        ngff_json *attributes = document(s, ".zattrs");
        expect_str(attributes, "multiscales|0|version", "0.4");
        const char *path = ngff_json_str(at(attributes, "multiscales|0|datasets|0|path"));
        char key[256];
        snprintf(key, sizeof key, "%s/.zarray", path);
        ngff_json *array = document(s, key);
        expect_str(array, "dimension_separator", "/");
        expect_str(array, "dtype", "<u2");
        expect_str(array, "order", "C");
        ngff_json_close(&array);
        snprintf(key, sizeof key, flat ? "%s/.zattrs" : "scale0/.zattrs", path);
        ngff_json *dims = document(s, key);
        expect_str(dims, "_ARRAY_DIMENSIONS|1", "y");
        ngff_json_close(&dims);
        ngff_json *all = document(s, ".zmetadata");
        assert_non_null(at(all, "metadata|.zattrs"));
        ngff_json_close(&all);
        ngff_json_close(&attributes);
        assert_int_equal(ngff_store_size(s, "zarr.json", &size, NULL), NGFF_NOT_FOUND);
        ngff_store_drop(&s);
    }
}

static void without_consolidation(void **state) {
    (void)state;
    wanted w = {.version = NGFF_V05, .no_consolidate = true};
    ngff_store *s;
    OK(ngff_store_open_memory(NULL, &s, E));
    write_small(s, &w);
    ngff_json *root = document(s, "zarr.json");
    assert_null(ngff_json_get(root, "consolidated_metadata"));
    assert_non_null(at(root, "attributes|ome"));
    ngff_json_close(&root);
    ngff_store_drop(&s);
}

/* ---- codecs as JSON ---- */

static void codec_texts(void **state) {
    (void)state;
    static const struct {
        const char *json;
        const char *second; /* name of codecs[1]; NULL: there is none */
    } rows[] = {
        {"null", NULL},
        {"[]", NULL},
        {"{\"name\":\"gzip\",\"configuration\":{\"level\":1}}", "gzip"},
        {"[{\"name\":\"gzip\",\"configuration\":{\"level\":1}}]", "gzip"},
        {"[{\"name\":\"bytes\",\"configuration\":{\"endian\":\"big\"}},"
         "{\"name\":\"crc32c\"}]",
         "crc32c"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        wanted w = {.version = NGFF_V05, .flat = true, .codec_json = rows[i].json};
        ngff_store *s;
        OK(ngff_store_open_memory(NULL, &s, E));
        write_small(s, &w);
        ngff_json *array = document(s, "0/zarr.json");
        expect_str(array, "codecs|0|name", "bytes");
        if (rows[i].second)
            expect_str(array, "codecs|1|name", rows[i].second);
        else
            assert_int_equal(ngff_json_len(ngff_json_get(array, "codecs")), 1);
        ngff_json_close(&array);
        ngff_store_drop(&s);
    }
}

static ngff_status try_create(const ngff_image_create_opts *opts, bool sharded,
                              int levels, ngff_error *err) {
    ngff_image_create_opts all = *opts;
    ngff_image_desc desc = small_desc();
    ngff_image_level level[2];
    ngff_store *s;
    ngff_image *image;
    small_levels(&desc, sharded, level);
    all.level_count = levels;
    OK(ngff_store_open_memory(NULL, &s, E));
    ngff_status status = ngff_image_create(NULL, s, &desc, level, &all, &image, err);
    ngff_image_close(&image);
    ngff_store_drop(&s);
    return status;
}

static void refusals(void **state) {
    (void)state;
    ngff_error err = {0};
    ngff_image_create_opts opts = {.version = NGFF_V05, .codec = {NULL, -1, 0}};
    assert_int_equal(try_create(&opts, false, 2, NULL), NGFF_OK);
    assert_int_equal(try_create(&opts, false, 0, NULL), NGFF_INVALID);
    assert_int_equal(try_create(&opts, false, 33, NULL), NGFF_INVALID);
    opts.codec_json = "[{\"name\":\"sharding_indexed\"}]";
    assert_int_equal(try_create(&opts, false, 1, &err), NGFF_INVALID);
    assert_non_null(strstr(err.message, "chunks per shard"));
    opts.codec_json = "{broken";
    assert_int_equal(try_create(&opts, false, 1, NULL), NGFF_INVALID);
    opts.codec_json = "[{\"name\":\"nonesuch\"}]";
    assert_int_equal(try_create(&opts, false, 1, NULL), NGFF_UNSUPPORTED);
    opts.codec_json = NULL;
    opts.version = NGFF_V04;
    assert_int_equal(try_create(&opts, true, 1, NULL), NGFF_INVALID);
    opts.version = NGFF_V03;
    assert_int_equal(try_create(&opts, false, 1, NULL), NGFF_UNSUPPORTED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_goes_last),
        cmocka_unit_test(root_goes_last_v2),
        cmocka_unit_test(v05_documents),
        cmocka_unit_test(v04_documents),
        cmocka_unit_test(without_consolidation),
        cmocka_unit_test(codec_texts),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
