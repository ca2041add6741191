/* image: the wells of a plate and their fields, out of the documents (OME-Zarr "plate",
 * "well"). Wells that are not there yet are passed over. */
#include "image/inside.h"

typedef struct walk {
    ngff_store *store;
    ngff_plate_field_fn fn;
    void *user;
    bool stopped;
} walk;

static void copy_member(const ngff_json *holder, const char *name, char *out,
                        size_t out_size) {
    const char *text = ngff_json_str(ngff_json_get(holder, name));
    if (text)
        (void)ngff_copy_text(out, out_size, text);
}

static int32_t length(const ngff_json *holder, const char *name) {
    const ngff_json *list = ngff_json_get(holder, name);
    return ngff_json_type_of(list) == NGFF_JSON_ARRAY ? (int32_t)ngff_json_len(list) : 0;
}

static ngff_status walk_fields(walk *w, const char *well, const ngff_json *attributes,
                               ngff_error *err) {
    const ngff_json *entry = ngff_image_member(attributes, "well");
    const ngff_json *images = ngff_json_get(entry, "images");
    int32_t count = length(entry, "images");
    for (int32_t i = 0; i < count && !w->stopped; i++) {
        const ngff_json *image = ngff_json_at(images, (size_t)i);
        const char *name = ngff_json_str(ngff_json_get(image, "path"));
        ngff_plate_field field = {.struct_size = sizeof field, .well = well};
        char path[1024];
        if (!name)
            return ngff_fail(err, NGFF_FORMAT, "%s: image %d has no path", well, (int)i);
        NGFF_TRY(ngff_store_key_check(name, err));
        NGFF_TRY(ngff_image_join(well, name, path, sizeof path, err));
        if (!ngff_json_i64(ngff_json_get(image, "acquisition"), &field.acquisition))
            field.acquisition = -1;
        field.path = path;
        w->stopped = w->fn(w->user, &field) != 0;
    }
    return NGFF_OK;
}

static ngff_status walk_wells(walk *w, const ngff_json *plate, ngff_error *err) {
    const ngff_json *wells = ngff_json_get(plate, "wells");
    int32_t count = length(plate, "wells");
    for (int32_t i = 0; i < count && !w->stopped; i++) {
        const char *path =
            ngff_json_str(ngff_json_get(ngff_json_at(wells, (size_t)i), "path"));
        ngff_json *attributes = NULL;
        ngff_zarr_kind kind;
        int format;
        if (!path)
            return ngff_fail(err, NGFF_FORMAT, "plate: well %d has no path", (int)i);
        NGFF_TRY(ngff_store_key_check(path, err));
        ngff_status status =
            ngff_zarr_node(w->store, path, &format, &kind, &attributes, err);
        if (status == NGFF_NOT_FOUND) {
            ngff_error_clear(err);
            continue;
        }
        NGFF_TRY(status);
        status = walk_fields(w, path, attributes, err);
        ngff_json_close(&attributes);
        NGFF_TRY(status);
    }
    return NGFF_OK;
}

static void describe(const ngff_json *attributes, const ngff_json *plate,
                     ngff_plate_info *info) {
    *info = (ngff_plate_info){.struct_size = sizeof *info,
                              .row_count = length(plate, "rows"),
                              .column_count = length(plate, "columns"),
                              .well_count = length(plate, "wells"),
                              .acquisition_count = length(plate, "acquisitions")};
    copy_member(plate, "name", info->name, sizeof info->name);
    copy_member(plate ? plate : ngff_image_member(attributes, "well"), "version",
                info->version, sizeof info->version);
    copy_member(ngff_json_get(attributes, "ome"), "version", info->version,
                sizeof info->version);
}

ngff_status ngff_image_walk_plate(ngff_store *store, const ngff_json *attributes,
                                  ngff_plate_field_fn fn, void *user,
                                  ngff_plate_info *info, ngff_error *err) {
    const ngff_json *plate = ngff_image_member(attributes, "plate");
    walk w = {store, fn, user, false};
    if (info)
        describe(attributes, plate, info);
    if (plate)
        return walk_wells(&w, plate, err);
    if (ngff_image_member(attributes, "well"))
        return walk_fields(&w, "", attributes, err);
    return ngff_fail(err, NGFF_NOT_FOUND, "neither a plate nor a well");
}

ngff_status ngff_image_plate(ngff_store *store, ngff_plate_field_fn fn, void *user,
                             ngff_plate_info *info, ngff_error *err) {
    ngff_json *attributes = NULL;
    ngff_zarr_kind kind;
    int format;
    NGFF_TRY(ngff_zarr_node(store, "", &format, &kind, &attributes, err));
    ngff_status status = ngff_image_walk_plate(store, attributes, fn, user, info, err);
    ngff_json_close(&attributes);
    return status;
}
