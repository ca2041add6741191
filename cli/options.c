/* Option tables: parsing, --help, and the man page from the same rows. */
#include "cli.h"

#include <string.h>

static int option_count(const cli_command *command) {
    int n = 0;
    while (command->options[n].name != NULL)
        n++;
    return n;
}

/* Index of the option that `arg` names; *value points behind '=' or is NULL. -1: none. */
static int find_option(const cli_command *command, const char *arg, const char **value) {
    const char *eq = strchr(arg, '=');
    size_t len = eq != NULL ? (size_t)(eq - arg) : strlen(arg);
    *value = eq != NULL ? eq + 1 : NULL;
    for (int i = 0; i < option_count(command); i++) {
        const cli_option *o = &command->options[i];
        if (strlen(o->name) == len && strncmp(o->name, arg, len) == 0)
            return i;
        if (o->alias != NULL && strlen(o->alias) == len &&
            strncmp(o->alias, arg, len) == 0)
            return i;
    }
    return -1;
}

static int usage(const cli_command *command, const char *what, const char *arg) {
    fprintf(stderr, "ngff %s: %s '%s'; `ngff %s --help` lists the options\n",
            command->name, what, arg, command->name);
    return EXIT_USAGE;
}

/* Takes one option; *i moves over a separate value. */
static int take_option(const cli_command *command, int argc, char **argv, int *i,
                       cli_args *args) {
    const char *value = NULL;
    int k = find_option(command, argv[*i], &value);
    if (k < 0)
        return usage(command, "unknown option", argv[*i]);
    const cli_option *o = &command->options[k];
    if (o->arg == NULL && value != NULL)
        return usage(command, "option takes no value:", argv[*i]);
    if (o->arg != NULL && o->arg[0] != '[' && value == NULL) {
        if (*i + 1 >= argc)
            return usage(command, "option needs a value:", argv[*i]);
        value = argv[++*i];
    }
    if (args->value[k] != NULL && o->arg != NULL)
        return usage(command, "option given twice:", argv[*i]);
    args->value[k] = value != NULL ? value : "";
    return EXIT_OK;
}

int cli_parse(const cli_command *command, int argc, char **argv, cli_args *args) {
    bool only_operands = false;

    memset(args, 0, sizeof *args);
    args->command = command;
    for (int i = 0; i < argc; i++) {
        if (!only_operands && strcmp(argv[i], "--") == 0) {
            only_operands = true;
        } else if (!only_operands && argv[i][0] == '-' && argv[i][1] != '\0') {
            int code = take_option(command, argc, argv, &i, args);
            if (code != EXIT_OK)
                return code;
        } else if (args->operand_count < command->operand_count) {
            args->operand[args->operand_count++] = argv[i];
        } else {
            return usage(command, "unexpected argument", argv[i]);
        }
    }
    if (args->operand_count == command->operand_count)
        return EXIT_OK;
    fprintf(stderr, "ngff %s: expected %s; `ngff %s --help` explains\n", command->name,
            command->operands, command->name);
    return EXIT_USAGE;
}

const char *cli_get(const cli_args *args, const char *name) {
    for (int i = 0; args->command->options[i].name != NULL; i++)
        if (strcmp(args->command->options[i].name, name) == 0)
            return args->value[i];
    return NULL;
}

void cli_set(cli_args *args, const char *name, const char *value) {
    for (int i = 0; args->command->options[i].name != NULL; i++)
        if (strcmp(args->command->options[i].name, name) == 0)
            args->value[i] = value;
}

bool cli_has(const cli_args *args, const char *name) {
    return cli_get(args, name) != NULL;
}

/* Writes `text` wrapped at 90 columns, continuation lines indented by `indent`. */
static void wrap(FILE *out, const char *text, int column, int indent) {
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        if (column + (int)len > 90) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        }
        fprintf(out, "%.*s", (int)len, text);
        column += (int)len;
        text += len;
        if (*text == ' ') {
            fputc(' ', out);
            column++;
            text++;
        }
    }
    fputc('\n', out);
}

static void option_head(const cli_option *o, char *out, size_t size) {
    snprintf(out, size, "%s%s%s%s%s", o->alias != NULL ? o->alias : "",
             o->alias != NULL ? ", " : "", o->name,
             o->arg == NULL || o->arg[0] == '[' ? "" : " ", o->arg != NULL ? o->arg : "");
}

void cli_print_help(const cli_command *command, FILE *out) {
    char head[128];
    fprintf(out, "usage: ngff %s %s%s[options]\n\n%s\n\n", command->name,
            command->operands, command->operands[0] != '\0' ? " " : "", command->summary);
    for (int i = 0; i < option_count(command); i++) {
        option_head(&command->options[i], head, sizeof head);
        int n = fprintf(out, "  %-28s ", head);
        wrap(out, command->options[i].help, n, 31);
    }
    fprintf(out, "  %-28s this text\n", "-h, --help");
}

/* roff takes '-' as a hyphen and a leading '.' or '\'' as a request. */
static void roff(FILE *out, const char *text) {
    if (*text == '.' || *text == '\'')
        fputs("\\&", out);
    for (; *text != '\0'; text++) {
        if (*text == '-' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
}

void cli_print_man(FILE *out) {
    char head[128];
    fprintf(out,
            ".TH NGFF 1 \"\" \"ngff %s\" \"User Commands\"\n.SH NAME\n"
            "ngff \\- write and read images as OME\\-Zarr\n.SH SYNOPSIS\n",
            ngff_library_version());
    for (const cli_command *c = cli_commands; c->name != NULL; c++)
        fprintf(out, ".B ngff %s\n%s [options]\n.br\n", c->name, c->operands);
    fprintf(
        out,
        ".SH DESCRIPTION\nOne pass over the pixels makes every level of the pyramid; "
        "memory stays under a budget;\nthe result appears at its path whole or not at "
        "all.\n");
    for (const cli_command *c = cli_commands; c->name != NULL; c++) {
        fprintf(out, ".SH NGFF %s\n", c->name);
        roff(out, c->summary);
        fputs(".\n", out);
        for (int i = 0; i < option_count(c); i++) {
            option_head(&c->options[i], head, sizeof head);
            fputs(".TP\n.B ", out);
            roff(out, head);
            fputc('\n', out);
            roff(out, c->options[i].help);
            fputc('\n', out);
        }
    }
    fputs(
        ".SH EXIT STATUS\n0 done; 2 usage; 3 the input is missing, damaged or not "
        "supported; "
        "4 findings of a check;\n5 the output exists or another writer holds it; 6 the "
        "output "
        "could not be written;\n7 a limit or memory; 130 and 143 interrupted; 1 anything "
        "else.\n",
        out);
}
