/* tiff_open: a TIFF set as a source; what opening one file and opening a stack of files
 * share. A source owns its set and its list. Reads from any thread. */
#ifndef NGFF_SOURCE_TIFF_OPEN_H
#define NGFF_SOURCE_TIFF_OPEN_H

#include "source/tiff_series.h"

typedef struct ngff_tiff_source {
    ngff_source base;
    ngff_tiff_set set;
    ngff_tiff_list list;
    ngff_tiff_series *series; /* the one that is read; in list */
    unsigned samples;         /* of a page; they are the fastest part of c */
    int pos[NGFF_TIFF_DIMS];  /* axis of the description, -1: none */
    int64_t extent[3];        /* planes along t, c, z */
    int64_t stride[3];        /* of those in the series' table */
} ngff_tiff_source;

/* An empty source with its set ready. */
NGFF_MUST_USE ngff_status ngff_tiff_source_new(const ngff_allocator *a, const char *path,
                                               const ngff_source_open_opts *opts,
                                               ngff_tiff_source **out, ngff_error *err);
/* Adds the file as the set's first and lists its images. `want`: as of ngff_tiff_ome. */
NGFF_MUST_USE ngff_status ngff_tiff_source_load(ngff_tiff_source *t, const char *path,
                                                int want, ngff_error *err);
/* Picks the series that `opts` asks for and describes it. */
NGFF_MUST_USE ngff_status ngff_tiff_source_describe(ngff_tiff_source *t,
                                                    const ngff_source_open_opts *opts,
                                                    ngff_error *err);

#endif
