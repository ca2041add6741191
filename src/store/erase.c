/* store: everything under a prefix, key by key; directories in one go. */
#include "store/inside.h"

#include <stdio.h>

typedef struct eraser {
    ngff_store *store;
    char prefix[NGFF_STORE_KEY_MAX]; /* that is listed */
    ngff_buf todo;                   /* prefixes, each with its NUL */
    ngff_error *err;
} eraser;

static ngff_status erase_entry(void *user, const char *name, bool is_prefix) {
    eraser *e = user;
    char key[NGFF_STORE_KEY_MAX];
    int n = snprintf(key, sizeof key, "%s/%s", e->prefix, name);
    if (n < 0 || n >= (int)sizeof key)
        return ngff_fail(e->err, NGFF_LIMIT, "%s/%s: the key is too long", e->prefix,
                         name);
    return is_prefix ? ngff_buf_append(&e->todo, key, strlen(key) + 1, e->err)
                     : ngff_store_erase(e->store, key, e->err);
}

static ngff_status erase_all(eraser *e) {
    for (size_t at = 0; at < e->todo.size; at += strlen(e->todo.data + at) + 1) {
        (void)ngff_copy_text(e->prefix, sizeof e->prefix, e->todo.data + at);
        NGFF_TRY(ngff_store_list(e->store, e->prefix, erase_entry, e, e->err));
    }
    return NGFF_OK;
}

ngff_status ngff_store_erase_prefix(ngff_store *s, const char *prefix, ngff_error *err) {
    eraser e = {.store = s, .err = err};
    NGFF_TRY(ngff_store_key_check(prefix, err));
    if (s->ops->erase_prefix)
        return s->ops->erase_prefix(s, prefix, err);
    ngff_buf_init(&e.todo, s->alloc, SIZE_MAX);
    ngff_status status = ngff_buf_append(&e.todo, prefix, strlen(prefix) + 1, err);
    if (status == NGFF_OK)
        status = erase_all(&e);
    ngff_buf_reset(&e.todo);
    return status;
}
