/* nd: shapes and boxes. Starts and extents come checked: start + shape fits in 63 bits.
 */
#include "nd/nd.h"

#include <stdio.h>

ngff_status ngff_nd_volume(int ndim, const int64_t *shape, int64_t *out,
                           ngff_error *err) {
    int64_t volume = 1;
    bool empty = false;
    bool fits = true;
    *out = 0;
    for (int i = 0; i < ndim; i++) {
        if (shape[i] < 0)
            return ngff_fail(err, NGFF_INVALID, "axis %d has the negative extent %lld", i,
                             (long long)shape[i]);
        if (shape[i] == 0)
            empty = true;
        else if (fits)
            fits = ngff_mul_i64(volume, shape[i], &volume);
    }
    if (empty)
        return NGFF_OK;
    if (!fits) {
        char text[128];
        ngff_nd_shape_text(ndim, shape, text, sizeof text);
        return ngff_fail(err, NGFF_LIMIT, "shape %s has more elements than 2^63", text);
    }
    *out = volume;
    return NGFF_OK;
}

ngff_status ngff_nd_bytes(int ndim, const int64_t *shape, ngff_dtype dtype, size_t *out,
                          ngff_error *err) {
    int64_t volume;
    *out = 0;
    NGFF_TRY(ngff_nd_volume(ndim, shape, &volume, err));
    if ((uint64_t)volume > SIZE_MAX ||
        !ngff_mul_size((size_t)volume, ngff_dtype_size(dtype), out)) {
        char text[128];
        *out = 0;
        ngff_nd_shape_text(ndim, shape, text, sizeof text);
        return ngff_fail(err, NGFF_LIMIT, "shape %s of %s does not fit in memory", text,
                         ngff_dtype_name(dtype));
    }
    return NGFF_OK;
}

bool ngff_box_is_empty(const ngff_box *b) {
    for (int i = 0; i < b->ndim; i++) {
        if (b->shape[i] <= 0)
            return true;
    }
    return false;
}

bool ngff_box_intersect(const ngff_box *a, const ngff_box *b, ngff_box *out) {
    assert(a->ndim == b->ndim);
    ngff_box r = {.ndim = a->ndim};
    for (int i = 0; i < a->ndim; i++) {
        int64_t end = ngff_min_i64(a->start[i] + a->shape[i], b->start[i] + b->shape[i]);
        r.start[i] = ngff_max_i64(a->start[i], b->start[i]);
        r.shape[i] = ngff_max_i64(end - r.start[i], 0);
    }
    *out = r;
    return !ngff_box_is_empty(&r);
}

void ngff_box_hull(const ngff_box *a, const ngff_box *b, ngff_box *out) {
    assert(a->ndim == b->ndim);
    if (ngff_box_is_empty(a) || ngff_box_is_empty(b)) {
        *out = ngff_box_is_empty(a) ? *b : *a;
        return;
    }
    ngff_box r = {.ndim = a->ndim};
    for (int i = 0; i < a->ndim; i++) {
        int64_t end = ngff_max_i64(a->start[i] + a->shape[i], b->start[i] + b->shape[i]);
        r.start[i] = ngff_min_i64(a->start[i], b->start[i]);
        r.shape[i] = end - r.start[i];
    }
    *out = r;
}

bool ngff_box_equal(const ngff_box *a, const ngff_box *b) {
    if (a->ndim != b->ndim)
        return false;
    for (int i = 0; i < a->ndim; i++) {
        if (a->start[i] != b->start[i] || a->shape[i] != b->shape[i])
            return false;
    }
    return true;
}

bool ngff_box_contains(const ngff_box *outer, const ngff_box *inner) {
    assert(outer->ndim == inner->ndim);
    if (ngff_box_is_empty(inner))
        return true;
    for (int i = 0; i < outer->ndim; i++) {
        if (inner->start[i] < outer->start[i] ||
            inner->start[i] + inner->shape[i] > outer->start[i] + outer->shape[i])
            return false;
    }
    return true;
}

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

void ngff_box_cells(const ngff_box *box, const int64_t *cell, ngff_box *out) {
    ngff_box r = {.ndim = box->ndim};
    for (int i = 0; i < box->ndim; i++) {
        assert(cell[i] > 0);
        r.start[i] = floor_div(box->start[i], cell[i]);
        if (box->shape[i] > 0)
            r.shape[i] =
                floor_div(box->start[i] + box->shape[i] - 1, cell[i]) - r.start[i] + 1;
    }
    *out = r;
}

void ngff_box_of_cell(int ndim, const int64_t *idx, const int64_t *cell,
                      const int64_t *shape, ngff_box *out) {
    ngff_box r = {.ndim = ndim};
    for (int i = 0; i < ndim; i++) {
        r.start[i] = idx[i] * cell[i];
        r.shape[i] = ngff_max_i64(ngff_min_i64(cell[i], shape[i] - r.start[i]), 0);
    }
    *out = r;
}

bool ngff_box_next(const ngff_box *box, int64_t *idx) {
    for (int i = box->ndim - 1; i >= 0; i--) {
        if (++idx[i] < box->start[i] + box->shape[i])
            return true;
        idx[i] = box->start[i];
    }
    return false;
}

uint64_t ngff_nd_morton(int ndim, const int64_t *idx) {
    uint64_t key = 0;
    if (ndim == 0)
        return 0;
    for (int level = 64 / ndim - 1; level >= 0; level--) {
        for (int i = 0; i < ndim; i++) {
            assert(idx[i] >= 0 && (uint64_t)idx[i] >> (64 / ndim - 1) <= 1);
            key = key << 1 | ((uint64_t)idx[i] >> level & 1);
        }
    }
    return key;
}

/* The axis whose indices differ in the highest bit decides; on a tie of bits the earlier
 * axis. */
int ngff_nd_morton_compare(int ndim, const int64_t *a, const int64_t *b) {
    int axis = 0;
    uint64_t most = 0;
    for (int i = 0; i < ndim; i++) {
        uint64_t diff = (uint64_t)a[i] ^ (uint64_t)b[i];
        if (most < diff && most < (most ^ diff)) {
            most = diff;
            axis = i;
        }
    }
    if (most == 0)
        return 0;
    return a[axis] < b[axis] ? -1 : 1;
}

/* Appends at *used, cutting at the end of `out`. */
static void put_text(char *out, size_t out_size, size_t *used, const char *text) {
    size_t len = strlen(text);
    if (*used < out_size) {
        ngff_copy_text(out + *used, out_size - *used, text);
        *used += len;
    }
}

void ngff_nd_box_text(const ngff_box *box, char *out, size_t out_size) {
    size_t used = 0;
    char part[64];
    put_text(out, out_size, &used, "[");
    for (int i = 0; i < box->ndim; i++) {
        /* Boxes that were refused are printed too: any numbers. */
        int64_t end;
        if (!ngff_add_i64(box->start[i], box->shape[i], &end))
            end = box->shape[i] < 0 ? INT64_MIN : INT64_MAX;
        snprintf(part, sizeof part, "%s%lld:%lld", i ? ", " : "",
                 (long long)box->start[i], (long long)end);
        put_text(out, out_size, &used, part);
    }
    put_text(out, out_size, &used, "]");
}

void ngff_nd_shape_text(int ndim, const int64_t *shape, char *out, size_t out_size) {
    size_t used = 0;
    char part[32];
    put_text(out, out_size, &used, ndim ? "" : "()");
    for (int i = 0; i < ndim; i++) {
        snprintf(part, sizeof part, "%s%lld", i ? "x" : "", (long long)shape[i]);
        put_text(out, out_size, &used, part);
    }
}
