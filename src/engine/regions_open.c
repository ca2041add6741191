/* regions: opening, hands, closing. See regions.h and regions_inside.h. */
#include "engine/regions_inside.h"

/* ---- opening --------------------------------------------------------------------- */

static ngff_status open_level(ngff_regions *r, int n, uint64_t rank_base,
                              ngff_error *err) {
    const ngff_zarr_array *a = ngff_regions_array(r, n);
    ngff_regions_level *l = &r->level[n];
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

static void free_hand(const ngff_regions *r, ngff_regions_hand *h) {
    ngff_codec_ctx_close(&h->ctx);
    ngff_free_aligned(r->alloc, h->chunk);
    ngff_free(r->alloc, h->scratch);
    ngff_free(r->alloc, h);
}

ngff_status ngff_regions_take_hand(ngff_regions *r, ngff_regions_hand **out,
                                   ngff_error *err) {
    ngff_mutex_lock(r->books);
    ngff_regions_hand *h = r->idle;
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

void ngff_regions_give_hand(ngff_regions *r, ngff_regions_hand *h) {
    ngff_mutex_lock(r->books);
    h->next = r->idle;
    r->idle = h;
    ngff_mutex_unlock(r->books);
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
        ngff_regions_hand *h = r->idle;
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
