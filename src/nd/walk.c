/* nd: strided loops reduced to as few and as long axes as possible. */
#include "nd/walk.h"

static void take_axes(ngff_nd_walk *w, const ngff_view *dst, const ngff_view *src) {
    for (int i = 0; i < dst->ndim; i++) {
        int64_t n = dst->shape[i];
        if (n == 1)
            continue;
        int64_t ds = dst->strides[i];
        int64_t ss = src ? src->strides[i] : 0;
        if (ds < 0) {
            w->d += ds * (n - 1);
            w->s += ss * (n - 1);
            ds = -ds;
            ss = -ss;
        }
        /* Insertion by falling dst stride: writes then run upwards in memory. */
        int at = w->ndim++;
        for (; at > 0 && w->ds[at - 1] < ds; at--) {
            w->shape[at] = w->shape[at - 1];
            w->ds[at] = w->ds[at - 1];
            w->ss[at] = w->ss[at - 1];
        }
        w->shape[at] = n;
        w->ds[at] = ds;
        w->ss[at] = ss;
    }
}

static void merge_axes(ngff_nd_walk *w) {
    int top = 0;
    for (int i = 1; i < w->ndim; i++) {
        if (w->ds[top] == w->ds[i] * w->shape[i] &&
            w->ss[top] == w->ss[i] * w->shape[i]) {
            w->shape[top] *= w->shape[i];
        } else {
            top++;
            w->shape[top] = w->shape[i];
        }
        w->ds[top] = w->ds[i];
        w->ss[top] = w->ss[i];
    }
    w->ndim = top + 1;
}

bool ngff_nd_walk_init(ngff_nd_walk *w, const ngff_view *dst, const ngff_view *src) {
    assert(dst->ndim >= 0 && dst->ndim <= NGFF_MAX_NDIM);
    *w = (ngff_nd_walk){.d = dst->data, .s = src ? src->data : dst->data};
    for (int i = 0; i < dst->ndim; i++) {
        if (dst->shape[i] <= 0)
            return false;
    }
    take_axes(w, dst, src);
    if (w->ndim == 0) {
        /* One element: a run of length one, contiguous by any measure. */
        w->ndim = 1;
        w->shape[0] = 1;
        w->ds[0] = (int64_t)ngff_dtype_size((ngff_dtype)dst->dtype);
        w->ss[0] = src ? w->ds[0] : 0;
    }
    merge_axes(w);
    return true;
}

bool ngff_nd_walk_next(ngff_nd_walk *w, int inner, int64_t *idx) {
    for (int i = inner - 1; i >= 0; i--) {
        if (++idx[i] < w->shape[i]) {
            w->d += w->ds[i];
            w->s += w->ss[i];
            return true;
        }
        w->d -= w->ds[i] * (w->shape[i] - 1);
        w->s -= w->ss[i] * (w->shape[i] - 1);
        idx[i] = 0;
    }
    return false;
}
