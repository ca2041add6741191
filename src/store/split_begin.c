/* store: the generations of a pair: begun before the first chunk, named when published.
 */
#include "store/split_inside.h"

/* ---- a new generation ---- */

/* What the metadata at the place of the new one names: nothing, or a generation. */
static ngff_status published(const ngff_split *p, ngff_store_generation *out,
                             ngff_error *err) {
    const ngff_store_open_opts read = {.mode = NGFF_STORE_READ};
    ngff_store *there = p->metadata;
    ngff_error why = {0};
    bool unfinished;
    *out = (ngff_store_generation){{0}};
    ngff_status status = NGFF_OK;
    if (p->metadata->mode == NGFF_STORE_STAGE)
        status = ngff_store_at(p->base.alloc, p->metadata->path, &read, &there, &why);
    if (status == NGFF_OK) {
        status = ngff_store_pair_read(there, out, NULL, &unfinished, &why);
        if (there != p->metadata)
            ngff_store_drop(&there);
    }
    /* What is no store, no half, or not understood names nothing. */
    return status == NGFF_NOMEM || status == NGFF_IO
               ? ngff_fail(err, status, "%s", why.message)
               : NGFF_OK;
}

ngff_status ngff_split_hold_documents(ngff_split *p, ngff_error *err) {
    ngff_store_drop(&p->documents);
    NGFF_TRY(ngff_store_open_memory(p->base.alloc, &p->documents, err));
    char *name = ngff_strdup(p->base.alloc, p->metadata->location);
    if (!name)
        return ngff_fail_nomem(err, "a store's name", strlen(p->metadata->location));
    ngff_free(p->base.alloc, p->documents->location);
    p->documents->location = name;
    return NGFF_OK;
}

static ngff_status begin_locked(ngff_split *p, ngff_error *err) {
    if (p->begun)
        return NGFF_OK;
    if (p->metadata->mode == NGFF_STORE_READ || p->chunks->mode == NGFF_STORE_READ)
        return ngff_fail(err, NGFF_INVALID, "%s: opened for reading only",
                         p->base.location);
    NGFF_TRY(published(p, &p->old, err));
    if (p->metadata->mode != NGFF_STORE_STAGE)
        NGFF_TRY(ngff_split_hold_documents(p, err));
    const char *place = p->metadata->path ? p->metadata->path : p->metadata->location;
    NGFF_TRY(ngff_store_generation_begin(p->chunks, &p->old, place, &p->now, err));
    p->begun = true;
    return NGFF_OK;
}

ngff_status ngff_split_begin(ngff_split *p, ngff_error *err) {
    if (p->plain)
        return NGFF_OK;
    ngff_mutex_lock(p->mutex);
    ngff_status status = begin_locked(p, err);
    ngff_mutex_unlock(p->mutex);
    return status;
}

/* ---- publishing ---- */

/* One value that holds all documents is put first: from then on the new pair is whole,
 * however far the documents themselves have come. */
static ngff_status name_with_documents(ngff_split *p, ngff_error *err) {
    NGFF_TRY(ngff_store_pair_name(p->metadata, p->chunks, &p->now, p->documents, err));
    p->begun = false;
    NGFF_TRY(ngff_store_documents_put(p->documents, p->metadata, err));
    NGFF_TRY(ngff_store_pair_name(p->metadata, p->chunks, &p->now, NULL, err));
    return ngff_store_publish(p->metadata, err);
}

static ngff_status name_and_publish(ngff_split *p, ngff_error *err) {
    ngff_store_generation seen;
    NGFF_TRY(ngff_store_pair_name(p->metadata, p->chunks, &p->now, NULL, err));
    ngff_status status = ngff_store_publish(p->metadata, err);
    if (status == NGFF_OK)
        p->begun = false;
    /* What fails after the rename has published nevertheless. */
    else if (published(p, &seen, NULL) == NGFF_OK && strcmp(seen.name, p->now.name) == 0)
        p->begun = false;
    return status;
}

ngff_status ngff_split_publish(ngff_store *s, ngff_error *err) {
    ngff_split *p = ngff_split_of(s);
    if (p->plain)
        return ngff_store_publish(p->metadata, err);
    if (!p->begun)
        return NGFF_OK;
    NGFF_TRY(ngff_store_publish(p->chunks, err));
    NGFF_TRY(p->documents ? name_with_documents(p, err) : name_and_publish(p, err));
    ngff_store_drop(&p->documents);
    ngff_store_generation_settle(p->chunks, &p->now, &p->old);
    return NGFF_OK;
}
