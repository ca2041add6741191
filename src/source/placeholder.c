/* Stands in for the kinds that are not written yet; each goes when its file comes. */
#include "source/kinds.h"

#define PENDING(kind)                                                                    \
    __attribute__((weak)) ngff_status ngff_source_open_##kind(                           \
        const ngff_allocator *a, const char *path, const ngff_source_open_opts *opts,    \
        ngff_source **out, ngff_error *err) {                                            \
        (void)a, (void)opts, (void)out;                                                  \
        return ngff_fail(err, NGFF_UNSUPPORTED, "%s: %s is not read yet", path, #kind);  \
    }
PENDING(nifti)
PENDING(tiff)
PENDING(tiff_stack)

__attribute__((weak)) bool ngff_source_detect_nifti(const unsigned char *head, size_t n,
                                                    const char *path) {
    (void)head, (void)n, (void)path;
    return false;
}
__attribute__((weak)) bool ngff_source_detect_tiff(const unsigned char *head, size_t n,
                                                   const char *path) {
    (void)head, (void)n, (void)path;
    return false;
}
