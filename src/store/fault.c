/* store: for tests: passes everything on to a borrowed store, but the n-th call fails
 * with IO. A failing commit leaves the value absent, as a store that lost its connection
 * would. */
#include "store/inside.h"

typedef struct fault_store {
    ngff_store base;
    ngff_store *inner;
    uint64_t fail_at;
    uint64_t *calls; /* the caller's or own */
    uint64_t own;
} fault_store;

typedef struct fault_writer {
    ngff_store_writer base;
    ngff_store_writer *inner;
} fault_writer;

static ngff_status trip(ngff_store *s, const char *what, ngff_error *err) {
    fault_store *f = (fault_store *)s;
    if (__atomic_add_fetch(f->calls, 1, __ATOMIC_RELAXED) == f->fail_at)
        return ngff_fail(err, NGFF_IO, "injected fault: %s fails", what);
    return NGFF_OK;
}

static ngff_store *inner_of(ngff_store *s) {
    return ((fault_store *)s)->inner;
}

static ngff_status fault_get(ngff_store *s, const char *key, uint64_t off, size_t size,
                             void *out, size_t *got, ngff_error *err) {
    NGFF_TRY(trip(s, "get", err));
    return ngff_store_own_range(inner_of(s), key, off, size, out, got, err);
}

static ngff_status fault_size(ngff_store *s, const char *key, uint64_t *size,
                              ngff_error *err) {
    NGFF_TRY(trip(s, "size", err));
    return ngff_store_own_size(inner_of(s), key, size, err);
}

static ngff_status fault_put(ngff_store *s, const char *key, const void *data,
                             size_t size, ngff_error *err) {
    NGFF_TRY(trip(s, "put", err));
    return ngff_store_own_put(inner_of(s), key, data, size, err);
}

static ngff_status fault_erase(ngff_store *s, const char *key, ngff_error *err) {
    NGFF_TRY(trip(s, "erase", err));
    return ngff_store_own_erase(inner_of(s), key, err);
}

static ngff_status fault_list(ngff_store *s, const char *prefix, ngff_store_list_fn fn,
                              void *user, ngff_error *err) {
    NGFF_TRY(trip(s, "list", err));
    return ngff_store_list(inner_of(s), prefix, fn, user, err);
}

static ngff_status fault_begin(ngff_store *s, const char *key, ngff_store_writer **out,
                               ngff_error *err) {
    NGFF_TRY(trip(s, "begin", err));
    fault_writer *w = ngff_calloc(s->alloc, 1, sizeof *w);
    if (!w)
        return ngff_fail_nomem(err, "a store writer", sizeof *w);
    ngff_status status = ngff_store_begin(inner_of(s), key, &w->inner, err);
    if (status != NGFF_OK) {
        ngff_free(s->alloc, w);
        return status;
    }
    *out = &w->base;
    return NGFF_OK;
}

static ngff_status fault_append(ngff_store_writer *writer, const void *data, size_t size,
                                ngff_error *err) {
    NGFF_TRY(trip(writer->store, "append", err));
    return ngff_store_append(((fault_writer *)writer)->inner, data, size, err);
}

static void fault_abort(ngff_store_writer *writer) {
    fault_writer *w = (fault_writer *)writer;
    ngff_store_abort(&w->inner);
    ngff_free(writer->store->alloc, w);
}

static ngff_status fault_commit(ngff_store_writer *writer, ngff_error *err) {
    fault_writer *w = (fault_writer *)writer;
    ngff_status status = trip(writer->store, "commit", err);
    if (status == NGFF_OK)
        status = ngff_store_commit(&w->inner, err);
    fault_abort(writer);
    return status;
}

static ngff_status fault_publish(ngff_store *s, ngff_error *err) {
    NGFF_TRY(trip(s, "publish", err));
    return ngff_store_publish(inner_of(s), err);
}

static ngff_status fault_go_live(ngff_store *s, ngff_error *err) {
    NGFF_TRY(trip(s, "publish", err));
    return ngff_store_go_live(inner_of(s), err);
}

static ngff_status fault_sync(ngff_store *s, ngff_error *err) {
    NGFF_TRY(trip(s, "sync", err));
    return ngff_store_sync(inner_of(s), err);
}

static void fault_close(ngff_store *s) {
    ngff_free(s->alloc, s->location);
    ngff_free(s->alloc, s);
}

static const ngff_store_vtable fault_ops = {
    .kind = "fault",
    .get = fault_get,
    .size = fault_size,
    .put = fault_put,
    .erase = fault_erase,
    .list = fault_list,
    .begin = fault_begin,
    .append = fault_append,
    .commit = fault_commit,
    .abort = fault_abort,
    .publish = fault_publish,
    .go_live = fault_go_live,
    .sync = fault_sync,
    .close = fault_close,
    .names_place = true,
};

ngff_status ngff_store_open_fault(const ngff_allocator *a, ngff_store *inner,
                                  uint64_t fail_at, uint64_t *calls, ngff_store **out,
                                  ngff_error *err) {
    *out = NULL;
    fault_store *f = ngff_calloc(a, 1, sizeof *f);
    char *location = ngff_strdup(a, inner->location);
    if (!f || !location) {
        ngff_free(a, f);
        ngff_free(a, location);
        return ngff_fail_nomem(err, "a store", sizeof *f);
    }
    f->base = (ngff_store){.ops = &fault_ops,
                           .alloc = a,
                           .location = location,
                           .path = inner->path,
                           .spill_dir = inner->spill_dir,
                           .other_path = inner->other_path,
                           .mode = inner->mode,
                           .overwrite = inner->overwrite,
                           .alone = inner->alone};
    f->inner = inner;
    f->fail_at = fail_at;
    f->calls = calls ? calls : &f->own;
    *f->calls = 0;
    *out = &f->base;
    return NGFF_OK;
}
