/* ome: the orientation of axes as a document has it, judged by RFC-4 in the words of the
 * conformance contract: one verdict, whatever the document holds. */
#include "ome/inside.h"
#include "ome/judge.h"

/* The system that the levels lead to, else the first. */
static const ngff_json *intrinsic(const ngff_json *entry, const ngff_json *systems) {
    const ngff_json *datasets = ngff_json_get(entry, "datasets");
    const char *wanted = NULL;
    for (size_t i = 0; !wanted && i < ngff_json_len(datasets); i++) {
        const ngff_json *list =
            ngff_json_get(ngff_json_at(datasets, i), "coordinateTransformations");
        wanted = ngff_json_str(
            ngff_json_get(ngff_json_get(ngff_json_at(list, 0), "output"), "name"));
    }
    for (size_t i = 0; wanted && i < ngff_json_len(systems); i++) {
        const char *name = ngff_json_str(ngff_json_get(ngff_json_at(systems, i), "name"));
        if (name && strcmp(name, wanted) == 0)
            return ngff_json_at(systems, i);
    }
    return ngff_json_at(systems, 0);
}

const ngff_json *ngff_ome_raw_axes(const ngff_json *entry) {
    const ngff_json *axes = ngff_json_get(entry, "axes");
    const ngff_json *systems = ngff_json_get(entry, "coordinateSystems");
    if (!axes && ngff_json_type_of(systems) == NGFF_JSON_ARRAY)
        axes = ngff_json_get(intrinsic(entry, systems), "axes");
    return ngff_json_type_of(axes) == NGFF_JSON_ARRAY ? axes : NULL;
}

static bool is_text(const ngff_json *node, const char *want) {
    const char *text = ngff_json_str(node);
    return text && strcmp(text, want) == 0;
}

const char *ngff_ome_orientation_fault(const ngff_json *axis, int *pair) {
    const ngff_json *orientation = ngff_json_get(axis, "orientation");
    const ngff_json *value = ngff_json_get(orientation, "value");
    *pair = -1;
    if (ngff_json_type_of(orientation) != NGFF_JSON_OBJECT ||
        ngff_json_len(orientation) == 0)
        return NULL; /* as if it were not there */
    if (!is_text(ngff_json_get(axis, "type"), "space"))
        return "orientation-on-non-space";
    if (!is_text(ngff_json_get(orientation, "type"), "anatomical"))
        return "bad-type";
    if (ngff_json_type_of(value) == NGFF_JSON_NULL)
        return "missing-value";
    const char *text = ngff_json_str(value);
    *pair = text ? ngff_ome_orientation_pair(text) : -1;
    return *pair < 0 ? "bad-value" : NULL;
}

bool ngff_ome_orientation_is_null(const ngff_json *axis) {
    const char *name = NULL;
    for (size_t i = 0; i < ngff_json_len(axis); i++) {
        const ngff_json *value = ngff_json_member(axis, i, &name);
        if (strcmp(name, "orientation") == 0)
            return ngff_json_type_of(value) == NGFF_JSON_NULL;
    }
    return false;
}

typedef struct verdict {
    ngff_json *axes, *violations, *warnings; /* inside `whole` when it is done */
    ngff_status s;
} verdict;

static void judge_axes(const ngff_json *axes, verdict *v) {
    uint32_t seen = 0; /* pairs of directions */
    for (size_t i = 0; i < ngff_json_len(axes); i++) {
        const ngff_json *axis = ngff_json_at(axes, i);
        const ngff_json *value =
            ngff_json_get(ngff_json_get(axis, "orientation"), "value");
        const char *name = ngff_json_str(ngff_json_get(axis, "name"));
        const char *text = ngff_json_str(value);
        int pair;
        if (ngff_json_type_of(axis) != NGFF_JSON_OBJECT)
            continue;
        if (name && text && text[0])
            ngff_ome_put(v->axes, name, ngff_json_new_str(text), &v->s);
        if (ngff_ome_orientation_is_null(axis))
            ngff_ome_add(v->warnings, ngff_json_new_str("null-orientation"), &v->s);
        const char *fault = ngff_ome_orientation_fault(axis, &pair);
        if (!fault && pair >= 0 && (seen >> pair & 1) != 0)
            fault = "duplicate-anatomical-axis";
        if (pair >= 0)
            seen |= UINT32_C(1) << pair;
        if (fault)
            ngff_ome_add(v->violations, ngff_json_new_str(fault), &v->s);
    }
}

static const ngff_json *axes_of(const ngff_json *document) {
    const ngff_json *attributes = ngff_json_get(document, "attributes");
    attributes = attributes ? attributes : document;
    const ngff_json *ome = ngff_json_get(attributes, "ome");
    const ngff_json *list = ngff_json_get(ome ? ome : attributes, "multiscales");
    const ngff_json *axes = ngff_json_type_of(list) == NGFF_JSON_ARRAY
                                ? ngff_ome_raw_axes(ngff_json_at(list, 0))
                                : NULL;
    return ngff_json_len(axes) > 0 ? axes : NULL;
}

ngff_status ngff_ome_rfc4(const ngff_json *document, const char *unreadable,
                          ngff_json **out, ngff_error *err) {
    const ngff_json *axes = unreadable ? NULL : axes_of(document);
    verdict v = {ngff_json_new_object(), ngff_json_new_array(), ngff_json_new_array(),
                 NGFF_OK};
    if (!axes && !unreadable)
        unreadable = "input-not-ome-zarr";
    if (unreadable)
        ngff_ome_add(v.violations, ngff_json_new_str(unreadable), &v.s);
    else
        judge_axes(axes, &v);
    bool valid = ngff_json_len(v.violations) == 0;
    *out = ngff_json_new_object();
    ngff_ome_put(*out, "format", ngff_json_new_str("ome-zarr"), &v.s);
    ngff_ome_put(*out, "rfc4_valid", ngff_json_new_bool(valid), &v.s);
    ngff_ome_put(*out, "axes", v.axes, &v.s);
    ngff_ome_put(*out, "violations", v.violations, &v.s);
    ngff_ome_put(*out, "warnings", v.warnings, &v.s);
    if (v.s == NGFF_OK)
        return NGFF_OK;
    ngff_json_close(out);
    return ngff_fail_nomem(err, "a verdict", 256);
}
