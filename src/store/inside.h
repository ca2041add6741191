/* The inside of the store room: what its files share. Owns nothing. The vtable of each
 * kind may be called from any thread; opening, publishing and closing belong to one
 * thread. */
#ifndef NGFF_STORE_INSIDE_H
#define NGFF_STORE_INSIDE_H

#include "store/store.h"
#include "sys/sys.h"

#define NGFF_STORE_PATH_MAX 4096
/* Names that start like this are the store's own: hidden from list, refused as keys. */
#define NGFF_STORE_OWN ".ngff-"
#define NGFF_STORE_LOCK_NAME ".ngff-lock"
#define NGFF_STORE_CLAIMS_NAME ".ngff-claims"

/* ---- direct children out of flat keys (children.c) */

typedef struct ngff_store_children {
    const ngff_allocator *alloc;
    ngff_buf names; /* per entry: kind 'f' or 'p', the name, NUL */
    size_t count;
} ngff_store_children;

void ngff_store_children_init(ngff_store_children *c, const ngff_allocator *a);
void ngff_store_children_reset(ngff_store_children *c);
/* Adds the child of `prefix` ("" or a key) that `key` lies under, if it does. */
NGFF_MUST_USE ngff_status ngff_store_children_add(ngff_store_children *c,
                                                  const char *prefix, const char *key,
                                                  ngff_error *err);
/* Each name once, in byte order. */
NGFF_MUST_USE ngff_status ngff_store_children_call(const ngff_store_children *c,
                                                   ngff_store_list_fn fn, void *user,
                                                   ngff_error *err);

/* ---- names beside a destination (siblings.c) */

typedef struct ngff_store_siblings {
    char dest[NGFF_STORE_PATH_MAX];   /* absolute */
    char parent[NGFF_STORE_PATH_MAX]; /* the directory of dest */
    char stem[192];                   /* ".<name>", shortened when long */
} ngff_store_siblings;

NGFF_MUST_USE ngff_status ngff_store_siblings_init(ngff_store_siblings *sib,
                                                   const ngff_allocator *a,
                                                   const char *location, ngff_error *err);
/* "<parent>/<stem>.ngff-<role>-<host>-<pid>-<random>": a name nobody has. */
NGFF_MUST_USE ngff_status ngff_store_siblings_new(const ngff_store_siblings *sib,
                                                  const char *role, char *out,
                                                  ngff_error *err);
/* Looks at every partial and aside sibling: a live one is EXISTS, dead ones of this host
 * are removed, the old content that a crash left aside comes back. The caller holds the
 * guard. */
NGFF_MUST_USE ngff_status ngff_store_siblings_sweep(const ngff_store_siblings *sib,
                                                    const ngff_allocator *a,
                                                    ngff_error *err);
/* The guard: held while one process looks and then creates its partial. */
NGFF_MUST_USE ngff_status ngff_store_siblings_guard(const ngff_store_siblings *sib,
                                                    ngff_lock *lock, ngff_error *err);
void ngff_store_siblings_unguard(const ngff_store_siblings *sib, ngff_lock *lock);

/* ---- staging a directory or a file (stage.c). A file's partial is made empty and
 * locked; its writer opens it again by path and flushes it before publishing. */

typedef struct ngff_store_stage {
    const ngff_allocator *alloc;
    ngff_store_siblings sib;
    char partial[NGFF_STORE_PATH_MAX];
    ngff_lock lock;
    ngff_store_open_opts opts;
    bool is_file;
    bool unpublished; /* the partial exists and is ours */
    bool live;        /* the lock is kept beyond publishing, until close */
    size_t known;     /* bytes of sib.parent that were a path before this began */
} ngff_store_stage;

NGFF_MUST_USE ngff_status ngff_store_stage_open(const ngff_allocator *a,
                                                const char *location,
                                                const ngff_store_open_opts *opts,
                                                bool is_file, ngff_store_stage **out,
                                                ngff_error *err);
NGFF_MUST_USE ngff_status ngff_store_stage_publish(ngff_store_stage *stage,
                                                   ngff_error *err);
void ngff_store_stage_discard(ngff_store_stage *stage);
void ngff_store_stage_close(ngff_store_stage **stage);

/* ---- may this directory be replaced? by paths only (foreign.c) */

NGFF_MUST_USE ngff_status ngff_store_foreign_check(const ngff_allocator *a,
                                                   const char *dir, ngff_error *err);
/* The last part of a key that no Zarr store has: neither a document nor a chunk. */
bool ngff_store_foreign_name(const char *name);

/* ---- archives */

/* May this file be replaced? Only an archive with a Zarr document and nothing foreign. */
NGFF_MUST_USE ngff_status ngff_store_zip_foreign_check(const ngff_allocator *a,
                                                       const char *path, ngff_error *err);
/* A directory above `path` that holds a Zarr document, into `out`. */
bool ngff_store_node_above(const char *path, char out[NGFF_STORE_PATH_MAX]);

/* ---- kinds */

/* READ and STAGE. */
NGFF_MUST_USE ngff_status ngff_store_open_zip(const ngff_allocator *a,
                                              const char *location,
                                              const ngff_store_open_opts *opts,
                                              ngff_store **out, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_store_create_zip(const ngff_allocator *a,
                                                const char *location,
                                                const ngff_store_open_opts *opts,
                                                ngff_store **out, ngff_error *err);

NGFF_MUST_USE ngff_status ngff_store_open_fs(const ngff_allocator *a,
                                             const char *location,
                                             const ngff_store_open_opts *opts,
                                             ngff_store **out, ngff_error *err);

#endif
