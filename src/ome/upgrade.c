/* ome: the attributes of a group from one OME-Zarr version to another, 0.4 - 0.6, by
 * moving what is there: members of no version stay. */
#include "ome/inside.h"

#include <stdio.h>

#define SYSTEM "intrinsic"

/* All members of `from` but those named, into `into`. */
static void copy_members(const ngff_json *from, const char *const *but, ngff_json *into,
                         ngff_status *s) {
    for (size_t i = 0; i < ngff_json_len(from); i++) {
        const char *name = NULL;
        const ngff_json *value = ngff_json_member(from, i, &name);
        ngff_json *copy = NULL;
        bool skip = false;
        for (const char *const *n = but; *n; n++)
            skip = skip || strcmp(*n, name) == 0;
        if (skip)
            continue;
        if (ngff_json_dup(value, &copy, NULL) != NGFF_OK)
            *s = *s == NGFF_OK ? NGFF_NOMEM : *s;
        else
            ngff_ome_put(into, name, copy, s);
    }
}

static ngff_json *dup(const ngff_json *node, ngff_status *s) {
    ngff_json *copy = NULL;
    if (!node)
        copy = ngff_json_new_array();
    else if (ngff_json_dup(node, &copy, NULL) != NGFF_OK)
        *s = *s == NGFF_OK ? NGFF_NOMEM : *s;
    return copy;
}

static ngff_json *named(const char *member, const char *value, ngff_status *s) {
    ngff_json *object = ngff_json_new_object();
    ngff_ome_put(object, member, ngff_json_new_str(value), s);
    return object;
}

/* ---- datasets ---- */

static const char *path_of(const ngff_json *dataset) {
    const char *path = ngff_json_str(ngff_json_get(dataset, "path"));
    return path ? path : "";
}

/* 0.6: a sequence from the array into the one coordinate system. */
static ngff_json *sequence(const ngff_json *dataset, size_t n, ngff_status *s) {
    char name[64];
    ngff_json *item = ngff_json_new_object();
    snprintf(name, sizeof name, "scale%zu_to_" SYSTEM, n);
    ngff_ome_put(item, "type", ngff_json_new_str("sequence"), s);
    ngff_ome_put(item, "input", named("path", path_of(dataset), s), s);
    ngff_ome_put(item, "output", named("name", SYSTEM, s), s);
    ngff_ome_put(item, "name", ngff_json_new_str(name), s);
    ngff_ome_put(item, "transformations",
                 dup(ngff_json_get(dataset, "coordinateTransformations"), s), s);
    ngff_json *list = ngff_json_new_array();
    ngff_ome_add(list, item, s);
    return list;
}

static bool is_kind(const ngff_json *item, const char *kind) {
    const char *type = ngff_json_str(ngff_json_get(item, "type"));
    return type && strcmp(type, kind) == 0;
}

/* 0.5 and before: a scale, then perhaps a translation, given by numbers. */
static ngff_json *flat(const ngff_json *dataset, bool *fits, ngff_status *s) {
    const ngff_json *items = ngff_json_get(dataset, "coordinateTransformations");
    static const char *const kinds[] = {"scale", "translation"};
    if (ngff_json_len(items) == 1 && is_kind(ngff_json_at(items, 0), "sequence"))
        items = ngff_json_get(ngff_json_at(items, 0), "transformations");
    size_t count = ngff_json_len(items);
    *fits = count == 1 || count == 2;
    ngff_json *list = ngff_json_new_array();
    for (size_t i = 0; *fits && i < count; i++) {
        const ngff_json *item = ngff_json_at(items, i);
        const ngff_json *values = ngff_json_get(item, kinds[i]);
        *fits = is_kind(item, kinds[i]) && ngff_json_type_of(values) == NGFF_JSON_ARRAY;
        if (!*fits)
            break;
        ngff_json *plain = ngff_json_new_object();
        ngff_ome_put(plain, kinds[i], dup(values, s), s);
        ngff_ome_put(plain, "type", ngff_json_new_str(kinds[i]), s);
        ngff_ome_add(list, plain, s);
    }
    return list;
}

static ngff_status datasets(const ngff_json *entry, ngff_version to, ngff_json *into,
                            ngff_error *err) {
    static const char *const moved[] = {"coordinateTransformations", NULL};
    const ngff_json *from = ngff_json_get(entry, "datasets");
    ngff_status s = NGFF_OK;
    ngff_json *list = ngff_json_new_array();
    bool fits = true;
    for (size_t i = 0; fits && i < ngff_json_len(from); i++) {
        const ngff_json *dataset = ngff_json_at(from, i);
        ngff_json *changed = ngff_json_new_object();
        copy_members(dataset, moved, changed, &s);
        ngff_ome_put(changed, "coordinateTransformations",
                     to == NGFF_V06 ? sequence(dataset, i, &s) : flat(dataset, &fits, &s),
                     &s);
        ngff_ome_add(list, changed, &s);
        if (!fits)
            (void)ngff_fail(err, NGFF_UNSUPPORTED,
                            "%s: not a scale and a translation: name an output",
                            path_of(dataset));
    }
    ngff_ome_put(into, "datasets", list, &s);
    if (!fits)
        return NGFF_UNSUPPORTED;
    return s == NGFF_OK ? s : ngff_fail_nomem(err, "datasets", 0);
}

/* ---- entries ---- */

static ngff_status check_version(const ngff_json *entry, ngff_error *err) {
    const char *version = ngff_json_str(ngff_json_get(entry, "version"));
    ngff_version v = version ? ngff_version_from_text(version) : NGFF_V04;
    if (v == NGFF_V01 || v == NGFF_V02 || v == NGFF_V03)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "OME-Zarr %s has no scales: name an output", version);
    return NGFF_OK;
}

static ngff_status check_entry(const ngff_json *entry, ngff_error *err) {
    size_t systems = ngff_json_len(ngff_json_get(entry, "coordinateSystems"));
    if (ngff_json_len(ngff_json_get(entry, "coordinateTransformations")) > 0)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "transformations of the whole image cannot be expressed: name "
                         "an output");
    if (systems > 1)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "%zu coordinate systems cannot be expressed: name an output",
                         systems);
    return NGFF_OK;
}

static ngff_status entry_to(const ngff_json *entry, ngff_version to, ngff_json *out,
                            ngff_error *err) {
    static const char *const same[] = {"version", NULL};
    static const char *const moved[] = {"version", "axes", "coordinateSystems",
                                        "datasets", NULL};
    const ngff_json *systems = ngff_json_get(entry, "coordinateSystems");
    ngff_status s = NGFF_OK;
    NGFF_TRY(check_version(entry, err));
    if ((systems != NULL) == (to == NGFF_V06)) {
        copy_members(entry, same, out, &s);
        return s == NGFF_OK ? s : ngff_fail_nomem(err, "multiscales", 0);
    }
    NGFF_TRY(check_entry(entry, err));
    if (to == NGFF_V06) {
        ngff_json *system = named("name", SYSTEM, &s), *list = ngff_json_new_array();
        ngff_ome_put(system, "axes", dup(ngff_json_get(entry, "axes"), &s), &s);
        ngff_ome_add(list, system, &s);
        ngff_ome_put(out, "coordinateSystems", list, &s);
    } else {
        const ngff_json *axes = ngff_json_get(ngff_json_at(systems, 0), "axes");
        ngff_ome_put(out, "axes", dup(axes, &s), &s);
    }
    NGFF_TRY(datasets(entry, to, out, err));
    copy_members(entry, moved, out, &s);
    return s == NGFF_OK ? s : ngff_fail_nomem(err, "multiscales", 0);
}

static ngff_status entries_to(const ngff_json *list, ngff_version to, ngff_json *ome,
                              ngff_error *err) {
    ngff_json *out = ngff_json_new_array();
    ngff_status s = NGFF_OK, status = NGFF_OK;
    for (size_t i = 0; i < ngff_json_len(list) && status == NGFF_OK; i++) {
        ngff_json *changed = ngff_json_new_object();
        status = changed ? entry_to(ngff_json_at(list, i), to, changed, err)
                         : ngff_fail_nomem(err, "multiscales", 0);
        ngff_ome_add(out, changed, &s);
    }
    ngff_ome_put(ome, "multiscales", out, &s);
    if (status != NGFF_OK)
        return status;
    return s == NGFF_OK ? s : ngff_fail_nomem(err, "multiscales", 0);
}

/* ---- attributes ---- */

static const char *const names[] = {"multiscales", "omero", "labels", "image-label",
                                    NULL};

static ngff_status check_kind(const ngff_json *found, ngff_error *err) {
    static const char *const others[] = {"plate", "well", "bioformats2raw.layout"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (ngff_json_get(found, others[i]))
            return ngff_fail(err, NGFF_UNSUPPORTED,
                             "plates, wells and containers are not upgraded: name an "
                             "image inside");
    return NGFF_OK;
}

static ngff_status ome_to(const ngff_json *found, const ngff_json *own, ngff_version to,
                          ngff_json *ome, ngff_error *err) {
    static const char *const changed[] = {"version", "multiscales", NULL};
    ngff_status s = NGFF_OK;
    const ngff_json *from = own ? own : found;
    ngff_ome_put(ome, "version", ngff_json_new_str(ngff_version_text(to)), &s);
    if (ngff_json_get(from, "multiscales"))
        NGFF_TRY(entries_to(ngff_json_get(from, "multiscales"), to, ome, err));
    if (own)
        copy_members(own, changed, ome, &s);
    for (int i = 1; !own && names[i]; i++)
        if (ngff_json_get(found, names[i]))
            ngff_ome_put(ome, names[i], dup(ngff_json_get(found, names[i]), &s), &s);
    return s == NGFF_OK ? s : ngff_fail_nomem(err, "attributes", 0);
}

ngff_status ngff_ome_upgrade(const ngff_json *attributes, ngff_version to,
                             ngff_json **out, ngff_error *err) {
    static const char *const ome_only[] = {"ome", NULL};
    static const char *const all[] = {"ome",    "multiscales", "omero",
                                      "labels", "image-label", NULL};
    const ngff_json *own = ngff_json_get(attributes, "ome");
    bool any = ngff_json_len(own) > 0;
    *out = NULL;
    NGFF_TRY(check_kind(attributes, err));
    NGFF_TRY(check_kind(own, err));
    for (int i = 0; names[i]; i++)
        any = any || ngff_json_get(attributes, names[i]);
    if (!any)
        return NGFF_OK;
    ngff_json *changed = ngff_json_new_object(), *ome = ngff_json_new_object();
    ngff_status s = NGFF_OK;
    ngff_status status = ome ? ome_to(attributes, own, to, ome, err)
                             : ngff_fail_nomem(err, "attributes", 0);
    copy_members(attributes, own ? ome_only : all, changed, &s);
    ngff_ome_put(changed, "ome", ome, &s);
    if (status == NGFF_OK && s != NGFF_OK)
        status = ngff_fail_nomem(err, "attributes", 0);
    if (status != NGFF_OK)
        ngff_json_close(&changed);
    *out = changed;
    return status;
}
