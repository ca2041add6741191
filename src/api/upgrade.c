/* A store in place from one version of OME-Zarr to another. */
#include "api/job.h"

#include <stdio.h>

/* Nobody else writes meanwhile. */
static ngff_status upgrade(const ngff_context *context, ngff_store *store,
                           ngff_version to, ngff_error *err) {
    ngff_claims *claims = NULL;
    NGFF_TRY(ngff_claims_check(store, err));
    NGFF_TRY(ngff_claims_open(store, &claims, err));
    ngff_status status = ngff_claims_take(claims, "levels", err);
    if (status == NGFF_OK) {
        status = ngff_image_upgrade(context->alloc, store, to, err);
        ngff_claims_drop(claims, "levels");
    }
    ngff_claims_close(&claims);
    return status;
}

ngff_status ngff_upgrade(ngff_context *context, ngff_store *store, const char *version,
                         ngff_error *err) {
    ngff_error_clear(err);
    if (context == NULL || store == NULL || version == NULL)
        return ngff_fail(err, NGFF_INVALID, "context, store or version is NULL");
    ngff_version to = ngff_version_from_text(version);
    if (strcmp(version, ngff_version_text(to)) != 0 ||
        ngff_version_check_written(to, NULL) != NGFF_OK)
        return ngff_fail(err, NGFF_INVALID,
                         "Unsupported target version '%s': one of 0.4, 0.5, 0.6",
                         version);
    NGFF_TRY(ngff_api_check_changeable(store, err));
    ngff_status status = upgrade(context, store, to, err);
    return status == NGFF_OK ? status : ngff_fail_at(err, status, "%s", store->location);
}
