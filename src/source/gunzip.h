/* gunzip: the bytes of a gzip or zlib stream in a file as if they were a plain one. Reads
 * forward; what lies at most 128 KiB back is still in the window, anything earlier starts
 * the stream over. Several members after one another are one stream. Memory: about 400
 * KiB, whatever the file holds. Borrows the file and its path. One thread at a time. */
#ifndef NGFF_SOURCE_GUNZIP_H
#define NGFF_SOURCE_GUNZIP_H

#include "sys/sys.h"

typedef struct ngff_gunzip ngff_gunzip;

#define NGFF_GUNZIP_MEMORY ((size_t)400 << 10)

/* The stream begins at byte `begin` of the file. */
NGFF_MUST_USE ngff_status ngff_gunzip_open(const ngff_allocator *a, const ngff_file *file,
                                           const char *path, uint64_t begin,
                                           ngff_gunzip **out, ngff_error *err);
/* Decoded bytes [offset, offset + size); *got < size only where the stream ends. FORMAT
 * when it is damaged or cut short. */
NGFF_MUST_USE ngff_status ngff_gunzip_read(ngff_gunzip *gz, void *out, size_t size,
                                           uint64_t offset, size_t *got, ngff_error *err);
void ngff_gunzip_close(ngff_gunzip **gz);
/* What the first bytes of a gzip file decode to; answers how many bytes, 0 when it is
 * none. */
size_t ngff_gunzip_head(const unsigned char *head, size_t n, unsigned char *out,
                        size_t out_size);

#endif
