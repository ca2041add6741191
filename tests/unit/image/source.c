/* A Zarr array or an OME-Zarr image as a source. */
#include "image/support.h"

static void expect_region(ngff_source *s, int level) {
    uint16_t got[1000], want[1000];
    ngff_box box = {.ndim = 3, .start = {1, 0, 2}};
    ngff_view view;
    for (int i = 0; i < 3; i++)
        box.shape[i] = s->level_shape[level][i] - box.start[i];
    ngff_view_init(&view, got, NGFF_UINT16, 3, box.shape);
    OK(level ? ngff_source_read_level(s, level, &box, &view, E)
             : ngff_source_read(s, &box, &view, E));
    fill_box(level, &box, want);
    assert_memory_equal(got, want,
                        (size_t)(box.shape[0] * box.shape[1] * box.shape[2]) * 2);
}

static void images(void **state) {
    place *p = *state;
    wanted w = {.version = NGFF_V05, .sharded = true};
    ngff_source *s;
    assert_false(ngff_image_is_zarr(p->dest));
    assert_false(ngff_image_is_zarr(p->dir));
    write_small_at(p->dest, &w);
    assert_true(ngff_image_is_zarr(p->dest));
    OK(ngff_image_source_open(NULL, p->dest, NULL, &s, E));
    assert_int_equal(s->level_count, 2);
    assert_int_equal(s->image.desc.dtype, NGFF_UINT16);
    assert_string_equal(s->image.desc.name, "cells / day 1");
    assert_string_equal(s->image.desc.axes[0].unit, "micrometer");
    assert_true(s->image.desc.axes[2].scale == 1.5);
    assert_int_equal(s->traits.unit[1], 3);
    assert_true(s->traits.reentrant && s->traits.compressed);
    expect_region(s, 0);
    expect_region(s, 1);
    ngff_source_drop(&s);
}

static void arrays(void **state) {
    place *p = *state;
    static const ngff_version versions[] = {NGFF_V04, NGFF_V05};
    for (size_t i = 0; i < 2; i++) {
        wanted w = {.version = versions[i], .flat = true};
        ngff_source *s;
        char path[400];
        write_small_at(p->dest, &w);
        snprintf(path, sizeof path, "%s/0/", p->dest);
        assert_true(ngff_image_is_zarr(path));
        OK(ngff_image_source_open(NULL, path, NULL, &s, E));
        assert_int_equal(s->level_count, 1);
        assert_string_equal(s->image.desc.name, "0");
        assert_string_equal(s->image.desc.axes[0].name, "z");
        expect_region(s, 0);
        ngff_source_drop(&s);
        /* The caller knows better. */
        ngff_source_open_opts opts = {.series = -1, .dims = "cyx"};
        OK(ngff_image_source_open(NULL, path, &opts, &s, E));
        assert_string_equal(s->image.desc.axes[0].type, "channel");
        ngff_source_drop(&s);
        opts.dims = "tczyx";
        assert_int_equal(ngff_image_source_open(NULL, path, &opts, &s, NULL),
                         NGFF_INVALID);
        OK(ngff_dir_remove_all(p->dest, E));
    }
}

typedef struct reader {
    ngff_source *source;
    int failures;
} reader;

static void read_boxes(void *arg) {
    reader *r = arg;
    for (int64_t i = 0; i < 60; i++) {
        uint16_t got[64], want[64];
        ngff_box box = {
            .ndim = 3, .start = {i % 5, (i * 3) % 6, (i * 7) % 8}, .shape = {1, 2, 2}};
        ngff_view view;
        ngff_view_init(&view, got, NGFF_UINT16, 3, box.shape);
        fill_box(0, &box, want);
        if (ngff_source_read(r->source, &box, &view, NULL) != NGFF_OK ||
            memcmp(got, want, 8) != 0)
            r->failures++;
    }
}

static void threads(void **state) {
    place *p = *state;
    wanted w = {.version = NGFF_V05, .sharded = true};
    ngff_source *s;
    reader readers[4];
    ngff_thread *running[4];
    write_small_at(p->dest, &w);
    OK(ngff_image_source_open(NULL, p->dest, NULL, &s, E));
    for (int i = 0; i < 4; i++) {
        readers[i] = (reader){s, 0};
        OK(ngff_thread_start(NULL, read_boxes, &readers[i], &running[i], E));
    }
    for (int i = 0; i < 4; i++) {
        ngff_thread_join(&running[i]);
        assert_int_equal(readers[i].failures, 0);
    }
    ngff_source_drop(&s);
}

static void hostile_paths(void **state) {
    place *p = *state;
    ngff_source *s;
    ngff_error err = {0};
    write_file(p->dir, "outside/.zarray", "{}");
    write_file(p->dest, ".zgroup", "{\"zarr_format\":2}");
    write_file(
        p->dest, ".zattrs",
        "{\"multiscales\":[{\"version\":\"0.4\",\"axes\":[{\"name\":\"y\",\"type\":"
        "\"space\"},{\"name\":\"x\",\"type\":\"space\"}],\"datasets\":[{\"path\":"
        "\"../outside\",\"coordinateTransformations\":[{\"type\":\"scale\","
        "\"scale\":[1,1]}]}]}]}");
    ngff_status status = ngff_image_source_open(NULL, p->dest, NULL, &s, &err);
    assert_true(status == NGFF_FORMAT || status == NGFF_INVALID);
    assert_int_equal(err.origin, NGFF_ORIGIN_INPUT);
    assert_non_null(strstr(err.message, "outside"));
    assert_null(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        PLACE_TEST(images),
        PLACE_TEST(arrays),
        PLACE_TEST(threads),
        PLACE_TEST(hostile_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
