/* ngff convert -: raw frames from standard input, as many as come, appended one by one.
 */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

bool cli_is_stdin(const cli_args *args) {
    return strcmp(args->operand[0], "-") == 0;
}

static int usage(const char *text) {
    fprintf(stderr, "ngff: -: %s\n", text);
    return EXIT_USAGE;
}

/* ---- what comes -------------------------------------------------------------------- */

/* Names of the axes, one letter each, commas and blanks between them or not. */
static bool name_axes(const char *dims, ngff_image_desc *desc) {
    int n = 0;
    for (const char *at = dims; *at != '\0'; at++) {
        if (*at == ',' || *at == ' ')
            continue;
        if (n == desc->ndim)
            return false;
        snprintf(desc->axes[n].name, sizeof desc->axes[n].name, "%c", *at);
        n++;
    }
    return n == desc->ndim;
}

static ngff_status never(void *cookie, const ngff_box *box, const ngff_view *out,
                         ngff_error *err) {
    (void)cookie, (void)box, (void)out, (void)err;
    return NGFF_INTERNAL;
}

/* A source that is never read tells how the library understands the axes. */
static int complete(cli_frames *f, const ngff_image_desc *given) {
    const ngff_source_ops none = {.struct_size = sizeof none, .read_region = never};
    ngff_source *source = NULL;
    ngff_error err = {0};
    ngff_status status =
        ngff_source_from_callback(f->context, &none, NULL, given, &source, &err);
    if (status == NGFF_OK)
        status = ngff_source_describe(source, f->desc, &err);
    ngff_source_close(&source);
    if (status != NGFF_OK)
        return cli_fail(status, &err, NGFF_ORIGIN_INPUT);
    for (int i = 0; i < given->ndim; i++)
        if (given->shape[i] != f->desc->shape[i] ||
            strcmp(given->axes[i].name, f->desc->axes[i].name) != 0)
            return usage("frames come in the order t, c, z, y, x only (--dims)");
    return EXIT_OK;
}

int cli_frames_describe(cli_frames *f) {
    static const char *const usual[] = {"", "", "yx", "tyx", "tzyx", "tczyx"};
    const char *dims = cli_get(f->args, "--dims");
    ngff_image_desc given = NGFF_IMAGE_DESC_INIT;
    if (f->raw.raw_ndim < 2 || f->raw.raw_ndim > 5 || f->raw.raw_dtype == 0)
        return usage("needs --shape of 2 to 5 extents, the first 0 for as many frames as "
                     "come, and --dtype");
    given.ndim = f->raw.raw_ndim;
    given.dtype = f->raw.raw_dtype;
    memcpy(given.shape, f->raw.raw_shape, sizeof given.shape);
    f->wanted = given.shape[0];
    given.shape[0] = 1;
    if (!name_axes(dims != NULL ? dims : usual[given.ndim], &given))
        return usage("--dims and --shape differ in the number of axes");
    int code = complete(f, &given);
    f->desc->shape[0] = 0;
    return code;
}

/* ---- reading ----------------------------------------------------------------------- */

typedef struct reading {
    cli_frames *f;
    ngff_writer *writer;
    char *frame;
    size_t frame_size;
    ngff_error err;
} reading;

static bool skip(int64_t bytes, char *room, size_t room_size) {
    while (bytes > 0) {
        size_t part = bytes < (int64_t)room_size ? (size_t)bytes : room_size;
        if (fread(room, 1, part, stdin) != part)
            return false;
        bytes -= (int64_t)part;
    }
    return true;
}

/* Of complex numbers each half. */
static void swap_items(const reading *r) {
    size_t item = ngff_element_size((ngff_dtype)r->f->desc->dtype);
    if (r->f->desc->dtype == NGFF_COMPLEX64 || r->f->desc->dtype == NGFF_COMPLEX128)
        item /= 2;
    for (char *at = r->frame; at < r->frame + r->frame_size; at += item)
        for (size_t i = 0; i < item / 2; i++) {
            char other = at[i];
            at[i] = at[item - 1 - i];
            at[item - 1 - i] = other;
        }
}

static ngff_status append(reading *r) {
    const ngff_image_desc *desc = r->f->desc;
    const uint16_t one = 1;
    ngff_view view = {.data = r->frame, .dtype = desc->dtype, .ndim = desc->ndim};
    int64_t stride = (int64_t)ngff_element_size((ngff_dtype)desc->dtype);
    for (int i = desc->ndim - 1; i >= 0; i--) {
        view.shape[i] = i == 0 ? 1 : desc->shape[i];
        view.strides[i] = stride;
        stride *= view.shape[i];
    }
    if ((*(const char *)&one == 1) == (r->f->raw.raw_big_endian != 0))
        swap_items(r);
    return ngff_writer_append(r->writer, &view, &r->err);
}

static int cut_off(const reading *r, int64_t frames, size_t got) {
    fprintf(stderr, "ngff: -: the input ends in frame %lld, after %zu of its %zu bytes\n",
            (long long)frames, got, r->frame_size);
    return EXIT_INPUT;
}

static int read_all(reading *r, int64_t *frames) {
    const int64_t wanted = r->f->wanted;
    if (!skip(r->f->raw.raw_offset, r->frame, r->frame_size))
        return usage("the input ends before --offset");
    for (*frames = 0; wanted == 0 || *frames < wanted; ++*frames) {
        size_t got = fread(r->frame, 1, r->frame_size, stdin);
        if (cli_signal_caught() != 0)
            return cli_fail(NGFF_CANCELLED, &r->err, NGFF_ORIGIN_NONE);
        if (got == 0 && wanted == 0 && *frames > 0)
            return EXIT_OK;
        if (got < r->frame_size)
            return cut_off(r, *frames, got);
        ngff_status status = append(r);
        if (status != NGFF_OK)
            return cli_fail(status, &r->err, NGFF_ORIGIN_OUTPUT);
    }
    return EXIT_OK;
}

/* ---- writing ----------------------------------------------------------------------- */

static int open_all(reading *r) {
    cli_frames *f = r->f;
    ngff_writer_opts opts = NGFF_WRITER_OPTS_INIT;
    r->frame_size = ngff_element_size((ngff_dtype)f->desc->dtype);
    for (int i = 1; i < f->desc->ndim; i++)
        if (__builtin_mul_overflow(r->frame_size, (size_t)f->desc->shape[i],
                                   &r->frame_size))
            return usage("a frame that large has no place in memory");
    r->frame = malloc(r->frame_size);
    if (r->frame == NULL)
        return usage("there is no memory for a frame");
    opts.write = f->write;
    opts.append = 1;
    opts.live = cli_has(f->args, "--live");
    ngff_status status =
        ngff_writer_open(f->context, f->store, f->ms, &opts, &r->writer, &r->err);
    return status == NGFF_OK ? EXIT_OK : cli_fail(status, &r->err, NGFF_ORIGIN_OUTPUT);
}

static int finish(reading *r, int64_t frames) {
    ngff_status status = ngff_writer_finish(r->writer, r->f->report, &r->err);
    r->f->desc->shape[0] = frames;
    return status == NGFF_OK ? EXIT_OK : cli_fail(status, &r->err, NGFF_ORIGIN_OUTPUT);
}

int cli_frames_write(cli_frames *f) {
    reading r = {.f = f};
    int64_t frames = 0;
    int code = open_all(&r);
    if (code == EXIT_OK)
        code = read_all(&r, &frames);
    if (code == EXIT_OK)
        code = finish(&r, frames);
    ngff_writer_close(&r.writer);
    free(r.frame);
    return code;
}
