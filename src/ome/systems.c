/* ome: coordinate systems and transformations of 0.6 (RFC-5) beside those of the levels,
 * as a caller or another image brings them: every name is declared once (CS-1, TR-1,
 * TR-8). */
#include "ome/inside.h"

#include <stdio.h>

/* Axes of a system; -1: it is not declared. */
static int axes_of(const ngff_json *systems, int ndim, const char *name) {
    if (strcmp(name, NGFF_OME_INTRINSIC) == 0)
        return ndim;
    for (size_t i = 0; i < ngff_json_len(systems); i++) {
        const ngff_json *system = ngff_json_at(systems, i);
        const char *found = ngff_json_str(ngff_json_get(system, "name"));
        if (found && strcmp(found, name) == 0)
            return (int)ngff_json_len(ngff_json_get(system, "axes"));
    }
    return -1;
}

/* TR-1, TR-8: named, and declared here unless a path says where. */
static ngff_status check_end(const ngff_json *end, const ngff_json *systems, int *axes,
                             const char *where, ngff_error *err) {
    const char *name = ngff_json_str(ngff_json_get(end, "name"));
    const ngff_json *path = ngff_json_get(end, "path");
    if (!name)
        return ngff_fail(err, NGFF_INVALID, "%s names no coordinate system", where);
    if (path && !ngff_ome_is_inside(ngff_json_str(path)))
        return ngff_fail(err, NGFF_INVALID, "%s: its path does not stay below the image",
                         where);
    *axes = path ? -1 : axes_of(systems, *axes, name);
    if (!path && *axes < 0)
        return ngff_fail(err, NGFF_INVALID,
                         "%s names coordinate system '%s', which is not declared", where,
                         name);
    return NGFF_OK;
}

static ngff_status check_axes(const ngff_json *axes, size_t index, ngff_error *err) {
    size_t n = ngff_json_len(axes);
    if (ngff_json_type_of(axes) != NGFF_JSON_ARRAY || n < 2 || n > NGFF_MAX_NDIM)
        return ngff_fail(err, NGFF_INVALID,
                         "coordinateSystems[%zu]: %zu axes, expected 2 to %d", index, n,
                         NGFF_MAX_NDIM);
    for (size_t i = 0; i < n; i++) {
        const char *name = ngff_json_str(ngff_json_get(ngff_json_at(axes, i), "name"));
        bool twice = false;
        for (size_t j = 0; name && j < i; j++)
            twice = twice || strcmp(name, ngff_json_str(ngff_json_get(
                                              ngff_json_at(axes, j), "name"))) == 0;
        if (!name || !name[0] || twice)
            return ngff_fail(
                err, NGFF_INVALID,
                "coordinateSystems[%zu].axes[%zu]: %s, expected a name of its "
                "own",
                index, i, twice ? name : "no name");
    }
    return NGFF_OK;
}

/* CS-1 */
static ngff_status check_systems(const ngff_json *systems, ngff_error *err) {
    if (systems && ngff_json_type_of(systems) != NGFF_JSON_ARRAY)
        return ngff_fail(err, NGFF_INVALID, "coordinateSystems is no list");
    for (size_t i = 0; i < ngff_json_len(systems); i++) {
        const ngff_json *system = ngff_json_at(systems, i);
        const char *name = ngff_json_str(ngff_json_get(system, "name"));
        if (!name || !name[0])
            return ngff_fail(err, NGFF_INVALID, "coordinateSystems[%zu] has no name", i);
        NGFF_TRY(check_axes(ngff_json_get(system, "axes"), i, err));
        bool twice = strcmp(name, NGFF_OME_INTRINSIC) == 0;
        for (size_t j = 0; j < i; j++)
            twice = twice || strcmp(name, ngff_json_str(ngff_json_get(
                                              ngff_json_at(systems, j), "name"))) == 0;
        if (twice)
            return ngff_fail(err, NGFF_INVALID,
                             "coordinateSystems[%zu]: '%s' is there already", i, name);
    }
    return NGFF_OK;
}

ngff_status ngff_ome_check_more(const ngff_json *more, int ndim, ngff_error *err) {
    if (ngff_json_type_of(more) != NGFF_JSON_OBJECT)
        return ngff_fail(err, NGFF_INVALID, "the coordinate systems are no JSON object");
    const ngff_json *systems = ngff_json_get(more, "coordinateSystems");
    const ngff_json *list = ngff_json_get(more, "coordinateTransformations");
    for (size_t i = 0; i < ngff_json_len(more); i++) {
        const char *name = NULL;
        const ngff_json *value = ngff_json_member(more, i, &name);
        if (value != systems && value != list)
            return ngff_fail(err, NGFF_INVALID,
                             "'%s', expected coordinateSystems or "
                             "coordinateTransformations",
                             name);
    }
    NGFF_TRY(check_systems(systems, err));
    if (list && (ngff_json_type_of(list) != NGFF_JSON_ARRAY || ngff_json_len(list) == 0))
        return ngff_fail(err, NGFF_INVALID,
                         "coordinateTransformations is no list of any");
    for (size_t i = 0; i < ngff_json_len(list); i++) {
        const ngff_json *node = ngff_json_at(list, i);
        char where[64], end[80];
        int in = ndim, out = ndim;
        snprintf(where, sizeof where, "coordinateTransformations[%zu]", i);
        snprintf(end, sizeof end, "%s.input", where);
        NGFF_TRY(check_end(ngff_json_get(node, "input"), systems, &in, end, err));
        snprintf(end, sizeof end, "%s.output", where);
        NGFF_TRY(check_end(ngff_json_get(node, "output"), systems, &out, end, err));
        NGFF_TRY(ngff_ome_check_transform(node, in, out, where, err));
    }
    return NGFF_OK;
}

/* ---- of another image -----------------------------------------------------------------
 */

static const ngff_json *entry_of(const ngff_json *attributes) {
    return ngff_json_at(ngff_json_get(ngff_json_get(attributes, "ome"), "multiscales"),
                        0);
}

/* Where its levels lead: MS6-3. */
static const char *intrinsic_of(const ngff_json *entry) {
    const ngff_json *dataset = ngff_json_at(ngff_json_get(entry, "datasets"), 0);
    const ngff_json *step =
        ngff_json_at(ngff_json_get(dataset, "coordinateTransformations"), 0);
    return ngff_json_str(ngff_json_get(ngff_json_get(step, "output"), "name"));
}

static void put_copy(ngff_json *out, const char *name, const ngff_json *value,
                     ngff_status *s) {
    ngff_json *copy = NULL;
    ngff_status now = ngff_json_dup(value, &copy, NULL);
    if (now == NGFF_OK)
        ngff_ome_put(out, name, copy, &now);
    *s = *s == NGFF_OK ? now : *s;
}

ngff_status ngff_ome_more_of(const ngff_json *attributes, ngff_json **out,
                             ngff_error *err) {
    *out = NULL;
    const ngff_json *entry = entry_of(attributes);
    const ngff_json *systems = ngff_json_get(entry, "coordinateSystems");
    const ngff_json *steps = ngff_json_get(entry, "coordinateTransformations");
    const char *own = intrinsic_of(entry);
    if (!systems || (ngff_json_len(systems) < 2 && !steps))
        return NGFF_OK;
    if (!own || strcmp(own, NGFF_OME_INTRINSIC) != 0)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "the levels lead to coordinate system '%s', expected '%s'",
                         own ? own : "", NGFF_OME_INTRINSIC);
    ngff_status s = NGFF_OK;
    ngff_json *more = ngff_json_new_object(), *list = ngff_json_new_array();
    for (size_t i = 0; i < ngff_json_len(systems); i++) {
        const char *name = ngff_json_str(ngff_json_get(ngff_json_at(systems, i), "name"));
        ngff_json *copy = NULL;
        if (name && strcmp(name, own) == 0)
            continue;
        s = s == NGFF_OK ? ngff_json_dup(ngff_json_at(systems, i), &copy, NULL) : s;
        ngff_ome_add(list, copy, &s);
    }
    ngff_ome_put(more, "coordinateSystems", list, &s);
    if (steps)
        put_copy(more, "coordinateTransformations", steps, &s);
    if (s != NGFF_OK) {
        ngff_json_close(&more);
        return ngff_fail_nomem(err, "coordinate systems", 0);
    }
    *out = more;
    return NGFF_OK;
}
