/* store: see zip_places.h. */
#include "store/zip_places.h"

/* What early values may keep in memory when nobody lends a budget. */
#define OWN_SPILL_MEMORY ((size_t)4 << 20)

enum { HEAD_MAX = NGFF_STORE_KEY_MAX + 64 };

/* ---- the table of places; all under the lock ---- */

static uint64_t hash_of(const char *name) { /* FNV-1a */
    uint64_t h = 14695981039346656037u;
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 1099511628211u;
    return h ^ h >> 29;
}

static size_t *cell_of(const ngff_zip_line *line, const char *name) {
    size_t at = (size_t)hash_of(name) & (line->index_size - 1);
    while (line->index[at] &&
           strcmp(line->slot[line->index[at] - 1].entry.name, name) != 0)
        at = (at + 1) & (line->index_size - 1);
    return &line->index[at];
}

ngff_zip_slot *ngff_zip_place_find(const ngff_zip_line *line, const char *name) {
    size_t cell = *cell_of(line, name);
    return cell ? &line->slot[cell - 1] : NULL;
}

static ngff_status grow(ngff_zip_line *line, ngff_error *err) {
    size_t room = line->slot_room * 2;
    ngff_zip_slot *slot = ngff_realloc(
        line->alloc, line->slot, line->slot_room * sizeof *slot, room * sizeof *slot);
    if (slot) {
        line->slot = slot;
        line->slot_room = room;
    }
    size_t *index = ngff_calloc(line->alloc, 2 * room, sizeof *index);
    if (!slot || !index) {
        ngff_free(line->alloc, index);
        return ngff_fail_nomem(err, "the entries of an archive", room * sizeof *slot);
    }
    ngff_free(line->alloc, line->index);
    line->index = index;
    line->index_size = 2 * room;
    for (size_t i = 0; i < line->slot_count; i++)
        *cell_of(line, line->slot[i].entry.name) = i + 1;
    return NGFF_OK;
}

/* Takes `name` over when it succeeds. Twice the same name would make two archives of one:
 * readers differ in which they take. */
ngff_status ngff_zip_place_give(ngff_zip_line *line, char *name, uint64_t size,
                                ngff_zip_slot **out, ngff_error *err) {
    if (line->slot_count == line->slot_room)
        NGFF_TRY(grow(line, err));
    size_t *cell = cell_of(line, name);
    if (*cell)
        return ngff_fail(err, NGFF_EXISTS,
                         "%s: %s is in the archive already; an entry is written once",
                         line->path, name);
    uint64_t room = ngff_zip_local_size(name);
    if (size > INT64_MAX - line->tail - room)
        return ngff_fail(err, NGFF_LIMIT, "%s: the archive cannot hold %llu bytes more",
                         line->path, (unsigned long long)size);
    ngff_zip_slot *slot = &line->slot[line->slot_count++];
    *slot = (ngff_zip_slot){.entry = {.name = name, .offset = line->tail, .size = size}};
    *cell = line->slot_count;
    line->tail += room + size;
    *out = slot;
    return NGFF_OK;
}

/* ---- early ones: a heap; all under the lock ---- */

ngff_status ngff_zip_early_push(ngff_zip_line *line, uint64_t rank,
                                ngff_zip_parcel *parcel, ngff_error *err) {
    if (line->early_count == line->early_room) {
        size_t room = line->early_room ? line->early_room * 2 : NGFF_ZIP_FIRST_ROOM;
        ngff_zip_early *grown =
            ngff_realloc(line->alloc, line->early, line->early_room * sizeof *grown,
                         room * sizeof *grown);
        if (!grown)
            return ngff_fail_nomem(err, "waiting archive entries", room * sizeof *grown);
        line->early = grown;
        line->early_room = room;
    }
    size_t at = line->early_count++;
    for (; at > 0 && line->early[(at - 1) / 2].rank > rank; at = (at - 1) / 2)
        line->early[at] = line->early[(at - 1) / 2];
    line->early[at] = (ngff_zip_early){rank, parcel};
    return NGFF_OK;
}

ngff_zip_early ngff_zip_early_pop(ngff_zip_line *line) {
    ngff_zip_early top = line->early[0];
    ngff_zip_early last = line->early[--line->early_count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= line->early_count)
            break;
        if (child + 1 < line->early_count &&
            line->early[child + 1].rank < line->early[child].rank)
            child++;
        if (line->early[child].rank >= last.rank)
            break;
        line->early[at] = line->early[child];
        at = child;
    }
    line->early[at] = last;
    return top;
}

/* ---- parcels ---- */

ngff_status ngff_zip_parcel_new(const ngff_zip_line *line, const char *name,
                                ngff_zip_parcel **out, ngff_error *err) {
    ngff_zip_parcel *p = ngff_calloc(line->alloc, 1, sizeof *p);
    *out = p;
    if (p)
        p->name = ngff_strdup(line->alloc, name);
    if (p && p->name)
        return NGFF_OK;
    ngff_free(line->alloc, p);
    *out = NULL;
    return ngff_fail_nomem(err, "an archive entry", sizeof *p);
}

void ngff_zip_parcel_empty(const ngff_zip_line *line, ngff_zip_parcel *p) {
    for (size_t i = 0; i < p->part_count; i++)
        ngff_spill_drop(line->spill, &p->part[i]);
    p->part_count = 0;
}

void ngff_zip_parcel_free(const ngff_zip_line *line, ngff_zip_parcel *p) {
    if (!p)
        return;
    ngff_zip_parcel_empty(line, p);
    ngff_free(line->alloc, p->part);
    ngff_free(line->alloc, p->name);
    ngff_free(line->alloc, p);
}

/* Under the lock; after it the spill stays until the line is lent another. */
ngff_status ngff_zip_parcel_spill(ngff_zip_line *line, ngff_error *err) {
    const ngff_spill_opts opts = {.dir = line->spill_dir, .memory = OWN_SPILL_MEMORY};
    if (line->spill)
        return NGFF_OK;
    NGFF_TRY(ngff_spill_create(line->alloc, &opts, &line->spill, err));
    line->own_spill = true;
    return NGFF_OK;
}

ngff_status ngff_zip_parcel_park(ngff_zip_line *line, ngff_zip_parcel *p,
                                 const void *data, size_t size, ngff_error *err) {
    if (size == 0)
        return NGFF_OK;
    if (p->part_count == p->part_room) {
        size_t room = p->part_room ? p->part_room * 2 : 1;
        ngff_spill_ticket *grown = ngff_realloc(
            line->alloc, p->part, p->part_room * sizeof *grown, room * sizeof *grown);
        if (!grown)
            return ngff_fail_nomem(err, "a waiting archive entry", room * sizeof *grown);
        p->part = grown;
        p->part_room = room;
    }
    NGFF_TRY(ngff_spill_put(line->spill, data, size, &p->part[p->part_count], err));
    p->part_count++;
    return NGFF_OK;
}

/* ---- bytes; outside the lock ---- */

ngff_status ngff_zip_place_head(const ngff_zip_line *line, const ngff_zip_entry *e,
                                ngff_error *err) {
    unsigned char head[HEAD_MAX];
    size_t size = ngff_zip_local_size(e->name);
    assert(size <= sizeof head);
    ngff_zip_local_emit(e, head);
    return ngff_file_pwrite(&line->file, head, size, e->offset, line->path, err);
}

/* What was parked of `p`, to `at` of the archive. */
ngff_status ngff_zip_parcel_carry(const ngff_zip_line *line, ngff_zip_parcel *p,
                                  uint64_t at, ngff_error *err) {
    for (size_t i = 0; i < p->part_count; i++) {
        NGFF_TRY(
            ngff_spill_copy(line->spill, &p->part[i], &line->file, at, line->path, err));
        at += p->part[i].size;
    }
    ngff_zip_parcel_empty(line, p);
    return NGFF_OK;
}
