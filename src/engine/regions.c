/* regions: boxes into chunks. See regions.h and regions_inside.h. */
#include "engine/regions_inside.h"

#include "engine/order.h"

/* A chunk that is stored needs no claim any more: that it is there is enough. */
static void release_chunk(ngff_regions *r, int n, uint64_t id) {
    if (!ngff_regions_array(r, n)->meta.sharded)
        ngff_units_drop(r->units, n, id);
}

/* ---- one chunk ------------------------------------------------------------------- */

static ngff_status reserve_chunk(const ngff_regions *r, ngff_regions_hand *h, size_t size,
                                 ngff_error *err) {
    if (size <= h->chunk_size)
        return NGFF_OK;
    ngff_free_aligned(r->alloc, h->chunk);
    h->chunk_size = 0;
    h->chunk = ngff_alloc_aligned(r->alloc, size);
    if (h->chunk == NULL)
        return ngff_fail_nomem(err, "a gathered chunk", size);
    h->chunk_size = size;
    return NGFF_OK;
}

static ngff_status refuse(const ngff_zarr_array *a, const int64_t *idx, ngff_error *err) {
    char text[128];
    ngff_box box;
    ngff_box_of_cell(a->meta.ndim, idx, a->meta.chunk, a->meta.shape, &box);
    ngff_nd_box_text(&box, text, sizeof text);
    return ngff_fail(err, NGFF_EXISTS,
                     "%s: the chunk at %s was complete before; it is not written again",
                     a->path, text);
}

ngff_status ngff_regions_put_gathered(ngff_regions *r, ngff_regions_hand *h,
                                      ngff_gathered *c, ngff_error *err) {
    const ngff_zarr_array *a = ngff_regions_array(r, c->level);
    ngff_view pixels;
    ngff_status status = reserve_chunk(r, h, (size_t)ngff_tiles_bytes(&c->tiles), err);
    if (status == NGFF_OK)
        status = ngff_gather_pixels(&r->gather, c, a->meta.fill, h->chunk, err);
    if (status == NGFF_OK) {
        ngff_view_init(&pixels, h->chunk, a->meta.dtype, a->meta.ndim, c->tiles.shape);
        status =
            ngff_zarr_writer_put(r->level[c->level].writer, h->ctx, c->idx, &pixels, err);
    }
    if (status == NGFF_OK)
        release_chunk(r, c->level, c->id);
    ngff_gather_drop(&r->gather, c);
    return status;
}

/* What a box brings to one chunk. */
typedef struct piece {
    int level;
    uint64_t id;
    int64_t idx[NGFF_MAX_NDIM];
    ngff_box chunk; /* inside the array */
    ngff_box part;  /* of it, in the level's coordinates */
    ngff_view pixels;
} piece;

/* All of it at once: what was gathered of it before is older. */
static ngff_status put_whole(ngff_regions *r, ngff_regions_hand *h, const piece *p,
                             ngff_error *err) {
    ngff_gather_lock(&r->gather, p->level, p->id);
    bool late = ngff_regions_is_done(r, p->level, p->id);
    ngff_gathered *older = late ? NULL : ngff_gather_find(&r->gather, p->level, p->id);
    if (older != NULL)
        ngff_gather_take(&r->gather, older);
    ngff_regions_set_done(r, p->level, p->id);
    ngff_gather_unlock(&r->gather, p->level, p->id);
    if (late)
        return refuse(ngff_regions_array(r, p->level), p->idx, err);
    if (older != NULL)
        ngff_gather_drop(&r->gather, older);
    NGFF_TRY(
        ngff_zarr_writer_put(r->level[p->level].writer, h->ctx, p->idx, &p->pixels, err));
    release_chunk(r, p->level, p->id);
    return NGFF_OK;
}

/* Under the chunk's lock. *full: it is complete now, and out of the table. */
static ngff_status gather_part(ngff_regions *r, ngff_regions_hand *h, const piece *p,
                               ngff_gathered **full, ngff_error *err) {
    const ngff_zarr_array *a = ngff_regions_array(r, p->level);
    ngff_box local = p->part;
    if (ngff_regions_is_done(r, p->level, p->id))
        return refuse(a, p->idx, err);
    ngff_gathered *c = ngff_gather_find(&r->gather, p->level, p->id);
    if (c == NULL) {
        ngff_gathered model = {.level = p->level, .id = p->id};
        memcpy(model.idx, p->idx, sizeof model.idx);
        NGFF_TRY(
            ngff_gather_begin(&r->gather, &model, &p->chunk, a->meta.dtype, &c, err));
        atomic_fetch_add(&r->gathered, 1);
    }
    for (int d = 0; d < local.ndim; d++)
        local.start[d] -= p->chunk.start[d];
    NGFF_TRY(ngff_gather_add(&r->gather, c, &local, &p->pixels, h->scratch, err));
    if (!ngff_cover_is_full(&c->cover))
        return NGFF_OK;
    ngff_gather_take(&r->gather, c);
    ngff_regions_set_done(r, p->level, p->id);
    *full = c;
    return NGFF_OK;
}

static ngff_status put_part(ngff_regions *r, ngff_regions_hand *h, const piece *p,
                            ngff_error *err) {
    ngff_gathered *full = NULL;
    ngff_gather_lock(&r->gather, p->level, p->id);
    ngff_status status = gather_part(r, h, p, &full, err);
    ngff_gather_unlock(&r->gather, p->level, p->id);
    return full != NULL ? ngff_regions_put_gathered(r, h, full, err) : status;
}

/* ---- a box ----------------------------------------------------------------------- */

typedef struct boxful {
    ngff_regions *r;
    ngff_regions_hand *h;
    int level;
    const ngff_box *box;
    const ngff_view *pixels;
} boxful;

static ngff_status put_piece(const boxful *b, const int64_t *idx, ngff_error *err) {
    const ngff_zarr_meta *m = &ngff_regions_array(b->r, b->level)->meta;
    piece p = {.level = b->level,
               .id = ngff_regions_chunk_id(ngff_regions_array(b->r, b->level), idx)};
    int64_t at[NGFF_MAX_NDIM];
    memcpy(p.idx, idx, sizeof(int64_t) * (size_t)m->ndim);
    ngff_box_of_cell(m->ndim, idx, m->chunk, m->shape, &p.chunk);
    if (!ngff_box_intersect(&p.chunk, b->box, &p.part))
        return NGFF_OK;
    for (int d = 0; d < m->ndim; d++)
        at[d] = p.part.start[d] - b->box->start[d];
    ngff_view_sub(b->pixels, at, p.part.shape, &p.pixels);
    return ngff_box_equal(&p.part, &p.chunk) ? put_whole(b->r, b->h, &p, err)
                                             : put_part(b->r, b->h, &p, err);
}

/* The chunks of one shard in the order in which it stores them: fewer wait. */
static ngff_status put_unit(const boxful *b, const ngff_box *chunks, const int64_t *unit,
                            ngff_error *err) {
    const ngff_zarr_array *a = ngff_regions_array(b->r, b->level);
    ngff_box all = {.ndim = chunks->ndim}, part;
    ngff_walk walk;
    int64_t place[NGFF_MAX_NDIM], idx[NGFF_MAX_NDIM];
    for (int d = 0; d < all.ndim; d++) {
        all.start[d] = unit[d] * a->per_shard[d];
        all.shape[d] = a->per_shard[d];
    }
    if (!ngff_box_intersect(chunks, &all, &part))
        return NGFF_OK;
    for (int d = 0; d < all.ndim; d++)
        part.start[d] -= all.start[d];
    ngff_walk_init(&walk, &part);
    while (ngff_walk_next(&walk, place)) {
        for (int d = 0; d < all.ndim; d++)
            idx[d] = all.start[d] + place[d];
        NGFF_TRY(put_piece(b, idx, err));
    }
    return NGFF_OK;
}

static ngff_status put_box(const boxful *b, ngff_error *err) {
    const ngff_zarr_array *a = ngff_regions_array(b->r, b->level);
    ngff_box chunks, units;
    int64_t unit[NGFF_MAX_NDIM];
    ngff_box_cells(b->box, a->meta.chunk, &chunks);
    ngff_box_cells(b->box, a->meta.shard, &units);
    memcpy(unit, units.start, sizeof unit);
    do
        NGFF_TRY(put_unit(b, &chunks, unit, err));
    while (ngff_box_next(&units, unit));
    return NGFF_OK;
}

/* So that a box that cannot be taken is not taken in part. */
static ngff_status check_box(ngff_regions *r, int n, const ngff_box *box,
                             ngff_error *err) {
    const ngff_zarr_array *a = ngff_regions_array(r, n);
    ngff_box chunks;
    int64_t idx[NGFF_MAX_NDIM];
    ngff_box_cells(box, a->meta.chunk, &chunks);
    memcpy(idx, chunks.start, sizeof idx);
    do
        if (ngff_regions_is_done(r, n, ngff_regions_chunk_id(a, idx)))
            return refuse(a, idx, err);
    while (ngff_box_next(&chunks, idx));
    return r->units != NULL ? ngff_units_claim(r->units, n, box, err) : NGFF_OK;
}

ngff_status ngff_regions_write(ngff_regions *r, int n, const ngff_box *box,
                               const ngff_view *pixels, ngff_error *err) {
    boxful b = {.r = r, .level = n, .box = box, .pixels = pixels};
    if (n < 0 || n >= r->opts.level_count)
        return ngff_fail(err, NGFF_NOT_FOUND,
                         "level %d: levels 0 to %d are written by regions", n,
                         r->opts.level_count - 1);
    NGFF_TRY(ngff_zarr_check_region(ngff_regions_array(r, n), box, pixels, err));
    if (ngff_box_is_empty(box))
        return NGFF_OK;
    NGFF_TRY(check_box(r, n, box, err));
    NGFF_TRY(ngff_regions_take_hand(r, &b.h, err));
    ngff_status status = put_box(&b, err);
    ngff_regions_give_hand(r, b.h);
    return status;
}
