/* source: text headers and what they announce. */
#include "source/headed.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define HEADER_MOST ((size_t)1 << 20)

ngff_status ngff_headed_new(const ngff_allocator *a, const ngff_source_vtable *ops,
                            const char *path, ngff_source_headed **out, ngff_error *err) {
    ngff_source_strided *s = NULL;
    uint64_t size = 0, whole;
    *out = NULL;
    NGFF_TRY(ngff_source_strided_new(a, sizeof(ngff_source_headed), ops, path, &s, err));
    ngff_source_headed *h = (ngff_source_headed *)s;
    ngff_source *base = &s->base;
    ngff_status status = ngff_file_size(&s->file, &size, path, err);
    if (status == NGFF_OK) {
        whole = size;
        size = size < HEADER_MOST ? size : HEADER_MOST;
        h->text = ngff_alloc(a, (size_t)size + 1);
        status = h->text == NULL ? ngff_fail_nomem(err, "header", (size_t)size) : NGFF_OK;
    }
    if (status == NGFF_OK)
        status =
            ngff_file_pread(&s->file, h->text, (size_t)size, 0, &h->text_size, path, err);
    if (status == NGFF_OK && size == whole && h->text_size > 0 &&
        h->text[h->text_size - 1] != '\n')
        h->text[h->text_size++] = '\n'; /* the last line may lack its end */
    if (status != NGFF_OK)
        ngff_source_drop(&base);
    else
        *out = h;
    return status;
}

char *ngff_headed_trimmed(char *text) {
    text += strspn(text, " \t");
    for (size_t n = strlen(text); n > 0 && strchr(" \t", text[n - 1]) != NULL; n--)
        text[n - 1] = '\0';
    return text;
}

const char *ngff_headed_spelled(const ngff_headed_name *names, int field) {
    while (names->field != field)
        names++;
    assert(names->name != NULL);
    return names->name;
}

bool ngff_headed_field(const ngff_headed_name *names, char *name, char *value,
                       char **values) {
    name = ngff_headed_trimmed(name);
    for (char *p = name; *p != '\0'; p++)
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
    while (names->name != NULL && strcmp(names->name, name) != 0)
        names++;
    if (names->name == NULL)
        return true;
    if (values[names->field] != NULL)
        return false;
    values[names->field] = ngff_headed_trimmed(value);
    return true;
}

char *ngff_headed_line(ngff_source_headed *h) {
    char *line = h->text + h->at;
    size_t left = h->text_size - h->at;
    char *end = left > 0 ? memchr(line, '\n', left) : NULL;
    if (end == NULL)
        return NULL;
    h->at += (size_t)(end - line) + 1;
    *end = '\0';
    if (end > line && end[-1] == '\r')
        end[-1] = '\0';
    return line;
}

/* The word at *text, which moves behind it; false: none, or a longer one. */
static bool word_of(const char **text, char out[64]) {
    const char *p = *text + strspn(*text, " \t");
    size_t n = strcspn(p, " \t");
    if (n == 0 || n > 63)
        return false;
    memcpy(out, p, n);
    out[n] = '\0';
    *text = p + n;
    return true;
}

static bool at_end(const char *text) {
    return text[strspn(text, " \t")] == '\0';
}

int ngff_headed_reals(const char *text, double *out, int most) {
    char word[64];
    int n = 0;
    for (; !at_end(text); n++) {
        double value = NAN;
        if (n == most)
            return most + 1;
        if (!word_of(&text, word) ||
            (strcmp(word, "nan") != 0 && strcmp(word, "NaN") != 0 &&
             !ngff_parse_f64(word, &value)))
            return -1;
        out[n] = value;
    }
    return n;
}

int ngff_headed_whole(const char *text, int64_t *out, int most) {
    char word[64];
    int n = 0;
    for (; !at_end(text); n++) {
        if (n == most)
            return most + 1;
        if (!word_of(&text, word) || !ngff_parse_i64(word, &out[n]))
            return -1;
    }
    return n;
}

/* ---- the pixels -------------------------------------------------------------------- */

/* Not a way out of the header's directory. */
static bool is_below(const char *name) {
    if (name[0] == '\0' || name[0] == '/' || strchr(name, '\\') != NULL)
        return false;
    for (const char *p = name; *p != '\0'; p += strcspn(p, "/"), p += *p == '/')
        if (strncmp(p, "..", 2) == 0 && (p[2] == '/' || p[2] == '\0'))
            return false;
    return true;
}

ngff_status ngff_headed_detach(ngff_source_headed *h, const char *name, ngff_error *err) {
    ngff_source *s = &h->strided.base;
    const char *slash = strrchr(s->location, '/');
    size_t dir = slash != NULL ? (size_t)(slash - s->location) + 1 : 0;
    if (ngff_starts_with(name, "LIST") || strchr(name, '%') != NULL)
        return ngff_fail(err, NGFF_UNSUPPORTED, "%s: pixels in several files (%.80s)",
                         s->location, name);
    if (!is_below(name))
        return ngff_fail(err, NGFF_FORMAT,
                         "%s: its pixels are in '%.100s', expected a file in the same "
                         "directory or below it",
                         s->location, name);
    size_t size = dir + strlen(name) + 1;
    h->data_path = ngff_alloc(s->alloc, size);
    if (h->data_path == NULL)
        return ngff_fail_nomem(err, "a path", size);
    snprintf(h->data_path, size, "%.*s%s", (int)dir, s->location, name);
    ngff_path_kind kind = NGFF_PATH_NONE;
    NGFF_TRY(ngff_path_kind_of(h->data_path, &kind, err));
    if (kind != NGFF_PATH_FILE)
        return ngff_fail(err, NGFF_NOT_FOUND,
                         "%s: its pixels are in the file '%.100s', which is missing",
                         s->location, name);
    ngff_file_close(&h->strided.file);
    h->strided.file = (ngff_file)NGFF_FILE_INIT;
    ngff_status status =
        ngff_file_open(&h->strided.file, h->data_path, NGFF_OPEN_READ, err);
    if (status != NGFF_OK) {
        h->strided.file = (ngff_file)NGFF_FILE_INIT;
        return ngff_fail_at(err, status, "%s: its pixels", s->location);
    }
    h->strided.layout.path = h->data_path;
    return NGFF_OK;
}

static ngff_status set_offset(ngff_source_headed *h, int64_t begin, size_t bytes,
                              bool stream, int64_t skip, ngff_error *err) {
    ngff_source_layout *l = &h->strided.layout;
    uint64_t size = 0;
    l->offset = stream ? (uint64_t)skip : (uint64_t)begin;
    if (begin >= 0)
        return stream ? ngff_source_strided_inflate(&h->strided, (uint64_t)begin, err)
                      : NGFF_OK;
    NGFF_TRY(ngff_file_size(&h->strided.file, &size, l->path, err));
    if (bytes > size)
        return ngff_fail(err, NGFF_FORMAT,
                         "%s: %" PRIu64 " bytes, the header announces %zu of pixels",
                         l->path, size, bytes);
    l->offset = size - bytes;
    return NGFF_OK;
}

ngff_status ngff_headed_finish(ngff_source_headed *h, int64_t begin, bool stream,
                               int64_t skip, const char *dims, ngff_error *err) {
    ngff_source_layout *l = &h->strided.layout;
    ngff_free(h->strided.base.alloc, h->text);
    h->text = NULL;
    assert(!stream || begin >= 0);
    for (int i = 0; i < l->ndim; i++)
        if (l->shape[i] < 1)
            return ngff_fail(err, NGFF_FORMAT, "%s: an axis of %" PRId64 " pixels",
                             h->strided.base.location, l->shape[i]);
    size_t bytes = 0;
    if (ngff_nd_bytes(l->ndim, l->shape, l->dtype, &bytes, NULL) != NGFF_OK)
        return ngff_fail(err, NGFF_FORMAT, "%s: its extents multiply beyond 64 bits",
                         h->strided.base.location);
    NGFF_TRY(set_offset(h, begin, bytes, stream, skip, err));
    ngff_source_layout_strides(l, false);
    return ngff_source_strided_finish(&h->strided, dims, err);
}

void ngff_headed_close(ngff_source *s) {
    ngff_source_headed *h = (ngff_source_headed *)s;
    ngff_source_strided_close(s);
    ngff_free(s->alloc, h->text);
    ngff_free(s->alloc, h->data_path);
}
