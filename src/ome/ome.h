/* ome: the NGFF model: image description <-> documents of OME-Zarr 0.1 - 0.6 (read) and
 * 0.4, 0.5 (write): axes, multiscales, coordinate transformations, omero, orientation.
 * Text only: knows no store and no pixels. Pure functions; any thread. */
#ifndef NGFF_OME_OME_H
#define NGFF_OME_OME_H

#include "nd/nd.h"
#include "json/json.h"

typedef enum ngff_version {
    NGFF_VERSION_UNKNOWN = 0,
    NGFF_V01 = 1,
    NGFF_V02 = 2,
    NGFF_V03 = 3,
    NGFF_V04 = 4,
    NGFF_V05 = 5,
    NGFF_V06 = 6
} ngff_version;
ngff_version
ngff_version_from_text(const char *text); /* "0.4", "0.5", "0.5-dev", "0.6", "0.6rc0" */
const char *ngff_version_text(ngff_version v);
int ngff_version_zarr_format(ngff_version v); /* 2 or 3 */
/* UNSUPPORTED for versions that are only read. */
NGFF_MUST_USE ngff_status ngff_version_check_written(ngff_version v, ngff_error *err);

/* Owned copies of everything an image description names. */
typedef struct ngff_ome_image {
    ngff_image_desc desc; /* desc.channels points to `channels`; desc.dtype/shape of level
                             0 if known */
    ngff_channel *channels;
    const ngff_allocator *alloc;
} ngff_ome_image;
NGFF_MUST_USE ngff_status ngff_ome_image_copy(const ngff_allocator *a,
                                              const ngff_image_desc *from,
                                              ngff_ome_image *out, ngff_error *err);
void ngff_ome_image_reset(ngff_ome_image *image);

/* Fills axes from "zyx"-like or "t,c,z,y,x" dims: name and type; scale 1, translation 0.
 * INVALID naming the axis for unknown, repeated or wrong number of names. */
NGFF_MUST_USE ngff_status ngff_ome_axes_from_dims(const char *dims, int ndim,
                                                  ngff_axis *axes, ngff_error *err);
/* Default dims: 1-3-D a suffix of zyx; 4-D czyx; 5-D tczyx. (The peer's default of zyxc /
 * tzyxc for bare arrays is applied by the Python package, which transposes.) */
void ngff_ome_axes_default(int ndim, ngff_axis *axes);
/* The rules a 0.4/0.5 image must keep: 2-5 axes, 2-3 spatial (suffix of zyx), <= 1 t, <=
 * 1 c, order t, c, space; unique names; finite scales > 0, finite translations. */
NGFF_MUST_USE ngff_status ngff_ome_check(const ngff_image_desc *desc, ngff_error *err);
/* UDUNITS names: "µm", "um", "micron" -> "micrometer"; unknown text is kept as it is; ""
 * stays "". Answers false when the unit is not in the specification's list for the axis
 * type. */
bool ngff_ome_unit(const char *text, const char *axis_type, char out[32]);
/* Name as a path segment (pixels.md 18). */
void ngff_ome_path_name(const char *name, char *out, size_t out_size);
bool ngff_ome_orientation_valid(const char *value);
/* For images whose orientation is written: no two axes along one anatomical direction. */
NGFF_MUST_USE ngff_status ngff_ome_check_orientation(const ngff_image_desc *desc,
                                                     ngff_error *err);

/* ---- documents
 * ----------------------------------------------------------------------------------- */

typedef struct ngff_ome_dataset {
    char path[320];
    double scale[NGFF_MAX_NDIM];
    double translation[NGFF_MAX_NDIM];
    bool has_translation;
    bool
        has_scale; /* read: the document gave one; without (0.1 - 0.3) scale is 1 and only
                      the array shapes tell the factor. Not looked at when writing. */
} ngff_ome_dataset;

/* One multiscales entry, as read or to be written. */
typedef struct ngff_ome_multiscales {
    ngff_version version;
    ngff_ome_image image;
    int level_count;
    ngff_ome_dataset level[32];
    char type[64];       /* method name as written under "type"; "" = absent */
    ngff_json *metadata; /* the "metadata" object; owned; may be NULL */
    ngff_json *more;  /* write: coordinate systems and transformations of 0.6 beside those
                         of the levels, see ngff_ome_check_more; owned; may be NULL */
    ngff_json *extra; /* read: the whole attributes object, for foreign members; owned */
} ngff_ome_multiscales;
void ngff_ome_multiscales_reset(ngff_ome_multiscales *m);

/* {"coordinateSystems": […], "coordinateTransformations": […]}, either may be missing,
 * for an image of `ndim` axes, whose own system is called "intrinsic": INVALID unless all
 * names are declared once and all parameters fit the axes on both sides. */
NGFF_MUST_USE ngff_status ngff_ome_check_more(const ngff_json *more, int ndim,
                                              ngff_error *err);
/* What the attributes of a 0.6 image hold of this; NULL when nothing. UNSUPPORTED when
 * its own system has another name. */
NGFF_MUST_USE ngff_status ngff_ome_more_of(const ngff_json *attributes, ngff_json **out,
                                           ngff_error *err);

typedef struct ngff_ome_emit_opts {
    bool orientation; /* RFC-4 enabled */
    bool no_omero;
} ngff_ome_emit_opts;

/* The attributes object of the image group: 0.4 {"multiscales":[…],"omero":…} or
 * 0.5 {"ome":{"version":…,"multiscales":[…],"omero":…}}. No null inside; never
 * NaN/Infinity. */
NGFF_MUST_USE ngff_status ngff_ome_emit(const ngff_ome_multiscales *m,
                                        const ngff_ome_emit_opts *opts, ngff_json **out,
                                        ngff_error *err);
/* From a group's attributes. Lenient where the field is (T15-T26), FORMAT where pixels or
 * positions would be wrong. NOT_FOUND when the attributes hold no multiscales. Folds
 * group-level coordinateTransformations into the datasets. `index`: which multiscales
 * entry. */
NGFF_MUST_USE ngff_status ngff_ome_parse(const ngff_allocator *a,
                                         const ngff_json *attributes, size_t index,
                                         ngff_ome_multiscales *out, ngff_error *err);
/* {"format", "rfc4_valid", "axes", "violations", "warnings"} of a root document
 * (zarr.json or .zattrs; NULL: there is none), by the codes of the RFC-4 conformance
 * contract; `unreadable` (may be NULL) is the code of a document that could not be read.
 */
NGFF_MUST_USE ngff_status ngff_ome_rfc4(const ngff_json *document, const char *unreadable,
                                        ngff_json **out, ngff_error *err);
/* The attributes of a group (an image, a label image, a list of labels) of OME-Zarr 0.4 -
 * 0.6 as those of `to`, 0.5 or 0.6; what is not of OME-Zarr stays. *out NULL: nothing of
 * OME-Zarr in them. UNSUPPORTED: what cannot be said in `to`; plates and containers. */
NGFF_MUST_USE ngff_status ngff_ome_upgrade(const ngff_json *attributes, ngff_version to,
                                           ngff_json **out, ngff_error *err);

#endif
