/* The data of entries: CRC-32, and inflating by libdeflate, whose output cannot grow
 * beyond the size that the directory tells. */
#include "zip/zip.h"

#include <libdeflate.h>

uint32_t ngff_zip_crc32(uint32_t crc, const void *data, size_t size) {
    return size ? libdeflate_crc32(crc, data, size) : crc;
}

ngff_status ngff_zip_check(const ngff_zip_item *item, uint32_t crc, ngff_error *err) {
    if (crc == item->crc)
        return NGFF_OK;
    return ngff_fail(err, NGFF_CHECKSUM,
                     "zip entry '%.200s': CRC-32 %08x, the directory says %08x",
                     item->name, (unsigned)crc, (unsigned)item->crc);
}

ngff_status ngff_zip_inflate(const ngff_zip_item *item, const void *packed, void *out,
                             ngff_error *err) {
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    if (d == NULL)
        return ngff_fail_nomem(err, "inflating", 16384);
    enum libdeflate_result result = libdeflate_deflate_decompress(
        d, packed, (size_t)item->packed, out, (size_t)item->size, NULL);
    libdeflate_free_decompressor(d);
    if (result != LIBDEFLATE_SUCCESS)
        return ngff_fail(err, NGFF_FORMAT,
                         "zip entry '%.200s': its %llu deflated bytes do not give the "
                         "%llu bytes that the directory tells",
                         item->name, (unsigned long long)item->packed,
                         (unsigned long long)item->size);
    return ngff_zip_check(item, ngff_zip_crc32(0, out, (size_t)item->size), err);
}
