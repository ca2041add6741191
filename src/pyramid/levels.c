/* pyramid: which levels there are and where they sit, pixels.md 1-3, 7 and 11. */
#include "pyramid/automatic.h"
#include <math.h>
#include <stdio.h>

static ngff_status check_axis(const ngff_levels_request *r, int i, ngff_error *err) {
    if (r->shape[i] < 1)
        return ngff_fail(err, NGFF_INVALID, "axis %d: size %lld, expected at least 1", i,
                         (long long)r->shape[i]);
    if (r->chunk[i] < 0)
        return ngff_fail(err, NGFF_INVALID, "axis %d: chunk %lld is negative", i,
                         (long long)r->chunk[i]);
    if (r->per_shard[i] < 0 || (r->per_shard[i] == 0) != (r->per_shard[0] == 0))
        return ngff_fail(err, NGFF_INVALID,
                         "axis %d: %lld chunks per shard; every axis needs one or more",
                         i, (long long)r->per_shard[i]);
    if (!isfinite(r->scale[i]) || !isfinite(r->translation[i]))
        return ngff_fail(err, NGFF_INVALID, "axis %d: scale or translation is not finite",
                         i);
    if (r->isotropic && ngff_pyramid_is_spatial(r->axis[i]) && r->scale[i] == 0)
        return ngff_fail(err, NGFF_INVALID,
                         "axis %d: isotropic levels need a scale other than 0", i);
    return NGFF_OK;
}

static ngff_status check_factor(const ngff_levels_request *r, int n, int i,
                                ngff_error *err) {
    long long factor = (long long)r->factors[n][i];
    if (factor < 1)
        return ngff_fail(err, NGFF_INVALID,
                         "scale factor %lld of level %d, axis %d: expected at least 1",
                         factor, n + 1, i);
    if (factor != 1 && !ngff_pyramid_is_spatial(r->axis[i]))
        return ngff_fail(err, NGFF_INVALID,
                         "scale factor %lld of level %d, axis %d: time and channel axes "
                         "are not reduced",
                         factor, n + 1, i);
    if (n > 0 && factor < r->factors[n - 1][i])
        return ngff_fail(err, NGFF_INVALID,
                         "scale factor %lld of level %d, axis %d: less than %lld before; "
                         "factors are relative to level 0 and never decrease",
                         factor, n + 1, i, (long long)r->factors[n - 1][i]);
    return NGFF_OK;
}

static ngff_status check_request(const ngff_levels_request *r, ngff_error *err) {
    if (r->ndim < 1 || r->ndim > NGFF_MAX_NDIM)
        return ngff_fail(err, NGFF_INVALID, "%d axes, expected 1 to %d", r->ndim,
                         NGFF_MAX_NDIM);
    if (ngff_dtype_size(r->dtype) == 0)
        return ngff_fail(err, NGFF_INVALID, "data type %d is unknown", (int)r->dtype);
    if (r->method < NGFF_METHOD_GAUSSIAN || r->method > NGFF_METHOD_MEDIAN)
        return ngff_fail(err, NGFF_INVALID, "method %d is unknown", (int)r->method);
    if (r->factor_count >= NGFF_MAX_LEVELS)
        return ngff_fail(err, NGFF_LIMIT, "%d scale factors, at most %d are possible",
                         r->factor_count, NGFF_MAX_LEVELS - 1);
    if (r->factor_count > 0 && ngff_dtype_is_complex(r->dtype))
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "%s pixels cannot be reduced; ask for level 0 only",
                         ngff_dtype_name(r->dtype));
    for (int i = 0; i < r->ndim; i++) {
        NGFF_TRY(check_axis(r, i, err));
        for (int n = 0; n < r->factor_count; n++)
            NGFF_TRY(check_factor(r, n, i, err));
    }
    return NGFF_OK;
}

/* Rule 11. */
static void default_chunks(const ngff_levels_request *r, int64_t chunk[NGFF_MAX_NDIM]) {
    bool has_z = memchr(r->axis, 'z', (size_t)r->ndim) != NULL;
    for (int i = 0; i < r->ndim; i++) {
        int64_t usual = !ngff_pyramid_is_spatial(r->axis[i]) ? 1 : has_z ? 128 : 256;
        chunk[i] = r->chunk[i] > 0 ? r->chunk[i] : usual;
    }
}

/* Rules 1, 3, 7 and 11 for one level whose effective factors are `factor`. */
static void place_level(const ngff_levels_request *r, const int64_t *factor,
                        const int64_t *chunk, ngff_level *level) {
    level->sharded = r->per_shard[0] > 0;
    for (int i = 0; i < r->ndim; i++) {
        int64_t e = factor[i];
        double shift = r->method == NGFF_METHOD_NEAREST ? (double)((e - 1) / 2)
                                                        : 0.5 * (double)(e - 1);
        level->factor[i] = e;
        level->shape[i] = r->shape[i] / e;
        level->scale[i] = (double)e * r->scale[i];
        level->translation[i] = r->translation[i] + shift * r->scale[i];
        level->chunk[i] = ngff_min_i64(chunk[i], level->shape[i]);
        int64_t most = ngff_ceil_div(level->shape[i], level->chunk[i]);
        level->per_shard[i] = level->sharded ? ngff_min_i64(r->per_shard[i], most) : 1;
    }
}

static bool divides(const ngff_level *fine, const ngff_level *coarse, int ndim) {
    for (int i = 0; i < ndim; i++) {
        if (coarse->factor[i] % fine->factor[i] != 0)
            return false;
        int64_t step = coarse->factor[i] / fine->factor[i];
        if (fine->shape[i] / step != coarse->shape[i])
            return false;
    }
    return true;
}

/* Rule 2; nearest always reads level 0 (rule 7). */
static void choose_source(const ngff_levels_request *r, ngff_levels *out, int n) {
    ngff_level *level = &out->level[n];
    level->source = n == 0 || r->method == NGFF_METHOD_NEAREST ? 0 : n - 1;
    while (level->source > 0 && !divides(&out->level[level->source], level, out->ndim))
        level->source--;
    for (int i = 0; i < out->ndim; i++)
        level->step[i] = level->factor[i] / out->level[level->source].factor[i];
    if (n == 0)
        level->source = -1;
}

static void warn(ngff_levels *out, const char *text) {
    if (out->warning[0] == '\0')
        (void)ngff_copy_text(out->warning, sizeof out->warning, text);
}

/* Rule 1: a factor that would leave no voxel keeps the one before. False: nothing new. */
static bool effective(const ngff_levels_request *r, const int64_t *wanted,
                      const int64_t *before, int64_t factor[NGFF_MAX_NDIM]) {
    bool changed = false;
    for (int i = 0; i < r->ndim; i++) {
        factor[i] = wanted[i] <= r->shape[i] ? wanted[i] : before[i];
        changed = changed || factor[i] != before[i];
    }
    return changed;
}

static void add_level(const ngff_levels_request *r, const int64_t *wanted, int asked,
                      const int64_t *chunk, ngff_levels *out) {
    int64_t factor[NGFF_MAX_NDIM] = {0};
    if (!effective(r, wanted, out->level[out->count - 1].factor, factor)) {
        char text[128];
        (void)snprintf(text, sizeof text,
                       "level %d (scale factor no. %d) equals level %d and is left out",
                       out->count, asked, out->count - 1);
        warn(out, text);
        return;
    }
    place_level(r, factor, chunk, &out->level[out->count]);
    choose_source(r, out, out->count);
    out->count++;
}

ngff_status ngff_pyramid_plan(const ngff_levels_request *request, ngff_levels *out,
                              ngff_error *err) {
    memset(out, 0, sizeof *out);
    NGFF_TRY(check_request(request, err));
    int64_t chunk[NGFF_MAX_NDIM];
    int64_t factors[NGFF_MAX_LEVELS][NGFF_MAX_NDIM];
    default_chunks(request, chunk);
    int count = request->factor_count;
    bool automatic = count < 0;
    bool cut = false;
    if (automatic && ngff_dtype_is_complex(request->dtype)) {
        count = 0;
        warn(out, "complex pixels are not reduced: level 0 only");
    } else if (automatic) {
        count = ngff_pyramid_automatic(request, chunk, factors, &cut);
    }
    if (cut)
        warn(out, "the image could have more levels than are supported");
    static const int64_t ones[NGFF_MAX_NDIM] = {1, 1, 1, 1, 1, 1, 1, 1};
    out->ndim = request->ndim;
    place_level(request, ones, chunk, &out->level[0]);
    choose_source(request, out, 0);
    out->count = 1;
    for (int n = 0; n < count; n++)
        add_level(request, automatic ? factors[n + 1] : request->factors[n], n + 1, chunk,
                  out);
    return NGFF_OK;
}
