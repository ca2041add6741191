/* The plan: tiers from level 0 down, under one budget. Pure. */
#include "engine/search.h"

#include "sys/sys.h"

/* ---- input ----------------------------------------------------------------------- */

static size_t codec_memory(const ngff_levels *levels, ngff_dtype dtype,
                           const ngff_image *image) {
    size_t most = 0;
    for (int n = 0; n < levels->count; n++) {
        size_t size = 0;
        if (image != NULL)
            size = ngff_codec_ctx_size(image->level[n]->chain);
        else if (ngff_nd_bytes(levels->ndim, levels->level[n].chunk, dtype, &size,
                               NULL) == NGFF_OK)
            size = size * 5 / 2 + 1024 * 1024;
        most = size > most ? size : most;
    }
    return most;
}

/* Shards that wait for chunks: a stream opens a whole slab of them; nested blocks few. */
static uint64_t shard_memory(const ngff_plan_input *in, const ngff_image *image) {
    uint64_t sum = 0;
    for (int n = in->first_level; image != NULL && n < in->levels->count; n++) {
        const ngff_level *l = &in->levels->level[n];
        uint64_t slab = 1, all = 1;
        for (int d = 0; l->sharded && d < in->levels->ndim; d++) {
            uint64_t count =
                (uint64_t)ngff_ceil_div(l->shape[d], l->chunk[d] * l->per_shard[d]);
            all *= count;
            slab *= d == in->traits.slow_axis ? 1 : count;
        }
        uint64_t few = 4 * ((uint64_t)in->threads + 1);
        uint64_t open = in->traits.sequential ? slab + few : few;
        if (l->sharded)
            sum += (open < all ? open : all) * ngff_zarr_shard_memory(image->level[n]);
    }
    return sum;
}

static bool same_shape(const ngff_levels *levels, int n, const int64_t *shape) {
    for (int d = 0; d < levels->ndim; d++)
        if (levels->level[n].shape[d] != shape[d])
            return false;
    return true;
}

/* --keep-levels: a level of the source is taken where the shapes agree. What is computed
 * from such a level is computed from the values that are stored, the copied ones. */
static void find_kept(const ngff_source *source, const ngff_engine_opts *opts,
                      ngff_plan_input *in) {
    for (int n = 0; n < NGFF_MAX_LEVELS; n++)
        in->source_level[n] = n == 0 || n < in->first_level || opts->as_given ? n : -1;
    if (!opts->keep_levels || opts->as_given || source->traits.sequential)
        return;
    for (int n = 1; n < in->levels->count; n++)
        for (int k = 1; k < source->level_count; k++)
            if (same_shape(in->levels, n, source->level_shape[k]))
                in->source_level[n] = k;
}

/* A level that is there already is read only when a level to be written comes from it. */
static bool is_read(const ngff_plan_input *in, int n) {
    for (int k = in->first_level; k < in->levels->count; k++)
        if (n >= in->first_level || in->levels->level[k].source == n)
            return true;
    return false;
}

static ngff_status find_root(const ngff_source *source, ngff_plan_input *in,
                             ngff_error *err) {
    if (in->first_level < 0 || in->first_level >= in->levels->count ||
        in->first_level > source->level_count)
        return ngff_fail(err, NGFF_INVALID, "levels from %d on, of %d; the source has %d",
                         in->first_level, in->levels->count, source->level_count);
    while (!is_read(in, in->root))
        in->root++;
    return NGFF_OK;
}

uint64_t ngff_engine_default_budget(void) {
    const uint64_t most = UINT64_C(4) << 30;
    uint64_t quarter = ngff_memory_available() / 4;
    return quarter < most ? quarter : most;
}

static ngff_status make_input(const ngff_levels *levels, ngff_method method,
                              const ngff_source *source, const ngff_image *image,
                              const ngff_engine_opts *opts, ngff_plan_input *in,
                              ngff_error *err) {
    *in = (ngff_plan_input){
        .levels = levels,
        .method = method,
        .dtype = (ngff_dtype)source->image.desc.dtype,
        .traits = source->traits,
        .in_memory = strcmp(source->ops->kind, "array") == 0,
        .no_spill = opts->no_spill,
        /* Where a window may stand before the blocks, that is what holds the bytes. */
        .lean = opts->lean && !source->traits.sequential && !source->traits.compressed,
        .first_level = opts->first_level,
        .census_memory = opts->census_memory,
        .budget = opts->memory > 0 ? opts->memory : ngff_engine_default_budget(),
        .threads = opts->threads > 0 ? opts->threads : ngff_cpu_count(),
    };
    if (levels->ndim < 2 || levels->count < 1)
        return ngff_fail(err, NGFF_INVALID, "an image of %d dimensions, expected 2 to 5",
                         levels->ndim);
    if (opts->threads < 0)
        return ngff_fail(err, NGFF_INVALID, "%d threads, expected 0 or more",
                         opts->threads);
    for (int n = 1; n < levels->count && !opts->as_given; n++) {
        ngff_reduction r;
        ngff_tier_reduction(levels, method, in->dtype, n, &r);
        NGFF_TRY(ngff_reduction_check(&r, err));
    }
    NGFF_TRY(find_root(source, in, err));
    in->codec_memory = codec_memory(levels, in->dtype, image);
    in->shard_memory = shard_memory(in, image);
    find_kept(source, opts, in);
    if (!opts->as_given)
        ngff_tier_halo_init(levels, method, in->dtype, &in->halo);
    return NGFF_OK;
}

static uint64_t level_bytes(const ngff_plan_input *in, int n) {
    size_t size = 0;
    if (ngff_nd_bytes(in->levels->ndim, in->levels->level[n].shape, in->dtype, &size,
                      NULL) != NGFF_OK)
        return UINT64_MAX / 64;
    return size;
}

/* In an archive the coarser levels lie behind level 0 and are finished before it
 * (docs/decisions/0004-ozx-order.md); how well they compress is not known. */
static uint64_t early_bytes(const ngff_plan_input *in, const ngff_image *image) {
    uint64_t bytes = 0;
    if (image == NULL || !ngff_store_is_ordered(image->store))
        return 0;
    for (int n = in->first_level > 1 ? in->first_level : 1; n < in->levels->count; n++)
        bytes += level_bytes(in, n);
    return bytes;
}

/* ---- tiers ----------------------------------------------------------------------- */

/* Adds the tier of `root`; false with the smallest budget when nothing fits. */
static bool add_tier(const ngff_plan_input *in, int root, int source_level, uint64_t live,
                     ngff_plan *plan, uint64_t *least) {
    ngff_tier *t = &plan->tier[plan->tier_count];
    assert(plan->tier_count < NGFF_MAX_LEVELS);
    *t = (ngff_tier){.root = root, .source_level = source_level};
    if (!ngff_search_block(in, live, t, least))
        return false;
    plan->tier_count++;
    return true;
}

/* All tiers for a number of workers. Levels come in order, so a retained level is the
 * root of a tier after the one that retains it. */
static bool add_tiers(const ngff_plan_input *in, ngff_plan *plan, uint64_t *waiting,
                      uint64_t *least) {
    uint32_t waits = 0;
    uint64_t live = 0;
    *waiting = 0;
    plan->tier_count = 0;
    for (int n = 0; n < in->levels->count; n++) {
        bool is_root = in->source_level[n] >= 0 || ngff_tier_has(waits, n);
        if (!is_root || !is_read(in, n))
            continue;
        if (!add_tier(in, n, in->source_level[n], live, plan, least))
            return false;
        const ngff_tier *t = &plan->tier[plan->tier_count - 1];
        waits |= t->retained;
        live += t->retained_bytes;
        *waiting = live > *waiting ? live : *waiting;
        if (ngff_tier_has(waits, n))
            live -= level_bytes(in, n);
    }
    return true;
}

/* ---- window ---------------------------------------------------------------------- */

/* Blocks of a compressed source decode much more than they use: better read it once. */
static const double STAGE_ABOVE = 1.6;

static bool needs_window(const ngff_plan_input *in, const ngff_plan *plan) {
    if (in->traits.sequential)
        return true;
    return in->traits.compressed && !in->no_spill &&
           plan->tier[0].amplification > STAGE_ABOVE;
}

static bool add_window(const ngff_plan_input *in, ngff_plan *plan, uint64_t *bytes) {
    ngff_tier_bound bound;
    ngff_tier *t = &plan->tier[0];
    if (ngff_search_settle(in, t, &bound, NULL) != NGFF_OK)
        return false;
    ngff_window_plan_for(in, t, &bound, &plan->window);
    return !__builtin_mul_overflow(plan->window.slot_size, (uint64_t)plan->window.slots,
                                   bytes);
}

/* ---- the whole ------------------------------------------------------------------- */

static size_t widest(const ngff_plan *plan) {
    size_t most = plan->window.on ? plan->window.read_size : 0;
    for (int i = 0; i < plan->tier_count; i++)
        if (plan->tier[i].workspace > most)
            most = plan->tier[i].workspace;
    return most;
}

static bool any_sharded(const ngff_levels *levels) {
    for (int n = 0; n < levels->count; n++)
        if (levels->level[n].sharded)
            return true;
    return false;
}

/* Memory in which a lean job lets bytes wait, before they go to the file. */
static const uint64_t LEAN_SPILL = 1 << 19;

/* What is left of the budget holds what waits. */
static bool share_out(const ngff_plan_input *in, uint64_t waiting, ngff_plan *plan,
                      uint64_t *least) {
    plan->arena = widest(plan);
    plan->worker_memory = plan->arena + (size_t)ngff_search_worker_memory(in);
    uint64_t workers =
        plan->worker_memory * (uint64_t)in->threads + ngff_search_fixed_memory(in);
    *least = workers + (in->no_spill ? waiting : 0);
    if (*least > in->budget)
        return false;
    uint64_t rest = in->budget - workers;
    if (!any_sharded(in->levels) && waiting + waiting / 16 < rest)
        rest = waiting + waiting / 16;
    if (in->lean && !in->no_spill && rest > LEAN_SPILL)
        rest = LEAN_SPILL;
    plan->spill_memory = (size_t)rest;
    plan->spill_file = waiting > rest ? waiting - rest : 0;
    plan->peak = workers + rest;
    plan->threads = in->threads;
    return true;
}

static bool try_plan(ngff_plan_input *in, ngff_plan *plan, uint64_t *least) {
    uint64_t waiting, window = 0;
    in->staged = in->traits.sequential;
    plan->window = (ngff_window_plan){.on = false};
    if (!add_tiers(in, plan, &waiting, least))
        return false;
    if (needs_window(in, plan)) {
        in->staged = true;
        if (!add_tiers(in, plan, &waiting, least) || !add_window(in, plan, &window))
            return false;
    }
    if (in->no_spill)
        waiting += ngff_search_parked(in, plan);
    return share_out(in, waiting + window + in->early, plan, least);
}

static ngff_status refuse(const ngff_plan_input *in, uint64_t least, ngff_error *err) {
    char chunk[128];
    const ngff_levels *levels = in->levels;
    ngff_nd_shape_text(levels->ndim, levels->level[0].chunk, chunk, sizeof chunk);
    return ngff_fail(err, NGFF_LIMIT,
                     "memory budget of %llu bytes is too small for one block of %s %s "
                     "with its levels; the smallest budget that would do is %llu bytes",
                     (unsigned long long)in->budget, chunk, ngff_dtype_name(in->dtype),
                     (unsigned long long)least);
}

/* The smallest budget: each refusal names a lower bound; the bound that passes is it. */
static bool find_least(ngff_plan_input *in, uint64_t *least, ngff_plan *plan) {
    for (int i = 0; i < 64 && *least < UINT64_MAX; i++) {
        uint64_t more;
        in->budget = *least;
        if (try_plan(in, plan, &more))
            return true;
        *least = more > *least ? more : *least + 1;
    }
    return false;
}

static ngff_status grow_or_refuse(ngff_plan_input *in, const ngff_engine_opts *opts,
                                  uint64_t least, ngff_plan *plan, ngff_error *err) {
    const uint64_t asked = in->budget;
    if (find_least(in, &least, plan) && opts->grows)
        return NGFF_OK;
    in->budget = asked;
    /* A source that was opened with a larger budget takes up to an eighth of it for its
     * caches: seven eighths must do for the rest. */
    if (in->traits.cache > 0 && least < UINT64_MAX / 2)
        least += least / 7 + 1;
    return refuse(in, least, err);
}

static void count_output(const ngff_plan_input *in, const ngff_image *image,
                         ngff_plan *plan) {
    bool flat = image != NULL && image->opts.flat;
    bool v2 = image != NULL && image->opts.version == NGFF_V04;
    uint64_t count = (uint64_t)in->levels->count;
    plan->files = v2 ? 3 + count * (flat ? 2 : 4) : 1 + count * (flat ? 1 : 2);
    for (int n = 0; n < in->levels->count; n++) {
        const ngff_level *l = &in->levels->level[n];
        uint64_t files = 1;
        for (int d = 0; d < in->levels->ndim; d++) {
            int64_t unit = l->chunk[d] * (l->sharded ? l->per_shard[d] : 1);
            files *= (uint64_t)ngff_ceil_div(l->shape[d], unit);
        }
        plan->files += files;
        plan->decoded_bytes += n < in->first_level ? 0 : level_bytes(in, n);
    }
    plan->source_bytes = level_bytes(in, in->root);
}

/* Chunks of the root: more workers than that would have nothing to do. */
static int64_t chunk_count(const ngff_plan_input *in) {
    const ngff_level *root = &in->levels->level[in->root];
    int64_t n = 1;
    for (int d = 0; d < in->levels->ndim; d++) {
        int64_t count = ngff_ceil_div(root->shape[d], root->chunk[d]);
        if (!ngff_mul_i64(n, count, &n))
            return INT64_MAX;
    }
    return n;
}

/* The next number of workers to try after `least` bytes for this many were too much. */
static int fewer(const ngff_plan_input *in, uint64_t least) {
    int next = in->threads - 1;
    const uint64_t fixed = ngff_search_fixed_memory(in);
    if (in->no_spill || least <= fixed || in->budget <= fixed)
        return next;
    uint64_t each = (least - fixed) / (uint64_t)in->threads;
    uint64_t fit = (in->budget - fixed) / (each > 0 ? each : 1);
    if (fit < (uint64_t)next)
        next = fit > 1 ? (int)fit : 1;
    return next;
}

ngff_status ngff_engine_plan(const ngff_levels *levels, ngff_method method,
                             const ngff_source *source, const ngff_image *image,
                             const ngff_engine_opts *opts, ngff_plan *out,
                             ngff_error *err) {
    ngff_plan_input in;
    ngff_plan plan = {.levels = *levels, .method = method};
    uint64_t least = 0;
    memset(out, 0, sizeof *out);
    NGFF_TRY(make_input(levels, method, source, image, opts, &in, err));
    in.ordered = image != NULL && ngff_store_is_ordered(image->store);
    in.early = early_bytes(&in, image);
    plan.dtype = in.dtype;
    plan.first_level = in.first_level;
    int64_t chunks = chunk_count(&in);
    if (chunks < in.threads)
        in.threads = (int)chunks;
    while (!try_plan(&in, &plan, &least)) {
        if (in.lean) { /* at the least budget all that counts is that it fits */
            in.lean = false;
            continue;
        }
        if (in.threads == 1) {
            NGFF_TRY(grow_or_refuse(&in, opts, least, &plan, err));
            break;
        }
        in.threads = fewer(&in, least);
    }
    plan.budget = in.budget;
    count_output(&in, image, &plan);
    *out = plan;
    return NGFF_OK;
}
