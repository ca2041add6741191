/* sys: questions about paths. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include "sys/inside.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

ngff_path_kind ngff_sys_kind_of_mode(unsigned mode) {
    return S_ISREG(mode)   ? NGFF_PATH_FILE
           : S_ISDIR(mode) ? NGFF_PATH_DIR
                           : NGFF_PATH_OTHER;
}

ngff_status ngff_path_kind_of(const char *path, ngff_path_kind *kind, ngff_error *err) {
    struct stat st;
    *kind = NGFF_PATH_NONE;
    if (stat(path, &st) == 0) {
        *kind = ngff_sys_kind_of_mode(st.st_mode);
        return NGFF_OK;
    }
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) {
        /* A link that leads nowhere is something all the same. */
        if (lstat(path, &st) == 0)
            *kind = NGFF_PATH_OTHER;
        return NGFF_OK;
    }
    return ngff_sys_fail(err, errno, path);
}

bool ngff_path_is_link(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

ngff_status ngff_path_identity(const char *path, uint64_t *dev, uint64_t *ino,
                               ngff_error *err) {
    struct stat st;
    *dev = 0;
    *ino = 0;
    if (stat(path, &st) != 0)
        return ngff_sys_fail(err, errno, path);
    *dev = (uint64_t)st.st_dev;
    *ino = (uint64_t)st.st_ino;
    return NGFF_OK;
}

/* Cuts the last component off `work` (without trailing slashes); "." and "/" are the
 * bottom. */
static size_t cut_component(char *work) {
    size_t len = strlen(work);
    while (len > 0 && work[len - 1] != '/')
        len--;
    while (len > 1 && work[len - 1] == '/')
        len--;
    size_t left = len;
    if (len == 0)
        work[len++] = '.';
    work[len] = '\0';
    return left;
}

static void cut_slashes(char *work) {
    size_t len = strlen(work);
    while (len > 1 && work[len - 1] == '/')
        work[--len] = '\0';
}

/* Appends the components of `rest` to the canonical path `out`, resolving "." and ".." as
 * text, which is right here because nothing of `rest` exists yet. */
static bool append_rest(char *out, size_t out_size, const char *rest) {
    while (*rest) {
        size_t len = strcspn(rest, "/");
        size_t used = strlen(out);
        if (len == 2 && rest[0] == '.' && rest[1] == '.') {
            (void)cut_component(out);
        } else if (len > 0 && !(len == 1 && rest[0] == '.')) {
            bool slash = out[used - 1] != '/';
            if (used + slash + len >= out_size)
                return false;
            if (slash)
                out[used++] = '/';
            memcpy(out + used, rest, len);
            out[used + len] = '\0';
        }
        rest += len;
        rest += *rest == '/';
    }
    return true;
}

ngff_status ngff_path_absolute(const ngff_allocator *a, const char *path, char **out,
                               ngff_error *err) {
    char work[PATH_MAX];
    char real[PATH_MAX];
    *out = NULL;
    if (!ngff_copy_text(work, sizeof work, path))
        return ngff_sys_fail(err, ENAMETOOLONG, path);
    cut_slashes(work);
    const char *rest = "";
    while (!realpath(work, real)) {
        if (errno != ENOENT && errno != ENOTDIR)
            return ngff_sys_fail(err, errno, path);
        if (work[0] == '\0' || strcmp(work, "/") == 0 || strcmp(work, ".") == 0)
            return ngff_sys_fail(err, errno, path);
        rest = path + cut_component(work);
    }
    if (!append_rest(real, sizeof real, rest))
        return ngff_sys_fail(err, ENAMETOOLONG, path);
    *out = ngff_strdup(a, real);
    return *out ? NGFF_OK : ngff_fail_nomem(err, "a path", strlen(real) + 1);
}
