/* Results on stdout (text or one JSON object) and errors on stderr. */
#include "cli.h"

#include <math.h>
#include <string.h>

int cli_fail(ngff_status status, const ngff_error *err, ngff_origin side) {
    int signal_number = cli_signal_caught();
    fprintf(stderr, "ngff: %s\n",
            err->message[0] != '\0' ? err->message : ngff_status_text(status));
    if (err->origin != NGFF_ORIGIN_NONE)
        side = (ngff_origin)err->origin;
    switch (status) {
    case NGFF_INVALID:
        return EXIT_USAGE;
    case NGFF_EXISTS:
        return EXIT_EXISTS;
    case NGFF_LIMIT:
    case NGFF_NOMEM:
        return EXIT_LIMIT;
    case NGFF_CANCELLED:
        return signal_number != 0 ? 128 + signal_number : 130;
    case NGFF_INTERNAL:
        return EXIT_OTHER;
    default:
        return side == NGFF_ORIGIN_INPUT    ? EXIT_INPUT
               : side == NGFF_ORIGIN_OUTPUT ? EXIT_OUTPUT
                                            : EXIT_OTHER;
    }
}

void cli_human(uint64_t bytes, char *out, size_t out_size) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double v = (double)bytes;
    int u = 0;
    while (v >= 1024 && u < 5) {
        v /= 1024;
        u++;
    }
    snprintf(out, out_size, u == 0 ? "%.0f %s" : "%.1f %s", v, units[u]);
}

/* ---- JSON
 * ---------------------------------------------------------------------------------- */

static void quoted(FILE *out, const char *s) {
    fputc('"', out);
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20)
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void item(cli_json *j, const char *name) {
    if (j->comma)
        fputc(',', j->out);
    if (j->depth > 0)
        fprintf(j->out, "\n%*s", 2 * j->depth, "");
    if (name != NULL) {
        quoted(j->out, name);
        fputs(": ", j->out);
    }
    j->comma = true;
}

void cli_json_open(cli_json *j, const char *name, char bracket) {
    item(j, name);
    fputc(bracket, j->out);
    j->depth++;
    j->comma = false;
}

void cli_json_close(cli_json *j, char bracket) {
    j->depth--;
    fprintf(j->out, "\n%*s%c", 2 * j->depth, "", bracket);
    j->comma = true;
    if (j->depth == 0)
        fputc('\n', j->out);
}

void cli_json_str(cli_json *j, const char *name, const char *value) {
    item(j, name);
    quoted(j->out, value);
}

void cli_json_int(cli_json *j, const char *name, long long value) {
    item(j, name);
    fprintf(j->out, "%lld", value);
}

void cli_json_float(cli_json *j, const char *name, double value) {
    item(j, name);
    if (isfinite(value))
        fprintf(j->out, "%.17g", value);
    else
        fputs("null", j->out);
}

void cli_json_bool(cli_json *j, const char *name, bool value) {
    item(j, name);
    fputs(value ? "true" : "false", j->out);
}

void cli_json_raw(cli_json *j, const char *name, const char *json) {
    item(j, name);
    fputs(json, j->out);
}

void cli_json_ints(cli_json *j, const char *name, const int64_t *v, int count) {
    item(j, name);
    fputc('[', j->out);
    for (int i = 0; i < count; i++)
        fprintf(j->out, "%s%lld", i > 0 ? ", " : "", (long long)v[i]);
    fputc(']', j->out);
}

void cli_json_floats(cli_json *j, const char *name, const double *v, int count) {
    item(j, name);
    fputc('[', j->out);
    for (int i = 0; i < count; i++)
        fprintf(j->out, "%s%.17g", i > 0 ? ", " : "", v[i]);
    fputc(']', j->out);
}

/* ---- images and levels
 * --------------------------------------------------------------------- */

void cli_json_image(cli_json *j, const ngff_image_desc *d) {
    cli_json_str(j, "name", d->name);
    cli_json_str(j, "dtype", ngff_dtype_text((ngff_dtype)d->dtype));
    cli_json_ints(j, "shape", d->shape, d->ndim);
    cli_json_open(j, "axes", '[');
    for (int i = 0; i < d->ndim; i++) {
        cli_json_open(j, NULL, '{');
        cli_json_str(j, "name", d->axes[i].name);
        cli_json_str(j, "type", d->axes[i].type);
        if (d->axes[i].unit[0] != '\0')
            cli_json_str(j, "unit", d->axes[i].unit);
        if (d->axes[i].orientation[0] != '\0')
            cli_json_str(j, "orientation", d->axes[i].orientation);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
    cli_json_open(j, "channels", '[');
    for (size_t i = 0; i < d->channel_count; i++) {
        cli_json_open(j, NULL, '{');
        cli_json_str(j, "label", d->channels[i].label);
        cli_json_str(j, "color", d->channels[i].color);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
}

void cli_json_levels(cli_json *j, const ngff_multiscales *ms, const ngff_image_desc *d) {
    cli_json_open(j, "levels", '[');
    for (int n = 0; n < ngff_multiscales_level_count(ms); n++) {
        ngff_level_info level = NGFF_LEVEL_INFO_INIT;
        if (ngff_multiscales_level(ms, n, &level, NULL) != NGFF_OK)
            break;
        cli_json_open(j, NULL, '{');
        if (level.path[0] != '\0')
            cli_json_str(j, "path", level.path);
        cli_json_ints(j, "shape", level.shape, d->ndim);
        cli_json_ints(j, "chunks", level.chunks, d->ndim);
        cli_json_ints(j, "shards", level.shards, d->ndim);
        cli_json_floats(j, "scale", level.scale, d->ndim);
        cli_json_floats(j, "translation", level.translation, d->ndim);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
}

static void dims_text(const int64_t *v, int n, char *out, size_t size) {
    size_t at = 0;
    for (int i = 0; i < n && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%lld", i > 0 ? " x " : "",
                               (long long)v[i]);
}

void cli_text_levels(const ngff_multiscales *ms, const ngff_image_desc *d) {
    int count = ngff_multiscales_level_count(ms);
    for (int n = 0; n < count; n++) {
        ngff_level_info level = NGFF_LEVEL_INFO_INIT;
        char shape[128], chunks[128], shards[128];
        if (ngff_multiscales_level(ms, n, &level, NULL) != NGFF_OK)
            return;
        dims_text(level.shape, d->ndim, shape, sizeof shape);
        dims_text(level.chunks, d->ndim, chunks, sizeof chunks);
        dims_text(level.shards, d->ndim, shards, sizeof shards);
        printf("%s level %d  %-28s chunks %s", n + 1 < count ? "├──" : "└──", n, shape,
               chunks);
        if (strcmp(chunks, shards) != 0)
            printf("  shards %s", shards);
        fputs("  scale", stdout);
        for (int i = 0; i < d->ndim; i++)
            printf(" %s=%.6g", d->axes[i].name, level.scale[i]);
        printf("%s%s\n", level.path[0] != '\0' ? "  " : "", level.path);
    }
}

void cli_json_report(cli_json *j, const ngff_write_report *r, int ndim) {
    cli_json_int(j, "source_bytes", (long long)r->source_bytes);
    cli_json_int(j, "decoded_bytes", (long long)r->decoded_bytes);
    cli_json_int(j, "encoded_bytes", (long long)r->encoded_bytes);
    cli_json_int(j, "files", (long long)r->files);
    cli_json_int(j, "budget_bytes", (long long)r->budget);
    cli_json_int(j, "peak_bytes", (long long)r->peak);
    cli_json_int(j, "spill_bytes", (long long)r->spill_bytes);
    cli_json_int(j, "blocks", (long long)r->blocks);
    cli_json_int(j, "parked_chunks", (long long)r->parked_chunks);
    cli_json_float(j, "amplification", r->amplification);
    cli_json_int(j, "threads", r->threads);
    cli_json_int(j, "passes", r->passes);
    cli_json_ints(j, "block", r->block, ndim);
}
