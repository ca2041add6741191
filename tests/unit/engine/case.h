/* One conversion made up from a seed: shape, dtype, chunks, shards, factors, method; a
 * source in memory that checks how it is read; a naive twin of all levels. */
#ifndef NGFF_TEST_ENGINE_CASE_H
#define NGFF_TEST_ENGINE_CASE_H

#include "support/cmocka.h"
#include "support/random.h"

#include "engine/engine.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* Pixels in memory with any traits. A sequential one fails when it is read backwards. */
typedef struct test_source {
    ngff_source base;
    ngff_view view;
    int64_t position; /* file offset of the last read, in elements */
    atomic_int inside;
    atomic_int overlapping; /* reads at the same time */
    int fail_after;         /* > 0: this many reads succeed */
    atomic_int reads;
} test_source;

typedef struct test_case {
    ngff_levels levels;
    ngff_levels_request request;
    ngff_view level[NGFF_MAX_LEVELS]; /* the naive twin; level 0: the pixels */
    const char *codec;                /* NULL: zstd */
} test_case;

static int64_t stream_offset(const test_source *s, const ngff_box *box) {
    int slow = s->base.traits.slow_axis;
    int64_t off = box->start[slow];
    for (int d = 0; d < box->ndim; d++)
        if (d != slow)
            off = off * s->view.shape[d] + box->start[d];
    return off;
}

static ngff_status test_read(ngff_source *base, const ngff_box *box, const ngff_view *out,
                             ngff_error *err) {
    test_source *s = (test_source *)base;
    ngff_view part;
    if (atomic_fetch_add(&s->inside, 1) > 0)
        atomic_fetch_add(&s->overlapping, 1);
    int reads = atomic_fetch_add(&s->reads, 1) + 1;
    if (s->fail_after > 0 && reads > s->fail_after)
        return ngff_fail(err, NGFF_IO, "pixels: broken on purpose");
    if (base->traits.sequential) {
        int64_t off = stream_offset(s, box);
        if (off < s->position)
            return ngff_fail(err, NGFF_INTERNAL, "the stream was read backwards");
        s->position = off + 1;
    }
    ngff_view_sub(&s->view, box->start, box->shape, &part);
    ngff_nd_copy(out, &part);
    atomic_fetch_sub(&s->inside, 1);
    return NGFF_OK;
}

static inline void test_source_init(test_source *s, const ngff_view *view) {
    static const ngff_source_vtable ops = {.kind = "test", .read = test_read};
    static char location[] = "pixels";
    memset(s, 0, sizeof *s);
    s->base.ops = &ops;
    s->base.location = location;
    s->base.image.desc.dtype = view->dtype;
    s->base.image.desc.ndim = view->ndim;
    memcpy(s->base.image.desc.shape, view->shape, sizeof view->shape);
    s->base.level_count = 1;
    memcpy(s->base.level_shape[0], view->shape, sizeof view->shape);
    s->base.traits.reentrant = true;
    for (int d = 0; d < NGFF_MAX_NDIM; d++)
        s->base.traits.unit[d] = 1;
    s->view = *view;
}

/* ---- making a case ----------------------------------------------------------------- */

static const char *const test_dims[] = {"", "", "yx", "zyx", "czyx", "tczyx"};

static bool is_space(char axis) {
    return axis == 'z' || axis == 'y' || axis == 'x';
}

static inline void random_factors(uint64_t *r, ngff_levels_request *q) {
    static const int64_t chains[][4] = {
        {2, 4, 8, 16}, {2, 4, 8, 0}, {2, 3, 4, 0}, {3, 9, 0, 0}, {2, 6, 0, 0},
        {4, 8, 0, 0},  {5, 0, 0, 0}, {2, 0, 0, 0}, {0, 0, 0, 0}, {2, 4, 6, 12}};
    const int64_t *chain = chains[random_range(r, 0, 9)];
    bool flat_z = random_range(r, 0, 3) == 0;
    for (q->factor_count = 0; q->factor_count < 4 && chain[q->factor_count] > 0;
         q->factor_count++)
        for (int d = 0; d < q->ndim; d++) {
            bool keep = !is_space(q->axis[d]) || (flat_z && q->axis[d] == 'z');
            q->factors[q->factor_count][d] = keep ? 1 : chain[q->factor_count];
        }
}

static inline void random_request(uint64_t *r, ngff_levels_request *q) {
    static const ngff_dtype dtypes[] = {NGFF_UINT8,   NGFF_UINT16, NGFF_INT16,
                                        NGFF_FLOAT32, NGFF_UINT16, NGFF_FLOAT64};
    memset(q, 0, sizeof *q);
    q->ndim = (int)random_range(r, 2, 5);
    q->dtype = dtypes[random_range(r, 0, 5)];
    q->method = (ngff_method)random_range(r, 1, 7);
    bool sharded = random_range(r, 0, 1) == 1;
    for (int d = 0; d < q->ndim; d++) {
        char axis = test_dims[q->ndim][d];
        bool space = is_space(axis);
        q->axis[d] = axis;
        q->scale[d] = 1.0;
        q->shape[d] =
            space ? random_range(r, 1, q->ndim > 2 ? 40 : 150) : random_range(r, 1, 3);
        q->chunk[d] = space ? random_range(r, 2, 12) : random_range(r, 1, 2);
        q->per_shard[d] = sharded ? random_range(r, 1, 5) : 0;
    }
    random_factors(r, q);
}

static inline void fill_pixels(uint64_t *r, const ngff_view *v) {
    int64_t count = 1;
    size_t item = ngff_dtype_size((ngff_dtype)v->dtype);
    for (int d = 0; d < v->ndim; d++)
        count *= v->shape[d];
    for (int64_t i = 0; i < count; i++) {
        void *at = (char *)v->data + (size_t)i * item;
        uint64_t bits = random_next(r);
        if (v->dtype == NGFF_FLOAT32)
            *(float *)at = (float)(bits >> 40);
        else if (v->dtype == NGFF_FLOAT64)
            *(double *)at = (double)(bits >> 20);
        else
            memcpy(at, &bits, item);
    }
    if (random_range(r, 0, 3) == 0) /* some empty chunks */
        memset(v->data, 0, (size_t)count * item / 2);
}

static inline void new_level(const test_case *c, int n, ngff_view *v) {
    size_t size;
    ngff_error err = {0};
    assert_int_equal(ngff_nd_bytes(c->levels.ndim, c->levels.level[n].shape,
                                   c->request.dtype, &size, &err),
                     NGFF_OK);
    void *data = malloc(size);
    assert_non_null(data);
    ngff_view_init(v, data, c->request.dtype, c->levels.ndim, c->levels.level[n].shape);
}

/* Level n from its whole source level: the definition. */
static inline void naive_level(test_case *c, int n) {
    const ngff_level *l = &c->levels.level[n];
    ngff_reduction r = {
        .method = c->request.method, .dtype = c->request.dtype, .ndim = c->levels.ndim};
    ngff_box src = {.ndim = r.ndim}, dst = {.ndim = r.ndim};
    for (int d = 0; d < r.ndim; d++) {
        r.step[d] = l->step[d];
        src.shape[d] = r.src_shape[d] = c->levels.level[l->source].shape[d];
        dst.shape[d] = r.dst_shape[d] = l->shape[d];
    }
    void *scratch = malloc(ngff_reduction_scratch(&r, dst.shape) + 64);
    ngff_reduce(&r, &src, &c->level[l->source], &dst, &c->level[n], scratch);
    free(scratch);
}

static inline void test_case_from_request(test_case *c, uint64_t *r) {
    ngff_error err = {0};
    c->codec = NULL;
    ngff_status status = ngff_pyramid_plan(&c->request, &c->levels, &err);
    if (status != NGFF_OK)
        fail_msg("plan: %s", err.message);
    for (int n = 0; n < c->levels.count; n++) {
        new_level(c, n, &c->level[n]);
        if (n == 0)
            fill_pixels(r, &c->level[0]);
        else
            naive_level(c, n);
    }
}

static inline void test_case_reset(test_case *c) {
    for (int n = 0; n < c->levels.count; n++)
        free(c->level[n].data);
}

/* ---- running it -------------------------------------------------------------------- */

static inline void make_image(const test_case *c, ngff_store *store, ngff_image **out) {
    ngff_image_desc desc = NGFF_IMAGE_DESC_INIT;
    ngff_image_level levels[NGFF_MAX_LEVELS] = {0};
    ngff_image_create_opts opts = {.level_count = c->levels.count,
                                   .version = NGFF_V05,
                                   .codec = {c->codec != NULL ? c->codec : "zstd", 1, 0}};
    ngff_error err = {0};
    desc.dtype = c->request.dtype;
    desc.ndim = c->levels.ndim;
    memcpy(desc.shape, c->levels.level[0].shape, sizeof desc.shape);
    assert_int_equal(
        ngff_ome_axes_from_dims(test_dims[desc.ndim], desc.ndim, desc.axes, &err), 0);
    for (int n = 0; n < c->levels.count; n++) {
        const ngff_level *l = &c->levels.level[n];
        memcpy(levels[n].shape, l->shape, sizeof l->shape);
        memcpy(levels[n].chunk, l->chunk, sizeof l->chunk);
        memcpy(levels[n].per_shard, l->per_shard, sizeof l->per_shard);
        memcpy(levels[n].scale, l->scale, sizeof l->scale);
        memcpy(levels[n].translation, l->translation, sizeof l->translation);
        levels[n].sharded = l->sharded;
    }
    if (ngff_image_create(NULL, store, &desc, levels, &opts, out, &err))
        fail_msg("create: %s", err.message);
}

static inline void check_levels(const test_case *c, const ngff_image *image) {
    ngff_codec_ctx *ctx;
    ngff_error err = {0};
    assert_int_equal(ngff_codec_ctx_create(NULL, &ctx, &err), NGFF_OK);
    for (int n = 0; n < c->levels.count; n++) {
        ngff_view got;
        ngff_box box = {.ndim = c->levels.ndim};
        size_t size;
        memcpy(box.shape, c->levels.level[n].shape, sizeof box.shape);
        new_level(c, n, &got);
        if (ngff_zarr_read(image->level[n], ctx, &box, &got, &err))
            fail_msg("level %d: %s", n, err.message);
        assert_int_equal(
            ngff_nd_bytes(box.ndim, box.shape, c->request.dtype, &size, &err), NGFF_OK);
        if (memcmp(got.data, c->level[n].data, size) != 0)
            fail_msg("level %d differs from its naive twin", n);
        free(got.data);
    }
    ngff_codec_ctx_close(&ctx);
}

typedef struct store_sum {
    ngff_store *store;
    char prefix[1024];
    uint32_t crc;
    int keys;
} store_sum;

static ngff_status sum_key(void *user, const char *name, bool is_prefix) {
    store_sum *s = user, child = *s;
    ngff_error err = {0};
    ngff_buf buf;
    const char *slash = s->prefix[0] != '\0' ? "/" : "";
    snprintf(child.prefix, sizeof child.prefix, "%.400s%s%.400s", s->prefix, slash, name);
    if (is_prefix) {
        assert_int_equal(ngff_store_list(s->store, child.prefix, sum_key, &child, &err),
                         NGFF_OK);
        s->crc = child.crc;
        s->keys = child.keys;
        return NGFF_OK;
    }
    ngff_buf_init(&buf, NULL, SIZE_MAX / 4);
    assert_int_equal(ngff_store_get(s->store, child.prefix, &buf, &err), NGFF_OK);
    s->crc = ngff_crc32(s->crc, child.prefix, strlen(child.prefix));
    s->crc = ngff_crc32(s->crc, buf.data, buf.size);
    s->keys++;
    ngff_buf_reset(&buf);
    return NGFF_OK;
}

/* Of all keys and all bytes. */
static inline uint32_t sum_store(ngff_store *store) {
    store_sum s = {.store = store};
    ngff_error err = {0};
    assert_int_equal(ngff_store_list(store, "", sum_key, &s, &err), NGFF_OK);
    return s.crc;
}

/* Plans and runs; OK: compares with the twin and answers the sum of the bytes. */
static inline ngff_status convert(const test_case *c, test_source *source,
                                  const ngff_engine_opts *opts, uint32_t *sum,
                                  ngff_error *err) {
    ngff_store *store;
    ngff_image *image;
    ngff_plan plan;
    assert_int_equal(ngff_store_open_memory(NULL, &store, err), NGFF_OK);
    make_image(c, store, &image);
    ngff_status status = ngff_engine_plan(&c->levels, c->request.method, &source->base,
                                          image, opts, &plan, err);
    if (status == NGFF_OK) {
        assert_true(plan.peak <= plan.budget);
        status = ngff_engine_run(&plan, &source->base, image, opts, err);
    }
    if (status == NGFF_OK) {
        check_levels(c, image);
        *sum = sum_store(store);
    }
    ngff_image_close(&image);
    ngff_store_drop(&store);
    return status;
}

/* The budget that a refusal names: the last number of the message. */
static inline uint64_t least_budget(const ngff_error *err) {
    uint64_t least = 0;
    const char *at = strstr(err->message, "would do is ");
    if (at != NULL)
        least = strtoull(at + 12, NULL, 10);
    return least;
}

#endif
