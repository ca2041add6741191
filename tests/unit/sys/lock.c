#include "support/tempdir.h"

#include <signal.h>
#include <sys/wait.h>

static void excludes_within_the_process(void **state) {
    (void)state;
    ngff_lock a, b;
    ngff_error err = {0};
    const char *path = tempdir_at("lock");
    assert_int_equal(ngff_lock_try(&a, path, false, &err), NGFF_NOT_FOUND);
    assert_int_equal(a.fd, -1);
    assert_int_equal(ngff_lock_try(&a, path, true, NULL), NGFF_OK);
    ngff_error_clear(&err);
    assert_int_equal(ngff_lock_try(&b, path, true, &err), NGFF_EXISTS);
    assert_non_null(strstr(err.message, "another writer"));
    /* Reading the file through another handle does not give the lock up. */
    tempdir_expect("lock", "");
    assert_int_equal(ngff_lock_try(&b, path, false, NULL), NGFF_EXISTS);
    ngff_lock_release(&b);
    ngff_lock_release(&a);
    ngff_lock_release(&a);
    assert_int_equal(ngff_lock_try(&b, path, false, NULL), NGFF_OK);
    ngff_lock_release(&b);
}

static void directories_can_be_locked(void **state) {
    (void)state;
    ngff_lock a, b;
    assert_int_equal(ngff_lock_try(&a, tempdir_path, false, NULL), NGFF_OK);
    assert_int_equal(ngff_lock_try(&b, tempdir_path, false, NULL), NGFF_EXISTS);
    ngff_lock_release(&a);
    assert_int_equal(ngff_lock_try(&b, tempdir_path, false, NULL), NGFF_OK);
    ngff_lock_release(&b);
}

static void dies_with_its_process(void **state) {
    (void)state;
    ngff_lock lock;
    int pipes[2];
    char byte;
    const char *path = tempdir_at("lock");
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        ngff_lock held;
        bool got = ngff_lock_try(&held, path, true, NULL) == NGFF_OK;
        if (write(pipes[1], got ? "y" : "n", 1) == 1)
            pause();
        _exit(1);
    }
    assert_int_equal(read(pipes[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    assert_int_equal(ngff_lock_try(&lock, path, true, NULL), NGFF_EXISTS);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(ngff_lock_try(&lock, path, true, NULL), NGFF_OK);
    ngff_lock_release(&lock);
    close(pipes[0]);
    close(pipes[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEMPDIR_TEST(excludes_within_the_process),
        TEMPDIR_TEST(directories_can_be_locked),
        TEMPDIR_TEST(dies_with_its_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
