/* ngff upgrade: another version of OME-Zarr, in place by the documents alone or as a
 * copy. */
#include "rows.h"

#include <string.h>

const cli_option cli_upgrade_options[] = {
    {"--to", NULL, "V", "0.4, 0.5 or 0.6 (default)"},
    {"--output", "-o", "OUT",
     "write the image with all its levels to OUT; without it STORE is changed: its "
     "documents, never its chunks"},
    {"--overwrite", NULL, NULL, "replace OUT when it is a Zarr store (default)"},
    {"--no-overwrite", NULL, NULL, "refuse when OUT exists"},
    CLI_ROW_QUIET,
    CLI_ROWS_END,
};

static int in_place(const char *location, const char *version) {
    ngff_store_opts opts = NGFF_STORE_OPTS_INIT;
    ngff_context *context = NULL;
    ngff_store *store = NULL;
    ngff_error err = {0};
    ngff_origin side = NGFF_ORIGIN_INPUT;

    opts.access = NGFF_ACCESS_UPDATE;
    ngff_status status = ngff_context_create(NULL, &context, &err);
    if (status == NGFF_OK)
        status = ngff_store_open(context, location, &opts, &store, &err);
    if (status == NGFF_OK) {
        status = ngff_upgrade(context, store, version, &err);
        if (status == NGFF_IO)
            side = NGFF_ORIGIN_OUTPUT;
    }
    int code = status == NGFF_OK ? EXIT_OK : cli_fail(status, &err, side);
    ngff_store_close(&store);
    ngff_context_close(&context);
    return code;
}

/* The copy is a conversion that keeps what the image has. */
static int to_output(const cli_args *args, const char *output, const char *version) {
    static char to[64];
    char *argv[10] = {to, "--keep-levels", "--enable-rfc=4"};
    int argc = 3;
    cli_args converting;

    snprintf(to, sizeof to, "--ome-zarr-version=%.32s", version);
    if (!cli_has(args, "--no-overwrite"))
        argv[argc++] = "--overwrite";
    if (cli_has(args, "--quiet"))
        argv[argc++] = "--quiet";
    argv[argc++] = "--";
    argv[argc++] = (char *)(uintptr_t)args->operand[0];
    argv[argc++] = (char *)(uintptr_t)output;
    const cli_command *convert = cli_command_named("convert");
    int code = cli_parse(convert, argc, argv, &converting);
    return code == EXIT_OK ? convert->run(&converting) : code;
}

int cli_upgrade(const cli_args *args) {
    const char *version = cli_get(args, "--to"), *output = cli_get(args, "--output");

    if (cli_has(args, "--overwrite") && cli_has(args, "--no-overwrite")) {
        fprintf(stderr, "ngff: --overwrite and --no-overwrite exclude each other\n");
        return EXIT_USAGE;
    }
    version = version != NULL ? version : "0.6";
    if (output != NULL && !cli_same_place(args->operand[0], output))
        return to_output(args, output, version);
    return in_place(args->operand[0], version);
}
