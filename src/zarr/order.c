/* zarr: the order of chunks inside a shard. Any extents: a sort, not an enumeration of
 * codes. */
#include "zarr/inside.h"

void ngff_zarr_place(const ngff_zarr_array *a, size_t at, int64_t *idx) {
    for (int i = a->meta.ndim - 1; i >= 0; i--) {
        idx[i] = (int64_t)(at % (size_t)a->per_shard[i]);
        at /= (size_t)a->per_shard[i];
    }
}

static bool not_after(const ngff_zarr_array *a, uint32_t x, uint32_t y) {
    int64_t xi[NGFF_MAX_NDIM], yi[NGFF_MAX_NDIM];
    ngff_zarr_place(a, x, xi);
    ngff_zarr_place(a, y, yi);
    return ngff_nd_morton_compare(a->meta.ndim, xi, yi) <= 0;
}

static void merge(const ngff_zarr_array *a, const uint32_t *x, size_t x_len,
                  const uint32_t *y, size_t y_len, uint32_t *out) {
    while (x_len > 0 && y_len > 0) {
        if (not_after(a, *x, *y)) {
            *out++ = *x++;
            x_len--;
        } else {
            *out++ = *y++;
            y_len--;
        }
    }
    memcpy(out, x, x_len * sizeof *out);
    memcpy(out + x_len, y, y_len * sizeof *out);
}

/* Bottom-up merge sort by Morton order; `room` has as many elements. Answers the sorted
 * one. */
static uint32_t *sort(const ngff_zarr_array *a, uint32_t *list, uint32_t *room,
                      size_t count) {
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t at = 0; at < count; at += 2 * width) {
            size_t mid = at + width < count ? at + width : count;
            size_t end = at + 2 * width < count ? at + 2 * width : count;
            merge(a, list + at, mid - at, list + mid, end - mid, room + at);
        }
        uint32_t *swap = list;
        list = room;
        room = swap;
    }
    return list;
}

ngff_status ngff_zarr_order(const ngff_zarr_array *array, size_t count, uint32_t **out,
                            ngff_error *err) {
    uint32_t *list = ngff_calloc(array->alloc, count, sizeof *list);
    uint32_t *room = ngff_calloc(array->alloc, count, sizeof *room);
    *out = NULL;
    if (!list || !room) {
        ngff_free(array->alloc, list);
        ngff_free(array->alloc, room);
        return ngff_fail_nomem(err, "the order of a shard", 2 * count * sizeof *list);
    }
    for (size_t i = 0; i < count; i++)
        list[i] = (uint32_t)i;
    *out = sort(array, list, room, count);
    ngff_free(array->alloc, *out == list ? room : list);
    return NGFF_OK;
}
