/* Region writing when something fails: every call of the store, every allocation. The
 * answer is the failure's own, nothing is published, nothing leaks, nothing hangs. */
#include "regions.h"

/* ---- the whole of it, in either way ---- */

static ngff_status put_parts(region_case *c, ngff_writer *w) {
    const ngff_box boxes[] = {region_box(0, 0, 0, DEPTH, 21, WIDTH),
                              region_box(0, 21, 0, DEPTH, 20, 40),
                              region_box(0, 21, 40, DEPTH, 20, 30)};
    for (size_t i = 0; i < sizeof boxes / sizeof boxes[0]; i++) {
        ngff_status status = region_put(c, w, &boxes[i]);
        if (status != NGFF_OK)
            return status;
    }
    return NGFF_OK;
}

static ngff_status finish(region_case *c, ngff_writer **w, ngff_status status) {
    if (status == NGFF_OK)
        status = put_parts(c, *w);
    if (status == NGFF_OK)
        status = ngff_writer_finish(*w, NULL, &region_error);
    ngff_writer_close(w);
    return status;
}

static ngff_status write_new(region_case *c, ngff_store *store) {
    ngff_writer *w = NULL;
    return finish(
        c, &w, ngff_writer_open(c->context, store, c->levels, NULL, &w, &region_error));
}

static ngff_status write_in_steps(region_case *c, ngff_store *store) {
    ngff_writer *w = NULL;
    ngff_status status =
        ngff_write_metadata(c->context, store, c->levels, NULL, &region_error);
    if (status != NGFF_OK)
        return status;
    status = finish(c, &w, ngff_writer_join(c->context, store, NULL, &w, &region_error));
    if (status != NGFF_OK)
        return status;
    return ngff_write_levels(c->context, store, c->levels, 1, NULL, NULL, &region_error);
}

typedef ngff_status (*way)(region_case *c, ngff_store *store);
static const way ways[] = {write_new, write_in_steps};

/* ---- the store ---- */

static void check_calls(way write, const region_layout *layout) {
    region_case c = {0};
    region_case_init(&c, layout, 0);
    ngff_status status = NGFF_IO;
    int failures = 0;
    for (uint64_t at = 1; status != NGFF_OK; at += 1 + at / 30, failures++) {
        ngff_store *inner = region_store(&c, "memory://", NGFF_ACCESS_WRITE), *store;
        uint64_t calls = 0, size;
        OK(ngff_store_open_fault(NULL, inner, at, &calls, &store, &region_error));
        status = write(&c, store);
        if (status != NGFF_OK &&
            (status != NGFF_IO || !strstr(region_error.message, "injected fault")))
            fail_msg("call %d: %s: %s", (int)at, ngff_status_text(status),
                     region_error.message);
        if (status != NGFF_OK && write == write_new && at < calls)
            assert_int_equal(ngff_store_size(inner, "zarr.json", &size, NULL),
                             NGFF_NOT_FOUND);
        ngff_store_close(&store);
        ngff_store_close(&inner);
    }
    assert_true(failures > 30);
    region_case_reset(&c);
}

static void any_call_of_the_store_may_fail(void **state) {
    (void)state;
    check_calls(ways[0], &region_plain);
    check_calls(ways[0], &region_sharded);
    check_calls(ways[1], &region_sharded);
}

/* ---- memory ---- */

static long allocations_left;

static void *failing_alloc(void *user, size_t size) {
    (void)user;
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void failing_release(void *user, void *block) {
    (void)user;
    free(block);
}

static void check_allocations(way write) {
    region_case c = {0};
    ngff_context_opts opts = NGFF_CONTEXT_OPTS_INIT;
    ngff_context *failing = NULL;
    ngff_status status = NGFF_NOMEM;
    int failures = 0;
    region_case_init(&c, &region_sharded, 0);
    opts.alloc = failing_alloc;
    opts.release = failing_release;
    opts.threads = 1;
    allocations_left = 1000000;
    OK(ngff_context_create(&opts, &failing, &region_error));
    ngff_context *own = c.context;
    ngff_image_desc desc = NGFF_IMAGE_DESC_INIT;
    ngff_multiscales *levels = NULL;
    ngff_plan_opts plan = NGFF_PLAN_OPTS_INIT;
    for (int i = 0; i < 3; i++) {
        plan.chunks[i] = 10;
        plan.chunks_per_shard[i] = 2;
    }
    plan.min_size = 8;
    OK(ngff_multiscales_image(c.levels, &desc, &region_error));
    OK(ngff_multiscales_plan(failing, &desc, &plan, &levels, &region_error));
    ngff_multiscales *all = c.levels;
    c.levels = levels;
    c.context = failing;
    /* The first ones one by one, later ones with gaps that grow. */
    for (long n = 0; status != NGFF_OK; n += 1 + n / 20, failures++) {
        ngff_store *store = NULL;
        allocations_left = 1000000;
        OK(ngff_store_open(failing, "memory://", NULL, &store, &region_error));
        allocations_left = n;
        status = write(&c, store);
        if (status != NGFF_OK && status != NGFF_NOMEM)
            fail_msg("allocation %ld: %s: %s", n, ngff_status_text(status),
                     region_error.message);
        ngff_store_close(&store);
    }
    assert_true(failures > 60);
    c.levels = all;
    c.context = own;
    ngff_multiscales_close(&levels);
    ngff_context_close(&failing);
    region_case_reset(&c);
}

static void any_allocation_may_fail(void **state) {
    (void)state;
    check_allocations(write_new);
    check_allocations(write_in_steps);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_call_of_the_store_may_fail),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
