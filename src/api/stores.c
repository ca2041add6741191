#include "api/handles.h"

ngff_status ngff_store_open(ngff_context *context, const char *location,
                            const ngff_store_opts *opts, ngff_store **store,
                            ngff_error *err) {
    ngff_store_opts o;

    ngff_error_clear(err);
    if (context == NULL || location == NULL || store == NULL)
        return ngff_fail(err, NGFF_INVALID, "context, location or store is NULL");
    *store = NULL;
    NGFF_TRY(ngff_api_import(&o, sizeof o, opts, "ngff_store_opts", err));
    if (o.access < 0 || o.access > 1 || o.overwrite < 0 || o.overwrite > 2 ||
        o.durability < 0 || o.durability > 2)
        return ngff_fail(
            err, NGFF_INVALID,
            "ngff_store_opts: access %d, overwrite %d, durability %d; expected "
            "0-1, 0-2, 0-2",
            (int)o.access, (int)o.overwrite, (int)o.durability);
    ngff_store_open_opts internal = {
        .mode = o.access == NGFF_ACCESS_WRITE ? NGFF_STORE_STAGE : NGFF_STORE_READ,
        .overwrite = (ngff_overwrite)o.overwrite,
        .durability = (ngff_durability)o.durability,
        .check = ngff_image_check_overwrite,
    };
    return ngff_store_at(context->alloc, location, &internal, store, err);
}

ngff_status ngff_store_from_ops(ngff_context *context, const ngff_store_ops *ops,
                                void *cookie, ngff_store **store, ngff_error *err) {
    ngff_store_ops o;

    ngff_error_clear(err);
    if (context == NULL || ops == NULL || store == NULL)
        return ngff_fail(err, NGFF_INVALID, "context, ops or store is NULL");
    *store = NULL;
    NGFF_TRY(ngff_api_import(&o, sizeof o, ops, "ngff_store_ops", err));
    return ngff_store_of_callbacks(context->alloc, &o, cookie, store, err);
}

ngff_status ngff_store_get_value(ngff_store *store, const char *key, void *out,
                                 size_t capacity, size_t *size, ngff_error *err) {
    uint64_t full = 0;

    ngff_error_clear(err);
    if (store == NULL || key == NULL || size == NULL || (out == NULL && capacity > 0))
        return ngff_fail(err, NGFF_INVALID, "store, key, out or size is NULL");
    *size = 0;
    NGFF_TRY(ngff_store_size(store, key, &full, err));
    *size = (size_t)full;
    if (full > capacity)
        return ngff_fail(err, NGFF_LIMIT, "%s: holds %llu bytes, the buffer %zu", key,
                         (unsigned long long)full, capacity);
    return ngff_store_get_range(store, key, 0, (size_t)full, out, size, err);
}

void ngff_store_close(ngff_store **store) {
    if (store != NULL && *store != NULL)
        ngff_store_drop(store);
}
