/* What all workers call: stopping, progress, reading the source. */
#include "engine/job.h"

static const uint64_t REPORT_NS = 50000000;

bool ngff_job_stopped(ngff_job *job) {
    return atomic_load_explicit(&job->stop, memory_order_relaxed);
}

void ngff_job_fail(ngff_job *job, ngff_status status, const ngff_error *err) {
    assert(status != NGFF_OK);
    ngff_mutex_lock(job->lock);
    if (job->status == NGFF_OK) {
        job->status = status;
        job->error = *err;
    }
    atomic_store(&job->stop, true);
    ngff_cond_broadcast(job->changed);
    ngff_mutex_unlock(job->lock);
}

static ngff_status report(ngff_job *job, int level, ngff_error *err) {
    ngff_progress p = {
        .phase = "write",
        .level = level,
        .level_count = job->plan->levels.count,
        .bytes_done = atomic_load(&job->bytes_done),
        .bytes_total = job->plan->decoded_bytes,
    };
    if (job->opts->progress(job->opts->progress_user, &p) != 0)
        return ngff_fail(err, NGFF_CANCELLED, "cancelled");
    return NGFF_OK;
}

ngff_status ngff_job_progress(ngff_job *job, int level, uint64_t bytes, bool force,
                              ngff_error *err) {
    ngff_status status = NGFF_OK;
    if (job->opts->progress == NULL)
        return NGFF_OK;
    ngff_shared_add(&job->bytes_done, bytes);
    uint64_t now = ngff_clock_ns();
    if (!force && now < atomic_load(&job->next_report))
        return NGFF_OK;
    ngff_meet(NGFF_MEET_ATOMIC);
    if (atomic_flag_test_and_set(&job->reporting))
        return NGFF_OK;
    if (force || now >= atomic_load(&job->next_report)) {
        atomic_store(&job->next_report, now + REPORT_NS);
        status = report(job, level, err);
    }
    atomic_flag_clear(&job->reporting);
    return status;
}

static void count_read(ngff_job *job, const ngff_box *box) {
    uint64_t bytes = ngff_dtype_size(job->plan->dtype);
    for (int d = 0; d < box->ndim; d++)
        bytes *= (uint64_t)box->shape[d];
    ngff_shared_add(&job->read_bytes, bytes);
}

/* Short runs far apart are gathered once rather than looked for twice. */
static const int64_t LONG_RUN = 2048;

bool ngff_job_look(ngff_job *job, int source_level, const ngff_box *box, ngff_view *out) {
    const ngff_view *all = job->source->memory;
    if (source_level != 0 || all == NULL ||
        box->shape[box->ndim - 1] * all->strides[box->ndim - 1] < LONG_RUN)
        return false;
    count_read(job, box);
    ngff_view_sub(all, box->start, box->shape, out);
    return true;
}

ngff_status ngff_job_read(ngff_job *job, int source_level, const ngff_box *box,
                          const ngff_view *out, ngff_error *err) {
    ngff_status status;
    count_read(job, box);
    if (job->source_lock != NULL)
        ngff_mutex_lock(job->source_lock);
    status = source_level == 0
                 ? ngff_source_read(job->source, box, out, err)
                 : ngff_source_read_level(job->source, source_level, box, out, err);
    if (job->source_lock != NULL)
        ngff_mutex_unlock(job->source_lock);
    return status;
}
