/* ome: transformations of 0.6 (RFC-5): every parameter fits the axes that go in and come
 * out (TR-2 - TR-21). */
#include "ome/inside.h"

#include <math.h>
#include <stdio.h>

/* Axes on both sides of a transformation; -1 where nothing tells. */
typedef struct span {
    int in, out;
} span;

static ngff_status check_node(const ngff_json *node, span *s, const char *where,
                              ngff_error *err);

static ngff_status bad(ngff_error *err, const char *where, const ngff_json *node,
                       const char *what) {
    const char *type = ngff_json_str(ngff_json_get(node, "type"));
    return ngff_fail(err, NGFF_INVALID, "%s (%s): %s", where, type ? type : "no type",
                     what);
}

/* What the parameters say against what is known of both sides; both are known better
 * then. */
static ngff_status settle(const ngff_json *node, span *s, span own, const char *where,
                          ngff_error *err) {
    char text[80];
    if (s->in >= 0 && own.in >= 0 && s->in != own.in) {
        snprintf(text, sizeof text, "takes %d axes, there are %d", own.in, s->in);
        return bad(err, where, node, text);
    }
    if (s->out >= 0 && own.out >= 0 && s->out != own.out) {
        snprintf(text, sizeof text, "gives %d axes, expected %d", own.out, s->out);
        return bad(err, where, node, text);
    }
    s->in = own.in >= 0 ? own.in : s->in;
    s->out = own.out >= 0 ? own.out : s->out;
    return NGFF_OK;
}

/* As many axes on one side as on the other. */
static ngff_status keep_axes(const ngff_json *node, span *s, const char *where,
                             ngff_error *err) {
    int known = s->in >= 0 ? s->in : s->out;
    return settle(node, s, (span){known, known}, where, err);
}

/* ---- parameters -------------------------------------------------------------------- */

/* -1: no list of 1 to 6 finite numbers (above zero). */
static int vector_length(const ngff_json *list, bool positive) {
    size_t n = ngff_json_len(list);
    if (ngff_json_type_of(list) != NGFF_JSON_ARRAY || n < 1 || n > NGFF_MAX_NDIM + 1)
        return -1;
    for (size_t i = 0; i < n; i++) {
        double v;
        if (!ngff_json_f64(ngff_json_at(list, i), &v) || !isfinite(v) ||
            (positive && v <= 0.0))
            return -1;
    }
    return (int)n;
}

static ngff_status check_vector(const ngff_json *node, span *s, const char *where,
                                ngff_error *err) {
    const char *type = ngff_json_str(ngff_json_get(node, "type"));
    bool scale = strcmp(type, "scale") == 0;
    int n = vector_length(ngff_json_get(node, type), scale);
    if (n < 0)
        return bad(err, where, node,
                   scale ? "no list of finite numbers above 0"
                         : "no list of finite numbers");
    return settle(node, s, (span){n, n}, where, err);
}

bool ngff_ome_is_inside(const char *path) {
    if (!path || strpbrk(path, "\\%:") || path[0] == '\0')
        return false;
    for (const char *part = path; part; part = strchr(part, '/')) {
        part += part == path ? 0 : 1;
        size_t n = strcspn(part, "/");
        if (n == 0 || strspn(part, ".") >= n)
            return false;
    }
    return true;
}

/* TR-15, TR-16: the numbers are here, or in an array of the store. */
static ngff_status check_matrix(const ngff_json *node, span *s, const char *where,
                                ngff_error *err) {
    const char *type = ngff_json_str(ngff_json_get(node, "type"));
    bool rotation = strcmp(type, "rotation") == 0;
    const ngff_json *rows = ngff_json_get(node, type);
    const ngff_json *path = ngff_json_get(node, "path");
    if ((rows != NULL) == (path != NULL))
        return bad(err, where, node, "either a matrix or the path of one is needed");
    if (path && !ngff_ome_is_inside(ngff_json_str(path)))
        return bad(err, where, node, "its path does not stay below the image");
    if (path)
        return rotation ? keep_axes(node, s, where, err) : NGFF_OK;
    int count = (int)ngff_json_len(rows), columns = -1;
    bool good = ngff_json_type_of(rows) == NGFF_JSON_ARRAY && count >= 1 &&
                count <= NGFF_MAX_NDIM;
    for (int i = 0; good && i < count; i++) {
        int n = vector_length(ngff_json_at(rows, (size_t)i), false);
        good = n > 0 && (i == 0 || n == columns);
        columns = n;
    }
    if (!good || columns < (rotation ? count : 2) || (rotation && columns != count))
        return bad(err, where, node, "no rectangular matrix of finite numbers");
    return settle(node, s, (span){columns - !rotation, count}, where, err);
}

/* A set of axis indices below `limit` (-1: any) as bits in *set. */
static bool index_set(const ngff_json *list, int limit, uint32_t *set) {
    *set = 0;
    if (ngff_json_type_of(list) != NGFF_JSON_ARRAY || ngff_json_len(list) == 0)
        return false;
    for (size_t i = 0; i < ngff_json_len(list); i++) {
        int64_t v;
        if (!ngff_json_i64(ngff_json_at(list, i), &v) || v < 0 || v > 31 ||
            (limit >= 0 && v >= limit) || (*set >> v & 1U))
            return false;
        *set |= 1U << v;
    }
    return true;
}

/* TR-12 */
static ngff_status check_map(const ngff_json *node, span *s, const char *where,
                             ngff_error *err) {
    const ngff_json *list = ngff_json_get(node, "mapAxis");
    int n = (int)ngff_json_len(list);
    uint32_t set;
    if (n < 2 || n > NGFF_MAX_NDIM || !index_set(list, n, &set))
        return bad(err, where, node, "no permutation of 2 to 5 axes, counted from 0");
    return settle(node, s, (span){n, n}, where, err);
}

/* TR-13 */
static ngff_status check_project(const ngff_json *node, span *s, const char *where,
                                 ngff_error *err) {
    const ngff_json *dropped = ngff_json_get(node, "droppedInputs");
    const ngff_json *created = ngff_json_get(node, "createdOutputs");
    int less = (int)ngff_json_len(dropped), more = (int)ngff_json_len(created);
    uint32_t set;
    if ((!dropped && !created) || (dropped && !index_set(dropped, s->in, &set)) ||
        less > 3 || more > 3)
        return bad(err, where, node, "droppedInputs or createdOutputs name no axes");
    span own = {s->in, s->in >= 0 ? s->in - less + more : -1};
    NGFF_TRY(settle(node, s, own, where, err));
    if (created && !index_set(created, s->out, &set))
        return bad(err, where, node, "createdOutputs name no axes");
    return NGFF_OK;
}

/* TR-18 */
static ngff_status check_field(const ngff_json *node, span *s, const char *where,
                               ngff_error *err) {
    if (!ngff_ome_is_inside(ngff_json_str(ngff_json_get(node, "path"))))
        return bad(err, where, node, "no path of a field below the image");
    bool offsets =
        strcmp(ngff_json_str(ngff_json_get(node, "type")), "displacements") == 0;
    return offsets ? keep_axes(node, s, where, err) : NGFF_OK;
}

/* ---- what holds others ----------------------------------------------------------------
 */

/* TR-17 */
static ngff_status check_sequence(const ngff_json *node, span *s, const char *where,
                                  ngff_error *err) {
    const ngff_json *list = ngff_json_get(node, "transformations");
    size_t n = ngff_json_len(list);
    if (ngff_json_type_of(list) != NGFF_JSON_ARRAY || n == 0)
        return bad(err, where, node, "no transformations");
    int axes = s->in;
    for (size_t i = 0; i < n; i++) {
        char inner[160];
        span step = {axes, i + 1 == n ? s->out : -1};
        snprintf(inner, sizeof inner, "%.120s.transformations[%zu]", where, i);
        NGFF_TRY(check_node(ngff_json_at(list, i), &step, inner, err));
        axes = step.out;
    }
    s->out = axes;
    return NGFF_OK;
}

/* TR-20: each output axis once. */
static ngff_status check_dimensions(const ngff_json *node, span *s, const char *where,
                                    ngff_error *err) {
    const ngff_json *list = ngff_json_get(node, "transformations");
    uint32_t produced = 0, in, out;
    int count = 0;
    for (size_t i = 0; i < ngff_json_len(list); i++) {
        const ngff_json *item = ngff_json_at(list, i);
        const ngff_json *outputs = ngff_json_get(item, "outputAxes");
        char inner[160];
        span own = {(int)ngff_json_len(ngff_json_get(item, "inputAxes")),
                    (int)ngff_json_len(outputs)};
        if (!index_set(ngff_json_get(item, "inputAxes"), s->in, &in) ||
            !index_set(outputs, s->out, &out) || (produced & out))
            return bad(err, where, node,
                       "axes are beyond those there are, or made twice");
        snprintf(inner, sizeof inner, "%.120s.transformations[%zu]", where, i);
        NGFF_TRY(check_node(ngff_json_get(item, "transformation"), &own, inner, err));
        produced |= out;
        count += own.out;
    }
    if (count == 0 || produced != (1U << count) - 1U)
        return bad(err, where, node, "not every output axis is made");
    return settle(node, s, (span){-1, count}, where, err);
}

/* TR-21 */
static ngff_status check_bijection(const ngff_json *node, span *s, const char *where,
                                   ngff_error *err) {
    char inner[160];
    NGFF_TRY(keep_axes(node, s, where, err));
    snprintf(inner, sizeof inner, "%.120s.forward", where);
    NGFF_TRY(check_node(ngff_json_get(node, "forward"), s, inner, err));
    span back = {s->out, s->in};
    snprintf(inner, sizeof inner, "%.120s.inverse", where);
    NGFF_TRY(check_node(ngff_json_get(node, "inverse"), &back, inner, err));
    return settle(node, s, (span){back.out, back.in}, where, err);
}

/* Depth is bounded: json refuses documents deeper than 64. */
static ngff_status check_node(const ngff_json *node, span *s, const char *where,
                              ngff_error *err) {
    static const struct {
        const char *type;
        ngff_status (*check)(const ngff_json *, span *, const char *, ngff_error *);
    } table[] = {{"identity", keep_axes},        {"scale", check_vector},
                 {"translation", check_vector},  {"rotation", check_matrix},
                 {"affine", check_matrix},       {"mapAxis", check_map},
                 {"projectAxis", check_project}, {"displacements", check_field},
                 {"coordinates", check_field},   {"sequence", check_sequence},
                 {"bijection", check_bijection}, {"byDimension", check_dimensions}};
    const char *type = ngff_json_str(ngff_json_get(node, "type"));
    for (size_t i = 0; type && i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(type, table[i].type) == 0)
            return table[i].check(node, s, where, err);
    }
    return bad(err, where, node, "no transformation of OME-Zarr 0.6");
}

ngff_status ngff_ome_check_transform(const ngff_json *node, int in, int out,
                                     const char *where, ngff_error *err) {
    span s = {in, out};
    return check_node(node, &s, where, err);
}
