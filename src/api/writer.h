/* api: what an ngff_writer is. write_region may run in any number of threads; everything
 * else belongs to one. Borrows context and store. */
#ifndef NGFF_API_WRITER_H
#define NGFF_API_WRITER_H

#include "api/job.h"
#include "engine/regions.h"
#include "engine/stream.h"

struct ngff_writer {
    ngff_store *store;
    ngff_writer_opts opts;    /* without its pointers */
    ngff_multiscales planned; /* levels and method only; a joined one has none */
    ngff_api_job job;
    ngff_regions *regions;
    int start_level; /* levels below are written by regions */
    bool joined;
    bool finished; /* or failed while finishing: nothing may follow */
    /* append.c: frames instead of regions; write_region is refused */
    ngff_stream *stream;
    bool reduced;       /* a level is coarser along axis 0: only level 0 is streamed */
    bool seen;          /* live: readers see it */
    ngff_image level0;  /* reduced: the image as far as it is streamed; owns nothing */
    uint64_t documents; /* files that hold no pixels */
    ngff_engine_stats streamed;
};

/* Levels from start_level on, out of the stored ones. */
NGFF_MUST_USE ngff_status ngff_api_writer_compute(ngff_writer *w, ngff_error *err);
/* After the image is made; instead of the regions. */
NGFF_MUST_USE ngff_status ngff_api_append_open(ngff_writer *w, ngff_error *err);
/* All pixels; documents and publishing are the caller's. */
NGFF_MUST_USE ngff_status ngff_api_append_finish(ngff_writer *w, ngff_error *err);

#endif
