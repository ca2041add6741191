/* Tiles: offsets, and the strided copies between a view and the spill. */
#include "engine/tiles.h"

int64_t ngff_tiles_start(const ngff_tiles *t, int axis, int64_t k) {
    if (k >= t->count[axis])
        return t->shape[axis];
    int64_t first = k * t->block[axis] - t->anchor[axis];
    if (first <= 0)
        return 0;
    return ngff_min_i64(ngff_ceil_div(first, t->factor[axis]), t->shape[axis]);
}

static int64_t tile_of(const ngff_tiles *t, int axis, int64_t x) {
    int64_t k = (x * t->factor[axis] + t->anchor[axis]) / t->block[axis];
    return ngff_min_i64(k, t->count[axis] - 1);
}

uint64_t ngff_tiles_bytes(const ngff_tiles *t) {
    uint64_t n = ngff_dtype_size(t->dtype);
    for (int d = 0; d < t->ndim; d++)
        n *= (uint64_t)t->shape[d];
    return n;
}

static void tile_box(const ngff_tiles *t, const int64_t *idx, ngff_box *out) {
    *out = (ngff_box){.ndim = t->ndim};
    for (int d = 0; d < t->ndim; d++) {
        out->start[d] = ngff_tiles_start(t, d, idx[d]);
        out->shape[d] = ngff_tiles_start(t, d, idx[d] + 1) - out->start[d];
    }
}

/* All tiles before this one: what lies before it along the first axis, then, inside its
 * own slab, along the second, and so on. No padding between tiles. */
static uint64_t tile_off(const ngff_tiles *t, const ngff_box *tile) {
    uint64_t off = 0, inside = ngff_dtype_size(t->dtype);
    for (int d = 0; d < t->ndim; d++) {
        uint64_t after = 1;
        for (int e = d + 1; e < t->ndim; e++)
            after *= (uint64_t)t->shape[e];
        off += inside * (uint64_t)tile->start[d] * after;
        inside *= (uint64_t)tile->shape[d];
    }
    return off;
}

/* ---- one tile -------------------------------------------------------------------- */

/* A part of one tile on its way: `file` describes the part inside the tile (offset in the
 * room, packed strides of the tile), `view` the same pixels in the caller's memory. */
typedef struct part {
    const ngff_tiles_room *room;
    uint64_t off;
    ngff_view file; /* strides of the tile; data unused unless in memory */
    ngff_view view;
    bool write;
    char *scratch;
} part;

static ngff_status move_bytes(const part *p, uint64_t off, void *data, size_t size,
                              ngff_error *err) {
    const ngff_tiles_room *room = p->room;
    if (p->write)
        return ngff_spill_write(room->spill, room->ticket, room->base + off, data, size,
                                err);
    return ngff_spill_read(room->spill, room->ticket, room->base + off, data, size, err);
}

/* Rows [first, first + count) of one plane (the last two axes), through the scratch. The
 * bytes between them are read along; when writing, count > 1 only if there are none. */
static ngff_status move_rows(const part *p, int64_t first, int64_t count, uint64_t off,
                             const ngff_view *plane, ngff_error *err) {
    const int64_t item = (int64_t)ngff_dtype_size((ngff_dtype)plane->dtype);
    const int64_t pitch = p->file.strides[p->file.ndim - 2], width = plane->shape[1];
    size_t size = (size_t)((count - 1) * pitch + width * item);
    int64_t at[2] = {first, 0}, shape[2] = {count, width};
    ngff_view rows, buffer;
    ngff_view_sub(plane, at, shape, &rows);
    ngff_view_init(&buffer, p->scratch, (ngff_dtype)plane->dtype, 2, shape);
    buffer.strides[0] = pitch;
    off += (uint64_t)(first * pitch);
    assert(size <= NGFF_TILE_SCRATCH);
    if (p->write) {
        ngff_nd_copy(&buffer, &rows);
        return move_bytes(p, off, p->scratch, size, err);
    }
    NGFF_TRY(move_bytes(p, off, p->scratch, size, err));
    ngff_nd_copy(&rows, &buffer);
    return NGFF_OK;
}

/* A single row that is longer than the scratch, in pieces. */
static ngff_status move_long_row(const part *p, int64_t row, uint64_t off,
                                 const ngff_view *plane, ngff_error *err) {
    const int64_t item = (int64_t)ngff_dtype_size((ngff_dtype)plane->dtype);
    const int64_t step = (int64_t)NGFF_TILE_SCRATCH / item;
    off += (uint64_t)(row * p->file.strides[p->file.ndim - 2]);
    for (int64_t x = 0; x < plane->shape[1]; x += step) {
        int64_t at[2] = {row, x}, shape[2] = {1, ngff_min_i64(step, plane->shape[1] - x)};
        ngff_view from, buffer;
        size_t size = (size_t)(shape[1] * item);
        ngff_view_sub(plane, at, shape, &from);
        ngff_view_init(&buffer, p->scratch, (ngff_dtype)plane->dtype, 2, shape);
        if (p->write)
            ngff_nd_copy(&buffer, &from);
        NGFF_TRY(move_bytes(p, off + (uint64_t)(x * item), p->scratch, size, err));
        if (!p->write)
            ngff_nd_copy(&from, &buffer);
    }
    return NGFF_OK;
}

static ngff_status move_plane(const part *p, uint64_t off, const ngff_view *plane,
                              ngff_error *err) {
    const int64_t item = (int64_t)ngff_dtype_size((ngff_dtype)plane->dtype);
    const int64_t pitch = p->file.strides[p->file.ndim - 2];
    const int64_t row = plane->shape[1] * item, room = (int64_t)NGFF_TILE_SCRATCH;
    int64_t batch = 1;
    if (row == pitch || (!p->write && pitch <= room / 4))
        batch = ngff_max_i64(room / pitch, 1);
    for (int64_t y = 0; y < plane->shape[0]; y += batch) {
        int64_t count = ngff_min_i64(batch, plane->shape[0] - y);
        NGFF_TRY(row > room ? move_long_row(p, y, off, plane, err)
                            : move_rows(p, y, count, off, plane, err));
    }
    return NGFF_OK;
}

/* The whole part is one piece of the tile and of the caller's memory. */
static bool is_one_piece(const part *p) {
    int64_t packed = (int64_t)ngff_dtype_size((ngff_dtype)p->view.dtype);
    for (int d = p->view.ndim - 1; d >= 0; d--) {
        if (p->view.shape[d] == 1)
            continue;
        if (p->view.strides[d] != packed || p->file.strides[d] != packed)
            return false;
        packed *= p->view.shape[d];
    }
    return true;
}

/* The room may have its end in the file. */
static bool is_in_memory(const part *p) {
    uint64_t end = p->room->base + p->off + ngff_dtype_size((ngff_dtype)p->file.dtype);
    for (int d = 0; d < p->file.ndim; d++)
        end += (uint64_t)((p->file.shape[d] - 1) * p->file.strides[d]);
    return end <= p->room->ticket->mem_size;
}

static ngff_status move_part(part *p, ngff_error *err) {
    const int n = p->view.ndim;
    if (is_in_memory(p)) {
        p->file.data = (char *)p->room->ticket->mem + p->room->base + p->off;
        ngff_nd_copy(p->write ? &p->file : &p->view, p->write ? &p->view : &p->file);
        return NGFF_OK;
    }
    if (is_one_piece(p)) {
        size_t size = ngff_dtype_size((ngff_dtype)p->view.dtype);
        for (int d = 0; d < n; d++)
            size *= (size_t)p->view.shape[d];
        return move_bytes(p, p->off, p->view.data, size, err);
    }
    ngff_box outer = {.ndim = n - 2};
    int64_t idx[NGFF_MAX_NDIM] = {0};
    memcpy(outer.shape, p->view.shape, sizeof(int64_t) * (size_t)outer.ndim);
    do {
        ngff_view plane = {.dtype = p->view.dtype, .ndim = 2};
        uint64_t off = p->off;
        char *data = p->view.data;
        for (int d = 0; d < n - 2; d++) {
            off += (uint64_t)(idx[d] * p->file.strides[d]);
            data += idx[d] * p->view.strides[d];
        }
        plane.data = data;
        memcpy(plane.shape, &p->view.shape[n - 2], 2 * sizeof(int64_t));
        memcpy(plane.strides, &p->view.strides[n - 2], 2 * sizeof(int64_t));
        NGFF_TRY(move_plane(p, off, &plane, err));
    } while (n > 2 && ngff_box_next(&outer, idx));
    return NGFF_OK;
}

/* ---- a box ----------------------------------------------------------------------- */

static void set_part(const ngff_tiles *t, const ngff_box *box, const ngff_view *view,
                     const ngff_box *tile, part *p) {
    ngff_box both;
    int64_t at[NGFF_MAX_NDIM];
    (void)ngff_box_intersect(box, tile, &both);
    for (int d = 0; d < t->ndim; d++)
        at[d] = both.start[d] - box->start[d];
    ngff_view_sub(view, at, both.shape, &p->view);
    ngff_view_init(&p->file, NULL, t->dtype, t->ndim, tile->shape);
    p->off = tile_off(t, tile);
    for (int d = 0; d < t->ndim; d++) {
        p->file.shape[d] = both.shape[d];
        p->off += (uint64_t)((both.start[d] - tile->start[d]) * p->file.strides[d]);
    }
}

static ngff_status move_box(const ngff_tiles *t, part *p, const ngff_box *box,
                            const ngff_view *view, ngff_error *err) {
    ngff_box cells = {.ndim = t->ndim};
    int64_t idx[NGFF_MAX_NDIM];
    assert(t->ndim >= 2 && !ngff_box_is_empty(box));
    for (int d = 0; d < t->ndim; d++) {
        int64_t last = box->start[d] + box->shape[d] - 1;
        assert(box->start[d] >= 0 && last < t->shape[d]);
        cells.start[d] = tile_of(t, d, box->start[d]);
        cells.shape[d] = tile_of(t, d, last) + 1 - cells.start[d];
        idx[d] = cells.start[d];
    }
    do {
        ngff_box tile;
        tile_box(t, idx, &tile);
        if (ngff_box_is_empty(&tile))
            continue;
        set_part(t, box, view, &tile, p);
        NGFF_TRY(move_part(p, err));
    } while (ngff_box_next(&cells, idx));
    return NGFF_OK;
}

ngff_status ngff_tiles_read(const ngff_tiles *t, const ngff_tiles_room *room,
                            const ngff_box *box, const ngff_view *view, void *scratch,
                            ngff_error *err) {
    part p = {.room = room, .write = false, .scratch = scratch};
    return move_box(t, &p, box, view, err);
}

ngff_status ngff_tiles_write(const ngff_tiles *t, const ngff_tiles_room *room,
                             const ngff_box *box, const ngff_view *view, void *scratch,
                             ngff_error *err) {
    part p = {.room = room, .write = true, .scratch = scratch};
    return move_box(t, &p, box, view, err);
}
