/* ome: versions, names as path segments, orientation words. */
#include "ome/ome.h"

static const struct {
    ngff_version version;
    const char *text;
} versions[] = {
    {NGFF_V01, "0.1"}, {NGFF_V02, "0.2"}, {NGFF_V03, "0.3"},
    {NGFF_V04, "0.4"}, {NGFF_V05, "0.5"}, {NGFF_V06, "0.6"},
};

ngff_version ngff_version_from_text(const char *text) {
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        if (!ngff_starts_with(text, versions[i].text))
            continue;
        const char *rest = text + strlen(versions[i].text);
        /* "0.5-dev", "0.6rc0", and patch releases of the text such as "0.5.2"; the
         * development tags 0.6.devN have another structure. */
        bool patch = rest[0] == '.' && rest[1] >= '0' && rest[1] <= '9';
        if (rest[0] == '\0' || rest[0] == '-' || ngff_starts_with(rest, "rc") || patch)
            return versions[i].version;
    }
    return NGFF_VERSION_UNKNOWN;
}

const char *ngff_version_text(ngff_version v) {
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        if (versions[i].version == v)
            return versions[i].text;
    }
    return "unknown";
}

ngff_status ngff_version_check_written(ngff_version v, ngff_error *err) {
    if (v >= NGFF_V04 && v <= NGFF_V06)
        return NGFF_OK;
    return ngff_fail(err, NGFF_UNSUPPORTED,
                     "OME-Zarr version %s cannot be written, expected 0.4, 0.5 or 0.6",
                     ngff_version_text(v));
}

int ngff_version_zarr_format(ngff_version v) {
    return v >= NGFF_V05 ? 3 : 2;
}

static bool is_path_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '.' || c == '_' || c == '-';
}

/* Names that Zarr documents use themselves, and the prefix v3 reserves (Z3-13, T40). */
static bool is_reserved(const char *name) {
    static const char *const names[] = {"zarr.json", ".zarray",    ".zgroup",
                                        ".zattrs",   ".zmetadata", NULL};
    for (size_t i = 0; names[i]; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return ngff_starts_with(name, "__");
}

void ngff_ome_path_name(const char *name, char *out, size_t out_size) {
    assert(out_size >= 16);
    char clean[256];
    size_t used = 0;
    size_t left = strlen(name);
    /* Leaves room for a prefix below 255 bytes, the usual limit of file systems. */
    while (left > 0 && used < 240) {
        size_t step = ngff_utf8_step(name, left);
        step = step ? step : 1;
        clean[used++] = step == 1 && is_path_char(*name) ? *name : '_';
        name += step;
        left -= step;
    }
    clean[used] = '\0';
    bool dots_only = strspn(clean, ".") == used;
    ngff_copy_text(out, out_size, dots_only || is_reserved(clean) ? "image" : clean);
    if (!dots_only && is_reserved(clean)) {
        const char *rest = clean[0] == '.' ? clean + 1 : clean;
        ngff_copy_text(out, out_size, "image_");
        ngff_copy_text(out + 6, out_size - 6, rest);
    }
}
