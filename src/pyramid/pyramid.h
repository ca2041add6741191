/* pyramid: which levels there are, where they sit, and how a level's pixels are made from
 * a finer one. No I/O, no threads, no allocation: pure functions on views and
 * caller-given scratch. The rules are requirements/pixels.md 1-11 and 13, retold in
 * docs/rooms/pyramid.md. */
#ifndef NGFF_PYRAMID_PYRAMID_H
#define NGFF_PYRAMID_PYRAMID_H

#include "nd/nd.h"

typedef enum ngff_method {
    NGFF_METHOD_GAUSSIAN = 1,
    NGFF_METHOD_BIN_SHRINK = 2,
    NGFF_METHOD_MODE = 3,
    NGFF_METHOD_NEAREST = 4,
    NGFF_METHOD_MIN = 5,
    NGFF_METHOD_MAX = 6,
    NGFF_METHOD_MEDIAN = 7
} ngff_method;

/* One row per accepted name, ours and the peer's; `ngff methods` prints it. */
typedef struct ngff_method_row {
    const char *name; /* "gaussian", "itkwasm_gaussian", … */
    ngff_method method;
    const char *canonical;   /* our name */
    const char *description; /* one sentence */
} ngff_method_row;
bool ngff_method_table(size_t index, ngff_method_row *out);
bool ngff_method_from_name(const char *name, ngff_method *out);
const char *ngff_method_name(ngff_method method);

/* ---- levels
 * -------------------------------------------------------------------------------------
 */

#define NGFF_MAX_LEVELS 32

typedef struct ngff_level {
    int64_t shape[NGFF_MAX_NDIM];
    int64_t factor[NGFF_MAX_NDIM]; /* E_n, relative to level 0 */
    int source;                    /* level it is computed from; -1 for level 0 */
    int64_t step[NGFF_MAX_NDIM];   /* E_n / E_source */
    double scale[NGFF_MAX_NDIM];
    double translation[NGFF_MAX_NDIM];
    int64_t chunk[NGFF_MAX_NDIM];
    int64_t
        per_shard[NGFF_MAX_NDIM]; /* chunks per shard; all 1 and sharded false: none */
    bool sharded;
} ngff_level;

typedef struct ngff_levels {
    int count;
    int ndim;
    ngff_level level[NGFF_MAX_LEVELS];
    char warning[256]; /* "" or e.g. "level 3 equals level 2 and is left out" */
} ngff_levels;

typedef struct ngff_levels_request {
    int ndim;
    int64_t shape[NGFF_MAX_NDIM];
    ngff_dtype dtype;
    double scale[NGFF_MAX_NDIM], translation[NGFF_MAX_NDIM];
    char axis[NGFF_MAX_NDIM]; /* 't','c','z','y','x': only z, y, x are reduced */
    ngff_method method;
    int factor_count; /* < 0: automatic levels; 0: level 0 only */
    int64_t factors[NGFF_MAX_LEVELS][NGFF_MAX_NDIM]; /* absolute, per axis (1 for t, c) */
    int64_t min_size;                                /* automatic levels: 0 = 128 */
    bool isotropic;                   /* automatic levels by spacing, rule 13 */
    int64_t chunk[NGFF_MAX_NDIM];     /* 0: default of rule 11 */
    int64_t per_shard[NGFF_MAX_NDIM]; /* 0: not sharded (all axes must agree) */
} ngff_levels_request;

NGFF_MUST_USE ngff_status ngff_pyramid_plan(const ngff_levels_request *request,
                                            ngff_levels *out, ngff_error *err);

/* ---- reducing
 * ------------------------------------------------------------------------------------ */

/* How level pixels are made: fixed for one (method, dtype, step). `step` per axis >= 1.
 * For NEAREST the source is always level 0 and step = factor. */
typedef struct ngff_reduction {
    ngff_method method;
    ngff_dtype dtype;
    int ndim;
    int64_t step[NGFF_MAX_NDIM];
    int64_t src_shape[NGFF_MAX_NDIM]; /* the whole source level: borders replicate beyond
                                         it */
    int64_t dst_shape[NGFF_MAX_NDIM]; /* the whole destination level */
} ngff_reduction;

/* UNSUPPORTED for complex dtypes. */
NGFF_MUST_USE ngff_status ngff_reduction_check(const ngff_reduction *r, ngff_error *err);
/* The source pixels that `dst` (box of the destination level) depends on, clipped to
 * src_shape. */
void ngff_reduction_need(const ngff_reduction *r, const ngff_box *dst, ngff_box *src);
/* Scratch bytes that ngff_reduce needs for a destination box of this shape. */
size_t ngff_reduction_scratch(const ngff_reduction *r, const int64_t *dst_box_shape);
/* Computes `dst_box` into `dst` (shape = dst_box->shape). `src` holds `src_box`, which
 * contains ngff_reduction_need(dst_box). Values depend only on level positions, never on
 * the boxes. Last axis of src and dst must be packed (stride = item size), the others may
 * have any stride. */
void ngff_reduce(const ngff_reduction *r, const ngff_box *src_box, const ngff_view *src,
                 const ngff_box *dst_box, const ngff_view *dst, void *scratch);

#endif
