/* sys: advisory exclusive locks. They belong to the open file, not to the process, so two
 * handles in one process exclude each other too and closing an unrelated one releases
 * nothing. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include "sys/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often a lock file may be replaced under us before that is an error. */
enum { TRIES = 100 };

static int set_lock(int fd, short type) {
#ifdef F_OFD_SETLK
    struct flock whole = {.l_type = type, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
        return 0;
    /* EINVAL: an old kernel; EBADF: opened for reading only (directories). */
    if (errno != EINVAL && errno != EBADF && errno != ENOLCK)
        return errno;
#endif
    return flock(fd, (type == F_UNLCK ? LOCK_UN : LOCK_EX) | LOCK_NB) == 0 ? 0 : errno;
}

static int open_lock_file(const char *path, bool create) {
    int flags = O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (create ? O_CREAT : 0);
    int fd = open(path, flags, 0666);
    if (fd < 0 && (errno == EISDIR || errno == EROFS))
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    return fd;
}

/* Somebody may have removed or replaced the file between our open and our lock: then what
 * we hold is a lock on nothing. */
static bool still_there(int fd, const char *path) {
    struct stat held, now;
    return fstat(fd, &held) == 0 && stat(path, &now) == 0 && held.st_dev == now.st_dev &&
           held.st_ino == now.st_ino;
}

/* Some network and parallel file systems are mounted without. */
static bool has_no_locks(int error_number) {
    return error_number == ENOSYS || error_number == ENOTSUP || error_number == ENOLCK;
}

ngff_status ngff_lock_try(ngff_lock *lock, const char *path, bool create,
                          ngff_error *err) {
    lock->fd = -1;
    for (int i = 0; i < TRIES; i++) {
        int fd = open_lock_file(path, create);
        if (fd < 0)
            return ngff_sys_fail(err, errno, path);
        int error_number = set_lock(fd, F_WRLCK);
        if (error_number == 0 && still_there(fd, path)) {
            lock->fd = fd;
            return NGFF_OK;
        }
        close(fd);
        if (error_number == EAGAIN || error_number == EACCES)
            return ngff_fail(err, NGFF_EXISTS, "%s: another writer holds this lock",
                             path);
        if (has_no_locks(error_number))
            return ngff_fail(err, NGFF_UNSUPPORTED, "%s: this file system has no locks",
                             path);
        if (error_number != 0 && error_number != EINTR)
            return ngff_sys_fail(err, error_number, path);
    }
    return ngff_fail(err, NGFF_IO, "%s: the lock file keeps being replaced", path);
}

void ngff_lock_release(ngff_lock *lock) {
    if (lock->fd < 0)
        return;
    /* Explicitly: a forked child may still share the open file. */
    (void)set_lock(lock->fd, F_UNLCK);
    close(lock->fd);
    lock->fd = -1;
}
