/* store: see zip_line.h. */
#include "store/zip_places.h"

/* ---- failure: the first one counts ---- */

static ngff_status fail(ngff_zip_line *line, ngff_status status, ngff_error *err) {
    ngff_mutex_lock(line->mutex);
    if (line->failed == NGFF_OK) {
        line->failed = status;
        if (err)
            line->first = *err;
    }
    ngff_mutex_unlock(line->mutex);
    return status;
}

/* Under the lock. */
static ngff_status failed_before(const ngff_zip_line *line, ngff_error *err) {
    if (line->failed != NGFF_OK)
        return ngff_fail(err, line->failed, "%s", line->first.message);
    return NGFF_OK;
}

/* ---- turns ---- */

/* Under the lock: may the next place be had by an entry of this rank? */
static bool may_go(const ngff_zip_line *line, bool ranked, uint64_t rank) {
    return !line->turn && (!ranked || rank == line->next_rank);
}

/* Under the lock: does something wait that may go? Who makes it so while nobody looks
 * carries it over himself. */
static bool may_go_on(const ngff_zip_line *line) {
    return !line->turn &&
           ((line->early_count > 0 && line->early[0].rank == line->next_rank) ||
            line->queue);
}

/* Under the lock: the place of a parcel whose size is known and whose turn it is. Its
 * name goes to the table, whose copy of the entry is *entry. */
static ngff_status settle(ngff_zip_line *line, ngff_zip_parcel *p, ngff_zip_entry *entry,
                          ngff_error *err) {
    ngff_zip_slot *slot;
    NGFF_TRY(ngff_zip_place_give(line, p->name, p->size, &slot, err));
    p->name = NULL;
    slot->entry.crc = p->crc;
    *entry = slot->entry;
    line->next_rank += p->ranked;
    return NGFF_OK;
}

/* Under the lock: the waiting parcel that may go now, with its place; *out NULL: none. */
static ngff_status next_parcel(ngff_zip_line *line, ngff_zip_parcel **out,
                               ngff_zip_entry *entry, ngff_error *err) {
    ngff_zip_parcel *p = NULL;
    *out = NULL;
    NGFF_TRY(failed_before(line, err));
    if (line->turn)
        return NGFF_OK;
    while (!p && line->early_count > 0 && line->early[0].rank == line->next_rank) {
        p = ngff_zip_early_pop(line).parcel;
        line->next_rank += p == NULL;
    }
    if (!p && line->queue) {
        p = line->queue;
        line->queue = p->next;
        if (!line->queue)
            line->queue_end = &line->queue;
    }
    if (!p)
        return NGFF_OK;
    ngff_status status = settle(line, p, entry, err);
    if (status == NGFF_OK)
        *out = p;
    else
        ngff_zip_parcel_free(line, p);
    return status;
}

/* Carries over whatever may go, if there is `more`. Places are given one at a time, so
 * several threads can be here at once. */
static ngff_status drain(ngff_zip_line *line, bool more, ngff_error *err) {
    while (more) {
        ngff_zip_parcel *p;
        ngff_zip_entry e;
        ngff_mutex_lock(line->mutex);
        ngff_status status = next_parcel(line, &p, &e, err);
        more = status == NGFF_OK && may_go_on(line);
        ngff_mutex_unlock(line->mutex);
        if (status == NGFF_OK && !p)
            return NGFF_OK;
        if (status == NGFF_OK)
            status = ngff_zip_place_head(line, &e, err);
        if (status == NGFF_OK)
            status = ngff_zip_parcel_carry(line, p,
                                           e.offset + ngff_zip_local_size(e.name), err);
        ngff_zip_parcel_free(line, p);
        if (status != NGFF_OK)
            return fail(line, status, err);
    }
    return NGFF_OK;
}

/* A whole parcel joins those that wait, then everything that may go goes. */
static ngff_status enqueue(ngff_zip_line *line, ngff_zip_parcel *p, ngff_error *err) {
    ngff_status status = NGFF_OK;
    ngff_mutex_lock(line->mutex);
    if (p->ranked) {
        assert(p->rank >= line->next_rank);
        status = ngff_zip_early_push(line, p->rank, p, err);
    } else {
        *line->queue_end = p;
        line->queue_end = &p->next;
    }
    bool more = may_go_on(line);
    ngff_mutex_unlock(line->mutex);
    if (status == NGFF_OK)
        return drain(line, more, err);
    ngff_zip_parcel_free(line, p);
    return fail(line, status, err);
}

ngff_status ngff_zip_line_put(ngff_zip_line *line, ngff_zip_parcel *p, const void *data,
                              size_t size, ngff_error *err) {
    ngff_zip_entry e = {0};
    p->size = size;
    p->crc = ngff_zip_crc32(0, data, size);
    ngff_mutex_lock(line->mutex);
    ngff_status status = failed_before(line, err);
    bool go = status == NGFF_OK && may_go(line, p->ranked, p->rank);
    if (go)
        status = settle(line, p, &e, err);
    else if (status == NGFF_OK)
        status = ngff_zip_parcel_spill(line, err);
    bool more = may_go_on(line);
    ngff_mutex_unlock(line->mutex);
    if (status == NGFF_OK && !go) {
        status = ngff_zip_parcel_park(line, p, data, size, err);
        if (status == NGFF_OK)
            return enqueue(line, p, err);
    }
    if (status == NGFF_OK)
        status = ngff_zip_place_head(line, &e, err);
    if (status == NGFF_OK)
        status =
            ngff_file_pwrite(&line->file, data, size,
                             e.offset + ngff_zip_local_size(e.name), line->path, err);
    ngff_zip_parcel_free(line, p);
    return status == NGFF_OK ? drain(line, more, err) : fail(line, status, err);
}

/* ---- streaming ---- */

/* Takes the turn when it is to be had; then what was parked goes first. */
static ngff_status try_turn(ngff_zip_line *line, ngff_zip_parcel *p, ngff_error *err) {
    if (p->turn)
        return NGFF_OK;
    ngff_mutex_lock(line->mutex);
    ngff_status status = failed_before(line, err);
    if (status == NGFF_OK && may_go(line, p->ranked, p->rank)) {
        line->turn = p;
        p->turn = true;
        p->start = line->tail;
    } else if (status == NGFF_OK) {
        status = ngff_zip_parcel_spill(line, err);
    }
    ngff_mutex_unlock(line->mutex);
    if (status == NGFF_OK && p->turn)
        status =
            ngff_zip_parcel_carry(line, p, p->start + ngff_zip_local_size(p->name), err);
    return status;
}

ngff_status ngff_zip_line_append(ngff_zip_line *line, ngff_zip_parcel *p,
                                 const void *data, size_t size, ngff_error *err) {
    ngff_status status = try_turn(line, p, err);
    if (status == NGFF_OK && p->turn)
        status = ngff_file_pwrite(&line->file, data, size,
                                  p->start + ngff_zip_local_size(p->name) + p->size,
                                  line->path, err);
    else if (status == NGFF_OK)
        status = ngff_zip_parcel_park(line, p, data, size, err);
    if (status != NGFF_OK)
        return fail(line, status, err);
    p->crc = ngff_zip_crc32(p->crc, data, size);
    p->size += size;
    return NGFF_OK;
}

ngff_status ngff_zip_line_close(ngff_zip_line *line, ngff_zip_parcel *p,
                                ngff_error *err) {
    ngff_zip_entry e = {0};
    if (!p->turn)
        return enqueue(line, p, err);
    ngff_mutex_lock(line->mutex);
    assert(line->turn == p && line->tail == p->start);
    line->turn = NULL;
    ngff_status status = failed_before(line, err);
    if (status == NGFF_OK)
        status = settle(line, p, &e, err);
    bool more = may_go_on(line);
    ngff_mutex_unlock(line->mutex);
    if (status == NGFF_OK)
        status = ngff_zip_place_head(line, &e, err);
    ngff_zip_parcel_free(line, p);
    return status == NGFF_OK ? drain(line, more, err) : fail(line, status, err);
}

ngff_status ngff_zip_line_skip(ngff_zip_line *line, uint64_t rank, ngff_error *err) {
    ngff_mutex_lock(line->mutex);
    ngff_status status = ngff_zip_early_push(line, rank, NULL, err);
    bool more = may_go_on(line);
    ngff_mutex_unlock(line->mutex);
    return status == NGFF_OK ? drain(line, more, err) : fail(line, status, err);
}

/* What it wrote behind the tail is written over, or cut off at the end. */
void ngff_zip_line_abort(ngff_zip_line *line, ngff_zip_parcel *p) {
    bool ranked = p->ranked;
    uint64_t rank = p->rank;
    ngff_mutex_lock(line->mutex);
    if (line->turn == p)
        line->turn = NULL;
    ngff_mutex_unlock(line->mutex);
    ngff_zip_parcel_free(line, p);
    ngff_status status =
        ranked ? ngff_zip_line_skip(line, rank, NULL) : drain(line, true, NULL);
    (void)status; /* kept in `failed` */
}

/* ---- documents ---- */

ngff_status ngff_zip_line_reserve(ngff_zip_line *line, const char *name, uint64_t size,
                                  ngff_error *err) {
    ngff_zip_slot *slot;
    char *copy = ngff_strdup(line->alloc, name);
    if (!copy)
        return ngff_fail_nomem(err, "an archive entry", strlen(name));
    ngff_mutex_lock(line->mutex);
    ngff_status status = failed_before(line, err);
    if (status == NGFF_OK && line->turn)
        status = ngff_fail(err, NGFF_INVALID, "reserved while an entry is streamed");
    if (status == NGFF_OK)
        status = ngff_zip_place_give(line, copy, size, &slot, err);
    if (status == NGFF_OK)
        slot->reserved = slot->pending = true;
    else
        ngff_free(line->alloc, copy);
    ngff_mutex_unlock(line->mutex);
    return status;
}

static ngff_status write_padded(ngff_zip_line *line, ngff_zip_entry *e, const void *data,
                                size_t size, ngff_error *err) {
    if (size > e->size)
        return ngff_fail(err, NGFF_LIMIT, "a document of %zu bytes, %llu were reserved",
                         size, (unsigned long long)e->size);
    size_t whole = (size_t)e->size;
    char *text = ngff_alloc(line->alloc, whole);
    if (!text)
        return ngff_fail_nomem(err, "a document", whole);
    memcpy(text, data, size);
    memset(text + size, ' ', whole - size);
    e->crc = ngff_zip_crc32(0, text, whole);
    ngff_status status = ngff_zip_place_head(line, e, err);
    if (status == NGFF_OK)
        status =
            ngff_file_pwrite(&line->file, text, whole,
                             e->offset + ngff_zip_local_size(e->name), line->path, err);
    ngff_free(line->alloc, text);
    return status;
}

ngff_status ngff_zip_line_fill(ngff_zip_line *line, const char *name, const void *data,
                               size_t size, bool *found, ngff_error *err) {
    ngff_zip_entry e = {0};
    ngff_mutex_lock(line->mutex);
    ngff_status status = failed_before(line, err);
    ngff_zip_slot *slot = ngff_zip_place_find(line, name);
    *found = slot && slot->reserved;
    if (*found)
        e = slot->entry;
    ngff_mutex_unlock(line->mutex);
    if (status != NGFF_OK || !*found)
        return status;
    status = write_padded(line, &e, data, size, err);
    if (status != NGFF_OK)
        return fail(line, status, err);
    ngff_mutex_lock(line->mutex);
    slot = ngff_zip_place_find(line, name); /* the table may have grown meanwhile */
    slot->entry.crc = e.crc;
    slot->pending = false;
    ngff_mutex_unlock(line->mutex);
    return NGFF_OK;
}

bool ngff_zip_line_find(ngff_zip_line *line, const char *name, ngff_zip_entry *out) {
    ngff_mutex_lock(line->mutex);
    const ngff_zip_slot *slot = ngff_zip_place_find(line, name);
    bool there = slot && !slot->pending;
    if (there)
        *out = slot->entry;
    ngff_mutex_unlock(line->mutex);
    return there;
}

/* ---- life ---- */

ngff_status ngff_zip_line_init(ngff_zip_line *line, const ngff_allocator *a,
                               ngff_error *err) {
    line->alloc = a;
    line->queue_end = &line->queue;
    line->slot = ngff_calloc(a, NGFF_ZIP_FIRST_ROOM, sizeof *line->slot);
    line->index = ngff_calloc(a, 2 * NGFF_ZIP_FIRST_ROOM, sizeof *line->index);
    line->slot_room = NGFF_ZIP_FIRST_ROOM;
    line->index_size = 2 * NGFF_ZIP_FIRST_ROOM;
    if (!line->slot || !line->index)
        return ngff_fail_nomem(err, "an archive",
                               NGFF_ZIP_FIRST_ROOM * sizeof *line->slot);
    return ngff_mutex_create(a, &line->mutex, err);
}

/* True: something waited, and is lost. */
static bool drop_waiting(ngff_zip_line *line) {
    bool lost = false;
    for (size_t i = 0; i < line->early_count; i++) {
        lost = lost || line->early[i].parcel;
        ngff_zip_parcel_free(line, line->early[i].parcel);
        line->early[i].parcel = NULL;
    }
    while (line->queue) {
        ngff_zip_parcel *p = line->queue;
        line->queue = p->next;
        ngff_zip_parcel_free(line, p);
        lost = true;
    }
    line->queue_end = &line->queue;
    return lost;
}

void ngff_zip_line_lend(ngff_zip_line *line, ngff_spill *spill) {
    bool lost = drop_waiting(line);
    if (line->own_spill)
        ngff_spill_close(&line->spill);
    line->own_spill = false;
    line->spill = spill;
    if (lost && line->failed == NGFF_OK)
        line->failed = ngff_fail(&line->first, NGFF_INTERNAL,
                                 "%s: waiting entries lost their spill", line->path);
}

void ngff_zip_line_reset(ngff_zip_line *line) {
    if (line->mutex)
        (void)drop_waiting(line);
    if (line->own_spill)
        ngff_spill_close(&line->spill);
    ngff_file_close(&line->file);
    for (size_t i = 0; line->slot && i < line->slot_count; i++)
        ngff_free(line->alloc, (void *)(uintptr_t)line->slot[i].entry.name);
    ngff_free(line->alloc, line->slot);
    ngff_free(line->alloc, line->index);
    ngff_free(line->alloc, line->early);
    ngff_mutex_close(&line->mutex);
}

ngff_status ngff_zip_line_check(ngff_zip_line *line, ngff_error *err) {
    NGFF_TRY(failed_before(line, err));
    if (line->turn)
        return ngff_fail(err, NGFF_INVALID, "%s: %s is still being written", line->path,
                         line->turn->name);
    if (line->early_count > 0 || line->queue)
        return ngff_fail(err, NGFF_INVALID,
                         "%s: no entry of rank %llu came, %zu wait behind it", line->path,
                         (unsigned long long)line->next_rank, line->early_count);
    for (size_t i = 0; i < line->slot_count; i++) {
        if (line->slot[i].pending)
            return ngff_fail(err, NGFF_INVALID, "%s: %s was reserved and never written",
                             line->path, line->slot[i].entry.name);
    }
    return NGFF_OK;
}
