/* ngff info, methods, codecs. */
#include "cli.h"

#include <string.h>

const cli_option cli_info_options[] = {
    {"--json", NULL, NULL, "print one JSON object"},
    {NULL, NULL, NULL, NULL},
};

static void print_json(const char *location, const ngff_multiscales *ms,
                       const ngff_image_desc *d) {
    cli_json j = {stdout, 0, false};
    cli_json_open(&j, NULL, '{');
    cli_json_int(&j, "schema", 1);
    cli_json_str(&j, "location", location);
    cli_json_image(&j, d);
    cli_json_levels(&j, ms, d);
    cli_json_raw(&j, "facts", ngff_multiscales_facts(ms));
    cli_json_close(&j, '}');
}

/* The text of member `name` of the flat part of the facts object, or "". */
static void fact(const char *facts, const char *name, char *out, size_t size) {
    char key[64];
    snprintf(key, sizeof key, "\"%s\":", name);
    const char *at = strstr(facts, key);
    out[0] = '\0';
    if (at == NULL)
        return;
    at = strchr(at + strlen(key), '"');
    if (at != NULL)
        snprintf(out, size, "%.*s", (int)strcspn(at + 1, "\""), at + 1);
}

static void print_text(const char *location, const ngff_multiscales *ms,
                       const ngff_image_desc *d) {
    char version[16], type[64];
    fact(ngff_multiscales_facts(ms), "version", version, sizeof version);
    fact(ngff_multiscales_facts(ms), "type", type, sizeof type);
    printf("%s\n", location);
    printf("│   OME-Zarr %s, %s", version, ngff_dtype_text((ngff_dtype)d->dtype));
    printf(", axes");
    for (int i = 0; i < d->ndim; i++)
        printf(" %s%s%s", d->axes[i].name, d->axes[i].unit[0] != '\0' ? ":" : "",
               d->axes[i].unit);
    printf("%s%s%s%s\n", d->name[0] != '\0' ? ", name " : "", d->name,
           type[0] != '\0' ? ", method " : "", type);
    if (d->channel_count > 0) {
        printf("│   channels");
        for (size_t i = 0; i < d->channel_count; i++)
            printf("%s %s", i > 0 ? "," : "",
                   d->channels[i].label[0] != '\0' ? d->channels[i].label : "(unnamed)");
        printf("\n");
    }
    cli_text_levels(ms, d);
}

int cli_info(const cli_args *args) {
    ngff_context *context = NULL;
    ngff_store *store = NULL;
    ngff_multiscales *ms = NULL;
    ngff_image_desc desc = NGFF_IMAGE_DESC_INIT;
    ngff_error err = {0};
    int code = EXIT_OK;

    ngff_status status = ngff_context_create(NULL, &context, &err);
    if (status == NGFF_OK)
        status = ngff_store_open(context, args->operand[0], NULL, &store, &err);
    if (status == NGFF_OK)
        status = ngff_open(context, store, &ms, &err);
    if (status == NGFF_OK)
        status = ngff_multiscales_image(ms, &desc, &err);
    if (status != NGFF_OK)
        code = cli_fail(status, &err, NGFF_ORIGIN_INPUT);
    else if (cli_has(args, "--json"))
        print_json(args->operand[0], ms, &desc);
    else
        print_text(args->operand[0], ms, &desc);
    ngff_multiscales_close(&ms);
    ngff_store_close(&store);
    ngff_context_close(&context);
    return code;
}

/* ---- tables
 * --------------------------------------------------------------------------------- */

const cli_option cli_table_options[] = {
    {"--json", NULL, NULL, "print one JSON object"},
    {NULL, NULL, NULL, NULL},
};

int cli_methods(const cli_args *args) {
    const char *name, *canonical, *description;
    cli_json j = {stdout, 0, false};
    bool json = cli_has(args, "--json");

    if (json) {
        cli_json_open(&j, NULL, '{');
        cli_json_int(&j, "schema", 1);
        cli_json_open(&j, "methods", '[');
    }
    for (size_t i = 0; ngff_method_info(i, &name, &canonical, &description); i++) {
        if (!json) {
            printf("%-24s %-12s %s\n", name, canonical, description);
            continue;
        }
        cli_json_open(&j, NULL, '{');
        cli_json_str(&j, "name", name);
        cli_json_str(&j, "method", canonical);
        cli_json_str(&j, "description", description);
        cli_json_close(&j, '}');
    }
    if (json) {
        cli_json_close(&j, ']');
        cli_json_close(&j, '}');
    }
    return EXIT_OK;
}

int cli_codecs(const cli_args *args) {
    const char *name, *v2, *v3;
    int encodes = 0;
    cli_json j = {stdout, 0, false};
    bool json = cli_has(args, "--json");

    if (json) {
        cli_json_open(&j, NULL, '{');
        cli_json_int(&j, "schema", 1);
        cli_json_open(&j, "codecs", '[');
    }
    for (size_t i = 0; ngff_codec_info(i, &name, &v2, &v3, &encodes); i++) {
        if (!json) {
            printf("%-12s v2: %-10s v3: %-18s %s\n", name, v2 != NULL ? v2 : "-",
                   v3 != NULL ? v3 : "-", encodes ? "read, write" : "read");
            continue;
        }
        cli_json_open(&j, NULL, '{');
        cli_json_str(&j, "name", name);
        if (v2 != NULL)
            cli_json_str(&j, "v2", v2);
        if (v3 != NULL)
            cli_json_str(&j, "v3", v3);
        cli_json_bool(&j, "encodes", encodes != 0);
        cli_json_close(&j, '}');
    }
    if (json) {
        cli_json_close(&j, ']');
        cli_json_close(&j, '}');
    }
    return EXIT_OK;
}
