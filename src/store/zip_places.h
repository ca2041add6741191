/* zip_places: what an archive's line (zip_line.h) is made of: the table of entries that
 * have a place, the heap of those that came early, parcels and their bytes in the spill.
 * Everything belongs to the line. All calls are made under its lock, but for parcels,
 * which belong to the thread that has them. */
#ifndef NGFF_STORE_ZIP_PLACES_H
#define NGFF_STORE_ZIP_PLACES_H

#include "store/zip_line.h"

enum { NGFF_ZIP_FIRST_ROOM = 64 };

/* ---- the table of places */

/* NULL: nothing of this name. */
ngff_zip_slot *ngff_zip_place_find(const ngff_zip_line *line, const char *name);
/* The next place; takes the name over. */
NGFF_MUST_USE ngff_status ngff_zip_place_give(ngff_zip_line *line, char *name,
                                              uint64_t size, ngff_zip_slot **out,
                                              ngff_error *err);
/* Writes the local header of a place; outside the lock. */
NGFF_MUST_USE ngff_status ngff_zip_place_head(const ngff_zip_line *line,
                                              const ngff_zip_entry *e, ngff_error *err);

/* ---- the heap of early ones; `parcel` NULL: nothing has this rank */

NGFF_MUST_USE ngff_status ngff_zip_early_push(ngff_zip_line *line, uint64_t rank,
                                              ngff_zip_parcel *parcel, ngff_error *err);
ngff_zip_early ngff_zip_early_pop(ngff_zip_line *line); /* there is one */

/* ---- parcels (made by ngff_zip_parcel_new) */

void ngff_zip_parcel_empty(const ngff_zip_line *line, ngff_zip_parcel *p);
void ngff_zip_parcel_free(const ngff_zip_line *line, ngff_zip_parcel *p);
/* There is a spill from now on, lent or own; under the lock. */
NGFF_MUST_USE ngff_status ngff_zip_parcel_spill(ngff_zip_line *line, ngff_error *err);
/* Bytes behind those that wait already. */
NGFF_MUST_USE ngff_status ngff_zip_parcel_park(ngff_zip_line *line, ngff_zip_parcel *p,
                                               const void *data, size_t size,
                                               ngff_error *err);
/* All that waits to its place in the file; outside the lock. */
NGFF_MUST_USE ngff_status ngff_zip_parcel_carry(const ngff_zip_line *line,
                                                ngff_zip_parcel *p, uint64_t at,
                                                ngff_error *err);

#endif
