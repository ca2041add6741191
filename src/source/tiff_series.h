/* tiff_series: the images of a TIFF set, as its metadata describes them. A list owns its
 * series; a series owns its tables of pages. Made by one thread while a source is opened,
 * read-only afterwards, but for the pages of SubIFD levels, which are found when first
 * read (under set->lock). */
#ifndef NGFF_SOURCE_TIFF_SERIES_H
#define NGFF_SOURCE_TIFF_SERIES_H

#include "source/tiff.h"

#define NGFF_TIFF_LEVELS 16

/* Positions of the canonical axes in arrays below. */
enum { NGFF_TIFF_T, NGFF_TIFF_C, NGFF_TIFF_Z, NGFF_TIFF_Y, NGFF_TIFF_X, NGFF_TIFF_DIMS };

typedef struct ngff_tiff_calibration {
    double scale; /* 0: not known */
    double translation;
    char unit[32]; /* as the file spells it */
} ngff_tiff_calibration;

typedef struct ngff_tiff_level {
    uint32_t layout;
    uint32_t
        *pages; /* one per plane, NGFF_TIFF_NONE: zeros; NULL: SubIFDs, not found yet */
} ngff_tiff_level;

typedef struct ngff_tiff_series {
    char name[256];
    /* Axes in file order, slowest first: letters as tifffile gives them; the last two or
     * three (Y, X, S) lie in a page, those before count pages. */
    int ndim, lead;
    char axes[NGFF_MAX_NDIM + 1];
    int64_t shape[NGFF_MAX_NDIM];
    uint64_t planes; /* product of the leading extents */
    bool one_ifd;    /* all planes lie behind each other at the one page */
    int level_count;
    ngff_tiff_level level[NGFF_TIFF_LEVELS]; /* [0] is the image */
    ngff_tiff_calibration cal[NGFF_TIFF_DIMS];
    ngff_channel *channels; /* owned; named channels, or NULL */
    size_t channel_count;
    size_t channels_listed; /* by OME-XML, named or not */
} ngff_tiff_series;

typedef struct ngff_tiff_list {
    const ngff_allocator *alloc;
    ngff_tiff_series *items;
    size_t count, capacity;
} ngff_tiff_list;

void ngff_tiff_list_init(ngff_tiff_list *l, const ngff_allocator *a);
void ngff_tiff_list_reset(ngff_tiff_list *l);
/* A zeroed series with level[0].pages of `planes` entries, all NGFF_TIFF_NONE. Borrowed
 * until the next one is added. */
NGFF_MUST_USE ngff_status ngff_tiff_list_add(ngff_tiff_list *l, uint64_t planes,
                                             ngff_tiff_series **out, ngff_error *err);
/* Sets the axes: `lead` letters and extents (those of 1 are left out unless `keep`), then
 * the axes of a page of layout `layout`, which becomes level 0's. */
NGFF_MUST_USE ngff_status ngff_tiff_series_axes(const ngff_tiff_set *s,
                                                ngff_tiff_series *series,
                                                const char *lead, const int64_t *shape,
                                                bool keep, uint32_t layout,
                                                ngff_error *err);
/* SubIFDs of the first page that are reductions of it become levels. */
NGFF_MUST_USE ngff_status ngff_tiff_series_sublevels(ngff_tiff_set *s,
                                                     ngff_tiff_series *series,
                                                     ngff_error *err);
/* The pages of level `level`, found when they are not yet. */
NGFF_MUST_USE ngff_status ngff_tiff_series_pages(ngff_tiff_set *s,
                                                 ngff_tiff_series *series, int level,
                                                 const uint32_t **pages, ngff_error *err);
/* `small` is `large` reduced by one whole factor of 2 to `most`. */
bool ngff_tiff_is_reduction(const ngff_tiff_layout *large, const ngff_tiff_layout *small,
                            uint32_t most);

/* Calibrates x and y from the resolution tags of the first page. */
NGFF_MUST_USE ngff_status ngff_tiff_resolution(ngff_tiff_set *s, ngff_tiff_series *series,
                                               ngff_error *err);
/* The ways to read a file. Each takes the first page's description; *done false: not one
 * of mine, or nothing in it. */
NGFF_MUST_USE ngff_status ngff_tiff_generic(ngff_tiff_set *s, uint32_t file,
                                            ngff_tiff_list *out, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_tiff_shaped(ngff_tiff_set *s, ngff_tiff_list *out,
                                           bool *done, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_tiff_imagej(ngff_tiff_set *s, const char *text,
                                           ngff_tiff_list *out, bool *done,
                                           ngff_error *err);
/* `want`: the image to read, -1: the only one. Of others only an outline is made
 * (level[0] without a layout), so that their files are not touched. */
NGFF_MUST_USE ngff_status ngff_tiff_ome(ngff_tiff_set *s, const char *text, size_t size,
                                        int want, ngff_tiff_list *out, bool *done,
                                        ngff_error *err);

#endif
