/* gather: see gather.h. */
#include "engine/gather.h"

static uint64_t hash_of(int level, uint64_t id) {
    return (id * 32 + (uint64_t)level) * UINT64_C(0x9e3779b97f4a7c15);
}

static size_t stripe_of(int level, uint64_t id) {
    return (size_t)(hash_of(level, id) >> 58);
}

static ngff_gathered **bucket_of(ngff_gather *g, int level, uint64_t id) {
    size_t at = (size_t)(hash_of(level, id) >> 52) % NGFF_GATHER_BUCKETS;
    return &g->bucket[stripe_of(level, id)][at];
}

ngff_status ngff_gather_init(ngff_gather *g, const ngff_allocator *a, ngff_spill *spill,
                             ngff_error *err) {
    *g = (ngff_gather){.alloc = a, .spill = spill};
    for (int i = 0; i < NGFF_GATHER_STRIPES; i++)
        NGFF_TRY(ngff_mutex_create(a, &g->lock[i], err));
    return NGFF_OK;
}

void ngff_gather_reset(ngff_gather *g) {
    for (ngff_gathered *c = ngff_gather_take_any(g); c != NULL;
         c = ngff_gather_take_any(g))
        ngff_gather_drop(g, c);
    for (int i = 0; i < NGFF_GATHER_STRIPES; i++)
        ngff_mutex_close(&g->lock[i]);
}

void ngff_gather_lock(ngff_gather *g, int level, uint64_t id) {
    ngff_mutex_lock(g->lock[stripe_of(level, id)]);
}

void ngff_gather_unlock(ngff_gather *g, int level, uint64_t id) {
    ngff_mutex_unlock(g->lock[stripe_of(level, id)]);
}

ngff_gathered *ngff_gather_find(ngff_gather *g, int level, uint64_t id) {
    ngff_gathered *c = *bucket_of(g, level, id);
    while (c != NULL && (c->id != id || c->level != level))
        c = c->next;
    return c;
}

static ngff_status open_room(ngff_gather *g, ngff_gathered *c, ngff_error *err) {
    NGFF_TRY(ngff_cover_init(&c->cover, g->alloc, c->tiles.ndim, c->tiles.shape, err));
    return ngff_spill_reserve(g->spill, ngff_tiles_bytes(&c->tiles), &c->room, err);
}

ngff_status ngff_gather_begin(ngff_gather *g, const ngff_gathered *model,
                              const ngff_box *chunk, ngff_dtype dtype,
                              ngff_gathered **out, ngff_error *err) {
    ngff_gathered *c = ngff_calloc(g->alloc, 1, sizeof *c);
    *out = NULL;
    if (c == NULL)
        return ngff_fail_nomem(err, "a gathered chunk", sizeof *c);
    *c = *model;
    c->tiles = (ngff_tiles){.ndim = chunk->ndim, .dtype = dtype};
    for (int d = 0; d < chunk->ndim; d++) {
        c->tiles.shape[d] = c->tiles.block[d] = chunk->shape[d];
        c->tiles.count[d] = c->tiles.factor[d] = 1;
    }
    ngff_status status = open_room(g, c, err);
    if (status != NGFF_OK) {
        ngff_gather_drop(g, c);
        return status;
    }
    ngff_gathered **head = bucket_of(g, c->level, c->id);
    c->next = *head;
    *head = c;
    *out = c;
    return NGFF_OK;
}

ngff_status ngff_gather_add(ngff_gather *g, ngff_gathered *c, const ngff_box *part,
                            const ngff_view *pixels, void *scratch, ngff_error *err) {
    ngff_tiles_room room = {g->spill, &c->room, 0};
    NGFF_TRY(ngff_tiles_write(&c->tiles, &room, part, pixels, scratch, err));
    return ngff_cover_add(&c->cover, g->alloc, part, err);
}

void ngff_gather_take(ngff_gather *g, ngff_gathered *c) {
    ngff_gathered **link = bucket_of(g, c->level, c->id);
    while (*link != c)
        link = &(*link)->next;
    *link = c->next;
    c->next = NULL;
}

ngff_gathered *ngff_gather_take_any(ngff_gather *g) {
    for (int i = 0; i < NGFF_GATHER_STRIPES; i++) {
        if (g->lock[i] == NULL) /* init failed half-way: nothing was ever put in */
            continue;
        ngff_gathered *found = NULL;
        ngff_mutex_lock(g->lock[i]);
        for (int b = 0; b < NGFF_GATHER_BUCKETS && found == NULL; b++) {
            found = g->bucket[i][b];
            if (found != NULL)
                g->bucket[i][b] = found->next;
        }
        ngff_mutex_unlock(g->lock[i]);
        if (found != NULL)
            return found;
    }
    return NULL;
}

ngff_status ngff_gather_pixels(ngff_gather *g, ngff_gathered *c, const void *fill,
                               void *out, ngff_error *err) {
    NGFF_TRY(ngff_spill_take(g->spill, &c->room, out, err));
    ngff_cover_fill_gaps(&c->cover, out, c->tiles.dtype, fill);
    return NGFF_OK;
}

void ngff_gather_drop(ngff_gather *g, ngff_gathered *c) {
    ngff_spill_drop(g->spill, &c->room);
    ngff_cover_reset(&c->cover, g->alloc);
    ngff_free(g->alloc, c);
}
