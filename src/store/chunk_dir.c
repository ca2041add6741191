/* store: the chunk half of a pair in a directory. Nothing of it is staged: a generation
 * that no metadata names is as good as hidden, so its values go straight to their names.
 * One writer at a time holds the lock file in it; the file goes when the writer does. */
#include "store/inside.h"

#include <stdio.h>

static void lock_path_of(const ngff_store_chunk_dir *c, char *out, size_t out_size) {
    snprintf(out, out_size, "%s/" NGFF_STORE_LOCK_NAME, c->path);
}

static ngff_status take_lock(ngff_store_chunk_dir *c, ngff_error *err) {
    char path[NGFF_STORE_PATH_MAX + 16];
    ngff_error why = {0};
    lock_path_of(c, path, sizeof path);
    ngff_status status = ngff_lock_try(&c->lock, path, true, &why);
    if (status == NGFF_EXISTS)
        return ngff_fail(err, status, "%s: another writer is at work in it", c->path);
    if (status == NGFF_UNSUPPORTED) { /* then nothing unfinished is removed (pair.c) */
        status = ngff_path_remove(path, NULL);
        return NGFF_OK;
    }
    return status == NGFF_OK ? NGFF_OK : ngff_fail(err, status, "%s", why.message);
}

static ngff_status make(ngff_store_chunk_dir *c, ngff_error *err) {
    ngff_path_kind kind;
    NGFF_TRY(ngff_path_kind_of(c->path, &kind, err));
    if (kind == NGFF_PATH_DIR)
        return NGFF_OK;
    if (kind != NGFF_PATH_NONE)
        return ngff_fail(err, NGFF_EXISTS, "%s: is not a directory and is not replaced",
                         c->path);
    char above[NGFF_STORE_PATH_MAX];
    if (!ngff_copy_text(above, sizeof above, c->path))
        return ngff_fail(err, NGFF_INVALID, "%s: the path is too long", c->path);
    for (char *slash; kind == NGFF_PATH_NONE && (slash = strrchr(above, '/'));) {
        c->there = slash == above ? 1 : (size_t)(slash - above);
        *slash = '\0';
        if (above[0])
            NGFF_TRY(ngff_path_kind_of(above, &kind, err));
    }
    return ngff_dir_make_all(c->path, err);
}

ngff_status ngff_store_chunk_dir_open(ngff_store_chunk_dir *c, const ngff_allocator *a,
                                      const char *path, ngff_error *err) {
    *c = (ngff_store_chunk_dir){.path = path, .lock = {-1}};
    NGFF_TRY(make(c, err));
    /* Before the lock file is made: nothing is touched in a place that is not ours. */
    ngff_status status = ngff_store_foreign_chunks(a, path, err);
    if (status == NGFF_OK)
        status = take_lock(c, err);
    if (status != NGFF_OK) {
        ngff_store_chunk_dir_discard(c);
        ngff_store_chunk_dir_close(c);
    }
    return status;
}

ngff_status ngff_store_chunk_dir_key(const ngff_store_chunk_dir *c, const char *key,
                                     ngff_error *err) {
    char first[NGFF_STORE_GENERATION_MAX];
    size_t len = strcspn(key, "/");
    if (len < sizeof first) {
        memcpy(first, key, len);
        first[len] = '\0';
        if (ngff_store_is_generation(first) || ngff_starts_with(key, NGFF_STORE_OWN))
            return NGFF_OK;
    }
    return ngff_fail(err, NGFF_INVALID,
                     "%s: opened as the chunk half of a pair, and written without one",
                     c->path);
}

void ngff_store_chunk_dir_discard(ngff_store_chunk_dir *c) {
    char path[NGFF_STORE_PATH_MAX];
    size_t there = c->there;
    c->there = 0;
    if (there == 0 || !ngff_copy_text(path, sizeof path, c->path))
        return;
    ngff_store_chunk_dir_close(c);
    /* What is not empty is somebody's. */
    while (strlen(path) > there && ngff_dir_remove(path, NULL) == NGFF_OK)
        *strrchr(path, '/') = '\0';
}

void ngff_store_chunk_dir_close(ngff_store_chunk_dir *c) {
    char path[NGFF_STORE_PATH_MAX + 16];
    if (c->lock.fd < 0)
        return;
    /* Removed while held, as the guard is (siblings.c). */
    lock_path_of(c, path, sizeof path);
    ngff_status status = ngff_path_remove(path, NULL);
    (void)status;
    ngff_lock_release(&c->lock);
}
