/* cover: see cover.h. */
#include "engine/cover.h"

static int64_t row_len(const ngff_cover *c) {
    return c->all.shape[c->all.ndim - 1];
}

static uint64_t row_count(const ngff_cover *c) {
    uint64_t n = 1;
    for (int d = 0; d < c->all.ndim - 1; d++)
        n *= (uint64_t)c->all.shape[d];
    return n;
}

static bool has(const ngff_cover *c, uint64_t i) {
    return (c->bit[i / 8] >> (i % 8) & 1) != 0;
}

static void set(ngff_cover *c, uint64_t i) {
    c->missing -= has(c, i) ? 0 : 1;
    c->bit[i / 8] |= (unsigned char)(1u << (i % 8));
}

/* Whole bytes at once where nothing of them is set. */
static void set_range(ngff_cover *c, uint64_t from, uint64_t count) {
    for (uint64_t i = from, end = from + count; i < end;) {
        if (i % 8 == 0 && end - i >= 8 && c->bit[i / 8] == 0) {
            c->bit[i / 8] = 0xff;
            c->missing -= 8;
            i += 8;
        } else {
            set(c, i++);
        }
    }
}

static unsigned char *new_bits(const ngff_allocator *a, uint64_t count, ngff_error *err) {
    unsigned char *bit = ngff_calloc(a, (size_t)(count / 8 + 1), 1);
    if (bit == NULL) {
        ngff_status status =
            ngff_fail_nomem(err, "the map of a gathered chunk", (size_t)(count / 8 + 1));
        (void)status;
    }
    return bit;
}

ngff_status ngff_cover_init(ngff_cover *c, const ngff_allocator *a, int ndim,
                            const int64_t *shape, ngff_error *err) {
    *c = (ngff_cover){.all = {.ndim = ndim}, .by_row = true};
    assert(ndim > 0);
    for (int d = 0; d < ndim; d++)
        c->all.shape[d] = shape[d];
    c->missing = row_count(c);
    c->bit = new_bits(a, c->missing, err);
    return c->bit != NULL ? NGFF_OK : NGFF_NOMEM;
}

void ngff_cover_reset(ngff_cover *c, const ngff_allocator *a) {
    ngff_free(a, c->bit);
    c->bit = NULL;
}

static ngff_status refine(ngff_cover *c, const ngff_allocator *a, ngff_error *err) {
    ngff_cover fine = *c;
    const uint64_t len = (uint64_t)row_len(c), rows = row_count(c);
    fine.by_row = false;
    fine.missing = rows * len;
    fine.bit = new_bits(a, fine.missing, err);
    if (fine.bit == NULL)
        return NGFF_NOMEM;
    for (uint64_t i = 0; i < rows; i++)
        if (has(c, i))
            set_range(&fine, i * len, len);
    ngff_cover_reset(c, a);
    *c = fine;
    return NGFF_OK;
}

ngff_status ngff_cover_add(ngff_cover *c, const ngff_allocator *a, const ngff_box *part,
                           ngff_error *err) {
    const int last = part->ndim - 1;
    const uint64_t len = (uint64_t)row_len(c);
    ngff_box rows = *part;
    int64_t at[NGFF_MAX_NDIM];
    assert(ngff_box_contains(&c->all, part) && !ngff_box_is_empty(part));
    if (c->by_row && part->shape[last] < row_len(c))
        NGFF_TRY(refine(c, a, err));
    rows.start[last] = 0;
    rows.shape[last] = 1;
    memcpy(at, rows.start, sizeof at);
    do {
        uint64_t row = 0;
        for (int d = 0; d < last; d++)
            row = row * (uint64_t)c->all.shape[d] + (uint64_t)at[d];
        if (c->by_row)
            set(c, row);
        else
            set_range(c, row * len + (uint64_t)part->start[last],
                      (uint64_t)part->shape[last]);
    } while (ngff_box_next(&rows, at));
    return NGFF_OK;
}

void ngff_cover_fill_gaps(const ngff_cover *c, void *pixels, ngff_dtype dtype,
                          const void *element) {
    const size_t size = ngff_dtype_size(dtype);
    const uint64_t len = (uint64_t)row_len(c), count = row_count(c) * len;
    for (uint64_t i = 0; c->missing > 0 && i < count; i++)
        if (!has(c, c->by_row ? i / len : i))
            memcpy((char *)pixels + i * size, element, size);
}
