/* store: the documents of a store: each of them, and all of them into another. */
#include "store/inside.h"

typedef struct walk {
    char prefix[NGFF_STORE_KEY_MAX]; /* of what is listed */
    ngff_buf keys, todo;             /* each with its NUL */
    ngff_error *err;
} walk;

static ngff_status note(void *user, const char *name, bool is_prefix) {
    walk *w = user;
    ngff_buf *to = is_prefix ? &w->todo : &w->keys;
    if (!is_prefix && !ngff_store_key_is_document(name))
        return NGFF_OK;
    NGFF_TRY(
        ngff_buf_printf(to, w->err, "%s%s%s", w->prefix, *w->prefix ? "/" : "", name));
    return ngff_buf_append(to, "", 1, w->err);
}

static ngff_status note_all(walk *w, ngff_store *s) {
    NGFF_TRY(ngff_store_list(s, "", note, w, w->err));
    for (size_t at = 0; at < w->todo.size; at += strlen(w->todo.data + at) + 1) {
        (void)ngff_copy_text(w->prefix, sizeof w->prefix, w->todo.data + at);
        NGFF_TRY(ngff_store_list(s, w->prefix, note, w, w->err));
    }
    return NGFF_OK;
}

/* All keys are known before the first is told: `fn` may change the store. */
ngff_status ngff_store_documents_each(ngff_store *s, ngff_store_key_fn fn, void *user,
                                      ngff_error *err) {
    walk w = {.err = err};
    ngff_buf_init(&w.keys, s->alloc, SIZE_MAX);
    ngff_buf_init(&w.todo, s->alloc, SIZE_MAX);
    ngff_status status = note_all(&w, s);
    for (size_t at = 0; status == NGFF_OK && at < w.keys.size;
         at += strlen(w.keys.data + at) + 1)
        status = fn(user, w.keys.data + at);
    ngff_buf_reset(&w.todo);
    ngff_buf_reset(&w.keys);
    return status;
}

typedef struct transfer {
    ngff_store *from, *to;
    ngff_buf value;
    ngff_error *err;
} transfer;

static ngff_status put(void *user, const char *key) {
    transfer *t = user;
    t->value.size = 0;
    NGFF_TRY(ngff_store_get(t->from, key, &t->value, t->err));
    return ngff_store_put(t->to, key, t->value.data, t->value.size, t->err);
}

static ngff_status erase_stale(void *user, const char *key) {
    transfer *t = user;
    uint64_t size;
    if (ngff_store_size(t->from, key, &size, NULL) != NGFF_NOT_FOUND)
        return NGFF_OK;
    return ngff_store_erase(t->to, key, t->err);
}

ngff_status ngff_store_documents_put(ngff_store *from, ngff_store *to, ngff_error *err) {
    transfer t = {.from = from, .to = to, .err = err};
    ngff_buf_init(&t.value, from->alloc, SIZE_MAX);
    ngff_status status = ngff_store_documents_each(from, put, &t, err);
    ngff_buf_reset(&t.value);
    if (status != NGFF_OK)
        return status;
    status = ngff_store_documents_each(to, erase_stale, &t, err);
    /* In a write-only store what is stale is not seen either. */
    return status == NGFF_UNSUPPORTED ? NGFF_OK : status;
}
