/* pyramid: the three ways a level is made, behind ngff_reduce. Each takes a checked
 * reduction and boxes that fit it; `scratch` is aligned to 64 bytes. Pure; any thread. */
#ifndef NGFF_PYRAMID_REDUCE_H
#define NGFF_PYRAMID_REDUCE_H

#include "pyramid/kernels.h"

typedef struct ngff_reduce_job {
    const ngff_reduction *r;
    const ngff_box *src_box;
    const ngff_view *src;
    const ngff_box *dst_box;
    const ngff_view *dst;
    const ngff_dtype_kernels *kernels;
    char *scratch;
} ngff_reduce_job;

size_t ngff_block_scratch(const ngff_reduction *r);
void ngff_block_reduce(const ngff_reduce_job *job); /* mean, mode, median, min, max */

void ngff_gauss_need(int64_t step, int64_t src_size, int64_t *start, int64_t *size);
size_t ngff_gauss_scratch(const ngff_reduction *r, const int64_t *dst_box_shape);
void ngff_gauss_reduce(const ngff_reduce_job *job);

void ngff_nearest_reduce(const ngff_reduce_job *job);

/* Where a source voxel and a destination row start. Coordinates are those of the level.
 */
const char *ngff_reduce_source(const ngff_reduce_job *job, const int64_t *at);
char *ngff_reduce_row(const ngff_reduce_job *job, const int64_t *at);
/* The destination's rows: dst_box with a last axis of one; `at` set to the first. */
void ngff_reduce_rows(const ngff_reduce_job *job, ngff_box *rows,
                      int64_t at[NGFF_MAX_NDIM]);

static inline size_t ngff_round_up_64(size_t size) {
    return (size + 63) & ~(size_t)63;
}

#endif
