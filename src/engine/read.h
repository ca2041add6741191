/* read: regions of opened arrays, with threads. A reader keeps the codec contexts of its
 * callers and helpers warm from one call to the next; it owns them, and borrows the
 * arrays it is given. Any number of threads may read at once. Helper threads live for one
 * call only, and only where a box is worth them. */
#ifndef NGFF_ENGINE_READ_H
#define NGFF_ENGINE_READ_H

#include "zarr/zarr.h"

typedef struct ngff_engine_reader ngff_engine_reader;

/* `threads`: for one call; 0: all cores this process may use, 1: the caller's only. */
NGFF_MUST_USE ngff_status ngff_engine_reader_create(const ngff_allocator *a, int threads,
                                                    ngff_engine_reader **out,
                                                    ngff_error *err);
void ngff_engine_reader_close(ngff_engine_reader **reader);
/* As ngff_zarr_read. Failed reads leave `out` undefined. */
NGFF_MUST_USE ngff_status ngff_engine_read(ngff_engine_reader *reader,
                                           const ngff_zarr_array *array,
                                           const ngff_box *box, const ngff_view *out,
                                           ngff_error *err);

#endif
