/* source: NRRD files ("Definition of NRRD File Format", teem), attached and detached, raw
 * and gzip. Axes are listed fastest first. Places are told in LPS, whatever the file's
 * space is. */
#include "source/headed.h"

#include <inttypes.h>
#include <math.h>

enum {
    DIMENSION,
    TYPE,
    SIZES,
    ENCODING,
    ENDIAN,
    SPACINGS,
    KINDS,
    UNITS,
    SPACE,
    SPACE_DIMENSION,
    DIRECTIONS,
    ORIGIN,
    SPACE_UNITS,
    DATA_FILE,
    BYTE_SKIP,
    LINE_SKIP,
    FIELDS
};

static const ngff_headed_name names[] = {
    {"dimension", DIMENSION},
    {"type", TYPE},
    {"sizes", SIZES},
    {"encoding", ENCODING},
    {"endian", ENDIAN},
    {"spacings", SPACINGS},
    {"kinds", KINDS},
    {"units", UNITS},
    {"space", SPACE},
    {"space dimension", SPACE_DIMENSION},
    {"space directions", DIRECTIONS},
    {"space origin", ORIGIN},
    {"space units", SPACE_UNITS},
    {"data file", DATA_FILE},
    {"datafile", DATA_FILE},
    {"byte skip", BYTE_SKIP},
    {"byteskip", BYTE_SKIP},
    {"line skip", LINE_SKIP},
    {"lineskip", LINE_SKIP},
    {NULL, 0},
};

typedef struct nrrd {
    ngff_source_headed *h;
    const char *path;
    char *value[FIELDS];
    int ndim;
    char role[NGFF_MAX_NDIM]; /* 's', 't' or 'c' */
    double spacing[NGFF_MAX_NDIM];
    char unit[NGFF_MAX_NDIM][32];
    int column[NGFF_MAX_NDIM]; /* of m, for an axis with a direction; else -1 */
    double m[3][4];
    bool anatomical;
    char dims[NGFF_MAX_NDIM + 1];
} nrrd;

bool ngff_source_detect_nrrd(const unsigned char *head, size_t n, const char *path) {
    (void)path;
    return n >= 9 && memcmp(head, "NRRD000", 7) == 0 && head[7] >= '1' && head[7] <= '9';
}

static ngff_status bad(const nrrd *f, int field, const char *expected, ngff_error *err) {
    return ngff_fail(err, NGFF_FORMAT, "%s: NRRD %s: '%.80s', expected %s", f->path,
                     ngff_headed_spelled(names, field),
                     f->value[field] != NULL ? f->value[field] : "", expected);
}

/* ---- the header's lines ------------------------------------------------------------ */

static ngff_status read_fields(nrrd *f, ngff_error *err) {
    char *line = ngff_headed_line(f->h); /* the magic */
    while (line != NULL && (line = ngff_headed_line(f->h)) != NULL && line[0] != '\0') {
        char *colon = strchr(line, ':');
        if (line[0] == '#' || (colon != NULL && colon[1] == '='))
            continue;
        if (colon == NULL)
            return ngff_fail(err, NGFF_FORMAT,
                             "%s: NRRD header line '%.80s', expected 'field: value'",
                             f->path, line);
        *colon = '\0';
        if (!ngff_headed_field(names, line, colon + 1, f->value))
            return ngff_fail(err, NGFF_FORMAT, "%s: NRRD field %.80s is there twice",
                             f->path, line);
        if (f->value[DATA_FILE] != NULL && ngff_starts_with(f->value[DATA_FILE], "LIST"))
            return NGFF_OK; /* names of files follow; this is refused later */
    }
    if (line == NULL && f->value[DATA_FILE] == NULL)
        return ngff_fail(err, NGFF_FORMAT,
                         "%s: no empty line ends the NRRD header, which has %zu bytes at "
                         "least",
                         f->path, f->h->at);
    return NGFF_OK;
}

static ngff_dtype type_of(const char *text) {
    static const struct {
        ngff_dtype dtype;
        const char *names; /* with a comma before and behind each */
    } table[] = {
        {NGFF_INT8, ",signed char,int8,int8_t,"},
        {NGFF_UINT8, ",uchar,unsigned char,uint8,uint8_t,"},
        {NGFF_INT16, ",short,short int,signed short,signed short int,int16,int16_t,"},
        {NGFF_UINT16, ",ushort,unsigned short,unsigned short int,uint16,uint16_t,"},
        {NGFF_INT32, ",int,signed int,int32,int32_t,"},
        {NGFF_UINT32, ",uint,unsigned int,uint32,uint32_t,"},
        {NGFF_INT64, ",longlong,long long,long long int,signed long long,"
                     "signed long long int,int64,int64_t,"},
        {NGFF_UINT64,
         ",ulonglong,unsigned long long,unsigned long long int,uint64,uint64_t,"},
        {NGFF_FLOAT32, ",float,"},
        {NGFF_FLOAT64, ",double,"},
    };
    char word[48];
    size_t n = strlen(text);
    if (n == 0 || n + 3 > sizeof word || strchr(text, ',') != NULL)
        return NGFF_DTYPE_NONE;
    word[0] = word[n + 1] = ',';
    memcpy(word + 1, text, n);
    word[n + 2] = '\0';
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strstr(table[i].names, word) != NULL)
            return table[i].dtype;
    return NGFF_DTYPE_NONE;
}

/* dimension, sizes, type, endian: what a pixel is and how many there are. */
static ngff_status read_array(nrrd *f, ngff_error *err) {
    static const int needed[] = {DIMENSION, TYPE, SIZES, ENCODING};
    ngff_source_layout *l = &f->h->strided.layout;
    int64_t dimension = 0, sizes[NGFF_MAX_NDIM];
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (f->value[needed[i]] == NULL)
            return ngff_fail(err, NGFF_FORMAT, "%s: the NRRD header lacks '%s'", f->path,
                             ngff_headed_spelled(names, needed[i]));
    if (ngff_headed_whole(f->value[DIMENSION], &dimension, 1) != 1 || dimension < 1)
        return bad(f, DIMENSION, "a number of axes", err);
    if (dimension > NGFF_MAX_NDIM)
        return ngff_fail(err, NGFF_UNSUPPORTED, "%s: %" PRId64 " axes, at most %d",
                         f->path, dimension, NGFF_MAX_NDIM);
    f->ndim = (int)dimension;
    if (ngff_headed_whole(f->value[SIZES], sizes, NGFF_MAX_NDIM) != f->ndim)
        return bad(f, SIZES, "a whole number for each axis", err);
    l->ndim = f->ndim;
    for (int i = 0; i < f->ndim; i++)
        l->shape[f->ndim - 1 - i] = sizes[i];
    l->dtype = type_of(f->value[TYPE]);
    if (l->dtype == NGFF_DTYPE_NONE)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "%s: NRRD type '%.40s', expected an integer of 8 to 64 bits, "
                         "float or double",
                         f->path, f->value[TYPE]);
    if (ngff_dtype_size(l->dtype) == 1)
        return NGFF_OK;
    const char *endian = f->value[ENDIAN] != NULL ? f->value[ENDIAN] : "";
    if (strcmp(endian, "little") != 0 && strcmp(endian, "big") != 0)
        return bad(f, ENDIAN, "little or big", err);
    l->swap = (endian[0] == 'l') != ngff_host_is_little();
    return NGFF_OK;
}

/* ---- what the axes mean ------------------------------------------------------------ */

static char role_of(const char *kind, size_t n) {
    static const char *const space[] = {"domain", "space", "???", "none"};
    for (size_t i = 0; i < sizeof space / sizeof space[0]; i++)
        if (strlen(space[i]) == n && memcmp(space[i], kind, n) == 0)
            return 's';
    return n == 4 && memcmp(kind, "time", 4) == 0 ? 't' : 'c';
}

/* Without kinds: axes without a direction are values where others have one; else x, y, z,
 * then t and c, as in NIfTI. */
static ngff_status read_roles(nrrd *f, ngff_error *err) {
    static const char by_place[] = "sssTC";
    bool directed = f->value[DIRECTIONS] != NULL;
    const char *kind = f->value[KINDS];
    for (int i = 0; i < f->ndim; i++) {
        f->role[i] = directed ? (f->column[i] >= 0 ? 's' : 'c') : by_place[i < 4 ? i : 4];
        if (f->role[i] < 'a')
            f->role[i] = (char)(f->role[i] - 'A' + 'a');
        if (kind == NULL)
            continue;
        kind += strspn(kind, " \t");
        size_t n = strcspn(kind, " \t");
        if (n == 0)
            return bad(f, KINDS, "a word for each axis", err);
        if (!(kind[0] == '?' && directed))
            f->role[i] = role_of(kind, n);
        kind += n;
    }
    return NGFF_OK;
}

/* f->dims, slowest first. */
static ngff_status name_axes(nrrd *f, ngff_error *err) {
    static const char space[] = "xyz";
    int count = 0;
    for (int i = 0; i < f->ndim; i++) {
        char name = f->role[i];
        if (name == 's')
            name = space[count < 3 ? count : 3];
        count += f->role[i] == 's';
        f->dims[f->ndim - 1 - i] = name;
        if (name == '\0' || memchr(f->dims + f->ndim - i, name, (size_t)i) != NULL)
            return ngff_fail(err, NGFF_UNSUPPORTED,
                             "%s: axis %d of the NRRD has no place beside t, c, z, y, x; "
                             "name the axes with --dims",
                             f->path, i);
    }
    return NGFF_OK;
}

/* ---- where it lies ----------------------------------------------------------------- */

/* The space's factors of the world axes towards LPS; false: no anatomical one. */
static ngff_status read_space(nrrd *f, double sign[3], int *count, ngff_error *err) {
    static const struct {
        const char *name, *brief;
        double sign[2];
        bool anatomical;
    } table[] = {{"right-anterior-superior", "RAS", {-1, -1}, true},
                 {"left-anterior-superior", "LAS", {1, -1}, true},
                 {"left-posterior-superior", "LPS", {1, 1}, true},
                 {"scanner-xyz", "scanner-xyz", {1, 1}, false},
                 {"3D-right-handed", "3D-right-handed", {1, 1}, false},
                 {"3D-left-handed", "3D-left-handed", {1, 1}, false}};
    const char *name = f->value[SPACE];
    int64_t dimension = 3;
    sign[0] = sign[1] = sign[2] = 1.0;
    if (name == NULL) {
        if (f->value[SPACE_DIMENSION] == NULL)
            return bad(f, SPACE, "the space that the directions are in", err);
        if (ngff_headed_whole(f->value[SPACE_DIMENSION], &dimension, 1) != 1 ||
            dimension < 1 || dimension > 3)
            return bad(f, SPACE_DIMENSION, "1 to 3", err);
    }
    *count = (int)dimension;
    for (size_t i = 0; name != NULL && i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(name, table[i].name) != 0 && strcmp(name, table[i].brief) != 0)
            continue;
        memcpy(sign, table[i].sign, sizeof table[i].sign);
        f->anatomical = table[i].anatomical;
        return NGFF_OK;
    }
    return name == NULL ? NGFF_OK
                        : ngff_fail(err, NGFF_UNSUPPORTED, "%s: NRRD space '%.60s'",
                                    f->path, name);
}

/* "(1,0,0)" at *text, which moves behind it. */
static bool vector_of(char **text, int count, double out[3]) {
    char *p = *text + strspn(*text, " \t"), *end = strchr(p, ')');
    if (*p != '(' || end == NULL)
        return false;
    *end = '\0';
    for (char *c = p; *c != '\0'; c++)
        if (*c == ',' || *c == '(')
            *c = ' ';
    *text = end + 1;
    if (ngff_headed_reals(p, out, 3) != count)
        return false;
    for (int i = 0; i < count; i++)
        if (!isfinite(out[i]))
            return false;
    return true;
}

static ngff_status read_directions(nrrd *f, ngff_error *err) {
    double sign[3], vector[3];
    int count = 0, used = 0;
    char *text = f->value[DIRECTIONS], *origin = f->value[ORIGIN];
    NGFF_TRY(read_space(f, sign, &count, err));
    for (int i = 0; i < f->ndim; i++) {
        text += strspn(text, " \t");
        if (strncmp(text, "none", 4) == 0) {
            text += 4;
            continue;
        }
        if (used == 3 || !vector_of(&text, count, vector))
            return ngff_fail(
                err, NGFF_FORMAT,
                "%s: NRRD space directions: axis %d, expected a vector of %d "
                "numbers, for 3 axes at most, or none",
                f->path, i, count);
        for (int k = 0; k < count; k++)
            f->m[k][used] = sign[k] * vector[k];
        f->column[i] = used++;
    }
    if (origin == NULL)
        return NGFF_OK;
    if (!vector_of(&origin, count, vector))
        return bad(f, ORIGIN, "a vector of the space", err);
    for (int k = 0; k < count; k++)
        f->m[k][3] = sign[k] * vector[k];
    return NGFF_OK;
}

/* The next text in quotes, or "". */
static void quoted(const char **text, char out[32]) {
    const char *p = strchr(*text, '"');
    const char *end = p != NULL ? strchr(p + 1, '"') : NULL;
    out[0] = '\0';
    if (end == NULL)
        return;
    size_t n = (size_t)(end - p) - 1;
    if (n < 32) {
        memcpy(out, p + 1, n);
        out[n] = '\0';
    }
    *text = end + 1;
}

static ngff_status read_steps(nrrd *f, ngff_error *err) {
    const char *own = f->value[UNITS], *shared = f->value[SPACE_UNITS];
    char by_column[3][32] = {"", "", ""};
    for (int i = 0; i < f->ndim; i++)
        f->spacing[i] = NAN;
    if (f->value[SPACINGS] != NULL &&
        ngff_headed_reals(f->value[SPACINGS], f->spacing, NGFF_MAX_NDIM) != f->ndim)
        return bad(f, SPACINGS, "a number for each axis", err);
    for (int k = 0; k < 3 && shared != NULL; k++)
        quoted(&shared, by_column[k]);
    for (int i = 0; i < f->ndim; i++) {
        if (own != NULL)
            quoted(&own, f->unit[i]);
        if (f->column[i] >= 0 && f->unit[i][0] == '\0')
            ngff_copy_text(f->unit[i], sizeof f->unit[i], by_column[f->column[i]]);
    }
    return NGFF_OK;
}

static void place_axis(nrrd *f, int i, ngff_axis *axis, bool *oblique) {
    char unit[32];
    bool space = strcmp(axis->type, "space") == 0;
    if (!space && strcmp(axis->type, "time") != 0)
        return;
    if (isfinite(f->spacing[i]) && f->spacing[i] != 0.0)
        axis->scale = fabs(f->spacing[i]);
    if (ngff_ome_unit(f->unit[i], axis->type, unit))
        ngff_copy_text(axis->unit, sizeof axis->unit, unit);
    if (!space || f->column[i] < 0)
        return;
    *oblique |= ngff_source_place(f->m, f->column[i], true, axis);
    if (!f->anatomical)
        axis->orientation[0] = '\0';
}

static void place(nrrd *f) {
    ngff_source *s = &f->h->strided.base;
    bool oblique = false;
    for (int i = 0; i < f->ndim; i++)
        place_axis(f, i, &s->image.desc.axes[f->ndim - 1 - i], &oblique);
    if (oblique)
        ngff_copy_text(s->note, sizeof s->note,
                       "the space directions are oblique to the space; spacing, origin "
                       "and the nearest orientation are kept, the rotation is not");
}

/* ---- the pixels -------------------------------------------------------------------- */

static ngff_status read_data(nrrd *f, int64_t *begin, bool *stream, int64_t *skip,
                             ngff_error *err) {
    const char *encoding = f->value[ENCODING], *file = f->value[DATA_FILE];
    int64_t lines = 0;
    *begin = (int64_t)f->h->at;
    *stream = strcmp(encoding, "gzip") == 0 || strcmp(encoding, "gz") == 0;
    if (!*stream && strcmp(encoding, "raw") != 0)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "%s: NRRD encoding '%.40s', expected raw or gzip", f->path,
                         encoding);
    if (f->value[LINE_SKIP] != NULL &&
        ngff_headed_whole(f->value[LINE_SKIP], &lines, 1) != 1)
        return bad(f, LINE_SKIP, "a number of lines", err);
    if (lines != 0)
        return ngff_fail(err, NGFF_UNSUPPORTED, "%s: NRRD line skip", f->path);
    if (f->value[BYTE_SKIP] != NULL &&
        (ngff_headed_whole(f->value[BYTE_SKIP], skip, 1) != 1 || *skip < -1 ||
         *skip > (int64_t)1 << 60 || (*stream && *skip < 0)))
        return bad(f, BYTE_SKIP, "a number of bytes, -1 for raw only", err);
    if (file != NULL) {
        *begin = 0;
        NGFF_TRY(ngff_headed_detach(f->h, file, err));
    }
    if (!*stream)
        *begin = *skip < 0 ? -1 : *begin + *skip;
    return NGFF_OK;
}

static ngff_status fill(nrrd *f, const ngff_source_open_opts *opts, ngff_error *err) {
    int64_t begin = 0, skip = 0;
    bool stream = false;
    const bool own = opts->dims == NULL || opts->dims[0] == '\0';
    for (int i = 0; i < NGFF_MAX_NDIM; i++)
        f->column[i] = -1;
    NGFF_TRY(read_fields(f, err));
    NGFF_TRY(read_array(f, err));
    if (f->value[DIRECTIONS] != NULL)
        NGFF_TRY(read_directions(f, err));
    NGFF_TRY(read_roles(f, err));
    if (own)
        NGFF_TRY(name_axes(f, err));
    NGFF_TRY(read_steps(f, err));
    NGFF_TRY(read_data(f, &begin, &stream, &skip, err));
    NGFF_TRY(
        ngff_headed_finish(f->h, begin, stream, skip, own ? f->dims : opts->dims, err));
    place(f);
    return NGFF_OK;
}

static const ngff_source_vtable nrrd_ops = {
    .kind = "nrrd",
    .read = ngff_source_strided_read,
    .close = ngff_headed_close,
};

ngff_status ngff_source_open_nrrd(const ngff_allocator *a, const char *path,
                                  const ngff_source_open_opts *opts, ngff_source **out,
                                  ngff_error *err) {
    nrrd f = {.path = path};
    *out = NULL;
    NGFF_TRY(ngff_headed_new(a, &nrrd_ops, path, &f.h, err));
    ngff_source *base = &f.h->strided.base;
    ngff_status status = fill(&f, opts, err);
    if (status != NGFF_OK)
        ngff_source_drop(&base);
    *out = base;
    return status;
}
