/* ngff zip, unzip: an OME-Zarr hierarchy into one file and out of it. */
#include "rows.h"

#include <string.h>

const cli_option cli_zip_options[] = {
    {"--overwrite", NULL, "[=all]",
     "replace an existing Zarr store; =all: also one with labels or other images in it; "
     "never a directory or file with foreign content"},
    CLI_ROW_DURABILITY,
    {"--chunk-store", NULL, "PATH",
     "zip: where the chunks of the input are, if not with the metadata; unzip: put them "
     "there"},
    CLI_ROW_PROGRESS,
    CLI_ROW_QUIET,
    CLI_ROWS_END,
};

typedef struct copying {
    const cli_args *args;
    ngff_context *context;
    cli_stores from, to;
    cli_progress progress;
    ngff_error err;
} copying;

static ngff_status open_context(copying *c) {
    ngff_context_opts opts = NGFF_CONTEXT_OPTS_INIT;
    if (!cli_has(c->args, "--quiet"))
        opts.log = cli_log_line;
    return ngff_context_create(&opts, &c->context, &c->err);
}

static int run(copying *c, const ngff_store_opts *to_opts) {
    ngff_store_copy_opts opts = NGFF_STORE_COPY_OPTS_INIT;
    ngff_status status = open_context(c);
    if (status != NGFF_OK)
        return cli_fail(status, &c->err, NGFF_ORIGIN_NONE);
    const char *chunks = cli_get(c->args, "--chunk-store");
    bool pack = cli_is_archive(c->args->operand[1]);
    status = cli_stores_open(c->context, c->args->operand[0], pack ? chunks : NULL, NULL,
                             &c->from, &c->err);
    if (status != NGFF_OK)
        return cli_fail(status, &c->err, NGFF_ORIGIN_INPUT);
    opts.progress = cli_progress_call;
    opts.progress_user = &c->progress;
    status = cli_stores_open(c->context, c->args->operand[1], pack ? NULL : chunks,
                             to_opts, &c->to, &c->err);
    if (status == NGFF_OK)
        status = ngff_store_copy(c->from.store, c->to.store, &opts, &c->err);
    cli_progress_done(&c->progress);
    return status == NGFF_OK ? EXIT_OK : cli_fail(status, &c->err, NGFF_ORIGIN_OUTPUT);
}

static int copy(const cli_args *args) {
    static copying c;
    ngff_store_opts opts = NGFF_STORE_OPTS_INIT;

    c.args = args;
    int code = cli_store_options(args, &opts);
    if (code != EXIT_OK)
        return code;
    if (!cli_progress_init(&c.progress, cli_get(args, "--progress"),
                           cli_has(args, "--quiet")))
        return EXIT_USAGE;
    cli_signals_install();
    code = run(&c, &opts);
    cli_stores_close(&c.to);
    cli_stores_close(&c.from);
    ngff_context_close(&c.context);
    return code;
}

int cli_zip(const cli_args *args) {
    if (cli_is_archive(args->operand[1]))
        return copy(args);
    fprintf(stderr, "ngff: zip: '%s': expected a name that ends with .ozx or .zip\n",
            args->operand[1]);
    return EXIT_USAGE;
}

int cli_unzip(const cli_args *args) {
    if (cli_is_archive(args->operand[0]) && !cli_is_archive(args->operand[1]))
        return copy(args);
    fprintf(stderr,
            "ngff: unzip: '%s' to '%s': expected an .ozx or .zip and a directory\n",
            args->operand[0], args->operand[1]);
    return EXIT_USAGE;
}
