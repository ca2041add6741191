/* store: a directory. Keys are plain files under it; the directories between are made
 * when the first file in them is. In a staged tree (stage.c) nobody looks before the
 * publishing rename, so values are written in place; in an update each value is written
 * beside its name and renamed over it. */
#include "store/inside.h"

#include <stdio.h>

typedef struct fs_store {
    ngff_store base;
    char root[NGFF_STORE_PATH_MAX]; /* where the keys are now */
    char dest[NGFF_STORE_PATH_MAX];
    char parent[NGFF_STORE_PATH_MAX];
    ngff_durability durability;
    ngff_store_stage *stage;   /* STAGE, and live: holds the lock */
    ngff_store_chunk_dir half; /* CHUNKS only */
    bool live;
    bool deferred;
    ngff_file held;    /* READ only: the root as it was, so that its number is not */
    uint64_t dev, ino; /* given to another; and that number */
} fs_store;

typedef struct fs_path {
    char text[NGFF_STORE_PATH_MAX];
} fs_path;

/* A value being written: `path` is its name, `temp` where the bytes go meanwhile. */
typedef struct fs_target {
    fs_path path, temp;
    ngff_file file;
} fs_target;

typedef struct fs_writer {
    ngff_store_writer base;
    fs_target target;
    uint64_t off;
} fs_writer;

static ngff_status path_of(const fs_store *fs, const char *key, fs_path *out,
                           ngff_error *err) {
    const char *slash = key[0] ? "/" : "";
    int n = snprintf(out->text, sizeof out->text, "%s%s%s", fs->root, slash, key);
    if (n < 0 || n >= (int)sizeof out->text)
        return ngff_fail(err, NGFF_INVALID, "%s/%s: the path is too long", fs->root, key);
    return NGFF_OK;
}

/* ---- reading ---- */

/* Whoever replaces the store swaps the whole directory. What was read before and after
 * that does not belong together, and what is missing afterwards is not a missing chunk.
 */
static ngff_status still_the_same(const fs_store *fs, ngff_status status,
                                  ngff_error *err) {
    uint64_t dev, ino;
    if (fs->held.fd < 0 || (status != NGFF_OK && status != NGFF_NOT_FOUND))
        return status;
    if (ngff_path_identity(fs->root, &dev, &ino, NULL) == NGFF_OK && dev == fs->dev &&
        ino == fs->ino)
        return status;
    ngff_error_clear(err);
    return ngff_fail(err, NGFF_IO, "%s: was replaced or removed while it was read",
                     fs->root);
}

static ngff_status fs_get(ngff_store *s, const char *key, uint64_t off, size_t size,
                          void *out, size_t *got, ngff_error *err) {
    fs_path path;
    ngff_file file = NGFF_FILE_INIT;
    NGFF_TRY(path_of((fs_store *)s, key, &path, err));
    ngff_status status = ngff_file_open(&file, path.text, NGFF_OPEN_READ, err);
    if (status == NGFF_OK)
        status = ngff_file_pread(&file, out, size, off, got, path.text, err);
    ngff_file_close(&file);
    return still_the_same((fs_store *)s, status, err);
}

static ngff_status fs_size(ngff_store *s, const char *key, uint64_t *size,
                           ngff_error *err) {
    fs_path path;
    ngff_file file = NGFF_FILE_INIT;
    NGFF_TRY(path_of((fs_store *)s, key, &path, err));
    ngff_status status = ngff_file_open(&file, path.text, NGFF_OPEN_READ, err);
    if (status == NGFF_OK)
        status = ngff_file_size(&file, size, path.text, err);
    ngff_file_close(&file);
    return still_the_same((fs_store *)s, status, err);
}

typedef struct lister {
    ngff_store_list_fn fn;
    void *user;
} lister;

static ngff_status list_entry(void *user, const char *name, ngff_path_kind kind) {
    const lister *l = user;
    if (kind == NGFF_PATH_OTHER || ngff_starts_with(name, NGFF_STORE_OWN))
        return NGFF_OK;
    return l->fn(l->user, name, kind == NGFF_PATH_DIR);
}

static ngff_status fs_list(ngff_store *s, const char *prefix, ngff_store_list_fn fn,
                           void *user, ngff_error *err) {
    fs_path path;
    ngff_path_kind kind;
    lister l = {fn, user};
    NGFF_TRY(path_of((fs_store *)s, prefix, &path, err));
    NGFF_TRY(ngff_path_kind_of(path.text, &kind, err));
    if (kind != NGFF_PATH_DIR)
        return still_the_same((fs_store *)s, NGFF_OK, err); /* a prefix no key has */
    ngff_status status = ngff_dir_list(s->alloc, path.text, list_entry, &l, err);
    return still_the_same((fs_store *)s, status, err);
}

/* ---- writing ---- */

/* Makes the directories above `path` (not above the root): upwards until one can be made,
 * then down again, so that a new leaf costs one call. */
static ngff_status make_parents(const fs_store *fs, const char *path, ngff_error *err) {
    fs_path work = {{0}};
    ngff_error why = {0};
    size_t root_len = strlen(fs->root);
    size_t len = strlen(path);
    ngff_status status = NGFF_NOT_FOUND;
    memcpy(work.text, path, len + 1);
    while (status == NGFF_NOT_FOUND && len > root_len) {
        while (len > root_len && work.text[len] != '/')
            len--;
        work.text[len] = '\0';
        ngff_error_clear(&why);
        status = ngff_dir_make(work.text, &why);
    }
    for (;;) {
        if (status != NGFF_OK && status != NGFF_EXISTS)
            return ngff_fail(err, status, "%s", why.message);
        work.text[len] = '/';
        len = strlen(work.text);
        if (strcmp(work.text, path) == 0)
            return NGFF_OK;
        ngff_error_clear(&why);
        status = ngff_dir_make(work.text, &why);
    }
}

static ngff_status open_target(const fs_store *fs, const char *key, fs_target *t,
                               ngff_error *err) {
    if (fs->base.mode == NGFF_STORE_READ)
        return ngff_fail(err, NGFF_INVALID, "%s: opened for reading only", fs->root);
    if (fs->base.mode == NGFF_STORE_CHUNKS)
        NGFF_TRY(ngff_store_chunk_dir_key(&fs->half, key, err));
    NGFF_TRY(path_of(fs, key, &t->path, err));
    t->temp = t->path;
    if (fs->base.mode == NGFF_STORE_UPDATE) {
        uint64_t random;
        ngff_sys_random(&random, sizeof random);
        const char *name = strrchr(t->path.text, '/') + 1;
        int dir_len = (int)(name - t->path.text);
        int n = snprintf(t->temp.text, sizeof t->temp.text,
                         "%.*s" NGFF_STORE_OWN "put-%016llx", dir_len, t->path.text,
                         (unsigned long long)random);
        if (n < 0 || n >= (int)sizeof t->temp.text)
            return ngff_fail(err, NGFF_INVALID, "%s: the path is too long", t->path.text);
    }
    ngff_error why = {0};
    ngff_status status = ngff_file_open(&t->file, t->temp.text, NGFF_OPEN_TRUNCATE, &why);
    if (status == NGFF_OK)
        return NGFF_OK;
    if (status != NGFF_NOT_FOUND)
        return ngff_fail(err, status, "%s", why.message);
    NGFF_TRY(make_parents(fs, t->temp.text, err));
    return ngff_file_open(&t->file, t->temp.text, NGFF_OPEN_TRUNCATE, err);
}

static void drop_target(fs_target *t) {
    ngff_file_close(&t->file);
    /* What cannot be removed stays under a hidden or staged name. */
    if (ngff_path_remove(t->temp.text, NULL) != NGFF_OK)
        return;
}

/* A rename must not become durable before the bytes it names. In a live store, and
 * while it is deferred, that is so for documents only: what they name is flushed before
 * (ngff_store_sync). */
static bool syncs_each(const fs_store *fs, const char *path) {
    if (fs->base.mode != NGFF_STORE_UPDATE || fs->durability != NGFF_DURABILITY_PUBLISH)
        return fs->durability == NGFF_DURABILITY_EACH;
    return !(fs->live || fs->deferred) || ngff_store_key_is_document(path);
}

static ngff_status finish_target(const fs_store *fs, fs_target *t, ngff_error *err) {
    const char *path = t->path.text;
    ngff_status status = NGFF_OK;
    if (syncs_each(fs, path))
        status = ngff_file_sync(&t->file, path, err);
    if (status == NGFF_OK)
        status = ngff_file_finish(&t->file, path, err);
    if (status == NGFF_OK && fs->base.mode == NGFF_STORE_UPDATE)
        status = ngff_path_rename(t->temp.text, path, err);
    if (status != NGFF_OK)
        drop_target(t);
    return status;
}

static ngff_status fs_put(ngff_store *s, const char *key, const void *data, size_t size,
                          ngff_error *err) {
    fs_store *fs = (fs_store *)s;
    fs_target t = {.file = NGFF_FILE_INIT};
    NGFF_TRY(open_target(fs, key, &t, err));
    ngff_status status = ngff_file_pwrite(&t.file, data, size, 0, t.path.text, err);
    if (status != NGFF_OK) {
        drop_target(&t);
        return status;
    }
    return finish_target(fs, &t, err);
}

static ngff_status fs_erase(ngff_store *s, const char *key, ngff_error *err) {
    fs_store *fs = (fs_store *)s;
    fs_path path;
    if (fs->base.mode == NGFF_STORE_READ)
        return ngff_fail(err, NGFF_INVALID, "%s: opened for reading only", fs->root);
    NGFF_TRY(path_of(fs, key, &path, err));
    return ngff_path_remove(path.text, err);
}

static ngff_status fs_erase_prefix(ngff_store *s, const char *prefix, ngff_error *err) {
    fs_store *fs = (fs_store *)s;
    fs_path path;
    if (fs->base.mode == NGFF_STORE_READ)
        return ngff_fail(err, NGFF_INVALID, "%s: opened for reading only", fs->root);
    NGFF_TRY(path_of(fs, prefix, &path, err));
    return ngff_dir_remove_all(path.text, err);
}

static ngff_status fs_begin(ngff_store *s, const char *key, ngff_store_writer **out,
                            ngff_error *err) {
    fs_writer *w = ngff_calloc(s->alloc, 1, sizeof *w);
    if (!w)
        return ngff_fail_nomem(err, "a store writer", sizeof *w);
    w->target.file = (ngff_file)NGFF_FILE_INIT;
    ngff_status status = open_target((fs_store *)s, key, &w->target, err);
    if (status != NGFF_OK) {
        ngff_free(s->alloc, w);
        return status;
    }
    *out = &w->base;
    return NGFF_OK;
}

static ngff_status fs_append(ngff_store_writer *writer, const void *data, size_t size,
                             ngff_error *err) {
    fs_writer *w = (fs_writer *)writer;
    const char *path = w->target.path.text;
    NGFF_TRY(ngff_file_pwrite(&w->target.file, data, size, w->off, path, err));
    w->off += size;
    return NGFF_OK;
}

static ngff_status fs_commit(ngff_store_writer *writer, ngff_error *err) {
    fs_writer *w = (fs_writer *)writer;
    ngff_store *s = writer->store;
    ngff_status status = finish_target((fs_store *)s, &w->target, err);
    ngff_free(s->alloc, w);
    return status;
}

static void fs_abort(ngff_store_writer *writer) {
    fs_writer *w = (fs_writer *)writer;
    drop_target(&w->target);
    ngff_free(writer->store->alloc, w);
}

/* ---- life ---- */

static ngff_status flush_all(const fs_store *fs, ngff_error *err) {
    return fs->durability == NGFF_DURABILITY_NONE ? NGFF_OK : ngff_fs_sync(fs->root, err);
}

static ngff_status fs_publish(ngff_store *s, ngff_error *err) {
    fs_store *fs = (fs_store *)s;
    if (fs->base.mode == NGFF_STORE_READ)
        return NGFF_OK;
    if (!fs->stage || fs->live) /* a chunk half: what names it is published later */
        return flush_all(fs, err);
    NGFF_TRY(ngff_store_stage_publish(fs->stage, err));
    /* From here on it is an ordinary store that others see. */
    ngff_store_stage_close(&fs->stage);
    memcpy(fs->root, fs->dest, sizeof fs->root);
    fs->base.mode = NGFF_STORE_UPDATE;
    return NGFF_OK;
}

static ngff_status fs_go_live(ngff_store *s, ngff_error *err) {
    fs_store *fs = (fs_store *)s;
    if (!fs->stage || fs->live)
        return ngff_fail(err, NGFF_INVALID, "%s: not opened as a new store", fs->dest);
    fs->stage->live = true;
    ngff_status status = ngff_store_stage_publish(fs->stage, err);
    if (fs->stage->unpublished)
        return status;
    memcpy(fs->root, fs->dest, sizeof fs->root);
    fs->base.mode = NGFF_STORE_UPDATE;
    fs->live = true;
    return status;
}

static ngff_status fs_sync(ngff_store *s, ngff_error *err) {
    const fs_store *fs = (const fs_store *)s;
    return fs->live || fs->deferred ? flush_all(fs, err) : NGFF_OK;
}

static void fs_defer(ngff_store *s, bool on) {
    ((fs_store *)s)->deferred = on;
}

static void fs_discard(ngff_store *s) {
    fs_store *fs = (fs_store *)s;
    if (fs->stage)
        ngff_store_stage_discard(fs->stage);
    if (fs->base.mode == NGFF_STORE_CHUNKS)
        ngff_store_chunk_dir_discard(&fs->half);
}

static void fs_close(ngff_store *s) {
    fs_store *fs = (fs_store *)s;
    ngff_store_stage_close(&fs->stage);
    if (fs->base.mode == NGFF_STORE_CHUNKS)
        ngff_store_chunk_dir_close(&fs->half);
    ngff_file_close(&fs->held);
    ngff_free(s->alloc, s->location);
    ngff_free(s->alloc, fs);
}

static const ngff_store_vtable fs_ops = {
    .kind = "directory",
    .get = fs_get,
    .size = fs_size,
    .put = fs_put,
    .erase = fs_erase,
    .erase_prefix = fs_erase_prefix,
    .list = fs_list,
    .begin = fs_begin,
    .append = fs_append,
    .commit = fs_commit,
    .abort = fs_abort,
    .publish = fs_publish,
    .go_live = fs_go_live,
    .sync = fs_sync,
    .defer = fs_defer,
    .discard = fs_discard,
    .close = fs_close,
    .names_place = true,
};

static ngff_status require_dir(const char *path, ngff_error *err) {
    ngff_path_kind kind;
    NGFF_TRY(ngff_path_kind_of(path, &kind, err));
    if (kind == NGFF_PATH_NONE)
        return ngff_fail(err, NGFF_NOT_FOUND, "%s: no such directory", path);
    if (kind != NGFF_PATH_DIR)
        return ngff_fail(err, NGFF_INVALID, "%s: not a directory", path);
    return NGFF_OK;
}

static ngff_status open_mode(fs_store *fs, const ngff_store_open_opts *opts,
                             ngff_error *err) {
    if (opts->mode == NGFF_STORE_CHUNKS) {
        memcpy(fs->root, fs->dest, sizeof fs->root);
        NGFF_TRY(ngff_store_chunk_dir_open(&fs->half, fs->base.alloc, fs->dest, err));
        fs->base.alone = fs->half.lock.fd >= 0;
        return NGFF_OK;
    }
    if (opts->mode != NGFF_STORE_STAGE) {
        memcpy(fs->root, fs->dest, sizeof fs->root);
        NGFF_TRY(require_dir(fs->root, err));
        if (opts->mode == NGFF_STORE_UPDATE)
            return NGFF_OK;
        NGFF_TRY(ngff_file_open(&fs->held, fs->root, NGFF_OPEN_READ, err));
        return ngff_path_identity(fs->root, &fs->dev, &fs->ino, err);
    }
    NGFF_TRY(
        ngff_store_stage_open(fs->base.alloc, fs->dest, opts, false, &fs->stage, err));
    memcpy(fs->root, fs->stage->partial, sizeof fs->root);
    return NGFF_OK;
}

/* `absolute`: of the location. */
static void set_paths(fs_store *fs, const char *absolute) {
    (void)ngff_copy_text(fs->dest, sizeof fs->dest, absolute);
    (void)ngff_copy_text(fs->parent, sizeof fs->parent, absolute);
    char *slash = strrchr(fs->parent, '/');
    assert(slash);
    slash[slash == fs->parent] = '\0';
    fs->base.path = fs->dest;
    fs->base.spill_dir = fs->parent;
}

ngff_status ngff_store_open_fs(const ngff_allocator *a, const char *location,
                               const ngff_store_open_opts *opts, ngff_store **out,
                               ngff_error *err) {
    char *absolute;
    *out = NULL;
    NGFF_TRY(ngff_path_absolute(a, location, &absolute, err));
    fs_store *fs = ngff_calloc(a, 1, sizeof *fs);
    ngff_status status = NGFF_OK;
    if (fs) {
        fs->base.ops = &fs_ops;
        fs->base.alloc = a;
        fs->base.location = ngff_strdup(a, location);
        fs->base.mode = opts->mode;
        fs->base.overwrite = opts->overwrite;
        fs->half.lock.fd = -1;
        fs->durability = opts->durability;
        fs->held = (ngff_file)NGFF_FILE_INIT;
        set_paths(fs, absolute);
    }
    if (!fs || !fs->base.location)
        status = ngff_fail_nomem(err, "a directory store", sizeof *fs);
    if (status == NGFF_OK)
        status = open_mode(fs, opts, err);
    ngff_free(a, absolute);
    if (status != NGFF_OK) {
        if (fs)
            fs_close(&fs->base);
        return status;
    }
    *out = &fs->base;
    return NGFF_OK;
}
