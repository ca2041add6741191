/* ome: the transitional "omero" metadata: channel labels, colours and display windows
 * (OM-1 … OM-6). */
#include "ome/inside.h"

#include <math.h>

/* More channels than this are no channels to look at: nothing is filled in beyond what
 * was given. */
#define FILL_MAX 1024

static bool is_color(const char *text) {
    return strlen(text) == 6 && strspn(text, "0123456789abcdefABCDEF") == 6;
}

/* White for one channel; else colours that stay apart on black, repeating after twelve.
 */
static const char *default_color(size_t index, size_t count) {
    static const char *const colors[] = {"0080FF", "00FF00", "FF0000", "FF00FF",
                                         "00FFFF", "FFFF00", "FF8000", "8000FF",
                                         "80FF80", "FF8080", "8080FF", "C0C0C0"};
    return count == 1 ? "FFFFFF" : colors[index % (sizeof colors / sizeof colors[0])];
}

static bool window_is_finite(const ngff_channel *channel) {
    return channel->has_window && isfinite(channel->min) && isfinite(channel->max) &&
           isfinite(channel->start) && isfinite(channel->end);
}

static ngff_json *window_json(const ngff_channel *channel, ngff_dtype dtype,
                              ngff_status *s) {
    double lo, hi;
    ngff_dtype_range(dtype, &lo, &hi);
    bool own = window_is_finite(channel);
    ngff_json *out = ngff_json_new_object();
    ngff_ome_put(out, "min", ngff_json_new_f64(own ? channel->min : lo), s);
    ngff_ome_put(out, "max", ngff_json_new_f64(own ? channel->max : hi), s);
    ngff_ome_put(out, "start", ngff_json_new_f64(own ? channel->start : lo), s);
    ngff_ome_put(out, "end", ngff_json_new_f64(own ? channel->end : hi), s);
    return out;
}

/* A zeroed channel is not active, and a document in which none is shows nothing: then all
 * are. */
static bool none_active(const ngff_image_desc *desc) {
    for (size_t i = 0; i < desc->channel_count; i++) {
        if (desc->channels[i].active)
            return false;
    }
    return true;
}

static ngff_json *channel_json(const ngff_channel *channel, ngff_dtype dtype,
                               const char *color, bool active, ngff_status *s) {
    ngff_json *out = ngff_json_new_object();
    color = is_color(channel->color) ? channel->color : color;
    ngff_ome_put(out, "color", ngff_json_new_str(color), s);
    ngff_ome_put(out, "window", window_json(channel, dtype, s), s);
    if (channel->label[0])
        ngff_ome_put(out, "label", ngff_json_new_str(channel->label), s);
    ngff_ome_put(out, "active", ngff_json_new_bool(active), s);
    return out;
}

/* OM-6: one entry per index of the channel axis, when its extent is known. */
static size_t entry_count(const ngff_image_desc *desc) {
    int64_t extent = 1;
    for (int i = 0; i < desc->ndim; i++) {
        if (strcmp(desc->axes[i].type, "channel") == 0)
            extent = desc->shape[i];
    }
    bool known = extent >= 1 && extent <= FILL_MAX;
    return known ? (size_t)extent : desc->channel_count;
}

ngff_json *ngff_ome_omero_json(const ngff_ome_multiscales *m, ngff_status *s) {
    const ngff_image_desc *desc = &m->image.desc;
    static const ngff_channel missing = {.active = 1};
    size_t count = entry_count(desc);
    ngff_dtype dtype = (ngff_dtype)desc->dtype;
    bool all = none_active(desc);
    ngff_json *list = ngff_json_new_array();
    for (size_t i = 0; i < count; i++) {
        const ngff_channel *channel =
            i < desc->channel_count ? &desc->channels[i] : &missing;
        ngff_ome_add(list,
                     channel_json(channel, dtype, default_color(i, count),
                                  all || channel->active, s),
                     s);
    }
    ngff_json *out = ngff_json_new_object();
    ngff_ome_put(out, "channels", list, s);
    return out;
}

/* ---- reading --------------------------------------------------------------------- */

static void parse_window(const ngff_json *window, ngff_channel *channel) {
    double min, max, start, end;
    bool limits = ngff_json_f64(ngff_json_get(window, "min"), &min) &&
                  ngff_json_f64(ngff_json_get(window, "max"), &max);
    bool range = ngff_json_f64(ngff_json_get(window, "start"), &start) &&
                 ngff_json_f64(ngff_json_get(window, "end"), &end);
    if (!limits && !range)
        return;
    /* 0.9.dev1 asks for start and end only, old writers leave one pair out. */
    channel->min = limits ? min : start;
    channel->max = limits ? max : end;
    channel->start = range ? start : min;
    channel->end = range ? end : max;
    channel->has_window = 1;
    channel->has_window = window_is_finite(channel);
}

static void parse_channel(const ngff_json *node, ngff_channel *channel) {
    const char *label = ngff_json_str(ngff_json_get(node, "label"));
    if (!label)
        label = ngff_json_str(ngff_json_get(node, "name"));
    if (label)
        ngff_copy_text(channel->label, sizeof channel->label, label);
    const char *color = ngff_json_str(ngff_json_get(node, "color"));
    if (color && color[0] == '#')
        color++;
    if (color && is_color(color))
        ngff_copy_text(channel->color, sizeof channel->color, color);
    bool active = true;
    ngff_json_bool(ngff_json_get(node, "active"), &active);
    channel->active = active;
    parse_window(ngff_json_get(node, "window"), channel);
}

ngff_status ngff_ome_parse_omero(const ngff_json *omero, ngff_ome_image *image,
                                 ngff_error *err) {
    const ngff_json *list = ngff_json_get(omero, "channels");
    size_t count = ngff_json_type_of(list) == NGFF_JSON_ARRAY ? ngff_json_len(list) : 0;
    if (count == 0)
        return NGFF_OK;
    ngff_channel *channels = ngff_calloc(image->alloc, count, sizeof *channels);
    if (!channels)
        return ngff_fail_nomem(err, "channels", count * sizeof *channels);
    for (size_t i = 0; i < count; i++)
        parse_channel(ngff_json_at(list, i), &channels[i]);
    image->channels = channels;
    image->desc.channels = channels;
    image->desc.channel_count = count;
    return NGFF_OK;
}
