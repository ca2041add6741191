/* nd: filling strided memory with one element, and asking whether it is. */
#include "nd/walk.h"

/* Doubles what is there until the run is full: memcpy does the work whatever the item
 * size. */
static void fill_run(char *d, size_t total, const void *element, size_t size) {
    memcpy(d, element, size);
    size_t done = size;
    while (done < total) {
        size_t step = done < total - done ? done : total - done;
        memcpy(d + done, d, step);
        done += step;
    }
}

static bool all_bytes_same(const unsigned char *element, size_t size) {
    return memcmp(element, element + 1, size - 1) == 0;
}

static void fill_row(char *d, int64_t count, int64_t stride, const void *element,
                     size_t size) {
    if (stride != (int64_t)size) {
        for (int64_t i = 0; i < count; i++)
            memcpy(d + i * stride, element, size);
    } else if (all_bytes_same(element, size)) {
        memset(d, *(const unsigned char *)element, (size_t)count * size);
    } else {
        fill_run(d, (size_t)count * size, element, size);
    }
}

void ngff_nd_fill(const ngff_view *dst, const void *element) {
    size_t size = ngff_dtype_size((ngff_dtype)dst->dtype);
    assert(size > 0);
    ngff_nd_walk w;
    if (!ngff_nd_walk_init(&w, dst, NULL))
        return;
    int last = w.ndim - 1;
    int64_t idx[NGFF_MAX_NDIM] = {0};
    do
        fill_row(w.d, w.shape[last], w.ds[last], element, size);
    while (ngff_nd_walk_next(&w, last, idx));
}

/* A run equals its first element everywhere iff it equals itself moved by one element:
 * one memcmp, which is vectorised and stops early. */
static bool row_is_fill(const char *d, int64_t count, int64_t stride, const void *element,
                        size_t size) {
    if (memcmp(d, element, size) != 0)
        return false;
    if (stride == (int64_t)size)
        return memcmp(d, d + size, (size_t)(count - 1) * size) == 0;
    for (int64_t i = 1; i < count; i++) {
        if (memcmp(d + i * stride, element, size) != 0)
            return false;
    }
    return true;
}

bool ngff_nd_is_fill(const ngff_view *v, const void *element) {
    size_t size = ngff_dtype_size((ngff_dtype)v->dtype);
    assert(size > 0);
    ngff_nd_walk w;
    if (!ngff_nd_walk_init(&w, v, NULL))
        return true;
    int last = w.ndim - 1;
    int64_t idx[NGFF_MAX_NDIM] = {0};
    do {
        if (!row_is_fill(w.d, w.shape[last], w.ds[last], element, size))
            return false;
    } while (ngff_nd_walk_next(&w, last, idx));
    return true;
}
