/* sys: renames and other changes of names, each of them atomic. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include "sys/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/fs.h; spelled out because C libraries before glibc 2.28 hide them. */
#define FLAG_NOREPLACE 1u
#define FLAG_EXCHANGE 2u

/* 0, or the errno. */
static int rename_with(const char *from, const char *to, unsigned flags) {
#ifdef SYS_renameat2
    return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags) == 0 ? 0 : errno;
#else
    (void)from, (void)to, (void)flags;
    return ENOSYS;
#endif
}

static bool cannot(int error_number) {
    return error_number == ENOSYS || error_number == EINVAL || error_number == ENOTSUP;
}

static ngff_status fail_rename(ngff_error *err, int error_number, const char *from,
                               const char *to) {
    /* The missing one of the two is the one to name. */
    return ngff_sys_fail(err, error_number, error_number == ENOENT ? from : to);
}

/* POSIX lets a directory replace an empty one and nothing else: looking first leaves a
 * moment in which an empty directory that somebody makes is lost, and no other. Claiming
 * the name by an empty directory of ours would leave that behind when we are killed. */
static int rename_dir_new(const char *from, const char *to) {
    struct stat st;
    if (lstat(to, &st) == 0)
        return EEXIST;
    if (errno != ENOENT)
        return errno;
    if (rename(from, to) == 0)
        return 0;
    return errno == ENOTEMPTY || errno == ENOTDIR ? EEXIST : errno;
}

static int rename_file_new(const char *from, const char *to) {
    if (link(from, to) == 0) {
        if (unlink(from) == 0)
            return 0;
        int error_number = errno;
        unlink(to);
        return error_number;
    }
    if (errno == EEXIST)
        return EEXIST;
    /* No hard links here: claim the name with an empty file and replace that. */
    int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    close(fd);
    if (rename(from, to) == 0)
        return 0;
    int error_number = errno;
    unlink(to);
    return error_number;
}

ngff_status ngff_sys_rename_new_plain(const char *from, const char *to, ngff_error *err) {
    struct stat st;
    if (lstat(from, &st) != 0)
        return ngff_sys_fail(err, errno, from);
    int error_number =
        S_ISDIR(st.st_mode) ? rename_dir_new(from, to) : rename_file_new(from, to);
    return error_number ? fail_rename(err, error_number, from, to) : NGFF_OK;
}

ngff_status ngff_path_rename_new(const char *from, const char *to, ngff_error *err) {
    int error_number = rename_with(from, to, FLAG_NOREPLACE);
    if (error_number == 0)
        return NGFF_OK;
    /* EINVAL also stands for "into itself"; the plain way then says so again. */
    if (cannot(error_number))
        return ngff_sys_rename_new_plain(from, to, err);
    return fail_rename(err, error_number, from, to);
}

ngff_status ngff_path_exchange(const char *a, const char *b, ngff_error *err) {
    int error_number = rename_with(a, b, FLAG_EXCHANGE);
    if (error_number == 0)
        return NGFF_OK;
    if (cannot(error_number))
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "%s: this file system cannot exchange two paths in one step", b);
    return fail_rename(err, error_number, a, b);
}

ngff_status ngff_path_replace(const char *from, const char *to, bool *replaced,
                              ngff_error *err) {
    ngff_error why = {0};
    ngff_status status = ngff_path_exchange(from, to, &why);
    *replaced = status == NGFF_OK;
    if (status == NGFF_NOT_FOUND) /* nothing is there, or it went away meanwhile */
        return ngff_path_rename_new(from, to, err);
    return status == NGFF_OK ? NGFF_OK : ngff_fail(err, status, "%s", why.message);
}

ngff_status ngff_path_rename(const char *from, const char *to, ngff_error *err) {
    if (rename(from, to) != 0)
        return fail_rename(err, errno, from, to);
    return NGFF_OK;
}

ngff_status ngff_path_link(const char *from, const char *to, ngff_error *err) {
    return link(from, to) == 0 ? NGFF_OK : ngff_sys_fail(err, errno, to);
}

ngff_status ngff_dir_remove_empty(const char *path, ngff_error *err) {
    return rmdir(path) == 0 ? NGFF_OK : ngff_sys_fail(err, errno, path);
}
