/* store: a pair: Zarr documents in one store, everything else in another, both borrowed.
 * Chunks go under the name of a fresh generation, and the metadata that names it is
 * published last: until then the old pair is whole, from then on the new one is
 * (docs/decisions/0006-chunk-store.md). A metadata half that cannot appear as a whole
 * gets its documents at the end, after one value that holds them all. */
#include "store/inside.h"

#include <stdio.h>

typedef struct split_store {
    ngff_store base;
    ngff_store *metadata, *chunks; /* borrowed */
    ngff_store *documents;         /* own; where documents are when not NULL */
    ngff_mutex *mutex;             /* over `begun` and what comes with it */
    ngff_store_generation now;     /* of what is read and written */
    ngff_store_generation old;     /* named by the metadata that is replaced */
    bool begun;                    /* `now` is new and not published */
    bool plain;                    /* both halves are one place */
} split_store;

typedef struct split_writer {
    ngff_store_writer base;
    ngff_store_writer *inner;
} split_writer;

typedef struct full_key {
    char text[NGFF_STORE_KEY_MAX];
} full_key;

static split_store *split(ngff_store *s) {
    return (split_store *)s;
}

/* ---- which half, under which key ---- */

static ngff_status route(const split_store *p, const char *key, ngff_store **half,
                         full_key *out, ngff_error *err) {
    bool document = ngff_store_key_is_document(key);
    const char *prefix = p->plain || document ? "" : p->now.name;
    *half = !document ? p->chunks : p->documents ? p->documents : p->metadata;
    int n =
        snprintf(out->text, sizeof out->text, "%s%s%s", prefix, *prefix ? "/" : "", key);
    if (n < 0 || n >= (int)sizeof out->text)
        return ngff_fail(err, NGFF_INVALID, "%s/%s: the key is too long", prefix, key);
    return NGFF_OK;
}

/* A chunk that is missing because its generation went is not one that was never written:
 * the first key of a generation is erased before all others. */
static ngff_status still_there(split_store *p, const ngff_store *half, ngff_status status,
                               ngff_error *err) {
    if (status != NGFF_NOT_FOUND || half != p->chunks || p->plain || !p->now.name[0])
        return status;
    if (ngff_store_generation_check(p->chunks, &p->now, NULL) != NGFF_NOT_FOUND)
        return status;
    ngff_error_clear(err);
    return ngff_fail(err, NGFF_IO, "%s: %s was replaced or removed while it was read",
                     p->chunks->location, p->now.name);
}

/* ---- reading ---- */

static ngff_status split_get(ngff_store *s, const char *key, uint64_t off, size_t size,
                             void *out, size_t *got, ngff_error *err) {
    ngff_store *half;
    full_key full;
    NGFF_TRY(route(split(s), key, &half, &full, err));
    return still_there(split(s), half,
                       ngff_store_own_range(half, full.text, off, size, out, got, err),
                       err);
}

static ngff_status split_size(ngff_store *s, const char *key, uint64_t *size,
                              ngff_error *err) {
    ngff_store *half;
    full_key full;
    NGFF_TRY(route(split(s), key, &half, &full, err));
    return still_there(split(s), half, ngff_store_own_size(half, full.text, size, err),
                       err);
}

typedef struct merger {
    ngff_store_children children;
    bool documents;
    ngff_error *err;
} merger;

/* Of each half what belongs to it: a directory may hold what is in both. */
static ngff_status merge(void *user, const char *name, bool is_prefix) {
    merger *m = user;
    full_key key;
    if (!is_prefix && ngff_store_key_is_document(name) != m->documents)
        return NGFF_OK;
    snprintf(key.text, sizeof key.text, "%s%s", name, is_prefix ? "/-" : "");
    return ngff_store_children_add(&m->children, "", key.text, m->err);
}

static ngff_status list_both(split_store *p, const char *prefix, merger *m,
                             ngff_error *err) {
    full_key below;
    m->documents = true;
    NGFF_TRY(ngff_store_list(p->documents ? p->documents : p->metadata, prefix, merge, m,
                             err));
    if (!p->now.name[0])
        return NGFF_OK;
    int n = snprintf(below.text, sizeof below.text, "%s%s%s", p->now.name,
                     *prefix ? "/" : "", prefix);
    if (n < 0 || n >= (int)sizeof below.text)
        return NGFF_OK; /* a prefix no key has */
    m->documents = false;
    return ngff_store_list(p->chunks, below.text, merge, m, err);
}

static ngff_status split_list(ngff_store *s, const char *prefix, ngff_store_list_fn fn,
                              void *user, ngff_error *err) {
    split_store *p = split(s);
    merger m = {.err = err};
    if (p->plain)
        return ngff_store_list(p->metadata, prefix, fn, user, err);
    ngff_store_children_init(&m.children, s->alloc);
    ngff_status status = list_both(p, prefix, &m, err);
    if (status == NGFF_OK)
        status = ngff_store_children_call(&m.children, fn, user, err);
    ngff_store_children_reset(&m.children);
    return status;
}

/* ---- a new generation ---- */

/* What the metadata at the place of the new one names: nothing, or a generation. */
static ngff_status published(const split_store *p, ngff_store_generation *out,
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

static ngff_status hold_documents(split_store *p, ngff_error *err) {
    ngff_store_drop(&p->documents);
    NGFF_TRY(ngff_store_open_memory(p->base.alloc, &p->documents, err));
    char *name = ngff_strdup(p->base.alloc, p->metadata->location);
    if (!name)
        return ngff_fail_nomem(err, "a store's name", strlen(p->metadata->location));
    ngff_free(p->base.alloc, p->documents->location);
    p->documents->location = name;
    return NGFF_OK;
}

static ngff_status begin_locked(split_store *p, ngff_error *err) {
    if (p->begun)
        return NGFF_OK;
    if (p->metadata->mode == NGFF_STORE_READ || p->chunks->mode == NGFF_STORE_READ)
        return ngff_fail(err, NGFF_INVALID, "%s: opened for reading only",
                         p->base.location);
    NGFF_TRY(published(p, &p->old, err));
    if (p->metadata->mode != NGFF_STORE_STAGE)
        NGFF_TRY(hold_documents(p, err));
    const char *place = p->metadata->path ? p->metadata->path : p->metadata->location;
    NGFF_TRY(ngff_store_generation_begin(p->chunks, &p->old, place, &p->now, err));
    p->begun = true;
    return NGFF_OK;
}

static ngff_status begin(split_store *p, ngff_error *err) {
    if (p->plain)
        return NGFF_OK;
    ngff_mutex_lock(p->mutex);
    ngff_status status = begin_locked(p, err);
    ngff_mutex_unlock(p->mutex);
    return status;
}

/* ---- writing ---- */

static ngff_status route_write(ngff_store *s, const char *key, ngff_store **half,
                               full_key *out, ngff_error *err) {
    NGFF_TRY(begin(split(s), err));
    return route(split(s), key, half, out, err);
}

static ngff_status split_put(ngff_store *s, const char *key, const void *data,
                             size_t size, ngff_error *err) {
    ngff_store *half;
    full_key full;
    NGFF_TRY(route_write(s, key, &half, &full, err));
    return ngff_store_own_put(half, full.text, data, size, err);
}

static ngff_status split_put_ranked(ngff_store *s, const char *key, uint64_t rank,
                                    const void *data, size_t size, ngff_error *err) {
    ngff_store *half;
    full_key full;
    NGFF_TRY(route_write(s, key, &half, &full, err));
    return ngff_store_put_ranked(half, full.text, rank, data, size, err);
}

static ngff_status split_erase(ngff_store *s, const char *key, ngff_error *err) {
    ngff_store *half;
    full_key full;
    NGFF_TRY(route_write(s, key, &half, &full, err));
    return ngff_store_own_erase(half, full.text, err);
}

/* `rank` NULL: none. */
static ngff_status open_writer(ngff_store *s, const char *key, const uint64_t *rank,
                               ngff_store_writer **out, ngff_error *err) {
    ngff_store *half;
    full_key full;
    NGFF_TRY(route_write(s, key, &half, &full, err));
    split_writer *w = ngff_calloc(s->alloc, 1, sizeof *w);
    if (!w)
        return ngff_fail_nomem(err, "a store writer", sizeof *w);
    ngff_status status =
        rank ? ngff_store_begin_ranked(half, full.text, *rank, &w->inner, err)
             : ngff_store_begin(half, full.text, &w->inner, err);
    if (status != NGFF_OK) {
        ngff_free(s->alloc, w);
        return status;
    }
    *out = &w->base;
    return NGFF_OK;
}

static ngff_status split_begin(ngff_store *s, const char *key, ngff_store_writer **out,
                               ngff_error *err) {
    return open_writer(s, key, NULL, out, err);
}

static ngff_status split_begin_ranked(ngff_store *s, const char *key, uint64_t rank,
                                      ngff_store_writer **out, ngff_error *err) {
    return open_writer(s, key, &rank, out, err);
}

static ngff_status split_append(ngff_store_writer *writer, const void *data, size_t size,
                                ngff_error *err) {
    return ngff_store_append(((split_writer *)writer)->inner, data, size, err);
}

static ngff_status split_commit(ngff_store_writer *writer, ngff_error *err) {
    split_writer *w = (split_writer *)writer;
    ngff_status status = ngff_store_commit(&w->inner, err);
    ngff_free(writer->store->alloc, w);
    return status;
}

static void split_abort(ngff_store_writer *writer) {
    split_writer *w = (split_writer *)writer;
    ngff_store_abort(&w->inner);
    ngff_free(writer->store->alloc, w);
}

/* ---- order ---- */

static ngff_status split_reserve(ngff_store *s, const char *key, size_t size,
                                 ngff_error *err) {
    return ngff_store_reserve(split(s)->metadata, key, size, err);
}

static ngff_status split_skip_rank(ngff_store *s, uint64_t rank, ngff_error *err) {
    return ngff_store_skip_rank(split(s)->chunks, rank, err);
}

static void split_lend_spill(ngff_store *s, ngff_spill *spill) {
    ngff_store_lend_spill(split(s)->chunks, spill);
}

static void split_note_version(ngff_store *s, const char *version) {
    ngff_store_note_version(split(s)->metadata, version);
    ngff_store_note_version(split(s)->chunks, version);
}

/* ---- publishing ---- */

/* One value that holds all documents is put first: from then on the new pair is whole,
 * however far the documents themselves have come. */
static ngff_status name_with_documents(split_store *p, ngff_error *err) {
    NGFF_TRY(ngff_store_pair_name(p->metadata, p->chunks, &p->now, p->documents, err));
    p->begun = false;
    NGFF_TRY(ngff_store_documents_put(p->documents, p->metadata, err));
    NGFF_TRY(ngff_store_pair_name(p->metadata, p->chunks, &p->now, NULL, err));
    return ngff_store_publish(p->metadata, err);
}

static ngff_status name_and_publish(split_store *p, ngff_error *err) {
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

static ngff_status split_publish(ngff_store *s, ngff_error *err) {
    split_store *p = split(s);
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

/* ---- life ---- */

static void discard(ngff_store *s) {
    if (s->ops->discard)
        s->ops->discard(s);
}

static void split_discard(ngff_store *s) {
    split_store *p = split(s);
    if (p->begun) {
        ngff_status status = ngff_store_generation_remove(p->chunks, &p->now, NULL);
        (void)status; /* no metadata names it; the next run removes it */
        p->begun = false;
    }
    discard(p->metadata);
    if (p->chunks != p->metadata)
        discard(p->chunks);
}

static void split_close(ngff_store *s) {
    split_store *p = split(s);
    ngff_store_drop(&p->documents);
    ngff_mutex_close(&p->mutex);
    ngff_free(s->alloc, s->location);
    ngff_free(s->alloc, s);
}

#define COMMON                                                                           \
    .kind = "split", .get = split_get, .size = split_size, .put = split_put,             \
    .erase = split_erase, .list = split_list, .begin = split_begin,                      \
    .append = split_append, .commit = split_commit, .abort = split_abort,                \
    .publish = split_publish, .discard = split_discard, .close = split_close,            \
    .names_place = true /* the halves do */

static const ngff_store_vtable split_ops = {COMMON};
static const ngff_store_vtable ordered_ops = {
    COMMON,
    .reserve = split_reserve,
    .begin_ranked = split_begin_ranked,
    .put_ranked = split_put_ranked,
    .skip_rank = split_skip_rank,
    .lend_spill = split_lend_spill,
    .note_version = split_note_version,
};

/* ---- opening ---- */

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

static ngff_status load(split_store *p, ngff_error *err) {
    ngff_error why = {0};
    bool unfinished = false;
    bool reading =
        p->metadata->mode == NGFF_STORE_READ || p->chunks->mode == NGFF_STORE_READ;
    NGFF_TRY(hold_documents(p, err));
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

static ngff_status set_location(split_store *p, ngff_error *err) {
    const char *a = p->metadata->location, *b = p->chunks->location;
    size_t size = strlen(a) + strlen(b) + sizeof " with chunks in ";
    char *location = ngff_alloc(p->base.alloc, size);
    if (!location)
        return ngff_fail_nomem(err, "a store's name", size);
    snprintf(location, size, p->plain ? "%s" : "%s with chunks in %s", a, b);
    p->base.location = location;
    return NGFF_OK;
}

static ngff_status open_pair(split_store *p, ngff_error *err) {
    NGFF_TRY(set_location(p, err));
    if (p->plain) {
        if (p->chunks->mode == NGFF_STORE_CHUNKS)
            discard(p->chunks); /* which may have made the directory */
        return NGFF_OK;
    }
    NGFF_TRY(check_halves(p->metadata, p->chunks, err));
    NGFF_TRY(ngff_mutex_create(p->base.alloc, &p->mutex, err));
    if (p->metadata->mode == NGFF_STORE_STAGE || p->chunks->mode == NGFF_STORE_CHUNKS ||
        p->chunks->mode == NGFF_STORE_STAGE)
        return begin(p, err);
    return load(p, err);
}

ngff_status ngff_store_open_split(const ngff_allocator *a, ngff_store *metadata,
                                  ngff_store *chunks, ngff_store **out, ngff_error *err) {
    *out = NULL;
    bool ordered = ngff_store_is_ordered(metadata) || ngff_store_is_ordered(chunks);
    split_store *p = ngff_calloc(a, 1, sizeof *p);
    if (!p)
        return ngff_fail_nomem(err, "a store", sizeof *p);
    p->base = (ngff_store){.ops = ordered ? &ordered_ops : &split_ops,
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
        split_close(&p->base);
        return status;
    }
    *out = &p->base;
    return NGFF_OK;
}
