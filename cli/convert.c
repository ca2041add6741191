/* ngff convert: the main job. */
#include "rows.h"

#include <string.h>

const cli_option cli_convert_options[] = {
    {"--dims", "-d", "DIMS",
     "meaning of the input's axes, slowest first, e.g. zyx or t,c,z,y,x"},
    {"--units", "-u", "UNITS",
     "units per axis, e.g. z=micrometer,y=micrometer,x=micrometer"},
    {"--scale", "-s", "SCALE",
     "distance between samples: z=4,y=1,x=1, a list in axis order, or one "
     "number for all spatial axes"},
    {"--translation", "-t", "POS", "position of the first sample's centre, like --scale"},
    {"--name", "-n", "NAME", "name of the image (default: from the input)"},
    {"--channel-names", NULL, "A,B,…", "labels of the channels"},
    {"--orientation", NULL, "LPS",
     "anatomical orientation: LPS, RAS, or x=right-to-left,y=…; written with "
     "--enable-rfc 4"},
    {"--enable-rfc", NULL, "N,…", "4: write anatomical orientation (RFC-4)"},
    {"--omero-quantiles", NULL, "LO,HI",
     "measure each channel's display window: exact minimum and maximum, shown from the "
     "quantile LO to the quantile HI, e.g. 0.02,0.98"},
    {"--keep-windows", NULL, NULL,
     "--omero-quantiles: measure only channels whose window the input does not tell"},
    {"--omero-window", NULL, "MIN,MAX,START,END",
     "display window of all channels, or one for each, separated by ';'"},
    {"--omero-colors", NULL, "RRGGBB,…", "colours of the channels"},
    {"--omero-labels", NULL, "A,B,…", "the same as --channel-names"},
    {"--no-omero", NULL, NULL, "write no channel metadata"},
    {"--shape", NULL, "SHAPE",
     "raw input: extents, slowest axis first; of standard input (INPUT is -) the first "
     "may be 0: frames are appended until it ends, axis t unless --dims says otherwise"},
    {"--dtype", NULL, "TYPE", "raw input: uint16, float32, >u2, …"},
    {"--offset", NULL, "BYTES", "raw input: where the pixels begin"},
    {"--series", NULL, "N",
     "which image of a file that holds several: its number from 1; a part of its name, * "
     "being anything; all. Several are written beside OUTPUT.ome.zarr as "
     "OUTPUT_NAME.ome.zarr (.ozx: the first is OUTPUT), or into the folder OUTPUT"},
    {"--raw", NULL, NULL, "NIfTI: keep the stored integers, ignore slope and intercept"},
    {"--keep-levels", NULL, NULL,
     "copy the levels that the input brings, all of them, instead of computing any; with "
     "--scale-factors: those of them that have the shape of a level asked for"},
    {"--scale-factors", NULL, "LIST",
     "factors of the levels relative to the input: 2,4,8 or "
     "z=1,y=2,x=2;z=2,y=4,x=4; none: level 0 only (default: automatic)"},
    CLI_ROW_MIN_SIZE,
    CLI_ROW_ISOTROPIC,
    CLI_ROW_METHOD,
    {"--chunks", "-c", "SHAPE",
     "chunk extents (default 128 per spatial axis, 256 in 2-D; t and c 1)"},
    {"--chunks-per-shard", NULL, "N",
     "chunks per shard and axis; not with 0.4 (default: not sharded; .ozx: 2)"},
    {"--ome-zarr-version", NULL, "V",
     "0.4 (Zarr v2), 0.5 (Zarr v3, default) or 0.6 (Zarr v3)"},
    {"--codec", NULL, "NAME",
     "blosc:lz4, blosc:lz4hc, blosc:zstd, blosc:zlib, zstd, gzip or none"},
    CLI_ROW_LEVEL,
    {"--compressor", NULL, "JSON",
     "0.4: the numcodecs compressor as it will stand in .zarray; null: none"},
    {"--compressors", NULL, "JSON",
     "0.5: the list of codecs as it will stand in zarr.json, all of them or those that "
     "follow \"bytes\""},
    CLI_ROW_SHUFFLE,
    {"--layout", NULL, "NAME", "seed: scale0/NAME, scale1/NAME, …; flat: 0, 1, …"},
    {"--live", NULL, NULL,
     "standard input: frames can be read at OUTPUT as soon as they are stored"},
    {"--metadata-only", NULL, NULL,
     "documents only, every pixel being 0: for programs that write regions later"},
    {"--no-consolidate", NULL, NULL, "leave consolidated metadata out"},
    CLI_ROW_EMPTY,
    {"--overwrite", NULL, "[=all]",
     "replace an existing Zarr store; =all: also one with labels or "
     "other images in it; never a directory with foreign files"},
    {"--chunk-store", NULL, "PATH",
     "put the chunks into this directory and only the metadata into OUTPUT; readers "
     "need both"},
    CLI_ROW_DURABILITY,
    CLI_ROW_MEMORY,
    CLI_ROW_NO_SPILL,
    CLI_ROW_THREADS,
    {"--dry-run", NULL, NULL, "print the plan, write nothing"},
    CLI_ROW_JSON,
    CLI_ROW_PROGRESS,
    CLI_ROW_QUIET,
    CLI_ROWS_END,
};

typedef struct conversion {
    const cli_args *args;
    ngff_error err;
    ngff_context *context;
    ngff_source *source;
    cli_stores to;
    ngff_multiscales *ms;
    ngff_image_desc desc;
    ngff_channel channels[CLI_MAX_CHANNELS];
    ngff_write_opts write;
    ngff_write_report report;
    cli_progress progress;
    cli_frames frames; /* of standard input */
} conversion;

static int raw_options(const conversion *c, ngff_source_opts *opts) {
    const char *shape = cli_get(c->args, "--shape"), *dtype = cli_get(c->args, "--dtype");
    const char *offset = cli_get(c->args, "--offset");
    int ndim = 0;
    long long n = 0;

    bool (*const read)(const char *, const char *, int64_t *, int *) =
        cli_is_stdin(c->args) ? cli_open_shape : cli_shape;
    if (shape != NULL && !read("--shape", shape, opts->raw_shape, &ndim))
        return EXIT_USAGE;
    opts->raw_ndim = ndim;
    if (offset != NULL && !cli_int("--offset", offset, 0, INT64_MAX, &n))
        return EXIT_USAGE;
    opts->raw_offset = n;
    if (dtype == NULL)
        return EXIT_OK;
    opts->raw_dtype = (int32_t)ngff_dtype_parse(dtype);
    opts->raw_big_endian = dtype[0] == '>';
    if (opts->raw_dtype != NGFF_DTYPE_NONE)
        return EXIT_OK;
    fprintf(stderr,
            "ngff: --dtype '%s': expected a type such as uint16, float32 or >u2\n",
            dtype);
    return EXIT_USAGE;
}

static int open_stdin(conversion *c) {
    static const char *const other[] = {"--dry-run", "--keep-levels", "--metadata-only",
                                        "--series", "--raw"};
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (cli_has(c->args, other[i])) {
            fprintf(stderr, "ngff: %s: not with standard input\n", other[i]);
            return EXIT_USAGE;
        }
    c->frames = (cli_frames){.args = c->args,
                             .context = c->context,
                             .desc = &c->desc,
                             .write = &c->write,
                             .report = &c->report,
                             .raw = NGFF_SOURCE_OPTS_INIT};
    int code = raw_options(c, &c->frames.raw);
    return code == EXIT_OK ? cli_frames_describe(&c->frames) : code;
}

static int open_source(conversion *c) {
    ngff_source_opts opts = NGFF_SOURCE_OPTS_INIT;
    const char *series = cli_get(c->args, "--series");
    long long n = 0;

    if (cli_is_stdin(c->args))
        return open_stdin(c);
    if (cli_has(c->args, "--live")) {
        fprintf(stderr, "ngff: --live: only with standard input (-)\n");
        return EXIT_USAGE;
    }
    int code = raw_options(c, &opts);
    if (code != EXIT_OK)
        return code;
    if (series != NULL && !cli_int("--series", series, 1, 1000000, &n))
        return EXIT_USAGE;
    opts.series = (int32_t)n;
    opts.dims = cli_get(c->args, "--dims");
    opts.raw_values = cli_has(c->args, "--raw");
    ngff_status status =
        ngff_source_open(c->context, c->args->operand[0], &opts, &c->source, &c->err);
    if (status == NGFF_OK)
        status = ngff_source_describe(c->source, &c->desc, &c->err);
    return status == NGFF_OK ? EXIT_OK : cli_fail(status, &c->err, NGFF_ORIGIN_INPUT);
}

static int describe_units(conversion *c, const char *text) {
    char item[96];
    for (int i = 0, k = 0; cli_item(text, ',', i, item, sizeof item); i++) {
        char *eq = strchr(item, '=');
        int axis = -1;
        if (eq != NULL)
            *eq = '\0';
        for (int a = 0; a < c->desc.ndim; a++)
            if (eq != NULL && strcmp(c->desc.axes[a].name, item) == 0)
                axis = a;
        for (; eq == NULL && axis < 0 && k < c->desc.ndim; k++)
            if (strcmp(c->desc.axes[k].type, "channel") != 0)
                axis = k;
        if (axis < 0) {
            fprintf(stderr, "ngff: --units: the image has no axis for '%s'\n", item);
            return EXIT_USAGE;
        }
        snprintf(c->desc.axes[axis].unit, sizeof c->desc.axes[axis].unit, "%.31s",
                 eq != NULL ? eq + 1 : item);
    }
    return EXIT_OK;
}

/* Options that change what the source says of itself. */
static int describe(conversion *c) {
    const char *scale = cli_get(c->args, "--scale"),
               *pos = cli_get(c->args, "--translation");
    const char *units = cli_get(c->args, "--units"), *name = cli_get(c->args, "--name");
    double s[NGFF_MAX_NDIM], t[NGFF_MAX_NDIM];

    for (int i = 0; i < c->desc.ndim; i++) {
        s[i] = c->desc.axes[i].scale;
        t[i] = c->desc.axes[i].translation;
    }
    if (scale != NULL && !cli_per_axis("--scale", scale, &c->desc, s))
        return EXIT_USAGE;
    if (pos != NULL && !cli_per_axis("--translation", pos, &c->desc, t))
        return EXIT_USAGE;
    for (int i = 0; i < c->desc.ndim; i++) {
        if (!(s[i] > 0)) {
            fprintf(stderr, "ngff: --scale: axis %s is %g, expected more than 0\n",
                    c->desc.axes[i].name, s[i]);
            return EXIT_USAGE;
        }
        c->desc.axes[i].scale = s[i];
        c->desc.axes[i].translation = t[i];
    }
    if (name != NULL)
        snprintf(c->desc.name, sizeof c->desc.name, "%s", name);
    int code = units != NULL ? describe_units(c, units) : EXIT_OK;
    if (code == EXIT_OK)
        code = cli_orient(c->args, &c->desc);
    return code == EXIT_OK ? cli_omero(c->args, &c->desc, c->channels) : code;
}

/* An archive should have few entries (RFC-9, OZX-8); what 0.4 has to say of .ozx is
 * said when it is written. */
static int default_per_shard(const conversion *c) {
    const char *version = cli_get(c->args, "--ome-zarr-version");
    bool old = version != NULL && strcmp(version, "0.4") == 0;
    return cli_is_ozx(c->args->operand[1]) && !old ? 2 : 0;
}

static int plan(conversion *c) {
    cli_plan_request request = {.context = c->context, .desc = &c->desc};
    if (cli_has(c->args, "--keep-levels"))
        request.source = c->source;
    for (int i = 0; i < c->desc.ndim; i++)
        request.per_shard[i] = default_per_shard(c);
    return cli_plan(c->args, &request, &c->ms);
}

static int write_options(conversion *c) {
    ngff_write_opts opts = NGFF_WRITE_OPTS_INIT;
    const char *layout = cli_get(c->args, "--layout");

    opts.version = cli_get(c->args, "--ome-zarr-version");
    int code = cli_codec_json(c->args, &opts);
    if (code == EXIT_OK)
        code = cli_codec(c->args, &opts);
    if (code == EXIT_OK)
        code = cli_meta_options(c->args, &opts);
    if (code != EXIT_OK)
        return code;
    if (layout != NULL && strcmp(layout, "flat") != 0 && strcmp(layout, "seed") != 0) {
        fprintf(stderr, "ngff: --layout '%s': expected seed or flat\n", layout);
        return EXIT_USAGE;
    }
    if (cli_has(c->args, "--metadata-only") && cli_has(c->args, "--chunk-store")) {
        fprintf(stderr, "ngff: --metadata-only and --chunk-store exclude each other\n");
        return EXIT_USAGE;
    }
    opts.flat_layout = layout == NULL ? 0 : strcmp(layout, "flat") == 0 ? 1 : -1;
    opts.no_consolidate = cli_has(c->args, "--no-consolidate");
    opts.write_empty_chunks = cli_has(c->args, "--write-empty-chunks");
    opts.keep_levels = cli_has(c->args, "--keep-levels");
    opts.no_spill = cli_has(c->args, "--no-spill");
    opts.progress = cli_progress_call;
    opts.progress_user = &c->progress;
    c->write = opts;
    return EXIT_OK;
}

static void print_json(const conversion *c, bool dry_run) {
    cli_json j = {stdout, 0, false};
    cli_json_open(&j, NULL, '{');
    cli_json_int(&j, "schema", 1);
    cli_json_str(&j, "input", c->args->operand[0]);
    cli_json_str(&j, "output", c->args->operand[1]);
    cli_json_bool(&j, "dry_run", dry_run);
    cli_json_image(&j, &c->desc);
    cli_json_levels(&j, c->ms, &c->desc);
    cli_json_open(&j, dry_run ? "plan" : "stats", '{');
    cli_json_report(&j, &c->report, c->desc.ndim);
    cli_json_close(&j, '}');
    cli_json_close(&j, '}');
}

static void print_plan(const conversion *c) {
    char decoded[32], peak[32], budget[32], spill[32];
    const ngff_write_report *r = &c->report;
    cli_human(r->decoded_bytes, decoded, sizeof decoded);
    cli_human(r->peak, peak, sizeof peak);
    cli_human(r->budget, budget, sizeof budget);
    cli_human(r->spill_bytes, spill, sizeof spill);
    printf("%s\n", c->args->operand[1]);
    cli_text_levels(c->ms, &c->desc);
    printf("pixels   %s in all levels, %llu values in the store at most\n", decoded,
           (unsigned long long)r->files);
    printf("memory   %s of %s, spill file up to %s\n", peak, budget, spill);
    printf("work     %d threads, %d passes, %llu blocks, source read %.3f times\n",
           r->threads, r->passes, (unsigned long long)r->blocks, r->amplification);
}

/* What the real run is told when it has opened the output; in the same words. */
static bool takes_version(const conversion *c) {
    const char *version = cli_get(c->args, "--ome-zarr-version");
    if (!cli_is_ozx(c->args->operand[1]) || version == NULL ||
        strcmp(version, "0.4") != 0)
        return true;
    fprintf(stderr, "ngff: RFC-9 zipped OME-Zarr (.ozx) requires OME-Zarr version 0.5. "
                    "Got version '0.4'. Please set version='0.5'.\n");
    return false;
}

static int dry_run(conversion *c) {
    if (!takes_version(c))
        return EXIT_USAGE;
    ngff_status status =
        ngff_write_plan(c->context, c->ms, c->source, &c->write, &c->report, &c->err);
    if (status != NGFF_OK)
        return cli_fail(status, &c->err, NGFF_ORIGIN_NONE);
    if (cli_has(c->args, "--json"))
        print_json(c, true);
    else
        print_plan(c);
    return EXIT_OK;
}

/* What came is described by what was written. */
static int run_stdin(conversion *c) {
    c->frames.store = c->to.store;
    c->frames.ms = c->ms;
    int code = cli_frames_write(&c->frames);
    cli_progress_done(&c->progress);
    if (code != EXIT_OK || !cli_has(c->args, "--json"))
        return code;
    ngff_multiscales_close(&c->ms);
    ngff_status status = ngff_open(c->context, c->to.store, &c->ms, &c->err);
    if (status != NGFF_OK)
        return cli_fail(status, &c->err, NGFF_ORIGIN_OUTPUT);
    print_json(c, false);
    return EXIT_OK;
}

static int run(conversion *c) {
    ngff_store_opts opts = NGFF_STORE_OPTS_INIT;
    int code = cli_store_options(c->args, &opts);
    if (code != EXIT_OK)
        return code;
    ngff_status status =
        cli_stores_open(c->context, c->args->operand[1],
                        cli_get(c->args, "--chunk-store"), &opts, &c->to, &c->err);
    if (status == NGFF_OK && cli_is_stdin(c->args))
        return run_stdin(c);
    if (status == NGFF_OK && cli_has(c->args, "--metadata-only"))
        status = ngff_write_metadata(c->context, c->to.store, c->ms, &c->write, &c->err);
    else if (status == NGFF_OK)
        status = ngff_write(c->context, c->to.store, c->ms, c->source, &c->write,
                            &c->report, &c->err);
    cli_progress_done(&c->progress);
    if (status != NGFF_OK)
        return cli_fail(status, &c->err, NGFF_ORIGIN_OUTPUT);
    if (cli_has(c->args, "--json"))
        print_json(c, false);
    return EXIT_OK;
}

static int convert_one(const cli_args *args) {
    static conversion c;
    int (*const steps[])(conversion *) = {open_source, describe, plan, write_options};

    c = (conversion){.args = args};
    c.report.struct_size = sizeof c.report;
    if (!cli_progress_init(&c.progress, cli_get(args, "--progress"),
                           cli_has(args, "--quiet")))
        return EXIT_USAGE;
    cli_signals_install();
    int code = cli_context(args, &c.context);
    for (size_t i = 0; code == EXIT_OK && i < sizeof steps / sizeof *steps; i++)
        code = steps[i](&c);
    if (code == EXIT_OK)
        code = cli_has(args, "--dry-run") ? dry_run(&c) : run(&c);
    cli_stores_close(&c.to);
    ngff_multiscales_close(&c.ms);
    ngff_source_close(&c.source);
    ngff_context_close(&c.context);
    return code;
}

int cli_convert(const cli_args *args) {
    return cli_names_series(args) ? cli_convert_series(args, convert_one)
                                  : convert_one(args);
}
