/* A store, or the two halves of one: --chunk-store. */
#include "cli.h"

#include <string.h>

/* "./a//b/" and "a/b" are one place; what links make of it the library sees. */
static const char *next_part(const char *at, size_t *len) {
    for (;;) {
        while (*at == '/')
            at++;
        *len = strcspn(at, "/");
        if (*len != 1 || at[0] != '.')
            return at;
        at++;
    }
}

bool cli_same_place(const char *a, const char *b) {
    size_t n, m;
    if ((a[0] == '/') != (b[0] == '/'))
        return false;
    do {
        a = next_part(a, &n);
        b = next_part(b, &m);
        if (n != m || memcmp(a, b, n) != 0)
            return false;
        a += n;
        b += m;
    } while (n > 0);
    return true;
}

/* Whatever is wrong with one half is told with the name of the other. */
static ngff_status at_half(ngff_status status, const char *metadata, ngff_error *err) {
    ngff_error inner = *err;
    snprintf(err->message, sizeof err->message, "%.120s: chunk store: %.360s", metadata,
             inner.message);
    return status;
}

ngff_status cli_stores_open(ngff_context *context, const char *location,
                            const char *chunk_store, const ngff_store_opts *opts,
                            cli_stores *s, ngff_error *err) {
    ngff_store_opts half = NGFF_STORE_OPTS_INIT;
    ngff_status status = ngff_store_open(context, location, opts, &s->metadata, err);
    s->store = s->metadata;
    if (status != NGFF_OK || chunk_store == NULL || cli_same_place(location, chunk_store))
        return status;
    if (opts != NULL) {
        half = *opts;
        half.access = NGFF_ACCESS_WRITE_CHUNKS;
    }
    status = ngff_store_open(context, chunk_store, &half, &s->chunks, err);
    if (status != NGFF_OK)
        return at_half(status, location, err);
    status = ngff_store_pair(context, s->metadata, s->chunks, &s->pair, err);
    s->store = s->pair;
    return status;
}

void cli_stores_close(cli_stores *s) {
    ngff_store_close(&s->pair);
    ngff_store_close(&s->chunks);
    ngff_store_close(&s->metadata);
    s->store = NULL;
}

/* ---- options and names ---- */

bool cli_ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

bool cli_is_ozx(const char *path) {
    return cli_ends_with(path, ".ozx");
}

bool cli_is_archive(const char *path) {
    return cli_is_ozx(path) || cli_ends_with(path, ".zip");
}

int cli_store_options(const cli_args *args, ngff_store_opts *opts) {
    static const char *const durabilities[] = {"publish", "none", "each"};
    const char *overwrite = cli_get(args, "--overwrite");
    const char *durability = cli_get(args, "--durability");

    opts->access = NGFF_ACCESS_WRITE;
    opts->overwrite = overwrite == NULL ? 0 : strcmp(overwrite, "all") == 0 ? 2 : 1;
    if (overwrite != NULL && overwrite[0] != '\0' && opts->overwrite != 2) {
        fprintf(stderr, "ngff: --overwrite=%s: expected --overwrite or --overwrite=all\n",
                overwrite);
        return EXIT_USAGE;
    }
    if (durability == NULL)
        return EXIT_OK;
    for (int i = 0; i < 3; i++)
        if (strcmp(durability, durabilities[i]) == 0) {
            opts->durability = i;
            return EXIT_OK;
        }
    fprintf(stderr, "ngff: --durability '%s': expected publish, none or each\n",
            durability);
    return EXIT_USAGE;
}
