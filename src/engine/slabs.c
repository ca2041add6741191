/* slabs: sizes within the budget, and slabs as jobs. Level n of a slab depends on the
 * frames of the slab alone, because no level is coarser along axis 0; and the slab begins
 * where a chunk (shard) of every level begins, so what it writes is what one job over all
 * frames would write. */
#include "engine/slabs.h"

/* A slab is worth its start. */
static const uint64_t SLAB_BYTES = UINT64_C(8) << 20;

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

static ngff_status find_unit(const ngff_image *image, int64_t *unit, ngff_error *err) {
    *unit = 1;
    for (int n = 0; n < image->level_count; n++) {
        int64_t shard = image->level[n]->meta.shard[0];
        if (!ngff_mul_i64(*unit / gcd(*unit, shard), shard, unit))
            return ngff_fail(err, NGFF_LIMIT, "chunks of %lld frames", (long long)shard);
    }
    return NGFF_OK;
}

/* ---- sizes ------------------------------------------------------------------------ */

static uint64_t clamp(uint64_t n, uint64_t least, uint64_t most) {
    n = n < most ? n : most;
    return n > least ? n : least;
}

/* The slabs a lane more would need are worth it: lanes never wait for each other, workers
 * of one slab do at its end. */
static void set_lanes(ngff_slab_sizes *s, int lanes, int threads) {
    s->lanes = lanes;
    s->workers = threads / lanes;
    s->count = threads == 1 ? 1 : lanes + 1;
}

/* Half of the budget is for slabs. */
static void choose_sizes(ngff_slab_sizes *s, const ngff_engine_opts *opts,
                         uint64_t unit_bytes) {
    const uint64_t fit = opts->memory / 2 / unit_bytes;
    const uint64_t most = clamp((uint64_t)opts->threads, 1, NGFF_SLABS_MOST - 1);
    uint64_t units = (SLAB_BYTES + unit_bytes - 1) / unit_bytes;
    set_lanes(s, (int)clamp(fit > 1 ? fit - 1 : 1, 1, most), opts->threads);
    units = clamp(units, 1, clamp(fit / (uint64_t)s->count, 1, UINT64_MAX));
    s->frames = (int64_t)units * s->unit;
    if (opts->threads > 1)
        s->count = (int)clamp(fit / units, (uint64_t)s->count, NGFF_SLABS_MOST);
}

/* Less for the slabs leaves more for the jobs; false: there is no less. */
static bool choose_less(ngff_slab_sizes *s, int threads) {
    const int fewest = threads == 1 ? 1 : s->lanes + 1;
    if (s->count > fewest)
        s->count = fewest;
    else if (s->frames > s->unit)
        s->frames = s->frames / s->unit / 2 * s->unit;
    else if (s->lanes > 1)
        set_lanes(s, s->lanes / 2, threads);
    else
        return false;
    return true;
}

/* ---- one slab --------------------------------------------------------------------- */

/* A lane looks at arrays of its own: those of the image may grow meanwhile. */
static void set_extent(ngff_lane *s, int64_t first, int64_t frames) {
    ngff_plan *plan = &s->plan;
    for (int n = 0; n < s->part.level_count; n++) {
        const int64_t shard = s->array[n].meta.shard[0];
        assert(first % shard == 0);
        plan->levels.level[n].shape[0] = frames;
        s->array[n].first_unit = first / shard;
        ngff_zarr_array_set_extent(&s->array[n], frames);
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
static void make_source(ngff_lane *s, const ngff_level *level) {
    static const ngff_source_vtable ops = {
        .kind = "array", .read = read_slab, .close = close_nothing};
    static char location[] = "frames";
    ngff_source *base = &s->pixels.base;
    const ngff_image_desc *desc = &s->part.ms.image.desc;
    base->ops = &ops;
    base->alloc = s->part.alloc;
    base->location = location;
    base->image.desc.dtype = desc->dtype;
    base->image.desc.ndim = desc->ndim;
    memcpy(base->image.desc.shape, level->shape, sizeof level->shape);
    base->level_count = 1;
    base->traits.reentrant = true;
    for (int d = 0; d < NGFF_MAX_NDIM; d++)
        base->traits.unit[d] = 1;
    ngff_view_init(&s->pixels.view, NULL, (ngff_dtype)desc->dtype, desc->ndim,
                   level->shape);
    base->memory = &s->pixels.view;
}

ngff_status ngff_lane_write(ngff_lane *s, char *data, int64_t first, int64_t count,
                            ngff_error *err) {
    assert(count >= 1);
    set_extent(s, first, count);
    s->pixels.view.data = data;
    return ngff_job_run(s->job, err);
}

/* ---- opening ---------------------------------------------------------------------- */

/* What a lane may hold, or LIMIT. */
static ngff_status lane_memory(const ngff_slab_sizes *s, uint64_t memory, uint64_t *each,
                               uint64_t *bytes, ngff_error *err) {
    if (!__builtin_mul_overflow((uint64_t)s->frames * (uint64_t)s->count, s->frame_bytes,
                                bytes) &&
        *bytes < memory) {
        *each = (memory - *bytes) / (uint64_t)s->lanes;
        return NGFF_OK;
    }
    return ngff_fail(err, NGFF_LIMIT,
                     "memory budget of %llu bytes is too small for %d times %lld frames "
                     "of %zu bytes",
                     (unsigned long long)memory, s->count, (long long)s->frames,
                     s->frame_bytes);
}

static ngff_status plan_lane(ngff_lane *s, const ngff_slab_sizes *sizes,
                             const ngff_levels *levels, ngff_method method,
                             uint64_t memory, ngff_error *err) {
    ngff_levels slab = *levels;
    uint64_t bytes = 0;
    NGFF_TRY(lane_memory(sizes, memory, &s->engine.memory, &bytes, err));
    s->engine.threads = sizes->workers;
    for (int n = 0; n < slab.count; n++) {
        slab.level[n].shape[0] = sizes->frames;
        ngff_zarr_array_set_extent(&s->array[n], sizes->frames);
    }
    make_source(s, &slab.level[0]);
    ngff_status status = ngff_engine_plan(&slab, method, &s->pixels.base, &s->part,
                                          &s->engine, &s->plan, err);
    return status == NGFF_LIMIT
               ? ngff_fail_at(err, status, "besides %llu bytes of frames",
                              (unsigned long long)bytes)
               : status;
}

static ngff_status lane_start(ngff_lane *s, ngff_error *err) {
    s->engine.stats = &s->stats;
    return ngff_job_create(&s->plan, &s->pixels.base, &s->part, &s->engine, &s->job, err);
}

static void borrow_image(ngff_lane *s, const ngff_image *image) {
    s->part = *image;
    for (int n = 0; n < image->level_count; n++) {
        ngff_zarr_array_part(image->level[n], 0, 1, &s->array[n]);
        s->part.level[n] = &s->array[n];
    }
}

static ngff_status size_frames(const ngff_levels *levels, ngff_dtype dtype,
                               ngff_slab_sizes *sizes, size_t *unit_bytes,
                               ngff_error *err) {
    int64_t shape[NGFF_MAX_NDIM];
    memcpy(shape, levels->level[0].shape, sizeof shape);
    shape[0] = 1;
    NGFF_TRY(ngff_nd_bytes(levels->ndim, shape, dtype, &sizes->frame_bytes, err));
    shape[0] = sizes->unit;
    return ngff_nd_bytes(levels->ndim, shape, dtype, unit_bytes, err);
}

ngff_status ngff_lane_open_first(const ngff_levels *levels, ngff_method method,
                                 const ngff_image *image, const ngff_engine_opts *opts,
                                 ngff_slab_sizes *sizes, ngff_lane *lane,
                                 ngff_error *err) {
    size_t unit_bytes = 0;
    NGFF_TRY(check(levels, image, err));
    assert(levels->count == image->level_count && opts->threads > 0 && opts->memory > 0);
    borrow_image(lane, image);
    lane->engine = *opts;
    NGFF_TRY(find_unit(image, &sizes->unit, err));
    NGFF_TRY(size_frames(levels, (ngff_dtype)image->ms.image.desc.dtype, sizes,
                         &unit_bytes, err));
    choose_sizes(sizes, opts, unit_bytes);
    ngff_status status = plan_lane(lane, sizes, levels, method, opts->memory, err);
    while (status == NGFF_LIMIT && choose_less(sizes, opts->threads)) {
        ngff_error_clear(err);
        status = plan_lane(lane, sizes, levels, method, opts->memory, err);
    }
    return status == NGFF_OK ? lane_start(lane, err) : status;
}

ngff_status ngff_lane_open_like(const ngff_lane *first, ngff_lane *lane,
                                ngff_error *err) {
    borrow_image(lane, &first->part);
    lane->engine = first->engine;
    lane->plan = first->plan;
    make_source(lane, &first->plan.levels.level[0]);
    return lane_start(lane, err);
}

void ngff_lane_stop(ngff_lane *lane) {
    if (lane->job != NULL)
        atomic_store(&lane->job->stop, true);
}

void ngff_lane_close(ngff_lane *lane) {
    ngff_job_destroy(&lane->job);
}
