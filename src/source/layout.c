/* source: reading a box of pixels that lie in a file at fixed strides. */
#include "source/gunzip.h"
#include "source/kinds.h"

#include <inttypes.h>

#define SCRATCH ((int64_t)512 << 10) /* stays in cache while it is transposed */
#define SMALL_GAP ((int64_t)4 << 10) /* read for nothing sooner than make a call */
#define LONG_ROW ((int64_t)64 << 10) /* from here on a row is worth a call of its own */
#define GATHER 32                    /* spans side by side: a cache line of uint16 */

void ngff_source_layout_strides(ngff_source_layout *l, bool fortran) {
    int64_t stride = (int64_t)ngff_dtype_size(l->dtype);
    for (int i = 0; i < l->ndim; i++) {
        int axis = fortran ? i : l->ndim - 1 - i;
        l->strides[axis] = stride;
        /* A product too large is caught by ngff_source_take_image and
         * ngff_source_layout_check. */
        if (!ngff_mul_i64(stride, l->shape[axis], &stride))
            stride = INT64_MAX;
    }
}

/* One past the last byte of the pixels; false on overflow. */
static bool layout_end(const ngff_source_layout *l, int64_t *end) {
    if (l->offset > INT64_MAX ||
        !ngff_add_i64((int64_t)l->offset, (int64_t)ngff_dtype_size(l->dtype), end))
        return false;
    for (int i = 0; i < l->ndim; i++) {
        int64_t reach;
        if (!ngff_mul_i64(l->shape[i] - 1, l->strides[i], &reach) ||
            !ngff_add_i64(*end, reach, end))
            return false;
    }
    return true;
}

ngff_status ngff_source_layout_check(const ngff_source_layout *l, uint64_t file_size,
                                     ngff_error *err) {
    int64_t end;
    char shape[128];
    ngff_nd_shape_text(l->ndim, l->shape, shape, sizeof shape);
    if (!layout_end(l, &end))
        return ngff_fail(err, NGFF_FORMAT,
                         "%s: %s pixels of %s from byte %" PRIu64
                         " on reach beyond any file",
                         l->path, shape, ngff_dtype_name(l->dtype), l->offset);
    if ((uint64_t)end > file_size)
        return ngff_fail(err, NGFF_FORMAT,
                         "%s: file of %" PRIu64 " bytes, expected at least %" PRId64
                         " for %s pixels of %s from byte %" PRIu64 " on",
                         l->path, file_size, end, shape, ngff_dtype_name(l->dtype),
                         l->offset);
    return NGFF_OK;
}

void ngff_source_layout_unit(const ngff_source_layout *l, int64_t *unit) {
    int64_t item = (int64_t)ngff_dtype_size(l->dtype);
    for (int i = 0; i < l->ndim; i++) {
        bool fastest = l->strides[i] == item && l->shape[i] > 1;
        unit[i] = fastest ? ngff_min_i64(l->shape[i], ((int64_t)1 << 20) / item) : 1;
    }
}

/* ---- the box in the file's own order ---------------------------------------------- */

/* Axes of extent 1 are gone, axes that lie together in the file and in `out` are one;
 * slowest first. At least one axis. */
typedef struct walk {
    int n;
    int64_t extent[NGFF_MAX_NDIM];
    int64_t stride[NGFF_MAX_NDIM]; /* bytes in the file */
    int64_t step[NGFF_MAX_NDIM];   /* bytes in `out` */
    int64_t offset;                /* in the file */
    char *out;
} walk;

static void walk_insert(walk *w, int64_t extent, int64_t stride, int64_t step) {
    int at = w->n++;
    for (; at > 0 && w->stride[at - 1] < stride; at--) {
        w->extent[at] = w->extent[at - 1];
        w->stride[at] = w->stride[at - 1];
        w->step[at] = w->step[at - 1];
    }
    w->extent[at] = extent;
    w->stride[at] = stride;
    w->step[at] = step;
}

static void walk_merge(walk *w) {
    int n = 1;
    for (int i = 1; i < w->n; i++) {
        int64_t e = w->extent[i];
        bool joined =
            w->stride[n - 1] == e * w->stride[i] && w->step[n - 1] == e * w->step[i];
        int at = joined ? n - 1 : n++;
        w->extent[at] = joined ? w->extent[at] * e : e;
        w->stride[at] = w->stride[i];
        w->step[at] = w->step[i];
    }
    w->n = n;
}

static void walk_init(walk *w, const ngff_source_layout *l, const ngff_box *box,
                      const ngff_view *out) {
    *w = (walk){.offset = (int64_t)l->offset, .out = out->data};
    int64_t item = (int64_t)ngff_dtype_size(l->dtype);
    for (int i = 0; i < l->ndim; i++) {
        assert(box->start[i] >= 0 && box->start[i] + box->shape[i] <= l->shape[i]);
        w->offset += box->start[i] * l->strides[i];
        if (box->shape[i] > 1)
            walk_insert(w, box->shape[i], l->strides[i], out->strides[i]);
    }
    if (w->n == 0)
        walk_insert(w, 1, item, item);
    walk_merge(w);
}

static ngff_status read_exactly(const ngff_source_layout *l, void *data, int64_t size,
                                int64_t offset, ngff_error *err) {
    size_t got = 0;
    if (l->fetch)
        NGFF_TRY(
            l->fetch(l->fetch_cookie, data, (size_t)size, (uint64_t)offset, &got, err));
    else
        NGFF_TRY(ngff_file_pread(l->file, data, (size_t)size, (uint64_t)offset, &got,
                                 l->path, err));
    if (got < (size_t)size)
        return ngff_fail(err, NGFF_FORMAT,
                         "%s: %s ends at byte %" PRId64 ", its pixels reach %" PRId64,
                         l->path, l->fetch ? "the stream" : "the file",
                         offset + (int64_t)got, offset + size);
    return NGFF_OK;
}

/* Next index of the first `n` axes, each advancing by `block`; false after the last. */
static bool walk_next(const walk *w, int n, const int64_t *block, int64_t *idx) {
    for (int i = n - 1; i >= 0; i--) {
        idx[i] += block[i];
        if (idx[i] < w->extent[i])
            return true;
        idx[i] = 0;
    }
    return false;
}

/* Each row in one call, straight to where it belongs. */
static ngff_status read_rows(const ngff_source_layout *l, const walk *w,
                             ngff_error *err) {
    static const int64_t ones[NGFF_MAX_NDIM] = {1, 1, 1, 1, 1, 1, 1, 1};
    int last = w->n - 1;
    int64_t idx[NGFF_MAX_NDIM] = {0};
    do {
        int64_t offset = w->offset;
        char *out = w->out;
        for (int i = 0; i < last; i++) {
            offset += idx[i] * w->stride[i];
            out += idx[i] * w->step[i];
        }
        NGFF_TRY(read_exactly(l, out, w->extent[last] * w->stride[last], offset, err));
        if (l->swap)
            ngff_nd_swap_packed(out,
                                (size_t)w->extent[last] * ngff_dtype_size(l->dtype) /
                                    ngff_dtype_swap_size(l->dtype),
                                ngff_dtype_swap_size(l->dtype));
    } while (walk_next(w, last, ones, idx));
    return NGFF_OK;
}

/* What is read before it is copied to where it belongs. */
typedef struct piece {
    int64_t extent[NGFF_MAX_NDIM];
    int64_t covered; /* bytes of one call, small gaps included */
    int gather;      /* an axis of which several calls make one piece; -1: none */
} piece;

/* Whole axes from the fastest on while the gaps are small and the memory lasts, a part of
 * the next one. */
static void choose_span(const walk *w, int64_t item, int64_t limit, piece *p) {
    p->covered = item;
    p->gather = -1;
    int i = w->n - 1;
    for (; i >= 0; i--) {
        int64_t gap = w->stride[i] - p->covered;
        if (gap > SMALL_GAP && gap > p->covered)
            break;
        int64_t fits = 1 + ngff_max_i64(limit - p->covered, 0) / w->stride[i];
        p->extent[i] = ngff_min_i64(fits, w->extent[i]);
        p->covered += (p->extent[i] - 1) * w->stride[i];
        if (p->extent[i] < w->extent[i]) {
            i--;
            break;
        }
    }
    for (; i >= 0; i--)
        p->extent[i] = 1;
}

static int fastest_in_memory(const walk *w) {
    int best = w->n - 1;
    for (int i = 0; i < w->n; i++) {
        if (w->step[i] > 0 && w->step[i] < w->step[best])
            best = i;
    }
    return best;
}

/* When the axis that is fastest in memory is slow in the file, spans along it are
 * gathered: a transposing copy of single columns would touch every cache line once per
 * element. A stream is never asked to go back, so not there. */
static void choose_piece(const ngff_source_layout *l, const walk *w, piece *p) {
    int64_t item = (int64_t)ngff_dtype_size(l->dtype);
    int fast = fastest_in_memory(w);
    choose_span(w, item, SCRATCH, p);
    if (l->fetch || p->extent[fast] > 1 || w->extent[fast] == 1)
        return;
    choose_span(w, item, SCRATCH / GATHER, p);
    if (p->extent[fast] > 1)
        return;
    p->gather = fast;
    p->extent[fast] = ngff_min_i64(GATHER, w->extent[fast]);
}

static int32_t value_dtype(const ngff_source_layout *l) {
    return l->scaled ? NGFF_FLOAT64 : (int32_t)l->dtype;
}

static ngff_status read_piece(const ngff_source_layout *l, const walk *w,
                              const int64_t *idx, const piece *p, char *scratch,
                              ngff_error *err) {
    ngff_view from = {.data = scratch, .dtype = (int32_t)l->dtype, .ndim = w->n};
    ngff_view to = {.data = w->out, .dtype = value_dtype(l), .ndim = w->n};
    int64_t offset = w->offset;
    int64_t size = (int64_t)ngff_dtype_size(l->dtype), calls = 1;
    for (int i = 0; i < w->n; i++) {
        int64_t extent = ngff_min_i64(p->extent[i], w->extent[i] - idx[i]);
        from.shape[i] = to.shape[i] = extent;
        from.strides[i] = i == p->gather ? p->covered : w->stride[i];
        to.strides[i] = w->step[i];
        to.data = (char *)to.data + idx[i] * w->step[i];
        offset += idx[i] * w->stride[i];
        if (i == p->gather)
            calls = extent;
        else
            size += (extent - 1) * w->stride[i];
    }
    for (int64_t k = 0; k < calls; k++)
        NGFF_TRY(read_exactly(l, scratch + k * p->covered, size,
                              offset + (calls > 1 ? k * w->stride[p->gather] : 0), err));
    if (l->scaled)
        ngff_source_scale(l, &to, &from, (calls - 1) * p->covered + size);
    else if (l->swap)
        ngff_nd_copy_swapped(&to, &from);
    else
        ngff_nd_copy(&to, &from);
    return NGFF_OK;
}

static ngff_status read_pieces(const ngff_allocator *a, const ngff_source_layout *l,
                               const walk *w, ngff_error *err) {
    piece p;
    choose_piece(l, w, &p);
    size_t size = (size_t)(p.gather < 0 ? p.covered : p.covered * p.extent[p.gather]);
    char *scratch = ngff_alloc_aligned(a, size);
    if (!scratch)
        return ngff_fail_nomem(err, "read buffer", size);
    int64_t idx[NGFF_MAX_NDIM] = {0};
    ngff_status s;
    do {
        s = read_piece(l, w, idx, &p, scratch, err);
    } while (s == NGFF_OK && walk_next(w, w->n, p.extent, idx));
    ngff_free_aligned(a, scratch);
    return s;
}

ngff_status ngff_source_read_strided(const ngff_allocator *a, const ngff_source_layout *l,
                                     const ngff_box *box, const ngff_view *out,
                                     ngff_error *err) {
    assert(box->ndim == l->ndim && out->ndim == l->ndim);
    assert(out->dtype == value_dtype(l));
    if (ngff_box_is_empty(box))
        return NGFF_OK;
    walk w;
    walk_init(&w, l, box, out);
    int64_t item = (int64_t)ngff_dtype_size(l->dtype);
    int last = w.n - 1;
    int64_t row = w.extent[last] * item;
    bool straight = !l->scaled && w.stride[last] == item && w.step[last] == item;
    int64_t gap = last > 0 ? w.stride[last - 1] - row : INT64_MAX;
    if (straight && (row >= LONG_ROW || (gap > SMALL_GAP && gap > row)))
        return read_rows(l, &w, err);
    return read_pieces(a, l, &w, err);
}

/* ---- whole sources of this kind ---------------------------------------------------- */

ngff_status ngff_source_strided_new(const ngff_allocator *a, size_t size,
                                    const ngff_source_vtable *ops, const char *path,
                                    ngff_source_strided **out, ngff_error *err) {
    ngff_source *base = NULL;
    assert(size >= sizeof(ngff_source_strided));
    *out = NULL;
    NGFF_TRY(ngff_source_new(a, size, ops, path, &base, err));
    ngff_source_strided *s = (ngff_source_strided *)base;
    s->file = (ngff_file)NGFF_FILE_INIT;
    s->layout.file = &s->file;
    s->layout.path = base->location;
    ngff_status status = ngff_file_open(&s->file, path, NGFF_OPEN_READ, err);
    if (status != NGFF_OK) {
        s->file = (ngff_file)NGFF_FILE_INIT;
        ngff_source_drop(&base);
        return status;
    }
    *out = s;
    return NGFF_OK;
}

ngff_status ngff_source_strided_finish(ngff_source_strided *s, const char *dims,
                                       ngff_error *err) {
    const ngff_source_layout *l = &s->layout;
    uint64_t size = 0;
    NGFF_TRY(ngff_source_take_image(&s->base, (ngff_dtype)value_dtype(l), l->ndim,
                                    l->shape, dims, err));
    if (l->fetch)
        size = INT64_MAX; /* only the reading tells */
    else
        NGFF_TRY(ngff_file_size(&s->file, &size, l->path, err));
    NGFF_TRY(ngff_source_layout_check(l, size, err));
    ngff_source_layout_unit(l, s->base.traits.unit);
    s->base.traits.reentrant = true;
    s->base.traits.memory = (size_t)SCRATCH;
    return s->gz != NULL ? ngff_source_strided_check_stream(s, err) : NGFF_OK;
}

ngff_status ngff_source_strided_read(ngff_source *s, const ngff_box *box,
                                     const ngff_view *out, ngff_error *err) {
    const ngff_source_strided *strided = (const ngff_source_strided *)s;
    return ngff_source_read_strided(s->alloc, &strided->layout, box, out, err);
}

void ngff_source_strided_close(ngff_source *s) {
    ngff_source_strided *strided = (ngff_source_strided *)s;
    ngff_gunzip_close(&strided->gz);
    ngff_file_close(&strided->file);
}
