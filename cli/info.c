/* ngff info, methods, codecs. */
#include "rows.h"

#include <string.h>

const cli_option cli_info_options[] = {
    CLI_ROW_JSON,
    CLI_ROW_CHUNK_STORE,
    CLI_ROWS_END,
};

/* ---- archives
 * ------------------------------------------------------------------------------- */

static void json_finding(void *user, const ngff_finding *f) {
    cli_json *j = user;
    cli_json_open(j, NULL, '{');
    cli_json_str(j, "rule", f->rule);
    cli_json_str(j, "level", f->level);
    cli_json_bool(j, "kept", f->kept != 0);
    cli_json_str(j, "message", f->message);
    cli_json_close(j, '}');
}

/* Only what is broken is worth a line. */
static void text_finding(void *user, const ngff_finding *f) {
    int *broken = user;
    if (f->kept)
        return;
    ++*broken;
    printf("│   archive: %s (%s): %s\n", f->rule, f->level, f->message);
}

/* A store that is no archive has no such rules: the list is empty. */
static void json_archive(cli_json *j, ngff_store *store) {
    cli_json_open(j, "archive", '[');
    ngff_status status = ngff_ozx_judge(store, json_finding, j, NULL);
    (void)status;
    cli_json_close(j, ']');
}

static void text_archive(ngff_store *store) {
    int broken = 0;
    if (ngff_ozx_judge(store, text_finding, &broken, NULL) == NGFF_OK && broken == 0)
        printf("│   archive: keeps the rules of RFC-9\n");
}

static void error_finding(void *user, const ngff_finding *f) {
    ngff_error *err = user;
    size_t used = strlen(err->message);
    if (!f->kept && strcmp(f->level, "MUST") == 0)
        snprintf(err->message + used, sizeof err->message - used, "; %s: %s", f->rule,
                 f->message);
}

/* Why there is no image in it may be one of them: added to the one line of the error. */
static void explain_archive(ngff_store *store, ngff_error *err) {
    ngff_status status = ngff_ozx_judge(store, error_finding, err, NULL);
    (void)status;
}

static void print_json(const char *location, ngff_store *store,
                       const ngff_multiscales *ms, const ngff_image_desc *d) {
    cli_json j = {stdout, 0, false};
    cli_json_open(&j, NULL, '{');
    cli_json_int(&j, "schema", 1);
    cli_json_str(&j, "location", location);
    cli_json_image(&j, d);
    cli_json_levels(&j, ms, d);
    cli_json_raw(&j, "facts", ngff_multiscales_facts(ms));
    json_archive(&j, store);
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

static void print_text(const char *location, ngff_store *store,
                       const ngff_multiscales *ms, const ngff_image_desc *d) {
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
    text_archive(store);
    cli_text_levels(ms, d);
}

/* ---- plates
 * ------------------------------------------------------------------------------------ */

typedef struct plate_report {
    const char *location;
    const ngff_plate_info *info;
    cli_json *json; /* NULL: text */
    bool begun;
} plate_report;

/* The plate itself; before its first field, or at the end when it has none. */
static void begin_plate(plate_report *r) {
    const ngff_plate_info *i = r->info;
    if (r->begun)
        return;
    r->begun = true;
    if (r->json == NULL) {
        printf("%s\n│   OME-Zarr %s %s", r->location, i->version,
               i->well_count > 0 ? "plate" : "well");
        if (i->well_count > 0)
            printf(", %d rows, %d columns, %d wells, %d acquisitions", (int)i->row_count,
                   (int)i->column_count, (int)i->well_count, (int)i->acquisition_count);
        printf("%s%s\n", i->name[0] != '\0' ? ", name " : "", i->name);
        return;
    }
    cli_json_open(r->json, "plate", '{');
    cli_json_str(r->json, "name", i->name);
    cli_json_str(r->json, "version", i->version);
    cli_json_int(r->json, "rows", i->row_count);
    cli_json_int(r->json, "columns", i->column_count);
    cli_json_int(r->json, "wells", i->well_count);
    cli_json_int(r->json, "acquisitions", i->acquisition_count);
    cli_json_close(r->json, '}');
    cli_json_open(r->json, "fields", '[');
}

static int print_field(void *user, const ngff_plate_field *field) {
    plate_report *r = user;
    begin_plate(r);
    if (r->json == NULL) {
        printf("│   %s", field->path);
        if (field->acquisition >= 0)
            printf(", acquisition %lld", (long long)field->acquisition);
        printf("\n");
        return 0;
    }
    cli_json_open(r->json, NULL, '{');
    cli_json_str(r->json, "path", field->path);
    cli_json_str(r->json, "well", field->well);
    if (field->acquisition >= 0)
        cli_json_int(r->json, "acquisition", field->acquisition);
    cli_json_close(r->json, '}');
    return 0;
}

static int stop_at_once(void *user, const ngff_plate_field *field) {
    (void)user, (void)field;
    return 1;
}

/* False when the store holds neither a plate nor a well. */
static bool print_plate(const cli_args *args, ngff_store *store, ngff_status *status,
                        ngff_error *err) {
    ngff_plate_info info = {.struct_size = sizeof info};
    cli_json json = {stdout, 0, false};
    plate_report r = {args->operand[0], &info, cli_has(args, "--json") ? &json : NULL,
                      false};
    if (store == NULL ||
        ngff_plate_walk(store, stop_at_once, NULL, &info, NULL) != NGFF_OK)
        return false;
    if (r.json != NULL) {
        cli_json_open(&json, NULL, '{');
        cli_json_int(&json, "schema", 1);
        cli_json_str(&json, "location", r.location);
    }
    *status = ngff_plate_walk(store, print_field, &r, &info, err);
    begin_plate(&r);
    if (r.json != NULL) {
        cli_json_close(&json, ']');
        cli_json_close(&json, '}');
    } else
        text_archive(store);
    return true;
}

int cli_info(const cli_args *args) {
    ngff_context *context = NULL;
    cli_stores from = {0};
    ngff_multiscales *ms = NULL;
    ngff_image_desc desc = NGFF_IMAGE_DESC_INIT;
    ngff_error err = {0};
    int code = EXIT_OK;

    ngff_status status = ngff_context_create(NULL, &context, &err);
    if (status == NGFF_OK)
        status = cli_stores_open(context, args->operand[0],
                                 cli_get(args, "--chunk-store"), NULL, &from, &err);
    if (status == NGFF_OK)
        status = ngff_open(context, from.store, &ms, &err);
    if (status == NGFF_OK)
        status = ngff_multiscales_image(ms, &desc, &err);
    if (status == NGFF_NOT_FOUND && print_plate(args, from.store, &status, &err))
        code = status == NGFF_OK ? EXIT_OK : cli_fail(status, &err, NGFF_ORIGIN_INPUT);
    else if (status != NGFF_OK) {
        explain_archive(from.metadata, &err);
        code = cli_fail(status, &err, NGFF_ORIGIN_INPUT);
    } else if (cli_has(args, "--json"))
        print_json(args->operand[0], from.store, ms, &desc);
    else
        print_text(args->operand[0], from.store, ms, &desc);
    ngff_multiscales_close(&ms);
    cli_stores_close(&from);
    ngff_context_close(&context);
    return code;
}

/* ---- tables
 * --------------------------------------------------------------------------------- */

const cli_option cli_table_options[] = {
    CLI_ROW_JSON,
    CLI_ROWS_END,
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
