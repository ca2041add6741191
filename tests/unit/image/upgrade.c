/* A hierarchy from one version of OME-Zarr to another, in place. */
#include "image/support.h"

static ngff_store *small_store(const wanted *w) {
    ngff_store *s;
    OK(ngff_store_open_memory(NULL, &s, E));
    write_small(s, w);
    return s;
}

/* The image is there with its pixels, as `version`. */
static void expect_image(ngff_store *s, ngff_version a, ngff_version b) {
    ngff_image *image;
    ngff_codec_ctx *ctx;
    OK(ngff_image_open(NULL, s, "", &image, E));
    assert_true(image->ms.version == a || image->ms.version == b);
    assert_int_equal(image->level_count, 2);
    OK(ngff_codec_ctx_create(NULL, &ctx, E));
    for (int n = 0; n < 2; n++) {
        static uint16_t want[6 * 8 * 10], got[6 * 8 * 10];
        ngff_view view;
        ngff_box box = {.ndim = 3};
        memcpy(box.shape, image->level[n]->meta.shape, sizeof box.shape);
        fill_box(n, &box, want);
        ngff_view_init(&view, got, NGFF_UINT16, 3, box.shape);
        OK(ngff_zarr_read(image->level[n], ctx, &box, &view, E));
        assert_memory_equal(got, want,
                            (size_t)(box.shape[0] * box.shape[1] * box.shape[2]) * 2);
    }
    ngff_codec_ctx_close(&ctx);
    ngff_image_close(&image);
}

static void expect_old_gone(ngff_store *s) {
    static const char *const keys[] = {".zgroup",
                                       ".zattrs",
                                       ".zmetadata",
                                       "scale0/.zgroup",
                                       "scale1/cells___day_1/.zarray",
                                       "0/.zarray"};
    uint64_t size;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        expect_status(ngff_store_size(s, keys[i], &size, NULL), NGFF_NOT_FOUND, NULL);
}

static void versions_change(void **state) {
    (void)state;
    static const wanted kinds[] = {{NGFF_V04, false, false, false, NULL},
                                   {NGFF_V04, true, false, true, NULL},
                                   {NGFF_V05, false, true, false, NULL},
                                   {NGFF_V06, true, false, false, NULL}};
    static const ngff_version to[] = {NGFF_V05, NGFF_V06};
    for (size_t i = 0; i < 8; i++) {
        ngff_store *s = small_store(&kinds[i / 2]);
        bool is = false;
        OK(ngff_image_upgrade(NULL, s, to[i % 2], E));
        expect_image(s, to[i % 2], to[i % 2]);
        expect_old_gone(s);
        OK(ngff_zarr_is_consolidated(s, &is, E));
        assert_int_equal(is, !kinds[i / 2].no_consolidate);
        OK(ngff_image_upgrade(NULL, s, to[1 - i % 2], E));
        expect_image(s, to[1 - i % 2], to[1 - i % 2]);
        ngff_store_drop(&s);
    }
}

static bool has(ngff_store *s, const char *key) {
    uint64_t size;
    return ngff_store_size(s, key, &size, NULL) == NGFF_OK;
}

/* Readers that know one format only: what the root belongs to is there whole. */
static void expect_one_format(ngff_store *s, bool was_old) {
    const bool new = has(s, "zarr.json");
    const char *name = new ? "zarr.json" : ".zarray";
    char key[64];
    assert_true(new || was_old);
    if (!new)
        assert_true(has(s, ".zgroup") && has(s, ".zattrs") && has(s, ".zmetadata"));
    for (int n = 0; n < 2; n++) {
        snprintf(key, sizeof key, "scale%d/cells___day_1/%s", n, name);
        if (!has(s, key))
            fail_msg("%s is not there", key);
    }
}

static void expect_same_root(ngff_store *s, const ngff_json *want) {
    ngff_json *got = document(s, "zarr.json");
    assert_true(ngff_json_equal(got, want));
    ngff_json_close(&got);
}

/* Whatever call of the store fails, the image can be read, and the upgrade goes on. */
static void failures_leave_an_image(void **state) {
    (void)state;
    static const wanted kinds[] = {{NGFF_V04, false, false, false, NULL},
                                   {NGFF_V05, false, false, false, NULL}};
    for (int k = 0; k < 2; k++) {
        ngff_status status = NGFF_IO;
        int failures = 0;
        ngff_store *clean = small_store(&kinds[k]);
        OK(ngff_image_upgrade(NULL, clean, NGFF_V06, E));
        ngff_json *root = document(clean, "zarr.json");
        ngff_store_drop(&clean);
        for (uint64_t fail_at = 1; status != NGFF_OK; fail_at++) {
            ngff_store *s = small_store(&kinds[k]), *faulty;
            uint64_t calls = 0;
            ngff_error err = {0};
            OK(ngff_store_open_fault(NULL, s, fail_at, &calls, &faulty, E));
            status = ngff_image_upgrade(NULL, faulty, NGFF_V06, &err);
            ngff_store_drop(&faulty);
            expect_image(s, kinds[k].version, NGFF_V06);
            expect_one_format(s, kinds[k].version == NGFF_V04);
            if (status != NGFF_OK) {
                assert_int_equal(status, NGFF_IO);
                OK(ngff_image_upgrade(NULL, s, NGFF_V06, E));
                failures++;
            }
            expect_image(s, NGFF_V06, NGFF_V06);
            expect_same_root(s, root);
            ngff_store_drop(&s);
        }
        ngff_json_close(&root);
        assert_true(failures > 8);
    }
}

static void expect_refusal(ngff_store *s, ngff_version to, const char *words) {
    ngff_error err = {0};
    expect_status(ngff_image_upgrade(NULL, s, to, &err), NGFF_UNSUPPORTED, &err);
    if (!strstr(err.message, words))
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
}

static void put(ngff_store *s, const char *key, const char *text) {
    OK(ngff_store_put(s, key, text, strlen(text), E));
}

static void what_cannot_stay_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *order, *compressor, *filters, *words;
    } cases[] = {{"F", "null", "null", "memory order"},
                 {"C", "{\"id\":\"lzma\"}", "null", "lzma"},
                 {"C", "null", "[{\"id\":\"delta\",\"dtype\":\"<u2\"}]", "filters"}};
    static const char key[] = "1/.zarray";
    const wanted w = {.version = NGFF_V04, .flat = true};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ngff_store *s = small_store(&w);
        uint64_t size;
        char text[512];
        snprintf(
            text, sizeof text,
            "{\"zarr_format\":2,\"shape\":[3,4,5],\"chunks\":[3,3,3],\"dtype\":\"<u2\","
            "\"fill_value\":0,\"dimension_separator\":\"/\",\"order\":\"%s\","
            "\"compressor\":%s,\"filters\":%s}",
            cases[i].order, cases[i].compressor, cases[i].filters);
        put(s, key, text);
        expect_refusal(s, NGFF_V05, cases[i].words);
        expect_status(ngff_store_size(s, "0/zarr.json", &size, NULL), NGFF_NOT_FOUND,
                      NULL);
        ngff_store_drop(&s);
    }
}

static void other_groups_are_refused(void **state) {
    (void)state;
    static const char *const attributes[][2] = {
        {"{\"plate\":{},\"multiscales\":[]}", "plates"},
        {"{\"multiscales\":[{\"version\":\"0.3\",\"axes\":[\"y\"],\"datasets\":[]}]}",
         "0.3 has no scales"},
        {"{\"multiscales\":[{\"version\":\"0.4\",\"axes\":[],\"datasets\":[],"
         "\"coordinateTransformations\":[{\"type\":\"scale\",\"scale\":[1]}]}]}",
         "whole image"}};
    const wanted w = {.version = NGFF_V04};
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        ngff_store *s = small_store(&w);
        put(s, ".zattrs", attributes[i][0]);
        if (i < 2)
            expect_refusal(s, NGFF_V05, attributes[i][1]);
        expect_refusal(s, NGFF_V06, attributes[i][1]);
        ngff_store_drop(&s);
    }
    const wanted new = {.version = NGFF_V05};
    ngff_store *s = small_store(&new);
    expect_refusal(s, NGFF_V04, "no way back");
    ngff_store_drop(&s);
    s = small_store(&w);
    OK(ngff_image_upgrade(NULL, s, NGFF_V04, E));
    expect_image(s, NGFF_V04, NGFF_V04);
    ngff_store_drop(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_change),
        cmocka_unit_test(failures_leave_an_image),
        cmocka_unit_test(what_cannot_stay_is_refused),
        cmocka_unit_test(other_groups_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
