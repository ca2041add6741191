/* sys: removing files and whole trees. A tree is walked with descriptors relative to
 * their parent and O_NOFOLLOW, so that a link planted meanwhile cannot lead the removal
 * elsewhere. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include "sys/inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* One descriptor is open per level. A store is some ten levels deep. */
enum { DEPTH_MAX = 128 };

typedef struct level {
    DIR *dir;
    char name[256]; /* in the level above; NAME_MAX + 1 */
} level;

ngff_status ngff_path_remove(const char *path, ngff_error *err) {
    if (unlink(path) != 0)
        return ngff_sys_fail(err, errno, path);
    return NGFF_OK;
}

static int enter(int parent, const char *name, level *out) {
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno;
    out->dir = fdopendir(fd);
    if (!out->dir) {
        int error_number = errno;
        close(fd);
        return error_number;
    }
    ngff_copy_text(out->name, sizeof out->name, name);
    return 0;
}

/* Removes what is not a directory; answers the name of the next directory in *name, or
 * NULL when the level is empty. */
static int clear_level(DIR *dir, const char **name) {
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        *name = NULL;
        if (!entry)
            return errno;
        *name = entry->d_name;
        if (strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0)
            continue;
        if (entry->d_type == DT_DIR)
            return 0;
        if (unlinkat(dirfd(dir), *name, 0) == 0 || errno == ENOENT)
            continue;
        /* POSIX says EPERM, Linux EISDIR, for a directory whose d_type was not told. */
        return errno == EISDIR || errno == EPERM ? 0 : errno;
    }
}

/* Everything below stack[0]. `work` holds DEPTH_MAX levels. */
static int remove_below(level *stack, const char **place) {
    int depth = 0;
    int error_number = 0;
    while (depth >= 0 && error_number == 0) {
        const char *name;
        level *top = &stack[depth];
        *place = top->name;
        error_number = clear_level(top->dir, &name);
        if (error_number == 0 && name) {
            *place = name;
            error_number = depth + 1 < DEPTH_MAX
                               ? enter(dirfd(top->dir), name, &stack[depth + 1])
                               : ENAMETOOLONG;
            depth += error_number == 0;
        } else if (error_number == 0) {
            closedir(top->dir);
            depth--;
            if (depth >= 0 &&
                unlinkat(dirfd(stack[depth].dir), top->name, AT_REMOVEDIR) != 0 &&
                errno != ENOENT)
                error_number = errno;
        }
    }
    for (; depth >= 0; depth--)
        closedir(stack[depth].dir);
    return error_number;
}

ngff_status ngff_dir_remove_all(const char *path, ngff_error *err) {
    level *stack = ngff_calloc(NULL, DEPTH_MAX, sizeof *stack);
    const char *place = path;
    if (!stack)
        return ngff_fail_nomem(err, "removing a directory", DEPTH_MAX * sizeof *stack);
    ngff_status status = NGFF_OK;
    int error_number = enter(AT_FDCWD, path, &stack[0]);
    if (error_number == 0) {
        error_number = remove_below(stack, &place);
        if (error_number == 0 && rmdir(path) != 0 && errno != ENOENT)
            error_number = errno;
    } else if (error_number == ENOTDIR || error_number == ELOOP) {
        /* A file or a link: it goes itself, what it leads to stays. */
        error_number = unlink(path) == 0 || errno == ENOENT ? 0 : errno;
    }
    if (error_number != 0 && error_number != ENOENT) {
        status = ngff_sys_fail(err, error_number, place);
        if (place != path)
            status = ngff_fail_at(err, status, "%s", path);
    }
    ngff_free(NULL, stack);
    return status;
}
