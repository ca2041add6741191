/* ome: axes by name, and the rules a 0.4/0.5 image must keep. */
#include "ome/ome.h"

#include <math.h>

typedef enum kind { KIND_NONE = 0, KIND_TIME, KIND_CHANNEL, KIND_SPACE } kind;

static const char *const kind_names[] = {"", "time", "channel", "space"};

static kind kind_of_name(char name) {
    switch (name) {
    case 't':
        return KIND_TIME;
    case 'c':
        return KIND_CHANNEL;
    case 'z':
    case 'y':
    case 'x':
        return KIND_SPACE;
    default:
        return KIND_NONE;
    }
}

static void axis_set(ngff_axis *axis, char name) {
    *axis = (ngff_axis){.scale = 1.0};
    axis->name[0] = name;
    ngff_copy_text(axis->type, sizeof axis->type, kind_names[kind_of_name(name)]);
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

ngff_status ngff_ome_axes_from_dims(const char *dims, int ndim, ngff_axis *axes,
                                    ngff_error *err) {
    assert(ndim >= 0 && ndim <= NGFF_MAX_NDIM);
    int count = 0;
    for (const char *p = dims; *p; p++) {
        char name = lower(*p);
        if (name == ',' || name == ' ')
            continue;
        if (kind_of_name(name) == KIND_NONE)
            return ngff_fail(
                err, NGFF_INVALID,
                "dims '%s': unknown axis at '%s', expected letters of t, c, z, y, x",
                dims, p);
        for (int i = 0; i < count && i < ndim; i++) {
            if (axes[i].name[0] == name)
                return ngff_fail(err, NGFF_INVALID, "dims '%s': axis '%c' is there twice",
                                 dims, name);
        }
        if (count < ndim)
            axis_set(&axes[count], name);
        count++;
    }
    if (count != ndim)
        return ngff_fail(err, NGFF_INVALID,
                         "dims '%s': %d names given, the array has %d axes", dims, count,
                         ndim);
    return NGFF_OK;
}

void ngff_ome_axes_default(int ndim, ngff_axis *axes) {
    assert(ndim >= 0 && ndim <= NGFF_MAX_NDIM);
    static const char order[] = "tczyx";
    for (int i = 0; i < ndim; i++) {
        /* More axes than have a name: nameless ones, which ngff_ome_check refuses. */
        int at = i + 5 - ndim;
        if (at < 0)
            axes[i] = (ngff_axis){.scale = 1.0};
        else
            axis_set(&axes[i], order[at]);
    }
}

/* ---- check ----------------------------------------------------------------------- */

static kind kind_of(const ngff_axis *axis) {
    for (kind k = KIND_TIME; k <= KIND_SPACE; k++) {
        if (strcmp(axis->type, kind_names[k]) == 0)
            return k;
    }
    return KIND_NONE;
}

static ngff_status check_names(const ngff_image_desc *desc, ngff_error *err) {
    for (int i = 0; i < desc->ndim; i++) {
        const ngff_axis *axis = &desc->axes[i];
        if (axis->name[0] == '\0')
            return ngff_fail(err, NGFF_INVALID, "axis %d has no name", i);
        if (!ngff_utf8_valid(axis->name, strlen(axis->name)))
            return ngff_fail(err, NGFF_INVALID, "name of axis %d is not UTF-8", i);
        for (int j = 0; j < i; j++) { /* AX-2 */
            if (strcmp(axis->name, desc->axes[j].name) == 0)
                return ngff_fail(err, NGFF_INVALID, "axis '%s' is there twice",
                                 axis->name);
        }
    }
    return NGFF_OK;
}

static ngff_status check_position(const ngff_axis *axis, ngff_error *err) {
    if (!isfinite(axis->scale) || axis->scale <= 0.0)
        return ngff_fail(err, NGFF_INVALID,
                         "axis '%s': scale %g, expected a finite number > 0", axis->name,
                         axis->scale);
    if (!isfinite(axis->translation))
        return ngff_fail(err, NGFF_INVALID,
                         "axis '%s': translation %g, expected a finite number",
                         axis->name, axis->translation);
    if (axis->orientation[0] == '\0')
        return NGFF_OK;
    if (kind_of(axis) != KIND_SPACE) /* R4-1 */
        return ngff_fail(err, NGFF_INVALID,
                         "axis '%s': an orientation is for space axes only", axis->name);
    if (!ngff_ome_orientation_valid(axis->orientation)) /* R4-3 */
        return ngff_fail(err, NGFF_INVALID,
                         "axis '%s': unknown orientation '%s', expected an RFC-4 value "
                         "such as left-to-right",
                         axis->name, axis->orientation);
    return NGFF_OK;
}

/* MS-3, MS-5, MS-6: time, then channel, then space named as a suffix of z, y, x. */
static ngff_status check_order(const ngff_image_desc *desc, ngff_error *err) {
    int count[4] = {0};
    kind last = KIND_NONE;
    for (int i = 0; i < desc->ndim; i++) {
        const ngff_axis *axis = &desc->axes[i];
        kind k = kind_of(axis);
        if (k == KIND_NONE)
            return ngff_fail(err, NGFF_INVALID,
                             "axis '%s' has type '%s', expected time, channel or space",
                             axis->name, axis->type);
        if (k < last)
            return ngff_fail(err, NGFF_INVALID,
                             "axis '%s' (%s) comes after a %s axis, expected the order "
                             "time, channel, space",
                             axis->name, axis->type, kind_names[last]);
        if (++count[k] > (k == KIND_SPACE ? 3 : 1))
            return ngff_fail(err, NGFF_INVALID, "axis '%s': more than %d axes of type %s",
                             axis->name, k == KIND_SPACE ? 3 : 1, axis->type);
        last = k;
    }
    if (count[KIND_SPACE] < 2)
        return ngff_fail(err, NGFF_INVALID,
                         "%d axes of type space, OME-Zarr 0.4/0.5 needs 2 or 3",
                         count[KIND_SPACE]);
    for (int i = 0; i < count[KIND_SPACE]; i++) {
        const char want[2] = {"xyz"[i], '\0'};
        const ngff_axis *axis = &desc->axes[desc->ndim - 1 - i];
        if (strcmp(axis->name, want) != 0)
            return ngff_fail(err, NGFF_INVALID,
                             "space axis '%s' stands where '%s' is expected (z, y, x)",
                             axis->name, want);
    }
    return NGFF_OK;
}

ngff_status ngff_ome_check(const ngff_image_desc *desc, ngff_error *err) {
    if (desc->ndim < 2 || desc->ndim > 5) /* MS-2 */
        return ngff_fail(err, NGFF_INVALID, "%d axes, OME-Zarr 0.4/0.5 allows 2 to 5",
                         (int)desc->ndim);
    NGFF_TRY(check_names(desc, err));
    NGFF_TRY(check_order(desc, err));
    for (int i = 0; i < desc->ndim; i++)
        NGFF_TRY(check_position(&desc->axes[i], err));
    return NGFF_OK;
}
