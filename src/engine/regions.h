/* regions: an image's arrays filled box by box, from any number of threads. Chunks that a
 * box covers are encoded at once by the thread that brings it; parts are gathered raw in
 * a spill until their chunk is complete. A stored chunk is never read and changed: what
 * is complete is complete.
 *
 * Owns its spill, its array writers and the contexts of its callers; borrows the image.
 * `write` from any thread, the rest from one. In an image that others write too
 * (`shared`), storage units are claimed before they are touched (store.h) and kept until
 * the regions are closed. */
#ifndef NGFF_ENGINE_REGIONS_H
#define NGFF_ENGINE_REGIONS_H

#include "image/image.h"

typedef struct ngff_regions ngff_regions;

typedef struct ngff_regions_opts {
    int level_count; /* levels below are written by regions */
    bool shared; /* the image exists; units are claimed, what is stored is EXISTS, what
                    was never touched is left alone */
    bool write_empty_chunks;
    bool no_spill; /* LIMIT instead of a file */
    size_t memory; /* bytes that may wait in memory */
} ngff_regions_opts;

typedef struct ngff_regions_stats {
    uint64_t encoded_bytes, parked_chunks, gathered_chunks, spill_file_bytes;
} ngff_regions_stats;

NGFF_MUST_USE ngff_status ngff_regions_create(ngff_image *image,
                                              const ngff_regions_opts *opts,
                                              ngff_regions **out, ngff_error *err);
/* `pixels` has the box's shape and the image's dtype. EXISTS: a chunk that is complete,
 * or somebody else's; then nothing was written unless another thread was at the same
 * chunk. NOT_FOUND: no such level here. */
NGFF_MUST_USE ngff_status ngff_regions_write(ngff_regions *r, int level,
                                             const ngff_box *box, const ngff_view *pixels,
                                             ngff_error *err);
/* Everything that was not given is the fill value; all levels below level_count are
 * complete afterwards (shared: the units that were touched). */
NGFF_MUST_USE ngff_status ngff_regions_finish(ngff_regions *r, ngff_error *err);
void ngff_regions_stats_get(const ngff_regions *r, ngff_regions_stats *out);
void ngff_regions_close(ngff_regions **r);

#endif
