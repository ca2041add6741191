/* image: the documents of a new image, after its pixels and in an order in which a reader
 * never sees a group that names what is not there: arrays, level groups, root. */
#include "image/inside.h"

#include <stdio.h>

/* {"_ARRAY_DIMENSIONS": [...]} as ngff-zarr writes it on the level's group. */
static ngff_status group_attributes(const ngff_image_desc *desc, ngff_json **out,
                                    ngff_error *err) {
    ngff_json *attributes = ngff_json_new_object();
    ngff_json *dims = ngff_json_new_array();
    ngff_status status = NGFF_OK;
    for (int i = 0; i < desc->ndim && status == NGFF_OK; i++)
        status = ngff_json_push(dims, ngff_json_new_str(desc->axes[i].name));
    if (status == NGFF_OK)
        status = ngff_json_set(attributes, "_ARRAY_DIMENSIONS", dims);
    else
        ngff_json_close(&dims);
    *out = attributes;
    return status == NGFF_OK ? NGFF_OK : ngff_fail_nomem(err, "group attributes", 0);
}

/* Where the documents go: into the store and into the consolidated form. */
typedef struct putting {
    ngff_zarr_consolidated *all;
    bool again; /* the groups are there already, and as they were */
} putting;

static ngff_status put_group(ngff_image *image, int n, const putting *to,
                             ngff_error *err) {
    char path[32];
    ngff_json *attributes;
    int format = ngff_version_zarr_format(image->ms.version);
    ngff_status status = NGFF_OK;
    if (image->opts.flat)
        return NGFF_OK;
    snprintf(path, sizeof path, "scale%d", n);
    NGFF_TRY(group_attributes(&image->ms.image.desc, &attributes, err));
    if (n >= image->first_new && !to->again)
        status = ngff_zarr_group_put(image->store, path, format, attributes, err);
    if (status == NGFF_OK && to->all)
        status = ngff_zarr_consolidated_add_group(to->all, path, attributes, err);
    ngff_json_close(&attributes);
    return status;
}

/* Kept levels of an extended image have their documents. */
static ngff_status put_level(ngff_image *image, int n, const putting *to,
                             ngff_error *err) {
    const ngff_zarr_array *array = image->level[n];
    if (n >= image->first_new)
        NGFF_TRY(ngff_zarr_array_put_meta(array, err));
    NGFF_TRY(put_group(image, n, to, err));
    return to->all
               ? ngff_zarr_consolidated_add_array(to->all, array->path, &array->meta, err)
               : NGFF_OK;
}

ngff_status ngff_image_put_level(ngff_image *image, int n, ngff_error *err) {
    const putting only = {.all = NULL};
    return put_level(image, n, &only, err);
}

static bool is_ours(const char *name) {
    static const char *const names[] = {
        "ome",   "multiscales", "omero",       "bioformats2raw.layout", "labels",
        "plate", "well",        "image-label", "_ARRAY_DIMENSIONS"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

/* Foreign members stay, ours win; what any version of OME-Zarr says at the root was about
 * the old image. */
static ngff_status add_foreign(ngff_json *attributes, const ngff_json *foreign,
                               ngff_error *err) {
    for (size_t i = 0; i < ngff_json_len(foreign); i++) {
        const char *name = NULL;
        const ngff_json *value = ngff_json_member(foreign, i, &name);
        ngff_json *copy;
        if (is_ours(name) || ngff_json_get(attributes, name))
            continue;
        NGFF_TRY(ngff_json_dup(value, &copy, err));
        if (ngff_json_set(attributes, name, copy) != NGFF_OK)
            return ngff_fail_nomem(err, "root attributes", 0);
    }
    return NGFF_OK;
}

static ngff_status put_root(ngff_image *image, const putting *to, ngff_error *err) {
    ngff_json *attributes;
    int format = ngff_version_zarr_format(image->ms.version);
    NGFF_TRY(ngff_ome_emit(&image->ms, &image->opts.emit, &attributes, err));
    ngff_status status = NGFF_OK;
    if (image->root_attributes)
        status = add_foreign(attributes, image->root_attributes, err);
    if (status == NGFF_OK && image->opts.no_consolidate)
        status = ngff_zarr_group_put(image->store, "", format, attributes, err);
    else if (status == NGFF_OK)
        status = ngff_zarr_consolidated_put_root(to->all, image->store, attributes, err);
    ngff_json_close(&attributes);
    return status;
}

/* Of a growing image coarse levels first: whoever finds a frame in level 0 finds it in
 * all. */
static ngff_status put_all(ngff_image *image, bool again, ngff_error *err) {
    putting to = {.again = again};
    int format = ngff_version_zarr_format(image->ms.version);
    NGFF_TRY(ngff_zarr_consolidated_create(image->alloc, format, &to.all, err));
    ngff_status status = NGFF_OK;
    for (int i = 0; i < image->level_count && status == NGFF_OK; i++)
        status = put_level(image, again ? image->level_count - 1 - i : i, &to, err);
    if (status == NGFF_OK)
        status = put_root(image, &to, err);
    ngff_zarr_consolidated_close(&to.all);
    return status;
}

ngff_status ngff_image_finish(ngff_image *image, ngff_error *err) {
    return put_all(image, false, err);
}

ngff_status ngff_image_refresh(ngff_image *image, ngff_error *err) {
    return put_all(image, true, err);
}
