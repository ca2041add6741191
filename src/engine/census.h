/* census: how often each value occurs, by channel, for display windows (pixels.md 14).
 * Threads add blocks of pixels in any order and get the same counts: 65,536 bins by the
 * top 16 bits of an order-preserving key, so exact for types of 8 and 16 bit; minimum and
 * maximum are exact for all. Values that are not finite are left out. Owned by whoever
 * created it; adding is safe from any thread, the rest is for one. */
#ifndef NGFF_ENGINE_CENSUS_H
#define NGFF_ENGINE_CENSUS_H

#include "nd/nd.h"

typedef struct ngff_census ngff_census;

/* Bytes that a census will hold while `threads` add to it. 0: the type is not counted. */
uint64_t ngff_census_size(ngff_dtype dtype, int64_t channels, int threads);
/* `axis`: that of the channels, -1 without one (then `channels` is 1). */
NGFF_MUST_USE ngff_status ngff_census_create(const ngff_allocator *a, ngff_dtype dtype,
                                             int axis, int64_t channels,
                                             ngff_census **out, ngff_error *err);
void ngff_census_close(ngff_census **census);
int ngff_census_axis(const ngff_census *census);
/* The pixels of `view`, whose first channel is `first`. Every pixel is added once. */
NGFF_MUST_USE ngff_status ngff_census_add(ngff_census *census, const ngff_view *view,
                                          int64_t first, ngff_error *err);

typedef struct ngff_census_window {
    double min, max, start, end;
} ngff_census_window;
/* start and end: the quantiles `low` and `high` (0..1), between ranks interpolated; 0..1
 * when nothing is finite. Always finite. */
void ngff_census_window_of(const ngff_census *census, int64_t channel, double low,
                           double high, ngff_census_window *out);

#endif
