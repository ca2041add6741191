/* An image file of any kind: opened by content, described, both ends of it read. */
#define _GNU_SOURCE
#include "source/source.h"
#include "fuzz.h"
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ELEMENTS_MAX = 1 << 14 };

/* `end`: the far corner instead of the near one. */
static void read_part(ngff_source *source, bool end) {
    const ngff_image_desc *desc = &source->image.desc;
    ngff_error err = {0};
    ngff_box box = {.ndim = desc->ndim};
    ngff_view out = {.dtype = desc->dtype, .ndim = desc->ndim};
    int64_t elements = 1;
    for (int i = box.ndim - 1; i >= 0; i--) {
        box.shape[i] =
            ngff_min_i64(desc->shape[i], ngff_max_i64(1, ELEMENTS_MAX / elements));
        box.start[i] = end ? desc->shape[i] - box.shape[i] : 0;
        elements *= ngff_max_i64(1, box.shape[i]);
    }
    int64_t stride = (int64_t)ngff_dtype_size((ngff_dtype)desc->dtype);
    out.data = calloc((size_t)elements, (size_t)stride);
    FUZZ_CHECK(out.data != NULL);
    for (int i = box.ndim - 1; i >= 0; i--) {
        out.shape[i] = box.shape[i];
        out.strides[i] = stride;
        stride *= box.shape[i];
    }
    ngff_status status = ngff_source_read(source, &box, &out, &err);
    if (status != NGFF_OK)
        fuzz_check_error(status, &err);
    free(out.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    ngff_error err = {0};
    ngff_source *source = NULL;
    int fd = memfd_create("fuzz", 0);
    FUZZ_CHECK(fd >= 0);
    FUZZ_CHECK(write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ngff_source_open_opts opts = {.memory = (size_t)8 << 20, .threads = 1};
    ngff_status status = ngff_source_at(NULL, path, &opts, &source, &err);
    if (status != NGFF_OK) {
        fuzz_check_error(status, &err);
    } else {
        read_part(source, false);
        read_part(source, true);
        ngff_source_drop(&source);
    }
    close(fd);
    return 0;
}
