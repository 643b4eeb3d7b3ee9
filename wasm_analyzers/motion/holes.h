/* What regions enclose belongs to them. */
#ifndef MOTION_HOLES_H
#define MOTION_HOLES_H

#include "regions.h"

typedef struct hole_planes {
    const uint8_t *joined; /* what the regions were found in */
    const uint8_t *rows;   /* which rows of `solid` have anything */
    uint8_t *filled, *scratch; /* to work in */
} hole_planes;

/* solid |= gaps of at most 2 * JOINED pixels, and the holes of the regions. */
void holes_close(const regions *found, extent e, const hole_planes *planes, uint8_t *solid);

#endif
