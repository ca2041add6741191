/* api: what an ngff_writer is. write_region may run in any number of threads; everything
 * else belongs to one. Borrows context and store. */
#ifndef NGFF_API_WRITER_H
#define NGFF_API_WRITER_H

#include "api/job.h"
#include "engine/regions.h"

struct ngff_writer {
    ngff_store *store;
    ngff_writer_opts opts;    /* without its pointers */
    ngff_multiscales planned; /* levels and method only; a joined one has none */
    ngff_api_job job;
    ngff_regions *regions;
    int start_level; /* levels below are written by regions */
    bool joined;
    bool finished; /* or failed while finishing: nothing may follow */
};

#endif
