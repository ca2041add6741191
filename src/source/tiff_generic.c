/* TIFF files that say little about their pages: pages of one kind are one image (as
 * tifffile groups them), smaller kinds are its pyramid. And files that tifffile wrote
 * with a shape. */
#include "source/tiff_series.h"

/* XResolution counts pixels per ResolutionUnit (TIFF 6.0 section 8). Centimetres are
 * written on purpose; inches are mostly a default of the writer, so they are taken only
 * where no printer or screen has so many pixels. */
static ngff_status read_resolution(ngff_tiff_set *s, uint32_t page, double *x, double *y,
                                   uint64_t *unit, ngff_error *err) {
    ngff_tiff_dir d;
    ngff_tiff_dir_init(&d, s->alloc);
    ngff_status status = ngff_tiff_page_dir(s, page, &d, err);
    if (status == NGFF_OK)
        status = ngff_tiff_dir_uint(&d, NGFF_TIFF_RESOLUTION_UNIT, 0, 2, unit, err);
    if (status == NGFF_OK)
        status = ngff_tiff_dir_rational(&d, NGFF_TIFF_X_RESOLUTION, x, err);
    if (status == NGFF_OK)
        status = ngff_tiff_dir_rational(&d, NGFF_TIFF_Y_RESOLUTION, y, err);
    ngff_tiff_dir_reset(&d);
    return status;
}

ngff_status ngff_tiff_resolution(ngff_tiff_set *s, ngff_tiff_series *series,
                                 ngff_error *err) {
    const ngff_tiff_file *f = NULL;
    uint32_t page = series->level[0].pages[0], file = ngff_tiff_page_at(s, page)->file;
    uint64_t unit = 2;
    double x = 0.0, y = 0.0;
    NGFF_TRY(ngff_tiff_pin(s, file, &f, err));
    ngff_status status = read_resolution(s, page, &x, &y, &unit, err);
    ngff_tiff_unpin(s, file);
    double micrometers = unit == 3 ? 10000.0 : unit == 2 ? 25400.0 : 0.0;
    if (status != NGFF_OK || micrometers <= 0.0 || x <= 0.0 || y <= 0.0 ||
        (unit == 2 && (x <= 2400.0 || y <= 2400.0)))
        return status;
    ngff_tiff_calibration *cal = series->cal;
    cal[NGFF_TIFF_X].scale = micrometers / x;
    cal[NGFF_TIFF_Y].scale = micrometers / y;
    ngff_copy_text(cal[NGFF_TIFF_X].unit, sizeof cal->unit, "micrometer");
    ngff_copy_text(cal[NGFF_TIFF_Y].unit, sizeof cal->unit, "micrometer");
    return NGFF_OK;
}

/* ---- one series per kind of page
 * ------------------------------------------------------- */

static uint64_t count_kind(const ngff_tiff_set *s, const ngff_tiff_file *f,
                           uint32_t layout) {
    uint64_t n = 0;
    for (uint32_t i = 0; i < f->page_count; i++)
        n += ngff_tiff_page_at(s, f->page_first + i)->layout == layout;
    return n;
}

static ngff_status add_kind(ngff_tiff_set *s, const ngff_tiff_file *f, uint32_t layout,
                            ngff_tiff_list *out, ngff_error *err) {
    ngff_tiff_series *series = NULL;
    uint64_t n = 0;
    NGFF_TRY(ngff_tiff_list_add(out, count_kind(s, f, layout), &series, err));
    for (uint32_t i = 0; i < f->page_count; i++)
        if (ngff_tiff_page_at(s, f->page_first + i)->layout == layout)
            series->level[0].pages[n++] = f->page_first + i;
    const int64_t extent = (int64_t)n;
    NGFF_TRY(ngff_tiff_series_axes(s, series, "I", &extent, false, layout, err));
    return ngff_tiff_resolution(s, series, err);
}

/* `small` continues the pyramid of `large`: one reduction below its last level, unless
 * the file marks it as reduced, in which case any factor does. */
static bool continues(const ngff_tiff_set *s, const ngff_tiff_series *large,
                      const ngff_tiff_series *small) {
    const ngff_tiff_level *last = &large->level[large->level_count - 1];
    const ngff_tiff_layout *b = s->layouts[small->level[0].layout];
    const ngff_tiff_layout *a = s->layouts[last->layout];
    bool marked = ngff_tiff_page_at(s, small->level[0].pages[0])->reduced;
    return large->planes == small->planes && large->level_count < NGFF_TIFF_LEVELS &&
           (marked || a->tiled == b->tiled) &&
           ngff_tiff_is_reduction(a, b, marked ? 64 : 4);
}

/* Turns series that are reductions of an earlier one into its levels. */
static void fold_pyramids(const ngff_tiff_set *s, ngff_tiff_list *list, size_t first) {
    for (size_t i = first; i < list->count; i++) {
        for (size_t j = i + 1; j < list->count;) {
            ngff_tiff_series *large = &list->items[i], *small = &list->items[j];
            if (!continues(s, large, small)) {
                j++;
                continue;
            }
            large->level[large->level_count++] = small->level[0];
            memmove(small, small + 1, (list->count - j - 1) * sizeof *small);
            list->count--;
        }
    }
}

ngff_status ngff_tiff_generic(ngff_tiff_set *s, uint32_t file, ngff_tiff_list *out,
                              ngff_error *err) {
    const ngff_tiff_file *f = &s->files[file];
    size_t first = out->count;
    bool seen[NGFF_TIFF_LAYOUTS] = {false};
    for (uint32_t i = 0; i < f->page_count; i++) {
        uint32_t layout = ngff_tiff_page_at(s, f->page_first + i)->layout;
        if (layout == NGFF_TIFF_NONE || seen[layout])
            continue;
        seen[layout] = true;
        NGFF_TRY(add_kind(s, f, layout, out, err));
    }
    fold_pyramids(s, out, first);
    for (size_t i = first; i < out->count; i++)
        NGFF_TRY(ngff_tiff_series_sublevels(s, &out->items[i], err));
    return NGFF_OK;
}

/* ---- tifffile's {"shape": [...]}
 * ------------------------------------------------------- */

typedef struct shaped {
    int ndim;
    int64_t shape[NGFF_MAX_NDIM];
    char axes[NGFF_MAX_NDIM + 1]; /* "" when not given */
    char name[256];
} shaped;

/* The text after `"key":` and blanks, or NULL. tifffile's own JSON is flat enough for
 * this. */
static const char *value_of(const char *text, const char *key) {
    const char *p = strstr(text, key);
    if (p == NULL)
        return NULL;
    p += strlen(key);
    return p + strspn(p, " \t\r\n:");
}

static bool parse_extents(const char *p, shaped *out) {
    if (*p != '[' && *p != '(')
        return false;
    p++;
    out->ndim = 0;
    for (;;) {
        p += strspn(p, " ,\t\r\n");
        if (*p == ']' || *p == ')')
            return out->ndim > 0;
        size_t len = strspn(p, "0123456789");
        char digits[16];
        if (len == 0 || len >= sizeof digits || out->ndim == NGFF_MAX_NDIM)
            return false;
        memcpy(digits, p, len);
        digits[len] = '\0';
        if (!ngff_parse_i64(digits, &out->shape[out->ndim]) || out->shape[out->ndim] < 1)
            return false;
        out->ndim++;
        p += len;
    }
}

static bool parse_text(const char *p, char *out, size_t size) {
    if (p == NULL || *p != '"')
        return false;
    size_t len = strcspn(p + 1, "\"\\");
    if (p[1 + len] != '"' || len >= size)
        return false;
    memcpy(out, p + 1, len);
    out[len] = '\0';
    return true;
}

static bool parse_shaped(const char *text, shaped *out) {
    memset(out, 0, sizeof *out);
    const char *extents = NULL;
    if (text[0] == '{')
        extents = value_of(text, "\"shape\"");
    else if (ngff_starts_with(text, "shape="))
        extents = text + 6;
    if (extents == NULL || !parse_extents(extents, out))
        return false;
    if (!parse_text(value_of(text, "\"axes\""), out->axes, sizeof out->axes) ||
        strlen(out->axes) != (size_t)out->ndim)
        out->axes[0] = '\0';
    if (!parse_text(value_of(text, "\"name\""), out->name, sizeof out->name))
        out->name[0] = '\0';
    return true;
}

static ngff_status page_shaped(ngff_tiff_set *s, uint32_t page, shaped *out, bool *found,
                               ngff_error *err) {
    ngff_tiff_dir d;
    char *text = NULL;
    size_t size = 0;
    ngff_tiff_dir_init(&d, s->alloc);
    ngff_status status = ngff_tiff_page_dir(s, page, &d, err);
    if (status == NGFF_OK)
        status = ngff_tiff_dir_text(&d, NGFF_TIFF_DESCRIPTION, &text, &size, err);
    *found = status == NGFF_OK && text != NULL && parse_shaped(text, out);
    ngff_free(s->alloc, text);
    ngff_tiff_dir_reset(&d);
    return status;
}

/* Splits the declared shape into leading extents and those of a page. Extents of 1 that
 * the page does not have are passed over. *lead: how many lead; false: they do not fit.
 */
static bool split_shape(const shaped *m, const ngff_tiff_layout *l, int *lead) {
    int64_t page[3];
    int n = 0;
    if (l->separate)
        page[n++] = l->samples;
    page[n++] = l->height;
    page[n++] = l->width;
    if (!l->separate && l->samples > 1)
        page[n++] = l->samples;
    int at = m->ndim;
    while (n > 0 && at > 0) {
        if (m->shape[at - 1] == page[n - 1])
            n--;
        else if (m->shape[at - 1] != 1)
            return false;
        at--;
    }
    *lead = at;
    return n == 0;
}

/* One image beginning at page `first` (of `left`); *used: pages it takes, 0: not shaped.
 */
static ngff_status add_shaped(ngff_tiff_set *s, uint32_t first, uint32_t left,
                              ngff_tiff_list *out, uint32_t *used, ngff_error *err) {
    const ngff_tiff_page *page = ngff_tiff_page_at(s, first);
    shaped m;
    bool found = false;
    int lead = 0;
    int64_t planes = 1;
    *used = 0;
    if (page->layout == NGFF_TIFF_NONE)
        return NGFF_OK;
    NGFF_TRY(page_shaped(s, first, &m, &found, err));
    const ngff_tiff_layout *l = ngff_tiff_layout_of(s, page);
    if (!found || !split_shape(&m, l, &lead) ||
        ngff_nd_volume(lead, m.shape, &planes, NULL) != NGFF_OK || lead > 5)
        return NGFF_OK;
    uint64_t data = UINT64_MAX, bytes = 0;
    bool one = planes > 1 && (left < (uint64_t)planes ||
                              ngff_tiff_page_at(s, first + 1)->layout != page->layout);
    if (one) { /* a truncated series: all planes behind the one directory */
        NGFF_TRY(ngff_tiff_data_at(s, first, &data, err));
        if (data == UINT64_MAX ||
            __builtin_mul_overflow((uint64_t)planes, ngff_tiff_page_bytes(l), &bytes) ||
            bytes > s->files[page->file].size - data)
            return NGFF_OK;
    }
    ngff_tiff_series *series = NULL;
    char letters[NGFF_MAX_NDIM + 1] = "";
    NGFF_TRY(ngff_tiff_list_add(out, one ? 1 : (uint64_t)planes, &series, err));
    for (int i = 0; i < lead; i++)
        letters[i] = m.axes[0] != '\0' ? m.axes[i] : 'Q';
    series->planes = (uint64_t)planes;
    series->one_ifd = one;
    ngff_copy_text(series->name, sizeof series->name, m.name);
    for (int64_t i = 0; i < (one ? 1 : planes); i++) {
        if (ngff_tiff_page_at(s, first + (uint32_t)i)->layout != page->layout)
            return NGFF_OK;
        series->level[0].pages[i] = first + (uint32_t)i;
    }
    NGFF_TRY(ngff_tiff_series_axes(s, series, letters, m.shape, true, page->layout, err));
    NGFF_TRY(ngff_tiff_resolution(s, series, err));
    NGFF_TRY(ngff_tiff_series_sublevels(s, series, err));
    *used = one ? 1 : (uint32_t)planes;
    return NGFF_OK;
}

ngff_status ngff_tiff_shaped(ngff_tiff_set *s, ngff_tiff_list *out, bool *done,
                             ngff_error *err) {
    const ngff_tiff_file *f = &s->files[0];
    *done = false;
    for (uint32_t i = 0; i < f->page_count;) {
        uint32_t used = 0;
        NGFF_TRY(add_shaped(s, f->page_first + i, f->page_count - i, out, &used, err));
        if (used == 0) { /* one that is not makes all of them doubtful */
            ngff_tiff_list_reset(out);
            return NGFF_OK;
        }
        i += used;
    }
    fold_pyramids(s, out, 0);
    *done = out->count > 0;
    return NGFF_OK;
}
