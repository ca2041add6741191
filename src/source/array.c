/* source: pixels in the caller's memory. */
#include "source/kinds.h"

typedef struct array_source {
    ngff_source base;
    ngff_view view; /* borrowed until `release` */
    void (*release)(void *);
    void *cookie;
} array_source;

static ngff_status array_read(ngff_source *s, const ngff_box *box, const ngff_view *out,
                              ngff_error *err) {
    (void)err;
    const array_source *self = (const array_source *)s;
    ngff_view part;
    ngff_view_sub(&self->view, box->start, box->shape, &part);
    ngff_nd_copy(out, &part);
    return NGFF_OK;
}

static void array_close(ngff_source *s) {
    array_source *self = (array_source *)s;
    if (self->release)
        self->release(self->cookie);
}

static bool may_be_looked_at(const ngff_view *v) {
    const int64_t item = (int64_t)ngff_dtype_size((ngff_dtype)v->dtype);
    bool aligned = item > 0 && (uintptr_t)v->data % (uintptr_t)item == 0;
    for (int i = 0; i < v->ndim; i++)
        aligned = aligned && v->strides[i] % item == 0;
    return aligned && v->strides[v->ndim - 1] == item;
}

static const ngff_source_vtable array_ops = {
    .kind = "array",
    .read = array_read,
    .close = array_close,
};

static ngff_status check(const ngff_view *view, const ngff_image_desc *desc,
                         ngff_error *err) {
    if (!view->data)
        return ngff_fail(err, NGFF_INVALID, "array: no memory given");
    if (view->ndim < 1 || view->ndim > NGFF_MAX_NDIM)
        return ngff_fail(err, NGFF_INVALID, "array: %d axes, expected 1 to %d",
                         (int)view->ndim, NGFF_MAX_NDIM);
    bool same = !desc || (desc->ndim == view->ndim && desc->dtype == view->dtype);
    for (int i = 0; same && desc && i < view->ndim; i++)
        same = desc->shape[i] == view->shape[i];
    if (!same)
        return ngff_fail(err, NGFF_INVALID,
                         "array: the memory and the image description differ in shape or "
                         "data type");
    return NGFF_OK;
}

ngff_status ngff_source_of_array(const ngff_allocator *a, const ngff_view *view,
                                 const ngff_image_desc *desc, void (*release)(void *),
                                 void *cookie, ngff_source **out, ngff_error *err) {
    *out = NULL;
    NGFF_TRY(check(view, desc, err));
    ngff_image_desc own = NGFF_IMAGE_DESC_INIT;
    own.dtype = view->dtype;
    own.ndim = view->ndim;
    memcpy(own.shape, view->shape, sizeof own.shape);
    ngff_source *base = NULL;
    NGFF_TRY(ngff_source_new(a, sizeof(array_source), &array_ops, "array", &base, err));
    array_source *self = (array_source *)base;
    self->view = *view;
    if (may_be_looked_at(view))
        base->memory = &self->view;
    ngff_status s = ngff_source_describe_as(base, desc ? desc : &own, err);
    if (s == NGFF_OK)
        s = ngff_source_canonical(base, out, err);
    if (s != NGFF_OK) {
        ngff_source_drop(&base);
        return s;
    }
    /* Only now: a failed call takes nothing over. */
    self->release = release;
    self->cookie = cookie;
    return NGFF_OK;
}
