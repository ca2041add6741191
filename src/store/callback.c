/* store: a caller's callbacks as a store. The cookie belongs to the store once it is
 * made; release is called at close. The caller may answer anything: what does not fit the
 * contract becomes an error here. */
#include "store/inside.h"

typedef struct callback_store {
    ngff_store base;
    ngff_store_ops ops;
    void *cookie;
} callback_store;

/* A status from outside: unknown values and silence become something that can be read. */
static ngff_status outside(ngff_status status, const char *what, ngff_error *err) {
    if (status == NGFF_OK)
        return NGFF_OK;
    if (status > 0 || status < NGFF_INTERNAL)
        status = NGFF_IO;
    if (err) {
        err->message[sizeof err->message - 1] = '\0';
        err->status = status;
    }
    return ngff_fail(err, status, "the store's %s callback failed", what);
}

static ngff_status callback_get(ngff_store *s, const char *key, uint64_t off, size_t size,
                                void *out, size_t *got, ngff_error *err) {
    callback_store *c = (callback_store *)s;
    uint64_t had = 0;
    if (!c->ops.get)
        return ngff_fail(err, NGFF_UNSUPPORTED, "this store has no get callback");
    NGFF_TRY(outside(c->ops.get(c->cookie, key, off, size, out, &had, err), "get", err));
    if (had > size)
        return ngff_fail(err, NGFF_IO, "the get callback answered %llu bytes of %zu",
                         (unsigned long long)had, size);
    *got = (size_t)had;
    return NGFF_OK;
}

static ngff_status callback_size(ngff_store *s, const char *key, uint64_t *size,
                                 ngff_error *err) {
    callback_store *c = (callback_store *)s;
    if (!c->ops.size)
        return ngff_fail(err, NGFF_UNSUPPORTED, "this store has no size callback");
    return outside(c->ops.size(c->cookie, key, size, err), "size", err);
}

static ngff_status callback_put(ngff_store *s, const char *key, const void *data,
                                size_t size, ngff_error *err) {
    callback_store *c = (callback_store *)s;
    if (!c->ops.put)
        return ngff_fail(err, NGFF_UNSUPPORTED, "this store has no put callback");
    return outside(c->ops.put(c->cookie, key, data, size, err), "put", err);
}

static ngff_status callback_erase(ngff_store *s, const char *key, ngff_error *err) {
    callback_store *c = (callback_store *)s;
    if (!c->ops.erase)
        return ngff_fail(err, NGFF_UNSUPPORTED, "this store has no erase callback");
    return outside(c->ops.erase(c->cookie, key, err), "erase", err);
}

typedef struct collector {
    ngff_store_children children;
    const char *prefix;
    ngff_error *err;
} collector;

static ngff_status collect(void *user, const char *key) {
    collector *c = user;
    /* Keys that are no keys cannot be asked for either. */
    if (!ngff_store_own_key(key))
        return NGFF_OK;
    return ngff_store_children_add(&c->children, c->prefix, key, c->err);
}

static ngff_status callback_list(ngff_store *s, const char *prefix, ngff_store_list_fn fn,
                                 void *user, ngff_error *err) {
    callback_store *c = (callback_store *)s;
    collector found = {.prefix = prefix, .err = err};
    char ask[NGFF_STORE_KEY_MAX + 1] = "";
    size_t len = strlen(prefix);
    if (!c->ops.list)
        return ngff_fail(err, NGFF_UNSUPPORTED, "this store has no list callback");
    if (len > 0) {
        memcpy(ask, prefix, len);
        ask[len] = '/';
    }
    ngff_store_children_init(&found.children, s->alloc);
    ngff_status status =
        outside(c->ops.list(c->cookie, ask, collect, &found, err), "list", err);
    if (status == NGFF_OK)
        status = ngff_store_children_call(&found.children, fn, user, err);
    ngff_store_children_reset(&found.children);
    return status;
}

static void callback_close(ngff_store *s) {
    callback_store *c = (callback_store *)s;
    if (c->ops.release)
        c->ops.release(c->cookie);
    ngff_free(s->alloc, s->location);
    ngff_free(s->alloc, c);
}

static const ngff_store_vtable callback_ops = {
    .kind = "callback",
    .get = callback_get,
    .size = callback_size,
    .put = callback_put,
    .erase = callback_erase,
    .list = callback_list,
    .close = callback_close,
};

ngff_status ngff_store_of_callbacks(const ngff_allocator *a, const ngff_store_ops *ops,
                                    void *cookie, ngff_store **out, ngff_error *err) {
    *out = NULL;
    if (ops->struct_size < sizeof(size_t))
        return ngff_fail(err, NGFF_INVALID, "store callbacks: struct_size is not set");
    callback_store *c = ngff_calloc(a, 1, sizeof *c);
    char *location = ngff_strdup(a, "callback:");
    if (!c || !location) {
        ngff_free(a, c);
        ngff_free(a, location);
        return ngff_fail_nomem(err, "a callback store", sizeof *c);
    }
    c->base = (ngff_store){.ops = &callback_ops,
                           .alloc = a,
                           .location = location,
                           .mode = NGFF_STORE_UPDATE,
                           .alone = true};
    /* An older caller's table is shorter: what it does not have stays NULL. */
    memcpy(&c->ops, ops,
           ops->struct_size < sizeof c->ops ? ops->struct_size : sizeof c->ops);
    c->cookie = cookie;
    *out = &c->base;
    return NGFF_OK;
}
