/* extents: ranges of a line of bytes, given out from its beginning (first fit) and taken
 * back. Where they are (a file, a piece of memory) is the owner's business, and so is
 * the lock. Used by spill.c. */
#ifndef NGFF_STORE_EXTENTS_H
#define NGFF_STORE_EXTENTS_H

#include "base/base.h"

typedef struct ngff_extent {
    uint64_t off, size;
} ngff_extent;

typedef struct ngff_extents {
    const ngff_allocator *alloc;
    uint64_t limit;    /* length of the line */
    uint64_t end;      /* of the part that is in use; 0: nothing is */
    ngff_extent *hole; /* before `end`, sorted, never touching each other */
    size_t count, room;
} ngff_extents;

/* False: no room. */
bool ngff_extents_take(ngff_extents *x, uint64_t size, uint64_t *off);
void ngff_extents_give(ngff_extents *x, uint64_t off, uint64_t size);
void ngff_extents_reset(ngff_extents *x); /* forgets everything */

#endif
