/* image: where in a store the image is: the group itself, or one series of a
 * bioformats2raw container (OME-Zarr 0.4/0.5 "bioformats2raw.layout"). */
#include "image/inside.h"

#include <stdio.h>

#define SERIES_SHOWN 8

ngff_status ngff_image_join(const char *path, const char *name, char *out,
                            size_t out_size, ngff_error *err) {
    const char *slash = path[0] && name[0] ? "/" : "";
    int n = snprintf(out, out_size, "%s%s%s", path, slash, name);
    if (n < 0 || (size_t)n >= out_size)
        return ngff_fail(err, NGFF_INVALID, "%s/%s: the path is too long", path, name);
    return NGFF_OK;
}

const ngff_json *ngff_image_member(const ngff_json *attributes, const char *name) {
    const ngff_json *value = ngff_json_get(ngff_json_get(attributes, "ome"), name);
    return value ? value : ngff_json_get(attributes, name);
}

static const char *shown(const char *path) {
    return path[0] ? path : "/";
}

/* ---- the series of a container ---- */

typedef struct series {
    ngff_json *names; /* an array of strings */
    bool failed;
} series;

static bool is_number(const char *name) {
    return name[0] && name[strspn(name, "0123456789")] == '\0';
}

static ngff_status add_child(void *user, const char *name, bool is_prefix) {
    series *s = user;
    if (!is_prefix || !is_number(name))
        return NGFF_OK;
    ngff_status status = ngff_json_push(s->names, ngff_json_new_str(name));
    s->failed = s->failed || status != NGFF_OK;
    return status;
}

/* What OME/ says; else the numbered children, in the order of their names. */
static ngff_status find_series(ngff_store *store, const char *path, ngff_json **out,
                               ngff_error *err) {
    char ome[1024];
    int format;
    ngff_zarr_kind kind;
    ngff_json *attributes = NULL;
    *out = NULL;
    NGFF_TRY(ngff_image_join(path, "OME", ome, sizeof ome, err));
    if (ngff_zarr_node(store, ome, &format, &kind, &attributes, NULL) == NGFF_OK) {
        const ngff_json *listed = ngff_image_member(attributes, "series");
        ngff_status status = NGFF_OK;
        if (ngff_json_type_of(listed) == NGFF_JSON_ARRAY && ngff_json_len(listed) > 0)
            status = ngff_json_dup(listed, out, err);
        ngff_json_close(&attributes);
        if (status != NGFF_OK || *out)
            return status;
    }
    series found = {.names = ngff_json_new_array()};
    ngff_status status = found.names ? NGFF_OK : ngff_fail_nomem(err, "series", 0);
    if (status == NGFF_OK)
        status = ngff_store_list(store, path, add_child, &found, err);
    if (status != NGFF_OK)
        ngff_json_close(&found.names);
    *out = found.names;
    return status;
}

static ngff_status several(const char *path, const ngff_json *names, ngff_error *err) {
    char list[256] = "";
    size_t count = ngff_json_len(names), used = 0;
    for (size_t i = 0; i < count && i < SERIES_SHOWN && used < sizeof list; i++) {
        const char *name = ngff_json_str(ngff_json_at(names, i));
        int n = snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "",
                         name ? name : "?");
        used += n > 0 ? (size_t)n : 0;
    }
    return ngff_fail(err, NGFF_NOT_FOUND,
                     "%s: holds %zu images (%s%s), one must be named", shown(path), count,
                     list, count > SERIES_SHOWN ? ", …" : "");
}

static ngff_status choose(const char *path, const ngff_json *names, int wanted, char *out,
                          size_t out_size, ngff_error *err) {
    size_t count = ngff_json_len(names);
    if (count == 0)
        return ngff_fail(err, NGFF_NOT_FOUND, "%s: a container without images",
                         shown(path));
    if (wanted < 0 && count > 1)
        return several(path, names, err);
    size_t index = wanted < 0 ? 0 : (size_t)wanted;
    if (index >= count)
        return ngff_fail(err, NGFF_NOT_FOUND, "%s: series %zu of %zu", shown(path), index,
                         count);
    const char *name = ngff_json_str(ngff_json_at(names, index));
    if (!name)
        return ngff_fail(err, NGFF_FORMAT, "%s: series %zu is not a string", shown(path),
                         index);
    return ngff_image_join(path, name, out, out_size, err);
}

/* ---- what else a group may be ---- */

typedef struct field_names {
    char list[256];
    size_t used, count;
} field_names;

static int note_field(void *user, const ngff_plate_field *field) {
    field_names *n = user;
    size_t room = sizeof n->list - n->used;
    if (n->count++ == SERIES_SHOWN)
        return 1;
    int k = snprintf(n->list + n->used, room, "%s%s", n->used ? ", " : "", field->path);
    if (k < 0 || (size_t)k >= room) {
        n->list[n->used] = '\0';
        n->count = SERIES_SHOWN + 1;
        return 1;
    }
    n->used += (size_t)k;
    return 0;
}

/* A plate, or a well: says which images are in it. */
static ngff_status holds_fields(ngff_store *store, const char *path, const char *what,
                                const ngff_json *attributes, ngff_error *err) {
    field_names found = {.used = 0};
    ngff_status status = path[0] ? NGFF_OK
                                 : ngff_image_walk_plate(store, attributes, note_field,
                                                         &found, NULL, NULL);
    if (status != NGFF_OK || found.used == 0)
        return ngff_fail(err, NGFF_NOT_FOUND,
                         "%s: a %s, not an image; name one of its "
                         "images",
                         shown(path), what);
    return ngff_fail(err, NGFF_NOT_FOUND,
                     "%s: a %s, not an image; name one of its images: %s%s", shown(path),
                     what, found.list, found.count > SERIES_SHOWN ? ", …" : "");
}

static ngff_status not_an_image(ngff_store *store, const char *path,
                                const ngff_json *attributes, ngff_error *err) {
    const char *what = "a Zarr group without OME-Zarr image metadata";
    if (ngff_image_member(attributes, "plate"))
        return holds_fields(store, path, "plate", attributes, err);
    if (ngff_image_member(attributes, "well"))
        return holds_fields(store, path, "well", attributes, err);
    if (ngff_image_member(attributes, "labels"))
        what = "a list of label images, not an image; open one of them";
    return ngff_fail(err, NGFF_NOT_FOUND, "%s: %s", shown(path), what);
}

static ngff_status node_of(ngff_store *store, const char *path, ngff_json **attributes,
                           ngff_error *err) {
    int format;
    ngff_zarr_kind kind;
    NGFF_TRY(ngff_zarr_node(store, path, &format, &kind, attributes, err));
    if (kind == NGFF_ZARR_GROUP)
        return NGFF_OK;
    ngff_json_close(attributes);
    return ngff_fail(err, NGFF_NOT_FOUND, "%s: a Zarr array, not an OME-Zarr image",
                     shown(path));
}

ngff_status ngff_image_locate(const ngff_allocator *a, ngff_store *store,
                              const char *path, int wanted, ngff_image_place *out,
                              ngff_error *err) {
    (void)a;
    ngff_json *names = NULL;
    out->attributes = NULL;
    NGFF_TRY(ngff_store_check_whole(store, err));
    NGFF_TRY(ngff_image_join(path, "", out->path, sizeof out->path, err));
    NGFF_TRY(node_of(store, path, &out->attributes, err));
    if (ngff_image_member(out->attributes, "multiscales"))
        return NGFF_OK;
    ngff_status status = NGFF_OK;
    if (!ngff_image_member(out->attributes, "bioformats2raw.layout"))
        status = not_an_image(store, path, out->attributes, err);
    ngff_json_close(&out->attributes);
    if (status == NGFF_OK)
        status = find_series(store, path, &names, err);
    if (status == NGFF_OK)
        status = choose(path, names, wanted, out->path, sizeof out->path, err);
    ngff_json_close(&names);
    return status == NGFF_OK ? node_of(store, out->path, &out->attributes, err) : status;
}
