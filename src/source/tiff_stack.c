/* A folder or a pattern of TIFF files as one stack: one file per slice, in the natural
 * order of their names (slice2 before slice10). */
#include "source/tiff_open.h"

typedef struct names {
    const ngff_allocator *alloc;
    const char *pattern; /* of the last part; NULL: any TIFF extension */
    char **items;
    size_t count, capacity;
} names;

/* ---- matching
 * -------------------------------------------------------------------------- */

/* [abc], [a-z], [!a]; *p is behind the bracket afterwards. A bracket that never closes
 * stands for itself. */
static bool match_set(const char **p, char c) {
    const char *at = *p + 1;
    bool negate = *at == '!' || *at == '^', found = false;
    if (negate)
        at++;
    const char *first = at;
    for (; *at != '\0' && (*at != ']' || at == first); at++) {
        unsigned char lo = (unsigned char)*at, hi = lo;
        if (at[1] == '-' && at[2] != ']' && at[2] != '\0') {
            hi = (unsigned char)at[2];
            at += 2;
        }
        found = found || ((unsigned char)c >= lo && (unsigned char)c <= hi);
    }
    if (*at != ']') {
        *p += 1;
        return c == '[';
    }
    *p = at + 1;
    return found != negate;
}

/* Shell patterns without recursion: the last star is the only place to go back to. */
static bool match(const char *p, const char *text) {
    const char *star = NULL, *retry = NULL;
    while (*text != '\0') {
        const char *next = p;
        bool same;
        if (*p == '*') {
            star = ++p;
            retry = text;
            continue;
        }
        if (*p == '[') {
            same = match_set(&next, *text);
        } else {
            same = *p != '\0' && (*p == '?' || *p == *text);
            next = p + 1;
        }
        if (same) {
            p = next;
            text++;
        } else if (star != NULL) {
            p = star;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*p == '*')
        p++;
    return *p == '\0';
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool has_tiff_extension(const char *name) {
    static const char *const known[] = {".tif", ".tiff", ".btf", ".tf8", ".tf2"};
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t n = strlen(known[i]), k = 0;
        while (len > n && k < n && lower(name[len - n + k]) == known[i][k])
            k++;
        if (k == n)
            return true;
    }
    return false;
}

/* ---- natural order
 * --------------------------------------------------------------------- */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Runs of digits compare as numbers of any length, the rest byte by byte. */
static int compare_runs(const char **a, const char **b) {
    const char *p = *a + strspn(*a, "0"), *q = *b + strspn(*b, "0");
    size_t n = strspn(p, "0123456789"), m = strspn(q, "0123456789");
    *a = p + n;
    *b = q + m;
    if (n != m)
        return n < m ? -1 : 1;
    return memcmp(p, q, n);
}

static int compare_natural(const char *a, const char *b) {
    const char *p = a, *q = b;
    while (*p != '\0' && *q != '\0') {
        if (is_digit(*p) && is_digit(*q)) {
            int order = compare_runs(&p, &q);
            if (order != 0)
                return order;
        } else if (*p != *q) {
            return (unsigned char)*p < (unsigned char)*q ? -1 : 1;
        } else {
            p++;
            q++;
        }
    }
    if (*p != *q)
        return *p == '\0' ? -1 : 1;
    return strcmp(a, b); /* only leading zeros differ */
}

static void sift_down(char **items, size_t at, size_t count) {
    for (size_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && compare_natural(items[child], items[child + 1]) < 0)
            child++;
        if (compare_natural(items[at], items[child]) >= 0)
            return;
        char *swap = items[at];
        items[at] = items[child];
        items[child] = swap;
        at = child;
    }
}

/* A heap sort: no recursion, no allocation, n log n whatever the names are. */
static void sort_natural(char **items, size_t count) {
    for (size_t i = count / 2; i-- > 0;)
        sift_down(items, i, count);
    for (size_t end = count; end > 1;) {
        char *swap = items[0];
        items[0] = items[--end];
        items[end] = swap;
        sift_down(items, 0, end);
    }
}

/* ---- the folder
 * ------------------------------------------------------------------------ */

static ngff_status collect(void *user, const char *name, ngff_path_kind kind) {
    names *n = user;
    bool wanted = n->pattern != NULL ? match(n->pattern, name) : has_tiff_extension(name);
    if (name[0] == '.' && (n->pattern == NULL || n->pattern[0] != '.'))
        wanted = false; /* hidden files, and the "._" twins that macOS leaves */
    if (!wanted || kind == NGFF_PATH_DIR)
        return NGFF_OK;
    if (n->count == n->capacity) {
        size_t more = n->capacity == 0 ? 64 : n->capacity * 2;
        char **items = ngff_realloc(n->alloc, n->items, n->capacity * sizeof *items,
                                    more * sizeof *items);
        if (items == NULL)
            return NGFF_NOMEM;
        n->items = items;
        n->capacity = more;
    }
    n->items[n->count] = ngff_strdup(n->alloc, name);
    return n->items[n->count] != NULL ? (n->count++, NGFF_OK) : NGFF_NOMEM;
}

static void names_reset(names *n) {
    for (size_t i = 0; i < n->count; i++)
        ngff_free(n->alloc, n->items[i]);
    ngff_free(n->alloc, n->items);
}

/* The pages of `file` are as those of file 0. */
static ngff_status check_slice(const ngff_tiff_set *s, uint32_t file, ngff_error *err) {
    const ngff_tiff_file *f = &s->files[file], *first = &s->files[0];
    if (f->page_count == 0 ||
        ngff_tiff_page_at(s, first->page_first)->layout == NGFF_TIFF_NONE)
        return ngff_fail(err, NGFF_FORMAT, "%s: no image in it", f->path);
    if (f->page_count != first->page_count)
        return ngff_fail(err, NGFF_INVALID,
                         "%s: holds %u pages, the first file of the stack (%s) %u",
                         f->path, f->page_count, first->path, first->page_count);
    const ngff_tiff_layout *want = ngff_tiff_layout_of(s, ngff_tiff_page_at(s, 0));
    for (uint32_t i = 0; i < f->page_count; i++) {
        const ngff_tiff_page *p = ngff_tiff_page_at(s, f->page_first + i);
        const ngff_tiff_layout *l =
            p->layout != NGFF_TIFF_NONE ? ngff_tiff_layout_of(s, p) : NULL;
        if (l == NULL || !ngff_tiff_same_pixels(want, l))
            return ngff_fail(err, NGFF_INVALID,
                             "%s: %ux%u %s with %u samples, the first file of the stack "
                             "(%s) has %ux%u %s "
                             "with %u",
                             f->path, l != NULL ? l->width : 0, l != NULL ? l->height : 0,
                             l != NULL ? ngff_dtype_name(l->dtype) : "nothing",
                             l != NULL ? l->samples : 0u, first->path, want->width,
                             want->height, ngff_dtype_name(want->dtype), want->samples);
    }
    return NGFF_OK;
}

static ngff_status path_of(const char *dir, const char *name, ngff_buf *path,
                           ngff_error *err) {
    path->size = 0;
    return ngff_buf_printf(path, err, "%s%s%s", dir, ngff_ends_with(dir, "/") ? "" : "/",
                           name);
}

/* Adds each file; all must have the pages of the first. */
static ngff_status add_files(ngff_tiff_source *t, const char *dir, const names *n,
                             ngff_error *err) {
    ngff_tiff_set *s = &t->set;
    ngff_buf path;
    ngff_status status = NGFF_OK;
    ngff_buf_init(&path, s->alloc, 1 << 16);
    for (size_t i = 0; i < n->count && status == NGFF_OK; i++) {
        uint32_t file = 0;
        status = path_of(dir, n->items[i], &path, err);
        if (status == NGFF_OK)
            status = ngff_tiff_set_add(s, path.data, &file, err);
        if (status == NGFF_OK)
            status = check_slice(s, file, err);
    }
    ngff_buf_reset(&path);
    return status;
}

/* Files along the slowest axis, pages of a file next. `first`: the first file read alone,
 * which may know scales. */
static ngff_status make_series(ngff_tiff_source *t, size_t files,
                               const ngff_tiff_source *first, ngff_error *err) {
    ngff_tiff_set *s = &t->set;
    ngff_tiff_series *series = NULL;
    const int64_t extents[2] = {(int64_t)files, s->files[0].page_count};
    NGFF_TRY(ngff_tiff_list_add(&t->list, s->page_count, &series, err));
    for (uint32_t i = 0; i < s->page_count; i++)
        series->level[0].pages[i] = i;
    NGFF_TRY(ngff_tiff_series_axes(s, series, "FI", extents, false,
                                   ngff_tiff_page_at(s, 0)->layout, err));
    memcpy(series->cal, first->list.items[0].cal, sizeof series->cal);
    return NGFF_OK;
}

static ngff_status list_names(const char *dir, names *n, ngff_error *err) {
    ngff_status status = ngff_dir_list(n->alloc, dir, collect, n, err);
    if (status == NGFF_NOMEM)
        return ngff_fail_nomem(err, "the names of a folder",
                               n->capacity * sizeof(char *));
    if (status == NGFF_OK && n->count == 0)
        return ngff_fail(err, NGFF_NOT_FOUND, "%s: no file in it %s%s", dir,
                         n->pattern != NULL ? "matches " : "has a TIFF extension",
                         n->pattern != NULL ? n->pattern : "");
    if (status == NGFF_OK)
        sort_natural(n->items, n->count);
    return status;
}

/* The first file as if it were alone. It is the whole answer when it is the only one, or
 * when its OME-XML names just the files that are there. */
static ngff_status open_first(const ngff_allocator *a, const char *path, const char *dir,
                              const names *n, const ngff_source_open_opts *opts,
                              ngff_tiff_source **out, ngff_error *err) {
    ngff_buf file;
    ngff_buf_init(&file, a, 1 << 16);
    ngff_status status = path_of(dir, n->items[0], &file, err);
    if (status == NGFF_OK)
        status =
            ngff_tiff_source_new(a, n->count == 1 ? file.data : path, opts, out, err);
    if (status == NGFF_OK)
        status = ngff_tiff_source_load(*out, file.data, opts->series, err);
    ngff_buf_reset(&file);
    if (status == NGFF_OK && n->count > 1 && (*out)->list.count == 1 &&
        (*out)->list.items[0].one_ifd)
        return ngff_fail(
            err, NGFF_UNSUPPORTED,
            "%s: holds %llu planes behind one directory; such files are read "
            "one by one, not as a stack",
            (*out)->set.files[0].path, (unsigned long long)(*out)->list.items[0].planes);
    return status;
}

static ngff_status open_rest(const ngff_allocator *a, const char *path, const char *dir,
                             const names *n, const ngff_source_open_opts *opts,
                             ngff_tiff_source **stack, ngff_error *err) {
    ngff_tiff_source *t = NULL, *first = *stack;
    NGFF_TRY(ngff_tiff_source_new(a, path, opts, &t, err));
    ngff_status status = add_files(t, dir, n, err);
    if (status == NGFF_OK)
        status = make_series(t, n->count, first, err);
    ngff_source *drop = status == NGFF_OK ? &first->base : &t->base;
    ngff_source_drop(&drop);
    if (status == NGFF_OK)
        *stack = t;
    return status;
}

static ngff_status open_names(const ngff_allocator *a, const char *path, const char *dir,
                              const names *n, const ngff_source_open_opts *opts,
                              ngff_source **out, ngff_error *err) {
    ngff_tiff_source *t = NULL;
    ngff_status status = open_first(a, path, dir, n, opts, &t, err);
    if (status == NGFF_OK && n->count > 1 &&
        (t->list.count != 1 || t->set.file_count != n->count))
        status = open_rest(a, path, dir, n, opts, &t, err);
    if (status == NGFF_OK)
        status = ngff_tiff_source_describe(t, opts, err);
    if (status == NGFF_OK && n->count > 1)
        ngff_source_name_of(dir, t->base.image.desc.name, sizeof t->base.image.desc.name);
    ngff_source *s = t != NULL ? &t->base : NULL;
    if (status != NGFF_OK)
        ngff_source_drop(&s);
    *out = s;
    return status;
}

ngff_status ngff_source_open_tiff_stack(const ngff_allocator *a, const char *path,
                                        const ngff_source_open_opts *opts,
                                        ngff_source **out, ngff_error *err) {
    const char *slash = strrchr(path, '/');
    const char *last = slash != NULL ? slash + 1 : path;
    ngff_path_kind kind = NGFF_PATH_NONE;
    names n = {.alloc = a};
    char *dir = NULL;
    *out = NULL;
    NGFF_TRY(ngff_path_kind_of(path, &kind, err));
    if (kind != NGFF_PATH_DIR)
        n.pattern = last;
    if (n.pattern != NULL && slash != NULL &&
        strcspn(path, "*?[") < (size_t)(slash - path))
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "%s: only the last part of a pattern may hold * ? [", path);
    dir = ngff_strdup(a, n.pattern == NULL ? path : slash != NULL ? path : ".");
    if (dir == NULL)
        return ngff_fail_nomem(err, "a path", strlen(path) + 1);
    if (n.pattern != NULL && slash != NULL)
        dir[slash == path ? 1 : slash - path] = '\0';
    ngff_status status = list_names(dir, &n, err);
    if (status == NGFF_OK)
        status = open_names(a, path, dir, &n, opts, out, err);
    names_reset(&n);
    ngff_free(a, dir);
    return status;
}
