/* store: a pair: Zarr documents in one store, everything else in another, both borrowed.
 * Chunks go under the name of a fresh generation, and the metadata that names it is
 * published last: until then the old pair is whole, from then on the new one is
 * (docs/decisions/0006-chunk-store.md). A metadata half that cannot appear as a whole
 * gets its documents at the end, after one value that holds them all. */
#include "store/split_inside.h"

#include <stdio.h>

typedef struct split_writer {
    ngff_store_writer base;
    ngff_store_writer *inner;
} split_writer;

typedef struct full_key {
    char text[NGFF_STORE_KEY_MAX];
} full_key;

/* ---- which half, under which key ---- */

static ngff_status route(const ngff_split *p, const char *key, ngff_store **half,
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
static ngff_status still_there(ngff_split *p, const ngff_store *half, ngff_status status,
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
    NGFF_TRY(route(ngff_split_of(s), key, &half, &full, err));
    return still_there(ngff_split_of(s), half,
                       ngff_store_own_range(half, full.text, off, size, out, got, err),
                       err);
}

static ngff_status split_size(ngff_store *s, const char *key, uint64_t *size,
                              ngff_error *err) {
    ngff_store *half;
    full_key full;
    NGFF_TRY(route(ngff_split_of(s), key, &half, &full, err));
    return still_there(ngff_split_of(s), half,
                       ngff_store_own_size(half, full.text, size, err), err);
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

static ngff_status list_both(ngff_split *p, const char *prefix, merger *m,
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
    ngff_split *p = ngff_split_of(s);
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

/* ---- writing ---- */

static ngff_status route_write(ngff_store *s, const char *key, ngff_store **half,
                               full_key *out, ngff_error *err) {
    NGFF_TRY(ngff_split_begin(ngff_split_of(s), err));
    return route(ngff_split_of(s), key, half, out, err);
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
    return ngff_store_reserve(ngff_split_of(s)->metadata, key, size, err);
}

static ngff_status split_skip_rank(ngff_store *s, uint64_t rank, ngff_error *err) {
    return ngff_store_skip_rank(ngff_split_of(s)->chunks, rank, err);
}

static void split_lend_spill(ngff_store *s, ngff_spill *spill) {
    ngff_store_lend_spill(ngff_split_of(s)->chunks, spill);
}

static void split_note_version(ngff_store *s, const char *version) {
    ngff_store_note_version(ngff_split_of(s)->metadata, version);
    ngff_store_note_version(ngff_split_of(s)->chunks, version);
}

/* ---- life ---- */

void ngff_split_discard_half(ngff_store *s) {
    if (s->ops->discard)
        s->ops->discard(s);
}

static void split_discard(ngff_store *s) {
    ngff_split *p = ngff_split_of(s);
    if (p->begun) {
        ngff_status status = ngff_store_generation_remove(p->chunks, &p->now, NULL);
        (void)status; /* no metadata names it; the next run removes it */
        p->begun = false;
    }
    ngff_split_discard_half(p->metadata);
    if (p->chunks != p->metadata)
        ngff_split_discard_half(p->chunks);
}

void ngff_split_close(ngff_store *s) {
    ngff_split *p = ngff_split_of(s);
    ngff_store_drop(&p->documents);
    ngff_mutex_close(&p->mutex);
    ngff_free(s->alloc, s->location);
    ngff_free(s->alloc, s);
}

#define COMMON                                                                           \
    .kind = "split", .get = split_get, .size = split_size, .put = split_put,             \
    .erase = split_erase, .list = split_list, .begin = split_begin,                      \
    .append = split_append, .commit = split_commit, .abort = split_abort,                \
    .publish = ngff_split_publish, .discard = split_discard, .close = ngff_split_close,  \
    .names_place = true /* the halves do */

const ngff_store_vtable ngff_split_ops = {COMMON};
const ngff_store_vtable ngff_split_ordered_ops = {
    COMMON,
    .reserve = split_reserve,
    .begin_ranked = split_begin_ranked,
    .put_ranked = split_put_ranked,
    .skip_rank = split_skip_rank,
    .lend_spill = split_lend_spill,
    .note_version = split_note_version,
};
