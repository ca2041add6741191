/* What a store says, judged: all rules of its version, or orientation alone. */
#include "api/handles.h"

ngff_status ngff_validate(ngff_context *context, ngff_store *store,
                          const ngff_validate_opts *opts, ngff_finding_fn fn, void *user,
                          ngff_error *err) {
    ngff_validate_opts o;
    ngff_error_clear(err);
    if (context == NULL || store == NULL || fn == NULL)
        return ngff_fail(err, NGFF_INVALID, "context, store or fn is NULL");
    NGFF_TRY(ngff_api_import(&o, sizeof o, opts, "ngff_validate_opts", err));
    ngff_status status =
        ngff_image_validate(context->alloc, store, o.data != 0, fn, user, err);
    return status == NGFF_OK ? status : ngff_fail_at(err, status, "%s", store->location);
}

ngff_status ngff_rfc4_verdict(ngff_store *store, char *out, size_t capacity, size_t *size,
                              ngff_error *err) {
    ngff_json *verdict = NULL;
    ngff_buf text;
    ngff_error_clear(err);
    if (store == NULL || size == NULL || (out == NULL && capacity > 0))
        return ngff_fail(err, NGFF_INVALID, "store, out or size is NULL");
    *size = 0;
    NGFF_TRY(ngff_image_rfc4(store, &verdict, err));
    ngff_buf_init(&text, store->alloc, NGFF_JSON_MAX_SIZE);
    ngff_status status = ngff_json_print(verdict, 2, &text, err);
    ngff_json_close(&verdict);
    if (status == NGFF_OK) {
        *size = text.size;
        if (text.size >= capacity)
            status = ngff_fail(err, NGFF_LIMIT, "a verdict of %zu bytes, room for %zu",
                               text.size, capacity);
        else
            memcpy(out, text.data, text.size);
        if (status == NGFF_OK)
            out[text.size] = '\0';
    }
    ngff_buf_reset(&text);
    return status;
}
