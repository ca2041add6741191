#define _GNU_SOURCE
#include "support/cmocka.h"

#include "support/alloc.h"
#include "sys/sys.h"

#include <signal.h>

enum { WORKERS = 8, ROUNDS = 2000 };

typedef struct shared {
    ngff_mutex *mutex;
    ngff_cond *changed;
    long count;
    int turn; /* whose increment comes next */
    bool interrupt_blocked;
} shared;

typedef struct worker {
    shared *s;
    int number;
} worker;

static void count_up(void *arg) {
    shared *s = ((worker *)arg)->s;
    for (int i = 0; i < ROUNDS; i++) {
        ngff_mutex_lock(s->mutex);
        s->count++;
        ngff_mutex_unlock(s->mutex);
    }
}

static void take_turns(void *arg) {
    worker *w = arg;
    for (int i = 0; i < 20; i++) {
        ngff_mutex_lock(w->s->mutex);
        while (w->s->turn != w->number)
            ngff_cond_wait(w->s->changed, w->s->mutex);
        w->s->turn = (w->number + 1) % WORKERS;
        w->s->count++;
        ngff_cond_broadcast(w->s->changed);
        ngff_mutex_unlock(w->s->mutex);
    }
}

static void look_at_signals(void *arg) {
    shared *s = ((worker *)arg)->s;
    sigset_t now;
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    s->interrupt_blocked =
        sigismember(&now, SIGINT) == 1 && sigismember(&now, SIGSEGV) == 0;
}

static void run(shared *s, void (*fn)(void *), int n) {
    ngff_thread *threads[WORKERS];
    worker workers[WORKERS];
    for (int i = 0; i < n; i++) {
        workers[i] = (worker){s, i};
        assert_int_equal(ngff_thread_start(NULL, fn, &workers[i], &threads[i], NULL),
                         NGFF_OK);
    }
    for (int i = 0; i < n; i++) {
        ngff_thread_join(&threads[i]);
        assert_null(threads[i]);
        ngff_thread_join(&threads[i]);
    }
}

static void threads_meet(void **state) {
    (void)state;
    shared s = {0};
    sigset_t before, after;
    assert_int_equal(ngff_mutex_create(NULL, &s.mutex, NULL), NGFF_OK);
    assert_int_equal(ngff_cond_create(NULL, &s.changed, NULL), NGFF_OK);
    run(&s, count_up, WORKERS);
    assert_int_equal(s.count, WORKERS * ROUNDS);
    s.count = 0;
    run(&s, take_turns, WORKERS);
    assert_int_equal(s.count, WORKERS * 20);
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    run(&s, look_at_signals, 1);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    assert_true(s.interrupt_blocked);
    assert_int_equal(sigismember(&after, SIGINT), sigismember(&before, SIGINT));
    ngff_cond_signal(s.changed);
    ngff_cond_close(&s.changed);
    ngff_mutex_close(&s.mutex);
    ngff_cond_close(&s.changed);
    ngff_mutex_close(&s.mutex);
    ngff_mutex_close(NULL);
}

static void failing_allocations(void **state) {
    (void)state;
    failing_alloc f;
    ngff_mutex *m = (ngff_mutex *)1;
    ngff_cond *c = (ngff_cond *)1;
    ngff_thread *t = (ngff_thread *)1;
    failing_init(&f);
    failing_arm(&f, 0);
    assert_int_equal(ngff_mutex_create(&f.ops, &m, NULL), NGFF_NOMEM);
    failing_arm(&f, 0);
    assert_int_equal(ngff_cond_create(&f.ops, &c, NULL), NGFF_NOMEM);
    failing_arm(&f, 0);
    assert_int_equal(ngff_thread_start(&f.ops, count_up, NULL, &t, NULL), NGFF_NOMEM);
    assert_null(m);
    assert_null(c);
    assert_null(t);
    assert_int_equal(f.live, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_meet),
        cmocka_unit_test(failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
