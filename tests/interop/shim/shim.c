/* A library that tests put before the C library (LD_PRELOAD): it sees every call by which
 * the program changes or reads files below one directory, in one order, and can act at
 * the n-th of a class.
 *
 *   NGFF_SHIM_ROOT   only paths that begin with this count
 *   NGFF_SHIM_LOG    every call that changed something is appended here: a line
 *                    "op TAB path TAB other path TAB offset TAB size", and for
 *                    writes the bytes and a newline (read by shim.py); "failed TAB class"
 *                    where a call was made to fail
 *   NGFF_SHIM_CLASS  create, write, flush, rename, unlink or read; or all
 *   NGFF_SHIM_AT     the n-th call of that class, from 1, over all threads
 *   NGFF_SHIM_ACT    kill (before the call), kill-after, stop (SIGSTOP before the call),
 *                    fail:ERRNO (this call), fail+:ERRNO (this and all later ones)
 *
 * One lock is held over every call, so the order of the log is the order in which things
 * happened. Not thread-friendly in any other sense, and for x86-64 and aarch64 Linux. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

typedef enum { CREATE, WRITE, FLUSH, RENAME, UNLINK, READ, CLASSES } class_;

static const char *const class_names[] = {"create", "write",  "flush",
                                          "rename", "unlink", "read"};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static int log_fd = -1;
static int want_class = -1; /* CLASSES: all */
static long want_at, seen;
static const char *act;

/* The next definition of a name: the C library's, or a sanitizer's before it. */
#define REAL(type, name) ((type)(unsigned long)dlsym(RTLD_NEXT, name))

__attribute__((constructor)) static void shim_open(void) {
    const char *text = getenv("NGFF_SHIM_ROOT");
    if (!text || strlen(text) >= sizeof root)
        return;
    strcpy(root, text);
    if ((text = getenv("NGFF_SHIM_LOG")) != NULL)
        log_fd = REAL(int (*)(const char *, int, ...),
                      "open64")(text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    text = getenv("NGFF_SHIM_CLASS");
    for (int i = 0; text && i < CLASSES; i++)
        want_class = strcmp(text, class_names[i]) == 0 ? i : want_class;
    if (text && strcmp(text, "all") == 0)
        want_class = CLASSES;
    want_at = (text = getenv("NGFF_SHIM_AT")) != NULL ? atol(text) : 0;
    act = getenv("NGFF_SHIM_ACT");
}

/* ---- where a call goes ---- */

static bool below(const char *path) {
    size_t len = strlen(root);
    return len > 0 && strncmp(path, root, len) == 0;
}

/* The path of an open file; one that has no name is none of ours to record. */
static bool path_of_fd(int fd, char out[PATH_MAX]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, out, PATH_MAX - 1);
    out[n < 0 ? 0 : n] = '\0';
    return below(out);
}

static bool is_nameless(const char *path) {
    return strstr(path, " (deleted)") != NULL || strstr(path, "/#") != NULL;
}

/* `name` relative to the directory `fd`, or as it is. */
static bool path_at(int fd, const char *name, char out[PATH_MAX]) {
    if (name[0] == '/' || fd == AT_FDCWD) {
        snprintf(out, PATH_MAX, "%s", name);
        return below(out);
    }
    if (!path_of_fd(fd, out))
        return false;
    size_t len = strlen(out);
    snprintf(out + len, PATH_MAX - len, "/%s", name);
    return true;
}

/* ---- acting; under the lock ---- */

typedef struct call_ {
    class_ class;
    bool ours, hit;
} call_;

static void note(const char *op, const char *path, const char *other, long long off,
                 const void *data, size_t size);

/* Called before the real call. False: the call must fail with errno. */
static bool enter(call_ *call, class_ class, bool ours) {
    *call = (call_){class, ours, false};
    pthread_mutex_lock(&lock);
    if (!ours || !act || (want_class != CLASSES && want_class != (int)class))
        return true;
    seen++;
    call->hit = seen == want_at;
    bool later = seen >= want_at && strncmp(act, "fail+:", 6) == 0;
    if (call->hit && strcmp(act, "kill") == 0)
        kill(getpid(), SIGKILL);
    if (call->hit && strcmp(act, "stop") == 0)
        kill(getpid(), SIGSTOP);
    if (later || (call->hit && strncmp(act, "fail:", 5) == 0)) {
        note("failed", class_names[class], "", 0, NULL, 0);
        errno = atoi(strchr(act, ':') + 1);
        return false;
    }
    return true;
}

static void leave(const call_ *call) {
    int keep = errno;
    if (call->hit && strcmp(act, "kill-after") == 0)
        kill(getpid(), SIGKILL);
    pthread_mutex_unlock(&lock);
    errno = keep;
}

static void put(const void *data, size_t size) {
    ssize_t (*real)(int, const void *, size_t) =
        REAL(ssize_t(*)(int, const void *, size_t), "write");
    const char *at = data;
    while (size > 0) {
        ssize_t n = real(log_fd, at, size);
        if (n <= 0)
            abort();
        at += n;
        size -= (size_t)n;
    }
}

static void note(const char *op, const char *path, const char *other, long long off,
                 const void *data, size_t size) {
    int keep = errno;
    char line[3 * PATH_MAX];
    if (log_fd < 0)
        return;
    int n = snprintf(line, sizeof line, "%s\t%s\t%s\t%lld\t%zu\n", op, path, other, off,
                     data ? size : 0);
    put(line, (size_t)n);
    if (data && size) {
        put(data, size);
        put("\n", 1);
    }
    errno = keep;
}

/* ---- opening ---- */

static int opened(const char *symbol, int dir, const char *name, int flags, mode_t mode) {
    char path[PATH_MAX];
    call_ call;
    bool tmp = (flags & O_TMPFILE) == O_TMPFILE;
    bool makes = (flags & O_CREAT) != 0 || tmp;
    bool ours = path_at(dir, name, path);
    bool had = ours && access(path, F_OK) == 0;
    int fd = -1;
    if (enter(&call, makes ? CREATE : READ, ours)) {
        if (strncmp(symbol, "openat", 6) == 0)
            fd = REAL(int (*)(int, const char *, int, ...), symbol)(dir, name, flags,
                                                                    mode);
        else
            fd = REAL(int (*)(const char *, int, ...), symbol)(name, flags, mode);
        if (fd >= 0 && ours && (flags & O_CREAT) && !had)
            note("create", path, "", 0, NULL, 0);
        if (fd >= 0 && ours && (flags & O_TRUNC) && had)
            note("truncate", path, "", 0, NULL, 0);
    }
    leave(&call);
    return fd;
}

static mode_t mode_of(int flags, va_list args) {
    bool given = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
    return given ? (mode_t)va_arg(args, int) : 0;
}

#define OPEN(symbol)                                                                     \
    int symbol(const char *path, int flags, ...) {                                       \
        va_list args;                                                                    \
        va_start(args, flags);                                                           \
        mode_t mode = mode_of(flags, args);                                              \
        va_end(args);                                                                    \
        return opened(#symbol, AT_FDCWD, path, flags, mode);                             \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(symbol)                                                                   \
    int symbol(int dir, const char *path, int flags, ...) {                              \
        va_list args;                                                                    \
        va_start(args, flags);                                                           \
        mode_t mode = mode_of(flags, args);                                              \
        va_end(args);                                                                    \
        return opened(#symbol, dir, path, flags, mode);                                  \
    }
OPENAT(openat)
OPENAT(openat64)

int mkdir(const char *path, mode_t mode) {
    call_ call;
    int status = -1;
    bool ours = below(path);
    if (enter(&call, CREATE, ours)) {
        status = REAL(int (*)(const char *, mode_t), "mkdir")(path, mode);
        if (status == 0 && ours)
            note("mkdir", path, "", 0, NULL, 0);
    }
    leave(&call);
    return status;
}

struct __dirstream *opendir(const char *path) {
    call_ call;
    struct __dirstream *dir = NULL;
    if (enter(&call, READ, below(path)))
        dir = REAL(struct __dirstream * (*)(const char *), "opendir")(path);
    leave(&call);
    return dir;
}

/* ---- bytes ---- */

#define PREAD(symbol)                                                                    \
    ssize_t symbol(int fd, void *out, size_t size, off_t off) {                          \
        char path[PATH_MAX];                                                             \
        call_ call;                                                                      \
        ssize_t n = -1;                                                                  \
        if (enter(&call, READ, path_of_fd(fd, path)))                                    \
            n = REAL(ssize_t(*)(int, void *, size_t, off_t), #symbol)(fd, out, size,     \
                                                                      off);              \
        leave(&call);                                                                    \
        return n;                                                                        \
    }
PREAD(pread)
PREAD(pread64)

#define PWRITE(symbol)                                                                   \
    ssize_t symbol(int fd, const void *data, size_t size, off_t off) {                   \
        char path[PATH_MAX];                                                             \
        call_ call;                                                                      \
        bool ours = path_of_fd(fd, path);                                                \
        ssize_t n = -1;                                                                  \
        if (enter(&call, WRITE, ours)) {                                                 \
            n = REAL(ssize_t(*)(int, const void *, size_t, off_t), #symbol)(fd, data,    \
                                                                            size, off);  \
            if (n > 0 && ours && !is_nameless(path))                                     \
                note("write", path, "", off, data, (size_t)n);                           \
        }                                                                                \
        leave(&call);                                                                    \
        return n;                                                                        \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

#define TRUNCATE(symbol)                                                                 \
    int symbol(int fd, off_t size) {                                                     \
        char path[PATH_MAX];                                                             \
        call_ call;                                                                      \
        bool ours = path_of_fd(fd, path);                                                \
        int status = -1;                                                                 \
        if (enter(&call, WRITE, ours)) {                                                 \
            status = REAL(int (*)(int, off_t), #symbol)(fd, size);                       \
            if (status == 0 && ours && !is_nameless(path))                               \
                note("truncate", path, "", size, NULL, 0);                               \
        }                                                                                \
        leave(&call);                                                                    \
        return status;                                                                   \
    }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

ssize_t copy_file_range(int from, off64_t *from_off, int to, off64_t *to_off, size_t size,
                        unsigned flags) {
    char path[PATH_MAX];
    call_ call;
    bool ours = path_of_fd(to, path);
    ssize_t n = -1;
    if (enter(&call, WRITE, ours)) {
        off64_t at = to_off ? *to_off : 0;
        n = REAL(ssize_t(*)(int, off64_t *, int, off64_t *, size_t, unsigned),
                 "copy_file_range")(from, from_off, to, to_off, size, flags);
        char *data = n > 0 && ours ? malloc((size_t)n) : NULL;
        if (data && REAL(ssize_t(*)(int, void *, size_t, off64_t),
                         "pread64")(to, data, (size_t)n, at) == n)
            note("write", path, "", at, data, (size_t)n);
        free(data);
    }
    leave(&call);
    return n;
}

/* ---- flushing ---- */

#define SYNC(symbol)                                                                     \
    int symbol(int fd) {                                                                 \
        char path[PATH_MAX];                                                             \
        call_ call;                                                                      \
        bool ours = path_of_fd(fd, path);                                                \
        int status = -1;                                                                 \
        if (enter(&call, FLUSH, ours)) {                                                 \
            status = REAL(int (*)(int), #symbol)(fd);                                    \
            if (status == 0 && ours && !is_nameless(path))                               \
                note(#symbol, path, "", 0, NULL, 0);                                     \
        }                                                                                \
        leave(&call);                                                                    \
        return status;                                                                   \
    }
SYNC(fsync)
SYNC(fdatasync)
SYNC(syncfs)

/* ---- names ---- */

int rename(const char *from, const char *to) {
    call_ call;
    int status = -1;
    bool ours = below(from);
    if (enter(&call, RENAME, ours)) {
        status = REAL(int (*)(const char *, const char *), "rename")(from, to);
        if (status == 0 && ours)
            note("rename", from, to, 0, NULL, 0);
    }
    leave(&call);
    return status;
}

int link(const char *from, const char *to) {
    call_ call;
    int status = -1;
    bool ours = below(from);
    if (enter(&call, RENAME, ours)) {
        status = REAL(int (*)(const char *, const char *), "link")(from, to);
        if (status == 0 && ours)
            note("link", from, to, 0, NULL, 0);
    }
    leave(&call);
    return status;
}

static long rename_with(const long *arg) {
    const char *from = (const char *)arg[1], *to = (const char *)arg[3];
    call_ call;
    long status = -1;
    bool ours = below(from);
    if (enter(&call, RENAME, ours)) {
        /* NGFF_SHIM_OLD: a file system that knows neither flag. */
        errno = EINVAL;
        if (!getenv("NGFF_SHIM_OLD") || arg[4] == 0)
            status = REAL(long (*)(long, ...), "syscall")(SYS_renameat2, arg[0], arg[1],
                                                          arg[2], arg[3], arg[4]);
        if (status == 0 && ours)
            note(arg[4] == 2 ? "exchange" : "rename", from, to, 0, NULL, 0);
    }
    leave(&call);
    return status;
}

long syscall(long number, ...) {
    long arg[6];
    va_list args;
    va_start(args, number);
    for (int i = 0; i < 6; i++)
        arg[i] = va_arg(args, long);
    va_end(args);
    if (number == SYS_renameat2)
        return rename_with(arg);
    return REAL(long (*)(long, ...), "syscall")(number, arg[0], arg[1], arg[2], arg[3],
                                                arg[4], arg[5]);
}

int unlink(const char *path) {
    call_ call;
    int status = -1;
    bool ours = below(path);
    if (enter(&call, UNLINK, ours)) {
        status = REAL(int (*)(const char *), "unlink")(path);
        if (status == 0 && ours)
            note("unlink", path, "", 0, NULL, 0);
    }
    leave(&call);
    return status;
}

int rmdir(const char *path) {
    call_ call;
    int status = -1;
    bool ours = below(path);
    if (enter(&call, UNLINK, ours)) {
        status = REAL(int (*)(const char *), "rmdir")(path);
        if (status == 0 && ours)
            note("rmdir", path, "", 0, NULL, 0);
    }
    leave(&call);
    return status;
}

int unlinkat(int dir, const char *name, int flags) {
    char path[PATH_MAX];
    call_ call;
    int status = -1;
    bool ours = path_at(dir, name, path);
    if (enter(&call, UNLINK, ours)) {
        status = REAL(int (*)(int, const char *, int), "unlinkat")(dir, name, flags);
        if (status == 0 && ours)
            note(flags & AT_REMOVEDIR ? "rmdir" : "unlink", path, "", 0, NULL, 0);
    }
    leave(&call);
    return status;
}
