/* The list of things at rest: which there are, which live, and which have gone. */
#ifndef MOTION_THINGS_H
#define MOTION_THINGS_H

#include "still.h"

enum {
    TICK_US = 180000,   /* at 5 frames a second each is looked at */
    AGE_US = 100000,
    RIPE = 9,           /* AGE_US: so steady is a thing that rests */
    STEADY = 8,         /* grey levels that a resting place may vary by */
    DIFFERENT = 5,      /* grey levels beyond which a place is not as it was */
    LIVING = 255,       /* owner of what stayed but was never at rest: a person who stands */
};

/* Look at the things where they are: are they covered, does something move within them? */
void things_follow(still_layer *layer, int64_t media_us);

/* Take the regions that have come to rest as new things, or as the end of old ones. */
void things_take(still_layer *layer, int64_t media_us);

#endif
