/* store: staging, of a directory or of one file. New content grows in a hidden sibling of
 * the destination and appears there by one rename (DESIGN "Publish"):
 *
 *   nothing there   rename that refuses to replace (EXISTS when somebody was faster)
 *   overwrite       exchange of the two; where that does not exist: old aside, new in
 *                   place, and a crash in between is mended by the next run (siblings.c)
 *
 * Then the names are flushed, and only then the old content goes.
 *
 * The lock file moves along and is removed after the rename: at no moment is a live
 * partial without one. A store that others read while it grows keeps its lock in the
 * published place until it is closed. */
#include "store/inside.h"

#include <stdio.h>

static ngff_status ask(const ngff_store_stage *stage, bool is_dir, ngff_error *err) {
    const ngff_store_open_opts *opts = &stage->opts;
    const ngff_store_open_opts read = {.mode = NGFF_STORE_READ};
    ngff_store *existing;
    if (!opts->check)
        return NGFF_OK;
    if (is_dir)
        NGFF_TRY(
            ngff_store_open_fs(stage->alloc, stage->sib.dest, &read, &existing, err));
    else
        NGFF_TRY(
            ngff_store_open_zip(stage->alloc, stage->sib.dest, &read, &existing, err));
    ngff_status status = opts->check(opts->check_user, existing, opts->overwrite, err);
    ngff_store_drop(&existing);
    return status;
}

/* Somebody may still add to what is there (ngff_store_go_live, joined writers). */
static ngff_status check_idle(const ngff_store_stage *stage, ngff_error *err) {
    char path[NGFF_STORE_PATH_MAX + 16];
    ngff_lock lock = {.fd = -1};
    snprintf(path, sizeof path, "%s/" NGFF_STORE_LOCK_NAME, stage->sib.dest);
    ngff_status status = ngff_lock_try(&lock, path, false, NULL);
    ngff_lock_release(&lock);
    return status == NGFF_EXISTS
               ? ngff_fail(err, status, "%s: another writer is at work in it",
                           stage->sib.dest)
               : ngff_store_claims_check(stage->alloc, stage->sib.dest, err);
}

/* May the destination be taken? *there: something must be replaced. An archive may
 * replace a Zarr directory and the other archives; a directory only directories. */
static ngff_status check_dest(const ngff_store_stage *stage, bool *there,
                              ngff_error *err) {
    const char *dest = stage->sib.dest;
    ngff_path_kind kind;
    NGFF_TRY(ngff_path_kind_of(dest, &kind, err));
    *there = kind != NGFF_PATH_NONE;
    if (!*there)
        return NGFF_OK;
    if (stage->opts.mode == NGFF_STORE_CHUNKS)
        return ngff_fail(err, NGFF_EXISTS,
                         "%s: exists already, and an archive has no room for chunks "
                         "besides those it holds",
                         dest);
    if (stage->opts.overwrite == NGFF_OVERWRITE_NO)
        return ngff_fail(err, NGFF_EXISTS,
                         "%s: exists already, overwriting was not asked for", dest);
    if (kind == NGFF_PATH_DIR)
        NGFF_TRY(check_idle(stage, err));
    if (kind == NGFF_PATH_DIR)
        NGFF_TRY(ngff_store_foreign_check(stage->alloc, dest, err));
    else if (kind == NGFF_PATH_FILE && stage->is_file)
        NGFF_TRY(ngff_store_zip_foreign_check(stage->alloc, dest, err));
    else
        return ngff_fail(err, NGFF_EXISTS,
                         "%s: is not a Zarr directory and is not replaced", dest);
    return ask(stage, kind == NGFF_PATH_DIR, err);
}

/* What the writer holds for life: the file itself, or a file in the directory. */
static void lock_path_of(const ngff_store_stage *stage, const char *path, char *out,
                         size_t out_size) {
    snprintf(out, out_size, "%s%s", path, stage->is_file ? "" : "/" NGFF_STORE_LOCK_NAME);
}

static ngff_status create_partial(ngff_store_stage *stage, ngff_error *err) {
    char lock_path[NGFF_STORE_PATH_MAX + 16];
    NGFF_TRY(ngff_store_siblings_new(&stage->sib, "partial", stage->partial, err));
    if (!stage->is_file)
        NGFF_TRY(ngff_dir_make(stage->partial, err));
    lock_path_of(stage, stage->partial, lock_path, sizeof lock_path);
    stage->unpublished = true;
    ngff_error why = {0};
    ngff_status status = ngff_lock_try(&stage->lock, lock_path, true, &why);
    if (status == NGFF_OK || status == NGFF_UNSUPPORTED)
        return NGFF_OK; /* without a lock others take it for alive: the safe side */
    ngff_store_stage_discard(stage);
    return ngff_fail(err, status, "%s", why.message);
}

/* Makes the directory the destination is in, and notes how much of its path was there. */
static ngff_status make_parent(ngff_store_stage *stage, ngff_error *err) {
    char path[NGFF_STORE_PATH_MAX];
    ngff_path_kind kind;
    memcpy(path, stage->sib.parent, sizeof path);
    for (;;) {
        stage->known = strlen(path);
        NGFF_TRY(ngff_path_kind_of(path, &kind, err));
        char *slash = strrchr(path, '/');
        if (kind != NGFF_PATH_NONE || slash == path)
            return ngff_dir_make_all(stage->sib.parent, err);
        *slash = '\0';
    }
}

/* The destination is looked at after the siblings: a writer that publishes in between is
 * seen as one or as the other. */
static ngff_status guarded(ngff_store_stage *stage, ngff_error *err) {
    bool there;
    NGFF_TRY(ngff_store_siblings_sweep(&stage->sib, stage->alloc, err));
    NGFF_TRY(check_dest(stage, &there, err));
    return create_partial(stage, err);
}

ngff_status ngff_store_stage_open(const ngff_allocator *a, const char *location,
                                  const ngff_store_open_opts *opts, bool is_file,
                                  ngff_store_stage **out, ngff_error *err) {
    ngff_lock guard;
    *out = NULL;
    ngff_store_stage *stage = ngff_calloc(a, 1, sizeof *stage);
    if (!stage)
        return ngff_fail_nomem(err, "a staged store", sizeof *stage);
    stage->alloc = a;
    stage->opts = *opts;
    stage->is_file = is_file;
    stage->lock.fd = -1;
    ngff_status status = ngff_store_siblings_init(&stage->sib, a, location, err);
    if (status == NGFF_OK)
        status = make_parent(stage, err);
    if (status == NGFF_OK)
        status = ngff_store_siblings_guard(&stage->sib, &guard, err);
    if (status == NGFF_OK) {
        status = guarded(stage, err);
        ngff_store_siblings_unguard(&stage->sib, &guard);
    }
    if (status != NGFF_OK) {
        ngff_store_stage_close(&stage);
        return status;
    }
    *out = stage;
    return NGFF_OK;
}

/* ---- publishing ---- */

/* Without an exchange there is a moment in which the destination is absent. */
static ngff_status replace_by_two_renames(ngff_store_stage *stage, char *aside,
                                          ngff_error *err) {
    const char *dest = stage->sib.dest;
    NGFF_TRY(ngff_store_siblings_new(&stage->sib, "old", aside, err));
    NGFF_TRY(ngff_path_rename_new(dest, aside, err));
    ngff_status status = ngff_path_rename_new(stage->partial, dest, err);
    if (status == NGFF_OK)
        return NGFF_OK;
    if (ngff_path_rename_new(aside, dest, NULL) != NGFF_OK)
        return ngff_fail_at(err, status, "the old content is in %s", aside);
    return status;
}

static ngff_status replace(ngff_store_stage *stage, char *old, ngff_error *err) {
    ngff_error why = {0};
    bool replaced;
    ngff_status status =
        ngff_path_replace(stage->partial, stage->sib.dest, &replaced, &why);
    if (status == NGFF_UNSUPPORTED)
        return replace_by_two_renames(stage, old, err);
    if (replaced)
        memcpy(old, stage->partial, sizeof stage->partial);
    return status == NGFF_OK ? NGFF_OK : ngff_fail(err, status, "%s", why.message);
}

/* `old` (a path) is told where the replaced content is now; "": there was none. */
static ngff_status appear(ngff_store_stage *stage, bool there, char *old,
                          ngff_error *err) {
    const char *dest = stage->sib.dest;
    ngff_error why = {0};
    old[0] = '\0';
    ngff_status status = there ? replace(stage, old, &why)
                               : ngff_path_rename_new(stage->partial, dest, &why);
    stage->unpublished = status != NGFF_OK;
    if (!there && status == NGFF_EXISTS)
        return ngff_fail(err, status, "%s: appeared while this was written", dest);
    return status == NGFF_OK ? NGFF_OK : ngff_fail(err, status, "%s", why.message);
}

/* The lock goes after the rename: at no moment is a live partial without one. */
static void unlock(ngff_store_stage *stage) {
    char lock_path[NGFF_STORE_PATH_MAX + 16];
    ngff_status status = NGFF_OK;
    lock_path_of(stage, stage->sib.dest, lock_path, sizeof lock_path);
    if (!stage->is_file)
        status = ngff_path_remove(lock_path, NULL);
    (void)status; /* a hidden file if it stays */
    ngff_lock_release(&stage->lock);
}

/* The new name, and those of the directories that were made for it. */
static ngff_status flush_names(const ngff_store_stage *stage, ngff_error *err) {
    char dir[NGFF_STORE_PATH_MAX];
    memcpy(dir, stage->sib.parent, sizeof dir);
    for (;;) {
        NGFF_TRY(ngff_dir_sync(dir, err));
        if (strlen(dir) <= stage->known)
            return NGFF_OK;
        char *slash = strrchr(dir, '/');
        slash[slash == dir] = '\0';
    }
}

/* The old content goes when it can no longer come back: were its removal to last and the
 * rename not, half of it would be at the destination. Failing to remove it is no failure
 * of the new content, and the next run tries again. */
static ngff_status settle(ngff_store_stage *stage, const char *old, bool flush,
                          ngff_error *err) {
    ngff_status status = flush ? flush_names(stage, err) : NGFF_OK;
    if (status == NGFF_OK && old[0]) {
        ngff_status removed = ngff_dir_remove_all(old, NULL);
        (void)removed;
    }
    if (!stage->live)
        unlock(stage);
    if (status == NGFF_OK && flush && !stage->is_file)
        status = ngff_dir_sync(stage->sib.dest, err);
    return status;
}

ngff_status ngff_store_stage_publish(ngff_store_stage *stage, ngff_error *err) {
    char old[NGFF_STORE_PATH_MAX];
    bool flush = stage->opts.durability != NGFF_DURABILITY_NONE;
    bool there;
    assert(stage->unpublished);
    NGFF_TRY(check_dest(stage, &there, err));
    if (flush && !stage->is_file)
        NGFF_TRY(ngff_fs_sync(stage->partial, err));
    NGFF_TRY(appear(stage, there, old, err));
    ngff_status status = settle(stage, old, flush, err);
    return status == NGFF_OK
               ? NGFF_OK
               : ngff_fail_at(err, status, "written, but perhaps not to last");
}

void ngff_store_stage_discard(ngff_store_stage *stage) {
    if (!stage->unpublished)
        return;
    ngff_status status = ngff_dir_remove_all(stage->partial, NULL);
    (void)status; /* the next run removes what is left */
    stage->unpublished = false;
    ngff_lock_release(&stage->lock);
}

void ngff_store_stage_close(ngff_store_stage **stage) {
    if (!*stage)
        return;
    if ((*stage)->live && !(*stage)->unpublished)
        unlock(*stage);
    ngff_lock_release(&(*stage)->lock);
    ngff_free((*stage)->alloc, *stage);
    *stage = NULL;
}

/* ---- a directory that somebody else has put together ---- */

ngff_status ngff_store_put_directory(const char *from, const char *to, bool replace,
                                     bool *replaced, ngff_error *err) {
    ngff_store_siblings sib;
    ngff_path_kind kind;
    *replaced = false;
    NGFF_TRY(ngff_path_kind_of(from, &kind, err));
    if (kind != NGFF_PATH_DIR)
        return ngff_fail(err, NGFF_INVALID, "%s: is no directory", from);
    NGFF_TRY(ngff_store_siblings_init(&sib, NULL, to, err));
    NGFF_TRY(ngff_fs_sync(from, err)); /* no name before what it names */
    NGFF_TRY(replace ? ngff_path_replace(from, to, replaced, err)
                     : ngff_path_rename_new(from, to, err));
    return ngff_dir_sync(sib.parent, err); /* before the caller removes the old content */
}
