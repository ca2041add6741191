/* How often threads meet, counted per chunk for 1 to 64 threads (bench/README.md,
 * "Contention, counted"). What is taken per chunk does not depend on the machine and has
 * a bound here; who waited for whom does, and is only printed. NGFF_CONTENTION_SIDE: the
 * edge of the volume, a multiple of 64. */
#include "support/tempdir.h"

#include "engine/case.h"

#include "base/shared.h"

enum { CHUNK = 16, SHARD = 4 };

typedef enum { PLAIN, SHARDED, ARCHIVE, STREAM, KINDS } kind;

typedef struct count {
    uint64_t meeting[NGFF_MEETINGS];
    double chunks;
    int threads;
} count;

static ngff_status discard(void *cookie, const char *key, const void *data, uint64_t size,
                           ngff_error *err) {
    (void)cookie;
    (void)key;
    (void)data;
    (void)size;
    (void)err;
    return NGFF_OK;
}

static void open_store(kind k, ngff_store **out) {
    static const ngff_store_ops nowhere = {.struct_size = sizeof nowhere, .put = discard};
    ngff_store_open_opts opts = {.mode = NGFF_STORE_STAGE,
                                 .durability = NGFF_DURABILITY_NONE};
    ngff_error err = {0};
    ngff_status status =
        k == ARCHIVE ? ngff_store_at(NULL, tempdir_at("out.ozx"), &opts, out, &err)
                     : ngff_store_of_callbacks(NULL, &nowhere, NULL, out, &err);
    if (status != NGFF_OK)
        fail_msg("store: %s", err.message);
}

static void make_case(kind k, test_case *c) {
    const char *side = getenv("NGFF_CONTENTION_SIDE");
    ngff_levels_request *q = &c->request;
    ngff_error err = {0};
    memset(c, 0, sizeof *c);
    c->codec = "none"; /* the less a chunk takes, the more they meet */
    *q = (ngff_levels_request){.ndim = 3,
                               .dtype = NGFF_UINT8,
                               .axis = {'z', 'y', 'x'},
                               .method = NGFF_METHOD_BIN_SHRINK,
                               .factor_count = 2,
                               .factors = {{2, 2, 2}, {4, 4, 4}}};
    for (int d = 0; d < 3; d++) {
        q->shape[d] = side != NULL ? strtol(side, NULL, 10) : 128;
        q->scale[d] = 1.0;
        q->chunk[d] = CHUNK;
        q->per_shard[d] = k == SHARDED ? SHARD : 0;
    }
    assert_int_equal(ngff_pyramid_plan(q, &c->levels, &err), NGFF_OK);
    new_level(c, 0, &c->level[0]);
    memset(c->level[0].data, 7,
           (size_t)(q->shape[0] * q->shape[1] * q->shape[2])); /* no chunk is empty */
}

static double count_chunks(const test_case *c) {
    double all = 0.0;
    for (int n = 0; n < c->levels.count; n++) {
        double level = 1.0;
        for (int d = 0; d < c->levels.ndim; d++)
            level *= (double)ngff_ceil_div(c->levels.level[n].shape[d], CHUNK);
        all += level;
    }
    return all;
}

static void run(kind k, const test_case *c, int threads, count *out) {
    ngff_engine_opts opts = {.threads = threads, .memory = (uint64_t)2 << 30};
    ngff_error err = {0};
    ngff_store *store;
    ngff_image *image;
    ngff_plan plan;
    test_source s;
    test_source_init(&s, &c->level[0]);
    if (k == STREAM) {
        s.base.traits.sequential = true;
        s.base.traits.reentrant = false;
    }
    open_store(k, &store);
    make_image(c, store, &image);
    assert_int_equal(ngff_engine_plan(&c->levels, c->request.method, &s.base, image,
                                      &opts, &plan, &err),
                     NGFF_OK);
    assert_int_equal(plan.threads, threads);
    (void)ngff_meetings_take(out->meeting);
    if (ngff_engine_run(&plan, &s.base, image, &opts, &err) != NGFF_OK)
        fail_msg("%d threads: %s", threads, err.message);
    (void)ngff_meetings_take(out->meeting);
    out->chunks = count_chunks(c);
    out->threads = threads;
    ngff_image_close(&image);
    ngff_store_drop(&store);
}

static double per_chunk(const count *c, ngff_meeting what) {
    return (double)c->meeting[what] / c->chunks;
}

static void print(const char *name, const count *c) {
    printf("%-8s %3d threads, %.0f chunks; per chunk: mutex %.3f (waits %.4f), spin %.3f "
           "(waits %.4f), other atomic writes %.3f, sleeps %.4f\n",
           name, c->threads, c->chunks, per_chunk(c, NGFF_MEET_MUTEX),
           per_chunk(c, NGFF_MEET_MUTEX_WAIT), per_chunk(c, NGFF_MEET_SPIN),
           per_chunk(c, NGFF_MEET_SPIN_WAIT), per_chunk(c, NGFF_MEET_ATOMIC),
           per_chunk(c, NGFF_MEET_SLEEP));
}

/* What a kind of output may take at most: of mutexes and spin locks for a chunk, and of
 * other atomic writes. Blocks and groups of the window take a few more, of which there
 * are at least as many as threads. */
typedef struct bound {
    const char *name;
    double mutex, spin, atomic;
} bound;

static const bound bounds[KINDS] = {
    [PLAIN] = {"chunks", 0.1, 0, 2.2},
    [SHARDED] = {"shards", 2.1, 5.5, 1.2},
    [ARCHIVE] = {"archive", 5.1, 0, 2.2},
    [STREAM] = {"stream", 0.1, 0, 2.2},
};

static void expect_at_most(const count *c, ngff_meeting what, double per_chunk_bound) {
    double most =
        per_chunk_bound * c->chunks + (per_chunk_bound > 0 ? 8 * c->threads : 0);
    if ((double)c->meeting[what] > most)
        fail_msg("%d threads: %llu of kind %d, at most %.0f", c->threads,
                 (unsigned long long)c->meeting[what], (int)what, most);
}

static void test_bounds(void **state) {
    static const int threads[] = {1, 2, 16, 64};
    uint64_t none[NGFF_MEETINGS];
    (void)state;
    if (!ngff_meetings_take(none))
        skip();
    for (int k = 0; k < KINDS; k++) {
        test_case c;
        make_case(k, &c);
        for (int i = 0; i < 4; i++) {
            count got;
            run(k, &c, threads[i], &got);
            print(bounds[k].name, &got);
            expect_at_most(&got, NGFF_MEET_MUTEX, bounds[k].mutex);
            expect_at_most(&got, NGFF_MEET_SPIN, bounds[k].spin);
            expect_at_most(&got, NGFF_MEET_ATOMIC, bounds[k].atomic);
            assert_true(got.meeting[NGFF_MEET_MUTEX] > 0);
            assert_true(got.meeting[NGFF_MEET_ATOMIC] > 0);
        }
        free(c.level[0].data);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {TEMPDIR_TEST(test_bounds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
