/* units: see units.h. */
#include "engine/units.h"

#include "pyramid/pyramid.h"
#include "sys/sys.h"

#include <stdio.h>

struct ngff_units {
    ngff_image *image;
    int level_count;
    ngff_claims *claims;
    ngff_mutex *lock;                     /* the bits */
    unsigned char *mine[NGFF_MAX_LEVELS]; /* a bit a unit */
    uint64_t count[NGFF_MAX_LEVELS];
};

void ngff_units_at(const ngff_zarr_array *array, uint64_t id, int64_t *unit) {
    for (int d = array->meta.ndim - 1; d >= 0; d--) {
        unit[d] = (int64_t)(id % (uint64_t)array->shard_grid[d]);
        id /= (uint64_t)array->shard_grid[d];
    }
}

static uint64_t id_of(const ngff_zarr_array *a, const int64_t *unit) {
    return ngff_zarr_linear(a->meta.ndim, a->shard_grid, unit);
}

/* "0.3.1.2": level and place. */
static void name_of(const ngff_units *u, int n, const int64_t *unit, char *out,
                    size_t out_size) {
    int used = snprintf(out, out_size, "%d", n);
    for (int d = 0; d < u->image->level[n]->meta.ndim; d++)
        used +=
            snprintf(out + used, out_size - (size_t)used, ".%lld", (long long)unit[d]);
}

static bool has(const ngff_units *u, int n, uint64_t id) {
    return (u->mine[n][id / 8] >> (id % 8) & 1) != 0;
}

static ngff_status open_all(ngff_units *u, ngff_error *err) {
    const ngff_allocator *alloc = u->image->alloc;
    NGFF_TRY(ngff_mutex_create(alloc, &u->lock, err));
    for (int n = 0; n < u->level_count; n++) {
        u->count[n] = ngff_zarr_unit_count(u->image->level[n]);
        size_t size = (size_t)(u->count[n] / 8 + 1);
        u->mine[n] = ngff_calloc(alloc, size, 1);
        if (u->mine[n] == NULL)
            return ngff_fail_nomem(err, "the map of a level's shards", size);
    }
    return ngff_claims_open(u->image->store, &u->claims, err);
}

ngff_status ngff_units_open(ngff_image *image, int level_count, ngff_units **out,
                            ngff_error *err) {
    *out = NULL;
    ngff_units *u = ngff_calloc(image->alloc, 1, sizeof *u);
    if (u == NULL)
        return ngff_fail_nomem(err, "the map of an image", sizeof *u);
    u->image = image;
    u->level_count = level_count;
    ngff_status status = open_all(u, err);
    if (status != NGFF_OK)
        ngff_units_close(&u);
    *out = u;
    return status;
}

/* Under the lock. What is stored is asked after the claim: whoever stored it had it. */
static ngff_status claim_new(ngff_units *u, int n, const int64_t *unit, ngff_error *err) {
    const ngff_zarr_array *a = u->image->level[n];
    char name[200], key[NGFF_STORE_KEY_MAX];
    ngff_error why = {0};
    uint64_t id = id_of(a, unit), size;
    NGFF_TRY(ngff_zarr_key(a, unit, key, sizeof key, err));
    name_of(u, n, unit, name, sizeof name);
    ngff_status status = ngff_claims_take(u->claims, name, err);
    if (status != NGFF_OK)
        return ngff_fail_at(err, status, "%s", key);
    status = ngff_store_size(a->store, key, &size, &why);
    if (status == NGFF_NOT_FOUND) {
        u->mine[n][id / 8] |= (unsigned char)(1u << (id % 8));
        return NGFF_OK;
    }
    ngff_claims_drop(u->claims, name);
    return status == NGFF_OK ? ngff_fail(err, NGFF_EXISTS, "%s: is stored already", key)
                             : ngff_fail(err, status, "%s", why.message);
}

ngff_status ngff_units_claim(ngff_units *u, int n, const ngff_box *box, ngff_error *err) {
    const ngff_zarr_array *a = u->image->level[n];
    ngff_status status = NGFF_OK;
    ngff_box units;
    int64_t unit[NGFF_MAX_NDIM];
    ngff_box_cells(box, a->meta.shard, &units);
    memcpy(unit, units.start, sizeof unit);
    ngff_mutex_lock(u->lock);
    do
        if (!has(u, n, id_of(a, unit)))
            status = claim_new(u, n, unit, err);
    while (status == NGFF_OK && ngff_box_next(&units, unit));
    ngff_mutex_unlock(u->lock);
    return status;
}

bool ngff_units_is_mine(ngff_units *u, int n, uint64_t id) {
    ngff_mutex_lock(u->lock);
    bool mine = has(u, n, id);
    ngff_mutex_unlock(u->lock);
    return mine;
}

/* Under the lock. */
static void drop(ngff_units *u, int n, uint64_t id) {
    char name[200];
    int64_t unit[NGFF_MAX_NDIM];
    ngff_units_at(u->image->level[n], id, unit);
    name_of(u, n, unit, name, sizeof name);
    ngff_claims_drop(u->claims, name);
    u->mine[n][id / 8] &= (unsigned char)~(1u << (id % 8));
}

void ngff_units_drop(ngff_units *u, int n, uint64_t id) {
    if (u == NULL)
        return;
    ngff_mutex_lock(u->lock);
    if (has(u, n, id))
        drop(u, n, id);
    ngff_mutex_unlock(u->lock);
}

void ngff_units_close(ngff_units **units) {
    ngff_units *u = *units;
    *units = NULL;
    if (u == NULL)
        return;
    for (int n = 0; n < u->level_count && u->mine[n] != NULL; n++)
        for (uint64_t id = 0; id < u->count[n]; id++)
            if (has(u, n, id))
                drop(u, n, id);
    ngff_claims_close(&u->claims);
    for (int n = 0; n < u->level_count; n++)
        ngff_free(u->image->alloc, u->mine[n]);
    ngff_mutex_close(&u->lock);
    ngff_free(u->image->alloc, u);
}
