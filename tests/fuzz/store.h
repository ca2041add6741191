/* For targets whose input is a whole store: everything that reading an image asks of it.
 */
#ifndef NGFF_TESTS_FUZZ_STORE_H
#define NGFF_TESTS_FUZZ_STORE_H

#include "fuzz.h"
#include "image/image.h"

enum { ELEMENTS_MAX = 1 << 14 };

/* A chunk larger than that is legal; reading one would only measure the machine. */
static inline bool fuzz_is_small(const ngff_zarr_array *array) {
    int64_t elements = 1;
    for (int i = 0; i < array->meta.ndim; i++) {
        if (array->meta.chunk[i] > ELEMENTS_MAX / elements)
            return false;
        elements *= ngff_max_i64(1, array->meta.chunk[i]);
    }
    return true;
}

/* The near corner of an array. */
static inline void fuzz_read_corner(const ngff_zarr_array *array) {
    ngff_error err = {0};
    ngff_codec_ctx *ctx = NULL;
    ngff_box box = {.ndim = array->meta.ndim};
    ngff_view out = {.dtype = array->meta.dtype, .ndim = array->meta.ndim};
    int64_t elements = 1;
    if (!fuzz_is_small(array))
        return;
    for (int i = 0; i < box.ndim; i++) {
        box.shape[i] = ngff_min_i64(array->meta.shape[i], ELEMENTS_MAX / elements);
        elements *= ngff_max_i64(1, box.shape[i]);
    }
    int64_t stride = (int64_t)ngff_dtype_size(array->meta.dtype);
    out.data = calloc((size_t)elements, (size_t)stride);
    FUZZ_CHECK(out.data != NULL);
    for (int i = box.ndim - 1; i >= 0; i--) {
        out.shape[i] = box.shape[i];
        out.strides[i] = stride;
        stride *= box.shape[i];
    }
    FUZZ_CHECK(ngff_codec_ctx_create(NULL, &ctx, &err) == NGFF_OK);
    ngff_status status = ngff_zarr_read(array, ctx, &box, &out, &err);
    if (status != NGFF_OK)
        fuzz_check_error(status, &err);
    ngff_codec_ctx_close(&ctx);
    free(out.data);
}

static inline void fuzz_finding(void *user, const ngff_finding *finding) {
    FUZZ_CHECK(finding->rule[0] && finding->level[0] && finding->message[0]);
    ++*(int *)user;
}

/* What is judged, and then changed in place. */
static inline void fuzz_judge_store(ngff_store *store) {
    ngff_error err = {0};
    ngff_json *verdict = NULL;
    int count = 0;
    ngff_status status =
        ngff_image_validate(NULL, store, false, fuzz_finding, &count, &err);
    if (status != NGFF_OK)
        fuzz_check_error(status, &err);
    ngff_error_clear(&err);
    status = ngff_image_rfc4(store, &verdict, &err);
    if (status != NGFF_OK)
        fuzz_check_error(status, &err);
    ngff_json_close(&verdict);
    ngff_error_clear(&err);
    if (!ngff_store_is_changeable(store))
        return;
    status = ngff_image_upgrade(NULL, store, NGFF_V06, &err);
    if (status != NGFF_OK)
        fuzz_check_error(status, &err);
}

/* Opens the image at the root, reads of each level, asks whether it may be replaced. */
static inline void fuzz_use_store(ngff_store *store) {
    ngff_error err = {0};
    ngff_image *image = NULL;
    ngff_status status = ngff_image_open(NULL, store, "", &image, &err);
    if (status != NGFF_OK)
        fuzz_check_error(status, &err);
    for (int n = 0; status == NGFF_OK && n < image->level_count; n++)
        fuzz_read_corner(image->level[n]);
    ngff_image_close(&image);
    ngff_error_clear(&err);
    status = ngff_image_check_overwrite(NULL, store, NGFF_OVERWRITE_IMAGE, &err);
    if (status != NGFF_OK)
        fuzz_check_error(status, &err);
    fuzz_judge_store(store);
}

#endif
