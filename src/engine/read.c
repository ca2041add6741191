/* read: see read.h. A box is cut into runs of chunks along its last axis, which are
 * handed out by one atomic counter. */
#include "engine/read.h"
#include "base/shared.h"
#include "sys/sys.h"

enum { HELPERS_MAX = 255 };
/* Decoded bytes that are worth the start of a thread; bytes handed out at once. */
static const uint64_t bytes_per_thread = (uint64_t)1 << 20;
static const int64_t bytes_per_run = (int64_t)128 << 10;

struct ngff_engine_reader {
    const ngff_allocator *alloc;
    ngff_mutex *lock; /* the idle contexts, and the first error of a call */
    int threads;
    int idle_count;
    ngff_codec_ctx *idle[HELPERS_MAX + 1];
};

/* One call; on its caller's stack. */
typedef struct reading {
    ngff_engine_reader *reader;
    const ngff_zarr_array *array;
    const ngff_box *box;
    const ngff_view *out;
    int64_t run[NGFF_MAX_NDIM]; /* elements handed out at once */
    ngff_box cells;             /* the grid of runs */
    uint64_t count;
    atomic_uint_fast64_t next;
    ngff_status status; /* first error, under the lock */
    ngff_error error;
} reading;

ngff_status ngff_engine_reader_create(const ngff_allocator *a, int threads,
                                      ngff_engine_reader **out, ngff_error *err) {
    *out = NULL;
    ngff_engine_reader *r = ngff_calloc(a, 1, sizeof *r);
    if (r == NULL)
        return ngff_fail_nomem(err, "a reader", sizeof *r);
    r->alloc = a;
    r->threads = threads > 0 ? threads : ngff_cpu_count();
    if (r->threads > HELPERS_MAX + 1)
        r->threads = HELPERS_MAX + 1;
    ngff_status status = ngff_mutex_create(a, &r->lock, err);
    if (status != NGFF_OK)
        ngff_engine_reader_close(&r);
    *out = r;
    return status;
}

void ngff_engine_reader_close(ngff_engine_reader **reader) {
    ngff_engine_reader *r = reader != NULL ? *reader : NULL;
    if (r == NULL)
        return;
    while (r->idle_count > 0)
        ngff_codec_ctx_close(&r->idle[--r->idle_count]);
    ngff_mutex_close(&r->lock);
    ngff_free(r->alloc, r);
    *reader = NULL;
}

/* ---- contexts ---- */

static ngff_status take_ctx(ngff_engine_reader *r, ngff_codec_ctx **out,
                            ngff_error *err) {
    ngff_codec_ctx *ctx = NULL;
    ngff_mutex_lock(r->lock);
    if (r->idle_count > 0)
        ctx = r->idle[--r->idle_count];
    ngff_mutex_unlock(r->lock);
    *out = ctx;
    return ctx != NULL ? NGFF_OK : ngff_codec_ctx_create(r->alloc, out, err);
}

/* No more are kept than one call uses. */
static void give_ctx(ngff_engine_reader *r, ngff_codec_ctx *ctx) {
    ngff_mutex_lock(r->lock);
    if (r->idle_count < r->threads) {
        r->idle[r->idle_count++] = ctx;
        ctx = NULL;
    }
    ngff_mutex_unlock(r->lock);
    ngff_codec_ctx_close(&ctx);
}

/* ---- one call ---- */

static ngff_status read_run(const reading *job, ngff_codec_ctx *ctx, uint64_t n,
                            ngff_error *err) {
    const ngff_zarr_meta *m = &job->array->meta;
    ngff_box unit, part;
    ngff_view to;
    int64_t idx[NGFF_MAX_NDIM], start[NGFF_MAX_NDIM];
    for (int i = m->ndim - 1; i >= 0; i--) {
        uint64_t extent = (uint64_t)job->cells.shape[i];
        idx[i] = job->cells.start[i] + (int64_t)(n % extent);
        n /= extent;
    }
    ngff_box_of_cell(m->ndim, idx, job->run, m->shape, &unit);
    if (!ngff_box_intersect(&unit, job->box, &part))
        return NGFF_OK;
    for (int i = 0; i < m->ndim; i++)
        start[i] = part.start[i] - job->box->start[i];
    ngff_view_sub(job->out, start, part.shape, &to);
    return ngff_zarr_read(job->array, ctx, &part, &to, err);
}

static ngff_status read_runs(reading *job, ngff_error *err) {
    ngff_codec_ctx *ctx = NULL;
    ngff_status status = take_ctx(job->reader, &ctx, err);
    if (status != NGFF_OK)
        return status;
    for (;;) {
        ngff_meet(NGFF_MEET_ATOMIC);
        uint64_t n = atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed);
        if (n >= job->count)
            break;
        status = read_run(job, ctx, n, err);
        if (status != NGFF_OK)
            break;
    }
    give_ctx(job->reader, ctx);
    return status;
}

/* The first error wins. */
static void fail(reading *job, ngff_status status, const ngff_error *err) {
    atomic_store(&job->next, job->count); /* nobody begins another run */
    ngff_mutex_lock(job->reader->lock);
    if (job->status == NGFF_OK) {
        job->status = status;
        job->error = *err;
    }
    ngff_mutex_unlock(job->reader->lock);
}

static void work(void *arg) {
    ngff_error err = {0};
    ngff_status status = read_runs(arg, &err);
    if (status != NGFF_OK)
        fail(arg, status, &err);
}

/* Shards whose index is not kept are read by one thread, so that it is fetched once. */
static void cut(reading *job) {
    const ngff_zarr_array *a = job->array;
    const ngff_zarr_meta *m = &a->meta;
    bool whole = m->sharded && a->indices == NULL;
    memcpy(job->run, whole ? m->shard : m->chunk, sizeof job->run);
    int64_t bytes = (int64_t)ngff_codec_decoded_size(a->chain);
    int last = m->ndim - 1;
    if (!whole && bytes < bytes_per_run)
        job->run[last] *= ngff_min_i64(bytes_per_run / bytes, a->grid[last]);
    ngff_box_cells(job->box, job->run, &job->cells);
    job->count = 1;
    for (int i = 0; i < m->ndim; i++)
        job->count *= (uint64_t)job->cells.shape[i];
}

/* Helpers besides the caller's thread: one for each bytes_per_thread to be decoded. */
static int helper_count(const reading *job) {
    uint64_t run_bytes = ngff_dtype_size(job->array->meta.dtype), most = job->count;
    for (int i = 0; i < job->cells.ndim; i++)
        run_bytes *= (uint64_t)job->run[i];
    if (run_bytes < bytes_per_thread) {
        uint64_t runs = bytes_per_thread / (run_bytes > 0 ? run_bytes : 1);
        most = job->count / runs;
    }
    if (most > (uint64_t)job->reader->threads)
        most = (uint64_t)job->reader->threads;
    return most > 1 ? (int)most - 1 : 0;
}

/* A thread that cannot be started is not missed: the caller's does its part. */
static void read_together(reading *job, int helpers) {
    ngff_thread *thread[HELPERS_MAX];
    int started = 0;
    const ngff_allocator *a = job->reader->alloc;
    while (started < helpers &&
           ngff_thread_start(a, work, job, &thread[started], NULL) == NGFF_OK)
        started++;
    work(job);
    while (started > 0)
        ngff_thread_join(&thread[--started]);
}

/* Whoever takes memory for a whole level has most often not touched it yet. */
static void prepare(const ngff_view *out) {
    size_t size = ngff_dtype_size((ngff_dtype)out->dtype);
    if (!ngff_view_is_packed(out))
        return;
    for (int i = 0; i < out->ndim; i++)
        size *= (size_t)out->shape[i];
    ngff_memory_prefer_large(out->data, size);
}

ngff_status ngff_engine_read(ngff_engine_reader *reader, const ngff_zarr_array *array,
                             const ngff_box *box, const ngff_view *out, ngff_error *err) {
    reading job = {.reader = reader, .array = array, .box = box, .out = out};
    ngff_codec_ctx *ctx = NULL;
    int helpers = 0;
    NGFF_TRY(ngff_zarr_check_region(array, box, out, err));
    prepare(out);
    if (reader->threads > 1 && box->ndim > 0 && !ngff_box_is_empty(box)) {
        cut(&job);
        helpers = helper_count(&job);
    }
    if (helpers > 0) {
        read_together(&job, helpers);
        if (job.status != NGFF_OK && err != NULL)
            *err = job.error;
        return job.status;
    }
    NGFF_TRY(take_ctx(reader, &ctx, err));
    ngff_status status = ngff_zarr_read(array, ctx, box, out, err);
    give_ctx(reader, ctx);
    return status;
}
