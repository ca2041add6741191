/* nd: strided copies, with or without turning the bytes of each item around.
 * The innermost two axes form a plane. Contiguous rows are memcpy'd; a plane that is read
 * across its rows (a transposing copy) is cut into tiles so that both sides stay in the
 * cache. */
#include "nd/walk.h"

/* Edge of a tile in elements, and the bytes of the largest one (a quarter of a
 * first-level cache). */
enum { TILE_SMALL = 64, TILE_LARGE = 32, TILE_BYTES = 16384 };

typedef struct plane {
    int64_t rows, cols;
    int64_t dr, dc, sr, sc; /* strides in bytes */
} plane;

typedef void (*plane_fn)(char *d, const char *s, const plane *p);

typedef struct item16 {
    uint64_t a, b;
} item16;

static uint8_t same8(uint8_t v) {
    return v;
}
static uint16_t same16(uint16_t v) {
    return v;
}
static uint32_t same32(uint32_t v) {
    return v;
}
static uint64_t same64(uint64_t v) {
    return v;
}
static item16 same128(item16 v) {
    return v;
}
static uint16_t swap16(uint16_t v) {
    return __builtin_bswap16(v);
}
static uint32_t swap32(uint32_t v) {
    return __builtin_bswap32(v);
}
static uint64_t swap64(uint64_t v) {
    return __builtin_bswap64(v);
}
/* complex64: two halves of four bytes each. */
static uint64_t swap2x32(uint64_t v) {
    uint64_t all = __builtin_bswap64(v);
    return all << 32 | all >> 32;
}
static item16 swap2x64(item16 v) {
    return (item16){__builtin_bswap64(v.a), __builtin_bswap64(v.b)};
}

/* memcpy and not a pointer cast: views may be unaligned. The first branch has a constant
 * stride on the writing side, the second on both, which lets the compiler use vectors. */
#define PLANE(name, type, op)                                                            \
    static void name(char *d, const char *s, const plane *p) {                           \
        const int64_t size = (int64_t)sizeof(type);                                      \
        const int64_t cols = p->cols, dc = p->dc, sc = p->sc;                            \
        for (int64_t r = 0; r < p->rows; r++, d += p->dr, s += p->sr) {                  \
            if (dc == size && sc == size) {                                              \
                for (int64_t c = 0; c < cols; c++) {                                     \
                    type v;                                                              \
                    memcpy(&v, s + c * size, sizeof v);                                  \
                    v = op(v);                                                           \
                    memcpy(d + c * size, &v, sizeof v);                                  \
                }                                                                        \
            } else if (dc == size) {                                                     \
                for (int64_t c = 0; c < cols; c++) {                                     \
                    type v;                                                              \
                    memcpy(&v, s + c * sc, sizeof v);                                    \
                    v = op(v);                                                           \
                    memcpy(d + c * size, &v, sizeof v);                                  \
                }                                                                        \
            } else {                                                                     \
                for (int64_t c = 0; c < cols; c++) {                                     \
                    type v;                                                              \
                    memcpy(&v, s + c * sc, sizeof v);                                    \
                    v = op(v);                                                           \
                    memcpy(d + c * dc, &v, sizeof v);                                    \
                }                                                                        \
            }                                                                            \
        }                                                                                \
    }

PLANE(copy8, uint8_t, same8)
PLANE(copy16, uint16_t, same16)
PLANE(copy32, uint32_t, same32)
PLANE(copy64, uint64_t, same64)
PLANE(copy128, item16, same128)
PLANE(turn16, uint16_t, swap16)
PLANE(turn32, uint32_t, swap32)
PLANE(turn64, uint64_t, swap64)
PLANE(turn2x32, uint64_t, swap2x32)
PLANE(turn2x64, item16, swap2x64)

static plane_fn copier(size_t size) {
    switch (size) {
    case 1:
        return copy8;
    case 2:
        return copy16;
    case 4:
        return copy32;
    case 8:
        return copy64;
    default:
        assert(size == 16);
        return copy128;
    }
}

static plane_fn turner(size_t size, size_t swap) {
    switch (size) {
    case 2:
        return turn16;
    case 4:
        return turn32;
    case 8:
        return swap == 4 ? turn2x32 : turn64;
    case 16:
        return turn2x64;
    default:
        return copier(size);
    }
}

/* Makes the source's tightest axis the one next to the innermost, where it is not the
 * innermost itself. True: the plane of the last two axes is read across. */
static bool bring_source_axis(ngff_nd_walk *w) {
    int last = w->ndim - 1;
    int best = last;
    for (int i = 0; i < last; i++) {
        int64_t here = w->ss[i] < 0 ? -w->ss[i] : w->ss[i];
        int64_t least = w->ss[best] < 0 ? -w->ss[best] : w->ss[best];
        if (here != 0 && here < least)
            best = i;
    }
    if (best == last)
        return false;
    int64_t shape = w->shape[best], ds = w->ds[best], ss = w->ss[best];
    for (int i = best; i < last - 1; i++) {
        w->shape[i] = w->shape[i + 1];
        w->ds[i] = w->ds[i + 1];
        w->ss[i] = w->ss[i + 1];
    }
    w->shape[last - 1] = shape;
    w->ds[last - 1] = ds;
    w->ss[last - 1] = ss;
    return true;
}

/* The columns of a tile, each one contiguous in the source, side by side in `packed`.
 * Every cache line is then touched once on either side, which matters where a power of
 * two as the stride makes them all compete for the same place in the cache. */
static const char *pack_tile(char *packed, const char *s, plane *tile, size_t size) {
    size_t column = (size_t)tile->rows * size;
    for (int64_t c = 0; c < tile->cols; c++)
        memcpy(packed + (size_t)c * column, s + c * tile->sc, column);
    tile->sc = (int64_t)column;
    return packed;
}

static void copy_tiled(char *d, const char *s, const plane *all, plane_fn fn,
                       size_t size) {
    char packed[TILE_BYTES];
    int64_t edge = size <= 2 ? TILE_SMALL : TILE_LARGE;
    bool pack = all->sr == (int64_t)size && all->rows >= 8;
    assert((size_t)(edge * edge) * size <= sizeof packed);
    for (int64_t r = 0; r < all->rows; r += edge) {
        for (int64_t c = 0; c < all->cols; c += edge) {
            plane tile = *all;
            const char *from = s + r * all->sr + c * all->sc;
            tile.rows = ngff_min_i64(edge, all->rows - r);
            tile.cols = ngff_min_i64(edge, all->cols - c);
            if (pack)
                from = pack_tile(packed, from, &tile, size);
            fn(d + r * all->dr + c * all->dc, from, &tile);
        }
    }
}

static plane inner_plane(const ngff_nd_walk *w) {
    int last = w->ndim - 1;
    plane p = {1, w->shape[last], 0, w->ds[last], 0, w->ss[last]};
    if (last > 0) {
        p.rows = w->shape[last - 1];
        p.dr = w->ds[last - 1];
        p.sr = w->ss[last - 1];
    }
    return p;
}

/* Rows of one size. Those of usual chunks (a power of two in elements) are short; a size
 * that the compiler knows saves the call of memcpy. */
static void copy_rows(char *d, const char *s, const plane *p, size_t run) {
#define ROWS(n)                                                                          \
    for (int64_t r = 0; r < p->rows; r++, d += p->dr, s += p->sr)                        \
    memcpy(d, s, n)
    switch (run) {
    case 32:
        ROWS(32);
        break;
    case 64:
        ROWS(64);
        break;
    case 128:
        ROWS(128);
        break;
    case 256:
        ROWS(256);
        break;
    default:
        ROWS(run);
    }
#undef ROWS
}

static void copy_runs(ngff_nd_walk *w, size_t size) {
    plane p = inner_plane(w);
    size_t run = (size_t)p.cols * size;
    int inner = w->ndim >= 2 ? w->ndim - 2 : 0;
    int64_t idx[NGFF_MAX_NDIM] = {0};
    do
        copy_rows(w->d, w->s, &p, run);
    while (ngff_nd_walk_next(w, inner, idx));
}

static void copy_planes(ngff_nd_walk *w, plane_fn fn, size_t size) {
    bool across = bring_source_axis(w);
    plane p = inner_plane(w);
    /* Few columns (samples of a pixel): the long axis makes the better inner loop. */
    if (p.cols < 8 && p.rows > p.cols) {
        plane q = {p.cols, p.rows, p.dc, p.dr, p.sc, p.sr};
        p = q;
    }
    int inner = w->ndim >= 2 ? w->ndim - 2 : 0;
    int64_t idx[NGFF_MAX_NDIM] = {0};
    do {
        if (across)
            copy_tiled(w->d, w->s, &p, fn, size);
        else
            fn(w->d, w->s, &p);
    } while (ngff_nd_walk_next(w, inner, idx));
}

static bool same_kind(const ngff_view *a, const ngff_view *b) {
    if (a->dtype != b->dtype || a->ndim != b->ndim)
        return false;
    for (int i = 0; i < a->ndim; i++) {
        if (a->shape[i] != b->shape[i])
            return false;
    }
    return ngff_dtype_size((ngff_dtype)a->dtype) > 0;
}

void ngff_nd_copy(const ngff_view *dst, const ngff_view *src) {
    assert(same_kind(dst, src));
    (void)same_kind;
    size_t size = ngff_dtype_size((ngff_dtype)dst->dtype);
    ngff_nd_walk w;
    if (!ngff_nd_walk_init(&w, dst, src))
        return;
    int last = w.ndim - 1;
    if (w.ds[last] == (int64_t)size && w.ss[last] == (int64_t)size && w.shape[last] >= 4)
        copy_runs(&w, size);
    else
        copy_planes(&w, copier(size), size);
}

void ngff_nd_copy_swapped(const ngff_view *dst, const ngff_view *src) {
    assert(same_kind(dst, src));
    size_t size = ngff_dtype_size((ngff_dtype)dst->dtype);
    size_t swap = ngff_dtype_swap_size((ngff_dtype)dst->dtype);
    ngff_nd_walk w;
    if (swap <= 1)
        ngff_nd_copy(dst, src);
    else if (ngff_nd_walk_init(&w, dst, src))
        copy_planes(&w, turner(size, swap), size);
}

void ngff_nd_swap_packed(void *data, size_t count, size_t swap_size) {
    assert(swap_size == 1 || swap_size == 2 || swap_size == 4 || swap_size == 8);
    if (swap_size == 1 || count == 0)
        return;
    int64_t step = (int64_t)swap_size;
    plane p = {1, (int64_t)count, 0, step, 0, step};
    turner(swap_size, swap_size)(data, data, &p);
}
