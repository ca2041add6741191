/* tiff: what the TIFF files of this room share. A *set* is one or more TIFF files read as
 * one image: their page tables, a bounded number of open files, a cache of decoded tiles
 * and a pool of libtiff decoders. A *series* is one image of the set: which page holds
 * which plane.
 *
 * Page tables come from our own bounded walk over the IFDs (TIFF 6.0 section 2, BigTIFF),
 * so that a stack of 10,000 pages opens fast; libtiff sees one directory per *layout*
 * (pages that are decoded alike share it) and is then fed compressed bytes that we read.
 * Uncompressed pixels never pass through it.
 *
 * Ownership: the set owns everything in it. Threads: opening is one thread's; afterwards
 * files, cache and decoders may be used by any number of threads, the tables are
 * read-only. */
#ifndef NGFF_SOURCE_TIFF_H
#define NGFF_SOURCE_TIFF_H

#include "source/kinds.h"
#include "sys/sys.h"

#include <stdatomic.h>
#include <stdio.h>

#define NGFF_TIFF_NONE UINT32_MAX /* no page, no layout */

/* Tags (TIFF 6.0, libtiff and Adobe supplements). */
enum {
    NGFF_TIFF_SUBFILE = 254,
    NGFF_TIFF_WIDTH = 256,
    NGFF_TIFF_HEIGHT = 257,
    NGFF_TIFF_BITS = 258,
    NGFF_TIFF_COMPRESSION = 259,
    NGFF_TIFF_PHOTOMETRIC = 262,
    NGFF_TIFF_FILL_ORDER = 266,
    NGFF_TIFF_DESCRIPTION = 270,
    NGFF_TIFF_STRIP_OFFSETS = 273,
    NGFF_TIFF_SAMPLES = 277,
    NGFF_TIFF_ROWS = 278,
    NGFF_TIFF_STRIP_COUNTS = 279,
    NGFF_TIFF_X_RESOLUTION = 282,
    NGFF_TIFF_Y_RESOLUTION = 283,
    NGFF_TIFF_PLANAR = 284,
    NGFF_TIFF_RESOLUTION_UNIT = 296,
    NGFF_TIFF_PREDICTOR = 317,
    NGFF_TIFF_TILE_WIDTH = 322,
    NGFF_TIFF_TILE_HEIGHT = 323,
    NGFF_TIFF_TILE_OFFSETS = 324,
    NGFF_TIFF_TILE_COUNTS = 325,
    NGFF_TIFF_SUBIFDS = 330,
    NGFF_TIFF_FORMAT = 339,
    NGFF_TIFF_JPEG_TABLES = 347,
    NGFF_TIFF_SUBSAMPLING = 530,
    NGFF_TIFF_DEPTH = 32997
};

/* ---- files and directories (tiff_dir.c)
 * -------------------------------------------------- */

typedef struct ngff_tiff_file {
    char *path;
    ngff_file file; /* -1: closed for now */
    uint32_t pins;
    uint64_t used; /* clock of its last use */
    uint64_t size;
    uint64_t first_ifd;
    bool big_endian;
    bool bigtiff;
    uint32_t page_first; /* its chain of IFDs in set->pages */
    uint32_t page_count;
} ngff_tiff_file;

/* One IFD with the bytes that follow it: small values are usually right behind. */
typedef struct ngff_tiff_dir {
    const ngff_allocator *alloc;
    const ngff_tiff_file *file; /* borrowed */
    unsigned char *bytes;       /* owned window of the file from `offset` on */
    size_t size, capacity;
    uint64_t offset, next;
    uint32_t count;
} ngff_tiff_dir;

typedef struct ngff_tiff_tag {
    uint16_t type;
    uint64_t count;
    uint64_t at;      /* where its values are in the file */
    size_t item_size; /* bytes of one value */
} ngff_tiff_tag;

/* Reads exactly `size` bytes; FORMAT when the file ends before. */
NGFF_MUST_USE ngff_status ngff_tiff_pread(const ngff_tiff_file *f, void *out, size_t size,
                                          uint64_t off, ngff_error *err);
/* Fills byte order, size, first_ifd of an open file. */
NGFF_MUST_USE ngff_status ngff_tiff_read_header(ngff_tiff_file *f, ngff_error *err);
void ngff_tiff_dir_init(ngff_tiff_dir *d, const ngff_allocator *a);
void ngff_tiff_dir_reset(ngff_tiff_dir *d);
NGFF_MUST_USE ngff_status ngff_tiff_dir_read(ngff_tiff_dir *d, const ngff_tiff_file *f,
                                             uint64_t offset, ngff_error *err);
bool ngff_tiff_dir_find(const ngff_tiff_dir *d, int tag, ngff_tiff_tag *out);
/* Value `idx` of an integer tag; `fallback` when the tag is missing or has fewer values.
 */
NGFF_MUST_USE ngff_status ngff_tiff_dir_uint(const ngff_tiff_dir *d, int tag,
                                             uint64_t idx, uint64_t fallback,
                                             uint64_t *out, ngff_error *err);
/* A RATIONAL as a double; 0 when missing or without meaning. */
NGFF_MUST_USE ngff_status ngff_tiff_dir_rational(const ngff_tiff_dir *d, int tag,
                                                 double *out, ngff_error *err);
/* ASCII or bytes as NUL-terminated text, owned by the caller; *out NULL when missing. */
NGFF_MUST_USE ngff_status ngff_tiff_dir_text(const ngff_tiff_dir *d, int tag, char **out,
                                             size_t *size, ngff_error *err);
uint64_t ngff_tiff_load(const ngff_tiff_file *f, const unsigned char *p, size_t size);

/* ---- pages (tiff_page.c)
 * ----------------------------------------------------------------- */

/* What pages must share to be decoded by the same decoder. */
typedef struct ngff_tiff_layout {
    uint32_t width, height;
    uint32_t unit_w, unit_h; /* a tile, or a strip as wide as the page */
    uint16_t bits, samples, format, compression, photometric, predictor, fill_order;
    uint16_t sub_x, sub_y; /* YCbCr subsampling */
    bool tiled, separate, big_endian;
    uint64_t tables; /* hash of the JPEG tables */
    /* derived from the above */
    ngff_dtype dtype;
    uint16_t chunky; /* samples that lie together: 1 when separate */
    bool direct;     /* uncompressed whole bytes: read without libtiff */
    uint32_t across, down;
    uint64_t units;    /* per page */
    size_t unit_bytes; /* decoded, as dtype */
    uint32_t page;     /* the first page that has it */
    char refusal[112]; /* why it cannot be read, or "" */
} ngff_tiff_layout;

typedef struct ngff_tiff_page {
    uint64_t ifd;
    uint64_t offsets_at, counts_at; /* the arrays of offsets and of byte counts */
    _Atomic uint64_t data_at; /* pixels lie together from here on; 0 unknown, MAX no */
    uint32_t file;
    uint32_t layout;
    uint32_t units; /* entries of the arrays */
    uint8_t offsets_size, counts_size;
    bool reduced; /* NewSubfileType says: a reduced image of another */
} ngff_tiff_page;

typedef struct ngff_tiff_cache ngff_tiff_cache;
typedef struct ngff_tiff_pool ngff_tiff_pool;

#define NGFF_TIFF_SEGMENT 4096 /* pages in one */
#define NGFF_TIFF_SEGMENTS 2048
#define NGFF_TIFF_LAYOUTS 1024

typedef struct ngff_tiff_set {
    const ngff_allocator *alloc;
    ngff_tiff_file *files;
    uint32_t file_count, file_capacity;
    uint32_t open_count;
    uint64_t clock;
    ngff_mutex *lock; /* files, and pages that are added after opening */
    /* In segments, so that adding pages moves none that another thread looks at. */
    ngff_tiff_page *segments[NGFF_TIFF_SEGMENTS];
    uint32_t page_count;
    ngff_tiff_layout *layouts[NGFF_TIFF_LAYOUTS];
    uint32_t layout_count;
    ngff_tiff_cache *cache;
    ngff_tiff_pool *pool;
} ngff_tiff_set;

static inline ngff_tiff_page *ngff_tiff_page_at(const ngff_tiff_set *s, uint32_t idx) {
    assert(idx / NGFF_TIFF_SEGMENT < NGFF_TIFF_SEGMENTS);
    return &s->segments[idx / NGFF_TIFF_SEGMENT][idx % NGFF_TIFF_SEGMENT];
}
static inline const ngff_tiff_layout *ngff_tiff_layout_of(const ngff_tiff_set *s,
                                                          const ngff_tiff_page *p) {
    assert(p->layout < NGFF_TIFF_LAYOUTS);
    return s->layouts[p->layout];
}

/* Adds the file's chain of IFDs to set->pages. Safe against loops. */
NGFF_MUST_USE ngff_status ngff_tiff_walk(ngff_tiff_set *s, uint32_t file,
                                         ngff_error *err);
/* Appends the page that `d` holds (of a chain, or a SubIFD), with its layout. A directory
 * without pixels becomes a page without a layout. After opening: under set->lock. */
NGFF_MUST_USE ngff_status ngff_tiff_page_add(ngff_tiff_set *s, uint32_t file,
                                             const ngff_tiff_dir *d, uint32_t *idx,
                                             ngff_error *err);
/* Decoded bytes of one page as an array of its dtype. */
uint64_t ngff_tiff_page_bytes(const ngff_tiff_layout *l);
const char *ngff_tiff_compression_name(int compression);
/* The same shape, samples and type: planes of one image. */
bool ngff_tiff_same_pixels(const ngff_tiff_layout *a, const ngff_tiff_layout *b);

/* ---- set (tiff_set.c)
 * -------------------------------------------------------------------- */

NGFF_MUST_USE ngff_status ngff_tiff_set_init(ngff_tiff_set *s, const ngff_allocator *a,
                                             size_t memory, int threads, ngff_error *err);
void ngff_tiff_set_reset(ngff_tiff_set *s);
/* Opens `path`, walks it, and answers its index. */
NGFF_MUST_USE ngff_status ngff_tiff_set_add(ngff_tiff_set *s, const char *path,
                                            uint32_t *file, ngff_error *err);
/* The open file, reopened when it was closed to spare descriptors; unpin when done. */
NGFF_MUST_USE ngff_status ngff_tiff_pin(ngff_tiff_set *s, uint32_t file,
                                        const ngff_tiff_file **out, ngff_error *err);
void ngff_tiff_unpin(ngff_tiff_set *s, uint32_t file);
/* The same for one who holds set->lock. */
NGFF_MUST_USE ngff_status ngff_tiff_pin_locked(ngff_tiff_set *s, uint32_t file,
                                               const ngff_tiff_file **out,
                                               ngff_error *err);
void ngff_tiff_unpin_locked(ngff_tiff_set *s, uint32_t file);
/* The IFD of a page, e.g. to look for further tags. The caller has the page's file pinned
 * while it uses `d`. */
NGFF_MUST_USE ngff_status ngff_tiff_page_dir(ngff_tiff_set *s, uint32_t page,
                                             ngff_tiff_dir *d, ngff_error *err);

/* ---- cache (tiff_cache.c)
 * ---------------------------------------------------------------- */

/* Bytes under the key (page, unit): decoded units, and offset tables as unit
 * NGFF_TIFF_TABLE. */
#define NGFF_TIFF_TABLE UINT64_MAX
typedef struct ngff_tiff_blob {
    void *data;
    size_t size;
    uint64_t unit;
    uint32_t page;
    uint32_t pins;
    bool loading;
    struct ngff_tiff_blob *chain;       /* of the hash bucket */
    struct ngff_tiff_blob *prev, *next; /* by last use; only when not pinned */
} ngff_tiff_blob;

NGFF_MUST_USE ngff_status ngff_tiff_cache_open(const ngff_allocator *a, size_t budget,
                                               ngff_tiff_cache **out, ngff_error *err);
void ngff_tiff_cache_close(ngff_tiff_cache **c);
size_t ngff_tiff_cache_budget(const ngff_tiff_cache *c);
/* Answers a pinned blob. *fill: it is new, the caller writes `size` bytes to data and
 * calls ngff_tiff_cache_filled; other threads that want it wait until then. */
NGFF_MUST_USE ngff_status ngff_tiff_cache_get(ngff_tiff_cache *c, uint32_t page,
                                              uint64_t unit, size_t size,
                                              ngff_tiff_blob **out, bool *fill,
                                              ngff_error *err);
/* ok: keeps it and wakes the waiting. Not ok: drops it (the caller's pin too). */
void ngff_tiff_cache_filled(ngff_tiff_cache *c, ngff_tiff_blob *b, bool ok);
void ngff_tiff_cache_release(ngff_tiff_cache *c, ngff_tiff_blob *b);

/* ---- decoders (tiff_decode.c)
 * ------------------------------------------------------------ */

NGFF_MUST_USE ngff_status ngff_tiff_pool_open(const ngff_allocator *a, int threads,
                                              ngff_tiff_pool **out, ngff_error *err);
void ngff_tiff_pool_close(ngff_tiff_pool **p);
/* Decodes `unit` of `page` (its compressed bytes at `off`) into `out`, unit_h x unit_w x
 * chunky elements of the layout's dtype in native order. */
NGFF_MUST_USE ngff_status ngff_tiff_decode(ngff_tiff_set *s, uint32_t page, uint64_t unit,
                                           uint64_t off, uint64_t size, void *out,
                                           ngff_error *err);
bool ngff_tiff_can_decode(int compression);

/* ---- reading (tiff_read.c)
 * --------------------------------------------------------------- */

/* `box` = {y, x} of a page and its samples [first, first + count); `out` = 3-D view y, x,
 * samples. `plane`: for pages that stand for many planes (ImageJ), which one. */
typedef struct ngff_tiff_request {
    uint32_t page;
    uint64_t plane;
    int64_t y, x, h, w;
    int64_t sample, samples;
} ngff_tiff_request;
/* Where the pixels of an uncompressed page lie together; UINT64_MAX when they do not. */
NGFF_MUST_USE ngff_status ngff_tiff_data_at(ngff_tiff_set *s, uint32_t page, uint64_t *at,
                                            ngff_error *err);
/* The page's pixels lie inside its file: a truncated file is better refused when it is
 * opened than hours later. */
NGFF_MUST_USE ngff_status ngff_tiff_check_reach(ngff_tiff_set *s, uint32_t page,
                                                ngff_error *err);
NGFF_MUST_USE ngff_status ngff_tiff_read_page(ngff_tiff_set *s,
                                              const ngff_tiff_request *r,
                                              const ngff_view *out, ngff_error *err);

#endif
