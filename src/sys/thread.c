/* sys: threads, mutexes and conditions over pthreads. Using them cannot fail once they
 * are made; an error from the C library there is a defect of ours and stops a debug
 * build. */
#define _POSIX_C_SOURCE 200809L
#include "sys/inside.h"

#include "base/shared.h"

#include <pthread.h>
#include <signal.h>

struct ngff_mutex {
    const ngff_allocator *alloc;
    pthread_mutex_t os;
};

struct ngff_cond {
    const ngff_allocator *alloc;
    pthread_cond_t os;
};

struct ngff_thread {
    const ngff_allocator *alloc;
    pthread_t os;
    void (*fn)(void *arg);
    void *arg;
};

static void must(int error_number) {
    assert(error_number == 0);
    (void)error_number;
}

ngff_status ngff_mutex_create(const ngff_allocator *a, ngff_mutex **out,
                              ngff_error *err) {
    *out = NULL;
    ngff_mutex *m = ngff_calloc(a, 1, sizeof *m);
    if (!m)
        return ngff_fail_nomem(err, "a mutex", sizeof *m);
    m->alloc = a;
    int error_number = pthread_mutex_init(&m->os, NULL);
    if (error_number != 0) {
        ngff_free(a, m);
        return ngff_sys_fail(err, error_number, "mutex");
    }
    *out = m;
    return NGFF_OK;
}

void ngff_mutex_close(ngff_mutex **m) {
    if (!m || !*m)
        return;
    must(pthread_mutex_destroy(&(*m)->os));
    ngff_free((*m)->alloc, *m);
    *m = NULL;
}

void ngff_mutex_lock(ngff_mutex *m) {
    ngff_meet(NGFF_MEET_MUTEX);
#ifdef NGFF_COUNT_LOCKS
    if (pthread_mutex_trylock(&m->os) == 0)
        return;
    ngff_meet(NGFF_MEET_MUTEX_WAIT);
#endif
    must(pthread_mutex_lock(&m->os));
}

void ngff_mutex_unlock(ngff_mutex *m) {
    must(pthread_mutex_unlock(&m->os));
}

ngff_status ngff_cond_create(const ngff_allocator *a, ngff_cond **out, ngff_error *err) {
    *out = NULL;
    ngff_cond *c = ngff_calloc(a, 1, sizeof *c);
    if (!c)
        return ngff_fail_nomem(err, "a condition", sizeof *c);
    c->alloc = a;
    int error_number = pthread_cond_init(&c->os, NULL);
    if (error_number != 0) {
        ngff_free(a, c);
        return ngff_sys_fail(err, error_number, "condition");
    }
    *out = c;
    return NGFF_OK;
}

void ngff_cond_close(ngff_cond **c) {
    if (!c || !*c)
        return;
    must(pthread_cond_destroy(&(*c)->os));
    ngff_free((*c)->alloc, *c);
    *c = NULL;
}

void ngff_cond_wait(ngff_cond *c, ngff_mutex *m) {
    ngff_meet(NGFF_MEET_SLEEP);
    must(pthread_cond_wait(&c->os, &m->os));
}

void ngff_cond_signal(ngff_cond *c) {
    must(pthread_cond_signal(&c->os));
}

void ngff_cond_broadcast(ngff_cond *c) {
    must(pthread_cond_broadcast(&c->os));
}

static void *thread_main(void *arg) {
    const ngff_thread *t = arg;
    t->fn(t->arg);
    ngff_meetings_flush();
    return NULL;
}

/* Workers take no signals: an interrupt must reach the caller's own thread. Faults stay,
 * they belong to the instruction that raised them. */
static int create_without_signals(ngff_thread *t) {
    sigset_t blocked, before;
    sigfillset(&blocked);
    sigdelset(&blocked, SIGSEGV);
    sigdelset(&blocked, SIGBUS);
    sigdelset(&blocked, SIGFPE);
    sigdelset(&blocked, SIGILL);
    int error_number = pthread_sigmask(SIG_SETMASK, &blocked, &before);
    if (error_number != 0)
        return error_number;
    error_number = pthread_create(&t->os, NULL, thread_main, t);
    must(pthread_sigmask(SIG_SETMASK, &before, NULL));
    return error_number;
}

ngff_status ngff_thread_start(const ngff_allocator *a, void (*fn)(void *arg), void *arg,
                              ngff_thread **out, ngff_error *err) {
    *out = NULL;
    ngff_thread *t = ngff_calloc(a, 1, sizeof *t);
    if (!t)
        return ngff_fail_nomem(err, "a thread", sizeof *t);
    t->alloc = a;
    t->fn = fn;
    t->arg = arg;
    int error_number = create_without_signals(t);
    if (error_number != 0) {
        ngff_free(a, t);
        return ngff_sys_fail(err, error_number, "thread");
    }
    *out = t;
    return NGFF_OK;
}

void ngff_thread_join(ngff_thread **t) {
    if (!t || !*t)
        return;
    must(pthread_join((*t)->os, NULL));
    ngff_free((*t)->alloc, *t);
    *t = NULL;
}
