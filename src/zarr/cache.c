/* cache: see cache.h. A table small enough to be searched from end to end; its lock is
 * held for that search only. */
#include "zarr/cache.h"

#include "base/shared.h"

enum { SLOTS_MAX = 64 };

typedef struct slot {
    ngff_index index; /* first: what users hold */
    uint64_t *room;
    uint64_t stamp; /* of the last use; 0: empty */
    size_t users;   /* who holds it, or fills it */
} slot;

struct ngff_index_cache {
    const ngff_allocator *alloc;
    ngff_spin lock;
    size_t index_bytes;
    uint64_t clock;
    size_t count;
    slot slots[SLOTS_MAX];
};

ngff_status ngff_index_cache_create(const ngff_allocator *a, size_t index_bytes,
                                    ngff_index_cache **out, ngff_error *err) {
    *out = NULL;
    if (index_bytes == 0 || index_bytes > NGFF_INDEX_CACHE_BYTES)
        return NGFF_OK;
    ngff_index_cache *c = ngff_calloc(a, 1, sizeof *c);
    if (!c)
        return ngff_fail_nomem(err, "a cache of shard indices", sizeof *c);
    c->alloc = a;
    c->index_bytes = index_bytes;
    c->count = NGFF_INDEX_CACHE_BYTES / index_bytes;
    if (c->count > SLOTS_MAX)
        c->count = SLOTS_MAX;
    ngff_spin_init(&c->lock);
    *out = c;
    return NGFF_OK;
}

void ngff_index_cache_close(ngff_index_cache **cache) {
    ngff_index_cache *c = cache ? *cache : NULL;
    if (!c)
        return;
    for (size_t i = 0; i < c->count; i++) {
        assert(c->slots[i].users == 0);
        ngff_free(c->alloc, c->slots[i].room);
    }
    ngff_free(c->alloc, c);
    *cache = NULL;
}

/* Under the lock. */
static slot *find(ngff_index_cache *c, uint64_t shard) {
    for (size_t i = 0; i < c->count; i++) {
        if (c->slots[i].stamp != 0 && c->slots[i].index.shard == shard)
            return &c->slots[i];
    }
    return NULL;
}

const ngff_index *ngff_index_cache_take(ngff_index_cache *c, uint64_t shard) {
    ngff_spin_lock(&c->lock);
    slot *s = find(c, shard);
    if (s) {
        s->users++;
        s->stamp = ++c->clock;
    }
    ngff_spin_unlock(&c->lock);
    return s ? &s->index : NULL;
}

static slot *slot_of(ngff_index_cache *c, const ngff_index *index) {
    for (size_t i = 0; i < c->count; i++) {
        if (&c->slots[i].index == index)
            return &c->slots[i];
    }
    return NULL;
}

void ngff_index_cache_give(ngff_index_cache *c, const ngff_index *index) {
    slot *s = slot_of(c, index);
    assert(s);
    ngff_spin_lock(&c->lock);
    assert(s->users > 0);
    s->users--;
    ngff_spin_unlock(&c->lock);
}

/* An empty slot of the caller's own, or NULL when `shard` is there or all are in use. */
static slot *claim(ngff_index_cache *c, uint64_t shard) {
    slot *oldest = NULL;
    ngff_spin_lock(&c->lock);
    if (!find(c, shard)) {
        for (size_t i = 0; i < c->count; i++) {
            slot *s = &c->slots[i];
            if (s->users == 0 && (!oldest || s->stamp < oldest->stamp))
                oldest = s;
        }
    }
    if (oldest) {
        oldest->stamp = 0;
        oldest->users = 1;
    }
    ngff_spin_unlock(&c->lock);
    return oldest;
}

void ngff_index_cache_add(ngff_index_cache *c, const ngff_index *index) {
    slot *s = claim(c, index->shard);
    if (!s)
        return;
    if (!s->room)
        s->room = ngff_alloc(c->alloc, c->index_bytes);
    if (s->room) {
        memcpy(s->room, index->entry, c->index_bytes);
        s->index = (ngff_index){index->shard, index->size, s->room};
    }
    ngff_spin_lock(&c->lock);
    s->users = 0;
    /* Another thread may have brought the same one meanwhile. */
    if (s->room && !find(c, index->shard))
        s->stamp = ++c->clock;
    ngff_spin_unlock(&c->lock);
}
