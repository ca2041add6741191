/* Levels added to an image that exists: the store is the one that was written at once,
 * and the kept levels can be read at every moment. */
#include "regions.h"

#include <signal.h>
#include <sys/wait.h>

static ngff_multiscales *plan_of(region_case *c, const region_layout *layout, int count) {
    static const int64_t factors[3][NGFF_MAX_NDIM] = {{2, 2, 2}, {4, 4, 4}, {8, 8, 8}};
    const int64_t shape[3] = {DEPTH, HEIGHT, WIDTH};
    ngff_image_desc desc = NGFF_IMAGE_DESC_INIT;
    ngff_plan_opts plan = NGFF_PLAN_OPTS_INIT;
    ngff_multiscales *out = NULL;
    desc.dtype = NGFF_UINT16;
    desc.ndim = 3;
    memcpy(desc.shape, shape, sizeof shape);
    plan.method = layout->method;
    plan.scale_factor_count = count > 1 ? count - 1 : -1;
    plan.scale_factors = factors;
    memcpy(plan.chunks, layout->chunk, sizeof layout->chunk);
    memcpy(plan.chunks_per_shard, layout->per_shard, sizeof layout->per_shard);
    OK(ngff_multiscales_plan(c->context, &desc, &plan, &out, &region_error));
    return out;
}

static ngff_store *written(region_case *c, const region_layout *layout, const char *name,
                           int level_count, const ngff_write_opts *opts) {
    ngff_multiscales *all = c->levels;
    c->levels = plan_of(c, layout, level_count);
    ngff_store *store = region_store(c, name, NGFF_ACCESS_WRITE);
    region_write_all(c, store, opts);
    ngff_multiscales_close(&c->levels);
    c->levels = all;
    return store;
}

static void check_added(const region_layout *layout, const char *version, int had,
                        int start) {
    region_case c = {0};
    ngff_write_opts opts = NGFF_WRITE_OPTS_INIT, more = NGFF_WRITE_OPTS_INIT;
    opts.version = version;
    region_case_init(&c, layout, 0);
    for (int flat = 0; flat < 2; flat++) {
        opts.flat_layout = flat;
        opts.codec = flat ? "gzip" : NULL; /* the new levels have it too, */
        opts.omero_windows = flat;         /* and the channels stay */
        ngff_store *a = written(&c, layout, tempdir_at(flat ? "fa" : "a"), 4, &opts);
        ngff_store *b = written(&c, layout, tempdir_at(flat ? "fb" : "b"), had, &opts);
        OK(ngff_write_levels(c.context, b, c.levels, start, &more, NULL, &region_error));
        assert_true(region_expect_same(a, b) > 20);
        assert_int_equal(access(tempdir_at("b/.ngff-claims"), F_OK), -1);
        ngff_store_close(&a);
        ngff_store_close(&b);
    }
    region_case_reset(&c);
}

static void added_levels_are_those_written_at_once(void **state) {
    region_layout nearest = region_sharded;
    (void)state;
    nearest.method = "nearest";
    check_added(&region_sharded, "0.5", 1, 1);
    tempdir_teardown(NULL), tempdir_setup(NULL);
    check_added(&region_plain, "0.4", 1, 1);
    tempdir_teardown(NULL), tempdir_setup(NULL);
    check_added(&region_sharded, "0.6", 2, 1);
    tempdir_teardown(NULL), tempdir_setup(NULL);
    check_added(&region_plain, "0.5", 2, 2);
    tempdir_teardown(NULL), tempdir_setup(NULL);
    check_added(&region_sharded, "0.5", 4, 1);
    tempdir_teardown(NULL), tempdir_setup(NULL);
    check_added(&region_plain, "0.4", 4, 3);
    tempdir_teardown(NULL), tempdir_setup(NULL);
    check_added(&nearest, "0.5", 3, 2);
}

/* From four levels to two: what is too much goes. */
static void fewer_levels_are_left(void **state) {
    region_case c = {0};
    (void)state;
    region_case_init(&c, &region_sharded, 0);
    ngff_multiscales *two = plan_of(&c, &region_sharded, 2);
    ngff_store *a = written(&c, &region_sharded, tempdir_at("a"), 2, NULL);
    ngff_store *b = written(&c, &region_sharded, tempdir_at("b"), 4, NULL);
    OK(ngff_write_levels(c.context, b, two, 1, NULL, NULL, &region_error));
    region_expect_same(a, b);
    assert_int_equal(tempdir_kind("b/scale2"), NGFF_PATH_NONE);
    ngff_store_close(&a);
    ngff_store_close(&b);
    ngff_multiscales_close(&two);
    region_case_reset(&c);
}

/* ---- killed ---- */

static int steps_to_go;

static int die(void *user, const ngff_progress *p) {
    (void)user, (void)p;
    if (steps_to_go-- == 0)
        raise(SIGKILL);
    return 0;
}

static bool killed_at(region_case *c, const char *name, int step) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        ngff_write_opts opts = NGFF_WRITE_OPTS_INIT;
        ngff_store *store = region_store(c, name, NGFF_ACCESS_UPDATE);
        opts.progress = die;
        steps_to_go = step;
        _exit(ngff_write_levels(c->context, store, c->levels, 1, &opts, NULL,
                                &region_error) == NGFF_OK
                  ? 0
                  : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
}

static void kept_levels_survive_a_kill(void **state) {
    region_case c = {0};
    int kills = 0;
    (void)state;
    region_case_init(&c, &region_plain, 0);
    ngff_store *want = written(&c, &region_plain, tempdir_at("want"), 4, NULL);
    ngff_store *b = written(&c, &region_plain, tempdir_at("b"), 4, NULL);
    ngff_store_close(&b);
    for (int step = 0; killed_at(&c, tempdir_at("b"), step); step++, kills++) {
        ngff_store *store = region_store(&c, tempdir_at("b"), NGFF_ACCESS_READ);
        ngff_multiscales *ms = NULL;
        region_expect_pixels(&c, store, c.pixels);
        OK(ngff_open(c.context, store, &ms, &region_error));
        int count = ngff_multiscales_level_count(ms);
        assert_true(count == 1 || count == 4);
        if (count == 4) /* not begun, or done: then all of it is there */
            region_expect_same(want, store);
        ngff_multiscales_close(&ms);
        ngff_store_close(&store);
    }
    assert_true(kills >= 3);
    b = region_store(&c, tempdir_at("b"), NGFF_ACCESS_READ);
    region_expect_same(want, b);
    ngff_store_close(&want);
    ngff_store_close(&b);
    region_case_reset(&c);
}

/* ---- refused ---- */

static void expect(ngff_status got, ngff_status want, const char *words, int line) {
    if (got != want || strstr(region_error.message, words) == NULL)
        fail_msg("line %d: %s: %s", line, ngff_status_text(got), region_error.message);
}
#define EXPECT(call, status, words) expect(call, status, words, __LINE__)

static ngff_status add_from(region_case *c, ngff_store *store, int start,
                            const ngff_write_opts *opts) {
    return ngff_write_levels(c->context, store, c->levels, start, opts, NULL,
                             &region_error);
}

static void what_does_not_fit_changes_nothing(void **state) {
    static const int64_t half[1][NGFF_MAX_NDIM] = {{2, 2, 2}};
    region_case c = {0}, other = {0};
    ngff_write_opts opts = NGFF_WRITE_OPTS_INIT;
    (void)state;
    region_case_init(&c, &region_sharded, 0);
    region_case_init(&other, &region_sharded, 1000);
    ngff_store *a = written(&c, &region_sharded, tempdir_at("a"), 2, NULL);
    ngff_store *b = written(&c, &region_sharded, tempdir_at("b"), 2, NULL);
    EXPECT(add_from(&c, b, 0, NULL), NGFF_INVALID, "start_level is 0");
    EXPECT(add_from(&c, b, 4, NULL), NGFF_INVALID, "start_level is 4");
    EXPECT(add_from(&c, b, 3, NULL), NGFF_INVALID, "levels 0 to 1");
    opts.version = "0.4";
    EXPECT(add_from(&c, b, 1, &opts), NGFF_INVALID, "the image is 0.5");
    opts.version = NULL;
    opts.codec = "nonesuch";
    EXPECT(add_from(&c, b, 1, &opts), NGFF_INVALID, "nonesuch");
    EXPECT(add_from(&other, b, 1, NULL), NGFF_LIMIT, "budget");
    ngff_multiscales *wrong = c.levels;
    ngff_image_desc desc = NGFF_IMAGE_DESC_INIT;
    ngff_plan_opts plan = NGFF_PLAN_OPTS_INIT;
    OK(ngff_multiscales_image(c.levels, &desc, &region_error));
    desc.shape[2]--;
    plan.scale_factor_count = 1;
    plan.scale_factors = half;
    OK(ngff_multiscales_plan(c.context, &desc, &plan, &c.levels, &region_error));
    EXPECT(add_from(&c, b, 1, NULL), NGFF_INVALID, "20x50x70");
    ngff_multiscales_close(&c.levels);
    c.levels = wrong;
    region_expect_same(a, b);
    ngff_store_close(&a);
    ngff_store_close(&b);
    region_case_reset(&c);
    region_case_reset(&other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEMPDIR_TEST(added_levels_are_those_written_at_once),
        TEMPDIR_TEST(fewer_levels_are_left),
        TEMPDIR_TEST(kept_levels_survive_a_kill),
        TEMPDIR_TEST(what_does_not_fit_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
