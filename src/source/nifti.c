/* source: NIfTI-1 and NIfTI-2 files, .nii and .nii.gz. File axis 0 is x and varies
 * fastest, then y, z, t and a fifth one, taken as channel. Values are those of slope and
 * intercept (pixels.md 17 of the requirements): stored numbers where these change
 * nothing, float64 otherwise. */
#include "source/nifti.h"
#include "source/gunzip.h"

#include <inttypes.h>
#include <math.h>

static bool is_gzip(const unsigned char *head, size_t n) {
    return n >= 2 && head[0] == 0x1f && head[1] == 0x8b;
}

bool ngff_source_detect_nifti(const unsigned char *head, size_t n, const char *path) {
    unsigned char plain[NGFF_NIFTI2_SIZE];
    if (!is_gzip(head, n))
        return ngff_nifti_is_header(head, n);
    size_t got = ngff_gunzip_head(head, n, plain, sizeof plain);
    /* Few bytes came out of a large code table: the name decides. */
    return got < sizeof plain
               ? ngff_ends_with(path, ".nii.gz") || ngff_nifti_is_header(plain, got)
               : ngff_nifti_is_header(plain, got);
}

/* ---- data types
 * ------------------------------------------------------------------------ */

typedef struct type_row {
    int code;
    ngff_dtype dtype;
    int channels; /* 3, 4: bytes of one pixel; 0: one number */
} type_row;

static const type_row types[] = {
    {2, NGFF_UINT8, 0},         {4, NGFF_INT16, 0},      {8, NGFF_INT32, 0},
    {16, NGFF_FLOAT32, 0},      {32, NGFF_COMPLEX64, 0}, {64, NGFF_FLOAT64, 0},
    {128, NGFF_UINT8, 3},       {256, NGFF_INT8, 0},     {512, NGFF_UINT16, 0},
    {768, NGFF_UINT32, 0},      {1024, NGFF_INT64, 0},   {1280, NGFF_UINT64, 0},
    {1792, NGFF_COMPLEX128, 0}, {2304, NGFF_UINT8, 4},
};

static const type_row *find_type(int code) {
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].code == code)
            return &types[i];
    }
    return NULL;
}

/* ---- header to layout
 * -------------------------------------------------------------------- */

static ngff_status read_header(ngff_source_strided *s, ngff_nifti_header *h,
                               ngff_error *err) {
    const char *path = s->base.location;
    unsigned char head[NGFF_NIFTI2_SIZE] = {0};
    size_t got = 0;
    NGFF_TRY(ngff_file_pread(&s->file, head, sizeof head, 0, &got, path, err));
    if (is_gzip(head, got)) {
        NGFF_TRY(ngff_source_strided_inflate(s, 0, err));
        memset(head, 0, sizeof head);
        NGFF_TRY(ngff_gunzip_read(s->gz, head, sizeof head, 0, &got, err));
    }
    if (!ngff_nifti_parse(head, h) || got < NGFF_NIFTI1_SIZE)
        return ngff_fail(err, NGFF_FORMAT, "%s: no NIfTI header found", path);
    if (h->pair)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "%s: header of a pair of files (.hdr and .img), expected a "
                         "single .nii",
                         path);
    return NGFF_OK;
}

/* How many axes count; trailing ones beyond the fifth must be single. */
static ngff_status find_ndim(const ngff_nifti_header *h, const char *path, int *ndim,
                             ngff_error *err) {
    if (h->dim[0] < 1 || h->dim[0] > 7)
        return ngff_fail(err, NGFF_FORMAT,
                         "%s: NIfTI dim[0] is %" PRId64 ", expected 1 to 7", path,
                         h->dim[0]);
    *ndim = (int)ngff_min_i64(h->dim[0], 5);
    for (int i = 6; i <= h->dim[0]; i++) {
        if (h->dim[i] != 1)
            return ngff_fail(err, NGFF_UNSUPPORTED,
                             "%s: NIfTI axis %d has extent %" PRId64
                             ", at most 5 axes are handled",
                             path, i, h->dim[i]);
    }
    return NGFF_OK;
}

static ngff_status set_offset(const ngff_nifti_header *h, ngff_source_layout *l,
                              ngff_error *err) {
    int least = h->version == 1 ? NGFF_NIFTI1_SIZE : NGFF_NIFTI2_SIZE;
    if (!(h->vox_offset >= least && h->vox_offset < 9e15) ||
        h->vox_offset != floor(h->vox_offset))
        return ngff_fail(err, NGFF_FORMAT,
                         "%s: NIfTI vox_offset is %g, expected a whole number from %d on",
                         l->path, h->vox_offset, least);
    l->offset = (uint64_t)h->vox_offset;
    return NGFF_OK;
}

static ngff_status set_scaling(const ngff_nifti_header *h, ngff_source_layout *l,
                               ngff_error *err) {
    if (h->slope == 0.0 || !isfinite(h->slope) || (h->slope == 1.0 && h->inter == 0.0))
        return NGFF_OK;
    if (!isfinite(h->inter))
        return ngff_fail(err, NGFF_FORMAT,
                         "%s: NIfTI scl_slope is %g but scl_inter is not finite", l->path,
                         h->slope);
    if (ngff_dtype_is_complex(l->dtype))
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "%s: complex numbers with a slope; only the stored values can "
                         "be read",
                         l->path);
    l->scaled = true;
    l->slope = h->slope;
    l->inter = h->inter;
    return NGFF_OK;
}

static ngff_status set_layout(const ngff_nifti_header *h, bool raw_values,
                              ngff_source_layout *l, int *ndim, ngff_error *err) {
    const type_row *type = find_type(h->datatype);
    if (!type)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "%s: NIfTI data type %d, expected an integer, float, complex or "
                         "RGB type of at most 64 bits a number",
                         l->path, h->datatype);
    NGFF_TRY(find_ndim(h, l->path, ndim, err));
    NGFF_TRY(set_offset(h, l, err));
    if (type->channels > 0 && *ndim == 5 && h->dim[5] != 1)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "%s: RGB pixels and a fifth axis are two channel axes", l->path);
    if (type->channels > 0 && *ndim == 5)
        *ndim = 4;
    l->dtype = type->dtype;
    l->swap = h->swapped && ngff_dtype_swap_size(type->dtype) > 1;
    l->ndim = *ndim + (type->channels > 0);
    for (int i = 0; i < *ndim; i++)
        l->shape[i] = h->dim[*ndim - i];
    if (type->channels > 0)
        l->shape[*ndim] = type->channels;
    ngff_source_layout_strides(l, false);
    return raw_values || type->channels > 0 ? NGFF_OK : set_scaling(h, l, err);
}

/* ---- description
 * ------------------------------------------------------------------------- */

static void set_dims(int ndim, bool rgb, char dims[8]) {
    static const char slowest_first[] = "ctzyx";
    ngff_copy_text(dims, 8, slowest_first + (5 - ndim));
    if (rgb)
        ngff_copy_text(dims + ndim, (size_t)(8 - ndim), "c");
}

static ngff_status set_rgb(ngff_source *s, int count, ngff_error *err) {
    static const ngff_channel channels[4] = {
        {.label = "red", .color = "FF0000", .active = 1},
        {.label = "green", .color = "00FF00", .active = 1},
        {.label = "blue", .color = "0000FF", .active = 1},
        {.label = "alpha", .color = "FFFFFF", .active = 0}};
    return ngff_source_set_channels(s, channels, (size_t)count, err);
}

static void set_geometry(ngff_source *s, const ngff_nifti_header *h, int ndim) {
    bool oblique = false;
    for (int i = 0; i < ndim; i++)
        oblique |= ngff_nifti_geometry(h, i, &s->image.desc.axes[ndim - 1 - i]);
    if (oblique)
        ngff_copy_text(s->note, sizeof s->note,
                       "the affine is oblique to the image axes; spacing, origin and the "
                       "nearest orientation are kept, the rotation is not");
}

static ngff_status fill(ngff_source_strided *s, const ngff_source_open_opts *opts,
                        ngff_error *err) {
    ngff_nifti_header h;
    int ndim = 0;
    char dims[8];
    NGFF_TRY(read_header(s, &h, err));
    NGFF_TRY(set_layout(&h, opts->raw_values, &s->layout, &ndim, err));
    bool rgb = s->layout.ndim > ndim;
    set_dims(ndim, rgb, dims);
    NGFF_TRY(ngff_source_strided_finish(s, opts->dims ? opts->dims : dims, err));
    set_geometry(&s->base, &h, ndim);
    return rgb ? set_rgb(&s->base, (int)s->layout.shape[ndim], err) : NGFF_OK;
}

static const ngff_source_vtable nifti_ops = {
    .kind = "nifti",
    .read = ngff_source_strided_read,
    .close = ngff_source_strided_close,
};

ngff_status ngff_source_open_nifti(const ngff_allocator *a, const char *path,
                                   const ngff_source_open_opts *opts, ngff_source **out,
                                   ngff_error *err) {
    ngff_source_strided *s = NULL;
    *out = NULL;
    NGFF_TRY(ngff_source_strided_new(a, sizeof *s, &nifti_ops, path, &s, err));
    ngff_source *base = &s->base;
    ngff_status status = fill(s, opts, err);
    if (status != NGFF_OK)
        ngff_source_drop(&base);
    *out = base;
    return status;
}
