/* store: an archive written in one pass, staged as a partial file beside its destination
 * (stage.c). The order of entries and who writes when is in zip_line.c; here are the
 * calls of the store, the central directory and RFC-9's comment. */
#include "store/zip_line.h"

#include <stdio.h>

/* The central directory goes out in pieces of this size. */
#define DIRECTORY_STEP ((size_t)1 << 20)

typedef struct zip_target {
    ngff_store base;
    char dest[NGFF_STORE_PATH_MAX];
    char parent_dir[NGFF_STORE_PATH_MAX];
    ngff_durability durability;
    ngff_store_stage *stage; /* NULL: published */
    ngff_zip_line line;
    char version[16];
} zip_target;

typedef struct zip_writer {
    ngff_store_writer base;
    ngff_zip_parcel *parcel;
} zip_writer;

static zip_target *target(ngff_store *s) {
    return (zip_target *)s;
}

/* ---- writing ---- */

static ngff_status check_open(const zip_target *z, ngff_error *err) {
    if (z->stage)
        return NGFF_OK;
    return ngff_fail(err, NGFF_INVALID, "%s: is published; an archive is not changed",
                     z->dest);
}

static ngff_status zip_reserve(ngff_store *s, const char *key, size_t size,
                               ngff_error *err) {
    NGFF_TRY(check_open(target(s), err));
    return ngff_zip_line_reserve(&target(s)->line, key, size, err);
}

static ngff_status zip_put(ngff_store *s, const char *key, const void *data, size_t size,
                           ngff_error *err) {
    ngff_zip_line *line = &target(s)->line;
    ngff_zip_parcel *parcel;
    bool found;
    NGFF_TRY(check_open(target(s), err));
    NGFF_TRY(ngff_zip_line_fill(line, key, data, size, &found, err));
    if (found)
        return NGFF_OK;
    NGFF_TRY(ngff_zip_parcel_new(line, key, &parcel, err));
    return ngff_zip_line_put(line, parcel, data, size, err);
}

static ngff_status zip_put_ranked(ngff_store *s, const char *key, uint64_t rank,
                                  const void *data, size_t size, ngff_error *err) {
    ngff_zip_line *line = &target(s)->line;
    ngff_zip_parcel *parcel;
    NGFF_TRY(check_open(target(s), err));
    NGFF_TRY(ngff_zip_parcel_new(line, key, &parcel, err));
    parcel->ranked = true;
    parcel->rank = rank;
    return ngff_zip_line_put(line, parcel, data, size, err);
}

static ngff_status zip_skip_rank(ngff_store *s, uint64_t rank, ngff_error *err) {
    NGFF_TRY(check_open(target(s), err));
    return ngff_zip_line_skip(&target(s)->line, rank, err);
}

static ngff_status zip_begin(ngff_store *s, const char *key, ngff_store_writer **out,
                             ngff_error *err) {
    NGFF_TRY(check_open(target(s), err));
    zip_writer *w = ngff_calloc(s->alloc, 1, sizeof *w);
    if (!w)
        return ngff_fail_nomem(err, "a store writer", sizeof *w);
    ngff_status status = ngff_zip_parcel_new(&target(s)->line, key, &w->parcel, err);
    if (status != NGFF_OK) {
        ngff_free(s->alloc, w);
        return status;
    }
    *out = &w->base;
    return NGFF_OK;
}

static ngff_status zip_begin_ranked(ngff_store *s, const char *key, uint64_t rank,
                                    ngff_store_writer **out, ngff_error *err) {
    NGFF_TRY(zip_begin(s, key, out, err));
    ngff_zip_parcel *parcel = ((zip_writer *)*out)->parcel;
    parcel->ranked = true;
    parcel->rank = rank;
    return NGFF_OK;
}

static ngff_status zip_append(ngff_store_writer *writer, const void *data, size_t size,
                              ngff_error *err) {
    return ngff_zip_line_append(&target(writer->store)->line,
                                ((zip_writer *)writer)->parcel, data, size, err);
}

static ngff_status zip_commit(ngff_store_writer *writer, ngff_error *err) {
    ngff_zip_parcel *parcel = ((zip_writer *)writer)->parcel;
    ngff_zip_line *line = &target(writer->store)->line;
    ngff_free(writer->store->alloc, writer);
    return ngff_zip_line_close(line, parcel, err);
}

static void zip_abort(ngff_store_writer *writer) {
    ngff_zip_parcel *parcel = ((zip_writer *)writer)->parcel;
    ngff_zip_line *line = &target(writer->store)->line;
    ngff_free(writer->store->alloc, writer);
    ngff_zip_line_abort(line, parcel);
}

static void zip_lend_spill(ngff_store *s, ngff_spill *spill) {
    ngff_zip_line_lend(&target(s)->line, spill);
}

static void zip_note_version(ngff_store *s, const char *version) {
    (void)ngff_copy_text(target(s)->version, sizeof target(s)->version, version);
}

/* ---- reading back what has a place ---- */

static ngff_status zip_get(ngff_store *s, const char *key, uint64_t off, size_t size,
                           void *out, size_t *got, ngff_error *err) {
    zip_target *z = target(s);
    ngff_zip_entry e;
    if (!ngff_zip_line_find(&z->line, key, &e))
        return ngff_fail(err, NGFF_NOT_FOUND, "no such key");
    uint64_t left = off < e.size ? e.size - off : 0;
    size = size < left ? size : (size_t)left;
    return ngff_file_pread(&z->line.file, out, size,
                           e.offset + ngff_zip_local_size(e.name) + off, got, z->dest,
                           err);
}

static ngff_status zip_size(ngff_store *s, const char *key, uint64_t *size,
                            ngff_error *err) {
    ngff_zip_entry e;
    if (!ngff_zip_line_find(&target(s)->line, key, &e))
        return ngff_fail(err, NGFF_NOT_FOUND, "no such key");
    *size = e.size;
    return NGFF_OK;
}

static ngff_status zip_list(ngff_store *s, const char *prefix, ngff_store_list_fn fn,
                            void *user, ngff_error *err) {
    ngff_zip_line *line = &target(s)->line;
    ngff_store_children children;
    ngff_status status = NGFF_OK;
    ngff_store_children_init(&children, s->alloc);
    ngff_mutex_lock(line->mutex);
    for (size_t i = 0; i < line->slot_count && status == NGFF_OK; i++) {
        if (!line->slot[i].pending)
            status =
                ngff_store_children_add(&children, prefix, line->slot[i].entry.name, err);
    }
    ngff_mutex_unlock(line->mutex);
    if (status == NGFF_OK)
        status = ngff_store_children_call(&children, fn, user, err);
    ngff_store_children_reset(&children);
    return status;
}

/* ---- publishing ---- */

/* May a reader stop looking for documents at the first other entry (OZX-12)? */
static bool json_first(const ngff_zip_line *line) {
    bool data_seen = false;
    if (line->slot_count == 0 || strcmp(line->slot[0].entry.name, "zarr.json") != 0)
        return false;
    for (size_t i = 0; i < line->slot_count; i++) {
        const char *name = line->slot[i].entry.name;
        bool document = ngff_zip_is_zarr_json(name);
        if (document && data_seen)
            return false;
        data_seen = data_seen || !document;
    }
    return true;
}

/* The version is text of this library ("0.5"): nothing in it needs JSON's escapes. */
static void make_comment(const zip_target *z, char *out, size_t out_size) {
    if (!z->version[0])
        out[0] = '\0';
    else
        snprintf(out, out_size, "{\"ome\":{\"version\":\"%s\"%s}}", z->version,
                 json_first(&z->line)
                     ? ",\"zipFile\":{\"centralDirectory\":{\"jsonFirst\":true}}"
                     : "");
}

static ngff_status flush_piece(zip_target *z, ngff_buf *piece, uint64_t *at,
                               ngff_error *err) {
    NGFF_TRY(
        ngff_file_pwrite(&z->line.file, piece->data, piece->size, *at, z->dest, err));
    *at += piece->size;
    piece->size = 0;
    return NGFF_OK;
}

static ngff_status write_directory(zip_target *z, ngff_buf *piece, ngff_error *err) {
    const ngff_zip_line *line = &z->line;
    char comment[128];
    uint64_t at = line->tail;
    for (size_t i = 0; i < line->slot_count; i++) {
        NGFF_TRY(ngff_zip_central_emit(&line->slot[i].entry, piece, err));
        if (piece->size >= DIRECTORY_STEP)
            NGFF_TRY(flush_piece(z, piece, &at, err));
    }
    make_comment(z, comment, sizeof comment);
    ngff_zip_end end = {.count = line->slot_count,
                        .size = at + piece->size - line->tail,
                        .offset = line->tail,
                        .comment = comment};
    NGFF_TRY(ngff_zip_end_emit(&end, piece, err));
    NGFF_TRY(flush_piece(z, piece, &at, err));
    /* An entry that was given up may have left bytes behind the end. */
    return ngff_file_truncate(&z->line.file, at, z->dest, err);
}

static ngff_status finish_file(zip_target *z, ngff_error *err) {
    ngff_buf piece;
    ngff_buf_init(&piece, z->base.alloc, SIZE_MAX);
    ngff_status status = write_directory(z, &piece, err);
    ngff_buf_reset(&piece);
    if (status == NGFF_OK && z->durability != NGFF_DURABILITY_NONE)
        status = ngff_file_sync(&z->line.file, z->dest, err);
    if (status == NGFF_OK)
        status = ngff_file_finish(&z->line.file, z->dest, err);
    return status;
}

static ngff_status zip_publish(ngff_store *s, ngff_error *err) {
    zip_target *z = target(s);
    if (!z->stage)
        return NGFF_OK;
    NGFF_TRY(ngff_zip_line_check(&z->line, err));
    /* Open for what is read afterwards before anything can be seen: the handle moves
     * along with the name, and failing to open is no failure of something that is
     * published. */
    ngff_file reader = NGFF_FILE_INIT;
    NGFF_TRY(ngff_file_open(&reader, z->stage->partial, NGFF_OPEN_READ, err));
    ngff_status status = finish_file(z, err);
    if (status == NGFF_OK)
        status = ngff_store_stage_publish(z->stage, err);
    if (status != NGFF_OK) {
        ngff_file_close(&reader);
        return status;
    }
    ngff_store_stage_close(&z->stage);
    z->line.file = reader;
    return NGFF_OK;
}

static void zip_discard(ngff_store *s) {
    if (target(s)->stage)
        ngff_store_stage_discard(target(s)->stage);
}

static void zip_close(ngff_store *s) {
    zip_target *z = target(s);
    ngff_zip_line_reset(&z->line);
    ngff_store_stage_close(&z->stage);
    ngff_free(s->alloc, s->location);
    ngff_free(s->alloc, z);
}

static const ngff_store_vtable zip_ops = {
    .kind = "zip",
    .get = zip_get,
    .size = zip_size,
    .put = zip_put,
    .list = zip_list,
    .begin = zip_begin,
    .append = zip_append,
    .commit = zip_commit,
    .abort = zip_abort,
    .publish = zip_publish,
    .discard = zip_discard,
    .close = zip_close,
    .reserve = zip_reserve,
    .begin_ranked = zip_begin_ranked,
    .put_ranked = zip_put_ranked,
    .skip_rank = zip_skip_rank,
    .lend_spill = zip_lend_spill,
    .note_version = zip_note_version,
};

/* ---- life ---- */

static ngff_status set_paths(zip_target *z, const char *location, ngff_error *err) {
    char *absolute;
    const ngff_allocator *a = z->base.alloc;
    NGFF_TRY(ngff_path_absolute(a, location, &absolute, err));
    bool fits = ngff_copy_text(z->dest, sizeof z->dest, absolute);
    ngff_free(a, absolute);
    if (!fits)
        return ngff_fail(err, NGFF_INVALID, "%s: the path is too long", location);
    z->base.location = ngff_strdup(a, location);
    if (!z->base.location)
        return ngff_fail_nomem(err, "an archive", strlen(location));
    (void)ngff_copy_text(z->parent_dir, sizeof z->parent_dir, z->dest);
    char *slash = strrchr(z->parent_dir, '/');
    assert(slash);
    slash[slash == z->parent_dir] = '\0';
    z->base.path = z->line.path = z->dest;
    z->base.spill_dir = z->line.spill_dir = z->parent_dir;
    return NGFF_OK;
}

/* OZX-4: an .ozx is not part of another hierarchy. */
static ngff_status check_place(const zip_target *z, ngff_error *err) {
    char node[NGFF_STORE_PATH_MAX];
    if (ngff_ends_with(z->dest, ".ozx") && ngff_store_node_above(z->dest, node))
        return ngff_fail(err, NGFF_INVALID,
                         "%s: lies in the Zarr hierarchy %s, where RFC-9 allows no .ozx",
                         z->dest, node);
    return NGFF_OK;
}

static ngff_status create(zip_target *z, const char *location,
                          const ngff_store_open_opts *opts, ngff_error *err) {
    NGFF_TRY(ngff_zip_line_init(&z->line, z->base.alloc, err));
    NGFF_TRY(set_paths(z, location, err));
    NGFF_TRY(check_place(z, err));
    NGFF_TRY(ngff_store_stage_open(z->base.alloc, z->dest, opts, true, &z->stage, err));
    return ngff_file_open(&z->line.file, z->stage->partial, NGFF_OPEN_READ_WRITE, err);
}

ngff_status ngff_store_create_zip(const ngff_allocator *a, const char *location,
                                  const ngff_store_open_opts *opts, ngff_store **out,
                                  ngff_error *err) {
    *out = NULL;
    zip_target *z = ngff_calloc(a, 1, sizeof *z);
    if (!z)
        return ngff_fail_nomem(err, "an archive", sizeof *z);
    z->base.ops = &zip_ops;
    z->base.alloc = a;
    z->base.mode = NGFF_STORE_STAGE;
    z->base.overwrite = opts->overwrite;
    z->durability = opts->durability;
    z->line.file = (ngff_file)NGFF_FILE_INIT;
    ngff_status status = create(z, location, opts, err);
    if (status != NGFF_OK) {
        zip_discard(&z->base);
        zip_close(&z->base);
        return status;
    }
    *out = &z->base;
    return NGFF_OK;
}
