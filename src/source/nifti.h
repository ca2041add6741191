/* nifti: what the NIfTI files of this room share: the header as numbers, and the geometry
 * it states. Plain data, no ownership; pure functions; any thread. */
#ifndef NGFF_SOURCE_NIFTI_H
#define NGFF_SOURCE_NIFTI_H

#include "source/kinds.h"

#define NGFF_NIFTI1_SIZE 348
#define NGFF_NIFTI2_SIZE 540

typedef struct ngff_nifti_header {
    int version; /* 1 or 2 */
    bool swapped;
    bool pair;      /* pixels in an .img file of their own */
    int64_t dim[8]; /* dim[0]: how many of the others count */
    double pixdim[8];
    int datatype;
    double vox_offset;
    double slope, inter;
    int xyzt_units;
    double toffset;
    int qform_code, sform_code;
    double quatern[3], qoffset[3];
    double srow[3][4];
} ngff_nifti_header;

/* Is this the beginning of a NIfTI-1 or NIfTI-2 file? */
bool ngff_nifti_is_header(const unsigned char *head, size_t n);
/* `head` holds NGFF_NIFTI2_SIZE bytes, zeroes after the file's end. False: no such
 * header. */
bool ngff_nifti_parse(const unsigned char *head, ngff_nifti_header *h);
/* Scale, translation, unit and orientation of file axis `i` (0 = x) into an axis of the
 * image, whose type is set. Answers whether the affine lies oblique to the image's axes.
 */
bool ngff_nifti_geometry(const ngff_nifti_header *h, int i, ngff_axis *axis);

#endif
