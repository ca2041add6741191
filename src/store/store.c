/* store: using a store whatever its kind: validate the key, call the table, prefix the
 * place. Kinds without streaming get it from a buffer and one put. */
#include "store/inside.h"

/* The first read of a value of unknown size takes this much when the buffer has no room.
 */
#define FIRST_READ ((size_t)16384)

static ngff_status at_key(const ngff_store *s, const char *key, ngff_status status,
                          ngff_error *err) {
    if (status == NGFF_OK || s->ops->names_place)
        return status;
    const char *slash = ngff_ends_with(s->location, "/") || *key == '\0' ? "" : "/";
    return ngff_fail_at(err, status, "%s%s%s", s->location, slash, key);
}

static ngff_status not_done(const ngff_store *s, const char *what, ngff_error *err) {
    return ngff_fail(err, NGFF_UNSUPPORTED, "this %s store cannot %s", s->ops->kind,
                     what);
}

ngff_status ngff_store_own_range(ngff_store *s, const char *key, uint64_t off,
                                 size_t size, void *out, size_t *got, ngff_error *err) {
    *got = 0;
    ngff_status status = s->ops->get ? s->ops->get(s, key, off, size, out, got, err)
                                     : not_done(s, "be read", err);
    assert(*got <= size);
    return at_key(s, key, status, err);
}

ngff_status ngff_store_get_range(ngff_store *s, const char *key, uint64_t off,
                                 size_t size, void *out, size_t *got, ngff_error *err) {
    *got = 0;
    NGFF_TRY(ngff_store_key_check(key, err));
    return ngff_store_own_range(s, key, off, size, out, got, err);
}

static ngff_status append_range(ngff_store *s, const char *key, uint64_t off, size_t size,
                                ngff_buf *out, size_t *got, ngff_error *err) {
    NGFF_TRY(ngff_buf_reserve(out, size, err));
    NGFF_TRY(ngff_store_own_range(s, key, off, size, out->data + out->size, got, err));
    out->size += *got;
    out->data[out->size] = '\0';
    return NGFF_OK;
}

ngff_status ngff_store_own_get(ngff_store *s, const char *key, ngff_buf *out,
                               ngff_error *err) {
    size_t room = out->capacity > out->size ? out->capacity - out->size - 1 : 0;
    size_t before = out->size;
    size_t most = out->ceiling - out->size;
    size_t want = room > FIRST_READ ? room : FIRST_READ;
    size_t got = 0;
    uint64_t known;
    /* An archive checks the sum of what is read in one piece; its sizes cost nothing. */
    if (s->ops->crc32) {
        NGFF_TRY(ngff_store_own_size(s, key, &known, err));
        if (known >= want && known < most)
            want = (size_t)known + 1;
    }
    want = want < most ? want : most;
    NGFF_TRY(append_range(s, key, 0, want, out, &got, err));
    while (got == want) {
        uint64_t total;
        size_t done = out->size - before;
        NGFF_TRY(ngff_store_own_size(s, key, &total, err));
        if (total <= done)
            break;
        if (total > most)
            return at_key(s, key,
                          ngff_fail(err, NGFF_LIMIT,
                                    "holds %llu bytes, at most %zu are accepted",
                                    (unsigned long long)total, most),
                          err);
        want = (size_t)total - done;
        NGFF_TRY(append_range(s, key, done, want, out, &got, err));
    }
    return NGFF_OK;
}

ngff_status ngff_store_get(ngff_store *s, const char *key, ngff_buf *out,
                           ngff_error *err) {
    NGFF_TRY(ngff_store_key_check(key, err));
    return ngff_store_own_get(s, key, out, err);
}

ngff_status ngff_store_own_size(ngff_store *s, const char *key, uint64_t *size,
                                ngff_error *err) {
    *size = 0;
    return at_key(s, key,
                  s->ops->size ? s->ops->size(s, key, size, err)
                               : not_done(s, "be read", err),
                  err);
}

ngff_status ngff_store_size(ngff_store *s, const char *key, uint64_t *size,
                            ngff_error *err) {
    *size = 0;
    NGFF_TRY(ngff_store_key_check(key, err));
    return ngff_store_own_size(s, key, size, err);
}

ngff_status ngff_store_own_put(ngff_store *s, const char *key, const void *data,
                               size_t size, ngff_error *err) {
    return at_key(s, key,
                  s->ops->put ? s->ops->put(s, key, data, size, err)
                              : not_done(s, "be written", err),
                  err);
}

ngff_status ngff_store_put(ngff_store *s, const char *key, const void *data, size_t size,
                           ngff_error *err) {
    NGFF_TRY(ngff_store_key_check(key, err));
    return ngff_store_own_put(s, key, data, size, err);
}

ngff_status ngff_store_own_erase(ngff_store *s, const char *key, ngff_error *err) {
    return at_key(s, key,
                  s->ops->erase ? s->ops->erase(s, key, err)
                                : not_done(s, "erase a value", err),
                  err);
}

ngff_status ngff_store_erase(ngff_store *s, const char *key, ngff_error *err) {
    NGFF_TRY(ngff_store_key_check(key, err));
    return ngff_store_own_erase(s, key, err);
}

ngff_status ngff_store_list(ngff_store *s, const char *prefix, ngff_store_list_fn fn,
                            void *user, ngff_error *err) {
    if (*prefix)
        NGFF_TRY(ngff_store_key_check(prefix, err));
    return at_key(s, prefix,
                  s->ops->list ? s->ops->list(s, prefix, fn, user, err)
                               : not_done(s, "be listed", err),
                  err);
}

/* ---- streaming
 * ------------------------------------------------------------------------- */

typedef struct buffered {
    ngff_store_writer base;
    ngff_buf bytes;
    char key[NGFF_STORE_KEY_MAX];
} buffered;

static ngff_status buffered_begin(ngff_store *s, const char *key, ngff_store_writer **out,
                                  ngff_error *err) {
    if (!s->ops->put)
        return not_done(s, "be written", err);
    buffered *b = ngff_calloc(s->alloc, 1, sizeof *b);
    if (!b)
        return ngff_fail_nomem(err, "a store writer", sizeof *b);
    ngff_buf_init(&b->bytes, s->alloc, SIZE_MAX);
    (void)ngff_copy_text(b->key, sizeof b->key, key);
    *out = &b->base;
    return NGFF_OK;
}

static void buffered_abort(ngff_store_writer *w) {
    buffered *b = (buffered *)w;
    ngff_buf_reset(&b->bytes);
    ngff_free(w->store->alloc, b);
}

static ngff_status buffered_commit(ngff_store_writer *w, ngff_error *err) {
    buffered *b = (buffered *)w;
    ngff_store *s = w->store;
    const char *data = b->bytes.data ? b->bytes.data : "";
    ngff_status status = s->ops->put(s, b->key, data, b->bytes.size, err);
    status = at_key(s, b->key, status, err);
    buffered_abort(w);
    return status;
}

ngff_status ngff_store_begin(ngff_store *s, const char *key, ngff_store_writer **out,
                             ngff_error *err) {
    *out = NULL;
    NGFF_TRY(ngff_store_key_check(key, err));
    ngff_status status = s->ops->begin ? s->ops->begin(s, key, out, err)
                                       : buffered_begin(s, key, out, err);
    if (status != NGFF_OK)
        return at_key(s, key, status, err);
    (*out)->store = s;
    (*out)->written = 0;
    return NGFF_OK;
}

ngff_status ngff_store_append(ngff_store_writer *w, const void *data, size_t size,
                              ngff_error *err) {
    const ngff_store_vtable *ops = w->store->ops;
    if (ops->begin)
        NGFF_TRY(ops->append(w, data, size, err));
    else
        NGFF_TRY(ngff_buf_append(&((buffered *)w)->bytes, data, size, err));
    w->written += size;
    return NGFF_OK;
}

ngff_status ngff_store_commit(ngff_store_writer **w, ngff_error *err) {
    ngff_store_writer *writer = *w;
    *w = NULL;
    return writer->store->ops->begin ? writer->store->ops->commit(writer, err)
                                     : buffered_commit(writer, err);
}

void ngff_store_abort(ngff_store_writer **w) {
    ngff_store_writer *writer = *w;
    *w = NULL;
    if (!writer)
        return;
    if (writer->store->ops->begin)
        writer->store->ops->abort(writer);
    else
        buffered_abort(writer);
}

/* ---- life
 * -------------------------------------------------------------------------------- */

ngff_status ngff_store_publish(ngff_store *s, ngff_error *err) {
    return s->ops->publish ? s->ops->publish(s, err) : NGFF_OK;
}

ngff_status ngff_store_check_live(const ngff_store *s, ngff_error *err) {
    if (s->ops->go_live || !s->ops->publish)
        return NGFF_OK;
    return ngff_fail(err, NGFF_UNSUPPORTED,
                     "%s: a store that appears as a whole is not seen while it grows",
                     s->location);
}

ngff_status ngff_store_go_live(ngff_store *s, ngff_error *err) {
    NGFF_TRY(ngff_store_check_live(s, err));
    return s->ops->go_live ? s->ops->go_live(s, err) : NGFF_OK;
}

ngff_status ngff_store_sync(ngff_store *s, ngff_error *err) {
    return s->ops->sync ? s->ops->sync(s, err) : NGFF_OK;
}

void ngff_store_defer(ngff_store *s, bool on) {
    if (s->ops->defer)
        s->ops->defer(s, on);
}

void ngff_store_drop(ngff_store **store) {
    ngff_store *s = *store;
    *store = NULL;
    if (!s)
        return;
    if (s->ops->discard)
        s->ops->discard(s);
    s->ops->close(s);
}

/* ---- order
 * ------------------------------------------------------------------------------- */

bool ngff_store_is_ordered(const ngff_store *s) {
    return s->ops->put_ranked != NULL;
}

ngff_status ngff_store_reserve(ngff_store *s, const char *key, size_t size,
                               ngff_error *err) {
    NGFF_TRY(ngff_store_key_check(key, err));
    return s->ops->reserve ? at_key(s, key, s->ops->reserve(s, key, size, err), err)
                           : NGFF_OK;
}

ngff_status ngff_store_begin_ranked(ngff_store *s, const char *key, uint64_t rank,
                                    ngff_store_writer **out, ngff_error *err) {
    if (!s->ops->begin_ranked)
        return ngff_store_begin(s, key, out, err);
    *out = NULL;
    NGFF_TRY(ngff_store_key_check(key, err));
    ngff_status status = s->ops->begin_ranked(s, key, rank, out, err);
    if (status != NGFF_OK)
        return at_key(s, key, status, err);
    (*out)->store = s;
    (*out)->written = 0;
    return NGFF_OK;
}

ngff_status ngff_store_put_ranked(ngff_store *s, const char *key, uint64_t rank,
                                  const void *data, size_t size, ngff_error *err) {
    if (!s->ops->put_ranked)
        return ngff_store_put(s, key, data, size, err);
    NGFF_TRY(ngff_store_key_check(key, err));
    return at_key(s, key, s->ops->put_ranked(s, key, rank, data, size, err), err);
}

ngff_status ngff_store_skip_rank(ngff_store *s, uint64_t rank, ngff_error *err) {
    return s->ops->skip_rank ? s->ops->skip_rank(s, rank, err) : NGFF_OK;
}

void ngff_store_lend_spill(ngff_store *s, ngff_spill *spill) {
    if (s->ops->lend_spill)
        s->ops->lend_spill(s, spill);
}

void ngff_store_note_version(ngff_store *s, const char *version) {
    if (s->ops->note_version)
        s->ops->note_version(s, version);
}

bool ngff_store_is_changeable(const ngff_store *s) {
    return s->ops->put && !s->ops->put_ranked && !s->ops->archive;
}

bool ngff_store_is_ozx(const ngff_store *s) {
    return strcmp(s->ops->kind, "zip") == 0 && ngff_ends_with(s->location, ".ozx");
}

const ngff_store_archive *ngff_store_archive_of(const ngff_store *s) {
    return s->ops->archive ? s->ops->archive(s) : NULL;
}

ngff_status ngff_store_crc32(ngff_store *s, const char *key, uint32_t *crc,
                             ngff_error *err) {
    *crc = 0;
    NGFF_TRY(ngff_store_key_check(key, err));
    return at_key(s, key,
                  s->ops->crc32 ? s->ops->crc32(s, key, crc, err)
                                : not_done(s, "tell a check sum", err),
                  err);
}

const char *ngff_store_spill_dir(const ngff_store *s) {
    return s->spill_dir;
}
