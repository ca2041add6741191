/* zarr: the order of storage units in stores that keep one. */
#include "zarr/inside.h"

uint64_t ngff_zarr_unit_count(const ngff_zarr_array *array) {
    uint64_t count = 1;
    for (int i = 0; i < array->meta.ndim; i++)
        count *= (uint64_t)array->shard_grid[i];
    return count;
}

uint64_t ngff_zarr_unit_rank(const ngff_zarr_array *array, const int64_t *idx) {
    int64_t grid[NGFF_MAX_NDIM], at[NGFF_MAX_NDIM];
    uint64_t outer = 0, inner_count = 1;
    int inner = 0;
    for (int i = 0; i < array->meta.ndim; i++) {
        if (array->per_shard[i] == 1) {
            outer = outer * (uint64_t)array->shard_grid[i] + (uint64_t)idx[i];
            continue;
        }
        grid[inner] = array->shard_grid[i];
        at[inner++] = idx[i];
        inner_count *= (uint64_t)array->shard_grid[i];
    }
    if (inner == 0)
        return outer;
    inner--; /* a line along the last of them is written at once */
    return (outer * (inner_count / (uint64_t)grid[inner]) +
            (uint64_t)ngff_nd_morton_position(inner, grid, at)) *
               (uint64_t)grid[inner] +
           (uint64_t)at[inner];
}
