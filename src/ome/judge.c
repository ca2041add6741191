/* ome: an image's attributes against the rules of its version, one call a broken rule.
 * The rules are named as in the requirements (GEN, AX, MS, TR, OM, R4). Unlike parsing,
 * nothing is tolerated and the first fault is not the last. */
#include "ome/judge.h"
#include "ome/inside.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

void ngff_judge_say(const ngff_judge *j, const char *rule, const char *level,
                    const char *format, ...) {
    char text[512], whole[1024];
    ngff_finding f = {.rule = rule, .level = level, .message = whole};
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    snprintf(whole, sizeof whole, "%.400s: %s", j->where[0] ? j->where : "/", text);
    j->fn(j->user, &f);
}

static bool is_list(const ngff_json *node) {
    return ngff_json_type_of(node) == NGFF_JSON_ARRAY;
}

static bool is_object(const ngff_json *node) {
    return ngff_json_type_of(node) == NGFF_JSON_OBJECT;
}

static const char *text_of(const ngff_json *holder, const char *name) {
    const char *text = ngff_json_str(ngff_json_get(holder, name));
    return text ? text : "";
}

/* ---- axes ---- */

typedef enum axis_kind { TIME, OTHER, SPACE, KINDS } axis_kind;

static axis_kind kind_of(const ngff_json *axis) {
    const char *type = text_of(axis, "type");
    return strcmp(type, "time") == 0 ? TIME : strcmp(type, "space") == 0 ? SPACE : OTHER;
}

static void judge_axis(const ngff_judge *j, const ngff_json *axes, size_t i) {
    const ngff_json *axis = ngff_json_at(axes, i);
    const char *name = text_of(axis, "name"), *type = text_of(axis, "type");
    const char *unit = text_of(axis, "unit");
    char known[32];
    if (name[0] == '\0')
        ngff_judge_say(j, "AX-1", "MUST", "axes[%zu] has no name", i);
    for (size_t k = 0; name[0] && k < i; k++)
        if (strcmp(text_of(ngff_json_at(axes, k), "name"), name) == 0)
            ngff_judge_say(j, "AX-2", "MUST", "axes[%zu]: '%s' is there already", i,
                           name);
    if (type[0] == '\0')
        ngff_judge_say(j, "AX-3", "SHOULD", "axis '%s' has no type", name);
    if (unit[0] && strlen(unit) < sizeof known &&
        (!ngff_ome_unit(unit, type, known) || strcmp(unit, known) != 0))
        ngff_judge_say(j, "AX-6", "SHOULD", "axis '%s': unit '%s' is not in the list",
                       name, unit);
    else if (!unit[0] && kind_of(axis) != OTHER)
        ngff_judge_say(j, "AX-5", "SHOULD", "axis '%s' has no unit", name);
}

static void judge_kinds(const ngff_judge *j, const ngff_json *axes) {
    int count[KINDS] = {0};
    size_t n = ngff_json_len(axes);
    axis_kind last = TIME;
    bool ordered = true;
    char space[NGFF_MAX_NDIM + 1] = "";
    for (size_t i = 0; i < n && i < NGFF_MAX_NDIM; i++) {
        axis_kind kind = kind_of(ngff_json_at(axes, i));
        ordered = ordered && kind >= last;
        last = kind;
        if (kind == SPACE)
            space[count[SPACE]] = text_of(ngff_json_at(axes, i), "name")[0];
        count[kind]++;
    }
    if (n < 2 || n > 5)
        ngff_judge_say(j, "MS-2", "MUST", "%zu axes, expected 2 to 5", n);
    if (count[SPACE] < 2 || count[SPACE] > 3 || count[TIME] > 1 || count[OTHER] > 1)
        ngff_judge_say(j, "MS-3", "MUST",
                       "%d axes of space, %d of time, %d others; expected 2 or 3, and "
                       "at most one of each",
                       count[SPACE], count[TIME], count[OTHER]);
    if (!ordered)
        ngff_judge_say(j, "MS-5", "MUST",
                       "axes are not in the order time, channel, space");
    if (count[SPACE] == 3 && strcmp(space, "zyx") != 0)
        ngff_judge_say(j, "MS-6", "SHOULD", "axes of space are not z, y, x");
}

static void judge_orientation(const ngff_judge *j, const ngff_json *axes) {
    uint32_t seen = 0;
    for (size_t i = 0; i < ngff_json_len(axes); i++) {
        const ngff_json *axis = ngff_json_at(axes, i);
        int pair;
        const char *fault = ngff_ome_orientation_fault(axis, &pair);
        const char *rule = !fault                                           ? "R4-4"
                           : strcmp(fault, "orientation-on-non-space") == 0 ? "R4-1"
                           : strcmp(fault, "bad-value") == 0                ? "R4-3"
                                                                            : "R4-2";
        if (!fault && pair >= 0 && (seen >> pair & 1) != 0)
            fault = "duplicate-anatomical-axis";
        if (pair >= 0)
            seen |= UINT32_C(1) << pair;
        if (fault)
            ngff_judge_say(j, rule, "MUST", "axis '%s': orientation: %s",
                           text_of(axis, "name"), fault);
        if (ngff_ome_orientation_is_null(axis))
            ngff_judge_say(j, "R4-5", "SHOULD", "axis '%s': orientation is null",
                           text_of(axis, "name"));
    }
}

/* ---- transformations ---- */

/* One list of numbers, as many as axes; a scale's are more than 0. */
static void judge_numbers(const ngff_judge *j, const char *place, const ngff_json *step,
                          const char *kind, size_t ndim) {
    const ngff_json *list = ngff_json_get(step, kind);
    if (ndim == 0 || (!list && ngff_json_str(ngff_json_get(step, "path"))))
        return; /* nothing to compare with; kept in an array */
    if (!is_list(list) || ngff_json_len(list) != ndim) {
        ngff_judge_say(j, "MS-17", "MUST", "%s: %s of %zu numbers for %zu axes", place,
                       kind, ngff_json_len(list), ndim);
        return;
    }
    for (size_t i = 0; i < ndim; i++) {
        double v = 0;
        bool number = ngff_json_f64(ngff_json_at(list, i), &v) && isfinite(v);
        if (!number || (strcmp(kind, "scale") == 0 && v <= 0))
            ngff_judge_say(j, "CT-3", "MUST", "%s: %s[%zu] is not a number%s", place,
                           kind, i, number ? " above 0" : "");
    }
}

/* Scale, then perhaps translation (MS-13 to MS-17). */
static void judge_steps(const ngff_judge *j, const char *place, const ngff_json *steps,
                        size_t ndim, bool identity) {
    int scales = 0, translations = 0;
    for (size_t i = 0; i < ngff_json_len(steps); i++) {
        const ngff_json *step = ngff_json_at(steps, i);
        const char *type = text_of(step, "type");
        if (strcmp(type, "scale") == 0) {
            scales++;
            if (translations > 0)
                ngff_judge_say(j, "MS-16", "MUST", "%s: a scale after a translation",
                               place);
        } else if (strcmp(type, "translation") == 0) {
            translations++;
        } else {
            if (!identity || strcmp(type, "identity") != 0)
                ngff_judge_say(j, "MS-13", "MUST",
                               "%s: '%s', expected a scale or a translation", place,
                               type);
            scales += strcmp(type, "identity") == 0;
            continue;
        }
        judge_numbers(j, place, step, type, ndim);
    }
    if (scales != 1)
        ngff_judge_say(j, "MS-14", "MUST", "%s: %d scales, expected one", place, scales);
    if (translations > 1)
        ngff_judge_say(j, "MS-16", "MUST", "%s: %d translations, expected one at most",
                       place, translations);
}

/* 0.6: one transformation, from the array's path to a named system (TR-7). */
static void judge_way(const ngff_judge *j, const char *place, const ngff_json *dataset,
                      size_t ndim) {
    const ngff_json *list = ngff_json_get(dataset, "coordinateTransformations");
    const ngff_json *way = ngff_json_at(list, 0);
    const char *path = text_of(ngff_json_get(way, "input"), "path");
    bool sequence = strcmp(text_of(way, "type"), "sequence") == 0;
    if (ngff_json_len(list) != 1)
        ngff_judge_say(j, "TR-7", "MUST", "%s: %zu transformations, expected one", place,
                       ngff_json_len(list));
    if (strcmp(path, text_of(dataset, "path")) != 0 ||
        text_of(ngff_json_get(way, "output"), "name")[0] == '\0')
        ngff_judge_say(j, "TR-7", "MUST",
                       "%s: does not lead from the dataset's path to a named system",
                       place);
    judge_steps(j, place, sequence ? ngff_json_get(way, "transformations") : list, ndim,
                true);
}

static void judge_dataset(const ngff_judge *j, const ngff_json *entry, size_t n,
                          size_t ndim) {
    const ngff_json *dataset = ngff_json_at(ngff_json_get(entry, "datasets"), n);
    const ngff_json *list = ngff_json_get(dataset, "coordinateTransformations");
    char place[64];
    snprintf(place, sizeof place, "datasets[%zu]", n);
    if (text_of(dataset, "path")[0] == '\0')
        ngff_judge_say(j, "MS-8", "MUST", "%s has no path", place);
    if (!is_list(list) || ngff_json_len(list) == 0)
        ngff_judge_say(j, "MS-12", "MUST", "%s has no coordinateTransformations", place);
    else if (j->version >= NGFF_V06)
        judge_way(j, place, dataset, ndim);
    else
        judge_steps(j, place, list, ndim, false);
}

/* ---- the image ---- */

static void judge_recommended(const ngff_judge *j, const ngff_json *entry) {
    if (text_of(entry, "name")[0] == '\0')
        ngff_judge_say(j, "MS-19", "SHOULD", "multiscales without a name");
    if (j->version < NGFF_V05 && text_of(entry, "version")[0] == '\0')
        ngff_judge_say(j, "MS-20", "SHOULD", "multiscales without a version");
    if (ngff_json_len(ngff_json_get(entry, "datasets")) < 2)
        return; /* nothing was reduced */
    if (text_of(entry, "type")[0] == '\0')
        ngff_judge_say(j, "MS-21", "SHOULD", "multiscales without a type");
    if (!is_object(ngff_json_get(entry, "metadata")))
        ngff_judge_say(j, "MS-22", "SHOULD", "multiscales without metadata");
}

static void judge_entry(const ngff_judge *j, const ngff_json *entry) {
    const ngff_json *axes = ngff_ome_raw_axes(entry);
    const ngff_json *sets = ngff_json_get(entry, "datasets");
    const ngff_json *whole = ngff_json_get(entry, "coordinateTransformations");
    size_t ndim = ngff_json_len(axes);
    if (!axes)
        ngff_judge_say(j, "MS-1", "MUST", "multiscales without axes");
    for (size_t i = 0; i < ndim; i++)
        judge_axis(j, axes, i);
    if (axes) {
        judge_kinds(j, axes);
        judge_orientation(j, axes);
    }
    if (!is_list(sets) || ngff_json_len(sets) == 0)
        ngff_judge_say(j, "MS-7", "MUST", "multiscales without datasets");
    for (size_t n = 0; is_list(sets) && n < ngff_json_len(sets); n++)
        judge_dataset(j, entry, n, ndim);
    if (whole && j->version < NGFF_V06)
        judge_steps(j, "coordinateTransformations", whole, ndim, false);
    judge_recommended(j, entry);
}

/* ---- omero ---- */

static bool is_color(const char *text) {
    return strlen(text) == 6 && strspn(text, "0123456789abcdefABCDEF") == 6;
}

static void judge_window(const ngff_judge *j, const ngff_json *window, size_t i) {
    static const char *const names[] = {"min", "max", "start", "end"};
    static const char *const rules[] = {"OM-4", "OM-4", "OM-5", "OM-5"};
    double v;
    if (!is_object(window)) {
        ngff_judge_say(j, "OM-3", "MUST", "omero.channels[%zu] has no window", i);
        return;
    }
    for (int k = 0; k < 4; k++)
        if (!ngff_json_f64(ngff_json_get(window, names[k]), &v))
            ngff_judge_say(j, rules[k], "MUST",
                           "omero.channels[%zu].window.%s is not a number", i, names[k]);
}

static void judge_omero(const ngff_judge *j, const ngff_json *omero) {
    const ngff_json *channels = ngff_json_get(omero, "channels");
    if (omero && !is_list(channels))
        ngff_judge_say(j, "OM-1", "MUST", "omero without a list of channels");
    for (size_t i = 0; is_list(channels) && i < ngff_json_len(channels); i++) {
        const ngff_json *channel = ngff_json_at(channels, i);
        if (!is_color(text_of(channel, "color")))
            ngff_judge_say(j, "OM-2", "MUST",
                           "omero.channels[%zu].color '%.32s' is not six hex digits", i,
                           text_of(channel, "color"));
        judge_window(j, ngff_json_get(channel, "window"), i);
    }
}

/* ---- the group ---- */

static void judge_version(const ngff_judge *j, const ngff_json *attributes, int format) {
    const ngff_json *ome = ngff_json_get(attributes, "ome");
    const char *text = text_of(ome, "version");
    if (format == 2 && ome)
        ngff_judge_say(j, "GEN-8", "MUST",
                       "an \"ome\" member, which is of 0.5 and later, in Zarr v2");
    if (format == 3 && !ome)
        ngff_judge_say(j, "GEN-5", "MUST",
                       "Zarr v3, but the metadata are not in an \"ome\" member");
    if (format == 3 && ome && (!text[0] || ngff_version_from_text(text) < NGFF_V05))
        ngff_judge_say(j, "GEN-6", "MUST", "ome.version '%.32s', expected 0.5 or 0.6",
                       text);
}

void ngff_ome_judge(ngff_judge *j, const ngff_json *attributes, int zarr_format) {
    const ngff_json *ome = ngff_json_get(attributes, "ome");
    const ngff_json *holder = is_object(ome) ? ome : attributes;
    const ngff_json *list = ngff_json_get(holder, "multiscales");
    ngff_version stated = ngff_version_from_text(text_of(ome, "version"));
    j->version = stated != NGFF_VERSION_UNKNOWN ? stated
                 : zarr_format == 3             ? NGFF_V05
                                                : NGFF_V04;
    judge_version(j, attributes, zarr_format);
    if (!is_list(list) || ngff_json_len(list) == 0)
        ngff_judge_say(j, "MS-7", "MUST", "multiscales is not a list with an entry");
    for (size_t i = 0; is_list(list) && i < ngff_json_len(list); i++)
        judge_entry(j, ngff_json_at(list, i));
    judge_omero(j, ngff_json_get(holder, "omero"));
}
