#include "api/handles.h"
#include "engine/engine.h"

#define TEXT(x) #x
#define TEXT_OF(x) TEXT(x)

const char *ngff_library_version(void) {
    return TEXT_OF(NGFF_VERSION_MAJOR) "." TEXT_OF(NGFF_VERSION_MINOR) "." TEXT_OF(
        NGFF_VERSION_PATCH);
}

const char *ngff_status_text(ngff_status status) {
    return ngff_status_name(status);
}

size_t ngff_element_size(ngff_dtype dtype) {
    return ngff_dtype_size(dtype);
}

const char *ngff_dtype_text(ngff_dtype dtype) {
    return ngff_dtype_name(dtype);
}

ngff_dtype ngff_dtype_parse(const char *name) {
    bool swapped = false;
    if (name == NULL)
        return NGFF_DTYPE_NONE;
    ngff_dtype dtype = ngff_dtype_from_name(name);
    return dtype != NGFF_DTYPE_NONE ? dtype : ngff_dtype_from_typestr(name, &swapped);
}

int ngff_method_info(size_t index, const char **name, const char **canonical,
                     const char **description) {
    ngff_method_row row;
    if (!ngff_method_table(index, &row))
        return 0;
    *name = row.name;
    *canonical = row.canonical;
    *description = row.description;
    return 1;
}

int ngff_codec_info(size_t index, const char **name, const char **v2_id,
                    const char **v3_name, int *encodes) {
    ngff_codec_row row;
    if (!ngff_codec_table(index, &row))
        return 0;
    *name = row.name;
    *v2_id = row.v2_id;
    *v3_name = row.v3_name;
    *encodes = row.encodes;
    return 1;
}
