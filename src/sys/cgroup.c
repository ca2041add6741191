/* sys: what the control groups of this process allow (Linux cgroup v1 and v2). A missing
 * or odd file means "no limit": the answer is advice for a budget, never an error. */
#define _POSIX_C_SOURCE 200809L
#include "sys/inside.h"

#include <limits.h>
#include <stdio.h>

/* v1 says "unlimited" with the largest multiple of a page. */
#define V1_UNLIMITED ((uint64_t)1 << 62)

typedef struct limits {
    uint64_t memory; /* UINT64_MAX: none */
    uint64_t cpus;   /* 0: none */
} limits;

typedef void (*look_fn)(const char *dir, limits *l);

static bool read_line(const char *dir, const char *file, char *out, size_t out_size) {
    char path[PATH_MAX];
    ngff_file f = NGFF_FILE_INIT;
    size_t got = 0;
    int n = snprintf(path, sizeof path, "%s/%s", dir, file);
    if (n < 0 || n >= (int)sizeof path || ngff_file_open(&f, path, NGFF_OPEN_READ, NULL))
        return false;
    ngff_status status = ngff_file_pread(&f, out, out_size - 1, 0, &got, path, NULL);
    ngff_file_close(&f);
    out[status == NGFF_OK ? got : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    return status == NGFF_OK && got > 0;
}

static bool read_number(const char *dir, const char *file, int64_t *out) {
    char line[64];
    return read_line(dir, file, line, sizeof line) && ngff_parse_i64(line, out);
}

static void lower_memory(limits *l, int64_t value) {
    if (value >= 0 && (uint64_t)value < V1_UNLIMITED && (uint64_t)value < l->memory)
        l->memory = (uint64_t)value;
}

static void lower_cpus(limits *l, int64_t quota, int64_t period) {
    if (quota <= 0 || period <= 0)
        return;
    uint64_t cpus = (uint64_t)ngff_ceil_div(quota, period);
    if (l->cpus == 0 || cpus < l->cpus)
        l->cpus = cpus;
}

static void look_v2(const char *dir, limits *l) {
    int64_t value, period;
    char line[64];
    /* "max" is not a number and so no limit. */
    if (read_number(dir, "memory.max", &value))
        lower_memory(l, value);
    if (read_number(dir, "memory.high", &value))
        lower_memory(l, value);
    if (!read_line(dir, "cpu.max", line, sizeof line))
        return;
    char *space = strchr(line, ' ');
    if (!space)
        return;
    *space = '\0';
    if (ngff_parse_i64(line, &value) && ngff_parse_i64(space + 1, &period))
        lower_cpus(l, value, period);
}

static void look_v1_memory(const char *dir, limits *l) {
    int64_t value;
    if (read_number(dir, "memory.limit_in_bytes", &value))
        lower_memory(l, value);
}

static void look_v1_cpu(const char *dir, limits *l) {
    int64_t quota, period;
    if (read_number(dir, "cpu.cfs_quota_us", &quota) &&
        read_number(dir, "cpu.cfs_period_us", &period))
        lower_cpus(l, quota, period);
}

/* The group itself and its parents up to the mount. Inside a container the path may be
 * the host's; then only the mount itself answers, which is the container's own group. */
static void climb(const char *mount, const char *group, look_fn look, limits *l) {
    char dir[PATH_MAX];
    size_t base = strlen(mount);
    int n =
        snprintf(dir, sizeof dir, "%s%s", mount, strcmp(group, "/") == 0 ? "" : group);
    if (n < 0 || n >= (int)sizeof dir || strstr(group, "/.."))
        ngff_copy_text(dir, sizeof dir, mount);
    for (;;) {
        look(dir, l);
        size_t len = strlen(dir);
        if (len <= base)
            return;
        while (len > base && dir[len - 1] != '/')
            len--;
        dir[len > base ? len - 1 : base] = '\0';
    }
}

static bool has_controller(const char *list, const char *name) {
    size_t len = strlen(name);
    for (; *list; list += strcspn(list, ","), list += *list == ',') {
        if (strncmp(list, name, len) == 0 && (list[len] == '\0' || list[len] == ','))
            return true;
    }
    return false;
}

/* One line of /proc/self/cgroup: "id:controllers:path"; v2 has id 0 and no controllers.
 */
static void look_line(const char *mount, char *line, limits *l) {
    char v1[PATH_MAX];
    char *list = strchr(line, ':');
    char *group = list ? strchr(list + 1, ':') : NULL;
    if (!group || group[1] != '/')
        return;
    *list++ = '\0';
    *group++ = '\0';
    if (list[0] == '\0') {
        climb(mount, group, look_v2, l);
        return;
    }
    snprintf(v1, sizeof v1, "%s/memory", mount);
    if (has_controller(list, "memory"))
        climb(v1, group, look_v1_memory, l);
    snprintf(v1, sizeof v1, "%s/cpu", mount);
    if (has_controller(list, "cpu"))
        climb(v1, group, look_v1_cpu, l);
}

static limits read_limits(const char *mount, const char *membership) {
    limits l = {UINT64_MAX, 0};
    char line[PATH_MAX];
    while (*membership) {
        size_t len = strcspn(membership, "\n");
        if (len < sizeof line) {
            memcpy(line, membership, len);
            line[len] = '\0';
            look_line(mount, line, &l);
        }
        membership += len;
        membership += *membership == '\n';
    }
    return l;
}

uint64_t ngff_sys_cgroup_memory(const char *mount, const char *membership) {
    return read_limits(mount, membership).memory;
}

int ngff_sys_cgroup_cpus(const char *mount, const char *membership) {
    uint64_t cpus = read_limits(mount, membership).cpus;
    return cpus > INT_MAX ? INT_MAX : (int)cpus;
}
