/* image tests: a small image of two levels with known pixels. */
#ifndef NGFF_TEST_IMAGE_SUPPORT_H
#define NGFF_TEST_IMAGE_SUPPORT_H

#include "store/support.h"

#include "image/image.h"

typedef struct wanted {
    ngff_version version;
    bool flat, sharded, no_consolidate;
    const char *codec_json;
} wanted;

static inline ngff_image_desc small_desc(void) {
    ngff_image_desc d = NGFF_IMAGE_DESC_INIT;
    d.dtype = NGFF_UINT16;
    d.ndim = 3;
    OK(ngff_ome_axes_from_dims("zyx", 3, d.axes, E));
    for (int i = 0; i < 3; i++) {
        d.shape[i] = 6 + 2 * i;
        d.axes[i].scale = 0.5 * (i + 1);
        d.axes[i].translation = i;
        snprintf(d.axes[i].unit, sizeof d.axes[i].unit, "micrometer");
    }
    snprintf(d.name, sizeof d.name, "cells / day 1");
    return d;
}

static inline void small_levels(const ngff_image_desc *d, bool sharded,
                                ngff_image_level levels[2]) {
    for (int n = 0; n < 2; n++) {
        levels[n] = (ngff_image_level){.sharded = sharded};
        for (int i = 0; i < 3; i++) {
            levels[n].shape[i] = d->shape[i] >> n;
            levels[n].chunk[i] = 3;
            levels[n].per_shard[i] = 2;
            levels[n].scale[i] = d->axes[i].scale * (1 << n);
            levels[n].translation[i] = d->axes[i].translation;
        }
    }
}

static inline uint16_t pixel_at(int level, const int64_t *idx) {
    return (uint16_t)(1 + level * 1000 + idx[0] * 100 + idx[1] * 10 + idx[2]);
}

static inline void fill_box(int level, const ngff_box *box, uint16_t *out) {
    int64_t idx[NGFF_MAX_NDIM];
    memcpy(idx, box->start, sizeof idx);
    do
        *out++ = pixel_at(level, idx);
    while (ngff_box_next(box, idx));
}

static inline void write_level(ngff_zarr_array *array, int level, ngff_spill *spill) {
    ngff_zarr_writer_opts opts = {.spill = spill};
    ngff_zarr_writer *w;
    ngff_codec_ctx *ctx;
    ngff_box grid = {.ndim = 3};
    int64_t idx[NGFF_MAX_NDIM] = {0};
    OK(ngff_codec_ctx_create(NULL, &ctx, E));
    OK(ngff_zarr_writer_create(array, &opts, &w, E));
    memcpy(grid.shape, array->grid, sizeof grid.shape);
    do {
        uint16_t pixels[27];
        ngff_box box;
        ngff_view view;
        ngff_box_of_cell(3, idx, array->meta.chunk, array->meta.shape, &box);
        fill_box(level, &box, pixels);
        ngff_view_init(&view, pixels, NGFF_UINT16, 3, box.shape);
        OK(ngff_zarr_writer_put(w, ctx, idx, &view, E));
    } while (ngff_box_next(&grid, idx));
    OK(ngff_zarr_writer_finish(w, E));
    ngff_zarr_writer_close(&w);
    ngff_codec_ctx_close(&ctx);
}

static inline void write_small(ngff_store *store, const wanted *w) {
    ngff_image_desc desc = small_desc();
    ngff_image_level levels[2];
    ngff_spill_opts spill_opts = {.memory = 1 << 20};
    ngff_image_create_opts opts = {.level_count = 2,
                                   .version = w->version,
                                   .flat = w->flat,
                                   .no_consolidate = w->no_consolidate,
                                   .codec = {NULL, -1, NGFF_SHUFFLE_AUTO},
                                   .codec_json = w->codec_json,
                                   .type = "mean",
                                   .method_description = "Mean of each block."};
    ngff_spill *spill;
    ngff_image *image;
    small_levels(&desc, w->sharded, levels);
    OK(ngff_spill_create(NULL, &spill_opts, &spill, E));
    OK(ngff_image_create(NULL, store, &desc, levels, &opts, &image, E));
    for (int n = 0; n < 2; n++)
        write_level(image->level[n], n, spill);
    OK(ngff_image_finish(image, E));
    ngff_image_close(&image);
    ngff_spill_close(&spill);
}

static inline void write_small_at(const char *dest, const wanted *w) {
    ngff_store *s = stage(dest, NGFF_OVERWRITE_NO);
    write_small(s, w);
    OK(ngff_store_publish(s, E));
    ngff_store_drop(&s);
}

static inline ngff_json *document(ngff_store *s, const char *key) {
    ngff_buf buf;
    ngff_json *out;
    ngff_buf_init(&buf, NULL, 1 << 20);
    OK(ngff_store_get(s, key, &buf, E));
    OK(ngff_json_parse(buf.data, buf.size, NGFF_JSON_STRICT, &out, E));
    ngff_buf_reset(&buf);
    return out;
}

/* "a/b/0/c" through objects and arrays. */
static inline const ngff_json *at(const ngff_json *node, const char *path) {
    char name[128];
    while (node && *path) {
        size_t len = strcspn(path, "|");
        snprintf(name, sizeof name, "%.*s", (int)len, path);
        node = ngff_json_type_of(node) == NGFF_JSON_ARRAY
                   ? ngff_json_at(node, (size_t)atoi(name))
                   : ngff_json_get(node, name);
        path += len + (path[len] == '|');
    }
    return node;
}

static inline void expect_str(const ngff_json *node, const char *path, const char *want) {
    const char *got = ngff_json_str(at(node, path));
    if (!got || strcmp(got, want) != 0)
        fail_msg("%s is \"%s\", not \"%s\"", path, got ? got : "(none)", want);
}

#endif
