/* zip_line: the places of an archive that is being written, and who may take the next
 * one (docs/decisions/0004-ozx-order.md).
 *
 * An entry of known size gets its place under the lock and is written outside of it, so
 * that several threads write at once. An entry that is streamed holds the turn until its
 * size is known: nobody else gets a place meanwhile. Whoever may not go yet leaves its
 * bytes in the spill and goes away; the thread that ends a turn, or fills the gap in the
 * ranks, carries over what waits behind it. Nobody waits for anybody.
 *
 * Owned by one archive (zip_write.c). Every function may be called by any thread unless
 * it says otherwise. */
#ifndef NGFF_STORE_ZIP_LINE_H
#define NGFF_STORE_ZIP_LINE_H

#include "store/inside.h"
#include "zip/zip.h"

/* An entry with a place. */
typedef struct ngff_zip_slot {
    ngff_zip_entry entry; /* its name is owned */
    bool reserved;        /* a document: put fills it, any number of times */
    bool pending;         /* … and has not yet */
} ngff_zip_slot;

/* An entry on its way: with its bytes in the spill, or (turn) in the archive. */
typedef struct ngff_zip_parcel {
    struct ngff_zip_parcel *next; /* unranked ones form a queue */
    char *name;                   /* owned, until it has a place */
    bool ranked;
    uint64_t rank;
    uint64_t size;
    uint32_t crc;
    bool turn;      /* streams into the archive */
    uint64_t start; /* … where its local header will be */
    ngff_spill_ticket *part;
    size_t part_count, part_room;
} ngff_zip_parcel;

typedef struct ngff_zip_early { /* a binary heap, the lowest rank first */
    uint64_t rank;
    ngff_zip_parcel *parcel; /* NULL: nothing has this rank */
} ngff_zip_early;

typedef struct ngff_zip_line {
    const ngff_allocator *alloc;
    const char *path;      /* for messages; borrowed */
    const char *spill_dir; /* borrowed */
    ngff_file file;
    ngff_mutex *mutex; /* guards all below */
    ngff_zip_slot *slot;
    size_t slot_count, slot_room;
    size_t *index; /* open addressing by name: slot + 1; a power of two of them */
    size_t index_size;
    uint64_t tail; /* where the next entry begins */
    uint64_t next_rank;
    ngff_zip_parcel *turn; /* the one that streams, or NULL */
    ngff_zip_early *early;
    size_t early_count, early_room;
    ngff_zip_parcel *queue, **queue_end;
    ngff_spill *spill; /* lent or own */
    bool own_spill;
    ngff_status failed; /* the first failure; nothing goes on after it */
    ngff_error first;
} ngff_zip_line;

NGFF_MUST_USE ngff_status ngff_zip_line_init(ngff_zip_line *line, const ngff_allocator *a,
                                             ngff_error *err);
void ngff_zip_line_reset(ngff_zip_line *line); /* one thread */

/* A place for a document of `size` bytes, filled later. */
NGFF_MUST_USE ngff_status ngff_zip_line_reserve(ngff_zip_line *line, const char *name,
                                                uint64_t size, ngff_error *err);
/* Fills a reserved place. *found false: there is none of this name. */
NGFF_MUST_USE ngff_status ngff_zip_line_fill(ngff_zip_line *line, const char *name,
                                             const void *data, size_t size, bool *found,
                                             ngff_error *err);
/* A parcel to put or to stream; free: before its bytes were sent. */
NGFF_MUST_USE ngff_status ngff_zip_parcel_new(const ngff_zip_line *line, const char *name,
                                              ngff_zip_parcel **out, ngff_error *err);
/* The whole value at once; takes the parcel, also on failure. */
NGFF_MUST_USE ngff_status ngff_zip_line_put(ngff_zip_line *line, ngff_zip_parcel *parcel,
                                            const void *data, size_t size,
                                            ngff_error *err);
/* Piece by piece, by one thread at a time; close takes the parcel, also on failure. */
NGFF_MUST_USE ngff_status ngff_zip_line_append(ngff_zip_line *line,
                                               ngff_zip_parcel *parcel, const void *data,
                                               size_t size, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_zip_line_close(ngff_zip_line *line,
                                              ngff_zip_parcel *parcel, ngff_error *err);
void ngff_zip_line_abort(ngff_zip_line *line, ngff_zip_parcel *parcel);
NGFF_MUST_USE ngff_status ngff_zip_line_skip(ngff_zip_line *line, uint64_t rank,
                                             ngff_error *err);
/* One thread, while no parcel is on its way. */
void ngff_zip_line_lend(ngff_zip_line *line, ngff_spill *spill);
/* A copy of what has a place and its bytes; false: nothing of this name. */
bool ngff_zip_line_find(ngff_zip_line *line, const char *name, ngff_zip_entry *out);
/* Everything is in its place, else INVALID naming what is not. One thread. */
NGFF_MUST_USE ngff_status ngff_zip_line_check(ngff_zip_line *line, ngff_error *err);

#endif
