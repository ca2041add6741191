/* kinds: what the files of this room share: the table of kinds, the making and closing of
 * a source, and reading a box from a strided file layout. Internal to src/source.
 *
 * A kind's source is one heap block that begins with `ngff_source`; `ngff_source_new`
 * makes it (zeroed), `ngff_source_drop` calls `ops->close` for what the kind holds
 * (files, caches: never the block itself, the location or the image) and then frees the
 * rest. `ops->close` copes with a source whose opening failed half-way. Functions are
 * reentrant; a source is opened by one thread. */
#ifndef NGFF_SOURCE_KINDS_H
#define NGFF_SOURCE_KINDS_H

#include "source/source.h"
#include "sys/sys.h"

/* Opens `path` into *out. The axes may be in the file's own order and of any kind that
 * `ngff_ome_axes_from_dims` names: `ngff_source_at` wraps the result in
 * `ngff_source_canonical`. */
typedef ngff_status (*ngff_source_open_fn)(const ngff_allocator *a, const char *path,
                                           const ngff_source_open_opts *opts,
                                           ngff_source **out, ngff_error *err);

/* How many bytes of a file `detect` may see. */
#define NGFF_SOURCE_HEAD 1024

typedef struct ngff_source_kind {
    const char *name; /* as in `ngff --version`: "npy", "tiff" */
    /* `head` holds the first `n` bytes of the file (n < NGFF_SOURCE_HEAD: the whole
     * file). The content decides; `path` only where the content cannot. */
    bool (*detect)(const unsigned char *head, size_t n, const char *path);
    ngff_source_open_fn open;
    /* The images of a file that may hold several; NULL: it holds one. */
    ngff_status (*list)(const ngff_allocator *a, const char *path,
                        const ngff_source_open_opts *opts, ngff_series_fn fn, void *user,
                        ngff_error *err);
} ngff_source_kind;

bool ngff_source_detect_npy(const unsigned char *head, size_t n, const char *path);
bool ngff_source_detect_nifti(const unsigned char *head, size_t n, const char *path);
bool ngff_source_detect_png(const unsigned char *head, size_t n, const char *path);
bool ngff_source_detect_jpeg(const unsigned char *head, size_t n, const char *path);
bool ngff_source_detect_nrrd(const unsigned char *head, size_t n, const char *path);
bool ngff_source_detect_meta(const unsigned char *head, size_t n, const char *path);
bool ngff_source_detect_tiff(const unsigned char *head, size_t n,
                             const char *path); /* + BigTIFF */

NGFF_MUST_USE ngff_status ngff_source_open_npy(const ngff_allocator *a, const char *path,
                                               const ngff_source_open_opts *opts,
                                               ngff_source **out, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_source_open_raw(const ngff_allocator *a, const char *path,
                                               const ngff_source_open_opts *opts,
                                               ngff_source **out, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_source_open_nifti(const ngff_allocator *a,
                                                 const char *path,
                                                 const ngff_source_open_opts *opts,
                                                 ngff_source **out, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_source_open_png(const ngff_allocator *a, const char *path,
                                               const ngff_source_open_opts *opts,
                                               ngff_source **out, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_source_open_jpeg(const ngff_allocator *a, const char *path,
                                                const ngff_source_open_opts *opts,
                                                ngff_source **out, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_source_open_nrrd(const ngff_allocator *a, const char *path,
                                                const ngff_source_open_opts *opts,
                                                ngff_source **out, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_source_open_meta(const ngff_allocator *a, const char *path,
                                                const ngff_source_open_opts *opts,
                                                ngff_source **out, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_source_open_tiff(const ngff_allocator *a, const char *path,
                                                const ngff_source_open_opts *opts,
                                                ngff_source **out, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_source_list_tiff(const ngff_allocator *a, const char *path,
                                                const ngff_source_open_opts *opts,
                                                ngff_series_fn fn, void *user,
                                                ngff_error *err);
/* `path` is a directory or a pattern with * ? [ in its last part. */
NGFF_MUST_USE ngff_status ngff_source_open_tiff_stack(const ngff_allocator *a,
                                                      const char *path,
                                                      const ngff_source_open_opts *opts,
                                                      ngff_source **out, ngff_error *err);

/* A zeroed block of `size` bytes (>= sizeof(ngff_source)) with ops, alloc and location
 * set and level_count 1, traits: unit all 1, reentrant. `location` is copied. */
NGFF_MUST_USE ngff_status ngff_source_new(const ngff_allocator *a, size_t size,
                                          const ngff_source_vtable *ops,
                                          const char *location, ngff_source **out,
                                          ngff_error *err);
/* Fills image.desc: dtype, shape, level_shape[0], axes from `dims` (NULL: default for
 * ndim), name from the location's last part without its extensions. Refuses extents < 1
 * and volumes that overflow (FORMAT). The kind overwrites axes, name and channels
 * afterwards as it knows better. */
NGFF_MUST_USE ngff_status ngff_source_take_image(ngff_source *s, ngff_dtype dtype,
                                                 int ndim, const int64_t *shape,
                                                 const char *dims, ngff_error *err);
/* Takes a copy of `count` channels as the image's. */
NGFF_MUST_USE ngff_status ngff_source_set_channels(ngff_source *s,
                                                   const ngff_channel *channels,
                                                   size_t count, ngff_error *err);
/* Three or four channels: red, green, blue, alpha. Of 8 bits their window is the type's
 * range. */
NGFF_MUST_USE ngff_status ngff_source_set_rgb(ngff_source *s, int count, ngff_error *err);
/* Spacing, position and orientation of spatial axis `i`, 0 being x, into `axis`, whose
 * scale is what is known of it: m[k][i] is component k of the axis' step, m[k][3] of the
 * first pixel's place. The world's axes run to the right, to the front and up, with `lps`
 * to the left and to the back. Answers whether the vectors lie oblique to the world. */
bool ngff_source_place(double m[3][4], int i, bool lps, ngff_axis *axis);
/* Last part of `path` without directories and without known extensions (.ome.tif,
 * .nii.gz, …). */
void ngff_source_name_of(const char *path, char *out, size_t out_size);

/* Pixels that lie in a file at fixed byte strides. All fields are borrowed. */
typedef struct ngff_source_layout {
    const ngff_file *file;
    const char *path; /* for messages */
    uint64_t offset;  /* of the element at index 0 on every axis */
    ngff_dtype dtype; /* as stored */
    int ndim;
    int64_t shape[NGFF_MAX_NDIM];
    int64_t
        strides[NGFF_MAX_NDIM]; /* bytes, >= 0; any order of axes (C, Fortran, planar) */
    bool swap;                  /* not in the machine's byte order */
    /* Where the bytes come from: NULL stands for `file`. Within one read the offsets only
     * grow. *got < size at the end. */
    ngff_status (*fetch)(void *cookie, void *out, size_t size, uint64_t offset,
                         size_t *got, ngff_error *err);
    void *fetch_cookie;
    /* Values are stored * slope + inter as float64: `out` is of that type then. Not for
     * complex ones. */
    bool scaled;
    double slope, inter;
} ngff_source_layout;

/* Strides of packed C order (last axis fastest), or Fortran order (first axis fastest).
 */
void ngff_source_layout_strides(ngff_source_layout *l, bool fortran);
/* Every element lies inside a file of `file_size` bytes; FORMAT says how many bytes are
 * missing. */
NGFF_MUST_USE ngff_status ngff_source_layout_check(const ngff_source_layout *l,
                                                   uint64_t file_size, ngff_error *err);
/* The row of the file's fastest axis, up to 1 MiB; 1 elsewhere: what one pread gets in
 * one piece. For `traits.unit`. */
void ngff_source_layout_unit(const ngff_source_layout *l, int64_t *unit);
/* Reads `box` into `out` (same shape and type of values, any strides), swapping to native
 * order. One pread for the longest contiguous span; whole row ranges where the gaps are
 * small; a blocked transposing copy when the file's fastest axis is not `out`'s. Scratch
 * memory <= 4 MiB from `a`. Reentrant. */
NGFF_MUST_USE ngff_status ngff_source_read_strided(const ngff_allocator *a,
                                                   const ngff_source_layout *l,
                                                   const ngff_box *box,
                                                   const ngff_view *out, ngff_error *err);

/* to = from * slope + inter; `from` is `size` bytes of packed items, swapped in place. */
void ngff_source_scale(const ngff_source_layout *l, const ngff_view *to,
                       const ngff_view *from, int64_t size);

/* The whole source for kinds whose pixels lie at fixed strides, plain or in one deflate
 * stream: npy, raw, NIfTI, NRRD, MetaImage. */
typedef struct ngff_source_strided {
    ngff_source base;
    ngff_file file; /* owned; set to NGFF_FILE_INIT right after ngff_source_new */
    ngff_source_layout layout;
    struct ngff_gunzip *gz; /* owned; NULL: plain pixels */
    uint64_t stream_begin;  /* in the file */
    uint64_t stream_end;    /* of the pixels, in decoded bytes */
} ngff_source_strided;
/* A new strided source with its file opened; `size` >= sizeof(ngff_source_strided), as in
 * ngff_source_new. */
NGFF_MUST_USE ngff_status ngff_source_strided_new(const ngff_allocator *a, size_t size,
                                                  const ngff_source_vtable *ops,
                                                  const char *path,
                                                  ngff_source_strided **out,
                                                  ngff_error *err);
/* The pixels are in the gzip or zlib stream that begins at byte `begin` of the file, of
 * whose decoded bytes layout.offset counts: before the layout is finished. */
NGFF_MUST_USE ngff_status ngff_source_strided_inflate(ngff_source_strided *s,
                                                      uint64_t begin, ngff_error *err);
/* For finish. A header that asks for more than any stream of this size can hold is
 * refused now, not after hours; a stream only advances. */
NGFF_MUST_USE ngff_status ngff_source_strided_check_stream(ngff_source_strided *s,
                                                           ngff_error *err);
/* Checks the layout against the file and fills the image, `dims` as in
 * ngff_source_take_image. */
NGFF_MUST_USE ngff_status ngff_source_strided_finish(ngff_source_strided *s,
                                                     const char *dims, ngff_error *err);
/* For the table of the kind. */
NGFF_MUST_USE ngff_status ngff_source_strided_read(ngff_source *s, const ngff_box *box,
                                                   const ngff_view *out, ngff_error *err);
void ngff_source_strided_close(ngff_source *s);

/* Fills the image from a caller's description, zeroes meaning defaults: scale 1, axes
 * named by ngff_ome_axes_default, types by the names. INVALID when it makes no sense. */
NGFF_MUST_USE ngff_status ngff_source_describe_as(ngff_source *s,
                                                  const ngff_image_desc *desc,
                                                  ngff_error *err);

#endif
