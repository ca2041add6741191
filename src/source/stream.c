/* source: pixels at fixed strides in one gzip or zlib stream. See kinds.h. */
#include "source/gunzip.h"
#include "source/kinds.h"

#include <inttypes.h>

/* No deflate stream grows by more than this. */
#define DEFLATE_MOST 1032

static ngff_status fetch(void *cookie, void *out, size_t size, uint64_t offset,
                         size_t *got, ngff_error *err) {
    const ngff_source_strided *s = cookie;
    NGFF_TRY(ngff_gunzip_read(s->gz, out, size, offset, got, err));
    if (offset + size < s->stream_end)
        return NGFF_OK;
    /* Going on to the end of the stream checks its checksum. */
    char beyond;
    size_t more;
    return ngff_gunzip_read(s->gz, &beyond, 1, s->stream_end, &more, err);
}

ngff_status ngff_source_strided_inflate(ngff_source_strided *s, uint64_t begin,
                                        ngff_error *err) {
    NGFF_TRY(
        ngff_gunzip_open(s->base.alloc, &s->file, s->layout.path, begin, &s->gz, err));
    s->stream_begin = begin;
    s->layout.fetch = fetch;
    s->layout.fetch_cookie = s;
    return NGFF_OK;
}

ngff_status ngff_source_strided_check_stream(ngff_source_strided *s, ngff_error *err) {
    ngff_source_traits *traits = &s->base.traits;
    const ngff_source_layout *l = &s->layout;
    uint64_t size = 0;
    size_t bytes = 0;
    NGFF_TRY(ngff_file_size(&s->file, &size, l->path, err));
    NGFF_TRY(ngff_nd_bytes(l->ndim, l->shape, l->dtype, &bytes, err));
    size = size > s->stream_begin ? size - s->stream_begin : 0;
    if (bytes / DEFLATE_MOST > size)
        return ngff_fail(err, NGFF_FORMAT,
                         "%s: %" PRIu64 " compressed bytes cannot hold the %zu bytes of "
                         "pixels that the header announces",
                         l->path, size, bytes);
    s->stream_end = l->offset + bytes;
    traits->reentrant = false;
    traits->sequential = true;
    traits->compressed = true;
    traits->memory += NGFF_GUNZIP_MEMORY;
    traits->slow_axis = 0;
    while (traits->slow_axis < l->ndim - 1 && l->shape[traits->slow_axis] == 1)
        traits->slow_axis++;
    return NGFF_OK;
}
