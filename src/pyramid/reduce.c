/* pyramid: checking a reduction, what it needs, and the way to the kernels. */
#include "pyramid/reduce.h"

static bool is_sorting(ngff_method method) {
    return method == NGFF_METHOD_MODE || method == NGFF_METHOD_MEDIAN;
}

static ngff_status check_axis(const ngff_reduction *r, int i, ngff_error *err) {
    if (r->step[i] < 1 || r->src_shape[i] < 1 || r->dst_shape[i] < 1)
        return ngff_fail(err, NGFF_INVALID,
                         "axis %d: step %lld from size %lld to %lld makes no sense", i,
                         (long long)r->step[i], (long long)r->src_shape[i],
                         (long long)r->dst_shape[i]);
    if (r->src_shape[i] / r->step[i] < r->dst_shape[i])
        return ngff_fail(err, NGFF_INVALID,
                         "axis %d: %lld blocks of %lld voxels do not fit in %lld", i,
                         (long long)r->dst_shape[i], (long long)r->step[i],
                         (long long)r->src_shape[i]);
    if (r->method == NGFF_METHOD_GAUSSIAN && r->step[i] > NGFF_FILTER_MAX_STEP)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "axis %d: a gaussian step of %lld, at most %d is possible", i,
                         (long long)r->step[i], NGFF_FILTER_MAX_STEP);
    return NGFF_OK;
}

ngff_status ngff_reduction_check(const ngff_reduction *r, ngff_error *err) {
    if (r->ndim < 1 || r->ndim > NGFF_MAX_NDIM)
        return ngff_fail(err, NGFF_INVALID, "%d axes, expected 1 to %d", r->ndim,
                         NGFF_MAX_NDIM);
    if (r->method < NGFF_METHOD_GAUSSIAN || r->method > NGFF_METHOD_MEDIAN)
        return ngff_fail(err, NGFF_INVALID, "method %d is unknown", (int)r->method);
    if (r->dtype < NGFF_BOOL || r->dtype > NGFF_FLOAT64)
        return ngff_fail(err, NGFF_UNSUPPORTED, "%s pixels cannot be reduced",
                         ngff_dtype_name(r->dtype));
    int64_t block = 1;
    int outer = 0;
    for (int i = 0; i < r->ndim; i++) {
        NGFF_TRY(check_axis(r, i, err));
        outer += i + 1 < r->ndim && r->step[i] > 1;
        if (!ngff_mul_i64(block, r->step[i], &block) || block > INT32_MAX)
            return ngff_fail(err, NGFF_LIMIT, "a block of more than %d voxels",
                             INT32_MAX);
    }
    if (r->method == NGFF_METHOD_GAUSSIAN && outer > 3)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "gaussian along %d axes besides the last, at most 3", outer);
    return NGFF_OK;
}

void ngff_reduction_need(const ngff_reduction *r, const ngff_box *dst, ngff_box *src) {
    memset(src, 0, sizeof *src);
    src->ndim = r->ndim;
    for (int i = 0; i < r->ndim; i++) {
        int64_t step = r->step[i], pick = (step - 1) / 2;
        src->start[i] = dst->start[i] * step;
        src->shape[i] = dst->shape[i] * step;
        if (dst->shape[i] < 1 || step == 1)
            continue;
        if (r->method == NGFF_METHOD_NEAREST) {
            src->start[i] += pick;
            src->shape[i] -= step - 1;
        } else if (r->method == NGFF_METHOD_GAUSSIAN) {
            ngff_gauss_need(step, r->src_shape[i], &src->start[i], &src->shape[i]);
        }
    }
}

size_t ngff_reduction_scratch(const ngff_reduction *r, const int64_t *dst_box_shape) {
    size_t size = 0;
    if (r->method == NGFF_METHOD_GAUSSIAN)
        size = ngff_gauss_scratch(r, dst_box_shape);
    else if (r->method != NGFF_METHOD_NEAREST)
        size = ngff_block_scratch(r);
    if (is_sorting(r->method)) {
        size_t n = NGFF_TILE_BYTES;
        for (int i = 0; i < r->ndim; i++)
            n *= (size_t)r->step[i];
        size += n;
    }
    return size + 64; /* room to align */
}

const char *ngff_reduce_source(const ngff_reduce_job *job, const int64_t *at) {
    const char *p = job->src->data;
    for (int i = 0; i < job->r->ndim; i++) {
        assert(at[i] >= job->src_box->start[i]);
        assert(at[i] < job->src_box->start[i] + job->src_box->shape[i]);
        p += (at[i] - job->src_box->start[i]) * job->src->strides[i];
    }
    return p;
}

char *ngff_reduce_row(const ngff_reduce_job *job, const int64_t *at) {
    char *p = job->dst->data;
    for (int i = 0; i < job->r->ndim; i++)
        p += (at[i] - job->dst_box->start[i]) * job->dst->strides[i];
    return p;
}

void ngff_reduce_rows(const ngff_reduce_job *job, ngff_box *rows,
                      int64_t at[NGFF_MAX_NDIM]) {
    *rows = *job->dst_box;
    rows->shape[job->r->ndim - 1] = 1;
    memcpy(at, rows->start, sizeof rows->start);
}

#ifndef NDEBUG
static bool fits(const ngff_reduction *r, const ngff_box *src_box, const ngff_view *src,
                 const ngff_box *dst_box, const ngff_view *dst) {
    ngff_box need;
    ngff_reduction_need(r, dst_box, &need);
    int64_t item = (int64_t)ngff_dtype_size(r->dtype);
    int last = r->ndim - 1;
    return ngff_box_contains(src_box, &need) &&
           (src->strides[last] == item || src->shape[last] == 1) &&
           (dst->strides[last] == item || dst->shape[last] == 1);
}
#endif

void ngff_reduce(const ngff_reduction *r, const ngff_box *src_box, const ngff_view *src,
                 const ngff_box *dst_box, const ngff_view *dst, void *scratch) {
    if (ngff_box_is_empty(dst_box))
        return;
    assert(fits(r, src_box, src, dst_box, dst));
    size_t skip = (64 - (size_t)((uintptr_t)scratch & 63)) & 63;
    ngff_reduce_job job = {
        .r = r,
        .src_box = src_box,
        .src = src,
        .dst_box = dst_box,
        .dst = dst,
        .kernels = &ngff_kernels_chosen()->of[r->dtype],
        .scratch = (char *)scratch + skip,
    };
    if (r->method == NGFF_METHOD_NEAREST)
        ngff_nearest_reduce(&job);
    else if (r->method == NGFF_METHOD_GAUSSIAN)
        ngff_gauss_reduce(&job);
    else
        ngff_block_reduce(&job);
}
