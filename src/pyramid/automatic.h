/* pyramid: factors nobody asked for by number. Pure; any thread. */
#ifndef NGFF_PYRAMID_AUTOMATIC_H
#define NGFF_PYRAMID_AUTOMATIC_H

#include "pyramid/pyramid.h"

/* Fills factors[1..] (row 0 is level 0: all 1) from sizes, chunks and, with `isotropic`,
 * spacings; returns how many rows beyond row 0. *cut: NGFF_MAX_LEVELS ended it early. */
int ngff_pyramid_automatic(const ngff_levels_request *request,
                           const int64_t chunk[NGFF_MAX_NDIM],
                           int64_t factors[NGFF_MAX_LEVELS][NGFF_MAX_NDIM], bool *cut);
bool ngff_pyramid_is_spatial(char axis);

#endif
