/* regions: what is left in the end. See regions.h and regions_inside.h. */
#include "engine/regions_inside.h"

static ngff_status finish_gathered(ngff_regions *r, ngff_regions_hand *h,
                                   ngff_error *err) {
    for (ngff_gathered *c = ngff_gather_take_any(&r->gather); c != NULL;
         c = ngff_gather_take_any(&r->gather)) {
        ngff_regions_set_done(r, c->level, c->id);
        NGFF_TRY(ngff_regions_put_gathered(r, h, c, err));
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
        if (ngff_regions_is_done(r, n,
                                 ngff_regions_chunk_id(ngff_regions_array(r, n), idx)))
            return true;
    while (ngff_box_next(chunks, idx));
    return false;
}

/* A shared unit that was claimed for a box which was then refused is nobody's work. */
static ngff_status finish_unit(ngff_regions *r, ngff_regions_hand *h, int n, uint64_t id,
                               ngff_error *err) {
    const ngff_zarr_array *a = ngff_regions_array(r, n);
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
        uint64_t chunk = ngff_regions_chunk_id(a, idx);
        if (ngff_regions_is_done(r, n, chunk))
            continue;
        ngff_regions_set_done(r, n, chunk);
        NGFF_TRY(ngff_zarr_writer_put_fill(r->level[n].writer, h->ctx, idx, err));
    } while (ngff_box_next(&chunks, idx));
    return NGFF_OK;
}

static ngff_status finish_all(ngff_regions *r, ngff_regions_hand *h, ngff_error *err) {
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
    ngff_regions_hand *h;
    NGFF_TRY(ngff_regions_take_hand(r, &h, err));
    ngff_status status = finish_all(r, h, err);
    ngff_regions_give_hand(r, h);
    return status;
}
