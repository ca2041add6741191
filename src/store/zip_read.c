/* store: an archive read in place: the directory once, then ranges of stored entries.
 * Deflated entries, which RFC-9 advises against, are inflated whole, within limits, and
 * the last one is kept. Reads come from any thread: the file is read by position, the
 * kept value has a mutex. */
#include "store/zip_facts.h"

#include <stdatomic.h>
#include <stdio.h>

/* The directory of some five million entries; larger ones are no image. */
#define DIRECTORY_MAX ((size_t)512 << 20)
/* A deflated entry is held twice while it is inflated. */
#define INFLATE_MAX ((uint64_t)256 << 20)
/* Deflate cannot shrink by more than 1032:1; an entry that claims to is a lie. */
#define INFLATE_RATIO 1032

typedef struct inflated {
    const ngff_zip_item *item;
    size_t refs;
    unsigned char bytes[];
} inflated;

typedef struct zip_store {
    ngff_store base;
    char dest[NGFF_STORE_PATH_MAX];
    char parent_dir[NGFF_STORE_PATH_MAX];
    char node_above[NGFF_STORE_PATH_MAX];
    char folder[NGFF_STORE_KEY_MAX]; /* of the archive that keys are below; "" = root */
    ngff_file file;
    ngff_zip_reader reader;
    ngff_zip_directory directory;
    atomic_uint_fast64_t *data_at; /* by item; 0: its local header was not read yet */
    ngff_mutex *mutex;
    inflated *last; /* under the mutex */
    ngff_store_archive facts;
} zip_store;

/* ---- finding ---- */

static ngff_status read_archive(void *user, uint64_t offset, void *out, size_t size,
                                ngff_error *err) {
    zip_store *z = user;
    size_t got;
    NGFF_TRY(ngff_file_pread(&z->file, out, size, offset, &got, z->dest, err));
    if (got < size)
        return ngff_fail(err, NGFF_FORMAT, "%s: ends %zu bytes before its directory says",
                         z->dest, size - got);
    return NGFF_OK;
}

typedef struct full_name {
    char text[2 * NGFF_STORE_KEY_MAX];
} full_name;

static void name_of(const zip_store *z, const char *key, full_name *out) {
    const char *slash = z->folder[0] && key[0] ? "/" : "";
    snprintf(out->text, sizeof out->text, "%s%s%s", z->folder, slash, key);
}

static const ngff_zip_item *find(const zip_store *z, const char *key, ngff_error *err) {
    full_name name;
    name_of(z, key, &name);
    const ngff_zip_item *item = ngff_zip_find(&z->directory, name.text);
    if (!item)
        (void)ngff_fail(err, NGFF_NOT_FOUND, "no such key");
    return item;
}

static ngff_status data_at(zip_store *z, const ngff_zip_item *item, uint64_t *out,
                           ngff_error *err) {
    atomic_uint_fast64_t *cell = &z->data_at[item - z->directory.items];
    *out = atomic_load_explicit(cell, memory_order_relaxed);
    if (*out)
        return NGFF_OK;
    NGFF_TRY(ngff_zip_data_offset(&z->reader, item, out, err));
    atomic_store_explicit(cell, *out, memory_order_relaxed);
    return NGFF_OK;
}

/* ---- deflated entries ---- */

static ngff_status check_sizes(const ngff_zip_item *item, ngff_error *err) {
    if (item->size > INFLATE_MAX || item->packed > INFLATE_MAX)
        return ngff_fail(err, NGFF_LIMIT,
                         "a compressed archive entry of %llu bytes, at most %llu are "
                         "inflated; store it uncompressed",
                         (unsigned long long)item->size, (unsigned long long)INFLATE_MAX);
    if (item->size / INFLATE_RATIO > item->packed)
        return ngff_fail(
            err, NGFF_FORMAT, "%llu bytes cannot come out of %llu deflated ones",
            (unsigned long long)item->size, (unsigned long long)item->packed);
    return NGFF_OK;
}

static ngff_status inflate(zip_store *z, const ngff_zip_item *item, inflated **out,
                           ngff_error *err) {
    uint64_t at;
    NGFF_TRY(check_sizes(item, err));
    NGFF_TRY(data_at(z, item, &at, err));
    size_t size = (size_t)item->size, packed_size = (size_t)item->packed;
    inflated *v = ngff_alloc(z->base.alloc, sizeof *v + size);
    unsigned char *packed = ngff_alloc(z->base.alloc, packed_size);
    ngff_status status = v && packed ? NGFF_OK
                                     : ngff_fail_nomem(err, "a compressed archive entry",
                                                       size + packed_size);
    if (status == NGFF_OK)
        status = read_archive(z, at, packed, packed_size, err);
    if (status == NGFF_OK)
        status = ngff_zip_inflate(item, packed, v->bytes, err);
    ngff_free(z->base.alloc, packed);
    if (status != NGFF_OK) {
        ngff_free(z->base.alloc, v);
        return status;
    }
    v->item = item;
    v->refs = 1;
    *out = v;
    return NGFF_OK;
}

/* Under the mutex. */
static void unref(const zip_store *z, inflated *v) {
    if (v && --v->refs == 0)
        ngff_free(z->base.alloc, v);
}

static ngff_status take(zip_store *z, const ngff_zip_item *item, inflated **out,
                        ngff_error *err) {
    ngff_mutex_lock(z->mutex);
    inflated *v = z->last && z->last->item == item ? z->last : NULL;
    if (v)
        v->refs++;
    ngff_mutex_unlock(z->mutex);
    *out = v;
    if (v)
        return NGFF_OK;
    NGFF_TRY(inflate(z, item, out, err));
    ngff_mutex_lock(z->mutex);
    unref(z, z->last);
    z->last = *out;
    (*out)->refs++;
    ngff_mutex_unlock(z->mutex);
    return NGFF_OK;
}

static ngff_status get_deflated(zip_store *z, const ngff_zip_item *item, uint64_t off,
                                size_t size, void *out, ngff_error *err) {
    inflated *v;
    NGFF_TRY(take(z, item, &v, err));
    memcpy(out, v->bytes + off, size);
    ngff_mutex_lock(z->mutex);
    unref(z, v);
    ngff_mutex_unlock(z->mutex);
    return NGFF_OK;
}

/* ---- the calls ---- */

static ngff_status zip_get(ngff_store *s, const char *key, uint64_t off, size_t size,
                           void *out, size_t *got, ngff_error *err) {
    zip_store *z = (zip_store *)s;
    uint64_t at;
    const ngff_zip_item *item = find(z, key, err);
    if (!item)
        return NGFF_NOT_FOUND;
    uint64_t left = off < item->size ? item->size - off : 0;
    size = size < left ? size : (size_t)left;
    if (size == 0) {
        *got = 0;
        return NGFF_OK;
    }
    ngff_status status;
    if (item->method != 0) {
        status = get_deflated(z, item, off, size, out, err);
    } else {
        status = data_at(z, item, &at, err);
        if (status == NGFF_OK)
            status = read_archive(z, at + off, out, size, err);
        if (status == NGFF_OK && size == item->size)
            status = ngff_zip_check(item, ngff_zip_crc32(0, out, size), err);
    }
    *got = status == NGFF_OK ? size : 0;
    return status;
}

static ngff_status zip_size(ngff_store *s, const char *key, uint64_t *size,
                            ngff_error *err) {
    const ngff_zip_item *item = find((zip_store *)s, key, err);
    if (!item)
        return NGFF_NOT_FOUND;
    *size = item->size;
    return NGFF_OK;
}

static ngff_status zip_crc32(ngff_store *s, const char *key, uint32_t *crc,
                             ngff_error *err) {
    const ngff_zip_item *item = find((zip_store *)s, key, err);
    if (!item)
        return NGFF_NOT_FOUND;
    *crc = item->crc;
    return NGFF_OK;
}

/* Names are sorted, so everything below one child is passed over in one search. */
static ngff_status collect(const zip_store *z, const char *prefix,
                           ngff_store_children *children, ngff_error *err) {
    const ngff_zip_directory *d = &z->directory;
    full_name name, next;
    size_t skip = z->folder[0] ? strlen(z->folder) + 1 : 0;
    name_of(z, prefix, &name);
    size_t len = strlen(name.text);
    if (len > 0)
        name.text[len++] = '/';
    name.text[len] = '\0';
    size_t i = ngff_zip_lower_bound(d, name.text);
    while (i < d->count && strncmp(d->items[i].name, name.text, len) == 0) {
        const char *rest = d->items[i].name + len;
        size_t child = strcspn(rest, "/");
        NGFF_TRY(ngff_store_children_add(children, prefix, d->items[i].name + skip, err));
        if (rest[child] == '\0' || len + child + 2 > sizeof next.text) {
            i++;
            continue;
        }
        memcpy(next.text, d->items[i].name, len + child);
        next.text[len + child] = '/' + 1;
        next.text[len + child + 1] = '\0';
        i = ngff_zip_lower_bound(d, next.text);
    }
    return NGFF_OK;
}

static ngff_status zip_list(ngff_store *s, const char *prefix, ngff_store_list_fn fn,
                            void *user, ngff_error *err) {
    ngff_store_children children;
    ngff_store_children_init(&children, s->alloc);
    ngff_status status = collect((zip_store *)s, prefix, &children, err);
    if (status == NGFF_OK)
        status = ngff_store_children_call(&children, fn, user, err);
    ngff_store_children_reset(&children);
    return status;
}

static const ngff_store_archive *zip_archive(const ngff_store *s) {
    return &((const zip_store *)s)->facts;
}

static void zip_close(ngff_store *s) {
    zip_store *z = (zip_store *)s;
    unref(z, z->last);
    ngff_zip_directory_reset(&z->directory);
    ngff_free(s->alloc, z->data_at);
    ngff_mutex_close(&z->mutex);
    ngff_file_close(&z->file);
    ngff_free(s->alloc, s->location);
    ngff_free(s->alloc, z);
}

static const ngff_store_vtable zip_ops = {
    .kind = "zip",
    .get = zip_get,
    .size = zip_size,
    .list = zip_list,
    .close = zip_close,
    .archive = zip_archive,
    .crc32 = zip_crc32,
};

/* ---- life ---- */

bool ngff_store_node_above(const char *path, char out[NGFF_STORE_PATH_MAX]) {
    static const char *const documents[] = {"zarr.json", ".zgroup", ".zarray"};
    char file[NGFF_STORE_PATH_MAX + 16];
    (void)ngff_copy_text(out, NGFF_STORE_PATH_MAX, path);
    for (;;) {
        char *slash = strrchr(out, '/');
        if (!slash)
            break;
        *slash = '\0';
        for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
            ngff_path_kind kind;
            snprintf(file, sizeof file, "%s/%s", out, documents[i]);
            if (ngff_path_kind_of(file, &kind, NULL) == NGFF_OK && kind == NGFF_PATH_FILE)
                return true;
        }
    }
    out[0] = '\0';
    return false;
}

static ngff_status require_file(const char *path, ngff_error *err) {
    ngff_path_kind kind;
    NGFF_TRY(ngff_path_kind_of(path, &kind, err));
    if (kind == NGFF_PATH_NONE)
        return ngff_fail(err, NGFF_NOT_FOUND, "%s: no such file", path);
    if (kind != NGFF_PATH_FILE)
        return ngff_fail(err, NGFF_INVALID,
                         "%s: not a regular file; an archive is read by position", path);
    return NGFF_OK;
}

static ngff_status look_inside(zip_store *z, ngff_error *err) {
    const ngff_allocator *a = z->base.alloc;
    z->reader = (ngff_zip_reader){.read = read_archive, .user = z};
    NGFF_TRY(ngff_file_size(&z->file, &z->reader.size, z->dest, err));
    ngff_status status =
        ngff_zip_directory_read(a, &z->reader, DIRECTORY_MAX, &z->directory, err);
    if (status != NGFF_OK)
        return ngff_fail_at(err, status, "%s", z->dest);
    z->data_at = ngff_calloc(a, z->directory.count + 1, sizeof *z->data_at);
    if (!z->data_at)
        return ngff_fail_nomem(err, "an archive", z->directory.count);
    ngff_zip_find_folder(&z->directory, z->folder, sizeof z->folder);
    NGFF_TRY(ngff_zip_facts(a, &z->directory, &z->facts, err));
    z->facts.folder = z->folder;
    z->facts.root = ngff_zip_has_node(&z->directory, z->folder);
    if (ngff_store_node_above(z->dest, z->node_above))
        z->facts.parent = z->node_above;
    return NGFF_OK;
}

static ngff_status open_archive(zip_store *z, const char *location, ngff_error *err) {
    char *absolute;
    const ngff_allocator *a = z->base.alloc;
    NGFF_TRY(ngff_path_absolute(a, location, &absolute, err));
    bool fits = ngff_copy_text(z->dest, sizeof z->dest, absolute);
    ngff_free(a, absolute);
    z->base.location = ngff_strdup(a, location);
    if (!fits)
        return ngff_fail(err, NGFF_INVALID, "%s: the path is too long", location);
    if (!z->base.location)
        return ngff_fail_nomem(err, "an archive", strlen(location));
    (void)ngff_copy_text(z->parent_dir, sizeof z->parent_dir, z->dest);
    char *slash = strrchr(z->parent_dir, '/');
    assert(slash);
    slash[slash == z->parent_dir] = '\0';
    z->base.path = z->dest;
    z->base.spill_dir = z->parent_dir;
    NGFF_TRY(ngff_mutex_create(a, &z->mutex, err));
    NGFF_TRY(require_file(z->dest, err));
    NGFF_TRY(ngff_file_open(&z->file, z->dest, NGFF_OPEN_READ, err));
    return look_inside(z, err);
}

ngff_status ngff_store_open_zip(const ngff_allocator *a, const char *location,
                                const ngff_store_open_opts *opts, ngff_store **out,
                                ngff_error *err) {
    *out = NULL;
    if (opts->mode == NGFF_STORE_STAGE || opts->mode == NGFF_STORE_CHUNKS)
        return ngff_store_create_zip(a, location, opts, out, err);
    if (opts->mode == NGFF_STORE_UPDATE)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "%s: an archive is not changed in place; write a new one",
                         location);
    zip_store *z = ngff_calloc(a, 1, sizeof *z);
    if (!z)
        return ngff_fail_nomem(err, "an archive", sizeof *z);
    z->base.ops = &zip_ops;
    z->base.alloc = a;
    z->file = (ngff_file)NGFF_FILE_INIT;
    ngff_status status = open_archive(z, location, err);
    if (status != NGFF_OK) {
        zip_close(&z->base);
        return status;
    }
    *out = &z->base;
    return NGFF_OK;
}

/* ---- may it be replaced? ---- */

static ngff_status no_image(const char *path, const char *why, ngff_error *err) {
    return ngff_fail(err, NGFF_EXISTS,
                     "%s: is not a zipped OME-Zarr and is not replaced (%s)", path, why);
}

ngff_status ngff_store_zip_foreign_check(const ngff_allocator *a, const char *path,
                                         ngff_error *err) {
    const ngff_store_open_opts read = {.mode = NGFF_STORE_READ};
    ngff_store *s;
    ngff_error why = {0};
    ngff_status status = ngff_store_open_zip(a, path, &read, &s, &why);
    if (status == NGFF_NOMEM || status == NGFF_IO)
        return ngff_fail(err, status, "%s", why.message);
    if (status != NGFF_OK)
        return no_image(path, why.message, err);
    const zip_store *z = (const zip_store *)s;
    if (!z->facts.root)
        status = no_image(path, "no Zarr document at its root", err);
    for (size_t i = 0; i < z->directory.count && status == NGFF_OK; i++) {
        const char *name = z->directory.items[i].name;
        const char *slash = strrchr(name, '/');
        if (ngff_store_foreign_name(slash ? slash + 1 : name))
            status = no_image(path, name, err);
    }
    ngff_store_drop(&s);
    return status;
}
