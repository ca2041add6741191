/* ImageJ's TIFFs: the description holds lines of key=value. Hyperstacks are stored in the
 * order t, z, c; those over 4 GiB have one directory and all planes behind it. */
#include "source/tiff_series.h"

typedef struct imagej {
    int64_t images, channels, slices, frames;
    double spacing, finterval;
    char unit[32], y_unit[32], z_unit[32], order[8];
} imagej;

/* Units are written with \uXXXX escapes: "\u00B5m". Others are kept as they are. */
static void read_unit(const char *value, char out[32]) {
    static const char *const micro[] = {"\\u00B5", "\\u00b5", "\\u03BC", "\\u03bc"};
    for (size_t i = 0; i < 4; i++) {
        if (ngff_starts_with(value, micro[i])) {
            snprintf(out, 32, "\xc2\xb5%s", value + 6);
            return;
        }
    }
    /* Latin-1, as older versions write it */
    if ((unsigned char)value[0] == 0xb5)
        snprintf(out, 32, "\xc2\xb5%s", value + 1);
    else if (strcmp(value, "pixel") != 0 && strcmp(value, "pixels") != 0 &&
             ngff_utf8_valid(value, strlen(value)))
        ngff_copy_text(out, 32, value);
}

static void read_count(const char *value, int64_t *out) {
    int64_t v = 0;
    if (ngff_parse_i64(value, &v))
        *out = v;
}

static void read_double(const char *value, double *out) {
    double v = 0.0;
    if (ngff_parse_f64(value, &v))
        *out = v;
}

static void read_line(const char *key, const char *value, imagej *m) {
    if (strcmp(key, "images") == 0)
        read_count(value, &m->images);
    else if (strcmp(key, "channels") == 0)
        read_count(value, &m->channels);
    else if (strcmp(key, "slices") == 0)
        read_count(value, &m->slices);
    else if (strcmp(key, "frames") == 0)
        read_count(value, &m->frames);
    else if (strcmp(key, "spacing") == 0)
        read_double(value, &m->spacing);
    else if (strcmp(key, "finterval") == 0)
        read_double(value, &m->finterval);
    else if (strcmp(key, "unit") == 0)
        read_unit(value, m->unit);
    else if (strcmp(key, "yunit") == 0)
        read_unit(value, m->y_unit);
    else if (strcmp(key, "zunit") == 0)
        read_unit(value, m->z_unit);
    else if (strcmp(key, "order") == 0)
        ngff_copy_text(m->order, sizeof m->order, value);
}

static void parse(const char *text, imagej *m) {
    *m = (imagej){.images = 1, .channels = 1, .slices = 1, .frames = 1};
    while (*text != '\0') {
        size_t len = strcspn(text, "\r\n");
        char line[128];
        size_t keep = len < sizeof line - 1 ? len : sizeof line - 1;
        memcpy(line, text, keep);
        line[keep] = '\0';
        char *value = strchr(line, '=');
        if (value != NULL) {
            *value++ = '\0';
            read_line(line, value, m);
        }
        text += len;
        text += strspn(text, "\r\n");
    }
}

static ngff_status calibrate(ngff_tiff_set *s, const imagej *m, ngff_tiff_series *series,
                             ngff_error *err) {
    ngff_tiff_calibration *cal = series->cal;
    ngff_tiff_dir d;
    double x = 0.0, y = 0.0;
    ngff_tiff_dir_init(&d, s->alloc);
    ngff_status status = ngff_tiff_page_dir(s, series->level[0].pages[0], &d, err);
    if (status == NGFF_OK)
        status = ngff_tiff_dir_rational(&d, NGFF_TIFF_X_RESOLUTION, &x, err);
    if (status == NGFF_OK)
        status = ngff_tiff_dir_rational(&d, NGFF_TIFF_Y_RESOLUTION, &y, err);
    ngff_tiff_dir_reset(&d);
    cal[NGFF_TIFF_X].scale = x > 0.0 ? 1.0 / x : 0.0;
    cal[NGFF_TIFF_Y].scale = y > 0.0 ? 1.0 / y : 0.0;
    cal[NGFF_TIFF_Z].scale = m->spacing < 0.0 ? -m->spacing : m->spacing;
    cal[NGFF_TIFF_T].scale = m->finterval;
    ngff_copy_text(cal[NGFF_TIFF_X].unit, 32, m->unit);
    ngff_copy_text(cal[NGFF_TIFF_Y].unit, 32, m->y_unit[0] != '\0' ? m->y_unit : m->unit);
    ngff_copy_text(cal[NGFF_TIFF_Z].unit, 32, m->z_unit[0] != '\0' ? m->z_unit : m->unit);
    if (m->finterval > 0.0)
        ngff_copy_text(cal[NGFF_TIFF_T].unit, 32, "second");
    return status;
}

/* The leading axes, slowest first, for "order=" (SCIFIO writes others than ImageJ's czt).
 */
static void lead_axes(const imagej *m, int64_t rest, char letters[5],
                      int64_t extents[4]) {
    static const char *const orders[][2] = {
        {"ctz", "ZTC"}, {"zct", "TCZ"}, {"ztc", "CTZ"}, {"tcz", "ZCT"}, {"tzc", "CZT"}};
    const char *axes = "TZC";
    char order[8];
    ngff_copy_text(order, sizeof order, m->order);
    for (char *p = order; *p != '\0'; p++)
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        if (strcmp(order, orders[i][0]) == 0)
            axes = orders[i][1];
    letters[0] = 'I';
    extents[0] = rest;
    for (int i = 0; i < 3; i++) {
        letters[i + 1] = axes[i];
        extents[i + 1] = axes[i] == 'T'   ? m->frames
                         : axes[i] == 'Z' ? m->slices
                                          : m->channels;
    }
    letters[4] = '\0';
}

/* How many planes are declared, with samples of a page not counted as channels twice. */
static bool planes_of(imagej *m, const ngff_tiff_layout *l, uint32_t pages,
                      int64_t *images) {
    int64_t tz = 0;
    if (m->frames < 1 || m->slices < 1 || m->channels < 1 || m->images < 1 ||
        !ngff_mul_i64(m->frames, m->slices, &tz))
        return false;
    if (l->samples > 1 && m->channels == l->samples && (l->separate || m->images == tz))
        m->channels = 1;
    if (!ngff_mul_i64(tz, m->channels, images))
        return false;
    if (*images == 1 && pages > 1)
        *images = pages; /* an unnamed axis */
    else if (*images == 1 && pages == 1 && m->images > 1)
        *images = m->images;
    return true;
}

static ngff_status fill_pages(ngff_tiff_set *s, const ngff_tiff_file *f, uint64_t planes,
                              uint32_t layout, ngff_tiff_series *series,
                              ngff_error *err) {
    if (planes > f->page_count)
        return ngff_fail(
            err, NGFF_FORMAT,
            "%s: the ImageJ description declares %llu planes, the file holds %u "
            "(is it truncated?)",
            f->path, (unsigned long long)planes, f->page_count);
    for (uint32_t i = 0; i < planes; i++) {
        uint32_t page = f->page_first + i;
        if (ngff_tiff_page_at(s, page)->layout != layout)
            return ngff_fail(
                err, NGFF_FORMAT,
                "%s: page %u of the ImageJ stack differs from page 0 in shape or "
                "type",
                f->path, i);
        series->level[0].pages[i] = page;
    }
    return NGFF_OK;
}

/* All planes lie behind the first directory, and no other directory follows among them.
 */
static ngff_status is_one_ifd(ngff_tiff_set *s, const ngff_tiff_layout *l, int64_t images,
                              bool *one, ngff_error *err) {
    const ngff_tiff_file *f = &s->files[0];
    uint64_t data = 0, bytes = 0;
    *one = false;
    if (!l->direct || images < 2)
        return NGFF_OK;
    NGFF_TRY(ngff_tiff_data_at(s, f->page_first, &data, err));
    if (data == UINT64_MAX ||
        __builtin_mul_overflow((uint64_t)images, ngff_tiff_page_bytes(l), &bytes) ||
        __builtin_add_overflow(data, bytes, &bytes))
        return NGFF_OK;
    if (f->page_count == 1 && bytes > f->size)
        return ngff_fail(
            err, NGFF_FORMAT,
            "%s: the ImageJ description declares %lld planes that end at byte %llu, "
            "the file has %llu (is it truncated?)",
            f->path, (long long)images, (unsigned long long)bytes,
            (unsigned long long)f->size);
    *one = f->page_count == 1 ||
           (bytes <= f->size && bytes <= ngff_tiff_page_at(s, f->page_first + 1)->ifd);
    return NGFF_OK;
}

ngff_status ngff_tiff_imagej(ngff_tiff_set *s, const char *text, ngff_tiff_list *out,
                             bool *done, ngff_error *err) {
    const ngff_tiff_file *f = &s->files[0];
    uint32_t layout = ngff_tiff_page_at(s, f->page_first)->layout;
    int64_t images = 0, extents[4];
    imagej m;
    bool one = false;
    char letters[5];
    *done = false;
    if (!ngff_starts_with(text, "ImageJ=") && !ngff_starts_with(text, "SCIFIO="))
        return NGFF_OK;
    parse(text, &m);
    if (!planes_of(&m, s->layouts[layout], f->page_count, &images))
        return ngff_fail(
            err, NGFF_FORMAT,
            "%s: the ImageJ description declares %lld channels, %lld slices, %lld "
            "frames",
            f->path, (long long)m.channels, (long long)m.slices, (long long)m.frames);
    NGFF_TRY(is_one_ifd(s, s->layouts[layout], images, &one, err));
    if (!one && images > f->page_count)
        return ngff_fail(
            err, NGFF_FORMAT,
            "%s: the ImageJ description declares %lld planes, the file holds %u "
            "(is it truncated?)",
            f->path, (long long)images, f->page_count);
    ngff_tiff_series *series = NULL;
    NGFF_TRY(ngff_tiff_list_add(out, one ? 1 : (uint64_t)images, &series, err));
    series->planes = (uint64_t)images;
    series->one_ifd = one;
    if (one)
        series->level[0].pages[0] = f->page_first;
    else
        NGFF_TRY(fill_pages(s, f, (uint64_t)images, layout, series, err));
    lead_axes(&m, images / (m.frames * m.slices * m.channels), letters, extents);
    NGFF_TRY(ngff_tiff_series_axes(s, series, letters, extents, false, layout, err));
    *done = true;
    return calibrate(s, &m, series, err);
}
