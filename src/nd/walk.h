/* nd, inside: strided loops reduced to as few and as long axes as possible, and the
 * innermost two handed out as planes. Borrows the memory; no state; any thread. One walk
 * serves one or two operands (fill and compare, or copy). */
#ifndef NGFF_ND_WALK_H
#define NGFF_ND_WALK_H

#include "nd/nd.h"

typedef struct ngff_nd_walk {
    int ndim;                     /* after merging, at least 1 */
    int64_t shape[NGFF_MAX_NDIM]; /* slowest first, all > 1 unless ndim is 1 */
    int64_t ds[NGFF_MAX_NDIM];    /* strides in bytes, >= 0 */
    int64_t ss[NGFF_MAX_NDIM];    /* all zero without a second operand */
    char *d;
    const char *s;
} ngff_nd_walk;

/* `src` may be NULL. False: nothing to do (an extent is 0). Axes are turned so that dst
 * strides are positive and fall; neighbours that are one run in both operands become one
 * axis. */
bool ngff_nd_walk_init(ngff_nd_walk *w, const ngff_view *dst, const ngff_view *src);
/* Steps `idx` (over the axes before `inner`), moving w->d and w->s; false after the last.
 */
bool ngff_nd_walk_next(ngff_nd_walk *w, int inner, int64_t *idx);

#endif
