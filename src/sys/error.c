/* sys: errno as an ngff_status and a sentence. */
#define _POSIX_C_SOURCE 200809L
#include "sys/inside.h"

#include <errno.h>
#include <stdio.h>

static const struct {
    int number;
    const char *name;
} names[] = {
    {EACCES, "EACCES"},
    {EAGAIN, "EAGAIN"},
    {EBADF, "EBADF"},
    {EBUSY, "EBUSY"},
    {EDQUOT, "EDQUOT"},
    {EEXIST, "EEXIST"},
    {EFBIG, "EFBIG"},
    {EINTR, "EINTR"},
    {EINVAL, "EINVAL"},
    {EIO, "EIO"},
    {EISDIR, "EISDIR"},
    {ELOOP, "ELOOP"},
    {EMFILE, "EMFILE"},
    {EMLINK, "EMLINK"},
    {ENFILE, "ENFILE"},
    {ENODEV, "ENODEV"},
    {ENOENT, "ENOENT"},
    {ENOLCK, "ENOLCK"},
    {ENOMEM, "ENOMEM"},
    {ENOSPC, "ENOSPC"},
    {ENOSYS, "ENOSYS"},
    {ENOTDIR, "ENOTDIR"},
    {ENXIO, "ENXIO"},
    {EOVERFLOW, "EOVERFLOW"},
    {EPERM, "EPERM"},
    {EPIPE, "EPIPE"},
    {EROFS, "EROFS"},
    {ESPIPE, "ESPIPE"},
    {ESTALE, "ESTALE"},
    {ETXTBSY, "ETXTBSY"},
    {EXDEV, "EXDEV"},
    {ENOTSUP, "ENOTSUP"},
    {ENAMETOOLONG, "ENAMETOOLONG"},
    {ENOTEMPTY, "ENOTEMPTY"},
};

static ngff_status status_of(int number) {
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return NGFF_NOT_FOUND;
    case EEXIST:
        return NGFF_EXISTS;
    case ENOMEM:
        return NGFF_NOMEM;
    default:
        return NGFF_IO;
    }
}

ngff_status ngff_sys_fail(ngff_error *err, int error_number, const char *path) {
    char reason[128];
    char number[32];
    const char *name = NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].number == error_number)
            name = names[i].name;
    }
    if (!name) {
        snprintf(number, sizeof number, "errno %d", error_number);
        name = number;
    }
    if (strerror_r(error_number, reason, sizeof reason) != 0)
        ngff_copy_text(reason, sizeof reason, "unknown error");
    return ngff_fail(err, status_of(error_number), "%s: %s (%s)", path, reason, name);
}
