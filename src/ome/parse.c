/* ome: an image group's attributes, read. Tolerant of what writers in the field do
 * (missing or non-string versions, axes without types, documents of 0.4 inside Zarr v3),
 * strict where pixels or positions would be wrong. */
#include "ome/inside.h"

#include <stdio.h>

/* A version member that is a string, or the number some writers leave. */
static ngff_version version_member(const ngff_json *node) {
    const char *text = ngff_json_str(node);
    double number;
    char buffer[32];
    if (!text && ngff_json_f64(node, &number)) {
        ngff_format_f64(number, buffer, sizeof buffer);
        text = buffer;
    }
    return text ? ngff_version_from_text(text) : NGFF_VERSION_UNKNOWN;
}

/* The declared version where it fits the document's structure, else what the structure
 * says (T23). */
static ngff_version find_version(const ngff_json *ome, const ngff_json *entry) {
    ngff_version v = version_member(ngff_json_get(ome, "version"));
    if (v == NGFF_VERSION_UNKNOWN)
        v = version_member(ngff_json_get(entry, "version"));
    if (ngff_json_get(entry, "coordinateSystems"))
        return NGFF_V06;
    if (v != NGFF_VERSION_UNKNOWN && v != NGFF_V06)
        return v;
    const ngff_json *axes = ngff_json_get(entry, "axes");
    if (!axes)
        return NGFF_V02;
    if (ngff_json_type_of(ngff_json_at(axes, 0)) == NGFF_JSON_STRING)
        return NGFF_V03;
    return ome ? NGFF_V05 : NGFF_V04;
}

/* The name of the system a dataset's transformation leads to (TR-7; a bare string before
 * 0.6). */
static const char *output_name(const ngff_json *dataset) {
    const ngff_json *list = ngff_json_get(dataset, "coordinateTransformations");
    if (ngff_json_type_of(list) != NGFF_JSON_ARRAY)
        return NULL;
    const ngff_json *output = ngff_json_get(ngff_json_at(list, 0), "output");
    const char *text = ngff_json_str(output);
    return text ? text : ngff_json_str(ngff_json_get(output, "name"));
}

static bool is_hex_dot(const char *s) {
    return s[0] == '%' && s[1] == '2' && (s[2] == 'e' || s[2] == 'E');
}

/* "." and "..", also percent-encoded: nothing that a store could resolve to another place
 * (B41). */
static bool is_dots(const char *s, size_t len) {
    size_t dots = 0;
    for (size_t i = 0; i < len; dots++) {
        if (s[i] == '.')
            i += 1;
        else if (len - i >= 3 && is_hex_dot(s + i))
            i += 3;
        else
            return false;
    }
    return dots > 0;
}

static bool path_is_inside(const char *path) {
    if (path[0] != '\0' && path[1] == ':') /* a drive */
        return false;
    for (const char *p = path; *p; p++) {
        if (*p == '\\' || (unsigned char)*p < 0x20)
            return false;
    }
    const char *segment = path;
    for (;;) {
        size_t len = strcspn(segment, "/");
        if (len == 0 || is_dots(segment, len))
            return false;
        if (segment[len] == '\0')
            return true;
        segment += len + 1;
    }
}

/* MS-8. A leading "./" and a trailing "/" are forgiven. */
static ngff_status parse_path(const ngff_json *dataset, const char *where,
                              ngff_ome_dataset *out, ngff_error *err) {
    const char *path = ngff_json_str(ngff_json_get(dataset, "path"));
    if (!path || path[0] == '\0')
        return ngff_fail(err, NGFF_FORMAT, "%s: no path, expected a string", where);
    if (ngff_starts_with(path, "./"))
        path += 2;
    if (!ngff_copy_text(out->path, sizeof out->path, path))
        return ngff_fail(err, NGFF_LIMIT, "%s: path of %zu bytes, at most %zu", where,
                         strlen(path), sizeof out->path - 1);
    size_t len = strlen(out->path);
    if (len > 1 && out->path[len - 1] == '/')
        out->path[len - 1] = '\0';
    if (!path_is_inside(out->path))
        return ngff_fail(err, NGFF_FORMAT,
                         "%s: path '%s' leads out of the image, refused", where, path);
    return NGFF_OK;
}

static ngff_status parse_dataset(const ngff_json *entry, size_t index,
                                 ngff_ome_multiscales *m, ngff_error *err) {
    char where[40];
    snprintf(where, sizeof where, "datasets[%zu]", index);
    const ngff_json *dataset = ngff_json_at(ngff_json_get(entry, "datasets"), index);
    ngff_ome_dataset *level = &m->level[index];
    int ndim = m->image.desc.ndim;
    NGFF_TRY(parse_path(dataset, where, level, err));
    ngff_ome_affine t;
    ngff_ome_affine_identity(&t);
    NGFF_TRY(ngff_ome_parse_transforms(
        ngff_json_get(dataset, "coordinateTransformations"), ndim, where, &t, err));
    if (m->version <= NGFF_V05) /* MS-18; in 0.6 they lead to other coordinate systems */
        NGFF_TRY(
            ngff_ome_parse_transforms(ngff_json_get(entry, "coordinateTransformations"),
                                      ndim, "multiscales", &t, err));
    memcpy(level->scale, t.scale, sizeof level->scale);
    memcpy(level->translation, t.translation, sizeof level->translation);
    level->has_translation = t.has_translation;
    level->has_scale = t.has_scale;
    return NGFF_OK;
}

static ngff_status parse_datasets(const ngff_json *entry, ngff_ome_multiscales *m,
                                  ngff_error *err) {
    const ngff_json *list = ngff_json_get(entry, "datasets");
    size_t count = ngff_json_type_of(list) == NGFF_JSON_ARRAY ? ngff_json_len(list) : 0;
    size_t most = sizeof m->level / sizeof m->level[0];
    if (count == 0) /* MS-7 */
        return ngff_fail(err, NGFF_FORMAT, "multiscales: no datasets, expected a list");
    if (count > most)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "multiscales: %zu datasets, at most %zu are handled", count,
                         most);
    for (size_t i = 0; i < count; i++)
        NGFF_TRY(parse_dataset(entry, i, m, err));
    m->level_count = (int)count;
    for (int i = 0; i < m->image.desc.ndim; i++) {
        m->image.desc.axes[i].scale = m->level[0].scale[i];
        m->image.desc.axes[i].translation = m->level[0].translation[i];
    }
    return NGFF_OK;
}

static ngff_status parse_entry(const ngff_json *ome, const ngff_json *entry,
                               ngff_ome_multiscales *m, ngff_error *err) {
    m->version = find_version(ome, entry);
    ngff_image_desc *desc = &m->image.desc;
    const ngff_json *first = ngff_json_at(ngff_json_get(entry, "datasets"), 0);
    NGFF_TRY(ngff_ome_parse_axes(entry, m->version, output_name(first), desc, err));
    NGFF_TRY(parse_datasets(entry, m, err));
    const char *name = ngff_json_str(ngff_json_get(entry, "name"));
    if (name)
        ngff_copy_text(desc->name, sizeof desc->name, name);
    const char *type = ngff_json_str(ngff_json_get(entry, "type"));
    if (type)
        ngff_copy_text(m->type, sizeof m->type, type);
    const ngff_json *metadata = ngff_json_get(entry, "metadata");
    if (ngff_json_type_of(metadata) == NGFF_JSON_OBJECT)
        NGFF_TRY(ngff_json_dup(metadata, &m->metadata, err));
    return NGFF_OK;
}

static ngff_status parse_all(const ngff_json *attributes, size_t index,
                             ngff_ome_multiscales *m, ngff_error *err) {
    const ngff_json *ome = ngff_json_get(attributes, "ome");
    const ngff_json *holder = ngff_json_get(ome, "multiscales") ? ome : attributes;
    const ngff_json *list = ngff_json_get(holder, "multiscales");
    if (!list)
        return ngff_fail(err, NGFF_NOT_FOUND,
                         "no 'multiscales' in the attributes: not an OME-Zarr image");
    if (ngff_json_type_of(list) != NGFF_JSON_ARRAY || ngff_json_len(list) == 0)
        return ngff_fail(err, NGFF_FORMAT, "multiscales is not a list with an entry");
    if (index >= ngff_json_len(list))
        return ngff_fail(err, NGFF_NOT_FOUND, "multiscales[%zu]: there are %zu", index,
                         ngff_json_len(list));
    NGFF_TRY(parse_entry(holder == ome ? ome : NULL, ngff_json_at(list, index), m, err));
    const ngff_json *omero = ngff_json_get(holder, "omero");
    if (!omero) /* some writers left it outside `ome` (B32) */
        omero = ngff_json_get(attributes, "omero");
    NGFF_TRY(ngff_ome_parse_omero(omero, &m->image, err));
    return ngff_json_dup(attributes, &m->extra, err);
}

ngff_status ngff_ome_parse(const ngff_allocator *a, const ngff_json *attributes,
                           size_t index, ngff_ome_multiscales *out, ngff_error *err) {
    *out = (ngff_ome_multiscales){.image = {.alloc = a, .desc = NGFF_IMAGE_DESC_INIT}};
    ngff_status s = parse_all(attributes, index, out, err);
    if (s != NGFF_OK)
        ngff_ome_multiscales_reset(out);
    return s;
}
