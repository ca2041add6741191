/* ome: the attributes of an image group, written. Member order follows ngff-zarr, so that
 * documents can be compared line by line. */
#include "ome/inside.h"

#include <math.h>
#include <stdio.h>

/* A copy without `null` members (pixels.md 16). Depth is bounded: json refuses documents
 * deeper than 64. */
static ngff_json *copy_without_nulls(const ngff_json *node, int depth) {
    ngff_json_type type = ngff_json_type_of(node);
    ngff_json *out = NULL;
    if (depth > 64 || (type != NGFF_JSON_OBJECT && type != NGFF_JSON_ARRAY))
        return ngff_json_dup(node, &out, NULL) == NGFF_OK ? out : NULL;
    bool object = type == NGFF_JSON_OBJECT;
    out = object ? ngff_json_new_object() : ngff_json_new_array();
    for (size_t i = 0; out && i < ngff_json_len(node); i++) {
        const char *name = NULL;
        const ngff_json *value =
            object ? ngff_json_member(node, i, &name) : ngff_json_at(node, i);
        if (ngff_json_type_of(value) == NGFF_JSON_NULL)
            continue;
        ngff_json *copy = copy_without_nulls(value, depth + 1);
        ngff_status s =
            object ? ngff_json_set(out, name, copy) : ngff_json_push(out, copy);
        if (s != NGFF_OK)
            ngff_json_close(&out);
    }
    return out;
}

static ngff_json *axis_json(const ngff_axis *axis, const ngff_ome_emit_opts *opts,
                            ngff_status *s) {
    ngff_json *out = ngff_json_new_object();
    ngff_ome_put(out, "name", ngff_json_new_str(axis->name), s);
    if (axis->type[0])
        ngff_ome_put(out, "type", ngff_json_new_str(axis->type), s);
    char unit[32]; /* whoever filled the description, the UDUNITS name is written */
    ngff_ome_unit(axis->unit, axis->type, unit);
    if (unit[0])
        ngff_ome_put(out, "unit", ngff_json_new_str(unit), s);
    if (opts->orientation && axis->orientation[0]) {
        ngff_json *orientation = ngff_json_new_object();
        ngff_ome_put(orientation, "value", ngff_json_new_str(axis->orientation), s);
        ngff_ome_put(orientation, "type", ngff_json_new_str("anatomical"), s);
        ngff_ome_put(out, "orientation", orientation, s);
    }
    return out;
}

static ngff_json *transform_json(const char *type, const double *values, int ndim,
                                 ngff_status *s) {
    ngff_json *list = ngff_json_new_array();
    for (int i = 0; i < ndim; i++)
        ngff_ome_add(list, ngff_json_new_f64(values[i]), s);
    ngff_json *out = ngff_json_new_object();
    ngff_ome_put(out, type, list, s);
    ngff_ome_put(out, "type", ngff_json_new_str(type), s);
    return out;
}

static ngff_json *object_of(const char *name, const char *text, ngff_status *s) {
    ngff_json *out = ngff_json_new_object();
    ngff_ome_put(out, name, ngff_json_new_str(text), s);
    return out;
}

/* 0.6: from the array's path to the named system, in one sequence (TR-7, MS6-2). */
static ngff_json *sequence_json(const ngff_ome_dataset *level, int n, ngff_json *steps,
                                ngff_status *s) {
    char name[40];
    snprintf(name, sizeof name, "scale%d_to_" NGFF_OME_INTRINSIC, n);
    ngff_json *out = ngff_json_new_object();
    ngff_ome_put(out, "input", object_of("path", level->path, s), s);
    ngff_ome_put(out, "output", object_of("name", NGFF_OME_INTRINSIC, s), s);
    ngff_ome_put(out, "name", ngff_json_new_str(name), s);
    ngff_ome_put(out, "type", ngff_json_new_str("sequence"), s);
    ngff_ome_put(out, "transformations", steps, s);
    ngff_json *list = ngff_json_new_array();
    ngff_ome_add(list, out, s);
    return list;
}

static ngff_json *dataset_json(const ngff_ome_multiscales *m, int n, ngff_status *s) {
    static const double zero[NGFF_MAX_NDIM] = {0};
    const ngff_ome_dataset *level = &m->level[n];
    const int ndim = m->image.desc.ndim;
    ngff_json *transforms = ngff_json_new_array();
    ngff_ome_add(transforms, transform_json("scale", level->scale, ndim, s), s);
    const double *translation = level->has_translation ? level->translation : zero;
    ngff_ome_add(transforms, transform_json("translation", translation, ndim, s), s);
    if (m->version >= NGFF_V06)
        transforms = sequence_json(level, n, transforms, s);
    ngff_json *out = ngff_json_new_object();
    ngff_ome_put(out, "path", ngff_json_new_str(level->path), s);
    ngff_ome_put(out, "coordinateTransformations", transforms, s);
    return out;
}

/* 0.6: the axes belong to a coordinate system (CS-1); others follow. */
static ngff_json *systems_json(ngff_json *axes, const ngff_json *more, ngff_status *s) {
    ngff_json *system = object_of("name", NGFF_OME_INTRINSIC, s);
    ngff_ome_put(system, "axes", axes, s);
    ngff_json *list = ngff_json_new_array();
    ngff_ome_add(list, system, s);
    const ngff_json *others = ngff_json_get(more, "coordinateSystems");
    for (size_t i = 0; i < ngff_json_len(others); i++)
        ngff_ome_add(list, copy_without_nulls(ngff_json_at(others, i), 0), s);
    return list;
}

static ngff_json *multiscale_json(const ngff_ome_multiscales *m,
                                  const ngff_ome_emit_opts *opts, ngff_status *s) {
    const ngff_image_desc *desc = &m->image.desc;
    ngff_json *axes = ngff_json_new_array();
    for (int i = 0; i < desc->ndim; i++)
        ngff_ome_add(axes, axis_json(&desc->axes[i], opts, s), s);
    ngff_json *datasets = ngff_json_new_array();
    for (int i = 0; i < m->level_count; i++)
        ngff_ome_add(datasets, dataset_json(m, i, s), s);
    ngff_json *out = ngff_json_new_object();
    if (m->version >= NGFF_V06)
        ngff_ome_put(out, "coordinateSystems", systems_json(axes, m->more, s), s);
    else
        ngff_ome_put(out, "axes", axes, s);
    ngff_ome_put(out, "datasets", datasets, s);
    const ngff_json *steps = ngff_json_get(m->more, "coordinateTransformations");
    if (steps)
        ngff_ome_put(out, "coordinateTransformations", copy_without_nulls(steps, 0), s);
    ngff_ome_put(out, "name", ngff_json_new_str(desc->name[0] ? desc->name : "image"), s);
    if (m->version == NGFF_V04) /* MS-20; from 0.5 on one version per document (GEN-6) */
        ngff_ome_put(out, "version", ngff_json_new_str("0.4"), s);
    if (m->type[0])
        ngff_ome_put(out, "type", ngff_json_new_str(m->type), s);
    if (m->metadata)
        ngff_ome_put(out, "metadata", copy_without_nulls(m->metadata, 0), s);
    ngff_ome_put(out, "@type", ngff_json_new_str("ngff:Image"), s);
    return out;
}

static ngff_status check_levels(const ngff_ome_multiscales *m, ngff_error *err) {
    int capacity = (int)(sizeof m->level / sizeof m->level[0]);
    if (m->level_count < 1 || m->level_count > capacity)
        return ngff_fail(err, NGFF_INVALID, "%d levels, expected 1 to %d", m->level_count,
                         capacity);
    for (int i = 0; i < m->level_count; i++) {
        const ngff_ome_dataset *level = &m->level[i];
        if (level->path[0] == '\0')
            return ngff_fail(err, NGFF_INVALID, "level %d has no path", i);
        for (int k = 0; k < m->image.desc.ndim; k++) {
            if (!isfinite(level->scale[k]) || level->scale[k] <= 0.0 ||
                (level->has_translation && !isfinite(level->translation[k])))
                return ngff_fail(
                    err, NGFF_INVALID,
                    "level %d, axis '%s': scale %g, translation %g, expected "
                    "finite numbers and a scale > 0",
                    i, m->image.desc.axes[k].name, level->scale[k],
                    level->translation[k]);
        }
    }
    return NGFF_OK;
}

ngff_status ngff_ome_emit(const ngff_ome_multiscales *m, const ngff_ome_emit_opts *opts,
                          ngff_json **out, ngff_error *err) {
    static const ngff_ome_emit_opts defaults;
    *out = NULL;
    opts = opts ? opts : &defaults;
    NGFF_TRY(ngff_version_check_written(m->version, err));
    NGFF_TRY(ngff_ome_check(&m->image.desc, err));
    NGFF_TRY(check_levels(m, err));
    if (opts->orientation)
        NGFF_TRY(ngff_ome_check_orientation(&m->image.desc, err));
    if (m->more && m->version < NGFF_V06)
        return ngff_fail(err, NGFF_INVALID,
                         "OME-Zarr %s has no coordinate systems, 0.6 has",
                         ngff_version_text(m->version));
    if (m->more)
        NGFF_TRY(ngff_ome_check_more(m->more, m->image.desc.ndim, err));

    ngff_status s = NGFF_OK;
    bool v5 = m->version >= NGFF_V05;
    bool omero = !opts->no_omero && m->image.desc.channel_count > 0;
    ngff_json *inner = ngff_json_new_object();
    if (v5)
        ngff_ome_put(inner, "version", ngff_json_new_str(ngff_version_text(m->version)),
                     &s);
    if (omero && !v5)
        ngff_ome_put(inner, "omero", ngff_ome_omero_json(m, &s), &s);
    ngff_json *list = ngff_json_new_array();
    ngff_ome_add(list, multiscale_json(m, opts, &s), &s);
    ngff_ome_put(inner, "multiscales", list, &s);
    if (omero && v5)
        ngff_ome_put(inner, "omero", ngff_ome_omero_json(m, &s), &s);
    ngff_json *root = inner;
    if (v5) {
        root = ngff_json_new_object();
        ngff_ome_put(root, "ome", inner, &s);
    }
    if (s != NGFF_OK || !root) {
        ngff_json_close(&root);
        return ngff_fail(err, s != NGFF_OK ? s : NGFF_NOMEM,
                         "out of memory: the OME document of '%s'", m->image.desc.name);
    }
    *out = root;
    return NGFF_OK;
}
