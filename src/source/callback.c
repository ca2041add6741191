/* source: pixels from a caller's function. */
#include "source/kinds.h"

typedef struct callback_source {
    ngff_source base;
    ngff_source_ops ops;
    void *cookie;
} callback_source;

static ngff_status callback_read(ngff_source *s, const ngff_box *box,
                                 const ngff_view *out, ngff_error *err) {
    callback_source *self = (callback_source *)s;
    ngff_status status = self->ops.read_region(self->cookie, box, out, err);
    if (status == NGFF_OK)
        return NGFF_OK;
    char text[256];
    ngff_nd_box_text(box, text, sizeof text);
    /* Any number may come back from foreign code. */
    if (status > NGFF_OK || status < NGFF_INTERNAL)
        status = NGFF_IO;
    return ngff_fail(err, status, "callback source: reading %s failed (%s)", text,
                     ngff_status_name(status));
}

static void callback_close(ngff_source *s) {
    callback_source *self = (callback_source *)s;
    if (self->ops.release)
        self->ops.release(self->cookie);
}

static const ngff_source_vtable callback_ops = {
    .kind = "callback",
    .read = callback_read,
    .close = callback_close,
};

static void set_traits(ngff_source *s, const ngff_source_ops *ops) {
    s->traits.reentrant = ops->reentrant != 0;
    for (int i = 0; i < s->image.desc.ndim; i++)
        s->traits.unit[i] =
            ngff_max_i64(1, ngff_min_i64(ops->unit[i], s->image.desc.shape[i]));
}

ngff_status ngff_source_of_callbacks(const ngff_allocator *a, const ngff_source_ops *ops,
                                     void *cookie, const ngff_image_desc *desc,
                                     ngff_source **out, ngff_error *err) {
    *out = NULL;
    /* A caller built against an older header has a shorter table; the rest is zero. */
    ngff_source_ops own = {.struct_size = sizeof own};
    size_t size = ops->struct_size < sizeof own ? ops->struct_size : sizeof own;
    memcpy(&own, ops, size);
    if (!own.read_region)
        return ngff_fail(err, NGFF_INVALID, "callback source: no read_region given");
    if (!desc)
        return ngff_fail(err, NGFF_INVALID,
                         "callback source: no image description given");
    ngff_source *base = NULL;
    NGFF_TRY(ngff_source_new(a, sizeof(callback_source), &callback_ops, "callback", &base,
                             err));
    callback_source *self = (callback_source *)base;
    ngff_status s = ngff_source_describe_as(base, desc, err);
    if (s == NGFF_OK) {
        set_traits(base, &own);
        s = ngff_source_canonical(base, out, err);
    }
    if (s != NGFF_OK) {
        ngff_source_drop(&base);
        return s;
    }
    self->ops = own;
    self->cookie = cookie;
    return NGFF_OK;
}
