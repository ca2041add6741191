/* Memory does not depend on the image: a stack that is computed as it is asked for, into
 * a store that throws bytes away. Only the public header.
 *
 * bench_big GIB [THREADS [BUDGET_MIB]]
 *
 * uint16, 1024 x 1024 x planes, chunks of 64, factors 2, 4, 8, default codec and method.
 * Prints what the plan allowed and what the process took. */
#include <ngff/ngff.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { SIDE = 1024 };

/* Waves with noise in the low bits: compresses as microscopy does. */
static ngff_status make(void *cookie, const ngff_box *box, const ngff_view *out,
                        ngff_error *err) {
    (void)cookie;
    (void)err;
    for (int64_t z = 0; z < box->shape[0]; z++) {
        for (int64_t y = 0; y < box->shape[1]; y++) {
            char *row = (char *)out->data + z * out->strides[0] + y * out->strides[1];
            uint32_t zy = (uint32_t)((box->start[0] + z) * 7919 + box->start[1] + y);
            for (int64_t x = 0; x < box->shape[2]; x++) {
                uint32_t h = (zy * SIDE + (uint32_t)(box->start[2] + x)) * 2654435761u;
                uint16_t v = (uint16_t)(400 + ((zy >> 3) & 63) + (h >> 28));
                memcpy(row + x * out->strides[2], &v, sizeof v);
            }
        }
    }
    return NGFF_OK;
}

static ngff_status discard(void *cookie, const char *key, const void *data, uint64_t size,
                           ngff_error *err) {
    (void)cookie;
    (void)key;
    (void)data;
    (void)size;
    (void)err;
    return NGFF_OK;
}

static void die(const char *what, const ngff_error *err) {
    fprintf(stderr, "bench_big: %s: %s\n", what, err->message);
    exit(1);
}

static const int64_t factors[3][NGFF_MAX_NDIM] = {{2, 2, 2}, {4, 4, 4}, {8, 8, 8}};

int main(int argc, char **argv) {
    ngff_context_opts opts = NGFF_CONTEXT_OPTS_INIT;
    ngff_image_desc image = NGFF_IMAGE_DESC_INIT;
    ngff_plan_opts plan = NGFF_PLAN_OPTS_INIT;
    ngff_write_opts write = NGFF_WRITE_OPTS_INIT;
    ngff_write_report report = {.struct_size = sizeof report};
    ngff_source_ops pixels = {
        .struct_size = sizeof pixels, .read_region = make, .reentrant = 1};
    ngff_store_ops nowhere = {.struct_size = sizeof nowhere, .put = discard};
    ngff_context *ctx = NULL;
    ngff_source *source = NULL;
    ngff_store *store = NULL;
    ngff_multiscales *ms = NULL;
    ngff_error err = {0};
    struct rusage use;
    if (argc < 2) {
        fprintf(stderr, "usage: bench_big GIB [THREADS [BUDGET_MIB]]\n");
        return 2;
    }
    int64_t gib = strtol(argv[1], NULL, 10);
    opts.threads = argc > 2 ? (int32_t)strtol(argv[2], NULL, 10) : 4;
    opts.memory_target = (argc > 3 ? strtoull(argv[3], NULL, 10) : 256) << 20;
    image.dtype = NGFF_UINT16;
    image.ndim = 3;
    image.shape[0] = gib * 512;
    image.shape[1] = image.shape[2] = SIDE;
    for (int i = 0; i < 3; i++)
        plan.chunks[i] = 64;
    plan.scale_factors = factors;
    plan.scale_factor_count = 3;
    time_t start = time(NULL);
    if (ngff_context_create(&opts, &ctx, &err) != NGFF_OK ||
        ngff_source_from_callback(ctx, &pixels, NULL, &image, &source, &err) != NGFF_OK ||
        ngff_store_from_ops(ctx, &nowhere, NULL, &store, &err) != NGFF_OK ||
        ngff_multiscales_plan(ctx, &image, &plan, &ms, &err) != NGFF_OK ||
        ngff_write(ctx, store, ms, source, &write, &report, &err) != NGFF_OK)
        die("write", &err);
    getrusage(RUSAGE_SELF, &use);
    printf("%lld GiB, %d threads: budget %llu MiB, planned %.1f MiB, peak RSS %.1f MiB, "
           "encoded %.2f GiB, spilled %.1f MiB, %d passes, %.2f source reads, %ld s\n",
           (long long)gib, (int)report.threads, (unsigned long long)(report.budget >> 20),
           (double)report.peak / 1048576, (double)use.ru_maxrss / 1024,
           (double)report.encoded_bytes / 1073741824,
           (double)report.spill_bytes / 1048576, (int)report.passes, report.amplification,
           (long)(time(NULL) - start));
    ngff_multiscales_close(&ms);
    ngff_store_close(&store);
    ngff_source_close(&source);
    ngff_context_close(&ctx);
    return 0;
}
