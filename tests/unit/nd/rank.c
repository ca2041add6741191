/* Positions in Morton order, against counting by comparison. */
#include "support/cmocka.h"
#include "support/random.h"

#include "nd/nd.h"

static void expect_position(int ndim, const int64_t *grid, const int64_t *idx) {
    ngff_box all = {.ndim = ndim};
    int64_t other[NGFF_MAX_NDIM] = {0};
    uint64_t before = 0;
    memcpy(all.shape, grid, sizeof *grid * (size_t)ndim);
    do
        before += ngff_nd_morton_compare(ndim, other, idx) < 0;
    while (ngff_box_next(&all, other));
    assert_int_equal(ngff_nd_morton_position(ndim, grid, idx), before);
}

static void counts_what_comes_before(void **state) {
    (void)state;
    uint64_t seed = 5;
    for (int round = 0; round < 400; round++) {
        int ndim = (int)random_range(&seed, 1, 5);
        int64_t grid[NGFF_MAX_NDIM], idx[NGFF_MAX_NDIM];
        for (int d = 0; d < ndim; d++) {
            grid[d] = random_range(&seed, 1, ndim < 4 ? 11 : 5);
            idx[d] = random_range(&seed, 0, grid[d] - 1);
        }
        expect_position(ndim, grid, idx);
    }
}

static void large_grids(void **state) {
    (void)state;
    const int64_t line[1] = {INT64_C(1) << 61}, at[1] = {(INT64_C(1) << 61) - 1};
    assert_int_equal(ngff_nd_morton_position(1, line, at), at[0]);
    const int64_t grid[3] = {1 << 20, 1 << 20, 1 << 20};
    const int64_t last[3] = {(1 << 20) - 1, (1 << 20) - 1, (1 << 20) - 1};
    assert_int_equal(ngff_nd_morton_position(3, grid, last), (INT64_C(1) << 60) - 1);
    assert_int_equal(ngff_nd_morton_position(0, grid, last), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_what_comes_before),
        cmocka_unit_test(large_grids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
