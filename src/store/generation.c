/* store: the generations in the chunk half of a pair: begun, judged, removed. */
#include "store/inside.h"

#include <stdio.h>

static ngff_status key_in(const ngff_store_generation *g, const char *name, char *out,
                          ngff_error *err) {
    int n = snprintf(out, NGFF_STORE_KEY_MAX, "%s/%s", g->name, name);
    if (n < 0 || n >= NGFF_STORE_KEY_MAX)
        return ngff_fail(err, NGFF_INVALID, "%s: the key is too long", name);
    return NGFF_OK;
}

ngff_status ngff_store_generation_check(ngff_store *chunks,
                                        const ngff_store_generation *g, ngff_error *err) {
    char key[NGFF_STORE_KEY_MAX];
    uint64_t size;
    NGFF_TRY(key_in(g, NGFF_STORE_GENERATION_KEY, key, err));
    return ngff_store_own_size(chunks, key, &size, err);
}

/* ---- removing ---- */

ngff_status ngff_store_generation_remove(ngff_store *chunks,
                                         const ngff_store_generation *g,
                                         ngff_error *err) {
    char key[NGFF_STORE_KEY_MAX];
    NGFF_TRY(key_in(g, NGFF_STORE_GENERATION_KEY, key, err));
    ngff_status status = ngff_store_own_erase(chunks, key, err);
    if (status != NGFF_OK && status != NGFF_NOT_FOUND)
        return status;
    return ngff_store_erase_prefix(chunks, g->name, err);
}

/* ---- what is there ---- */

typedef struct census {
    ngff_store *chunks;
    const ngff_store_generation *keep;
    ngff_buf others; /* names of generations, each with its NUL */
    bool kept_found;
    ngff_error *err;
} census;

static ngff_status count(void *user, const char *name, bool is_prefix) {
    census *c = user;
    if (!is_prefix || !ngff_store_is_generation(name))
        return ngff_fail(c->err, NGFF_EXISTS,
                         "%s/%s: not part of a chunk store, so nothing is written there",
                         c->chunks->location, name);
    if (strcmp(name, c->keep->name) != 0)
        return ngff_buf_append(&c->others, name, strlen(name) + 1, c->err);
    c->kept_found = true;
    return NGFF_OK;
}

static ngff_status remove_others(census *c, ngff_error *err) {
    ngff_store_generation g;
    for (size_t at = 0; at < c->others.size; at += strlen(c->others.data + at) + 1) {
        (void)ngff_copy_text(g.name, sizeof g.name, c->others.data + at);
        NGFF_TRY(ngff_store_generation_remove(c->chunks, &g, err));
    }
    return NGFF_OK;
}

static ngff_status ask_used(ngff_store *chunks, bool *used, ngff_error *err) {
    uint64_t size;
    ngff_error why = {0};
    ngff_status status = ngff_store_own_size(chunks, NGFF_STORE_USED_KEY, &size, &why);
    *used = status == NGFF_OK;
    return status == NGFF_OK || status == NGFF_NOT_FOUND
               ? NGFF_OK
               : ngff_fail(err, status, "%s", why.message);
}

/* Chunks that were published belong to somebody's metadata: to that which is replaced, or
 * to another's. Those that never were are left by a writer that died. */
static ngff_status judge(census *c, const char *metadata) {
    ngff_store *s = c->chunks;
    bool used;
    if (c->kept_found && s->mode == NGFF_STORE_CHUNKS && !s->overwrite)
        return ngff_fail(c->err, NGFF_EXISTS,
                         "%s: holds chunks already, overwriting was not asked for",
                         s->location);
    if (!c->others.size)
        return NGFF_OK;
    NGFF_TRY(ask_used(s, &used, c->err));
    if (c->kept_found || !used)
        return s->alone ? remove_others(c, c->err) : NGFF_OK;
    if (s->overwrite == NGFF_OVERWRITE_ALL) /* they go when the new ones are there */
        return NGFF_OK;
    return ngff_fail(c->err, NGFF_EXISTS,
                     "%s: holds the chunks of another store (%s), which %s does not name",
                     s->location, c->others.data, metadata);
}

static ngff_status look(ngff_store *chunks, const ngff_store_generation *old,
                        const char *metadata, ngff_error *err) {
    census c = {.chunks = chunks, .keep = old, .err = err};
    ngff_buf_init(&c.others, chunks->alloc, SIZE_MAX);
    ngff_status status = ngff_store_list(chunks, "", count, &c, err);
    if (status == NGFF_OK)
        status = judge(&c, metadata);
    else if (status == NGFF_UNSUPPORTED) /* a write-only store: nothing can be known */
        status = NGFF_OK;
    ngff_buf_reset(&c.others);
    return status;
}

/* ---- life ---- */

ngff_status ngff_store_generation_begin(ngff_store *chunks,
                                        const ngff_store_generation *old,
                                        const char *metadata, ngff_store_generation *out,
                                        ngff_error *err) {
    char key[NGFF_STORE_KEY_MAX];
    uint64_t random;
    out->name[0] = '\0';
    if (chunks->mode != NGFF_STORE_STAGE) /* an archive is new, and empty */
        NGFF_TRY(look(chunks, old, metadata, err));
    ngff_store_generation g;
    ngff_sys_random(&random, sizeof random);
    snprintf(g.name, sizeof g.name, "gen-%016llx", (unsigned long long)random);
    NGFF_TRY(key_in(&g, NGFF_STORE_GENERATION_KEY, key, err));
    ngff_status status = ngff_store_own_put(chunks, key, metadata, strlen(metadata), err);
    if (status == NGFF_OK) {
        *out = g;
        return NGFF_OK;
    }
    ngff_status undone = ngff_store_erase_prefix(chunks, g.name, NULL);
    (void)undone;
    return status;
}

void ngff_store_generation_settle(ngff_store *chunks, const ngff_store_generation *g,
                                  const ngff_store_generation *old) {
    census c = {.chunks = chunks, .keep = g};
    ngff_buf_init(&c.others, chunks->alloc, SIZE_MAX);
    ngff_status status = ngff_store_own_put(chunks, NGFF_STORE_USED_KEY, "", 0, NULL);
    if (chunks->alone) {
        status = ngff_store_list(chunks, "", count, &c, NULL);
        if (status == NGFF_OK)
            status = remove_others(&c, NULL);
    } else if (old->name[0]) {
        status = ngff_store_generation_remove(chunks, old, NULL);
    }
    (void)status; /* the new content is there; the next run tries again */
    ngff_buf_reset(&c.others);
}
