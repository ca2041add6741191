/* cover: which elements of a chunk have been given. One bit a row (along the last axis)
 * as long as whole rows come, one bit an element from the first part of a row on. Owned
 * by whoever gathers the chunk; one thread at a time. */
#ifndef NGFF_ENGINE_COVER_H
#define NGFF_ENGINE_COVER_H

#include "nd/nd.h"

typedef struct ngff_cover {
    ngff_box all;       /* the chunk, at 0 */
    bool by_row;        /* a bit is a row */
    uint64_t missing;   /* bits that are not set */
    unsigned char *bit; /* owned */
} ngff_cover;

/* Nothing is given yet. No extent is 0. */
NGFF_MUST_USE ngff_status ngff_cover_init(ngff_cover *c, const ngff_allocator *a,
                                          int ndim, const int64_t *shape,
                                          ngff_error *err);
void ngff_cover_reset(ngff_cover *c, const ngff_allocator *a);
/* `part` is inside the chunk and not empty. NOMEM leaves it as it was. */
NGFF_MUST_USE ngff_status ngff_cover_add(ngff_cover *c, const ngff_allocator *a,
                                         const ngff_box *part, ngff_error *err);
static inline bool ngff_cover_is_full(const ngff_cover *c) {
    return c->missing == 0;
}
/* Writes `element` where nothing was given; `pixels`: the packed chunk. */
void ngff_cover_fill_gaps(const ngff_cover *c, void *pixels, ngff_dtype dtype,
                          const void *element);

#endif
