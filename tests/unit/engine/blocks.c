/* Any plan gives the same bytes: block extents, workers, spill memory and windows made up
 * at random, not chosen by the cost model. */
#include "case.h"

#include "engine/search.h"

static void make_input(const test_case *c, const test_source *s, ngff_plan_input *in) {
    *in = (ngff_plan_input){.levels = &c->levels,
                            .method = c->request.method,
                            .dtype = c->request.dtype,
                            .traits = s->base.traits};
    for (int n = 0; n < NGFF_MAX_LEVELS; n++)
        in->source_level[n] = n == 0 ? 0 : -1;
    ngff_tier_halo_init(in->levels, in->method, in->dtype, &in->halo);
}

static void random_tier(const ngff_plan_input *in, uint64_t *r, int root, ngff_tier *t,
                        ngff_tier_bound *bound) {
    ngff_error err = {0};
    *t = (ngff_tier){.root = root, .source_level = in->source_level[root]};
    for (int d = 0; d < in->levels->ndim; d++) {
        const ngff_level *l = &in->levels->level[root];
        int64_t whole = ngff_ceil_div(l->shape[d], l->chunk[d]);
        int64_t most = ngff_min_i64(whole, random_range(r, 0, 2) == 0 ? 5 : 2);
        t->block[d] = l->chunk[d] * random_range(r, 1, most);
    }
    assert_int_equal(ngff_search_settle(in, t, bound, &err), NGFF_OK);
}

static void random_window(const ngff_plan_input *in, uint64_t *r, ngff_plan *plan,
                          const ngff_tier_bound *bound) {
    ngff_window_plan *w = &plan->window;
    ngff_window_plan_for(in, &plan->tier[0], bound, w);
    int64_t least = w->slots;
    if (w->rows > 1 && random_range(r, 0, 1) == 0 && in->traits.sequential) {
        /* smaller groups than the plan would make of so small an image */
        w->slot_size /= (uint64_t)w->rows;
        int last = w->axis[w->axis_count - 1];
        int64_t shape = in->levels->level[0].shape[last];
        int64_t frames = w->group_count / ngff_ceil_div(shape, w->rows);
        least = ngff_min_i64(least * w->rows, shape * frames);
        w->rows = 1;
        w->group_count = shape * frames;
        int band = in->levels->ndim - 2;
        if (last < band && in->levels->level[0].shape[band] > 2) {
            w->band_axis = band;
            w->band = random_range(r, 1, 4);
            for (int d = last + 1; d < band; d++)
                if (in->levels->level[0].shape[d] > 1 && d != w->axis[0])
                    w->band_axis = -1; /* not forward */
        }
    }
    w->slots = least;
}

static void random_plan(const ngff_plan_input *in, uint64_t *r, bool staged,
                        ngff_plan *plan) {
    uint32_t waits = 1;
    *plan = (ngff_plan){.levels = *in->levels,
                        .method = in->method,
                        .dtype = in->dtype,
                        .threads = (int)random_range(r, 1, 6),
                        .spill_memory = (size_t)random_range(r, 0, 30000),
                        .decoded_bytes = UINT64_MAX};
    for (int n = 0; n < in->levels->count; n++) {
        ngff_tier_bound bound;
        ngff_tier *t = &plan->tier[plan->tier_count];
        if (!ngff_tier_has(waits, n))
            continue;
        random_tier(in, r, n, t, &bound);
        waits |= t->retained;
        plan->tier_count++;
        if (n == 0 && staged)
            random_window(in, r, plan, &bound);
        plan->arena = t->workspace > plan->arena ? t->workspace : plan->arena;
    }
    if (plan->window.on && plan->window.read_size > plan->arena)
        plan->arena = plan->window.read_size;
}

static uint32_t run_plan(const test_case *c, const ngff_plan *plan, test_source *s,
                         ngff_engine_stats *stats) {
    ngff_store *store;
    ngff_image *image;
    ngff_error err = {0};
    ngff_engine_opts opts = {.stats = stats};
    assert_int_equal(ngff_store_open_memory(NULL, &store, &err), NGFF_OK);
    make_image(c, store, &image);
    if (ngff_engine_run(plan, &s->base, image, &opts, &err) != NGFF_OK)
        fail_msg("run: %s", err.message);
    check_levels(c, image);
    uint32_t sum = sum_store(store);
    ngff_image_close(&image);
    ngff_store_drop(&store);
    return sum;
}

/* Counts over all cases, so that a test which has stopped to test something is seen. */
static struct { int tiers, windows, bands, frames, threads, files; } seen;

static void note(const ngff_plan *plan, const ngff_engine_stats *stats) {
    seen.tiers += plan->tier_count > 2;
    seen.windows += plan->window.on && plan->window.slots < plan->window.group_count;
    seen.bands += plan->window.on && plan->window.band_axis >= 0;
    seen.frames += plan->window.on && plan->window.axis_count == 2;
    seen.threads += plan->threads > 2 && stats->blocks > 10;
    seen.files += stats->spill_file_bytes > 0;
}

static void check_case(uint64_t seed) {
    uint64_t r = seed;
    test_case c;
    uint32_t first = 0;
    random_request(&r, &c.request);
    test_case_from_request(&c, &r);
    for (int i = 0; i < 4; i++) {
        test_source s;
        ngff_plan_input in;
        ngff_plan plan;
        ngff_engine_stats stats;
        test_source_init(&s, &c.level[0]);
        s.base.traits.sequential = i == 2;
        s.base.traits.reentrant = i != 2;
        make_input(&c, &s, &in);
        random_plan(&in, &r, i >= 2, &plan);
        uint32_t sum = run_plan(&c, &plan, &s, &stats);
        note(&plan, &stats);
        if (i == 0)
            first = sum;
        else if (sum != first)
            fail_msg("seed %llu, plan %d: other bytes", (unsigned long long)seed, i);
    }
    test_case_reset(&c);
}

static void test_random_plans(void **state) {
    (void)state;
    const char *count = getenv("NGFF_TEST_CASES"), *from = getenv("NGFF_TEST_SEED");
    uint64_t first = from != NULL ? strtoull(from, NULL, 10) : 5000;
    uint64_t last = first + (count != NULL ? strtoull(count, NULL, 10) : 80);
    for (uint64_t seed = first; seed < last; seed++)
        check_case(seed);
    if (last - first < 80)
        return;
    assert_true(seen.tiers > 0 && seen.windows > 0 && seen.bands > 0);
    assert_true(seen.frames > 0 && seen.threads > 0 && seen.files > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_plans)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
