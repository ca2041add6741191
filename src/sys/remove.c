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
enum { DEPTH_MAX = 128, TOO_DEEP = -1 /* beside the errnos */ };

typedef struct level {
    DIR *dir;
    char name[256]; /* in the level above; NAME_MAX + 1 */
} level;

ngff_status ngff_path_remove(const char *path, ngff_error *err) {
    if (unlink(path) != 0)
        return ngff_sys_fail(err, errno, path);
    return NGFF_OK;
}

ngff_status ngff_dir_remove(const char *path, ngff_error *err) {
    if (rmdir(path) != 0)
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

/* Everything below stack[0], which has room for DEPTH_MAX levels. `place` (NAME_MAX + 1
 * bytes) is told which entry failed: its own name dies with its directory handle. */
static int remove_below(level *stack, char *place) {
    int depth = 0;
    int error_number = 0;
    while (depth >= 0 && error_number == 0) {
        const char *name;
        level *top = &stack[depth];
        error_number = clear_level(top->dir, &name);
        ngff_copy_text(place, sizeof top->name, name ? name : top->name);
        if (error_number == 0 && name) {
            error_number = depth + 1 < DEPTH_MAX
                               ? enter(dirfd(top->dir), name, &stack[depth + 1])
                               : TOO_DEEP;
            depth += error_number == 0;
            if (error_number == ENOENT) /* somebody else removes here too */
                error_number = 0;
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
    char place[256] = "";
    if (!stack)
        return ngff_fail_nomem(err, "removing a directory", DEPTH_MAX * sizeof *stack);
    ngff_status status = NGFF_OK;
    int error_number = enter(AT_FDCWD, path, &stack[0]);
    if (error_number == 0) {
        error_number = remove_below(stack, place);
        if (error_number == 0 && rmdir(path) != 0 && errno != ENOENT)
            error_number = errno;
    } else if (error_number == ENOTDIR || error_number == ELOOP) {
        /* A file or a link: it goes itself, what it leads to stays. */
        error_number = unlink(path) == 0 || errno == ENOENT ? 0 : errno;
    }
    if (error_number == TOO_DEEP)
        status = ngff_fail(err, NGFF_LIMIT, "more than %d directories deep", DEPTH_MAX);
    else if (error_number != 0 && error_number != ENOENT)
        status = ngff_sys_fail(err, error_number, place[0] ? place : path);
    if (status != NGFF_OK && place[0])
        status = ngff_fail_at(err, status, "%s", path);
    ngff_free(NULL, stack);
    return status;
}
