/* store: what the two halves of a pair know of each other. The metadata half holds one
 * value of our own that names a generation; the chunk half holds each generation under
 * its name, with a first value that is put before all others and erased before all
 * others. Text, one line a fact:
 *
 *   ngff chunks 1
 *   gen-0123456789abcdef
 *   /where/the/chunk/half/was
 *   17 a/zarr.json         only while documents are being put one by one: each of them,
 *   {…17 bytes…}           its size and key, its bytes
 *   end
 */
#include "store/inside.h"

#include <stdio.h>
#include <stdlib.h>

#define MAGIC "ngff chunks 1"
#define GENERATION_PREFIX "gen-"
/* With documents of an image of very many levels. */
#define PAIR_CEILING ((size_t)256 << 20)

bool ngff_store_is_generation(const char *name) {
    if (!ngff_starts_with(name, GENERATION_PREFIX))
        return false;
    name += sizeof GENERATION_PREFIX - 1;
    return strspn(name, "0123456789abcdef") == 16 && name[16] == '\0';
}

/* ---- reading the name ---- */

typedef struct cursor {
    const char *at, *end;
} cursor;

/* The next line without its end, or NULL. */
static const char *take_line(cursor *c, size_t *len) {
    const char *line = c->at;
    const char *newline =
        c->at < c->end ? memchr(c->at, '\n', (size_t)(c->end - c->at)) : NULL;
    if (!newline)
        return NULL;
    *len = (size_t)(newline - line);
    c->at = newline + 1;
    return line;
}

static bool is_line(const char *line, size_t len, const char *text) {
    return line && len == strlen(text) && memcmp(line, text, len) == 0;
}

static bool take_document(cursor *c, const char *line, size_t len, char *key,
                          size_t *size) {
    char head[NGFF_STORE_KEY_MAX + 24];
    char *space;
    if (!line || len >= sizeof head)
        return false;
    memcpy(head, line, len);
    head[len] = '\0';
    unsigned long long n = strtoull(head, &space, 10);
    if (head[0] < '0' || head[0] > '9' || *space != ' ' ||
        n >= (unsigned long long)(c->end - c->at) || c->at[n] != '\n')
        return false;
    *size = (size_t)n;
    return ngff_copy_text(key, NGFF_STORE_KEY_MAX, space + 1) &&
           ngff_store_key_check(key, NULL) == NGFF_OK && ngff_store_key_is_document(key);
}

static ngff_status broken(const ngff_store *metadata, ngff_error *err) {
    return ngff_fail(err, NGFF_FORMAT,
                     "%s/" NGFF_STORE_PAIR_KEY ": does not name a generation of chunks",
                     metadata->location);
}

static ngff_status take_documents(cursor *c, ngff_store *metadata, ngff_store *documents,
                                  ngff_error *err) {
    for (;;) {
        char key[NGFF_STORE_KEY_MAX];
        size_t len = 0, size = 0;
        const char *line = take_line(c, &len);
        if (is_line(line, len, "end"))
            return NGFF_OK;
        if (!take_document(c, line, len, key, &size))
            return broken(metadata, err);
        if (documents)
            NGFF_TRY(ngff_store_put(documents, key, c->at, size, err));
        c->at += size + 1;
    }
}

static ngff_status parse(const ngff_buf *text, ngff_store *metadata,
                         ngff_store_generation *out, ngff_store *documents,
                         bool *unfinished, ngff_error *err) {
    cursor c = {text->data, text->data + text->size};
    size_t len = 0;
    const char *line = take_line(&c, &len);
    if (!is_line(line, len, MAGIC))
        return broken(metadata, err);
    line = take_line(&c, &len);
    if (!line || len >= sizeof out->name)
        return broken(metadata, err);
    memcpy(out->name, line, len);
    out->name[len] = '\0';
    if (!ngff_store_is_generation(out->name) || !take_line(&c, &len))
        return broken(metadata, err);
    *unfinished = c.at < c.end;
    return *unfinished ? take_documents(&c, metadata, documents, err) : NGFF_OK;
}

ngff_status ngff_store_pair_read(ngff_store *metadata, ngff_store_generation *out,
                                 ngff_store *documents, bool *unfinished,
                                 ngff_error *err) {
    ngff_buf text;
    *out = (ngff_store_generation){{0}};
    *unfinished = false;
    if (!metadata->ops->get)
        return ngff_fail(err, NGFF_NOT_FOUND, "%s: cannot be read", metadata->location);
    ngff_buf_init(&text, metadata->alloc, PAIR_CEILING);
    ngff_status status = ngff_store_own_get(metadata, NGFF_STORE_PAIR_KEY, &text, err);
    if (status == NGFF_OK && text.size > 0)
        status = parse(&text, metadata, out, documents, unfinished, err);
    else if (status == NGFF_OK)
        status = broken(metadata, err);
    ngff_buf_reset(&text);
    if (status != NGFF_OK)
        out->name[0] = '\0';
    return status;
}

/* ---- naming ---- */

typedef struct journal {
    ngff_store *documents;
    ngff_buf text;
    ngff_error *err;
} journal;

static ngff_status add_document(void *user, const char *key) {
    journal *j = user;
    uint64_t size;
    NGFF_TRY(ngff_store_size(j->documents, key, &size, j->err));
    NGFF_TRY(
        ngff_buf_printf(&j->text, j->err, "%llu %s\n", (unsigned long long)size, key));
    NGFF_TRY(ngff_store_get(j->documents, key, &j->text, j->err));
    return ngff_buf_append(&j->text, "\n", 1, j->err);
}

/* One line, whatever the name of the place. */
static ngff_status add_place(ngff_buf *text, const ngff_store *chunks, ngff_error *err) {
    size_t from = text->size;
    NGFF_TRY(ngff_buf_printf(text, err, "%s\n",
                             chunks->path ? chunks->path : chunks->location));
    for (; from + 1 < text->size; from++) {
        if ((unsigned char)text->data[from] < 0x20)
            text->data[from] = '?';
    }
    return NGFF_OK;
}

ngff_status ngff_store_pair_name(ngff_store *metadata, ngff_store *chunks,
                                 const ngff_store_generation *g, ngff_store *documents,
                                 ngff_error *err) {
    journal j = {.documents = documents, .err = err};
    ngff_buf_init(&j.text, metadata->alloc, PAIR_CEILING);
    ngff_status status = ngff_buf_printf(&j.text, err, MAGIC "\n%s\n", g->name);
    if (status == NGFF_OK)
        status = add_place(&j.text, chunks, err);
    if (status == NGFF_OK && documents)
        status = ngff_store_documents_each(documents, add_document, &j, err);
    if (status == NGFF_OK && documents)
        status = ngff_buf_append(&j.text, "end\n", 4, err);
    if (status == NGFF_OK)
        status = ngff_store_own_put(metadata, NGFF_STORE_PAIR_KEY, j.text.data,
                                    j.text.size, err);
    ngff_buf_reset(&j.text);
    return status;
}

/* ---- a store that is only half of one ---- */

/* "<dir>/.ngff-chunks" of the directory or, where nodes are opened by their own path, of
 * the hierarchy above. */
static bool named_above(const char *path) {
    char dir[NGFF_STORE_PATH_MAX], name[NGFF_STORE_PATH_MAX + 16];
    ngff_path_kind kind;
    if (!ngff_copy_text(dir, sizeof dir, path))
        return false;
    while (ngff_store_node_above(dir, name)) {
        (void)ngff_copy_text(dir, sizeof dir, name);
        snprintf(name, sizeof name, "%s/" NGFF_STORE_PAIR_KEY, dir);
        if (ngff_path_kind_of(name, &kind, NULL) == NGFF_OK && kind == NGFF_PATH_FILE)
            return true;
    }
    return false;
}

ngff_status ngff_store_check_whole(ngff_store *s, ngff_error *err) {
    uint64_t size;
    ngff_error why = {0};
    if (s->other_path || strcmp(s->ops->kind, "split") == 0 || !s->ops->size)
        return NGFF_OK;
    ngff_status status = ngff_store_own_size(s, NGFF_STORE_PAIR_KEY, &size, &why);
    if (status != NGFF_OK && status != NGFF_NOT_FOUND && status != NGFF_UNSUPPORTED)
        return ngff_fail(err, status, "%s", why.message);
    if (status != NGFF_OK && !(s->path && named_above(s->path)))
        return NGFF_OK;
    return ngff_fail(err, NGFF_NOT_FOUND,
                     "%s: holds metadata only; its chunks are in another store, which "
                     "must be named too",
                     s->location);
}
