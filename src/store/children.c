/* store: the direct children of a prefix, out of flat keys; for kinds without
 * directories. */
#include "store/inside.h"

#include <stdlib.h>

void ngff_store_children_init(ngff_store_children *c, const ngff_allocator *a) {
    c->alloc = a;
    c->count = 0;
    ngff_buf_init(&c->names, a, SIZE_MAX);
}

void ngff_store_children_reset(ngff_store_children *c) {
    ngff_buf_reset(&c->names);
    c->count = 0;
}

/* What follows "prefix/" in key, or NULL. */
static const char *below(const char *prefix, const char *key) {
    size_t len = strlen(prefix);
    if (len == 0)
        return key;
    if (strncmp(key, prefix, len) != 0 || key[len] != '/')
        return NULL;
    return key + len + 1;
}

ngff_status ngff_store_children_add(ngff_store_children *c, const char *prefix,
                                    const char *key, ngff_error *err) {
    const char *rest = below(prefix, key);
    if (!rest || *rest == '\0' || ngff_starts_with(rest, NGFF_STORE_OWN))
        return NGFF_OK;
    size_t len = strcspn(rest, "/");
    char kind = rest[len] == '/' ? 'p' : 'f';
    NGFF_TRY(ngff_buf_reserve(&c->names, len + 2, err));
    NGFF_TRY(ngff_buf_append(&c->names, &kind, 1, err));
    NGFF_TRY(ngff_buf_append(&c->names, rest, len, err));
    NGFF_TRY(ngff_buf_append(&c->names, "", 1, err));
    c->count++;
    return NGFF_OK;
}

static int by_name(const void *a, const void *b) {
    const char *const *x = a;
    const char *const *y = b;
    int order = strcmp(*x + 1, *y + 1);
    return order ? order : (*x)[0] - (*y)[0];
}

static ngff_status call_sorted(const char **order, size_t count, ngff_store_list_fn fn,
                               void *user) {
    qsort(order, count, sizeof *order, by_name);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(order[i], order[i - 1]) == 0)
            continue;
        NGFF_TRY(fn(user, order[i] + 1, order[i][0] == 'p'));
    }
    return NGFF_OK;
}

ngff_status ngff_store_children_call(const ngff_store_children *c, ngff_store_list_fn fn,
                                     void *user, ngff_error *err) {
    if (c->count == 0)
        return NGFF_OK;
    const char **order = ngff_calloc(c->alloc, c->count, sizeof *order);
    if (!order)
        return ngff_fail_nomem(err, "a listing", c->count * sizeof *order);
    const char *at = c->names.data;
    for (size_t i = 0; i < c->count; i++, at += strlen(at) + 1)
        order[i] = at;
    ngff_status status = call_sorted(order, c->count, fn, user);
    ngff_free(c->alloc, order);
    return status;
}
