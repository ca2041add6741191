/* ngff thumbnail: the middle plane of a coarse level as a PNG, channels mixed in their
 * colours. */
#include "rows.h"

#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

const cli_option cli_thumbnail_options[] = {
    {"--size", NULL, "N",
     "the longer side is at least this long, where a level is (default 512)"},
    {"--z", NULL, "N", "plane of the level drawn (default: the middle)"},
    {"--t", NULL, "N", "time point (default 0)"},
    CLI_ROW_CHUNK_STORE,
    CLI_ROWS_END,
};

typedef struct picture {
    ngff_multiscales *ms;
    ngff_image_desc desc;
    ngff_level_info info;
    int level;
    int64_t width, height, channels;
    float *rgb;
    ngff_error err;
} picture;

static const char *const default_colors[] = {"00FF00", "FF00FF", "00FFFF",
                                             "FFFF00", "FF4040", "4080FF"};

static int axis_of(const ngff_image_desc *d, const char *name) {
    for (int i = 0; i < d->ndim; i++)
        if (strcmp(d->axes[i].name, name) == 0)
            return i;
    return -1;
}

static void choose_level(picture *p, long long size) {
    for (p->level = ngff_multiscales_level_count(p->ms) - 1; p->level >= 0; p->level--) {
        if (ngff_multiscales_level(p->ms, p->level, &p->info, NULL) != NGFF_OK)
            return;
        p->height = p->info.shape[p->desc.ndim - 2];
        p->width = p->info.shape[p->desc.ndim - 1];
        if (p->height >= size || p->width >= size || p->level == 0)
            return;
    }
}

static int compare_floats(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Contrast from the picture itself: the 0.5 % and 99.8 % quantiles of up to 65536 pixels.
 */
static void contrast(const float *plane, size_t count, float *lo, float *hi) {
    static float sample[65536];
    size_t n = 0, step = count / 65536 + 1;
    for (size_t i = 0; i < count && n < 65536; i += step)
        if (isfinite(plane[i]))
            sample[n++] = plane[i];
    *lo = 0;
    *hi = 1;
    if (n == 0)
        return;
    qsort(sample, n, sizeof *sample, compare_floats);
    *lo = sample[n / 200];
    *hi = sample[n - 1 - n / 500];
    if (!(*hi > *lo))
        *hi = *lo + 1;
}

static void to_float(const void *from, int dtype, size_t count, float *out) {
#define CASE(tag, type)                                                                  \
    case tag:                                                                            \
        for (size_t i = 0; i < count; i++)                                               \
            out[i] = (float)((const type *)from)[i];                                     \
        break;
    switch (dtype) {
        CASE(NGFF_BOOL, uint8_t)
        CASE(NGFF_INT8, int8_t)
        CASE(NGFF_INT16, int16_t)
        CASE(NGFF_INT32, int32_t)
        CASE(NGFF_INT64, int64_t)
        CASE(NGFF_UINT8, uint8_t)
        CASE(NGFF_UINT16, uint16_t)
        CASE(NGFF_UINT32, uint32_t)
        CASE(NGFF_UINT64, uint64_t)
        CASE(NGFF_FLOAT32, float)
        CASE(NGFF_FLOAT64, double)
    default:
        memset(out, 0, count * sizeof *out);
    }
#undef CASE
}

static int read_plane(picture *p, long long z, long long t, int64_t channel, void *raw) {
    ngff_box box = {p->desc.ndim, {0}, {0}};
    ngff_view view = {raw, p->desc.dtype, p->desc.ndim, {0}, {0}};
    int za = axis_of(&p->desc, "z"), ta = axis_of(&p->desc, "t"),
        ca = axis_of(&p->desc, "c");
    int64_t stride = (int64_t)ngff_element_size((ngff_dtype)p->desc.dtype);
    for (int i = p->desc.ndim - 1; i >= 0; i--) {
        box.shape[i] = i >= p->desc.ndim - 2 ? p->info.shape[i] : 1;
        view.shape[i] = box.shape[i];
        view.strides[i] = stride;
        stride *= box.shape[i];
    }
    if (za >= 0)
        box.start[za] = z >= 0 ? z : p->info.shape[za] / 2;
    if (ta >= 0)
        box.start[ta] = t;
    if (ca >= 0)
        box.start[ca] = channel;
    ngff_status status = ngff_read_region(p->ms, p->level, &box, &view, &p->err);
    return status == NGFF_OK ? EXIT_OK : cli_fail(status, &p->err, NGFF_ORIGIN_INPUT);
}

static void mix(picture *p, int64_t channel, const float *plane, bool is_rgb) {
    const char *color = p->channels == 1 ? "FFFFFF" : default_colors[channel % 6];
    size_t count = (size_t)(p->width * p->height);
    float lo = 0, hi = 255, weight[3];
    if ((size_t)channel < p->desc.channel_count &&
        p->desc.channels[channel].color[0] != '\0')
        color = p->desc.channels[channel].color;
    unsigned long rgb = strtoul(color, NULL, 16);
    for (int k = 0; k < 3; k++)
        weight[k] =
            is_rgb ? (float)(k == channel) : (float)((rgb >> (16 - 8 * k)) & 255) / 255;
    if (!is_rgb)
        contrast(plane, count, &lo, &hi);
    for (size_t i = 0; i < count; i++) {
        float v = (plane[i] - lo) / (hi - lo);
        v = v > 0 ? (v < 1 ? v : 1) : 0;
        for (int k = 0; k < 3; k++)
            p->rgb[3 * i + (size_t)k] += weight[k] * v;
    }
}

static int draw(picture *p, long long z, long long t) {
    int ca = axis_of(&p->desc, "c");
    size_t count = (size_t)(p->width * p->height);
    p->channels = ca >= 0 ? p->info.shape[ca] : 1;
    bool is_rgb = p->channels == 3 && p->desc.dtype == NGFF_UINT8;
    void *raw = malloc(count * 16);
    float *plane = malloc(count * sizeof *plane);
    p->rgb = calloc(count * 3, sizeof *p->rgb);
    int code = raw != NULL && plane != NULL && p->rgb != NULL ? EXIT_OK : EXIT_LIMIT;
    for (int64_t c = 0; code == EXIT_OK && c < p->channels && c < 16; c++) {
        code = read_plane(p, z, t, c, raw);
        if (code == EXIT_OK) {
            to_float(raw, p->desc.dtype, count, plane);
            mix(p, c, plane, is_rgb);
        }
    }
    free(raw);
    free(plane);
    return code;
}

static int write_png(const picture *p, const char *path) {
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)p->width,
                       .height = (png_uint_32)p->height,
                       .format = PNG_FORMAT_RGB};
    size_t count = (size_t)(p->width * p->height) * 3;
    unsigned char *bytes = malloc(count);
    if (bytes == NULL)
        return EXIT_LIMIT;
    for (size_t i = 0; i < count; i++)
        bytes[i] = (unsigned char)(255 * (p->rgb[i] < 1 ? p->rgb[i] : 1) + 0.5F);
    int ok = png_image_write_to_file(&image, path, 0, bytes, 0, NULL);
    free(bytes);
    if (ok)
        return EXIT_OK;
    fprintf(stderr, "ngff thumbnail: %s: %s\n", path, image.message);
    return EXIT_OUTPUT;
}

static int open_picture(picture *p, ngff_context *context, ngff_store *store,
                        long long size) {
    ngff_status status = ngff_open(context, store, &p->ms, &p->err);
    if (status == NGFF_OK)
        status = ngff_multiscales_image(p->ms, &p->desc, &p->err);
    if (status != NGFF_OK)
        return cli_fail(status, &p->err, NGFF_ORIGIN_INPUT);
    choose_level(p, size);
    if (p->width <= 16384 && p->height <= 16384)
        return EXIT_OK;
    fprintf(stderr,
            "ngff thumbnail: the coarsest level is %lld x %lld, too large to draw\n",
            (long long)p->height, (long long)p->width);
    return EXIT_LIMIT;
}

int cli_thumbnail(const cli_args *args) {
    picture p = {0};
    ngff_context *context = NULL;
    cli_stores from = {0};
    long long size = 512, z = -1, t = 0;
    const char *text;

    if ((text = cli_get(args, "--size")) != NULL &&
        !cli_int("--size", text, 1, 16384, &size))
        return EXIT_USAGE;
    if ((text = cli_get(args, "--z")) != NULL && !cli_int("--z", text, 0, INT64_MAX, &z))
        return EXIT_USAGE;
    if ((text = cli_get(args, "--t")) != NULL && !cli_int("--t", text, 0, INT64_MAX, &t))
        return EXIT_USAGE;
    ngff_status status = ngff_context_create(NULL, &context, &p.err);
    if (status == NGFF_OK)
        status = cli_stores_open(context, args->operand[0],
                                 cli_get(args, "--chunk-store"), NULL, &from, &p.err);
    int code = status == NGFF_OK ? open_picture(&p, context, from.store, size)
                                 : cli_fail(status, &p.err, NGFF_ORIGIN_INPUT);
    if (code == EXIT_OK)
        code = draw(&p, z, t);
    if (code == EXIT_OK)
        code = write_png(&p, args->operand[1]);
    free(p.rgb);
    ngff_multiscales_close(&p.ms);
    cli_stores_close(&from);
    ngff_context_close(&context);
    return code;
}
