/* How fast levels are made from pixels in memory: source bytes per second for each
 * method, element type and step, beside memcpy of the same block in the same run, so that
 * the ratios mean something on any machine. Looks inside the library on purpose: kernels
 * have no public face.
 *
 *     kernels [method [dtype [repeat]]]      e.g. kernels gaussian uint16 */
#include <pyramid/kernels.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct block {
    int ndim;
    int64_t shape[3], step[3];
    const char *name;
} block;

static const block blocks[] = {
    {3, {64, 128, 128}, {2, 2, 2}, "3-D 2"},
    {3, {63, 126, 126}, {3, 3, 3}, "3-D 3"},
    {3, {64, 128, 128}, {4, 4, 4}, "3-D 4"},
    {2, {1, 1024, 1024}, {1, 2, 2}, "2-D 2"},
};
enum { BLOCKS = sizeof blocks / sizeof blocks[0], REPEAT = 7 };

static int repeat = REPEAT;

static double now(void) {
    struct timespec t;
    (void)timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static size_t elements(const int64_t *shape) {
    return (size_t)(shape[0] * shape[1] * shape[2]);
}

/* Labels: runs of one value, as in a segmentation; otherwise noise with small values. */
static void fill(void *data, ngff_dtype dtype, size_t n, bool labels) {
    uint64_t state = 1, value = 0;
    for (size_t i = 0; i < n; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        if (!labels || (state >> 33) % 50 == 0)
            value = state >> 53;
        if (dtype == NGFF_FLOAT32)
            ((float *)data)[i] = (float)value;
        else if (dtype == NGFF_FLOAT64)
            ((double *)data)[i] = (double)value;
        else if (dtype == NGFF_FLOAT16)
            ((uint16_t *)data)[i] = ngff_float_to_half((float)value);
        else if (ngff_dtype_size(dtype) == 1)
            ((uint8_t *)data)[i] =
                (uint8_t)(dtype == NGFF_BOOL ? value & 1 : value & 127);
        else if (ngff_dtype_size(dtype) == 2)
            ((uint16_t *)data)[i] = (uint16_t)value;
        else if (ngff_dtype_size(dtype) == 4)
            ((uint32_t *)data)[i] = (uint32_t)value;
        else
            ((uint64_t *)data)[i] = value;
    }
}

static double copy_rate(void *dst, const void *src, size_t size) {
    double best = 1e9;
    for (int i = 0; i < 3 * REPEAT; i++) {
        double start = now();
        memcpy(dst, src, size);
        double took = now() - start;
        best = took < best ? took : best;
        ((volatile char *)dst)[i] = 1;
    }
    return (double)size / best * 1e-9;
}

static double reduce_rate(const ngff_reduction *r, void *src, void *dst, void *scratch) {
    ngff_box from = {.ndim = r->ndim}, to = {.ndim = r->ndim};
    memcpy(from.shape, r->src_shape, sizeof from.shape);
    memcpy(to.shape, r->dst_shape, sizeof to.shape);
    ngff_view in, out;
    ngff_view_init(&in, src, r->dtype, r->ndim, r->src_shape);
    ngff_view_init(&out, dst, r->dtype, r->ndim, r->dst_shape);
    double best = 1e9;
    for (int i = 0; i < repeat; i++) {
        double start = now();
        ngff_reduce(r, &from, &in, &to, &out, scratch);
        double took = now() - start;
        best = took < best ? took : best;
    }
    return (double)(elements(r->src_shape) * ngff_dtype_size(r->dtype)) / best * 1e-9;
}

static void run(ngff_method method, ngff_dtype dtype) {
    printf("%-10s %-8s", ngff_method_name(method), ngff_dtype_name(dtype));
    for (int b = 0; b < BLOCKS; b++) {
        ngff_reduction r = {.method = method, .dtype = dtype, .ndim = 3};
        for (int i = 0; i < 3; i++) {
            r.step[i] = blocks[b].step[i];
            r.src_shape[i] = blocks[b].shape[i];
            r.dst_shape[i] = blocks[b].shape[i] / r.step[i];
        }
        size_t n = elements(r.src_shape), size = n * ngff_dtype_size(dtype);
        void *src = malloc(size), *dst = malloc(size);
        void *scratch = malloc(ngff_reduction_scratch(&r, r.dst_shape));
        if (!src || !dst || !scratch || ngff_reduction_check(&r, NULL) != NGFF_OK)
            exit(1);
        fill(src, dtype, n, method == NGFF_METHOD_MODE);
        double copy = copy_rate(dst, src, size);
        double rate = reduce_rate(&r, src, dst, scratch);
        printf("  %s %6.2f GB/s %4.0f%%", blocks[b].name, rate, 100 * rate / copy);
        fflush(stdout);
        free(src);
        free(dst);
        free(scratch);
    }
    printf("\n");
}

/* What copying costs when nothing is cached: the ceiling of a whole conversion. */
static double memory_rate(void) {
    enum { SIZE = 1 << 28 };
    char *a = calloc(2, SIZE);
    if (!a)
        exit(1);
    memset(a, 1, 2 * (size_t)SIZE);
    double best = 1e9;
    for (int i = 0; i < 5; i++) {
        double start = now();
        memcpy(a + SIZE, a, SIZE);
        double took = now() - start;
        best = took < best ? took : best;
        ((volatile char *)a)[i] = ((volatile char *)a)[SIZE + i]; /* it is used */
    }
    free(a);
    return SIZE / best * 1e-9;
}

int main(int argc, char **argv) {
    int64_t wanted;
    if (argc > 3 && ngff_parse_i64(argv[3], &wanted) && wanted > 0 && wanted < 1000000)
        repeat = (int)wanted;
    printf(
        "kernels: %s; source bytes per second, and percent of memcpy of the same block, "
        "which fits the cache\nmemcpy of 256 MiB: %.2f GB/s\n",
        ngff_kernels_chosen()->name, memory_rate());
    for (int m = NGFF_METHOD_GAUSSIAN; m <= NGFF_METHOD_MEDIAN; m++) {
        ngff_method only;
        if (argc > 1 && (!ngff_method_from_name(argv[1], &only) || (int)only != m))
            continue;
        for (int d = NGFF_BOOL; d <= NGFF_FLOAT64; d++) {
            if (argc < 3 || strcmp(argv[2], ngff_dtype_name((ngff_dtype)d)) == 0)
                run((ngff_method)m, (ngff_dtype)d);
        }
    }
    return 0;
}
