/* pyramid: the method names, ours and those of ngff-zarr (pixels.md 4-8). */
#include "pyramid/pyramid.h"

#define GAUSSIAN                                                                         \
    "Smooths each axis with a discrete Gaussian before sampling; for intensities."
#define MEAN "Takes the mean of each block; fast, for intensities."
#define MODE                                                                             \
    "Keeps the most frequent value of each block, the smallest on a tie; for labels."
#define NEAREST "Picks one voxel of level 0 near the middle of each block."

static const ngff_method_row table[] = {
    {"gaussian", NGFF_METHOD_GAUSSIAN, "gaussian", GAUSSIAN},
    {"bin_shrink", NGFF_METHOD_BIN_SHRINK, "bin_shrink", MEAN},
    {"mode", NGFF_METHOD_MODE, "mode", MODE},
    {"nearest", NGFF_METHOD_NEAREST, "nearest", NEAREST},
    {"min", NGFF_METHOD_MIN, "min", "Keeps the lowest value of each block."},
    {"max", NGFF_METHOD_MAX, "max", "Keeps the highest value of each block."},
    {"median", NGFF_METHOD_MEDIAN, "median", "Takes the median of each block."},
    {"mean", NGFF_METHOD_BIN_SHRINK, "bin_shrink", MEAN},
    {"itkwasm_gaussian", NGFF_METHOD_GAUSSIAN, "gaussian", GAUSSIAN},
    {"itkwasm_bin_shrink", NGFF_METHOD_BIN_SHRINK, "bin_shrink", MEAN},
    {"itkwasm_label_image", NGFF_METHOD_MODE, "mode", MODE},
    {"itk_gaussian", NGFF_METHOD_GAUSSIAN, "gaussian", GAUSSIAN},
    {"itk_bin_shrink", NGFF_METHOD_BIN_SHRINK, "bin_shrink", MEAN},
    {"dask_image_gaussian", NGFF_METHOD_GAUSSIAN, "gaussian", GAUSSIAN},
    {"dask_image_mode", NGFF_METHOD_MODE, "mode", MODE},
    {"dask_image_nearest", NGFF_METHOD_NEAREST, "nearest", NEAREST},
    {"dask_bin_shrink", NGFF_METHOD_BIN_SHRINK, "bin_shrink", MEAN},
};
enum { ROW_COUNT = sizeof table / sizeof table[0] };

bool ngff_method_table(size_t index, ngff_method_row *out) {
    if (index >= ROW_COUNT)
        return false;
    *out = table[index];
    return true;
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The peer's enumeration spells its names in capitals as well. */
static bool same_name(const char *a, const char *b) {
    while (*a && lower(*a) == *b) {
        a++;
        b++;
    }
    return *a == '\0' && *b == '\0';
}

bool ngff_method_from_name(const char *name, ngff_method *out) {
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (same_name(name, table[i].name)) {
            *out = table[i].method;
            return true;
        }
    }
    return false;
}

const char *ngff_method_name(ngff_method method) {
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (table[i].method == method)
            return table[i].canonical;
    }
    return "none";
}
