/* Which stores a new image may replace, judged by their documents. */
#include "image/support.h"

static ngff_status check(ngff_store *s, ngff_overwrite overwrite, ngff_error *err) {
    return ngff_image_check_overwrite(NULL, s, overwrite, err);
}

static void expect_kept(ngff_store *s, const char *names) {
    ngff_error err = {0};
    expect_status(check(s, NGFF_OVERWRITE_IMAGE, &err), NGFF_EXISTS, &err);
    if (!strstr(err.message, names))
        fail_msg("\"%s\" does not name \"%s\"", err.message, names);
    OK(check(s, NGFF_OVERWRITE_ALL, E));
}

static void images_are_replaced(void **state) {
    (void)state;
    static const wanted kinds[] = {{NGFF_V04, false, false, false, NULL},
                                   {NGFF_V04, true, false, false, NULL},
                                   {NGFF_V05, false, true, false, NULL},
                                   {NGFF_V05, true, false, false, NULL}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        ngff_store *s;
        OK(ngff_store_open_memory(NULL, &s, E));
        OK(check(s, NGFF_OVERWRITE_IMAGE, E)); /* nothing there */
        write_small(s, &kinds[i]);
        OK(check(s, NGFF_OVERWRITE_IMAGE, E));
        ngff_store_drop(&s);
    }
}

static void other_nodes_are_kept(void **state) {
    (void)state;
    static const char *const extra[] = {"labels", "tables", "scale0/other", "scale7"};
    static const char group[] = "{\"zarr_format\":3,\"node_type\":\"group\"}";
    for (size_t i = 0; i < sizeof extra / sizeof extra[0]; i++) {
        wanted w = {.version = NGFF_V05};
        ngff_store *s;
        char key[64];
        OK(ngff_store_open_memory(NULL, &s, E));
        write_small(s, &w);
        snprintf(key, sizeof key, "%s/zarr.json", extra[i]);
        put_text(s, key, group);
        expect_kept(s, extra[i]);
        ngff_store_drop(&s);
    }
}

static void other_stores_are_kept(void **state) {
    (void)state;
    ngff_store *s;
    OK(ngff_store_open_memory(NULL, &s, E));
    put_text(s, "zarr.json", "{\"zarr_format\":3,\"node_type\":\"group\"}");
    OK(check(s, NGFF_OVERWRITE_IMAGE, E)); /* an empty group */
    put_text(s, "a/zarr.json", "{\"zarr_format\":3,\"node_type\":\"group\"}");
    expect_kept(s, "holds a ");
    OK(ngff_store_erase(s, "a/zarr.json", E));
    /* A group where the image should have an array may hold anything. */
    put_text(s, "zarr.json",
             "{\"zarr_format\":3,\"node_type\":\"group\",\"attributes\":{\"ome\":{"
             "\"multiscales\":[{\"datasets\":[{\"path\":\"0\"}]}]}}}");
    put_text(s, "0/zarr.json", "{\"zarr_format\":3,\"node_type\":\"group\"}");
    put_text(s, "0/deep/zarr.json", "{\"zarr_format\":3,\"node_type\":\"group\"}");
    expect_kept(s, "holds 0 ");
    put_text(s, "zarr.json", "{broken");
    expect_kept(s, "not understood");
    ngff_store_drop(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_are_replaced),
        cmocka_unit_test(other_nodes_are_kept),
        cmocka_unit_test(other_stores_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
