/* source: foreign pixels as regions. One file per kind: npy, raw, TIFF/OME-TIFF, TIFF
 * stack, PNG, JPEG, NIfTI, NRRD, MetaImage, array (memory view), callback. A source
 * describes its image in canonical order (t, c, z, y, x) and says how it is best read.
 * Files are read by pread windows or tiles, never mapped. */
#ifndef NGFF_SOURCE_SOURCE_H
#define NGFF_SOURCE_SOURCE_H

#include "nd/nd.h"
#include "ome/ome.h"
#include "sys/sys.h"

typedef struct ngff_source ngff_source;

typedef struct ngff_source_traits {
    int64_t unit[NGFF_MAX_NDIM]; /* elements read/decoded as one (tile, strip, page); 1s:
                                    none */
    bool reentrant;              /* read may be called from several threads at once */
    bool sequential; /* going back restarts the stream: read only forward along
                        `slow_axis` */
    int slow_axis;   /* the axis along which a sequential source advances (slowest in the
                        file) */
    bool compressed; /* a unit costs decoding: reading one twice is expensive */
    size_t memory;   /* bytes the source itself holds per reading thread */
    size_t cache; /* … of which so many are caches that grow with the `memory` given at
                     opening */
} ngff_source_traits;

typedef struct ngff_source_vtable {
    const char *kind; /* "npy", "tiff", … */
    ngff_status (*read)(ngff_source *s, const ngff_box *box, const ngff_view *out,
                        ngff_error *err);
    /* Levels the file brings itself (SubIFDs); level 0 is `read`. May be NULL. */
    ngff_status (*read_level)(ngff_source *s, int level, const ngff_box *box,
                              const ngff_view *out, ngff_error *err);
    void (*close)(ngff_source *s);
} ngff_source_vtable;

#define NGFF_SOURCE_LEVELS 32

/* What a source knows of the levels it brings besides their shapes: an image that was
 * written as a pyramid. Everything 0 where it knows nothing. */
typedef struct ngff_source_pyramid {
    bool placed; /* scale and translation are known, and these are all its levels */
    double scale[NGFF_SOURCE_LEVELS][NGFF_MAX_NDIM];
    double translation[NGFF_SOURCE_LEVELS][NGFF_MAX_NDIM];
    int64_t chunk[NGFF_SOURCE_LEVELS][NGFF_MAX_NDIM];
    bool flat;                 /* its paths are "0", "1", … */
    const char *type;          /* how they were made; NULL: not said. These two are */
    const ngff_json *metadata; /* borrowed from the source itself */
} ngff_source_pyramid;

struct ngff_source {
    const ngff_source_vtable *ops;
    const ngff_allocator *alloc;
    char *location;       /* for messages */
    ngff_ome_image image; /* owned description */
    ngff_source_traits traits;
    const ngff_view *memory; /* level 0 as it lies in memory, its items aligned and packed
                                along the last axis; NULL: only by reading. Owned */
    int level_count;         /* 1, or more when the file holds its own pyramid */
    int64_t level_shape[NGFF_SOURCE_LEVELS][NGFF_MAX_NDIM];
    ngff_source_pyramid pyramid;
    char note[256]; /* one-line warning for the user, or "" */
    char
        file_axes[NGFF_MAX_NDIM + 1]; /* a letter an axis as the file has them, slowest
                                         first; "": canonical, or the kind does not say */
    size_t channels_listed;           /* by the file's metadata, named or not */
    ngff_mutex *lock; /* made by ngff_source_share, or NULL: one read at a time. Owned */
};

typedef struct ngff_source_open_opts {
    const char *dims; /* overrides the axes' order in the file, slowest first; NULL: own
                         or default */
    int raw_ndim;     /* raw files: shape and dtype */
    int64_t raw_shape[NGFF_MAX_NDIM];
    ngff_dtype raw_dtype;
    bool raw_big_endian;
    int64_t raw_offset;
    int series; /* multi-image files: -1 = not chosen (an error when there are several) */
    bool raw_values; /* NIfTI --raw: keep stored integers */
    size_t memory;   /* bytes the source may use for caches; 0: small default */
    int threads;     /* how many threads will read (handles) */
} ngff_source_open_opts;

/* Finds the kind by content. A directory or a pattern with * ? [ is a stack of TIFFs (a
 * directory that is a Zarr node is not ours: UNSUPPORTED, the image room opens it). */
NGFF_MUST_USE ngff_status ngff_source_at(const ngff_allocator *a, const char *path,
                                         const ngff_source_open_opts *opts,
                                         ngff_source **out, ngff_error *err);
/* Borrowed memory; `desc` may be NULL (default axes). */
NGFF_MUST_USE ngff_status ngff_source_of_array(const ngff_allocator *a,
                                               const ngff_view *view,
                                               const ngff_image_desc *desc,
                                               void (*release)(void *), void *cookie,
                                               ngff_source **out, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_source_of_callbacks(const ngff_allocator *a,
                                                   const ngff_source_ops *ops,
                                                   void *cookie,
                                                   const ngff_image_desc *desc,
                                                   ngff_source **out, ngff_error *err);
/* A view of `inner` (taken over) with axes in canonical order; inner itself when they are
 * already. */
NGFF_MUST_USE ngff_status ngff_source_canonical(ngff_source *inner, ngff_source **out,
                                                ngff_error *err);
/* Checks the box, calls the table, marks errors as INPUT. `out` has any strides. */
NGFF_MUST_USE ngff_status ngff_source_read(ngff_source *s, const ngff_box *box,
                                           const ngff_view *out, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_source_read_level(ngff_source *s, int level,
                                                 const ngff_box *box,
                                                 const ngff_view *out, ngff_error *err);
/* From now on several threads may read, also where the kind knows one at a time only. */
NGFF_MUST_USE ngff_status ngff_source_share(ngff_source *s, ngff_error *err);
/* The images that `path` holds, in the order of their numbers: one call of `fn` each. */
NGFF_MUST_USE ngff_status ngff_source_list(const ngff_allocator *a, const char *path,
                                           const ngff_source_open_opts *opts,
                                           ngff_series_fn fn, void *user,
                                           ngff_error *err);
/* The one image of an opened source, as ngff_source_list tells it. */
NGFF_MUST_USE ngff_status ngff_source_list_one(const ngff_source *s, ngff_series_fn fn,
                                               void *user, ngff_error *err);
void ngff_source_drop(ngff_source **s);

#endif
