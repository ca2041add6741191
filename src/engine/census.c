/* census: counting. A thread counts one channel of its block into bins of its own, then
 * adds those that it touched to the channel's under the lock. */
#include "engine/census_inside.h"

/* What one thread counts into; kept for the next block. All zero between two uses. */
typedef struct ngff_census_part {
    struct ngff_census_part *next;
    uint64_t min, max; /* keys; min > max: nothing */
    uint32_t bins[];
} part;

#define ADD_KEY(k)                                                                       \
    do {                                                                                 \
        lo = (k) < lo ? (k) : lo;                                                        \
        hi = (k) > hi ? (k) : hi;                                                        \
    } while (0)

/* One row of pixels. The extremes are a loop of their own, which compilers turn into
 * vector code; counting is bound by memory. */
#define INTEGER_ROW(name, type, flip, shift)                                             \
    static void name(const void *data, int64_t n, part *p) {                             \
        const type *v = data;                                                            \
        type lo = (type) ~(type)0, hi = 0;                                               \
        for (int64_t i = 0; i < n; i++)                                                  \
            ADD_KEY((type)(v[i] ^ (flip)));                                              \
        p->min = lo < p->min ? lo : p->min;                                              \
        p->max = hi > p->max ? hi : p->max;                                              \
        for (int64_t i = 0; i < n; i++)                                                  \
            p->bins[(type)(v[i] ^ (flip)) >> (shift)]++;                                 \
    }
INTEGER_ROW(row_u8, uint8_t, 0, 0)
INTEGER_ROW(row_i8, uint8_t, 0x80, 0)
INTEGER_ROW(row_u16, uint16_t, 0, 0)
INTEGER_ROW(row_i16, uint16_t, 0x8000, 0)
INTEGER_ROW(row_u32, uint32_t, 0, 16)
INTEGER_ROW(row_i32, uint32_t, 0x80000000u, 16)
INTEGER_ROW(row_u64, uint64_t, 0, 48)
INTEGER_ROW(row_i64, uint64_t, 0x8000000000000000u, 48)

/* IEEE numbers by their bits: the exponent all ones is not finite; negative ones count
 * downwards. */
#define FLOAT_ROW(name, type, exponent, sign, shift)                                     \
    static void name(const void *data, int64_t n, part *p) {                             \
        const type *v = data;                                                            \
        uint64_t lo = p->min, hi = p->max;                                               \
        for (int64_t i = 0; i < n; i++) {                                                \
            if ((v[i] & (exponent)) == (exponent))                                       \
                continue;                                                                \
            type k = (type)(v[i] & (sign) ? ~v[i] : v[i] | (sign));                      \
            ADD_KEY(k);                                                                  \
            p->bins[k >> (shift)]++;                                                     \
        }                                                                                \
        p->min = lo;                                                                     \
        p->max = hi;                                                                     \
    }
FLOAT_ROW(row_f16, uint16_t, 0x7c00, 0x8000, 0)
FLOAT_ROW(row_f32, uint32_t, 0x7f800000u, 0x80000000u, 16)
FLOAT_ROW(row_f64, uint64_t, 0x7ff0000000000000u, 0x8000000000000000u, 48)

typedef void (*row_fn)(const void *data, int64_t n, part *p);

static row_fn row_of(ngff_dtype dtype) {
    static const row_fn rows[] = {
        [NGFF_BOOL] = row_u8,     [NGFF_INT8] = row_i8,     [NGFF_INT16] = row_i16,
        [NGFF_INT32] = row_i32,   [NGFF_INT64] = row_i64,   [NGFF_UINT8] = row_u8,
        [NGFF_UINT16] = row_u16,  [NGFF_UINT32] = row_u32,  [NGFF_UINT64] = row_u64,
        [NGFF_FLOAT16] = row_f16, [NGFF_FLOAT32] = row_f32, [NGFF_FLOAT64] = row_f64};
    size_t i = (size_t)dtype;
    return i < sizeof rows / sizeof rows[0] ? rows[i] : NULL;
}

/* ---- making ---- */

static size_t bin_count(ngff_dtype dtype) {
    return ngff_dtype_size(dtype) == 1 ? 256 : 65536;
}

static size_t part_size(ngff_dtype dtype) {
    return sizeof(part) + bin_count(dtype) * sizeof(uint32_t);
}

uint64_t ngff_census_size(ngff_dtype dtype, int64_t channels, int threads) {
    if (!row_of(dtype))
        return 0;
    uint64_t one = bin_count(dtype) * sizeof(uint64_t) + sizeof(ngff_census_channel);
    return sizeof(ngff_census) + one * (uint64_t)channels +
           part_size(dtype) * (uint64_t)threads;
}

ngff_status ngff_census_create(const ngff_allocator *a, ngff_dtype dtype, int axis,
                               int64_t channels, ngff_census **out, ngff_error *err) {
    assert(row_of(dtype) && channels >= 1);
    *out = NULL;
    ngff_census *c = ngff_calloc(a, 1, sizeof *c);
    if (!c)
        return ngff_fail_nomem(err, "a census", sizeof *c);
    c->alloc = a;
    c->dtype = dtype;
    c->axis = axis;
    c->bin_count = bin_count(dtype);
    c->channel_count = channels;
    c->channel = ngff_calloc(a, (size_t)channels, sizeof *c->channel);
    c->bins = ngff_calloc(a, (size_t)channels, c->bin_count * sizeof *c->bins);
    ngff_status status = ngff_mutex_create(a, &c->lock, err);
    if (status == NGFF_OK && (!c->channel || !c->bins))
        status = ngff_fail_nomem(err, "a census",
                                 (size_t)channels * c->bin_count * sizeof *c->bins);
    for (int64_t i = 0; status == NGFF_OK && i < channels; i++)
        c->channel[i] = (ngff_census_channel){.min = UINT64_MAX};
    if (status != NGFF_OK)
        ngff_census_close(&c);
    *out = c;
    return status;
}

void ngff_census_close(ngff_census **census) {
    ngff_census *c = *census;
    *census = NULL;
    if (!c)
        return;
    while (c->idle) {
        part *p = c->idle;
        c->idle = p->next;
        ngff_free(c->alloc, p);
    }
    ngff_mutex_close(&c->lock);
    ngff_free(c->alloc, c->channel);
    ngff_free(c->alloc, c->bins);
    ngff_free(c->alloc, c);
}

int ngff_census_axis(const ngff_census *census) {
    return census->axis;
}

/* ---- adding ---- */

static ngff_status take_part(ngff_census *c, part **out, ngff_error *err) {
    ngff_mutex_lock(c->lock);
    *out = c->idle;
    if (*out)
        c->idle = (*out)->next;
    ngff_mutex_unlock(c->lock);
    if (!*out)
        *out = ngff_calloc(c->alloc, 1, part_size(c->dtype));
    return *out ? NGFF_OK : ngff_fail_nomem(err, "a census", part_size(c->dtype));
}

static void give_part(ngff_census *c, part *p) {
    ngff_mutex_lock(c->lock);
    p->next = c->idle;
    c->idle = p;
    ngff_mutex_unlock(c->lock);
}

static void start_part(part *p) {
    p->min = UINT64_MAX;
    p->max = 0;
}

/* Leaves the part as it was found: all zero. */
static void merge(ngff_census *c, int64_t channel, part *p) {
    if (p->min > p->max)
        return;
    uint64_t *to = c->bins + (size_t)channel * c->bin_count;
    ngff_census_channel *all = &c->channel[channel];
    const int shift = ngff_census_shift(c->dtype);
    const size_t first = (size_t)(p->min >> shift), last = (size_t)(p->max >> shift);
    ngff_mutex_lock(c->lock);
    for (size_t i = first; i <= last; i++) {
        to[i] += p->bins[i];
        all->count += p->bins[i];
    }
    all->min = p->min < all->min ? p->min : all->min;
    all->max = p->max > all->max ? p->max : all->max;
    ngff_mutex_unlock(c->lock);
    memset(p->bins + first, 0, (last - first + 1) * sizeof *p->bins);
}

/* Merged before a bin of 32 bits can be full: `most` pixels are counted at once. */
static void count_rows(ngff_census *c, const ngff_view *v, int64_t channel, part *p) {
    const int64_t most = INT64_C(1) << 31;
    row_fn row = row_of(c->dtype);
    const int last = v->ndim - 1;
    const bool packed = v->strides[last] == (int64_t)ngff_dtype_size(c->dtype);
    const int64_t step = packed ? v->shape[last] : 1;
    int64_t counted = 0;
    assert(step <= most);
    ngff_box box = {.ndim = v->ndim};
    int64_t idx[NGFF_MAX_NDIM] = {0};
    memcpy(box.shape, v->shape, sizeof box.shape);
    box.shape[last] = packed ? 1 : box.shape[last];
    do {
        int64_t at = 0;
        for (int d = 0; d < v->ndim; d++)
            at += idx[d] * v->strides[d];
        if (counted > most - step) {
            merge(c, channel, p);
            start_part(p);
            counted = 0;
        }
        row((const char *)v->data + at, step, p);
        counted += step;
    } while (ngff_box_next(&box, idx));
    merge(c, channel, p);
}

ngff_status ngff_census_add(ngff_census *census, const ngff_view *view, int64_t first,
                            ngff_error *err) {
    const int axis = census->axis;
    int64_t count = axis < 0 ? 1 : view->shape[axis];
    int64_t start[NGFF_MAX_NDIM] = {0}, shape[NGFF_MAX_NDIM];
    part *p;
    assert(view->dtype == (int32_t)census->dtype);
    assert(first >= 0 && first + count <= census->channel_count);
    NGFF_TRY(take_part(census, &p, err));
    memcpy(shape, view->shape, sizeof shape);
    for (int64_t i = 0; i < count; i++) {
        ngff_view one = *view;
        if (axis >= 0) {
            start[axis] = i;
            shape[axis] = 1;
            ngff_view_sub(view, start, shape, &one);
        }
        start_part(p);
        count_rows(census, &one, first + i, p);
    }
    give_part(census, p);
    return NGFF_OK;
}
