/* The command line of libngff: a table of commands, each with a table of options from
 * which parsing,
 * --help and the man page are made. Uses the public API only. One thread. */
#ifndef NGFF_CLI_CLI_H
#define NGFF_CLI_CLI_H

#include <ngff/ngff.h>
#include <stdbool.h>
#include <stdio.h>

/* Exit codes (DESIGN section 4). */
enum {
    EXIT_OK = 0,
    EXIT_OTHER = 1,
    EXIT_USAGE = 2,
    EXIT_INPUT = 3,
    EXIT_FINDINGS = 4,
    EXIT_EXISTS = 5,
    EXIT_OUTPUT = 6,
    EXIT_LIMIT = 7
};

typedef struct cli_option {
    const char *name;  /* "--chunks" */
    const char *alias; /* "-c" or NULL */
    const char
        *arg; /* placeholder; NULL: a switch; "[=ALL]" style when it begins with '[' */
    const char *help;
} cli_option;

#define CLI_MAX_OPTIONS 64

/* What was given. `value[i]` belongs to options[i]: NULL when absent, "" for a switch. */
typedef struct cli_args {
    const struct cli_command *command;
    const char *value[CLI_MAX_OPTIONS];
    const char *operand[3];
    int operand_count;
} cli_args;

typedef struct cli_command {
    const char *name;
    const char *operands; /* "INPUT OUTPUT" */
    int operand_count;
    const char *summary;
    const cli_option *options; /* ends with a NULL name */
    int (*run)(const cli_args *args);
} cli_command;

extern const cli_command cli_commands[];                /* ends with a NULL name */
const cli_command *cli_command_named(const char *name); /* one that is there */

/* ---- options.c
 * ----------------------------------------------------------------------------- */
/* Fills `args`; on a usage error prints one line to stderr and answers EXIT_USAGE. */
int cli_parse(const cli_command *command, int argc, char **argv, cli_args *args);
const char *cli_get(const cli_args *args, const char *name); /* NULL: not given */
bool cli_has(const cli_args *args, const char *name);
void cli_set(cli_args *args, const char *name, const char *value); /* borrowed */
void cli_print_help(const cli_command *command, FILE *out);
void cli_print_man(FILE *out);

/* ---- values.c: text to numbers; false with a line on stderr
 * ---------------------------------- */
bool cli_size(const char *option, const char *text, uint64_t *out); /* "256M", "1.5G" */
bool cli_int(const char *option, const char *text, long long lo, long long hi,
             long long *out);
bool cli_float(const char *option, const char *text, double *out);
/* "z=4,y=1,x=1", a comma list in axis order, or one number for all spatial axes. Values
 * not given keep what `out` holds. */
bool cli_per_axis(const char *option, const char *text, const ngff_image_desc *desc,
                  double out[NGFF_MAX_NDIM]);
bool cli_per_axis_int(const char *option, const char *text, const ngff_image_desc *desc,
                      int64_t out[NGFF_MAX_NDIM]);
/* "2,4,8" or "z=1,y=2,x=2;z=2,y=4,x=4": levels in *count. */
bool cli_factors(const char *option, const char *text, const ngff_image_desc *desc,
                 int64_t (*out)[NGFF_MAX_NDIM], int max, int *count);
bool cli_shape(const char *option, const char *text, int64_t out[NGFF_MAX_NDIM],
               int *ndim);
/* The first extent may be 0: not known. */
bool cli_open_shape(const char *option, const char *text, int64_t out[NGFF_MAX_NDIM],
                    int *ndim);

/* ---- meta.c: options about codecs as JSON, orientation and channels; EXIT_USAGE after a
 * line on stderr ---- */
#define CLI_MAX_CHANNELS 256
/* The i-th item of a list into `out`; false past the end. */
bool cli_item(const char *text, char separator, int i, char *out, size_t size);
int cli_orient(const cli_args *args, ngff_image_desc *desc);
/* Labels, colours and windows into `channels`, which `desc` then names. */
int cli_omero(const cli_args *args, ngff_image_desc *desc,
              ngff_channel channels[CLI_MAX_CHANNELS]);
int cli_meta_options(const cli_args *args, ngff_write_opts *opts);
int cli_codec_json(const cli_args *args, ngff_write_opts *opts);

/* ---- plan.c: what convert and levels share; an exit code, after a line on stderr
 * ---------- */
int cli_context(const cli_args *args, ngff_context **context);
/* The image whose levels are planned, and what holds where no option says otherwise. */
typedef struct cli_plan_request {
    ngff_context *context;
    const ngff_image_desc *desc;
    const ngff_source *source; /* --keep-levels: whose levels are taken; NULL: nobody's */
    int64_t chunks[NGFF_MAX_NDIM], per_shard[NGFF_MAX_NDIM];
} cli_plan_request;
int cli_plan(const cli_args *args, const cli_plan_request *request,
             ngff_multiscales **ms);
int cli_codec(const cli_args *args, ngff_write_opts *opts);

/* ---- frames.c: raw frames from standard input; exit codes
 * ------------------------------------ */
bool cli_is_stdin(const cli_args *args); /* the first operand is "-" */
typedef struct cli_frames {
    const cli_args *args;
    ngff_context *context;
    ngff_image_desc *desc; /* shape[0]: as asked; afterwards what came */
    const ngff_multiscales *ms;
    const ngff_write_opts *write;
    ngff_write_report *report;
    ngff_store *store;
    ngff_source_opts raw; /* shape, dtype, byte order, offset */
    int64_t wanted;       /* frames; 0: all that come */
} cli_frames;
int cli_frames_describe(cli_frames *f);
int cli_frames_write(cli_frames *f);

/* ---- series.c: --series all and --series PATTERN
 * ------------------------------------------- */
bool cli_names_series(const cli_args *args); /* not by its number */
/* Calls `convert` for each that is meant, with its number and an output of its own. */
int cli_convert_series(const cli_args *args, int (*convert)(const cli_args *));

/* ---- report.c
 * -------------------------------------------------------------------------------- */
int cli_fail(ngff_status status, const ngff_error *err, ngff_origin side);
void cli_human(uint64_t bytes, char *out, size_t out_size); /* "1.5 GiB" */

typedef struct cli_json {
    FILE *out;
    int depth;
    bool comma;
} cli_json;
void cli_json_open(cli_json *j, const char *name, char bracket);
void cli_json_close(cli_json *j, char bracket);
void cli_json_str(cli_json *j, const char *name, const char *value);
void cli_json_int(cli_json *j, const char *name, long long value);
void cli_json_float(cli_json *j, const char *name, double value);
void cli_json_bool(cli_json *j, const char *name, bool value);
void cli_json_raw(cli_json *j, const char *name, const char *json);
void cli_json_ints(cli_json *j, const char *name, const int64_t *v, int count);
void cli_json_floats(cli_json *j, const char *name, const double *v, int count);
void cli_json_levels(cli_json *j, const ngff_multiscales *ms,
                     const ngff_image_desc *desc);
void cli_json_image(cli_json *j, const ngff_image_desc *desc);
void cli_json_report(cli_json *j, const ngff_write_report *report, int ndim);
void cli_text_levels(const ngff_multiscales *ms, const ngff_image_desc *desc);

/* ---- progress.c
 * ------------------------------------------------------------------------------- */
typedef struct cli_progress {
    int mode; /* 0 none, 1 bar, 2 json lines */
    uint64_t start_ns, last_ns;
    bool drawn;
} cli_progress;
bool cli_progress_init(cli_progress *p, const char *mode, bool quiet);
int cli_progress_call(void *user, const ngff_progress *progress);
void cli_progress_done(cli_progress *p);
void cli_signals_install(void);
int cli_signal_caught(void); /* SIGINT, SIGTERM or 0 */
void cli_log_line(void *user, const char *line);

/* ---- stores.c
 * -------------------------------------------------------------------------------- */
typedef struct cli_stores {
    ngff_store *store; /* the one to use: one of the others */
    ngff_store *metadata, *chunks, *pair;
} cli_stores;
/* `location`; with `chunk_store` (may be NULL) the pair of both. `opts`: to write. */
ngff_status cli_stores_open(ngff_context *context, const char *location,
                            const char *chunk_store, const ngff_store_opts *opts,
                            cli_stores *s, ngff_error *err);
/* Two spellings of one path. */
bool cli_same_place(const char *a, const char *b);
void cli_stores_close(cli_stores *s);
/* --overwrite and --durability into `opts`; EXIT_USAGE after a line on stderr. */
int cli_store_options(const cli_args *args, ngff_store_opts *opts);
bool cli_ends_with(const char *text, const char *end);
bool cli_is_ozx(const char *path);
bool cli_is_archive(const char *path); /* .ozx or .zip */

/* ---- compat.c: called as ngff-zarr is, with flags only
 * ---------------------------------------- */
bool cli_is_compat(const char *arg); /* is one of its flags */
int cli_compat(int argc, char **argv);

/* ---- commands
 * ---------------------------------------------------------------------------------- */
int cli_convert(const cli_args *args);
int cli_levels(const cli_args *args);
int cli_upgrade(const cli_args *args);
int cli_validate(const cli_args *args);
int cli_conformance(const cli_args *args);
int cli_info(const cli_args *args);
int cli_thumbnail(const cli_args *args);
int cli_sample(const cli_args *args);
int cli_zip(const cli_args *args);
int cli_unzip(const cli_args *args);
int cli_methods(const cli_args *args);
int cli_codecs(const cli_args *args);
extern const cli_option cli_convert_options[];
extern const cli_option cli_levels_options[];
extern const cli_option cli_upgrade_options[];
extern const cli_option cli_validate_options[];
extern const cli_option cli_no_options[];
extern const cli_option cli_info_options[];
extern const cli_option cli_thumbnail_options[];
extern const cli_option cli_sample_options[];
extern const cli_option cli_zip_options[];
extern const cli_option cli_table_options[];

#endif
