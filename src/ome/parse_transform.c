/* ome: coordinateTransformations folded into one scale and one translation per axis. */
#include "ome/inside.h"

#include <math.h>

void ngff_ome_affine_identity(ngff_ome_affine *t) {
    *t = (ngff_ome_affine){.has_scale = false};
    for (int i = 0; i < NGFF_MAX_NDIM; i++)
        t->scale[i] = 1.0;
}

/* CT-3, MS-17: one finite number per axis. */
static ngff_status parse_vector(const ngff_json *node, const char *member, int ndim,
                                const char *where, double *out, ngff_error *err) {
    const ngff_json *list = ngff_json_get(node, member);
    if (!list && ngff_json_get(node, "path"))
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "%s: a %s kept in an array is not handled, only numbers", where,
                         member);
    if (ngff_json_type_of(list) != NGFF_JSON_ARRAY)
        return ngff_fail(err, NGFF_FORMAT, "%s: no list '%s' found", where, member);
    if (ngff_json_len(list) != (size_t)ndim)
        return ngff_fail(err, NGFF_FORMAT, "%s: %s of %zu numbers, expected %d (axes)",
                         where, member, ngff_json_len(list), ndim);
    for (int i = 0; i < ndim; i++) {
        if (!ngff_json_f64(ngff_json_at(list, (size_t)i), &out[i]) || !isfinite(out[i]))
            return ngff_fail(err, NGFF_FORMAT, "%s: %s[%d] is not a finite number", where,
                             member, i);
    }
    return NGFF_OK;
}

static ngff_status apply_scale(const ngff_json *node, int ndim, const char *where,
                               ngff_ome_affine *t, ngff_error *err) {
    double v[NGFF_MAX_NDIM];
    NGFF_TRY(parse_vector(node, "scale", ndim, where, v, err));
    for (int i = 0; i < ndim; i++) {
        if (v[i] <= 0.0)
            return ngff_fail(err, NGFF_FORMAT,
                             "%s: scale[%d] is %g, expected a number > 0", where, i,
                             v[i]);
        t->scale[i] *= v[i];
        t->translation[i] *= v[i];
    }
    t->has_scale = true;
    return NGFF_OK;
}

static ngff_status apply_translation(const ngff_json *node, int ndim, const char *where,
                                     ngff_ome_affine *t, ngff_error *err) {
    double v[NGFF_MAX_NDIM];
    NGFF_TRY(parse_vector(node, "translation", ndim, where, v, err));
    for (int i = 0; i < ndim; i++)
        t->translation[i] += v[i];
    t->has_translation = true;
    return NGFF_OK;
}

/* scale, translation and identity; false in *known for anything else. */
static ngff_status apply_simple(const ngff_json *node, int ndim, const char *where,
                                ngff_ome_affine *t, bool *known, ngff_error *err) {
    const char *type = ngff_json_str(ngff_json_get(node, "type"));
    *known = true;
    if (!type)
        return ngff_fail(err, NGFF_FORMAT, "%s: a transformation without a type", where);
    if (strcmp(type, "identity") == 0)
        return NGFF_OK;
    if (strcmp(type, "scale") == 0)
        return apply_scale(node, ndim, where, t, err);
    if (strcmp(type, "translation") == 0)
        return apply_translation(node, ndim, where, t, err);
    *known = false;
    return NGFF_OK;
}

static ngff_status refuse(const ngff_json *node, const char *where, ngff_error *err) {
    return ngff_fail(err, NGFF_UNSUPPORTED,
                     "%s: transformation '%s', expected scale, translation or identity",
                     where, ngff_json_str(ngff_json_get(node, "type")));
}

/* TR-7: a 0.6 dataset holds a sequence of simple ones; a sequence inside a sequence is
 * refused. */
static ngff_status apply_sequence(const ngff_json *node, int ndim, const char *where,
                                  ngff_ome_affine *t, ngff_error *err) {
    const ngff_json *list = ngff_json_get(node, "transformations");
    if (ngff_json_type_of(list) != NGFF_JSON_ARRAY || ngff_json_len(list) == 0)
        return ngff_fail(err, NGFF_FORMAT, "%s: a sequence without transformations",
                         where);
    for (size_t i = 0; i < ngff_json_len(list); i++) {
        bool known;
        const ngff_json *step = ngff_json_at(list, i);
        NGFF_TRY(apply_simple(step, ndim, where, t, &known, err));
        if (!known)
            return refuse(step, where, err);
    }
    return NGFF_OK;
}

ngff_status ngff_ome_parse_transforms(const ngff_json *transforms, int ndim,
                                      const char *where, ngff_ome_affine *t,
                                      ngff_error *err) {
    if (ngff_json_type_of(transforms) == NGFF_JSON_NULL)
        return NGFF_OK;
    if (ngff_json_type_of(transforms) != NGFF_JSON_ARRAY)
        return ngff_fail(err, NGFF_FORMAT, "%s: coordinateTransformations is not a list",
                         where);
    for (size_t i = 0; i < ngff_json_len(transforms); i++) {
        const ngff_json *node = ngff_json_at(transforms, i);
        bool known;
        NGFF_TRY(apply_simple(node, ndim, where, t, &known, err));
        const char *type = ngff_json_str(ngff_json_get(node, "type"));
        if (known)
            continue;
        if (strcmp(type, "sequence") != 0)
            return refuse(node, where, err);
        NGFF_TRY(apply_sequence(node, ndim, where, t, err));
    }
    for (int i = 0; i < ndim; i++) { /* products may overflow or vanish */
        if (!isfinite(t->scale[i]) || t->scale[i] <= 0.0 || !isfinite(t->translation[i]))
            return ngff_fail(err, NGFF_FORMAT,
                             "%s: scale %g and translation %g of axis %d are no position",
                             where, t->scale[i], t->translation[i], i);
    }
    return NGFF_OK;
}
