/* image: a whole hierarchy from one store to another: into an archive and out of it.
 * Documents first, breadth first, then the rest in the order of the keys; values are
 * streamed, so memory does not depend on their sizes. What an archive tells of a value
 * (its CRC-32) is checked. */
#include "image/inside.h"
#include "zarr/zarr.h"

#include <stdlib.h>

#define STEP ((size_t)1 << 20)

typedef struct copying {
    ngff_store *from, *to;
    const ngff_allocator *alloc;
    ngff_buf keys; /* one after the other, each with its NUL */
    ngff_buf todo; /* prefixes to list, each with its NUL */
    const char *prefix;
    size_t count;
    char *buffer;
    ngff_error *err;
    const ngff_image_copy_opts *opts;
    uint64_t total, done;
} copying;

/* ---- what there is ---- */

static ngff_status add(void *user, const char *name, bool is_prefix) {
    copying *c = user;
    char key[1024];
    uint64_t size;
    NGFF_TRY(ngff_image_join(c->prefix, name, key, sizeof key, c->err));
    if (is_prefix)
        return ngff_buf_append(&c->todo, key, strlen(key) + 1, c->err);
    NGFF_TRY(ngff_store_size(c->from, key, &size, c->err));
    c->total += size;
    c->count++;
    return ngff_buf_append(&c->keys, key, strlen(key) + 1, c->err);
}

static ngff_status collect(copying *c) {
    char prefix[1024];
    c->prefix = "";
    ngff_status status = ngff_store_list(c->from, "", add, c, c->err);
    c->prefix = prefix;
    for (size_t at = 0; status == NGFF_OK && at < c->todo.size;
         at += strlen(c->todo.data + at) + 1) {
        (void)ngff_copy_text(prefix, sizeof prefix, c->todo.data + at);
        status = ngff_store_list(c->from, prefix, add, c, c->err);
    }
    c->prefix = "";
    return status;
}

/* ---- in which order ---- */

static int by_place(const void *a, const void *b) {
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    bool x_first = ngff_store_key_is_document(x), y_first = ngff_store_key_is_document(y);
    if (x_first != y_first)
        return x_first ? -1 : 1;
    size_t x_depth = ngff_store_key_depth(x), y_depth = ngff_store_key_depth(y);
    if (x_first && x_depth != y_depth)
        return x_depth < y_depth ? -1 : 1;
    return strcmp(x, y);
}

/* ---- copying ---- */

static ngff_status tell(copying *c, uint64_t bytes) {
    c->done += bytes;
    ngff_progress p = {
        .phase = "copy", .level = -1, .bytes_done = c->done, .bytes_total = c->total};
    if (c->opts->progress && c->opts->progress(c->opts->progress_user, &p) != 0)
        return ngff_fail(c->err, NGFF_CANCELLED, "cancelled");
    return NGFF_OK;
}

static ngff_status read_piece(copying *c, const char *key, uint64_t off, size_t *got) {
    ngff_status status =
        ngff_store_get_range(c->from, key, off, STEP, c->buffer, got, c->err);
    return status == NGFF_OK ? NGFF_OK
                             : ngff_fail_origin(c->err, status, NGFF_ORIGIN_INPUT);
}

/* In pieces no store checks its sum. */
static ngff_status check_sum(copying *c, const char *key, uint32_t crc) {
    uint32_t told;
    if (ngff_store_crc32(c->from, key, &told, NULL) != NGFF_OK || told == crc)
        return NGFF_OK;
    (void)ngff_fail(c->err, NGFF_CHECKSUM, "%s/%s: CRC-32 %08x, the archive says %08x",
                    c->from->location, key, (unsigned)crc, (unsigned)told);
    return ngff_fail_origin(c->err, NGFF_CHECKSUM, NGFF_ORIGIN_INPUT);
}

static ngff_status stream(copying *c, const char *key, ngff_store_writer *w) {
    uint64_t off = 0;
    uint32_t crc = 0;
    size_t got = STEP;
    while (got == STEP) {
        NGFF_TRY(read_piece(c, key, off, &got));
        crc = ngff_crc32(crc, c->buffer, got);
        NGFF_TRY(ngff_store_append(w, c->buffer, got, c->err));
        NGFF_TRY(tell(c, got));
        off += got;
    }
    return check_sum(c, key, crc);
}

static ngff_status copy_value(copying *c, const char *key) {
    ngff_store_writer *w;
    NGFF_TRY(ngff_store_begin(c->to, key, &w, c->err));
    ngff_status status = stream(c, key, w);
    if (status == NGFF_OK)
        return ngff_store_commit(&w, c->err);
    ngff_store_abort(&w);
    return status;
}

static ngff_status copy_all(copying *c) {
    ngff_status status = NGFF_OK;
    const char **order = ngff_calloc(c->alloc, c->count + 1, sizeof *order);
    if (!order)
        return ngff_fail_nomem(c->err, "the keys", c->count * sizeof *order);
    const char *key = c->keys.data;
    for (size_t i = 0; i < c->count; i++, key += strlen(key) + 1)
        order[i] = key;
    if (c->count > 0)
        qsort(order, c->count, sizeof *order, by_place);
    for (size_t i = 0; i < c->count && status == NGFF_OK; i++)
        status = copy_value(c, order[i]);
    ngff_free(c->alloc, order);
    return status;
}

/* ---- the version, for an archive's comment and for RFC-9's condition ---- */

static const char *version_of(const ngff_json *attributes) {
    const ngff_json *ome = ngff_json_get(attributes, "ome");
    const char *version = ngff_json_str(ngff_json_get(ome, "version"));
    if (version)
        return version;
    static const char *const members[] = {"plate", "well"};
    const ngff_json *list = ngff_json_get(attributes, "multiscales");
    version = ngff_json_str(ngff_json_get(ngff_json_at(list, 0), "version"));
    for (size_t i = 0; !version && i < sizeof members / sizeof members[0]; i++)
        version = ngff_json_str(
            ngff_json_get(ngff_json_get(attributes, members[i]), "version"));
    return version;
}

static ngff_status check_version(copying *c) {
    int format;
    ngff_zarr_kind kind;
    ngff_json *attributes = NULL;
    ngff_status status = ngff_zarr_node(c->from, "", &format, &kind, &attributes, c->err);
    if (status != NGFF_OK)
        return ngff_fail_origin(c->err, status, NGFF_ORIGIN_INPUT);
    const char *version = version_of(attributes);
    status = ngff_image_check_store(c->to, version ? version : "unknown", c->err);
    ngff_version known = ngff_version_from_text(version ? version : "");
    if (status == NGFF_OK && known != NGFF_VERSION_UNKNOWN)
        ngff_store_note_version(c->to, ngff_version_text(known));
    ngff_json_close(&attributes);
    return status;
}

ngff_status ngff_image_copy(ngff_store *from, ngff_store *to,
                            const ngff_image_copy_opts *opts, ngff_error *err) {
    static const ngff_image_copy_opts none = {0};
    ngff_error own = {0};
    copying c = {.from = from,
                 .to = to,
                 .alloc = to->alloc,
                 .err = err ? err : &own,
                 .opts = opts ? opts : &none};
    ngff_buf_init(&c.keys, c.alloc, SIZE_MAX);
    ngff_buf_init(&c.todo, c.alloc, SIZE_MAX);
    ngff_status status = ngff_store_check_whole(from, c.err);
    if (status != NGFF_OK)
        return ngff_fail_origin(c.err, status, NGFF_ORIGIN_INPUT);
    status = check_version(&c);
    c.buffer = ngff_alloc(c.alloc, STEP);
    if (status == NGFF_OK && !c.buffer)
        status = ngff_fail_nomem(c.err, "copying", STEP);
    if (status == NGFF_OK) {
        status = collect(&c);
        if (status != NGFF_OK)
            (void)ngff_fail_origin(c.err, status, NGFF_ORIGIN_INPUT);
    }
    if (status == NGFF_OK)
        status = copy_all(&c);
    ngff_free(c.alloc, c.buffer);
    ngff_buf_reset(&c.todo);
    ngff_buf_reset(&c.keys);
    return status;
}
