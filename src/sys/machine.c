/* sys: cores, memory, clock, randomness and names. */
#define _GNU_SOURCE
#include "sys/inside.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define CGROUP_MOUNT "/sys/fs/cgroup"
#define CGROUP_SELF "/proc/self/cgroup"

static void read_membership(char *out, size_t out_size) {
    ngff_file f = NGFF_FILE_INIT;
    size_t got = 0;
    if (ngff_file_open(&f, CGROUP_SELF, NGFF_OPEN_READ, NULL) == NGFF_OK) {
        if (ngff_file_pread(&f, out, out_size - 1, 0, &got, CGROUP_SELF, NULL) != NGFF_OK)
            got = 0;
        ngff_file_close(&f);
    }
    out[got] = '\0';
}

static int affinity_count(void) {
    /* Room for 8192 cores; the kernel refuses sets smaller than its own. */
    cpu_set_t sets[8192 / CPU_SETSIZE];
    memset(sets, 0, sizeof sets);
    if (sched_getaffinity(0, sizeof sets, sets) == 0)
        return CPU_COUNT_S(sizeof sets, sets);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 && online < 8192 ? (int)online : 1;
}

int ngff_cpu_count(void) {
    char membership[4096];
    read_membership(membership, sizeof membership);
    int count = affinity_count();
    int quota = ngff_sys_cgroup_cpus(CGROUP_MOUNT, membership);
    if (quota > 0 && quota < count)
        count = quota;
    return count > 0 ? count : 1;
}

static uint64_t physical_memory(void) {
    long pages = sysconf(_SC_PHYS_PAGES);
    long page = sysconf(_SC_PAGESIZE);
    if (pages <= 0 || page <= 0)
        return UINT64_MAX;
    return (uint64_t)pages * (uint64_t)page;
}

uint64_t ngff_memory_available(void) {
    char membership[4096];
    struct rlimit limit;
    read_membership(membership, sizeof membership);
    uint64_t memory = physical_memory();
    uint64_t group = ngff_sys_cgroup_memory(CGROUP_MOUNT, membership);
    if (group < memory)
        memory = group;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        limit.rlim_cur < memory)
        memory = limit.rlim_cur;
    return memory;
}

/* Large pages of the usual machines: 2 MiB; smaller blocks hold none as a whole. */
#define LARGE_LEAST ((size_t)4 << 20)

void ngff_memory_prefer_large(void *block, size_t size) {
#ifdef MADV_HUGEPAGE
    long page = sysconf(_SC_PAGESIZE);
    if (size < LARGE_LEAST || page <= 0)
        return;
    uintptr_t mask = (uintptr_t)page - 1, first = ((uintptr_t)block + mask) & ~mask;
    uintptr_t last = ((uintptr_t)block + size) & ~mask;
    /* No kernel must know it. */
    (void)madvise((char *)block + (first - (uintptr_t)block), last - first,
                  MADV_HUGEPAGE);
#else
    (void)block;
    (void)size;
#endif
}

uint64_t ngff_clock_ns(void) {
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void ngff_sys_random(void *out, size_t size) {
    unsigned char *at = out;
    size_t done = 0;
    while (done < size) {
        ssize_t n = getrandom(at + done, size - done, 0);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    /* Without the kernel's help still different from process to process; names need no
     * more. */
    uint64_t mix = ngff_clock_ns() ^ (uint64_t)getpid() << 40;
    for (; done < size; done++) {
        mix = mix * 6364136223846793005u + 1442695040888963407u;
        at[done] = (unsigned char)(mix >> 56);
    }
}

int64_t ngff_sys_pid(void) {
    return (int64_t)getpid();
}

void ngff_sys_host(char *out, size_t out_size) {
    assert(out_size > 0);
    if (gethostname(out, out_size) != 0)
        ngff_copy_text(out, out_size, "localhost");
    out[out_size - 1] = '\0';
}

const char *ngff_sys_getenv(const char *name) {
    return getenv(name);
}
