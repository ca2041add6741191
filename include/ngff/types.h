/* libngff: the plain data types that every call shares: status, error, data types,
 * shapes, views, image descriptions, and the callback tables for stores and sources. Data
 * only, no functions; included by <ngff/ngff.h>. Compiles as C17 and as C++11. */
#ifndef NGFF_TYPES_H
#define NGFF_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a call answers. The values are pinned: they never change, new ones are appended.
 */
typedef enum ngff_status {
    NGFF_OK = 0,
    NGFF_INVALID = -1,     /* the caller's argument or option makes no sense */
    NGFF_NOMEM = -2,       /* memory could not be had */
    NGFF_NOT_FOUND = -3,   /* no such file, key, node or level */
    NGFF_EXISTS = -4,      /* the destination exists, or another live writer holds it */
    NGFF_IO = -5,          /* the operating system or a store callback failed */
    NGFF_FORMAT = -6,      /* the bytes contradict their specification */
    NGFF_UNSUPPORTED = -7, /* legal, but not done by this build */
    NGFF_CHECKSUM = -8,    /* a checksum does not match */
    NGFF_LIMIT = -9,       /* a size or the memory budget is exceeded */
    NGFF_CANCELLED = -10,  /* the progress callback asked to stop */
    NGFF_INTERNAL = -11    /* a defect of this library */
} ngff_status;

/* Which side of a conversion an error comes from. */
typedef enum ngff_origin {
    NGFF_ORIGIN_NONE = 0,
    NGFF_ORIGIN_INPUT = 1,
    NGFF_ORIGIN_OUTPUT = 2
} ngff_origin;

/* A caller-owned error: 512 bytes, no heap. The message is one line of UTF-8 without a
 * newline, "place: what was found, what was expected". Every `ngff_error *err` may be
 * NULL. */
typedef struct ngff_error {
    int32_t status; /* an ngff_status */
    int32_t origin; /* an ngff_origin */
    char message[504];
} ngff_error;

/* Element types, named as Zarr v3 names them. Values are pinned. */
typedef enum ngff_dtype {
    NGFF_DTYPE_NONE = 0,
    NGFF_BOOL = 1,
    NGFF_INT8 = 2,
    NGFF_INT16 = 3,
    NGFF_INT32 = 4,
    NGFF_INT64 = 5,
    NGFF_UINT8 = 6,
    NGFF_UINT16 = 7,
    NGFF_UINT32 = 8,
    NGFF_UINT64 = 9,
    NGFF_FLOAT16 = 10,
    NGFF_FLOAT32 = 11,
    NGFF_FLOAT64 = 12,
    NGFF_COMPLEX64 = 13,
    NGFF_COMPLEX128 = 14
} ngff_dtype;

/* The most dimensions any array handled here may have. An OME-Zarr image has 2 to 5. */
#define NGFF_MAX_NDIM 8

/* A box of elements: `shape[i]` elements from `start[i]` on, per axis, slowest axis
 * first. */
typedef struct ngff_box {
    int32_t ndim;
    int64_t start[NGFF_MAX_NDIM];
    int64_t shape[NGFF_MAX_NDIM];
} ngff_box;

/* Borrowed strided memory in native byte order. `strides` are in bytes and may be
 * negative or 0. */
typedef struct ngff_view {
    void *data;
    int32_t dtype; /* an ngff_dtype */
    int32_t ndim;
    int64_t shape[NGFF_MAX_NDIM];
    int64_t strides[NGFF_MAX_NDIM];
} ngff_view;

/* One axis (OME-Zarr 0.4/0.5 "axes" metadata). Empty strings mean "not given". */
typedef struct ngff_axis {
    char name[32];        /* "t", "c", "z", "y", "x" */
    char type[16];        /* "time", "channel", "space" */
    char unit[32];        /* a UDUNITS name, e.g. "micrometer" */
    char orientation[32]; /* RFC-4 value, e.g. "left-to-right" */
    double scale;         /* distance between samples of level 0; 1.0 when not known */
    double translation;   /* position of the centre of the first sample of level 0 */
} ngff_axis;

/* One channel ("omero" transitional metadata). */
typedef struct ngff_channel {
    char label[256];
    char color[8]; /* six hex digits, or empty */
    int32_t has_window;
    int32_t active;
    double min, max, start, end;
} ngff_channel;

/* What an image is, without its pixels. `channels` is borrowed from whoever filled the
 * struct. */
typedef struct ngff_image_desc {
    size_t struct_size;
    int32_t dtype; /* an ngff_dtype */
    int32_t ndim;
    int64_t shape[NGFF_MAX_NDIM];
    ngff_axis axes[NGFF_MAX_NDIM];
    char name[256]; /* multiscales name; empty: "image" */
    size_t channel_count;
    const ngff_channel *channels;
} ngff_image_desc;
#define NGFF_IMAGE_DESC_INIT                                                             \
    { sizeof(ngff_image_desc), 0, 0, {0}, {{{0}, {0}, {0}, {0}, 0, 0}}, {0}, 0, NULL }

/* Where a job is. `phase` is static text: "plan", "write", "finish", "publish";
 * "copy" while a store is copied. */
typedef struct ngff_progress {
    const char *phase;
    int32_t level; /* the level written last, -1 when none */
    int32_t level_count;
    uint64_t bytes_done; /* decoded bytes of all levels */
    uint64_t bytes_total;
} ngff_progress;

/* Called from worker threads, one call at a time. Anything but 0 cancels the job. */
typedef int (*ngff_progress_fn)(void *user, const ngff_progress *progress);

/* A caller's key -> bytes store. Keys are relative, `/`-separated, without a leading
 * slash. All calls may come from several threads at once. `get` reads [offset, offset +
 * size) and answers the bytes got in *got (less at the end of the value). A missing key:
 * NGFF_NOT_FOUND. `list` calls `fn` for every key that starts with `prefix`. Members may
 * be NULL: without get/size/list the store is write-only, without put/erase it is
 * read-only. */
typedef struct ngff_store_ops {
    size_t struct_size;
    ngff_status (*get)(void *cookie, const char *key, uint64_t offset, uint64_t size,
                       void *out, uint64_t *got, ngff_error *err);
    ngff_status (*size)(void *cookie, const char *key, uint64_t *size, ngff_error *err);
    ngff_status (*put)(void *cookie, const char *key, const void *data, uint64_t size,
                       ngff_error *err);
    ngff_status (*erase)(void *cookie, const char *key, ngff_error *err);
    ngff_status (*list)(void *cookie, const char *prefix,
                        ngff_status (*fn)(void *user, const char *key), void *user,
                        ngff_error *err);
    void (*release)(void *cookie);
} ngff_store_ops;

/* A caller's pixels. `read_region` fills `out` (shape = box->shape, dtype as described)
 * with the pixels of `box` of level 0. `reentrant` != 0: may be called from several
 * threads at once. `unit` (elements per axis, 0 = no preference) is the block the source
 * reads best. */
typedef struct ngff_source_ops {
    size_t struct_size;
    ngff_status (*read_region)(void *cookie, const ngff_box *box, const ngff_view *out,
                               ngff_error *err);
    void (*release)(void *cookie);
    int32_t reentrant;
    int64_t unit[NGFF_MAX_NDIM];
} ngff_source_ops;

/* One image of a file that may hold several. Texts live during the call. */
typedef struct ngff_series {
    size_t struct_size;
    int32_t series; /* what ngff_source_opts.series opens it with: from 1 */
    int32_t ndim;   /* 0: nothing is known of it before it is opened */
    int64_t shape[NGFF_MAX_NDIM];
    const char *axes; /* a letter an axis, as the file has them, slowest first */
    const char *name; /* "" without one */
} ngff_series;
/* Anything but NGFF_OK ends the list. */
typedef ngff_status (*ngff_series_fn)(void *user, const ngff_series *series);

/* Gets one box of a list; it is borrowed during the call. Anything but NGFF_OK ends the
 * list. */
typedef ngff_status (*ngff_box_fn)(void *user, const ngff_box *box);

/* One rule of a specification, and whether it is kept. Texts live during the call. */
typedef struct ngff_finding {
    const char *rule;    /* "OZX-9" */
    const char *level;   /* "MUST", "SHOULD" */
    int32_t kept;        /* 0: broken */
    const char *message; /* what was found */
} ngff_finding;
typedef void (*ngff_finding_fn)(void *user, const ngff_finding *finding);

/* One image of a plate: `path` below the plate ("A/1/0"), `well` ("A/1"; "" when the
 * store is a well), -1 where the document names no acquisition. Texts are the library's
 * and last for the call. */
typedef struct ngff_plate_field {
    size_t struct_size;
    const char *path, *well;
    int64_t acquisition;
} ngff_plate_field;
/* Anything but 0 ends the walk, which then answers NGFF_OK. */
typedef int (*ngff_plate_field_fn)(void *user, const ngff_plate_field *field);
typedef struct ngff_plate_info {
    size_t struct_size;
    char name[256], version[16]; /* "" where the documents do not say */
    int32_t row_count, column_count, well_count, acquisition_count;
} ngff_plate_info;

#ifdef __cplusplus
}
#endif
#endif
