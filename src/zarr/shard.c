/* shard: see shard.h. Locks: `table` guards the hash table, the free list and the user
 * counts; each shard's `lock` guards its cursor, states and entries. `out` and `written`
 * belong to whoever has set `draining`. */
#include "zarr/shard.h"

enum { BUCKETS = 1024 };

/* What has become of a chunk. */
enum {
    WAITING = 0, /* not here yet */
    OUTSIDE,     /* beyond the array's edge: never comes */
    BUSY,        /* somebody holds its bytes */
    PARKED,      /* in the spill, `entry` is the ticket */
    VOID,        /* all fill */
    DONE         /* appended, or passed over */
};

struct ngff_shard {
    ngff_shard *next; /* in its bucket, or in the free list */
    uint64_t id;      /* linear place in the shard grid */
    int64_t idx[NGFF_MAX_NDIM];
    size_t users; /* under the table lock */
    ngff_spin lock;
    bool draining;  /* somebody appends; stays set after completion or failure */
    bool completed; /* under the table lock */
    size_t cursor;  /* position in `order` of the chunk whose turn it is */
    ngff_store_writer *out;
    uint64_t written;
    ngff_spill_ticket *entry; /* parked: ticket; done: off and size inside the shard */
    unsigned char *state;
};

struct ngff_shards {
    const ngff_zarr_array *array;
    const ngff_allocator *alloc;
    ngff_spill *spill;
    bool ranked; /* with rank_base: see ngff_zarr_writer_opts */
    uint64_t rank_base;
    size_t count;    /* chunks per shard, also beyond the edge */
    uint32_t *order; /* rank -> linear place: Morton order */
    ngff_spin table;
    ngff_shard *bucket[BUCKETS];
    ngff_shard *free;
};

/* ---- the table ---- */

size_t ngff_shard_bytes(const ngff_zarr_array *array) {
    size_t count = 1;
    for (int i = 0; i < array->meta.ndim; i++)
        count *= (size_t)array->per_shard[i];
    return sizeof(ngff_shard) + count * (sizeof(ngff_spill_ticket) + 1);
}

ngff_status ngff_shards_create(const ngff_zarr_array *array,
                               const ngff_zarr_writer_opts *opts, ngff_shards **out,
                               ngff_error *err) {
    ngff_shards *s = ngff_calloc(array->alloc, 1, sizeof *s);
    *out = NULL;
    if (!s)
        return ngff_fail_nomem(err, "a shard table", sizeof *s);
    s->array = array;
    s->alloc = array->alloc;
    s->spill = opts->spill;
    s->ranked = opts->ranked;
    s->rank_base = opts->rank_base;
    ngff_spin_init(&s->table);
    s->count = 1;
    for (int i = 0; i < array->meta.ndim; i++)
        s->count *= (size_t)array->per_shard[i];
    ngff_status status = ngff_zarr_order(array, s->count, &s->order, err);
    if (status != NGFF_OK) {
        ngff_free(s->alloc, s);
        return status;
    }
    *out = s;
    return NGFF_OK;
}

static void shard_free(ngff_shards *s, ngff_shard *shard) {
    if (!shard)
        return;
    ngff_free(s->alloc, shard->entry);
    ngff_free(s->alloc, shard->state);
    ngff_free(s->alloc, shard);
}

static ngff_shard *shard_new(ngff_shards *s) {
    ngff_shard *shard = ngff_calloc(s->alloc, 1, sizeof *shard);
    if (!shard)
        return NULL;
    shard->entry = ngff_calloc(s->alloc, s->count, sizeof *shard->entry);
    shard->state = ngff_alloc(s->alloc, s->count);
    if (shard->entry && shard->state)
        return shard;
    shard_free(s, shard);
    return NULL;
}

/* Makes it the empty shard at `idx`; the chunks beyond the array's edge will not come. */
static void shard_init(const ngff_shards *s, ngff_shard *shard, const int64_t *idx,
                       uint64_t id) {
    const ngff_zarr_array *a = s->array;
    bool clipped = false;
    int64_t extent[NGFF_MAX_NDIM], at[NGFF_MAX_NDIM];
    for (int i = 0; i < a->meta.ndim; i++) {
        shard->idx[i] = idx[i];
        extent[i] = a->grid[i] - idx[i] * a->per_shard[i];
        clipped = clipped || extent[i] < a->per_shard[i];
    }
    memset(shard->state, WAITING, s->count);
    for (size_t k = 0; clipped && k < s->count; k++) {
        ngff_zarr_place(a, k, at);
        for (int i = 0; i < a->meta.ndim; i++) {
            if (at[i] >= extent[i])
                shard->state[k] = OUTSIDE;
        }
    }
    shard->id = id;
    shard->users = 0;
    shard->draining = shard->completed = false;
    shard->cursor = 0;
    shard->out = NULL;
    shard->written = 0;
    ngff_spin_init(&shard->lock);
}

static ngff_shard **bucket_of(ngff_shards *s, uint64_t id) {
    return &s->bucket[(id * UINT64_C(0x9e3779b97f4a7c15)) >> 54];
}

/* Under the table lock. */
static ngff_shard *find(ngff_shards *s, uint64_t id) {
    ngff_shard *shard = *bucket_of(s, id);
    while (shard && (shard->id != id || shard->completed))
        shard = shard->next;
    return shard;
}

static ngff_shard *take_free(ngff_shards *s) {
    ngff_spin_lock(&s->table);
    ngff_shard *shard = s->free;
    if (shard)
        s->free = shard->next;
    ngff_spin_unlock(&s->table);
    return shard;
}

ngff_status ngff_shards_acquire(ngff_shards *s, const int64_t *idx, ngff_shard **out,
                                ngff_error *err) {
    uint64_t id = ngff_zarr_linear(s->array->meta.ndim, s->array->shard_grid, idx);
    ngff_spin_lock(&s->table);
    ngff_shard *found = find(s, id);
    if (found)
        found->users++;
    ngff_spin_unlock(&s->table);
    *out = found;
    if (found)
        return NGFF_OK;
    ngff_shard *fresh = take_free(s);
    if (!fresh)
        fresh = shard_new(s);
    if (!fresh)
        return ngff_fail_nomem(err, "an open shard", ngff_shard_bytes(s->array));
    shard_init(s, fresh, idx, id); /* outside the lock; another thread may be faster */
    ngff_spin_lock(&s->table);
    found = find(s, id);
    if (found) {
        fresh->next = s->free;
        s->free = fresh;
    } else {
        found = fresh;
        found->next = *bucket_of(s, id);
        *bucket_of(s, id) = found;
    }
    found->users++;
    ngff_spin_unlock(&s->table);
    *out = found;
    return NGFF_OK;
}

void ngff_shards_release(ngff_shards *s, ngff_shard *shard) {
    ngff_spin_lock(&s->table);
    assert(shard->users > 0);
    shard->users--;
    if (shard->completed && shard->users == 0) {
        ngff_shard **link = bucket_of(s, shard->id);
        while (*link != shard)
            link = &(*link)->next;
        *link = shard->next;
        shard->next = s->free;
        s->free = shard;
    }
    ngff_spin_unlock(&s->table);
}

void ngff_shards_close(ngff_shards **shards) {
    ngff_shards *s = shards ? *shards : NULL;
    if (!s)
        return;
    for (size_t b = 0; b < BUCKETS; b++) {
        while (s->bucket[b]) {
            ngff_shard *shard = s->bucket[b];
            s->bucket[b] = shard->next;
            for (size_t k = 0; k < s->count; k++) {
                if (shard->state[k] == PARKED)
                    ngff_spill_drop(s->spill, &shard->entry[k]);
            }
            ngff_store_abort(&shard->out);
            shard_free(s, shard);
        }
    }
    while (s->free) {
        ngff_shard *shard = s->free;
        s->free = shard->next;
        shard_free(s, shard);
    }
    ngff_free(s->alloc, s->order);
    ngff_free(s->alloc, s);
    *shards = NULL;
}

bool ngff_shards_missing(ngff_shards *s, const int64_t *idx, size_t *local) {
    uint64_t id = ngff_zarr_linear(s->array->meta.ndim, s->array->shard_grid, idx);
    ngff_spin_lock(&s->table);
    ngff_shard *shard = find(s, id);
    ngff_spin_unlock(&s->table);
    for (size_t k = 0; shard && k < s->count; k++) {
        *local = k;
        if (shard->state[k] == WAITING)
            return true;
    }
    return false;
}

/* ---- appending (only by the thread that has set `draining`) ---- */

static uint64_t rank_of(const ngff_shards *s, const ngff_shard *shard) {
    return s->rank_base + ngff_zarr_unit_rank(s->array, shard->idx);
}

static ngff_status begin(ngff_shards *s, ngff_shard *shard, ngff_error *err) {
    char key[NGFF_ZARR_KEY_MAX];
    NGFF_TRY(ngff_zarr_key(s->array, shard->idx, key, sizeof key, err));
    if (s->ranked)
        return ngff_store_begin_ranked(s->array->store, key, rank_of(s, shard),
                                       &shard->out, err);
    return ngff_store_begin(s->array->store, key, &shard->out, err);
}

static ngff_status append(ngff_shards *s, ngff_shard *shard, size_t local,
                          const void *data, size_t size, ngff_error *err) {
    if (!shard->out) /* a shard with nothing but fill is never begun */
        NGFF_TRY(begin(s, shard, err));
    NGFF_TRY(ngff_store_append(shard->out, data, size, err));
    shard->entry[local] = (ngff_spill_ticket){.off = shard->written, .size = size};
    shard->written += size;
    return NGFF_OK;
}

static ngff_status append_parked(ngff_shards *s, ngff_shard *shard, ngff_codec_ctx *ctx,
                                 size_t local, ngff_error *err) {
    void *room = NULL;
    ngff_spill_ticket ticket = shard->entry[local];
    size_t size = ticket.size;
    ngff_status status;
    if (ticket.mem_size == size) {
        status = append(s, shard, local, ticket.mem, size, err);
        ngff_spill_drop(s->spill, &ticket);
        return status;
    }
    status = ngff_codec_scratch(ctx, NGFF_ZARR_SLOT_VALUE, size, &room, err);
    if (status != NGFF_OK) {
        ngff_spill_drop(s->spill, &ticket);
        return status;
    }
    NGFF_TRY(ngff_spill_take(s->spill, &ticket, room, err));
    return append(s, shard, local, room, size, err);
}

/* The index of all places, also those beyond the edge (sharding_indexed, "binary shard
 * format"). */
static ngff_status append_index(ngff_shards *s, ngff_shard *shard, ngff_codec_ctx *ctx,
                                ngff_error *err) {
    const ngff_zarr_array *a = s->array;
    int64_t shape[NGFF_MAX_NDIM];
    void *room = NULL;
    const void *bytes;
    size_t size;
    ngff_view view;
    if (!shard->out)
        return s->ranked ? ngff_store_skip_rank(s->array->store, rank_of(s, shard), err)
                         : NGFF_OK;
    NGFF_TRY(ngff_codec_scratch(ctx, NGFF_ZARR_SLOT_INDEX, s->count * 16, &room, err));
    uint64_t *index = room;
    for (size_t k = 0; k < s->count; k++) {
        bool stored = shard->state[k] == DONE && shard->entry[k].size > 0;
        index[2 * k] = stored ? shard->entry[k].off : NGFF_ZARR_EMPTY;
        index[2 * k + 1] = stored ? shard->entry[k].size : NGFF_ZARR_EMPTY;
    }
    memcpy(shape, a->per_shard, sizeof shape);
    shape[a->meta.ndim] = 2;
    ngff_view_init(&view, index, NGFF_UINT64, a->meta.ndim + 1, shape);
    NGFF_TRY(ngff_codec_encode(a->index_chain, ctx, &view, &bytes, &size, err));
    NGFF_TRY(ngff_store_append(shard->out, bytes, size, err));
    shard->written += size;
    return ngff_store_commit(&shard->out, err);
}

/* ---- turns ---- */

/* Under the shard's lock: passes over what needs no bytes. */
static void settle(const ngff_shards *s, ngff_shard *shard) {
    while (shard->cursor < s->count) {
        size_t local = s->order[shard->cursor];
        if (shard->state[local] == VOID) {
            shard->entry[local] = (ngff_spill_ticket){0};
            shard->state[local] = DONE;
        } else if (shard->state[local] != OUTSIDE) {
            return;
        }
        shard->cursor++;
    }
}

/* Under the shard's lock, which is let go while bytes move. Appends what is next until it
 * is missing, or completes the shard. On failure `draining` stays set: nobody else goes
 * on. */
static ngff_status drain(ngff_shards *s, ngff_shard *shard, ngff_codec_ctx *ctx,
                         bool *done, ngff_error *err) {
    ngff_status status = NGFF_OK;
    assert(shard->draining);
    while (status == NGFF_OK) {
        settle(s, shard);
        if (shard->cursor == s->count) {
            ngff_spin_unlock(&shard->lock);
            status = append_index(s, shard, ctx, err);
            *done = status == NGFF_OK;
            ngff_spin_lock(&shard->lock);
            return status;
        }
        size_t local = s->order[shard->cursor];
        if (shard->state[local] != PARKED) {
            shard->draining = false;
            return NGFF_OK;
        }
        shard->state[local] = BUSY;
        ngff_spin_unlock(&shard->lock);
        status = append_parked(s, shard, ctx, local, err);
        ngff_spin_lock(&shard->lock);
        shard->state[local] = DONE;
        shard->cursor++;
    }
    return status;
}

/* Under the shard's lock. The chunk whose turn it is, while nobody appends, goes straight
 * to the store; every other is parked. */
static ngff_status place(ngff_shards *s, ngff_shard *shard, ngff_shard_chunk *c,
                         ngff_error *err) {
    ngff_status status;
    ngff_spill_ticket ticket = {0};
    settle(s, shard);
    bool turn = !shard->draining && shard->cursor < s->count &&
                s->order[shard->cursor] == c->local;
    shard->state[c->local] = BUSY;
    shard->draining = shard->draining || turn;
    ngff_spin_unlock(&shard->lock);
    if (turn)
        status = append(s, shard, c->local, c->data, c->size, err);
    else
        status = ngff_spill_put(s->spill, c->data, c->size, &ticket, err);
    ngff_spin_lock(&shard->lock);
    if (turn) {
        shard->state[c->local] = DONE;
        shard->cursor++;
        shard->draining = status != NGFF_OK; /* drained on by the caller, or never */
    } else if (status == NGFF_OK) {
        shard->entry[c->local] = ticket;
        shard->state[c->local] = PARKED;
        c->parked = true;
    }
    return status;
}

static void mark_completed(ngff_shards *s, ngff_shard *shard, ngff_shard_chunk *c) {
    c->done = true;
    c->stored = shard->written;
    ngff_spin_lock(&s->table);
    shard->completed = true; /* recycled when its last user lets go */
    ngff_spin_unlock(&s->table);
}

ngff_status ngff_shard_deposit(ngff_shards *s, ngff_shard *shard, ngff_codec_ctx *ctx,
                               ngff_shard_chunk *c, ngff_error *err) {
    ngff_status status = NGFF_OK;
    bool done = false;
    assert(c->local < s->count);
    c->done = c->parked = false;
    c->stored = 0;
    ngff_spin_lock(&shard->lock);
    if (shard->state[c->local] != WAITING)
        status = ngff_fail(err, NGFF_INTERNAL, "a chunk of a shard came twice");
    else if (c->size == 0)
        shard->state[c->local] = VOID;
    else
        status = place(s, shard, c, err);
    if (status == NGFF_OK && !shard->draining) {
        shard->draining = true;
        status = drain(s, shard, ctx, &done, err);
    }
    ngff_spin_unlock(&shard->lock);
    if (done)
        mark_completed(s, shard, c);
    return status;
}
