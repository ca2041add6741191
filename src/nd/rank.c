/* nd: how many cells of a grid come before one in Morton order. Cells before `idx` share
 * its higher bits down to some bit that is 1 in `idx` and 0 in them: for every such bit
 * they fill a box, clipped to the grid. */
#include "nd/nd.h"

/* Of axis d: the cells from `low` on whose remaining `bits` are free, inside the grid. */
static uint64_t clipped(int64_t grid, int64_t low, int bits) {
    int64_t left = grid - low;
    if (left <= 0)
        return 0;
    return bits >= 62 || left < (int64_t)1 << bits ? (uint64_t)left : UINT64_C(1) << bits;
}

static uint64_t box_below(int ndim, const int64_t *grid, const int64_t *idx, int bit,
                          int axis) {
    uint64_t count = 1;
    for (int d = 0; d < ndim; d++) {
        int free_bits = d <= axis ? bit : bit + 1;
        int64_t low = idx[d] >> free_bits << free_bits;
        if (d == axis)
            low ^= (int64_t)1 << bit;
        count *= clipped(grid[d], low, free_bits);
    }
    return count;
}

uint64_t ngff_nd_morton_position(int ndim, const int64_t *grid, const int64_t *idx) {
    int64_t all = 0;
    int top = 0;
    uint64_t before = 0;
    for (int d = 0; d < ndim; d++) {
        assert(idx[d] >= 0 && idx[d] < grid[d]);
        all |= idx[d];
    }
    while (top < 62 && all >> top != 0)
        top++;
    for (int bit = top - 1; bit >= 0; bit--) {
        for (int d = 0; d < ndim; d++)
            if (idx[d] >> bit & 1)
                before += box_below(ndim, grid, idx, bit, d);
    }
    return before;
}
