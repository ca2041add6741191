/* image: may an existing store be replaced by a new image? The store room has seen that
 * no foreign file is in it; here the documents say whether it holds anything but one
 * image: every node must be an array that the multiscales metadata names, or a group
 * above one. */
#include "image/inside.h"

/* Says nothing about the store, only about reading it. */
static bool is_trouble(ngff_status status) {
    return status == NGFF_IO || status == NGFF_NOMEM;
}

/* What is no store has nothing to keep; whether it may be replaced is not asked here. */
ngff_status ngff_image_keep_foreign(ngff_image *image, ngff_error *err) {
    const ngff_store_open_opts read = {.mode = NGFF_STORE_READ};
    ngff_store *old;
    int format;
    ngff_zarr_kind kind;
    ngff_error why = {0};
    if (!image->store->path)
        return NGFF_OK;
    ngff_status status =
        ngff_store_at(image->alloc, image->store->path, &read, &old, &why);
    if (status == NGFF_OK) {
        ngff_json_close(&image->root_attributes);
        status = ngff_zarr_node(old, "", &format, &kind, &image->root_attributes, &why);
        ngff_store_drop(&old);
    }
    return is_trouble(status) ? ngff_fail(err, status, "%s", why.message) : NGFF_OK;
}

typedef struct inventory {
    ngff_store *store;
    const ngff_json *multiscales; /* an array, or NULL */
    char path[1024];              /* of the group that is looked at */
    ngff_buf *todo;               /* groups to look at: paths, each with its NUL */
    ngff_error *err;
} inventory;

typedef enum relation { OTHER, ABOVE, DATASET } relation;

/* Is `path` a dataset of the image, or a group above one? */
static relation relate(const ngff_json *multiscales, const char *path) {
    relation best = OTHER;
    size_t len = strlen(path);
    for (size_t i = 0; i < ngff_json_len(multiscales); i++) {
        const ngff_json *datasets =
            ngff_json_get(ngff_json_at(multiscales, i), "datasets");
        for (size_t k = 0; k < ngff_json_len(datasets); k++) {
            const char *dataset =
                ngff_json_str(ngff_json_get(ngff_json_at(datasets, k), "path"));
            if (!dataset || strncmp(dataset, path, len) != 0)
                continue;
            if (dataset[len] == '\0')
                return DATASET;
            if (dataset[len] == '/')
                best = ABOVE;
        }
    }
    return best;
}

static ngff_status refuse(const inventory *v, const char *path) {
    return ngff_fail(
        v->err, NGFF_EXISTS,
        "%s: holds %s beside or instead of one image; replacing that too must "
        "be asked for",
        v->store->location, path);
}

static ngff_status check_array(const inventory *v, const char *path) {
    int format;
    ngff_zarr_kind kind;
    ngff_error why = {0};
    ngff_json *attributes = NULL;
    ngff_status status =
        ngff_zarr_node(v->store, path, &format, &kind, &attributes, &why);
    ngff_json_close(&attributes);
    if (is_trouble(status))
        return ngff_fail(v->err, status, "%s", why.message);
    return status == NGFF_OK && kind == NGFF_ZARR_ARRAY ? NGFF_OK : refuse(v, path);
}

static ngff_status judge(void *user, const char *name, bool is_prefix) {
    inventory *v = user;
    char path[1024];
    if (!is_prefix)
        return NGFF_OK;
    NGFF_TRY(ngff_image_join(v->path, name, path, sizeof path, v->err));
    switch (relate(v->multiscales, path)) {
    case DATASET:
        return check_array(v, path);
    case ABOVE:
        return ngff_buf_append(v->todo, path, strlen(path) + 1, v->err);
    case OTHER:
        break;
    }
    return refuse(v, path);
}

static ngff_status look(inventory *v) {
    NGFF_TRY(ngff_store_list(v->store, "", judge, v, v->err));
    for (size_t at = 0; at < v->todo->size; at += strlen(v->todo->data + at) + 1) {
        (void)ngff_copy_text(v->path, sizeof v->path, v->todo->data + at);
        NGFF_TRY(ngff_store_list(v->store, v->path, judge, v, v->err));
    }
    return NGFF_OK;
}

ngff_status ngff_image_check_overwrite(void *user, ngff_store *existing,
                                       ngff_overwrite overwrite, ngff_error *err) {
    (void)user;
    int format;
    ngff_zarr_kind kind;
    ngff_json *attributes = NULL;
    ngff_error why = {0};
    if (overwrite == NGFF_OVERWRITE_ALL)
        return NGFF_OK;
    ngff_status status = ngff_zarr_node(existing, "", &format, &kind, &attributes, &why);
    if (status == NGFF_NOT_FOUND) /* an empty directory; the store room saw to that */
        return NGFF_OK;
    if (is_trouble(status))
        return ngff_fail(err, status, "%s", why.message);
    if (status != NGFF_OK)
        return ngff_fail(err, NGFF_EXISTS, "%s: not understood, so not replaced (%s)",
                         existing->location, why.message);
    const ngff_json *list =
        ngff_json_get(ngff_json_get(attributes, "ome"), "multiscales");
    if (!list)
        list = ngff_json_get(attributes, "multiscales");
    ngff_buf todo;
    ngff_buf_init(&todo, existing->alloc, SIZE_MAX);
    inventory v = {.store = existing, .multiscales = list, .todo = &todo, .err = err};
    if (kind == NGFF_ZARR_GROUP)
        status = look(&v);
    ngff_buf_reset(&todo);
    ngff_json_close(&attributes);
    return status;
}
