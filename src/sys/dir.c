/* sys: making, listing and flushing directories. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include "sys/inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

ngff_status ngff_dir_make(const char *path, ngff_error *err) {
    if (mkdir(path, 0777) != 0)
        return ngff_sys_fail(err, errno, path);
    return NGFF_OK;
}

static ngff_status make_one(const char *path, ngff_error *err) {
    if (mkdir(path, 0777) == 0)
        return NGFF_OK;
    /* Whatever mkdir thinks of an existing directory (EEXIST, EROFS, EACCES), it is
     * there. */
    int error_number = errno;
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return NGFF_OK;
    return ngff_sys_fail(err, error_number, path);
}

ngff_status ngff_dir_make_all(const char *path, ngff_error *err) {
    char work[PATH_MAX];
    if (!ngff_copy_text(work, sizeof work, path))
        return ngff_sys_fail(err, ENAMETOOLONG, path);
    for (size_t i = 1; work[0] && work[i]; i++) {
        if (work[i] != '/' || work[i - 1] == '/')
            continue;
        work[i] = '\0';
        NGFF_TRY(make_one(work, err));
        work[i] = '/';
    }
    return make_one(work, err);
}

typedef struct listing {
    ngff_buf names; /* NUL-separated */
    ngff_buf kinds; /* one byte each */
} listing;

static ngff_path_kind entry_kind(DIR *dir, const struct dirent *entry) {
    struct stat st;
    if (entry->d_type == DT_REG)
        return NGFF_PATH_FILE;
    if (entry->d_type == DT_DIR)
        return NGFF_PATH_DIR;
    if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK)
        return NGFF_PATH_OTHER;
    if (fstatat(dirfd(dir), entry->d_name, &st, 0) != 0)
        return NGFF_PATH_OTHER;
    return ngff_sys_kind_of_mode(st.st_mode);
}

static ngff_status read_entries(DIR *dir, listing *l, const char *path, ngff_error *err) {
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry)
            return errno ? ngff_sys_fail(err, errno, path) : NGFF_OK;
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        /* The kind goes before the name, so that sorting moves both. */
        char kind = (char)('0' + (int)entry_kind(dir, entry));
        NGFF_TRY(ngff_buf_append(&l->names, &kind, 1, err));
        NGFF_TRY(ngff_buf_append(&l->names, name, strlen(name) + 1, err));
        NGFF_TRY(ngff_buf_append(&l->kinds, &kind, 1, err));
    }
}

static int by_name(const void *a, const void *b) {
    const char *const *x = a;
    const char *const *y = b;
    return strcmp(*x + 1, *y + 1);
}

static ngff_status call_sorted(const ngff_allocator *a, const listing *l, ngff_dir_fn fn,
                               void *user, ngff_error *err) {
    size_t count = l->kinds.size;
    const char **order = ngff_calloc(a, count, sizeof *order);
    if (!order)
        return ngff_fail_nomem(err, "a directory listing", count * sizeof *order);
    const char *at = l->names.data;
    for (size_t i = 0; i < count; i++, at += strlen(at) + 1)
        order[i] = at;
    qsort(order, count, sizeof *order, by_name);
    ngff_status status = NGFF_OK;
    for (size_t i = 0; i < count && status == NGFF_OK; i++)
        status = fn(user, order[i] + 1, (ngff_path_kind)(order[i][0] - '0'));
    ngff_free(a, order);
    return status;
}

ngff_status ngff_dir_list(const ngff_allocator *a, const char *path, ngff_dir_fn fn,
                          void *user, ngff_error *err) {
    DIR *dir = opendir(path);
    if (!dir)
        return ngff_sys_fail(err, errno, path);
    listing l;
    ngff_buf_init(&l.names, a, SIZE_MAX);
    ngff_buf_init(&l.kinds, a, SIZE_MAX);
    ngff_status status = read_entries(dir, &l, path, err);
    closedir(dir);
    if (status == NGFF_OK && l.kinds.size > 0)
        status = call_sorted(a, &l, fn, user, err);
    ngff_buf_reset(&l.names);
    ngff_buf_reset(&l.kinds);
    return status;
}

ngff_status ngff_dir_sync(const char *path, ngff_error *err) {
    ngff_file dir = {open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (dir.fd < 0)
        return ngff_sys_fail(err, errno, path);
    ngff_status status = ngff_file_sync(&dir, path, err);
    ngff_file_close(&dir);
    return status;
}

ngff_status ngff_fs_sync(const char *path, ngff_error *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return ngff_sys_fail(err, errno, path);
    int error_number = syncfs(fd) == 0 ? 0 : errno;
    close(fd);
    return error_number ? ngff_sys_fail(err, error_number, path) : NGFF_OK;
}
