/* A camera: frames that are there already, appended one by one, and how long each append
 * took. Only the public header; see camera.py, which prepares the frames and runs peers
 * on the same ones.
 *
 * bench_camera FRAMES.raw SIDE OUT COUNT [FPS [THREADS [BUDGET_MIB]]]
 *
 * FRAMES.raw holds uint16 frames of SIDE x SIDE that are used in turn. FPS 0: as fast as
 * they are taken. Levels 2, 4, 8 of the mean, blosc-lz4 level 1, chunks of one frame and
 * 512 x 512, nothing flushed. Prints one object of JSON. */
#define _POSIX_C_SOURCE 200809L
#include <ngff/ngff.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SAMPLES = 10 };

typedef struct camera {
    char *frames;
    size_t frame_bytes;
    int64_t side, prepared, count;
    double period;     /* seconds between frames; 0: none */
    double *seconds;   /* of each append */
    long rss[SAMPLES]; /* KiB, after each tenth */
} camera;

static void die(const char *what, const ngff_error *err) {
    fprintf(stderr, "bench_camera: %s: %s\n", what, err != NULL ? err->message : "");
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void wait_until(double moment) {
    double left = moment - now();
    if (left <= 0)
        return;
    struct timespec t = {.tv_sec = (time_t)left};
    t.tv_nsec = (long)((left - (double)t.tv_sec) * 1e9);
    nanosleep(&t, NULL);
}

static long status_kib(const char *name) {
    char line[256];
    long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            kib = strtol(line + strlen(name), NULL, 10);
    if (f != NULL)
        fclose(f);
    return kib;
}

static void load(camera *c, const char *path) {
    FILE *f = fopen(path, "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) != 0)
        die(path, NULL);
    long size = ftell(f);
    rewind(f);
    c->frame_bytes = (size_t)(c->side * c->side) * 2;
    c->prepared = size / (long)c->frame_bytes;
    c->frames = malloc((size_t)size);
    c->seconds = calloc((size_t)c->count, sizeof *c->seconds);
    if (c->prepared < 1 || c->frames == NULL || c->seconds == NULL ||
        fread(c->frames, 1, (size_t)size, f) != (size_t)size)
        die(path, NULL);
    fclose(f);
}

static void plan(ngff_context *ctx, const camera *c, ngff_multiscales **ms) {
    static const int64_t factors[3][NGFF_MAX_NDIM] = {{1, 2, 2}, {1, 4, 4}, {1, 8, 8}};
    ngff_image_desc image = NGFF_IMAGE_DESC_INIT;
    ngff_plan_opts opts = NGFF_PLAN_OPTS_INIT;
    ngff_error err = {0};
    const char *names[] = {"t", "y", "x"};
    image.dtype = NGFF_UINT16;
    image.ndim = 3;
    image.shape[1] = image.shape[2] = c->side; /* shape[0]: not known */
    for (int i = 0; i < 3; i++) {
        strcpy(image.axes[i].name, names[i]);
        strcpy(image.axes[i].type, i == 0 ? "time" : "space");
    }
    opts.method = "bin_shrink";
    opts.scale_factors = factors;
    opts.scale_factor_count = 3;
    opts.chunks[0] = 1;
    opts.chunks[1] = opts.chunks[2] = 512;
    if (ngff_multiscales_plan(ctx, &image, &opts, ms, &err) != NGFF_OK)
        die("plan", &err);
}

static void append_all(camera *c, ngff_writer *writer) {
    int64_t shape[3] = {1, c->side, c->side};
    ngff_view frame = {.dtype = NGFF_UINT16, .ndim = 3};
    ngff_error err = {0};
    memcpy(frame.shape, shape, sizeof shape);
    frame.strides[2] = 2;
    frame.strides[1] = 2 * c->side;
    frame.strides[0] = (int64_t)c->frame_bytes;
    double start = now();
    for (int64_t i = 0; i < c->count; i++) {
        frame.data = c->frames + (size_t)(i % c->prepared) * c->frame_bytes;
        wait_until(start + (double)i * c->period);
        double before = now();
        if (ngff_writer_append(writer, &frame, &err) != NGFF_OK)
            die("append", &err);
        c->seconds[i] = now() - before;
        if ((i + 1) % (c->count / SAMPLES + 1) == 0)
            c->rss[i / (c->count / SAMPLES + 1)] = status_kib("VmRSS:");
    }
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(camera *c, double wall) {
    qsort(c->seconds, (size_t)c->count, sizeof *c->seconds, by_size);
    printf("{\"fps\": %.2f, \"median_ms\": %.3f, \"p99_ms\": %.3f, \"worst_ms\": %.3f, ",
           (double)c->count / wall, 1e3 * c->seconds[c->count / 2],
           1e3 * c->seconds[c->count * 99 / 100], 1e3 * c->seconds[c->count - 1]);
    printf("\"peak_mib\": %.0f, \"rss_mib\": [", (double)status_kib("VmHWM:") / 1024);
    for (int i = 0; i < SAMPLES - 1; i++)
        printf("%s%.0f", i > 0 ? ", " : "", (double)c->rss[i] / 1024);
    printf("]}\n");
}

static void record(camera *c, const char *out, const ngff_context_opts *opts) {
    ngff_store_opts store_opts = NGFF_STORE_OPTS_INIT;
    ngff_write_opts write = NGFF_WRITE_OPTS_INIT;
    ngff_writer_opts writer_opts = NGFF_WRITER_OPTS_INIT;
    ngff_context *ctx = NULL;
    ngff_store *store = NULL;
    ngff_multiscales *ms = NULL;
    ngff_writer *writer = NULL;
    ngff_error err = {0};
    store_opts.access = NGFF_ACCESS_WRITE;
    store_opts.overwrite = 1;
    store_opts.durability = 1;
    write.codec = "blosc:lz4";
    write.has_level = 1;
    write.compression_level = 1;
    write.shuffle = "byte";
    writer_opts.write = &write;
    writer_opts.append = 1;
    if (ngff_context_create(opts, &ctx, &err) != NGFF_OK)
        die("context", &err);
    plan(ctx, c, &ms);
    if (ngff_store_open(ctx, out, &store_opts, &store, &err) != NGFF_OK)
        die("store", &err);
    double start = now();
    if (ngff_writer_open(ctx, store, ms, &writer_opts, &writer, &err) != NGFF_OK)
        die("open", &err);
    append_all(c, writer);
    if (ngff_writer_finish(writer, NULL, &err) != NGFF_OK)
        die("finish", &err);
    report(c, now() - start);
    ngff_writer_close(&writer);
    ngff_multiscales_close(&ms);
    ngff_store_close(&store);
    ngff_context_close(&ctx);
}

int main(int argc, char **argv) {
    ngff_context_opts opts = NGFF_CONTEXT_OPTS_INIT;
    camera c = {0};
    if (argc < 5) {
        fprintf(stderr, "usage: bench_camera FRAMES.raw SIDE OUT COUNT [FPS [THREADS "
                        "[BUDGET_MIB]]]\n");
        return 2;
    }
    c.side = strtol(argv[2], NULL, 10);
    c.count = strtol(argv[4], NULL, 10);
    double fps = argc > 5 ? strtod(argv[5], NULL) : 0;
    c.period = fps > 0 ? 1 / fps : 0;
    opts.threads = argc > 6 ? (int32_t)strtol(argv[6], NULL, 10) : 0;
    opts.memory_target = (argc > 7 ? strtoull(argv[7], NULL, 10) : 512) << 20;
    if (c.side < 1 || c.count < 1)
        die("SIDE and COUNT are 1 or more", NULL);
    load(&c, argv[1]);
    record(&c, argv[3], &opts);
    free(c.frames);
    free(c.seconds);
    return 0;
}
