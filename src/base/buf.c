/* base: growing bytes with a ceiling. */
#include "base/base.h"

#include <stdio.h>

void ngff_buf_init(ngff_buf *buf, const ngff_allocator *a, size_t ceiling) {
    *buf = (ngff_buf){.alloc = a, .ceiling = ceiling};
}

void ngff_buf_reset(ngff_buf *buf) {
    ngff_free(buf->alloc, buf->data);
    buf->data = NULL;
    buf->size = 0;
    buf->capacity = 0;
}

ngff_status ngff_buf_reserve(ngff_buf *buf, size_t extra, ngff_error *err) {
    assert(buf->size <= buf->ceiling);
    size_t need;
    if (extra > buf->ceiling - buf->size || !ngff_add_size(buf->size, extra, &need) ||
        !ngff_add_size(need, 1, &need))
        return ngff_fail(err, NGFF_LIMIT,
                         "%zu more bytes than %zu exceed the limit of %zu", extra,
                         buf->size, buf->ceiling);
    if (need <= buf->capacity)
        return NGFF_OK;
    size_t grown = buf->capacity ? buf->capacity : 64;
    while (grown < need) {
        if (!ngff_mul_size(grown, 2, &grown))
            grown = need;
    }
    if (buf->ceiling < SIZE_MAX && grown > buf->ceiling + 1)
        grown = buf->ceiling + 1;
    char *data = ngff_realloc(buf->alloc, buf->data, buf->size, grown);
    if (!data)
        return ngff_fail_nomem(err, "a growing buffer", grown);
    buf->data = data;
    buf->capacity = grown;
    buf->data[buf->size] = '\0';
    return NGFF_OK;
}

ngff_status ngff_buf_append(ngff_buf *buf, const void *data, size_t size,
                            ngff_error *err) {
    NGFF_TRY(ngff_buf_reserve(buf, size, err));
    if (size)
        memcpy(buf->data + buf->size, data, size);
    buf->size += size;
    buf->data[buf->size] = '\0';
    return NGFF_OK;
}

ngff_status ngff_buf_printf(ngff_buf *buf, ngff_error *err, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0)
        return ngff_fail(err, NGFF_INTERNAL, "a text could not be formatted");
    NGFF_TRY(ngff_buf_reserve(buf, (size_t)n, err));
    va_start(args, fmt);
    vsnprintf(buf->data + buf->size, (size_t)n + 1, fmt, args);
    va_end(args);
    buf->size += (size_t)n;
    return NGFF_OK;
}
