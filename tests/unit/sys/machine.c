#include "support/tempdir.h"

#include "sys/inside.h"

#include <sched.h>
#include <sys/resource.h>

static void groups_of_version_2(void **state) {
    (void)state;
    const char *self = "0::/user/job\n";
    assert_true(ngff_sys_cgroup_memory(tempdir_path, self) == UINT64_MAX);
    assert_int_equal(ngff_sys_cgroup_cpus(tempdir_path, self), 0);
    assert_int_equal(ngff_dir_make_all(tempdir_at("user/job"), NULL), NGFF_OK);
    tempdir_write("user/job/memory.max", "max\n");
    tempdir_write("user/job/cpu.max", "max 100000\n");
    assert_true(ngff_sys_cgroup_memory(tempdir_path, self) == UINT64_MAX);
    assert_int_equal(ngff_sys_cgroup_cpus(tempdir_path, self), 0);
    tempdir_write("user/memory.max", "1073741824\n");
    tempdir_write("user/cpu.max", "350000 100000\n");
    assert_true(ngff_sys_cgroup_memory(tempdir_path, self) == 1 << 30);
    assert_int_equal(ngff_sys_cgroup_cpus(tempdir_path, self), 4);
    tempdir_write("user/job/memory.high", "1000000\n");
    tempdir_write("user/job/cpu.max", "50000 100000\n");
    assert_true(ngff_sys_cgroup_memory(tempdir_path, self) == 1000000);
    assert_int_equal(ngff_sys_cgroup_cpus(tempdir_path, self), 1);
    /* A container sees the host's path: its own group is then the mount itself. */
    tempdir_write("memory.max", "2048\n");
    assert_true(ngff_sys_cgroup_memory(tempdir_path, "0::/../host/path\n") == 2048);
    assert_true(ngff_sys_cgroup_memory(tempdir_path, "0::/docker/abc\n") == 2048);
    assert_true(ngff_sys_cgroup_memory(tempdir_path, "0::/\n") == 2048);
}

static void groups_of_version_1(void **state) {
    (void)state;
    const char *self = "12:cpuset:/\n4:memory:/slurm/job\n3:cpu,cpuacct:/slurm\n0::/\n";
    assert_int_equal(ngff_dir_make_all(tempdir_at("memory/slurm/job"), NULL), NGFF_OK);
    assert_int_equal(ngff_dir_make_all(tempdir_at("cpu/slurm"), NULL), NGFF_OK);
    tempdir_write("memory/memory.limit_in_bytes", "9223372036854771712\n");
    assert_true(ngff_sys_cgroup_memory(tempdir_path, self) == UINT64_MAX);
    tempdir_write("memory/slurm/job/memory.limit_in_bytes", "4096\n");
    tempdir_write("cpu/slurm/cpu.cfs_quota_us", "-1\n");
    tempdir_write("cpu/slurm/cpu.cfs_period_us", "100000\n");
    assert_true(ngff_sys_cgroup_memory(tempdir_path, self) == 4096);
    assert_int_equal(ngff_sys_cgroup_cpus(tempdir_path, self), 0);
    tempdir_write("cpu/slurm/cpu.cfs_quota_us", "200000\n");
    assert_int_equal(ngff_sys_cgroup_cpus(tempdir_path, self), 2);
}

static void odd_groups_are_no_limit(void **state) {
    (void)state;
    tempdir_write("memory.max", "lots\n");
    tempdir_write("cpu.max", "100000\n");
    const char *texts[] = {
        "", "\n", "0::", "::", "0::/", "x", "0::relative\n", "0::/\n\n\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_true(ngff_sys_cgroup_memory(tempdir_path, texts[i]) == UINT64_MAX);
        assert_int_equal(ngff_sys_cgroup_cpus(tempdir_path, texts[i]), 0);
    }
}

static void this_machine(void **state) {
    (void)state;
    uint64_t memory = ngff_memory_available();
    assert_true(memory >= (uint64_t)16 << 20 && memory < UINT64_MAX);
    assert_true(ngff_cpu_count() >= 1);
    cpu_set_t before, one;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&one);
    for (size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++) {
        if (CPU_ISSET(i, &before))
            CPU_SET(i, &one);
    }
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    int pinned = ngff_cpu_count();
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
    assert_int_equal(pinned, 1);
}

static void address_space_limit(void **state) {
    (void)state;
    struct rlimit before, low;
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    low = before;
    low.rlim_cur = (rlim_t)48 << 20; /* asked only: nothing is mapped while it holds */
    assert_int_equal(setrlimit(RLIMIT_AS, &low), 0);
    uint64_t memory = ngff_memory_available();
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    assert_true(memory == (uint64_t)48 << 20);
}

static void clock_and_names(void **state) {
    (void)state;
    uint64_t a = ngff_clock_ns(), b = ngff_clock_ns();
    assert_true(b >= a && a > 0);
    unsigned char x[32] = {0}, y[32] = {0};
    ngff_sys_random(x, sizeof x);
    ngff_sys_random(y, sizeof y);
    assert_memory_not_equal(x, y, sizeof x);
    assert_int_equal(ngff_sys_pid(), getpid());
    char host[256], small[2];
    ngff_sys_host(host, sizeof host);
    ngff_sys_host(small, sizeof small);
    assert_true(strlen(host) > 0 && strlen(small) <= 1);
    assert_null(ngff_sys_getenv("NGFF_NO_SUCH_VARIABLE"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEMPDIR_TEST(groups_of_version_2),     TEMPDIR_TEST(groups_of_version_1),
        TEMPDIR_TEST(odd_groups_are_no_limit), cmocka_unit_test(this_machine),
        cmocka_unit_test(address_space_limit), cmocka_unit_test(clock_and_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
