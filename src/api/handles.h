/* api: what the opaque handles of <ngff/ngff.h> are. Stores and sources are the rooms'
 * own handles. */
#ifndef NGFF_API_HANDLES_H
#define NGFF_API_HANDLES_H

#include "engine/engine.h"
#include "engine/read.h"
#include "image/image.h"
#include <ngff/ngff.h>

struct ngff_context {
    ngff_allocator allocator;
    const ngff_allocator *alloc; /* NULL: the C library's */
    ngff_context_opts opts;
};

/* Planned (`image` NULL, `levels` set) or opened (`image` set). */
struct ngff_multiscales {
    ngff_context *context;
    ngff_ome_image desc;
    ngff_method method;
    ngff_levels levels;
    bool kept;           /* planned: the levels are those that a source brings … */
    bool flat;           /* … whose paths are "0", "1", … */
    char type[64];       /* … and what it says of how they were made */
    ngff_json *metadata; /* … owned */
    ngff_image *image;
    ngff_engine_reader *reader; /* of an opened one */
    char *facts;
};

/* Options structs of an older or newer header: copies what both know, zeroes the rest.
 * INVALID when struct_size is 0. `from` may be NULL. */
NGFF_MUST_USE ngff_status ngff_api_import(void *to, size_t to_size, const void *from,
                                          const char *what, ngff_error *err);
void ngff_api_log(const ngff_context *context, const char *line);
/* windows.c: display windows measured by a job. One thread, but for the census inside. */
typedef struct ngff_api_windows {
    ngff_census *census; /* NULL: none are measured */
    uint64_t size;       /* bytes it may hold; none is made when they are too many */
    double low, high;
} ngff_api_windows;
NGFF_MUST_USE ngff_status ngff_api_windows_open(const ngff_context *context,
                                                const ngff_image_desc *desc,
                                                const ngff_write_opts *opts,
                                                ngff_api_windows *out, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_api_windows_describe(const ngff_api_windows *w,
                                                    const ngff_allocator *alloc,
                                                    const ngff_image_desc *desc,
                                                    ngff_ome_image *out, ngff_error *err);
void ngff_api_windows_fill(const ngff_api_windows *w, ngff_ome_image *image);
void ngff_api_windows_close(ngff_api_windows *w);
/* The facts of an opened image as JSON text. */
NGFF_MUST_USE ngff_status ngff_api_facts(const ngff_image *image, char **out,
                                         ngff_error *err);

#endif
