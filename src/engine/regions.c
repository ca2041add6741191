/* regions: see regions.h. */
#include "engine/regions.h"

#include "engine/gather.h"
#include "engine/order.h"
#include "engine/units.h"

#include <stdatomic.h>

/* What one call of write needs; kept from one to the next. */
typedef struct hand {
    struct hand *next;
    ngff_codec_ctx *ctx;
    char *scratch; /* NGFF_TILE_SCRATCH */
    char *chunk;   /* a gathered one */
    size_t chunk_size;
} hand;

typedef struct level {
    ngff_zarr_writer *writer;
    atomic_uchar *done; /* a bit a chunk: nothing more may come */
    uint64_t chunk_count;
    uint64_t unit_count;
} level;

struct ngff_regions {
    ngff_image *image;
    const ngff_allocator *alloc;
    ngff_regions_opts opts;
    ngff_spill *spill;
    ngff_units *units; /* shared: those that are ours; else NULL */
    ngff_gather gather;
    level level[NGFF_MAX_LEVELS];
    ngff_mutex *books; /* idle hands */
    hand *idle;
    atomic_uint_fast64_t gathered;
};

static const ngff_zarr_array *array_of(const ngff_regions *r, int n) {
    return r->image->level[n];
}

static bool is_done(const ngff_regions *r, int n, uint64_t id) {
    return (atomic_load(&r->level[n].done[id / 8]) >> (id % 8) & 1) != 0;
}

static void set_done(ngff_regions *r, int n, uint64_t id) {
    atomic_fetch_or(&r->level[n].done[id / 8], (unsigned char)(1u << (id % 8)));
}

static uint64_t id_of(const ngff_zarr_array *a, const int64_t *idx) {
    return ngff_zarr_linear(a->meta.ndim, a->grid, idx);
}

/* A chunk that is stored needs no claim any more: that it is there is enough. */
static void release_chunk(ngff_regions *r, int n, uint64_t id) {
    if (!array_of(r, n)->meta.sharded)
        ngff_units_drop(r->units, n, id);
}

/* ---- opening --------------------------------------------------------------------- */

static ngff_status open_level(ngff_regions *r, int n, uint64_t rank_base,
                              ngff_error *err) {
    const ngff_zarr_array *a = array_of(r, n);
    level *l = &r->level[n];
    int64_t chunks;
    const ngff_zarr_writer_opts opts = {.write_empty_chunks = r->opts.write_empty_chunks,
                                        .spill = r->spill,
                                        .ranked = ngff_store_is_ordered(a->store),
                                        .rank_base = rank_base};
    const char *codec = ngff_codec_decode_only(a->chain);
    if (codec != NULL)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "%s: this build reads codec %s but does not write it", a->path,
                         codec);
    NGFF_TRY(ngff_zarr_writer_create(a, &opts, &l->writer, err));
    NGFF_TRY(ngff_nd_volume(a->meta.ndim, a->grid, &chunks, err));
    if ((uint64_t)chunks > UINT64_C(1) << 36)
        return ngff_fail(err, NGFF_LIMIT, "%s: %lld chunks", a->path, (long long)chunks);
    l->chunk_count = (uint64_t)chunks;
    l->unit_count = ngff_zarr_unit_count(a);
    l->done = ngff_calloc(r->alloc, (size_t)(l->chunk_count / 8 + 1), sizeof *l->done);
    return l->done != NULL ? NGFF_OK
                           : ngff_fail_nomem(err, "the map of a level's chunks",
                                             (size_t)(l->chunk_count / 8));
}

static ngff_status open_all(ngff_regions *r, ngff_error *err) {
    const ngff_spill_opts spill = {.dir = ngff_store_spill_dir(r->image->store),
                                   .memory = r->opts.memory,
                                   .no_file = r->opts.no_spill};
    uint64_t rank_base = 0;
    NGFF_TRY(ngff_mutex_create(r->alloc, &r->books, err));
    NGFF_TRY(ngff_spill_create(r->alloc, &spill, &r->spill, err));
    NGFF_TRY(ngff_gather_init(&r->gather, r->alloc, r->spill, err));
    if (r->opts.shared)
        NGFF_TRY(ngff_units_open(r->image, r->opts.level_count, &r->units, err));
    ngff_store_lend_spill(r->image->store, r->spill);
    for (int n = 0; n < r->opts.level_count; n++) {
        NGFF_TRY(open_level(r, n, rank_base, err));
        rank_base += r->level[n].unit_count;
    }
    return NGFF_OK;
}

ngff_status ngff_regions_create(ngff_image *image, const ngff_regions_opts *opts,
                                ngff_regions **out, ngff_error *err) {
    *out = NULL;
    assert(opts->level_count <= image->level_count);
    ngff_regions *r = ngff_calloc(image->alloc, 1, sizeof *r);
    if (r == NULL)
        return ngff_fail_nomem(err, "a region writer", sizeof *r);
    r->image = image;
    r->alloc = image->alloc;
    r->opts = *opts;
    atomic_init(&r->gathered, 0);
    ngff_status status = open_all(r, err);
    if (status != NGFF_OK)
        ngff_regions_close(&r);
    *out = r;
    return status;
}

/* ---- hands ----------------------------------------------------------------------- */

static void free_hand(const ngff_regions *r, hand *h) {
    ngff_codec_ctx_close(&h->ctx);
    ngff_free_aligned(r->alloc, h->chunk);
    ngff_free(r->alloc, h->scratch);
    ngff_free(r->alloc, h);
}

static ngff_status take_hand(ngff_regions *r, hand **out, ngff_error *err) {
    ngff_mutex_lock(r->books);
    hand *h = r->idle;
    if (h != NULL)
        r->idle = h->next;
    ngff_mutex_unlock(r->books);
    *out = h;
    if (h != NULL)
        return NGFF_OK;
    h = ngff_calloc(r->alloc, 1, sizeof *h);
    if (h == NULL)
        return ngff_fail_nomem(err, "a region", sizeof *h);
    h->scratch = ngff_alloc(r->alloc, NGFF_TILE_SCRATCH);
    ngff_status status = h->scratch != NULL
                             ? ngff_codec_ctx_create(r->alloc, &h->ctx, err)
                             : ngff_fail_nomem(err, "a region", NGFF_TILE_SCRATCH);
    if (status != NGFF_OK)
        free_hand(r, h);
    *out = status == NGFF_OK ? h : NULL;
    return status;
}

static void give_hand(ngff_regions *r, hand *h) {
    ngff_mutex_lock(r->books);
    h->next = r->idle;
    r->idle = h;
    ngff_mutex_unlock(r->books);
}

static ngff_status reserve_chunk(const ngff_regions *r, hand *h, size_t size,
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

/* ---- one chunk ------------------------------------------------------------------- */

static ngff_status refuse(const ngff_zarr_array *a, const int64_t *idx, ngff_error *err) {
    char text[128];
    ngff_box box;
    ngff_box_of_cell(a->meta.ndim, idx, a->meta.chunk, a->meta.shape, &box);
    ngff_nd_box_text(&box, text, sizeof text);
    return ngff_fail(err, NGFF_EXISTS,
                     "%s: the chunk at %s was complete before; it is not written again",
                     a->path, text);
}

/* A taken chunk: encoded and dropped. */
static ngff_status put_gathered(ngff_regions *r, hand *h, ngff_gathered *c,
                                ngff_error *err) {
    const ngff_zarr_array *a = array_of(r, c->level);
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
static ngff_status put_whole(ngff_regions *r, hand *h, const piece *p, ngff_error *err) {
    ngff_gather_lock(&r->gather, p->level, p->id);
    bool late = is_done(r, p->level, p->id);
    ngff_gathered *older = late ? NULL : ngff_gather_find(&r->gather, p->level, p->id);
    if (older != NULL)
        ngff_gather_take(&r->gather, older);
    set_done(r, p->level, p->id);
    ngff_gather_unlock(&r->gather, p->level, p->id);
    if (late)
        return refuse(array_of(r, p->level), p->idx, err);
    if (older != NULL)
        ngff_gather_drop(&r->gather, older);
    NGFF_TRY(
        ngff_zarr_writer_put(r->level[p->level].writer, h->ctx, p->idx, &p->pixels, err));
    release_chunk(r, p->level, p->id);
    return NGFF_OK;
}

/* Under the chunk's lock. *full: it is complete now, and out of the table. */
static ngff_status gather_part(ngff_regions *r, hand *h, const piece *p,
                               ngff_gathered **full, ngff_error *err) {
    const ngff_zarr_array *a = array_of(r, p->level);
    ngff_box local = p->part;
    if (is_done(r, p->level, p->id))
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
    set_done(r, p->level, p->id);
    *full = c;
    return NGFF_OK;
}

static ngff_status put_part(ngff_regions *r, hand *h, const piece *p, ngff_error *err) {
    ngff_gathered *full = NULL;
    ngff_gather_lock(&r->gather, p->level, p->id);
    ngff_status status = gather_part(r, h, p, &full, err);
    ngff_gather_unlock(&r->gather, p->level, p->id);
    return full != NULL ? put_gathered(r, h, full, err) : status;
}

/* ---- a box ----------------------------------------------------------------------- */

typedef struct boxful {
    ngff_regions *r;
    hand *h;
    int level;
    const ngff_box *box;
    const ngff_view *pixels;
} boxful;

static ngff_status put_piece(const boxful *b, const int64_t *idx, ngff_error *err) {
    const ngff_zarr_meta *m = &array_of(b->r, b->level)->meta;
    piece p = {.level = b->level, .id = id_of(array_of(b->r, b->level), idx)};
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
    const ngff_zarr_array *a = array_of(b->r, b->level);
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
    const ngff_zarr_array *a = array_of(b->r, b->level);
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
    const ngff_zarr_array *a = array_of(r, n);
    ngff_box chunks;
    int64_t idx[NGFF_MAX_NDIM];
    ngff_box_cells(box, a->meta.chunk, &chunks);
    memcpy(idx, chunks.start, sizeof idx);
    do
        if (is_done(r, n, id_of(a, idx)))
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
    NGFF_TRY(ngff_zarr_check_region(array_of(r, n), box, pixels, err));
    if (ngff_box_is_empty(box))
        return NGFF_OK;
    NGFF_TRY(check_box(r, n, box, err));
    NGFF_TRY(take_hand(r, &b.h, err));
    ngff_status status = put_box(&b, err);
    give_hand(r, b.h);
    return status;
}

/* ---- the end --------------------------------------------------------------------- */

static ngff_status finish_gathered(ngff_regions *r, hand *h, ngff_error *err) {
    for (ngff_gathered *c = ngff_gather_take_any(&r->gather); c != NULL;
         c = ngff_gather_take_any(&r->gather)) {
        set_done(r, c->level, c->id);
        NGFF_TRY(put_gathered(r, h, c, err));
    }
    return NGFF_OK;
}

static void chunks_of(const ngff_zarr_array *a, const int64_t *unit, ngff_box *out) {
    *out = (ngff_box){.ndim = a->meta.ndim};
    for (int d = 0; d < out->ndim; d++) {
        out->start[d] = unit[d] * a->per_shard[d];
        out->shape[d] = ngff_min_i64(a->per_shard[d], a->grid[d] - out->start[d]);
    }
}

static bool is_touched(const ngff_regions *r, int n, const ngff_box *chunks) {
    int64_t idx[NGFF_MAX_NDIM];
    memcpy(idx, chunks->start, sizeof idx);
    do
        if (is_done(r, n, id_of(array_of(r, n), idx)))
            return true;
    while (ngff_box_next(chunks, idx));
    return false;
}

/* A shared unit that was claimed for a box which was then refused is nobody's work. */
static ngff_status finish_unit(ngff_regions *r, hand *h, int n, uint64_t id,
                               ngff_error *err) {
    const ngff_zarr_array *a = array_of(r, n);
    int64_t unit[NGFF_MAX_NDIM], idx[NGFF_MAX_NDIM];
    ngff_box chunks;
    if (r->units != NULL && !ngff_units_is_mine(r->units, n, id))
        return NGFF_OK;
    ngff_units_at(a, id, unit);
    chunks_of(a, unit, &chunks);
    if (r->opts.shared && !is_touched(r, n, &chunks))
        return NGFF_OK;
    memcpy(idx, chunks.start, sizeof idx);
    do {
        uint64_t chunk = id_of(a, idx);
        if (is_done(r, n, chunk))
            continue;
        set_done(r, n, chunk);
        NGFF_TRY(ngff_zarr_writer_put_fill(r->level[n].writer, h->ctx, idx, err));
    } while (ngff_box_next(&chunks, idx));
    return NGFF_OK;
}

static ngff_status finish_all(ngff_regions *r, hand *h, ngff_error *err) {
    NGFF_TRY(finish_gathered(r, h, err));
    for (int n = 0; n < r->opts.level_count; n++) {
        for (uint64_t id = 0; id < r->level[n].unit_count; id++)
            NGFF_TRY(finish_unit(r, h, n, id, err));
        if (!r->opts.shared)
            NGFF_TRY(ngff_zarr_writer_finish(r->level[n].writer, err));
    }
    return NGFF_OK;
}

ngff_status ngff_regions_finish(ngff_regions *r, ngff_error *err) {
    hand *h;
    NGFF_TRY(take_hand(r, &h, err));
    ngff_status status = finish_all(r, h, err);
    give_hand(r, h);
    return status;
}

void ngff_regions_stats_get(const ngff_regions *r, ngff_regions_stats *out) {
    *out = (ngff_regions_stats){.gathered_chunks = atomic_load(&r->gathered),
                                .spill_file_bytes = ngff_spill_file_bytes(r->spill)};
    for (int n = 0; n < r->opts.level_count; n++) {
        out->encoded_bytes += ngff_zarr_writer_bytes(r->level[n].writer);
        out->parked_chunks += ngff_zarr_writer_parked(r->level[n].writer);
    }
}

void ngff_regions_close(ngff_regions **regions) {
    ngff_regions *r = regions != NULL ? *regions : NULL;
    if (r == NULL)
        return;
    *regions = NULL;
    while (r->idle != NULL) {
        hand *h = r->idle;
        r->idle = h->next;
        free_hand(r, h);
    }
    for (int n = 0; n < r->opts.level_count; n++)
        ngff_zarr_writer_close(&r->level[n].writer);
    ngff_units_close(&r->units); /* after what is unfinished has gone */
    for (int n = 0; n < r->opts.level_count; n++)
        ngff_free(r->alloc, r->level[n].done);
    ngff_gather_reset(&r->gather);
    if (r->spill != NULL) {
        ngff_store_lend_spill(r->image->store, NULL);
        ngff_spill_close(&r->spill);
    }
    ngff_mutex_close(&r->books);
    ngff_free(r->alloc, r);
}
