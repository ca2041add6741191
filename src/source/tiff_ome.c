/* OME-TIFF: which directory of which file holds which plane, from the OME-XML in the
 * first description (OME-TIFF specification, "The TiffData element"). */
#include "source/ome_xml.h"

#include <math.h>

typedef struct ome {
    ngff_tiff_set *s;
    const ngff_ome_xml *x;
    char *dir;       /* of file 0, with its slash; owned */
    char *base;      /* name of file 0; points into its path */
    uint32_t *slots; /* hash of file names -> set index + 1 (0: empty) */
    size_t slot_count;
} ome;

/* ---- files of the set
 * ------------------------------------------------------------------ */

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* A name of a neighbour, not a way out of the directory. */
static bool is_plain_name(const char *name) {
    return name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
           strpbrk(name, "/\\") == NULL;
}

static ngff_status join(const ome *o, const char *name, char **out, ngff_error *err) {
    size_t size = strlen(o->dir) + strlen(name) + 1;
    *out = ngff_alloc(o->s->alloc, size);
    if (*out == NULL)
        return ngff_fail_nomem(err, "a path", size);
    snprintf(*out, size, "%s%s", o->dir, name);
    return NGFF_OK;
}

/* The document names one file only: this one, under the name it had before. */
static bool names_one_file(const ngff_ome_xml *x) {
    for (size_t i = 1; i < x->data_count; i++)
        if (strcmp(ngff_ome_xml_text(x, x->data[i].file),
                   ngff_ome_xml_text(x, x->data[0].file)) != 0)
            return false;
    return true;
}

static ngff_status open_neighbour(ome *o, const char *name, uint32_t *file,
                                  ngff_error *err) {
    const char *from = o->s->files[0].path;
    char *path = NULL;
    ngff_path_kind kind = NGFF_PATH_NONE;
    if (!is_plain_name(name))
        return ngff_fail(
            err, NGFF_FORMAT,
            "%s: its OME-XML names the file '%.100s', expected a plain name in the "
            "same directory",
            from, name);
    NGFF_TRY(join(o, name, &path, err));
    ngff_status status = ngff_path_kind_of(path, &kind, err);
    if (status == NGFF_OK && kind == NGFF_PATH_NONE && names_one_file(o->x))
        *file = 0;
    else if (status == NGFF_OK && kind != NGFF_PATH_FILE)
        status =
            ngff_fail(err, NGFF_NOT_FOUND,
                      "%s: the OME-TIFF set needs the file '%.100s' beside it, which is "
                      "missing",
                      from, name);
    else if (status == NGFF_OK)
        status = ngff_tiff_set_add(o->s, path, file, err);
    ngff_free(o->s->alloc, path);
    return status;
}

static size_t hash_text(const char *text) {
    uint64_t h = 14695981039346656037u;
    for (; *text != '\0'; text++)
        h = (h ^ (unsigned char)*text) * 1099511628211u;
    return (size_t)(h ^ h >> 32);
}

static ngff_status file_of(ome *o, const ngff_xml_data *d, uint32_t *file,
                           ngff_error *err) {
    const char *name = ngff_ome_xml_text(o->x, d->file);
    *file = 0;
    bool own_uuid = d->uuid != 0 && o->x->uuid != 0 &&
                    strcmp(ngff_ome_xml_text(o->x, d->uuid),
                           ngff_ome_xml_text(o->x, o->x->uuid)) == 0;
    if (d->file == 0 || own_uuid || strcmp(name, o->base) == 0)
        return NGFF_OK;
    size_t at = hash_text(name) % o->slot_count;
    for (; o->slots[at] != 0; at = (at + 1) % o->slot_count) {
        const char *path = o->s->files[o->slots[at] - 1].path;
        if (o->slots[at] > 1 && strcmp(base_name(path), name) == 0) {
            *file = o->slots[at] - 1;
            return NGFF_OK;
        }
    }
    NGFF_TRY(open_neighbour(o, name, file, err));
    o->slots[at] = *file + 1;
    return NGFF_OK;
}

/* ---- planes
 * ---------------------------------------------------------------------------- */

/* The leading axes of a series, slowest first: DimensionOrder from its end. */
static bool lead_of(const ngff_xml_image *m, int64_t samples, char letters[4],
                    int64_t extents[3]) {
    static const char names[] = "TCZ";
    unsigned seen = 0;
    if (strlen(m->order) != 5 || !ngff_starts_with(m->order, "XY"))
        return false;
    for (int i = 0; i < 3; i++) {
        const char *p = strchr(names, m->order[4 - i]);
        if (p == NULL)
            return false;
        int dim = (int)(p - names);
        seen |= 1u << dim;
        letters[i] = *p;
        extents[i] = dim == NGFF_TIFF_C ? m->size[dim] / samples : m->size[dim];
    }
    letters[3] = '\0';
    return seen == 7;
}

/* The plane that FirstT, FirstC, FirstZ name, or -1. */
static int64_t plane_of(const ngff_xml_data *d, const char letters[4],
                        const int64_t extents[3]) {
    int64_t plane = 0;
    for (int i = 0; i < 3; i++) {
        int64_t at = d->first[strchr("TCZ", letters[i]) - "TCZ"];
        if (at < 0 || at >= extents[i])
            return -1;
        plane = plane * extents[i] + at;
    }
    return plane;
}

/* Puts the directories of one TiffData into the table. */
static ngff_status place(ome *o, const ngff_xml_data *d, uint32_t file, int64_t plane,
                         ngff_tiff_series *series, ngff_error *err) {
    const ngff_tiff_file *f = &o->s->files[file];
    int64_t count = d->has_count && d->count > 0 ? d->count
                    : d->has_ifd                 ? 1
                                                 : (int64_t)f->page_count;
    for (int64_t i = 0; i < count && plane + i < (int64_t)series->planes; i++) {
        if (d->ifd < 0 || d->ifd >= f->page_count || i >= f->page_count - d->ifd)
            return ngff_fail(
                err, NGFF_FORMAT,
                "%s: the OME-XML places a plane at directory %lld, the file has %u "
                "(is it truncated?)",
                f->path, (long long)(d->ifd + i), f->page_count);
        series->level[0].pages[plane + i] = f->page_first + (uint32_t)(d->ifd + i);
    }
    return NGFF_OK;
}

/* All planes must have the pixels of the reference layout. */
static ngff_status check_planes(const ome *o, ngff_tiff_series *series, uint32_t layout,
                                ngff_error *err) {
    const ngff_tiff_layout *want = o->s->layouts[layout];
    for (uint64_t i = 0; i < series->planes; i++) {
        uint32_t page = series->level[0].pages[i];
        if (page == NGFF_TIFF_NONE)
            continue;
        const ngff_tiff_page *p = ngff_tiff_page_at(o->s, page);
        if (p->layout == NGFF_TIFF_NONE ||
            !ngff_tiff_same_pixels(want, ngff_tiff_layout_of(o->s, p)))
            return ngff_fail(
                err, NGFF_FORMAT,
                "%s: plane %llu of the OME-TIFF differs in shape or type from the "
                "first",
                o->s->files[p->file].path, (unsigned long long)i);
    }
    return NGFF_OK;
}

/* The layout of the first page that the image uses. */
static ngff_status first_layout(ome *o, const ngff_xml_image *m, uint32_t *layout,
                                ngff_error *err) {
    uint32_t file = 0;
    int64_t ifd = 0;
    if (m->data_count > 0) {
        const ngff_xml_data *d = &o->x->data[m->data_first];
        NGFF_TRY(file_of(o, d, &file, err));
        ifd = d->ifd;
    }
    const ngff_tiff_file *f = &o->s->files[file];
    *layout = ifd >= 0 && ifd < f->page_count
                  ? ngff_tiff_page_at(o->s, f->page_first + (uint32_t)ifd)->layout
                  : NGFF_TIFF_NONE;
    if (*layout == NGFF_TIFF_NONE)
        return ngff_fail(
            err, NGFF_FORMAT,
            "%s: the OME-XML places a plane at directory %lld, the file has %u "
            "images (is it truncated?)",
            f->path, (long long)ifd, f->page_count);
    const ngff_tiff_layout *l = o->s->layouts[*layout];
    if (l->width != m->size[NGFF_TIFF_X] || l->height != m->size[NGFF_TIFF_Y] ||
        m->size[NGFF_TIFF_C] % l->samples != 0)
        return ngff_fail(
            err, NGFF_FORMAT,
            "%s: the OME-XML declares %lldx%lld pixels and %lld channels, the "
            "directory holds %ux%u with %u samples",
            f->path, (long long)m->size[NGFF_TIFF_X], (long long)m->size[NGFF_TIFF_Y],
            (long long)m->size[NGFF_TIFF_C], l->width, l->height, l->samples);
    return NGFF_OK;
}

static ngff_status fill(ome *o, const ngff_xml_image *m, const char letters[4],
                        const int64_t extents[3], ngff_tiff_series *series,
                        ngff_error *err) {
    for (size_t i = 0; i < m->data_count; i++) {
        const ngff_xml_data *d = &o->x->data[m->data_first + i];
        uint32_t file = 0;
        int64_t plane = plane_of(d, letters, extents);
        if (plane < 0) /* ImageJ leaves such when it crops; tifffile ignores them too */
            continue;
        NGFF_TRY(file_of(o, d, &file, err));
        NGFF_TRY(place(o, d, file, plane, series, err));
    }
    if (m->data_count == 0) {
        const ngff_xml_data all = {.has_count = true, .count = (int64_t)series->planes};
        return place(o, &all, 0, 0, series, err);
    }
    return NGFF_OK;
}

/* ---- what is known about the axes
 * ------------------------------------------------------ */

/* Metres by unit name; 0: not a length this library knows. */
static double metres(const char *unit) {
    static const struct {
        const char *name;
        double value;
    } table[] = {{"picometer", 1e-12}, {"angstrom", 1e-10},  {"nanometer", 1e-9},
                 {"micrometer", 1e-6}, {"millimeter", 1e-3}, {"centimeter", 1e-2},
                 {"decimeter", 1e-1},  {"meter", 1.0},       {"kilometer", 1e3},
                 {"inch", 0.0254},     {"foot", 0.3048}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].name, unit) == 0)
            return table[i].value;
    return 0.0;
}

static void calibrate(const ngff_xml_image *m, ngff_tiff_series *series) {
    for (int i = 0; i < NGFF_TIFF_DIMS; i++) {
        ngff_tiff_calibration *cal = &series->cal[i];
        char unit[32], from[32];
        if (m->spacing[i] > 0.0) {
            cal->scale = m->spacing[i];
            ngff_copy_text(cal->unit, sizeof cal->unit, m->unit[i]);
        }
        if (!m->has_origin[i] || cal->scale <= 0.0)
            continue;
        /* Positions without a unit count in an unknown "reference frame": left out. */
        (void)ngff_ome_unit(cal->unit, "space", unit);
        (void)ngff_ome_unit(m->origin_unit[i], "space", from);
        if (metres(unit) > 0.0 && metres(from) > 0.0)
            cal->translation = strcmp(unit, from) == 0
                                   ? m->origin[i]
                                   : m->origin[i] * metres(from) / metres(unit);
    }
}

/* One label and colour per channel of the result; samples of a channel share its name. */
static ngff_status channels(const ome *o, const ngff_xml_image *m, unsigned samples,
                            ngff_tiff_series *series, ngff_error *err) {
    const ngff_xml_channel *from = &o->x->channels[m->channel_first];
    size_t count = m->channel_count * samples;
    bool named = false;
    series->channels_listed = m->channel_count;
    for (size_t i = 0; i < m->channel_count; i++)
        named = named || from[i].name != 0 || from[i].has_color;
    if (!named || (int64_t)count != m->size[NGFF_TIFF_C])
        return NGFF_OK;
    series->channels = ngff_calloc(o->s->alloc, count, sizeof(ngff_channel));
    if (series->channels == NULL)
        return ngff_fail_nomem(err, "channels", count * sizeof(ngff_channel));
    series->channel_count = count;
    for (size_t i = 0; i < count; i++) {
        const ngff_xml_channel *f = &from[i / samples];
        ngff_channel *c = &series->channels[i];
        c->active = 1;
        ngff_copy_text(c->label, sizeof c->label, ngff_ome_xml_text(o->x, f->name));
        if (f->has_color && samples == 1)
            snprintf(c->color, sizeof c->color, "%06X", (unsigned)(f->color >> 8));
    }
    return NGFF_OK;
}

/* ---- images
 * ---------------------------------------------------------------------------- */

/* An image that is not going to be read: what the list of images shows of it. */
static ngff_status add_outline(const ome *o, const ngff_xml_image *m, ngff_tiff_list *out,
                               ngff_error *err) {
    ngff_tiff_series *series = NULL;
    int64_t extents[3];
    NGFF_TRY(ngff_tiff_list_add(out, 1, &series, err));
    ngff_copy_text(series->name, sizeof series->name, ngff_ome_xml_text(o->x, m->name));
    series->level[0].layout = NGFF_TIFF_NONE;
    if (!lead_of(m, 1, series->axes, extents))
        return NGFF_OK;
    series->ndim = 5;
    series->lead = 3;
    for (int i = 0; i < 3; i++)
        series->shape[i] = extents[i];
    series->shape[3] = m->size[NGFF_TIFF_Y];
    series->shape[4] = m->size[NGFF_TIFF_X];
    ngff_copy_text(series->axes + 3, sizeof series->axes - 3, "YX");
    return NGFF_OK;
}

static ngff_status add_image(ome *o, const ngff_xml_image *m, ngff_tiff_list *out,
                             ngff_error *err) {
    ngff_tiff_series *series = NULL;
    uint32_t layout = NGFF_TIFF_NONE;
    int64_t extents[3], planes = 0;
    char letters[4];
    NGFF_TRY(first_layout(o, m, &layout, err));
    unsigned samples = o->s->layouts[layout]->samples;
    if (!lead_of(m, samples, letters, extents))
        return ngff_fail(err, NGFF_FORMAT, "%s: the OME-XML has DimensionOrder '%s'",
                         o->s->files[0].path, m->order);
    /* Some planes may be missing, but not nearly all: that is a lie about memory. */
    if (ngff_nd_volume(3, extents, &planes, NULL) != NGFF_OK ||
        planes / 64 > (int64_t)o->s->page_count + (int64_t)o->x->data_count + 64)
        return ngff_fail(
            err, NGFF_FORMAT,
            "%s: the OME-XML declares %lld x %lld x %lld planes, the file holds %u",
            o->s->files[0].path, (long long)extents[0], (long long)extents[1],
            (long long)extents[2], o->s->page_count);
    NGFF_TRY(ngff_tiff_list_add(out, (uint64_t)planes, &series, err));
    ngff_copy_text(series->name, sizeof series->name, ngff_ome_xml_text(o->x, m->name));
    NGFF_TRY(ngff_tiff_series_axes(o->s, series, letters, extents, false, layout, err));
    NGFF_TRY(fill(o, m, letters, extents, series, err));
    NGFF_TRY(check_planes(o, series, layout, err));
    calibrate(m, series);
    NGFF_TRY(channels(o, m, samples, series, err));
    return ngff_tiff_series_sublevels(o->s, series, err);
}

static ngff_status make_list(ome *o, int want, ngff_tiff_list *out, ngff_error *err) {
    for (size_t i = 0; i < o->x->image_count; i++) {
        const ngff_xml_image *m = &o->x->images[i];
        bool chosen = want < 0 ? o->x->image_count == 1 : (size_t)want == i;
        if (chosen)
            NGFF_TRY(add_image(o, m, out, err));
        else
            NGFF_TRY(add_outline(o, m, out, err));
    }
    return NGFF_OK;
}

static ngff_status read_companion(ome *o, const char *name, char **text, size_t *size,
                                  ngff_error *err) {
    const size_t limit = (size_t)64 << 20;
    char *path = NULL;
    ngff_file file = NGFF_FILE_INIT;
    uint64_t bytes = 0;
    ngff_path_kind kind = NGFF_PATH_NONE;
    if (!is_plain_name(name))
        return ngff_fail(err, NGFF_FORMAT,
                         "%s: its metadata is in '%.100s', not a plain name",
                         o->s->files[0].path, name);
    NGFF_TRY(join(o, name, &path, err));
    ngff_status status = ngff_path_kind_of(path, &kind, err);
    if (status == NGFF_OK && kind != NGFF_PATH_FILE)
        status = ngff_fail(
            err, NGFF_NOT_FOUND,
            "%s: its OME-XML is in the file '%.100s' beside it, which is missing",
            o->s->files[0].path, name);
    if (status == NGFF_OK)
        status = ngff_file_open(&file, path, NGFF_OPEN_READ, err);
    if (status == NGFF_OK)
        status = ngff_file_size(&file, &bytes, path, err);
    if (status == NGFF_OK && bytes > limit)
        status = ngff_fail(err, NGFF_LIMIT, "%s: %llu bytes of OME-XML", path,
                           (unsigned long long)bytes);
    if (status == NGFF_OK && (*text = ngff_alloc(o->s->alloc, (size_t)bytes + 1)) == NULL)
        status = ngff_fail_nomem(err, "OME-XML", (size_t)bytes);
    if (status == NGFF_OK)
        status = ngff_file_pread(&file, *text, (size_t)bytes, 0, size, path, err);
    if (file.fd >= 0)
        ngff_file_close(&file);
    ngff_free(o->s->alloc, path);
    return status;
}

/* Parses; when the document only points to a companion file, that one instead. */
static ngff_status parse(ome *o, const char *text, size_t size, ngff_ome_xml *x,
                         ngff_error *err) {
    const ngff_allocator *a = o->s->alloc;
    char *companion = NULL, name[256];
    NGFF_TRY(ngff_ome_xml_parse(a, text, size, x, err));
    if (x->image_count > 0 || x->metadata_file == 0)
        return NGFF_OK;
    ngff_copy_text(name, sizeof name, ngff_ome_xml_text(x, x->metadata_file));
    ngff_ome_xml_reset(x);
    ngff_status status = read_companion(o, name, &companion, &size, err);
    if (status == NGFF_OK)
        status = ngff_ome_xml_parse(a, companion, size, x, err);
    ngff_free(a, companion);
    return status;
}

static ngff_status prepare(ome *o, ngff_error *err) {
    const char *path = o->s->files[0].path;
    size_t len = strlen(path);
    o->dir = ngff_strdup(o->s->alloc, path);
    o->base = ngff_strdup(o->s->alloc, base_name(path));
    if (o->dir == NULL || o->base == NULL)
        return ngff_fail_nomem(err, "a path", len + 1);
    o->dir[len - strlen(o->base)] = '\0';
    return NGFF_OK;
}

static ngff_status interpret(ome *o, ngff_ome_xml *x, int want, ngff_tiff_list *out,
                             ngff_error *err) {
    o->x = x;
    o->slot_count = 2 * x->data_count + 8;
    o->slots = ngff_calloc(o->s->alloc, o->slot_count, sizeof *o->slots);
    if (o->slots == NULL)
        return ngff_fail_nomem(err, "the files of an OME-TIFF", o->slot_count * 4);
    return make_list(o, want, out, err);
}

ngff_status ngff_tiff_ome(ngff_tiff_set *s, const char *text, size_t size, int want,
                          ngff_tiff_list *out, bool *done, ngff_error *err) {
    ome o = {.s = s};
    ngff_ome_xml x = {.alloc = s->alloc};
    const char *root = strstr(text, "OME");
    *done = false;
    if (text[strspn(text, " \t\r\n\xef\xbb\xbf")] != '<' || root == NULL ||
        strstr(text, "http") == NULL)
        return NGFF_OK;
    ngff_status status = prepare(&o, err);
    if (status == NGFF_OK)
        status = parse(&o, text, size, &x, err);
    if (status == NGFF_OK && x.image_count > 0) {
        status = interpret(&o, &x, want, out, err);
        *done = true;
    }
    if (status != NGFF_OK && err != NULL &&
        !ngff_starts_with(err->message, s->files[0].path))
        ngff_fail_at(err, status, "%s", s->files[0].path);
    ngff_ome_xml_reset(&x);
    ngff_free(s->alloc, o.dir);
    ngff_free(s->alloc, o.base);
    ngff_free(s->alloc, o.slots);
    return status;
}
