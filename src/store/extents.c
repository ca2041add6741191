/* store: see extents.h. */
#include "store/extents.h"

static void remove_hole(ngff_extents *x, size_t at) {
    memmove(&x->hole[at], &x->hole[at + 1], (x->count - at - 1) * sizeof *x->hole);
    x->count--;
}

bool ngff_extents_take(ngff_extents *x, uint64_t size, uint64_t *off) {
    for (size_t i = 0; i < x->count; i++) {
        ngff_extent *hole = &x->hole[i];
        if (hole->size < size)
            continue;
        *off = hole->off;
        hole->off += size;
        hole->size -= size;
        if (hole->size == 0)
            remove_hole(x, i);
        return true;
    }
    if (size > x->limit - x->end)
        return false;
    *off = x->end;
    x->end += size;
    return true;
}

/* The first hole that begins behind `off`. */
static size_t find_hole(const ngff_extents *x, uint64_t off) {
    size_t low = 0, count = x->count;
    while (count > 0) {
        size_t half = count / 2;
        bool right = x->hole[low + half].off < off;
        low = right ? low + half + 1 : low;
        count = right ? count - half - 1 : half;
    }
    return low;
}

static bool insert_hole(ngff_extents *x, size_t at, ngff_extent hole) {
    if (x->count == x->room) {
        size_t room = x->room ? x->room * 2 : 64;
        ngff_extent *grown =
            ngff_realloc(x->alloc, x->hole, x->room * sizeof hole, room * sizeof hole);
        if (!grown)
            return false;
        x->hole = grown;
        x->room = room;
    }
    memmove(&x->hole[at + 1], &x->hole[at], (x->count - at) * sizeof hole);
    x->hole[at] = hole;
    x->count++;
    return true;
}

/* Merges with its neighbours. A list that cannot grow forgets the range, which stays in
 * use. */
void ngff_extents_give(ngff_extents *x, uint64_t off, uint64_t size) {
    size_t at = find_hole(x, off);
    ngff_extent *before = at > 0 ? &x->hole[at - 1] : NULL;
    ngff_extent *after = at < x->count ? &x->hole[at] : NULL;
    bool joins_before = before && before->off + before->size == off;
    bool joins_after = after && off + size == after->off;
    if (joins_before) {
        before->size += size + (joins_after ? after->size : 0);
        if (joins_after)
            remove_hole(x, at);
    } else if (joins_after) {
        after->off = off;
        after->size += size;
    } else if (off + size == x->end) {
        x->end = off;
        return;
    } else if (!insert_hole(x, at, (ngff_extent){off, size})) {
        return;
    }
    ngff_extent *last = &x->hole[x->count - 1];
    if (last->off + last->size == x->end) {
        x->end = last->off;
        x->count--;
    }
}

void ngff_extents_reset(ngff_extents *x) {
    ngff_free(x->alloc, x->hole);
    *x = (ngff_extents){.alloc = x->alloc, .limit = x->limit};
}
