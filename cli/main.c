/* ngff: the command line. Commands are rows of a table. */
#include "cli.h"

#include <string.h>

const cli_command cli_commands[] = {
    {"convert", "INPUT OUTPUT", 2, "write an image as an OME-Zarr pyramid",
     cli_convert_options, cli_convert},
    {"levels", "STORE", 1, "add coarser levels to an OME-Zarr image, or replace them",
     cli_levels_options, cli_levels},
    {"upgrade", "STORE", 1,
     "change the OME-Zarr version of an image, in place or in a copy",
     cli_upgrade_options, cli_upgrade},
    {"info", "STORE", 1, "show what an OME-Zarr image holds", cli_info_options, cli_info},
    {"validate", "STORE", 1,
     "check an OME-Zarr store against the rules of its version; exit 4 when one is "
     "broken",
     cli_validate_options, cli_validate},
    {"conformance", "STORE", 1, "judge the orientation of axes by RFC-4, as JSON",
     cli_no_options, cli_conformance},
    {"thumbnail", "STORE PNG", 2, "draw a small picture of an OME-Zarr image",
     cli_thumbnail_options, cli_thumbnail},
    {"sample", "OUT", 1, "make a realistic test image (.npy, .ome.tiff)",
     cli_sample_options, cli_sample},
    {"zip", "DIR FILE", 2, "pack an OME-Zarr directory into one file (.ozx, RFC-9)",
     cli_zip_options, cli_zip},
    {"unzip", "FILE DIR", 2, "unpack an .ozx or .zip into a directory", cli_zip_options,
     cli_unzip},
    {"methods", "", 0, "list the downsampling methods", cli_table_options, cli_methods},
    {"codecs", "", 0, "list the codecs", cli_table_options, cli_codecs},
    {NULL, NULL, 0, NULL, NULL, NULL},
};

const cli_command *cli_command_named(const char *name) {
    const cli_command *c = cli_commands;
    while (strcmp(c->name, name) != 0)
        c++;
    return c;
}

static void print_usage(FILE *out) {
    fprintf(out, "usage: ngff COMMAND [options]\n\n");
    for (const cli_command *c = cli_commands; c->name != NULL; c++)
        fprintf(out, "  ngff %-11s %-13s %s\n", c->name, c->operands, c->summary);
    fprintf(out, "\n  ngff COMMAND --help   the options of a command\n"
                 "  ngff --version        versions of this program and its libraries\n\n"
                 "exit codes: 0 done, 2 usage, 3 input, 4 findings, 5 exists, 6 output,\n"
                 "            7 limit or memory, 130/143 interrupted, 1 anything else\n");
}

static int flushed(int code) {
    if (fflush(stdout) == 0 || code != EXIT_OK)
        return code;
    fprintf(stderr, "ngff: standard output could not be written\n");
    return EXIT_OUTPUT;
}

static int dispatch(const cli_command *command, int argc, char **argv) {
    cli_args args;
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            cli_print_help(command, stdout);
            return EXIT_OK;
        }
    int code = cli_parse(command, argc, argv, &args);
    if (code != EXIT_OK)
        return code;
    return flushed(command->run(&args));
}

int main(int argc, char **argv) {
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_usage(argc < 2 ? stderr : stdout);
        return argc < 2 ? EXIT_USAGE : EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("ngff %s\n%s\n", ngff_library_version(), ngff_build_info());
        return EXIT_OK;
    }
    if (strcmp(argv[1], "--man") == 0) {
        cli_print_man(stdout);
        return EXIT_OK;
    }
    if (cli_is_compat(argv[1]))
        return flushed(cli_compat(argc - 1, argv + 1));
    for (const cli_command *c = cli_commands; c->name != NULL; c++)
        if (strcmp(argv[1], c->name) == 0)
            return dispatch(c, argc - 2, argv + 2);
    fprintf(stderr, "ngff: '%s' is not a command; `ngff --help` lists them\n", argv[1]);
    return EXIT_USAGE;
}
