/* store: bytes that wait. In memory while the budget lasts, then in one unlinked file
 * whose free ranges are used again. What is small lies in pieces of memory that are kept:
 * asking the C library for each chunk would fault its pages in again and again. One mutex
 * guards the books; copying and file transfers happen outside of it. */
#include "store/extents.h"
#include "store/inside.h"

/* Of a piece, and of the budget that is worth pieces. */
#define PIECE_MOST ((size_t)8 << 20)
#define PIECE_LEAST ((size_t)256 << 10)
/* Parts of the budget: a piece, at most; what a room leaves that is too large for it. */
enum { PIECES_LEAST = 8, LEFT_BY_ROOMS = 4, ROUND = 64 };

/* Memory for many small tickets; bytes NULL: a free place in the list. */
typedef struct piece {
    char *bytes;
    ngff_extents books;
} piece;

struct ngff_spill {
    const ngff_allocator *alloc;
    ngff_mutex *mutex;
    char *dir;
    size_t memory, memory_used; /* pieces count as a whole */
    size_t piece_size;          /* 0: no pieces */
    piece *piece;
    size_t piece_count, piece_room;
    bool no_file;
    ngff_file file; /* opened when first needed */
    ngff_extents books;
    uint64_t high; /* the largest `books.end` so far */
};

static const char *default_dir(void) {
    const char *dir = ngff_sys_getenv("TMPDIR");
    return dir && *dir ? dir : "/tmp";
}

/* Where no file may help, the budget is what must wait and no byte more: no pieces, whose
 * ends stay empty. */
static size_t piece_size_for(const ngff_spill_opts *opts) {
    size_t size = opts->memory / PIECES_LEAST;
    size = size < PIECE_MOST ? size : PIECE_MOST;
    return size < PIECE_LEAST || opts->no_file ? 0 : size / ROUND * ROUND;
}

ngff_status ngff_spill_create(const ngff_allocator *a, const ngff_spill_opts *opts,
                              ngff_spill **out, ngff_error *err) {
    *out = NULL;
    ngff_spill *s = ngff_calloc(a, 1, sizeof *s);
    if (!s)
        return ngff_fail_nomem(err, "the spill", sizeof *s);
    s->alloc = a;
    s->memory = opts->memory;
    s->piece_size = piece_size_for(opts);
    s->no_file = opts->no_file;
    s->file = (ngff_file)NGFF_FILE_INIT;
    s->books = (ngff_extents){.alloc = a, .limit = INT64_MAX};
    s->dir = ngff_strdup(a, opts->dir ? opts->dir : default_dir());
    ngff_status status = ngff_mutex_create(a, &s->mutex, err);
    if (status == NGFF_OK && !s->dir)
        status = ngff_fail_nomem(err, "the spill", sizeof *s);
    if (status != NGFF_OK)
        ngff_spill_close(&s);
    *out = s;
    return status;
}

static void drop_piece(ngff_spill *s, piece *p) {
    ngff_free_aligned(s->alloc, p->bytes);
    ngff_extents_reset(&p->books);
    p->bytes = NULL;
}

void ngff_spill_close(ngff_spill **spill) {
    ngff_spill *s = *spill;
    *spill = NULL;
    if (!s)
        return;
    for (size_t i = 0; i < s->piece_count; i++)
        drop_piece(s, &s->piece[i]);
    ngff_free(s->alloc, s->piece);
    ngff_file_close(&s->file);
    ngff_mutex_close(&s->mutex);
    ngff_extents_reset(&s->books);
    ngff_free(s->alloc, s->dir);
    ngff_free(s->alloc, s);
}

/* ---- pieces; all with the mutex held ---- */

static size_t left(const ngff_spill *s) {
    return s->memory - s->memory_used;
}

static uint64_t rounded(uint64_t size) {
    return (size + ROUND - 1) / ROUND * ROUND;
}

/* A place for a new piece in the list, or NULL. */
static piece *free_place(ngff_spill *s) {
    for (size_t i = 0; i < s->piece_count; i++) {
        if (!s->piece[i].bytes)
            return &s->piece[i];
    }
    if (s->piece_count == s->piece_room) {
        size_t room = s->piece_room ? s->piece_room * 2 : PIECES_LEAST;
        piece *grown = ngff_realloc(s->alloc, s->piece, s->piece_room * sizeof *grown,
                                    room * sizeof *grown);
        if (!grown)
            return NULL;
        s->piece = grown;
        s->piece_room = room;
    }
    piece *p = &s->piece[s->piece_count++];
    *p = (piece){.books = {.alloc = s->alloc, .limit = s->piece_size}};
    return p;
}

static piece *new_piece(ngff_spill *s) {
    piece *p = s->piece_size <= left(s) ? free_place(s) : NULL;
    if (!p)
        return NULL;
    p->bytes = ngff_alloc_aligned(s->alloc, s->piece_size);
    if (!p->bytes)
        return NULL;
    ngff_memory_prefer_large(p->bytes, s->piece_size);
    s->memory_used += s->piece_size;
    return p;
}

/* False: too large for a piece, or all are full and memory is left for no other. */
static bool book_in_piece(ngff_spill *s, uint64_t size, ngff_spill_ticket *ticket) {
    uint64_t off = 0;
    piece *p = NULL;
    if (size > s->piece_size / PIECES_LEAST)
        return false;
    for (size_t i = 0; i < s->piece_count && !p; i++) {
        if (s->piece[i].bytes &&
            ngff_extents_take(&s->piece[i].books, rounded(size), &off))
            p = &s->piece[i];
    }
    if (!p) {
        p = new_piece(s);
        if (!p || !ngff_extents_take(&p->books, rounded(size), &off))
            return false;
    }
    ticket->mem = p->bytes + off;
    ticket->mem_size = ticket->size = (size_t)size;
    ticket->piece = (uint32_t)(p - s->piece) + 1;
    return true;
}

/* Gives back pieces that hold nothing. */
static void drop_idle_pieces(ngff_spill *s) {
    for (size_t i = 0; i < s->piece_count; i++) {
        if (s->piece[i].bytes && s->piece[i].books.end == 0) {
            drop_piece(s, &s->piece[i]);
            s->memory_used -= s->piece_size;
        }
    }
}

/* ---- booking; with the mutex held ---- */

static ngff_status open_file(ngff_spill *s, uint64_t size, ngff_error *err) {
    if (s->no_file)
        return ngff_fail(err, NGFF_LIMIT,
                         "%llu bytes must wait, %zu of %zu bytes of memory are left for "
                         "that, and a spill file is not allowed",
                         (unsigned long long)size, left(s), s->memory);
    if (s->file.fd >= 0)
        return NGFF_OK;
    return ngff_file_open_unlinked(&s->file, s->dir, err);
}

static ngff_status book_file(ngff_spill *s, uint64_t size, uint64_t *off,
                             ngff_error *err) {
    NGFF_TRY(open_file(s, size, err));
    if (!ngff_extents_take(&s->books, size, off))
        return ngff_fail(err, NGFF_LIMIT, "the spill file cannot hold %llu bytes more",
                         (unsigned long long)size);
    s->high = s->high > s->books.end ? s->high : s->books.end;
    return NGFF_OK;
}

/* Books the first `mem_size` bytes in memory that is still to be asked for, the others in
 * the file. `split`: else all or nothing. */
static ngff_status book(ngff_spill *s, uint64_t size, bool split,
                        ngff_spill_ticket *ticket, ngff_error *err) {
    if (size > left(s))
        drop_idle_pieces(s);
    uint64_t in_memory = size <= left(s) ? size : 0;
    if (split && in_memory < size && !s->no_file)
        in_memory = left(s) - left(s) / LEFT_BY_ROOMS;
    if (in_memory < size)
        NGFF_TRY(book_file(s, size - in_memory, &ticket->off, err));
    s->memory_used += (size_t)in_memory;
    ticket->size = (size_t)size;
    ticket->mem_size = (size_t)in_memory;
    return NGFF_OK;
}

static void unbook(ngff_spill *s, const ngff_spill_ticket *ticket) {
    ngff_mutex_lock(s->mutex);
    if (ticket->piece > 0) {
        piece *p = &s->piece[ticket->piece - 1];
        ngff_extents_give(&p->books, (uint64_t)((char *)ticket->mem - p->bytes),
                          rounded(ticket->size));
    } else {
        assert(s->memory_used >= ticket->mem_size);
        s->memory_used -= ticket->mem_size;
        if (ticket->mem_size < ticket->size)
            ngff_extents_give(&s->books, ticket->off, ticket->size - ticket->mem_size);
    }
    ngff_mutex_unlock(s->mutex);
}

/* ---- the calls ---- */

static ngff_status reserve(ngff_spill *s, uint64_t size, bool room,
                           ngff_spill_ticket *ticket, ngff_error *err) {
    ngff_status status = NGFF_OK;
    *ticket = (ngff_spill_ticket){0};
    if (size > SIZE_MAX)
        return ngff_fail(err, NGFF_LIMIT, "%llu bytes are too many to wait",
                         (unsigned long long)size);
    ngff_mutex_lock(s->mutex);
    if (room || !book_in_piece(s, size, ticket))
        status = book(s, size, room, ticket, err);
    ngff_mutex_unlock(s->mutex);
    if (status != NGFF_OK || ticket->mem || (ticket->mem_size == 0 && size > 0))
        return status;
    ticket->mem = ngff_alloc_aligned(s->alloc, ticket->mem_size);
    if (ticket->mem) {
        ngff_memory_prefer_large(ticket->mem, ticket->mem_size);
        return NGFF_OK;
    }
    unbook(s, ticket);
    *ticket = (ngff_spill_ticket){0};
    return ngff_fail_nomem(err, "bytes that wait", (size_t)size);
}

ngff_status ngff_spill_reserve(ngff_spill *s, uint64_t size, ngff_spill_ticket *ticket,
                               ngff_error *err) {
    return reserve(s, size, true, ticket, err);
}

void ngff_spill_drop(ngff_spill *s, ngff_spill_ticket *ticket) {
    if (ticket->mem && ticket->piece == 0)
        ngff_free_aligned(s->alloc, ticket->mem);
    if (ticket->size > 0)
        unbook(s, ticket);
    *ticket = (ngff_spill_ticket){0};
}

/* Of `size` bytes from `off` on: how many lie in memory. */
static size_t first_part(const ngff_spill_ticket *ticket, uint64_t off, size_t size) {
    uint64_t before = off < ticket->mem_size ? ticket->mem_size - off : 0;
    return size < before ? size : (size_t)before;
}

static uint64_t file_off(const ngff_spill_ticket *ticket, uint64_t off) {
    return ticket->off + (off - ticket->mem_size);
}

ngff_status ngff_spill_write(ngff_spill *s, const ngff_spill_ticket *ticket, uint64_t off,
                             const void *data, size_t size, ngff_error *err) {
    assert(off <= ticket->size && size <= ticket->size - off);
    size_t part = first_part(ticket, off, size);
    if (part > 0)
        ngff_copy_aside((char *)ticket->mem + off, data, part);
    if (part == size)
        return NGFF_OK;
    return ngff_file_pwrite(&s->file, (const char *)data + part, size - part,
                            file_off(ticket, off + part), s->dir, err);
}

ngff_status ngff_spill_read(ngff_spill *s, const ngff_spill_ticket *ticket, uint64_t off,
                            void *out, size_t size, ngff_error *err) {
    assert(off <= ticket->size && size <= ticket->size - off);
    size_t part = first_part(ticket, off, size), got;
    if (part > 0)
        memcpy(out, (const char *)ticket->mem + off, part);
    if (part == size)
        return NGFF_OK;
    out = (char *)out + part;
    size -= part;
    NGFF_TRY(ngff_file_pread(&s->file, out, size, file_off(ticket, off + part), &got,
                             s->dir, err));
    /* Reserved room that was never written lies behind the end of the file: zeros. */
    memset((char *)out + got, 0, size - got);
    return NGFF_OK;
}

ngff_status ngff_spill_put(ngff_spill *s, const void *data, size_t size,
                           ngff_spill_ticket *ticket, ngff_error *err) {
    NGFF_TRY(reserve(s, size, false, ticket, err));
    ngff_status status = ngff_spill_write(s, ticket, 0, data, size, err);
    if (status != NGFF_OK)
        ngff_spill_drop(s, ticket);
    return status;
}

ngff_status ngff_spill_take(ngff_spill *s, ngff_spill_ticket *ticket, void *out,
                            ngff_error *err) {
    ngff_status status = ngff_spill_read(s, ticket, 0, out, ticket->size, err);
    ngff_spill_drop(s, ticket);
    return status;
}

ngff_status ngff_spill_copy(ngff_spill *s, const ngff_spill_ticket *ticket,
                            const ngff_file *to, uint64_t off, const char *path,
                            ngff_error *err) {
    size_t part = ticket->mem_size;
    if (part > 0)
        NGFF_TRY(ngff_file_pwrite(to, ticket->mem, part, off, path, err));
    if (part == ticket->size)
        return NGFF_OK;
    return ngff_file_copy_range(&s->file, ticket->off, to, off + part,
                                ticket->size - part, path, err);
}

uint64_t ngff_spill_file_bytes(const ngff_spill *s) {
    ngff_mutex_lock(s->mutex);
    uint64_t high = s->high;
    ngff_mutex_unlock(s->mutex);
    return high;
}
