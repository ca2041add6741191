/* --series: several images of one file, each into an output of its own. */
#include "cli.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_LENGTH = 200, SERIES_MAX = 4096, PATH_LENGTH = 4096 };

typedef struct chosen {
    int32_t number; /* from 1 */
    char name[NAME_MAX_LENGTH + 16];
} chosen;

typedef struct choosing {
    const char *pattern; /* "all", or what a name holds */
    int count;
    chosen item[SERIES_MAX];
    char shown[400]; /* the names there are, for messages */
} choosing;

/* ---- names ---- */

/* `*` is anything, case does not matter, and the pattern may lie anywhere in the name. */
static bool matches_here(const char *pattern, const char *name) {
    const char *star = NULL, *mark = NULL;
    for (;;) {
        if (*pattern == '\0')
            return true;
        if (*pattern == '*') {
            star = ++pattern;
            mark = name;
        } else if (*name != '\0' &&
                   tolower((unsigned char)*pattern) == tolower((unsigned char)*name)) {
            pattern++;
            name++;
        } else if (star != NULL && mark[0] != '\0') {
            pattern = star;
            name = ++mark;
        } else {
            return false;
        }
    }
}

static bool matches(const char *pattern, const char *name) {
    for (; *name != '\0'; name++)
        if (matches_here(pattern, name))
            return true;
    return false;
}

/* A part of a path that leads nowhere else, as ngff-zarr makes it of a name. */
static void safe_name(const char *name, int32_t number, char *out) {
    size_t used = 0;
    while (*name == ' ' || *name == '.')
        name++;
    for (; *name != '\0' && used + 1 < NAME_MAX_LENGTH; name++) {
        bool two = name[0] == '.' && name[1] == '.';
        bool odd = *name == '/' || *name == '\\' || (unsigned char)*name < ' ';
        out[used++] = two || odd ? '_' : *name;
        name += two;
    }
    while (used > 0 && out[used - 1] == ' ')
        used--;
    out[used] = '\0';
    if (used == 0)
        snprintf(out, NAME_MAX_LENGTH, "series_%d", (int)number - 1);
}

/* Two of one name would be one output. */
static void tell_apart(choosing *c, chosen *new) {
    for (int i = 0; i < c->count; i++)
        if (strcmp(c->item[i].name, new->name) == 0) {
            snprintf(new->name + strlen(new->name), 16, "_%d", (int)new->number - 1);
            return;
        }
}

static ngff_status take(void *user, const ngff_series *series) {
    choosing *c = user;
    const char *name = series->name != NULL ? series->name : "";
    size_t used = strlen(c->shown);
    snprintf(c->shown + used, sizeof c->shown - used, "%s'%.60s'", used > 0 ? ", " : "",
             name);
    if (strcmp(c->pattern, "all") != 0 && !matches(c->pattern, name))
        return NGFF_OK;
    if (c->count == SERIES_MAX)
        return NGFF_LIMIT;
    chosen *new = &c->item[c->count];
    new->number = series->series;
    safe_name(name, series->series, new->name);
    tell_apart(c, new);
    c->count++;
    return NGFF_OK;
}

static int choose(const cli_args *args, choosing *c) {
    ngff_source_opts opts = NGFF_SOURCE_OPTS_INIT;
    ngff_context *context = NULL;
    ngff_error err = {0};

    opts.dims = cli_get(args, "--dims");
    ngff_status status = ngff_context_create(NULL, &context, &err);
    if (status == NGFF_OK)
        status = ngff_source_series(context, args->operand[0], &opts, take, c, &err);
    ngff_context_close(&context);
    if (status != NGFF_OK)
        return cli_fail(status, &err, NGFF_ORIGIN_INPUT);
    if (c->count > 0)
        return EXIT_OK;
    fprintf(stderr, "ngff: %s: no image's name matches '%s'; there are %s\n",
            args->operand[0], c->pattern, c->shown);
    return EXIT_INPUT;
}

/* ---- outputs ---- */

/* As ngff-zarr names them: beside OUT.ozx, OUT.zarr and OUT.ome.zarr; in a folder
 * otherwise. */
static bool output_of(const choosing *c, int i, const char *output, char *path) {
    const char *name = c->item[i].name;
    size_t len = strlen(output);
    int n;
    if (cli_ends_with(output, "/"))
        n = snprintf(path, PATH_LENGTH, "%s%s.ome.zarr", output, name);
    else if (c->count == 1 || (i == 0 && cli_is_ozx(output)))
        n = snprintf(path, PATH_LENGTH, "%s", output);
    else if (cli_is_ozx(output))
        n = snprintf(path, PATH_LENGTH, "%.*s_%s.ozx", (int)len - 4, output, name);
    else if (cli_ends_with(output, ".zarr"))
        n = snprintf(path, PATH_LENGTH, "%.*s_%s.ome.zarr",
                     (int)len - (cli_ends_with(output, ".ome.zarr") ? 9 : 5), output,
                     name);
    else
        n = snprintf(path, PATH_LENGTH, "%s/%s.ome.zarr", output, name);
    if (n > 0 && n < PATH_LENGTH)
        return true;
    fprintf(stderr, "ngff: %.80s…: the path of the output is too long\n", path);
    return false;
}

static int convert_each(const cli_args *args, const choosing *c,
                        int (*convert)(const cli_args *)) {
    static char path[PATH_LENGTH];
    char number[16];
    cli_args one = *args;
    bool json = cli_has(args, "--json") && c->count > 1;
    if (json)
        printf("[");
    int code = EXIT_OK;
    for (int i = 0; code == EXIT_OK && i < c->count; i++) {
        snprintf(number, sizeof number, "%d", (int)c->item[i].number);
        cli_set(&one, "--series", number);
        if (!output_of(c, i, args->operand[1], path))
            return EXIT_USAGE;
        one.operand[1] = path;
        if (json && i > 0)
            printf(",");
        code = convert(&one);
        if (code == EXIT_OK && c->count > 1 && !cli_has(args, "--quiet"))
            fprintf(stderr, "ngff: series %s: %s\n", number, path);
    }
    if (json)
        printf("]\n");
    return code;
}

bool cli_names_series(const cli_args *args) {
    const char *series = cli_get(args, "--series");
    return series != NULL && series[strspn(series, "0123456789")] != '\0' &&
           series[0] != '-' && !cli_is_stdin(args);
}

int cli_convert_series(const cli_args *args, int (*convert)(const cli_args *)) {
    choosing *c = calloc(1, sizeof *c);
    if (c == NULL) {
        fprintf(stderr, "ngff: out of memory\n");
        return EXIT_LIMIT;
    }
    c->pattern = cli_get(args, "--series");
    int code = choose(args, c);
    if (code == EXIT_OK)
        code = convert_each(args, c, convert);
    free(c);
    return code;
}
