/* What convert and levels share: the context, the plan of the levels, the codec. */
#include "cli.h"

#include <string.h>

int cli_context(const cli_args *args, ngff_context **context) {
    ngff_context_opts opts = NGFF_CONTEXT_OPTS_INIT;
    const char *memory = cli_get(args, "--memory-target");
    const char *threads = cli_get(args, "--threads");
    ngff_error err = {0};
    long long n = 0;

    if (memory != NULL && !cli_size("--memory-target", memory, &opts.memory_target))
        return EXIT_USAGE;
    if (threads != NULL && !cli_int("--threads", threads, 0, 1024, &n))
        return EXIT_USAGE;
    opts.threads = (int32_t)n;
    if (!cli_has(args, "--quiet"))
        opts.log = cli_log_line;
    ngff_status status = ngff_context_create(&opts, context, &err);
    return status == NGFF_OK ? EXIT_OK : cli_fail(status, &err, NGFF_ORIGIN_NONE);
}

static int plan_factors(const cli_args *args, const ngff_image_desc *desc,
                        int64_t (*factors)[NGFF_MAX_NDIM], ngff_plan_opts *opts) {
    const char *text = cli_get(args, "--scale-factors");
    int count = 0;
    if (text == NULL)
        return EXIT_OK;
    if (strcmp(text, "none") == 0 || text[0] == '\0') {
        opts->scale_factor_count = -1;
        return EXIT_OK;
    }
    if (!cli_factors("--scale-factors", text, desc, factors, 31, &count))
        return EXIT_USAGE;
    opts->scale_factor_count = count;
    opts->scale_factors = (const int64_t(*)[NGFF_MAX_NDIM])factors;
    return EXIT_OK;
}

static int plan_chunks(const cli_args *args, const cli_plan_request *r,
                       ngff_plan_opts *opts) {
    const char *chunks = cli_get(args, "--chunks");
    const char *shards = cli_get(args, "--chunks-per-shard");
    memcpy(opts->chunks, r->chunks, sizeof opts->chunks);
    if (chunks != NULL && !cli_per_axis_int("--chunks", chunks, r->desc, opts->chunks))
        return EXIT_USAGE;
    for (int i = 0; i < r->desc->ndim; i++)
        opts->chunks_per_shard[i] = shards != NULL ? 1 : r->per_shard[i];
    if (shards != NULL &&
        !cli_per_axis_int("--chunks-per-shard", shards, r->desc, opts->chunks_per_shard))
        return EXIT_USAGE;
    return EXIT_OK;
}

int cli_plan(const cli_args *args, const cli_plan_request *r, ngff_multiscales **ms) {
    static int64_t factors[31][NGFF_MAX_NDIM];
    ngff_plan_opts opts = NGFF_PLAN_OPTS_INIT;
    const char *min_size = cli_get(args, "--min-size");
    ngff_error err = {0};
    long long n = 0;

    int code = plan_factors(args, r->desc, factors, &opts);
    if (code == EXIT_OK)
        code = plan_chunks(args, r, &opts);
    if (code != EXIT_OK)
        return code;
    if (min_size != NULL && !cli_int("--min-size", min_size, 1, INT64_MAX, &n))
        return EXIT_USAGE;
    opts.min_size = n;
    opts.isotropic = cli_has(args, "--isotropic");
    opts.method = cli_get(args, "--method");
    ngff_status status = NGFF_NOT_FOUND; /* brings no levels: then they are computed */
    if (r->source != NULL && cli_get(args, "--scale-factors") == NULL)
        status =
            ngff_multiscales_plan_kept(r->context, r->source, r->desc, &opts, ms, &err);
    if (status == NGFF_NOT_FOUND)
        status = ngff_multiscales_plan(r->context, r->desc, &opts, ms, &err);
    return status == NGFF_OK ? EXIT_OK : cli_fail(status, &err, NGFF_ORIGIN_INPUT);
}

int cli_codec(const cli_args *args, ngff_write_opts *opts) {
    const char *level = cli_get(args, "--compression-level");
    long long n = 0;

    if (level != NULL && !cli_int("--compression-level", level, -131072, 22, &n))
        return EXIT_USAGE;
    opts->codec = cli_get(args, "--codec");
    opts->shuffle = cli_get(args, "--shuffle");
    opts->has_level = level != NULL;
    opts->compression_level = (int32_t)n;
    return EXIT_OK;
}
