/* Several programs fill one image, plane by plane and from eight threads each; nobody
 * tells them who does what:
 *
 *   fill_regions OUT create     the documents of an image of zeros
 *   fill_regions OUT fill N     as often as you like at the same time, N being any number
 *   fill_regions OUT levels     the coarser levels
 *
 * A shard belongs to the first program that writes into it; to the others it is
 * NGFF_EXISTS, and they go on to the next. */
#include <ngff/ngff.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

enum { Z = 24, Y = 40, X = 70, SHARD_Z = 12, SHARD_Y = 20, SHARD_X = 24 };
enum {
    ACROSS = (X + SHARD_X - 1) / SHARD_X,
    SHARDS = Z / SHARD_Z * (Y / SHARD_Y) * ACROSS
};

static ngff_status plan(ngff_context *context, ngff_multiscales **levels,
                        ngff_error *err) {
    static const int64_t half[1][NGFF_MAX_NDIM] = {{2, 2, 2}};
    ngff_image_desc image = NGFF_IMAGE_DESC_INIT;
    ngff_plan_opts opts = NGFF_PLAN_OPTS_INIT;
    image.dtype = NGFF_UINT16;
    image.ndim = 3;
    image.shape[0] = Z, image.shape[1] = Y, image.shape[2] = X;
    opts.scale_factor_count = 1;
    opts.scale_factors = half;
    opts.chunks[0] = SHARD_Z / 2, opts.chunks[1] = SHARD_Y / 2;
    opts.chunks[2] = SHARD_X / 2;
    for (int i = 0; i < 3; i++)
        opts.chunks_per_shard[i] = 2;
    return ngff_multiscales_plan(context, &image, &opts, levels, err);
}

/* ---- filling ---- */

typedef struct work {
    ngff_writer *writer;
    int first; /* shard */
    atomic_int next;
    atomic_int taken; /* planes that were ours */
    atomic_int failed;
} work;

static uint16_t pixel(int64_t z, int64_t y, int64_t x) {
    return (uint16_t)((z * 37 + y * 11 + x * 5) * 7 + 1);
}

/* One plane of one shard. */
static ngff_status write_plane(work *w, int shard, int plane, ngff_error *err) {
    static thread_local uint16_t pixels[SHARD_Y * SHARD_X];
    ngff_box box = {.ndim = 3, .shape = {1, SHARD_Y, SHARD_X}};
    box.start[0] = shard / ACROSS / (Y / SHARD_Y) * SHARD_Z + plane;
    box.start[1] = shard / ACROSS % (Y / SHARD_Y) * SHARD_Y;
    box.start[2] = shard % ACROSS * SHARD_X;
    if (box.start[2] + SHARD_X > X)
        box.shape[2] = X - box.start[2];
    for (int64_t y = 0; y < box.shape[1]; y++)
        for (int64_t x = 0; x < box.shape[2]; x++)
            pixels[y * SHARD_X + x] =
                pixel(box.start[0], box.start[1] + y, box.start[2] + x);
    ngff_view view = {pixels, NGFF_UINT16, 3, {1, SHARD_Y, 0}, {0, SHARD_X * 2, 2}};
    view.shape[2] = box.shape[2];
    return ngff_writer_write_region(w->writer, 0, &box, &view, err);
}

static int fill_some(void *user) {
    work *w = user;
    ngff_error err = {0};
    for (int i = atomic_fetch_add(&w->next, 1); i < SHARDS * SHARD_Z;
         i = atomic_fetch_add(&w->next, 1)) {
        int shard = (w->first + i / SHARD_Z) % SHARDS;
        ngff_status status = write_plane(w, shard, i % SHARD_Z, &err);
        if (status == NGFF_OK)
            atomic_fetch_add(&w->taken, 1);
        else if (status != NGFF_EXISTS && atomic_exchange(&w->failed, 1) == 0)
            fprintf(stderr, "%s\n", err.message);
    }
    return 0;
}

static ngff_status fill(ngff_context *context, ngff_store *store, int number,
                        ngff_error *err) {
    enum { THREADS = 8 };
    work w = {.first = number % SHARDS};
    thrd_t thread[THREADS];
    int started = 0;
    ngff_status status = ngff_writer_join(context, store, NULL, &w.writer, err);
    if (status != NGFF_OK)
        return status;
    while (started < THREADS &&
           thrd_create(&thread[started], fill_some, &w) == thrd_success)
        started++;
    for (int i = 0; i < started; i++)
        thrd_join(thread[i], NULL);
    status = ngff_writer_finish(w.writer, NULL, err);
    ngff_writer_close(&w.writer);
    printf("%d planes\n", atomic_load(&w.taken));
    return status == NGFF_OK && atomic_load(&w.failed) ? NGFF_INTERNAL : status;
}

int main(int argc, char **argv) {
    ngff_error err = {0};
    ngff_context *context = NULL;
    ngff_store *store = NULL;
    ngff_multiscales *levels = NULL;
    ngff_store_opts opts = NGFF_STORE_OPTS_INIT;
    ngff_status status = NGFF_INVALID;
    const char *what = argc > 2 ? argv[2] : "";

    opts.access = strcmp(what, "create") == 0 ? NGFF_ACCESS_WRITE : NGFF_ACCESS_UPDATE;
    if (argc > 2 && ngff_context_create(NULL, &context, &err) == NGFF_OK &&
        plan(context, &levels, &err) == NGFF_OK &&
        ngff_store_open(context, argv[1], &opts, &store, &err) == NGFF_OK) {
        if (strcmp(what, "create") == 0)
            status = ngff_write_metadata(context, store, levels, NULL, &err);
        else if (strcmp(what, "levels") == 0)
            status = ngff_write_levels(context, store, levels, 1, NULL, NULL, &err);
        else if (strcmp(what, "fill") == 0 && argc > 3)
            status = fill(context, store, abs(atoi(argv[3])), &err);
    }
    if (status != NGFF_OK)
        fprintf(stderr, "%s\n",
                err.message[0] ? err.message
                               : "usage: fill_regions OUT create|fill N|levels");
    ngff_multiscales_close(&levels);
    ngff_store_close(&store);
    ngff_context_close(&context);
    return status == NGFF_OK ? 0 : 1;
}
