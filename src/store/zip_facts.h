/* zip_facts: what the directory of an archive tells about the rules of RFC-9. Fills
 * borrowed pointers into the directory; called once, when an archive is opened. */
#ifndef NGFF_STORE_ZIP_FACTS_H
#define NGFF_STORE_ZIP_FACTS_H

#include "store/inside.h"
#include "zip/zip.h"

NGFF_MUST_USE ngff_status ngff_zip_facts(const ngff_allocator *a,
                                         const ngff_zip_directory *directory,
                                         ngff_store_archive *out, ngff_error *err);
/* Is there a Zarr document in `folder` ("" = the root) of the archive? */
bool ngff_zip_has_node(const ngff_zip_directory *directory, const char *folder);
/* The one folder that everything lies in, when a Zarr document lies directly in it (0.4
 * images and ilastik's): into `out`, else "". */
void ngff_zip_find_folder(const ngff_zip_directory *directory, char *out,
                          size_t out_size);

#endif
