/* libngff: writes and reads images as OME-Zarr (OME-NGFF) pyramids.
 *
 *   ngff_context   where memory comes from, how many threads, where log lines go
 *   ngff_store     key -> bytes: a directory, memory, or the caller's callbacks
 *   ngff_source    pixels to read: a file, a memory view, or the caller's callback
 *   ngff_multiscales  an image description and its levels: planned, or opened from a
 * store
 *
 * THREADS. A context, a store, a source and an opened ngff_multiscales may be used by any
 * number of threads at once. A planned ngff_multiscales is immutable. One call of
 * ngff_write uses its own threads (ngff_context_opts.threads) and returns when they are
 * gone. The library prints nothing, never exits, has no global state and needs no
 * initialisation.
 *
 * ERRORS. Every call that can fail answers an ngff_status and must be checked. The
 * sentence goes to the caller's ngff_error, which may be NULL. On failure every output is
 * NULL or zero.
 *
 * OPTIONS. Structs start with struct_size and are made with their _INIT macro; zero means
 * "default". Fields are only ever appended. Strings are read during the call, never kept.
 *
 * ORDER. Axes go from slowest to fastest: t, c, z, y, x. Shapes are in elements, strides
 * in bytes.
 *
 * SPECIFICATIONS: OME-Zarr 0.4 - 0.6 (written), 0.1 - 0.6 (read); Zarr v2 and v3 with
 * sharding_indexed. */
#ifndef NGFF_NGFF_H
#define NGFF_NGFF_H

#include <ngff/types.h>

#define NGFF_VERSION_MAJOR 0
#define NGFF_VERSION_MINOR 1
#define NGFF_VERSION_PATCH 0

#if defined(_WIN32)
#define NGFF_API
#else
#define NGFF_API __attribute__((visibility("default")))
#endif
#if defined(__GNUC__)
#define NGFF_CHECK __attribute__((warn_unused_result))
#else
#define NGFF_CHECK
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ngff_context ngff_context;
typedef struct ngff_store ngff_store;
typedef struct ngff_source ngff_source;
typedef struct ngff_multiscales ngff_multiscales;
typedef struct ngff_level_info ngff_level_info;

/* "0.1.0" */
NGFF_API const char *ngff_library_version(void);
/* One line a feature: the libraries built in and their versions, formats, OME-Zarr
 * versions. */
NGFF_API const char *ngff_build_info(void);
/* Static text for a status: "EXISTS". */
NGFF_API const char *ngff_status_text(ngff_status status);
/* Bytes of one element, 0 for an unknown type; the Zarr v3 name of a type, NULL for an
 * unknown one. */
NGFF_API size_t ngff_element_size(ngff_dtype dtype);
NGFF_API const char *ngff_dtype_text(ngff_dtype dtype);
NGFF_API ngff_dtype ngff_dtype_parse(const char *name);

/* ---- context
 * ---------------------------------------------------------------------------------- */

typedef struct ngff_context_opts {
    size_t struct_size;
    void *(*alloc)(void *user, size_t size); /* both or neither; called from any thread */
    void (*release)(void *user, void *block);
    void *alloc_user;
    int32_t threads; /* 0: all cores this process may use; 1: no thread is started */
    uint64_t memory_target; /* bytes a job may hold; 0: a quarter of what this process may
                               use, at most 4 GiB */
    void (*log)(void *user,
                const char *line); /* warnings, one line each; NULL: dropped */
    void *log_user;
    int32_t memory_grows; /* 1: a job for which memory_target is too little takes the
                             least that will do (`budget` of its report), on one thread;
                             0: it fails with NGFF_LIMIT. Writers by frames always do */
} ngff_context_opts;
#define NGFF_CONTEXT_OPTS_INIT                                                           \
    { sizeof(ngff_context_opts), NULL, NULL, NULL, 0, 0, NULL, NULL, 0 }

/* `opts` may be NULL. The context must outlive everything made with it. */
NGFF_API NGFF_CHECK ngff_status ngff_context_create(const ngff_context_opts *opts,
                                                    ngff_context **context,
                                                    ngff_error *err);
NGFF_API void ngff_context_close(ngff_context **context);

/* ---- stores
 * ----------------------------------------------------------------------------------- */

typedef enum ngff_store_access {
    NGFF_ACCESS_READ = 0,
    NGFF_ACCESS_WRITE =
        1, /* new content that appears at its location whole, or not at all */
    NGFF_ACCESS_UPDATE = 2, /* an existing directory, changed value by value, each of them
                               atomically; "memory://" is new and empty all the same */
    NGFF_ACCESS_WRITE_CHUNKS = 3 /* the chunk half of ngff_store_pair: new content beside
                                    the old */
} ngff_store_access;

typedef struct ngff_store_opts {
    size_t struct_size;
    int32_t access; /* an ngff_store_access */
    int32_t
        overwrite; /* 0: an existing location is NGFF_EXISTS; 1: a Zarr store that holds
                      one image is replaced; 2: also one that holds labels or other nodes.
                      A directory with foreign files is never replaced. */
    int32_t durability; /* 0 publish: all flushed before it appears; 1 none; 2 each file
                           as finished */
} ngff_store_opts;
#define NGFF_STORE_OPTS_INIT                                                             \
    { sizeof(ngff_store_opts), 0, 0, 0 }

/* `location`: a path to a directory, to an archive (*.ozx of RFC-9, *.zip; read in place,
 * written in one pass), or "memory://" (a new, empty store that lives until closed). An
 * .ozx takes OME-Zarr 0.5 or later; plan it with chunks_per_shard, 2 along every axis
 * being usual. */
NGFF_API NGFF_CHECK ngff_status ngff_store_open(ngff_context *context,
                                                const char *location,
                                                const ngff_store_opts *opts,
                                                ngff_store **store, ngff_error *err);
/* `ops` is copied, `cookie` is handed to every call and to ops->release in
 * ngff_store_close. */
NGFF_API NGFF_CHECK ngff_status ngff_store_from_ops(ngff_context *context,
                                                    const ngff_store_ops *ops,
                                                    void *cookie, ngff_store **store,
                                                    ngff_error *err);
/* One store out of two: Zarr documents (zarr.json, .zarray, …) are in `metadata`, all
 * else is in `chunks`, below a name that is new with every write ("gen-…"), which a value
 * ".ngff-chunks" of the metadata tells. Both are borrowed, outlive the pair and are
 * closed by the caller after it. Of any two kinds; for reading both are opened for
 * reading, for writing `metadata` for writing and a directory or archive of `chunks` with
 * NGFF_ACCESS_WRITE_CHUNKS. ngff_write and ngff_store_copy publish the pair: first the
 * chunks, then, by one step, the metadata; until that step the old pair is whole, from
 * then on the new one is, and then the old chunks are removed. Closing an unpublished
 * pair drops what is new in both. The same handle, or the same directory, twice is that
 * store. NGFF_EXISTS: `chunks` holds those of another store, or foreign files.
 * NGFF_NOT_FOUND: what `metadata` names is not in `chunks`; ngff_open of a metadata half
 * alone answers that too. An archive of chunks is only ever written new, and an .ozx is
 * no half.
 * A pair is not changed in place and not seen while it grows (NGFF_UNSUPPORTED). */
NGFF_API NGFF_CHECK ngff_status ngff_store_pair(ngff_context *context,
                                                ngff_store *metadata, ngff_store *chunks,
                                                ngff_store **pair, ngff_error *err);
/* What lies below `path` ("A/1/0") of a store that is opened for reading, as a store of
 * its own: a field of a plate, a series of a container. `store` is borrowed, outlives it
 * and is shared by as many as are wanted, also by threads. Whether something is there
 * ngff_open tells. NGFF_INVALID: the path leads out of the store. */
NGFF_API NGFF_CHECK ngff_status ngff_store_below(ngff_context *context, ngff_store *store,
                                                 const char *path, ngff_store **below,
                                                 ngff_error *err);
/* Reads one value whole into `out` of `capacity` bytes; *size is its full size (LIMIT
 * when larger). */
NGFF_API NGFF_CHECK ngff_status ngff_store_get_value(ngff_store *store, const char *key,
                                                     void *out, size_t capacity,
                                                     size_t *size, ngff_error *err);
/* Unpublished content is dropped. Cannot fail. */
NGFF_API void ngff_store_close(ngff_store **store);

typedef struct ngff_store_copy_opts {
    size_t struct_size;
    ngff_progress_fn progress; /* phase "copy" */
    void *progress_user;
} ngff_store_copy_opts;
#define NGFF_STORE_COPY_OPTS_INIT                                                        \
    { sizeof(ngff_store_copy_opts), NULL, NULL }

/* The whole hierarchy of `from`, value by value, into `to` (opened for writing), which is
 * published: a directory into an .ozx, an .ozx into a directory. `opts` may be NULL. */
NGFF_API NGFF_CHECK ngff_status ngff_store_copy(ngff_store *from, ngff_store *to,
                                                const ngff_store_copy_opts *opts,
                                                ngff_error *err);
/* The images of the plate or well in a store, in the order of the documents; wells that
 * were not written yet are passed over. `info` (of this size; may be NULL) is filled
 * before the first call of `fn`. NGFF_NOT_FOUND: the store holds neither. */
NGFF_API NGFF_CHECK ngff_status ngff_plate_walk(ngff_store *store, ngff_plate_field_fn fn,
                                                void *user, ngff_plate_info *info,
                                                ngff_error *err);
/* Gives the finished directory `from`, flushed first, the name `to`, on the same file
 * system, in one step.
 * Without `replace` only where nothing is (EXISTS); with it the two are exchanged, so
 * that at no moment the name is without either, and `from` is then what was there
 * (*replaced is 1, and 0 where nothing was). Neither is looked into. UNSUPPORTED, and
 * nothing changed, where the file system cannot exchange two names. */
NGFF_API NGFF_CHECK ngff_status ngff_directory_put(const char *from, const char *to,
                                                   int32_t replace, int32_t *replaced,
                                                   ngff_error *err);
/* How an archive (opened for reading) keeps the rules of RFC-9: one call of `fn` a rule.
 */
NGFF_API NGFF_CHECK ngff_status ngff_ozx_judge(ngff_store *store, ngff_finding_fn fn,
                                               void *user, ngff_error *err);

/* ---- sources
 * ---------------------------------------------------------------------------------- */

typedef struct ngff_source_opts {
    size_t struct_size;
    const char
        *dims; /* "zyx", "t,c,z,y,x": the meaning of the file's axes, slowest first */
    int32_t
        raw_ndim; /* raw files only: shape, type, byte order and offset of the pixels */
    int64_t raw_shape[NGFF_MAX_NDIM];
    int32_t raw_dtype;
    int32_t raw_big_endian;
    int64_t raw_offset;
    int32_t series;     /* 1-based image of a multi-image file; 0: not chosen */
    int32_t raw_values; /* NIfTI: keep stored integers, ignore slope and intercept */
} ngff_source_opts;
#define NGFF_SOURCE_OPTS_INIT                                                            \
    { sizeof(ngff_source_opts), NULL, 0, {0}, 0, 0, 0, 0, 0 }

/* A .npy, raw, TIFF, OME-TIFF, PNG, JPEG, NIfTI, NRRD or MetaImage file, a folder or
 * pattern of TIFFs, a Zarr array or an OME-Zarr image; found by content. `opts` may be
 * NULL. */
NGFF_API NGFF_CHECK ngff_status ngff_source_open(ngff_context *context, const char *path,
                                                 const ngff_source_opts *opts,
                                                 ngff_source **source, ngff_error *err);
/* Borrowed memory, which must stay until `release(cookie)` is called (in
 * ngff_source_close; may be NULL). `desc` gives axes, scales, names; NULL: default axes
 * (suffix of t, c, z, y, x). Axes in another order than t, c, z, y, x are transposed as
 * they are read. */
NGFF_API NGFF_CHECK ngff_status ngff_source_from_array(
    ngff_context *context, const ngff_view *view, const ngff_image_desc *desc,
    void (*release)(void *cookie), void *cookie, ngff_source **source, ngff_error *err);
/* `desc` gives dtype, shape and axes; `ops` is copied. */
NGFF_API NGFF_CHECK ngff_status ngff_source_from_callback(
    ngff_context *context, const ngff_source_ops *ops, void *cookie,
    const ngff_image_desc *desc, ngff_source **source, ngff_error *err);
/* What the source holds. Strings are copied; desc->channels is borrowed from the source.
 */
NGFF_API NGFF_CHECK ngff_status ngff_source_describe(const ngff_source *source,
                                                     ngff_image_desc *desc,
                                                     ngff_error *err);
/* What is known of a source beside its image. */
typedef struct ngff_source_info {
    size_t struct_size;
    char kind[16];           /* "npy", "tiff", "zarr", … */
    char axes[16];           /* a letter an axis as the file has them, slowest first; "":
                                as described */
    char note[256];          /* what the user should know, one line, or "" */
    int32_t level_count;     /* levels that the source brings, 1 or more */
    int32_t channels_listed; /* by the file's metadata, with or without a name */
    int32_t sequential;      /* reading backwards starts over, it is correct but slow */
    int64_t unit[NGFF_MAX_NDIM]; /* elements that are read or decoded as one */
} ngff_source_info;
#define NGFF_SOURCE_INFO_INIT                                                            \
    {                                                                                    \
        sizeof(ngff_source_info), {0}, {0}, {0}, 0, 0, 0, {                              \
            0                                                                            \
        }                                                                                \
    }
NGFF_API NGFF_CHECK ngff_status ngff_source_about(const ngff_source *source,
                                                  ngff_source_info *info,
                                                  ngff_error *err);
/* A level that the source brings: its shape; its unit as chunks and shards; its scale and
 * translation, where the source does not say by the ratio of extents along z, y and x.
 * NOT_FOUND: it has fewer. */
NGFF_API NGFF_CHECK ngff_status ngff_source_level(const ngff_source *source, int level,
                                                  ngff_level_info *info, ngff_error *err);
/* Reads `box` of a level into `out` (shape = box->shape, the image's dtype, any strides).
 * From any number of threads, also while ngff_write reads. */
NGFF_API NGFF_CHECK ngff_status ngff_source_read_region(ngff_source *source, int level,
                                                        const ngff_box *box,
                                                        const ngff_view *out,
                                                        ngff_error *err);
/* The images that a file holds, one call of `fn` each, before one of them is chosen with
 * ngff_source_opts.series: those of a TIFF; any other input holds one. `opts` as for
 * ngff_source_open, may be NULL; its series does not count. */
NGFF_API NGFF_CHECK ngff_status ngff_source_series(ngff_context *context,
                                                   const char *path,
                                                   const ngff_source_opts *opts,
                                                   ngff_series_fn fn, void *user,
                                                   ngff_error *err);
NGFF_API void ngff_source_close(ngff_source **source);

/* ---- levels
 * ----------------------------------------------------------------------------------- */

typedef struct ngff_plan_opts {
    size_t struct_size;
    const char *method;         /* a name of `ngff methods`; NULL: "gaussian" */
    int32_t scale_factor_count; /* < 0: level 0 only; 0: automatic */
    const int64_t (
        *scale_factors)[NGFF_MAX_NDIM]; /* absolute, one row a level, one value an axis */
    int64_t min_size;                   /* automatic levels: stop below; 0: 128 */
    int32_t isotropic;                  /* automatic levels: halve by voxel spacing */
    int64_t chunks[NGFF_MAX_NDIM]; /* 0: default (128 with z, 256 without; t and c: 1) */
    int64_t chunks_per_shard[NGFF_MAX_NDIM]; /* all 0: not sharded */
} ngff_plan_opts;
#define NGFF_PLAN_OPTS_INIT                                                              \
    {                                                                                    \
        sizeof(ngff_plan_opts), NULL, 0, NULL, 0, 0, {0}, {                              \
            0                                                                            \
        }                                                                                \
    }

/* One level: shape, position, storage. */
struct ngff_level_info {
    size_t struct_size;
    int64_t shape[NGFF_MAX_NDIM];
    int64_t chunks[NGFF_MAX_NDIM];
    int64_t shards[NGFF_MAX_NDIM]; /* elements; equal to chunks when not sharded */
    double scale[NGFF_MAX_NDIM];
    double translation[NGFF_MAX_NDIM];
    char path[320]; /* "scale0/image"; "" for a planned level */
};
#define NGFF_LEVEL_INFO_INIT                                                             \
    {                                                                                    \
        sizeof(ngff_level_info), {0}, {0}, {0}, {0}, {0}, {                              \
            0                                                                            \
        }                                                                                \
    }

/* Decides the levels of `image` (pixels.md of the project's requirements: sizes, factors,
 * scales, translations, chunks). Pure: nothing is read or written. An extent of 0 along
 * axis 0 is not known yet (ngff_writer_append): automatic levels do not reduce that axis
 * and its chunks hold 1 by default; level infos answer 0 for it. */
NGFF_API NGFF_CHECK ngff_status ngff_multiscales_plan(ngff_context *context,
                                                      const ngff_image_desc *image,
                                                      const ngff_plan_opts *opts,
                                                      ngff_multiscales **multiscales,
                                                      ngff_error *err);
/* The levels that `source` brings, as they are: an OME-Zarr image, a TIFF with a pyramid.
 * Of `opts` (may be NULL) chunks and chunks_per_shard count; 0: chunks as in the source.
 * `image` (NULL: the source's own) may name, place and scale level 0 otherwise; the
 * coarser levels follow. "type" and the method are those that the source tells. For
 * ngff_write, which then copies every level, ngff_write_plan and ngff_write_metadata; the
 * source may be closed before. NOT_FOUND: it brings no levels. */
NGFF_API NGFF_CHECK ngff_status ngff_multiscales_plan_kept(
    ngff_context *context, const ngff_source *source, const ngff_image_desc *image,
    const ngff_plan_opts *opts, ngff_multiscales **multiscales, ngff_error *err);
NGFF_API int ngff_multiscales_level_count(const ngff_multiscales *multiscales);
NGFF_API NGFF_CHECK ngff_status
ngff_multiscales_level(const ngff_multiscales *multiscales, int level,
                       ngff_level_info *info, ngff_error *err);
/* The image description; strings are copied, desc->channels is borrowed. */
NGFF_API NGFF_CHECK ngff_status ngff_multiscales_image(
    const ngff_multiscales *multiscales, ngff_image_desc *desc, ngff_error *err);
/* Facts of an opened image as one JSON object (version, format, codecs, type, metadata,
 * …): valid as long as the handle. "{}" for a planned one. */
NGFF_API const char *ngff_multiscales_facts(const ngff_multiscales *multiscales);
NGFF_API void ngff_multiscales_close(ngff_multiscales **multiscales);

/* ---- the main job
 * ------------------------------------------------------------------------------ */

typedef struct ngff_write_opts {
    size_t struct_size;
    const char *version;       /* "0.4", "0.5" or "0.6"; NULL: "0.5" */
    const char *codec;         /* "blosc:lz4", …, "none"; NULL: default of the build */
    int32_t compression_level; /* -1 or the codec's level; used only with has_level */
    int32_t has_level;
    const char *shuffle;    /* "none", "byte", "bit"; NULL: automatic */
    const char *codec_json; /* verbatim: 0.4 a numcodecs compressor, 0.5 a v3 codec list;
                               excludes `codec` */
    int32_t flat_layout;    /* 1: "0", "1", … instead of "scale0/{name}"; 0 with
                               ngff_multiscales_plan_kept: as in the source; -1: never */
    int32_t no_consolidate; /* leave consolidated metadata out */
    int32_t write_empty_chunks; /* store chunks that hold only the fill value */
    int32_t keep_levels;        /* copy levels that the source brings */
    int32_t no_spill;           /* refuse instead of using a temporary file */
    int32_t orientation;        /* RFC-4 enabled: write axes' orientation */
    ngff_progress_fn progress;
    void *progress_user;
    int32_t no_omero;      /* write no channel metadata at all */
    int32_t omero_windows; /* measure the window of each channel that brings none: exact
                              min and max, start and end at the two quantiles */
    double omero_low, omero_high; /* quantiles in 0..1; both 0: 0.02 and 0.98 */
    const char *type;             /* recorded as "type"; NULL: the method's own name */
    int32_t lean; /* hold as little as costs little time, and let what waits go to the
                     temporary file: memory_target is a bound, not what may be taken */
    const char *coordinates_json; /* 0.6: {"coordinateSystems": […],
                                     "coordinateTransformations": […]}, written beside the
                                     system "intrinsic", where the levels lead. INVALID
                                     for names that are not declared, parameters that do
                                     not fit the axes, and other versions; NULL: none, and
                                     ngff_write_levels keeps those of the image */
} ngff_write_opts;
#define NGFF_WRITE_OPTS_INIT                                                             \
    {                                                                                    \
        sizeof(ngff_write_opts), NULL, NULL, 0, 0, NULL, NULL, 0, 0, 0, 0, 0, 0, NULL,   \
            NULL, 0, 0, 0, 0, NULL, 0, NULL                                              \
    }

/* What a job did or would do. */
typedef struct ngff_write_report {
    size_t struct_size;
    uint64_t source_bytes;  /* decoded bytes of the source */
    uint64_t decoded_bytes; /* of all levels */
    uint64_t encoded_bytes; /* stored (0 in a dry run) */
    uint64_t files;         /* values in the store, at most */
    uint64_t budget;        /* bytes allowed */
    uint64_t peak;          /* bytes planned at most */
    uint64_t spill_bytes;   /* high-water mark of the spill file (dry run: an estimate) */
    uint64_t blocks;        /* units of work */
    uint64_t parked_chunks; /* chunks that waited for their turn in a shard */
    double amplification;   /* source elements read / source elements */
    int32_t threads;
    int32_t passes;               /* tiers */
    int64_t block[NGFF_MAX_NDIM]; /* extents of a unit of work of the first pass */
} ngff_write_report;

/* Computes the plan of ngff_write without doing it; LIMIT when the budget cannot hold it.
 */
NGFF_API NGFF_CHECK ngff_status ngff_write_plan(
    ngff_context *context, const ngff_multiscales *multiscales, ngff_source *source,
    const ngff_write_opts *opts, ngff_write_report *report, ngff_error *err);
/* The regions of `source` (elements of level 0, slowest axis first) that ngff_write with
 * these arguments will read, each once, in the order in which they will be asked for, but
 * for as many as there are threads. A source that is slow to answer can read ahead with
 * it, and knows when it may forget. No call of `fn` for a source that is read as a
 * stream. Pure; answers what `fn` answered when that is not NGFF_OK, or why there is no
 * plan. */
NGFF_API NGFF_CHECK ngff_status ngff_write_reads(
    ngff_context *context, const ngff_multiscales *multiscales, ngff_source *source,
    const ngff_write_opts *opts, ngff_box_fn fn, void *user, ngff_error *err);
/* Writes the source as the planned levels into `store` (opened for writing) and publishes
 * it. On any failure the location is as it was. `opts` and `report` may be NULL. */
NGFF_API NGFF_CHECK ngff_status ngff_write(ngff_context *context, ngff_store *store,
                                           const ngff_multiscales *multiscales,
                                           ngff_source *source,
                                           const ngff_write_opts *opts,
                                           ngff_write_report *report, ngff_error *err);

/* ---- writing by regions
 * ------------------------------------------------------------------------------ */

/* An image that grows box by box. ngff_writer_write_region may be called by any number of
 * threads at once, everything else by one. A writer borrows its context and its store. */
typedef struct ngff_writer ngff_writer;

typedef struct ngff_writer_opts {
    size_t struct_size;
    const ngff_write_opts
        *write; /* version, codec, documents, progress, …; read during open only (the
                   progress callback is kept); keep_levels is INVALID; NULL: defaults */
    int32_t
        start_level; /* ngff_writer_finish computes the levels from this one on, out of
                        the finer ones; 0: 1, all but level 0; the level count or more:
                        none, all levels are given. ngff_writer_join: always none */
    int32_t append;  /* frames come by ngff_writer_append, regions are INVALID; what
                        `planned` says of the extent along axis 0 does not count.
                        start_level is 0 or 1 */
    int32_t no_wait; /* append: answer LIMIT instead of waiting for memory */
    int32_t live;    /* append: the store appears with the first frames that are stored
                        with all their levels, and grows: a reader that opens it finds
                        whole frames only, but no display windows that are measured. No
                        other writer can replace it before ngff_store_close */
} ngff_writer_opts;
#define NGFF_WRITER_OPTS_INIT                                                            \
    { sizeof(ngff_writer_opts), NULL, 0, 0, 0, 0 }

/* A new image in `store` (opened with NGFF_ACCESS_WRITE) with the levels of `planned`,
 * which need not outlive the call. Nobody sees it before ngff_writer_finish. `opts` may
 * be NULL. */
NGFF_API NGFF_CHECK ngff_status ngff_writer_open(ngff_context *context, ngff_store *store,
                                                 const ngff_multiscales *planned,
                                                 const ngff_writer_opts *opts,
                                                 ngff_writer **writer, ngff_error *err);
/* The existing image at the root of `store` (opened with NGFF_ACCESS_UPDATE; an archive
 * is UNSUPPORTED): regions of all its levels go straight into it, from any number of
 * processes. A shard, or a chunk that is not sharded, belongs to the first writer that
 * touches it, until that writer is closed or its process dies; for all others it is
 * NGFF_EXISTS. What is stored already is NGFF_EXISTS too: nothing is ever read, changed
 * and written again. Other processes are seen in directories only. */
NGFF_API NGFF_CHECK ngff_status ngff_writer_join(ngff_context *context, ngff_store *store,
                                                 const ngff_writer_opts *opts,
                                                 ngff_writer **writer, ngff_error *err);
/* `box` of `level` out of `pixels` (shape box->shape, the image's dtype, any strides,
 * borrowed for the call). Chunks that the box covers are encoded by the calling thread
 * and written at once; parts of chunks are gathered raw, in memory up to half of the
 * context's memory_target, then in one unlinked temporary file, until their chunk is
 * complete. What is given twice while it is gathered: the later call wins. A chunk that
 * was complete before is NGFF_EXISTS naming it, and then nothing of the box is written.
 * NOT_FOUND: no such level, or a level that ngff_writer_finish computes. */
NGFF_API NGFF_CHECK ngff_status ngff_writer_write_region(ngff_writer *writer, int level,
                                                         const ngff_box *box,
                                                         const ngff_view *pixels,
                                                         ngff_error *err);
/* Frames along axis 0 after those given before: shape n (1 or more), then level 0's other
 * extents; the image's dtype, any strides; copied before the call returns. All levels are
 * made in the background while frames come (with ngff_context_opts.threads 1: by this
 * call), in slabs of whole chunks or shards along axis 0 that share the context's
 * memory_target with the work. When all slabs are busy the call waits; with no_wait it
 * answers LIMIT and has taken nothing. Where a level is coarser along axis 0, only level
 * 0 is written now and the others are made by ngff_writer_finish. What went wrong in the
 * background comes out of the next call. One thread at a time. */
NGFF_API NGFF_CHECK ngff_status ngff_writer_append(ngff_writer *writer,
                                                   const ngff_view *frames,
                                                   ngff_error *err);
/* All whole chunks or shards along axis 0 of what was appended are stored, and with live
 * seen, when this returns. */
NGFF_API NGFF_CHECK ngff_status ngff_writer_flush(ngff_writer *writer, ngff_error *err);
/* Writes what is still gathered (what was never given is the fill value, 0), computes the
 * levels from start_level on, writes the documents and publishes. No other call but
 * ngff_writer_close may follow. A joined writer writes no documents, computes nothing,
 * and touches only shards and chunks of its own. After ngff_writer_append the extent
 * along axis 0 is the number of frames given (none: INVALID), and levels coarser than
 * that many are left out. `report` may be NULL. */
NGFF_API NGFF_CHECK ngff_status ngff_writer_finish(ngff_writer *writer,
                                                   ngff_write_report *report,
                                                   ngff_error *err);
/* Of a writer that was not finished nothing is published; of a joined one the complete
 * chunks and shards stay, of a live one the frames that were seen. Cannot fail. */
NGFF_API void ngff_writer_close(ngff_writer **writer);

/* Documents only, of an image whose every pixel is the fill value: published at once, for
 * writers that join later. An archive is UNSUPPORTED. `opts` may be NULL. */
NGFF_API NGFF_CHECK ngff_status ngff_write_metadata(ngff_context *context,
                                                    ngff_store *store,
                                                    const ngff_multiscales *planned,
                                                    const ngff_write_opts *opts,
                                                    ngff_error *err);
/* The existing image at the root of `store` (opened with NGFF_ACCESS_UPDATE) gets the
 * levels of `planned` from start_level (1 or more) on, computed from the stored ones;
 * levels below start_level stay as they are and are readable at every moment, also when
 * the process is killed: first the image is cut down to them, then old levels go and new
 * ones come, and the document that names the new ones is the last thing written.
 * `planned` is made from the image's own description and agrees with the kept levels in
 * shape. Without `opts`, or without a codec in it, the new levels are stored like the
 * level above them. NGFF_EXISTS: another writer is at work in the directory. */
NGFF_API NGFF_CHECK ngff_status ngff_write_levels(
    ngff_context *context, ngff_store *store, const ngff_multiscales *planned,
    int start_level, const ngff_write_opts *opts, ngff_write_report *report,
    ngff_error *err);

/* The store (opened with NGFF_ACCESS_UPDATE) becomes one of OME-Zarr `version` by its
 * documents alone, those of labels in it included: 0.5 and 0.6 into one another, and 0.4
 * into both, whose chunks keep their places. Everything is looked at before anything is
 * written; the root document is replaced last, then those of Zarr v2 go: at every moment,
 * also when the process is killed, the store reads as the old or as the new one. The
 * version it has: nothing but tidied documents. UNSUPPORTED, and nothing is changed: what
 * takes other chunks (back to 0.4; of 0.4 filters, order F, compressors without a name in
 * Zarr v3), what `version` cannot say, versions before 0.4, plates, archives.
 * NGFF_EXISTS: another writer is at work in the directory. */
NGFF_API NGFF_CHECK ngff_status ngff_upgrade(ngff_context *context, ngff_store *store,
                                             const char *version, ngff_error *err);

/* ---- reading
 * ---------------------------------------------------------------------------------- */

/* Opens the image at the root of `store` (which must stay open as long as the handle). */
NGFF_API NGFF_CHECK ngff_status ngff_open(ngff_context *context, ngff_store *store,
                                          ngff_multiscales **multiscales,
                                          ngff_error *err);
/* Reads `box` of a level into `out` (shape = box->shape, dtype of the image, any
 * strides). The system is told that it may use large pages for `out` where that is one
 * piece of 4 MiB or more. */
NGFF_API NGFF_CHECK ngff_status ngff_read_region(ngff_multiscales *multiscales, int level,
                                                 const ngff_box *box,
                                                 const ngff_view *out, ngff_error *err);

/* ---- judging
 * ---------------------------------------------------------------------------------- */

typedef struct ngff_validate_opts {
    size_t struct_size;
    int32_t data; /* read every chunk of every level too */
} ngff_validate_opts;
#define NGFF_VALIDATE_OPTS_INIT                                                          \
    { sizeof(ngff_validate_opts), 0 }

/* What is in `store` against the rules of its OME-Zarr version: documents, arrays beside
 * documents, levels beside one another; labels of an image, the images of a plate, and
 * RFC-9 of an .ozx included. One call of `fn` for each rule that is broken (kept is 0),
 * its level being "MUST" or "SHOULD". A broken store is no error of this call; NOT_FOUND:
 * nothing there to be judged. `opts` may be NULL. */
NGFF_API NGFF_CHECK ngff_status ngff_validate(ngff_context *context, ngff_store *store,
                                              const ngff_validate_opts *opts,
                                              ngff_finding_fn fn, void *user,
                                              ngff_error *err);
/* Anatomical orientation of the root's axes by RFC-4 as one JSON object with the members
 * format, rfc4_valid, axes, violations and warnings, in the codes of the conformance
 * contract, NUL-terminated into `out`; a root that cannot be understood is a violation.
 * *size is the text's length (LIMIT: more than `capacity` takes). */
NGFF_API NGFF_CHECK ngff_status ngff_rfc4_verdict(ngff_store *store, char *out,
                                                  size_t capacity, size_t *size,
                                                  ngff_error *err);

/* ---- tables (for programs that show choices)
 * ---------------------------------------------------- */

/* Row `index` of the downsampling methods / of the codecs; 0 past the end. Texts are
 * static. */
NGFF_API int ngff_method_info(size_t index, const char **name, const char **canonical,
                              const char **description);
NGFF_API int ngff_codec_info(size_t index, const char **name, const char **v2_id,
                             const char **v3_name, int *encodes);

#ifdef __cplusplus
}
#endif
#endif
