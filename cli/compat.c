/* The command line of ngff-zarr: its flags are turned into those of `ngff convert` (or of
 * `ngff info`, without an output), which then runs as if it had been called so.
 * docs/ngff-zarr-flags.md has a row for each. */
#include "cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* How a flag takes its values, and what becomes of them. */
typedef enum flag_kind {
    FLAG_INPUT,
    FLAG_OUTPUT,
    FLAG_SWITCH, /* handed on */
    FLAG_ONE,    /* one value, handed on */
    FLAG_LIST,   /* values up to the next flag, joined by commas */
    FLAG_PAIRS,  /* z 4 y 1 -> z=4,y=1 */
    FLAG_WINDOW, /* four values, may come again: joined by ';' */
    FLAG_SERIES, /* from 0 there, from 1 here */
    FLAG_CODEC,
    FLAG_LEVEL,
    FLAG_NO_ORIENTATION,
    FLAG_IGNORED,      /* no values, no meaning here */
    FLAG_IGNORED_VALUE /* one value, no meaning here */
} flag_kind;

typedef struct flag {
    const char *name, *alias;
    flag_kind kind;
    const char *to; /* option of `ngff convert`; ignored ones: why */
} flag;

static const flag flags[] = {
    {"--input", "-i", FLAG_INPUT, NULL},
    {"--output", "-o", FLAG_OUTPUT, NULL},
    {"--dims", "-d", FLAG_LIST, "--dims"},
    {"--units", "-u", FLAG_PAIRS, "--units"},
    {"--scale", "-s", FLAG_PAIRS, "--scale"},
    {"--translation", "-t", FLAG_PAIRS, "--translation"},
    {"--name", "-n", FLAG_ONE, "--name"},
    {"--output-scale", NULL, FLAG_IGNORED_VALUE, "the output holds all levels"},
    {"--ome-zarr-version", NULL, FLAG_ONE, "--ome-zarr-version"},
    {"--no-orientation", NULL, FLAG_NO_ORIENTATION, NULL},
    {"--orientation", NULL, FLAG_PAIRS, "--orientation"},
    {"--series", NULL, FLAG_SERIES, "--series"},
    {"--no-omero", NULL, FLAG_SWITCH, "--no-omero"},
    {"--omero-quantiles", NULL, FLAG_LIST, "--omero-quantiles"},
    {"--omero-window", NULL, FLAG_WINDOW, "--omero-window"},
    {"--omero-colors", NULL, FLAG_LIST, "--omero-colors"},
    {"--omero-labels", NULL, FLAG_LIST, "--omero-labels"},
    {"--omero-dense", NULL, FLAG_IGNORED, "quantiles always count every pixel"},
    {"--chunks", "-c", FLAG_LIST, "--chunks"},
    {"--chunks-per-shard", NULL, FLAG_LIST, "--chunks-per-shard"},
    {"--method", "-m", FLAG_ONE, "--method"},
    {"--quiet", "-q", FLAG_SWITCH, "--quiet"},
    {"--local-cluster", "-l", FLAG_IGNORED, "all cores are used already"},
    {"--input-backend", NULL, FLAG_IGNORED_VALUE, "inputs are known by their content"},
    {"--storage-options", NULL, FLAG_IGNORED_VALUE, "inputs are local files"},
    {"--memory-target", NULL, FLAG_ONE, "--memory-target"},
    {"--cache-dir", NULL, FLAG_IGNORED_VALUE, "nothing is cached"},
    {"--use-tensorstore", NULL, FLAG_IGNORED, "there is one writer"},
    {"--codec", NULL, FLAG_CODEC, "--codec"},
    {"--compression-level", NULL, FLAG_LEVEL, "--compression-level"},
};
enum { FLAG_COUNT = sizeof flags / sizeof flags[0], TEXT_MAX = 16384, ARGV_MAX = 80 };

/* What `ngff convert` will be called with; texts made here lie in `text`. */
typedef struct translation {
    int argc;
    char *argv[ARGV_MAX];
    char text[TEXT_MAX];
    size_t used;
    bool given[FLAG_COUNT];
    char *input, *output, *codec, *level;
    char *windows; /* begun by the first --omero-window */
    bool failed;
} translation;

static int wrong(const char *flag_name, const char *what) {
    fprintf(stderr, "ngff: %s: %s; docs/ngff-zarr-flags.md lists ngff-zarr's flags\n",
            flag_name, what);
    return EXIT_USAGE;
}

/* A text of our own: `format` and its values, kept in t->text. */
static char *keep(translation *t, const char *format, ...) {
    char *at = t->text + t->used;
    size_t room = sizeof t->text - t->used;
    va_list list;
    va_start(list, format);
    int n = vsnprintf(at, room, format, list);
    va_end(list);
    if (n < 0 || (size_t)n >= room) {
        t->failed = true;
        return t->text;
    }
    t->used += (size_t)n + 1;
    return at;
}

static void push(translation *t, char *arg) {
    if (t->argc < ARGV_MAX)
        t->argv[t->argc++] = arg;
    else
        t->failed = true;
}

static void push_option(translation *t, const char *name, const char *value) {
    push(t, value != NULL ? keep(t, "%s=%s", name, value) : keep(t, "%s", name));
}

static bool is_value(const char *arg) {
    return arg[0] != '-' || (arg[1] >= '0' && arg[1] <= '9') || arg[1] == '.' ||
           arg[1] == '\0';
}

/* The flag that `arg` names; *value points behind '=' or is NULL. */
static int find_flag(const char *arg, char **value) {
    const char *eq = strchr(arg, '=');
    size_t len = eq != NULL ? (size_t)(eq - arg) : strlen(arg);
    *value = eq != NULL ? (char *)(uintptr_t)(eq + 1) : NULL;
    for (int i = 0; i < FLAG_COUNT; i++) {
        const flag *f = &flags[i];
        if (strlen(f->name) == len && strncmp(f->name, arg, len) == 0)
            return i;
        if (f->alias != NULL && strcmp(f->alias, arg) == 0)
            return i;
    }
    return -1;
}

/* ---- one flag with its values ---- */

static int no_values(const flag *f, translation *t, int count) {
    if (count != 0)
        return wrong(f->name, "takes no value");
    if (f->kind == FLAG_IGNORED)
        fprintf(stderr, "ngff: warning: %s is ignored: %s\n", f->name, f->to);
    else if (f->kind == FLAG_SWITCH)
        push_option(t, f->to, NULL);
    return EXIT_OK;
}

static int one_value(const flag *f, translation *t, char **v, int count) {
    if (count != 1)
        return wrong(f->name, f->kind == FLAG_INPUT && count > 1
                                  ? "one input; a series of files is named by its folder "
                                    "or a pattern in quotes"
                                  : "expected one value");
    switch (f->kind) {
    case FLAG_INPUT:
        t->input = v[0];
        break;
    case FLAG_OUTPUT:
        t->output = v[0];
        break;
    case FLAG_CODEC:
        t->codec = v[0];
        break;
    case FLAG_LEVEL:
        t->level = v[0];
        break;
    case FLAG_IGNORED_VALUE:
        fprintf(stderr, "ngff: warning: %s is ignored: %s\n", f->name, f->to);
        break;
    case FLAG_SERIES:
        if (v[0][0] == '\0' || strlen(v[0]) > 6 ||
            strspn(v[0], "0123456789") != strlen(v[0]))
            push_option(t, f->to, v[0][0] != '\0' ? v[0] : "all");
        else
            push_option(t, f->to, keep(t, "%ld", strtol(v[0], NULL, 10) + 1));
        break;
    default:
        push_option(t, f->to, v[0]);
    }
    return EXIT_OK;
}

static int join(const flag *f, translation *t, char **v, int count) {
    char *all = NULL;
    bool pairs = f->kind == FLAG_PAIRS && count > 1; /* one value: LPS, RAS */
    if (count == 0)
        return wrong(f->name, "expected values");
    if ((pairs && count % 2 != 0) ||
        (f->kind == FLAG_PAIRS && count == 1 && strcmp(f->name, "--orientation") != 0))
        return wrong(f->name, "expected pairs of an axis and a value");
    if (f->kind == FLAG_WINDOW && count != 4)
        return wrong(f->name, "expected MIN MAX START END");
    for (int i = 0; i < count; i++) {
        if (strchr(v[i], ',') != NULL || strchr(v[i], ';') != NULL)
            return wrong(f->name, "values with a comma or a semicolon are not taken");
        const char *sign = pairs && i % 2 == 1 ? "=" : ",";
        all = all == NULL ? keep(t, "%s", v[i]) : keep(t, "%s%s%s", all, sign, v[i]);
    }
    if (f->kind == FLAG_WINDOW)
        t->windows = t->windows == NULL ? all : keep(t, "%s;%s", t->windows, all);
    else
        push_option(t, f->to, all);
    return EXIT_OK;
}

static int take(const flag *f, translation *t, char **v, int count) {
    switch (f->kind) {
    case FLAG_SWITCH:
    case FLAG_IGNORED:
    case FLAG_NO_ORIENTATION:
        return no_values(f, t, count);
    case FLAG_LIST:
    case FLAG_PAIRS:
    case FLAG_WINDOW:
        return join(f, t, v, count);
    default:
        return one_value(f, t, v, count);
    }
}

static int take_all(translation *t, int argc, char **argv) {
    for (int i = 0; i < argc;) {
        char *value = NULL;
        int k = find_flag(argv[i], &value), count = 0;
        if (k < 0)
            return wrong(argv[i], "is not known");
        if (t->given[k] && flags[k].kind != FLAG_WINDOW)
            return wrong(flags[k].name, "is given twice");
        t->given[k] = true;
        char **values = value != NULL ? &value : &argv[i + 1];
        i++;
        for (; value == NULL && i < argc && is_value(argv[i]); i++)
            count++;
        int code = take(&flags[k], t, values, value != NULL ? 1 : count);
        if (code != EXIT_OK)
            return code;
    }
    return EXIT_OK;
}

/* ---- what its flags do not say, but its program does ---- */

static bool has(const translation *t, const char *name) {
    char *value = NULL;
    return t->given[find_flag(name, &value)];
}

static int add_codec(translation *t) {
    if (t->level != NULL && t->codec == NULL)
        return wrong("--compression-level", "needs --codec");
    if (t->codec == NULL)
        return EXIT_OK;
    if (strcmp(t->codec, "lz4") == 0) { /* numcodecs' own, without blosc */
        bool old = false;
        for (int i = 0; i < t->argc; i++)
            old = old || strcmp(t->argv[i], "--ome-zarr-version=0.4") == 0;
        push(t, old ? keep(t, "--compressor={\"id\":\"lz4\"}")
                    : keep(t, "--compressors=[{\"name\":\"numcodecs.lz4\","
                              "\"configuration\":{}}]"));
        return EXIT_OK;
    }
    push_option(t, "--codec", t->codec);
    if (t->level != NULL)
        push_option(t, "--compression-level", t->level);
    return EXIT_OK;
}

static int add_defaults(translation *t) {
    if (has(t, "--no-orientation") && has(t, "--orientation"))
        return wrong("--no-orientation", "contradicts --orientation");
    if (!has(t, "--no-orientation"))
        push_option(t, "--enable-rfc", "4");
    if (t->windows != NULL)
        push_option(t, "--omero-window", t->windows);
    else if (!has(t, "--no-omero") && !has(t, "--omero-quantiles"))
        push_option(t, "--omero-quantiles", "0.02,0.98");
    push_option(t, "--overwrite", NULL);
    push_option(t, "--keep-windows", NULL);
    if (!has(t, "--series"))
        push_option(t, "--series", "all");
    if (!has(t, "--method"))
        push_option(t, "--keep-levels", NULL);
    return add_codec(t);
}

static int run_command(const char *name, translation *t) {
    cli_args args;
    const cli_command *c = cli_command_named(name);
    push(t, keep(t, "--"));
    push(t, t->input);
    if (c->operand_count > 1)
        push(t, t->output);
    if (t->failed)
        return wrong("ngff", "the command line is too long");
    int code = cli_parse(c, t->argc, t->argv, &args);
    return code == EXIT_OK ? c->run(&args) : code;
}

bool cli_is_compat(const char *arg) {
    char *value = NULL;
    return find_flag(arg, &value) >= 0;
}

int cli_compat(int argc, char **argv) {
    static translation t;
    int code = take_all(&t, argc, argv);
    if (code != EXIT_OK)
        return code;
    if (t.input == NULL)
        return wrong("--input", "is missing");
    if (t.output == NULL) { /* no image is made: say what the input holds */
        t.argc = 0;
        return run_command("info", &t);
    }
    code = add_defaults(&t);
    return code == EXIT_OK ? run_command("convert", &t) : code;
}
