/* The order in which blocks are handed out: each once, and, in archives, the order of the
 * shards' ranks. */
#include "support/cmocka.h"
#include "support/random.h"

#include "engine/order.h"

enum { MAX_BLOCKS = 4096 };

typedef struct shape {
    ngff_plan plan;
    ngff_zarr_array array; /* of the root */
    int64_t blocks;
} shape;

/* `exact`: a block is one shard. */
static void random_shape(uint64_t *r, bool exact, shape *s) {
    ngff_level *l = &s->plan.levels.level[0];
    ngff_tier *t = &s->plan.tier[0];
    memset(s, 0, sizeof *s);
    s->plan.levels.ndim = s->array.meta.ndim = (int)random_range(r, 1, 4);
    s->plan.levels.count = s->plan.tier_count = 1;
    l->sharded = s->array.meta.sharded = true;
    s->blocks = 1;
    for (int d = 0; d < s->plan.levels.ndim; d++) {
        l->chunk[d] = random_range(r, 1, 3);
        l->per_shard[d] = s->array.per_shard[d] = random_range(r, 1, 4);
        l->shape[d] = random_range(r, 1, 40);
        int64_t shard = l->chunk[d] * l->per_shard[d];
        t->block[d] = exact ? shard : l->chunk[d] * random_range(r, 1, 9);
        t->grid[d] = ngff_ceil_div(l->shape[d], t->block[d]);
        s->array.shard_grid[d] = ngff_ceil_div(l->shape[d], shard);
        s->blocks *= t->grid[d];
    }
}

static int64_t linear(const shape *s, const int64_t *idx) {
    int64_t at = 0;
    for (int d = 0; d < s->plan.levels.ndim; d++) {
        assert_in_range(idx[d], 0, s->plan.tier[0].grid[d] - 1);
        at = at * s->plan.tier[0].grid[d] + idx[d];
    }
    return at;
}

static void every_block_once(void **state) {
    (void)state;
    int cases = 0;
    for (uint64_t r = 1, n = 0; n < 600; n++) {
        shape s;
        random_shape(&r, false, &s);
        if (s.blocks > MAX_BLOCKS)
            continue;
        for (int lines = 0; lines < 2; lines++) {
            static unsigned char seen[MAX_BLOCKS];
            int64_t idx[NGFF_MAX_NDIM] = {0}, count = 0;
            ngff_order order;
            memset(seen, 0, sizeof seen);
            ngff_order_init(&order, &s.plan, &s.plan.tier[0], false, lines == 1);
            for (; ngff_order_next(&order, idx); count++) {
                assert_int_equal(seen[linear(&s, idx)], 0);
                seen[linear(&s, idx)] = 1;
            }
            assert_int_equal(count, s.blocks);
        }
        cases++;
    }
    assert_true(cases > 300);
}

static void shards_of_an_archive_come_by_rank(void **state) {
    (void)state;
    int cases = 0;
    for (uint64_t r = 2, n = 0; n < 600; n++) {
        shape s;
        uint64_t rank = 0;
        int64_t idx[NGFF_MAX_NDIM] = {0};
        ngff_order order;
        random_shape(&r, true, &s);
        ngff_order_init(&order, &s.plan, &s.plan.tier[0], false, true);
        for (; ngff_order_next(&order, idx); rank++)
            assert_int_equal(ngff_zarr_unit_rank(&s.array, idx), rank);
        assert_int_equal(rank, ngff_zarr_unit_count(&s.array));
        cases += rank > 1;
    }
    assert_true(cases > 300);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_block_once),
        cmocka_unit_test(shards_of_an_archive_come_by_rank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
