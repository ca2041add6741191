#include "api/handles.h"

#include <stdio.h>

/* What is read although RFC-9 would have it otherwise. */
static void log_archive(const ngff_context *context, const ngff_store *store) {
    char line[NGFF_STORE_KEY_MAX + 256];
    const ngff_store_archive *a = ngff_store_archive_of(store);
    if (a == NULL)
        return;
    if (a->folder[0] != '\0') {
        snprintf(line, sizeof line,
                 "%.200s: the hierarchy lies in the folder %s of the archive (OZX-3)",
                 store->location, a->folder);
        ngff_api_log(context, line);
    }
    if (a->deflated_count > 0) {
        snprintf(line, sizeof line,
                 "%.200s: %llu entries are compressed by the archive and inflated whole "
                 "(OZX-7)",
                 store->location, (unsigned long long)a->deflated_count);
        ngff_api_log(context, line);
    }
}

ngff_status ngff_store_open(ngff_context *context, const char *location,
                            const ngff_store_opts *opts, ngff_store **store,
                            ngff_error *err) {
    static const ngff_store_mode modes[] = {NGFF_STORE_READ, NGFF_STORE_STAGE,
                                            NGFF_STORE_UPDATE, NGFF_STORE_CHUNKS};
    ngff_store_opts o;

    ngff_error_clear(err);
    if (context == NULL || location == NULL || store == NULL)
        return ngff_fail(err, NGFF_INVALID, "context, location or store is NULL");
    *store = NULL;
    NGFF_TRY(ngff_api_import(&o, sizeof o, opts, "ngff_store_opts", err));
    if (o.access < 0 || o.access > 3 || o.overwrite < 0 || o.overwrite > 2 ||
        o.durability < 0 || o.durability > 2)
        return ngff_fail(
            err, NGFF_INVALID,
            "ngff_store_opts: access %d, overwrite %d, durability %d; expected "
            "0-3, 0-2, 0-2",
            (int)o.access, (int)o.overwrite, (int)o.durability);
    ngff_store_open_opts internal = {
        .mode = modes[o.access],
        .overwrite = (ngff_overwrite)o.overwrite,
        .durability = (ngff_durability)o.durability,
        .check = ngff_image_check_overwrite,
    };
    NGFF_TRY(ngff_store_at(context->alloc, location, &internal, store, err));
    log_archive(context, *store);
    return NGFF_OK;
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

ngff_status ngff_store_pair(ngff_context *context, ngff_store *metadata,
                            ngff_store *chunks, ngff_store **pair, ngff_error *err) {
    ngff_error_clear(err);
    if (context == NULL || metadata == NULL || chunks == NULL || pair == NULL)
        return ngff_fail(err, NGFF_INVALID, "context, metadata, chunks or pair is NULL");
    return ngff_store_open_split(context->alloc, metadata, chunks, pair, err);
}

ngff_status ngff_store_below(ngff_context *context, ngff_store *store, const char *path,
                             ngff_store **below, ngff_error *err) {
    ngff_error_clear(err);
    if (context == NULL || store == NULL || path == NULL || below == NULL)
        return ngff_fail(err, NGFF_INVALID, "context, store, path or below is NULL");
    return ngff_store_open_prefix(context->alloc, store, path, below, err);
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

ngff_status ngff_store_copy(ngff_store *from, ngff_store *to,
                            const ngff_store_copy_opts *opts, ngff_error *err) {
    ngff_store_copy_opts o;

    ngff_error_clear(err);
    if (from == NULL || to == NULL)
        return ngff_fail(err, NGFF_INVALID, "from or to is NULL");
    NGFF_TRY(ngff_api_import(&o, sizeof o, opts, "ngff_store_copy_opts", err));
    if ((from->path != NULL && ngff_store_overlaps(to, from->path)) ||
        (from->other_path != NULL && ngff_store_overlaps(to, from->other_path)))
        return ngff_fail(err, NGFF_INVALID, "%s: is also the input", to->location);
    ngff_image_copy_opts internal = {o.progress, o.progress_user};
    ngff_status status = ngff_image_copy(from, to, &internal, err);
    if (status == NGFF_OK)
        status = ngff_store_publish(to, err);
    return status == NGFF_OK ? status : ngff_fail_origin(err, status, NGFF_ORIGIN_OUTPUT);
}

ngff_status ngff_plate_walk(ngff_store *store, ngff_plate_field_fn fn, void *user,
                            ngff_plate_info *info, ngff_error *err) {
    ngff_error_clear(err);
    if (store == NULL || fn == NULL)
        return ngff_fail(err, NGFF_INVALID, "store or fn is NULL");
    return ngff_image_plate(store, fn, user, info, err);
}

ngff_status ngff_directory_put(const char *from, const char *to, int32_t replace,
                               int32_t *replaced, ngff_error *err) {
    bool there = false;
    ngff_error_clear(err);
    if (from == NULL || to == NULL || replaced == NULL)
        return ngff_fail(err, NGFF_INVALID, "from, to or replaced is NULL");
    ngff_status status = ngff_store_put_directory(from, to, replace != 0, &there, err);
    *replaced = there;
    return status;
}

ngff_status ngff_ozx_judge(ngff_store *store, ngff_finding_fn fn, void *user,
                           ngff_error *err) {
    ngff_error_clear(err);
    if (store == NULL || fn == NULL)
        return ngff_fail(err, NGFF_INVALID, "store or fn is NULL");
    return ngff_image_judge_ozx(store, fn, user, err);
}

void ngff_store_close(ngff_store **store) {
    if (store != NULL && *store != NULL)
        ngff_store_drop(store);
}
