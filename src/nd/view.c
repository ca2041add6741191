/* nd: views of strided memory. */
#include "nd/nd.h"

void ngff_view_init(ngff_view *v, void *data, ngff_dtype dtype, int ndim,
                    const int64_t *shape) {
    assert(ndim >= 0 && ndim <= NGFF_MAX_NDIM);
    ngff_view r = {.data = data, .dtype = (int32_t)dtype, .ndim = ndim};
    int64_t stride = (int64_t)ngff_dtype_size(dtype);
    for (int i = ndim - 1; i >= 0; i--) {
        r.shape[i] = shape[i];
        r.strides[i] = stride;
        stride *= ngff_max_i64(shape[i], 1);
    }
    *v = r;
}

void ngff_view_sub(const ngff_view *v, const int64_t *start, const int64_t *shape,
                   ngff_view *out) {
    ngff_view r = *v;
    int64_t offset = 0;
    bool empty = false;
    for (int i = 0; i < v->ndim; i++) {
        assert(start[i] >= 0 && shape[i] >= 0 && start[i] + shape[i] <= v->shape[i]);
        offset += start[i] * v->strides[i];
        empty = empty || shape[i] == 0;
        r.shape[i] = shape[i];
    }
    /* The address of nothing may lie outside the memory: keep the old one. */
    if (!empty)
        r.data = (char *)v->data + offset;
    *out = r;
}

void ngff_view_transpose(const ngff_view *v, const int *perm, ngff_view *out) {
    ngff_view r = *v;
    for (int i = 0; i < v->ndim; i++) {
        assert(perm[i] >= 0 && perm[i] < v->ndim);
        r.shape[i] = v->shape[perm[i]];
        r.strides[i] = v->strides[perm[i]];
    }
    *out = r;
}

bool ngff_view_is_packed(const ngff_view *v) {
    int64_t stride = (int64_t)ngff_dtype_size((ngff_dtype)v->dtype);
    for (int i = 0; i < v->ndim; i++) {
        if (v->shape[i] == 0)
            return true;
    }
    for (int i = v->ndim - 1; i >= 0; i--) {
        if (v->shape[i] != 1 && v->strides[i] != stride)
            return false;
        stride *= v->shape[i];
    }
    return true;
}
