/* pyramid: the row kernels, one set per instruction set, behind a table. Every set
 * computes the same bits: sums run in one order and nothing is contracted (pixels.md 10).
 * Pure functions on caller memory; rows need no alignment, accumulator rows and `tile`
 * are aligned to 64 bytes. Any thread. */
#ifndef NGFF_PYRAMID_KERNELS_H
#define NGFF_PYRAMID_KERNELS_H

#include "pyramid/filter.h"
#include "pyramid/pyramid.h"

/* One row of blocks: `count` results, each from `step` neighbours in every one of `rows`
 * rows. The order of a block's values is row by row, as `row` lists them. */
typedef struct ngff_block {
    const void *const *row;
    int64_t rows;
    int64_t step;
    int64_t count;
} ngff_block;

enum {
    NGFF_TILE_BYTES = 64
}; /* what `tile` holds per value of a block (sorting kernels) */

typedef void ngff_block_fn(const ngff_block *block, void *dst, void *tile);

/* Filtering works on rows of accumulators: float, double or long double. A tap is where a
 * row (or a phase of a row) starts: tap[0] the centre's, then lo and hi of each pair. */
typedef struct ngff_gauss_fns {
    size_t acc_size;
    void (*source)(const void *const *tap, const ngff_filter *f, int64_t n, void *out);
    void (*again)(const void *const *tap, const ngff_filter *f, int64_t n, void *out);
    void (*load)(const void *row, int64_t n, void *out);
    void (*split)(const void *row, int64_t step, int64_t n, void *const *phase);
    void (*store)(const void *row, int64_t n, void *dst);
} ngff_gauss_fns;

typedef struct ngff_dtype_kernels {
    ngff_block_fn *mean, *mode, *median, *min, *max;
    ngff_gauss_fns gauss;
} ngff_dtype_kernels;

typedef struct ngff_kernels {
    const char *name;
    ngff_dtype_kernels of[NGFF_FLOAT64 + 1];
} ngff_kernels;

extern const ngff_kernels ngff_kernels_plain;
extern const ngff_kernels ngff_kernels_avx2;

/* The fastest set this processor runs, or the plain one while a test forces it. */
const ngff_kernels *ngff_kernels_chosen(void);
/* For tests: not to be called while another thread reduces. */
void ngff_pyramid_force_plain(bool on);

#endif
