/* sys, inside: what its files share. Nothing here is for other rooms; tests look in. Any
 * thread. */
#ifndef NGFF_SYS_INSIDE_H
#define NGFF_SYS_INSIDE_H

#include "sys/sys.h"

/* "path: reason (NAME)" with the status that sys.h promises for this errno. */
ngff_status ngff_sys_fail(ngff_error *err, int error_number, const char *path);

/* Kind of a mode_t as stat gives it. */
ngff_path_kind ngff_sys_kind_of_mode(unsigned mode);

/* What renameat2 does, by means that every POSIX file system has. */
NGFF_MUST_USE ngff_status ngff_sys_rename_new_plain(const char *from, const char *to,
                                                    ngff_error *err);

/* Limits of the control groups that `membership` (the text of /proc/self/cgroup) names,
 * under the mount point `mount`, and of all their parents. Unlimited: UINT64_MAX and 0
 * cores. */
uint64_t ngff_sys_cgroup_memory(const char *mount, const char *membership);
int ngff_sys_cgroup_cpus(const char *mount, const char *membership);

#endif
