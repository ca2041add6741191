/* source: the NIfTI-1 (348 bytes) and NIfTI-2 (540 bytes) headers. */
#include "source/nifti.h"

#include <math.h>

static const char magic1[4] = "n+1";
static const char magic1_pair[4] = "ni1";
static const char magic2[8] = "n+2\0\r\n\032\n";
static const char magic2_pair[8] = "ni2\0\r\n\032\n";

typedef struct reader {
    const unsigned char *head;
    bool big;
} reader;

static uint32_t u32_at(const reader *r, size_t at) {
    return r->big ? ngff_load_u32be(r->head + at) : ngff_load_u32le(r->head + at);
}

static int64_t i64_at(const reader *r, size_t at) {
    uint64_t v = r->big ? ngff_load_u64be(r->head + at) : ngff_load_u64le(r->head + at);
    return (int64_t)v;
}

static int i16_at(const reader *r, size_t at) {
    uint16_t v = r->big ? ngff_load_u16be(r->head + at) : ngff_load_u16le(r->head + at);
    return (int16_t)v;
}

static int i32_at(const reader *r, size_t at) {
    return (int32_t)u32_at(r, at);
}

static double f32_at(const reader *r, size_t at) {
    uint32_t bits = u32_at(r, at);
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static double f64_at(const reader *r, size_t at) {
    int64_t bits = i64_at(r, at);
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* The size member tells version and byte order, the magic confirms. */
static int find_version(const unsigned char *head, size_t n, bool *big) {
    if (n < NGFF_NIFTI1_SIZE)
        return 0;
    *big = head[0] == 0;
    uint32_t size = *big ? ngff_load_u32be(head) : ngff_load_u32le(head);
    if (size == NGFF_NIFTI1_SIZE &&
        (memcmp(head + 344, magic1, 4) == 0 || memcmp(head + 344, magic1_pair, 4) == 0))
        return 1;
    if (size == NGFF_NIFTI2_SIZE &&
        (memcmp(head + 4, magic2, 8) == 0 || memcmp(head + 4, magic2_pair, 8) == 0))
        return 2;
    return 0;
}

bool ngff_nifti_is_header(const unsigned char *head, size_t n) {
    bool big;
    return find_version(head, n, &big) != 0;
}

static void parse_v1(const reader *r, ngff_nifti_header *h) {
    for (size_t i = 0; i < 8; i++) {
        h->dim[i] = i16_at(r, 40 + 2 * i);
        h->pixdim[i] = f32_at(r, 76 + 4 * i);
    }
    h->datatype = i16_at(r, 70);
    h->vox_offset = f32_at(r, 108);
    h->slope = f32_at(r, 112);
    h->inter = f32_at(r, 116);
    h->xyzt_units = r->head[123];
    h->toffset = f32_at(r, 136);
    h->qform_code = i16_at(r, 252);
    h->sform_code = i16_at(r, 254);
    for (size_t i = 0; i < 3; i++) {
        h->quatern[i] = f32_at(r, 256 + 4 * i);
        h->qoffset[i] = f32_at(r, 268 + 4 * i);
        for (size_t k = 0; k < 4; k++)
            h->srow[i][k] = f32_at(r, 280 + 16 * i + 4 * k);
    }
    h->pair = r->head[345] == 'i';
}

static void parse_v2(const reader *r, ngff_nifti_header *h) {
    for (size_t i = 0; i < 8; i++) {
        h->dim[i] = i64_at(r, 16 + 8 * i);
        h->pixdim[i] = f64_at(r, 104 + 8 * i);
    }
    h->datatype = i16_at(r, 12);
    h->vox_offset = (double)i64_at(r, 168);
    h->slope = f64_at(r, 176);
    h->inter = f64_at(r, 184);
    h->toffset = f64_at(r, 216);
    h->qform_code = i32_at(r, 344);
    h->sform_code = i32_at(r, 348);
    for (size_t i = 0; i < 3; i++) {
        h->quatern[i] = f64_at(r, 352 + 8 * i);
        h->qoffset[i] = f64_at(r, 376 + 8 * i);
        for (size_t k = 0; k < 4; k++)
            h->srow[i][k] = f64_at(r, 400 + 32 * i + 8 * k);
    }
    h->xyzt_units = i32_at(r, 500) & 0xff;
    h->pair = r->head[5] == 'i';
}

bool ngff_nifti_parse(const unsigned char *head, ngff_nifti_header *h) {
    *h = (ngff_nifti_header){.version = 0};
    reader r = {head, false};
    h->version = find_version(head, NGFF_NIFTI2_SIZE, &r.big);
    if (h->version == 0)
        return false;
    h->swapped = r.big == ngff_host_is_little();
    if (h->version == 1)
        parse_v1(&r, h);
    else
        parse_v2(&r, h);
    return true;
}

/* ---- geometry ------------------------------------------------------------------------
 */

/* Method 2 of the standard: rotation by a unit quaternion, pixdim as spacing, the third
 * axis turned by the sign of pixdim[0]. */
static void affine_of_quaternion(const ngff_nifti_header *h, double m[3][4]) {
    double b = h->quatern[0], c = h->quatern[1], d = h->quatern[2];
    double rest = 1.0 - (b * b + c * c + d * d);
    double a = rest > 0.0 ? sqrt(rest) : 0.0;
    if (rest < 0.0) { /* rounded: make it a unit quaternion again */
        double n = sqrt(b * b + c * c + d * d);
        b /= n, c /= n, d /= n;
    }
    const double r[3][3] = {
        {a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)},
        {2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)},
        {2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b}};
    for (int i = 0; i < 3; i++) {
        m[i][0] = r[i][0] * h->pixdim[1];
        m[i][1] = r[i][1] * h->pixdim[2];
        m[i][2] = r[i][2] * h->pixdim[3] * (h->pixdim[0] < 0.0 ? -1.0 : 1.0);
        m[i][3] = h->qoffset[i];
    }
}

/* The sform where there is one, else the qform; false when the file places itself nowhere
 * (positions are not guessed then). */
static bool find_affine(const ngff_nifti_header *h, double m[3][4]) {
    if (h->sform_code > 0)
        memcpy(m, h->srow, sizeof h->srow);
    else if (h->qform_code > 0)
        affine_of_quaternion(h, m);
    else
        return false;
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 4; k++) {
            if (!isfinite(m[i][k]))
                return false;
        }
    }
    return true;
}

/* Codes of xyzt_units; the others (unknown, hertz, ppm, radians) leave no unit. */
static const char *unit_name(int xyzt_units, bool time) {
    switch (time ? xyzt_units & 0x38 : xyzt_units & 0x07) {
    case 1:
        return "meter";
    case 2:
        return "millimeter";
    case 3:
        return "micrometer";
    case 8:
        return "second";
    case 16:
        return "millisecond";
    case 24:
        return "microsecond";
    default:
        return "";
    }
}

bool ngff_nifti_geometry(const ngff_nifti_header *h, int i, ngff_axis *axis) {
    bool time = i == 3 && strcmp(axis->type, "time") == 0;
    bool space = i < 3 && strcmp(axis->type, "space") == 0;
    double spacing = fabs(h->pixdim[i + 1]);
    if ((time || space) && isfinite(spacing) && spacing > 0.0)
        axis->scale = spacing;
    if (time || space)
        ngff_copy_text(axis->unit, sizeof axis->unit, unit_name(h->xyzt_units, time));
    if (time && isfinite(h->toffset))
        axis->translation = h->toffset;
    double m[3][4];
    return space && find_affine(h, m) && ngff_source_place(m, i, false, axis);
}
