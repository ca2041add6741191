/* Progress on stderr, and the signals that cancel a job. */
#define _POSIX_C_SOURCE 200809L
#include "cli.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t caught;

static void on_signal(int number) {
    caught = number;
}

void cli_signals_install(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = (int)SA_RESETHAND; /* a second Ctrl-C ends the program at once */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int cli_signal_caught(void) {
    return (int)caught;
}

void cli_log_line(void *user, const char *line) {
    (void)user;
    fprintf(stderr, "ngff: warning: %s\n", line);
}

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

bool cli_progress_init(cli_progress *p, const char *mode, bool quiet) {
    const char *term = getenv("TERM");
    memset(p, 0, sizeof *p);
    p->start_ns = now_ns();
    if (mode == NULL || strcmp(mode, "auto") == 0)
        p->mode = !quiet && isatty(2) && (term == NULL || strcmp(term, "dumb") != 0);
    else if (strcmp(mode, "none") == 0)
        p->mode = 0;
    else if (strcmp(mode, "bar") == 0)
        p->mode = 1;
    else if (strcmp(mode, "json") == 0)
        p->mode = 2;
    else {
        fprintf(stderr, "ngff: --progress '%s': expected auto, bar, json or none\n",
                mode);
        return false;
    }
    return true;
}

static void draw_bar(const ngff_progress *g, double done, double seconds) {
    char bytes[32], rate[32], bar[31];
    int filled = (int)(done * 30);
    const char *color = getenv("NO_COLOR") == NULL ? "\033[32m" : "";
    cli_human(g->bytes_done, bytes, sizeof bytes);
    cli_human((uint64_t)((double)g->bytes_done / (seconds > 0 ? seconds : 1)), rate,
              sizeof rate);
    memset(bar, ' ', 30);
    memset(bar, '=', (size_t)filled);
    bar[30] = '\0';
    fprintf(stderr, "\r%-7s [%s%s%s] %3d %% %10s %10s/s  level %d of %d", g->phase, color,
            bar, *color != '\0' ? "\033[0m" : "", (int)(done * 100), bytes, rate,
            g->level < 0 ? 0 : g->level, g->level_count);
    if (done > 0.02 && seconds > 1)
        fprintf(stderr, "  %.0f s left ", seconds / done - seconds);
    fflush(stderr);
}

int cli_progress_call(void *user, const ngff_progress *g) {
    cli_progress *p = user;
    uint64_t now = now_ns();
    bool last = g->bytes_done == g->bytes_total;
    if (p->mode != 0 && (last || now - p->last_ns > 100000000u)) {
        double total = g->bytes_total > 0 ? (double)g->bytes_total : 1;
        p->last_ns = now;
        p->drawn = p->mode == 1;
        if (p->mode == 1)
            draw_bar(g, (double)g->bytes_done / total, (double)(now - p->start_ns) / 1e9);
        else
            fprintf(stderr,
                    "{\"phase\":\"%s\",\"level\":%d,\"levels\":%d,\"bytes_done\":%llu,"
                    "\"bytes_total\":%llu}\n",
                    g->phase, g->level, g->level_count, (unsigned long long)g->bytes_done,
                    (unsigned long long)g->bytes_total);
    }
    return caught != 0;
}

void cli_progress_done(cli_progress *p) {
    if (p->drawn)
        fputc('\n', stderr);
}
