/* ngff levels: more levels for an image that exists. */
#include "rows.h"

#include <string.h>

const cli_option cli_levels_options[] = {
    {"--start-level", NULL, "K",
     "the first level that is made; those below stay as they are (default 1)"},
    {"--scale-factors", NULL, "LIST",
     "factors of all levels relative to level 0: 2,4,8 or z=1,y=2,x=2;z=2,y=4,x=4; they "
     "agree with the levels that stay (default: automatic)"},
    CLI_ROW_MIN_SIZE,
    CLI_ROW_ISOTROPIC,
    CLI_ROW_METHOD,
    {"--chunks", "-c", "SHAPE", "chunk extents (default: those of level 0)"},
    {"--chunks-per-shard", NULL, "N",
     "chunks per shard and axis (default: as in level 0)"},
    {"--codec", NULL, "NAME",
     "blosc:lz4, …, as in `ngff convert` (default: the codecs of the level above)"},
    CLI_ROW_LEVEL,
    CLI_ROW_SHUFFLE,
    CLI_ROW_EMPTY,
    CLI_ROW_DURABILITY,
    CLI_ROW_MEMORY,
    CLI_ROW_NO_SPILL,
    CLI_ROW_THREADS,
    CLI_ROW_JSON,
    CLI_ROW_PROGRESS,
    CLI_ROW_QUIET,
    CLI_ROWS_END,
};

typedef struct adding {
    const cli_args *args;
    ngff_context *context;
    ngff_store *store;
    ngff_multiscales *stored, *planned;
    ngff_image_desc desc;
    ngff_write_report report;
    cli_progress progress;
    ngff_error err;
} adding;

static int open_image(adding *a) {
    ngff_store_opts opts = NGFF_STORE_OPTS_INIT;
    int code = cli_store_options(a->args, &opts);
    if (code != EXIT_OK)
        return code;
    opts.access = NGFF_ACCESS_UPDATE;
    ngff_status status =
        ngff_store_open(a->context, a->args->operand[0], &opts, &a->store, &a->err);
    if (status == NGFF_OK)
        status = ngff_open(a->context, a->store, &a->stored, &a->err);
    if (status == NGFF_OK)
        status = ngff_multiscales_image(a->stored, &a->desc, &a->err);
    return status == NGFF_OK ? EXIT_OK : cli_fail(status, &a->err, NGFF_ORIGIN_INPUT);
}

/* Stored like level 0 unless told otherwise. */
static int plan(adding *a) {
    cli_plan_request request = {.context = a->context, .desc = &a->desc};
    ngff_level_info info = NGFF_LEVEL_INFO_INIT;
    ngff_status status = ngff_multiscales_level(a->stored, 0, &info, &a->err);
    if (status != NGFF_OK)
        return cli_fail(status, &a->err, NGFF_ORIGIN_INPUT);
    memcpy(request.chunks, info.chunks, sizeof request.chunks);
    for (int i = 0; i < a->desc.ndim; i++)
        request.per_shard[i] = info.shards[i] / info.chunks[i];
    bool sharded = false;
    for (int i = 0; i < a->desc.ndim; i++)
        sharded = sharded || request.per_shard[i] > 1;
    if (!sharded)
        memset(request.per_shard, 0, sizeof request.per_shard);
    return cli_plan(a->args, &request, &a->planned);
}

static void print_json(const adding *a) {
    cli_json j = {stdout, 0, false};
    cli_json_open(&j, NULL, '{');
    cli_json_int(&j, "schema", 1);
    cli_json_str(&j, "store", a->args->operand[0]);
    cli_json_levels(&j, a->planned, &a->desc);
    cli_json_open(&j, "stats", '{');
    cli_json_report(&j, &a->report, a->desc.ndim);
    cli_json_close(&j, '}');
    cli_json_close(&j, '}');
}

static int write_levels(adding *a) {
    ngff_write_opts opts = NGFF_WRITE_OPTS_INIT;
    const char *start = cli_get(a->args, "--start-level");
    long long first = 1;
    if (start != NULL && !cli_int("--start-level", start, 1, 31, &first))
        return EXIT_USAGE;
    int code = cli_codec(a->args, &opts);
    if (code != EXIT_OK)
        return code;
    opts.write_empty_chunks = cli_has(a->args, "--write-empty-chunks");
    opts.no_spill = cli_has(a->args, "--no-spill");
    opts.progress = cli_progress_call;
    opts.progress_user = &a->progress;
    ngff_status status = ngff_write_levels(a->context, a->store, a->planned, (int)first,
                                           &opts, &a->report, &a->err);
    cli_progress_done(&a->progress);
    if (status != NGFF_OK)
        return cli_fail(status, &a->err, NGFF_ORIGIN_OUTPUT);
    if (cli_has(a->args, "--json"))
        print_json(a);
    return EXIT_OK;
}

int cli_levels(const cli_args *args) {
    static adding a;
    int (*const steps[])(adding *) = {open_image, plan, write_levels};

    a.args = args;
    a.report.struct_size = sizeof a.report;
    if (!cli_progress_init(&a.progress, cli_get(args, "--progress"),
                           cli_has(args, "--quiet")))
        return EXIT_USAGE;
    cli_signals_install();
    int code = cli_context(args, &a.context);
    for (size_t i = 0; code == EXIT_OK && i < sizeof steps / sizeof *steps; i++)
        code = steps[i](&a);
    ngff_multiscales_close(&a.stored);
    ngff_multiscales_close(&a.planned);
    ngff_store_close(&a.store);
    ngff_context_close(&a.context);
    return code;
}
