/* Where the scene was not still while it was learned: someone who stands there from the start is part of the background
 * model, but never as still as a wall. Such places stay hidden until they have been quiet. */
#ifndef MOTION_UNSETTLED_H
#define MOTION_UNSETTLED_H

#include "plane.h"

enum { UNSETTLED_THRESHOLD = 7 };

typedef struct unsettled {
    extent e;
    uint8_t *left;     /* how long a pixel stays unsettled if it is quiet from now on, in 1/255 of QUIET_US */
    uint8_t *previous; /* the frame before */
    int64_t until_us;  /* nothing is unsettled after this */
    int64_t owed_us;   /* time not yet taken off `left` */
    int32_t any;
} unsettled;

size_t unsettled_bytes(extent e);
void unsettled_open(unsettled *places, extent e, uint8_t *space);

/* Start from the spread of the values that each pixel showed while it was learned. */
void unsettled_start(unsettled *places, const uint8_t *spread, int64_t until_us);

/* Take a frame. What moves within `explained` (masks) is known, and keeps nothing unsettled. */
void unsettled_follow(unsettled *places, const uint8_t *image, const uint8_t *explained, int64_t media_us,
                      int64_t elapsed_us);

/* evidence = the bound of the evidence where a pixel is unsettled, for smoothing with UNSETTLED_THRESHOLD: five of 25. */
void unsettled_mark(const unsettled *places, uint8_t *evidence);

#endif
