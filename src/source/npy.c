/* source: NumPy .npy files, format 1.0, 2.0 and 3.0. The header is a Python dictionary
 * literal with exactly the members descr, fortran_order and shape; anything else is
 * refused, nothing is run. */
#include "source/kinds.h"

#define MAGIC "\x93NUMPY"
#define MAGIC_SIZE 6
#define HEADER_MAX ((size_t)64 << 10) /* far beyond what eight axes need */

typedef struct header {
    char descr[32];
    bool fortran;
    int ndim;
    int64_t shape[NGFF_MAX_NDIM];
} header;

/* ---- the dictionary -----------------------------------------------------------------
 */

typedef struct reader {
    const char *at, *end;
    const char *path;
    ngff_error *err;
} reader;

static void skip_blanks(reader *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n'))
        r->at++;
}

static bool accept(reader *r, char c) {
    skip_blanks(r);
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static ngff_status bad(const reader *r, const char *expected) {
    char rest[24] = "its end";
    size_t left = (size_t)(r->end - r->at);
    if (left > 0) {
        size_t n = left < sizeof rest - 1 ? left : sizeof rest - 1;
        memcpy(rest, r->at, n);
        rest[n] = '\0';
    }
    return ngff_fail(r->err, NGFF_FORMAT, "%s: npy header: expected %s, found '%s'",
                     r->path, expected, rest);
}

static ngff_status read_string(reader *r, char *out, size_t out_size,
                               const char *expected) {
    skip_blanks(r);
    if (r->at == r->end || (*r->at != '\'' && *r->at != '"'))
        return bad(r, expected);
    const char *from = r->at + 1;
    const char *to = memchr(from, *r->at, (size_t)(r->end - from));
    if (!to || (size_t)(to - from) >= out_size || memchr(from, '\\', (size_t)(to - from)))
        return bad(r, expected);
    memcpy(out, from, (size_t)(to - from));
    out[to - from] = '\0';
    r->at = to + 1;
    return NGFF_OK;
}

static bool accept_word(reader *r, const char *word) {
    skip_blanks(r);
    size_t len = strlen(word);
    if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0)
        return false;
    r->at += len;
    return true;
}

static ngff_status read_bool(reader *r, bool *out) {
    *out = accept_word(r, "True");
    if (*out || accept_word(r, "False"))
        return NGFF_OK;
    return bad(r, "True or False");
}

static ngff_status read_extent(reader *r, int64_t *out) {
    char digits[24];
    size_t n = 0;
    skip_blanks(r);
    while (r->at + n < r->end && n < sizeof digits - 1 && r->at[n] >= '0' &&
           r->at[n] <= '9') {
        digits[n] = r->at[n];
        n++;
    }
    digits[n] = '\0';
    if (n == 0 || !ngff_parse_i64(digits, out))
        return bad(r, "an extent below 2^63");
    r->at += n;
    if (r->at < r->end && *r->at == 'L') /* written by Python 2 */
        r->at++;
    return NGFF_OK;
}

static ngff_status read_shape(reader *r, header *h) {
    if (!accept(r, '('))
        return bad(r, "a tuple of extents");
    h->ndim = 0;
    while (!accept(r, ')')) {
        if (h->ndim == NGFF_MAX_NDIM)
            return ngff_fail(r->err, NGFF_UNSUPPORTED,
                             "%s: npy header: more than %d axes", r->path, NGFF_MAX_NDIM);
        NGFF_TRY(read_extent(r, &h->shape[h->ndim++]));
        if (accept(r, ','))
            continue;
        if (!accept(r, ')') || h->ndim == 1) /* "(5)" is a number, "(5,)" a tuple */
            return bad(r, "',' or ')'");
        return NGFF_OK;
    }
    return NGFF_OK;
}

static ngff_status read_descr(reader *r, header *h) {
    skip_blanks(r);
    if (r->at < r->end && *r->at == '[')
        return ngff_fail(r->err, NGFF_UNSUPPORTED,
                         "%s: npy header: a structured data type, expected one number "
                         "per element",
                         r->path);
    return read_string(r, h->descr, sizeof h->descr, "a data type in quotes");
}

/* One `'key': value`; *seen has a bit for each key. */
static ngff_status read_member(reader *r, header *h, unsigned *seen) {
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    char key[16];
    const char *before = r->at;
    NGFF_TRY(read_string(r, key, sizeof key, "a key in quotes"));
    unsigned i = 0;
    while (i < 3 && strcmp(key, keys[i]) != 0)
        i++;
    if (i == 3 || (*seen & (1u << i))) {
        r->at = before;
        return bad(r, "each of descr, fortran_order and shape once");
    }
    *seen |= 1u << i;
    if (!accept(r, ':'))
        return bad(r, "':'");
    if (i == 0)
        return read_descr(r, h);
    return i == 1 ? read_bool(r, &h->fortran) : read_shape(r, h);
}

static ngff_status read_dictionary(reader *r, header *h) {
    unsigned seen = 0;
    if (!accept(r, '{'))
        return bad(r, "'{'");
    while (!accept(r, '}')) {
        NGFF_TRY(read_member(r, h, &seen));
        if (accept(r, ','))
            continue;
        if (!accept(r, '}'))
            return bad(r, "',' or '}'");
        break;
    }
    if (seen != 7)
        return bad(r, "the keys descr, fortran_order and shape");
    skip_blanks(r);
    while (r->at < r->end && *r->at == '\0') /* some writers pad with zeros */
        r->at++;
    return r->at == r->end ? NGFF_OK : bad(r, "blanks after '}'");
}

/* ---- the file ------------------------------------------------------------------------
 */

bool ngff_source_detect_npy(const unsigned char *head, size_t n, const char *path) {
    (void)path;
    return n >= MAGIC_SIZE && memcmp(head, MAGIC, MAGIC_SIZE) == 0;
}

/* Where the dictionary lies: after 10 bytes in format 1, 12 in formats 2 and 3. */
static ngff_status read_prefix(ngff_source_strided *s, size_t *at, size_t *size,
                               ngff_error *err) {
    const char *path = s->base.location;
    unsigned char prefix[12];
    size_t got = 0;
    NGFF_TRY(ngff_file_pread(&s->file, prefix, sizeof prefix, 0, &got, path, err));
    if (got < sizeof prefix || memcmp(prefix, MAGIC, MAGIC_SIZE) != 0)
        return ngff_fail(err, NGFF_FORMAT, "%s: %zu bytes, no npy header", path, got);
    if (prefix[6] < 1 || prefix[6] > 3 || prefix[7] != 0)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "%s: npy format %d.%d, expected 1.0, 2.0 or 3.0", path,
                         prefix[6], prefix[7]);
    *at = prefix[6] == 1 ? 10 : 12;
    *size = prefix[6] == 1 ? ngff_load_u16le(prefix + 8) : ngff_load_u32le(prefix + 8);
    if (*size > HEADER_MAX)
        return ngff_fail(err, NGFF_LIMIT,
                         "%s: npy header of %zu bytes, at most %zu are read", path, *size,
                         HEADER_MAX);
    return NGFF_OK;
}

static ngff_status read_header(ngff_source_strided *s, header *h, ngff_error *err) {
    const char *path = s->base.location;
    size_t at = 0, size = 0, got = 0;
    NGFF_TRY(read_prefix(s, &at, &size, err));
    char *text = ngff_alloc(s->base.alloc, size);
    if (!text)
        return ngff_fail_nomem(err, "npy header", size);
    ngff_status status = ngff_file_pread(&s->file, text, size, at, &got, path, err);
    if (status == NGFF_OK && got < size)
        status = ngff_fail(err, NGFF_FORMAT,
                           "%s: npy header of %zu bytes announced, %zu are there", path,
                           size, got);
    reader r = {text, text + got, path, err};
    if (status == NGFF_OK)
        status = read_dictionary(&r, h);
    ngff_free(s->base.alloc, text);
    s->layout.offset = at + size;
    return status;
}

static ngff_status fill(ngff_source_strided *s, const ngff_source_open_opts *opts,
                        ngff_error *err) {
    header h = {.ndim = 0};
    NGFF_TRY(read_header(s, &h, err));
    ngff_source_layout *l = &s->layout;
    l->dtype = ngff_dtype_from_typestr(h.descr, &l->swap);
    if (l->dtype == NGFF_DTYPE_NONE)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "%s: npy data type '%s', expected bool, integer, float or "
                         "complex",
                         l->path, h.descr);
    l->ndim = h.ndim;
    memcpy(l->shape, h.shape, sizeof l->shape);
    ngff_source_layout_strides(l, h.fortran);
    return ngff_source_strided_finish(s, opts->dims, err);
}

static const ngff_source_vtable npy_ops = {
    .kind = "npy",
    .read = ngff_source_strided_read,
    .close = ngff_source_strided_close,
};

ngff_status ngff_source_open_npy(const ngff_allocator *a, const char *path,
                                 const ngff_source_open_opts *opts, ngff_source **out,
                                 ngff_error *err) {
    ngff_source_strided *s = NULL;
    *out = NULL;
    NGFF_TRY(ngff_source_strided_new(a, sizeof *s, &npy_ops, path, &s, err));
    ngff_source *base = &s->base;
    ngff_status status = fill(s, opts, err);
    if (status != NGFF_OK)
        ngff_source_drop(&base);
    *out = base;
    return status;
}
