/* store: claims. A claim is a file in the hidden directory .ngff-claims: a second name of
 * its owner's file there, which the owner keeps locked for life. Linking is atomic, and
 * whoever can lock the file that a claim names has found a dead owner. So a writer holds
 * one descriptor however many claims it has; only the number of names a file may have
 * (65000 on ext4) makes it begin another. */
#include "store/inside.h"

#include <stdio.h>

enum { NAMES_MAX = 30000, OWNERS_MAX = 256, TRIES = 100, LOOKS = 4 };

struct ngff_claims {
    const ngff_allocator *alloc;
    ngff_mutex *mutex;
    char dir[NGFF_STORE_PATH_MAX];
    char owner[NGFF_STORE_PATH_MAX]; /* path of the newest owner's file */
    int names;                       /* it has */
    int lock_count;
    ngff_lock lock[OWNERS_MAX];
    uint64_t id[OWNERS_MAX];
};

static ngff_status path_of(const ngff_claims *c, const char *prefix, const char *name,
                           char out[NGFF_STORE_PATH_MAX], ngff_error *err) {
    int n = snprintf(out, NGFF_STORE_PATH_MAX, "%s/" NGFF_STORE_OWN "%s%s", c->dir,
                     prefix, name);
    if (n < 0 || n >= NGFF_STORE_PATH_MAX)
        return ngff_fail(err, NGFF_INVALID, "%s: the path is too long", c->dir);
    return NGFF_OK;
}

static ngff_status owner_path(const ngff_claims *c, uint64_t id,
                              char out[NGFF_STORE_PATH_MAX], ngff_error *err) {
    char text[24];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)id);
    return path_of(c, "owner-", text, out, err);
}

/* The directory may go at any moment, when another writer was its last user. */
static ngff_status make_dir(const ngff_claims *c, ngff_error *err) {
    ngff_status status = ngff_dir_make(c->dir, NULL);
    if (status == NGFF_OK || status == NGFF_EXISTS)
        return NGFF_OK;
    return ngff_dir_make(c->dir, err);
}

/* Somebody who tidies up had the directory or the file for a moment. */
static bool is_fleeting(ngff_status status) {
    return status == NGFF_NOT_FOUND || status == NGFF_EXISTS;
}

static ngff_status new_owner(ngff_claims *c, ngff_error *err) {
    ngff_status status = NGFF_NOT_FOUND;
    ngff_lock *lock = &c->lock[c->lock_count];
    uint64_t *id = &c->id[c->lock_count];
    if (c->lock_count == OWNERS_MAX)
        return ngff_fail(err, NGFF_LIMIT, "%s: too many claims", c->dir);
    ngff_sys_random(id, sizeof *id);
    NGFF_TRY(owner_path(c, *id, c->owner, err));
    for (int i = 0; is_fleeting(status) && i < TRIES; i++) {
        NGFF_TRY(make_dir(c, err));
        status = ngff_lock_try(lock, c->owner, true, NULL);
    }
    if (status == NGFF_UNSUPPORTED) /* then nobody is ever found dead: the safe side */
        status = NGFF_OK;
    if (status != NGFF_OK)
        return ngff_fail(err, status, "%s: cannot be claimed in", c->dir);
    c->lock_count++;
    c->names = 0;
    return NGFF_OK;
}

ngff_status ngff_claims_open(const ngff_store *s, ngff_claims **out, ngff_error *err) {
    *out = NULL;
    if (!s->path)
        return NGFF_OK;
    ngff_claims *c = ngff_calloc(s->alloc, 1, sizeof *c);
    if (!c)
        return ngff_fail_nomem(err, "claims", sizeof *c);
    c->alloc = s->alloc;
    ngff_status status = ngff_mutex_create(s->alloc, &c->mutex, err);
    int n = snprintf(c->dir, sizeof c->dir, "%s/" NGFF_STORE_CLAIMS_NAME, s->path);
    if (status == NGFF_OK && (n < 0 || n >= (int)sizeof c->dir))
        status = ngff_fail(err, NGFF_INVALID, "%s: the path is too long", s->path);
    if (status == NGFF_OK)
        status = new_owner(c, err);
    if (status != NGFF_OK)
        ngff_claims_close(&c);
    *out = c;
    return status;
}

/* Somebody was first. When its owner is dead, our name takes the place of its: by a
 * rename, while the dead one's file is locked, so that one of several heirs wins. */
static ngff_status inherit(ngff_claims *c, const char *path, ngff_error *err) {
    char heir[NGFF_STORE_PATH_MAX + 8];
    ngff_lock lock;
    ngff_status status = NGFF_EXISTS;
    for (int i = 0; i < LOOKS && status == NGFF_EXISTS; i++)
        status = ngff_lock_try(&lock, path, false, NULL);
    if (status == NGFF_NOT_FOUND) /* dropped meanwhile */
        return status;
    if (status != NGFF_OK)
        return ngff_fail(err, NGFF_EXISTS, "another writer is at work on it");
    snprintf(heir, sizeof heir, "%s-heir", c->owner);
    status = ngff_path_link(c->owner, heir, err);
    if (status == NGFF_OK)
        status = ngff_path_rename(heir, path, err);
    ngff_lock_release(&lock);
    return status;
}

ngff_status ngff_claims_take(ngff_claims *c, const char *name, ngff_error *err) {
    char path[NGFF_STORE_PATH_MAX];
    ngff_status status = NGFF_OK;
    if (!c)
        return NGFF_OK;
    NGFF_TRY(path_of(c, "", name, path, err));
    ngff_mutex_lock(c->mutex);
    if (c->names == NAMES_MAX)
        status = new_owner(c, err);
    if (status == NGFF_OK)
        status = NGFF_NOT_FOUND;
    for (int i = 0; status == NGFF_NOT_FOUND && i < TRIES; i++) {
        status = ngff_path_link(c->owner, path, NULL);
        if (status == NGFF_EXISTS)
            status = inherit(c, path, err);
    }
    if (status == NGFF_OK)
        c->names++;
    ngff_mutex_unlock(c->mutex);
    return status == NGFF_OK ? NGFF_OK
                             : ngff_fail(err, status, "%s: cannot be claimed", path);
}

void ngff_claims_drop(ngff_claims *c, const char *name) {
    char path[NGFF_STORE_PATH_MAX];
    if (!c || path_of(c, "", name, path, NULL) != NGFF_OK)
        return;
    ngff_status status = ngff_path_remove(path, NULL);
    (void)status; /* it ends with its owner anyhow */
}

/* What the dead have left. It is locked for a moment, which is why others look again. */
static ngff_status bury(void *user, const char *name, ngff_path_kind kind) {
    const ngff_claims *c = user;
    char path[NGFF_STORE_PATH_MAX];
    ngff_lock lock;
    int n = snprintf(path, sizeof path, "%s/%s", c->dir, name);
    if (kind != NGFF_PATH_FILE || n < 0 || n >= (int)sizeof path ||
        ngff_lock_try(&lock, path, false, NULL) != NGFF_OK)
        return NGFF_OK;
    ngff_status status = ngff_path_remove(path, NULL);
    ngff_lock_release(&lock);
    (void)status;
    return NGFF_OK;
}

/* The last one out. */
static void remove_dir(ngff_claims *c) {
    ngff_status status = ngff_dir_remove_empty(c->dir, NULL);
    if (status == NGFF_OK || status == NGFF_NOT_FOUND)
        return;
    status = ngff_dir_list(c->alloc, c->dir, bury, c, NULL);
    if (status == NGFF_OK)
        status = ngff_dir_remove_empty(c->dir, NULL);
    (void)status; /* others are at work, or hidden files stay */
}

void ngff_claims_close(ngff_claims **claims) {
    ngff_claims *c = *claims;
    char path[NGFF_STORE_PATH_MAX];
    ngff_status status = NGFF_OK;
    *claims = NULL;
    if (!c)
        return;
    for (int i = 0; i < c->lock_count; i++) {
        if (owner_path(c, c->id[i], path, NULL) == NGFF_OK)
            status = ngff_path_remove(path, NULL);
        ngff_lock_release(&c->lock[i]);
    }
    (void)status;
    if (c->lock_count > 0)
        remove_dir(c);
    ngff_mutex_close(&c->mutex);
    ngff_free(c->alloc, c);
}

/* ---- asking without claiming ---- */

typedef struct asking {
    const char *dir;
    bool alive;
} asking;

static ngff_status look(void *user, const char *name, ngff_path_kind kind) {
    asking *a = user;
    char path[NGFF_STORE_PATH_MAX];
    ngff_lock lock;
    int n = snprintf(path, sizeof path, "%s/" NGFF_STORE_CLAIMS_NAME "/%s", a->dir, name);
    if (kind != NGFF_PATH_FILE || n < 0 || n >= (int)sizeof path)
        return NGFF_OK;
    ngff_status status = ngff_lock_try(&lock, path, false, NULL);
    if (status == NGFF_EXISTS)
        a->alive = true;
    ngff_lock_release(&lock);
    return NGFF_OK;
}

ngff_status ngff_store_claims_check(const ngff_allocator *a, const char *dir,
                                    ngff_error *err) {
    char path[NGFF_STORE_PATH_MAX];
    asking asked = {dir, false};
    int n = snprintf(path, sizeof path, "%s/" NGFF_STORE_CLAIMS_NAME, dir);
    if (n < 0 || n >= (int)sizeof path)
        return NGFF_OK; /* nobody could make it */
    ngff_error why = {0};
    ngff_status status = ngff_dir_list(a, path, look, &asked, &why);
    if (status != NGFF_OK && status != NGFF_NOT_FOUND)
        return ngff_fail(err, status, "%s", why.message);
    return asked.alive
               ? ngff_fail(err, NGFF_EXISTS, "%s: another writer is at work in it", dir)
               : NGFF_OK;
}

ngff_status ngff_claims_check(const ngff_store *s, ngff_error *err) {
    return s->path ? ngff_store_claims_check(s->alloc, s->path, err) : NGFF_OK;
}
