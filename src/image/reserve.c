/* image: places for the documents of a new image in a store that keeps an order: in an
 * .ozx they come before all pixels (RFC-9, OZX-9). The documents are written once to a
 * store that only notes their lengths; what is written at the end has the same lengths,
 * but for the root, which gets room for numbers that are known only then. */
#include "image/inside.h"

#include <stdlib.h>

typedef struct document {
    char *key;
    size_t depth, size;
} document;

typedef struct notes {
    const ngff_allocator *alloc;
    document *list;
    size_t count, room;
} notes;

/* One double takes up to 24 characters; a channel has four of them in its window. */
enum { ROOT_SPARE = 64, CHANNEL_SPARE = 4 * 26 };

static ngff_status note(void *cookie, const char *key, const void *data, uint64_t size,
                        ngff_error *err) {
    notes *n = cookie;
    (void)data;
    if (n->count == n->room) {
        size_t room = n->room ? 2 * n->room : 16;
        document *grown = ngff_realloc(n->alloc, n->list, n->room * sizeof *grown,
                                       room * sizeof *grown);
        if (!grown)
            return ngff_fail_nomem(err, "the documents", room * sizeof *grown);
        n->list = grown;
        n->room = room;
    }
    char *copy = ngff_strdup(n->alloc, key);
    if (!copy)
        return ngff_fail_nomem(err, "the documents", strlen(key));
    n->list[n->count++] = (document){copy, ngff_store_key_depth(key), (size_t)size};
    return NGFF_OK;
}

static void set_store(ngff_image *image, ngff_store *store) {
    image->store = store;
    for (int n = 0; n < image->level_count; n++)
        image->level[n]->store = store;
}

static ngff_status note_documents(ngff_image *image, notes *n, ngff_error *err) {
    const ngff_store_ops ops = {.struct_size = sizeof ops, .put = note};
    ngff_store *own = image->store, *noting;
    NGFF_TRY(ngff_store_of_callbacks(image->alloc, &ops, n, &noting, err));
    set_store(image, noting);
    ngff_status status = ngff_image_finish(image, err);
    set_store(image, own);
    ngff_store_drop(&noting);
    return status;
}

/* Breadth first; the root's documents have depth 0. */
static int by_place(const void *a, const void *b) {
    const document *x = a, *y = b;
    if (x->depth != y->depth)
        return x->depth < y->depth ? -1 : 1;
    return strcmp(x->key, y->key);
}

static size_t spare(const ngff_image *image, const document *d) {
    if (d->depth > 0)
        return 0;
    return ROOT_SPARE + CHANNEL_SPARE * image->ms.image.desc.channel_count;
}

static ngff_status reserve_all(ngff_image *image, notes *n, ngff_error *err) {
    if (n->count > 0)
        qsort(n->list, n->count, sizeof *n->list, by_place);
    for (size_t i = 0; i < n->count; i++) {
        const document *d = &n->list[i];
        NGFF_TRY(
            ngff_store_reserve(image->store, d->key, d->size + spare(image, d), err));
    }
    return NGFF_OK;
}

ngff_status ngff_image_reserve(ngff_image *image, ngff_error *err) {
    notes n = {.alloc = image->alloc};
    if (!ngff_store_is_ordered(image->store))
        return NGFF_OK;
    ngff_store_note_version(image->store, ngff_version_text(image->ms.version));
    ngff_status status = note_documents(image, &n, err);
    if (status == NGFF_OK)
        status = reserve_all(image, &n, err);
    for (size_t i = 0; i < n.count; i++)
        ngff_free(image->alloc, n.list[i].key);
    ngff_free(image->alloc, n.list);
    return status;
}

ngff_status ngff_image_check_store(const ngff_store *store, const char *version,
                                   ngff_error *err) {
    if (!ngff_store_is_ozx(store) || ngff_version_from_text(version) >= NGFF_V05)
        return NGFF_OK;
    return ngff_fail(err, NGFF_INVALID,
                     "RFC-9 zipped OME-Zarr (.ozx) requires OME-Zarr version 0.5. Got "
                     "version '%s'. Please set version='0.5'.",
                     version);
}
