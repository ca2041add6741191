/* Reading: all of a level, and many boxes at random places, with nothing but the public
 * header. bench/read.py runs it beside other readers on the same store.
 *
 * bench_read STORE LEVEL THREADS BOXES EXTENT SEED
 *
 * Prints seconds for the whole level and for the boxes, on the clock and of the
 * processors, and a checksum of each; the memory read into is taken inside the measured
 * time, as the other readers do. */
#include <ngff/ngff.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct job {
    ngff_multiscales *ms;
    int level;
    size_t item;
    ngff_level_info info;
    ngff_image_desc image;
    ngff_error err;
} job;

static double now(void) {
    struct timespec t;
    (void)timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct span {
    double clock, cpu;
} span;

/* Adds what has passed since `start` = (now, clock). */
static void add_since(span *s, double start, clock_t cpu) {
    s->clock += now() - start;
    s->cpu += (double)(clock() - cpu) / (double)CLOCKS_PER_SEC;
}

static void die(const char *what, const ngff_error *err) {
    fprintf(stderr, "bench_read: %s: %s\n", what, err ? err->message : "out of memory");
    exit(1);
}

/* splitmix64: read.py draws the same boxes. */
static uint64_t draw(uint64_t *state) {
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Depends on every byte and its place. */
static uint64_t checksum(const unsigned char *data, size_t size) {
    uint64_t sum = 0, word;
    for (size_t i = 0; i + 8 <= size; i += 8) {
        memcpy(&word, data + i, 8);
        sum += word * (2 * (uint64_t)(i / 8) + 1);
    }
    return sum;
}

static void *read_box(job *j, const ngff_box *box, size_t *size) {
    ngff_view view = {.dtype = j->image.dtype, .ndim = box->ndim};
    int64_t stride = (int64_t)j->item;
    for (int i = box->ndim - 1; i >= 0; i--) {
        view.shape[i] = box->shape[i];
        view.strides[i] = stride;
        stride *= box->shape[i];
    }
    *size = (size_t)stride;
    view.data = malloc(*size);
    if (view.data == NULL)
        die("malloc", NULL);
    if (ngff_read_region(j->ms, j->level, box, &view, &j->err) != NGFF_OK)
        die("read", &j->err);
    return view.data;
}

static span read_all(job *j, uint64_t *sum) {
    ngff_box box = {.ndim = j->image.ndim};
    size_t size;
    span took = {0, 0};
    memcpy(box.shape, j->info.shape, sizeof box.shape);
    clock_t cpu = clock();
    double start = now();
    void *data = read_box(j, &box, &size);
    add_since(&took, start, cpu);
    *sum = checksum(data, size);
    free(data);
    return took;
}

static span read_boxes(job *j, int count, int64_t extent, uint64_t seed, uint64_t *sum) {
    span took = {0, 0};
    *sum = 0;
    for (int n = 0; n < count; n++) {
        ngff_box box = {.ndim = j->image.ndim};
        size_t size;
        for (int i = 0; i < box.ndim; i++) {
            box.shape[i] = extent < j->info.shape[i] ? extent : j->info.shape[i];
            uint64_t places = (uint64_t)(j->info.shape[i] - box.shape[i] + 1);
            box.start[i] = (int64_t)(draw(&seed) % places);
        }
        clock_t cpu = clock();
        double start = now();
        void *data = read_box(j, &box, &size);
        add_since(&took, start, cpu);
        *sum = *sum * 3 + checksum(data, size);
        free(data);
    }
    return took;
}

static void open_all(job *j, const char *path, int threads, ngff_context **ctx,
                     ngff_store **store) {
    ngff_context_opts opts = NGFF_CONTEXT_OPTS_INIT;
    ngff_store_opts read = NGFF_STORE_OPTS_INIT;
    opts.threads = threads;
    if (ngff_context_create(&opts, ctx, &j->err) != NGFF_OK ||
        ngff_store_open(*ctx, path, &read, store, &j->err) != NGFF_OK ||
        ngff_open(*ctx, *store, &j->ms, &j->err) != NGFF_OK ||
        ngff_multiscales_level(j->ms, j->level, &j->info, &j->err) != NGFF_OK ||
        ngff_multiscales_image(j->ms, &j->image, &j->err) != NGFF_OK)
        die(path, &j->err);
    j->item = ngff_element_size((ngff_dtype)j->image.dtype);
}

int main(int argc, char **argv) {
    job j = {.info = NGFF_LEVEL_INFO_INIT, .image = NGFF_IMAGE_DESC_INIT};
    ngff_context *ctx = NULL;
    ngff_store *store = NULL;
    uint64_t sum_all, sum_boxes;
    if (argc != 7) {
        fprintf(stderr, "usage: bench_read STORE LEVEL THREADS BOXES EXTENT SEED\n");
        return 2;
    }
    j.level = (int)strtol(argv[2], NULL, 10);
    open_all(&j, argv[1], (int)strtol(argv[3], NULL, 10), &ctx, &store);
    span all = read_all(&j, &sum_all);
    span boxes = read_boxes(&j, (int)strtol(argv[4], NULL, 10), strtol(argv[5], NULL, 10),
                            strtoull(argv[6], NULL, 10), &sum_boxes);
    printf("%.4f %.4f %.4f %.4f %016llx %016llx\n", all.clock, boxes.clock, all.cpu,
           boxes.cpu, (unsigned long long)sum_all, (unsigned long long)sum_boxes);
    ngff_multiscales_close(&j.ms);
    ngff_store_close(&store);
    ngff_context_close(&ctx);
    return 0;
}
