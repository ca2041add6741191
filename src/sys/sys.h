/* sys: the operating system, and the only POSIX besides `net`: files, locks, atomic
 * rename, fsync, threads, clock, cores, memory. Every failing call writes "path: reason
 * (errno name)" as NGFF_IO, except: ENOENT/ENOTDIR -> NGFF_NOT_FOUND, EEXIST ->
 * NGFF_EXISTS, ENOMEM -> NGFF_NOMEM. Any thread may call anything; one file handle may be
 * used by several threads (pread/pwrite). */
#ifndef NGFF_SYS_SYS_H
#define NGFF_SYS_SYS_H

#include "base/base.h"

/* ---- files
 * ----------------------------------------------------------------------------- */

typedef struct ngff_file {
    int fd; /* -1: closed */
} ngff_file;
#define NGFF_FILE_INIT                                                                   \
    { -1 }

typedef enum ngff_open_mode {
    NGFF_OPEN_READ = 0,
    NGFF_OPEN_CREATE = 1,     /* write, must not exist (O_EXCL) */
    NGFF_OPEN_TRUNCATE = 2,   /* write, created or cut to 0 */
    NGFF_OPEN_READ_WRITE = 3, /* must exist */
} ngff_open_mode;

NGFF_MUST_USE ngff_status ngff_file_open(ngff_file *f, const char *path,
                                         ngff_open_mode mode, ngff_error *err);
/* An unlinked temporary file in directory `dir` (O_TMPFILE, or mkstemp + unlink). Read
 * and write. */
NGFF_MUST_USE ngff_status ngff_file_open_unlinked(ngff_file *f, const char *dir,
                                                  ngff_error *err);
void ngff_file_close(ngff_file *f);
/* close(2) with its error reported. */
NGFF_MUST_USE ngff_status ngff_file_finish(ngff_file *f, const char *path,
                                           ngff_error *err);
/* Reads up to `size` bytes, retrying EINTR and short reads; *got < size only at end of
 * file. */
NGFF_MUST_USE ngff_status ngff_file_pread(const ngff_file *f, void *out, size_t size,
                                          uint64_t off, size_t *got, const char *path,
                                          ngff_error *err);
/* Writes all, or fails. `path` is for the message only. */
NGFF_MUST_USE ngff_status ngff_file_pwrite(const ngff_file *f, const void *data,
                                           size_t size, uint64_t off, const char *path,
                                           ngff_error *err);
NGFF_MUST_USE ngff_status ngff_file_size(const ngff_file *f, uint64_t *size,
                                         const char *path, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_file_truncate(const ngff_file *f, uint64_t size,
                                             const char *path, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_file_sync(const ngff_file *f, const char *path,
                                         ngff_error *err);
/* Copies bytes between files inside the kernel where possible (copy_file_range, else a
 * loop). */
NGFF_MUST_USE ngff_status ngff_file_copy_range(const ngff_file *from, uint64_t from_off,
                                               const ngff_file *to, uint64_t to_off,
                                               uint64_t size, const char *path,
                                               ngff_error *err);
void ngff_file_punch_hole(const ngff_file *f, uint64_t off,
                          uint64_t size); /* best effort */

/* ---- paths and directories
 * ------------------------------------------------------------- */

typedef enum ngff_path_kind {
    NGFF_PATH_NONE = 0, /* nothing there */
    NGFF_PATH_FILE,
    NGFF_PATH_DIR,
    NGFF_PATH_OTHER /* device, socket, dangling link */
} ngff_path_kind;

NGFF_MUST_USE ngff_status
ngff_path_kind_of(const char *path, ngff_path_kind *kind,
                  ngff_error *err);       /* follows links; NONE is OK */
bool ngff_path_is_link(const char *path); /* itself a symbolic link */
NGFF_MUST_USE ngff_status ngff_path_identity(const char *path, uint64_t *dev,
                                             uint64_t *ino, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_path_absolute(const ngff_allocator *a, const char *path,
                                             char **out,
                                             ngff_error *err); /* realpath of the
                                 longest existing parent + the rest; no trailing '/' */
NGFF_MUST_USE ngff_status ngff_dir_make(const char *path,
                                        ngff_error *err); /* EXISTS if there */
NGFF_MUST_USE ngff_status ngff_dir_make_all(const char *path,
                                            ngff_error *err); /* mkdir -p */
NGFF_MUST_USE ngff_status ngff_dir_remove_all(const char *path,
                                              ngff_error *err); /* rm -rf, never
                           follows symbolic links; missing is OK */
NGFF_MUST_USE ngff_status ngff_dir_remove(const char *path,
                                          ngff_error *err); /* an empty one */
NGFF_MUST_USE ngff_status ngff_path_remove(const char *path,
                                           ngff_error *err); /* one file */
/* Calls fn(user, name, kind) for each entry but . and .. in byte order of the names. */
typedef ngff_status (*ngff_dir_fn)(void *user, const char *name, ngff_path_kind kind);
NGFF_MUST_USE ngff_status ngff_dir_list(const ngff_allocator *a, const char *path,
                                        ngff_dir_fn fn, void *user, ngff_error *err);
/* Atomic publish: EXISTS if `to` exists (renameat2 RENAME_NOREPLACE, with a checked
 * fallback). */
NGFF_MUST_USE ngff_status ngff_path_rename_new(const char *from, const char *to,
                                               ngff_error *err);
/* Atomic swap of two existing paths (RENAME_EXCHANGE); UNSUPPORTED where the file system
 * cannot. */
NGFF_MUST_USE ngff_status ngff_path_exchange(const char *a, const char *b,
                                             ngff_error *err);
/* Both: `from` takes the name `to`, and `from` is then what was there, if anything
 * (*replaced). */
NGFF_MUST_USE ngff_status ngff_path_replace(const char *from, const char *to,
                                            bool *replaced, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_path_rename(const char *from, const char *to,
                                           ngff_error *err);
/* A second name for a file: EXISTS if `to` is there, NOT_FOUND without its directory. */
NGFF_MUST_USE ngff_status ngff_path_link(const char *from, const char *to,
                                         ngff_error *err);
/* Only an empty one; IO otherwise. */
NGFF_MUST_USE ngff_status ngff_dir_remove_empty(const char *path, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_dir_sync(const char *path,
                                        ngff_error *err); /* fsync of the directory */
NGFF_MUST_USE ngff_status ngff_fs_sync(const char *path,
                                       ngff_error *err); /* syncfs of its file system */

/* ---- locks
 * ----------------------------------------------------------------------------- */

/* An advisory exclusive lock held on a file until unlock or process death (open file
 * description lock, falling back to flock). try: EXISTS when another holds it,
 * UNSUPPORTED where the file system has no locks. */
typedef struct ngff_lock {
    int fd;
} ngff_lock;
NGFF_MUST_USE ngff_status ngff_lock_try(ngff_lock *lock, const char *path, bool create,
                                        ngff_error *err);
void ngff_lock_release(ngff_lock *lock);

/* ---- threads
 * --------------------------------------------------------------------------- */

typedef struct ngff_mutex ngff_mutex; /* opaque; heap */
typedef struct ngff_cond ngff_cond;
typedef struct ngff_thread ngff_thread;

NGFF_MUST_USE ngff_status ngff_mutex_create(const ngff_allocator *a, ngff_mutex **out,
                                            ngff_error *err);
void ngff_mutex_close(ngff_mutex **m);
void ngff_mutex_lock(ngff_mutex *m);
void ngff_mutex_unlock(ngff_mutex *m);
NGFF_MUST_USE ngff_status ngff_cond_create(const ngff_allocator *a, ngff_cond **out,
                                           ngff_error *err);
void ngff_cond_close(ngff_cond **c);
void ngff_cond_wait(ngff_cond *c, ngff_mutex *m);
void ngff_cond_signal(ngff_cond *c);
void ngff_cond_broadcast(ngff_cond *c);
NGFF_MUST_USE ngff_status ngff_thread_start(const ngff_allocator *a,
                                            void (*fn)(void *arg), void *arg,
                                            ngff_thread **out, ngff_error *err);
void ngff_thread_join(ngff_thread **t); /* signals are blocked in threads started here */

/* ---- machine
 * --------------------------------------------------------------------------- */

int ngff_cpu_count(void); /* cores this process may use (affinity, cgroup quota), >= 1 */
uint64_t ngff_memory_available(
    void); /* bytes this process may use: min(physical, cgroup, rlimit) */
/* A hint: these bytes will all be used, so the system may give them in large pages, which
 * saves most of the time it takes to give them at all. Small blocks are left alone. */
void ngff_memory_prefer_large(void *block, size_t size);
uint64_t ngff_clock_ns(void); /* monotonic */
void ngff_sys_random(void *out, size_t size);
int64_t ngff_sys_pid(void);
void ngff_sys_host(char *out, size_t out_size);
const char *ngff_sys_getenv(const char *name);

#endif
