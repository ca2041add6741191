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

/* ---- the calls of store.h without a look at the key, for the store's own names and for
 * wrappers, whose keys were looked at (store.c) */

NGFF_MUST_USE ngff_status ngff_store_own_range(ngff_store *s, const char *key,
                                               uint64_t off, size_t size, void *out,
                                               size_t *got, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_store_own_get(ngff_store *s, const char *key,
                                             ngff_buf *out, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_store_own_size(ngff_store *s, const char *key,
                                              uint64_t *size, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_store_own_put(ngff_store *s, const char *key,
                                             const void *data, size_t size,
                                             ngff_error *err);
NGFF_MUST_USE ngff_status ngff_store_own_erase(ngff_store *s, const char *key,
                                               ngff_error *err);

/* Is it a key, if names of the store's own may be in it? */
bool ngff_store_own_key(const char *key);

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

/* ---- claims (claims.c): EXISTS when somebody alive has any in `dir` */

NGFF_MUST_USE ngff_status ngff_store_claims_check(const ngff_allocator *a,
                                                  const char *dir, ngff_error *err);

/* ---- may this directory be replaced? by paths only (foreign.c) */

NGFF_MUST_USE ngff_status ngff_store_foreign_check(const ngff_allocator *a,
                                                   const char *dir, ngff_error *err);
/* The same for the chunk half of a pair: nothing but chunks in generations. */
NGFF_MUST_USE ngff_status ngff_store_foreign_chunks(const ngff_allocator *a,
                                                    const char *dir, ngff_error *err);
/* The last part of a key that no store has: no document, no chunk, no name of our own. */
bool ngff_store_foreign_name(const char *name);

/* ---- the halves of a pair (pair.c; the layout is docs/decisions/0006-chunk-store.md) */

#define NGFF_STORE_PAIR_KEY ".ngff-chunks"           /* in the metadata half */
#define NGFF_STORE_GENERATION_KEY ".ngff-generation" /* in a generation, put first */
#define NGFF_STORE_USED_KEY ".ngff-used" /* in the chunk half: one was published */
#define NGFF_STORE_GENERATION_MAX 24

typedef struct ngff_store_generation {
    char name[NGFF_STORE_GENERATION_MAX]; /* "gen-0123456789abcdef"; "": none */
} ngff_store_generation;

bool ngff_store_is_generation(const char *name);
/* What the metadata half names; `documents` (may be NULL) is told every document that
 * was being put when its writer ended. NOT_FOUND: it is no half. */
NGFF_MUST_USE ngff_status ngff_store_pair_read(ngff_store *metadata,
                                               ngff_store_generation *out,
                                               ngff_store *documents, bool *unfinished,
                                               ngff_error *err);
/* Calls fn(user, key) for every document of a store. */
typedef ngff_status (*ngff_store_key_fn)(void *user, const char *key);
NGFF_MUST_USE ngff_status ngff_store_documents_each(ngff_store *s, ngff_store_key_fn fn,
                                                    void *user, ngff_error *err);
/* Makes the documents of `to` those of `from`, one by one. */
NGFF_MUST_USE ngff_status ngff_store_documents_put(ngff_store *from, ngff_store *to,
                                                   ngff_error *err);
/* Names `g`; `documents` (may be NULL): they are about to be put. */
NGFF_MUST_USE ngff_status ngff_store_pair_name(ngff_store *metadata, ngff_store *chunks,
                                               const ngff_store_generation *g,
                                               ngff_store *documents, ngff_error *err);
/* Is the generation there, as far as its first key tells? */
NGFF_MUST_USE ngff_status ngff_store_generation_check(ngff_store *chunks,
                                                      const ngff_store_generation *g,
                                                      ngff_error *err);
/* A fresh generation in `chunks`. What is there is looked at first: EXISTS unless it is
 * `old` (which the metadata to be replaced names) or was never published, which goes. */
NGFF_MUST_USE ngff_status ngff_store_generation_begin(ngff_store *chunks,
                                                      const ngff_store_generation *old,
                                                      const char *metadata,
                                                      ngff_store_generation *out,
                                                      ngff_error *err);
/* Its first key goes first: a reader that misses a chunk then sees why. */
NGFF_MUST_USE ngff_status ngff_store_generation_remove(ngff_store *chunks,
                                                       const ngff_store_generation *g,
                                                       ngff_error *err);
/* `g` is published: the others go, as far as they can. */
void ngff_store_generation_settle(ngff_store *chunks, const ngff_store_generation *g,
                                  const ngff_store_generation *old);

/* ---- the chunk half in a directory (chunk_dir.c) */

typedef struct ngff_store_chunk_dir {
    const char *path; /* borrowed */
    ngff_lock lock;   /* fd -1: not held; on ".ngff-lock" in it, for life */
    size_t there;     /* this much of the path was there before; all: 0 */
} ngff_store_chunk_dir;

/* Makes it if need be, locks it (EXISTS: another writer), looks for foreign files. */
NGFF_MUST_USE ngff_status ngff_store_chunk_dir_open(ngff_store_chunk_dir *c,
                                                    const ngff_allocator *a,
                                                    const char *path, ngff_error *err);
/* Only keys below a generation, and names of our own, are written. */
NGFF_MUST_USE ngff_status ngff_store_chunk_dir_key(const ngff_store_chunk_dir *c,
                                                   const char *key, ngff_error *err);
/* Removes the directories that were made here, if they are empty. */
void ngff_store_chunk_dir_discard(ngff_store_chunk_dir *c);
void ngff_store_chunk_dir_close(ngff_store_chunk_dir *c);

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
