/* store: two stores become a pair, or are refused. */
#include "store/split_inside.h"

#include <stdio.h>

static bool same_place(const ngff_store *a, const ngff_store *b) {
    return a == b || (a->path && b->path && strcmp(a->path, b->path) == 0);
}

static ngff_status check_halves(const ngff_store *metadata, const ngff_store *chunks,
                                ngff_error *err) {
    bool staged = metadata->mode == NGFF_STORE_STAGE;
    bool ready = chunks->mode == NGFF_STORE_CHUNKS || chunks->mode == NGFF_STORE_STAGE;
    if (metadata->mode == NGFF_STORE_CHUNKS)
        return ngff_fail(err, NGFF_INVALID, "%s: opened as the chunk half of a pair",
                         metadata->location);
    if ((metadata->mode == NGFF_STORE_UPDATE && metadata->path) ||
        (chunks->mode == NGFF_STORE_UPDATE && chunks->path))
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "%s and %s: a pair is not changed in place", metadata->location,
                         chunks->location);
    if (chunks->mode == NGFF_STORE_STAGE && !chunks->ops->put_ranked)
        return ngff_fail(err, NGFF_INVALID, "%s: not opened as the chunk half of a pair",
                         chunks->location);
    if ((staged && chunks->mode == NGFF_STORE_READ) ||
        (ready && metadata->mode == NGFF_STORE_READ))
        return ngff_fail(err, NGFF_INVALID,
                         "%s and %s: one is opened for reading, the other for writing",
                         metadata->location, chunks->location);
    if ((staged && ngff_store_is_ozx(metadata)) || (ready && ngff_store_is_ozx(chunks)))
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "%s and %s: an .ozx holds a whole hierarchy (RFC-9), not a half",
                         metadata->location, chunks->location);
    if (metadata->path && ngff_store_overlaps(chunks, metadata->path))
        return ngff_fail(err, NGFF_INVALID, "%s and %s: one lies in the other",
                         metadata->location, chunks->location);
    return NGFF_OK;
}

static ngff_status load(ngff_split *p, ngff_error *err) {
    ngff_error why = {0};
    bool unfinished = false;
    bool reading =
        p->metadata->mode == NGFF_STORE_READ || p->chunks->mode == NGFF_STORE_READ;
    NGFF_TRY(ngff_split_hold_documents(p, err));
    ngff_status status =
        ngff_store_pair_read(p->metadata, &p->now, p->documents, &unfinished, &why);
    if (!unfinished)
        ngff_store_drop(&p->documents);
    if (status == NGFF_NOT_FOUND && reading)
        return ngff_fail(err, status, "%s: holds no metadata whose chunks are in %s",
                         p->metadata->location, p->chunks->location);
    if (status == NGFF_NOT_FOUND)
        return NGFF_OK;
    if (status != NGFF_OK)
        return ngff_fail(err, status, "%s", why.message);
    status = ngff_store_generation_check(p->chunks, &p->now, &why);
    if (status == NGFF_NOT_FOUND)
        return ngff_fail(err, status, "%s: its chunks (%s) are not in %s",
                         p->metadata->location, p->now.name, p->chunks->location);
    return status == NGFF_OK ? NGFF_OK : ngff_fail(err, status, "%s", why.message);
}

static ngff_status set_location(ngff_split *p, ngff_error *err) {
    const char *a = p->metadata->location, *b = p->chunks->location;
    size_t size = strlen(a) + strlen(b) + sizeof " with chunks in ";
    char *location = ngff_alloc(p->base.alloc, size);
    if (!location)
        return ngff_fail_nomem(err, "a store's name", size);
    snprintf(location, size, p->plain ? "%s" : "%s with chunks in %s", a, b);
    p->base.location = location;
    return NGFF_OK;
}

static ngff_status open_pair(ngff_split *p, ngff_error *err) {
    NGFF_TRY(set_location(p, err));
    if (p->plain) {
        if (p->chunks->mode == NGFF_STORE_CHUNKS)
            ngff_split_discard_half(p->chunks); /* which may have made the directory */
        return NGFF_OK;
    }
    NGFF_TRY(check_halves(p->metadata, p->chunks, err));
    NGFF_TRY(ngff_mutex_create(p->base.alloc, &p->mutex, err));
    if (p->metadata->mode == NGFF_STORE_STAGE || p->chunks->mode == NGFF_STORE_CHUNKS ||
        p->chunks->mode == NGFF_STORE_STAGE)
        return ngff_split_begin(p, err);
    return load(p, err);
}

ngff_status ngff_store_open_split(const ngff_allocator *a, ngff_store *metadata,
                                  ngff_store *chunks, ngff_store **out, ngff_error *err) {
    *out = NULL;
    bool ordered = ngff_store_is_ordered(metadata) || ngff_store_is_ordered(chunks);
    ngff_split *p = ngff_calloc(a, 1, sizeof *p);
    if (!p)
        return ngff_fail_nomem(err, "a store", sizeof *p);
    p->base = (ngff_store){.ops = ordered ? &ngff_split_ordered_ops : &ngff_split_ops,
                           .alloc = a,
                           .path = metadata->path,
                           .spill_dir = chunks->spill_dir ? chunks->spill_dir
                                                          : metadata->spill_dir,
                           .mode = metadata->mode,
                           .overwrite = metadata->overwrite,
                           .alone = metadata->alone};
    p->metadata = metadata;
    p->chunks = chunks;
    p->plain = same_place(metadata, chunks);
    if (!p->plain)
        p->base.other_path = chunks->path;
    ngff_status status = open_pair(p, err);
    if (status != NGFF_OK) {
        p->metadata = p->chunks = metadata;
        ngff_split_close(&p->base);
        return status;
    }
    *out = &p->base;
    return NGFF_OK;
}
