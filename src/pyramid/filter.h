/* pyramid: the short filter that is "discrete Gaussian, then sampling" in one (pixels.md
 * 4, to_ngff_zarr.md 2.4). Pure; any thread. */
#ifndef NGFF_PYRAMID_FILTER_H
#define NGFF_PYRAMID_FILTER_H

#include <stdint.h>

enum { NGFF_FILTER_MAX_PAIRS = 33, NGFF_FILTER_MAX_STEP = 1024 };

/* Result i is c + sum over p of weight[p] * ((x[lo[p]] - c) + (x[hi[p]] - c)), p
 * ascending, all offsets relative to i * step, c = x[centre]. For an even step the centre
 * is the lower of the two middle voxels, and pair 0 is (centre, centre + 1). */
typedef struct ngff_filter {
    int64_t step;
    int pairs;
    int64_t centre;
    int64_t lo[NGFF_FILTER_MAX_PAIRS], hi[NGFF_FILTER_MAX_PAIRS];
    long double weight[NGFF_FILTER_MAX_PAIRS];
} ngff_filter;

/* step in 2..NGFF_FILTER_MAX_STEP. */
void ngff_filter_init(ngff_filter *f, int64_t step);
/* Lowest and highest offset of a tap. */
void ngff_filter_reach(const ngff_filter *f, int64_t *lowest, int64_t *highest);

#endif
