/* store: see zip_facts.h. */
#include "store/zip_facts.h"

#include <stdio.h>
#include <stdlib.h>

/* The first document that does not belong to the leading run of documents, which the
 * root's must open; NULL: none. */
static const char *late_document(const ngff_zip_item *const *order, size_t count) {
    bool data_seen = count > 0 && strcmp(order[0]->name, "zarr.json") != 0;
    for (size_t i = 0; i < count; i++) {
        bool document = ngff_zip_is_zarr_json(order[i]->name);
        if (document && data_seen)
            return order[i]->name;
        data_seen = data_seen || !document;
    }
    return NULL;
}

static bool breadth_first(const ngff_zip_item *const *order, size_t count) {
    size_t depth = 0;
    for (size_t i = 0; i < count; i++) {
        if (!ngff_zip_is_zarr_json(order[i]->name))
            continue;
        if (ngff_store_key_depth(order[i]->name) < depth)
            return false;
        depth = ngff_store_key_depth(order[i]->name);
    }
    return true;
}

static int by_offset(const void *a, const void *b) {
    const ngff_zip_item *x = *(const ngff_zip_item *const *)a;
    const ngff_zip_item *y = *(const ngff_zip_item *const *)b;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static void look_at_items(const ngff_zip_item *const *order, size_t count,
                          ngff_store_archive *out) {
    for (size_t i = 0; i < count; i++) {
        const char *name = order[i]->name;
        if (order[i]->method != 0 && out->deflated_count++ == 0)
            out->deflated = name;
        if (!out->embedded &&
            (ngff_ends_with(name, ".ozx") || ngff_ends_with(name, ".zip")))
            out->embedded = name;
    }
}

ngff_status ngff_zip_facts(const ngff_allocator *a, const ngff_zip_directory *d,
                           ngff_store_archive *out, ngff_error *err) {
    const ngff_zip_item **order = ngff_calloc(a, d->count + 1, sizeof *order);
    if (!order)
        return ngff_fail_nomem(err, "the order of an archive", d->count * sizeof *order);
    for (size_t i = 0; i < d->count; i++)
        order[i] = &d->items[d->order[i]];
    out->comment = d->comment;
    out->comment_size = d->comment_size;
    out->entry_count = d->count;
    out->directory_count = d->directories;
    out->zip64 = d->zip64;
    out->duplicates = d->duplicates;
    out->json_first = d->json_first;
    out->breadth_first = breadth_first(order, d->count);
    out->late_central = late_document(order, d->count);
    out->first_central = d->count ? order[0]->name : NULL;
    look_at_items(order, d->count, out);
    if (d->count > 0)
        qsort(order, d->count, sizeof *order, by_offset);
    out->late_local = late_document(order, d->count);
    out->first_local = d->count ? order[0]->name : NULL;
    ngff_free(a, order);
    return NGFF_OK;
}

bool ngff_zip_has_node(const ngff_zip_directory *d, const char *folder) {
    static const char *const documents[] = {"zarr.json", ".zgroup", ".zarray"};
    char name[NGFF_STORE_KEY_MAX + 16];
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        snprintf(name, sizeof name, "%s%s%s", folder, *folder ? "/" : "", documents[i]);
        if (ngff_zip_find(d, name))
            return true;
    }
    return false;
}

void ngff_zip_find_folder(const ngff_zip_directory *d, char *out, size_t out_size) {
    out[0] = '\0';
    if (d->count == 0 || ngff_zip_has_node(d, ""))
        return;
    const char *first = d->items[0].name, *last = d->items[d->count - 1].name;
    size_t len = strcspn(first, "/");
    /* Sorted: what the first and the last have in common, all have. */
    if (first[len] != '/' || len >= out_size || strncmp(first, last, len + 1) != 0)
        return;
    memcpy(out, first, len);
    out[len] = '\0';
    if (!ngff_zip_has_node(d, out))
        out[0] = '\0';
}
