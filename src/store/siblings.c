/* store: the names beside a destination. ".<name>.ngff-partial-<host>-<pid>-<random>" is
 * a tree being written; its writer holds a lock on the ".ngff-lock" in it for life.
 * "….ngff-old-…" is content moved aside where a file system cannot exchange two paths.
 * ".<name>.ngff-lock" is the guard: held while one process looks at the others and
 * creates its own partial, so that of two that start together one sees the other. It is
 * removed while held. */
#include "store/inside.h"

#include <stdio.h>

#define STEM_NAME_MAX                                                                    \
    140 /* room is left for host, pid and random below NAME_MAX (255)                    \
         */
#define HOST_MAX 48

static void host_name(char out[HOST_MAX]) {
    ngff_sys_host(out, HOST_MAX);
    for (char *c = out; *c; c++) {
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                     (*c >= '0' && *c <= '9') || *c == '.' || *c == '_' || *c == '-';
        if (!plain)
            *c = '_';
    }
    if (!out[0])
        (void)ngff_copy_text(out, HOST_MAX, "unknown");
}

static uint32_t short_hash(const char *text) { /* FNV-1a */
    uint32_t h = 2166136261u;
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 16777619u;
    return h;
}

ngff_status ngff_store_siblings_init(ngff_store_siblings *sib, const ngff_allocator *a,
                                     const char *location, ngff_error *err) {
    char *absolute;
    NGFF_TRY(ngff_path_absolute(a, location, &absolute, err));
    bool fits = ngff_copy_text(sib->dest, sizeof sib->dest, absolute);
    ngff_free(a, absolute);
    char *name = strrchr(sib->dest, '/');
    if (!fits || !name || name[1] == '\0')
        return ngff_fail(err, NGFF_INVALID, "%s: not a place where a store can be",
                         location);
    (void)ngff_copy_text(sib->parent, sizeof sib->parent, sib->dest);
    sib->parent[name == sib->dest ? 1 : name - sib->dest] = '\0';
    name++;
    if (strlen(name) <= STEM_NAME_MAX)
        snprintf(sib->stem, sizeof sib->stem, ".%s", name);
    else
        snprintf(sib->stem, sizeof sib->stem, ".%.*s~%08x", STEM_NAME_MAX - 20, name,
                 (unsigned)short_hash(name));
    return NGFF_OK;
}

static ngff_status beside(const ngff_store_siblings *sib, const char *name, char *out,
                          ngff_error *err) {
    const char *slash = strcmp(sib->parent, "/") == 0 ? "" : "/";
    int n = snprintf(out, NGFF_STORE_PATH_MAX, "%s%s%s", sib->parent, slash, name);
    if (n < 0 || n >= NGFF_STORE_PATH_MAX)
        return ngff_fail(err, NGFF_INVALID, "%s: the path is too long", sib->dest);
    return NGFF_OK;
}

ngff_status ngff_store_siblings_new(const ngff_store_siblings *sib, const char *role,
                                    char *out, ngff_error *err) {
    char host[HOST_MAX];
    char name[400];
    uint64_t random;
    host_name(host);
    ngff_sys_random(&random, sizeof random);
    snprintf(name, sizeof name, "%s" NGFF_STORE_OWN "%s-%s-%lld-%016llx", sib->stem, role,
             host, (long long)ngff_sys_pid(), (unsigned long long)random);
    return beside(sib, name, out, err);
}

/* ---- the guard ---- */

static ngff_status guard_path(const ngff_store_siblings *sib, char *out,
                              ngff_error *err) {
    char name[256];
    snprintf(name, sizeof name, "%s" NGFF_STORE_LOCK_NAME, sib->stem);
    return beside(sib, name, out, err);
}

ngff_status ngff_store_siblings_guard(const ngff_store_siblings *sib, ngff_lock *lock,
                                      ngff_error *err) {
    char path[NGFF_STORE_PATH_MAX];
    ngff_error why = {0};
    lock->fd = -1;
    NGFF_TRY(guard_path(sib, path, err));
    ngff_status status = ngff_lock_try(lock, path, true, &why);
    if (status == NGFF_EXISTS)
        return ngff_fail(err, NGFF_EXISTS, "%s: another writer is just starting (%s)",
                         sib->dest, path);
    if (status == NGFF_UNSUPPORTED) {
        /* Without locks the final rename alone decides between two. */
        status = ngff_path_remove(path, NULL);
        return NGFF_OK;
    }
    if (status != NGFF_OK)
        return ngff_fail(err, status, "%s", why.message);
    return NGFF_OK;
}

void ngff_store_siblings_unguard(const ngff_store_siblings *sib, ngff_lock *lock) {
    char path[NGFF_STORE_PATH_MAX];
    if (lock->fd < 0)
        return;
    /* Removing before releasing: who waits for the old file sees that it is gone
     * (ngff_lock_try looks again). */
    ngff_status status = guard_path(sib, path, NULL);
    if (status == NGFF_OK)
        status = ngff_path_remove(path, NULL);
    (void)status;
    ngff_lock_release(lock);
}

/* ---- the sweep ---- */

typedef struct sweep {
    const ngff_store_siblings *sib;
    ngff_error *err;
    char partial_prefix[256], old_prefix[256], host[HOST_MAX];
    bool dest_exists;
} sweep;

/* Is `rest` "<our host>-<pid>-<random>"? A host may hold dashes itself. */
static bool is_our_host(const sweep *w, const char *rest) {
    size_t len = strlen(w->host);
    if (strncmp(rest, w->host, len) != 0 || rest[len] != '-')
        return false;
    rest += len + 1;
    size_t digits = strspn(rest, "0123456789");
    return digits > 0 && rest[digits] == '-' &&
           strspn(rest + digits + 1, "0123456789abcdef") == 16 &&
           rest[digits + 1 + 16] == '\0';
}

/* Locks what its writer would hold. A directory without a lock file has no live writer:
 * creating one happens under the guard, and the file stays until after the rename. */
static ngff_status claim(const char *path, ngff_path_kind kind, ngff_lock *lock) {
    char lock_path[NGFF_STORE_PATH_MAX + 16];
    lock->fd = -1;
    snprintf(lock_path, sizeof lock_path, "%s%s", path,
             kind == NGFF_PATH_DIR ? "/" NGFF_STORE_LOCK_NAME : "");
    ngff_status status = ngff_lock_try(lock, lock_path, false, NULL);
    return status == NGFF_NOT_FOUND ? NGFF_OK : status;
}

static ngff_status sweep_partial(sweep *w, const char *path, ngff_path_kind kind,
                                 bool ours) {
    ngff_lock lock;
    ngff_status status = claim(path, kind, &lock);
    if (status == NGFF_EXISTS)
        return ngff_fail(w->err, NGFF_EXISTS, "%s: another writer is at work in %s",
                         w->sib->dest, path);
    if (status != NGFF_OK || !ours) {
        ngff_lock_release(&lock);
        return ngff_fail(w->err, NGFF_EXISTS,
                         "%s: %s was left by another machine, or is still being "
                         "written; remove it if it is not",
                         w->sib->dest, path);
    }
    status = ngff_dir_remove_all(path, w->err);
    ngff_lock_release(&lock);
    return status;
}

/* Only a crash between two renames leaves old content aside; then it is the destination.
 */
static ngff_status sweep_old(sweep *w, const char *path) {
    if (w->dest_exists)
        return ngff_dir_remove_all(path, w->err);
    w->dest_exists = true;
    return ngff_path_rename_new(path, w->sib->dest, w->err);
}

static ngff_status sweep_entry(void *user, const char *name, ngff_path_kind kind) {
    sweep *w = user;
    char path[NGFF_STORE_PATH_MAX];
    bool partial = ngff_starts_with(name, w->partial_prefix);
    bool old = ngff_starts_with(name, w->old_prefix);
    if ((!partial && !old) || kind == NGFF_PATH_OTHER)
        return NGFF_OK;
    NGFF_TRY(beside(w->sib, name, path, w->err));
    if (partial)
        return sweep_partial(w, path, kind,
                             is_our_host(w, name + strlen(w->partial_prefix)));
    return is_our_host(w, name + strlen(w->old_prefix)) ? sweep_old(w, path) : NGFF_OK;
}

ngff_status ngff_store_siblings_sweep(const ngff_store_siblings *sib,
                                      const ngff_allocator *a, ngff_error *err) {
    sweep w = {.sib = sib, .err = err};
    ngff_path_kind kind;
    host_name(w.host);
    snprintf(w.partial_prefix, sizeof w.partial_prefix, "%s" NGFF_STORE_OWN "partial-",
             sib->stem);
    snprintf(w.old_prefix, sizeof w.old_prefix, "%s" NGFF_STORE_OWN "old-", sib->stem);
    NGFF_TRY(ngff_path_kind_of(sib->dest, &kind, err));
    w.dest_exists = kind != NGFF_PATH_NONE;
    return ngff_dir_list(a, sib->parent, sweep_entry, &w, err);
}
