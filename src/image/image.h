/* image: documents and arrays as one thing: an OME-Zarr image in a store. Creates the
 * arrays and the documents in the right order (metadata last), opens images, lists what a
 * store holds, serves a Zarr array or an OME-Zarr image as a source. One image handle for
 * reading may be shared by threads. */
#ifndef NGFF_IMAGE_IMAGE_H
#define NGFF_IMAGE_IMAGE_H

#include "ome/ome.h"
#include "source/source.h"
#include "zarr/zarr.h"

typedef struct ngff_image_level {
    int64_t shape[NGFF_MAX_NDIM];
    int64_t chunk[NGFF_MAX_NDIM];
    int64_t per_shard[NGFF_MAX_NDIM]; /* chunks per shard; ignored unless sharded */
    bool sharded;
    double scale[NGFF_MAX_NDIM];
    double translation[NGFF_MAX_NDIM];
} ngff_image_level;

typedef struct ngff_image_create_opts {
    int level_count;
    ngff_version version; /* NGFF_V04 to NGFF_V06 */
    bool flat;            /* "0", "1", … instead of "scale0/{name}" */
    bool no_consolidate;
    ngff_codec_choice codec;
    const char *codec_json;         /* verbatim: v3 bytes->bytes or full codecs array, v2
                                       compressor; NULL */
    const char *type;               /* method name for "type" */
    const char *method;             /* the filter's own name; NULL: as `type` */
    const char *method_description; /* for "metadata" */
    const ngff_json *metadata;      /* instead of one made of these two */
    bool copied; /* levels of another image: type and metadata say what that one says */
    ngff_ome_emit_opts emit;
    const char *coordinates_json; /* 0.6: as ngff_ome_check_more takes it; NULL */
    const unsigned char *fill;    /* element; NULL: zero */
    char separator;               /* 0: '/' */
} ngff_image_create_opts;         /* texts and fill are borrowed during create only */

typedef struct ngff_image {
    const ngff_allocator *alloc;
    ngff_store *store; /* borrowed */
    ngff_ome_multiscales ms;
    int level_count;
    ngff_zarr_array *level[32];
    ngff_image_create_opts opts; /* create only */
    int first_new;               /* extended: levels below keep their documents; else 0 */
    ngff_json *root_attributes;  /* create: foreign members to add; owned; may be NULL */
    char path[1024]; /* open: of the image's group, after any descent; "" = root */
} ngff_image;

/* Prepares arrays in memory; nothing is written yet. `desc` is copied, `levels` has
 * opts->level_count entries. */
NGFF_MUST_USE ngff_status ngff_image_create(const ngff_allocator *a, ngff_store *store,
                                            const ngff_image_desc *desc,
                                            const ngff_image_level *levels,
                                            const ngff_image_create_opts *opts,
                                            ngff_image **out, ngff_error *err);
/* RFC-9's condition on what an .ozx may hold: INVALID for versions before 0.5. Other
 * stores take any. */
NGFF_MUST_USE ngff_status ngff_image_check_store(const ngff_store *store,
                                                 const char *version, ngff_error *err);
/* Before any pixel, and again never: places for the documents in a store that keeps an
 * order (store.h), where ngff_image_finish then puts them. Other stores: nothing. */
/* When the store will replace another one: keeps that one's foreign root attributes for
 * the new root document. Before ngff_image_reserve. */
NGFF_MUST_USE ngff_status ngff_image_keep_foreign(ngff_image *image, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_image_reserve(ngff_image *image, ngff_error *err);
/* After all pixels: array documents, level groups (with _ARRAY_DIMENSIONS), then the root
 * document with the consolidated form. Publishing the store is the caller's next step. */
NGFF_MUST_USE ngff_status ngff_image_finish(ngff_image *image, ngff_error *err);
/* After ngff_image_finish, when extents or channels have changed: the documents that say
 * so. */
NGFF_MUST_USE ngff_status ngff_image_refresh(ngff_image *image, ngff_error *err);
void ngff_image_close(ngff_image **image);
/* A created image that grows: all its levels have `extent` elements along axis 0 from now
 * on. Nobody else may use it meanwhile. */
void ngff_image_set_extent(ngff_image *image, int64_t extent);
/* Of a created image that has several: there is no such level any more. */
void ngff_image_drop_last(ngff_image *image);

/* More levels for the image `old` (opened at the root of a store that is updated): those
 * from `first` on (1 or more) are made new, the others' arrays move out of `old`, which
 * is only good for ngff_image_cut and for closing afterwards. Name, axes, channels and
 * foreign attributes are old's. INVALID when the kept levels have other shapes. */
NGFF_MUST_USE ngff_status ngff_image_extend(ngff_image *old,
                                            const ngff_image_level *levels,
                                            const ngff_image_create_opts *opts, int first,
                                            ngff_image **out, ngff_error *err);
/* Before the pixels of an extended image: the root names the kept levels only, then what
 * old had beyond them is removed, then the new arrays get their documents. At every
 * moment the kept levels can be read. */
NGFF_MUST_USE ngff_status ngff_image_cut(const ngff_image *old, ngff_image *image,
                                         ngff_error *err);

/* Opens the image at `path` of the store ("" = root); a bioformats2raw container with one
 * image is descended into, with several NOT_FOUND lists them. Arrays are opened and agree
 * with the document: dimensions, one dtype. Levels without a scale (0.1 - 0.3) get one
 * from the array shapes. */
NGFF_MUST_USE ngff_status ngff_image_open(const ngff_allocator *a, ngff_store *store,
                                          const char *path, ngff_image **out,
                                          ngff_error *err);

/* A Zarr array or OME-Zarr image at a path (directory) as a source; takes over nothing of
 * the caller. */
NGFF_MUST_USE ngff_status ngff_image_source_open(const ngff_allocator *a,
                                                 const char *location,
                                                 const ngff_source_open_opts *opts,
                                                 ngff_source **out, ngff_error *err);
/* The first `count` levels of an image, in its own order of axes, as a source. `image` is
 * borrowed; nothing may be written to these levels any more. UNSUPPORTED for more
 * than 32. */
NGFF_MUST_USE ngff_status ngff_image_source_of(ngff_image *image, int count,
                                               ngff_source **out, ngff_error *err);
/* An ngff_store_check_fn (store.h): with NGFF_OVERWRITE_IMAGE refuses (EXISTS) what holds
 * other nodes than the arrays of one image and the groups above them, naming the first.
 * `user` is not used. */
NGFF_MUST_USE ngff_status ngff_image_check_overwrite(void *user, ngff_store *existing,
                                                     ngff_overwrite overwrite,
                                                     ngff_error *err);

/* True when `location` is a directory (or later a zip) holding a Zarr node at its root.
 */
bool ngff_image_is_zarr(const char *location);

/* The documents of the hierarchy in `store` (opened for updating) as those of OME-Zarr
 * `to`; no chunk is touched. Everything is looked at before anything is written; the root
 * comes last, then the documents of Zarr v2 go, so at every moment the store can be read,
 * as the old or as the new one. UNSUPPORTED: what would take other chunks or cannot be
 * said; the way back to 0.4. */
NGFF_MUST_USE ngff_status ngff_image_upgrade(const ngff_allocator *a, ngff_store *store,
                                             ngff_version to, ngff_error *err);

/* The image, its labels, or the images of a plate at the root of `store` against the
 * rules of their version, one call of `fn` for each that is broken; `data`: every chunk
 * is read too. Fails only where the store cannot be read, or holds nothing to judge. */
NGFF_MUST_USE ngff_status ngff_image_validate(const ngff_allocator *a, ngff_store *store,
                                              bool data, ngff_finding_fn fn, void *user,
                                              ngff_error *err);
/* ngff_ome_rfc4 of the root document, also where there is none. */
NGFF_MUST_USE ngff_status ngff_image_rfc4(ngff_store *store, ngff_json **out,
                                          ngff_error *err);

/* Everything that is in `from` to `to`, whatever it is an image of; publishing is the
 * caller's next step. Failures of `from` have the origin INPUT. */
typedef struct ngff_image_copy_opts {
    ngff_progress_fn progress;
    void *progress_user;
} ngff_image_copy_opts;
NGFF_MUST_USE ngff_status ngff_image_copy(ngff_store *from, ngff_store *to,
                                          const ngff_image_copy_opts *opts,
                                          ngff_error *err);

/* The fields of the plate or well in the store; `info` (may be NULL) is filled before the
 * first call of `fn`. NOT_FOUND when it is neither. */
NGFF_MUST_USE ngff_status ngff_image_plate(ngff_store *store, ngff_plate_field_fn fn,
                                           void *user, ngff_plate_info *info,
                                           ngff_error *err);

/* How an archive that is read keeps the rules of RFC-9 (OZX-2 to OZX-13 of the
 * requirements), one call of `fn` a rule, in their order. UNSUPPORTED for other stores.
 */
NGFF_MUST_USE ngff_status ngff_image_judge_ozx(ngff_store *store, ngff_finding_fn fn,
                                               void *user, ngff_error *err);

#endif
