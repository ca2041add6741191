/* nd: data types, shapes, boxes and strided memory; the only index arithmetic of the
 * project. Axis 0 is the slowest. All functions are pure or write only through their
 * arguments; any thread. */
#ifndef NGFF_ND_ND_H
#define NGFF_ND_ND_H

#include "base/base.h"

/* ---- dtypes
 * ---------------------------------------------------------------------------- */
size_t ngff_dtype_size(ngff_dtype dtype);          /* bytes; 0 for NONE/unknown */
const char *ngff_dtype_name(ngff_dtype dtype);     /* Zarr v3 name: "uint16" */
ngff_dtype ngff_dtype_from_name(const char *name); /* v3 names; NONE when unknown */
/* NumPy typestr ("<u2", "|b1", ">f4") as in .npy and .zarray; *swapped: not native order.
 */
ngff_dtype ngff_dtype_from_typestr(const char *typestr, bool *swapped);
void ngff_dtype_typestr(ngff_dtype dtype, bool big_endian, char out[8]);
bool ngff_dtype_is_float(ngff_dtype dtype);   /* float16/32/64 */
bool ngff_dtype_is_integer(ngff_dtype dtype); /* signed and unsigned, not bool */
bool ngff_dtype_is_complex(ngff_dtype dtype);
size_t ngff_dtype_swap_size(ngff_dtype dtype); /* bytes swapped as one: 4 for complex64 */
float ngff_half_to_float(uint16_t h);
uint16_t ngff_float_to_half(float f); /* nearest, ties to even */
/* Lowest and highest value as doubles (floats: 0 and 1), for default display windows. */
void ngff_dtype_range(ngff_dtype dtype, double *lo, double *hi);

/* ---- shapes and boxes
 * ------------------------------------------------------------------ */
/* Product of the extents, checked. LIMIT on overflow, INVALID on a negative extent. */
NGFF_MUST_USE ngff_status ngff_nd_volume(int ndim, const int64_t *shape, int64_t *out,
                                         ngff_error *err);
NGFF_MUST_USE ngff_status ngff_nd_bytes(int ndim, const int64_t *shape, ngff_dtype dtype,
                                        size_t *out, ngff_error *err);
bool ngff_box_intersect(const ngff_box *a, const ngff_box *b,
                        ngff_box *out); /* false: empty */
void ngff_box_hull(const ngff_box *a, const ngff_box *b, ngff_box *out);
bool ngff_box_is_empty(const ngff_box *b);
bool ngff_box_equal(const ngff_box *a, const ngff_box *b);
bool ngff_box_contains(const ngff_box *outer, const ngff_box *inner);
/* The grid cells (of extents `cell`) that `box` touches, as a box of cell indices. */
void ngff_box_cells(const ngff_box *box, const int64_t *cell, ngff_box *out);
/* Cell `idx` of the grid, clipped to `shape`. */
void ngff_box_of_cell(int ndim, const int64_t *idx, const int64_t *cell,
                      const int64_t *shape, ngff_box *out);
/* Next index in C order inside `box` (odometer); false after the last. */
bool ngff_box_next(const ngff_box *box, int64_t *idx);
/* Position of idx (relative) in Morton (bit-interleaved, last axis lowest bit) order: a
 * sort key. */
uint64_t ngff_nd_morton(int ndim, const int64_t *idx); /* idx[i] < 2^(64 / ndim) */
/* The same order without that limit: < 0, 0, > 0 as a comes before, is, or comes after b.
 */
int ngff_nd_morton_compare(int ndim, const int64_t *a, const int64_t *b);
/* How many cells of the grid come before `idx` in that order: 0, 1, … without gaps. The
 * grid has fewer than 2^62 cells. */
uint64_t ngff_nd_morton_position(int ndim, const int64_t *grid, const int64_t *idx);
void ngff_nd_box_text(const ngff_box *box, char *out,
                      size_t out_size); /* "[0:64, 0:64]" */
void ngff_nd_shape_text(int ndim, const int64_t *shape, char *out,
                        size_t out_size); /* "64x64" */

/* ---- strided memory
 * -------------------------------------------------------------------- */
void ngff_view_init(ngff_view *v, void *data, ngff_dtype dtype, int ndim,
                    const int64_t *shape); /* C order, packed */
/* The part of `v` at `start` with `shape`; v stays the owner of the memory. */
void ngff_view_sub(const ngff_view *v, const int64_t *start, const int64_t *shape,
                   ngff_view *out);
/* out axis i is v axis perm[i]. */
void ngff_view_transpose(const ngff_view *v, const int *perm, ngff_view *out);
bool ngff_view_is_packed(const ngff_view *v); /* C order without gaps */
/* Same shape and dtype. Contiguous runs are memcpy'd, transposing copies are blocked. */
void ngff_nd_copy(const ngff_view *dst, const ngff_view *src);
void ngff_nd_copy_swapped(const ngff_view *dst,
                          const ngff_view *src); /* byte-swapping each item */
void ngff_nd_swap_packed(void *data, size_t count, size_t swap_size); /* in place */
void ngff_nd_fill(const ngff_view *dst, const void *element);
/* Every element has the same bits as `element`. Stops at the first that differs. */
bool ngff_nd_is_fill(const ngff_view *v, const void *element);

#endif
