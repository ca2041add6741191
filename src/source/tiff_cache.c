/* A cache of decoded tiles. Blocks of a pyramid overlap by their halos and strips are
 * wider than blocks: what was decoded a moment ago is wanted again. Bounded by a budget
 * that only pinned blobs may exceed; a blob that is being filled is awaited, never
 * decoded twice. */
#include "source/tiff.h"

#define BUCKETS 4096

struct ngff_tiff_cache {
    const ngff_allocator *alloc;
    ngff_mutex *lock;
    ngff_cond *filled;
    size_t budget, used;
    ngff_tiff_blob *bucket[BUCKETS];
    ngff_tiff_blob idle; /* list head: idle.next is the oldest */
};

ngff_status ngff_tiff_cache_open(const ngff_allocator *a, size_t budget,
                                 ngff_tiff_cache **out, ngff_error *err) {
    ngff_tiff_cache *c = ngff_calloc(a, 1, sizeof *c);
    *out = c;
    if (c == NULL)
        return ngff_fail_nomem(err, "the tile cache", sizeof *c);
    c->alloc = a;
    c->budget = budget;
    c->idle.next = c->idle.prev = &c->idle;
    NGFF_TRY(ngff_mutex_create(a, &c->lock, err));
    return ngff_cond_create(a, &c->filled, err);
}

static void blob_free(ngff_tiff_cache *c, ngff_tiff_blob *b) {
    ngff_free_aligned(c->alloc, b->data);
    ngff_free(c->alloc, b);
}

void ngff_tiff_cache_close(ngff_tiff_cache **out) {
    ngff_tiff_cache *c = *out;
    if (c == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        for (ngff_tiff_blob *b = c->bucket[i], *next; b != NULL; b = next) {
            next = b->chain;
            assert(b->pins == 0);
            blob_free(c, b);
        }
    }
    ngff_cond_close(&c->filled);
    ngff_mutex_close(&c->lock);
    ngff_free(c->alloc, c);
    *out = NULL;
}

size_t ngff_tiff_cache_budget(const ngff_tiff_cache *c) {
    return c->budget;
}

static ngff_tiff_blob **bucket_of(ngff_tiff_cache *c, uint32_t page, uint64_t unit) {
    uint64_t h = (unit ^ ((uint64_t)page << 32)) * 0x9e3779b97f4a7c15u;
    return &c->bucket[h >> 52];
}

static ngff_tiff_blob *find(ngff_tiff_cache *c, uint32_t page, uint64_t unit) {
    ngff_tiff_blob *b = *bucket_of(c, page, unit);
    while (b != NULL && !(b->page == page && b->unit == unit))
        b = b->chain;
    return b;
}

static void unlink_chain(ngff_tiff_cache *c, ngff_tiff_blob *b) {
    ngff_tiff_blob **at = bucket_of(c, b->page, b->unit);
    while (*at != b)
        at = &(*at)->chain;
    *at = b->chain;
    c->used -= b->size;
}

static void unlink_idle(ngff_tiff_blob *b) {
    b->prev->next = b->next;
    b->next->prev = b->prev;
}

/* Drops idle blobs, oldest first, until `extra` more bytes fit. The last one dropped that
 * has just the size asked for is handed over instead of freed. */
static ngff_tiff_blob *make_room(ngff_tiff_cache *c, size_t extra) {
    ngff_tiff_blob *reuse = NULL;
    while (c->idle.next != &c->idle &&
           (extra > c->budget || c->used > c->budget - extra)) {
        ngff_tiff_blob *b = c->idle.next;
        unlink_idle(b);
        unlink_chain(c, b);
        if (reuse == NULL && b->size == extra)
            reuse = b;
        else
            blob_free(c, b);
    }
    return reuse;
}

static ngff_tiff_blob *blob_new(ngff_tiff_cache *c, size_t size) {
    ngff_tiff_blob *b = ngff_calloc(c->alloc, 1, sizeof *b);
    if (b == NULL)
        return NULL;
    b->data = ngff_alloc_aligned(c->alloc, size);
    if (b->data == NULL) {
        ngff_free(c->alloc, b);
        return NULL;
    }
    return b;
}

/* Under the lock. */
static ngff_status insert(ngff_tiff_cache *c, uint32_t page, uint64_t unit, size_t size,
                          ngff_tiff_blob **out, ngff_error *err) {
    ngff_tiff_blob *b = make_room(c, size);
    if (b == NULL)
        b = blob_new(c, size);
    if (b == NULL)
        return ngff_fail_nomem(err, "a decoded tile", size);
    ngff_tiff_blob **bucket = bucket_of(c, page, unit);
    *b = (ngff_tiff_blob){.data = b->data,
                          .size = size,
                          .unit = unit,
                          .page = page,
                          .pins = 1,
                          .loading = true,
                          .chain = *bucket};
    *bucket = b;
    c->used += size;
    *out = b;
    return NGFF_OK;
}

ngff_status ngff_tiff_cache_get(ngff_tiff_cache *c, uint32_t page, uint64_t unit,
                                size_t size, ngff_tiff_blob **out, bool *fill,
                                ngff_error *err) {
    ngff_status status = NGFF_OK;
    ngff_mutex_lock(c->lock);
    ngff_tiff_blob *b = find(c, page, unit);
    while (b != NULL && b->loading) { /* dropped when filling fails: look again */
        ngff_cond_wait(c->filled, c->lock);
        b = find(c, page, unit);
    }
    *fill = b == NULL;
    if (b == NULL) {
        status = insert(c, page, unit, size, &b, err);
    } else {
        assert(b->size == size);
        if (b->pins++ == 0)
            unlink_idle(b);
    }
    ngff_mutex_unlock(c->lock);
    *out = b;
    return status;
}

void ngff_tiff_cache_filled(ngff_tiff_cache *c, ngff_tiff_blob *b, bool ok) {
    ngff_mutex_lock(c->lock);
    assert(b->loading && b->pins == 1);
    b->loading = false;
    if (!ok) {
        unlink_chain(c, b);
        blob_free(c, b);
    }
    ngff_cond_broadcast(c->filled);
    ngff_mutex_unlock(c->lock);
}

void ngff_tiff_cache_release(ngff_tiff_cache *c, ngff_tiff_blob *b) {
    ngff_mutex_lock(c->lock);
    assert(b->pins > 0);
    if (--b->pins == 0) {
        b->next = &c->idle;
        b->prev = c->idle.prev;
        c->idle.prev->next = b;
        c->idle.prev = b;
        if (c->used > c->budget) {
            ngff_tiff_blob *reuse = make_room(c, 0);
            assert(reuse == NULL || reuse->size == 0);
            if (reuse != NULL)
                blob_free(c, reuse);
        }
    }
    ngff_mutex_unlock(c->lock);
}
