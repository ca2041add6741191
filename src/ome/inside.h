/* inside: what the files of the ome room share. Owns nothing; pure functions; any thread.
 */
#ifndef NGFF_OME_INSIDE_H
#define NGFF_OME_INSIDE_H

#include "ome/ome.h"

/* The coordinate system of an image in 0.6 that all its levels lead to (MS6-3). */
#define NGFF_OME_INTRINSIC "intrinsic"

/* A path below the image: neither absolute nor through ".." (also not with '\' or '%').
 */
bool ngff_ome_is_inside(const char *path);
/* A transformation between systems of `in` and `out` axes (-1: unknown), and all within
 * it. INVALID; `where` starts the message. */
NGFF_MUST_USE ngff_status ngff_ome_check_transform(const ngff_json *node, int in, int out,
                                                   const char *where, ngff_error *err);

/* Building documents: the first failure stays in *s and `value` is taken over in any
 * case. `node` and `value` may be NULL (out of memory before). */
static inline void ngff_ome_put(ngff_json *node, const char *name, ngff_json *value,
                                ngff_status *s) {
    ngff_status now = node ? ngff_json_set(node, name, value) : NGFF_NOMEM;
    if (!node)
        ngff_json_close(&value);
    *s = *s == NGFF_OK ? now : *s;
}

static inline void ngff_ome_add(ngff_json *node, ngff_json *value, ngff_status *s) {
    ngff_status now = node ? ngff_json_push(node, value) : NGFF_NOMEM;
    if (!node)
        ngff_json_close(&value);
    *s = *s == NGFF_OK ? now : *s;
}

/* The "omero" object of the image's channels; one entry per index of the channel axis. */
ngff_json *ngff_ome_omero_json(const ngff_ome_multiscales *m, ngff_status *s);
/* Reads "omero" (NULL, or broken in any way: no channels) into `image`. */
NGFF_MUST_USE ngff_status ngff_ome_parse_omero(const ngff_json *omero,
                                               ngff_ome_image *image, ngff_error *err);

/* ---- judging ---- */

/* Which pair of opposite sides `value` ("left-to-right") goes along, 0 to 31; -1: none.
 */
int ngff_ome_orientation_pair(const char *value);
/* What is wrong with the orientation of one axis, as a code of the conformance contract;
 * NULL: nothing. *pair as above. */
const char *ngff_ome_orientation_fault(const ngff_json *axis, int *pair);
/* The member is there, and null. */
bool ngff_ome_orientation_is_null(const ngff_json *axis);

/* ---- parsing, one file each
 * ---------------------------------------------------------------- */

/* Axes of a multiscales entry of any version into desc->axes and desc->ndim.
 * `systems_name` is the name of the 0.6 coordinate system to take, or NULL. */
NGFF_MUST_USE ngff_status ngff_ome_parse_axes(const ngff_json *entry,
                                              ngff_version version,
                                              const char *system_name,
                                              ngff_image_desc *desc, ngff_error *err);

/* An axis-aligned transform: y = scale * x + translation. */
typedef struct ngff_ome_affine {
    double scale[NGFF_MAX_NDIM];
    double translation[NGFF_MAX_NDIM];
    bool has_scale;
    bool has_translation;
} ngff_ome_affine;
void ngff_ome_affine_identity(ngff_ome_affine *t);
/* Applies the list `transforms` (0.4/0.5 list, or 0.6 list with sequences) after *t.
 * `where` starts the message. */
NGFF_MUST_USE ngff_status ngff_ome_parse_transforms(const ngff_json *transforms, int ndim,
                                                    const char *where, ngff_ome_affine *t,
                                                    ngff_error *err);

#endif
