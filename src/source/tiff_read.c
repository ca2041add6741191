/* Reading a rectangle of one TIFF page: straight from the file where pixels lie as they
 * are, through the cache of decoded tiles where they do not. */
#include "source/tiff.h"

#define NOT_TOGETHER UINT64_MAX

/* ---- where units are
 * ------------------------------------------------------------------- */

typedef struct units {
    ngff_tiff_blob *blob; /* offsets, then counts, as uint64; NULL: the one unit below */
    const uint64_t *offsets, *counts;
    uint64_t one[2];
} units;

static ngff_status load_array(const ngff_tiff_file *f, uint64_t at, size_t item,
                              uint32_t count, uint64_t *out, ngff_error *err) {
    if (item == 0) { /* no byte counts: only uncompressed pages can do without */
        for (uint32_t i = 0; i < count; i++)
            out[i] = NOT_TOGETHER;
        return NGFF_OK;
    }
    unsigned char *bytes = (unsigned char *)out; /* widened in place, from the end */
    NGFF_TRY(ngff_tiff_pread(f, bytes, (size_t)count * item, at, err));
    for (uint32_t i = count; i-- > 0;) {
        uint64_t v = ngff_tiff_load(f, bytes + (size_t)i * item, item);
        memcpy(bytes + (size_t)i * 8, &v, 8);
    }
    return NGFF_OK;
}

static ngff_status load_table(ngff_tiff_set *s, const ngff_tiff_page *p,
                              uint64_t *offsets, uint64_t *counts, ngff_error *err) {
    const ngff_tiff_file *f = NULL;
    NGFF_TRY(ngff_tiff_pin(s, p->file, &f, err));
    ngff_status status =
        load_array(f, p->offsets_at, p->offsets_size, p->units, offsets, err);
    if (status == NGFF_OK)
        status = load_array(f, p->counts_at, p->counts_size, p->units, counts, err);
    ngff_tiff_unpin(s, p->file);
    return status;
}

static ngff_status units_open(ngff_tiff_set *s, uint32_t page, units *u,
                              ngff_error *err) {
    const ngff_tiff_page *p = ngff_tiff_page_at(s, page);
    u->blob = NULL;
    if (p->units == 1) {
        u->offsets = &u->one[0];
        u->counts = &u->one[1];
        return load_table(s, p, &u->one[0], &u->one[1], err);
    }
    bool fill = false;
    NGFF_TRY(ngff_tiff_cache_get(s->cache, page, NGFF_TIFF_TABLE, (size_t)p->units * 16,
                                 &u->blob, &fill, err));
    uint64_t *table = u->blob->data;
    if (fill) {
        ngff_status status = load_table(s, p, table, table + p->units, err);
        ngff_tiff_cache_filled(s->cache, u->blob, status == NGFF_OK);
        if (status != NGFF_OK)
            return status;
    }
    u->offsets = table;
    u->counts = table + p->units;
    return NGFF_OK;
}

static void units_close(ngff_tiff_set *s, units *u) {
    if (u->blob != NULL)
        ngff_tiff_cache_release(s->cache, u->blob);
}

/* ---- uncompressed pixels
 * --------------------------------------------------------------- */

/* Strips of whole rows that follow each other, or one tile that is the page. */
static bool lie_together(const ngff_tiff_layout *l, const uint64_t *offsets) {
    uint64_t row = (uint64_t)l->width * l->chunky * ngff_dtype_size(l->dtype);
    uint64_t at = offsets[0];
    if (l->tiled && !(l->unit_w == l->width && (l->height % l->unit_h == 0)))
        return false;
    for (uint64_t i = 0; i < l->units; i++) {
        uint64_t down = i % l->down, rows = l->unit_h;
        if (down == l->down - 1)
            rows = l->height - down * l->unit_h;
        if (offsets[i] != at || at == 0)
            return false;
        at += rows * row; /* cannot wrap: compared with the file's own offsets above */
    }
    return true;
}

ngff_status ngff_tiff_data_at(ngff_tiff_set *s, uint32_t page, uint64_t *at,
                              ngff_error *err) {
    ngff_tiff_page *p = ngff_tiff_page_at(s, page);
    const ngff_tiff_layout *l = ngff_tiff_layout_of(s, p);
    *at = atomic_load_explicit(&p->data_at, memory_order_relaxed);
    if (*at != 0)
        return NGFF_OK;
    units u;
    NGFF_TRY(units_open(s, page, &u, err));
    *at = l->direct && lie_together(l, u.offsets) ? u.offsets[0] : NOT_TOGETHER;
    units_close(s, &u);
    atomic_store_explicit(&p->data_at, *at, memory_order_relaxed);
    return NGFF_OK;
}

ngff_status ngff_tiff_check_reach(ngff_tiff_set *s, uint32_t page, ngff_error *err) {
    const ngff_tiff_page *p = ngff_tiff_page_at(s, page);
    const ngff_tiff_layout *l = ngff_tiff_layout_of(s, p);
    const ngff_tiff_file *f = &s->files[p->file];
    uint64_t end = 0, at = NOT_TOGETHER;
    units u;
    if (l->direct) {
        NGFF_TRY(ngff_tiff_data_at(s, page, &at, err));
        if (at != NOT_TOGETHER &&
            __builtin_add_overflow(at, ngff_tiff_page_bytes(l), &end))
            end = UINT64_MAX;
    } else if (p->counts_size != 0) {
        NGFF_TRY(units_open(s, page, &u, err));
        for (uint64_t i = 0; i < l->units; i++) {
            uint64_t stop = 0;
            if (__builtin_add_overflow(u.offsets[i], u.counts[i], &stop))
                stop = UINT64_MAX;
            end = stop > end ? stop : end;
        }
        units_close(s, &u);
    }
    if (end <= f->size)
        return NGFF_OK;
    return ngff_fail(err, NGFF_FORMAT,
                     "%s: the pixels of the directory at byte %llu end at byte %llu, the "
                     "file has %llu; is it truncated?",
                     f->path, (unsigned long long)p->ifd, (unsigned long long)end,
                     (unsigned long long)f->size);
}

/* Reads rows and columns of pixels that lie together from `off` on, `width` pixels a row.
 */
static ngff_status read_direct(ngff_tiff_set *s, const ngff_tiff_request *r, uint64_t off,
                               uint32_t width, uint32_t height, const ngff_view *out,
                               ngff_error *err) {
    const ngff_tiff_page *p = ngff_tiff_page_at(s, r->page);
    const ngff_tiff_layout *l = ngff_tiff_layout_of(s, p);
    const ngff_tiff_file *f = NULL;
    ngff_source_layout flat = {.offset = off,
                               .dtype = l->dtype,
                               .ndim = 3,
                               .shape = {height, width, l->chunky},
                               .swap = l->big_endian == ngff_host_is_little()};
    ngff_box box = {
        3, {r->y, r->x, l->separate ? 0 : r->sample}, {r->h, r->w, r->samples}};
    ngff_source_layout_strides(&flat, false);
    NGFF_TRY(ngff_tiff_pin(s, p->file, &f, err));
    flat.file = &f->file;
    flat.path = f->path;
    ngff_status status = ngff_source_layout_check(&flat, f->size, err);
    if (status == NGFF_OK)
        status = ngff_source_read_strided(s->alloc, &flat, &box, out, err);
    ngff_tiff_unpin(s, p->file);
    return status;
}

/* ---- units
 * ----------------------------------------------------------------------------- */

/* The decoded unit, pinned. */
static ngff_status unit_get(ngff_tiff_set *s, uint32_t page, uint64_t unit,
                            const units *u, ngff_tiff_blob **out, ngff_error *err) {
    const ngff_tiff_layout *l = ngff_tiff_layout_of(s, ngff_tiff_page_at(s, page));
    bool fill = false;
    NGFF_TRY(ngff_tiff_cache_get(s->cache, page, unit, l->unit_bytes, out, &fill, err));
    if (!fill)
        return NGFF_OK;
    uint64_t size = u->counts[unit];
    ngff_status status;
    if (size == NOT_TOGETHER) /* no counts: libtiff guesses for one strip, we do too */
        size = s->files[ngff_tiff_page_at(s, page)->file].size - u->offsets[unit];
    status = ngff_tiff_decode(s, page, unit, u->offsets[unit], size, (*out)->data, err);
    ngff_tiff_cache_filled(s->cache, *out, status == NGFF_OK);
    return status;
}

/* Copies the part of the request that lies in the unit at (ty, tx) of sample plane
 * `plane`. */
static ngff_status read_unit(ngff_tiff_set *s, const ngff_tiff_request *r, const units *u,
                             uint64_t unit, const ngff_box *part, const ngff_view *out,
                             ngff_error *err) {
    const ngff_tiff_layout *l = ngff_tiff_layout_of(s, ngff_tiff_page_at(s, r->page));
    /* A unit that was never written is zeros, as tifffile and GDAL read it. */
    if (u->offsets[unit] == 0 || u->counts[unit] == 0) {
        static const unsigned char zero[16];
        ngff_nd_fill(out, zero);
        return NGFF_OK;
    }
    if (l->direct) {
        ngff_tiff_request sub = *r;
        sub.y = part->start[0];
        sub.x = part->start[1];
        sub.h = part->shape[0];
        sub.w = part->shape[1];
        sub.samples = part->shape[2];
        sub.sample = part->start[2];
        return read_direct(s, &sub, u->offsets[unit], l->unit_w,
                           (uint32_t)(part->start[0] + part->shape[0]), out, err);
    }
    ngff_tiff_blob *blob = NULL;
    NGFF_TRY(unit_get(s, r->page, unit, u, &blob, err));
    ngff_view all, from;
    int64_t shape[3] = {l->unit_h, l->unit_w, l->chunky};
    ngff_view_init(&all, blob->data, l->dtype, 3, shape);
    ngff_view_sub(&all, part->start, part->shape, &from);
    ngff_nd_copy(out, &from);
    ngff_tiff_cache_release(s->cache, blob);
    return NGFF_OK;
}

/* The samples [first, first + count) that one plane of units holds. */
static ngff_status read_grid(ngff_tiff_set *s, const ngff_tiff_request *r, const units *u,
                             uint64_t first_unit, const ngff_view *out, ngff_error *err) {
    const ngff_tiff_layout *l = ngff_tiff_layout_of(s, ngff_tiff_page_at(s, r->page));
    ngff_box want = {2, {r->y, r->x}, {r->h, r->w}}, cells;
    const int64_t cell[2] = {l->unit_h, l->unit_w}, page[2] = {l->height, l->width};
    ngff_box_cells(&want, cell, &cells);
    int64_t idx[2] = {cells.start[0], cells.start[1]};
    do {
        ngff_box here, part;
        ngff_view to;
        ngff_box_of_cell(2, idx, cell, page, &here);
        if (!ngff_box_intersect(&here, &want, &part))
            continue;
        int64_t at[3] = {part.start[0] - r->y, part.start[1] - r->x, 0};
        int64_t shape[3] = {part.shape[0], part.shape[1], r->samples};
        ngff_view_sub(out, at, shape, &to);
        ngff_box inside = {
            3,
            {part.start[0] - here.start[0], part.start[1] - here.start[1], r->sample},
            {part.shape[0], part.shape[1], r->samples}};
        uint64_t unit = first_unit + (uint64_t)idx[0] * l->across + (uint64_t)idx[1];
        NGFF_TRY(read_unit(s, r, u, unit, &inside, &to, err));
    } while (ngff_box_next(&cells, idx));
    return NGFF_OK;
}

/* Separate planes: one request per sample, each with its own units. */
static ngff_status read_samples(ngff_tiff_set *s, const ngff_tiff_request *r,
                                uint64_t data, const units *u, const ngff_view *out,
                                ngff_error *err) {
    const ngff_tiff_layout *l = ngff_tiff_layout_of(s, ngff_tiff_page_at(s, r->page));
    uint64_t plane = (uint64_t)l->width * l->height * ngff_dtype_size(l->dtype);
    ngff_tiff_request one = *r;
    one.samples = 1;
    one.sample = 0;
    for (int64_t i = 0; i < r->samples; i++) {
        uint64_t sample = (uint64_t)(r->sample + i);
        int64_t at[3] = {0, 0, i}, shape[3] = {r->h, r->w, 1};
        ngff_view to;
        ngff_view_sub(out, at, shape, &to);
        if (data != NOT_TOGETHER)
            NGFF_TRY(read_direct(s, &one, data + sample * plane, l->width, l->height, &to,
                                 err));
        else
            NGFF_TRY(read_grid(s, &one, u, sample * l->across * l->down, &to, err));
    }
    return NGFF_OK;
}

ngff_status ngff_tiff_read_page(ngff_tiff_set *s, const ngff_tiff_request *r,
                                const ngff_view *out, ngff_error *err) {
    const ngff_tiff_layout *l = ngff_tiff_layout_of(s, ngff_tiff_page_at(s, r->page));
    uint64_t data = NOT_TOGETHER;
    units u = {0};
    if (l->direct)
        NGFF_TRY(ngff_tiff_data_at(s, r->page, &data, err));
    assert(r->plane == 0 || data != NOT_TOGETHER);
    if (data != NOT_TOGETHER) {
        data += r->plane * ngff_tiff_page_bytes(l); /* checked when the series was made */
        if (!l->separate)
            return read_direct(s, r, data, l->width, l->height, out, err);
        return read_samples(s, r, data, &u, out, err);
    }
    NGFF_TRY(units_open(s, r->page, &u, err));
    ngff_status status = l->separate ? read_samples(s, r, data, &u, out, err)
                                     : read_grid(s, r, &u, 0, out, err);
    units_close(s, &u);
    return status;
}
