/* store: is everything under this directory Zarr's? By names only: documents are known
 * names, chunks are digits (with '.', or under a leading 'c') in a directory that holds
 * an array document or below such a one. A directory with documents is a node; one
 * without, that is not a chunk directory, may only lead to nodes. Directories that are
 * symbolic links are foreign: nothing here makes them. The walk keeps its own list of
 * directories instead of the call stack; it opens every directory and looks at no file.
 */
#include "store/inside.h"

#include <stdio.h>

typedef struct walk {
    ngff_buf todo; /* a stack of paths, each after its NUL, with a leading kind */
    ngff_error *err;
    const char *dir;
    char kind;      /* of dir: one of the letters below */
    bool has_array; /* an array document, or one that may be */
    bool has_document;
} walk;

enum {
    ROOT = 'r',
    NODE = 'n',   /* a node, or leads to some */
    MAYBE = 'm',  /* has a chunk's name below what may be an array: a node if it has
                     documents */
    CHUNKS = 'c', /* surely below an array */
    HALF = 'h',   /* the chunk half of a pair: generations */
    LOOSE = 'l'   /* below one: no documents say where chunks may be */
};

static bool is_array_document(const char *name) {
    return strcmp(name, "zarr.json") == 0 || strcmp(name, ".zarray") == 0;
}

/* "0", "0.3.1", "c", "c.0.1" */
static bool is_chunk_name(const char *name) {
    if (name[0] == 'c') {
        if (name[1] == '\0')
            return true;
        if (name[1] != '.')
            return false;
        name += 2;
    }
    for (;;) {
        size_t digits = strspn(name, "0123456789");
        if (digits == 0)
            return false;
        name += digits;
        if (*name == '\0')
            return true;
        if (*name++ != '.')
            return false;
    }
}

bool ngff_store_foreign_name(const char *name) {
    return !ngff_starts_with(name, NGFF_STORE_OWN) && !ngff_store_key_is_document(name) &&
           !is_chunk_name(name);
}

static ngff_status foreign(const walk *w, const char *name) {
    return ngff_fail(w->err, NGFF_EXISTS,
                     "%s/%s: not part of a Zarr store, so the directory is not replaced",
                     w->dir, name);
}

static ngff_status look_for_documents(void *user, const char *name, ngff_path_kind kind) {
    walk *w = user;
    if (kind != NGFF_PATH_FILE)
        return NGFF_OK;
    w->has_document = w->has_document || ngff_store_key_is_document(name);
    w->has_array = w->has_array || is_array_document(name);
    return NGFF_OK;
}

static ngff_status push(walk *w, char kind, const char *name) {
    NGFF_TRY(ngff_buf_append(&w->todo, "", 1, w->err));
    return ngff_buf_printf(&w->todo, w->err, "%c%s%s%s", kind, w->dir, *name ? "/" : "",
                           name);
}

static ngff_status judge_file(walk *w, const char *name) {
    bool half = w->kind == HALF || w->kind == LOOSE;
    bool chunk =
        is_chunk_name(name) && (w->kind == CHUNKS || w->kind == LOOSE || w->has_array);
    bool document = ngff_store_key_is_document(name) && w->kind != CHUNKS && !half;
    if (chunk || document || ngff_starts_with(name, NGFF_STORE_OWN))
        return NGFF_OK;
    return foreign(w, name);
}

static ngff_status judge_dir(walk *w, const char *name) {
    char path[NGFF_STORE_PATH_MAX];
    bool chunk = is_chunk_name(name);
    int n = snprintf(path, sizeof path, "%s/%s", w->dir, name);
    if (n < 0 || n >= (int)sizeof path || ngff_path_is_link(path))
        return foreign(w, name);
    if (w->kind == HALF)
        return ngff_store_is_generation(name) ? push(w, LOOSE, name) : foreign(w, name);
    if (w->kind == LOOSE)
        return push(w, LOOSE, name);
    if (w->kind == CHUNKS)
        return chunk ? push(w, CHUNKS, name) : foreign(w, name);
    return push(w, chunk && w->has_array ? MAYBE : NODE, name);
}

static ngff_status judge_entry(void *user, const char *name, ngff_path_kind kind) {
    walk *w = user;
    if (kind == NGFF_PATH_FILE)
        return judge_file(w, name);
    if (kind == NGFF_PATH_DIR)
        return judge_dir(w, name);
    return foreign(w, name);
}

static ngff_status first_entry(void *user, const char *name, ngff_path_kind kind) {
    (void)kind;
    return foreign(user, name);
}

/* Listed twice: what an entry may be depends on the documents beside it. */
static ngff_status visit(walk *w, const ngff_allocator *a) {
    w->has_array = false;
    w->has_document = false;
    if (w->kind != CHUNKS && w->kind != HALF && w->kind != LOOSE)
        NGFF_TRY(ngff_dir_list(a, w->dir, look_for_documents, w, w->err));
    if (w->kind == MAYBE)
        w->kind = w->has_document ? NODE : CHUNKS;
    if (w->kind == ROOT && !w->has_document)
        return ngff_dir_list(a, w->dir, first_entry, w, w->err);
    return ngff_dir_list(a, w->dir, judge_entry, w, w->err);
}

/* The last path of the stack, cut off. */
static void pop(walk *w, char dir[NGFF_STORE_PATH_MAX]) {
    size_t at = w->todo.size;
    while (w->todo.data[at - 1] != '\0')
        at--;
    w->kind = w->todo.data[at];
    (void)ngff_copy_text(dir, NGFF_STORE_PATH_MAX, w->todo.data + at + 1);
    w->todo.size = at - 1;
    w->todo.data[w->todo.size] = '\0';
    w->dir = dir;
}

static ngff_status check(const ngff_allocator *a, const char *dir, char kind,
                         ngff_error *err) {
    char current[NGFF_STORE_PATH_MAX];
    walk w = {.err = err, .dir = dir};
    ngff_buf_init(&w.todo, a, SIZE_MAX);
    ngff_status status = push(&w, kind, "");
    while (status == NGFF_OK && w.todo.size > 0) {
        pop(&w, current);
        status = visit(&w, a);
    }
    ngff_buf_reset(&w.todo);
    return status;
}

ngff_status ngff_store_foreign_check(const ngff_allocator *a, const char *dir,
                                     ngff_error *err) {
    return check(a, dir, ROOT, err);
}

ngff_status ngff_store_foreign_chunks(const ngff_allocator *a, const char *dir,
                                      ngff_error *err) {
    return check(a, dir, HALF, err);
}
