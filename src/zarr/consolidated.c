/* zarr: consolidated metadata, as zarr-python writes it: v3 inside the root's zarr.json,
 * v2 as .zmetadata. The entries are copies of the documents; they are sorted by depth,
 * then path. */
#include "zarr/inside.h"

typedef struct entry {
    char *path;
    int depth;
    ngff_json *doc;        /* zarr.json, .zgroup or .zarray */
    ngff_json *attributes; /* v2 */
    bool is_array;
} entry;

struct ngff_zarr_consolidated {
    const ngff_allocator *alloc;
    int zarr_format;
    entry *entries;
    size_t count, capacity;
};

ngff_status ngff_zarr_consolidated_create(const ngff_allocator *a, int zarr_format,
                                          ngff_zarr_consolidated **out, ngff_error *err) {
    ngff_zarr_consolidated *c = ngff_calloc(a, 1, sizeof *c);
    *out = c;
    if (!c)
        return ngff_fail_nomem(err, "consolidated metadata", sizeof *c);
    c->alloc = a;
    c->zarr_format = zarr_format;
    return NGFF_OK;
}

static void entry_reset(const ngff_allocator *a, entry *e) {
    ngff_free(a, e->path);
    ngff_json_close(&e->doc);
    ngff_json_close(&e->attributes);
}

void ngff_zarr_consolidated_close(ngff_zarr_consolidated **c) {
    ngff_zarr_consolidated *me = c ? *c : NULL;
    if (!me)
        return;
    for (size_t i = 0; i < me->count; i++)
        entry_reset(me->alloc, &me->entries[i]);
    ngff_free(me->alloc, me->entries);
    ngff_free(me->alloc, me);
    *c = NULL;
}

/* Takes the content of *e. */
static ngff_status add(ngff_zarr_consolidated *c, const char *path, entry *e,
                       ngff_error *err) {
    size_t wanted = c->capacity ? 2 * c->capacity : 16;
    if (c->count == c->capacity) {
        entry *grown = ngff_realloc(c->alloc, c->entries, c->capacity * sizeof *grown,
                                    wanted * sizeof *grown);
        if (grown) {
            c->entries = grown;
            c->capacity = wanted;
        }
    }
    e->path = ngff_strdup(c->alloc, path);
    if (c->count == c->capacity || !e->path) {
        entry_reset(c->alloc, e);
        return ngff_fail_nomem(err, "consolidated metadata", wanted * sizeof *e);
    }
    for (const char *p = path; *p; p++)
        e->depth += *p == '/';
    c->entries[c->count++] = *e;
    return NGFF_OK;
}

/* {"kind": "inline", "must_understand": false, "metadata": {…}}; takes `metadata`. */
static ngff_json *inline_form(ngff_json *metadata) {
    ngff_json *doc = ngff_json_new_object();
    ngff_status status = doc && metadata ? NGFF_OK : NGFF_NOMEM;
    if (status == NGFF_OK)
        status = ngff_json_set(doc, "kind", ngff_json_new_str("inline"));
    if (status == NGFF_OK)
        status = ngff_json_set(doc, "must_understand", ngff_json_new_bool(false));
    if (status == NGFF_OK) {
        status = ngff_json_set(doc, "metadata", metadata);
        metadata = NULL;
    }
    ngff_json_close(&metadata);
    if (status != NGFF_OK)
        ngff_json_close(&doc);
    return doc;
}

ngff_status ngff_zarr_consolidated_add_group(ngff_zarr_consolidated *c, const char *path,
                                             const ngff_json *attributes,
                                             ngff_error *err) {
    entry e = {0};
    ngff_status status;
    if (c->zarr_format == 3) { /* a nested group carries an empty form */
        ngff_json *nested = inline_form(ngff_json_new_object());
        if (!nested)
            return ngff_fail_nomem(err, "consolidated metadata", 64);
        NGFF_TRY(ngff_zarr_group_doc(attributes, nested, &e.doc, err));
        return add(c, path, &e, err);
    }
    status = ngff_zarr_zgroup_doc(&e.doc, err);
    if (status == NGFF_OK)
        status = ngff_zarr_attributes_dup(attributes, &e.attributes, err);
    if (status == NGFF_OK)
        return add(c, path, &e, err);
    entry_reset(c->alloc, &e);
    return status;
}

ngff_status ngff_zarr_consolidated_add_array(ngff_zarr_consolidated *c, const char *path,
                                             const ngff_zarr_meta *meta,
                                             ngff_error *err) {
    entry e = {.is_array = true};
    ngff_status status = ngff_zarr_meta_emit(meta, &e.doc, err);
    if (status == NGFF_OK && c->zarr_format == 2)
        status = ngff_zarr_attributes_dup(meta->attributes, &e.attributes, err);
    if (status == NGFF_OK)
        return add(c, path, &e, err);
    entry_reset(c->alloc, &e);
    return status;
}

static bool comes_after(const entry *a, const entry *b) {
    return a->depth != b->depth ? a->depth > b->depth : strcmp(a->path, b->path) > 0;
}

/* Insertion: entries come nearly sorted, and a hierarchy has few of them per sort. */
static void sort(entry *e, size_t count) {
    for (size_t i = 1; i < count; i++) {
        entry v = e[i];
        size_t at = i;
        for (; at > 0 && comes_after(&e[at - 1], &v); at--)
            e[at] = e[at - 1];
        e[at] = v;
    }
}

/* Adds a copy of `doc` under "path/name", or under "path" alone for v3. */
static ngff_status put(ngff_json *into, const char *path, const char *name,
                       const ngff_json *doc, ngff_error *err) {
    char key[NGFF_ZARR_KEY_MAX];
    ngff_json *copy = NULL;
    if (name)
        NGFF_TRY(ngff_zarr_join(path, name, key, sizeof key, err));
    NGFF_TRY(ngff_json_dup(doc, &copy, err));
    return ngff_json_set(into, name ? key : path, copy);
}

static ngff_status collect(ngff_zarr_consolidated *c, ngff_json *metadata,
                           ngff_error *err) {
    sort(c->entries, c->count);
    for (size_t i = 0; i < c->count; i++) {
        const entry *e = &c->entries[i];
        if (c->zarr_format == 3) {
            NGFF_TRY(put(metadata, e->path, NULL, e->doc, err));
            continue;
        }
        NGFF_TRY(put(metadata, e->path, ".zattrs", e->attributes, err));
        NGFF_TRY(
            put(metadata, e->path, e->is_array ? ".zarray" : ".zgroup", e->doc, err));
    }
    return NGFF_OK;
}

static ngff_status put_root_v3(ngff_zarr_consolidated *c, ngff_store *store,
                               const ngff_json *attributes, ngff_error *err) {
    ngff_json *metadata = ngff_json_new_object(), *root = NULL;
    ngff_status status = metadata ? collect(c, metadata, err) : NGFF_NOMEM;
    if (status != NGFF_OK) {
        ngff_json_close(&metadata);
        return ngff_fail_nomem(err, "consolidated metadata", 1024);
    }
    ngff_json *form = inline_form(metadata);
    if (!form)
        return ngff_fail_nomem(err, "consolidated metadata", 1024);
    NGFF_TRY(ngff_zarr_group_doc(attributes, form, &root, err));
    status = ngff_zarr_doc_put(store, "", "zarr.json", root, err);
    ngff_json_close(&root);
    return status;
}

static ngff_status zmetadata(ngff_zarr_consolidated *c, const ngff_json *attributes,
                             ngff_json *doc, ngff_error *err) {
    ngff_json *metadata = ngff_json_new_object();
    ngff_json *zgroup = NULL, *copy = NULL;
    NGFF_TRY(ngff_json_set(doc, "metadata", metadata));
    NGFF_TRY(ngff_zarr_zgroup_doc(&zgroup, err));
    NGFF_TRY(ngff_json_set(metadata, ".zgroup", zgroup));
    NGFF_TRY(ngff_zarr_attributes_dup(attributes, &copy, err));
    NGFF_TRY(ngff_json_set(metadata, ".zattrs", copy));
    NGFF_TRY(collect(c, metadata, err));
    return ngff_json_set(doc, "zarr_consolidated_format", ngff_json_new_i64(1));
}

static ngff_status put_root_v2(ngff_zarr_consolidated *c, ngff_store *store,
                               const ngff_json *attributes, ngff_error *err) {
    ngff_json *doc = ngff_json_new_object();
    ngff_status status = doc ? zmetadata(c, attributes, doc, err) : NGFF_NOMEM;
    if (status != NGFF_OK)
        status = ngff_fail(err, status, "out of memory: consolidated metadata");
    if (status == NGFF_OK)
        status = ngff_zarr_doc_put(store, "", ".zmetadata", doc, err);
    ngff_json_close(&doc);
    return status == NGFF_OK ? ngff_zarr_group_put(store, "", 2, attributes, err)
                             : status;
}

ngff_status ngff_zarr_consolidated_put_root(ngff_zarr_consolidated *c, ngff_store *store,
                                            const ngff_json *root_attributes,
                                            ngff_error *err) {
    return c->zarr_format == 3 ? put_root_v3(c, store, root_attributes, err)
                               : put_root_v2(c, store, root_attributes, err);
}

ngff_status ngff_zarr_is_consolidated(ngff_store *store, bool *is, ngff_error *err) {
    uint64_t size;
    ngff_json *doc = NULL;
    ngff_status status = ngff_zarr_doc_get(store, "", "zarr.json", &doc, err);
    *is = ngff_json_type_of(ngff_json_get(doc, "consolidated_metadata")) ==
          NGFF_JSON_OBJECT;
    ngff_json_close(&doc);
    if (status != NGFF_NOT_FOUND)
        return status;
    status = ngff_store_size(store, ".zmetadata", &size, err);
    *is = status == NGFF_OK;
    if (status == NGFF_NOT_FOUND)
        ngff_error_clear(err);
    return status == NGFF_NOT_FOUND ? NGFF_OK : status;
}
