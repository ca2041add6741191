/* Region tests: one image, made up from its coordinates; the same store written at once;
 * stores compared value by value. */
#ifndef NGFF_TEST_API_REGIONS_H
#define NGFF_TEST_API_REGIONS_H

#include "support/tempdir.h"

#include "nd/nd.h"
#include "store/store.h"

#include <ngff/ngff.h>

enum { DEPTH = 20, HEIGHT = 50, WIDTH = 70 };

typedef struct region_case {
    ngff_context *context;
    ngff_multiscales *levels;
    uint16_t *pixels; /* of level 0 */
    ngff_view view;
} region_case;

typedef struct region_layout {
    int64_t chunk[3], per_shard[3]; /* per_shard 0: not sharded */
    const char *method;
} region_layout;

static const region_layout region_plain = {{8, 16, 16}, {0, 0, 0}, "gaussian"};
static const region_layout region_sharded = {{4, 8, 16}, {2, 3, 2}, "gaussian"};

static ngff_error region_error;

static inline void region_ok(ngff_status status, int line) {
    if (status != NGFF_OK)
        fail_msg("line %d: %s: %s", line, ngff_status_text(status), region_error.message);
}
#define OK(call) region_ok(call, __LINE__)

static inline void region_case_init(region_case *c, const region_layout *layout,
                                    uint64_t memory) {
    static const int64_t factors[3][NGFF_MAX_NDIM] = {{2, 2, 2}, {4, 4, 4}, {8, 8, 8}};
    const int64_t shape[3] = {DEPTH, HEIGHT, WIDTH};
    ngff_context_opts opts = NGFF_CONTEXT_OPTS_INIT;
    ngff_image_desc desc = NGFF_IMAGE_DESC_INIT;
    ngff_plan_opts plan = NGFF_PLAN_OPTS_INIT;
    opts.memory_target = memory;
    opts.threads = 2;
    OK(ngff_context_create(&opts, &c->context, &region_error));
    desc.dtype = NGFF_UINT16;
    desc.ndim = 3;
    memcpy(desc.shape, shape, sizeof shape);
    plan.method = layout->method;
    plan.scale_factor_count = 3;
    plan.scale_factors = factors;
    memcpy(plan.chunks, layout->chunk, sizeof layout->chunk);
    memcpy(plan.chunks_per_shard, layout->per_shard, sizeof layout->per_shard);
    OK(ngff_multiscales_plan(c->context, &desc, &plan, &c->levels, &region_error));
    c->pixels = malloc(sizeof *c->pixels * DEPTH * HEIGHT * WIDTH);
    assert_non_null(c->pixels);
    for (size_t i = 0; i < (size_t)DEPTH * HEIGHT * WIDTH; i++)
        c->pixels[i] = (uint16_t)(i * i * 2654435761u >> 18);
    ngff_view_init(&c->view, c->pixels, NGFF_UINT16, 3, shape);
}

static inline void region_case_reset(region_case *c) {
    free(c->pixels);
    ngff_multiscales_close(&c->levels);
    ngff_context_close(&c->context);
}

static inline ngff_box region_box(int64_t z, int64_t y, int64_t x, int64_t d, int64_t h,
                                  int64_t w) {
    return (ngff_box){.ndim = 3, .start = {z, y, x}, .shape = {d, h, w}};
}

/* `box` of level 0 with the image's pixels. */
static inline ngff_status region_put(region_case *c, ngff_writer *w,
                                     const ngff_box *box) {
    ngff_view part;
    ngff_view_sub(&c->view, box->start, box->shape, &part);
    return ngff_writer_write_region(w, 0, box, &part, &region_error);
}

static inline ngff_store *region_store(region_case *c, const char *location, int access) {
    ngff_store_opts opts = NGFF_STORE_OPTS_INIT;
    ngff_store *store = NULL;
    opts.access = access;
    opts.durability = 1;
    OK(ngff_store_open(c->context, location, &opts, &store, &region_error));
    return store;
}

/* The image written in the ordinary way. */
static inline void region_write_all(region_case *c, ngff_store *store,
                                    const ngff_write_opts *opts) {
    ngff_source *source = NULL;
    OK(ngff_source_from_array(c->context, &c->view, NULL, NULL, NULL, &source,
                              &region_error));
    OK(ngff_write(c->context, store, c->levels, source, opts, NULL, &region_error));
    ngff_source_close(&source);
}

/* ---- comparing ---- */

typedef struct region_compare {
    ngff_store *a, *b;
    const char *prefix;
    int values;
    bool reverse; /* only whether b's keys are in a */
} region_compare;

static inline void region_same_value(region_compare *c, const char *key) {
    ngff_buf a, b;
    ngff_buf_init(&a, NULL, SIZE_MAX);
    ngff_buf_init(&b, NULL, SIZE_MAX);
    OK(ngff_store_get(c->a, key, &a, &region_error));
    OK(ngff_store_get(c->b, key, &b, &region_error));
    if (a.size != b.size || memcmp(a.data, b.data, a.size) != 0)
        fail_msg("%s: %zu and %zu bytes that differ", key, a.size, b.size);
    ngff_buf_reset(&a);
    ngff_buf_reset(&b);
    c->values++;
}

static ngff_status region_compare_entry(void *user, const char *name, bool is_prefix) {
    region_compare *c = user;
    const char *outer = c->prefix;
    char key[512];
    snprintf(key, sizeof key, "%s%s%s", outer, outer[0] ? "/" : "", name);
    if (!is_prefix) {
        region_same_value(c, key);
        return NGFF_OK;
    }
    c->prefix = key;
    OK(ngff_store_list(c->reverse ? c->b : c->a, key, region_compare_entry, c,
                       &region_error));
    c->prefix = outer;
    return NGFF_OK;
}

/* The same keys with the same values; answers how many. */
static inline int region_expect_same(ngff_store *a, ngff_store *b) {
    region_compare c = {a, b, "", 0, false};
    OK(ngff_store_list(a, "", region_compare_entry, &c, &region_error));
    int values = c.values;
    c = (region_compare){a, b, "", 0, true};
    OK(ngff_store_list(b, "", region_compare_entry, &c, &region_error));
    assert_int_equal(values, c.values);
    return values;
}

/* Level 0 of `store` equals `pixels`. */
static inline void region_expect_pixels(region_case *c, ngff_store *store,
                                        const uint16_t *pixels) {
    ngff_multiscales *ms = NULL;
    const ngff_box all = region_box(0, 0, 0, DEPTH, HEIGHT, WIDTH);
    const size_t size = sizeof *pixels * DEPTH * HEIGHT * WIDTH;
    uint16_t *got = malloc(size);
    ngff_view out;
    assert_non_null(got);
    ngff_view_init(&out, got, NGFF_UINT16, 3, all.shape);
    OK(ngff_open(c->context, store, &ms, &region_error));
    OK(ngff_read_region(ms, 0, &all, &out, &region_error));
    assert_memory_equal(got, pixels, size);
    ngff_multiscales_close(&ms);
    free(got);
}

#endif
