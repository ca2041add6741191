/* Series of TIFF pages: the list, their axes and their levels. */
#include "source/tiff_series.h"

void ngff_tiff_list_init(ngff_tiff_list *l, const ngff_allocator *a) {
    *l = (ngff_tiff_list){.alloc = a};
}

static void series_reset(const ngff_allocator *a, ngff_tiff_series *s) {
    for (int i = 0; i < NGFF_TIFF_LEVELS; i++)
        ngff_free(a, s->level[i].pages);
    ngff_free(a, s->channels);
}

void ngff_tiff_list_reset(ngff_tiff_list *l) {
    for (size_t i = 0; i < l->count; i++)
        series_reset(l->alloc, &l->items[i]);
    ngff_free(l->alloc, l->items);
    ngff_tiff_list_init(l, l->alloc);
}

static uint32_t *page_table(const ngff_allocator *a, uint64_t planes) {
    size_t size = 0;
    if (!ngff_mul_size((size_t)planes, sizeof(uint32_t), &size))
        return NULL;
    uint32_t *pages = ngff_alloc(a, size);
    if (pages != NULL)
        memset(pages, 0xff, size); /* NGFF_TIFF_NONE */
    return pages;
}

ngff_status ngff_tiff_list_add(ngff_tiff_list *l, uint64_t planes, ngff_tiff_series **out,
                               ngff_error *err) {
    if (l->count == l->capacity) {
        size_t capacity = l->capacity == 0 ? 4 : l->capacity * 2;
        ngff_tiff_series *items = ngff_realloc(
            l->alloc, l->items, l->capacity * sizeof *items, capacity * sizeof *items);
        if (items == NULL)
            return ngff_fail_nomem(err, "the images of a TIFF", capacity * sizeof *items);
        l->items = items;
        l->capacity = capacity;
    }
    ngff_tiff_series *s = &l->items[l->count];
    memset(s, 0, sizeof *s);
    s->level[0].pages = page_table(l->alloc, planes);
    if (s->level[0].pages == NULL)
        return ngff_fail_nomem(err, "the planes of a TIFF", (size_t)planes * 4);
    s->planes = planes;
    s->level_count = 1;
    l->count++;
    *out = s;
    return NGFF_OK;
}

static void push_axis(ngff_tiff_series *series, char letter, int64_t extent) {
    series->axes[series->ndim] = letter;
    series->shape[series->ndim++] = extent;
}

ngff_status ngff_tiff_series_axes(const ngff_tiff_set *s, ngff_tiff_series *series,
                                  const char *lead, const int64_t *shape, bool keep,
                                  uint32_t layout, ngff_error *err) {
    const ngff_tiff_layout *l = s->layouts[layout];
    series->ndim = 0;
    series->level[0].layout = layout;
    for (int i = 0; lead[i] != '\0'; i++) {
        if (shape[i] == 1 && !keep)
            continue;
        if (series->ndim == NGFF_MAX_NDIM - 3)
            return ngff_fail(err, NGFF_UNSUPPORTED, "%s: axes %s before those of a page",
                             s->files[0].path, lead);
        push_axis(series, lead[i], shape[i]);
    }
    series->lead = series->ndim;
    if (l->separate)
        push_axis(series, 'S', l->samples);
    push_axis(series, 'Y', l->height);
    push_axis(series, 'X', l->width);
    if (!l->separate && l->samples > 1)
        push_axis(series, 'S', l->samples);
    series->axes[series->ndim] = '\0';
    return NGFF_OK;
}

bool ngff_tiff_is_reduction(const ngff_tiff_layout *large, const ngff_tiff_layout *small,
                            uint32_t most) {
    if (large->dtype != small->dtype || large->samples != small->samples ||
        large->separate != small->separate)
        return false;
    for (int64_t f = 2; f <= most; f++) {
        int64_t dx = (int64_t)small->width * f - large->width;
        int64_t dy = (int64_t)small->height * f - large->height;
        /* rounded down or up */
        if (dx > -f && dx < f && dy > -f && dy < f)
            return true;
    }
    return false;
}

/* ---- levels in SubIFDs
 * ----------------------------------------------------------------- */

/* SubIFD number `idx` of `page`; NGFF_TIFF_NONE when it has none. */
static ngff_status sub_page(ngff_tiff_set *s, uint32_t page, uint64_t idx, uint32_t *out,
                            ngff_error *err) {
    uint32_t file = ngff_tiff_page_at(s, page)->file;
    uint64_t at = 0;
    ngff_tiff_dir d;
    *out = NGFF_TIFF_NONE;
    ngff_tiff_dir_init(&d, s->alloc);
    ngff_status status = ngff_tiff_page_dir(s, page, &d, err);
    if (status == NGFF_OK)
        status = ngff_tiff_dir_uint(&d, NGFF_TIFF_SUBIFDS, idx, 0, &at, err);
    if (status == NGFF_OK && at != 0) {
        status = ngff_tiff_dir_read(&d, &s->files[file], at, err);
        if (status == NGFF_OK)
            status = ngff_tiff_page_add(s, file, &d, out, err);
        if (status == NGFF_OK && ngff_tiff_page_at(s, *out)->layout == NGFF_TIFF_NONE)
            *out = NGFF_TIFF_NONE;
    }
    ngff_tiff_dir_reset(&d);
    return status;
}

static uint32_t first_page(const ngff_tiff_series *series) {
    for (uint64_t i = 0; i < series->planes; i++)
        if (series->level[0].pages[i] != NGFF_TIFF_NONE)
            return series->level[0].pages[i];
    return NGFF_TIFF_NONE;
}

ngff_status ngff_tiff_series_sublevels(ngff_tiff_set *s, ngff_tiff_series *series,
                                       ngff_error *err) {
    uint32_t first = series->one_ifd ? NGFF_TIFF_NONE : first_page(series), page = 0;
    if (first == NGFF_TIFF_NONE || series->level_count > 1)
        return NGFF_OK;
    const ngff_tiff_file *f = NULL;
    uint32_t file = ngff_tiff_page_at(s, first)->file;
    ngff_status status = ngff_tiff_pin(s, file, &f, err);
    if (status != NGFF_OK)
        return status;
    for (int i = 1; i < NGFF_TIFF_LEVELS; i++) {
        uint32_t above = series->level[i - 1].layout;
        status = sub_page(s, first, (uint64_t)i - 1, &page, err);
        if (status != NGFF_OK || page == NGFF_TIFF_NONE)
            break;
        uint32_t layout = ngff_tiff_page_at(s, page)->layout;
        if (!ngff_tiff_is_reduction(s->layouts[above], s->layouts[layout], 64))
            break;
        series->level[i].layout = layout;
        series->level_count = i + 1;
    }
    ngff_tiff_unpin(s, file);
    return status;
}

static ngff_status find_sub_pages(ngff_tiff_set *s, const ngff_tiff_series *series,
                                  int level, uint32_t *pages, ngff_error *err) {
    for (uint64_t i = 0; i < series->planes; i++) {
        uint32_t above = series->level[0].pages[i];
        if (above == NGFF_TIFF_NONE)
            continue;
        const ngff_tiff_file *f = NULL;
        uint32_t file = ngff_tiff_page_at(s, above)->file;
        NGFF_TRY(ngff_tiff_pin_locked(s, file, &f, err));
        ngff_status status = sub_page(s, above, (uint64_t)level - 1, &pages[i], err);
        ngff_tiff_unpin_locked(s, file);
        if (status != NGFF_OK)
            return status;
        if (pages[i] == NGFF_TIFF_NONE ||
            !ngff_tiff_same_pixels(ngff_tiff_layout_of(s, ngff_tiff_page_at(s, pages[i])),
                                   s->layouts[series->level[level].layout]))
            return ngff_fail(err, NGFF_FORMAT,
                             "%s: level %d of plane %llu is missing or of another shape",
                             f->path, level, (unsigned long long)i);
    }
    return NGFF_OK;
}

ngff_status ngff_tiff_series_pages(ngff_tiff_set *s, ngff_tiff_series *series, int level,
                                   const uint32_t **out, ngff_error *err) {
    assert(level >= 0 && level < series->level_count);
    ngff_tiff_level *l = &series->level[level];
    ngff_status status = NGFF_OK;
    if (level == 0) {
        *out = l->pages;
        return NGFF_OK;
    }
    ngff_mutex_lock(s->lock);
    if (l->pages == NULL) {
        uint32_t *pages = page_table(s->alloc, series->planes);
        status = pages == NULL ? ngff_fail_nomem(err, "the planes of a TIFF level",
                                                 (size_t)series->planes * 4)
                               : find_sub_pages(s, series, level, pages, err);
        if (status == NGFF_OK)
            l->pages = pages;
        else
            ngff_free(s->alloc, pages);
    }
    *out = l->pages;
    ngff_mutex_unlock(s->lock);
    return status;
}
