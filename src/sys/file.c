/* sys: files. Positions are explicit, so one handle serves several threads. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include "sys/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* One system call moves at most this much (Linux itself stops short of 2 GiB). */
#define STEP_MAX ((size_t)1 << 30)
#define COPY_STEP ((size_t)32 << 10)

static int open_retrying(const char *path, int flags) {
    int fd;
    do
        fd = open(path, flags | O_CLOEXEC | O_NOCTTY, 0666);
    while (fd < 0 && errno == EINTR);
    return fd;
}

ngff_status ngff_file_open(ngff_file *f, const char *path, ngff_open_mode mode,
                           ngff_error *err) {
    /* O_NONBLOCK: opening a pipe without a peer must not hang; regular files ignore it.
     */
    static const int flags[] = {
        [NGFF_OPEN_READ] = O_RDONLY | O_NONBLOCK,
        [NGFF_OPEN_CREATE] = O_RDWR | O_CREAT | O_EXCL,
        [NGFF_OPEN_TRUNCATE] = O_RDWR | O_CREAT | O_TRUNC | O_NONBLOCK,
        [NGFF_OPEN_READ_WRITE] = O_RDWR | O_NONBLOCK,
    };
    assert(mode >= NGFF_OPEN_READ && mode <= NGFF_OPEN_READ_WRITE);
    f->fd = open_retrying(path, flags[mode]);
    if (f->fd < 0)
        return ngff_sys_fail(err, errno, path);
    return NGFF_OK;
}

ngff_status ngff_file_open_unlinked(ngff_file *f, const char *dir, ngff_error *err) {
    f->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (f->fd >= 0)
        return NGFF_OK;
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/.ngff-XXXXXX", dir);
    if (n < 0 || n >= (int)sizeof path)
        return ngff_sys_fail(err, ENAMETOOLONG, dir);
    f->fd = mkostemp(path, O_CLOEXEC);
    if (f->fd < 0)
        return ngff_sys_fail(err, errno, dir);
    if (unlink(path) != 0) {
        int error_number = errno;
        ngff_file_close(f);
        return ngff_sys_fail(err, error_number, path);
    }
    return NGFF_OK;
}

void ngff_file_close(ngff_file *f) {
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}

ngff_status ngff_file_finish(ngff_file *f, const char *path, ngff_error *err) {
    int fd = f->fd;
    f->fd = -1;
    /* Linux has closed the descriptor even when it answers EINTR. */
    if (fd >= 0 && close(fd) != 0 && errno != EINTR)
        return ngff_sys_fail(err, errno, path);
    return NGFF_OK;
}

static bool range_fits(size_t size, uint64_t off) {
    return off <= INT64_MAX && size <= INT64_MAX - off;
}

ngff_status ngff_file_pread(const ngff_file *f, void *out, size_t size, uint64_t off,
                            size_t *got, const char *path, ngff_error *err) {
    char *at = out;
    *got = 0;
    if (!range_fits(size, off))
        return ngff_sys_fail(err, EOVERFLOW, path);
    while (*got < size) {
        size_t step = size - *got < STEP_MAX ? size - *got : STEP_MAX;
        ssize_t n = pread(f->fd, at + *got, step, (off_t)(off + *got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int error_number = errno;
            *got = 0;
            return ngff_sys_fail(err, error_number, path);
        }
        if (n == 0)
            break;
        *got += (size_t)n;
    }
    return NGFF_OK;
}

ngff_status ngff_file_pwrite(const ngff_file *f, const void *data, size_t size,
                             uint64_t off, const char *path, ngff_error *err) {
    const char *at = data;
    size_t done = 0;
    if (!range_fits(size, off))
        return ngff_sys_fail(err, EFBIG, path);
    while (done < size) {
        size_t step = size - done < STEP_MAX ? size - done : STEP_MAX;
        ssize_t n = pwrite(f->fd, at + done, step, (off_t)(off + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ngff_sys_fail(err, n < 0 ? errno : EIO, path);
        done += (size_t)n;
    }
    return NGFF_OK;
}

ngff_status ngff_file_size(const ngff_file *f, uint64_t *size, const char *path,
                           ngff_error *err) {
    struct stat st;
    *size = 0;
    if (fstat(f->fd, &st) != 0)
        return ngff_sys_fail(err, errno, path);
    if (S_ISDIR(st.st_mode))
        return ngff_sys_fail(err, EISDIR, path);
    *size = st.st_size > 0 ? (uint64_t)st.st_size : 0;
    return NGFF_OK;
}

ngff_status ngff_file_truncate(const ngff_file *f, uint64_t size, const char *path,
                               ngff_error *err) {
    int status;
    if (!range_fits(0, size))
        return ngff_sys_fail(err, EFBIG, path);
    do
        status = ftruncate(f->fd, (off_t)size);
    while (status != 0 && errno == EINTR);
    return status == 0 ? NGFF_OK : ngff_sys_fail(err, errno, path);
}

ngff_status ngff_file_sync(const ngff_file *f, const char *path, ngff_error *err) {
    int status;
    do
        status = fsync(f->fd);
    while (status != 0 && errno == EINTR);
    /* EINVAL: the file system has nothing to flush (pipes, some virtual ones). */
    if (status != 0 && errno != EINVAL && errno != ENOTSUP)
        return ngff_sys_fail(err, errno, path);
    return NGFF_OK;
}

/* How many bytes the kernel copied; stops at the first refusal, whatever the reason: the
 * plain loop behind it meets the same error again when it is a real one. */
static uint64_t copy_in_kernel(int from, off_t from_off, int to, off_t to_off,
                               uint64_t size) {
    uint64_t done = 0;
    while (done < size) {
        size_t step = size - done < STEP_MAX ? (size_t)(size - done) : STEP_MAX;
        ssize_t n = copy_file_range(from, &from_off, to, &to_off, step, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (uint64_t)n;
    }
    return done;
}

ngff_status ngff_file_copy_range(const ngff_file *from, uint64_t from_off,
                                 const ngff_file *to, uint64_t to_off, uint64_t size,
                                 const char *path, ngff_error *err) {
    if (size > SIZE_MAX || !range_fits((size_t)size, from_off) ||
        !range_fits((size_t)size, to_off))
        return ngff_sys_fail(err, EFBIG, path);
    uint64_t done =
        copy_in_kernel(from->fd, (off_t)from_off, to->fd, (off_t)to_off, size);
    char block[COPY_STEP];
    while (done < size) {
        size_t step = size - done < COPY_STEP ? (size_t)(size - done) : COPY_STEP;
        size_t got;
        NGFF_TRY(ngff_file_pread(from, block, step, from_off + done, &got, path, err));
        if (got < step)
            return ngff_fail(err, NGFF_IO,
                             "%s: the copied file ends %llu bytes before the range does",
                             path, (unsigned long long)(size - done - got));
        NGFF_TRY(ngff_file_pwrite(to, block, got, to_off + done, path, err));
        done += got;
    }
    return NGFF_OK;
}

void ngff_file_punch_hole(const ngff_file *f, uint64_t off, uint64_t size) {
    if (size == 0 || off > INT64_MAX || size > INT64_MAX - off)
        return;
    if (fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)off,
                  (off_t)size) != 0)
        return; /* only space is lost */
}
