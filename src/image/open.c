/* image: opening what is in a store: the document, then every array it names. */
#include "image/inside.h"

#include <math.h>

static ngff_status check_level(const ngff_image *image, int n, ngff_error *err) {
    const ngff_zarr_meta *meta = &image->level[n]->meta;
    const ngff_zarr_meta *first = &image->level[0]->meta;
    int ndim = image->ms.image.desc.ndim;
    if (meta->ndim != ndim)
        return ngff_fail(err, NGFF_FORMAT, "%s: %d dimensions, the image has %d axes",
                         image->level[n]->path, meta->ndim, ndim);
    if (meta->dtype != first->dtype)
        return ngff_fail(err, NGFF_FORMAT, "%s: %s, level 0 is %s", image->level[n]->path,
                         ngff_dtype_name(meta->dtype), ngff_dtype_name(first->dtype));
    return NGFF_OK;
}

/* Before 0.4 only the shapes tell how coarse a level is (requirements T16). */
static void derive_scale(ngff_image *image, int n) {
    const ngff_image_desc *desc = &image->ms.image.desc;
    ngff_ome_dataset *dataset = &image->ms.level[n];
    if (dataset->has_scale || n == 0)
        return;
    for (int i = 0; i < desc->ndim; i++) {
        double ratio = (double)image->level[0]->meta.shape[i] /
                       (double)ngff_max_i64(image->level[n]->meta.shape[i], 1);
        bool space = strcmp(desc->axes[i].type, "space") == 0;
        if (space && ratio > 1.0)
            dataset->scale[i] = image->ms.level[0].scale[i] * round(ratio);
    }
}

static ngff_status open_levels(ngff_image *image, ngff_error *err) {
    ngff_image_desc *desc = &image->ms.image.desc;
    char path[1024];
    for (int n = 0; n < image->ms.level_count; n++) {
        NGFF_TRY(ngff_image_join(image->path, image->ms.level[n].path, path, sizeof path,
                                 err));
        NGFF_TRY(ngff_zarr_array_open(image->alloc, image->store, path, &image->level[n],
                                      err));
        image->level_count = n + 1;
        NGFF_TRY(check_level(image, n, err));
        derive_scale(image, n);
    }
    desc->dtype = (int32_t)image->level[0]->meta.dtype;
    memcpy(desc->shape, image->level[0]->meta.shape, sizeof desc->shape);
    return NGFF_OK;
}

ngff_status ngff_image_open_place(const ngff_allocator *a, ngff_store *store,
                                  ngff_image_place *place, ngff_image **out,
                                  ngff_error *err) {
    *out = NULL;
    ngff_image *image = ngff_calloc(a, 1, sizeof *image);
    ngff_status status =
        image ? NGFF_OK : ngff_fail_nomem(err, "an image", sizeof *image);
    if (status == NGFF_OK) {
        image->alloc = a;
        image->store = store;
        (void)ngff_copy_text(image->path, sizeof image->path, place->path);
        status = ngff_ome_parse(a, place->attributes, 0, &image->ms, err);
        if (status != NGFF_OK)
            status = ngff_fail_at(err, status, "%s", place->path[0] ? place->path : "/");
    }
    ngff_json_close(&place->attributes);
    if (status == NGFF_OK)
        status = open_levels(image, err);
    if (status != NGFF_OK)
        ngff_image_close(&image);
    *out = image;
    return status;
}

ngff_status ngff_image_open(const ngff_allocator *a, ngff_store *store, const char *path,
                            ngff_image **out, ngff_error *err) {
    ngff_image_place place;
    *out = NULL;
    NGFF_TRY(ngff_image_locate(a, store, path, -1, &place, err));
    return ngff_image_open_place(a, store, &place, out, err);
}
