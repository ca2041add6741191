/* zarr: documents in the store: finding nodes, groups, array metadata. */
#include "zarr/inside.h"

#include <stdio.h>

ngff_status ngff_zarr_join(const char *path, const char *name, char *out, size_t out_size,
                           ngff_error *err) {
    int n = snprintf(out, out_size, "%s%s%s", path, path[0] ? "/" : "", name);
    if (n < 0 || (size_t)n >= out_size)
        return ngff_fail(err, NGFF_LIMIT, "%.64s…: the path is longer than %zu bytes",
                         path, out_size - 1);
    return NGFF_OK;
}

ngff_status ngff_zarr_doc_get(ngff_store *store, const char *path, const char *name,
                              ngff_json **out, ngff_error *err) {
    char key[NGFF_ZARR_KEY_MAX];
    ngff_buf text;
    ngff_error local = {0};
    *out = NULL;
    NGFF_TRY(ngff_zarr_join(path, name, key, sizeof key, err));
    ngff_buf_init(&text, store->alloc, NGFF_JSON_MAX_SIZE);
    ngff_status status = ngff_store_get(store, key, &text, &local);
    if (status == NGFF_OK) {
        status = ngff_json_parse(text.data, text.size, NGFF_JSON_LENIENT, out, &local);
        if (status != NGFF_OK)
            ngff_fail_at(&local, status, "%s", key);
    }
    ngff_buf_reset(&text);
    if (status != NGFF_OK && status != NGFF_NOT_FOUND)
        return ngff_fail(err, status, "%s", local.message);
    return status;
}

ngff_status ngff_zarr_doc_put(ngff_store *store, const char *path, const char *name,
                              const ngff_json *doc, ngff_error *err) {
    char key[NGFF_ZARR_KEY_MAX];
    ngff_buf text;
    NGFF_TRY(ngff_zarr_join(path, name, key, sizeof key, err));
    ngff_buf_init(&text, store->alloc, NGFF_JSON_MAX_SIZE);
    ngff_status status = ngff_json_print(doc, 2, &text, err);
    if (status == NGFF_OK)
        status = ngff_store_put(store, key, text.data, text.size, err);
    ngff_buf_reset(&text);
    return status;
}

ngff_status ngff_zarr_attributes_dup(const ngff_json *attributes, ngff_json **out,
                                     ngff_error *err) {
    *out = NULL;
    if (ngff_json_type_of(attributes) == NGFF_JSON_OBJECT)
        return ngff_json_dup(attributes, out, err);
    *out = ngff_json_new_object();
    return *out ? NGFF_OK : ngff_fail_nomem(err, "attributes", 64);
}

/* ---- groups ---- */

ngff_status ngff_zarr_group_doc(const ngff_json *attributes, ngff_json *consolidated,
                                ngff_json **out, ngff_error *err) {
    ngff_json *copy = NULL;
    ngff_json *doc = ngff_json_new_object();
    *out = NULL;
    ngff_status status = ngff_zarr_attributes_dup(attributes, &copy, err);
    if (status == NGFF_OK && !doc) {
        ngff_json_close(&copy);
        status = NGFF_NOMEM;
    }
    if (status == NGFF_OK)
        status = ngff_json_set(doc, "attributes", copy);
    if (status == NGFF_OK)
        status = ngff_json_set(doc, "zarr_format", ngff_json_new_i64(3));
    if (status == NGFF_OK && consolidated) {
        status = ngff_json_set(doc, "consolidated_metadata", consolidated);
        consolidated = NULL;
    }
    if (status == NGFF_OK)
        status = ngff_json_set(doc, "node_type", ngff_json_new_str("group"));
    if (status != NGFF_OK) {
        ngff_json_close(&consolidated);
        ngff_json_close(&doc);
        return ngff_fail_nomem(err, "a group document", 256);
    }
    *out = doc;
    return NGFF_OK;
}

ngff_status ngff_zarr_zgroup_doc(ngff_json **out, ngff_error *err) {
    ngff_json *doc = ngff_json_new_object();
    *out = NULL;
    if (!doc || ngff_json_set(doc, "zarr_format", ngff_json_new_i64(2)) != NGFF_OK) {
        ngff_json_close(&doc);
        return ngff_fail_nomem(err, "a group document", 64);
    }
    *out = doc;
    return NGFF_OK;
}

static ngff_status put_attributes_v2(ngff_store *store, const char *path,
                                     const ngff_json *attributes, ngff_error *err) {
    ngff_json *copy = NULL;
    NGFF_TRY(ngff_zarr_attributes_dup(attributes, &copy, err));
    ngff_status status = ngff_zarr_doc_put(store, path, ".zattrs", copy, err);
    ngff_json_close(&copy);
    return status;
}

ngff_status ngff_zarr_group_put(ngff_store *store, const char *path, int zarr_format,
                                const ngff_json *attributes, ngff_error *err) {
    ngff_json *doc = NULL;
    if (zarr_format == 3)
        NGFF_TRY(ngff_zarr_group_doc(attributes, NULL, &doc, err));
    else
        NGFF_TRY(ngff_zarr_zgroup_doc(&doc, err));
    const char *name = zarr_format == 3 ? "zarr.json" : ".zgroup";
    ngff_status status = NGFF_OK;
    if (zarr_format ==
        2) /* the group becomes one with its .zgroup, after the attributes */
        status = put_attributes_v2(store, path, attributes, err);
    if (status == NGFF_OK)
        status = ngff_zarr_doc_put(store, path, name, doc, err);
    ngff_json_close(&doc);
    return status;
}

ngff_status ngff_zarr_array_put_meta(const ngff_zarr_array *array, ngff_error *err) {
    ngff_json *doc = NULL;
    bool v3 = array->meta.zarr_format == 3;
    NGFF_TRY(ngff_zarr_meta_emit(&array->meta, &doc, err));
    ngff_status status = NGFF_OK;
    if (!v3)
        status =
            put_attributes_v2(array->store, array->path, array->meta.attributes, err);
    if (status == NGFF_OK)
        status = ngff_zarr_doc_put(array->store, array->path,
                                   v3 ? "zarr.json" : ".zarray", doc, err);
    ngff_json_close(&doc);
    return status;
}

/* ---- finding ---- */

static ngff_status node_v3(const char *path, const ngff_json *doc, ngff_zarr_kind *kind,
                           ngff_json **attributes, ngff_error *err) {
    int64_t format;
    const char *type = ngff_json_str(ngff_json_get(doc, "node_type"));
    const ngff_json *own = ngff_json_get(doc, "attributes");
    if (!ngff_json_i64(ngff_json_get(doc, "zarr_format"), &format) || format != 3)
        return ngff_fail(err, NGFF_FORMAT, "%s%szarr.json: \"zarr_format\" is not 3",
                         path, path[0] ? "/" : "");
    if (!type || (strcmp(type, "array") != 0 && strcmp(type, "group") != 0))
        return ngff_fail(err, NGFF_FORMAT,
                         "%s%szarr.json: \"node_type\" is not \"array\" or \"group\"",
                         path, path[0] ? "/" : "");
    *kind = type[0] == 'a' ? NGFF_ZARR_ARRAY : NGFF_ZARR_GROUP;
    if (attributes && own)
        return ngff_json_dup(own, attributes, err);
    return NGFF_OK;
}

static ngff_status node_v2(ngff_store *store, const char *path, ngff_zarr_kind *kind,
                           ngff_json **attributes, ngff_error *err) {
    ngff_json *doc = NULL;
    *kind = NGFF_ZARR_ARRAY;
    ngff_status status = ngff_zarr_doc_get(store, path, ".zarray", &doc, err);
    if (status == NGFF_NOT_FOUND) {
        *kind = NGFF_ZARR_GROUP;
        status = ngff_zarr_doc_get(store, path, ".zgroup", &doc, err);
    }
    ngff_json_close(&doc);
    if (status == NGFF_NOT_FOUND)
        return ngff_fail(err, status, "%s: no Zarr array or group", path[0] ? path : "/");
    if (status != NGFF_OK || !attributes)
        return status;
    status = ngff_zarr_doc_get(store, path, ".zattrs", attributes, err);
    return status == NGFF_NOT_FOUND ? NGFF_OK : status;
}

ngff_status ngff_zarr_node(ngff_store *store, const char *path, int *zarr_format,
                           ngff_zarr_kind *kind, ngff_json **attributes,
                           ngff_error *err) {
    ngff_json *doc = NULL;
    if (attributes)
        *attributes = NULL;
    *zarr_format = 3;
    ngff_status status = ngff_zarr_doc_get(store, path, "zarr.json", &doc, err);
    if (status == NGFF_OK) {
        status = node_v3(path, doc, kind, attributes, err);
    } else if (status == NGFF_NOT_FOUND) {
        *zarr_format = 2;
        status = node_v2(store, path, kind, attributes, err);
    }
    ngff_json_close(&doc);
    return status;
}
