/* ome: axes as the versions spell them: none (0.1, 0.2), names (0.3), objects (0.4, 0.5),
 * coordinate systems (0.6). */
#include "ome/inside.h"

/* Types are inferred for the names the specification recommends: much data in the field
 * has none. */
static const char *type_of_name(const char *name) {
    static const char *const table[][2] = {
        {"t", "time"},    {"time", "time"}, {"c", "channel"}, {"channel", "channel"},
        {"z", "space"},   {"y", "space"},   {"x", "space"},   {"T", "time"},
        {"C", "channel"}, {"Z", "space"},   {"Y", "space"},   {"X", "space"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(name, table[i][0]) == 0)
            return table[i][1];
    }
    return "";
}

static ngff_status set_name(ngff_axis *axis, const char *name, size_t index,
                            ngff_error *err) {
    if (!name || name[0] == '\0') /* AX-1 */
        return ngff_fail(err, NGFF_FORMAT, "axes[%zu]: no name, expected a string",
                         index);
    if (!ngff_copy_text(axis->name, sizeof axis->name, name))
        return ngff_fail(err, NGFF_FORMAT,
                         "axes[%zu]: name of %zu bytes, at most %zu are handled", index,
                         strlen(name), sizeof axis->name - 1);
    ngff_copy_text(axis->type, sizeof axis->type, type_of_name(name));
    return NGFF_OK;
}

static void set_orientation(ngff_axis *axis, const ngff_json *node) {
    const char *value = ngff_json_str(ngff_json_get(node, "value"));
    if (value && strcmp(axis->type, "space") == 0 && ngff_ome_orientation_valid(value))
        ngff_copy_text(axis->orientation, sizeof axis->orientation, value);
}

static ngff_status parse_axis(const ngff_json *node, size_t index, ngff_axis *axis,
                              ngff_error *err) {
    *axis = (ngff_axis){.scale = 1.0};
    if (ngff_json_type_of(node) == NGFF_JSON_STRING) /* 0.3 */
        return set_name(axis, ngff_json_str(node), index, err);
    NGFF_TRY(set_name(axis, ngff_json_str(ngff_json_get(node, "name")), index, err));
    const char *type = ngff_json_str(ngff_json_get(node, "type"));
    if (type && type[0])
        ngff_copy_text(axis->type, sizeof axis->type, type);
    const char *unit = ngff_json_str(ngff_json_get(node, "unit"));
    if (unit)
        ngff_ome_unit(unit, axis->type, axis->unit);
    set_orientation(axis, ngff_json_get(node, "orientation"));
    return NGFF_OK;
}

/* The axes array: the entry's own, or that of the 0.6 coordinate system `system_name`
 * (else the only or last one: where readers look for the intrinsic system, T16). NULL:
 * none given. */
static const ngff_json *find_axes(const ngff_json *entry, const char *system_name) {
    const ngff_json *axes = ngff_json_get(entry, "axes");
    const ngff_json *systems = ngff_json_get(entry, "coordinateSystems");
    if (axes || ngff_json_type_of(systems) != NGFF_JSON_ARRAY)
        return axes;
    for (size_t i = 0; i < ngff_json_len(systems); i++) {
        const ngff_json *system = ngff_json_at(systems, i);
        const char *name = ngff_json_str(ngff_json_get(system, "name"));
        axes = ngff_json_get(system, "axes");
        if (name && system_name && strcmp(name, system_name) == 0)
            break;
    }
    return axes;
}

ngff_status ngff_ome_parse_axes(const ngff_json *entry, ngff_version version,
                                const char *system_name, ngff_image_desc *desc,
                                ngff_error *err) {
    const ngff_json *axes = find_axes(entry, system_name);
    if (!axes && version <= NGFF_V03) { /* 0.1, 0.2: five dimensions, no axes member */
        desc->ndim = 5;
        ngff_ome_axes_default(5, desc->axes);
        return NGFF_OK;
    }
    if (ngff_json_type_of(axes) != NGFF_JSON_ARRAY || ngff_json_len(axes) == 0)
        return ngff_fail(err, NGFF_FORMAT, "multiscales: no axes found, expected a list");
    size_t count = ngff_json_len(axes);
    if (count > NGFF_MAX_NDIM)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "multiscales: %zu axes, at most %d are handled", count,
                         NGFF_MAX_NDIM);
    desc->ndim = (int32_t)count;
    for (size_t i = 0; i < count; i++) {
        NGFF_TRY(parse_axis(ngff_json_at(axes, i), i, &desc->axes[i], err));
        for (size_t j = 0; j < i; j++) { /* AX-2 */
            if (strcmp(desc->axes[i].name, desc->axes[j].name) == 0)
                return ngff_fail(err, NGFF_FORMAT, "axes[%zu]: name '%s' is there twice",
                                 i, desc->axes[i].name);
        }
    }
    return NGFF_OK;
}
