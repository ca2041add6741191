/* store: everything under a prefix of another store, which is borrowed and stays the one
 * to publish; or owned, and then closed with this one. */
#include "store/inside.h"

#include <stdio.h>

typedef struct prefix_store {
    ngff_store base;
    ngff_store *inner;
    ngff_store *owned; /* the same, or NULL */
    char prefix[NGFF_STORE_KEY_MAX];
} prefix_store;

typedef struct prefix_writer {
    ngff_store_writer base;
    ngff_store_writer *inner;
} prefix_writer;

typedef struct full_key {
    char text[NGFF_STORE_KEY_MAX];
} full_key;

static ngff_status join(const prefix_store *p, const char *key, full_key *out,
                        ngff_error *err) {
    const char *slash = p->prefix[0] && key[0] ? "/" : "";
    int n = snprintf(out->text, sizeof out->text, "%s%s%s", p->prefix, slash, key);
    if (n < 0 || n >= (int)sizeof out->text)
        return ngff_fail(err, NGFF_INVALID, "%s/%s: the key is too long", p->prefix, key);
    return NGFF_OK;
}

static ngff_status prefix_get(ngff_store *s, const char *key, uint64_t off, size_t size,
                              void *out, size_t *got, ngff_error *err) {
    prefix_store *p = (prefix_store *)s;
    full_key full;
    NGFF_TRY(join(p, key, &full, err));
    return ngff_store_own_range(p->inner, full.text, off, size, out, got, err);
}

static ngff_status prefix_size(ngff_store *s, const char *key, uint64_t *size,
                               ngff_error *err) {
    prefix_store *p = (prefix_store *)s;
    full_key full;
    NGFF_TRY(join(p, key, &full, err));
    return ngff_store_own_size(p->inner, full.text, size, err);
}

static ngff_status prefix_put(ngff_store *s, const char *key, const void *data,
                              size_t size, ngff_error *err) {
    prefix_store *p = (prefix_store *)s;
    full_key full;
    NGFF_TRY(join(p, key, &full, err));
    return ngff_store_own_put(p->inner, full.text, data, size, err);
}

static ngff_status prefix_erase(ngff_store *s, const char *key, ngff_error *err) {
    prefix_store *p = (prefix_store *)s;
    full_key full;
    NGFF_TRY(join(p, key, &full, err));
    return ngff_store_own_erase(p->inner, full.text, err);
}

static ngff_status prefix_list(ngff_store *s, const char *prefix, ngff_store_list_fn fn,
                               void *user, ngff_error *err) {
    prefix_store *p = (prefix_store *)s;
    full_key full;
    NGFF_TRY(join(p, prefix, &full, err));
    return ngff_store_list(p->inner, full.text, fn, user, err);
}

static ngff_status prefix_begin(ngff_store *s, const char *key, ngff_store_writer **out,
                                ngff_error *err) {
    prefix_store *p = (prefix_store *)s;
    full_key full;
    NGFF_TRY(join(p, key, &full, err));
    prefix_writer *w = ngff_calloc(s->alloc, 1, sizeof *w);
    if (!w)
        return ngff_fail_nomem(err, "a store writer", sizeof *w);
    ngff_status status = ngff_store_begin(p->inner, full.text, &w->inner, err);
    if (status != NGFF_OK) {
        ngff_free(s->alloc, w);
        return status;
    }
    *out = &w->base;
    return NGFF_OK;
}

static ngff_status prefix_append(ngff_store_writer *writer, const void *data, size_t size,
                                 ngff_error *err) {
    return ngff_store_append(((prefix_writer *)writer)->inner, data, size, err);
}

static ngff_status prefix_commit(ngff_store_writer *writer, ngff_error *err) {
    prefix_writer *w = (prefix_writer *)writer;
    ngff_status status = ngff_store_commit(&w->inner, err);
    ngff_free(writer->store->alloc, w);
    return status;
}

static void prefix_abort(ngff_store_writer *writer) {
    prefix_writer *w = (prefix_writer *)writer;
    ngff_store_abort(&w->inner);
    ngff_free(writer->store->alloc, w);
}

static void prefix_close(ngff_store *s) {
    if (((prefix_store *)s)->owned)
        ngff_store_drop(&((prefix_store *)s)->owned);
    ngff_free(s->alloc, s->location);
    ngff_free(s->alloc, s);
}

static const ngff_store_vtable prefix_ops = {
    .kind = "prefix",
    .get = prefix_get,
    .size = prefix_size,
    .put = prefix_put,
    .erase = prefix_erase,
    .list = prefix_list,
    .begin = prefix_begin,
    .append = prefix_append,
    .commit = prefix_commit,
    .abort = prefix_abort,
    .close = prefix_close,
    .names_place = true, /* the inner store does */
};

static ngff_status set_location(prefix_store *p, ngff_error *err) {
    size_t size = strlen(p->inner->location) + strlen(p->prefix) + 2;
    char *location = ngff_alloc(p->base.alloc, size);
    if (!location)
        return ngff_fail_nomem(err, "a store's name", size);
    const char *slash = ngff_ends_with(p->inner->location, "/") ? "" : "/";
    snprintf(location, size, "%s%s%s", p->inner->location, slash, p->prefix);
    p->base.location = location;
    return NGFF_OK;
}

ngff_status ngff_store_open_prefix(const ngff_allocator *a, ngff_store *inner,
                                   const char *prefix, ngff_store **out,
                                   ngff_error *err) {
    *out = NULL;
    if (*prefix)
        NGFF_TRY(ngff_store_key_check(prefix, err));
    prefix_store *p = ngff_calloc(a, 1, sizeof *p);
    if (!p)
        return ngff_fail_nomem(err, "a store", sizeof *p);
    p->base = (ngff_store){.ops = &prefix_ops,
                           .alloc = a,
                           .path = inner->path,
                           .spill_dir = inner->spill_dir,
                           .other_path = inner->other_path,
                           .mode = inner->mode,
                           .overwrite = inner->overwrite,
                           .alone = inner->alone};
    p->inner = inner;
    (void)ngff_copy_text(p->prefix, sizeof p->prefix, prefix);
    ngff_status status = set_location(p, err);
    if (status != NGFF_OK) {
        prefix_close(&p->base);
        return status;
    }
    *out = &p->base;
    return NGFF_OK;
}

ngff_status ngff_store_open_inside(const ngff_allocator *a, ngff_store **inner,
                                   const char *prefix, ngff_store **out,
                                   ngff_error *err) {
    ngff_status status = ngff_store_open_prefix(a, *inner, prefix, out, err);
    if (status != NGFF_OK) {
        ngff_store_drop(inner);
        return status;
    }
    ((prefix_store *)*out)->owned = *inner;
    *inner = NULL;
    return NGFF_OK;
}
