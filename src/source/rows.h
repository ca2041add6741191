/* rows: what PNG and JPEG share: a picture that a decoder gives row by row, from the top.
 * The rows decoded last are kept, in at most the memory that the source may use; going
 * further back starts over. A source owns its file, its decoder and the kept rows. Reads
 * are one at a time (traits.reentrant is false). */
#ifndef NGFF_SOURCE_ROWS_H
#define NGFF_SOURCE_ROWS_H

#include "source/kinds.h"

typedef struct ngff_source_rows ngff_source_rows;

typedef struct ngff_rows_decoder {
    size_t size; /* of the kind's struct, which begins with ngff_source_rows */
    ngff_source_vtable ops;
    /* Reads the header from the file's beginning: height, width, samples and dtype on the
     * first call. Called again to start over. */
    ngff_status (*start)(ngff_source_rows *r, ngff_error *err);
    ngff_status (*row)(ngff_source_rows *r, unsigned char *out, ngff_error *err);
    /* All rows at once, packed: for pictures that come in passes. NULL: never. */
    ngff_status (*whole)(ngff_source_rows *r, unsigned char *out, ngff_error *err);
    /* After the last row: what follows it in the file. */
    ngff_status (*finish)(ngff_source_rows *r, ngff_error *err);
} ngff_rows_decoder;

struct ngff_source_rows {
    ngff_source base;
    const ngff_rows_decoder *decoder;
    ngff_file file;
    uint64_t file_at; /* of the next byte that the decoder gets */
    int64_t height, width, samples;
    ngff_dtype dtype;
    size_t memory; /* bytes the source may use */
    size_t extra;  /* … of which the decoder holds so many beside its rows */
    bool passes;   /* rows are not complete before the last pass */
    double most;   /* bytes of pixels that a byte of the file can stand for */
    unsigned char *kept;
    size_t row_size;
    int64_t capacity, first, next; /* rows [first, next) are kept */
    bool started;
};

/* Opens the file and calls `start`; checks the picture and fills the image: axes y, x and
 * with several samples c. */
NGFF_MUST_USE ngff_status ngff_source_rows_open(const ngff_allocator *a,
                                                const ngff_rows_decoder *decoder,
                                                const char *path,
                                                const ngff_source_open_opts *opts,
                                                ngff_source **out, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_source_rows_read(ngff_source *s, const ngff_box *box,
                                                const ngff_view *out, ngff_error *err);
/* For the kind's close, after its decoder is gone. */
void ngff_source_rows_close(ngff_source *s);
/* Up to `size` bytes at file_at, which moves on. */
NGFF_MUST_USE ngff_status ngff_source_rows_fetch(ngff_source_rows *r, void *out,
                                                 size_t size, size_t *got,
                                                 ngff_error *err);

#endif
