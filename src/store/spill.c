/* store: bytes that wait. In memory while the budget lasts, then in one unlinked file
 * whose free ranges are kept in a sorted list and used again (first fit). One mutex
 * guards the books; copying and file transfers happen outside of it. */
#include "store/inside.h"

typedef struct extent {
    uint64_t off, size;
} extent;

struct ngff_spill {
    const ngff_allocator *alloc;
    ngff_mutex *mutex;
    char *dir;
    size_t memory, memory_used;
    bool no_file;
    ngff_file file; /* opened when first needed */
    uint64_t end;   /* of the part of the file that was ever used */
    uint64_t high;  /* the largest `end` so far */
    extent *holes;  /* sorted, never touching each other */
    size_t hole_count, hole_room;
};

static const char *default_dir(void) {
    const char *dir = ngff_sys_getenv("TMPDIR");
    return dir && *dir ? dir : "/tmp";
}

ngff_status ngff_spill_create(const ngff_allocator *a, const ngff_spill_opts *opts,
                              ngff_spill **out, ngff_error *err) {
    *out = NULL;
    ngff_spill *s = ngff_calloc(a, 1, sizeof *s);
    if (!s)
        return ngff_fail_nomem(err, "the spill", sizeof *s);
    s->alloc = a;
    s->memory = opts->memory;
    s->no_file = opts->no_file;
    s->file = (ngff_file)NGFF_FILE_INIT;
    s->dir = ngff_strdup(a, opts->dir ? opts->dir : default_dir());
    ngff_status status = ngff_mutex_create(a, &s->mutex, err);
    if (status == NGFF_OK && !s->dir)
        status = ngff_fail_nomem(err, "the spill", sizeof *s);
    if (status != NGFF_OK)
        ngff_spill_close(&s);
    *out = s;
    return status;
}

void ngff_spill_close(ngff_spill **spill) {
    ngff_spill *s = *spill;
    *spill = NULL;
    if (!s)
        return;
    ngff_file_close(&s->file);
    ngff_mutex_close(&s->mutex);
    ngff_free(s->alloc, s->holes);
    ngff_free(s->alloc, s->dir);
    ngff_free(s->alloc, s);
}

/* ---- the books of the file; all with the mutex held ---- */

static void remove_hole(ngff_spill *s, size_t at) {
    memmove(&s->holes[at], &s->holes[at + 1],
            (s->hole_count - at - 1) * sizeof *s->holes);
    s->hole_count--;
}

/* Room for `size` bytes of the file: the first hole that is large enough, else its end.
 */
static ngff_status book_file(ngff_spill *s, uint64_t size, uint64_t *off,
                             ngff_error *err) {
    for (size_t i = 0; i < s->hole_count; i++) {
        extent *hole = &s->holes[i];
        if (hole->size < size)
            continue;
        *off = hole->off;
        hole->off += size;
        hole->size -= size;
        if (hole->size == 0)
            remove_hole(s, i);
        return NGFF_OK;
    }
    if (size > INT64_MAX - s->end)
        return ngff_fail(err, NGFF_LIMIT, "the spill file cannot hold %llu bytes more",
                         (unsigned long long)size);
    *off = s->end;
    s->end += size;
    s->high = s->high > s->end ? s->high : s->end;
    return NGFF_OK;
}

/* Merges with its neighbours. A list that cannot grow forgets the range: only space in an
 * unlinked file is lost. */
static void free_file(ngff_spill *s, uint64_t off, uint64_t size) {
    size_t low = 0, count = s->hole_count;
    while (count > 0) {
        size_t half = count / 2;
        bool right = s->holes[low + half].off < off;
        low = right ? low + half + 1 : low;
        count = right ? count - half - 1 : half;
    }
    extent *before = low > 0 ? &s->holes[low - 1] : NULL;
    extent *after = low < s->hole_count ? &s->holes[low] : NULL;
    bool joins_before = before && before->off + before->size == off;
    bool joins_after = after && off + size == after->off;
    if (joins_before) {
        before->size += size + (joins_after ? after->size : 0);
        if (joins_after)
            remove_hole(s, low);
    } else if (joins_after) {
        after->off = off;
        after->size += size;
    } else {
        if (s->hole_count == s->hole_room) {
            size_t room = s->hole_room ? s->hole_room * 2 : 64;
            extent *grown =
                ngff_realloc(s->alloc, s->holes, s->hole_room * sizeof *s->holes,
                             room * sizeof *s->holes);
            if (!grown)
                return;
            s->holes = grown;
            s->hole_room = room;
        }
        memmove(&s->holes[low + 1], &s->holes[low],
                (s->hole_count - low) * sizeof *s->holes);
        s->holes[low] = (extent){off, size};
        s->hole_count++;
    }
    extent *last = &s->holes[s->hole_count - 1];
    if (last->off + last->size == s->end) {
        s->end = last->off;
        s->hole_count--;
    }
}

static ngff_status open_file(ngff_spill *s, uint64_t size, ngff_error *err) {
    if (s->no_file)
        return ngff_fail(err, NGFF_LIMIT,
                         "%llu bytes must wait, %zu of %zu bytes of memory are left for "
                         "that, and a spill file is not allowed",
                         (unsigned long long)size, s->memory - s->memory_used, s->memory);
    if (s->file.fd >= 0)
        return NGFF_OK;
    return ngff_file_open_unlinked(&s->file, s->dir, err);
}

/* Books memory (*in_file false) or room in the file. */
static ngff_status book(ngff_spill *s, uint64_t size, bool *in_file, uint64_t *off,
                        ngff_error *err) {
    ngff_status status = NGFF_OK;
    ngff_mutex_lock(s->mutex);
    *in_file = size > s->memory - s->memory_used;
    if (!*in_file)
        s->memory_used += (size_t)size;
    else
        status = open_file(s, size, err);
    if (status == NGFF_OK && *in_file)
        status = book_file(s, size, off, err);
    ngff_mutex_unlock(s->mutex);
    return status;
}

static void unbook_memory(ngff_spill *s, size_t size) {
    ngff_mutex_lock(s->mutex);
    assert(s->memory_used >= size);
    s->memory_used -= size;
    ngff_mutex_unlock(s->mutex);
}

/* ---- the calls ---- */

ngff_status ngff_spill_reserve(ngff_spill *s, uint64_t size, ngff_spill_ticket *ticket,
                               ngff_error *err) {
    bool in_file;
    uint64_t off = 0;
    *ticket = (ngff_spill_ticket){0};
    if (size > SIZE_MAX)
        return ngff_fail(err, NGFF_LIMIT, "%llu bytes are too many to wait",
                         (unsigned long long)size);
    NGFF_TRY(book(s, size, &in_file, &off, err));
    ticket->off = off;
    ticket->size = (size_t)size;
    if (in_file)
        return NGFF_OK;
    ticket->mem = ngff_alloc(s->alloc, (size_t)size);
    if (ticket->mem)
        return NGFF_OK;
    unbook_memory(s, (size_t)size);
    *ticket = (ngff_spill_ticket){0};
    return ngff_fail_nomem(err, "bytes that wait", (size_t)size);
}

void ngff_spill_drop(ngff_spill *s, ngff_spill_ticket *ticket) {
    if (ticket->mem) {
        ngff_free(s->alloc, ticket->mem);
        unbook_memory(s, ticket->size);
    } else if (ticket->size > 0) {
        ngff_mutex_lock(s->mutex);
        free_file(s, ticket->off, ticket->size);
        ngff_mutex_unlock(s->mutex);
    }
    *ticket = (ngff_spill_ticket){0};
}

ngff_status ngff_spill_write(ngff_spill *s, const ngff_spill_ticket *ticket, uint64_t off,
                             const void *data, size_t size, ngff_error *err) {
    assert(off <= ticket->size && size <= ticket->size - off);
    if (!ticket->mem)
        return size ? ngff_file_pwrite(&s->file, data, size, ticket->off + off, s->dir,
                                       err)
                    : NGFF_OK;
    if (size)
        memcpy((char *)ticket->mem + off, data, size);
    return NGFF_OK;
}

ngff_status ngff_spill_read(ngff_spill *s, const ngff_spill_ticket *ticket, uint64_t off,
                            void *out, size_t size, ngff_error *err) {
    assert(off <= ticket->size && size <= ticket->size - off);
    if (ticket->mem) {
        if (size)
            memcpy(out, (const char *)ticket->mem + off, size);
        return NGFF_OK;
    }
    if (size == 0)
        return NGFF_OK;
    size_t got;
    NGFF_TRY(ngff_file_pread(&s->file, out, size, ticket->off + off, &got, s->dir, err));
    /* Reserved room that was never written lies behind the end of the file: zeros. */
    memset((char *)out + got, 0, size - got);
    return NGFF_OK;
}

ngff_status ngff_spill_put(ngff_spill *s, const void *data, size_t size,
                           ngff_spill_ticket *ticket, ngff_error *err) {
    NGFF_TRY(ngff_spill_reserve(s, size, ticket, err));
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
    if (ticket->size == 0)
        return NGFF_OK;
    if (ticket->mem)
        return ngff_file_pwrite(to, ticket->mem, ticket->size, off, path, err);
    return ngff_file_copy_range(&s->file, ticket->off, to, off, ticket->size, path, err);
}

uint64_t ngff_spill_file_bytes(const ngff_spill *s) {
    ngff_mutex_lock(s->mutex);
    uint64_t high = s->high;
    ngff_mutex_unlock(s->mutex);
    return high;
}
