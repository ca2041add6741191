/* A set of TIFF files: which are open. A stack may hold more files than a process may
 * have descriptors, so the least recently used one is closed when there are too many. */
#include "source/tiff.h"

#define MAX_OPEN 64
#define DEFAULT_CACHE ((size_t)4 << 20) /* per reading thread */

ngff_status ngff_tiff_set_init(ngff_tiff_set *s, const ngff_allocator *a, size_t memory,
                               int threads, ngff_error *err) {
    size_t readers = (size_t)(threads > 0 ? threads : ngff_cpu_count());
    memset(s, 0, sizeof *s);
    s->alloc = a;
    if (memory == 0)
        memory = readers * DEFAULT_CACHE;
    NGFF_TRY(ngff_mutex_create(a, &s->lock, err));
    NGFF_TRY(ngff_tiff_cache_open(a, memory, &s->cache, err));
    return ngff_tiff_pool_open(a, threads, &s->pool, err);
}

void ngff_tiff_set_reset(ngff_tiff_set *s) {
    ngff_tiff_pool_close(&s->pool);
    ngff_tiff_cache_close(&s->cache);
    for (uint32_t i = 0; i < s->file_count; i++) {
        assert(s->files[i].pins == 0);
        if (s->files[i].file.fd >= 0)
            ngff_file_close(&s->files[i].file);
        ngff_free(s->alloc, s->files[i].path);
    }
    ngff_free(s->alloc, s->files);
    for (uint32_t i = 0; i < NGFF_TIFF_SEGMENTS; i++)
        ngff_free(s->alloc, s->segments[i]);
    for (uint32_t i = 0; i < s->layout_count; i++)
        ngff_free(s->alloc, s->layouts[i]);
    ngff_mutex_close(&s->lock);
    memset(s, 0, sizeof *s);
}

/* Under the lock: closes the idle file that was used longest ago. */
static void close_oldest(ngff_tiff_set *s) {
    ngff_tiff_file *oldest = NULL;
    for (uint32_t i = 0; i < s->file_count; i++) {
        ngff_tiff_file *f = &s->files[i];
        if (f->file.fd >= 0 && f->pins == 0 && (oldest == NULL || f->used < oldest->used))
            oldest = f;
    }
    if (oldest != NULL) {
        ngff_file_close(&oldest->file);
        oldest->file.fd = -1;
        s->open_count--;
    }
}

ngff_status ngff_tiff_pin_locked(ngff_tiff_set *s, uint32_t file,
                                 const ngff_tiff_file **out, ngff_error *err) {
    assert(file < s->file_count);
    ngff_tiff_file *f = &s->files[file];
    *out = NULL;
    if (f->file.fd < 0) {
        if (s->open_count >= MAX_OPEN)
            close_oldest(s);
        NGFF_TRY(ngff_file_open(&f->file, f->path, NGFF_OPEN_READ, err));
        s->open_count++;
    }
    f->pins++;
    f->used = ++s->clock;
    *out = f;
    return NGFF_OK;
}

ngff_status ngff_tiff_pin(ngff_tiff_set *s, uint32_t file, const ngff_tiff_file **out,
                          ngff_error *err) {
    ngff_mutex_lock(s->lock);
    ngff_status status = ngff_tiff_pin_locked(s, file, out, err);
    ngff_mutex_unlock(s->lock);
    return status;
}

void ngff_tiff_unpin_locked(ngff_tiff_set *s, uint32_t file) {
    assert(s->files[file].pins > 0);
    s->files[file].pins--;
}

void ngff_tiff_unpin(ngff_tiff_set *s, uint32_t file) {
    ngff_mutex_lock(s->lock);
    ngff_tiff_unpin_locked(s, file);
    ngff_mutex_unlock(s->lock);
}

static ngff_status add_slot(ngff_tiff_set *s, const char *path, ngff_error *err) {
    if (s->file_count == s->file_capacity) {
        uint32_t capacity = s->file_capacity == 0 ? 4 : s->file_capacity * 2;
        ngff_tiff_file *files =
            ngff_realloc(s->alloc, s->files, s->file_capacity * sizeof *files,
                         capacity * sizeof *files);
        if (files == NULL)
            return ngff_fail_nomem(err, "the list of TIFF files",
                                   capacity * sizeof *files);
        s->files = files;
        s->file_capacity = capacity;
    }
    char *copy = ngff_strdup(s->alloc, path);
    if (copy == NULL)
        return ngff_fail_nomem(err, "a path", strlen(path) + 1);
    s->files[s->file_count++] = (ngff_tiff_file){.path = copy, .file = NGFF_FILE_INIT};
    return NGFF_OK;
}

ngff_status ngff_tiff_set_add(ngff_tiff_set *s, const char *path, uint32_t *file,
                              ngff_error *err) {
    const ngff_tiff_file *pinned = NULL;
    uint32_t idx = s->file_count;
    ngff_path_kind kind = NGFF_PATH_NONE;
    NGFF_TRY(ngff_path_kind_of(path, &kind, err));
    if (kind == NGFF_PATH_NONE)
        return ngff_fail(err, NGFF_NOT_FOUND, "%s: no such file", path);
    if (kind != NGFF_PATH_FILE) /* opening a pipe would wait for a writer */
        return ngff_fail(err, NGFF_UNSUPPORTED, "%s: not a plain file", path);
    NGFF_TRY(add_slot(s, path, err));
    NGFF_TRY(ngff_tiff_pin(s, idx, &pinned, err));
    ngff_status status = ngff_tiff_read_header(&s->files[idx], err);
    if (status == NGFF_OK)
        status = ngff_tiff_walk(s, idx, err);
    ngff_tiff_unpin(s, idx);
    *file = idx;
    return status;
}

ngff_status ngff_tiff_page_dir(ngff_tiff_set *s, uint32_t page, ngff_tiff_dir *d,
                               ngff_error *err) {
    const ngff_tiff_page *p = ngff_tiff_page_at(s, page);
    return ngff_tiff_dir_read(d, &s->files[p->file], p->ifd, err);
}
