/* source: another source's pixels with the axes in canonical order t, c, z, y, x. */
#include "source/kinds.h"

typedef struct canonical_source {
    ngff_source base;
    ngff_source_vtable ops;  /* ours, under the name of the inner kind */
    ngff_source *inner;      /* owned */
    int axis[NGFF_MAX_NDIM]; /* of `inner`, for each of ours */
    int ours[NGFF_MAX_NDIM]; /* the other way round */
} canonical_source;

/* Time before channel before anything else before z, y, x. */
static int rank_of(const ngff_axis *axis) {
    static const char letters[] = "zyx";
    if (strcmp(axis->type, "time") == 0)
        return 0;
    if (strcmp(axis->type, "channel") == 0)
        return 1;
    const char *at = axis->name[0] ? strchr(letters, axis->name[0]) : NULL;
    return at && axis->name[1] == '\0' ? 3 + (int)(at - letters) : 2;
}

/* Stable; false when the order is canonical already. */
static bool find_order(const ngff_image_desc *desc, int *axis) {
    bool moved = false;
    for (int i = 0; i < desc->ndim; i++) {
        int rank = rank_of(&desc->axes[i]);
        int at = i;
        for (; at > 0 && rank_of(&desc->axes[axis[at - 1]]) > rank; at--) {
            axis[at] = axis[at - 1];
            moved = true;
        }
        axis[at] = i;
    }
    return moved;
}

/* Our box and view in the axes of `inner`. */
static void turn(const canonical_source *self, const ngff_box *box, const ngff_view *out,
                 ngff_box *inner_box, ngff_view *inner_out) {
    *inner_box = (ngff_box){.ndim = box->ndim};
    for (int i = 0; i < box->ndim; i++) {
        inner_box->start[self->axis[i]] = box->start[i];
        inner_box->shape[self->axis[i]] = box->shape[i];
    }
    ngff_view_transpose(out, self->ours, inner_out);
}

static ngff_status canonical_read(ngff_source *s, const ngff_box *box,
                                  const ngff_view *out, ngff_error *err) {
    const canonical_source *self = (const canonical_source *)s;
    ngff_box inner_box;
    ngff_view inner_out;
    turn(self, box, out, &inner_box, &inner_out);
    return ngff_source_read(self->inner, &inner_box, &inner_out, err);
}

static ngff_status canonical_read_level(ngff_source *s, int level, const ngff_box *box,
                                        const ngff_view *out, ngff_error *err) {
    const canonical_source *self = (const canonical_source *)s;
    ngff_box inner_box;
    ngff_view inner_out;
    turn(self, box, out, &inner_box, &inner_out);
    return ngff_source_read_level(self->inner, level, &inner_box, &inner_out, err);
}

static void canonical_close(ngff_source *s) {
    canonical_source *self = (canonical_source *)s;
    ngff_source_drop(&self->inner);
}

static const ngff_source_vtable canonical_ops = {
    .read = canonical_read,
    .read_level = canonical_read_level,
    .close = canonical_close,
};

static void describe_levels(canonical_source *self, const ngff_source *inner) {
    ngff_source *s = &self->base;
    s->pyramid = inner->pyramid;
    for (int n = 0; n < inner->level_count; n++) {
        for (int i = 0; i < s->image.desc.ndim; i++) {
            int from = self->axis[i];
            s->level_shape[n][i] = inner->level_shape[n][from];
            s->pyramid.scale[n][i] = inner->pyramid.scale[n][from];
            s->pyramid.translation[n][i] = inner->pyramid.translation[n][from];
            s->pyramid.chunk[n][i] = inner->pyramid.chunk[n][from];
        }
    }
}

static void describe(canonical_source *self, const ngff_source *inner) {
    ngff_source *s = &self->base;
    ngff_image_desc *desc = &s->image.desc;
    for (int i = 0; i < desc->ndim; i++) {
        int from = self->axis[i];
        self->ours[from] = i;
        desc->shape[i] = inner->image.desc.shape[from];
        desc->axes[i] = inner->image.desc.axes[from];
        s->traits.unit[i] = inner->traits.unit[from];
    }
    describe_levels(self, inner);
    s->traits.slow_axis = self->ours[inner->traits.slow_axis];
}

ngff_status ngff_source_canonical(ngff_source *inner, ngff_source **out,
                                  ngff_error *err) {
    int axis[NGFF_MAX_NDIM] = {0};
    *out = NULL;
    if (!find_order(&inner->image.desc, axis)) {
        *out = inner;
        return NGFF_OK;
    }
    ngff_source *s = NULL;
    NGFF_TRY(ngff_source_new(inner->alloc, sizeof(canonical_source), &canonical_ops,
                             inner->location, &s, err));
    canonical_source *self = (canonical_source *)s;
    ngff_status status =
        ngff_ome_image_copy(inner->alloc, &inner->image.desc, &s->image, err);
    if (status != NGFF_OK) {
        ngff_source_drop(&s);
        return status;
    }
    self->ops = canonical_ops;
    self->ops.kind = inner->ops->kind;
    s->ops = &self->ops;
    memcpy(self->axis, axis, sizeof axis);
    s->level_count = inner->level_count;
    s->traits = inner->traits;
    memcpy(s->note, inner->note, sizeof s->note);
    s->channels_listed = inner->channels_listed;
    memcpy(s->file_axes, inner->file_axes, sizeof s->file_axes);
    describe(self, inner);
    self->inner = inner;
    *out = s;
    return NGFF_OK;
}
