/* ome: anatomical orientation of axes (RFC-4; R4-1 to R4-7 of the requirements). */
#include "ome/inside.h"

int ngff_ome_orientation_pair(const char *value) {
    static const char *const pairs[][2] = {
        {"left", "right"},       {"anterior", "posterior"}, {"inferior", "superior"},
        {"dorsal", "ventral"},   {"dorsal", "palmar"},      {"dorsal", "plantar"},
        {"rostral", "caudal"},   {"cranial", "caudal"},     {"proximal", "distal"},
        {"superficial", "deep"}, {"apical", "basal"},       {"apex", "base"},
    };
    const char *middle = strstr(value, "-to-");
    if (!middle)
        return -1;
    size_t from_len = (size_t)(middle - value);
    const char *to = middle + 4;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        for (int k = 0; k < 2; k++) {
            const char *a = pairs[i][k];
            if (strlen(a) == from_len && memcmp(value, a, from_len) == 0 &&
                strcmp(to, pairs[i][1 - k]) == 0)
                return (int)i;
        }
    }
    return -1;
}

bool ngff_ome_orientation_valid(const char *value) {
    return ngff_ome_orientation_pair(value) >= 0;
}

ngff_status ngff_ome_check_orientation(const ngff_image_desc *desc, ngff_error *err) {
    const ngff_axis *axes = desc->axes;
    for (int i = 0; i < desc->ndim; i++) {
        for (int k = 0; k < i; k++) {
            int pair = ngff_ome_orientation_pair(axes[i].orientation);
            if (pair < 0 ||
                pair != ngff_ome_orientation_pair(axes[k].orientation)) /* R4-4 */
                continue;
            return ngff_fail(err, NGFF_INVALID,
                             "axes '%s' and '%s' run along the same anatomical direction "
                             "('%s', '%s'), expected one axis for each",
                             axes[k].name, axes[i].name, axes[k].orientation,
                             axes[i].orientation);
        }
    }
    return NGFF_OK;
}
