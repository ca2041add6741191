/* The floor: what a pyramid costs when nothing is computed. Reads raw levels that were
 * prepared beforehand with pread, gathers chunks, compresses them and writes one file a
 * chunk (or a shard), with the same codec, chunks and threads as the writer it is
 * compared with. Durability none.
 *
 * floor OUT CODEC LEVEL ITEMSIZE CHUNK PER_SHARD THREADS FILE:Z,Y,X [FILE:Z,Y,X …]
 * CODEC: none, zstd, blosc:lz4, blosc:zstd (byte shuffle). CHUNK: Z,Y,X. Prints seconds.
 */
#define _GNU_SOURCE
#include <blosc.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#define MAX_LEVELS 16

typedef struct level {
    int fd;
    long shape[3], grid[3];
    long first_task; /* tasks of this level: rows of storage units along x */
    char dir[512];
} level;

typedef struct job {
    level levels[MAX_LEVELS];
    int level_count;
    long chunk[3], per_shard, task_count;
    size_t item;
    const char *codec;
    int clevel;
    atomic_long next;
    atomic_ullong written;
} job;

typedef struct worker {
    job *j;
    unsigned char *band, *raw, *packed, *shard;
    ZSTD_CCtx *zstd;
} worker;

static void die(const char *what) {
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    exit(1);
}

static long min_long(long a, long b) {
    return a < b ? a : b;
}

static void *need(size_t size) {
    void *p = malloc(size);
    if (p == NULL)
        die("malloc");
    return p;
}

static size_t encode(worker *w, size_t size) {
    const job *j = w->j;
    if (strcmp(j->codec, "none") == 0) {
        memcpy(w->packed, w->raw, size);
        return size;
    }
    if (strcmp(j->codec, "zstd") == 0)
        return ZSTD_compressCCtx(w->zstd, w->packed, ZSTD_compressBound(size), w->raw,
                                 size, j->clevel);
    const char *name = strchr(j->codec, ':') + 1;
    /* The blocks of ngff's own writer: with others zstd writes other bytes. */
    size_t block = strcmp(name, "zstd") == 0 ? (size_t)512 << 10 : 0;
    int n = blosc_compress_ctx(j->clevel, 1, j->item, size, w->raw, w->packed,
                               size + BLOSC_MAX_OVERHEAD, name, block, 1);
    return n > 0 ? (size_t)n : 0;
}

/* Reads the chunk rows [z0, z1) x [y0, y1) with all of x. */
static void read_band(worker *w, const level *l, long z0, long z1, long y0, long y1) {
    size_t row = (size_t)l->shape[2] * w->j->item, run = (size_t)(y1 - y0) * row;
    for (long z = z0; z < z1; z++) {
        off_t at = (off_t)(((size_t)z * (size_t)l->shape[1] + (size_t)y0) * row);
        if (pread(l->fd, w->band + (size_t)(z - z0) * run, run, at) != (ssize_t)run)
            die("pread");
    }
}

/* Copies chunk (cz, cy, cx), counted inside the band, into w->raw; beyond the image is
 * zero. */
static void gather(worker *w, const level *l, const long n[3], const long at[3]) {
    const job *j = w->j;
    size_t row = (size_t)l->shape[2] * j->item, run = (size_t)j->chunk[2] * j->item;
    long z1 = min_long(at[0] + j->chunk[0], n[0]),
         y1 = min_long(at[1] + j->chunk[1], n[1]);
    size_t part = (size_t)min_long(j->chunk[2], l->shape[2] - at[2]) * j->item;
    if (z1 - at[0] < j->chunk[0] || y1 - at[1] < j->chunk[1] || part < run)
        memset(w->raw, 0, (size_t)(j->chunk[0] * j->chunk[1]) * run);
    for (long z = at[0]; z < z1; z++)
        for (long y = at[1]; y < y1; y++)
            memcpy(w->raw + (size_t)((z - at[0]) * j->chunk[1] + y - at[1]) * run,
                   w->band + (size_t)(z * n[1] + y) * row + (size_t)at[2] * j->item,
                   part);
}

static void write_file(worker *w, const level *l, const long u[3], const void *data,
                       size_t size) {
    char path[640];
    snprintf(path, sizeof path, "%s/%ld/%ld/%ld", l->dir, u[0], u[1], u[2]);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 && errno == ENOENT) {
        char dir[640];
        snprintf(dir, sizeof dir, "%s/%ld", l->dir, u[0]);
        mkdir(dir, 0755);
        snprintf(dir, sizeof dir, "%s/%ld/%ld", l->dir, u[0], u[1]);
        mkdir(dir, 0755);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    }
    if (fd < 0 || write(fd, data, size) != (ssize_t)size || close(fd) != 0)
        die(path);
    atomic_fetch_add(&w->j->written, size);
}

/* One storage unit: a chunk, or a shard of per_shard^3 chunks with its index behind. */
static void write_unit(worker *w, const level *l, const long n[3], const long u[3]) {
    const job *j = w->j;
    size_t size = (size_t)(j->chunk[0] * j->chunk[1] * j->chunk[2]) * j->item, at = 0;
    long p = j->per_shard;
    uint64_t *index = (uint64_t *)(void *)w->shard;
    if (p == 1) {
        gather(w, l, n, (long[3]){0, 0, u[2] * j->chunk[2]});
        write_file(w, l, u, w->packed, encode(w, size));
        return;
    }
    unsigned char *data = w->shard + (size_t)(p * p * p) * 16;
    memset(index, 0xff, (size_t)(p * p * p) * 16);
    for (long k = 0; k < p * p * p; k++) {
        long c[3] = {k / (p * p) * j->chunk[0], k / p % p * j->chunk[1],
                     (u[2] * p + k % p) * j->chunk[2]};
        if (c[0] >= n[0] || c[1] >= n[1] || c[2] >= l->shape[2])
            continue;
        gather(w, l, n, c);
        size_t got = encode(w, size);
        index[2 * k] = at;
        index[2 * k + 1] = got;
        memcpy(data + at, w->packed, got);
        at += got;
    }
    memcpy(data + at, index, (size_t)(p * p * p) * 16);
    write_file(w, l, u, data, at + (size_t)(p * p * p) * 16);
}

static void do_task(worker *w, long task) {
    job *j = w->j;
    int k = j->level_count - 1;
    while (task < j->levels[k].first_task)
        k--;
    const level *l = &j->levels[k];
    long row = task - l->first_task, p = j->per_shard;
    long u[3] = {row / l->grid[1], row % l->grid[1], 0};
    long z0 = u[0] * p * j->chunk[0], z1 = min_long(z0 + p * j->chunk[0], l->shape[0]);
    long y0 = u[1] * p * j->chunk[1], y1 = min_long(y0 + p * j->chunk[1], l->shape[1]);
    read_band(w, l, z0, z1, y0, y1);
    for (u[2] = 0; u[2] < l->grid[2]; u[2]++)
        write_unit(w, l, (long[3]){z1 - z0, y1 - y0, 0}, u);
}

static void *work(void *arg) {
    job *j = arg;
    long p = j->per_shard, widest = 0;
    size_t size = (size_t)(j->chunk[0] * j->chunk[1] * j->chunk[2]) * j->item;
    for (int k = 0; k < j->level_count; k++)
        widest = j->levels[k].shape[2] > widest ? j->levels[k].shape[2] : widest;
    worker w = {j,
                need((size_t)(p * j->chunk[0] * p * j->chunk[1] * widest) * j->item),
                need(size),
                need(ZSTD_compressBound(size) + BLOSC_MAX_OVERHEAD),
                need((size_t)(p * p * p) * (ZSTD_compressBound(size) + 64)),
                ZSTD_createCCtx()};
    for (long t; (t = atomic_fetch_add(&j->next, 1)) < j->task_count;)
        do_task(&w, t);
    free(w.band);
    free(w.raw);
    free(w.packed);
    free(w.shard);
    ZSTD_freeCCtx(w.zstd);
    return NULL;
}

static void open_level(job *j, const char *out, char *spec) {
    level *l = &j->levels[j->level_count];
    char *colon = strrchr(spec, ':');
    if (colon == NULL ||
        sscanf(colon + 1, "%ld,%ld,%ld", &l->shape[0], &l->shape[1], &l->shape[2]) != 3)
        die(spec);
    *colon = '\0';
    l->fd = open(spec, O_RDONLY | O_CLOEXEC);
    if (l->fd < 0)
        die(spec);
    for (int a = 0; a < 3; a++)
        l->grid[a] =
            (l->shape[a] + j->chunk[a] * j->per_shard - 1) / (j->chunk[a] * j->per_shard);
    l->first_task = j->task_count;
    j->task_count += l->grid[0] * l->grid[1];
    snprintf(l->dir, sizeof l->dir, "%s/%d", out, j->level_count++);
    mkdir(l->dir, 0755);
}

int main(int argc, char **argv) {
    static job j;
    struct timespec a, b;
    pthread_t threads[64];
    if (argc < 9 || argc > 8 + MAX_LEVELS ||
        sscanf(argv[5], "%ld,%ld,%ld", &j.chunk[0], &j.chunk[1], &j.chunk[2]) != 3) {
        fprintf(stderr, "usage: floor OUT CODEC LEVEL ITEMSIZE CHUNK PER_SHARD THREADS "
                        "FILE:Z,Y,X …\n");
        return 2;
    }
    j.codec = argv[2];
    j.clevel = atoi(argv[3]);
    j.item = (size_t)atoi(argv[4]);
    j.per_shard = atol(argv[6]);
    int n = atoi(argv[7]);
    clock_gettime(CLOCK_MONOTONIC, &a);
    if (mkdir(argv[1], 0755) != 0)
        die(argv[1]);
    for (int i = 8; i < argc; i++)
        open_level(&j, argv[1], argv[i]);
    for (int i = 0; i < n && i < 64; i++)
        if (pthread_create(&threads[i], NULL, work, &j) != 0)
            die("pthread_create");
    for (int i = 0; i < n && i < 64; i++)
        pthread_join(threads[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &b);
    printf("%.4f %llu\n",
           (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9,
           (unsigned long long)j.written);
    return 0;
}
