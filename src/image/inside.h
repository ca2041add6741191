/* The inside of the image room: what its files share. Owns nothing; any thread. */
#ifndef NGFF_IMAGE_INSIDE_H
#define NGFF_IMAGE_INSIDE_H

#include "image/image.h"

/* "a/b" out of "a" and "b", either of which may be empty. */
NGFF_MUST_USE ngff_status ngff_image_join(const char *path, const char *name, char *out,
                                          size_t out_size, ngff_error *err);

/* A member of the attributes, or of their "ome" (0.5 and later). */
const ngff_json *ngff_image_member(const ngff_json *attributes, const char *name);
/* The fields of the plate or well at the root of `store`, whose attributes these are. */
NGFF_MUST_USE ngff_status ngff_image_walk_plate(ngff_store *store,
                                                const ngff_json *attributes,
                                                ngff_plate_field_fn fn, void *user,
                                                ngff_plate_info *info, ngff_error *err);

/* Documents of level n: array and group. */
NGFF_MUST_USE ngff_status ngff_image_put_level(ngff_image *image, int n, ngff_error *err);

/* Finds the group of the image that `path` means: itself, or the `series`-th image of a
 * bioformats2raw container (-1: the only one). *attributes is the caller's. */
typedef struct ngff_image_place {
    char path[1024];
    ngff_json *attributes;
} ngff_image_place;
NGFF_MUST_USE ngff_status ngff_image_locate(const ngff_allocator *a, ngff_store *store,
                                            const char *path, int series,
                                            ngff_image_place *out, ngff_error *err);
/* Opens the image whose group `place` is; takes its attributes over, also on failure. */
NGFF_MUST_USE ngff_status ngff_image_open_place(const ngff_allocator *a,
                                                ngff_store *store,
                                                ngff_image_place *place, ngff_image **out,
                                                ngff_error *err);

#endif
