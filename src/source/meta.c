/* source: MetaImage files (.mha, .mhd with its pixels beside it), raw and zlib, as ITK's
 * MetaIO defines them. Axes are listed fastest first; the world is LPS. */
#include "source/headed.h"

#include <inttypes.h>
#include <math.h>

enum {
    OBJECT_TYPE,
    NDIMS,
    DIM_SIZE,
    ELEMENT_TYPE,
    BINARY,
    MSB,
    COMPRESSED,
    CHANNELS,
    SPACING,
    ELEMENT_SIZE,
    OFFSET,
    MATRIX,
    UNITS,
    HEADER_SIZE,
    FIELDS
};

static const ngff_headed_name names[] = {
    {"objecttype", OBJECT_TYPE},
    {"ndims", NDIMS},
    {"dimsize", DIM_SIZE},
    {"elementtype", ELEMENT_TYPE},
    {"binarydata", BINARY},
    {"binarydatabyteordermsb", MSB},
    {"elementbyteordermsb", MSB},
    {"compresseddata", COMPRESSED},
    {"elementnumberofchannels", CHANNELS},
    {"elementspacing", SPACING},
    {"elementsize", ELEMENT_SIZE},
    {"offset", OFFSET},
    {"position", OFFSET},
    {"origin", OFFSET},
    {"transformmatrix", MATRIX},
    {"rotation", MATRIX},
    {"orientation", MATRIX},
    {"distanceunits", UNITS},
    {"headersize", HEADER_SIZE},
    {NULL, 0},
};

typedef struct meta {
    ngff_source_headed *h;
    const char *path;
    char *value[FIELDS];
    char *data_file;
    int ndim; /* without channels */
    int64_t channels;
    double spacing[NGFF_MAX_NDIM], m[3][4];
    bool placed;
} meta;

bool ngff_source_detect_meta(const unsigned char *head, size_t n, const char *path) {
    static const char *const first[] = {"ObjectType", "NDims", "Comment"};
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
        size_t len = strlen(first[i]);
        if (n > len && memcmp(head, first[i], len) == 0 &&
            (head[len] == ' ' || head[len] == '='))
            return i < 2 || ngff_ends_with(path, ".mha") || ngff_ends_with(path, ".mhd");
    }
    return false;
}

static ngff_status bad(const meta *f, int field, const char *expected, ngff_error *err) {
    return ngff_fail(err, NGFF_FORMAT, "%s: MetaImage %s = '%.80s', expected %s", f->path,
                     ngff_headed_spelled(names, field),
                     f->value[field] != NULL ? f->value[field] : "", expected);
}

/* ---- the header -------------------------------------------------------------------- */

/* ElementDataFile is the last line; pixels may follow it at once. */
static ngff_status read_fields(meta *f, ngff_error *err) {
    char *line;
    while ((line = ngff_headed_line(f->h)) != NULL) {
        char *equals = strchr(line, '=');
        if (line[strspn(line, " \t")] == '\0')
            continue;
        if (equals == NULL)
            return ngff_fail(err, NGFF_FORMAT,
                             "%s: MetaImage header line '%.80s', expected 'key = value'",
                             f->path, line);
        *equals = '\0';
        char *name = line + strspn(line, " \t"), *value = equals + 1;
        if (strncmp(name, "ElementDataFile", 15) == 0) {
            f->data_file = ngff_headed_trimmed(value);
            return NGFF_OK;
        }
        if (!ngff_headed_field(names, name, value, f->value))
            return ngff_fail(err, NGFF_FORMAT, "%s: MetaImage key %.60s is there twice",
                             f->path, name);
    }
    return ngff_fail(err, NGFF_FORMAT, "%s: MetaImage header without ElementDataFile",
                     f->path);
}

static ngff_dtype type_of(const char *text) {
    static const struct {
        const char *name;
        ngff_dtype dtype;
    } table[] = {{"MET_CHAR", NGFF_INT8},       {"MET_UCHAR", NGFF_UINT8},
                 {"MET_SHORT", NGFF_INT16},     {"MET_USHORT", NGFF_UINT16},
                 {"MET_INT", NGFF_INT32},       {"MET_UINT", NGFF_UINT32},
                 {"MET_LONG", NGFF_INT32},      {"MET_ULONG", NGFF_UINT32},
                 {"MET_LONG_LONG", NGFF_INT64}, {"MET_ULONG_LONG", NGFF_UINT64},
                 {"MET_FLOAT", NGFF_FLOAT32},   {"MET_DOUBLE", NGFF_FLOAT64}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i].name, text) == 0)
            return table[i].dtype;
    return NGFF_DTYPE_NONE;
}

/* True, False, 1, 0, T, F, by the first letter; absent: `otherwise`. */
static ngff_status flag_of(const meta *f, int field, bool otherwise, bool *out,
                           ngff_error *err) {
    const char *text = f->value[field];
    *out = otherwise;
    if (text == NULL)
        return NGFF_OK;
    if (text[0] == '\0' || strchr("TtFf10", text[0]) == NULL)
        return bad(f, field, "True or False", err);
    *out = strchr("Tt1", text[0]) != NULL;
    return NGFF_OK;
}

static ngff_status read_array(meta *f, ngff_error *err) {
    ngff_source_layout *l = &f->h->strided.layout;
    int64_t ndim = 0, sizes[NGFF_MAX_NDIM];
    bool big = false, binary = true;
    if (f->value[OBJECT_TYPE] != NULL && strcmp(f->value[OBJECT_TYPE], "Image") != 0)
        return bad(f, OBJECT_TYPE, "Image", err);
    if (f->value[NDIMS] == NULL || ngff_headed_whole(f->value[NDIMS], &ndim, 1) != 1 ||
        ndim < 1)
        return bad(f, NDIMS, "a number of axes", err);
    if (ndim > 4)
        return ngff_fail(err, NGFF_UNSUPPORTED, "%s: %" PRId64 " axes, at most 4",
                         f->path, ndim);
    f->ndim = (int)ndim;
    if (f->value[DIM_SIZE] == NULL ||
        ngff_headed_whole(f->value[DIM_SIZE], sizes, NGFF_MAX_NDIM) != f->ndim)
        return bad(f, DIM_SIZE, "a whole number for each axis", err);
    f->channels = 1;
    if (f->value[CHANNELS] != NULL &&
        (ngff_headed_whole(f->value[CHANNELS], &f->channels, 1) != 1 || f->channels < 1))
        return bad(f, CHANNELS, "a number of channels", err);
    if (f->value[ELEMENT_TYPE] == NULL)
        return bad(f, ELEMENT_TYPE, "a type", err);
    l->dtype = type_of(f->value[ELEMENT_TYPE]);
    if (l->dtype == NGFF_DTYPE_NONE)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "%s: MetaImage type '%.40s', expected a plain MET_ number",
                         f->path, f->value[ELEMENT_TYPE]);
    NGFF_TRY(flag_of(f, BINARY, true, &binary, err));
    NGFF_TRY(flag_of(f, MSB, false, &big, err));
    if (!binary)
        return ngff_fail(err, NGFF_UNSUPPORTED, "%s: pixels as text", f->path);
    l->swap = ngff_dtype_size(l->dtype) > 1 && big == ngff_host_is_little();
    l->ndim = f->ndim + (f->channels > 1);
    for (int i = 0; i < f->ndim; i++)
        l->shape[f->ndim - 1 - i] = sizes[i];
    if (f->channels > 1)
        l->shape[f->ndim] = f->channels;
    return NGFF_OK;
}

/* ---- where it lies ----------------------------------------------------------------- */

/* TransformMatrix holds the direction of one axis after the other. */
static ngff_status read_place(meta *f, ngff_error *err) {
    double direction[16], origin[NGFF_MAX_NDIM] = {0};
    const int n = f->ndim, space = n < 3 ? n : 3;
    int spacing = f->value[SPACING] != NULL ? SPACING : ELEMENT_SIZE;
    for (int i = 0; i < n; i++)
        f->spacing[i] = 1.0;
    for (int i = 0; i < n * n; i++)
        direction[i] = i % (n + 1) == 0 ? 1.0 : 0.0;
    if (f->value[spacing] != NULL &&
        ngff_headed_reals(f->value[spacing], f->spacing, NGFF_MAX_NDIM) != n)
        return bad(f, spacing, "a number for each axis", err);
    if (f->value[OFFSET] != NULL &&
        ngff_headed_reals(f->value[OFFSET], origin, NGFF_MAX_NDIM) != n)
        return bad(f, OFFSET, "a number for each axis", err);
    if (f->value[MATRIX] != NULL &&
        ngff_headed_reals(f->value[MATRIX], direction, 16) != n * n)
        return bad(f, MATRIX, "a square matrix", err);
    f->placed = true;
    for (int i = 0; i < space; i++) {
        f->m[i][3] = origin[i];
        f->placed = f->placed && isfinite(origin[i]);
        for (int k = 0; k < space; k++) {
            f->m[k][i] = direction[i * n + k] * f->spacing[i];
            f->placed = f->placed && isfinite(f->m[k][i]);
        }
    }
    return NGFF_OK;
}

static void place(meta *f) {
    ngff_source *s = &f->h->strided.base;
    const int last = s->image.desc.ndim - 1 - (f->channels > 1);
    const char *units = f->value[UNITS];
    char unit[32] = "";
    bool oblique = false;
    if (units != NULL)
        (void)ngff_ome_unit(units, "space", unit);
    for (int i = 0; i < f->ndim; i++) {
        ngff_axis *axis = &s->image.desc.axes[last - i];
        bool space = i < 3 && strcmp(axis->type, "space") == 0;
        if (isfinite(f->spacing[i]) && f->spacing[i] != 0.0 &&
            strcmp(axis->type, "channel") != 0)
            axis->scale = fabs(f->spacing[i]);
        if (space)
            ngff_copy_text(axis->unit, sizeof axis->unit, unit);
        if (space && f->placed)
            oblique |= ngff_source_place(f->m, i, true, axis);
        if (f->ndim < 3)
            axis->orientation[0] = '\0'; /* a picture lies in no body */
    }
    if (oblique)
        ngff_copy_text(s->note, sizeof s->note,
                       "the TransformMatrix is oblique to the world; spacing, origin and "
                       "the nearest orientation are kept, the rotation is not");
}

/* ---- the pixels -------------------------------------------------------------------- */

static ngff_status read_data(meta *f, int64_t *begin, bool *stream, ngff_error *err) {
    int64_t header = 0;
    *begin = (int64_t)f->h->at;
    NGFF_TRY(flag_of(f, COMPRESSED, false, stream, err));
    if (f->value[HEADER_SIZE] != NULL &&
        (ngff_headed_whole(f->value[HEADER_SIZE], &header, 1) != 1 || header < -1 ||
         header > (int64_t)1 << 60 || (header < 0 && *stream)))
        return bad(f, HEADER_SIZE, "a number of bytes, -1 for raw pixels only", err);
    if (strcmp(f->data_file, "LOCAL") == 0 || strcmp(f->data_file, "Local") == 0 ||
        strcmp(f->data_file, "local") == 0)
        return NGFF_OK;
    NGFF_TRY(ngff_headed_detach(f->h, f->data_file, err));
    *begin = header;
    return NGFF_OK;
}

static ngff_status fill(meta *f, const ngff_source_open_opts *opts, ngff_error *err) {
    static const char slowest_first[] = "tzyx";
    int64_t begin = 0;
    bool stream = false;
    char dims[8], units[32] = "";
    NGFF_TRY(read_fields(f, err));
    NGFF_TRY(read_array(f, err));
    NGFF_TRY(read_place(f, err));
    NGFF_TRY(read_data(f, &begin, &stream, err));
    ngff_copy_text(dims, sizeof dims, slowest_first + (4 - f->ndim));
    if (f->channels > 1)
        ngff_copy_text(dims + f->ndim, sizeof dims - (size_t)f->ndim, "c");
    if (f->value[UNITS] != NULL)
        ngff_copy_text(units, sizeof units, f->value[UNITS]);
    f->value[UNITS] = units; /* the header's text goes now */
    NGFF_TRY(
        ngff_headed_finish(f->h, begin, stream, 0, opts->dims ? opts->dims : dims, err));
    place(f);
    f->value[UNITS] = NULL;
    if ((f->channels == 3 || f->channels == 4) &&
        f->h->strided.layout.dtype == NGFF_UINT8)
        return ngff_source_set_rgb(&f->h->strided.base, (int)f->channels, err);
    return NGFF_OK;
}

static const ngff_source_vtable meta_ops = {
    .kind = "meta",
    .read = ngff_source_strided_read,
    .close = ngff_headed_close,
};

ngff_status ngff_source_open_meta(const ngff_allocator *a, const char *path,
                                  const ngff_source_open_opts *opts, ngff_source **out,
                                  ngff_error *err) {
    meta f = {.path = path};
    *out = NULL;
    NGFF_TRY(ngff_headed_new(a, &meta_ops, path, &f.h, err));
    ngff_source *base = &f.h->strided.base;
    ngff_status status = fill(&f, opts, err);
    if (status != NGFF_OK)
        ngff_source_drop(&base);
    *out = base;
    return status;
}
