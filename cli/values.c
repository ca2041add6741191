/* Text of options to numbers: sizes, per-axis values, scale factors. */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool bad(const char *option, const char *text, const char *expected) {
    fprintf(stderr, "ngff: %s '%s': expected %s\n", option, text, expected);
    return false;
}

bool cli_size(const char *option, const char *text, uint64_t *out) {
    char *end = NULL;
    double v = strtod(text, &end);
    static const char units[] = "KMGT";
    const char *unit = *end != '\0' ? strchr(units, *end & ~0x20) : NULL;
    if (end == text || !(v >= 0) || v > 1e15)
        return bad(option, text, "a size such as 256M or 4G");
    if (unit != NULL) {
        for (const char *u = units; u <= unit; u++)
            v *= 1024;
        end++;
        if (*end == 'i')
            end++;
    }
    if (*end == 'B')
        end++;
    if (*end != '\0' || v > 1e18)
        return bad(option, text, "a size such as 256M or 4G");
    *out = (uint64_t)v;
    return true;
}

bool cli_int(const char *option, const char *text, long long lo, long long hi,
             long long *out) {
    char *end = NULL, expected[96];
    errno = 0;
    *out = strtoll(text, &end, 10);
    if (end != text && *end == '\0' && errno == 0 && *out >= lo && *out <= hi)
        return true;
    snprintf(expected, sizeof expected, "a whole number from %lld to %lld", lo, hi);
    return bad(option, text, expected);
}

bool cli_float(const char *option, const char *text, double *out) {
    char *end = NULL;
    *out = strtod(text, &end);
    if (end != text && *end == '\0' && *out - *out == 0)
        return true;
    return bad(option, text, "a finite number");
}

static bool is_spatial(const ngff_image_desc *d, int axis) {
    return strcmp(d->axes[axis].type, "space") == 0;
}

static int axis_named(const ngff_image_desc *d, const char *name, size_t len) {
    for (int i = 0; i < d->ndim; i++)
        if (strlen(d->axes[i].name) == len && strncmp(d->axes[i].name, name, len) == 0)
            return i;
    return -1;
}

/* One part of a list: "z=4" or "4". *axis is -1 without a name. */
static bool parse_part(const char *option, const char *part, size_t len,
                       const ngff_image_desc *d, int *axis, double *value) {
    char text[64];
    const char *eq = memchr(part, '=', len);
    *axis = -1;
    if (eq != NULL) {
        *axis = axis_named(d, part, (size_t)(eq - part));
        if (*axis < 0) {
            fprintf(stderr, "ngff: %s: the image has no axis '%.*s'\n", option,
                    (int)(eq - part), part);
            return false;
        }
        len -= (size_t)(eq - part) + 1;
        part = eq + 1;
    }
    snprintf(text, sizeof text, "%.*s", (int)len, part);
    return cli_float(option, text, value);
}

/* Unnamed values: one stands for all spatial axes; as many as spatial axes or as all axes
 * go in order. */
static bool assign_list(const char *option, const char *text, const ngff_image_desc *d,
                        const double *values, int count, double *out) {
    int spatial = 0;
    for (int i = 0; i < d->ndim; i++)
        spatial += is_spatial(d, i);
    if (count != 1 && count != spatial && count != d->ndim)
        return bad(option, text,
                   "one number, one for each spatial axis, or one for each axis");
    for (int i = 0, k = 0; i < d->ndim; i++) {
        if (count == d->ndim && count > 1)
            out[i] = values[i];
        else if (is_spatial(d, i))
            out[i] = values[count == 1 ? 0 : k++];
    }
    return true;
}

static bool per_axis(const char *option, const char *text, size_t size,
                     const ngff_image_desc *d, double *out) {
    double values[NGFF_MAX_NDIM];
    int count = 0;
    bool named = false;
    for (size_t at = 0; at <= size;) {
        const char *comma = memchr(text + at, ',', size - at);
        size_t len = comma != NULL ? (size_t)(comma - text) - at : size - at;
        int axis = -1;
        double v = 0;
        if (!parse_part(option, text + at, len, d, &axis, &v))
            return false;
        if (count == NGFF_MAX_NDIM || (count > 0 && named != (axis >= 0)))
            return bad(option, text, "named values or plain values, not both");
        named = axis >= 0;
        if (named)
            out[axis] = v;
        values[count++] = v;
        at += len + 1;
    }
    return named || assign_list(option, text, d, values, count, out);
}

bool cli_per_axis(const char *option, const char *text, const ngff_image_desc *desc,
                  double out[NGFF_MAX_NDIM]) {
    return per_axis(option, text, strlen(text), desc, out);
}

static bool to_ints(const char *option, const char *text, const double *v, int n,
                    int64_t *out) {
    for (int i = 0; i < n; i++) {
        if (!(v[i] >= 0 && v[i] <= 9e15) || v[i] != (double)(int64_t)v[i])
            return bad(option, text, "whole numbers");
        out[i] = (int64_t)v[i];
    }
    return true;
}

bool cli_per_axis_int(const char *option, const char *text, const ngff_image_desc *desc,
                      int64_t out[NGFF_MAX_NDIM]) {
    double v[NGFF_MAX_NDIM];
    for (int i = 0; i < desc->ndim; i++)
        v[i] = (double)out[i];
    return cli_per_axis(option, text, desc, v) &&
           to_ints(option, text, v, desc->ndim, out);
}

bool cli_factors(const char *option, const char *text, const ngff_image_desc *desc,
                 int64_t (*out)[NGFF_MAX_NDIM], int max, int *count) {
    /* Without names and without ';' every comma separates a level. */
    char separator = strchr(text, '=') == NULL && strchr(text, ';') == NULL ? ',' : ';';
    *count = 0;
    for (const char *at = text;;) {
        const char *end = strchr(at, separator);
        size_t len = end != NULL ? (size_t)(end - at) : strlen(at);
        double v[NGFF_MAX_NDIM];
        if (*count == max)
            return bad(option, text, "fewer levels");
        for (int i = 0; i < desc->ndim; i++)
            v[i] = 1;
        if (!per_axis(option, at, len, desc, v) ||
            !to_ints(option, text, v, desc->ndim, out[*count]))
            return false;
        ++*count;
        if (end == NULL)
            return true;
        at = end + 1;
    }
}

/* `lo`: the least first extent. */
static bool read_shape(const char *option, const char *text, long long lo,
                       int64_t out[NGFF_MAX_NDIM], int *ndim) {
    *ndim = 0;
    for (const char *at = text;;) {
        char *end = NULL;
        errno = 0;
        long long v = strtoll(at, &end, 10);
        if (end == at || errno != 0 || v < (*ndim == 0 ? lo : 1) ||
            *ndim == NGFF_MAX_NDIM || (*end != '\0' && *end != ',' && *end != 'x'))
            return bad(option, text, "a shape such as 64,512,512");
        out[(*ndim)++] = v;
        if (*end == '\0')
            return true;
        at = end + 1;
    }
}

bool cli_shape(const char *option, const char *text, int64_t out[NGFF_MAX_NDIM],
               int *ndim) {
    return read_shape(option, text, 1, out, ndim);
}

bool cli_open_shape(const char *option, const char *text, int64_t out[NGFF_MAX_NDIM],
                    int *ndim) {
    return read_shape(option, text, 0, out, ndim);
}
