/* api: what ngff_write, a region writer and ngff_write_levels have in common: options,
 * the image that is made, the engine's plan and run, documents, the report. A job is a
 * value of its caller; one thread. */
#ifndef NGFF_API_JOB_H
#define NGFF_API_JOB_H

#include "api/handles.h"

typedef struct ngff_api_job {
    ngff_context *context;
    ngff_write_opts opts; /* its texts are the caller's: for creating only */
    ngff_engine_opts engine;
    ngff_engine_stats stats;
    ngff_image *image; /* owned */
    ngff_plan plan;
    ngff_api_windows windows;
} ngff_api_job;

/* Reads `opts` (may be NULL). Close the job also when this fails. */
NGFF_MUST_USE ngff_status ngff_api_job_init(ngff_api_job *j, ngff_context *context,
                                            const ngff_image_desc *desc,
                                            const ngff_write_opts *opts, ngff_error *err);
/* What the options and the plan say about arrays and documents; `levels` has
 * NGFF_MAX_LEVELS entries. */
NGFF_MUST_USE ngff_status ngff_api_job_describe(const ngff_api_job *j,
                                                const ngff_multiscales *ms,
                                                ngff_image_level *levels,
                                                ngff_image_create_opts *opts,
                                                ngff_error *err);
/* j->image: new arrays in `store`, in memory only. */
NGFF_MUST_USE ngff_status ngff_api_job_create(ngff_api_job *j, ngff_store *store,
                                              const ngff_multiscales *ms,
                                              ngff_error *err);
NGFF_MUST_USE ngff_status ngff_api_job_plan(ngff_api_job *j, const ngff_multiscales *ms,
                                            const ngff_source *source, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_api_job_run(ngff_api_job *j, ngff_source *source,
                                           ngff_error *err);
/* Documents, then publishing. */
NGFF_MUST_USE ngff_status ngff_api_job_finish(ngff_api_job *j, ngff_store *store,
                                              ngff_error *err);
void ngff_api_job_report(const ngff_api_job *j, ngff_write_report *report);
/* INVALID for NULLs, a multiscales that was not planned, a report without a size. */
NGFF_MUST_USE ngff_status ngff_api_job_check(ngff_context *context,
                                             const ngff_multiscales *ms,
                                             const ngff_write_report *report,
                                             ngff_error *err);
/* INVALID when the extent along axis 0 is left open (ngff_writer_append). */
NGFF_MUST_USE ngff_status ngff_api_check_extent(const ngff_multiscales *ms,
                                                ngff_error *err);
/* INVALID for levels that only a source brings. */
NGFF_MUST_USE ngff_status ngff_api_check_computed(const ngff_multiscales *ms,
                                                  ngff_error *err);
/* UNSUPPORTED for archives. */
NGFF_MUST_USE ngff_status ngff_api_check_changeable(const ngff_store *store,
                                                    ngff_error *err);
void ngff_api_job_close(ngff_api_job *j);

#endif
