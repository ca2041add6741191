/* store: key -> bytes. Keys are relative, '/'-separated, validated (no empty, "." or ".."
 * segment, no leading slash, no NUL, no backslash, no control character). All calls on
 * one store may come from any thread; one ngff_store_writer belongs to one thread at a
 * time.
 *
 * A store opened with NGFF_STORE_STAGE writes to a hidden partial sibling and becomes
 * visible as a whole with ngff_store_publish, or never (DESIGN "Publish"). */
#ifndef NGFF_STORE_STORE_H
#define NGFF_STORE_STORE_H

#include "base/base.h"

typedef struct ngff_store ngff_store;
typedef struct ngff_store_writer ngff_store_writer;
typedef struct ngff_spill ngff_spill;
typedef struct ngff_store_archive ngff_store_archive;
struct ngff_file;

typedef enum ngff_durability {
    /* everything flushed before the publishing rename, and the rename (default) */
    NGFF_DURABILITY_PUBLISH = 0,
    NGFF_DURABILITY_NONE = 1, /* rename only */
    NGFF_DURABILITY_EACH = 2  /* also every file as it is finished */
} ngff_durability;

/* ---- the contract a kind of store implements (one file each) ---- */

typedef ngff_status (*ngff_store_list_fn)(void *user, const char *name, bool is_prefix);

typedef struct ngff_store_vtable {
    const char *kind; /* "fs", "memory", "callback", "zip", … */
    ngff_status (*get)(ngff_store *s, const char *key, uint64_t off, size_t size,
                       void *out, size_t *got, ngff_error *err);
    ngff_status (*size)(ngff_store *s, const char *key, uint64_t *size, ngff_error *err);
    ngff_status (*put)(ngff_store *s, const char *key, const void *data, size_t size,
                       ngff_error *err);
    ngff_status (*erase)(ngff_store *s, const char *key, ngff_error *err);
    /* Direct children of `prefix` ("" = root): files with is_prefix false, sub-prefixes
     * true; in byte order of the names. */
    ngff_status (*list)(ngff_store *s, const char *prefix, ngff_store_list_fn fn,
                        void *user, ngff_error *err);
    /* Streaming one value; NULL members: emulated with a buffer and put. */
    ngff_status (*begin)(ngff_store *s, const char *key, ngff_store_writer **out,
                         ngff_error *err);
    ngff_status (*append)(ngff_store_writer *w, const void *data, size_t size,
                          ngff_error *err);
    ngff_status (*commit)(ngff_store_writer *w,
                          ngff_error *err);                 /* frees w, also on failure */
    void (*abort)(ngff_store_writer *w);                    /* frees w, value absent */
    ngff_status (*publish)(ngff_store *s, ngff_error *err); /* NULL: nothing to do */
    void (*discard)(ngff_store *s); /* drop everything unpublished; may be NULL */
    /* Live stores, below; both or neither. NULL: UNSUPPORTED when there is `publish`. */
    ngff_status (*go_live)(ngff_store *s, ngff_error *err);
    ngff_status (*sync)(ngff_store *s, ngff_error *err);
    void (*defer)(ngff_store *s, bool on); /* NULL: nothing is flushed anyhow */
    /* All values under a prefix; NULL: listed and erased one by one. */
    ngff_status (*erase_prefix)(ngff_store *s, const char *prefix, ngff_error *err);
    void (*close)(ngff_store *s); /* frees s itself; never publishes */
    bool names_place;             /* messages already say which file */
    /* Kinds whose bytes lie in one sequence (zip); all or none, NULL elsewhere. See
     * "order" below. */
    ngff_status (*reserve)(ngff_store *s, const char *key, size_t size, ngff_error *err);
    ngff_status (*begin_ranked)(ngff_store *s, const char *key, uint64_t rank,
                                ngff_store_writer **out, ngff_error *err);
    ngff_status (*put_ranked)(ngff_store *s, const char *key, uint64_t rank,
                              const void *data, size_t size, ngff_error *err);
    ngff_status (*skip_rank)(ngff_store *s, uint64_t rank, ngff_error *err);
    void (*lend_spill)(ngff_store *s, ngff_spill *spill);
    void (*note_version)(ngff_store *s, const char *version);
    /* Archives that are read; NULL elsewhere. */
    const ngff_store_archive *(*archive)(const ngff_store *s);
    ngff_status (*crc32)(ngff_store *s, const char *key, uint32_t *crc, ngff_error *err);
} ngff_store_vtable;

typedef enum ngff_store_mode {
    NGFF_STORE_READ = 0,
    NGFF_STORE_STAGE = 1,  /* new content, published as a whole */
    NGFF_STORE_UPDATE = 2, /* change an existing store in place, key by key */
    NGFF_STORE_CHUNKS = 3  /* the chunk half of a pair: new content beside the old */
} ngff_store_mode;

typedef enum ngff_overwrite {
    NGFF_OVERWRITE_NO = 0,
    NGFF_OVERWRITE_IMAGE = 1, /* replaces a Zarr store of nothing but one image */
    NGFF_OVERWRITE_ALL = 2    /* also one that holds labels/, tables/ or other nodes */
} ngff_overwrite;

struct ngff_store {
    const ngff_store_vtable *ops;
    const ngff_allocator *alloc;
    char *location; /* for messages: "out.ome.zarr", "memory://" */
    /* Set by kinds that live at a path of this machine, else NULL; owned by the kind. */
    const char *path;       /* absolute, where the published content is or will be */
    const char *spill_dir;  /* the directory that holds `path` */
    const char *other_path; /* of a pair: where the chunks are */
    ngff_store_mode mode;   /* kinds that are never closed to writing: UPDATE */
    ngff_overwrite overwrite;
    bool alone; /* nobody else writes here: what is unfinished is nobody's */
};
struct ngff_store_writer {
    ngff_store *store;
    uint64_t written;
};

/* ---- opening ---- */

/* Who decides whether an existing output may be replaced (STAGE with overwrite):
 * - the store looks at paths only: a directory that is not empty must have a Zarr
 * document at its root, and everything in it must be a Zarr document or sit where chunks
 * sit; the first foreign file is named (EXISTS). It walks all directories, which costs
 * less than removing them will.
 * - `check` looks at documents: it gets a read-only store of what is there and refuses by
 * EXISTS. ngff_image_check_overwrite has this type: it refuses labels/, tables/ and other
 * nodes. Both are asked at open and again right before the publishing rename. */
typedef ngff_status (*ngff_store_check_fn)(void *user, ngff_store *existing,
                                           ngff_overwrite overwrite, ngff_error *err);

typedef struct ngff_store_open_opts {
    ngff_store_mode mode;
    ngff_overwrite overwrite; /* STAGE only; foreign files are refused at any setting */
    ngff_durability durability;
    ngff_store_check_fn check; /* may be NULL: paths only */
    void *check_user;
} ngff_store_open_opts;

/* By location: a path to a directory, to an archive (*.ozx, *.zip; zip_read.c and
 * zip_write.c: read in place, or staged as one file), or "memory://". STAGE checks the
 * destination at once (EXISTS, foreign files, other nodes; a live writer's partial:
 * EXISTS naming it; a dead one of this host is removed), takes the lock, and again just
 * before the publishing rename. */
NGFF_MUST_USE ngff_status ngff_store_at(const ngff_allocator *a, const char *location,
                                        const ngff_store_open_opts *opts,
                                        ngff_store **out, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_store_open_memory(const ngff_allocator *a,
                                                 ngff_store **out, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_store_of_callbacks(const ngff_allocator *a,
                                                  const ngff_store_ops *ops, void *cookie,
                                                  ngff_store **out, ngff_error *err);
/* Everything under `prefix` of `inner` (borrowed). */
NGFF_MUST_USE ngff_status ngff_store_open_prefix(const ngff_allocator *a,
                                                 ngff_store *inner, const char *prefix,
                                                 ngff_store **out, ngff_error *err);
/* The same, and `inner` is taken, also on failure: it is closed with the new store. */
NGFF_MUST_USE ngff_status ngff_store_open_inside(const ngff_allocator *a,
                                                 ngff_store **inner, const char *prefix,
                                                 ngff_store **out, ngff_error *err);
/* Documents in one store, everything else in another (split.c); both are borrowed, stay
 * open as long as the pair and are published and discarded by it. To read: neither is
 * staged. To write: `metadata` is staged or a kind that is always open to writing, and so
 * is `chunks`, but directories and archives are opened with NGFF_STORE_CHUNKS. The same
 * handle, or the same place, twice: an ordinary store. */
NGFF_MUST_USE ngff_status ngff_store_open_split(const ngff_allocator *a,
                                                ngff_store *metadata, ngff_store *chunks,
                                                ngff_store **out, ngff_error *err);
/* NOT_FOUND, naming the place, when the chunks of what is in the store are in another. */
NGFF_MUST_USE ngff_status ngff_store_check_whole(ngff_store *s, ngff_error *err);
/* Tests: fails the n-th call (1-based) of any kind with NGFF_IO; counts calls in *calls.
 */
NGFF_MUST_USE ngff_status ngff_store_open_fault(const ngff_allocator *a,
                                                ngff_store *inner, uint64_t fail_at,
                                                uint64_t *calls, ngff_store **out,
                                                ngff_error *err);
void ngff_store_drop(ngff_store **store); /* unpublished staged content is discarded */

#define NGFF_STORE_KEY_MAX 1024 /* bytes, with the terminating NUL */

/* ---- using (validate the key, call the table, prefix the place) ---- */

NGFF_MUST_USE ngff_status ngff_store_key_check(const char *key, ngff_error *err);
size_t ngff_store_key_depth(const char *key); /* how many prefixes it lies below */
/* Its last part is the name of a Zarr document, v2 or v3. */
bool ngff_store_key_is_document(const char *key);
NGFF_MUST_USE ngff_status ngff_store_get_range(ngff_store *s, const char *key,
                                               uint64_t off, size_t size, void *out,
                                               size_t *got, ngff_error *err);
/* The whole value appended to `out` (whose ceiling bounds it: LIMIT beyond). */
NGFF_MUST_USE ngff_status ngff_store_get(ngff_store *s, const char *key, ngff_buf *out,
                                         ngff_error *err);
NGFF_MUST_USE ngff_status ngff_store_size(ngff_store *s, const char *key, uint64_t *size,
                                          ngff_error *err);
NGFF_MUST_USE ngff_status ngff_store_put(ngff_store *s, const char *key, const void *data,
                                         size_t size, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_store_erase(ngff_store *s, const char *key,
                                           ngff_error *err);
/* All values under `prefix` (a key; nothing there is OK). Not atomic. */
NGFF_MUST_USE ngff_status ngff_store_erase_prefix(ngff_store *s, const char *prefix,
                                                  ngff_error *err);
NGFF_MUST_USE ngff_status ngff_store_list(ngff_store *s, const char *prefix,
                                          ngff_store_list_fn fn, void *user,
                                          ngff_error *err);
NGFF_MUST_USE ngff_status ngff_store_begin(ngff_store *s, const char *key,
                                           ngff_store_writer **out, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_store_append(ngff_store_writer *w, const void *data,
                                            size_t size, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_store_commit(ngff_store_writer **w, ngff_error *err);
void ngff_store_abort(ngff_store_writer **w);
NGFF_MUST_USE ngff_status ngff_store_publish(ngff_store *s, ngff_error *err);
/* The finished directory `from` gets the name `to` as a store that is published does,
 * data and name flushed: ngff_directory_put of <ngff/ngff.h>. */
NGFF_MUST_USE ngff_status ngff_store_put_directory(const char *from, const char *to,
                                                   bool replace, bool *replaced,
                                                   ngff_error *err);
/* Publishes what is there as ngff_store_publish does; what is put from now on appears in
 * its place value by value, each of them whole, and no other writer may replace the store
 * before it is closed. UNSUPPORTED for kinds that appear as one piece. */
NGFF_MUST_USE ngff_status ngff_store_go_live(ngff_store *s, ngff_error *err);
/* The same refusal before anything is written. */
NGFF_MUST_USE ngff_status ngff_store_check_live(const ngff_store *s, ngff_error *err);
/* Live: the values put so far, which are not flushed one by one (documents are), will
 * last. Others: nothing. */
NGFF_MUST_USE ngff_status ngff_store_sync(ngff_store *s, ngff_error *err);
/* In an update every value is flushed before it gets its name. While deferred, only
 * documents are: for values that no document names before ngff_store_sync was called. */
void ngff_store_defer(ngff_store *s, bool on);
/* True when location names the same file or directory as `path` or one contains the
 * other. */
bool ngff_store_overlaps(const ngff_store *s, const char *path);
/* The directory beside which spill files may live: the parent of an fs/zip destination,
 * else NULL. */
const char *ngff_store_spill_dir(const ngff_store *s);

/* ---- order: stores that are one sequence of bytes (docs/decisions/0004-ozx-order.md)
 *
 * In an archive every value has a place. Documents are reserved before anything else, in
 * the order they shall have; putting a reserved key fills its place, padded with spaces
 * (JSON allows them). Data comes by rank: the ranks from 0 on are each put, begun or
 * skipped exactly once, by any thread in any order, and lie in the archive in the order
 * of their ranks. What comes early waits, encoded, in the spill. Other kinds ignore
 * ranks and reservations. ---- */

/* May values be put, and put again, one by one? Archives are written in one pass. */
bool ngff_store_is_changeable(const ngff_store *s);
/* Do ranks and reservations mean something here? */
bool ngff_store_is_ordered(const ngff_store *s);
NGFF_MUST_USE ngff_status ngff_store_reserve(ngff_store *s, const char *key, size_t size,
                                             ngff_error *err);
NGFF_MUST_USE ngff_status ngff_store_begin_ranked(ngff_store *s, const char *key,
                                                  uint64_t rank, ngff_store_writer **out,
                                                  ngff_error *err);
NGFF_MUST_USE ngff_status ngff_store_put_ranked(ngff_store *s, const char *key,
                                                uint64_t rank, const void *data,
                                                size_t size, ngff_error *err);
/* No value has this rank. */
NGFF_MUST_USE ngff_status ngff_store_skip_rank(ngff_store *s, uint64_t rank,
                                               ngff_error *err);
/* Where early values wait from now on: the budget is the lender's. NULL takes it back
 * and drops what still waits in it (then the store cannot be published any more).
 * Without a lent spill the store uses a file of its own. */
void ngff_store_lend_spill(ngff_store *s, ngff_spill *spill);
/* OME-Zarr version, for the archive's comment (RFC-9, OZX-11). */
void ngff_store_note_version(ngff_store *s, const char *version);
/* Is (or will be) a file that RFC-9 speaks of: an archive named *.ozx. */
bool ngff_store_is_ozx(const ngff_store *s);

/* What an archive that is read looks like, for reports on RFC-9. Owned by the store. */
struct ngff_store_archive {
    const char *comment; /* NUL-terminated; comment_size may be more than its strlen */
    size_t comment_size;
    uint64_t entry_count; /* names, without directories */
    uint64_t directory_count;
    bool zip64;
    bool duplicates;
    bool breadth_first;       /* documents by depth, in the central directory */
    bool json_first;          /* of the central directory: what the comment may claim */
    const char *late_central; /* first document behind other entries; NULL: none */
    const char *late_local;   /* … in the order of the bytes */
    const char *first_central, *first_local; /* names of the first entries, or NULL */
    uint64_t deflated_count;
    const char *deflated; /* the first compressed entry, or NULL */
    const char *embedded; /* an entry that is an archive itself, or NULL */
    const char *folder;   /* the hierarchy lies in this folder of the archive; "": no */
    const char *parent;   /* a directory above that is a Zarr node, or NULL */
    bool root;            /* a Zarr document was found, at the root or in the folder */
};
/* NULL when the store is not an archive that is read. */
const ngff_store_archive *ngff_store_archive_of(const ngff_store *s);
/* The CRC-32 that an archive tells of a value; UNSUPPORTED elsewhere. */
NGFF_MUST_USE ngff_status ngff_store_crc32(ngff_store *s, const char *key, uint32_t *crc,
                                           ngff_error *err);

/* ---- claims: who may write what, among all processes (claims.c). Names are taken inside
 * the directory of a store that is updated; a name belongs to who took it until it drops
 * it, closes, or its process dies. Other kinds of stores are seen by one process only:
 * there *out is NULL, which every call takes for "nobody else". ---- */

typedef struct ngff_claims ngff_claims;
NGFF_MUST_USE ngff_status ngff_claims_open(const ngff_store *s, ngff_claims **out,
                                           ngff_error *err);
/* EXISTS when somebody alive has it. Once for each name. */
NGFF_MUST_USE ngff_status ngff_claims_take(ngff_claims *c, const char *name,
                                           ngff_error *err);
void ngff_claims_drop(ngff_claims *c, const char *name);
void ngff_claims_close(ngff_claims **c); /* after dropping all */
/* EXISTS when any writer that is alive has claims open here, also the caller's own. */
NGFF_MUST_USE ngff_status ngff_claims_check(const ngff_store *s, ngff_error *err);

/* ---- spill: bytes that wait, in memory up to a budget, then in one unlinked file ----
 */

/* The first mem_size bytes are in memory, the others in the file from `off` on. What was
 * put is in one of them as a whole. */
typedef struct ngff_spill_ticket {
    uint64_t off;
    size_t size, mem_size;
    void *mem;
    uint32_t piece; /* of the spill: 1 + the memory that `mem` lies in; 0: its own */
} ngff_spill_ticket;

typedef struct ngff_spill_opts {
    const char *dir; /* NULL: temporary directory */
    size_t memory;   /* bytes kept in memory */
    bool no_file;    /* LIMIT instead of a file (--no-spill) */
} ngff_spill_opts;

NGFF_MUST_USE ngff_status ngff_spill_create(const ngff_allocator *a,
                                            const ngff_spill_opts *opts, ngff_spill **out,
                                            ngff_error *err);
void ngff_spill_close(ngff_spill **spill);
/* Thread-safe. put copies the bytes; take copies them out and frees the room. While they
 * are in memory (mem_size is size) they may be read there until take or drop. */
NGFF_MUST_USE ngff_status ngff_spill_put(ngff_spill *s, const void *data, size_t size,
                                         ngff_spill_ticket *ticket, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_spill_take(ngff_spill *s, ngff_spill_ticket *ticket,
                                          void *out, ngff_error *err);
void ngff_spill_drop(ngff_spill *s, ngff_spill_ticket *ticket);
/* Room for `size` bytes at once, written and read by ranges (retained levels, windows):
 * in memory when it fits the rest of the budget, else its end is in the file. */
NGFF_MUST_USE ngff_status ngff_spill_reserve(ngff_spill *s, uint64_t size,
                                             ngff_spill_ticket *ticket, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_spill_write(ngff_spill *s, const ngff_spill_ticket *ticket,
                                           uint64_t off, const void *data, size_t size,
                                           ngff_error *err);
NGFF_MUST_USE ngff_status ngff_spill_read(ngff_spill *s, const ngff_spill_ticket *ticket,
                                          uint64_t off, void *out, size_t size,
                                          ngff_error *err);
/* The whole of a ticket to `path`, open as `to`, without a buffer in between. */
NGFF_MUST_USE ngff_status ngff_spill_copy(ngff_spill *s, const ngff_spill_ticket *ticket,
                                          const struct ngff_file *to, uint64_t off,
                                          const char *path, ngff_error *err);
uint64_t
ngff_spill_file_bytes(const ngff_spill *s); /* high-water mark, for reports and tests */

#endif
