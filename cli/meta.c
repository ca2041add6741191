/* Options of `ngff convert` about what is said of the image: orientation, channels, and
 * codecs written as JSON. */
#include "cli.h"

#include <string.h>

static int refuse(const char *option, const char *text, const char *expected) {
    fprintf(stderr, "ngff: %s '%s': expected %s\n", option, text, expected);
    return EXIT_USAGE;
}

bool cli_item(const char *text, char separator, int i, char *out, size_t size) {
    for (; i > 0; i--) {
        text = strchr(text, separator);
        if (text == NULL)
            return false;
        text++;
    }
    const char *end = strchr(text, separator);
    snprintf(out, size, "%.*s", (int)(end != NULL ? end - text : (long)strlen(text)),
             text);
    return true;
}

static int item_count(const char *text, char separator) {
    int n = 1;
    for (; *text != '\0'; text++)
        n += *text == separator;
    return n;
}

/* ---- codecs ---- */

int cli_codec_json(const cli_args *args, ngff_write_opts *opts) {
    const char *one = cli_get(args, "--compressor"),
               *list = cli_get(args, "--compressors");
    bool old = opts->version != NULL && strcmp(opts->version, "0.4") == 0;
    opts->codec_json = one != NULL ? one : list;
    if (opts->codec_json == NULL)
        return EXIT_OK;
    if (one != NULL && list != NULL)
        return refuse("--compressor", one, "either --compressor or --compressors");
    if (cli_has(args, "--codec") || cli_has(args, "--compression-level") ||
        cli_has(args, "--shuffle"))
        return refuse(one != NULL ? "--compressor" : "--compressors", opts->codec_json,
                      "no --codec, --compression-level or --shuffle beside it");
    if (one != NULL && !old)
        return refuse("--compressor", one,
                      "--ome-zarr-version 0.4; Zarr v3 takes --compressors");
    if (list != NULL && old) {
        fprintf(stderr, "ngff: The argument `compressors` are not supported for OME-Zarr "
                        "version 0.4. (Zarr v3). Use `compression` instead. (here: "
                        "--compressor)\n");
        return EXIT_USAGE;
    }
    return EXIT_OK;
}

/* ---- orientation ---- */

static ngff_axis *space_axis(ngff_image_desc *desc, const char *name) {
    for (int i = 0; i < desc->ndim; i++)
        if (strcmp(desc->axes[i].type, "space") == 0 &&
            strcmp(desc->axes[i].name, name) == 0)
            return &desc->axes[i];
    return NULL;
}

/* Named after the side each axis points to, x first. */
static bool preset(const char *text, ngff_image_desc *desc) {
    static const char *const presets[2][3] = {
        {"right-to-left", "anterior-to-posterior", "inferior-to-superior"},
        {"left-to-right", "posterior-to-anterior", "inferior-to-superior"}};
    int which = strcmp(text, "LPS") == 0 || strcmp(text, "lps") == 0   ? 0
                : strcmp(text, "RAS") == 0 || strcmp(text, "ras") == 0 ? 1
                                                                       : -1;
    for (int i = 0; which >= 0 && i < 3; i++) {
        const char name[2] = {"xyz"[i], '\0'};
        ngff_axis *axis = space_axis(desc, name);
        if (axis != NULL)
            snprintf(axis->orientation, sizeof axis->orientation, "%s",
                     presets[which][i]);
    }
    return which >= 0;
}

int cli_orient(const cli_args *args, ngff_image_desc *desc) {
    const char *text = cli_get(args, "--orientation");
    char item[96];
    if (text == NULL)
        return EXIT_OK;
    if (!cli_has(args, "--enable-rfc") && !cli_has(args, "--quiet"))
        fprintf(stderr, "ngff: warning: --orientation is written with --enable-rfc 4\n");
    if (preset(text, desc))
        return EXIT_OK;
    for (int i = 0; i < desc->ndim; i++) /* what is given replaces what the input says */
        desc->axes[i].orientation[0] = '\0';
    for (int i = 0; cli_item(text, ',', i, item, sizeof item); i++) {
        char *eq = strchr(item, '=');
        if (eq == NULL)
            return refuse("--orientation", text, "LPS, RAS or x=right-to-left,y=…");
        *eq = '\0';
        ngff_axis *axis = space_axis(desc, item);
        if (axis == NULL)
            return refuse("--orientation", item, "a space axis of the image");
        if (strlen(eq + 1) >= sizeof axis->orientation)
            return refuse("--orientation", eq + 1, "a value such as left-to-right");
        snprintf(axis->orientation, sizeof axis->orientation, "%.31s", eq + 1);
    }
    return EXIT_OK;
}

static int enable_rfcs(const char *text, ngff_write_opts *opts) {
    char item[32];
    for (int i = 0; cli_item(text, ',', i, item, sizeof item); i++) {
        if (strcmp(item, "4") != 0)
            return refuse("--enable-rfc", item, "4 (anatomical orientation)");
        opts->orientation = 1;
    }
    return EXIT_OK;
}

/* ---- channels ---- */

static int64_t channel_extent(const ngff_image_desc *d) {
    for (int i = 0; i < d->ndim; i++)
        if (strcmp(d->axes[i].type, "channel") == 0)
            return d->shape[i];
    return 1; /* an image without the axis is one channel */
}

static int check_count(const char *option, const char *text, char separator,
                       int64_t extent) {
    int n = item_count(text, separator);
    if (n == extent)
        return EXIT_OK;
    fprintf(stderr, "ngff: %s: %d values, the image has %lld channels\n", option, n,
            (long long)extent);
    return EXIT_USAGE;
}

static int set_labels(const char *option, const char *text, ngff_image_desc *desc,
                      ngff_channel *channels) {
    int code = check_count(option, text, ',', (int64_t)desc->channel_count);
    for (size_t i = 0; code == EXIT_OK && i < desc->channel_count; i++)
        (void)cli_item(text, ',', (int)i, channels[i].label, sizeof channels[i].label);
    return code;
}

static int set_colors(const char *text, ngff_image_desc *desc, ngff_channel *channels) {
    const char *option = "--omero-colors";
    char item[32];
    int code = check_count(option, text, ',', (int64_t)desc->channel_count);
    for (size_t i = 0; code == EXIT_OK && i < desc->channel_count; i++) {
        (void)cli_item(text, ',', (int)i, item, sizeof item);
        const char *hex = item[0] == '#' ? item + 1 : item;
        if (strlen(hex) != 6 || strspn(hex, "0123456789abcdefABCDEF") != 6)
            return refuse(option, item, "six hexadecimal digits such as FF8000");
        snprintf(channels[i].color, sizeof channels[i].color, "%.6s", hex);
    }
    return code;
}

static int read_window(const char *text, ngff_channel *channel) {
    const char *option = "--omero-window";
    double v[4];
    char item[64];
    if (item_count(text, ',') != 4)
        return refuse(option, text, "MIN,MAX,START,END");
    for (int i = 0; i < 4; i++) {
        (void)cli_item(text, ',', i, item, sizeof item);
        if (!cli_float(option, item, &v[i]))
            return EXIT_USAGE;
    }
    channel->min = v[0];
    channel->max = v[1];
    channel->start = v[2];
    channel->end = v[3];
    channel->has_window = 1;
    return EXIT_OK;
}

static int set_windows(const char *text, ngff_image_desc *desc, ngff_channel *channels) {
    char item[256];
    bool one = strchr(text, ';') == NULL;
    int code =
        one ? EXIT_OK
            : check_count("--omero-window", text, ';', (int64_t)desc->channel_count);
    for (size_t i = 0; code == EXIT_OK && i < desc->channel_count; i++) {
        (void)cli_item(text, ';', one ? 0 : (int)i, item, sizeof item);
        code = read_window(item, &channels[i]);
    }
    return code;
}

static int take_channels(ngff_image_desc *desc, ngff_channel *channels) {
    int64_t extent = channel_extent(desc);
    if (extent > CLI_MAX_CHANNELS) {
        fprintf(stderr, "ngff: %lld channels, at most %d can be described\n",
                (long long)extent, CLI_MAX_CHANNELS);
        return EXIT_USAGE;
    }
    bool none = desc->channel_count == 0;
    for (size_t i = 0; i < (size_t)extent; i++) {
        if (i < desc->channel_count)
            channels[i] = desc->channels[i];
        else
            channels[i].active = none;
    }
    desc->channels = channels;
    desc->channel_count = (size_t)extent;
    return EXIT_OK;
}

int cli_omero(const cli_args *args, ngff_image_desc *desc,
              ngff_channel channels[CLI_MAX_CHANNELS]) {
    const char *name = "--channel-names", *names = cli_get(args, name);
    const char *labels = cli_get(args, "--omero-labels");
    const char *colors = cli_get(args, "--omero-colors");
    const char *windows = cli_get(args, "--omero-window");
    bool measured = cli_has(args, "--omero-quantiles");
    if (names == NULL && labels == NULL && colors == NULL && windows == NULL && !measured)
        return EXIT_OK;
    if (cli_has(args, "--no-omero"))
        return refuse("--no-omero", "", "no other option about channels beside it");
    if (names != NULL && labels != NULL)
        return refuse("--omero-labels", labels, "no --channel-names beside it");
    int code = take_channels(desc, channels);
    if (code == EXIT_OK && labels != NULL)
        code = set_labels("--omero-labels", labels, desc, channels);
    if (code == EXIT_OK && names != NULL)
        code = set_labels(name, names, desc, channels);
    if (code == EXIT_OK && colors != NULL)
        code = set_colors(colors, desc, channels);
    bool replaced = measured && !cli_has(args, "--keep-windows");
    for (size_t i = 0; replaced && i < desc->channel_count; i++)
        channels[i].has_window = 0; /* the input's own give way */
    return code == EXIT_OK && windows != NULL ? set_windows(windows, desc, channels)
                                              : code;
}

static int quantiles(const char *text, ngff_write_opts *opts) {
    const char *option = "--omero-quantiles";
    char item[64];
    double v[2];
    if (item_count(text, ',') != 2)
        return refuse(option, text, "LO,HI");
    for (int i = 0; i < 2; i++) {
        (void)cli_item(text, ',', i, item, sizeof item);
        if (!cli_float(option, item, &v[i]))
            return EXIT_USAGE;
    }
    if (!(v[0] >= 0 && v[0] < v[1] && v[1] <= 1))
        return refuse(option, text, "two numbers from 0 to 1, the smaller one first");
    opts->omero_windows = 1;
    opts->omero_low = v[0];
    opts->omero_high = v[1];
    return EXIT_OK;
}

int cli_meta_options(const cli_args *args, ngff_write_opts *opts) {
    const char *rfcs = cli_get(args, "--enable-rfc");
    const char *q = cli_get(args, "--omero-quantiles");
    opts->no_omero = cli_has(args, "--no-omero");
    int code = rfcs != NULL ? enable_rfcs(rfcs, opts) : EXIT_OK;
    return code == EXIT_OK && q != NULL ? quantiles(q, opts) : code;
}
