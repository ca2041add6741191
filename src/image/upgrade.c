/* image: a hierarchy in place from one version of OME-Zarr to another, by its documents
 * alone. First all nodes are listed and their new documents made; then these are put, the
 * leaves first. */
#include "image/inside.h"

#include <stdio.h>

#define NODES_MAX 65536 /* groups, arrays and other directories beside them */

typedef struct node {
    char *path;
    int format;             /* of Zarr; 0: no node */
    ngff_zarr_kind kind;    /* unless format is 0 */
    ngff_json *attributes;  /* of a group: new ones, NULL when they stay */
    ngff_zarr_array *array; /* with a new description; NULL when it stays */
} node;

typedef struct upgrade {
    const ngff_allocator *alloc;
    ngff_store *store;
    ngff_version to;
    node *nodes;
    size_t count, capacity;
    size_t parent; /* while children are listed */
    ngff_error *err;
} upgrade;

/* ---- the list of nodes ---- */

static ngff_status add(upgrade *u, const char *path) {
    if (u->count == NODES_MAX)
        return ngff_fail(u->err, NGFF_LIMIT, "more than %d groups and arrays", NODES_MAX);
    if (u->count == u->capacity) {
        size_t more = u->capacity ? 2 * u->capacity : 32;
        node *grown = ngff_realloc(u->alloc, u->nodes, u->capacity * sizeof *grown,
                                   more * sizeof *grown);
        if (!grown)
            return ngff_fail_nomem(u->err, "nodes", more * sizeof *grown);
        u->nodes = grown;
        u->capacity = more;
    }
    node *n = &u->nodes[u->count];
    *n = (node){.path = ngff_strdup(u->alloc, path)};
    if (!n->path)
        return ngff_fail_nomem(u->err, "a path", strlen(path));
    u->count++;
    return NGFF_OK;
}

static ngff_status add_child(void *user, const char *name, bool is_prefix) {
    upgrade *u = user;
    char path[NGFF_STORE_KEY_MAX];
    if (!is_prefix)
        return NGFF_OK;
    NGFF_TRY(ngff_image_join(u->nodes[u->parent].path, name, path, sizeof path, u->err));
    return add(u, path);
}

static bool is_missing(ngff_status status) {
    return status == NGFF_NOT_FOUND;
}

/* The new attributes of group `i`, whose old ones are taken over. */
static ngff_status plan_group(upgrade *u, size_t i, ngff_json *attributes) {
    node *n = &u->nodes[i];
    ngff_json *changed = NULL;
    ngff_status status = ngff_ome_upgrade(attributes, u->to, &changed, u->err);
    bool old = n->format == 2;
    if (status == NGFF_OK && !changed && old) { /* a group of v2 needs a new document */
        changed = attributes ? attributes : ngff_json_new_object();
        attributes = NULL;
    }
    ngff_json_close(&attributes);
    n->attributes = changed;
    return status == NGFF_OK && old && !changed ? ngff_fail_nomem(u->err, "a group", 0)
                                                : status;
}

/* A document of Zarr v2 of the node. */
static ngff_status has_document(upgrade *u, const node *n, const char *name, char *key,
                                bool *has) {
    uint64_t size = 0;
    NGFF_TRY(ngff_image_join(n->path, name, key, NGFF_STORE_KEY_MAX, u->err));
    ngff_error why = {0};
    ngff_status status = ngff_store_size(u->store, key, &size, &why);
    *has = status == NGFF_OK;
    return *has || is_missing(status) ? NGFF_OK
                                      : ngff_fail(u->err, status, "%s", why.message);
}

/* Below a root of v2 documents of v3 are what an upgrade left that did not come to its
 * end: the old ones count. */
static ngff_status prefer_old(upgrade *u, node *n, ngff_json **attributes) {
    const char *name = n->kind == NGFF_ZARR_ARRAY ? ".zarray" : ".zgroup";
    char key[NGFF_STORE_KEY_MAX];
    bool has = false;
    if (u->nodes[0].format != 2 || n->format != 3)
        return NGFF_OK;
    NGFF_TRY(has_document(u, n, name, key, &has));
    if (!has)
        return NGFF_OK;
    n->format = 2;
    ngff_json_close(attributes);
    ngff_status status =
        ngff_zarr_doc_get(u->store, n->path, ".zattrs", attributes, u->err);
    return is_missing(status) ? NGFF_OK : status;
}

static ngff_status visit(upgrade *u, size_t i) {
    node *n = &u->nodes[i];
    ngff_json *attributes = NULL;
    ngff_error why = {0};
    ngff_status status =
        ngff_zarr_node(u->store, n->path, &n->format, &n->kind, &attributes, &why);
    if (i > 0 && is_missing(status)) {
        n->format = 0;
        return NGFF_OK;
    }
    if (status != NGFF_OK)
        return ngff_fail(u->err, status, "%s", why.message);
    status = prefer_old(u, n, &attributes);
    if (status != NGFF_OK || n->kind == NGFF_ZARR_ARRAY) {
        ngff_json_close(&attributes);
        return status;
    }
    status = plan_group(u, i, attributes);
    if (status != NGFF_OK)
        return ngff_fail_at(u->err, status, "%s", n->path[0] ? n->path : "/");
    u->parent = i;
    return ngff_store_list(u->store, n->path, add_child, u, u->err);
}

/* ---- arrays ---- */

/* Axes of the image that names the array at `path` as a dataset; NULL: none does. */
static const ngff_json *axes_of(const upgrade *u, const char *path) {
    for (size_t i = 0; i < u->count; i++) {
        const node *n = &u->nodes[i];
        const ngff_json *list =
            ngff_json_get(ngff_json_get(n->attributes, "ome"), "multiscales");
        char whole[NGFF_STORE_KEY_MAX];
        for (size_t k = 0; k < ngff_json_len(list); k++) {
            const ngff_json *entry = ngff_json_at(list, k);
            const ngff_json *sets = ngff_json_get(entry, "datasets");
            const ngff_json *axes = ngff_json_get(entry, "axes");
            if (!axes)
                axes = ngff_json_get(
                    ngff_json_at(ngff_json_get(entry, "coordinateSystems"), 0), "axes");
            for (size_t d = 0; d < ngff_json_len(sets); d++) {
                const char *own =
                    ngff_json_str(ngff_json_get(ngff_json_at(sets, d), "path"));
                if (own &&
                    ngff_image_join(n->path, own, whole, sizeof whole, NULL) == NGFF_OK &&
                    strcmp(whole, path) == 0)
                    return axes;
            }
        }
    }
    return NULL;
}

static void name_dimensions(const ngff_json *axes, ngff_zarr_meta *meta) {
    if (ngff_json_len(axes) != (size_t)meta->ndim)
        return;
    meta->has_dimension_names = true;
    for (int i = 0; i < meta->ndim; i++) {
        const char *name =
            ngff_json_str(ngff_json_get(ngff_json_at(axes, (size_t)i), "name"));
        (void)ngff_copy_text(meta->dimension_names[i], sizeof meta->dimension_names[i],
                             name ? name : "");
    }
}

static ngff_status plan_array(upgrade *u, node *n) {
    ngff_json *doc = NULL;
    ngff_zarr_meta meta = {0};
    NGFF_TRY(ngff_zarr_doc_get(u->store, n->path, ".zarray", &doc, u->err));
    ngff_status status = ngff_zarr_meta_parse_v2(doc, &meta, u->err);
    ngff_json_close(&doc);
    if (status == NGFF_OK) {
        status =
            ngff_zarr_doc_get(u->store, n->path, ".zattrs", &meta.attributes, u->err);
        if (is_missing(status))
            status = NGFF_OK;
    }
    if (status == NGFF_OK)
        status = ngff_zarr_meta_to_v3(&meta, u->err);
    if (status == NGFF_OK) {
        name_dimensions(axes_of(u, n->path), &meta);
        status =
            ngff_zarr_array_create(u->alloc, u->store, n->path, &meta, &n->array, u->err);
    }
    ngff_zarr_meta_reset(&meta);
    return status == NGFF_OK ? status : ngff_fail_at(u->err, status, "%s", n->path);
}

/* ---- writing ---- */

static ngff_status put_group(upgrade *u, const node *n) {
    ngff_json *doc = NULL, *copy = NULL;
    if (n->format == 2)
        return ngff_zarr_group_put(u->store, n->path, 3, n->attributes, u->err);
    NGFF_TRY(ngff_zarr_doc_get(u->store, n->path, "zarr.json", &doc, u->err));
    ngff_status status = ngff_json_dup(n->attributes, &copy, u->err);
    if (status == NGFF_OK)
        status = ngff_json_set(doc, "attributes", copy);
    if (status == NGFF_OK)
        status = ngff_zarr_doc_put(u->store, n->path, "zarr.json", doc, u->err);
    ngff_json_close(&doc);
    return status;
}

static ngff_status put_below(upgrade *u) {
    for (size_t i = u->count; i-- > 1;) {
        const node *n = &u->nodes[i];
        if (n->array)
            NGFF_TRY(ngff_zarr_array_put_meta(n->array, u->err));
        else if (n->attributes)
            NGFF_TRY(put_group(u, n));
    }
    return NGFF_OK;
}

/* A root of v3 keeps the consolidated form it has, with the attributes that changed. */
static ngff_status put_root_v3(upgrade *u) {
    ngff_json *doc = NULL, *copy = NULL;
    NGFF_TRY(ngff_zarr_doc_get(u->store, "", "zarr.json", &doc, u->err));
    ngff_json *form = ngff_json_get_mutable(doc, "consolidated_metadata");
    ngff_json *all = form ? ngff_json_get_mutable(form, "metadata") : NULL;
    ngff_status status = NGFF_OK;
    for (size_t i = 0; i < u->count && status == NGFF_OK; i++) {
        const node *n = &u->nodes[i];
        ngff_json *own = i == 0 ? doc : all ? ngff_json_get_mutable(all, n->path) : NULL;
        if (!own || !n->attributes)
            continue;
        status = ngff_json_dup(n->attributes, &copy, u->err);
        if (status == NGFF_OK)
            status = ngff_json_set(own, "attributes", copy);
    }
    if (status == NGFF_OK)
        status = ngff_zarr_doc_put(u->store, "", "zarr.json", doc, u->err);
    ngff_json_close(&doc);
    return status;
}

static ngff_status consolidate(upgrade *u, ngff_zarr_consolidated *all) {
    for (size_t i = 1; i < u->count; i++) {
        const node *n = &u->nodes[i];
        if (n->format == 0)
            continue;
        if (n->kind == NGFF_ZARR_GROUP) {
            NGFF_TRY(
                ngff_zarr_consolidated_add_group(all, n->path, n->attributes, u->err));
        } else if (n->array) {
            NGFF_TRY(
                ngff_zarr_consolidated_add_array(all, n->path, &n->array->meta, u->err));
        }
    }
    return ngff_zarr_consolidated_put_root(all, u->store, u->nodes[0].attributes, u->err);
}

static ngff_status put_root(upgrade *u, bool consolidated) {
    ngff_zarr_consolidated *all = NULL;
    if (u->nodes[0].format == 3)
        return put_root_v3(u);
    if (!consolidated)
        return put_group(u, &u->nodes[0]);
    NGFF_TRY(ngff_zarr_consolidated_create(u->alloc, 3, &all, u->err));
    ngff_status status = consolidate(u, all);
    ngff_zarr_consolidated_close(&all);
    return status;
}

static ngff_status erase_old(upgrade *u) {
    static const char *const names[] = {".zmetadata", ".zattrs", ".zgroup", ".zarray"};
    char key[NGFF_STORE_KEY_MAX];
    for (size_t i = u->count; i-- > 0;) {
        if (u->nodes[i].format == 0)
            continue;
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            bool has = false;
            NGFF_TRY(has_document(u, &u->nodes[i], names[k], key, &has));
            if (has)
                NGFF_TRY(ngff_store_erase(u->store, key, u->err));
        }
    }
    return NGFF_OK;
}

static ngff_status run(upgrade *u) {
    bool consolidated = false;
    NGFF_TRY(ngff_store_check_whole(u->store, u->err));
    NGFF_TRY(add(u, ""));
    for (size_t i = 0; i < u->count; i++)
        NGFF_TRY(visit(u, i));
    const node *root = &u->nodes[0];
    if (root->kind != NGFF_ZARR_GROUP || !root->attributes ||
        !ngff_json_get(ngff_json_get(root->attributes, "ome"), "version"))
        return ngff_fail(u->err, NGFF_NOT_FOUND, "no OME-Zarr image at the root");
    const bool old = root->format == 2;
    for (size_t i = 1; i < u->count; i++)
        if (u->nodes[i].format == 2 && u->nodes[i].kind == NGFF_ZARR_ARRAY)
            NGFF_TRY(plan_array(u, &u->nodes[i]));
    NGFF_TRY(ngff_zarr_is_consolidated(u->store, &consolidated, u->err));
    NGFF_TRY(put_below(u));
    NGFF_TRY(put_root(u, consolidated));
    return old ? erase_old(u) : NGFF_OK;
}

/* 0.4 stays 0.4. */
static ngff_status stay(upgrade *u) {
    int format;
    ngff_zarr_kind kind;
    ngff_json *attributes = NULL;
    NGFF_TRY(ngff_zarr_node(u->store, "", &format, &kind, &attributes, u->err));
    ngff_json_close(&attributes);
    return format == 2 ? NGFF_OK
                       : ngff_fail(u->err, NGFF_UNSUPPORTED,
                                   "in place there is no way back to OME-Zarr 0.4, whose "
                                   "chunks have other names: name an output");
}

ngff_status ngff_image_upgrade(const ngff_allocator *a, ngff_store *store,
                               ngff_version to, ngff_error *err) {
    upgrade u = {.alloc = a, .store = store, .to = to, .err = err};
    ngff_status status = to == NGFF_V04 ? stay(&u) : run(&u);
    for (size_t i = 0; i < u.count; i++) {
        ngff_free(a, u.nodes[i].path);
        ngff_json_close(&u.nodes[i].attributes);
        ngff_zarr_array_close(&u.nodes[i].array);
    }
    ngff_free(a, u.nodes);
    return status;
}
