/* slabs: sizes within the budget, and one slab as a job. Level n of a slab depends on the
 * frames of the slab alone, because no level is coarser along axis 0; and the slab begins
 * where a chunk (shard) of every level begins, so what it writes is what one job over all
 * frames would write. */
#include "engine/slabs.h"

/* A slab is worth its start: this many bytes, or so many units for each thread. */
static const uint64_t SLAB_BYTES = UINT64_C(32) << 20;
enum { UNITS_PER_THREAD = 4 };

/* ---- what may be streamed --------------------------------------------------------- */

static ngff_status check(const ngff_levels *levels, const ngff_image *image,
                         ngff_error *err) {
    if (ngff_store_is_ordered(image->store))
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "%s: an archive cannot grow frame by frame; write a directory "
                         "and copy it into the archive",
                         image->store->location);
    for (int n = 0; n < levels->count; n++)
        if (levels->level[n].factor[0] != 1)
            return ngff_fail(err, NGFF_UNSUPPORTED,
                             "level %d is coarser by %lld along axis 0, along which "
                             "frames are appended; expected a factor of 1",
                             n, (long long)levels->level[n].factor[0]);
    return NGFF_OK;
}

static int64_t gcd(int64_t a, int64_t b) {
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static ngff_status find_unit(ngff_slabs *s, ngff_error *err) {
    s->unit = 1;
    for (int n = 0; n < s->whole->level_count; n++) {
        int64_t shard = s->whole->level[n]->meta.shard[0];
        if (!ngff_mul_i64(s->unit / gcd(s->unit, shard), shard, &s->unit))
            return ngff_fail(err, NGFF_LIMIT, "chunks of %lld frames", (long long)shard);
    }
    return NGFF_OK;
}

/* ---- sizes ------------------------------------------------------------------------ */

static uint64_t at_most(uint64_t n, uint64_t most) {
    return n < most ? n : most;
}

/* Half of the budget is for slabs. One that is written by the thread that fills it is
 * enough; else there are two or more. */
static void choose_sizes(ngff_slabs *s, uint64_t unit_bytes) {
    const uint64_t share = s->engine.memory / 2;
    const int64_t busy = ngff_ceil_div(UNITS_PER_THREAD * s->engine.threads, s->unit);
    uint64_t units = (SLAB_BYTES + unit_bytes - 1) / unit_bytes;
    if (units < (uint64_t)busy)
        units = (uint64_t)busy;
    units = at_most(units, share / 2 / unit_bytes);
    if (units == 0)
        units = 1;
    s->frames = (int64_t)units * s->unit;
    s->count = (int)at_most(share / (units * unit_bytes), NGFF_SLABS_MOST);
    if (s->count < 2)
        s->count = 2;
    if (s->engine.threads == 1)
        s->count = 1;
}

/* Less for the slabs leaves more for the job; false: there is no less. */
static bool choose_less(ngff_slabs *s) {
    const int fewest = s->engine.threads == 1 ? 1 : 2;
    if (s->count > fewest)
        s->count = fewest;
    else if (s->frames > s->unit)
        s->frames = s->frames / s->unit / 2 * s->unit;
    else
        return false;
    return true;
}

/* ---- one slab --------------------------------------------------------------------- */

static void set_extent(ngff_slabs *s, int64_t first, int64_t frames) {
    ngff_plan *plan = &s->plan;
    for (int n = 0; n < s->whole->level_count; n++) {
        const ngff_zarr_array *whole = s->whole->level[n];
        assert(first % whole->meta.shard[0] == 0);
        plan->levels.level[n].shape[0] = frames;
        ngff_zarr_array_part(whole, first / whole->meta.shard[0], frames, &s->array[n]);
    }
    for (int i = 0; i < plan->tier_count; i++)
        plan->tier[i].grid[0] = ngff_ceil_div(frames, plan->tier[i].block[0]);
    s->pixels.base.image.desc.shape[0] = frames;
    s->pixels.view.shape[0] = frames;
}

static ngff_status read_slab(ngff_source *base, const ngff_box *box, const ngff_view *out,
                             ngff_error *err) {
    const ngff_slab_source *s = (const ngff_slab_source *)base;
    ngff_view part;
    (void)err;
    ngff_view_sub(&s->view, box->start, box->shape, &part);
    ngff_nd_copy(out, &part);
    return NGFF_OK;
}

static void close_nothing(ngff_source *s) {
    (void)s;
}

/* Borrows everything: never dropped. */
static void make_source(ngff_slabs *s, const ngff_level *level) {
    static const ngff_source_vtable ops = {
        .kind = "array", .read = read_slab, .close = close_nothing};
    static char location[] = "frames";
    ngff_source *base = &s->pixels.base;
    const ngff_image_desc *desc = &s->whole->ms.image.desc;
    base->ops = &ops;
    base->alloc = s->whole->alloc;
    base->location = location;
    base->image.desc.dtype = desc->dtype;
    base->image.desc.ndim = desc->ndim;
    memcpy(base->image.desc.shape, level->shape, sizeof level->shape);
    base->level_count = 1;
    base->traits.reentrant = true;
    for (int d = 0; d < NGFF_MAX_NDIM; d++)
        base->traits.unit[d] = 1;
    ngff_view_init(&s->like, NULL, (ngff_dtype)desc->dtype, desc->ndim, level->shape);
    s->pixels.view = s->like;
    base->memory = &s->pixels.view;
}

ngff_status ngff_slabs_write(ngff_slabs *s, char *data, int64_t first, int64_t count,
                             ngff_error *err) {
    assert(count >= 1 && count <= s->frames && first % s->unit == 0);
    set_extent(s, first, count);
    s->pixels.view.data = data;
    return ngff_job_run(s->job, err);
}

/* ---- opening ---------------------------------------------------------------------- */

static ngff_status plan_slabs(ngff_slabs *s, const ngff_levels *levels,
                              ngff_method method, ngff_error *err) {
    ngff_engine_opts opts = s->engine;
    ngff_levels slab = *levels;
    uint64_t bytes;
    if (__builtin_mul_overflow((uint64_t)s->frames * (uint64_t)s->count, s->frame_bytes,
                               &bytes) ||
        bytes >= s->engine.memory)
        return ngff_fail(err, NGFF_LIMIT,
                         "memory budget of %llu bytes is too small for %d times %lld "
                         "frames of %zu bytes",
                         (unsigned long long)s->engine.memory, s->count,
                         (long long)s->frames, s->frame_bytes);
    opts.memory = s->engine.memory - bytes;
    for (int n = 0; n < slab.count; n++) {
        slab.level[n].shape[0] = s->frames;
        ngff_zarr_array_part(s->whole->level[n], 0, s->frames, &s->array[n]);
    }
    make_source(s, &slab.level[0]);
    ngff_status status =
        ngff_engine_plan(&slab, method, &s->pixels.base, &s->part, &opts, &s->plan, err);
    return status == NGFF_LIMIT
               ? ngff_fail_at(err, status, "besides %llu bytes of frames",
                              (unsigned long long)bytes)
               : status;
}

static void set_engine(ngff_slabs *s, const ngff_engine_opts *opts) {
    s->engine = *opts;
    s->engine.progress = NULL;
    s->engine.keep_levels = false;
    if (s->engine.memory == 0)
        s->engine.memory = ngff_engine_default_budget();
    if (s->engine.threads == 0)
        s->engine.threads = ngff_cpu_count();
}

ngff_status ngff_slabs_open(ngff_slabs *s, const ngff_levels *levels, ngff_method method,
                            const ngff_image *image, const ngff_engine_opts *opts,
                            ngff_error *err) {
    int64_t shape[NGFF_MAX_NDIM], unit;
    size_t unit_bytes;
    NGFF_TRY(check(levels, image, err));
    assert(levels->count == image->level_count);
    set_engine(s, opts);
    s->whole = image;
    s->part = *image;
    for (int n = 0; n < levels->count; n++)
        s->part.level[n] = &s->array[n];
    NGFF_TRY(find_unit(s, err));
    unit = s->unit;
    memcpy(shape, levels->level[0].shape, sizeof shape);
    shape[0] = 1;
    ngff_dtype dtype = (ngff_dtype)image->ms.image.desc.dtype;
    NGFF_TRY(ngff_nd_bytes(levels->ndim, shape, dtype, &s->frame_bytes, err));
    shape[0] = unit;
    NGFF_TRY(ngff_nd_bytes(levels->ndim, shape, dtype, &unit_bytes, err));
    choose_sizes(s, unit_bytes);
    ngff_status status = plan_slabs(s, levels, method, err);
    while (status == NGFF_LIMIT && choose_less(s)) {
        ngff_error_clear(err);
        status = plan_slabs(s, levels, method, err);
    }
    if (status != NGFF_OK)
        return status;
    return ngff_job_create(&s->plan, &s->pixels.base, &s->part, &s->engine, &s->job, err);
}

void ngff_slabs_close(ngff_slabs *s) {
    ngff_job_destroy(&s->job);
}
