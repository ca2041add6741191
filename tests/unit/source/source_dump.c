/* source_dump: opens any source and shows it, for tests that compare it with other
 * readers. source_dump PATH [--series N] [--dims D] [--raw 1] [--level L] [--threads N]
 * [--memory BYTES]
 *               [--box start:count,…] [--out FILE]
 * Prints the description as JSON; writes the pixels of the box (default: all) to FILE in
 * C order. With threads the box is read in pieces by all of them at once. */
#include "source/source.h"
#include "sys/sys.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct job {
    ngff_source *source;
    int level;
    ngff_box box;
    ngff_view view;
    int id, count;
    ngff_status status;
    ngff_error err;
} job;

static void print_text(const char *text) {
    putchar('"');
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '"' || *p == '\\' || *p < 0x20)
            printf("\\u%04x", *p);
        else
            putchar(*p);
    }
    putchar('"');
}

static void print_extents(const char *name, int n, const int64_t *v) {
    printf(",\"%s\":[", name);
    for (int i = 0; i < n; i++)
        printf("%s%" PRId64, i ? "," : "", v[i]);
    printf("]");
}

static void print_source(const ngff_source *s) {
    const ngff_image_desc *d = &s->image.desc;
    printf("{\"dtype\":\"%s\"", ngff_dtype_name((ngff_dtype)d->dtype));
    print_extents("shape", d->ndim, d->shape);
    print_extents("unit", d->ndim, s->traits.unit);
    printf(",\"compressed\":%s,\"memory\":%zu", s->traits.compressed ? "true" : "false",
           s->traits.memory);
    printf(",\"name\":");
    print_text(d->name);
    printf(",\"note\":");
    print_text(s->note);
    printf(",\"axes\":[");
    for (int i = 0; i < d->ndim; i++) {
        printf("%s{\"name\":\"%s\",\"type\":\"%s\",\"scale\":%.17g,\"translation\":%.17g,"
               "\"unit\":",
               i ? "," : "", d->axes[i].name, d->axes[i].type, d->axes[i].scale,
               d->axes[i].translation);
        print_text(d->axes[i].unit);
        printf(",\"orientation\":\"%s\"}", d->axes[i].orientation);
    }
    printf("],\"channels\":[");
    for (size_t i = 0; i < d->channel_count; i++) {
        printf("%s{\"label\":", i ? "," : "");
        print_text(d->channels[i].label);
        printf(",\"color\":\"%s\"}", d->channels[i].color);
    }
    printf("],\"levels\":[");
    for (int i = 0; i < s->level_count; i++) {
        printf("%s{\"level\":%d", i ? "," : "", i);
        print_extents("shape", d->ndim, i ? s->level_shape[i] : d->shape);
        printf("}");
    }
    printf("]}\n");
}

static int fail(ngff_status status, const ngff_error *err) {
    printf("{\"status\":\"%s\",\"message\":", ngff_status_name(status));
    print_text(err->message);
    printf("}\n");
    return 1;
}

/* Pieces of a fixed grid, dealt out in a scattered order. */
static void run(void *arg) {
    job *j = arg;
    ngff_box grid = {.ndim = j->box.ndim};
    int64_t cell[NGFF_MAX_NDIM], idx[NGFF_MAX_NDIM] = {0}, n = 0;
    for (int i = 0; i < grid.ndim; i++) {
        cell[i] = i >= grid.ndim - 2 ? 37 : 2;
        grid.shape[i] = ngff_ceil_div(j->box.shape[i], cell[i]);
    }
    do {
        ngff_box part;
        ngff_view out;
        if (n++ % j->count != j->id)
            continue;
        ngff_box_of_cell(grid.ndim, idx, cell, j->box.shape, &part);
        ngff_view_sub(&j->view, part.start, part.shape, &out);
        for (int i = 0; i < grid.ndim; i++)
            part.start[i] += j->box.start[i];
        j->status = ngff_source_read_level(j->source, j->level, &part, &out, &j->err);
        if (j->status != NGFF_OK)
            return;
    } while (ngff_box_next(&grid, idx));
}

static ngff_status read_threads(job *whole, int threads, ngff_error *err) {
    job jobs[64];
    ngff_thread *thread[64] = {NULL};
    if (threads > 64)
        threads = 64;
    for (int i = 0; i < threads; i++) {
        jobs[i] = *whole;
        jobs[i].id = i;
        jobs[i].count = threads;
        if (ngff_thread_start(NULL, run, &jobs[i], &thread[i], err) != NGFF_OK)
            abort();
    }
    ngff_status status = NGFF_OK;
    for (int i = 0; i < threads; i++) {
        ngff_thread_join(&thread[i]);
        if (jobs[i].status != NGFF_OK) {
            status = jobs[i].status;
            *err = jobs[i].err;
        }
    }
    return status;
}

static int dump(job *j, int threads, const char *out) {
    size_t size = 0;
    ngff_error err = {0};
    ngff_dtype dtype = (ngff_dtype)j->source->image.desc.dtype;
    ngff_status status = ngff_nd_bytes(j->box.ndim, j->box.shape, dtype, &size, &err);
    if (status != NGFF_OK)
        return fail(status, &err);
    void *data = malloc(size);
    if (data == NULL)
        return 2;
    memset(data, 0xa5, size);
    ngff_view_init(&j->view, data, dtype, j->box.ndim, j->box.shape);
    status = threads > 0
                 ? read_threads(j, threads, &err)
                 : ngff_source_read_level(j->source, j->level, &j->box, &j->view, &err);
    int code = 0;
    if (status != NGFF_OK) {
        code = fail(status, &err);
    } else {
        FILE *f = fopen(out, "wb");
        code = f == NULL || fwrite(data, 1, size, f) != size || fclose(f) != 0 ? 2 : 0;
    }
    free(data);
    return code;
}

static void parse_box(const char *text, ngff_box *box) {
    for (int i = 0; i < box->ndim && *text; i++) {
        char *end;
        box->start[i] = strtoll(text, &end, 10);
        box->shape[i] = strtoll(end + 1, &end, 10);
        text = *end == ',' ? end + 1 : end;
    }
}

int main(int argc, char **argv) {
    ngff_source_open_opts opts = {.series = -1};
    const char *out = NULL, *box = NULL;
    int threads = 0;
    job j = {0};
    ngff_error err = {0};
    if (argc < 2)
        return 2;
    for (int i = 2; i + 1 < argc; i += 2) {
        const char *value = argv[i + 1];
        if (!strcmp(argv[i], "--series"))
            opts.series = atoi(value);
        else if (!strcmp(argv[i], "--dims"))
            opts.dims = value;
        else if (!strcmp(argv[i], "--raw"))
            opts.raw_values = atoi(value) != 0;
        else if (!strcmp(argv[i], "--level"))
            j.level = atoi(value);
        else if (!strcmp(argv[i], "--threads"))
            opts.threads = threads = atoi(value);
        else if (!strcmp(argv[i], "--memory"))
            opts.memory = (size_t)atoll(value);
        else if (!strcmp(argv[i], "--box"))
            box = value;
        else if (!strcmp(argv[i], "--out"))
            out = value;
        else
            return 2;
    }
    ngff_status status = ngff_source_at(NULL, argv[1], &opts, &j.source, &err);
    if (status != NGFF_OK)
        return fail(status, &err);
    const ngff_image_desc *d = &j.source->image.desc;
    j.box.ndim = d->ndim;
    memcpy(j.box.shape, j.level ? j.source->level_shape[j.level] : d->shape,
           sizeof j.box.shape);
    if (box)
        parse_box(box, &j.box);
    int code = out ? dump(&j, threads, out) : 0;
    if (code == 0)
        print_source(j.source);
    ngff_source_drop(&j.source);
    return code;
}
