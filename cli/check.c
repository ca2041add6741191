/* ngff validate, conformance: what a store says, judged. */
#include "rows.h"

#include <string.h>

const cli_option cli_validate_options[] = {
    {"--strict", NULL, NULL, "rules that are recommended count too"},
    {"--data", NULL, NULL, "read every chunk of every level"},
    CLI_ROW_CHUNK_STORE,
    CLI_ROW_JSON,
    CLI_ROWS_END,
};

const cli_option cli_no_options[] = {CLI_ROWS_END};

typedef struct judging {
    const char *location;
    bool strict, begun;
    int broken;
    cli_json *json; /* NULL: one line a rule */
} judging;

/* Not before it is known that there is something to judge. */
static void begin(judging *j) {
    if (j->json == NULL || j->begun)
        return;
    j->begun = true;
    cli_json_open(j->json, NULL, '{');
    cli_json_int(j->json, "schema", 1);
    cli_json_str(j->json, "location", j->location);
    cli_json_open(j->json, "findings", '[');
}

static void finding(void *user, const ngff_finding *f) {
    judging *j = user;
    if (f->kept || (!j->strict && strcmp(f->level, "MUST") != 0))
        return;
    j->broken++;
    if (j->json == NULL) {
        printf("%s: %s (%s): %s\n", j->location, f->rule, f->level, f->message);
        return;
    }
    begin(j);
    cli_json_open(j->json, NULL, '{');
    cli_json_str(j->json, "rule", f->rule);
    cli_json_str(j->json, "level", f->level);
    cli_json_str(j->json, "message", f->message);
    cli_json_close(j->json, '}');
}

static ngff_status validate(const cli_args *args, judging *j, ngff_error *err) {
    ngff_validate_opts opts = NGFF_VALIDATE_OPTS_INIT;
    ngff_context *context = NULL;
    cli_stores from = {0};

    opts.data = cli_has(args, "--data");
    ngff_status status = ngff_context_create(NULL, &context, err);
    if (status == NGFF_OK)
        status = cli_stores_open(context, args->operand[0],
                                 cli_get(args, "--chunk-store"), NULL, &from, err);
    if (status == NGFF_OK)
        status = ngff_validate(context, from.store, &opts, finding, j, err);
    cli_stores_close(&from);
    ngff_context_close(&context);
    return status;
}

int cli_validate(const cli_args *args) {
    cli_json json = {stdout, 0, false};
    judging j = {.location = args->operand[0], .strict = cli_has(args, "--strict")};
    ngff_error err = {0};

    if (cli_has(args, "--json"))
        j.json = &json;
    ngff_status status = validate(args, &j, &err);
    if (status == NGFF_OK)
        begin(&j);
    if (j.begun) {
        cli_json_close(&json, ']');
        cli_json_bool(&json, "valid", status == NGFF_OK && j.broken == 0);
        cli_json_close(&json, '}');
    }
    if (status != NGFF_OK)
        return cli_fail(status, &err, NGFF_ORIGIN_INPUT);
    return j.broken > 0 ? EXIT_FINDINGS : EXIT_OK;
}

/* ---- RFC-4 ---- */

static void print_verdict(const char *input, const char *members) {
    cli_json json = {stdout, 0, false};
    cli_json_open(&json, NULL, '{');
    cli_json_str(&json, "input", input);
    printf(",%s", members);
}

/* What cannot be opened has a verdict too. */
static void print_unreadable(const char *input) {
    char members[256];
    snprintf(members, sizeof members,
             "\n  \"format\": \"ome-zarr\",\n  \"rfc4_valid\": false,\n  \"axes\": {},\n"
             "  \"violations\": [\"%s\"],\n  \"warnings\": []\n}\n",
             cli_is_archive(input) ? "input-unreadable" : "input-not-ome-zarr");
    print_verdict(input, members);
}

int cli_conformance(const cli_args *args) {
    static char verdict[1 << 16];
    ngff_context *context = NULL;
    ngff_store *store = NULL;
    ngff_error err = {0};
    size_t size = 0;

    ngff_status status = ngff_context_create(NULL, &context, &err);
    if (status == NGFF_OK)
        status = ngff_store_open(context, args->operand[0], NULL, &store, &err);
    bool opened = status == NGFF_OK;
    if (opened)
        status = ngff_rfc4_verdict(store, verdict, sizeof verdict, &size, &err);
    ngff_store_close(&store);
    ngff_context_close(&context);
    if (status == NGFF_OK)
        print_verdict(args->operand[0], verdict + 1);
    else if (!opened && status != NGFF_NOMEM)
        print_unreadable(args->operand[0]);
    else
        return cli_fail(status, &err, NGFF_ORIGIN_INPUT);
    return EXIT_OK;
}
