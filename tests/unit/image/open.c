/* Reading what was written, and refusing what contradicts itself. */
#include "image/support.h"

#include "support/alloc.h"

static const wanted kinds[] = {
    {NGFF_V04, false, false, false, NULL}, {NGFF_V04, true, false, false, NULL},
    {NGFF_V05, false, false, false, NULL}, {NGFF_V05, true, true, false, NULL},
    {NGFF_V05, false, true, true, NULL},
};

static void expect_pixels(const ngff_zarr_array *array, int level) {
    uint16_t got[1000], want[1000];
    ngff_codec_ctx *ctx;
    ngff_box box = {.ndim = 3};
    ngff_view view;
    memcpy(box.shape, array->meta.shape, sizeof box.shape);
    box.start[1] = 1;
    box.shape[1] -= 1;
    OK(ngff_codec_ctx_create(NULL, &ctx, E));
    ngff_view_init(&view, got, NGFF_UINT16, 3, box.shape);
    OK(ngff_zarr_read(array, ctx, &box, &view, E));
    ngff_codec_ctx_close(&ctx);
    fill_box(level, &box, want);
    assert_memory_equal(got, want,
                        (size_t)(box.shape[0] * box.shape[1] * box.shape[2]) * 2);
}

static void round_trip(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        ngff_store *s;
        ngff_image *image;
        OK(ngff_store_open_memory(NULL, &s, E));
        write_small(s, &kinds[i]);
        OK(ngff_image_open(NULL, s, "", &image, E));
        const ngff_image_desc *d = &image->ms.image.desc;
        assert_int_equal(image->ms.version, kinds[i].version);
        assert_int_equal(image->level_count, 2);
        assert_int_equal(d->dtype, NGFF_UINT16);
        assert_int_equal(d->shape[2], 10);
        assert_string_equal(d->name, "cells / day 1");
        assert_string_equal(d->axes[1].unit, "micrometer");
        assert_true(d->axes[1].scale == 1.0 && d->axes[1].translation == 1.0);
        assert_true(image->ms.level[1].scale[2] == 3.0);
        for (int n = 0; n < 2; n++)
            expect_pixels(image->level[n], n);
        ngff_image_close(&image);
        ngff_store_drop(&s);
    }
}

static void expect_open(ngff_store *s, const char *path, ngff_status want,
                        const char *says) {
    ngff_image *image;
    ngff_error err = {0};
    expect_status(ngff_image_open(NULL, s, path, &image, &err), want, &err);
    if (says && !strstr(err.message, says))
        fail_msg("\"%s\" does not say \"%s\"", err.message, says);
    ngff_image_close(&image);
}

static void containers(void **state) {
    (void)state;
    wanted w = {.version = NGFF_V04, .flat = true};
    ngff_store *s, *sub;
    ngff_image *image;
    OK(ngff_store_open_memory(NULL, &s, E));
    put_text(s, ".zgroup", "{\"zarr_format\":2}");
    put_text(s, ".zattrs", "{\"bioformats2raw.layout\":3}");
    expect_open(s, "", NGFF_NOT_FOUND, "without images");
    OK(ngff_store_open_prefix(NULL, s, "0", &sub, E));
    write_small(sub, &w);
    ngff_store_drop(&sub);
    OK(ngff_image_open(NULL, s, "", &image, E));
    assert_string_equal(image->path, "0");
    expect_pixels(image->level[1], 1);
    ngff_image_close(&image);
    OK(ngff_store_open_prefix(NULL, s, "1", &sub, E));
    write_small(sub, &w);
    ngff_store_drop(&sub);
    expect_open(s, "", NGFF_NOT_FOUND, "0, 1");
    expect_open(s, "1", NGFF_OK, NULL);
    /* OME/ names the series. */
    put_text(s, "OME/.zgroup", "{\"zarr_format\":2}");
    put_text(s, "OME/.zattrs", "{\"series\":[\"1\"]}");
    OK(ngff_image_open(NULL, s, "", &image, E));
    assert_string_equal(image->path, "1");
    ngff_image_close(&image);
    put_text(s, "OME/.zattrs", "{\"series\":[\"../x\"]}");
    expect_open(s, "", NGFF_INVALID, "../x");
    put_text(s, "OME/.zattrs", "{\"series\":[7]}");
    expect_open(s, "", NGFF_FORMAT, "not a string");
    ngff_store_drop(&s);
}

static void other_groups(void **state) {
    (void)state;
    ngff_store *s;
    OK(ngff_store_open_memory(NULL, &s, E));
    expect_open(s, "", NGFF_NOT_FOUND, NULL);
    put_text(s, ".zgroup", "{\"zarr_format\":2}");
    expect_open(s, "", NGFF_NOT_FOUND, "without OME-Zarr");
    put_text(s, ".zattrs", "{\"plate\":{}}");
    expect_open(s, "", NGFF_NOT_FOUND, "plate");
    put_text(s, ".zattrs", "{\"well\":{}}");
    expect_open(s, "", NGFF_NOT_FOUND, "well");
    expect_open(s, "../x", NGFF_INVALID, NULL);
    ngff_store_drop(&s);
}

static void contradictions(void **state) {
    (void)state;
    wanted w = {.version = NGFF_V05, .flat = true};
    ngff_store *s;
    ngff_buf buf;
    OK(ngff_store_open_memory(NULL, &s, E));
    write_small(s, &w);
    expect_open(s, "0", NGFF_NOT_FOUND, "array");
    ngff_buf_init(&buf, NULL, 1 << 20);
    OK(ngff_store_get(s, "1/zarr.json", &buf, E));
    /* A level of another dtype. */
    char *dtype = strstr(buf.data, "uint16");
    assert_non_null(dtype);
    memcpy(dtype, "int16\" ", 7);
    dtype[6] = ' ';
    OK(ngff_store_put(s, "1/zarr.json", buf.data, buf.size, E));
    expect_open(s, "", NGFF_FORMAT, "int16");
    /* A level that is not there. */
    OK(ngff_store_erase(s, "1/zarr.json", E));
    expect_open(s, "", NGFF_NOT_FOUND, "1");
    ngff_buf_reset(&buf);
    ngff_store_drop(&s);
}

static void every_read_can_fail(void **state) {
    (void)state;
    wanted w = {.version = NGFF_V05};
    ngff_store *s, *f;
    uint64_t calls = 0;
    ngff_status status = NGFF_IO;
    OK(ngff_store_open_memory(NULL, &s, E));
    write_small(s, &w);
    for (uint64_t n = 1; status != NGFF_OK; n++) {
        ngff_image *image;
        ngff_error err = {0};
        assert_true(n < 100);
        OK(ngff_store_open_fault(NULL, s, n, &calls, &f, E));
        status = ngff_image_open(NULL, f, "", &image, &err);
        if (status != NGFF_OK) {
            assert_int_equal(status, NGFF_IO);
            assert_non_null(strstr(err.message, "injected"));
        }
        ngff_image_close(&image);
        ngff_store_drop(&f);
    }
    ngff_store_drop(&s);
}

/* Before 0.4 there are no scales: the shapes tell. */
static void shapes_tell_scales(void **state) {
    (void)state;
    static const char *const shapes[] = {"[1,2,1,101,64]", "[1,2,1,50,32]",
                                         "[1,2,1,25,16]"};
    ngff_store *s;
    ngff_image *image;
    OK(ngff_store_open_memory(NULL, &s, E));
    put_text(s, ".zgroup", "{\"zarr_format\":2}");
    put_text(s, ".zattrs",
             "{\"multiscales\":[{\"version\":\"0.2\",\"datasets\":[{\"path\":\"0\"},"
             "{\"path\":\"1\"},{\"path\":\"2\"}]}]}");
    for (int n = 0; n < 3; n++) {
        char key[32], text[300];
        snprintf(key, sizeof key, "%d/.zarray", n);
        snprintf(text, sizeof text,
                 "{\"zarr_format\":2,\"shape\":%s,\"chunks\":[1,1,1,64,64],\"dtype\":"
                 "\"|u1\",\"compressor\":null,\"filters\":null,\"order\":\"C\","
                 "\"fill_value\":0}",
                 shapes[n]);
        put_text(s, key, text);
    }
    OK(ngff_image_open(NULL, s, "", &image, E));
    assert_int_equal(image->ms.version, NGFF_V02);
    assert_true(image->ms.level[1].scale[3] == 2.0 && image->ms.level[2].scale[3] == 4.0);
    assert_true(image->ms.level[2].scale[4] == 4.0 && image->ms.level[2].scale[1] == 1.0);
    ngff_image_close(&image);
    ngff_store_drop(&s);
}

static ngff_status make_and_open(const ngff_allocator *a, ngff_store *s) {
    ngff_image_desc desc = small_desc();
    ngff_image_level levels[2];
    ngff_image_create_opts opts = {.level_count = 2,
                                   .version = NGFF_V05,
                                   .codec = {NULL, -1, NGFF_SHUFFLE_AUTO},
                                   .type = "mean"};
    ngff_image *image;
    small_levels(&desc, true, levels);
    NGFF_TRY(ngff_image_create(a, s, &desc, levels, &opts, &image, NULL));
    ngff_status status = ngff_image_finish(image, NULL);
    ngff_image_close(&image);
    NGFF_TRY(status);
    NGFF_TRY(ngff_image_open(a, s, "", &image, NULL));
    ngff_image_close(&image);
    return NGFF_OK;
}

static void every_allocation_can_fail(void **state) {
    (void)state;
    failing_alloc f;
    ngff_status status = NGFF_NOMEM;
    failing_init(&f);
    for (long n = 0; status != NGFF_OK; n++) {
        ngff_store *s;
        assert_true(n < 2000);
        OK(ngff_store_open_memory(NULL, &s, E));
        failing_arm(&f, n);
        status = make_and_open(&f.ops, s);
        if (status != NGFF_OK)
            assert_int_equal(status, NGFF_NOMEM);
        assert_int_equal(f.live, 0);
        ngff_store_drop(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(containers),
        cmocka_unit_test(other_groups),
        cmocka_unit_test(contradictions),
        cmocka_unit_test(every_read_can_fail),
        cmocka_unit_test(shapes_tell_scales),
        cmocka_unit_test(every_allocation_can_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
