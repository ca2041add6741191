/* base: the only file that asks the C library for memory. */
#include "base/base.h"

#include <stdlib.h>

#define ALIGNMENT ((size_t)64)
/* What is larger than a few of the usual large pages begins on one. */
#define LARGE_PAGE ((size_t)2 << 20)

void *ngff_alloc(const ngff_allocator *a, size_t size) {
    if (size == 0)
        size = 1;
    return a ? a->alloc(a->user, size) : malloc(size);
}

void *ngff_calloc(const ngff_allocator *a, size_t count, size_t size) {
    size_t total;
    if (!ngff_mul_size(count, size, &total))
        return NULL;
    if (!a)
        return calloc(1, total ? total : 1);
    void *block = ngff_alloc(a, total);
    if (block)
        memset(block, 0, total);
    return block;
}

/* A caller's allocator promises no more than the alignment of any type, so the block is
 * over-allocated there and its true start is kept right before what is handed out. */
void *ngff_alloc_aligned(const ngff_allocator *a, size_t size) {
    size_t total;
    if (!ngff_add_size(size ? size : 1, ALIGNMENT - 1 + sizeof(void *), &total))
        return NULL;
    if (!a) {
        size_t alignment = size / 2 < LARGE_PAGE ? ALIGNMENT : LARGE_PAGE;
        if (!ngff_add_size(size ? size : 1, alignment - 1, &total))
            return NULL;
        return aligned_alloc(alignment, total & ~(alignment - 1));
    }
    char *start = a->alloc(a->user, total);
    if (!start)
        return NULL;
    char *first = start + sizeof(void *);
    size_t over = (size_t)((uintptr_t)first % ALIGNMENT);
    char *block = over ? first + (ALIGNMENT - over) : first;
    memcpy(block - sizeof(void *), &start, sizeof start);
    return block;
}

void *ngff_realloc(const ngff_allocator *a, void *block, size_t old_size, size_t size) {
    if (size == 0)
        size = 1;
    if (!a)
        return realloc(block, size);
    void *fresh = a->alloc(a->user, size);
    if (!fresh)
        return NULL;
    if (block) {
        memcpy(fresh, block, old_size < size ? old_size : size);
        a->release(a->user, block);
    }
    return fresh;
}

void ngff_free(const ngff_allocator *a, void *block) {
    if (!block)
        return;
    if (a)
        a->release(a->user, block);
    else
        free(block);
}

void ngff_free_aligned(const ngff_allocator *a, void *block) {
    if (!block)
        return;
    if (!a) {
        free(block);
        return;
    }
    void *start;
    memcpy(&start, (char *)block - sizeof(void *), sizeof start);
    a->release(a->user, start);
}

char *ngff_strdup(const ngff_allocator *a, const char *s) {
    size_t size = strlen(s) + 1;
    char *copy = ngff_alloc(a, size);
    if (copy)
        memcpy(copy, s, size);
    return copy;
}

ngff_status ngff_fail_nomem(ngff_error *err, const char *what, size_t size) {
    return ngff_fail(err, NGFF_NOMEM, "out of memory: %s needs %zu bytes", what, size);
}
